"""The command line tools that the bootstrap host installs: pinned, and how each download is verified. Pure data.

A digest from the settings wins over what the vendor publishes.
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
    """SHA-256 of the file that is downloaded, 64 hexadecimal digits. Default: what the vendor publishes."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One file to download, and what becomes of it."""

    name: str
    version: str
    url: str
    proof: str
    """What shows that the file is right: a SHA-256, the URL of a checksum file, or that of a signature (.sig)."""
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
            # A manifest for `kubectl apply`. Its releases publish no checksum: the digest here is of the pinned
            # version, and another version needs one of its own.
            Tool(
                CERT_MANAGER,
                # renovate: github-releases cert-manager/cert-manager
                "1.21.1",
                f"{_GITHUB}/cert-manager/cert-manager/releases/download/v{{version}}/cert-manager.yaml",
                "5f6a499b8c1857d57f560f536e0dcc830914b45c420899fe7ad0692c8624e408",
                "-",
                "/opt/dash-enterprise/cert-manager.yaml",
            ),
        )
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
        proof = override.get("sha256") or pin.proof.format(version=version, url=url)
        tools.append(replace(pin, version=version, url=url, proof=proof))
    return tools


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
    elif version and version != pin.version and not sha256 and _DIGEST.fullmatch(pin.proof):
        yield Problem(
            f"tools[{name}].version",
            version,
            "its releases publish no checksum, so that the host could not verify the file",
            f"give sha256 too: curl -fsSL {pin.url.format(version=version)} | sha256sum",
        )
    if sha256 and not _DIGEST.fullmatch(sha256):
        remedy = "write the 64 digits, lower case, that `sha256sum` prints for the download"
        yield Problem(f"tools[{name}].sha256", sha256, "not a SHA-256", remedy)
