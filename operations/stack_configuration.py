"""What a stack's file means to Pulumi: the values that `pulumi config --json` shows and that a program is handed.

Nothing here asks Pulumi; the tests hold every form of a value against the engine. Sources: sdk/go/common/workspace and
sdk/go/common/resource/config of github.com/pulumi/pulumi, v3.258.0.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import yaml

from operations import go_yaml
from operations.console import OperationError

KeyPath = tuple[str | int, ...]
Placeholder = Callable[[KeyPath], str]
"""What stands for the secret at a path, whose first part is the key with its namespace."""


# How JSON escapes what lies beyond U+FFFF, and YAML does not.
_PAIR = re.compile(r"\\ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}")


class Secret:
    """Stands for a secret; what it hides, only the team's own backend can tell."""

    def __repr__(self) -> str:
        return "[secret]"


SECRET: Final = Secret()


@dataclass(frozen=True)
class StackConfiguration:
    """The configuration of one stack: its file over what Pulumi.yaml says for all stacks."""

    name: str
    """Of the file."""
    project: str
    """The namespace of the project's own keys."""
    values: Mapping[str, Any]
    """By key with namespace: None, bool, int, float, str, `SECRET`, and lists and maps of them."""
    own_keys: frozenset[str]
    """Those that the stack's file itself holds."""
    environments: tuple[str, ...]
    """Of Pulumi ESC, whose values only a logged-in Pulumi knows."""

    def setting(self, *path: str | int) -> Any:
        """The value at a path below the project's namespace, as the program decodes it; None where there is none."""
        found: Any = self.values.get(f"{self.project}:{path[0]}")
        if isinstance(found, str) and found.lstrip().startswith(("{", "[")):
            with suppress(ValueError):  # `pulumi config set` without --path writes an object as text
                found = json.loads(found)
        for part in path[1:]:
            try:
                found = cast("dict[str | int, Any]", found)[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def with_own(self, own: Mapping[str, Any]) -> StackConfiguration:
        """The same with other values in the stack's file."""
        common = {key: value for key, value in self.values.items() if key not in self.own_keys}
        return replace(self, values={**common, **own}, own_keys=frozenset(own))

    @property
    def secrets(self) -> list[KeyPath]:
        """Where secrets are."""
        return [path for key, value in self.values.items() for path in _secrets(value, (key,))]

    @property
    def secret_keys(self) -> set[str]:
        """The keys that Pulumi tells a program to be secret: those that hold one somewhere."""
        return {str(path[0]) for path in self.secrets}

    def texts(self, placeholder: Placeholder) -> dict[str, str]:
        """The values as Pulumi hands them to a program: texts, and JSON for everything else."""
        return {key: _text(_filled(value, (key,), placeholder)) for key, value in sorted(self.values.items())}

    def document(self, stand_in: Callable[[KeyPath], object], **more: str) -> str:
        """A stack's file that says the same, and more, in JSON: no reader of YAML takes that for anything else."""
        config = {key: _filled(self.values[key], (key,), stand_in) for key in sorted(self.own_keys)}
        return _PAIR.sub(_in_yaml, json.dumps({**more, "config": config}, indent=2))

    @property
    def unread(self) -> str | None:
        """What of the file is not read here, in a sentence."""
        if not self.environments:
            return None
        return (
            f"{self.name} takes values from {', '.join(self.environments)} (`environment:`), which only a Pulumi that "
            "is logged in to Pulumi Cloud can open: they are missing here."
        )


def load(file: Path, project: Path) -> StackConfiguration:
    """Read a stack's file and the Pulumi.yaml in the folder `project`. Raises an `OperationError` in a sentence."""
    settings = project_settings(project)
    content = mapping(file)
    name = str(settings["name"])
    given: Any = content.get("config")
    if not isinstance(given, go_yaml.Map | None):
        raise OperationError(
            f"{file.name} is no stack configuration: write `config:` and below it keys such as `{name}:cluster_name: "
            "dash-dev`, as Pulumi.dev.yaml does"
        )
    config: dict[str, Any] = {}
    for key, value in _pairs(given):
        config[_key(key, name, file)] = _value(value, (key,), file)
    common = {_key(key, name, project / "Pulumi.yaml"): value for key, value in _common(settings, name)}
    return StackConfiguration(
        file.name, name, {**common, **config}, frozenset(config), tuple(_environments(content.get("environment")))
    )


def block(file: Path, name: str) -> dict[str, Any]:
    """A block of settings in a file, whatever the project's name; empty where there is none, or no readable file."""
    try:
        config = mapping(file).get("config")
        settings = {key.rpartition(":")[2]: value for key, value in cast("dict[str, Any]", config or {}).items()}
        found = _value(settings.get(name), (name,), file)
        found = json.loads(found) if isinstance(found, str) else found
    except (OperationError, AttributeError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def project_settings(project: Path) -> dict[str, Any]:
    """Pulumi.yaml, as Pulumi reads it."""
    file = project / "Pulumi.yaml"
    if not file.is_file():
        raise OperationError(f"{project} is not a Pulumi project: there is no Pulumi.yaml in it")
    settings = mapping(file)
    if not isinstance(settings.get("name"), str):
        raise OperationError(f"{file.name} has no name of the project: write `name:`")
    return settings


def mapping(file: Path) -> go_yaml.Map:
    """What a file of Pulumi's holds, as it stands there."""
    try:
        content = go_yaml.load(file.read_bytes().decode("utf-8-sig"))
    except yaml.YAMLError as error:
        raise OperationError(f"{file.name} cannot be read as YAML: {problem(error)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OperationError(f"{file.name} cannot be read: {error}") from None
    if content is None:
        return go_yaml.Map()
    if not isinstance(content, go_yaml.Map) or not content.only_texts:
        what = "project" if file.name == "Pulumi.yaml" else "stack configuration"
        raise OperationError(f"{file.name} is no {what}: write keys such as `config:`, and settings below it")
    return content


def problem(error: yaml.YAMLError) -> str:
    """What is wrong, with the line and without what stands there: it may be a secret."""
    said = getattr(error, "problem", None) or "it is not YAML"
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: {said}" if mark else str(said)


def _key(written: str, project: str, file: Path) -> str:
    """`network`, `eks-analytics:network` and the old form `eks-analytics:config:network` are one key."""
    match written.split(":"):
        case [name]:
            return f"{project}:{name}"
        case [namespace, name] | [namespace, "config", name]:
            return f"{namespace}:{name}"
        case _:
            raise OperationError(f"{file.name}: {written} is no key of a configuration: write <namespace>:<name>")


def _value(value: Any, path: KeyPath, file: Path) -> Any:
    """A value as Pulumi keeps it: secrets recognised, floats as JSON writes them."""
    if isinstance(value, go_yaml.Map):
        if set(value) == {"secure"} and isinstance(value["secure"], str):
            return SECRET
        return {key: _value(value[key], (*path, key), file) for key in sorted(value)}
    if isinstance(value, list):
        return [_value(item, (*path, index), file) for index, item in enumerate(cast("list[Any]", value))]
    if isinstance(value, int) and value >= 2**63 and path[1:]:
        value = float(value)  # Pulumi keeps objects as JSON, and reads its numbers as int64 or float64
    if isinstance(value, float):
        if not math.isfinite(value):
            raise OperationError(f"{file.name}: {written(path)} is {value}, which Pulumi cannot keep: write a number")
        return json.loads(go_yaml.number_text(value))
    return value


def _common(settings: Mapping[str, Any], project: str) -> Iterator[tuple[str, Any]]:
    """The values that Pulumi.yaml has for stacks that do not say otherwise."""
    for key, declared in _pairs(settings.get("config")):
        value = declared
        if isinstance(declared, go_yaml.Map):
            value = declared.get("value") if declared.get("default") is None else declared["default"]
        if value is not None:
            yield key, _value(value, (key,), Path("Pulumi.yaml"))


def _pairs(block: Any) -> list[tuple[str, Any]]:
    return list(cast("dict[str, Any]", block).items()) if block else []


def _environments(declared: Any) -> Iterator[str]:
    if isinstance(declared, go_yaml.Map):
        declared = declared.get("imports") or ["an environment that it defines itself"]
    for one in cast("list[Any]", declared) if isinstance(declared, list) else []:
        yield next(iter(cast("dict[str, Any]", one)), "?") if isinstance(one, dict) else str(one)


def _secrets(value: object, path: KeyPath) -> Iterator[KeyPath]:
    if isinstance(value, Secret):
        yield path
    elif isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            yield from _secrets(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            yield from _secrets(item, (*path, index))


def _filled(value: Any, path: KeyPath, placeholder: Callable[[KeyPath], object]) -> Any:
    if isinstance(value, Secret):
        return placeholder(path)
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {key: _filled(item, (*path, key), placeholder) for key, item in found.items()}
    if isinstance(value, list):
        return [_filled(item, (*path, index), placeholder) for index, item in enumerate(cast("list[Any]", value))]
    return value


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return go_yaml.number_text(value)
    return json.dumps(value)


def _in_yaml(pair: re.Match[str]) -> str:
    return f"\\U{ord(json.loads(chr(34) + pair[0] + chr(34))):08x}"


def written(path: KeyPath) -> str:
    """The way `pulumi config set --path` takes it: `eks-analytics:velero["watch"]["subscriptions"][0]`."""
    return str(path[0]) + "".join(
        f"[{part}]" if isinstance(part, int) else f"[{json.dumps(part)}]" for part in path[1:]
    )
