"""What AWS refuses and the emulators let pass, and the few writes that are more than a call."""

import ipaddress
import json
import re
from collections.abc import Iterator
from typing import Any
from zlib import crc32

from sandbox.providers.aws_api import Api, Thing, find
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values, items_of

Problems = Iterator[tuple[str, str]]
_NUMBER, _PART = r"(?:0|[1-9]\d*)", r"[0-9A-Za-z-]+"
_ADDON_VERSION = re.compile(rf"v{_NUMBER}(\.{_NUMBER}){{2}}(-{_PART}(\.{_PART})*)?(\+{_PART}(\.{_PART})*)?")
_PRIVATE = [ipaddress.ip_network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
MANAGED_POLICY_LIMIT, INLINE_POLICY_LIMIT = 6144, 10240


# What can be judged from the inputs alone, in a preview too.


def subnet(inputs: Values) -> Problems:
    zone = inputs.get("availabilityZone")
    if isinstance(zone, str) and not zone.startswith(inputs["region"]):
        yield "availabilityZone", f"{zone} is not in region {inputs['region']}"
    yield from network_address(inputs, "cidrBlock", 4)
    yield from network_address(inputs, "ipv6CidrBlock", 6)


def vpc_block(inputs: Values) -> Problems:
    yield from network_address(inputs, "cidrBlock", 4, 16, 28)


def rule_blocks(inputs: Values) -> Problems:
    yield from network_address(inputs, "cidrIpv4", 4)
    yield from network_address(inputs, "cidrIpv6", 6)


def route_blocks(inputs: Values) -> Problems:
    yield from network_address(inputs, "destinationCidrBlock", 4)
    yield from network_address(inputs, "destinationIpv6CidrBlock", 6)


def service_block(inputs: Values) -> Problems:
    """`service_ipv4_cidr` in terraform-provider-aws, internal/service/eks/cluster.go."""
    network = inputs.get("kubernetesNetworkConfig") or {}
    if network is UNKNOWN or not isinstance(text := network.get("serviceIpv4Cidr"), str):
        return
    path = "kubernetesNetworkConfig.serviceIpv4Cidr"
    yield from ((path, reason) for _, reason in network_address(network, "serviceIpv4Cidr", 4, 12, 24))
    block = _block(text)
    if block and block.version == 4 and not any(block.network_address in private for private in _PRIVATE):
        yield path, f"{text} does not lie in {', '.join(map(str, _PRIVATE))}"


def network_address(inputs: Values, key: str, version: int, shortest: int = 0, longest: int = 128) -> Problems:
    """`ValidIPv4CIDRNetworkAddress`, its sibling and `IsCIDRNetwork` of the provider: a network of that family, without
    host bits, with a prefix within the limits."""
    text = inputs.get(key)
    if not isinstance(text, str):
        return
    block = _block(text)
    if block is None:
        yield key, f"{text!r} is not a CIDR block"
        return
    if block.version != version:
        yield key, f"{text} is not a block of IPv{version}"
        return
    if str(block.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
        yield key, f"{text} is not the address of a network: write {block}"
    if not shortest <= block.prefixlen <= longest:
        yield key, f"{text} is not from /{shortest} to /{longest} long"


def _block(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """As Go reads one: with a prefix, in digits."""
    if not re.fullmatch(r"[^/]+/[0-9]+", text):
        return None
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def addon_version(inputs: Values) -> Problems:
    """`addon_version` in terraform-provider-aws, internal/service/eks/addon.go."""
    version = inputs.get("addonVersion")
    if isinstance(version, str) and not _ADDON_VERSION.fullmatch(version):
        yield "addonVersion", f"{version!r} is not a semantic version after a v, such as v1.20.4-eksbuild.1"


def other_rule_source(before: Values, new: Values) -> bool:
    """A rule's peer can change its value, not its kind: `ModifyPlan` in terraform-provider-aws,
    internal/service/ec2/vpc_security_group_ingress_rule.go."""
    kinds = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
    return [bool(before.get(kind)) for kind in kinds] != [bool(new.get(kind)) for kind in kinds]


def trust_policy(inputs: Values) -> Problems:
    yield from policy("assumeRolePolicy", inputs["assumeRolePolicy"], 2048, "Principal")


def managed_policy(inputs: Values) -> Problems:
    yield from policy("policy", inputs["policy"], MANAGED_POLICY_LIMIT, "Resource")


def inline_policy(inputs: Values) -> Problems:
    yield from policy("policy", inputs["policy"], INLINE_POLICY_LIMIT, "Resource")


def resource_policy(inputs: Values) -> Problems:
    if inputs.get("policy"):
        yield from policy("policy", inputs["policy"], 32768, "Principal")


def policy(key: str, text: Any, limit: int, needed: str) -> Problems:
    if text is UNKNOWN:
        return
    try:
        document = json.loads(text)
        statements = document["Statement"]
        statements = statements if isinstance(statements, list) else [statements]
    except (ValueError, TypeError, LookupError):
        yield key, "is not a policy document in JSON with a Statement"
        return
    size = len(re.sub(r"\s", "", text))  # AWS does not count white space
    if size > limit:
        yield key, f"has {size} characters without white space; AWS allows {limit}"
    for index, statement in enumerate(statements):
        if not isinstance(statement, dict) or not {needed, f"Not{needed}"} & set(statement):
            yield key, f"statement {index} has no {needed}"
        elif not {"Action", "NotAction"} & set(statement):
            yield key, f"statement {index} has no Action"


def scaling(inputs: Values) -> Problems:
    sizes = inputs["scalingConfig"]
    if sizes is UNKNOWN or UNKNOWN in (values := [sizes.get(key) for key in ("minSize", "desiredSize", "maxSize")]):
        return
    if not values[0] <= values[1] <= values[2]:
        yield "scalingConfig", "minSize <= desiredSize <= maxSize does not hold: " + ", ".join(map(str, values))
    if inputs.get("launchTemplate") and inputs.get("diskSize"):
        yield "diskSize", "cannot be set beside launchTemplate: the disk belongs into the template"


def no_self_rules(inputs: Values) -> Problems:
    for key in ("ingress", "egress"):
        for index, rule in enumerate(items_of(inputs.get(key))):
            if rule is not UNKNOWN and rule.get("self"):
                yield f"{key}[{index}].self", "is not supported by the embedded cloud: use a rule resource"


# Against what the account holds.


def zone_exists(api: Api, thing: Thing) -> None:
    zone = thing.inputs.get("availabilityZone")
    known = api.look("AvailabilityZones[].ZoneName", "ec2", "DescribeAvailabilityZones")
    if zone and zone not in known:
        raise ProviderError(f"InvalidParameterValue: {zone} is not an availability zone of {api.region}: {known}")


def internet_gateway_attached(api: Api, thing: Thing) -> None:
    if thing.inputs.get("connectivityType") == "private":
        return
    subnet = thing.inputs.get("subnetId")
    vpc = api.look("Subnets[0].VpcId", "ec2", "DescribeSubnets", SubnetIds=[subnet])
    gateways = described(api, "DescribeInternetGateways", "InternetGateways", "attachment.vpc-id", vpc or "")
    if vpc and not gateways:
        raise ProviderError(f"Network {vpc} has no Internet gateway attached: a public NAT gateway needs one")


def subnet_unused(api: Api, thing: Thing) -> None:
    users = [eni["NetworkInterfaceId"] for eni in _interfaces(api, "subnet-id", thing.id)]
    users += [
        nat["NatGatewayId"]
        for nat in api.call("ec2", "DescribeNatGateways")["NatGateways"]
        if nat.get("SubnetId") == thing.id and nat["State"] != "deleted"
    ]
    users += [name for name, subnets, _ in _clusters(api) if thing.id in subnets]
    users += [name for name, subnets in _node_groups(api) if thing.id in subnets]
    _refuse_if_used("subnet", thing.id, users)


def group_unused(api: Api, thing: Thing) -> None:
    users = [eni["NetworkInterfaceId"] for eni in _interfaces(api, "group-id", thing.id)]
    users += [name for name, _, groups in _clusters(api) if thing.id in groups]
    rules = api.call("ec2", "DescribeSecurityGroupRules")["SecurityGroupRules"]
    users += [
        f"a rule of {rule['GroupId']}"
        for rule in rules
        if rule["GroupId"] != thing.id and find("ReferencedGroupInfo.GroupId", rule) == thing.id
    ]
    _refuse_if_used("security group", thing.id, users)


def gateway_unused(api: Api, thing: Thing) -> None:
    vpc = thing.state.get("vpcId")
    nats = [
        nat["NatGatewayId"]
        for nat in api.call("ec2", "DescribeNatGateways")["NatGateways"]
        if vpc and nat.get("VpcId") == vpc and nat["State"] != "deleted" and nat.get("ConnectivityType") != "private"
    ]
    _refuse_if_used("network with mapped public addresses", thing.id, nats)


def associate_address(api: Api, thing: Thing) -> None:
    """An elastic IP goes over to another instance, wherever it was."""
    instance = thing.inputs.get("instance")
    if not instance and not (thing.old or {}).get("instance"):
        return
    address = api.call("ec2", "DescribeAddresses", AllocationIds=[thing.id])["Addresses"][0]
    if address.get("InstanceId") == instance:
        return
    if association := address.get("AssociationId"):
        api.look("@", "ec2", "DisassociateAddress", AssociationId=association)
    if instance:
        api.call("ec2", "AssociateAddress", AllocationId=thing.id, InstanceId=instance)


def address_unused(api: Api, thing: Thing) -> None:
    if thing.inputs.get("instance"):
        associate_address(api, Thing(thing.type, thing.id, {}, thing.state, thing.inputs))
    association = api.look("Addresses[0].AssociationId", "ec2", "DescribeAddresses", AllocationIds=[thing.id])
    nats = api.call("ec2", "DescribeNatGateways")["NatGateways"]
    users = [
        nat["NatGatewayId"]
        for nat in nats
        if nat["State"] != "deleted" and find(f"NatGatewayAddresses[?AllocationId=='{thing.id}'] | [0]", nat)
    ]
    if users or association:
        raise ProviderError(f"InvalidIPAddress.InUse: {thing.id} is in use by {', '.join(users) or association}")


def detach_policies(api: Api, thing: Thing) -> None:
    if thing.inputs.get("forceDetachPolicies"):
        attached = api.call("iam", "ListAttachedRolePolicies", RoleName=thing.id)["AttachedPolicies"]
        for policy in attached:
            api.call("iam", "DetachRolePolicy", RoleName=thing.id, PolicyArn=policy["PolicyArn"])


def cluster_prerequisites(api: Api, thing: Thing) -> None:
    role_exists(api, thing.inputs["roleArn"])
    config = thing.inputs["vpcConfig"]
    subnets = _subnets(api, config["subnetIds"])
    networks, zones = {subnet["VpcId"] for subnet in subnets}, {subnet["AvailabilityZone"] for subnet in subnets}
    if len(networks) != 1:
        raise ProviderError(f"InvalidParameterException: subnets of one VPC are needed, not of {sorted(networks)}")
    if len(zones) < 2:
        raise ProviderError("InvalidParameterException: Subnets specified must be in at least two different AZs")
    for group in config.get("securityGroupIds") or []:
        if not described(api, "DescribeSecurityGroups", "SecurityGroups", "group-id", group):
            raise ProviderError(f"InvalidParameterException: the security group {group} does not exist")
    key = find("encryptionConfig.provider.keyArn", thing.inputs)
    if key and api.look("KeyMetadata.Enabled", "kms", "DescribeKey", KeyId=key) is not True:
        raise ProviderError(f"InvalidParameterException: the key {key} does not exist or is not enabled")


def cluster_update(api: Api, thing: Thing) -> None:
    old = thing.old or {}
    before, after = old.get("version"), thing.inputs.get("version")
    if before and after and before != after:
        steps = [re.fullmatch(r"(\d+)\.(\d+)", text) for text in (before, after)]
        numbers = [(int(step[1]), int(step[2])) for step in steps if step]
        if len(numbers) < 2 or numbers[1] != (numbers[0][0], numbers[0][1] + 1):
            raise ProviderError(
                f"InvalidParameterException: Unsupported Kubernetes minor version update {before} to {after}"
            )
    zones = [
        {subnet["AvailabilityZone"] for subnet in _subnets(api, values["vpcConfig"]["subnetIds"])}
        for values in (old, thing.inputs)
    ]
    if zones[0] != zones[1]:
        raise ProviderError(
            "InvalidParameterException: Provided subnets belong to different AZs than those at creation: "
            f"{sorted(zones[1])}, not {sorted(zones[0])}"
        )


def cluster_created(api: Api, thing: Thing) -> None:
    """EKS makes the group that control plane and nodes share, and tags it."""
    if find("vpcConfig.clusterSecurityGroupId", thing.record):
        return
    vpc = _subnets(api, thing.inputs["vpcConfig"]["subnetIds"])[0]["VpcId"]
    group = cluster_group(api, thing.id)  # where EKS failed at it before, it goes on with it
    if group is None:
        about = "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes"
        name = f"eks-cluster-sg-{thing.id}-{crc32(vpc.encode()):010}"
        group = api.call("ec2", "CreateSecurityGroup", GroupName=name, Description=about, VpcId=vpc)
    id = group["GroupId"]
    if not group.get("IpPermissions"):
        rules = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": id}]}]
        api.call("ec2", "AuthorizeSecurityGroupIngress", GroupId=id, IpPermissions=rules)
    tags = {"aws:eks:cluster-name": thing.id, f"kubernetes.io/cluster/{thing.id}": "owned"}
    api.cloud.system_tag(id, tags | {"Name": f"eks-cluster-sg-{thing.id}"}, api.region)
    thing.record["vpcConfig"] = thing.record.get("vpcConfig", {}) | {"clusterSecurityGroupId": id, "vpcId": vpc}


def cluster_deletable(api: Api, thing: Thing) -> None:
    if thing.state.get("deletionProtection"):
        raise ProviderError(f"InvalidRequestException: cluster {thing.id} has deletion protection: turn it off first")
    groups = api.call("eks", "ListNodegroups", clusterName=thing.id)["nodegroups"]
    if groups:
        raise ProviderError(f"ResourceInUseException: Cluster has nodegroups attached: {', '.join(groups)}")
    for addon in api.call("eks", "ListAddons", clusterName=thing.id)["addons"]:
        api.call("eks", "DeleteAddon", clusterName=thing.id, addonName=addon)  # EKS does it, the emulator does not


def cluster_deleted(api: Api, thing: Thing) -> None:
    if group := cluster_group(api, thing.id):
        api.call("ec2", "DeleteSecurityGroup", GroupId=group["GroupId"])


def node_group_prerequisites(api: Api, thing: Thing) -> None:
    inputs = thing.inputs
    role_exists(api, inputs["nodeRoleArn"])
    networks = {subnet["VpcId"] for subnet in _subnets(api, inputs["subnetIds"])}
    cluster = api.call("eks", "DescribeCluster", name=inputs["clusterName"])["cluster"]
    home = {subnet["VpcId"] for subnet in _subnets(api, cluster["resourcesVpcConfig"]["subnetIds"])}
    if networks != home:
        raise ProviderError(
            f"InvalidParameterException: subnets of {sorted(networks)}, but the cluster is in {sorted(home)}"
        )
    if template := inputs.get("launchTemplate"):
        by = {"LaunchTemplateId": template["id"]} if template.get("id") else {"LaunchTemplateName": template["name"]}
        versions = [str(template.get("version") or "$Default")]
        if not api.look("LaunchTemplateVersions[0]", "ec2", "DescribeLaunchTemplateVersions", Versions=versions, **by):
            raise ProviderError(f"InvalidRequestException: launch template {by} has no version {versions[0]}")


def addon_roles_exist(api: Api, thing: Thing) -> None:
    roles = [item["roleArn"] for item in thing.inputs.get("podIdentityAssociations") or []]
    for role in [*roles, thing.inputs.get("serviceAccountRoleArn")]:
        role_exists(api, role)


def pod_role_exists(api: Api, thing: Thing) -> None:
    role_exists(api, thing.inputs["roleArn"])


def role_exists(api: Api, arn: str | None) -> None:
    if arn and api.look("Role.Arn", "iam", "GetRole", RoleName=arn.rsplit("/", 1)[-1]) != arn:
        raise ProviderError(f"InvalidParameterException: the role {arn} does not exist")


# Writes that are more than a call.


def default_group_rules(api: Api, thing: Thing) -> None:
    """Adopting the default group takes its rules away."""
    for key in ("ingress", "egress"):
        _write_rules(api, thing.id, key, thing.inputs.get(key) or [])


def group_rules(api: Api, thing: Thing) -> None:
    """Rules stay with the rule resources unless they are written inline; a new group loses AWS's open egress."""
    for key in ("ingress", "egress"):
        if key in thing.inputs or key in (thing.old or {}) or (key == "egress" and thing.old is None):
            _write_rules(api, thing.id, key, thing.inputs.get(key) or [])


def nat_gateway_deleted(api: Api, thing: Thing) -> None:
    """AWS releases the gateway's address and takes its network interface away, moto does not."""
    if association := thing.state.get("associationId"):
        api.look("@", "ec2", "DisassociateAddress", AssociationId=association)
    if interface := thing.state.get("networkInterfaceId"):
        api.look("@", "ec2", "DeleteNetworkInterface", NetworkInterfaceId=interface)


def _write_rules(api: Api, group: str, key: str, rules: list[Values]) -> None:
    direction, member = (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress"))[key == "egress"]
    existing = api.look(f"SecurityGroups[0].{member}", "ec2", "DescribeSecurityGroups", GroupIds=[group])
    wanted = [_permission(rule) for rule in rules]
    if existing:
        api.call("ec2", f"RevokeSecurityGroup{direction}", GroupId=group, IpPermissions=existing)
    if wanted:
        api.call("ec2", f"AuthorizeSecurityGroup{direction}", GroupId=group, IpPermissions=wanted)


def _permission(rule: Values) -> Values:
    about = {"Description": rule["description"]} if rule.get("description") else {}
    members = {
        "IpRanges": ("CidrIp", "cidrBlocks"),
        "Ipv6Ranges": ("CidrIpv6", "ipv6CidrBlocks"),
        "PrefixListIds": ("PrefixListId", "prefixListIds"),
        "UserIdGroupPairs": ("GroupId", "securityGroups"),
    }
    sources = {
        member: [{name: value, **about} for value in rule[key]]
        for member, (name, key) in members.items()
        if rule.get(key)
    }
    ports = {} if rule["protocol"] == "-1" else {"FromPort": rule["fromPort"], "ToPort": rule["toPort"]}
    return {"IpProtocol": rule["protocol"], **ports, **sources}


def template_default_version(api: Api, thing: Thing) -> None:
    if thing.inputs.get("updateDefaultVersion"):
        template = api.call("ec2", "DescribeLaunchTemplates", LaunchTemplateIds=[thing.id])["LaunchTemplates"][0]
        latest = template["LatestVersionNumber"]
        if template["DefaultVersionNumber"] != latest:
            api.call("ec2", "ModifyLaunchTemplate", LaunchTemplateId=thing.id, DefaultVersion=str(latest))


def prune_policy_versions(api: Api, thing: Thing) -> None:
    """IAM keeps five versions: the oldest makes room."""
    versions = api.call("iam", "ListPolicyVersions", PolicyArn=thing.id)["Versions"]
    old = sorted((v["VersionId"] for v in versions if not v["IsDefaultVersion"]), key=lambda id: int(id[1:]))
    if len(old) >= 4:
        api.call("iam", "DeletePolicyVersion", PolicyArn=thing.id, VersionId=old[0])


def oidc_clients(api: Api, thing: Thing) -> None:
    if thing.old is None:
        return
    now, before = set(thing.inputs["clientIdLists"]), set(thing.old["clientIdLists"])
    calls = {
        "AddClientIDToOpenIDConnectProvider": now - before,
        "RemoveClientIDFromOpenIDConnectProvider": before - now,
    }
    for operation, ids in calls.items():
        for client in sorted(ids):
            api.call("iam", operation, OpenIDConnectProviderArn=thing.id, ClientID=client)


def _refuse_if_used(what: str, id: str, users: list[str]) -> None:
    if users:
        raise ProviderError(f"DependencyViolation: the {what} {id!r} has dependencies: {', '.join(users)}")


def described(api: Api, operation: str, member: str, filter_name: str, value: str) -> list[Values]:
    return api.look(member, "ec2", operation, Filters=[{"Name": filter_name, "Values": [value]}]) or []


def _interfaces(api: Api, filter_name: str, value: str) -> list[Values]:
    return described(api, "DescribeNetworkInterfaces", "NetworkInterfaces", filter_name, value)


def _subnets(api: Api, ids: list[str]) -> list[Values]:
    found = api.look("Subnets", "ec2", "DescribeSubnets", SubnetIds=ids)
    if found is None or len(found) != len(set(ids)):
        raise ProviderError(f"InvalidParameterException: not all of the subnets {', '.join(ids)} exist")
    return found


def cluster_group(api: Api, cluster: str) -> Values | None:
    """The security group that EKS made for a cluster, tagged or not yet."""
    if tagged := described(api, "DescribeSecurityGroups", "SecurityGroups", "tag:aws:eks:cluster-name", cluster):
        return tagged[0]
    name = re.compile(rf"eks-cluster-sg-{re.escape(cluster)}-\d{{10}}")
    groups = api.call("ec2", "DescribeSecurityGroups")["SecurityGroups"]
    return next((group for group in groups if name.fullmatch(group["GroupName"])), None)


def _clusters(api: Api) -> list[tuple[str, list[str], list[str]]]:
    """Name, subnets and security groups of each cluster."""
    names = api.call("eks", "ListClusters")["clusters"]
    configs = {name: api.call("eks", "DescribeCluster", name=name)["cluster"]["resourcesVpcConfig"] for name in names}
    return [(f"cluster {name}", c.get("subnetIds", []), c.get("securityGroupIds", [])) for name, c in configs.items()]


def _node_groups(api: Api) -> list[tuple[str, list[str]]]:
    return [
        (f"node group {cluster}/{name}", group.get("subnets", []))
        for cluster in api.call("eks", "ListClusters")["clusters"]
        for name in api.call("eks", "ListNodegroups", clusterName=cluster)["nodegroups"]
        for group in [api.call("eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]]
    ]
