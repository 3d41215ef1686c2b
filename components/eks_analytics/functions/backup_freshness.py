"""Tells CloudWatch which of Velero's schedules have no completed backup of their last run in the bucket.

Runs in AWS Lambda, with what its Python brings along (boto3 and the standard library) and cronsim beside it. It says
0 or 1 of every schedule that it watches. Where it cannot say, because it may not list the bucket, it fails and says
nothing: the alarms take silence for a missing backup.

Environment: WATCH, as JSON: bucket, prefix (empty, or with a slash at its end), namespace (of the metric),
grace_minutes (how long after it was due a run must have completed) and schedules, each name with the five fields of its
cron expression, or the seconds between two runs.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3  # pyright: ignore[reportMissingTypeStubs]  # it has no types
from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]  # nor has it
from cronsim import CronSim

METRIC = "BackupOverdue"
DIMENSION = "Schedule"
# Where and how Velero keeps what it did: https://velero.io/docs/v1.18/api-types/backup/
FOLDER, DOCUMENT = "backups/", "/velero-backup.json"
SCHEDULE_LABEL = "velero.io/schedule-name"
COMPLETED = "Completed"
SERVER_ERRORS = 500
CLOCK_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Backup:
    """What counts of a backup."""

    name: str
    schedule: str
    phase: str
    started: datetime


@dataclass
class Verdict:
    """What is known of a schedule, as it goes into the log."""

    schedule: str
    due: datetime
    """The last run that must have completed by now."""
    newest: Backup | None = None
    completed: Backup | None = None
    overdue: bool = True

    @property
    def oldest(self) -> datetime:
        """When a backup of that run can have begun, by a clock that is a little ahead."""
        return self.due - CLOCK_TOLERANCE


def last_due(runs: str | int, moment: datetime) -> datetime:
    """The last run of a schedule that was due by then.

    An interval is counted from the last backup, whenever that was:
    https://pkg.go.dev/github.com/robfig/cron/v3#ConstantDelaySchedule
    """
    if isinstance(runs, int):
        return moment - timedelta(seconds=runs)
    # Backwards, cronsim begins before the moment that it is given.
    return next(CronSim(runs, moment.replace(microsecond=0) + timedelta(seconds=1), reverse=True))


def handler(_event: object, _context: object) -> None:
    """What Lambda calls."""
    aws: Any = boto3
    check(json.loads(os.environ["WATCH"]), aws.client("s3"), aws.client("cloudwatch"), datetime.now(UTC))


def check(watch: dict[str, Any], s3: Any, cloudwatch: Any, now: datetime) -> dict[str, Verdict]:
    """Look once, log what was seen, and write the metric."""
    verdicts = judge(watch, s3, now)
    for verdict in verdicts.values():
        _log_verdict(verdict, now)
    cloudwatch.put_metric_data(
        Namespace=watch["namespace"],
        MetricData=[
            {
                "MetricName": METRIC,
                "Dimensions": [{"Name": DIMENSION, "Value": verdict.schedule}],
                "Timestamp": now,
                "Value": float(verdict.overdue),
                "Unit": "None",
            }
            for verdict in verdicts.values()
        ],
    )
    return verdicts


def judge(watch: dict[str, Any], s3: Any, now: datetime) -> dict[str, Verdict]:
    """The verdict on every schedule.

    Documents are read from the newest on, until every schedule has a completed backup, or what is left is older than
    any that could count: of thousands, a few are read.
    """
    settled = now - timedelta(minutes=watch["grace_minutes"])
    verdicts = {name: Verdict(name, last_due(runs, settled)) for name, runs in watch["schedules"].items()}
    for written, key in sorted(_documents(s3, watch["bucket"], watch["prefix"]), reverse=True):
        open_ = [verdict.oldest for verdict in verdicts.values() if verdict.overdue]
        if not open_ or written < min(open_):
            break
        backup = _read(s3, watch["bucket"], key, written)
        verdict = verdicts.get(backup.schedule) if backup else None
        if backup is None or verdict is None or not verdict.overdue:
            continue
        verdict.newest = verdict.newest or backup
        if backup.phase == COMPLETED:
            verdict.completed = verdict.completed or backup
            verdict.overdue = backup.started < verdict.oldest
    return verdicts


def _documents(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[datetime, str]]:
    """When each backup's document was written, and its key. What is being deleted or made has none."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}{FOLDER}")
    for page in pages:
        for found in page.get("Contents", []):
            if found["Key"].endswith(DOCUMENT):
                yield found["LastModified"], found["Key"]


def _read(s3: Any, bucket: str, key: str, written: datetime) -> Backup | None:
    """None for what cannot be read: whoever restores could not read it either, so it is no backup."""
    try:
        document = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])
        status, about = document["status"], document["metadata"]
        started = datetime.fromisoformat(status["startTimestamp"]).astimezone(UTC)
        if started > written + CLOCK_TOLERANCE:
            _log("the cluster's clock is ahead of AWS's", key=key, started=str(started), written=str(written))
        labels: dict[str, Any] = about.get("labels") or {}
        schedule = str(labels.get(SCHEDULE_LABEL, ""))
        # By S3's clock, where the cluster's is ahead: nothing is younger than the document that tells of it.
        return Backup(about["name"], schedule, status.get("phase", ""), min(started, written))
    except ClientError as error:
        answer: Any = error.response
        if answer["ResponseMetadata"]["HTTPStatusCode"] >= SERVER_ERRORS:
            raise  # S3's trouble, not the backup's
        _log("cannot be read", key=key, error=str(error))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        _log("is no document of Velero's", key=key, error=repr(error))
    return None


def _log_verdict(verdict: Verdict, now: datetime) -> None:
    newest, completed = verdict.newest, verdict.completed
    _log(
        "overdue" if verdict.overdue else "fine",
        schedule=verdict.schedule,
        due=f"{verdict.due:%Y-%m-%dT%H:%M:%SZ}",
        newest=newest and f"{newest.name}: {newest.phase}",
        completed=completed and completed.name,
        completed_hours_ago=completed and _hours(now - completed.started),
    )


def _hours(span: timedelta) -> float:
    return round(span.total_seconds() / 3600, 2)


def _log(message: str, **details: object) -> None:
    print(json.dumps({"message": message, **details}))  # noqa: T201  # a line of the function's log
