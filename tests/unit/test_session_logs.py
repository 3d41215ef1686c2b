"""Transcripts of Session Manager sessions: encrypted, kept, and written by the machines that sessions run on."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eks_analytics.cluster import Cluster
from eks_analytics.cluster_checks import session_log_problems
from eks_analytics.iam import session_manager
from eks_analytics.session_logs import session_document, session_key_policy
from eks_child import answer_for_pulumi_eks
from recording import Recorder
from test_deployer import PLAIN, actions, resources
from test_host_policy import RIGHTS
from test_host_policy import statements as host_statements

from eks_analytics.deployer import creation_policy, deployer_policy  # isort: skip

ACCOUNT = "123456789012"
GROUP = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/analytics/sessions"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
WRITING = {
    "logs:CreateLogStream": [GROUP, f"{GROUP}:*"],
    "logs:DescribeLogStreams": [GROUP, f"{GROUP}:*"],
    "logs:PutLogEvents": [GROUP, f"{GROUP}:*"],
    "logs:DescribeLogGroups": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:*",
}
Build = Callable[..., dict[str, Any]]


@pytest.fixture
def build(recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> Build:
    answer_for_pulumi_eks(recorder, monkeypatch)

    def build(**changes: Any) -> dict[str, Any]:
        arguments: Any = {
            "cluster_name": "analytics",
            "region": "us-east-1",
            "account_id": ACCOUNT,
            "admin_principal_arns": [f"arn:aws:iam::{ACCOUNT}:role/deployer"],
            "public_endpoint_cidrs": ["198.51.100.0/24"],
            "node_groups": [{"name": "core", "instance_types": ["m6i.large"], "min_size": 2, "max_size": 4}],
            "vpc_id": "vpc-1",
            "subnet_ids_by_zone": {"us-east-1a": "subnet-a", "us-east-1b": "subnet-b"},
            "node_subnet_ids_by_zone": {"us-east-1a": "subnet-a", "us-east-1b": "subnet-b"},
            **changes,
        }
        return recorder.run(lambda: Cluster("c", arguments))

    return build


def node_rights(recorder: Recorder) -> dict[str, Any]:
    policy = json.loads(recorder.of("RolePolicy")["c-node-session-manager"].inputs["policy"])
    return {action: one["Resource"] for one in policy["Statement"] for action in one["Action"]}


@pytest.mark.parametrize("given", [{}, {"session_logs": {"retention_days": 0, "kms_key_arn": ""}}])
def test_without_the_setting_there_is_nothing_of_it(build: Build, recorder: Recorder, given: Any) -> None:
    outputs = build(**given)
    assert (outputs["session_document_name"], outputs["session_log_group_arn"]) == ("", "")
    assert recorder.of("Document") == {}
    assert not [action for action in node_rights(recorder) if action.startswith("logs:")]


def test_the_document_writes_encrypted_transcripts_and_nodes_may_deliver_them(build: Build, recorder: Recorder) -> None:
    recorder.outputs["aws:cloudwatch/logGroup:LogGroup"] = {"arn": GROUP}
    outputs = build(session_logs={"retention_days": 400})
    group, document = recorder.of("LogGroup")["c-sessions"].inputs, recorder.of("Document")["c-sessions"].inputs
    assert (group["name"], group["retentionInDays"]) == ("/analytics/sessions", 400)
    assert group["kmsKeyId"] == f"arn:aws:mock:us-east-1:{ACCOUNT}:c-sessions-id"
    assert (document["name"], document["documentType"]) == ("analytics-session", "Session")
    content = json.loads(document["content"])
    assert content == session_document("analytics")
    assert content["inputs"]["cloudWatchLogGroupName"] == group["name"]
    assert content["inputs"]["cloudWatchEncryptionEnabled"] is True
    assert node_rights(recorder).items() >= WRITING.items()
    assert (outputs["session_document_name"], outputs["session_log_group_arn"]) == ("analytics-session", GROUP)


def test_a_key_of_your_own_is_used_and_none_made(build: Build, recorder: Recorder) -> None:
    build(session_logs={"kms_key_arn": KEY})
    assert recorder.of("LogGroup")["c-sessions"].inputs["kmsKeyId"] == KEY
    assert "c-sessions" not in recorder.of("Key")


@pytest.mark.parametrize(("given", "kept"), [({}, ""), ({"kms_key_arn": KEY}, KEY), ({"retention_days": 0}, None)])
def test_the_key_of_transcripts_is_locked_while_there_are_any(
    build: Build, recorder: Recorder, given: dict[str, Any], kept: str | None
) -> None:
    build(session_logs=given)
    assert recorder.of("Stash")["c-cluster"].inputs["input"].get("session_logs.kms_key_arn") == kept


def test_the_key_encrypts_this_log_group_alone() -> None:
    statements = {one.get("Sid"): one for one in session_key_policy("us-east-1", ACCOUNT, "analytics")["Statement"]}
    assert set(statements) == {"AdministerKeyThroughIam", "LogsEncryptTheirGroup"}
    assert statements["LogsEncryptTheirGroup"].get("Condition") == {
        "ArnEquals": {"kms:EncryptionContext:aws:logs:arn": GROUP}
    }


def test_the_host_may_deliver_transcripts_where_there_are_some() -> None:
    allowed = {
        action: one["Resource"]
        for one in host_statements(replace(RIGHTS, session_log_group_arn=GROUP)).values()
        for action in one["Action"]
    }
    assert allowed["logs:DescribeLogGroups"] == WRITING["logs:DescribeLogGroups"]
    sids = {one.get("Sid") for one in session_manager("us-east-1", ACCOUNT, GROUP)}
    assert sids - {one.get("Sid") for one in session_manager("us-east-1", ACCOUNT)} == {
        *("WriteSessionTranscripts", "FindLogGroupOfSessions")
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"retention_days": 366}, "try 365"),
        ({"kms_key_arn": "alias/logs"}, "no alias"),
        ({"retention_days": 0, "kms_key_arn": KEY}, "set retention_days"),
    ],
)
def test_what_cannot_work_is_refused(given: Any, words: str) -> None:
    (problem,) = session_log_problems(given, "us-east-1")
    assert problem.input.startswith("session_logs.")
    assert words in problem.remedy


def test_the_deployer_makes_this_document_and_no_other() -> None:
    policy: Any = deployer_policy(replace(PLAIN, session_logs=True))
    own = next(one for one in policy["Statement"] if one["Sid"] == "ManageByName")
    assert {"ssm:CreateDocument", "logs:AssociateKmsKey"} <= set(own["Action"])
    documents = [arn for arn in resources(own) if ":document/" in arn]
    assert documents == [f"arn:aws:ssm:us-east-1:{ACCOUNT}:document/dash-dev-session"]
    assert "ssm:CreateDocument" not in actions(deployer_policy(PLAIN))
    existing = replace(PLAIN, kms_key_arn=KEY, session_logs=True)
    assert "kms:TagResource" in actions(creation_policy(existing))
    assert "kms:TagResource" not in actions(creation_policy(replace(existing, session_logs_key=False)))
