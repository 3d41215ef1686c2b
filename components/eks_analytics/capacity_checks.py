"""Whether a cluster holds Dash Enterprise: what is too small with the nearest choice that fits, and what is tight."""

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Network

from .capacity import TIGHT, Amounts, Layout, NodeGroup, Size, capacity, known_type
from .instance_types import family, similar
from .problems import Problem
from .subnets import LARGEST_PREFIX, SMALLEST_PREFIX

# https://docs.aws.amazon.com/eks/latest/userguide/service-quotas.html
MOST_NODES_OF_A_GROUP = 450
_LARGEST_SERVICE_PREFIX, _SMALLEST_SERVICE_PREFIX = 12, 24


def capacity_problems(layout: Layout, core: Amounts, plan: Amounts) -> Iterator[Problem]:
    """What is too small. The core must fit at `desired_size`, because nothing adds nodes by itself while the product
    is installed; `plan`, the core together with the planned apps and workspaces, must fit at `max_size`."""
    unknown = _unknown_types(layout)
    for name in unknown:
        remedy = f"write {' or '.join(near)}" if (near := similar(name)) else "check the name"
        reason = "not in the table of instance types, so its pods, addresses and volumes cannot be counted"
        yield Problem("node_groups", name, reason, f"{remedy}, or give the limits of this type")
    if not unknown:
        core_problems = list(_shortages(layout, core, "desired_size", "Dash Enterprise itself"))
        yield from core_problems
        if plan != core or not core_problems:
            yield from _shortages(layout, plan, "max_size", "Dash Enterprise with the planned apps")


def capacity_warnings(layout: Layout, core: Amounts, plan: Amounts) -> Iterator[str]:
    """What is tight, in sentences; what `capacity_problems` reports is left out."""
    if _unknown_types(layout):
        return
    first, most = capacity(layout, "desired_size"), capacity(layout, "max_size")
    for what in Amounts._fields:
        needed, at_first, at_most = getattr(plan, what), getattr(first, what), getattr(most, what)
        if at_most * TIGHT < needed <= at_most:
            yield f"{needed} of {at_most} {what} are planned at max_size: rollouts and lost nodes find little room"
        elif at_first < needed <= at_most:
            yield (
                f"{needed} {what} are planned and desired_size holds {at_first}: "
                "scale the node groups up before, or run an autoscaler, as nothing adds nodes by itself"
            )
        elif at_first * TIGHT < (own := getattr(core, what)) <= at_first:
            yield f"Dash Enterprise itself takes {own} of the {at_first} {what} at desired_size"
    for zone, free in most.addresses.items():
        if (taken := most.addresses_taken[zone]) > free:
            where = f"{zone}, whose subnet {layout.subnets[zone]} has {free}"
            yield f"full nodes hold {taken} addresses at max_size in {where}"
    addresses = sum(most.addresses.values())
    if most.addresses.keys() == most.addresses_taken.keys() and plan.addresses_by_vendor_rule > addresses:
        yield (
            f"by the vendor's rule, an address for each pod and service, {plan.addresses_by_vendor_rule} VPC addresses "
            f"are needed and {addresses} are there; services do not take any, so the {plan.pods} pods count"
        )


def _unknown_types(layout: Layout) -> list[str]:
    return sorted(
        {name for group in layout.node_groups for name in group.instance_types if not known_type(name, layout)}
    )


def _shortages(layout: Layout, need: Amounts, size: Size, who: str) -> Iterator[Problem]:
    there = capacity(layout, size)
    # Where the same nodes would do in larger subnets, those are what is wrong.
    with_addresses = capacity(replace(layout, subnets={}), size)
    for what in Amounts._fields:
        holds, needed = getattr(there, what), getattr(need, what)
        if needed <= holds:
            continue
        name, value = "node_groups", _described(layout, size)
        if what == "services":
            name, value = "service_cidr", layout.service_cidr
        elif what == "pods" and needed <= with_addresses.pods:
            name, value = "private_subnet_cidrs", ", ".join(layout.subnets.values())
        yield Problem(
            name,
            value,
            f"has room for {holds} {what} at {size}, {who} needs {needed}",
            " or ".join(_remedies(layout, what, needed, size)) or "add a node group without taints",
        )


def _described(layout: Layout, size: Size) -> str:
    return ", ".join(
        f"{group.name}: {group.size(size)} x {'/'.join(group.instance_types)}"
        for group in layout.node_groups
        if group.takes_pods
    )


def _remedies(layout: Layout, what: str, needed: int, size: Size) -> Iterator[str]:
    """For each way to make room, its smallest step that makes enough."""
    group = next((group for group in layout.node_groups if group.takes_pods), None)
    ways = [_prefix_delegation(layout), _larger_subnets(layout), _larger_service_range(layout)]
    if group:
        ways = [_more_nodes(layout, group, size), _larger_nodes(layout, group), *ways]
    for way in ways:
        fitting = (text for text, changed in way if getattr(capacity(changed, size), what) >= needed)
        if first := next(fitting, None):
            yield first


def _more_nodes(layout: Layout, group: NodeGroup, size: Size) -> Iterator[tuple[str, Layout]]:
    for count in range(group.size(size) + 1, MOST_NODES_OF_A_GROUP + 1):
        larger = replace(group, desired_size=max(count, group.desired_size), max_size=max(count, group.max_size))
        if size == "max_size":
            larger = replace(larger, desired_size=group.desired_size)
        also = " and max_size" if size != "max_size" and count > group.max_size else ""
        yield f"raise {size}{also} of {group.name} to {count}", _with(layout, larger)


def _larger_nodes(layout: Layout, group: NodeGroup) -> Iterator[tuple[str, Layout]]:
    for present in group.instance_types[:1]:
        limits = known_type(present, layout)
        for kind in family(present):
            if limits and kind.vcpus > limits.vcpus:
                text = f"choose {kind.name} ({kind.vcpus} vCPUs, {kind.memory_mib // 1024} GiB) for {group.name}"
                yield text, _with(layout, replace(group, instance_types=(kind.name,)))


def _prefix_delegation(layout: Layout) -> Iterator[tuple[str, Layout]]:
    if not layout.prefix_delegation:
        yield "turn vpc_cni_prefix_delegation on", replace(layout, prefix_delegation=True)


def _larger_subnets(layout: Layout) -> Iterator[tuple[str, Layout]]:
    for prefix in range(SMALLEST_PREFIX - 1, LARGEST_PREFIX - 1, -1):
        larger = {zone: _at_least(cidr, prefix) for zone, cidr in layout.subnets.items()}
        if larger != layout.subnets:
            yield f"give every zone a private subnet of /{prefix}", replace(layout, subnets=larger)


def _larger_service_range(layout: Layout) -> Iterator[tuple[str, Layout]]:
    for prefix in range(_SMALLEST_SERVICE_PREFIX - 1, _LARGEST_SERVICE_PREFIX - 1, -1):
        larger = replace(layout, service_cidr=_at_least(layout.service_cidr, prefix))
        if larger != layout:
            yield f"choose a service_cidr of /{prefix}", larger


def _at_least(cidr: str, prefix: int) -> str:
    network = IPv4Network(cidr)
    return str(network.supernet(new_prefix=prefix)) if prefix < network.prefixlen else cidr


def _with(layout: Layout, changed: NodeGroup) -> Layout:
    groups = (changed if group.name == changed.name else group for group in layout.node_groups)
    return replace(layout, node_groups=tuple(groups))
