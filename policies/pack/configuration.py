"""What a stack sets of the pack: `eks-analytics:policies` with levels, parameters and waivers.

A value that is refused is reported and left out, so that all rules are judged all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import get_close_matches
from typing import Any, cast

from .rule import STRICTNESS, Level, Rule, Situation
from .waivers import Waiver

NAMESPACE = "eks-analytics"
LEVELS = {level.value: level for level in (Level.ADVISORY, Level.MANDATORY, Level.DISABLED)}
LONGEST_WAIVER = timedelta(days=365)
LONGEST_IN_PRODUCTION = timedelta(days=90)
_SHORTEST_REASON = 10
_WAIVE = "write a waiver for each resource instead, with a reason and a day on which it ends"


@dataclass
class Configuration:
    """The pack's settings in one stack; `problems` are what was refused."""

    production: bool = False
    today: date = field(default_factory=date.today)
    levels: dict[str, Level] = field(default_factory=dict[str, Level])
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    waivers: list[Waiver] = field(default_factory=list[Waiver])
    problems: list[str] = field(default_factory=list[str])

    def level(self, rule: Rule) -> Level:
        return self.levels.get(rule.id, rule.default_level(self.production))

    def situation(self, rule: Rule) -> Situation:
        return rule.situation(self.production, self.today, self.parameters.get(rule.id, {}))

    def changes(self, rules: Iterable[Rule]) -> Iterator[str]:
        """Every level and parameter that is not the rule's own, and whether that loosens the rule."""
        for rule in rules:
            own, level = rule.default_level(self.production), self.level(rule)
            if level is not own:
                way = _way(STRICTNESS.index(level) > STRICTNESS.index(own))
                yield f"{way}: the level of {rule.id} is {level.value} instead of {own.value}"
            for name, value in self.parameters.get(rule.id, {}).items():
                parameter = rule.parameters[name]
                default = parameter.value(self.production)
                if value != default:
                    way = _way(parameter.tighter(default, value))
                    yield f"{way}: {rule.id}.{name} is {_shown(value)} instead of {_shown(default)}"

    def waiver(self, rule: str, name: str, urn: str) -> Waiver | None:
        return next((waiver for waiver in self.waivers if waiver.covers(rule, name, urn)), None)


def of_stack(config: Mapping[str, str]) -> tuple[str, bool]:
    """What a stack sets of the pack, and whether it is marked production."""
    return config.get(f"{NAMESPACE}:policies", ""), config.get(f"{NAMESPACE}:production", "").lower() == "true"


def read(given: object, rules: Iterable[Rule], production: bool, today: date) -> Configuration:
    """The configuration that `given` is, as the engine hands it over (JSON text) or decoded."""
    found = Configuration(production, today)
    reader = _Reader(found, {rule.id: rule for rule in rules})
    found.problems += reader.read(given)
    return found


class _Reader:
    def __init__(self, found: Configuration, rules: Mapping[str, Rule]) -> None:
        self._found, self._rules = found, rules

    def read(self, given: object) -> Iterator[str]:
        if isinstance(given, str) and given:
            try:
                given = json.loads(given)
            except ValueError:
                yield "policies: is text; write an object with `levels`, `parameters` and `waivers`"
                return
        if not given:
            return
        if not isinstance(given, Mapping):
            yield "policies: is no object; write one with `levels`, `parameters` and `waivers`"
            return
        sections = {"levels": self._levels, "parameters": self._parameters, "waivers": self._waivers}
        for key, value in cast("Mapping[str, Any]", given).items():
            if key not in sections:
                yield f"policies.{key}: is unknown; there are {', '.join(sections)}"
            elif not isinstance(value, list if key == "waivers" else Mapping):
                yield f"policies.{key}: is no {'list' if key == 'waivers' else 'object'}; README.md shows one"
            else:
                yield from sections[key](cast("Any", value))

    def _levels(self, given: Mapping[str, Any]) -> Iterator[str]:
        production = self._found.production
        for id, value in given.items():
            rule, level = self._rules.get(id), LEVELS.get(str(value))
            if rule is None:
                yield f"policies.levels.{id}: {self._unknown(id)}"
                continue
            own = rule.default_level(production)
            if level is None:
                yield f"policies.levels.{id}: {_shown(value)} is no level; write {', '.join(LEVELS)}"
            elif STRICTNESS.index(level) < STRICTNESS.index(own) and (why := rule.fixed_by(production)):
                yield f"policies.levels.{id}: {value} is lower than its own {own.value}, and {why}; {_WAIVE}"
            else:
                self._found.levels[id] = level

    def _parameters(self, given: Mapping[str, Any]) -> Iterator[str]:
        for id, values in given.items():
            rule = self._rules.get(id)
            if rule is None:
                yield f"policies.parameters.{id}: {self._unknown(id)}"
            elif not isinstance(values, Mapping):
                yield f"policies.parameters.{id}: is no object; {_offered(rule)}"
            else:
                for name, value in cast("Mapping[str, Any]", values).items():
                    yield from self._parameter(rule, name, value)

    def _parameter(self, rule: Rule, name: str, value: Any) -> Iterator[str]:
        place, production = f"policies.parameters.{rule.id}.{name}", self._found.production
        parameter = rule.parameters.get(name)
        if parameter is None:
            yield f"{place}: is unknown; {_offered(rule)}"
        elif not _alike(parameter.default, value):
            yield f"{place}: {_shown(value)} cannot be; write something like {_shown(parameter.default)}"
        elif (why := rule.fixed_by(production)) and not parameter.tighter(own := parameter.value(production), value):
            yield f"{place}: {_shown(value)} asks for less than its own {_shown(own)}, and {why}; {_WAIVE}"
        else:
            self._found.parameters.setdefault(rule.id, {})[name] = value

    def _waivers(self, given: Sequence[Any]) -> Iterator[str]:
        for index, entry in enumerate(given):
            place = f"policies.waivers[{index}]"
            problems = [f"{place}{problem}" for problem in self._waiver_problems(entry)]
            yield from problems
            if not problems:
                expires = date.fromisoformat(entry["expires"])
                waiver = Waiver(entry["rule"], entry["resource"], entry["reason"].strip(), expires)
                if expires < self._found.today:
                    yield (
                        f"{place}: the waiver of {waiver.rule} for {waiver.resource} ended on {expires.isoformat()}; "
                        f"mend the resource and remove the waiver, or have it renewed"
                    )
                else:
                    self._found.waivers.append(waiver)

    def _waiver_problems(self, entry: Any) -> Iterator[str]:
        keys = ("rule", "resource", "reason", "expires")
        if not isinstance(entry, Mapping):
            yield f": is no object; write one with {', '.join(keys)}"
            return
        waiver = cast("Mapping[str, Any]", entry)
        for key in waiver:
            if key not in keys:
                yield f".{key}: is unknown; a waiver has {', '.join(keys)}"
        for key in keys:
            if not isinstance(waiver.get(key), str) or not waiver[key].strip():
                given = f"{_shown(waiver[key])} is no text" if waiver.get(key) else "is missing"
                wanted = 'a day in quotes such as "2027-01-31"' if key == "expires" else "text"
                yield f".{key}: {given}; write {wanted}"
        if isinstance(rule := waiver.get("rule"), str) and rule and rule not in self._rules:
            yield f".rule: {self._unknown(rule)}"
        if isinstance(resource := waiver.get("resource"), str) and "*" in resource:
            yield f".resource: {resource} stands for many; write a waiver for each resource by its name"
        if isinstance(reason := waiver.get("reason"), str) and 0 < len(reason.strip()) < _SHORTEST_REASON:
            yield f".reason: {_shown(reason)} tells a reviewer nothing; say why, and who decided it"
        if isinstance(expires := waiver.get("expires"), str) and expires.strip():
            yield from self._expiry_problems(expires)

    def _expiry_problems(self, expires: str) -> Iterator[str]:
        try:
            day = date.fromisoformat(expires)
        except ValueError:
            # YAML reads a day without quotes as a time, which reaches us as `2027-01-31 00:00:00 +0000 UTC`.
            unquoted = _is_day(expires[:10])
            how = f'put it in quotes: "{expires[:10]}"' if unquoted else 'write it as "2027-01-31"'
            yield f".expires: {_shown(expires)} is {'a time' if unquoted else 'no day'}; {how}"
            return
        longest = LONGEST_IN_PRODUCTION if self._found.production else LONGEST_WAIVER
        if day > self._found.today + longest:
            where = ", the longest in a stack marked production" if self._found.production else ""
            yield (
                f".expires: {expires} is more than {longest.days} days away{where}; "
                f"write {(self._found.today + longest).isoformat()} or earlier"
            )

    def _unknown(self, id: str) -> str:
        close = get_close_matches(id, self._rules, n=1)
        return f"there is no such rule; {f'did you mean {close[0]}?' if close else 'README.md lists them'}"


def _way(is_stricter: bool) -> str:
    return "stricter" if is_stricter else "looser"


def _offered(rule: Rule) -> str:
    return f"the rule has {', '.join(rule.parameters)}" if rule.parameters else "the rule has no parameters"


def _shown(value: object) -> str:
    """As it stands in the stack's configuration."""
    return json.dumps(value, ensure_ascii=False)


def _is_day(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def _alike(default: Any, value: Any) -> bool:
    """Whether a value has the form of the default; the items of a list or object are all of one kind."""
    if type(default) is not type(value):
        return False
    if not isinstance(default, list | dict):
        return True
    kinds: set[type[object]] = {_kind(item) for item in _values(default)} or {str}
    return all(_kind(item) in kinds for item in _values(value))


def _kind(item: object) -> type[object]:
    return date if isinstance(item, str) and _is_day(item) else type(item)


def _values(holder: Any) -> list[Any]:
    return list(holder.values() if isinstance(holder, dict) else holder)  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  # of a list or an object of anything
