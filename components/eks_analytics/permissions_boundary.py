"""The permissions boundary of every IAM role that is made here. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

import re
from collections.abc import Iterator

from .partitions import partition
from .problems import Problem

# A boundary is a managed policy: the account's own, or one of AWS.
_POLICY_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}|aws):policy/[\w+=,.@/-]*[\w+=,.@-]", re.ASCII
)


def boundary_fault(arn: str) -> tuple[str, str] | None:
    """Why this is no boundary, and what to write instead."""
    if not arn or _POLICY_ARN.fullmatch(arn):
        return None
    remedy = 'write an ARN such as "arn:aws:iam::123456789012:policy/deployment-boundary", or "" for no boundary'
    return "is not the ARN of a managed IAM policy", remedy


def boundary_problems(arn: str, region: str, account_id: str = "") -> Iterator[Problem]:
    """What is wrong with the boundary of roles in this region's partition and this account, where these are known."""
    name = "permissions_boundary_arn"
    if fault := boundary_fault(arn):
        yield Problem(name, arn, *fault)
    elif found := _POLICY_ARN.fullmatch(arn):
        if region and found["partition"] != (wanted := partition(region)):
            reason = f"belongs to the partition {found['partition']}, and {region} to {wanted}"
            yield Problem(name, arn, reason, f'write an ARN that begins with "arn:{wanted}:"')
        elif account_id and found["account"] not in (account_id, "aws"):
            reason = f"is a policy of another account, and IAM takes the boundary of a role from its own: {account_id}"
            yield Problem(name, arn, reason, "create the policy in that account and write its ARN")
