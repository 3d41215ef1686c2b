"""What a VeleroBackup registers in each profile and with each identity, and what it refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pulumi
import pytest

from eks_analytics.schema import InheritingAnalyzer
from eks_analytics.velero import LONGEST_COMPONENT_NAME, VeleroBackup
from eks_analytics.velero_profiles import PROFILES, version_warnings
from recording import Recorder, Registration
from settings.values import LONGEST_CLUSTER_NAME

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THERE = KEY.replace("us-east-1", "us-west-2")
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
CREDENTIALS = """[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
CHART = Path(__file__).resolve().parents[3] / "shared/reference/data/velero"
WATCHED = {"subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}]}
REPLICATION = {"region": "us-west-2", "kms_key_arn": THERE}
Build = Callable[..., dict[str, Any]]


def arguments(**changes: Any) -> Any:
    """Small good arguments, with changes; None leaves an argument out."""
    given = {
        "cluster_name": "dash-dev",
        "region": "us-east-1",
        "account_id": "123456789012",
        "kms_key_arn": KEY,
        "oidc_provider_arn": PROVIDER,
        "watch": {"enabled": False},
        **changes,
    }
    return {name: value for name, value in given.items() if value is not None}


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build backups named "backup" of the arguments given. Returns the outputs."""
    recorder.outputs["aws:s3/bucket:Bucket"] = {
        "bucket": "dash-dev-backups-1",
        "arn": "arn:aws:s3:::dash-dev-backups-1",
    }

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: VeleroBackup("backup", arguments(**changes)))

    return build


def only(recorder: Recorder, type: str) -> Registration:
    (found,) = recorder.of(type).values()
    return found


def values(recorder: Recorder) -> dict[str, Any]:
    return only(recorder, "Release").inputs["values"]


# The bucket


def test_the_bucket_is_private_encrypted_versioned_and_for_tls_only(build: Build, recorder: Recorder) -> None:
    outputs = build()
    assert only(recorder, "Bucket").inputs["bucketPrefix"] == "dash-dev-backups-"
    private = only(recorder, "BucketPublicAccessBlock").inputs
    assert [value for value in private.values() if value is True] == [True] * 4
    (rule,) = only(recorder, "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert rule["bucketKeyEnabled"] is True
    assert only(recorder, "BucketVersioning").inputs["versioningConfiguration"] == {"status": "Enabled"}
    assert only(recorder, "BucketOwnershipControls").inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    policy = json.loads(only(recorder, "BucketPolicy").inputs["policy"])
    assert policy["Statement"][0]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (rule,) = only(recorder, "BucketLifecycleConfiguration").inputs["rules"]
    assert rule["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rule["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert outputs["bucket_name"] == "dash-dev-backups-1"
    assert outputs["kms_key_arn"] == KEY


def test_with_keys_of_s3_there_is_no_word_of_kms(build: Build, recorder: Recorder) -> None:
    outputs = build(bucket={"encryption": "s3"})
    (rule,) = only(recorder, "BucketServerSideEncryptionConfiguration").inputs["rules"]
    assert rule["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    assert "kms" not in outputs["policy"]
    assert outputs["kms_key_arn"] == ""


def test_object_lock_comes_after_versions_and_its_bucket_is_never_emptied(build: Build, recorder: Recorder) -> None:
    build(bucket={"object_lock": {"days": 45.0, "mode": "COMPLIANCE"}})
    lock = only(recorder, "BucketObjectLockConfiguration")
    assert lock.inputs["rule"] == {"defaultRetention": {"mode": "COMPLIANCE", "days": 45}}
    assert "aws:s3/bucketVersioning:BucketVersioning::backup-bucket" in lock.dependencies
    assert only(recorder, "Bucket").inputs["forceDestroy"] is False


def test_production_protects_the_buckets_with_their_settings_and_nothing_else(build: Build, recorder: Recorder) -> None:
    build(production=True, bucket={"replication": REPLICATION})
    protected = {one.key for one in recorder.registrations if one.request.protect}
    assert protected == {one.key for one in recorder.registrations if one.type.startswith("aws:s3/bucket")} - {
        "aws:s3/bucketReplicationConfig:BucketReplicationConfig::backup-replication"
    }
    assert [one.inputs["forceDestroy"] for one in recorder.of("Bucket").values()] == [False, False]
    build()
    assert not any(one.request.protect for one in recorder.registrations)
    assert only(recorder, "Bucket").inputs["forceDestroy"] is True


def test_the_copy_in_another_region_is_as_safe_as_the_bucket(build: Build, recorder: Recorder) -> None:
    outputs = build(bucket={"name": "mine", "replication": REPLICATION, "object_lock": {"days": 30}})
    for kind in (
        *("Bucket", "BucketPublicAccessBlock", "BucketServerSideEncryptionConfiguration", "BucketVersioning"),
        *("BucketOwnershipControls", "BucketPolicy", "BucketLifecycleConfiguration", "BucketObjectLockConfiguration"),
    ):
        here, there = recorder.of(kind)["backup-bucket"].inputs, recorder.of(kind)["backup-bucket-replica"].inputs
        assert (here.get("region"), there["region"]) == (None, "us-west-2")
    assert THERE in json.dumps(recorder.of("BucketServerSideEncryptionConfiguration")["backup-bucket-replica"].inputs)
    replication = only(recorder, "BucketReplicationConfig")
    (rule,) = replication.inputs["rules"]
    assert rule["destination"]["encryptionConfiguration"] == {"replicaKmsKeyId": THERE}
    assert rule["sourceSelectionCriteria"] == {"sseKmsEncryptedObjects": {"status": "Enabled"}}
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    versioned = {f"aws:s3/bucketVersioning:BucketVersioning::backup-bucket{which}" for which in ("", "-replica")}
    assert replication.dependencies >= versioned
    assert outputs["replica_bucket_name"]
    assert "s3:GetObjectRetention" in recorder.of("RolePolicy")["backup-replication"].inputs["policy"]


def test_an_existing_bucket_is_used_and_left_alone(build: Build, recorder: Recorder) -> None:
    theirs = KEY.replace("123456789012", "999999999999")
    outputs = build(bucket={"existing_name": "theirs", "kms_key_arn": theirs}, prefix="dash/prod")
    assert not [one for one in recorder.registrations if one.type.startswith("aws:s3/")]
    assert (outputs["bucket_name"], outputs["prefix"], outputs["kms_key_arn"]) == ("theirs", "dash/prod", theirs)
    storage = only(recorder, "BackupStorageLocation").inputs["spec"]["objectStorage"]
    assert storage == {"bucket": "theirs", "prefix": "dash/prod"}
    assert '"arn:aws:s3:::theirs/dash/prod/*"' in outputs["policy"]
    assert "kms" not in build(bucket={"existing_name": "theirs"})["policy"]


def test_a_bucket_that_is_there_may_have_dots_in_its_name(build: Build, recorder: Recorder) -> None:
    assert build(bucket={"existing_name": "backups.example.com"})["bucket_name"] == "backups.example.com"
    assert only(recorder, "BackupStorageLocation").inputs["spec"]["objectStorage"]["bucket"] == "backups.example.com"


# The identity


def test_pod_identity_gives_the_role_to_one_service_account_before_its_pods_start(
    build: Build, recorder: Recorder
) -> None:
    outputs = build()
    association = only(recorder, "PodIdentityAssociation").inputs
    server = values(recorder)["serviceAccount"]["server"]
    assert (association["namespace"], association["serviceAccount"]) == ("velero", server["name"])
    assert "annotations" not in server
    assert values(recorder)["credentials"] == {"useSecret": False}
    assert only(recorder, "RolePolicy").inputs["policy"] == outputs["policy"]
    assert only(recorder, "Release").dependencies >= {
        "aws:eks/podIdentityAssociation:PodIdentityAssociation::backup",
        "aws:iam/rolePolicy:RolePolicy::backup",
        "kubernetes:core/v1:Namespace::backup-namespace",
    }


def test_irsa_annotates_the_service_account_and_needs_no_association(build: Build, recorder: Recorder) -> None:
    outputs = build(identity="irsa")
    assert recorder.of("PodIdentityAssociation") == {}
    (statement,) = json.loads(recorder.of("Role")["backup"].inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Federated": PROVIDER}
    assert "system:serviceaccount:velero:velero" in json.dumps(statement)
    annotations = values(recorder)["serviceAccount"]["server"]["annotations"]
    assert annotations == {"eks.amazonaws.com/role-arn": outputs["role_arn"]}


@pytest.mark.parametrize("given", [str, pulumi.Output.from_input, pulumi.Output.secret])
def test_static_credentials_become_a_secret_and_no_role(build: Build, recorder: Recorder, given: Any) -> None:
    outputs = build(identity="static", credentials=given(CREDENTIALS))
    assert recorder.of("Role") == recorder.of("PodIdentityAssociation") == {}
    secret = only(recorder, "Secret")
    assert secret.inputs["metadata"] == {"name": "cloud-credentials", "namespace": "velero"}
    marked = secret.inputs["stringData"]
    assert marked["4dabf18193072939515e22adb298388d"] == "1b47061264138c4ac30d75fd1eb44270"  # a secret, to the engine
    assert marked["value"] == {"cloud": CREDENTIALS}
    assert values(recorder)["credentials"] == {"useSecret": True, "existingSecret": "cloud-credentials"}
    assert secret.key in only(recorder, "Release").dependencies
    assert outputs["role_arn"] == ""
    assert "s3:PutObject" in outputs["policy"]


def test_credentials_that_are_known_late_are_still_judged_and_never_shown(recorder: Recorder) -> None:
    args = arguments(identity="static", credentials=pulumi.Output.secret("[default]\nhunter2 = 1\n"))
    with pytest.raises(ValueError, match="has no aws_access_key_id") as error:
        recorder.run(lambda: VeleroBackup("backup", args))
    assert "hunter2" not in str(error.value)


# The server


def test_the_current_profile_is_velero_1_18_with_kopia(build: Build, recorder: Recorder) -> None:
    outputs = build()
    release = only(recorder, "Release").inputs
    assert (release["chart"], release["version"], release["namespace"]) == ("velero", "12.1.0", "velero")
    assert release["repositoryOpts"] == {"repo": "https://vmware-tanzu.github.io/helm-charts"}
    found = values(recorder)
    assert found["image"] == {"repository": "docker.io/velero/velero", "tag": "v1.18.1"}
    assert found["initContainers"][0]["image"] == "docker.io/velero/velero-plugin-for-aws:v1.14.0"
    assert found["configuration"] == {"uploaderType": "kopia"}
    assert found["deployNodeAgent"] is True
    assert found["cleanUpCRDs"] is False
    assert outputs["cli_version"] == "v1.18.1"
    assert recorder.of("ConfigMap") == {}


def test_the_documented_profile_is_the_guides_with_restic_and_its_config_map_first(
    build: Build, recorder: Recorder
) -> None:
    outputs = build(profile="documented", image_registry="registry.example.com/velero")
    found = values(recorder)
    assert only(recorder, "Release").inputs["version"] == "3.2.0"
    assert found["configuration"] == {"uploaderType": "restic", "provider": "aws"}
    assert found["image"] == {"repository": "registry.example.com/velero/velero", "tag": "v1.10.3"}
    assert found["upgradeCRDs"] is False
    assert recorder.of("PodIdentityAssociation") == {}
    helper = only(recorder, "ConfigMap")
    assert helper.inputs["metadata"] == {
        "name": "fs-restore-action-config",
        "namespace": "velero",
        "labels": {"velero.io/plugin-config": "", "velero.io/pod-volume-restore": "RestoreItemAction"},
    }
    assert helper.inputs["data"] == {"image": "registry.example.com/velero/velero-restore-helper:v1.10.3"}
    assert helper.key in only(recorder, "Release").dependencies
    assert outputs["cli_version"] == "v1.10.3"
    assert {image.partition("/")[0] for image in outputs["images"]} == {"registry.example.com"}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("registry", ["", "registry.example.com:5000/mirror"])
def test_every_image_of_the_release_is_in_the_list_of_images(
    build: Build, recorder: Recorder, profile: str, registry: str
) -> None:
    images = build(profile=profile, image_registry=registry)["images"]
    found = values(recorder)
    named = [found["initContainers"][0]["image"], f"{found['image']['repository']}:{found['image']['tag']}"]
    if kubectl := found.get("kubectl"):
        named.append(f"{kubectl['image']['repository']}:{kubectl['image']['tag']}")
    named += [helper.inputs["data"]["image"] for helper in recorder.of("ConfigMap").values()]
    assert sorted(named) == sorted(images)
    assert all(image.startswith(registry) for image in images)


def test_the_chart_makes_neither_locations_nor_schedules(build: Build, recorder: Recorder) -> None:
    build()
    found = values(recorder)
    assert (found["backupsEnabled"], found["snapshotsEnabled"]) == (False, False)
    assert "schedules" not in found


def test_both_locations_are_named_default_as_the_restore_procedure_wants_it(build: Build, recorder: Recorder) -> None:
    build()
    storage, snapshots = only(recorder, "BackupStorageLocation"), only(recorder, "VolumeSnapshotLocation")
    for location in (storage, snapshots):
        assert location.inputs["metadata"] == {"name": "default", "namespace": "velero"}
        assert location.inputs["spec"]["config"] == {"region": "us-east-1"}
        assert "kubernetes:helm.sh/v3:Release::backup" in location.dependencies
    assert storage.inputs["spec"]["default"] is True


@pytest.mark.parametrize("mode", ["ReadWrite", "ReadOnly"])
def test_the_access_mode_is_set_once_and_then_left_to_restores(build: Build, recorder: Recorder, mode: str) -> None:
    build(access_mode=mode)
    location = only(recorder, "BackupStorageLocation")
    assert location.inputs["spec"]["accessMode"] == mode
    assert list(location.request.ignoreChanges) == ["spec.accessMode"]


def test_the_default_schedule_is_the_guides(build: Build, recorder: Recorder) -> None:
    outputs = build()
    schedule = only(recorder, "Schedule").inputs
    assert schedule["metadata"] == {"name": "daily", "namespace": "velero"}
    assert schedule["spec"]["schedule"] == "0 0 * * *"
    assert "paused" not in schedule["spec"]  # left to `velero schedule pause`
    template = schedule["spec"]["template"]
    assert template["ttl"] == "720h"
    assert template["includedNamespaces"] == ["dash-apps", "dash-services", "plotly-system"]
    assert template["excludedResources"] == [
        "validatingwebhookconfiguration",
        "mutatingwebhookconfiguration",
        "endpointslices",
    ]
    assert (template["storageLocation"], template["volumeSnapshotLocations"]) == ("default", ["default"])
    assert outputs["schedules"] == [{"name": "daily", "cron": "0 0 * * *", "ttl": "720h"}]


def test_there_can_be_many_schedules_and_none(build: Build, recorder: Recorder) -> None:
    hourly = {"name": "hourly", "cron": "@hourly", "ttl": "48h", "namespaces": ["plotly-system"], "paused": True}
    outputs = build(schedules=[{"name": "weekly", "cron": "0 0 * * SUN"}, hourly])
    assert {one.inputs["metadata"]["name"] for one in recorder.of("Schedule").values()} == {"weekly", "hourly"}
    assert recorder.of("Schedule")["backup-hourly"].inputs["spec"]["paused"] is True
    assert [one["name"] for one in outputs["schedules"]] == ["weekly"]
    build(schedules=[])
    assert recorder.of("Schedule") == {}
    assert any("there are none" in warning for warning in recorder.warnings)


@pytest.mark.parametrize(("cron", "ttl"), [("@daily", "30h"), ("@weekly", "174h"), ("@monthly", "750h")])
def test_a_backup_may_end_when_the_next_one_is_there(build: Build, cron: str, ttl: str) -> None:
    (schedule,) = build(schedules=[{"name": "mine", "cron": cron, "ttl": ttl}])["schedules"]
    assert schedule["ttl"] == ttl


@pytest.mark.parametrize("name", ["dash.daily", "a" * 63])
def test_whatever_schedule_is_made_can_be_watched(build: Build, recorder: Recorder, name: str) -> None:
    assert list(build(schedules=[{"name": name}], watch=WATCHED)["alarm_names"]) == [name]


def test_disabled_it_keeps_the_bucket_and_takes_everything_else_away(build: Build, recorder: Recorder) -> None:
    build(bucket={"replication": REPLICATION})
    full = {one.key for one in recorder.registrations}
    outputs = build(bucket={"replication": REPLICATION}, enabled=False)
    left = {one.key for one in recorder.registrations}
    assert not [key for key in left if key.startswith("kubernetes:") or "odIdentity" in key]
    assert {key for key in full if key.startswith("aws:s3/")} == {key for key in left if key.startswith("aws:s3/")}
    assert outputs["bucket_name"] == "dash-dev-backups-1"
    assert (outputs["role_arn"], outputs["schedules"]) == ("", [])


def test_the_prometheus_rule_is_off_and_never_silently_missing(build: Build, recorder: Recorder) -> None:
    build()
    assert "metrics" not in values(recorder)
    build(enable_prometheus_rule=True)
    metrics = values(recorder)["metrics"]
    assert metrics["serviceMonitor"] == {"enabled": True, "autodetect": False}
    assert (metrics["prometheusRule"]["enabled"], metrics["prometheusRule"]["autodetect"]) == (True, False)
    rules = metrics["prometheusRule"]["spec"]
    assert len({rule["alert"] for rule in rules}) == len(rules) == 4
    assert all(rule["expr"] and rule["annotations"]["summary"] and rule["for"] for rule in rules)


@pytest.mark.parametrize("identity", ["pod-identity", "irsa", "static"])
def test_the_chart_accepts_the_values(build: Build, recorder: Recorder, identity: str) -> None:
    if not CHART.is_dir():
        pytest.skip("the chart is not at hand")
    import yaml

    from eks_analytics.helm_values import merged

    credentials = CREDENTIALS if identity == "static" else None
    build(identity=identity, credentials=credentials, enable_prometheus_rule=True, image_registry="r.example.com/v")
    complete = merged(yaml.safe_load((CHART / "chart-values.yaml").read_text()), values(recorder))
    jsonschema.validate(complete, json.loads((CHART / "chart-values.schema.json").read_text()))
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["version"] == PROFILES["current"].chart_version
    assert f"v{yaml.safe_load((CHART / 'Chart.yaml').read_text())['appVersion']}" == PROFILES["current"].version


@pytest.mark.parametrize("profile", PROFILES)
def test_the_node_agent_runs_on_nodes_with_taints_too(build: Build, recorder: Recorder, profile: str) -> None:
    build(profile=profile)
    assert values(recorder)["nodeAgent"] == {"tolerations": [{"operator": "Exists"}]}


def test_helm_values_are_merged_last_and_deeply(build: Build, recorder: Recorder) -> None:
    build(helm_values={"resources": {"limits": {"memory": "1Gi"}}, "nodeAgent": {"tolerations": [{"key": "only"}]}})
    found = values(recorder)
    assert found["resources"] == {"requests": {"cpu": "500m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}
    assert found["nodeAgent"]["tolerations"] == [{"key": "only"}]


# The watch


def test_every_schedule_at_work_is_watched_in_the_bucket_that_it_writes_to(build: Build, recorder: Recorder) -> None:
    schedules = [{"name": "daily", "cron": "0 3 * * *"}, {"name": "weekly", "cron": "@weekly", "paused": True}]
    given, key = {**WATCHED, "grace_hours": 2.0}, KEY.replace("us-east-1", "eu-west-1")
    outputs = build(
        watch=given, schedules=schedules, prefix="dash", tags={"team": "data"}, region="eu-west-1", kms_key_arn=key
    )
    function = only(recorder, "Function").inputs
    assert json.loads(function["environment"]["variables"]["WATCH"]) == {
        "bucket": "dash-dev-backups-1",
        "prefix": "dash/",
        "namespace": "Velero/dash-dev",
        "schedules": {"daily": "0 3 * * *"},
        "grace_minutes": 120,
    }
    rights = json.loads(recorder.of("RolePolicy")["backup-watch"].inputs["policy"])["Statement"]
    assert {one["Sid"]: one["Resource"] for one in rights}["DecryptThroughS3"] == key
    assert recorder.of("MetricAlarm")["backup-watch-daily"].inputs["tags"] == {"team": "data"}
    assert outputs["alarm_names"] == {"daily": "dash-dev-backup-overdue-daily"}
    assert outputs["alarm_topic_arn"] == "arn:aws:mock:us-east-1:123456789012:backup-watch-id"
    command = "aws logs tail /aws/lambda/dash-dev-backup-watch --since 1h --region eu-west-1"
    assert outputs["alarm_log_command"] == command


@pytest.mark.parametrize(
    "changes",
    [
        {"watch": {"enabled": False}},
        {"watch": WATCHED, "enabled": False},
        {"watch": WATCHED, "schedules": []},
        {"watch": WATCHED, "schedules": [{"name": "daily", "paused": True}]},
        {"watch": {"grace_hours": 0}, "enabled": False, "production": True},
    ],
    ids=["off", "no server", "no schedule", "paused", "refused otherwise"],
)
def test_where_nothing_makes_backups_nothing_is_missed(
    build: Build, recorder: Recorder, changes: dict[str, Any]
) -> None:
    outputs = build(**changes)
    assert not recorder.of("Function")
    assert (outputs["alarm_names"], outputs["alarm_topic_arn"], outputs["alarm_log_command"]) == ({}, "", "")


def test_backups_are_watched_where_nothing_is_said(build: Build, recorder: Recorder) -> None:
    build(watch=None)
    assert list(recorder.of("MetricAlarm")) == ["backup-watch-daily"]
    assert any("tells nobody" in warning for warning in recorder.warnings)


def test_the_longest_names_of_clusters_fit_and_longer_ones_are_cut(build: Build, recorder: Recorder) -> None:
    build(watch=WATCHED, cluster_name="c" * 100)
    names = [only(recorder, type).inputs["name"] for type in ("Function", "EventRule")]
    assert {len(name) for name in names} == {64}
    assert LONGEST_CLUSTER_NAME + len("-velero") == LONGEST_COMPONENT_NAME
    with pytest.raises(ValueError, match="shorten it to 44"):
        recorder.run(lambda: VeleroBackup("b" * 45, arguments()))


# Its place in a program


def test_everything_in_the_cluster_waits_for_what_it_is_told_to_come_after(recorder: Recorder) -> None:
    def program() -> VeleroBackup:
        nodes = pulumi.CustomResource("test:index:Nodes", "nodes", {"name": "core"})
        return VeleroBackup("backup", arguments(after=pulumi.Output.all(nodes.id)))

    recorder.run(program)
    for type in ("Namespace", "PodIdentityAssociation"):
        assert "test:index:Nodes::nodes" in only(recorder, type).dependencies
    assert only(recorder, "Namespace").inputs["metadata"] == {"name": "velero"}
    assert "test:index:Nodes::nodes" not in only(recorder, "Bucket").dependencies


def test_every_resource_is_a_child_and_tags_reach_everything_that_takes_tags(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["tags"])
    args = arguments(tags={"team": "data"}, bucket={"replication": REPLICATION})
    recorder.run(lambda: VeleroBackup("backup", args, opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:VeleroBackup"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:VeleroBackup::backup"}
    assert not any("tags" in child.request.ignoreChanges for child in children)
    tagged = {child.type.split(":")[-1] for child in children if child.inputs.get("tags") == {"team": "data"}}
    assert tagged == {"Bucket", "Role", "PodIdentityAssociation"}
    assert not [child.key for child in children if child.inputs.get("tags") not in (None, {"team": "data"})]


def test_region_and_account_are_looked_up_where_they_are_not_given(build: Build, recorder: Recorder) -> None:
    recorder.answers["aws:index/getRegion:getRegion"] = lambda _: {"id": "r", "region": "eu-west-3"}
    recorder.answers["aws:index/getCallerIdentity:getCallerIdentity"] = lambda _: {"accountId": "999999999999"}
    build(region=None, account_id=None)
    assert only(recorder, "BackupStorageLocation").inputs["spec"]["config"] == {"region": "eu-west-3"}
    assert "arn:aws:eks:eu-west-3:999999999999:cluster/dash-dev" in only(recorder, "Role").inputs["assumeRolePolicy"]


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    definitions = InheritingAnalyzer("eks-analytics").analyze([VeleroBackup])
    component = definitions["component_definitions"]["VeleroBackup"]
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []
    nested = [
        (t, n)
        for t, one in definitions["type_definitions"].items()
        for n, p in one.properties.items()
        if not p.description
    ]
    assert nested == []
    assert {name for name, found in component.inputs.items() if not found.optional} == {"clusterName"}
    assert not [name for name, found in component.outputs.items() if found.optional]


# Warnings and refusals


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kubernetes_version": "1.36"}, "was not tested on it"),
        ({"kubernetes_version": "1.35", "profile": "documented"}, "current: Velero v1.18.1 on 1.33, 1.34, 1.35"),
        ({"access_mode": "ReadOnly"}, "no schedule makes a backup"),
        ({"identity": "static", "credentials": CREDENTIALS}, "rotates the user's keys"),
        ({"production": True}, "the loss of the region"),
        ({"watch": {"enabled": False}, "production": True}, "nobody is told when a backup is missing"),
    ],
)
def test_what_may_not_be_meant_is_warned_of(
    build: Build, recorder: Recorder, changes: dict[str, Any], words: str
) -> None:
    build(kubernetes_version="1.35", watch=WATCHED)
    assert recorder.warnings == []
    build(**{"watch": WATCHED, **changes})
    assert any(words in warning for warning in recorder.warnings)


def test_a_tested_version_is_no_reason_to_warn() -> None:
    for name, profile in PROFILES.items():
        assert [list(version_warnings(name, version)) for version in profile.tested_on] == [[]] * len(profile.tested_on)


SCHEDULE = {"name": "daily"}
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({"schedule": []}, ["schedule = '[list]'", "did you mean schedules?"]),
    ({"watch": {"grace": 6}}, ["watch.grace = '[int]'", "did you mean grace_hours?"]),
    ({"watch": {"grace_hours": 0}}, ["watch.grace_hours = 0", "write a whole number from 1 to 168"]),
    ({"watch": {}, "production": True}, ["watch.subscriptions = []", "leaves nobody to hear"]),
    (
        {"watch": {"existing_topic_arn": "arn:aws:sns:eu-west-1:123456789012:alerts"}},
        ["watch.existing_topic_arn", "name a topic in us-east-1"],
    ),
    ({"cluster_name": "-x"}, ["cluster_name = '-x'"]),
    ({"profile": "latest"}, ["profile = 'latest'", "write one of current, documented"]),
    ({"profile": "curent"}, ['did you mean "current"?']),
    ({"identity": "keys"}, ["identity = 'keys'", "pod-identity, irsa, static"]),
    (
        {"identity": "pod-identity", "profile": "documented"},
        ["identity = 'pod-identity'", "not known to the plugin v1.6.2"],
    ),
    ({"identity": "irsa", "oidc_provider_arn": None}, ["identity = 'irsa'", "give oidc_provider_arn"]),
    ({"profile": "documented", "oidc_provider_arn": None}, ["identity = 'irsa'", "none is named"]),
    ({"identity": "static"}, ["credentials = None", "as a secret"]),
    ({"credentials": CREDENTIALS}, ["credentials = '(secret)'", "better not kept"]),
    ({"identity": "static", "credentials": "AKIA"}, ["credentials = '(secret)'", "is no file of AWS credentials"]),
    ({"image_registry": "https://registry.example.com/"}, ["image_registry", 'such as "registry.example.com"']),
    ({"image_registry": "velero"}, ["image_registry = 'velero'", "is no host name of a registry"]),
    ({"image_registry": "r.example.com/velero:v1"}, ["image_registry", "that names of images could follow"]),
    ({"bucket": {"name": "Backups"}}, ["bucket.name = 'Backups'", "small letters"]),
    ({"bucket": {"name": "ab"}}, ["bucket.name = 'ab'", "3 to 63"]),
    ({"bucket": {"name": "dash.backups"}}, ["bucket.name = 'dash.backups'", '"dash-backups"']),
    ({"bucket": {"existing_name": "dash..backups"}}, ["bucket.existing_name = 'dash..backups'"]),
    ({"bucket": {"name": "sthree-backups"}}, ["none reserved by S3"]),
    ({"bucket": {"existing_name": "arn:aws:s3:::theirs"}}, ["bucket.existing_name", 'write the name alone: "theirs"']),
    ({"bucket": {"existing_name": "s3://theirs/dash"}}, ['write "theirs", and "dash" as prefix']),
    (
        {"bucket": {"existing_name": "theirs", "object_lock": {"days": 30}}},
        ["bucket.object_lock", "leave one of the two"],
    ),
    ({"bucket": {"existing_name": "theirs", "name": "mine"}}, ["bucket.name = '(given)'"]),
    ({"bucket": {"encryption": "AES256"}}, ["bucket.encryption = 'AES256'", '"s3" for keys of S3']),
    ({"kms_key_arn": None}, ["bucket.encryption = 'kms'", 'give kms_key_arn, or write "s3"']),
    ({"bucket": {"encryption": "s3", "kms_key_arn": KEY}}, ["bucket.kms_key_arn", "uses none of yours"]),
    (
        {"bucket": {"kms_key_arn": "alias/foo"}},
        ["bucket.kms_key_arn = 'alias/foo'", "arn:aws:kms:us-east-1:", "no alias"],
    ),
    ({"bucket": {"kms_key_arn": THERE}}, ["bucket.kms_key_arn", "is a key of another region than us-east-1"]),
    (
        {"bucket": {"existing_name": "theirs", "kms_key_arn": THERE}},
        ["bucket.kms_key_arn", "is a key of another region than us-east-1"],
    ),
    ({"kms_key_arn": "alias/foo"}, ["- kms_key_arn = 'alias/foo'"]),
    ({"kms_key_arn": THERE}, ["kms_key_arn", "another region than us-east-1"]),
    (
        {"bucket": {"replication": {"region": "us-west-2", "kms_key_arn": KEY}}},
        ["bucket.replication.kms_key_arn", "is a key of another region than us-west-2"],
    ),
    (
        {"bucket": {"replication": {"region": "us-west-2", "kms_key_arn": "alias/foo"}}},
        ["bucket.replication.kms_key_arn = 'alias/foo'", "arn:aws:kms:us-west-2:"],
    ),
    ({"bucket": {"noncurrent_days": 0}}, ["bucket.noncurrent_days = 0"]),
    ({"bucket": {"object_lock": {"days": 0}}}, ["bucket.object_lock.days = 0", "write 1 to"]),
    ({"bucket": {"object_lock": {"days": 29}}}, ["bucket.object_lock.days = 29", "write 30 or more"]),
    ({"bucket": {"object_lock": {"days": 30, "mode": "LEGAL"}}}, ["bucket.object_lock.mode = 'LEGAL'", "COMPLIANCE"]),
    ({"bucket": {"replication": {"region": "us-east-1", "kms_key_arn": KEY}}}, ["would be lost with them"]),
    ({"bucket": {"replication": {"region": "west", "kms_key_arn": KEY}}}, ["is not the name of an AWS region"]),
    ({"bucket": {"replication": {"region": "cn-north-1", "kms_key_arn": KEY}}}, ["another partition"]),
    ({"bucket": {"replication": {"region": "us-west-2"}}}, ["bucket.replication.kms_key_arn = None", "name one there"]),
    ({"bucket": {"encryption": "s3", "replication": REPLICATION}}, ["bucket.replication.kms_key_arn", "leave it out"]),
    ({"prefix": "/dash/"}, ["prefix = '/dash/'", 'write "dash"']),
    ({"prefix": "a//b"}, ["prefix = 'a//b'"]),
    ({"prefix": "backups"}, ["prefix = 'backups'", "a folder of Velero's own"]),
    ({"prefix": "dash/../other"}, ["prefix = 'dash/../other'"]),
    ({"prefix": "."}, ["prefix = '.'"]),
    ({"bucket": {"existing_name": "192.168.5.4"}}, ["bucket.existing_name = '192.168.5.4'"]),
    ({"region": "us-east-1a"}, ["- region = 'us-east-1a'"]),
    ({"account_id": "12345"}, ["- account_id = '12345'"]),
    ({"kms_key_arn": ""}, ["bucket.encryption = 'kms'", "none is named"]),
    ({"kms_key_arn": None, "bucket": {"kms_key_arn": ""}}, ["bucket.encryption = 'kms'", "none is named"]),
    (
        {"bucket": {"replication": {"region": "us-west-2", "kms_key_arn": ""}}},
        ["bucket.replication.kms_key_arn = None", "name one there"],
    ),
    ({"identity": "irsa", "oidc_provider_arn": ""}, ["identity = 'irsa'", "none is named"]),
    ({"access_mode": "read-only"}, ["access_mode = 'read-only'", 'did you mean "ReadOnly"?']),
    ({"schedules": [{"name": "Every Day"}]}, ["schedules[0].name = 'Every Day'"]),
    ({"schedules": [{"name": "daily."}]}, ["schedules[0].name = 'daily.'"]),
    ({"prefix": "dash*"}, ["prefix = 'dash*'"]),
    ({"schedules": [{**SCHEDULE, "cron": "0 0 * * 7"}]}, ["schedules[0].cron", "Sunday is 0", "UTC"]),
    ({"schedules": [{**SCHEDULE, "ttl": "30d"}]}, ["schedules[0].ttl = '30d'", '"720h"']),
    ({"schedules": [{"name": "weekly", "cron": "@weekly", "ttl": "24h"}]}, ["schedules[0].ttl = '24h'", '"174h"']),
    ({"schedules": [{"name": "monthly", "cron": "@monthly"}]}, ["ttl = '720h'", "up to 744h lie between", '"750h"']),
    (
        {"schedules": [{**SCHEDULE, "ttl": "30h"}], "watch": {"grace_hours": 7}},
        ["schedules[0].ttl = '30h'", "may take 7h", '"31h" or more'],
    ),
    ({"schedules": [{**SCHEDULE, "namespaces": []}]}, ["schedules[0].namespaces = []", '["*"] for all']),
    ({"schedules": [{**SCHEDULE, "namespaces": ["dash_apps"]}]}, ["schedules[0].namespaces = 'dash_apps'"]),
    ({"schedules": [{**SCHEDULE, "namespaces": ["*", "dash-apps"]}]}, ["schedules[0].namespaces", '["*"] for all, or']),
    (
        {"profile": "documented", "schedules": [{**SCHEDULE, "namespaces": ["*-apps"]}]},
        ["schedules[0].namespaces = '*-apps'", "takes for a name"],
    ),
    ({"schedules": [{**SCHEDULE, "ttl": "2562048h"}]}, ["schedules[0].ttl = '2562048h'", "longer than any duration"]),
    (
        {"schedules": [{"name": f"schedule-{number}"} for number in range(200)], "watch": {}},
        ["- schedules = '200 of them'", "and Lambda has 4096"],
    ),
    ({"schedules": [{**SCHEDULE, "excluded_resources": ["End Points"]}]}, ["schedules[0].excluded_resources"]),
    ({"schedules": [SCHEDULE, SCHEDULE]}, ["schedules = ['daily']", "give each its own"]),
    ({"helm_values": {"cleanUpCRDs": True}}, ["helm_values.cleanUpCRDs = True", "leave it out"]),
    (
        {"helm_values": {"credentials": {"secretContents": {"cloud": "hunter2"}}}},
        ["helm_values.credentials = '(secret)'"],
    ),
    ({"tags": {"aws:x": "1"}}, ["tags = 'aws:x'"]),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_work_is_refused_with_a_remedy(
    recorder: Recorder, changes: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ValueError, match="backup 'backup' cannot be built as asked") as error:
        recorder.run(lambda: VeleroBackup("backup", arguments(**changes)))
    assert recorder.registrations == []
    assert [word for word in words if word not in str(error.value)] == []
    assert "hunter2" not in str(error.value)
    assert str(error.value).count("\n") == 1


def test_everything_wrong_is_said_at_once(recorder: Recorder) -> None:
    changes = {
        "profile": "latest",
        "identity": "keys",
        "bucket": {"name": "Backups", "object_lock": {"days": 1}, "replication": {"region": "us-east-1"}},
        "schedules": [{"name": "daily", "cron": "daily", "ttl": "30d"}, {"name": "weekly"}],
        "image_registry": "velero",
        "access_mode": "Read",
    }
    with pytest.raises(ValueError, match="cannot be built") as error:
        recorder.run(lambda: VeleroBackup("backup", arguments(**changes)))
    assert str(error.value).count("\n  - ") == 10


@pytest.mark.parametrize(
    ("changes", "misspelt", "missing"),
    [
        ({"schedules": [{"nme": "daily"}]}, "schedules[0].nme = 'daily'", "schedules[0].name = None"),
        ({"bucket": {"object_lock": {"day": 30}}}, "bucket.object_lock.day = 30", "bucket.object_lock.days = None"),
        (
            {"bucket": {"replication": {"regio": "us-west-2", "kms_key_arn": THERE}}},
            *("bucket.replication.regio = '[str]'", "bucket.replication.region = None"),
        ),
        (
            {"watch": {"subscriptions": [{"protcol": "email"}]}},
            *("watch.subscriptions[0].protcol = '[str]'", "watch.subscriptions[0].protocol = None"),
        ),
    ],
    ids=["schedule", "lock", "replication", "subscription"],
)
def test_what_is_needed_and_misspelt_is_said_twice(
    build: Build, changes: dict[str, Any], misspelt: str, missing: str
) -> None:
    with pytest.raises(ValueError, match="cannot be built as asked") as refused:
        build(**changes)
    assert f"{misspelt}: there is no such argument; did you mean" in str(refused.value)
    assert f"{missing}: is " in str(refused.value)
