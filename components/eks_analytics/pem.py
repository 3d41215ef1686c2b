"""Certificates and private keys out of PEM files, or one clear reason why not. Nothing of a key is ever in a reason.

As strict as the servers that read these files later: every BEGIN and END has a line of its own, other text may stand
between the blocks.
"""

import re
import warnings
from functools import cache
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import certifi
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.utils import CryptographyDeprecationWarning

from .files import GivenFile
from .problems import Problem

UNREADABLE = (
    *(ValueError, TypeError, UnsupportedAlgorithm),
    *(x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType),
)
"""What cryptography raises for a certificate or a key that it cannot make out."""
_BLOCK = re.compile(r"^-----BEGIN ([A-Z0-9 ]+)-----\s((?:(?!-----).)*)^-----END \1-----[ \t\r]*$", re.S | re.M)
_UNENCRYPTED_OPENSSH = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"  # "openssh-key-v1", cipher "none"
_CHAIN, _KEY = "the certificate chain", "the private key"


class _Block(NamedTuple):
    pem: str
    label: str
    body: str


def read_certificates(file: GivenFile, key_input: str) -> list[x509.Certificate] | Problem:
    """The certificates of a chain as they stand in the file. `key_input` is the input that names the key."""
    blocks = _blocks(file, _CHAIN, "x509")
    if isinstance(blocks, Problem):
        return blocks
    labels = {block.label for block in blocks}
    if any("PRIVATE KEY" in label for label in labels):
        if "CERTIFICATE" in labels:
            return file.problem("holds a private key besides certificates", f"leave the key to the file in {key_input}")
        reason = "holds a private key where the certificate chain belongs"
        return file.problem(reason, f"exchange it with the file in {key_input} if that one is the chain")
    if labels != {"CERTIFICATE"}:
        reason = f"holds something else than certificates: {', '.join(sorted(labels - {'CERTIFICATE'}))[:80]}"
        return file.problem(reason, "leave only blocks of BEGIN CERTIFICATE (PKCS7: openssl pkcs7 -print_certs)")
    certificates: list[x509.Certificate] = []
    for number, block in enumerate(blocks, 1):
        certificate = _certificate(block.pem)
        if not certificate:
            return file.problem(f"certificate {number} in it cannot be read", "copy it again from where it was issued")
        if certificate in certificates:
            reason = f"certificate {number} in it repeats certificate {certificates.index(certificate) + 1}"
            return file.problem(reason, f"leave out certificate {number}")
        certificates.append(certificate)
    return certificates


def read_private_key(file: GivenFile, certificate_input: str) -> PrivateKeyTypes | Problem:
    """The one unencrypted key in the file. `certificate_input` is the input that names the chain."""
    blocks = _blocks(file, _KEY, "pkey")
    if isinstance(blocks, Problem):
        return blocks
    keys = [block for block in blocks if block.label.endswith("PRIVATE KEY")]
    if any(block.label == "CERTIFICATE" for block in blocks):
        if keys:
            remedy = f"leave the certificates to the file in {certificate_input}"
            return file.problem("holds certificates besides the private key", remedy)
        reason = "holds certificates where the private key belongs"
        return file.problem(reason, f"exchange it with the file in {certificate_input} if that one is the key")
    if len(keys) != 1:
        return file.problem(f"holds {len(keys) or 'no'} private keys", "leave one: the key of the server's certificate")
    key, path = keys[0], quote(file.path)
    if key.label.startswith("OPENSSH"):
        encrypted = "" if key.body.startswith(_UNENCRYPTED_OPENSSH) else " and encrypted"
        remedy = f"convert a copy of it: ssh-keygen -p -m PEM -N '' -f {path}"
        return file.problem(f"is in OpenSSH's own format{encrypted}", remedy)
    if key.label.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in key.body:
        remedy = f"decrypt it: openssl pkey -in {path} -out {_beside(file, '.decrypted.pem')}"
        return file.problem("is encrypted, and nobody can type a passphrase when servers start", remedy)
    try:
        return load_pem_private_key(key.pem.encode(), None)
    except UNREADABLE:
        return file.problem("holds a private key that cannot be read", "copy it again from where it was made")


def read_trust_store(file: GivenFile) -> list[x509.Certificate] | Problem:
    """Every certificate that can be read: bundles of a whole system hold a few that cannot."""
    pems = (match.group() for match in _BLOCK.finditer(file.content.decode(errors="replace")))
    roots = [root for root in map(_certificate, pems) if root]
    return roots or file.problem("holds no certificate in PEM", "name a file with the trusted roots as PEM")


@cache
def public_roots() -> list[x509.Certificate] | Problem:
    """The roots that browsers trust, as certifi brings them along."""
    return read_trust_store(GivenFile("certifi", certifi.where(), certifi.contents().encode()))


def _blocks(file: GivenFile, what: str, openssl: str) -> list[_Block] | Problem:
    path, pem = quote(file.path), _beside(file, ".converted.pem")
    convert = f"convert it to PEM: openssl {openssl} -inform der -in {path} -out {pem}"
    text = file.text(what, f"{convert} (a .pfx or .p12: openssl pkcs12 -in {path} -noenc)")
    if isinstance(text, Problem):
        return text
    if text.startswith("\ufeff"):
        return file.problem("has a byte order mark, which hides its first line", "save it as UTF-8 without a BOM")
    if "-----" not in text:
        return file.problem("holds no PEM block (-----BEGIN ...-----)", f"name the file that holds {what} as PEM")
    blocks = [_Block(match[0], match[1], match[2]) for match in _BLOCK.finditer(text)]
    if not blocks or len(blocks) != max(text.count("-----BEGIN"), text.count("-----END")):
        reason = "has a BEGIN or END line that is damaged, lacks its counterpart or shares its line with something else"
        return file.problem(reason, "copy the parts again, and join only files that end with a line break")
    return blocks


def _certificate(pem: str) -> x509.Certificate | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CryptographyDeprecationWarning)  # serial numbers of some public roots
            found = x509.load_pem_x509_certificate(pem.encode())
            # Parts are parsed when first asked for; whoever asks later must not fail.
            _ = found.subject, found.issuer, found.extensions, found.public_key(), found.signature_hash_algorithm
    except UNREADABLE:
        return None
    return found


def _beside(file: GivenFile, suffix: str) -> str:
    return quote(str(Path(file.path).with_suffix(suffix))) if Path(file.path).name else f"new{suffix}"
