"""Whoever knows the rules and looks for a way around them is found out."""

from pathlib import Path

import pytest

from access_attacks import ATTACKS, OUT_OF_SCOPE
from policy_world import configured, judge


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
