"""The deployer policy against a life of a stack: every writing call that is made is one that the policy of its settings
allows, and everything that is made bears the names and tags by which the policy knows it."""

import json
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import botocore.session
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from policy_sentry.querying.actions import get_action_data
from typer.testing import CliRunner

from environments import Environment, MakeEnvironment
from operations.__main__ import app

BALANCER = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-1.amazonaws.com"
BOUNDARY = "arn:aws:iam::123456789012:policy/deployment-boundary"
MARKS = {"project": "eks-analytics", "stack": "dev"}
# Where an S3 operation is not called as the action that it needs:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
S3_ACTIONS = {
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}

# Where IAM calls a service otherwise than the signatures of its requests do.
IAM_PREFIXES = {"monitoring": "cloudwatch"}

# What the embedded cloud does in AWS's place.
DONE_BY_AWS = {"ec2:DeleteNetworkInterface"}  # a NAT gateway's goes with it, moto keeps it

Policy = dict[str, Any]


def action(service: str, operation: str) -> str:
    """The action that IAM knows an API operation by."""
    signing_name = botocore.session.get_session().get_service_model(service).signing_name
    prefix = IAM_PREFIXES.get(signing_name, signing_name)
    return f"{prefix}:{S3_ACTIONS.get(operation, operation) if prefix == 's3' else operation}"


def writes(action: str) -> bool:
    """Whether AWS's own list calls it more than reading; what the list does not hold counts as writing."""
    service, _, name = action.partition(":")
    rows = (get_action_data(service, name) or {}).get(service, [])
    return not {row["access_level"] for row in rows} <= {"Read", "List"} or not rows


def not_allowed(policy: Policy, made: set[str]) -> list[str]:
    """The writing actions that no statement allows."""
    allowed = [pattern for statement in policy["Statement"] for pattern in statement["Action"]]
    writing = [one for one in made - DONE_BY_AWS if writes(one)]
    return sorted(one for one in writing if not any(fnmatchcase(one, pattern) for pattern in allowed))


def patterns(policy: Policy, action: str) -> list[str]:
    """The ARNs, with wildcards, on which the action is allowed."""
    listed = [statement["Resource"] for statement in policy["Statement"] if action in statement["Action"]]
    return [one for found in listed for one in ([found] if isinstance(found, str) else found)]


@dataclass
class Life:
    """A stack, its policy, and the actions of each command under the policy of its settings."""

    dev: Environment
    policy: Policy = field(default_factory=dict)
    made: dict[str, set[str]] = field(default_factory=dict)
    missing: dict[str, list[str]] = field(default_factory=dict)
    state: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)

    def run(self, what: str, verb: str) -> None:
        first, notes = self.print("--part", "1")
        count = int(next(iter(re.findall(r"part 1 of (\d+)", notes))))
        parts = [first, *(self.print("--part", str(number))[0] for number in range(2, count + 1))]
        if what in ("made", "changed"):  # something is made
            parts.append(self.print("--creation")[0])
        policy = {"Statement": [statement for part in parts for statement in part["Statement"]]}
        # What goes away is taken away with the rights that it was made with, as the command says.
        in_force = {"Statement": [*policy["Statement"], *self.policy.get("Statement", [])]}
        seen = len(self.log())
        self.dev.run(verb, "--yes") if verb in ("up", "down") else self.dev.run(verb)
        self.made[what] = {action(call["service"], call["operation"]) for call in self.log()[seen:]}
        self.missing[what] = not_allowed(in_force, self.made[what])
        self.policy = policy

    def print(self, *options: str) -> tuple[Policy, str]:
        """One of the managed policies that the policy makes, and the notes with it. Whole, it can be too long."""
        command = self.dev.command("up")
        file = command[command.index("--config-file") + 1]
        arguments = ["deployer-policy", "--stack", self.dev.stack, "--config-file", file, *options]
        printed = CliRunner().invoke(app, arguments)
        assert printed.exit_code == 0, printed.stderr
        return json.loads(printed.stdout), printed.stderr

    def log(self) -> list[dict[str, str]]:
        file = self.dev.home / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def arns(self, kind: str, key: str = "arn") -> list[str]:
        return [one["outputs"][key] for one in self.state if one["type"] == kind]


@pytest.fixture(scope="module")
def life(environment: MakeEnvironment) -> Life:
    dev = environment("dev")
    lived = Life(dev)
    lived.run("made", "up")
    zone = dev.client("route53").create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    dev["tags"] = {"owner": "somebody-else"}
    dev["permissions_boundary_arn"] = BOUNDARY
    dev["network"] |= {"flow_logs_retention_days": 30, "interface_endpoints": ["ecr.api"], "nat_gateways": "one-per-az"}
    dev["cluster"] |= {"log_retention_days": 60, "public_endpoint_cidrs": ["203.0.113.0/25"]}
    dev["node_groups"][0] |= {"max_size": 5, "labels": {"workload": "apps"}, "disk_size_gib": 120}
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    dev["dash_enterprise"] |= {
        "bootstrap": {
            "instance_type": "t3.small",
            "ssh": {
                "public_key": key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
                "allowed_cidrs": ["203.0.113.0/24"],
            },
        },
        "egress": {"mode": "dns-firewall"},
        "dns": {
            "hosted_zone_id": zone.rpartition("/")[2],
            "hosted_zone_name": "example.com",
            "load_balancer_hostname": BALANCER,
        },
    }
    copied = {"encryption": "s3", "object_lock": {"days": 7}, "replication": {"region": "us-west-2"}}
    dev["velero"] |= {"bucket": copied, "watch": {**dev["velero"]["watch"], "grace_hours": 8}}
    lived.run("changed", "up")
    lived.state = dev.state()
    dev["velero"] |= {"enabled": False, "bucket": {"encryption": "s3"}}
    dev["dash_enterprise"]["egress"] = {"mode": "open"}
    dev["dash_enterprise"]["bootstrap"] = {"enabled": False}
    full = lived.policy
    lived.run("made smaller", "up")
    lived.run("destroyed", "down")
    lived.policy = full
    return lived


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["made", "changed", "made smaller", "destroyed"])
def test_no_writing_call_of_a_stacks_life_is_one_that_its_policy_does_not_allow(life: Life, command: str) -> None:
    assert life.made[command]
    assert life.missing[command] == []


@pytest.mark.thorough
def test_the_life_was_a_full_one(life: Life) -> None:
    made = set[str]().union(*life.made.values())
    assert {"ec2:CreateVpc", "eks:UpdateNodegroupConfig", "s3:PutBucketPolicy", "iam:PassRole"} - made == {
        "iam:PassRole"
    }
    assert {"route53:ChangeResourceRecordSets", "ec2:TerminateInstances", "ec2:CreateFlowLogs"} <= made
    assert {"s3:PutReplicationConfiguration", "s3:PutBucketObjectLockConfiguration"} <= made
    assert {"eks:DeletePodIdentityAssociation", "iam:PutRolePolicy"} <= made
    assert {"lambda:CreateFunction", "lambda:UpdateFunctionConfiguration", "events:PutTargets"} <= made
    assert {"sns:Subscribe", "sns:Unsubscribe", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms"} <= made
    assert {"route53resolver:CreateFirewallRule", "ec2:ImportKeyPair", "kms:ScheduleKeyDeletion"} <= made


@pytest.mark.thorough
def test_a_writing_action_that_the_policy_lacks_is_named(life: Life) -> None:
    without = [
        {**statement, "Action": [one for one in statement["Action"] if one != "ec2:CreateSubnet"]}
        for statement in life.policy["Statement"]
    ]
    assert not_allowed({"Statement": without}, life.made["made"]) == ["ec2:CreateSubnet"]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("action", "kind", "key"),
    [
        ("iam:CreateRole", "aws:iam/role:Role", "arn"),
        ("iam:PassRole", "aws:iam/role:Role", "arn"),
        ("iam:CreateInstanceProfile", "aws:iam/instanceProfile:InstanceProfile", "arn"),
        ("iam:CreateOpenIDConnectProvider", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", "arn"),
        ("logs:CreateLogGroup", "aws:cloudwatch/logGroup:LogGroup", "arn"),
        ("secretsmanager:CreateSecret", "aws:secretsmanager/secret:Secret", "arn"),
        ("ssm:PutParameter", "aws:ssm/parameter:Parameter", "arn"),
        ("s3:CreateBucket", "aws:s3/bucket:Bucket", "arn"),
        ("lambda:CreateFunction", "aws:lambda/function:Function", "arn"),
        ("sns:CreateTopic", "aws:sns/topic:Topic", "arn"),
        ("cloudwatch:PutMetricAlarm", "aws:cloudwatch/metricAlarm:MetricAlarm", "arn"),
        ("events:PutRule", "aws:cloudwatch/eventRule:EventRule", "arn"),
        ("eks:DeleteCluster", "aws:eks/cluster:Cluster", "arn"),
        ("eks:DeleteNodegroup", "aws:eks/nodeGroup:NodeGroup", "arn"),
        ("eks:DeleteAddon", "aws:eks/addon:Addon", "arn"),
        ("eks:DeleteAccessEntry", "aws:eks/accessEntry:AccessEntry", "accessEntryArn"),
    ],
)
def test_everything_is_named_as_the_policy_expects(life: Life, action: str, kind: str, key: str) -> None:
    arns, allowed = life.arns(kind, key), patterns(life.policy, action)
    assert arns
    assert [arn for arn in arns if not any(fnmatchcase(arn, pattern) for pattern in allowed)] == []


@pytest.mark.thorough
def test_the_keys_alias_is_named_as_the_policy_expects(life: Life) -> None:
    (name,) = life.arns("aws:kms/alias:Alias", "name")
    assert f"arn:aws:kms:us-east-1:123456789012:{name}" in patterns(life.policy, "kms:CreateAlias")


@pytest.mark.thorough
def test_everything_that_takes_tags_bears_the_stacks(life: Life) -> None:
    # Files have none: they are known by the name of their bucket.
    taking = [one for one in life.state if "tagsAll" in one.get("outputs", {}) and "bucketObject" not in one["type"]]
    assert len(taking) > 40
    assert [one["urn"] for one in taking if not one["outputs"]["tagsAll"].items() >= MARKS.items()] == []


@pytest.mark.thorough
def test_only_the_policies_that_it_names_are_attached(life: Life) -> None:
    (statement,) = [one for one in life.policy["Statement"] if "iam:AttachRolePolicy" in one["Action"]]
    named = statement["Condition"]["ArnEquals"]["iam:PolicyARN"]
    attached = {one["inputs"]["policyArn"] for one in life.state if one["type"].endswith(":RolePolicyAttachment")}
    assert attached
    assert attached <= set(named)


@pytest.mark.thorough
def test_only_the_access_policy_that_it_names_is_given(life: Life) -> None:
    (statement,) = [one for one in life.policy["Statement"] if "eks:AssociateAccessPolicy" in one["Action"]]
    named = statement["Condition"]["ArnEquals"]["eks:policyArn"]
    given = {one["inputs"]["policyArn"] for one in life.state if one["type"].endswith(":AccessPolicyAssociation")}
    assert given == {named}


@pytest.mark.thorough
def test_only_the_names_of_the_domain_are_written(life: Life) -> None:
    (statement,) = [one for one in life.policy["Statement"] if "route53:ChangeResourceRecordSets" in one["Action"]]
    (names,) = statement["Condition"]["ForAllValues:StringEquals"].values()
    records = [one["inputs"]["name"] for one in life.state if one["type"] == "aws:route53/record:Record"]
    assert sorted(records) == sorted(names)


@pytest.mark.thorough
def test_every_role_is_taken_by_a_service_that_it_may_be_passed_to(life: Life) -> None:
    (statement,) = [one for one in life.policy["Statement"] if one["Action"] == ["iam:PassRole"]]
    passed_to = set(statement["Condition"]["StringEquals"]["iam:PassedToService"])
    for role in (one for one in life.state if one["type"] == "aws:iam/role:Role"):
        trust = json.loads(role["inputs"]["assumeRolePolicy"])
        services = [one["Principal"]["Service"] for one in trust["Statement"]]
        assert {name for one in services for name in ([one] if isinstance(one, str) else one)} <= passed_to


@pytest.mark.thorough
def test_session_logs_are_made_by_an_update(life_of_e6data: Life) -> None:
    made = {one["type"].rpartition(":")[2]: one["outputs"] for one in life_of_e6data.changed}
    assert made["Document"]["arn"] == "arn:aws:ssm:us-west-2:123456789012:document/e6data-dev-session"
    assert "ssm:CreateDocument" in life_of_e6data.made["changed"]
    assert "ssm:DeleteDocument" in life_of_e6data.made["destroyed"]


def boundaries(state: list[dict[str, Any]]) -> set[str | None]:
    return {one["outputs"].get("permissionsBoundary") for one in state if one["type"] == "aws:iam/role:Role"}


@pytest.mark.thorough
def test_roles_that_are_there_get_the_boundary_in_place(life: Life, life_of_e6data: Life) -> None:
    assert boundaries(life.state) == boundaries(life_of_e6data.changed) == {BOUNDARY}
    for lived in (life, life_of_e6data):
        assert "iam:PutRolePermissionsBoundary" in lived.made["changed"]
    assert "iam:CreateRole" not in life_of_e6data.made["changed"]


@pytest.fixture(scope="module")
def life_of_e6data(environment: MakeEnvironment) -> Life:
    stack = environment("e6data")
    lived = Life(stack)
    lived.run("made", "up")
    lived.state = stack.state()
    stack["tags"] = {"owner": "somebody-else"}
    stack["permissions_boundary_arn"] = BOUNDARY
    stack["cluster"]["session_logs"] = {"retention_days": 30}
    stack["e6data"]["workspaces"].append({"name": "lab", "instance_families": ["c6id"]})
    stack["e6data"]["karpenter"] = {"allowed_names": ["e6data-analytics", "e6data-reporting", "e6data-lab"]}
    lived.run("changed", "up")
    lived.changed = stack.state()
    lived.run("destroyed", "down")
    return lived


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["made", "changed", "destroyed"])
def test_no_writing_call_of_e6datas_life_is_one_that_its_policy_does_not_allow(
    life_of_e6data: Life, command: str
) -> None:
    assert life_of_e6data.missing[command] == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("action", "kind", "key"),
    [
        ("iam:CreateRole", "aws:iam/role:Role", "arn"),
        ("iam:CreatePolicy", "aws:iam/policy:Policy", "arn"),
        ("sqs:CreateQueue", "aws:sqs/queue:Queue", "arn"),
        ("events:PutRule", "aws:cloudwatch/eventRule:EventRule", "arn"),
    ],
)
def test_everything_of_e6data_is_named_as_the_policy_expects(
    life_of_e6data: Life, action: str, kind: str, key: str
) -> None:
    allowed = patterns(life_of_e6data.policy, action)
    arns = life_of_e6data.arns(kind, key)
    assert arns
    assert [arn for arn in arns if not any(fnmatchcase(arn, pattern) for pattern in allowed)] == []
