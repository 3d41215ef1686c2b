"""A workspace of e6data: the nodes that its engine asks for."""

from dataclasses import dataclass
from typing import Any, NotRequired

import pulumi

from .arguments import argument_problems
from .e6data_workspace_options import (
    E6dataWorkspaceSpecArgs,
    WorkspaceSurroundings,
    check_workspace,
    workspace_pool,
    workspace_warnings,
)
from .node_pool_checks import check_node_pools
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
    """Name of the nodes' IAM role: the output of Karpenter. Either this or `instance_profile_name`."""
    instance_profile_name: NotRequired[pulumi.Input[str]]
    """Name of the nodes' instance profile: the output of Karpenter, for a VPC without a way to IAM."""
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
        reject(f"workspace {name!r}", argument_problems(args, E6dataWorkspaceArgs))
        around = WorkspaceSurroundings(
            args["cluster_name"], args.get("availability_zones", ()), args.get("production", False)
        )
        problems = list(check_workspace(args, around))
        reject(f"workspace {args['name']!r}", problems or check_node_pools(node_pools_options(_pools(args))))

        super().__init__("eks-analytics:index:E6dataWorkspace", name, {}, opts)
        made = make_workspace(name, args, pulumi.ResourceOptions(parent=self))
        self.workspace_name = pulumi.Output.from_input(args["name"])
        self.node_pool_name = once(made.name, [made.node_pool])
        self.node_class_name = once(made.name, [made.node_class])
        self.register_outputs({output: getattr(self, output) for output in E6dataWorkspace.__annotations__})


@dataclass(frozen=True)
class Workspace:
    """The objects of a workspace, and their name."""

    name: str
    node_pool: pulumi.CustomResource
    node_class: pulumi.CustomResource


def make_workspace(name: str, args: E6dataWorkspaceArgs, opts: pulumi.ResourceOptions) -> Workspace:
    """Its objects, for whoever has checked the arguments. E6data makes them as children of its own: it may have a
    hundred workspaces, and every component takes its time."""
    pools = _pools(args)
    for warning in workspace_warnings(args):
        pulumi.log.warn(warning, opts.parent)
    (pool,) = pools["pools"]
    node_class = make_node_class(name, pool, surroundings(pools), opts)
    node_pool = make_node_pool(name, pool, node_class, opts)
    return Workspace(pool["name"], node_pool, node_class)


def _pools(args: E6dataWorkspaceArgs) -> NodePoolsArgs:
    pools: Any = {key: value for key, value in args.items() if key in _OF_THE_POOLS}
    pools["pools"] = [workspace_pool(args)]
    return pools
