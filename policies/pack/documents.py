"""IAM documents as statements, whatever of their short forms they use."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from .arns import has_wildcard, matches, parse
from .conditions import Condition, conditions
from .values import apart, items, spelled

Document = str | Mapping[str, Any]
"""A policy as JSON text or decoded."""

_READING = re.compile(
    "analyze|batch(check|describe|get|read)|calculate|check|compare|count|decode|describe|detect|discover|download"
    "|estimate|filter|generate(credentialreport|query|servicelastaccesseddetails)|get|head|invoke(endpoint|model)|list"
    "|lookup|partiqlselect|preview|query|read|scan|search|select|simulate|subscribetoshard|synthesize"
    "|test(dns|event|metric)|translate|validate|view"
)
"""How actions begin that AWS's service authorization reference lists as `List` or `Read`."""
_OF_ALL_SERVICES = (
    "dynamodb:DeleteTable",
    "ec2:TerminateInstances",
    "iam:CreateRole",
    "kms:ScheduleKeyDeletion",
    "lambda:DeleteFunction",
    "organizations:LeaveOrganization",
    "rds:DeleteDBCluster",
    "s3:DeleteBucket",
    "sts:AssumeRole",
)
"""Who may do all of these, one a service, may do everything, however the wildcards are written."""


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
    conditions: tuple[Condition, ...]

    def __str__(self) -> str:
        return f"statement {self.sid}" if self.sid else "a statement without Sid"

    @property
    def about_everything(self) -> bool:
        return self.all_but_resources or any(_is_of_all_services(one) for one in self.resources)

    @property
    def about_all_of_a_service(self) -> bool:
        """Whether it is about `*`, or about what amounts to it: `arn:aws:s3:::*`, `arn:aws:ec2:*:123456789012:*`."""
        return self.all_but_resources or any(not _named_part(one) for one in self.resources)

    @property
    def is_administrative(self) -> bool:
        """Whether it allows everything, or everything but some, on everything."""
        everything = self.all_but_actions or all(map(self.includes, _OF_ALL_SERVICES))
        return self.allows and everything and self.about_everything

    @property
    def means_everybody(self) -> bool:
        """Whether all principals are meant, before conditions; IAM knows no wildcard for a part of them."""
        return self.all_but_principals or any(map(has_wildcard, self._named()))

    @property
    def is_for_everybody(self) -> bool:
        """Whether all principals are meant, and no condition says of which account, organization or network."""
        return self.means_everybody and not any(one.names_callers for one in self.conditions)

    @property
    def services_for_anybody(self) -> Sequence[str]:
        """The services of AWS that it lets in on behalf of whoever uses them."""
        return () if any(one.names_sources for one in self.conditions) else self.principals.get("Service", ())

    @property
    def is_narrowed(self) -> bool:
        """Whether a condition lets the statement reach less than its resources."""
        return any(one.narrows for one in self.conditions)

    def includes(self, action: str) -> bool:
        return any(matches(given, action) for given in self.actions) != self.all_but_actions

    def acts_on(self, service: str) -> bool:
        """Whether resources of a service are among its own."""
        return self.all_but_resources or any(matches(parse(one).service, service) for one in self.resources)

    def compared(self, key: str) -> list[str]:
        """The texts that one must be equal to whose key ends so; none where any text would do."""
        return [
            value
            for one in self.conditions
            if one.key.endswith(key)
            and one.binds
            and one.operator.startswith("string")
            and all(map(_literal, one.values))
            for value in one.values
        ]

    def keeps_strangers_out(self, other: Statement) -> bool:
        """Whether this `Deny` leaves of what `other` allows only what named callers ask for."""
        if self.allows or not self.means_everybody or self.all_but_actions or self.all_but_resources:
            return False
        limits = [one for one in self.conditions if not one.leaves_services_out]
        if not limits or not all(one.names_those_left_out for one in limits) or other.all_but_actions:
            return False
        covers_actions = all(any(matches(mine, one) for mine in self.actions) for one in other.actions)
        return covers_actions and all(any(matches(mine, one) for mine in self.resources) for one in other.resources)

    def _named(self) -> Iterable[str]:
        return (one for kind in self.principals.values() for one in kind)


def statements(document: Document) -> Iterator[Statement]:
    """The statements of a document; one that is not known yet comes last, as an error."""
    decoded: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    yield from apart(items(decoded, "Statement"), lambda one: iter((_statement(one),)))


def allowed(document: Document) -> Iterator[Statement]:
    return (statement for statement in statements(document) if statement.allows)


def open_to_everybody(document: Document) -> Iterator[Statement]:
    """What a resource's policy allows everybody, and no `Deny` of it takes back."""
    found = list(statements(document))  # a `Deny` that is not known yet may close what another statement opens
    for one in found:
        if one.allows and one.is_for_everybody and not any(other.keeps_strangers_out(one) for other in found):
            yield one


def _statement(one: Mapping[str, Any]) -> Statement:
    principal: Any = one.get("NotPrincipal" if "NotPrincipal" in one else "Principal") or {}
    principals = cast("Mapping[str, Any]", principal if isinstance(principal, Mapping) else {"AWS": principal})
    return Statement(
        sid=str(one.get("Sid") or ""),
        allows=str(one["Effect"]).lower() == "allow",
        actions=tuple(items(one, "NotAction" if "NotAction" in one else "Action")),
        all_but_actions="NotAction" in one,
        resources=tuple(items(one, "NotResource" if "NotResource" in one else "Resource")),
        all_but_resources="NotResource" in one,
        principals={kind: tuple(map(spelled, items(principals, kind))) for kind in principals},
        all_but_principals="NotPrincipal" in one,
        conditions=conditions(one.get("Condition") or {}),
    )


def _is_of_all_services(resource: str) -> bool:
    arn = parse(resource)
    return not arn.service.strip("*?") and not _named_part(resource)


def _named_part(resource: str) -> str:
    """What a resource names besides its service and account; empty where that is only wildcards."""
    arn = parse(resource)
    return "".join((arn.region, arn.kind, arn.name)).strip("*?:/")


def _literal(value: str) -> bool:
    return bool(value.strip("*?"))


def changes_something(action: str) -> bool:
    """Whether an action, or one of those that its wildcard stands for, does more than read."""
    return not _READING.match(action.rpartition(":")[2].lower())


def text(document: Document) -> str:
    """As it counts: as JSON."""
    return document if isinstance(document, str) else json.dumps(_plain(document))


def _plain(value: Any) -> Any:
    """Decoded JSON out of the views in which Pulumi wraps a resource's properties."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        return {key: _plain(found[key]) for key in found}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in cast("Sequence[Any]", value)]
    return value


def size(document: Document) -> int:
    """Characters as IAM counts them: without white space."""
    return len("".join(text(document).split()))
