"""Demo license and TLS files: made for the example stacks only, once, and good enough to be looked at."""

import datetime
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from sandbox import demo_files

FILES = {
    "license_file": "demo/dev/license.yaml",
    "tls_certificate_file": "demo/dev/fullchain.pem",
    "tls_private_key_file": "demo/dev/privkey.pem",
}


def stack_file(project: Path, **changes: str) -> Path:
    block = {"base_domain": "dash.example.com", **FILES, **changes}
    file = project / "Pulumi.dev.yaml"
    file.write_text(yaml.safe_dump({"config": {"eks-analytics:dash_enterprise": block}}))
    return file


def ensure(project: Path, **changes: str) -> list[str]:
    """Run it for a stack; what it said."""
    said: list[str] = []
    demo_files.ensure(project, stack_file(project, **changes), said.append)
    return said


def made(project: Path) -> set[str]:
    return {str(path.relative_to(project)) for path in project.rglob("demo/*/*")}


def test_files_are_made_once(tmp_path: Path) -> None:
    assert len(ensure(tmp_path)) == 2
    before = {path: path.read_bytes() for path in tmp_path.rglob("demo/*/*")}
    assert made(tmp_path) == {*FILES.values(), "demo/dev/ca.pem"}
    assert ensure(tmp_path) == []
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("demo/*/*")}


def test_the_chain_goes_from_the_leaf_to_an_authority_and_fits_the_key(tmp_path: Path) -> None:
    ensure(tmp_path)
    leaf, intermediate = x509.load_pem_x509_certificates((tmp_path / FILES["tls_certificate_file"]).read_bytes())
    root = x509.load_pem_x509_certificate((tmp_path / "demo/dev/ca.pem").read_bytes())
    leaf.verify_directly_issued_by(intermediate)
    intermediate.verify_directly_issued_by(root)
    key = load_pem_private_key((tmp_path / FILES["tls_private_key_file"]).read_bytes(), password=None)
    assert key.public_key() == leaf.public_key()


def test_the_certificate_covers_the_base_domain_and_its_hyphenated_names(tmp_path: Path) -> None:
    ensure(tmp_path)
    leaf = x509.load_pem_x509_certificate((tmp_path / FILES["tls_certificate_file"]).read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    hyphenated = {f"{prefix}-dash.example.com" for prefix in ("api", "ws", "git", "registry", "auth", "admin")}
    assert set(names) == {"dash.example.com", *hyphenated}


def test_a_lost_key_brings_a_new_certificate_too(tmp_path: Path) -> None:
    ensure(tmp_path)
    certificate = tmp_path / FILES["tls_certificate_file"]
    before = certificate.read_bytes()
    (tmp_path / FILES["tls_private_key_file"]).unlink()
    ensure(tmp_path)
    assert certificate.read_bytes() != before


def test_another_base_domain_brings_another_certificate(tmp_path: Path) -> None:
    ensure(tmp_path)
    license_file = tmp_path / FILES["license_file"]
    license_before = license_file.read_bytes()
    (said,) = ensure(tmp_path, base_domain="dash.example.org")
    assert "Made a demo certificate for dash.example.org" in said
    assert covered(tmp_path / FILES["tls_certificate_file"], "dash.example.org")
    assert license_file.read_bytes() == license_before
    assert ensure(tmp_path, base_domain="dash.example.org") == []


@pytest.mark.parametrize("base_domain", ["dash.bücher.example", "\u2601.example", "", "..", "x" * 300, "a b", "A.B"])
def test_files_are_made_for_any_base_domain_so_that_the_command_can_judge_it(base_domain: str, tmp_path: Path) -> None:
    ensure(tmp_path, base_domain=base_domain)
    assert len(made(tmp_path)) == 4
    assert ensure(tmp_path, base_domain=base_domain) == []


def test_a_certificate_that_is_not_a_demo_one_is_never_replaced(tmp_path: Path) -> None:
    ensure(tmp_path)
    certificate = tmp_path / FILES["tls_certificate_file"]
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A real authority")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(own, own, key.public_key(), 1, now, now + datetime.timedelta(days=1))
    for content in (builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM), b"no certificate"):
        certificate.write_bytes(content)
        assert ensure(tmp_path, base_domain="dash.example.org") == []
        assert certificate.read_bytes() == content


def covered(certificate: Path, base_domain: str) -> bool:
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return base_domain in names.get_values_for_type(x509.DNSName)


def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    ensure(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("demo/*/*")} == {0o600}


@pytest.mark.parametrize("path", ["secrets/license.yaml", "demo/../license.yaml", "license.yaml", "/demo/license.yaml"])
def test_nothing_outside_of_the_demo_folder_is_made(path: str, tmp_path: Path) -> None:
    ensure(tmp_path, license_file=path, tls_certificate_file="", tls_private_key_file="")
    assert made(tmp_path) == set()


@pytest.mark.parametrize("content", ["", "config:", "config: {x: 1}", "[", "config: {a:dash_enterprise: text}"])
def test_a_stack_file_that_names_no_files_is_left_to_the_command(content: str, tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(content)
    demo_files.ensure(tmp_path, file, pytest.fail)
    demo_files.ensure(tmp_path, tmp_path / "absent.yaml", pytest.fail)
    assert made(tmp_path) == set()


def test_two_commands_at_once_make_one_pair(tmp_path: Path) -> None:
    file = stack_file(tmp_path)
    said: list[str] = []
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: demo_files.ensure(tmp_path, file, said.append), range(4)))
    assert len(said) == 2
    leaf = x509.load_pem_x509_certificate((tmp_path / FILES["tls_certificate_file"]).read_bytes())
    key = load_pem_private_key((tmp_path / FILES["tls_private_key_file"]).read_bytes(), password=None)
    assert key.public_key() == leaf.public_key()


def test_in_a_project_of_others_git_ignores_them(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    ensure(tmp_path)
    status = subprocess.run(["git", "status", "--porcelain"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert status.stdout == "?? Pulumi.dev.yaml\n"
