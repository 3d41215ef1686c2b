"""Backups on the real engine: what S3, IAM and the cluster then hold, what a change touches, and what stays."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest
from pulumi.automation.errors import CommandError

from eks_analytics.velero import LONGEST_COMPONENT_NAME, VeleroBackup
from kept_objects import KeptClusters
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.knobs import Knobs
from sandbox.kubernetes_api.reference import Reference
from sandbox.providers.aws import AwsProvider
from sandbox.providers.kubernetes import KubernetesProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION, ELSEWHERE, CLUSTER = "us-east-1", "us-west-2", "dash-dev"
CREDENTIALS = """[default]
aws_access_key_id = AKIAIOSFODNN7EXAMPLE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
"""
KUBECONFIG = json.dumps(
    {
        "clusters": [{"name": CLUSTER, "cluster": {"server": "https://one"}}],
        "users": [{"name": "aws", "user": {}}],
        "contexts": [{"name": "aws", "context": {"cluster": CLUSTER, "user": "aws"}}],
        "current-context": "aws",
    }
)
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
LOCATION = Reference("velero.io/v1", "BackupStorageLocation", "velero", "default")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("velero") / "dev"
    cloud = clouds.start(home)
    cloud.client("eks", REGION).create_cluster(
        name=CLUSTER,
        roleArn="arn:aws:iam::123456789012:role/cluster",
        resourcesVpcConfig={"subnetIds": []},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    )
    yield cloud
    clouds.stop(home)


@pytest.fixture(scope="module")
def keys(cloud: Cloud) -> dict[str, str]:
    """A key in each region."""
    return {one: cloud.client("kms", one).create_key()["KeyMetadata"]["Arn"] for one in (REGION, ELSEWHERE)}


@pytest.fixture
def clusters() -> KeptClusters:
    return KeptClusters()


@pytest.fixture
def stack(cloud: Cloud, clusters: KeptClusters, tmp_path: Path) -> Iterator[SmallStack]:
    kept: Any = clusters
    stand_ins = {
        "aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None),
        "kubernetes": KubernetesProvider(lambda: cloud, "1.35", kept),
    }
    stack = SmallStack(tmp_path, stand_ins)
    yield stack
    if any(one["type"].startswith("aws:") for one in stack.resources()):
        stack.destroy()


def program(key: str, name: str = "backup", **changes: Any) -> Program:
    def run() -> None:
        providers = [aws.Provider("emulated", region=REGION), k8s.Provider("cluster", kubeconfig=KUBECONFIG)]
        args: Any = {
            "cluster_name": CLUSTER,
            "region": REGION,
            "account_id": "123456789012",
            "kms_key_arn": key,
            "watch": {"subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}]},
            **changes,
        }
        backup = VeleroBackup(name, args, pulumi.ResourceOptions(providers=providers))
        for output in VeleroBackup.__annotations__:
            pulumi.export(output, getattr(backup, output))

    return run


def touched(stack: SmallStack) -> dict[str, str]:
    """Kind and name of what the last update touched, with what it did."""
    steps = [event.resource_pre_event.metadata for event in stack.events if event.resource_pre_event]
    return {
        "::".join(step.urn.split("$")[-1].split("::")): str(step.op.value) for step in steps if step.op.value != "same"
    }


def made(cloud: Cloud) -> dict[str, list[str]]:
    found = {**inventory(cloud, REGION)}
    return {token: ids for token, ids in found.items() if token.startswith(("aws:s3/", "aws:iam/"))}


def test_s3_then_holds_a_bucket_with_all_its_settings(stack: SmallStack, cloud: Cloud, keys: dict[str, str]) -> None:
    outputs = stack.up(program(keys[REGION], tags={"CostCenter": "42"}))
    s3, name = cloud.client("s3", REGION), outputs["bucket_name"]
    assert name.startswith("dash-dev-backups-")
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == keys[REGION]
    assert rule["BucketKeyEnabled"] is True
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert len(block) == 4
    assert all(block.values())
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    (rule,) = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rule == {"ObjectOwnership": "BucketOwnerEnforced"}
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert rule["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    assert {"Key": "CostCenter", "Value": "42"} in s3.get_bucket_tagging(Bucket=name)["TagSet"]
    stack.destroy()
    assert made(cloud) == {}


def test_lock_and_copy_can_come_later_to_a_bucket_with_backups(
    stack: SmallStack, cloud: Cloud, keys: dict[str, str]
) -> None:
    s3, name = cloud.client("s3", REGION), stack.up(program(keys[REGION]))["bucket_name"]
    s3.put_object(Bucket=name, Key="backups/one/velero-backup.json", Body=b"{}")
    bucket = {"object_lock": {"days": 30}, "replication": {"region": ELSEWHERE, "kms_key_arn": keys[ELSEWHERE]}}
    outputs = stack.up(program(keys[REGION], bucket=bucket))
    assert outputs["bucket_name"] == name
    lock = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert lock["ObjectLockEnabled"] == "Enabled"
    assert (lock["Rule"]["DefaultRetention"]["Mode"], lock["Rule"]["DefaultRetention"]["Days"]) == ("GOVERNANCE", 30)
    copy = outputs["replica_bucket_name"]
    assert s3.get_bucket_location(Bucket=copy)["LocationConstraint"] == ELSEWHERE
    assert s3.get_object_lock_configuration(Bucket=copy)["ObjectLockConfiguration"]["ObjectLockEnabled"] == "Enabled"
    replication = s3.get_bucket_replication(Bucket=name)["ReplicationConfiguration"]
    (rule,) = replication["Rules"]
    assert rule["Destination"]["Bucket"] == f"arn:aws:s3:::{copy}"
    assert rule["Destination"]["EncryptionConfiguration"] == {"ReplicaKmsKeyID": keys[ELSEWHERE]}
    assert rule["SourceSelectionCriteria"] == {"SseKmsEncryptedObjects": {"Status": "Enabled"}}
    assert rule["DeleteMarkerReplication"] == {"Status": "Enabled"}
    role = replication["Role"].rpartition("/")[2]
    trust = cloud.client("iam", REGION).get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"][0]["Condition"]["ArnEquals"] == {"aws:SourceArn": f"arn:aws:s3:::{name}"}
    stack.up(program(keys[REGION], bucket=bucket))
    assert touched(stack) == {}
    assert stack.refresh().keys() == {"same"}
    # What is locked is not emptied by a destroy; here the retention goes first, which a person with the right could do.
    stack.up(program(keys[REGION]))
    s3.put_object_lock_configuration(Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    stack.destroy()
    assert made(cloud) == {}


def test_a_destroy_that_ends_at_locked_backups_leaves_the_key_that_reads_them(stack: SmallStack, cloud: Cloud) -> None:
    def own_key() -> None:
        provider = aws.Provider("account", region=REGION)
        key = aws.kms.Key("key", deletion_window_in_days=7, opts=pulumi.ResourceOptions(provider=provider))
        pulumi.export("key", key.key_id)
        program("", kms_key_arn=key.arn, bucket={"object_lock": {"days": 30}})()

    outputs = stack.up(own_key)
    s3, kms, name = cloud.client("s3", REGION), cloud.client("kms", REGION), outputs["bucket_name"]
    version = s3.put_object(Bucket=name, Key="backups/one/velero-backup.json", Body=b"{}")["VersionId"]
    with pytest.raises(CommandError, match="BucketNotEmpty"):
        stack.destroy()
    assert kms.describe_key(KeyId=outputs["key"])["KeyMetadata"]["KeyState"] == "Enabled"
    s3.delete_object(
        Bucket=name, Key="backups/one/velero-backup.json", VersionId=version, BypassGovernanceRetention=True
    )
    stack.destroy()
    assert kms.describe_key(KeyId=outputs["key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_the_longest_name_leaves_room_for_all_that_is_named_after_it(stack: SmallStack, keys: dict[str, str]) -> None:
    copied = {"replication": {"region": ELSEWHERE, "kms_key_arn": keys[ELSEWHERE]}}
    stack.up(program(keys[REGION], "b" * LONGEST_COMPONENT_NAME, bucket=copied))
    names = [one["outputs"]["name"] for one in stack.resources() if one["type"] == "aws:iam/role:Role"]
    assert max(map(len, names)) == 64


def test_another_schedule_ttl_or_profile_is_an_update_of_what_it_concerns(
    stack: SmallStack, keys: dict[str, str]
) -> None:
    key, daily = keys[REGION], {"name": "daily", "cron": "0 1 * * *"}
    provider = {"oidc_provider_arn": "arn:aws:iam::123456789012:oidc-provider/oidc.eks/id/ABC"}
    stack.up(program(key, schedules=[daily], identity="irsa", **provider))
    stack.up(program(key, schedules=[daily], identity="irsa", **provider))
    assert touched(stack) == {}
    stack.up(program(key, schedules=[{**daily, "cron": "0 2 * * *"}], identity="irsa", **provider))
    assert touched(stack) == {
        "kubernetes:velero.io/v1:Schedule::backup-daily": "update",
        f"{ALARM}::backup-watch-daily": "update",
        "aws:lambda/function:Function::backup-watch": "update",
    }
    stack.up(program(key, schedules=[{**daily, "cron": "0 2 * * *", "ttl": "48h"}], identity="irsa", **provider))
    assert touched(stack) == {"kubernetes:velero.io/v1:Schedule::backup-daily": "update"}
    weekly = {"name": "weekly", "cron": "0 0 * * 0"}
    stack.up(program(key, schedules=[weekly], identity="irsa", **provider))
    assert touched(stack) == {
        "kubernetes:velero.io/v1:Schedule::backup-daily": "delete",
        "kubernetes:velero.io/v1:Schedule::backup-weekly": "create",
        f"{ALARM}::backup-watch-daily": "delete",
        f"{ALARM}::backup-watch-weekly": "create",
        "aws:lambda/function:Function::backup-watch": "update",
    }
    stack.up(program(key, schedules=[weekly], profile="documented", **provider))
    assert touched(stack) == {
        "kubernetes:core/v1:ConfigMap::backup-fs-restore-action-config": "create",
        "kubernetes:helm.sh/v3:Release::backup": "update",
    }


def test_an_access_mode_that_was_switched_by_hand_stays(
    stack: SmallStack, clusters: KeptClusters, keys: dict[str, str]
) -> None:
    stack.up(program(keys[REGION]))
    objects = clusters.api(CLUSTER)

    def mode() -> str:
        live = objects.get(LOCATION)
        assert live
        return live["spec"]["accessMode"]

    assert mode() == "ReadWrite"
    objects.objects[LOCATION]["spec"]["accessMode"] = "ReadOnly"
    stack.up(program(keys[REGION]))
    assert touched(stack) == {}
    stack.refresh()
    stack.up(program(keys[REGION], access_mode="ReadWrite"))
    assert touched(stack) == {}
    assert mode() == "ReadOnly"


def test_rotated_credentials_are_in_the_cluster_and_in_clear_nowhere_else(
    stack: SmallStack, clusters: KeptClusters, keys: dict[str, str]
) -> None:
    stack.up(program(keys[REGION], identity="static", credentials=CREDENTIALS))
    secret = Reference("v1", "Secret", "velero", "cloud-credentials")
    found = clusters.api(CLUSTER).get(secret)
    assert found
    assert found["stringData"] == {"cloud": CREDENTIALS}
    rotated = CREDENTIALS.replace("AKIAIOSFODNN7EXAMPLE", "AKIAI44QH8DHBEXAMPLE")
    stack.up(program(keys[REGION], identity="static", credentials=rotated))
    assert {name.split("::")[0] for name in touched(stack)} == {"kubernetes:core/v1:Secret"}
    found = clusters.api(CLUSTER).get(secret)
    assert found
    assert found["stringData"] == {"cloud": rotated}
    state = json.dumps(stack.resources())
    assert "AKIAI" not in state
    assert "wJalr" not in state


def test_disabled_it_leaves_the_bucket_with_its_backups_and_comes_back(
    stack: SmallStack, cloud: Cloud, clusters: KeptClusters, keys: dict[str, str]
) -> None:
    s3, name = cloud.client("s3", REGION), stack.up(program(keys[REGION]))["bucket_name"]
    s3.put_object(Bucket=name, Key="backups/one/velero-backup.json", Body=b"{}")
    outputs = stack.up(program(keys[REGION], enabled=False))
    assert outputs["bucket_name"] == name
    assert not any(one.startswith("aws:s3/") for one in touched(stack))
    kinds = {reference.kind for reference in clusters.api(CLUSTER).objects}
    assert kinds == {"CustomResourceDefinition"}
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1
    stack.up(program(keys[REGION]))
    assert clusters.api(CLUSTER).get(LOCATION)
    assert s3.list_objects_v2(Bucket=name)["KeyCount"] == 1


def test_production_refuses_to_let_its_bucket_go(stack: SmallStack, cloud: Cloud, keys: dict[str, str]) -> None:
    outputs = stack.up(program(keys[REGION], production=True))
    with pytest.raises(Exception, match="protect"):
        stack.destroy()  # without a preview, which would refuse before anything is deleted
    assert cloud.client("s3", REGION).get_bucket_versioning(Bucket=outputs["bucket_name"])["Status"] == "Enabled"
    stack.up(program(keys[REGION]))


def test_an_existing_bucket_is_not_touched(stack: SmallStack, cloud: Cloud, keys: dict[str, str]) -> None:
    s3 = cloud.client("s3", REGION)
    s3.create_bucket(Bucket="theirs")
    outputs = stack.up(program(keys[REGION], bucket={"existing_name": "theirs"}, prefix="dash/dev"))
    assert outputs["bucket_name"] == "theirs"
    assert not any(one["type"].startswith("aws:s3/") for one in stack.resources())
    stack.destroy()
    assert s3.head_bucket(Bucket="theirs")
    s3.delete_bucket(Bucket="theirs")
