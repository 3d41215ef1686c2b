"""The look-up functions of pulumi-aws that programs here call."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pulumi_aws as aws

from sandbox.providers.aws_api import ACCOUNT_ID, Api, dns_suffix_of, find, partition_of
from sandbox.providers.aws_checks import cluster_group
from sandbox.providers.protocol import InvalidInputsError, ProviderError, Values, contains_unknown
from sandbox.providers.schema import type_of
from sandbox.providers.shapes import from_aws


def _region(api: Api, args: Values) -> Values:
    endpoint = f"ec2.{api.region}.{dns_suffix_of(api.region)}"
    return {"id": api.region, "region": api.region, "name": api.region, "endpoint": endpoint, "description": api.region}


def _partition(api: Api, args: Values) -> Values:
    partition = partition_of(api.region)
    suffix = dns_suffix_of(api.region)
    reverse = ".".join(reversed(suffix.split(".")))
    return {"id": partition, "partition": partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def _caller_identity(api: Api, args: Values) -> Values:
    arn = f"arn:{partition_of(api.region)}:sts::{ACCOUNT_ID}:assumed-role/platform-deployer/embedded-cloud"
    return {"id": ACCOUNT_ID, "accountId": ACCOUNT_ID, "arn": arn, "userId": "AROAEMULATEDDEPLOYER0:embedded-cloud"}


def _availability_zones(api: Api, args: Values) -> Values:
    _only(args, "state", "filters", "excludeNames", "excludeZoneIds", "region")
    zones = api.call("ec2", "DescribeAvailabilityZones", Filters=_filters(args, {}))["AvailabilityZones"]
    zones = [
        zone
        for zone in sorted(zones, key=lambda zone: zone["ZoneName"])
        if zone["State"] == args.get("state", zone["State"])
        and zone["ZoneName"] not in args.get("excludeNames", [])
        and zone["ZoneId"] not in args.get("excludeZoneIds", [])
    ]
    names, ids = [zone["ZoneName"] for zone in zones], [zone["ZoneId"] for zone in zones]
    return args | {"id": api.region, "region": api.region, "names": names, "zoneIds": ids, "groupNames": [api.region]}


def _route_tables(api: Api, args: Values) -> Values:
    _only(args, "filters", "region", "tags", "vpcId")
    found = api.call("ec2", "DescribeRouteTables", Filters=_filters(args, {"vpcId": "vpc-id"}))["RouteTables"]
    return args | {"id": api.region, "region": api.region, "ids": sorted(table["RouteTableId"] for table in found)}


def _cluster(api: Api, args: Values) -> Values:
    _only(args, "name", "region")
    if contains_unknown(args):
        raise ProviderError("a look-up by a value that is not known yet")
    found = api.call("eks", "DescribeCluster", name=args["name"])["cluster"]
    network: Values = found["resourcesVpcConfig"]
    if group := cluster_group(api, args["name"]):  # of which the emulator itself knows nothing
        network = network | {"clusterSecurityGroupId": group["GroupId"], "vpcId": group["VpcId"]}
    kind = type_of(aws.eks.GetClusterResult)
    result: Values = from_aws({**found, "tags": None}, kind, "", {})
    extra = {
        "id": args["name"],
        "accessConfigs": [found["accessConfig"]],
        "certificateAuthorities": [found["certificateAuthority"]],
        "identities": [{"oidcs": [found["identity"]["oidc"]]}],
        "vpcConfig": network,
    }
    return result | args | extra | {"tags": found.get("tags", {}), "region": api.region}


def _clusters(api: Api, args: Values) -> Values:
    return args | {"id": api.region, "region": api.region, "names": api.call("eks", "ListClusters")["clusters"]}


@dataclass(frozen=True)
class Lookup:
    """A function that finds exactly one resource. `filters`: argument → EC2 filter."""

    token: str
    operation: str
    path: str
    id: str
    filters: dict[str, str]
    rename: dict[str, str] = field(default_factory=dict[str, str])
    outputs: dict[str, str] = field(default_factory=dict[str, str])
    attributes: tuple[str, ...] = ()  # of a VPC: EC2 tells one a call

    def __call__(self, api: Api, args: Values) -> Values:
        _only(args, "id", "tags", "filters", "region", *self.filters)
        filters = _filters(args, {"id": self.id} | self.filters)
        found = api.call("ec2", self.operation, Filters=filters)[self.path]
        if len(found) != 1:
            raise ProviderError(f"{self.token}: {len(found)} of {self.path} match {filters}, not exactly one")
        name = self.token.split(":")[-1]
        kind = type_of(getattr(aws.ec2, f"{name[0].upper()}{name[1:]}Result"))
        tags = {tag["Key"]: tag["Value"] for tag in found[0].get("Tags", [])}
        result: Values = from_aws({**found[0], "Tags": None}, kind, "", {f".{k}": v for k, v in self.rename.items()})
        extra = {key: from_aws(find(path, found[0]), kind.fields[key], key, {}) for key, path in self.outputs.items()}
        for name in self.attributes:
            told = api.call("ec2", "DescribeVpcAttribute", VpcId=result["id"], Attribute=name)
            extra[name] = told[f"{name[0].upper()}{name[1:]}"]["Value"]
        return args | result | extra | {"tags": tags, "region": api.region}


def _only(args: Values, *known: str) -> None:
    problems = [(key, "is not supported by the embedded cloud") for key in args if key not in known]
    if problems:
        raise InvalidInputsError(problems)


def _filters(args: Values, known: dict[str, str]) -> list[Values]:
    if contains_unknown(args):
        raise ProviderError("a look-up by a value that is not known yet")
    filters = [{"Name": name, "Values": [_text(args[key])]} for key, name in known.items() if key in args]
    filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in args.get("tags", {}).items()]
    return filters + [{"Name": item["name"], "Values": item["values"]} for item in args.get("filters", [])]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_ROUTE = (
    "cidrBlock: DestinationCidrBlock, ipv6CidrBlock: DestinationIpv6CidrBlock, gatewayId: GatewayId, "
    "egressOnlyGatewayId: EgressOnlyInternetGatewayId, natGatewayId: NatGatewayId, localGatewayId: LocalGatewayId, "
    "networkInterfaceId: NetworkInterfaceId, transitGatewayId: TransitGatewayId, "
    "vpcPeeringConnectionId: VpcPeeringConnectionId"
)
_ZONE_FILTERS = {"cidrBlock": "cidr-block", "state": "state"}
_LOOKUPS = (
    Lookup(
        "aws:ec2/getSubnet:getSubnet",
        "DescribeSubnets",
        "Subnets",
        "subnet-id",
        {
            **_ZONE_FILTERS,
            "vpcId": "vpc-id",
            "availabilityZone": "availability-zone",
            "availabilityZoneId": "availability-zone-id",
            "defaultForAz": "default-for-az",
        },
        {"id": "SubnetId", "arn": "SubnetArn", "availableIpAddressCount": "AvailableIpAddressCount"},
    ),
    Lookup(
        "aws:ec2/getVpc:getVpc",
        "DescribeVpcs",
        "Vpcs",
        "vpc-id",
        {**_ZONE_FILTERS, "default": "is-default", "dhcpOptionsId": "dhcp-options-id"},
        {"id": "VpcId", "default": "IsDefault"},
        {
            "cidrBlockAssociations": "CidrBlockAssociationSet[].{associationId: AssociationId, cidrBlock: CidrBlock,"
            " state: CidrBlockState.State}"
        },
        ("enableDnsSupport", "enableDnsHostnames", "enableNetworkAddressUsageMetrics"),
    ),
    Lookup(
        "aws:ec2/getSecurityGroup:getSecurityGroup",
        "DescribeSecurityGroups",
        "SecurityGroups",
        "group-id",
        {"name": "group-name", "vpcId": "vpc-id"},
        {"id": "GroupId", "name": "GroupName"},
    ),
    Lookup(
        "aws:ec2/getRouteTable:getRouteTable",
        "DescribeRouteTables",
        "RouteTables",
        "route-table-id",
        {"routeTableId": "route-table-id", "subnetId": "association.subnet-id", "vpcId": "vpc-id"},
        {"id": "RouteTableId"},
        {"routes": f"Routes[?GatewayId!='local'].{{{_ROUTE}}}"},
    ),
)
FUNCTIONS: dict[str, Callable[[Api, Values], Values]] = {
    "aws:index/getRegion:getRegion": _region,
    "aws:index/getPartition:getPartition": _partition,
    "aws:index/getCallerIdentity:getCallerIdentity": _caller_identity,
    "aws:index/getAvailabilityZones:getAvailabilityZones": _availability_zones,
    "aws:ec2/getRouteTables:getRouteTables": _route_tables,
    "aws:eks/getCluster:getCluster": _cluster,
    "aws:eks/getClusters:getClusters": _clusters,
    **{lookup.token: lookup for lookup in _LOOKUPS},
}
