"""The function that looks for backups, against the emulated S3 and CloudWatch."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

import pytest
from botocore.exceptions import ClientError
from cronsim import CronSim

from eks_analytics.functions import backup_freshness
from eks_analytics.functions.backup_freshness import Verdict, last_due
from sandbox.cloud import Cloud

REGION = "us-east-1"
HOUR = timedelta(hours=1)
DAILY, HOURLY = "0 0 * * *", "0 * * * *"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)  # of a Saturday: the daily run was 12 hours ago


@dataclass
class Bucket:
    """A bucket of Velero's, a watch over it, and the clock of S3, which the test sets."""

    cloud: Cloud
    name: str
    prefix: str = "dash/"
    schedules: dict[str, str | int] = field(default_factory=lambda: {"daily": DAILY})
    grace_minutes: int = 6 * 60
    now: datetime = NOON
    written: dict[str, datetime] = field(default_factory=dict[str, datetime])
    read: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.s3 = self.cloud.client("s3", REGION)
        self.s3.create_bucket(Bucket=self.name)

    def key(self, name: str, file: str = "velero-backup.json") -> str:
        return f"{self.prefix}backups/{name}/{file}"

    def put(self, name: str, content: bytes, file: str = "velero-backup.json") -> None:
        self.s3.put_object(Bucket=self.name, Key=self.key(name, file), Body=content)

    def backup(
        self,
        name: str,
        hours_ago: float,
        phase: str = "Completed",
        schedule: str | None = "daily",
        written_hours_ago: float | None = None,
    ) -> None:
        """One that began and, unless told otherwise, was written so many hours ago."""
        labels = {"velero.io/storage-location": "default"} | ({"velero.io/schedule-name": schedule} if schedule else {})
        started = self.now - hours_ago * HOUR
        document = {
            "kind": "Backup",
            "apiVersion": "velero.io/v1",
            "metadata": {"name": name, "namespace": "velero", "labels": labels},
            "status": {
                "phase": phase,
                "startTimestamp": f"{started:%Y-%m-%dT%H:%M:%SZ}",
                "completionTimestamp": f"{started + HOUR / 2:%Y-%m-%dT%H:%M:%SZ}",
            },
        }
        self.put(name, json.dumps(document).encode())
        ago = hours_ago if written_hours_ago is None else written_hours_ago
        self.written[self.key(name)] = self.now - ago * HOUR

    def watch(self) -> dict[str, Any]:
        return {
            "bucket": self.name,
            "prefix": self.prefix,
            "namespace": f"Velero/{self.name}",
            "schedules": self.schedules,
            "grace_minutes": self.grace_minutes,
        }

    def look(self, s3: Any = None) -> dict[str, Verdict]:
        return backup_freshness.check(
            self.watch(), s3 or Clock(self), self.cloud.client("cloudwatch", REGION), self.now
        )

    def metric(self, schedule: str) -> list[float]:
        """Values of the last hour, as the alarm sees them."""
        found = self.cloud.client("cloudwatch", REGION).get_metric_statistics(
            Namespace=f"Velero/{self.name}",
            MetricName="BackupOverdue",
            Dimensions=[{"Name": "Schedule", "Value": schedule}],
            StartTime=self.now - HOUR,
            EndTime=self.now + HOUR,
            Period=60,
            Statistics=["Maximum"],
        )
        return [point["Maximum"] for point in found["Datapoints"]]


class Clock:
    """The emulated S3 at the times that the test wants: it dates every object to the moment it was put."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def get_paginator(self, operation: str) -> "Clock":
        self._pages = self._bucket.s3.get_paginator(operation)
        return self

    def paginate(self, **arguments: Any) -> Iterator[dict[str, Any]]:
        for page in self._pages.paginate(**arguments):
            for found in page.get("Contents", []):
                found["LastModified"] = self._bucket.written.get(found["Key"], found["LastModified"])
            yield page

    def get_object(self, **arguments: Any) -> Any:
        self._bucket.read.append(arguments["Key"])
        return self._bucket.s3.get_object(**arguments)


@pytest.fixture
def bucket(cloud: Cloud, request: pytest.FixtureRequest) -> Bucket:
    return Bucket(cloud, f"velero-{crc32(request.node.name.encode()):x}")


def test_a_fresh_backup_is_fine(bucket: Bucket) -> None:
    bucket.backup("daily-20261121000000", 12)
    assert bucket.look()["daily"].overdue is False
    assert bucket.metric("daily") == [0]


def test_a_stale_backup_is_overdue(bucket: Bucket) -> None:
    bucket.backup("daily-20261120000000", 36)
    assert bucket.look()["daily"].overdue is True
    assert bucket.metric("daily") == [1]


def test_yesterdays_backup_is_fine_until_the_last_minute_of_todays_grace(bucket: Bucket) -> None:
    bucket.backup("daily-20261120000000", 36)
    bucket.now = datetime(2026, 11, 21, 5, 59, 59, tzinfo=UTC)
    assert bucket.look()["daily"].overdue is False
    bucket.now += timedelta(seconds=1)
    assert bucket.look()["daily"].overdue is True


@pytest.mark.parametrize(
    ("cron", "missed", "before"),
    [
        ("0 0 * * 1-5", datetime(2026, 11, 17), datetime(2026, 11, 16)),  # a Tuesday
        ("0 0 * * 1-5", datetime(2026, 11, 16), datetime(2026, 11, 13)),  # a Monday
        ("0 0 1 * *", datetime(2026, 3, 1), datetime(2026, 2, 1)),  # after the shortest month
        ("0 0 * 1 *", datetime(2027, 1, 2), datetime(2027, 1, 1)),
        ("0 0 * 1 *", datetime(2027, 1, 1), datetime(2026, 1, 31)),
        ("30 9-17 * * *", datetime(2026, 11, 21, 9, 30), datetime(2026, 11, 20, 17, 30)),
        ("0 0 29 2 *", datetime(2028, 2, 29), datetime(2024, 2, 29)),
    ],
    ids=["tuesday", "monday", "month", "january", "year", "working-hours", "leap-day"],
)
def test_a_run_that_is_missed_is_told_when_its_grace_is_over_whatever_the_next_one(
    cloud: Cloud, cron: str, missed: datetime, before: datetime, request: pytest.FixtureRequest
) -> None:
    bucket = Bucket(cloud, f"velero-{request.node.callspec.id}", schedules={"daily": cron})
    missed, before = missed.replace(tzinfo=UTC), before.replace(tzinfo=UTC)
    bucket.backup("the-one-before", (bucket.now - before) / HOUR)
    bucket.now = missed + 6 * HOUR - timedelta(minutes=1)
    assert bucket.look()["daily"].overdue is False
    bucket.now = missed + 6 * HOUR
    assert bucket.look()["daily"].overdue is True
    bucket.backup("late", 1)
    assert bucket.look()["daily"].overdue is False


def test_a_run_that_was_not_missed_is_fine_until_the_next_one_is_late(bucket: Bucket) -> None:
    bucket.schedules = {"daily": "0 0 * 1 *"}
    bucket.now = datetime(2026, 1, 31, tzinfo=UTC)
    bucket.backup("the-last-of-january", 0)
    bucket.now = datetime(2027, 1, 1, 5, 59, tzinfo=UTC)
    assert bucket.look()["daily"].overdue is False


def test_an_interval_counts_from_the_last_backup(bucket: Bucket) -> None:
    bucket.schedules = {"daily": 90 * 60}
    bucket.backup("daily-1", 7.5)
    assert bucket.look()["daily"].overdue is False
    bucket.now += timedelta(minutes=6)
    assert bucket.look()["daily"].overdue is True


def test_a_run_that_the_clusters_clock_began_a_moment_too_early_counts(bucket: Bucket) -> None:
    bucket.backup("daily-1", 12, written_hours_ago=12 + 4 / 60)
    assert bucket.look()["daily"].overdue is False
    bucket.backup("daily-1", 12, written_hours_ago=12 + 6 / 60)
    assert bucket.look()["daily"].overdue is True


def test_the_runs_that_are_due_going_back_are_those_going_forth() -> None:
    for cron in (DAILY, "0 0 * * 1-5", "*/15 8-18/2 * * *", "0 0 1-31/10 * 1", "0 0 * 1 *", "0 3 31 * *"):
        runs = CronSim(cron, NOON)
        earlier, later = next(runs), next(runs)
        assert last_due(cron, earlier) == last_due(cron, later - timedelta(microseconds=1)) == earlier
        assert last_due(cron, later + timedelta(microseconds=1)) == later


@pytest.mark.parametrize(
    "phase",
    [
        "Failed",
        "PartiallyFailed",
        "FailedValidation",
        "InProgress",
        "WaitingForPluginOperations",
        "WaitingForPluginOperationsPartiallyFailed",
        "Finalizing",
        "FinalizingPartiallyFailed",
        "Deleting",
    ],
)
def test_no_other_phase_counts_as_a_backup(cloud: Cloud, phase: str, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = Bucket(cloud, f"velero-{phase.lower()}")
    bucket.backup("daily-2", 1, phase)
    bucket.backup("daily-1", 36)
    assert bucket.look()["daily"].overdue is True
    assert f"daily-2: {phase}" in capsys.readouterr().out
    bucket.backup("daily-0", 12)
    assert bucket.look()["daily"].overdue is False


def test_an_empty_bucket_is_overdue(bucket: Bucket) -> None:
    assert bucket.look()["daily"].overdue is True
    assert bucket.metric("daily") == [1]


def test_backups_of_another_schedule_and_by_hand_do_not_count(bucket: Bucket) -> None:
    bucket.backup("weekly-20261121000000", 1, schedule="weekly")
    bucket.backup("before-the-upgrade", 1, schedule=None)
    bucket.backup("daily-20261121000000", 1, schedule="daily-too")
    assert bucket.look()["daily"].overdue is True


def test_a_backup_made_from_the_schedule_by_hand_counts_whatever_its_name(bucket: Bucket) -> None:
    bucket.backup("before-the-upgrade", 1)
    assert bucket.look()["daily"].overdue is False


def test_every_schedule_has_its_own_verdict(bucket: Bucket) -> None:
    bucket.schedules = {"daily": DAILY, "hourly": HOURLY, "weekly": "0 0 * * 0"}
    bucket.backup("daily-1", 12)
    bucket.backup("hourly-1", 7, schedule="hourly")
    bucket.backup("weekly-1", 6.5 * 24, schedule="weekly")
    verdicts = bucket.look()
    assert {name: verdict.overdue for name, verdict in verdicts.items()} == {
        "daily": False,
        "hourly": True,
        "weekly": False,
    }
    assert [bucket.metric(name) for name in ("daily", "hourly", "weekly")] == [[0], [1], [0]]


def test_backups_of_another_prefix_do_not_count(bucket: Bucket) -> None:
    bucket.prefix = "other/"
    bucket.backup("daily-1", 1)
    bucket.prefix = "dash/"
    assert bucket.look()["daily"].overdue is True


def test_a_bucket_without_a_prefix_is_watched_too(bucket: Bucket) -> None:
    bucket.prefix = ""
    bucket.backup("daily-1", 1)
    assert bucket.look()["daily"].overdue is False


def test_what_is_left_of_a_deleted_backup_does_not_count(bucket: Bucket) -> None:
    bucket.put("daily-2", b"{}", "daily-2-logs.gz")
    bucket.backup("daily-1", 1)
    bucket.s3.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
    bucket.s3.delete_object(Bucket=bucket.name, Key=bucket.key("daily-1"))
    assert bucket.look()["daily"].overdue is True


def test_a_backup_that_is_deleted_while_somebody_looks_does_not_count(bucket: Bucket) -> None:
    bucket.backup("daily-2", 1)
    bucket.backup("daily-1", 2)

    class Late(Clock):
        def get_object(self, **arguments: Any) -> Any:
            if "daily-2" in arguments["Key"]:
                bucket.s3.delete_object(**arguments)
            return super().get_object(**arguments)

    verdict = bucket.look(Late(bucket))["daily"]
    assert verdict.completed is not None
    assert verdict.completed.name == "daily-1"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"\xff\xfe",
        b"[]",
        b'{"metadata": {"name": "x"}}',
        b'{"metadata": {"name": "x"}, "status": {"phase": "Completed"}}',
        b'{"metadata": {"name": "x"}, "status": {"phase": "Completed", "startTimestamp": "yesterday"}}',
        b'{"metadata": {"labels": null}, "status": {"startTimestamp": "2026-11-21T00:00:00Z"}}',
        b'{"metadata": {"name": "x"}, "status": {"startTimestamp": "0001-01-01T00:00:00+05:00"}}',
        b"[" * 100_000,
    ],
    ids=["empty", "text", "binary", "list", "no-status", "no-start", "odd-start", "no-name", "no-time", "nested"],
)
def test_an_odd_document_is_said_and_passed_over(
    cloud: Cloud, content: bytes, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = Bucket(cloud, f"velero-odd-{request.node.callspec.id}")
    bucket.put("daily-2", content)
    assert bucket.look()["daily"].overdue is True
    assert "daily-2/velero-backup.json" in capsys.readouterr().out
    bucket.backup("daily-1", 1)
    assert bucket.look()["daily"].overdue is False


def test_a_label_that_is_no_text_is_nobodys(bucket: Bucket) -> None:
    status = {"phase": "Completed", "startTimestamp": f"{bucket.now:%Y-%m-%dT%H:%M:%SZ}"}
    about = {"name": "daily-2", "labels": {"velero.io/schedule-name": ["daily"]}}
    bucket.put("daily-2", json.dumps({"metadata": about, "status": status}).encode())
    assert bucket.look()["daily"].overdue is True
    bucket.backup("daily-1", 12)
    assert bucket.look()["daily"].overdue is False


class Refused(Clock):
    """S3 as it answers whoever may not do something."""

    operation, code, status = "GetObject", "AccessDenied", 403

    def get_object(self, **_: Any) -> Any:
        self._refuse()

    def _refuse(self) -> None:
        answer: Any = {"Error": {"Code": self.code}, "ResponseMetadata": {"HTTPStatusCode": self.status}}
        raise ClientError(answer, self.operation)


def test_documents_that_may_not_be_read_are_no_backups(bucket: Bucket, capsys: pytest.CaptureFixture[str]) -> None:
    bucket.backup("daily-1", 1)
    assert bucket.look(Refused(bucket))["daily"].overdue is True
    assert "AccessDenied" in capsys.readouterr().out
    assert bucket.metric("daily") == [1]


def test_trouble_of_s3_says_nothing_about_backups(bucket: Bucket) -> None:
    class Troubled(Refused):
        code, status = "SlowDown", 503

    bucket.backup("daily-1", 1)
    with pytest.raises(ClientError):
        bucket.look(Troubled(bucket))
    assert bucket.metric("daily") == []


def test_a_bucket_that_may_not_be_listed_fails_the_look_and_writes_no_metric(bucket: Bucket) -> None:
    class Unlisted(Refused):
        def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
            yield {}
            self._refuse()

    bucket.backup("daily-1", 1)
    with pytest.raises(ClientError):
        bucket.look(Unlisted(bucket))
    assert bucket.metric("daily") == []


def test_a_bucket_that_is_gone_fails_the_look_and_writes_no_metric(bucket: Bucket) -> None:
    bucket.s3.delete_bucket(Bucket=bucket.name)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        bucket.look()
    assert bucket.metric("daily") == []


def test_a_cluster_whose_clock_is_ahead_makes_no_backup_younger(
    bucket: Bucket, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.backup("daily-1", -48, written_hours_ago=31)
    assert bucket.look()["daily"].overdue is True
    bucket.backup("daily-2", -48, written_hours_ago=11)
    verdict = bucket.look()["daily"]
    assert verdict.overdue is False
    assert verdict.completed is not None
    assert bucket.now - verdict.completed.started == 11 * HOUR
    assert "clock is ahead" in capsys.readouterr().out


def test_a_copy_of_an_old_backup_is_as_old_as_the_backup(bucket: Bucket) -> None:
    bucket.backup("daily-1", 100, written_hours_ago=1)
    assert bucket.look()["daily"].overdue is True


def test_a_newer_document_of_an_older_backup_does_not_hide_a_fresh_one(bucket: Bucket) -> None:
    bucket.backup("daily-1", 100, written_hours_ago=1)
    bucket.backup("daily-2", 4)
    assert bucket.look()["daily"].overdue is False


def test_of_thousands_of_backups_only_those_are_read_that_can_count(cloud: Cloud) -> None:
    bucket = Bucket(cloud, "velero-thousands")
    bucket.grace_minutes = 60
    bucket.schedules = {"daily": DAILY, "hourly": HOURLY, "gone": "0 */3 * * *"}
    for number in range(2001):
        bucket.put(f"hourly-{number}", b"{}")
        bucket.written[bucket.key(f"hourly-{number}")] = bucket.now - (number + 40) * HOUR
    bucket.backup("hourly-new", 1, schedule="hourly")
    bucket.backup("daily-new", 12)
    for number in range(2, 12):
        bucket.backup(f"hourly-newer-{number}", number, schedule="hourly")
    verdicts = bucket.look()
    assert {name for name, verdict in verdicts.items() if verdict.overdue} == {"gone"}
    assert len(bucket.read) == 12  # those of 12 hours, all that could be the daily one
    bucket.schedules = {"hourly": HOURLY}
    bucket.read.clear()
    assert bucket.look()["hourly"].overdue is False
    assert len(bucket.read) == 1
    bucket.schedules = {"gone": "0 */3 * * *"}
    bucket.read.clear()
    assert bucket.look()["gone"].overdue is True
    assert len(bucket.read) == 3


def test_lambda_calls_it_with_what_the_environment_says(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket.now = datetime.now(UTC)
    bucket.backup("daily-1", 1)
    bucket.schedules = {"daily": 24 * 3600}
    variables = {
        "WATCH": json.dumps(bucket.watch()),
        **bucket.cloud.environment(REGION),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    backup_freshness.handler({}, None)
    assert bucket.metric("daily") == [0]
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["message"], line["schedule"], line["completed"]) == ("fine", "daily", "daily-1")
    assert line["completed_hours_ago"] == pytest.approx(1, abs=0.1)


def test_the_program_and_the_function_speak_of_one_metric() -> None:
    from eks_analytics import backup_watch_options

    assert backup_watch_options.METRIC == backup_freshness.METRIC
    assert backup_watch_options.DIMENSION == backup_freshness.DIMENSION
