"""What an ARN, or a pattern of ARNs in an IAM document, names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

_ACCOUNT = re.compile(r"\d{12}")
_WITHOUT_KINDS = ("s3", "sns", "sqs")
_FEWEST_LETTERS = 3
"""A pattern with fewer letters than these, such as `role/a*`, is one of a few that together are all."""


@dataclass(frozen=True)
class Arn:
    """The parts of a pattern; those that it leaves out are `*`."""

    service: str
    region: str
    account: str
    kind: str
    """`role` of `role/ci/deploy`; `*` where the service knows one kind only, as S3 does."""
    name: str


def parse(pattern: str) -> Arn:
    """The parts of a pattern such as `arn:aws:iam::123456789012:role/ci-*`, `arn:aws:*` or `*`."""
    if not pattern.startswith("arn:"):
        return Arn("*", "*", "*", "*", "*" if has_wildcard(pattern) else pattern)
    given = pattern.split(":", 5)
    _, _, service, region, account, resource = [*given, *"*" * (6 - len(given))]
    if service in _WITHOUT_KINDS:
        return Arn(service, region, account, "*", resource)
    kind, separator, name = [*re.split("([:/])", resource, maxsplit=1), "", ""][:3]
    if separator:
        return Arn(service, region, account, kind, name)
    return Arn(service, region, account, kind, "*" if has_wildcard(kind) else kind)  # `role*` is every role


def has_wildcard(text: str) -> bool:
    return "*" in text or "?" in text


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if one == "*" else "[^*]" if one == "?" else re.escape(one) for one in pattern)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether `text`, or all that it stands for if it is a pattern itself, is within `pattern`.

    `*` and `?` are IAM's only wildcards."""
    return bool(_expression(pattern).fullmatch(text))


def names_account(pattern: str) -> bool:
    """Whether one account must own what matches; a bucket, whose ARN has no account, is one in the world."""
    if not pattern.startswith("arn:") or pattern.count(":") < 5:
        return False
    _, _, service, _, account, resource = pattern.split(":", 5)
    if account and service != "s3":
        return bool(_ACCOUNT.fullmatch(account))
    return bool(_ACCOUNT.fullmatch(account) or (resource and not has_wildcard(resource.removesuffix("/*"))))


def names_resource(pattern: str) -> bool:
    """Whether it is about single resources, or about those with a name in common: not about all of a kind."""
    name = parse(pattern).name
    return bool(name) and (not has_wildcard(name) or max(map(len, re.split(r"[*?:/]", name))) >= _FEWEST_LETTERS)
