"""What a Karpenter registers, and in which order."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_analytics.karpenter import Karpenter, KarpenterArgs
from eks_analytics.karpenter_policies import CONTROLLER_POLICIES, INTERRUPTIONS
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder, Registration

PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
ENDPOINT = "https://abc.eks.us-east-1.amazonaws.com"
UNTAGGABLE = {"Karpenter", "RolePolicy", "RolePolicyAttachment", "QueuePolicy", "EventTarget", "Release"}
Build = Callable[..., dict[str, Any]]


def karpenter_args(**changes: Any) -> KarpenterArgs:
    args: Any = {"cluster_name": "analytics", "region": "us-east-1", "account_id": "123456789012", **changes}
    return {name: value for name, value in args.items() if value is not None}  # pyright: ignore[reportReturnType]  # tests give wrong values on purpose


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build a Karpenter named "main" of the arguments given. Returns its outputs."""
    recorder.outputs["aws:sqs/queue:Queue"] = {"name": "main-q", "url": "https://sqs/main-q"}
    recorder.outputs["aws:iam/role:Role"] = {"name": "main-role"}
    recorder.outputs["aws:iam/instanceProfile:InstanceProfile"] = {"name": "main-profile"}

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: Karpenter("main", karpenter_args(**changes)))

    return build


def release(recorder: Recorder) -> Registration:
    return recorder.of("Release")["main-karpenter"]


def values(recorder: Recorder) -> dict[str, Any]:
    return release(recorder).inputs["values"]


def document(found: Registration, key: str = "policy") -> Any:
    return json.loads(found.inputs[key])["Statement"]


def test_outputs_name_what_was_made(build: Build) -> None:
    arn = "arn:aws:mock:us-east-1:123456789012:main-{}-id"
    assert build() == {
        "node_role_arn": arn.format("node"),
        "node_role_name": "main-role",
        "instance_profile_name": "",
        "controller_role_arn": "arn:aws:mock:us-east-1:123456789012:main-id",
        "queue_name": "main-q",
        "queue_arn": arn.format("interruption"),
    }
    assert build(use_instance_profile=True)["instance_profile_name"] == "main-profile"


def test_every_resource_is_a_child_of_the_component_and_takes_none_of_its_options(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["tags"])
    recorder.run(lambda: Karpenter("main", karpenter_args(use_instance_profile=True), opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:Karpenter"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:Karpenter::main"}
    assert not any(child.request.ignoreChanges for child in children)


def test_tags_reach_everything_that_takes_tags(build: Build, recorder: Recorder) -> None:
    build(tags={"CostCenter": "42"}, use_instance_profile=True)
    untagged = {found.type.split(":")[-1] for found in recorder.registrations if "tags" not in found.inputs}
    assert untagged == UNTAGGABLE
    tags = [found.inputs["tags"] for found in recorder.registrations if "tags" in found.inputs]
    assert tags == [{"CostCenter": "42"}] * len(tags)


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    component = InheritingAnalyzer("eks-analytics").analyze([Karpenter])["component_definitions"]["Karpenter"]
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []
    assert [name for name, found in component.inputs.items() if not found.optional] == ["clusterName"]
    assert not [name for name, found in component.outputs.items() if found.optional]


def test_wrong_arguments_are_refused_together(build: Build) -> None:
    with pytest.raises(ValueError, match="Karpenter 'main' cannot be built") as caught:
        build(version="v1", replicas=0)
    assert str(caught.value).count("\n  - ") == 2


# Roles


def test_the_controller_has_all_policies_of_its_own(build: Build, recorder: Recorder) -> None:
    build(allowed_name_prefix="e6data-")
    policies = recorder.of("Policy")
    assert set(policies) == {f"main-{purpose}" for purpose in CONTROLLER_POLICIES}
    lifecycle = document(policies["main-node-lifecycle"])
    assert lifecycle[1]["Condition"]["StringLike"] == {
        "aws:ResourceTag/karpenter.sh/nodepool": ["e6data-*", ""],
        "aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": "e6data-*",
    }
    assert document(policies["main-iam-integration"])[0]["Resource"].endswith(":main-node-id")
    assert document(policies["main-interruption"])[0]["Resource"].endswith(":main-interruption-id")
    attached = {name for name in recorder.of("RolePolicyAttachment") if not name.startswith("main-node-Amazon")}
    assert attached == set(policies)


def test_exact_names_are_written_out(build: Build, recorder: Recorder) -> None:
    build(allowed_names=["one", "two"])
    lifecycle = document(recorder.of("Policy")["main-node-lifecycle"])
    assert lifecycle[1]["Condition"]["StringLike"] == {"aws:ResourceTag/karpenter.sh/nodepool": ["one", "two", ""]}


def test_by_pod_identity_the_role_serves_the_controllers_service_account_only(build: Build, recorder: Recorder) -> None:
    build(namespace="karpenter")
    association = recorder.of("PodIdentityAssociation")["main"]
    assert association.inputs["namespace"] == "karpenter"
    assert association.inputs["serviceAccount"] == "karpenter"
    (trust,) = document(recorder.of("Role")["main"], "assumeRolePolicy")
    assert trust["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "karpenter"
    assert values(recorder)["serviceAccount"] == {"name": "karpenter"}


def test_by_irsa_the_service_account_names_the_role(build: Build, recorder: Recorder) -> None:
    build(identity="irsa", oidc_provider_arn=pulumi.Output.from_input(PROVIDER))
    assert recorder.of("PodIdentityAssociation") == {}
    (trust,) = document(recorder.of("Role")["main"], "assumeRolePolicy")
    assert trust["Principal"] == {"Federated": PROVIDER}
    account = values(recorder)["serviceAccount"]
    role = "arn:aws:mock:us-east-1:123456789012:main-id"
    assert account == {"name": "karpenter", "annotations": {"eks.amazonaws.com/role-arn": role}}


def test_nodes_may_join_the_cluster(build: Build, recorder: Recorder) -> None:
    build()
    entry = recorder.of("AccessEntry")["main-node"]
    assert entry.inputs["type"] == "EC2_LINUX"
    assert entry.inputs["principalArn"].endswith(":main-node-id")
    attached = [name for name in recorder.of("RolePolicyAttachment") if name.startswith("main-node-Amazon")]
    assert len(attached) == 3
    assert recorder.of("InstanceProfile") == {}


def test_nodes_are_reached_through_session_manager_and_read_no_parameters(build: Build, recorder: Recorder) -> None:
    build()
    sessions = recorder.of("RolePolicy")["main-node-session-manager"]
    allowed = {action for statement in document(sessions) for action in statement["Action"]}
    assert {action.partition(":")[0] for action in allowed} == {"ssm", "ssmmessages"}
    assert {action for action in allowed if action.startswith("ssm:")} == {"ssm:UpdateInstanceInformation"}
    assert sessions.key in release(recorder).dependencies


# The queue


def test_the_queue_forgets_soon_is_encrypted_and_takes_its_rules_events_only(build: Build, recorder: Recorder) -> None:
    build()
    queue = recorder.of("Queue")["main-interruption"].inputs
    assert (queue["messageRetentionSeconds"], queue["sqsManagedSseEnabled"]) == (300, True)
    allow, deny = document(recorder.of("QueuePolicy")["main-interruption"])
    sources = allow["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert sources == [f"arn:aws:mock:us-east-1:123456789012:main-{kind}-id" for kind in INTERRUPTIONS]
    assert deny["Sid"] == "DenyWithoutTls"


def test_every_kind_of_interruption_has_a_rule_with_the_queue_for_its_target(build: Build, recorder: Recorder) -> None:
    build()
    rules, targets = recorder.of("EventRule"), recorder.of("EventTarget")
    assert {name: json.loads(rule.inputs["eventPattern"]) for name, rule in rules.items()} == {
        f"main-{kind}": {"source": [source], "detail-type": [event]} for kind, (source, event) in INTERRUPTIONS.items()
    }
    assert set(targets) == set(rules)
    assert {target.inputs["arn"] for target in targets.values()} == {
        "arn:aws:mock:us-east-1:123456789012:main-interruption-id"
    }


# Releases


def test_both_releases_are_of_the_same_version_and_only_one_brings_crds(build: Build, recorder: Recorder) -> None:
    build(version="1.15.2")
    crds, controller = recorder.of("Release")["main-crd"].inputs, release(recorder).inputs
    assert (crds["chart"], controller["chart"]) == (
        "oci://public.ecr.aws/karpenter/karpenter-crd",
        "oci://public.ecr.aws/karpenter/karpenter",
    )
    assert crds["version"] == controller["version"] == "1.15.2"
    assert (crds["skipCrds"], controller["skipCrds"]) == (False, True)
    assert (crds["name"], controller["name"]) == ("karpenter-crd", "karpenter")
    assert crds["namespace"] == controller["namespace"] == "kube-system"
    # With their CRD, Kubernetes would delete every NodePool.
    assert crds["values"] == {"additionalAnnotations": {"helm.sh/resource-policy": "keep"}}


def test_the_controller_is_installed_after_all_that_it_and_its_nodes_need(build: Build, recorder: Recorder) -> None:
    build(use_instance_profile=True)
    needed = {key.rpartition(":")[0].rpartition(":")[0].rpartition(":")[2] for key in release(recorder).dependencies}
    assert needed >= {"PodIdentityAssociation", "AccessEntry", "RolePolicyAttachment", "QueuePolicy", "EventTarget"}
    assert needed >= {"InstanceProfile", "Release"}
    attached = {key for key in release(recorder).dependencies if "RolePolicyAttachment" in key}
    assert len(attached) == 9


def test_the_controller_runs_on_the_system_node_groups_with_resources_and_spread(
    build: Build, recorder: Recorder
) -> None:
    build(system_node_groups=["core-1", pulumi.Output.from_input("core-2")])
    found = values(recorder)
    (term,) = found["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [
        {"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"},
        {"key": "eks.amazonaws.com/nodegroup", "operator": "In", "values": ["core-1", "core-2"]},
    ]
    assert found["replicas"] == 2
    assert {one["topologyKey"] for one in found["topologySpreadConstraints"]} == {"topology.kubernetes.io/zone"}
    assert found["controller"]["resources"]["requests"] == {"cpu": "1", "memory": "1Gi"}


def test_settings_follow_from_the_arguments(build: Build, recorder: Recorder) -> None:
    build(
        isolated_vpc=True, use_instance_profile=True, enable_zonal_shift=True, cluster_endpoint=ENDPOINT, replicas=3.0
    )
    assert values(recorder)["settings"] == {
        "clusterName": "analytics",
        "clusterEndpoint": ENDPOINT,
        "interruptionQueue": "main-q",
        "isolatedVPC": True,
        "enableZonalShift": True,
    }
    assert values(recorder)["replicas"] == 3
    build()
    assert "clusterEndpoint" not in values(recorder)["settings"]


def test_given_values_win_at_every_depth(build: Build, recorder: Recorder) -> None:
    requests = {"resources": {"requests": {"cpu": "500m"}}}
    build(helm_values={"controller": requests, "settings": {"featureGates": {"nodeRepair": True}}})
    found = values(recorder)
    assert found["controller"]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert found["settings"]["featureGates"] == {"nodeRepair": True}
    assert found["settings"]["clusterName"] == "analytics"


def test_what_is_made_with_the_node_role_goes_before_the_controller(recorder: Recorder) -> None:
    def program() -> None:
        karpenter = Karpenter("main", karpenter_args())
        pulumi.CustomResource("test:index:User", "user", {"role": karpenter.node_role_name})

    recorder.run(program)
    user = recorder.of("User")["user"]
    assert "kubernetes:helm.sh/v3:Release::main-karpenter" in user.property_dependencies["role"]


def test_a_cluster_of_the_same_program_is_waited_for(recorder: Recorder) -> None:
    def program() -> None:
        cluster = pulumi.CustomResource("test:index:Cluster", "cluster", {"x": 1})
        endpoint = cluster.id.apply(lambda _: ENDPOINT)
        Karpenter("main", karpenter_args(cluster_endpoint=endpoint))

    recorder.run(program)
    for found in (recorder.of("AccessEntry")["main-node"], recorder.of("PodIdentityAssociation")["main"]):
        assert "test:index:Cluster::cluster" in found.property_dependencies["clusterName"]
        assert found.inputs["clusterName"] == "analytics"
