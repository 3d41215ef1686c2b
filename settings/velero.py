"""What must be true of the settings of backups: their bucket, Velero's identity, and their schedules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import BaseModel

from eks_analytics.problems import Problem
from eks_analytics.velero_checks import check_velero

from .arguments import velero_options
from .problems import HIDDEN

if TYPE_CHECKING:
    from .rules import Judgement

_BLOCK, _CREDENTIALS = "velero", "velero_credentials"
_PRODUCT = "dash-enterprise"
# What is judged under names of its own.
_JUDGED_ELSEWHERE = ("cluster_name", "tags")
# The settings that the judgement of a setting takes into account besides it.
_RESTS_ON = {
    "bucket.encryption": ("cluster.kms_key_arn",),
    "bucket.kms_key_arn": ("region",),
    "bucket.object_lock.days": ("velero.schedules",),
    "bucket.replication.kms_key_arn": ("velero.bucket.encryption", "velero.bucket.replication.region"),
    "bucket.replication.region": ("region",),
    "credentials": ("velero.identity",),
    "identity": ("velero.profile",),
    "watch.alarm_key_arn": ("region",),
    "watch.existing_topic_arn": ("region",),
    "watch.subscriptions": ("production",),
}
_NEEDS = {"bucket.object_lock.mode": "days", "bucket.replication.kms_key_arn": "region"}


def rules(it: Judgement) -> Iterator[Problem]:
    """All rules of backups."""
    if it.settings.product != _PRODUCT:
        yield from _other_product(it)
        return
    yield from _secret(it)
    if it.settings.backs_up:
        yield from _unused(it)
        yield from _parts(it)


def _other_product(it: Judgement) -> Iterator[Problem]:
    if _BLOCK in it.given and it.sound("product"):
        value = it.settings.model_dump(exclude_unset=True).get(_BLOCK)
        reason = f"backs up Dash Enterprise, and this stack builds {it.settings.product}"
        yield Problem(_BLOCK, value, reason, "leave it out")


def _secret(it: Judgement) -> Iterator[Problem]:
    if not it.settings.velero_credentials.get_secret_value() or not it.sound(_CREDENTIALS):
        return
    set_it = "set it: pulumi config set --secret velero_credentials < credentials-velero"
    if not it.settings.backs_up:
        reason = "are keys for backups, and there are none"
        yield Problem(_CREDENTIALS, HIDDEN, reason, "take them out: pulumi config rm velero_credentials")
    elif _CREDENTIALS not in it.secret_keys:
        yield Problem(_CREDENTIALS, HIDDEN, "stands in clear text in the stack's configuration", set_it)


def _unused(it: Judgement) -> Iterator[Problem]:
    """What is said of something that is not asked for."""
    for path, needed in _NEEDS.items():
        block, _, name = path.rpartition(".")
        part = getattr(it.settings.velero.bucket, block.rpartition(".")[2])
        at = f"{_BLOCK}.{path}"
        if at in it.given and it.sound(at, f"{_BLOCK}.{block}.{needed}") and not getattr(part, needed):
            reason = f"says nothing without {needed}"
            yield Problem(at, getattr(part, name), reason, f"give {_BLOCK}.{block}.{needed}, or leave it out")


def _parts(it: Judgement) -> Iterator[Problem]:
    """What the component itself would refuse, under the names of the settings."""
    for problem in check_velero(velero_options(it.settings)):
        name = problem.input
        if name in _JUDGED_ELSEWHERE:
            continue
        at = _CREDENTIALS if name == "credentials" else f"{_BLOCK}.{name}"
        if not it.sound(at, *_rests_on(name)):
            continue
        if at != _CREDENTIALS:
            yield replace(problem, input=at, value=_value(it, at, problem))
        elif problem.value is not None:
            yield replace(problem, input=at, value=HIDDEN)
        else:
            remedy = "set it: pulumi config set --secret velero_credentials < credentials-velero"
            absent = replace(problem, input=at, remedy=remedy)
            # Like the other secrets: an update needs it, a preview goes on without.
            if it.dry_run:
                it.absent.append(absent)
            else:
                yield absent


def _rests_on(name: str) -> tuple[str, ...]:
    if name.endswith(".endpoint"):
        return (f"{_BLOCK}.{name.removesuffix('endpoint')}protocol",)
    if name.endswith(".ttl"):
        return (f"{_BLOCK}.{name.removesuffix('ttl')}cron", f"{_BLOCK}.watch.grace_hours")
    return _RESTS_ON.get(name, ())


def _value(it: Judgement, at: str, problem: Problem) -> object:
    """The value in the settings, where the component tells only that there is one."""
    if problem.value in ("", []):
        return None
    if problem.value != "(given)":
        return problem.value
    value: object = it.settings
    for name in at.split("."):
        value = getattr(value, name)
    return value.model_dump(exclude_unset=True) if isinstance(value, BaseModel) else value
