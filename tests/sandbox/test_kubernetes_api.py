"""The Kubernetes stand-in on a real API server: what it accepts, what it refuses, and in which words."""

import json
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as k8s
import pytest
from pulumi.automation.errors import CommandError

from environments import MakeEnvironment, wait_for
from sandbox import cloud as embedded_cloud
from sandbox import inventory
from sandbox.cloud import Cloud, CloudError
from sandbox.kubernetes_api import build
from sandbox.kubernetes_api.client import KubernetesApi, RefusedError
from sandbox.kubernetes_api.clusters import Clusters
from sandbox.kubernetes_api.reference import Reference
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.providers.protocol import InvalidInputsError, ProviderError, Resource, Values
from small_stack import SmallStack
from test_kubernetes_stand_in import kubeconfig

CRD_CHART = "oci://public.ecr.aws/karpenter/karpenter-crd"
CONFIG = {"kubeconfig": kubeconfig()}
RELEASE = "helm.sh/v3:Release"
NODE_POOL = "karpenter.sh/v1:NodePool"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    build.ensure(print)
    home = tmp_path_factory.mktemp("kubernetes")
    yield embedded_cloud.start(home)
    embedded_cloud.stop(home)


@pytest.fixture(scope="module")
def provider(cloud: Cloud) -> KubernetesProvider:
    """One cluster for all tests of this file, with Karpenter's kinds."""
    made = KubernetesProvider(lambda: cloud, clusters=Clusters(lambda: cloud, lambda: cloud))
    install(made, "karpenter-crd", CRD_CHART, "1.14.1")
    return made


@pytest.fixture(scope="module")
def api(provider: KubernetesProvider) -> KubernetesApi:
    return provider._clusters.api("demo")


def resource(token: str, name: str = "thing", timeout: float = 0.0, **config: Any) -> Resource:
    return Resource.of(f"urn:pulumi:test::small::kubernetes:{token}::{name}", {**CONFIG, **config}, timeout)


def create(provider: KubernetesProvider, token: str, inputs: Values, **config: Any) -> tuple[str, Values]:
    thing = resource(token, **config)
    return provider.create(thing, provider.check(thing, {}, inputs, b"seed"), preview=False)


def install(provider: KubernetesProvider, name: str, chart: str, version: str, **inputs: Any) -> tuple[str, Values]:
    release = {"name": name, "namespace": "kube-system", "chart": chart, "version": version, **inputs}
    return create(provider, RELEASE, release)


def node_pool(name: str, **spec: Any) -> Values:
    requirement = {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot"]}
    node_class = {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": name}
    template = {"spec": {"nodeClassRef": node_class, "requirements": [requirement]}}
    return {"metadata": {"name": name}, "spec": {"template": template, **spec}}


def refusal(provider: KubernetesProvider, token: str, inputs: Values) -> str:
    with pytest.raises(RefusedError) as caught:
        create(provider, token, inputs)
    return str(caught.value)


def test_the_server_fills_in_defaults_and_what_it_owns(provider: KubernetesProvider) -> None:
    id, live = create(provider, NODE_POOL, node_pool("defaulted"))
    assert id == "defaulted"
    assert live["spec"]["disruption"]["consolidationPolicy"] == "WhenEmptyOrUnderutilized"
    assert {"uid", "creationTimestamp", "resourceVersion", "generation"} < live["metadata"].keys()
    assert "managedFields" not in live["metadata"]


def test_a_violated_rule_is_refused_in_the_servers_own_words(provider: KubernetesProvider) -> None:
    pool = node_pool("wrong")
    pool["spec"]["template"]["spec"]["requirements"][0]["values"] = []
    said = refusal(provider, NODE_POOL, pool)
    assert said.startswith('NodePool.karpenter.sh "wrong" is invalid: spec.template.spec.requirements')
    assert "requirements with operator 'In' must have a value defined" in said


def test_a_misspelt_field_of_a_custom_kind_is_refused(provider: KubernetesProvider) -> None:
    said = refusal(provider, NODE_POOL, node_pool("wrong", disruptoin={}))
    assert 'unknown field "spec.disruptoin"' in said


def test_a_custom_kind_without_definition_is_named(provider: KubernetesProvider) -> None:
    said = refusal(provider, "example.com/v1:Thing", {"metadata": {"name": "x"}})
    assert 'no matches for kind "Thing" in version "example.com/v1"' in said


def test_an_existing_object_is_not_taken_over(provider: KubernetesProvider) -> None:
    create(provider, "core/v1:ConfigMap", {"metadata": {"name": "taken"}, "data": {"a": "1"}})
    with pytest.raises(ProviderError, match='ConfigMap "default/taken" already exists'):
        create(provider, "core/v1:ConfigMap", {"metadata": {"name": "taken"}})


def managers(api: KubernetesApi, name: str) -> set[tuple[str, str]]:
    live = api.call("GET", f"/api/v1/namespaces/default/configmaps/{name}")
    return {(entry["manager"], entry["operation"]) for entry in live["metadata"]["managedFields"]}


def test_fields_belong_to_their_creator_until_the_first_update_applies_them(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    thing, inputs = resource("core/v1:ConfigMap"), {"metadata": {"name": "owned", "namespace": "default"}}
    id, live = create(provider, "core/v1:ConfigMap", inputs | {"data": {"a": "1"}})
    assert managers(api, "owned") == {("pulumi-kubernetes", "Update")}
    after = provider.update(thing, id, {}, live, inputs | {"data": {"a": "2"}}, preview=False)
    assert after["__fieldManager"] == live["__fieldManager"]
    assert managers(api, "owned") == {(live["__fieldManager"], "Apply")}


def change_by_hand(api: KubernetesApi, name: str, manager: str, data: Values) -> None:
    path = f"/api/v1/namespaces/default/configmaps/{name}?fieldManager={manager}"
    api.call("PATCH", path, {"data": data}, "application/merge-patch+json")


def test_a_field_that_another_program_owns_is_a_conflict_unless_it_is_forced(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    thing, name = resource("core/v1:ConfigMap"), {"metadata": {"name": "shared", "namespace": "default"}}
    id, live = create(provider, "core/v1:ConfigMap", name | {"data": {"a": "1"}})
    change_by_hand(api, "shared", "an-operator", {"a": "by hand"})
    with pytest.raises(RefusedError, match=r'conflict with "an-operator" using v1: \.data\.a'):
        provider.update(thing, id, {}, live, name | {"data": {"a": "2"}}, preview=False)
    forced = {"metadata": name["metadata"] | {"annotations": {"pulumi.com/patchForce": "true"}}, "data": {"a": "2"}}
    assert provider.update(thing, id, {}, live, forced, preview=False)["data"] == {"a": "2"}


def test_an_update_takes_over_what_kubectl_set(provider: KubernetesProvider, api: KubernetesApi) -> None:
    thing, name = resource("core/v1:ConfigMap"), {"metadata": {"name": "patched", "namespace": "default"}}
    id, live = create(provider, "core/v1:ConfigMap", name | {"data": {"a": "1"}})
    change_by_hand(api, "patched", "kubectl-patch", {"a": "by hand", "b": "by hand"})
    assert provider.update(thing, id, {}, live, name | {"data": {"a": "2"}}, preview=False)["data"] == {"a": "2"}


def test_a_field_that_the_program_no_longer_sets_goes(provider: KubernetesProvider) -> None:
    name = {"metadata": {"name": "shrinking", "namespace": "default"}}
    id, live = create(provider, "core/v1:ConfigMap", name | {"data": {"a": "1", "b": "2"}})
    after = provider.update(resource("core/v1:ConfigMap"), id, {}, live, name | {"data": {"a": "1"}}, preview=False)
    assert after["data"] == {"a": "1"}
    assert after["metadata"]["uid"] == live["metadata"]["uid"]


def test_a_preview_asks_the_running_server_and_changes_nothing(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    thing, pool = resource(NODE_POOL), node_pool("planned")
    inputs = provider.check(thing, {}, pool, b"seed")
    assert provider.create(thing, inputs, preview=True) == ("", inputs)
    assert api.get(Reference("karpenter.sh/v1", "NodePool", "", "planned")) is None
    with pytest.raises(RefusedError, match="weight"):
        provider.create(thing, inputs | {"spec": inputs["spec"] | {"weight": 1000}}, preview=True)


def test_a_preview_does_not_refuse_what_waits_for_the_same_update(provider: KubernetesProvider) -> None:
    for token, namespace in (("core/v1:ConfigMap", "later"), ("example.com/v1:Thing", "default")):
        inputs = {"metadata": {"name": "x", "namespace": namespace}}
        assert provider.create(resource(token), inputs, preview=True) == ("", inputs)


def test_a_refresh_sees_what_somebody_changed_and_ignores_defaults(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    thing = resource(NODE_POOL)
    inputs = provider.check(thing, {}, node_pool("watched", weight=5), b"seed")
    id, live = provider.create(thing, inputs, preview=False)
    read = provider.read(thing, id, inputs, live)
    assert read is not None
    assert read[1] == inputs
    path = f"/apis/karpenter.sh/v1/nodepools/{id}?fieldManager=kubectl"
    api.call("PATCH", path, {"spec": {"weight": 7}}, "application/merge-patch+json")
    read = provider.read(thing, id, inputs, live)
    assert read is not None
    assert read[1]["spec"]["weight"] == 7


def test_a_secrets_text_is_no_drift(provider: KubernetesProvider) -> None:
    thing = resource("core/v1:Secret")
    inputs = provider.check(thing, {}, {"metadata": {"name": "text"}, "stringData": {"a": "hush"}}, b"seed")
    id, live = provider.create(thing, inputs, preview=False)
    read = provider.read(thing, id, inputs, live)
    assert read is not None
    assert read[1] == inputs


def test_an_object_that_is_gone_is_read_as_gone_and_deleted_without_complaint(provider: KubernetesProvider) -> None:
    for token, id in ((NODE_POOL, "never-made"), ("example.com/v1:Thing", "never-made")):
        assert provider.read(resource(token), id, {}, {}) is None
        provider.delete(resource(token), id, {}, {})


def test_a_namespace_goes_with_all_it_holds(provider: KubernetesProvider, api: KubernetesApi) -> None:
    create(provider, "core/v1:Namespace", {"metadata": {"name": "apps"}})
    create(provider, "core/v1:ConfigMap", {"metadata": {"name": "x", "namespace": "apps"}})
    provider.delete(resource("core/v1:Namespace"), "apps", {}, {})
    assert api.get(Reference("v1", "Namespace", "", "apps")) is None
    with pytest.raises(RefusedError, match='namespaces "apps" not found'):
        create(provider, "core/v1:ConfigMap", {"metadata": {"name": "x", "namespace": "apps"}})


def owned(provider: KubernetesProvider, owner: str) -> Reference:
    """A NodePool with a NodeClaim that a controller still works on, as Karpenter's are."""
    _, pool = create(provider, NODE_POOL, node_pool(owner))
    reference = {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "name": owner, "uid": pool["metadata"]["uid"]}
    metadata = {"name": owner, "ownerReferences": [reference | {"blockOwnerDeletion": True}]}
    spec = pool["spec"]["template"]["spec"]
    claim = {"metadata": metadata | {"finalizers": ["karpenter.sh/termination"]}, "spec": spec}
    create(provider, "karpenter.sh/v1:NodeClaim", claim)
    return Reference("karpenter.sh/v1", "NodeClaim", "", owner)


def release(api: KubernetesApi, claim: Reference) -> None:
    path = f"/apis/karpenter.sh/v1/nodeclaims/{claim.name}"
    api.call("PATCH", path, {"metadata": {"finalizers": None}}, "application/merge-patch+json")


def test_a_deletion_waits_for_what_depends_on_the_object(provider: KubernetesProvider, api: KubernetesApi) -> None:
    claim = owned(provider, "waiting")
    deletion = threading.Thread(target=provider.delete, args=(resource(NODE_POOL), "waiting", {}, {}))
    deletion.start()
    deadline = time.monotonic() + 60
    while "deletionTimestamp" not in (api.get(claim) or {"metadata": {"deletionTimestamp": ""}})["metadata"]:
        assert time.monotonic() < deadline, "the dependent object is not deleted"
        time.sleep(0.1)
    assert deletion.is_alive()
    release(api, claim)
    deletion.join(timeout=60)
    assert not deletion.is_alive()
    assert api.get(claim) is None


def test_a_deletion_ends_with_its_timeout_and_says_what_it_waits_for(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    claim = owned(provider, "stuck")
    with pytest.raises(ProviderError, match=r'NodePool "stuck" is not gone after 1 s: it waits for foregroundDeletion'):
        provider.delete(resource(NODE_POOL, timeout=1), "stuck", {}, {})
    release(api, claim)


def test_a_deletion_in_the_background_waits_for_the_object_alone(
    provider: KubernetesProvider, api: KubernetesApi
) -> None:
    claim = owned(provider, "left-behind")
    annotations = {"pulumi.com/deletionPropagationPolicy": "background"}
    provider.delete(resource(NODE_POOL, timeout=5), "left-behind", {"metadata": {"annotations": annotations}}, {})
    assert api.get(claim) is not None
    release(api, claim)


# Helm releases


def wrong(provider: KubernetesProvider, **inputs: Any) -> dict[str, str]:
    release = {"chart": CRD_CHART, "version": "1.14.1", **inputs}
    with pytest.raises(InvalidInputsError) as caught:
        provider.check(resource(RELEASE), {}, {key: value for key, value in release.items() if value}, b"seed")
    return dict(caught.value.failures)


KARPENTER = {"chart": "oci://public.ecr.aws/karpenter/karpenter"}
CONTROLLER: dict[str, Any] = {
    "chart": "aws-load-balancer-controller",
    "version": "3.5.0",
    "repositoryOpts": {"repo": "https://aws.github.io/eks-charts"},
}


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({"chart": "oci://public.ecr.aws/karpenter/karpentr"}, "chart", "did you mean 'karpenter'"),
        ({"chart": "nginx"}, "chart", "the embedded cloud knows aws-load-balancer-controller, karpenter"),
        ({"chart": "karpenter-crd"}, "chart", "write 'oci://public.ecr.aws/karpenter/karpenter-crd'"),
        ({"chart": "velero"}, "repositoryOpts.repo", "write 'https://vmware-tanzu.github.io/helm-charts'"),
        ({"chart": "vmware-tanzu/velero"}, "chart", "write 'velero'"),
        ({"repositoryOpts": {"repo": "https://example.com"}}, "repositoryOpts.repo", "leave it out"),
        ({"version": ""}, "version", "'nothing' pins no version"),
        ({"version": "~1.14"}, "version", "'~1.14' pins no version"),
        ({"skipCrd": True}, "skipCrd", "did you mean 'skipCrds'"),
        (KARPENTER, "values.settings.clusterName", "is required by the chart karpenter"),
        (KARPENTER | {"values": {"settings": "demo"}}, "values.settings", "'demo' is not an object"),
        (
            KARPENTER | {"values": {"settings": {"clusterName": "x", "isolatedVPC": "false"}}},
            "values.settings.isolatedVPC",
            "'false' is not true or false",
        ),
        (
            KARPENTER | {"values": {"settings": {"clustername": "x"}}},
            "values.settings.clustername",
            "did you mean 'clusterName'",
        ),
        (KARPENTER | {"values": {"replicas": [2]}}, "values.replicas", "[2] is not a number"),
        (CONTROLLER | {"values": {"clusterName": "x", "vpcId": ["a"]}}, "values.vpcId", "['a'] is not a text"),
        (CONTROLLER | {"values": {"clusterName": "x", "enableWaf": 1}}, "values.enableWaf", "1 is not true or false"),
    ],
)
def test_a_release_that_cannot_be_right_is_refused(
    provider: KubernetesProvider, inputs: Values, path: str, reason: str
) -> None:
    assert reason in wrong(provider, **inputs)[path]


def test_a_release_is_recorded_with_what_it_was_given(provider: KubernetesProvider, cloud: Cloud) -> None:
    values = {"clusterName": "demo", "region": "us-east-1", "vpcId": "vpc-1", "someNewerValue": True}
    id, state = install(provider, "controller", **CONTROLLER, values=values)
    assert id == "kube-system/controller"
    assert state["status"] == {
        "chart": "aws-load-balancer-controller",
        "name": "controller",
        "namespace": "kube-system",
        "version": "3.5.0",
        "revision": 1,
        "status": "deployed",
    }
    kept = cloud.store(embedded_cloud.RELEASES).get("demo/kube-system/controller")
    assert kept == state
    assert kept["values"] == values
    with pytest.raises(ProviderError, match="cannot re-use a name that is still in use"):
        install(provider, "controller", **CONTROLLER, values=values)
    thing = resource(RELEASE)
    inputs = {key: value for key, value in state.items() if key != "status"}
    changed = inputs | {"values": values | {"replicaCount": 3}}
    assert provider.diff(thing, id, inputs, state, changed, []).changed == {"values.replicaCount": "add"}
    assert provider.diff(thing, id, inputs, state, inputs | {"name": "other"}, []).replacing == {"name"}
    assert provider.update(thing, id, inputs, state, changed, preview=False)["status"]["revision"] == 2
    provider.delete(thing, id, inputs, state)
    assert provider.read(thing, id, inputs, state) is None


def test_a_release_needs_its_namespace_or_makes_it(provider: KubernetesProvider, api: KubernetesApi) -> None:
    chart: dict[str, Any] = {
        "chart": "velero",
        "version": "12.1.0",
        "repositoryOpts": {"repo": "https://vmware-tanzu.github.io/helm-charts"},
        "namespace": "velero",
    }
    with pytest.raises(RuntimeError, match='namespaces "velero" not found'):
        install(provider, "velero", **chart)
    id, state = install(provider, "velero", **chart, createNamespace=True)
    backup = {"metadata": {"name": "first", "namespace": "velero"}, "spec": {"ttl": "720h0m0s"}}
    assert create(provider, "velero.io/v1:Backup", backup)[0] == "velero/first"
    provider.delete(resource(RELEASE), id, state, state)
    assert api.namespaced("velero.io/v1", "Backup"), "Helm keeps what a chart's folder crds/ brought"


def test_the_crds_of_a_chart_go_with_its_release_unless_it_keeps_them(cloud: Cloud) -> None:
    provider = KubernetesProvider(lambda: cloud)
    config = {"kubeconfig": kubeconfig(cluster="second")}
    thing = resource(RELEASE, **config)
    keep = {"additionalAnnotations": {"helm.sh/resource-policy": "keep"}}

    def install(**inputs: Any) -> tuple[str, Values]:
        given = {"name": "crds", "namespace": "kube-system", "chart": CRD_CHART, "version": "1.14.1", **inputs}
        return provider.create(thing, provider.check(thing, {}, given, b"seed"), preview=False)

    api = provider._clusters.api("second")
    id, state = install(values=keep)
    provider.delete(thing, id, state, state)
    assert len(api.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")) == 4
    id, state = install()
    provider.delete(thing, id, state, state)
    assert api.list("apiextensions.k8s.io/v1", "CustomResourceDefinition") == []


def test_a_deleted_cluster_is_unreachable_and_its_successor_empty(cloud: Cloud) -> None:
    eks = cloud.client("eks", "us-east-1")
    cluster: dict[str, Any] = {"name": "short-lived", "roleArn": "arn:aws:iam::123456789012:role/eks"}
    cluster["resourcesVpcConfig"] = {"subnetIds": ["subnet-1"]}
    provider, token = KubernetesProvider(lambda: cloud), "core/v1:ConfigMap"
    named, config = {"metadata": {"name": "x"}}, {"kubeconfig": kubeconfig(cluster="short-lived")}
    first = eks.create_cluster(**cluster)["cluster"]["certificateAuthority"]
    create(provider, token, named, **config)
    eks.delete_cluster(name="short-lived")
    with pytest.raises(CloudError, match="cluster is unreachable: cluster short-lived was deleted"):
        provider.delete(resource(token, **config), "default/x", {}, {})
    found = inventory.inventory(cloud, "us-east-1")
    assert found["kubernetes:v1:ConfigMap (when its cluster was deleted)"] == ["short-lived: default/x"]
    assert eks.create_cluster(**cluster)["cluster"]["certificateAuthority"] != first
    create(provider, token, named, **config)
    eks.delete_cluster(name="short-lived")


# The engine, the processes, the command line


def test_a_second_update_changes_nothing_and_destroying_leaves_nothing(
    provider: KubernetesProvider, api: KubernetesApi, tmp_path: Path
) -> None:
    before = api.made_by_people()

    def program() -> None:
        options = pulumi.ResourceOptions(provider=k8s.Provider("cluster", kubeconfig=kubeconfig()))
        space = k8s.core.v1.Namespace("space", opts=options)
        crds = k8s.helm.v3.Release(
            "second-crds",
            chart=CRD_CHART,
            version="1.14.1",
            namespace=space.metadata.name,
            values={"additionalAnnotations": {"helm.sh/resource-policy": "keep"}},
            opts=options,
        )
        given = node_pool("engine")
        pool = k8s.apiextensions.CustomResource(
            "engine",
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata=given["metadata"],
            spec=given["spec"],
            opts=pulumi.ResourceOptions.merge(options, pulumi.ResourceOptions(depends_on=[crds])),
        )
        pulumi.export("uid", pool.metadata["uid"])

    stack = SmallStack(tmp_path, {"kubernetes": provider})
    first = stack.up(program)
    assert stack.preview(program) == {"same": 5}
    assert stack.up(program) == first
    assert stack.changes == {"same": 5}
    assert set(stack.refresh()) == {"same"}
    stack.destroy()
    assert api.made_by_people() == before


def test_the_engine_shows_the_servers_words_and_nothing_else(provider: KubernetesProvider, tmp_path: Path) -> None:
    def program() -> None:
        options = pulumi.ResourceOptions(provider=k8s.Provider("cluster", kubeconfig=kubeconfig()))
        given = node_pool("broken", weight=1000)
        k8s.apiextensions.CustomResource(
            "broken",
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata=given["metadata"],
            spec=given["spec"],
            opts=options,
        )

    with pytest.raises(CommandError) as caught:
        SmallStack(tmp_path, {"kubernetes": provider}).up(program)
    assert 'NodePool.karpenter.sh "broken" is invalid: spec.weight' in str(caught.value)
    assert "Traceback" not in str(caught.value)


def processes_in(folder: str) -> dict[str, int]:
    """What runs in a folder, by the name of the program."""
    found: dict[str, int] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if os.readlink(process / "cwd") == folder:
                    found[(process / "comm").read_text().strip()] = int(process.name)
            except OSError:
                continue
    return found


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="looks for processes in /proc")
def test_a_program_that_dies_is_revived_and_none_outlives_the_cloud(tmp_path: Path) -> None:
    cloud = embedded_cloud.start(tmp_path)
    api = Clusters(lambda: cloud).api("revived")
    reference = Reference("v1", "ConfigMap", "default", "kept")
    api.apply(reference, {"data": {"a": "1"}})
    folder = cloud.ask("kubernetes_running")["revived"]["folder"]
    os.kill(processes_in(folder)["kube-apiserver"], 9)
    deadline = time.monotonic() + 60
    while True:
        try:
            assert api.get(reference)
            break
        except RuntimeError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    os.kill(embedded_cloud.record(tmp_path)["pid"], 9)
    deadline = time.monotonic() + 10
    while processes_in(folder):
        assert time.monotonic() < deadline, processes_in(folder)
        time.sleep(0.05)


def test_the_stack_has_a_real_authority_and_the_shell_a_working_kubectl(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    dev.run("up", "--yes")
    cluster = dev.client("eks").describe_cluster(name=dev["cluster_name"])["cluster"]
    folder = Path(dev.cloud().ask("kubernetes_running")[dev["cluster_name"]]["folder"])
    admin = json.loads((folder / "kubeconfig").read_text())["clusters"][0]["cluster"]
    assert cluster["certificateAuthority"]["data"] == admin["certificate-authority-data"]
    shown = dev.run("shell", "--command", "kubectl get storageclasses -o name").output
    assert "storageclass.storage.k8s.io/gp3" in shown
    assert "Nodes never start here, so pods stay Pending" in shown
    vpcs = dev.run("shell", "--command", "aws ec2 describe-vpcs; echo $AWS_PROFILE $MAKEFLAGS $COMMAND").output
    assert f"aws asks the emulated account in {dev.config['aws:region']}" in vpcs
    assert dev["network"]["cidr"] in vpcs
    cache = (
        dev.home / "kubernetes" / "kubectl-cache"
    )  # of kinds; what lies in it, kubectl writes as the user's shell asks
    kept = [dev.home, cache, *(path for path in dev.home.rglob("*") if not path.is_relative_to(cache))]
    assert [path for path in kept if path.lstat().st_mode & 0o077] == []
    command = [*dev.command("shell"), "--command", "echo open; cat"]
    with subprocess.Popen(command, cwd=dev.project, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as open_:
        wait_for(open_, "open")
        assert embedded_cloud.is_kept_from_idling(dev.home)
    assert "storage.k8s.io/v1:StorageClass" in dev.run("inventory").output
    subprocess.run(
        [*dev.command("shell"), "--command", "kubectl create configmap forgotten"], cwd=dev.project, check=True
    )
    output = dev.run("down", "--yes").output
    assert "ConfigMap (when its cluster was deleted)" in output
    assert "default/forgotten" in output
    assert "StorageClass" not in output.partition("Destroyed:")[2]
    assert embedded_cloud.running(dev.home) is None
    refused = dev.run("shell", "--command", "kubectl get nodes", code=1).output
    assert "the embedded cloud of stack dev is not running: make up STACK=dev starts it" in refused
