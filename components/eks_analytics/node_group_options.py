"""What managed node groups are asked for, and everything in it that EKS or Kubernetes would refuse. Pure."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NotRequired, TypedDict

from .instance_types import Traits, is_mac, traits
from .problems import Problem, repeated

DEFAULT_AMI_TYPE = "AL2023_x86_64_STANDARD"
DEFAULT_DISK_SIZE_GIB = 100
DEFAULT_MAX_UNAVAILABLE_PERCENTAGE = 33

# Of EKS' AMITypes, with the traits of the machines that each is made for.
AMI_TYPES = {
    DEFAULT_AMI_TYPE: Traits("x86_64", ""),
    "AL2023_ARM_64_STANDARD": Traits("arm64", ""),
    "AL2023_x86_64_NVIDIA": Traits("x86_64", "nvidia"),
    "AL2023_ARM_64_NVIDIA": Traits("arm64", "nvidia"),
    "AL2023_x86_64_NEURON": Traits("x86_64", "neuron"),
    "BOTTLEROCKET_x86_64": Traits("x86_64", ""),
    "BOTTLEROCKET_ARM_64": Traits("arm64", ""),
    "BOTTLEROCKET_x86_64_NVIDIA": Traits("x86_64", "nvidia"),
    "BOTTLEROCKET_ARM_64_NVIDIA": Traits("arm64", "nvidia"),
}
CAPACITY_TYPES = ("ON_DEMAND", "SPOT")
_DRIVERS = {"nvidia": "NVIDIA GPUs", "neuron": "AWS Neuron accelerators"}
# Kubernetes' spelling, and the one of the EKS API.
TAINT_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
# EKS allows 63 characters; the provider appends 26 to a prefix, and the prefix ends with a hyphen.
_LONGEST_NAME = 63 - 26 - 1
INSTANCE_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-nitro-instances.html lists the other ones; i3.metal is Nitro.
_XEN = re.compile(
    r"(c1|c3|c4|cc2|cr1|d2|f1|g2|g3s?|h1|hs1|i2|i3|m1|m2|m3|m4|p2|p3|r3|r4|t1|t2|x1e?)\.(?!metal)",
)
_MOST_INSTANCE_TYPES = 20
_DISK_SIZES_GIB = range(20, 16384 + 1)
_LABEL_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_DNS_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_LONGEST_LABEL_KEY = 63
# What `--node-labels` takes of kubernetes.io and k8s.io: kubernetes/kubernetes, `ValidateKubeletFlags` in
# cmd/kubelet/app/options/options.go and its lists in staging/src/k8s.io/kubelet/pkg/apis/well_known_labels.go.
_KUBELET_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_LABELS = frozenset(
    (
        *("kubernetes.io/arch", "kubernetes.io/hostname", "kubernetes.io/os"),
        *("beta.kubernetes.io/arch", "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os"),
        *("topology.kubernetes.io/region", "topology.kubernetes.io/zone"),
        *("failure-domain.beta.kubernetes.io/region", "failure-domain.beta.kubernetes.io/zone"),
    )
)


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
    """AL2023_x86_64_STANDARD (default), AL2023_ARM_64_STANDARD, BOTTLEROCKET_x86_64 or BOTTLEROCKET_ARM_64; with
    drivers AL2023_x86_64_NVIDIA, AL2023_ARM_64_NVIDIA, AL2023_x86_64_NEURON, BOTTLEROCKET_x86_64_NVIDIA or
    BOTTLEROCKET_ARM_64_NVIDIA."""
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
    """Kubernetes labels of the nodes. None by default."""
    taints: NotRequired[list[TaintArgs]]
    """Kubernetes taints of the nodes. One group with nodes must be free of NoSchedule and NoExecute: CoreDNS and the
    other cluster services run there. None by default."""
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
    def logical_name(self) -> str:
        """What its resources are called in the program.

        One instance type lives in the launch template, several in the group, and EKS refuses a move between the two:
        with a name of its own for each, such a change makes the new group before the old one goes.
        """
        return f"{self.name}-mixed" if len(self.instance_types) > 1 else self.name

    @property
    def takes_pods(self) -> bool:
        """Whether pods without tolerations may run on its nodes."""
        return not any(taint_effect(taint) in ("NO_SCHEDULE", "NO_EXECUTE") for taint in self.taints)

    @property
    def hosts_cluster_services(self) -> bool:
        """Whether pods without tolerations find a node here at once."""
        return self.desired_size > 0 and self.takes_pods


def taint_effect(taint: TaintArgs) -> str:
    """The effect as the EKS API spells it."""
    return TAINT_EFFECTS.get(taint["effect"], taint["effect"])


def plan_node_groups(groups: Iterable[NodeGroupArgs], control_plane_zones: Sequence[str]) -> list[NodeGroupPlan]:
    """The node groups to create, in order; groups of one zone are named after it, never after a position in a list."""
    return [plan for group in groups for plan in _by_zone(group, _plan(group, control_plane_zones))]


def _plan(group: NodeGroupArgs, control_plane_zones: Sequence[str]) -> NodeGroupPlan:
    return NodeGroupPlan(
        name=group["name"],
        zones=tuple(group.get("availability_zones") or control_plane_zones),
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


def _by_zone(group: NodeGroupArgs, plan: NodeGroupPlan) -> list[NodeGroupPlan]:
    if not group.get("one_group_per_zone", False):
        return [plan]
    return [replace(plan, name=f"{plan.name}-{zone}", zones=(zone,)) for zone in plan.zones]


def node_group_problems(
    groups: Sequence[NodeGroupArgs],
    control_plane_zones: Sequence[str],
    zones_with_subnets: Collection[str] | None = None,
    *,
    prefixes_for: str | None = None,
) -> Iterator[Problem]:
    """What is wrong with the node groups, each input as `node_groups[0].max_size`.

    Node subnets lie in `zones_with_subnets`, None where that is not known. `prefixes_for` names the argument that has
    nodes take address prefixes instead of single addresses, where one does.
    """
    yield from _name_problems(groups, control_plane_zones)
    for index, group in enumerate(groups):
        where, plan = f"node_groups[{index}]", _plan(group, control_plane_zones)
        yield from _size_problems(where, plan)
        yield from _machine_problems(where, plan, prefixes_for)
        yield from _zone_problems(where, plan, zones_with_subnets)
        yield from _label_problems(where, plan)
        yield from _taint_problems(where, plan)
    if not any(plan.hosts_cluster_services for plan in plan_node_groups(groups, control_plane_zones)):
        yield Problem(
            "node_groups",
            [group["name"] for group in groups],
            "each is empty or tainted, so CoreDNS and the other add-ons find no node and never become active",
            "leave one group without NO_SCHEDULE and NO_EXECUTE taints and with a desired_size of 1 or more",
        )


def _name_problems(groups: Sequence[NodeGroupArgs], control_plane_zones: Sequence[str]) -> Iterator[Problem]:
    taken: dict[str, int] = {}
    for index, group in enumerate(groups):
        where, name = f"node_groups[{index}].name", group["name"]
        made = plan_node_groups([group], control_plane_zones)
        others = {taken.setdefault(used, index) for plan in made for used in {plan.name, plan.logical_name}} - {index}
        excess = max((len(plan.name) for plan in made), default=0) - _LONGEST_NAME
        zone = " and the zone" if group.get("one_group_per_zone", False) else ""
        if others:
            reason = f"node_groups[{min(others)}] has that name already, or one that follows from it"
            yield Problem(where, name, reason, "give each group its own name")
        if not _NAME.fullmatch(name):
            reason = "names of nodes follow from it: lower-case letters, digits and hyphens, no hyphen first"
            yield Problem(where, name, reason, 'write a name such as "core"')
        elif excess > 0:
            reason = f"is too long: EKS takes 63 characters, and the generated ending{zone} is one part of them"
            yield Problem(where, name, reason, f"shorten it to {len(name) - excess} characters")


def _size_problems(where: str, plan: NodeGroupPlan) -> Iterator[Problem]:
    low, wanted, high = plan.min_size, plan.desired_size, plan.max_size
    if low < 0:
        yield Problem(f"{where}.min_size", low, "there are no fewer nodes than none", "write 0 or more")
    elif high < max(low, 1):
        reason = f"the minimum {low} is above the maximum" if low else "such a group never has a node"
        yield Problem(f"{where}.max_size", high, reason, f"write {max(low, 1)} or more, or lower min_size")
    elif not low <= wanted <= high:
        reason = f"lies outside of min_size {low} and max_size {high}"
        yield Problem(f"{where}.desired_size", wanted, reason, f"write a number from {low} to {high}, or leave it out")
    if not 1 <= plan.max_unavailable_percentage <= 100:
        reason = "is no percentage that lets an update proceed"
        yield Problem(f"{where}.max_unavailable_percentage", plan.max_unavailable_percentage, reason, "write 1 to 100")
    if plan.disk_size_gib not in _DISK_SIZES_GIB:
        reason = f"node images need {_DISK_SIZES_GIB[0]} GiB, and a gp3 volume holds {_DISK_SIZES_GIB[-1]}"
        yield Problem(f"{where}.disk_size_gib", plan.disk_size_gib, reason, "write a number between the two")


def _machine_problems(where: str, plan: NodeGroupPlan, prefixes_for: str | None) -> Iterator[Problem]:
    if plan.ami_type not in AMI_TYPES:
        yield Problem(f"{where}.ami_type", plan.ami_type, "not supported", f"use one of {', '.join(AMI_TYPES)}")
    if plan.capacity_type not in CAPACITY_TYPES:
        yield Problem(f"{where}.capacity_type", plan.capacity_type, "unknown", f"use {' or '.join(CAPACITY_TYPES)}")
    key, types = f"{where}.instance_types", list(plan.instance_types)
    if not types:
        yield Problem(
            key, [], "EKS would choose t3.medium, too small", 'write at least one type, such as ["m6i.xlarge"]'
        )
    if twice := repeated(types):
        yield Problem(key, types, f"names {', '.join(twice)} more than once", "name each type once")
    if len(types) > _MOST_INSTANCE_TYPES:
        reason = f"EKS takes at most {_MOST_INSTANCE_TYPES} types a group, these are {len(types)}"
        yield Problem(key, types, reason, "name fewer, or make a second group")
    for index, instance_type in enumerate(types):
        yield from _instance_type_problems(f"{key}[{index}]", instance_type, plan.ami_type, prefixes_for)


def _instance_type_problems(key: str, instance_type: str, ami_type: str, prefixes_for: str | None) -> Iterator[Problem]:
    if not INSTANCE_TYPE.fullmatch(instance_type):
        reason = "is not the name of an EC2 instance type"
        yield Problem(key, instance_type, reason, 'write family and size, such as "m6i.2xlarge"')
        return
    if is_mac(instance_type):
        reason = "EKS runs no nodes on Mac instances"
        yield Problem(key, instance_type, reason, 'write a Linux instance type, such as "m6i.2xlarge"')
        return
    yield from _image_problems(key, instance_type, ami_type)
    if prefixes_for and _XEN.match(instance_type):
        reason = f"runs on Xen, and {prefixes_for} needs address prefixes, which only Nitro instances take"
        yield Problem(key, instance_type, reason, 'write a type of a later generation, such as "m6i.2xlarge"')


def _image_problems(key: str, instance_type: str, ami_type: str) -> Iterator[Problem]:
    machine, image = traits(instance_type), AMI_TYPES.get(ami_type)
    if not machine or not image:
        return
    system = ami_type.partition("_")[0]
    alike = [name for name, one in AMI_TYPES.items() if one == machine]
    fitting = next((name for name in alike if name.startswith(system)), alike[0] if alike else "")
    if machine.architecture != image.architecture:
        arm = image.architecture == "arm64"
        reason = f"is {'an x86' if arm else 'an ARM (Graviton)'} type, and the ami_type {ami_type} is not"
        example = "m7g.2xlarge" if arm else "m6i.2xlarge"
        choice = f", or set ami_type: {fitting} for all types of the group" if fitting else ""
        yield Problem(key, instance_type, reason, f"write a type such as {example}{choice}")
    elif machine.accelerator in _DRIVERS and machine.accelerator != image.accelerator:
        what = _DRIVERS[machine.accelerator]
        reason = f"has {what}, and the ami_type {ami_type} has no drivers for them, so that no pod can use them"
        yield Problem(key, instance_type, reason, f"set ami_type: {fitting}, or write a type without them")


def _zone_problems(where: str, plan: NodeGroupPlan, zones_with_subnets: Collection[str] | None) -> Iterator[Problem]:
    key = f"{where}.availability_zones"
    for zone in plan.zones:
        if zones_with_subnets is not None and zone not in zones_with_subnets:
            yield Problem(key, zone, "no node subnet lies there", f"choose among {', '.join(zones_with_subnets)}")
    if twice := repeated(plan.zones):
        yield Problem(key, list(plan.zones), f"names {', '.join(twice)} more than once", "name each zone once")


def _label_problems(where: str, plan: NodeGroupPlan) -> Iterator[Problem]:
    for key, value in plan.labels.items():
        at = f'{where}.labels["{key}"]'
        if fault := label_key_fault(key):
            yield Problem(at, key, *fault)
        if fault := label_value_fault(value):
            yield Problem(at, value, *fault)


def _taint_problems(where: str, plan: NodeGroupPlan) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(plan.taints):
        at, key, value, effect = f"{where}.taints[{index}]", taint["key"], taint.get("value", ""), taint_effect(taint)
        if fault := taint_key_fault(key):
            yield Problem(f"{at}.key", key, *fault)
        if value and (fault := label_value_fault(value)):
            yield Problem(f"{at}.value", value, *fault)
        if effect not in TAINT_EFFECTS.values():
            remedy = f"use one of {', '.join(TAINT_EFFECTS)}"
            yield Problem(f"{at}.effect", taint["effect"], "unknown to Kubernetes", remedy)
        if (key, effect) in seen:
            reason = f"{key} with effect {taint['effect']} is there already"
            yield Problem(at, dict(taint), reason, "leave one of them out")
        seen.add((key, effect))


def label_key_fault(key: str) -> tuple[str, str] | None:
    """Why EKS or Kubernetes would refuse the key of a label, and what to do instead."""
    prefix, _, name = key.rpartition("/")
    if prefix == "eks.amazonaws.com":
        return f"the prefix {prefix}/ belongs to EKS", f'write "{name}" or a prefix of your own'
    owned = re.fullmatch(r"(.+\.)?(kubernetes|k8s)\.io", prefix)
    free = any(prefix == one or prefix.endswith(f".{one}") for one in _KUBELET_PREFIXES)
    if owned and not free and key not in _KUBELET_LABELS:
        return (
            f"a kubelet may not give itself {prefix}/ labels, so such nodes would never join the cluster",
            f'write "{name}", "node.kubernetes.io/{name}" or a prefix of your own',
        )
    return taint_key_fault(key)


def taint_key_fault(key: str) -> tuple[str, str] | None:
    """Why EKS or Kubernetes would refuse the key of a taint, and what to do instead.

    EKS hands taints to the kubelet's `--register-with-taints`, which takes any key of the right form.
    """
    prefix, slash, name = key.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and not _DNS_NAME.fullmatch(prefix)):
        return (
            "is not a Kubernetes key: an optional DNS name and a slash, then letters, digits, - _ and . "
            "that begin and end with a letter or digit",
            'write a key such as "workload" or "example.com/workload"',
        )
    if len(key) > _LONGEST_LABEL_KEY:
        return f"EKS takes keys of at most {_LONGEST_LABEL_KEY} characters; this one has {len(key)}", "shorten the key"
    return None


def label_value_fault(value: str) -> tuple[str, str] | None:
    """Why EKS or Kubernetes would refuse the value of a label, and what to do instead. A taint's may also be empty."""
    if not value:
        return "EKS refuses labels without a value", 'write a value such as "true"'
    if not _LABEL_NAME.fullmatch(value):
        return (
            "is not a Kubernetes label's value: at most 63 letters, digits, - _ and . that begin and end with a "
            "letter or digit",
            'write a value such as "batch" or "v1.2"',
        )
    return None
