"""A stack's configuration file, changed in a few places: everything else in it stays as it was written."""

import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import yaml

from operations import PROJECT, go_yaml
from operations.console import OperationError
from operations.stack_configuration import problem

NAMESPACE = "eks-analytics"


def stack_file(stack: str) -> Path:
    """The configuration file of a stack of this project."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", stack):
        raise OperationError(f"{stack!r} cannot be a stack's name: it has letters, digits, '-', '_' and '.'.")
    return PROJECT / f"Pulumi.{stack}.yaml"


def check_exists(file: Path) -> None:
    """Raise an `OperationError` that names the stacks whose files are there, where this one is not."""
    if not file.exists():
        stacks = ", ".join(sorted(found.name.split(".")[1] for found in file.parent.glob("Pulumi.*.yaml")))
        raise OperationError(f"there is no {file}. Stacks with a file there: {stacks or 'none'}.")


def read(file: Path) -> str:
    """The text of the file, line endings as they are."""
    check_exists(file)
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise OperationError(f"{file} cannot be read: {error}.") from None


def setting(text: str, path: Sequence[str]) -> object:
    """The value at that path below the project's name space; None where there is none."""
    found: object = _parse(text)
    for key in _keys(found, path):
        found = cast(Mapping[str, object], found).get(key) if isinstance(found, dict) else None
    return found


def with_settings(text: str, values: Mapping[Sequence[str], str]) -> str:
    """The text with these settings at their paths below the project's name space."""
    before = _parse(text)
    mark, text = (text[:1], text[1:]) if text.startswith("\ufeff") else ("", text)
    expected: Any = deepcopy(before) or {}
    for path, value in values.items():
        if setting(text, path) != value:
            text = _with_value(text, _keys(before, path), value)
        _put(expected, _keys(before, path), value)
    if _parse(text) != expected:  # whatever YAML there is beyond what is handled here, no file is spoilt
        wanted = ", ".join(f"{_shown(path)} = {value}" for path, value in values.items())
        raise OperationError(f"the file is written in a way that cannot be changed here. Write yourself: {wanted}.")
    return mark + text


def _keys(content: object, path: Sequence[str]) -> list[str]:
    """`dash_enterprise`, `dns` as they stand in the file: the first one bears the name space, where it need not."""
    config = cast("dict[str, object]", content).get("config") if isinstance(content, dict) else None
    written = [f"{NAMESPACE}:{path[0]}", path[0], f"{NAMESPACE}:config:{path[0]}"]
    known = [key for key in written if isinstance(config, dict) and key in config]
    return ["config", (known or written)[0], *path[1:]]


def _shown(path: Sequence[str]) -> str:
    return f"{NAMESPACE}:{'.'.join(path)}"


def _parse(text: str) -> object:
    try:
        return go_yaml.load(text)
    except yaml.YAMLError as error:
        raise OperationError(f"the configuration file is not YAML ({problem(error)}): correct it first.") from None


def _put(values: dict[str, Any], keys: Sequence[str], value: str) -> None:
    for key in keys[:-1]:
        if values.get(key) is None:
            values[key] = {}
        values = values[key]
    values[keys[-1]] = value


def _with_value(text: str, keys: list[str], value: str) -> str:
    """One value written into the text, with the keys on the way to it where they are missing."""
    node = go_yaml.compose(text)
    if node is None:  # nothing, or comments only
        return _after_line(text, len(text.rstrip()), _block(keys, value, 0))
    for depth, key in enumerate(keys):
        _check_mapping(node, keys[:depth])
        entry = _entry(node, key)
        if entry is None:
            return _with_entry(text, cast(yaml.MappingNode, node), keys[depth:], value)
        name, child = entry
        if child.start_mark.index < name.end_mark.index:
            raise OperationError(f"{_shown_keys(keys[: depth + 1])} is a YAML alias: write it out, then try again.")
        if _is_empty(child) and depth < len(keys) - 1:
            rest = keys[depth + 1 :]
            if cast(yaml.MappingNode, node).flow_style:
                return _replaced(text, child, f" {{{_flow(rest, value)}}}")
            text = _replaced(text, child, "")
            return _after_line(text, name.end_mark.index, _block(rest, value, name.start_mark.column + 2))
        node = child
    if not isinstance(node, yaml.ScalarNode):
        raise OperationError(f"{_shown_keys(keys)} is no text: remove it, then try again.")
    return _replaced(text, node, f" {_scalar(value)}")


def _replaced(text: str, node: yaml.Node, value: str) -> str:
    """The text with a node's value, and the spaces in front of it, replaced."""
    tail = text[node.end_mark.index :]
    comment = tail.lstrip(" ").startswith("#")
    return text[: node.start_mark.index].rstrip(" ") + value + (tail if comment else tail.lstrip(" "))


def _check_mapping(node: yaml.Node, keys: Sequence[str]) -> None:
    where = _shown_keys(keys) if keys else "the file"
    if not isinstance(node, yaml.MappingNode):
        raise OperationError(f"{where} holds no settings: correct it, then try again.")
    if _entry(node, "secure"):
        raise OperationError(f"{where} is encrypted as a whole: set its parts apart (`pulumi config set --path`).")


def _shown_keys(keys: Sequence[str]) -> str:
    return ".".join(keys[1:] or keys)


def _entry(node: yaml.Node, key: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = cast("list[tuple[yaml.Node, yaml.Node]]", node.value)
    return next((pair for pair in pairs if pair[0].value == key), None)


def _is_empty(node: yaml.Node) -> bool:
    """`key:`, `key: null` and `key: {}`."""
    if isinstance(node, yaml.ScalarNode):
        return go_yaml.scalar(node) is None
    return isinstance(node, yaml.MappingNode) and not node.value


def _with_entry(text: str, mapping: yaml.MappingNode, keys: Sequence[str], value: str) -> str:
    if mapping.flow_style:
        body = text[: mapping.end_mark.index - 1].rstrip()  # up to the closing brace
        return f"{body}{'' if body.endswith((',', '{')) else ','} {_flow(keys, value)}{text[len(body) :]}"
    last: yaml.Node = mapping
    while isinstance(last, yaml.CollectionNode) and not last.flow_style and last.value:
        last = last.value[-1][1] if isinstance(last, yaml.MappingNode) else last.value[-1]
    end = len(text[: last.end_mark.index].rstrip())  # a block of text ends behind the blank lines that follow it
    return _after_line(text, end, _block(keys, value, mapping.start_mark.column))


def _after_line(text: str, index: int, lines: Sequence[str]) -> str:
    """The lines after the one that holds the index, and after the comment at its end."""
    newline = "\r\n" if "\r\n" in text else "\n"
    end = text.find("\n", index) + 1
    head, tail = (text[:end], text[end:]) if end else (text + (newline if text else ""), "")
    return head + "".join(line + newline for line in lines) + tail


def _block(keys: Sequence[str], value: str, column: int) -> list[str]:
    lines = [f"{' ' * (column + 2 * depth)}{key}:" for depth, key in enumerate(keys)]
    return [*lines[:-1], f"{lines[-1]} {_scalar(value)}"]


def _flow(keys: Sequence[str], value: str) -> str:
    inner = f"{keys[-1]}: {_scalar(value)}"
    for key in reversed(keys[:-1]):
        inner = f"{key}: {{{inner}}}"
    return inner


def _scalar(value: str) -> str:
    return value if re.fullmatch(r"[a-z0-9.-]+", value) and go_yaml.is_text(value) else json.dumps(value)
