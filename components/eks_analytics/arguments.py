"""Arguments that are not what their TypedDict says: names it does not have, keys that are missing, values of another
type. A type checker finds them; who runs a program without one, or writes YAML, would see a traceback, or nothing at
all. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args, get_origin, is_typeddict

from .problems import Problem
from .units import with_unit
from .unknown_fields import is_input, may_hold_secrets, shown, unknown_field_problems, without_qualifier

_PLAIN = (str, int, float, list, tuple, Mapping, type(None))
_TYPES = {str: "text", bool: "true or false", int: "a whole number"}
_OBJECT = "an object with keys and values"
_NUMBERS_TOO = ("limits",)
"""Texts for which Kubernetes takes numbers as well."""


def argument_problems(args: Mapping[str, Any], kind: type) -> list[Problem]:
    """Everything in `args` that the TypedDict `kind` does not allow, each as `pools[0].weight`. A component asks this
    first of all: its other checks rely on the types."""
    return [*unknown_field_problems("", args, kind), *_field_problems("", args, kind)]


def _field_problems(where: str, given: Mapping[str, Any], kind: type) -> Iterator[Problem]:
    required = cast("frozenset[str]", vars(kind)["__required_keys__"])
    for name, annotation in kind.__annotations__.items():
        at, value, hint = f"{where}.{name}" if where else name, given.get(name), without_qualifier(annotation)
        if value is not None:
            yield from _value_problems(at, value, hint, numbers_too=name in _NUMBERS_TOO)
        elif name in required:
            yield Problem(at, None, "is missing, and has no default", f"give it {_wanted(hint)}")
        elif name in given and not is_input(hint):
            yield Problem(at, None, "is no value", "leave it out for the default")


def _value_problems(
    at: str, value: Any, hint: Any, *, visible: bool = True, numbers_too: bool = False
) -> Iterator[Problem]:
    if is_input(hint):
        # Outputs are judged by whoever gets them.
        if isinstance(value, _PLAIN):
            yield from _value_problems(at, value, get_args(hint)[0], visible=False)
    elif is_typeddict(hint) and isinstance(value, Mapping):
        yield from _field_problems(at, cast("Mapping[str, Any]", value), hint)
    elif get_origin(hint) is list and isinstance(value, list | tuple):
        for index, item in enumerate(cast("list[Any]", value)):
            yield from _value_problems(f"{at}[{index}]", item, get_args(hint)[0], visible=visible)
    elif get_origin(hint) in (dict, Mapping) and isinstance(value, Mapping):
        for key, item in cast("Mapping[str, Any]", value).items():
            if not (numbers_too and _is_number(item)):
                yield from _value_problems(f'{at}["{key}"]', item, get_args(hint)[1], visible=visible)
    elif not _fits(value, hint):
        yield _problem(at, value, hint, visible and not (is_typeddict(hint) and may_hold_secrets(hint)))


def _problem(at: str, value: Any, hint: Any, visible: bool) -> Problem:
    wanted = _wanted(hint)
    if not isinstance(value, _PLAIN):
        return Problem(at, "an output", f"must be {wanted} that is known from the start", "write the value itself")
    remedy = f"write {wanted}"
    if visible and hint is str and isinstance(value, int | float):
        unit = "h" if at.endswith("_after") else ""
        remedy = f'write it in quotes: "{str(value).lower()}{unit}"'
    elif visible and hint is int and isinstance(value, str) and value.isdecimal():
        remedy = f"write {value} without quotes"
    elif visible and hint is int and isinstance(value, str):
        remedy = with_unit(at, value) or remedy
    return Problem(at, shown(cast("object", value), visible), f"is not {wanted}", remedy)


def _fits(value: Any, hint: Any) -> bool:
    if hint is int:
        # Numbers that came through the plugin are floats.
        return _is_number(value) and float(value).is_integer()
    return hint is Any or (hint in _TYPES and isinstance(value, hint))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wanted(hint: Any) -> str:
    plain = get_args(hint)[0] if is_input(hint) else hint
    return "a list" if get_origin(plain) is list else _TYPES.get(plain, _OBJECT)
