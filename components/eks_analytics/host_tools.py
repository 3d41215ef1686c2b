"""The command line tools that the bootstrap host installs: pinned, and how each download is verified. Pure data.

A digest from the settings comes first, then one that a second public source states, then what the vendor publishes
beside the file: that shows a damaged file, not one that was replaced together with its checksum. AWS signs its CLI.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from types import MappingProxyType
from typing import NotRequired, TypedDict

from .problems import Problem, repeated

CERT_MANAGER = "cert-manager"
ISTIO = "istio"
SUPPORTING_SOFTWARE = (CERT_MANAGER, ISTIO)
"""What the host may install into the cluster besides: in the order of installation."""

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class ToolArgs(TypedDict):
    """Another version of a tool than the pinned one, or a digest of your own for it."""

    name: str
    """Name of the tool: "aws-cli", "kubectl", "eksctl", "istioctl", "helm", "kots" or "cert-manager"."""
    version: NotRequired[str]
    """Version without "v", e.g. "1.35.9". Default: the pinned one."""
    sha256: NotRequired[str]
    """SHA-256 of the file that is downloaded, 64 hexadecimal digits. Default: the pinned digest if that version has
    one, else the checksum that the vendor publishes beside the file."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One file to download, and what becomes of it."""

    name: str
    version: str
    url: str
    proof: str
    """What shows that the file is right: a SHA-256, the URL of a checksum file, or that of a signature (.sig). Empty
    for a pin whose releases publish nothing."""
    member: str
    """Path of the program in a .tar.gz, of the installer in a .zip; "-" when the download is no archive."""
    target: str
    """Path on the host."""


# The newest patch of each minor version, so that kubectl is of the cluster's own: https://kubernetes.io/releases/
_KUBECTL: Mapping[str, str] = MappingProxyType(
    {
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.36"}
        "1.36": "1.36.5",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.35"}
        "1.35": "1.35.9",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.34"}
        "1.34": "1.34.12",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.33"}
        "1.33": "1.33.13",
    }
)
_GITHUB = "https://github.com"
_BIN = "/usr/local/bin"

# Of URL and proof, {version} is filled in later, and {url} is the filled-in URL.
_PINS: Mapping[str, Tool] = MappingProxyType(
    {
        pin.name: pin
        for pin in (
            # AWS signs each release, with the key in host/aws-cli.asc, and publishes no checksums:
            # https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
            Tool(
                "aws-cli",
                # renovate: github-tags aws/aws-cli
                "2.37.8",
                "https://awscli.amazonaws.com/awscli-exe-linux-x86_64-{version}.zip",
                "{url}.sig",
                "aws/install",
                f"{_BIN}/aws",
            ),
            # The digest alone: https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/
            Tool(
                "kubectl",
                "",  # of the cluster's minor version
                "https://dl.k8s.io/release/v{version}/bin/linux/amd64/kubectl",
                "{url}.sha256",
                "-",
                f"{_BIN}/kubectl",
            ),
            # Digest and name of every file: https://docs.aws.amazon.com/eks/latest/eksctl/installation.html
            Tool(
                "eksctl",
                # renovate: github-releases eksctl-io/eksctl
                "0.231.0",
                f"{_GITHUB}/eksctl-io/eksctl/releases/download/v{{version}}/eksctl_Linux_amd64.tar.gz",
                f"{_GITHUB}/eksctl-io/eksctl/releases/download/v{{version}}/eksctl_checksums.txt",
                "eksctl",
                f"{_BIN}/eksctl",
            ),
            # Digest and name, beside each file of https://github.com/istio/istio/releases
            Tool(
                "istioctl",
                # renovate: github-releases istio/istio
                "1.31.1",
                f"{_GITHUB}/istio/istio/releases/download/{{version}}/istioctl-{{version}}-linux-amd64.tar.gz",
                "{url}.sha256",
                "istioctl",
                f"{_BIN}/istioctl",
            ),
            # Digest and name: the install script of https://helm.sh/docs/intro/install/ checks the same file.
            Tool(
                "helm",
                # renovate: github-releases helm/helm
                "3.21.4",
                "https://get.helm.sh/helm-v{version}-linux-amd64.tar.gz",
                "{url}.sha256sum",
                "linux-amd64/helm",
                f"{_BIN}/helm",
            ),
            # Digest and name of every file of https://github.com/replicatedhq/kots/releases. The name makes it a
            # plug-in of kubectl: https://docs.replicated.com/reference/kots-cli-getting-started
            Tool(
                "kots",
                # renovate: github-releases replicatedhq/kots
                "1.134.1",
                f"{_GITHUB}/replicatedhq/kots/releases/download/v{{version}}/kots_linux_amd64.tar.gz",
                f"{_GITHUB}/replicatedhq/kots/releases/download/v{{version}}/kots_{{version}}_checksums.txt",
                "kots",
                f"{_BIN}/kubectl-kots",
            ),
            # A manifest for `kubectl apply`. Its releases publish no checksum: another version needs a digest.
            Tool(
                CERT_MANAGER,
                # renovate: github-releases cert-manager/cert-manager
                "1.21.1",
                f"{_GITHUB}/cert-manager/cert-manager/releases/download/v{{version}}/cert-manager.yaml",
                "",
                "-",
                "/opt/dash-enterprise/cert-manager.yaml",
            ),
        )
    }
)

# SHA-256 of pinned versions as a second public source states them, read on 2026-11-29. A new version begins without.
# None was found for eksctl, kots and kubectl 1.33. Signatures of kubectl and helm need cosign, or keys that change with
# the person who makes the release.
_DIGESTS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        # github.com/tuantha8203/banking-go, tools/k8s-tools.lock
        ("kubectl", "1.36.5"): "33bc88a24c3b09cf55bfd59e6ca977881b61fc3f25ab65bc80c65b430248648e",
        # github.com/ccooper-data/finrisk-ai, infra/terraform/deploy_path.tf, and a public Dockerfile
        ("kubectl", "1.35.9"): "3cfeaf80be482b435b0aa214aff6e0b2c312ee23c0ff20810c75517b6004c6eb",
        # Two public repositories, one of which notes that it compared the file with the release's own checksum.
        ("kubectl", "1.34.12"): "90b7b9058ffeb5c10710bb1c73f541eaf426fb1b4e87df435db669de9a2564a2",
        # A public repository, which notes on 2026-09-24 that it compared the file with the release's own checksum.
        ("istioctl", "1.31.1"): "a44563904f22f2a8bf6ac4fff1b0bad9f718587c2be6aa807b83fe9049910639",
        # Release notes on github.com/helm/helm, 2026-08-14; the file comes from get.helm.sh.
        ("helm", "3.21.4"): "61f88ab166748cb19604d7884cb100ae9ccb13804ddeb98e08af167eacbb6a14",
        # Several public repositories that keep or check the same manifest.
        (CERT_MANAGER, "1.21.1"): "5f6a499b8c1857d57f560f536e0dcc830914b45c420899fe7ad0692c8624e408",
    }
)

REDIRECTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "dl.k8s.io": ("cdn.dl.k8s.io",),
        "github.com": ("release-assets.githubusercontent.com", "objects.githubusercontent.com"),
    }
)
"""Where a download's host sends the client on to. An allow-list needs these names too."""


def host_tools(kubernetes_version: str, overrides: Sequence[ToolArgs] = ()) -> list[Tool]:
    """Every tool, kubectl of the cluster's own minor version; `overrides` win over the pins."""
    given = {override["name"]: override for override in overrides}
    tools: list[Tool] = []
    for pin in _PINS.values():
        override = given.get(pin.name, ToolArgs(name=pin.name))
        version = override.get("version") or pin.version or _KUBECTL[kubernetes_version]
        url = pin.url.format(version=version)
        stated = override.get("sha256") or _DIGESTS.get((pin.name, version))
        proof = stated or pin.proof.format(version=version, url=url)
        tools.append(replace(pin, version=version, url=url, proof=proof))
    return tools


def unproven(tools: Sequence[Tool]) -> list[Tool]:
    """The tools whose only proof is a checksum from the same place as the file."""
    return [tool for tool in tools if not _DIGEST.fullmatch(tool.proof) and not tool.proof.endswith(".sig")]


def installed(tools: Sequence[Tool], supporting_software: Sequence[str]) -> list[Tool]:
    """The tools that the host downloads: cert-manager's manifest only where it is asked for."""
    return [tool for tool in tools if tool.name != CERT_MANAGER or CERT_MANAGER in supporting_software]


def urls(tools: Sequence[Tool], supporting_software: Sequence[str] = ()) -> list[str]:
    """Every URL that first boot downloads from, checksum and signature files among them."""
    found: list[str] = []
    for tool in installed(tools, supporting_software):
        found += [tool.url] if _DIGEST.fullmatch(tool.proof) else [tool.url, tool.proof]
    return found


def tool_problems(overrides: Sequence[ToolArgs], supporting_software: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the tools and the supporting software that were asked for."""
    names = [override["name"] for override in overrides]
    for name in repeated(names):
        yield Problem("tools", name, "is there more than once", "keep one of them")
    for override in overrides:
        yield from _override_problems(override)
    for name in supporting_software:
        if name not in SUPPORTING_SOFTWARE:
            yield Problem(
                "supporting_software",
                name,
                "this program cannot install it",
                f"choose from {', '.join(SUPPORTING_SOFTWARE)}",
            )
    for name in repeated(supporting_software):
        yield Problem("supporting_software", name, "is there more than once", "keep one of them")


def _override_problems(override: ToolArgs) -> Iterator[Problem]:
    name, version, sha256 = override["name"], override.get("version"), override.get("sha256")
    pin = _PINS.get(name)
    if pin is None:
        near = get_close_matches(name, _PINS, n=1)
        remedy = f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(_PINS)}"
        yield Problem("tools", name, "the host does not install this tool", remedy)
        return
    if not version and not sha256:
        yield Problem("tools", name, "neither a version nor a digest is given", "give one of them, or leave it out")
    if version and not _VERSION.fullmatch(version):
        example = pin.version or max(_KUBECTL.values())
        reason = "not the form of a version"
        yield Problem(f"tools[{name}].version", version, reason, f'write it without "v", like {example}')
    elif version and not sha256 and not pin.proof and (name, version) not in _DIGESTS:
        yield Problem(
            f"tools[{name}].version",
            version,
            "its releases publish no checksum, so that the host could not verify the file",
            f"give sha256 too: curl -fsSL {pin.url.format(version=version)} | sha256sum",
        )
    if sha256 and not _DIGEST.fullmatch(sha256):
        remedy = "write the 64 digits, lower case, that `sha256sum` prints for the download"
        yield Problem(f"tools[{name}].sha256", sha256, "not a SHA-256", remedy)
