from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.problems import Problem, reject
from eks_analytics.subnets import (
    PRIVATE_ADDRESSES_NEEDED,
    PUBLIC_ADDRESSES_NEEDED,
    check_subnets,
    check_vpc_cidr,
    ipv6_subnet,
    plan_subnets,
    plannable_zones,
    usable_addresses,
)


def networks(smallest: int = 24) -> st.SearchStrategy[str]:
    """VPC ranges inside of 10.0.0.0/8."""

    def network(prefix: int, position: int) -> str:
        return f"{IPv4Address((10 << 24) + (position % (1 << (prefix - 8)) << (32 - prefix)))}/{prefix}"

    return st.builds(network, st.integers(16, smallest), st.integers(0, 1 << 20))


def of(problems: list[Problem], text: str) -> list[str]:
    return [str(problem) for problem in problems if text in str(problem)]


@given(networks(), st.data())
def test_planned_subnets_lie_inside_the_vpc_and_share_no_address(vpc: str, data: st.DataObject) -> None:
    plan = plan_subnets(vpc, data.draw(st.integers(1, plannable_zones(vpc))))
    subnets = [IPv4Network(cidr) for cidr in plan.public + plan.private]
    assert all(subnet.subnet_of(IPv4Network(vpc)) for subnet in subnets)
    assert not any(first.overlaps(second) for first, second in combinations(subnets, 2))


@given(networks(), st.data())
def test_an_appended_zone_moves_no_subnet(vpc: str, data: st.DataObject) -> None:
    zones = data.draw(st.integers(1, plannable_zones(vpc) - 1))
    before, after = plan_subnets(vpc, zones), plan_subnets(vpc, zones + 1)
    assert (after.public[:-1], after.private[:-1]) == (before.public, before.private)


@given(networks())
def test_a_plan_holds_enough_addresses_and_most_of_them_are_private(vpc: str) -> None:
    plan = plan_subnets(vpc, plannable_zones(vpc))
    assert min(map(usable_addresses, plan.public)) >= PUBLIC_ADDRESSES_NEEDED
    assert min(map(usable_addresses, plan.private)) >= PRIVATE_ADDRESSES_NEEDED
    assert sum(IPv4Network(cidr).num_addresses for cidr in plan.private) == IPv4Network(vpc).num_addresses * 3 // 4


@given(networks(), st.data())
def test_a_plan_passes_its_own_checks(vpc: str, data: st.DataObject) -> None:
    zones = data.draw(st.integers(2, plannable_zones(vpc)))
    assert check_vpc_cidr(vpc) == []
    assert check_subnets(vpc, zones, [], []) == []
    assert check_subnets(vpc, zones, *plan_subnets(vpc, zones)) == []


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3), st.lists(st.text(max_size=20), max_size=3))
def test_no_text_makes_the_checks_raise(vpc: str, public: list[str], private: list[str]) -> None:
    check_vpc_cidr(vpc)
    check_subnets(vpc, 2, public, private)


def test_the_plan_of_a_16_is_the_documented_one() -> None:
    plan = plan_subnets("10.0.0.0/16", 3)
    assert plan.private == ["10.0.0.0/19", "10.0.32.0/19", "10.0.64.0/19"]
    assert plan.public == ["10.0.192.0/24", "10.0.193.0/24", "10.0.194.0/24"]


@pytest.mark.parametrize(
    ("vpc", "private", "public"),
    [
        ("10.0.0.0/16", 8187, 251),
        ("10.0.0.0/20", 507, 123),
        ("10.0.0.0/23", 59, 11),
        ("10.0.0.0/24", 59, 11),
    ],
)
def test_the_documented_sizes_are_right(vpc: str, private: int, public: int) -> None:
    plan = plan_subnets(vpc, 2)
    assert {usable_addresses(cidr) for cidr in plan.private} == {private}
    assert {usable_addresses(cidr) for cidr in plan.public} == {public}


@pytest.mark.parametrize(("vpc", "zones"), [("10.0.0.0/24", 4), ("10.0.0.0/25", 2), ("10.0.0.0/16", 7)])
def test_a_vpc_too_small_for_its_zones_is_refused_by_name(vpc: str, zones: int) -> None:
    with pytest.raises(ValueError, match=f"{vpc} has room for"):
        plan_subnets(vpc, zones)
    assert of(check_subnets(vpc, zones, [], []), f"cidr = '{vpc}': has no room for planned subnets in {zones} zones")


def test_subnets_that_are_given_need_no_room_for_planned_ones() -> None:
    given_cidrs = ["10.0.0.0/27", "10.0.0.32/27"], ["10.0.0.64/27", "10.0.0.96/27"]
    assert check_subnets("10.0.0.0/25", 2, *given_cidrs) == []


@pytest.mark.parametrize(
    ("cidr", "reason"),
    [
        ("10.0.0.0/15", "has prefix /15"),
        ("10.0.0.0/29", "has prefix /29"),
        ("10.0.0.1/16", "has bits set to the right of its prefix; write 10.0.0.0/16"),
        ("10.0.0.0", "has no prefix length; write it like 10.0.0.0/16"),
        ("10.0.0.0/255.255.0.0", "has no prefix length; write it like 10.0.0.0/16"),
        ("ten", "is no IPv4 range"),
        ("fd00::/56", "is no IPv4 range"),
        ("127.0.0.0/16", "lies in a range that no VPC can have"),
        ("169.254.0.0/20", "lies in a range that no VPC can have"),
    ],
)
def test_a_range_that_aws_refuses_is_a_problem(cidr: str, reason: str) -> None:
    assert of(check_vpc_cidr(cidr), reason)
    assert of(check_vpc_cidr(cidr, "network.cidr"), f"network.cidr = {cidr!r}")


@given(networks(smallest=20), networks(smallest=24))
def test_subnets_outside_the_vpc_are_found(vpc: str, other: str) -> None:
    problems = check_subnets(vpc, 2, [], [other, other])
    outside = not IPv4Network(other).subnet_of(IPv4Network(vpc))
    assert bool(of(problems, "lies outside of the VPC")) == outside
    assert of(problems, f"overlaps {other} of private_subnet_cidrs")


def test_a_given_subnet_that_overlaps_a_planned_one_is_found() -> None:
    problems = check_subnets("10.0.0.0/16", 2, ["10.0.0.0/24", "10.0.200.0/24"], [])
    assert [str(problem) for problem in problems] == [
        "private_subnet_cidrs = '10.0.0.0/19': overlaps 10.0.0.0/24 of public_subnet_cidrs; "
        "choose ranges that share no address"
    ]


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (lambda: check_subnets("10.0.0.0/16", 2, ["10.0.200.0/24"], []), "has 1 subnets for 2 zones"),
        (
            lambda: check_subnets("10.0.0.0/16", 2, [], ["10.0.0.0/28", "10.0.1.0/24"]),
            "leaves 11 usable addresses, 16 are needed",
        ),
        (
            lambda: check_subnets("10.0.0.0/23", 2, [], [], private_addresses_needed=70),
            "leaves 59 usable addresses, 70 are needed; choose a larger VPC",
        ),
    ],
)
def test_subnets_too_few_or_too_small_are_problems(build: Callable[[], list[Problem]], reason: str) -> None:
    assert of(build(), reason)


def test_a_wrong_vpc_range_does_not_hide_wrong_subnets() -> None:
    assert of(check_subnets("10.0.0.0/8", 2, ["10.0.0.0/24", "10.0.0.0/25"], []), "overlaps 10.0.0.0/24")


@given(st.integers(0, 255), st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=12, unique=True))
def test_ipv6_subnets_lie_inside_the_block_and_differ(block: int, places: list[tuple[int, bool]]) -> None:
    vpc = f"2600:1f00:0:{block:x}00::/56"
    subnets = [IPv6Network(ipv6_subnet(vpc, zone, public=public)) for zone, public in places]
    assert len(set(subnets)) == len(places)
    assert all(subnet.prefixlen == 64 and subnet.subnet_of(IPv6Network(vpc)) for subnet in subnets)


def test_all_problems_are_raised_together() -> None:
    with pytest.raises(
        ValueError, match=r"network 'main'(.|\n)*a = 1: is odd; double it(.|\n)*b = 'x': is short; pad it"
    ):
        reject("network 'main'", [Problem("a", 1, "is odd", "double it"), Problem("b", "x", "is short", "pad it")])
    reject("network 'main'", [])
