"""The pulumi-aws stand-in: what a preview knows, what AWS would refuse, and what the emulated account then holds."""

import json
import threading
import time
from ipaddress import ip_network
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from aws_account import Account, Made
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.knobs import Knobs
from sandbox.providers import aws_rows
from sandbox.providers.aws import AwsProvider, find_by_tags
from sandbox.providers.protocol import UNKNOWN, InvalidInputsError, ProviderError, Values
from small_stack import SmallStack

REGION = "us-east-1"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
VPC, SUBNET, GROUP, ROLE = (
    "aws:ec2/vpc:Vpc",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:iam/role:Role",
)
CLUSTER, NODES, ADDON = "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon"
TEMPLATE, KEY, LOGS = "aws:ec2/launchTemplate:LaunchTemplate", "aws:kms/key:Key", "aws:cloudwatch/logGroup:LogGroup"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"


def policy(*statements: Values) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements or [ALLOW]})


def no_cloud() -> Cloud:
    raise AssertionError("a preview must not need a running cloud")


@pytest.fixture
def preview() -> Account:
    return Account(no_cloud)


@pytest.fixture
def account(cloud: Cloud) -> Account:
    return Account(lambda: cloud)


# Previews.


def test_a_preview_knows_the_inputs_and_nothing_that_aws_fills_in(preview: Account) -> None:
    planned = preview.plan(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "x"})
    assert planned["cidrBlock"] == "10.0.0.0/16"
    assert planned["tagsAll"] == {"Name": "x"}
    assert planned["region"] == REGION
    assert planned["arn"] is planned["mainRouteTableId"] is planned["ipv6CidrBlock"] is UNKNOWN
    assert "ipv4IpamPoolId" not in planned


def test_a_preview_of_a_cluster_does_not_know_its_security_group(preview: Account) -> None:
    planned = preview.plan(CLUSTER, roleArn=UNKNOWN, vpcConfig={"subnetIds": [UNKNOWN, UNKNOWN]})
    assert planned["vpcConfig"]["clusterSecurityGroupId"] is UNKNOWN
    assert planned["identities"] is planned["endpoint"] is UNKNOWN


def test_types_properties_and_functions_without_support_are_errors_that_name_them(preview: Account) -> None:
    with pytest.raises(ProviderError, match="aws:kinesis/stream:Stream is not supported"):
        preview.check("aws:kinesis/stream:Stream", {})
    assert "routes: is not supported" in preview.refusal(
        "aws:ec2/routeTable:RouteTable", vpcId="vpc-1", routes=[{"cidrBlock": "0.0.0.0/0"}]
    )
    with pytest.raises(ProviderError, match="aws:ec2/getAmi:getAmi is not supported"):
        preview.provider.invoke("aws:ec2/getAmi:getAmi", {}, True, {"region": REGION})


def test_region_partition_and_account_need_no_running_cloud(preview: Account) -> None:
    def call(name: str, region: str = REGION) -> Values:
        return preview.provider.invoke(f"aws:index/{name}:{name}", {}, True, {"region": region})

    assert call("getRegion")["region"] == REGION
    assert call("getPartition")["partition"] == "aws"
    assert call("getPartition", "us-gov-west-1")["partition"] == "aws-us-gov"
    assert call("getCallerIdentity")["accountId"] == clouds.ACCOUNT_ID


def test_a_provider_without_region_is_refused(preview: Account) -> None:
    with pytest.raises(InvalidInputsError, match="region: is missing"):
        preview.provider.check_config({})
    preview.provider.check_config({"region": REGION, "skipCredentialsValidation": "true"})


def test_a_key_that_the_provider_does_not_have_is_refused(preview: Account) -> None:
    with pytest.raises(InvalidInputsError) as caught:
        preview.provider.check_config({"regoin": REGION, "team": "data"})
    assert str(caught.value).split("; ", 2) == [
        "regoin: `aws:regoin` is not a valid configuration key for the aws provider",
        "did you mean `aws:region`?",
        "team: `aws:team` is not a valid configuration key for the aws provider: choose another namespace for what is"
        " not its own; region: is missing: set aws:region",
    ]
    engine = {"version": "7.51.1", "pluginDownloadURL": "x", "__internal": {}}
    given = {"endpoints": '[{"s3": "x"}]', "maxRetries": "3", "assumeRoles": "[]", "ignoreTags": '{"keys": ["a"]}'}
    preview.provider.check_config({"region": REGION, **engine, **given})


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (ROLE, {"assumeRolePolicy": TRUST, "name": "r" * 65}, "RoleName"),
        (ROLE, {"assumeRolePolicy": TRUST, "name": "a b"}, "does not match"),
        (ROLE, {"assumeRolePolicy": "{}"}, "is not a policy document"),
        (ROLE, {"assumeRolePolicy": policy({"Effect": "Allow", "Action": "sts:AssumeRole"})}, "has no Principal"),
        (ROLE, {"assumeRolePolicy": TRUST, "maxSessionDuration": 60}, "MaxSessionDuration"),
        ("aws:iam/policy:Policy", {"policy": policy({**ALLOW, "Sid": "x" * 6144})}, "AWS allows 6144"),
        ("aws:iam/policy:Policy", {"policy": policy({"Effect": "Allow", "Action": "s3:*"})}, "has no Resource"),
        (
            "aws:iam/rolePolicy:RolePolicy",
            {"role": "r", "policy": policy({**ALLOW, "Sid": "x" * 10240})},
            "allows 10240",
        ),
        (SUBNET, {"vpcId": "vpc-1", "availabilityZone": "eu-west-1a"}, "eu-west-1a is not in region us-east-1"),
        (VPC, {"cidrBlock": "10.0.0.0/16", "instanceTenancy": "shared"}, "is not one of default, dedicated"),
        (LOGS, {"name": "with spaces"}, "does not match"),
        (KEY, {"rotationPeriodInDays": 180, "keyUsage": "SECRETS"}, "is not one of"),
        (
            NODES,
            {
                "clusterName": "c",
                "nodeRoleArn": "arn",
                "subnetIds": [UNKNOWN],
                "scalingConfig": {"minSize": 2, "desiredSize": 1, "maxSize": 3},
            },
            "minSize <= desiredSize <= maxSize",
        ),
        (
            NODES,
            {
                "clusterName": "c",
                "nodeRoleArn": "arn",
                "subnetIds": [UNKNOWN],
                "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 3},
                "taints": [{"key": "k", "effect": "NoSchedule"}],
            },
            "'NoSchedule' is not one of NO_SCHEDULE",
        ),
    ],
)
def test_what_aws_would_refuse_is_refused_in_preview(preview: Account, token: str, inputs: Values, reason: str) -> None:
    assert reason in preview.refusal(token, **inputs)


def test_white_space_does_not_count_towards_the_size_of_a_policy(preview: Account) -> None:
    preview.check("aws:iam/policy:Policy", {"policy": policy() + " " * 7000})


def test_generated_names_carry_the_logical_name_and_stay_over_updates(preview: Account) -> None:
    first = preview.check(ROLE, {"assumeRolePolicy": TRUST}, name="deployer")
    assert first["name"].startswith("deployer-")
    assert len(first["name"]) == len("deployer-") + 7
    renewed = preview.provider.check(preview._resource(ROLE, "deployer"), first, {"assumeRolePolicy": TRUST}, b"other")
    assert renewed["name"] == first["name"]
    assert preview.check("aws:kms/alias:Alias", {"targetKeyId": "k"})["name"].startswith("alias/it-")


TRUSTED: Values = {"assumeRolePolicy": TRUST}
LONGEST: dict[str, tuple[int, Values]] = {
    ROLE: (64, TRUSTED),
    "aws:cloudwatch/eventRule:EventRule": (64, {"scheduleExpression": "rate(1 hour)"}),
    "aws:s3/bucket:Bucket": (63, {}),
    "aws:sqs/queue:Queue": (80, {}),
    "aws:kms/alias:Alias": (238, {"targetKeyId": "1234abcd-12ab-34cd-56ef-1234567890ab"}),
    GROUP: (255, {}),
}


@pytest.mark.parametrize("token", LONGEST)
def test_an_automatic_name_that_the_provider_would_not_make_is_refused(preview: Account, token: str) -> None:
    longest, inputs = LONGEST[token]
    fits = "a" * (longest - 8)
    preview.check(token, inputs, name=fits)
    with pytest.raises(ProviderError) as refused:
        preview.check(token, inputs, name=f"{fits}b")
    reason = f"name '{fits}b-' plus 7 random chars is longer than maximum length {longest}"
    assert str(refused.value) == f"could not make instance of '{token}': {reason}"
    kept = {aws_rows.ROWS[token].name: "older-1a2b3c4"}
    assert preview.check(token, inputs, old={**inputs, **kept}, name=f"{fits}b").items() >= kept.items()


@pytest.mark.parametrize("token", ["aws:iam/policy:Policy", "aws:iam/instanceProfile:InstanceProfile"])
def test_an_automatic_name_that_iam_would_refuse_is_refused(preview: Account, token: str) -> None:
    inputs: Values = {"policy": policy()} if token.endswith("Policy") else {"role": "nodes"}
    preview.check(token, inputs, name="a" * 120)
    with pytest.raises(InvalidInputsError, match="AWS would refuse it"):
        preview.check(token, inputs, name="a" * 121)


def test_a_name_prefix_takes_the_place_of_a_generated_name(preview: Account) -> None:
    inputs = preview.check(LOGS, {"namePrefix": "x-"})
    assert "name" not in inputs
    assert preview.plan(LOGS, namePrefix="x-")["name"] is UNKNOWN


# Differences.


@pytest.mark.parametrize(
    ("token", "old", "new", "replaces"),
    [
        (VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.1.0.0/16"}, True),
        (VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": UNKNOWN}, True),
        (VPC, {"cidrBlock": "10.0.0.0/16"}, {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True}, False),
        (
            SUBNET,
            {"vpcId": "v", "availabilityZone": "us-east-1a"},
            {"vpcId": "v", "availabilityZone": "us-east-1b"},
            True,
        ),
        (SUBNET, {"vpcId": "v"}, {"vpcId": "v", "mapPublicIpOnLaunch": True}, False),
        (ROLE, {"assumeRolePolicy": TRUST, "path": "/a/"}, {"assumeRolePolicy": TRUST, "path": "/b/"}, True),
        (ROLE, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": TRUST, "description": "d"}, False),
        (KEY, {}, {"enableKeyRotation": True}, False),
        (KEY, {}, {"multiRegion": True}, True),
        (ADDON, {"clusterName": "c", "addonName": "a"}, {"clusterName": "c", "addonName": "b"}, True),
    ],
)
def test_the_row_says_what_replaces(preview: Account, token: str, old: Values, new: Values, replaces: bool) -> None:
    changes = preview.diff(token, old, new)
    assert changes.changed
    assert bool(changes.replacing) is replaces


def test_inside_an_object_each_key_is_judged_by_itself(preview: Account) -> None:
    base: Values = {
        "clusterName": "c",
        "nodeRoleArn": "arn",
        "subnetIds": ["subnet-1"],
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 3},
        "launchTemplate": {"id": "lt-1", "version": "1"},
    }
    newer = preview.diff(NODES, base, {**base, "launchTemplate": {"id": "lt-1", "version": "2"}})
    assert newer.changed == {"launchTemplate.version": "update"}
    assert not newer.replacing
    assert preview.diff(NODES, base, {**base, "launchTemplate": {"id": "lt-2", "version": "1"}}).replacing
    without = {key: value for key, value in base.items() if key != "launchTemplate"}
    assert preview.diff(NODES, base, without).replacing
    scaled = {**base, "scalingConfig": {"minSize": 1, "desiredSize": 2, "maxSize": 3}}
    assert preview.diff(NODES, base, scaled).changed == {"scalingConfig.desiredSize": "update"}
    assert not preview.diff(NODES, base, scaled, ("scalingConfig.desiredSize",)).changed


def test_order_in_lists_and_the_layout_of_documents_are_no_difference(preview: Account) -> None:
    cluster: Values = {"roleArn": "arn", "vpcConfig": {"subnetIds": ["a", "b"]}, "name": "c"}
    assert not preview.diff(CLUSTER, cluster, {**cluster, "vpcConfig": {"subnetIds": ["b", "a"]}}).changed
    spaced = json.dumps(json.loads(TRUST), indent=2)
    assert not preview.diff(ROLE, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": spaced}).changed
    assert preview.diff(ROLE, {"assumeRolePolicy": TRUST}, {"assumeRolePolicy": TRUST.replace("eks", "ec2")}).changed


def test_a_removed_property_that_aws_fills_in_is_no_difference(preview: Account) -> None:
    assert not preview.diff(SUBNET, {"vpcId": "v", "availabilityZone": "us-east-1a"}, {"vpcId": "v"}).changed
    assert preview.diff(ROLE, {"assumeRolePolicy": TRUST, "description": "d"}, {"assumeRolePolicy": TRUST}).changed


def test_only_a_fixed_name_is_deleted_before_its_replacement(preview: Account) -> None:
    old, new = {"assumeRolePolicy": TRUST, "path": "/a/"}, {"assumeRolePolicy": TRUST, "path": "/b/"}
    assert preview.diff(ROLE, {**old, "name": "x"}, {**new, "name": "x"}).delete_before_replace
    assert not preview.diff(ROLE, old, new).delete_before_replace


def test_another_region_replaces(preview: Account) -> None:
    assert preview.provider.diff(preview._resource(VPC), "id", {}, {"region": "eu-west-1"}, {}, []).replacing == {
        "region"
    }


# The emulated account.


def network(account: Account, zones: tuple[str, ...] = ("a", "b"), cidr: str = "10.0") -> tuple[Made, list[Made]]:
    vpc = account.make(VPC, cidrBlock=f"{cidr}.0.0/16", tags={"a": "b"})
    subnets = [
        account.make(SUBNET, vpcId=vpc.id, cidrBlock=f"{cidr}.{index}.0/24", availabilityZone=f"{REGION}{zone}")
        for index, zone in enumerate(zones)
    ]
    return vpc, subnets


def cluster(account: Account, name: str, subnets: list[Made], **inputs: Any) -> Made:
    role = account.make(ROLE, name=f"{name}-role", assumeRolePolicy=TRUST)
    config = {"subnetIds": [subnet.id for subnet in subnets], "endpointPrivateAccess": True}
    return account.make(CLUSTER, name=name, **{"roleArn": role["arn"], "vpcConfig": config, "version": "1.35"} | inputs)


def test_attributes_beyond_the_create_call_are_set_and_changed_in_place(account: Account, cloud: Cloud) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16", enableDnsHostnames=True, tags={"a": "b", "c": "d"})
    hostnames = {"VpcId": vpc.id, "Attribute": "enableDnsHostnames"}
    ec2 = cloud.client("ec2", REGION)
    assert ec2.describe_vpc_attribute(**hostnames)["EnableDnsHostnames"]["Value"] is True
    assert vpc["arn"].endswith(f":vpc/{vpc.id}")
    assert vpc.refreshes_unchanged()
    vpc.change(enableDnsHostnames=False, tags={"a": "x"})
    assert ec2.describe_vpc_attribute(**hostnames)["EnableDnsHostnames"]["Value"] is False
    assert ec2.describe_vpcs(VpcIds=[vpc.id])["Vpcs"][0]["Tags"] == [{"Key": "a", "Value": "x"}]
    assert vpc["tagsAll"] == {"a": "x"}
    vpc.delete()
    assert vpc.read() is None
    vpc.delete()


def test_a_deletion_goes_on_where_somebody_else_did_a_part_of_it(account: Account, cloud: Cloud) -> None:
    vpc, _ = network(account, ())
    gateway = account.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    cloud.client("ec2", REGION).detach_internet_gateway(InternetGatewayId=gateway.id, VpcId=vpc.id)
    gateway.delete()
    assert gateway.read() is None


def test_a_refresh_sees_what_somebody_else_changed(account: Account, cloud: Cloud) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16", tags={"a": "b"})
    cloud.client("ec2", REGION).create_tags(Resources=[vpc.id], Tags=[{"Key": "a", "Value": "theirs"}])
    found = vpc.read()
    assert found is not None
    assert found[1]["tags"] == {"a": "theirs"}


def test_ipv6_comes_and_goes_in_place(account: Account) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16", assignGeneratedIpv6CidrBlock=True)
    assert vpc["ipv6CidrBlock"].endswith("/56")
    vpc.change(assignGeneratedIpv6CidrBlock=False)
    assert "ipv6CidrBlock" not in vpc.state
    vpc.change(assignGeneratedIpv6CidrBlock=True)
    block = str(ip_network(vpc["ipv6CidrBlock"].replace("/56", "/64")))  # the emulator pads groups with zeros
    subnet = account.make(SUBNET, vpcId=vpc.id, cidrBlock="10.0.0.0/24", ipv6CidrBlock=block)
    assert subnet.refreshes_unchanged()


def test_an_availability_zone_that_does_not_exist_is_refused(account: Account) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16")
    with pytest.raises(ProviderError, match="us-east-1z is not an availability zone"):
        account.make(SUBNET, vpcId=vpc.id, cidrBlock="10.0.0.0/24", availabilityZone="us-east-1z")


def test_a_nat_gateway_needs_an_internet_gateway_and_holds_subnet_and_address(account: Account) -> None:
    vpc, [subnet] = network(account, ("a",))
    address = account.make("aws:ec2/eip:Eip", domain="vpc")
    gateway: Values = {"allocationId": address.id, "subnetId": subnet.id}
    with pytest.raises(ProviderError, match="no Internet gateway"):
        account.make("aws:ec2/natGateway:NatGateway", **gateway)
    internet = account.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    nat = account.make("aws:ec2/natGateway:NatGateway", **gateway)
    assert nat["publicIp"] == address["publicIp"]
    assert nat.refreshes_unchanged()
    assert address.refreshes_unchanged()
    for used in (subnet, internet, address):
        with pytest.raises(ProviderError, match=r"DependencyViolation|InUse"):
            used.delete()
    for one in (nat, address, internet, subnet, vpc):
        one.delete()
        assert one.read() is None


def test_a_security_group_in_use_cannot_be_deleted(account: Account) -> None:
    vpc, _ = network(account, ())
    used, user = (account.make(GROUP, name=name, vpcId=vpc.id) for name in ("used", "user"))
    rule = account.make(INGRESS, securityGroupId=user.id, ipProtocol="-1", referencedSecurityGroupId=used.id)
    assert rule.refreshes_unchanged()
    with pytest.raises(ProviderError, match=f"a rule of {user.id}"):
        used.delete()
    rule.delete()
    used.delete()


def test_a_rule_is_changed_in_place(account: Account, cloud: Cloud) -> None:
    vpc, _ = network(account, ())
    group = account.make(GROUP, vpcId=vpc.id)
    ports: Values = {"securityGroupId": group.id, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    rule = account.make(INGRESS, **ports, cidrIpv4="10.0.0.0/8", description="web", tags={"a": "b"})
    rule.change(toPort=444, cidrIpv4="10.1.0.0/16")
    rules = cloud.client("ec2", REGION).describe_security_group_rules(SecurityGroupRuleIds=[rule.id])[
        "SecurityGroupRules"
    ]
    assert (rules[0]["ToPort"], rules[0]["CidrIpv4"]) == (444, "10.1.0.0/16")


def test_a_new_group_has_no_rules_and_inline_rules_are_exactly_those_written(account: Account, cloud: Cloud) -> None:
    vpc, _ = network(account, ())
    bare = account.make(GROUP, vpcId=vpc.id, name="bare")
    web = {"protocol": "tcp", "fromPort": 80, "toPort": 80, "cidrBlocks": ["10.0.0.0/8"], "description": "web"}
    group = account.make(GROUP, vpcId=vpc.id, name="inline", ingress=[web])
    described = cloud.client("ec2", REGION).describe_security_groups(GroupIds=[bare.id, group.id])["SecurityGroups"]
    permissions = {one["GroupName"]: (one["IpPermissions"], one["IpPermissionsEgress"]) for one in described}
    assert permissions["bare"] == ([], [])
    assert [rule["FromPort"] for rule in permissions["inline"][0]] == [80]
    group.change(ingress=[{**web, "fromPort": 81, "toPort": 81}])
    assert group["ingress"][0]["fromPort"] == 81
    assert group.refreshes_unchanged()


def test_the_default_group_is_adopted_emptied_and_left_behind(account: Account, cloud: Cloud) -> None:
    vpc, _ = network(account, ())
    adopted = account.make("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", vpcId=vpc.id, tags={"Name": "none"})
    assert adopted.id == vpc["defaultSecurityGroupId"]
    ec2 = cloud.client("ec2", REGION)
    [group] = ec2.describe_security_groups(GroupIds=[adopted.id])["SecurityGroups"]
    assert group["IpPermissions"] == group["IpPermissionsEgress"] == []
    assert group["Tags"] == [{"Key": "Name", "Value": "none"}]
    assert adopted.refreshes_unchanged()
    adopted.delete()
    assert ec2.describe_security_groups(GroupIds=[adopted.id])["SecurityGroups"]


def test_a_route_has_the_id_of_the_real_provider_and_changes_its_target_in_place(account: Account) -> None:
    vpc, _ = network(account, ())
    table = account.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id)
    gateway = account.make("aws:ec2/internetGateway:InternetGateway", vpcId=vpc.id)
    route = account.make(
        "aws:ec2/route:Route", routeTableId=table.id, destinationCidrBlock="0.0.0.0/0", gatewayId=gateway.id
    )
    assert route.id == f"r-{table.id}1080289494"
    assert route.refreshes_unchanged()
    assert table.refreshes_unchanged()
    imported = account.provider.read(route.resource, f"{table.id}_0.0.0.0/0", {}, {})
    assert imported is not None
    assert imported[:2] == (route.id, route.inputs)
    other = account.diff("aws:ec2/route:Route", route.inputs, {**route.inputs, "destinationCidrBlock": "10.9.0.0/16"})
    assert other.replacing == {"destinationCidrBlock"}
    route.delete()
    assert route.read() is None


def test_an_association_moves_to_another_table_in_place_although_aws_renames_it(account: Account, cloud: Cloud) -> None:
    vpc, [subnet] = network(account, ("a",))
    first, second = (account.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id) for _ in range(2))
    association = account.make(ASSOCIATION, subnetId=subnet.id, routeTableId=first.id)
    association.change(routeTableId=second.id)
    tables = cloud.client("ec2", REGION).describe_route_tables(RouteTableIds=[second.id])["RouteTables"]
    assert [one["SubnetId"] for one in tables[0]["Associations"]] == [subnet.id]
    association.delete()
    assert association.read() is None


def test_endpoint_subnets_and_policy_change_in_place(account: Account) -> None:
    vpc, subnets = network(account)
    group = account.make(GROUP, vpcId=vpc.id)
    endpoint = account.make(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        vpcId=vpc.id,
        serviceName=f"com.amazonaws.{REGION}.ecr.api",
        vpcEndpointType="Interface",
        subnetIds=[subnets[0].id],
        securityGroupIds=[group.id],
        privateDnsEnabled=True,
    )
    endpoint.change(subnetIds=[subnets[1].id], policy=policy({**ALLOW, "Principal": "*"}))
    assert endpoint["subnetIds"] == [subnets[1].id]
    assert endpoint.refreshes_unchanged()


def test_a_launch_template_gets_a_version_only_for_what_it_holds(account: Account, cloud: Cloud) -> None:
    disk = {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 100, "volumeType": "gp3", "encrypted": "true"}}
    template = account.make(
        TEMPLATE,
        instanceType="m6i.large",
        metadataOptions={"httpTokens": "required", "httpPutResponseHopLimit": 1},
        blockDeviceMappings=[disk],
        tagSpecifications=[{"resourceType": "instance", "tags": {"a": "b"}}],
        updateDefaultVersion=True,
        tags={"a": "b"},
    )
    assert template["latestVersion"] == 1
    template.change(tags={"a": "c"})
    assert template["latestVersion"] == 1
    template.change(preview=True, instanceType="m6i.xlarge")
    assert template.planned["latestVersion"] is UNKNOWN
    assert template.planned["arn"] == template["arn"]
    template.change(instanceType="m6i.xlarge")
    assert (template["latestVersion"], template["defaultVersion"]) == (2, 2)
    versions = cloud.client("ec2", REGION).describe_launch_template_versions(LaunchTemplateId=template.id)
    data = {one["VersionNumber"]: one["LaunchTemplateData"] for one in versions["LaunchTemplateVersions"]}
    assert data[2]["InstanceType"] == "m6i.xlarge"
    assert data[2]["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is True
    assert template.refreshes_unchanged()


def test_log_retention_and_log_tags_change_in_place(account: Account, cloud: Cloud) -> None:
    group = account.make(LOGS, retentionInDays=7, tags={"a": "b"})
    group.change(retentionInDays=30, tags={"c": "d"})
    logs = cloud.client("logs", REGION)
    [found] = logs.describe_log_groups(logGroupNamePrefix=group.id)["logGroups"]
    assert found["retentionInDays"] == 30
    assert logs.list_tags_for_resource(resourceArn=group["arn"])["tags"] == {"c": "d"}
    group.change(retentionInDays=None)
    [found] = logs.describe_log_groups(logGroupNamePrefix=group.id)["logGroups"]
    assert "retentionInDays" not in found


def test_a_role_is_changed_in_place_and_a_policy_keeps_at_most_five_versions(account: Account, cloud: Cloud) -> None:
    role = account.make(ROLE, assumeRolePolicy=TRUST, tags={"a": "b"})
    role.change(assumeRolePolicy=TRUST.replace("eks", "ec2"), description="d", tags={"a": "c"})
    iam = cloud.client("iam", REGION)
    found = iam.get_role(RoleName=role.id)["Role"]
    assert found["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] == {"Service": "ec2.amazonaws.com"}
    assert (found["Description"], found["Tags"]) == ("d", [{"Key": "a", "Value": "c"}])
    rules = account.make("aws:iam/policy:Policy", policy=policy())
    for number in range(7):
        rules.change(policy=policy({**ALLOW, "Sid": f"n{number}"}))
    assert len(iam.list_policy_versions(PolicyArn=rules.id)["Versions"]) <= 5
    assert json.loads(rules["policy"])["Statement"][0]["Sid"] == "n6"
    attachment = account.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", role=role.id, policyArn=rules.id)
    with pytest.raises(ProviderError, match="DeleteConflict"):
        role.delete()
    for one in (attachment, rules, role):
        assert one.refreshes_unchanged() or one is rules
        one.delete()
        assert one.read() is None


def test_a_key_is_rotated_described_and_scheduled_for_deletion(account: Account, cloud: Cloud) -> None:
    key = account.make(KEY, enableKeyRotation=True, rotationPeriodInDays=180, deletionWindowInDays=7, tags={"a": "b"})
    alias = account.make("aws:kms/alias:Alias", targetKeyId=key["arn"])
    assert alias.id.startswith("alias/it-")
    assert alias.refreshes_unchanged()
    kms = cloud.client("kms", REGION)
    assert kms.get_key_rotation_status(KeyId=key.id)["KeyRotationEnabled"] is True
    assert any("rotationPeriodInDays" in text for text in account.announced)
    key.change(description="new", enableKeyRotation=False, rotationPeriodInDays=None)
    assert kms.describe_key(KeyId=key.id)["KeyMetadata"]["Description"] == "new"
    alias.delete()
    key.delete()
    assert key.read() is None
    assert key.id in inventory(cloud, REGION)["aws:kms/key:Key (pending deletion)"]


def test_the_emulator_may_not_drop_what_was_asked_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    row = aws_rows.ROWS[KEY]
    forgetful = type(row)(**{**vars(row), "recorded": ()})
    monkeypatch.setitem(aws_rows.ROWS, KEY, forgetful)
    with pytest.raises(ProviderError, match="the emulator does not keep rotationPeriodInDays"):
        account.make(KEY, enableKeyRotation=True, rotationPeriodInDays=180)


# EKS.


def test_a_cluster_has_its_security_group_and_gives_it_back(account: Account, cloud: Cloud) -> None:
    _, subnets = network(account)
    one = cluster(account, "groups", subnets, upgradePolicy={"supportType": "STANDARD"}, deletionProtection=True)
    ec2 = cloud.client("ec2", REGION)
    by_tag = {"Filters": [{"Name": "tag:aws:eks:cluster-name", "Values": ["groups"]}]}
    [group] = ec2.describe_security_groups(**by_tag)["SecurityGroups"]
    assert one["vpcConfig"]["clusterSecurityGroupId"] == group["GroupId"]
    assert group["GroupName"].startswith("eks-cluster-sg-groups-")
    assert {"Key": "kubernetes.io/cluster/groups", "Value": "owned"} in group["Tags"]
    assert one["upgradePolicy"] == {"supportType": "STANDARD"}
    assert one["identities"][0]["oidcs"][0]["issuer"].startswith("https://")
    assert one.refreshes_unchanged()
    with pytest.raises(ProviderError, match="deletion protection"):
        one.delete()
    with pytest.raises(ProviderError, match="DependencyViolation"):
        subnets[0].delete()
    one.change(deletionProtection=False)
    account.make(ADDON, clusterName="groups", addonName="vpc-cni")
    one.delete()
    assert one.read() is None
    assert not ec2.describe_security_groups(**by_tag)["SecurityGroups"]
    assert not [key for key in cloud.store("recorded").items() if "groups" in key and CLUSTER in key]


def test_a_cluster_refuses_what_eks_refuses(account: Account) -> None:
    _, subnets = network(account)
    _, elsewhere = network(account, ("c",), "10.1")
    role = account.make(ROLE, assumeRolePolicy=TRUST)

    def refusal(subnet_ids: list[str], role_arn: str = "", name: str = "refused", **inputs: Any) -> str:
        config = {"subnetIds": subnet_ids}
        with pytest.raises(ProviderError) as caught:
            account.make(CLUSTER, name=name, roleArn=role_arn or role["arn"], vpcConfig=config, **inputs)
        return str(caught.value)

    both = [subnet.id for subnet in subnets]
    assert "at least two different AZs" in refusal([subnets[0].id])
    assert "subnets of one VPC" in refusal([subnets[0].id, elsewhere[0].id])
    assert "not all of the subnets" in refusal([subnets[0].id, "subnet-12345678"])
    assert "role arn:aws:iam::123456789012:role/none does not exist" in refusal(
        both, "arn:aws:iam::123456789012:role/none"
    )
    key = {"provider": {"keyArn": f"arn:aws:kms:{REGION}:123456789012:key/none"}, "resources": ["secrets"]}
    assert "does not exist or is not enabled" in refusal(both, encryptionConfig=key)
    cluster(account, "taken", subnets)
    assert "ResourceInUseException" in refusal(both, name="taken")


def test_a_cluster_changes_in_place_what_eks_can_change(account: Account) -> None:
    _, subnets = network(account, ("a", "b", "c"))
    one = cluster(account, "changing", subnets[:2], enabledClusterLogTypes=["api", "audit"])
    config = one.inputs["vpcConfig"]
    one.change(
        version="1.36",
        enabledClusterLogTypes=["api"],
        vpcConfig={**config, "endpointPublicAccess": True, "publicAccessCidrs": ["192.0.2.1/32"]},
        tags={"a": "b"},
    )
    assert (one["version"], one["enabledClusterLogTypes"]) == ("1.36", ["api"])
    assert one["vpcConfig"]["publicAccessCidrs"] == ["192.0.2.1/32"]
    assert one["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    assert one.refreshes_unchanged()
    assert any("UpdateClusterConfig is recorded" in text for text in account.announced)
    with pytest.raises(ProviderError, match="minor version update"):
        one.change(version="1.38")
    with pytest.raises(ProviderError, match="different AZs than those at creation"):
        one.change(vpcConfig={**config, "subnetIds": [subnet.id for subnet in subnets]})
    changed = {**one.inputs, "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"}}
    assert account.diff(CLUSTER, one.inputs, changed).replacing
    encrypted = {**one.inputs, "encryptionConfig": {"provider": {"keyArn": "arn"}, "resources": ["secrets"]}}
    assert not account.diff(CLUSTER, one.inputs, encrypted).replacing
    assert account.diff(CLUSTER, encrypted, one.inputs).replacing == {"encryptionConfig"}


def test_another_key_for_the_secrets_of_a_cluster_is_planned_and_never_sent(account: Account) -> None:
    _, subnets = network(account)
    first, second = ({"keyArn": account.make(KEY, name)["arn"]} for name in ("first", "second"))
    one = cluster(account, "sealed", subnets, encryptionConfig={"provider": first, "resources": ["secrets"]})
    for _ in range(2):
        changes = one.change(encryptionConfig={"provider": second, "resources": ["secrets"]})
        assert changes.changed == {"encryptionConfig.provider.keyArn": "update"}
        assert one["encryptionConfig"]["provider"] == first
    found = one.read()
    assert found is not None
    assert found[1]["encryptionConfig"]["provider"] == first


def test_a_node_group_keeps_everything_and_changes_in_place(account: Account, cloud: Cloud) -> None:
    _, subnets = network(account)
    home = cluster(account, "nodes", subnets)
    role = account.make(ROLE, name="node-role", assumeRolePolicy=TRUST)
    template = account.make(TEMPLATE, "for-nodes", instanceType="m6i.large")
    group = account.make(
        NODES,
        clusterName="nodes",
        nodeGroupNamePrefix="workers-",
        nodeRoleArn=role["arn"],
        subnetIds=[subnet.id for subnet in subnets],
        scalingConfig={"minSize": 1, "desiredSize": 1, "maxSize": 3},
        launchTemplate={"id": template.id, "version": "1"},
        labels={"a": "b"},
        taints=[{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        updateConfig={"maxUnavailablePercentage": 33},
        tags={"a": "b", "x": "y"},
    )
    assert group.id.startswith("nodes:workers-")
    assert group.refreshes_unchanged()
    group.change(
        scalingConfig={"minSize": 1, "desiredSize": 1, "maxSize": 5}, labels={"c": "d"}, taints=[], tags={"c": "d"}
    )
    assert (group["scalingConfig"]["maxSize"], group["labels"]) == (5, {"c": "d"})
    assert group.refreshes_unchanged()
    eks = cloud.client("eks", REGION)
    assert eks.list_tags_for_resource(resourceArn=group["arn"])["tags"] == {"c": "d"}
    with pytest.raises(ProviderError, match="Cluster has nodegroups attached"):
        home.delete()
    for inputs, reason in (
        ({"launchTemplate": {"id": template.id, "version": "9"}}, "has no version 9"),
        ({"nodeRoleArn": "arn:aws:iam::123456789012:role/none"}, "role/none does not exist"),
        ({"subnetIds": [network(account, ("a",), "10.2")[1][0].id]}, "but the cluster is in"),
    ):
        with pytest.raises(ProviderError, match=reason):
            account.make(NODES, "other", **{**group.inputs, **inputs})
    group.delete()
    home.delete()


def test_addons_entries_and_pod_identities_round_trip(account: Account, cloud: Cloud) -> None:
    _, subnets = network(account)
    home = cluster(account, "access", subnets)
    role = account.make(ROLE, name="pod-role", assumeRolePolicy=TRUST)
    values = json.dumps({"env": {"ENABLE_PREFIX_DELEGATION": "true"}})
    addon = account.make(
        ADDON,
        clusterName="access",
        addonName="vpc-cni",
        addonVersion="v1.0.0-eksbuild.1",
        configurationValues=values,
        resolveConflictsOnUpdate="OVERWRITE",
        podIdentityAssociations=[{"serviceAccount": "aws-node", "roleArn": role["arn"]}],
        tags={"a": "b"},
    )
    addon.change(addonVersion="v2.0.0-eksbuild.1", tags={})
    assert (
        cloud.client("eks", REGION).describe_addon(clusterName="access", addonName="vpc-cni")["addon"]["addonVersion"]
        == "v2.0.0-eksbuild.1"
    )
    principal = "arn:aws:iam::123456789012:role/Admin"
    entry = account.make(
        "aws:eks/accessEntry:AccessEntry", clusterName="access", principalArn=principal, tags={"a": "b"}
    )
    association = account.make(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        clusterName="access",
        principalArn=principal,
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        accessScope={"type": "cluster"},
    )
    identity = account.make(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        clusterName="access",
        namespace="kube-system",
        serviceAccount="controller",
        roleArn=role["arn"],
        tags={"a": "b"},
    )
    identity.change(tags={"c": "d"})
    entry.change(kubernetesGroups=["viewers"])
    for one in (addon, entry, association, identity):
        assert one.refreshes_unchanged()
    with pytest.raises(ProviderError, match="role/none does not exist"):
        addon.change(
            podIdentityAssociations=[{"serviceAccount": "x", "roleArn": "arn:aws:iam::123456789012:role/none"}]
        )
    for one in (identity, association, entry, addon, home):
        one.delete()
        assert one.read() is None


# Recovery, knobs, functions, the account as a whole.


def test_an_import_gives_inputs_that_differ_from_the_program_in_nothing_that_aws_holds(account: Account) -> None:
    vpc, [subnet, _] = network(account)
    role = account.make(ROLE, "imported", assumeRolePolicy=TRUST, description="d", tags={"a": "b"})
    for one in (vpc, subnet, role, account.make(LOGS, "imported", retentionInDays=7)):
        found = account.provider.read(one.resource, one.id, {}, {})
        assert found is not None
        _, inputs, state = found
        assert state == one.state
        assert not account.provider.diff(one.resource, one.id, inputs, state, one.inputs, []).changed


def test_what_an_interrupted_creation_made_is_found_by_its_tags_or_its_name(account: Account, cloud: Cloud) -> None:
    marked: Values = {"cidrBlock": "10.0.0.0/16", "tags": {"logical": "marked"}}
    vpc = account.make(VPC, **marked)
    group = account.make(LOGS, name="found-by-name")
    assert find_by_tags(cloud, VPC, vpc.inputs, REGION) == [vpc.id]
    assert find_by_tags(cloud, VPC, {**vpc.inputs, "tags": {"logical": "other"}}, REGION) == []
    assert find_by_tags(cloud, VPC, {"cidrBlock": "10.0.0.0/16"}, REGION) == []
    assert find_by_tags(cloud, LOGS, group.inputs, REGION) == [group.id]
    assert find_by_tags(cloud, LOGS, {"name": "nowhere"}, REGION) == []
    account.make(VPC, **marked)
    assert len(find_by_tags(cloud, VPC, vpc.inputs, REGION)) == 2


def test_the_knob_fails_the_call_it_names_once(cloud: Cloud) -> None:
    failing = Account(lambda: cloud, Knobs.parse(["ec2:CreateVpc:2"]))
    failing.make(VPC, cidrBlock="10.0.0.0/16")
    with pytest.raises(ProviderError, match="ec2:CreateVpc: InternalError: injected failure") as caught:
        failing.make(VPC, cidrBlock="10.0.0.0/16")
    assert not caught.value.id
    failing.make(VPC, cidrBlock="10.0.0.0/16")


@pytest.mark.parametrize("text", ["helm:Instal", "command:create:2", "kubernetes:CreateNodePool"])
def test_a_failure_that_would_never_come_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="would never fail: the operations of"):
        Knobs.parse([text])


def test_a_creation_that_fails_half_way_leaves_the_resource_in_the_state(cloud: Cloud) -> None:
    failing = Account(lambda: cloud, Knobs.parse(["ec2:ModifyVpcAttribute"]))
    with pytest.raises(ProviderError) as caught:
        failing.make(VPC, cidrBlock="10.0.0.0/16", enableDnsHostnames=True)
    assert caught.value.id.startswith("vpc-")
    assert caught.value.inputs["cidrBlock"] == "10.0.0.0/16"
    assert caught.value.state["arn"].endswith(caught.value.id)
    half = Made(failing, VPC, "it", caught.value.id, caught.value.inputs, caught.value.state)
    half.change(enableDnsSupport=True, enableDnsHostnames=True)
    assert half["enableDnsHostnames"] is True
    assert half.refreshes_unchanged()


def test_latency_is_scaled_and_ends_when_the_engine_cancels(cloud: Cloud) -> None:
    slow = Account(lambda: cloud, Knobs(latency=0.3))
    began = time.monotonic()
    slow.make(ROLE, "slow", assumeRolePolicy=TRUST)
    assert 0.3 <= time.monotonic() - began < 3
    very_slow = Account(lambda: cloud, Knobs(latency=1000))
    threading.Timer(0.2, very_slow.provider.cancelled.set).start()
    with pytest.raises(ProviderError, match="cancelled"):
        very_slow.make(ROLE, "never", assumeRolePolicy=TRUST)


def test_a_resource_may_live_in_another_region_than_its_provider(account: Account, cloud: Cloud) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16", region="eu-central-1")
    assert vpc["region"] == "eu-central-1"
    assert cloud.client("ec2", "eu-central-1").describe_vpcs(VpcIds=[vpc.id])["Vpcs"]
    assert vpc.refreshes_unchanged()


def test_look_ups_find_exactly_one_resource(account: Account) -> None:
    vpc, subnets = network(account)
    table = account.make("aws:ec2/routeTable:RouteTable", vpcId=vpc.id, tags={"Name": "private"})

    def call(name: str, **args: Any) -> Values:
        return account.provider.invoke(f"aws:{name}", args, False, {"region": REGION})

    found = call("ec2/getSubnet:getSubnet", id=subnets[0].id)
    assert (found["availabilityZone"], found["vpcId"]) == (f"{REGION}a", vpc.id)
    assert found["availableIpAddressCount"] > 200
    assert call("ec2/getVpc:getVpc", id=vpc.id)["cidrBlock"] == "10.0.0.0/16"
    assert call("ec2/getRouteTable:getRouteTable", vpcId=vpc.id, tags={"Name": "private"})["routeTableId"] == table.id
    with pytest.raises(ProviderError, match="2 of Subnets match"):
        call("ec2/getSubnet:getSubnet", vpcId=vpc.id)
    assert call("index/getAvailabilityZones:getAvailabilityZones", state="available")["names"][:2] == [
        f"{REGION}a",
        f"{REGION}b",
    ]
    with pytest.raises(ProviderError, match="allAvailabilityZones: is not supported"):
        call("index/getAvailabilityZones:getAvailabilityZones", allAvailabilityZones=True)


def test_the_inventory_of_an_untouched_region_is_empty(cloud: Cloud) -> None:
    here = {token: ids for token, ids in inventory(cloud, "ap-southeast-2").items() if not token.startswith("aws:iam/")}
    assert here == {}


def test_every_row_fits_the_sdk_and_the_service_models() -> None:
    """Operations exist, templates fit their shapes, and properties that a row names are properties."""
    from sandbox.providers.schema import schema_of
    from sandbox.providers.shapes import operation
    from sandbox.providers.table import references

    for token, row in aws_rows.ROWS.items():
        schema = schema_of(token)
        assert schema is not None, token
        calls = [row.create, *row.delete, *row.updates]
        calls += [row.tags.tag, row.tags.untag] if row.tags else []
        for call in [*calls, *row.read]:
            shape: Any = operation(row.service, call.operation).input_shape
            assert set(call.params) <= set(shape.members), (token, call)
        properties = {path.split(".")[0] for call in calls for path in call.properties}
        columns = (row.computed, row.local, row.recorded, row.replace, row.replace_when, row.unread, row.secret)
        columns += (row.returned, row.suppressed, row.ordered, row.inert, row.unsupported, row.defaults, *row.one_of)
        properties |= {path.split(".")[0] for column in columns for path in column}
        assert properties <= set(schema.inputs), token
        assert set(row.suppressed) <= set(row.returned), token
        assert {*row.outputs, *row.quiet, *row.volatile} <= set(schema.outputs), token
        known = {*schema.inputs, *schema.outputs, "id", "constraint", "state", "old", "found"}
        known |= {"tags", "tagKeys", "tagKeyList"}
        assert {name for call in calls for name in references(call.params)} <= known, token


def test_the_table_of_what_is_recorded_names_properties_and_operations() -> None:
    table = aws_rows.recorded()
    assert "rotationPeriodInDays" in table[KEY]
    assert {"deletionProtection", "UpdateClusterConfig"} <= set(table[CLUSTER])
    assert "UpdateNodegroupConfig" in table[NODES]


@pytest.mark.engine
def test_the_engine_plans_applies_refreshes_replaces_and_destroys(cloud: Cloud, tmp_path: Any) -> None:
    cidr = "10.0.0.0/16"

    def program() -> None:
        within = pulumi.ResourceOptions(provider=aws.Provider("emulated", region="eu-west-3"))
        vpc = aws.ec2.Vpc("vpc", cidr_block=cidr, tags={"Name": "vpc"}, opts=within)
        aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block=cidr.replace("/16", "/24"), opts=within)
        role = aws.iam.Role("role", assume_role_policy=TRUST, opts=within)
        pulumi.export("role", role.name)

    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    assert stack.preview(program)["create"] == 5
    name = stack.up(program)["role"]
    assert set(stack.preview(program)) == {"same"}
    assert set(stack.refresh()) == {"same"}
    cidr = "10.1.0.0/16"
    assert stack.preview(program)["replace"] == 2
    assert stack.up(program)["role"] == name
    assert [
        one["CidrBlock"] for one in cloud.client("ec2", "eu-west-3").describe_vpcs()["Vpcs"] if not one["IsDefault"]
    ] == [cidr]
    stack.destroy()
    assert not [token for token in inventory(cloud, "eu-west-3") if "ec2" in token]
