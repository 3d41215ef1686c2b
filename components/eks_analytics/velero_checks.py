"""What in a VeleroBackup AWS, Kubernetes or Velero would refuse, most of it only when a backup is due. Pure."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from .backup_watch_checks import LARGEST_GRACE, room_problems, specification_problems
from .backup_watch_options import DEFAULT_GRACE_HOURS
from .cluster_checks import name_problems
from .helm_values import value_at
from .permissions_boundary import boundary_problems
from .problems import Problem, repeated
from .tags import check_tags
from .velero_bucket_checks import bucket_problems
from .velero_credentials import SHOWN, credentials_problems
from .velero_cron import cron_fault, longest_pause
from .velero_durations import duration_fault, seconds_of
from .velero_names import PREFIX, SCHEDULE, key_problems
from .velero_options import Schedule, VeleroOptions, watched_schedules
from .velero_profiles import PROFILES, VeleroProfile, version_warnings

IDENTITIES = ("pod-identity", "irsa", "static")
ACCESS_MODES = ("ReadWrite", "ReadOnly")
_SECONDS_OF_AN_HOUR = 3600

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
_PATTERN = re.compile(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")
_ALL = "*"
_RESOURCE = re.compile(r"[a-z][a-z0-9]*(\.[a-z0-9-]+)*")
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
# Role, buckets, locations and what is made of the other arguments fit these.
_OURS = (
    "backupsEnabled",
    "cleanUpCRDs",
    "configuration.backupStorageLocation",
    "configuration.provider",
    "configuration.uploaderType",
    "configuration.volumeSnapshotLocation",
    "credentials",
    "image.repository",
    "image.tag",
    "initContainers",
    "schedules",
    "serviceAccount.server.create",
    "serviceAccount.server.name",
    "snapshotsEnabled",
)


def check_velero(options: VeleroOptions) -> list[Problem]:
    """Everything that is wrong with the options; no secret is in it."""
    return [
        *name_problems(options.cluster_name),
        *_profile_problems(options),
        *_credentials(options),
        *_registry_problems(options.image_registry),
        *bucket_problems(options.bucket, options.region, options.schedules),
        *key_problems("kms_key_arn", options.kms_key_arn, options.region),
        *_location_problems(options),
        *_schedules(
            options.schedules,
            PROFILES.get(options.profile),
            options.watch.grace_hours if options.watch else DEFAULT_GRACE_HOURS,
        ),
        *_value_problems(options.helm_values),
        *_watch(options),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
        *check_tags(options.tags),
    ]


def velero_warnings(options: VeleroOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    found: list[str] = []
    if options.enabled:
        found += version_warnings(options.profile, options.kubernetes_version)
        if options.access_mode == "ReadOnly" and options.schedules:
            found.append("access_mode ReadOnly: as long as the location is read-only, no schedule makes a backup.")
        if not options.schedules:
            found.append("schedules: there are none, so that nobody makes backups but by hand.")
        elif options.watch is None and watched_schedules(options.enabled, options.schedules):
            found.append("watch: is off, so that nobody is told when a backup is missing.")
        if options.chosen_identity == "static":
            found.append("identity static: whoever rotates the user's keys must change the secret here too.")
    if options.production and not options.bucket.existing_name and not options.bucket.replication_region:
        found.append("bucket.replication: the loss of the region would take the backups along with the cluster.")
    return found


def _profile_problems(options: VeleroOptions) -> Iterator[Problem]:
    profile, identity = PROFILES.get(options.profile), options.identity
    if profile is None:
        near = get_close_matches(options.profile, PROFILES, n=1)
        remedy = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(PROFILES)}"
        yield Problem("profile", options.profile, "is no set of versions of Velero", remedy)
    if identity and identity not in IDENTITIES:
        yield Problem("identity", identity, "is unknown", f"write one of {', '.join(IDENTITIES)}")
        return
    if profile is None:
        return
    if identity and identity not in profile.identities:
        reason = f"is not known to the plugin {profile.plugin_version} of the profile {options.profile}"
        yield Problem("identity", identity, reason, f"write one of {', '.join(profile.identities)}")
    elif options.chosen_identity == "irsa" and not options.has_oidc_provider:
        reason = "lets the service account in through the cluster's OIDC provider, and none is named"
        yield Problem("identity", options.chosen_identity, reason, "give oidc_provider_arn, or choose another one")


def _credentials(options: VeleroOptions) -> Iterator[Problem]:
    if options.identity == "static" and not options.has_credentials:
        reason = "needs the keys of an IAM user"
        yield Problem("credentials", None, reason, "give the content of credentials-velero, as a secret")
    elif options.has_credentials and options.identity != "static":
        reason = 'are used by the identity "static" only, and keys that nobody uses are better not kept'
        yield Problem("credentials", SHOWN, reason, 'take them out, or write identity "static"')
    if options.credentials is not None:
        yield from credentials_problems(options.credentials)


def _registry_problems(registry: str) -> Iterator[Problem]:
    if not registry or (_REGISTRY.fullmatch(registry) and ("." in (host := registry.split("/")[0]) or ":" in host)):
        return
    bare = re.sub(r"^[a-z]+://", "", registry).rstrip("/")
    example = bare if bare != registry and _REGISTRY.fullmatch(bare) else "registry.example.com/velero"
    reason = "is no host name of a registry, with a path or without, that names of images could follow"
    yield Problem("image_registry", registry, reason, f'write it such as "{example}"')


def _location_problems(options: VeleroOptions) -> Iterator[Problem]:
    prefix = options.prefix
    if prefix and not PREFIX.fullmatch(prefix):
        bare = prefix.strip("/")
        remedy = f'write "{bare}"' if PREFIX.fullmatch(bare) else 'write names joined by slashes, such as "dash/prod"'
        yield Problem("prefix", prefix, "is no folder in a bucket as Velero wants it: no slash at the ends", remedy)
    elif prefix.split("/")[0] in ("backups", "restores", "kopia", "restic", "metadata", "plugins"):
        reason = "is the name of a folder of Velero's own, which it would take for a broken backup"
        yield Problem("prefix", prefix, reason, "choose another one")
    if options.access_mode not in ACCESS_MODES:
        near = get_close_matches(options.access_mode, ACCESS_MODES, n=1, cutoff=0.4)
        remedy = f'did you mean "{near[0]}"?' if near else f"write one of {', '.join(ACCESS_MODES)}"
        yield Problem("access_mode", options.access_mode, "is no access mode of a storage location", remedy)


def _schedules(schedules: Sequence[Schedule], profile: VeleroProfile | None, grace_hours: float) -> Iterator[Problem]:
    for index, schedule in enumerate(schedules):
        for problem in [*_schedule(schedule), *_namespaces(schedule, profile), *_gaps(schedule, grace_hours)]:
            yield replace(problem, input=f"schedules[{index}].{problem.input}")
    if twice := repeated([schedule.name for schedule in schedules]):
        yield Problem("schedules", twice, "are names of several schedules", "give each its own")


def _schedule(schedule: Schedule) -> Iterator[Problem]:
    if not SCHEDULE.fullmatch(schedule.name):
        reason = "is no name of a schedule: at most 63 small letters, digits, inner hyphens and dots"
        yield Problem("name", schedule.name, reason, 'write a name such as "daily"')
    if fault := cron_fault(schedule.cron):
        yield Problem("cron", schedule.cron, *fault)
    if fault := duration_fault(schedule.ttl):
        yield Problem("ttl", schedule.ttl, *fault)
    for name in schedule.excluded_resources:
        if not _RESOURCE.fullmatch(name):
            reason = "is no kind of objects: small letters, and a group after a dot"
            yield Problem("excluded_resources", name, reason, 'write kinds such as "endpointslices"')


def _namespaces(schedule: Schedule, profile: VeleroProfile | None) -> Iterator[Problem]:
    names = list(schedule.namespaces)
    if not names:
        reason = "names none, which Velero takes for all"
        yield Problem("namespaces", [], reason, 'name them, or write ["*"] for all')
    elif _ALL in names and len(names) > 1:
        # `ValidateIncludesExcludes` in Velero's pkg/util/collections.
        reason = "names all and some besides, and Velero makes no backup of such a list"
        yield Problem("namespaces", names, reason, 'write ["*"] for all, or the others without it')
    for name in names:
        if not _PATTERN.fullmatch(name):
            yield Problem("namespaces", name, "is no name of a namespace", 'write names such as "dash-apps"')
        elif profile and not profile.expands_namespaces and _ALL in name and name != _ALL:
            # https://github.com/velero-io/velero/issues/4407
            reason = f"is a pattern, which Velero {profile.version} takes for a name and finds nothing of"
            yield Problem("namespaces", name, reason, 'write the names out, or ["*"] for all')


def _gaps(schedule: Schedule, grace_hours: float) -> Iterator[Problem]:
    """A backup that expires before the next one has completed leaves a time without any."""
    if duration_fault(schedule.ttl) or cron_fault(schedule.cron):
        return
    pause = longest_pause(schedule.cron).total_seconds()
    needed = pause + min(grace_hours, LARGEST_GRACE) * _SECONDS_OF_AN_HOUR
    if (seconds_of(schedule.ttl) or 0) < needed:
        reason = (
            f"ends before the next backup is sure to be there: up to {_hours(pause)}h lie between two runs of "
            f"{schedule.cron!r}, and a backup may take {_hours(needed - pause)}h"
        )
        yield Problem("ttl", schedule.ttl, reason, f'write "{_hours(needed)}h" or more, or let it run more often')


def _hours(seconds: float) -> int:
    return math.ceil(seconds / _SECONDS_OF_AN_HOUR)


def _watch(options: VeleroOptions) -> Iterator[Problem]:
    if options.watch:
        yield from room_problems(options.watch)
        for problem in specification_problems(options.watch):
            yield replace(problem, input=f"watch.{problem.input}")


def _value_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    for path in _OURS:
        if (value := value_at(values, path)) is not None:
            reason = "is what profile, identity, locations and schedules are made for, so another value would not work"
            shown = SHOWN if path == "credentials" else value
            yield Problem(f"helm_values.{path}", shown, reason, "leave it out, and use the component's own arguments")
