"""What a Network is asked for, and everything in it that AWS or EKS would refuse, often only after minutes. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network

from .cluster_checks import LOG_RETENTION_DAYS
from .endpoints import NODE_ENDPOINTS, PRIVATE_CLUSTER, check_endpoints, expand_endpoints
from .permissions_boundary import boundary_problems
from .problems import Problem
from .subnets import MAXIMUM_ZONES, MINIMUM_ZONES, PRIVATE_ADDRESSES_NEEDED, check_subnets, check_vpc_cidr
from .tags import check_tags

# EKS' own choices, and one of each private range for VPCs that hold both.
_SERVICE_RANGES = ("172.20.0.0/16", "10.100.0.0/16", "192.168.0.0/16", "172.31.0.0/16", "10.200.0.0/16", "10.0.0.0/16")
NAT_GATEWAYS = ("one-per-az", "single", "none")
TENANCIES = ("default", "dedicated")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_VPC_ID, _SUBNET_ID = (re.compile(kind + r"-([0-9a-f]{8}|[0-9a-f]{17})") for kind in ("vpc", "subnet"))


@dataclass(frozen=True)
class NetworkOptions:
    """`NetworkArgs`, which documents the fields, with its defaults filled in."""

    cluster_name: str
    region: str
    availability_zones: Sequence[str]
    cidr: str = "10.0.0.0/16"
    name_prefix: str = ""
    public_subnet_cidrs: Sequence[str] = ()
    private_subnet_cidrs: Sequence[str] = ()
    nat_gateways: str = "one-per-az"
    enable_s3_endpoint: bool = True
    interface_endpoints: Sequence[str] = ()
    enable_ipv6: bool = False
    tenancy: str = "default"
    confirm_replacement: bool = False
    enable_dns_support: bool = True
    enable_dns_hostnames: bool = True
    flow_logs_retention_days: int = 0
    existing_vpc_id: str = ""
    existing_private_subnets: Mapping[str, str] = field(default_factory=dict[str, str])
    existing_public_subnets: Mapping[str, str] = field(default_factory=dict[str, str])
    needs_way_out: bool = False
    service_cidr: str = ""
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def check_network(options: NetworkOptions) -> list[Problem]:
    """Everything that is wrong with the options; empty when a network can be built of them."""
    checks = _check_existing if options.existing_vpc_id else _check_new
    boundary = boundary_problems(options.permissions_boundary_arn, options.region)
    return [*_check_names(options), *check_tags(options.tags), *boundary, *checks(options)]


def service_range_problems(service_cidr: str, vpc_cidrs: Iterable[str]) -> Iterator[Problem]:
    """EKS: `serviceIpv4Cidr` "doesn't overlap with any CIDR block assigned to the VPC"
    (https://docs.aws.amazon.com/eks/latest/APIReference/API_KubernetesNetworkConfigRequest.html).

    What is no range is left to whoever judges ranges; an empty `service_cidr` stands for none.
    """
    try:
        services = IPv4Network(service_cidr)
        blocks = [IPv4Network(cidr) for cidr in vpc_cidrs]
    except ValueError:
        return
    if shared := [str(block) for block in blocks if block.overlaps(services)]:
        free = [one for one in _SERVICE_RANGES if not any(block.overlaps(IPv4Network(one)) for block in blocks)]
        reason = f"shares addresses with {' and '.join(shared)} of the VPC, which EKS refuses"
        example = f', such as "{free[0]}"' if free else ""
        yield Problem("service_cidr", service_cidr, reason, f"write a range outside of the VPC{example}")


def of_network(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems of a network as a product names them, whose cluster has the range of services."""
    for problem in problems:
        block = "cluster" if problem.input == "service_cidr" else "network"
        yield replace(problem, input=f"{block}.{problem.input}")


def way_out_problems(network: NetworkOptions, reason: str) -> Iterator[Problem]:
    """A new network without NAT can carry an EKS cluster, and no product that needs the internet for `reason`."""
    if network.nat_gateways == "none" and not network.existing_vpc_id:
        remedy = 'write "one-per-az", or "single" for a small environment; or name an existing VPC with another way out'
        yield Problem("nat_gateways", "none", reason, remedy)


def product_network_problems(network: NetworkOptions, way_out: str) -> list[Problem]:
    """What is wrong with the network of a product that needs the internet, for the reason `way_out`."""
    closed = list(way_out_problems(network, way_out))
    # A network alone knows a way to do without NAT, which is none here.
    return closed + [one for one in check_network(network) if not closed or one.input != "nat_gateways"]


def _check_names(options: NetworkOptions) -> Iterator[Problem]:
    for name, value in (("cluster_name", options.cluster_name), ("name_prefix", options.name_prefix or "default")):
        if not _NAME.fullmatch(value):
            remedy = "begin with a letter or digit, go on with these, hyphens and underscores, 100 at most"
            yield Problem(name, value, "is no name that EKS takes", remedy)
    zones = options.availability_zones
    if not MINIMUM_ZONES <= len(zones) <= MAXIMUM_ZONES:
        reason = f"has {len(zones)} zones, EKS and load balancers need {MINIMUM_ZONES} to {MAXIMUM_ZONES}"
        yield Problem("availability_zones", list(zones), reason, f"name zones of {options.region}")
    if len(set(zones)) < len(zones):
        yield Problem("availability_zones", list(zones), "names a zone twice", "name each zone once")
    for zone in zones:
        if not re.fullmatch(re.escape(options.region) + "[a-z]", zone):
            remedy = f"name one such as {options.region}a"
            yield Problem("availability_zones", zone, f"is no availability zone of region {options.region}", remedy)


def _check_new(options: NetworkOptions) -> Iterator[Problem]:
    endpoints = expand_endpoints(options.region, options.interface_endpoints)
    yield from check_vpc_cidr(options.cidr)
    yield from check_subnets(
        options.cidr,
        len(options.availability_zones),
        options.public_subnet_cidrs,
        options.private_subnet_cidrs,
        private_addresses_needed=PRIVATE_ADDRESSES_NEEDED + len(endpoints),
    )
    yield from service_range_problems(options.service_cidr, [options.cidr])
    yield from check_endpoints(options.region, endpoints)
    for name, value, allowed in (
        ("nat_gateways", options.nat_gateways, NAT_GATEWAYS),
        ("tenancy", options.tenancy, TENANCIES),
        ("flow_logs_retention_days", options.flow_logs_retention_days, (0, *LOG_RETENTION_DAYS)),
    ):
        if value not in allowed:
            yield Problem(name, value, "cannot be chosen", f"choose one of {', '.join(map(str, allowed))}")
    missing = [service for service in NODE_ENDPOINTS if service not in endpoints]
    missing += [] if options.enable_s3_endpoint else ["s3"]
    if options.nat_gateways == "none" and missing:
        reason = f"leaves private nodes without internet and without endpoints of {', '.join(missing)}: none would join"
        remedy = f'add "{PRIVATE_CLUSTER}" to the interface endpoints and keep the S3 endpoint, or choose NAT gateways'
        yield Problem("nat_gateways", "none", reason, remedy)
    if options.enable_dns_hostnames and not options.enable_dns_support:
        remedy = "keep DNS support, or give up host names too"
        yield Problem("enable_dns_support", False, "cannot be off while DNS host names are on", remedy)
    if endpoints and not (options.enable_dns_support and options.enable_dns_hostnames):
        reason = "are of no use without DNS support and DNS host names, by which clients find them"
        yield Problem("interface_endpoints", endpoints, reason, "turn both on, or leave the endpoints out")
    for name, subnets in (
        ("existing_private_subnets", options.existing_private_subnets),
        ("existing_public_subnets", options.existing_public_subnets),
    ):
        if subnets:
            yield Problem(name, dict(subnets), "are given without their VPC", "give the id of the existing VPC too")


def _check_existing(options: NetworkOptions) -> Iterator[Problem]:
    if not _VPC_ID.fullmatch(options.existing_vpc_id):
        yield Problem("existing_vpc_id", options.existing_vpc_id, "is no VPC id", "write it like vpc-0a1b2c3d4e5f6a7b8")
    zones = options.availability_zones
    private, public = options.existing_private_subnets, options.existing_public_subnets
    if missing := [zone for zone in zones if zone not in private]:
        reason = f"has no subnet in {', '.join(missing)}"
        yield Problem("existing_private_subnets", dict(private), reason, "give one for each availability zone")
    if len(public) == 1:
        reason = "lies in one zone, load balancers need two"
        yield Problem("existing_public_subnets", dict(public), reason, "give two or more, or none")
    seen: set[str] = set()
    for name, subnets in (("existing_private_subnets", private), ("existing_public_subnets", public)):
        for zone, subnet in subnets.items():
            if zone not in zones:
                remedy = "add it to the availability zones, or leave its subnet out"
                yield Problem(name, zone, "is none of the availability zones", remedy)
            if not _SUBNET_ID.fullmatch(subnet):
                yield Problem(name, subnet, "is no subnet id", "write it like subnet-0a1b2c3d4e5f6a7b8")
            if subnet in seen:
                yield Problem(name, subnet, "is given more than once", "give each subnet once")
            seen.add(subnet)
    for name in (
        *("public_subnet_cidrs", "private_subnet_cidrs", "interface_endpoints"),
        *("tenancy", "flow_logs_retention_days"),
    ):
        value = getattr(options, name)
        if value and value != getattr(NetworkOptions, name):
            remedy = "leave it out, or leave out the existing VPC"
            yield Problem(name, value, "would change an existing VPC, of which only tags are changed", remedy)
