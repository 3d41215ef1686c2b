"""The state of a stack is given up with its emulated account, and only then."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cloud
from sandbox.cloud import CloudError, Credentials
from sandbox.stack import SandboxStack


@pytest.fixture
def silent_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def stack(tmp_path: Path) -> SandboxStack:
    (tmp_path / "Pulumi.yaml").write_text("{name: analytics, runtime: python}")
    no_engine: Any = None
    found = SandboxStack(tmp_path, "dev", tmp_path / "home", no_engine, lambda _: None)
    found._state_file.parent.mkdir(parents=True)
    found._state_file.write_text('{"checkpoint": {}}')
    (found.home / "account").write_text("identity")
    return found


def write_record(stack: SandboxStack, port: int, pid: int) -> None:
    about = {"identity": "identity", "port": port, "pid": pid, "credentials": vars(Credentials.random())}
    (stack.home / "cloud.json").write_text(json.dumps(about))


def test_a_cloud_that_lives_and_gives_no_answer_is_not_taken_for_gone(
    stack: SandboxStack, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "_PING_SECONDS", 0.2)
    write_record(stack, silent_port, os.getpid())
    with pytest.raises(CloudError, match=rf"process {os.getpid()}\) lives, but has not answered within 0.2 s"):
        stack.forget_lost_account()
    assert stack._state_file.is_file()


def test_a_cloud_whose_process_is_dead_is_gone(
    stack: SandboxStack, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "_PING_SECONDS", 0.2)
    write_record(stack, silent_port, 2**22 + 1)  # above what Linux gives
    stack.forget_lost_account()
    assert not stack._state_file.exists()


def test_a_process_that_only_bears_the_number_of_a_cloud_is_none(stack: SandboxStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    write_record(stack, port, os.getpid())
    stack.forget_lost_account()
    assert not stack._state_file.exists()
