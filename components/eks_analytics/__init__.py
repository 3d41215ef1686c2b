"""Pulumi components for what Plotly Dash Enterprise and e6data need on AWS."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .backup_watch import BackupWatch, BackupWatchArgs, BackupWatchSpecArgs, WatchSubscriptionArgs
    from .backup_watch_options import BackupScheduleArgs
    from .bootstrap import BootstrapInstance, BootstrapInstanceArgs
    from .cluster import Cluster, ClusterArgs
    from .dash_enterprise import DashEnterprise, DashEnterpriseArgs
    from .dns import DashDnsRecords, DashDnsRecordsArgs
    from .dns_firewall import DnsFirewall, DnsFirewallArgs
    from .drain import LoadBalancerDrain, LoadBalancerDrainArgs
    from .e6data import E6data, E6dataArgs
    from .e6data_workspace import E6dataWorkspace, E6dataWorkspaceArgs
    from .installation import DashInstallation, DashInstallationArgs
    from .karpenter import Karpenter, KarpenterArgs
    from .load_balancer_controller import AwsLoadBalancerController, AwsLoadBalancerControllerArgs
    from .network import Network, NetworkArgs
    from .node_group_options import NodeGroupArgs, TaintArgs
    from .node_pool_options import NodePoolArgs
    from .node_pools import NodePools, NodePoolsArgs
    from .velero import VeleroBackup, VeleroBackupArgs

__version__ = "0.1.0"

__all__ = [
    "AwsLoadBalancerController",
    "AwsLoadBalancerControllerArgs",
    "BackupScheduleArgs",
    "BackupWatch",
    "BackupWatchArgs",
    "BackupWatchSpecArgs",
    "BootstrapInstance",
    "BootstrapInstanceArgs",
    "Cluster",
    "ClusterArgs",
    "DashDnsRecords",
    "DashDnsRecordsArgs",
    "DashEnterprise",
    "DashEnterpriseArgs",
    "DashInstallation",
    "DashInstallationArgs",
    "DnsFirewall",
    "DnsFirewallArgs",
    "E6data",
    "E6dataArgs",
    "E6dataWorkspace",
    "E6dataWorkspaceArgs",
    "Karpenter",
    "KarpenterArgs",
    "LoadBalancerDrain",
    "LoadBalancerDrainArgs",
    "Network",
    "NetworkArgs",
    "NodeGroupArgs",
    "NodePoolArgs",
    "NodePools",
    "NodePoolsArgs",
    "TaintArgs",
    "VeleroBackup",
    "VeleroBackupArgs",
    "WatchSubscriptionArgs",
]

_HOMES = {
    "AwsLoadBalancerController": "load_balancer_controller",
    "AwsLoadBalancerControllerArgs": "load_balancer_controller",
    "BackupScheduleArgs": "backup_watch_options",
    "BackupWatch": "backup_watch",
    "BackupWatchArgs": "backup_watch",
    "BackupWatchSpecArgs": "backup_watch",
    "BootstrapInstance": "bootstrap",
    "BootstrapInstanceArgs": "bootstrap",
    "Cluster": "cluster",
    "ClusterArgs": "cluster",
    "DashDnsRecords": "dns",
    "DashDnsRecordsArgs": "dns",
    "DashEnterprise": "dash_enterprise",
    "DashEnterpriseArgs": "dash_enterprise",
    "DashInstallation": "installation",
    "DashInstallationArgs": "installation",
    "DnsFirewall": "dns_firewall",
    "DnsFirewallArgs": "dns_firewall",
    "E6data": "e6data",
    "E6dataArgs": "e6data",
    "E6dataWorkspace": "e6data_workspace",
    "E6dataWorkspaceArgs": "e6data_workspace",
    "Karpenter": "karpenter",
    "KarpenterArgs": "karpenter",
    "LoadBalancerDrain": "drain",
    "LoadBalancerDrainArgs": "drain",
    "Network": "network",
    "NetworkArgs": "network",
    "NodeGroupArgs": "node_group_options",
    "NodePoolArgs": "node_pool_options",
    "NodePools": "node_pools",
    "NodePoolsArgs": "node_pools",
    "TaintArgs": "node_group_options",
    "VeleroBackup": "velero",
    "VeleroBackupArgs": "velero",
    "WatchSubscriptionArgs": "backup_watch",
}


def __getattr__(name: str) -> object:
    """Import a component when it is asked for: the pure modules beside them must not wait for the provider SDKs."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
