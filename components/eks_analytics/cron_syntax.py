"""Cron expressions as Karpenter and Velero read them, with https://pkg.go.dev/github.com/robfig/cron/v3#ParseStandard:
it knows no L, W and #, no Sunday as 7 and no range over the end of a week. Pure."""

import re

WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""What may stand in place of the five fields, with what it means."""
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, range, dict[str, int]], ...] = (
    ("minute", range(60), {}),
    ("hour", range(24), {}),
    ("day of the month", range(1, 32), {}),
    ("month", range(1, 13), {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of the week", range(7), {name: number for number, name in enumerate(_DAYS)}),
)
_ITEM = re.compile(r"([*?]|(\w+)(-(\w+))?)(/0*[1-9]\d*)?")


def cron_fault(expression: str) -> str:
    """Why it cannot be read, as a clause; empty where it can."""
    if expression in WORDS:
        return ""
    parts = expression.split()
    if len(parts) != len(_FIELDS) or expression.startswith("@"):
        return "is no cron expression of five parts, nor @daily and the like"
    for part, (what, allowed, names) in zip(parts, _FIELDS, strict=True):
        if not all(_fits(item, allowed, names) for item in part.split(",")):
            words = f" or {next(iter(names))} to {list(names)[-1]}" if names else ""
            return f"has {part} as {what}, which goes from {allowed[0]} to {allowed[-1]}{words}"
    return ""


def _fits(item: str, allowed: range, names: dict[str, int]) -> bool:
    found = _ITEM.fullmatch(item)
    if not found:
        return False
    ends = [names.get(end.lower(), int(end) if end.isdecimal() else -1) for end in (found[2], found[4]) if end]
    return all(end in allowed for end in ends) and ends == sorted(ends)
