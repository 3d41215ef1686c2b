"""How much a cluster holds, whether Dash Enterprise fits, and which quotas it takes."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.capacity import (
    CORE,
    Amounts,
    Layout,
    NodeGroup,
    capacity,
    max_pods,
    planned,
    system_limits,
)
from eks_analytics.capacity_checks import capacity_problems, capacity_warnings
from eks_analytics.instance_types import TABLE, InstanceType, family, instance_type, similar
from eks_analytics.quotas import quotas

PROJECT = Path(__file__).resolve().parents[2]
PUBLISHED = PROJECT.parent / "shared" / "reference" / "data" / "eks" / "eni-max-pods.txt"
ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
TYPES = ("t3.large", "m6i.large", "m6i.2xlarge", "m6i.4xlarge", "m7i.8xlarge", "r6id.2xlarge", "c7g.medium")

# From AWS' own list: pods of a node without prefix delegation, before the cap of managed node groups.
KNOWN_MAX_PODS = {
    "t3.nano": 4,
    "t3.micro": 4,
    "t3.small": 11,
    "t3.medium": 17,
    "t3.large": 35,
    "t3.xlarge": 58,
    "t4g.medium": 17,
    "m5.large": 29,
    "m5.xlarge": 58,
    "m5.2xlarge": 58,
    "m5.4xlarge": 234,
    "m5.8xlarge": 234,
    "m5.24xlarge": 737,
    "m6i.large": 29,
    "m6i.2xlarge": 58,
    "m6i.4xlarge": 234,
    "m7g.medium": 8,
    "m7g.2xlarge": 58,
    "m7i.16xlarge": 737,
    "c5.large": 29,
    "c6i.xlarge": 58,
    "r5.12xlarge": 234,
    "r6i.2xlarge": 58,
    "g4dn.xlarge": 29,
    "i3en.large": 29,
    "z1d.large": 29,
}
# The API reports the interfaces of their default network card; the published list adds up those of two cards.
TWO_NETWORK_CARDS = {"i7ie.48xlarge", "i8ge.48xlarge"}


def group(name: str = "core", kind: str = "m6i.2xlarge", **changes: Any) -> NodeGroup:
    sizes: dict[str, Any] = {"min_size": 2, "desired_size": 2, "max_size": 4, "zones": ZONES[:2]}
    return NodeGroup(name=name, instance_types=(kind,), **{**sizes, **changes})


def layout(*groups: NodeGroup, prefix: int = 19, **changes: Any) -> Layout:
    subnets = {zone: f"10.{position}.0.0/{prefix}" for position, zone in enumerate(ZONES)}
    return Layout(node_groups=groups or (group(),), **{"subnets": subnets, **changes})


def known(name: str) -> InstanceType:
    found = instance_type(name)
    assert found
    return found


def problems(of: Layout, core: Amounts = CORE["standard"], plan: Amounts | None = None) -> list[str]:
    return [str(problem) for problem in capacity_problems(of, core, plan or core)]


def warnings(of: Layout, core: Amounts = CORE["standard"], plan: Amounts | None = None) -> list[str]:
    return list(capacity_warnings(of, core, plan or core))


groups = st.builds(
    NodeGroup,
    name=st.sampled_from(("core", "apps")),
    instance_types=st.lists(st.sampled_from(TYPES), min_size=1, max_size=3).map(tuple),
    min_size=st.just(0),
    desired_size=st.integers(0, 5),
    max_size=st.integers(5, 30),
    zones=st.integers(1, 3).map(lambda count: ZONES[:count]),
    takes_pods=st.booleans(),
)
layouts = st.builds(
    Layout,
    node_groups=st.lists(groups, min_size=1, max_size=2, unique_by=lambda group: group.name).map(tuple),
    subnets=st.integers(20, 27).map(lambda prefix: {zone: f"10.{i}.0.0/{prefix}" for i, zone in enumerate(ZONES)}),
    service_cidr=st.sampled_from(("172.20.0.0/16", "172.20.0.0/24")),
    prefix_delegation=st.booleans(),
    ipv6=st.booleans(),
)


@pytest.mark.parametrize(("name", "pods"), KNOWN_MAX_PODS.items())
def test_a_node_holds_as_many_pods_as_aws_publishes(name: str, pods: int) -> None:
    assert max_pods(known(name), capped=False) == pods


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published list is not there; KNOWN_MAX_PODS always is")
def test_every_type_of_the_table_agrees_with_the_whole_published_list() -> None:
    lines = (line.split() for line in PUBLISHED.read_text().splitlines() if line[:1] not in ("#", ""))
    published = {name: int(pods) for name, pods in lines}
    compared = {kind.name: max_pods(kind, capped=False) for kind in every_type() if kind.name in published}
    assert len(compared) > 900
    assert {name for name, pods in compared.items() if pods != published[name]} <= TWO_NETWORK_CARDS


@pytest.mark.parametrize(
    ("name", "prefixes", "pods"),
    [
        ("m6i.large", False, 29),
        ("m6i.large", True, 110),
        ("m6i.4xlarge", False, 110),
        ("m6i.8xlarge", False, 234),
        ("m6i.8xlarge", True, 250),
        ("m6i.16xlarge", False, 250),
        ("t3.nano", True, 34),
    ],
)
def test_managed_node_groups_cap_pods_at_110_below_30_vcpus_and_at_250_from_there(
    name: str, prefixes: bool, pods: int
) -> None:
    assert max_pods(known(name), prefixes=prefixes) == pods


def every_type() -> list[InstanceType]:
    prefixes = [line.split()[0] for line in TABLE.read_text().splitlines() if not line.startswith("#")]
    return [kind for prefix in prefixes for kind in family(prefix)]


def test_every_line_of_the_table_reads_as_sane_limits() -> None:
    kinds = every_type()
    assert len({kind.name for kind in kinds}) == len(kinds) > 1000
    for kind in kinds:
        assert kind.architecture in ("x86_64", "arm64")
        assert kind.vcpus >= 1
        assert kind.network_interfaces >= 2
        assert kind.addresses_per_interface >= 2
        assert kind.volumes >= 9
        assert kind.memory_mib >= 512


def test_families_go_from_the_smallest_to_the_largest_size() -> None:
    assert [kind.name for kind in family("m6i.4xlarge")][:4] == [
        "m6i.large",
        "m6i.xlarge",
        "m6i.2xlarge",
        "m6i.4xlarge",
    ]
    assert [kind.vcpus for kind in family("c7g")] == sorted(kind.vcpus for kind in family("c7g"))


def test_a_mistyped_type_finds_the_one_that_was_meant() -> None:
    assert instance_type("m6i.2xlrge") is None
    assert similar("m6i.2xlrge")[0] == "m6i.2xlarge"
    assert "m6i.large" in similar("m61.large")
    assert similar("%%%") == []
    assert family("nothing") == []


def test_importing_the_arithmetic_reads_no_table_and_no_provider_sdk() -> None:
    program = (
        "import sys, eks_analytics.capacity_checks, eks_analytics.quotas as q, eks_analytics.instance_types as t;"
        "print(t._families.cache_info().currsize, sorted({'pulumi', 'boto3', 'moto', 'pydantic'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=PROJECT / "components"
    )
    assert result.stdout.strip() == "0 []"


def test_the_tool_writes_a_type_from_its_description() -> None:
    spec = importlib.util.spec_from_file_location("instance_types_tool", PROJECT / "tools" / "instance_types.py")
    assert spec
    assert spec.loader
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    described = {
        "InstanceType": "m6i.2xlarge",
        "Hypervisor": "nitro",
        "BareMetal": False,
        "ProcessorInfo": {"SupportedArchitectures": ["x86_64"]},
        "VCpuInfo": {"DefaultVCpus": 8},
        "MemoryInfo": {"SizeInMiB": 32768},
        "EbsInfo": {"MaximumEbsAttachments": 27, "AttachmentLimitType": "shared"},
        "NetworkInfo": {
            "DefaultNetworkCardIndex": 0,
            "Ipv4AddressesPerInterface": 15,
            "NetworkCards": [
                {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 4},
                {"NetworkCardIndex": 1, "MaximumNetworkInterfaces": 8},
            ],
        },
    }
    left_out = [
        {**described, "InstanceType": "m6i.metal", "BareMetal": True},
        {**described, "InstanceType": "m4.large", "Hypervisor": "xen"},
        {**described, "InstanceType": "inf2.xlarge"},
    ]
    written = tool.table([*left_out, described])
    assert written.splitlines()[-1] == "m6i x86_64 2xlarge:8:32768:4:15:27s"
    assert written.startswith("#")
    assert not [line for line in written.splitlines()[:-1] if not line.startswith("#")]


def test_two_m6i_2xlarge_hold_the_figures_that_can_be_worked_out_by_hand() -> None:
    there = capacity(layout(), "desired_size")
    assert there.nodes == 2
    assert there.pods == 2 * (58 - 4) - 8
    assert there.services == 65536 - 2 - 4
    assert there.volumes == 2 * (27 - 1 - 3)  # less the root volume and three further network interfaces
    assert there.addresses == dict.fromkeys(ZONES[:2], 8192 - 5 - 16)
    assert there.addresses_taken == dict.fromkeys(ZONES[:2], 4 * 15)


def test_types_with_slots_for_volumes_alone_lose_none_to_network_interfaces() -> None:
    assert capacity(layout(group(kind="m7i.2xlarge")), "desired_size").volumes == 2 * (32 - 1)
    bottlerocket = group(kind="m7i.2xlarge", system_volumes=2)
    assert capacity(layout(bottlerocket), "desired_size").volumes == 2 * (32 - 2)


def test_a_warm_interface_stays_beside_the_ones_in_use() -> None:
    # 107 pods with an address of 29 each interface: four, and one in reserve.
    assert capacity(layout(group(kind="m6i.4xlarge", zones=ZONES[:1])), "min_size").addresses_taken == {
        "us-east-1a": 2 * 5 * 30
    }


def test_prefixes_take_sixteen_addresses_each_and_one_stays_warm() -> None:
    there = capacity(layout(group(zones=ZONES[:1]), prefix_delegation=True), "min_size")
    assert there.pods == 2 * (110 - 4) - 8
    assert there.addresses_taken == {"us-east-1a": 2 * (8 * 16 + 1)}


def test_pods_of_an_ipv6_cluster_take_no_ipv4_addresses() -> None:
    there = capacity(layout(ipv6=True, prefix=27), "desired_size")
    assert there.pods == 2 * (110 - 4) - 8
    assert there.addresses_taken == dict.fromkeys(ZONES[:2], 1)


def test_small_subnets_limit_the_pods_and_larger_nodes_do_not_help() -> None:
    small = layout(prefix=26)  # 59 usable, 43 after what others want; a full node holds 60
    assert capacity(small, "desired_size").pods == 2 * (54 * 43 // 60) - 8
    (problem,) = problems(small)
    assert problem.startswith("private_subnet_cidrs = ")
    assert "give every zone a private subnet of /25" in problem
    assert "raise" not in problem


def test_nodes_behind_a_taint_take_addresses_and_hold_none_of_the_pods() -> None:
    tainted = group("gpu", takes_pods=False)
    assert capacity(layout(group(), tainted)).pods == capacity(layout()).pods
    assert capacity(layout(group(), tainted, prefix=25)).pods < capacity(layout(prefix=25)).pods


def test_of_several_types_the_worst_counts() -> None:
    mixed = replace(group(), instance_types=("m6i.2xlarge", "m6i.large"))
    assert capacity(layout(mixed)).pods == capacity(layout(group(kind="m6i.large"))).pods


def test_odd_nodes_land_in_the_first_zones_and_none_is_lost() -> None:
    odd = group(max_size=5, zones=ZONES)
    assert [odd.nodes_in(zone, "max_size") for zone in ZONES] == [2, 2, 1]


@given(layouts, st.data())
def test_more_nodes_that_take_pods_never_make_a_cluster_smaller(before: Layout, data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(before.node_groups))
    grown = replace(chosen, max_size=chosen.max_size + data.draw(st.integers(1, 20)))
    after = replace(before, node_groups=tuple(grown if it is chosen else it for it in before.node_groups))
    first, second = capacity(before), capacity(after)
    if chosen.takes_pods:
        assert second.pods >= first.pods
        assert second.volumes >= first.volumes
        assert second.nodes > first.nodes
    else:
        assert second.pods <= first.pods
    assert all(taken >= first.addresses_taken[zone] for zone, taken in second.addresses_taken.items())


@given(layouts, st.integers(16, 20))
def test_larger_subnets_never_make_a_cluster_smaller(before: Layout, prefix: int) -> None:
    larger = {zone: f"10.{position}.0.0/{prefix}" for position, zone in enumerate(ZONES)}
    after = capacity(replace(before, subnets=larger))
    assert after.pods >= capacity(before).pods
    assert capacity(replace(before, subnets={})).pods >= after.pods


@given(layouts)
def test_a_cluster_never_holds_more_at_a_smaller_size(of: Layout) -> None:
    # Nodes that take no pods take addresses: more of those can mean fewer pods elsewhere.
    of = replace(of, node_groups=tuple(replace(group, takes_pods=True) for group in of.node_groups))
    sizes = [capacity(of, size) for size in ("min_size", "desired_size", "max_size")]
    assert [it.pods for it in sizes] == sorted(it.pods for it in sizes)
    assert [it.volumes for it in sizes] == sorted(it.volumes for it in sizes)


@given(layouts, st.sampled_from(sorted(CORE)), st.integers(0, 300), st.integers(0, 100))
def test_a_plan_is_either_too_large_or_at_most_tight(of: Layout, edition: str, apps: int, workspaces: int) -> None:
    core = CORE[edition]
    plan = planned(core, apps, workspaces)
    there = capacity(of)
    found = list(capacity_problems(of, core, plan))
    fits = all(need <= has for need, has in zip(plan, (there.pods, there.services, there.volumes), strict=True))
    assert found or fits
    assert all(problem.reason and problem.remedy for problem in found)
    assert not fits or all("desired_size" in problem.reason for problem in found)


@given(layouts)
def test_system_limits_lie_below_what_the_first_nodes_hold(of: Layout) -> None:
    limits, there = system_limits(of), capacity(of, "desired_size")
    assert 0 <= limits.pods <= there.pods * 0.9
    assert 0 <= limits.volumes <= there.volumes * 0.9


def test_two_nodes_hold_standard_and_not_premium() -> None:
    assert problems(layout(), CORE["standard"]) == []
    assert problems(layout(), CORE["premium"]) == [
        "node_groups = 'core: 2 x m6i.2xlarge': has room for 100 pods at desired_size, Dash Enterprise itself needs 105"
        "; raise desired_size of core to 3 or choose m6i.4xlarge (16 vCPUs, 64 GiB) for core"
        " or turn vpc_cni_prefix_delegation on"
    ]


def test_following_a_remedy_makes_the_problem_go_away() -> None:
    premium = CORE["premium"]
    assert problems(layout(group(desired_size=3)), premium) == []
    assert problems(layout(group(kind="m6i.4xlarge")), premium) == []
    assert problems(layout(prefix_delegation=True), premium) == []


def test_a_remedy_beyond_max_size_says_to_raise_that_too() -> None:
    (problem,) = problems(layout(group(max_size=2)), CORE["premium"])
    assert "raise desired_size and max_size of core to 3" in problem


def test_apps_are_compared_with_the_largest_size() -> None:
    core = CORE["standard"]
    plan = planned(core, apps=100, workspaces=10)
    assert plan == Amounts(79 + 200 + 10, 35 + 200 + 10, 20 + 100 + 10)
    found = problems(layout(), core, plan)
    assert len(found) == 2
    assert "has room for 208 pods at max_size, Dash Enterprise with the planned apps needs 289" in found[0]
    assert "raise max_size of core to 6" in found[0]
    assert "has room for 92 volumes at max_size" in found[1]


def test_a_small_service_range_is_named_with_one_that_fits() -> None:
    plan = planned(CORE["standard"], apps=120, workspaces=0)
    of = layout(group(max_size=20), service_cidr="172.20.0.0/24")
    assert problems(of, plan=plan) == [
        "service_cidr = '172.20.0.0/24': has room for 250 services at max_size,"
        " Dash Enterprise with the planned apps needs 275; choose a service_cidr of /23"
    ]


def test_without_a_group_for_pods_the_remedy_is_to_add_one() -> None:
    found = problems(layout(group(takes_pods=False)))
    assert [problem.partition("; ")[2] for problem in found] == ["add a node group without taints"] * 2


def test_an_unknown_type_is_the_only_problem_until_its_limits_are_given() -> None:
    new = layout(group(kind="m19i.2xlarge"))
    (problem,) = problems(new)
    assert problem.startswith("node_groups = 'm19i.2xlarge': not in the table")
    assert "or give the limits of this type" in problem
    assert warnings(new) == []
    limits = {"m19i.2xlarge": replace(known("m6i.2xlarge"), name="m19i.2xlarge")}
    assert problems(replace(new, instance_limits=limits)) == []
    assert "write m6i.2xlarge" in problems(layout(group(kind="m6i.2xlrge")))[0]


def test_given_limits_win_over_the_table() -> None:
    own = replace(known("m6i.2xlarge"), network_interfaces=2)
    assert capacity(layout(instance_limits={own.name: own})).pods < capacity(layout()).pods


def test_plenty_of_room_gives_no_warning() -> None:
    assert warnings(layout(group(desired_size=4))) == []


def test_more_than_nine_tenths_is_tight() -> None:
    plan = Amounts(188, 35, 20)
    assert warnings(layout(group(desired_size=4)), plan=plan) == [
        "188 of 208 pods are planned at max_size: rollouts and lost nodes find little room"
    ]
    assert warnings(layout(group(desired_size=4)), plan=plan._replace(pods=187)) == []


def test_a_core_that_just_fits_on_the_first_nodes_is_tight() -> None:
    just = Amounts(95, 35, 20)
    assert warnings(layout(), just) == ["Dash Enterprise itself takes 95 of the 100 pods at desired_size"]


def test_a_plan_that_needs_more_than_the_first_nodes_is_told_that_nothing_adds_any() -> None:
    plan = planned(CORE["standard"], 0, 50, workspace=Amounts(1, 1, 0))
    (warning,) = warnings(layout(), plan=plan)
    assert warning.startswith("129 pods are planned and desired_size holds 100: scale the node groups up before")


def test_subnets_that_full_nodes_would_exhaust_are_named_by_zone() -> None:
    found = warnings(layout(group(desired_size=4, max_size=8), prefix=24))
    assert found == [
        f"full nodes hold 240 addresses at max_size in {zone}, whose subnet 10.{i}.0.0/24 has 235"
        for i, zone in enumerate(ZONES[:2])
    ]


def test_the_vendors_rule_counts_services_too_and_is_shown_beside_our_figure() -> None:
    assert CORE["standard"].addresses_by_vendor_rule == 79 + 35
    (warning,) = warnings(layout(group(desired_size=4, zones=ZONES[:1]), prefix=25), Amounts(79, 35, 20))[1:]
    assert "114 VPC addresses are needed and 107 are there; services do not take any, so the 79 pods count" in warning


def test_the_vendors_rule_is_not_applied_where_a_subnet_is_unknown() -> None:
    assert warnings(layout(group(desired_size=4), subnets={})) == []


def test_quotas_name_aws_defaults_and_what_the_stack_takes() -> None:
    found = {quota.quota_code: quota for quota in quotas(layout(), vpcs=1, nat_gateways=2)}
    vcpus = found["L-1216C47A"]
    assert (vcpus.default, vcpus.used, vcpus.used_while_updating) == (5, 32, 64)
    assert vcpus.exceeds_default
    assert {code: (quota.default, quota.used) for code, quota in found.items() if quota is not vcpus} == {
        "L-F678F1CE": (5, 1),
        "L-0263D0A3": (5, 2),
        "L-FE5A380F": (5, 1),
        "L-69A177A2": (50, 1),
    }
    assert not found["L-0263D0A3"].exceeds_default
    addresses = {quota.quota_code: quota.used for quota in quotas(layout(), vpcs=1, nat_gateways=2, hosts=1)}
    assert addresses["L-0263D0A3"] == 3


def test_an_existing_vpc_without_nat_gateways_takes_none_of_either() -> None:
    found = {quota.quota_code: quota.used for quota in quotas(layout(), vpcs=0, nat_gateways=0)}
    assert [found[code] for code in ("L-F678F1CE", "L-0263D0A3", "L-FE5A380F")] == [0, 0, 0]


def test_vcpus_are_counted_by_the_quota_of_their_family_and_of_spot() -> None:
    own = replace(known("m6i.2xlarge"), name="p5.48xlarge"), replace(known("m6i.2xlarge"), name="q1.large")
    of = layout(
        group("spot", spot=True),
        replace(group("mixed"), instance_types=("r6i.xlarge", "r6i.4xlarge", "x2idn.16xlarge")),
        group("gpu", "g6.xlarge", max_size=0, desired_size=0, min_size=0),
        group("ours", "p5.48xlarge"),
        group("new", "q1.large"),
        instance_limits={kind.name: kind for kind in own},
    )
    used = {quota.name: quota.used for quota in quotas(of, vpcs=0, nat_gateways=0) if quota.service_code == "ec2"}
    assert used == {
        "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests": 32,
        "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances": 64,
        "Running On-Demand X instances": 256,
        "Running On-Demand G and VT instances": 0,
        "Running On-Demand P instances": 32,
        "On-Demand vCPUs of Q instances": 32,
        "EC2-VPC Elastic IPs": 0,
    }


def test_a_stack_output_can_hold_every_result() -> None:
    there = capacity(layout())
    assert json.dumps([system_limits(layout())._asdict(), there.pods, dict(there.addresses)])
