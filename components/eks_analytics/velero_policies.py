"""IAM policies around backups: what Velero may do, and what S3 may do to copy its bucket elsewhere. Pure."""

from .iam import PolicyDocument, Statement, document
from .partitions import dns_suffix, partition


def velero_policy(region: str, bucket_arn: str, prefix: str = "", kms_key_arn: str = "") -> PolicyDocument:
    """What Velero and its plugin do, on this bucket and on volumes and snapshots of the region.

    The actions are those of velero-plugin-for-aws 1.14, of which 1.6 needs no others, and for the key the two that S3
    needs to write and read:
    https://github.com/vmware-tanzu/velero-plugin-for-aws/blob/v1.14.0/README.md#set-permissions-for-velero
    Both plugins tag what they make while they make it, and every snapshot with the backup it belongs to. That tag has
    the backup's name, and none has the cluster's: snapshots of other clusters' backups in the same account and region
    can be deleted, too.
    """
    ec2 = f"arn:{partition(region)}:ec2:{region}"
    volumes, snapshots = f"{ec2}:*:volume/*", f"{ec2}::snapshot/*"
    statements: list[Statement] = [
        {
            "Sid": "FindVolumes",
            "Effect": "Allow",
            "Action": ["ec2:DescribeSnapshots", "ec2:DescribeVolumes"],
            "Resource": "*",
        },
        {
            "Sid": "SnapshotVolumes",
            "Effect": "Allow",
            "Action": ["ec2:CreateSnapshot", "ec2:CreateVolume"],
            "Resource": [volumes, snapshots],
        },
        {
            "Sid": "TagWhatIsMade",
            "Effect": "Allow",
            "Action": ["ec2:CreateTags"],
            "Resource": [volumes, snapshots],
            "Condition": {"StringEquals": {"ec2:CreateAction": ["CreateSnapshot", "CreateVolume"]}},
        },
        {
            "Sid": "ForgetSnapshotsOfBackups",
            "Effect": "Allow",
            "Action": ["ec2:DeleteSnapshot"],
            "Resource": snapshots,
            "Condition": {"Null": {"aws:ResourceTag/velero.io/backup": "false"}},
        },
        {
            "Sid": "KeepBackups",
            "Effect": "Allow",
            "Action": [
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListMultipartUploadParts",
                "s3:PutObject",
                "s3:PutObjectTagging",
            ],
            "Resource": f"{bucket_arn}/{prefix}/*" if prefix else f"{bucket_arn}/*",
        },
        {"Sid": "FindBackups", "Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": bucket_arn},
    ]
    if kms_key_arn:
        statements.append(_through_s3("UseKeyOfBucket", ["kms:Decrypt", "kms:GenerateDataKey"], kms_key_arn, region))
    return document(*statements)


def replication_trust(bucket_arn: str, account_id: str) -> PolicyDocument:
    """Lets S3 take a role to copy this bucket, and no other account's."""
    return document(
        {
            "Sid": "BucketAssumesRole",
            "Effect": "Allow",
            "Principal": {"Service": "s3.amazonaws.com"},
            "Action": ["sts:AssumeRole"],
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account_id},
                "ArnEquals": {"aws:SourceArn": bucket_arn},
            },
        }
    )


def replication_policy(
    source: str, target: str, *, source_key: tuple[str, str] | None, target_key: tuple[str, str] | None, locked: bool
) -> PolicyDocument:
    """What copying takes. A key comes with its region.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
    """
    read = ["s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging"]
    if locked:
        read += ["s3:GetObjectLegalHold", "s3:GetObjectRetention"]
    statements: list[Statement] = [
        {
            "Sid": "ReadSource",
            "Effect": "Allow",
            "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"],
            "Resource": source,
        },
        {"Sid": "ReadVersions", "Effect": "Allow", "Action": read, "Resource": f"{source}/*"},
        {
            "Sid": "WriteCopies",
            "Effect": "Allow",
            "Action": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
            "Resource": f"{target}/*",
        },
    ]
    if source_key:
        statements.append(_through_s3("DecryptSource", ["kms:Decrypt"], *source_key))
    if target_key:
        # Bucket keys: https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-config-for-kms-objects.html
        statements.append(_through_s3("EncryptCopies", ["kms:Encrypt", "kms:GenerateDataKey"], *target_key))
    return document(*statements)


def _through_s3(sid: str, actions: list[str], key_arn: str, region: str) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Action": actions,
        "Resource": key_arn,
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.{dns_suffix(region)}"}},
    }
