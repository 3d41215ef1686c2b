"""Arguments that no TypedDict has, that are missing or of another type: every component refuses them by name."""

from typing import Any

import pulumi
import pytest

import eks_analytics
from eks_analytics.arguments import argument_problems
from eks_analytics.cluster import ClusterArgs
from eks_analytics.karpenter import KarpenterArgs
from eks_analytics.network import NetworkArgs
from eks_analytics.node_pools import NodePoolsArgs

COMPONENTS = sorted(name for name in eks_analytics.__all__ if f"{name}Args" in eks_analytics.__all__)
KARPENTER = {"cluster_name": "e6", "oidc_provider_arn": pulumi.Output.from_input("arn")}


def pools(**changes: Any) -> list[str]:
    pool = {"name": "batch", "ami_alias": "al2023@v20260724", **changes}
    args = {"cluster_name": "e6", "pools": [pool], "node_role_name": "nodes"}
    return [str(problem).removeprefix("pools[0].") for problem in argument_problems(args, NodePoolsArgs)]


def test_every_public_component_is_asked() -> None:
    assert len(COMPONENTS) == 15


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_refuses_what_its_arguments_do_not_have(component: str) -> None:
    args = {"tagz": {"team": "data"}}
    with pytest.raises(
        ValueError, match=r"cannot be built as asked(.|\n)*tagz = .*there is no such argument"
    ) as raised:
        getattr(eks_analytics, component)("x", args)
    required = getattr(eks_analytics, f"{component}Args").__required_keys__
    assert all(f"  - {key} = None: is missing" in str(raised.value) for key in required)


def test_a_misspelt_restriction_is_not_dropped() -> None:
    (problem,) = argument_problems({**KARPENTER, "alowed_name_prefix": "team-"}, KarpenterArgs)
    assert str(problem).endswith("there is no such argument; did you mean allowed_name_prefix?")


@pytest.mark.parametrize("network", [{"nat_gateway": "none"}, {"tags": {"a": 1}}], ids=str)
def test_what_lies_in_arguments_is_looked_at_too(network: dict[str, Any]) -> None:
    args = {"network": {"cluster_name": "e6", "region": "us-west-2", "availability_zones": ["us-west-2a"], **network}}
    found = argument_problems({**args, "workspaces": []}, eks_analytics.E6dataArgs)
    assert [problem.input.split(".")[0] for problem in found] == ["network"]


@pytest.mark.parametrize(
    ("args", "kind"),
    [
        ({"admin_pasword": "hunter2"}, "DashInstallationArgs"),
        ({"license": {"text": "hunter2"}}, "DashInstallationArgs"),
        ({"instalation": {"license": "hunter2"}}, "DashEnterpriseArgs"),
        ({"installation": "hunter2"}, "DashEnterpriseArgs"),
    ],
    ids=["misspelt", "another type", "misspelt block", "text for a block"],
)
def test_what_may_be_a_secret_is_not_shown(args: dict[str, Any], kind: str) -> None:
    found = argument_problems(args, getattr(eks_analytics, kind))
    assert any(problem.input in args for problem in found)
    assert "hunter2" not in str([str(problem) for problem in found])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weight": "5"}, "weight = '5': is not a whole number; write 5 without quotes"),
        ({"weight": 1.5}, "weight = 1.5: is not a whole number"),
        ({"weight": True}, "weight = True: is not a whole number"),
        ({"weight": float("inf")}, "weight = inf: is not a whole number"),
        ({"disk_size_gib": 100.5}, "disk_size_gib = 100.5: is not a whole number"),
        ({"labels": {"a/b": 1}}, 'labels["a/b"] = 1: is not text; write it in quotes: "1"'),
        ({"labels": {"gpu": True}}, 'labels["gpu"] = True: is not text; write it in quotes: "true"'),
        ({"limits": {"cpu": True}}, 'limits["cpu"] = True: is not text'),
        ({"disruption_budgets": [{"nodes": 3}]}, "disruption_budgets[0].nodes = 3: is not text"),
        ({"disruption_budgets": [{}]}, "disruption_budgets[0].nodes = None: is missing"),
        ({"taints": [{"key": "gpu"}]}, "taints[0].effect = None: is missing"),
        ({"requirements": [{"key": "a"}]}, "requirements[0].operator = None: is missing"),
        ({"block_devices": [{"size_gib": 50}]}, "block_devices[0].device_name = None: is missing"),
        ({"ami_alias": None}, "ami_alias = None: is missing"),
        ({"associate_public_ip_address": "yes"}, "associate_public_ip_address = 'yes': is not true or false"),
        ({"zones": "us-west-2a"}, "zones = 'us-west-2a': is not a list"),
        ({"labels": "a=b"}, "labels = 'a=b': is not an object"),
        ({"taints": ["gpu"]}, "taints[0] = 'gpu': is not an object"),
        ({"tags": None}, "tags = None: is no value; leave it out"),
        ({"expire_after": pulumi.Output.from_input("1h")}, "expire_after = 'an output': must be text"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)
def test_another_type_is_told_by_the_arguments_name(changes: dict[str, Any], told: str) -> None:
    (problem,) = pools(**changes)
    assert problem.startswith(told)


def test_whole_floats_amounts_as_numbers_tuples_and_outputs_are_taken() -> None:
    assert pools(weight=5.0, limits={"cpu": 100, "memory": "400Gi"}, zones=("us-west-2a",)) == []
    known_later: Any = pulumi.Output.from_input("x")
    assert argument_problems({**KARPENTER, "system_node_groups": [known_later, "core"]}, KarpenterArgs) == []
    assert argument_problems({**KARPENTER, "oidc_provider_arn": None}, KarpenterArgs) == []
    subnets = {"a": "subnet-a", "b": known_later}
    problems = argument_problems({"subnet_ids_by_zone": subnets, "node_subnet_ids_by_zone": known_later}, ClusterArgs)
    assert not [problem for problem in problems if problem.input.endswith("subnet_ids_by_zone")]
    assert argument_problems({"cluster_name": "a", "region": 1, "availability_zones": []}, NetworkArgs) != []
