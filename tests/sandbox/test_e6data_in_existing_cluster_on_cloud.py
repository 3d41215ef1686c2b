"""e6data in a VPC and a cluster that others made: only what is missing is added, and only that goes again."""

from typing import Any

import pytest

from environments import Environment, MakeEnvironment
from sandbox import cloud as embedded_cloud
from test_e6data_on_cloud import POOL, read

CLUSTER = "shared"
ZONES = ("us-west-2a", "us-west-2b")


def routed(ec2: Any, vpc: str, subnet: str, gateway: dict[str, str]) -> str:
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **gateway)
    return table


@pytest.fixture(scope="module")
def there(environment: MakeEnvironment) -> Environment:
    """A stack for a cluster that is there: two private subnets behind a NAT gateway."""
    stack = environment("e6data")
    region = stack.config["aws:region"]
    cloud = embedded_cloud.start(stack.home)
    ec2, eks = cloud.client("ec2", region), cloud.client("eks", region)
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    public = ec2.create_subnet(VpcId=vpc, CidrBlock="10.50.0.0/20", AvailabilityZone=ZONES[0])["Subnet"]["SubnetId"]
    routed(ec2, vpc, public, {"GatewayId": internet})
    nat = ec2.create_nat_gateway(SubnetId=public, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
    private: dict[str, str] = {}
    for number, zone in enumerate(ZONES, 1):
        cidr = f"10.50.{16 * number}.0/20"
        private[zone] = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)["Subnet"]["SubnetId"]
        routed(ec2, vpc, private[zone], {"NatGatewayId": nat})
    eks.create_cluster(
        name=CLUSTER,
        version="1.35",
        roleArn="arn:aws:iam::123456789012:role/cluster",
        resourcesVpcConfig={"subnetIds": list(private.values())},
        accessConfig={"authenticationMode": "API_AND_CONFIG_MAP"},
    )
    # EKS makes and tags the cluster's group.
    group = ec2.create_security_group(VpcId=vpc, GroupName="eks-cluster-sg", Description="EKS")["GroupId"]
    cloud.system_tag(group, {"aws:eks:cluster-name": CLUSTER}, region)
    for name in ("cluster", "node_groups"):
        del stack.config[f"eks-analytics:{name}"]
    stack["cluster_name"] = CLUSTER
    stack["network"] = {"existing_vpc_id": vpc, "existing_private_subnets": private}
    stack["e6data"] |= {"existing_cluster": {"enabled": True}}
    stack.config["public"] = public
    return stack


@pytest.fixture(scope="module")
def public(there: Environment) -> str:
    return there.config.pop("public")


def test_a_private_subnet_that_leads_to_the_internet_gateway_is_refused_before_anything_is_made(
    there: Environment, public: str
) -> None:
    network = there["network"]
    there["network"] = network | {
        "existing_private_subnets": network["existing_private_subnets"] | {"us-west-2a": public}
    }
    output = there.run("preview", code=1).output
    assert "existing_private_subnets.us-west-2a" in output
    assert "leads to an internet gateway" in output
    there["network"] = network


def test_subnets_that_are_not_there_or_elsewhere_are_named_together(there: Environment) -> None:
    network, ec2 = there["network"], there.client("ec2")
    other = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    foreign = ec2.create_subnet(VpcId=other, CidrBlock="10.60.0.0/20", AvailabilityZone="us-west-2a")
    subnets = {"us-west-2a": foreign["Subnet"]["SubnetId"], "us-west-2b": "subnet-0123456789abcdef0"}
    there["network"] = network | {"existing_private_subnets": subnets}
    output = there.run("preview", code=1).output
    assert f"belongs to {other}" in output
    assert "subnet-0123456789abcdef0" in output
    assert "way to the internet" not in output
    there["network"] = network


def test_a_cluster_that_is_not_there_is_named(there: Environment) -> None:
    there["cluster_name"] = "nowhere"
    assert "cluster_name = 'nowhere'" in there.run("preview", code=1).output
    there["cluster_name"] = CLUSTER


def test_a_private_subnet_without_a_default_route_is_refused(there: Environment, public: str) -> None:
    ec2, network = there.client("ec2"), there["network"]
    lone = ec2.create_subnet(
        VpcId=network["existing_vpc_id"], CidrBlock="10.50.64.0/20", AvailabilityZone="us-west-2b"
    )["Subnet"]["SubnetId"]  # it has the main route table, which leads nowhere
    there["network"] = network | {
        "existing_private_subnets": network["existing_private_subnets"] | {"us-west-2b": lone}
    }
    output = there.run("preview", code=1).output
    assert "no route to 0.0.0.0/0" in output
    there["network"] = network


def test_the_cluster_gets_what_it_lacks_and_keeps_what_it_has(there: Environment, public: str) -> None:
    assert public
    there.run("up", "--yes")
    assert set(there.run("up", "--yes").counts()) == {"changes", "unchanged"}
    kinds = {one["type"] for one in there.state()}
    assert not kinds & {"aws:eks/cluster:Cluster", "aws:ec2/vpc:Vpc", "command:local:Command"}
    assert "aws:iam/openIdConnectProvider:OpenIdConnectProvider" in kinds
    # Without the agent of Pod Identity nothing would get its role.
    assert "aws:eks/podIdentityAssociation:PodIdentityAssociation" not in kinds
    assert read(there, POOL, "e6data-analytics", CLUSTER)["metadata"]["labels"]["app"] == "e6data"
    outputs = there.outputs()
    assert outputs["cluster_name"] == CLUSTER
    assert outputs["oidc_provider_arn"].endswith(outputs["oidc_issuer"].removeprefix("https://"))


def test_what_was_there_before_stays(there: Environment, public: str) -> None:
    eks, ec2 = there.client("eks"), there.client("ec2")
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "tag:aws:eks:cluster-name", "Values": [CLUSTER]}])[
        "SecurityGroups"
    ]
    assert {"Key": "app", "Value": "e6data"} in group["Tags"]
    there["e6data"] = there["e6data"] | {
        "existing_cluster": {
            "enabled": True,
            "karpenter_node_role_name": "KarpenterNodes",
            "has_load_balancer_controller": True,
        }
    }
    there.run("up", "--yes")
    kinds = [one["type"] for one in there.state()]
    assert "kubernetes:helm.sh/v3:Release" not in kinds
    assert eks.describe_cluster(name=CLUSTER)["cluster"]["status"] == "ACTIVE"
    assert ec2.describe_subnets(SubnetIds=[public])["Subnets"]
