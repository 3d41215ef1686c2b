"""The Python package: what is in it, what it needs, and the three lines by which another project comes to it."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import eks_analytics
from construct import COMPONENTS, PROJECT

PACKAGE = PROJECT / "components" / "eks_analytics"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tracked files, as somebody else has them; with the tools, so that nothing is built again."""
    folder = tmp_path_factory.mktemp("beside") / "eks-analytics"
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    (folder / ".tools").symlink_to(PROJECT / ".tools")
    return folder


@pytest.fixture(scope="module")
def built(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source distribution."""
    folder = tmp_path_factory.mktemp("built")
    uv = [sys.executable, "-m", "uv", "build", "--quiet", "--no-build-isolation", "--python", sys.executable]
    subprocess.run([*uv, "--out-dir", str(folder), str(clone / "components")], check=True)
    return folder


def test_wheel_and_source_distribution_hold_every_file_of_the_package(built: Path) -> None:
    (wheel,), (source,) = built.glob("*.whl"), built.glob("*.tar.gz")
    files = {str(file.relative_to(PACKAGE.parent)) for file in PACKAGE.rglob("*") if file.is_file()}
    wanted = {name for name in files if "__pycache__" not in name}
    assert "eks_analytics/py.typed" in wanted
    assert any(not name.endswith(".py") and name.count("/") > 1 for name in wanted)
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info" not in name} == wanted
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert wanted | {"requirements.txt", "README.md"} <= names


def test_an_installed_wheel_brings_the_function_that_watches_backups(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    installed, function = tmp_path / "installed", tmp_path / "function"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    pack = (
        "import json, eks_analytics; from eks_analytics.backup_watch import function_files; "
        "print(json.dumps([eks_analytics.__file__, function_files()]))"
    )
    variables = {**os.environ, "PYTHONPATH": str(installed)}
    ran = subprocess.run([sys.executable, "-c", pack], cwd=tmp_path, env=variables, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    where, files = json.loads(ran.stdout)
    assert where == str(installed / "eks_analytics" / "__init__.py")
    for name, text in files.items():
        (function / name).parent.mkdir(parents=True, exist_ok=True)
        (function / name).write_text(text)
    # As Lambda starts it: with what is in the archive and AWS's SDK, and none of what is installed here besides.
    for name, text in (("boto3", ""), ("botocore", ""), ("botocore/exceptions", "ClientError = Exception\n")):
        (function / name).mkdir(parents=True)
        (function / name / "__init__.py").write_text(text)
    start = f"import sys; sys.path.insert(0, {str(function)!r}); import backup_freshness; backup_freshness.handler"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", start], cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def _imported() -> Iterator[str]:
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                yield node.module.split(".")[0]


def test_installing_brings_what_the_components_import_and_nothing_else() -> None:
    known = packages_distributions()
    imported = {known[name][0].lower().replace("_", "-") for name in _imported() if name not in sys.stdlib_module_names}
    lines = (PROJECT / "components" / "requirements.txt").read_text().splitlines()
    required = {Requirement(line).name.lower() for line in lines if line and not line.startswith("#")}
    assert imported == required


def test_only_what_all_names_is_public() -> None:
    imported: dict[str, object] = {}
    exec("from eks_analytics import *", imported)
    assert imported.keys() - {"__builtins__"} == set(eks_analytics.__all__)
    for name in eks_analytics.__all__:
        assert getattr(eks_analytics, name).__module__.startswith("eks_analytics.")
    assert {f"{name}Args" for name in COMPONENTS} <= set(eks_analytics.__all__)


def test_the_plugin_is_started_with_what_the_components_need(clone: Path) -> None:
    manifest = (clone / "components" / "PulumiPlugin.yaml").read_text()
    assert "name: python" in manifest
    assert (clone / "components" / "requirements.txt").is_file()  # which pip installs into the plugin's environment


@pytest.mark.engine
def test_the_python_example_previews_with_the_three_lines_of_its_readme(clone: Path) -> None:
    readme = (PROJECT / "examples" / "python" / "README.md").read_text()
    lines = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)[0].splitlines()
    assert len(lines) == 3
    folder = clone.parent / "empty"
    folder.mkdir()
    variables: Mapping[str, str] = {
        **os.environ,
        # What is installed already for the tests need not be downloaded and unpacked once more; the package itself is.
        "PYTHONPATH": sysconfig.get_paths()["purelib"],
        "PIP_NO_BUILD_ISOLATION": "false",  # pip reads it as: no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHON": "true",  # the environment of the embedded cloud stands: the tests run in it
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    said = ""
    for line in lines:
        ran = subprocess.run(["sh", "-c", line], cwd=folder, env=variables, capture_output=True, text=True)
        assert ran.returncode == 0, f"{line}\n{ran.stdout}{ran.stderr}"
        said = ran.stdout
    assert (folder / "venv" / "lib").is_dir()
    assert list(folder.glob("venv/lib/*/site-packages/eks_analytics/network.py"))
    assert "shared-vpc" in said
    assert "private_subnet_ids" in said
    assert re.search(r"^Plan: \d\d to create", said, re.MULTILINE), said
    assert "No policies judge this" in said
    assert "Policies\n  not judged\n" in said
    assert "warning" not in said
    shutil.copytree(clone / "policies", folder / "policies")
    judged = subprocess.run(["sh", "-c", lines[-1]], cwd=folder, env=variables, capture_output=True, text=True)
    assert judged.returncode != 0
    assert "mandatory require-tags" in judged.stdout, judged.stdout + judged.stderr
    assert "shared-vpc (aws.ec2.Vpc): lacks the tags" in judged.stdout
    assert (folder / ".sandbox" / "dev").is_dir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    status = ["git", "status", "--porcelain", "--untracked-files=all"]
    listed = subprocess.run(status, cwd=folder, capture_output=True, text=True, check=True).stdout.splitlines()
    left = [line for line in listed if not line.startswith(("?? venv/", "?? policies/"))]
    left += [line for line in listed if line.startswith("?? policies/") and "__pycache__" in line]
    assert not [line for line in left if ".sandbox" in line or "__pycache__" in line or "demo/" in line], left


@pytest.mark.engine
def test_a_project_without_an_environment_of_its_own_is_told_how_to_make_one(clone: Path) -> None:
    folder = clone.parent / "unprepared"
    shutil.copytree(clone / "examples" / "python", folder)
    ran = subprocess.run(
        [sys.executable, "-m", "sandbox", "preview", "--stack", "dev"],
        cwd=clone,
        env={**os.environ, "SANDBOX_PROGRAM": str(folder)},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "python3 -m venv venv" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
