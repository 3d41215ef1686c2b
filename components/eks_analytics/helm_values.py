"""Values of Helm charts as plain data. Pure."""

from collections.abc import Mapping
from typing import Any


def merged(values: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The values with the overrides: maps are merged at every depth, everything else is replaced, as Helm does it."""
    result = dict(values)
    for key, value in overrides.items():
        base = result.get(key)
        result[key] = merged(base, value) if isinstance(base, Mapping) and isinstance(value, Mapping) else value
    return result


def value_at(values: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    found: Any = values
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
