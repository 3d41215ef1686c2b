"""IAM and key policy documents as plain data: pure functions, so that they can be linted and read without a cloud."""

import json
import re
from typing import Any, TypedDict

from .partitions import dns_suffix, partition

LARGEST_POLICY = 6144
"""Characters without white space that IAM takes as a managed policy; all policies inside of a role may have 10,240."""
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
IRSA_AUDIENCE = "sts.amazonaws.com"
"""Audience of the tokens that EKS mounts into pods, the same in every partition: the default of `--token-audience` in
https://github.com/aws/amazon-eks-pod-identity-webhook."""


class Statement(TypedDict, total=False):
    """One statement of a policy document."""

    Sid: str
    Effect: str
    Principal: dict[str, str]
    Action: list[str]
    Resource: str | list[str]
    Condition: dict[str, dict[str, Any]]


class PolicyDocument(TypedDict):
    """A policy document as IAM takes it."""

    Version: str
    Statement: list[Statement]


def managed_policy_arn(region: str, name: str) -> str:
    """The ARN of a policy that AWS manages, for example `AmazonEKS_CNI_Policy`."""
    return f"arn:{partition(region)}:iam::aws:policy/{name}"


def cluster_arn(region: str, account_id: str, cluster_name: str) -> str:
    """The ARN that an EKS cluster will have: known before the cluster exists."""
    return f"arn:{partition(region)}:eks:{region}:{account_id}:cluster/{cluster_name}"


def policy_size(policy: PolicyDocument) -> int:
    """Characters of a document as IAM counts them: without white space."""
    return len(re.sub(r"\s", "", json.dumps(policy)))


def document(*statements: Statement) -> PolicyDocument:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def cluster_admin_policy_arn(region: str) -> str:
    """The ARN of EKS' access policy that makes a principal an administrator of a cluster."""
    return f"arn:{partition(region)}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def instance_trust(region: str, sid: str) -> PolicyDocument:
    """Lets EC2 instances take a role."""
    return document(
        {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": f"ec2.{dns_suffix(region)}"},
            "Action": ["sts:AssumeRole"],
        }
    )


def node_trust(region: str) -> PolicyDocument:
    """Lets EC2 instances take the node role."""
    return instance_trust(region, "NodesAssumeRole")


def key_administration(region: str, account_id: str, *more: str) -> Statement:
    """Lets IAM policies of the account allow the administration of a key, with `more` actions; not its use."""
    return {
        "Sid": "AdministerKeyThroughIam",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:{partition(region)}:iam::{account_id}:root"},
        "Action": sorted(
            [
                "kms:CancelKeyDeletion",
                "kms:CreateAlias",
                "kms:DeleteAlias",
                "kms:DescribeKey",
                "kms:DisableKey",
                "kms:DisableKeyRotation",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListKeyPolicies",
                "kms:ListResourceTags",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
                *more,
            ]
        ),
        "Resource": "*",
    }


def logs_use_key(region: str, log_group_arn: str) -> Statement:
    """Lets CloudWatch Logs encrypt one log group with a key.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    return {
        "Sid": "LogsEncryptTheirGroup",
        "Effect": "Allow",
        "Principal": {"Service": f"logs.{region}.{dns_suffix(region)}"},
        "Action": ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        "Resource": "*",
        "Condition": {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": log_group_arn}},
    }


def session_manager(region: str, account_id: str, log_group_arn: str = "") -> list[Statement]:
    """Lets an instance be reached through Session Manager, and nothing else of Systems Manager; with a log group, lets
    it write transcripts of sessions there.

    Instead of AmazonSSMManagedInstanceCore, which reads every parameter of the account:
    https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
    The instance has no id before its role, and AWS defines no resources for the channels.
    """
    transcripts: list[Statement] = [
        {
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
            "Sid": "WriteSessionTranscripts",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [log_group_arn, f"{log_group_arn}:*"],
        },
        {
            "Sid": "FindLogGroupOfSessions",  # a list operation: it cannot be limited to one group
            "Effect": "Allow",
            "Action": ["logs:DescribeLogGroups"],
            "Resource": f"{log_group_arn.partition(':log-group:')[0]}:log-group:*",
        },
    ]
    return [
        {
            "Sid": "RegisterWithSystemsManager",
            "Effect": "Allow",
            "Action": ["ssm:UpdateInstanceInformation"],
            "Resource": f"arn:{partition(region)}:ec2:{region}:{account_id}:instance/*",
        },
        {
            "Sid": "SessionManager",
            "Effect": "Allow",
            "Action": [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ],
            "Resource": "*",
        },
        *(transcripts if log_group_arn else []),
    ]


def pod_identity_trust(
    region: str, account_id: str, cluster_name: str, namespace: str, service_account: str
) -> PolicyDocument:
    """Lets the pods of one service account in one cluster take a role through EKS Pod Identity.

    Pod Identity sends these request tags with every session:
    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html
    """
    return document(
        {
            "Sid": "PodsAssumeRole",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": cluster_arn(region, account_id, cluster_name),
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                }
            },
        }
    )


def service_account_trust(oidc_provider_arn: str, namespace: str, service_account: str) -> PolicyDocument:
    """Lets the pods of one service account take a role through the cluster's OIDC provider."""
    issuer = oidc_provider_arn.partition(":oidc-provider/")[2]
    return document(
        {
            "Sid": "PodsAssumeRoleThroughOidc",
            "Effect": "Allow",
            "Principal": {"Federated": oidc_provider_arn},
            "Action": ["sts:AssumeRoleWithWebIdentity"],
            "Condition": {
                "StringEquals": {
                    f"{issuer}:aud": IRSA_AUDIENCE,
                    f"{issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}",
                }
            },
        }
    )


def vpc_cni_ipv6(region: str) -> PolicyDocument:
    """What vpc-cni needs in an IPv6 cluster, for which AWS offers no managed policy; 1.22.1 and later look at subnets
    and security groups too.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-iam-role.html#cni-iam-role-create-ipv6-policy
    """
    return document(
        {
            "Sid": "AssignIpv6Addresses",
            "Effect": "Allow",
            "Action": [
                "ec2:AssignIpv6Addresses",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeInstances",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeTags",
            ],
            "Resource": "*",
        },
        {
            "Sid": "TagNetworkInterfaces",
            "Effect": "Allow",
            "Action": ["ec2:CreateTags"],
            "Resource": f"arn:{partition(region)}:ec2:*:*:network-interface/*",
        },
    )


def cluster_key_policy(region: str, account_id: str) -> PolicyDocument:
    """Who may do what with the key of an environment: it encrypts the cluster's Kubernetes secrets, and secrets and
    files of what is installed there.

    IAM decides who administers it. Nobody may encrypt or decrypt with it directly. EKS does, through the grant that is
    made for it, by whoever creates the cluster, while the cluster is created. The grant bears no condition:
    "kms:GrantIsForAWSResource is not supported for the CreateCluster action"
    (https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html). Secrets Manager and S3 do, for whom IAM lets
    use the key: https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html.
    """
    account = {"AWS": f"arn:{partition(region)}:iam::{account_id}:root"}
    return document(
        key_administration(
            region,
            account_id,
            *("kms:ListGrants", "kms:ListKeyRotations", "kms:RevokeGrant", "kms:RotateKeyOnDemand"),
        ),
        {
            "Sid": "GrantUseOfTheKey",
            "Effect": "Allow",
            "Principal": account,
            "Action": ["kms:CreateGrant"],
            "Resource": "*",
        },
        {
            "Sid": "UseThroughSecretsManagerAndS3",
            "Effect": "Allow",
            "Principal": account,
            "Action": [
                "kms:Decrypt",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            "Resource": "*",
            "Condition": {
                "StringEquals": {
                    "kms:CallerAccount": account_id,
                    "kms:ViaService": [
                        f"{service}.{region}.{dns_suffix(region)}" for service in ("secretsmanager", "s3")
                    ],
                }
            },
        },
    )


def tls_only_bucket_policy(bucket_arn: str) -> PolicyDocument:
    """Refuses whoever talks to the bucket without TLS; lets nobody in."""
    return document(
        {
            "Sid": "DenyWithoutTls",
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": ["s3:*"],
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
