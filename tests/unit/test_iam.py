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
}


@pytest.fixture(scope="session")
def known_actions() -> set[str]:
    return {action.lower() for action in get_all_actions()}


@pytest.mark.parametrize("name", DOCUMENTS)
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


def test_nobody_uses_the_cluster_key_but_eks_through_its_grant() -> None:
    administer, grant = DOCUMENTS["cluster key"]["Statement"]
    assert administer["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert not {"kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"} & set(administer["Action"])
    assert grant["Action"] == ["kms:CreateGrant"]
    assert "Condition" not in grant  # EKS' CreateCluster passes none of those that narrow grants


def test_vpc_cni_reads_what_its_present_versions_read() -> None:
    assert {"ec2:DescribeSubnets", "ec2:DescribeSecurityGroups"} <= set(
        DOCUMENTS["vpc-cni for IPv6"]["Statement"][0]["Action"]
    )


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [
        ("us-east-1", "aws", "amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
        ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
        ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
        ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
    ],
)
def test_the_partition_follows_from_the_region(region: str, partition: str, suffix: str) -> None:
    assert (iam.partition(region), iam.dns_suffix(region)) == (partition, suffix)
    assert iam.managed_policy_arn(region, "AmazonEBSCSIDriverPolicyV2") == (
        f"arn:{partition}:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"
    )
    assert str(iam.cluster_key_policy(region, ACCOUNT)).count(f"arn:{partition}:iam::{ACCOUNT}:root") == 2
