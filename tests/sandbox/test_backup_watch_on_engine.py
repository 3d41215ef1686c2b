"""BackupWatch on the real engine: what AWS holds afterwards, and that its function finds the backups."""

import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_analytics.backup_watch import BackupWatch, function_files
from eks_analytics.functions import backup_freshness
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.knobs import Knobs
from sandbox.providers.archives import zipped
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "us-east-2"
SCHEDULES = [{"name": "daily", "cron": "0 0 * * *"}, {"name": "hourly", "cron": "0 * * * *"}]
NAME = "dash-dev-backup-watch"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    yield clouds.start(tmp_path / "dev")
    clouds.stop(tmp_path / "dev")


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})


def program(cloud: Cloud, **changes: Any) -> Program:
    def run() -> None:
        emulated = aws.Provider("emulated", region=REGION)
        own = pulumi.ResourceOptions(provider=emulated)
        key = aws.kms.Key("bucket", opts=own)
        bucket = aws.s3.Bucket("bucket", force_destroy=True, opts=own)
        args: Any = {
            "name": "dash-dev",
            "region": REGION,
            "account_id": cloud.account_id,
            "bucket": bucket.bucket,
            "prefix": "dash",
            "kms_key_arn": key.arn,
            "schedules": SCHEDULES,
            "subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}],
            "tags": {"environment": "dev"},
            **changes,
        }
        watch = BackupWatch("watch", args, pulumi.ResourceOptions(providers=[emulated]))
        for output in BackupWatch.__annotations__:
            pulumi.export(output, getattr(watch, output))
        pulumi.export("bucket", bucket.bucket)

    return run


def test_it_watches_a_bucket_changes_in_place_and_goes_without_a_trace(
    stack: SmallStack, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = stack.up(program(cloud))
    _code(stack)
    assert set(stack.preview(program(cloud))) == {"same"}
    assert set(stack.refresh()) == {"same"}
    _function(cloud, outputs)
    _looks_by_itself(cloud)
    _alarms(cloud, outputs)
    _topic_and_log(cloud, outputs)
    _run(cloud, outputs, monkeypatch)

    longer = program(cloud, grace_hours=8, check_interval_minutes=30, notify_on_recovery=False)
    stack.preview(longer)
    assert set(stack.actions()) == {"watch", "watch-daily", "watch-hourly"}
    assert set(stack.actions().values()) == {"update"}
    stack.up(longer)
    assert set(stack.preview(longer)) == {"same"}
    (daily, _) = cloud.client("cloudwatch", REGION).describe_alarms()["MetricAlarms"]
    assert (daily["Period"], daily["OKActions"]) == (1800, [])

    one = program(cloud, schedules=SCHEDULES[:1], subscriptions=[])
    stack.preview(one)
    actions = stack.actions()
    assert {name for name, action in actions.items() if action == "delete"} == {
        "watch-hourly",
        *(name for name in actions if name.startswith("watch-email-")),
    }

    outputs = stack.up(program(cloud, enabled=False))
    assert (outputs["topic_arn"], outputs["function_name"], outputs["alarm_names"]) == ("", "", {})
    assert set(inventory(cloud, REGION)) == {
        "aws:s3/bucket:Bucket",
        "aws:s3/bucketObjectv2:BucketObjectv2",
        "aws:kms/key:Key",
        "aws:kms/key:Key (pending deletion)",
    }

    stack.destroy()
    assert stack.resources() == []
    assert {token for token in inventory(cloud, REGION) if "pending deletion" not in token} == set()


def test_the_url_of_a_webhook_is_told_and_stands_in_the_state_in_clear_nowhere(stack: SmallStack, cloud: Cloud) -> None:
    url = "https://alerts.example.com/services/hunter2"
    outputs = stack.up(program(cloud, subscriptions=[{"protocol": "https", "endpoint": url}]))
    (told,) = cloud.client("sns", REGION).list_subscriptions_by_topic(TopicArn=outputs["topic_arn"])["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("https", url)
    stack.refresh()
    assert "hunter2" not in json.dumps(stack.resources())
    assert set(stack.preview(program(cloud, subscriptions=[{"protocol": "https", "endpoint": url}]))) == {"same"}


def _function(cloud: Cloud, outputs: dict[str, Any]) -> None:
    about = cloud.client("lambda", REGION).get_function(FunctionName=outputs["function_name"])
    function = about["Configuration"]
    assert (function["Runtime"], function["Handler"]) == ("python3.14", "backup_freshness.handler")
    assert about["Tags"] == {"environment": "dev"}
    assert json.loads(function["Environment"]["Variables"]["WATCH"]) == {
        "bucket": outputs["bucket"],
        "prefix": "dash/",
        "namespace": "Velero/dash-dev",
        "schedules": {"daily": "0 0 * * *", "hourly": "0 * * * *"},
        "grace_minutes": 6 * 60,
    }
    role = function["Role"].rpartition("/")[2]
    iam = cloud.client("iam", REGION)
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    statements = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
    rights = {statement["Sid"]: statement["Resource"] for statement in statements}
    bucket = f"arn:aws:s3:::{outputs['bucket']}"
    assert rights["ListBackups"] == bucket
    assert rights["ReadWhatBackupsAre"] == f"{bucket}/dash/backups/*/velero-backup.json"
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []


def _looks_by_itself(cloud: Cloud) -> None:
    events = cloud.client("events", REGION)
    (rule,) = events.list_rules()["Rules"]
    assert (rule["Name"], rule["ScheduleExpression"], rule["State"]) == (NAME, "rate(15 minutes)", "ENABLED")
    (target,) = events.list_targets_by_rule(Rule=NAME)["Targets"]
    arn = f"arn:aws:lambda:{REGION}:{cloud.account_id}:function:{NAME}"
    assert target["Arn"] == arn
    (allowed,) = json.loads(cloud.client("lambda", REGION).get_policy(FunctionName=NAME)["Policy"])["Statement"]
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert allowed["Condition"] == {"ArnLike": {"AWS:SourceArn": rule["Arn"]}}


def _alarms(cloud: Cloud, outputs: dict[str, Any]) -> None:
    alarms = {one["AlarmName"]: one for one in cloud.client("cloudwatch", REGION).describe_alarms()["MetricAlarms"]}
    assert outputs["alarm_names"] == {
        "daily": "dash-dev-backup-overdue-daily",
        "hourly": "dash-dev-backup-overdue-hourly",
    }
    assert set(alarms) == set(outputs["alarm_names"].values())
    daily = alarms["dash-dev-backup-overdue-daily"]
    assert daily["TreatMissingData"] == "breaching"
    assert daily["AlarmActions"] == daily["OKActions"] == [outputs["topic_arn"]]
    assert daily["Dimensions"] == [{"Name": "Schedule", "Value": "daily"}]
    assert (daily["Namespace"], daily["MetricName"]) == ("Velero/dash-dev", "BackupOverdue")


def _topic_and_log(cloud: Cloud, outputs: dict[str, Any]) -> None:
    sns = cloud.client("sns", REGION)
    topic = sns.get_topic_attributes(TopicArn=outputs["topic_arn"])["Attributes"]
    (told,) = sns.list_subscriptions_by_topic(TopicArn=outputs["topic_arn"])["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "backups@example.com")
    assert {one["Effect"] for one in json.loads(topic["Policy"])["Statement"]} == {"Allow", "Deny"}
    (group,) = cloud.client("logs", REGION).describe_log_groups()["logGroups"]
    assert group["logGroupName"] == outputs["log_group_name"] == f"/aws/lambda/{NAME}"
    assert (group["retentionInDays"], group["kmsKeyId"]) == (90, topic["KmsMasterKeyId"])
    kms = cloud.client("kms", REGION)
    policy = json.loads(kms.get_key_policy(KeyId=topic["KmsMasterKeyId"], PolicyName="default")["Policy"])
    services = [one["Principal"].get("Service") for one in policy["Statement"]]
    assert services == [None, "cloudwatch.amazonaws.com", f"logs.{REGION}.amazonaws.com"]


def _run(cloud: Cloud, outputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The function with the environment that Lambda would give it: a daily backup is there, an hourly one is not."""
    about = cloud.client("lambda", REGION).get_function(FunctionName=outputs["function_name"])
    variables = about["Configuration"]["Environment"]["Variables"] | {
        **cloud.environment(REGION),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    document = {
        "metadata": {"name": "daily-1", "labels": {"velero.io/schedule-name": "daily"}},
        "status": {"phase": "Completed", "startTimestamp": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"},
    }
    cloud.client("s3", REGION).put_object(
        Bucket=outputs["bucket"], Key="dash/backups/daily-1/velero-backup.json", Body=json.dumps(document)
    )
    backup_freshness.handler({}, None)
    metrics = cloud.client("cloudwatch", REGION).list_metrics(Namespace="Velero/dash-dev")["Metrics"]
    assert {one["Dimensions"][0]["Value"] for one in metrics} == {"daily", "hourly"}


def _code(stack: SmallStack) -> None:
    """The source alone, whatever the machine that it was deployed from."""
    code = next(one for one in stack.resources() if one["type"] == "aws:lambda/function:Function")["inputs"]["code"]
    with zipfile.ZipFile(io.BytesIO(zipped(code))) as file:
        assert {name: file.read(name).decode() for name in file.namelist()} == function_files()
    assert str(Path(__file__).parents[2]) not in json.dumps(code)
