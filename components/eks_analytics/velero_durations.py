"""Durations as Velero reads them. Pure."""

import re

LONGEST_SECONDS = (2**63 - 1) // 10**9
"""Of Go, which counts nanoseconds: https://pkg.go.dev/time#Duration. One Schedule beyond it would stop them all."""
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


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
    if seconds > LONGEST_SECONDS:
        return "is longer than any duration that Velero can read", 'write how long it is kept, such as "720h"'
    if seconds == 0:
        return "would let a backup expire when it is made", 'write how long it is kept, such as "720h"'
    return None
