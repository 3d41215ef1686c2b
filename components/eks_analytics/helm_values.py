"""Values of Helm charts as plain data. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from .problems import Problem

Values = Mapping[str, Any]


def merged(values: Values, overrides: Values) -> dict[str, Any]:
    """The values with the overrides: maps are merged at every depth, everything else is replaced, as Helm does it."""
    result = dict(values)
    for key, value in overrides.items():
        base = result.get(key)
        both = isinstance(base, Mapping) and isinstance(value, Mapping)
        result[key] = merged(cast(Values, base), cast(Values, value)) if both else value
    return result


def value_at(values: Values, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    key, _, rest = path.partition(".")
    found = values.get(key)
    if not rest:
        return found
    return value_at(cast(Values, found), rest) if isinstance(found, Mapping) else None


def value_problems(values: Values, ours: Mapping[str, str], maps: Sequence[str]) -> Iterator[Problem]:
    """Values that would undo what a component makes: those `ours`, by path with the argument that stands for each, if
    any, and anything else than a map where the component has one."""
    for path, argument in ours.items():
        if _stands_at(values, path):
            reason = "is what policies, identity and the other arguments are made for, so another value would not work"
            remedy = f"leave it out, and use the argument {argument}" if argument else "leave it out"
            yield Problem(f"helm_values.{path}", value_at(values, path), reason, remedy)
    for path in maps:
        value = value_at(values, path)
        # Without a value, Helm leaves the whole map out.
        emptied = value is None and _stands_at(values, path) and any(name.startswith(f"{path}.") for name in ours)
        if emptied or (value is not None and not isinstance(value, Mapping)):
            reason = "would take the place of a map of values that the component sets"
            yield Problem(f"helm_values.{path}", value, reason, "write keys and values, or leave it out")


def _stands_at(values: Values, path: str) -> bool:
    parent, _, key = path.rpartition(".")
    found = value_at(values, parent) if parent else values
    return isinstance(found, Mapping) and key in found
