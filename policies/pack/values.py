"""Reading properties whose values may not be known before the update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network
from typing import Any, TypeVar

from pulumi_policy.proxy import UnknownValueError

Item = TypeVar("Item")
Found = TypeVar("Found")

_WORLD_PREFIX = {4: 8, 6: 16}
"""Networks with shorter prefixes than these are the world: 0.0.0.0/1 and its other half are all of it."""


def apart(items: Sequence[Item], judge: Callable[[Item], Iterator[Found]]) -> Iterator[Found]:
    """Judges each item for itself: one that is not known yet hides nothing that is wrong with the others."""
    unknown: UnknownValueError | None = None
    for index in range(len(items)):
        try:
            yield from judge(items[index])
        except UnknownValueError as error:
            unknown = error
    if unknown:
        raise unknown


def block(holder: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The object below, empty where there is none."""
    for key in path:
        holder = holder.get(key) or {}
    return holder


def items(holder: Mapping[str, Any], key: str) -> Sequence[Any]:
    """The list under a key; a single value is a list of one, as in IAM's documents."""
    value = holder.get(key)
    if value is None:
        return []
    return value if isinstance(value, Sequence) and not isinstance(value, str) else [value]  # pyright: ignore[reportUnknownVariableType]  # of anything


def has(holder: Mapping[str, Any], key: str) -> bool:
    """Whether there is a value under the key, though it may not be known yet: `in` would read it."""
    return any(one == key for one in holder)


def is_true(value: object) -> bool:
    """Some properties of AWS hold a boolean as text."""
    return str(value).lower() == "true"


def is_world(cidr: str) -> bool:
    network = ip_network(cidr, strict=False)
    return network.prefixlen < _WORLD_PREFIX[network.version]


def covers_world(networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether they are the world together, though each of them alone may be small enough."""
    four = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    six = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    found = {4: sum(one.num_addresses for one in four), 6: sum(one.num_addresses for one in six)}
    bits = {4: 32, 6: 128}
    return any(found[version] >= 2 << (bits[version] - prefix) for version, prefix in _WORLD_PREFIX.items())


def in_words(names: Sequence[object]) -> str:
    return ", ".join(map(str, names))
