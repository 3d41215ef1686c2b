"""Address arithmetic of the network: the subnet plan and the checks. Pure functions, no Pulumi.

The plan reserves a place for every zone a network may ever have, so that appending a zone moves no subnet
(AWS cannot change the range of a subnet: a moved one is a replaced one, with everything inside of it)::

    VPC /16 to /23: 8 slots of 1/8                       VPC /24: 4 slots of 1/4
    | private 1 | ... | private 6 | public 1-6, spare |  | private 1 | private 2 | private 3 | public 1-3, spare |

Private subnets get a slot each, three quarters of the VPC in all: nodes and pods live there. Public subnets hold only
load balancers and NAT gateways; they share the last quarter and are never larger than /24. The rest stays free
for subnets of your own.

| VPC | zones | private each   | public each |
|-----|-------|----------------|-------------|
| /16 | 6     | /19 (8187)     | /24 (251)   |
| /20 | 6     | /23 (507)      | /25 (123)   |
| /23 | 6     | /26 (59)       | /28 (11)    |
| /24 | 3     | /26 (59)       | /28 (11)    |
"""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from itertools import combinations
from typing import NamedTuple

from .problems import Problem

LARGEST_PREFIX, SMALLEST_PREFIX = 16, 28
"""AWS accepts VPCs and subnets from /16 to /28."""
MINIMUM_ZONES, MAXIMUM_ZONES = 2, 6
"""EKS and application load balancers refuse fewer than two zones; no region offers a cluster more than six."""
RESERVED_BY_AWS = 5
"""Addresses of every subnet that AWS keeps: network, router, DNS, future use, broadcast."""
LOAD_BALANCER_ADDRESSES = 8
"""Free addresses in each subnet of a load balancer, or the controller leaves that subnet out."""
PUBLIC_ADDRESSES_NEEDED = LOAD_BALANCER_ADDRESSES + 1
"""A load balancer and the NAT gateway."""
PRIVATE_ADDRESSES_NEEDED = 16
"""What EKS advises for its own network interfaces (it refuses fewer than 6); covers a load balancer's 8 too."""
SMALLEST_PLANNED_VPC = 24
LARGEST_PLANNED_PUBLIC_SUBNET = 24
_REFUSED_RANGES = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))


class SubnetPlan(NamedTuple):
    """CIDRs in zone order, as many in each list as there are zones."""

    public: list[str]
    private: list[str]


def usable_addresses(cidr: str) -> int:
    """Addresses of a subnet that can be assigned: its size less the five that AWS keeps. ValueError if not a CIDR."""
    return max(IPv4Network(cidr).num_addresses - RESERVED_BY_AWS, 0)


def plannable_zones(vpc_cidr: str) -> int:
    """The number of zones for which the plan of this VPC has room: 6, 3 for a /24, 0 for anything smaller.

    ValueError if not a CIDR.
    """
    prefix = IPv4Network(vpc_cidr).prefixlen
    if prefix > SMALLEST_PLANNED_VPC:
        return 0
    return MAXIMUM_ZONES if prefix < SMALLEST_PLANNED_VPC else 3


def plan_subnets(vpc_cidr: str, zones: int) -> SubnetPlan:
    """Plan one public and one private subnet for each of `zones` zones.

    The plan of n zones is the beginning of the plan of n + 1 zones.
    ValueError if `vpc_cidr` is no CIDR, or its plan has no room for that many zones.
    """
    room = plannable_zones(vpc_cidr)
    if zones > room:
        raise ValueError(f"{vpc_cidr} has room for the subnets of {room} zones, {zones} were asked for")
    vpc = IPv4Network(vpc_cidr)
    slot_bits = 3 if room == MAXIMUM_ZONES else 2
    private = list(vpc.subnets(slot_bits))
    last_quarter = list(vpc.subnets(2))[-1]
    public = last_quarter.subnets(new_prefix=max(last_quarter.prefixlen + slot_bits, LARGEST_PLANNED_PUBLIC_SUBNET))
    return SubnetPlan(
        public=[str(cidr) for cidr, _ in zip(public, range(zones), strict=False)],
        private=[str(cidr) for cidr in private[:zones]],
    )


def ipv6_subnet(vpc_cidr: str, zone: int, *, public: bool) -> str:
    """The /64 for a subnet inside the VPC's IPv6 block (AWS gives a /56, which holds 256 of them).

    `zone` counts from 0. Private subnets count from the beginning, public ones from the middle, so that both keep
    their range when a zone is appended. ValueError if `vpc_cidr` is no IPv6 CIDR.
    """
    block = IPv6Network(vpc_cidr)
    half = 1 << (63 - block.prefixlen)
    return str(IPv6Network((int(block.network_address) + ((zone + half * public) << 64), 64)))


def check_vpc_cidr(cidr: str, name: str = "cidr") -> list[Problem]:
    """What AWS would refuse in the VPC's range. `name` is how the caller names the input."""
    network, problems = _parse(cidr, name)
    if network and any(network.overlaps(refused) for refused in _REFUSED_RANGES):
        remedy = "choose a private range, such as 10.0.0.0/16"
        problems.append(Problem(name, cidr, "lies in a range that no VPC can have", remedy))
    return problems


def check_subnets(
    vpc_cidr: str,
    zones: int,
    public: Sequence[str],
    private: Sequence[str],
    *,
    private_addresses_needed: int = PRIVATE_ADDRESSES_NEEDED,
) -> list[Problem]:
    """What is wrong with the subnets of a VPC of `zones` zones; an empty list stands for the planned ones.

    `private_addresses_needed` is the least number of usable addresses of a private subnet.
    Reports nothing about `vpc_cidr` itself: see `check_vpc_cidr`; where that finds anything, the subnets are only
    checked among themselves.
    """
    vpc = None if check_vpc_cidr(vpc_cidr) else IPv4Network(vpc_cidr)
    problems: list[Problem] = []
    if vpc and not (public and private) and zones > (room := plannable_zones(vpc_cidr)):
        reason = f"has no room for planned subnets in {zones} zones (the plan holds {room})"
        problems.append(Problem("cidr", vpc_cidr, reason, "choose a /23 or larger, or give the subnets' CIDRs"))
    planned = plan_subnets(vpc_cidr, zones) if vpc and zones <= plannable_zones(vpc_cidr) else SubnetPlan([], [])
    subnets: list[tuple[str, IPv4Network]] = []
    for name, given, plan, needed in (
        ("public_subnet_cidrs", public, planned.public, PUBLIC_ADDRESSES_NEEDED),
        ("private_subnet_cidrs", private, planned.private, private_addresses_needed),
    ):
        if given and len(given) != zones:
            reason = f"has {len(given)} subnets for {zones} zones"
            problems.append(Problem(name, list(given), reason, "give one for each zone, in the order of the zones"))
        for cidr in given or plan:
            network, broken = _parse(cidr, name)
            problems += broken
            if not network or broken:
                continue
            subnets.append((name, network))
            if vpc and not network.subnet_of(vpc):
                reason = f"lies outside of the VPC {vpc}"
                problems.append(Problem(name, cidr, reason, "choose a range inside of it, or a larger VPC"))
            if usable_addresses(cidr) < needed:
                reason = f"leaves {usable_addresses(cidr)} usable addresses, {needed} are needed"
                remedy = "choose a larger range" if given else "choose a larger VPC"
                problems.append(Problem(name, cidr, reason, remedy))
    problems += [
        Problem(name, str(second), f"overlaps {first} of {other}", "choose ranges that share no address")
        for (other, first), (name, second) in combinations(subnets, 2)
        if first.overlaps(second)
    ]
    return problems


def prefix_fault(cidr: str, network: IPv4Network) -> tuple[str, str] | None:
    """Why AWS does not read the range that `ipaddress` read: a netmask, a leading zero, or no prefix at all."""
    address, _, prefix = cidr.partition("/")
    if prefix == str(network.prefixlen):
        return None
    meant = network if prefix else IPv4Network(f"{address}/{LARGEST_PREFIX}", strict=False)
    return "has no prefix length", f"write it like {meant}"


def _parse(cidr: str, name: str) -> tuple[IPv4Network | None, list[Problem]]:
    """The network, None where there is none, and what is wrong with how it is written or with its size."""
    try:
        network = IPv4Network(cidr, strict=False)
    except ValueError:
        return None, [Problem(name, cidr, "is no IPv4 range", "write it like 10.0.0.0/16")]
    if fault := prefix_fault(cidr, network):
        return network, [Problem(name, cidr, *fault)]
    problems: list[Problem] = []
    if str(network.network_address) != cidr.partition("/")[0]:
        problems.append(Problem(name, cidr, "has bits set to the right of its prefix", f"write {network}"))
    if not LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX:
        reason = f"has prefix /{network.prefixlen}, AWS takes /{LARGEST_PREFIX} to /{SMALLEST_PREFIX}"
        problems.append(Problem(name, cidr, reason, "choose a prefix between them"))
    return network, problems
