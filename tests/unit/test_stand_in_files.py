"""Stand-ins for files that git does not have, for both sides of a review."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sandbox.stand_in_files import outside_git, with_stand_ins

FILES = {
    "license_file": "installation/license.yaml",
    "tls_certificate_file": "installation/chain.pem",
    "tls_private_key_file": "installation/key.pem",
    "installation_plan": "installation/plan",
}
SETTINGS: dict[str, Any] = {"base_domain": "dash.example.com", "edition": "standard", **FILES}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository that ignores `installation/`, which is there all the same."""
    folder = tmp_path / "project"
    (folder / "installation").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    (folder / ".gitignore").write_text("/installation/\n")
    (folder / "installation" / "license.yaml").write_text("of this machine")
    return folder


def test_two_checkouts_get_the_same_stand_ins_whatever_they_hold(project: Path, tmp_path: Path) -> None:
    other = tmp_path / "merge base"
    subprocess.run(["git", "init", "--quiet", other], check=True)
    found = [with_stand_ins(one, SETTINGS, tmp_path / "files") for one in (project, other)]
    assert found[0] == found[1]
    assert (found[0]["edition"], found[0]["base_domain"]) == ("standard", "dash.example.com")
    assert (Path(found[0]["installation_plan"]) / "install_de_aws.sh").is_file()
    assert "of this machine" not in Path(found[0]["license_file"]).read_text()
    leaf = x509.load_pem_x509_certificate(Path(found[0]["tls_certificate_file"]).read_bytes())
    key = load_pem_private_key(Path(found[0]["tls_private_key_file"]).read_bytes(), None)
    assert key.public_key() == leaf.public_key()
    assert Path(found[0]["tls_trust_store_file"]).is_file()


def test_another_base_domain_has_others(project: Path, tmp_path: Path) -> None:
    here, there = (
        with_stand_ins(project, SETTINGS | {"base_domain": name}, tmp_path / "files")
        for name in ("dash.example.com", "../../x/dash.example.org")
    )
    assert here["tls_certificate_file"] != there["tls_certificate_file"]
    assert Path(there["tls_certificate_file"]).is_relative_to(tmp_path / "files")


def test_what_git_has_or_would_take_is_used(project: Path, tmp_path: Path) -> None:
    (project / "chain.pem").write_text("to be committed")
    (project / "plan").mkdir()
    (project / "plan" / "install_de_aws.sh").write_text("to be committed")
    settings = SETTINGS | {"installation_plan": "plan", "tls_certificate_file": "chain.pem"}
    assert outside_git(project, settings) == {
        key: path for key, path in FILES.items() if key in ("license_file", "tls_private_key_file")
    }
    found = with_stand_ins(project, settings, tmp_path / "files")
    assert found["installation_plan"] == "plan"
    assert found["tls_certificate_file"] != "chain.pem"  # its key is not there


@pytest.mark.parametrize("path", ["/etc/hostname", "../outside.pem", "~/license.yaml", ":/x", "*"])
def test_paths_outside_of_the_project_are_outside_of_git(project: Path, path: str) -> None:
    assert outside_git(project, {"license_file": path}) == {"license_file": path}


@pytest.mark.parametrize("settings", [None, "text", {}, {"license_file": 7}, {"license_file": ""}])
def test_a_block_without_files_needs_none(project: Path, settings: object) -> None:
    assert outside_git(project, settings) == {}
