"""Keys that no argument has. A type checker finds them; who writes YAML or JSON would never hear of them. Pure."""

from collections.abc import Awaitable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any, NotRequired, Union, cast, get_args, get_origin, is_typeddict

from .problems import Problem

_LONGEST_VALUE = 40


def unknown_field_problems(where: str, given: Mapping[str, Any], kind: type) -> Iterator[Problem]:
    """Every key in `given`, and in what lies in it, that the TypedDict `kind` does not have. Values are shown where
    no argument of `kind` can be a secret: under a misspelt name there may be one."""
    known = _fields(kind)
    for key, value in given.items():
        at = f"{where}.{key}" if where else key
        if key not in known:
            yield Problem(
                at, shown(value, not may_hold_secrets(kind)), "there is no such argument", _remedy(key, list(known))
            )
        elif (inner := known[key]) and isinstance(value, Mapping):
            yield from unknown_field_problems(at, cast("Mapping[str, Any]", value), inner)
        elif inner and isinstance(value, list | tuple):
            for index, item in enumerate(cast("list[Any]", value)):
                if isinstance(item, Mapping):
                    yield from unknown_field_problems(f"{at}[{index}]", cast("Mapping[str, Any]", item), inner)


def without_qualifier(hint: Any) -> Any:
    """What a field holds, whether it is required or not."""
    return get_args(hint)[0] if get_origin(hint) is NotRequired else hint


def is_input(hint: Any) -> bool:
    """Whether a type is pulumi.Input of another, its first argument."""
    return get_origin(hint) is Union and any(get_origin(one) is Awaitable for one in get_args(hint))


@cache
def _fields(kind: type) -> dict[str, type | None]:
    """The fields of a TypedDict, with the TypedDict that each consists of, alone or in a list."""
    found: dict[str, type | None] = {}
    # Not get_type_hints, which stumbles over pulumi.Input.
    for name, hint in kind.__annotations__.items():
        bare = without_qualifier(hint)
        inner = get_args(bare)[0] if get_origin(bare) is list else bare
        found[name] = inner if is_typeddict(inner) else None
    return found


def _remedy(key: str, known: list[str]) -> str:
    folded = {_fold(name): name for name in known}
    word = _fold(key)
    # A short form of a long name is near to it in meaning only.
    near = get_close_matches(word, folded, 1, 0.7) or [name for name in folded if len(word) > 3 and word in name]
    return f"did you mean {folded[near[0]]}?" if near else f"leave it out, or use one of {', '.join(known)}"


@cache
def may_hold_secrets(kind: type) -> bool:
    """Whether a TypedDict, or one in it, has arguments that may be outputs: secrets are among these."""
    return any(
        may_hold_secrets(inner) if inner else is_input(without_qualifier(kind.__annotations__[name]))
        for name, inner in _fields(kind).items()
    )


def shown(value: object, as_it_is: bool = True) -> object:
    """A value in an error: cut where it is long, only its type where it must not be seen."""
    if not as_it_is:
        return f"[{type(value).__name__}]"
    return value if len(text := str(value)) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _fold(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
