"""What the installed provider SDK says of a resource type: its properties, their types, which of them are required."""

import difflib
import inspect
import json
import re
import types
import typing
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from importlib import import_module
from keyword import iskeyword
from typing import Any

import pulumi
from pulumi import _types as sdk_types

from sandbox.providers.protocol import UNKNOWN, Values

_DOCUMENTS = re.compile(r".*[pP]olicy|eventPattern")


@dataclass(frozen=True)
class Type:
    """`kind`: str, int, float, bool, list, map, object or any. `item`: of a list or map. `cls`: of an object."""

    kind: str
    item: "Type | None" = None
    cls: type | None = None
    json: bool = False  # a string that may be given as an object (policy documents)
    document: bool = False  # a string whose JSON the provider compares, not its letters

    @property
    def fields(self) -> dict[str, "Type"]:
        return fields_of(self.cls) if self.cls else {}


@dataclass(frozen=True)
class Schema:
    token: str
    inputs: dict[str, Type]
    outputs: dict[str, Type]
    args: type


def python_name(camel: str) -> str:
    name = re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match[1].lower(), camel).lower()
    return f"{name}_" if iskeyword(name) else name


@cache
def schema_of(token: str) -> Schema | None:
    """The schema of `aws:ec2/routeTable:RouteTable`; None where the SDK has no such class.

    The SDK's packages load lazily and not thread-safely, and asking for a module inside one of them leaves the package
    half loaded: hence through the package, which somebody has loaded before several threads ask.
    """
    package, path, name = token.split(":")
    try:
        module = getattr(import_module(f"pulumi_{package}"), python_name(path.split("/")[0]))
        resource = getattr(module, name)
        args = getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args")  # where a nested type took it
    except AttributeError:
        return None
    outputs = {key: type_of(annotation) for key, annotation in sdk_types.resource_types(resource).items()}
    return Schema(token, fields_of(args), outputs, args)


@cache
def fields_of(cls: type) -> dict[str, Type]:
    annotations = sdk_types.input_type_types(cls) if sdk_types.is_input_type(cls) else sdk_types.output_type_types(cls)
    return {
        key: replace(kind, document=kind.kind == "str" and bool(_DOCUMENTS.fullmatch(key)))
        for key, kind in ((key, type_of(annotation)) for key, annotation in annotations.items())
    }


@cache
def required_of(cls: type) -> frozenset[str]:
    names = sdk_types.input_type_py_to_pulumi_names(cls)
    parameters = inspect.signature(cls).parameters.items()
    return frozenset(names[key] for key, parameter in parameters if parameter.default is inspect.Parameter.empty)


def type_of(annotation: Any) -> Type:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        plumbing = (Awaitable, pulumi.Output)
        members = [type_of(a) for a in arguments if a is not type(None) and typing.get_origin(a) not in plumbing]
        objects = [member for member in members if member.kind == "object"]
        if objects and any(member.kind == "str" for member in members):
            return Type("str", json=True)
        return objects[0] if objects else members[0]
    if origin is typing.Literal:
        return Type("str")
    if origin is not None and issubclass(origin, Mapping):
        return Type("map", type_of(arguments[1]))
    if origin is not None and issubclass(origin, Sequence):
        return Type("list", type_of(arguments[0]))
    if not isinstance(annotation, type):
        return Type("any")
    if sdk_types.is_input_type(annotation) or sdk_types.is_output_type(annotation):
        return Type("object", cls=annotation)
    if issubclass(annotation, Enum):
        return Type("str")
    return Type(annotation.__name__ if annotation in (str, int, float, bool) else "any")


def check_inputs(schema: Schema, values: Values) -> Iterator[tuple[str, str]]:
    """Pairs of path and reason for every misspelt, missing or wrongly typed property."""
    yield from _check_object(Type("object", cls=schema.args), values, "")


def _check_object(kind: Type, values: Values, path: str) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        here = f"{path}.{key}" if path else key
        if key in kind.fields:
            yield from check_value(kind.fields[key], value, here)
        else:
            near = difflib.get_close_matches(key, kind.fields, 1, 0.5)
            yield here, f"no such property{f'; did you mean {near[0]!r}?' if near else ''}"
    assert kind.cls
    for key in sorted(required_of(kind.cls) - set(values)):
        yield f"{path}.{key}" if path else key, "required property is missing"


def check_value(kind: Type, value: Any, path: str) -> Iterator[tuple[str, str]]:
    """The same of one value."""
    accepted: dict[str, tuple[type, ...]] = {
        "str": (str, bool, int, float, *((dict,) if kind.json else ())),
        "int": (int,),
        "float": (int, float),
        "bool": (bool,),
        "list": (list,),
        "map": (dict,),
        "object": (dict,),
        "any": (object,),
    }
    if value is UNKNOWN or _converts(kind.kind, value):
        return
    if not isinstance(value, accepted[kind.kind]) or (kind.kind == "int" and isinstance(value, bool)):
        yield path, f"{value!r} is a {type(value).__name__}, but the property is of type {kind.kind}"
    elif kind.kind == "object":
        yield from _check_object(kind, value, path)
    elif kind.kind == "list" and kind.item:
        for index, item in enumerate(value):
            yield from check_value(kind.item, item, f"{path}[{index}]")
    elif kind.kind == "map" and kind.item:
        for key, item in value.items():
            yield from check_value(kind.item, item, f"{path}[{key!r}]")


def _converts(kind: str, value: Any) -> bool:
    """Texts that the engine's providers take for numbers and truth values."""
    texts = {"bool": r"true|false", "int": r"-?\d+", "float": r"-?\d+(\.\d+)?"}
    return isinstance(value, str) and kind in texts and bool(re.fullmatch(texts[kind], value))


def plain(kind: Type, value: Any) -> Any:
    """The value as the provider stores it: texts turned into the declared type, documents into JSON."""
    if value is UNKNOWN or value is None:
        return value
    match kind.kind:
        case "str" if isinstance(value, dict):
            return json.dumps(value)
        case "str" if not isinstance(value, str):
            return str(value).lower() if isinstance(value, bool) else str(value)
        case "bool" if isinstance(value, str):
            return value == "true"
        case "int" | "float" if isinstance(value, str):
            return int(value) if kind.kind == "int" else float(value)
        case "list" if kind.item:
            return [plain(kind.item, item) for item in value]
        case "map" if kind.item and isinstance(value, dict):
            return {key: plain(kind.item, item) for key, item in value.items()}
        case "object" if isinstance(value, dict):
            return {key: plain(kind.fields[key], item) for key, item in value.items()}
        case _:
            return value
