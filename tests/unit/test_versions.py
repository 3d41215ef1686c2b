"""The table of Kubernetes releases and pinned add-ons."""

import re
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from eks_analytics import versions


@pytest.mark.parametrize("kubernetes_version", versions.RELEASES)
def test_every_kubernetes_version_pins_every_addon_exactly(kubernetes_version: str) -> None:
    addons = versions.RELEASES[kubernetes_version].addons
    assert tuple(addons) == versions.ADDONS
    assert all(re.fullmatch(r"v\d+\.\d+\.\d+-eksbuild\.\d+", version) for version in addons.values())


@pytest.mark.parametrize("kubernetes_version", versions.RELEASES)
def test_kube_proxy_has_the_minor_version_of_its_cluster(kubernetes_version: str) -> None:
    assert versions.RELEASES[kubernetes_version].addons["kube-proxy"].startswith(f"v{kubernetes_version}.")


@pytest.mark.parametrize("kubernetes_version", versions.RELEASES)
def test_extended_support_ends_a_year_after_standard_support(kubernetes_version: str) -> None:
    release = versions.RELEASES[kubernetes_version]
    assert release.extended_support_ends == release.standard_support_ends.replace(
        year=release.standard_support_ends.year + 1
    )


def test_the_default_version_is_a_known_one() -> None:
    assert versions.DEFAULT_KUBERNETES_VERSION == "1.35"
    assert versions.DEFAULT_KUBERNETES_VERSION in versions.RELEASES


def test_every_pin_stands_under_a_comment_that_renovate_reads() -> None:
    lines = Path(versions.__file__).read_text(encoding="utf-8").splitlines()
    pins = [(before, line) for before, line in pairwise(lines) if "-eksbuild." in line and '": "' in line]
    assert len(pins) == len(versions.RELEASES) * len(versions.ADDONS)
    for comment, pin in pins:
        name = pin.split('"')[1]
        assert re.search(rf'# renovate: aws-eks-addon .*"addonName":"{name}"', comment)


def test_an_override_wins_over_the_pin_and_leaves_the_others() -> None:
    chosen = versions.addon_versions("1.35", {"coredns": "v1.14.3-eksbuild.16"})
    assert chosen["coredns"] == "v1.14.3-eksbuild.16"
    assert chosen["vpc-cni"] == versions.RELEASES["1.35"].addons["vpc-cni"]


def test_only_versions_in_standard_support_are_offered_with_its_end() -> None:
    (problem,) = versions.version_problems("1.25", {}, date(2027, 1, 1))
    assert problem.remedy == (
        'write "1.36" (standard support until 2027-08-02) or "1.35" (standard support until 2027-03-27)'
    )


def test_a_version_that_lost_its_zero_is_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = versions.version_problems("1.3", {}, date(2027, 1, 1))
    assert "is what YAML makes of 1.30 without quotes" in problem.reason
    assert '"1.36"' in problem.remedy
    monkeypatch.setattr(versions, "RELEASES", {**versions.RELEASES, "1.40": versions.RELEASES["1.36"]})
    (problem,) = versions.version_problems("1.4", {})
    assert problem.remedy == 'write it in quotes: "1.40"'


def test_all_version_problems_come_at_once_with_a_remedy() -> None:
    overrides = {"core-dns": "v1.14.3-eksbuild.16", "vpc-cni": "latest"}
    problems = [str(problem) for problem in versions.version_problems("1.25", overrides)]
    assert len(problems) == 3
    assert "1.25" in problems[0]
    assert 'did you mean "coredns"' in problems[1]
    assert "describe-addon-versions" in problems[2]
    assert not list(versions.version_problems("1.35", {"vpc-cni": "v1.23.1-eksbuild.1"}))


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 10, 3), None),
        (date(2026, 10, 4), "ends its standard support on 2026-12-02"),
        (date(2026, 12, 2), "ends its standard support on 2026-12-02"),
        (date(2026, 12, 3), "ended its standard support on 2026-12-02"),
        (date(2027, 12, 2), "may refuse to create it and upgrades"),
        (date(2027, 12, 3), "creates no cluster"),
    ],
)
def test_the_warnings_begin_60_days_before_the_end_of_standard_support(today: date, said: str | None) -> None:
    warning = versions.support_warning("1.34", today)
    if said is None:
        assert warning is None
    else:
        assert warning is not None
        assert said in warning
        assert "2027-12-02" in warning
        assert "1.35" in warning


def test_a_warning_advises_a_version_that_is_supported_for_longer() -> None:
    warning = versions.support_warning("1.35", date(2027, 3, 1))
    assert warning is not None
    assert "Choose 1.36, supported until 2027-08-02" in warning


def test_past_standard_support_the_warning_says_how_to_follow_an_upgrade_by_eks() -> None:
    warning = versions.support_warning("1.33", date(2026, 9, 1))
    assert warning is not None
    assert "upgrade policy STANDARD" in warning
    assert "pulumi refresh" in warning
