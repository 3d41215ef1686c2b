"""What the watch over backups may do, and who may use its key and its topic. Pure."""

from .backup_watch_options import BackupWatchOptions
from .iam import PolicyDocument, Statement, document, key_administration, logs_use_key
from .partitions import dns_suffix, partition

_CLOUDWATCH = "cloudwatch.amazonaws.com"


def function_trust() -> PolicyDocument:
    """Lets Lambda take the function's role."""
    return document(
        {
            "Sid": "LambdaAssumesRole",
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": ["sts:AssumeRole"],
        }
    )


def function_policy(options: BackupWatchOptions, bucket: str, kms_key_arn: str) -> PolicyDocument:
    """Lets the function see which backups there are, read what Velero says of each, and write its metric and its log;
    none of what is backed up can be read."""
    bucket_arn = f"arn:{partition(options.region)}:s3:::{bucket}"
    statements: list[Statement] = [
        {
            "Sid": "ListBackups",
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": bucket_arn,
            "Condition": {"StringEquals": {"s3:prefix": f"{options.folder}backups/"}},
        },
        {
            "Sid": "ReadWhatBackupsAre",
            "Effect": "Allow",
            "Action": ["s3:GetObject"],
            "Resource": f"{bucket_arn}/{options.folder}backups/*/velero-backup.json",
        },
        {
            "Sid": "WriteMetric",
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricData"],
            # It knows no resource, only the namespace:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": options.namespace}},
        },
        {
            "Sid": "WriteLog",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": f"{options.log_group_arn}:*",
        },
    ]
    if kms_key_arn:
        through_s3 = f"s3.{options.region}.{dns_suffix(options.region)}"
        statements.append(
            {
                "Sid": "DecryptThroughS3",
                "Effect": "Allow",
                "Action": ["kms:Decrypt"],
                "Resource": kms_key_arn,
                "Condition": {"StringEquals": {"kms:ViaService": through_s3}},
            }
        )
    return document(*statements)


def topic_policy(options: BackupWatchOptions) -> PolicyDocument:
    """Lets the alarms of this watch publish, and nobody without TLS."""
    return document(
        {
            "Sid": "AlarmsPublish",
            "Effect": "Allow",
            "Principal": {"Service": _CLOUDWATCH},
            "Action": ["sns:Publish"],
            "Resource": options.topic_arn,
            "Condition": _of_alarms(options),
        },
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["sns:Publish"],
            "Resource": options.topic_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def key_policy(options: BackupWatchOptions) -> PolicyDocument:
    """Who may do what with the watch's own key: IAM decides who administers it."""
    return document(
        key_administration(options.region, options.account_id),
        *key_statements(options),
    )


def key_statements(options: BackupWatchOptions) -> list[Statement]:
    """What a key's policy must say so that the watch can use it.

    AWS's own key for SNS (`alias/aws/sns`) lets no alarm in, and its policy cannot be changed:
    https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    """
    return [
        {
            "Sid": "AlarmsPublishToEncryptedTopic",
            "Effect": "Allow",
            "Principal": {"Service": _CLOUDWATCH},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": _of_alarms(options),
        },
        logs_use_key(options.region, options.log_group_arn),
    ]


def _of_alarms(options: BackupWatchOptions) -> dict[str, dict[str, str]]:
    return {
        "StringEquals": {"aws:SourceAccount": options.account_id},
        "ArnLike": {"aws:SourceArn": options.alarm_arns},
    }
