"""What a watch over backups is asked for, and the names and numbers that follow from it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from .partitions import partition
from .velero_cron import cronsim_fields

DEFAULT_GRACE_HOURS = 6
DEFAULT_INTERVAL_MINUTES = 15
DEFAULT_RETENTION_DAYS = 90
METRIC = "BackupOverdue"
"""The function's metric: 1 where no backup of a schedule has completed since it last should have run."""
DIMENSION = "Schedule"
VARIABLE = "WATCH"
"""The one variable in the function's environment."""


class BackupScheduleArgs(TypedDict):
    """A schedule of Velero's that is watched."""

    name: str
    """Name of the Schedule object; its backups bear it in the label velero.io/schedule-name."""
    cron: str
    """When it runs, as in the Schedule object, in UTC."""


@dataclass(frozen=True)
class Subscription:
    """Somebody who is told."""

    protocol: str
    endpoint: str | None
    """None where it is not known yet."""


@dataclass(frozen=True)
class BackupWatchOptions:
    """What of `BackupWatchArgs`, which documents the fields, is plain."""

    name: str
    region: str = ""
    """Empty where it is looked up; so is the account."""
    account_id: str = ""
    bucket: str = ""
    """Empty where it is not known yet; so are the ARNs."""
    prefix: str = ""
    kms_key_arn: str = ""
    schedules: Sequence[BackupScheduleArgs] = ()
    grace_hours: float = DEFAULT_GRACE_HOURS
    check_interval_minutes: float = DEFAULT_INTERVAL_MINUTES
    subscriptions: Sequence[Subscription] = ()
    has_existing_topic: bool = False
    existing_topic_arn: str = ""
    alarm_actions: Sequence[str] = ()
    alarm_key_arn: str = ""
    log_retention_days: float = DEFAULT_RETENTION_DAYS
    production: bool = False
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def resource_name(self) -> str:
        """Name of function, rule and topic."""
        return f"{self.name}-backup-watch"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.resource_name}"

    @property
    def namespace(self) -> str:
        """Namespace of the metric: that of this watch alone, since IAM binds writers of metrics by nothing else."""
        return f"Velero/{self.name}"

    @property
    def folder(self) -> str:
        """The prefix as keys begin with it."""
        return f"{self.prefix}/" if self.prefix else ""

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{partition(self.region)}:{service}:{self.region}:{self.account_id}:{resource}"

    @property
    def log_group_arn(self) -> str:
        return self.arn("logs", f"log-group:{self.log_group_name}")

    @property
    def topic_arn(self) -> str:
        """ARN that a topic of the watch's own will have."""
        return self.arn("sns", self.resource_name)

    @property
    def alarm_arns(self) -> str:
        """What the ARNs of the alarms match."""
        return self.arn("cloudwatch", f"alarm:{self.alarm_name('*')}")

    def alarm_name(self, schedule: str) -> str:
        return f"{self.name}-backup-overdue-{schedule}"


def environment(options: BackupWatchOptions, bucket: Any) -> dict[str, Any]:
    """What the function is told: where backups are, when each schedule runs, and how long a run may take."""
    return {
        "bucket": bucket,
        "prefix": options.folder,
        "namespace": options.namespace,
        "schedules": {schedule["name"]: cronsim_fields(schedule["cron"]) for schedule in options.schedules},
        "grace_minutes": int(options.grace_hours * 60),
    }
