"""Resources as policies see them, without an engine: made compliant, then broken in one place."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyCustomTimeouts,
    PolicyProviderResource,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError, unknown_checking_proxy

from pack.configuration import Configuration, read
from pack.policies import SETTINGS, WAIVERS, Pack
from rules import RULES

TODAY = date(2026, 11, 21)
UNKNOWN = UNKNOWN_STRING_VALUE
ABSENT = object()
STACK_TYPE = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Made:
    """A resource of a program. `refs`: properties that come from other resources of it, by their names."""

    type: str
    name: str
    props: dict[str, Any] = field(default_factory=dict)
    refs: Mapping[str, str] = field(default_factory=dict)
    protect: bool = False
    parent: str = ""
    """Type of the component that it is part of."""

    @property
    def urn(self) -> str:
        return f"urn:pulumi:test::small::{self.parent}{'$' if self.parent else ''}{self.type}::{self.name}"

    @property
    def is_component(self) -> bool:
        return self.type.startswith("eks-analytics:")

    def changed(self, changes: Mapping[str, Any]) -> "Made":
        """A copy with properties at paths such as `spec.taints.0.key` set, or left out where ABSENT."""
        props = deepcopy(self.props)
        for path, value in changes.items():
            *holders, last = path.split("|")
            holder: Any = props
            for part in holders:
                holder = holder[int(part)] if isinstance(holder, list) else holder.setdefault(part, {})
            key: Any = int(last) if isinstance(holder, list) else last
            if value is ABSENT:
                del holder[key]
            else:
                holder[key] = value
        return replace(self, props=props)


def _options(made: Made) -> PolicyResourceOptions:
    return PolicyResourceOptions(made.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


@dataclass
class Verdict:
    """What the policies said: messages by rule, and the rules that cannot judge yet."""

    said: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)

    def of(self, rule: str) -> list[str]:
        return [message for id, message in self.said if id == rule]

    @property
    def rules(self) -> set[str]:
        return {id for id, _ in self.said} - {SETTINGS, WAIVERS}


def configured(settings: object = None, production: bool = False, today: date = TODAY) -> Configuration:
    return read(settings, RULES, production, today)


def judge(
    made: Sequence[Made],
    configuration: Configuration,
    provider: Mapping[str, Any] | None = None,
    cluster_to_come: bool = False,
) -> Verdict:
    """As the SDK judges: each resource when it is registered, then the stack; policies that are disabled do not run.

    With a cluster to come, the engine has no outputs of what is in it.
    """
    verdict = Verdict()
    by = PolicyProviderResource("pulumi:providers:aws", dict(provider), "urn", "aws") if provider else None
    pack = Pack(RULES)
    pack.configure(configuration)
    in_order = [policy for policy in pack.policies if policy.enforcement_level is not EnforcementLevel.DISABLED]
    for one in (Made(STACK_TYPE, "small-test"), *made):
        for policy in in_order:
            if isinstance(policy, ResourceValidationPolicy):
                props: Any = unknown_checking_proxy({**one.props, **dict.fromkeys(one.refs, UNKNOWN)})
                args = ResourceValidationArgs(one.type, props, one.urn, one.name, _options(one), by)
                _run(verdict, policy, args)
    for policy in in_order:
        if isinstance(policy, StackValidationPolicy):
            _run(verdict, policy, StackValidationArgs(list(_stack(made, cluster_to_come))))
    return verdict


def _run(verdict: Verdict, policy: Any, args: Any) -> None:
    try:
        policy.validate(args, lambda message, urn=None: verdict.said.append((policy.name, message)))
    except UnknownValueError as unknown:
        verdict.waiting.append((policy.name, unknown.message))


def _stack(made: Sequence[Made], cluster_to_come: bool) -> Iterator[PolicyResource]:
    found: dict[str, PolicyResource] = {}
    for one in made:
        outputs = {**one.props, **dict.fromkeys(one.refs, UNKNOWN)}
        props: Any = unknown_checking_proxy({} if cluster_to_come and one.type.startswith("kubernetes:") else outputs)
        found[one.name] = PolicyResource(one.type, props, one.urn, one.name, _options(one), None, None, [], {})
    for one in made:
        dependencies = {key: [found[name]] for key, name in one.refs.items() if name in found}
        found[one.name].property_dependencies = dependencies
    return iter(found.values())
