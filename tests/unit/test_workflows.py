"""The files for continuous integration: lint, least rights, and what they must not do."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tools"))

import lint_workflows  # noqa: E402 - the path comes first

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))


def jobs(name: str) -> dict[str, Any]:
    return yaml.safe_load((PROJECT / ".github" / "workflows" / f"{name}.yml").read_text())["jobs"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / ".github", tmp_path / ".github")
    shutil.copytree(PROJECT / "docs" / "ci", tmp_path / "docs" / "ci")
    return tmp_path


def test_the_files_are_free_of_problems() -> None:
    assert lint_workflows.problems(PROJECT) == ""


def test_the_pinned_version_of_the_linter_is_the_one_that_is_built() -> None:
    assert (
        f"github.com/rhysd/actionlint v{lint_workflows.VERSION}"
        in (PROJECT / "tools" / "actionlint" / "go.mod").read_text()
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (".github/workflows/review.yml", "needs: plan", "needs: plans", "plans"),
        (".github/workflows/review.yml", 'cat "plan/$STACK.md" >>', "cat plan/$STACK.md >>", "SC2086"),
        (".github/workflows/deploy.yml", "id-token: write", "id-token: writes", "id-token"),
        ("docs/ci/gitlab-ci.yml", "  when: always\n  needs", "  when: sometimes\n  needs", "sometimes"),
    ],
    ids=["unknown job", "unquoted variable", "unknown right", "wrong value"],
)
def test_a_mistake_is_found(copy: Path, file: str, old: str, new: str, problem: str) -> None:
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    assert problem in lint_workflows.problems(copy)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(workflow: Path) -> None:
    used = [line.split("uses:")[1].strip() for line in workflow.read_text().splitlines() if "uses:" in line]
    assert used
    for action in used:
        name, _, version = action.partition(" # v")
        assert len(name.partition("@")[2]) == 40, action
        assert version, action


def test_what_runs_a_change_may_only_read_and_has_no_secret() -> None:
    for name, job in jobs("review").items():
        runs_change = any("actions/checkout@" in step.get("uses", "") for step in job["steps"])
        assert runs_change == (name != "comment")
        assert job["permissions"] == ({"contents": "read"} if runs_change else {"pull-requests": "write"})
    text = (PROJECT / ".github" / "workflows" / "review.yml").read_text()
    assert "secrets." not in text
    assert "pull_request_target" not in text


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_no_right_is_given_to_all_jobs_and_no_checkout_leaves_its_token(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    for job in content["jobs"].values():
        for step in job["steps"]:
            if "actions/checkout@" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_a_deployment_is_alone_in_its_environment_and_gets_its_rights_from_oidc() -> None:
    deploy = jobs("deploy")["deploy"]
    assert deploy["permissions"] == {"contents": "read", "id-token": "write"}
    assert deploy["environment"] == "${{ matrix.stack }}"
    assert deploy["concurrency"] == {"group": "deploy-${{ matrix.stack }}", "cancel-in-progress": False}
    text = (PROJECT / ".github" / "workflows" / "deploy.yml").read_text()
    assert "role-to-assume" in text
    assert "aws-access-key-id" not in text


@pytest.mark.parametrize(
    ("listing", "asked"),
    [
        ("", "POST repos/o/r/issues/7/comments"),
        ("11\\n12", "PATCH repos/o/r/issues/comments/11"),
        (None, ""),
    ],
    ids=["none there", "two there", "GitHub does not answer"],
)
def test_the_comment_is_written_once_and_then_updated(tmp_path: Path, listing: str | None, asked: str) -> None:
    gh = tmp_path / "gh"
    answer = "exit 1" if listing is None else f"printf '{listing}'"
    gh.write_text(f'#!/bin/sh\ncase "$2" in --paginate) {answer} ;; *) echo "$3 $4" > asked ;; esac\n')
    gh.chmod(0o755)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "dev.md").write_text("nothing changes")
    script = next(step["run"] for step in jobs("review")["comment"]["steps"] if "run" in step)
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "COMMENTS": "repos/o/r/issues/7/comments", "REPOSITORY": "o/r"}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=variables, capture_output=True, text=True)
    found = tmp_path / "asked"
    assert (found.read_text().strip() if found.exists() else "") == asked, done.stderr
    assert (done.returncode == 0) == bool(asked)
    assert (tmp_path / "comment.md").read_text() == "<!-- eks-analytics plans -->\nnothing changes"


def test_every_example_stack_is_planned() -> None:
    stacks = {path.name.split(".")[1] for path in PROJECT.glob("Pulumi.*.yaml")}
    assert set(jobs("review")["plan"]["strategy"]["matrix"]["stack"]) == stacks
    gitlab = yaml.safe_load((PROJECT / "docs" / "ci" / "gitlab-ci.yml").read_text())
    assert set(gitlab[".stacks"]["parallel"]["matrix"][0]["STACK"]) == stacks
