"""The drain of volumes: its script on an emulated account, and its place between node groups and cluster."""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.ec2.models import ec2_backends
from moto.eks.models import eks_backends

from eks_analytics.drain_command import drain_script

ACCOUNT, REGION = "123456789012", "us-east-1"
OURS = {
    "kubernetes.io/cluster/analytics": "owned",
    "ebs.csi.aws.com/cluster": "true",
    "kubernetes.io/created-for/pvc/namespace": "plotly-system",
    "kubernetes.io/created-for/pvc/name": "data",
}
Drain = Callable[..., str]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with the cluster \"analytics\"; its EC2 client."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        where = {"subnetIds": ["subnet-0123456789abcdef0"]}
        eks = boto3.client("eks", REGION)
        eks.create_cluster(name="analytics", roleArn=f"arn:aws:iam::{ACCOUNT}:role/eks", resourcesVpcConfig=where)
        eks_backends[ACCOUNT][REGION].clusters["analytics"].created_at -= timedelta(minutes=10)
        yield boto3.client("ec2", REGION)


@pytest.fixture
def drain(account: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Drain:
    """Runs the script, with the emulated account behind its `aws`. Returns what it says; SystemExit where it fails."""

    def run(keep: bool = False, seconds: float = 20, looks: Callable[[int], None] = lambda _: None) -> str:
        environment = {"CLUSTER": "analytics", "REGION": REGION, "SECONDS": str(seconds), "PAUSE": "0.01"}
        for name, value in {**environment, "KEEP": json.dumps(keep)}.items():
            monkeypatch.setenv(f"DRAIN_{name}", value)
        script = ModuleType("drained")
        monkeypatch.setitem(sys.modules, "drained", script)
        monkeypatch.setitem(sys.modules, "draining", script)
        exec(compile(drain_script("drain_volumes.py"), "drain_volumes.py", "exec"), vars(script))
        asked = 0

        def answer(program: str, service: str, operation: str, *options: str) -> str:
            nonlocal asked
            given = dict(zip(options[::2], options[1::2], strict=True))
            assert (program, given["--region"], given["--output"]) == ("aws", REGION, "json")
            parameters = json.loads(given.get("--cli-input-json", "{}"))
            if operation == "describe-volumes":
                asked += 1
                looks(asked)
            try:
                found = getattr(boto3.client(service, REGION), operation.replace("-", "_"))(**parameters)
            except ClientError as error:
                raise vars(script)["CommandError"](str(error)) from None
            del found["ResponseMetadata"]
            return json.dumps(found, default=str) if found else ""  # as the AWS CLI does

        vars(script)["run"] = answer
        vars(script)["run_to_the_end"](vars(script)["main"])
        return capsys.readouterr().out

    return run


def volume(account: Any, tags: dict[str, str] = OURS) -> str:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    specification = [{"ResourceType": "volume", "Tags": listed}] if tags else []
    made = account.create_volume(AvailabilityZone=f"{REGION}a", Size=8, TagSpecifications=specification)
    return made["VolumeId"]


def attached(account: Any) -> tuple[str, str]:
    """One of the cluster's volumes, and the instance that it is attached to."""
    (instance,) = account.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"]
    id = volume(account)
    account.attach_volume(VolumeId=id, InstanceId=instance["InstanceId"], Device="/dev/sdf")
    return id, instance["InstanceId"]


def there(account: Any) -> set[str]:
    return {one["VolumeId"] for one in account.describe_volumes()["Volumes"]}


def node_group() -> None:
    boto3.client("eks", REGION).create_nodegroup(
        clusterName="analytics",
        nodegroupName="core",
        subnets=["subnet-0123456789abcdef0"],
        nodeRole=f"arn:aws:iam::{ACCOUNT}:role/node",
    )


def test_the_clusters_volumes_are_deleted_outside_production(account: Any, drain: Drain) -> None:
    ours = volume(account)
    said = drain()
    assert ours not in there(account)
    assert f"Deleting volume {ours} (8 GiB, claim plotly-system/data)." in said
    assert said.endswith("No volume of the cluster analytics is left.\n")
    assert drain() == "No volume of the cluster analytics is left.\n"


def test_in_production_they_are_named_with_the_commands_and_stay(account: Any, drain: Drain) -> None:
    ours, (held, _) = volume(account), attached(account)
    said = drain(keep=True)
    assert {ours, held} <= there(account)
    assert "Kept, because the stack is marked production: " in said
    for id in (ours, held):
        assert f"volume {id} (8 GiB, claim plotly-system/data)" in said
        assert f"\n  aws ec2 delete-volume --volume-id {id} --region us-east-1\n" in said


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {**OURS, "kubernetes.io/cluster/analytics": "shared"},
        {"kubernetes.io/cluster/analytics": "owned"},  # a node's own disk, as Karpenter tags it
        {"ebs.csi.aws.com/cluster": "true"},
        {"kubernetes.io/cluster/analytics-2": "owned", "ebs.csi.aws.com/cluster": "true"},
    ],
)
@pytest.mark.parametrize("keep", [False, True])
def test_volumes_of_others_stay_and_are_not_named(account: Any, drain: Drain, tags: dict[str, str], keep: bool) -> None:
    other = volume(account, tags)
    assert drain(keep=keep) == "No volume of the cluster analytics is left.\n"
    assert other in there(account)


def test_what_an_earlier_cluster_of_that_name_left_stays(account: Any, drain: Drain) -> None:
    earlier = volume(account)
    ec2_backends[ACCOUNT][REGION].volumes[earlier].create_time -= timedelta(days=1)
    assert "Deleting" not in drain()
    assert earlier in there(account)


def test_snapshots_stay(account: Any, drain: Drain) -> None:
    ours = volume(account)
    snapshot = account.create_snapshot(VolumeId=ours)["SnapshotId"]
    drain()
    assert ours not in there(account)
    assert snapshot in {one["SnapshotId"] for one in account.describe_snapshots(OwnerIds=["self"])["Snapshots"]}


def test_an_attached_one_is_waited_for_while_the_others_go(account: Any, drain: Drain) -> None:
    (held, instance), free = attached(account), volume(account)

    def let_go(look: int) -> None:
        if look == 3:
            assert free not in there(account)
            account.detach_volume(VolumeId=held, InstanceId=instance)

    said = drain(looks=let_go)
    assert {held, free} & there(account) == set()
    assert f"Waiting for volume {held} (8 GiB, claim plotly-system/data), attached to {instance}" in said


def test_one_that_stays_attached_is_named_with_the_commands_that_remove_it(account: Any, drain: Drain) -> None:
    held, instance = attached(account)
    with pytest.raises(SystemExit) as ended:
        drain(seconds=0.1)
    reason = str(ended.value)
    assert f"there is still: volume {held} (8 GiB, claim plotly-system/data), attached to {instance}. " in reason
    detach, delete = (f"  aws ec2 {verb}-volume --volume-id {held} --region us-east-1" for verb in ("detach", "delete"))
    assert f"{detach}\n{delete}\nThen destroy again." in reason
    assert held in there(account)


def test_nothing_is_deleted_while_the_cluster_has_node_groups(account: Any, drain: Drain) -> None:
    """The step taken out of the program of a living cluster."""
    node_group()
    ours = volume(account)
    assert "Kept, because the cluster analytics still has node groups: " in drain()
    assert ours in there(account)


def test_where_the_cluster_is_gone_its_volumes_are_named_only(account: Any, drain: Drain) -> None:
    boto3.client("eks", REGION).delete_cluster(name="analytics")
    ours = volume(account)
    assert f"aws ec2 delete-volume --volume-id {ours} --region us-east-1" in drain()
    assert ours in there(account)
