"""What the policy pack says of a plan or an update, by rule: violations, waivers, and what waits for the update."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from pulumi.automation import events
from rich.console import Console
from rich.markup import escape

from sandbox.tokens import short_type

_LINK = re.compile(r"https://[^\s<>]+")
_NOT_YET = " during preview: "  # the SDK's words before what it could not read
_SETTINGS, _WAIVERS = "list-settings", "list-waivers"
_COLOURS = {"mandatory": "bold red", "advisory": "yellow"}


@dataclass
class Findings:
    """What one rule found."""

    level: str
    rule: str
    description: str
    problems: list[str] = field(default_factory=list[str])
    advice: list[str] = field(default_factory=list[str])


def is_link(line: str) -> bool:
    return _LINK.fullmatch(line) is not None


class Verdict:
    """Collects the engine's policy events."""

    def __init__(self) -> None:
        self.judges = True
        """Whether there is a policy pack at all."""
        self._found: dict[tuple[str, str], Findings] = {}
        self._settings: list[str] = []
        self._waivers: list[str] = []
        self._waiting: dict[str, list[str]] = defaultdict(list)

    def add(self, event: events.PolicyEvent) -> None:
        rule, message = event.policy_name, event.message.replace("<{%reset%}>", "").strip()
        description, *lines = message.splitlines()
        if not lines and _NOT_YET in message:
            self._waiting[rule].append(message.partition(_NOT_YET)[2].partition(":")[0])
        elif rule == _WAIVERS:
            self._waivers += lines
        elif rule == _SETTINGS:
            self._settings += lines
        else:
            found = self._found.setdefault(
                (event.enforcement_level, rule), Findings(event.enforcement_level, rule, description)
            )
            found.problems += (_with_type(line, event.resource_urn or "") for line in lines[:1])
            found.advice = lines[1:]

    @property
    def findings(self) -> list[Findings]:
        """Those that refuse the plan first."""
        return sorted(self._found.values(), key=lambda found: (found.level != "mandatory", found.level, found.rule))

    @property
    def settings(self) -> list[str]:
        """Levels and parameters that are not a rule's own, a line each; those that loosen it begin with `looser`."""
        return self._settings

    @property
    def looser(self) -> int:
        """How many settings loosen a rule."""
        return sum(setting.startswith("looser") for setting in self._settings)

    @property
    def waivers(self) -> list[str]:
        """Used and unused ones, and those that the update judges, a line each."""
        return self._waivers

    @property
    def waiting(self) -> dict[str, list[str]]:
        """Resources that only the update can judge, by rule."""
        return {rule: sorted(set(resources)) for rule, resources in sorted(self._waiting.items())}

    def number(self, level: str) -> int:
        """How many violations of that level there are."""
        return sum(len(found.problems) for (of, _), found in self._found.items() if of == level)

    @property
    def refuses(self) -> bool:
        return self.number("mandatory") > 0

    def show(self, console: Console) -> None:
        def say(indent: int, line: str) -> None:
            console.print(" " * indent + line, highlight=False, soft_wrap=True)

        console.print("Policies", style="bold")
        for found in self.findings:
            colour = _COLOURS.get(found.level, "")
            say(2, f"[{colour}]{found.level}[/] [bold]{found.rule}[/]: {escape(found.description)}")
            for line in (*sorted(found.problems), *found.advice):
                say(6, escape(line))
        for setting in self._settings:
            say(2, f"[cyan]setting[/] {escape(setting)}")
        for waiver in self._waivers:
            say(2, f"[cyan]waiver[/] {escape(waiver)}")
        for rule, resources in self.waiting.items():
            say(2, f"[dim]judged by the update[/] {rule}: {escape(', '.join(resources))}")
        say(2, self.summary())

    def summary(self) -> str:
        if not self.judges:
            return "not judged"
        found = {level: number for level in ("mandatory", "advisory") if (number := self.number(level))}
        parts = [_counted(number, f"{level} violation") for level, number in found.items()] or ["no violation"]
        if used := sum(waiver.startswith("used") for waiver in self._waivers):
            parts.append(f"{_counted(used, 'waiver')} used")
        if self.looser:
            parts.append(f"{_counted(self.looser, 'setting')} looser than the rule's own")
        if waiting := len(self._waiting):
            parts.append(
                f"{_counted(waiting, 'rule')} {'reads' if waiting == 1 else 'read'} what only the update knows"
            )
        return ", ".join(parts)


def _with_type(problem: str, urn: str) -> str:
    """Names are unique within a type only: a role and a queue of the same name are two resources."""
    *_, types, name = ["", "", *urn.split("::", 3)]
    if not name or not problem.startswith(f"{name}: "):
        return problem
    return f"{name} ({short_type(types.rpartition('$')[2])}){problem.removeprefix(name)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
