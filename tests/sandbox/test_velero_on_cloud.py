"""Backups of a whole Dash Enterprise on the embedded cloud: what the API server holds, and what changes touch."""

import json
from pathlib import Path
from typing import Any

import pytest

from environments import Environment, MakeEnvironment
from sandbox.kubernetes_api.client import KubernetesApi
from sandbox.kubernetes_api.reference import Reference

CLUSTER = "dash-dev"
STORAGE = Reference("velero.io/v1", "BackupStorageLocation", "velero", "default")
SNAPSHOTS = Reference("velero.io/v1", "VolumeSnapshotLocation", "velero", "default")
DAILY = Reference("velero.io/v1", "Schedule", "velero", "daily")


@pytest.fixture(scope="module")
def applied(environment: MakeEnvironment) -> Environment:
    stack = environment("dev")
    stack.run("up", "--yes")
    return stack


def api(stack: Environment) -> KubernetesApi:
    address = stack.cloud().ask("kubernetes_running")[CLUSTER]
    return KubernetesApi(address["url"], Path(address["folder"]))


def read(stack: Environment, reference: Reference) -> dict[str, Any]:
    found = api(stack).get(reference)
    assert found, f"{reference.name} is not in the API server"
    return found


def kinds(lines: list[str]) -> set[str]:
    """The kinds of resources in lines such as `3.1 s ~ kubernetes.velero.io.Schedule name updated`."""
    return {word for line in lines for word in line.split() if word.startswith(("kubernetes.", "aws."))}


def test_the_real_api_server_holds_both_locations_and_the_schedule(applied: Environment) -> None:
    bucket = applied.outputs()["backup_bucket_name"]
    spec = read(applied, STORAGE)["spec"]
    assert spec["objectStorage"] == {"bucket": bucket}
    assert (spec["accessMode"], spec["default"], spec["provider"]) == ("ReadWrite", True, "aws")
    assert read(applied, SNAPSHOTS)["spec"]["config"] == {"region": "us-east-1"}
    schedule = read(applied, DAILY)["spec"]
    assert schedule["schedule"] == "0 3 * * *"
    assert schedule["template"]["ttl"] == "168h"
    assert schedule["template"]["includedNamespaces"] == ["dash-apps", "dash-services", "plotly-system"]
    assert applied.outputs()["velero_cli_version"] == "v1.18.1"


def test_the_bucket_is_under_the_environments_key_and_velero_may_use_both(applied: Environment) -> None:
    outputs = applied.outputs()
    encryption = applied.client("s3").get_bucket_encryption(Bucket=outputs["backup_bucket_name"])
    (rule,) = encryption["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == outputs["kms_key_arn"]
    text = json.dumps(outputs["velero_policy"])
    assert outputs["kms_key_arn"] in text
    assert outputs["backup_bucket_name"] in text


def test_an_alarm_outside_of_the_cluster_tells_people_when_a_backup_is_missing(applied: Environment) -> None:
    outputs = applied.outputs()
    (alarm,) = applied.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (
        outputs["backup_alarm_names"] == {"daily": alarm["AlarmName"]} == {"daily": f"{CLUSTER}-backup-overdue-daily"}
    )
    assert (alarm["TreatMissingData"], alarm["AlarmActions"]) == ("breaching", [outputs["backup_alarm_topic_arn"]])
    topic = {"TopicArn": outputs["backup_alarm_topic_arn"]}
    (told,) = applied.client("sns").list_subscriptions_by_topic(**topic)["Subscriptions"]
    assert (told["Protocol"], told["Endpoint"]) == ("email", "platform@example.com")
    found = applied.client("lambda").get_function(FunctionName=f"{CLUSTER}-backup-watch")["Configuration"]
    assert json.loads(found["Environment"]["Variables"]["WATCH"]) == {
        "bucket": outputs["backup_bucket_name"],
        "prefix": "",
        "namespace": f"Velero/{CLUSTER}",
        "schedules": {"daily": "0 3 * * *"},
        "grace_minutes": 6 * 60,
    }
    role = {"RoleName": found["Role"].rpartition("/")[2]}
    iam = applied.client("iam")
    (policy,) = iam.list_role_policies(**role)["PolicyNames"]
    assert outputs["kms_key_arn"] in json.dumps(iam.get_role_policy(**role, PolicyName=policy)["PolicyDocument"])
    group = f"/aws/lambda/{CLUSTER}-backup-watch"
    assert outputs["backup_log_command"] == f"aws logs tail {group} --since 1h --region us-east-1"


def test_a_second_update_changes_nothing(applied: Environment) -> None:
    assert set(applied.run("up", "--yes").counts()) == {"changes", "unchanged"}


def test_an_access_mode_that_a_restore_switched_stays_whatever_else_changes(applied: Environment) -> None:
    path = "/apis/velero.io/v1/namespaces/velero/backupstoragelocations/default?fieldManager=kubectl-patch"
    api(applied).call("PATCH", path, {"spec": {"accessMode": "ReadOnly"}}, "application/merge-patch+json")
    assert set(applied.run("up", "--yes").counts()) == {"changes", "unchanged"}
    assert read(applied, STORAGE)["spec"]["accessMode"] == "ReadOnly"
    applied["velero"] |= {"prefix": "dash/dev"}
    result = applied.run("up", "--yes")
    assert kinds(result.lines("updated")) == {
        *("kubernetes.velero.io.BackupStorageLocation", "aws.iam.RolePolicy", "aws.lambda.Function")
    }
    spec = read(applied, STORAGE)["spec"]
    assert (spec["accessMode"], spec["objectStorage"]["prefix"]) == ("ReadOnly", "dash/dev")


def test_another_time_and_another_profile_are_updates(applied: Environment) -> None:
    uid = read(applied, DAILY)["metadata"]["uid"]
    applied["velero"] |= {
        "profile": "documented",
        "schedules": [{"name": "daily", "cron": "30 4 * * *", "ttl": "48h"}],
    }
    result = applied.run("up", "--yes")
    assert result.counts().get("replaced", 0) == 0
    assert kinds(result.lines("updated")) >= {"kubernetes.velero.io.Schedule", "kubernetes.helm.sh.Release"}
    schedule = read(applied, DAILY)
    assert schedule["metadata"]["uid"] == uid
    assert (schedule["spec"]["schedule"], schedule["spec"]["template"]["ttl"]) == ("30 4 * * *", "48h")
    helper = read(applied, Reference("v1", "ConfigMap", "velero", "fs-restore-action-config"))
    assert helper["data"] == {"image": "docker.io/velero/velero-restore-helper:v1.10.3"}
    assert read(applied, STORAGE)["spec"]["accessMode"] == "ReadOnly"


def test_disabled_it_keeps_the_bucket_and_nothing_in_the_cluster(applied: Environment) -> None:
    s3, bucket = applied.client("s3"), applied.outputs()["backup_bucket_name"]
    s3.put_object(Bucket=bucket, Key="dash/dev/backups/daily/velero-backup.json", Body=b"{}")
    applied["velero"] |= {"enabled": False}
    result = applied.run("up", "--yes")
    assert not {kind for kind in kinds(result.lines("deleted")) if kind.startswith("aws.s3")}
    assert api(applied).get(Reference("v1", "Namespace", "", "velero")) is None
    assert applied.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert applied.outputs()["backup_bucket_name"] == bucket
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_everything_goes_again(applied: Environment) -> None:
    applied["velero"] |= {"enabled": True}
    applied.run("up", "--yes")
    result = applied.run("down", "--yes")
    order = [line for line in result.output.splitlines() if " deleted " in line]

    def place(words: str) -> int:
        return next(index for index, line in enumerate(order) if words in line)

    assert place("Schedule ") < place("BackupStorageLocation ") < place("Release ") < place("Namespace ")
    left = [line for line in result.output.splitlines() if line.startswith(("  aws:", "  kubernetes:"))]
    assert [line for line in left if "pending deletion" not in line] == []
