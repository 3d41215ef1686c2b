"""Policy and trust documents: known actions, a Sid on each statement, no more than needed."""

import re
from typing import Any

import pytest
from policy_sentry.querying.all import get_all_actions

from eks_analytics import iam

REGION, ACCOUNT = "us-east-1", "123456789012"
DOCUMENTS: dict[str, Any] = {
    "node trust": iam.node_trust(REGION),
    "pod identity trust": iam.pod_identity_trust(REGION, ACCOUNT, "analytics", "kube-system", "aws-node"),
    "vpc-cni for IPv6": iam.vpc_cni_ipv6(REGION),
    "cluster key": iam.cluster_key_policy(REGION, ACCOUNT),
    "bucket": iam.tls_only_bucket_policy("arn:aws:s3:::files"),
}
USES = {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"}


@pytest.fixture(scope="session")
def known_actions() -> set[str]:
    return {action.lower() for action in get_all_actions()}


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - {"bucket"}))  # which denies every action
def test_every_action_exists_and_none_is_a_wildcard(name: str, known_actions: set[str]) -> None:
    actions = [action for statement in DOCUMENTS[name]["Statement"] for action in statement["Action"]]
    assert [action for action in actions if action.lower() not in known_actions] == []
    assert len(actions) == len(set(actions))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_statement_says_what_it_is_for(name: str) -> None:
    sids = [statement["Sid"] for statement in DOCUMENTS[name]["Statement"]]
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", sid) for sid in sids)
    assert len(sids) == len(set(sids))


def test_a_pod_identity_role_serves_one_service_account_in_one_cluster() -> None:
    (statement,) = DOCUMENTS["pod identity trust"]["Statement"]
    assert statement["Principal"] == {"Service": "pods.eks.amazonaws.com"}
    assert statement["Action"] == ["sts:AssumeRole", "sts:TagSession"]
    assert statement["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:us-east-1:123456789012:cluster/analytics",
        "aws:RequestTag/kubernetes-namespace": "kube-system",
        "aws:RequestTag/kubernetes-service-account": "aws-node",
    }


def test_nobody_uses_the_cluster_key_directly() -> None:
    administer, grant, use = DOCUMENTS["cluster key"]["Statement"]
    used_by = [statement["Sid"] for statement in (administer, grant, use) if USES & set(statement["Action"])]
    assert used_by == [use["Sid"]]
    assert {statement["Principal"]["AWS"] for statement in (administer, grant, use)} == {
        "arn:aws:iam::123456789012:root"
    }
    assert grant["Action"] == ["kms:CreateGrant"]
    assert "Condition" not in grant  # EKS' CreateCluster passes none of those that narrow grants


def test_secrets_manager_and_s3_of_the_account_use_the_cluster_key() -> None:
    use = DOCUMENTS["cluster key"]["Statement"][-1]
    # All that the key of AWS's own, aws/secretsmanager, allows; DescribeKey and CreateGrant stand above.
    assert {"kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey"} <= set(
        use["Action"]
    )
    assert use["Condition"] == {
        "StringEquals": {
            "kms:CallerAccount": ACCOUNT,
            "kms:ViaService": ["secretsmanager.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com"],
        }
    }
    china = iam.cluster_key_policy("cn-north-1", ACCOUNT)["Statement"][-1]
    assert "s3.cn-north-1.amazonaws.com.cn" in str(china)


def test_a_bucket_takes_nothing_without_tls_and_lets_nobody_in() -> None:
    (statement,) = DOCUMENTS["bucket"]["Statement"]
    assert (statement["Effect"], statement["Action"], statement["Principal"]) == ("Deny", ["s3:*"], {"AWS": "*"})
    assert statement["Resource"] == ["arn:aws:s3:::files", "arn:aws:s3:::files/*"]
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_vpc_cni_reads_what_its_present_versions_read() -> None:
    assert {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"} <= set(
        DOCUMENTS["vpc-cni for IPv6"]["Statement"][0]["Action"]
    )


def test_the_audience_of_pods_is_the_same_in_china() -> None:
    provider = "arn:aws-cn:iam::123456789012:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC"
    (statement,) = iam.service_account_trust(provider, "velero", "velero")["Statement"]
    assert statement.get("Condition", {})["StringEquals"] == {
        "oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC:aud": "sts.amazonaws.com",
        "oidc.eks.cn-north-1.amazonaws.com.cn/id/ABC:sub": "system:serviceaccount:velero:velero",
    }


@pytest.mark.parametrize(
    ("region", "partition"), [("us-east-1", "aws"), ("cn-north-1", "aws-cn"), ("us-isof-south-1", "aws-iso-f")]
)
def test_arns_are_of_the_regions_partition(region: str, partition: str) -> None:
    assert iam.managed_policy_arn(region, "AmazonEBSCSIDriverPolicyV2") == (
        f"arn:{partition}:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"
    )
    assert str(iam.cluster_key_policy(region, ACCOUNT)).count(f"arn:{partition}:iam::{ACCOUNT}:root") == 3
