"""What keeps an existing EKS cluster from being used. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .controller_identity import oidc_provider_problems
from .e6data_workspace_options import APP_TAG
from .problems import Problem

_ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}")
_WITH_ACCESS_ENTRIES = ("API", "API_AND_CONFIG_MAP")


@dataclass(frozen=True)
class FoundCluster:
    """What AWS says of the cluster."""

    name: str
    arn: str
    endpoint: str
    certificate_authority: str
    """PEM in base64."""
    oidc_issuer: str
    """URL."""
    status: str
    authentication_mode: str
    vpc_id: str
    cluster_security_group_id: str
    cluster_security_group_tags: Mapping[str, str]


def existing_cluster_problems(oidc_provider_arn: str, karpenter_node_role_name: str) -> Iterator[Problem]:
    """What is wrong with what is said of the cluster, before it is looked up."""
    if oidc_provider_arn:
        yield from oidc_provider_problems(oidc_provider_arn, "or leave it out: it is made")
    if karpenter_node_role_name and not _ROLE_NAME.fullmatch(karpenter_node_role_name):
        name = karpenter_node_role_name.rpartition("/")[2]
        reason = "is not the name of an IAM role, which EC2NodeClasses want"
        yield Problem(
            "karpenter_node_role_name", karpenter_node_role_name, reason, f'write "{name or "KarpenterNodeRole"}"'
        )


def check_found_cluster(cluster: FoundCluster, vpc_id: str, oidc_provider_arn: str = "") -> Iterator[Problem]:
    """What keeps the cluster from running e6data in the VPC."""
    if cluster.status not in ("ACTIVE", "UPDATING"):
        yield Problem("cluster_name", cluster.name, f"is {cluster.status}", "wait until it is ACTIVE, or mend it")
    if cluster.vpc_id != vpc_id:
        reason = f"lies in {cluster.vpc_id}, not in {vpc_id}"
        yield Problem("cluster_name", cluster.name, reason, f"give {cluster.vpc_id} and its subnets as the network")
    if cluster.authentication_mode not in _WITH_ACCESS_ENTRIES:
        reason = f"knows no access entries (authentication mode {cluster.authentication_mode}): no node could join"
        remedy = (
            f"aws eks update-cluster-config --name {cluster.name} "
            "--access-config authenticationMode=API_AND_CONFIG_MAP, which keeps what aws-auth says"
        )
        yield Problem("cluster_name", cluster.name, reason, remedy)
    issuer = cluster.oidc_issuer.removeprefix("https://")
    if oidc_provider_arn and oidc_provider_arn.partition(":oidc-provider/")[2] != issuer:
        reason = f"is that of another cluster: {cluster.name} has the issuer {issuer}"
        yield Problem("existing_cluster.oidc_provider_arn", oidc_provider_arn, reason, "correct it, or leave it out")
    for key, value in APP_TAG.items():
        if (found := cluster.cluster_security_group_tags.get(key, value)) != value:
            reason = f"is tagged {key}={found}, and the load balancer controller may only touch what is {key}={value}"
            remedy = "remove that tag if nothing needs it, or use another cluster"
            yield Problem("cluster_security_group", cluster.cluster_security_group_id, reason, remedy)
