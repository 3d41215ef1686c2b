"""The load balancer controller's policies: upstream's actions, narrowed to one cluster in one VPC."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from parliament import analyze_policy_string
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from eks_analytics.iam import LARGEST_POLICY, policy_size, service_account_trust
from eks_analytics.load_balancer_controller_policy import (
    CLUSTER_TAG,
    ControllerScope,
    load_balancer_controller_policies,
)

UPSTREAM = Path(__file__).resolve().parents[3] / "shared/reference/data/aws-lbc/iam_policy.json"
VPC = "vpc-0123456789abcdef0"
E6DATA = {"app": "e6data"}
MOST = {"restricted_tags": E6DATA, "enable_waf": True, "enable_wafv2": True, "enable_shield": True}
FIREWALLS = {
    **dict.fromkeys(("AssociateWebACL", "DisassociateWebACL", "GetWebACL", "GetWebACLForResource"), "waf"),
    **dict.fromkeys(("CreateProtection", "DeleteProtection", "DescribeProtection", "GetSubscriptionState"), "shield"),
}
# What parliament finds wrong in AWS's own policies, too: a new action, a new key, one action's resources in two places.
FALSE_FINDINGS = ("elasticloadbalancing:ModifyIpPools", "elasticloadbalancing:CreateAction", "ec2:CreateSecurityGroup")


def statements(**changes: Any) -> list[dict[str, Any]]:
    """All statements of both documents."""
    scope: dict[str, Any] = {"region": "us-east-1", "vpc_id": VPC, "cluster_name": "analytics", **changes}
    documents: Any = load_balancer_controller_policies(ControllerScope(**scope))
    return [statement for document in documents.values() for statement in document["Statement"]]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def actions(found: list[dict[str, Any]]) -> set[str]:
    return {action for statement in found for action in listed(statement["Action"])}


def mutates(action: str) -> bool:
    service, name = action.split(":")
    levels = {entry["access_level"] for entry in get_action_data(service, name)[service]}
    return not levels <= {"List", "Read"}


def by_sid(sid: str, **changes: Any) -> dict[str, Any]:
    return next(statement for statement in statements(**changes) if statement["Sid"] == sid)


@pytest.fixture(scope="module")
def upstream() -> list[dict[str, Any]]:
    if not UPSTREAM.is_file():
        pytest.skip("upstream's policy is not at hand")
    return json.loads(UPSTREAM.read_text())["Statement"]


def test_with_everything_enabled_the_actions_are_upstreams(upstream: list[dict[str, Any]]) -> None:
    assert actions(statements(**MOST)) == actions(upstream)


def test_without_waf_and_shield_theirs_are_missing_and_no_others(upstream: list[dict[str, Any]]) -> None:
    missing = actions(upstream) - actions(statements())
    assert {action for action in missing if action.split(":")[0] in ("wafv2", "waf-regional", "shield")} == {
        action for action in actions(upstream) if action.split(":")[1] in FIREWALLS
    }
    assert {action for action in missing if action.startswith("elasticloadbalancing:")} == {
        "elasticloadbalancing:SetWebAcl"
    }
    assert len(missing) == 13


def weakened(conditions: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Conditions as upstream has them: a tag with this cluster's name is a tag that is there."""
    found: set[tuple[str, str, str]] = set()
    for operator, keys in conditions.items():
        for key, value in keys.items():
            if operator == "StringEquals" and key.endswith(f"/{CLUSTER_TAG}"):
                found.add(("Null", key, "false"))
            else:
                found |= {(operator, key, one) for one in listed(value)}
    return found


@pytest.mark.parametrize("changes", [{}, MOST])
def test_no_statement_allows_what_upstreams_does_not(upstream: list[dict[str, Any]], changes: dict[str, Any]) -> None:
    for statement in statements(**changes):
        mine = weakened(statement.get("Condition", {}))
        for action in statement["Action"]:
            granting = [one for one in upstream if action in listed(one["Action"])]
            if action == "elasticloadbalancing:AddTags":
                # Upstream tags listeners and rules without a condition; at creation its condition names two actions.
                assert mine & {("Null", f"aws:{part}Tag/{CLUSTER_TAG}", "false") for part in ("Request", "Resource")}
                continue
            assert any(weakened(one.get("Condition", {})) <= mine for one in granting), (action, mine)


def test_ingress_rules_change_in_the_clusters_vpc_only() -> None:
    allowing = [one for one in statements(**MOST) if "ec2:AuthorizeSecurityGroupIngress" in one["Action"]]
    assert [one["Condition"]["ArnEquals"] for one in allowing] == [{"ec2:Vpc": f"arn:aws:ec2:us-east-1:*:vpc/{VPC}"}]
    assert "ec2:RevokeSecurityGroupIngress" in allowing[0]["Action"]


def test_security_groups_are_made_in_that_vpc_and_with_the_clusters_tag() -> None:
    assert by_sid("MakeSecurityGroupsIn")["Resource"] == f"arn:aws:ec2:us-east-1:*:vpc/{VPC}"
    made = by_sid("MakeSecurityGroups")
    assert made["Resource"] == "arn:aws:ec2:us-east-1:*:security-group/*"
    assert made["Condition"] == {"StringEquals": {f"aws:RequestTag/{CLUSTER_TAG}": "analytics"}}


@pytest.mark.parametrize("changes", [{}, {"restricted_tags": E6DATA}, MOST])
def test_what_changes_something_is_bound_to_the_cluster_the_vpc_or_the_region(changes: dict[str, Any]) -> None:
    for statement in statements(**changes):
        for action in filter(mutates, statement["Action"]):
            bound = statement.get("Condition") or statement["Resource"] == f"arn:aws:ec2:us-east-1:*:vpc/{VPC}"
            assert bound, action


@pytest.mark.parametrize("changes", [{}, {"restricted_tags": E6DATA}, MOST])
def test_no_change_is_allowed_on_everything_without_a_condition(changes: dict[str, Any]) -> None:
    free = [one for one in statements(**changes) if "*" in listed(one["Resource"]) and "Condition" not in one]
    assert [action for one in free for action in one["Action"] if mutates(action)] == []


def test_load_balancers_of_another_cluster_are_out_of_reach() -> None:
    for sid in (
        "ChangeLoadBalancers",
        "ChangeTargets",
        "TagLoadBalancers",
        "DeleteSecurityGroups",
        "TagSecurityGroups",
    ):
        assert by_sid(sid)["Condition"]["StringEquals"] == {f"aws:ResourceTag/{CLUSTER_TAG}": "analytics"}


def test_the_controller_cannot_make_a_thing_its_own_by_a_tag() -> None:
    for sid in ("TagLoadBalancers", "TagSecurityGroups"):
        assert by_sid(sid)["Condition"]["Null"] == {f"aws:RequestTag/{CLUSTER_TAG}": "true"}
    created = by_sid("TagNewLoadBalancers")["Condition"]["StringEquals"]["elasticloadbalancing:CreateAction"]
    assert sorted(created) == ["CreateListener", "CreateLoadBalancer", "CreateRule", "CreateTargetGroup"]


def test_restricted_tags_are_demanded_of_all_that_is_made_or_changed() -> None:
    free = {"DescribeNetwork", "DescribeOthers", "MakeServiceLinkedRole", "MakeSecurityGroupsIn"}
    for statement in statements(restricted_tags=E6DATA):
        demanded = statement.get("Condition", {}).get("StringEquals", {})
        tags = {value for key, value in demanded.items() if key in ("aws:RequestTag/app", "aws:ResourceTag/app")}
        assert tags == (set() if statement["Sid"] in free else {"e6data"}), statement["Sid"]


@pytest.mark.parametrize(
    ("changes", "services"),
    [
        ({}, set()),
        ({"enable_waf": True}, {"waf-regional"}),
        ({"enable_wafv2": True}, {"wafv2"}),
        ({"enable_shield": True}, {"shield"}),
        (MOST, {"waf-regional", "wafv2", "shield"}),
    ],
)
def test_firewall_actions_are_there_only_where_enabled(changes: dict[str, Any], services: set[str]) -> None:
    found = {action.split(":")[0] for action in actions(statements(**changes))}
    assert found & {"waf-regional", "wafv2", "shield"} == services
    assert ("elasticloadbalancing:SetWebAcl" in actions(statements(**changes))) == bool(services - {"shield"})


def test_web_acls_are_bound_in_the_region_and_shield_is_asked_where_it_is() -> None:
    assert by_sid("AcceptWebAcls", region="eu-west-3", **MOST)["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": "eu-west-3"}
    }
    assert by_sid("ProtectByShield", region="eu-west-3", **MOST)["Condition"] == {
        "StringEquals": {"aws:RequestedRegion": "us-east-1"}
    }
    assert by_sid("AssociateWebAcls", **MOST)["Resource"] == [
        "arn:aws:waf-regional:us-east-1:*:webacl/*",
        "arn:aws:wafv2:us-east-1:*:regional/webacl/*/*",
        "arn:aws:elasticloadbalancing:us-east-1:*:loadbalancer/app/*/*",
    ]


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_arns_are_those_of_the_partition(region: str) -> None:
    partitions = set(re.findall(r"arn:([a-z-]+):", json.dumps(statements(region=region, **MOST))))
    assert partitions == {{"us-gov-west-1": "aws-us-gov", "cn-north-1": "aws-cn", "eusc-de-east-1": "aws-eusc"}[region]}


def test_each_document_is_short_enough_for_the_longest_cluster_name() -> None:
    scope = ControllerScope("us-isob-east-1", VPC, "c" * 100, **MOST)
    sizes = [policy_size(document) for document in load_balancer_controller_policies(scope).values()]
    assert max(sizes) < LARGEST_POLICY
    assert sum(sizes) < 10_240  # of all policies that lie inside of one role


def test_every_action_exists_and_none_is_a_wildcard() -> None:
    known = {action.lower() for action in get_all_actions()}
    assert [action for action in actions(statements(**MOST)) if action.lower() not in known] == []


def test_every_statement_says_what_it_is_for() -> None:
    sids = [statement["Sid"] for statement in statements(**MOST)]
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", sid) for sid in sids)
    assert len(sids) == len(set(sids))


@pytest.mark.parametrize("changes", [{}, MOST])
def test_a_linter_finds_nothing_wrong(changes: dict[str, Any]) -> None:
    scope = ControllerScope("us-east-1", VPC, "analytics", **changes)
    for document in load_balancer_controller_policies(scope).values():
        found = analyze_policy_string(json.dumps(document)).findings
        told = [one for one in found if one.issue != "RESOURCE_STAR" and not any(n in str(one) for n in FALSE_FINDINGS)]
        assert told == []


def test_a_trust_through_oidc_serves_one_service_account() -> None:
    provider = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
    (statement,) = service_account_trust(provider, "kube-system", "controller")["Statement"]
    assert statement["Principal"] == {"Federated": provider}
    assert statement["Condition"] == {
        "StringEquals": {
            "oidc.eks.us-east-1.amazonaws.com/id/ABC:aud": "sts.amazonaws.com",
            "oidc.eks.us-east-1.amazonaws.com/id/ABC:sub": "system:serviceaccount:kube-system:controller",
        }
    }
