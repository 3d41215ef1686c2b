"""What differs between two values of a resource's inputs, path by path, as a reviewer reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.report import UNKNOWN

_WIDEST = 160
_WORDS_AROUND = 3
_IDENTITIES = ("Sid", "name", "key")


@dataclass(frozen=True)
class Difference:
    """One value before and after; None where there is none."""

    path: str
    before: str | None
    after: str | None


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """What differs, in the order of the paths. JSON in a text is read as what it says."""
    before, after = read(before), read(after)
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted({*before, *after}):
            yield from differences(before.get(key), after.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(before, list) and isinstance(after, list) and (key := _identity(before, after)):
        yield from differences(_by(before, key), _by(after, key), path)
    elif isinstance(before, list) and isinstance(after, list) and any(isinstance(one, Mapping) for one in before):
        for index in range(max(len(before), len(after))):
            old, new = (values[index] if index < len(values) else None for values in (before, after))
            yield from differences(old, new, f"{path}[{index}]")
    elif isinstance(before, str) and isinstance(after, str) and max(len(before), len(after)) > _WIDEST:
        yield Difference(path, *_of_long_texts(before, after))
    else:
        yield Difference(path, text(before), text(after))


def _of_long_texts(before: str, after: str) -> tuple[str, str]:
    """The words that differ, with some around them; the lengths of what is no prose, such as a script in base64."""
    both = [before.split(), after.split()]
    shortest = min(map(len, both))
    start = next((index for index in range(shortest) if both[0][index] != both[1][index]), shortest)
    end = next(
        (index for index in range(shortest - start) if both[0][-1 - index] != both[1][-1 - index]), shortest - start
    )
    first, left = max(start - _WORDS_AROUND, 0), max(end - _WORDS_AROUND, 0)
    shown = [
        ("… " if first else "") + " ".join(words[first : len(words) - left]) + (" …" if left else "") for words in both
    ]
    if shown[0] != shown[1] and max(map(len, shown)) <= _WIDEST:
        return shown[0], shown[1]
    return f"a text of {len(before)} characters", f"one of {len(after)}"


def _identity(before: list[Any], after: list[Any]) -> str | None:
    """By which the objects of two lists are told apart wherever they stand."""
    both = [before, after]
    if not all(isinstance(one, Mapping) for values in both for one in values):
        return None
    for key in _IDENTITIES:
        named = [[one.get(key) for one in values] for values in both]
        if all(isinstance(name, str) for names in named for name in names) and all(
            len(set(names)) == len(names) for names in named
        ):
            return key
    return None


def _by(values: list[Any], key: str) -> dict[str, Any]:
    return {value[key]: value for value in values}


def read(value: Any) -> Any:
    """A JSON object in a text as that object, all else as it is."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def text(value: Any) -> str | None:
    """A value in one line that is not too long."""
    if value is None:
        return None
    if value == UNKNOWN:
        return "known after the update"
    if isinstance(value, Mapping):
        line = "{" + ", ".join(f"{key}: {text(item)}" for key, item in sorted(value.items())) + "}"
    elif isinstance(value, list):
        line = "[" + ", ".join(str(text(item)) for item in value) + "]"
    else:
        line = str(value).lower() if isinstance(value, bool) else " ".join(str(value).split())
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
