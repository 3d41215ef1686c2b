"""Velero: backups are made, and somebody hears when they are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pack.kinds import CHARTS
from pack.rule import Parameter, Severity, Situation, StackResource, rule
from pack.values import apart, block, items

_SCHEDULE = "kubernetes:velero.io/*:Schedule"
_LOCATION = "kubernetes:velero.io/*:BackupStorageLocation"
_METRIC_ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
_ALARMS = (_METRIC_ALARM, "aws:cloudwatch/compositeAlarm:CompositeAlarm")

Found = Iterator[tuple[StackResource | None, str]]


@dataclass(frozen=True)
class _Schedule:
    """A schedule that is at work."""

    made_by: StackResource
    name: str
    in_chart: bool = False
    """The chart writes the release's name before it."""

    def is_called(self, name: str) -> bool:
        return name == self.name or (self.in_chart and name.endswith(f"-{self.name}"))


def _of_kind(resources: Sequence[StackResource], pattern: str) -> list[StackResource]:
    return [one for one in resources if fnmatchcase(one.resource_type, pattern)]


def _veleros(resources: Sequence[StackResource]) -> list[StackResource]:
    """The Helm releases that install Velero."""
    return [
        one
        for one in resources
        if one.resource_type in CHARTS and str(one.props.get("chart")).rpartition("/")[2] == "velero"
    ]


def _only_restores(resources: Sequence[StackResource]) -> bool:
    """Whether what another cluster backs up is only read here."""
    locations: list[Mapping[str, Any]] = [block(one.props, "spec") for one in _of_kind(resources, _LOCATION)]
    for velero in _veleros(resources):
        locations += items(block(velero.props, "values", "configuration"), "backupStorageLocation")
    return bool(locations) and all(one.get("accessMode") == "ReadOnly" for one in locations)


def _schedules(resources: Sequence[StackResource]) -> Iterator[_Schedule]:
    for one in _of_kind(resources, _SCHEDULE):
        if not block(one.props, "spec").get("paused"):
            yield _Schedule(one, str(block(one.props, "metadata").get("name") or one.name))
    for velero in _veleros(resources):
        for name, one in block(velero.props, "values", "schedules").items():
            if not one.get("disabled") and not one.get("paused"):
                yield _Schedule(velero, name, in_chart=True)


@rule(
    "schedule-backups",
    "Where Velero is, it backs up by a schedule that is not paused.",
    severity=Severity.HIGH,
    remediation="make a velero.io/v1 Schedule, or set schedules in the chart's values",
    link="https://velero.io/docs/main/api-types/schedule/",
)
def schedule_backups(resources: Sequence[StackResource], _: Situation) -> Found:
    if not _only_restores(resources) and not list(_schedules(resources)):
        for velero in _veleros(resources):
            yield velero, "no schedule makes backups"


@rule(
    "alarm-on-missing-backups",
    "Where Velero is, an alarm outside of the cluster goes off when the backups of a schedule stay away.",
    severity=Severity.HIGH,
    remediation="make a CloudWatch alarm on the backups' age that treats missing data as breaching and acts",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html",
    parameters={
        "names": Parameter(["backup", "velero"], "parts of the names of the alarm, its metric or the namespace"),
        "dimension": Parameter("Schedule", "dimension that names an alarm's schedule; without it, it watches all"),
    },
)
def alarm_on_missing_backups(resources: Sequence[StackResource], situation: Situation) -> Found:
    if _only_restores(resources):
        return
    veleros, schedules = _veleros(resources), list(_schedules(resources))
    alarms = [one for one in resources if one.resource_type in _ALARMS and _is_about(one, situation["names"])]

    def unwatched(schedule: _Schedule) -> Found:
        if not any(_watches(alarm, schedule, situation["dimension"]) for alarm in alarms):
            yield schedule.made_by, f"no alarm watches the schedule {schedule.name}"

    if veleros and not alarms:
        for velero in veleros:
            yield velero, "no alarm watches its backups"
    else:
        yield from apart(schedules, unwatched)
    if veleros or schedules:
        yield from apart(alarms, _faults)


def _is_about(alarm: StackResource, names: Sequence[str]) -> bool:
    texts = [alarm.name, *(str(alarm.props.get(key) or "") for key in ("name", "namespace", "metricName"))]
    return any(part in text.lower() for part in names for text in texts)


def _watches(alarm: StackResource, schedule: _Schedule, dimension: str) -> bool:
    dimensions = block(alarm.props, "dimensions")
    return dimension not in dimensions or schedule.is_called(str(dimensions[dimension]))


def _faults(alarm: StackResource) -> Found:
    if alarm.resource_type == _METRIC_ALARM and alarm.props.get("treatMissingData") != "breaching":
        yield alarm, "is silent where data is missing"
    if alarm.props.get("actionsEnabled") is False or not len(items(alarm.props, "alarmActions")):
        yield alarm, "tells nobody"
