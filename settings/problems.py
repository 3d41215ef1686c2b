"""What is wrong with a stack's configuration, in words that say what to write instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, cast

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from eks_analytics.problems import Problem
from eks_analytics.units import with_unit

Location = tuple[str | int, ...]

EMPTY = '""'
HIDDEN = "[secret]"
"""Stands for the value of a secret."""
_LONGEST_VALUE = 120
SECRET_NAME = re.compile(r"passw|secret|token|credential|access_?key", re.IGNORECASE)
_KINDS: dict[type[object], str] = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class SettingsError(Exception):
    """Everything that is wrong with the configuration of a stack, as one message."""

    def __init__(self, problems: Sequence[Problem], stack: str) -> None:
        self.problems = tuple(problems)
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        listed = "\n".join(f"  {number}. {_line(problem)}" for number, problem in enumerate(problems, 1))
        super().__init__(f"{count} in the configuration of stack {stack} (Pulumi.{stack}.yaml):\n{listed}")


def _line(problem: Problem) -> str:
    shown = " is not set" if problem.value is None else f" = {display(problem.value)}"
    return f"{problem.input}{shown}: {problem.reason}; {problem.remedy}"


def key_path(parts: Iterable[str | int]) -> str:
    """The way `pulumi config set --path` writes it: `node_groups[1].min_size`, `tags["a/b"]`."""
    written = ""
    for part in parts:
        if isinstance(part, int):
            written += f"[{part}]"
        elif part.replace("-", "_").isidentifier():
            written += f".{part}" if written else part
        else:
            written += f"[{json.dumps(part)}]"
    return written


def display(value: object) -> str:
    """A value as it would be written in the stack's file, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 4] + " ..."


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """The known word that was probably meant; capitals, hyphens and underscores make no difference. `likeness`: 1 where
    nothing else may."""
    folded = {_fold(candidate): candidate for candidate in known}
    close = get_close_matches(_fold(word), folded, n=1, cutoff=likeness)
    return folded[close[0]] if close else None


def _fold(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()


def unknown_word(word: object, known: Sequence[str]) -> str:
    """The remedy for a word that is none of those known."""
    near = nearest(word, known) if isinstance(word, str) else None
    choice = f"write one of {', '.join(word or EMPTY for word in known)}"
    return f'did you mean "{near}"? {choice}' if near else choice


def unknown_key(at: Location, value: object, known: Mapping[str, str], everywhere: Sequence[str]) -> Problem:
    """A key that its block does not have: the nearest one there, or else the same name in another block. `known` maps
    the block's names to "", and names that stand for another one to that."""
    name = str(at[-1])
    elsewhere = [key for key in everywhere if key.rpartition(".")[2] == name]
    if SECRET_NAME.search(name):
        value = HIDDEN  # most likely one in clear text
        secret = elsewhere[0] if elsewhere else "velero_credentials" if at[0] == "velero" else "admin_password"
        remedy = (
            "take it out, consider it known to whoever could read the file, and set a new one: pulumi config set "
            f"--secret {secret}"
        )
    elif near := nearest(name, known):
        remedy = f"did you mean {key_path((*at[:-1], known[near] or near))}?"
    elif elsewhere:
        remedy = f"did you mean {' or '.join(elsewhere)}?"
    else:
        remedy = f"remove it, or write one of {', '.join(name for name in known if not known[name])}"
    return Problem(key_path(at), value, "there is no such setting", remedy)


def items_of(text: str) -> list[str]:
    """What a text lists, with commas or spaces between."""
    return [item for item in re.split(r"[,\s]+", text.strip("[] ")) if item]


def _list_of(value: object, item: type[BaseModel] | None) -> str:
    """What to write where a list belongs, as far as the value says it; `item`: its blocks, where it has some."""
    fields = item.model_fields if item else {}
    names = list(fields)
    written: list[Any] = []
    if isinstance(value, dict):
        given = cast("dict[str, Any]", value)
        if not fields:
            written = list(given)
        elif any(nearest(key, names) for key in given):
            written = [given]
        elif all(isinstance(one, dict) for one in given.values()):
            written = [{names[0]: key, **one} for key, one in given.items()]
        elif all(isinstance(one, str) for one in given.values()) and fields[names[1]].annotation is str:
            written = [{names[0]: key, names[1]: one} for key, one in given.items()]
    elif isinstance(value, str):
        written = [{names[0]: one} for one in items_of(value)] if fields else list(items_of(value))
    if written:
        return display(written)
    return f"[{{{', '.join(f'{name}: ...' for name in names[:3])}}}]" if fields else "[...]"


def explain(error: ErrorDetails, block: Sequence[str] = (), item: type[BaseModel] | None = None) -> tuple[str, str]:
    """Reason and remedy of an error that pydantic reports; `block` names the settings of a block that is none, `item`
    is the model of a list's blocks."""
    value, context = error["input"], error.get("ctx", {})
    if value is None:
        return "has a key without a value", "write a value, or remove the key"
    match error["type"]:
        case "refused":
            return context["reason"], context["remedy"]
        case "string_type":
            quoted = json.dumps(json.dumps(value)) if isinstance(value, bool | int | float) else '"..."'
            if str(error["loc"][-1]).endswith(("_after", "ttl")):
                quoted = f'with its unit, "{value}h"'
            elif isinstance(value, float) and re.fullmatch(r"\d+\.\d", str(value)):
                quoted += f', or "{value}0" where that is what the file says: without quotes it is read as {value}'
            zeros = " (with its leading zeros, if it has any)" if re.fullmatch(r'"\d{4,}"', quoted) else ""
            return f"must be text, not {_kind(value)}", f"write it in quotes: {quoted}{zeros}"
        case "int_type" | "int_from_float":
            digits = value if isinstance(value, str) and value.isdigit() else 3
            found = str(value) if isinstance(value, float) else _kind(value)
            counted = with_unit(str(error["loc"][-1]), value) if isinstance(value, str) else None
            return f"must be a whole number, not {found}", counted or f"write digits without quotes, such as {digits}"
        case "bool_type":
            return f"must be true or false, not {_kind(value)}", "write true or false, without quotes"
        case "greater_than_equal":
            return "is too small", f"write {context['ge']} or more"
        case "less_than_equal":
            return "is too large", f"write {context['le']} or less"
        case "literal_error":
            known = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
            if isinstance(value, int | float) and str(value) in known:
                return f"must be text, not {_kind(value)}", f'write it in quotes: "{value}"'
            return "is none of the values that this setting knows", unknown_word(value, known)
        case "tuple_type":
            return f"must be a list, not {_kind(value)}", f"write a list: {_list_of(value, item)}"
        case "model_type" | "dict_type":
            reason = f"must be an object with keys, not {_kind(value)}"
            if not block:
                return reason, "write keys and values: {key: value}"
            listed = ", ".join(block[:8]) + (" ..." if len(block) > 8 else "")
            return reason, f"write an object with the keys that you need, of {listed}"
        case _:
            return error["msg"], "see the configuration table in README.md"


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)
