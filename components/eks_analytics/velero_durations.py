"""Durations as Velero reads them: with Go's time.ParseDuration (https://pkg.go.dev/time#ParseDuration). Pure."""

import re
from fractions import Fraction

from .units import LONGEST_SECONDS

# Two letters before one: ms is no m. Both micro signs of Unicode.
_UNITS = {
    "ms": Fraction(1, 10**3),
    "us": Fraction(1, 10**6),
    "ns": Fraction(1, 10**9),
    "\u00b5s": Fraction(1, 10**6),
    "\u03bcs": Fraction(1, 10**6),
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
}
_PART = rf"([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_UNITS)})"
_DURATION = re.compile(rf"(?P<sign>[-+]?)(0|({_PART})+)")


def seconds_of(duration: str) -> int | None:
    """Whole seconds of a duration such as 720h, 1440.5h or 1h30m; None where it is none."""
    exact = _exactly(duration)
    return None if exact is None else int(exact)


def duration_fault(duration: str) -> tuple[str, str] | None:
    """Why a time to live is none, and what to write instead."""
    seconds, example = _exactly(duration), '"720h"'
    if seconds is None:
        days = re.fullmatch(r"(\d+) ?d(ays?)?", duration)
        example = f'"{int(days[1]) * 24}h"' if days else example
        return "is no duration as Velero reads it: hours, minutes and seconds, no days", f"write it such as {example}"
    if abs(seconds) > LONGEST_SECONDS:
        return "is longer than any duration that Velero can read", f"write how long it is kept, such as {example}"
    if seconds == 0:
        return "is no time, so Velero would take its default instead", f"write how long it is kept, such as {example}"
    if seconds < 1:
        return "keeps no backup: it expires when it is made", f"write how long it is kept, such as {example}"
    return None


def _exactly(duration: str) -> Fraction | None:
    found = _DURATION.fullmatch(duration)
    if not found:
        return None
    total = sum((Fraction(number) * _UNITS[unit] for number, unit in re.findall(_PART, duration)), Fraction(0))
    return -total if found["sign"] == "-" else total
