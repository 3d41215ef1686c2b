"""Durations and credentials as Velero reads them."""

import pytest

from eks_analytics.velero_credentials import credentials_problems
from eks_analytics.velero_durations import duration_fault, seconds_of

KEYS = "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n"


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        *(("720h", 2592000), ("24h0m0s", 86400), ("90m", 5400), ("1h30s", 3630), ("1440.5h", 5185800)),
        *(("1h30m", 5400), ("+2h", 7200), (".5h", 1800), ("1.h", 3600), ("1m1h", 3660), ("1h1h", 7200)),
        *(("2500ms", 2), ("3000000us", 3), ("3000000\u00b5s", 3), ("3000000\u03bcs", 3), ("1h1ns", 3600)),
    ],
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
        *(("0", "how long"), ("500ms", "how long"), ("2562048h", "how long")),
        *(("1h 2m", '"720h"'), ("1.5", '"720h"'), ("1e3s", '"720h"'), (".h", '"720h"'), ("\u0663h", '"720h"')),
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
