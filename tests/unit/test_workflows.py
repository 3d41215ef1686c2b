"""The files for continuous integration: lint, least rights, and what they must not do."""

import os
import re
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
from approved_plan import lines  # noqa: E402

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


def test_every_stack_is_planned_without_naming_it_anywhere(tmp_path: Path) -> None:
    assert jobs("review")["plan"]["strategy"]["matrix"]["stack"] == "${{ fromJSON(needs.stacks.outputs.names) }}"
    for name in ("dev", "prod-eu", "new"):
        (tmp_path / f"Pulumi.{name}.yaml").touch()
    (tmp_path / "Pulumi.yaml").touch()
    script = next(step["run"] for step in jobs("review")["stacks"]["steps"] if "run" in step)
    output = tmp_path / "output"
    subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env={**os.environ, "GITHUB_OUTPUT": str(output)}, check=True
    )
    assert output.read_text() == 'names=["dev","new","prod-eu"]\n'

    made = tmp_path / "make"
    made.write_text('#!/bin/sh\necho "$2" >> asked\n[ "$2" != STACK=new ]\n')
    made.chmod(0o755)
    script = gitlab()["plan"]["script"][-1]
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "target": "main"}
    done = subprocess.run(["bash", "-e", "-c", script], cwd=tmp_path, env=variables)
    assert done.returncode == 1  # one cannot be planned: the others are all the same
    assert (tmp_path / "asked").read_text().split() == ["STACK=dev", "STACK=new", "STACK=prod-eu"]


def gitlab() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "docs" / "ci" / "gitlab-ci.yml").read_text())


def test_what_is_applied_is_the_plan_that_was_shown_before_the_approval() -> None:
    github = jobs("deploy")
    assert github["preview"]["environment"] == "${{ matrix.stack }}-preview"
    assert github["deploy"]["needs"] == "preview"
    preview, deploy = ([step.get("run", "") for step in github[name]["steps"]] for name in ("preview", "deploy"))
    shown = next(step for step in preview if "--diff" in step)
    assert "GITHUB_STEP_SUMMARY" in shown
    (listing,) = [run for run in preview if "approved_plan.py > plan.txt" in run]
    assert [run for run in deploy if "pulumi" in run and "sandbox" not in run][1:] == [
        listing,
        'pulumi up --stack "$STACK" --yes --non-interactive --skip-preview --policy-pack policies',
    ]
    assert deploy.index("diff -u approved/plan.txt plan.txt") == len(deploy) - 2
    content = gitlab()
    assert content[".deploy"]["script"][2] == 'diff -u "approved-$STACK.txt" plan.txt'
    assert content[".preview"]["artifacts"]["paths"] == ["approved-*.txt"]
    for stack in ("dev", "prod"):
        assert f"preview-{stack}" in content[f"deploy-{stack}"]["needs"]
        assert content[f"preview-{stack}"]["environment"]["action"] == "prepare"
        # Protected environments let only approvers run jobs, and previews start by themselves.
        assert content[f"preview-{stack}"]["environment"]["name"] == f"{stack}-preview"
        assert content[f"deploy-{stack}"]["environment"]["name"] == stack
        assert {content[f"{kind}-{stack}"]["variables"]["STACK"] for kind in ("preview", "deploy")} == {stack}
    assert content[".deploy"]["rules"][0]["when"] == "manual"


def step(op: str, name: str, **more: Any) -> dict[str, Any]:
    return {"op": op, "urn": f"urn:pulumi:dev::p::t::{name}", "detailedDiff": None, **more}


def test_a_plan_is_the_same_whatever_the_order_and_the_suffixes_of_new_names() -> None:
    one = [
        step("create", "role", newState={"inputs": {"name": "role-1a2b3c4"}}),
        step("update", "group", detailedDiff={"size": {"kind": "update"}}, newState={"inputs": {"size": 3}}),
        step("same", "vpc"),
    ]
    other = [one[1], step("create", "role", newState={"inputs": {"name": "role-5d6e7f8"}})]
    assert lines({"steps": one}) == lines({"steps": other})
    assert lines({"steps": one})[0] == "create urn:pulumi:dev::p::t::role"
    assert lines({}) == lines({"steps": None}) == []


@pytest.mark.parametrize(
    "changed",
    [
        step("replace", "group", detailedDiff={"size": {"kind": "update"}}, newState={"inputs": {"size": 3}}),
        step("update", "other", detailedDiff={"size": {"kind": "update"}}, newState={"inputs": {"size": 3}}),
        step("update", "group", detailedDiff={"size": {"kind": "update-replace"}}, newState={"inputs": {"size": 3}}),
        step("update", "group", detailedDiff={"size": {"kind": "update"}}, newState={"inputs": {"size": 4}}),
        step("update", "group", diffReasons=["size", "tags"], newState={"inputs": {"size": 3}}),
    ],
    ids=["operation", "resource", "kind of change", "value", "property"],
)
def test_a_plan_that_does_something_else_is_another(changed: dict[str, Any]) -> None:
    approved = step("update", "group", detailedDiff={"size": {"kind": "update"}}, newState={"inputs": {"size": 3}})
    assert lines({"steps": [changed]}) != lines({"steps": [approved]})


@pytest.mark.parametrize("op", ["update", "replace", "create-replacement", "delete", "delete-replaced"])
def test_an_approval_is_worth_nothing_once_something_else_was_deployed(op: str) -> None:
    one, later = (step(op, "group", oldState={"inputs": {"size": size}}) for size in (3, 4))
    assert lines({"steps": [one]}) != lines({"steps": [later]})


def replacement(**inputs: Any) -> list[str]:
    diff = {"subnets[0]": {"kind": "update-replace"}, "metadata.namespace": {"kind": "update-replace"}}
    new = {"subnets": ["a"], "name": "group-1a2b3c4", "__defaults": ["name"], **inputs}
    reasons = ["metadata", "name", "subnets"]
    return lines(
        {"steps": [step("replace", "it", detailedDiff=diff, replaceReasons=reasons, newState={"inputs": new})]}
    )


def test_a_replacement_is_another_where_what_it_is_for_has_another_value() -> None:
    assert replacement(subnets=["a"]) != replacement(subnets=["b"])
    assert replacement(metadata={"namespace": "a"}) != replacement(metadata={"namespace": "b"})
    assert replacement(name="a", __defaults=[]) != replacement(name="b", __defaults=[])


def test_the_automatic_name_of_a_replacement_makes_no_difference() -> None:
    assert replacement() == replacement(name="group-5d6e7f8")
    automatic = {"annotations": {"pulumi.com/autonamed": "true"}, "namespace": "a"}
    one, other = (replacement(metadata={"name": name, **automatic}) for name in ("it-1a2b3c4", "it-5d6e7f8"))
    assert one == other


def test_deployments_run_where_the_repository_says() -> None:
    for job in jobs("deploy").values():
        assert job["runs-on"] == """${{ fromJSON(vars.DEPLOY_RUNNER || '"ubuntu-24.04"') }}"""
    assert gitlab()[".pulumi"]["tags"] == ["$DEPLOY_RUNNER"]
    assert gitlab()["variables"]["DEPLOY_RUNNER"]
    for file in (".github/workflows/deploy.yml", "docs/ci/gitlab-ci.yml"):
        head = (PROJECT / file).read_text().partition("\njobs:")[0].partition("\nstages:")[0]
        assert all(name in head for name in ("DEPLOY_RUNNER", "INSTALLATION_FILES", "private cluster endpoint"))


def test_no_script_of_a_web_site_runs_and_what_is_downloaded_is_verified() -> None:
    for file in (*WORKFLOWS, PROJECT / "docs" / "ci" / "gitlab-ci.yml"):
        lines = file.read_text().splitlines()
        assert not [line for line in lines if re.search(r"(curl|wget).*(\||\.zip|\.tar|get\.)", line)], file
    runs = [step.get("run", "") for job in jobs("deploy").values() for step in job["steps"]]
    assert sum("sandbox.pulumi_release" in run for run in runs) == 2
    assert any("sandbox.pulumi_release" in line for line in gitlab()[".pulumi"]["before_script"])
    # It runs before anything is installed.
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import sandbox.pulumi_release",
        ]
    )
    assert done.returncode == 0


def test_gitlab_has_a_tier_and_with_it_a_subject_for_each_environment() -> None:
    content = gitlab()
    for kind in ("preview", "deploy"):
        tiers = [content[f"{kind}-{stack}"]["environment"]["deployment_tier"] for stack in ("dev", "prod")]
        assert tiers == ["development", "production"]
    steps = (PROJECT / "docs" / "ci" / "README.md").read_text()
    assert "ci_id_token_sub_claim_components" in steps
    assert "deployment_tier:production" in steps
    assert re.search(r"^\d+\. .*\*\*Deployment branches", steps, re.M)
