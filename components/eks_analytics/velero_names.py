"""Names around backups, alike for who makes them and who watches them: regions, keys, buckets, schedules. Pure."""

import re
from collections.abc import Iterator

from .iam import partition
from .problems import Problem

REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}")
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# Nothing that S3 or a policy takes for more than a letter: a star in it would let Velero into other folders.
PREFIX = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
# A name of an object, and short enough for the value of a label on its backups:
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names
SCHEDULE = re.compile(r"(?=.{1,63}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_KEY = re.compile(r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):\d{12}:key/[A-Za-z0-9-]+")


def key_problems(name: str, arn: str, region: str) -> Iterator[Problem]:
    """What is wrong with the ARN of a key that S3, SNS or CloudWatch use in a region. Either may be empty: not known.

    An alias is refused, since IAM policies bind by keys.
    """
    key, shown = _KEY.fullmatch(arn), region or "us-east-1"
    example = f"arn:{partition(shown)}:kms:{shown}:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    if arn and key is None:
        yield Problem(name, arn, "is not the ARN of a KMS key", f"write one such as {example}, no alias")
    elif key and region and key["region"] != region:
        yield Problem(name, arn, f"is a key of another region than {region}", "name a key of that region")
