"""Whoever knows the rules and looks for a way around them is found out."""

import pytest

from access_attacks import ATTACKS
from policy_world import configured, judge


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_by_the_rule_that_it_tries_to_pass(name: str) -> None:
    rule, made = ATTACKS[name]
    assert rule in judge(made, configured()).rules


def test_there_are_enough_attacks_to_mean_something() -> None:
    assert len(ATTACKS) >= 60
