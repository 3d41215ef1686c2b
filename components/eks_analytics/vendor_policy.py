"""The IAM policy printed in Dash Enterprise's guide, for a given account. Pure.

It serves the vendor's own `provision_infra_aws.sh` only, which works through eksctl and CloudFormation. It cannot
deploy this program: for that there is `deployer.deployer_policy`.
"""

from .iam import PolicyDocument

LONGEST_STACK_NAME_PART = 17
"""CloudFormation shortens the name of eksctl's stack to 24 characters in names of roles; `eksctl-` takes seven."""

NOTES = (
    "Serves the vendor's own provisioning script (eksctl) only; it cannot deploy this program.",
    "Account id, partition and cluster name are filled in; the guide has `&lt;your-aws-account-id&gt;`, with HTML "
    "escapes, and `arn:aws:` for every partition.",
    "iam:ListInstanceProfiles knows no resources and stands on `*`; the guide scopes it, and IAM then never allows it.",
    "iam:PassRole of AmazonEKS_EBS_CSI_DriverRole: of this account instead of `arn:aws:iam::*:`, and to EKS only.",
    "iam:PassRole of eksctl's roles: to EKS, Fargate and EC2 only; the guide passes them to any service.",
    "iam:CreateServiceLinkedRole: one statement instead of two, on role/aws-service-role/ instead of `*`.",
    "eksctl's roles and instance profiles: those of this cluster instead of every `eksctl-*`.",
    "ssm:GetParameter(s): the public parameters below /aws belong to no account, so the ARN with one matched nothing.",
    "iam:GetRole stands once: the guide repeats it for roles that role/* covers.",
    "As the script is not published, the guide's wildcards stay: autoscaling:*, cloudformation:*, cloudwatch:*, "
    "ec2:*, eks:* and elasticloadbalancing:*, and kms:CreateGrant and logs:PutRetentionPolicy on `*`. Whoever has "
    "ec2:* can end every instance of the account: use an account of its own.",
)
"""What it is for, and what differs from the guide."""

_SERVICES_WITH_LINKED_ROLES = (
    "autoscaling",
    "ec2scheduled",
    "eks",
    "eks-fargate",
    "eks-nodegroup",
    "elasticloadbalancing",
    "spot",
    "spotfleet",
    "transitgateway",
)


def vendor_policy(partition: str, account_id: str, cluster_name: str) -> PolicyDocument:
    """The guide's policy with its faults corrected, each of them told in `NOTES`.

    For the vendor's own provisioning script only: it cannot deploy this program.
    """
    account = f"arn:{partition}:iam::{account_id}"
    stack = f"eksctl-{cluster_name[:LONGEST_STACK_NAME_PART]}*"
    roles = [f"{account}:role/{stack}", f"{account}:role/eksctl-managed-*"]
    profiles = f"{account}:instance-profile/{stack}"
    ec2 = "ec2.amazonaws.com.cn" if partition == "aws-cn" else "ec2.amazonaws.com"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ProvisionCluster",
                "Effect": "Allow",
                "Action": [
                    "autoscaling:*",
                    "cloudformation:*",
                    "cloudwatch:*",
                    "ec2:*",
                    "eks:*",
                    "elasticloadbalancing:*",
                    "iam:ListInstanceProfiles",
                    "kms:CreateGrant",
                    "kms:DescribeKey",
                    "logs:PutRetentionPolicy",
                ],
                "Resource": "*",
            },
            {
                "Sid": "MakeServiceLinkedRoles",
                "Effect": "Allow",
                "Action": ["iam:CreateServiceLinkedRole"],
                "Resource": f"{account}:role/aws-service-role/*",
                "Condition": {
                    "StringEquals": {
                        "iam:AWSServiceName": [f"{name}.amazonaws.com" for name in _SERVICES_WITH_LINKED_ROLES]
                    }
                },
            },
            {
                "Sid": "ReadRoles",
                "Effect": "Allow",
                "Action": ["iam:GetRole"],
                "Resource": f"{account}:role/*",
            },
            {
                "Sid": "ManageEksctlIdentities",
                "Effect": "Allow",
                "Action": [
                    "iam:AddRoleToInstanceProfile",
                    "iam:AttachRolePolicy",
                    "iam:CreateInstanceProfile",
                    "iam:CreateOpenIDConnectProvider",
                    "iam:CreateRole",
                    "iam:DeleteInstanceProfile",
                    "iam:DeleteOpenIDConnectProvider",
                    "iam:DeleteRole",
                    "iam:DeleteRolePolicy",
                    "iam:DetachRolePolicy",
                    "iam:GetInstanceProfile",
                    "iam:GetOpenIDConnectProvider",
                    "iam:GetRolePolicy",
                    "iam:ListAttachedRolePolicies",
                    "iam:ListInstanceProfilesForRole",
                    "iam:PutRolePolicy",
                    "iam:RemoveRoleFromInstanceProfile",
                    "iam:TagOpenIDConnectProvider",
                    "iam:TagRole",
                ],
                "Resource": [f"{account}:oidc-provider/*", profiles, *roles],
            },
            {
                "Sid": "PassEksctlRoles",
                "Effect": "Allow",
                "Action": ["iam:PassRole"],
                "Resource": roles,
                "Condition": {
                    "StringEquals": {
                        "iam:PassedToService": ["eks.amazonaws.com", "eks-fargate-pods.amazonaws.com", ec2]
                    }
                },
            },
            {
                "Sid": "PassEbsDriverRole",
                "Effect": "Allow",
                "Action": ["iam:PassRole"],
                "Resource": f"{account}:role/AmazonEKS_EBS_CSI_DriverRole",
                "Condition": {"StringEquals": {"iam:PassedToService": ["eks.amazonaws.com", "pods.eks.amazonaws.com"]}},
            },
            {
                "Sid": "ReadPublicParameters",
                "Effect": "Allow",
                "Action": ["ssm:GetParameter", "ssm:GetParameters"],
                "Resource": f"arn:{partition}:ssm:*::parameter/aws/*",
            },
        ],
    }
