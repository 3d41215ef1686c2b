"""The programs behind a Kubernetes API, where no system ends them with the cloud and where they cannot be started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from environments import PROJECT
from sandbox.kubernetes_api import server
from sandbox.kubernetes_api.reference import KubernetesError
from sandbox.kubernetes_api.server import Server, Servers

CLOUD = """
import pathlib, sys
from sandbox.kubernetes_api import server
server.LAUNCHER = []
server.Servers(pathlib.Path(sys.argv[1])).start("left", sys.argv[2])
"""


def programs(folder: Path) -> Path:
    """Some that do nothing and never end."""
    made = folder / "programs"
    made.mkdir()
    for name in ("etcd", "kube-apiserver"):
        (made / name).write_text("#!/bin/sh\n: > etcd:0\nexec sleep 600\n")
        (made / name).chmod(0o755)
    return made


def lives(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def test_what_a_killed_cloud_left_running_is_ended_before_the_next_one_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    cloud = subprocess.Popen([sys.executable, "-c", CLOUD, str(home), str(programs(tmp_path))], cwd=PROJECT)
    numbers = [home / "kubernetes" / "left" / f"{name}.pid" for name in ("etcd", "kube-apiserver")]
    deadline = time.monotonic() + 30
    while not all(file.is_file() and file.read_text() for file in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(cloud.pid, signal.SIGKILL)
    cloud.wait()
    left = [int(file.read_text()) for file in numbers]
    assert all(map(lives, left))
    Servers(home)
    assert not any(map(lives, left))


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes" / "old"
    folder.mkdir(parents=True)
    with subprocess.Popen(["sleep", "600"]) as somebody:
        (folder / "etcd.pid").write_text(str(somebody.pid))
        Servers(tmp_path)
        assert somebody.poll() is None
        somebody.kill()


def test_a_program_that_cannot_be_started_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LAUNCHER", [])
    api = Server(tmp_path / "api", "demo")
    began = time.monotonic()
    with pytest.raises(KubernetesError, match=r"cannot be started: .*nowhere/etcd"):
        api.start(tmp_path / "nowhere")
    assert time.monotonic() - began < 20
    api.stop()
