"""Cron expressions, durations and credentials as Velero reads them."""

import pytest

from eks_analytics.velero_credentials import credentials_problems
from eks_analytics.velero_cron import cron_fault, duration_fault, seconds_of

KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "0 0 * * *",
            "*/15 * * * *",
            "0 3,15 * * *",
            "0 0 1-7 * 1",
            "30 2 * JAN-MAR SUN",
            "0 0 ? * ?",
            "0 8-18/2 * * 1-5",
        ),
        *("@daily", "@hourly", "@weekly", "5/10 * * * *", "  0   0 * * * "),
    ],
)
def test_what_velero_reads_is_taken(expression: str) -> None:
    assert cron_fault(expression) is None


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("", "has 0 fields"),
        ("daily", "has 1 fields"),
        ("0 0 * *", "has 4 fields"),
        ("0 0 0 * * *", "has 6 fields"),
        ("60 0 * * *", "'60' for the minute: it goes from 0 to 59"),
        ("0 24 * * *", "'24' for the hour: it goes from 0 to 23"),
        ("0 0 0 * *", "for the day of the month: it goes from 1 to 31"),
        ("0 0 * 13 *", "for the month: it goes from 1 to 12"),
        ("0 0 * * 7", "for the day of the week: it goes from 0 to 6, and Sunday is 0"),
        ("0 0 * * MO", "'MO' is no number and none of sun, mon"),
        ("0 5-3 * * *", "'5-3' ends before it begins"),
        ("*/0 * * * *", "the step '0' is no number above 0"),
        ("*/x * * * *", "the step 'x' is no number above 0"),
        ("0 1,,2 * * *", "'' is no number"),
        ("0 -1 * * *", "'-1' is no number"),
        ("0 *-5 * * *", "'*-5' is no range"),
        ("@fortnightly", "is no word for a schedule"),
        ("@every 6h", "is no word for a schedule"),
        ("CRON_TZ=Europe/Paris 0 0 * * *", "names a time zone"),
    ],
)
def test_what_velero_would_refuse_or_misread_is_refused_with_the_time_zone(expression: str, words: str) -> None:
    fault = cron_fault(expression)
    assert fault
    assert words in fault[0]
    assert "UTC" in fault[1]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("720h", 2592000), ("24h0m0s", 86400), ("90m", 5400), ("1h30s", 3630)]
)
def test_durations_are_those_of_go(duration: str, seconds: int) -> None:
    assert seconds_of(duration) == seconds
    assert duration_fault(duration) is None


@pytest.mark.parametrize(
    ("duration", "remedy"),
    [
        ("30d", '"720h"'),
        ("7 days", '"168h"'),
        ("", '"720h"'),
        ("forever", '"720h"'),
        ("-1h", '"720h"'),
        ("0h", "how long"),
    ],
)
def test_what_is_no_duration_is_refused_with_what_to_write(duration: str, remedy: str) -> None:
    fault = duration_fault(duration)
    assert fault
    assert remedy in fault[1]


def test_credentials_as_the_guide_has_them_are_taken() -> None:
    assert list(credentials_problems(f"[default]\n{KEYS}")) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (KEYS, "is no file of AWS credentials"),
        ("not a file", "is no file of AWS credentials"),
        (f"[backup]\n{KEYS}", "has no section [default]"),
        (f"[default]\n{KEYS.splitlines()[0]}\n", "has no aws_secret_access_key"),
        (
            "[default]\naws_access_key_id = wJalrXUtnFEMI\naws_secret_access_key = hunter2\n",
            "has an aws_access_key_id that",
        ),
        (f"[default]\n{KEYS.replace('AKIA', 'ASIA')}", "temporary key without its aws_session_token"),
    ],
)
def test_other_credentials_are_refused_without_a_word_of_them(content: str, words: str) -> None:
    found = [str(problem) for problem in credentials_problems(content)]
    assert any(words in problem for problem in found)
    assert not any(secret in problem for problem in found for secret in ("hunter2", "wJalr", "AKIAIO", "ASIAIO"))
