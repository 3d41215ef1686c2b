from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from eks_analytics.dns import DashDnsRecords
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder

NETWORK = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-2.amazonaws.com"
CLASSIC = "ad52abddab74e44c98bcf129f5d0a230-1234567890.us-east-2.elb.amazonaws.com"
KEYS = ["base", "api", "ws", "git", "registry", "auth", "admin"]


def arguments(**changes: Any) -> Any:
    return {
        "base_domain": "dash.example.com",
        "hosted_zone_id": "ZPARENT",
        "hosted_zone_name": "example.com",
        "load_balancer_hostname": NETWORK,
        **changes,
    }


@pytest.fixture
def build(recorder: Recorder) -> Callable[..., dict[str, Any]]:
    """Build the records named "main" of the arguments given. Returns the outputs."""

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: DashDnsRecords("main", arguments(**changes)))

    return build


def made(recorder: Recorder) -> dict[str, dict[str, Any]]:
    return {name: found.inputs for name, found in recorder.of("Record").items()}


def test_seven_records_are_made_once_the_load_balancer_is_known(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    outputs = build(ttl=60.0)  # plugins hand integers over as floats
    assert set(made(recorder)) == {f"main-{key}" for key in KEYS}
    assert made(recorder)["main-base"] == {
        "zoneId": "ZPARENT",
        "name": "dash.example.com",
        "type": "CNAME",
        "ttl": 60,
        "records": [f"{NETWORK}."],
    }
    assert made(recorder)["main-ws"] == {
        "zoneId": "ZPARENT",
        "name": "ws-dash.example.com",
        "type": "CNAME",
        "ttl": 60,
        "records": ["dash.example.com."],
    }
    assert outputs["record_names"] == ["dash.example.com", *(f"{key}-dash.example.com" for key in KEYS[1:])]
    assert [row["ttl"] for row in outputs["records_table"]] == ["60"] * 7
    assert "Ready" in outputs["next_step"]


def test_nothing_is_made_before_and_the_outputs_say_what_to_do(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    outputs = build(load_balancer_hostname="")
    assert made(recorder) == {}
    assert outputs["record_names"] == []
    assert len(outputs["records_table"]) == 7
    assert "dns discover --stack stack" in outputs["next_step"]


@pytest.mark.parametrize(
    ("hostname", "zone"),
    [(NETWORK, "ZLMOA37VPKANP"), (CLASSIC, "Z3AADJGX6KTTL2"), (f"{NETWORK}.", "ZLMOA37VPKANP")],
)
def test_at_the_apex_an_alias_points_at_the_load_balancer_in_the_zone_of_its_type(
    build: Callable[..., dict[str, Any]], recorder: Recorder, hostname: str, zone: str
) -> None:
    outputs = build(hosted_zone_name="dash.example.com", load_balancer_hostname=hostname)
    assert made(recorder) == {
        "main-base": {
            "zoneId": "ZPARENT",
            "name": "dash.example.com",
            "type": "A",
            "aliases": [{"name": hostname.removesuffix("."), "zoneId": zone, "evaluateTargetHealth": False}],
        }
    }
    assert outputs["record_names"] == ["dash.example.com"]
    assert "by hand" in outputs["next_step"]
    assert len(recorder.warnings) == 1


def test_at_the_apex_the_six_go_to_the_zone_above_where_it_is_given(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build(hosted_zone_name="dash.example.com", prefixed_hosted_zone_id="ZABOVE")
    zones = {name: record["zoneId"] for name, record in made(recorder).items()}
    assert zones == {"main-base": "ZPARENT", **{f"main-{key}": "ZABOVE" for key in KEYS[1:]}}
    assert recorder.warnings == []


def test_switching_the_base_record_off_changes_nothing_else(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    build()
    before = made(recorder)
    build(enable_base_record=False)
    assert made(recorder) == {name: record for name, record in before.items() if name != "main-base"}


def test_every_record_is_a_child_of_the_component_and_takes_none_of_its_options(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], ignore_changes=["ttl"])
    recorder.run(lambda: DashDnsRecords("main", arguments(), opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:DashDnsRecords"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:DashDnsRecords::main"}
    assert not any(child.request.aliases or child.request.ignoreChanges for child in children)


def test_every_problem_is_reported_before_anything_is_registered(
    build: Callable[..., dict[str, Any]], recorder: Recorder
) -> None:
    with pytest.raises(ValueError, match=r"(?s)DNS records 'main'.*base_domain.*ttl"):
        build(base_domain="not a name", ttl=0)
    assert recorder.registrations == []


def test_the_schema_documents_every_input_and_output() -> None:
    found = InheritingAnalyzer("eks-analytics").analyze_component(DashDnsRecords)
    fields = {**found.inputs, **found.outputs}
    assert [name for name, field in fields.items() if not field.description] == []
    required = [name for name, field in found.inputs.items() if not field.optional]
    assert required == ["baseDomain"]
