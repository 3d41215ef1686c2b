"""IAM documents as statements, whatever of their short forms they use."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, cast

from .values import items

_READING = (
    "BatchGet",
    "Check",
    "Describe",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "View",
)


@dataclass(frozen=True)
class Statement:
    """One statement of a policy."""

    sid: str
    allows: bool
    actions: tuple[str, ...]
    all_but_actions: bool
    """Whether the statement is about all actions but some (`NotAction`)."""
    resources: tuple[str, ...]
    all_but_resources: bool
    principals: Mapping[str, tuple[str, ...]]
    conditions: Mapping[str, Mapping[str, Any]]

    def __str__(self) -> str:
        return f"statement {self.sid}" if self.sid else "a statement without Sid"

    @property
    def about_everything(self) -> bool:
        return self.all_but_resources or "*" in self.resources

    def includes(self, action: str) -> bool:
        return self.all_but_actions or any(fnmatchcase(action.lower(), given.lower()) for given in self.actions)

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
    principal: Any = one.get("Principal") or one.get("NotPrincipal") or {}
    principals = cast("Mapping[str, Any]", {"AWS": principal} if isinstance(principal, str) else principal)
    return Statement(
        sid=str(one.get("Sid") or ""),
        allows=one["Effect"] == "Allow",
        actions=tuple(items(one, "Action")),
        all_but_actions="NotAction" in one,
        resources=tuple(items(one, "Resource")),
        all_but_resources="NotResource" in one,
        principals={kind: tuple(items(principals, kind)) for kind in principals},
        conditions=one.get("Condition") or {},
    )


def changes_something(action: str) -> bool:
    """Whether an action, or one of those that its wildcard stands for, does more than read."""
    return not action.rpartition(":")[2].startswith(_READING)


def size(document: str) -> int:
    """Characters as IAM counts them: without white space."""
    return len("".join(document.split()))
