"""What one value must look like, whatever the other settings say: the types of the settings' fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, cast

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from eks_analytics.cluster_checks import LOG_RETENTION_DAYS, private_cidr_fault, public_cidr_fault
from eks_analytics.endpoints import PRIVATE_CLUSTER
from eks_analytics.host_names import LONGEST_PREFIX
from eks_analytics.international_names import ascii_form, letters_fault
from eks_analytics.node_group_options import label_key_fault, label_value_fault, taint_key_fault
from eks_analytics.permissions_boundary import boundary_fault
from eks_analytics.physical_names import LONGEST_ROLE_NAME, room_for_name
from eks_analytics.principals import principal_fault
from eks_analytics.problems import repeated
from eks_analytics.velero_names import key_problems

from .problems import display, items_of

LONGEST_CLUSTER_NAME = room_for_name(LONGEST_ROLE_NAME, "-aws-ebs-csi-driver")
"""Characters in the name of a cluster that is made here: names of IAM roles begin with it."""
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}):(?P<resource>.+)"
)
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_TAG_PUNCTUATION = " _.:/=+-@"
# The longest name in front of the base domain; Dash Enterprise joins them with a hyphen, so both share one label.
LONGEST_DNS_PREFIX = f"{LONGEST_PREFIX}-"


@dataclass(frozen=True)
class Example:
    """A value of a type, for where a secret cannot be read: {region}, {account}, {zone}, {number} are the stack's."""

    value: str


def refuse(reason: str, remedy: str) -> NoReturn:
    """Refuse a value with a reason and a remedy."""
    raise PydanticCustomError("refused", "{reason}", {"reason": reason, "remedy": remedy})


def _matching(pattern: str, reason: str, remedy: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        return value if compiled.fullmatch(value) else refuse(reason, remedy)

    return check


def _without(fault: Callable[[str], tuple[str, str] | None]) -> AfterValidator:
    """Takes the values in which the component's own check finds no fault."""

    def check(value: str) -> str:
        found = fault(value)
        return refuse(*found) if found else value

    return AfterValidator(check)


def _or_empty(check: Callable[[str], str]) -> AfterValidator:
    return AfterValidator(lambda value: check(value) if value else value)


def _region(value: str) -> str:
    if re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}[a-z]", value):
        refuse("is an availability zone, not a region", f'write "{value[:-1]}"')
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}", value):
        refuse("is not the name of an AWS region", 'write a name such as "us-east-1"')
    return value


def _zone(value: str) -> str:
    if re.fullmatch(r"[a-z]+\d*-az\d+", value):
        refuse(
            "is a zone id, which stands for different zones' names in different accounts",
            'write zone names such as "us-east-1a"; make zones REGION=us-east-1 lists them',
        )
    if re.fullmatch(r"[a-z]+(-[a-z]+)+-\d+-[a-z-]+-\d+[a-z]", value):
        refuse("is a Local or Wavelength Zone, where EKS runs no control plane", 'write zones such as "us-east-1a"')
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+){1,2}-\d{1,2}[a-z]", value):
        refuse("is not the name of an availability zone", 'write a name such as "us-east-1a"')
    return value


def _account(value: str) -> str:
    if not re.fullmatch(r"\d{12}", value):
        refuse("an AWS account id has 12 digits", 'write it in quotes with its leading zeros: "012345678901"')
    return value


def _tag_text(value: str) -> str:
    if refused := sorted({char for char in value if not char.isalnum() and char not in _TAG_PUNCTUATION}):
        refuse(
            f"AWS allows no {' '.join(refused)!r} in tags",
            "use letters, digits, spaces and the characters _ . : / = + - @",
        )
    return value


def _endpoints(value: Any) -> Any:
    if isinstance(value, str):
        if value != PRIVATE_CLUSTER:
            refuse(
                f"must be a list of services, or the one word {PRIVATE_CLUSTER}", f"write {display(items_of(value))}"
            )
        return (value,)
    return tuple(cast("list[Any]", value)) if isinstance(value, list) else value


def _retention(value: int) -> int:
    if value not in LOG_RETENTION_DAYS:
        following = next((days for days in LOG_RETENTION_DAYS if days > value), LOG_RETENTION_DAYS[-1])
        accepted = ", ".join(map(str, LOG_RETENTION_DAYS))
        refuse(
            "CloudWatch Logs keeps logs only for certain numbers of days", f"write {following}; accepted: {accepted}"
        )
    return value


def _kms_key(value: str) -> str:
    arn = _ARN.fullmatch(value)
    if arn is not None and arn["service"] == "kms" and arn["resource"].startswith("alias/"):
        refuse(
            "is an alias; an alias that is moved to another key would replace the cluster",
            f"write the key's ARN: aws kms describe-key --key-id {arn['resource']} --query KeyMetadata.Arn",
        )
    if arn is None or arn["service"] != "kms" or not re.fullmatch(r"key/(mrk-)?[0-9a-f-]{32,36}", arn["resource"]):
        example = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        refuse("is not the ARN of a KMS key", f'write an ARN such as "{example}", or "" for a key of its own')
    return value


def _backup_key_fault(value: str) -> tuple[str, str] | None:
    return next(((found.reason, found.remedy) for found in key_problems("", value, "")), None)


def _base_domain(value: str) -> str:
    example = '"dash.example.com"'
    if "://" in value:
        refuse("is a URL; the scheme is not part of the domain", f"write {_host_of(value, example)}")
    if value.startswith("*."):
        refuse("is a wildcard; the base domain is one name", f"write {_host_of(value, example)}")
    if value.endswith(("/", ".")) or "/" in value or ":" in value:
        refuse("has something behind the name (a slash, a port or a dot)", f"write {_host_of(value, example)}")
    if fault := letters_fault(value):
        refuse(*fault)
    if value != value.lower():
        refuse("has capital letters, which the vendor's scripts would copy", f'write "{value.lower()}"')
    labels = value.split(".")
    if re.fullmatch(r"[\d.]+", value):
        refuse("is an address, and browsers' certificates need a name", f"write a DNS name such as {example}")
    if len(labels) < 2 or labels[-1].isdigit() or not all(_DNS_LABEL.fullmatch(label) for label in labels):
        refuse(
            "is not a DNS name: labels of letters, digits and inner hyphens, joined by dots",
            f"write a DNS name such as {example}",
        )
    # The six hyphenated names put their prefix into the first label.
    if len(LONGEST_DNS_PREFIX + labels[0]) > 63 or max(map(len, labels)) > 63:
        refuse(
            f'a label has at most 63 characters, "{LONGEST_DNS_PREFIX}" before the first one included',
            f"shorten the first label to {63 - len(LONGEST_DNS_PREFIX)} characters and the others to 63",
        )
    if len(LONGEST_DNS_PREFIX + value) > 253:
        refuse(f'a DNS name has at most 253 characters, "{LONGEST_DNS_PREFIX}" included', "choose a shorter domain")
    return value


def _host_of(value: str, example: str) -> str:
    host = re.sub(r"^[a-z]+://", "", value.lower()).split("/")[0].split(":")[0].removeprefix("*.").rstrip(".")
    host = host if host.isascii() else ascii_form(host)
    return f'"{host}"' if re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", host) else example


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := repeated(values):
        refuse(f"names {', '.join(twice)} more than once", "name each one once")
    return values


_KEY_EXAMPLE = "arn:{partition}:kms:{region}:{account}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
Region = Annotated[str, _or_empty(_region), Example("{region}")]
Zone = Annotated[str, AfterValidator(_zone), Example("{zone}")]
Account = Annotated[str, _or_empty(_account), Example("{account}")]
Environment = Annotated[
    str,
    _or_empty(
        _matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
            "becomes a tag and part of names: at most 63 letters, digits, dots, hyphens and underscores",
            'write a short name such as "dev"',
        )
    ),
    Example("placeholder"),
]
ClusterName = Annotated[
    str,
    _or_empty(
        _matching(
            r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
            "takes 1 to 100 letters, digits, hyphens and underscores, the first a letter or digit; EKS knows no others",
            'write a name such as "dash-dev"',
        )
    ),
    Example("placeholder"),
]
NamePrefix = Annotated[
    str,
    _or_empty(
        _matching(
            r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}",
            "takes at most 100 letters, digits, hyphens and underscores, the first a letter or digit",
            'write a prefix such as "dash-dev"',
        )
    ),
    Example("placeholder"),
]
TagText = Annotated[str, AfterValidator(_tag_text), Example("placeholder")]
PublicCidr = Annotated[str, _without(public_cidr_fault), Example("203.0.113.{number}/32")]
PrivateCidr = Annotated[str, _without(private_cidr_fault), Example("10.0.{number}.0/24")]
Endpoints = Annotated[tuple[str, ...], AfterValidator(_unique), BeforeValidator(_endpoints)]
Retention = Annotated[int, AfterValidator(_retention)]
RetentionOrOff = Annotated[int, AfterValidator(lambda days: _retention(days) if days else days)]
Principal = Annotated[
    str, _without(principal_fault), Example("arn:{partition}:iam::{account}:role/placeholder-{number}")
]
KmsKey = Annotated[str, _or_empty(_kms_key), Example(_KEY_EXAMPLE)]
PermissionsBoundary = Annotated[
    str, _without(boundary_fault), Example("arn:{partition}:iam::{account}:policy/placeholder")
]
BackupKey = Annotated[str, _without(_backup_key_fault), Example(_KEY_EXAMPLE)]
LabelKey = Annotated[str, _without(label_key_fault), Example("placeholder")]
TaintKey = Annotated[str, _without(taint_key_fault), Example("placeholder-{number}")]
LabelValue = Annotated[str, _without(label_value_fault), Example("placeholder")]
TaintValue = Annotated[str, _without(lambda value: label_value_fault(value) if value else None), Example("placeholder")]
BaseDomain = Annotated[str, _or_empty(_base_domain), Example("placeholder.example.com")]
