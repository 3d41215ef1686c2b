"""Whole numbers that people write with their unit, such as "100Gi". Pure."""

import re

LONGEST_SECONDS = (2**63 - 1) // 10**9
"""Of a duration in Go, which counts nanoseconds: https://pkg.go.dev/time#Duration. A controller that cannot decode one
object cannot list any of its kind."""

_GIB = {"g": 1, "gi": 1, "gb": 1, "gib": 1, "t": 1024, "ti": 1024, "tb": 1024, "tib": 1024}
_UNITS = {
    "_gib": ("GiB", _GIB),
    "_mib": ("MiB", {"m": 1, "mi": 1, "mb": 1, "mib": 1} | {unit: 1024 * factor for unit, factor in _GIB.items()}),
    "_days": ("days", {"d": 1, "day": 1, "days": 1, "w": 7, "y": 365}),
    "_hours": ("hours", {"h": 1, "hour": 1, "hours": 1, "d": 24, "day": 24, "days": 24}),
    "_minutes": ("minutes", {"m": 1, "min": 1, "minute": 1, "minutes": 1, "h": 60, "hour": 60, "hours": 60}),
    "ttl": ("seconds", {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}),
    "_percentage": ("percent", {"%": 1}),
}
"""The unit of a number by the end of its name, and how many of it make another unit."""


def with_unit(name: str, text: str) -> str | None:
    """What to write instead of a number with a unit; None where there is no number, or a unit that does not fit."""
    found = re.fullmatch(r"\s*(\d+)\s*([A-Za-z]+|%)\s*", text)
    for end, (unit, factors) in _UNITS.items():
        if found and name.endswith(end) and (factor := factors.get(found[2].lower())):
            return f"write {int(found[1]) * factor}, without quotes or unit: the number is in {unit}"
    return None
