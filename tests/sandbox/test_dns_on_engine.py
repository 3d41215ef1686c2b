"""DashDnsRecords on the real engine: what Route 53 holds at each step of an installation and of a restore."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_analytics.dns import DashDnsRecords
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "us-east-2"
NETWORK = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-2.amazonaws.com"
CLASSIC = "ad52abddab74e44c98bcf129f5d0a230-1234567890.us-east-2.elb.amazonaws.com"
PREFIXED = [f"{prefix}-dash.example.com" for prefix in ("admin", "api", "auth", "git", "registry", "ws")]
CNAMES = dict.fromkeys(PREFIXED, ("CNAME", 300, "dash.example.com."))


@pytest.fixture
def zones(cloud: Cloud) -> Iterator[dict[str, str]]:
    """Ids of hosted zones that the team has already, by name."""
    route53 = cloud.client("route53", REGION)
    made = {
        name: route53.create_hosted_zone(Name=name, CallerReference=name)["HostedZone"]["Id"].split("/")[-1]
        for name in ("example.com", "dash.example.com")
    }
    yield made
    for id in made.values():
        route53.delete_hosted_zone(Id=id)  # which AWS refuses while a record of ours is left


@pytest.fixture
def stack(cloud: Cloud, zones: dict[str, str], tmp_path: Path) -> Iterator[SmallStack]:
    del zones  # which outlive the stack
    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    yield stack
    stack.destroy()


def program(zones: dict[str, str], zone: str = "example.com", **changes: Any) -> Program:
    def run() -> None:
        emulated = aws.Provider("emulated", region=REGION)
        args: Any = {
            "base_domain": "dash.example.com",
            "hosted_zone_id": zones[zone],
            "hosted_zone_name": zone,
            "load_balancer_hostname": NETWORK,
            **changes,
        }
        records = DashDnsRecords("main", args, pulumi.ResourceOptions(providers=[emulated]))
        for output in DashDnsRecords.__annotations__:
            pulumi.export(output, getattr(records, output))

    return run


def held(cloud: Cloud, zone: str) -> dict[str, tuple[str, int, str]]:
    """Type, TTL and value of each record of the zone but those that it came with."""
    sets = cloud.client("route53", REGION).list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    return {
        one["Name"].removesuffix("."): (one["Type"], one.get("TTL", 0), target(one))
        for one in sets
        if one["Type"] not in ("NS", "SOA")
    }


def target(record: dict[str, Any]) -> str:
    if "AliasTarget" in record:
        return f"{record['AliasTarget']['HostedZoneId']} {record['AliasTarget']['DNSName'].removesuffix('.')}"
    return record["ResourceRecords"][0]["Value"]


def test_the_records_come_with_the_load_balancer_and_stay(
    stack: SmallStack, cloud: Cloud, zones: dict[str, str]
) -> None:
    before = program(zones, load_balancer_hostname="")
    outputs = stack.up(before)
    assert held(cloud, zones["example.com"]) == {}
    assert "dns discover --stack test" in outputs["next_step"]
    assert len(outputs["records_table"]) == 7

    outputs = stack.up(program(zones))
    assert held(cloud, zones["example.com"]) == {**CNAMES, "dash.example.com": ("CNAME", 300, f"{NETWORK}.")}
    assert sorted(outputs["record_names"]) == sorted(["dash.example.com", *PREFIXED])
    assert set(stack.preview(program(zones))) == {"same"}
    assert set(stack.refresh()) == {"same"}
    # The name with its dot is the same name.
    assert set(stack.preview(program(zones, load_balancer_hostname=f"{NETWORK}."))) == {"same"}


def test_a_shorter_time_to_live_updates_and_another_load_balancer_changes_one_record(
    stack: SmallStack, cloud: Cloud, zones: dict[str, str]
) -> None:
    stack.up(program(zones))
    stack.preview(program(zones, ttl=60))
    assert set(stack.actions().values()) == {"update"}
    stack.up(program(zones, ttl=60))
    assert {ttl for _, ttl, _ in held(cloud, zones["example.com"]).values()} == {60}

    moved = program(zones, ttl=60, load_balancer_hostname=CLASSIC)
    stack.preview(moved)
    assert stack.actions() == {"main-base": "update"}
    stack.up(moved)
    assert held(cloud, zones["example.com"])["dash.example.com"] == ("CNAME", 60, f"{CLASSIC}.")


def test_a_restore_takes_the_base_record_away_and_gives_it_back(
    stack: SmallStack, cloud: Cloud, zones: dict[str, str]
) -> None:
    stack.up(program(zones))
    off = program(zones, enable_base_record=False)
    stack.preview(off)
    assert stack.actions() == {"main-base": "delete"}
    assert "switched off" in stack.up(off)["next_step"]
    assert held(cloud, zones["example.com"]) == CNAMES
    stack.up(program(zones))
    assert "dash.example.com" in held(cloud, zones["example.com"])


@pytest.mark.parametrize("hostname", [NETWORK, CLASSIC])
def test_at_the_apex_of_its_zone_the_base_domain_is_an_alias_of_the_load_balancer(
    stack: SmallStack, cloud: Cloud, zones: dict[str, str], hostname: str
) -> None:
    alone = program(zones, "dash.example.com", load_balancer_hostname=hostname)
    outputs = stack.up(alone)
    ((name, (type, _, aliased)),) = held(cloud, zones["dash.example.com"]).items()
    assert (name, type) == ("dash.example.com", "A")
    zone, _, pointed = aliased.partition(" ")
    assert pointed == hostname
    # https://docs.aws.amazon.com/general/latest/gr/elb.html: of us-east-2, network and classic
    assert zone == {NETWORK: "ZLMOA37VPKANP", CLASSIC: "Z3AADJGX6KTTL2"}[hostname]
    assert "by hand" in outputs["next_step"]
    assert set(stack.preview(alone)) == {"same"}
    assert set(stack.refresh()) == {"same"}

    stack.up(
        program(
            zones,
            "dash.example.com",
            load_balancer_hostname=hostname,
            prefixed_hosted_zone_id=zones["example.com"],
        )
    )
    assert held(cloud, zones["example.com"]) == CNAMES


def test_a_zone_of_its_own_later_moves_the_names_there(stack: SmallStack, cloud: Cloud, zones: dict[str, str]) -> None:
    stack.up(program(zones))
    stack.up(program(zones, "dash.example.com", prefixed_hosted_zone_id=zones["example.com"]))
    assert held(cloud, zones["example.com"]) == CNAMES
    assert list(held(cloud, zones["dash.example.com"])) == ["dash.example.com"]


def test_without_a_zone_the_table_says_what_to_make_and_nothing_is_made(
    stack: SmallStack, cloud: Cloud, zones: dict[str, str]
) -> None:
    outputs = stack.up(program({"": ""}, ""))
    assert all(held(cloud, zone) == {} for zone in zones.values())
    rows = {row["name"]: (row["type"], row["value"], row["where"]) for row in outputs["records_table"]}
    assert rows["dash.example.com."] == ("CNAME", f"{NETWORK}.", "by hand")
    assert rows["ws-dash.example.com."] == ("CNAME", "dash.example.com.", "by hand")
