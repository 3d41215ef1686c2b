"""The settings of the watch over backups."""

from typing import Any

import pytest
from pydantic import ValidationError

from eks_analytics.backup_watch import BackupWatch, BackupWatchSpecArgs, backup_watch_options
from eks_analytics.backup_watch_checks import specification_problems
from recording import Recorder
from settings.backup_watch import WatchSettings, backup_watch_specification

PLACE: Any = {
    "name": "dash-dev",
    "region": "us-east-1",
    "account_id": "123456789012",
    "bucket": "velero-dev",
    "schedules": [{"name": "daily", "cron": "0 0 * * *"}],
}
GIVEN: Any = {
    "grace_hours": 12,
    "check_interval_minutes": 60,
    "subscriptions": ({"protocol": "sms", "endpoint": "+4915112345678"},),
    "alarm_actions": ("arn:aws:lambda:us-east-1:123456789012:function:page",),
    "notify_on_recovery": False,
    "alarm_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "log_retention_days": 30,
}


def test_every_setting_reaches_the_component_and_none_is_missing() -> None:
    watch = WatchSettings(**GIVEN, existing_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts", enabled=False)
    specification = backup_watch_specification(watch)
    assert set(specification) == set(WatchSettings.model_fields) == set(BackupWatchSpecArgs.__annotations__)
    assert {name: getattr(watch, name) for name in GIVEN if name not in ("subscriptions", "alarm_actions")} == {
        name: specification[name] for name in GIVEN if name not in ("subscriptions", "alarm_actions")
    }
    assert specification.get("alarm_actions") == ["arn:aws:lambda:us-east-1:123456789012:function:page"]
    assert specification.get("subscriptions") == [{"protocol": "sms", "endpoint": "+4915112345678"}]


def test_the_defaults_are_those_of_the_component(recorder: Recorder) -> None:
    def made(specification: Any) -> dict[str, dict[str, Any]]:
        recorder.registrations.clear()
        recorder.run(lambda: BackupWatch("watch", {**PLACE, **specification}))
        return {found.key: {**found.inputs, "code": None} for found in recorder.registrations}

    assert made(backup_watch_specification(WatchSettings())) == made({})


def test_a_subscription_without_an_endpoint_is_refused() -> None:
    watch = WatchSettings(subscriptions=({"protocol": "email"},))  # pyright: ignore[reportArgumentType]  # as read
    (problem,) = specification_problems(backup_watch_options({**PLACE, **backup_watch_specification(watch)}))
    assert (problem.input, problem.value) == ("subscriptions[0].endpoint", "")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subscriptions": [{"protocol": "pager", "endpoint": "1"}]},
        {"log_retention_days": 31},
        {"alarm_key_arn": "alias/aws/sns"},
        {"grace_hours": "6"},
        {"period": 1},
    ],
    ids=["protocol", "retention", "alias", "text", "unknown"],
)
def test_what_no_component_could_take_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WatchSettings(**wrong)
