"""Teams keep the engine's state in S3: the real engine's S3 backend against the emulated S3."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox import cloud as embedded_cloud
from sandbox.cloud import Cloud
from sandbox.go_modules import ROOT

REGION = "us-east-1"

# An update that says when it holds the lock and goes on when it is told to.
UPDATE = """
import sys
from pulumi import ComponentResource, export
from pulumi.automation import LocalWorkspaceOptions, create_or_select_stack, errors
from sandbox import engine

def program():
    print("inside", flush=True)
    if sys.argv[1] == "holding":
        sys.stdin.readline()
    ComponentResource("test:index:Thing", "thing")
    export("by", sys.argv[1])

stack = create_or_select_stack("team", "shared", program, opts=LocalWorkspaceOptions(
    pulumi_command=engine.find(lambda _: None).command, work_dir=None))
try:
    stack.up()
    print("updated", stack.outputs()["by"].value)
except errors.ConcurrentUpdateError as refusal:
    print("refused:", refusal)
    sys.exit(3)
"""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("account")
    yield embedded_cloud.start(home)
    embedded_cloud.stop(home)


def test_of_two_updates_at_once_on_an_s3_backend_one_gets_the_lock_and_the_other_a_clear_refusal(
    account: Cloud, tmp_path: Path
) -> None:
    s3 = account.client("s3", REGION)
    s3.create_bucket(Bucket="team-state")
    endpoint = account.aws_url.removeprefix("http://")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": (
            f"s3://team-state?region={REGION}&endpoint={endpoint}&disableSSL=true&s3ForcePathStyle=true"
        ),
        "PULUMI_CONFIG_PASSPHRASE": "emulated",
        **account.environment(),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }

    def start(name: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", UPDATE, name],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    first = start("holding")
    try:
        assert first.stdout is not None
        assert first.stdout.readline().strip() == "inside"
        second = start("second")
        refusal, _ = second.communicate(timeout=120)
        assert second.returncode == 3, refusal
        assert "the stack is currently locked by 1 lock" in refusal
        assert "pulumi cancel" in refusal

        finished, _ = first.communicate("go on\n", timeout=120)
        assert first.returncode == 0, finished
        assert "updated holding" in finished
    finally:
        if first.poll() is None:
            os.killpg(first.pid, signal.SIGKILL)

    third = start("third")
    output, _ = third.communicate(timeout=120)
    assert "updated third" in output
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="team-state")["Contents"]]
    assert ".pulumi/stacks/shared/team.json" in keys
    assert not [key for key in keys if "/locks/" in key]
