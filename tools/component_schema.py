"""Writes the schema of the components, from which Pulumi generates SDKs; `--check` fails where it drifted, and both say
what the change means for programs that import the components.

Usage: python tools/component_schema.py --write components/schema.json | --check components/schema.json
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "components"))

from eks_analytics.schema import package_schema, public_components

Schema = Mapping[str, Any]


class Change(NamedTuple):
    """What differs between two schemas, at one place."""

    breaks: bool
    """Whether a program that worked with the old one may fail with the new one."""
    what: str


def changes(old: Schema, new: Schema) -> Iterator[Change]:
    """All that differs but for the version."""
    for key in ("name", "namespace"):
        if old.get(key) != new.get(key):
            yield Change(True, f"{key}: {old.get(key)!r} became {new.get(key)!r}, and with it the name of every SDK")
    for language in sorted({*(before := old.get("language", {})), *(after := new.get("language", {}))}):
        old_name, new_name = (side.get(language, {}).get("packageName") for side in (before, after))
        if old_name != new_name:
            yield Change(
                True, f"the {language} SDK: {old_name or 'the default name'} became {new_name or 'the default'}"
            )
    for kind, word in (("resources", "component"), ("types", "type")):
        before, after = old.get(kind, {}), new.get(kind, {})
        for token in sorted({*before, *after}):
            name = token.rsplit(":", 1)[-1]
            if token not in after:
                yield Change(True, f"{word} {name} is gone")
            elif token not in before:
                yield Change(False, f"{word} {name} is new")
            else:
                yield from _of_object(name, before[token], after[token])


def _of_object(name: str, old: Schema, new: Schema) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(False, f"{name}: the description")
    if "inputProperties" in new:
        yield from _of_inputs(
            name,
            old["inputProperties"],
            new["inputProperties"],
            _required(old, "requiredInputs"),
            _required(new, "requiredInputs"),
        )
        yield from _of_outputs(name, old["properties"], new["properties"], _required(old), _required(new))
    else:  # types are those of arguments
        yield from _of_inputs(
            name, old.get("properties", {}), new.get("properties", {}), _required(old), _required(new)
        )


def _required(part: Schema, key: str = "required") -> set[str]:
    return set(part.get(key, []))


def _of_inputs(name: str, old: Schema, new: Schema, needed: set[str], needs: set[str]) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        where = f"{name}.{key}"
        if key not in new:
            yield Change(True, f"{where}: the argument is gone")
        elif key not in old:
            yield Change(key in needs, f"{where}: a new argument{', which is required' if key in needs else ''}")
        else:
            yield from _of_property(where, old[key], new[key])
            if (key in needed) != (key in needs):
                yield Change(key in needs, f"{where}: the argument is now {'required' if key in needs else 'optional'}")


def _of_outputs(name: str, old: Schema, new: Schema, sure: set[str], is_sure: set[str]) -> Iterator[Change]:
    for key in sorted({*old, *new}):
        where = f"{name}.{key}"
        if key not in new:
            yield Change(True, f"{where}: the output is gone")
        elif key not in old:
            yield Change(False, f"{where}: a new output")
        else:
            yield from _of_property(where, old[key], new[key])
            if (key in sure) != (key in is_sure):
                yield Change(
                    key in sure, f"{where}: the output is now {'always there' if key in is_sure else 'optional'}"
                )


def _of_property(where: str, old: Schema, new: Schema) -> Iterator[Change]:
    if old.get("description") != new.get("description"):
        yield Change(False, f"{where}: the description")
    if type_name(old) != type_name(new):
        yield Change(True, f"{where}: {type_name(old)} became {type_name(new)}")
    elif _plain(old) != _plain(new):
        breaks = any(now and not before for before, now in zip(_plain(old), _plain(new), strict=True))
        yield Change(breaks, f"{where}: {'takes no Output any more' if breaks else 'takes an Output too'}")


def type_name(declared: Schema) -> str:
    """The type of a property in words, e.g. `list of NodeGroupArgs`."""
    reference = declared.get("$ref", "")
    if reference:
        return "any value" if reference == "pulumi.json#/Any" else reference.rsplit(":", 1)[-1]
    if "items" in declared:
        return f"list of {type_name(declared['items'])}"
    if "additionalProperties" in declared:
        return f"map of {type_name(declared['additionalProperties'])}"
    kind: str = declared["type"]
    return {"string": "text", "integer": "number", "boolean": "true or false"}.get(kind, kind)


def _plain(declared: Schema) -> list[bool]:
    """Whether the property, and what is inside of it, must be known when the program runs."""
    inner = declared.get("items") or declared.get("additionalProperties")
    return [declared.get("plain", False), *(_plain(inner) if inner else [])]


def current() -> dict[str, Any]:
    """The schema of the components as they are."""
    return package_schema(public_components())


def text(schema: Schema) -> str:
    """The schema as it lies in its file."""
    return json.dumps(schema, indent=2) + "\n"


def verdict(found: list[Change]) -> str:
    """What the changes mean for whoever imports the components."""
    listed = [f"  {'breaks' if change.breaks else 'fits  '}  {change.what}" for change in found]
    breaks = any(change.breaks for change in found)
    summary = (
        "This change breaks programs that import the components: docs/versioning.md says what it takes."
        if breaks
        else "Programs that import the components go on working."
    )
    return "\n".join([*listed, summary])


def main(arguments: list[str]) -> int:
    """Return 0 where the file holds the current schema, or was given it."""
    how, file = arguments[0], Path(arguments[1])
    known = file.read_text() if file.is_file() else "{}"
    schema = current()
    if text(schema) == known:
        return 0
    sys.stderr.write(f"{file.name} and the components differ:\n{verdict(list(changes(json.loads(known), schema)))}\n")
    if how == "--write":
        file.write_text(text(schema))
        return 0
    sys.stderr.write("Run: make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
