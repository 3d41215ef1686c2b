"""What must be true between settings, beyond the look of each value: what AWS, EKS or the vendor would refuse late.

A rule yields problems. It may trust a setting only after `sound` said that nothing was wrong with it so far; the rules
run in order, the ones that others rest on first.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import IPv4Network
from pathlib import Path
from typing import cast

from eks_analytics import versions
from eks_analytics.cluster_checks import check_cluster
from eks_analytics.dash_enterprise_checks import WAY_OUT as DASH_ENTERPRISE_WAY_OUT
from eks_analytics.e6data_checks import WAY_OUT as E6DATA_WAY_OUT
from eks_analytics.network_options import NetworkOptions, check_network, service_range_problems, way_out_problems
from eks_analytics.permissions_boundary import boundary_problems
from eks_analytics.problems import Problem, repeated
from eks_analytics.subnets import MAXIMUM_ZONES, MINIMUM_ZONES
from eks_analytics.tags import check_tags

from . import dash_enterprise, e6data, velero
from .arguments import cluster_options, network_arguments
from .files import Found
from .models import Settings
from .problems import key_path, unknown_word
from .values import LONGEST_CLUSTER_NAME

PRODUCTS = ("dash-enterprise", "e6data", "airgapped")
_BUILT = ("dash-enterprise", "e6data")
_BLOCK_OF_PRODUCT = {"dash-enterprise": "dash_enterprise", "e6data": "e6data", "airgapped": "airgapped"}
_WAYS_OUT = {"dash-enterprise": DASH_ENTERPRISE_WAY_OUT, "e6data": E6DATA_WAY_OUT}
# Docker's default bridge on the nodes of EKS: addresses of a VPC inside of it cannot be reached from pods.
_DOCKER_BRIDGE = IPv4Network("172.17.0.0/16")
# The component refuses the others itself; of these it cannot tell a value that was given from a default.
_ONLY_FOR_A_NEW_VPC = ("cidr", "nat_gateways", "s3_endpoint", "name_prefix")
# The settings that a component's judgement of a setting takes into account besides it.
_RESTS_ON = {
    "network.public_subnet_cidrs": ("network.cidr", "network.private_subnet_cidrs", "availability_zones"),
    "network.private_subnet_cidrs": (
        *("network.cidr", "network.public_subnet_cidrs", "network.interface_endpoints", "availability_zones"),
    ),
    "network.nat_gateways": ("network.interface_endpoints", "network.s3_endpoint"),
    "network.interface_endpoints": ("region", "network.dns_support", "network.dns_hostnames"),
    "network.existing_private_subnets": ("network.existing_vpc_id", "availability_zones"),
    "network.existing_public_subnets": ("network.existing_vpc_id", "availability_zones"),
    "cluster.admin_principal_arns": ("region",),
    "cluster.kms_key_arn": ("region",),
    "cluster.ebs_csi_role": ("region", "account_id"),
    "cluster.control_plane_zones": ("availability_zones",),
    "cluster.public_endpoint_cidrs": ("cluster.engine_runs_inside_vpc", "cluster.ip_family"),
    "cluster.private_endpoint_cidrs": ("cluster.ip_family",),
    "node_groups.name": ("node_groups.one_group_per_zone", "node_groups.availability_zones"),
    "node_groups.instance_types": ("node_groups.ami_type", "cluster.ip_family", "cluster.vpc_cni_prefix_delegation"),
    "node_groups.max_size": ("node_groups.min_size",),
    "node_groups.desired_size": ("node_groups.min_size", "node_groups.max_size"),
    "node_groups.availability_zones": ("availability_zones",),
}
_INHERITED = re.compile(r"node_groups\[\d+\]\.availability_zones")


@dataclass
class Judgement:
    """The settings under judgement, and what is known to be wrong with them so far."""

    settings: Settings
    given: frozenset[str]
    """Keys that the stack's configuration itself holds, defaults apart: `network.cidr`, `node_groups[0].name`."""
    project_root: Path
    dry_run: bool
    provider_region: str | None
    own_tags: dict[str, str]
    at: datetime
    secret_keys: Collection[str] = ()
    broken: list[str] = field(default_factory=list[str])
    found: Found = field(default_factory=Found)
    """The files of the installation."""
    absent: list[Problem] = field(default_factory=list[Problem])
    """What a preview goes on without."""
    advice: list[str] = field(default_factory=list[str])
    """What rules found that works and is probably not meant."""

    def sound(self, *keys: str) -> bool:
        """Nothing is wrong with these settings, nor with what is in them or around them."""
        return not any(_within(key, bad) or _within(bad, key) for key in keys for bad in self.broken)

    def problems(self) -> list[Problem]:
        """What all rules together find."""
        found: list[Problem] = []
        for rule in _RULES:
            new = list(rule(self))
            found += new
            self.broken += [problem.input for problem in new]
        return found


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _rests_on(key: str) -> Iterator[str]:
    group = re.match(r"node_groups\[\d+\]", key)
    setting = re.match(r"\w+\.\w+", key.replace(group[0], "node_groups") if group else key)
    for other in _RESTS_ON.get(setting[0], ()) if setting else ():
        yield other.replace("node_groups", group[0]) if group else other


# --- One stack, one product


def _product(it: Judgement) -> Iterator[Problem]:
    product = it.settings.product
    if not it.sound("product"):
        return
    if not product:
        yield Problem("product", None, "every stack builds one product", f"write one of {', '.join(PRODUCTS)}")
    elif product not in PRODUCTS:
        yield Problem("product", product, "is no product of this project", unknown_word(product, PRODUCTS))
    elif product not in _BUILT:
        remedy = f"write one of {', '.join(_BUILT)}"
        yield Problem("product", product, "cannot be built by this version yet", remedy)


def _single_tenancy(it: Judgement) -> Iterator[Problem]:
    product = it.settings.product
    own = _BLOCK_OF_PRODUCT.get(product)
    blocks = [block for block in _BLOCK_OF_PRODUCT.values() if block in it.given]
    for block in blocks:
        if block != own and (own or len(blocks) > 1):
            yield Problem(
                block,
                it.settings.model_dump(exclude_unset=True)[block],
                f"belongs to another product than {product or 'that of this stack'}; Dash Enterprise is single-tenant "
                "(nothing else may run in its cluster), so a stack describes exactly one product",
                "move it to a stack of its own (pulumi stack init <name>)",
            )


def _required(it: Judgement) -> Iterator[Problem]:
    settings = it.settings
    if it.sound("cluster_name") and not settings.cluster_name:
        reason = "tags of network and nodes carry the cluster's name before the cluster exists"
        yield Problem(
            "cluster_name", None, reason, 'write a name that is unique in account and region, such as "dash-dev"'
        )
    elif len(settings.cluster_name) > LONGEST_CLUSTER_NAME and not settings.e6data.existing_cluster.enabled:
        reason = "is longer than names of IAM roles, of at most 64 characters, leave room for"
        yield Problem("cluster_name", settings.cluster_name, reason, f"shorten it to {LONGEST_CLUSTER_NAME}")
    if (
        settings.product == "dash-enterprise"
        and it.sound("dash_enterprise")
        and not settings.dash_enterprise.base_domain
    ):
        reason = "Dash Enterprise is installed for one DNS name"
        yield Problem("dash_enterprise.base_domain", None, reason, 'write that name, such as "dash.example.com"')
    if it.sound("node_groups") and not settings.node_groups and settings.makes_cluster:
        reason = "without a node group nothing in the cluster has a node to run on, not even its add-ons"
        yield Problem("node_groups", None, reason, "write at least one: [{name: core, instance_types: [m6i.2xlarge]}]")
    for index, group in enumerate(settings.node_groups):
        at = f"node_groups[{index}]"
        if it.sound(f"{at}.name") and not group.name:
            yield Problem(f"{at}.name", None, "every node group has a name", 'write a name such as "core"')
        if it.sound(f"{at}.instance_types") and not group.instance_types:
            reason = "EKS would choose t3.medium, which is too small"
            yield Problem(f"{at}.instance_types", None, reason, 'write at least one type, such as ["m6i.2xlarge"]')
        for number, taint in enumerate(group.taints):
            if it.sound(key := f"{at}.taints[{number}].key") and not taint.key:
                yield Problem(key, None, "every taint has a key", 'write a key such as "workload"')


# --- Where


def _region(it: Judgement) -> Iterator[Problem]:
    region, provider = it.settings.region, it.provider_region
    if not it.sound("region"):
        return
    if not region:
        reason = "the AWS provider would take the region from the shell of whoever runs it"
        yield Problem("aws:region", None, reason, "write it: pulumi config set aws:region us-east-1")
    elif not provider:
        reason = f"the AWS provider reads this key and not region, and would take it from the shell, not {region}"
        yield Problem("aws:region", None, reason, f"write it: pulumi config set aws:region {region}")
    elif region != provider:
        reason = f"the AWS provider works in aws:region, which is {provider}"
        yield Problem("region", region, reason, "leave it out, or write the same in both")


def _zones(it: Judgement) -> Iterator[Problem]:
    key, zones, region = "availability_zones", it.settings.availability_zones, it.settings.region
    if not it.sound(key):
        return
    for index, zone in enumerate(zones):
        if it.sound("region") and region and zone[:-1] != region:
            reason = f"is no zone of the region {region}"
            yield Problem(f"{key}[{index}]", zone, reason, f'write zones such as "{region}a"')
    if twice := repeated(zones):
        yield Problem(key, list(zones), f"names {', '.join(twice)} more than once", "name each zone once")
    elif not MINIMUM_ZONES <= len(zones) <= MAXIMUM_ZONES:
        yield Problem(
            key,
            list(zones) or None,
            f"EKS and load balancers want at least {MINIMUM_ZONES} zones, no region has more than {MAXIMUM_ZONES}",
            f"name them: make zones REGION={region or 'us-east-1'} lists those where EKS runs a control plane",
        )


def _tags(it: Judgement) -> Iterator[Problem]:
    tags = it.settings.tags
    if "tags" in it.broken:
        return
    for problem in check_tags({**it.own_tags, **tags}):
        if problem.value in tags:
            key = str(problem.value)
            yield Problem(key_path(("tags", key)), tags[key], problem.reason, problem.remedy)
        else:
            yield Problem(
                "tags", tags, f"with the program's own, these {problem.value} {problem.reason}", problem.remedy
            )
    seen: dict[str, str] = {key.lower(): key for key in it.own_tags}
    for key, value in tags.items():
        other = seen.setdefault(key.lower(), key)
        at = key_path(("tags", key))
        if key in it.own_tags:
            yield Problem(at, value, "every resource carries this tag already, set by the program", "leave it out")
        elif other != key:
            reason = f'IAM takes no two tags that differ only in capitals, and there is "{other}"'
            yield Problem(at, value, reason, "leave one of them out")


def _permissions_boundary(it: Judgement) -> Iterator[Problem]:
    if it.sound("permissions_boundary_arn", "region", "account_id"):
        settings = it.settings
        yield from boundary_problems(settings.permissions_boundary_arn, settings.region, settings.account_id)


# --- Network


def _existing_vpc(it: Judgement) -> Iterator[Problem]:
    if not it.sound("network.existing_vpc_id") or not it.settings.network.existing_vpc_id:
        return
    for name in _ONLY_FOR_A_NEW_VPC:
        if f"network.{name}" in it.given:
            reason = "says how a new VPC is made, and network.existing_vpc_id names an existing one"
            yield Problem(f"network.{name}", getattr(it.settings.network, name), reason, "leave one of the two out")


def _way_out(it: Judgement) -> Iterator[Problem]:
    """Goes before the rules of any network, which know a way to do without NAT."""
    reason = _WAYS_OUT.get(it.settings.product)
    if reason and it.sound("network.nat_gateways", "network.existing_vpc_id"):
        for problem in way_out_problems(NetworkOptions(**network_arguments(it.settings)), reason):
            yield replace(problem, input=f"network.{problem.input}")


def _network(it: Judgement) -> Iterator[Problem]:
    """What the component itself would refuse, under the names of the settings."""
    network = it.settings.network
    for problem in check_network(NetworkOptions(**network_arguments(it.settings))):
        name = problem.input.removeprefix("enable_")
        at, within, value = f"network.{name}", getattr(network, name, None), problem.value
        if within is None or not it.sound(at, *_rests_on(at)):
            continue
        if isinstance(within, tuple) and value in within:
            at += f"[{within.index(value)}]"
        elif isinstance(within, dict):
            zones = [zone for zone, subnet in cast("dict[str, str]", within).items() if value in (zone, subnet)]
            at = f"{at}.{zones[-1]}" if zones else at
        yield Problem(at, value or None, problem.reason, problem.remedy)


def _service_addresses(it: Judgement) -> Iterator[Problem]:
    network, cluster = it.settings.network, it.settings.cluster
    key = "cluster.service_cidr"
    if cluster.ip_family == "ipv6" and it.sound("cluster.ip_family"):
        if key in it.given:
            reason = "an IPv6 cluster gets its service addresses from EKS"
            yield Problem(key, cluster.service_cidr, reason, 'leave it out, or set cluster.ip_family: "ipv4"')
        if it.sound("network.ipv6") and not network.ipv6:
            reason = "pods would need IPv6 addresses, and the network has none"
            yield Problem("cluster.ip_family", "ipv6", reason, 'set network.ipv6: true, or write "ipv4"')
        return
    if not it.sound(key, "cluster.ip_family", "network.cidr", "network.existing_vpc_id") or network.existing_vpc_id:
        return
    for problem in service_range_problems(cluster.service_cidr, [network.cidr]):
        yield replace(problem, input=key)


def _name_resolution(it: Judgement) -> Iterator[Problem]:
    for name in ("dns_support", "dns_hostnames"):
        if it.sound(f"network.{name}") and not getattr(it.settings.network, name):
            reason = "nodes find the cluster's private endpoint by its DNS name, and would never join"
            yield Problem(f"network.{name}", False, reason, "leave it out, or write true")


# --- Cluster


def _cluster(it: Judgement) -> Iterator[Problem]:
    """What the component itself would refuse, under the names of the settings."""
    if not it.settings.makes_cluster:
        return
    for problem in check_cluster(cluster_options(it.settings)):
        if problem.input in ("cluster_name", "permissions_boundary_arn", "tags"):
            continue  # judged before, more strictly
        at, value = _in_settings(it.settings, problem)
        if (inherited := _INHERITED.fullmatch(at)) and inherited[0] not in it.given:
            continue  # from the control plane, whose zones are judged themselves
        if it.sound(at, *_rests_on(at)):
            yield Problem(at, value, problem.reason, problem.remedy)


def _in_settings(settings: Settings, problem: Problem) -> tuple[str, object]:
    """Key and value of what the component has a problem with."""
    name, value = problem.input, problem.value
    if name == "kubernetes_version":
        return "cluster.version", value
    if name.startswith("addon_versions"):  # of one version, or of the name of one
        addon = name[len("addon_versions[") : -1] or str(value)
        return key_path(("cluster", "addon_versions", addon)), settings.cluster.addon_versions[addon]
    return name if name.startswith("node_groups") else f"cluster.{name}", None if value in ([], "") else value


def _kubernetes_version(it: Judgement) -> Iterator[Problem]:
    version = it.settings.cluster.version
    if it.sound("cluster.version") and it.at.date() > (ended := versions.RELEASES[version].extended_support_ends):
        reason = f"EKS ended all support for it on {ended}, and creates no cluster with it"
        yield Problem("cluster.version", version, reason, versions.offered(it.at.date()))


_RULES = (
    *(_product, _single_tenancy, _required, _region, _zones, _tags, _permissions_boundary),
    *(_existing_vpc, _name_resolution, _way_out, _network, _cluster, _service_addresses, _kubernetes_version),
    dash_enterprise.rules,
    e6data.rules,
    velero.rules,
)


def warnings(it: Judgement) -> Iterator[str]:
    """What works and is probably not meant."""
    settings, network, cluster = it.settings, it.settings.network, it.settings.cluster
    if not network.existing_vpc_id:
        vpc = IPv4Network(network.cidr)
        if vpc.overlaps(_DOCKER_BRIDGE):
            yield f"network.cidr {vpc} overlaps {_DOCKER_BRIDGE}, which Docker and some AWS services use themselves."
        if vpc.is_global:
            yield f"network.cidr {vpc} is a range of the public internet: its owner cannot be reached from this VPC."
        if network.nat_gateways == "single" and settings.production:
            yield "network.nat_gateways single: the loss of one zone would cut all of production off the internet."
    if settings.production and settings.makes_cluster and not cluster.deletion_protection:
        yield "cluster.deletion_protection false: nothing but Pulumi's own protection keeps this production cluster."
    yield from it.advice
    for problem in it.absent:
        yield f"{problem.input}: {problem.reason}; {problem.remedy}. The preview goes on, `pulumi up` will refuse."
