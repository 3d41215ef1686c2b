"""IAM documents as statements, whatever of their short forms they use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from .values import items

_READING = (
    "batchcheck",
    "batchdescribe",
    "batchget",
    "check",
    "describe",
    "get",
    "head",
    "list",
    "lookup",
    "query",
    "scan",
    "search",
    "select",
    "simulate",
    "view",
)
_IDLE_KEYS = ("aws:currenttime", "aws:epochtime", "aws:referer", "aws:securetransport", "aws:useragent")
"""They say how or when, neither who nor what."""
_WHO = (
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "kms:calleraccount",
)
"""They name accounts, organizations or networks. Neither an external id, which is no secret, nor a tag does."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    all_but_actions: bool
    """Whether the statement is about all actions but these (`NotAction`)."""
    resources: tuple[str, ...]
    all_but_resources: bool
    principals: Mapping[str, tuple[str, ...]]
    all_but_principals: bool
    conditions: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return f"statement {self.sid}" if self.sid else "a statement without Sid"

    @property
    def about_everything(self) -> bool:
        return self.all_but_resources or "*" in self.resources

    @property
    def about_all_of_a_service(self) -> bool:
        """Whether it is about `*`, or about what amounts to it: `arn:aws:s3:::*`, `arn:aws:ec2:*:*:*`."""
        return self.all_but_resources or any(not _named_part(one) for one in self.resources)

    @property
    def is_for_everybody(self) -> bool:
        """Whether all principals are meant, and no condition says of which account, organization or network."""
        if not self.all_but_principals and "*" not in self.principals.get("AWS", ()):
            return False
        return not any(
            key in _WHO and _is_positive(operator) and not operator.endswith("IfExists")
            for operator, key, _ in self.narrowing()
        )

    def includes(self, action: str) -> bool:
        is_named = any(fnmatchcase(action.lower(), given.lower()) for given in self.actions)
        return is_named != self.all_but_actions

    def narrowing(self) -> Iterator[tuple[str, str, Sequence[Any]]]:
        """Operator, key in lower case, and values of each condition without which the statement would reach further."""
        for operator, key in self.condition_keys():
            values = items(self.conditions[operator], key)
            # ForAllValues holds of a request that does not have the key at all.
            is_idle = key.lower() in _IDLE_KEYS or operator.startswith("ForAllValues:")
            if not is_idle and all(str(value).strip("*?") for value in values):
                yield operator, key.lower(), values

    def compared(self, key: str) -> list[str]:
        """The texts that one must be equal to whose key ends so; none where any text would do."""
        return [
            str(value)
            for operator, found, values in self.narrowing()
            if found.endswith(key) and _is_positive(operator) and "String" in operator
            for value in values
        ]

    def condition_keys(self) -> Iterator[tuple[str, str]]:
        """Operator and key of each condition."""
        for operator, tests in self.conditions.items():
            for key in tests:
                yield operator, key


def statements(document: str | Mapping[str, Any]) -> list[Statement]:
    """The statements of a document, which is JSON text or decoded."""
    decoded: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return [_statement(one) for one in items(decoded, "Statement")]


def allowed(document: str | Mapping[str, Any]) -> Iterator[Statement]:
    return (statement for statement in statements(document) if statement.allows)


def _statement(one: Mapping[str, Any]) -> Statement:
    principal: Any = one.get("Principal") or {}
    principals = cast("Mapping[str, Any]", {"AWS": principal} if isinstance(principal, str) else principal)
    return Statement(
        sid=str(one.get("Sid") or ""),
        allows=one["Effect"] == "Allow",
        actions=tuple(items(one, "NotAction" if "NotAction" in one else "Action")),
        all_but_actions="NotAction" in one,
        resources=tuple(items(one, "Resource")),
        all_but_resources="NotResource" in one,
        principals={kind: tuple(items(principals, kind)) for kind in principals},
        all_but_principals="NotPrincipal" in one,
        conditions=one.get("Condition") or {},
    )


def _named_part(resource: str) -> str:
    """What a resource names besides its service; empty where that is only wildcards."""
    parts = resource.split(":", 5)
    return "".join(parts[3:] if parts[0] == "arn" else parts).strip("*?/")


def _is_positive(operator: str) -> bool:
    return "Not" not in operator and operator != "Null"


def changes_something(action: str) -> bool:
    """Whether an action, or one of those that its wildcard stands for, does more than read."""
    return not action.rpartition(":")[2].lower().startswith(_READING)


def size(document: str) -> int:
    """Characters as IAM counts them: without white space."""
    return len("".join(document.split()))
