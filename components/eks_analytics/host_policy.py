"""What the bootstrap host may do on AWS, as plain data: pure functions, so that it can be linted and read."""

from collections.abc import Sequence
from dataclasses import dataclass

from .iam import PolicyDocument, Statement, document, instance_trust, session_manager
from .partitions import dns_suffix, partition


@dataclass(frozen=True)
class HostRights:
    """What the policy names. Secrets and files that are not there are left out, or empty."""

    region: str
    account_id: str
    secret_arns: Sequence[str]
    """Secrets that the host reads."""
    kms_key_arn: str
    """Key that encrypts the secrets and the bucket."""
    bucket_name: str
    """Bucket of the files."""
    file_keys: Sequence[str]
    """Keys of the files in the bucket that the host reads."""
    log_group_name: str
    """Log group that the host writes to."""
    status_parameter_name: str
    """SSM parameter in which the host leaves its verdict."""
    session_log_group_arn: str = ""
    """Log group to which the host writes transcripts of sessions; empty for none."""


def host_trust(region: str) -> PolicyDocument:
    """Lets EC2 instances take the role of the bootstrap host."""
    return instance_trust(region, "HostAssumesRole")


def host_policy(rights: HostRights) -> PolicyDocument:
    """Lets the bootstrap host read its own files and secrets, log, report, and be reached through Session Manager.

    Nothing for Kubernetes: the kubeconfig lies in the bucket, `aws eks get-token` signs without asking AWS, and what
    the token opens is said by the cluster's access entry.
    """
    region = rights.region
    services = [f"{service}.{region}.{dns_suffix(region)}" for service in ("s3", "secretsmanager")]
    own = f"arn:{partition(region)}:{{}}:{region}:{rights.account_id}:{{}}"
    statements: list[Statement] = [
        {
            "Sid": "ReadFiles",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:{partition(region)}:s3:::{rights.bucket_name}/{key}" for key in rights.file_keys if key],
        },
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": [arn for arn in rights.secret_arns if arn],
        },
        {
            "Sid": "DecryptThroughTheirServices",
            "Effect": "Allow",
            "Action": ["kms:Decrypt"],
            "Resource": rights.kms_key_arn,
            "Condition": {"StringEquals": {"kms:ViaService": services}},
        },
        {
            "Sid": "WriteOwnLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": own.format("logs", f"log-group:{rights.log_group_name}:*"),
        },
        {
            "Sid": "ReportStatus",
            "Effect": "Allow",
            "Action": ["ssm:PutParameter"],
            "Resource": own.format("ssm", f"parameter{rights.status_parameter_name}"),
        },
        *session_manager(region, rights.account_id, rights.session_log_group_arn),
    ]
    # IAM refuses a statement without resources.
    return document(*(one for one in statements if one.get("Resource")))
