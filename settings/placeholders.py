"""Placeholders for secret settings where nobody can decrypt them: texts that the settings accept.

A placeholder follows from what the models declare: a default, the example of a type, the first of several words.
`_EXAMPLES` has those of settings that are plain text with a form of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from ipaddress import IPv4Network
from typing import Annotated, Any, Literal, NamedTuple, cast, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic_core import to_json

from eks_analytics.partitions import partition

from .models import NetworkSettings, Settings
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
    "availability_zones": '["{region}a", "{region}b"]',
    "cluster": '{{"admin_principal_arns": ["arn:{partition}:iam::{account}:role/placeholder"], '
    '"public_endpoint_cidrs": ["203.0.113.0/32"]}}',
    "cluster.addon_versions{}": "v1.0.0-eksbuild.1",
    "cluster.admin_principal_arns": '["arn:{partition}:iam::{account}:role/placeholder"]',
    "cluster.control_plane_zones": '["{zone}", "{next_zone}"]',
    "cluster.public_endpoint_cidrs": '["203.0.113.0/32"]',
    "dash_enterprise": '{{"base_domain": "placeholder.example.com", "license_file": "placeholder", '
    '"tls_certificate_file": "placeholder", "tls_private_key_file": "placeholder", '
    '"installation_plan": "placeholder"}}',
    "dash_enterprise.bootstrap.ssh.allowed_cidrs[]": "203.0.113.{number}/32",
    "dash_enterprise.bootstrap.ssh.public_key": _PUBLIC_KEY,
    "dash_enterprise.bootstrap.tools[].name": "helm",
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
    "e6data.workspaces[].instance_families[]": "m5d",
    "e6data.workspaces[].name": "placeholder{number}",
    "network.existing_private_subnets{}": "subnet-{digest}",
    "network.existing_public_subnets{}": "subnet-{digest}",
    "network.existing_vpc_id": "vpc-{digest}",
    "network.interface_endpoints": "private-cluster",
    "network.private_subnet_cidrs[]": "{private_subnet}",
    "network.public_subnet_cidrs[]": "{public_subnet}",
    "node_groups": '[{{"name": "placeholder", "instance_types": ["m6i.2xlarge"]}}]',
    "node_groups[].instance_types": '["m6i.2xlarge"]',
    "node_groups[].instance_types[]": "m6i.2xlarge",
    "node_groups[].name": "placeholder-{number}",
    "velero.bucket.replication.kms_key_arn": "arn:{partition}:kms:{replica}:{account}:key/{uuid}",
    "velero.bucket.replication.region": "{replica}",
    "velero.image_registry": "registry.example.com/velero",
    "velero.watch.alarm_actions[]": _TOPIC,
    "velero.watch.existing_topic_arn": _TOPIC,
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
    example = _EXAMPLES.get(declared.key) or _example(declared)
    if declared.key == "velero.watch.subscriptions[].endpoint":
        example = _ENDPOINTS.get(str(known(*path[:-1], "protocol")), _ENDPOINTS["email"])
    number = next((part for part in reversed(path) if isinstance(part, int)), 0)
    account, cidr, domain = known("account_id"), known("network", "cidr"), known("dash_enterprise", "base_domain")
    zones = _zones(path, known, region)
    return example.format(
        number=number,
        account=account if isinstance(account, str) and account else _ACCOUNT,
        partition=partition(region),
        product="e6data" if known("e6data") else "dash-enterprise",
        domain=domain if isinstance(domain, str) and domain else "example.com",
        region=region,
        replica=_replica(known, region),
        zone=zones[min(number, len(zones) - 2)],
        next_zone=zones[min(number, len(zones) - 2) + 1],
        private_subnet=_subnet(cidr, number),
        public_subnet=_subnet(cidr, number + 8),
        digest=sha256(repr(path).encode()).hexdigest()[:17],
        uuid="1234abcd-12ab-34cd-56ef-1234567890ab",
    )


def _zones(path: Location, known: Known, region: str) -> list[str]:
    given = known("availability_zones") if path[0] != "availability_zones" else None
    zones = [zone for zone in cast("list[Any]", given) if isinstance(zone, str)] if isinstance(given, list) else []
    return [*zones, *(f"{region}{letter}" for letter in "abcdef")]


def _replica(known: Known, region: str) -> str:
    named = known("velero", "bucket", "replication", "region")
    others = _REGIONS.get(partition(region), ("us-east-1", "us-west-2"))
    return named if isinstance(named, str) and named else next(other for other in others if other != region)


def _subnet(cidr: object, number: int) -> str:
    """A part of the VPC, counted from its end."""
    try:
        network = IPv4Network(cidr if isinstance(cidr, str) else NetworkSettings().cidr)
        return str(list(network.subnets(new_prefix=min(network.prefixlen + 4, 28)))[-1 - number])
    except (ValueError, IndexError):
        return PLACEHOLDER  # what is wrong is said of the VPC, or of the number of its subnets


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
        return PLACEHOLDER
    empty: object = [] if get_origin(annotation) is tuple else {}
    if default is None or isinstance(default, BaseModel):
        default = empty
    return _literal(to_json(default).decode())


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
