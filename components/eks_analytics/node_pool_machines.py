"""Machines that a pool may consist of: names that EC2 or Karpenter does not know, choices that leave none. Pure."""

import re
from collections.abc import Iterator, Sequence

from .instance_types import is_mac, traits, unknown_machines
from .node_pool_options import NodePoolArgs, ami_family
from .problems import Problem, repeated

CAPACITY_TYPES = ("on-demand", "spot")
ARCHITECTURES = ("amd64", "arm64")
RESERVED = "reserved"
WITHOUT_RESERVATIONS = (
    "means EC2 Capacity Reservations, and the EC2NodeClass made here selects none (capacityReservationSelectorTerms), "
    "so Karpenter would never make such a node"
)
"""https://karpenter.sh/docs/concepts/nodeclasses/#speccapacityreservationselectorterms"""

_FAMILY = re.compile(r"[a-z][a-z0-9-]*")
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_KUBERNETES_NAMES = {"x86_64": "amd64", "arm64": "arm64"}
_ZONE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+(-[a-z]+-\d+)?[a-z]")


def machine_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    """What is wrong with families, types, architectures and ways to pay."""
    for field, given, allowed in (
        ("capacity_types", pool.get("capacity_types"), CAPACITY_TYPES),
        ("architectures", pool.get("architectures"), ARCHITECTURES),
    ):
        yield from choice_problems(f"{where}.{field}", given, allowed)
    families, types = pool.get("instance_families", []), pool.get("instance_types", [])
    for index, name in enumerate(families):
        if not _FAMILY.fullmatch(name):
            reason = "is not the name of a family of EC2 instance types"
            yield Problem(f"{where}.instance_families[{index}]", name, reason, 'write one such as "m6i", without size')
        elif is_mac(name):
            reason = "is a family of Mac instances, on which EKS runs no nodes"
            yield Problem(f"{where}.instance_families[{index}]", name, reason, 'write one such as "m6i"')
    for index, name in enumerate(types):
        at = f"{where}.instance_types[{index}]"
        if not _TYPE.fullmatch(name):
            reason = "is not the name of an EC2 instance type"
            yield Problem(at, name, reason, 'write family and size, such as "m6i.2xlarge"')
        elif families and name.partition(".")[0] not in families:
            reason = f"is of none of the instance_families {', '.join(families)}, and both must hold"
            yield Problem(at, name, reason, "name its family too, or leave instance_families out")
    for field, listed in (("instance_families", families), ("instance_types", types)):
        if twice := repeated(listed):
            yield Problem(f"{where}.{field}", twice, "are there more than once", "name each once")
        yield from _architecture_problems(f"{where}.{field}", listed, pool.get("architectures", ["amd64"]))
        yield from _driver_problems(f"{where}.{field}", listed, ami_family(pool))


def machine_warnings(subject: str, families: Sequence[str], types: Sequence[str]) -> Iterator[str]:
    """Machines that the tables of instance types do not hold."""
    yield from unknown_machines(subject, [*families, *types], "Karpenter makes no node of it and reports no error")


def choice_problems(where: str, given: Sequence[str] | None, allowed: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with words of which there are only a few."""
    if given is None:
        return
    if not given:
        yield Problem(where, [], "leaves nothing to choose", f"name some of {', '.join(allowed)}")
    for value in given:
        if value not in allowed:
            meant = {"x86_64": "amd64", "aarch64": "arm64"}.get(value, value.lower().replace("_", "-"))
            remedy = f'write "{meant}"' if meant in allowed else f"use {', '.join(allowed)}"
            yield Problem(
                where, value, WITHOUT_RESERVATIONS if value == RESERVED else "is unknown to Karpenter", remedy
            )
    if twice := repeated(given):
        yield Problem(where, twice, "are there more than once", "name each once")


def _architecture_problems(where: str, machines: Sequence[str], architectures: Sequence[str]) -> Iterator[Problem]:
    """Karpenter would pass silently over machines of another architecture."""
    if not architectures:
        return
    of = {machine: _KUBERNETES_NAMES[found.architecture] for machine in machines if (found := traits(machine))}
    for machine, architecture in of.items():
        if architecture not in architectures:
            reason = f"is of {architecture}, and architectures has only {', '.join(architectures)}: it is never chosen"
            yield Problem(where, machine, reason, f"add {architecture} to architectures, or leave {machine} out")
    for architecture in architectures:
        # A machine that nobody knows may be of any.
        if machines and len(of) == len(machines) and architecture in ARCHITECTURES and architecture not in of.values():
            reason = f"has no machine of {architecture}, which architectures asks for"
            yield Problem(where, list(machines), reason, f"name one, or leave {architecture} out")


def _driver_problems(where: str, machines: Sequence[str], image_family: str) -> Iterator[Problem]:
    """Karpenter takes the variant of an alias that has the drivers of a machine, where there is one: al2023 has them
    for NVIDIA and Neuron, bottlerocket for NVIDIA. https://karpenter.sh/docs/concepts/nodeclasses/#alias"""
    for machine in machines:
        if image_family == "bottlerocket" and (found := traits(machine)) and found.accelerator == "neuron":
            reason = "has AWS Neuron accelerators, and no image of Bottlerocket has drivers for them"
            yield Problem(where, machine, reason, "choose an alias of al2023 for it, in a pool of its own")


def zone_problems(where: str, zones: Sequence[str], with_subnets: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the zones; those `with_subnets` can be had, where any are known."""
    for zone in zones:
        if not _ZONE.fullmatch(zone):
            reason = "is not the name of an availability zone"
            yield Problem(f"{where}.zones", zone, reason, 'write its name, such as "us-west-2a", not its id or region')
        elif with_subnets and zone not in with_subnets:
            yield Problem(f"{where}.zones", zone, "has no subnet for nodes", f"choose among {', '.join(with_subnets)}")
    if twice := repeated(zones):
        yield Problem(f"{where}.zones", twice, "are there more than once", "name each once")
