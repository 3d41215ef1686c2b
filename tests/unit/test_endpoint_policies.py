"""Policies of VPC endpoints: whose credentials count inside of the VPC, and what everybody may read."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.querying.all import get_all_actions

from eks_analytics.endpoint_policies import POLICY_SUPPORT, aws_buckets, interface_endpoint_policy, s3_endpoint_policy
from eks_analytics.endpoints import PRIVATE_CLUSTER_ENDPOINTS
from eks_analytics.network import Network
from recording import Recorder

ACCOUNT, REGION = "123456789012", "us-east-1"


def allows(policy: Any, action: str, resource: str, principal_account: str | None) -> bool:
    """Whether a request goes through; without a principal it is anonymous."""
    for statement in policy["Statement"]:
        wanted = statement.get("Condition", {}).get("StringEquals", {})
        resources = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        known = {"aws:PrincipalAccount": principal_account, "aws:ResourceAccount": resource.split(":")[4] or None}
        if (
            any(fnmatchcase(action, one) for one in statement["Action"])
            and any(fnmatchcase(resource, one) for one in resources)
            and all(known[key] == value for key, value in wanted.items())
        ):
            return True
    return False


@pytest.mark.parametrize("internet", [True, False])
def test_nobody_but_the_account_writes_to_a_bucket_through_the_endpoint(internet: bool) -> None:
    policy = s3_endpoint_policy(REGION, ACCOUNT, internet=internet)
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:ListBucket"):
        assert allows(policy, action, "arn:aws:s3:::anybodys/x", ACCOUNT)
        assert not allows(policy, action, "arn:aws:s3:::anybodys/x", "210987654321")
        assert not allows(policy, action, "arn:aws:s3:::anybodys/x", None)


def test_images_and_packages_are_read_by_everybody_and_without_internet_from_awss_buckets_only() -> None:
    layers = "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/layer"
    third_party = "arn:aws:s3:::prod-registry-k8s-io-us-east-1/containers/images/sha256"
    with_internet, isolated = (s3_endpoint_policy(REGION, ACCOUNT, internet=internet) for internet in (True, False))
    assert allows(isolated, "s3:GetObject", layers, None)
    assert allows(with_internet, "s3:GetObject", third_party, None)
    assert not allows(isolated, "s3:GetObject", third_party, None)
    assert all(REGION in bucket for bucket in aws_buckets(REGION))


@pytest.mark.parametrize("service", sorted(POLICY_SUPPORT))
def test_credentials_of_other_accounts_do_not_count_at_an_interface_endpoint(service: str) -> None:
    policy = interface_endpoint_policy(service, REGION, ACCOUNT)
    action = f"{service.split('.')[0]}:DoSomething"
    assert allows(policy, action, "arn:aws:x:::y", ACCOUNT)
    assert not allows(policy, action, "arn:aws:x:::y", "210987654321")
    assert not allows(policy, action, "arn:aws:x:::y", None)


def test_pods_take_roles_of_the_account_without_credentials_and_no_others() -> None:
    policy = interface_endpoint_policy("sts", REGION, ACCOUNT)
    action = "sts:AssumeRoleWithWebIdentity"
    assert allows(policy, action, f"arn:aws:iam::{ACCOUNT}:role/app", None)
    assert not allows(policy, action, "arn:aws:iam::210987654321:role/app", None)


def test_a_service_without_policies_gets_none() -> None:
    assert interface_endpoint_policy("eks-auth", REGION, ACCOUNT) is None
    assert interface_endpoint_policy("com.amazonaws.vpce.us-east-1.vpce-svc-1", REGION, ACCOUNT) is None


def test_every_action_exists_and_other_partitions_have_their_own_arns() -> None:
    documents = [s3_endpoint_policy("cn-north-1", ACCOUNT, internet=False)]
    documents += [found for one in POLICY_SUPPORT if (found := interface_endpoint_policy(one, "cn-north-1", ACCOUNT))]
    actions = {action for one in documents for statement in one["Statement"] for action in statement.get("Action", [])}
    assert {action for action in actions if "*" not in action} <= set(get_all_actions())
    assert "arn:aws:" not in json.dumps(documents)


def test_every_endpoint_of_a_network_has_the_policy_of_its_service(recorder: Recorder) -> None:
    recorder.outputs["aws:ec2/vpc:Vpc"] = {"ownerId": ACCOUNT, "cidrBlock": "10.0.0.0/16"}
    arguments: Any = {
        "cluster_name": "c",
        "region": REGION,
        "availability_zones": ["us-east-1a", "us-east-1b"],
        "nat_gateways": "none",
        "interface_endpoints": ["private-cluster"],
    }
    recorder.run(lambda: Network("n", arguments))
    made = {name: found.inputs.get("policy") for name, found in recorder.of("VpcEndpoint").items()}
    assert json.loads(made.pop("n-endpoint-s3") or "") == s3_endpoint_policy(REGION, ACCOUNT, internet=False)
    assert {name: json.loads(policy) if policy else None for name, policy in made.items()} == {
        f"n-endpoint-{service}": interface_endpoint_policy(service, REGION, ACCOUNT)
        for service in PRIVATE_CLUSTER_ENDPOINTS
    }
    assert {name.removeprefix("n-endpoint-") for name, policy in made.items() if not policy} == {
        *("eks", "eks-auth", "ssmmessages")
    }
