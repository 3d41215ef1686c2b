"""How much of the internet a list of networks is."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

WORLD = 8
"""Whoever admits an IPv4 /7, or as much in parts, admits the world: 0.0.0.0/1 and 128.0.0.0/1 are all of it."""
_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"))
)
"""RFC 1918, 6598, 4193 and 4291: nobody comes from there through an internet gateway."""


def too_wide(cidrs: Iterable[str], shortest_prefix: int = WORLD) -> list[str]:
    """The networks with a shorter prefix than that; where only all of them together are the world, all of them.

    The prefix is IPv4's. IPv6's is twice as long: registries give out an IPv6 /32 where they gave an IPv4 /16.
    """
    public = [(cidr, network) for cidr in cidrs if not _is_private(network := ip_network(cidr, strict=False))]
    wide = [cidr for cidr, network in public if network.prefixlen < _prefix(network, shortest_prefix)]
    return wide or ([cidr for cidr, _ in public] if _are_world([network for _, network in public]) else [])


def _is_private(network: IPv4Network | IPv6Network) -> bool:
    # Compared as numbers: `subnet_of` refuses networks of two versions.
    return any(
        network.version == one.version
        and int(one.network_address) <= int(network.network_address)
        and int(network.broadcast_address) <= int(one.broadcast_address)
        for one in _PRIVATE
    )


def _prefix(network: IPv4Network | IPv6Network, shortest: int) -> int:
    return shortest if network.version == 4 else 2 * shortest


def _are_world(networks: list[IPv4Network | IPv6Network]) -> bool:
    old = collapse_addresses(one for one in networks if isinstance(one, IPv4Network))
    new = collapse_addresses(one for one in networks if isinstance(one, IPv6Network))
    return any(
        sum(one.num_addresses for one in together) >= 2 << (bits - shortest)
        for together, bits, shortest in ((old, 32, WORLD), (new, 128, 2 * WORLD))
    )
