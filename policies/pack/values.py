"""Reading properties whose values may not be known before the update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

from pulumi_policy.proxy import UnknownValueError

Item = TypeVar("Item")
Found = TypeVar("Found")


def apart(items: Sequence[Item], judge: Callable[[Item], Iterator[Found]]) -> Iterator[Found]:
    """Judges each item for itself: one that is not known yet hides nothing that is wrong with the others."""
    unknown: UnknownValueError | None = None
    for index in range(len(items)):
        try:
            yield from judge(items[index])
        except UnknownValueError as error:
            unknown = error
    if unknown:
        raise unknown


def together(items: Iterator[Item], judge: Callable[[list[Item]], Iterator[Found]]) -> Iterator[Found]:
    """Judges all items at once, those that are known where others are not."""
    known: list[Item] = []
    unknown: UnknownValueError | None = None
    try:
        for item in items:
            known.append(item)  # noqa: PERF402  # what was found before the unknown one is kept
    except UnknownValueError as error:
        unknown = error
    yield from judge(known)
    if unknown:
        raise unknown


def below(holder: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value below an object or a list, with the way to it; what is not known yet hides no other."""
    keys: list[Any] = list(holder if isinstance(holder, Mapping) else range(len(holder)))  # pyright: ignore[reportUnknownArgumentType]  # of anything

    def of(key: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        yield (str(key),), holder[key]
        if isinstance(holder[key], Mapping | Sequence) and not isinstance(holder[key], str):
            yield from (((str(key), *way), inner) for way, inner in below(holder[key]))

    yield from apart(keys, of)


def mappings(holder: Any) -> Iterator[Mapping[str, Any]]:
    """Every object below another one. A text in it that is not known yet, such as a name, is none."""
    with suppress(UnknownValueError):  # raised when all that is known was told
        yield from (cast("Mapping[str, Any]", value) for _, value in below(holder) if isinstance(value, Mapping))


def block(holder: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object below, empty where there is none."""
    for key in path:
        holder = holder.get(key) or {}
    return holder


def items(holder: Mapping[str, Any], key: str) -> Sequence[Any]:
    """The list under a key; a single value is a list of one, as in IAM's documents."""
    value = holder.get(key)
    if value is None:
        return []
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]  # pyright: ignore[reportUnknownVariableType]  # of anything


def has(holder: Mapping[str, Any], key: str) -> bool:
    """Whether there is a value under the key, though it may not be known yet: `in` would read it."""
    return any(one == key for one in holder)


def is_given(holder: Mapping[str, Any], key: str) -> bool:
    """Whether there is a value other than nothing under the key, though it may not be known yet."""
    try:
        return bool(holder.get(key))
    except UnknownValueError:
        return True


def is_true(value: object) -> bool:
    """Some properties of AWS hold a boolean as text."""
    return str(value).lower() == "true"


def spelled(value: object) -> str:
    """As JSON spells it. Pulumi hands over every number, and so an account id without quotes, as a float."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def in_words(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))
