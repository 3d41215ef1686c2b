"""Values of Helm charts as plain data. Pure."""

from collections.abc import Mapping
from typing import Any, cast

Values = Mapping[str, Any]


def merged(values: Values, overrides: Values) -> dict[str, Any]:
    """The values with the overrides: maps are merged at every depth, everything else is replaced, as Helm does it."""
    result = dict(values)
    for key, value in overrides.items():
        base = result.get(key)
        both = isinstance(base, Mapping) and isinstance(value, Mapping)
        result[key] = merged(cast(Values, base), cast(Values, value)) if both else value
    return result


def value_at(values: Values, path: str) -> Any:
    """What stands at a dotted path; None where nothing does."""
    key, _, rest = path.partition(".")
    found = values.get(key)
    if not rest:
        return found
    return value_at(cast(Values, found), rest) if isinstance(found, Mapping) else None
