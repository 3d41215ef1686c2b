"""Whoever knows the rules and looks for a way around them is found out."""

from pathlib import Path

import pytest

from access_attacks import ATTACKS, OUT_OF_SCOPE
from policy_cases import TAGS
from policy_world import UNKNOWN, Made, configured, judge


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_by_the_rule_that_it_tries_to_pass(name: str) -> None:
    rule, made = ATTACKS[name]
    assert rule in judge(made, configured()).rules


def test_there_are_enough_attacks_to_mean_something() -> None:
    assert len(ATTACKS) >= 60


@pytest.mark.parametrize("name", OUT_OF_SCOPE)
def test_what_is_not_judged_is_documented_with_its_reason(name: str) -> None:
    assert judge(OUT_OF_SCOPE[name], configured()).said == []
    page = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
    assert f"- **{name}.** " in page.read_text().partition("## What the policies do not judge")[2]


def test_a_statement_that_is_not_known_yet_hides_no_other() -> None:
    hidden = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": UNKNOWN}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [hidden, everything]}
    verdict = judge([Made("aws:iam/policy:Policy", "policy", {"policy": policy, "tags": TAGS})], configured())
    assert verdict.rules == {"refuse-administrator-policies"}
    assert "refuse-administrator-policies" in dict(verdict.waiting)


def test_a_source_that_is_not_known_yet_is_judged_by_the_update() -> None:
    function = {"function": "f", "principal": "s3.amazonaws.com", "sourceArn": UNKNOWN}
    permission = Made("aws:lambda/permission:Permission", "permission", function)
    verdict = judge([permission], configured())
    assert (verdict.said, [rule for rule, _ in verdict.waiting]) == ([], ["name-sources-of-services"])
    in_account = permission.changed({"sourceAccount": "123456789012"})
    assert judge([in_account], configured()).waiting == []
