"""The components' schema: Pulumi's analysis of their classes, with the descriptions of inherited arguments."""

import ast
import inspect
import sys
from collections.abc import Iterator

from pulumi.provider.experimental.analyzer import Analyzer


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
