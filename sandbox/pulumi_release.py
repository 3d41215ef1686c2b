"""Installs the official release of the Pulumi CLI, verified: `python -m sandbox.pulumi_release FOLDER`.

Standard library only, because it runs before anything is installed. It prints the folder to put on PATH.
"""

import hashlib
import io
import platform
import shutil
import sys
import tarfile
import urllib.request
from pathlib import Path

VERSION = "3.258.0"
"""The newest version that is served as a Go module; tools/pulumi/go.mod agrees."""
RELEASES = "https://github.com/pulumi/pulumi/releases/download/"
SHA256 = {
    "darwin-arm64": "4f743ed05afd9dc2e0663622e496bfe903a6ae6c102c54cf9e3f84af85a695bf",
    "darwin-x64": "65cab2b670b6fd85e7bbcf956563cf7597ea13c2804c82f95f7407e60b01ec5f",
    "linux-arm64": "c5928718c70ab328b22843ee41908942148743ff3021b29852efdcdd6ce369f1",
    "linux-x64": "b6cf2de0243fece40f386bc7ae6a5194c39e15891c79f66cc6c8905bea8c6479",
}
"""Of each archive, as Pulumi's Homebrew formula states it: github.com/pulumi/homebrew-tap at 18f79b6."""
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


class ReleaseError(Exception):
    """The release cannot be had, or is not what was pinned; the message says which."""


def install(folder: Path) -> Path:
    """Put the release's programs into `bin` of the folder, which is returned."""
    target = f"{platform.system().lower()}-{_MACHINES.get(platform.machine().lower(), platform.machine())}"
    if target not in SHA256:
        raise ReleaseError(f"there is no release for {target}")
    url = f"{RELEASES}v{VERSION}/pulumi-v{VERSION}-{target}.tar.gz"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            archive = answer.read()
    except OSError as error:
        raise ReleaseError(f"{url} cannot be downloaded: {getattr(error, 'reason', error)}") from None
    if (found := hashlib.sha256(archive).hexdigest()) != SHA256[target]:
        raise ReleaseError(f"{url} is not the archive that is pinned: its SHA-256 is {found}, not {SHA256[target]}")
    unfinished, programs = folder / "unfinished", folder / "bin"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files.getmembers():
            if member.isfile() and (content := files.extractfile(member)):
                program = unfinished / Path(member.name).name
                program.write_bytes(content.read())
                program.chmod(0o755)
    shutil.rmtree(programs, ignore_errors=True)
    unfinished.replace(programs)  # in one step: a folder that is there is whole
    return programs


if __name__ == "__main__":
    try:
        print(install(Path(sys.argv[1]).resolve()))  # noqa: T201
    except ReleaseError as error:
        sys.exit(f"error: {error}")
