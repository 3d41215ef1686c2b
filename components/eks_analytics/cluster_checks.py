"""What a Cluster is asked for, and what in it AWS would refuse or would lock everyone out. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network

from .instance_types import unknown_machines
from .node_group_options import NodeGroupArgs, node_group_problems
from .partitions import partition
from .permissions_boundary import boundary_problems
from .principals import principal_fault, sso_fault
from .problems import Problem, repeated
from .session_logs_options import SessionLogsArgs, kept_days
from .subnets import prefix_fault
from .tags import check_tags
from .velero_names import key_problems
from .versions import DEFAULT_KUBERNETES_VERSION, support_warning, version_problems

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
EBS_CSI_ROLE_PER_CLUSTER = "per-cluster"
EBS_CSI_ROLE_VENDOR_NAME = "vendor-name"
VENDOR_EBS_CSI_ROLE = "AmazonEKS_EBS_CSI_DriverRole"
"""The only role that the deployer policy in Dash Enterprise's guide may pass to the driver."""

_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
_MOST_PUBLIC_CIDRS = 40
_PRIVATE_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
# Documentation networks (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24) count as private in ipaddress, yet EKS takes
# them and examples need them, so only what people really use by mistake is refused.
_NOT_PUBLIC = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")))
_NOBODY_THERE = tuple(
    map(
        ip_network,
        ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/128", "::1/128", "fe80::/10", "ff00::/8"),
    )
)


@dataclass(frozen=True)
class ClusterOptions:
    """What of `ClusterArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    admin_principal_arns: Sequence[str]
    node_groups: Sequence[NodeGroupArgs]
    control_plane_zones: Sequence[str]
    zones_with_subnets: Collection[str] | None = None
    """Zones that `subnet_ids_by_zone` names; None where that is not known."""
    zones_with_node_subnets: Collection[str] | None = None
    """Zones that `node_subnet_ids_by_zone` names; None where that is not known."""
    region: str = ""
    account_id: str = ""
    kubernetes_version: str = DEFAULT_KUBERNETES_VERSION
    public_endpoint_cidrs: Sequence[str] = ()
    private_endpoint_cidrs: Sequence[str] = ()
    engine_runs_inside_vpc: bool = False
    kms_key_arn: str = ""
    log_types: Sequence[str] = ("api", "audit", "authenticator")
    log_retention_days: int = 90
    production: bool = False
    deletion_protection: bool | None = None
    """The value of `production` where it is None."""
    service_cidr: str = "172.20.0.0/16"
    ip_family: str = "ipv4"
    vpc_cni_prefix_delegation: bool = False
    addon_versions: Mapping[str, str] = field(default_factory=dict[str, str])
    ebs_csi_role: str = EBS_CSI_ROLE_PER_CLUSTER
    enable_default_storage_class: bool = True
    session_logs: SessionLogsArgs | None = None
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def ipv4_services(self) -> str:
        """Addresses of services that must lie outside of the VPC; empty where EKS gives services IPv6 addresses."""
        return self.service_cidr if self.ip_family == "ipv4" else ""


def check_cluster(options: ClusterOptions) -> list[Problem]:
    """Everything that is wrong with the options; empty when a cluster can be built of them.

    Inputs are named as the component calls them, items of lists by index: `admin_principal_arns[1]`,
    `node_groups[0].instance_types[2]`, `addon_versions[coredns]`.
    """
    return [
        *name_problems(options.cluster_name),
        *check_tags(options.tags),
        *version_problems(options.kubernetes_version, options.addon_versions),
        *administrator_problems(options.admin_principal_arns),
        *endpoint_problems(options),
        *zone_problems(options.control_plane_zones, options.zones_with_subnets),
        *service_network_problems(options.service_cidr, options.ip_family),
        *log_problems(options.log_types, options.log_retention_days),
        *session_log_problems(options.session_logs, options.region),
        *identity_problems(options.kms_key_arn, options.ebs_csi_role),
        *place_problems(options),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
        *node_group_problems(
            options.node_groups,
            options.control_plane_zones,
            options.zones_with_node_subnets,
            prefixes_for=_needs_prefixes(options),
        ),
    ]


def cluster_warnings(options: ClusterOptions, today: date) -> list[str]:
    """What can be built, but may not be what was meant; of options in which `check_cluster` finds nothing."""
    found: list[str] = []
    if warning := support_warning(options.kubernetes_version, today):
        found.append(warning)
    if options.engine_runs_inside_vpc and not options.public_endpoint_cidrs and not options.private_endpoint_cidrs:
        found.append(
            "private_endpoint_cidrs is empty, so the API server answers nobody but the cluster's own nodes and pods: "
            "name the networks that `pulumi up` and people come from, such as the VPC's own CIDR."
        )
    named = [("admin_principal_arns", arn) for arn in options.admin_principal_arns]
    for name, arn in (*named, ("kms_key_arn", options.kms_key_arn)):
        if arn and options.account_id and _account_of(arn) != options.account_id:
            found.append(f"{name}: {arn} belongs to another account than {options.account_id}; is that meant?")
    for group in options.node_groups:
        types = group["instance_types"]
        # "The following supplied instance types do not exist": terraform-aws-modules/terraform-aws-eks#1279.
        found += unknown_machines(f"node group {group['name']}", types, "EKS refuses the node group")
    return found


def _account_of(arn: str) -> str:
    return arn.split(":")[4]


def _needs_prefixes(options: ClusterOptions) -> str | None:
    if options.ip_family == "ipv6":
        return "ip_family ipv6"
    return "vpc_cni_prefix_delegation" if options.vpc_cni_prefix_delegation else None


def name_problems(cluster_name: str) -> Iterator[Problem]:
    """The cluster's name."""
    if not _CLUSTER_NAME.fullmatch(cluster_name):
        yield Problem(
            "cluster_name",
            cluster_name,
            "EKS refuses the name",
            "use at most 100 letters, digits, hyphens and underscores, beginning with a letter or digit",
        )


def administrator_problems(admin_principal_arns: Sequence[str]) -> Iterator[Problem]:
    """Who may use the API server."""
    key = "admin_principal_arns"
    if not admin_principal_arns:
        yield Problem(
            key,
            [],
            "the role that creates the cluster gets no access by itself (creator-admin is off), so nobody could use "
            "the cluster, this program included",
            'name the deploying role, such as ["arn:aws:iam::123456789012:role/deployer"] (aws sts '
            "get-caller-identity shows it as .../assumed-role/deployer/..., here it is written role/deployer)",
        )
    for index, arn in enumerate(admin_principal_arns):
        if fault := principal_fault(arn):
            yield Problem(f"{key}[{index}]", arn, *fault)
    if twice := repeated(admin_principal_arns):
        reason = f"names {', '.join(twice)} more than once, and EKS takes one access entry each"
        yield Problem(key, list(admin_principal_arns), reason, "name each one once")


def endpoint_problems(options: ClusterOptions) -> Iterator[Problem]:
    """From where the API server is reached."""
    public, private = options.public_endpoint_cidrs, options.private_endpoint_cidrs
    if not public and not options.engine_runs_inside_vpc:
        yield Problem(
            "public_endpoint_cidrs",
            [],
            "Pulumi would not reach the API server: the first Kubernetes object would wait ten minutes and fail",
            'name the networks that it runs in, such as ["203.0.113.7/32"], or set engine_runs_inside_vpc: true '
            "where it runs inside the VPC or a network connected to it",
        )
    if len(public) > _MOST_PUBLIC_CIDRS:
        reason, remedy = (
            f"EKS takes at most {_MOST_PUBLIC_CIDRS}",
            "join neighbouring ranges, or use the private endpoint",
        )
        yield Problem("public_endpoint_cidrs", len(public), reason, remedy)
    for key, cidrs, fault_of in (
        ("public_endpoint_cidrs", public, public_cidr_fault),
        ("private_endpoint_cidrs", private, private_cidr_fault),
    ):
        for index, cidr in enumerate(cidrs):
            if fault := fault_of(cidr):
                yield Problem(f"{key}[{index}]", cidr, *fault)
            elif options.ip_family == "ipv4" and ":" in cidr:
                reason = "the endpoint of an IPv4 cluster has no IPv6 address"
                yield Problem(f"{key}[{index}]", cidr, reason, "write an IPv4 network")
        if twice := repeated(cidrs):
            yield Problem(key, list(cidrs), f"names {', '.join(twice)} more than once", "name each one once")


def public_cidr_fault(cidr: str) -> tuple[str, str] | None:
    """Why a network cannot be let to the public endpoint, and what to do instead."""
    network = _network(cidr, "203.0.113.0/24")
    if isinstance(network, tuple):
        return network
    if network.prefixlen < (8 if network.version == 4 else 32):
        return (
            "opens the Kubernetes API server to the whole internet or a great part of it",
            "name the networks that need it, such as your office's or VPN's \"203.0.113.0/24\"; "
            "or leave the list empty and set engine_runs_inside_vpc: true",
        )
    if _overlaps(network, _NOT_PUBLIC):
        return (
            "EKS refuses private networks here: the public endpoint never sees such an address",
            "write the public address behind which that network reaches the internet, or remove it",
        )
    return _empty_network_fault(network)


def private_cidr_fault(cidr: str) -> tuple[str, str] | None:
    """Why a network cannot be let to the private endpoint, and what to do instead."""
    network = _network(cidr, "10.0.0.0/16")
    if isinstance(network, tuple):
        return network
    if network.prefixlen < 8:
        return (
            "is far wider than any network that reaches a VPC",
            "name the VPC's CIDR and those of the networks connected to it, each /8 or narrower",
        )
    return _empty_network_fault(network)


def _network(cidr: str, example: str) -> IPv4Network | IPv6Network | tuple[str, str]:
    """The network that a CIDR stands for, or what is wrong with its writing."""
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return "is not a CIDR", f'write address and prefix, such as "{example}"'
    if "/" not in cidr:
        return (
            "is an address without a prefix",
            f'write "{cidr}/{network.max_prefixlen}" or a wider network',
        )
    if str(network) != cidr:
        return (
            "is not the plain form of a network: bits set behind the prefix, or another spelling",
            f'write "{network}"',
        )
    return network


def _overlaps(network: IPv4Network | IPv6Network, others: Sequence[IPv4Network | IPv6Network]) -> bool:
    return any(network.version == other.version and network.overlaps(other) for other in others)


def _empty_network_fault(network: IPv4Network | IPv6Network) -> tuple[str, str] | None:
    if _overlaps(network, _NOBODY_THERE):
        return "loopback, link-local, multicast or reserved addresses, from which nobody comes", "remove it"
    return None


def zone_problems(control_plane_zones: Sequence[str], zones_with_subnets: Collection[str] | None) -> Iterator[Problem]:
    """Where the control plane puts its network interfaces; `zones_with_subnets` is None where that is not known."""
    if not control_plane_zones and zones_with_subnets is None:
        reason = "is left out, and the zones of the subnets are an output, so none can be chosen before the update"
        yield Problem("control_plane_zones", None, reason, 'name two zones, such as ["us-east-1a", "us-east-1b"]')
    elif len(set(control_plane_zones)) < 2:
        yield Problem(
            "control_plane_zones",
            list(control_plane_zones),
            "EKS refuses a control plane in fewer than two zones",
            "name two zones that have a private subnet",
        )
    if twice := repeated(control_plane_zones):
        reason = f"names {', '.join(twice)} more than once"
        yield Problem("control_plane_zones", list(control_plane_zones), reason, "name each zone once")
    for index, zone in enumerate(control_plane_zones):
        if zones_with_subnets is not None and zone not in zones_with_subnets:
            yield Problem(
                f"control_plane_zones[{index}]",
                zone,
                "no private subnet lies there",
                f"choose among {', '.join(zones_with_subnets)}",
            )


def service_network_problems(service_cidr: str, ip_family: str) -> Iterator[Problem]:
    """The addresses of Kubernetes services."""
    if ip_family not in ("ipv4", "ipv6"):
        yield Problem("ip_family", ip_family, "unknown to EKS", "use ipv4 or ipv6")
    try:
        network = IPv4Network(service_cidr)
    except ValueError as error:
        yield Problem("service_cidr", service_cidr, str(error), "write an IPv4 network such as 172.20.0.0/16")
        return
    if fault := prefix_fault(service_cidr, network):
        yield Problem("service_cidr", service_cidr, *fault)
    elif not 12 <= network.prefixlen <= 24 or not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        yield Problem(
            "service_cidr",
            service_cidr,
            "EKS takes /12 to /24 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            "choose such a range outside of the VPC, for example 172.20.0.0/16",
        )


def log_problems(log_types: Sequence[str], log_retention_days: int) -> Iterator[Problem]:
    """The control plane's logs in CloudWatch."""
    for index, log_type in enumerate(log_types):
        if log_type not in LOG_TYPES:
            yield Problem(f"log_types[{index}]", log_type, "unknown to EKS", f"use any of {', '.join(LOG_TYPES)}")
    if log_retention_days not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - log_retention_days))
        yield Problem(
            "log_retention_days", log_retention_days, "CloudWatch keeps logs for certain periods only", f"try {nearest}"
        )


def session_log_problems(args: SessionLogsArgs | None, region: str) -> Iterator[Problem]:
    """What is wrong with the transcripts that are asked for."""
    days = kept_days(args)
    if days and days not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda kept: abs(kept - days))
        yield Problem(
            "session_logs.retention_days", days, "CloudWatch keeps logs for certain periods only", f"try {nearest}"
        )
    key = (args or {}).get("kms_key_arn", "")
    yield from key_problems("session_logs.kms_key_arn", key, region)
    if key and not days:
        reason = "has no effect: session_logs.retention_days is 0, so there are no transcripts"
        yield Problem("session_logs.kms_key_arn", key, reason, "set retention_days, such as 365, or leave the key out")


def identity_problems(kms_key_arn: str, ebs_csi_role: str) -> Iterator[Problem]:
    """A key and a role that exist already."""
    if kms_key_arn and not _KEY_ARN.fullmatch(kms_key_arn):
        yield Problem(
            "kms_key_arn",
            kms_key_arn,
            "not the ARN of a KMS key",
            "write arn:aws:kms:<region>:<account id>:key/<id>, no alias; or leave it empty for a new key",
        )
    if ebs_csi_role not in (EBS_CSI_ROLE_PER_CLUSTER, EBS_CSI_ROLE_VENDOR_NAME) and not _ROLE_ARN.fullmatch(
        ebs_csi_role
    ):
        yield Problem(
            "ebs_csi_role",
            ebs_csi_role,
            "neither a known choice nor the ARN of a role",
            f"use {EBS_CSI_ROLE_PER_CLUSTER}, {EBS_CSI_ROLE_VENDOR_NAME} or arn:aws:iam::<account id>:role/<name>",
        )
    elif fault := sso_fault(ebs_csi_role):
        yield Problem("ebs_csi_role", ebs_csi_role, *fault)


def place_problems(options: ClusterOptions) -> Iterator[Problem]:
    """ARNs that lie elsewhere: in another partition, region or account than the cluster, where these are known."""
    named = [(f"admin_principal_arns[{index}]", arn) for index, arn in enumerate(options.admin_principal_arns)]
    named += [("kms_key_arn", options.kms_key_arn), ("ebs_csi_role", options.ebs_csi_role)]
    for name, arn in named:
        if len(parts := arn.split(":", 5)) < 6:
            continue
        _, its_partition, _, its_region, its_account, _ = parts
        if options.region and its_partition != (wanted := partition(options.region)):
            reason = f"belongs to the partition {its_partition}, and {options.region} to {wanted}"
            yield Problem(name, arn, reason, f'write an ARN that begins with "arn:{wanted}:"')
        elif options.region and name == "kms_key_arn" and its_region != options.region:
            reason = f"is a key of {its_region}; EKS uses keys of its own region"
            yield Problem(name, arn, reason, f"name a key of {options.region}, or leave it empty for a new one")
        elif options.account_id and name == "ebs_csi_role" and its_account != options.account_id:
            reason = f"is a role of another account, and Pod Identity hands out roles of its own: {options.account_id}"
            yield Problem(name, arn, reason, f"name a role of that account, or write {EBS_CSI_ROLE_PER_CLUSTER}")
