"""Folders of the embedded cloud within a project, which nobody is to commit."""

from pathlib import Path


def ignored(folder: Path) -> Path:
    """The folder, made where it is not there: closed to other users, and ignored by git.

    It says so itself, because the .gitignore of a project that only imports the components knows nothing of it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (folder / ".gitignore").exists():
        (folder / ".gitignore").write_text("*\n")
    return folder
