"""Values that are fixed once they are applied, on the real engine: refused before anything is done."""

from pathlib import Path
from typing import Any

import pytest
from pulumi.automation.errors import CommandError

from eks_analytics import Network
from eks_analytics.fixed_values import another_environment
from eks_analytics.locks import behind, lock
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

REGION, ZONES = "us-east-1", ["us-east-1a", "us-east-1b"]


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), print)}, config={"aws:region": REGION})


def network(cluster_name: str = "one", confirmed: bool = False, **changes: object) -> Program:
    """As the program of a stack does it: the logical names begin with the cluster's name."""

    def program() -> None:
        fixed = {"cluster_name": cluster_name, "region": REGION}
        opts = behind(lock("environment", fixed, another_environment, confirmed=confirmed))
        args = {"cluster_name": cluster_name, "region": REGION, "availability_zones": ZONES, "nat_gateways": "single"}
        Network(cluster_name, {**args, "confirm_replacement": confirmed, **changes}, opts)  # pyright: ignore[reportArgumentType]

    return program


def made(stack: SmallStack) -> dict[str, Any]:
    return {one["urn"]: {key: one.get(key) for key in ("id", "inputs", "outputs")} for one in stack.resources()}


def test_a_changed_value_is_refused_in_preview_and_update_until_it_is_confirmed(stack: SmallStack) -> None:
    stack.up(network())
    assert stack.preview(network()).keys() == {"same"}
    before = made(stack)
    for changes, told in (
        ({"cluster_name": "two"}, ["cluster_name = 'two'", "'one'", "delete everything that it created"]),
        ({"tenancy": "dedicated"}, ["tenancy = 'dedicated'", "'default' was applied", "another VPC"]),
        ({"cidr": "10.1.0.0/16"}, ["cidr = '10.1.0.0/16'", "'10.0.0.0/16' was applied"]),
    ):
        for run in (stack.preview, stack.up):
            with pytest.raises(CommandError) as refused:
                run(network(**changes))  # pyright: ignore[reportArgumentType]
            text = str(refused.value)
            assert all(words in text for words in [*told, "confirm_replacement: true"]), text
            assert "Traceback" not in text
            assert made(stack) == before
    assert stack.preview(network(cluster_name="two", confirmed=True))["delete"] > 5
    assert stack.preview(network(cidr="10.1.0.0/16", confirmed=True))["replace"] > 0
    assert stack.preview(network()).keys() == {"same"}
