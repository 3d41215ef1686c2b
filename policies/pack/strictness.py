"""Which of two values of a parameter asks for more: in production, and of critical rules, a stack may only tighten."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

Tighter = Callable[[Any, Any], bool]
"""Whether the second value asks for at least as much as the first, a parameter's own."""


def same(own: Any, given: Any) -> bool:
    """Of what has no direction."""
    return given == own


def higher(own: int, given: int) -> bool:
    return given >= own


def lower(own: int, given: int) -> bool:
    return given <= own


def more(own: Any, given: Any) -> bool:
    """Of what must hold, or is refused: nothing of it is left out."""
    if isinstance(own, Mapping):
        return own.items() <= given.items()
    return set(own) <= set(given)


def fewer(own: Sequence[Any], given: Sequence[Any]) -> bool:
    """Of what is exempt, or enough: nothing is added. `s3:Get*` is fewer than `s3:*`."""
    return all(any(one == known or _is_part(one, known) for known in own) for one in given)


def earlier(own: Mapping[str, str], given: Mapping[str, str]) -> bool:
    """Of last days: nothing is added, and nothing lasts longer."""
    return all(key in own and date.fromisoformat(day) <= date.fromisoformat(own[key]) for key, day in given.items())


def _is_part(one: object, pattern: object) -> bool:
    if not isinstance(one, str) or not isinstance(pattern, str):
        return False
    if {"*", "?", "["} & set(one):
        stem = pattern.removesuffix("*")
        return pattern.endswith("*") and not {"*", "?", "["} & set(stem) and one.startswith(stem)
    return fnmatchcase(one, pattern)
