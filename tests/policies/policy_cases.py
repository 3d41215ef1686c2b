"""For each rule what is compliant, and every way in which tests break it.

`COMPLIANT` makes the resources of a rule; the first one is broken. A `Case` is one break, and what the rule says of it.
"""

import base64
import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policy_world import ABSENT, STACK_TYPE, Made

TAGS = {"project": "eks-analytics", "stack": "test", "environment": "test", "owner": "data-platform"}
ZONES = ("us-east-1a", "us-east-1b")
PUBLIC, PRIVATE = "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"


@dataclass(frozen=True)
class Case:
    """One break of one rule."""

    rule: str
    slug: str
    problem: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    of: str = ""
    """Name of the resource that is broken; the first one where empty."""
    about: str = ""
    """Name of the resource that the rule complains of, where it is another one."""
    without: Sequence[str] = ()
    """Names of resources that are left out."""
    more: Sequence[Made] = ()
    """Further resources."""
    base: str = ""
    """Another rule, whose compliant resources are broken."""
    protect: bool | None = None
    production: bool = False
    program: str = ""
    """Cases with the same word go into one program on the engine."""

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.slug}"

    def resources(self) -> list[Made]:
        made = [one for one in COMPLIANT[self.base or self.rule]() if one.name not in self.without]
        name = self.of or made[0].name
        broken = [one.changed(self.changes) if one.name == name else one for one in made]
        if self.protect is not None:
            broken = [replace(one, protect=self.protect) if one.name == name else one for one in broken]
        return [*broken, *self.more]


def document(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": "Test", "Effect": "Allow", "Action": action, "Resource": resource, **more}


# Network


def group() -> list[Made]:
    ingress = {
        "fromPort": 443,
        "toPort": 443,
        "protocol": "tcp",
        "cidrBlocks": ["0.0.0.0/0"],
        "ipv6CidrBlocks": ["::/0"],
    }
    ssh = {"fromPort": 22, "toPort": 22, "protocol": "tcp", "cidrBlocks": ["203.0.113.0/24"]}
    path_mtu = {"fromPort": 3, "toPort": 4, "protocol": "icmp", "cidrBlocks": ["0.0.0.0/0"]}
    http = {"fromPort": 80, "toPort": 80, "protocol": "TCP", "cidrBlocks": ["0.0.0.0/0"]}
    opened = [ingress, ssh, path_mtu, http]
    return [Made("aws:ec2/securityGroup:SecurityGroup", "group", {"ingress": opened, "tags": TAGS})]


def group_rule(**props: Any) -> Made:
    return Made("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "rule", props)


def old_group_rule(**props: Any) -> Made:
    return Made("aws:ec2/securityGroupRule:SecurityGroupRule", "old-rule", {"type": "ingress", **props})


def prefix_list(cidr: str) -> Made:
    props = {"addressFamily": "IPv4", "maxEntries": 2, "entries": [{"cidr": "203.0.113.0/24"}, {"cidr": cidr}]}
    return Made("aws:ec2/managedPrefixList:ManagedPrefixList", "offices", props)


def default_group() -> list[Made]:
    return [Made("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "default", {"ingress": [], "egress": []})]


def vpc() -> list[Made]:
    """A VPC with a public and a private subnet in two zones, a NAT gateway in each, and a flow log."""
    made = [Made("aws:ec2/vpc:Vpc", "vpc", {"cidrBlock": "10.0.0.0/16", "tags": TAGS})]
    for zone in ZONES:
        for role, tag in (("public", PUBLIC), ("private", PRIVATE)):
            props = {"availabilityZone": zone, "tags": {**TAGS, tag: "1"}, "mapPublicIpOnLaunch": False}
            made.append(Made("aws:ec2/subnet:Subnet", f"{role}-{zone}", props, {"vpcId": "vpc"}))
        refs = {"subnetId": f"public-{zone}"}
        made.append(Made("aws:ec2/natGateway:NatGateway", f"nat-{zone}", {"tags": TAGS}, refs))
    return [*made, Made("aws:ec2/flowLog:FlowLog", "log", {"trafficType": "ALL"}, {"vpcId": "vpc"})]


def private_subnet() -> list[Made]:
    props = {"availabilityZone": ZONES[0], "mapPublicIpOnLaunch": False, "tags": TAGS}
    return [Made("aws:ec2/subnet:Subnet", "subnet", props)]


# Hosts


def launch_template() -> list[Made]:
    props = {
        "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeSize": 100}}],
        "networkInterfaces": [{"associatePublicIpAddress": "false"}],
        "userData": encoded("#!/bin/bash\nTOKEN=$(curl -X PUT metadata)\nADMIN_PASSWORD=__FROM_SECRETS_MANAGER__\n"),
        "tags": TAGS,
    }
    return [Made("aws:ec2/launchTemplate:LaunchTemplate", "template", props)]


def instance(**props: Any) -> Made:
    volume = {"rootBlockDevice": {"encrypted": True}, "metadataOptions": {"httpTokens": "required"}, "tags": TAGS}
    return Made("aws:ec2/instance:Instance", "instance", {**volume, **props})


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# Load balancers


def load_balancer(**props: Any) -> list[Made]:
    """A Network Load Balancer for everybody that forwards HTTPS."""
    kind = {"loadBalancerType": "network", "internal": False, **props}
    return [
        Made("aws:lb/loadBalancer:LoadBalancer", "balancer", kind),
        Made("aws:lb/targetGroup:TargetGroup", "targets", {"port": 443, "protocol": "TCP"}),
        Made(
            "aws:lb/listener:Listener",
            "listener",
            {"port": 443, "protocol": "TCP"},
            {"loadBalancerArn": "balancer", "defaultActions": "targets"},
        ),
    ]


# Settings


def function(**variables: str) -> list[Made]:
    environment = {"variables": {"LOG_LEVEL": "info", "SECRET_NAME": "prod/db", **variables}}
    return [Made("aws:lambda/function:Function", "function", {"environment": environment, "tags": TAGS})]


def outputs(**more: Any) -> list[Made]:
    known = {"cluster_name": "analytics", "admin_password_secret": "prod/dash", "token_command": "aws eks get-token"}
    return [Made(STACK_TYPE, "small-test", {**known, **more})]


# Clusters


def node_group(**props: Any) -> Made:
    template = {"launchTemplate": {"id": "lt-1", "version": "1"}, "tags": TAGS}
    return Made("aws:eks/nodeGroup:NodeGroup", "nodes", {**template, **props})


def cluster() -> list[Made]:
    props = {
        "name": "analytics",
        "version": "1.35",
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "encryptionConfig": {"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:::key/one"}},
        "enabledClusterLogTypes": ["api", "audit", "authenticator", "controllerManager", "scheduler"],
        "vpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["203.0.113.0/24"]},
        "upgradePolicy": {"supportType": "STANDARD"},
        "deletionProtection": True,
        "tags": TAGS,
    }
    return [Made("aws:eks/cluster:Cluster", "cluster", props, protect=True)]


def addon() -> list[Made]:
    props = {"addonName": "vpc-cni", "addonVersion": "v1.22.4-eksbuild.3", "tags": TAGS}
    return [Made("aws:eks/addon:Addon", "addon", props)]


# Identity


def policy() -> list[Made]:
    statements = (
        allow(["ec2:DescribeInstances", "ssmmessages:OpenDataChannel"]),
        allow("s3:PutObject", "arn:aws:s3:::files/*"),
        allow("ec2:CreateTags", Condition={"StringEquals": {"ec2:CreateAction": "RunInstances"}}),
        allow("iam:PassRole", "arn:aws:iam::123456789012:role/node", Condition=PASSED_TO_EC2),
        allow(["xray:PutTraceSegments", "ecr:BatchCheckLayerAvailability", "s3:listAllMyBuckets"]),
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:aws:s3:::files/*"},
        {**allow("*"), "Effect": "Deny"},
    )
    return [Made("aws:iam/policy:Policy", "policy", {"policy": document(*statements), "tags": TAGS})]


PASSED_TO_EC2 = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


def shared(**more: Any) -> str:
    """A policy of a queue that everybody may write to, but for what `more` says."""
    return document({"Sid": "Write", "Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", **more})


def queue_policy() -> list[Made]:
    condition = {"ArnLike": {"aws:SourceArn": "arn:aws:events:us-east-1:123456789012:rule/*"}}
    return [Made("aws:sqs/queuePolicy:QueuePolicy", "writers", {"policy": shared(Resource="*", Condition=condition)})]


def trust(**condition: Any) -> str:
    federated = {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.eks"}
    action = "sts:AssumeRoleWithWebIdentity"
    statement = {"Sid": "Pods", "Effect": "Allow", "Principal": federated, "Action": action}
    return document({**statement, "Condition": condition} if condition else statement)


def role() -> list[Made]:
    compared = {"oidc.eks:aud": "sts.amazonaws.com", "oidc.eks:sub": "system:serviceaccount:kube-system:velero"}
    props = {
        "assumeRolePolicy": trust(StringEquals=compared),
        "inlinePolicies": [{"name": "own", "policy": document(allow("s3:GetObject", "arn:aws:s3:::files/*"))}],
        "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"],
        "tags": TAGS,
    }
    return [Made("aws:iam/role:Role", "role", props)]


def attachment() -> list[Made]:
    arn = "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"
    return [Made("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "attachment", {"policyArn": arn})]


def membership() -> list[Made]:
    return [Made("aws:iam/userGroupMembership:UserGroupMembership", "member", {"user": "ana", "groups": ["analysts"]})]


def function_url() -> list[Made]:
    props = {"functionName": "f", "authorizationType": "AWS_IAM"}
    return [Made("aws:lambda/functionUrl:FunctionUrl", "url", props)]


# Access to the cluster


def access_entry() -> list[Made]:
    arn = "arn:aws:iam::123456789012:role/operators"
    props = {"clusterName": "analytics", "principalArn": arn, "kubernetesGroups": ["operators"], "tags": TAGS}
    return [Made("aws:eks/accessEntry:AccessEntry", "entry", props)]


def bound(role: str, kind: str, name: str, **more: Any) -> Made:
    """A binding of a ClusterRole."""
    subject = {"kind": kind, "name": name, **({"namespace": "default"} if kind == "ServiceAccount" else {})}
    props = {"roleRef": {"kind": "ClusterRole", "name": role}, "subjects": [subject], **more}
    return Made("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "binding", props)


def cluster_role(**rule: Any) -> Made:
    props = {"metadata": {"name": "own"}, "rules": [{"apiGroups": ["*"], **rule}]}
    return Made("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "cluster-role", props)


def binding() -> list[Made]:
    return [bound("own", "ServiceAccount", "default"), cluster_role(resources=["pods"], verbs=["get", "list"])]


# Storage


def bucket(name: str = "files") -> list[Made]:
    """A bucket with all that belongs to it."""

    def about(kind: str, **props: Any) -> Made:
        return Made(f"aws:s3/bucket{kind}:Bucket{kind}", f"{name}-{kind}", props, {"bucket": name})

    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    blocks = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    algorithm = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms"}}
    return [
        Made("aws:s3/bucket:Bucket", name, {"tags": TAGS}, protect=True),
        about("PublicAccessBlock", **dict.fromkeys(blocks, True)),
        about("Policy", policy=document({**everything, "Condition": {"Bool": {"aws:SecureTransport": "false"}}})),
        about("ServerSideEncryptionConfiguration", rules=[algorithm]),
        about("Versioning", versioningConfiguration={"status": "Enabled"}),
    ]


def key() -> list[Made]:
    return [Made("aws:kms/key:Key", "key", {"enableKeyRotation": True, "tags": TAGS}, protect=True)]


def queue() -> list[Made]:
    return [Made("aws:sqs/queue:Queue", "queue", {"sqsManagedSseEnabled": True, "tags": TAGS})]


def topic() -> list[Made]:
    return [Made("aws:sns/topic:Topic", "topic", {"kmsMasterKeyId": "alias/topics", "tags": TAGS})]


def database(**props: Any) -> list[Made]:
    kept = {"storageEncrypted": True, "publiclyAccessible": False}
    return [Made("aws:rds/instance:Instance", "database", {**kept, **props}, protect=True)]


def snapshot(*accounts: str) -> list[Made]:
    return [Made("aws:rds/snapshot:Snapshot", "snapshot", {"sharedAccounts": list(accounts)})]


# Karpenter


def node_class() -> list[Made]:
    spec = {
        "amiSelectorTerms": [{"alias": "al2023@v20260724"}],
        "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
        "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": True}}],
    }
    return [Made("kubernetes:karpenter.k8s.aws/v1:EC2NodeClass", "class", {"spec": spec})]


def node_pool() -> list[Made]:
    labels = {"app": "e6data", "e6data-workspace-name": "analytics"}
    taints = [{"key": "e6data-workspace-name", "value": "analytics", "effect": "NoSchedule"}]
    spec = {"template": {"metadata": {"labels": labels}, "spec": {"taints": taints}}, "limits": {"cpu": "1000"}}
    metadata = {"name": "e6data-analytics", "labels": labels}
    return [Made("kubernetes:karpenter.sh/v1:NodePool", "pool", {"metadata": metadata, "spec": spec})]


# Releases and backups


def controller() -> list[Made]:
    flags = dict.fromkeys(("enableShield", "enableWaf", "enableWafv2", "enableServiceMutatorWebhook"), False)
    place = {"clusterName": "analytics", "region": "us-east-1", "vpcId": "vpc-1"}
    props = {"chart": "aws-load-balancer-controller", "version": "3.5.0", "values": {**flags, **place}}
    return [Made("kubernetes:helm.sh/v3:Release", "controller", props)]


def schedule(name: str) -> Made:
    props = {"metadata": {"name": name}, "spec": {"schedule": "0 3 * * *", "paused": False}}
    return Made("kubernetes:velero.io/v1:Schedule", name, props)


def velero() -> list[Made]:
    return [
        Made("kubernetes:helm.sh/v3:Release", "velero", {"chart": "velero", "version": "12.1.0", "values": {}}),
        Made("kubernetes:velero.io/v1:BackupStorageLocation", "location", {"spec": {"accessMode": "ReadWrite"}}),
        schedule("daily"),
        Made(
            "aws:cloudwatch/metricAlarm:MetricAlarm",
            "backup-age",
            {
                "dimensions": {"Schedule": "daily"},
                "treatMissingData": "breaching",
                "alarmActions": ["arn:aws:sns:us-east-1:123456789012:on-call"],
                "tags": TAGS,
            },
        ),
    ]


# Tenancy


def dash() -> list[Made]:
    return [Made("eks-analytics:index:DashEnterprise", "dash")]


def log_group() -> list[Made]:
    props = {"retentionInDays": 90, "tags": TAGS}
    return [Made("aws:cloudwatch/logGroup:LogGroup", "logs", props)]


COMPLIANT: dict[str, Callable[[], list[Made]]] = {
    "limit-world-ingress": group,
    "refuse-world-administration": group,
    "empty-default-security-group": default_group,
    "keep-private-subnets-private": private_subnet,
    "use-one-nat-per-zone": vpc,
    "tag-load-balancer-subnets": lambda: [*vpc(), *cluster()],
    "keep-flow-logs": vpc,
    "keep-administration-off-load-balancers": load_balancer,
    "keep-secrets-out-of-settings": function,
    "keep-secrets-out-of-outputs": outputs,
    "require-imdsv2": launch_template,
    "limit-metadata-hops": launch_template,
    "encrypt-volumes": launch_template,
    "refuse-public-addresses": launch_template,
    "keep-secrets-out-of-user-data": launch_template,
    "use-api-access-mode": cluster,
    "name-administrators": cluster,
    "encrypt-kubernetes-secrets": cluster,
    "keep-control-plane-logs": cluster,
    "limit-endpoint-cidrs": cluster,
    "use-supported-kubernetes": cluster,
    "protect-cluster-deletion": cluster,
    "use-standard-upgrade-policy": cluster,
    "pin-addon-versions": addon,
    "refuse-administrator-policies": policy,
    "limit-sensitive-actions": policy,
    "limit-mutating-actions": policy,
    "limit-trust": role,
    "refuse-public-resource-policies": queue_policy,
    "authorize-function-urls": function_url,
    "name-sources-of-services": queue_policy,
    "limit-pass-role": policy,
    "refuse-full-access-policies": attachment,
    "limit-policy-size": policy,
    "limit-administrators": membership,
    "refuse-static-keys": role,
    "limit-cluster-administrators": access_entry,
    "refuse-bindings-for-everybody": binding,
    "limit-service-accounts": binding,
    "block-public-buckets": bucket,
    "require-tls-for-buckets": bucket,
    "encrypt-buckets": bucket,
    "version-backup-buckets": lambda: bucket("backups"),
    "rotate-keys": key,
    "encrypt-queues": queue,
    "encrypt-topics": topic,
    "protect-stateful-resources": key,
    "encrypt-data-stores": database,
    "keep-data-stores-private": database,
    "refuse-public-sharing": lambda: snapshot("123456789012"),
    "pin-node-images": node_class,
    "limit-node-pools": node_pool,
    "mark-workspace-nodes": node_pool,
    "refuse-old-karpenter-apis": node_pool,
    "pin-chart-versions": controller,
    "set-load-balancer-controller-flags": controller,
    "schedule-backups": velero,
    "alarm-on-missing-backups": velero,
    "keep-single-tenancy": dash,
    "require-tags": queue,
    "limit-log-retention": log_group,
    "report-unjudged-types": log_group,
}

_INGRESS = "ingress|0"
_TEMPLATE_LABELS = "spec|template|metadata|labels"
_TRUSTED = "statement Pods compares no"
_TRUSTING = {"Sid": "All", "Effect": "Allow", "Action": "sts:AssumeRole"}
_EVERYBODY = document({**_TRUSTING, "Principal": "*"})
_AUD, _SUB = {"oidc.eks:aud": "sts.amazonaws.com"}, {"oidc.eks:sub": "system:serviceaccount:a:b"}
_TLS = document(
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}, "IpAddress": {}},
    }
)
_UNVERSIONED = [one for one in bucket("state") if one.name != "state-Versioning"]
_SECOND_POOL = replace(node_pool()[0], name="guest")

CASES: tuple[Case, ...] = (
    Case(
        "limit-world-ingress",
        "a-database",
        "port 5432 open to 0.0.0.0/0, ::/0",
        {f"{_INGRESS}|fromPort": 5432, f"{_INGRESS}|toPort": 5432},
    ),
    Case("limit-world-ingress", "a-range", "ports 80 to 443 open to 0.0.0.0/0, ::/0", {f"{_INGRESS}|fromPort": 80}),
    Case(
        "limit-world-ingress",
        "half-of-the-world",
        "port 5432 open to 128.0.0.0/1",
        {_INGRESS: {"fromPort": 5432, "toPort": 5432, "protocol": "tcp", "cidrBlocks": ["128.0.0.0/1"]}},
    ),
    Case(
        "limit-world-ingress",
        "a-rule-of-its-own",
        "port 5432 open to 0.0.0.0/0",
        more=[group_rule(fromPort=5432, toPort=5432, ipProtocol="tcp", cidrIpv4="0.0.0.0/0")],
        about="rule",
    ),
    Case(
        "limit-world-ingress",
        "a-rule-of-the-old-kind",
        "ports 8000 to 8100 open to ::/0",
        more=[old_group_rule(fromPort=8000, toPort=8100, protocol="tcp", ipv6CidrBlocks=["::/0"])],
        about="old-rule",
    ),
    Case(
        "limit-world-ingress",
        "a-prefix-list",
        "its entry 0.0.0.0/0 is the world, behind the name of a list",
        more=[prefix_list("0.0.0.0/0")],
        about="offices",
    ),
    Case(
        "limit-world-ingress",
        "an-entry-of-a-prefix-list",
        "its entry ::/0 is the world, behind the name of a list",
        more=[Made("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", "entry", {"cidr": "::/0"})],
        about="entry",
    ),
    Case(
        "limit-world-ingress",
        "icmp",
        "ICMP open to 0.0.0.0/0",
        {"ingress|2|fromPort": -1, "ingress|2|toPort": -1},
    ),
    Case(
        "limit-world-ingress",
        "a-protocol-without-ports",
        "protocol 50 open to 0.0.0.0/0",
        {_INGRESS: {"protocol": "50", "cidrBlocks": ["0.0.0.0/0"]}},
    ),
    Case(
        "refuse-world-administration",
        "a-node-group-with-an-ssh-key",
        "22 (SSH) open to 0.0.0.0/0",
        more=[node_group(remoteAccess={"ec2SshKey": "admin"})],
        about="nodes",
    ),
    Case(
        "refuse-world-administration",
        "ssh",
        "22 (SSH) open to 0.0.0.0/0",
        {"ingress|1|cidrBlocks": ["0.0.0.0/0"]},
    ),
    Case(
        "refuse-world-administration",
        "the-admin-console",
        "8800 (the Admin Console) open to ::/0",
        more=[group_rule(fromPort=8800, toPort=8800, ipProtocol="tcp", cidrIpv6="::/0")],
        about="rule",
    ),
    Case(
        "refuse-world-administration",
        "all-protocols",
        "22 (SSH), 3389 (RDP), 6443 (the Kubernetes API), 8800 (the Admin Console) and 8 more open to 0.0.0.0/0",
        more=[group_rule(ipProtocol="-1", cidrIpv4="0.0.0.0/0")],
        about="rule",
    ),
    Case("empty-default-security-group", "lets-out", "has egress rules", {"egress": [{"protocol": "-1"}]}),
    Case(
        "keep-private-subnets-private",
        "maps-addresses",
        "maps public addresses",
        {"mapPublicIpOnLaunch": True},
    ),
    Case(
        "use-one-nat-per-zone",
        "one-is-missing",
        "no NAT gateway in us-east-1b",
        without=["nat-us-east-1b"],
        production=True,
    ),
    Case(
        "tag-load-balancer-subnets",
        "a-private-one-without-its-tag",
        f"{PRIVATE} on subnets of 1 zone(s): us-east-1a",
        {"tags": TAGS},
        of="private-us-east-1b",
        about="vpc",
    ),
    Case(
        "tag-load-balancer-subnets",
        "a-public-one-without-its-tag",
        f"{PUBLIC} on subnets of 1 zone(s): us-east-1b",
        {"tags": TAGS},
        of="public-us-east-1a",
        about="vpc",
    ),
    Case("keep-flow-logs", "none", "has no flow log", without=["log"], production=True),
    Case(
        "keep-administration-off-load-balancers",
        "ssh",
        "22 (SSH) open to 0.0.0.0/0",
        {"port": 22},
        of="listener",
    ),
    Case(
        "keep-secrets-out-of-settings",
        "a-function",
        "DB_PASSWORD holds a password, token or key",
        {"environment|variables|DB_PASSWORD": "hunter22"},
    ),
    Case(
        "keep-secrets-out-of-outputs",
        "a-password",
        "the output admin_password holds a password, token or key",
        {"admin_password": "hunter22"},
        about="stack",
        program="outputs",
    ),
    Case("require-imdsv2", "a-template", "does not require session tokens", {"metadataOptions|httpTokens": "optional"}),
    Case("require-imdsv2", "nothing-said", "does not require session tokens", {"metadataOptions": ABSENT}),
    Case(
        "require-imdsv2",
        "an-instance",
        "does not require session tokens",
        more=[instance(metadataOptions={})],
        about="instance",
    ),
    Case(
        "require-imdsv2",
        "a-node-class",
        "does not require session tokens",
        {"spec|metadataOptions|httpTokens": "optional"},
        base="pin-node-images",
    ),
    Case(
        "limit-metadata-hops",
        "two",
        "metadata answers travel 2 hops",
        {"metadataOptions|httpPutResponseHopLimit": 2},
    ),
    Case(
        "encrypt-volumes",
        "a-template",
        "the volume /dev/xvda is not encrypted",
        {"blockDeviceMappings|0|ebs|encrypted": "false"},
    ),
    Case(
        "encrypt-volumes",
        "nothing-said",
        "its image's volumes are as the image has them, not encrypted",
        {"blockDeviceMappings": ABSENT},
    ),
    Case(
        "encrypt-volumes",
        "an-instance",
        "its root volume is not encrypted",
        more=[instance(rootBlockDevice={"volumeSize": 20})],
        about="instance",
    ),
    Case(
        "encrypt-volumes",
        "an-instance-against-its-template",
        "its root volume is not encrypted",
        more=[instance(launchTemplate={"id": "lt-1"}, rootBlockDevice={"encrypted": False})],
        about="instance",
    ),
    Case(
        "encrypt-volumes",
        "a-node-group-without-a-template",
        "without a launch template, the volumes of its nodes are not encrypted",
        more=[Made("aws:eks/nodeGroup:NodeGroup", "nodes", {"tags": TAGS})],
        about="nodes",
    ),
    Case(
        "encrypt-volumes",
        "a-further-volume-of-an-instance",
        "the volume /dev/sdf is not encrypted",
        more=[instance(ebsBlockDevices=[{"deviceName": "/dev/sdf"}])],
        about="instance",
    ),
    Case(
        "encrypt-volumes",
        "a-volume",
        "is not encrypted",
        more=[Made("aws:ebs/volume:Volume", "volume", {"encrypted": False, "tags": TAGS})],
        about="volume",
    ),
    Case(
        "encrypt-volumes",
        "a-storage-class",
        "makes volumes that are not encrypted",
        more=[
            Made(
                "kubernetes:storage.k8s.io/v1:StorageClass",
                "gp3",
                {"provisioner": "ebs.csi.aws.com", "parameters": {"type": "gp3"}},
            )
        ],
        about="gp3",
    ),
    Case(
        "encrypt-volumes",
        "a-node-class",
        "the volume /dev/xvda is not encrypted",
        {"spec|blockDeviceMappings|0|ebs": {"volumeSize": "100Gi"}},
        base="pin-node-images",
    ),
    Case(
        "refuse-public-addresses",
        "a-template",
        "asks for a public address",
        {"networkInterfaces|0|associatePublicIpAddress": "true"},
    ),
    Case(
        "refuse-public-addresses",
        "an-instance",
        "asks for a public address",
        more=[instance(associatePublicIpAddress=True)],
        about="instance",
    ),
    Case(
        "refuse-public-addresses",
        "an-elastic-address",
        "gives an instance a public address",
        more=[Made("aws:ec2/eip:Eip", "address", {"instance": "i-1", "tags": TAGS})],
        about="address",
    ),
    Case(
        "refuse-public-addresses",
        "an-elastic-address-by-its-interface",
        "gives an instance a public address",
        more=[Made("aws:ec2/eipAssociation:EipAssociation", "association", {"networkInterfaceId": "eni-1"})],
        about="association",
    ),
    Case(
        "refuse-public-addresses",
        "a-node-class",
        "asks for a public address",
        {"spec|associatePublicIPAddress": True},
        base="pin-node-images",
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "a-password",
        "userData holds a password, token or key",
        {"userData": encoded("#!/bin/bash\nexport ADMIN_PASSWORD='correct-horse'\n")},
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "a-private-key",
        "userData holds a private key",
        {"userData": encoded("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")},
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "in-lines-of-base64",
        "userData holds a password, token or key",
        {"userData": base64.encodebytes(b"#!/bin/bash\nexport ADMIN_PASSWORD=correct-horse-" + b"x" * 80).decode()},
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "among-bytes-that-are-no-text",
        "userData holds a password, token or key",
        {"userData": base64.b64encode(b"\xff\xfe password=correct-horse").decode()},
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "an-access-key",
        "userData holds an AWS access key",
        {"userData": base64.b64encode(gzip.compress(b"[default]\nid=AKIAIOSFODNN7EXAMPLE\n", mtime=0)).decode()},
    ),
    Case(
        "keep-secrets-out-of-user-data",
        "a-license",
        "userData holds a license",
        {"spec|userData": "apiVersion: kots.io/v1beta1\nkind: License\n"},
        base="pin-node-images",
    ),
    Case(
        "use-api-access-mode",
        "the-config-map-too",
        "its authentication mode is API_AND_CONFIG_MAP",
        {"accessConfig|authenticationMode": "API_AND_CONFIG_MAP"},
    ),
    Case(
        "use-api-access-mode",
        "nothing-said",
        "its authentication mode is CONFIG_MAP, because none is given",
        {"accessConfig|authenticationMode": ABSENT},
    ),
    Case(
        "name-administrators",
        "the-creator",
        "makes whoever creates it an administrator",
        {"accessConfig|bootstrapClusterCreatorAdminPermissions": True},
    ),
    Case("encrypt-kubernetes-secrets", "no-key", "no key encrypts its secrets", {"encryptionConfig": ABSENT}),
    Case(
        "keep-control-plane-logs",
        "no-audit",
        "does not write audit",
        {"enabledClusterLogTypes": ["api", "authenticator"]},
    ),
    Case(
        "keep-control-plane-logs",
        "three-in-production",
        "does not write controllerManager, scheduler",
        {"enabledClusterLogTypes": ["api", "audit", "authenticator"]},
        production=True,
    ),
    Case(
        "limit-endpoint-cidrs",
        "the-world",
        "its public endpoint is open to 0.0.0.0/0",
        {"vpcConfig|publicAccessCidrs": ["203.0.113.0/24", "0.0.0.0/0"]},
    ),
    Case(
        "limit-endpoint-cidrs",
        "nothing-said",
        "its public endpoint is open to the world, because no network is named",
        {"vpcConfig": {}},
    ),
    Case(
        "limit-endpoint-cidrs",
        "a-wide-network-in-production",
        "its public endpoint is open to 12.0.0.0/10",
        {"vpcConfig|publicAccessCidrs": ["12.0.0.0/10"]},
        production=True,
    ),
    Case(
        "use-supported-kubernetes",
        "an-old-one",
        "Kubernetes 1.31 is not among those in standard support: 1.34, 1.35, 1.36",
        {"version": "1.31"},
    ),
    Case("use-supported-kubernetes", "nothing-said", "names no version", {"version": ABSENT}),
    Case(
        "protect-cluster-deletion", "off", "deletion protection is off", {"deletionProtection": False}, production=True
    ),
    Case(
        "use-standard-upgrade-policy",
        "extended",
        "its upgrade policy is EXTENDED",
        {"upgradePolicy": ABSENT},
        production=True,
    ),
    Case("pin-addon-versions", "none", "names no version", {"addonVersion": ABSENT}),
    Case("pin-addon-versions", "the-newest", "its version is latest, which is no build", {"addonVersion": "latest"}),
    Case(
        "refuse-administrator-policies",
        "everything",
        "statement Test allows *:*",
        {"policy": document(allow("*"))},
    ),
    Case(
        "refuse-administrator-policies",
        "all-but-one",
        "statement Test allows *:*",
        {"policy": document({"Sid": "Test", "Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})},
    ),
    Case(
        "limit-mutating-actions",
        "all-buckets",
        "statement Test allows s3:DeleteObject on all resources without a condition",
        {"policy": document(allow(["s3:GetObject", "s3:DeleteObject"]))},
    ),
    Case(
        "limit-mutating-actions",
        "a-whole-service",
        "statement Test allows sqs:* on all resources without a condition",
        {"inlinePolicies|0|policy": document(allow("sqs:*"))},
        base="limit-trust",
    ),
    Case(
        "limit-mutating-actions",
        "all-that-a-service-has",
        "statement Test allows s3:DeleteObject on all resources without a condition",
        {"policy": document(allow("s3:DeleteObject", "arn:aws:s3:::*/*"))},
    ),
    Case(
        "limit-mutating-actions",
        "a-condition-about-tls",
        "statement Test allows ec2:TerminateInstances on all resources with conditions that limit nothing",
        {"policy": document(allow("ec2:TerminateInstances", Condition={"Bool": {"aws:SecureTransport": "true"}}))},
    ),
    Case(
        "limit-mutating-actions",
        "a-condition-that-any-tag-meets",
        "statement Test allows ec2:TerminateInstances on all resources with conditions that limit nothing",
        {
            "policy": document(
                allow(
                    "ec2:TerminateInstances",
                    Condition={
                        "StringLike": {"aws:ResourceTag/team": "*"},
                        "ForAllValues:StringEquals": {"aws:TagKeys": ["team"]},
                    },
                )
            )
        },
    ),
    Case(
        "limit-trust",
        "every-service-account",
        "statement Pods trusts system:serviceaccount:*:*, so anybody",
        {"assumeRolePolicy": trust(StringEquals=_AUD, StringLike={"oidc.eks:sub": "system:serviceaccount:*:*"})},
    ),
    Case(
        "limit-trust",
        "every-repository",
        "statement Pods trusts repo:*, so anybody",
        {"assumeRolePolicy": trust(StringEquals=_AUD, StringLike={"oidc.eks:sub": ["repo:own/code:*", "repo:*"]})},
    ),
    Case(
        "limit-trust",
        "everybody-but-one",
        "statement All trusts everybody",
        {"assumeRolePolicy": document({**_TRUSTING, "NotPrincipal": {"AWS": "arn:aws:iam::123456789012:user/x"}})},
    ),
    Case(
        "limit-trust",
        "everybody-who-knows-a-word",
        "statement All trusts everybody",
        {
            "assumeRolePolicy": document(
                {**_TRUSTING, "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"sts:ExternalId": "velero"}}}
            )
        },
    ),
    Case(
        "limit-trust",
        "everybody-outside-of-an-organization",
        "statement All trusts everybody",
        {
            "assumeRolePolicy": document(
                {**_TRUSTING, "Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}}
            )
        },
    ),
    Case(
        "refuse-public-resource-policies",
        "a-queue",
        "statement Write lets everybody in",
        {"policy": shared(Resource="*")},
    ),
    Case(
        "refuse-public-resource-policies",
        "a-key",
        "statement Write lets everybody in",
        {"policy": shared(Resource="*", Condition={"StringLike": {"aws:PrincipalOrgID": "*"}})},
        base="rotate-keys",
    ),
    Case(
        "refuse-public-resource-policies",
        "a-function",
        "lets everybody call the function",
        more=[Made("aws:lambda/permission:Permission", "call", {"principal": "*", "function": "f"})],
        about="call",
    ),
    Case(
        "limit-sensitive-actions",
        "all-roles",
        "statement Test changes the rights of every role, user, group or policy (iam:PutRolePolicy)",
        {"policy": document(allow("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/*"))},
    ),
    Case("authorize-function-urls", "none", "answers everybody who knows it", {"authorizationType": "NONE"}),
    Case(
        "name-sources-of-services",
        "a-queue",
        "statement Write lets events.amazonaws.com in for anybody who uses that service",
        {"policy": shared(Resource="*", Principal={"Service": "events.amazonaws.com"})},
    ),
    Case("limit-administrators", "a-member", "adds to the group Admins", {"groups": ["analysts", "Admins"]}),
    Case(
        "limit-cluster-administrators",
        "masters",
        "makes a member of system:masters",
        {"kubernetesGroups": ["system:masters"]},
    ),
    Case(
        "refuse-bindings-for-everybody",
        "anonymous",
        "binds own to system:anonymous",
        {"subjects": [{"kind": "User", "name": "system:anonymous"}]},
        program="anonymous",
    ),
    Case(
        "limit-service-accounts",
        "cluster-admin",
        "default may do everything (cluster-admin)",
        {"roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}},
    ),
    Case("limit-trust", "no-subject", f"{_TRUSTED} subject (:sub)", {"assumeRolePolicy": trust(StringEquals=_AUD)}),
    Case("limit-trust", "no-audience", f"{_TRUSTED} audience (:aud)", {"assumeRolePolicy": trust(StringEquals=_SUB)}),
    Case(
        "limit-trust",
        "any-subject",
        f"{_TRUSTED} subject (:sub)",
        {"assumeRolePolicy": trust(StringEquals=_AUD, StringLike={"oidc.eks:sub": "*"})},
    ),
    Case("limit-trust", "everybody", "statement All trusts everybody", {"assumeRolePolicy": _EVERYBODY}),
    Case(
        "limit-pass-role",
        "any-service",
        "statement Test allows iam:PassRole to any service",
        {"policy": document(allow("iam:PassRole", "arn:aws:iam::123456789012:role/*"))},
    ),
    Case(
        "limit-pass-role",
        "every-service",
        "statement Test allows iam:PassRole to any service",
        {
            "policy": document(
                allow("iam:PassRole", Condition={"StringLike": {"iam:PassedToService": "*"}}),
            )
        },
    ),
    Case(
        "refuse-full-access-policies",
        "of-a-service",
        "attaches AmazonS3FullAccess",
        {"policyArn": "arn:aws:iam::aws:policy/AmazonS3FullAccess"},
    ),
    Case(
        "refuse-full-access-policies",
        "of-all-secrets",
        "attaches SecretsManagerReadWrite",
        {"policyArn": "arn:aws:iam::aws:policy/SecretsManagerReadWrite"},
    ),
    Case(
        "refuse-full-access-policies",
        "an-administrator",
        "attaches AdministratorAccess",
        {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        base="limit-trust",
    ),
    Case(
        "limit-policy-size",
        "too-long",
        "its policy has 8123 characters, 6144 are possible",
        {"policy": document(allow("s3:GetObject", ["arn:aws:s3:::" + "x" * 8000]))},
    ),
    Case(
        "limit-policy-size",
        "too-long-for-a-user",
        "its policy has 3123 characters, 2048 are possible",
        more=[
            Made(
                "aws:iam/userPolicy:UserPolicy",
                "own",
                {"policy": document(allow("s3:GetObject", ["arn:aws:s3:::" + "x" * 3000]))},
            )
        ],
        about="own",
    ),
    Case(
        "refuse-static-keys",
        "a-key",
        "a key of user velero that never ends",
        more=[Made("aws:iam/accessKey:AccessKey", "access-key", {"user": "velero"})],
        about="access-key",
    ),
    Case(
        "block-public-buckets",
        "nothing-blocks",
        "nothing blocks public access to it",
        without=["files-PublicAccessBlock"],
    ),
    Case(
        "block-public-buckets",
        "one-way-open",
        "blockPublicPolicy is off",
        {"blockPublicPolicy": False},
        of="files-PublicAccessBlock",
        about="files",
    ),
    Case("require-tls-for-buckets", "no-policy", "takes requests without TLS", without=["files-Policy"]),
    Case(
        "require-tls-for-buckets",
        "another-policy",
        "takes requests without TLS",
        {"policy": document({**allow("s3:GetObject"), "Principal": {"AWS": "arn:aws:iam::123456789012:root"}})},
        of="files-Policy",
        about="files",
    ),
    Case(
        "require-tls-for-buckets",
        "of-one-user",
        "takes requests without TLS",
        {"policy": _TLS.replace('"*", "Action"', '{"AWS": "arn:aws:iam::123456789012:user/x"}, "Action"')},
        of="files-Policy",
        about="files",
    ),
    Case(
        "require-tls-for-buckets",
        "from-one-network",
        "takes requests without TLS",
        {"policy": _TLS.replace("{}", '{"aws:SourceIp": "203.0.113.0/24"}')},
        of="files-Policy",
        about="files",
    ),
    Case(
        "require-tls-for-buckets",
        "not-for-what-is-in-it",
        "takes requests without TLS",
        {"policy": _TLS.replace('"Resource": "*"', '"Resource": "arn:aws:s3:::files"')},
        of="files-Policy",
        about="files",
    ),
    Case(
        "encrypt-buckets",
        "not-configured",
        "has no encryption configured",
        without=["files-ServerSideEncryptionConfiguration"],
    ),
    Case("version-backup-buckets", "none", "keeps no old versions", without=["backups-Versioning"]),
    Case(
        "version-backup-buckets",
        "suspended",
        "keeps no old versions",
        {"versioningConfiguration|status": "Suspended"},
        of="backups-Versioning",
        about="backups",
    ),
    Case(
        "version-backup-buckets",
        "known-by-its-prefix",
        "keeps no old versions",
        more=[_UNVERSIONED[0].changed({"bucketPrefix": "analytics-backups-"}), *_UNVERSIONED[1:]],
        about="state",
    ),
    Case(
        "version-backup-buckets",
        "of-a-component-for-backups",
        "keeps no old versions",
        more=[replace(_UNVERSIONED[0], parent="eks-analytics:index:VeleroBackup"), *_UNVERSIONED[1:]],
        about="state",
    ),
    Case("rotate-keys", "off", "does not rotate", {"enableKeyRotation": ABSENT}),
    Case("encrypt-queues", "nothing-said", "is not encrypted", {"sqsManagedSseEnabled": ABSENT}),
    Case("encrypt-topics", "nothing-said", "is not encrypted", {"kmsMasterKeyId": ABSENT}),
    Case("protect-stateful-resources", "a-key", "is not protected", protect=False, production=True),
    Case(
        "protect-stateful-resources",
        "a-cluster",
        "is not protected",
        protect=False,
        base="name-administrators",
        production=True,
    ),
    Case(
        "protect-stateful-resources",
        "backups",
        "is not protected",
        protect=False,
        base="version-backup-buckets",
        production=True,
    ),
    Case("encrypt-data-stores", "a-database", "is not encrypted", {"storageEncrypted": False}),
    Case("keep-data-stores-private", "a-database", "is reached from the internet", {"publiclyAccessible": True}),
    Case("refuse-public-sharing", "a-snapshot", "is shared with every account", {"sharedAccounts": ["all"]}),
    Case(
        "pin-node-images",
        "the-newest",
        "the image al2023@latest is no fixed release",
        {"spec|amiSelectorTerms|0|alias": "al2023@latest"},
    ),
    Case(
        "pin-node-images",
        "by-tags",
        "selects images by name or tags",
        {"spec|amiSelectorTerms": [{"tags": {"golden": "yes"}}]},
    ),
    Case("limit-node-pools", "none", "may make nodes without end", {"spec|limits": ABSENT}),
    Case(
        "mark-workspace-nodes",
        "no-taint",
        "its nodes lack the taint e6data-workspace-name:NoSchedule",
        {"spec|template|spec|taints": []},
    ),
    Case(
        "mark-workspace-nodes",
        "no-label",
        "its nodes lack the label app",
        {f"{_TEMPLATE_LABELS}|app": ABSENT},
    ),
    Case(
        "mark-workspace-nodes",
        "another-workspaces-taint",
        "its taint is of reporting, its label of analytics",
        {"spec|template|spec|taints|0|value": "reporting"},
    ),
    Case(
        "refuse-old-karpenter-apis",
        "v1beta1",
        "its API is v1beta1",
        more=[replace(node_pool()[0], type="kubernetes:karpenter.sh/v1beta1:NodePool", name="old")],
        about="old",
    ),
    Case("pin-chart-versions", "none", "names no version", {"version": ABSENT}),
    Case("pin-chart-versions", "a-range", "its version ^3.5.0 stands for several", {"version": "^3.5.0"}),
    Case("set-load-balancer-controller-flags", "waf", "enableWaf is not false", {"values|enableWaf": True}),
    Case("set-load-balancer-controller-flags", "no-region", "region is not given", {"values|region": ABSENT}),
    Case("schedule-backups", "none", "no schedule makes backups", without=["daily"], program="no schedule"),
    Case(
        "schedule-backups",
        "paused",
        "no schedule makes backups",
        {"spec|paused": True},
        of="daily",
        about="velero",
        program="paused",
    ),
    Case(
        "alarm-on-missing-backups", "none", "no alarm watches its backups", without=["backup-age"], program="no alarm"
    ),
    Case(
        "alarm-on-missing-backups",
        "of-another-schedule",
        "no alarm watches the schedule weekly",
        more=[schedule("weekly")],
        about="weekly",
        program="of another schedule",
    ),
    Case(
        "alarm-on-missing-backups",
        "of-no-schedule-in-the-chart",
        "no alarm watches the schedule weekly",
        {"values": {"schedules": {"weekly": {"schedule": "0 3 * * sun"}}}},
        program="in the chart",
    ),
    Case(
        "alarm-on-missing-backups",
        "where-velero-is-installed-otherwise",
        "no alarm watches the schedule daily",
        without=["velero", "backup-age"],
        of="daily",
        program="installed otherwise",
    ),
    Case(
        "alarm-on-missing-backups",
        "silent",
        "is silent where data is missing",
        {"treatMissingData": "notBreaching"},
        of="backup-age",
        program="silent",
    ),
    Case(
        "alarm-on-missing-backups",
        "unheard",
        "tells nobody",
        {"alarmActions": []},
        of="backup-age",
        program="unheard",
    ),
    Case(
        "keep-single-tenancy",
        "two-of-a-kind",
        "2 Dash Enterprises: dash, second",
        more=[Made("eks-analytics:index:DashEnterprise", "second")],
        about="stack",
        program="two",
    ),
    Case(
        "keep-single-tenancy",
        "e6data-as-a-guest",
        "e6data shares the stack with dash",
        more=[_SECOND_POOL],
        about="guest",
        program="guest",
    ),
    Case("require-tags", "one-is-missing", "lacks the tags environment", {"tags|environment": ABSENT}),
    Case("require-tags", "no-owner-in-production", "lacks the tags owner", {"tags|owner": ""}, production=True),
    Case("limit-log-retention", "for-ever", "keeps its logs for ever", {"retentionInDays": ABSENT}),
    Case(
        "report-unjudged-types",
        "by-cloud-control",
        "no rule judges 1 resource of AWS Cloud Control: aws:cloudcontrol/resource:Resource (1)",
        more=[Made("aws:cloudcontrol/resource:Resource", "native", {"typeName": "AWS::SQS::Queue"})],
        about="stack",
    ),
)
