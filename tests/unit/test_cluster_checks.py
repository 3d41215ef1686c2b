"""The checks of a cluster's arguments and of its node groups, each both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics import cluster_checks as checks
from eks_analytics.node_groups import node_group_problems, plan_node_groups
from eks_analytics.problems import Problem

ZONES = ["us-east-1a", "us-east-1b"]
ROLE = "arn:aws:iam::123456789012:role/Deployer"


def group(**changes: Any) -> Any:
    return {"name": "core", "instance_types": ["m6i.xlarge"], "min_size": 2, "max_size": 4, **changes}


def of_groups(*groups: Any) -> list[Problem]:
    return list(node_group_problems(plan_node_groups(groups, ZONES), ZONES))


@pytest.mark.parametrize("name", ["analytics", "A1", "a_b-c", "x" * 100])
def test_names_that_eks_takes(name: str) -> None:
    assert not list(checks.name_problems(name))


@pytest.mark.parametrize("name", ["", "-a", "a b", "a.b", "x" * 101])
def test_names_that_eks_refuses(name: str) -> None:
    assert [problem.input for problem in checks.name_problems(name)] == ["cluster_name"]


@pytest.mark.parametrize(
    "arn",
    [
        ROLE,
        "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
        "arn:aws-us-gov:iam::123456789012:user/ada@example.com",
    ],
)
def test_roles_and_users_can_be_administrators(arn: str) -> None:
    assert not list(checks.access_problems([arn], ["198.51.100.0/24"], False))


@pytest.mark.parametrize(
    ("arns", "said"),
    [
        ([], "aws sts get-caller-identity"),
        (["arn:aws:sts::123456789012:assumed-role/Deployer/session"], "role's own ARN"),
        (["arn:aws:iam::123456789012:root"], "not the ARN of an IAM role or user"),
        (["Deployer"], "not the ARN of an IAM role or user"),
        ([ROLE, ROLE], "named twice"),
    ],
)
def test_what_cannot_be_an_administrator_comes_with_a_remedy(arns: list[str], said: str) -> None:
    (problem,) = checks.access_problems(arns, [], True)
    assert problem.input == "admin_principal_arns"
    assert said in str(problem)


@pytest.mark.parametrize(
    ("cidrs", "said"),
    [
        (["0.0.0.0/0"], "whole internet"),
        (["::/0"], "whole internet"),
        (["10.1.0.0/16"], "private range"),
        (["198.51.100.1/24"], "host bits"),
        (["office"], "198.51.100.0/24"),
        ([f"198.51.{n}.0/24" for n in range(41)], "at most 40"),
        ([], "engine_runs_inside_vpc"),
    ],
)
def test_public_endpoints_are_for_named_public_networks(cidrs: list[str], said: str) -> None:
    (problem,) = checks.access_problems([ROLE], cidrs, False)
    assert problem.input == "public_endpoint_cidrs"
    assert said in str(problem)


def test_a_private_endpoint_alone_is_enough_inside_the_vpc() -> None:
    assert not list(checks.access_problems([ROLE], [], True))


@pytest.mark.parametrize(
    ("zones", "said"),
    [
        (["us-east-1a"], "fewer than two"),
        ([], "fewer than two"),
        (["us-east-1a", "us-east-1b", "us-east-1a"], "named twice"),
        (["us-east-1a", "us-east-1f"], "no private subnet"),
    ],
)
def test_the_control_plane_needs_two_zones_of_the_network(zones: list[str], said: str) -> None:
    (problem,) = checks.zone_problems(zones, ZONES)
    assert said in str(problem)


def test_zones_of_subnets_that_are_not_known_yet_are_trusted() -> None:
    assert not list(checks.zone_problems(["us-east-1a", "us-east-1f"], None))
    assert not list(node_group_problems(plan_node_groups([group()], ["us-east-1f"]), None))


@pytest.mark.parametrize("cidr", ["172.20.0.0/16", "10.96.0.0/12", "192.168.0.0/24"])
def test_service_ranges_that_eks_takes(cidr: str) -> None:
    assert not list(checks.service_network_problems(cidr, "ipv4"))


@pytest.mark.parametrize("cidr", ["172.20.0.0/25", "10.0.0.0/8", "100.64.0.0/16", "172.20.0.1/16", "fd00::/108", ""])
def test_service_ranges_that_eks_refuses(cidr: str) -> None:
    assert [problem.input for problem in checks.service_network_problems(cidr, "ipv6")] == ["service_cidr"]


def test_there_are_two_ip_families() -> None:
    assert [problem.input for problem in checks.service_network_problems("172.20.0.0/16", "dual")] == ["ip_family"]


def test_log_problems_name_what_exists() -> None:
    problems = [str(problem) for problem in checks.log_problems(["audit", "kubelet"], 100)]
    assert len(problems) == 2
    assert "controllerManager" in problems[0]
    assert problems[1].endswith("try 90")
    assert not list(checks.log_problems(checks.LOG_TYPES, 3653))


@pytest.mark.parametrize(
    ("key", "role", "rejected"),
    [
        ("", "per-cluster", []),
        ("", "vendor-name", []),
        ("arn:aws:kms:us-east-1:123456789012:key/1234abcd", ROLE, []),
        ("alias/mine", "per-cluster", ["kms_key_arn"]),
        ("arn:aws:kms:us-east-1:123456789012:alias/mine", "per-cluster", ["kms_key_arn"]),
        ("", "AmazonEKS_EBS_CSI_DriverRole", ["ebs_csi_role"]),
    ],
)
def test_keys_and_roles_that_exist_are_named_by_arn(key: str, role: str, rejected: list[str]) -> None:
    assert [problem.input for problem in checks.identity_problems(key, role)] == rejected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"min_size": 5}, "min_size"),
        ({"desired_size": 5}, "min_size"),
        ({"desired_size": 1}, "min_size"),
        ({"min_size": -1, "desired_size": 1}, "min_size"),
        ({"max_unavailable_percentage": 0}, "percentage"),
        ({"max_unavailable_percentage": 101}, "percentage"),
        ({"disk_size_gib": 10}, "20 GiB"),
        ({"instance_types": []}, "at least one"),
        ({"instance_types": ["m6i-xlarge"]}, "m6i.xlarge"),
        ({"instance_types": ["m7g.xlarge"]}, "ARM_64"),
        ({"ami_type": "AL2023_ARM_64_STANDARD"}, "x86_64"),
        ({"ami_type": "AL2_x86_64"}, "AL2023_x86_64_STANDARD"),
        ({"capacity_type": "spot"}, "SPOT"),
        ({"name": "Core"}, "lower case"),
        ({"name": "x" * 37}, "36"),
        ({"availability_zones": ["us-east-1f"]}, "no node subnet"),
    ],
)
def test_what_aws_would_refuse_in_a_node_group_is_one_problem_with_a_remedy(changes: Any, said: str) -> None:
    (problem,) = of_groups(group(**changes))
    assert said in str(problem)


def test_an_unknown_taint_effect_is_a_problem_of_its_own() -> None:
    (problem,) = of_groups(group(), group(name="gpu", taints=[{"key": "gpu", "effect": "Never"}]))
    assert problem.input == "node_groups[gpu].taints[gpu].effect"
    assert "NoSchedule" in problem.remedy


def test_a_name_can_be_used_once() -> None:
    assert [problem.input for problem in of_groups(group(), group())] == ["node_groups"]


@pytest.mark.parametrize(
    "groups",
    [
        [],
        [group(min_size=0, desired_size=0)],
        [group(taints=[{"key": "dedicated", "effect": "NoSchedule"}])],
        [group(taints=[{"key": "dedicated", "effect": "NO_EXECUTE"}])],
    ],
)
def test_the_cluster_services_need_a_node(groups: list[Any]) -> None:
    assert ["CoreDNS" in problem.reason for problem in of_groups(*groups)] == [True]


def test_a_taint_that_only_prefers_still_hosts_the_cluster_services() -> None:
    assert not of_groups(group(taints=[{"key": "dedicated", "effect": "PreferNoSchedule"}]))


@pytest.mark.parametrize(
    "instance_type", ["m7g.large", "c6gn.xlarge", "t4g.small", "im4gn.large", "a1.large", "r8gd.metal-24xl"]
)
def test_graviton_is_told_by_the_letter_after_the_generation(instance_type: str) -> None:
    assert not of_groups(group(instance_types=[instance_type], ami_type="BOTTLEROCKET_ARM_64"))
    assert of_groups(group(instance_types=[instance_type]))


@pytest.mark.parametrize(
    "instance_type", ["m6i.large", "g5.xlarge", "g4dn.xlarge", "g6e.xlarge", "m7i-flex.large", "u-6tb1.metal"]
)
def test_a_family_called_g_is_no_graviton(instance_type: str) -> None:
    assert not of_groups(group(instance_types=[instance_type]))


@given(st.integers(), st.integers(), st.integers())
def test_sizes_are_accepted_exactly_when_they_are_in_order(low: int, wanted: int, high: int) -> None:
    problems = of_groups(group(min_size=low, desired_size=wanted, max_size=high))
    in_order = 0 <= low <= wanted <= high and high >= 1
    assert (not [problem for problem in problems if "contradict" in problem.reason]) == in_order
    assert bool([problem for problem in problems if "CoreDNS" in problem.reason]) == (wanted <= 0)


@given(st.permutations(["us-east-1a", "us-east-1b", "us-east-1c"]))
def test_the_order_of_zones_never_renames_a_group(zones: list[str]) -> None:
    plans = plan_node_groups([group(availability_zones=zones, one_group_per_zone=True)], ZONES)
    assert {plan.name: plan.zones for plan in plans} == {
        f"core-us-east-1{letter}": (f"us-east-1{letter}",) for letter in "abc"
    }
