"""The settings of backups: read with their defaults, refused with key, value and remedy, handed to the component."""

from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eks_analytics.velero import velero_options as component_options
from eks_analytics.velero_bucket_checks import ENCRYPTIONS, LOCK_MODES
from eks_analytics.velero_checks import ACCESS_MODES, IDENTITIES, check_velero
from eks_analytics.velero_options import BackupBucketOptions, ObjectLock, Schedule, VeleroOptions
from eks_analytics.velero_profiles import PROFILES
from settings import Settings, SettingsError, VeleroSettings, load
from settings.arguments import dash_enterprise_arguments, velero_arguments, velero_options
from settings.models import VeleroBucketSettings, VeleroObjectLockSettings, VeleroScheduleSettings

ROLE = "arn:aws:iam::123456789012:role/deployer"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THERE = KEY.replace("us-east-1", "us-west-2")
CREDENTIALS = """[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
GOOD: dict[str, Any] = {
    "product": "dash-enterprise",
    "cluster_name": "dash-dev",
    "availability_zones": ["us-east-1a", "us-east-1b"],
    "cluster": {"admin_principal_arns": [ROLE], "public_endpoint_cidrs": ["203.0.113.0/24"]},
    "node_groups": [{"name": "core", "instance_types": ["m6i.2xlarge"]}],
    "dash_enterprise": {"base_domain": "dash.example.com"},
    "velero": {"enabled": True},
}
LOCKED = {"object_lock": {"days": 30}}
COPIED = {"replication": {"region": "us-west-2", "kms_key_arn": THERE}}


def read(config: dict[str, Any], secret: bool = True) -> Settings:
    """As a preview reads it, which goes on without the files of the installation."""
    return load(
        deepcopy(config),
        Path("/"),
        dry_run=True,
        provider_region="us-east-1",
        secret_keys={"velero_credentials"} if secret else (),
        today=date(2026, 11, 21),
    )


def with_velero(**changes: Any) -> dict[str, Any]:
    return {**GOOD, "velero": {**GOOD["velero"], **changes}}


def with_schedule(**changes: Any) -> dict[str, Any]:
    return with_velero(schedules=[{"name": "daily", **changes}])


def with_watched(protocol: str, endpoint: str) -> dict[str, Any]:
    return with_velero(watch={"subscriptions": [{"protocol": protocol, "endpoint": endpoint}]})


def refusal(config: dict[str, Any], **more: Any) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        read(config, **more)
    return refused.value


def test_without_the_block_there_are_no_backups() -> None:
    for nothing in ({}, None):
        settings = read({**GOOD, "velero": nothing} if nothing is not None else with_velero() | {"velero": {}})
        assert not settings.backs_up
        assert "velero" not in dash_enterprise_arguments(settings)


def test_any_key_asks_for_backups_and_the_rest_is_filled_in() -> None:
    settings = read(with_velero())
    assert settings.backs_up
    assert settings.velero.identity == "pod-identity"
    assert [schedule.name for schedule in settings.velero.schedules] == ["daily"]
    assert read(with_velero(profile="documented")).velero.identity == "irsa"
    assert read(with_velero(enabled=False)).backs_up
    assert check_velero(velero_options(settings)) == []


@pytest.mark.parametrize(
    "velero",
    [
        {"enabled": True},
        {"enabled": False, "profile": "documented", "image_registry": "registry.example.com/velero"},
        {"bucket": {"name": "mine", "noncurrent_days": 7, **LOCKED, **COPIED}, "prefix": "dash"},
        {"bucket": {"existing_name": "theirs", "kms_key_arn": KEY}, "access_mode": "ReadOnly", "schedules": []},
        {"bucket": {"encryption": "s3"}, "prometheus_rule": True, "helm_values": {"nodeAgent": {"tolerations": []}}},
        {"schedules": [{"name": "hourly", "cron": "@hourly", "ttl": "48h", "namespaces": ["*"], "paused": True}]},
        {"watch": {"enabled": False}},
        {"watch": {"subscriptions": [{"endpoint": "backups@example.com"}], "grace_hours": 2}, "prefix": "dash"},
        {"watch": {"existing_topic_arn": "arn:aws:sns:us-east-1:123456789012:alerts", "alarm_key_arn": KEY}},
    ],
    ids=range(9),
)
def test_the_component_is_asked_for_what_was_judged(velero: dict[str, Any]) -> None:
    settings = read({**GOOD, "velero": velero})
    told = {"cluster_name": "dash-dev", "region": "us-east-1", "kms_key_arn": KEY, "oidc_provider_arn": "arn"}
    given: Any = {**velero_arguments(settings), **told, "kubernetes_version": "1.35", "tags": settings.tags}
    # The environment's key is judged as `cluster.kms_key_arn`.
    assert component_options(given) == replace(velero_options(settings), kms_key_arn=KEY)


def test_choices_and_defaults_are_those_of_the_component() -> None:
    def choices(block: type, field: str) -> list[str]:
        return block.model_json_schema()["properties"][field]["enum"]  # pyright: ignore[reportAttributeAccessIssue]

    assert choices(VeleroSettings, "profile") == list(PROFILES)
    assert choices(VeleroSettings, "identity") == list(IDENTITIES)
    assert choices(VeleroSettings, "access_mode") == list(ACCESS_MODES)
    assert choices(VeleroBucketSettings, "encryption") == list(ENCRYPTIONS)
    assert choices(VeleroObjectLockSettings, "mode") == list(LOCK_MODES)
    assert VeleroSettings().profile == VeleroOptions.profile
    assert VeleroSettings().access_mode == VeleroOptions.access_mode
    assert VeleroBucketSettings().encryption == BackupBucketOptions.encryption
    assert VeleroBucketSettings().noncurrent_days == BackupBucketOptions.noncurrent_days
    assert VeleroObjectLockSettings().mode == ObjectLock.mode
    for field in ("cron", "ttl", "namespaces", "excluded_resources", "paused"):
        assert getattr(VeleroScheduleSettings(), field) == getattr(Schedule("daily"), field)
    assert tuple(one.name for one in VeleroSettings().schedules) == tuple(
        one.name for one in VeleroOptions("c").schedules
    )


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({**GOOD, "product": "e6data", "e6data": {"workspaces": []}}, "velero", "leave it out"),
    (with_velero(enable=True), "velero.enable", "did you mean velero.enabled?"),
    (with_velero(enabled="yes"), "velero.enabled", "true"),
    (with_velero(profile="1.18"), "velero.profile", "current"),
    (with_velero(identity="static"), "velero_credentials", "pulumi config set --secret velero_credentials"),
    (with_velero(identity="pod-identity", profile="documented"), "velero.identity", "irsa, static"),
    (with_velero(image_registry="https://registry.example.com"), "velero.image_registry", "registry.example.com"),
    (with_velero(prefix="/dash"), "velero.prefix", 'write "dash"'),
    (with_velero(access_mode="readonly"), "velero.access_mode", "ReadOnly"),
    (with_velero(bucket={"name": "My_Bucket"}), "velero.bucket.name", "write a name such as"),
    (with_velero(bucket={"existing_name": "s3://theirs"}), "velero.bucket.existing_name", 'write "theirs"'),
    (with_velero(bucket={"existing_name": "theirs", **LOCKED}), "velero.bucket.object_lock", "leave one of the two"),
    (with_velero(bucket={"encryption": "none"}), "velero.bucket.encryption", "kms"),
    (with_velero(bucket={"encryption": "s3", "kms_key_arn": KEY}), "velero.bucket.kms_key_arn", "leave one of the two"),
    (with_velero(bucket={"kms_key_arn": "alias/backups"}), "velero.bucket.kms_key_arn", "arn:aws:kms"),
    (with_velero(bucket={"kms_key_arn": THERE}), "velero.bucket.kms_key_arn", "a key of that region"),
    (
        with_velero(bucket={"replication": {"region": "us-west-2", "kms_key_arn": KEY}}),
        *("velero.bucket.replication.kms_key_arn", "a key of that region"),
    ),
    (with_velero(bucket={"noncurrent_days": -1}), "velero.bucket.noncurrent_days", "write 1 to"),
    (with_velero(bucket={"object_lock": {"days": 7}}), "velero.bucket.object_lock.days", "write 30 or more"),
    (with_velero(bucket={"object_lock": {"mode": "COMPLIANCE"}}), "velero.bucket.object_lock.mode", "object_lock.days"),
    (
        with_velero(bucket={"replication": {"region": "us-east-1", "kms_key_arn": KEY}}),
        *("velero.bucket.replication.region", "write another region"),
    ),
    (
        with_velero(bucket={"replication": {"region": "us-west-2"}}),
        *("velero.bucket.replication.kms_key_arn", "name one there"),
    ),
    (
        with_velero(bucket={"replication": {"kms_key_arn": THERE}}),
        *("velero.bucket.replication.kms_key_arn", "replication.region"),
    ),
    (with_velero(schedules=[{"cron": "0 0 * * *"}]), "velero.schedules[0].name", "daily"),
    (with_velero(schedules={"name": "daily"}), "velero.schedules", "write a list"),
    (with_schedule(cron="midnight"), "velero.schedules[0].cron", "in UTC"),
    (with_schedule(cron="TZ=Europe/Berlin 0 0 * * *"), "velero.schedules[0].cron", "in UTC"),
    (with_schedule(ttl="30 days"), "velero.schedules[0].ttl", '"720h"'),
    (with_schedule(ttl=720), "velero.schedules[0].ttl", 'with its unit, "720h"'),
    (with_schedule(namespaces=["*", "dash-apps"]), "velero.schedules[0].namespaces", "for all"),
    (with_velero(prefix=".."), "velero.prefix", "joined by slashes"),
    (with_velero(credentials="[default]"), "velero.credentials", "--secret velero_credentials"),
    (with_velero(aws_access_key_id="AKIAIOSFODNN7EXAMPLE"), "velero.aws_access_key_id", "--secret velero_credentials"),
    (with_schedule(cron="@monthly"), "velero.schedules[0].ttl", '"750h"'),
    (with_schedule(namespaces=[]), "velero.schedules[0].namespaces", "for all"),
    (with_schedule(namespaces=["Dash"]), "velero.schedules[0].namespaces", "dash-apps"),
    (with_schedule(excluded_resources=["a b"]), "velero.schedules[0].excluded_resources", "endpointslices"),
    (with_velero(schedules=[{"name": "daily"}] * 2), "velero.schedules", "give each its own"),
    (with_velero(watch={"grace": 6}), "velero.watch.grace", "did you mean velero.watch.grace_hours?"),
    (with_velero(watch={"grace_hours": 0}), "velero.watch.grace_hours", "from 1 to 168"),
    (with_velero(watch={"check_interval_minutes": 1}), "velero.watch.check_interval_minutes", "from 5 to 60"),
    (with_velero(watch={"log_retention_days": 31}), "velero.watch.log_retention_days", "30"),
    (with_velero(watch={"alarm_key_arn": THERE}), "velero.watch.alarm_key_arn", "a key of that region"),
    (with_velero(watch={"alarm_key_arn": "alias/aws/sns"}), "velero.watch.alarm_key_arn", "arn:aws:kms"),
    (with_velero(watch={"existing_topic_arn": "alerts"}), "velero.watch.existing_topic_arn", "arn:aws:sns"),
    (with_velero(watch={"alarm_actions": ["page me"]}), "velero.watch.alarm_actions[0]", "ARN of a topic"),
    (with_watched("pager", "1"), "velero.watch.subscriptions[0].protocol", "email"),
    (with_watched("https", "hooks.example.com"), "velero.watch.subscriptions[0].endpoint", "example.com/hook"),
    (with_watched("email", "backups"), "velero.watch.subscriptions[0].endpoint", "backups@example.com"),
    (
        {**with_velero(watch={}), "production": True},
        *("velero.watch.subscriptions", "{protocol: email, endpoint: backups@example.com}"),
    ),
    (with_velero(helm_values={"image": {"tag": "latest"}}), "velero.helm_values.image.tag", "leave it out"),
]


@pytest.mark.parametrize(("config", "key", "remedy"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_work_is_refused_with_key_and_remedy(config: dict[str, Any], key: str, remedy: str) -> None:
    config = {**config, "velero_credentials": ""}
    if key == "velero_credentials":
        settings = read(config)
        assert any(warning.startswith(f"{key}: needs the keys") and remedy in warning for warning in settings.warnings)
        return
    # Files and password of the installation are not there either, which a preview would go on without.
    own = [problem for problem in refusal(config).problems if problem.input.startswith("velero")]
    assert [problem.input for problem in own] == [key]
    assert remedy in own[0].remedy


def test_everything_wrong_is_said_at_once() -> None:
    bad = [config for config, _, _ in REFUSED if config["product"] == "dash-enterprise"]
    velero: dict[str, Any] = {"bucket": {}, "schedules": [{"name": "daily", "cron": "x", "ttl": "y", "namespaces": []}]}
    for config in bad[2:8]:
        velero |= {key: value for key, value in config["velero"].items() if key != "enabled"}
    velero["bucket"] = {"name": "My_Bucket", "replication": {"region": "us-east-1", "kms_key_arn": KEY}}
    found = {problem.input for problem in refusal({**GOOD, "velero": velero}).problems}
    assert found >= {
        *("velero.image_registry", "velero.prefix", "velero.access_mode", "velero.bucket.name"),
        *("velero.bucket.replication.region", "velero.schedules[0].cron", "velero.schedules[0].ttl"),
        "velero.schedules[0].namespaces",
    }


def test_credentials_are_taken_as_a_secret_and_never_shown() -> None:
    static = {**with_velero(identity="static"), "velero_credentials": CREDENTIALS}
    assert velero_arguments(read(static)).get("credentials") == CREDENTIALS
    for config, more, words in (
        (static, {"secret": False}, "stands in clear text"),
        ({**static, "velero_credentials": "[default]\nhunter2\n"}, {}, "is no file of AWS credentials"),
        ({**with_velero(), "velero_credentials": CREDENTIALS}, {}, "better not kept"),
        ({**GOOD, "velero": {}, "velero_credentials": CREDENTIALS}, {}, "pulumi config rm velero_credentials"),
    ):
        message = str(refusal(config, **more))
        assert words in message
        assert "velero_credentials" in message
        assert not any(secret in message for secret in ("hunter2", "AKIAIO", "wJalr"))


HOOK = "https://hooks.example.com/T0/hunter2"


@pytest.mark.parametrize(
    "watch",
    [
        {"subscriptions": HOOK},
        {"subscriptions": [HOOK]},
        {"subscriptions": {"protocol": "https", "endpoint": HOOK}},
        {"subscriptions": [{"protocol": "https", "endpoint": [HOOK]}]},
        {"subscriptions": [{"protocol": "https", "endpoints": HOOK}]},
        {"subscriptions": [{"protocol": "slack", "endpoint": HOOK}, HOOK]},
        {"webhook": HOOK},
    ],
    ids=range(7),
)
def test_the_url_of_a_webhook_is_shown_in_no_place(watch: dict[str, Any]) -> None:
    message = str(refusal(with_velero(watch=watch)))
    assert "velero.watch" in message
    assert "hunter2" not in message


def test_nothing_of_a_block_that_is_a_secret_is_shown() -> None:
    with pytest.raises(SettingsError) as refused:
        load(with_velero(watch={"grace_hours": 77_777}), Path("/"), dry_run=True, secret_keys={"velero"})
    assert "velero.watch.grace_hours" in str(refused.value)
    assert "77777" not in str(refused.value)


def test_an_alias_is_refused_for_a_reason_of_the_buckets() -> None:
    alias = KEY.replace("key/1234abcd-12ab-34cd-56ef-1234567890ab", "alias/backups")
    assert "replace the cluster" not in str(refusal(with_velero(bucket={"kms_key_arn": alias})))


def test_what_the_component_warns_of_is_not_said_twice() -> None:
    for config in (with_velero(profile="documented"), with_velero(schedules=[], access_mode="ReadOnly")):
        assert not [warning for warning in read(config).warnings if warning.startswith("velero.")]
