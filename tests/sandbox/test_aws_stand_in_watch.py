"""The pulumi-aws stand-in's functions, topics and alarms against the emulated account."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_account import REGION, Account, Made
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.providers.archives import zipped
from sandbox.providers.protocol import SIGNATURE, ProviderError

FUNCTION, PERMISSION = "aws:lambda/function:Function", "aws:lambda/permission:Permission"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
ALARM, ROLE = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:iam/role:Role"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("watch") / "dev"
    yield clouds.start(home)
    clouds.stop(home)


@pytest.fixture
def account(cloud: Cloud) -> Account:
    return Account(lambda: cloud)


def delete(*made: Made) -> None:
    for one in made:
        one.delete()
        assert one.read() is None


def archive(**texts: str) -> dict[str, Any]:
    assets = {name: {SIGNATURE: "asset", "text": text, "hash": text} for name, text in texts.items()}
    return {SIGNATURE: "archive", "assets": assets, "hash": json.dumps(texts)}


def policy(service: str, action: str, sid: str = "Allow") -> str:
    allowed = {"Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": action}
    statement = allowed if action.startswith("sts") else {**allowed, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def role(account: Account) -> Iterator[Made]:
    made = account.make(ROLE, "role", name="watch", assumeRolePolicy=policy("lambda.amazonaws.com", "sts:AssumeRole"))
    yield made
    made.delete()


def function(account: Account, taken: Made, **changes: Any) -> Made:
    settings: dict[str, Any] = {
        "name": "watch",
        "role": taken["arn"],
        "runtime": "python3.14",
        "handler": "it.handler",
        "code": archive(it="a = 1"),
        "environment": {"variables": {"SETTING": "1"}},
        "loggingConfig": {"logFormat": "Text", "logGroup": "/aws/lambda/watch"},
        "tags": {"a": "b"},
    }
    return account.make(FUNCTION, **{**settings, **changes})


def test_a_function_keeps_its_settings_and_changes_in_place(account: Account, cloud: Cloud, role: Made) -> None:
    made = function(account, role)
    assert made["arn"] == f"arn:aws:lambda:{REGION}:{cloud.account_id}:function:watch"
    assert (made["memorySize"], made["timeout"]) == (128, 3)
    assert made.refreshes_unchanged()
    assert FUNCTION in inventory(cloud, REGION)
    before = made["sourceCodeHash"]
    made.change(code=archive(it="a = 2"), timeout=60, environment={"variables": {"SETTING": "2"}}, tags={"c": "d"})
    assert made["sourceCodeHash"] != before
    assert made.refreshes_unchanged()
    seen = cloud.client("lambda", REGION).get_function(FunctionName="watch")
    assert (seen["Configuration"]["Timeout"], seen["Tags"]) == (60, {"c": "d"})
    assert seen["Configuration"]["Environment"] == {"Variables": {"SETTING": "2"}}
    assert any("loggingConfig is recorded" in text for text in account.announced)
    delete(made)


def test_the_code_is_a_zip_of_texts_and_files_that_depends_on_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "b.py").write_text("b = 2")
    given = archive(**{"a.py": "a = 1"})
    given["assets"]["b.py"] = {SIGNATURE: "asset", "path": str(tmp_path / "b.py")}
    with zipfile.ZipFile(io.BytesIO(zipped(given))) as file:
        assert {name: file.read(name).decode() for name in file.namelist()} == {"a.py": "a = 1", "b.py": "b = 2"}
    given["assets"] = dict(reversed(given["assets"].items()))
    assert zipped(given) == zipped(given)
    given["assets"]["c.py"] = {SIGNATURE: "asset", "uri": "https://example.com"}
    with pytest.raises(ProviderError, match=r"the asset c\.py is not supported"):
        zipped(given)


def test_a_function_needs_a_role_that_is_there(account: Account, role: Made) -> None:
    with pytest.raises(ProviderError, match="does not exist"):
        function(account, role, role=role["arn"] + "-gone")


def test_a_runtime_that_lambda_does_not_know_is_refused(account: Account) -> None:
    refusal = account.refusal(FUNCTION, role="r", runtime="python9", handler="h", code=archive(it=""))
    assert "'python9' is not one of" in refusal


def test_a_permission_says_who_may_call_a_function(account: Account, role: Made) -> None:
    called = function(account, role)
    source = f"arn:aws:events:{REGION}:123456789012:rule/watch"
    made = account.make(
        PERMISSION,
        statementId="RuleInvokes",
        function="watch",
        action="lambda:InvokeFunction",
        principal="events.amazonaws.com",
        sourceArn=source,
    )
    assert (made["principal"], made["sourceArn"]) == ("events.amazonaws.com", source)
    assert made.refreshes_unchanged()
    other = {**made.inputs, "principal": "s3.amazonaws.com"}
    assert account.diff(PERMISSION, made.inputs, other).replacing == {"principal"}
    delete(made, called)


def test_a_topic_keeps_its_policy_and_key_and_changes_in_place(account: Account, cloud: Cloud) -> None:
    allowed = policy("cloudwatch.amazonaws.com", "sns:Publish")
    topic = account.make(TOPIC, name="alarms", kmsMasterKeyId="alias/own", policy=allowed, tags={"a": "b"})
    assert topic["arn"] == topic.id == f"arn:aws:sns:{REGION}:{cloud.account_id}:alarms"
    assert topic.refreshes_unchanged()
    assert {TOPIC} <= inventory(cloud, REGION).keys()
    topic.change(policy=policy("cloudwatch.amazonaws.com", "sns:Publish", "Other"), tags={"c": "d"}, displayName="x")
    assert topic.refreshes_unchanged()
    seen = cloud.client("sns", REGION).get_topic_attributes(TopicArn=topic.id)["Attributes"]
    assert "Other" in seen["Policy"]
    assert (seen["KmsMasterKeyId"], seen["DisplayName"]) == ("alias/own", "x")
    subscription = account.make(SUBSCRIPTION, topic=topic.id, protocol="email", endpoint="a@example.com")
    assert subscription.refreshes_unchanged()
    assert {TOPIC, SUBSCRIPTION} <= inventory(cloud, REGION).keys()
    delete(subscription, topic)


def test_a_topic_policy_without_principal_is_refused(account: Account) -> None:
    text = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sns:Publish", "Resource": "*"}]})
    assert "has no Principal" in account.refusal(TOPIC, policy=text)


def settings(**changes: Any) -> dict[str, Any]:
    return {
        "name": "overdue",
        "namespace": "Velero/dev",
        "metricName": "BackupOverdue",
        "dimensions": {"Schedule": "daily"},
        "statistic": "Maximum",
        "period": 900,
        "evaluationPeriods": 1,
        "threshold": 1,
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "treatMissingData": "breaching",
        "alarmActions": ["arn:aws:sns:us-east-1:123456789012:alarms"],
        "tags": {"a": "b"},
        **changes,
    }


def test_an_alarm_keeps_its_settings_and_changes_in_place(account: Account, cloud: Cloud) -> None:
    alarm = account.make(ALARM, **settings())
    assert alarm["arn"] == f"arn:aws:cloudwatch:{REGION}:{cloud.account_id}:alarm:overdue"
    assert alarm["dimensions"] == {"Schedule": "daily"}
    assert alarm.refreshes_unchanged()
    alarm.change(period=600, alarmActions=[], okActions=["arn:aws:sns:us-east-1:123456789012:b"], tags={"c": "d"})
    assert alarm.refreshes_unchanged()
    (seen,) = cloud.client("cloudwatch", REGION).describe_alarms(AlarmNames=["overdue"])["MetricAlarms"]
    assert (seen["Period"], seen["AlarmActions"], seen["TreatMissingData"]) == (600, [], "breaching")
    assert seen["Dimensions"] == [{"Name": "Schedule", "Value": "daily"}]
    assert ALARM in inventory(cloud, REGION)
    delete(alarm)


@pytest.mark.parametrize(
    ("token", "inputs"),
    [(ALARM, settings()), (LOG_GROUP, {"name": "/watch", "tags": {"a": "b"}})],
    ids=["alarm", "log"],
)
def test_tags_go_with_what_bears_them(account: Account, token: str, inputs: dict[str, Any]) -> None:
    delete(account.make(token, **inputs))
    again = account.make(token, **{**inputs, "tags": {}})
    assert not again.state.get("tags")
    delete(again)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"period": 90}, "90 is neither 10, 20 or 30 nor a multiple of 60"),
        ({"period": 1800, "evaluationPeriods": 49}, "reach back more than a day"),
        ({"period": 7200, "evaluationPeriods": 85}, "reach back more than a day"),
        ({"alarmActions": [f"arn:{number}" for number in range(6)]}, "is outside the limits - to 5"),
        ({"comparisonOperator": "Above"}, "is not one of"),
    ],
    ids=["period", "more-than-a-day", "more-than-a-week", "actions", "operator"],
)
def test_an_alarm_that_cloudwatch_refuses_is_refused(account: Account, changes: dict[str, Any], reason: str) -> None:
    assert reason in account.refusal(ALARM, **settings(**changes))
