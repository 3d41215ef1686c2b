"""When nodes of a pool go: durations, budgets and the policy that Karpenter would refuse. Pure."""

import re
from collections.abc import Iterator

from .cron_syntax import cron_fault
from .node_pool_options import DisruptionBudgetArgs, NodePoolArgs, seconds
from .problems import Problem, repeated
from .units import LONGEST_SECONDS

CONSOLIDATION_POLICIES = ("WhenEmptyOrUnderutilized", "WhenEmpty", "Balanced")
REASONS = ("Empty", "Underutilized", "Drifted")

_DURATION = re.compile(r"(\d+[hms])+")
_WINDOW = re.compile(r"(\d+h(\d+m)?|\d+m)(0s)?")
_MOST_BUDGETS = 50
_BUDGET = re.compile(r"(100|\d{1,2})%|\d+")


def disruption_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    """What is wrong with when nodes go, and how many of them at a time."""
    policy = pool.get("consolidation_policy", CONSOLIDATION_POLICIES[0])
    if policy not in CONSOLIDATION_POLICIES:
        remedy = f"use {', '.join(CONSOLIDATION_POLICIES)}"
        yield Problem(f"{where}.consolidation_policy", policy, "is unknown to Karpenter", remedy)
    for field, value, never in (
        ("consolidate_after", pool.get("consolidate_after"), True),
        ("expire_after", pool.get("expire_after"), True),
        ("termination_grace_period", pool.get("termination_grace_period"), False),
    ):
        if value is None or (never and value == "Never"):
            continue
        if _DURATION.fullmatch(value):
            yield from _length_problems(f"{where}.{field}", value)
            continue
        reason = "is no duration: numbers with h, m or s, and no days"
        remedy = 'write one such as "30s" or "1h30m"' + (", or Never" if never else ", or leave it out for no limit")
        yield Problem(f"{where}.{field}", value, reason, remedy)
    expires = pool.get("expire_after", "Never")
    if _DURATION.fullmatch(expires) and not seconds(expires):
        reason = "replaces every node as soon as it is there, without end"
        yield Problem(f"{where}.expire_after", expires, reason, 'write an age such as "720h", or Never')
    budgets = pool.get("disruption_budgets", [])
    if len(budgets) > _MOST_BUDGETS:
        reason = f"are more than the {_MOST_BUDGETS} that a NodePool takes"
        yield Problem(f"{where}.disruption_budgets", len(budgets), reason, "leave some out")
    for index, budget in enumerate(budgets):
        yield from _budget_problems(f"{where}.disruption_budgets[{index}]", budget)


def _length_problems(where: str, duration: str) -> Iterator[Problem]:
    """The pattern of the CRD lets any number pass. Karpenter decodes it with time.ParseDuration (`NillableDuration` in
    pkg/apis/v1 of kubernetes-sigs/karpenter), and cannot list its NodePools once that fails for one of them."""
    if seconds(duration) > LONGEST_SECONDS:
        reason = "is longer than any duration that Karpenter can read, which would stop it for all node pools"
        yield Problem(where, duration, reason, 'write one such as "720h"')


def _budget_problems(where: str, budget: DisruptionBudgetArgs) -> Iterator[Problem]:
    nodes, schedule, duration = budget["nodes"], budget.get("schedule"), budget.get("duration")
    if not _BUDGET.fullmatch(nodes):
        reason = "is neither a share from 0% to 100% nor a number of nodes"
        yield Problem(f"{where}.nodes", nodes, reason, 'write one such as "10%" or "3"')
    reasons = budget.get("reasons", [])
    for reason in reasons:
        if reason not in REASONS:
            yield Problem(f"{where}.reasons", reason, "is unknown to Karpenter", f"use {', '.join(REASONS)}")
    if twice := repeated(reasons):
        yield Problem(f"{where}.reasons", twice, "are there more than once", "name each once")
    if (schedule is None) != (duration is None):
        given, missing = ("schedule", "duration") if duration is None else ("duration", "schedule")
        yield Problem(f"{where}.{given}", budget.get(given), f"needs a {missing} beside it", "give both, or neither")
    if schedule is not None and (fault := cron_fault(schedule)):
        # The API server takes nearly anything, and Karpenter then lets no node go at all.
        yield Problem(f"{where}.schedule", schedule, fault, 'write one such as "0 9 * * mon-fri"; it counts in UTC')
    if duration is not None and not _WINDOW.fullmatch(duration):
        reason = "is no duration in hours and minutes"
        yield Problem(f"{where}.duration", duration, reason, 'write one such as "8h", "30m" or "1h30m"')
    elif duration is not None and not seconds(duration):
        yield Problem(f"{where}.duration", duration, "is over at once, so it never counts", "write a length such as 8h")
    elif duration is not None:
        yield from _length_problems(f"{where}.duration", duration)
