"""The table: one row per AWS resource type. `table.py` explains the columns."""

from typing import Any
from zlib import crc32

from sandbox.providers import aws_checks as checks
from sandbox.providers import forms
from sandbox.providers.aws_api import Api, find
from sandbox.providers.aws_rows_dns import DNS
from sandbox.providers.aws_rows_events import EVENTS
from sandbox.providers.aws_rows_hosts import HOSTS
from sandbox.providers.aws_rows_storage import STORAGE
from sandbox.providers.aws_rows_watch import WATCH
from sandbox.providers.protocol import Values
from sandbox.providers.table import ANY, Call, Fetch, Row, Tagging, ec2_tags, listing


def _iam_tags(kind: str, member: str, read: bool = False) -> Tagging:
    listing = Fetch(f"List{kind}Tags", {member: "$id"}, "Tags") if read else None
    tag = Call(f"Tag{kind}", {member: "$id", "Tags": "$tags"})
    return Tagging(tag, Call(f"Untag{kind}", {member: "$id", "TagKeys": "$tagKeys"}), read=listing)


def _arn_tags(
    found: str, state: str = "arn", member: str = "resourceArn", recorded: bool = False, outlive: bool = False
) -> Tagging:
    """`found` and `state`: where the ARN stands in AWS's answer and in the outputs."""
    return Tagging(
        tag=Call("TagResource", {member: f"$state.{state}", "tags": "$tags"}, recorded=recorded),
        untag=Call("UntagResource", {member: f"$state.{state}", "tagKeys": "$tagKeys"}, recorded=recorded),
        member="tags",
        names=None,
        read=None if recorded else Fetch("ListTagsForResource", {member: f"$found.{found}"}, "tags"),
        one_by_one=True,  # ministack takes one key a call
        outlive=outlive,
    )


def _attributes(operation: str, id: str, **properties: str) -> tuple[Call, ...]:
    """EC2 changes one attribute a call."""
    return tuple(
        Call(operation, {id: "$id", attribute: {"Value": f"${key}"}}, (key,)) for key, attribute in properties.items()
    )


def _of_clusters(operation: str, path: str, form: str) -> Any:
    def ids(api: Api) -> list[str]:
        clusters = api.call("eks", "ListClusters")["clusters"]
        members = [
            (name, item) for name in clusters for item in find(path, api.call("eks", operation, clusterName=name))
        ]
        return [form.format(name, item) for name, item in members]

    return ids


def _rules(api: Api, egress: bool) -> list[str]:
    groups = api.call("ec2", "DescribeSecurityGroups")["SecurityGroups"]
    default = {group["GroupId"] for group in groups if group["GroupName"] == "default"}
    rules = api.call("ec2", "DescribeSecurityGroupRules")["SecurityGroupRules"]
    own = [rule for rule in rules if rule["IsEgress"] == egress and rule["GroupId"] not in default]
    return [rule["SecurityGroupRuleId"] for rule in own]


_ROUTE_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")


def _route_id(values: Values) -> str:
    destination = next(values[key] for key in _ROUTE_DESTINATIONS if values.get(key))
    return f"r-{values['routeTableId']}{crc32(destination.encode())}"


def _endpoint_association_id(values: Values) -> str:
    return f"a-{values['vpcEndpointId']}{crc32(values['routeTableId'].encode())}"


_RULE_SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")


def _rule(direction: str) -> Row:
    permission = {
        "IpProtocol": "$ipProtocol",
        "FromPort": "$fromPort",
        "ToPort": "$toPort",
        "IpRanges": [{"CidrIp": "$!cidrIpv4", "Description": "$description"}],
        "Ipv6Ranges": [{"CidrIpv6": "$!cidrIpv6", "Description": "$description"}],
        "PrefixListIds": [{"PrefixListId": "$!prefixListId", "Description": "$description"}],
        "UserIdGroupPairs": [{"GroupId": "$!referencedSecurityGroupId", "Description": "$description"}],
    }
    rule = {
        "IpProtocol": "$ipProtocol",
        "FromPort": "$fromPort",
        "ToPort": "$toPort",
        "CidrIpv4": "$cidrIpv4",
        "CidrIpv6": "$cidrIpv6",
        "PrefixListId": "$prefixListId",
        "ReferencedGroupId": "$referencedSecurityGroupId",
        "Description": "$description",
    }
    rules = [{"SecurityGroupRuleId": "$id", "SecurityGroupRule": rule}]
    revoked = {"GroupId": "$securityGroupId", "SecurityGroupRuleIds": ["$id"]}
    return Row(
        "ec2",
        Call(
            f"AuthorizeSecurityGroup{direction}",
            {"GroupId": "$securityGroupId", "IpPermissions": [permission]},
            strict=True,
        ),
        (Fetch("DescribeSecurityGroupRules", {"SecurityGroupRuleIds": ["$id"]}, "SecurityGroupRules[0]"),),
        (Call(f"RevokeSecurityGroup{direction}", revoked),),
        id="SecurityGroupRules[0].SecurityGroupRuleId",
        updates=(
            Call(
                "ModifySecurityGroupRules",
                {"GroupId": "$securityGroupId", "SecurityGroupRules": rules},
                ("ipProtocol", "fromPort", "toPort", "description", *_RULE_SOURCES),
            ),
        ),
        rename={"securityGroupId": "GroupId"},
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:security-group-rule/{id}",
            "referencedSecurityGroupId": "ReferencedGroupInfo.GroupId",
        },
        computed=("fromPort", "toPort"),
        one_of=(_RULE_SOURCES,),
        replace_when=dict.fromkeys(_RULE_SOURCES, checks.other_rule_source),
        returned={"ipProtocol": forms.ip_protocol, "cidrIpv4": forms.cidr, "cidrIpv6": forms.cidr},
        suppressed=("ipProtocol",),
        tags=ec2_tags("security-group-rule"),
        listing=lambda api: _rules(api, direction == "Egress"),
        validate=checks.rule_blocks,
    )


def _permissions(member: str) -> str:
    return (
        f"{member}[].{{protocol: IpProtocol, fromPort: FromPort || `0`, toPort: ToPort || `0`,"
        " cidrBlocks: IpRanges[].CidrIp, ipv6CidrBlocks: Ipv6Ranges[].CidrIpv6,"
        " prefixListIds: PrefixListIds[].PrefixListId, securityGroups: UserIdGroupPairs[].GroupId,"
        " description: [IpRanges, Ipv6Ranges, PrefixListIds, UserIdGroupPairs][][] | [0].Description}"
    )


_GROUP_OUTPUTS = {
    "arn": "arn:{partition}:ec2:{region}:{account}:security-group/{id}",
    "name": "GroupName",
    "ingress": _permissions("IpPermissions"),
    "egress": _permissions("IpPermissionsEgress"),
}
_GROUP_READ = (Fetch("DescribeSecurityGroups", {"GroupIds": ["$id"]}, "SecurityGroups[0]"),)
_ROUTE = (
    "RouteTables[0].Routes[?DestinationCidrBlock=='$destinationCidrBlock' || DestinationCidrBlock=='$destination'"
    " || DestinationIpv6CidrBlock=='$destinationIpv6CidrBlock' || DestinationIpv6CidrBlock=='$destination'"
    " || DestinationPrefixListId=='$destinationPrefixListId'] | [0]"
)
_ROUTE_KEY = {
    "RouteTableId": "$routeTableId",
    "DestinationCidrBlock": "$destinationCidrBlock",
    "DestinationIpv6CidrBlock": "$destinationIpv6CidrBlock",
    "DestinationPrefixListId": "$destinationPrefixListId",
}
_ROUTE_TARGETS = (
    *("gatewayId", "natGatewayId", "egressOnlyGatewayId", "networkInterfaceId", "transitGatewayId"),
    *("vpcEndpointId", "vpcPeeringConnectionId", "carrierGatewayId", "coreNetworkArn", "localGatewayId"),
    "odbNetworkArn",
)
_TEMPLATE_DATA = (
    *("blockDeviceMappings", "capacityReservationSpecification", "cpuOptions", "creditSpecification", "description"),
    *("disableApiStop", "disableApiTermination", "ebsOptimized", "enclaveOptions", "hibernationOptions"),
    *("iamInstanceProfile", "imageId", "instanceInitiatedShutdownBehavior", "instanceMarketOptions", "instanceType"),
    *("instanceRequirements", "kernelId", "keyName", "licenseSpecifications", "maintenanceOptions", "metadataOptions"),
    *("monitoring", "networkInterfaces", "networkPerformanceOptions", "placement", "privateDnsNameOptions"),
    *("ramDiskId", "secondaryInterfaces", "securityGroupNames", "tagSpecifications", "userData", "vpcSecurityGroupIds"),
)
_ON_LAUNCH = {
    "mapPublicIpOnLaunch": "MapPublicIpOnLaunch",
    "assignIpv6AddressOnCreation": "AssignIpv6AddressOnCreation",
    "enableDns64": "EnableDns64",
    "enableResourceNameDnsARecordOnLaunch": "EnableResourceNameDnsARecordOnLaunch",
    "enableResourceNameDnsAaaaRecordOnLaunch": "EnableResourceNameDnsAAAARecordOnLaunch",
}
_IPV6 = "not_null(Ipv6CidrBlockAssociationSet, `[]`)[?!contains(Ipv6CidrBlockState.State, 'dis')] | [0]"

_NETWORK: dict[str, Row] = {
    "aws:ec2/vpc:Vpc": Row(
        "ec2",
        Call("CreateVpc", {"AmazonProvidedIpv6CidrBlock": "$assignGeneratedIpv6CidrBlock"}),
        (
            Fetch("DescribeVpcs", {"VpcIds": ["$id"]}, "Vpcs[0]"),
            Fetch(
                "DescribeVpcAttribute",
                {"VpcId": "$id", "Attribute": "enableDnsSupport"},
                "EnableDnsSupport.Value",
                "enableDnsSupport",
            ),
            Fetch(
                "DescribeVpcAttribute",
                {"VpcId": "$id", "Attribute": "enableDnsHostnames"},
                "EnableDnsHostnames.Value",
                "enableDnsHostnames",
            ),
            Fetch(
                "DescribeRouteTables",
                {"Filters": [{"Name": "vpc-id", "Values": ["$id"]}, {"Name": "association.main", "Values": ["true"]}]},
                "RouteTables[0].RouteTableId",
                "mainRouteTableId",
            ),
            Fetch(
                "DescribeSecurityGroups",
                {"Filters": [{"Name": "vpc-id", "Values": ["$id"]}, {"Name": "group-name", "Values": ["default"]}]},
                "SecurityGroups[0].GroupId",
                "defaultSecurityGroupId",
            ),
            Fetch(
                "DescribeNetworkAcls",
                {"Filters": [{"Name": "vpc-id", "Values": ["$id"]}, {"Name": "default", "Values": ["true"]}]},
                "NetworkAcls[0].NetworkAclId",
                "defaultNetworkAclId",
            ),
        ),
        (Call("DeleteVpc", {"VpcId": "$id"}),),
        id="Vpc.VpcId",
        updates=(
            *_attributes("ModifyVpcAttribute", "VpcId", enableDnsSupport="EnableDnsSupport"),
            *_attributes("ModifyVpcAttribute", "VpcId", enableDnsHostnames="EnableDnsHostnames"),
            *_attributes(
                "ModifyVpcAttribute", "VpcId", enableNetworkAddressUsageMetrics="EnableNetworkAddressUsageMetrics"
            ),
            Call(
                "AssociateVpcCidrBlock",
                {"VpcId": "$id", "AmazonProvidedIpv6CidrBlock": True},
                ("assignGeneratedIpv6CidrBlock",),
                when={"assignGeneratedIpv6CidrBlock": True},
            ),
            Call(
                "DisassociateVpcCidrBlock",
                {"AssociationId": "$state.ipv6AssociationId"},
                ("assignGeneratedIpv6CidrBlock",),
                when={"assignGeneratedIpv6CidrBlock": False, "state.ipv6AssociationId": ANY},
            ),
            Call("ModifyVpcTenancy", {"VpcId": "$id"}, ("instanceTenancy",), when={"instanceTenancy": "default"}),
        ),
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:vpc/{id}",
            "defaultRouteTableId": "mainRouteTableId",
            "assignGeneratedIpv6CidrBlock": f"({_IPV6}) != `null`",
            "ipv6AssociationId": f"({_IPV6}).AssociationId",
            "ipv6CidrBlock": f"({_IPV6}).Ipv6CidrBlock",
        },
        computed=("cidrBlock", "enableDnsHostnames", "enableNetworkAddressUsageMetrics", "ipv6CidrBlock"),
        volatile=("ipv6AssociationId", "ipv6CidrBlock"),
        recorded=("enableNetworkAddressUsageMetrics",),
        # A VPC whose instances are alone on their hardware can be opened, but not the other way round.
        replace_when={"instanceTenancy": lambda before, new: new.get("instanceTenancy") != "default"},
        returned={"cidrBlock": forms.cidr},
        unsupported=("ipv6CidrBlock", "ipv6CidrBlockNetworkBorderGroup", "ipv6IpamPoolId", "ipv6NetmaskLength"),
        defaults={"instanceTenancy": "default", "enableDnsSupport": True},
        tags=ec2_tags("vpc"),
        listing=listing("ec2", "DescribeVpcs", "Vpcs[?!IsDefault].VpcId"),
        validate=checks.vpc_block,
    ),
    "aws:ec2/subnet:Subnet": Row(
        "ec2",
        Call("CreateSubnet"),
        (Fetch("DescribeSubnets", {"SubnetIds": ["$id"]}, "Subnets[0]"),),
        (Call("DeleteSubnet", {"SubnetId": "$id"}),),
        id="Subnet.SubnetId",
        updates=(
            *_attributes(
                "ModifySubnetAttribute",
                "SubnetId",
                **_ON_LAUNCH,
            ),
            Call("ModifySubnetAttribute", {"SubnetId": "$id"}, ("privateDnsHostnameTypeOnLaunch",)),
            Call(
                "DisassociateSubnetCidrBlock",
                {"AssociationId": "$state.ipv6CidrBlockAssociationId"},
                ("ipv6CidrBlock",),
                when={"state.ipv6CidrBlockAssociationId": ANY},
            ),
            Call(
                "AssociateSubnetCidrBlock",
                {"SubnetId": "$id", "Ipv6CidrBlock": "$ipv6CidrBlock"},
                ("ipv6CidrBlock",),
                when={"ipv6CidrBlock": ANY},
            ),
        ),
        outputs={
            "arn": "SubnetArn",
            "ipv6CidrBlockAssociationId": f"({_IPV6}).AssociationId",
            "ipv6CidrBlock": f"({_IPV6}).Ipv6CidrBlock",
            "enableResourceNameDnsARecordOnLaunch": "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord",
            "enableResourceNameDnsAaaaRecordOnLaunch": "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord",
            "privateDnsHostnameTypeOnLaunch": "PrivateDnsNameOptionsOnLaunch.HostnameType",
        },
        defaults=dict.fromkeys(_ON_LAUNCH, False),
        computed=("availabilityZone", "availabilityZoneId", "privateDnsHostnameTypeOnLaunch"),
        volatile=("ipv6CidrBlockAssociationId",),
        # EC2 does not let an IPv6 block go while the subnet gives addresses of it to new interfaces.
        replace_when={"ipv6CidrBlock": lambda before, new: bool(before.get("assignIpv6AddressOnCreation"))},
        returned={"cidrBlock": forms.cidr, "ipv6CidrBlock": forms.cidr},
        recorded=("enableDns64", "enableResourceNameDnsAaaaRecordOnLaunch", "privateDnsHostnameTypeOnLaunch"),
        tags=ec2_tags("subnet"),
        listing=listing("ec2", "DescribeSubnets", "Subnets[?!DefaultForAz].SubnetId"),
        validate=checks.subnet,
        before_create=checks.zone_exists,
        before_delete=checks.subnet_unused,
    ),
    "aws:ec2/internetGateway:InternetGateway": Row(
        "ec2",
        Call("CreateInternetGateway"),
        (Fetch("DescribeInternetGateways", {"InternetGatewayIds": ["$id"]}, "InternetGateways[0]"),),
        (
            Call("DetachInternetGateway", {"InternetGatewayId": "$id", "VpcId": "$vpcId"}, when={"vpcId": ANY}),
            Call("DeleteInternetGateway", {"InternetGatewayId": "$id"}),
        ),
        id="InternetGateway.InternetGatewayId",
        updates=(
            Call(
                "DetachInternetGateway",
                {"InternetGatewayId": "$id", "VpcId": "$old.vpcId"},
                ("vpcId",),
                when={"old.vpcId": ANY},
            ),
            Call("AttachInternetGateway", {"InternetGatewayId": "$id"}, ("vpcId",), when={"vpcId": ANY}),
        ),
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:internet-gateway/{id}",
            "vpcId": "Attachments[0].VpcId",
        },
        computed=("vpcId",),
        tags=ec2_tags("internet-gateway"),
        listing=listing("ec2", "DescribeInternetGateways", "InternetGateways[].InternetGatewayId"),
        before_delete=checks.gateway_unused,
    ),
    "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway": Row(
        "ec2",
        Call("CreateEgressOnlyInternetGateway"),
        (
            Fetch(
                "DescribeEgressOnlyInternetGateways",
                {"EgressOnlyInternetGatewayIds": ["$id"]},
                "EgressOnlyInternetGateways[0]",
            ),
        ),
        (Call("DeleteEgressOnlyInternetGateway", {"EgressOnlyInternetGatewayId": "$id"}),),
        id="EgressOnlyInternetGateway.EgressOnlyInternetGatewayId",
        outputs={"vpcId": "Attachments[0].VpcId"},
        tags=ec2_tags("egress-only-internet-gateway"),
        listing=listing(
            "ec2",
            "DescribeEgressOnlyInternetGateways",
            "EgressOnlyInternetGateways[].EgressOnlyInternetGatewayId",
        ),
    ),
    "aws:ec2/eip:Eip": Row(
        "ec2",
        Call("AllocateAddress"),
        (Fetch("DescribeAddresses", {"AllocationIds": ["$id"]}, "Addresses[0]"),),
        (Call("ReleaseAddress", {"AllocationId": "$id"}),),
        id="AllocationId",
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:elastic-ip/{id}",
            "instance": "InstanceId",
            "publicDns": "public_dns(PublicIp, region)",
        },
        computed=("domain", "instance", "networkBorderGroup", "publicIpv4Pool", "ipamPoolId"),
        hooked=("instance",),
        unsupported=("customerOwnedIpv4Pool",),
        quiet=("associationId", "networkInterface", "instance", "privateIp", "privateDns"),
        tags=ec2_tags("elastic-ip"),
        listing=listing("ec2", "DescribeAddresses", "Addresses[].AllocationId"),
        after_write=checks.associate_address,
        before_delete=checks.address_unused,
    ),
    "aws:ec2/natGateway:NatGateway": Row(
        "ec2",
        Call("CreateNatGateway"),
        (
            Fetch("DescribeNatGateways", {"NatGatewayIds": ["$id"]}, "NatGateways[0]"),
            Fetch(
                "DescribeNatGateways", {"NatGatewayIds": ["$id"]}, "NatGateways[0].NatGatewayAddresses[0]", "address"
            ),
        ),
        (Call("DeleteNatGateway", {"NatGatewayId": "$id"}),),
        id="NatGateway.NatGatewayId",
        outputs={
            "allocationId": "address.AllocationId",
            "associationId": "address.AssociationId",
            "networkInterfaceId": "address.NetworkInterfaceId",
            "privateIp": "address.PrivateIp",
            "publicIp": "address.PublicIp",
        },
        computed=("privateIp", "vpcId", "availabilityMode"),
        unsupported=("availabilityZoneAddresses", "secondaryAllocationIds", "secondaryPrivateIpAddresses"),
        defaults={"connectivityType": "public"},
        alive="State!='deleted'",
        settled="State=='available'",
        tags=ec2_tags("natgateway"),
        listing=listing("ec2", "DescribeNatGateways", "NatGateways[?State!='deleted'].NatGatewayId"),
        before_create=checks.internet_gateway_attached,
        after_delete=checks.nat_gateway_deleted,
    ),
    "aws:ec2/routeTable:RouteTable": Row(
        "ec2",
        Call("CreateRouteTable"),
        (Fetch("DescribeRouteTables", {"RouteTableIds": ["$id"]}, "RouteTables[0]"),),
        (Call("DeleteRouteTable", {"RouteTableId": "$id"}),),
        id="RouteTable.RouteTableId",
        outputs={"arn": "arn:{partition}:ec2:{region}:{account}:route-table/{id}"},
        quiet=("routes", "propagatingVgws"),
        tags=ec2_tags("route-table"),
        listing=listing("ec2", "DescribeRouteTables", "RouteTables[?!(Associations[?Main])].RouteTableId"),
    ),
    "aws:ec2/route:Route": Row(
        "ec2",
        Call("CreateRoute"),
        (Fetch("DescribeRouteTables", {"RouteTableIds": ["$routeTableId"]}, _ROUTE),),
        (Call("DeleteRoute", _ROUTE_KEY),),
        id=_route_id,
        import_id="{routeTableId}_{destination}",
        updates=(Call("ReplaceRoute", _ROUTE_KEY, _ROUTE_TARGETS),),
        one_of=(_ROUTE_DESTINATIONS, _ROUTE_TARGETS),
        returned=dict.fromkeys(("destinationCidrBlock", "destinationIpv6CidrBlock"), forms.cidr),
        suppressed=("destinationIpv6CidrBlock",),
        rename={"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"},
        outputs={"routeTableId": "routeTableId"},
        validate=checks.route_blocks,
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Row(
        "ec2",
        Call("AssociateRouteTable"),
        (
            Fetch(
                "DescribeRouteTables",
                {},
                "RouteTables[].Associations[] | [?SubnetId=='$subnetId' || GatewayId=='$gatewayId'"
                " || RouteTableAssociationId=='$id'] | [0]",
            ),
        ),
        (Call("DisassociateRouteTable", {"AssociationId": "$id"}),),
        id="AssociationId",
        import_id="{subnetId}/{routeTableId}",
        identify="RouteTableAssociationId",
        one_of=(("subnetId", "gatewayId"),),
        listing=listing(
            "ec2", "DescribeRouteTables", "RouteTables[].Associations[] | [?!Main].RouteTableAssociationId"
        ),
        updates=(
            Call(
                "ReplaceRouteTableAssociation",
                {"AssociationId": "$id", "RouteTableId": "$routeTableId"},
                ("routeTableId",),
            ),
        ),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": Row(
        "ec2",
        Call("CreateVpcEndpoint"),
        (
            Fetch("DescribeVpcEndpoints", {"VpcEndpointIds": ["$id"]}, "VpcEndpoints[0]"),
            Fetch(
                "DescribePrefixLists",
                {"Filters": [{"Name": "prefix-list-name", "Values": ["$found.ServiceName"]}]},
                "PrefixLists[?PrefixListName=='$found.ServiceName'] | [0].PrefixListId",
                "prefixListId",
            ),
        ),
        (Call("DeleteVpcEndpoints", {"VpcEndpointIds": ["$id"]}),),
        id="VpcEndpoint.VpcEndpointId",
        updates=(
            *(
                Call(
                    "ModifyVpcEndpoint",
                    {"VpcEndpointId": "$id", f"Add{member}": f"$added.{key}", f"Remove{member}": f"$removed.{key}"},
                    (key,),
                )
                for key, member in (
                    ("routeTableIds", "RouteTableIds"),
                    ("subnetIds", "SubnetIds"),
                    ("securityGroupIds", "SecurityGroupIds"),
                )
            ),
            Call("ModifyVpcEndpoint", {"VpcEndpointId": "$id"}, ("policy",), when={"policy": ANY}),
            Call(
                "ModifyVpcEndpoint", {"VpcEndpointId": "$id", "ResetPolicy": True}, ("policy",), when={"policy": None}
            ),
            Call("ModifyVpcEndpoint", {"VpcEndpointId": "$id"}, ("privateDnsEnabled",)),
            Call(
                "ModifyVpcEndpoint", {"VpcEndpointId": "$id"}, ("ipAddressType", "dnsOptions", "subnetConfigurations")
            ),
        ),
        rename={"policy": "PolicyDocument"},
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:vpc-endpoint/{id}",
            "securityGroupIds": "Groups[].GroupId",
            "privateDnsEnabled": "VpcEndpointType=='Interface' && PrivateDnsEnabled",
        },
        computed=(
            *("routeTableIds", "securityGroupIds", "subnetIds", "policy", "privateDnsEnabled", "ipAddressType"),
            *("dnsOptions", "serviceRegion", "subnetConfigurations"),
        ),
        volatile=("networkInterfaceIds",),
        quiet=("routeTableIds",),
        replace=("dnsOptions.privateDnsPreference", "dnsOptions.privateDnsSpecifiedDomains"),
        replace_when={"privateDnsEnabled": lambda before, new: new.get("vpcEndpointType") != "Interface"},
        local=("autoAccept",),
        recorded=("ipAddressType", "dnsOptions", "privateDnsEnabled"),
        defaults={"vpcEndpointType": "Gateway"},
        alive="State!='deleted'",
        settled="State=='available'",
        tags=ec2_tags("vpc-endpoint"),
        listing=listing("ec2", "DescribeVpcEndpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId"),
        validate=checks.resource_policy,
    ),
    "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation": Row(
        "ec2",
        Call("ModifyVpcEndpoint", {"AddRouteTableIds": ["$routeTableId"]}),
        (
            Fetch(
                "DescribeVpcEndpoints",
                {"VpcEndpointIds": ["$vpcEndpointId"]},
                "VpcEndpoints[0].RouteTableIds[?@=='$routeTableId'] | [0]",
                "routeTableId",
            ),
        ),
        (Call("ModifyVpcEndpoint", {"VpcEndpointId": "$vpcEndpointId", "RemoveRouteTableIds": ["$routeTableId"]}),),
        id=_endpoint_association_id,
        import_id="{vpcEndpointId}/{routeTableId}",
        outputs={"vpcEndpointId": "vpcEndpointId"},
    ),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": Row(
        "ec2",
        Call(
            "DescribeSecurityGroups",
            {"Filters": [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": ["$!vpcId"]}]},
            strict=True,
        ),
        _GROUP_READ,
        (),  # AWS does not let it be deleted: it only leaves the state
        id="SecurityGroups[0].GroupId",
        outputs=_GROUP_OUTPUTS,
        computed=("vpcId",),
        hooked=("ingress", "egress"),
        local=("revokeRulesOnDelete",),
        tags=ec2_tags(""),
        validate=checks.no_self_rules,
        after_write=checks.default_group_rules,
    ),
    "aws:ec2/securityGroup:SecurityGroup": Row(
        "ec2",
        Call("CreateSecurityGroup", {"GroupName": "$name"}),
        _GROUP_READ,
        (Call("DeleteSecurityGroup", {"GroupId": "$id"}),),
        id="GroupId",
        name="name",
        outputs=_GROUP_OUTPUTS,
        computed=("vpcId",),
        hooked=("ingress", "egress"),
        quiet=("ingress", "egress"),
        local=("revokeRulesOnDelete", "namePrefix"),
        defaults={"description": "Managed by Pulumi"},
        tags=ec2_tags("security-group"),
        listing=listing("ec2", "DescribeSecurityGroups", "SecurityGroups[?GroupName!='default'].GroupId"),
        validate=checks.no_self_rules,
        after_write=checks.group_rules,
        before_delete=checks.group_unused,
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule("Ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule("Egress"),
    "aws:ec2/flowLog:FlowLog": Row(
        "ec2",
        Call("CreateFlowLogs", {"ResourceIds": ["$vpcId"], "ResourceType": "VPC"}),
        (Fetch("DescribeFlowLogs", {"FlowLogIds": ["$id"]}, "FlowLogs[0]"),),
        (Call("DeleteFlowLogs", {"FlowLogIds": ["$id"]}),),
        id="FlowLogIds[0]",
        rename={"iamRoleArn": "DeliverLogsPermissionArn"},
        outputs={"arn": "arn:{partition}:ec2:{region}:{account}:vpc-flow-log/{id}", "vpcId": "ResourceId"},
        computed=("logDestination", "logFormat"),
        returned={"logDestination": forms.without_stream},
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
        tags=ec2_tags("vpc-flow-log"),
        listing=listing("ec2", "DescribeFlowLogs", "FlowLogs[].FlowLogId"),
    ),
    "aws:ec2/tag:Tag": Row(
        "ec2",
        Call("CreateTags", {"Resources": ["$resourceId"], "Tags": [{"Key": "$key", "Value": "$value"}]}, strict=True),
        (
            Fetch(
                "DescribeTags",
                {"Filters": [{"Name": "resource-id", "Values": ["$resourceId"]}, {"Name": "key", "Values": ["$key"]}]},
                "Tags[0]",
            ),
        ),
        (Call("DeleteTags", {"Resources": ["$resourceId"], "Tags": [{"Key": "$key"}]}),),
        id="{resourceId},{key}",
        updates=(
            Call(
                "CreateTags", {"Resources": ["$resourceId"], "Tags": [{"Key": "$key", "Value": "$value"}]}, ("value",)
            ),
        ),
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": Row(
        "ec2",
        Call(
            "CreateLaunchTemplate",
            {"LaunchTemplateName": "$name", "VersionDescription": "$description"},
            into="LaunchTemplateData",
        ),
        (
            Fetch("DescribeLaunchTemplates", {"LaunchTemplateIds": ["$id"]}, "LaunchTemplates[0]"),
            Fetch(
                "DescribeLaunchTemplateVersions",
                {"LaunchTemplateId": "$id", "Versions": ["$Latest"]},
                "LaunchTemplateVersions[0] | merge(LaunchTemplateData, {description: VersionDescription})",
            ),
        ),
        (Call("DeleteLaunchTemplate", {"LaunchTemplateId": "$id"}),),
        id="LaunchTemplate.LaunchTemplateId",
        name="name",
        updates=(
            Call(
                "CreateLaunchTemplateVersion",
                {"LaunchTemplateId": "$id", "VersionDescription": "$description"},
                _TEMPLATE_DATA,
                into="LaunchTemplateData",
            ),
            Call(
                "ModifyLaunchTemplate",
                {"LaunchTemplateId": "$id", "DefaultVersion": "$defaultVersion"},
                ("defaultVersion",),
                when={"defaultVersion": ANY},
            ),
        ),
        rename={
            "name": "LaunchTemplateName",
            "vpcSecurityGroupIds": "SecurityGroupIds",
            "securityGroupNames": "SecurityGroups",
            "networkInterfaces.securityGroups": "Groups",
        },
        outputs={
            "arn": "arn:{partition}:ec2:{region}:{account}:launch-template/{id}",
            "defaultVersion": "DefaultVersionNumber",
            "latestVersion": "LatestVersionNumber",
            "tagSpecifications": "TagSpecifications[?ResourceType!='launch-template']",
        },
        computed=("defaultVersion",),
        volatile=("latestVersion", "defaultVersion"),
        hooked=("updateDefaultVersion",),
        local=("updateDefaultVersion", "namePrefix"),
        tags=ec2_tags("launch-template", listed=True),  # moto shows those of the creation only
        listing=listing("ec2", "DescribeLaunchTemplates", "LaunchTemplates[].LaunchTemplateId"),
        after_write=checks.template_default_version,
    ),
}

_IDENTITY: dict[str, Row] = {
    "aws:iam/role:Role": Row(
        "iam",
        Call("CreateRole"),
        (Fetch("GetRole", {"RoleName": "$id"}, "Role"),),
        (Call("DeleteRole", {"RoleName": "$id"}),),
        id="{name}",
        name="name",
        longest_name=64,
        updates=(
            Call(
                "UpdateAssumeRolePolicy",
                {"RoleName": "$id", "PolicyDocument": "$assumeRolePolicy"},
                ("assumeRolePolicy",),
            ),
            Call("UpdateRole", {"RoleName": "$id"}, ("description", "maxSessionDuration")),
            Call(
                "PutRolePermissionsBoundary",
                {"RoleName": "$id"},
                ("permissionsBoundary",),
                when={"permissionsBoundary": ANY},
            ),
            Call(
                "DeleteRolePermissionsBoundary",
                {"RoleName": "$id"},
                ("permissionsBoundary",),
                when={"permissionsBoundary": None},
            ),
        ),
        rename={"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"},
        outputs={"permissionsBoundary": "PermissionsBoundary.PermissionsBoundaryArn", "uniqueId": "RoleId"},
        quiet=("managedPolicyArns", "inlinePolicies"),
        local=("forceDetachPolicies", "namePrefix"),
        defaults={"maxSessionDuration": 3600, "path": "/"},
        tags=_iam_tags("Role", "RoleName"),
        listing=listing("iam", "ListRoles", "Roles[].RoleName"),
        validate=checks.trust_policy,
        before_delete=checks.detach_policies,
    ),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Row(
        "iam",
        Call("AttachRolePolicy", {"RoleName": "$role"}),
        (Fetch("ListAttachedRolePolicies", {"RoleName": "$role"}, "AttachedPolicies[?PolicyArn=='$policyArn'] | [0]"),),
        (Call("DetachRolePolicy", {"RoleName": "$role", "PolicyArn": "$policyArn"}),),
        id="{role}/{policyArn}",
        outputs={"role": "role"},
        # Created first, the new attachment would be the one that the deletion then takes away:
        # https://github.com/pulumi/pulumi-aws/blob/master/provider/resource_overrides.go
        delete_first=True,
    ),
    "aws:iam/rolePolicy:RolePolicy": Row(
        "iam",
        Call("PutRolePolicy", {"RoleName": "$role"}),
        (Fetch("GetRolePolicy", {"RoleName": "$role", "PolicyName": "$name"}, "@"),),
        (Call("DeleteRolePolicy", {"RoleName": "$role", "PolicyName": "$name"}),),
        id="{role}:{name}",
        name="name",
        updates=(Call("PutRolePolicy", {"RoleName": "$role", "PolicyName": "$name"}, ("policy",)),),
        rename={"name": "PolicyName", "policy": "PolicyDocument"},
        outputs={"role": "RoleName"},
        local=("namePrefix",),
        validate=checks.inline_policy,
    ),
    "aws:iam/policy:Policy": Row(
        "iam",
        Call("CreatePolicy"),
        (
            Fetch("GetPolicy", {"PolicyArn": "$id"}, "Policy"),
            Fetch(
                "GetPolicyVersion",
                {"PolicyArn": "$id", "VersionId": "$found.DefaultVersionId"},
                "PolicyVersion.Document",
                "PolicyDocument",
            ),
        ),
        (Call("DeletePolicy", {"PolicyArn": "$id"}),),
        id="Policy.Arn",
        name="name",
        updates=(
            Call(
                "CreatePolicyVersion",
                {"PolicyArn": "$id", "PolicyDocument": "$policy", "SetAsDefault": True},
                ("policy",),
            ),
        ),
        rename={"name": "PolicyName", "policy": "PolicyDocument"},
        quiet=("attachmentCount",),
        local=("delayAfterPolicyCreationInMs", "namePrefix"),
        defaults={"path": "/"},
        tags=_iam_tags("Policy", "PolicyArn"),
        listing=listing("iam", "ListPolicies", "Policies[].Arn", Scope="Local"),
        validate=checks.managed_policy,
        before_update=checks.prune_policy_versions,
    ),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Row(
        "iam",
        Call("CreateOpenIDConnectProvider"),
        (Fetch("GetOpenIDConnectProvider", {"OpenIDConnectProviderArn": "$id"}, "@"),),
        (Call("DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": "$id"}),),
        id="OpenIDConnectProviderArn",
        updates=(
            Call(
                "UpdateOpenIDConnectProviderThumbprint",
                {"OpenIDConnectProviderArn": "$id"},
                ("thumbprintLists",),
                when={"thumbprintLists": ANY},
            ),
        ),
        outputs={"arn": "id"},
        computed=("thumbprintLists",),
        ordered=("thumbprintLists",),
        returned={"url": forms.without_scheme},
        suppressed=("url",),
        hooked=("clientIdLists",),
        tags=_iam_tags("OpenIDConnectProvider", "OpenIDConnectProviderArn"),
        listing=listing("iam", "ListOpenIDConnectProviders", "OpenIDConnectProviderList[].Arn"),
        after_write=checks.oidc_clients,
    ),
    "aws:iam/instanceProfile:InstanceProfile": Row(
        "iam",
        Call("CreateInstanceProfile"),
        (Fetch("GetInstanceProfile", {"InstanceProfileName": "$id"}, "InstanceProfile"),),
        (
            Call(
                "RemoveRoleFromInstanceProfile",
                {"InstanceProfileName": "$id", "RoleName": "$role"},
                when={"role": ANY},
            ),
            Call("DeleteInstanceProfile", {"InstanceProfileName": "$id"}),
        ),
        id="{name}",
        name="name",
        updates=(
            Call(
                "RemoveRoleFromInstanceProfile",
                {"InstanceProfileName": "$id", "RoleName": "$old.role"},
                ("role",),
                when={"old.role": ANY},
            ),
            Call(
                "AddRoleToInstanceProfile",
                {"InstanceProfileName": "$id", "RoleName": "$role"},
                ("role",),
                when={"role": ANY},
            ),
        ),
        rename={"name": "InstanceProfileName"},
        outputs={"role": "Roles[0].RoleName", "uniqueId": "InstanceProfileId"},
        local=("namePrefix",),
        defaults={"path": "/"},
        tags=_iam_tags("InstanceProfile", "InstanceProfileName"),
        listing=listing("iam", "ListInstanceProfiles", "InstanceProfiles[].InstanceProfileName"),
    ),
    "aws:kms/key:Key": Row(
        "kms",
        Call("CreateKey", {"KeySpec": "$customerMasterKeySpec"}),
        (
            Fetch("DescribeKey", {"KeyId": "$id"}, "KeyMetadata"),
            Fetch("GetKeyRotationStatus", {"KeyId": "$id"}, "@"),
            Fetch("GetKeyPolicy", {"KeyId": "$id", "PolicyName": "default"}, "Policy", "Policy"),
        ),
        (Call("ScheduleKeyDeletion", {"KeyId": "$id", "PendingWindowInDays": "$deletionWindowInDays"}),),
        id="KeyMetadata.KeyId",
        updates=(
            Call("EnableKey", {"KeyId": "$id"}, ("isEnabled",), when={"isEnabled": True}),
            Call("UpdateKeyDescription", {"KeyId": "$id"}, ("description",)),
            Call("PutKeyPolicy", {"KeyId": "$id", "PolicyName": "default"}, ("policy",), when={"policy": ANY}),
            Call(
                "EnableKeyRotation",
                {"KeyId": "$id", "RotationPeriodInDays": "$rotationPeriodInDays"},
                ("enableKeyRotation", "rotationPeriodInDays"),
                when={"enableKeyRotation": True},
            ),
            Call("DisableKeyRotation", {"KeyId": "$id"}, ("enableKeyRotation",), when={"enableKeyRotation": False}),
            Call("DisableKey", {"KeyId": "$id"}, ("isEnabled",), when={"isEnabled": False}),
        ),
        outputs={
            "customerMasterKeySpec": "KeySpec",
            "enableKeyRotation": "KeyRotationEnabled",
            "isEnabled": "Enabled",
            "rotationPeriodInDays": "KeyRotationEnabled && RotationPeriodInDays || `null`",
        },
        computed=("description", "policy", "rotationPeriodInDays", "multiRegion"),
        local=("bypassPolicyLockoutSafetyCheck", "deletionWindowInDays"),
        recorded=("rotationPeriodInDays",),
        defaults={"customerMasterKeySpec": "SYMMETRIC_DEFAULT", "isEnabled": True, "keyUsage": "ENCRYPT_DECRYPT"},
        alive="KeyState!='PendingDeletion'",
        tags=Tagging(
            tag=Call("TagResource", {"KeyId": "$id", "Tags": "$tags"}),
            untag=Call("UntagResource", {"KeyId": "$id", "TagKeys": "$tagKeys"}),
            names=("TagKey", "TagValue"),
            read=Fetch("ListResourceTags", {"KeyId": "$id"}, "Tags"),
        ),
        listing=listing("kms", "ListKeys", "Keys[].KeyId"),
        validate=checks.resource_policy,
    ),
    "aws:kms/alias:Alias": Row(
        "kms",
        Call("CreateAlias"),
        (Fetch("ListAliases", {}, "Aliases[?AliasName=='$id'] | [0]"),),
        (Call("DeleteAlias", {"AliasName": "$id"}),),
        id="{name}",
        name="name",
        longest_name=238,
        name_format="alias/{}",
        updates=(Call("UpdateAlias", {"AliasName": "$id"}, ("targetKeyId",)),),
        rename={"name": "AliasName"},
        outputs={
            "targetKeyArn": "arn:{partition}:kms:{region}:{account}:key/{TargetKeyId}",
        },
        returned={"targetKeyId": forms.key_id},
        suppressed=("targetKeyId",),
        local=("namePrefix",),
        listing=listing("kms", "ListAliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Row(
        "logs",
        Call("CreateLogGroup"),
        (Fetch("DescribeLogGroups", {"logGroupNamePrefix": "$id"}, "logGroups[?logGroupName=='$id'] | [0]"),),
        (Call("DeleteLogGroup", {"logGroupName": "$id"}, when={"skipDestroy": False}),),
        id="{name}",
        name="name",
        updates=(
            Call("PutRetentionPolicy", {"logGroupName": "$id"}, ("retentionInDays",), when={"retentionInDays": ANY}),
            Call("DeleteRetentionPolicy", {"logGroupName": "$id"}, ("retentionInDays",), when={"retentionInDays": 0}),
            Call("AssociateKmsKey", {"logGroupName": "$id"}, ("kmsKeyId",), when={"kmsKeyId": ANY}),
            Call("DisassociateKmsKey", {"logGroupName": "$id"}, ("kmsKeyId",), when={"kmsKeyId": None}),
            Call(
                "PutLogGroupDeletionProtection",
                {"logGroupIdentifier": "$id", "deletionProtectionEnabled": "$deletionProtectionEnabled"},
                ("deletionProtectionEnabled",),
                recorded=True,
            ),
        ),
        rename={"name": "logGroupName"},
        outputs={"arn": "logGroupArn"},
        computed=("logGroupClass", "deletionProtectionEnabled"),
        local=("skipDestroy", "namePrefix"),
        recorded=("logGroupClass", "deletionProtectionEnabled"),
        tags=_arn_tags("logGroupArn", outlive=True),
        listing=listing("logs", "DescribeLogGroups", "logGroups[].logGroupName"),
    ),
}

_NODE_GROUP_KEY = {"clusterName": "$clusterName", "nodegroupName": "$nodeGroupName"}
_NODE_GROUP_TEMPLATE = {
    "id": "$launchTemplate.id",
    "name": "$launchTemplate.name",
    "version": "$launchTemplate.version",
}

_EKS: dict[str, Row] = {
    "aws:eks/cluster:Cluster": Row(
        "eks",
        Call(
            "CreateCluster",
            {"logging": {"clusterLogging": [{"types": "$!enabledClusterLogTypes", "enabled": True}]}},
        ),
        (Fetch("DescribeCluster", {"name": "$id"}, "cluster"),),
        (Call("DeleteCluster", {"name": "$id"}),),
        id="{name}",
        name="name",
        updates=(
            Call("UpdateClusterVersion", {"name": "$id", "version": "$version"}, ("version",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("vpcConfig",), recorded=True),
            Call(
                "UpdateClusterConfig",
                {
                    "name": "$id",
                    "logging": {
                        "clusterLogging": [
                            {"types": "$!enabledClusterLogTypes", "enabled": True},
                            {"types": "$!removed.enabledClusterLogTypes", "enabled": False},
                        ]
                    },
                },
                ("enabledClusterLogTypes",),
                recorded=True,
            ),
            Call("UpdateClusterConfig", {"name": "$id"}, ("accessConfig",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("upgradePolicy",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("deletionProtection",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("zonalShiftConfig",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("remoteNetworkConfig",), recorded=True),
            Call("UpdateClusterConfig", {"name": "$id"}, ("controlPlaneScalingConfig",), recorded=True),
            Call(
                "UpdateClusterConfig",  # EKS takes what Auto Mode consists of together
                {
                    "name": "$id",
                    "kubernetesNetworkConfig": {
                        "elasticLoadBalancing": "$kubernetesNetworkConfig.elasticLoadBalancing"
                    },
                },
                ("computeConfig", "storageConfig", "kubernetesNetworkConfig.elasticLoadBalancing"),
                recorded=True,
            ),
            Call(
                "AssociateEncryptionConfig",
                {"clusterName": "$id", "encryptionConfig": ["$encryptionConfig"]},
                ("encryptionConfig",),
                when={"encryptionConfig": ANY, "old.encryptionConfig": None},
            ),
        ),
        replace=("accessConfig.bootstrapClusterCreatorAdminPermissions",),
        replace_when={
            "encryptionConfig": lambda before, new: not new.get("encryptionConfig"),
            "computeConfig.nodeRoleArn": lambda before, new: bool(find("computeConfig.nodeRoleArn", before)),
        },
        inert=("encryptionConfig",),
        unsupported=(
            *("outpostConfig", "kubeApiServerConfig", "kubeControllerManagerConfig", "kubeSchedulerConfig"),
            "kubernetesNetworkConfig.serviceIpv6Cidr",
        ),
        rename={"vpcConfig": "resourcesVpcConfig"},
        outputs={"enabledClusterLogTypes": "logging.clusterLogging[?enabled].types[]"},
        computed=(
            *("version", "accessConfig", "kubernetesNetworkConfig", "upgradePolicy", "deletionProtection"),
            *("vpcConfig.clusterSecurityGroupId", "vpcConfig.vpcId", "vpcConfig.publicAccessCidrs"),
            *("kubernetesNetworkConfig.serviceIpv4Cidr", "kubernetesNetworkConfig.serviceIpv6Cidr"),
        ),
        volatile=("platformVersion",),
        hooked=("vpcConfig.clusterSecurityGroupId",),
        local=("forceUpdateVersion",),
        recorded=(
            *("deletionProtection", "upgradePolicy", "bootstrapSelfManagedAddons", "zonalShiftConfig"),
            *("computeConfig", "storageConfig", "remoteNetworkConfig", "controlPlaneScalingConfig"),
            *("kubernetesNetworkConfig.ipFamily", "kubernetesNetworkConfig.elasticLoadBalancing"),
        ),
        defaults={
            "bootstrapSelfManagedAddons": True,
            "accessConfig.bootstrapClusterCreatorAdminPermissions": True,
            "vpcConfig.endpointPublicAccess": True,
        },
        settled="status=='ACTIVE'",
        tags=_arn_tags("arn"),
        listing=listing("eks", "ListClusters", "clusters"),
        validate=checks.service_block,
        before_create=checks.cluster_prerequisites,
        before_update=checks.cluster_update,
        after_write=checks.cluster_created,
        before_delete=checks.cluster_deletable,
        after_delete=checks.cluster_deleted,
    ),
    "aws:eks/addon:Addon": Row(
        "eks",
        Call("CreateAddon", {"resolveConflicts": "$resolveConflictsOnCreate"}),
        (Fetch("DescribeAddon", {"clusterName": "$clusterName", "addonName": "$addonName"}, "addon"),),
        (
            Call(
                "DeleteAddon",
                {"clusterName": "$clusterName", "addonName": "$addonName", "preserve": "$preserve"},
            ),
        ),
        id="{clusterName}:{addonName}",
        updates=(
            Call(
                "UpdateAddon",
                {
                    "clusterName": "$clusterName",
                    "addonName": "$addonName",
                    "resolveConflicts": "$resolveConflictsOnUpdate",
                },
                ("addonVersion", "configurationValues", "serviceAccountRoleArn", "podIdentityAssociations"),
            ),
        ),
        outputs={"arn": "addonArn"},
        computed=("addonVersion", "configurationValues"),
        volatile=("modifiedAt",),
        local=("resolveConflictsOnCreate", "resolveConflictsOnUpdate", "preserve"),
        settled="status=='ACTIVE'",
        tags=_arn_tags("addonArn"),
        listing=_of_clusters("ListAddons", "addons", "{}:{}"),
        validate=checks.addon_version,
        before_create=checks.addon_roles_exist,
        before_update=checks.addon_roles_exist,
    ),
    "aws:eks/nodeGroup:NodeGroup": Row(
        "eks",
        Call("CreateNodegroup"),
        (Fetch("DescribeNodegroup", _NODE_GROUP_KEY, "nodegroup"),),
        (Call("DeleteNodegroup", _NODE_GROUP_KEY),),
        id="{clusterName}:{nodeGroupName}",
        name="nodeGroupName",
        updates=(
            Call("UpdateNodegroupConfig", _NODE_GROUP_KEY, ("scalingConfig",), recorded=True),
            Call(
                "UpdateNodegroupConfig",
                {**_NODE_GROUP_KEY, "labels": {"addOrUpdateLabels": "$labels", "removeLabels": "$removed.labels"}},
                ("labels",),
                recorded=True,
            ),
            Call(
                "UpdateNodegroupConfig",
                {
                    **_NODE_GROUP_KEY,
                    "taints": {"addOrUpdateTaints": "$added.taints", "removeTaints": "$removed.taints"},
                },
                ("taints",),
                recorded=True,
            ),
            Call("UpdateNodegroupConfig", _NODE_GROUP_KEY, ("updateConfig",), recorded=True),
            Call("UpdateNodegroupConfig", _NODE_GROUP_KEY, ("nodeRepairConfig",), recorded=True),
            Call("UpdateNodegroupConfig", _NODE_GROUP_KEY, ("warmPoolConfig",), recorded=True),
            Call(
                "UpdateNodegroupVersion",
                {**_NODE_GROUP_KEY, "launchTemplate": _NODE_GROUP_TEMPLATE, "force": "$forceUpdateVersion"},
                ("version", "releaseVersion", "launchTemplate.version"),
                recorded=True,
            ),
        ),
        rename={
            "nodeRoleArn": "nodeRole",
            "subnetIds": "subnets",
            "nodeGroupName": "nodegroupName",
            "remoteAccess.sourceSecurityGroupIds": "sourceSecurityGroups",
        },
        outputs={"arn": "nodegroupArn"},
        computed=(
            *("amiType", "capacityType", "diskSize", "instanceTypes", "releaseVersion", "version", "updateConfig"),
            *("nodeRepairConfig", "launchTemplate.name", "launchTemplate.id"),
        ),
        ordered=("instanceTypes",),
        local=("forceUpdateVersion", "nodeGroupNamePrefix"),
        recorded=("launchTemplate", "updateConfig", "nodeRepairConfig", "remoteAccess", "warmPoolConfig"),
        settled="status=='ACTIVE'",
        tags=_arn_tags("nodegroupArn"),
        listing=_of_clusters("ListNodegroups", "nodegroups", "{}:{}"),
        validate=checks.scaling,
        before_create=checks.node_group_prerequisites,
    ),
    "aws:eks/accessEntry:AccessEntry": Row(
        "eks",
        Call("CreateAccessEntry"),
        (
            Fetch(
                "DescribeAccessEntry", {"clusterName": "$clusterName", "principalArn": "$principalArn"}, "accessEntry"
            ),
        ),
        (Call("DeleteAccessEntry", {"clusterName": "$clusterName", "principalArn": "$principalArn"}),),
        id="{clusterName}:{principalArn}",
        updates=(
            Call(
                "UpdateAccessEntry",
                {"clusterName": "$clusterName", "principalArn": "$principalArn"},
                ("kubernetesGroups", "userName"),
            ),
        ),
        computed=("kubernetesGroups", "userName"),
        volatile=("modifiedAt",),
        defaults={"type": "STANDARD"},
        tags=_arn_tags("accessEntryArn", "accessEntryArn"),
        listing=_of_clusters("ListAccessEntries", "accessEntries", "{}:{}"),
    ),
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": Row(
        "eks",
        Call("AssociateAccessPolicy"),
        (
            Fetch(
                "ListAssociatedAccessPolicies",
                {"clusterName": "$clusterName", "principalArn": "$principalArn"},
                "associatedAccessPolicies[?policyArn=='$policyArn'] | [0]",
            ),
        ),
        (
            Call(
                "DisassociateAccessPolicy",
                {"clusterName": "$clusterName", "principalArn": "$principalArn", "policyArn": "$policyArn"},
            ),
        ),
        id="{clusterName}#{principalArn}#{policyArn}",
        outputs={"clusterName": "clusterName", "principalArn": "principalArn"},
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": Row(
        "eks",
        Call("CreatePodIdentityAssociation"),
        (
            Fetch(
                "DescribePodIdentityAssociation",
                {"clusterName": "$clusterName", "associationId": "$id"},
                "association",
            ),
        ),
        (Call("DeletePodIdentityAssociation", {"clusterName": "$clusterName", "associationId": "$id"}),),
        id="association.associationId",
        import_id="{clusterName},{id}",
        identify="associationId",
        updates=(
            Call(
                "UpdatePodIdentityAssociation",
                {"clusterName": "$clusterName", "associationId": "$id"},
                ("roleArn", "disableSessionTags", "targetRoleArn", "policy"),
            ),
        ),
        volatile=("externalId",),
        tags=_arn_tags("associationArn", "associationArn", recorded=True),
        listing=_of_clusters("ListPodIdentityAssociations", "associations[].associationId", "{},{}"),
        before_create=checks.pod_role_exists,
        before_update=checks.pod_role_exists,
    ),
}

ROWS: dict[str, Row] = {**_NETWORK, **_IDENTITY, **_EKS, **STORAGE, **HOSTS, **DNS, **EVENTS, **WATCH}


def recorded() -> dict[str, list[str]]:
    """Per resource type: the properties and operations that AWS has and neither emulator keeps."""
    table: dict[str, list[str]] = {}
    for token, row in ROWS.items():
        calls = [row.create, *row.updates, *([row.tags.tag, row.tags.untag] if row.tags else []), *row.delete]
        kept = dict.fromkeys(call.operation for call in calls if call.recorded or row.kept)
        names = [*row.recorded, *kept]
        if names:
            table[token] = names
    return table
