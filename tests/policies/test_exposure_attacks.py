"""Whoever knows the rules on networks, stores and secrets and looks for a way around them is found out."""

import pytest

import exposure_attacks
import secret_attacks
from policy_world import configured, judge

ATTACKS = {**exposure_attacks.ATTACKS, **secret_attacks.ATTACKS}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found_by_the_rule_that_it_tries_to_pass(name: str) -> None:
    rule, made = ATTACKS[name]
    assert rule in judge(made, configured()).rules


@pytest.mark.parametrize("name", exposure_attacks.IN_PRODUCTION)
def test_in_production_what_is_open_to_a_wide_network_is_found(name: str) -> None:
    rule, made = exposure_attacks.IN_PRODUCTION[name]
    assert rule in judge(made, configured(production=True)).rules
    assert rule not in judge(made, configured()).rules


def test_no_attack_has_the_name_of_another() -> None:
    assert len(ATTACKS) == len(exposure_attacks.ATTACKS) + len(secret_attacks.ATTACKS)
    assert len(ATTACKS) >= 100
