"""Limits of EC2 instance types, from a table that is read when the first type is looked up. No Pulumi.

The table holds the Nitro types that a cluster is likely to run on, a family a line; `tools/instance_types.py` writes
it. For any other type, newer ones among them, a caller makes an `InstanceType` of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_suffix(".txt")
FAMILY_TABLE = TABLE.with_name("instance_families.txt")


class Traits(NamedTuple):
    """What an image must support to run on the machines of a family."""

    architecture: str
    """x86_64 or arm64."""
    accelerator: str
    """nvidia, amd or neuron, where the machines have such accelerators, other for others; empty for none."""


@dataclass(frozen=True, slots=True)
class InstanceType:
    """What limits the pods and volumes of a node."""

    name: str
    """Family and size, e.g. m6i.2xlarge."""
    architecture: str
    """x86_64 or arm64."""
    vcpus: int
    """Virtual CPUs by default."""
    memory_mib: int
    """Memory in MiB."""
    network_interfaces: int
    """Interfaces of the default network card: pods use no other."""
    addresses_per_interface: int
    """IPv4 addresses of an interface, its primary one among them."""
    volumes: int
    """EBS volumes with one network interface in place, the root volume among them."""
    volumes_share_slots: bool = False
    """Whether each further network interface takes the place of a volume."""


def instance_type(name: str) -> InstanceType | None:
    """The limits of a type; None where the table does not hold it."""
    return next((known for known in family(name) if known.name == name), None)


def family(name: str) -> list[InstanceType]:
    """The types of the family that `name` is of, from the smallest to the largest; empty where it is unknown."""
    prefix = name.partition(".")[0]
    architecture, *sizes = _families().get(prefix, "").split() or [""]
    return [_parse(prefix, architecture, size) for size in sizes]


def traits(name: str) -> Traits | None:
    """The traits of a family, or of the family of a type; None where it is not in the table."""
    return _traits().get(name.partition(".")[0])


def similar(name: str) -> list[str]:
    """Types of the table whose names look like `name`, the likeliest first."""
    prefix = name.partition(".")[0]
    families = [prefix] if prefix in _families() else get_close_matches(prefix, _families(), n=3)
    return get_close_matches(name, [known.name for near in families for known in family(near)], n=3)


def similar_families(name: str) -> list[str]:
    """Families whose names look like `name`, the likeliest first."""
    return get_close_matches(name, _traits(), n=3)


def is_mac(name: str) -> bool:
    """Whether a family or type is one of the Mac instances, which run macOS and no nodes of EKS."""
    return name.startswith("mac")


def unknown_machines(subject: str, names: Iterable[str], consequence: str) -> Iterator[str]:
    """A warning for each family or type that the tables do not hold: new, rare, or misspelt.

    `consequence`: what happens where EC2 does not have it either.
    """
    for name in names:
        if "." in name:
            known, near = instance_type(name) or (traits(name) and not family(name)), similar(name)
        else:
            known, near = family(name) or traits(name), similar_families(name)
        if not known:
            meant = f" (did you mean {' or '.join(near)}?)" if near else ""
            yield (
                f"{subject}: {name} is not among the machines known here{meant}; if EC2 does not have it either, "
                f"{consequence}."
            )


@cache
def _traits() -> dict[str, Traits]:
    lines = (line.split() for line in FAMILY_TABLE.read_text(encoding="ascii").splitlines() if line[:1] != "#")
    return {name: Traits(architecture, "".join(accelerator)) for name, architecture, *accelerator in lines}


@cache
def _families() -> dict[str, str]:
    lines = (line.partition(" ") for line in TABLE.read_text(encoding="ascii").splitlines() if line[:1] != "#")
    return {name: limits for name, _, limits in lines}


def _parse(prefix: str, architecture: str, size: str) -> InstanceType:
    name, vcpus, memory, interfaces, addresses, volumes = size.split(":")
    return InstanceType(
        name=f"{prefix}.{name}",
        architecture=architecture,
        vcpus=int(vcpus),
        memory_mib=int(memory),
        network_interfaces=int(interfaces),
        addresses_per_interface=int(addresses),
        volumes=int(volumes.rstrip("s")),
        volumes_share_slots=volumes.endswith("s"),
    )
