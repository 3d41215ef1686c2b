"""How long a drain may take. Pure."""

from collections.abc import Iterator
from dataclasses import replace

from .problems import Problem

DEFAULT_MINUTES = 15
MOST_MINUTES = 120


def minutes_problems(minutes: int) -> Iterator[Problem]:
    """What is wrong with the time that a drain may take."""
    if not 1 <= minutes <= MOST_MINUTES:
        reason = "is no time that load balancers need: seconds for one of the controller's, a few minutes for others"
        yield Problem("minutes", minutes, reason, f"write 1 to {MOST_MINUTES}; {DEFAULT_MINUTES} by default")


def drain_minutes_problems(minutes: int) -> Iterator[Problem]:
    """The same, of a product's `drain_minutes`."""
    yield from (replace(problem, input="drain_minutes") for problem in minutes_problems(minutes))
