"""What may be done through the VPC endpoints of a Network, as plain data: pure functions.

An endpoint's policy gives no rights. It limits whose credentials count inside of the VPC: without it, whoever runs code
there could send data anywhere with credentials that they brought along.
https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
"""

from collections.abc import Sequence

from .iam import PolicyDocument, Statement, document
from .partitions import partition

POLICY_SUPPORT = frozenset(
    {
        *("autoscaling", "ec2", "ecr.api", "ecr.dkr", "elasticloadbalancing", "events", "kms", "lambda", "logs"),
        *("monitoring", "secretsmanager", "sns", "sqs", "ssm", "sts"),
    }
)
"""Services whose guides document endpoint policies. AWS refuses an endpoint with a policy where the service takes none,
so that the others keep AWS's default, which lets everybody through.
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html"""


def _own_principals(actions: str, account_id: str) -> Statement:
    return {
        "Sid": "PrincipalsOfThisAccount",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [actions],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account_id}},
    }


def interface_endpoint_policy(service: str, region: str, account_id: str) -> PolicyDocument | None:
    """Lets the account's own principals through; None for a service that takes no policy."""
    if service not in POLICY_SUPPORT:
        return None
    statements = [_own_principals("*", account_id)]
    if service == "sts":
        # Pods with IRSA bear a token and no credentials yet, so that there is no principal:
        # https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
        statements.append(
            {
                "Sid": "PodsTakeRolesOfThisAccount",
                "Effect": "Allow",
                "Principal": {"AWS": "*"},
                "Action": ["sts:AssumeRoleWithWebIdentity"],
                "Resource": f"arn:{partition(region)}:iam::{account_id}:role/*",
                "Condition": {"StringEquals": {"aws:ResourceAccount": account_id}},
            }
        )
    return document(*statements)


def s3_endpoint_policy(region: str, account_id: str, *, internet: bool) -> PolicyDocument:
    """Lets the account's own principals do what IAM lets them, and everybody read objects.

    Registries and package repositories hand out signed URLs to buckets of theirs, or public ones, in the VPC's own
    region, and change them without notice: https://github.com/kubernetes/registry.k8s.io#stability. A network with
    `internet` therefore reads from any bucket. One without reaches no such registry, and reads from AWS's buckets only.
    """
    return document(
        _own_principals("s3:*", account_id),
        {
            "Sid": "ReadPackagesAndImages",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["s3:GetObject"],
            "Resource": "*" if internet else [f"arn:{partition(region)}:s3:::{name}/*" for name in aws_buckets(region)],
        },
    )


def aws_buckets(region: str) -> Sequence[str]:
    """Buckets from which AWS serves what nodes need."""
    return (
        # Layers of images: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
        f"prod-{region}-starport-layer-bucket",
        # Packages of Amazon Linux 2023: https://repost.aws/knowledge-center/ec2-al1-al2-update-yum-without-internet
        f"al2023-repos-{region}-de612dc2",
        # The agent of Session Manager and its updates:
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-technical-details.html
        f"amazon-ssm-{region}",
        f"amazon-ssm-packages-{region}",
        f"aws-ssm-{region}",
    )
