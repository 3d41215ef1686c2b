"""Writes the README's configuration table from Pulumi.yaml and the settings' models; `--check` fails where it drifted.

Usage: python tools/configuration_table.py --write README.md | --check README.md
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "components")]

from settings import Settings, models  # noqa: E402  # the project's own modules are found only now
from settings.reading import block_of  # noqa: E402

BEGIN, END = "<!-- configuration:begin -->", "<!-- configuration:end -->"
_TYPE_NAMES = {str: "text", bool: "true or false", int: "number", SecretStr: "secret text"}


class Row(NamedTuple):
    """One setting."""

    key: str
    type: str
    default: str
    description: str


def rows() -> Iterator[Row]:
    """Every setting: the top ones as Pulumi.yaml declares them, each followed by the keys inside of it."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
    for key, declared in project["config"].items():
        field = Settings.model_fields[key]
        default = _code(declared["default"]) if "default" in declared else "required"
        yield Row(key, _type(field.annotation), default, declared["description"])
        if inner := block_of(field.annotation):
            yield from _inside(inner, f"{key}[]." if get_args(field.annotation) else f"{key}.")


def _inside(block: type[BaseModel], prefix: str) -> Iterator[Row]:
    for name, field in block.model_fields.items():
        description = " ".join(_sentences()[block.__name__][name].split()).removesuffix(".")
        yield Row(f"{prefix}{name}", _type(field.annotation), _default(field), description)
        if inner := block_of(field.annotation):
            yield from _inside(inner, f"{prefix}{name}[]." if get_args(field.annotation) else f"{prefix}{name}.")


@cache
def _sentences() -> dict[str, dict[str, str]]:
    """The string under each field of each model, by model and field."""
    found: dict[str, dict[str, str]] = {}
    for model in ast.walk(ast.parse(Path(models.__file__).read_text())):
        if isinstance(model, ast.ClassDef):
            for field, below in pairwise(model.body):
                match field, below:
                    case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(sentence))):
                        found.setdefault(model.name, {})[name] = sentence
                    case _:
                        pass
    return found


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "stands_for" in extra:
        return str(extra["stands_for"])
    return _code(field.default)


def _code(value: Any) -> str:
    if isinstance(value, BaseModel):
        return ""
    return "" if value in ("", (), [], {}) else f"`{json.dumps(value).strip(chr(34))}`"


def _type(annotation: Any) -> str:
    if annotation in _TYPE_NAMES:
        return _TYPE_NAMES[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is tuple:
        return "list of objects" if block_of(annotation) else "list"
    return "object" if block_of(annotation) or origin is dict else _type(arguments[0])


def table() -> str:
    """The table in Markdown."""
    lines = ["| Setting | Type | Default | Meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{row.key}` | {row.type} | {row.default} | {row.description.replace('|', chr(92) + '|')} |"
        for row in rows()
    ]
    return "\n".join(lines)


def with_table(document: str) -> str:
    """The document with the current table between its markers."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"there is no {BEGIN} followed by {END} in it")
    return pattern.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", document, count=1)


def main(arguments: list[str] | None = None) -> int:
    """Return 0 where the document holds the current table, or was given it."""
    parser = argparse.ArgumentParser(description=__doc__)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--check", type=Path, metavar="FILE", help="fail where the table is not the current one")
    how.add_argument("--write", type=Path, metavar="FILE", help="put the current table into the file")
    options = parser.parse_args(arguments)
    file: Path = options.check or options.write
    document = file.read_text()
    current = with_table(document)
    if options.write:
        file.write_text(current)
    elif current != document:
        sys.stderr.write(f"{file}: the configuration table is not the current one; run: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
