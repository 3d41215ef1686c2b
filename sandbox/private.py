"""What the embedded cloud keeps on disk: state, copies of configurations and logs, for their owner only."""

import os
from pathlib import Path
from typing import IO, Any

UMASK = 0o077
"""Of the processes that write such files themselves."""


def folder(path: Path) -> Path:
    """The folder, made with its parents where they are not there."""
    for each in (*reversed(path.parents), path):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
    path.chmod(0o700)
    return path


def opened(path: Path, mode: str, buffering: int = -1) -> IO[Any]:
    """As `open`."""
    return open(path, mode, buffering, opener=lambda name, flags: os.open(name, flags, 0o600))


def write(path: Path, text: str) -> None:
    with opened(path, "w") as file:
        file.write(text)
    path.chmod(0o600)


def ignored(path: Path) -> Path:
    """The folder, which git ignores: it says so itself, for the .gitignore of a project that imports the components
    knows nothing of it."""
    folder(path)
    if not (path / ".gitignore").exists():
        (path / ".gitignore").write_text("*\n")
    return path
