from typing import Any

import pytest
from botocore.session import Session
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.dns_records import (
    UNKNOWN_LOAD_BALANCER,
    DnsOptions,
    LoadBalancer,
    next_step,
    parse_load_balancer,
    record_problems,
    record_warnings,
    records,
    records_to_make,
    table,
)
from eks_analytics.partitions import dns_suffix

NETWORK = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-2.amazonaws.com"
CLASSIC = "ad52abddab74e44c98bcf129f5d0a230-1234567890.us-east-2.elb.amazonaws.com"
PREFIXED = [f"{prefix}-dash.example.com" for prefix in ("api", "ws", "git", "registry", "auth", "admin")]
PARENT: dict[str, Any] = {"hosted_zone_id": "ZPARENT", "hosted_zone_name": "example.com"}
APEX: dict[str, Any] = {"hosted_zone_id": "ZAPEX", "hosted_zone_name": "dash.example.com"}
NO_ZONE: dict[str, Any] = {"hosted_zone_id": "", "hosted_zone_name": ""}


def options(**changes: Any) -> DnsOptions:
    return DnsOptions(**{"base_domain": "dash.example.com", **PARENT, "load_balancer_hostname": NETWORK, **changes})


def names(chosen: DnsOptions) -> list[str]:
    return [one.name for one in records_to_make(chosen)]


def problems(**changes: Any) -> dict[str, str]:
    return {found.input: f"{found.reason}; {found.remedy}" for found in record_problems(options(**changes))}


# What points where


def test_the_base_domain_points_at_the_load_balancer_and_six_names_at_the_base_domain() -> None:
    made = {one.name: (one.type, one.value, one.ttl, one.zone) for one in records_to_make(options())}
    assert made.pop("dash.example.com") == ("CNAME", f"{NETWORK}.", 300, "ZPARENT")
    assert list(made) == PREFIXED
    assert set(made.values()) == {("CNAME", "dash.example.com.", 300, "ZPARENT")}


@pytest.mark.parametrize("hostname", [NETWORK, f"{NETWORK}.", NETWORK.upper()])
def test_the_load_balancers_name_is_taken_with_and_without_its_dot_and_always_given_with_it(hostname: str) -> None:
    assert records(options(load_balancer_hostname=hostname)) == records(options())
    assert record_problems(options(load_balancer_hostname=hostname)) == []


def test_names_of_domain_and_zone_are_taken_with_their_dot_too() -> None:
    dotted = options(base_domain="dash.example.com.", hosted_zone_name="example.com.")
    assert records(dotted) == records(options())
    assert record_problems(dotted) == []


def test_no_record_is_made_before_the_load_balancer_is_known() -> None:
    assert records_to_make(options(load_balancer_hostname="")) == []
    assert record_problems(options(load_balancer_hostname="")) == []


def test_the_base_record_alone_can_be_switched_off() -> None:
    assert names(options(enable_base_record=False)) == PREFIXED


def test_without_a_zone_nothing_is_made_and_the_table_tells_all_seven() -> None:
    chosen = options(**NO_ZONE)
    assert record_problems(chosen) == []
    assert records_to_make(chosen) == []
    rows = table(chosen)
    assert [row["name"] for row in rows] == ["dash.example.com.", *(f"{name}." for name in PREFIXED)]
    base = {"name": "dash.example.com.", "type": "CNAME", "value": f"{NETWORK}.", "ttl": "300", "where": "by hand"}
    assert rows[0] == base
    assert {(row["type"], row["value"]) for row in rows[1:]} == {("CNAME", "dash.example.com.")}


def test_the_table_says_which_zone_takes_a_record_and_what_is_not_known_yet() -> None:
    rows = table(options(load_balancer_hostname="", ttl=60))
    assert rows[0]["value"] == UNKNOWN_LOAD_BALANCER
    assert {(row["where"], row["ttl"]) for row in rows} == {("Route 53 hosted zone ZPARENT", "60")}


# The base domain as the zone's own name


def test_at_a_zones_apex_the_base_domain_is_an_alias_and_the_six_lie_outside() -> None:
    (base,) = records_to_make(options(**APEX))
    assert (base.name, base.type, base.zone) == ("dash.example.com", "A", "ZAPEX")
    rows = table(options(**APEX))
    assert (rows[0]["type"], rows[0]["value"], rows[0]["ttl"]) == ("A (alias)", f"{NETWORK}.", "60")
    assert {row["where"] for row in rows[1:]} == {"by hand"}
    (warning,) = record_warnings(options(**APEX))
    assert all(name in warning for name in PREFIXED)
    assert "zone of example.com" in warning
    assert "prefixed_hosted_zone_id" in warning


def test_the_zone_above_takes_the_six_where_it_is_given() -> None:
    chosen = options(**APEX, prefixed_hosted_zone_id="ZPARENT")
    assert record_problems(chosen) == []
    assert list(record_warnings(chosen)) == []
    assert [one.zone for one in records_to_make(chosen)] == ["ZAPEX", *["ZPARENT"] * 6]


# What comes next


def test_until_the_load_balancer_is_known_the_next_step_is_to_discover_it() -> None:
    said = next_step(options(load_balancer_hostname=""), "dev")
    assert "python -m operations dns discover --stack dev" in said
    assert "kubectl get service ingress-nginx-controller -n plotly-system" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "https://admin-dash.example.com becomes Ready"),
        ({"enable_base_record": False}, "record of dash.example.com is switched off"),
        (APEX, "by hand: api-dash.example.com, ws-dash.example.com"),
        (NO_ZONE, "by hand: dash.example.com, api-dash.example.com"),
    ],
)
def test_the_next_step_names_what_is_left(changes: dict[str, Any], said: str) -> None:
    assert said in next_step(options(**changes), "dev")


# Load balancers by name


@pytest.mark.parametrize(
    ("hostname", "found"),
    [
        (NETWORK, LoadBalancer("network", "us-east-2")),
        (CLASSIC, LoadBalancer("classic", "us-east-2")),
        (f"internal-{CLASSIC}.", LoadBalancer("classic", "us-east-2")),
        (f"dualstack.{CLASSIC}", LoadBalancer("classic", "us-east-2")),
        ("a-1.elb.us-gov-west-1.amazonaws.com", LoadBalancer("network", "us-gov-west-1")),
        ("a-1.elb.cn-north-1.amazonaws.com.cn", LoadBalancer("network", "cn-north-1")),
        ("a-1.cn-north-1.elb.amazonaws.com.cn", LoadBalancer("classic", "cn-north-1")),
        ("a-1.elb.us-iso-east-1.c2s.ic.gov", LoadBalancer("network", "us-iso-east-1")),
        ("a-1.elb.us-east-2.amazonaws.com.cn", None),
        ("a-1.elb.us-east-2.amazonaws.com.example.com", None),
        ("a.b.elb.us-east-2.amazonaws.com", None),
        ("proxy.example.com", None),
        ("", None),
    ],
)
def test_type_and_region_follow_from_the_host_name(hostname: str, found: LoadBalancer | None) -> None:
    assert parse_load_balancer(hostname) == found


def test_a_name_that_is_no_load_balancers_works_with_a_warning() -> None:
    chosen = options(load_balancer_hostname="proxy.example.net")
    assert record_problems(chosen) == []
    assert [warning for warning in record_warnings(chosen) if "proxy.example.net is no name" in warning]
    assert records_to_make(chosen)[0].value == "proxy.example.net."


@pytest.mark.parametrize("hostname", [NETWORK, CLASSIC])
def test_a_load_balancer_of_either_type_needs_no_warning(hostname: str) -> None:
    assert list(record_warnings(options(load_balancer_hostname=hostname))) == []


# Refused


@pytest.mark.parametrize(
    ("changes", "input", "said"),
    [
        ({"base_domain": "dash.example.org"}, "base_domain", "outside of the hosted zone example.com"),
        ({"base_domain": "notexample.com"}, "base_domain", "outside of the hosted zone example.com"),
        ({"base_domain": "https://dash.example.com"}, "base_domain", "is a URL"),
        ({"base_domain": ""}, "base_domain", "is not a DNS name"),
        ({"base_domain": "*.example.com"}, "base_domain", "is not a DNS name"),
        ({"base_domain": f"{'a' * 55}.example.com"}, "base_domain", "63 characters"),
        ({"load_balancer_hostname": "203.0.113.7"}, "load_balancer_hostname", "is an address"),
        ({"load_balancer_hostname": "2001:db8::7"}, "load_balancer_hostname", "is an address"),
        ({"load_balancer_hostname": f"{NETWORK}:443"}, "load_balancer_hostname", "is a URL"),
        ({"load_balancer_hostname": f" {NETWORK}"}, "load_balancer_hostname", "is not a DNS name"),
        ({"load_balancer_hostname": "Dash.example.com"}, "load_balancer_hostname", "point at themselves"),
        ({"load_balancer_hostname": "api-dash.example.com."}, "load_balancer_hostname", "point at themselves"),
        ({"load_balancer_type": "application"}, "load_balancer_type", '"network" or "classic"'),
        ({"load_balancer_type": "classic"}, "load_balancer_type", "a network load balancer"),
        ({**APEX, "load_balancer_hostname": "proxy.example.net"}, "load_balancer_hostname", "but no CNAME"),
        ({**APEX, "load_balancer_hostname": "a-1.elb.eu-west-9.amazonaws.com"}, "load_balancer_hostname", "by hand"),
        ({"hosted_zone_id": "/hostedzone/ZPARENT"}, "hosted_zone_id", 'write "ZPARENT"'),
        ({"hosted_zone_id": "example.com"}, "hosted_zone_id", "not the id of a Route 53 hosted zone"),
        ({"hosted_zone_name": ""}, "hosted_zone_name", "what kind of record"),
        ({"hosted_zone_id": ""}, "hosted_zone_name", "without the id"),
        ({**NO_ZONE, "prefixed_hosted_zone_id": "ZPARENT"}, "prefixed_hosted_zone_id", "without the id"),
        ({"prefixed_hosted_zone_id": "ZOTHER"}, "prefixed_hosted_zone_id", "lie in example.com as well"),
        (
            {**APEX, "prefixed_hosted_zone_id": "ZAPEX"},
            "prefixed_hosted_zone_id",
            "write the id of the zone example.com",
        ),
        ({"ttl": 0}, "ttl", "1 to 86400"),
        ({"ttl": 86_401}, "ttl", "write 300, or 60"),
    ],
)
def test_what_dns_or_route_53_would_refuse_is_said_beforehand(changes: dict[str, Any], input: str, said: str) -> None:
    found = problems(**changes)
    assert list(found) == [input]
    assert said in found[input]


REGIONS = Session().get_available_regions("elbv2")
REGIONS += Session().get_available_regions("elbv2", "aws-cn") + Session().get_available_regions("elbv2", "aws-us-gov")


@pytest.mark.parametrize("region", REGIONS)
def test_an_alias_can_be_made_in_every_region_of_the_sdk(region: str) -> None:
    suffix = dns_suffix(region)
    for hostname in (f"a-1.elb.{region}.{suffix}", f"a-1.{region}.elb.{suffix}"):
        assert problems(**APEX, load_balancer_hostname=hostname) == {}


def test_a_region_whose_zones_are_unknown_stands_in_the_way_of_an_alias_only() -> None:
    unknown = "a-1.elb.eu-west-9.amazonaws.com"
    assert problems(load_balancer_hostname=unknown) == {}
    assert problems(**APEX, load_balancer_hostname=unknown, enable_base_record=False) == {}


def test_all_problems_are_told_together() -> None:
    assert set(problems(base_domain="a b", ttl=-1, hosted_zone_id="x")) == {"base_domain", "ttl", "hosted_zone_id"}


@pytest.mark.parametrize("changes", [{"ttl": 1}, {"ttl": 86_400}, {"load_balancer_type": "network"}])
def test_limits_themselves_are_allowed(changes: dict[str, Any]) -> None:
    assert problems(**changes) == {}


LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)


@given(st.lists(LABELS, min_size=2, max_size=5), st.data())
def test_every_made_record_lies_in_its_zone_and_points_at_an_absolute_name(
    labels: list[str], data: st.DataObject
) -> None:
    depth = data.draw(st.integers(0, len(labels) - 2))
    base, zone = ".".join(labels), ".".join(labels[depth:])
    chosen = options(base_domain=base, hosted_zone_name=zone)
    if not record_problems(chosen):
        made = records_to_make(chosen)
        assert len(made) == (1 if base == zone else 7)
        assert all(one.name == zone or one.name.endswith(f".{zone}") for one in made)
        assert not any(one.type == "CNAME" and one.name == zone for one in made)
        assert all(one.value.endswith(".") and not one.value.endswith("..") for one in made)
