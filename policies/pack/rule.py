"""The form of a rule, and what a rule is told besides the resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Protocol

from pulumi_policy import EnforcementLevel as Level
from pulumi_policy import Severity

from .strictness import Tighter, earlier, fewer, higher, lower, more, same

__all__ = [
    "STRICTNESS",
    "Level",
    "Parameter",
    "Properties",
    "Resource",
    "Rule",
    "Severity",
    "Situation",
    "StackResource",
    "earlier",
    "fewer",
    "higher",
    "lower",
    "more",
    "rule",
]

STRICTNESS = (Level.DISABLED, Level.ADVISORY, Level.MANDATORY)

Properties = Mapping[str, Any]
"""A resource's properties by their names in Pulumi. Reading one that is not known yet raises `UnknownValueError`."""


class Options(Protocol):
    """What a rule reads of a resource's options."""

    protect: bool


class Resource(Protocol):
    """A resource as the engine is about to register it."""

    @property
    def resource_type(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def urn(self) -> str: ...
    @property
    def props(self) -> Properties: ...
    @property
    def opts(self) -> Options: ...
    @property
    def provider(self) -> Provider | None: ...


class Provider(Protocol):
    """The provider of a resource."""

    @property
    def props(self) -> Properties: ...


class StackResource(Resource, Protocol):
    """A resource of the whole stack, which knows those that its properties come from."""

    @property
    def property_dependencies(self) -> Mapping[str, Sequence[StackResource]]: ...


@dataclass(frozen=True)
class Parameter:
    """What a stack may set of a rule."""

    default: Any
    description: str
    production: Any = None
    """The default of stacks marked production, where it is another one."""
    tighter: Tighter = same
    """Whether a value asks for at least as much as the default does."""

    def value(self, production: bool) -> Any:
        return self.production if production and self.production is not None else self.default


@dataclass(frozen=True)
class Situation:
    """What a rule may know besides resources."""

    production: bool
    today: date
    parameters: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.parameters[name]


OfResource = Callable[[Resource, Situation], Iterator[str]]
"""Yields what is wrong with a resource."""
OfStack = Callable[[Sequence[StackResource], Situation], Iterator[tuple[StackResource | None, str]]]
"""Yields what is wrong with a stack: the resource, or None for all of it, and the problem."""


@dataclass(frozen=True)
class Rule:
    """One rule. `types` are the resource types that it judges, with `*` for parts of them; none: the whole stack."""

    id: str
    description: str
    severity: Severity
    remediation: str
    link: str
    level: Level
    production_level: Level
    types: tuple[str, ...] = ()
    parameters: Mapping[str, Parameter] = field(default_factory=dict[str, Parameter])
    of_resource: OfResource | None = None
    of_stack: OfStack | None = None
    subject: str = ""

    def judges(self, resource_type: str) -> bool:
        return any(fnmatchcase(resource_type, pattern) for pattern in self.types)

    def default_level(self, production: bool) -> Level:
        return self.production_level if production else self.level

    def fixed_by(self, production: bool) -> str:
        """Why the rule can be waived, with a reason and for a time, but not loosened; empty where it can."""
        if self.severity is Severity.CRITICAL:
            return "the rule is critical"
        return "the stack is marked production" if production else ""

    def situation(self, production: bool, today: date, given: Mapping[str, Any]) -> Situation:
        values = {name: parameter.value(production) for name, parameter in self.parameters.items()}
        return Situation(production, today, {**values, **given})


def rule(
    id: str,
    description: str,
    *,
    severity: Severity,
    remediation: str,
    link: str,
    types: tuple[str, ...] = (),
    level: Level = Level.MANDATORY,
    production_level: Level = Level.MANDATORY,
    parameters: Mapping[str, Parameter] | None = None,
) -> Callable[[Any], Rule]:
    """Makes a rule of the function below it: of an `OfResource` where there are `types`, else of an `OfStack`."""

    def made(judge: Any) -> Rule:
        return Rule(
            id,
            description,
            severity,
            remediation,
            link,
            level,
            production_level,
            types,
            parameters or {},
            of_resource=judge if types else None,
            of_stack=None if types else judge,
            subject=judge.__module__.rpartition(".")[2],
        )

    return made
