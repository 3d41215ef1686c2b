"""The file `credentials-velero` of the vendor's guide: keys of an IAM user. Pure; no message holds a word of it."""

import configparser
import re
from collections.abc import Iterator

from .problems import Problem

SECRET_NAME = "cloud-credentials"  # noqa: S105 - the name of a Secret
SECRET_KEY = "cloud"  # noqa: S105 - a key in it
SHOWN = "(secret)"
"""What stands for the value in messages."""

_EXAMPLE = "write [default], aws_access_key_id = ... and aws_secret_access_key = ..., each on a line of its own"
_KEYS = {
    "aws_access_key_id": (re.compile(r"(AKIA|ASIA)[A-Z0-9]{12,}"), "20 capital letters and digits from AKIA on"),
    "aws_secret_access_key": (re.compile(r"[A-Za-z0-9/+=]{40}"), "40 letters, digits, slashes and plus signs"),
}


def credentials_problems(content: str) -> Iterator[Problem]:
    """What the AWS SDK in Velero's plugin would not find in the file."""
    parser = configparser.RawConfigParser(strict=True)
    try:
        parser.read_string(content)
    except configparser.Error:  # its message quotes the file
        yield _problem("is no file of AWS credentials")
        return
    if not parser.has_section("default"):
        yield _problem("has no section [default], which Velero reads")
        return
    for key, (pattern, form) in _KEYS.items():
        value = parser.get("default", key, fallback="")
        if not value:
            yield _problem(f"has no {key} in [default]")
        elif not pattern.fullmatch(value):
            yield _problem(f"has an {key} that is none: {form}")
    if parser.get("default", "aws_access_key_id", fallback="").startswith("ASIA") and not parser.get(
        "default", "aws_session_token", fallback=""
    ):
        yield _problem("holds a temporary key without its aws_session_token, and would end within hours anyway")


def _problem(reason: str) -> Problem:
    return Problem("credentials", SHOWN, reason, _EXAMPLE)
