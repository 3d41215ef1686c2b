"""The watch over backups: what it is made of, and what is refused beforehand."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest

from eks_analytics.backup_watch import FUNCTION, BackupWatch, function_files
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder

Build = Callable[..., dict[str, Any]]
TOPIC = "arn:aws:sns:us-east-1:123456789012:alerts"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
UNTAGGABLE = {"BackupWatch", "TopicSubscription", "RolePolicy", "Permission", "EventTarget"}


def arguments(**changes: Any) -> Any:
    given = {
        "name": "dash-dev",
        "region": "us-east-1",
        "account_id": "123456789012",
        "bucket": "velero-dev",
        "schedules": [{"name": "daily", "cron": "0 0 * * *"}, {"name": "weekly", "cron": "0 3 * * 0"}],
        "subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}],
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build a watch named "main" of the arguments given. Returns its outputs."""

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: BackupWatch("main", arguments(**changes)))

    return build


def only(recorder: Recorder, type: str) -> dict[str, Any]:
    (found,) = recorder.of(type).values()
    return found.inputs


def refusal(build: Build, **changes: Any) -> str:
    with pytest.raises(ValueError, match="backup watch 'main' cannot be built") as caught:
        build(**changes)
    return str(caught.value)


def test_every_schedule_has_an_alarm_that_takes_silence_for_a_missing_backup(build: Build, recorder: Recorder) -> None:
    outputs = build()
    alarms = recorder.of("MetricAlarm")
    assert set(alarms) == {"main-daily", "main-weekly"}
    alarm = alarms["main-daily"].inputs
    assert alarm["treatMissingData"] == "breaching"
    assert (alarm["metricName"], alarm["dimensions"]) == ("BackupOverdue", {"Schedule": "daily"})
    assert (alarm["statistic"], alarm["comparisonOperator"]) == ("Maximum", "GreaterThanOrEqualToThreshold")
    assert (alarm["threshold"], alarm["evaluationPeriods"], alarm["period"]) == (1, 1, 900)
    assert "schedule daily (0 0 * * *) of dash-dev within 6 h" in alarm["alarmDescription"]
    assert "/aws/lambda/dash-dev-backup-watch" in alarm["alarmDescription"]
    assert outputs["alarm_names"] == {
        "daily": "dash-dev-backup-overdue-daily",
        "weekly": "dash-dev-backup-overdue-weekly",
    }


def test_the_function_is_told_when_each_schedule_runs_and_how_long_a_run_may_take(
    build: Build, recorder: Recorder
) -> None:
    schedules = [
        {"name": "daily", "cron": "@daily"},
        {"name": "often", "cron": "@every 1h30m"},
        {"name": "steps", "cron": "0 3 */10 * 1"},
    ]
    build(prefix="dash/dev", grace_hours=4.0, schedules=schedules)  # plugins hand integers over as floats
    watch = json.loads(only(recorder, "Function")["environment"]["variables"]["WATCH"])
    assert watch == {
        "bucket": "velero-dev",
        "prefix": "dash/dev/",
        "namespace": "Velero/dash-dev",
        "schedules": {"daily": "0 0 * * *", "often": 90 * 60, "steps": "0 3 1-31/10 * 1"},
        "grace_minutes": 4 * 60,
    }
    namespace = {alarm.inputs["namespace"] for alarm in recorder.of("MetricAlarm").values()}
    assert namespace == {watch["namespace"]}


def test_the_function_is_looked_after_by_nothing_of_the_cluster(build: Build, recorder: Recorder) -> None:
    build(check_interval_minutes=30.0)
    function, rule = only(recorder, "Function"), only(recorder, "EventRule")
    assert function["handler"] == f"{FUNCTION}.handler"
    assert "vpcConfig" not in function
    assert function["loggingConfig"]["logGroup"] == only(recorder, "LogGroup")["name"]
    assert rule["scheduleExpression"] == "rate(30 minutes)"
    assert only(recorder, "EventTarget")["arn"].endswith("main-id")
    assert only(recorder, "Permission")["principal"] == "events.amazonaws.com"
    assert {alarm.inputs["period"] for alarm in recorder.of("MetricAlarm").values()} == {1800}


def test_the_function_needs_nothing_but_what_lambdas_python_brings_along_and_its_library() -> None:
    lines = [line for line in function_files()[f"{FUNCTION}.py"].splitlines() if line.startswith(("import ", "from "))]
    modules = {line.split()[1].split(".")[0] for line in lines}
    assert modules - {"cronsim"} <= {
        *("boto3", "botocore", "collections", "dataclasses", "datetime", "json", "os", "typing"),
    }


def test_the_library_of_the_function_comes_along_whole_and_with_its_license(tmp_path: Path) -> None:
    for path, text in function_files().items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    assert "Redistribution and use in source" in (tmp_path / "cronsim/LICENSE").read_text("utf-8")
    code = (
        "import sys; from datetime import datetime; sys.path.insert(0, sys.argv[1]); from cronsim import CronSim; "
        "print(next(CronSim('0 0 * * 1-5', datetime(2026, 11, 22), reverse=True)))"
    )
    # Without the packages that are installed here.
    ran = subprocess.run([sys.executable, "-ISc", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "2026-11-20 00:00:00"


def test_topic_and_log_are_encrypted_with_a_key_that_alarms_may_use(build: Build, recorder: Recorder) -> None:
    build()
    key = only(recorder, "Key")
    assert key["enableKeyRotation"] is True
    assert "cloudwatch.amazonaws.com" in key["policy"]
    arn = "arn:aws:mock:us-east-1:123456789012:main-id"
    assert only(recorder, "Topic")["kmsMasterKeyId"] == only(recorder, "LogGroup")["kmsKeyId"] == arn
    build(alarm_key_arn=KEY)
    assert recorder.of("Key") == {}
    assert only(recorder, "Topic")["kmsMasterKeyId"] == only(recorder, "LogGroup")["kmsKeyId"] == KEY


def test_production_keeps_a_deleted_key_longer(build: Build, recorder: Recorder) -> None:
    build()
    assert only(recorder, "Key")["deletionWindowInDays"] == 7
    build(production=True)
    assert only(recorder, "Key")["deletionWindowInDays"] == 30


def test_alarms_tell_the_topic_and_whatever_else_is_named_of_both_turns(build: Build, recorder: Recorder) -> None:
    more = "arn:aws:lambda:us-east-1:123456789012:function:page"
    outputs = build(alarm_actions=[more])
    alarm = recorder.of("MetricAlarm")["main-daily"].inputs
    assert alarm["alarmActions"] == alarm["okActions"] == [outputs["topic_arn"], more]
    build(alarm_actions=[more], notify_on_recovery=False)
    assert recorder.of("MetricAlarm")["main-daily"].inputs.get("okActions", []) == []


def test_a_topic_that_is_there_is_told_instead_of_a_new_one(build: Build, recorder: Recorder) -> None:
    outputs = build(existing_topic_arn=TOPIC, subscriptions=None)
    assert outputs["topic_arn"] == TOPIC
    assert recorder.of("Topic") == {}
    assert recorder.of("MetricAlarm")["main-daily"].inputs["alarmActions"] == [TOPIC]


def test_subscriptions_keep_their_names_when_others_come_and_go(build: Build, recorder: Recorder) -> None:
    mail = {"protocol": "email", "endpoint": "backups@example.com"}
    hook = {"protocol": "https", "endpoint": "https://alerts.example.com/secret-key"}
    build(subscriptions=[mail])
    (name,) = recorder.of("TopicSubscription")
    build(subscriptions=[hook, mail])
    assert name in recorder.of("TopicSubscription")
    assert not any("secret-key" in one for one in recorder.of("TopicSubscription"))


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input, pulumi.Output.secret])
def test_the_url_of_a_webhook_is_a_secret(build: Build, recorder: Recorder, given: Any) -> None:
    url = "https://alerts.example.com/secret-key"
    build(subscriptions=[{"protocol": "https", "endpoint": given(url)}])
    (hook,) = recorder.of("TopicSubscription").values()
    marked = hook.inputs["endpoint"]
    assert marked["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"  # a secret, to the engine
    assert marked["value"] == url
    assert list(hook.request.additionalSecretOutputs) == ["endpoint"]


def test_an_endpoint_can_be_an_output(build: Build, recorder: Recorder) -> None:
    build(subscriptions=[{"protocol": "sqs", "endpoint": pulumi.Output.from_input(TOPIC)}])
    assert only(recorder, "TopicSubscription")["endpoint"] == TOPIC


def test_nothing_is_made_and_nothing_judged_where_it_is_turned_off(build: Build, recorder: Recorder) -> None:
    outputs = build(enabled=False, schedules=[])
    assert [found.type for found in recorder.registrations] == ["eks-analytics:index:BackupWatch"]
    assert outputs == {
        "topic_arn": "",
        "function_name": "",
        "log_group_name": "",
        "log_command": "",
        "alarm_names": {},
    }


def test_a_watch_that_tells_nobody_is_warned_of_and_refused_in_production(build: Build, recorder: Recorder) -> None:
    build()
    assert recorder.warnings == []
    build(subscriptions=None)
    assert "tells nobody" in recorder.warnings[0]
    assert "leaves nobody to hear" in refusal(build, subscriptions=None, production=True)
    build(subscriptions=None, existing_topic_arn=TOPIC, production=True)


def test_every_resource_is_a_child_carries_the_tags_and_takes_no_option_of_the_component(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], ignore_changes=["tags"])
    recorder.run(lambda: BackupWatch("main", arguments(tags={"team": "data"}), opts))
    component, *children = recorder.made
    assert component.type == "eks-analytics:index:BackupWatch"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:BackupWatch::main"}
    assert not any(child.request.aliases or child.request.ignoreChanges for child in children)
    untagged = {found.type.split(":")[-1] for found in recorder.made if "tags" not in found.inputs}
    assert untagged == UNTAGGABLE
    assert all(found.inputs["tags"] == {"team": "data"} for found in children if "tags" in found.inputs)


def test_the_log_is_kept_and_easy_to_find(build: Build, recorder: Recorder) -> None:
    outputs = build(log_retention_days=30.0)
    assert only(recorder, "LogGroup")["retentionInDays"] == 30
    assert outputs["log_command"] == ("aws logs tail /aws/lambda/dash-dev-backup-watch --since 1h --region us-east-1")


def test_region_and_account_are_looked_up_where_they_are_not_given(build: Build, recorder: Recorder) -> None:
    recorder.answers["aws:index/getRegion:getRegion"] = lambda _: {"id": "r", "region": "eu-west-3"}
    recorder.answers["aws:index/getCallerIdentity:getCallerIdentity"] = lambda _: {"accountId": "999999999999"}
    topic = TOPIC.replace("us-east-1", "eu-west-3")
    outputs = build(region=None, account_id=None, existing_topic_arn=topic, subscriptions=None)
    assert outputs["log_command"].endswith("--region eu-west-3")
    group = "arn:aws:logs:eu-west-3:999999999999:log-group:/aws/lambda/dash-dev-backup-watch"
    assert group in only(recorder, "Key")["policy"]
    assert group in only(recorder, "RolePolicy")["policy"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"name": "dash dev"}, "name = 'dash dev': cannot begin the names"),
    ({"name": "x" * 52}, "write at most 51 letters"),
    ({"grace": 6}, "grace = '[int]': there is no such argument; did you mean grace_hours?"),
    ({"region": "us-east-1a"}, "region = 'us-east-1a': is not the name of an AWS region"),
    ({"account_id": "12345"}, "account_id = '12345': is no AWS account id"),
    ({"bucket": "s3://velero"}, "bucket = 's3://velero': is no name of a bucket"),
    ({"bucket": "Velero"}, "bucket = 'Velero'"),
    ({"prefix": "/dash"}, "prefix = '/dash': is no prefix"),
    ({"prefix": "dash/"}, "prefix = 'dash/'"),
    ({"kms_key_arn": "alias/velero"}, "kms_key_arn = 'alias/velero': is not the ARN of a KMS key"),
    ({"kms_key_arn": KEY.replace("us-east-1", "eu-west-1")}, "is a key of another region than us-east-1"),
    ({"alarm_key_arn": "alias/aws/sns"}, "alarm_key_arn = 'alias/aws/sns': is not the ARN"),
    ({"schedules": []}, "schedules = []: leaves nothing to watch"),
    ({"schedules": [{"name": "Daily", "cron": "0 0 * * *"}]}, "schedules[0].name = 'Daily'"),
    ({"schedules": [{"name": "d" * 64, "cron": "0 0 * * *"}]}, "at most 63 small letters"),
    ({"schedules": [{"name": "d", "cron": "@daily"}] * 2}, "schedules = 'd': is there more than once"),
    ({"schedules": [{"name": "d", "cron": "0 0 * *"}]}, "schedules[0].cron = '0 0 * *': is no cron"),
    ({"grace_hours": 0}, "grace_hours = 0: is no number of hours"),
    ({"grace_hours": 1.5}, "grace_hours = 1.5"),
    ({"check_interval_minutes": 1}, "check_interval_minutes = 1: is no interval"),
    ({"check_interval_minutes": 61}, "write a whole number of minutes from 5 to 60"),
    ({"log_retention_days": 31}, "log_retention_days = 31"),
    ({"existing_topic_arn": TOPIC}, "subscriptions = '1 of them': are for a topic that is made"),
    ({"existing_topic_arn": "alerts", "subscriptions": None}, "is not the ARN of an SNS topic"),
    ({"existing_topic_arn": f"{TOPIC}.fifo", "subscriptions": None}, "is a FIFO topic"),
    ({"existing_topic_arn": TOPIC.replace("us-", "eu-"), "subscriptions": None}, "is in another region"),
    ({"alarm_actions": ["page me"]}, "alarm_actions[0] = 'page me': is no ARN"),
    ({"alarm_actions": [TOPIC, TOPIC]}, "is there more than once"),
    ({"alarm_actions": [f"{TOPIC}{number}" for number in range(5)]}, "more than 5 actions with the topic"),
    ({"alarm_actions": [TOPIC.replace("us-", "eu-")]}, "name one in us-east-1"),
    ({"prefix": "dash/.."}, "prefix = 'dash/..'"),
    ({"bucket": "192.168.5.4"}, "bucket = '192.168.5.4'"),
    (
        {"schedules": [{"name": f"schedule-{number}", "cron": "0 0 * * *"} for number in range(200)]},
        "schedules = '200 of them': take ",
    ),
    *(
        ({"subscriptions": [{"protocol": "https", "endpoint": url}]}, "subscriptions[0].endpoint")
        for url in ("https://[your-webhook]/x", "https://[::1", "https://exa mple.com/x", "https://host:99999/x")
    ),
    ({"subscriptions": [{"protocol": "pager", "endpoint": "1"}]}, "subscriptions[0].protocol = 'pager': is unknown"),
    ({"subscriptions": [{"protocol": "email", "endpoint": "me"}]}, "subscriptions[0].endpoint = 'me': is no e-mail"),
    ({"subscriptions": [{"protocol": "https", "endpoint": "http://a.example.com/x"}]}, "= 'http://a.example.com/...'"),
    ({"subscriptions": [{"protocol": "sqs", "endpoint": f"{TOPIC}.fifo"}]}, "is not the ARN of a standard queue"),
    ({"subscriptions": [{"protocol": "lambda", "endpoint": TOPIC}]}, "is not the ARN of a function"),
    ({"subscriptions": [{"protocol": "sms", "endpoint": "0151"}]}, "is no telephone number"),
    ({"subscriptions": [{"protocol": "email", "endpoint": "a@example.com"}] * 2}, "subscribed more than once"),
    ({"tags": {"aws:x": "y"}}, "aws:"),
]


@pytest.mark.parametrize(("changes", "said"), WRONG, ids=[str(number) for number in range(len(WRONG))])
def test_what_cannot_work_is_said_beforehand(
    build: Build, recorder: Recorder, changes: dict[str, Any], said: str
) -> None:
    assert said in refusal(build, **changes)
    assert recorder.registrations == []


def test_all_that_is_wrong_is_said_at_once(build: Build) -> None:
    text = refusal(
        build,
        name="dash dev",
        region="east",
        account_id="1",
        bucket="V",
        prefix="/",
        kms_key_arn="k",
        alarm_key_arn="a",
        schedules=[{"name": "A", "cron": "x"}],
        grace_hours=0,
        check_interval_minutes=0,
        log_retention_days=2,
        existing_topic_arn="t",
        alarm_actions=["b"],
        subscriptions=[{"protocol": "fax", "endpoint": "1"}, {"protocol": "sms", "endpoint": "2"}],
        tags={"Name": "x"},
    )
    inputs = [line.split(" = ")[0].removeprefix("  - ") for line in text.splitlines()[1:]]
    assert inputs == [
        *("name", "region", "account_id", "bucket", "prefix", "schedules[0].name", "schedules[0].cron"),
        *("kms_key_arn", "grace_hours", "check_interval_minutes", "log_retention_days", "subscriptions"),
        *("existing_topic_arn", "alarm_actions[0]", "subscriptions[0].protocol", "subscriptions[1].endpoint"),
        *("alarm_key_arn", "tags"),
    ]


def test_no_error_shows_what_may_be_a_key_in_a_url(build: Build) -> None:
    for url in (
        *("http://user:hunter2@example.com/hunter2", "ftp://example.com/hunter2?key=hunter2"),
        *("http://example.com?key=hunter2", "http://example.com/me@hunter2", "example.com/hunter2"),
        *("user:hunter2@example.com/x", 'http://example.com/"hunter2', "http://example.com#hunter2"),
    ):
        assert "hunter2" not in refusal(build, subscriptions=[{"protocol": "https", "endpoint": url}])


def test_the_schema_documents_every_input_and_output() -> None:
    analyzed = InheritingAnalyzer("eks-analytics").analyze([BackupWatch])
    component, types = analyzed["component_definitions"]["BackupWatch"], analyzed["type_definitions"]
    assert set(types) == {"BackupScheduleArgs", "WatchSubscriptionArgs"}
    described = [component.inputs, component.outputs, *(definition.properties for definition in types.values())]
    assert all(item.description for properties in described for item in properties.values())
    assert component.description
    assert {name for name, item in component.inputs.items() if not item.optional} == {*("bucket", "name", "schedules")}
