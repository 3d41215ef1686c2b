"""What NodePools registers, and in which order it goes."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_analytics.node_pools import NodePools, NodePoolsArgs
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder

Build = Callable[..., dict[str, Any]]


def pools_args(**changes: Any) -> NodePoolsArgs:
    pools = [{"name": name, "ami_alias": "al2023@v20260724"} for name in ("batch", "serving")]
    args: Any = {"cluster_name": "analytics", "pools": pools, "node_role_name": "role", **changes}
    return {name: value for name, value in args.items() if value is not None}  # pyright: ignore[reportReturnType]  # tests give wrong values on purpose


@pytest.fixture
def build(recorder: Recorder) -> Build:
    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: NodePools("main", pools_args(**changes)))

    return build


def test_every_pool_is_a_class_and_a_pool_of_its_name(build: Build, recorder: Recorder) -> None:
    names = ["batch", "serving"]
    assert build() == {"node_pool_names": names, "node_class_names": names}
    for kind in ("EC2NodeClass", "NodePool"):
        found = recorder.of(kind)
        assert set(found) == {"main-batch", "main-serving"}
        assert sorted(one.inputs["metadata"]["name"] for one in found.values()) == names


def test_every_object_is_a_child_of_the_component(build: Build, recorder: Recorder) -> None:
    build()
    _, *children = recorder.registrations
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:NodePools::main"}


def test_a_pool_goes_before_its_class_and_only_with_its_nodes(build: Build, recorder: Recorder) -> None:
    build(pools=[{"name": "batch", "ami_alias": "al2023@v20260724", "termination_grace_period": "2h"}])
    pool, node_class = recorder.of("NodePool")["main-batch"], recorder.of("EC2NodeClass")["main-batch"]
    assert pool.dependencies == {"kubernetes:karpenter.k8s.aws/v1:EC2NodeClass::main-batch"}
    annotations = pool.inputs["metadata"]["annotations"]
    assert annotations == {"pulumi.com/deletionPropagationPolicy": "foreground"}
    assert pool.request.customTimeouts.delete == "135m"
    assert node_class.request.customTimeouts.delete == "15m"


def test_classes_wait_for_what_their_role_waits_for(recorder: Recorder) -> None:
    def program() -> None:
        release = pulumi.CustomResource("test:index:Release", "release", {"x": 1})
        NodePools("main", pools_args(node_role_name=release.id.apply(lambda _: "role")))

    recorder.run(program)
    found = recorder.of("EC2NodeClass")["main-batch"]
    assert found.inputs["spec"]["role"] == "role"
    assert "test:index:Release::release" in found.property_dependencies["spec"]


def test_all_pools_have_the_components_tags_and_security_group(build: Build, recorder: Recorder) -> None:
    build(tags={"CostCenter": "42"}, cluster_security_group_id=pulumi.Output.from_input("sg-0a1b2c3d"))
    specs = [found.inputs["spec"] for found in recorder.of("EC2NodeClass").values()]
    assert [spec["tags"] for spec in specs] == [{"CostCenter": "42"}] * 2
    assert [spec["securityGroupSelectorTerms"] for spec in specs] == [[{"id": "sg-0a1b2c3d"}]] * 2


def test_an_instance_profile_stands_for_the_role(build: Build, recorder: Recorder) -> None:
    build(node_role_name=None, instance_profile_name="profile")
    spec = recorder.of("EC2NodeClass")["main-batch"].inputs["spec"]
    assert (spec["instanceProfile"], "role" in spec) == ("profile", False)


def test_wrong_pools_are_refused_before_anything_is_made(build: Build, recorder: Recorder) -> None:
    pools = [{"name": "Batch", "ami_alias": "al2023@latest"}]
    with pytest.raises(ValueError, match="node pools 'main' cannot be built") as caught:
        build(pools=pools, production=True)
    assert str(caught.value).count("\n  - ") == 2
    assert recorder.registrations == []


def test_warnings_are_shown(build: Build, recorder: Recorder) -> None:
    build(pools=[{"name": "batch", "ami_alias": "al2023@latest"}])
    assert len(recorder.warnings) == 1


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    schema = InheritingAnalyzer("eks-analytics").analyze([NodePools])
    component = schema["component_definitions"]["NodePools"]
    described = [*component.inputs.items(), *component.outputs.items()]
    described += [item for found in schema["type_definitions"].values() for item in found.properties.items()]
    assert [name for name, found in described if not found.description] == []
    assert [name for name, found in component.inputs.items() if not found.optional] == ["clusterName", "pools"]
    assert not [name for name, found in component.outputs.items() if found.optional]
