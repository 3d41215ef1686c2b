"""The TLS preflight: what would fail at installation, or in every browser after it, said beforehand. Pure.

One file holds one chain: the server's certificate, the intermediates, and the root or not (clients have it).
Messages hold names and dates of certificates, which are public, and nothing of a key.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, PolicyBuilder, Store, VerificationError

from .files import GivenFile
from .host_names import host_names
from .pem import UNREADABLE, public_roots, read_certificates, read_private_key, read_trust_store
from .problems import Problem

SMALLEST_RSA_KEY = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_WEAK_HASHES = ("md5", "sha1")
_STRONGER = "order a new one with RSA 2048 or EC P-256, signed with SHA-256"
_RENEW = "renew it, and put the new chain here"
_WITHOUT = "the others lead to a trusted root"

Chain = list[x509.Certificate]


class Verdict(NamedTuple):
    """Problems stop an installation, warnings do not."""

    problems: list[Problem]
    warnings: list[Problem]


def check_tls(
    certificate: GivenFile,
    private_key: GivenFile,
    base_domain: str,
    *,
    at: datetime,
    warning_days: int = 30,
    trust_store: GivenFile | None = None,
) -> Verdict:
    """Judge a chain and its key for that base domain at that (aware) time.

    `trust_store` holds the trusted roots as PEM; without one they are those that browsers trust.
    """
    chain = read_certificates(certificate, private_key.input)
    key = read_private_key(private_key, certificate.input)
    roots = read_trust_store(trust_store) if trust_store else public_roots()
    problems = [found for found in (chain, key, roots) if isinstance(found, Problem)]
    if isinstance(chain, Problem) or isinstance(roots, Problem):
        return Verdict(problems, [])
    leaf = _leaf(certificate, chain)
    if isinstance(leaf, Problem):
        problems.append(leaf)
    else:
        problems += _chain(certificate, leaf, chain, roots, trust_store)
        problems += _purpose(certificate, leaf)
        problems += _names(certificate, leaf, base_domain)
        if not isinstance(key, Problem) and key.public_key() != leaf.public_key():
            reason = f"does not belong to {_called(leaf)}, the server's certificate in {certificate.path}"
            problems.append(private_key.problem(reason, "name the key with which that certificate was ordered"))
    unneeded = _unneeded(leaf, chain, roots, at) if isinstance(leaf, x509.Certificate) else []
    without = {one: f"leave certificate {chain.index(one) + 1} out: {_WITHOUT}" for one in unneeded}
    for one in chain:
        problems += _strength(certificate, one, without.get(one, _STRONGER))
        problems += _validity(certificate, one, at, without.get(one, _RENEW))
    if not problems and isinstance(leaf, x509.Certificate):  # what is left is rare: path lengths, name constraints
        problems += _verified(certificate, leaf, chain, roots, base_domain, at)
    return Verdict(problems, list(_expiring(certificate, chain, at, warning_days, without)))


def _leaf(file: GivenFile, chain: Chain) -> x509.Certificate | Problem:
    """The server's certificate: the one that is no authority's."""
    leaves = [one for one in chain if not _is_authority(one, chain)]
    if not leaves and len(chain) == 1 and _signed(chain[0], chain[0]):
        return chain[0]  # what `openssl req -x509` makes calls itself an authority
    if len(leaves) == 1:
        return leaves[0]
    if leaves:
        reason = f"holds {len(leaves)} server certificates ({_listed(leaves)}), and Dash Enterprise takes one"
        return file.problem(reason, "keep the one that covers every name, with the chain behind it")
    return file.problem(f"holds only certificates of authorities ({_listed(chain)})", "put the server's in front")


def _chain(
    file: GivenFile, leaf: x509.Certificate, chain: Chain, roots: Chain, trust_store: GivenFile | None
) -> Iterator[Problem]:
    path = _path(leaf, chain)
    last, strangers = path[-1], [one for one in chain if one not in path]
    order = ", ".join(f"{_called(one)} (now number {chain.index(one) + 1})" for one in path)
    store = trust_store.path if trust_store else "the public trust store"
    if _signed(leaf, leaf):
        reason = f"{_called(leaf)} is self-signed, which Dash Enterprise does not support"
        yield file.problem(reason, "order a certificate from a public authority")
    elif any(_signed(one, root) for one in path for root in roots):
        if strangers:
            reason = f"holds certificates that are no part of the chain: {_listed(strangers)}"
            yield file.problem(reason, f"leave them out and keep, in this order: {order}")
    elif _signed(last, last):
        reason = f"the chain ends at {_called(last)}, which is not in {store}: internal authorities are not supported"
        yield file.problem(reason, "order a certificate from a public authority")
    else:
        issuer = _shown(last.issuer)
        reason = f"the chain breaks off: {_called(last)} is signed by {issuer}, neither in the file nor in {store}"
        remedy = f"add the certificate of {issuer} behind it{_published_at(last)}; internal authorities do not do"
        yield file.problem(reason, remedy)
    if not strangers and path != chain:
        reason = f"its certificates are in the wrong order ({_listed(chain)}): each must be signed by the next"
        yield file.problem(reason, f"concatenate them in this order: {order}")


def _path(leaf: x509.Certificate, chain: Chain) -> Chain:
    """The certificates from the server's on, each signed by the next."""
    path = [leaf]
    while following := next((one for one in chain if one not in path and _signed(path[-1], one)), None):
        path.append(following)
    return path


def _is_authority(certificate: x509.Certificate, chain: Chain) -> bool:
    try:
        if certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return True
    except x509.ExtensionNotFound:
        pass  # not all say so; they show by what they signed
    return any(_signed(other, certificate) for other in chain if other != certificate)


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    if _is_weakly_signed(certificate):  # nobody verifies that: a problem of its own, or a root's
        return certificate == by if certificate.issuer == certificate.subject else certificate.issuer == by.subject
    try:
        certificate.verify_directly_issued_by(by)
    except (*UNREADABLE, InvalidSignature):
        return False
    return True


def _is_weakly_signed(certificate: x509.Certificate) -> bool:
    used = certificate.signature_hash_algorithm
    return used is not None and used.name in _WEAK_HASHES


def _strength(file: GivenFile, certificate: x509.Certificate, remedy: str) -> Iterator[Problem]:
    key, found = certificate.public_key(), ""
    if isinstance(key, rsa.RSAPublicKey):
        found = f"an RSA key of {key.key_size} bits" if key.key_size < SMALLEST_RSA_KEY else ""
    elif not isinstance(key, ec.EllipticCurvePublicKey):
        found = f"a kind of key that browsers do not take ({type(key).__name__.removesuffix('PublicKey')})"
    elif not isinstance(key.curve, _CURVES):
        found = f"a key on the curve {key.curve.name}, which browsers do not take"
    if found:
        yield file.problem(f"{_called(certificate)} has {found}", remedy)
    if _is_weakly_signed(certificate) and certificate.issuer != certificate.subject:
        yield file.problem(f"{_called(certificate)} is signed with MD5 or SHA-1, which browsers refuse", remedy)


def _unneeded(leaf: x509.Certificate, chain: Chain, roots: Chain, at: datetime) -> Chain:
    """Certificates without which the chain is as good: those behind the one that a trusted root signed, such as that
    root itself signed by an older one ("cross-signed") for clients that know no other, and those of no chain at all."""
    path = _path(leaf, chain)
    valid = [root for root in roots if root.not_valid_after_utc > at]
    anchored = next((place for place, one in enumerate(path) if any(_signed(one, root) for root in valid)), None)
    return [] if anchored is None else [one for one in chain if one not in path[: anchored + 1]]


def _validity(file: GivenFile, certificate: x509.Certificate, at: datetime, remedy: str) -> Iterator[Problem]:
    if certificate.not_valid_after_utc <= at:
        reason = f"{_called(certificate)} expired on {_date(certificate.not_valid_after_utc)}"
        yield file.problem(reason, remedy)
    elif certificate.not_valid_before_utc > at:
        reason = f"{_called(certificate)} is not valid before {_date(certificate.not_valid_before_utc)}"
        yield file.problem(reason, "wait until then, or check the clock of this machine")


def _expiring(
    file: GivenFile, chain: Chain, at: datetime, warning_days: int, without: Mapping[x509.Certificate, str]
) -> Iterator[Problem]:
    for one in chain:
        left = one.not_valid_after_utc - at
        if timedelta(0) < left < timedelta(days=warning_days):
            reason = f"{_called(one)} expires in {left.days} days, on {_date(one.not_valid_after_utc)}"
            yield file.problem(reason, without.get(one, _RENEW))


def _purpose(file: GivenFile, leaf: x509.Certificate) -> Iterator[Problem]:
    try:
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return  # no restriction
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE} & set(purposes):
        yield file.problem(f"{_called(leaf)} is not made for servers", "order one with extended key usage serverAuth")


def _names(file: GivenFile, leaf: x509.Certificate, base_domain: str) -> Iterator[Problem]:
    try:
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = alternatives.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = list[str]()  # browsers do not look at the common name
    missing = [host for host in host_names(base_domain) if not any(_covers(name, host) for name in names)]
    if missing:
        listed = ", ".join(map(_clean, names[:10])) + (" ..." if len(names) > 10 else "")
        reason = f"{_called(leaf)} does not cover {', '.join(missing)}; its alternative names: {listed or 'none'}"
        if f"*.{base_domain}" in map(str.lower, names):
            reason += f" (*.{base_domain} covers names joined with a dot; these are joined with a hyphen)"
        parent = base_domain.partition(".")[2]
        wildcard = f"*.{parent}, or for " if "." in parent else ""
        yield file.problem(reason, f"order one certificate for {wildcard}all of {', '.join(host_names(base_domain))}")


def _covers(name: str, host: str) -> bool:
    """RFC 6125: a wildcard is the whole leftmost label and stands for exactly one. None covers a top-level domain."""
    first, _, rest = name.lower().partition(".")
    if first == "*":
        return "." in rest and rest == host.lower().partition(".")[2]
    return name.lower() == host.lower()


def _verified(
    file: GivenFile, leaf: x509.Certificate, chain: Chain, roots: Chain, base_domain: str, at: datetime
) -> Iterator[Problem]:
    """The last word has a whole verifier, eased where it asks for more than browsers do."""
    eased, either = ExtensionPolicy.permit_all(), Criticality.AGNOSTIC
    authorities = eased.require_present(x509.BasicConstraints, either, None)
    servers = eased.require_present(x509.SubjectAlternativeName, either, None)
    builder = PolicyBuilder().store(Store(roots)).time(at).extension_policies(ca_policy=authorities, ee_policy=servers)
    for host in host_names(base_domain):
        try:
            builder.build_server_verifier(x509.DNSName(host)).verify(leaf, [one for one in chain if one != leaf])
        except VerificationError as error:
            reason = f"clients would refuse it for {host} ({_clean(str(error).partition(' (encountered')[0])})"
            yield file.problem(reason, "show this to the authority that issued it, and order a new one")
            return


def _published_at(certificate: x509.Certificate) -> str:
    """Where the authority offers its own certificate, if this one says so."""
    try:
        places = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    except x509.ExtensionNotFound:
        return ""
    urls = [it.access_location for it in places if it.access_method == AuthorityInformationAccessOID.CA_ISSUERS]
    http = [it.value for it in urls if isinstance(it, x509.UniformResourceIdentifier)]
    return f" (in DER at {_clean(http[0])})" if http else ""


def _listed(certificates: Chain) -> str:
    return ", ".join(map(_called, certificates))


def _called(certificate: x509.Certificate) -> str:
    return _shown(certificate.subject)


def _shown(name: x509.Name) -> str:
    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return f'"{_clean(str(common[0].value) if common else name.rfc4514_string()) or "without a name"}"'


def _clean(text: str) -> str:
    """Of somebody else's making: no line breaks, no terminal codes, no novels."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:100])


def _date(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
