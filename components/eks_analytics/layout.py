"""From what a network and a cluster are asked for to the layout whose capacity is counted. No Pulumi."""

from collections.abc import Iterable

from .capacity import Layout, NodeGroup
from .cluster_checks import ClusterOptions
from .endpoints import expand_endpoints
from .instance_types import InstanceType
from .network_options import NetworkOptions
from .node_group_options import NodeGroupPlan, plan_node_groups
from .quotas import Quota, quotas
from .subnets import plan_subnets


def layout_of(
    network: NetworkOptions,
    cluster: ClusterOptions,
    instance_limits: Iterable[InstanceType] = (),
    *,
    backups: bool = False,
) -> Layout:
    """The layout of options in which `check_network` and `check_cluster` find nothing.

    The sizes of an existing VPC's subnets are not known here: they are taken to be large enough.
    """
    subnets: dict[str, str] = {}
    if not network.existing_vpc_id:
        zones = network.availability_zones
        cidrs = list(network.private_subnet_cidrs) or plan_subnets(network.cidr, len(zones)).private
        subnets = dict(zip(zones, cidrs, strict=True))
    return Layout(
        node_groups=tuple(map(_node_group, plan_node_groups(cluster.node_groups, cluster.control_plane_zones))),
        subnets=subnets,
        service_cidr=cluster.service_cidr,
        prefix_delegation=cluster.vpc_cni_prefix_delegation,
        ipv6=cluster.ip_family == "ipv6",
        other_addresses=len(expand_endpoints(network.region, network.interface_endpoints)),
        instance_limits={kind.name: kind for kind in instance_limits},
        backups=backups,
    )


def quotas_of(network: NetworkOptions, layout: Layout, hosts: int = 0) -> list[Quota]:
    """What the network, the layout and hosts with an elastic IP take of the account's quotas."""
    gateways = {"one-per-az": len(network.availability_zones), "single": 1, "none": 0}[network.nat_gateways]
    existing = bool(network.existing_vpc_id)
    return quotas(layout, vpcs=0 if existing else 1, nat_gateways=0 if existing else gateways, hosts=hosts)


def _node_group(plan: NodeGroupPlan) -> NodeGroup:
    return NodeGroup(
        name=plan.name,
        instance_types=plan.instance_types,
        min_size=plan.min_size,
        desired_size=plan.desired_size,
        max_size=plan.max_size,
        zones=plan.zones,
        takes_pods=plan.takes_pods,
        spot=plan.capacity_type == "SPOT",
        system_volumes=2 if plan.ami_type.startswith("BOTTLEROCKET") else 1,
        max_unavailable_percentage=plan.max_unavailable_percentage,
    )
