"""Managed node groups: what may be asked for, the checks, and the launch template and group that come of it."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .problems import Problem

DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
DEFAULT_DISK_SIZE_GIB = 100
DEFAULT_MAX_UNAVAILABLE_PERCENTAGE = 33

AMI_TYPES = (DEFAULT_AMI_TYPE, "AL2023_ARM_64_STANDARD", "BOTTLEROCKET_x86_64", "BOTTLEROCKET_ARM_64")
CAPACITY_TYPES = ("ON_DEMAND", "SPOT")
# Kubernetes' spelling, and the one of the EKS API.
TAINT_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
# EKS allows 63 characters; the provider appends 26 to a prefix, and the prefix ends with a hyphen.
_LONGEST_NAME = 63 - 26 - 1
_INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_GRAVITON = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")  # m7g, c6gn, t4g, im4gn: a "g" right after the generation
_SMALLEST_DISK_GIB = 20


class TaintArgs(TypedDict):
    """A taint that every node of a group carries."""

    key: str
    """Key of the taint, for example "dedicated"."""
    value: NotRequired[str]
    """Value of the taint; empty by default."""
    effect: str
    """NoSchedule, NoExecute or PreferNoSchedule."""


class NodeGroupArgs(TypedDict):
    """A managed node group."""

    name: str
    """Name, unique in the cluster: lower case letters, digits and hyphens, at most 36 characters with the zone."""
    instance_types: list[str]
    """EC2 instance types of one architecture. A single type can be changed in place: EKS rolls the nodes. With several,
    for Spot, a change makes a new group before the old one goes."""
    ami_type: NotRequired[str]
    """AL2023_x86_64_STANDARD (default), AL2023_ARM_64_STANDARD, BOTTLEROCKET_x86_64 or BOTTLEROCKET_ARM_64."""
    capacity_type: NotRequired[str]
    """ON_DEMAND (default) or SPOT."""
    min_size: int
    """Fewest nodes; of each zone where `one_group_per_zone` is set. When it is raised above the number of running
    nodes, first scale the group up (aws eks update-nodegroup-config): the desired size is not managed afterwards."""
    desired_size: NotRequired[int]
    """Nodes at creation, `min_size` by default. Ignored afterwards, so that an autoscaler can own it."""
    max_size: int
    """Most nodes; of each zone where `one_group_per_zone` is set."""
    disk_size_gib: NotRequired[int]
    """Size in GiB of the encrypted gp3 disk for images and pods; 100 by default."""
    labels: NotRequired[dict[str, str]]
    """Kubernetes labels of the nodes."""
    taints: NotRequired[list[TaintArgs]]
    """Kubernetes taints of the nodes. One group with nodes must be free of NoSchedule and NoExecute: CoreDNS and the
    other cluster services run there."""
    availability_zones: NotRequired[list[str]]
    """Zones by name, those of the control plane by default. A change makes a new group before the old one goes."""
    one_group_per_zone: NotRequired[bool]
    """One group in each zone instead of one across all: what volumes that live in one zone need to scale with an
    autoscaler, and what lets a zone be added later without touching the existing groups. False by default."""
    max_unavailable_percentage: NotRequired[int]
    """Share of the nodes, in percent, that an update may take away at the same time; 33 by default."""


@dataclass(frozen=True)
class NodeGroupPlan:
    """One node group with every default filled in."""

    name: str
    zones: tuple[str, ...]
    instance_types: tuple[str, ...]
    ami_type: str
    capacity_type: str
    min_size: int
    desired_size: int
    max_size: int
    disk_size_gib: int
    labels: Mapping[str, str]
    taints: tuple[TaintArgs, ...]
    max_unavailable_percentage: int

    @property
    def hosts_cluster_services(self) -> bool:
        """Whether pods without tolerations find a node here."""
        taken = {"NO_SCHEDULE", "NO_EXECUTE"}
        return self.desired_size > 0 and not any(_effect(taint) in taken for taint in self.taints)


def _effect(taint: TaintArgs) -> str:
    return TAINT_EFFECTS.get(taint["effect"], taint["effect"])


def plan_node_groups(groups: Iterable[NodeGroupArgs], control_plane_zones: Sequence[str]) -> list[NodeGroupPlan]:
    """The node groups to create, in order; groups of one zone are named after it, never after a position in a list."""
    return [
        NodeGroupPlan(
            name=name,
            zones=zones,
            instance_types=tuple(group["instance_types"]),
            ami_type=group.get("ami_type", DEFAULT_AMI_TYPE),
            capacity_type=group.get("capacity_type", "ON_DEMAND"),
            # A number that came through the plugin is a float.
            min_size=int(group["min_size"]),
            desired_size=int(group.get("desired_size", group["min_size"])),
            max_size=int(group["max_size"]),
            disk_size_gib=int(group.get("disk_size_gib", DEFAULT_DISK_SIZE_GIB)),
            labels=group.get("labels", {}),
            taints=tuple(group.get("taints", [])),
            max_unavailable_percentage=int(group.get("max_unavailable_percentage", DEFAULT_MAX_UNAVAILABLE_PERCENTAGE)),
        )
        for group in groups
        for name, zones in _names_and_zones(group, group.get("availability_zones") or control_plane_zones)
    ]


def _names_and_zones(group: NodeGroupArgs, zones: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    if group.get("one_group_per_zone", False):
        return [(f"{group['name']}-{zone}", (zone,)) for zone in zones]
    return [(group["name"], tuple(zones))]


def node_group_problems(
    plans: Sequence[NodeGroupPlan], zones_with_subnets: Collection[str] | None
) -> Iterator[Problem]:
    """What is wrong with the node groups; node subnets lie in `zones_with_subnets`, None where that is not known."""
    names = [plan.name for plan in plans]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem("node_groups", name, "the name is used twice", "give every node group a name of its own")
    for plan in plans:
        yield from _size_problems(plan)
        yield from _machine_problems(plan)
        yield from _placement_problems(plan, zones_with_subnets)
    if not any(plan.hosts_cluster_services for plan in plans):
        yield Problem(
            "node_groups",
            names,
            "CoreDNS and the storage driver find no node to run on",
            "give one group a desired_size of at least 1 and no NoSchedule or NoExecute taint",
        )


def _size_problems(plan: NodeGroupPlan) -> Iterator[Problem]:
    where = f"node_groups[{plan.name}]"
    if not 0 <= plan.min_size <= plan.desired_size <= plan.max_size or plan.max_size < 1:
        yield Problem(
            f"{where}.min_size, desired_size, max_size",
            (plan.min_size, plan.desired_size, plan.max_size),
            "the sizes contradict each other",
            "keep 0 <= min_size <= desired_size <= max_size, and max_size at least 1",
        )
    if not 1 <= plan.max_unavailable_percentage <= 100:
        yield Problem(
            f"{where}.max_unavailable_percentage",
            plan.max_unavailable_percentage,
            "not a percentage that lets an update proceed",
            "choose 1 to 100",
        )
    if plan.disk_size_gib < _SMALLEST_DISK_GIB:
        yield Problem(
            f"{where}.disk_size_gib",
            plan.disk_size_gib,
            f"the node images need {_SMALLEST_DISK_GIB} GiB",
            f"choose at least {_SMALLEST_DISK_GIB}",
        )


def _machine_problems(plan: NodeGroupPlan) -> Iterator[Problem]:
    where = f"node_groups[{plan.name}]"
    if plan.ami_type not in AMI_TYPES:
        yield Problem(f"{where}.ami_type", plan.ami_type, "not supported", f"use one of {', '.join(AMI_TYPES)}")
    if plan.capacity_type not in CAPACITY_TYPES:
        yield Problem(f"{where}.capacity_type", plan.capacity_type, "unknown", f"use {' or '.join(CAPACITY_TYPES)}")
    if not plan.instance_types:
        yield Problem(f"{where}.instance_types", [], "empty", "name at least one EC2 instance type, such as m6i.xlarge")
    for instance_type in plan.instance_types:
        if not _INSTANCE_TYPE.fullmatch(instance_type):
            yield Problem(
                f"{where}.instance_types",
                instance_type,
                "not the form of an EC2 instance type",
                "write family and size with a dot, such as m6i.xlarge",
            )
        elif bool(_GRAVITON.match(instance_type)) != ("ARM_64" in plan.ami_type):
            needed = "an ARM_64" if _GRAVITON.match(instance_type) else "an x86_64"
            yield Problem(
                f"{where}.instance_types",
                instance_type,
                f"does not boot the AMI type {plan.ami_type}",
                f"choose {needed} AMI type, or instance types of the other architecture",
            )


def _placement_problems(plan: NodeGroupPlan, zones_with_subnets: Collection[str] | None) -> Iterator[Problem]:
    where = f"node_groups[{plan.name}]"
    if not _NAME.fullmatch(plan.name) or len(plan.name) > _LONGEST_NAME:
        yield Problem(
            f"{where}.name",
            plan.name,
            "EKS and the provider's generated suffix leave no room for such a name",
            f"use lower case letters, digits and hyphens, at most {_LONGEST_NAME} with the zone",
        )
    for zone in plan.zones:
        if zones_with_subnets is not None and zone not in zones_with_subnets:
            yield Problem(
                f"{where}.availability_zones",
                zone,
                "no node subnet lies there",
                f"choose among {', '.join(zones_with_subnets)}",
            )
    for taint in plan.taints:
        if _effect(taint) not in TAINT_EFFECTS.values():
            yield Problem(
                f"{where}.taints[{taint['key']}].effect",
                taint["effect"],
                "unknown to Kubernetes",
                f"use one of {', '.join(TAINT_EFFECTS)}",
            )


def create_node_group(
    name: str,
    plan: NodeGroupPlan,
    *,
    cluster_name: pulumi.Input[str],
    kubernetes_version: str,
    node_role_arn: pulumi.Input[str],
    subnet_ids: Sequence[pulumi.Input[str]],
    tags: Mapping[str, str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> aws.eks.NodeGroup:
    """A launch template and its managed node group.

    Whatever is in the launch template changes in place: a new version of it, to which EKS rolls the nodes. That is
    why a single instance type and the disk are there. The tags of the instances are there too, because EKS hands
    on none of the group's: a changed tag rolls the nodes.
    """
    instance_tags = {**tags, "Name": name}
    template = aws.ec2.LaunchTemplate(
        name,
        description=f"Nodes of {name}",
        instance_type=plan.instance_types[0] if len(plan.instance_types) == 1 else None,
        block_device_mappings=_disks(plan),
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            # Pods off the host network cannot reach the node's credentials.
            http_put_response_hop_limit=1,
        ),
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=resource_type, tags=instance_tags)
            for resource_type in ("instance", "volume", "network-interface")
        ],
        tags=instance_tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
    return aws.eks.NodeGroup(
        name,
        cluster_name=cluster_name,
        version=kubernetes_version,
        # A prefix, not a name: a replacement can stand beside the group that it replaces.
        node_group_name_prefix=f"{plan.name}-",
        node_role_arn=node_role_arn,
        subnet_ids=subnet_ids,
        ami_type=plan.ami_type,
        capacity_type=plan.capacity_type,
        instance_types=list(plan.instance_types) if len(plan.instance_types) > 1 else None,
        launch_template=aws.eks.NodeGroupLaunchTemplateArgs(
            id=template.id, version=template.latest_version.apply(lambda version: str(int(version)))
        ),
        scaling_config=aws.eks.NodeGroupScalingConfigArgs(
            min_size=plan.min_size, desired_size=plan.desired_size, max_size=plan.max_size
        ),
        update_config=aws.eks.NodeGroupUpdateConfigArgs(max_unavailable_percentage=plan.max_unavailable_percentage),
        labels=plan.labels,
        taints=[
            aws.eks.NodeGroupTaintArgs(key=taint["key"], value=taint.get("value", ""), effect=_effect(taint))
            for taint in plan.taints
        ],
        tags=instance_tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on, ignore_changes=["scalingConfig.desiredSize"]),
    )


def _disks(plan: NodeGroupPlan) -> list[aws.ec2.LaunchTemplateBlockDeviceMappingArgs]:
    # Bottlerocket keeps its system on /dev/xvda, at the size of the image, and everything that grows on /dev/xvdb.
    sizes = {"/dev/xvda": None, "/dev/xvdb": plan.disk_size_gib}
    if not plan.ami_type.startswith("BOTTLEROCKET"):
        sizes = {"/dev/xvda": plan.disk_size_gib}
    return [
        aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
            device_name=device,
            ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
                volume_type="gp3", volume_size=size, encrypted="true", delete_on_termination="true"
            ),
        )
        for device, size in sizes.items()
    ]
