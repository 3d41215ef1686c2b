"""The components' schema: Pulumi's analysis of their classes, with the descriptions of inherited arguments."""

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, cast

import pulumi
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.provider.experimental.schema import generate_schema

from . import __all__ as public_names
from . import __version__

NAME = "eks-analytics"
NAMESPACE = "eks-analytics"
"""Goes into the names of generated SDKs. Left out, it would be the owner of the repository that somebody adds, or none
for a folder, and every program would have to import another name."""

PYTHON_SDK = "pulumi_eks_analytics"
"""The module of the Python SDK, named as Pulumi's own SDKs are; left out, it would be `eks_analytics_eks_analytics`."""


def public_components() -> list[type[pulumi.ComponentResource]]:
    """All components that the package makes public."""
    public = (getattr(import_module(__package__ or ""), name) for name in public_names)
    return [found for found in public if issubclass(found, pulumi.ComponentResource)]


def package_schema(components: Sequence[type[pulumi.ComponentResource]]) -> dict[str, Any]:
    """The schema of the package, from which Pulumi generates SDKs."""
    found = InheritingAnalyzer(NAME).analyze([*components])
    definitions, types = found["component_definitions"], found["type_definitions"]
    schema = generate_schema(NAME, __version__, NAMESPACE, definitions, types, sorted(found["dependencies"], key=str))
    # Pulumi's generator for Go else leaves out the types of objects that are arguments only in lists, and names them.
    schema.language["go"]["generateExtraInputTypes"] = True
    schema.language["python"]["packageName"] = PYTHON_SDK
    return _in_one_line(schema.to_json())


def _in_one_line(part: Any) -> Any:
    """Descriptions without the line breaks and the indentation that they have in the source."""
    if not isinstance(part, dict):
        return part
    return {
        key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _in_one_line(value)
        for key, value in cast(dict[str, Any], part).items()
    }


class InheritingAnalyzer(Analyzer):
    """Pulumi's own analyzer reads the sentences in the source of a class, but not of those that it extends."""

    def get_docstring(self, typ: type, name: str) -> str | None:
        """The sentence under a field, wherever the field is declared."""
        own = super().get_docstring(typ, name)
        return own or next((found for base in _bases(typ) if (found := self.get_docstring(base, name))), None)


def _bases(typ: type) -> Iterator[type]:
    """The classes that a TypedDict extends: at run time it does not know them, its source does."""
    for statement in ast.parse(inspect.getsource(typ)).body:
        for base in statement.bases if isinstance(statement, ast.ClassDef) else []:
            known = getattr(sys.modules[typ.__module__], base.id, None) if isinstance(base, ast.Name) else None
            if isinstance(known, type):
                yield known
