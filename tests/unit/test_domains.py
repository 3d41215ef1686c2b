from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks_analytics.domains import (
    ALL_PHASES,
    MOST_DOMAINS,
    Domain,
    allowed_domains,
    allows,
    as_rows,
    domain_problems,
    names,
    vendor_domains,
)
from eks_analytics.host_names import host_names
from eks_analytics.host_tools import REDIRECTS, SUPPORTING_SOFTWARE, host_tools, urls
from eks_analytics.partitions import dns_suffix
from eks_analytics.versions import RELEASES

BASE = "dash.example.com"
VENDOR = vendor_domains(BASE)
ALLOWED = allowed_domains(BASE, "us-east-2")
REGIONS = ["us-east-1", "us-east-2", "eu-central-1", "us-gov-west-1", "cn-north-1"]
INSTALL_AND_UPGRADE = ("installation", "upgrade")

# As the vendor's guide prints them.
GUIDE_OF_THE_HOST = [
    "awscli.amazonaws.com",
    "github.com",
    "dl.k8s.io",
    "install.istio.io",
    "kots.io",
    "ubuntu.com",
    "launchpad.net",
]
GUIDE_OF_THE_CLUSTER: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "replicated.com": ((443,), (*INSTALL_AND_UPGRADE, "license validation")),
    "proxy.replicated.com": ((443,), INSTALL_AND_UPGRADE),
    "registry.opensource.zalan.do": ((443,), INSTALL_AND_UPGRADE),
    "ghcr.io": ((443,), INSTALL_AND_UPGRADE),
    "gcr.io": ((443,), INSTALL_AND_UPGRADE),
    "docker.io": ((443,), INSTALL_AND_UPGRADE),
    "quay.io": ((443,), INSTALL_AND_UPGRADE),
    "pypi.org": ((443,), ("run time",)),
    "anaconda.org": ((443,), ("run time",)),
    "*.ubuntu.com": ((443, 80), ("run time",)),
    "*.launchpad.net": ((443,), ("run time",)),
    f"*.{BASE}": ((443,), ("run time",)),
}
# What the listed hosts send their clients on to, as seen in practice.
REDIRECTED = [
    "registry-1.docker.io",
    "auth.docker.io",
    "production.cloudflare.docker.com",
    "production.cloudfront.docker.com",
    "docker-images-prod.6aa30f8b08e16409b46e0173d6de2f56.r2.cloudflarestorage.com",
    "docker-images-prod.s3.dualstack.us-east-2.amazonaws.com",
    "pkg-containers.githubusercontent.com",
    "storage.googleapis.com",
    "us-west2-docker.pkg.dev",
    "cdn01.quay.io",
    "quayio-production-s3.s3.amazonaws.com",
    "release-assets.githubusercontent.com",
    "objects.githubusercontent.com",
    "cdn.dl.k8s.io",
    "files.pythonhosted.org",
    "conda.anaconda.org",
    "api.anaconda.org",
    "binstar-cio-packages-prod.s3.amazonaws.com",
    "replicated.app",
    "registry.replicated.com",
    "ppa.launchpadcontent.net",
    "d5l0dvt14r5h8.cloudfront.net",
]


# The vendor's lists


def test_the_vendors_lists_are_kept_as_printed() -> None:
    host = [one for one in VENDOR if one.used_by == "host"]
    cluster = [one for one in VENDOR if one.used_by == "cluster"]
    assert [one.name for one in host] == GUIDE_OF_THE_HOST
    assert {(one.ports, one.phases) for one in host} == {((443,), ("installation",))}
    assert {one.name: (one.ports, one.phases) for one in cluster} == GUIDE_OF_THE_CLUSTER
    assert len(VENDOR) == 7 + 12


def test_every_vendor_row_stays_in_the_whole_list_unchanged_and_first() -> None:
    assert ALLOWED[: len(VENDOR)] == VENDOR
    assert {one.source for one in ALLOWED[len(VENDOR) :]} == {"ours"}


@pytest.mark.parametrize("host", [*host_names(BASE), *REDIRECTED, "get.helm.sh", "sts.us-east-2.amazonaws.com"])
def test_taken_literally_the_vendors_lists_would_block_the_product(host: str) -> None:
    assert not allows(VENDOR, host)
    assert allows(ALLOWED, host)


# Ours


@pytest.mark.parametrize("version", sorted(RELEASES))
def test_every_url_of_first_boot_and_where_it_leads_is_allowed(version: str) -> None:
    hosts = [urlsplit(url).hostname or "" for url in urls(host_tools(version), SUPPORTING_SOFTWARE)]
    hosts += [target for host in set(hosts) for target in REDIRECTS.get(host, ())]
    assert len(hosts) > 10
    assert [host for host in hosts if not allows(ALLOWED, host)] == []


@pytest.mark.parametrize("region", REGIONS)
def test_every_endpoint_of_aws_that_a_cluster_needs_is_allowed_in_every_partition(region: str) -> None:
    suffix, allowed = dns_suffix(region), allowed_domains(BASE, region)
    dual_stack = "api.amazonwebservices.com.cn" if region.startswith("cn-") else "api.aws"
    internal = "ec2.internal" if region == "us-east-1" else f"{region}.compute.internal"
    for host in (
        f"ec2.{region}.{suffix}",
        f"602401143452.dkr.ecr.{region}.{suffix}",
        f"api.ecr.{region}.{suffix}",
        f"prod-{region}-starport-layer-bucket.s3.{region}.{suffix}",
        f"s3.dualstack.{region}.{suffix}",
        f"ssmmessages.{region}.{suffix}",
        f"secretsmanager.{region}.{suffix}",
        f"eks-auth.{region}.{dual_stack}",
        f"0123456789ABCDEF0123456789ABCDEF.gr7.{region}.eks.{suffix}",
        f"sts.{suffix}",
        "public.ecr.aws",
        f"ip-10-0-0-1.{internal}",
        f"quay.io.{internal}",
        "1.0.0.10.in-addr.arpa",
        f"{region}.ec2.archive.ubuntu.com",
        "security.ubuntu.com",
        "esm.ubuntu.com",
        "api.snapcraft.io",
        "cloudfront.cdn.snapcraftcontent.com",
    ):
        assert allows(allowed, host), host


def test_for_each_listed_host_its_apex_and_all_names_below_are_allowed() -> None:
    for one in VENDOR:
        apex = one.name.removeprefix("*.")
        assert allows(ALLOWED, apex), one.name
        assert allows(ALLOWED, f"cdn.{apex}"), one.name


def test_each_of_ours_says_why_and_vendor_rows_need_not() -> None:
    assert [one.name for one in ALLOWED if one.source == "ours" and not one.reason] == []
    assert {one.reason for one in VENDOR} == {""}
    assert all(one.purpose and one.ports and set(one.phases) <= set(ALL_PHASES) for one in ALLOWED)


def test_the_host_gets_its_packages_over_http_too() -> None:
    (row,) = [one for one in ALLOWED if one.name == "*.ubuntu.com" and one.used_by == "host"]
    assert row.ports == (443, 80)


def test_no_row_is_there_twice() -> None:
    keys = [(one.name, one.used_by) for one in ALLOWED]
    assert len(keys) == len(set(keys))
    assert not [name for name, used_by in keys if used_by != "both" and (name, "both") in keys]


@pytest.mark.parametrize("host", ["example.org", "example.com", "evil.com", "notquay.io", "amazonaws.com", "github.io"])
def test_what_nobody_asked_for_is_not_allowed(host: str) -> None:
    assert not allows(ALLOWED, host)


# As DNS Firewall reads it


@pytest.mark.parametrize(
    ("name", "host", "allowed"),
    [
        ("quay.io", "quay.io", True),
        ("quay.io", "QUAY.IO.", True),
        ("quay.io", "cdn.quay.io", False),
        ("quay.io", "notquay.io", False),
        ("*.quay.io", "cdn.quay.io", True),
        ("*.quay.io", "a.b.quay.io", True),
        ("*.quay.io", "quay.io", False),
        ("*.quay.io", "cdn.notquay.io", False),
    ],
)
def test_a_wildcard_covers_what_lies_below_its_name_and_not_the_name(name: str, host: str, allowed: bool) -> None:
    assert allows([Domain(name, (443,), "", (), "both", "added")], host) is allowed


@pytest.mark.parametrize("region", REGIONS)
def test_the_list_is_one_that_dns_firewall_takes(region: str) -> None:
    listed = names(allowed_domains(BASE, region))
    assert listed == sorted(set(listed))
    assert list(domain_problems(listed, len(listed))) == []
    assert len(listed) < MOST_DOMAINS / 4  # there is room for many of a user's own


# Rows


def test_rows_are_text_only_and_say_everything() -> None:
    rows = as_rows(ALLOWED)
    assert len(rows) == len(ALLOWED)
    (row,) = [row for row in rows if row["name"] == "*.ubuntu.com" and row["source"] == "vendor"]
    assert row == {
        "name": "*.ubuntu.com",
        "ports": "443, 80",
        "purpose": "APT packages of Dash apps",
        "phases": "run time",
        "used_by": "cluster",
        "source": "vendor",
        "reason": "",
    }


# Additional names


def test_additional_names_are_allowed_and_marked_as_such() -> None:
    found = allowed_domains(BASE, "us-east-2", extra=["example.org", "*.example.net", "quay.io"])
    assert allows(found, "example.org")
    assert allows(found, "a.example.net")
    assert [one.name for one in found if one.source == "added"] == ["example.org", "*.example.net", "quay.io"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("*", "lets every name through"),
        ("https://example.org", "is no domain name"),
        ("example.org:443", "is no domain name"),
        ("example.org.", "is no domain name"),
        ("Example.org", "lower case"),
        ("*example.org", "is no domain name"),
        ("a.*.example.org", "is no domain name"),
        ("-a.example.org", "is no domain name"),
        (f"{'a' * 64}.org", "is no domain name"),
        (".".join(["a" * 60] * 5), "is no domain name"),
        ("10.0.0.0/8", "is no domain name"),
        ("", "is no domain name"),
    ],
)
def test_an_additional_name_that_is_none_is_refused(name: str, said: str) -> None:
    (problem,) = domain_problems([name], 100)
    assert (problem.input, problem.value) == ("additional_domains", name)
    assert said in problem.reason


def test_more_names_than_one_update_takes_are_refused() -> None:
    assert list(domain_problems(["a.org"], MOST_DOMAINS)) == []
    (problem,) = domain_problems(["a.org"], MOST_DOMAINS + 1)
    assert "1001" in problem.reason


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)


@given(st.lists(LABEL, min_size=2, max_size=4).map(".".join), st.sampled_from(REGIONS), st.data())
def test_all_seven_names_of_any_base_domain_are_allowed_and_a_stranger_is_not(
    base: str, region: str, data: st.DataObject
) -> None:
    found: Any = allowed_domains(base, region)
    assert all(allows(found, host) for host in host_names(base))
    prefix = data.draw(LABEL)
    assert allows(found, f"{prefix}.{base}")
    assert not allows(found, f"stranger-{base}.invalid")
