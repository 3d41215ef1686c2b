"""What Karpenter's node pools are asked for, and the EC2NodeClass and NodePool that come of it. Pure.

Kinds and fields are those of karpenter.k8s.aws/v1 and karpenter.sh/v1: https://karpenter.sh/docs/concepts/nodepools/
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

from .node_group_options import TaintArgs

DEFAULT_DISK_SIZE_GIB = 100
DEFAULT_CPU_LIMIT = "1000"
FOREGROUND = {"pulumi.com/deletionPropagationPolicy": "foreground"}
"""Deleting a NodePool takes until the NodeClaims that it owns, and with them its nodes, are gone."""

_BOTTLEROCKET_SYSTEM_GIB = 4
_CONSOLIDATE_AFTER = {"WhenEmpty": "30s"}
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_LEAST_DELETE_SECONDS = 30 * 60
_SLACK_SECONDS = 15 * 60


class SelectorTermArgs(TypedDict):
    """Picks subnets or security groups: by tags that all must be there, or by id."""

    tags: NotRequired[dict[str, str]]
    """Tags, "*" for any value. None by default."""
    id: NotRequired[str]
    """Id, instead of tags. None by default."""


class BlockDeviceArgs(TypedDict):
    """An EBS volume of every node; without a snapshot it is encrypted, with one it is as the snapshot is."""

    device_name: str
    """Name of the device, e.g. "/dev/xvda"."""
    size_gib: NotRequired[int]
    """Size in GiB; that of the snapshot by default."""
    volume_type: NotRequired[str]
    """gp3 (default), gp2, io1, io2, st1, sc1 or standard."""
    iops: NotRequired[int]
    """I/O operations per second: of gp3 3000 by default, needed for io1 and io2, not for any other type."""
    throughput: NotRequired[int]
    """MiB per second, for gp3; 125 by default."""
    kms_key_id: NotRequired[str]
    """Id, ARN or alias of the KMS key that encrypts the volume; the account's default key by default. The policy of a
    key of your own must let Karpenter's controller role (its output `controller_role_arn`), and for Spot the role
    AWSServiceRoleForEC2Spot, use it and grant it on (kms:CreateGrant): else instances end right after launch."""
    snapshot_id: NotRequired[str]
    """Snapshot that the volume is made of; none by default."""
    delete_on_termination: NotRequired[bool]
    """Whether the volume goes with its node; true by default."""
    root_volume: NotRequired[bool]
    """Marks the volume that the kubelet keeps its data on; false by default."""


class MetadataOptionsArgs(TypedDict):
    """The instance metadata service of every node."""

    http_endpoint: NotRequired[str]
    """enabled (default) or disabled."""
    http_tokens: NotRequired[str]
    """required (default), or optional, which lets requests in that a server can be tricked into."""
    http_put_response_hop_limit: NotRequired[int]
    """Hops of an answer, 1 (default) to 64: with 1, pods off the host network cannot take the node's role."""
    http_protocol_ipv6: NotRequired[str]
    """enabled or disabled (default)."""


class RequirementArgs(TypedDict):
    """A requirement on the label of nodes that has no argument of its own."""

    key: str
    """The label, e.g. "karpenter.k8s.aws/instance-cpu"."""
    operator: str
    """In, NotIn, Exists, DoesNotExist, Gt, Lt, Gte or Lte."""
    values: NotRequired[list[str]]
    """Values: one or more for In and NotIn, one whole number for Gt, Lt, Gte and Lte, none for the others. None by
    default."""
    min_values: NotRequired[int]
    """How many different values must be possible, 1 to 50; any number by default."""


class DisruptionBudgetArgs(TypedDict):
    """How many nodes may go at the same time."""

    nodes: str
    """Share or number of the pool's nodes, e.g. "10%" or "3"; "0" for none."""
    reasons: NotRequired[list[str]]
    """Reasons that it counts for: Empty, Underutilized, Drifted; all by default."""
    schedule: NotRequired[str]
    """Begin of the time in which it counts, as a cron expression in UTC, e.g. "0 9 * * mon-fri"; always by default."""
    duration: NotRequired[str]
    """Length of that time in hours and minutes, e.g. "8h"; needed with a schedule. None by default."""


class NodePoolArgs(TypedDict):
    """A kind of nodes: makes an EC2NodeClass and a NodePool of the same name."""

    name: str
    """Name, unique in the cluster: at most 63 small letters, digits and hyphens."""
    ami_alias: str
    """Image of the nodes, family and release, e.g. "al2023@v20260724" or "bottlerocket@v1.50.0": another release
    replaces the nodes. "@latest" replaces them whenever AWS releases one, and is an error in production."""
    instance_families: NotRequired[list[str]]
    """Families that nodes may be of, e.g. ["m6i", "m7i"]; any by default."""
    instance_types: NotRequired[list[str]]
    """Types that nodes may be of, e.g. ["m6i.2xlarge"]; any of the families by default."""
    zones: NotRequired[list[str]]
    """Zones for nodes; any with a subnet by default."""
    capacity_types: NotRequired[list[str]]
    """Ways to pay, of on-demand and spot: the cheapest that is there is taken. ["on-demand"] by default."""
    architectures: NotRequired[list[str]]
    """Processors, of amd64 and arm64; ["amd64"] by default."""
    requirements: NotRequired[list[RequirementArgs]]
    """Requirements on further labels; none by default."""
    labels: NotRequired[dict[str, str]]
    """Labels of the nodes, and of the two objects. None by default."""
    taints: NotRequired[list[TaintArgs]]
    """Taints of the nodes. None by default."""
    startup_taints: NotRequired[list[TaintArgs]]
    """Taints of new nodes that something in the cluster takes away, such as a network plugin. None by default."""
    limits: NotRequired[dict[str, str]]
    """Most that all nodes together may have, by resource, e.g. {"cpu": "100", "memory": "400Gi", "nodes": "10"}.
    {"cpu": "1000"} by default."""
    weight: NotRequired[int]
    """Pools with a higher weight, 1 to 100, are tried first; none by default, which counts as 0."""
    consolidation_policy: NotRequired[str]
    """Nodes that Karpenter may take away to save money: WhenEmptyOrUnderutilized (default), WhenEmpty or Balanced."""
    consolidate_after: NotRequired[str]
    """How long a node must have been like that, e.g. "30s" or "1h30m", or Never. "30s" by default with WhenEmpty, else
    "5m": moving pods about has its price too."""
    disruption_budgets: NotRequired[list[DisruptionBudgetArgs]]
    """How many nodes may go at the same time, the strictest of all; [{nodes: "10%"}] by default."""
    expire_after: NotRequired[str]
    """Age at which a node is replaced, e.g. "720h" (default), or Never."""
    termination_grace_period: NotRequired[str]
    """Longest time for pods to leave a node, e.g. "1h": then they are removed whatever they or their budgets say.
    No limit by default."""
    disk_size_gib: NotRequired[int]
    """Size in GiB of the encrypted gp3 disk for images and pods; 100 by default."""
    block_devices: NotRequired[list[BlockDeviceArgs]]
    """All EBS volumes of a node, instead of `disk_size_gib`. None by default."""
    instance_store: NotRequired[str]
    """What becomes of disks that belong to the machine: "raid0" makes one array of them, under kubelet and containerd,
    for images and emptyDir volumes. Not used by default."""
    user_data: NotRequired[str]
    """What nodes do at first boot, beside what Karpenter makes them do: a shell script, a NodeConfig or MIME parts for
    AL2023, TOML for Bottlerocket. Not together with `instance_store`. None by default."""
    subnet_selector: NotRequired[list[SelectorTermArgs]]
    """Subnets of the nodes, of all terms together; those with the tag karpenter.sh/discovery = name of the cluster by
    default."""
    security_group_selector: NotRequired[list[SelectorTermArgs]]
    """Security groups of the nodes, of all terms together; the cluster's by default."""
    associate_public_ip_address: NotRequired[bool]
    """Gives nodes a public address, or none, whatever the subnet does; the subnet's choice by default."""
    detailed_monitoring: NotRequired[bool]
    """CloudWatch metrics every minute, which cost; false by default."""
    metadata_options: NotRequired[MetadataOptionsArgs]
    """The instance metadata service: tokens required, one hop by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of what Karpenter makes in EC2, over those of all pools. None by default."""


@dataclass(frozen=True)
class NodePoolsOptions:
    """What of `NodePoolsArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    pools: Sequence[NodePoolArgs]
    has_node_role: bool = False
    has_instance_profile: bool = False
    availability_zones: Sequence[str] = ()
    allowed_name_prefix: str = ""
    production: bool = False
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Surroundings:
    """What node classes name beside their pools. The values may be outputs, which nothing here looks into."""

    cluster_name: str
    node_role: Any = None
    instance_profile: Any = None
    """Instead of the role."""
    security_group_id: Any = None
    """The cluster's security group; None finds it by a tag of EKS."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def ami_family(pool: NodePoolArgs) -> str:
    """al2023 or bottlerocket."""
    return pool["ami_alias"].partition("@")[0]


def block_devices(pool: NodePoolArgs) -> list[BlockDeviceArgs]:
    """The volumes of a pool's nodes."""
    if "block_devices" in pool:
        return pool["block_devices"]
    size = int(pool.get("disk_size_gib", DEFAULT_DISK_SIZE_GIB))
    if ami_family(pool) == "bottlerocket":
        # It keeps its system on /dev/xvda, and everything that grows on /dev/xvdb.
        return [
            {"device_name": "/dev/xvda", "size_gib": _BOTTLEROCKET_SYSTEM_GIB},
            {"device_name": "/dev/xvdb", "size_gib": size},
        ]
    return [{"device_name": "/dev/xvda", "size_gib": size}]


def limits(pool: NodePoolArgs) -> dict[str, str]:
    """The limits of a pool as text. Kubernetes takes numbers as well, which come as floats through the plugin."""
    amounts: Mapping[str, Any] = pool.get("limits", {"cpu": DEFAULT_CPU_LIMIT})
    return {key: f"{value:.15g}" if isinstance(value, float) else str(value) for key, value in amounts.items()}


def node_class(pool: NodePoolArgs, around: Surroundings) -> dict[str, Any]:
    """The EC2NodeClass of a pool, as a manifest."""
    identity = {"role": around.node_role} if around.node_role is not None else {}
    if around.instance_profile is not None:
        identity = {"instanceProfile": around.instance_profile}
    subnets = pool.get("subnet_selector") or [{"tags": {"karpenter.sh/discovery": around.cluster_name}}]
    spec: dict[str, Any] = {
        "amiSelectorTerms": [{"alias": pool["ami_alias"]}],
        **identity,
        "subnetSelectorTerms": [dict(term) for term in subnets],
        "securityGroupSelectorTerms": _security_groups(pool, around),
        "metadataOptions": _metadata_options(pool.get("metadata_options", {})),
        "blockDeviceMappings": [_block_device(device) for device in block_devices(pool)],
        "detailedMonitoring": pool.get("detailed_monitoring", False),
    }
    if store := pool.get("instance_store"):
        spec["instanceStorePolicy"] = store.upper()
    if user_data := pool.get("user_data"):
        spec["userData"] = user_data
    if "associate_public_ip_address" in pool:
        spec["associatePublicIPAddress"] = pool["associate_public_ip_address"]
    if tags := {**around.tags, **pool.get("tags", {})}:
        spec["tags"] = tags
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": _metadata(pool),
        "spec": spec,
    }


def node_pool(pool: NodePoolArgs) -> dict[str, Any]:
    """The NodePool of a pool, as a manifest."""
    template: dict[str, Any] = {
        "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": pool["name"]},
        "requirements": requirements(pool),
        "expireAfter": pool.get("expire_after", "720h"),
    }
    for key, taints in (("taints", pool.get("taints")), ("startupTaints", pool.get("startup_taints"))):
        if taints:
            template[key] = [_taint(taint) for taint in taints]
    if grace := pool.get("termination_grace_period"):
        template["terminationGracePeriod"] = grace
    labels = pool.get("labels")
    spec: dict[str, Any] = {
        "template": {**({"metadata": {"labels": dict(labels)}} if labels else {}), "spec": template},
        "limits": limits(pool),
        "disruption": _disruption(pool),
    }
    if "weight" in pool:
        spec["weight"] = int(pool["weight"])
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {**_metadata(pool), "annotations": dict(FOREGROUND)},
        "spec": spec,
    }


def requirements(pool: NodePoolArgs) -> list[dict[str, Any]]:
    """What the nodes of a pool must be, as NodePools say it."""
    listed = {
        "kubernetes.io/os": ["linux"],
        "kubernetes.io/arch": pool.get("architectures", ["amd64"]),
        "karpenter.sh/capacity-type": pool.get("capacity_types", ["on-demand"]),
        "karpenter.k8s.aws/instance-family": pool.get("instance_families", []),
        "node.kubernetes.io/instance-type": pool.get("instance_types", []),
        "topology.kubernetes.io/zone": pool.get("zones", []),
    }
    own = [{"key": key, "operator": "In", "values": list(values)} for key, values in listed.items() if values]
    return [*own, *(_requirement(requirement) for requirement in pool.get("requirements", []))]


def delete_seconds(pool: NodePoolArgs) -> int:
    """How long the deletion of a pool may take: its pods leave, then its machines go."""
    grace = seconds(pool.get("termination_grace_period", ""))
    return max(_LEAST_DELETE_SECONDS, grace + _SLACK_SECONDS)


def seconds(duration: str) -> int:
    """A duration such as 1h30m, in seconds."""
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))


def _metadata(pool: NodePoolArgs) -> dict[str, Any]:
    labels = pool.get("labels")
    return {
        "name": pool["name"],
        **({"labels": dict(labels)} if labels else {}),
    }


def _security_groups(pool: NodePoolArgs, around: Surroundings) -> list[dict[str, Any]]:
    if terms := pool.get("security_group_selector"):
        return [dict(term) for term in terms]
    if around.security_group_id is not None:
        return [{"id": around.security_group_id}]
    # EKS sets it, on this group only: https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
    return [{"tags": {"aws:eks:cluster-name": around.cluster_name}}]


def _metadata_options(options: MetadataOptionsArgs) -> dict[str, Any]:
    return {
        "httpEndpoint": options.get("http_endpoint", "enabled"),
        "httpProtocolIPv6": options.get("http_protocol_ipv6", "disabled"),
        "httpPutResponseHopLimit": int(options.get("http_put_response_hop_limit", 1)),
        "httpTokens": options.get("http_tokens", "required"),
    }


def _block_device(device: BlockDeviceArgs) -> dict[str, Any]:
    ebs: dict[str, Any] = {
        "volumeType": device.get("volume_type", "gp3"),
        "deleteOnTermination": device.get("delete_on_termination", True),
    }
    if "size_gib" in device:
        ebs["volumeSize"] = f"{int(device['size_gib'])}Gi"
    if "snapshot_id" in device:
        ebs["snapshotID"] = device["snapshot_id"]
    else:
        ebs["encrypted"] = True
    if "kms_key_id" in device:
        ebs["kmsKeyID"] = device["kms_key_id"]
    if "iops" in device:
        ebs["iops"] = int(device["iops"])
    if "throughput" in device:
        ebs["throughput"] = int(device["throughput"])
    return {
        "deviceName": device["device_name"],
        **({"rootVolume": True} if device.get("root_volume", False) else {}),
        "ebs": ebs,
    }


def _requirement(requirement: RequirementArgs) -> dict[str, Any]:
    rendered: dict[str, Any] = {"key": requirement["key"], "operator": requirement["operator"]}
    if values := requirement.get("values"):
        rendered["values"] = list(values)
    if "min_values" in requirement:
        rendered["minValues"] = int(requirement["min_values"])
    return rendered


def _taint(taint: TaintArgs) -> dict[str, str]:
    value = taint.get("value")
    return {"key": taint["key"], **({"value": value} if value else {}), "effect": taint["effect"]}


def _disruption(pool: NodePoolArgs) -> dict[str, Any]:
    policy = pool.get("consolidation_policy", "WhenEmptyOrUnderutilized")
    budgets: list[dict[str, Any]] = [dict(budget) for budget in pool.get("disruption_budgets", [])]
    return {
        "consolidationPolicy": policy,
        "consolidateAfter": pool.get("consolidate_after") or _CONSOLIDATE_AFTER.get(policy, "5m"),
        "budgets": budgets or [{"nodes": "10%"}],
    }
