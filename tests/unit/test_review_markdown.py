"""The page of a code review, from plans made by hand."""

import json
from importlib import import_module
from typing import Any

import pytest
from pulumi.automation.events import PolicyEvent

from sandbox import exposure
from sandbox.differences import Difference, differences
from sandbox.exposure import exposures
from sandbox.labels import Labels
from sandbox.merge_base import MergeBase
from sandbox.plan import Plan, Step
from sandbox.report import UNKNOWN
from sandbox.review_markdown import Review, markdown

BASE = MergeBase("b" * 40, "main", "c" * 40, 0, "")
LONG = " ".join(["word"] * 40)
CLUSTER = "aws:eks/cluster:Cluster"
GROUP = "aws:eks/nodeGroup:NodeGroup"


def review(*steps: Step, **plan: Any) -> Review:
    made = Plan(steps=list(steps), **plan)
    made.counts.update(step.action for step in steps)
    return Review("dev", BASE, made)


def violation(rule: str, level: str, *lines: str) -> PolicyEvent:
    return PolicyEvent("\n".join(["What must hold.", *lines]), "", rule, "pack", "1", "1", level)


# Differences


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("x.a.b", "1", "2")]),
        ({}, {"a": True}, [Difference("x.a", None, "true")]),
        (["a", "b"], ["a"], [Difference("x", "[a, b]", "[a]")]),
        ([{"v": 1}], [{"v": 1}, {"v": 2}], [Difference("x[1]", None, "{v: 2}")]),
        ("a", UNKNOWN, [Difference("x", "a", "known after the update")]),
        ('{"a": 1}', '{"a": 2}', [Difference("x.a", "1", "2")]),
        ("a" * 200, "b" * 300, [Difference("x", "a text of 200 characters", "one of 300")]),
        (
            f"{LONG} completed within 6 h of {LONG}",
            f"{LONG} completed within 9 h of {LONG}",
            [Difference("x", "… word completed within 6 h of word …", "… word completed within 9 h of word …")],
        ),
        (
            f"{LONG} end",
            f"{LONG} end, or not",
            [Difference("x", "… word word word end", "… word word word end, or not")],
        ),
        (f"6 {LONG}", f"9 {LONG}", [Difference("x", "6 word word word …", "9 word word word …")]),
        (LONG, f"{LONG} {LONG}", [Difference("x", "a text of 199 characters", "one of 399")]),
        (f"{LONG} a", f"{LONG}  a", [Difference("x", "a text of 201 characters", "one of 202")]),
        ([{"Sid": "A", "v": 1}, {"Sid": "B"}], [{"Sid": "B"}, {"Sid": "A", "v": 2}], [Difference("x.A.v", "1", "2")]),
    ],
    ids=[
        "same",
        "nested",
        "added",
        "list",
        "objects",
        "unknown",
        "json",
        "long",
        "words",
        "last-words",
        "first-words",
        "more-words",
        "spaces",
        "by-identity",
    ],
)
def test_differences_are_told_path_by_path(before: object, after: object, expected: list[Difference]) -> None:
    assert list(differences(before, after, "x")) == expected


# Labels


def state(name: str, id: str, **outputs: object) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:dev::p::t::{name}", "id": id, "inputs": {}, "outputs": outputs}


def test_ids_that_were_drawn_become_the_names_of_what_they_stand_for() -> None:
    arn = "arn:aws:kms:us-east-1:123456789012:key/69ce4fce-bad7-4cf8-a093-caa050d03c7d"
    labels = Labels([state("net", "vpc-05849837dbd6931e2"), state("key", "x", arn=arn)], known={"123456789012"})
    assert labels.replace({"vpc": ["vpc-05849837dbd6931e2"], "key": f"{arn}/*"}) == {
        "vpc": ["{net}"],
        "key": "{key.arn}/*",
    }


def test_an_id_belongs_to_the_first_that_has_it() -> None:
    labels = Labels([state("bucket", "b-0123456789abc"), state("access", "b-0123456789abc")])
    assert labels.replace("b-0123456789abc") == "{bucket}"


def test_a_document_that_mentions_an_id_keeps_what_else_it_says() -> None:
    told = '{"bucket": "b-0123456789abc", "hours": 6}'
    labels = Labels([state("bucket", "b-0123456789abc"), state("function", "f", told=told)])
    assert labels.replace(told) == '{"bucket": "{bucket}", "hours": 6}'


def test_what_was_not_drawn_stays_as_it_is() -> None:
    labels = Labels([state("role", "platform", arn="arn:aws:iam::123456789012:role/platform")], {"123456789012"})
    assert labels.replace("arn:aws:iam::123456789012:role/platform") == "arn:aws:iam::123456789012:role/platform"


def test_the_drawn_end_of_a_new_name_is_left_out() -> None:
    labels = Labels()
    labels.complete("role", {"name": "role-1a2b3c4", "path": "/"})
    assert labels.replace("arn:aws:iam::1:role/role-1a2b3c4") == "arn:aws:iam::1:role/{role}"


# Exposure


@pytest.mark.parametrize("token", sorted({*exposure._IAM, *exposure._INGRESS, *exposure._PUBLIC}))
def test_every_type_that_is_looked_at_exists(token: str) -> None:
    package, module, name = token.split(":")
    if package == "aws":
        service = module.split("/")[0].replace("lambda", "lambda_")  # a word of Python's own
        assert getattr(import_module(f"pulumi_aws.{service}"), name).pulumi_type == token
    else:
        group, _, version = module.partition("/")
        path = group.split(".")[0]
        assert hasattr(import_module(f"pulumi_kubernetes.{path}.{version}"), name)


def rule(**inputs: object) -> dict[str, Any]:
    return {"cidrIpv4": "203.0.113.0/24", "fromPort": 443, "toPort": 443, **inputs}


@pytest.mark.parametrize(
    ("type", "before", "after", "subject"),
    [
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", {}, rule(), "Ingress"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", rule(), rule(fromPort=22), "Ingress"),
        ("aws:ec2/securityGroupRule:SecurityGroupRule", {}, rule(type="ingress"), "Ingress"),
        ("aws:iam/rolePolicy:RolePolicy", {"policy": "{}"}, {"policy": '{"a": 1}'}, "IAM"),
        ("aws:iam/userGroupMembership:UserGroupMembership", {"user": "a"}, {}, "IAM"),
        ("aws:eks/accessEntry:AccessEntry", {}, {"principalArn": "a"}, "IAM"),
        ("aws:eks/cluster:Cluster", {}, {"vpcConfig": {"endpointPublicAccess": True}}, "Public exposure"),
        (CLUSTER, {"vpcConfig": {"endpointPublicAccess": False}}, {"vpcConfig": {}}, "Public exposure"),
        (CLUSTER, {"vpcConfig": {"publicAccessCidrs": ["203.0.113.0/24"]}}, {"vpcConfig": {}}, "Public exposure"),
        (CLUSTER, {"vpcConfig": {"endpointPublicAccess": False}}, {"vpcConfig": UNKNOWN}, "Public exposure"),
        ("aws:ec2/routeTable:RouteTable", {}, {"routes": UNKNOWN}, "Public exposure"),
        (GROUP, {}, {"remoteAccess": {"ec2SshKey": "admin"}}, "Ingress"),
        ("aws:ec2/managedPrefixList:ManagedPrefixList", {}, {"entries": [{"cidr": "0.0.0.0/0"}]}, "Ingress"),
        ("aws:ec2/eipAssociation:EipAssociation", {}, {"instanceId": "i-1"}, "Public exposure"),
        ("aws:ec2/routeTable:RouteTable", {"routes": []}, {"routes": [{"gatewayId": "igw"}]}, "Public exposure"),
        ("aws:secretsmanager/secret:Secret", {}, {"policy": "{}"}, "IAM"),
        ("aws:ec2/subnet:Subnet", {}, {"mapPublicIpOnLaunch": True}, "Public exposure"),
        ("aws:ec2/route:Route", {}, {"gatewayId": "igw"}, "Public exposure"),
        ("aws:lb/loadBalancer:LoadBalancer", {"internal": True}, {"internal": False, "name": "a"}, "Public exposure"),
        ("kubernetes:core/v1:Service", {}, {"spec": {"type": "LoadBalancer"}}, "Public exposure"),
    ],
)
def test_what_opens_or_closes_something_is_shown(type: str, before: Any, after: Any, subject: str) -> None:
    assert [one.subject for one in exposures([Step("update", type, "x", before, after)])] == [subject]


@pytest.mark.parametrize(
    ("type", "before", "after"),
    [
        ("aws:ec2/subnet:Subnet", {}, {"mapPublicIpOnLaunch": False, "cidrBlock": "10.0.0.0/24"}),
        ("aws:ec2/securityGroupRule:SecurityGroupRule", {}, rule(type="egress")),
        ("aws:ec2/route:Route", {}, {"natGatewayId": "nat"}),
        ("aws:ec2/routeTable:RouteTable", {}, {"routes": [{"natGatewayId": "nat"}]}),
        (CLUSTER, {}, {"vpcConfig": {"endpointPublicAccess": False, "publicAccessCidrs": ["203.0.113.0/24"]}}),
        (CLUSTER, {"vpcConfig": {}}, {"vpcConfig": {"publicAccessCidrs": ["0.0.0.0/0"]}}),
        ("aws:lb/loadBalancer:LoadBalancer", {}, {"internal": True}),
        ("aws:iam/role:Role", {"tags": {"a": "b"}}, {"tags": {"a": "c"}}),
        ("kubernetes:core/v1:Service", {}, {"spec": {"type": "ClusterIP"}}),
        (GROUP, {"scalingConfig": {"maxSize": 4}}, {"scalingConfig": {"maxSize": 5}}),
    ],
)
def test_what_opens_nothing_is_not_shown(type: str, before: Any, after: Any) -> None:
    assert exposures([Step("update", type, "x", before, after)]) == []


def test_a_policy_is_shown_as_what_it_said_and_what_it_says() -> None:
    def policy(action: str) -> dict[str, str]:
        return {"policy": json.dumps({"Statement": [{"Sid": "Read", "Action": [action], "Resource": "*"}]})}

    page = markdown(review(Step("update", "aws:iam/policy:Policy", "p", policy("s3:Get*"), policy("s3:*"))))
    assert "**IAM**: `aws.iam.Policy` `p`, updated" in page
    assert "\n-    - s3:Get*\n+    - s3:*\n" in page
    assert "     Sid: Read" in page


# The page


def test_the_page_says_where_the_plan_begins_and_that_this_is_not_the_live_account() -> None:
    page = markdown(review())
    assert f"the **merge base** `{'b' * 10}` of HEAD and `main`" in page
    assert f"HEAD `{'c' * 10}`. It knows **nothing of the live account**" in page
    assert "**No changes**" in page


def test_replaced_and_deleted_resources_come_first_and_loud() -> None:
    page = markdown(
        review(
            Step("create", GROUP, "new"),
            Step("delete", GROUP, "old"),
            Step("replace", GROUP, "kind", {"amiType": "A"}, {"amiType": "B"}, ["amiType"], ["amiType"]),
        )
    )
    assert "**1 replaced**, **1 deleted**, **1 created**." in page
    assert "> [!CAUTION]\n> **1 resource is replaced.**  \n> **1 resource is deleted.**  \n" in page
    assert page.index("### Replaced and deleted") < page.index("### Policies") < page.index("Created (1)")
    replaced = "- **REPLACE** `aws.eks.NodeGroup` `kind`\n  - `amiType`: `A` → `B` **forces the replacement**"
    assert replaced in page
    assert page.index("**REPLACE**") < page.index("**DELETE** `aws.eks.NodeGroup` `old`")


def test_the_page_does_not_depend_on_the_order_of_events() -> None:
    steps = [Step("create", GROUP, name) for name in "abc"] + [Step("create", "aws:ec2/vpc:Vpc", "v")]
    assert markdown(review(*steps)) == markdown(review(*reversed(steps)))


def test_text_from_the_plan_is_never_markdown() -> None:
    name = "a`b`` ![x](y)\n<details>"
    page = markdown(review(Step("create", GROUP, name)))
    assert "```a`b`` ![x](y) <details>```" in page


def test_a_fence_is_longer_than_what_it_holds() -> None:
    page = markdown(review(errors=["see\n```\n# no heading\n```"]))
    assert "````\nsee\n```\n# no heading\n```\n````" in page


def test_policies_are_told_with_what_they_found_and_a_mandatory_one_fails() -> None:
    made = review()
    made.plan.verdict.add(violation("keep-logs", "advisory", "log: forgets nothing"))
    assert not made.fails
    made.plan.verdict.add(violation("limit-ingress", "mandatory", "sg: is open", "To mend it: close it"))
    page = markdown(made)
    assert made.fails
    assert "> **Policies refuse this plan: 1 mandatory violation.**" in page
    assert "- **mandatory** `limit-ingress`: What must hold.\n  - `sg: is open`\n  - `To mend it: close it`" in page
    assert page.index("`limit-ingress`") < page.index("`keep-logs`")


def test_settings_of_policies_and_waivers_are_listed_and_looser_ones_are_an_alarm() -> None:
    made = review()
    made.plan.verdict.add(violation("list-settings", "advisory", "stricter: require-tags.tags is a instead of b"))
    assert "> [!CAUTION]" not in markdown(made)
    made.plan.verdict.add(violation("list-settings", "advisory", "looser: the level of encrypt-queues is disabled"))
    made.plan.verdict.add(violation("list-waivers", "advisory", "for the update to judge: encrypt-topics for topic"))
    page = markdown(made)
    assert not made.fails
    assert "> **Policies are looser than their own: 1 setting.**" in page
    assert "Policies: no violation, 1 setting looser than the rule's own." in page
    for line in (
        "setting `looser: the level of encrypt-queues is disabled`",
        "setting `stricter: require-tags.tags is a instead of b`",
        "waiver `for the update to judge: encrypt-topics for topic`",
    ):
        assert f"- {line}\n" in page


def test_of_resources_with_the_same_name_a_violation_says_which_it_means() -> None:
    made = review()
    for types in ("eks-analytics:index:Karpenter$aws:sqs/queue:Queue", "aws:iam/role:Role"):
        event = violation("require-tags", "mandatory", "interruption: lacks the tags owner")
        event.resource_urn = f"urn:pulumi:dev::shared::{types}::interruption"
        made.plan.verdict.add(event)
    stack = violation("keep-single-tenancy", "mandatory", "stack: holds two products")
    stack.resource_urn = "urn:pulumi:dev::shared::pulumi:pulumi:Stack::shared-dev"
    made.plan.verdict.add(stack)
    page = markdown(made)
    assert "`interruption (aws.sqs.Queue): lacks the tags owner`" in page
    assert "`interruption (aws.iam.Role): lacks the tags owner`" in page
    assert "`stack: holds two products`" in page


def test_the_link_of_a_rule_is_one_and_nothing_else_is() -> None:
    made = review()
    made.plan.verdict.add(violation("a", "mandatory", "x: bad", "https://example.com/a", "https://example.com/ [b](c)"))
    page = markdown(made)
    assert "  - <https://example.com/a>\n" in page
    assert "  - `https://example.com/ [b](c)`\n" in page


def test_a_plan_that_no_policy_judges_does_not_say_that_nothing_is_wrong() -> None:
    made = review()
    assert "Policies: no violation." in markdown(made)
    made.plan.verdict.judges = False
    assert "Policies: not judged." in markdown(made)
    assert "no violation" not in markdown(made)


def test_capacity_is_compared_with_what_changes_in_bold() -> None:
    made = review(outputs={"capacity": {"pods_planned": 79.0, "pods_at_max_size": 200}})
    made.outputs_before = {"capacity": {"pods_planned": 79, "volumes_planned": 20}}
    page = markdown(made)
    assert "| pods planned | 79 | 79 |" in page
    assert "| pods at max size | - | **200** |" in page
    assert "| volumes planned | 20 | **-** |" in page


def test_a_plan_that_failed_is_neither_called_unchanged_nor_judged() -> None:
    made = review(errors=["boom"], outputs={"capacity": {"pods_planned": 79}})
    assert "**Not complete.** Before the error: nothing; policies: no violation." in markdown(made)
    made.plan.counts["unchanged"] = 130
    page = markdown(made)
    assert "**Not complete.** Before the error: 130 unchanged; policies: no violation." in page
    assert "No changes" not in page
    assert "### Policies" not in page
    assert "### Capacity" not in page
    made.plan.verdict.add(violation("limit-ingress", "mandatory", "sg: is open"))
    assert "`sg: is open`" in markdown(made)


def test_an_error_is_shown_and_fails() -> None:
    made = review(errors=["cluster.version: '9.99' is none"])
    assert made.fails
    assert "### Errors\n\n```\ncluster.version: '9.99' is none\n```" in markdown(made)


def test_what_policies_say_and_capacity_have_room_on_a_page_full_of_deletions() -> None:
    steps = [Step("delete", GROUP, f"group-{index:03}") for index in range(500)]
    made = review(*steps, outputs={"capacity": {"pods_planned": 79}})
    made.plan.verdict.add(violation("limit-ingress", "mandatory", "sg: is open"))
    page = markdown(made, limit=4000)
    assert len(page) < 4400
    assert "**DELETE** `aws.eks.NodeGroup` `group-000`" in page
    assert "`sg: is open`" in page
    assert "| pods planned | - | **79** |" in page


def test_a_long_page_counts_what_it_leaves_out_and_keeps_the_grave() -> None:
    steps = [Step("create", GROUP, f"group-{index:03}") for index in range(500)]
    page = markdown(review(Step("delete", GROUP, "old"), *steps), limit=4000)
    assert len(page) < 4400
    assert "- **DELETE** `aws.eks.NodeGroup` `old`" in page
    assert "Created (500)" in page
    left_out = 500 - page.count("`group-")
    assert f"_{left_out} more are left out here: `make review STACK=dev` shows them._" in page
    assert page.count("<details>") == page.count("</details>")


def test_an_empty_account_is_told_as_such() -> None:
    made = review(Step("create", GROUP, "new"))
    made.is_empty, made.base_error = True, "no such version"
    page = markdown(made)
    assert "to an **empty emulated account**" in page
    assert "> **The merge base cannot be applied**, so there are creates only: `no such version`" in page
