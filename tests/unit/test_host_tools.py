"""Pins of the bootstrap host's tools, overrides of them, and what is wrong with an override."""

import re
from urllib.parse import urlsplit

import pytest

from eks_analytics.host_tools import (
    REDIRECTS,
    SUPPORTING_SOFTWARE,
    ToolArgs,
    host_tools,
    installed,
    tool_problems,
    unproven,
    urls,
)
from eks_analytics.versions import RELEASES

DIGEST = "0123456789abcdef" * 4
ORDER = ["aws-cli", "kubectl", "eksctl", "istioctl", "helm", "kots", "cert-manager"]


def problem(*overrides: ToolArgs, supporting_software: tuple[str, ...] = ()) -> str:
    (found,) = tool_problems(overrides, supporting_software)
    return str(found)


def test_the_aws_cli_comes_first_so_that_every_later_failure_can_be_reported() -> None:
    assert [tool.name for tool in host_tools("1.35")] == ORDER


@pytest.mark.parametrize("kubernetes_version", RELEASES)
def test_kubectl_is_of_the_minor_version_of_every_cluster(kubernetes_version: str) -> None:
    kubectl = host_tools(kubernetes_version)[1]
    assert kubectl.version.startswith(f"{kubernetes_version}.")
    assert kubectl.url == f"https://dl.k8s.io/release/v{kubectl.version}/bin/linux/amd64/kubectl"


def test_every_download_is_pinned_and_has_a_proof() -> None:
    for tool in host_tools("1.35"):
        assert re.fullmatch(r"\d+\.\d+\.\d+", tool.version), tool
        assert tool.version in tool.url
        assert "{" not in tool.url + tool.proof
        assert re.fullmatch(r"[0-9a-f]{64}", tool.proof) or tool.version in tool.proof
        assert " " not in "".join((tool.name, tool.url, tool.proof, tool.member, tool.target))


def test_the_plug_in_of_kubectl_has_the_name_that_kubectl_looks_for() -> None:
    kots = host_tools("1.35")[5]
    assert (kots.member, kots.target) == ("kots", "/usr/local/bin/kubectl-kots")
    assert kots.proof.endswith(f"/v{kots.version}/kots_{kots.version}_checksums.txt")


def test_another_version_is_verified_with_its_own_checksum() -> None:
    (helm,) = [tool for tool in host_tools("1.35", [{"name": "helm", "version": "3.20.1"}]) if tool.name == "helm"]
    assert helm.url == "https://get.helm.sh/helm-v3.20.1-linux-amd64.tar.gz"
    assert helm.proof == f"{helm.url}.sha256sum"


def test_a_given_digest_wins_over_the_published_one() -> None:
    aws_cli = host_tools("1.35", [{"name": "aws-cli", "sha256": DIGEST}])[0]
    assert aws_cli.proof == DIGEST
    assert aws_cli.version == host_tools("1.35")[0].version


def test_the_manifest_of_cert_manager_is_fetched_only_where_it_is_asked_for() -> None:
    tools = host_tools("1.35")
    assert [tool.name for tool in installed(tools, [])] == ORDER[:-1]
    assert [tool.name for tool in installed(tools, ["istio"])] == ORDER[:-1]
    assert [tool.name for tool in installed(tools, ["cert-manager"])] == ORDER


def test_the_urls_hold_checksum_files_and_signatures_and_no_digest() -> None:
    found = urls(host_tools("1.35", [{"name": "kots", "sha256": DIGEST}]), SUPPORTING_SOFTWARE)
    assert all(url.startswith("https://") for url in found)
    assert {urlsplit(url).hostname for url in found} == {
        "awscli.amazonaws.com",
        "dl.k8s.io",
        "get.helm.sh",
        "github.com",
    }
    assert sum(url.endswith(".zip.sig") for url in found) == 1
    assert not any("kots" in url and "checksums" in url for url in found)
    assert sum(url.endswith("/cert-manager.yaml") for url in found) == 1
    assert len(found) == len(ORDER) + len({"aws-cli", "eksctl"})


@pytest.mark.parametrize("kubernetes_version", RELEASES)
def test_what_a_second_source_states_is_pinned_and_the_rest_is_known(kubernetes_version: str) -> None:
    unpinned = {tool.name for tool in unproven(host_tools(kubernetes_version))}
    assert unpinned == ({"eksctl", "kots", "kubectl"} if kubernetes_version == "1.33" else {"eksctl", "kots"})


def test_a_digest_belongs_to_one_version() -> None:
    pinned = {tool.name: tool for tool in host_tools("1.35")}
    for name in ("istioctl", "helm"):
        (other,) = [tool for tool in host_tools("1.35", [{"name": name, "version": "1.2.3"}]) if tool.name == name]
        assert re.fullmatch(r"[0-9a-f]{64}", pinned[name].proof)
        assert other.proof.startswith("https://")
        assert other in unproven([other])


def test_a_digest_of_your_own_proves_a_tool() -> None:
    given: list[ToolArgs] = [{"name": "eksctl", "sha256": DIGEST}, {"name": "kots", "sha256": DIGEST}]
    assert unproven(host_tools("1.35", given)) == []


def test_hosts_that_redirect_are_among_those_that_are_asked() -> None:
    hosts = {urlsplit(url).hostname for url in urls(host_tools("1.35"), ())}
    assert set(REDIRECTS) <= hosts


def test_right_overrides_have_no_problems() -> None:
    overrides: list[ToolArgs] = [
        {"name": "kots", "version": "1.130.4"},
        {"name": "kubectl", "sha256": DIGEST},
        {"name": "cert-manager", "version": "1.20.2", "sha256": DIGEST},
    ]
    assert list(tool_problems(overrides, SUPPORTING_SOFTWARE)) == []


def test_a_misspelled_tool_is_named_with_the_nearest_one() -> None:
    assert 'did you mean "eksctl"?' in problem({"name": "ekctl", "version": "0.231.0"})


def test_a_version_with_a_v_is_refused_with_an_example() -> None:
    assert 'write it without "v", like 3.' in problem({"name": "helm", "version": "v3.21.4"})
    assert 'write it without "v", like 1.' in problem({"name": "kubectl", "version": "latest"})


@pytest.mark.parametrize("sha256", [DIGEST.upper(), DIGEST[:-1], "sha256:" + DIGEST])
def test_a_digest_of_another_form_is_refused(sha256: str) -> None:
    assert "64 digits, lower case" in problem({"name": "helm", "sha256": sha256})


def test_an_override_of_nothing_is_refused() -> None:
    assert "neither a version nor a digest" in problem({"name": "helm"})


def test_a_tool_is_overridden_once() -> None:
    again: ToolArgs = {"name": "helm", "version": "3.20.1"}
    assert "is there more than once" in problem(again, again)


def test_another_cert_manager_needs_a_digest_and_is_told_how_to_make_it() -> None:
    found = problem({"name": "cert-manager", "version": "1.20.2"})
    url = "https://github.com/cert-manager/cert-manager/releases/download/v1.20.2/cert-manager.yaml"
    assert f"curl -fsSL {url} | sha256sum" in found


def test_unknown_supporting_software_is_refused_with_the_choices() -> None:
    assert "choose from cert-manager, istio" in problem(supporting_software=("linkerd",))
    assert "is there more than once" in problem(supporting_software=("istio", "istio"))
