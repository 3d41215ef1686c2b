"""An existing VPC: looked up, checked, and given the tags that its subnets lack. Nothing else of it is touched."""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from .network_options import NetworkOptions
from .problems import Problem, reject
from .subnets import LOAD_BALANCER_ADDRESSES, PRIVATE_ADDRESSES_NEEDED
from .tags import serves_as, subnet_tags
from .ways_out import check_way_out, default_route

Tags = Mapping[str, str]


def look_up(
    name: str, options: NetworkOptions, parent: pulumi.Resource
) -> tuple[aws.ec2.GetVpcResult, Mapping[str, Tags]]:
    """The VPC and the tags of its subnets by id, after all were found fit. RunError with all that is wrong with them.

    The look-ups are awaited on the spot, which their plain ids allow: what fails here fails before anything is tagged.
    """
    lookup = pulumi.InvokeOptions(parent=parent)
    try:
        vpc = aws.ec2.get_vpc(id=options.existing_vpc_id, opts=lookup)
    except Exception as error:  # the SDK has no narrower one
        reject(f"network {name!r}", [_not_found("existing_vpc_id", options.existing_vpc_id, error)])
        raise
    problems = check_vpc(options, vpc)
    tags: dict[str, Tags] = {}
    for role, subnets in _subnets(options).items():
        for zone, id in subnets.items():
            try:
                subnet = aws.ec2.get_subnet(id=id, opts=lookup)
            except Exception as error:
                problems.append(_not_found(f"existing_{role}_subnets.{zone}", id, error))
                continue
            tags[id] = subnet.tags
            problems += check_subnet(options, role, zone, subnet)
            if options.needs_way_out and role == "private" and subnet.vpc_id == vpc.id:
                problems += check_way_out(zone, id, default_route(vpc.id, id, parent))
            for shortage in check_addresses(role, subnet):
                # Under a running cluster addresses are taken: that must not stand in the way of every later update.
                if f"kubernetes.io/cluster/{options.cluster_name}" in subnet.tags:
                    pulumi.log.warn(str(shortage), parent)
                else:
                    problems.append(shortage)
    reject(f"network {name!r}", problems)
    return vpc, tags


def tag_subnets(name: str, options: NetworkOptions, tags: Mapping[str, Tags], parent: pulumi.Resource) -> None:
    """Add the tags by which load balancers and Karpenter find the subnets, each as a resource of its own.

    `tags` are the present ones by subnet: where somebody's own serves as well, it is left alone.
    """
    for role, subnets in _subnets(options).items():
        for zone, subnet in subnets.items():
            for key, value in subnet_tags(options.cluster_name, public=role == "public").items():
                if tags[subnet].get(key, value) != value:
                    continue
                kind = key.split("/")[1]  # role, cluster or discovery
                aws.ec2.Tag(
                    f"{name}-{role}-{zone}-{kind}",
                    resource_id=subnet,
                    key=key,
                    value=value,
                    # The other two are about this cluster. The role is not: other clusters in these subnets live by
                    # it, and it may have been there before.
                    opts=pulumi.ResourceOptions(parent=parent, retain_on_delete=kind == "role"),
                )


def check_vpc(options: NetworkOptions, vpc: aws.ec2.GetVpcResult) -> list[Problem]:
    """What keeps the VPC from serving as the network that was asked for."""
    return [
        Problem("existing_vpc_id", vpc.id, f"has {what} turned off", "turn it on")
        for wanted, is_on, what in (
            (options.enable_dns_support, vpc.enable_dns_support, "DNS support"),
            (options.enable_dns_hostnames, vpc.enable_dns_hostnames, "DNS host names"),
            (options.enable_ipv6, bool(vpc.ipv6_cidr_block_associations), "IPv6"),
        )
        if wanted and not is_on
    ]


def check_subnet(options: NetworkOptions, role: str, zone: str, subnet: aws.ec2.GetSubnetResult) -> list[Problem]:
    """What keeps a subnet from its role in its zone. `role` is "public" or "private"."""
    name = f"existing_{role}_subnets"
    problems: list[Problem] = []
    if subnet.vpc_id != options.existing_vpc_id:
        reason = f"belongs to {subnet.vpc_id}, not to {options.existing_vpc_id}"
        problems.append(Problem(name, subnet.id, reason, "give a subnet of that VPC"))
    if subnet.availability_zone != zone:
        reason = f"lies in {subnet.availability_zone}, not in {zone}"
        problems.append(Problem(name, subnet.id, reason, "give each subnet under its own zone"))
    if role == "private" and subnet.map_public_ip_on_launch:
        remedy = "turn that off, or give a private subnet"
        problems.append(Problem(name, subnet.id, "gives its instances public addresses", remedy))
    if options.enable_ipv6 and not subnet.ipv6_cidr_block:
        problems.append(Problem(name, subnet.id, "has no IPv6 range", "give it one"))
    for key, value in subnet_tags(options.cluster_name, public=role == "public").items():
        if not serves_as(subnet.tags.get(key, value), key, value):
            reason = f"is tagged {key}={subnet.tags[key]} already, where {value} is needed"
            remedy = "remove that tag if nothing needs it, or give another subnet"
            problems.append(Problem(name, subnet.id, reason, remedy))
    return problems


def check_addresses(role: str, subnet: aws.ec2.GetSubnetResult) -> list[Problem]:
    """Too few free addresses to start a cluster in the subnet."""
    needed = PRIVATE_ADDRESSES_NEEDED if role == "private" else LOAD_BALANCER_ADDRESSES
    if subnet.available_ip_address_count >= needed:
        return []
    reason = f"has {subnet.available_ip_address_count} free addresses, {needed} are needed"
    return [Problem(f"existing_{role}_subnets", subnet.id, reason, "free some, or give a larger subnet")]


def _not_found(name: str, id: str, error: Exception) -> Problem:
    return Problem(name, id, f"was asked of EC2, in vain ({error})", "correct the id, the region or the credentials")


def _subnets(options: NetworkOptions) -> dict[str, dict[str, str]]:
    return {"private": dict(options.existing_private_subnets), "public": dict(options.existing_public_subnets)}
