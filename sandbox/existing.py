"""What a stack names as existing, made in the emulated account before the stack: a VPC with its subnets, gateways and
routes, hosted zones, an EKS cluster.

An emulated account begins empty, so nobody's VPC is in it. What the settings do not say is guessed as a usual landing
zone has it, and said; `sandbox:existing` in the stack's file, which only the embedded cloud reads, says it otherwise.
Where the account has a VPC of that id that was not made here, nothing is added to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network, collapse_addresses, ip_network
from typing import Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from eks_analytics.subnets import LARGEST_PREFIX, SMALLEST_PREFIX
from sandbox.cloud import EXISTING, Cloud, Store

BLOCK = "sandbox:existing"
_VPC_RANGES = ("10.0.0.0/16", "172.16.0.0/16", "192.168.0.0/16")
_SUBNET_PREFIX = 20
_MOST_RANGES = 5
"""Of a VPC, by AWS's quota."""
_SHARED = IPv4Network("100.64.0.0/10")
"""Whose ranges may be added to every VPC."""
_ANYWHERE = "0.0.0.0/0"
_ROUTES = ("nat", "internet-gateway", "none")
_SUBNET_KEYS = {"cidr": str, "default_route": str, "map_public_ip_on_launch": bool, "tags": dict}
_KEYS = {"vpc_cidr": str, "vpc_tags": dict, "subnets": dict}
_KINDS = {str: "text", bool: "true or false", dict: "a mapping"}
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
    shape = _checked(block, wanted)
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
    ours = store.get(wanted.vpc)
    if found and ours is None:
        return  # somebody else's, as it is
    zones = {one["ZoneName"] for one in ec2.describe_availability_zones()["AvailabilityZones"]}
    # A zone that is none is left for the program to refuse.
    about = {id: shape.get("subnets", {}).get(id, {}) for id, (zone, _) in wanted.subnets.items() if zone in zones}
    there = {one["SubnetId"]: IPv4Network(one["CidrBlock"]) for one in ec2.describe_subnets(Filters=by_id)["Subnets"]}
    vpc = IPv4Network(found[0]["CidrBlock"] if found else _vpc_cidr(wanted, shape))
    blocks = [IPv4Network(one["CidrBlock"]) for one in found[0]["CidrBlockAssociationSet"]] if found else [vpc]
    ranges = _ranges(vpc, about, there)
    more = _more_blocks(blocks, ranges)
    values = {"ipv6": wanted.ipv6, "vpc_cidr": shape.get("vpc_cidr"), "vpc_tags": shape.get("vpc_tags", {})}
    if ours and found:
        subnets = {id: given for id, given in about.items() if id in there}
        if changed := _changed(store, ours["values"], values, subnets):
            yield (
                f"Existing VPC: {wanted.vpc} was made in the emulated account from other values "
                f"({', '.join(changed)}) and stays as it is: run make down first for the new ones."
            )
    else:
        ours = dict[str, Any](values=values)
        store.put(wanted.vpc, ours)  # first: a VPC without it would be somebody else's
        _make_vpc(cloud, ec2, wanted, vpc, values["vpc_tags"])
    for block in more:
        ec2.associate_vpc_cidr_block(VpcId=wanted.vpc, CidrBlock=str(block))
    if "tables" not in ours:
        ours["tables"] = _tables(ec2, store, wanted)
        store.put(wanted.vpc, ours)
    found = ec2.describe_vpcs(Filters=by_id)["Vpcs"]
    routes = {id: _route(wanted, id, given) for id, given in about.items()}
    said: list[str] = []
    for id, given in about.items():
        if store.get(id) is not None:
            continue
        zone, role = wanted.subnets[id]
        if id not in there:
            _make_subnet(cloud, ec2, found[0], id, ranges[id], zone)
        if given.get("map_public_ip_on_launch"):
            ec2.modify_subnet_attribute(SubnetId=id, MapPublicIpOnLaunch={"Value": True})
        _tag(ec2, id, given.get("tags", {}))
        table = ours["tables"][routes[id]]
        store.put(ec2.associate_route_table(RouteTableId=table, SubnetId=id)["AssociationId"], {})
        store.put(id, given)
        way = {"nat": "behind a NAT gateway", "none": "without a way out"}.get(routes[id], "with an internet gateway")
        said.append(f"{role} {id} ({ranges[id]}, {zone}, {way})")
    if "nat" in routes.values() and "nat" not in ours:
        public = next((id for id, route in routes.items() if route == "internet-gateway"), None)
        taken = [*there.values(), *ranges.values()]
        ours["nat"] = _nat_gateway(ec2, store, wanted, ours["tables"], public, [*blocks, *more], taken)
        store.put(wanted.vpc, ours)
    if said:
        yield (
            f"Existing VPC: {wanted.vpc} is not in the emulated account, so one was made by guess: "
            f"{', '.join(map(str, [*blocks, *more]))}, {', '.join(said)}. {BLOCK} in the stack's file says otherwise: "
            "docs/embedded-cloud.md."
        )


def _changed(store: Store, before: Values, values: Values, subnets: Mapping[str, Values]) -> list[str]:
    """What the block says otherwise than when the VPC and those of its subnets were made."""
    changed = [key for key, value in values.items() if value != before[key]]
    return changed + [f"subnets.{id}" for id, given in subnets.items() if store.get(id) not in (None, given)]


def _vpc_cidr(wanted: Named, shape: Values) -> str:
    if given := shape.get("vpc_cidr"):
        return given
    inside = [IPv4Network(one["cidr"]) for one in shape.get("subnets", {}).values() if one.get("cidr")]
    guesses = [*(str(one.supernet(new_prefix=LARGEST_PREFIX)) for one in inside[:1]), *_VPC_RANGES]
    # Where every guess overlaps, what it overlaps is for the program to refuse.
    return next((one for one in guesses if not _overlaps(one, wanted.taken)), guesses[0])


def _ranges(vpc: IPv4Network, about: Mapping[str, Values], there: Mapping[str, IPv4Network]) -> dict[str, IPv4Network]:
    """Of each subnet: where it is, where the block wants it, or else a free one."""
    ranges = {id: there[id] for id in about if id in there}
    for id, given in about.items():
        if id in ranges or not given.get("cidr"):
            continue
        ranges[id] = IPv4Network(given["cidr"])
        at = f"{BLOCK}.subnets.{id}.cidr = {given['cidr']!r}"
        for other, taken in there.items():
            if ranges[id].overlaps(taken):
                raise ExistingError(f"{at}: {other} was made before in {taken}; run make down first")
        if ranges[id].overlaps(vpc) and not ranges[id].subnet_of(vpc):
            raise ExistingError(f"{at}: it is larger than the VPC, {vpc}; write a range in it or outside of it")
    for id in about:
        if id not in ranges:
            ranges[id] = _free(vpc, [*there.values(), *ranges.values()])
    return ranges


def _more_blocks(blocks: list[IPv4Network], ranges: Mapping[str, IPv4Network]) -> list[IPv4Network]:
    """What the VPC needs beside its ranges, for subnets outside of them."""
    outside = [one for one in ranges.values() if not any(one.subnet_of(block) for block in blocks)]
    more = [
        part
        for block in collapse_addresses(outside)
        for part in (block.subnets(new_prefix=LARGEST_PREFIX) if block.prefixlen < LARGEST_PREFIX else [block])
    ]
    if len(blocks) + len(more) > _MOST_RANGES:
        raise ExistingError(
            f"{BLOCK}.subnets: outside of {', '.join(map(str, blocks))} they need {', '.join(map(str, more))}, and a "
            f"VPC has {_MOST_RANGES} ranges at most; write a vpc_cidr that holds more of them"
        )
    return more


def _make_vpc(cloud: Cloud, ec2: Any, wanted: Named, cidr: IPv4Network, tags: Values) -> None:
    cloud.ask("next_id", kind="vpc", id=wanted.vpc)
    ec2.create_vpc(CidrBlock=str(cidr), AmazonProvidedIpv6CidrBlock=wanted.ipv6)
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=wanted.vpc, **{attribute: {"Value": True}})
    _tag(ec2, wanted.vpc, tags)


def _make_subnet(cloud: Cloud, ec2: Any, vpc: Values, id: str, cidr: IPv4Network, zone: str) -> None:
    ipv6 = {"Ipv6CidrBlock": _free_ipv6(ec2, vpc)} if vpc.get("Ipv6CidrBlockAssociationSet") else {}
    cloud.ask("next_id", kind="subnet", id=id)
    ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=str(cidr), AvailabilityZone=zone, **ipv6)


def _route(wanted: Named, id: str, given: Values) -> str:
    return given.get("default_route") or ("nat" if wanted.subnets[id][1] == "private" else "internet-gateway")


def _tables(ec2: Any, store: Store, wanted: Named) -> dict[str, str]:
    """Route tables by what their default route leads to; that to a NAT gateway comes with the gateway."""
    attached = [{"Name": "attachment.vpc-id", "Values": [wanted.vpc]}]
    if found := ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        gateway = found[0]["InternetGatewayId"]
    else:
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=wanted.vpc)
    tables = {route: ec2.create_route_table(VpcId=wanted.vpc)["RouteTable"]["RouteTableId"] for route in _ROUTES}
    ec2.create_route(RouteTableId=tables["internet-gateway"], DestinationCidrBlock=_ANYWHERE, GatewayId=gateway)
    for id in (gateway, *tables.values()):
        store.put(id, {})
    return tables


def _nat_gateway(
    ec2: Any,
    store: Store,
    wanted: Named,
    tables: Mapping[str, str],
    public: str | None,
    blocks: list[IPv4Network],
    taken: list[IPv4Network],
) -> str:
    """In a public subnet that the stack names; else in one of its own, where nothing else is."""
    if public is None:
        cidr = next(filter(None, (_last_free(block, taken) for block in blocks)), None)
        if cidr is None:
            cidr = _last_free(_SHARED, [*taken, *_networks(wanted.taken)])
            ec2.associate_vpc_cidr_block(VpcId=wanted.vpc, CidrBlock=str(cidr))
        public = cast(str, ec2.create_subnet(VpcId=wanted.vpc, CidrBlock=str(cidr))["Subnet"]["SubnetId"])
        tie = ec2.associate_route_table(RouteTableId=tables["internet-gateway"], SubnetId=public)["AssociationId"]
        for id in (public, tie):
            store.put(id, {})
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=tables["nat"], DestinationCidrBlock=_ANYWHERE, NatGatewayId=nat)
    for id in (address, nat):
        store.put(id, {})
    return nat


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


def _free(vpc: IPv4Network, taken: list[IPv4Network]) -> IPv4Network:
    # A sixteenth: six zones, twice, and room.
    for prefix in range(min(max(_SUBNET_PREFIX, vpc.prefixlen + 4), SMALLEST_PREFIX), SMALLEST_PREFIX + 1):
        for block in vpc.subnets(new_prefix=prefix):
            if not any(block.overlaps(one) for one in taken):
                return block
    raise ExistingError(
        f"{BLOCK}: {vpc} has no range left for another subnet; write a larger vpc_cidr, or its cidr below subnets"
    )


def _last_free(network: IPv4Network, taken: list[IPv4Network]) -> IPv4Network | None:
    end = int(network.broadcast_address) + 1
    while end > int(network.network_address):
        block = IPv4Network((end - 2 ** (32 - SMALLEST_PREFIX), SMALLEST_PREFIX))
        hit = next((one for one in taken if one.overlaps(block)), None)
        if hit is None:
            return block
        end = min(int(hit.network_address), int(block.network_address))
    return None


def _networks(cidrs: Iterable[str]) -> Iterator[IPv4Network]:
    for cidr in cidrs:
        try:
            yield IPv4Network(cidr)
        except ValueError:
            continue  # not for here to judge


def _free_ipv6(ec2: Any, vpc: Values) -> str:
    filters = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    subnets = ec2.describe_subnets(Filters=filters)["Subnets"]
    taken = {entry["Ipv6CidrBlock"] for one in subnets for entry in one.get("Ipv6CidrBlockAssociationSet", [])}
    network = ip_network(vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"])
    return next(str(block) for block in network.subnets(new_prefix=64) if str(block) not in taken)


def _overlaps(cidr: str, others: Iterable[str]) -> bool:
    return any(IPv4Network(cidr).overlaps(other) for other in _networks(others))


def _tag(ec2: Any, id: str, tags: Values) -> None:
    if tags:
        ec2.create_tags(Resources=[id], Tags=[{"Key": key, "Value": str(value)} for key, value in tags.items()])


def _checked(block: object, wanted: Named) -> Values:
    """The block, without anything that would be passed over in silence."""
    if block is None:
        return {}
    shape = _keys_of(BLOCK, block, _KEYS)
    cidrs = {"vpc_cidr": shape.get("vpc_cidr")}
    _check_tags(f"{BLOCK}.vpc_tags", shape.get("vpc_tags", {}))
    for id, about in shape.get("subnets", {}).items():
        at = f"{BLOCK}.subnets.{id}"
        route = _keys_of(at, about, _SUBNET_KEYS).get("default_route", "nat")
        if route not in _ROUTES:
            raise ExistingError(f"{at}.default_route = {route!r}: write one of {', '.join(_ROUTES)}")
        _check_tags(f"{at}.tags", about.get("tags", {}))
        cidrs[f"subnets.{id}.cidr"] = about.get("cidr")
    networks = {key: _network(f"{BLOCK}.{key}", cidr) for key, cidr in cidrs.items() if cidr is not None}
    networks.pop("vpc_cidr", None)
    _check_overlaps(networks)
    _check_names(shape, wanted)
    return shape


def _network(at: str, cidr: str) -> IPv4Network:
    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        raise ExistingError(f"{at} = {cidr!r}: {error}; write it like 10.0.0.0/16") from None
    if not LARGEST_PREFIX <= network.prefixlen <= SMALLEST_PREFIX:
        raise ExistingError(
            f"{at} = {cidr!r}: AWS takes /{LARGEST_PREFIX} to /{SMALLEST_PREFIX} for VPCs and subnets; write one of "
            "these sizes"
        )
    return network


def _check_overlaps(networks: Mapping[str, IPv4Network]) -> None:
    before: dict[str, IPv4Network] = {}
    for key, network in networks.items():
        for other, taken in before.items():
            if network.overlaps(taken):
                raise ExistingError(
                    f"{BLOCK}.{key} = {str(network)!r}: it overlaps {other}, {taken}; write ranges that do not overlap"
                )
        before[key] = network


def _check_names(shape: Values, wanted: Named) -> None:
    if not wanted.vpc:
        raise ExistingError(
            f"{BLOCK}: it describes an existing VPC, and network.existing_vpc_id names none; name it, or remove "
            "the block"
        )
    for id in shape.get("subnets", {}):
        if id not in wanted.subnets:
            near = get_close_matches(str(id), wanted.subnets, 1)
            raise ExistingError(
                f"{BLOCK}.subnets.{id}: network.existing_private_subnets and existing_public_subnets do not name it; "
                + (f"is {near[0]} meant?" if near else "name it there, or remove it here")
            )


def _check_tags(at: str, tags: Mapping[object, object]) -> None:
    for key, value in tags.items():
        if not isinstance(key, str):
            raise ExistingError(f"{at}: the key {key!r} must be text; write it in quotes")
        if key.lower().startswith("aws:"):
            raise ExistingError(f"{at}.{key}: keys that begin with aws: are AWS's own; remove it")
        if not isinstance(value, str | int | float) or isinstance(value, bool):
            raise ExistingError(f"{at}.{key} = {value!r}: it must be text; write it in quotes")


def _keys_of(at: str, block: object, known: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(block, dict):
        raise ExistingError(f"{at} = {block!r}: write keys below it, of {', '.join(known)}")
    for key, value in cast(dict[str, Any], block).items():
        if key not in known:
            raise ExistingError(f"{at}.{key} is not known: write one of {', '.join(known)}")
        if not isinstance(value, known[key]):
            raise ExistingError(f"{at}.{key} = {value!r}: it must be {_KINDS[known[key]]}")
    return cast(dict[str, Any], block)


def _mapping(value: object) -> Values:
    return cast(Values, value) if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
