"""What must be true between settings, beyond the look of each value: what AWS, EKS or the vendor would refuse late.

A rule yields problems. It may trust a setting only after `sound` said that nothing was wrong with it so far; the rules
run in order, the ones that others rest on first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from eks_analytics import versions
from eks_analytics.cluster_checks import access_problems
from eks_analytics.iam import partition
from eks_analytics.network_options import NetworkOptions, check_network
from eks_analytics.problems import Problem
from eks_analytics.subnets import MAXIMUM_ZONES, MINIMUM_ZONES
from eks_analytics.tags import check_tags

from .models import NodeGroupSettings, Settings
from .problems import key_path, unknown_word

PRODUCTS = ("dash-enterprise", "e6data", "airgapped")
_BLOCK_OF_PRODUCT = {"dash-enterprise": "dash_enterprise", "e6data": "e6data", "airgapped": "airgapped"}
# Docker's default bridge on the nodes of EKS: addresses of a VPC inside of it cannot be reached from pods.
_DOCKER_BRIDGE = IPv4Network("172.17.0.0/16")
_ONLY_FOR_A_NEW_VPC = (
    *("cidr", "public_subnet_cidrs", "private_subnet_cidrs", "nat_gateways", "s3_endpoint", "interface_endpoints"),
    *("tenancy", "flow_logs_retention_days", "name_prefix"),
)
# The settings that the component's judgement of an input takes into account besides the input.
_RESTS_ON = {
    "public_subnet_cidrs": ("network.cidr", "network.private_subnet_cidrs", "availability_zones"),
    "private_subnet_cidrs": (
        *("network.cidr", "network.public_subnet_cidrs", "network.interface_endpoints", "availability_zones"),
    ),
    "nat_gateways": ("network.interface_endpoints", "network.s3_endpoint"),
    "interface_endpoints": ("region", "network.dns_support", "network.dns_hostnames"),
    "existing_private_subnets": ("network.existing_vpc_id", "availability_zones"),
    "existing_public_subnets": ("network.existing_vpc_id", "availability_zones"),
}
# Of EKS's 63 characters the provider takes 26, and a hyphen, to tell a group from the one that replaces it.
_LONGEST_GROUP_NAME = 63 - 26 - 1
_KEEPS_PODS_OFF = ("NO_SCHEDULE", "NO_EXECUTE")


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
    today: date
    broken: list[str] = field(default_factory=list[str])

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


# --- One stack, one product


def _product(it: Judgement) -> Iterator[Problem]:
    product = it.settings.product
    if not it.sound("product"):
        return
    if not product:
        yield Problem("product", None, "every stack builds one product", f"write one of {', '.join(PRODUCTS)}")
    elif product not in PRODUCTS:
        yield Problem("product", product, "is no product of this project", unknown_word(product, PRODUCTS))
    elif product != "dash-enterprise":
        yield Problem("product", product, "cannot be built by this version yet", 'write "dash-enterprise"')


def _single_tenancy(it: Judgement) -> Iterator[Problem]:
    product = it.settings.product
    own = _BLOCK_OF_PRODUCT.get(product)
    blocks = [block for block in _BLOCK_OF_PRODUCT.values() if block in it.given]
    for block in blocks:
        if block != own and (own or len(blocks) > 1):
            yield Problem(
                block,
                it.settings.model_dump()[block],
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
    if (
        settings.product == "dash-enterprise"
        and it.sound("dash_enterprise")
        and not settings.dash_enterprise.base_domain
    ):
        reason = "Dash Enterprise is installed for one DNS name"
        yield Problem("dash_enterprise.base_domain", None, reason, 'write that name, such as "dash.example.com"')
    if it.sound("node_groups") and not settings.node_groups:
        reason = "without a node group the add-ons and Dash Enterprise have no node to run on"
        yield Problem("node_groups", None, reason, "write at least one: [{name: core, instance_types: [m6i.2xlarge]}]")
    for index, group in enumerate(settings.node_groups):
        at = f"node_groups[{index}]"
        if it.sound(f"{at}.name") and not group.name:
            yield Problem(f"{at}.name", None, "every node group has a name", 'write a name such as "core"')
        if it.sound(f"{at}.instance_types") and not group.instance_types:
            reason = "EKS would choose t3.medium, too small for Dash Enterprise"
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
    if twice := _repeated(zones):
        yield Problem(key, list(zones), f"names {', '.join(twice)} more than once", "name each zone once")
    elif not MINIMUM_ZONES <= len(zones) <= MAXIMUM_ZONES:
        yield Problem(
            key,
            list(zones) or None,
            f"EKS and load balancers want at least {MINIMUM_ZONES} zones, no region has more than {MAXIMUM_ZONES}",
            f"name them: make zones REGION={region or 'us-east-1'} lists those where EKS runs a control plane",
        )


def _subsets_of_zones(it: Judgement) -> Iterator[Problem]:
    if not it.sound("availability_zones"):
        return
    zones, cluster = it.settings.availability_zones, it.settings.cluster.control_plane_zones
    key = "cluster.control_plane_zones"
    if it.sound(key) and key in it.given:
        yield from _subset(key, cluster, zones)
        if len(set(cluster)) < MINIMUM_ZONES:
            reason = f"EKS wants subnets in {MINIMUM_ZONES} zones at least"
            yield Problem(key, list(cluster), reason, f"name two of {', '.join(zones)}, or leave it out")
    for index, group in enumerate(it.settings.node_groups):
        key = f"node_groups[{index}].availability_zones"
        if it.sound(key) and key in it.given:
            yield from _subset(key, group.availability_zones, zones)
            if not group.availability_zones:
                yield Problem(key, [], "is empty", "name at least one zone, or leave it out")


def _subset(key: str, chosen: Sequence[str], zones: Sequence[str]) -> Iterator[Problem]:
    for index, zone in enumerate(chosen):
        if zone not in zones:
            remedy = f"write one of {', '.join(zones)}, or add it there"
            yield Problem(f"{key}[{index}]", zone, "is not among availability_zones", remedy)
    if twice := _repeated(chosen):
        yield Problem(key, list(chosen), f"names {', '.join(twice)} more than once", "name each zone once")


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


# --- Network


def _existing_vpc(it: Judgement) -> Iterator[Problem]:
    if not it.sound("network.existing_vpc_id") or not it.settings.network.existing_vpc_id:
        return
    for name in _ONLY_FOR_A_NEW_VPC:
        if f"network.{name}" in it.given:
            reason = "says how a new VPC is made, and network.existing_vpc_id names an existing one"
            yield Problem(f"network.{name}", getattr(it.settings.network, name), reason, "leave one of the two out")


def _network(it: Judgement) -> Iterator[Problem]:
    """What the component itself would refuse, under the names of the settings."""
    settings, network = it.settings, it.settings.network
    options = NetworkOptions(
        cluster_name=settings.cluster_name,
        region=settings.region,
        availability_zones=settings.availability_zones,
        cidr=network.cidr,
        name_prefix=network.name_prefix,
        public_subnet_cidrs=network.public_subnet_cidrs,
        private_subnet_cidrs=network.private_subnet_cidrs,
        nat_gateways=network.nat_gateways,
        enable_s3_endpoint=network.s3_endpoint,
        interface_endpoints=network.interface_endpoints,
        enable_ipv6=network.ipv6,
        tenancy=network.tenancy,
        enable_dns_support=network.dns_support,
        enable_dns_hostnames=network.dns_hostnames,
        flow_logs_retention_days=network.flow_logs_retention_days,
        existing_vpc_id=network.existing_vpc_id,
        existing_private_subnets=network.existing_private_subnets,
        existing_public_subnets=network.existing_public_subnets,
    )
    for problem in check_network(options):
        name = problem.input.removeprefix("enable_")
        at, within, value = f"network.{name}", getattr(network, name, None), problem.value
        if within is None or not it.sound(at, *_RESTS_ON.get(name, ())):
            continue
        index = f"[{within.index(value)}]" if isinstance(within, tuple) and value in within else ""
        yield Problem(at + index, value or None, problem.reason, problem.remedy)


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
    if (vpc := IPv4Network(network.cidr)).overlaps(IPv4Network(cluster.service_cidr)):
        free = "172.20.0.0/16" if not vpc.overlaps(IPv4Network("172.20.0.0/16")) else "10.100.0.0/16"
        reason = f"shares addresses with the VPC (network.cidr {vpc}); EKS refuses that"
        yield Problem(key, cluster.service_cidr, reason, f'write a range outside of it, such as "{free}"')


def _name_resolution(it: Judgement) -> Iterator[Problem]:
    for name in ("dns_support", "dns_hostnames"):
        if it.sound(f"network.{name}") and not getattr(it.settings.network, name):
            reason = "nodes find the cluster's private endpoint by its DNS name, and would never join"
            yield Problem(f"network.{name}", False, reason, "leave it out, or write true")


# --- Cluster


def _kubernetes_version(it: Judgement) -> Iterator[Problem]:
    version, overrides = it.settings.cluster.version, it.settings.cluster.addon_versions
    for problem in versions.version_problems(version, overrides):
        if problem.input == "kubernetes_version":
            if it.sound("cluster.version"):
                yield Problem("cluster.version", version, problem.reason, problem.remedy)
        elif problem.input == "addon_versions":
            key = key_path(("cluster", "addon_versions", str(problem.value)))
            yield Problem(key, overrides[str(problem.value)], problem.reason, problem.remedy)
    if it.sound("cluster.version") and version in versions.RELEASES:
        ended = versions.RELEASES[version].extended_support_ends
        if it.today > ended:
            reason = f"EKS ended all support for it on {ended}, and creates no cluster with it"
            yield Problem("cluster.version", version, reason, f'write "{versions.DEFAULT_KUBERNETES_VERSION}"')


def _access(it: Judgement) -> Iterator[Problem]:
    cluster, region = it.settings.cluster, it.settings.region
    key = "cluster.admin_principal_arns"
    if it.sound(key):
        if not cluster.admin_principal_arns:
            yield Problem(
                key,
                None,
                "the role that creates the cluster gets no access by itself (creator-admin is off), so nobody could "
                "use the cluster, this program included",
                'name the deploying role, such as ["arn:aws:iam::123456789012:role/deployer"] (aws sts '
                "get-caller-identity shows it as .../assumed-role/deployer/..., here it is written role/deployer)",
            )
        if twice := _repeated(cluster.admin_principal_arns):
            reason = f"names {', '.join(twice)} more than once, and EKS takes one access entry each"
            yield Problem(key, list(cluster.admin_principal_arns), reason, "name each one once")
    if not it.sound("region") or not region:
        arns: list[tuple[str, str]] = []
    else:
        arns = [(f"{key}[{index}]", arn) for index, arn in enumerate(cluster.admin_principal_arns)]
        arns += [("cluster.kms_key_arn", cluster.kms_key_arn), ("cluster.ebs_csi_role", cluster.ebs_csi_role)]
    for at, arn in arns:
        if not arn.startswith("arn:") or not it.sound(at):
            continue
        _, part, _, place, _, _ = arn.split(":", 5)
        if part != partition(region):
            reason = f"belongs to the partition {part}, and {region} to {partition(region)}"
            yield Problem(at, arn, reason, f'write an ARN that begins with "arn:{partition(region)}:"')
        elif place and place != region:
            reason = f"is a key of {place}; EKS uses keys of its own region"
            yield Problem(at, arn, reason, f'name a key of {region}, or write "" for a new one')


def _reachable(it: Judgement) -> Iterator[Problem]:
    cluster, key = it.settings.cluster, "cluster.public_endpoint_cidrs"
    if not it.sound(key, "cluster.engine_runs_inside_vpc"):
        return
    if not cluster.public_endpoint_cidrs and not cluster.engine_runs_inside_vpc:
        yield Problem(
            key,
            None,
            "Pulumi would not reach the API server: the first Kubernetes object would wait ten minutes and fail",
            'name the networks that it runs in, such as ["203.0.113.7/32"], or set '
            "cluster.engine_runs_inside_vpc: true where it runs inside the VPC or a network connected to it",
        )
    for problem in access_problems(["arn:aws:iam::123456789012:role/any"], cluster.public_endpoint_cidrs, True):
        yield Problem(key, problem.value, problem.reason, problem.remedy)
    for index, cidr in enumerate(cluster.public_endpoint_cidrs):
        if isinstance(ip_network(cidr), IPv6Network) and cluster.ip_family == "ipv4" and it.sound("cluster.ip_family"):
            reason = "the endpoint of an IPv4 cluster has no IPv6 address"
            yield Problem(f"{key}[{index}]", cidr, reason, "write an IPv4 network")


# --- Nodes


def _node_groups(it: Judgement) -> Iterator[Problem]:
    names: dict[str, int] = {}
    for index, group in enumerate(it.settings.node_groups):
        at = f"node_groups[{index}]"
        if group.name and it.sound(f"{at}.name", f"{at}.one_group_per_zone", f"{at}.availability_zones"):
            zones = group.availability_zones if group.one_group_per_zone else ()
            made = [f"{group.name}-{zone}" for zone in zones] or [group.name]
            if (first := min(names.setdefault(name, index) for name in made)) != index:
                reason = f"node_groups[{first}] has that name already"
                yield Problem(f"{at}.name", group.name, reason, "give each group its own name")
            elif (excess := max(map(len, made)) - _LONGEST_GROUP_NAME) > 0:
                zone = " and the zone" if zones else ""
                reason = f"is too long: EKS takes 63 characters, and the generated ending{zone} is one part of them"
                yield Problem(f"{at}.name", group.name, reason, f"shorten it to {len(group.name) - excess} characters")
        yield from _sizes(it, at, group)
        yield from _architecture(it, at, group)
        seen: set[tuple[str, str]] = set()
        for number, taint in enumerate(group.taints):
            if taint.key and (taint.key, taint.effect) in seen and it.sound(f"{at}.taints"):
                reason = f"{taint.key} with effect {taint.effect} is there already"
                yield Problem(f"{at}.taints[{number}]", taint.model_dump(), reason, "leave one of them out")
            seen.add((taint.key, taint.effect))


def _sizes(it: Judgement, at: str, group: NodeGroupSettings) -> Iterator[Problem]:
    if not it.sound(f"{at}.min_size", f"{at}.desired_size", f"{at}.max_size"):
        return
    if group.min_size > group.max_size:
        reason = f"the minimum {group.min_size} is above the maximum"
        yield Problem(
            f"{at}.max_size", group.max_size, reason, f"write {group.min_size} or more, or lower {at}.min_size"
        )
    elif not group.min_size <= group.desired_size <= group.max_size:
        reason = f"lies outside of min_size {group.min_size} and max_size {group.max_size}"
        remedy = f"write a number from {group.min_size} to {group.max_size}, or leave it out"
        yield Problem(f"{at}.desired_size", group.desired_size, reason, remedy)


def _architecture(it: Judgement, at: str, group: NodeGroupSettings) -> Iterator[Problem]:
    if not it.sound(f"{at}.instance_types", f"{at}.ami_type"):
        return
    if twice := _repeated(group.instance_types):
        reason = f"names {', '.join(twice)} more than once"
        yield Problem(f"{at}.instance_types", list(group.instance_types), reason, "name each type once")
    if len(group.instance_types) > 20:
        reason = f"EKS takes at most 20 types a group, these are {len(group.instance_types)}"
        yield Problem(f"{at}.instance_types", list(group.instance_types), reason, "name fewer, or make a second group")
    arm = "ARM_64" in group.ami_type
    fitting = group.ami_type.replace("ARM_64", "x86_64") if arm else group.ami_type.replace("x86_64", "ARM_64")
    for index, name in enumerate(group.instance_types):
        if is_graviton(name) != arm:
            reason = f"is {'an x86' if arm else 'a Graviton (ARM)'} type, and {at}.ami_type {group.ami_type} is not"
            example = "m7g.2xlarge" if arm else "m6i.2xlarge"
            remedy = f"write a type such as {example}, or set ami_type: {fitting} for all types of the group"
            yield Problem(f"{at}.instance_types[{index}]", name, reason, remedy)


def is_graviton(instance_type: str) -> bool:
    """m7g, c7gn, r8gd, im4gn, is4gen, x2gd, g5g and a1, as opposed to g5, g4dn or gr6."""
    family = re.match(r"([a-z]+)\d+([a-z]*)", instance_type)
    return instance_type.startswith("a1.") or bool(family and family[2].startswith("g"))


def _room_for_system_pods(it: Judgement) -> Iterator[Problem]:
    groups = it.settings.node_groups
    if not groups or not it.sound("node_groups"):
        return
    if any(g.desired_size and not any(t.effect in _KEEPS_PODS_OFF for t in g.taints) for g in groups):
        return
    yield Problem(
        "node_groups",
        [group.name for group in groups],
        "each is empty or tainted, so CoreDNS and the other add-ons find no node and never become active",
        "leave one group without NO_SCHEDULE and NO_EXECUTE taints and with a desired_size of 1 or more",
    )


# --- Dash Enterprise


def _files(it: Judgement) -> Iterator[Problem]:
    if not it.dry_run:
        yield from file_problems(it)


def file_problems(it: Judgement) -> Iterator[Problem]:
    """Files that Dash Enterprise needs and that cannot be read: they are never in git, so a preview goes on without."""
    if it.settings.product != "dash-enterprise":
        return
    for name, what in (
        ("license_file", "the license that Plotly sent"),
        ("tls_certificate_file", "the certificate chain (leaf first)"),
        ("tls_private_key_file", "the certificate's private key"),
    ):
        key, written = f"dash_enterprise.{name}", getattr(it.settings.dash_enterprise, name)
        if not it.sound(key):
            continue
        if not written:
            reason = f"the installation needs {what}"
            yield Problem(key, None, reason, "write the path of the file, relative to the project")
            continue
        file = it.project_root / written
        try:
            with file.open("rb"):
                pass
        except FileNotFoundError:
            yield Problem(key, written, f"there is no file {file}", f"put {what} there, or correct the path")
        except IsADirectoryError:
            yield Problem(key, written, f"{file} is a folder", f"write the path of the file with {what}")
        except (OSError, ValueError) as error:
            reason = f"{file} cannot be read ({getattr(error, 'strerror', None) or error})"
            yield Problem(key, written, reason, "make it readable for the user who runs Pulumi, or correct the path")


_RULES = (
    *(_product, _single_tenancy, _required, _region, _zones, _subsets_of_zones, _tags),
    *(_existing_vpc, _name_resolution, _network, _service_addresses),
    *(_kubernetes_version, _access, _reachable, _node_groups, _room_for_system_pods, _files),
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
        if network.nat_gateways == "none" and settings.product == "dash-enterprise":
            yield "network.nat_gateways none: Dash Enterprise is installed from the internet; give it another way."
        if network.nat_gateways == "single" and settings.production:
            yield "network.nat_gateways single: the loss of one zone would cut all of production off the internet."
    if settings.production and not cluster.deletion_protection:
        yield "cluster.deletion_protection false: nothing but Pulumi's own protection keeps this production cluster."
    if it.dry_run:
        for problem in file_problems(it):
            yield f"{problem.input}: {problem.reason}; {problem.remedy}. The preview goes on, `pulumi up` will refuse."


def _repeated(values: Sequence[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})
