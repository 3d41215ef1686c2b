"""Node pools of Karpenter: an EC2NodeClass and a NodePool each."""

from dataclasses import fields
from typing import Any, NotRequired, TypedDict

import pulumi

from .arguments import argument_problems
from .node_pool_checks import check_node_pools, node_pool_warnings
from .node_pool_options import (
    NodePoolArgs,
    NodePoolsOptions,
    Surroundings,
    delete_seconds,
    node_class,
    node_pool,
)
from .problems import reject

CLASS_DELETE_MINUTES = 15


class NodePoolsArgs(TypedDict):
    """Arguments of NodePools."""

    cluster_name: str
    """Name of the EKS cluster, by which nodes find their subnets and security group."""
    pools: list[NodePoolArgs]
    """The pools, at least one."""
    node_role_name: NotRequired[pulumi.Input[str]]
    """Name of the nodes' IAM role: the output of Karpenter, so that the pools come after the controller and go before
    it. Either this or `instance_profile_name`."""
    instance_profile_name: NotRequired[pulumi.Input[str]]
    """Name of the nodes' instance profile: the output of Karpenter, for a VPC without a way to IAM."""
    cluster_security_group_id: NotRequired[pulumi.Input[str]]
    """Id of the cluster's security group; by default nodes find it by the tag that EKS sets."""
    availability_zones: NotRequired[list[str]]
    """Zones in which nodes have a subnet; a pool that names another is refused. Not checked by default."""
    allowed_name_prefix: NotRequired[str]
    """What the names of all pools must begin with, as given to Karpenter. Empty by default."""
    production: NotRequired[bool]
    """Refuses images that change by themselves ("@latest"); false by default: then there is a warning."""
    tags: NotRequired[dict[str, str]]
    """Tags of what Karpenter makes in EC2 for these pools: instances, volumes, network interfaces, launch templates."""


class NodePools(pulumi.ComponentResource):
    """Kinds of nodes that Karpenter may make, each an EC2NodeClass and a NodePool of the same name. Removing one takes
    its nodes away first."""

    node_pool_names: pulumi.Output[list[str]]
    """Names of the NodePools, once they are there."""
    node_class_names: pulumi.Output[list[str]]
    """Names of the EC2NodeClasses, once they are there."""

    def __init__(self, name: str, args: NodePoolsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"node pools {name!r}", argument_problems(args, NodePoolsArgs))
        options = node_pools_options(args)
        reject(f"node pools {name!r}", check_node_pools(options))

        super().__init__("eks-analytics:index:NodePools", name, {}, opts)
        for warning in node_pool_warnings(options):
            pulumi.log.warn(warning, self)

        around = surroundings(args)
        child = pulumi.ResourceOptions(parent=self)
        self.node_classes = {pool["name"]: make_node_class(name, pool, around, child) for pool in options.pools}
        self.node_pools = {
            pool["name"]: make_node_pool(name, pool, self.node_classes[pool["name"]], child) for pool in options.pools
        }
        self.node_class_names = _names(self.node_classes)
        self.node_pool_names = _names(self.node_pools)
        self.register_outputs({output: getattr(self, output) for output in NodePools.__annotations__})


def make_node_class(
    label: str, pool: NodePoolArgs, around: Surroundings, opts: pulumi.ResourceOptions
) -> pulumi.CustomResource:
    """The EC2NodeClass of a pool."""
    return pulumi.CustomResource(
        "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass",
        f"{label}-{pool['name']}",
        node_class(pool, around),
        opts=pulumi.ResourceOptions.merge(
            opts, pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(delete=f"{CLASS_DELETE_MINUTES}m"))
        ),
    )


def make_node_pool(
    label: str, pool: NodePoolArgs, needs: pulumi.Resource, opts: pulumi.ResourceOptions
) -> pulumi.CustomResource:
    """The NodePool of a pool, which needs its EC2NodeClass."""
    return pulumi.CustomResource(
        "kubernetes:karpenter.sh/v1:NodePool",
        f"{label}-{pool['name']}",
        node_pool(pool),
        opts=pulumi.ResourceOptions.merge(
            opts,
            pulumi.ResourceOptions(
                # A class is not released while a node of it is there, and nodes go with their pool.
                depends_on=[needs],
                custom_timeouts=pulumi.CustomTimeouts(delete=f"{delete_seconds(pool) // 60}m"),
            ),
        ),
    )


def surroundings(args: NodePoolsArgs) -> Surroundings:
    """What the node classes name beside their pools."""
    return Surroundings(
        cluster_name=args["cluster_name"],
        node_role=args.get("node_role_name"),
        instance_profile=args.get("instance_profile_name"),
        security_group_id=args.get("cluster_security_group_id"),
        tags=args.get("tags", {}),
    )


def node_pools_options(args: NodePoolsArgs) -> NodePoolsOptions:
    """The plain arguments."""
    known = {field.name for field in fields(NodePoolsOptions)}
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in known}
    return NodePoolsOptions(
        has_node_role=args.get("node_role_name") is not None,
        has_instance_profile=args.get("instance_profile_name") is not None,
        **plain,
    )


def _names(objects: dict[str, pulumi.CustomResource]) -> pulumi.Output[list[str]]:
    names = list(objects)
    return pulumi.Output.all(*(found.urn for found in objects.values())).apply(lambda _: names)
