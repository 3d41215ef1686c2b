"""What Karpenter may do: upstream's statements, bound to one cluster, each document small enough for IAM."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.all import get_all_actions

from eks_analytics.iam import LARGEST_POLICY, policy_size, service_account_trust
from eks_analytics.karpenter_policies import (
    CONTROLLER_POLICIES,
    INTERRUPTIONS,
    NODE_POLICIES,
    ControllerRights,
    controller_policies,
    most_names,
    queue_policy,
)

REFERENCE = Path(__file__).parents[3] / "shared/reference/data/karpenter"
ROLE = "arn:aws:iam::123456789012:role/analytics-node-1234567"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:analytics-interruption-1234567"
RIGHTS = ControllerRights("us-east-1", "123456789012", "analytics", ROLE, QUEUE)
E6DATA = replace(RIGHTS, names=("e6data-*",))
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
UPSTREAM = {
    "NodeLifecyclePolicy": "node-lifecycle",
    "IAMIntegrationPolicy": "iam-integration",
    "EKSIntegrationPolicy": "eks-integration",
    "InterruptionPolicy": "interruption",
    "ZonalShiftPolicy": "zonal-shift",
    "ResourceDiscoveryPolicy": "resource-discovery",
}
# What parliament 1.6 reports of policies that are right, and why it errs.
FALSE_FINDINGS = [
    ("RESOURCE_STAR", "*", "an advice: which statements stand on * has a test of its own here"),
    ("RESOURCE_MISMATCH", "ec2:RunInstances", "its resources are spread over three statements"),
    ("RESOURCE_MISMATCH", "ec2:CreateFleet", "its resources are spread over three statements"),
    ("RESOURCE_MISMATCH", "ssm:GetParameter", "knows no public parameters, whose ARN has no account"),
]


def statements(rights: ControllerRights = RIGHTS) -> Iterator[Any]:
    for document in controller_policies(rights).values():
        yield from document["Statement"]


def canonical(value: Any) -> Any:
    """A document without what means nothing: the order in lists, and lists of one."""
    if isinstance(value, dict):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((canonical(item) for item in value), key=repr)
        return items[0] if len(items) == 1 else items
    return value


def upstream() -> dict[str, Any]:
    file = REFERENCE / "controller-policies.derived.json"
    if not file.is_file():
        pytest.skip("upstream's policies are not here")
    text = file.read_text()
    for name, value in {
        "AWS::Partition": "aws",
        "AWS::Region": "us-east-1",
        "AWS::AccountId": "123456789012",
        "ClusterName": "analytics",
        "KarpenterNodeRole.Arn": ROLE,
        "KarpenterInterruptionQueue.Arn": QUEUE,
    }.items():
        text = text.replace("${" + name + "}", value)
    assert "${" not in text
    return json.loads(text)


def test_the_documents_are_upstreams() -> None:
    own = controller_policies(RIGHTS)
    assert {UPSTREAM[name]: canonical(found) for name, found in upstream().items()} == canonical(own)


def test_a_restriction_of_names_only_adds_conditions_on_names() -> None:
    for restricted, free in zip(statements(E6DATA), statements(RIGHTS), strict=True):
        names = restricted.get("Condition", {}).pop("StringLike", {})
        assert set(names) >= set(free.get("Condition", {}).pop("StringLike", {}))
        assert restricted == free
        assert set(names) <= {
            f"aws:{of}Tag/{key}"
            for of in ("Request", "Resource")
            for key in ("karpenter.sh/nodepool", "karpenter.k8s.aws/ec2nodeclass")
        }


def allowed(rights: ControllerRights, action: str, kind: str, tags: dict[str, str], resource: dict[str, str]) -> bool:
    """Whether a statement lets Karpenter act with these tags on a resource that bears those, as IAM would judge."""
    context = {"ec2:CreateAction": "CreateLaunchTemplate"}
    context |= {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    context |= {f"aws:ResourceTag/{key}": value for key, value in resource.items()}
    for statement in statements(rights):
        arns = statement["Resource"]
        if action not in statement["Action"] or not any(f":{kind}/" in arn for arn in [arns, *arns]):
            continue
        operators = {key: value for key, value in statement.get("Condition", {}).items() if "All" not in key}
        if all(
            any(fnmatchcase(context[key], pattern) for pattern in ([value] if isinstance(value, str) else value))
            if key in context
            else operator.endswith("IfExists")
            for operator, wanted in operators.items()
            for key, value in wanted.items()
        ):
            return True
    return False


def karpenter_tags(pool: str, node_class: str) -> dict[str, str]:
    """What Karpenter tags everything with; the pool is empty while it tries an EC2NodeClass."""
    return {
        "kubernetes.io/cluster/analytics": "owned",
        "eks:eks-cluster-name": "analytics",
        "karpenter.sh/nodepool": pool,
        "karpenter.k8s.aws/ec2nodeclass": node_class,
    }


@pytest.mark.parametrize("names", [("*",), ("e6data-*",), ("e6data-analytics", "e6data-reporting")])
@pytest.mark.parametrize("pool", ["e6data-analytics", ""], ids=["a node", "the trial of an EC2NodeClass"])
def test_karpenter_may_make_and_remove_what_is_within_its_names(names: tuple[str], pool: str) -> None:
    rights, tags = replace(RIGHTS, names=names), karpenter_tags(pool, "e6data-analytics")
    assert allowed(rights, "ec2:CreateLaunchTemplate", "launch-template", tags, {})
    assert allowed(rights, "ec2:CreateTags", "launch-template", tags, {})
    assert allowed(rights, "ec2:CreateFleet", "launch-template", tags, tags)
    assert allowed(rights, "ec2:RunInstances", "instance", tags, {})
    assert allowed(rights, "ec2:DeleteLaunchTemplate", "launch-template", {}, tags)
    assert allowed(rights, "ec2:TerminateInstances", "instance", {}, tags)


@pytest.mark.parametrize(
    ("names", "pool", "node_class"),
    [
        (("e6data-*",), "", "default"),
        (("e6data-*",), "default", "e6data-analytics"),
        (("e6data-analytics",), "", "default"),
        (("e6data-analytics", "e6data-reporting"), "e6data-other", "e6data-analytics"),
        (("e6data-analytics", "e6data-reporting"), "default", "default"),
    ],
)
def test_karpenter_may_not_touch_what_has_another_name(names: tuple[str, ...], pool: str, node_class: str) -> None:
    rights, tags = replace(RIGHTS, names=names), karpenter_tags(pool, node_class)
    assert not allowed(rights, "ec2:CreateLaunchTemplate", "launch-template", tags, {})
    assert not allowed(rights, "ec2:RunInstances", "instance", tags, {})
    assert not allowed(rights, "ec2:DeleteLaunchTemplate", "launch-template", {}, tags)
    assert not allowed(rights, "ec2:TerminateInstances", "instance", {}, tags)


def test_there_is_a_document_for_every_purpose() -> None:
    assert tuple(controller_policies(RIGHTS)) == CONTROLLER_POLICIES


@pytest.mark.parametrize("region", ["us-east-1", "ap-northeast-1", "us-isob-east-1", "cn-northwest-1"])
@pytest.mark.parametrize("names", [("*",), ("e6data-*",)])
def test_every_document_fits_into_a_managed_policy_with_the_longest_names(region: str, names: tuple[str]) -> None:
    rights = replace(RIGHTS, region=region, cluster_name="c" * 100, names=names, node_role_arn=ROLE + "x" * 64)
    sizes = {purpose: policy_size(document) for purpose, document in controller_policies(rights).items()}
    assert max(sizes.values()) < LARGEST_POLICY, sizes


def test_as_many_exact_names_fit_as_are_said_to() -> None:
    names = tuple(f"e6data-workspace{number:02}" for number in range(60))
    most = most_names(replace(RIGHTS, names=names))
    assert 25 < most < 40
    fitting, beyond = (
        max(map(policy_size, controller_policies(replace(RIGHTS, names=names[:count])).values()))
        for count in (most, most + 1)
    )
    assert fitting <= LARGEST_POLICY < beyond
    assert most_names(RIGHTS) == 1


def test_the_size_is_counted_as_iam_does() -> None:
    document = controller_policies(RIGHTS)["eks-integration"]
    assert policy_size(document) == len(json.dumps(document, separators=(",", ":")))


def test_every_action_exists_and_none_is_a_wildcard() -> None:
    known = {action.lower() for action in get_all_actions()}
    actions = [action for statement in statements() for action in statement["Action"]]
    assert [action for action in actions if action.lower() not in known] == []


def test_every_statement_says_what_it_is_for() -> None:
    sids = [statement["Sid"] for statement in statements()]
    assert all(re.fullmatch(r"[A-Z][A-Za-z0-9]+", sid) for sid in sids)
    assert len(sids) == len(set(sids))


def test_what_changes_something_stands_on_resources_or_under_conditions() -> None:
    on_all = [one for one in statements() if one["Resource"] == "*"]
    unbound = [action for one in on_all if "Condition" not in one for action in one["Action"]]
    assert sorted(unbound) == ["iam:ListInstanceProfiles", "pricing:GetProducts"]
    bound = [action for one in on_all if "Condition" in one for action in one["Action"]]
    assert all(re.match(r"ec2:Describe|arc-zonal-shift:Get", action) for action in bound)


def test_nothing_leaves_the_cluster_the_region_the_account_and_the_partition() -> None:
    far = replace(
        RIGHTS,
        region="cn-north-1",
        account_id="210987654321",
        cluster_name="other",
        node_role_arn="arn:aws-cn:iam::210987654321:role/x",
        queue_arn="arn:aws-cn:sqs:cn-north-1:210987654321:x",
    )
    text = json.dumps(controller_policies(far))
    assert not re.search(r"us-east-1|123456789012|analytics|arn:aws:", text)


def test_only_nodes_take_the_node_role() -> None:
    (passing,) = [one for one in statements() if one["Action"] == ["iam:PassRole"]]
    assert passing["Resource"] == ROLE
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"]


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_parliament_finds_nothing_but_what_it_is_wrong_about() -> None:
    from parliament import analyze_policy_string

    found: set[tuple[str, str]] = set()
    for document in controller_policies(RIGHTS).values():
        for finding in analyze_policy_string(json.dumps(document)).findings:
            details = finding.detail if isinstance(finding.detail, list) else [finding.detail]
            found |= {
                (finding.issue, str(one["action"] if isinstance(one, dict) and "action" in one else one))
                for one in details
            }
    false = [
        one for one in found for issue, pattern, _ in FALSE_FINDINGS if one[0] == issue and fnmatchcase(one[1], pattern)
    ]
    assert sorted(found - set(false)) == []
    for issue, pattern, _ in FALSE_FINDINGS:
        assert [one for one in found if one[0] == issue and fnmatchcase(one[1], pattern)], (issue, pattern)


# The queue.


def test_only_the_rules_send_to_the_queue_and_nobody_without_tls() -> None:
    rules = ["arn:aws:events:us-east-1:123456789012:rule/a", "arn:aws:events:us-east-1:123456789012:rule/b"]
    allow, deny = queue_policy(QUEUE, rules)["Statement"]
    assert allow.get("Principal") == {"Service": "events.amazonaws.com"}
    assert allow.get("Action") == ["sqs:SendMessage"]
    assert allow.get("Condition") == {"ArnEquals": {"aws:SourceArn": rules}}
    assert (deny.get("Effect"), deny.get("Action"), deny.get("Principal")) == ("Deny", ["sqs:*"], {"AWS": "*"})
    assert deny.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    assert {allow.get("Resource"), deny.get("Resource")} == {QUEUE}


def test_the_events_are_upstreams() -> None:
    file = REFERENCE / "cloudformation.yaml"
    if not file.is_file():
        pytest.skip("upstream's template is not here")
    text = file.read_text()
    found = re.findall(r"source:\n\s+- (\S+)\n\s+detail-type:\n\s+- (.+)\n", text)
    assert sorted(found) == sorted(INTERRUPTIONS.values())
    assert set(re.findall(r"aws:policy/(\w+)", text)) == {*NODE_POLICIES, "AmazonSSMManagedInstanceCore"}


# Who takes the roles.


def test_through_oidc_one_service_account_takes_the_role() -> None:
    (statement,) = service_account_trust(PROVIDER, "kube-system", "karpenter")["Statement"]
    issuer = "oidc.eks.us-east-1.amazonaws.com/id/ABC"
    assert statement.get("Principal") == {"Federated": PROVIDER}
    assert statement.get("Condition") == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": "system:serviceaccount:kube-system:karpenter",
        }
    }
    assert statement.get("Action") == ["sts:AssumeRoleWithWebIdentity"]
