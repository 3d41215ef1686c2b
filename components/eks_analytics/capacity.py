"""How much a cluster holds, and how much Dash Enterprise needs: pods, services, volumes, VPC addresses. No Pulumi.

CPU and memory are not judged: the vendor publishes no requests. `capacity_checks` compares both sides.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal, NamedTuple

from .instance_types import InstanceType, instance_type
from .subnets import PRIVATE_ADDRESSES_NEEDED, usable_addresses

Size = Literal["min_size", "desired_size", "max_size"]

HOST_NETWORK_DAEMONSETS = ("aws-node", "kube-proxy", "eks-pod-identity-agent")
"""Add-ons with a pod on every node that takes no address of its own."""
DAEMONSETS = (*HOST_NETWORK_DAEMONSETS, "ebs-csi-node")
CLUSTER_PODS = 8
"""Two each of coredns, ebs-csi-controller, metrics-server and snapshot-controller."""
CLUSTER_SERVICES = 4
"""kubernetes, kube-dns, metrics-server and EKS' own eks-extension-metrics-api."""
TIGHT = 0.9
"""Of what there is, the share from which on it is tight; the rest is for rollouts, builds and a restart elsewhere."""


class Amounts(NamedTuple):
    """What is needed, or what there is."""

    pods: int
    services: int
    volumes: int

    @property
    def addresses_by_vendor_rule(self) -> int:
        """The vendor counts an address for each pod and each service: too many, as services have a range of their own
        outside of the VPC. The conservative figure."""
        return self.pods + self.services


# Pods and services are the vendor's figures; of its volumes it publishes none: 20 is an estimate, and so is what an
# app (a web process, a database or worker) and a workspace take.
CORE = {"standard": Amounts(79, 35, 20), "premium": Amounts(105, 35, 20)}
PER_APP = Amounts(2, 2, 1)
PER_WORKSPACE = Amounts(1, 1, 1)


@dataclass(frozen=True)
class NodeGroup:
    """A managed node group; sizes are those of the whole group."""

    name: str
    instance_types: tuple[str, ...]
    min_size: int
    desired_size: int
    max_size: int
    zones: tuple[str, ...]
    takes_pods: bool = True
    """False where a NoSchedule or NoExecute taint keeps pods off: then only its addresses and quotas count."""
    spot: bool = False
    system_volumes: int = 1
    """Volumes of the node itself: 2 for Bottlerocket."""
    max_unavailable_percentage: int = 33

    def size(self, size: Size) -> int:
        """Nodes at one of the sizes."""
        return {"min_size": self.min_size, "desired_size": self.desired_size, "max_size": self.max_size}[size]

    def nodes_in(self, zone: str, size: Size) -> int:
        """Nodes in one of the zones: a group spreads over them; the odd nodes are taken to be in the first ones."""
        return (self.size(size) + len(self.zones) - 1 - self.zones.index(zone)) // len(self.zones)


@dataclass(frozen=True)
class Layout:
    """What decides how much a cluster holds."""

    node_groups: tuple[NodeGroup, ...]
    subnets: Mapping[str, str] = field(default_factory=dict[str, str])
    """CIDR of the node subnet of each zone; a zone that is not here is taken to have addresses enough."""
    service_cidr: str = "172.20.0.0/16"
    prefix_delegation: bool = False
    ipv6: bool = False
    """Pods and services of an IPv6 cluster take no IPv4 addresses, and its nodes always work with prefixes."""
    other_addresses: int = 0
    """Addresses that something else takes in each subnet, for example one for every interface endpoint."""
    taken_addresses: Mapping[str, int] = field(default_factory=dict[str, int])
    """Further addresses that something else takes, by zone."""
    instance_limits: Mapping[str, InstanceType] = field(default_factory=dict[str, InstanceType])
    """Limits of instance types that the table does not hold; they win over the table."""
    backups: bool = False
    """Whether Velero runs, which takes a pod, and one for its agent on every node."""

    @property
    def velero_pods(self) -> int:
        """Its pods in the cluster, and on each node."""
        return 1 if self.backups else 0


@dataclass(frozen=True)
class Capacity:
    """What a cluster holds at one size of its node groups."""

    nodes: int
    """Nodes that take pods."""
    pods: int
    """Pods beside those of the add-ons."""
    services: int
    """Services beside those of the cluster itself."""
    volumes: int
    """EBS volumes beside those of the nodes."""
    addresses: Mapping[str, int]
    """VPC addresses for nodes and pods in each zone whose subnet is known: without the 5 of AWS, the 16 that the
    control plane and load balancers (8) want, and the `other_addresses`."""
    addresses_taken: Mapping[str, int]
    """VPC addresses that full nodes hold in each zone, those kept warm for the next pods among them."""


class SystemLimits(NamedTuple):
    """For Dash Enterprise's admin page: the limits beyond which developers can start nothing new."""

    pods: int
    volumes: int


def planned(
    core: Amounts, apps: int, workspaces: int, *, app: Amounts = PER_APP, workspace: Amounts = PER_WORKSPACE
) -> Amounts:
    """The core together with so many apps and workspaces."""
    return Amounts(*(own + apps * a + workspaces * w for own, a, w in zip(core, app, workspace, strict=True)))


def max_pods(kind: InstanceType, *, prefixes: bool = False, capped: bool = True) -> int:
    """Pods of a node. Managed node groups cap them, with and without prefixes.

    https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses-procedure.html
    """
    slots = kind.network_interfaces * (kind.addresses_per_interface - 1)
    pods = slots * (16 if prefixes else 1) + 2  # aws-node and kube-proxy need no address
    return min(pods, 110 if kind.vcpus < 30 else 250) if capped else pods


class _Node(NamedTuple):
    pods: int
    volumes: int
    addresses: int


def known_type(name: str, layout: Layout) -> InstanceType | None:
    """The limits of an instance type, given or from the table; None where nobody knows them."""
    return layout.instance_limits.get(name) or instance_type(name)


def capacity(layout: Layout, size: Size = "max_size") -> Capacity:
    """What the cluster holds with every group at one of its sizes.

    Instance types that nobody knows hold nothing. ValueError if a subnet or the service range is no CIDR.
    """
    nodes = {group.name: _worst_node(group, layout) for group in layout.node_groups}
    ours = [(nodes[group.name], group.size(size)) for group in layout.node_groups if group.takes_pods]
    zones = list(_zones(layout, size, nodes))
    services = 1 << 20 if layout.ipv6 else IPv4Network(layout.service_cidr).num_addresses - 2
    return Capacity(
        nodes=sum(count for _, count in ours),
        pods=max(sum(zone.pods for zone in zones) - CLUSTER_PODS - layout.velero_pods, 0),
        services=services - CLUSTER_SERVICES,
        volumes=sum(count * node.volumes for node, count in ours),
        addresses={zone.name: zone.addresses for zone in zones if zone.name in layout.subnets},
        addresses_taken={zone.name: zone.taken for zone in zones},
    )


def system_limits(layout: Layout) -> SystemLimits:
    """The limits to set after the installation, when the groups have their `desired_size`."""
    there = capacity(layout, "desired_size")
    return SystemLimits(pods=int(there.pods * TIGHT), volumes=int(there.volumes * TIGHT))


class _Zone(NamedTuple):
    name: str
    addresses: int
    taken: int
    pods: int


def _zones(layout: Layout, size: Size, nodes: Mapping[str, _Node]) -> Iterator[_Zone]:
    # Where addresses are short, the nodes that take no pods have theirs first, then those that make most of them:
    # so that a further node never makes the result smaller.
    order = sorted(
        layout.node_groups, key=lambda it: (it.takes_pods, -nodes[it.name].pods / nodes[it.name].addresses, it.name)
    )
    for zone in sorted({zone for group in order for zone in group.zones}):
        addresses = _addresses(layout, zone)
        free, taken, pods = addresses, 0, 0
        for group, node in ((group, nodes[group.name]) for group in order if zone in group.zones):
            wanted = group.nodes_in(zone, size) * node.addresses
            held = min(wanted, free)
            free, taken = free - held, taken + wanted
            pods += node.pods * held // node.addresses if group.takes_pods else 0
        yield _Zone(zone, addresses, taken, pods)


def _addresses(layout: Layout, zone: str) -> int:
    if zone not in layout.subnets:
        return 1 << 32  # nobody knows: enough
    others = PRIVATE_ADDRESSES_NEEDED + layout.other_addresses + layout.taken_addresses.get(zone, 0)
    return max(usable_addresses(layout.subnets[zone]) - others, 0)


def _worst_node(group: NodeGroup, layout: Layout) -> _Node:
    """Which type of several a group starts is EC2's choice."""
    nodes = [_node(kind, group, layout) for name in group.instance_types if (kind := known_type(name, layout))]
    if not nodes:
        return _Node(0, 0, 1)
    pods, volumes, addresses = zip(*nodes, strict=True)
    return _Node(min(pods), min(volumes), max(addresses))


def _node(kind: InstanceType, group: NodeGroup, layout: Layout) -> _Node:
    prefixes = layout.prefix_delegation or layout.ipv6
    most = max_pods(kind, prefixes=prefixes)
    with_address = max(most - len(HOST_NETWORK_DAEMONSETS), 0)
    slots = max(kind.addresses_per_interface - 1, 1)
    # What a full node holds, with the reserve that the CNI keeps: one prefix, or one interface and all its addresses.
    blocks = math.ceil(with_address / 16) + 1 if prefixes else with_address + slots
    interfaces = min(math.ceil(blocks / slots), kind.network_interfaces)
    held = interfaces + 16 * min(blocks, interfaces * slots) if prefixes else interfaces * (slots + 1)
    return _Node(
        pods=max(most - len(DAEMONSETS) - layout.velero_pods, 0),
        volumes=max(kind.volumes - group.system_volumes - (interfaces - 1) * kind.volumes_share_slots, 0),
        addresses=1 if layout.ipv6 else held,
    )
