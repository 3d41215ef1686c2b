"""What a VeleroBackup is asked for, with its defaults filled in. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from .backup_watch_checks import LONGEST_NAME
from .backup_watch_options import BackupScheduleArgs, BackupWatchOptions
from .physical_names import shortened
from .velero_profiles import DEFAULT_PROFILE, PROFILES, VeleroProfile

NAMESPACE = "velero"
SERVICE_ACCOUNT = "velero"
DEFAULT_CRON = "0 0 * * *"
DEFAULT_TTL = "720h"
DEFAULT_NAMESPACES = ("dash-apps", "dash-services", "plotly-system")
# Webhooks would refuse what is restored as long as what answers them is not, and slices are made anew by Kubernetes.
DEFAULT_EXCLUDED_RESOURCES = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration", "endpointslices")
DEFAULT_NONCURRENT_DAYS = 30
LONGEST_BUCKET_PREFIX = 37
"""Characters: S3 takes 63, and the provider appends 26 digits."""


class VeleroScheduleArgs(TypedDict):
    """Backups at set times. Its defaults are those of Dash Enterprise's guide."""

    name: str
    """Name of the schedule, which begins the names of its backups."""
    cron: NotRequired[str]
    """When, as a cron expression of five fields in UTC; "0 0 * * *" by default, every day at midnight in UTC."""
    ttl: NotRequired[str]
    """How long a backup is kept, in hours, minutes and seconds; "720h" by default. At least the longest time between
    two runs and the watch's `grace_hours`."""
    namespaces: NotRequired[list[str]]
    """Namespaces that are backed up; "dash-apps", "dash-services" and "plotly-system" by default, and all with "*"."""
    excluded_resources: NotRequired[list[str]]
    """Kinds of objects that are left out; "validatingwebhookconfiguration", "mutatingwebhookconfiguration" and
    "endpointslices" by default."""
    paused: NotRequired[bool]
    """Makes no backups for the time being. False by default."""


@dataclass(frozen=True)
class Schedule:
    """`VeleroScheduleArgs`, which documents the fields, with its defaults filled in."""

    name: str
    cron: str = DEFAULT_CRON
    ttl: str = DEFAULT_TTL
    namespaces: Sequence[str] = DEFAULT_NAMESPACES
    excluded_resources: Sequence[str] = DEFAULT_EXCLUDED_RESOURCES
    paused: bool = False


@dataclass(frozen=True)
class ObjectLock:
    """A retention that nobody, or hardly anybody, can shorten."""

    days: int
    mode: str = "GOVERNANCE"


@dataclass(frozen=True)
class BackupBucketOptions:
    """What of `VeleroBucketArgs`, which documents the fields, is plain, with its defaults filled in."""

    name: str = ""
    existing_name: str = ""
    encryption: str = "kms"
    has_kms_key: bool = False
    """Whether a key is named for it, or by who uses the component."""
    kms_key_arn: str = ""
    """The key that is named for it; empty where none is, or where it is not known yet. So is the copy's."""
    noncurrent_days: int = DEFAULT_NONCURRENT_DAYS
    object_lock: ObjectLock | None = None
    replication_region: str = ""
    has_replication_key: bool = False
    replication_key_arn: str = ""
    given: frozenset[str] = frozenset()
    """Fields that were given, whatever their values."""


@dataclass(frozen=True)
class VeleroOptions:
    """What of `VeleroBackupArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    region: str = ""
    enabled: bool = True
    profile: str = DEFAULT_PROFILE
    identity: str = ""
    has_oidc_provider: bool = False
    has_credentials: bool = False
    credentials: str | None = field(default=None, repr=False)
    """None where there are none, or where they are not known yet."""
    image_registry: str = ""
    bucket: BackupBucketOptions = BackupBucketOptions()
    kms_key_arn: str = ""
    """The key of a new bucket that names none itself; empty where there is none, or where it is not known yet."""
    prefix: str = ""
    access_mode: str = "ReadWrite"
    schedules: Sequence[Schedule] = (Schedule("daily"),)
    enable_prometheus_rule: bool = False
    helm_values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    watch: BackupWatchOptions | None = None
    """None where nothing is watched."""
    kubernetes_version: str = ""
    production: bool = False
    account_id: str = ""
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def versions(self) -> VeleroProfile:
        """Those of the profile; only where there is such a profile."""
        return PROFILES[self.profile]

    @property
    def chosen_identity(self) -> str:
        """The identity, the profile's own where none was chosen."""
        return self.identity or self.versions.identities[0]


def watched_schedules(enabled: bool, schedules: Sequence[Schedule]) -> list[BackupScheduleArgs]:
    """The schedules that are at work: backups of others are not missed."""
    return [{"name": one.name, "cron": one.cron} for one in schedules if enabled and not one.paused]


def watch_name(cluster_name: str) -> str:
    """What the names of the watch's function, topic and alarms begin with."""
    return shortened(cluster_name, LONGEST_NAME)


def bucket_prefix(cluster_name: str) -> str:
    """What the name of a bucket for backups begins with."""
    suffix = "-backups-"
    return cluster_name.lower().replace("_", "-")[: LONGEST_BUCKET_PREFIX - len(suffix)] + suffix
