"""Cron expressions and durations as Velero reads them. Pure.

Velero parses with https://pkg.go.dev/github.com/robfig/cron/v3#ParseStandard: five fields, days of the week from 0 to
6 only, and some words in place of all five. Its pods live in UTC.
"""

import re
from collections.abc import Sequence

DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
UTC = "Velero reads it in UTC"
"""What every refusal says, because the hour is most often what is meant otherwise."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, Sequence[str]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def cron_fault(expression: str) -> tuple[str, str] | None:
    """Why Velero would refuse the expression, or read it otherwise than meant, and what to write instead."""
    example = f'write five fields such as "0 3 * * *", at 3 o\'clock every day; {UTC}'
    if expression.startswith(("TZ=", "CRON_TZ=")):
        return "names a time zone, whose summer time would repeat or skip a backup", f"write it without; {UTC}"
    if expression.startswith("@"):
        if expression in DESCRIPTORS:
            return None
        return f"is no word for a schedule; known are {', '.join(DESCRIPTORS)}", example
    parts = expression.split()
    if len(parts) != len(_FIELDS):
        return f"has {len(parts)} fields, and cron has five: minute, hour, day of the month, month, day of the week", (
            example
        )
    for part, (what, least, most, names) in zip(parts, _FIELDS, strict=True):
        for entry in part.split(","):
            if fault := _fault(entry, least, most, names):
                return f"has {part!r} for the {what}: {fault}", example
    return None


def _fault(entry: str, least: int, most: int, names: Sequence[str]) -> str | None:
    span, slash, step = entry.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step)):
        return f"the step {step!r} is no number above 0"
    first, dash, last = span.partition("-")
    if first in ("*", "?"):
        return f"{span!r} is no range" if dash else None
    ends = [_number(end, least, names) for end in ([first, last] if dash else [first])]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return f"{span!r} is no number" + (f" and none of {', '.join(names)}" if names else "")
    if not all(least <= end <= most for end in known):
        return f"it goes from {least} to {most}" + (", and Sunday is 0" if most == 6 else "")
    return f"{span!r} ends before it begins" if known[0] > known[-1] else None


def _number(text: str, least: int, names: Sequence[str]) -> int | None:
    if text.lower() in names:
        return names.index(text.lower()) + least
    return int(text) if text.isascii() and text.isdigit() else None


def seconds_of(duration: str) -> int | None:
    """Seconds of a duration such as 720h or 24h0m0s; None where it is none."""
    found = _DURATION.fullmatch(duration)
    if not found or not duration:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def duration_fault(duration: str) -> tuple[str, str] | None:
    """Why a time to live is none, and what to write instead."""
    seconds = seconds_of(duration)
    if seconds is None:
        days = re.fullmatch(r"(\d+) ?d(ays?)?", duration)
        example = f"{int(days[1]) * 24}h" if days else "720h"
        return "is no duration as Velero reads it: hours, minutes and seconds, no days", f'write it such as "{example}"'
    if seconds == 0:
        return "would let a backup expire when it is made", 'write how long it is kept, such as "720h"'
    return None
