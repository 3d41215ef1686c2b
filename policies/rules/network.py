"""Who reaches what: security groups, subnets, NAT gateways, flow logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pack.kinds import CLUSTER, NODE_GROUP, PRIVATE_ROLE, PUBLIC_ROLE, SUBNET, VPC
from pack.rule import Level, Parameter, Resource, Severity, Situation, StackResource, rule
from pack.values import apart, block, in_words, is_true, is_world, items

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
_OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_INGRESS = (_GROUP, _DEFAULT_GROUP, _OLD_RULE, _RULE)
_PREFIX_LIST = "aws:ec2/managedPrefixList:ManagedPrefixList"
_PREFIX_LIST_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry"
_NAT = "aws:ec2/natGateway:NatGateway"
_FLOW_LOG = "aws:ec2/flowLog:FlowLog"
_ADMINISTRATION = {22: "SSH", 3389: "RDP", 6443: "the Kubernetes API", 8800: "the Admin Console"}
_BY_PORT = ("tcp", "udp", "6", "17")
_ICMP = {"icmp": "ICMP", "1": "ICMP", "icmpv6": "ICMPv6", "58": "ICMPv6"}
_PATH_MTU = {"ICMP": (3, 4), "ICMPv6": (2, 0)}
"""Type and code of the messages without which large packets get lost on their way."""


class Opening(NamedTuple):
    """Ports that a security group opens."""

    first: int
    last: int
    cidrs: Sequence[str]
    protocol: str = ""
    """One that knows no ports: `first` and `last` are type and code of ICMP."""

    def includes(self, port: int) -> bool:
        return not self.protocol and self.first <= port <= self.last

    def __str__(self) -> str:
        if self.protocol:
            return self.protocol
        if (self.first, self.last) == (0, 65535):
            return "all ports"
        return f"port {self.first}" if self.first == self.last else f"ports {self.first} to {self.last}"


def _openings(resource: Resource) -> Iterator[Opening]:
    """What a resource opens to the world."""
    props = resource.props
    if resource.resource_type in (_GROUP, _DEFAULT_GROUP):
        yield from apart(items(props, "ingress"), _opening)
    elif resource.resource_type == _OLD_RULE:
        if props.get("type") == "ingress":
            yield from _opening(props)
    elif resource.resource_type == NODE_GROUP:
        access = block(props, "remoteAccess")
        if access.get("ec2SshKey") and not len(items(access, "sourceSecurityGroupIds")):
            yield Opening(22, 22, ["0.0.0.0/0"])  # EKS makes the security group, and opens it to everybody
    else:
        cidr = props.get("cidrIpv4") or props.get("cidrIpv6")
        yield from _opening({**props_of(props), "cidrBlocks": [cidr] if cidr else []})


def props_of(props: Any) -> dict[str, Any]:
    """Ports and protocol under the names that ingress blocks have."""
    return {"fromPort": props.get("fromPort"), "toPort": props.get("toPort"), "protocol": props.get("ipProtocol")}


def _opening(ingress: Any) -> Iterator[Opening]:
    cidrs = [cidr for cidr in (*items(ingress, "cidrBlocks"), *items(ingress, "ipv6CidrBlocks")) if is_world(cidr)]
    if cidrs:
        first, last = int(ingress.get("fromPort") or 0), int(ingress.get("toPort") or 0)
        protocol = str(ingress.get("protocol")).lower()
        if protocol in _ICMP or (protocol.isdecimal() and protocol not in _BY_PORT):
            yield Opening(first, last, cidrs, _ICMP.get(protocol, f"protocol {protocol}"))
        elif protocol not in _BY_PORT or (first, last) == (-1, -1):
            yield Opening(0, 65535, cidrs)
        else:
            yield Opening(first, last, cidrs)


def _listed(entry: Any) -> Iterator[str]:
    if is_world(entry["cidr"]):
        yield f"its entry {entry['cidr']} is the world, behind the name of a list"


@rule(
    "limit-world-ingress",
    "Only the ports of the product's load balancer are open to the world.",
    severity=Severity.CRITICAL,
    types=(*_INGRESS, _PREFIX_LIST, _PREFIX_LIST_ENTRY),
    remediation="name the networks that need the port instead of 0.0.0.0/0 and ::/0, or the security group they are in",
    link="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html",
    parameters={"ports": Parameter([80, 443], "ports that the load balancer serves")},
)
def limit_world_ingress(resource: Resource, situation: Situation) -> Iterator[str]:
    if resource.resource_type in (_PREFIX_LIST, _PREFIX_LIST_ENTRY):
        is_list = resource.resource_type == _PREFIX_LIST
        yield from apart(items(resource.props, "entries") if is_list else [resource.props], _listed)
        return
    for opening in _openings(resource):
        if _PATH_MTU.get(opening.protocol) == (opening.first, max(opening.last, 0)):
            continue
        served = not opening.protocol and any(opening.first == opening.last == port for port in situation["ports"])
        administers = any(opening.includes(port) for port in _ADMINISTRATION)  # the rule below says so, and only it
        if not served and not administers:
            yield f"{opening} open to {in_words(opening.cidrs)}"


@rule(
    "refuse-world-administration",
    "SSH, the Admin Console and the Kubernetes API are never open to the world.",
    severity=Severity.CRITICAL,
    types=(*_INGRESS, NODE_GROUP),
    remediation="use Session Manager, or open the port to the networks of named people",
    link="https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager.html",
)
def refuse_world_administration(resource: Resource, _: Situation) -> Iterator[str]:
    for opening in _openings(resource):
        names = [f"{port} ({name})" for port, name in _ADMINISTRATION.items() if opening.includes(port)]
        if names:
            yield f"{in_words(names)} open to {in_words(opening.cidrs)}"


@rule(
    "empty-default-security-group",
    "The VPC's default security group lets nothing in and nothing out.",
    severity=Severity.MEDIUM,
    types=(_DEFAULT_GROUP,),
    remediation="leave `ingress` and `egress` empty; what needs a group gets one of its own",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-2",
)
def empty_default_security_group(resource: Resource, _: Situation) -> Iterator[str]:
    for way in ("ingress", "egress"):
        if items(resource.props, way):
            yield f"has {way} rules"


@rule(
    "keep-private-subnets-private",
    "Only subnets for public load balancers give public addresses to what is started in them.",
    severity=Severity.HIGH,
    types=(SUBNET,),
    remediation=f"set mapPublicIpOnLaunch to false; a public subnet carries the tag {PUBLIC_ROLE}",
    link="https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html",
)
def keep_private_subnets_private(resource: Resource, _: Situation) -> Iterator[str]:
    if is_true(resource.props.get("mapPublicIpOnLaunch")) and PUBLIC_ROLE not in block(resource.props, "tags"):
        yield "maps public addresses, and is no public subnet"


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
    parameters={"zones": Parameter(2, "zones that each role needs")},
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
