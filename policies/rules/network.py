"""Who reaches what: security groups, load balancers of the cluster, subnets, NAT gateways, flow logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from pack.kinds import CLUSTER, PRIVATE_ROLE, PUBLIC_ROLE, SUBNET, VPC
from pack.networks import WORLD, too_wide
from pack.openings import ADMINISTRATION, DEFAULT_GROUP, LISTS, REACHABLE, Opening, openings
from pack.rule import Level, Parameter, Resource, Severity, Situation, StackResource, fewer, higher, rule
from pack.values import apart, block, in_words, is_true, items, together

_PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
_PREFIX_LIST_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
_PREFIX_LISTS = (_PREFIX_LIST, _PREFIX_LIST_ENTRY)
_DEFAULT_SUBNET = "aws:ec2/defaultSubnet:DefaultSubnet"
_NAT = "aws:ec2/natGateway:NatGateway"
_NAMED = 4
"""Ports of administration that a message names."""
_FLOW_LOG = "aws:ec2/flowLog:FlowLog"


def _listed(resource: Resource) -> Iterator[str]:
    """The networks of a prefix list, or of one entry of it."""
    entries = items(resource.props, "entries") if resource.resource_type == _PREFIX_LIST else [resource.props]
    return apart(entries, lambda entry: iter([entry["cidr"]]))


@rule(
    "limit-world-ingress",
    "Only the ports of the product's load balancer are open to the world.",
    severity=Severity.CRITICAL,
    types=(*REACHABLE, *_PREFIX_LISTS),
    remediation="name the networks that need the port instead of 0.0.0.0/0 and ::/0, or the security group they are in",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    parameters={"ports": Parameter([80, 443], "ports that the load balancer serves", tighter=fewer)},
)
def limit_world_ingress(resource: Resource, situation: Situation) -> Iterator[str]:
    def listed(cidrs: list[str]) -> Iterator[str]:
        yield from (f"its entry {cidr} is the world, behind the name of a list" for cidr in too_wide(cidrs))

    def opened(found: list[Opening]) -> Iterator[str]:
        # An address of each network of a range need not be open by one entry: 0.0.0.0/1 here, 128.0.0.0/1 there.
        for opening in {(one.first, one.last, one.protocol): one for one in found}.values():
            alike = [one for one in found if one[:2] == opening[:2] and one.protocol == opening.protocol]
            served = not opening.protocol and any(opening.first == opening.last == port for port in situation["ports"])
            administers = any(one.administers for one in alike)  # the rule below says so, and only it
            wide = too_wide(cidr for one in alike for cidr in one.cidrs)
            if wide and not served and not administers and not opening.is_harmless:
                yield f"{opening} open to {in_words(wide)}"

    if resource.resource_type in _PREFIX_LISTS:
        yield from together(_listed(resource), listed)
    else:
        yield from together(openings(resource), opened)


@rule(
    "refuse-world-administration",
    "SSH, the Admin Console, the Kubernetes API and their like are never open to the world; in production, to no "
    "network wider than a /16.",
    severity=Severity.CRITICAL,
    types=(*REACHABLE, *LISTS, *_PREFIX_LISTS),
    remediation="use Session Manager, or open the port to the networks of named people",
    link="https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html",
    parameters={
        "shortest_prefix": Parameter(
            WORLD, "shortest prefix of an IPv4 network; twice that of an IPv6 one", production=16, tighter=higher
        )
    },
)
def refuse_world_administration(resource: Resource, situation: Situation) -> Iterator[str]:
    shortest = situation["shortest_prefix"]

    def listed(cidrs: list[str]) -> Iterator[str]:
        wide = [cidr for cidr in too_wide(cidrs, shortest) if cidr not in too_wide(cidrs)]  # the rule above says those
        yield from (f"its entry {cidr} is wider than /{shortest}, behind the name of a list" for cidr in wide)

    def opened(found: list[Opening]) -> Iterator[str]:
        ports: dict[tuple[str, ...], list[str]] = {}
        for port, name in ADMINISTRATION.items():
            cidrs = dict.fromkeys(cidr for one in found if one.includes(port) for cidr in one.cidrs)
            if wide := too_wide(cidrs, shortest):
                ports.setdefault(tuple(wide), []).append(f"{port} ({name})")
        for cidrs, names in ports.items():
            others = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"{in_words(names[:_NAMED])}{others} open to {in_words(cidrs)}"

    if resource.resource_type in _PREFIX_LISTS:
        yield from together(_listed(resource), listed)
    else:
        yield from together(openings(resource), opened)


@rule(
    "empty-default-security-group",
    "The VPC's default security group lets nothing in and nothing out.",
    severity=Severity.MEDIUM,
    types=(DEFAULT_GROUP,),
    remediation="leave `ingress` and `egress` empty; what needs a group gets one of its own",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2",
)
def empty_default_security_group(resource: Resource, _: Situation) -> Iterator[str]:
    for way in ("ingress", "egress"):
        if items(resource.props, way):
            yield f"has {way} rules"


@rule(
    "keep-private-subnets-private",
    "No subnet gives public addresses to what is started in it: load balancers and NAT gateways need none from it.",
    severity=Severity.HIGH,
    types=(SUBNET, _DEFAULT_SUBNET),
    remediation="set mapPublicIpOnLaunch to false",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-15",
)
def keep_private_subnets_private(resource: Resource, _: Situation) -> Iterator[str]:
    given = resource.props.get("mapPublicIpOnLaunch")
    if is_true(given) or (given is None and resource.resource_type == _DEFAULT_SUBNET):
        yield "maps public addresses"


@rule(
    "use-one-nat-per-zone",
    "In production each zone with private subnets has a NAT gateway, so that a lost zone takes no other with it.",
    severity=Severity.MEDIUM,
    level=Level.DISABLED,
    remediation="set network.nat_gateways to one-per-az",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html",
)
def use_one_nat_per_zone(
    resources: Sequence[StackResource], _: Situation
) -> Iterator[tuple[StackResource | None, str]]:
    with_nat: dict[str, set[str]] = defaultdict(set)
    for gateway in resources:
        if gateway.resource_type == _NAT:
            for subnet in gateway.property_dependencies.get("subnetId", ()):
                with_nat[_vpc(subnet)].add(str(subnet.props.get("availabilityZone")))
    for vpc, subnets in _by_vpc(resources):
        private = {str(one.props.get("availabilityZone")) for one in subnets if PUBLIC_ROLE not in _tags(one)}
        missing = sorted(private - with_nat[vpc.urn])
        if with_nat[vpc.urn] and missing:  # without any, the VPC has no way out by intent
            yield vpc, f"no NAT gateway in {in_words(missing)}"


@rule(
    "tag-load-balancer-subnets",
    "Load balancers find subnets of their role in at least two zones.",
    severity=Severity.HIGH,
    remediation=f"tag the public subnets of two zones {PUBLIC_ROLE}=1 and the private ones {PRIVATE_ROLE}=1",
    link="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/subnet_discovery/",
    parameters={"zones": Parameter(2, "zones that each role needs", tighter=higher)},
)
def tag_load_balancer_subnets(
    resources: Sequence[StackResource], situation: Situation
) -> Iterator[tuple[StackResource | None, str]]:
    if not any(one.resource_type == CLUSTER for one in resources):
        return
    for vpc, subnets in _by_vpc(resources):
        is_public = any(is_true(one.props.get("mapPublicIpOnLaunch")) or PUBLIC_ROLE in _tags(one) for one in subnets)
        for role in (PUBLIC_ROLE, PRIVATE_ROLE) if is_public else (PRIVATE_ROLE,):
            zones = {str(one.props.get("availabilityZone")) for one in subnets if role in _tags(one)}
            if len(zones) < situation["zones"]:
                yield vpc, f"{role} on subnets of {len(zones)} zone(s): {in_words(sorted(zones))}"


@rule(
    "keep-flow-logs",
    "In production the VPC's traffic is logged.",
    severity=Severity.MEDIUM,
    level=Level.DISABLED,
    remediation="set network.flow_logs_retention_days",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs.html",
)
def keep_flow_logs(resources: Sequence[StackResource], _: Situation) -> Iterator[tuple[StackResource | None, str]]:
    logged = {
        vpc.urn
        for log in resources
        if log.resource_type == _FLOW_LOG
        for vpc in log.property_dependencies.get("vpcId", ())
    }
    for vpc in resources:
        if vpc.resource_type == VPC and vpc.urn not in logged:
            yield vpc, "has no flow log"


def _by_vpc(resources: Sequence[StackResource]) -> Iterator[tuple[StackResource, list[StackResource]]]:
    """The VPCs that the stack makes, with their subnets; of others it may know a part only."""
    found: dict[str, list[StackResource]] = defaultdict(list)
    for subnet in resources:
        if subnet.resource_type == SUBNET and (vpc := _vpc(subnet)):
            found[vpc].append(subnet)
    return ((vpc, found[vpc.urn]) for vpc in resources if vpc.urn in found)


def _vpc(subnet: StackResource) -> str:
    """The URN of the subnet's VPC, empty where the stack does not make that."""
    made = subnet.property_dependencies.get("vpcId", ())
    return made[0].urn if made and made[0].resource_type == VPC else ""


def _tags(subnet: StackResource) -> Any:
    return block(subnet.props, "tags")
