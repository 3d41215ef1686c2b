"""How long a first update takes on AWS at best: the longest chain in the engine's own dependency graph."""

from collections.abc import Sequence
from typing import Any

from sandbox.durations import create_seconds

State = Sequence[dict[str, Any]]


def critical_path(resources: State) -> tuple[float, list[tuple[str, float]]]:
    """Seconds, and the chain of resource names with the second at which each is ready, from a state of the engine.

    A resource starts when everything it depends on is ready: explicitly, through a property, or through its provider. A
    component is ready when its children are.
    """
    by_urn = {resource["urn"]: resource for resource in resources}
    children: dict[str, list[str]] = {}
    for resource in resources:
        if not resource.get("custom") and resource.get("parent"):
            children.setdefault(resource["urn"], [])
        children.setdefault(resource.get("parent", ""), []).append(resource["urn"])
    ready: dict[str, tuple[float, str]] = {}

    def finish(urn: str) -> float:
        if urn not in ready:
            resource = by_urn.get(urn)
            if resource is None:
                return 0.0
            ready[urn] = (0.0, "")  # a component's child may name the component: it does not wait for itself
            if resource.get("custom"):
                waits_for = {
                    urn for urns in (resource.get("propertyDependencies") or {}).values() for urn in urns or []
                }
                waits_for |= set(resource.get("dependencies") or []) | {resource.get("provider", "").rsplit("::", 1)[0]}
                own = create_seconds(resource["type"], resource.get("inputs", {}))
                own = 0.0 if resource["type"].startswith("pulumi:providers:") else own
            else:
                waits_for, own = set(children.get(urn, [])), 0.0
            last = max(sorted(waits_for), key=finish, default="")
            ready[urn] = ((finish(last) if last else 0.0) + own, last)
        return ready[urn][0]

    end = max((resource["urn"] for resource in resources if resource.get("custom")), key=finish, default="")
    total, chain, urn = finish(end) if end else 0.0, list[tuple[str, float]](), end
    while urn:
        if by_urn[urn].get("custom"):
            chain.append((urn.rsplit("::", 1)[-1], ready[urn][0]))
        urn = ready[urn][1]
        urn = urn if urn in by_urn else ""
    return total, chain[::-1]


def shortest_possible(resources: State) -> float:
    """VPC → control plane → vpc-cni → nodes → slowest add-on → the host that installs into them: what no arrangement of
    these resources can go below."""
    seconds: dict[str, float] = {}
    addons: dict[str, float] = {}
    for resource in resources:
        took = create_seconds(resource["type"], resource.get("inputs", {}))
        seconds[resource["type"]] = max(took, seconds.get(resource["type"], 0.0))
        if resource["type"] == "aws:eks/addon:Addon":
            addons[resource["inputs"]["addonName"]] = took
    chain = (
        *("aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:eks/cluster:Cluster", "aws:eks/nodeGroup:NodeGroup"),
        "aws:ec2/instance:Instance",
    )
    return (
        sum(seconds.get(kind, 0.0) for kind in chain) + addons.get("vpc-cni", 0.0) + max(addons.values(), default=0.0)
    )
