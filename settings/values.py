"""What one value must look like, whatever the other settings say: the types of the settings' fields."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Annotated, Any, NoReturn, cast

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from eks_analytics.cluster_checks import LOG_RETENTION_DAYS
from eks_analytics.endpoints import PRIVATE_CLUSTER

# Pulumi names an IAM role after its resource and adds a hyphen and seven characters.
LONGEST_CLUSTER_NAME = 64 - len("-aws-ebs-csi-driver") - len("-1234567")
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}):(?P<resource>.+)"
)
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_DNS_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_TAG_PUNCTUATION = " _.:/=+-@"
_MOST_PUBLIC_ADDRESSES = 8
# The longest name in front of the base domain; Dash Enterprise joins them with a hyphen, so both share one label.
LONGEST_DNS_PREFIX = "registry-"


def refuse(reason: str, remedy: str) -> NoReturn:
    """Refuse a value with a reason and a remedy."""
    raise PydanticCustomError("refused", "{reason}", {"reason": reason, "remedy": remedy})


def _matching(pattern: str, reason: str, remedy: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        return value if compiled.fullmatch(value) else refuse(reason, remedy)

    return check


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


def network_of(value: str, example: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """the network that a CIDR stands for; refuses what is none, and says the right one where host bits are set."""
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        refuse("is not a CIDR", f'write address and prefix, such as "{example}"')
    if "/" not in value:
        refuse("is an address without a prefix", f'write "{value}/{network.max_prefixlen}" or a wider network')
    if str(network) != value:
        refuse("has bits set behind the prefix, so it names an address inside a network", f'write "{network}"')
    return network


def _ipv4(value: str, example: str) -> ipaddress.IPv4Network:
    network = network_of(value, example)
    if isinstance(network, ipaddress.IPv6Network):
        refuse("is an IPv6 network", f'write an IPv4 network such as "{example}"; network.ipv6 adds IPv6')
    return network


def _service_cidr(value: str) -> str:
    network = _ipv4(value, "172.20.0.0/16")
    private = [ipaddress.IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
    if not any(network.subnet_of(block) for block in private):
        refuse(
            "EKS takes service addresses only from 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            'write a network inside one of them, such as "172.20.0.0/16"',
        )
    if not 12 <= network.prefixlen <= 24:
        refuse("EKS wants a prefix from /12 to /24 for services", f'write "{network.network_address}/16", for example')
    return value


def _public_cidr(value: str) -> str:
    network = network_of(value, "203.0.113.0/24")
    if network.prefixlen < _MOST_PUBLIC_ADDRESSES:
        refuse(
            "opens the Kubernetes API server to the whole internet or a great part of it",
            "name the networks that need it, such as your office's or VPN's \"203.0.113.0/24\"; "
            "or leave the list empty and set cluster.engine_runs_inside_vpc: true",
        )
    # Documentation networks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24) count as private in ipaddress, yet EKS
    # takes them and examples need them, so only what people really use by mistake is refused here.
    private = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    if any(
        network.version == block.version and network.overlaps(block) for block in map(ipaddress.ip_network, private)
    ):
        refuse(
            "EKS refuses private networks here: the public endpoint never sees such an address",
            "write the public address behind which that network reaches the internet, or remove it",
        )
    return value


def _endpoints(value: Any) -> Any:
    if isinstance(value, str):
        if value != PRIVATE_CLUSTER:
            refuse(f"must be a list of services, or the one word {PRIVATE_CLUSTER}", f'write ["{value}"]')
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


def _principal(value: str) -> str:
    example = '"arn:aws:iam::123456789012:role/deployer"'
    if session := re.fullmatch(r"arn:(aws[a-z-]*):sts::(\d{12}):assumed-role/([^/]+)/.+", value):
        role = f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}"
        refuse(
            "names one session of a role; EKS grants access to the role itself",
            f'write "{role}" (with its path, where the role has one: aws iam get-role --role-name {session[3]})',
        )
    arn = _ARN.fullmatch(value)
    if arn is None or arn["service"] != "iam" or arn["region"]:
        refuse("is not the ARN of an IAM role or user", f"write an ARN such as {example}")
    kind, _, name = arn["resource"].partition("/")
    if arn["resource"] == "root":
        refuse("EKS gives no access entry to an account's root user", f"write a role or user, such as {example}")
    if name.startswith("aws-service-role/"):
        refuse("EKS gives no access entry to a service-linked role", f"write a role of your own, such as {example}")
    if kind not in ("role", "user") or not re.fullmatch(r"[\w+=,.@/-]+", name, re.ASCII) or name.endswith("/"):
        refuse("EKS gives access entries to IAM roles and users only", f"write a role or user, such as {example}")
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


def _csi_role(value: str) -> str:
    if value in ("per-cluster", "vendor-name"):
        return value
    arn = _ARN.fullmatch(value)
    if arn is None or arn["service"] != "iam" or not arn["resource"].startswith("role/"):
        refuse(
            "is neither per-cluster, nor vendor-name, nor the ARN of an IAM role",
            'write "per-cluster", "vendor-name" (exactly AmazonEKS_EBS_CSI_DriverRole) or the ARN of an existing role',
        )
    return value


def _instance_type(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9-]*\.[a-z0-9-]+", value):
        refuse("is not the name of an EC2 instance type", 'write family and size, such as "m6i.2xlarge"')
    if value.startswith("mac"):
        refuse("EKS runs no nodes on Mac instances", 'write a Linux instance type, such as "m6i.2xlarge"')
    return value


def _label_key(value: str) -> str:
    prefix, slash, name = value.rpartition("/")
    if prefix == "eks.amazonaws.com":
        refuse(f"the prefix {prefix}/ belongs to EKS", f'write "{name}" or a prefix of your own')
    allowed = ("node.kubernetes.io", "kubelet.kubernetes.io")
    owned = re.fullmatch(r"(.+\.)?(kubernetes|k8s)\.io", prefix)
    if owned and not any(prefix == free or prefix.endswith(f".{free}") for free in allowed):
        refuse(
            f"a kubelet may not give itself {prefix}/ labels, so such nodes would never join the cluster",
            f'write "{name}", "node.kubernetes.io/{name}" or a prefix of your own',
        )
    dns_prefix = all(_DNS_LABEL.fullmatch(label) and len(label) <= 63 for label in prefix.split("."))
    if not _LABEL_NAME.fullmatch(name) or (slash and not dns_prefix):
        refuse(
            "is not a Kubernetes key: an optional DNS name and a slash, then letters, digits, - _ and . "
            "that begin and end with a letter or digit",
            'write a key such as "workload" or "example.com/workload"',
        )
    if len(value) > 63:
        refuse(f"EKS takes keys of at most 63 characters; this one has {len(value)}", "shorten the key")
    return value


def _label_value(value: str) -> str:
    if value and not _LABEL_NAME.fullmatch(value):
        refuse(
            "is not a Kubernetes label's value: at most 63 letters, digits, - _ and . that begin and end with a "
            "letter or digit",
            'write a value such as "batch" or "v1.2"',
        )
    return value


def _base_domain(value: str) -> str:
    example = '"dash.example.com"'
    if "://" in value:
        refuse("is a URL; the scheme is not part of the domain", f"write {_host_of(value, example)}")
    if value.startswith("*."):
        refuse("is a wildcard; the base domain is one name", f'write "{value[2:]}"')
    if value.endswith(("/", ".")) or "/" in value or ":" in value:
        refuse("has something behind the name (a slash, a port or a dot)", f"write {_host_of(value, example)}")
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
    return f'"{host}"' if re.fullmatch(r"[a-z0-9.-]+\.[a-z0-9-]+", host) else example


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if twice := sorted({value for value in values if values.count(value) > 1}):
        refuse(f"names {', '.join(twice)} more than once", "name each one once")
    return values


Region = Annotated[str, _or_empty(_region)]
Zone = Annotated[str, AfterValidator(_zone)]
Account = Annotated[str, _or_empty(_account)]
Environment = Annotated[
    str,
    _or_empty(
        _matching(
            r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
            "becomes a tag and part of names: at most 63 letters, digits, dots, hyphens and underscores",
            'write a short name such as "dev"',
        )
    ),
]
ClusterName = Annotated[
    str,
    _or_empty(
        _matching(
            rf"[0-9A-Za-z][A-Za-z0-9_-]{{0,{LONGEST_CLUSTER_NAME - 1}}}",
            f"takes 1 to {LONGEST_CLUSTER_NAME} letters, digits, hyphens and underscores, the first a letter or digit "
            "(EKS knows no others, and names of IAM roles, of at most 64 characters, begin with it)",
            'write a name such as "dash-dev"',
        )
    ),
]
GroupName = Annotated[
    str,
    _or_empty(
        _matching(
            r"[a-z0-9][a-z0-9-]*",
            "names of nodes follow from it: lower-case letters, digits and hyphens, the first a letter or digit",
            'write a name such as "core"',
        )
    ),
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
]
TagText = Annotated[str, AfterValidator(_tag_text)]
ServiceCidr = Annotated[str, AfterValidator(_service_cidr)]
PublicCidr = Annotated[str, AfterValidator(_public_cidr)]
VpcId = Annotated[
    str,
    _or_empty(
        _matching(
            r"vpc-([0-9a-f]{8}|[0-9a-f]{17})", "is not the id of a VPC", 'write an id such as "vpc-0a1b2c3d4e5f67890"'
        )
    ),
]
SubnetId = Annotated[
    str,
    AfterValidator(
        _matching(
            r"subnet-([0-9a-f]{8}|[0-9a-f]{17})",
            "is not the id of a subnet",
            'write an id such as "subnet-0a1b2c3d4e5f67890"',
        )
    ),
]
Endpoints = Annotated[tuple[str, ...], AfterValidator(_unique), BeforeValidator(_endpoints)]
Retention = Annotated[int, AfterValidator(_retention)]
RetentionOrOff = Annotated[int, AfterValidator(lambda days: _retention(days) if days else days)]
Principal = Annotated[str, AfterValidator(_principal)]
KmsKey = Annotated[str, _or_empty(_kms_key)]
CsiRole = Annotated[str, AfterValidator(_csi_role)]
AddonVersion = Annotated[
    str,
    AfterValidator(
        _matching(
            r"v\d+\.\d+\.\d+-eksbuild\.\d+",
            "is not the version of an EKS add-on",
            'write a version such as "v1.22.4-eksbuild.3"; aws eks describe-addon-versions lists them',
        )
    ),
]
InstanceType = Annotated[str, AfterValidator(_instance_type)]
LabelKey = Annotated[str, AfterValidator(_label_key)]
LabelValue = Annotated[str, AfterValidator(_label_value)]
BaseDomain = Annotated[str, _or_empty(_base_domain)]

Unique = AfterValidator(_unique)
