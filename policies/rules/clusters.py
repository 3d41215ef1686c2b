"""The EKS control plane and its add-ons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from pack.kinds import CLUSTER, NODE_GROUP
from pack.networks import WORLD, too_wide
from pack.rule import Level, Parameter, Resource, Severity, Situation, earlier, higher, more, rule
from pack.values import apart, block, in_words, is_true, items, together

_ADDON = "aws:eks/addon:Addon"
_ADDON_VERSION = re.compile(r"v\d+\.\d+\.\d+(-[\w.]+)?")  # of the marketplace's, not all are an eksbuild


@rule(
    "use-api-access-mode",
    "Access to the cluster is by access entries alone (authentication mode API).",
    severity=Severity.HIGH,
    types=(CLUSTER,),
    remediation="set accessConfig.authenticationMode to API",
    link="https://docs.aws.amazon.com/eks/latest/userguide/grant-k8s-access.html",
)
def use_api_access_mode(resource: Resource, _: Situation) -> Iterator[str]:
    mode = block(resource.props, "accessConfig").get("authenticationMode")
    if mode != "API":
        yield f"its authentication mode is {mode or 'CONFIG_MAP, because none is given'}"


@rule(
    "name-administrators",
    "Nobody administers the cluster for having made it.",
    severity=Severity.HIGH,
    types=(CLUSTER,),
    remediation="set accessConfig.bootstrapClusterCreatorAdminPermissions to false and make access entries",
    link="https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html",
)
def name_administrators(resource: Resource, _: Situation) -> Iterator[str]:
    given = block(resource.props, "accessConfig").get("bootstrapClusterCreatorAdminPermissions")
    if given is None or is_true(given):
        yield "makes whoever creates it an administrator"


@rule(
    "encrypt-kubernetes-secrets",
    "Kubernetes secrets are encrypted with a KMS key of the account.",
    severity=Severity.HIGH,
    types=(CLUSTER,),
    remediation="set encryptionConfig with a key and the resource secrets",
    link="https://docs.aws.amazon.com/eks/latest/userguide/envelope-encryption.html",
)
def encrypt_kubernetes_secrets(resource: Resource, _: Situation) -> Iterator[str]:
    if "secrets" not in items(block(resource.props, "encryptionConfig"), "resources"):
        yield "no key encrypts its secrets"


@rule(
    "keep-control-plane-logs",
    "The control plane writes the logs that an investigation needs.",
    severity=Severity.MEDIUM,
    types=(CLUSTER,),
    remediation="add them to enabledClusterLogTypes (cluster.log_types)",
    link="https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html",
    parameters={
        "types": Parameter(
            ["api", "audit", "authenticator"],
            "logs that must be on",
            production=["api", "audit", "authenticator", "controllerManager", "scheduler"],
            tighter=more,
        )
    },
)
def keep_control_plane_logs(resource: Resource, situation: Situation) -> Iterator[str]:
    missing = sorted(set(situation["types"]) - set(items(resource.props, "enabledClusterLogTypes")))
    if missing:
        yield f"does not write {in_words(missing)}"


@rule(
    "limit-endpoint-cidrs",
    "The Kubernetes API is private, or public to named networks only.",
    severity=Severity.CRITICAL,
    types=(CLUSTER,),
    remediation="name the networks in vpcConfig.publicAccessCidrs, or set endpointPublicAccess to false",
    link="https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html",
    parameters={
        "shortest_prefix": Parameter(
            WORLD, "shortest prefix of an IPv4 network; twice that of an IPv6 one", production=16, tighter=higher
        )
    },
)
def limit_endpoint_cidrs(resource: Resource, situation: Situation) -> Iterator[str]:
    endpoint = block(resource.props, "vpcConfig")
    if endpoint.get("endpointPublicAccess") is False:
        return

    def judged(cidrs: list[str]) -> Iterator[str]:
        wide = too_wide(cidrs, situation["shortest_prefix"])
        yield from (f"its public endpoint is open to {cidr}" for cidr in wide)

    cidrs = items(endpoint, "publicAccessCidrs")
    if not len(cidrs):
        yield "its public endpoint is open to the world, because no network is named"
    yield from together(apart(cidrs, lambda cidr: iter([cidr])), judged)


@rule(
    "use-supported-kubernetes",
    "Clusters name a Kubernetes version that is in standard support; node groups name none, or one that is.",
    severity=Severity.HIGH,
    types=(CLUSTER, NODE_GROUP),
    remediation="upgrade one minor version at a time; extended support costs six times as much",
    link="https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
    parameters={
        "standard_support_ends": Parameter(
            {"1.33": "2026-07-29", "1.34": "2026-12-02", "1.35": "2027-03-27", "1.36": "2027-08-02"},
            "last day of each version",
            tighter=earlier,
        )
    },
)
def use_supported_kubernetes(resource: Resource, situation: Situation) -> Iterator[str]:
    version, ends = resource.props.get("version"), situation["standard_support_ends"]
    if not version:
        if resource.resource_type == CLUSTER:  # a node group takes the cluster's; one with its own image must name none
            yield "names no version"
    elif version not in ends:
        supported = [known for known, day in ends.items() if date.fromisoformat(day) >= situation.today]
        yield f"Kubernetes {version} is not among those in standard support: {in_words(sorted(supported))}"
    elif date.fromisoformat(ends[version]) < situation.today:
        yield f"standard support of Kubernetes {version} ended on {ends[version]}"


@rule(
    "protect-cluster-deletion",
    "In production EKS refuses to delete the cluster.",
    severity=Severity.HIGH,
    level=Level.DISABLED,
    types=(CLUSTER,),
    remediation="set deletionProtection (cluster.deletion_protection)",
    link="https://docs.aws.amazon.com/eks/latest/userguide/deletion-protection.html",
)
def protect_cluster_deletion(resource: Resource, _: Situation) -> Iterator[str]:
    if not is_true(resource.props.get("deletionProtection")):
        yield "deletion protection is off"


@rule(
    "use-standard-upgrade-policy",
    "In production EKS upgrades at the end of standard support instead of charging for the extended one.",
    severity=Severity.MEDIUM,
    level=Level.ADVISORY,
    types=(CLUSTER,),
    remediation="set upgradePolicy.supportType to STANDARD",
    link="https://docs.aws.amazon.com/eks/latest/userguide/view-upgrade-policy.html",
)
def use_standard_upgrade_policy(resource: Resource, _: Situation) -> Iterator[str]:
    if block(resource.props, "upgradePolicy").get("supportType") != "STANDARD":
        yield "its upgrade policy is EXTENDED"


@rule(
    "pin-addon-versions",
    "Every EKS add-on has a fixed version.",
    severity=Severity.MEDIUM,
    types=(_ADDON,),
    remediation="name a version such as v1.22.4-eksbuild.3 in addonVersion (cluster.addon_versions)",
    link="https://docs.aws.amazon.com/eks/latest/userguide/managing-add-ons.html",
)
def pin_addon_versions(resource: Resource, _: Situation) -> Iterator[str]:
    version = resource.props.get("addonVersion")
    if not _ADDON_VERSION.fullmatch(version or ""):
        yield f"its version is {version}, which is no build" if version else "names no version"
