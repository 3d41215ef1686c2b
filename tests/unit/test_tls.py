"""Every way in which people get a certificate file wrong, with certificates made here; and the ways that are right."""

import re
import subprocess
from base64 import b64encode, encodebytes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from os import urandom
from pathlib import Path
from shutil import which

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    pkcs12,
)
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from cryptography.x509.oid import ExtendedKeyUsageOID as Usage

from eks_analytics.files import LARGEST_FILE, GivenFile
from eks_analytics.host_names import HOST_PREFIXES, host_names
from eks_analytics.pem import public_roots
from eks_analytics.problems import Problem
from eks_analytics.tls import Verdict, check_tls

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
BASE = "dash.example.com"
SEVEN = tuple(host_names(BASE))
PEM, DER = Encoding.PEM, Encoding.DER
PKCS8, TRADITIONAL, OPENSSH = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH
SECRET = BestAvailableEncryption(b"swordfish")
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True)
class Issued:
    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(DER)


@cache
def key_of(owner: str) -> Key:
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def name_of(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    name: str,
    by: Issued | None = None,
    *,
    key: Key | None = None,
    authority: bool | None = False,
    length: int | None = None,
    names: Sequence[str] | None = SEVEN,
    start: timedelta = -timedelta(days=30),
    end: timedelta = timedelta(days=60),
    extensions: Sequence[x509.ExtensionType] = (),
) -> Issued:
    """A certificate that `by` signed, or that signs itself. `authority=None` leaves the basic constraints out."""
    key = key or key_of(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name_of(name))
        .issuer_name(by.certificate.subject if by else name_of(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )
    if authority is not None:
        builder = builder.add_extension(x509.BasicConstraints(authority, length if authority else None), critical=True)
    if names is not None and not authority:
        alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
        builder = builder.add_extension(alternatives, critical=False)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    signer = by.key if by else key
    return Issued(builder.sign(signer, None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()), key)


def weakly_signed(issued: Issued, by: rsa.RSAPrivateKey, algorithm: hashes.HashAlgorithm, last_byte: int) -> Issued:
    """The same certificate signed with a hash that cryptography's own builder refuses to use."""
    rsa_with_sha256, rsa_with_weak = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d0101")
    weak = rsa_with_weak + bytes([last_byte])
    body = issued.certificate.tbs_certificate_bytes
    new_body = body.replace(rsa_with_sha256, weak)
    signature = by.sign(new_body, padding.PKCS1v15(), algorithm)
    der = issued.der.replace(body, new_body).replace(rsa_with_sha256, weak)
    der = der.replace(issued.certificate.signature, signature)
    return Issued(x509.load_der_x509_certificate(der), issued.key)


ROOT = issue("Test Root", authority=True)
INTERMEDIATE = issue("Test Intermediate", ROOT, authority=True, length=0)
LEAF = issue(BASE, INTERMEDIATE)
OTHER = issue("other.example.org", INTERMEDIATE, names=["other.example.org"])
SELF_SIGNED = issue(BASE)
NAMES = x509.SubjectAlternativeName([x509.DNSName(name) for name in SEVEN])
SELF_MADE = issue(BASE, authority=True, extensions=[NAMES])
PRIVATE_ROOT = issue("Corporate Root", authority=True)
CHAIN = LEAF.pem + INTERMEDIATE.pem


def key_pem(
    key: Key = LEAF.key, form: PrivateFormat = PKCS8, encryption: KeySerializationEncryption | None = None
) -> bytes:
    return key.private_bytes(PEM, form, encryption or NoEncryption())


def framed(label: str, body: str) -> bytes:
    return f"-----BEGIN {label}-----\n{body.strip()}\n-----END {label}-----\n".encode()


def openssh_encrypted() -> bytes:
    """Only the head of such a key: cryptography needs one more package to encrypt the rest."""
    return framed("OPENSSH PRIVATE KEY", b64encode(b"openssh-key-v1\0\0\0\0\x0aaes256-ctr" + urandom(300)).decode())


def judge(
    chain: bytes = CHAIN,
    key: bytes | None = None,
    *,
    base: str = BASE,
    at: datetime = NOW,
    warning_days: int = 30,
    store: bytes | None = None,
) -> Verdict:
    return check_tls(
        GivenFile("tls_certificate_file", "tls/fullchain.pem", chain),
        GivenFile("tls_private_key_file", "tls/privkey.pem", key_pem() if key is None else key),
        base,
        at=at,
        warning_days=warning_days,
        trust_store=GivenFile("tls_trust_store_file", "tls/roots.pem", ROOT.pem if store is None else store),
    )


def under_root(leaf: Issued, *others: Issued) -> bytes:
    return b"".join(one.pem for one in (leaf, *others, INTERMEDIATE))


def leaf_with(**changes: object) -> bytes:
    return under_root(issue(BASE, INTERMEDIATE, **changes))  # pyright: ignore[reportArgumentType]  # a test's shorthand


# What is right ------------------------------------------------------------------------------------------------------

P384 = issue(BASE, INTERMEDIATE, key=ec.generate_private_key(ec.SECP384R1()))
RSA = issue(BASE, INTERMEDIATE, key=rsa_key())
CROSS_SIGNED = issue("Test Root", PRIVATE_ROOT, key=ROOT.key, authority=True)
STRANGER = issue("Strange Intermediate", PRIVATE_ROOT, authority=True)

RIGHT: dict[str, Callable[[], Verdict]] = {
    "the root left out, as authorities deliver it": judge,
    "the root at the end, as the vendor's guide has it": lambda: judge(CHAIN + ROOT.pem),
    "signed by a trusted root itself": lambda: judge(issue(BASE, ROOT).pem),
    "a trusted root that another authority signed too": lambda: judge(CHAIN + CROSS_SIGNED.pem),
    "Windows line ends": lambda: judge(CHAIN.replace(b"\n", b"\r\n"), key_pem().replace(b"\n", b"\r\n")),
    "no line break at the end": lambda: judge(CHAIN.rstrip(), key_pem().rstrip()),
    "text between the blocks": lambda: judge(b"subject=CN \xc3\xa9\n" + LEAF.pem + b"\n\ni: CN\n" + INTERMEDIATE.pem),
    "EC P-384": lambda: judge(under_root(P384), key_pem(P384.key)),
    "an RSA key": lambda: judge(under_root(RSA), key_pem(RSA.key)),
    "an RSA key in the traditional format": lambda: judge(under_root(RSA), key_pem(RSA.key, TRADITIONAL)),
    "an EC key in the traditional format": lambda: judge(key=key_pem(form=TRADITIONAL)),
    "an EC key behind its parameters": lambda: judge(
        key=framed("EC PARAMETERS", "BggqhkjOPQMBBw==") + key_pem(form=TRADITIONAL)
    ),
    "a wildcard of the parent domain": lambda: judge(leaf_with(names=["*.example.com"])),
    "names in capital letters": lambda: judge(leaf_with(names=[name.upper() for name in SEVEN])),
    "the base by name and the six by wildcard": lambda: judge(leaf_with(names=[BASE, "*.example.com"])),
    "a key usage for servers": lambda: judge(
        leaf_with(extensions=[x509.ExtendedKeyUsage([Usage.SERVER_AUTH, Usage.CLIENT_AUTH])])
    ),
    "a key usage for anything": lambda: judge(
        leaf_with(extensions=[x509.ExtendedKeyUsage([Usage.ANY_EXTENDED_KEY_USAGE])])
    ),
    "a clock in another time zone": lambda: judge(at=NOW.astimezone(timezone(timedelta(hours=9)))),
    "a trust store with comments and a broken entry": lambda: judge(
        store=b"# bundle \xe9\n" + framed("CERTIFICATE", "AAAA") + PRIVATE_ROOT.pem + ROOT.pem
    ),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_installation_raises_nothing(case: str) -> None:
    assert RIGHT[case]() == Verdict([], [])


# What is wrong: the one problem with its file, the reason, the remedy -----------------------------------------------

CERTIFICATE, KEY, STORE = "tls_certificate_file", "tls_private_key_file", "tls_trust_store_file"
PATHS = {CERTIFICATE: "tls/fullchain.pem", KEY: "tls/privkey.pem", STORE: "tls/roots.pem"}
RSA_ROOT = issue("RSA Root", key=rsa_key(), authority=True)
ISSUED_BY_RSA = issue(BASE, RSA_ROOT)
SHA1_LEAF = weakly_signed(ISSUED_BY_RSA, rsa_key(), hashes.SHA1(), 5)  # the point of it
SHORT_RSA = issue(BASE, INTERMEDIATE, key=rsa_key(1024))
KOBLITZ = issue(BASE, INTERMEDIATE, key=ec.generate_private_key(ec.SECP256K1()))
P192 = issue(BASE, INTERMEDIATE, key=ec.generate_private_key(ec.SECP192R1()))
EDWARDS = issue(BASE, INTERMEDIATE, key=ed25519.Ed25519PrivateKey.generate())
SECOND_LEVEL = issue("Second Intermediate", INTERMEDIATE, authority=True)  # the first one's path length forbids it
NO_AUTHORITY = issue("No Authority", ROOT, names=None, authority=False)
ELSEWHERE = issue("Constrained", ROOT, authority=True, extensions=[x509.NameConstraints([x509.DNSName("a.org")], None)])
EXPIRED = issue("Expired Intermediate", ROOT, authority=True, end=-timedelta(hours=1))
OFFERED = x509.AuthorityInformationAccess(
    [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier("http://ocsp.test")),
        x509.AccessDescription(
            AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.test/i.der")
        ),
    ]
)
PKCS12 = pkcs12.serialize_key_and_certificates(
    b"dash",
    LEAF.key,  # pyright: ignore[reportArgumentType]  # an EC key
    LEAF.certificate,
    None,
    NoEncryption(),
)
JOINED = LEAF.pem.rstrip() + INTERMEDIATE.pem

Case = tuple[Callable[[], Verdict], str, str, str]
WRONG: dict[str, Case] = {
    # the chain's order and completeness
    "root first": (
        lambda: judge(ROOT.pem + INTERMEDIATE.pem + LEAF.pem),
        *(CERTIFICATE, r'wrong order \("Test Root", "Test Intermediate", "dash\.example\.com"\)'),
        r'order: "dash\.example\.com" \(now number 3\), "Test Int\S+ \(now number 2\), "Test Root" \(now number 1\)$',
    ),
    "intermediate first": (
        lambda: judge(INTERMEDIATE.pem + LEAF.pem),
        *(CERTIFICATE, "wrong order"),
        r'this order: "dash\.example\.com" \(now number 2\), "Test Intermediate" \(now number 1\)$',
    ),
    "root before intermediate": (
        lambda: judge(LEAF.pem + ROOT.pem + INTERMEDIATE.pem),
        *(CERTIFICATE, "wrong order"),
        r"dash\.example\.com.* 1\), .*Intermediate.* 3\), .*Root.* 2\)$",
    ),
    "intermediate missing": (
        lambda: judge(LEAF.pem),
        *(CERTIFICATE, '"dash.example.com" is signed by "Test Intermediate", neither in the file nor in tls/roots.pem'),
        '^add the certificate of "Test Intermediate" behind it;',
    ),
    "intermediate missing that the authority offers": (
        lambda: judge(issue(BASE, INTERMEDIATE, extensions=[OFFERED]).pem),
        *(CERTIFICATE, "breaks off"),
        r"behind it \(in DER at http://ca\.test/i\.der\)",
    ),
    "intermediate missing between leaf and root": (
        lambda: judge(LEAF.pem + ROOT.pem),
        *(CERTIFICATE, '"dash.example.com" is signed by "Test Intermediate"', "behind it"),
    ),
    "intermediate of the same name with another key": (
        lambda: judge(LEAF.pem + issue("Test Intermediate", ROOT, key=key_of("else"), authority=True).pem),
        *(CERTIFICATE, "breaks off", "behind it"),
    ),
    "intermediate of somebody else besides": (
        lambda: judge(CHAIN + STRANGER.pem),
        *(CERTIFICATE, 'no part of the chain: "Strange Intermediate"$'),
        r'leave them out and keep, in this order: "dash\.example\.com" .*, "Test Intermediate" \(now number 2\)$',
    ),
    "certificate of an authority only": (
        lambda: judge(INTERMEDIATE.pem + ROOT.pem, key_pem(INTERMEDIATE.key)),
        *(CERTIFICATE, r'only certificates of authorities \("Test Intermediate", "Test Root"\)', "server's in front"),
    ),
    "one certificate of an authority only": (
        lambda: judge(INTERMEDIATE.pem, key_pem(INTERMEDIATE.key)),
        *(CERTIFICATE, "only certificates of authorities", "in front"),
    ),
    "two server certificates": (
        lambda: judge(under_root(LEAF, OTHER)),
        *(CERTIFICATE, r'2 server certificates \("dash\.example\.com", "other\.example\.org"\)', "keep the one"),
    ),
    "the same certificate twice": (
        lambda: judge(LEAF.pem + CHAIN),
        *(CERTIFICATE, "certificate 2 in it repeats certificate 1", "leave out certificate 2"),
    ),
    # trust
    "self-signed": (
        lambda: judge(SELF_SIGNED.pem, key_pem(SELF_SIGNED.key)),
        *(CERTIFICATE, '"dash.example.com" is self-signed', "public authority"),
    ),
    "self-signed and in the trust store": (
        lambda: judge(SELF_SIGNED.pem, key_pem(SELF_SIGNED.key), store=SELF_SIGNED.pem),
        *(CERTIFICATE, "is self-signed", "public authority"),
    ),
    "self-signed and an authority, as openssl makes it": (
        lambda: judge(SELF_MADE.pem, key_pem(SELF_MADE.key)),
        *(CERTIFICATE, "is self-signed", "public authority"),
    ),
    "internal authority": (
        lambda: judge(issue(BASE, PRIVATE_ROOT).pem + PRIVATE_ROOT.pem),
        *(CERTIFICATE, '"Corporate Root", which is not in tls/roots.pem: internal authorities', "public authority"),
    ),
    "internal authority that has the name of a trusted one": (
        lambda: judge(
            issue(BASE, issue("Test Root", key=key_of("forger"), authority=True)).pem
            + issue("Test Root", key=key_of("forger"), authority=True).pem
        ),
        *(CERTIFICATE, '"Test Root", which is not in', "public authority"),
    ),
    "trust store without certificates": (
        lambda: judge(store=b"nothing"),
        *(STORE, "holds no certificate", "trusted roots"),
    ),
    # time
    "expired": (
        lambda: judge(leaf_with(end=-timedelta(days=1))),
        *(CERTIFICATE, '"dash.example.com" expired on 2027-02-28 12:00 UTC', "renew it"),
    ),
    "expiring this second": (lambda: judge(leaf_with(end=timedelta(0))), CERTIFICATE, "expired on", "renew"),
    "not yet valid": (
        lambda: judge(leaf_with(start=timedelta(days=2))),
        *(CERTIFICATE, "not valid before 2027-03-03 12:00 UTC", "clock"),
    ),
    "intermediate expired": (
        lambda: judge(issue(BASE, EXPIRED).pem + EXPIRED.pem),
        *(CERTIFICATE, '"Expired Intermediate" expired on', "renew"),
    ),
    # names
    "wildcard of the base domain": (
        lambda: judge(leaf_with(names=[BASE, f"*.{BASE}"])),
        *(CERTIFICATE, r"does not cover api-dash\.\S+, .*admin-dash\.example\.com; .*joined with a hyphen\)$"),
        r"for \*\.example\.com, or for all of dash\.example\.com, api-dash",
    ),
    "one name forgotten": (
        lambda: judge(leaf_with(names=[name for name in SEVEN if not name.startswith("git-")])),
        *(CERTIFICATE, r"does not cover git-dash\.example\.com;", "order one certificate"),
    ),
    "base domain forgotten": (
        lambda: judge(leaf_with(names=SEVEN[1:])),
        *(CERTIFICATE, r"does not cover dash\.example\.com;", "order one certificate"),
    ),
    "wildcard two levels above": (
        lambda: judge(leaf_with(names=["*.com", "*.*.com", "*"])),
        *(CERTIFICATE, r"does not cover dash\.example\.com, api-", "order one certificate"),
    ),
    "wildcard within a label": (
        lambda: judge(leaf_with(names=[BASE, "*-dash.example.com", "a*.example.com"])),
        *(CERTIFICATE, r"does not cover api-dash.*\*-dash\.example\.com, a\*", "order one certificate"),
    ),
    "names of another domain": (
        lambda: judge(leaf_with(names=["*.example.org"])),
        *(CERTIFICATE, r"alternative names: \*\.example\.org$", "order one certificate"),
    ),
    "common name and no alternative names": (
        lambda: judge(leaf_with(names=None)),
        *(CERTIFICATE, "alternative names: none$", "order one certificate"),
    ),
    "wildcard of a top-level domain": (
        lambda: judge(leaf_with(names=["*.test"]), base="dash.test"),
        *(CERTIFICATE, r"does not cover dash\.test", r"order one certificate for all of dash\.test, api-dash\.test"),
    ),
    # strength and purpose
    "RSA key of 1024 bits": (
        lambda: judge(under_root(SHORT_RSA), key_pem(SHORT_RSA.key)),
        *(CERTIFICATE, "an RSA key of 1024 bits", "RSA 2048"),
    ),
    "curve of bitcoin": (
        lambda: judge(under_root(KOBLITZ), key_pem(KOBLITZ.key)),
        *(CERTIFICATE, "curve secp256k1", "P-256"),
    ),
    "short curve": (lambda: judge(under_root(P192), key_pem(P192.key)), CERTIFICATE, "curve secp192r1", "P-256"),
    "Ed25519": (
        lambda: judge(under_root(EDWARDS), key_pem(EDWARDS.key)),
        *(CERTIFICATE, r"browsers do not take \(Ed25519\)", "P-256"),
    ),
    "signature with SHA-1": (
        lambda: judge(SHA1_LEAF.pem, key_pem(SHA1_LEAF.key), store=RSA_ROOT.pem),
        *(CERTIFICATE, "signed with MD5 or SHA-1", "SHA-256"),
    ),
    "for clients only": (
        lambda: judge(leaf_with(extensions=[x509.ExtendedKeyUsage([Usage.CLIENT_AUTH])])),
        *(CERTIFICATE, "not made for servers", "serverAuth"),
    ),
    "longer than the authority's path length": (
        lambda: judge(issue(BASE, SECOND_LEVEL).pem + SECOND_LEVEL.pem + INTERMEDIATE.pem),
        *(CERTIFICATE, r"would refuse it for dash\.example\.com \(.*path length", "show this to the authority"),
    ),
    "outside of the authority's name constraints": (
        lambda: judge(issue(BASE, ELSEWHERE).pem + ELSEWHERE.pem),
        *(CERTIFICATE, "would refuse it .*name constraints", "show this to the authority"),
    ),
    "signed by what is no authority": (
        lambda: judge(issue(BASE, NO_AUTHORITY).pem + NO_AUTHORITY.pem),
        *(CERTIFICATE, "would refuse it .*basicConstraints", "show this to the authority"),
    ),
    # the certificate file
    "empty": (lambda: judge(b""), CERTIFICATE, "is empty", "holds the certificate chain"),
    "white space": (lambda: judge(b" \r\n\n"), CERTIFICATE, "is empty", "holds the certificate chain"),
    "huge": (lambda: judge(CHAIN + b"#" * LARGEST_FILE), CERTIFICATE, "larger than 65536 bytes", "only the cert"),
    "DER": (
        lambda: judge(LEAF.der),
        *(
            CERTIFICATE,
            "is binary",
            r"openssl x509 -inform der -in tls/fullchain\.pem -out tls/fullchain\.converted\.pem",
        ),
    ),
    "PKCS#12": (lambda: judge(PKCS12), CERTIFICATE, "is binary", r"openssl pkcs12 -in tls/fullchain\.pem"),
    "binary": (lambda: judge(bytes(range(256)) * 4), CERTIFICATE, "is binary", "convert"),
    "zeros": (lambda: judge(bytes(100)), CERTIFICATE, "is binary", "convert"),
    "Latin-1": (lambda: judge(b"# \xe9\n" + CHAIN), CERTIFICATE, "is binary", "convert"),
    "UTF-16": (lambda: judge(CHAIN.decode().encode("utf-16")), CERTIFICATE, "UTF-16", "save it as UTF-8"),
    "byte order mark": (
        lambda: judge(b"\xef\xbb\xbf" + CHAIN),
        *(CERTIFICATE, "byte order mark, which hides its first line", "without a BOM"),
    ),
    "no PEM": (lambda: judge(b"not a certificate"), CERTIFICATE, "holds no PEM block", "the certificate chain as PEM"),
    "base64 without its frame": (
        lambda: judge(b"\n".join(LEAF.pem.splitlines()[1:-1])),
        *(CERTIFICATE, "holds no PEM block", "as PEM"),
    ),
    "two files joined without a line break": (
        lambda: judge(JOINED),
        *(CERTIFICATE, "shares its line with something else", "end with a line break"),
    ),
    "cut off": (lambda: judge(CHAIN[:-40]), CERTIFICATE, "lacks its counterpart", "copy the parts again"),
    "indented": (lambda: judge(CHAIN.replace(b"-----BEGIN", b"  -----BEGIN")), CERTIFICATE, "BEGIN or END", "copy"),
    "dashes of a word processor": (
        lambda: judge(CHAIN.replace(b"-----BEGIN", "\u2014--BEGIN".encode())),
        *(CERTIFICATE, "BEGIN or END line that is damaged", "copy the parts again"),
    ),
    "second certificate damaged": (
        lambda: judge(LEAF.pem + INTERMEDIATE.pem.replace(b"MII", b"AAA", 1)),
        *(CERTIFICATE, "certificate 2 in it cannot be read", "where it was issued"),
    ),
    "request instead of a certificate": (
        lambda: judge(framed("CERTIFICATE REQUEST", "AAAA")),
        *(CERTIFICATE, "something else than certificates: CERTIFICATE REQUEST$", "BEGIN CERTIFICATE"),
    ),
    "PKCS#7": (
        lambda: judge(framed("PKCS7", "AAAA")),
        *(CERTIFICATE, "than certificates: PKCS7$", "openssl pkcs7 -print_certs"),
    ),
    "private key inside of the certificate file": (
        lambda: judge(CHAIN + key_pem()),
        *(CERTIFICATE, "holds a private key besides certificates", "leave the key to the file in tls_private_key_file"),
    ),
    "key file given twice": (
        lambda: judge(key_pem()),
        *(CERTIFICATE, "a private key where the certificate chain belongs", "exchange it .*tls_private_key_file"),
    ),
    # the key file
    "key of another certificate": (
        lambda: judge(key=key_pem(OTHER.key)),
        *(KEY, r'does not belong to "dash\.example\.com", .* in tls/fullchain\.pem', "name the key"),
    ),
    "key of another kind": (lambda: judge(key=key_pem(rsa_key())), KEY, "does not belong", "name the key"),
    "key of the intermediate": (lambda: judge(key=key_pem(INTERMEDIATE.key)), KEY, "does not belong", "name the key"),
    "encrypted in PKCS#8": (
        lambda: judge(key=key_pem(encryption=SECRET)),
        *(KEY, "is encrypted", r"openssl pkey -in tls/privkey\.pem -out tls/privkey\.decrypted\.pem"),
    ),
    "encrypted in the traditional format": (
        lambda: judge(key=key_pem(form=TRADITIONAL, encryption=SECRET)),
        *(KEY, "^is encrypted", "openssl pkey"),
    ),
    "encrypted RSA key in the traditional format": (
        lambda: judge(under_root(RSA), key_pem(RSA.key, TRADITIONAL, SECRET)),
        *(KEY, "^is encrypted", "openssl pkey"),
    ),
    "encrypted, with Windows line ends": (
        lambda: judge(key=key_pem(form=TRADITIONAL, encryption=SECRET).replace(b"\n", b"\r\n")),
        *(KEY, "^is encrypted", "openssl pkey"),
    ),
    "encrypted by OpenSSH": (
        lambda: judge(key=openssh_encrypted()),
        *(KEY, "OpenSSH's own format and encrypted$", "ssh-keygen -p -m PEM"),
    ),
    "in OpenSSH's own format": (
        lambda: judge(key=key_pem(form=OPENSSH)),
        *(KEY, "OpenSSH's own format$", "ssh-keygen -p -m PEM"),
    ),
    "two keys": (lambda: judge(key=key_pem() + key_pem(OTHER.key)), KEY, "holds 2 private keys", "leave one"),
    "key in DER": (
        lambda: judge(key=LEAF.key.private_bytes(DER, PKCS8, NoEncryption())),
        *(KEY, "is binary", r"openssl pkey -inform der -in tls/privkey\.pem -out tls/privkey\.converted\.pem"),
    ),
    "key empty": (lambda: judge(key=b""), KEY, "is empty", "holds the private key"),
    "key huge": (lambda: judge(key=key_pem() + b"\n" * LARGEST_FILE), KEY, "larger than", "only the private key"),
    "key damaged": (
        lambda: judge(key=key_pem().replace(b"MI", b"AA", 1)),
        *(KEY, "private key that cannot be read", "copy it again"),
    ),
    "public key": (
        lambda: judge(key=LEAF.key.public_key().public_bytes(PEM, PublicFormat.SubjectPublicKeyInfo)),
        *(KEY, "holds no private keys", "leave one"),
    ),
    "certificate inside of the key file": (
        lambda: judge(key=key_pem() + LEAF.pem),
        *(KEY, "holds certificates besides the private key", "to the file in tls_certificate_file"),
    ),
    "certificate file given twice": (
        lambda: judge(key=CHAIN),
        *(KEY, "certificates where the private key belongs", "exchange it .*tls_certificate_file"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_named_with_the_reason_and_the_remedy(case: str) -> None:
    run, file, reason, remedy = WRONG[case]
    (problem,) = run().problems
    assert (problem.input, problem.value) == (file, PATHS[file])
    assert re.search(reason, problem.reason)
    assert re.search(remedy, problem.remedy)


def test_files_in_each_others_place_are_both_named() -> None:
    verdict = judge(key_pem(), CHAIN)
    assert [(problem.input, problem.remedy.split()[0]) for problem in verdict.problems] == [
        (CERTIFICATE, "exchange"),
        (KEY, "exchange"),
    ]


def test_all_that_is_wrong_is_said_at_once() -> None:
    leaf = issue(BASE, INTERMEDIATE, key=rsa_key(1024), names=[BASE], end=-timedelta(days=1))
    reasons = [problem.reason for problem in judge(leaf.pem).problems]
    for part in ("breaks off", "does not cover", "does not belong", "1024 bits", "expired"):
        assert sum(part in reason for reason in reasons) == 1
    assert len(reasons) == 5


def test_a_signature_with_md5_is_refused() -> None:
    leaf = weakly_signed(ISSUED_BY_RSA, rsa_key(), hashes.MD5(), 4)  # the point of it
    verdict = judge(leaf.pem, key_pem(leaf.key), store=RSA_ROOT.pem)
    assert ["signed with MD5 or SHA-1" in problem.reason for problem in verdict.problems] == [True]


def test_a_root_signed_with_sha_1_is_not_trusted_for_its_name() -> None:
    forged = weakly_signed(issue("RSA Root", key=rsa_key(3072), authority=True), rsa_key(3072), hashes.SHA1(), 5)
    (problem,) = judge(issue(BASE, forged).pem + forged.pem, store=RSA_ROOT.pem + ROOT.pem).problems
    assert '"RSA Root", which is not in tls/roots.pem' in problem.reason


def test_a_trusted_root_may_be_signed_with_sha_1() -> None:
    root = weakly_signed(RSA_ROOT, rsa_key(), hashes.SHA1(), 5)  # as public roots are
    assert judge(ISSUED_BY_RSA.pem + root.pem, key_pem(ISSUED_BY_RSA.key), store=root.pem).problems == []


@pytest.mark.parametrize(("days", "warned"), [(29, True), (30, False), (31, False), (1, True)])
def test_a_certificate_that_ends_soon_is_a_warning(days: int, warned: bool) -> None:
    verdict = judge(leaf_with(end=timedelta(days=days)))
    assert verdict.problems == []
    assert [warning.value for warning in verdict.warnings] == ["tls/fullchain.pem"] * warned
    assert all(f'"dash.example.com" expires in {days} days, on 2027-03-' in it.reason for it in verdict.warnings)


def test_an_intermediate_that_ends_soon_is_a_warning_too() -> None:
    short = issue("Short Intermediate", ROOT, authority=True, end=timedelta(days=3))
    (warning,) = judge(issue(BASE, short).pem + short.pem).warnings
    assert '"Short Intermediate" expires in 3 days' in warning.reason


def test_the_days_of_the_warning_are_the_callers() -> None:
    assert judge(leaf_with(end=timedelta(days=29)), warning_days=10).warnings == []
    assert len(judge(leaf_with(end=timedelta(days=31)), warning_days=32).warnings) == 1


LONG_AGO = -timedelta(days=900)
OLD_ROOT = issue("Old Root", authority=True, start=LONG_AGO, end=-timedelta(days=500))


@pytest.mark.parametrize("days", [-500, 3])
def test_a_cross_signed_root_that_ends_is_to_be_left_out(days: int) -> None:
    crossed = issue(
        "Test Root", OLD_ROOT, key=ROOT.key, authority=True, start=-timedelta(days=900), end=timedelta(days)
    )
    verdict = judge(CHAIN + crossed.pem)
    (found,) = verdict.problems or verdict.warnings
    assert bool(verdict.problems) == (days < 0)
    assert '"Test Root" expire' in found.reason
    assert found.remedy == "leave certificate 3 out: the others lead to a trusted root"


def test_the_old_root_behind_it_is_to_be_left_out_too() -> None:
    crossed = issue("Test Root", OLD_ROOT, key=ROOT.key, authority=True)
    verdict = judge(CHAIN + crossed.pem + OLD_ROOT.pem)
    assert [problem.remedy[:25] for problem in verdict.problems] == ["leave certificate 4 out: "]


def test_a_trusted_root_that_ended_does_not_do_without_the_others() -> None:
    ended = issue("Ended Root", authority=True, end=-timedelta(days=1))
    verdict = judge(issue(BASE, ended).pem + ended.pem, store=ended.pem)
    assert any("renew it" in problem.remedy for problem in verdict.problems)


def test_an_expired_certificate_is_not_warned_about_besides() -> None:
    assert judge(leaf_with(end=-timedelta(days=1))).warnings == []


def test_without_a_trust_store_only_public_roots_count() -> None:
    chain, key = GivenFile(CERTIFICATE, "chain.pem", CHAIN + ROOT.pem), GivenFile(KEY, "key.pem", key_pem())
    (problem,) = check_tls(chain, key, BASE, at=NOW).problems
    assert '"Test Root", which is not in the public trust store' in problem.reason


def test_the_public_roots_are_read_without_warnings(recwarn: pytest.WarningsRecorder) -> None:
    public_roots.cache_clear()
    roots = public_roots()
    assert not isinstance(roots, Problem)
    assert len(roots) > 100
    assert not recwarn.list


def test_the_six_prefixes_are_joined_with_a_hyphen() -> None:
    assert HOST_PREFIXES == ("api", "ws", "git", "registry", "auth", "admin")
    assert host_names("d.example.com")[:2] == ["d.example.com", "api-d.example.com"]


def test_names_out_of_a_certificate_cannot_write_to_a_terminal() -> None:
    leaf = issue("evil\n\x1b[31mname\u202e", INTERMEDIATE)
    (problem,) = judge(leaf.pem, key_pem(leaf.key)).problems
    assert '"evil??[31mname?" is signed by' in problem.reason
    long = issue(BASE, INTERMEDIATE, names=[".".join(["a" * 60] * 4)] * 50)
    assert len(judge(under_root(long)).problems[0].reason) < 1500


def test_a_path_is_quoted_in_commands() -> None:
    key = GivenFile(KEY, "my keys/k;rm.pem", key_pem(encryption=SECRET))
    (problem,) = check_tls(GivenFile(CERTIFICATE, "c", CHAIN), key, BASE, at=NOW, trust_store=None).problems[:1]
    assert "-in 'my keys/k;rm.pem' -out 'my keys/k;rm.decrypted.pem'" in problem.remedy


@pytest.mark.skipif(which("openssl") is None, reason="the commands are those of OpenSSL")
def test_the_commands_of_the_remedies_mend_the_files(tmp_path: Path) -> None:
    chain, key = tmp_path / "chain.der", tmp_path / "key.pem"
    chain.write_bytes(issue(BASE, ROOT, key=LEAF.key).der)
    key.write_bytes(key_pem(encryption=SECRET))

    def verdict(chain: Path, key: Path) -> Verdict:
        files = GivenFile(CERTIFICATE, str(chain), chain.read_bytes()), GivenFile(KEY, str(key), key.read_bytes())
        return check_tls(*files, BASE, at=NOW, trust_store=GivenFile(STORE, "roots.pem", ROOT.pem))

    for problem, more in zip(verdict(chain, key).problems, ("", " -passin pass:swordfish"), strict=True):
        (command,) = re.findall(r"openssl (?:x509|pkey) .*? -out \S+", problem.remedy)
        subprocess.run(command + more, shell=True, check=True, capture_output=True)
    assert verdict(tmp_path / "chain.converted.pem", tmp_path / "key.decrypted.pem") == Verdict([], [])


def fragments(content: bytes) -> set[str]:
    """Every 12 letters of a key file's base64, and of its bytes in hexadecimal: nobody writes these by chance."""
    lines = [line for line in content.decode("latin-1").splitlines() if "-" not in line and ":" not in line]
    texts = ["".join(lines), content.hex()]
    return {text[start : start + 12] for text in texts for start in range(len(text) - 11)}


def test_no_message_holds_anything_of_a_key() -> None:
    forms = [(PKCS8, None), (PKCS8, SECRET), (TRADITIONAL, None), (TRADITIONAL, SECRET), (OPENSSH, None)]
    keys = [key_pem(LEAF.key, form, encryption) for form, encryption in forms]
    keys += [openssh_encrypted(), key_pem(OTHER.key), LEAF.key.private_bytes(DER, PKCS8, NoEncryption())]
    keys += [key_pem().replace(b"MI", b"AA", 1), key_pem()[:-30], b"x " + key_pem()]
    for key in keys:
        for verdict in (judge(key=key), judge(key), judge(CHAIN + key), judge(key, CHAIN), judge(key=key + CHAIN)):
            said = str(verdict) + "".join(map(str, verdict.problems))
            assert not [part for part in fragments(key) if part in said]


def test_a_given_file_does_not_show_its_content() -> None:
    assert "PRIVATE" not in repr(GivenFile(KEY, "key.pem", key_pem()))


@pytest.mark.parametrize("position", range(0, 1400, 50))
def test_damage_anywhere_is_a_verdict_and_never_an_exception(position: int) -> None:
    for content in (LEAF.der, INTERMEDIATE.der):
        damaged = bytearray(content)
        damaged[position % len(damaged)] ^= 0x55
        pem = framed("CERTIFICATE", encodebytes(damaged).decode())
        assert judge(pem + INTERMEDIATE.pem).problems
        assert judge(LEAF.pem + pem).problems
