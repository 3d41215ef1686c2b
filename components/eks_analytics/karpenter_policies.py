"""What Karpenter's controller, its nodes and its queue may do, as plain data: pure functions.

The controller's six documents follow the statements of Karpenter 1.14, whose Sids they keep:
https://karpenter.sh/v1.14/reference/cloudformation/
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .iam import LARGEST_POLICY, PolicyDocument, cluster_arn, document, policy_size
from .partitions import partition

NODE_POLICIES = (
    "AmazonEKS_CNI_Policy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
)
"""Policies of AWS that Karpenter's nodes need. Upstream adds AmazonSSMManagedInstanceCore, of which they get only what
`iam.session_manager` allows."""

INTERRUPTIONS: Mapping[str, tuple[str, str]] = {
    "health": ("aws.health", "AWS Health Event"),
    "spot": ("aws.ec2", "EC2 Spot Instance Interruption Warning"),
    "risk": ("aws.ec2", "EC2 Instance Rebalance Recommendation"),
    "state": ("aws.ec2", "EC2 Instance State-change Notification"),
    "capacity": ("aws.ec2", "EC2 Capacity Reservation Instance Interruption Warning"),
}
"""Source and kind of the events that tell Karpenter of nodes about to go, by a word
for which names of rules have room."""

CONTROLLER_POLICIES = (
    *("node-lifecycle", "iam-integration", "eks-integration", "interruption", "zonal-shift", "resource-discovery"),
)
"""Purposes of the controller's documents."""

_LAUNCHED = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")


@dataclass(frozen=True)
class ControllerRights:
    """What the controller's policies name."""

    region: str
    account_id: str
    cluster_name: str
    node_role_arn: str
    """Role that the controller passes to nodes."""
    queue_arn: str
    """Queue of interruptions."""
    names: Sequence[str] = ("*",)
    """Names, or patterns of names, of the NodePools and EC2NodeClasses that it may serve."""


def controller_policies(rights: ControllerRights) -> dict[str, PolicyDocument]:
    """The documents, by purpose; each is a managed policy of its own."""
    return {
        "node-lifecycle": _node_lifecycle(rights),
        "iam-integration": _iam_integration(rights),
        "eks-integration": document(
            {
                "Sid": "AllowAPIServerEndpointDiscovery",
                "Effect": "Allow",
                "Action": ["eks:DescribeCluster"],
                "Resource": _cluster(rights),
            }
        ),
        "interruption": document(
            {
                "Sid": "AllowInterruptionQueueActions",
                "Effect": "Allow",
                "Action": ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
                "Resource": rights.queue_arn,
            }
        ),
        "zonal-shift": document(
            {
                "Sid": "AllowZonalShiftStatusReadOnly",
                "Effect": "Allow",
                "Action": ["arc-zonal-shift:GetManagedResource"],
                "Resource": "*",
                "Condition": {"StringEquals": {"arc-zonal-shift:ResourceIdentifier": _cluster(rights)}},
            }
        ),
        "resource-discovery": _resource_discovery(rights),
    }


def most_names(rights: ControllerRights) -> int:
    """How many of the names, from the first on, fit into the policies."""
    fitting = range(len(rights.names), 0, -1)
    return next((count for count in fitting if _fits(replace(rights, names=rights.names[:count]))), 0)


def queue_policy(queue_arn: str, rule_arns: Sequence[str]) -> PolicyDocument:
    """Lets the rules send to the queue, and nobody do anything without TLS.

    Upstream lets EventBridge send for any account: naming the rules keeps strangers from draining nodes.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/cross-service-confused-deputy-prevention.html
    """
    return document(
        {
            "Sid": "AllowRulesToSend",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": ["sqs:SendMessage"],
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
        },
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["sqs:*"],
            "Resource": queue_arn,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    )


def _fits(rights: ControllerRights) -> bool:
    return all(policy_size(policy) <= LARGEST_POLICY for policy in controller_policies(rights).values())


def _cluster(rights: ControllerRights) -> str:
    return cluster_arn(rights.region, rights.account_id, rights.cluster_name)


def _ec2(rights: ControllerRights, *kinds: str, account: str = "*") -> str | list[str]:
    arns = [f"arn:{partition(rights.region)}:ec2:{rights.region}:{account}:{kind}/*" for kind in kinds]
    return arns if len(arns) > 1 else arns[0]


def _named(rights: ControllerRights) -> str | list[str]:
    return list(rights.names) if len(rights.names) > 1 else rights.names[0]


def _owned(rights: ControllerRights, of: str) -> dict[str, Any]:
    """`of` is what carries the tags: aws:RequestTag or aws:ResourceTag."""
    return {f"{of}/kubernetes.io/cluster/{rights.cluster_name}": "owned"}


def _of_pools(rights: ControllerRights, of: str) -> dict[str, Any]:
    """Karpenter tries every EC2NodeClass before any node is needed, by a launch template of its own that belongs to no
    NodePool: the tag is there, and empty. A restriction lets that pass. A pattern names the EC2NodeClass besides, which
    everything is tagged with; for exact names that would halve how many fit.

    https://github.com/aws/karpenter-provider-aws/blob/v1.14.1/pkg/controllers/nodeclass/validation.go
    """
    if "*" in rights.names:
        return {f"{of}/karpenter.sh/nodepool": "*"}
    pools = {f"{of}/karpenter.sh/nodepool": [*rights.names, ""]}
    return pools if len(rights.names) > 1 else {**pools, f"{of}/karpenter.k8s.aws/ec2nodeclass": rights.names[0]}


def _marked(rights: ControllerRights) -> dict[str, Any]:
    return {**_owned(rights, "aws:RequestTag"), "aws:RequestTag/eks:eks-cluster-name": rights.cluster_name}


def _node_lifecycle(rights: ControllerRights) -> PolicyDocument:
    images = _ec2(rights, "image", "snapshot", account="")
    surroundings = _ec2(rights, "security-group", "subnet", "capacity-reservation", "placement-group")
    requested = _of_pools(rights, "aws:RequestTag")
    own = {"StringEquals": _owned(rights, "aws:ResourceTag"), "StringLike": _of_pools(rights, "aws:ResourceTag")}
    return document(
        {
            "Sid": "AllowScopedEC2InstanceAccessActions",
            "Effect": "Allow",
            "Action": ["ec2:RunInstances", "ec2:CreateFleet"],
            "Resource": [*images, *surroundings],
        },
        {
            "Sid": "AllowScopedEC2LaunchTemplateAccessActions",
            "Effect": "Allow",
            "Action": ["ec2:RunInstances", "ec2:CreateFleet"],
            "Resource": _ec2(rights, "launch-template"),
            "Condition": own,
        },
        {
            "Sid": "AllowScopedEC2InstanceActionsWithTags",
            "Effect": "Allow",
            "Action": ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"],
            "Resource": _ec2(rights, *_LAUNCHED),
            "Condition": {"StringEquals": _marked(rights), "StringLike": requested},
        },
        {
            "Sid": "AllowScopedResourceCreationTagging",
            "Effect": "Allow",
            "Action": ["ec2:CreateTags"],
            "Resource": _ec2(rights, *_LAUNCHED),
            "Condition": {
                "StringEquals": {
                    **_marked(rights),
                    "ec2:CreateAction": ["RunInstances", "CreateFleet", "CreateLaunchTemplate"],
                },
                "StringLike": requested,
            },
        },
        {
            "Sid": "AllowScopedResourceTagging",
            "Effect": "Allow",
            "Action": ["ec2:CreateTags"],
            "Resource": _ec2(rights, "instance"),
            "Condition": {
                **own,
                "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": rights.cluster_name},
                "ForAllValues:StringEquals": {
                    "aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
                },
            },
        },
        {
            "Sid": "AllowScopedDeletion",
            "Effect": "Allow",
            "Action": ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"],
            "Resource": _ec2(rights, "instance", "launch-template"),
            "Condition": own,
        },
    )


def _iam_integration(rights: ControllerRights) -> PolicyDocument:
    """Karpenter makes an instance profile for every EC2NodeClass that names a role."""
    here = rights.region
    own = {**_owned(rights, "aws:ResourceTag"), "aws:ResourceTag/topology.kubernetes.io/region": here}
    requested = {**_marked(rights), "aws:RequestTag/topology.kubernetes.io/region": here}
    own_name = {"aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": _named(rights)}
    requested_name = {"aws:RequestTag/karpenter.k8s.aws/ec2nodeclass": _named(rights)}
    return document(
        {
            "Sid": "AllowPassingInstanceRole",
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": rights.node_role_arn,
            "Condition": {"StringEquals": {"iam:PassedToService": ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]}},
        },
        {
            "Sid": "AllowScopedInstanceProfileCreationActions",
            "Effect": "Allow",
            "Action": ["iam:CreateInstanceProfile"],
            "Resource": _instance_profiles(rights),
            "Condition": {"StringEquals": requested, "StringLike": requested_name},
        },
        {
            "Sid": "AllowScopedInstanceProfileTagActions",
            "Effect": "Allow",
            "Action": ["iam:TagInstanceProfile"],
            "Resource": _instance_profiles(rights),
            "Condition": {"StringEquals": {**own, **requested}, "StringLike": {**own_name, **requested_name}},
        },
        {
            "Sid": "AllowScopedInstanceProfileActions",
            "Effect": "Allow",
            "Action": [
                "iam:AddRoleToInstanceProfile",
                "iam:RemoveRoleFromInstanceProfile",
                "iam:DeleteInstanceProfile",
            ],
            "Resource": _instance_profiles(rights),
            "Condition": {"StringEquals": own, "StringLike": own_name},
        },
    )


def _instance_profiles(rights: ControllerRights) -> str:
    return f"arn:{partition(rights.region)}:iam::{rights.account_id}:instance-profile/*"


def _resource_discovery(rights: ControllerRights) -> PolicyDocument:
    return document(
        {
            "Sid": "AllowRegionalReadActions",
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeCapacityReservations",
                "ec2:DescribeImages",
                "ec2:DescribeInstances",
                "ec2:DescribeInstanceStatus",
                "ec2:DescribeInstanceTypeOfferings",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplates",
                "ec2:DescribePlacementGroups",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSpotPriceHistory",
                "ec2:DescribeSubnets",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": rights.region}},
        },
        {
            "Sid": "AllowSSMReadActions",
            "Effect": "Allow",
            "Action": ["ssm:GetParameter"],
            "Resource": f"arn:{partition(rights.region)}:ssm:{rights.region}::parameter/aws/service/*",
        },
        {
            "Sid": "AllowPricingReadActions",
            "Effect": "Allow",
            "Action": ["pricing:GetProducts"],
            "Resource": "*",
        },
        {
            "Sid": "AllowUnscopedInstanceProfileListAction",
            "Effect": "Allow",
            "Action": ["iam:ListInstanceProfiles"],
            "Resource": "*",
        },
        {
            "Sid": "AllowInstanceProfileReadActions",
            "Effect": "Allow",
            "Action": ["iam:GetInstanceProfile"],
            "Resource": _instance_profiles(rights),
        },
    )
