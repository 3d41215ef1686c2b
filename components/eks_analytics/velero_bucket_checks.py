"""What in a bucket for backups S3 would refuse, or a backup would not survive. Pure."""

from collections.abc import Iterator, Sequence

from .partitions import partition
from .problems import Problem
from .velero_durations import duration_fault, seconds_of
from .velero_names import BUCKET, REGION, key_problems
from .velero_options import BackupBucketOptions, ObjectLock, Schedule

ENCRYPTIONS = ("kms", "s3")
LOCK_MODES = ("GOVERNANCE", "COMPLIANCE")
MOST_DAYS = 36_500
"""Of a retention by Object Lock."""

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_RESERVED_STARTS = ("xn--", "sthree-", "amzn-s3-demo-")
_RESERVED_ENDS = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
_OF_A_NEW_BUCKET = ("name", "encryption", "noncurrent_days", "object_lock", "replication")
_SECONDS_OF_A_DAY = 24 * 3600


def bucket_problems(bucket: BackupBucketOptions, region: str, schedules: Sequence[Schedule]) -> Iterator[Problem]:
    """Everything that is wrong with it, under names such as `bucket.name`."""
    for key in ("name", "existing_name"):
        yield from _name_problems(f"bucket.{key}", getattr(bucket, key))
    if "." in bucket.name and BUCKET.fullmatch(bucket.name):
        reason = "has dots, for which S3's certificate is not valid"
        yield Problem("bucket.name", bucket.name, reason, f'write hyphens: "{bucket.name.replace(".", "-")}"')
    if bucket.existing_name:
        for key in _OF_A_NEW_BUCKET:
            if key in bucket.given:
                reason = "says how a new bucket is made, and bucket.existing_name says that it is there"
                yield Problem(f"bucket.{key}", "(given)", reason, "leave one of the two out")
        yield from key_problems("bucket.kms_key_arn", bucket.kms_key_arn, region)
        return
    yield from _encryption_problems(bucket, region)
    if not 1 <= bucket.noncurrent_days <= MOST_DAYS:
        reason = "is no number of days that S3 could keep deleted backups for"
        yield Problem("bucket.noncurrent_days", bucket.noncurrent_days, reason, f"write 1 to {MOST_DAYS}")
    if bucket.object_lock:
        yield from _lock_problems(bucket.object_lock, schedules)
    if "replication" in bucket.given:
        yield from _replication_problems(bucket, region)


def _name_problems(key: str, name: str) -> Iterator[Problem]:
    if not name:
        return
    if name.startswith("arn:"):
        yield Problem(key, name, "is an ARN", f'write the name alone: "{name.rpartition(":")[2].split("/")[0]}"')
    elif name.startswith("s3://"):
        found, _, folder = name.removeprefix("s3://").partition("/")
        yield Problem(key, name, "is a URL", f'write "{found}"' + (f', and "{folder}" as prefix' if folder else ""))
    elif not BUCKET.fullmatch(name) or name.startswith(_RESERVED_STARTS) or name.endswith(_RESERVED_ENDS):
        reason = "is no name of a bucket: 3 to 63 small letters, digits, inner hyphens and dots, none reserved by S3"
        yield Problem(key, name, reason, 'write a name such as "example-dash-backups"')


def _encryption_problems(bucket: BackupBucketOptions, region: str) -> Iterator[Problem]:
    if bucket.encryption not in ENCRYPTIONS:
        remedy = 'write "kms" for a key of your own, or "s3" for keys of S3'
        yield Problem("bucket.encryption", bucket.encryption, "is no encryption of a bucket", remedy)
    elif bucket.encryption == "kms" and not bucket.has_kms_key:
        yield Problem("bucket.encryption", "kms", "needs a key, and none is named", 'give kms_key_arn, or write "s3"')
    elif bucket.encryption == "s3" and "kms_key_arn" in bucket.given:
        reason = "names a key, and bucket.encryption s3 uses none of yours"
        yield Problem("bucket.kms_key_arn", "(given)", reason, "leave one of the two out")
    else:
        yield from key_problems("bucket.kms_key_arn", bucket.kms_key_arn, region)


def _lock_problems(lock: ObjectLock, schedules: Sequence[Schedule]) -> Iterator[Problem]:
    if lock.mode not in LOCK_MODES:
        remedy = "write GOVERNANCE, which a special right overrules, or COMPLIANCE, which nobody does"
        yield Problem("bucket.object_lock.mode", lock.mode, "is no mode of Object Lock", remedy)
    if not 1 <= lock.days <= MOST_DAYS:
        reason = "is no number of days for Object Lock"
        yield Problem("bucket.object_lock.days", lock.days, reason, f"write 1 to {MOST_DAYS}")
        return
    for schedule in schedules:
        seconds = None if duration_fault(schedule.ttl) else seconds_of(schedule.ttl)
        if seconds and lock.days * _SECONDS_OF_A_DAY < seconds:
            days = -(-seconds // _SECONDS_OF_A_DAY)
            reason = f"ends before backups of the schedule {schedule.name!r} do, which are kept for {schedule.ttl}"
            yield Problem("bucket.object_lock.days", lock.days, reason, f"write {days} or more, or shorten the ttl")


def _replication_problems(bucket: BackupBucketOptions, region: str) -> Iterator[Problem]:
    wrong = list(_target_problems(bucket.replication_region, region))
    yield from wrong
    if bucket.encryption == "kms" and not bucket.has_replication_key:
        reason = "S3 copies what a key encrypts only under a key of the other region, and none is named"
        remedy = 'name one there, or write bucket.encryption "s3"'
        yield Problem("bucket.replication.kms_key_arn", None, reason, remedy)
    elif bucket.encryption == "s3" and bucket.has_replication_key:
        reason = "names a key for copies of what no key of yours encrypts"
        yield Problem("bucket.replication.kms_key_arn", "(given)", reason, "leave it out")
    else:
        target = "" if wrong else bucket.replication_region
        yield from key_problems("bucket.replication.kms_key_arn", bucket.replication_key_arn, target)


def _target_problems(target: str, region: str) -> Iterator[Problem]:
    key = "bucket.replication.region"
    if not REGION.fullmatch(target):
        yield Problem(key, target, "is not the name of an AWS region", 'write a name such as "us-west-2"')
    elif region and target == region:
        reason = "is the region of the backups themselves, and would be lost with them"
        yield Problem(key, target, reason, "write another region")
    elif region and partition(target) != partition(region):
        reason = f"lies in another partition of AWS than {region}, and S3 copies nothing from one to the other"
        yield Problem(key, target, reason, f"write a region of the partition {partition(region)}")
