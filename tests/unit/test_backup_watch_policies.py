"""What the watch over backups may do, and who may use its topic and its key."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data
from policy_sentry.querying.all import get_all_actions

from eks_analytics.backup_watch_options import BackupWatchOptions
from eks_analytics.backup_watch_policies import (
    function_policy,
    function_trust,
    key_policy,
    key_statements,
    topic_policy,
)

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BUCKET = "arn:aws:s3:::velero-dev"
OPTIONS = BackupWatchOptions("dash-dev", "us-east-1", "123456789012", prefix="dash")
TOPIC = "arn:aws:sns:us-east-1:123456789012:dash-dev-backup-watch"
ALARMS = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:dash-dev-backup-overdue-*"
LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/dash-dev-backup-watch"


def by_sid(document: Any) -> dict[str, Any]:
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_the_function_sees_what_backups_there_are_and_nothing_of_what_is_in_them() -> None:
    found = by_sid(function_policy(OPTIONS, "velero-dev", ""))
    assert set(found) == {"ListBackups", "ReadWhatBackupsAre", "WriteMetric", "WriteLog"}
    assert found["ListBackups"]["Resource"] == BUCKET
    assert found["ListBackups"]["Condition"] == {"StringEquals": {"s3:prefix": "dash/backups/"}}
    readable = found["ReadWhatBackupsAre"]["Resource"]
    assert fnmatchcase(f"{BUCKET}/dash/backups/daily-1/velero-backup.json", readable)
    for other in ("dash/backups/daily-1/daily-1.tar.gz", "dash/kopia/x", "other/backups/daily-1/velero-backup.json"):
        assert not fnmatchcase(f"{BUCKET}/{other}", readable)


def test_without_a_prefix_the_backups_lie_at_the_top() -> None:
    found = by_sid(function_policy(BackupWatchOptions("dev", "us-east-1", "123456789012"), "velero-dev", ""))
    assert found["ListBackups"]["Condition"] == {"StringEquals": {"s3:prefix": "backups/"}}
    assert found["ReadWhatBackupsAre"]["Resource"] == f"{BUCKET}/backups/*/velero-backup.json"


def test_the_function_decrypts_through_s3_only_and_only_where_there_is_a_key() -> None:
    found = by_sid(function_policy(OPTIONS, "velero-dev", KEY))
    assert found["DecryptThroughS3"]["Action"] == ["kms:Decrypt"]
    assert found["DecryptThroughS3"]["Resource"] == KEY
    assert found["DecryptThroughS3"]["Condition"] == {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}


def test_the_function_writes_its_own_metric_and_its_own_log_only() -> None:
    found = by_sid(function_policy(OPTIONS, "velero-dev", KEY))
    assert found["WriteMetric"]["Condition"] == {"StringEquals": {"cloudwatch:namespace": "Velero/dash-dev"}}
    assert found["WriteLog"]["Resource"] == f"{LOG_GROUP}:*"


def test_the_function_changes_nothing_but_its_metric_and_its_log() -> None:
    statements = function_policy(OPTIONS, "velero-dev", KEY)["Statement"]
    writing = set[str]()
    for action in (action for statement in statements for action in statement.get("Action", [])):
        service, name = action.split(":")
        levels = {entry["access_level"] for entry in get_action_data(service, name)[service]}
        writing |= {action} if levels - {"List", "Read"} else set()
    assert writing - {"kms:Decrypt"} == {"cloudwatch:PutMetricData", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_only_the_alarms_of_this_watch_publish_and_nobody_without_tls() -> None:
    found = by_sid(topic_policy(OPTIONS))
    allowed, denied = found["AlarmsPublish"], found["DenyWithoutTls"]
    assert (allowed["Principal"], allowed["Resource"]) == ({"Service": "cloudwatch.amazonaws.com"}, TOPIC)
    conditions = {"StringEquals": {"aws:SourceAccount": "123456789012"}, "ArnLike": {"aws:SourceArn": ALARMS}}
    assert allowed["Condition"] == conditions
    assert (denied["Effect"], denied["Principal"]) == ("Deny", {"AWS": "*"})
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert fnmatchcase(OPTIONS.arn("cloudwatch", f"alarm:{OPTIONS.alarm_name('daily')}"), ALARMS)


def test_alarms_can_publish_to_the_encrypted_topic_and_logs_encrypt_their_group() -> None:
    alarms, logs = key_statements(OPTIONS)
    assert alarms["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert alarms["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert alarms["Condition"]["ArnLike"] == {"aws:SourceArn": ALARMS}
    assert logs["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}
    assert logs["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": LOG_GROUP}}


def test_nobody_of_the_account_uses_the_key_directly() -> None:
    account = by_sid(key_policy(OPTIONS))["AdministerKeyThroughIam"]
    using = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:*"}
    assert using & set(account["Action"]) == set()


def test_other_partitions_have_their_own_arns_and_services() -> None:
    china = BackupWatchOptions("dash-dev", "cn-north-1", "123456789012", prefix="dash")
    text = json.dumps([function_policy(china, "velero-dev", KEY), topic_policy(china), key_policy(china)])
    assert "arn:aws:s3" not in text
    assert "arn:aws-cn:s3:::velero-dev" in text
    assert "s3.cn-north-1.amazonaws.com.cn" in text
    assert "logs.cn-north-1.amazonaws.com.cn" in text


DOCUMENTS = {
    "function": function_policy(OPTIONS, "velero-dev", KEY),
    "trust": function_trust(),
    "topic": topic_policy(OPTIONS),
    "key": key_policy(OPTIONS),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_policy_sentry_knows_every_action(name: str) -> None:
    known = [action.lower() for action in get_all_actions()]
    named = [action for statement in DOCUMENTS[name]["Statement"] for action in statement.get("Action", [])]
    unknown = [action for action in named if not any(fnmatchcase(one, action.lower()) for one in known)]
    assert unknown == []


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_parliament_finds_nothing_but_its_advice_about_the_metric() -> None:
    from parliament import analyze_policy_string

    findings = analyze_policy_string(json.dumps(DOCUMENTS["function"])).findings
    # CloudWatch knows no resources of metrics; the namespace binds the statement.
    assert [finding.issue for finding in findings] in ([], ["RESOURCE_STAR"])
