"""Writes the README's table of policies from the rules; `--check` fails where it drifted.

Usage: python tools/policy_table.py --write README.md | --check README.md
"""

import json
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "policies"))

from pack.rule import Rule
from rules import RULES

BEGIN, END = "<!-- policies:begin -->", "<!-- policies:end -->"


def table() -> str:
    """The table in Markdown."""
    rows = [
        f"| [`{rule.id}`]({rule.link}) | {rule.severity.value} | {_level(rule)} | {rule.description.removesuffix('.')} "
        f"| {_parameters(rule)} |"
        for rule in RULES
    ]
    return "\n".join(["| Rule | Severity | Level | What must hold | Parameters |", "|---|---|---|---|---|", *rows])


def _level(rule: Rule) -> str:
    if rule.level is rule.production_level:
        return rule.level.value
    return f"{rule.level.value}; {rule.production_level.value} in production"


def _parameters(rule: Rule) -> str:
    found: list[str] = []
    for name, parameter in rule.parameters.items():
        default = f"`{json.dumps(parameter.default)}`"
        if parameter.production is not None:
            default += f", in production `{json.dumps(parameter.production)}`"
        found.append(f"`{name}`: {parameter.description}; {default}")
    return "<br>".join(found)


def with_table(document: str) -> str:
    """The document with the current table between its markers."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if not pattern.search(document):
        raise SystemExit(f"there is no {BEGIN} followed by {END} in it")
    return pattern.sub(lambda _: f"{BEGIN}\n{table()}\n{END}", document, count=1)


def main(arguments: list[str]) -> int:
    """Return 0 where the document holds the current table, or was given it."""
    how, file = arguments[0], Path(arguments[1])
    document = file.read_text()
    current = with_table(document)
    if how == "--write":
        file.write_text(current)
    elif current != document:
        sys.stderr.write(f"{file}: the table of policies is not the current one; run: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
