"""Writes the list of what the embedded cloud records instead of emulating; `--check` fails where it drifted.

Usage: python tools/recorded_table.py --write docs/embedded-cloud.md | --check docs/embedded-cloud.md
"""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sandbox.providers.aws_rows import recorded

BEGIN, END = "<!-- recorded:begin -->", "<!-- recorded:end -->"


def table() -> str:
    """The table in Markdown: resource type, and its properties and operations."""
    rows = [
        f"| `{token}` | {', '.join(f'`{name}`' for name in names)} |" for token, names in sorted(recorded().items())
    ]
    return "\n".join(["| Resource type | Properties and operations |", "|---|---|", *rows])


def main(arguments: list[str]) -> int:
    """Return 0 where the document holds the current table, or was given it."""
    how, file = arguments[0], Path(arguments[1])
    document = file.read_text()
    current = re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", document, flags=re.DOTALL)
    if how == "--write":
        file.write_text(current)
    elif current != document:
        sys.stderr.write(f"{file}: the list of what is recorded is not the current one; run: make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
