"""The merge base, in small repositories."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox import merge_base
from sandbox.merge_base import MergeBaseError

PERSON = {f"GIT_{role}_{key}": "tester@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> str:
    variables = {**os.environ, **PERSON, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(["git", *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path, name: str) -> str:
    (folder / name).write_text(name)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(folder, "first")
    return folder


def test_the_merge_base_is_where_the_branch_left_main(repository: Path) -> None:
    left = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "--create", "change")
    head = commit(repository, "change")
    git(repository, "switch", "--quiet", "main")
    commit(repository, "meanwhile")
    git(repository, "switch", "--quiet", "change")
    found = merge_base.find(repository)
    assert (found.commit, found.branch, found.head, found.uncommitted) == (left, "main", head, 0)


def test_the_default_branch_of_the_remote_comes_before_main(repository: Path, tmp_path: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "trunk")
    trunk = commit(repository, "trunk")
    git(tmp_path, "clone", "--quiet", str(repository), "clone")
    found = merge_base.find(tmp_path / "clone")
    assert (found.branch, found.commit) == ("origin/trunk", trunk)


def test_changed_and_new_files_are_counted(repository: Path) -> None:
    (repository / "first").write_text("changed")
    (repository / "new").write_text("new")
    assert merge_base.find(repository).uncommitted == 2


def test_a_checkout_holds_the_project_as_it_was_and_goes_again(repository: Path, tmp_path: Path) -> None:
    (repository / "first").write_text("changed")
    base = merge_base.find(repository)
    with merge_base.checked_out(repository, base, tmp_path / "base") as folder:
        assert (folder / "first").read_text() == "first"
    assert not (tmp_path / "base").exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1


def test_a_project_in_a_folder_of_its_repository_is_found_there(repository: Path, tmp_path: Path) -> None:
    (repository / "inner").mkdir()
    commit(repository, "inner/Pulumi.yaml")
    base = merge_base.find(repository / "inner")
    assert merge_base.has_file(repository / "inner", base, "Pulumi.yaml")
    assert not merge_base.has_file(repository / "inner", base, "first")
    with merge_base.checked_out(repository / "inner", base, tmp_path / "base") as folder:
        assert (folder / "Pulumi.yaml").is_file()


def test_what_is_no_repository_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(MergeBaseError, match=r"no working tree of git .*: clone the repository"):
        merge_base.find(tmp_path)


def test_without_git_it_is_told_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MergeBaseError, match="install git"):
        merge_base.find(tmp_path)


def test_a_repository_without_a_commit_is_told(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(MergeBaseError, match="commit first"):
        merge_base.find(tmp_path)


def test_an_unknown_base_is_named(repository: Path) -> None:
    with pytest.raises(MergeBaseError, match="BASE=trunk is no branch, tag or commit"):
        merge_base.find(repository, "trunk")


def test_no_default_branch_is_told(repository: Path) -> None:
    git(repository, "branch", "--move", "main", "develop")
    with pytest.raises(MergeBaseError, match="name the one to go into, BASE="):
        merge_base.find(repository)


def test_histories_without_a_common_commit_are_told(repository: Path) -> None:
    git(repository, "switch", "--quiet", "--orphan", "other")
    commit(repository, "other")
    with pytest.raises(MergeBaseError, match="their histories have nothing in common"):
        merge_base.find(repository)


def test_a_shallow_clone_is_told_how_to_get_the_rest(repository: Path, tmp_path: Path) -> None:
    git(repository, "switch", "--quiet", "--create", "change")
    commit(repository, "change")
    git(repository, "switch", "--quiet", "main")
    commit(repository, "meanwhile")
    options = ["--depth", "1", "--no-single-branch", "--branch", "change"]
    git(tmp_path, "clone", "--quiet", *options, f"file://{repository}", "clone")
    with pytest.raises(MergeBaseError, match=r"the clone is shallow.*fetch-depth: 0"):
        merge_base.find(tmp_path / "clone")
