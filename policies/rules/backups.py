"""Velero: backups are made, and somebody hears when they are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from pack.kinds import CHARTS
from pack.rule import Parameter, Severity, Situation, StackResource, rule
from pack.values import apart, block, items

_SCHEDULE = "kubernetes:velero.io/*:Schedule"
_METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_ALARMS = (_METRIC_ALARM, "aws:cloudwatch/compositeAlarm:CompositeAlarm")

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
    parameters={
        "names": Parameter(["backup", "velero"], "parts of the names of the alarm, its metric or the namespace")
    },
)
def alarm_on_missing_backups(resources: Sequence[StackResource], situation: Situation) -> Found:
    alarms = [one for one in resources if one.resource_type in _ALARMS and _is_about(one, situation["names"])]
    for velero in _veleros(resources):
        if not alarms:
            yield velero, "no alarm watches its backups"
        yield from apart(alarms, _faults)


def _is_about(alarm: StackResource, names: Sequence[str]) -> bool:
    texts = [alarm.name, *(str(alarm.props.get(key) or "") for key in ("name", "namespace", "metricName"))]
    return any(part in text.lower() for part in names for text in texts)


def _faults(alarm: StackResource) -> Found:
    if alarm.resource_type == _METRIC_ALARM and alarm.props.get("treatMissingData") != "breaching":
        yield alarm, "is silent where data is missing"
    if alarm.props.get("actionsEnabled") is False or not len(items(alarm.props, "alarmActions")):
        yield alarm, "tells nobody"
