"""What the documents say of the embedded cloud is what it does."""

import re
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def test_the_list_of_what_is_recorded_is_the_current_one() -> None:
    checked = subprocess.run(
        [sys.executable, "tools/recorded_table.py", "--check", "docs/embedded-cloud.md"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_documents_link_only_to_files_that_are_there() -> None:
    documents = [PROJECT / "README.md", PROJECT / "CHANGELOG.md", *(PROJECT / "docs").rglob("*.md")]
    targets = [
        (document, link) for document in documents for link in re.findall(r"\]\(([^)#:\s]+)\)", document.read_text())
    ]
    assert targets
    assert [(str(document), link) for document, link in targets if not (document.parent / link).exists()] == []
