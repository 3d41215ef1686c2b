"""What comes of node pools, judged by a real API server with Karpenter's kinds and their rules in force."""

from collections.abc import Iterator, Mapping
from typing import Any, NotRequired, get_args, get_origin, is_typeddict

import pytest

from eks_analytics.node_pool_checks import check_node_pools
from eks_analytics.node_pool_options import NodePoolArgs, NodePoolsOptions, Surroundings, node_class, node_pool
from sandbox.cloud import Cloud
from sandbox.kubernetes_api import build
from sandbox.kubernetes_api.client import KubernetesApi, RefusedError
from sandbox.kubernetes_api.clusters import Clusters
from sandbox.kubernetes_api.reference import Reference
from sandbox.providers import kubernetes_releases
from tests.unit.test_node_pool_checks import RIGHT
from tests.unit.test_node_pool_options import EVERYTHING, LEAST

AROUND = Surroundings("analytics", node_role="analytics-node")
POOLS: list[Any] = [EVERYTHING, *({**LEAST, **right} for right in RIGHT)]
NAMES = ["everything", *(" ".join(right) or "least" for right in RIGHT)]


@pytest.fixture(scope="module")
def api(cloud: Cloud) -> KubernetesApi:
    build.ensure(print)
    made = Clusters(lambda: cloud, lambda: cloud).api("demo")
    for definition in kubernetes_releases.definitions("karpenter-crd"):
        name = definition["metadata"]["name"]
        made.apply(Reference(definition["apiVersion"], definition["kind"], "", name), definition)
    return made


def judged(api: KubernetesApi, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object as the server would keep it."""
    reference = Reference(manifest["apiVersion"], manifest["kind"], "", manifest["metadata"]["name"])
    return api.apply(reference, dict(manifest), dry_run=True)


def assert_kept(sent: Any, kept: Any, where: str = "") -> None:
    """What was sent is there; beside it the server may have put defaults."""
    if isinstance(sent, Mapping):
        for key, value in sent.items():
            assert key in kept, f"{where}.{key} is gone"
            assert_kept(value, kept[key], f"{where}.{key}")
    elif isinstance(sent, list):
        assert len(sent) == len(kept), where
        for index, (one, other) in enumerate(zip(sent, kept, strict=True)):
            assert_kept(one, other, f"{where}[{index}]")
    else:
        assert sent == kept, where


@pytest.mark.parametrize("pool", POOLS, ids=NAMES)
def test_the_server_takes_what_comes_of_a_pool_that_is_taken_here(api: KubernetesApi, pool: NodePoolArgs) -> None:
    assert check_node_pools(NodePoolsOptions("analytics", [pool], has_node_role=True)) == []
    for manifest in (node_class(pool, AROUND), node_pool(pool)):
        assert_kept(manifest, judged(api, manifest))


@pytest.mark.parametrize(
    "around",
    [
        Surroundings("analytics", instance_profile="analytics-node"),
        Surroundings("analytics", node_role="analytics-node", security_group_id="sg-0a1b2c3d4e5f67890"),
        Surroundings("analytics", node_role="analytics-node", tags={"CostCenter": "42", "app": "e6data"}),
    ],
    ids=["instance_profile", "security_group_id", "tags"],
)
def test_the_server_takes_what_surrounds_a_pool(api: KubernetesApi, around: Surroundings) -> None:
    manifest = node_class(LEAST, around)
    assert_kept(manifest, judged(api, manifest))


def test_every_option_has_met_the_server() -> None:
    given = {path for pool in POOLS for path in paths_of(pool)}
    assert sorted({*fields_of(NodePoolArgs)} - given) == []


def paths_of(given: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for key, value in given.items():
        yield where + key
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, Mapping):
                yield from paths_of(inner, f"{where}{key}.")


def fields_of(kind: type, where: str = "") -> Iterator[str]:
    for name, hint in kind.__annotations__.items():
        yield where + name
        while get_origin(hint) in (NotRequired, list):
            (hint,) = get_args(hint)
        if is_typeddict(hint):
            yield from fields_of(hint, f"{where}{name}.")


@pytest.mark.parametrize(
    ("kind", "field", "value", "words"),
    [
        ("class", "instanceProfile", "analytics-node", "role"),
        ("class", "amiSelectorTerms", [{"alias": "al2023"}], "alias"),
        ("class", "tags", {"karpenter.sh/nodepool": "x"}, "karpenter.sh/nodepool"),
        ("pool", "weight", 0, "greater than or equal to 1"),
        (
            "pool",
            "disruption",
            {"consolidateAfter": "0s", "budgets": [{"nodes": "1", "schedule": "@daily"}]},
            "duration",
        ),
    ],
)
def test_the_servers_rules_are_in_force(api: KubernetesApi, kind: str, field: str, value: Any, words: str) -> None:
    manifest = node_class(LEAST, AROUND) if kind == "class" else node_pool(LEAST)
    manifest["spec"][field] = value
    with pytest.raises(RefusedError, match=f'"batch" is invalid: .*{words}'):
        judged(api, manifest)
