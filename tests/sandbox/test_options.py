"""What the settings offer, applied by the real engine: nothing is left to do afterwards, and nothing is left behind."""

import re
import shutil
import subprocess
from typing import Any

import pytest

from environments import PROJECT, Environment, MakeEnvironment
from sandbox import cloud as embedded_cloud

ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"]


def actions(plan: str) -> dict[str, list[str]]:
    """What a preview's lines plan, by action."""
    found: dict[str, list[str]] = {}
    for line in plan.splitlines():
        words = line.split()
        if len(words) == 4 and words[0] in "+~±-":
            found.setdefault(words[3], []).append(f"{words[1]} {words[2]}")
    return found


@pytest.mark.thorough
def test_everything_switched_on_settles_and_goes_without_a_trace(environment: MakeEnvironment) -> None:
    dev = environment("dev")
    dev["availability_zones"] = ZONES
    dev["network"] = {
        "cidr": "10.40.0.0/16",
        "nat_gateways": "one-per-az",
        "interface_endpoints": ["private-cluster"],
        "ipv6": True,
        "flow_logs_retention_days": 14,
        "name_prefix": "everything",
    }
    dev["cluster"] = {
        **dev["cluster"],
        "log_types": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        "control_plane_zones": ZONES,
        "vpc_cni_prefix_delegation": True,
        "ebs_csi_role": "vendor-name",
    }
    dev["node_groups"] = [
        {"name": "core", "instance_types": ["m6i.2xlarge"], "min_size": 2, "max_size": 4},
        {
            "name": "flasks",
            "instance_types": ["m7g.xlarge", "m6g.xlarge"],
            "ami_type": "BOTTLEROCKET_ARM_64",
            "capacity_type": "SPOT",
            "min_size": 0,
            "max_size": 10,
            "labels": {"workload": "batch"},
            "taints": [{"key": "batch", "value": "yes", "effect": "NO_SCHEDULE"}],
        },
        {"name": "zonal", "instance_types": ["r6i.large"], "min_size": 1, "max_size": 3, "one_group_per_zone": True},
    ]
    dev.run("up")
    assert "unchanged: 0 changes" in dev.run("preview").output
    assert "unchanged: 0 changes" in dev.run("refresh").output
    assert len(dev.client("eks").list_nodegroups(clusterName="dash-dev")["nodegroups"]) == 5
    vpc = dev.outputs()["vpc_id"]
    blocks = dev.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
    assert len(blocks) == 1
    assert dev.client("iam").get_role(RoleName="AmazonEKS_EBS_CSI_DriverRole")

    dev["network"] = {**dev["network"], "nat_gateways": "single"}
    plan = actions(dev.run("preview").output)
    assert {name.split()[0] for name in plan.pop("delete")} == {"aws.ec2.Eip", "aws.ec2.NatGateway"}
    assert {name.split()[0] for names in plan.values() for name in names} == {"aws.ec2.Route"}
    dev.run("up")
    down = dev.run("down", "--yes")
    assert "aws:" not in down.output.replace("aws:kms/key:Key (pending deletion)", ""), down.output


@pytest.mark.thorough
def test_an_existing_vpc_only_gets_tags_and_keeps_everything_else(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    region = dev.config["aws:region"]
    ec2 = embedded_cloud.start(dev.home).client("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.50.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsHostnames", "EnableDnsSupport"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    transit = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    tables: dict[str, str] = {}
    for role, target in (("private", {"TransitGatewayId": transit}), ("public", {"GatewayId": internet})):
        tables[role] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=tables[role], DestinationCidrBlock="0.0.0.0/0", **target)
    own: dict[str, dict[str, str]] = {"private": {}, "public": {}}
    for index, (role, zone) in enumerate((role, zone) for role in own for zone in dev["availability_zones"]):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.50.{index}.0/24", AvailabilityZone=zone)["Subnet"]
        own[role][zone] = subnet["SubnetId"]
        ec2.create_tags(Resources=[subnet["SubnetId"]], Tags=[{"Key": "CostCenter", "Value": "42"}])
        ec2.associate_route_table(RouteTableId=tables[role], SubnetId=subnet["SubnetId"])
    dev["network"] = {
        "existing_vpc_id": vpc,
        "existing_private_subnets": own["private"],
        "existing_public_subnets": own["public"],
    }
    dev.run("up")
    assert "unchanged: 0 changes" in dev.run("preview").output

    def tags(subnet: str) -> dict[str, str]:
        answer = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]
        return {tag["Key"]: tag["Value"] for tag in answer["Tags"]}

    for role, key in (("private", "kubernetes.io/role/internal-elb"), ("public", "kubernetes.io/role/elb")):
        for subnet in own[role].values():
            wanted = {"CostCenter": "42", key: "1", "kubernetes.io/cluster/dash-dev": "shared"}
            assert wanted.items() <= tags(subnet).items()
            assert ("karpenter.sh/discovery" in tags(subnet)) == (role == "private")
    cluster = dev.client("eks").describe_cluster(name="dash-dev")["cluster"]
    assert set(cluster["resourcesVpcConfig"]["subnetIds"]) == set(own["private"].values())

    down = dev.run("down", "--yes").output
    kinds = {
        line.split()[0] for line in down[down.index("Destroyed:") :].splitlines() if line.strip().startswith("aws:")
    }
    own = ("internetGateway:InternetGateway", "routeTable:RouteTable", "subnet:Subnet", "vpc:Vpc")
    associations = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    assert kinds == {*(f"aws:ec2/{kind}" for kind in own), associations, "aws:kms/key:Key"}


def test_an_existing_vpc_that_does_not_fit_is_refused_with_every_reason(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    ec2 = embedded_cloud.start(dev.home).client("ec2", dev.config["aws:region"])
    vpc = ec2.create_vpc(CidrBlock="10.60.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_vpc(CidrBlock="10.61.0.0/16")["Vpc"]["VpcId"]
    tight = ec2.create_subnet(VpcId=vpc, CidrBlock="10.60.0.0/28", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    strange = ec2.create_subnet(VpcId=other, CidrBlock="10.61.0.0/24", AvailabilityZone="us-east-1c")["Subnet"][
        "SubnetId"
    ]
    dev["network"] = {
        "existing_vpc_id": vpc,
        "existing_private_subnets": {"us-east-1a": tight, "us-east-1b": strange},
    }
    refused = dev.run("preview", code=1).output
    assert tight in refused
    assert "11" in refused or "addresses" in refused
    assert strange in refused
    assert other in refused or "another VPC" in refused or vpc in refused


def test_an_existing_vpc_needs_no_account_for_its_whole_life(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    zones = dev["availability_zones"]
    dev["network"] = {
        "existing_vpc_id": "vpc-0123456789abcdef0",
        "existing_private_subnets": {zone: f"subnet-0123456789abcde{place}0" for place, zone in enumerate(zones)},
        "existing_public_subnets": {zone: f"subnet-0123456789abcde{place}1" for place, zone in enumerate(zones)},
    }
    dns = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "example.com"}
    dns["load_balancer_hostname"] = "dash-1.elb.us-east-1.amazonaws.com"
    dev["dash_enterprise"] = {**dev["dash_enterprise"], "dns": dns}
    planned = dev.run("preview")
    assert "vpc-0123456789abcdef0 is not in the emulated account, so one was made by guess" in planned.output
    assert "Existing hosted zone: the emulated account had no Z0123456789ABCDEFGHIJ" in planned.output
    assert dev.run("up").counts()["created"] == planned.counts()["create"]
    assert "unchanged: 0 changes" in dev.run("preview").output
    records = dev.client("route53").list_resource_record_sets(HostedZoneId=dns["hosted_zone_id"])
    assert "admin-dash.dev.example.com." in {record["Name"] for record in records["ResourceRecordSets"]}
    down = dev.run("down", "--yes").output
    left = {line.split()[0] for line in down[down.index("Destroyed:") :].splitlines() if line.startswith("  aws:")}
    assert left == {"aws:kms/key:Key"}


@pytest.fixture(scope="module")
def dev(environment: MakeEnvironment) -> Environment:
    """One that is there; each test leaves it as its configuration says."""
    made = environment("dev", backups=False)
    made.run("up")
    return made


@pytest.mark.thorough
def test_a_new_operating_system_makes_the_new_node_group_before_the_old_one_goes(dev: Environment) -> None:
    before = dev.client("eks").list_nodegroups(clusterName="dash-dev")["nodegroups"]
    dev["node_groups"][0]["ami_type"] = "BOTTLEROCKET_x86_64"
    plan = actions(dev.run("preview").output)
    assert [name for name in plan["replace"] if "NodeGroup" in name] == ["aws.eks.NodeGroup dash-dev-core"]
    output = dev.run("up").output
    steps = [line.split("[")[0] for line in output.splitlines() if re.search(r"^ *[\d.]+ s .*aws.eks.NodeGroup", line)]
    assert [("replaced" in step, "deleted" in step) for step in steps][-2:] == [(True, False), (False, True)], steps
    after = dev.client("eks").list_nodegroups(clusterName="dash-dev")["nodegroups"]
    assert len(after) == 1
    assert after != before


@pytest.mark.thorough
def test_a_second_instance_type_makes_the_new_node_group_before_the_old_one_goes(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    dev.run("up")
    for types, name in (["m6i.2xlarge", "m5.2xlarge"], "dash-dev-core-mixed"), (["m6i.2xlarge"], "dash-dev-core"):
        dev["node_groups"][0]["instance_types"] = types
        plan = actions(dev.run("preview").output)
        assert f"aws.eks.NodeGroup {name}" in plan["create"]
        assert len([planned for planned in plan["delete"] if "NodeGroup" in planned]) == 1
        output = dev.run("up").output
        steps = [line for line in output.splitlines() if "aws.eks.NodeGroup" in line and "core" in line]
        made = next(index for index, step in enumerate(steps) if "created" in step)
        gone = next(index for index, step in enumerate(steps) if "deleted" in step)
        assert made < gone, output
        assert len(dev.client("eks").list_nodegroups(clusterName="dash-dev")["nodegroups"]) == 1
        assert "unchanged: 0 changes" in dev.run("preview").output


def test_sizes_change_after_a_refresh_without_undoing_what_an_autoscaler_did(dev: Environment) -> None:
    def record() -> tuple[str, dict[str, Any]]:
        records = dev.cloud().store("recorded").items()
        return next(item for item in records.items() if item[0].startswith("aws:eks/nodeGroup:NodeGroup"))

    key, values = record()
    dev.cloud().store("recorded").put(key, {**values, "scalingConfig": {"minSize": 2, "desiredSize": 3, "maxSize": 4}})
    dev.run("refresh")
    assert "unchanged: 0 changes" in dev.run("preview").output
    dev["node_groups"][0]["max_size"] = 6
    assert dev.run("up").counts()["updated"] == 1
    assert record()[1]["scalingConfig"] == {"minSize": 2, "desiredSize": 3, "maxSize": 6}


@pytest.mark.thorough
def test_options_of_an_addon_can_be_taken_back(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    dev["cluster"] = {**dev["cluster"], "vpc_cni_prefix_delegation": True}
    dev.run("up")
    dev["cluster"] = {**dev["cluster"], "vpc_cni_prefix_delegation": False}
    assert actions(dev.run("preview").output) == {"update": ["aws.eks.Addon dash-dev-vpc-cni"]}
    dev.run("up")
    assert "unchanged: 0 changes" in dev.run("preview").output


@pytest.mark.thorough
def test_the_private_endpoint_lets_in_whom_the_configuration_names(dev: Environment) -> None:
    dev["cluster"] = {
        **dev["cluster"],
        "public_endpoint_cidrs": [],
        "engine_runs_inside_vpc": True,
        "private_endpoint_cidrs": ["10.20.0.0/16", "10.99.0.0/24"],
    }
    dev.run("up")
    group = dev.outputs()["cluster_security_group_id"]
    ec2 = dev.client("ec2")

    def let_in() -> set[tuple[str, int]]:
        rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        return {
            (one["CidrIpv4"], one["FromPort"])
            for one in rules["SecurityGroupRules"]
            if one.get("CidrIpv4") and not one["IsEgress"]
        }

    assert let_in() == {("10.20.0.0/16", 443), ("10.99.0.0/24", 443)}
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [group]}])["Tags"]
    assert {"owner": "data-platform"}.items() <= {tag["Key"]: tag["Value"] for tag in tags}.items()
    dev["cluster"] = {**dev["cluster"], "private_endpoint_cidrs": ["10.20.0.0/16"]}
    plan = actions(dev.run("preview").output)
    assert list(plan) == ["delete"]
    dev.run("up")
    assert let_in() == {("10.20.0.0/16", 443)}


def test_secrets_of_the_teams_own_backend_become_placeholders_that_nobody_sees(environment: MakeEnvironment) -> None:
    dev, secret = environment("dev", backups=False), {"secure": "v1:bm90IG91cnM=:c2VjcmV0"}
    dev["tags"] = {"owner": secret}
    dev["account_id"] = secret
    dev["cluster"] = {**dev["cluster"], "public_endpoint_cidrs": [secret], "log_retention_days": secret}
    dev["node_groups"] = [{**dev["node_groups"][0], "instance_types": [secret], "min_size": secret}]
    planned = dev.run("preview").output
    assert "eks-analytics:account_id is secret: a placeholder stands for it here." in planned
    assert 'eks-analytics:node_groups[0]["instance_types"][0] is secret' in planned
    assert "placeholder-of-the-embedded-cloud" not in planned
    assert "c2VjcmV0" not in planned


@pytest.mark.thorough
def test_a_path_with_spaces_and_a_second_clone_work_as_any_other(environment: MakeEnvironment) -> None:
    folder = environment("dev").folder / "a path with spaces"
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(folder)], check=True)
    (folder / ".tools").symlink_to(PROJECT / ".tools")
    try:
        for command in (["preview"], ["up"], ["inventory"], ["down"]):
            done = subprocess.run(
                [str(PROJECT / ".tools/venv/bin/python"), "-m", "sandbox", *command, "--stack", "dev"],
                cwd=folder,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert (folder / ".sandbox" / "dev").is_dir()
        status = subprocess.run(
            ["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True
        )
        assert [line for line in status.stdout.splitlines() if ".tools" not in line] == []
    finally:
        embedded_cloud.stop(folder / ".sandbox" / "dev")
        shutil.rmtree(folder)
