"""The README's table of policies is generated, and cannot drift from the rules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rules import RULES

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("policy_table", PROJECT / "tools" / "policy_table.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    return module


def test_the_readme_holds_the_current_table(tool: ModuleType) -> None:
    assert tool.main(["--check", str(PROJECT / "README.md")]) == 0, "run: make docs"


def test_every_rule_has_a_line_and_no_cell_breaks_the_table(tool: ModuleType) -> None:
    lines = tool.table().splitlines()
    assert len(lines) == len(RULES) + 2
    assert {line.count("|") for line in lines} == {6}


def test_a_table_that_drifted_is_found_and_mended(tool: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text(f"before\n{tool.BEGIN}\nold\n{tool.END}\nafter\n")
    assert tool.main(["--check", str(document)]) == 1
    assert tool.main(["--write", str(document)]) == 0
    assert tool.main(["--check", str(document)]) == 0
    assert document.read_text().endswith(f"|\n{tool.END}\nafter\n")


def test_a_document_without_a_place_for_the_table_is_refused(tool: ModuleType, tmp_path: Path) -> None:
    document = tmp_path / "README.md"
    document.write_text("nothing here")
    with pytest.raises(SystemExit, match="policies:begin"):
        tool.main(["--write", str(document)])
