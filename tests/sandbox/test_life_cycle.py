"""One environment from its first `up` to its end, as a platform engineer lives it. The tests build on one another."""

import json
import subprocess
from typing import Any

import pytest

from environments import PROJECT, Environment, MakeEnvironment, Result

CLUSTER = "dash-dev"


@pytest.fixture(scope="module")
def first(environment: MakeEnvironment) -> tuple[Environment, Result]:
    dev = environment("dev")
    return dev, dev.run("up")


@pytest.fixture
def dev(first: tuple[Environment, Result]) -> Environment:
    return first[0]


def subnets(dev: Environment, **tags: str) -> list[dict[str, Any]]:
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
    return dev.client("ec2").describe_subnets(Filters=filters)["Subnets"]


def ids(dev: Environment, kind: str) -> list[str]:
    return sorted(resource["id"] for resource in dev.state() if resource["type"] == kind)


def test_the_first_line_says_that_this_is_an_emulation(first: tuple[Environment, Result]) -> None:
    line = first[1].output.splitlines()[0]
    assert "emulation" in line
    assert "no AWS account is touched" in line


def test_up_creates_and_shows_every_resource_its_outputs_its_count_and_the_time(
    first: tuple[Environment, Result],
) -> None:
    dev, result = first
    made = [resource for resource in dev.state() if resource["type"] != "pulumi:pulumi:Stack"]
    assert result.counts()["created"] >= len([one for one in made if not one["type"].startswith("pulumi:providers")])
    assert "aws.ec2.Vpc" in result.output
    assert "cluster_endpoint" in result.output or "endpoint" in result.output
    assert result.output.rstrip().splitlines()[-2].endswith("s)")


def test_a_second_up_a_preview_and_a_refresh_find_nothing_to_do(dev: Environment) -> None:
    again = dev.run("up")
    assert "unchanged: 0 changes" in again.output
    assert set(again.counts()) <= {"changes", "unchanged"}
    assert "unchanged: 0 changes" in dev.run("preview").output
    assert "unchanged: 0 changes" in dev.run("refresh").output


def test_the_load_balancer_controller_and_karpenter_discover_exactly_the_right_subnets(dev: Environment) -> None:
    outputs = dev.outputs()
    cluster = {f"kubernetes.io/cluster/{CLUSTER}": "shared"}
    public = subnets(dev, **{"kubernetes.io/role/elb": "1"}, **cluster)
    internal = subnets(dev, **{"kubernetes.io/role/internal-elb": "1"}, **cluster)
    karpenter = subnets(dev, **{"karpenter.sh/discovery": CLUSTER})
    assert {one["SubnetId"] for one in public} == set(outputs["public_subnet_ids"])
    assert {one["SubnetId"] for one in internal} == set(outputs["private_subnet_ids"])
    assert {one["SubnetId"] for one in karpenter} == set(outputs["private_subnet_ids"])
    zones = set(dev["availability_zones"])
    assert {one["AvailabilityZone"] for one in public} == {one["AvailabilityZone"] for one in internal} == zones
    assert not any(one["MapPublicIpOnLaunch"] for one in internal)


def test_private_subnets_reach_out_through_nat_and_s3_through_the_endpoint(dev: Environment) -> None:
    ec2 = dev.client("ec2")
    for subnet in dev.outputs()["private_subnet_ids"]:
        tables = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
            "RouteTables"
        ]
        assert len(tables) == 1
        default = [route for route in tables[0]["Routes"] if route.get("DestinationCidrBlock") == "0.0.0.0/0"]
        assert [route["NatGatewayId"][:4] for route in default] == ["nat-"]
    endpoints = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    assert [one["ServiceName"] for one in endpoints] == ["com.amazonaws.us-east-1.s3"]


def test_the_default_security_group_admits_nobody(dev: Environment) -> None:
    ec2 = dev.client("ec2")
    groups = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [dev.outputs()["vpc_id"]]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    assert [(group["IpPermissions"], group["IpPermissionsEgress"]) for group in groups] == [([], [])]


def test_the_cluster_is_private_encrypted_logged_and_open_to_named_administrators_only(dev: Environment) -> None:
    eks, kms = dev.client("eks"), dev.client("kms")
    cluster = eks.describe_cluster(name=CLUSTER)["cluster"]
    assert cluster["version"] == "1.35"
    assert cluster["accessConfig"]["authenticationMode"] == "API"
    assert cluster["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False
    assert cluster["resourcesVpcConfig"]["endpointPrivateAccess"] is True
    assert "0.0.0.0/0" not in cluster["resourcesVpcConfig"]["publicAccessCidrs"]
    assert cluster["encryptionConfig"][0]["resources"] == ["secrets"]
    key = cluster["encryptionConfig"][0]["provider"]["keyArn"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    logged = [entry["types"] for entry in cluster["logging"]["clusterLogging"] if entry["enabled"]]
    assert {"audit", "authenticator"} <= {kind for kinds in logged for kind in kinds}
    group = dev.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/eks/{CLUSTER}/cluster")["logGroups"][0]
    assert group["retentionInDays"] == dev["cluster"]["log_retention_days"]

    administrators = dev["cluster"]["admin_principal_arns"]
    assert set(administrators) <= set(eks.list_access_entries(clusterName=CLUSTER)["accessEntries"])
    for principal in administrators:
        policies = eks.list_associated_access_policies(clusterName=CLUSTER, principalArn=principal)
        names = [policy["policyArn"].rsplit("/", 1)[-1] for policy in policies["associatedAccessPolicies"]]
        assert names == ["AmazonEKSClusterAdminPolicy"]


def test_add_ons_are_pinned_and_have_their_roles_by_pod_identity(dev: Environment) -> None:
    eks = dev.client("eks")
    names = eks.list_addons(clusterName=CLUSTER)["addons"]
    assert set(names) == {
        "vpc-cni",
        "kube-proxy",
        "eks-pod-identity-agent",
        "coredns",
        "aws-ebs-csi-driver",
        "metrics-server",
        "snapshot-controller",
    }
    for name in names:
        assert "eksbuild" in eks.describe_addon(clusterName=CLUSTER, addonName=name)["addon"]["addonVersion"]


def test_nodes_have_encrypted_disks_imdsv2_and_no_route_for_pods_to_their_role(dev: Environment) -> None:
    eks, ec2 = dev.client("eks"), dev.client("ec2")
    groups = eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]
    assert len(groups) == len(dev["node_groups"])
    for name in groups:
        group = eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=name)["nodegroup"]
        template = next(one for one in dev.state() if one["type"] == "aws:eks/nodeGroup:NodeGroup")["inputs"]
        version = ec2.describe_launch_template_versions(
            LaunchTemplateId=template["launchTemplate"]["id"], Versions=[str(template["launchTemplate"]["version"])]
        )["LaunchTemplateVersions"][0]["LaunchTemplateData"]
        assert version["MetadataOptions"]["HttpTokens"] == "required"
        assert version["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
        assert all(mapping["Ebs"]["Encrypted"] is True for mapping in version["BlockDeviceMappings"])
        assert {mapping["Ebs"]["VolumeType"] for mapping in version["BlockDeviceMappings"]} == {"gp3"}
        assert set(group["subnets"]) <= set(dev.outputs()["private_subnet_ids"])


def test_iam_trusts_the_clusters_issuer(dev: Environment) -> None:
    outputs = dev.outputs()
    providers = dev.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [provider["Arn"] for provider in providers] == [outputs["oidc_provider_arn"]]
    issuer = dev.client("eks").describe_cluster(name=CLUSTER)["cluster"]["identity"]["oidc"]["issuer"]
    assert outputs["oidc_provider_arn"].endswith(issuer.removeprefix("https://"))


def test_the_kubeconfig_asks_aws_for_a_token_and_holds_none(dev: Environment) -> None:
    kubeconfig = dev.outputs()["kubeconfig"]
    kubeconfig = json.loads(kubeconfig) if isinstance(kubeconfig, str) else kubeconfig
    user = kubeconfig["users"][0]["user"]
    assert user["exec"]["command"] == "aws"
    assert user["exec"]["args"][:2] == ["eks", "get-token"] or "get-token" in user["exec"]["args"]
    assert "token" not in user


def test_every_taggable_resource_carries_the_stacks_tags(dev: Environment) -> None:
    wanted = {"project": "eks-analytics", "stack": "dev", "environment": "dev"}
    untagged = [
        resource["urn"]
        for resource in dev.state()
        if resource["type"].startswith("aws:")
        and "tags" in resource.get("outputs", {})
        and not wanted.items() <= (resource["outputs"]["tags"] or {}).items()
    ]
    assert untagged == []
    vpc = dev.client("ec2").describe_vpcs(VpcIds=[dev.outputs()["vpc_id"]])["Vpcs"][0]
    tags = {tag["Key"]: tag["Value"] for tag in vpc["Tags"]}
    assert wanted.items() <= tags.items()
    assert tags["Name"]


def test_what_the_embedded_cloud_only_records_is_announced(first: tuple[Environment, Result]) -> None:
    assert "recorded" in first[1].output


def test_tracked_files_stay_as_they_are(dev: Environment) -> None:
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.prod.yaml"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "encryptionsalt" not in (PROJECT / "Pulumi.dev.yaml").read_text()
    assert changed.stdout == "" or "Pulumi.dev.yaml" not in changed.stdout


def test_a_larger_node_group_and_a_new_tag_are_updates_in_place(dev: Environment) -> None:
    dev["node_groups"][0]["max_size"] += 2
    dev["tags"] = {**dev["tags"], "owner": "platform"}
    plan = dev.run("preview")
    assert set(plan.counts()) == {"update", "unchanged"}, plan.output
    assert "maxSize" in plan.output
    before = ids(dev, "aws:eks/nodeGroup:NodeGroup")
    assert set(dev.run("up").counts()) == {"updated", "unchanged"}
    assert ids(dev, "aws:eks/nodeGroup:NodeGroup") == before
    name = dev.client("eks").list_nodegroups(clusterName=CLUSTER)["nodegroups"][0]
    group = dev.client("eks").describe_nodegroup(clusterName=CLUSTER, nodegroupName=name)["nodegroup"]
    tags = dev.client("eks").list_tags_for_resource(resourceArn=group["nodegroupArn"])["tags"]
    assert tags["owner"] == "platform"
    state = next(one for one in dev.state() if one["type"] == "aws:eks/nodeGroup:NodeGroup")
    assert state["outputs"]["scalingConfig"]["maxSize"] == dev["node_groups"][0]["max_size"]


def test_an_appended_zone_only_creates(dev: Environment) -> None:
    control_plane = set(dev.client("eks").describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]["subnetIds"])
    dev["availability_zones"] = [*dev["availability_zones"], "us-east-1c"]
    plan = dev.run("preview")
    assert set(plan.counts()) == {"create", "unchanged"}, plan.output
    assert set(dev.run("up").counts()) == {"created", "unchanged"}
    after = set(dev.client("eks").describe_cluster(name=CLUSTER)["cluster"]["resourcesVpcConfig"]["subnetIds"])
    assert after == control_plane
    assert len(subnets(dev, **{"kubernetes.io/role/elb": "1"})) == 3


def test_drift_is_found_by_refresh_and_mended_by_up(dev: Environment) -> None:
    vpc = dev.outputs()["vpc_id"]
    dev.client("ec2").delete_tags(Resources=[vpc], Tags=[{"Key": "owner"}])
    refreshed = dev.run("refresh")
    assert "aws.ec2.Vpc" in refreshed.output
    assert dev.run("up").counts()["updated"] == 1
    tags = dev.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Tags"]
    assert {"Key": "owner", "Value": "platform"} in tags


def test_down_leaves_nothing_but_keys_that_wait_for_their_deletion(dev: Environment) -> None:
    result = dev.run("down", "--yes")
    inventory = result.output[result.output.index("Destroyed:") :]
    assert "empty" in inventory or "pending deletion" in inventory
    assert "vpc" not in inventory.lower().split("destroyed", 1)[1].split("pending")[0].replace("destroyed", "")
    assert "Nothing to destroy" in dev.run("down", "--yes").output
