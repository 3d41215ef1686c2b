"""Licenses that do and do not let an installation through, and files that are no licenses at all."""

from datetime import UTC, datetime, timedelta, timezone
from time import monotonic
from typing import Any

import pytest
import yaml

from eks_analytics.files import LARGEST_FILE, GivenFile
from eks_analytics.license import check_license
from eks_analytics.problems import Problem

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
SLUG = "dash-enterprise"


def license_file(**changes: Any) -> bytes:
    """A license as the vendor's platform writes it; `expires_at=None` leaves that entitlement out."""
    expires_at = changes.pop("expires_at", "2027-03-02T00:00:00Z")
    entitlements: dict[str, Any] = {"seats": {"title": "Seats", "value": 25, "valueType": "Integer"}}
    if expires_at is not None:
        entitlements["expires_at"] = {"title": "Expiration", "value": expires_at, "valueType": "String"}
    spec = {"appSlug": SLUG, "licenseID": "confidential-id", "signature": "c2VjcmV0", "entitlements": entitlements}
    document = {"apiVersion": "kots.io/v1beta1", "kind": "License", "metadata": {"name": "acme"}, "spec": spec}
    spec |= {key: value for key, value in changes.items() if key not in document}
    document |= {key: value for key, value in changes.items() if key in document}
    return yaml.safe_dump(document).encode()


def judge(content: bytes, at: datetime = NOW) -> list[Problem]:
    return check_license(GivenFile("license_file", "secrets/license.yaml", content), SLUG, at=at)


RIGHT = {
    "that ends tomorrow": license_file(),
    "of the second format": license_file(apiVersion="kots.io/v1beta2"),
    "without an end": license_file(expires_at=None),
    "with an empty end": license_file(expires_at=""),
    "without entitlements": license_file(entitlements=None),
    "whose end YAML reads as a time": license_file(expires_at=NOW + timedelta(days=1)),
    "whose end is a day": license_file(expires_at="2027-03-02"),
    "whose end is in another time zone": license_file(expires_at="2027-03-01T09:00:00-05:00"),
    "with Windows line ends": license_file().replace(b"\n", b"\r\n"),
    "with a byte order mark": b"\xef\xbb\xbf" + license_file(),
    "behind a document's mark": b"---\n" + license_file(),
    "with letters of every kind": license_file(customerName="Société Générale ☃"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_license_passes(case: str) -> None:
    assert judge(RIGHT[case]) == []


WRONG = {
    "expired": (license_file(expires_at="2027-02-28T00:00:00Z"), "has expired", "renewed license"),
    "expired this second": (license_file(expires_at="2027-03-01T12:00:00Z"), "has expired", "renewed license"),
    "expired by day": (license_file(expires_at="2027-03-01"), "has expired", "renewed license"),
    "expired in another time zone": (license_file(expires_at="2027-03-01T13:00:00+05:00"), "has expired", "renewed"),
    "end that is no date": (license_file(expires_at="confidential"), "expires_at holds no date", "download"),
    "end that is a list": (license_file(expires_at=["2028-01-01"]), "expires_at holds no date", "download"),
    "another product's": (license_file(appSlug="confidential-app"), f"not a license for {SLUG}", f"license for {SLUG}"),
    "no product's": (license_file(appSlug=None), f"not a license for {SLUG}", f"license for {SLUG}"),
    "nothing but a head": (b"apiVersion: kots.io/v1beta1\nkind: License\n", "not a license for", "license for"),
    "spec that is a list": (license_file(spec=["confidential"]), "not a license for", "license for"),
    "another kind": (license_file(kind="Config"), "needs kind License", "vendor sent"),
    "another group": (license_file(apiVersion="v1"), "apiVersion kots.io/v1beta1 or kots.io/v1beta2", "vendor sent"),
    "version of the future": (license_file(apiVersion="kots.io/v1"), "is not a license", "vendor sent"),
    "text": (b"confidential", "is not a license", "vendor sent"),
    "list": (b"- confidential\n- 1\n", "is not a license", "vendor sent"),
    "empty": (b"", "is empty", "holds the license"),
    "white space": (b"\n \t\n", "is empty", "holds the license"),
    "huge": (license_file() + b"#" * LARGEST_FILE, "larger than 65536 bytes", "only the license"),
    "binary": (bytes(range(256)), "is binary", "download"),
    "compressed": (b"\x1f\x8b\x08" + bytes(40), "is binary", "download"),
    "UTF-16": (license_file().decode().encode("utf-16"), "UTF-16", "UTF-8"),
    "no YAML": (b"spec:\n  - a: [confidential\n", "is not one YAML document (line 3)", "download"),
    "control characters": (b"a: confidential\x07", "is not one YAML document", "download"),
    "two documents": (license_file() + b"---\n" + license_file(), "is not one YAML document", "download"),
    "keys that are lists": (b"? [confidential]\n: b\n", "is not one YAML document", "download"),
    "Python object": (b"!!python/object/apply:os.system ['confidential']", "is not a license", "vendor sent"),
    "alias": (b"a: &a confidential\nb: *a\n", "aliases or deep nesting", "download"),
    "alias of itself": (b"&a [*a]", "aliases or deep nesting", "download"),
    "billion laughs": (
        b"a0: &a0 [confidential]\n"
        + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 9) for n in range(1, 9)),
        *("aliases or deep nesting", "download"),
    ),
    "deep brackets": (b"[" * 60_000, "aliases or deep nesting", "download"),
    "deep braces": (b"{" * 60_000, "aliases or deep nesting", "download"),
    "deep lists": (b"- " * 30_000, "aliases or deep nesting", "download"),
    "deep keys": ("\n".join(" " * depth + "a:" for depth in range(300)).encode(), "deep nesting", "download"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_license_is_named_with_the_reason_and_the_remedy_and_never_quoted(case: str) -> None:
    content, reason, remedy = WRONG[case]
    start = monotonic()
    (problem,) = judge(content)
    assert monotonic() - start < 5
    assert (problem.input, problem.value) == ("license_file", "secrets/license.yaml")
    assert reason in problem.reason
    assert remedy in problem.remedy
    assert "confidential" not in str(problem)


def test_all_that_is_wrong_is_said_at_once() -> None:
    expired, other = judge(license_file(appSlug="other", expires_at="2020-01-01T00:00:00Z"))[::-1]
    assert "expired" in expired.reason
    assert "appSlug" in other.reason


def test_the_clock_is_the_callers() -> None:
    assert judge(license_file(), at=NOW.astimezone(timezone(timedelta(hours=14)))) == []
    assert len(judge(license_file(), at=NOW + timedelta(days=1))) == 1
