"""The Cluster component against recording mocks: shape, options, order, and the edit of pulumi-eks' child."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pulumi
import pytest

from eks_analytics import cluster as cluster_module
from eks_analytics.cluster import Cluster
from eks_analytics.drain_command import drain_script
from eks_analytics.schema import InheritingAnalyzer
from eks_analytics.versions import ADDONS, ADDONS_AFTER_NODES, ADDONS_BEFORE_NODES, RELEASES
from eks_child import CLUSTER_ARN, CONTROL_PLANE, ISSUER, answer_for_pulumi_eks

ADMIN = "arn:aws:iam::123456789012:role/team/Deployer"
SUBNETS = {"us-east-1a": "subnet-a", "us-east-1b": "subnet-b", "us-east-1c": "subnet-c"}
TAGGED_BY_NOBODY = {
    "Cluster",
    "AccessPolicyAssociation",
    "Alias",
    "Command",
    "RolePolicyAttachment",
    "RolePolicy",
    "StorageClass",
    "Tag",
    "kubernetes",
}


def group(**changes: Any) -> dict[str, Any]:
    return {"name": "core", "instance_types": ["m6i.xlarge"], "min_size": 2, "max_size": 4, **changes}


def arguments(**changes: Any) -> Any:
    """Small good arguments, with changes."""
    return {
        "cluster_name": "analytics",
        "region": "us-east-1",
        "account_id": "123456789012",
        "vpc_id": "vpc-1",
        "subnet_ids_by_zone": SUBNETS,
        "node_subnet_ids_by_zone": SUBNETS,
        "admin_principal_arns": [ADMIN],
        "public_endpoint_cidrs": ["198.51.100.0/24"],
        "node_groups": [group()],
        "tags": {"team": "data"},
        **changes,
    }


@dataclass
class Built:
    """What was registered for a cluster, and what came out."""

    recorder: Any
    outputs: dict[str, Any]
    component: Cluster
    child: pulumi.ResourceTransformArgs
    """The control plane as pulumi-eks would register it, after our transforms."""

    def inputs(self, kind: str, name: str) -> dict[str, Any]:
        return self.recorder.of(kind)[name].inputs

    def dependencies(self, kind: str, name: str) -> set[str]:
        return set(self.recorder.of(kind)[name].dependencies)


Build = Callable[..., Built]


@pytest.fixture
def build(recorder: Any, monkeypatch: pytest.MonkeyPatch) -> Build:
    children = answer_for_pulumi_eks(recorder, monkeypatch)

    def run(**changes: Any) -> Built:
        components: list[Cluster] = []

        def program() -> Cluster:
            components.append(Cluster("c", arguments(**changes)))
            return components[0]

        outputs = recorder.run(program)
        return Built(recorder, outputs, components[0], children[0])

    return run


def test_pulumi_eks_is_asked_for_the_control_plane_and_its_role_only(build: Build) -> None:
    inputs = build().inputs("Cluster", "c")
    assert inputs.pop("kubeProxyAddonOptions")["enabled"] is False
    assert inputs.pop("corednsAddonOptions")["enabled"] is False
    assert inputs == {
        "name": "analytics",
        "version": "1.35",
        "vpcId": "vpc-1",
        "subnetIds": ["subnet-a", "subnet-b"],
        "authenticationMode": "API",
        "endpointPrivateAccess": True,
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["198.51.100.0/24"],
        "encryptionConfigKeyArn": "arn:aws:mock:us-east-1:123456789012:c-secrets-id",
        "enabledClusterLogTypes": ["api", "audit", "authenticator"],
        "deletionProtection": False,
        "upgradePolicy": {"supportType": "STANDARD"},
        "ipFamily": "ipv4",
        "kubernetesServiceIpAddressRange": "172.20.0.0/16",
        "bootstrapSelfManagedAddons": False,
        "useDefaultVpcCni": True,
        "skipDefaultNodeGroup": True,
        "skipDefaultSecurityGroups": True,
        "createInstanceRole": False,
        "createOidcProvider": False,
        "clusterTags": {"Name": "analytics"},
        "tags": {"team": "data"},
    }


def test_the_transform_takes_administration_from_the_creator_and_leaves_the_rest(build: Build) -> None:
    child = build().child
    assert child.props == {
        "name": "analytics",
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    }
    assert child.opts.ignore_changes == ["bootstrapSelfManagedAddons"]
    assert child.opts.protect is None


def test_production_protects_the_leaves_and_never_the_component(build: Build) -> None:
    built = build(production=True)
    assert built.child.opts.protect is True
    assert built.inputs("Cluster", "c")["deletionProtection"] is True
    assert built.inputs("Key", "c-secrets")["deletionWindowInDays"] == 30
    protected = {item.key for item in built.recorder.registrations if item.request.protect}
    assert protected == {"aws:kms/key:Key::c-secrets"}


def test_without_production_everything_can_be_destroyed(build: Build) -> None:
    built = build()
    assert not [item.key for item in built.recorder.registrations if item.request.protect]
    assert built.inputs("Key", "c-secrets")["deletionWindowInDays"] == 7


def test_deletion_protection_can_be_lifted_in_production_to_tear_down(build: Build) -> None:
    assert build(production=True, deletion_protection=False).inputs("Cluster", "c")["deletionProtection"] is False


def test_a_key_of_its_own_rotates_and_is_used_through_aws_services_only(build: Build) -> None:
    key = build().inputs("Key", "c-secrets")
    assert key["enableKeyRotation"] is True
    statements = json.loads(key["policy"])["Statement"]
    anybody = {
        action
        for statement in statements
        if "kms:ViaService" not in statement.get("Condition", {}).get("StringEquals", {})
        for action in statement["Action"]
    }
    assert {"kms:PutKeyPolicy", "kms:CreateGrant"} <= anybody
    assert not {"kms:*", "kms:Decrypt", "kms:Encrypt"} & anybody
    assert build().inputs("Alias", "c-secrets")["name"] == "alias/eks/analytics"


def test_deletion_protection_alone_keeps_the_engine_from_deleting_the_control_plane(build: Build) -> None:
    built = build(deletion_protection=True)
    assert built.child.opts.protect is True
    assert built.inputs("Cluster", "c")["deletionProtection"] is True
    assert not [item.key for item in built.recorder.registrations if item.request.protect]


def test_a_given_key_is_used_and_none_is_made(build: Build) -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    built = build(kms_key_arn=arn)
    assert built.inputs("Cluster", "c")["encryptionConfigKeyArn"] == arn == built.outputs["kms_key_arn"]
    assert not built.recorder.of("Key")


def test_without_public_cidrs_there_is_no_public_endpoint(build: Build) -> None:
    inputs = build(public_endpoint_cidrs=[], engine_runs_inside_vpc=True).inputs("Cluster", "c")
    assert inputs["endpointPublicAccess"] is False
    assert "publicAccessCidrs" not in inputs  # pulumi-eks refuses even an empty list then


def test_the_log_group_is_there_before_eks_would_make_one_without_retention(build: Build) -> None:
    built = build(log_types=["audit"], log_retention_days=30.0)
    log_group = built.inputs("LogGroup", "c-control-plane")
    assert (log_group["name"], log_group["retentionInDays"]) == ("/aws/eks/analytics/cluster", 30)
    registration = built.recorder.of("Cluster")["c"]
    assert registration.property_dependencies["enabledClusterLogTypes"] == {
        "aws:cloudwatch/logGroup:LogGroup::c-control-plane"
    }


def test_without_logs_there_is_no_log_group(build: Build) -> None:
    built = build(log_types=[])
    assert not built.recorder.of("LogGroup")
    assert "enabledClusterLogTypes" not in built.inputs("Cluster", "c")


def test_ipv6_clusters_have_no_service_range_and_a_policy_of_their_own_for_addresses(build: Build) -> None:
    built = build(ip_family="ipv6")
    assert built.inputs("Cluster", "c")["ipFamily"] == "ipv6"
    assert "kubernetesServiceIpAddressRange" not in built.inputs("Cluster", "c")
    assert "AssignIpv6Addresses" in built.inputs("RolePolicy", "c-vpc-cni-ipv6")["policy"]
    assert "c-vpc-cni-AmazonEKS_CNI_Policy" not in built.recorder.of("RolePolicyAttachment")
    assert "aws:iam/rolePolicy:RolePolicy::c-vpc-cni-ipv6" in built.dependencies("Addon", "c-vpc-cni")


def test_every_administrator_gets_an_entry_named_after_it(build: Build) -> None:
    user = "arn:aws:iam::123456789012:user/ada"
    built = build(admin_principal_arns=[user, ADMIN])
    entries = built.recorder.of("AccessEntry")
    assert set(entries) == {"c-admin-123456789012-role-team-Deployer-4ba597", "c-admin-123456789012-user-ada"}
    association = built.inputs("AccessPolicyAssociation", "c-admin-123456789012-user-ada")
    assert association["principalArn"] == user
    assert association["policyArn"] == "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
    assert association["accessScope"] == {"type": "cluster"}


def test_administrators_whose_names_differ_in_punctuation_only_do_not_collide(build: Build) -> None:
    roles = [f"arn:aws:iam::123456789012:role/{name}" for name in ("a.b", "a-b", "a_b", "a/b")]
    entries = build(admin_principal_arns=roles).recorder.of("AccessEntry")
    assert sorted(entry.inputs["principalArn"] for entry in entries.values()) == sorted(roles)
    assert "c-admin-123456789012-role-a-b" in entries


def test_kubernetes_objects_wait_for_every_administrator(build: Build) -> None:
    other = "arn:aws:iam::123456789012:role/Other"
    built = build(admin_principal_arns=[ADMIN, other])
    kind = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    assert {
        f"{kind}::c-admin-123456789012-role-team-Deployer-4ba597",
        f"{kind}::c-admin-123456789012-role-Other",
        f"{CONTROL_PLANE}::c-child",
    } <= built.dependencies("kubernetes", "c")
    assert "pulumi:providers:kubernetes::c" in built.recorder.of("StorageClass")["c-gp3"].request.provider
    # Long after the administrators: their access takes a while to count everywhere.
    assert "aws:eks/nodeGroup:NodeGroup::c-core" in built.dependencies("StorageClass", "c-gp3")


def test_the_kubeconfig_asks_for_a_token_and_holds_none(build: Build) -> None:
    built = build()
    kubeconfig = json.loads(built.outputs["kubeconfig"])
    user = kubeconfig["users"][0]["user"]
    assert list(user) == ["exec"]
    assert user["exec"]["command"] == "aws"
    assert " ".join(user["exec"]["args"]) == ("eks get-token --cluster-name analytics --region us-east-1 --output json")
    assert built.inputs("kubernetes", "c")["clusterIdentifier"] == CLUSTER_ARN


def test_the_outputs_are_those_of_the_control_plane_and_the_node_role(build: Build) -> None:
    built = build()
    del built.outputs["kubeconfig"]
    mock = "arn:aws:mock:us-east-1:123456789012"
    assert built.outputs == {
        "cluster_name": "analytics",
        "cluster_arn": CLUSTER_ARN,
        "endpoint": "https://abc.eks.amazonaws.com",
        "certificate_authority": "Y2E=",
        "oidc_issuer": ISSUER,
        "oidc_provider_arn": f"{mock}:c-id",
        "cluster_security_group_id": "sg-1",
        "node_role_arn": f"{mock}:c-node-id",
        "node_role_name": "c-node-name",
        "version": "1.35",
        "kms_key_arn": f"{mock}:c-secrets-id",
        "session_document_name": "",
        "session_log_group_arn": "",
    }


def test_the_oidc_provider_needs_no_look_at_the_issuers_certificate(build: Build) -> None:
    provider = build().inputs("OpenIdConnectProvider", "c")
    assert (provider["url"], provider["clientIdLists"]) == (ISSUER, ["sts.amazonaws.com"])
    assert "thumbprintLists" not in provider


def test_zones_that_only_an_output_names_must_be_given(build: Build) -> None:
    later = pulumi.Output.from_input(dict(SUBNETS))
    with pytest.raises(pulumi.RunError, match=r"control_plane_zones = None: is left out.*name two zones") as error:
        build(subnet_ids_by_zone=later, node_subnet_ids_by_zone=later)
    assert len(str(error.value).splitlines()) == 2
    zones = ["us-east-1a", "us-east-1f"]
    with pytest.raises(ValueError, match="no subnet is given for the zone us-east-1f"):
        build(subnet_ids_by_zone=later, node_subnet_ids_by_zone=later, control_plane_zones=zones)


def test_a_control_plane_where_eks_runs_none_is_refused_before_anything_is_made(build: Build) -> None:
    zones = ["us-east-1a", "us-east-1e"]
    subnets = {zone: f"subnet-{zone}" for zone in zones}
    with pytest.raises(pulumi.RunError, match="is use1-az3 in this account, where EKS runs no control plane"):
        build(subnet_ids_by_zone=subnets, node_subnet_ids_by_zone=subnets, control_plane_zones=zones)


def test_the_oidc_provider_serves_the_same_audience_in_china(build: Build) -> None:
    admins = ["arn:aws-cn:iam::123456789012:role/deployer"]
    found = build(region="cn-north-1", admin_principal_arns=admins).inputs("OpenIdConnectProvider", "c")
    assert found["clientIdLists"] == ["sts.amazonaws.com"]


@pytest.mark.parametrize("version", RELEASES)
def test_every_addon_is_ours_and_pinned(build: Build, version: str) -> None:
    built = build(kubernetes_version=version)
    addons = {found.inputs["addonName"]: found.inputs for found in built.recorder.of("Addon").values()}
    assert set(addons) == set(ADDONS) == set(built.component.addons)
    for name, inputs in addons.items():
        assert inputs["addonVersion"] == RELEASES[version].addons[name]
        assert inputs["resolveConflictsOnCreate"] == "OVERWRITE"
        assert inputs["resolveConflictsOnUpdate"] == ("PRESERVE" if name == "coredns" else "OVERWRITE")


def test_an_addon_version_can_be_overridden(build: Build) -> None:
    built = build(addon_versions={"coredns": "v1.14.3-eksbuild.16"})
    assert built.inputs("Addon", "c-coredns")["addonVersion"] == "v1.14.3-eksbuild.16"


def test_nodes_wait_for_their_network_and_nothing_waits_for_nodes_without_need(build: Build) -> None:
    built = build(node_groups=[group(), group(name="gpu", taints=[{"key": "gpu", "effect": "NoSchedule"}])])
    addon, node_group = "aws:eks/addon:Addon::c", "aws:eks/nodeGroup:NodeGroup::c"
    everyone = {f"{node_group}-core", f"{node_group}-gpu"}
    for name in ADDONS_BEFORE_NODES:
        assert not built.dependencies("Addon", f"c-{name}") & everyone
        assert {f"{addon}-{name}"} <= built.dependencies("NodeGroup", "c-core")
    for name in ADDONS_AFTER_NODES:
        # The tainted group could not run them, so they do not wait for it.
        assert built.dependencies("Addon", f"c-{name}") & everyone == {f"{node_group}-core"}
        assert not {f"{addon}-{other}" for other in ADDONS} & built.dependencies("Addon", f"c-{name}")


def test_everything_hangs_on_the_control_plane_itself_and_not_only_on_pulumi_eks_component(build: Build) -> None:
    built = build()
    leaf = f"{CONTROL_PLANE}::c-child"
    for kind in ("Addon", "NodeGroup", "AccessEntry", "OpenIdConnectProvider", "kubernetes"):
        for name in built.recorder.of(kind):
            assert leaf in built.dependencies(kind, name), (kind, name)


def test_what_needs_no_cluster_does_not_wait_for_one(build: Build) -> None:
    built = build()
    for kind in ("Role", "RolePolicyAttachment", "LaunchTemplate", "Key", "LogGroup"):
        for name in built.recorder.of(kind):
            assert not [key for key in built.dependencies(kind, name) if "Cluster" in key], (kind, name)


def test_only_the_addons_that_call_aws_have_a_pod_identity(build: Build) -> None:
    built = build()
    mock = "arn:aws:mock:us-east-1:123456789012"
    identities = {
        name: found.inputs["podIdentityAssociations"]
        for name, found in built.recorder.of("Addon").items()
        if "podIdentityAssociations" in found.inputs
    }
    assert identities == {
        "c-vpc-cni": [{"roleArn": f"{mock}:c-vpc-cni-id", "serviceAccount": "aws-node"}],
        "c-aws-ebs-csi-driver": [
            {"roleArn": f"{mock}:c-aws-ebs-csi-driver-id", "serviceAccount": "ebs-csi-controller-sa"}
        ],
    }
    attached = {found.inputs["policyArn"] for found in built.recorder.of("RolePolicyAttachment").values()}
    assert attached == {
        "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
        "arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2",
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }


def test_nodes_are_reached_through_session_manager_and_read_no_parameters(build: Build) -> None:
    policy = json.loads(build().inputs("RolePolicy", "c-node-session-manager")["policy"])
    assert {action: one["Resource"] for one in policy["Statement"] for action in one["Action"]} == {
        "ssm:UpdateInstanceInformation": "arn:aws:ec2:us-east-1:123456789012:instance/*",
        "ssmmessages:CreateControlChannel": "*",
        "ssmmessages:CreateDataChannel": "*",
        "ssmmessages:OpenControlChannel": "*",
        "ssmmessages:OpenDataChannel": "*",
    }


def test_the_driver_role_can_have_the_vendors_name(build: Build) -> None:
    assert "name" not in build().inputs("Role", "c-aws-ebs-csi-driver")
    built = build(ebs_csi_role="vendor-name")
    assert built.inputs("Role", "c-aws-ebs-csi-driver")["name"] == "AmazonEKS_EBS_CSI_DriverRole"


def test_an_existing_driver_role_is_used_as_it_is(build: Build) -> None:
    arn = "arn:aws:iam::123456789012:role/storage"
    built = build(ebs_csi_role=arn)
    assert built.inputs("Addon", "c-aws-ebs-csi-driver")["podIdentityAssociations"][0]["roleArn"] == arn
    assert set(built.recorder.of("Role")) == {"c-node", "c-vpc-cni"}


@pytest.mark.parametrize(
    ("changes", "prefixes"),
    [({}, "false"), ({"vpc_cni_prefix_delegation": True}, "true"), ({"ip_family": "ipv6"}, "true")],
)
def test_the_options_of_vpc_cni_are_always_written_out(build: Build, changes: Any, prefixes: str) -> None:
    values = json.loads(build(**changes).inputs("Addon", "c-vpc-cni")["configurationValues"])
    assert values == {
        "env": {
            "ADDITIONAL_ENI_TAGS": '{"team": "data"}',
            "ENABLE_PREFIX_DELEGATION": prefixes,
            "WARM_PREFIX_TARGET": "1",
        }
    }


def test_the_security_group_that_eks_makes_carries_the_tags_but_its_own_name(build: Build) -> None:
    tags = build(tags={"team": "data", "cost/center": "1", "cost:center": "2"}).recorder.of("Tag")
    assert len(tags) == 3
    assert {found.inputs["resourceId"] for found in tags.values()} == {"sg-1"}
    assert tags["c-cluster-security-group-team"].inputs == {"resourceId": "sg-1", "key": "team", "value": "data"}


def test_whoever_may_use_the_private_endpoint_gets_a_rule_before_the_kubeconfig_is_used(build: Build) -> None:
    built = build(private_endpoint_cidrs=["10.30.0.0/16", "fd00::/8"], ip_family="ipv6")
    rules = built.recorder.of("SecurityGroupIngressRule")
    ipv4, ipv6 = sorted((found.inputs for found in rules.values()), key=lambda inputs: "cidrIpv6" in inputs)
    assert ipv4 == {
        "securityGroupId": "sg-1",
        "description": "Kubernetes API from 10.30.0.0/16",
        "ipProtocol": "tcp",
        "fromPort": 443,
        "toPort": 443,
        "cidrIpv4": "10.30.0.0/16",
        "tags": {"team": "data", "Name": "analytics-private-endpoint"},
    }
    assert ipv6["cidrIpv6"] == "fd00::/8"
    assert "cidrIpv4" not in ipv6
    kind = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    assert "c-private-endpoint-10.30.0.0-16" in rules
    assert {f"{kind}::{name}" for name in rules} <= built.dependencies("kubernetes", "c")
    assert all("::" not in name for name in rules)


def test_another_network_at_the_private_endpoint_only_adds_a_rule(build: Build, recorder: Any) -> None:
    before = {item.key: item.inputs for item in build(private_endpoint_cidrs=["10.30.0.0/16"]).recorder.registrations}
    recorder.registrations.clear()
    more = build(private_endpoint_cidrs=["10.31.0.0/16", "10.30.0.0/16"]).recorder.registrations
    after = {item.key: item.inputs for item in more}
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


def test_volumes_carry_the_tags_too(build: Build) -> None:
    values = json.loads(build().inputs("Addon", "c-aws-ebs-csi-driver")["configurationValues"])
    assert values["controller"]["extraVolumeTags"] == {"team": "data"}


@pytest.mark.parametrize("production", [True, False])
def test_volumes_go_between_node_groups_and_cluster_and_stay_in_production(build: Build, production: bool) -> None:
    built = build(production=production)
    drain = built.recorder.of("Command")["c-volumes"]
    assert (drain.inputs["stdin"], drain.inputs["delete"]) == (drain_script("drain_volumes.py"), "python3 -u -")
    assert {"create", "update"} & drain.inputs.keys() == set()
    assert drain.inputs["triggers"] == [CLUSTER_ARN]
    given = drain.inputs["environment"]
    assert (given["DRAIN_CLUSTER"], given["DRAIN_REGION"]) == ("analytics", "us-east-1")
    assert given["DRAIN_KEEP"] == ("true" if production else "false")
    assert drain.key in built.dependencies("NodeGroup", "c-core")
    assert any(key.startswith(CONTROL_PLANE) for key in drain.dependencies)


def test_the_default_storage_class_is_encrypted_and_can_be_left_out(build: Build) -> None:
    storage_class = build().inputs("StorageClass", "c-gp3")
    assert storage_class["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage_class["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert storage_class["volumeBindingMode"] == "WaitForFirstConsumer"


def test_without_a_default_storage_class_there_is_no_kubernetes_object(build: Build) -> None:
    assert not build(enable_default_storage_class=False).recorder.of("StorageClass")


def test_the_launch_template_hardens_disks_and_metadata(build: Build) -> None:
    template = build().inputs("LaunchTemplate", "c-core")
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }
    disk = {"volumeType": "gp3", "volumeSize": 100, "encrypted": "true", "deleteOnTermination": "true"}
    assert template["blockDeviceMappings"] == [{"deviceName": "/dev/xvda", "ebs": disk}]
    # EKS adds its own security group when the template names none, and only that one.
    assert not {"vpcSecurityGroupIds", "networkInterfaces"} & set(template)
    assert {item["resourceType"] for item in template["tagSpecifications"]} == {
        "instance",
        "volume",
        "network-interface",
    }
    assert all(item["tags"] == {"team": "data", "Name": "c-core"} for item in template["tagSpecifications"])


def test_bottlerocket_gets_the_space_on_its_data_disk(build: Build) -> None:
    built = build(node_groups=[group(ami_type="BOTTLEROCKET_x86_64", disk_size_gib=200.0)])
    disks = built.inputs("LaunchTemplate", "c-core")["blockDeviceMappings"]
    assert [(disk["deviceName"], disk["ebs"].get("volumeSize")) for disk in disks] == [
        ("/dev/xvda", None),
        ("/dev/xvdb", 200),
    ]
    assert all(disk["ebs"]["encrypted"] == "true" for disk in disks)


def test_a_node_group_follows_its_template_and_leaves_the_desired_size_to_others(build: Build) -> None:
    built = build(node_groups=[group(desired_size=3.0, min_size=2.0, max_size=4.0)])
    node_group = built.inputs("NodeGroup", "c-core")
    assert node_group["launchTemplate"] == {"id": "c-core-id", "version": "1"}
    assert node_group["scalingConfig"] == {"minSize": 2, "desiredSize": 3, "maxSize": 4}
    assert node_group["updateConfig"] == {"maxUnavailablePercentage": 33}
    assert node_group["nodeGroupNamePrefix"] == "core-"
    assert "nodeGroupName" not in node_group
    assert node_group["subnetIds"] == ["subnet-a", "subnet-b"]
    assert node_group["version"] == "1.35"
    assert list(built.recorder.of("NodeGroup")["c-core"].request.ignoreChanges) == ["scalingConfig.desiredSize"]


def test_one_instance_type_lives_in_the_template_and_several_in_the_group(build: Build) -> None:
    one = build()
    assert one.inputs("LaunchTemplate", "c-core")["instanceType"] == "m6i.xlarge"
    assert "instanceTypes" not in one.inputs("NodeGroup", "c-core")


def test_several_instance_types_live_in_the_group_under_a_name_of_its_own(build: Build) -> None:
    several = build(node_groups=[group(instance_types=["m6i.xlarge", "m5.xlarge"], capacity_type="SPOT")])
    # Another logical name than with one type: EKS refuses the move in place, so the new group comes first.
    assert set(several.recorder.of("LaunchTemplate")) == set(several.recorder.of("NodeGroup")) == {"c-core-mixed"}
    assert "instanceType" not in several.inputs("LaunchTemplate", "c-core-mixed")
    node_group = several.inputs("NodeGroup", "c-core-mixed")
    assert node_group["instanceTypes"] == ["m6i.xlarge", "m5.xlarge"]
    assert node_group["capacityType"] == "SPOT"
    assert node_group["nodeGroupNamePrefix"] == "core-"
    assert node_group["tags"]["Name"] == "c-core"
    assert set(several.component.node_groups) == {"core"}


def test_labels_and_taints_reach_the_group_in_the_spelling_of_eks(build: Build) -> None:
    taints = [
        {"key": "dedicated", "value": "x", "effect": "NoExecute"},
        {"key": "slow", "effect": "PREFER_NO_SCHEDULE"},
    ]
    built = build(node_groups=[group(), group(name="extra", labels={"role": "extra"}, taints=taints)])
    extra = built.inputs("NodeGroup", "c-extra")
    assert extra["labels"] == {"role": "extra"}
    assert [taint["effect"] for taint in extra["taints"]] == ["NO_EXECUTE", "PREFER_NO_SCHEDULE"]


def test_one_group_per_zone_names_groups_after_zones(build: Build) -> None:
    zones = ["us-east-1c", "us-east-1a"]
    built = build(node_groups=[group(availability_zones=zones, one_group_per_zone=True)])
    assert {name: found.inputs["subnetIds"] for name, found in built.recorder.of("NodeGroup").items()} == {
        "c-core-us-east-1c": ["subnet-c"],
        "c-core-us-east-1a": ["subnet-a"],
    }


def test_an_appended_zone_changes_no_registration(build: Build, recorder: Any) -> None:
    more = {**SUBNETS, "us-east-1d": "subnet-d"}
    before = {item.key: item.inputs for item in build().recorder.registrations}
    recorder.registrations.clear()
    after = build(subnet_ids_by_zone=more, node_subnet_ids_by_zone=more).recorder.registrations
    assert before == {item.key: item.inputs for item in after}


def test_control_plane_zones_can_be_chosen(build: Build) -> None:
    built = build(control_plane_zones=["us-east-1b", "us-east-1c"])
    assert built.inputs("Cluster", "c")["subnetIds"] == ["subnet-b", "subnet-c"]
    assert built.inputs("NodeGroup", "c-core")["subnetIds"] == ["subnet-b", "subnet-c"]


def test_subnets_may_be_one_output(build: Build) -> None:
    subnets = pulumi.Output.from_input(SUBNETS)
    built = build(
        subnet_ids_by_zone=subnets, node_subnet_ids_by_zone=subnets, control_plane_zones=["us-east-1a", "us-east-1c"]
    )
    assert built.inputs("Cluster", "c")["subnetIds"] == ["subnet-a", "subnet-c"]


def test_every_resource_that_takes_tags_has_them(build: Build) -> None:
    for item in build().recorder.made:
        if item.type.split(":")[-1] not in TAGGED_BY_NOBODY:
            assert item.inputs.get("tags", {}).get("team") == "data", item.key


def test_every_child_lies_in_the_component(build: Build) -> None:
    for item in build().recorder.made:
        if item.type != "eks-analytics:index:Cluster":
            assert item.parent.endswith("eks-analytics:index:Cluster::c"), item.key


def test_nothing_is_looked_up_where_region_and_account_are_given(build: Build) -> None:
    build()  # the recorder raises KeyError for a function without an answer


def test_region_and_account_are_looked_up_where_they_are_not_given(build: Build, recorder: Any) -> None:
    recorder.answers |= {
        "aws:index/getRegion:getRegion": lambda _: {"region": "eu-west-1"},
        "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {"accountId": "210987654321"},
    }
    built = build(region="", account_id="")
    trust = built.inputs("Role", "c-vpc-cni")["assumeRolePolicy"]
    assert "arn:aws:eks:eu-west-1:210987654321:cluster/analytics" in trust


def test_a_version_outside_standard_support_is_warned_of(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(date):
        @classmethod
        def today(cls) -> date:
            return date(2026, 12, 24)

    monkeypatch.setattr(cluster_module, "date", Later)
    assert build().recorder.warnings == []
    (warning,) = build(kubernetes_version="1.34").recorder.warnings
    assert "2026-12-02" in warning
    assert "1.35" in warning


def test_what_may_not_be_meant_is_warned_of(build: Build) -> None:
    inside: dict[str, Any] = {"public_endpoint_cidrs": [], "engine_runs_inside_vpc": True}
    (warning,) = build(**inside).recorder.warnings
    assert "private_endpoint_cidrs is empty" in warning


def test_all_problems_come_at_once_before_anything_is_registered(build: Build, recorder: Any) -> None:
    with pytest.raises(ValueError, match="cluster 'no good'") as raised:
        build(
            cluster_name="no good",
            kubernetes_version="1.12",
            admin_principal_arns=[],
            public_endpoint_cidrs=["0.0.0.0/0"],
            service_cidr="100.64.0.0/16",
            log_retention_days=42,
            node_groups=[group(max_size=1)],
        )
    message = str(raised.value)
    for part in ("cluster_name", "1.12", "admin_principal_arns", "0.0.0.0/0", "service_cidr", "42", "max_size"):
        assert part in message
    assert recorder.registrations == []


def test_the_schema_describes_every_input_and_output() -> None:
    analyzed = InheritingAnalyzer("eks-analytics").analyze([Cluster])
    component = analyzed["component_definitions"]["Cluster"]
    types = analyzed["type_definitions"]
    assert set(types) >= {"NodeGroupArgs", "TaintArgs"}
    described = [component.inputs, component.outputs, *(definition.properties for definition in types.values())]
    assert all(item.description for properties in described for item in properties.values())
    assert component.description
    assert len([name for name, item in component.inputs.items() if not item.optional]) <= 6


@pytest.mark.parametrize("key", ["", "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"])
def test_what_a_cluster_keeps_for_life_is_locked_and_what_uses_its_key_waits(build: Build, key: str) -> None:
    built = build(kms_key_arn=key, service_cidr="172.21.0.0/16")
    [kept] = built.recorder.of("Stash").values()
    assert kept.inputs["input"] == {
        "cluster_name": built.inputs("Cluster", "c")["name"],
        "ip_family": "ipv4",
        "service_cidr": "172.21.0.0/16",
        "kms_key_arn": key,
    }
    assert list(kept.request.hooks.before_update) == ["c-cluster"]
    [control_plane] = [one for one in built.recorder.registrations if one.type == "eks:index:Cluster"]
    assert kept.key in control_plane.property_dependencies["encryptionConfigKeyArn"]
