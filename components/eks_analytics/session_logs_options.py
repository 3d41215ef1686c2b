"""What is asked of transcripts of Session Manager sessions. Pure."""

from typing import NotRequired, TypedDict

DEFAULT_RETENTION_DAYS = 365


class SessionLogsArgs(TypedDict):
    """Transcripts of what people do in Session Manager sessions."""

    retention_days: NotRequired[int]
    """Days for which CloudWatch keeps transcripts, one of the numbers that it offers; 365 by default, 0 for no
    transcripts."""
    kms_key_arn: NotRequired[str]
    """ARN of the KMS key that encrypts the transcripts; its policy must let CloudWatch Logs use it. By default a key is
    made for them."""


def kept_days(args: SessionLogsArgs | None) -> int:
    """Days for which transcripts are kept; 0 where there are none."""
    return 0 if args is None else int(args.get("retention_days", DEFAULT_RETENTION_DAYS))


def log_group_name(cluster_name: str) -> str:
    """Name of the log group that holds the transcripts."""
    return f"/{cluster_name}/sessions"


def document_name(cluster_name: str) -> str:
    """Name of the session document, for `aws ssm start-session --document-name`."""
    return f"{cluster_name}-session"
