"""Throw-away license and TLS files for the example stacks: what a real installation brings along and git never holds.

The certificate comes from a certification authority made on the spot, whose own key is thrown away at once.
"""

import datetime
import fcntl
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from eks_analytics.international_names import ascii_form
from operations.stack_configuration import SECRET, StackConfiguration, block
from sandbox.private import ignored

FOLDER = "demo"
# Joined to the base domain with a hyphen, so a certificate for *.<base domain> would not cover them.
PREFIXES = ("api", "ws", "git", "registry", "auth", "admin")
AUTHORITY = "ca.pem"
BASE_DOMAIN = "dash.example.com"
"""Of files for a stack that names none."""
_INTERMEDIATE = "Demo intermediate"
_INSTALL_SCRIPT = "install_de_aws.sh"
_LIFETIME = datetime.timedelta(days=3650)


def completed(configuration: StackConfiguration) -> StackConfiguration:
    """The configuration with what only the embedded cloud accepts: the demo authority as trusted, and a password.

    None of it is in the tracked file, so that nobody takes a demo certificate to AWS.
    """
    key, password = (f"{configuration.project}:{name}" for name in ("dash_enterprise", "admin_password"))
    settings = configuration.setting("dash_enterprise")
    if not isinstance(settings, dict) or key not in configuration.own_keys:
        return configuration
    chain = settings.get("tls_certificate_file")
    if isinstance(chain, str) and is_demo(chain):
        settings = {"tls_trust_store_file": str(Path(chain).parent / AUTHORITY), **settings}
    own = {key: configuration.values[key] for key in configuration.own_keys}
    return configuration.with_own({password: SECRET, **own, key: settings})


def ensure(project: Path, stack_file: Path, say: Callable[[str], None]) -> None:
    """Make the files that the stack names inside of demo/, where they are not there or of another domain; touch
    nothing else."""
    settings = _dash_enterprise(stack_file)
    files = {
        key: project / path
        for key, path in settings.items()
        if (key.endswith("_file") or key == "installation_plan") and is_demo(path)
    }
    base_domain = domain(settings)
    if _is_whole(files, base_domain):
        return
    with (ignored(project / FOLDER) / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two commands at once must not mix a certificate with another one's key
        make(files, base_domain, say)


def domain(settings: Mapping[str, Any]) -> str:
    """The base domain, in a form that certificates take whatever was written: the command itself judges what was."""
    return ascii_form(str(settings.get("base_domain") or BASE_DOMAIN))


def make(files: Mapping[str, Path], base_domain: str, say: Callable[[str], None] = lambda _: None) -> None:
    """Make those of the files, by setting, that are not there; and the certificate where it is of another domain."""
    license_file = files.get("license_file")
    if license_file and not license_file.exists():
        _write(license_file, yaml.safe_dump(_license(base_domain)).encode())
        say(f"Made a demo license: {license_file.name} in {license_file.parent}")
    script = _script(files)
    if script and not script.exists():
        _write(script, _INSTALLER.encode())
        say(f"Made a demo installer: {script.name} in {script.parent}")
    certificate, key = files.get("tls_certificate_file"), files.get("tls_private_key_file")
    if certificate and key and not (_is_for(certificate, base_domain) and key.exists()):
        chain, private_key, authority = _tls(base_domain)
        _write(certificate, chain)
        _write(key, private_key)
        _write(certificate.parent / AUTHORITY, authority)
        say(f"Made a demo certificate for {base_domain} by a throw-away authority: {certificate.parent}")


def _is_whole(files: Mapping[str, Path], base_domain: str) -> bool:
    found = [path for key, path in files.items() if key != "installation_plan"] + [_script(files)]
    certificate = files.get("tls_certificate_file")
    return all(path.exists() for path in found if path) and (not certificate or _is_for(certificate, base_domain))


def _script(files: Mapping[str, Path]) -> Path | None:
    plan = files.get("installation_plan")
    return plan / _INSTALL_SCRIPT if plan and plan.name != _INSTALL_SCRIPT else None


def _is_for(certificate: Path, base_domain: str) -> bool:
    """Whether the certificate is there and not a demo certificate of another domain: nobody else's is touched."""
    try:
        leaf = x509.load_pem_x509_certificates(certificate.read_bytes())[0]
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return certificate.exists()
    return leaf.issuer != _name(_INTERMEDIATE) or base_domain in names.get_values_for_type(x509.DNSName)


def _dash_enterprise(stack_file: Path) -> dict[str, str]:
    """Not for here to judge: the command itself says what is wrong with the file."""
    return {key: value for key, value in block(stack_file, "dash_enterprise").items() if isinstance(value, str)}


def is_demo(path: str) -> bool:
    """Whether the path lies in the folder whose files are made here."""
    parts = Path(path).parts
    return len(parts) > 1 and parts[0] == FOLDER and ".." not in parts


def _license(base_domain: str) -> dict[str, Any]:
    """The shape of a license as the vendor's platform signs it, with a signature that nothing accepts."""
    expires = _now() + _LIFETIME
    return {
        "apiVersion": "kots.io/v1beta1",
        "kind": "License",
        "metadata": {"name": "demo"},
        "spec": {
            "appSlug": "dash-enterprise",
            "customerName": f"Demo of {base_domain}",
            "licenseID": "demo",
            "licenseType": "dev",
            "signature": "ZGVtbw==",
            "entitlements": {
                "expires_at": {
                    "title": "Expiration",
                    "value": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "valueType": "String",
                }
            },
        },
    }


# The shape of the vendor's script: variables at the top, two prompts, and a port-forward in which it stays.
_INSTALLER = """\
#!/bin/bash
# Demo installer: it behaves like the vendor's and installs nothing.
ADMIN_PASSWORD=""
STORAGE_CLASS=""

set -e
read -r -p "Enter installation path (leave blank for /usr/local/bin): " path
read -r -p "Grant write permissions to ${path:-/usr/local/bin}? (y/n) " answer
[ "$answer" = y ]
echo "Forwarding from 0.0.0.0:8800 -> 3000"
exec sleep infinity
"""


def _tls(base_domain: str) -> tuple[bytes, bytes, bytes]:
    """A chain (leaf, intermediate) in PEM, the leaf's key, and the root that signed the intermediate."""
    root_key, intermediate_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root_name, intermediate_name = _name("Demo root"), _name(_INTERMEDIATE)
    root = _authority(root_name, root_key.public_key(), root_name, length=1).sign(root_key, hashes.SHA256())
    intermediate = _authority(intermediate_name, intermediate_key.public_key(), root_name, length=0).sign(
        root_key, hashes.SHA256()
    )
    names = [base_domain, *(f"{prefix}-{base_domain}" for prefix in PREFIXES)]
    leaf = (
        _certificate(_name(base_domain[:64]), leaf_key.public_key(), intermediate_name)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(intermediate_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private_key = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return leaf.public_bytes(pem) + intermediate.public_bytes(pem), private_key, root.public_bytes(pem)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _authority(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, length: int
) -> x509.CertificateBuilder:
    return _certificate(subject, key, issuer).add_extension(
        x509.BasicConstraints(ca=True, path_length=length), critical=True
    )


def _certificate(subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name) -> x509.CertificateBuilder:
    now = _now()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
    )


def _write(file: Path, content: bytes) -> None:
    """All or nothing, readable by the owner only."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    temporary.touch(mode=0o600)
    temporary.write_bytes(content)
    temporary.replace(file)
