"""Network: a VPC made for EKS, or an existing one made fit for it."""

import json
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .endpoint_policies import interface_endpoint_policy, s3_endpoint_policy
from .endpoints import endpoint_service_name, expand_endpoints
from .existing_vpc import look_up, tag_subnets
from .fixed_values import another_vpc
from .found_vpc import FoundVpc
from .iam import PolicyDocument
from .locks import behind, lock
from .network_options import NetworkOptions, check_network
from .partitions import partition
from .problems import Problem, reject
from .subnets import ipv6_subnet, plan_subnets
from .tags import subnet_tags
from .waiting import once

ANYWHERE, ANYWHERE_IPV6 = "0.0.0.0/0", "::/0"


class NetworkArgs(TypedDict):
    """What a Network is made of. Only the first three are required."""

    cluster_name: str
    """Name of the EKS cluster that will use the network: its subnets are tagged with it."""
    region: str
    """AWS region, e.g. "us-east-1"; that of the AWS provider."""
    availability_zones: list[str]
    """2 to 6 names of zones of the region. Only append: a zone's place in the list decides its planned subnets."""
    cidr: NotRequired[str]
    """IPv4 range of the VPC, /16 to /28. Default "10.0.0.0/16"."""
    name_prefix: NotRequired[str]
    """First part of every resource's Name tag. Default: the cluster's name."""
    public_subnet_cidrs: NotRequired[list[str]]
    """IPv4 ranges of the public subnets in the order of the zones. Default: planned inside of `cidr`."""
    private_subnet_cidrs: NotRequired[list[str]]
    """IPv4 ranges of the private subnets in the order of the zones. Default: planned inside of `cidr`."""
    nat_gateways: NotRequired[str]
    """How private subnets reach the internet: "one-per-az" (default), "single" (in the first zone) or "none"."""
    enable_s3_endpoint: NotRequired[bool]
    """Whether traffic to S3 goes through a gateway endpoint, which is free of charge. Default true."""
    interface_endpoints: NotRequired[list[str]]
    """AWS services reached through endpoints in the private subnets, by short name ("ecr.api") or full name;
    "private-cluster" stands for all that a cluster without internet access needs. Default: none."""
    enable_ipv6: NotRequired[bool]
    """Whether VPC and subnets have IPv6 ranges too, given by Amazon; an existing VPC must have them. Cannot be turned
    off later: AWS takes no range from a subnet in use. Default false."""
    tenancy: NotRequired[str]
    """Tenancy of the instances: "default", or "dedicated" for hardware of your own. Default "default". A VPC can go
    back to "default" later, but not become dedicated."""
    confirm_replacement: NotRequired[bool]
    """Confirms that a changed `cidr`, `existing_vpc_id` or `tenancy` replaces the VPC and everything in it. Default
    false: such a change is refused."""
    enable_dns_support: NotRequired[bool]
    """Whether Amazon's DNS server answers in the VPC; EKS needs it. Default true."""
    enable_dns_hostnames: NotRequired[bool]
    """Whether instances get DNS names; EKS's private endpoint and interface endpoints need them. Default true."""
    flow_logs_retention_days: NotRequired[int]
    """Days for which CloudWatch keeps the VPC's flow logs, one of the numbers it offers, in the log group
    /aws/vpc-flow-logs/<cluster name>. Default 0: no flow logs."""
    existing_vpc_id: NotRequired[str]
    """Id of a VPC to use instead of making one. Only its subnets get tags. Default: none."""
    existing_private_subnets: NotRequired[dict[str, str]]
    """Ids of the existing VPC's private subnets by zone, one for each of the availability zones. None by default."""
    existing_public_subnets: NotRequired[dict[str, str]]
    """Ids of the existing VPC's public subnets by zone: none, or at least two. None by default."""
    needs_way_out: NotRequired[bool]
    """Refuses private subnets of an existing VPC that have no default route. Default false: endpoints may do."""
    service_cidr: NotRequired[str]
    """Addresses of the cluster's Kubernetes services, which no CIDR block of the VPC may overlap. Default: not
    checked."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the role of the flow logs; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes tags, those of an existing VPC excepted. Default: none."""


class Network(pulumi.ComponentResource):
    """A VPC made for EKS: public and private subnets in 2 to 6 zones, tagged for load balancers and Karpenter, with
    NAT, endpoints and flow logs; or an existing VPC, whose subnets are checked and tagged."""

    vpc_id: pulumi.Output[str]
    """Id of the VPC."""
    vpc_cidr: pulumi.Output[str]
    """IPv4 range of the VPC."""
    public_subnet_ids: pulumi.Output[list[str]]
    """Ids of the public subnets in the order of the zones."""
    private_subnet_ids: pulumi.Output[list[str]]
    """Ids of the private subnets in the order of the zones, at once: for the control plane."""
    private_subnet_ids_by_zone: pulumi.Output[dict[str, str]]
    """Ids of the private subnets by zone, at once: for the control plane."""
    node_subnet_ids: pulumi.Output[list[str]]
    """The same subnets, once they have their way out (NAT, or endpoints where there is no NAT): for nodes."""
    node_subnet_ids_by_zone: pulumi.Output[dict[str, str]]
    """The same subnets by zone, once they have their way out (NAT, or endpoints where there is no NAT): for nodes."""
    nat_public_ips: pulumi.Output[list[str]]
    """Addresses as which private subnets appear on the internet; none without NAT or in an existing VPC."""
    s3_endpoint_id: pulumi.Output[str | None]
    """Id of the S3 gateway endpoint, if one was made."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"network {name!r}", argument_problems(args, NetworkArgs))
        options = NetworkOptions(**args)
        reject(f"network {name!r}", check_network(options))
        values = {"existing_vpc_id": options.existing_vpc_id}
        if not options.existing_vpc_id:
            values |= {"cidr": options.cidr, "tenancy": options.tenancy}
        kept = lock(f"{name}-network", values, another_vpc, opts, options.confirm_replacement)
        super().__init__("eks-analytics:index:Network", name, None, behind(kept, opts))
        if options.existing_vpc_id:
            self._adopt(name, options)
        else:
            self._create(name, options)
        self.register_outputs({output: getattr(self, output) for output in Network.__annotations__})

    def _adopt(self, name: str, options: NetworkOptions) -> None:
        zones, public = options.availability_zones, options.existing_public_subnets
        private = {zone: options.existing_private_subnets[zone] for zone in zones}
        found = look_up(name, options, self, self._shortages)
        tag_subnets(name, options, found, self)
        known = pulumi.Output.from_input
        self.private_subnets = self.node_subnets = {zone: known(subnet) for zone, subnet in private.items()}
        self.ways_out = list[pulumi.Resource]()
        self.public_subnets = {zone: known(public[zone]) for zone in zones if zone in public}
        self.vpc_id = known(found.id)
        self.vpc_cidr = known(found.cidr)
        self.public_subnet_ids = known([public[zone] for zone in zones if zone in public])
        self.private_subnet_ids = self.node_subnet_ids = known(list(private.values()))
        self.private_subnet_ids_by_zone = self.node_subnet_ids_by_zone = known(private)
        self.nat_public_ips = known(list[str]())
        self.s3_endpoint_id = known(None)

    def _shortages(self, found: FoundVpc) -> list[Problem]:
        """What else is too small in the subnets of an existing VPC, for a product that knows what it needs."""
        return []

    def _create(self, name: str, options: NetworkOptions) -> None:
        new = _NewVpc(name, options, self)
        if options.flow_logs_retention_days:
            new.log_flows()
        addresses, gateways = new.translate_addresses()
        ways_out = {zone: new.way_out(zone, gateways) for zone in new.zones}
        s3_endpoint, s3_routes = new.reach_s3() if options.enable_s3_endpoint else (None, {})
        service_endpoints = new.reach_services(expand_endpoints(options.region, options.interface_endpoints))
        if options.nat_gateways == "none":
            for zone, way_out in ways_out.items():
                way_out += [s3_routes[zone], *service_endpoints]
        private = {zone: subnet.id for zone, subnet in new.private.items()}
        nodes = {zone: once(subnet, ways_out[zone]) for zone, subnet in private.items()}
        # Each id for itself, for programs that import this class: a preview that adds a zone then still knows the
        # others. Not annotated, because annotations are the outputs of the plugin's schema.
        self.private_subnets, self.node_subnets = private, nodes
        self.ways_out = [resource for way_out in ways_out.values() for resource in way_out]
        self.public_subnets = {zone: subnet.id for zone, subnet in new.public.items()}
        self.vpc_id = new.vpc.id
        self.vpc_cidr = new.vpc.cidr_block
        self.public_subnet_ids = pulumi.Output.all(*(subnet.id for subnet in new.public.values()))
        self.private_subnet_ids = pulumi.Output.all(*private.values())
        self.private_subnet_ids_by_zone = pulumi.Output.all(**private)
        self.node_subnet_ids = pulumi.Output.all(*nodes.values())
        self.node_subnet_ids_by_zone = pulumi.Output.all(**nodes)
        self.nat_public_ips = pulumi.Output.all(*(address.public_ip for address in addresses.values()))
        self.s3_endpoint_id = pulumi.Output.from_input(s3_endpoint.id if s3_endpoint else None)


class _NewVpc:
    """What every network has, VPC, subnets and route tables, and methods that add the rest to it.

    Logical names end in the zone, never in a number: a zone more touches nothing that is there.
    """

    def __init__(self, name: str, options: NetworkOptions, parent: pulumi.Resource) -> None:
        self.name, self.options, self.parent = name, options, parent
        self.zones = list(options.availability_zones)
        self.vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block=options.cidr,
            assign_generated_ipv6_cidr_block=options.enable_ipv6,
            instance_tenancy=options.tenancy,
            enable_dns_support=options.enable_dns_support,
            enable_dns_hostnames=options.enable_dns_hostnames,
            tags=self.tags("vpc"),
            opts=self.child(),
        )
        # An instance started without a security group gets this one: nothing comes in, nothing goes out.
        aws.ec2.DefaultSecurityGroup(
            f"{name}-default",
            vpc_id=self.vpc.id,
            ingress=[],
            egress=[],
            tags=self.tags("default"),
            opts=self.child(),
        )
        public, private = list(options.public_subnet_cidrs), list(options.private_subnet_cidrs)
        if not (public and private):
            plan = plan_subnets(options.cidr, len(self.zones))
            public, private = public or plan.public, private or plan.private
        self.public = {zone: self.subnet(zone, cidr, True) for zone, cidr in zip(self.zones, public, strict=True)}
        self.private = {zone: self.subnet(zone, cidr, False) for zone, cidr in zip(self.zones, private, strict=True)}
        self.internet = aws.ec2.InternetGateway(
            f"{name}-internet", vpc_id=self.vpc.id, tags=self.tags("internet"), opts=self.child()
        )
        self.public_table = self.route_table("public")
        self.public_route = self.route("public-ipv4", self.public_table, ANYWHERE, gateway_id=self.internet.id)
        if options.enable_ipv6:
            self.route("public-ipv6", self.public_table, ANYWHERE_IPV6, gateway_id=self.internet.id)
        self.public_associations = {
            zone: self.associate(f"public-{zone}", subnet, self.public_table) for zone, subnet in self.public.items()
        }
        self.egress_only = (
            aws.ec2.EgressOnlyInternetGateway(
                f"{name}-egress-only", vpc_id=self.vpc.id, tags=self.tags("egress-only"), opts=self.child()
            )
            if options.enable_ipv6
            else None
        )
        # One for each zone, so that neither a zone more nor another way out touches the routes of the others.
        self.private_tables = {zone: self.route_table(f"private-{zone}") for zone in self.zones}

    def child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self.parent, depends_on=depends_on)

    def tags(self, role: str) -> dict[str, str]:
        prefix = self.options.name_prefix or self.options.cluster_name
        return {**self.options.tags, "Name": f"{prefix}-{role}"}

    def subnet(self, zone: str, cidr: str, public: bool) -> aws.ec2.Subnet:
        role, place, ipv6 = "public" if public else "private", self.zones.index(zone), self.options.enable_ipv6
        return aws.ec2.Subnet(
            f"{self.name}-{role}-{zone}",
            vpc_id=self.vpc.id,
            availability_zone=zone,
            cidr_block=cidr,
            ipv6_cidr_block=self.vpc.ipv6_cidr_block.apply(lambda block: ipv6_subnet(block, place, public=public))
            if ipv6
            else None,
            # Nothing becomes public by accident: a host that needs a public address asks for one when it is started.
            map_public_ip_on_launch=False,
            assign_ipv6_address_on_creation=ipv6 and not public,
            tags={**self.tags(f"{role}-{zone}"), **subnet_tags(self.options.cluster_name, public=public)},
            opts=self.child(),
        )

    def route_table(self, role: str) -> aws.ec2.RouteTable:
        return aws.ec2.RouteTable(f"{self.name}-{role}", vpc_id=self.vpc.id, tags=self.tags(role), opts=self.child())

    def associate(self, role: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> aws.ec2.RouteTableAssociation:
        return aws.ec2.RouteTableAssociation(
            f"{self.name}-{role}", subnet_id=subnet.id, route_table_id=table.id, opts=self.child()
        )

    def route(
        self,
        role: str,
        table: aws.ec2.RouteTable,
        destination: str,
        *,
        gateway_id: pulumi.Input[str] | None = None,
        nat_gateway_id: pulumi.Input[str] | None = None,
        egress_only_gateway_id: pulumi.Input[str] | None = None,
    ) -> aws.ec2.Route:
        ipv6 = destination == ANYWHERE_IPV6
        return aws.ec2.Route(
            f"{self.name}-{role}",
            route_table_id=table.id,
            destination_cidr_block=None if ipv6 else destination,
            destination_ipv6_cidr_block=destination if ipv6 else None,
            gateway_id=gateway_id,
            nat_gateway_id=nat_gateway_id,
            egress_only_gateway_id=egress_only_gateway_id,
            opts=self.child(),
        )

    def translate_addresses(self) -> tuple[dict[str, aws.ec2.Eip], dict[str, aws.ec2.NatGateway]]:
        """NAT gateways and their public addresses, by zone."""
        zones = {"one-per-az": self.zones, "single": self.zones[:1], "none": []}[self.options.nat_gateways]
        # AWS detaches no internet gateway from a VPC with public addresses in use: these must go first.
        addresses = {
            zone: aws.ec2.Eip(
                f"{self.name}-nat-{zone}", domain="vpc", tags=self.tags(f"nat-{zone}"), opts=self.child(self.internet)
            )
            for zone in zones
        }
        gateways = {
            zone: aws.ec2.NatGateway(
                f"{self.name}-nat-{zone}",
                allocation_id=addresses[zone].allocation_id,
                subnet_id=self.public[zone].id,
                tags=self.tags(f"nat-{zone}"),
                # It has its own way to the internet from its first to its last moment.
                opts=self.child(self.internet, self.public_route, self.public_associations[zone]),
            )
            for zone in zones
        }
        return addresses, gateways

    def way_out(self, zone: str, gateways: Mapping[str, aws.ec2.NatGateway]) -> list[pulumi.Resource]:
        """Routes of a private subnet through the NAT gateway of its zone, else through the one there is."""
        table = self.private_tables[zone]
        way_out: list[pulumi.Resource] = [self.associate(f"private-{zone}", self.private[zone], table)]
        if gateways:
            gateway = gateways.get(zone, gateways[self.zones[0]])
            way_out.append(self.route(f"private-{zone}-ipv4", table, ANYWHERE, nat_gateway_id=gateway.id))
        if self.egress_only:
            gateway_id = self.egress_only.id
            way_out.append(self.route(f"private-{zone}-ipv6", table, ANYWHERE_IPV6, egress_only_gateway_id=gateway_id))
        return way_out

    def reach_s3(self) -> tuple[aws.ec2.VpcEndpoint, dict[str, pulumi.Resource]]:
        """The gateway endpoint of S3, and its route in each private table by zone."""
        endpoint = aws.ec2.VpcEndpoint(
            f"{self.name}-endpoint-s3",
            vpc_id=self.vpc.id,
            vpc_endpoint_type="Gateway",
            service_name=f"com.amazonaws.{self.options.region}.s3",
            policy=self.vpc.owner_id.apply(
                lambda account: json.dumps(
                    s3_endpoint_policy(self.options.region, account, internet=self.options.nat_gateways != "none")
                )
            ),
            tags=self.tags("endpoint-s3"),
            opts=self.child(),
        )

        def route(role: str, table: aws.ec2.RouteTable) -> pulumi.Resource:
            return aws.ec2.VpcEndpointRouteTableAssociation(
                f"{self.name}-endpoint-s3-{role}",
                vpc_endpoint_id=endpoint.id,
                route_table_id=table.id,
                opts=self.child(),
            )

        # Not a list in the endpoint: a zone more would change the endpoint.
        route("public", self.public_table)
        return endpoint, {zone: route(f"private-{zone}", table) for zone, table in self.private_tables.items()}

    def reach_services(self, services: Sequence[str]) -> list[pulumi.Resource]:
        """Endpoints of other services in the private subnets; what must be there before they can be used."""
        if not services:
            return []
        security_group = aws.ec2.SecurityGroup(
            f"{self.name}-endpoints",
            description="Interface endpoints: HTTPS from inside of the VPC",
            vpc_id=self.vpc.id,
            tags=self.tags("endpoints"),
            opts=self.child(),
        )
        https = aws.vpc.SecurityGroupIngressRule(
            f"{self.name}-endpoints-https",
            security_group_id=security_group.id,
            description="HTTPS from inside of the VPC",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=self.vpc.cidr_block,
            tags=self.tags("endpoints-https"),
            opts=self.child(),
        )
        endpoints = [
            aws.ec2.VpcEndpoint(
                f"{self.name}-endpoint-{service}",
                vpc_id=self.vpc.id,
                vpc_endpoint_type="Interface",
                service_name=endpoint_service_name(self.options.region, service),
                policy=self.interface_policy(service),
                private_dns_enabled=True,
                subnet_ids=[subnet.id for subnet in self.private.values()],
                security_group_ids=[security_group.id],
                tags=self.tags(f"endpoint-{service}"),
                opts=self.child(),
            )
            for service in services
        ]
        return [https, *endpoints]

    def interface_policy(self, service: str) -> pulumi.Output[str] | None:
        region = self.options.region
        if interface_endpoint_policy(service, region, "") is None:
            return None
        return self.vpc.owner_id.apply(lambda account: json.dumps(interface_endpoint_policy(service, region, account)))

    def log_flows(self) -> None:
        """Who spoke to whom, accepted or not, kept by CloudWatch Logs."""
        log_group = aws.cloudwatch.LogGroup(
            f"{self.name}-flow-logs",
            # Not the prefix of names, which may change: another group is an empty one, and the old one is deleted.
            name=f"/aws/vpc-flow-logs/{self.options.cluster_name}",
            retention_in_days=int(self.options.flow_logs_retention_days),
            tags=self.tags("flow-logs"),
            opts=self.child(),
        )
        region, account = self.options.region, self.vpc.owner_id
        role = aws.iam.Role(
            f"{self.name}-flow-logs",
            description="Lets the flow logs of one VPC write to their log group",
            assume_role_policy=account.apply(lambda account: json.dumps(flow_logs_trust(region, account))),
            permissions_boundary=self.options.permissions_boundary_arn or None,
            tags=self.tags("flow-logs"),
            opts=self.child(),
        )
        policy = aws.iam.RolePolicy(
            f"{self.name}-flow-logs",
            role=role.id,
            policy=log_group.arn.apply(lambda arn: json.dumps(flow_logs_policy(arn))),
            opts=self.child(),
        )
        aws.ec2.FlowLog(
            f"{self.name}-flow-logs",
            vpc_id=self.vpc.id,
            traffic_type="ALL",
            log_destination=log_group.arn,
            iam_role_arn=role.arn,
            tags=self.tags("flow-logs"),
            opts=self.child(policy),
        )


def flow_logs_trust(region: str, account: str) -> PolicyDocument:
    """Lets VPC flow logs of this account and region, nobody else's, take the role."""
    source = f"arn:{partition(region)}:ec2:{region}:{account}:vpc-flow-log/*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "VpcFlowLogs",
                "Effect": "Allow",
                "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
                "Action": ["sts:AssumeRole"],
                "Condition": {"StringEquals": {"aws:SourceAccount": account}, "ArnLike": {"aws:SourceArn": source}},
            }
        ],
    }


def flow_logs_policy(log_group_arn: str) -> PolicyDocument:
    """Lets flow logs write to their log group.

    Without logs:CreateLogGroup, which AWS's example has: late records would bring a deleted log group back.
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    every_group = f"{log_group_arn.partition(':log-group:')[0]}:log-group:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "WriteRecords",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                "Resource": [log_group_arn, f"{log_group_arn}:*"],
            },
            {
                "Sid": "FindLogGroup",  # a list operation: it cannot be limited to one group
                "Effect": "Allow",
                "Action": ["logs:DescribeLogGroups"],
                "Resource": every_group,
            },
        ],
    }
