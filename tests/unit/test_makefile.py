"""Values given to make reach the programs as they were typed, and neither make nor a shell runs what is in them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandbox.__main__ import app

PROJECT = Path(__file__).resolve().parents[2]
TARGETS = re.findall(r"^([a-z-]+): environment", (PROJECT / "Makefile").read_text(), re.MULTILINE)
SHOW = "import json, os, sys; print(json.dumps([sys.argv[1:], os.environ['SANDBOX_PROGRAM']]))"
VALUES = [
    "$(shell touch RAN)",
    "$(touch RAN)",
    "`touch RAN`",
    '"; touch RAN; "',
    "';touch RAN;'",
    "a $$HOME\nb",
    "a b#c",
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stands for the project's Python: prints what it is given."""
    file = tmp_path_factory.mktemp("program") / "show"
    file.write_text(f"#!{sys.executable}\n{SHOW}\n")
    file.chmod(0o755)
    return file


def make(program: Path, target: str, folder: Path, *given: str, **variables: str) -> list[tuple[list[str], str]]:
    """What each program of the target is given: its arguments, and the project to run."""
    command = ["make", "-f", str(PROJECT / "Makefile"), "--no-print-directory", f"RUN={program}", f"PYTHON={program}"]
    done = subprocess.run(
        [*command, target, *given], cwd=folder, env=os.environ | variables, capture_output=True, text=True, check=True
    )
    assert list(folder.iterdir()) == []
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("from_environment", [False, True])
def test_no_value_of_any_variable_is_run_by_any_target(
    program: Path, tmp_path: Path, value: str, from_environment: bool
) -> None:
    names = ("STACK", "BASE", "OUT", "LIMIT", "REGION", "COMMAND", "TESTS", "PROJECT", "ACCOUNT", "ALL", "ANYTHING")
    given = {} if from_environment else dict.fromkeys(names, value)
    variables = dict.fromkeys(names, value) if from_environment else {}
    options = [f"{name}={text}" for name, text in given.items()]
    for target in TARGETS if value == VALUES[0] else ("review", "shell", "zones", "dns", "test"):
        for arguments, project in make(program, target, tmp_path, *options, **variables)[1:]:
            assert project == given.get("PROJECT", "")
            for argument in arguments:
                if argument.startswith("--") and "=" in argument and argument.partition("=")[2] != "loadfile":
                    assert argument.partition("=")[2] == value


def test_what_is_typed_arrives(program: Path, tmp_path: Path) -> None:
    _, (arguments, _) = make(program, "review", tmp_path, "BASE=a b", "OUT=$$x`y`", "LIMIT=9", "STACK=it's")
    expected = ["review", "--stack=it's", "--base=a b", "--output=$$x`y`", "--limit=9"]
    assert arguments == ["-m", "sandbox", *expected]
    _, (arguments, _) = make(program, "review", tmp_path)
    assert arguments == ["-m", "sandbox", "review", "--stack=dev"]
    _, (arguments, _) = make(program, "test", tmp_path, "TESTS=tests/a tests/b", "ALL=1")
    assert arguments[2:5] == ["tests/a", "tests/b", "-n"]


@pytest.mark.parametrize(
    "command", ["kubectl get pods -o jsonpath='{.items[*].metadata.name}'", """echo "$HOME" 'a b' \\"""]
)
def test_the_shell_gets_its_command_as_it_was_typed(program: Path, tmp_path: Path, command: str) -> None:
    _, (arguments, _) = make(program, "shell", tmp_path, f"COMMAND={command}")
    assert arguments[2:] == ["shell", "--stack=dev", f"--command={command}"]


@pytest.mark.parametrize("command", ["stop", "outputs", "inventory", "shell", "preview", "up", "down", "review"])
def test_every_command_refuses_what_cannot_be_a_stacks_name(command: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    done = CliRunner().invoke(app, [command, f"--stack=../../../../../..{outside}"])
    assert done.exit_code == 1
    assert "cannot be a stack's name" in done.output
    assert not outside.exists()


def test_zones_without_a_region_say_what_to_write() -> None:
    done = CliRunner().invoke(app, ["zones", "--region="])
    assert done.exit_code == 1
    assert "make zones REGION=us-east-1" in done.output
