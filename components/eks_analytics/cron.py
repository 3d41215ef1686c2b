"""When Velero's schedules run: what is wrong with a cron expression, and the longest time between two runs. Pure.

Velero reads them with robfig/cron v3, in UTC unless the expression begins with a time zone:
https://pkg.go.dev/github.com/robfig/cron/v3 and https://velero.io/docs/v1.18/api-types/schedule/
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from zoneinfo import available_timezones

from cronsim import CronSim, CronSimError

EXAMPLE = '"0 0 * * *" for midnight UTC, every day'
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_ZONE = re.compile(r"(?:CRON_)?TZ=(\S*)\s+(.*)")
_EVERY = re.compile(r"@every ((?:\d+(?:\.\d+)?[hms])+)")
_UNITS = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_FIELD = re.compile(r"[0-9*?,/-]+")
_NAMED_FIELD = re.compile(r"[0-9A-Za-z*?,/-]+")
_DAYS, _WEEKDAYS = ("1", "31"), ("0", "6")
_ANY_DAY = datetime(2024, 1, 1)
_YEARS = timedelta(days=9 * 365)  # with two leap days in it
_ENOUGH_DAYS = 400  # of what runs so often, one year is like the other


class CronError(ValueError):
    """Why an expression is none that Velero takes, as a clause."""


def cron_fault(expression: str) -> tuple[str, str] | None:
    """What is wrong with an expression, and what to write instead; None where it is right."""
    try:
        longest_pause(expression)
    except CronError as error:
        return str(error), f"write minute, hour, day of month, month and day of week, such as {EXAMPLE}"
    return None


@cache
def longest_pause(expression: str) -> timedelta:
    """The longest time that lies between two runs."""
    zone, rest = _zone(expression)
    if every := _EVERY.fullmatch(rest):
        return _duration(every[1])
    fields = _fields(_MACROS.get(rest, rest))
    try:
        times = list(_until(CronSim(" ".join([*fields[:2], "* * *"]), _before(_ANY_DAY)), timedelta(days=1)))
        every_day = _until(CronSim(" ".join(["0 0", *fields[2:]]), _before(_ANY_DAY)), _YEARS)
        days = list(islice(every_day, _ENOUGH_DAYS))
    except CronSimError as error:
        raise CronError(f"is no cron expression ({error})") from None
    if len(days) < 2:
        raise CronError("names days that hardly ever come")
    between_days = max(later - sooner for sooner, later in pairwise(days))
    within_day = max((later - sooner for sooner, later in pairwise(times)), default=timedelta())
    longest = max(within_day, between_days - (times[-1] - times[0]))
    # Twice a year the clocks change.
    return longest + (timedelta(hours=1) if zone not in ("", "UTC") else timedelta())


def _zone(expression: str) -> tuple[str, str]:
    zoned = _ZONE.fullmatch(expression.strip())
    if zoned is None:
        return "", expression.strip()
    known = available_timezones()  # none where the machine has no list of them
    if known and zoned[1] not in known:
        raise CronError(f"begins with the unknown time zone {zoned[1]!r}")
    return zoned[1], zoned[2].strip()


def _duration(text: str) -> timedelta:
    parts = re.findall(r"([\d.]+)([hms])", text)
    span = sum((float(number) * _UNITS[unit] for number, unit in parts), timedelta())
    if span < timedelta(minutes=1):
        raise CronError("runs more than once a minute")
    return span


def _fields(expression: str) -> list[str]:
    """The fields as cronsim reads them, which follows Debian's cron: there, a star stays a star with a step behind it,
    so that day of month and day of week must both fit, and 7 is Sunday."""
    fields = expression.replace("?", "*").split()
    if len(fields) != 5:
        raise CronError(f"has {len(fields)} fields, and Velero takes five")
    patterns = [_FIELD, _FIELD, _FIELD, _NAMED_FIELD, _NAMED_FIELD]
    unknown = [field for field, pattern in zip(fields, patterns, strict=True) if not pattern.fullmatch(field)]
    if unknown or re.search(r"(^|[,-])7", fields[4]) or "L" in fields[4].upper():
        raise CronError("has something in a field that Velero does not know")
    minute, hour, day, month, weekday = fields
    return [minute, hour, _spelt_out(day, *_DAYS), month, _spelt_out(weekday, *_WEEKDAYS)]


def _spelt_out(field: str, first: str, last: str) -> str:
    """The field with ranges in place of `*/2` and `3/2`."""
    ranges = re.sub(r"(?<![^,])\*/(?!1(?:,|$))", f"{first}-{last}/", field)
    return re.sub(r"(?<![^,])(\w+)/", rf"\1-{last}/", ranges)


def _before(moment: datetime) -> datetime:
    return moment - timedelta(minutes=1)


def _until(runs: Iterator[datetime], span: timedelta) -> Iterator[datetime]:
    return takewhile(lambda run: run < _ANY_DAY + span, runs)
