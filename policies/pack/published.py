"""What widely used controllers change in the whole account, as those who make them publish it.

Their policies are judged as published: whoever leaves a part out, or adds to it, says himself what it is for.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """Actions of one controller on all resources, in lower case."""

    always: frozenset[str]
    """In every release of its policy, by which it is known."""
    maybe: frozenset[str] = frozenset()
    """In some."""


def _of(**names: str) -> frozenset[str]:
    services = {service.replace("_", "-"): listed for service, listed in names.items()}
    return frozenset(f"{service}:{name}".lower() for service, listed in services.items() for name in listed.split())


PUBLISHED: Mapping[str, Published] = {
    # https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json
    "AWS Load Balancer Controller": Published(
        _of(
            ec2="AuthorizeSecurityGroupIngress CreateSecurityGroup RevokeSecurityGroupIngress",
            elasticloadbalancing="AddListenerCertificates CreateListener CreateRule DeleteListener DeleteRule "
            "ModifyListener ModifyRule RemoveListenerCertificates SetWebAcl",
        ),
        _of(
            elasticloadbalancing="SetRulePriorities",
            shield="CreateProtection DeleteProtection",
            waf_regional="AssociateWebACL DisassociateWebACL",
            wafv2="AssociateWebACL DisassociateWebACL",
        ),
    ),
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEKS_CNI_Policy.html
    "Amazon VPC CNI": Published(
        _of(
            ec2="AssignPrivateIpAddresses AttachNetworkInterface CreateNetworkInterface DeleteNetworkInterface "
            "DetachNetworkInterface ModifyNetworkInterfaceAttribute UnassignPrivateIpAddresses"
        ),
        _of(ec2="AssignIpv6Addresses UnassignIpv6Addresses"),
    ),
    # https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSLambdaVPCAccessExecutionRole.html
    "Lambda in a VPC": Published(
        _of(ec2="CreateNetworkInterface DeleteNetworkInterface"),
        _of(ec2="AssignPrivateIpAddresses UnassignPrivateIpAddresses"),
    ),
    # https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md
    "Cluster Autoscaler": Published(_of(autoscaling="SetDesiredCapacity TerminateInstanceInAutoScalingGroup")),
    # https://github.com/vmware-tanzu/velero-plugin-for-aws#set-permissions-for-velero
    "Velero": Published(_of(ec2="CreateSnapshot CreateTags CreateVolume DeleteSnapshot")),
}


def published_in(actions: Collection[str]) -> frozenset[str]:
    """Those of a document's actions on all resources that are a controller's as published."""
    found = (one.always | one.maybe for one in PUBLISHED.values() if one.always <= set(actions))
    return frozenset(action for known in found for action in known)
