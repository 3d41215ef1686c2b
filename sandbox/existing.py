"""What a stack names as existing, made in the emulated account before the stack: a VPC with its subnets, gateways and
routes, hosted zones, an EKS cluster.

An emulated account begins empty, so nobody's VPC is in it. What the settings do not say is guessed as a usual landing
zone has it, and said; `sandbox:existing` in the stack's file, which only the embedded cloud reads, says it otherwise.
Where the account has a VPC of that id that was not made here, nothing is added to it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.cloud import EXISTING, Cloud, Store

BLOCK = "sandbox:existing"
_VPC_RANGES = ("10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16")
_SUBNET_PREFIX = 20
_ANYWHERE = "0.0.0.0/0"
_ROUTES = ("nat", "internet-gateway", "none")
_SUBNET_KEYS = {"cidr": str, "default_route": str, "map_public_ip_on_launch": bool, "tags": dict}
_KEYS = {"vpc_cidr": str, "vpc_tags": dict, "subnets": dict}
_VPC, _SUBNET, _ZONE = (
    re.compile(r"vpc-[0-9a-f]{8,17}"),
    re.compile(r"subnet-[0-9a-f]{8,17}"),
    re.compile(r"Z[A-Z0-9]+"),
)

Values = Mapping[str, Any]
Say = Callable[[str], None]


class ExistingError(ValueError):
    """The block for the embedded cloud says what cannot be."""


@dataclass
class Named:
    """What the settings of a stack name."""

    vpc: str = ""
    subnets: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Zone and role ("private" or "public") by id."""
    ipv6: bool = False
    taken: tuple[str, ...] = ()
    """Ranges that the VPC keeps clear of."""
    zones: dict[str, str] = field(default_factory=dict[str, str])
    """Names of hosted zones by id."""
    cluster: str = ""
    oidc_provider_arn: str = ""


def named(setting: Callable[[str], Any]) -> Named:
    """`setting` gives a setting of the stack by its name. What is malformed is left for the program to refuse."""
    network, cluster, e6data = (_mapping(setting(key)) for key in ("network", "cluster", "e6data"))
    dash = _mapping(setting("dash_enterprise"))
    dns = _mapping(dash.get("dns"))
    found = Named(ipv6=bool(network.get("ipv6")) or cluster.get("ip_family") == "ipv6")
    if _VPC.fullmatch(str(network.get("existing_vpc_id"))):
        found.vpc = network["existing_vpc_id"]
        for role in ("private", "public"):
            for zone, id in _mapping(network.get(f"existing_{role}_subnets")).items():
                if _SUBNET.fullmatch(str(id)):
                    found.subnets[id] = (zone, role)
    found.taken = tuple(filter(None, [_text(cluster.get("service_cidr"))]))
    names = {"hosted_zone_id": _text(dns.get("hosted_zone_name"))}
    names["prefixed_hosted_zone_id"] = _text(dash.get("base_domain")).partition(".")[2]
    found.zones = {dns[key]: name for key, name in names.items() if name and _ZONE.fullmatch(str(dns.get(key)))}
    existing = _mapping(e6data.get("existing_cluster"))
    if existing.get("enabled") in (True, "true") and found.vpc:
        found.cluster = _text(setting("cluster_name"))
        found.oidc_provider_arn = _text(existing.get("oidc_provider_arn"))
    return found


def ensure(cloud: Callable[[], Cloud], region: str, wanted: Named, block: object, say: Say) -> list[str]:
    """Make what is named and not there. Returns what was made and guessed, in sentences.

    ExistingError where `block` is wrong.
    """
    shape = _checked(block)
    if not (wanted.vpc or wanted.zones):
        return []
    running = cloud()
    try:
        made = [*_vpc(running, region, wanted, shape), *_hosted_zones(running, region, wanted)]
        if wanted.cluster and running.store(EXISTING).get(wanted.vpc):
            made += _cluster(running, region, wanted)
    except (BotoCoreError, ClientError) as error:
        raise ExistingError(
            f"what the stack names as existing cannot be made in the emulated account: {error}"
        ) from None
    for sentence in made:
        say(sentence)
    return made


def _vpc(cloud: Cloud, region: str, wanted: Named, shape: Values) -> Iterator[str]:
    if not wanted.vpc:
        return
    ec2, store = cloud.client("ec2", region), cloud.store(EXISTING)
    by_id = [{"Name": "vpc-id", "Values": [wanted.vpc]}]
    found = ec2.describe_vpcs(Filters=by_id)["Vpcs"]
    if found and not store.get(wanted.vpc):
        return  # somebody else's, as it is
    if not found:
        cidr = shape.get("vpc_cidr") or next(one for one in _VPC_RANGES if not _overlaps(one, wanted.taken))
        cloud.ask("next_id", kind="vpc", id=wanted.vpc)
        ec2.create_vpc(CidrBlock=cidr, AmazonProvidedIpv6CidrBlock=wanted.ipv6)
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=wanted.vpc, **{attribute: {"Value": True}})
        _tag(ec2, wanted.vpc, shape.get("vpc_tags", {}))
        store.put(wanted.vpc, _ways_out(ec2, store, wanted, cidr))
        found = ec2.describe_vpcs(Filters=by_id)["Vpcs"]
    ways = cast(Values, store.get(wanted.vpc))
    there = {one["SubnetId"] for one in ec2.describe_subnets()["Subnets"]}
    zones = {one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]}
    has_ipv6 = bool(found[0].get("Ipv6CidrBlockAssociationSet"))
    made: list[str] = []
    for id, (zone, role) in wanted.subnets.items():
        if id in there or zone not in zones:  # a zone that is none is left for the program to refuse
            continue
        about = shape.get("subnets", {}).get(id, {})
        cidr = about.get("cidr") or _free(ec2, wanted.vpc, found[0]["CidrBlock"])
        options = {"Ipv6CidrBlock": _free_ipv6(ec2, found[0])} if has_ipv6 else {}
        cloud.ask("next_id", kind="subnet", id=id)
        ec2.create_subnet(VpcId=wanted.vpc, CidrBlock=cidr, AvailabilityZone=zone, **options)
        if about.get("map_public_ip_on_launch"):
            ec2.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch={"Value": True})
        _tag(ec2, id, about.get("tags", {}))
        route = about.get("default_route") or ("nat" if role == "private" else "internet-gateway")
        for one in (id, ec2.associate_route_table(RouteTableId=ways[route], SubnetId=id)["AssociationId"]):
            store.put(one, {})
        way = {"nat": "behind a NAT gateway", "none": "without a way out"}.get(route, "with an internet gateway")
        made.append(f"{role} {id} ({cidr}, {zone}, {way})")
    if made:
        yield (
            f"Existing VPC: {wanted.vpc} is not in the emulated account, so one was made by guess: "
            f"{found[0]['CidrBlock']}, {', '.join(made)}. {BLOCK} in the stack's file says otherwise: "
            "docs/embedded-cloud.md."
        )


def _ways_out(ec2: Any, store: Store, wanted: Named, cidr: str) -> dict[str, str]:
    """Route tables by what their default route leads to."""
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=wanted.vpc)
    last = list(ipaddress.ip_network(cidr).subnets(new_prefix=28))[-1]
    subnet = ec2.create_subnet(VpcId=wanted.vpc, CidrBlock=str(last))["Subnet"]["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    tables = {route: ec2.create_route_table(VpcId=wanted.vpc)["RouteTable"]["RouteTableId"] for route in _ROUTES}
    ec2.create_route(RouteTableId=tables["nat"], DestinationCidrBlock=_ANYWHERE, NatGatewayId=nat)
    ec2.create_route(RouteTableId=tables["internet-gateway"], DestinationCidrBlock=_ANYWHERE, GatewayId=gateway)
    tie = ec2.associate_route_table(RouteTableId=tables["internet-gateway"], SubnetId=subnet)["AssociationId"]
    for id in (gateway, subnet, address, nat, tie, *tables.values()):
        store.put(id, {})
    return tables


def _hosted_zones(cloud: Cloud, region: str, wanted: Named) -> Iterator[str]:
    route53 = cloud.client("route53", region)
    for id, name in wanted.zones.items():
        try:
            route53.get_hosted_zone(Id=id)
        except ClientError:
            cloud.ask("next_id", kind="hosted-zone", id=id)
            route53.create_hosted_zone(Name=name, CallerReference=id)
            cloud.store(EXISTING).put(id, {})
            yield f"Existing hosted zone: the emulated account had no {id}, so it was made, empty, for {name}."


def _cluster(cloud: Cloud, region: str, wanted: Named) -> Iterator[str]:
    eks, ec2 = cloud.client("eks", region), cloud.client("ec2", region)
    if wanted.cluster in eks.list_clusters()["clusters"]:
        return
    if issuer := wanted.oidc_provider_arn.partition(":oidc-provider/")[2]:
        cloud.ask("next_id", kind="oidc-issuer", id=f"https://{issuer}")
        iam = cloud.client("iam", region)
        iam.create_open_id_connect_provider(Url=f"https://{issuer}", ClientIDList=["sts.amazonaws.com"])
        cloud.store(EXISTING).put(wanted.oidc_provider_arn, {})
    eks.create_cluster(
        name=wanted.cluster,
        roleArn=f"arn:aws:iam::{cloud.account_id}:role/{wanted.cluster}-cluster",
        resourcesVpcConfig={"subnetIds": [id for id, (_, role) in wanted.subnets.items() if role == "private"]},
        accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"},
    )
    # EKS makes and tags the group that control plane and nodes share.
    group = ec2.create_security_group(
        VpcId=wanted.vpc, GroupName=f"eks-cluster-sg-{wanted.cluster}", Description="EKS created security group"
    )["GroupId"]
    cloud.system_tag(group, {"aws:eks:cluster-name": wanted.cluster}, region)
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    for id in (wanted.cluster, group, *(rule["SecurityGroupRuleId"] for rule in rules)):
        cloud.store(EXISTING).put(id, {})
    yield f"Existing cluster: the emulated account had no {wanted.cluster}, so it was made in {wanted.vpc}, empty."


def _free(ec2: Any, vpc: str, cidr: str) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    taken = [one["CidrBlock"] for one in ec2.describe_subnets(Filters=filters)["Subnets"]]
    network = ipaddress.ip_network(cidr)
    prefix = max(_SUBNET_PREFIX, network.prefixlen + 4)  # 16 of them: six zones, twice, and room
    for block in network.subnets(new_prefix=prefix):
        if not _overlaps(str(block), taken):
            return str(block)
    raise ExistingError(f"{BLOCK}: {cidr} has no /{prefix} left for another subnet: write a larger vpc_cidr")


def _free_ipv6(ec2: Any, vpc: Values) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=filters)["Subnets"]
    taken = {entry["Ipv6CidrBlock"] for one in subnets for entry in one.get("Ipv6CidrBlockAssociationSet", [])}
    network = ipaddress.ip_network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    return next(str(block) for block in network.subnets(new_prefix=64) if str(block) not in taken)


def _overlaps(cidr: str, others: Any) -> bool:
    for other in others:
        try:
            if ipaddress.ip_network(cidr).overlaps(ipaddress.ip_network(other)):
                return True
        except (TypeError, ValueError):
            continue  # not for here to judge
    return False


def _tag(ec2: Any, id: str, tags: Values) -> None:
    if tags:
        ec2.create_tags(Resources=[id], Tags=[{"Key": key, "Value": str(value)} for key, value in tags.items()])


def _checked(block: object) -> Values:
    """The block, without anything that would be passed over in silence."""
    if block is None:
        return {}
    shape = _keys_of(BLOCK, block, _KEYS)
    cidrs = {"vpc_cidr": shape.get("vpc_cidr")}
    for id, about in shape.get("subnets", {}).items():
        at = f"{BLOCK}.subnets.{id}"
        route = _keys_of(at, about, _SUBNET_KEYS).get("default_route", "nat")
        if route not in _ROUTES:
            raise ExistingError(f"{at}.default_route = {route!r}: write one of {', '.join(_ROUTES)}")
        cidrs[f"subnets.{id}.cidr"] = about.get("cidr")
    for key, cidr in cidrs.items():
        try:
            ipaddress.IPv4Network(cidr or _ANYWHERE)
        except ValueError as error:
            raise ExistingError(f"{BLOCK}.{key} = {cidr!r}: {error}; write it like 10.0.0.0/16") from None
    return shape


def _keys_of(at: str, block: object, known: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(block, dict):
        raise ExistingError(f"{at} = {block!r}: write keys below it, of {', '.join(known)}")
    for key, value in cast(dict[str, Any], block).items():
        if key not in known:
            raise ExistingError(f"{at}.{key} is not known: write one of {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise ExistingError(f"{at}.{key} = {value!r}: a {known[key].__name__} belongs there")
    return cast(dict[str, Any], block)


def _mapping(value: object) -> Values:
    return cast(Values, value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
