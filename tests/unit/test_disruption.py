"""What a plan replaces, rolls and restarts, and which messages of an engine that gave up are left out."""

from typing import Any

import pytest
from pulumi.automation.events import (
    DiagnosticEvent,
    EngineEvent,
    OpType,
    ResourcePreEvent,
    StepEventMetadata,
    StepEventStateMetadata,
)
from rich.console import Console

from sandbox.plan import Plan
from sandbox.report import UNKNOWN, Report
from sandbox.review_markdown import Review, markdown

GROUP, ADDON, INSTANCE = "aws:eks/nodeGroup:NodeGroup", "aws:eks/addon:Addon", "aws:ec2/instance:Instance"
RELEASE, POOL = "kubernetes:helm.sh/v3:Release", "kubernetes:karpenter.sh/v1:NodePool"
NODE_CLASS = "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass"
ROLLS, STOPS = "Node groups that roll", "Instances that are stopped and started again"
ADDONS, RELEASES, DRIFTS = "EKS add-ons whose pods restart", "Helm releases that are upgraded", "Karpenter replaces"


def state(inputs: dict[str, Any]) -> StepEventStateMetadata:
    return StepEventStateMetadata("", "", "", "", "", inputs=inputs)


def step(type_: str, op: OpType, before: dict[str, Any], after: dict[str, Any], *keys: str) -> EngineEvent:
    urn = f"urn:pulumi:dev::analytics::{type_}::it"
    metadata = StepEventMetadata(op, urn, type_, "", state(before), state(after), [*keys])
    return EngineEvent(0, 0, resource_pre_event=ResourcePreEvent(metadata, planning=True))


def update(type_: str, before: dict[str, Any], after: dict[str, Any]) -> EngineEvent:
    return step(type_, OpType.UPDATE, before, after)


def error(message: str) -> EngineEvent:
    urn = "urn:pulumi:dev::analytics::aws:ec2/subnet:Subnet::subnet"
    return EngineEvent(0, 0, diagnostic_event=DiagnosticEvent(message, "", "error", urn=urn))


def shown(*seen: EngineEvent) -> tuple[Report, str]:
    console = Console(record=True, width=200, file=open("/dev/null", "w"))  # noqa: SIM115
    report = Report(console, plan=True)
    for event in seen:
        report.on_event(event)
    report.show_disruptions()
    return report, console.export_text()


@pytest.mark.parametrize(
    ("type_", "before", "after", "effect"),
    [
        (GROUP, {"launchTemplate": {"version": "1"}}, {"launchTemplate": {"version": UNKNOWN}}, ROLLS),
        (GROUP, {"version": "1.34"}, {"version": "1.35"}, ROLLS),
        (GROUP, {"releaseVersion": "1"}, {"releaseVersion": "2"}, ROLLS),
        (INSTANCE, {"userData": "a"}, {"userData": "b"}, STOPS),
        (ADDON, {"configurationValues": "{}"}, {}, ADDONS),
        (RELEASE, {"version": "1.0.0"}, {"version": "2.0.0"}, RELEASES),
        (POOL, {"spec": {"template": {"spec": 1}}}, {"spec": {"template": {"spec": 2}}}, DRIFTS),
        (NODE_CLASS, {"spec": {"role": "a"}}, {"spec": {"role": "b"}}, DRIFTS),
        ("aws:eks/cluster:Cluster", {"version": "1.34"}, {"version": "1.35"}, "Control planes that are upgraded"),
        ("kubernetes:apps/v1:Deployment", {"spec": {"template": 1}}, {"spec": {"template": 2}}, "Workloads"),
    ],
)  # fmt: skip
def test_an_update_that_interrupts_something_says_so(type_: str, before: Any, after: Any, effect: str) -> None:
    _, text = shown(update(type_, before, after))
    assert effect in text
    plan = Plan()
    plan.on_event(update(type_, before, after))
    page = markdown(Review("dev", plan=plan))
    assert page.index("### Rolled and restarted") < page.index(effect) < page.index("Updated (1)")


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        (GROUP, {"scalingConfig": 1, "labels": 1, "taints": 1}, {"scalingConfig": 2, "labels": 2, "taints": 2}),
        (INSTANCE, {"tags": {"a": "b"}}, {"tags": {}}),
        (ADDON, {"tags": {"a": "b"}}, {"tags": {}}),
        (POOL, {"spec": {"limits": 1, "disruption": 1}}, {"spec": {"limits": 2, "disruption": 2}}),
        (NODE_CLASS, {"metadata": 1}, {"metadata": 2}),
        ("aws:eks/cluster:Cluster", {"tags": 1}, {"tags": 2}),
        ("aws:ec2/vpc:Vpc", {"tags": 1}, {"tags": 2}),
    ],
)
def test_an_update_in_place_interrupts_nothing(type_: str, before: Any, after: Any) -> None:
    report, text = shown(update(type_, before, after))
    assert report.disruptions.found == {}
    assert "roll" not in text


def test_what_is_replaced_is_told_with_the_reason_and_once() -> None:
    replaced = step("aws:ec2/vpc:Vpc", OpType.REPLACE, {}, {}, "instanceTenancy")
    halves = [step("aws:ec2/vpc:Vpc", op, {}, {}) for op in (OpType.CREATE_REPLACEMENT, OpType.DELETE_REPLACED)]
    report, _ = shown(halves[0], replaced, halves[1])
    assert report.disruptions.found == {"Replaced": ["aws.ec2.Vpc it (for instanceTenancy)"]}


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({"timeout": 300}, {"timeout": 600}, "for timeout"),
        ({"values": {"a": 1}}, {"values": {"a": 2}, "atomic": True}, "for atomic, values"),
        ({"version": "1", "timeout": 300}, {"version": "2", "timeout": 600}, "chart 1 → 2"),
    ],
)
def test_a_release_is_told_with_what_changed(before: dict[str, Any], after: dict[str, Any], why: str) -> None:
    report, _ = shown(update(RELEASE, before, after))
    ((effect, told),) = report.disruptions.found.items()
    assert effect.startswith(RELEASES)
    assert told == [f"it ({why})"]


@pytest.mark.parametrize(
    "message",
    [
        "failed to run policy: rpc error: code = Canceled desc = context canceled",
        "failed to run policy: context canceled",
        "rpc error: code = Canceled desc = grpc: the client connection is closing",
        "grpc: the client connection is closing",
    ],
)
def test_a_call_that_the_engine_gave_up_is_no_error_of_a_resource(message: str) -> None:
    cause = "ec2:CreateSubnet: InternalError: it broke"
    report, text = shown(error(message), error(cause))
    assert report.errors == 1
    assert message not in text
    plan = Plan()
    for event in (error(message), error(cause)):
        plan.on_event(event)
    assert plan.errors == [f"subnet: {cause}"]


def test_a_message_that_speaks_of_a_cancellation_is_an_error_all_the_same() -> None:
    report, text = shown(error("context canceled: the spot request was canceled by its owner"))
    assert report.errors == 1
    assert "canceled by its owner" in text
