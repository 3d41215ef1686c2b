"""The bootstrap host's role: exactly its own files, secrets, log and parameter, and Session Manager."""

import re
from dataclasses import replace
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from eks_analytics.host_policy import HostRights, host_policy, host_trust

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:analytics/dash-enterprise"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234"
RIGHTS = HostRights(
    region="us-east-1",
    account_id="123456789012",
    secret_arns=(f"{SECRET}/license-Ab12Cd", f"{SECRET}/tls-certificate-Ab12Cd"),
    kms_key_arn=KEY,
    bucket_name="analytics-files",
    file_keys=("install_de_aws.sh", "bootstrap/kubeconfig"),
    log_group_name="/analytics/bootstrap",
    status_parameter_name="/analytics/bootstrap/status",
)


def statements(rights: HostRights = RIGHTS) -> dict[str, Any]:
    return {statement.get("Sid", ""): statement for statement in host_policy(rights)["Statement"]}


def test_it_may_do_exactly_this() -> None:
    assert {action: statement["Resource"] for statement in statements().values() for action in statement["Action"]} == {
        "s3:GetObject": [
            "arn:aws:s3:::analytics-files/install_de_aws.sh",
            "arn:aws:s3:::analytics-files/bootstrap/kubeconfig",
        ],
        "secretsmanager:GetSecretValue": [f"{SECRET}/license-Ab12Cd", f"{SECRET}/tls-certificate-Ab12Cd"],
        "kms:Decrypt": KEY,
        "logs:CreateLogStream": "arn:aws:logs:us-east-1:123456789012:log-group:/analytics/bootstrap:*",
        "logs:PutLogEvents": "arn:aws:logs:us-east-1:123456789012:log-group:/analytics/bootstrap:*",
        "ssm:PutParameter": "arn:aws:ssm:us-east-1:123456789012:parameter/analytics/bootstrap/status",
        "ssm:UpdateInstanceInformation": "arn:aws:ec2:us-east-1:123456789012:instance/*",
        "ssmmessages:CreateControlChannel": "*",
        "ssmmessages:CreateDataChannel": "*",
        "ssmmessages:OpenControlChannel": "*",
        "ssmmessages:OpenDataChannel": "*",
    }
    assert {statement["Effect"] for statement in statements().values()} == {"Allow"}


def test_every_action_exists_and_every_statement_says_what_it_is_for() -> None:
    known = {action.lower() for action in get_all_actions()}
    documents = [*host_policy(RIGHTS)["Statement"], *host_trust("us-east-1")["Statement"]]
    assert [one for statement in documents for one in statement.get("Action", []) if one.lower() not in known] == []
    assert all(re.fullmatch(r"([A-Z][a-z0-9]+)+", statement.get("Sid", "")) for statement in documents)
    assert len(statements()) == len(host_policy(RIGHTS)["Statement"])


def test_only_the_session_manager_agent_is_not_limited_to_resources() -> None:
    unlimited = [sid for sid, statement in statements().items() if statement["Resource"] == "*"]
    assert unlimited == ["SessionManager"]
    for action in statements()["SessionManager"]["Action"]:
        service, name = action.split(":")
        kinds = {
            data["resource_arn_format"].split("/")[0].split(":")[-1] for data in get_action_data(service, name)[service]
        }
        # What can be limited can be to the instance only, which does not exist before its role.
        assert kinds <= {"*", "instance", "managed-instance"}, action


def test_the_key_is_used_through_the_two_services_only() -> None:
    assert statements()["DecryptThroughTheirServices"]["Condition"] == {
        "StringEquals": {"kms:ViaService": ["s3.us-east-1.amazonaws.com", "secretsmanager.us-east-1.amazonaws.com"]}
    }


@pytest.mark.parametrize(("field", "sid"), [("secret_arns", "ReadSecrets"), ("file_keys", "ReadFiles")])
def test_what_is_not_there_is_not_asked_for(field: str, sid: str) -> None:
    given = getattr(RIGHTS, field)
    changes: dict[str, Any] = {field: ("", *given)}
    assert statements(replace(RIGHTS, **changes)) == statements()
    changes = {field: ("",)}
    assert set(statements()) - set(statements(replace(RIGHTS, **changes))) == {sid}


def test_it_holds_in_other_partitions() -> None:
    text = str(host_policy(replace(RIGHTS, region="cn-north-1", secret_arns=(), kms_key_arn="key")))
    assert "arn:aws:" not in text
    assert text.count("arn:aws-cn:") == 5
    assert "s3.cn-north-1.amazonaws.com.cn" in text
    assert host_trust("cn-north-1")["Statement"][0].get("Principal") == {"Service": "ec2.amazonaws.com.cn"}


def test_only_ec2_takes_the_role() -> None:
    (statement,) = host_trust("us-east-1")["Statement"]
    assert statement.get("Principal") == {"Service": "ec2.amazonaws.com"}
    assert statement.get("Action") == ["sts:AssumeRole"]
