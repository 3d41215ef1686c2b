"""Finds the real Pulumi engine, or gets it: on PATH, as the official release, or built from pinned Go modules."""

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation import PulumiCommand
from semver import VersionInfo

from sandbox import pulumi_release
from sandbox.go_modules import TOOLS, GoModule, Say, build

MODULE = "github.com/pulumi/pulumi/pkg/v3"
PINNED = VersionInfo.parse(pulumi_release.VERSION)
GO_PACKAGES = 2000  # roughly what the engine compiles: only for the progress line


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
    say(f"Downloading the official Pulumi release {PINNED} into .tools/engine ...")
    try:
        pulumi_release.install(home)
    except pulumi_release.ReleaseError as error:
        refused.append(f"the official release: {error}")
        return None
    return "the official release"


def _build(home: Path, say: Say, refused: list[str]) -> str | None:
    # Without the version stamp the Automation API cannot parse what the engine says of itself.
    stamp = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={PINNED}"
    packages = (f"{MODULE}/cmd/pulumi", "./sdks")  # the generator of SDKs: seconds beside the engine, minutes alone
    module = GoModule("pulumi", "the Pulumi engine", str(PINNED), packages, GO_PACKAGES, stamp=stamp)
    caches = TOOLS / "go-pulumi"
    if not build(module, home / "bin", caches, say, refused):
        return None
    shutil.rmtree(caches, ignore_errors=True)  # two gigabytes that nothing needs again
    return "built from Go modules"


def _what_to_install(refused: list[str]) -> str:
    tried = "\n".join(f"  - {reason}" for reason in refused)
    return (
        f"No Pulumi engine was found, and none can be made here:\n{tried}\n"
        f"Install one of these and run the command again:\n"
        f"  - Pulumi {PINNED} or newer: https://www.pulumi.com/docs/iac/download-install/\n"
        f"  - Go 1.21 or newer: https://go.dev/doc/install (the engine is then built from Go modules)"
    )
