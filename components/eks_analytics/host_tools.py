"""The command line tools that the bootstrap host installs: pinned, and how each download is verified. Pure data.

A digest from the settings wins over what the vendor publishes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    """One file to download."""

    name: str
    version: str
    url: str
    proof: str
    """What shows that the file is right: a SHA-256, the URL of a checksum file, or that of a signature (.sig)."""
    member: str = "-"
    """Path of the program inside of the archive; "-" when the download itself is it."""
    command: str = "-"
    """Name of the program in /usr/local/bin; "-" when it brings its own installer, or is none."""


@dataclass(frozen=True, slots=True)
class _Source:
    version: str
    url: str
    proof: str
    member: str = "-"
    command: str = "-"


# Kubernetes: the newest patch of each minor. A kubectl may be one minor away from its cluster, here it never is.
# https://kubernetes.io/releases/patch-releases/
_KUBECTL: Mapping[str, str] = MappingProxyType(
    {
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.36"}
        "1.36": "1.36.5",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.35"}
        "1.35": "1.35.9",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.34"}
        "1.34": "1.34.9",
        # renovate: github-releases kubernetes/kubernetes {"minor":"1.33"}
        "1.33": "1.33.12",
    }
)

_SOURCES: Mapping[str, _Source] = MappingProxyType(
    {
        # Signed with the key in host/aws-cli.asc; AWS publishes no digests:
        # https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
        "aws-cli": _Source(
            # renovate: github-tags aws/aws-cli
            "2.36.40",
            "https://awscli.amazonaws.com/awscli-exe-linux-x86_64-{version}.zip",
            "{url}.sig",
        ),
        # https://kubernetes.io/docs/tasks/tools/install-kubectl-linux/
        "kubectl": _Source(
            "",
            "https://dl.k8s.io/release/v{version}/bin/linux/amd64/kubectl",
            "{url}.sha256",
            command="kubectl",
        ),
        # https://docs.aws.amazon.com/eks/latest/eksctl/installation.html
        "eksctl": _Source(
            # renovate: github-releases eksctl-io/eksctl
            "0.231.0",
            "https://github.com/eksctl-io/eksctl/releases/download/v{version}/eksctl_Linux_amd64.tar.gz",
            "https://github.com/eksctl-io/eksctl/releases/download/v{version}/eksctl_checksums.txt",
            "eksctl",
            "eksctl",
        ),
        "istioctl": _Source(
            # renovate: github-releases istio/istio
            "1.31.1",
            "https://github.com/istio/istio/releases/download/{version}/istioctl-{version}-linux-amd64.tar.gz",
            "{url}.sha256",
            "istioctl",
            "istioctl",
        ),
        # https://helm.sh/docs/intro/install/
        "helm": _Source(
            # renovate: github-releases helm/helm
            "3.21.4",
            "https://get.helm.sh/helm-v{version}-linux-amd64.tar.gz",
            "{url}.sha256sum",
            "linux-amd64/helm",
            "helm",
        ),
        # kubectl finds it as a plug-in: `kubectl kots`. https://docs.replicated.com/reference/kots-cli-getting-started
        "kots": _Source(
            # renovate: github-releases replicatedhq/kots
            "1.134.1",
            "https://github.com/replicatedhq/kots/releases/download/v{version}/kots_linux_amd64.tar.gz",
            "https://github.com/replicatedhq/kots/releases/download/v{version}/kots_{version}_checksums.txt",
            "kots",
            "kubectl-kots",
        ),
        # A manifest for `kubectl apply`; its releases hold no checksums, so that a digest must be given.
        CERT_MANAGER: _Source(
            # renovate: github-releases cert-manager/cert-manager
            "1.21.1",
            "https://github.com/cert-manager/cert-manager/releases/download/v{version}/cert-manager.yaml",
            "",
        ),
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
    for name, source in _SOURCES.items():
        override = given.get(name, ToolArgs(name=name))
        pinned = _KUBECTL[kubernetes_version] if name == "kubectl" else source.version
        version = override.get("version") or pinned
        url = source.url.format(version=version)
        proof = override.get("sha256") or source.proof.format(version=version, url=url)
        tools.append(Tool(name, version, url, proof, source.member, source.command))
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
    if CERT_MANAGER in supporting_software and not any(
        override["name"] == CERT_MANAGER and override.get("sha256") for override in overrides
    ):
        version = next((o.get("version") for o in overrides if o["name"] == CERT_MANAGER), None)
        url = _SOURCES[CERT_MANAGER].url.format(version=version or _SOURCES[CERT_MANAGER].version)
        yield Problem(
            "supporting_software",
            CERT_MANAGER,
            "its releases publish no checksum, so that the host could not verify the manifest",
            f'give its digest in tools, as sha256 of name "{CERT_MANAGER}": curl -fsSL {url} | sha256sum',
        )


def _override_problems(override: ToolArgs) -> Iterator[Problem]:
    name, version, sha256 = override["name"], override.get("version"), override.get("sha256")
    if name not in _SOURCES:
        near = get_close_matches(name, _SOURCES, n=1)
        remedy = f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(_SOURCES)}"
        yield Problem("tools", name, "the host does not install this tool", remedy)
        return
    if version is None and sha256 is None:
        yield Problem(f"tools[{name}]", name, "neither a version nor a digest is given", "give one, or leave it out")
    if version is not None and not _VERSION.fullmatch(version):
        pinned = _SOURCES[name].version or next(iter(_KUBECTL.values()))
        yield Problem(
            f"tools[{name}].version", version, "not the form of a version", f'write it without "v", like {pinned}'
        )
    if sha256 is not None and not _DIGEST.fullmatch(sha256):
        yield Problem(
            f"tools[{name}].sha256",
            sha256,
            "not a SHA-256",
            "write the 64 digits, lower case, that `sha256sum` prints for the download",
        )
