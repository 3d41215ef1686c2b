"""An existing VPC: looked up, checked, and given the tags that its subnets lack. Nothing else of it is touched."""

from collections.abc import Callable, Iterator

import pulumi
import pulumi_aws as aws

from .found_vpc import FoundSubnet, FoundVpc
from .look_ups import looking_up, not_found
from .network_options import NetworkOptions, service_range_problems
from .problems import Problem, reject
from .subnets import LOAD_BALANCER_ADDRESSES, PRIVATE_ADDRESSES_NEEDED
from .tags import serves_as, subnet_tags
from .ways_out import check_way_in, check_way_out, default_route

# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcCidrBlockState.html
_NOT_ASSIGNED = ("disassociating", "disassociated", "failing", "failed")


Judge = Callable[[FoundVpc], list[Problem]]


def look_up(name: str, options: NetworkOptions, parent: pulumi.Resource, shortages: Judge) -> FoundVpc:
    """The VPC, once it and its subnets have passed every check. Raises a RunError with all that is wrong with them.

    The look-ups are awaited on the spot, which their plain ids allow: what fails here fails before anything is tagged.
    `shortages` judges what was found, once all is there.
    """
    lookup = pulumi.InvokeOptions(parent=parent)
    try:
        vpc = aws.ec2.get_vpc(id=options.existing_vpc_id, opts=lookup)
    except Exception as error:  # the SDK has no narrower one
        id, region = options.existing_vpc_id, options.region
        reject(f"network {name!r}", [not_found("existing_vpc_id", id, region, parent, error)])
        raise
    problems = check_vpc(options, vpc)
    subnets: dict[str, dict[str, FoundSubnet]] = {"private": {}, "public": {}}
    for role, zone, id in _subnets(options):
        try:
            subnet = aws.ec2.get_subnet(id=id, opts=lookup)
        except Exception as error:
            problems.append(not_found(f"existing_{role}_subnets.{zone}", id, options.region, parent, error))
            continue
        subnets[role][zone] = FoundSubnet(id, subnet.cidr_block, subnet.available_ip_address_count, subnet.tags)
        problems += check_subnet(options, role, zone, subnet)
        if subnet.vpc_id == vpc.id:
            with looking_up(f"the route table of {id}", "ec2:DescribeRouteTables"):
                route = default_route(vpc.id, id, parent)
            problems += (
                check_way_in(zone, id, route)
                if role == "public"
                else check_way_out(zone, id, route, needed=options.needs_way_out)
            )
    with looking_up(f"the EKS clusters of {options.region or 'the region'}", "eks:ListClusters"):
        runs = options.cluster_name in aws.eks.get_clusters(opts=lookup).names
    found = FoundVpc(vpc.id, vpc.cidr_block, **subnets, cluster_runs=runs)
    for shortage in check_addresses(found):
        # Under a running cluster addresses are taken: that must not stand in the way of every later update.
        if runs:
            pulumi.log.warn(str(shortage), parent)
        else:
            problems.append(shortage)
    if not problems:
        problems += shortages(found)
    reject(f"network {name!r}", problems)
    return found


def tag_subnets(name: str, options: NetworkOptions, found: FoundVpc, parent: pulumi.Resource) -> None:
    """Add the tags by which load balancers and Karpenter find the subnets, each as a resource of its own.

    Where somebody's own serves as well, it is left alone.
    """
    for role, zone, subnet in _subnets(options):
        tags = (found.public if role == "public" else found.private)[zone].tags
        for key, value in subnet_tags(options.cluster_name, public=role == "public").items():
            if tags.get(key, value) != value:
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
    blocks = [one.cidr_block for one in vpc.cidr_block_associations if one.state not in _NOT_ASSIGNED]
    return [
        *service_range_problems(options.service_cidr, dict.fromkeys([vpc.cidr_block, *blocks])),
        *_switched_off(options, vpc),
    ]


def _switched_off(options: NetworkOptions, vpc: aws.ec2.GetVpcResult) -> list[Problem]:
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


def check_addresses(found: FoundVpc) -> list[Problem]:
    """Too few free addresses to start a cluster in a subnet."""
    roles = (("private", found.private, PRIVATE_ADDRESSES_NEEDED), ("public", found.public, LOAD_BALANCER_ADDRESSES))
    return [
        Problem(
            f"existing_{role}_subnets.{zone}",
            subnet.id,
            f"has {subnet.free_addresses} free addresses, {needed} are needed",
            "free some, or give a larger subnet",
        )
        for role, subnets, needed in roles
        for zone, subnet in subnets.items()
        if subnet.free_addresses < needed
    ]


def _subnets(options: NetworkOptions) -> Iterator[tuple[str, str, str]]:
    """Role, zone and id of each."""
    for role, subnets in (("private", options.existing_private_subnets), ("public", options.existing_public_subnets)):
        for zone, id in subnets.items():
            yield role, zone, id
