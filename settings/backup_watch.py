"""The settings of the watch over backups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from . import values as v

if TYPE_CHECKING:  # importing the components means importing the provider SDKs
    from eks_analytics import BackupWatchSpecArgs


class _Block(BaseModel):
    """As the blocks in `models`, which imports this module."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class WatchSubscriptionSettings(_Block):
    """Somebody who is told when a backup is missing."""

    protocol: Literal["email", "https", "sqs", "lambda", "sms"] = "email"
    """How; `email` and `https` must confirm first what SNS sends them, and the policies of `sqs` and `lambda` must let
    SNS in."""
    endpoint: str = ""
    """Address, URL, ARN or telephone number; required."""


class WatchSettings(_Block):
    """Alarms in AWS for backups that are missing, alive when the cluster is not."""

    enabled: bool = True
    """`false` removes function, topic and alarms."""
    grace_hours: int = 6
    """Hours after a run is due by which it must have completed: more than a backup takes, 168 at most."""
    check_interval_minutes: int = 15
    """Minutes between two looks into the bucket, 5 to 60."""
    subscriptions: tuple[WatchSubscriptionSettings, ...] = ()
    """Who is told; production needs somebody."""
    existing_topic_arn: str = ""
    """SNS topic to tell instead, in the same region; its policy and its key's must let CloudWatch's alarms publish."""
    alarm_actions: tuple[str, ...] = ()
    """ARNs of what else an alarm sets off, 4 at most."""
    notify_on_recovery: bool = True
    """Tells the same when a backup has completed again."""
    alarm_key_arn: v.KmsKey = ""
    """KMS key that encrypts topic and log; empty: a key of their own, for which AWS charges."""
    log_retention_days: v.Retention = 90
    """Days that the log of what was found is kept."""


def backup_watch_specification(watch: WatchSettings) -> BackupWatchSpecArgs:
    """What a `BackupWatch` is like, whatever backups it watches."""
    given: BackupWatchSpecArgs = {
        "enabled": watch.enabled,
        "grace_hours": watch.grace_hours,
        "check_interval_minutes": watch.check_interval_minutes,
        "subscriptions": [{"protocol": one.protocol, "endpoint": one.endpoint} for one in watch.subscriptions],
        "alarm_actions": list(watch.alarm_actions),
        "notify_on_recovery": watch.notify_on_recovery,
        "log_retention_days": watch.log_retention_days,
    }
    if watch.existing_topic_arn:
        given["existing_topic_arn"] = watch.existing_topic_arn
    if watch.alarm_key_arn:
        given["alarm_key_arn"] = watch.alarm_key_arn
    return given
