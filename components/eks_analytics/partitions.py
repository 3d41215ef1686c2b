"""The partitions of AWS: which one a region belongs to, and the domains of its services. Pure.

The table is that of `partitions.json` in botocore 1.43.106; a test compares the two.
"""

import re
from typing import NamedTuple


class Partition(NamedTuple):
    """A group of regions with accounts, ARNs and service domains of its own."""

    name: str
    """What its ARNs begin with, after `arn:`."""
    dns_suffix: str
    """Domain of the endpoints of its services."""
    dual_stack_suffix: str
    """Domain of the endpoints that also answer over IPv6."""


_COMMERCIAL = Partition("aws", "amazonaws.com", "api.aws")
_BY_REGION = {
    re.compile(r"cn-.+"): Partition("aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    re.compile(r"us-gov-.+"): Partition("aws-us-gov", "amazonaws.com", "api.aws"),
    re.compile(r"eusc-.+"): Partition("aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
    re.compile(r"[a-z]+-iso-.+"): Partition("aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
    re.compile(r"[a-z]+-isob-.+"): Partition("aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
    re.compile(r"[a-z]+-isoe-.+"): Partition("aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    re.compile(r"[a-z]+-isof-.+"): Partition("aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
}
PARTITIONS = (_COMMERCIAL, *_BY_REGION.values())


def partition_of(region: str) -> Partition:
    """The partition of a region, known without asking AWS; that of commercial regions where none other fits."""
    return next((found for pattern, found in _BY_REGION.items() if pattern.fullmatch(region)), _COMMERCIAL)


def partition(region: str) -> str:
    """The name of a region's partition."""
    return partition_of(region).name


def dns_suffix(region: str) -> str:
    """The domain under which a region's services live."""
    return partition_of(region).dns_suffix
