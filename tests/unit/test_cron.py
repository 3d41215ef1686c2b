"""Cron expressions as Velero reads them."""

from datetime import timedelta

import pytest

from eks_analytics import cron
from eks_analytics.cron import cron_fault, longest_pause

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("expression", "pause"),
    [
        ("0 0 * * *", DAY),
        ("  0  0 * *  * ", DAY),
        ("30 2 * * *", DAY),
        ("@daily", DAY),
        ("@midnight", DAY),
        ("@hourly", HOUR),
        ("@weekly", 7 * DAY),
        ("@monthly", 31 * DAY),
        ("@yearly", 366 * DAY),
        ("@every 1h30m", 90 * MINUTE),
        ("@every 12h", 12 * HOUR),
        ("* * * * *", MINUTE),
        ("*/15 * * * *", 15 * MINUTE),
        ("0 */5 * * *", 5 * HOUR),
        ("0 8,20 * * *", 12 * HOUR),
        ("0 8,18 * * *", 14 * HOUR),
        ("0 0 * * 1-5", 3 * DAY),
        ("0 0 * * mon-fri", 3 * DAY),
        ("0 9-17 * * 1-5", 2 * DAY + 16 * HOUR),
        ("0 0 ? * ?", DAY),
        ("0 0 1 jan,jul *", 184 * DAY),
        ("0 0 31 * *", 61 * DAY),
        ("0 0 29 2 *", 1461 * DAY),
        # Day of month or day of week, where neither is a star; a star with a step is none.
        ("0 0 1 * 1", 7 * DAY),
        ("0 0 */10 * 1", 7 * DAY),
        ("0 0 1 * */3", 3 * DAY),
        ("0 0 * * 1/2", 3 * DAY),
        ("0 0 25/5 * *", 29 * DAY),
        ("0 0 */1 * 1", 7 * DAY),
        ("CRON_TZ=UTC 0 0 * * *", DAY),
        ("CRON_TZ=Europe/Berlin 0 2 * * *", DAY + HOUR),
        ("TZ=America/New_York @daily", DAY + HOUR),
    ],
)
def test_the_longest_pause_between_two_runs(expression: str, pause: timedelta) -> None:
    assert cron_fault(expression) is None
    assert longest_pause(expression) == pause


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "has 0 fields"),
        ("0 0 * *", "has 4 fields"),
        ("0 0 * * * *", "has 6 fields"),
        ("@often", "has 1 fields"),
        ("@every 5", "has 2 fields"),
        ("@every 10s", "more than once a minute"),
        ("60 0 * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 0 0 * *", "Bad day-of-month"),
        ("0 0 * 13 *", "Bad month"),
        ("0 0 * * 8", "Bad day-of-week"),
        ("0 0 * * 7", "does not know"),
        ("0 0 * * 1,7", "does not know"),
        ("0 0 * * 5L", "does not know"),
        ("0 0 * * 1#2", "does not know"),
        ("0 0 L * *", "does not know"),
        ("0 0 LW * *", "does not know"),
        ("H 0 * * *", "does not know"),
        ("5-1 0 * * *", "Bad minute"),
        ("*/0 0 * * *", "Bad minute"),
        ("0 0 30 2 *", "Bad day-of-month"),
        ("CRON_TZ=Mars/Base 0 0 * * *", "unknown time zone 'Mars/Base'"),
        ("CRON_TZ=Europe/Berlin", "has 1 fields"),
    ],
)
def test_what_velero_would_refuse_is_refused(expression: str, reason: str) -> None:
    found = cron_fault(expression)
    assert found is not None
    assert reason in found[0]
    assert '"0 0 * * *" for midnight UTC' in found[1]


def test_a_machine_without_a_list_of_time_zones_takes_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cron, "available_timezones", set)
    longest_pause.cache_clear()
    assert longest_pause("CRON_TZ=Mars/Base 0 0 * * *") == DAY + HOUR
    longest_pause.cache_clear()
