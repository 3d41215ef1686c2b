"""The policy pack on the real engine: programs full of breaks, each found by the intended rule and no other; and the
example stacks, which pass."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pulumi
import pytest
from pulumi.automation.errors import CommandError

from environments import PROJECT, MakeEnvironment
from policy_cases import CASES, Case, launch_template, queue
from policy_world import STACK_TYPE, Made
from sandbox.providers.protocol import Resource, StandIn, Values
from small_stack import SmallStack

PACKAGES = ("aws", "kubernetes")
PROGRAMS = sorted({(case.production, case.program) for case in CASES})


class Echo(StandIn):
    """A provider that refuses nothing and answers with what it was given: here only the policies judge."""

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        return new

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        return ("" if preview else f"{resource.name}-id"), inputs

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        pass


@pytest.fixture
def small(tmp_path: Path) -> SmallStack:
    stand_ins = {package: Echo() for package in PACKAGES}
    return SmallStack(tmp_path, stand_ins, policy_packs=[str(PROJECT / "policies")])


def program(made: Sequence[Made]) -> Callable[[], None]:
    def register() -> None:
        known: dict[str, pulumi.Resource] = {}
        for one in made:
            if one.type == STACK_TYPE:
                for key, value in one.props.items():
                    pulumi.export(key, value)
                continue
            if one.is_component:
                known[one.name] = pulumi.ComponentResource(one.type, one.name)
                continue
            references = {key: known[name].id for key, name in one.refs.items()}  # pyright: ignore[reportAttributeAccessIssue]
            parent = pulumi.ComponentResource(one.parent, f"{one.name}-parent") if one.parent else None
            options = pulumi.ResourceOptions(protect=one.protect, parent=parent)
            known[one.name] = pulumi.CustomResource(one.type, one.name, {**one.props, **references}, options)

    return register


def named(made: Made, prefix: str) -> Made:
    refs = {key: f"{prefix}{name}" for key, name in made.refs.items()}
    return replace(made, name=f"{prefix}{made.name}", refs=refs)


def violations(small: SmallStack) -> set[tuple[str, str, str]]:
    """Rule, resource and level of each."""
    found = [event.policy_event for event in small.events if event.policy_event]
    return {
        (event.policy_name, (event.resource_urn or "").rpartition("::")[2], event.enforcement_level)
        for event in found
        if "during preview" not in event.message
    }


@pytest.mark.engine
@pytest.mark.parametrize("chosen", PROGRAMS, ids=lambda chosen: f"{chosen[1] or 'all'}{'-production' * chosen[0]}")
def test_each_break_is_found_by_exactly_the_intended_rule(small: SmallStack, chosen: tuple[bool, str]) -> None:
    small.config = {"eks-analytics:production": str(chosen[0]).lower()}
    cases = [case for case in CASES if (case.production, case.program) == chosen]
    numbered = {f"c{index}-": case for index, case in enumerate(cases)}
    made = [named(one, prefix) for prefix, case in numbered.items() for one in case.resources()]
    with pytest.raises(CommandError):
        small.preview(program(made))
    assert {(rule, resource) for rule, resource, _ in violations(small)} == {
        (case.rule, _about(prefix, case)) for prefix, case in numbered.items()
    }


def _about(prefix: str, case: Case) -> str:
    about = case.about or case.of or case.resources()[0].name
    return "small-test" if about == "stack" else f"{prefix}{about}"


def test_the_programs_hold_more_than_thirty_breaks() -> None:
    assert len(CASES) >= 30


@pytest.mark.engine
def test_an_update_stops_before_it_makes_what_a_mandatory_rule_refuses(small: SmallStack) -> None:
    open_queue = queue()[0].changed({"sqsManagedSseEnabled": False})
    with pytest.raises(CommandError):
        small.up(program([open_queue]))
    assert violations(small) == {("encrypt-queues", "queue", "mandatory")}
    assert [one["type"] for one in small.resources() if one["type"].startswith("aws:")] == []


@pytest.mark.engine
def test_an_advisory_rule_is_told_and_stops_nothing(small: SmallStack) -> None:
    small.config = {"eks-analytics:policies": json.dumps({"levels": {"encrypt-queues": "advisory"}})}
    small.up(program([queue()[0].changed({"sqsManagedSseEnabled": False})]))
    settings = ("list-settings", "small-test", "advisory")
    assert violations(small) == {("encrypt-queues", "queue", "advisory"), settings}


@pytest.mark.engine
def test_wrong_settings_of_the_pack_stop_an_update_before_its_first_resource(small: SmallStack) -> None:
    small.config = {"eks-analytics:policies": json.dumps({"levels": {"encrypt-queue": "advisory"}})}
    with pytest.raises(CommandError):
        small.up(program(queue()))
    assert violations(small) == {("check-policy-configuration", "small-test", "mandatory")}
    assert [one for one in small.resources() if one["type"].startswith("aws:")] == []


@pytest.mark.engine
def test_an_output_that_is_marked_secret_is_none_in_clear(small: SmallStack) -> None:
    def register() -> None:
        pulumi.export("admin_password", pulumi.Output.secret("hunter22"))
        pulumi.export("settings", {"user": "admin", "token": pulumi.Output.secret("9f8e7d6c5b4a")})

    small.preview(register)
    assert violations(small) == set()


@pytest.mark.engine
def test_a_file_on_the_command_line_turns_no_rule_off(small: SmallStack, tmp_path: Path) -> None:
    file = tmp_path / "levels.json"
    levels = {"encrypt-queues": "disabled", "check-policy-configuration": "advisory", "encrypt-topics": "mandatory"}
    file.write_text(json.dumps(levels))
    small.policy_pack_configs = [str(file)]
    with pytest.raises(CommandError):
        small.preview(program([queue()[0].changed({"sqsManagedSseEnabled": False})]))
    assert violations(small) == {
        ("encrypt-queues", "queue", "mandatory"),
        ("check-policy-configuration", "small-test", "mandatory"),
    }
    said = [event.policy_event.message for event in small.events if event.policy_event]
    assert sum("--policy-pack-config: encrypt-queues cannot be disabled, it is mandatory" in one for one in said) == 1
    assert sum("--policy-pack-config" in one for one in said) == 2


@pytest.mark.engine
def test_what_the_engine_does_not_know_yet_is_told_and_judged_by_the_update(small: SmallStack) -> None:
    def register() -> None:
        made = queue()[0]
        first = pulumi.CustomResource(made.type, made.name, dict(made.props), None)
        template = launch_template()[0]
        script = first.id.apply(lambda id: f"ADMIN_PASSWORD=hunter2-{id}")
        pulumi.CustomResource(template.type, template.name, {**template.props, "userData": script}, None)

    small.preview(register)
    waiting = [event.policy_event for event in small.events if event.policy_event]
    assert [(event.policy_name, event.enforcement_level) for event in waiting] == [
        ("keep-secrets-out-of-user-data", "advisory")
    ]
    assert "template: .userData is known only after the update" in waiting[0].message
    with pytest.raises(CommandError):
        small.up(register)
    assert violations(small) == {("keep-secrets-out-of-user-data", "template", "mandatory")}


# The example stacks


@pytest.mark.engine
@pytest.mark.parametrize(
    "stack", ["dev", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("prod", "e6data"))]
)
def test_an_example_stack_passes_with_nothing_to_object_to(environment: MakeEnvironment, stack: str) -> None:
    chosen = environment(stack, policies=True)
    assert "no violation, " in chosen.run("preview").output
    applied = chosen.run("up", "--yes").output
    assert applied.count("no violation") == 1
    assert "judged by the update" not in applied


@pytest.mark.engine
@pytest.mark.thorough
def test_backups_in_production_pass_too(environment: MakeEnvironment) -> None:
    prod = environment("prod", policies=True)
    prod["velero"] = {
        "bucket": {
            "replication": {
                "region": "us-west-2",
                "kms_key_arn": "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            }
        },
        "schedules": [{"name": "daily"}, {"name": "hourly", "cron": "0 * * * *", "ttl": "48h"}],
        "watch": {"subscriptions": [{"protocol": "email", "endpoint": "platform@example.com"}]},
    }
    assert "no violation, " in prod.run("preview").output
    applied = prod.run("up", "--yes").output
    assert "no violation\n" in applied
    assert "judged by the update" not in applied


@pytest.mark.engine
def test_backups_that_nobody_watches_are_refused(environment: MakeEnvironment) -> None:
    dev = environment("dev", policies=True)
    dev["velero"] = {"watch": {"enabled": False}}
    output = dev.run("preview", code=1).output
    assert "mandatory alarm-on-missing-backups" in output
    assert "dash-dev-velero (kubernetes.helm.sh.Release): no alarm watches its backups" in output
    dev["velero"] = {"schedules": [{"name": "daily", "paused": True}]}
    assert (
        "dash-dev-velero (kubernetes.helm.sh.Release): no schedule makes backups" in dev.run("preview", code=1).output
    )


@pytest.mark.engine
def test_a_refused_plan_names_rule_resource_and_remedy_and_ends_with_1(environment: MakeEnvironment) -> None:
    dev = environment("dev", policies=True)
    dev["policies"] = {"parameters": {"require-tags": {"tags": ["cost-center"]}}}
    output = dev.run("preview", code=1).output
    assert "mandatory require-tags: Resources that cost or hold something say whose they are." in output
    assert "dash-dev-vpc (aws.ec2.Vpc): lacks the tags cost-center" in output
    assert "To mend it: set the tags" in output
    assert "Preview failed: policies refuse it." in output


@pytest.mark.engine
def test_waivers_are_listed_with_the_plan(environment: MakeEnvironment) -> None:
    dev = environment("dev", policies=True)
    reason = "The vendor's support needs it until the migration"
    used = {"rule": "limit-log-retention", "resource": "dash-dev-log", "reason": reason, "expires": _soon()}
    dev["policies"] = {"waivers": [used]}
    assert f"waiver not needed, so remove it: limit-log-retention for dash-dev-log until {_soon()}" in (
        dev.run("preview").output
    )
    dev["policies"] = {
        "parameters": {"require-tags": {"tags": ["Name"]}},
        "levels": {"require-tags": "advisory"},
        "waivers": [{**used, "rule": "require-tags", "resource": "dash-dev-control-plane"}],
    }
    output = dev.run("preview").output
    assert f"waiver used: require-tags for dash-dev-control-plane until {_soon()}: {reason}" in output
    assert "advisory require-tags" in output
    assert "dash-dev-control-plane (aws.cloudwatch.LogGroup): lacks" not in output


def _soon() -> str:
    return (date.today() + timedelta(days=30)).isoformat()
