"""The checks of a cluster's arguments and of its node groups, each both ways."""

from datetime import date
from typing import Any

import pytest
from botocore.loaders import Loader
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics import cluster_checks as checks
from eks_analytics.cluster_checks import ClusterOptions, check_cluster, cluster_warnings
from eks_analytics.node_group_options import AMI_TYPES, node_group_problems, plan_node_groups
from eks_analytics.principals import principal_fault
from eks_analytics.problems import Problem

ZONES = ["us-east-1a", "us-east-1b"]
ROLE = "arn:aws:iam::123456789012:role/Deployer"
SSO = "AWSReservedSSO_Admin_0123456789abcdef"


def group(**changes: Any) -> Any:
    return {"name": "core", "instance_types": ["m6i.xlarge"], "min_size": 2, "max_size": 4, **changes}


def of_groups(*groups: Any) -> list[Problem]:
    return list(node_group_problems(groups, ZONES, ZONES))


def options(**changes: Any) -> ClusterOptions:
    """Small good options, with changes."""
    good: dict[str, Any] = {
        "cluster_name": "analytics",
        "region": "us-east-1",
        "account_id": "123456789012",
        "admin_principal_arns": [ROLE],
        "node_groups": [group()],
        "control_plane_zones": ZONES,
        "zones_with_subnets": ZONES,
        "zones_with_node_subnets": ZONES,
        "public_endpoint_cidrs": ["198.51.100.0/24"],
    }
    return ClusterOptions(**{**good, **changes})


def faults(**changes: Any) -> dict[str, str]:
    """What `check_cluster` says of the good options with changes, by input."""
    return {problem.input: str(problem) for problem in check_cluster(options(**changes))}


def test_good_options_have_no_problem_and_no_warning() -> None:
    assert faults() == {}
    assert cluster_warnings(options(), date(2026, 11, 1)) == []


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
        f"arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/{SSO}",
        "arn:aws:iam::123456789012:role/teams/AWSReserved",
        "arn:aws:iam::123456789012:user/ada@example.com",
    ],
)
def test_roles_and_users_can_be_administrators(arn: str) -> None:
    assert faults(admin_principal_arns=[arn]) == {}


@pytest.mark.parametrize(
    ("arns", "at", "said"),
    [
        ([], "", "aws sts get-caller-identity"),
        (
            [ROLE, "arn:aws:sts::123456789012:assumed-role/Deployer/session"],
            "[1]",
            'write "arn:aws:iam::123456789012:role/Deployer"',
        ),
        (["arn:aws:iam::123456789012:root"], "[0]", "root user"),
        ([f"arn:aws:iam::123456789012:role/{SSO}"], "[0]", f"role/aws-reserved/sso.amazonaws.com/<region>/{SSO}"),
        ([f"arn:aws:iam::123456789012:role/admins/{SSO}"], "[0]", "without its path"),
        (
            [f"arn:aws:sts::123456789012:assumed-role/{SSO}/ada"],
            "[0]",
            f"aws-reserved/sso.amazonaws.com/<region>/{SSO}",
        ),
        (["Deployer"], "[0]", "not the ARN of an IAM role or user"),
        (["arn:aws-us-gov:iam::123456789012:user/ada"], "[0]", "partition"),
        ([ROLE, ROLE], "", "more than once"),
    ],
)
def test_what_cannot_be_an_administrator_comes_with_a_remedy(arns: list[str], at: str, said: str) -> None:
    ((name, problem),) = faults(admin_principal_arns=arns).items()
    assert name == f"admin_principal_arns{at}"
    assert said in problem


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso-f", "aws-eusc"])
def test_a_role_of_identity_center_has_its_path_in_every_partition(partition: str) -> None:
    account = f"arn:{partition}:iam::123456789012:role"
    assert principal_fault(f"{account}/aws-reserved/sso.amazonaws.com/cn-north-1/{SSO}") is None
    reason, remedy = principal_fault(f"{account}/{SSO}") or ("", "")
    assert "without its path" in reason
    assert f'"{account}/aws-reserved/sso.amazonaws.com/<region>/{SSO}"' in remedy
    assert faults(ebs_csi_role=f"arn:aws:iam::123456789012:role/{SSO}").keys() == {"ebs_csi_role"}


@pytest.mark.parametrize(
    ("cidrs", "said"),
    [
        (["0.0.0.0/0"], "whole internet"),
        (["0.0.0.0/1"], "whole internet"),
        (["::/0"], "whole internet"),
        (["2000::/3"], "whole internet"),
        (["10.1.0.0/16"], "private networks"),
        (["100.64.0.0/10"], "private networks"),
        (["fd12::/32"], "private networks"),
        (["127.0.0.1/32"], "nobody comes"),
        (["169.254.0.0/16"], "nobody comes"),
        (["224.0.0.0/8"], "nobody comes"),
        (["0.0.0.0/32"], "nobody comes"),
        (["2001:db8::/32"], "no IPv6 address"),
        (["198.51.100.1/24"], "198.51.100.0/24"),
        (["198.51.100.1"], "198.51.100.1/32"),
        (["office"], "203.0.113.0/24"),
        (["198.51.100.0/24", "198.51.100.0/24"], "more than once"),
        ([f"198.51.{n}.0/24" for n in range(41)], "at most 40"),
        ([], "engine_runs_inside_vpc"),
    ],
)
def test_public_endpoints_are_for_named_public_networks(cidrs: list[str], said: str) -> None:
    ((name, problem),) = faults(public_endpoint_cidrs=cidrs).items()
    assert name.removesuffix("[0]") == "public_endpoint_cidrs"
    assert said in problem


@pytest.mark.parametrize(
    "cidr", ["0.0.0.0/0", "0.0.0.0/1", "::/0", "fc00::/7", "10.0.0.1/8", "10.0.0.0", "127.0.0.0/8"]
)
def test_private_endpoints_are_for_named_networks_too(cidr: str) -> None:
    assert list(faults(private_endpoint_cidrs=[cidr])) == ["private_endpoint_cidrs[0]"]


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "10.30.0.0/16", "100.64.0.0/10", "192.168.1.7/32", "198.51.100.0/24"])
def test_private_endpoints_take_the_networks_that_reach_a_vpc(cidr: str) -> None:
    assert faults(private_endpoint_cidrs=[cidr]) == {}


def test_ipv6_networks_reach_the_endpoints_of_ipv6_clusters() -> None:
    addresses = {"public_endpoint_cidrs": ["2001:db8::/32"], "private_endpoint_cidrs": ["fd00::/8"]}
    assert faults(ip_family="ipv6", **addresses) == {}
    assert set(faults(**addresses)) == {"public_endpoint_cidrs[0]", "private_endpoint_cidrs[0]"}


def test_a_private_endpoint_alone_is_accepted_with_a_warning_until_somebody_may_reach_it() -> None:
    inside: dict[str, Any] = {"public_endpoint_cidrs": [], "engine_runs_inside_vpc": True}
    assert faults(**inside) == {}
    (warning,) = cluster_warnings(options(**inside), date(2026, 11, 1))
    assert "private_endpoint_cidrs" in warning
    assert cluster_warnings(options(**inside, private_endpoint_cidrs=["10.0.0.0/16"]), date(2026, 11, 1)) == []


def test_a_misspelt_instance_type_of_a_node_group_is_warned_of_with_the_nearest() -> None:
    misspelt = options(node_groups=[group(instance_types=["m6i.2xlarg", "m5.large"])])
    assert check_cluster(misspelt) == []
    (warning,) = cluster_warnings(misspelt, date(2026, 11, 1))
    assert "node group core: m6i.2xlarg is not among the machines known here (did you mean m6i.2xlarge" in warning


def test_what_lies_elsewhere_is_refused_where_it_could_not_work_and_warned_of_where_it_may_be_meant() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd"
    assert "keys of its own region" in faults(kms_key_arn=key)["kms_key_arn"]
    other = "arn:aws:iam::210987654321:role/storage"
    assert "another account" in faults(ebs_csi_role=other)["ebs_csi_role"]
    elsewhere = options(
        admin_principal_arns=[ROLE, other], kms_key_arn="arn:aws:kms:us-east-1:210987654321:key/1234abcd"
    )
    assert check_cluster(elsewhere) == []
    warnings = cluster_warnings(elsewhere, date(2026, 11, 1))
    assert [warning.split(":")[0] for warning in warnings] == ["admin_principal_arns", "kms_key_arn"]


def test_what_is_looked_up_later_is_not_judged() -> None:
    unknown = options(region="", account_id="", ebs_csi_role="arn:aws-cn:iam::210987654321:role/storage")
    assert check_cluster(unknown) == []


@pytest.mark.parametrize(
    ("zones", "said"),
    [
        (["us-east-1a"], "fewer than two"),
        ([], "fewer than two"),
        (["us-east-1a", "us-east-1b", "us-east-1a"], "more than once"),
        (["us-east-1a", "us-east-1f"], "no private subnet"),
    ],
)
def test_the_control_plane_needs_two_zones_of_the_network(zones: list[str], said: str) -> None:
    (problem,) = checks.zone_problems(zones, ZONES)
    assert said in str(problem)


def test_zones_of_subnets_that_are_not_known_yet_are_trusted() -> None:
    assert not list(checks.zone_problems(["us-east-1a", "us-east-1f"], None))
    assert not list(node_group_problems([group()], ["us-east-1f"], None))


@pytest.mark.parametrize("cidr", ["172.20.0.0/16", "10.96.0.0/12", "192.168.0.0/24"])
def test_service_ranges_that_eks_takes(cidr: str) -> None:
    assert not list(checks.service_network_problems(cidr, "ipv4"))


@pytest.mark.parametrize(
    "cidr",
    ["172.20.0.0/25", "10.0.0.0/8", "100.64.0.0/16", "172.20.0.1/16", "fd00::/108", "172.20.0.0/255.255.0.0", ""],
)
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
        ({"desired_size": 5}, "max_size 4"),
        ({"desired_size": 1}, "min_size 2"),
        ({"min_size": -1, "desired_size": 1}, "min_size"),
        ({"max_unavailable_percentage": 0}, "percentage"),
        ({"max_unavailable_percentage": 101}, "percentage"),
        ({"disk_size_gib": 10}, "20 GiB"),
        ({"disk_size_gib": 16385}, "16384"),
        ({"instance_types": []}, "at least one"),
        ({"instance_types": ["m6i-xlarge"]}, "m6i.2xlarge"),
        ({"instance_types": ["m6i.xlarge", "m6i.xlarge"]}, "more than once"),
        ({"instance_types": [f"m6i.{n}xlarge" for n in range(21)]}, "at most 20"),
        ({"instance_types": ["mac2.metal"]}, "Linux"),
        ({"instance_types": ["m7g.xlarge"]}, "ARM_64"),
        ({"ami_type": "AL2023_ARM_64_STANDARD"}, "x86_64"),
        ({"ami_type": "AL2_x86_64"}, "AL2023_x86_64_STANDARD"),
        ({"capacity_type": "spot"}, "SPOT"),
        ({"name": "Core"}, "lower-case"),
        ({"name": "x" * 37}, "36 characters"),
        ({"name": "x" * 30, "one_group_per_zone": True}, "25 characters"),
        ({"labels": {"": "x"}}, "not a Kubernetes key"),
        ({"labels": {"kubernetes.io/role": "x"}}, "never join"),
        ({"labels": {"eks.amazonaws.com/x": "x"}}, "belongs to EKS"),
        ({"labels": {"workload": ""}}, "without a value"),
        ({"labels": {"workload": "a b"}}, "label's value"),
        ({"taints": [{"key": "a", "value": "-", "effect": "PreferNoSchedule"}]}, "taints[0].value"),
        ({"availability_zones": ["us-east-1f"]}, "no node subnet"),
    ],
)
def test_what_aws_would_refuse_in_a_node_group_is_one_problem_with_a_remedy(changes: Any, said: str) -> None:
    (problem,) = of_groups(group(**changes))
    assert said in str(problem)


def test_an_unknown_taint_effect_is_a_problem_of_its_own() -> None:
    (problem,) = of_groups(group(), group(name="gpu", taints=[{"key": "gpu", "effect": "Never"}]))
    assert problem.input == "node_groups[1].taints[0].effect"
    assert "NoSchedule" in problem.remedy


def test_a_name_can_be_used_once() -> None:
    assert [problem.input for problem in of_groups(group(), group())] == ["node_groups[1].name"]
    by_zone = group(one_group_per_zone=True)
    assert [problem.input for problem in of_groups(by_zone, group(name="core-us-east-1b"))] == ["node_groups[1].name"]
    several = group(instance_types=["m6i.large", "m5.large"])
    assert [problem.input for problem in of_groups(several, group(name="core-mixed"))] == ["node_groups[1].name"]


@pytest.mark.parametrize(
    "key", ["node-role.kubernetes.io/infra", "k8s.io/team", "eks.amazonaws.com/spare", "node.kubernetes.io/x", "gpu"]
)
def test_taints_take_keys_of_kubernetes_itself(key: str) -> None:
    assert not of_groups(group(), group(name="extra", taints=[{"key": key, "effect": "NO_SCHEDULE"}]))


@pytest.mark.parametrize("key", ["-x", "a b", "Example.com/x", "example.com/", "x" * 64])
def test_taints_take_no_keys_of_another_form(key: str) -> None:
    found = of_groups(group(), group(name="extra", taints=[{"key": key, "effect": "NO_SCHEDULE"}]))
    assert [problem.input for problem in found] == ["node_groups[1].taints[0].key"]


@pytest.mark.parametrize(
    ("key", "taken"),
    [
        ("node.kubernetes.io/x", True),
        ("team.node.kubernetes.io/x", True),
        ("kubelet.kubernetes.io/x", True),
        ("topology.kubernetes.io/zone", True),
        ("kubernetes.io/os", True),
        ("kubernetes.io/team", False),
        ("node-role.kubernetes.io/infra", False),
        ("team.k8s.io/x", False),
    ],
)
def test_labels_of_kubernetes_are_those_that_a_kubelet_may_give_itself(key: str, taken: bool) -> None:
    assert (not of_groups(group(labels={key: "x"}))) == taken


def test_taints_may_have_no_value_and_one_effect_each() -> None:
    taints = [{"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoExecute"}]
    assert not of_groups(group(), group(name="extra", taints=taints))
    twice = [*taints, {"key": "a", "effect": "NO_SCHEDULE"}]
    assert [problem.input for problem in of_groups(group(), group(name="extra", taints=twice))] == [
        "node_groups[1].taints[2]"
    ]


@pytest.mark.parametrize("changes", [{"ip_family": "ipv6"}, {"vpc_cni_prefix_delegation": True}])
@pytest.mark.parametrize("xen", ["m4.large", "c4.large", "r4.large", "t2.medium", "i3.large", "x1e.xlarge"])
def test_address_prefixes_need_nitro_instances(changes: Any, xen: str) -> None:
    assert list(faults(node_groups=[group(instance_types=[xen])])) == []
    assert "Nitro" in faults(node_groups=[group(instance_types=[xen])], **changes)["node_groups[0].instance_types[0]"]


@pytest.mark.parametrize("nitro", ["m5.large", "t3.medium", "i3en.large", "i3.metal", "m6i.large"])
def test_nitro_instances_take_address_prefixes(nitro: str) -> None:
    assert faults(node_groups=[group(instance_types=[nitro])], vpc_cni_prefix_delegation=True) == {}


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
    ("instance_type", "ami_type"),
    [
        *(
            ("m7g.large", "BOTTLEROCKET_ARM_64"),
            ("a1.large", "AL2023_ARM_64_STANDARD"),
            ("im4gn.large", "BOTTLEROCKET_ARM_64"),
        ),
        *(("r8gd.metal-24xl", "BOTTLEROCKET_ARM_64"), ("m7i-flex.large", "BOTTLEROCKET_x86_64")),
        *(("u-6tb1.metal", "AL2023_x86_64_STANDARD"), ("g4ad.xlarge", "AL2023_x86_64_STANDARD")),
        *(("g5.xlarge", "AL2023_x86_64_NVIDIA"), ("g6e.xlarge", "BOTTLEROCKET_x86_64_NVIDIA")),
        *(("g5g.xlarge", "AL2023_ARM_64_NVIDIA"), ("p6e-gb200.36xlarge", "AL2023_ARM_64_NVIDIA")),
        *(("inf2.xlarge", "AL2023_x86_64_NEURON"), ("trn2u.48xlarge", "AL2023_x86_64_NEURON")),
        *(
            ("m6i.large", "AL2023_x86_64_NVIDIA"),
            ("z9x.large", "BOTTLEROCKET_ARM_64"),
            ("z9g.large", "BOTTLEROCKET_x86_64"),
        ),
    ],
)
def test_an_image_fits_the_processors_and_accelerators_of_its_machines(instance_type: str, ami_type: str) -> None:
    assert not of_groups(group(instance_types=[instance_type], ami_type=ami_type))


@pytest.mark.parametrize(
    ("instance_type", "ami_type", "said"),
    [
        ("m7g.large", "AL2023_x86_64_STANDARD", "ami_type: AL2023_ARM_64_STANDARD"),
        ("p6e-gb200.36xlarge", "AL2023_x86_64_NVIDIA", "ami_type: AL2023_ARM_64_NVIDIA"),
        ("m6i.large", "BOTTLEROCKET_ARM_64", "ami_type: BOTTLEROCKET_x86_64 "),
        (
            "g5.xlarge",
            "AL2023_x86_64_STANDARD",
            "no drivers for them, so that no pod can use them; set ami_type: AL2023_x8",
        ),
        ("g6e.xlarge", "BOTTLEROCKET_x86_64", "ami_type: BOTTLEROCKET_x86_64_NVIDIA"),
        ("g5g.xlarge", "AL2023_ARM_64_STANDARD", "ami_type: AL2023_ARM_64_NVIDIA"),
        ("inf2.xlarge", "AL2023_x86_64_NVIDIA", "has AWS Neuron accelerators"),
        ("trn1.2xlarge", "BOTTLEROCKET_x86_64", "ami_type: AL2023_x86_64_NEURON"),
    ],
)
def test_an_image_without_the_drivers_of_its_machines_is_refused(instance_type: str, ami_type: str, said: str) -> None:
    (problem,) = of_groups(group(instance_types=[instance_type], ami_type=ami_type))
    assert said in str(problem)


def test_the_images_are_among_those_of_eks() -> None:
    known = Loader().load_service_model("eks", "service-2")["shapes"]["AMITypes"]["enum"]
    assert set(AMI_TYPES) <= set(known)


@given(st.integers(), st.integers(), st.integers())
def test_sizes_are_accepted_exactly_when_they_are_in_order(low: int, wanted: int, high: int) -> None:
    problems = of_groups(group(min_size=low, desired_size=wanted, max_size=high))
    in_order = 0 <= low <= wanted <= high and high >= 1
    assert (not [problem for problem in problems if "_size" in problem.input]) == in_order
    assert bool([problem for problem in problems if "CoreDNS" in problem.reason]) == (wanted <= 0)


@given(st.permutations(["us-east-1a", "us-east-1b", "us-east-1c"]))
def test_the_order_of_zones_never_renames_a_group(zones: list[str]) -> None:
    plans = plan_node_groups([group(availability_zones=zones, one_group_per_zone=True)], ZONES)
    assert {plan.name: plan.zones for plan in plans} == {
        f"core-us-east-1{letter}": (f"us-east-1{letter}",) for letter in "abc"
    }
