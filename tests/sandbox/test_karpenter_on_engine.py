"""Karpenter and its pools on the real engine: what AWS then holds, what a change touches, in which order all goes."""

import json
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s
import pytest

from eks_analytics.karpenter import Karpenter
from eks_analytics.karpenter_policies import CONTROLLER_POLICIES, INTERRUPTIONS, NODE_POLICIES
from eks_analytics.node_pools import NodePools
from eks_analytics.tags import subnet_tags
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from sandbox.providers.protocol import UNKNOWN, Resource, StandIn, Values
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "eu-west-3"
CLUSTER = "analytics"


class Objects(StandIn):
    """Takes every object of Kubernetes, and notes what happens in which order."""

    version = version("pulumi-kubernetes")

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Values] = {}
        self.deleted: list[str] = []

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        return new

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        if preview:
            return "", inputs
        assert UNKNOWN not in inputs.values()
        self.kept[key(resource)] = inputs
        return key(resource), inputs

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        if not preview:
            self.kept[id] = new
        return new

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        del self.kept[id]
        self.deleted.append(id)


def key(resource: Resource) -> str:
    return f"{resource.type.rpartition(':')[2]}/{resource.name}"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("karpenter") / "dev"
    cloud = clouds.start(home)
    cloud.client("eks", REGION).create_cluster(
        name=CLUSTER,
        roleArn="arn:aws:iam::123456789012:role/cluster",
        resourcesVpcConfig={"subnetIds": []},
        accessConfig={"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    )
    yield cloud
    clouds.stop(home)


@pytest.fixture
def objects() -> Objects:
    return Objects()


@pytest.fixture
def stack(cloud: Cloud, objects: Objects, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None), "kubernetes": objects})


def program(*pools: str, **changes: Any) -> Program:
    """Karpenter with pools of these names."""

    def run() -> None:
        providers = [aws.Provider("emulated", region=REGION), k8s.Provider("cluster", kubeconfig="{}")]
        opts = pulumi.ResourceOptions(providers=providers)
        args: Any = {"cluster_name": CLUSTER, "region": REGION, "tags": {"CostCenter": "42"}, **changes}
        karpenter = Karpenter("main", args, opts)
        for output in Karpenter.__annotations__:
            pulumi.export(output, getattr(karpenter, output))
        named: Any = [{"name": name, "ami_alias": "al2023@v20260724"} for name in pools]
        if pools:
            arguments: Any = {"cluster_name": CLUSTER, "pools": named, "node_role_name": karpenter.node_role_name}
            NodePools("pools", arguments, opts)

    return run


def made(cloud: Cloud) -> dict[str, list[str]]:
    return {token: ids for token, ids in inventory(cloud, REGION).items() if token != "aws:eks/cluster:Cluster"}


def test_aws_then_holds_the_controllers_and_the_nodes_rights(stack: SmallStack, cloud: Cloud) -> None:
    outputs = stack.up(program("batch"))
    iam, eks = cloud.client("iam", REGION), cloud.client("eks", REGION)
    controller = outputs["controller_role_arn"].rpartition("/")[2]
    attached = iam.list_attached_role_policies(RoleName=controller)["AttachedPolicies"]
    assert len(attached) == len(CONTROLLER_POLICIES)
    nodes = iam.list_attached_role_policies(RoleName=outputs["node_role_name"])["AttachedPolicies"]
    assert {policy["PolicyName"] for policy in nodes} == set(NODE_POLICIES)
    entry = eks.describe_access_entry(clusterName=CLUSTER, principalArn=outputs["node_role_arn"])["accessEntry"]
    assert entry["type"] == "EC2_LINUX"
    (association,) = eks.list_pod_identity_associations(clusterName=CLUSTER)["associations"]
    assert (association["namespace"], association["serviceAccount"]) == ("kube-system", "karpenter")
    stack.destroy()
    assert made(cloud) == {}


def test_a_warning_of_aws_comes_into_the_queue(stack: SmallStack, cloud: Cloud) -> None:
    outputs = stack.up(program())
    sqs, events = cloud.client("sqs", REGION), cloud.client("events", REGION)
    url = sqs.get_queue_url(QueueName=outputs["queue_name"])["QueueUrl"]
    seen = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert (seen["MessageRetentionPeriod"], seen["SqsManagedSseEnabled"]) == ("300", "true")
    assert {statement["Effect"] for statement in json.loads(seen["Policy"])["Statement"]} == {"Allow", "Deny"}
    for source, event in INTERRUPTIONS.values():
        events.put_events(Entries=[{"Source": source, "DetailType": event, "Detail": "{}"}])
    events.put_events(Entries=[{"Source": "aws.ec2", "DetailType": "EBS Volume Notification", "Detail": "{}"}])
    kinds: set[str] = set()
    deadline = time.monotonic() + 10
    while len(kinds) < len(INTERRUPTIONS) and time.monotonic() < deadline:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            kinds.add(json.loads(message["Body"])["detail-type"])
    assert kinds == {event for _, event in INTERRUPTIONS.values()}
    stack.destroy()
    assert made(cloud) == {}


def test_another_pool_touches_nothing_but_its_own_objects(stack: SmallStack) -> None:
    stack.up(program("batch"))
    assert set(stack.preview(program("batch"))) == {"same"}
    stack.preview(program("batch", "serving"))
    changed = {name: action for name, action in stack.actions().items() if action != "same"}
    assert changed == {"pools-serving": "create"}
    stack.up(program("batch", "serving"))
    stack.up(program("serving"))
    assert stack.changes == {"same": stack.changes["same"], "delete": 2}
    stack.destroy()


def test_pools_go_before_classes_and_the_controller_goes_before_its_crds(stack: SmallStack, objects: Objects) -> None:
    stack.up(program("batch", use_instance_profile=True))
    assert set(objects.kept) == {
        "Release/main-crd",
        "Release/main-karpenter",
        "EC2NodeClass/pools-batch",
        "NodePool/pools-batch",
    }
    state = {one["urn"].rpartition("$")[2]: one.get("dependencies", []) for one in stack.resources()}
    needed = [urn.rpartition("$")[2] for urn in state["kubernetes:helm.sh/v3:Release::main-karpenter"]]
    assert "aws:eks/podIdentityAssociation:PodIdentityAssociation::main" in needed
    assert "aws:eks/accessEntry:AccessEntry::main-node" in needed
    stack.destroy()
    assert objects.deleted == [
        "NodePool/pools-batch",
        "EC2NodeClass/pools-batch",
        "Release/main-karpenter",
        "Release/main-crd",
    ]


def test_nodes_would_find_exactly_their_subnets_and_their_security_group(
    stack: SmallStack, cloud: Cloud, objects: Objects
) -> None:
    ec2 = cloud.client("ec2", REGION)
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets: dict[str, str] = {}
    for number, (name, tags) in enumerate(
        {
            "private-a": subnet_tags(CLUSTER, public=False),
            "private-b": subnet_tags(CLUSTER, public=False),
            "public-a": subnet_tags(CLUSTER, public=True),
            "other-cluster": subnet_tags("other", public=False),
        }.items()
    ):
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        subnets[name] = ec2.create_subnet(
            VpcId=vpc_id,
            CidrBlock=f"10.0.{number}.0/24",
            TagSpecifications=[{"ResourceType": "subnet", "Tags": listed}],
        )["Subnet"]["SubnetId"]
    groups = {
        name: ec2.create_security_group(VpcId=vpc_id, GroupName=name, Description=name)["GroupId"]
        for name in ("cluster", "other", "host")
    }
    cloud.system_tag(groups["cluster"], {"aws:eks:cluster-name": CLUSTER}, REGION)
    cloud.system_tag(groups["other"], {"aws:eks:cluster-name": "other"}, REGION)
    stack.up(program("batch"))
    spec = objects.kept["EC2NodeClass/pools-batch"]["spec"]

    def filters(terms: list[Any]) -> list[dict[str, Any]]:
        (term,) = terms
        return [{"Name": f"tag:{key}", "Values": [value]} for key, value in term["tags"].items()]

    found = ec2.describe_subnets(Filters=filters(spec["subnetSelectorTerms"]))["Subnets"]
    assert {subnet["SubnetId"] for subnet in found} == {subnets["private-a"], subnets["private-b"]}
    found = ec2.describe_security_groups(Filters=filters(spec["securityGroupSelectorTerms"]))["SecurityGroups"]
    assert [group["GroupId"] for group in found] == [groups["cluster"]]
    stack.destroy()
