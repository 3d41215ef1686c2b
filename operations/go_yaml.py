"""YAML as Pulumi reads it: by go-yaml v3, which is neither YAML 1.1 nor 1.2.

`no`, `yes` and `19:30` are texts, `012` is the number ten, `089` the number 89, `1_000` a thousand. The parser is
PyYAML's, which go-yaml v3 is a port of; what a scalar stands for follows resolve.go and decode.go of
gopkg.in/yaml.v3 v3.0.1. Dates and keys become the texts that Pulumi's config/object.go makes of them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, cast

import yaml

_STR = "tag:yaml.org,2002:str"
_PLAIN = ""
"""The tag of a scalar that stands there without quotes and without a tag."""
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_INTEGER = re.compile(
    r"[-+]?(?:0[xX](?P<x>[0-9a-fA-F]+)|0[oO](?P<o>[0-7]+)|0[bB](?P<b>[01]+)|0(?P<old>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_BASES = {"x": 16, "o": 8, "b": 2, "old": 8, "d": 10}
_SIGNED_INSIDE = re.compile(r"0(?P<base>[bo])(?P<digits>[-+][0-9]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BETWEEN_DIGITS = re.compile(r"(?<=[0-9])_(?=[0-9])")
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt](?=.*(?:Z|[-+]\d\d:\d\d)$)| +(?!.*(?:Z|[-+]\d\d:\d\d)$))"
    r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d+))?(Z|[-+]\d\d:\d\d)?)?",
    re.ASCII,
)


class Map(dict[str, Any]):
    """A mapping; its keys as texts, whatever they were."""

    only_texts = True
    """Whether all keys were texts in the file."""


def load(text: str) -> Any:
    """The first document of a text: None, bool, int, float, str, lists and `Map`s. Raises `yaml.YAMLError`."""
    node = compose(text)
    return None if node is None else _Decoder().value(node)


def compose(text: str) -> yaml.Node | None:
    """The nodes of the first document; plain scalars have an empty tag."""
    loader = _Loader(text)
    try:
        return cast("yaml.Node", loader.get_node()) if loader.check_node() else None
    finally:
        loader.dispose()


def is_text(plain: str) -> bool:
    """Whether a scalar without quotes is a text, and this one."""
    return _resolve(plain)[0] == "str"


def number_text(value: float) -> str:
    """A number as Go's encoding/json writes it: 1.2e6 as 1200000."""
    if isinstance(value, int):
        return str(value)
    if not value or 1e-6 <= abs(value) < 1e21:
        written = format(Decimal(repr(value)), "f")
        return written.rstrip("0").rstrip(".") if "." in written else written
    return re.sub(r"e([-+])0(\d)$", r"e\1\2", repr(value))


# libyaml, where PyYAML comes with it: PyYAML's own parser in Python refuses some tabs that libyaml and go-yaml take.
_PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_PARSER):
    """Leaves open what scalars stand for."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        if kind is yaml.ScalarNode:
            return _PLAIN if implicit[0] else _STR
        return _PARSER.resolve(self, kind, value, implicit)


class _Decoder:
    def __init__(self) -> None:
        self._open: set[int] = set()

    def value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return scalar(node)
        if id(node) in self._open:
            raise _error(node, "an anchor's value contains itself")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self.value(item) for item in node.value]
            return self._map(cast("yaml.MappingNode", node))
        finally:
            self._open.discard(id(node))

    def _map(self, node: yaml.MappingNode) -> Map:
        pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
        _check_keys(pairs)
        found, merged = Map(), list[yaml.Node]()
        found.only_texts = all(_is_merge(key) or _is_str(key) for key, _ in pairs)
        for key, value in pairs:
            if _is_merge(key):
                merged.append(value)
            else:
                found[_key_text(key, self.value(key))] = self.value(value)
        for one in merged:
            for source in self._merged(one):
                for key, value in source.items():
                    found.setdefault(key, value)
        return found

    def _merged(self, node: yaml.Node) -> Iterator[Map]:
        for one in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(one, yaml.MappingNode):
                raise _error(node, "map merge requires map or sequence of maps as the value")
            yield self.value(one)


def _check_keys(pairs: list[tuple[yaml.Node, yaml.Node]]) -> None:
    lines: dict[str, int] = {}
    for key, _ in pairs:
        if not isinstance(key, yaml.ScalarNode):
            raise _error(key, "a mapping or a list cannot be a key")
        if key.value in lines:
            raise _error(key, f'mapping key "{key.value}" already defined at line {lines[key.value]}')
        lines[key.value] = key.start_mark.line + 1


def _is_merge(node: yaml.Node) -> bool:
    """In quotes, too: Pulumi writes what it has read once more, without them, and reads that."""
    return isinstance(node, yaml.ScalarNode) and node.value == "<<"


def _is_str(node: yaml.Node) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.tag not in (_PLAIN, _STR):
        return False
    return not _is_plain(node) or is_text(str(node.value))


def _is_plain(node: yaml.ScalarNode) -> bool:
    return node.tag == _PLAIN and node.style in (None, "")


def _key_text(node: yaml.Node, value: Any) -> str:
    """As Go's fmt prints a key."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return _float_key(value) if isinstance(value, float) else str(value)


def _float_key(value: float) -> str:
    """%v of a float: as few digits as tell it from others, with an exponent below 1e-4 and from 1e6 on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    exponent = Decimal(repr(value)).adjusted() if value else 0
    if -4 <= exponent < 6:
        return number_text(value)
    mantissa = str(Decimal(repr(value)).scaleb(-exponent).normalize())
    return f"{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def scalar(node: yaml.ScalarNode) -> Any:
    """What a scalar stands for."""
    text, tag = str(node.value), node.tag.removeprefix("tag:yaml.org,2002:")
    if _is_plain(node):
        return _resolve(text)[1]
    if tag in (_PLAIN, "str"):
        return text
    if tag == "binary":
        try:
            return base64.b64decode(re.sub(r"[\r\n]", "", text), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise _error(node, "!!binary value contains invalid base64 data") from None
    if tag not in ("bool", "int", "float", "null", "timestamp"):
        return text  # a tag that go-yaml does not know says nothing to it
    kind, value = _resolve(text, tag)
    if kind == "int" and tag == "float" and -(2**63) <= value < 2**63:
        return float(value)
    if kind != tag:
        raise _error(node, f"cannot decode !!{kind} as a !!{tag}")
    return value


def _resolve(text: str, tag: str = "") -> tuple[str, Any]:
    """Which type a plain scalar is of, and its value: `resolve` of go-yaml's resolve.go."""
    if text in _WORDS:
        word = _WORDS[text]
        return "null" if word is None else "bool" if isinstance(word, bool) else "float", word
    if text[0] not in "+-.0123456789":
        return "str", text
    if text[0] == ".":
        return _float(_BETWEEN_DIGITS.sub("", text)) or ("str", text)
    if tag in ("", "timestamp") and (moment := _time(text)):
        return "timestamp", moment
    plain = text.replace("_", "")
    return _integer(plain) or _float(plain) or _odd_integer(plain) or ("str", text)


def _integer(plain: str) -> tuple[str, int] | None:
    found = _INTEGER.fullmatch(plain)
    if found is None or found.lastgroup is None:
        return None
    number = int(found[found.lastgroup], _BASES[found.lastgroup])
    return _in_range(-number if plain[0] == "-" else number, signed=plain[0] in "+-")


def _odd_integer(plain: str) -> tuple[str, int] | None:
    """0b-101 and 0o-17, which go-yaml takes."""
    if found := _SIGNED_INSIDE.fullmatch(plain):
        try:
            return _in_range(int(found["digits"], 2 if found["base"] == "b" else 8), signed=True)
        except ValueError:
            return None
    return None


def _in_range(number: int, *, signed: bool) -> tuple[str, int] | None:
    return ("int", number) if -(2**63) <= number < (2**63 if signed else 2**64) else None


def _float(plain: str) -> tuple[str, float] | None:
    if not _FLOAT.fullmatch(plain):
        return None
    number = float(plain)
    return None if number in (float("inf"), float("-inf")) else ("float", number)


def _time(text: str) -> str | None:
    """A date or time as the text of Go's time.String(), which is what Pulumi makes of it."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        offset = _offset(zone)
        moment = datetime(*(int(part or 0) for part in (year, month, day, hour, minute, second)), tzinfo=offset)  # pyright: ignore[reportArgumentType, reportCallIssue]
    except ValueError:
        return None
    digits = (fraction or "")[:9].rstrip("0")
    local = moment.astimezone()
    name = "UTC" if offset is UTC else local.tzname() if local.utcoffset() == moment.utcoffset() else f"{moment:%z}"
    return f"{moment.replace(tzinfo=None).isoformat(' ')}{'.' if digits else ''}{digits} {moment:%z} {name}"


def _offset(zone: str | None) -> timezone:
    if zone in (None, "Z", "+00:00", "-00:00"):
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 24 or minutes > 60:
        raise ValueError(zone)
    return timezone((1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


def _error(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
