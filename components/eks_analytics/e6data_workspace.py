"""A workspace of e6data: the nodes that its engine asks for."""

from typing import Any, NotRequired

import pulumi

from .e6data_workspace_options import (
    E6dataWorkspaceSpecArgs,
    WorkspaceSurroundings,
    check_workspace,
    workspace_pool,
    workspace_warnings,
)
from .node_pool_checks import check_node_pools, node_pool_warnings
from .node_pools import NodePoolsArgs, make_node_class, make_node_pool, node_pools_options, surroundings
from .problems import reject
from .waiting import once

_OF_THE_POOLS = (
    *("cluster_name", "node_role_name", "instance_profile_name", "cluster_security_group_id"),
    *("availability_zones", "production"),
)


class E6dataWorkspaceArgs(E6dataWorkspaceSpecArgs):
    """Arguments of E6dataWorkspace: what it is like, and its cluster."""

    cluster_name: str
    """Name of the EKS cluster, by which nodes find their subnets and security group."""
    node_role_name: NotRequired[pulumi.Input[str]]
    """Name of the nodes' IAM role: the output of Karpenter. Either this or `instance_profile_name`. None by default."""
    instance_profile_name: NotRequired[pulumi.Input[str]]
    """Name of the nodes' instance profile: the output of Karpenter, for a VPC without a way to IAM. None by default."""
    cluster_security_group_id: NotRequired[pulumi.Input[str]]
    """Id of the cluster's security group; by default nodes find it by the tag that EKS sets."""
    availability_zones: NotRequired[list[str]]
    """Zones in which nodes have a subnet; a workspace that names another is refused. Not checked by default."""
    production: NotRequired[bool]
    """Refuses images that change by themselves ("@latest"); false by default: then there is a warning."""


class E6dataWorkspace(pulumi.ComponentResource):
    """A workspace of e6data in a cluster with Karpenter: an EC2NodeClass and a NodePool, with the labels and the taint
    that its engine's pods ask for. Nodes come when there are such pods, and go when they idle."""

    workspace_name: pulumi.Output[str]
    """Name of the workspace."""
    node_pool_name: pulumi.Output[str]
    """Name of the NodePool, once it is there."""
    node_class_name: pulumi.Output[str]
    """Name of the EC2NodeClass, once it is there."""

    def __init__(self, name: str, args: E6dataWorkspaceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        around = WorkspaceSurroundings(
            args["cluster_name"], args.get("availability_zones", ()), args.get("production", False)
        )
        problems = list(check_workspace(args, around))
        pools = _pools(args)
        options = node_pools_options(pools)
        reject(f"workspace {args['name']!r}", problems or check_node_pools(options))

        super().__init__("eks-analytics:index:E6dataWorkspace", name, {}, opts)
        for warning in workspace_warnings(args):
            pulumi.log.warn(warning, self)
        for warning in node_pool_warnings(options):
            pulumi.log.warn(warning, self)
        (pool,) = pools["pools"]
        # Not through NodePools: there may be a hundred workspaces, and every component takes its time.
        node_class = make_node_class(name, pool, surroundings(pools), self)
        node_pool = make_node_pool(name, pool, node_class, self)
        self.workspace_name = pulumi.Output.from_input(args["name"])
        self.node_pool_name = once(pool["name"], [node_pool])
        self.node_class_name = once(pool["name"], [node_class])
        self.register_outputs({output: getattr(self, output) for output in E6dataWorkspace.__annotations__})


def _pools(args: E6dataWorkspaceArgs) -> NodePoolsArgs:
    pools: Any = {key: value for key, value in args.items() if key in _OF_THE_POOLS}
    pools["pools"] = [workspace_pool(args)]
    return pools
