"""When Velero's schedules run: what is wrong with a cron expression, and what follows from it. Pure.

Velero's pods live in UTC.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile

from cronsim import CronSim, CronSimError

from . import cron_syntax
from .velero_durations import seconds_of

UTC = "Velero reads it in UTC"
"""What every refusal says, because the hour is most often what is meant otherwise."""
FIELDS = "minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-6, Sunday is 0)"
_ZONES = ("TZ=", "CRON_TZ=")
_EVERY, _SHORTEST_SECONDS = "@every ", 60
_DAYS, _WEEKDAYS = ("1", "31"), ("0", "6")
_ANY_DAY = datetime(2024, 1, 1)
_YEARS = timedelta(days=9 * 365)  # with two leap days in it
_ENOUGH_DAYS = 400  # of what runs so often, one year is like the other


class CronError(ValueError):
    """Why an expression is none that Velero takes, as a clause."""


def cron_fault(expression: str) -> tuple[str, str] | None:
    """Why Velero would refuse an expression, or read it otherwise than meant, and what to write instead."""
    if expression.startswith(_ZONES):
        return "names a time zone, whose summer time would repeat or skip a backup", f"write it without; {UTC}"
    try:
        longest_pause(expression)
    except CronError as error:
        return str(error), f'write {FIELDS}, such as "0 3 * * *", at 3 o\'clock every day; {UTC}'
    return None


@cache
def longest_pause(expression: str) -> timedelta:
    """The longest time that lies between two runs."""
    if expression.startswith(_EVERY):
        return _interval(expression.removeprefix(_EVERY))
    fields = _fields(expression)
    try:
        times = list(_until(CronSim(" ".join([*fields[:2], "* * *"]), _before(_ANY_DAY)), timedelta(days=1)))
        every_day = _until(CronSim(" ".join(["0 0", *fields[2:]]), _before(_ANY_DAY)), _YEARS)
        days = list(islice(every_day, _ENOUGH_DAYS))
    except CronSimError as error:
        raise CronError(f"is no cron expression ({str(error).lower()})") from None
    if len(days) < 2:
        raise CronError("names days that hardly ever come")
    between_days = max(later - sooner for sooner, later in pairwise(days))
    within_day = max((later - sooner for sooner, later in pairwise(times)), default=timedelta())
    return max(within_day, between_days - (times[-1] - times[0]))


def cronsim_fields(expression: str) -> str | int:
    """The five fields of an expression as cronsim reads them, in UTC; seconds between two runs where it has none."""
    if expression.startswith(_EVERY):
        return int(_interval(expression.removeprefix(_EVERY)).total_seconds())
    return " ".join(_fields(expression))


def _interval(text: str) -> timedelta:
    seconds = seconds_of(text)
    if seconds is None:
        raise CronError(f"has no interval in {text!r}, as 6h or 1h30m would be")
    if seconds < _SHORTEST_SECONDS:
        raise CronError("runs more than once a minute")
    return timedelta(seconds=seconds)


def _fields(expression: str) -> list[str]:
    """The fields as cronsim reads them, which follows Debian's cron: there, a star stays a star with a step behind it,
    so that day of month and day of week must both fit, and 7 is Sunday."""
    expression = cron_syntax.WORDS.get(expression, expression)
    if expression.startswith("@"):
        raise CronError(f"is no word for a schedule; known are {', '.join(cron_syntax.WORDS)} and {_EVERY}6h")
    if fault := cron_syntax.cron_fault(expression):
        raise CronError(fault)
    minute, hour, day, month, weekday = expression.replace("?", "*").split()
    return [minute, hour, _spelt_out(day, *_DAYS), month, _spelt_out(weekday, *_WEEKDAYS)]


def _spelt_out(field: str, first: str, last: str) -> str:
    """The field with ranges in place of `*/2` and `3/2`."""
    ranges = re.sub(r"(?<![^,])\*/(?!1(?:,|$))", f"{first}-{last}/", field)
    return re.sub(r"(?<![^,])(\w+)/", rf"\1-{last}/", ranges)


def _before(moment: datetime) -> datetime:
    return moment - timedelta(minutes=1)


def _until(runs: Iterator[datetime], span: timedelta) -> Iterator[datetime]:
    return takewhile(lambda run: run < _ANY_DAY + span, runs)
