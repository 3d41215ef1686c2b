"""Interface endpoints: which AWS services a network reaches without the internet. Pure."""

import re
from collections.abc import Iterable

from .problems import Problem

PRIVATE_CLUSTER = "private-cluster"
"""Stands, in a list of endpoints, for all of `PRIVATE_CLUSTER_ENDPOINTS`."""
NODE_ENDPOINTS = ("ec2", "ecr.api", "ecr.dkr", "eks-auth", "sts")
"""Without these, and S3 for the layers of images, a node cannot pull, get its addresses or get its pods credentials."""
PRIVATE_CLUSTER_ENDPOINTS = (
    *NODE_ENDPOINTS,
    "autoscaling",  # managed node groups, cluster-autoscaler
    "eks",  # Karpenter and `aws eks` from inside
    "elasticloadbalancing",  # AWS Load Balancer Controller
    "kms",  # encrypted volumes and secrets
    "logs",  # logs of nodes and pods
    "sqs",  # Karpenter's interruption queue
    "ssm",  # Session Manager, and the parameters that name AMIs
    "ssmmessages",  # Session Manager
)
"""What a cluster without internet access needs: nodes, Pod Identity, EBS CSI driver, Karpenter, AWS Load Balancer
Controller, Session Manager. https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html"""

# In China these are named cn.com.amazonaws.*, all others as elsewhere (`aws ec2 describe-vpc-endpoint-services`).
_CHINESE_NAMES = {
    *("autoscaling", "cloudformation", "ebs", "ec2", "ecr.api", "ecr.dkr", "eks"),
    *("elasticfilesystem", "lambda", "monitoring", "rds", "sqs", "states", "sts"),
}
_WITHOUT_ENDPOINT = ("iam", "pricing")
_SERVICE = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


def expand_endpoints(region: str, services: Iterable[str]) -> list[str]:
    """The services with `private-cluster` replaced by its set, each once under its short name, in the order given."""
    sets = [PRIVATE_CLUSTER_ENDPOINTS if service == PRIVATE_CLUSTER else (service,) for service in services]
    return list(dict.fromkeys(_short_name(region, service) for expanded in sets for service in expanded))


def _short_name(region: str, service: str) -> str:
    """`ecr.api` for `com.amazonaws.us-east-1.ecr.api`; a name that does not follow that rule stays as it is."""
    short = service.removeprefix("cn.").removeprefix(f"com.amazonaws.{region}.")
    return short if endpoint_service_name(region, short) == service else service


def endpoint_service_name(region: str, service: str) -> str:
    """AWS's name of a service's endpoint: `com.amazonaws.us-east-1.ecr.api` for `ecr.api`.

    A full name, one that contains the region, is returned as it is.
    """
    if f".{region}." in service:
        return service
    china = region.startswith("cn-") and service in _CHINESE_NAMES
    return f"{'cn.' if china else ''}com.amazonaws.{region}.{service}"


def check_endpoints(region: str, services: Iterable[str]) -> list[Problem]:
    """What AWS would refuse in a list of interface endpoints."""
    problems: list[Problem] = []
    for service in services:
        if not _SERVICE.fullmatch(service) or ("amazonaws" in service and f".{region}." not in service):
            reason = f"is no endpoint service of {region}"
            remedy = f'write its short name, like "ecr.api", its full name in {region}, or "{PRIVATE_CLUSTER}"'
            problems.append(Problem("interface_endpoints", service, reason, remedy))
        elif service == "s3":
            remedy = "leave it out and keep the S3 gateway endpoint, which costs nothing"
            problems.append(Problem("interface_endpoints", service, "cannot resolve privately by itself", remedy))
        elif service in _WITHOUT_ENDPOINT:
            remedy = "leave it out; with Karpenter give instance profiles instead of roles and set isolatedVPC"
            problems.append(Problem("interface_endpoints", service, "has no endpoint inside a region", remedy))
    return problems
