"""`make review` on small clones of this project: the plan that a change brings, from its merge base, as Markdown."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from environments import PROJECT
from sandbox import demo_files
from sandbox.kubernetes_api import build
from settings.placeholders import PLACEHOLDER, placeholder

pytestmark = pytest.mark.engine
ROOM = {"instance_types": ["m6i.2xlarge"], "min_size": 2, "max_size": 4}
GIT = {
    **{f"GIT_{role}_{key}": "tester@example.com" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass
class Clone:
    """A clone on a branch `change`, whose merge base is the tip of `main`."""

    folder: Path
    temporary: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, subject: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", subject)

    def configure(self, stack: str = "dev", **settings: object) -> None:
        file = self.folder / f"Pulumi.{stack}.yaml"
        content: Any = yaml.safe_load((self.folder / "Pulumi.dev.yaml").read_text())
        content["config"] |= {f"eks-analytics:{key}": value for key, value in settings.items()}
        file.write_text(yaml.safe_dump(content))

    def setting(self, key: str) -> Any:
        return yaml.safe_load((self.folder / "Pulumi.dev.yaml").read_text())["config"][f"eks-analytics:{key}"]

    def replace(self, file: str, old: str, new: str) -> None:
        text = (self.folder / file).read_text()
        assert old in text
        (self.folder / file).write_text(text.replace(old, new, 1))

    def start(self, *options: str) -> "subprocess.Popen[str]":
        # Shells start what runs in the background with interrupts ignored, which is inherited; a handler is not. (A
        # preexec_fn would fork a process in which gRPC has threads.)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return subprocess.Popen(
            [sys.executable, "-m", "sandbox", "review", *options],
            cwd=self.folder,
            env={**os.environ, **GIT, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def review(self, *options: str, code: int = 0) -> str:
        """The page."""
        process = self.start(*options)
        page, said = process.communicate(timeout=600)
        assert process.returncode == code, f"ended with {process.returncode}, not {code}:\n{page}\n{said}"
        assert "Traceback" not in said, said
        assert page.startswith("<!-- eks-analytics review of "), page
        self.assert_clean()
        return page

    def assert_clean(self) -> None:
        """Nothing is left: no folder, no worktree, no process."""
        assert [path.name for path in self.temporary.iterdir()] == []
        assert len(self.git("worktree", "list").splitlines()) == 1
        deadline = time.monotonic() + 10
        while left := [line for line in _commands() if str(self.temporary) in line]:
            assert time.monotonic() < deadline, left
            time.sleep(0.1)


def _commands() -> Iterator[str]:
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    yield from listed.splitlines()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """The files of this project, committed to `main`, with two node groups besides `core`."""
    build.ensure(print)
    folder, temporary = tmp_path / "clone", tmp_path / "temporary"
    temporary.mkdir()
    new = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(["git", *new], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name)
    (folder / ".tools").symlink_to((PROJECT / ".tools").resolve())
    with (folder / ".gitignore").open("a") as ignored:
        ignored.write("/.tools\n")
    made = Clone(folder, temporary)
    made.git("init", "--quiet", "--initial-branch", "main")
    made.configure(node_groups=[{"name": name, **ROOM} for name in ("core", "spare", "batch")])
    made.commit("feat: the environment")
    made.git("switch", "--quiet", "--create", "change")
    return made


def section(page: str, title: str) -> str:
    found = re.search(rf"^(?:### |<details><summary>){title}.*?\n(.*?)(?=^### |^<details>|\Z)", page, re.M | re.S)
    assert found, f"no section {title!r}:\n{page}"
    return found[1]


def test_a_change_is_planned_from_its_merge_base_with_the_grave_first(clone: Clone) -> None:
    core = {"name": "core", **ROOM, "instance_types": ["m6i.4xlarge"], "max_size": 5}
    batch = {"name": "batch", **ROOM, "capacity_type": "SPOT"}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    ssh = {
        "public_key": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
        "allowed_cidrs": ["198.51.100.0/24"],
    }
    clone.configure(
        node_groups=[core, batch],  # a changed size, a deleted group, a replaced one
        dash_enterprise={**clone.setting("dash_enterprise"), "bootstrap": {"ssh": ssh}},
        policies={"parameters": {"refuse-public-addresses": {"declared": ["dash-dev-host"]}}},
    )
    reading = '["s3:GetObject"{}]'
    more = reading.format(', "s3:GetObjectTagging"')
    clone.replace("components/eks_analytics/host_policy.py", reading.format(""), more)
    clone.commit("feat: another environment")
    page = clone.review()
    base, head = clone.git("rev-parse", "main")[:10], clone.git("rev-parse", "HEAD")[:10]

    assert f"the **merge base** `{base}` of HEAD and `main`" in page
    assert f"HEAD `{head}`" in page
    assert "nothing of the live account" in page
    assert "uncommitted" not in page

    grave = section(page, "Replaced and deleted")
    assert "- **DELETE** `aws.eks.NodeGroup` `dash-dev-spare`" in grave
    assert "- **REPLACE** `aws.eks.NodeGroup` `dash-dev-batch`" in grave
    assert "`capacityType`: `ON_DEMAND` → `SPOT` **forces the replacement**" in grave
    titles = re.findall(r"^### (.*)$", page, re.M)
    exposure = "IAM, ingress and public exposure"
    assert titles == ["Replaced and deleted", "Rolled and restarted", exposure, "Policies", "Capacity"]
    assert "> [!CAUTION]" in page[: page.index("###")]

    assert "`scalingConfig.maxSize`: `4` → `5`" in section(page, "Updated")

    exposed = section(page, "IAM, ingress and public exposure")
    assert "**IAM**: `aws.iam.RolePolicy` `dash-dev-host`, updated" in exposed
    assert "+    - s3:GetObjectTagging" in exposed
    for port in (22, 8800):
        assert re.search(rf"\*\*Ingress\*\*: `aws.vpc.SecurityGroupIngressRule`.*?\+fromPort: {port}\n", exposed, re.S)
    assert "+cidrIpv4: 198.51.100.0/24" in exposed
    assert re.search(r"\*\*Public exposure\*\*: `aws.ec2.\w+` `dash-dev-host`, \w+\n\n```diff\n[^`]*\+", exposed)

    assert re.search(r"\| pods at max size \| \d+ \| \*\*\d+\*\* \|", section(page, "Capacity"))
    assert "no violation" in section(page, "Policies")
    _assert_without_secrets(clone, page)
    assert clone.review() == page


@pytest.mark.thorough
def test_a_change_of_backups_shows_schedules_alarms_and_buckets_and_none_of_their_secrets(clone: Clone) -> None:
    hook = "https://alerts.example.com/services/T0123/B4567/hunter2hunter2"
    velero = clone.setting("velero")
    clone.configure(
        velero_credentials={"secure": "v1:bm9uY2U=:Y2lwaGVydGV4dA=="},
        velero={
            "identity": "static",
            "schedules": [{**velero["schedules"][0], "cron": "0 4 * * *"}, {"name": "weekly", "cron": "0 2 * * sun"}],
            "bucket": {"noncurrent_days": 45, "object_lock": {"days": 30}},
            "watch": {
                "grace_hours": 9,
                "subscriptions": [*velero["watch"]["subscriptions"], {"protocol": "https", "endpoint": hook}],
            },
        },
    )
    clone.replace("components/eks_analytics/functions/backup_freshness.py", "minutes=5", "minutes=6")
    clone.commit("feat: other backups")
    page = clone.review()

    updated, created = section(page, "Updated"), section(page, "Created")
    assert (
        "- `kubernetes.velero.io.Schedule` `dash-dev-velero-daily`\n  - `spec.schedule`: `0 3 * * *` → `0 4 * * *`"
        in updated
    )
    alarm = r"- `aws.cloudwatch.MetricAlarm` `dash-dev-velero-watch-daily`\n  - `alarmDescription`: "
    assert re.search(
        alarm + r"`… schedule daily \(0 3 .* within 6 h .*` → `… schedule daily \(0 4 .* within 9 h ", updated
    )
    assert "noncurrentVersionExpiration.noncurrentDays`: `30` → `45`" in updated
    assert "- `aws.lambda.Function` `dash-dev-velero-watch`\n  - `code.assets.backup_freshness.py.hash`: " in updated
    assert "`environment.variables.WATCH.grace_minutes`: `360` → `540`" in updated
    assert "`environment.variables.WATCH.schedules.daily`: `0 3 * * *` → `0 4 * * *`" in updated
    for made in (
        "`aws.cloudwatch.MetricAlarm` `dash-dev-velero-watch-weekly`",
        "`aws.s3.BucketObjectLockConfiguration` `dash-dev-velero-bucket`",
        "`kubernetes.velero.io.Schedule` `dash-dev-velero-weekly`",
        "`kubernetes.core.Secret` `dash-dev-velero-cloud-credentials`",
    ):
        assert f"- {made}" in created
    assert created.count("`aws.sns.TopicSubscription`") == 1
    grave = section(page, "Replaced and deleted")
    assert "- **DELETE** `aws.eks.PodIdentityAssociation` `dash-dev-velero`" in grave
    exposed = section(page, "IAM, ingress and public exposure")
    assert "**IAM**: `aws.iam.Role` `dash-dev-velero`, deleted" in exposed
    assert "no violation" in section(page, "Policies")
    keys = [word for word in placeholder(("velero_credentials",), lambda *_: None, "us-east-1").split() if word != "="]
    assert [secret for secret in ("hunter2", "T0123", *keys) if secret in page] == []
    _assert_without_secrets(clone, page)
    assert clone.review() == page


def _assert_without_secrets(clone: Clone, page: str) -> None:
    names = {"license_file": "license.yaml", "tls_certificate_file": "fullchain.pem", "tls_private_key_file": "key.pem"}
    paths = {key: clone.folder.parent / "stand-ins" / name for key, name in names.items()}
    paths["installation_plan"] = clone.folder.parent / "stand-ins" / "plan"
    demo_files.make(paths, "dash.dev.example.com")
    files = [file for file in paths["license_file"].parent.rglob("*") if file.is_file() and file.name[0] != "."]
    assert {file.name for file in files} >= {*names.values(), "install_de_aws.sh"}
    telling = {line.strip() for file in files for line in file.read_text().splitlines() if len(line.strip()) > 12}
    assert len(telling) > 20
    assert [line for line in telling if line in page or json.dumps(line)[1:-1] in page] == []
    assert not (clone.folder / "demo").exists(), "a review needs no files of this machine"
    assert PLACEHOLDER not in page
    assert "PRIVATE KEY" not in page


def test_what_policies_refuse_ends_with_an_error_and_the_page_says_why(clone: Clone) -> None:
    clone.configure(policies={"parameters": {"require-tags": {"tags": ["cost-center"]}}})
    page = clone.review(code=1)
    assert "with 1 uncommitted file" in page
    assert re.search(r"> \*\*Policies refuse this plan: \d+ mandatory violations\.\*\*", page)
    assert "- **mandatory** `require-tags`" in section(page, "Policies")
    assert "**No changes**" in page


def test_a_new_stack_is_creates_only_and_says_so(clone: Clone) -> None:
    clone.configure("trial", cluster_name="trial")
    page = clone.review("--stack", "trial")
    assert "**New stack**: the merge base has no Pulumi.trial.yaml, so there are creates only." in page
    assert re.search(r"^\*\*\d+ created\*\*\. Policies: no violation", page, re.M)
    assert "Replaced and deleted" not in page
    assert clone.review("--stack", "trial") == page


def test_a_program_that_fails_ends_with_an_error_and_the_page_says_why(clone: Clone) -> None:
    clone.configure("trial", cluster={**clone.setting("cluster"), "version": "9.99"})
    page = clone.review("--stack", "trial", code=1)
    assert "The plan is not complete" in page
    assert "9.99" in section(page, "Errors")
    assert str(clone.folder) not in page


@pytest.mark.thorough
def test_a_traceback_shows_the_project_and_nothing_of_this_machine(clone: Clone) -> None:
    clone.replace("__main__.py", "import settings", 'import json\n\njson.loads("no JSON")\nimport settings')
    page = clone.review(code=1)
    errors = section(page, "Errors")
    assert 'json.loads("no JSON")' in errors
    assert "JSONDecodeError: Expecting value" in errors
    assert 'File "__main__.py", line' in errors
    assert 'File "/' not in errors
    assert "site-packages" not in errors
    assert "**Not complete.**" in page


def test_files_that_git_does_not_have_stand_in_on_both_sides(clone: Clone) -> None:
    files = {"license_file": "license.yaml", "tls_certificate_file": "chain.pem", "tls_private_key_file": "key.pem"}
    named = {key: f"installation/{name}" for key, name in files.items()} | {"installation_plan": "installation/plan"}
    settings = clone.setting("dash_enterprise") | named
    clone.git("switch", "--quiet", "main")
    clone.configure(dash_enterprise=settings)
    clone.commit("feat: files of our own")
    clone.git("switch", "--quiet", "--create", "sizes")
    groups = clone.setting("node_groups")
    clone.configure(dash_enterprise=settings, node_groups=[groups[0] | {"max_size": 5}, *groups[1:]])
    clone.commit("feat: a larger group")
    page = clone.review()
    assert re.search(r"^\*\*1 updated\*\*", page, re.M), page
    listed = ", ".join(f"`{named[key]}`" for key in (*files, "installation_plan"))
    assert f"Not in git, so a stand-in is planned for each: {listed}." in page
    assert not (clone.folder / "installation").exists()


@pytest.mark.thorough
def test_a_merge_base_that_cannot_be_applied_leaves_creates_only_and_the_reason(clone: Clone) -> None:
    clone.git("switch", "--quiet", "main")
    whole = clone.setting("cluster")
    clone.configure(cluster={**whole, "version": "9.99"})
    clone.commit("feat: a version that is not there")
    clone.git("switch", "--quiet", "--create", "repair")
    clone.configure(cluster=whole)
    clone.commit("fix: the version")
    page = clone.review()
    assert "**The merge base cannot be applied**, so there are creates only: `" in page
    assert "9.99" in page
    assert "to an **empty emulated account**" in page
    assert re.search(r"^\*\*\d+ created\*\*\.", page, re.M)


def test_without_a_base_nothing_is_planned_and_the_page_says_what_to_do(clone: Clone) -> None:
    page = clone.review("--base", "origin/trunk", code=1)
    assert "BASE=origin/trunk is no branch, tag or commit of this clone" in section(page, "Errors")


def test_with_the_page_in_a_file_the_console_says_where_it_is_and_why_the_review_failed(clone: Clone) -> None:
    page = clone.temporary.parent / "plans" / "dev.md"
    process = clone.start("--base", "origin/trunk", "--output", str(page))
    written, said = process.communicate(timeout=60)
    assert (process.returncode, written) == (1, "")
    assert f"Written to {page}.\nReview failed: Nothing was planned: BASE=origin/trunk is no branch" in said
    assert page.read_text().startswith("<!-- eks-analytics review of dev -->")


def test_a_stack_that_is_removed_is_told_with_what_that_means(clone: Clone) -> None:
    (clone.folder / "Pulumi.prod.yaml").unlink()
    page = clone.review("--stack", "prod", code=1)
    assert "Pulumi.prod.yaml is removed here. That destroys nothing" in page


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_nothing_is_left_of_a_review_that_is_interrupted(clone: Clone, number: signal.Signals) -> None:
    process = clone.start()
    assert process.stderr is not None
    for line in process.stderr:
        if "Applying the merge base" in line:
            break
    time.sleep(3)
    process.send_signal(number)
    page, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert page == ""
    clone.assert_clean()
