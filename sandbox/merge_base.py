"""The merge base of what is reviewed: found by git, and checked out beside the project."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BRANCHES = ("origin/HEAD", "main", "origin/main", "master", "origin/master")
"""Where a change is taken to go when nobody says it: the remote's default branch first."""


class MergeBaseError(Exception):
    """There is nothing to compare with; the message says why, and what to do."""


@dataclass(frozen=True)
class MergeBase:
    """What HEAD is compared with."""

    commit: str
    branch: str
    """What the change is to go into, as it was named or found."""
    head: str
    uncommitted: int
    """Files that are changed in the working tree, or new in it."""
    folder: str
    """Of the project within its repository; empty at its root."""


def find(project: Path, branch: str | None = None) -> MergeBase:
    """The merge base of HEAD and the branch; without one, the default branch."""
    try:
        folder = _git(project, "rev-parse", "--show-prefix")
    except FileNotFoundError:
        raise MergeBaseError("git is not installed, and the merge base is found by it: install git") from None
    except subprocess.CalledProcessError as error:
        raise MergeBaseError(
            f"{project} is no working tree of git ({_said(error)}): clone the repository instead of downloading it"
        ) from None
    head = _commit(project, "HEAD")
    if head is None:
        raise MergeBaseError("nothing is committed yet, so there is nothing to compare with: commit first")
    branch, tip = _branch(project, branch)
    base = _optional(project, "merge-base", "HEAD", tip)
    if base is None:
        shallow = _optional(project, "rev-parse", "--is-shallow-repository") == "true"
        why = (
            "the clone is shallow and ends before it: git fetch --unshallow, or fetch-depth: 0 in actions/checkout"
            if shallow
            else f"their histories have nothing in common: merge {branch} into this branch, or name another, BASE=…"
        )
        raise MergeBaseError(f"HEAD and {branch} have no merge base: {why}")
    changed = _git(project, "status", "--porcelain", "--untracked-files=all", "--", ".").splitlines()
    return MergeBase(base, branch, head, len(changed), folder)


def _branch(project: Path, named: str | None) -> tuple[str, str]:
    """A branch, tag or commit with the commit that it stands for."""
    for name in (named,) if named else BRANCHES:
        if tip := _commit(project, name):
            return (_optional(project, "rev-parse", "--abbrev-ref", name) or name, tip)
    if named:
        raise MergeBaseError(
            f"BASE={named} is no branch, tag or commit of this clone: fetch it (git fetch origin {named}) and name it "
            f"as git does, such as BASE=origin/{named}"
        )
    raise MergeBaseError(f"there is none of the branches {', '.join(BRANCHES)}: name the one to go into, BASE=…")


@contextmanager
def checked_out(project: Path, base: MergeBase, folder: Path) -> Iterator[Path]:
    """The project as it was at the merge base, in a worktree that goes again."""
    try:
        _git(project, "worktree", "add", "--quiet", "--detach", str(folder), base.commit)
    except subprocess.CalledProcessError as error:
        raise MergeBaseError(f"git cannot check out {base.commit[:10]} beside the project: {_said(error)}") from None
    try:
        yield folder / base.folder
    finally:
        _optional(project, "worktree", "remove", "--force", "--force", str(folder))


def has_file(project: Path, base: MergeBase, name: str) -> bool:
    """Whether the project has this file at the merge base."""
    return _optional(project, "cat-file", "-e", f"{base.commit}:{base.folder}{name}") is not None


def _commit(project: Path, name: str) -> str | None:
    return _optional(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")


def _optional(project: Path, *arguments: str) -> str | None:
    try:
        return _git(project, *arguments)
    except subprocess.CalledProcessError:
        return None


def _git(project: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=project, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout.strip()


def _said(error: subprocess.CalledProcessError) -> str:
    return str(error.stderr).strip().removeprefix("fatal: ") or f"exit code {error.returncode}"
