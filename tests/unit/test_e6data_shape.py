"""What E6data registers: its parts, what each is told, and the order in which they come and go."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from eks_analytics.e6data import E6data
from eks_child import ISSUER, answer_for_pulumi_eks
from recording import Recorder, Registration
from test_e6data import ANALYTICS, CLUSTER, EXISTING_VPC, NETWORK, PROVIDER, ROLE, arguments

ACCOUNT = "123456789012"
VPC = EXISTING_VPC["existing_vpc_id"]
REPORTING = {"name": "reporting", "instance_families": ["c5d"], "tags": {"team": "bi"}}
PARTS = {"AwsLoadBalancerController", "Cluster", "Karpenter", "LoadBalancerDrain", "Network"}
NEW: dict[str, Any] = {"cluster": {**CLUSTER, "account_id": ACCOUNT}, "workspaces": [ANALYTICS, REPORTING]}
EXISTING: dict[str, Any] = {"network": EXISTING_VPC, "cluster": None, "existing_cluster": {}}
Build = Callable[..., dict[str, Any]]


@pytest.fixture
def build(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Builds an E6data named "e6". Returns its outputs."""
    answer_for_pulumi_eks(recorder, monkeypatch)
    subnets = {id: zone for zone, id in EXISTING_VPC["existing_private_subnets"].items()}
    recorder.answers |= {
        "aws:index/getRegion:getRegion": lambda _: {"region": NETWORK["region"]},
        "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {"accountId": ACCOUNT},
        "aws:eks/getCluster:getCluster": lambda _: {
            "name": "e6",
            "arn": f"arn:aws:eks:us-west-2:{ACCOUNT}:cluster/e6",
            "endpoint": "https://theirs",
            "certificateAuthorities": [{"data": "Y2E="}],
            "identities": [{"oidcs": [{"issuer": ISSUER}]}],
            "status": "ACTIVE",
            "accessConfigs": [{"authenticationMode": "API"}],
            "vpcConfig": {"vpcId": VPC, "clusterSecurityGroupId": "sg-0a1b2c3d"},
        },
        "aws:ec2/getSecurityGroup:getSecurityGroup": lambda _: {"tags": {}},
        "aws:ec2/getRouteTables:getRouteTables": lambda _: {"ids": ["rtb-1"]},
        "aws:ec2/getRouteTable:getRouteTable": lambda _: {
            "routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": "nat-1"}]
        },
        "aws:ec2/getVpc:getVpc": lambda _: {
            "cidrBlockAssociations": [],
            "id": VPC,
            "cidrBlock": "10.9.0.0/16",
            "enableDnsSupport": True,
            "enableDnsHostnames": True,
            "ipv6CidrBlockAssociations": [],
        },
        "aws:ec2/getSubnet:getSubnet": lambda asked: {
            "id": asked["id"],
            "vpcId": VPC,
            "availabilityZone": subnets[asked["id"]],
            "availableIpAddressCount": 250,
            "mapPublicIpOnLaunch": False,
            "ipv6CidrBlock": "",
            "tags": {},
        },
    }

    def run(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: E6data("e6", arguments(**{**NEW, **changes})))

    return run


def parts(recorder: Recorder) -> set[str]:
    """Kinds of the components directly in the product, workspaces aside."""
    parent = "eks-analytics:index:E6data::e6"
    kinds = {one.type for one in recorder.registrations if one.parent.endswith(parent)}
    ours = {kind.rpartition(":")[2] for kind in kinds if kind.startswith("eks-analytics:")}
    return ours - {"E6dataWorkspace"}


def release(recorder: Recorder, chart: str) -> Registration:
    (found,) = [one for one in recorder.of("Release").values() if one.inputs["name"] == chart]
    return found


def of_workspaces(recorder: Recorder, kind: str) -> dict[str, Registration]:
    """The NodePools or EC2NodeClasses, by the names that they have in the cluster."""
    return {one.inputs["metadata"]["name"]: one for one in recorder.of(kind).values()}


def spec(recorder: Recorder, kind: str, workspace: str) -> dict[str, Any]:
    return of_workspaces(recorder, kind)[f"e6data-{workspace}"].inputs["spec"]


def test_everything_is_made_where_nothing_is_there(build: Build, recorder: Recorder) -> None:
    build()
    assert parts(recorder) == PARTS
    for kind in ("NodePool", "EC2NodeClass"):
        assert set(of_workspaces(recorder, kind)) == {"e6data-analytics", "e6data-reporting"}


def test_the_outputs_are_what_the_console_asks_for(build: Build) -> None:
    outputs = build()
    names = {"analytics": "e6data-analytics", "reporting": "e6data-reporting"}
    assert (outputs["node_pool_names"], outputs["node_class_names"]) == (names, names)
    assert (outputs["region"], outputs["cluster_name"], outputs["oidc_issuer"]) == ("us-west-2", "e6", ISSUER)
    assert all(outputs.values())


def test_all_that_takes_tags_is_e6datas(build: Build, recorder: Recorder) -> None:
    build(network={**NETWORK, "tags": {"CostCenter": "42"}})
    tagged = [one for one in recorder.registrations if isinstance(one.inputs.get("tags"), dict)]
    assert len(tagged) > 30
    assert [one.key for one in tagged if one.inputs["tags"].get("app") != "e6data"] == []
    assert [one.key for one in tagged if one.inputs["tags"].get("CostCenter") != "42"] == []
    assert spec(recorder, "EC2NodeClass", "analytics")["tags"] == {"app": "e6data", "CostCenter": "42"}
    assert spec(recorder, "EC2NodeClass", "reporting")["tags"] == {"app": "e6data", "CostCenter": "42", "team": "bi"}


def test_the_controllers_may_touch_what_is_e6datas_only(build: Build, recorder: Recorder) -> None:
    build()
    policies = json.dumps([one.inputs.get("policy") for one in recorder.registrations])
    assert "e6data-*" in policies
    values = release(recorder, "aws-load-balancer-controller").inputs["values"]
    assert values["defaultTags"] == {"app": "e6data"}
    assert (values["clusterName"], values["region"]) == ("e6", "us-west-2")


def test_exact_names_stand_for_the_prefix(build: Build, recorder: Recorder) -> None:
    build(karpenter={"allowed_names": ["e6data-analytics", "e6data-reporting"]})
    policies = json.dumps([one.inputs.get("policy") for one in recorder.registrations])
    assert "e6data-*" not in policies
    assert "e6data-reporting" in policies


def test_nodes_of_workspaces_have_karpenters_role_and_the_clusters_group(build: Build, recorder: Recorder) -> None:
    outputs = build()
    for workspace in ("analytics", "reporting"):
        found = spec(recorder, "EC2NodeClass", workspace)
        assert found["role"] == outputs["karpenter_node_role_name"]
        assert found["securityGroupSelectorTerms"] == [{"id": "sg-1"}]
        assert found["subnetSelectorTerms"] == [{"tags": {"karpenter.sh/discovery": "e6"}}]


def test_whatever_is_in_the_cluster_goes_through_the_clusters_provider(build: Build, recorder: Recorder) -> None:
    build()
    (provider,) = recorder.of("kubernetes")
    inside = [one for one in recorder.registrations if one.type.startswith("kubernetes:")]
    assert {kind.rpartition(":")[2] for kind in (one.type for one in inside)} >= {"NodePool", "EC2NodeClass", "Release"}
    assert [one.key for one in inside if f"::{provider}::" not in one.request.provider] == []


def test_workspaces_come_after_karpenter_and_karpenter_after_its_nodes(build: Build, recorder: Recorder) -> None:
    build()
    before = recorder.needed(of_workspaces(recorder, "NodePool")["e6data-analytics"])
    assert release(recorder, "karpenter").key in before
    assert any(":NodeGroup::" in key for key in recorder.needed(release(recorder, "karpenter")))
    assert any(":NodeGroup::" in key for key in recorder.needed(release(recorder, "aws-load-balancer-controller")))


def test_load_balancers_are_drained_while_controller_and_ways_out_are_there(build: Build, recorder: Recorder) -> None:
    build(drain_minutes=7.0)
    drain = recorder.of("Command")["e6"]
    before = recorder.needed(drain)
    assert release(recorder, "aws-load-balancer-controller").key in before
    assert any(":NatGateway::" in key for key in before)
    given = drain.inputs["environment"]
    assert (given["DRAIN_CLUSTER"], given["DRAIN_REGION"], given["DRAIN_SECONDS"]) == ("e6", "us-west-2", "420")


def test_an_image_that_changes_by_itself_is_refused_in_production(build: Build, recorder: Recorder) -> None:
    with pytest.raises(ValueError, match=r"workspaces\[0\]\.ami_alias"):
        build(
            cluster={**CLUSTER, "production": True, "admin_principal_arns": [ROLE]},
            workspaces=[{**ANALYTICS, "ami_alias": "al2023@latest"}],
        )
    assert recorder.registrations == []


def test_what_is_there_already_is_used(build: Build, recorder: Recorder) -> None:
    outputs = build(**EXISTING)
    assert parts(recorder) == PARTS - {"Cluster", "LoadBalancerDrain"}
    assert recorder.of("Command") == {}
    assert outputs["vpc_id"] == VPC
    assert outputs["oidc_issuer"] == ISSUER
    (provider,) = recorder.of("OpenIdConnectProvider").values()
    assert provider.inputs["url"] == ISSUER
    group = {(tag.inputs["key"], tag.inputs["value"]) for tag in tags_of(recorder, "sg-0a1b2c3d")}
    assert group == {("app", "e6data")}
    assert recorder.of("PodIdentityAssociation") == {}
    assert "https://theirs" in json.dumps([one.inputs.get("kubeconfig") for one in recorder.registrations])


def tags_of(recorder: Recorder, id: str) -> list[Registration]:
    return [tag for tag in recorder.of("Tag").values() if tag.inputs["resourceId"] == id]


def test_an_oidc_provider_that_is_named_is_not_made(build: Build, recorder: Recorder) -> None:
    named = PROVIDER.rpartition("oidc-provider/")[0] + "oidc-provider/" + ISSUER.removeprefix("https://")
    outputs = build(**{**EXISTING, "existing_cluster": {"oidc_provider_arn": named}})
    assert recorder.of("OpenIdConnectProvider") == {}
    assert outputs["oidc_provider_arn"] == named


def test_controllers_that_are_there_are_not_installed_again(build: Build, recorder: Recorder) -> None:
    there = {"karpenter_node_role_name": "Nodes", "has_load_balancer_controller": True}
    outputs = build(**{**EXISTING, "existing_cluster": there})
    assert parts(recorder) == {"Network"}
    assert recorder.of("Release") == {}
    assert spec(recorder, "EC2NodeClass", "analytics")["role"] == "Nodes"
    assert (outputs["karpenter_node_role_name"], outputs["karpenter_node_role_arn"]) == ("Nodes", "")


def test_a_cluster_that_would_not_do_is_refused_before_anything_is_made(build: Build, recorder: Recorder) -> None:
    found = recorder.answers["aws:eks/getCluster:getCluster"]
    recorder.answers["aws:eks/getCluster:getCluster"] = lambda asked: {**found(asked), "status": "FAILED"}
    with pytest.raises(Exception, match="is FAILED"):
        build(**EXISTING)
    assert made(recorder) == []


def test_a_vpc_without_a_way_out_is_refused_before_anything_is_made(build: Build, recorder: Recorder) -> None:
    recorder.answers["aws:ec2/getRouteTable:getRouteTable"] = lambda _: {"routes": []}
    with pytest.raises(Exception, match="has no way to the internet") as error:
        build(**EXISTING)
    assert str(error.value).count("has no way to the internet") == len(NETWORK["availability_zones"])
    assert made(recorder) == []


def made(recorder: Recorder) -> list[str]:
    """What would be in AWS or in the cluster."""
    return [one.key for one in recorder.made if not one.type.startswith("eks-analytics:")]


def test_s3_through_nat_is_warned_of_as_the_component_is_made(build: Build, recorder: Recorder) -> None:
    build(network={**NETWORK, "enable_s3_endpoint": False})
    assert [warning for warning in recorder.warnings if "through NAT" in warning]
