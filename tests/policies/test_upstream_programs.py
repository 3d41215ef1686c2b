"""What others publish, and many use as it is, raises no alarm."""

import pytest

from policy_world import configured, judge
from upstream_programs import PROGRAMS


@pytest.mark.parametrize("production", [False, True], ids=["elsewhere", "production"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_as_published_passes_all_rules(name: str, production: bool) -> None:
    source, made = PROGRAMS[name]
    verdict = judge(made, configured(production=production))
    unrelated = {"protect-stateful-resources"}  # whether production may lose them is nothing that a policy says
    assert [(rule, message) for rule, message in verdict.said if rule not in unrelated] == [], source
    assert verdict.waiting == []


def test_there_are_enough_programs_to_mean_something() -> None:
    assert len(PROGRAMS) >= 25
    assert all(source.startswith("https://") for source, _ in PROGRAMS.values())
