"""The schema in the repository is that of the components, describes all of them, and a change of it is judged."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from construct import PROJECT

FILE = PROJECT / "components" / "schema.json"
NETWORK, GROUP = "eks-analytics:index:Network", "eks-analytics:index:NodeGroupArgs"
Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def schemas(tool: Callable[[str], ModuleType]) -> ModuleType:
    return tool("component_schema")


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return json.loads(FILE.read_text())


def test_the_file_holds_the_current_schema(schemas: ModuleType, golden: dict[str, Any]) -> None:
    current = schemas.current()
    found = list(schemas.changes(golden, current))
    assert not found, f"{schemas.verdict(found)}\nIf that is meant, run: make docs"
    assert FILE.read_text() == schemas.text(current), "run: make docs"


def test_everything_is_described_in_one_line_and_every_optional_argument_says_its_default(
    golden: dict[str, Any],
) -> None:
    mute, several_lines, without_default = [], [], []
    for where, part, optional in _parts(golden):
        text = part.get("description", "")
        mute += [] if text else [where]
        several_lines += [where] if "\n" in text else []
        without_default += [where] if optional and "default" not in text.lower() else []
    assert (mute, several_lines, without_default) == ([], [], [])


def test_components_ask_for_few_arguments(golden: dict[str, Any]) -> None:
    assert [token for token, found in golden["resources"].items() if len(found["requiredInputs"]) > 6] == []


def _parts(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Every component, type and property, where it is, and whether it is an optional argument."""
    for kind, required in (("resources", "requiredInputs"), ("types", "required")):
        for token, found in schema[kind].items():
            yield token, found, False
            arguments = found.get("inputProperties" if kind == "resources" else "properties", {})
            for key, declared in arguments.items():
                yield f"{token}.{key}", declared, key not in found.get(required, [])
            for key, declared in (found["properties"] if kind == "resources" else {}).items():
                yield f"{token}.{key}", declared, False


TEXT = {"type": "string", "plain": True, "description": "A text. None by default."}
EDITS: list[tuple[Edit, bool, str]] = [
    (lambda new: new.update(namespace="other"), True, "namespace: 'eks-analytics' became 'other'"),
    (lambda new: new["language"]["python"].pop("packageName"), True, "the python SDK: pulumi_eks_analytics became the"),
    (lambda new: new["resources"].pop(NETWORK), True, "component Network is gone"),
    (lambda new: new["resources"].update(Other=new["resources"][NETWORK]), False, "component Other is new"),
    (lambda new: new["types"].pop(GROUP), True, "type NodeGroupArgs is gone"),
    (lambda new: new["types"].update(Other=new["types"][GROUP]), False, "type Other is new"),
    (lambda new: new["resources"][NETWORK].update(description="x"), False, "Network: the description"),
    (lambda new: new["resources"][NETWORK]["inputProperties"].pop("cidr"), True, "Network.cidr: the argument is gone"),
    (lambda new: new["resources"][NETWORK]["inputProperties"].update(x=TEXT), False, "Network.x: a new argument"),
    (lambda new: _require(new, "x", TEXT), True, "Network.x: a new argument, which is required"),
    (lambda new: _require(new, "cidr"), True, "Network.cidr: the argument is now required"),
    (
        lambda new: new["resources"][NETWORK]["requiredInputs"].remove("region"),
        False,
        "Network.region: the argument is now optional",
    ),
    (lambda new: _input(new, "cidr").update(type="integer"), True, "Network.cidr: text became number"),
    (lambda new: _input(new, "cidr").pop("plain"), False, "Network.cidr: takes an Output too"),
    (lambda new: _input(new, "tags")["additionalProperties"].pop("plain"), False, "Network.tags: takes an Output too"),
    (lambda new: _input(new, "cidr").update(description="x"), False, "Network.cidr: the description"),
    (lambda new: new["resources"][NETWORK]["properties"].pop("vpcId"), True, "Network.vpcId: the output is gone"),
    (lambda new: new["resources"][NETWORK]["properties"].update(x=TEXT), False, "Network.x: a new output"),
    (
        lambda new: new["resources"][NETWORK]["required"].remove("vpcId"),
        True,
        "Network.vpcId: the output is now optional",
    ),
    (
        lambda new: new["resources"][NETWORK]["required"].append("s3EndpointId"),
        False,
        "Network.s3EndpointId: the output is now always there",
    ),
    (lambda new: new["types"][GROUP]["properties"].pop("labels"), True, "NodeGroupArgs.labels: the argument is gone"),
    (lambda new: new["types"][GROUP]["required"].append("labels"), True, "NodeGroupArgs.labels: the argument is now"),
]


def _input(schema: dict[str, Any], key: str) -> dict[str, Any]:
    return schema["resources"][NETWORK]["inputProperties"][key]


def _require(schema: dict[str, Any], key: str, declared: dict[str, Any] | None = None) -> None:
    network = schema["resources"][NETWORK]
    network["requiredInputs"].append(key)
    if declared:
        network["inputProperties"][key] = declared


@pytest.mark.parametrize(("edit", "breaks", "what"), EDITS, ids=[what for _, _, what in EDITS])
def test_a_change_is_named_and_judged(
    schemas: ModuleType, golden: dict[str, Any], edit: Edit, breaks: bool, what: str
) -> None:
    new = copy.deepcopy(golden)
    edit(new)
    (change,) = schemas.changes(golden, new)
    assert (change.breaks, change.what.startswith(what)) == (breaks, True), change
    assert ("breaks programs" in schemas.verdict([change])) == breaks


def test_an_argument_that_takes_no_output_any_more_breaks(schemas: ModuleType, golden: dict[str, Any]) -> None:
    new = copy.deepcopy(golden)
    new["resources"]["eks-analytics:index:Cluster"]["inputProperties"]["vpcId"]["plain"] = True
    assert list(schemas.changes(golden, new)) == [(True, "Cluster.vpcId: takes no Output any more")]


def test_a_new_version_alone_is_no_change(schemas: ModuleType, golden: dict[str, Any]) -> None:
    assert list(schemas.changes(golden, {**golden, "version": "9.9.9"})) == []


def test_a_file_that_drifted_is_found_and_mended(
    schemas: ModuleType, golden: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = copy.deepcopy(golden)
    _require(old, "cidr")
    file = tmp_path / "schema.json"
    file.write_text(schemas.text(old))
    assert schemas.main(["--check", str(file)]) == 1
    assert "Network.cidr: the argument is now optional" in capsys.readouterr().err
    assert schemas.main(["--write", str(file)]) == 0
    assert schemas.main(["--check", str(file)]) == 0
    assert file.read_text() == FILE.read_text()
