"""The examples in other languages, on SDKs as `pulumi package add` makes them and on the plugin."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from construct import HOST, PROJECT
from eks_analytics.schema import PYTHON_SDK
from sandbox import cloud as embedded_cloud
from sandbox import engine
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from sandbox.providers.protocol import serve
from sandbox.stack import import_sdk
from sdks import SCHEMA, generate, go, node, node_modules, package_name, tsc, yaml_host

EXAMPLES = PROJECT / "examples"
DRIVER = Path(__file__).parent / "run_typescript.js"


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, with the SDK that it imports."""
    folder = tmp_path_factory.mktemp("typescript")
    shutil.copytree(EXAMPLES / "typescript", folder, dirs_exist_ok=True)
    modules = folder / "node_modules"
    modules.mkdir()
    for installed in node_modules().iterdir():
        (modules / installed.name).symlink_to(installed)
    sdk = modules / package_name()
    generate("nodejs", sdk)
    tsc(sdk, "--types", "node")
    shutil.copy(sdk / "package.json", sdk / "bin")
    return folder


@pytest.fixture(scope="module")
def importing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of programs that import the components: the engine finds their plugin on PATH and an embedded
    cloud in place of AWS."""
    home = tmp_path_factory.mktemp("home")
    plugins = home / "plugins"
    plugins.mkdir()
    plugin = plugins / "pulumi-resource-eks-analytics"
    plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{HOST.parent}" "$@"\n')
    plugin.chmod(0o755)
    import_sdk()
    stand_in = AwsProvider(lambda: embedded_cloud.start(home / "cloud"), Knobs(), lambda _: None)
    engine_folder = engine.find(print).binary.parent
    (home / "state").mkdir()
    with serve({"aws": stand_in}) as attached:
        yield {
            "PATH": f"{plugins}:{engine_folder}:/usr/bin:/bin",
            "PULUMI_HOME": str(home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "emulated",
            "PULUMI_DEBUG_PROVIDERS": attached,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "NODE_PATH": str(node_modules()),
        }
    embedded_cloud.stop(home / "cloud")


def _names(urns: list[str]) -> set[str]:
    return {urn.rsplit("::", 1)[-1] for urn in urns}


@pytest.mark.engine
def test_the_typescript_example_plans_applies_and_destroys_through_the_plugin(
    typescript: Path, importing: dict[str, str]
) -> None:
    def run(verb: str) -> dict[str, Any]:
        return json.loads(node(DRIVER, [str(typescript), verb], typescript, importing).splitlines()[-1])

    planned = run("preview")
    assert {"shared-vpc", "shared-private-us-east-1b", "shared-everything-else"} <= _names(planned["resources"])
    applied = run("up")
    assert _names(applied["resources"]) == _names(planned["resources"])
    subnets = applied["outputs"]["privateSubnetIds"]["value"]
    assert [subnet[:7] for subnet in subnets] == ["subnet-", "subnet-"]
    run("destroy")


@pytest.mark.thorough
def test_the_go_example_compiles(tmp_path: Path) -> None:
    program, sdk = tmp_path / "program", tmp_path / "sdk"
    shutil.copytree(EXAMPLES / "go", program)
    generate("go", sdk)
    module = re.findall(r"^module (\S+)$", (sdk / "go.mod").read_text(), re.MULTILINE)[0]
    assert f'"{module}/eksanalytics"' in (program / "main.go").read_text()
    pinned = (PROJECT / "tools" / "pulumi" / "go.mod").read_text()
    (program / "go.mod").write_text(f"{pinned}\nrequire {module} v0.0.0\nreplace {module} => {sdk}\n")
    shutil.copy(PROJECT / "tools" / "pulumi" / "go.sum", program)
    go(["build", "-o", str(tmp_path / "importing"), "."], program)


@pytest.mark.engine
@pytest.mark.thorough
def test_the_yaml_example_plans_applies_and_destroys_through_the_plugin(
    tmp_path: Path, importing: dict[str, str]
) -> None:
    """By the engine's own commands, and with Pulumi's own language host."""
    program = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text())
    assert program.pop("packages")  # `pulumi install` fetches it; here it is on PATH
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(program | {"name": "importing-yaml"}))
    shutil.copy(EXAMPLES / "yaml" / "Pulumi.dev.yaml", tmp_path)

    def pulumi(*arguments: str) -> str:
        environment = {**os.environ, **importing, "PATH": f"{yaml_host().parent}:{importing['PATH']}"}
        ran = subprocess.run(["pulumi", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    pulumi("stack", "init", "dev")
    planned = {step["urn"] for step in json.loads(pulumi("preview", "--json"))["steps"]}
    assert {"shared-vpc", "shared-private-us-east-1b", "shared-everything-else"} <= _names([*planned])
    pulumi("up", "--yes", "--skip-preview")
    subnets = json.loads(pulumi("stack", "output", "--json"))["privateSubnetIds"]
    assert [subnet[:7] for subnet in subnets] == ["subnet-", "subnet-"]
    pulumi("destroy", "--yes", "--skip-preview")


def test_the_yaml_example_gives_what_the_schema_takes() -> None:
    schema = json.loads(SCHEMA.read_text())
    program = yaml.safe_load((EXAMPLES / "yaml" / "Pulumi.yaml").read_text())
    for name, resource in program["resources"].items():
        component = schema["resources"][resource["type"]]
        given, taken = resource["properties"], component["inputProperties"]
        assert set(component["requiredInputs"]) <= set(given) <= set(taken), name
        for key, value in given.items():
            if isinstance(value, str) and value.startswith("${"):
                assert not taken[key].get("plain"), f"{name}.{key} must be known when the program runs"
    for reference in re.findall(r"\$\{([^}]*)\}", (EXAMPLES / "yaml" / "Pulumi.yaml").read_text()):
        other, output = reference.split(".")
        assert output in schema["resources"][program["resources"][other]["type"]]["properties"], reference


def test_the_python_sdk_is_imported_by_the_name_that_its_page_says(tmp_path: Path) -> None:
    generate("python", tmp_path)
    assert (tmp_path / PYTHON_SDK / "network.py").is_file()
    assert f"from {PYTHON_SDK} import Network" in (PROJECT / "README.md").read_text()


@pytest.mark.parametrize("folder", ["go", "python", "typescript", "yaml"])
def test_a_readme_has_ten_lines_and_names_the_version_that_there_is(folder: str) -> None:
    version = json.loads(SCHEMA.read_text())["version"]
    assert len((EXAMPLES / folder / "README.md").read_text().splitlines()) <= 10
    text = "".join(file.read_text() for file in (EXAMPLES / folder).iterdir())
    assert set(re.findall(r"@v([0-9.]+\d)", text)) == {version}
