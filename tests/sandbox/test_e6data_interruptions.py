"""Updates of e6data that fail or are interrupted on their way into the cluster, and are taken up again."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import Environment, MakeEnvironment, interrupt, wait_for
from sandbox import inventory
from sandbox.kubernetes_api.client import KubernetesApi

POOL = ("karpenter.sh/v1", "NodePool")
CLUSTER = "e6data-dev"


def pools(stack: Environment) -> set[str]:
    address = stack.cloud().ask("kubernetes_running")[CLUSTER]
    listed = KubernetesApi(address["url"], Path(address["folder"])).list(*POOL)
    return {one["metadata"]["name"] for one in listed}


@pytest.fixture(scope="module")
def stack(environment: MakeEnvironment) -> Iterator[Environment]:
    return environment("e6data")


def test_what_fails_on_the_way_into_the_cluster_is_shown_and_made_by_the_next_update(stack: Environment) -> None:
    failed = stack.run("up", "--fail", "helm:Install:2", code=1)
    assert "helm:Install: injected failure" in failed.output
    failed = stack.run("up", "--fail", "kubernetes:ApplyNodePool:2", code=1)
    assert "kubernetes:ApplyNodePool: injected failure" in failed.output
    assert len(pools(stack)) == 1
    stack.run("up")
    assert pools(stack) == {"e6data-analytics", "e6data-reporting"}
    assert "unchanged: 0 changes" in stack.run("up").output


@pytest.mark.thorough
def test_an_upgrade_that_fails_is_done_by_the_next_update(stack: Environment) -> None:
    stack["e6data"]["workspaces"][0]["cpu_limit"] = 64
    failed = stack.run("up", "--fail", "kubernetes:ApplyNodePool", code=1)
    assert "Update failed" in failed.output
    assert stack.run("up").counts()["updated"] == 1


def test_what_a_kill_left_out_of_the_state_is_found_in_the_cluster_again(stack: Environment) -> None:
    stack.run("up")
    file = stack.home / "state" / ".pulumi" / "stacks" / "eks-analytics" / "e6data.json"
    state = json.loads(file.read_text())
    latest = state["checkpoint"]["latest"]
    ends = ("NodePool::e6data-dev-e6data-analytics", "Release::e6data-dev-load-balancers")
    lost = [one for one in latest["resources"] if one["urn"].endswith(ends)]
    urns = {one["urn"] for one in lost}
    assert len(urns) == 2
    latest["resources"] = [one for one in latest["resources"] if one not in lost]
    for one in latest["resources"]:  # nothing can have been made that waits for them
        one["dependencies"] = [urn for urn in one.get("dependencies", []) if urn not in urns]
        waits = one.get("propertyDependencies") or {}
        one["propertyDependencies"] = {key: [urn for urn in on or [] if urn not in urns] for key, on in waits.items()}
    # As the engine writes it before a creation ends.
    begun = [{key: value for key, value in one.items() if key not in ("id", "outputs")} for one in lost]
    latest["pending_operations"] = [{"resource": one, "type": "creating"} for one in begun]
    file.write_text(json.dumps(state))
    recovered = stack.run("up").output
    assert "NodePool e6data-dev-e6data-analytics: found as e6data-analytics, taken" in recovered
    assert "Release e6data-dev-load-balancers: found as kube-system/" in recovered
    assert "unchanged: 0 changes" in recovered


def test_a_destroy_that_fails_stops_before_the_network_and_is_taken_up_again(stack: Environment) -> None:
    failed = stack.run("down", "--yes", "--fail", "kubernetes:DeleteNodePool:2", code=1)
    assert "kubernetes:DeleteNodePool: injected failure" in failed.output
    assert len(pools(stack)) == 1
    failed = stack.run("down", "--yes", "--fail", "command:Delete", code=1)
    assert "command:Delete: injected failure" in failed.output
    assert stack.client("ec2").describe_nat_gateways()["NatGateways"]
    cloud, region = stack.cloud(), stack.config["aws:region"]
    assert any(inventory.inventory(cloud, region).values())
    stack.run("down", "--yes")


@pytest.mark.thorough
def test_an_update_that_is_interrupted_within_the_cluster_is_resumed(stack: Environment) -> None:
    stack.variables["SANDBOX_LATENCY"] = "0.004"
    process = stack.start("up")
    seen = wait_for(process, r"Release .*created")
    rest = interrupt(process, signal.SIGINT)
    assert process.returncode == 130, seen + rest
    assert "Traceback" not in rest
    stack.variables.clear()
    stack.run("up")
    assert pools(stack) == {"e6data-analytics", "e6data-reporting"}
    assert "unchanged: 0 changes" in stack.run("up").output
