"""Names around backups, alike for who makes them and who watches them: regions, keys, buckets, schedules. Pure."""

import re
from collections.abc import Iterator

from .partitions import partition
from .problems import Problem

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"(?!.*\.\.)(?!(?:\d+\.){3}\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LONGEST_BUCKET_NAME = 63
# Nothing that S3 or a policy takes for more than a letter: a star in it would let Velero into other folders. Velero
# cleans it as a path, in which `.` and `..` are no names: https://pkg.go.dev/path#Join
PREFIX = re.compile(r"(?!(?:.*/)?\.\.?(?:/|$))[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
# A name of an object, and short enough for the value of a label on its backups:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
SCHEDULE = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")


def scope_problems(region: str, account_id: str) -> Iterator[Problem]:
    """What is wrong with the names of region and account. Either may be empty: looked up."""
    if region and not REGION.fullmatch(region):
        yield Problem("region", region, "is not the name of an AWS region", 'write a name such as "us-east-1"')
    if account_id and not re.fullmatch(r"\d{12}", account_id):
        reason = "is no AWS account id, which has 12 digits"
        yield Problem("account_id", account_id, reason, 'write it in quotes, such as "123456789012"')


def key_problems(name: str, arn: str, region: str) -> Iterator[Problem]:
    """What is wrong with the ARN of a key that S3, SNS or CloudWatch use in a region. Either may be empty: not known.

    An alias is refused, since IAM policies bind by keys.
    """
    key, shown = _KEY.fullmatch(arn), region or "us-east-1"
    example = f"arn:{partition(shown)}:kms:{shown}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    if arn and key is None:
        yield Problem(name, arn, "is not the ARN of a KMS key", f"write one such as {example}, no alias")
    elif key and REGION.fullmatch(region) and key["region"] != region:
        yield Problem(name, arn, f"is a key of another region than {region}", "name a key of that region")
