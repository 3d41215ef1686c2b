"""The settings of the watch over backups."""

from typing import Any

import pytest
from pydantic import ValidationError

from eks_analytics.backup_watch import BackupWatch, BackupWatchSpecArgs, backup_watch_options
from eks_analytics.backup_watch_checks import specification_problems
from recording import Recorder
from settings.arguments import velero_arguments
from settings.models import Settings, VeleroSettings, VeleroWatchSettings

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


def specification(watch: VeleroWatchSettings) -> BackupWatchSpecArgs:
    given = velero_arguments(Settings(velero=VeleroSettings(watch=watch)))
    assert "watch" in given
    return given["watch"]


def test_every_setting_reaches_the_component_and_none_is_missing() -> None:
    watch = VeleroWatchSettings(**GIVEN, existing_topic_arn="arn:aws:sns:us-east-1:123456789012:alerts", enabled=False)
    given = specification(watch)
    assert set(given) == set(VeleroWatchSettings.model_fields) == set(BackupWatchSpecArgs.__annotations__)
    assert {name: getattr(watch, name) for name in GIVEN if name not in ("subscriptions", "alarm_actions")} == {
        name: given[name] for name in GIVEN if name not in ("subscriptions", "alarm_actions")
    }
    assert given.get("alarm_actions") == ["arn:aws:lambda:us-east-1:123456789012:function:page"]
    assert given.get("subscriptions") == [{"protocol": "sms", "endpoint": "+4915112345678"}]


def test_the_defaults_are_those_of_the_component(recorder: Recorder) -> None:
    def made(specification: Any) -> dict[str, dict[str, Any]]:
        recorder.registrations.clear()
        recorder.run(lambda: BackupWatch("watch", {**PLACE, **specification}))
        return {found.key: {**found.inputs, "code": None} for found in recorder.registrations}

    assert made(specification(VeleroWatchSettings())) == made({})


def test_a_subscription_without_an_endpoint_is_refused() -> None:
    watch = VeleroWatchSettings(subscriptions=({"protocol": "email"},))  # pyright: ignore[reportArgumentType]  # as read
    (problem,) = specification_problems(backup_watch_options({**PLACE, **specification(watch)}))
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
        VeleroWatchSettings(**wrong)
