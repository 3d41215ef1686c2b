"""Transcripts of Session Manager sessions: a session document of the cluster's own, and its log group.

The preferences of an account, the document SSM-SessionManagerRunShell, apply to every session in a region, and are not
touched: https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html
"""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

from .iam import PolicyDocument, document, key_administration, logs_use_key
from .partitions import partition
from .session_logs_options import SessionLogsArgs, document_name, kept_days, log_group_name

IDLE_MINUTES = 20


def session_document(cluster_name: str) -> dict[str, Any]:
    """The session document: a shell whose transcript goes to the log group, line by line, or no session at all.

    On a host with the user ubuntu it is that user's shell.
    https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
    """
    return {
        "schemaVersion": "1.0",
        "description": f"Shell on a machine of the EKS cluster {cluster_name}, with a transcript",
        "sessionType": "Standard_Stream",
        "inputs": {
            "cloudWatchLogGroupName": log_group_name(cluster_name),
            # Refuses to start a session while the log group is not encrypted.
            "cloudWatchEncryptionEnabled": True,
            "cloudWatchStreamingEnabled": True,
            "s3BucketName": "",
            "s3KeyPrefix": "",
            "s3EncryptionEnabled": True,
            "kmsKeyId": "",
            "runAsEnabled": False,
            "runAsDefaultUser": "",
            "idleSessionTimeout": str(IDLE_MINUTES),
            "shellProfile": {"linux": "id ubuntu >/dev/null 2>&1 && exec sudo -iu ubuntu"},
        },
    }


def session_key_policy(region: str, account_id: str, cluster_name: str) -> PolicyDocument:
    """Who may do what with the key of the transcripts: IAM decides who administers it, CloudWatch Logs uses it."""
    return document(
        key_administration(region, account_id),
        logs_use_key(
            region, f"arn:{partition(region)}:logs:{region}:{account_id}:log-group:{log_group_name(cluster_name)}"
        ),
    )


def make_session_logs(
    label: str,
    cluster_name: str,
    args: SessionLogsArgs,
    scope: pulumi.Output[tuple[str, str]],
    *,
    production: bool,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> tuple[aws.cloudwatch.LogGroup, aws.ssm.Document]:
    """Log group and session document, and a key where none is given."""
    name, child = f"{label}-sessions", pulumi.ResourceOptions(parent=parent)
    key_arn: pulumi.Input[str] = args.get("kms_key_arn", "") or (
        aws.kms.Key(
            name,
            description=f"Transcripts of sessions on machines of the EKS cluster {cluster_name}",
            enable_key_rotation=True,
            deletion_window_in_days=30 if production else 7,
            policy=scope.apply(lambda scope: json.dumps(session_key_policy(*scope, cluster_name))),
            tags={**tags, "Name": f"{cluster_name}-sessions"},
            opts=pulumi.ResourceOptions(parent=parent, protect=production or None),
        ).arn
    )
    log_group = aws.cloudwatch.LogGroup(
        name,
        name=log_group_name(cluster_name),
        retention_in_days=kept_days(args),
        kms_key_id=key_arn,
        tags=tags,
        opts=child,
    )
    session = aws.ssm.Document(
        name,
        name=document_name(cluster_name),
        document_type="Session",
        document_format="JSON",
        content=log_group.name.apply(lambda _: json.dumps(session_document(cluster_name))),
        tags=tags,
        opts=child,
    )
    return log_group, session
