"""Between the engine's camelCase properties and the requests and answers of AWS, by botocore's service models."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape

from sandbox.providers.archives import is_archive, zipped
from sandbox.providers.protocol import UNKNOWN, Values
from sandbox.providers.schema import Type

# Maps that AWS writes as lists of pairs, by the name of a pair: what its key is called.
_PAIRS = {"Tag": "Key", "Dimension": "Name"}
# Lists that AWS extends more often than the pinned service model is renewed.
_OPEN_ENUMS = {"InstanceType", "instanceType", "AMITypes", "BucketLocationConstraint"}


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


@cache
def operation(service: str, name: str) -> OperationModel:
    return service_model(service).operation_model(name)


@cache
def normal(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


@cache
def _spellings(name: str) -> tuple[str, ...]:
    """Pulumi writes plurals where AWS does not, and the other way round."""
    word = normal(name)
    singular = [word[:-3] + "y"] if word.endswith("ies") else [word[:-1]] if word.endswith("s") else []
    return (word, *singular, word + "s", word + "list", *([word[:-2]] if word.endswith("es") else []))


def counterpart(name: str, keys: Mapping[str, Any]) -> str | None:
    """The key that means the property `name`."""
    index = {normal(key): key for key in keys}
    return next((index[spelling] for spelling in _spellings(name) if spelling in index), None)


@cache
def member_of(shape: Shape, name: str) -> str | None:
    return counterpart(name, shape.members)  # pyright: ignore[reportAttributeAccessIssue]  # structures have members


def to_aws(value: Any, shape: Any, path: str, rename: Mapping[str, str], problems: list[tuple[str, str]]) -> Any:
    """A property's value in the form of `shape`; a nested key without counterpart is a problem that names it."""
    if value is UNKNOWN or value is None:
        return value
    match shape.type_name:
        case "structure":
            if isinstance(value, list) and len(value) == 1:
                value = value[0]
            if value is UNKNOWN:
                return value
            if isinstance(value, str) and len(shape.members) == 1:
                return dict.fromkeys(shape.members, value)  # AWS wraps it in an object
            if not isinstance(value, dict):
                problems.append((path, f"{value!r} cannot be sent as {shape.name}"))
                return {}
            result: Values = {}
            for key, item in value.items():
                member = rename.get(f"{path}.{key}") or member_of(shape, key)
                if member:
                    result[member] = to_aws(item, shape.members[member], f"{path}.{key}", rename, problems)
                else:
                    problems.append((f"{path}.{key}", "is not supported by the embedded cloud"))
            return result
        case "list" if isinstance(value, dict) and shape.member.name in _PAIRS:
            return [{_PAIRS[shape.member.name]: key, "Value": item} for key, item in value.items()]
        case "list":
            items = value if isinstance(value, list) else [value]
            return [to_aws(item, shape.member, path, rename, problems) for item in items]
        case "map" if isinstance(value, dict):
            return {key: to_aws(item, shape.value, path, rename, problems) for key, item in value.items()}
        case "string" | "timestamp" if isinstance(value, bool):
            return str(value).lower()
        case "string" if isinstance(value, int | float):
            return str(value)
        case "string" if isinstance(value, dict | list):
            return json.dumps(value)
        case "integer" | "long" if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value)
        case "boolean" if value in ("true", "false"):
            return value == "true"
        case "blob" if isinstance(value, dict) and is_archive(value):
            return zipped(value)
        case "blob" if isinstance(value, str):
            return base64.b64decode(value) if path.endswith(("Base64", "Binary")) else value.encode()
        case _:
            return value


def from_aws(value: Any, kind: Type, path: str, rename: Mapping[str, str]) -> Any:
    """An answer's value in the form of the property type `kind`; None for what AWS leaves empty."""
    if value is None:
        return None
    if isinstance(value, list) and kind.kind == "map":
        value = {item[next(name for name in _PAIRS.values() if name in item)]: item["Value"] for item in value}
    if isinstance(value, list) and kind.kind in ("object", "int", "bool"):
        value = value[0] if len(value) == 1 else value or None
    match kind.kind:
        case "object" if isinstance(value, dict):
            result: Values = {}
            for key, item_kind in kind.fields.items():
                source = rename.get(f"{path}.{key}") or counterpart(key, value)
                item = from_aws(value.get(source), item_kind, f"{path}.{key}", rename) if source else None
                if item is not None:
                    result[key] = item
            return result
        case "list" if kind.item:
            items = value if isinstance(value, list) else [value] if value != {} else []
            return [from_aws(item, kind.item, path, rename) for item in items]
        case "map" if isinstance(value, dict):
            return {key: str(item) for key, item in value.items()}
        case "str":
            if isinstance(value, dict | list):
                return json.dumps(value)
            if isinstance(value, bytes):
                return base64.b64encode(value).decode()
            if isinstance(value, datetime):
                return value.strftime("%Y-%m-%dT%H:%M:%SZ")
            return str(value).lower() if isinstance(value, bool) else str(value)
        case "int" if isinstance(value, str) and re.fullmatch(r"-?\d+", value):
            return int(value)
        case "bool" if isinstance(value, str):
            return value.lower() == "true"
        case _:
            return value


def violations(value: Any, shape: Any, path: str = "") -> Iterator[str]:
    """What AWS would refuse in a request, as far as the service model says it; unknown values pass."""
    if value is UNKNOWN:
        return
    name, limits = path or "the request", shape.metadata
    size = len(value) if isinstance(value, str | list | bytes) else value if type(value) is int else None
    shown = "the secret value" if limits.get("sensitive") else repr(value)
    if size is not None and not limits.get("min", size) <= size <= limits.get("max", size):
        least, most = limits.get("min", "-"), limits.get("max", "-")
        what = "" if type(value) is int else "the length of "
        yield f"{name}: {what}{shown} is outside the limits {least} to {most}"
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            tokens = [member for member in shape.members if shape.members[member].metadata.get("idempotencyToken")]
            given = {*value, *tokens}  # botocore fills tokens in
            yield from (f"{name}: {member} is missing" for member in shape.required_members if member not in given)
            for member, item in value.items():
                yield from violations(item, shape.members[member], f"{path}.{member}" if path else member)
        case "list" if isinstance(value, list):
            for index, item in enumerate(value):
                yield from violations(item, shape.member, f"{path}[{index}]")
        case "map" if isinstance(value, dict):
            for key, item in value.items():
                yield from violations(key, shape.key, f"{path} key")
                yield from violations(item, shape.value, f"{path}[{key!r}]")
        case "string" if isinstance(value, str):
            allowed, pattern = shape.enum, _pattern(limits.get("pattern", ""))
            if allowed and value not in allowed and shape.name not in _OPEN_ENUMS:
                yield f"{name}: {shown} is not one of {', '.join(allowed)}"
            if pattern and not pattern.fullmatch(value):
                yield f"{name}: {shown} does not match {limits['pattern']}"
        case "structure" | "list" | "map" | "string":
            yield f"{name}: {shown} is not a {shape.type_name}"
        case "integer" | "long" if type(value) is not int:
            yield f"{name}: {value!r} is not a whole number"
        case "boolean" if not isinstance(value, bool):
            yield f"{name}: {value!r} is not true or false"
        case _:
            pass


@cache
def _pattern(source: str) -> re.Pattern[str] | None:
    """Service models carry Java patterns; those that Python cannot read are left to the real service."""
    try:
        return re.compile(source, re.DOTALL) if source else None
    except re.error:
        return None
