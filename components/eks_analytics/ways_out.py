"""How the subnets of an existing VPC reach the internet, and are reached from it: looked up, and checked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from .problems import Problem

ANYWHERE = "0.0.0.0/0"
HALVES = ("0.0.0.0/1", "128.0.0.0/1")


@dataclass(frozen=True)
class DefaultRoute:
    """Where a subnet's traffic to everywhere goes."""

    table: str
    target: str = ""
    """Id of the gateway; empty where there is no such route."""


def check_way_out(zone: str, subnet: str, route: DefaultRoute, *, needed: bool) -> Iterator[Problem]:
    """What is wrong with a private subnet's default route; `needed`: whether there must be one."""
    name = f"existing_private_subnets.{zone}"
    if route.target.startswith("igw-"):
        reason = f"leads to an internet gateway ({route.table}), so nodes without public addresses cannot start in it"
        yield Problem(name, subnet, reason, "name a private subnet, which reaches the internet through a NAT gateway")
    elif not route.target and needed:
        reason = f"has no way to the internet (no route to {ANYWHERE} in {route.table}), and what runs there needs one"
        yield Problem(name, subnet, reason, "route it through a NAT gateway, a transit gateway or a firewall")


def check_way_in(zone: str, subnet: str, route: DefaultRoute) -> Iterator[Problem]:
    """What is wrong with a public subnet's default route."""
    if not route.target or route.target.startswith("nat-"):
        found = f"through {route.target}" if route.target else "nowhere"
        reason = f"leads {found} ({route.table}), so nobody reaches load balancers in it from the internet"
        remedy = "route it through an internet gateway, or name a public subnet"
        yield Problem(f"existing_public_subnets.{zone}", subnet, reason, remedy)


def default_route(vpc_id: str, subnet: str, parent: pulumi.Resource) -> DefaultRoute:
    """The default route of a subnet of that VPC. Awaited on the spot."""
    table = _table(vpc_id, subnet, parent)
    found = aws.ec2.get_route_table(route_table_id=table, opts=pulumi.InvokeOptions(parent=parent))
    return DefaultRoute(table, _target(found.routes))


def _table(vpc_id: str, subnet: str, parent: pulumi.Resource) -> str:
    """A subnet that is tied to no route table has the VPC's main one."""
    for name, value in (("association.subnet-id", subnet), ("association.main", "true")):
        filters = [aws.ec2.GetRouteTablesFilterArgs(name=name, values=[value])]
        found = aws.ec2.get_route_tables(vpc_id=vpc_id, filters=filters, opts=pulumi.InvokeOptions(parent=parent))
        if found.ids:
            return found.ids[0]
    raise pulumi.RunError(f"{vpc_id} has no main route table, which every VPC has: try again")


def _target(routes: Sequence[aws.ec2.outputs.GetRouteTableRouteResult]) -> str:
    """Where the route to everywhere leads, in one piece or in two halves."""
    targets = {route.cidr_block: _gateway(route) for route in routes}
    halves = [targets.get(half, "") for half in HALVES]
    return targets.get(ANYWHERE) or (halves[0] if all(halves) else "")


def _gateway(route: aws.ec2.outputs.GetRouteTableRouteResult) -> str:
    targets = (
        *(route.nat_gateway_id, route.transit_gateway_id, route.network_interface_id, route.vpc_endpoint_id),
        *(route.gateway_id, route.vpc_peering_connection_id, route.local_gateway_id, route.core_network_arn),
    )
    return next((target for target in targets if target), "")
