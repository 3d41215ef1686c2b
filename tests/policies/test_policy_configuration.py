"""What a stack sets of the pack: levels, parameters, waivers; and what is refused, with what to write instead."""

import json
from datetime import date
from typing import Any

import pytest
from pulumi.runtime.proto import analyzer_pb2

from pack.host import raise_levels
from pack.policies import CONFIGURATION, SETTINGS, WAIVERS, Pack
from pack.rule import Level
from pack.strictness import fewer, same
from policy_cases import cluster, queue, topic, vpc
from policy_world import TODAY, UNKNOWN, Verdict, configured, judge
from rules import RULES

BY_ID = {rule.id: rule for rule in RULES}


def waiver(**given: Any) -> dict[str, Any]:
    reason = "The queue is replaced in January, agreed with security"
    return {"rule": "encrypt-queues", "resource": "queue", "reason": reason, "expires": "2027-01-31", **given}


def problems(settings: object, production: bool = False) -> list[str]:
    return configured(settings, production).problems


def judged(settings: object, *made: Any, production: bool = False, today: date = TODAY) -> Verdict:
    open_queue = queue()[0].changed({"sqsManagedSseEnabled": False})
    return judge(made or [open_queue], configured(settings, production, today))


def test_nothing_set_is_nothing_wrong() -> None:
    for nothing in (None, "", {}, "{}"):
        assert problems(nothing) == []


def test_settings_come_as_the_engine_hands_them_over() -> None:
    text = json.dumps({"levels": {"encrypt-queues": "advisory"}, "waivers": [waiver()]})
    found = configured(text)
    assert found.level(BY_ID["encrypt-queues"]) is Level.ADVISORY
    assert found.waivers[0].expires == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("no JSON", "policies: is text; write an object"),
        ([1], "policies: is no object"),
        ({"level": {}}, "policies.level: is unknown; there are levels, parameters, waivers"),
        ({"waivers": {}}, "policies.waivers: is no list"),
        ({"levels": []}, "policies.levels: is no object"),
        (
            {"levels": {"encrypt-queue": "advisory"}},
            "policies.levels.encrypt-queue: there is no such rule; did you mean encrypt-queues?",
        ),
        ({"levels": {"xyz": "advisory"}}, "policies.levels.xyz: there is no such rule; README.md lists them"),
        (
            {"levels": {"encrypt-queues": "warning"}},
            'policies.levels.encrypt-queues: "warning" is no level; write advisory, mandatory, disabled',
        ),
        (
            {"levels": {"limit-trust": "advisory"}},
            "policies.levels.limit-trust: advisory is lower than its own mandatory, and the rule is critical; "
            "write a waiver for each resource instead",
        ),
        ({"parameters": {"encrypt-queue": {}}}, "there is no such rule; did you mean encrypt-queues?"),
        ({"parameters": {"encrypt-queues": {"a": 1}}}, "encrypt-queues.a: is unknown; the rule has no parameters"),
        ({"parameters": {"limit-metadata-hops": 2}}, "limit-metadata-hops: is no object; the rule has hops"),
        (
            {"parameters": {"limit-metadata-hops": {"hops": "two"}}},
            'limit-metadata-hops.hops: "two" cannot be; write something like 1',
        ),
        (
            {"parameters": {"limit-world-ingress": {"ports": ["443"]}}},
            'limit-world-ingress.ports: ["443"] cannot be; write something like [80, 443]',
        ),
        (
            {"parameters": {"use-supported-kubernetes": {"standard_support_ends": {"1.37": "soon"}}}},
            'use-supported-kubernetes.standard_support_ends: {"1.37": "soon"} cannot be; write something like {',
        ),
        ({"waivers": ["encrypt-queues"]}, "policies.waivers[0]: is no object"),
        ({"waivers": [waiver(until="x")]}, "policies.waivers[0].until: is unknown; a waiver has rule, resource"),
        ({"waivers": [waiver(rule="encrypt-queue")]}, "policies.waivers[0].rule: there is no such rule; did you mean"),
        ({"waivers": [waiver(rule="")]}, "policies.waivers[0].rule: is missing; write text"),
        ({"waivers": [waiver(reason="")]}, "policies.waivers[0].reason: is missing; write text"),
        ({"waivers": [waiver(reason="  ")]}, 'policies.waivers[0].reason: "  " is no text'),
        ({"waivers": [waiver(reason="because")]}, 'policies.waivers[0].reason: "because" tells a reviewer nothing'),
        ({"waivers": [waiver(resource="*")]}, "policies.waivers[0].resource: * stands for many"),
        ({"waivers": [waiver(expires="")]}, "policies.waivers[0].expires: is missing; write a day in quotes such as"),
        ({"waivers": [waiver(expires=20270131)]}, "policies.waivers[0].expires: 20270131 is no text; write a day"),
        ({"waivers": [waiver(expires="31.1.2027")]}, 'policies.waivers[0].expires: "31.1.2027" is no day; write it as'),
        ({"waivers": [waiver(expires="2027-02-30")]}, 'policies.waivers[0].expires: "2027-02-30" is no day'),
        (
            {"waivers": [waiver(expires="2027-01-31 00:00:00 +0000 UTC")]},
            'policies.waivers[0].expires: "2027-01-31 00:00:00 +0000 UTC" is a time; put it in quotes: "2027-01-31"',
        ),
        (
            {"waivers": [waiver(expires="2028-01-01")]},
            "is more than 365 days away; write 2027-11-21 or earlier",
        ),
        (
            {"waivers": [waiver(expires="2026-11-20")]},
            "policies.waivers[0]: the waiver of encrypt-queues for queue ended on 2026-11-20; "
            "mend the resource and remove the waiver, or have it renewed",
        ),
    ],
    ids=lambda value: None if not isinstance(value, str) else "",
)
def test_what_is_wrong_is_a_violation_that_says_what_to_write(settings: object, said: str) -> None:
    (problem,) = problems(settings)
    assert said in problem
    assert judged(settings).of(CONFIGURATION) == [problem]


def test_all_problems_are_told_at_once_and_what_is_right_counts() -> None:
    settings = {
        "levels": {"encrypt-queues": "advisory", "nothing": "advisory"},
        "parameters": {"limit-metadata-hops": {"hops": 2, "other": 1}},
        "waivers": [waiver(reason=""), waiver(rule="encrypt-topics")],
    }
    found = configured(settings)
    assert len(found.problems) == 3
    assert found.level(BY_ID["encrypt-queues"]) is Level.ADVISORY
    assert found.situation(BY_ID["limit-metadata-hops"])["hops"] == 2
    assert [one.rule for one in found.waivers] == ["encrypt-topics"]


def test_the_settings_policy_itself_cannot_be_turned_down() -> None:
    (problem,) = problems({"levels": {CONFIGURATION: "disabled"}})
    assert "there is no such rule" in problem


# Levels


def test_a_level_can_be_lowered_outside_production_only() -> None:
    settings = {"levels": {"encrypt-queues": "disabled"}}
    assert judged(settings).rules == set()
    (problem,) = problems(settings, production=True)
    assert "the stack is marked production" in problem
    assert judged(settings, production=True).rules == {CONFIGURATION, "encrypt-queues"}


def test_a_level_can_be_raised_anywhere() -> None:
    settings = {"levels": {"protect-cluster-deletion": "mandatory", "limit-log-retention": "mandatory"}}
    assert problems(settings, production=True) == []
    unprotected = cluster()[0].changed({"deletionProtection": False})
    assert judged(settings, unprotected).rules == {"protect-cluster-deletion"}


# Parameters


LOOSER = {
    "limit-metadata-hops": {"hops": 2},
    "refuse-public-addresses": {"declared": ["*"]},
    "encrypt-buckets": {"algorithms": ["aws:kms", "none"]},
    "version-backup-buckets": {"names": ["velero"]},
    "protect-stateful-resources": {"exempt": ["*"]},
    "tag-load-balancer-subnets": {"zones": 1},
    "keep-control-plane-logs": {"types": ["audit"]},
    "use-supported-kubernetes": {"standard_support_ends": {"1.31": "2030-01-01"}},
    "set-load-balancer-controller-flags": {"flags": {"enableWaf": False}},
    "alarm-on-missing-backups": {"dimension": "Bucket"},
}
LOOSER_OF_CRITICAL = {
    "limit-world-ingress": {"ports": [80, 443, 5432]},
    "limit-endpoint-cidrs": {"shortest_prefix": 0},
    "refuse-world-administration": {"shortest_prefix": 0},
}
STRICTER = {
    "limit-world-ingress": {"ports": [443]},
    "limit-endpoint-cidrs": {"shortest_prefix": 24},
    "limit-metadata-hops": {"hops": 0},
    "encrypt-buckets": {"algorithms": ["aws:kms"]},
    "keep-control-plane-logs": {"types": ["api", "audit", "authenticator", "controllerManager", "scheduler", "all"]},
    "use-supported-kubernetes": {"standard_support_ends": {"1.36": "2027-01-01"}},
    "version-backup-buckets": {"names": ["backup", "velero", "restore"]},
}


@pytest.mark.parametrize(("rule", "values"), [*LOOSER.items(), *LOOSER_OF_CRITICAL.items()])
def test_in_production_no_parameter_loosens_a_rule(rule: str, values: dict[str, Any]) -> None:
    (problem,) = problems({"parameters": {rule: values}}, production=True)
    ((name, value),) = values.items()
    assert f"policies.parameters.{rule}.{name}: {json.dumps(value)} asks for less than its own " in problem
    assert "write a waiver for each resource instead, with a reason and a day on which it ends" in problem
    found = configured({"parameters": {rule: values}}, production=True)
    assert found.situation(BY_ID[rule])[name] == BY_ID[rule].parameters[name].value(True)


@pytest.mark.parametrize(("rule", "values"), LOOSER_OF_CRITICAL.items())
def test_no_parameter_loosens_a_critical_rule_anywhere(rule: str, values: dict[str, Any]) -> None:
    (problem,) = problems({"parameters": {rule: values}})
    assert "and the rule is critical" in problem


@pytest.mark.parametrize(("rule", "values"), LOOSER.items())
def test_elsewhere_a_parameter_that_loosens_a_rule_counts_and_is_listed(rule: str, values: dict[str, Any]) -> None:
    settings = {"parameters": {rule: values}}
    assert problems(settings) == []
    ((name, value),) = values.items()
    (message,) = judged(settings).of(SETTINGS)
    assert message.startswith(f"looser: {rule}.{name} is {json.dumps(value)} instead of ")


@pytest.mark.parametrize(("rule", "values"), STRICTER.items())
def test_a_parameter_tightens_a_rule_anywhere(rule: str, values: dict[str, Any]) -> None:
    settings = {"parameters": {rule: values}}
    assert problems(settings, production=True) == []
    (message,) = judged(settings, production=True).of(SETTINGS)
    assert message.startswith(f"stricter: {rule}.")


def test_every_parameter_says_which_values_are_stricter() -> None:
    of_any_value = {
        f"{rule.id}.{name}"
        for rule in RULES
        for name, parameter in rule.parameters.items()
        if parameter.tighter is same
    }
    assert of_any_value == {"alarm-on-missing-backups.names", "alarm-on-missing-backups.dimension"}


def test_a_pattern_is_stricter_than_one_that_says_more() -> None:
    own = ["ssmmessages:*", "xray:PutTraceSegments"]
    assert fewer(own, ["ssmmessages:OpenDataChannel", "ssmmessages:Open*"])
    for wider in (["*"], ["ssm*"], ["xray:Put*"], ["ssmmessages:*", "s3:GetObject"], ["xray:?utTraceSegments"]):
        assert not fewer(own, wider)


def test_what_is_as_a_rule_has_it_is_not_listed() -> None:
    settings = {
        "levels": {"encrypt-queues": "mandatory"},
        "parameters": {"limit-metadata-hops": {"hops": 1}},
    }
    assert judged(settings).of(SETTINGS) == []


# The command line


def test_a_file_on_the_command_line_raises_levels_and_lowers_none() -> None:
    pack = Pack(RULES)
    pack.configure(configured())
    levels = {
        "limit-trust": analyzer_pb2.DISABLED,
        CONFIGURATION: analyzer_pb2.ADVISORY,
        SETTINGS: analyzer_pb2.DISABLED,
        "limit-log-retention": analyzer_pb2.MANDATORY,
        "encrypt-queues": analyzer_pb2.MANDATORY,
    }
    request = analyzer_pb2.ConfigureAnalyzerRequest(
        policyConfig={id: analyzer_pb2.PolicyConfig(enforcementLevel=level) for id, level in levels.items()}
    )
    assert list(raise_levels(pack.policies, request)) == [
        f"--policy-pack-config: {id} cannot be {given}, it is {own}; "
        "set levels in the stack's own eks-analytics:policies, where a review sees them"
        for id, given, own in (
            (CONFIGURATION, "advisory", "mandatory"),
            ("limit-trust", "disabled", "mandatory"),
            (SETTINGS, "disabled", "advisory"),
        )
    ]
    assert request.policyConfig["limit-trust"].enforcementLevel == analyzer_pb2.MANDATORY
    assert request.policyConfig["limit-log-retention"].enforcementLevel == analyzer_pb2.MANDATORY


# Parameters in use


def test_parameters_change_what_a_rule_asks_for() -> None:
    settings = {"parameters": {"tag-load-balancer-subnets": {"zones": 3}}}
    said = judged(settings, *vpc(), *cluster()).of("tag-load-balancer-subnets")
    assert [message.splitlines()[0] for message in said] == [
        "vpc: kubernetes.io/role/elb on subnets of 2 zone(s): us-east-1a, us-east-1b",
        "vpc: kubernetes.io/role/internal-elb on subnets of 2 zone(s): us-east-1a, us-east-1b",
    ]


# Waivers


def test_a_waiver_counts_and_is_listed() -> None:
    said = judged({"waivers": [waiver()]}).said
    reason = "The queue is replaced in January, agreed with security"
    assert said == [(WAIVERS, f"used: encrypt-queues for queue until 2027-01-31: {reason}")]


def test_a_waiver_counts_on_its_last_day_and_never_after() -> None:
    settings = {"waivers": [waiver()]}
    assert judged(settings, today=date(2027, 1, 31)).rules == set()
    assert judged(settings, today=date(2027, 2, 1)).rules == {"encrypt-queues", CONFIGURATION}


def test_a_waiver_may_name_the_urn() -> None:
    assert judged({"waivers": [waiver(resource=queue()[0].urn)]}).rules == set()


def test_a_waiver_is_for_its_resource_and_its_rule_alone() -> None:
    assert judged({"waivers": [waiver(resource="other")]}).rules == {"encrypt-queues"}
    assert judged({"waivers": [waiver(rule="encrypt-topics")]}).rules == {"encrypt-queues"}


def test_a_waiver_that_nothing_needs_is_told() -> None:
    (message,) = judged({"waivers": [waiver(rule="encrypt-topics", resource="topic")]}, *topic()).of(WAIVERS)
    assert message.startswith("not needed, so remove it: encrypt-topics for topic")


def test_a_waiver_of_what_cannot_be_judged_yet_is_not_told_to_be_useless() -> None:
    hidden = cluster()[0].changed({"encryptionConfig": UNKNOWN})
    waived = waiver(rule="encrypt-kubernetes-secrets", resource="cluster")
    (message,) = judged({"waivers": [waived]}, hidden).of(WAIVERS)
    assert message.startswith("for the update to judge: encrypt-kubernetes-secrets for cluster until 2027-01-31")


def test_what_is_critical_can_be_waived_too() -> None:
    open_cluster = cluster()[0].changed({"vpcConfig|publicAccessCidrs": ["0.0.0.0/0"]})
    waived = waiver(rule="limit-endpoint-cidrs", resource="cluster")
    assert judged({"waivers": [waived]}, open_cluster).rules == set()


def test_in_production_a_waiver_lasts_ninety_days_at_most() -> None:
    assert problems({"waivers": [waiver(expires="2027-02-19")]}, production=True) == []
    (problem,) = problems({"waivers": [waiver(expires="2027-02-20")]}, production=True)
    assert "is more than 90 days away" in problem
    assert "write 2027-02-19 or earlier" in problem
