"""Names in the place of ids: two emulated accounts give the same resource different ones; a review tells neither."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# A part of an id that was drawn: of `vpc-05849837dbd6931e2`, of a UUID, of a name that Pulumi completed.
_DRAWN = re.compile(r"(?<![0-9a-zA-Z])[0-9a-f]{7,}|[0-9A-F]{16,}|[0-9]{20}")
_COMPLETED = re.compile(r"-[0-9a-f]{7}")
_NAMES = ("id", "name", "bucket")
_MARK = "4dabf18193072939515e22adb298388d"  # of a secret in the engine's state
_LONGEST = 512  # an id or an address, not a document that mentions some


class Labels:
    """Knows what each id stands for."""

    def __init__(self, state: Iterable[Mapping[str, Any]] = (), known: Iterable[str] = ()) -> None:
        """`state`: resources as the engine keeps them; `known`: what only looks drawn, such as an account's id."""
        self._known, self._labels = set(known), dict[str, str]()
        self._pattern: re.Pattern[str] | None = None
        for resource in state:  # what others name comes before those, so that an id belongs to the first that has it
            name = str(resource["urn"]).rsplit("::", 1)[-1]
            given = resource.get("inputs") or {}
            for path, value in _texts({"id": resource.get("id"), **(resource.get("outputs") or {})}):
                if path in _NAMES:
                    self._add(value, name)
                elif given.get(path) != value:
                    self._add(value, f"{name}.{path}")

    def complete(self, name: str, inputs: Mapping[str, Any]) -> None:
        """A resource that is to be made has the end of its name drawn already."""
        for value in inputs.values():
            if isinstance(value, str) and value.startswith(name) and _COMPLETED.fullmatch(value[len(name) :]):
                self._labels.setdefault(value, f"{{{name}}}")
                self._pattern = None

    def _add(self, value: str, label: str) -> None:
        is_document = len(value) > _LONGEST or value.startswith("{")
        if not is_document and any(drawn not in self._known for drawn in _DRAWN.findall(value)):
            self._labels.setdefault(value, f"{{{label}}}")

    def replace(self, value: Any) -> Any:
        """The value with labels in all its texts."""
        if isinstance(value, str):
            return self._compiled().sub(lambda match: self._labels[match.group()], value) if self._labels else value
        if isinstance(value, Mapping):
            return {key: self.replace(item) for key, item in value.items()}
        return [self.replace(item) for item in value] if isinstance(value, list) else value

    def _compiled(self) -> re.Pattern[str]:
        if self._pattern is None:
            longest_first = sorted(self._labels, key=lambda text: (-len(text), text))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        return self._pattern


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        if _MARK in value:
            return
        for key in sorted(value, key=lambda key: (path == "" and key != "id", key)):
            yield from _texts(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
