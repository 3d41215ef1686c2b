"""The Kubernetes stand-in: what the real provider refuses, generates, replaces and returns."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi.automation.errors import CommandError
from pulumi.runtime.proto import provider_pb2
from pulumi_kubernetes.storage.v1 import StorageClass

from kept_objects import KeptClusters
from sandbox.kubernetes_api.reference import Reference
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.providers.protocol import UNKNOWN, InvalidInputsError, ProviderError, Resource, to_struct
from small_stack import SmallStack


class FakeStore(dict[str, dict[str, Any]]):
    def put(self, key: str, value: dict[str, Any]) -> None:
        self[key] = value

    def delete(self, key: str) -> bool:
        return self.pop(key, None) is not None


class FakeCloud:
    """What the stand-in needs of an embedded cloud: a place for Helm releases."""

    def __init__(self) -> None:
        self.releases = FakeStore()

    def store(self, bucket: str) -> FakeStore:
        return self.releases


def kubeconfig(server: str = "https://one", cluster: str = "demo") -> str:
    arguments = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", cluster]
    return json.dumps(
        {
            "clusters": [{"name": "kubernetes", "cluster": {"server": server}}],
            "users": [{"name": "aws", "user": {"exec": {"command": "aws", "args": arguments}}}],
            "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
            "current-context": "aws",
        }
    )


CONFIG = {"kubeconfig": kubeconfig()}
CRD = {
    "metadata": {"name": "nodepools.karpenter.sh"},
    "spec": {
        "group": "karpenter.sh",
        "names": {"kind": "NodePool", "plural": "nodepools"},
        "scope": "Cluster",
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}
        ],
    },
}


def resource(token: str, name: str = "thing", **config: Any) -> Resource:
    return Resource.of(f"urn:pulumi:test::small::kubernetes:{token}::{name}", {**CONFIG, **config})


@pytest.fixture
def clusters() -> KeptClusters:
    return KeptClusters()


@pytest.fixture
def provider(clusters: KeptClusters) -> KubernetesProvider:
    cloud: Any = FakeCloud()
    kept: Any = clusters
    return KubernetesProvider(lambda: cloud, clusters=kept)


@pytest.fixture
def stack(provider: KubernetesProvider, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"kubernetes": provider})


def check(provider: KubernetesProvider, token: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return provider.check(resource(token), more.get("old", {}), inputs, b"seed")


def create(provider: KubernetesProvider, token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return provider.create(resource(token), check(provider, token, inputs), preview=False)


def failures(provider: KubernetesProvider, token: str, inputs: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidInputsError) as caught:
        check(provider, token, inputs)
    return dict(caught.value.failures)


def test_every_misspelt_or_wrongly_typed_field_is_refused_at_once(provider: KubernetesProvider) -> None:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "web", "imagee": "nginx"}]}}
    spec = {"replicas": "two", "selector": {"matchLabels": {"a": "b"}}, "template": template}
    found = failures(provider, "apps/v1:Deployment", {"spec": spec})
    assert "'two' is not of type 'integer'" in found["spec.replicas"]
    assert "'imagee' was unexpected" in found["spec.template.spec.containers[0]"]


def test_a_value_that_is_not_known_yet_is_not_refused(provider: KubernetesProvider) -> None:
    inputs = check(provider, "storage.k8s.io/v1:StorageClass", {"provisioner": UNKNOWN, "parameters": {"a": UNKNOWN}})
    assert inputs["provisioner"] is UNKNOWN


def test_the_schemas_are_those_of_the_clusters_version_or_the_newest_before_it() -> None:
    def of(version: str | None) -> KubernetesProvider:
        cloud: Any = FakeCloud()
        return KubernetesProvider(lambda: cloud, version)

    token, inputs = "networking.k8s.io/v1:ServiceCIDR", {"spec": {"cidrs": ["10.0.0.0/16"]}}
    for version in ("1.33", "9.99", None):
        assert check(of(version), token, inputs)["spec"] == inputs["spec"]
    with pytest.raises(ProviderError, match="ServiceCIDR is not among the kinds"):
        check(of("1.30"), token, inputs)


@pytest.mark.parametrize(
    "token", ["helm.sh/v3:Chart", "core/v1:Namespce", "apps/v1:DeploymentPatch", "storage.k8s.io/v1:StorageKlass"]
)
def test_a_type_without_support_is_refused_by_name(provider: KubernetesProvider, token: str) -> None:
    with pytest.raises(ProviderError, match=token):
        check(provider, token, {})


def test_a_function_is_refused_by_name(provider: KubernetesProvider) -> None:
    with pytest.raises(ProviderError, match="kubernetes:yaml:decode"):
        provider.invoke("kubernetes:yaml:decode", {}, False, {})


def test_an_object_without_name_gets_one_that_stays(provider: KubernetesProvider) -> None:
    first = check(provider, "core/v1:ConfigMap", {"data": {"a": "1"}})
    assert first["metadata"]["name"].startswith("thing-")
    assert len(first["metadata"]["name"]) == len("thing-") + 8
    second = provider.check(resource("core/v1:ConfigMap"), first, {"data": {"a": "2"}}, b"other seed")
    assert second["metadata"] == first["metadata"]


def test_objects_go_to_the_namespace_of_object_provider_or_default_and_cluster_wide_kinds_to_none(
    provider: KubernetesProvider,
) -> None:
    named = {"metadata": {"name": "x"}}
    assert check(provider, "core/v1:Secret", named)["metadata"]["namespace"] == "default"
    elsewhere = provider.check(resource("core/v1:Secret", namespace="apps"), {}, named, b"")
    assert elsewhere["metadata"]["namespace"] == "apps"
    assert "namespace" not in check(provider, "rbac.authorization.k8s.io/v1:ClusterRole", named)["metadata"]
    assert create(provider, "core/v1:Secret", named)[0] == "default/x"
    assert create(provider, "core/v1:Namespace", named)[0] == "x"


def test_a_namespace_must_exist_and_takes_its_objects_with_it(
    provider: KubernetesProvider, clusters: KeptClusters
) -> None:
    inside = {"metadata": {"name": "x", "namespace": "apps"}}
    with pytest.raises(ProviderError, match='namespaces "apps" not found'):
        create(provider, "core/v1:ConfigMap", inside)
    create(provider, "core/v1:Namespace", {"metadata": {"name": "apps"}})
    create(provider, "core/v1:ConfigMap", inside)
    create(provider, "core/v1:ConfigMap", {"metadata": {"name": "y"}})
    provider.delete(resource("core/v1:Namespace"), "apps", {}, {})
    assert list(clusters.api("demo").objects) == [Reference("v1", "ConfigMap", "default", "y")]


def test_what_the_server_owns_is_filled_in_and_an_existing_object_is_not_taken_over(
    provider: KubernetesProvider,
) -> None:
    id, live = create(provider, "core/v1:ConfigMap", {"metadata": {"name": "x"}, "data": {"a": "1"}})
    assert {"uid", "creationTimestamp", "resourceVersion", "generation"} < live["metadata"].keys()
    with pytest.raises(ProviderError, match='ConfigMap "default/x" already exists'):
        create(provider, "core/v1:ConfigMap", {"metadata": {"name": "x"}})
    thing = resource("core/v1:ConfigMap", upsertExistingObjects="true")
    again = {"metadata": {"name": "x", "namespace": "default"}, "data": {"a": "2"}}
    assert provider.create(thing, again, preview=False)[1]["metadata"]["uid"] == live["metadata"]["uid"]
    changed = provider.update(thing, id, {}, live, again | {"data": {"a": "3"}}, preview=False)
    assert changed["metadata"]["uid"] == live["metadata"]["uid"]
    assert int(changed["metadata"]["resourceVersion"]) == int(live["metadata"]["resourceVersion"]) + 2
    assert changed["data"] == {"a": "3"}


def test_a_preview_neither_needs_the_cluster_nor_makes_up_what_the_server_owns() -> None:
    def no_cloud() -> Any:
        raise AssertionError("a preview asked for the cloud")

    provider, thing = KubernetesProvider(no_cloud), resource("core/v1:ConfigMap")
    inputs = check(provider, "core/v1:ConfigMap", {"metadata": {"name": "x"}, "data": {"a": "1"}})
    assert provider.create(thing, inputs, preview=True) == ("", inputs)
    live = inputs | {"metadata": inputs["metadata"] | {"uid": "u", "resourceVersion": "7"}}
    updated = provider.update(thing, "default/x", inputs, live, inputs | {"data": {"a": "2"}}, preview=True)
    assert (updated["metadata"]["uid"], updated["data"]) == ("u", {"a": "2"})


def test_a_custom_kind_needs_its_definition(provider: KubernetesProvider) -> None:
    pool = {"metadata": {"name": "general"}, "spec": {"limits": {"cpu": 100}}}
    with pytest.raises(ProviderError, match=r'no matches for kind "NodePool" in version "karpenter\.sh/v1"'):
        create(provider, "karpenter.sh/v1:NodePool", pool)
    create(provider, "apiextensions.k8s.io/v1:CustomResourceDefinition", CRD)
    assert create(provider, "karpenter.sh/v1:NodePool", pool)[0] == "general"
    with pytest.raises(ProviderError, match="no matches for kind"):
        create(provider, "karpenter.sh/v1beta1:NodePool", pool)


@pytest.mark.parametrize(
    ("token", "old", "new", "replacing"),
    [
        (
            "storage.k8s.io/v1:StorageClass",
            {"parameters": {"type": "gp2"}},
            {"parameters": {"type": "gp3"}},
            "parameters.type",
        ),
        ("storage.k8s.io/v1:StorageClass", {"allowVolumeExpansion": False}, {"allowVolumeExpansion": True}, ""),
        (
            "apps/v1:Deployment",
            {"spec": {"selector": {"a": "b"}}},
            {"spec": {"selector": {"a": "c"}}},
            "spec.selector.a",
        ),
        ("storage.k8s.io/v1:StorageClass", {}, {"parameters": {"type": "gp3"}}, "parameters.type"),
        ("apps/v1:Deployment", {"spec": {"replicas": 1}}, {"spec": {"replicas": 2}}, ""),
        ("core/v1:ConfigMap", {"data": {"a": "1"}}, {"data": {"a": "2"}}, "data.a"),
        ("core/v1:ConfigMap", {"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}, "metadata.name"),
        ("core/v1:Service", {"spec": {"ports": [1]}}, {"spec": {"ports": [1, 2]}}, ""),
    ],
)
def test_immutable_fields_replace_and_others_do_not(
    provider: KubernetesProvider, token: str, old: dict[str, Any], new: dict[str, Any], replacing: str
) -> None:
    changes = provider.diff(resource(token), "x", old, {}, new, [])
    assert changes.changed
    assert changes.replacing == ({replacing} if replacing else set())


def test_an_object_with_a_given_name_is_deleted_before_it_is_replaced(provider: KubernetesProvider) -> None:
    def replaced(metadata: dict[str, Any]) -> bool:
        old, new = ({"metadata": metadata, "data": {"a": value}} for value in ("1", "2"))
        return provider.diff(resource("core/v1:ConfigMap"), "x", old, {}, new, []).delete_before_replace

    assert replaced({"name": "x"})
    assert not replaced({"name": "x-1", "annotations": {"pulumi.com/autonamed": "true"}})


def test_a_mutable_config_map_is_updated_in_place(provider: KubernetesProvider) -> None:
    thing = resource("core/v1:ConfigMap", enableConfigMapMutable="true")
    assert provider.diff(thing, "x", {"data": {"a": "1"}}, {}, {"data": {"a": "2"}}, []).replacing == set()
    fixed = provider.diff(thing, "x", {"data": {"a": "1"}}, {}, {"data": {"a": "2"}, "immutable": True}, [])
    assert fixed.replacing == {"data.a"}


def replaces(provider: KubernetesProvider, old: dict[str, Any], new: dict[str, Any]) -> tuple[list[str], list[str]]:
    answer = provider.DiffConfig(provider_pb2.DiffRequest(olds=to_struct(old), news=to_struct(new)), context=None)  # pyright: ignore[reportArgumentType]  # asked only on errors
    return sorted(answer.diffs), list(answer.replaces)


def test_a_provider_is_replaced_when_its_cluster_is_another_one(provider: KubernetesProvider) -> None:
    one, other = {"kubeconfig": kubeconfig()}, {"kubeconfig": kubeconfig("https://two")}
    renamed = {"kubeconfig": kubeconfig(cluster="new-token-arguments")}
    assert replaces(provider, one, other) == (["kubeconfig"], ["kubeconfig"])
    assert replaces(provider, one, renamed) == (["kubeconfig"], [])
    assert replaces(provider, one, {"kubeconfig": UNKNOWN}) == (["kubeconfig"], ["kubeconfig"])
    assert replaces(provider, one, one) == ([], [])


def test_an_identifier_alone_decides_whether_the_cluster_is_another_one(provider: KubernetesProvider) -> None:
    one = {"kubeconfig": kubeconfig(), "clusterIdentifier": "demo"}
    assert replaces(provider, one, one | {"kubeconfig": kubeconfig("https://two")}) == (["kubeconfig"], [])
    assert replaces(provider, one, one | {"kubeconfig": UNKNOWN}) == (["kubeconfig"], [])
    assert replaces(provider, one, one | {"clusterIdentifier": "new"}) == (["clusterIdentifier"], ["clusterIdentifier"])


def test_provider_options_are_those_of_the_real_one(provider: KubernetesProvider) -> None:
    provider.check_config({**CONFIG, "enableServerSideApply": "true", "clusterIdentifier": "x", "version": "4.0.0"})
    with pytest.raises(
        InvalidInputsError, match="clusterIdentifer: no such property; did you mean 'clusterIdentifier'"
    ):
        provider.check_config({"clusterIdentifer": "x"})
    with pytest.raises(InvalidInputsError, match="renderYamlToDirectory: this option is not supported"):
        provider.check_config({"renderYamlToDirectory": "out"})


def test_the_machines_own_kubeconfig_is_never_used(
    provider: KubernetesProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", __file__)
    thing = Resource.of("urn:pulumi:test::small::kubernetes:core/v1:Namespace::x", {})
    with pytest.raises(ProviderError, match="nothing else, and that is not set"):
        provider.create(thing, {"metadata": {"name": "x"}}, preview=False)
    broken = resource("core/v1:Namespace", kubeconfig="token: hush")
    with pytest.raises(ProviderError, match="that is unreadable") as caught:
        provider.create(broken, {"metadata": {"name": "x"}}, preview=False)
    assert "hush" not in str(caught.value)


def test_an_import_and_a_refresh_read_the_live_object(provider: KubernetesProvider, clusters: KeptClusters) -> None:
    id, live = create(provider, "core/v1:ConfigMap", {"metadata": {"name": "x"}, "data": {"a": "1"}})
    thing = resource("core/v1:ConfigMap")
    imported = provider.read(thing, id, {}, {})
    inputs = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"}}
    assert imported == (id, inputs | {"metadata": {"name": "x", "namespace": "default"}}, live)
    clusters.api("demo").objects[Reference("v1", "ConfigMap", "default", "x")]["data"] = {"a": "changed", "b": "new"}
    read = provider.read(thing, id, {"data": {"a": "1"}}, live)
    assert read is not None
    assert read[1] == {"data": {"a": "changed"}}
    provider.delete(thing, id, {}, {})
    assert provider.read(thing, id, {}, {}) is None


@pytest.mark.engine
def test_an_update_leaves_ignored_fields_to_who_changed_them(
    provider: KubernetesProvider, clusters: KeptClusters
) -> None:
    token = "core/v1:ConfigMap"
    inputs = check(provider, token, {"metadata": {"name": "thing"}, "data": {"ours": "1", "theirs": "1"}})
    id, state = provider.create(resource(token), inputs, preview=False)
    reference = Reference("v1", "ConfigMap", "default", "thing")
    live = clusters.api("demo").objects[reference]
    clusters.api("demo").objects[reference] = live | {"data": {"ours": "1", "theirs": "2"}}
    sent: list[dict[str, Any]] = []
    apply = clusters.api("demo").apply
    with pytest.MonkeyPatch.context() as patched:
        note = lambda reference, wanted, **more: sent.append(wanted) or apply(reference, wanted, **more)  # noqa: E731
        patched.setattr(clusters.api("demo"), "apply", note)
        new = inputs | {"data": {"ours": "2", "theirs": "1"}}
        ignoring = replace(resource(token), ignored=("data.theirs",))
        provider.update(ignoring, id, inputs, state, new, preview=False)
        provider.update(resource(token), id, inputs, state, new, preview=False)
    assert [wanted["data"] for wanted in sent] == [{"ours": "2", "theirs": "2"}, {"ours": "2", "theirs": "1"}]


@pytest.mark.parametrize(
    ("version", "configuration", "words"),
    [
        ("3.2.0", {}, "makes no server"),
        ("3.2.0", {"provider": "aws"}, ""),
        ("12.1.0", {"provider": "aws"}, "refuses it since 4.0.0"),
        ("12.1.0", {}, ""),
    ],
)
def test_a_chart_of_velero_wants_the_values_of_its_own_version(
    provider: KubernetesProvider, version: str, configuration: dict[str, Any], words: str
) -> None:
    source = {"chart": "velero", "repositoryOpts": {"repo": "https://vmware-tanzu.github.io/helm-charts"}}
    inputs = {**source, "version": version, "values": {"configuration": configuration}}
    if words:
        assert words in failures(provider, "helm.sh/v3:Release", inputs)["values.configuration.provider"]
    else:
        assert check(provider, "helm.sh/v3:Release", inputs)


def test_the_engine_previews_creates_replaces_refreshes_and_destroys(stack: SmallStack, clusters: KeptClusters) -> None:
    def program(volume_type: str) -> None:
        options = pulumi.ResourceOptions(
            provider=k8s.Provider("cluster", kubeconfig=kubeconfig(), cluster_identifier="demo")
        )
        storage = StorageClass(
            "gp3", metadata={"name": "gp3"}, provisioner="ebs", parameters={"type": volume_type}, opts=options
        )
        space = k8s.core.v1.Namespace("apps", opts=options)
        k8s.core.v1.ConfigMap("settings", metadata={"namespace": space.metadata.name}, data={"a": "b"}, opts=options)
        pulumi.export("uid", storage.metadata.uid)
        pulumi.export("namespace", space.id)

    objects = clusters.api("demo").objects
    storage_class = Reference("storage.k8s.io/v1", "StorageClass", "", "gp3")
    assert stack.preview(lambda: program("gp2")) == {"create": 5}
    assert objects == {}
    outputs = stack.up(lambda: program("gp2"))
    assert outputs["uid"] == objects[storage_class]["metadata"]["uid"]
    assert len(objects) == 3
    assert stack.preview(lambda: program("gp2")) == {"same": 5}
    stack.up(lambda: program("gp3"))
    assert stack.changes == {"replace": 1, "same": 4}
    assert objects[storage_class]["parameters"] == {"type": "gp3"}
    del objects[storage_class]
    assert stack.refresh()["delete"] == 1
    stack.destroy()
    assert objects == {}


@pytest.mark.engine
def test_the_engine_shows_what_is_wrong_with_an_object(stack: SmallStack) -> None:
    def program() -> None:
        options = pulumi.ResourceOptions(provider=k8s.Provider("cluster", kubeconfig=kubeconfig()))
        misspelt: Any = [{"match_label_expressionz": []}]
        StorageClass("gp3", provisioner="ebs", allowed_topologies=misspelt, opts=options)

    with pytest.raises(CommandError) as caught:
        stack.up(program)
    assert "'match_label_expressionz' was unexpected" in str(caught.value)
    assert "Traceback" not in str(caught.value)
