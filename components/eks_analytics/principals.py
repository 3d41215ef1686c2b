"""IAM roles and users that EKS takes as the principals of access entries. Pure."""

import re

_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):(?P<service>iam|sts)::(?P<account>\d{12}):(?P<resource>.+)")
_NAME = re.compile(r"[\w+=,.@/-]*[\w+=,.@-]", re.ASCII)
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html: the Region is left out
# where IAM Identity Center is in us-east-1.
_SSO_ROLE = "AWSReservedSSO_"
_SSO_PATH = re.compile(r"aws-reserved/sso\.amazonaws\.[a-z.]+/([a-z0-9-]+/)?")
_EXAMPLE = '"arn:aws:iam::123456789012:role/deployer"'

Fault = tuple[str, str]
"""A reason and a remedy."""


def principal_fault(arn: str) -> Fault | None:
    """Why EKS would refuse an access entry for that ARN, often only minutes later; None where it takes it."""
    found = _ARN.fullmatch(arn)
    if found is None:
        return "is not the ARN of an IAM role or user", f"write an ARN such as {_EXAMPLE}"
    kind, _, name = found["resource"].partition("/")
    if found["service"] == "sts":
        return _session_fault(found["partition"], found["account"], name.partition("/")[0])
    if found["resource"] == "root":
        return "EKS gives no access entry to an account's root user", f"write a role or user, such as {_EXAMPLE}"
    if name.startswith("aws-service-role/"):
        return "EKS gives no access entry to a service-linked role", f"write a role of your own, such as {_EXAMPLE}"
    if kind not in ("role", "user") or not _NAME.fullmatch(name):
        return "EKS gives access entries to IAM roles and users only", f"write a role or user, such as {_EXAMPLE}"
    return sso_fault(arn)


def sso_fault(arn: str) -> Fault | None:
    """Why EKS would not find a role of IAM Identity Center: the path is part of the role's ARN."""
    prefix, _, name = arn.partition(":role/")
    path, slash, role = name.rpartition("/")
    if not role.startswith(_SSO_ROLE) or _SSO_PATH.fullmatch(path + slash):
        return None
    return (
        "is a role of IAM Identity Center without its path, and EKS knows no such principal",
        f'write "{prefix}:role/aws-reserved/sso.amazonaws.com/<region>/{role}" with the region of IAM Identity Center '
        f"(none for us-east-1); aws iam get-role --role-name {role} --query Role.Arn prints it",
    )


def _session_fault(partition: str, account: str, role: str) -> Fault:
    path = "aws-reserved/sso.amazonaws.com/<region>/" if role.startswith(_SSO_ROLE) else ""
    return (
        "names one session of a role; EKS grants access to the role itself",
        f'write "arn:{partition}:iam::{account}:role/{path}{role}" (with its path, where the role has one: '
        f"aws iam get-role --role-name {role} --query Role.Arn)",
    )
