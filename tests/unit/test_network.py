import json
from collections.abc import Callable
from typing import Any

import grpc
import pulumi
import pulumi_aws as aws
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pulumi.provider.experimental.analyzer import Analyzer

from eks_analytics.endpoints import NODE_ENDPOINTS, PRIVATE_CLUSTER_ENDPOINTS, endpoint_service_name, expand_endpoints
from eks_analytics.look_ups import not_found
from eks_analytics.network import Network, NetworkArgs, flow_logs_policy, flow_logs_trust
from eks_analytics.network_options import NetworkOptions, check_network
from eks_analytics.tags import MOST_TAGS
from recording import Recorder, Registration

A, B, C = "us-east-1a", "us-east-1b", "us-east-1c"
UNTAGGABLE = {"Network", "Route", "RouteTableAssociation", "VpcEndpointRouteTableAssociation", "RolePolicy"}
EVERYTHING: dict[str, Any] = {
    "enable_ipv6": True,
    "flow_logs_retention_days": 30,
    "interface_endpoints": ["private-cluster"],
}


def network_args(**changes: Any) -> NetworkArgs:
    required = {"cluster_name": "analytics", "region": "us-east-1", "availability_zones": [A, B]}
    return {**required, **changes}  # pyright: ignore[reportReturnType]  # tests give wrong values on purpose


@pytest.fixture
def build(recorder: Recorder) -> Callable[..., dict[str, Any]]:
    """Build a network named "main" of the arguments given. Returns its outputs."""
    recorder.outputs["aws:ec2/vpc:Vpc"] = {"ownerId": "123456789012", "ipv6CidrBlock": "2600:1f00:0:100::/56"}
    recorder.outputs["aws:ec2/eip:Eip"] = {"publicIp": "198.51.100.1", "allocationId": "eipalloc-1"}
    recorder.outputs["aws:cloudwatch/logGroup:LogGroup"] = {
        "arn": "arn:aws:logs:us-east-1:123456789012:log-group:flows"
    }

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: Network("main", network_args(**changes)))

    return build


def inputs(recorder: Recorder, type: str) -> dict[str, dict[str, Any]]:
    return {name: found.inputs for name, found in recorder.of(type).items()}


def snapshot(recorder: Recorder) -> dict[str, tuple[dict[str, Any], frozenset[str]]]:
    return {found.key: (found.inputs, found.dependencies) for found in recorder.registrations}


# Shape


def test_outputs_are_in_the_order_of_the_zones(build: Callable[..., dict[str, Any]]) -> None:
    outputs = build(availability_zones=[B, A])
    assert outputs == {
        "vpc_id": "main-vpc-id",
        "vpc_cidr": "10.0.0.0/16",
        "public_subnet_ids": [f"main-public-{B}-id", f"main-public-{A}-id"],
        "private_subnet_ids": [f"main-private-{B}-id", f"main-private-{A}-id"],
        "private_subnet_ids_by_zone": {B: f"main-private-{B}-id", A: f"main-private-{A}-id"},
        "node_subnet_ids": [f"main-private-{B}-id", f"main-private-{A}-id"],
        "node_subnet_ids_by_zone": {B: f"main-private-{B}-id", A: f"main-private-{A}-id"},
        "nat_public_ips": ["198.51.100.1", "198.51.100.1"],
        "s3_endpoint_id": "main-endpoint-s3-id",
    }


def test_every_resource_is_a_child_of_the_component_and_takes_none_of_its_options(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], ignore_changes=["tags"])
    recorder.outputs["aws:ec2/vpc:Vpc"] = {"ownerId": "123456789012", "ipv6CidrBlock": "2600:1f00:0:100::/56"}
    recorder.run(lambda: Network("main", network_args(**EVERYTHING), opts))
    component, *children = recorder.made
    assert component.type == "eks-analytics:index:Network"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:Network::main"}
    assert not any(child.request.aliases or child.request.ignoreChanges for child in children)


def test_every_taggable_resource_carries_the_tags_and_a_readable_name(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(**EVERYTHING, tags={"team": "data"}, name_prefix="acme-dev")
    tagged = {found.key: found.inputs.get("tags") for found in recorder.made}
    missing = {key for key, tags in tagged.items() if not tags or tags.get("team") != "data"}
    assert {key.split("::")[0].split(":")[-1] for key in missing} == UNTAGGABLE
    names = {key: tags["Name"] for key, tags in tagged.items() if tags}
    assert all(name.startswith("acme-dev-") for name in names.values())
    assert names[f"aws:ec2/subnet:Subnet::main-private-{A}"] == f"acme-dev-private-{A}"
    assert names[f"aws:ec2/natGateway:NatGateway::main-nat-{B}"] == f"acme-dev-nat-{B}"


def test_names_begin_with_the_cluster_name_unless_told_otherwise(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build()
    assert inputs(recorder, "Vpc")["main-vpc"]["tags"] == {"Name": "analytics-vpc"}


def test_subnets_carry_exactly_the_tags_of_their_role(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build()
    subnets = inputs(recorder, "Subnet")
    assert subnets[f"main-public-{A}"]["tags"] == {
        "Name": f"analytics-public-{A}",
        "kubernetes.io/role/elb": "1",
        "kubernetes.io/cluster/analytics": "shared",
    }
    assert subnets[f"main-private-{A}"]["tags"] == {
        "Name": f"analytics-private-{A}",
        "kubernetes.io/role/internal-elb": "1",
        "kubernetes.io/cluster/analytics": "shared",
        "karpenter.sh/discovery": "analytics",
    }


def test_no_subnet_gives_out_public_addresses(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build(**EVERYTHING)
    assert all(subnet["mapPublicIpOnLaunch"] is False for subnet in inputs(recorder, "Subnet").values())


def test_nothing_is_reachable_from_outside_of_the_vpc(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build(**EVERYTHING, cidr="10.8.0.0/16")
    assert inputs(recorder, "DefaultSecurityGroup")["main-default"] | {"tags": 0} == {
        "vpcId": "main-vpc-id",
        "ingress": [],
        "egress": [],
        "tags": 0,
    }
    (group,) = inputs(recorder, "SecurityGroup").values()
    assert not {"ingress", "egress"} & set(group)
    (rule,) = inputs(recorder, "SecurityGroupIngressRule").values()
    assert (rule["cidrIpv4"], rule["ipProtocol"], rule["fromPort"], rule["toPort"]) == ("10.8.0.0/16", "tcp", 443, 443)
    assert not recorder.of("SecurityGroupEgressRule")


def test_subnets_use_the_given_ranges_else_the_planned_ones(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(public_subnet_cidrs=["10.0.250.0/24", "10.0.251.0/24"])
    ranges = {name: subnet["cidrBlock"] for name, subnet in inputs(recorder, "Subnet").items()}
    assert ranges == {
        f"main-public-{A}": "10.0.250.0/24",
        f"main-public-{B}": "10.0.251.0/24",
        f"main-private-{A}": "10.0.0.0/19",
        f"main-private-{B}": "10.0.32.0/19",
    }


@pytest.mark.parametrize("tenancy", ["default", "dedicated"])
@pytest.mark.parametrize(("support", "hostnames"), [(True, True), (True, False), (False, False)])
def test_tenancy_and_dns_options_reach_the_vpc(
    build: Callable[..., dict[str, Any]], recorder: Recorder, tenancy: str, support: bool, hostnames: bool
) -> None:
    build(tenancy=tenancy, enable_dns_support=support, enable_dns_hostnames=hostnames)
    vpc = inputs(recorder, "Vpc")["main-vpc"]
    assert vpc["instanceTenancy"] == tenancy
    assert (vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == (support, hostnames)


# NAT


@pytest.mark.parametrize(
    ("mode", "gateway_of"), [("one-per-az", {A: A, B: B, C: C}), ("single", {A: A, B: A, C: A}), ("none", {})]
)
def test_private_subnets_leave_through_the_gateways_of_the_mode(
    build: Callable[..., dict[str, Any]], recorder: Recorder, mode: str, gateway_of: dict[str, str]
) -> None:
    outputs = build(availability_zones=[A, B, C], nat_gateways=mode, interface_endpoints=["private-cluster"])
    gateways = {f"main-nat-{zone}" for zone in gateway_of.values()}
    assert set(recorder.of("NatGateway")) == set(recorder.of("Eip")) == gateways
    routes = {name: route["natGatewayId"] for name, route in inputs(recorder, "Route").items() if "private" in name}
    assert routes == {f"main-private-{zone}-ipv4": f"main-nat-{nat}-id" for zone, nat in gateway_of.items()}
    assert len(outputs["nat_public_ips"]) == len(gateways)


def test_a_gateway_and_its_address_live_within_the_life_of_the_internet_gateway(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(nat_gateways="single")
    internet = "aws:ec2/internetGateway:InternetGateway::main-internet"
    assert internet in recorder.of("Eip")[f"main-nat-{A}"].dependencies
    assert recorder.of("NatGateway")[f"main-nat-{A}"].dependencies >= {
        internet,
        f"aws:ec2/eip:Eip::main-nat-{A}",
        f"aws:ec2/subnet:Subnet::main-public-{A}",
        "aws:ec2/route:Route::main-public-ipv4",
        f"aws:ec2/routeTableAssociation:RouteTableAssociation::main-public-{A}",
    }


def test_going_from_one_gateway_per_zone_to_one_touches_only_the_routes_of_the_other_zones(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(nat_gateways="one-per-az")
    before = snapshot(recorder)
    build(nat_gateways="single")
    after = snapshot(recorder)
    assert not set(after) - set(before)
    assert {key.split("::")[1] for key in set(before) - set(after)} == {f"main-nat-{B}"}
    assert [key for key in after if after[key] != before[key]] == [f"aws:ec2/route:Route::main-private-{B}-ipv4"]


# Growing


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"nat_gateways": "single"},
        {"enable_ipv6": True, "flow_logs_retention_days": 30},
        {"enable_s3_endpoint": False},
        {"cidr": "10.3.0.0/22"},
    ],
    ids=str,
)
def test_an_appended_zone_only_adds_resources(
    build: Callable[..., dict[str, Any]], recorder: Recorder, options: dict[str, Any]
) -> None:
    build(**options)
    before = snapshot(recorder)
    build(**options, availability_zones=[A, B, C])
    after = snapshot(recorder)
    assert {key: after[key] for key in before} == before
    assert all(C in key for key in set(after) - set(before))


def test_an_appended_zone_changes_interface_endpoints_in_place(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(interface_endpoints=["sts"])
    before = snapshot(recorder)
    build(interface_endpoints=["sts"], availability_zones=[A, B, C])
    after = snapshot(recorder)
    changed = {key for key in before if after[key] != before[key]}
    assert changed == {"aws:ec2/vpcEndpoint:VpcEndpoint::main-endpoint-sts"}
    old, new = (inputs[changed.copy().pop()][0] for inputs in (before, after))
    assert {name for name in new if new[name] != old[name]} == {"subnetIds"}


# Two speeds


def consume(recorder: Recorder, consumer: Callable[[Network], pulumi.Input[Any]], **changes: Any) -> Registration:
    """The registration of a node group whose subnets are taken from a network."""

    def program() -> None:
        network = Network("main", network_args(**changes))
        aws.eks.NodeGroup(
            "consumer",
            cluster_name="analytics",
            node_role_arn="arn",
            scaling_config={"desired_size": 1, "min_size": 1, "max_size": 1},
            subnet_ids=consumer(network),
        )

    recorder.run(program)
    return recorder.of("NodeGroup")["consumer"]


def of_type(urns: frozenset[str], *types: str) -> set[str]:
    return {urn.split("::")[1] for urn in urns if urn.split("::")[0].split(":")[-1] in types}


@pytest.mark.parametrize(
    "output",
    [
        lambda network: network.private_subnet_ids,
        lambda network: [network.private_subnet_ids_by_zone[A], network.private_subnet_ids_by_zone[B]],
    ],
)
def test_private_subnet_ids_wait_for_nothing_but_the_subnets(
    recorder: Recorder, output: Callable[[Network], pulumi.Input[Any]]
) -> None:
    consumer = consume(recorder, output)
    assert of_type(consumer.property_dependencies["subnetIds"], "Subnet") == {f"main-private-{A}", f"main-private-{B}"}
    assert {urn.split(":")[2] for urn in consumer.dependencies} == {"Subnet"}


@pytest.mark.parametrize(
    "output",
    [
        lambda network: network.node_subnet_ids,
        lambda network: [network.node_subnet_ids_by_zone[A], network.node_subnet_ids_by_zone[B]],
    ],
)
def test_node_subnet_ids_wait_for_the_route_and_the_association_of_each_zone(
    recorder: Recorder, output: Callable[[Network], pulumi.Input[Any]]
) -> None:
    waits = consume(recorder, output).property_dependencies["subnetIds"]
    assert of_type(waits, "Route") == {f"main-private-{A}-ipv4", f"main-private-{B}-ipv4"}
    assert of_type(waits, "RouteTableAssociation") == {f"main-private-{A}", f"main-private-{B}"}
    assert of_type(waits, "Subnet") == {f"main-private-{A}", f"main-private-{B}"}


def test_without_nat_node_subnet_ids_wait_for_the_endpoints(recorder: Recorder) -> None:
    waits = consume(
        recorder,
        lambda network: network.node_subnet_ids,
        nat_gateways="none",
        interface_endpoints=["private-cluster"],
    ).property_dependencies["subnetIds"]
    assert of_type(waits, "VpcEndpoint") == {f"main-endpoint-{service}" for service in PRIVATE_CLUSTER_ENDPOINTS}
    assert of_type(waits, "VpcEndpointRouteTableAssociation") == {
        f"main-endpoint-s3-private-{A}",
        f"main-endpoint-s3-private-{B}",
    }
    assert of_type(waits, "SecurityGroupIngressRule") == {"main-endpoints-https"}


def test_a_new_way_out_hides_no_known_subnet_id_in_a_preview(recorder: Recorder) -> None:
    recorder.existing = frozenset({"main", "main-vpc", f"main-private-{A}", f"main-private-{B}"})
    outputs = recorder.run(lambda: Network("main", network_args()))
    assert outputs["node_subnet_ids"] == [f"main-private-{A}-id", f"main-private-{B}-id"]


def test_an_appended_zone_hides_no_subnet_id_of_another_zone_in_a_preview(recorder: Recorder) -> None:
    recorder.existing = frozenset({"main", "main-vpc", f"main-private-{A}", f"main-private-{B}"})
    consumer = consume(recorder, lambda network: [network.node_subnet_ids_by_zone[B]], availability_zones=[A, B, C])
    assert consumer.inputs["subnetIds"] == [f"main-private-{B}-id"]


# Endpoints


def test_s3_is_reached_from_every_subnet_through_a_gateway_endpoint(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build()
    endpoint = inputs(recorder, "VpcEndpoint")["main-endpoint-s3"]
    assert (endpoint["vpcEndpointType"], endpoint["serviceName"]) == ("Gateway", "com.amazonaws.us-east-1.s3")
    tables = {found["routeTableId"] for found in inputs(recorder, "VpcEndpointRouteTableAssociation").values()}
    assert tables == {f"{name}-id" for name in recorder.of("RouteTable")}


def test_the_s3_endpoint_can_be_left_out(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    assert build(enable_s3_endpoint=False)["s3_endpoint_id"] is None
    assert not recorder.of("VpcEndpoint")
    assert not recorder.of("VpcEndpointRouteTableAssociation")


def test_interface_endpoints_stand_in_every_private_subnet_behind_one_security_group(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(interface_endpoints=["private-cluster", "secretsmanager", "sts"], enable_s3_endpoint=False)
    endpoints = inputs(recorder, "VpcEndpoint")
    assert set(endpoints) == {f"main-endpoint-{name}" for name in (*PRIVATE_CLUSTER_ENDPOINTS, "secretsmanager")}
    for endpoint in endpoints.values():
        assert endpoint["vpcEndpointType"] == "Interface"
        assert endpoint["privateDnsEnabled"] is True
        assert endpoint["subnetIds"] == [f"main-private-{A}-id", f"main-private-{B}-id"]
        assert endpoint["securityGroupIds"] == ["main-endpoints-id"]


def test_no_interface_endpoint_no_security_group(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build()
    assert not recorder.of("SecurityGroup")


@pytest.mark.parametrize(
    ("region", "service", "name"),
    [
        ("eu-west-1", "ecr.api", "com.amazonaws.eu-west-1.ecr.api"),
        ("us-gov-west-1", "sts", "com.amazonaws.us-gov-west-1.sts"),
        ("cn-north-1", "ecr.api", "cn.com.amazonaws.cn-north-1.ecr.api"),
        ("cn-north-1", "logs", "com.amazonaws.cn-north-1.logs"),
        ("cn-north-1", "com.amazonaws.cn-north-1.new", "com.amazonaws.cn-north-1.new"),
    ],
)
def test_endpoint_services_have_the_name_of_their_partition(region: str, service: str, name: str) -> None:
    assert endpoint_service_name(region, service) == name


@pytest.mark.parametrize(
    ("region", "written", "expanded"),
    [
        ("eu-west-1", ["sts", "com.amazonaws.eu-west-1.sts"], ["sts"]),
        ("cn-north-1", ["cn.com.amazonaws.cn-north-1.sts", "com.amazonaws.cn-north-1.logs"], ["sts", "logs"]),
        ("cn-north-1", ["cn.com.amazonaws.cn-north-1.new"], ["cn.com.amazonaws.cn-north-1.new"]),
        ("eu-west-1", ["com.amazonaws.vpce.eu-west-1.vpce-svc-1"], ["com.amazonaws.vpce.eu-west-1.vpce-svc-1"]),
        ("eu-west-1", ["com.amazonaws.eu-west-1.sqs", "private-cluster"], ["sqs", *PRIVATE_CLUSTER_ENDPOINTS]),
    ],
)
def test_a_service_is_the_same_under_its_short_and_its_full_name(
    region: str, written: list[str], expanded: list[str]
) -> None:
    services = expand_endpoints(region, written)
    assert services == list(dict.fromkeys(expanded))
    full = [endpoint_service_name(region, service) for service in services]
    assert expand_endpoints(region, full) == services


def test_full_names_count_as_the_endpoints_that_nodes_need(build: Callable[..., dict[str, Any]]) -> None:
    build(nat_gateways="none", interface_endpoints=[f"com.amazonaws.us-east-1.{name}" for name in NODE_ENDPOINTS])


# IPv6


def test_ipv6_gives_each_subnet_a_range_and_private_ones_a_way_out_only(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(enable_ipv6=True)
    assert inputs(recorder, "Vpc")["main-vpc"]["assignGeneratedIpv6CidrBlock"] is True
    subnets = inputs(recorder, "Subnet")
    assert {name: subnet["ipv6CidrBlock"] for name, subnet in subnets.items()} == {
        f"main-private-{A}": "2600:1f00:0:100::/64",
        f"main-private-{B}": "2600:1f00:0:101::/64",
        f"main-public-{A}": "2600:1f00:0:180::/64",
        f"main-public-{B}": "2600:1f00:0:181::/64",
    }
    assert all(subnet["assignIpv6AddressOnCreation"] is ("private" in name) for name, subnet in subnets.items())
    routes = {name: route for name, route in inputs(recorder, "Route").items() if name.endswith("ipv6")}
    assert {route["destinationIpv6CidrBlock"] for route in routes.values()} == {"::/0"}
    assert routes["main-public-ipv6"]["gatewayId"] == "main-internet-id"
    assert routes[f"main-private-{A}-ipv6"]["egressOnlyGatewayId"] == "main-egress-only-id"


def test_without_ipv6_nothing_speaks_of_it(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build()
    assert not recorder.of("EgressOnlyInternetGateway")
    assert not any("ipv6" in name for name in recorder.of("Route"))
    assert not any("ipv6CidrBlock" in subnet for subnet in inputs(recorder, "Subnet").values())


# Flow logs


def test_flow_logs_go_to_a_log_group_with_retention(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build(flow_logs_retention_days=30)
    group = inputs(recorder, "LogGroup")["main-flow-logs"]
    assert (group["name"], group["retentionInDays"]) == ("/aws/vpc-flow-logs/analytics", 30)
    flow_log = recorder.of("FlowLog")["main-flow-logs"]
    assert flow_log.inputs["trafficType"] == "ALL"
    assert flow_log.inputs["logDestination"] == "arn:aws:logs:us-east-1:123456789012:log-group:flows"
    assert "aws:iam/rolePolicy:RolePolicy::main-flow-logs" in flow_log.dependencies
    assert json.loads(inputs(recorder, "Role")["main-flow-logs"]["assumeRolePolicy"]) == flow_logs_trust(
        "us-east-1", "123456789012"
    )


def test_another_prefix_of_names_deletes_no_flow_logs(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build(flow_logs_retention_days=30, name_prefix="acme")
    assert inputs(recorder, "LogGroup")["main-flow-logs"]["name"] == "/aws/vpc-flow-logs/analytics"


def test_flow_logs_are_off_by_default(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    build()
    assert not any(recorder.of(type) for type in ("FlowLog", "LogGroup", "Role", "RolePolicy"))


def test_only_flow_logs_of_this_account_and_region_take_the_role() -> None:
    (statement,) = flow_logs_trust("cn-north-1", "123456789012")["Statement"]
    assert statement.get("Condition") == {
        "StringEquals": {"aws:SourceAccount": "123456789012"},
        "ArnLike": {"aws:SourceArn": "arn:aws-cn:ec2:cn-north-1:123456789012:vpc-flow-log/*"},
    }


def test_flow_logs_may_write_to_their_group_only_and_never_make_one() -> None:
    write, find = flow_logs_policy("arn:aws:logs:us-east-1:1:log-group:flows")["Statement"]
    assert write.get("Resource") == [
        "arn:aws:logs:us-east-1:1:log-group:flows",
        "arn:aws:logs:us-east-1:1:log-group:flows:*",
    ]
    assert find.get("Action") == ["logs:DescribeLogGroups"]
    assert find.get("Resource") == "arn:aws:logs:us-east-1:1:log-group:*"
    assert "logs:CreateLogGroup" not in json.dumps([write, find])


# An existing VPC

VPC = "vpc-0a1b2c3d"
PRIVATE = {A: "subnet-0000000a", B: "subnet-0000000b"}
PUBLIC = {A: "subnet-1000000a", B: "subnet-1000000b"}
EXISTING: dict[str, Any] = {
    "existing_vpc_id": VPC,
    "existing_private_subnets": PRIVATE,
    "existing_public_subnets": PUBLIC,
}


@pytest.fixture
def account(recorder: Recorder) -> dict[str, dict[str, Any]]:
    """A VPC and its subnets by id, as AWS describes them; tests change them."""
    described: dict[str, dict[str, Any]] = {
        VPC: {
            "id": VPC,
            "cidrBlock": "10.9.0.0/16",
            "enableDnsSupport": True,
            "enableDnsHostnames": True,
            "ipv6CidrBlockAssociations": [],
            "cidrBlockAssociations": [{"cidrBlock": "10.9.0.0/16", "state": "associated"}],
        }
    }
    for zone, id in [*PRIVATE.items(), *PUBLIC.items()]:
        described[id] = {
            "id": id,
            "vpcId": VPC,
            "availabilityZone": zone,
            "cidrBlock": "10.9.0.0/24",
            "availableIpAddressCount": 250,
            "mapPublicIpOnLaunch": id in PUBLIC.values(),
            "ipv6CidrBlock": "",
            "tags": {"Name": "theirs"},
        }
    recorder.answers["aws:ec2/getVpc:getVpc"] = recorder.answers["aws:ec2/getSubnet:getSubnet"] = lambda args: (
        described[args["id"]]
    )
    described["routes"] = {PRIVATE[A]: "nat-1", PRIVATE[B]: "nat-1", PUBLIC[A]: "igw-1", PUBLIC[B]: "igw-1"}
    recorder.answers["aws:ec2/getRouteTables:getRouteTables"] = lambda args: {
        "ids": [f"rtb-{args['filters'][0]['values'][0]}"]
    }
    recorder.answers["aws:ec2/getRouteTable:getRouteTable"] = lambda args: {
        "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": described["routes"][args["routeTableId"][4:]]}]
    }
    return described


@pytest.mark.usefixtures("account")
def test_an_existing_vpc_gets_tags_and_nothing_else(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    outputs = build(**EXISTING, tags={"team": "data"})
    assert {found.type for found in recorder.made} == {"eks-analytics:index:Network", "aws:ec2/tag:Tag"}
    tags = {(tag["resourceId"], tag["key"], tag["value"]) for tag in inputs(recorder, "Tag").values()}
    assert tags == {
        *((id, "kubernetes.io/cluster/analytics", "shared") for id in [*PRIVATE.values(), *PUBLIC.values()]),
        *((id, "kubernetes.io/role/internal-elb", "1") for id in PRIVATE.values()),
        *((id, "kubernetes.io/role/elb", "1") for id in PUBLIC.values()),
        *((id, "karpenter.sh/discovery", "analytics") for id in PRIVATE.values()),
    }
    assert outputs == {
        "vpc_id": VPC,
        "vpc_cidr": "10.9.0.0/16",
        "public_subnet_ids": list(PUBLIC.values()),
        "private_subnet_ids": list(PRIVATE.values()),
        "private_subnet_ids_by_zone": PRIVATE,
        "node_subnet_ids": list(PRIVATE.values()),
        "node_subnet_ids_by_zone": PRIVATE,
        "nat_public_ips": [],
        "s3_endpoint_id": None,
    }


@pytest.mark.usefixtures("account")
def test_role_tags_outlive_the_cluster_because_others_may_live_by_them(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(**EXISTING)
    for name, tag in recorder.of("Tag").items():
        assert tag.request.retainOnDelete == name.endswith("-role")


def test_tags_that_serve_as_well_as_ours_are_left_alone(
    build: Callable[..., dict[str, Any]], recorder: Recorder, account: dict[str, dict[str, Any]]
) -> None:
    account[PRIVATE[A]]["tags"] = {"kubernetes.io/role/internal-elb": "", "kubernetes.io/cluster/analytics": "owned"}
    account[PRIVATE[B]]["tags"] = {"kubernetes.io/role/internal-elb": "1", "kubernetes.io/cluster/analytics": "shared"}
    build(existing_vpc_id=VPC, existing_private_subnets=PRIVATE)
    assert set(recorder.of("Tag")) == {
        f"main-private-{A}-discovery",
        *(f"main-private-{B}-{kind}" for kind in ("role", "cluster", "discovery")),
    }


@pytest.mark.parametrize("value", ["Shared", "shared", "owned", "", "true"])
def test_a_subnet_belongs_to_the_cluster_whatever_the_value_of_its_tag(
    build: Callable[..., dict[str, Any]], recorder: Recorder, account: dict[str, dict[str, Any]], value: str
) -> None:
    for id in (*PRIVATE.values(), *PUBLIC.values()):
        account[id]["tags"] = {"kubernetes.io/cluster/analytics": value}
    build(**EXISTING)
    assert bool([name for name in recorder.of("Tag") if name.endswith("-cluster")]) == (value == "shared")


@pytest.mark.usefixtures("account")
def test_an_existing_vpc_needs_no_public_subnets(build: Callable[..., dict[str, Any]], recorder: Recorder) -> None:
    assert build(existing_vpc_id=VPC, existing_private_subnets=PRIVATE)["public_subnet_ids"] == []
    assert all("private" in name for name in recorder.of("Tag"))


@pytest.mark.parametrize(
    ("id", "property", "value", "message"),
    [
        (PRIVATE[A], "vpcId", "vpc-other", f"'{PRIVATE[A]}': belongs to vpc-other, not to {VPC}"),
        (PRIVATE[B], "availabilityZone", A, f"'{PRIVATE[B]}': lies in {A}, not in {B}"),
        (PRIVATE[A], "mapPublicIpOnLaunch", True, f"'{PRIVATE[A]}': gives its instances public addresses"),
        (PRIVATE[A], "availableIpAddressCount", 15, f"'{PRIVATE[A]}': has 15 free addresses, 16 are needed"),
        (PUBLIC[A], "availableIpAddressCount", 7, f"'{PUBLIC[A]}': has 7 free addresses, 8 are needed"),
        (PRIVATE[A], "tags", {"karpenter.sh/discovery": "x"}, "is tagged karpenter.sh/discovery=x already"),
        (PUBLIC[A], "tags", {"kubernetes.io/role/elb": "0"}, "is tagged kubernetes.io/role/elb=0 already"),
        (VPC, "enableDnsSupport", False, f"'{VPC}': has DNS support turned off"),
        (VPC, "enableDnsHostnames", False, f"'{VPC}': has DNS host names turned off"),
    ],
)
def test_an_existing_vpc_that_cannot_serve_is_refused_before_anything_is_touched(
    build: Callable[..., dict[str, Any]],
    recorder: Recorder,
    account: dict[str, dict[str, Any]],
    id: str,
    property: str,
    value: Any,
    message: str,
) -> None:
    account[id][property] = value
    with pytest.raises(pulumi.RunError, match="network 'main' cannot be built as asked") as error:
        build(**EXISTING)
    assert message in str(error.value)
    assert not recorder.of("Tag")


def test_everything_wrong_with_an_existing_vpc_is_told_at_once(
    build: Callable[..., dict[str, Any]], account: dict[str, dict[str, Any]]
) -> None:
    account[VPC]["enableDnsSupport"] = False
    account[PRIVATE[A]] |= {"availabilityZone": C, "availableIpAddressCount": 0}
    with pytest.raises(pulumi.RunError, match="network 'main' cannot be built as asked") as error:
        build(**EXISTING, enable_ipv6=True)
    assert len(str(error.value).splitlines()) == 1 + 1 + 2 + 1 + 4  # head, DNS, subnet, VPC and subnets without IPv6


def test_subnets_that_fill_up_under_a_running_cluster_are_a_warning(
    build: Callable[..., dict[str, Any]], recorder: Recorder, account: dict[str, dict[str, Any]]
) -> None:
    account[PRIVATE[A]] |= {"availableIpAddressCount": 3, "tags": {"kubernetes.io/cluster/analytics": "Shared"}}
    with pytest.raises(pulumi.RunError, match="has 3 free addresses, 16 are needed"):
        build(**EXISTING)
    recorder.answers["aws:eks/getClusters:getClusters"] = lambda _: {"names": ["other", "analytics"]}
    build(**EXISTING)
    assert [warning for warning in recorder.warnings if "has 3 free addresses" in warning]


@pytest.mark.parametrize(
    ("subnet", "gateway", "message"),
    [
        (PRIVATE[A], "igw-1", "leads to an internet gateway"),
        (PUBLIC[B], "nat-1", "leads through nat-1"),
        (PUBLIC[B], "", "leads nowhere"),
    ],
)
def test_subnets_of_an_existing_vpc_are_of_the_kind_that_they_are_given_as(
    build: Callable[..., dict[str, Any]], account: dict[str, dict[str, Any]], subnet: str, gateway: str, message: str
) -> None:
    account["routes"][subnet] = gateway
    with pytest.raises(pulumi.RunError, match=message):
        build(**EXISTING)


def test_private_subnets_need_a_way_out_where_that_is_said(
    build: Callable[..., dict[str, Any]], account: dict[str, dict[str, Any]]
) -> None:
    account["routes"][PRIVATE[B]] = ""
    build(**EXISTING)
    with pytest.raises(pulumi.RunError, match=f"existing_private_subnets.{B} = '{PRIVATE[B]}': has no way"):
        build(**EXISTING, needs_way_out=True)


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("aws:eks/getClusters:getClusters", "the EKS clusters of us-east-1 could not .* need eks:ListClusters"),
        ("aws:ec2/getRouteTables:getRouteTables", f"the route table of {PRIVATE[A]} could .* ec2:DescribeRouteTables"),
    ],
)
def test_a_look_up_that_the_credentials_do_not_allow_names_the_action(
    build: Callable[..., dict[str, Any]], recorder: Recorder, token: str, words: str
) -> None:
    class DeniedError(grpc.RpcError):
        def code(self) -> grpc.StatusCode:
            return grpc.StatusCode.UNKNOWN

        def details(self) -> str:
            return "AccessDeniedException"

    def denied(_: object) -> dict[str, Any]:
        raise DeniedError

    recorder.answers[token] = denied
    with pytest.raises(pulumi.RunError, match=words):
        build(**EXISTING)


@pytest.mark.parametrize("state", ["associated", "associating", "disassociated", "failed"])
def test_services_take_no_addresses_of_any_block_of_an_existing_vpc(
    build: Callable[..., dict[str, Any]], account: dict[str, dict[str, Any]], state: str
) -> None:
    account[VPC]["cidrBlockAssociations"] += [{"cidrBlock": "172.20.128.0/20", "state": state}]
    build(**EXISTING, service_cidr="10.100.0.0/16")
    if state in ("associated", "associating"):
        with pytest.raises(pulumi.RunError, match=r"'172\.20\.0\.0/16': shares addresses with 172"):
            build(**EXISTING, service_cidr="172.20.0.0/16")
    else:
        build(**EXISTING, service_cidr="172.20.0.0/16")
    with pytest.raises(pulumi.RunError, match="of the VPC, which EKS refuses"):
        build(**EXISTING, service_cidr="10.9.240.0/20")


def test_services_take_no_addresses_of_a_new_vpc(build: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(pulumi.RunError, match=r'such as "10\.100\.0\.0/16"'):
        build(cidr="172.20.0.0/16", service_cidr="172.20.0.0/16")


def test_what_aws_does_not_find_is_named_with_account_and_region(recorder: Recorder) -> None:
    told: list[str] = []

    def program() -> pulumi.ComponentResource:
        parent = pulumi.ComponentResource("test:index:Parent", "parent")
        told.append(str(not_found("existing_vpc_id", VPC, "us-east-1", parent, RuntimeError("empty result"))))
        return parent

    recorder.run(program)
    assert told == [
        f"existing_vpc_id = '{VPC}': was not found in account 123456789012, region us-east-1 (empty result); correct "
        "the id, the region or the credentials"
    ]


# Refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cluster_name": ""}, "cluster_name = '': is no name"),
        ({"cluster_name": "my cluster"}, "cluster_name = 'my cluster': is no name"),
        ({"name_prefix": "-x"}, "name_prefix = '-x': is no name"),
        ({"availability_zones": [A]}, "has 1 zones, EKS and load balancers need 2 to 6"),
        ({"availability_zones": []}, "has 0 zones"),
        ({"availability_zones": [f"us-east-1{letter}" for letter in "abcdefg"]}, "has 7 zones"),
        ({"availability_zones": [A, A]}, "names a zone twice"),
        ({"availability_zones": [A, "us-west-2a"]}, "'us-west-2a': is no availability zone of region us-east-1"),
        ({"availability_zones": [A, "us-east-1-bos-1a"]}, "'us-east-1-bos-1a': is no availability zone"),
        ({"availability_zones": [A, "use1-az1"]}, "'use1-az1': is no availability zone"),
        ({"cidr": "10.0.0.0/8"}, "has prefix /8"),
        ({"cidr": "10.0.0.0/26"}, "has no room for planned subnets in 2 zones"),
        (
            {"cidr": "10.0.0.0/24", "availability_zones": [A, B, C, "us-east-1d"]},
            "has no room for planned subnets in 4",
        ),
        ({"cidr": "nonsense"}, "cidr = 'nonsense': is no IPv4 range"),
        ({"public_subnet_cidrs": ["10.0.0.0/24"]}, "public_subnet_cidrs = ['10.0.0.0/24']: has 1 subnets for 2 zones"),
        ({"public_subnet_cidrs": ["10.1.0.0/24", "10.0.255.0/24"]}, "'10.1.0.0/24': lies outside of the VPC"),
        ({"private_subnet_cidrs": ["10.0.0.0/20", "10.0.8.0/21"]}, "'10.0.8.0/21': overlaps 10.0.0.0/20"),
        ({"private_subnet_cidrs": ["10.0.0.0/28", "10.0.1.0/24"]}, "leaves 11 usable addresses, 16 are needed"),
        ({"cidr": "10.0.0.0/24", "interface_endpoints": [f"s{i}" for i in range(50)]}, "66 are needed"),
        ({"nat_gateways": "two"}, "nat_gateways = 'two': cannot be chosen; choose one of one-per-az, single, none"),
        ({"nat_gateways": "none"}, "without endpoints of ec2, ecr.api, ecr.dkr, eks-auth, sts: none would join"),
        (
            {"nat_gateways": "none", "interface_endpoints": ["private-cluster"], "enable_s3_endpoint": False},
            "without endpoints of s3: none would join",
        ),
        ({"tenancy": "host"}, "tenancy = 'host': cannot be chosen; choose one of default, dedicated"),
        ({"flow_logs_retention_days": 31}, "flow_logs_retention_days = 31: cannot be chosen"),
        ({"flow_logs_retention_days": -1}, "flow_logs_retention_days = -1: cannot be chosen"),
        ({"enable_dns_support": False}, "cannot be off while DNS host names are on"),
        ({"enable_dns_hostnames": False, "interface_endpoints": ["sts"]}, "are of no use without DNS support"),
        ({"interface_endpoints": ["ECR API"]}, "interface_endpoints = 'ECR API': is no endpoint service"),
        ({"interface_endpoints": ["com.amazonaws.eu-west-1.sts"]}, "is no endpoint service of us-east-1"),
        ({"interface_endpoints": ["s3"]}, "'s3': cannot resolve privately by itself"),
        ({"interface_endpoints": ["com.amazonaws.us-east-1.s3"]}, "'s3': cannot resolve privately by itself"),
        ({"interface_endpoints": ["iam"]}, "'iam': has no endpoint inside a region"),
        ({"existing_private_subnets": PRIVATE}, "are given without their VPC"),
        ({**EXISTING, "existing_vpc_id": "vpc-0a1b2c3d4"}, "existing_vpc_id = 'vpc-0a1b2c3d4': is no VPC id"),
        ({**EXISTING, "existing_vpc_id": "main"}, "existing_vpc_id = 'main': is no VPC id"),
        ({**EXISTING, "existing_private_subnets": {A: PRIVATE[A]}}, f"has no subnet in {B}"),
        ({**EXISTING, "existing_private_subnets": {**PRIVATE, C: "subnet-0000000c"}}, f"'{C}': is none of the"),
        ({**EXISTING, "existing_public_subnets": {A: PUBLIC[A]}}, "lies in one zone, load balancers need two"),
        ({**EXISTING, "existing_public_subnets": PRIVATE}, f"'{PRIVATE[A]}': is given more than once"),
        ({**EXISTING, "existing_private_subnets": {A: "a", B: "subnet-0000000b"}}, "'a': is no subnet id"),
        ({**EXISTING, "flow_logs_retention_days": 30}, "flow_logs_retention_days = 30: would change an existing VPC"),
        ({**EXISTING, "interface_endpoints": ["sts"]}, "interface_endpoints = ['sts']: would change an existing VPC"),
        ({"tags": {"Name": "x"}}, "tags = 'Name': is a tag that the components set themselves"),
        ({"tags": {"karpenter.sh/discovery": "x"}}, "is a tag that the components set themselves"),
        ({"tags": {"aws:x": "y"}}, "begins with aws:, which AWS keeps for itself"),
        ({"tags": {"k" * 129: "v"}}, "has 129 characters in its key"),
        ({"tags": {"key": "v" * 257}}, "257 in its value"),
        ({"tags": {f"key{i}": "" for i in range(MOST_TAGS + 1)}}, f"are more than {MOST_TAGS}"),
    ],
)
def test_what_aws_or_eks_would_refuse_is_refused_before_anything_is_registered(
    recorder: Recorder, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="network 'main' cannot be built as asked") as error:
        recorder.run(lambda: Network("main", network_args(**changes)))
    assert message in str(error.value)
    assert recorder.registrations == []


def test_all_problems_are_told_at_once(recorder: Recorder) -> None:
    args = network_args(
        cidr="10.0.0.0/8", tenancy="x", nat_gateways="none", availability_zones=["a"], tags={"Name": ""}
    )
    with pytest.raises(ValueError, match="cannot be built as asked") as error:
        recorder.run(lambda: Network("main", args))
    for input in ("cidr", "tenancy", "nat_gateways", "availability_zones", "tags"):
        assert f"  - {input} = " in str(error.value)


@given(
    st.fixed_dictionaries(
        {
            "cluster_name": st.text(max_size=5),
            "region": st.text(max_size=5),
            "availability_zones": st.lists(st.text(max_size=5), max_size=8),
        },
        optional={
            "cidr": st.text(max_size=12),
            "public_subnet_cidrs": st.lists(st.text(max_size=12), max_size=3),
            "private_subnet_cidrs": st.lists(st.text(max_size=12), max_size=3),
            "nat_gateways": st.text(max_size=5),
            "interface_endpoints": st.lists(st.text(max_size=5), max_size=3),
            "flow_logs_retention_days": st.integers(),
            "existing_vpc_id": st.text(max_size=5),
            "existing_private_subnets": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
            "tags": st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        },
    )
)
def test_no_configuration_makes_the_checks_themselves_fail(options: dict[str, Any]) -> None:
    assert check_network(NetworkOptions(**options))


# Schema


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    component = Analyzer("eks-analytics").analyze([Network])["component_definitions"]["Network"]
    assert component.description
    assert {name for name, found in component.inputs.items() if not found.optional} == {
        "clusterName",
        "region",
        "availabilityZones",
    }
    assert {name for name, found in component.outputs.items() if found.optional} == {"s3EndpointId"}
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []


def test_arguments_options_and_defaults_are_in_step() -> None:
    assert list(NetworkArgs.__annotations__) == list(NetworkOptions.__annotations__)
