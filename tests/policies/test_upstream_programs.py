"""What others publish, and many use as it is, raises no alarm."""

import pytest

import upstream_programs
import upstream_stacks
from policy_world import configured, judge

PROGRAMS = {**upstream_programs.PROGRAMS, **upstream_stacks.PROGRAMS}


@pytest.mark.parametrize("production", [False, True], ids=["elsewhere", "production"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_as_published_passes_all_rules(name: str, production: bool) -> None:
    source, made = PROGRAMS[name]
    verdict = judge(made, configured(production=production))
    unrelated = {"protect-stateful-resources"}  # whether production may lose them is nothing that a policy says
    assert [(rule, message) for rule, message in verdict.said if rule not in unrelated] == [], source
    assert verdict.waiting == []


def test_there_are_enough_programs_to_mean_something() -> None:
    assert len(PROGRAMS) == len(upstream_programs.PROGRAMS) + len(upstream_stacks.PROGRAMS)
    assert len(PROGRAMS) >= 60
    assert all(source.startswith("https://") for source, _ in PROGRAMS.values())
