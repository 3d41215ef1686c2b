"""Cron expressions as Velero reads them."""

from datetime import timedelta

import pytest

from eks_analytics.velero_cron import cron_fault, longest_pause

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
        ("5/10 * * * *", 10 * MINUTE),
        ("0 8-18/2 * * 1-5", 2 * DAY + 14 * HOUR),
        ("0 0 1-7 * 1", 7 * DAY),
        ("30 2 * JAN-MAR SUN", 287 * DAY),
    ],
)
def test_the_longest_pause_between_two_runs(expression: str, pause: timedelta) -> None:
    assert cron_fault(expression) is None
    assert longest_pause(expression) == pause


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("", "is no cron expression of five parts"),
        ("daily", "is no cron expression of five parts"),
        ("0 0 * *", "is no cron expression of five parts"),
        ("0 0 * * * *", "is no cron expression of five parts"),
        ("@fortnightly", "is no word for a schedule; known are @yearly"),
        ("@every 5", "has no interval in '5'"),
        ("@every 10s", "more than once a minute"),
        ("60 0 * * *", "has 60 as minute, which goes from 0 to 59"),
        ("0 24 * * *", "has 24 as hour, which goes from 0 to 23"),
        ("0 0 0 * *", "has 0 as day of the month, which goes from 1 to 31"),
        ("0 0 * 13 *", "has 13 as month, which goes from 1 to 12 or jan to dec"),
        ("0 0 * * 8", "has 8 as day of the week, which goes from 0 to 6 or sun to sat"),
        ("0 0 * * 7", "has 7 as day of the week"),
        ("0 0 * * 1,7", "has 1,7 as day of the week"),
        ("0 0 * * 5-7", "has 5-7 as day of the week"),
        ("0 0 * * 5L", "has 5L as day of the week"),
        ("0 0 * * 1#2", "has 1#2 as day of the week"),
        ("0 0 * * MO", "has MO as day of the week"),
        ("0 0 L * *", "has L as day of the month"),
        ("0 0 LW * *", "has LW as day of the month"),
        ("H 0 * * *", "has H as minute"),
        ("*/x * * * *", "has */x as minute"),
        ("5-1 0 * * *", "has 5-1 as minute"),
        ("*/0 0 * * *", "has */0 as minute"),
        ("0 1,,2 * * *", "has 1,,2 as hour"),
        ("0 -1 * * *", "has -1 as hour"),
        ("0 *-5 * * *", "has *-5 as hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("CRON_TZ=Europe/Paris 0 0 * * *", "names a time zone, whose summer time"),
        ("TZ=UTC @daily", "names a time zone"),
    ],
)
def test_what_velero_would_refuse_or_misread_is_refused_with_the_time_zone(expression: str, reason: str) -> None:
    found = cron_fault(expression)
    assert found is not None
    assert reason in found[0]
    assert "Velero reads it in UTC" in found[1]
