"""Kubernetes versions of Amazon EKS with the ends of their support, and the add-on versions pinned for each.

Pins are the defaults of `aws eks describe-addon-versions --kubernetes-version <version> --addon-name <name>`
in late September 2026. A fixed version is what makes two `pulumi up` of the same commit do the same thing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

from .problems import Problem

DEFAULT_KUBERNETES_VERSION = "1.35"

# These need only the control plane: a node without them never becomes Ready.
ADDONS_BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
# These run as Deployments: without nodes EKS reports them DEGRADED and the create times out.
ADDONS_AFTER_NODES = ("coredns", "aws-ebs-csi-driver", "snapshot-controller", "metrics-server")
ADDONS = ADDONS_BEFORE_NODES + ADDONS_AFTER_NODES
SUPPORT_NOTICE = timedelta(days=60)
"""How long before the end of standard support the warnings begin."""

_ADDON_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")


@dataclass(frozen=True)
class KubernetesRelease:
    """One Kubernetes version on EKS."""

    standard_support_ends: date
    extended_support_ends: date
    addons: Mapping[str, str]


# Support dates: https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html (release calendar).
# renovate: endoflife-date amazon-eks
RELEASES: Mapping[str, KubernetesRelease] = {
    "1.36": KubernetesRelease(
        standard_support_ends=date(2027, 8, 2),
        extended_support_ends=date(2028, 8, 2),
        addons={
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"vpc-cni"}
            "vpc-cni": "v1.22.4-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"kube-proxy"}
            "kube-proxy": "v1.36.0-eksbuild.25",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"eks-pod-identity-agent"}
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"coredns"}
            "coredns": "v1.14.3-eksbuild.23",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"aws-ebs-csi-driver"}
            "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"snapshot-controller"}
            "snapshot-controller": "v8.6.0-eksbuild.8",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.36","addonName":"metrics-server"}
            "metrics-server": "v0.9.0-eksbuild.11",
        },
    ),
    "1.35": KubernetesRelease(
        standard_support_ends=date(2027, 3, 27),
        extended_support_ends=date(2028, 3, 27),
        addons={
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"vpc-cni"}
            "vpc-cni": "v1.22.4-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"kube-proxy"}
            "kube-proxy": "v1.35.3-eksbuild.29",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"eks-pod-identity-agent"}
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"coredns"}
            "coredns": "v1.13.2-eksbuild.31",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"aws-ebs-csi-driver"}
            "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"snapshot-controller"}
            "snapshot-controller": "v8.6.0-eksbuild.8",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.35","addonName":"metrics-server"}
            "metrics-server": "v0.9.0-eksbuild.11",
        },
    ),
    "1.34": KubernetesRelease(
        standard_support_ends=date(2026, 12, 2),
        extended_support_ends=date(2027, 12, 2),
        addons={
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"vpc-cni"}
            "vpc-cni": "v1.22.4-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"kube-proxy"}
            "kube-proxy": "v1.34.6-eksbuild.29",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"eks-pod-identity-agent"}
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"coredns"}
            "coredns": "v1.12.4-eksbuild.38",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"aws-ebs-csi-driver"}
            "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"snapshot-controller"}
            "snapshot-controller": "v8.6.0-eksbuild.8",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.34","addonName":"metrics-server"}
            "metrics-server": "v0.9.0-eksbuild.11",
        },
    ),
    # In extended support: only for a cluster that is on its way up.
    "1.33": KubernetesRelease(
        standard_support_ends=date(2026, 7, 29),
        extended_support_ends=date(2027, 7, 29),
        addons={
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"vpc-cni"}
            "vpc-cni": "v1.22.4-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"kube-proxy"}
            "kube-proxy": "v1.33.10-eksbuild.29",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"eks-pod-identity-agent"}
            "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"coredns"}
            "coredns": "v1.12.4-eksbuild.38",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"aws-ebs-csi-driver"}
            "aws-ebs-csi-driver": "v1.66.0-eksbuild.1",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"snapshot-controller"}
            "snapshot-controller": "v8.6.0-eksbuild.8",
            # renovate: aws-eks-addon {"kubernetesVersion":"1.33","addonName":"metrics-server"}
            "metrics-server": "v0.8.1-eksbuild.14",
        },
    ),
}


def addon_versions(kubernetes_version: str, overrides: Mapping[str, str]) -> dict[str, str]:
    """The version of every add-on for a Kubernetes version; `overrides` win over the pins."""
    return {**RELEASES[kubernetes_version].addons, **overrides}


def offered(today: date) -> str:
    """A remedy: the versions in standard support, the only ones that the policies accept, and when it ends."""
    ends = {version: release.standard_support_ends for version, release in RELEASES.items()}
    supported = [f'"{version}" (standard support until {end})' for version, end in ends.items() if end >= today]
    return f"write {' or '.join(supported or [DEFAULT_KUBERNETES_VERSION])}"


def version_problems(
    kubernetes_version: str, overrides: Mapping[str, str], today: date | None = None
) -> Iterator[Problem]:
    """What is wrong with a Kubernetes version and its add-on overrides. `today` is the clock's by default."""
    if kubernetes_version not in RELEASES:
        reason, remedy = "no add-on versions are pinned for it", offered(today or date.today())
        if re.fullmatch(r"1\.\d", kubernetes_version):
            reason = f"is what YAML makes of {kubernetes_version}0 without quotes, and EKS has no such version"
            if (meant := f"{kubernetes_version}0") in RELEASES:
                remedy = f'write it in quotes: "{meant}"'
        yield Problem("kubernetes_version", kubernetes_version, reason, remedy)
    for name, version in overrides.items():
        if name not in ADDONS:
            near = get_close_matches(name, ADDONS, n=1)
            remedy = f'did you mean "{near[0]}"?' if near else f"use one of {', '.join(ADDONS)}"
            yield Problem("addon_versions", name, "the cluster does not install this add-on", remedy)
        elif not _ADDON_VERSION.fullmatch(version):
            example = RELEASES[DEFAULT_KUBERNETES_VERSION].addons[name]
            yield Problem(
                f"addon_versions[{name}]",
                version,
                "not the form of an EKS add-on version",
                f"write it like {example} (aws eks describe-addon-versions --addon-name {name})",
            )


def support_warning(kubernetes_version: str, today: date) -> str | None:
    """A sentence when EKS gives standard support no longer, or for less than `SUPPORT_NOTICE` more; else None."""
    release = RELEASES[kubernetes_version]
    if today <= release.standard_support_ends - SUPPORT_NOTICE:
        return None
    better = DEFAULT_KUBERNETES_VERSION
    if kubernetes_version == better:
        better = max(RELEASES, key=lambda version: RELEASES[version].standard_support_ends)
    advice = f"choose {better}, supported until {RELEASES[better].standard_support_ends}"
    standard, extended = release.standard_support_ends, release.extended_support_ends
    if today <= standard:
        return (
            f"Kubernetes {kubernetes_version}: EKS ends its standard support on {standard} (extended support, at six "
            f"times the price, ends on {extended}); then it upgrades this cluster by itself. {advice.capitalize()}; "
            "a cluster goes up one minor version at a time."
        )
    if today <= extended:
        return (
            f"Kubernetes {kubernetes_version}: EKS ended its standard support on {standard} (extended support, at six "
            f"times the price, ends on {extended}). With the upgrade policy STANDARD, which this cluster has, EKS may "
            "refuse to create it and upgrades an existing one by itself; afterwards set the version to what EKS made "
            f"it, then run `pulumi refresh`. For a new cluster, {advice}."
        )
    return (
        f"Kubernetes {kubernetes_version}: EKS ended its extended support on {extended} and creates no cluster with it "
        f"any more; {advice}."
    )
