"""The deployer policy: small enough, known to AWS, bound to its stack; and the guide's policy without its faults."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from eks_analytics.backup_watch_options import BackupWatchOptions
from eks_analytics.deployer import (
    LARGEST_INLINE_POLICY,
    LARGEST_MANAGED_POLICY,
    creation_policy,
    deployer_policies,
    deployer_policy,
    notes,
    size,
)
from eks_analytics.deployer_options import DeployerOptions
from eks_analytics.deployer_statements import statements
from eks_analytics.velero_options import watch_name
from eks_analytics.vendor_policy import NOTES, vendor_policy
from operations.deployer_policy import options as options_of
from settings.models import Settings, VeleroSettings

ACCOUNT = "123456789012"
PLAIN = DeployerOptions(
    region="us-east-1",
    account_id=ACCOUNT,
    cluster_name="dash-dev",
    tags={"project": "eks-analytics", "stack": "dev"},
    base_domain="dash.dev.example.com",
    interface_endpoints=False,
    dns_firewall=False,
    load_balancers=True,
)
FULL = replace(
    PLAIN,
    hosted_zone_ids=("Z0123456789ABCDEFGHIJ",),
    interface_endpoints=True,
    ipv6=True,
    ssh_key_name="dash-enterprise-bootstrap_key",
    dns_firewall=True,
)
EXISTING = replace(
    PLAIN,
    existing_vpc_id="vpc-0a1b2c3d4e5f60718",
    existing_subnet_ids=("subnet-0a1b2c3d4e5f60718", "subnet-1a1b2c3d4e5f60718"),
    kms_key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555",
    ebs_csi_role=f"arn:aws:iam::{ACCOUNT}:role/platform/ebs-driver",
)
E6DATA = replace(
    PLAIN,
    cluster_name="e6data-dev",
    base_domain="",
    bootstrap=False,
    installation=False,
    karpenter=True,
)
BACKUPS = replace(PLAIN, backups=True, backup_bucket_name="example-backups", backup_replication=True)
IN_EXISTING_CLUSTER = replace(
    E6DATA,
    existing_vpc_id="vpc-0a1b2c3d4e5f60718",
    existing_subnet_ids=("subnet-0a1b2c3d4e5f60718",),
    makes_cluster=False,
)
WATCHED = replace(PLAIN, backup_watch=True)
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/deployment-boundary"
BOUNDED = replace(FULL, permissions_boundary_arn=BOUNDARY)
POLICIES: dict[str, Any] = {
    "bounded": deployer_policy(BOUNDED),
    "creation": creation_policy(replace(FULL, backup_watch=True)),
    "plain": deployer_policy(PLAIN),
    "full": deployer_policy(FULL),
    "backups": deployer_policy(BACKUPS),
    "existing": deployer_policy(EXISTING),
    "e6data": deployer_policy(E6DATA),
    "e6data-existing": deployer_policy(IN_EXISTING_CLUSTER),
    "watched": deployer_policy(WATCHED),
    "vendor": vendor_policy("aws", ACCOUNT, "dash-dev"),
}
CLUSTERS = {"e6data": "e6data-dev", "e6data-existing": "e6data-dev"}
OURS = [name for name in POLICIES if name != "vendor"]
STANDING = [name for name in OURS if name != "creation"]
EVERYWHERE = {"aws:RequestedRegion"}
"""Condition keys of every request."""
READING = re.compile(r"(Describe|Get|List)")

# What parliament 1.6 reports of policies that are right: the finding, a pattern of the action, and why it errs.
FALSE_FINDINGS = [
    ("RESOURCE_STAR", "*", "an advice: which statements stand on * has tests of its own here"),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    ("MISMATCHED_TYPE_BUT_USABLE", "Type mismatch: StringEquals *", "AWS compares boundaries with StringEquals itself"),
    ("RESOURCE_MISMATCH", "ssm:GetParameters", "knows no public parameters, whose ARN has no account"),
    ("RESOURCE_MISMATCH", "ssm:GetParameter", "knows no public parameters, whose ARN has no account"),
    ("RESOURCE_MISMATCH", "ec2:RunInstances", "its resources are spread over two statements"),
    ("RESOURCE_MISMATCH", "kms:*Alias", "alias and key, on both of which it acts, are in two statements"),
    ("RESOURCE_MISMATCH", "ec2:ModifySecurityGroupRules", "group and rule, on both of which it acts, are in two"),
    ("RESOURCE_MISMATCH", "ec2:CreateSecurityGroup", "VPC and group, on both of which it acts, are in two"),
]


def found_by_parliament(document: Any) -> Iterator[tuple[str, str]]:
    from parliament import analyze_policy_string

    for finding in analyze_policy_string(json.dumps(document)).findings:
        details = finding.detail if isinstance(finding.detail, list) else [finding.detail]
        for detail in details:
            yield finding.issue, str(detail["action"] if isinstance(detail, dict) else detail)


def is_false(issue: str, action: str, document: Any) -> bool:
    if any(issue == known and fnmatchcase(action, pattern) for known, pattern, _ in FALSE_FINDINGS):
        return True
    # A reading verb covers actions on other kinds of resources too, which a statement with ARNs then does not allow.
    verbs = [verb for statement in document["Statement"] for verb in statement["Action"] if verb.endswith("*")]
    return issue == "RESOURCE_MISMATCH" and any(fnmatchcase(action, verb) and reads(verb) for verb in verbs)


def reads(action: str) -> bool:
    return bool(READING.match(action.partition(":")[2]))


def writing(document: Any) -> list[tuple[Any, str]]:
    return [
        (statement, action)
        for statement in document["Statement"]
        for action in statement["Action"]
        if not reads(action)
    ]


def resources(statement: Any) -> list[str]:
    return [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]


def actions(document: Any) -> set[str]:
    return {action for statement in document["Statement"] for action in statement["Action"]}


def of(document: Any, sid: str) -> Any:
    return next(statement for statement in document["Statement"] if statement["Sid"] == sid)


@pytest.fixture(scope="session")
def known_actions() -> set[str]:
    return set(get_all_actions())


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("name", POLICIES)
def test_parliament_finds_nothing_but_what_it_is_wrong_about(name: str) -> None:
    found = set(found_by_parliament(POLICIES[name]))
    assert sorted(one for one in found if not is_false(*one, POLICIES[name])) == []


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_every_false_finding_that_is_excused_still_comes_up() -> None:
    found = {one for document in POLICIES.values() for one in found_by_parliament(document)}
    for issue, pattern, _ in FALSE_FINDINGS:
        assert [one for one in found if one[0] == issue and fnmatchcase(one[1], pattern)], (issue, pattern)


@pytest.mark.parametrize("name", POLICIES)
def test_every_action_exists(name: str, known_actions: set[str]) -> None:
    unknown = [action for action in actions(POLICIES[name]) if "*" not in action and action not in known_actions]
    verbs = [action for action in actions(POLICIES[name]) if "*" in action]
    assert unknown == []
    assert [verb for verb in verbs if not any(fnmatchcase(action, verb) for action in known_actions)] == []


@pytest.mark.parametrize("name", POLICIES)
def test_every_statement_says_what_it_is_for(name: str) -> None:
    sids = [statement["Sid"] for statement in POLICIES[name]["Statement"]]
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", sid) for sid in sids)
    assert len(sids) == len(set(sids))


@pytest.mark.parametrize("name", OURS)
def test_no_writing_action_is_a_wildcard(name: str) -> None:
    assert [action for _, action in writing(POLICIES[name]) if "*" in action] == []


@pytest.mark.parametrize("name", STANDING)
def test_what_is_written_everywhere_is_new_and_in_the_region_and_tagged_or_a_log_delivery(name: str) -> None:
    everywhere = {s["Sid"]: s for s, _ in writing(POLICIES[name]) if "*" in resources(s)}
    assert everywhere.keys() <= {"MakeWithTags", "DeliverQueryLogs", "EndSubscriptions"}
    making = everywhere["MakeWithTags"]
    assert all(re.match(r"\w+:(Allocate|Associate|Authorize|Create|Import)", action) for action in making["Action"])
    assert making["Condition"] == {
        "StringEquals": {
            "aws:RequestTag/project": "eks-analytics",
            "aws:RequestTag/stack": "dev",
            "aws:RequestedRegion": "us-east-1",
        },
        "StringEqualsIfExists": {"aws:ResourceTag/project": "eks-analytics", "aws:ResourceTag/stack": "dev"},
    }


@pytest.mark.parametrize("name", OURS)
def test_everything_else_is_bound_by_arn_and_what_has_an_id_in_it_by_tags(name: str) -> None:
    for statement, action in writing(POLICIES[name]):
        for arn in resources(statement):
            kind, _, rest = arn.split(":", 5)[-1].partition("/") if arn != "*" else ("", "", "")
            of_a_named_bucket = arn.startswith("arn:aws:s3:::") and "*" not in kind
            if (rest == "*" or kind == "*") and not of_a_named_bucket:
                # The hosted zone of an endpoint's private names is one of AWS.
                assert statement.get("Condition") or statement["Sid"] == "NameEndpoints", (action, arn)


@pytest.mark.parametrize("name", OURS)
def test_every_writing_action_knows_a_kind_of_the_resources_of_its_statement(name: str) -> None:
    for statement, action in writing(POLICIES[name]):
        service, _, operation = action.partition(":")
        formats = [row["resource_arn_format"] for row in get_action_data(service, operation)[service]]
        patterns = [re.sub(r"\$\{[^}]*\}", "*", form) for form in formats]
        assert any(
            wanted == "*" or (pattern != "*" and overlap(wanted, pattern))
            for wanted in resources(statement)
            for pattern in patterns
        ), (statement["Sid"], action, patterns)


@pytest.mark.parametrize("name", OURS)
def test_every_condition_is_one_that_its_actions_know(name: str) -> None:
    for statement, action in writing(POLICIES[name]):
        service, _, operation = action.partition(":")
        known = {key for row in get_action_data(service, operation)[service] for key in row["condition_keys"]}
        families = {re.sub(r"(aws:(Request|Resource)Tag)/.*", r"\1/${TagKey}", key) for key in known}
        families |= EVERYWHERE
        for operator, keys in statement.get("Condition", {}).items():
            for key in () if operator.endswith("IfExists") else keys:
                family = re.sub(r"(aws:(Request|Resource)Tag)/.*", r"\1/${TagKey}", key)
                assert family in families, (statement["Sid"], action, key)


def overlap(one: str, other: str) -> bool:
    """Whether some ARN matches both patterns."""
    first, second = one.split(":", 5), other.split(":", 5)
    return len(first) == len(second) and all(meet(a, b) for a, b in zip(first, second, strict=True))


def meet(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which only * is special."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return meet(one[1:], other) or meet(one, other[1:])
    if other[0] == "*":
        return meet(other, one)
    return one[0] == other[0] and meet(one[1:], other[1:])


def test_the_whole_policy_fits_into_a_role_even_with_every_feature() -> None:
    assert [name for name in OURS if size(POLICIES[name]) > LARGEST_INLINE_POLICY] == []


def test_volumes_are_deleted_with_the_stacks_tags_only_and_never_in_somebody_elses_cluster() -> None:
    deleting = [statement for statement, action in writing(POLICIES["plain"]) if action == "ec2:DeleteVolume"]
    assert [statement["Sid"] for statement in deleting] == ["ChangeByTags"]
    assert deleting[0]["Condition"] == {"StringEquals": PLAIN.on_own}
    assert "ec2:DeleteVolume" not in actions(POLICIES["e6data-existing"])


LONGEST = replace(
    FULL,
    region="ap-southeast-1",
    cluster_name="c" * 37,
    tags={"project": "eks-analytics", "stack": "s" * 60},
    base_domain=f"{'d' * 63}.{'e' * 63}.example.com",
    hosted_zone_ids=("Z0123456789ABCDEFGHIJ", "Z0123456789ABCDEFGHIK"),
    ebs_csi_role="vendor-name",
)
MOST = replace(
    LONGEST,
    permissions_boundary_arn=BOUNDARY,
    backups=True,
    backup_bucket_name="b" * 37,
    backup_replication=True,
    backup_watch=True,
)


@pytest.mark.parametrize("options", [PLAIN, FULL, BOUNDED, EXISTING, LONGEST, WATCHED, MOST])
def test_the_parts_hold_every_statement_once_and_fit_into_managed_policies(options: DeployerOptions) -> None:
    parts = deployer_policies(options)
    assert [statement for part in parts for statement in part["Statement"]] == statements(options)
    assert max(size(part) for part in parts) <= LARGEST_MANAGED_POLICY
    assert (
        len(parts) <= 10
    )  # managed policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html


def test_a_policy_that_no_role_takes_is_refused_with_what_to_do_instead() -> None:
    with pytest.raises(ValueError, match=r"a role takes 10240 inline: use its parts"):
        deployer_policy(LONGEST)


def test_white_space_does_not_count() -> None:
    document: Any = {"Version": "2012-10-17", "Statement": []}
    assert size(document) == len('{"Version":"2012-10-17","Statement":[]}')


def test_reading_is_by_verb_and_contents_are_read_only_where_they_are_the_stacks_own() -> None:
    describe = of(POLICIES["full"], "Describe")
    assert {"ec2:Describe*", "eks:List*", "iam:Get*", "kms:Get*"} <= set(describe["Action"])
    assert not {"s3:Get*", "secretsmanager:Get*", "ssm:Get*", "logs:Get*", "ec2:Get*"} & set(describe["Action"])
    own = of(POLICIES["full"], "ManageByName")
    assert {"s3:Get*", "secretsmanager:Get*", "ssm:Get*"} <= set(own["Action"])
    assert "*" not in own["Resource"]


def test_every_name_begins_with_the_clusters() -> None:
    own = of(POLICIES["full"], "ManageByName")
    of_aws = "arn:aws:ssm:us-east-1::parameter/aws/service/canonical/*"  # which nobody else can write
    assert [arn for arn in own["Resource"] if "dash-dev" not in arn] == [of_aws]
    assert [arn for arn in own["Resource"] if "*" in arn.partition("dash-dev")[0]] == [of_aws]
    assert f"arn:aws:iam::{ACCOUNT}:role/dash-dev-*" in own["Resource"]
    assert f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:dash-dev/dash-enterprise/*" in own["Resource"]
    assert "arn:aws:s3:::dash-dev-*" in own["Resource"]


def test_roles_are_passed_to_the_services_that_the_program_gives_them_to() -> None:
    passing = of(POLICIES["full"], "PassRoles")
    assert passing["Condition"]["StringEquals"]["iam:PassedToService"] == [
        "eks.amazonaws.com",
        "pods.eks.amazonaws.com",
        "ec2.amazonaws.com",
        "vpc-flow-logs.amazonaws.com",
    ]
    assert all(
        "iam:PassedToService" in str(s.get("Condition")) for s, a in writing(POLICIES["full"]) if "PassRole" in a
    )


def test_only_policies_that_the_program_attaches_are_attached() -> None:
    attaching = of(POLICIES["full"], "AttachPolicies")
    arns = attaching["Condition"]["ArnEquals"]["iam:PolicyARN"]
    assert "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy" in arns
    assert not [arn for arn in arns if "*" in arn or "Administrator" in arn]


def test_service_linked_roles_are_made_for_no_other_service() -> None:
    assert of(POLICIES["plain"], "MakeLinkedRoles")["Condition"]["StringEquals"]["iam:AWSServiceName"] == [
        "eks.amazonaws.com",
        "eks-nodegroup.amazonaws.com",
    ]


def test_instances_start_from_a_launch_template_of_the_stack_only() -> None:
    starting = [statement for statement, action in writing(POLICIES["full"]) if action == "ec2:RunInstances"]
    assert {statement["Sid"] for statement in starting} == {"ChangeByTags", "StartInstances"}
    free = of(POLICIES["full"], "StartInstances")
    assert not [arn for arn in resources(free) if "launch-template" in arn or arn.endswith(":*")]
    assert free["Condition"] == {
        "ArnLike": {"ec2:LaunchTemplate": f"arn:aws:ec2:us-east-1:{ACCOUNT}:launch-template/*"}
    }


@pytest.mark.parametrize("name", STANDING)
def test_nothing_can_be_adopted_by_tagging_it(name: str) -> None:
    own = {"aws:ResourceTag/project": "eks-analytics", "aws:ResourceTag/stack": "dev"}
    for statement, action in writing(POLICIES[name]):
        if re.match(r"(ec2:CreateTags|kms:TagResource|route53resolver:TagResource|iam:TagOpenID)", action):
            condition = statement["Condition"]
            assert (
                condition.get("StringEquals") == own
                or condition
                == {"StringEquals": {"aws:ResourceTag/aws:eks:cluster-name": CLUSTERS.get(name, "dash-dev")}}
                or condition == {"StringLike": {"ec2:CreateAction": "*"}}
                or (statement["Sid"] == "TagExistingSubnets" and "*" not in str(statement["Resource"]))
            ), statement["Sid"]


def test_the_creation_policy_tags_what_no_stack_has_marked_and_keys_without_an_alias() -> None:
    assert actions(POLICIES["creation"]) == {
        *("ec2:CreateTags", "iam:TagOpenIDConnectProvider", "kms:TagResource", "route53resolver:TagResource")
    }
    for statement in POLICIES["creation"]["Statement"]:
        assert statement["Condition"]["StringEquals"] == {
            "aws:RequestTag/project": "eks-analytics",
            "aws:RequestTag/stack": "dev",
        }
        assert statement["Condition"]["Null"]["aws:ResourceTag/project"] == "true"
    assert of(POLICIES["creation"], "TagNewKeys")["Condition"]["Null"]["kms:ResourceAliases"] == "true"


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({"makes_oidc_provider": False}, "iam:TagOpenIDConnectProvider"),
        ({"existing_vpc_id": "vpc-0a1b2c3d4e5f60718"}, "ec2:CreateTags"),
        ({"dns_firewall": False}, "route53resolver:TagResource"),
        ({"kms_key_arn": EXISTING.kms_key_arn}, "kms:TagResource"),
    ],
)
def test_the_creation_policy_is_for_what_the_stack_makes(changes: dict[str, Any], action: str) -> None:
    assert action in actions(creation_policy(FULL))
    assert action not in actions(creation_policy(replace(FULL, **changes)))


def test_an_existing_oidc_provider_is_not_touched() -> None:
    document = deployer_policy(replace(IN_EXISTING_CLUSTER, makes_oidc_provider=False))
    assert not [action for action in actions(document) if "OpenID" in action]


BOUND_BY_IAM = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}


def test_with_a_boundary_no_role_gets_rights_without_it_and_nobody_takes_it_away() -> None:
    giving = [(s, a) for s, a in writing(POLICIES["bounded"]) if a in BOUND_BY_IAM]
    assert {action for _, action in giving} == BOUND_BY_IAM
    for statement, _ in giving:
        assert statement["Condition"]["StringEquals"] == {"iam:PermissionsBoundary": BOUNDARY}
    assert "iam:DeleteRolePermissionsBoundary" not in actions(POLICIES["bounded"])
    policies = {arn for s, _ in writing(POLICIES["bounded"]) for arn in resources(s) if ":policy/" in arn}
    assert not [pattern for pattern in policies if fnmatchcase(BOUNDARY, pattern)]


def test_without_a_boundary_none_is_asked_for_and_the_notes_say_what_that_means() -> None:
    assert "PermissionsBoundary" not in json.dumps(POLICIES["full"])
    assert "can give a role of the stack any rights" in notes(FULL)[-1]
    assert "nobody with this policy can remove it" in notes(BOUNDED)[-1]


def test_policies_that_earlier_versions_attached_can_be_detached_and_not_attached() -> None:
    former = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert "iam:DetachRolePolicy" in of(POLICIES["full"], "ManageByName")["Action"]
    assert former not in str(of(POLICIES["full"], "AttachPolicies"))


def test_only_the_seven_names_of_the_domain_are_changed_in_the_given_zones() -> None:
    changing = of(POLICIES["full"], "ChangeRecords")
    names = changing["Condition"]["ForAllValues:StringEquals"]["route53:ChangeResourceRecordSetsNormalizedRecordNames"]
    assert changing["Resource"] == "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
    assert len(names) == 7
    assert {"dash.dev.example.com", "admin-dash.dev.example.com"} <= set(names)


def test_without_a_hosted_zone_no_record_is_changed() -> None:
    assert "route53:ChangeResourceRecordSets" not in actions(POLICIES["plain"])


def test_an_existing_vpc_is_neither_changed_nor_deleted() -> None:
    vpc = ("Vpc", "Subnet", "Route", "Gateway", "Address", "FlowLogs")
    touched = {action for action in actions(POLICIES["existing"]) if action.startswith("ec2:")}
    assert [action for action in touched if any(word in action for word in vpc)] == []
    tagging = of(POLICIES["existing"], "TagExistingSubnets")
    assert len(tagging["Resource"]) == 2
    assert tagging["Condition"]["ForAllValues:StringEquals"]["aws:TagKeys"][1] == "kubernetes.io/cluster/dash-dev"
    assert of(POLICIES["existing"], "MakeInExistingVpc")["Resource"].endswith(":vpc/vpc-0a1b2c3d4e5f60718")


def test_an_existing_key_is_granted_and_used_through_services_and_nothing_else() -> None:
    on_keys = [(s, a) for s, a in writing(POLICIES["existing"]) if a.startswith("kms:")]
    assert {action for _, action in on_keys} == {"kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"}
    assert {statement["Resource"] for statement, _ in on_keys} == {EXISTING.kms_key_arn}
    using = of(POLICIES["existing"], "UseKeyThroughServices")
    assert using["Condition"]["StringEquals"]["kms:ViaService"] == [
        "s3.us-east-1.amazonaws.com",
        "secretsmanager.us-east-1.amazonaws.com",
    ]


def test_an_existing_role_of_the_ebs_driver_is_only_passed_to_pods() -> None:
    touching = [s for s in POLICIES["existing"]["Statement"] if EXISTING.ebs_csi_role in resources(s)]
    assert [(s["Sid"], s["Action"]) for s in touching] == [("PassEbsDriverRole", ["iam:PassRole"])]
    assert touching[0]["Condition"]["StringEquals"]["iam:PassedToService"] == "pods.eks.amazonaws.com"


def test_the_vendors_role_name_is_covered_where_it_is_chosen() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/AmazonEKS_EBS_CSI_DriverRole"
    assert role not in str(POLICIES["plain"])
    chosen: Any = deployer_policy(replace(PLAIN, ebs_csi_role="vendor-name"))
    assert {s["Sid"] for s in chosen["Statement"] if role in resources(s)} == {
        "AttachPolicies",
        "ManageByName",
        "PassRoles",
    }


@pytest.mark.parametrize(
    ("feature", "action"),
    [
        ({"bootstrap": False}, "ec2:TerminateInstances"),
        ({"bootstrap": False}, "iam:CreateInstanceProfile"),
        ({"ssh_key_name": ""}, "ec2:ImportKeyPair"),
        ({"dns_firewall": False}, "route53resolver:CreateFirewallRule"),
        ({"dns_firewall": False}, "logs:PutResourcePolicy"),
        ({"interface_endpoints": False}, "route53:AssociateVPCWithHostedZone"),
        ({"ipv6": False}, "ec2:CreateEgressOnlyInternetGateway"),
    ],
)
def test_what_a_stack_does_not_have_is_not_allowed(feature: dict[str, Any], action: str) -> None:
    assert action in actions(POLICIES["full"])
    assert action not in actions(deployer_policy(replace(FULL, **feature)))


@pytest.mark.parametrize(
    ("region", "partition", "suffix"),
    [("cn-north-1", "aws-cn", "amazonaws.com.cn"), ("us-gov-west-1", "aws-us-gov", "amazonaws.com")],
)
def test_other_partitions_have_their_own_arns_and_principals(region: str, partition: str, suffix: str) -> None:
    document = deployer_policy(replace(PLAIN, region=region))
    arns = [arn for statement in document["Statement"] for arn in resources(statement) if arn != "*"]
    assert {arn.split(":")[1] for arn in arns} == {partition}
    assert f"ec2.{suffix}" in str(of(document, "PassRoles")["Condition"])
    assert f"oidc-provider/oidc.eks.{region}.{suffix}/id/*" in str(document)


def test_the_watch_over_backups_is_bound_by_its_names_and_its_key_by_tags() -> None:
    own = of(POLICIES["watched"], "ManageByName")
    assert {"lambda:CreateFunction", "sns:CreateTopic", "cloudwatch:PutMetricAlarm"} <= set(own["Action"])
    for arn in ("lambda:us-east-1:{}:function:dash-dev-backup-watch", "sns:us-east-1:{}:dash-dev-backup-watch"):
        assert f"arn:aws:{arn.format(ACCOUNT)}" in own["Resource"]
    assert f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:dash-dev-backup-overdue-*" in own["Resource"]
    passed = of(POLICIES["watched"], "PassRoles")["Condition"]["StringEquals"]["iam:PassedToService"]
    assert "lambda.amazonaws.com" in passed
    without = actions(POLICIES["plain"])
    assert not [action for action in without if action.split(":")[0] in ("lambda", "sns", "cloudwatch", "events")]
    existing = replace(EXISTING, backup_watch=True)
    assert "kms:CreateKey" in actions(deployer_policy(existing))
    assert "kms:CreateKey" not in actions(deployer_policy(replace(existing, watch_key=False)))


def test_the_watch_over_a_cluster_with_a_long_name_is_bound_by_the_names_that_it_really_has() -> None:
    own = of({"Statement": statements(replace(WATCHED, cluster_name="a" * 100))}, "ManageByName")["Resource"]
    watch = BackupWatchOptions(watch_name("a" * 100), "us-east-1", ACCOUNT)
    assert watch.alarm_arns in own
    assert watch.topic_arn in own
    for resource in (
        watch.arn("lambda", f"function:{watch.resource_name}"),
        watch.arn("events", f"rule/{watch.resource_name}"),
        f"{watch.log_group_arn}*",
    ):
        assert resource in own


def test_replication_that_was_turned_off_can_be_taken_away() -> None:
    without = deployer_policy(replace(BACKUPS, backup_replication=False))
    assert "s3:PutReplicationConfiguration" in of(without, "ManageByName")["Action"]
    passed = of(without, "PassRoles")["Condition"]["StringEquals"]["iam:PassedToService"]
    assert "s3.amazonaws.com" not in passed


@pytest.mark.parametrize("velero", [{"watch": {"enabled": False}}, {"enabled": False}], ids=["watch", "velero"])
def test_a_watch_that_was_turned_off_can_be_taken_away(velero: dict[str, Any]) -> None:
    tags = {"project": "eks-analytics", "stack": "dev"}
    found = Settings(cluster_name="dash-dev", region="us-east-1", tags=tags, velero=VeleroSettings(**velero))
    wanted = options_of(found, ACCOUNT)
    assert wanted.backup_watch
    assert "cloudwatch:DeleteAlarms" in of({"Statement": statements(wanted)}, "ManageByName")["Action"]


def test_the_vendors_policy_names_account_partition_and_cluster() -> None:
    text = json.dumps(vendor_policy("aws-us-gov", "210987654321", "analytics"))
    assert "&lt;" not in text
    assert "arn:aws:" not in text
    assert "arn:aws-us-gov:iam::210987654321:role/eksctl-analytics*" in text


def test_the_vendors_policy_lists_instance_profiles_on_everything_which_is_all_that_works() -> None:
    listing = [s for s in POLICIES["vendor"]["Statement"] if "iam:ListInstanceProfiles" in s["Action"]]
    assert [s["Resource"] for s in listing] == ["*"]


def test_the_vendors_policy_passes_roles_of_this_account_to_named_services() -> None:
    passing = [s for s in POLICIES["vendor"]["Statement"] if "iam:PassRole" in s["Action"]]
    assert len(passing) == 2
    for statement in passing:
        assert all(f":{ACCOUNT}:role/" in arn for arn in resources(statement))
        assert statement["Condition"]["StringEquals"]["iam:PassedToService"]


def test_the_vendors_policy_makes_service_linked_roles_on_their_path_only() -> None:
    linked = of(POLICIES["vendor"], "MakeServiceLinkedRoles")
    assert linked["Resource"] == f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/*"
    assert "eks-nodegroup.amazonaws.com" in linked["Condition"]["StringEquals"]["iam:AWSServiceName"]


def test_roles_of_clusters_with_long_names_are_covered_although_cloudformation_shortens_them() -> None:
    document = vendor_policy("aws", ACCOUNT, "analytics-production-europe")
    role = f"arn:aws:iam::{ACCOUNT}:role/eksctl-analytics-product-NodeInstanceRole-1ABC2DEF3GHI"
    assert any(fnmatchcase(role, arn) for arn in resources(of(document, "PassEksctlRoles")))


def test_the_notes_say_whom_the_vendors_policy_serves() -> None:
    assert "cannot deploy this program" in NOTES[0]
    assert "cannot deploy this program" in str(vendor_policy.__doc__)
