"""The certificates of one cluster, made on the spot: authority, API server, administrator."""

import base64
import datetime
import ipaddress
import json
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = datetime.timedelta(days=30)  # the cloud ends long before
_Key = ec.EllipticCurvePrivateKey
AUTHORITY, ADMIN, ADMIN_KEY, KUBECONFIG = "ca.pem", "admin.pem", "admin-key.pem", "kubeconfig"
SERVER, SERVER_KEY, ACCOUNTS_KEY = "server.pem", "server-key.pem", "service-accounts-key.pem"


def make(folder: Path) -> None:
    """Write an authority and what it signs; its own key is thrown away at once."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name("emulated-eks")
    authority = _sign(authority_name, authority_key, authority_name, authority_key, None)
    _write(folder / AUTHORITY, _pem(authority))
    server, admin = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    usage = ExtendedKeyUsageOID.SERVER_AUTH
    _write(folder / SERVER, _pem(_sign(_name("kube-apiserver"), server, authority_name, authority_key, usage)))
    _write(folder / SERVER_KEY, _private(server))
    usage = ExtendedKeyUsageOID.CLIENT_AUTH
    name = _name("sandbox-admin", "system:masters")  # a group that is allowed everything
    _write(folder / ADMIN, _pem(_sign(name, admin, authority_name, authority_key, usage)))
    _write(folder / ADMIN_KEY, _private(admin))
    _write(folder / ACCOUNTS_KEY, _private(ec.generate_private_key(ec.SECP256R1())))


def write_kubeconfig(folder: Path, cluster: str, url: str) -> None:
    """One with everything in it, so that it works from any folder."""

    def data(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    user = {"client-certificate-data": data(ADMIN), "client-key-data": data(ADMIN_KEY)}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": url, "certificate-authority-data": data(AUTHORITY)}}],
        "users": [{"name": f"{cluster}-admin", "user": user}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": f"{cluster}-admin"}}],
        "current-context": cluster,
    }
    _write(folder / KUBECONFIG, json.dumps(content, indent=2).encode())


def _name(common: str, organization: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    return x509.Name(parts)


def _sign(
    subject: x509.Name, key: _Key, issuer: x509.Name, issuer_key: _Key, usage: x509.ObjectIdentifier | None
) -> x509.Certificate:
    """`usage` is None for the authority itself."""
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=usage is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if usage is None:
        flags = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
        )
        signs = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, encipher_only=False, decipher_only=False, **flags
        )
        builder = builder.add_extension(signs, critical=True)  # Python refuses an authority without it
    else:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if usage == ExtendedKeyUsageOID.SERVER_AUTH:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: _Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
