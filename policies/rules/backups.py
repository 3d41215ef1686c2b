"""Velero: backups are made, and somebody hears when they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from pack.kinds import CHARTS
from pack.rule import Parameter, Severity, Situation, StackResource, rule
from pack.values import block, items

_SCHEDULE = "kubernetes:velero.io/*:Schedule"
_ALARMS = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm")

Found = Iterator[tuple[StackResource | None, str]]


def _veleros(resources: Sequence[StackResource]) -> list[StackResource]:
    """The Helm releases that install Velero, but for those that only restore from what another cluster backs up."""
    return [
        one
        for one in resources
        if one.resource_type in CHARTS
        and str(one.props.get("chart")).rpartition("/")[2] == "velero"
        and not _only_restores(one)
    ]


def _only_restores(velero: StackResource) -> bool:
    locations = items(block(velero.props, "values", "configuration"), "backupStorageLocation")
    return bool(locations) and all(one.get("accessMode") == "ReadOnly" for one in locations)


@rule(
    "schedule-backups",
    "Where Velero is, it backs up by a schedule that is not paused.",
    severity=Severity.HIGH,
    remediation="make a velero.io/v1 Schedule, or set schedules in the chart's values",
    link="https://velero.io/docs/main/api-types/schedule/",
)
def schedule_backups(resources: Sequence[StackResource], _: Situation) -> Found:
    scheduled = any(
        fnmatchcase(one.resource_type, _SCHEDULE) and not block(one.props, "spec").get("paused") for one in resources
    )
    for velero in _veleros(resources):
        in_chart = block(velero.props, "values", "schedules")
        if not scheduled and all(one.get("disabled") for one in in_chart.values()):
            yield velero, "no schedule makes backups"


@rule(
    "alarm-on-missing-backups",
    "Where Velero is, an alarm outside of the cluster goes off when backups stay away.",
    severity=Severity.HIGH,
    remediation="make a CloudWatch alarm on the backups' age that treats missing data as breaching and acts",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
    parameters={"names": Parameter(["backup", "velero"], "parts of the alarm's name")},
)
def alarm_on_missing_backups(resources: Sequence[StackResource], situation: Situation) -> Found:
    alarms = [
        one
        for one in resources
        if one.resource_type in _ALARMS and any(part in one.name.lower() for part in situation["names"])
    ]
    for velero in _veleros(resources):
        if not alarms:
            yield velero, "no alarm watches its backups"
        elif not any(one.props.get("treatMissingData") == "breaching" for one in alarms):
            yield alarms[0], "is silent where data is missing"
        elif all(one.props.get("actionsEnabled") is False for one in alarms):
            yield alarms[0], "its actions are off"
