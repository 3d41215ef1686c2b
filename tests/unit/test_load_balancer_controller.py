"""What an AwsLoadBalancerController registers, and what it refuses."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_analytics.load_balancer_controller import AwsLoadBalancerController
from eks_analytics.load_balancer_controller_checks import version_problems
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder, Registration

VPC = "vpc-0123456789abcdef0"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
Build = Callable[..., dict[str, Any]]


def arguments(**changes: Any) -> Any:
    """Small good arguments, with changes; None leaves an argument out."""
    given = {"cluster_name": "analytics", "vpc_id": VPC, "region": "us-east-1", "account_id": "123456789012", **changes}
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build a controller named "lbc" of the arguments given. Returns its outputs."""

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: AwsLoadBalancerController("lbc", arguments(**changes)))

    return build


def only(recorder: Recorder, type: str) -> Registration:
    (found,) = recorder.of(type).values()
    return found


def values(recorder: Recorder) -> dict[str, Any]:
    return only(recorder, "Release").inputs["values"]


def test_the_release_is_the_pinned_chart_of_aws(build: Build, recorder: Recorder) -> None:
    outputs = build()
    release = only(recorder, "Release").inputs
    assert release["chart"] == release["name"] == outputs["release_name"] == "aws-load-balancer-controller"
    assert release["repositoryOpts"] == {"repo": "https://aws.github.io/eks-charts"}
    assert (release["version"], release["namespace"]) == ("3.5.0", "kube-system")
    assert outputs["role_arn"].endswith(":lbc-id")


def test_the_values_name_the_cluster_and_leave_everything_optional_off(build: Build, recorder: Recorder) -> None:
    build()
    found = values(recorder)
    assert {key: found[key] for key in ("clusterName", "region", "vpcId", "replicaCount")} == {
        "clusterName": "analytics",
        "region": "us-east-1",
        "vpcId": VPC,
        "replicaCount": 2,
    }
    switches = ("enableShield", "enableWaf", "enableWafv2", "enableServiceMutatorWebhook")
    assert [found[key] for key in switches] == [False] * 4
    assert found["serviceAccount"] == {"create": True, "name": "aws-load-balancer-controller"}
    assert found["defaultTags"] == {}


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("enable_shield", "enableShield"),
        ("enable_waf", "enableWaf"),
        ("enable_wafv2", "enableWafv2"),
        ("enable_service_mutator_webhook", "enableServiceMutatorWebhook"),
    ],
)
def test_each_switch_turns_its_value_on_and_no_other(
    build: Build, recorder: Recorder, argument: str, value: str
) -> None:
    build(**{argument: True})
    assert [key for key, on in values(recorder).items() if on is True] == [value]
    services = {"enable_shield": "shield:", "enable_waf": "waf-regional:", "enable_wafv2": "wafv2:"}
    policies = json.dumps([policy.inputs["policy"] for policy in recorder.of("RolePolicy").values()])
    assert [name for name, service in services.items() if service in policies] == [argument] * (argument in services)


def test_restricted_tags_are_in_the_policies_and_on_what_is_made(build: Build, recorder: Recorder) -> None:
    build(restricted_tags={"app": "e6data"}, default_tags={"team": "data"})
    assert values(recorder)["defaultTags"] == {"app": "e6data", "team": "data"}
    policies = [policy.inputs["policy"] for policy in recorder.of("RolePolicy").values()]
    assert all('"aws:ResourceTag/app": "e6data"' in policy for policy in policies)


def test_helm_values_are_merged_last_and_deeply(build: Build, recorder: Recorder) -> None:
    build(helm_values={"replicaCount": 3, "resources": {"limits": {"memory": "256Mi"}}, "logLevel": "debug"})
    found = values(recorder)
    assert found["replicaCount"] == 3
    assert found["resources"] == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
    assert found["logLevel"] == "debug"
    assert found["clusterName"] == "analytics"


def test_the_role_is_the_service_accounts_in_this_cluster_through_pod_identity(
    build: Build, recorder: Recorder
) -> None:
    build()
    (statement,) = json.loads(only(recorder, "Role").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    association = only(recorder, "PodIdentityAssociation").inputs
    assert (association["clusterName"], association["namespace"]) == ("analytics", "kube-system")
    assert association["serviceAccount"] == values(recorder)["serviceAccount"]["name"]
    assert association["roleArn"].endswith(":lbc-id")


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input])
def test_irsa_annotates_the_service_account_and_needs_no_association(
    build: Build, recorder: Recorder, given: Callable[[str], pulumi.Input[str]]
) -> None:
    outputs = build(identity="irsa", oidc_provider_arn=given(PROVIDER), account_id=None)
    assert recorder.of("PodIdentityAssociation") == {}
    (statement,) = json.loads(only(recorder, "Role").inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert "system:serviceaccount:kube-system:aws-load-balancer-controller" in json.dumps(statement)
    annotations = values(recorder)["serviceAccount"]["annotations"]
    assert annotations == {"eks.amazonaws.com/role-arn": outputs["role_arn"]}


def test_pods_start_only_when_the_role_is_theirs_and_has_its_rights(build: Build, recorder: Recorder) -> None:
    build()
    policies = {f"aws:iam/rolePolicy:RolePolicy::lbc-{purpose}" for purpose in ("network", "load-balancers")}
    association = "aws:eks/podIdentityAssociation:PodIdentityAssociation::lbc"
    assert only(recorder, "Release").dependencies >= {*policies, association}


def test_what_needs_the_cluster_waits_for_what_it_is_told_to_come_after(recorder: Recorder) -> None:
    def program() -> AwsLoadBalancerController:
        nodes = pulumi.CustomResource("test:index:Nodes", "nodes", {"name": "core"})
        return AwsLoadBalancerController("lbc", arguments(after=pulumi.Output.all(nodes.id)))

    recorder.run(program)
    for type in ("Release", "PodIdentityAssociation"):
        assert "test:index:Nodes::nodes" in only(recorder, type).dependencies
    assert values(recorder)["clusterName"] == "analytics"


def test_every_resource_is_a_child_and_tags_reach_everything_that_takes_tags(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["tags"])
    recorder.run(lambda: AwsLoadBalancerController("lbc", arguments(tags={"team": "data"}), opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:AwsLoadBalancerController"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:AwsLoadBalancerController::lbc"}
    assert not any(child.request.ignoreChanges for child in children)
    tagged = {child.type.split(":")[-1] for child in children if child.inputs.get("tags") == {"team": "data"}}
    assert tagged == {"Role", "PodIdentityAssociation"}


def test_region_and_account_are_looked_up_where_they_are_not_given(build: Build, recorder: Recorder) -> None:
    recorder.answers["aws:index/getRegion:getRegion"] = lambda _: {"id": "r", "region": "eu-west-3"}
    recorder.answers["aws:index/getCallerIdentity:getCallerIdentity"] = lambda _: {"accountId": "999999999999"}
    build(region=None, account_id=None)
    assert values(recorder)["region"] == "eu-west-3"
    assert "arn:aws:eks:eu-west-3:999999999999:cluster/analytics" in only(recorder, "Role").inputs["assumeRolePolicy"]


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    definitions = InheritingAnalyzer("eks-analytics").analyze([AwsLoadBalancerController])["component_definitions"]
    component = definitions["AwsLoadBalancerController"]
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []
    assert {name for name, found in component.inputs.items() if not found.optional} == {"clusterName", "vpcId"}
    assert not [name for name, found in component.outputs.items() if found.optional]


@pytest.mark.parametrize("version", ["1.5.0", "1.17.1", "3.0.0", "3.5.0", "4.0.0"])
def test_charts_of_2_5_and_newer_controllers_are_fine(version: str) -> None:
    assert list(version_problems(version)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"version": "1.4.8"}, ["version = '1.4.8'", "installs the controller 2.4.8", "2.5", '"3.5.0"']),
        ({"version": "2.11.0"}, ["version = '2.11.0'", "which the chart 1.11.0 installs", 'write "1.11.0"']),
        ({"version": "2.4.0"}, ["version = '2.4.0'", 'write "3.5.0"']),
        ({"version": "v3.5.0"}, ["version = 'v3.5.0'", "without a v"]),
        ({"version": "latest"}, ["version = 'latest'", "three numbers"]),
        ({"vpc_id": "analytics"}, ["vpc_id = 'analytics'", "is no id of a VPC"]),
        ({"cluster_name": "-x"}, ["cluster_name = '-x'"]),
        ({"identity": "keys"}, ["identity = 'keys'", "pod-identity or irsa"]),
        ({"identity": "irsa"}, ["identity = 'irsa'", "give oidc_provider_arn"]),
        ({"oidc_provider_arn": PROVIDER}, ["oidc_provider_arn", "not used with the identity pod-identity"]),
        ({"identity": "irsa", "oidc_provider_arn": "https://oidc"}, ["'https://oidc'", "not the issuer's URL"]),
        ({"default_tags": {"a": "1,2"}}, ["default_tags = 'a'", "'1,2' cannot be handed to the controller"]),
        ({"default_tags": {"a=b": "1"}}, ["default_tags = 'a=b'", "= out of keys"]),
        ({"default_tags": {"elbv2.k8s.aws/cluster": "x"}}, ["knows its own things", "leave it out"]),
        ({"restricted_tags": {"aws:x": "1"}}, ["restricted_tags = 'aws:x'"]),
        (
            {"restricted_tags": {"app": "e6data"}, "default_tags": {"app": "other"}},
            ["default_tags = 'app'", "app: other", "e6data only"],
        ),
        ({"restricted_tags": {f"k{i}": "v" * 200 for i in range(9)}}, ["9 tags", "IAM takes 6144"]),
        ({"helm_values": {"enableWafv2": True}}, ["helm_values.enableWafv2 = True", "use the argument enable_wafv2"]),
        ({"helm_values": {"resources": "100m"}}, ["helm_values.resources = '100m'", "take the place of a map"]),
        ({"helm_values": {"serviceAccount": {"name": "x"}}}, ["helm_values.serviceAccount.name = 'x'"]),
        (
            {"helm_values": {"controllerConfig": {"featureGates": {"ListenerRulesTagging": False}}}},
            ["ListenerRulesTagging = False", "without tags"],
        ),
        ({"tags": {"Name": "x"}}, ["tags = 'Name'"]),
    ],
)
def test_a_wrong_argument_is_refused_with_what_to_do(
    recorder: Recorder, changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ValueError, match="load balancer controller 'lbc' cannot be built as asked") as refused:
        recorder.run(lambda: AwsLoadBalancerController("lbc", arguments(**changes)))
    assert str(refused.value).count("\n  - ") == 1
    assert [word for word in words if word not in str(refused.value)] == []
    assert recorder.registrations == []
