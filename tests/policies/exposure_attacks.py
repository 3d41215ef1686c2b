"""Ways to open something to the world, or to leave it unencrypted, that look harmless; and the rule that finds each."""

import json
from collections.abc import Mapping
from typing import Any

from pulumi import StringAsset

from policy_cases import TAGS, launch_template, load_balancer
from policy_world import Made

Attack = tuple[str, list[Made]]
"""The rule, and what it is to find."""

ADMINISTRATION, INGRESS = "refuse-world-administration", "limit-world-ingress"
BALANCERS = "keep-administration-off-load-balancers"
_ANNOTATION = "service.beta.kubernetes.io/"


def one(kind: str, **props: Any) -> list[Made]:
    return [Made(kind, "one", {**props, "tags": TAGS})]


def group(*ingress: Mapping[str, Any], kind: str = "securityGroup:SecurityGroup") -> list[Made]:
    return one(f"aws:ec2/{kind}", ingress=list(ingress))


def ports(first: int, last: int | None = None, protocol: str = "tcp", **sources: Any) -> dict[str, Any]:
    return {"fromPort": first, "toPort": first if last is None else last, "protocol": protocol, **sources}


def ssh(*cidrs: str, **more: Any) -> dict[str, Any]:
    return ports(22, cidrBlocks=list(cidrs), **more)


def service(
    *listed: Mapping[str, Any] | int, api: str = "core/v1:Service", spec: Any = None, **annotations: str
) -> list[Made]:
    given = [{"port": port} if isinstance(port, int) else port for port in listed]
    metadata = {"annotations": {f"{_ANNOTATION}{key.replace('_', '-')}": value for key, value in annotations.items()}}
    props = {"metadata": metadata, "spec": {"type": "LoadBalancer", "ports": given, **(spec or {})}}
    return [Made(f"kubernetes:{api}", "service", props)]


def chart(values: Any, chart: str = "app", kind: str = "helm.sh/v3:Release") -> list[Made]:
    return [Made(f"kubernetes:{kind}", "chart", {"chart": chart, "version": "1.2.3", "values": values})]


def ingress(port: int = 443, backend: int = 80, **annotations: str) -> list[Made]:
    given = {f"alb.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    path = {"path": "/", "backend": {"service": {"name": "app", "port": {"number": backend}}}}
    listening = {"alb.ingress.kubernetes.io/listen-ports": json.dumps([{"HTTPS": port}])}
    props = {"metadata": {"annotations": {**listening, **given}}, "spec": {"rules": [{"http": {"paths": [path]}}]}}
    return [Made("kubernetes:networking.k8s.io/v1:Ingress", "ingress", props)]


def balancer(changes: Mapping[str, Mapping[str, Any]], *more: Made, **props: Any) -> list[Made]:
    return [*(made.changed(changes.get(made.name, {})) for made in load_balancer(**props)), *more]


def entry(first: int, last: int, cidr: str = "0.0.0.0/0", **more: Any) -> dict[str, Any]:
    return {
        "ruleNo": 100,
        "action": "allow",
        "protocol": "tcp",
        "cidrBlock": cidr,
        "fromPort": first,
        "toPort": last,
        **more,
    }


def _security_groups() -> dict[str, Attack]:
    rule, old = (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "aws:ec2/securityGroupRule:SecurityGroupRule",
    )
    halves = [ssh("0.0.0.0/1"), ssh("128.0.0.0/1")]
    eighths = [ssh(f"{first}.0.0.0/8") for first in range(11, 60)]
    return {
        "SSH to half of the world and the other half": (ADMINISTRATION, group(*halves)),
        "SSH to many networks that are the world together": (ADMINISTRATION, group(*eighths)),
        "a database to both halves": (INGRESS, group(ports(5432, cidrBlocks=["0.0.0.0/1", "128.0.0.0/1"]))),
        "SSH to both halves of IPv6": (ADMINISTRATION, group(ports(22, ipv6CidrBlocks=["::/1", "8000::/1"]))),
        "SSH to all of IPv6 that is given out": (ADMINISTRATION, group(ports(22, ipv6CidrBlocks=["2000::/3"]))),
        "SSH in a range of ports": (ADMINISTRATION, group(ports(20, 25, cidrBlocks=["0.0.0.0/0"]))),
        "the Admin Console in a range of ports": (ADMINISTRATION, group(ports(8000, 9000, cidrBlocks=["0.0.0.0/0"]))),
        "RDP": (ADMINISTRATION, group(ports(3389, cidrBlocks=["0.0.0.0/0"]))),
        "RDP over UDP by its number": (ADMINISTRATION, group(ports(3389, protocol="17", cidrBlocks=["0.0.0.0/0"]))),
        "WinRM": (ADMINISTRATION, group(ports(5986, cidrBlocks=["0.0.0.0/0"]))),
        "the Docker socket": (ADMINISTRATION, group(ports(2375, cidrBlocks=["0.0.0.0/0"]))),
        "the kubelet": (ADMINISTRATION, group(ports(10250, cidrBlocks=["0.0.0.0/0"]))),
        "all ports": (ADMINISTRATION, group(ports(0, 65535, cidrBlocks=["0.0.0.0/0"]))),
        "all protocols": (ADMINISTRATION, group(ports(0, protocol="-1", cidrBlocks=["0.0.0.0/0"]))),
        "all protocols by their name": (ADMINISTRATION, group(ports(0, protocol="all", cidrBlocks=["0.0.0.0/0"]))),
        "a netmask in place of a prefix": (ADMINISTRATION, group(ssh("0.0.0.0/0.0.0.0"))),
        "an address of the host in the network": (ADMINISTRATION, group(ssh("203.0.113.7/0"))),
        "the default group": (
            ADMINISTRATION,
            group(ssh("0.0.0.0/0"), kind="defaultSecurityGroup:DefaultSecurityGroup"),
        ),
        "a rule of the old kind": (ADMINISTRATION, one(old, type="ingress", **ssh("0.0.0.0/0"))),
        "a rule of the new kind": (
            ADMINISTRATION,
            [Made(rule, "rule", {"ipProtocol": "tcp", "fromPort": 0, "toPort": 1024, "cidrIpv6": "::/0"})],
        ),
        "a prefix list of halves": (
            INGRESS,
            one(
                "aws:ec2/managedPrefixList:ManagedPrefixList", entries=[{"cidr": "0.0.0.0/1"}, {"cidr": "128.0.0.0/1"}]
            ),
        ),
        "a network ACL": (ADMINISTRATION, one("aws:ec2/networkAcl:NetworkAcl", ingress=[entry(22, 22)])),
        "the default network ACL": (
            ADMINISTRATION,
            one("aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", ingress=[entry(8800, 8800)]),
        ),
        "a rule of a network ACL": (
            ADMINISTRATION,
            [Made("aws:ec2/networkAclRule:NetworkAclRule", "rule", {**entry(20, 25), "ruleAction": "allow"})],
        ),
        "an instance of Lightsail": (
            ADMINISTRATION,
            [Made("aws:lightsail/instancePublicPorts:InstancePublicPorts", "ports", {"portInfos": [ports(22)]})],
        ),
        "an EKS node group with an SSH key": (
            ADMINISTRATION,
            one("aws:eks/nodeGroup:NodeGroup", launchTemplate={"id": "lt-1"}, remoteAccess={"ec2SshKey": "admin"}),
        ),
        "an endpoint open to many networks that are the world together": (
            "limit-endpoint-cidrs",
            one(
                "aws:eks/cluster:Cluster", vpcConfig={"publicAccessCidrs": [f"{one}.0.0.0/8" for one in range(11, 60)]}
            ),
        ),
        "the default subnet": ("keep-private-subnets-private", one("aws:ec2/defaultSubnet:DefaultSubnet")),
        "a public subnet that maps addresses": (
            "keep-private-subnets-private",
            [
                Made(
                    "aws:ec2/subnet:Subnet",
                    "subnet",
                    {"mapPublicIpOnLaunch": True, "tags": {**TAGS, "kubernetes.io/role/elb": "1"}},
                )
            ],
        ),
    }


def _services() -> dict[str, Attack]:
    nginx = {"controller": {"service": {"annotations": {}}}, "tcp": {"22": "git/shell:22"}}
    manifest = {"apiVersion": "v1", "kind": "Service", "spec": {"type": "LoadBalancer", "ports": [{"port": 22}]}}
    return {
        "a Service for SSH": (ADMINISTRATION, service(22)),
        "a Service for the Admin Console": (ADMINISTRATION, service(8800)),
        "a Service on 443 for the Admin Console": (ADMINISTRATION, service({"port": 443, "targetPort": 8800})),
        "a Service on 443 for SSH by its name": (ADMINISTRATION, service({"port": 443, "targetPort": "ssh"})),
        "a Service for a database": (INGRESS, service(5432)),
        "a Service without ports": (ADMINISTRATION, service()),
        "a Service with the world as its sources": (
            ADMINISTRATION,
            service(22, spec={"loadBalancerSourceRanges": ["0.0.0.0/1", "128.0.0.0/1"]}),
        ),
        "a Service with the world as its sources by an annotation": (
            ADMINISTRATION,
            service(22, load_balancer_source_ranges="203.0.113.0/24, 0.0.0.0/0"),
        ),
        "a Service that says that it is not internal": (
            ADMINISTRATION,
            service(22, aws_load_balancer_internal="false"),
        ),
        "a Service of the controller that faces the internet": (
            ADMINISTRATION,
            service(
                22,
                spec={"loadBalancerClass": "service.k8s.aws/nlb"},
                aws_load_balancer_scheme="internet-facing",
            ),
        ),
        "a Service as a custom resource": (ADMINISTRATION, service(22, api="v1:Service")),
        "a patch of a Service": (ADMINISTRATION, service(22, api="core/v1:ServicePatch")),
        "a patch that adds a port": (ADMINISTRATION, service(22, api="core/v1:ServicePatch", spec={"type": None})),
        "a patch as a custom resource": (ADMINISTRATION, service(22, api="v1:ServicePatch")),
        "a list of Services": (
            ADMINISTRATION,
            [Made("kubernetes:core/v1:ServiceList", "list", {"items": [service(80)[0].props, service(22)[0].props]})],
        ),
        "a Service in a chart's values": (
            ADMINISTRATION,
            chart({"shell": {"service": {"type": "LoadBalancer", "port": 22}}}),
        ),
        "a Service in a chart's values with its ports by name": (
            ADMINISTRATION,
            chart(
                {"service": {"type": "LoadBalancer", "ports": {"http": 80, "admin": {"port": 8800}}}},
                kind="helm.sh/v4:Chart",
            ),
        ),
        "a Service in a chart's values that forwards": (
            ADMINISTRATION,
            chart({"service": {"type": "LoadBalancer", "ports": [{"port": 443, "targetPort": 22}]}}),
        ),
        "a manifest in a chart's values": (
            ADMINISTRATION,
            chart({"extraObjects": [manifest]}, kind="helm.sh/v3:Chart"),
        ),
        "a Service in a file of a chart's values": (
            ADMINISTRATION,
            [
                made.changed({"valueYamlFiles": [StringAsset("shell: {service: {type: LoadBalancer, port: 22}}")]})
                for made in chart({})
            ],
        ),
        "SSH through ingress-nginx": (ADMINISTRATION, chart(nginx, "ingress-nginx")),
        "an Ingress that listens for the Admin Console": (ADMINISTRATION, ingress(8800, scheme="internet-facing")),
        "an Ingress that forwards to the Admin Console": (
            ADMINISTRATION,
            ingress(backend=8800, scheme="internet-facing"),
        ),
        "a listener for SSH": (BALANCERS, balancer({"listener": {"port": 22}})),
        "a listener on 443 for SSH": (BALANCERS, balancer({"targets": {"port": 22}})),
        "a listener on 443 for one target's SSH": (
            BALANCERS,
            balancer(
                {},
                Made(
                    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
                    "host",
                    {"port": 22},
                    {"targetGroupArn": "targets"},
                ),
            ),
        ),
        "a rule of a listener for the Admin Console": (
            BALANCERS,
            balancer(
                {},
                Made("aws:lb/targetGroup:TargetGroup", "console", {"port": 8800, "protocol": "HTTPS"}),
                Made("aws:lb/listenerRule:ListenerRule", "rule", {}, {"listenerArn": "listener", "actions": "console"}),
                loadBalancerType="application",
                securityGroups=["sg-1"],
            ),
        ),
        "a listener of a balancer that another stack made": (
            BALANCERS,
            [Made("aws:lb/listener:Listener", "listener", {"port": 22, "loadBalancerArn": "arn:aws:elb"})],
        ),
        "a listener by its older name": (
            BALANCERS,
            [Made("aws:elasticloadbalancingv2/listener:Listener", "listener", {"port": 22})],
        ),
        "an Application Load Balancer whose group is open": (
            BALANCERS,
            [
                Made("aws:ec2/securityGroup:SecurityGroup", "group", {"ingress": [], "tags": TAGS}),
                Made(
                    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
                    "https",
                    {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "0.0.0.0/0"},
                    {"securityGroupId": "group"},
                ),
                *(
                    Made(made.type, made.name, made.props, {"securityGroups": "group"})
                    if made.name == "balancer"
                    else made
                    for made in balancer({"targets": {"port": 8800}}, loadBalancerType="application")
                ),
            ],
        ),
        "a classic load balancer": (
            BALANCERS,
            [
                Made(
                    "aws:elb/loadBalancer:LoadBalancer",
                    "classic",
                    {"listeners": [{"lbPort": 443, "instancePort": 22}], "securityGroups": ["sg-1"]},
                )
            ],
        ),
        "a global accelerator": (
            BALANCERS,
            [
                Made(
                    "aws:globalaccelerator/listener:Listener",
                    "listener",
                    {"portRanges": [{"fromPort": 20, "toPort": 30}]},
                )
            ],
        ),
    }


def _machines() -> dict[str, Attack]:
    spot, configuration = (
        "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
        "aws:ec2/launchConfiguration:LaunchConfiguration",
    )
    fleet = "aws:ec2/spotFleetRequest:SpotFleetRequest"
    kept = {"metadataOptions": {"httpTokens": "required"}, "rootBlockDevice": {"encrypted": True}}
    secret = {**kept, "userData": "#!/bin/bash\nexport ADMIN_PASSWORD=hunter22\n"}
    found: dict[str, Attack] = {}
    for what, kind in (("a spot request", spot), ("a launch configuration", configuration)):
        found |= {
            f"{what} without session tokens": ("require-imdsv2", one(kind, rootBlockDevice={"encrypted": True})),
            f"{what} whose metadata travel": (
                "limit-metadata-hops",
                one(kind, **{**kept, "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2}}),
            ),
            f"{what} with a plain root volume": ("encrypt-volumes", one(kind, metadataOptions=kept["metadataOptions"])),
            f"{what} with a plain further volume": (
                "encrypt-volumes",
                one(kind, **kept, ebsBlockDevices=[{"deviceName": "/dev/sdf"}]),
            ),
            f"{what} with a public address": (
                "refuse-public-addresses",
                one(kind, **kept, associatePublicIpAddress=True),
            ),
            f"{what} with a secret": ("keep-secrets-out-of-user-data", one(kind, **secret)),
        }
    specification = {"rootBlockDevices": [{"encrypted": True}], "associatePublicIpAddress": True}
    return found | {
        "a spot fleet without session tokens": ("require-imdsv2", one(fleet, launchSpecifications=[specification])),
        "a spot fleet with public addresses": (
            "refuse-public-addresses",
            one(fleet, launchSpecifications=[specification]),
        ),
        "a spot fleet with plain volumes": ("encrypt-volumes", one(fleet, launchSpecifications=[{}])),
        "a spot fleet with a secret": (
            "keep-secrets-out-of-user-data",
            one(fleet, launchSpecifications=[{}, {"userData": secret["userData"]}]),
        ),
        "session tokens made optional in the region": (
            "require-imdsv2",
            [Made("aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "all", {"httpTokens": "optional"})],
        ),
        "a template that asks for an address in its second interface": (
            "refuse-public-addresses",
            [
                made.changed({"networkInterfaces": [{}, {"associatePublicIpAddress": "true"}]})
                for made in launch_template()
            ],
        ),
    }


def _stores() -> dict[str, Attack]:
    plain, public, shared = "encrypt-data-stores", "keep-data-stores-private", "refuse-public-sharing"
    everybody = "http://acs.amazonaws.com/groups/global/AllUsers"
    members = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
    policy = json.dumps([{"Rules": [{"ResourceType": "collection"}], "AllowFromPublic": True}])
    connectivity = {"publicAccess": {"type": "SERVICE_PROVIDED_EIPS"}}
    found: dict[str, Attack] = {
        f"an unencrypted {kind}": (plain, [Made(f"aws:{kind.partition(' ')[0]}", "store", props)])
        for kind, props in (
            ("efs/fileSystem:FileSystem", {}),
            ("rds/instance:Instance", {}),
            ("rds/instance:Instance that is a replica of nothing", {"replicateSourceDb": ""}),
            ("rds/cluster:Cluster", {"engine": "aurora-postgresql"}),
            ("rds/globalCluster:GlobalCluster", {}),
            ("docdb/cluster:Cluster", {}),
            ("neptune/cluster:Cluster", {"storageEncrypted": False}),
            ("redshift/cluster:Cluster", {"encrypted": "false"}),
            ("elasticache/replicationGroup:ReplicationGroup", {"engine": "redis"}),
            ("opensearch/domain:Domain", {"vpcOptions": {"subnetIds": ["subnet-1"]}}),
            ("dax/cluster:Cluster", {}),
            ("kinesis/stream:Stream", {}),
            ("ebs/snapshotCopy:SnapshotCopy", {"sourceSnapshotId": "snap-1"}),
            ("ec2/amiCopy:AmiCopy", {"sourceAmiId": "ami-1"}),
            ("ec2/ami:Ami", {"ebsBlockDevices": [{"deviceName": "/dev/sda1", "volumeSize": 8}]}),
            ("ebs/encryptionByDefault:EncryptionByDefault", {"enabled": False}),
        )
    }
    found |= {
        f"a public {kind}": (public, [Made(f"aws:{kind.partition(' ')[0]}", "store", props)])
        for kind, props in (
            ("rds/clusterInstance:ClusterInstance", {"publiclyAccessible": True}),
            ("redshift/cluster:Cluster", {"publiclyAccessible": "true"}),
            ("redshiftserverless/workgroup:Workgroup", {"publiclyAccessible": True}),
            ("dms/replicationInstance:ReplicationInstance", {"publiclyAccessible": True}),
            ("mq/broker:Broker", {"publiclyAccessible": True}),
            ("opensearch/domain:Domain", {"encryptAtRest": {"enabled": True}}),
            ("opensearch/domain:Domain without subnets", {"encryptAtRest": {"enabled": True}, "vpcOptions": {}}),
            ("opensearch/serverlessSecurityPolicy:ServerlessSecurityPolicy", {"type": "network", "policy": policy}),
            ("msk/cluster:Cluster", {"brokerNodeGroupInfo": {"connectivityInfo": connectivity}}),
            ("mwaa/environment:Environment", {"webserverAccessMode": "PUBLIC_ONLY"}),
        )
    }
    grants = {"grants": [{"permission": "READ", "grantee": {"type": "Group", "uri": everybody}}]}
    distribution = {
        "region": "us-east-1",
        "amiDistributionConfiguration": {"launchPermission": {"userGroups": ["all"]}},
    }
    blocks: dict[str, Any] = dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls"), True)
    return found | {
        f"shared with everybody: {what}": (shared, [Made(f"aws:{kind}", "shared", props)])
        for what, kind, props in (
            ("an image", "ec2/amiLaunchPermission:AmiLaunchPermission", {"imageId": "ami-1", "group": "all"}),
            (
                "images that are built",
                "imagebuilder/distributionConfiguration:DistributionConfiguration",
                {"distributions": [distribution]},
            ),
            ("a copy of a snapshot", "rds/snapshotCopy:SnapshotCopy", {"sharedAccounts": ["123456789012", "all"]}),
            ("a cluster's snapshot", "rds/clusterSnapshot:ClusterSnapshot", {"sharedAccounts": ["all"]}),
            (
                "snapshots, once the block is off",
                "ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
                {"state": "unblocked"},
            ),
            (
                "images, once the block is off",
                "ec2/imageBlockPublicAccess:ImageBlockPublicAccess",
                {"state": "unblocked"},
            ),
            (
                "buckets, once the account's block is off",
                "s3/accountPublicAccessBlock:AccountPublicAccessBlock",
                blocks,
            ),
            ("a document", "ssm/document:Document", {"permissions": {"type": "Share", "account_ids": "All"}}),
            ("a bucket by its ACL", "s3/bucketAcl:BucketAcl", {"acl": "public-read"}),
            ("a bucket with every account by its ACL", "s3/bucketAcl:BucketAcl", {"acl": "authenticated-read"}),
            ("a bucket by a grant", "s3/bucketAcl:BucketAcl", {"accessControlPolicy": grants}),
            ("a bucket by its older grants", "s3/bucketV2:BucketV2", {"grants": [{"type": "Group", "uri": members}]}),
            ("an object", "s3/bucketObjectv2:BucketObjectv2", {"acl": "public-read-write"}),
            ("a copied object", "s3/objectCopy:ObjectCopy", {"grants": [{"uri": everybody}]}),
            (
                "an access point",
                "s3/accessPoint:AccessPoint",
                {"publicAccessBlockConfiguration": {"blockPublicPolicy": False}},
            ),
            (
                "an access point of many regions",
                "s3control/multiRegionAccessPoint:MultiRegionAccessPoint",
                {"details": {"publicAccessBlock": {"restrictPublicBuckets": False}}},
            ),
            (
                "an endpoint service",
                "ec2/vpcEndpointService:VpcEndpointService",
                {"allowedPrincipals": ["*"], "acceptanceRequired": False},
            ),
        )
    }


ATTACKS: Mapping[str, Attack] = {**_security_groups(), **_services(), **_machines(), **_stores()}

IN_PRODUCTION: Mapping[str, Attack] = {
    "SSH from a /8": (ADMINISTRATION, group(ssh("12.0.0.0/8"))),
    "SSH from a wide network of IPv6": (ADMINISTRATION, group(ports(22, ipv6CidrBlocks=["2600:1f00::/24"]))),
    "a Service for the Admin Console from a /8": (
        ADMINISTRATION,
        service(8800, spec={"loadBalancerSourceRanges": ["12.0.0.0/8"]}),
    ),
    "SSH from a prefix list with a /8": (
        ADMINISTRATION,
        one("aws:ec2/managedPrefixList:ManagedPrefixList", entries=[{"cidr": "12.0.0.0/8"}]),
    ),
    "the Kubernetes API from a /10": (
        "limit-endpoint-cidrs",
        one("aws:eks/cluster:Cluster", vpcConfig={"publicAccessCidrs": ["12.0.0.0/10"]}),
    ),
    "the Kubernetes API from a wide network of IPv6": (
        "limit-endpoint-cidrs",
        one("aws:eks/cluster:Cluster", vpcConfig={"publicAccessCidrs": ["2600:1f00::/24"]}),
    ),
}
"""What is too wide in a stack marked production only."""
