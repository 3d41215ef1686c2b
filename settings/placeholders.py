"""Placeholders for secret settings where nobody can decrypt them: texts that the settings accept.

A placeholder follows from what the models declare: a default, the example of a type, the first of several words.
`_EXAMPLES` has those of settings that are plain text with a form of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, NamedTuple, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic_core import to_json

from eks_analytics.instance_types import Traits, traits
from eks_analytics.node_group_options import AMI_TYPES, DEFAULT_AMI_TYPE
from eks_analytics.partitions import partition
from eks_analytics.subnets import LARGEST_PREFIX, MAXIMUM_ZONES, MINIMUM_ZONES, SMALLEST_PREFIX

from .models import ClusterSettings, NetworkSettings, Settings
from .problems import Location
from .values import Example

PLACEHOLDER = "placeholder-of-the-embedded-cloud"
_ACCOUNT = "123456789012"
Known = Callable[..., Any]
"""Looks up another setting by its path; None where it is not set."""
_REGIONS = {"aws-cn": ("cn-north-1", "cn-northwest-1"), "aws-us-gov": ("us-gov-west-1", "us-gov-east-1")}
_ENDPOINTS = {
    "email": "placeholder-{number}@example.com",
    "https": "https://example.com/placeholder-{number}",
    "sqs": "arn:{partition}:sqs:{region}:{account}:placeholder-{number}",
    "lambda": "arn:{partition}:lambda:{region}:{account}:function:placeholder-{number}",
    "sms": "+1555010000{number}",
}
_WATCHED = '{{"protocol": "email", "endpoint": "placeholder@example.com"}}'
_PROTOCOLS = {
    "https": re.compile("https?://"),
    "sqs": re.compile(r"arn:[^:]*:sqs:"),
    "lambda": re.compile(r"arn:[^:]*:lambda:"),
    "sms": re.compile(r"\+\d"),
}
_MACHINES = {
    Traits("x86_64", ""): "m6i m5 m6a m5a m7i m7a r6i r5 c6i c5",
    Traits("arm64", ""): "m7g m6g r7g r6g c7g c6g m8g r8g c8g m6gd",
    Traits("x86_64", "nvidia"): "g5 g4dn g6",
    Traits("arm64", "nvidia"): "g5g",
    Traits("x86_64", "neuron"): "trn1 inf1",
}
_SIZES = ("2xlarge", "4xlarge", "8xlarge")
_MOST_ZONES_EACH = 8
_UNTIL = timedelta(days=30)
"""A waiver lasts 90 days at most in production."""
_TOPIC = "arn:{partition}:sns:{region}:{account}:placeholder-{number}"
_PUBLIC_KEY = (  # nobody has the private one
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC0awutE9QRcsVkUJsNwk9QaHKaYXYfd8t15rlr+XfvzwfrdskUs8AWlq8Q8rHKVn7LMbFKDGpSj"
    "a1gCjXCZtzZHTnpsaOv0nGlp88B0WY5wIkYn+tbTyBCAzVXXJAApgDwLVFcJWx6xt1dzfkq144npJUl7lDaUGrxBHpdvDut5YnBKJOj8sbbcvsfW4"
    "ytjM1ztKIOCWiQcvZ8yTdMgJXtQ0mERIo9h2kNdDkWRjY6rOiyZBoXI2jcN0QWuLJSncNkIGyW8k0lS+N9vkJ094rUgpSMGsLfAIZ+daFEdfyjQh5"
    "33jfdOdXzzYGN/iP/Ron+Nd3ksgE9scuMUtIDftBd placeholder"
)
# The keys of the user are the example of AWS' own documentation.
_EXAMPLES = {
    "product": "{product}",
    "availability_zones": "{zones}",
    "cluster": '{{"admin_principal_arns": ["arn:{partition}:iam::{account}:role/placeholder"], '
    '"public_endpoint_cidrs": ["203.0.113.0/32"]}}',
    "cluster.addon_versions{}": "v1.0.0-eksbuild.1",
    "cluster.admin_principal_arns": '["arn:{partition}:iam::{account}:role/placeholder"]',
    "cluster.control_plane_zones": '["{zone}", "{next_zone}"]',
    "cluster.public_endpoint_cidrs": '["203.0.113.0/32"]',
    "dash_enterprise": '{{"base_domain": "placeholder.example.com", "license_file": "placeholder", '
    '"tls_certificate_file": "placeholder", "tls_private_key_file": "placeholder", '
    '"installation_plan": "placeholder"}}',
    "dash_enterprise.base_domain": "{domain}",
    "dash_enterprise.bootstrap.ssh.allowed_cidrs[]": "203.0.113.{number}/32",
    "dash_enterprise.bootstrap.ssh.public_key": _PUBLIC_KEY,
    "dash_enterprise.bootstrap.tools[].sha256": "0" * 64,
    "dash_enterprise.bootstrap.tools[].version": "3.0.0",
    "dash_enterprise.dns.hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "dash_enterprise.dns.hosted_zone_name": "{domain}",
    "dash_enterprise.dns.load_balancer_hostname": "{digest}-{digest}.elb.{region}.amazonaws.com",
    "dash_enterprise.dns.prefixed_hosted_zone_id": "Z1123456789ABCDEFGHIJ",
    "e6data": '{{"workspaces": [{{"name": "placeholder", "instance_families": ["m5d"]}}]}}',
    "e6data.existing_cluster.oidc_provider_arn": "arn:{partition}:iam::{account}:oidc-provider/"
    "oidc.eks.{region}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF",
    "e6data.workspaces[].instance_families": '["m5d"]',
    "e6data.workspaces[].name": "placeholder{number}",
    "network.cidr": "{vpc}",
    "network.existing_private_subnets{}": "subnet-{digest}",
    "network.existing_public_subnets{}": "subnet-{digest}",
    "network.existing_vpc_id": "vpc-{digest}",
    "network.interface_endpoints": "private-cluster",
    "network.private_subnet_cidrs[]": "{private_subnet}",
    "network.public_subnet_cidrs[]": "{public_subnet}",
    "node_groups": '[{{"name": "placeholder", "instance_types": ["m6i.2xlarge"]}}]',
    "node_groups[].name": "placeholder-{number}",
    "policies.levels{}": "mandatory",
    "policies.waivers[].expires": "{until}",
    "policies.waivers[].resource": "stack",
    "policies.waivers[].rule": "limit-world-ingress",
    "velero.bucket.replication.kms_key_arn": "arn:{partition}:kms:{replica}:{account}:key/{uuid}",
    "velero.bucket.replication.region": "{replica}",
    "velero.image_registry": "registry.example.com/velero",
    "velero.watch": f'{{{{"subscriptions": [{_WATCHED}]}}}}',
    "velero.watch.alarm_actions[]": _TOPIC,
    "velero.watch.existing_topic_arn": _TOPIC,
    "velero.watch.subscriptions": f"[{_WATCHED}]",
    "velero_credentials": "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
}


class _Declared(NamedTuple):
    """What the models say of a setting."""

    key: str
    """The way to it, an item of a list as `[]`, of a map as `{}`."""
    annotation: Any
    metadata: tuple[Any, ...]
    default: Any


def placeholder(path: Location, known: Known, region: str) -> str:
    """A text for the setting at a path; any text where there is none, which the program says itself."""
    declared = _declared(path)
    if declared is None:
        return PLACEHOLDER
    if (fitting := _fitting(declared, path, known)) is not None:
        return fitting
    example = _EXAMPLES.get(declared.key) or _example(declared)
    if declared.key == "velero.watch.subscriptions[].endpoint":
        example = _ENDPOINTS.get(str(known(*path[:-1], "protocol")), _ENDPOINTS["email"])
    number = next((part for part in reversed(path) if isinstance(part, int)), 0)
    zone, next_zone = _zone_pair(path, known, region)
    return example.format(
        number=number,
        account=_account(known),
        partition=partition(region),
        product="e6data" if known("e6data") else "dash-enterprise",
        domain=_domain(known),
        region=region,
        replica=_replica(known, region),
        zone=zone,
        next_zone=next_zone,
        zones=to_json(_all_zones(known, region)).decode(),
        vpc=_vpc(known),
        private_subnet=_subnet(known, number),
        public_subnet=_subnet(known, number + _MOST_ZONES_EACH),
        digest=sha256(repr(path).encode()).hexdigest()[:17],
        uuid="1234abcd-12ab-34cd-56ef-1234567890ab",
        until=(datetime.now(UTC).date() + _UNTIL).isoformat(),
    )


def _fitting(declared: _Declared, path: Location, known: Known) -> str | None:
    """What suits the settings around it, of a setting that is judged together with them."""
    match declared.key:
        case "node_groups[].ami_type":
            return _ami_type(known, path[:-1])
        case "node_groups[].instance_types":
            return to_json([_machines(known, path[:-1])[0]]).decode()
        case "node_groups[].instance_types[]":
            return _free(_machines(known, path[:-2]), path, known)
        case "e6data.workspaces[].instance_families[]":
            return _free(("m5d", "c5d", "r5d", "m6id", "c6id", "r6id"), path, known)
        case "dash_enterprise.bootstrap.tools[].name":
            tools = ("helm", "kubectl", "eksctl", "istioctl", "kots", "cert-manager", "aws-cli")
            return _free(tools, path[:-1], known, "name")
        case "velero.watch.subscriptions" if known("velero", "watch", "existing_topic_arn"):
            return "[]"
        case "velero.watch.subscriptions[].protocol":
            endpoint = str(known(*path[:-1], "endpoint"))
            return next((name for name, form in _PROTOCOLS.items() if form.match(endpoint)), "email")
        case key if key.endswith("[]") and get_origin(declared.annotation) is Literal:
            return _free(get_args(declared.annotation), path, known)
        case _:
            return None


def _free(examples: Iterable[str], path: Location, known: Known, *name: str) -> str:
    """An example for an item of a list that none of the others is; `name`: of the item's setting, where it is a block.

    Secrets take those that are not there in clear text one by one.
    """
    at, number = path[:-1], cast("int", path[-1])
    given = known(*at)
    others = [known(*at, index, *name) for index in range(len(cast("list[Any]", given)))] if _is_list(given) else []
    examples = tuple(examples)
    free = [example for example in examples if example not in others] or examples
    return free[sum(not isinstance(other, str) for other in others[:number]) % len(free)]


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _texts(value: object) -> list[str]:
    """Those of a list that are there in clear text; its keys where it is a map."""
    if not isinstance(value, list | dict):
        return []
    return [one for one in cast("Iterable[Any]", value) if isinstance(one, str) and one]


def _ami_type(known: Known, group: Location) -> str:
    given = known(*group, "ami_type")
    if isinstance(given, str) and given:
        return given
    if given is None:
        return DEFAULT_AMI_TYPE
    machines = [traits(name) for name in _texts(known(*group, "instance_types"))]
    fitting = (name for name, made_for in AMI_TYPES.items() if made_for in machines)
    return next(fitting, DEFAULT_AMI_TYPE)


def _machines(known: Known, group: Location) -> list[str]:
    """Instance types that run the images of a node group."""
    families = _MACHINES.get(AMI_TYPES.get(_ami_type(known, group), AMI_TYPES[DEFAULT_AMI_TYPE]), "m6i").split()
    return [f"{family}.{size}" for size in _SIZES for family in families]


def _account(known: Known) -> str:
    """The stack's account, or that of a role or policy which must lie in it."""
    given = known("account_id")
    if isinstance(given, str) and given:
        return given
    inside = (known("permissions_boundary_arn"), known("cluster", "ebs_csi_role"))
    found = (re.match(r"arn:[^:]*:iam::([0-9]{12}):", arn) for arn in inside if isinstance(arn, str))
    return next((arn[1] for arn in found if arn), _ACCOUNT)


def _domain(known: Known) -> str:
    """The base domain, or one in the hosted zone: its own name where the prefixed ones have a zone of their own."""
    given, zone = known("dash_enterprise", "base_domain"), known("dash_enterprise", "dns", "hosted_zone_name")
    if isinstance(given, str) and given:
        return given
    if not isinstance(zone, str) or not zone.strip("."):
        return "placeholder.example.com"
    zone = zone.rstrip(".")
    return zone if known("dash_enterprise", "dns", "prefixed_hosted_zone_id") else f"placeholder.{zone}"


def region_of(zones: object, otherwise: str) -> str:
    """The region of a list of zones."""
    found = (re.fullmatch(r"([a-z]+(?:-[a-z]+)+-[0-9]+)[a-z]", zone) for zone in _texts(zones))
    return next((zone[1] for zone in found if zone), otherwise)


def _all_zones(known: Known, region: str) -> list[str]:
    """The zones of the stack, those that are secret among them."""
    given = known("availability_zones")
    listed = list(cast("list[Any]", given)) if _is_list(given) else []
    named = _texts(known("cluster", "control_plane_zones")) + _texts(known("network", "existing_private_subnets"))
    everywhere = [*named, *(f"{region}{letter}" for letter in "abcdef")]
    free = iter(dict.fromkeys(zone for zone in everywhere if zone not in listed))
    if listed:
        return [zone if isinstance(zone, str) else next(free, f"{region}a") for zone in listed]
    ranges = (known("network", f"{kind}_subnet_cidrs") for kind in ("private", "public"))
    count = max(
        MINIMUM_ZONES, len(set(named)), *(len(cast("list[Any]", one)) if _is_list(one) else 0 for one in ranges)
    )
    return [zone for zone, _ in zip(free, range(count), strict=False)]


def _zone_pair(path: Location, known: Known, region: str) -> tuple[str, str]:
    """The zone for a setting, and another one."""
    zones = [*_all_zones(known, region), f"{region}a"]
    if path[0] == "availability_zones" and len(path) > 1:
        return zones[min(cast("int", path[1]), len(zones) - 1)], zones[0]
    first = _free(zones[:-1], path, known) if len(path) > 1 and isinstance(path[-1], int) else zones[0]
    return first, next((zone for zone in zones if zone != first), first)


def _replica(known: Known, region: str) -> str:
    named, key = (known("velero", "bucket", "replication", name) for name in ("region", "kms_key_arn"))
    if isinstance(named, str) and named:
        return named
    if isinstance(key, str) and (arn := re.match(r"arn:[^:]*:kms:([a-z0-9-]+):", key)):
        return arn[1]
    others = _REGIONS.get(partition(region), ("us-east-1", "us-west-2"))
    return next(other for other in others if other != region)


def _plain_subnets(known: Known) -> list[IPv4Network]:
    ranges = [cidr for kind in ("private", "public") for cidr in _texts(known("network", f"{kind}_subnet_cidrs"))]
    try:
        return [IPv4Network(cidr) for cidr in ranges]
    except ValueError:
        return []  # what is wrong is said of the subnets


def _vpc(known: Known) -> str:
    """The range of the VPC, around its subnets where it is secret and they are not."""
    given, subnets = known("network", "cidr"), _plain_subnets(known)
    if isinstance(given, str) or not subnets:
        return given if isinstance(given, str) else NetworkSettings().cidr
    services = known("cluster", "service_cidr")
    try:
        taken = IPv4Network(services if isinstance(services, str) else ClusterSettings().service_cidr)
    except ValueError:
        taken = None
    around = [subnets[0].supernet(new_prefix=prefix) for prefix in range(LARGEST_PREFIX, subnets[0].prefixlen + 1)]
    fitting = [vpc for vpc in around if all(subnet.subnet_of(vpc) for subnet in subnets)]
    free = [vpc for vpc in fitting if not (taken and vpc.overlaps(taken))]
    return str(next(iter(free or fitting), NetworkSettings().cidr))


def _subnet(known: Known, number: int) -> str:
    """A part of the VPC, counted from its end, beside the subnets that are known."""
    try:
        network, taken = IPv4Network(_vpc(known)), _plain_subnets(known)
        for prefix in range(min(network.prefixlen + 4, SMALLEST_PREFIX), SMALLEST_PREFIX + 1):
            parts = network.subnets(new_prefix=prefix)
            free = [part for part in parts if not any(part.overlaps(subnet) for subnet in taken)]
            if len(free) >= _MOST_ZONES_EACH + MAXIMUM_ZONES or prefix == SMALLEST_PREFIX:
                return str(free[-1 - number])
    except (ValueError, IndexError):
        pass  # what is wrong is said of the VPC, or of the number of its subnets
    return PLACEHOLDER


def _declared(path: Location) -> _Declared | None:
    found = _Declared("", Settings, (), None)
    for part in path:
        origin, arguments = get_origin(found.annotation), get_args(found.annotation)
        if isinstance(part, str) and isinstance(found.annotation, type) and issubclass(found.annotation, BaseModel):
            field = found.annotation.model_fields.get(part)
            if field is None:
                return None
            key = f"{found.key}.{part}".removeprefix(".")
            found = _Declared(key, field.annotation, tuple(field.metadata), field.default)
        elif origin is tuple and isinstance(part, int):
            items = cast("tuple[Any, ...]", found.default) if isinstance(found.default, tuple) else ()
            found = _Declared(f"{found.key}[]", arguments[0], (), items[part] if part < len(items) else None)
        elif origin is dict:
            found = _Declared(f"{found.key}{{}}", arguments[1], (), None)
        else:
            return None
        if get_origin(found.annotation) is Annotated:
            found = found._replace(annotation=get_args(found.annotation)[0], metadata=found.annotation.__metadata__)
    return found


def _example(declared: _Declared) -> str:
    """JSON for what is no text: Pulumi keeps every secret as text."""
    annotation, default = declared.annotation, declared.default
    if isinstance(default, str) and default:
        return _literal(default)
    if examples := [one.value for one in declared.metadata if isinstance(one, Example)]:
        return examples[0]
    if get_origin(annotation) is Literal:
        return str(get_args(annotation)[0])
    if annotation in (str, SecretStr, Any):
        return f"{PLACEHOLDER}-{{number}}" if "[]" in declared.key else PLACEHOLDER
    empty: object = [] if get_origin(annotation) is tuple else {}
    if default is None or isinstance(default, BaseModel):
        default = empty
    return _literal(to_json(default).decode())


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
