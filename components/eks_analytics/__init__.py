"""Pulumi components for what Plotly Dash Enterprise and e6data need on AWS."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cluster import Cluster, ClusterArgs
    from .network import Network, NetworkArgs
    from .node_group_options import NodeGroupArgs, TaintArgs

__all__ = ["Cluster", "ClusterArgs", "Network", "NetworkArgs", "NodeGroupArgs", "TaintArgs"]

_HOMES = {
    "Cluster": "cluster",
    "ClusterArgs": "cluster",
    "Network": "network",
    "NetworkArgs": "network",
    "NodeGroupArgs": "node_group_options",
    "TaintArgs": "node_group_options",
}


def __getattr__(name: str) -> object:
    """Import a component when it is asked for: the pure modules beside them must not wait for the provider SDKs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
