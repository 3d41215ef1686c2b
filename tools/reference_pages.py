"""Writes a page about each public component from the schema and from examples/components; `--check` fails on drift.

Usage: python tools/reference_pages.py --write docs/reference | --check docs/reference
"""

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "components"), str(ROOT / "tools")]

from component_schema import current, type_name  # noqa: E402  # the project's own modules are found only now

Schema = Mapping[str, Any]
EXAMPLES = ROOT / "examples" / "components"


def pages() -> dict[str, str]:
    """All pages by file name."""
    schema = current()
    components = {token.rsplit(":", 1)[-1]: found for token, found in sorted(schema["resources"].items())}
    types = {token.rsplit(":", 1)[-1]: found for token, found in schema["types"].items()}
    found = {f"{name}.md": _page(name, component, types) for name, component in components.items()}
    return {"README.md": _index(components), **found}


def _index(components: Mapping[str, Schema]) -> str:
    rows = [f"| [{name}]({name}.md) | {component['description']} |" for name, component in components.items()]
    return "\n".join(
        [
            "# The components",
            "",
            "Names are those of Python. Other languages write them in their own way: `cluster_name` is `clusterName`",
            "in TypeScript and YAML, `ClusterName` in Go. *Input* marks what may be an output of another resource; all",
            "else must be known when the program runs.",
            "",
            "| Component | What it makes |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _page(name: str, component: Schema, types: Mapping[str, Schema]) -> str:
    example = (EXAMPLES / f"{_snake_case(name)}.py").read_text().strip()
    lines = [f"# {name}", "", component["description"], "", "```python", example, "```", "", "## Arguments", ""]
    lines += _arguments(component["inputProperties"], component["requiredInputs"])
    for inner in _inside(component["inputProperties"], types):
        lines += ["", f"### {inner}", "", types[inner]["description"], ""]
        lines += _arguments(types[inner].get("properties", {}), types[inner].get("required", []))
    lines += ["", "## Outputs", "", "| Output | Type | Meaning |", "|---|---|---|"]
    for key, output in component["properties"].items():
        optional = "" if key in component["required"] else ", optional"
        lines.append(f"| `{_snake_case(key)}` | {type_name(output)}{optional} | {_cell(output['description'])} |")
    return "\n".join([*lines, ""])


def _arguments(properties: Mapping[str, Schema], required: list[str]) -> Iterator[str]:
    yield "| Argument | Type | Meaning |"
    yield "|---|---|---|"
    for key in sorted(properties, key=lambda key: key not in required):
        kind = _type(properties[key])
        name = f"**`{_snake_case(key)}`**, required" if key in required else f"`{_snake_case(key)}`"
        yield f"| {name} | {kind} | {_cell(properties[key]['description'])} |"


def _type(declared: Schema) -> str:
    if not declared.get("plain"):
        return f"*Input*, {type_name(declared)}"
    inner = declared.get("items") or declared.get("additionalProperties")
    if inner and not inner.get("plain") and inner["type"] == "string":
        return f"{type_name(declared)}, each an *Input*"
    reference = (inner or declared).get("$ref", "")
    name = reference.rsplit(":", 1)[-1]
    words = type_name(declared)
    return words.replace(name, f"[{name}](#{name.lower()})") if reference.startswith("#/types/") else words


def _inside(properties: Mapping[str, Schema], types: Mapping[str, Schema]) -> list[str]:
    """The types of the arguments and, after each, those inside of it."""
    found: list[str] = []
    for declared in properties.values():
        reference = (declared.get("items") or declared.get("additionalProperties") or declared).get("$ref", "")
        if reference.startswith("#/types/"):
            name = reference.rsplit(":", 1)[-1]
            found += [name, *_inside(types[name].get("properties", {}), types)]
    return list(dict.fromkeys(found))


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def main(arguments: list[str]) -> int:
    """Return 0 where the folder holds the current pages, or was given them."""
    how, folder = arguments[0], Path(arguments[1])
    current_pages = pages()
    known = {file.name: file.read_text() for file in folder.glob("*.md")}
    if known == current_pages:
        return 0
    if how == "--write":
        folder.mkdir(parents=True, exist_ok=True)
        for name in known.keys() - current_pages.keys():
            (folder / name).unlink()
        for name, page in current_pages.items():
            (folder / name).write_text(page)
        return 0
    drifted = sorted(name for name in {*known, *current_pages} if known.get(name) != current_pages.get(name))
    sys.stderr.write(f"{', '.join(drifted)} in {folder} are not the current pages; run: make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
