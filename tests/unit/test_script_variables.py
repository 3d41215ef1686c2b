"""Values written into the top of a script: bash itself says what it reads there."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks_analytics.script_variables import (
    PLACEHOLDER,
    assign,
    assignments,
    delivered,
    script_problems,
    variable_problems,
)

VENDORS_WAYS = [
    *("", "changeme", '"changeme"', "''", '"$(echo a b)"', "${HOME:-/root}", "a\\ b", "$'it\\'s'", "`echo x`", "#hash"),
    *('"two\nlines"', "'two\nlines # no comment'", '"a \\" quote"', "\"it's\"'\"'", '"${A:-"nested"}"', "a=b,c:d"),
]
HEADS = ["", "export ", "readonly ", "  ", "\texport   "]
ENDS = ["", "  # a comment with 'quotes\"", ";", " ; # and more", "\t"]
NAMES = ["CLUSTER_NAME", "BASE_DOMAIN", "_x1"]
TOP = "#!/usr/bin/env bash\n# Write your values here.\n\nset -eu\n"
SCRIPT = """#!/bin/bash
# Your values
set -euo pipefail

export CLUSTER_NAME="changeme"   # of the cluster
readonly BASE_DOMAIN='changeme';
ADMIN_PASSWORD="s3cret"  # was s3cret-too
export CLUSTER_NAME
echo "$CLUSTER_NAME"
REGION=us-east-1
"""
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def read_back(script: str, names: list[str]) -> list[str]:
    """The values of these variables, as bash has them at the end of the script."""
    ending = "".join(f"printf '%s\\0' \"${name}\"\n" for name in names)
    found = subprocess.run(["bash"], input=(script + ending).encode(), capture_output=True, check=True, timeout=20)
    assert found.stderr == b""
    return found.stdout.decode().split("\0")[:-1]


@st.composite
def tops(draw: st.DrawFn) -> str:
    lines = [
        draw(st.sampled_from(HEADS)) + f"{name}=" + draw(st.sampled_from(VENDORS_WAYS)) + draw(st.sampled_from(ENDS))
        for name in NAMES
    ]
    return TOP + "\n".join(lines) + "\n\n"


@settings(max_examples=100)
@given(tops(), st.dictionaries(st.sampled_from(NAMES), text))
def test_whatever_a_value_holds_bash_reads_it_and_all_else_as_before(top: str, values: dict[str, str]) -> None:
    before = dict(zip(NAMES, read_back(top, NAMES), strict=True))
    after = dict(zip(NAMES, read_back(assign(top, values), NAMES), strict=True))
    assert after == before | values


@given(tops())
def test_a_script_without_values_stays_as_it_is(top: str) -> None:
    assert assign(top, {}) == top
    assert list(assignments(top)) == NAMES


def test_comments_and_export_and_everything_below_stay() -> None:
    assigned = assign(SCRIPT, {"CLUSTER_NAME": "it's", "BASE_DOMAIN": "dash.example.com"})
    assert """export CLUSTER_NAME='it'"'"'s'   # of the cluster\n""" in assigned
    assert "readonly BASE_DOMAIN=dash.example.com;\n" in assigned
    assert assigned.endswith(SCRIPT[SCRIPT.index("ADMIN_PASSWORD") :])


def test_only_assignments_before_the_first_command_count() -> None:
    assert assignments(SCRIPT) == {"CLUSTER_NAME": 5, "BASE_DOMAIN": 6, "ADMIN_PASSWORD": 7}


@pytest.mark.parametrize(
    "command",
    ["A=1 run", "A=1; B=2", "A = 1", "A=(1 2)", 'A="open', "A=$(run)|cat", "A=1 &", "if true; then A=1; fi", "A+=1"],
)
def test_what_is_no_plain_assignment_ends_the_top(command: str) -> None:
    assert assignments(f"{TOP}FIRST=1\n{command}\nLAST=1\n") == {"FIRST": 5}


def test_a_long_line_takes_no_long_time() -> None:
    assert assignments(f"{TOP}A=" + "${x}$'y'\"$(z)\"" * 20_000 + "|") == {}


def test_a_name_that_is_assigned_twice_gets_its_value_in_both_places() -> None:
    script = f"{TOP}A=1\nA=2\n"
    assert read_back(assign(script, {"A": "3"}), ["A"]) == ["3"]
    assert assign(script, {"A": "3"}).count("A=3") == 2


@pytest.mark.parametrize("head", ["", "export ", "readonly ", "  export "])
def test_the_delivered_script_holds_a_placeholder_and_no_password(head: str) -> None:
    script = delivered(SCRIPT.replace("ADMIN_PASSWORD", f"{head}ADMIN_PASSWORD", 1), {"CLUSTER_NAME": "dash"})
    assert f"\n{head.lstrip()}ADMIN_PASSWORD={PLACEHOLDER}\nexport CLUSTER_NAME\n" in script
    assert "s3cret" not in script
    assert read_back(script.replace("echo", "true"), ["ADMIN_PASSWORD", "CLUSTER_NAME"]) == [PLACEHOLDER, "dash"]


def test_a_name_that_is_not_assigned_at_the_top_lists_those_that_are() -> None:
    (problem,) = script_problems(SCRIPT, ["CLUSTER_NAME", "REGION"])
    assert (problem.input, problem.value) == ("script_variables", "REGION")
    assert problem.remedy == "use one that is: CLUSTER_NAME, BASE_DOMAIN"
    with pytest.raises(ValueError, match="REGION"):
        assign(SCRIPT, {"REGION": "eu-west-1"})


def test_a_password_needs_its_place_in_the_script() -> None:
    assert not list(script_problems(SCRIPT, [], admin_password=True))
    (problem,) = script_problems(f"{TOP}A=1\n", [], admin_password=True)
    assert "assigns no ADMIN_PASSWORD" in problem.reason
    assert "A" in problem.remedy


@pytest.mark.parametrize(
    "line",
    [
        *(
            "ADMIN_PASSWORD=s3cret",
            "ADMIN_PASSWORD='s3cret'",
            '  export  ADMIN_PASSWORD="s3cret"',
            "x=1;ADMIN_PASSWORD=s3cret",
        ),
        *("\texport\tADMIN_PASSWORD=s3cret", "declare -x ADMIN_PASSWORD=s3cret", "export 'ADMIN_PASSWORD=s3cret'"),
        *(
            'export ADMIN_"PASSWORD"=s3cret',
            "ADMIN_PASSWORD+=s3cret",
            "# ADMIN_PASSWORD=s3cret",
            "env A=1 ADMIN_PASSWORD=s3cret run",
        ),
        *(
            "if true; then ADMIN_PASSWORD=s3cret; fi",
            "kubectl create secret generic x --from-literal=ADMIN_PASSWORD=s3cret",
        ),
        *("ADMIN_PASSWORD=${OTHER:-s3cret}", ": ${ADMIN_PASSWORD:=s3cret}", 'echo "${ADMIN_PASSWORD-s3cret}"'),
    ],
)
@pytest.mark.parametrize("place", ["top", "below"])
def test_a_second_password_anywhere_is_refused_by_its_line_and_not_quoted(line: str, place: str) -> None:
    script = f"{SCRIPT}{line}\n" if place == "below" else SCRIPT.replace("export CLUSTER_NAME\n", f"{line}\n")
    (problem,) = script_problems(script, [], admin_password=True)
    assert f"in line {11 if place == 'below' else 8} too" in problem.reason
    assert "s3cret" not in str(problem)
    with pytest.raises(ValueError, match="ADMIN_PASSWORD"):
        delivered(script, {})


@pytest.mark.parametrize(
    "line",
    [
        *(
            'kots install --shared-password "$ADMIN_PASSWORD"',
            "ADMIN_PASSWORD=$PASSWORD",
            'ADMIN_PASSWORD="${PASSWORD}" run',
        ),
        *(
            "ADMIN_PASSWORD=''",
            "ADMIN_PASSWORD=;",
            "ADMIN_PASSWORD=$(ask)",
            "unset ADMIN_PASSWORD",
            "MY_ADMIN_PASSWORD=x",
        ),
        *('[ "$ADMIN_PASSWORD" = "" ] && exit 1', ': "${ADMIN_PASSWORD:?is not set}"', "echo ${ADMIN_PASSWORD:-}"),
        *("ADMIN_PASSWORD_FILE=/tmp/x", "read -rs ADMIN_PASSWORD", 'ADMIN_PASSWORD="${ADMIN_PASSWORD:-$PASSWORD}"'),
    ],
)
def test_a_use_of_the_password_is_no_second_one(line: str) -> None:
    assert not list(script_problems(f"{SCRIPT}{line}\n", [], admin_password=True))


@pytest.mark.parametrize(
    ("script", "reason", "remedy"),
    [
        ("", "is empty", "installation plan again"),
        (" \n\t", "is empty", "installation plan again"),
        ("#!/bin/bash\nA=\0\n", "is binary", "installation plan again"),
        ("\x7fELF\x02\x01\x01", "is binary", "installation plan again"),
        ("#!/bin/bash\n\ufffd\ufffd", "is binary", "installation plan again"),
        ("\ufeff#!/bin/bash\nA=1\n", "byte order mark", "UTF-8 without a BOM"),
        ("#!/bin/bash\r\nA=1\r\n", "Windows line ends", "dos2unix"),
        ("A=1\n", "does not begin with #!", "installation plan again"),
        ("#!/usr/bin/env python3\nA=1\n", "does not begin with #!", "installation plan again"),
        ("<html>", "does not begin with #!", "installation plan again"),
    ],
)
def test_what_is_no_shell_script_is_refused_and_not_quoted(script: str, reason: str, remedy: str) -> None:
    (problem,) = script_problems(script, ["A"], admin_password=True)
    assert (problem.input, problem.value) == ("install_script", "install_de_aws.sh")
    assert reason in problem.reason
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "shebang", ["#!/bin/bash", "#!/bin/sh -e", "#! /usr/bin/env bash", "#!/usr/bin/env -S bash -e"]
)
def test_any_shell_may_run_the_script(shebang: str) -> None:
    assert not list(script_problems(f"{shebang}\nA=1\n", ["A"]))


def test_the_password_and_unspeakable_values_are_refused_without_being_shown() -> None:
    problems = list(variable_problems({"ADMIN_PASSWORD": "s3cret", "A": "x\0y", "B": "\ud83d", "C": "fine"}))
    assert [problem.value for problem in problems] == ["ADMIN_PASSWORD", "A", "B"]
    assert "s3cret" not in str(problems)
    assert "pulumi config set --secret" in problems[0].remedy


def test_a_file_is_read_by_the_host_as_it_is_written(tmp_path: Path) -> None:
    script = tmp_path / "install_de_aws.sh"
    script.write_text(delivered(SCRIPT, {"CLUSTER_NAME": "dash dev"}))
    assert subprocess.run(["bash", script], capture_output=True, text=True, timeout=20).stdout == "dash dev\n"
