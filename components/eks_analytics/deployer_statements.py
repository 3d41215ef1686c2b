"""The statements of the deployer policy. Pure.

Writing actions are named one by one, and bound to the stack in the best way that AWS offers for each. What the program
gives a name is bound by its name. What AWS gives an id is bound by the stack's tags: whatever makes something must
tag it at once, whatever changes something, or makes something inside of it, must find the tags on it.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html says what each action offers.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .cluster_checks import EBS_CSI_ROLE_VENDOR_NAME, VENDOR_EBS_CSI_ROLE
from .deployer_options import DeployerOptions
from .host_names import host_names
from .iam import Statement, cluster_admin_policy_arn, managed_policy_arn
from .installation_checks import bucket_prefix
from .session_logs_options import document_name, log_group_name
from .velero_options import bucket_prefix as backup_bucket_prefix
from .velero_options import watch_name

MANAGED_POLICIES = (
    "AmazonEBSCSIDriverPolicyV2",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
)
"""Policies of AWS that the program attaches to the roles it makes."""

Conditions = dict[str, dict[str, Any]]
_IN_ANY_CLUSTER = (
    "CreateAccessEntry CreatePodIdentityAssociation DeleteAccessEntry DeletePodIdentityAssociation TagResource "
    "UntagResource UpdatePodIdentityAssociation"
)
_IN_OWN_CLUSTER = (
    " CreateAddon CreateNodegroup DeleteAddon DeleteCluster DeleteNodegroup UpdateAddon UpdateClusterConfig "
    "UpdateClusterVersion UpdateNodegroupConfig UpdateNodegroupVersion"
)
_BUCKETS = (
    "Get* List* CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectVersion "
    "PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning "
    "PutEncryptionConfiguration PutLifecycleConfiguration TagResource UntagResource"
)
_RULES = "DeleteRule PutRule PutTargets RemoveTargets TagResource UntagResource"
_IN_CLUSTER = ("access-entry", "addon", "nodegroup", "podidentityassociation")


@dataclass(frozen=True)
class Rights:
    """What a stack's deployment does to a kind of resources."""

    service: str
    resources: Sequence[str]
    makes: str = ""
    """Actions that tag what they make, in one text."""
    changes: str = ""
    """Actions on what carries the stack's tags."""
    manages: str = ""
    """Actions on what is named after the stack, and on contents of it."""


def statements(options: DeployerOptions) -> list[Statement]:
    """All of them, from the widest to the most special."""
    rights = list(_rights(options))
    return [
        *_reading(options),
        _joined("ManageByName", rights, "manages"),
        _making(options, rights),
        _joined("ChangeByTags", rights, "changes", {"StringEquals": options.on_own}),
        *_tagging(options),
        *_network(options),
        *([_instances(options)] if options.makes_cluster or options.bootstrap else []),
        *_roles(options),
        _access(options),
        *(_existing_key(options) if options.kms_key_arn else []),
        *_records(options),
        *(_query_logs() if options.dns_firewall else []),
        *([_unsubscribe(options)] if options.backup_watch else []),
    ]


def creation_statements(options: DeployerOptions) -> list[Statement]:
    """The further rights that creating the stack's resources needs: to tag what does not carry the stack's tags yet.

    AWS cannot tell the tagging of a new key, OIDC provider, rule group or default security group from the tagging of an
    existing one without such tags: no condition key says that the resource is new, as ec2:CreateAction does for EC2.
    """
    # What bears the mark of another stack cannot be taken over.
    unmarked = {f"aws:ResourceTag/{next(iter(options.tags))}": "true"}
    actions: list[str] = []
    resources: list[str] = []
    if options.makes_oidc_provider:
        actions.append("iam:TagOpenIDConnectProvider")
        resources.append(_issuers(options))
    if not options.existing_vpc_id:
        # The default group of a new VPC comes without tags.
        actions.append("ec2:CreateTags")
        resources.append(options.arn("ec2", "security-group/*"))
    if options.dns_firewall:
        actions.append("route53resolver:TagResource")
        resources.append(options.arn("route53resolver", "*"))
    found = (
        [_allow("TagNew", actions, resources, {"StringEquals": options.on_new, "Null": unmarked})] if actions else []
    )
    if options.makes_keys:
        # A new key has no alias, and whoever keeps keys names them.
        nameless = {**unmarked, "kms:ResourceAliases": "true"}
        conditions: Conditions = {"StringEquals": options.on_new, "Null": nameless}
        found.append(_allow("TagNewKeys", ["kms:TagResource"], options.arn("kms", "key/*"), conditions))
    return found


def _allow(
    sid: str, actions: Iterable[str], resources: str | list[str], conditions: Conditions | None = None
) -> Statement:
    statement: Statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": sorted(set(actions)),
        "Resource": resources if isinstance(resources, str) or len(resources) > 1 else resources[0],
    }
    return {**statement, "Condition": conditions} if conditions else statement


def _of(service: str, actions: str) -> list[str]:
    """`_of("kms", "CreateKey Decrypt")` is kms:CreateKey and kms:Decrypt."""
    return [f"{service}:{action}" for action in actions.split()]


def _joined(sid: str, rights: Iterable[Rights], kind: str, conditions: Conditions | None = None) -> Statement:
    """One statement for several services: no action of one touches a resource of another."""
    mine = [(right, getattr(right, kind)) for right in rights if getattr(right, kind)]
    actions = [action for right, text in mine for action in _of(right.service, text)]
    resources = dict.fromkeys(resource for right, _ in mine for resource in right.resources)
    return _allow(sid, actions, list(resources), conditions)


def _reading(options: DeployerOptions) -> Iterator[Statement]:
    """Descriptions of everything, by verb: the provider reads more from version to version. Contents are not in it."""
    yield _allow(
        "Describe",
        [
            "ec2:Describe*",
            *_of("eks", "Describe* List*"),
            *_of("iam", "Get* List*"),
            *_of("kms", "Describe* Get* List*"),
            *_of("logs", "Describe* List*"),
            *_of("route53", "Get* List*"),
            *_of("route53resolver", "Get* List*"),
            *_of("secretsmanager", "Describe* List*"),
            *_of("ssm", "Describe* List*"),
            *(_of("events", "Describe* List*") if options.karpenter or options.backup_watch else []),
            *(_of("cloudwatch", "Describe* List*") if options.backup_watch else []),
            *(_of("sns", "Get* List*") if options.backup_watch else []),
            *(["elasticloadbalancing:Describe*"] if options.load_balancers else []),
        ],
        "*",
    )


def _bucket(options: DeployerOptions) -> str:
    return options.global_arn("s3", f"{bucket_prefix(options.cluster_name)}*")


def _secrets(options: DeployerOptions) -> str:
    return options.arn("secretsmanager", f"secret:{options.cluster_name}/dash-enterprise/*")


def _parameters(options: DeployerOptions) -> str:
    return options.arn("ssm", f"parameter/{options.cluster_name}/*")


def _issuers(options: DeployerOptions) -> str:
    """OIDC providers of EKS: the cluster's has an id that EKS invents."""
    return options.iam_arn(f"oidc-provider/{options.service(f'oidc.eks.{options.region}')}/id/*")


def _rights(options: DeployerOptions) -> Iterator[Rights]:
    cluster = options.cluster_name
    yield _ec2(options)
    unbounded = "" if options.permissions_boundary_arn else " CreateRole PutRolePolicy"
    yield Rights(
        "iam",
        _role_names(options),
        # Policies that earlier versions attached are detached, too; detaching takes rights away and gives none.
        manages="DeleteRole DeleteRolePolicy DetachRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole "
        f"UpdateRoleDescription{unbounded}",
    )
    if options.bootstrap:
        # The newest image of Ubuntu; nobody can write what AWS publishes.
        yield Rights("ssm", [options.public_arn("ssm", "parameter/aws/service/canonical/*")], manages="Get*")
        yield Rights(
            "iam",
            [options.iam_arn(f"instance-profile/{cluster}-*")],
            manages="AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile "
            "RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile",
        )
    if options.makes_oidc_provider:
        yield Rights(
            "iam",
            [_issuers(options)],
            changes="DeleteOpenIDConnectProvider TagOpenIDConnectProvider UntagOpenIDConnectProvider",
        )
    yield Rights(
        "eks",
        [
            options.arn("eks", f"cluster/{cluster}"),
            *(options.arn("eks", f"{kind}/{cluster}/*") for kind in _IN_CLUSTER),
        ],
        makes="CreateCluster" if options.makes_cluster else "",
        manages=_IN_ANY_CLUSTER + (_IN_OWN_CLUSTER if options.makes_cluster else ""),
    )
    if options.makes_key:
        yield Rights(
            "kms",
            [options.arn("kms", "key/*")],
            makes="CreateKey",
            changes="CreateAlias CreateGrant Decrypt DeleteAlias EnableKey EnableKeyRotation GenerateDataKey "
            "PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateAlias UpdateKeyDescription",
        )
        aliases = [options.arn("kms", f"alias/eks/{cluster}")]
        yield Rights("kms", aliases, manages="CreateAlias DeleteAlias UpdateAlias")
    yield Rights(
        "logs",
        [options.arn("logs", f"log-group:{group}") for group in _log_groups(options)],
        manages="CreateLogGroup DeleteLogGroup PutRetentionPolicy TagResource UntagResource",
    )
    if options.installation:
        yield from _delivery(options)
    if options.backups:
        yield _backup_buckets(options)
    if options.karpenter:
        yield from _interruptions(options)
    if options.dns_firewall:
        yield Rights(
            "route53resolver",
            [options.arn("route53resolver", "*")],
            makes="AssociateFirewallRuleGroup CreateFirewallDomainList CreateFirewallRuleGroup "
            "CreateResolverQueryLogConfig",
            changes="AssociateFirewallRuleGroup AssociateResolverQueryLogConfig CreateFirewallRule "
            "DeleteFirewallDomainList DeleteFirewallRule DeleteFirewallRuleGroup DeleteResolverQueryLogConfig "
            "DisassociateFirewallRuleGroup DisassociateResolverQueryLogConfig TagResource UntagResource "
            "UpdateFirewallDomains UpdateFirewallRule UpdateFirewallRuleGroupAssociation",
        )
    if options.backup_watch:
        yield from _backup_watch(options)
    if options.session_logs:
        yield Rights("logs", [_session_logs(options)], manages="AssociateKmsKey DisassociateKmsKey")
        yield Rights(
            "ssm",
            [options.arn("ssm", f"document/{document_name(options.cluster_name)}")],
            manages="Get* AddTagsToResource CreateDocument DeleteDocument RemoveTagsFromResource UpdateDocument "
            "UpdateDocumentDefaultVersion",
        )
    if options.makes_log_key:
        yield Rights(
            "kms",
            [options.arn("kms", "key/*")],
            makes="CreateKey",
            changes="EnableKeyRotation PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription",
        )


def _session_logs(options: DeployerOptions) -> str:
    return options.arn("logs", f"log-group:{log_group_name(options.cluster_name)}*")


def _delivery(options: DeployerOptions) -> Iterator[Rights]:
    """What an installation is delivered through."""
    yield Rights("s3", [_bucket(options)], manages=f"{_BUCKETS} PutObject")
    yield Rights(
        "secretsmanager",
        [_secrets(options)],
        manages="Get* CreateSecret DeleteSecret PutSecretValue TagResource UntagResource UpdateSecret "
        "UpdateSecretVersionStage",
    )
    yield Rights(
        "ssm",
        [_parameters(options)],
        manages="Get* AddTagsToResource DeleteParameter PutParameter RemoveTagsFromResource",
    )


def _backup_buckets(options: DeployerOptions) -> Rights:
    """The bucket that backups go to, and its copy. S3 has no region in its ARNs, so that one name serves for both."""
    names = [f"{backup_bucket_prefix(options.cluster_name)}*", *filter(None, [options.backup_bucket_name])]
    buckets = [options.global_arn("s3", name) for name in names]
    return Rights(
        "s3",
        [*buckets, *(f"{bucket}/*" for bucket in buckets if not bucket.endswith("*"))],
        # Replication that the settings no longer want is taken away by the same right that sets it up.
        manages=f"{_BUCKETS} PutBucketObjectLockConfiguration PutReplicationConfiguration",
    )


def _interruptions(options: DeployerOptions) -> Iterator[Rights]:
    """The controller's policies, and what tells it of machines about to go."""
    mine = f"{options.cluster_name}-*"
    yield Rights(
        "iam",
        [options.iam_arn(f"policy/{mine}")],
        manages="CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion TagPolicy UntagPolicy",
    )
    yield Rights(
        "sqs",
        [options.arn("sqs", mine)],
        manages="Get* List* CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue",
    )
    yield Rights(
        "events",
        [options.arn("events", f"rule/{mine}")],
        manages=_RULES,
    )


def _backup_watch(options: DeployerOptions) -> Iterator[Rights]:
    """The function that looks for backups, its clock, and the alarms with their topic, log and key."""
    watch = watch_name(options.cluster_name)
    name = f"{watch}-backup-watch"
    yield Rights(
        "lambda",
        [options.arn("lambda", f"function:{name}")],
        manages="Get* List* AddPermission CreateFunction DeleteFunction RemovePermission TagResource UntagResource "
        "UpdateFunctionCode UpdateFunctionConfiguration",
    )
    yield Rights(
        "sns",
        [options.arn("sns", name)],
        manages="CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
    )
    yield Rights(
        "cloudwatch",
        [options.arn("cloudwatch", f"alarm:{watch}-backup-overdue-*")],
        manages="DeleteAlarms PutMetricAlarm TagResource UntagResource",
    )
    yield Rights("events", [options.arn("events", f"rule/{name}")], manages=_RULES)
    yield Rights(
        "logs",
        [options.arn("logs", f"log-group:/aws/lambda/{name}*")],
        manages="AssociateKmsKey CreateLogGroup DeleteLogGroup DisassociateKmsKey PutRetentionPolicy TagResource "
        "UntagResource",
    )


def _ec2(options: DeployerOptions) -> Rights:
    both = "AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress"
    makes = "CreateLaunchTemplate"
    changes = (
        "CreateLaunchTemplateVersion CreateTags DeleteLaunchTemplate DeleteTags ModifyLaunchTemplate "
        "ModifySecurityGroupRules RevokeSecurityGroupEgress RevokeSecurityGroupIngress RunInstances"
    )
    if options.makes_cluster:
        changes += " DeleteVolume"  # of claims, in a destroy; the EBS driver gives them the stack's tags
    if not options.existing_vpc_id:
        both += " CreateFlowLogs CreateNatGateway CreateRouteTable CreateSecurityGroup CreateSubnet CreateVpcEndpoint"
        makes += " CreateInternetGateway CreateVpc"
        changes += (
            " AssociateRouteTable AttachInternetGateway CreateRoute DeleteFlowLogs DeleteInternetGateway "
            "DeleteNatGateway DeleteRoute DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteVpc "
            "DeleteVpcEndpoints DetachInternetGateway DisassociateRouteTable ModifySubnetAttribute "
            "ModifyVpcAttribute ModifyVpcEndpoint ModifyVpcTenancy ReplaceRoute "
            "ReplaceRouteTableAssociation"
        )
    if options.ipv6 and not options.existing_vpc_id:
        both += " CreateEgressOnlyInternetGateway"
        changes += (
            " AssociateSubnetCidrBlock AssociateVpcCidrBlock DeleteEgressOnlyInternetGateway "
            "DisassociateSubnetCidrBlock DisassociateVpcCidrBlock"
        )
    if options.bootstrap:
        both += " CreateSecurityGroup"
        changes += " DeleteSecurityGroup ModifyInstanceAttribute StartInstances StopInstances TerminateInstances"
    if options.ssh_key_name:
        makes += " ImportKeyPair"
        changes += " AssociateAddress DeleteKeyPair"
    if options.ssh_key_name or not options.existing_vpc_id:
        makes += " AllocateAddress"
        changes += " DisassociateAddress ReleaseAddress"
    return Rights("ec2", [options.arn("ec2", "*")], makes=f"{both} {makes}", changes=f"{both} {changes}")


def _role_names(options: DeployerOptions) -> list[str]:
    """Every role is named after the cluster, with a suffix by Pulumi; one can be named as Dash Enterprise's guide has
    it."""
    names = [f"{options.cluster_name}-*"]
    if options.ebs_csi_role == EBS_CSI_ROLE_VENDOR_NAME:
        names.append(VENDOR_EBS_CSI_ROLE)
    return [options.iam_arn(f"role/{name}") for name in names]


def _log_groups(options: DeployerOptions) -> Iterator[str]:
    cluster = options.cluster_name
    yield f"/aws/eks/{cluster}/*"
    if options.bootstrap or options.session_logs:
        yield f"/{cluster}/*"
    if options.dns_firewall:
        yield f"/aws/vendedlogs/dns/{cluster}*"
    if not options.existing_vpc_id:
        yield f"/aws/vpc-flow-logs/{cluster}*"


def _making(options: DeployerOptions, rights: Iterable[Rights]) -> Statement:
    """An ARN would say no more: what is new lies in the caller's account, under an id that nobody knew.

    Nothing is made inside of what another stack has, even if AWS shows the tags of the request to the check of the VPC.
    """
    tags = {**options.on_new, "aws:RequestedRegion": options.region}
    actions = [action for right in rights for action in _of(right.service, right.makes)]
    return _allow("MakeWithTags", actions, "*", {"StringEquals": tags, "StringEqualsIfExists": options.on_own})


def _tagging(options: DeployerOptions) -> Iterator[Statement]:
    # A part of making something, which is allowed with the stack's tags only.
    made = {"StringLike": {"ec2:CreateAction": "*"}}
    yield _allow("TagEc2", ["ec2:CreateTags"], options.arn("ec2", "*"), made)
    if options.makes_oidc_provider:
        # IAM has no region, so that this one cannot be bound to it as the rest of what is made.
        marked = {"StringEquals": options.on_new}
        yield _allow("TrustIssuer", ["iam:CreateOpenIDConnectProvider"], _issuers(options), marked)


def _network(options: DeployerOptions) -> Iterator[Statement]:
    yield _allow(
        # EKS makes it, with a tag of its own, before the program can add others:
        # https://docs.aws.amazon.com/eks/latest/userguide/sec-group-reqs.html
        "ClusterGroup",
        _of(
            "ec2",
            "AuthorizeSecurityGroupIngress CreateTags DeleteTags ModifySecurityGroupRules RevokeSecurityGroupIngress",
        ),
        options.arn("ec2", "security-group/*"),
        {"StringEquals": {"aws:ResourceTag/aws:eks:cluster-name": options.cluster_name}},
    )
    if not options.existing_vpc_id and options.interface_endpoints:
        yield _allow(
            # Their private DNS names are a zone of AWS that EC2 ties to the VPC in the caller's name.
            "NameEndpoints",
            ["route53:AssociateVPCWithHostedZone"],
            options.global_arn("route53", "hostedzone/*"),
        )
    if options.existing_vpc_id and options.bootstrap:
        vpc = options.arn("ec2", f"vpc/{options.existing_vpc_id}")
        yield _allow("MakeInExistingVpc", ["ec2:CreateSecurityGroup"], vpc)
    if options.existing_subnet_ids:
        keys = [
            "karpenter.sh/discovery",
            f"kubernetes.io/cluster/{options.cluster_name}",
            "kubernetes.io/role/elb",
            "kubernetes.io/role/internal-elb",
        ]
        subnets = [options.arn("ec2", f"subnet/{subnet}") for subnet in options.existing_subnet_ids]
        only = {"ForAllValues:StringEquals": {"aws:TagKeys": keys}}
        yield _allow("TagExistingSubnets", _of("ec2", "CreateTags DeleteTags"), subnets, only)


def _instances(options: DeployerOptions) -> Statement:
    """Whoever makes a managed node group must be able to start the instances of its launch template.

    What `ChangeByTags` does not cover of a start. Every start has a launch template, and a launch template is covered
    nowhere but there: it is one of the stack.
    """
    kinds = ["instance", "network-interface", "security-group", "volume"]
    if options.existing_vpc_id:
        kinds.append("subnet")
    anywhere = f"arn:{options.partition}:ec2:*:*"
    return _allow(
        "StartInstances",
        ["ec2:RunInstances"],
        [*(f"{anywhere}:{kind}/*" for kind in kinds), f"arn:{options.partition}:ec2:*::image/*"],
        {"ArnLike": {"ec2:LaunchTemplate": options.arn("ec2", "launch-template/*")}},
    )


def _roles(options: DeployerOptions) -> Iterator[Statement]:
    roles = _role_names(options)
    policies = [managed_policy_arn(options.region, name) for name in MANAGED_POLICIES]
    if options.karpenter:
        policies.append(options.iam_arn(f"policy/{options.cluster_name}-*"))
    bounded: Conditions = {}
    if boundary := options.permissions_boundary_arn:
        # The key is the boundary of the request for what sets one, and the role's own for the rest. Nothing takes a
        # boundary away: there is no iam:DeleteRolePermissionsBoundary.
        bounded = {"StringEquals": {"iam:PermissionsBoundary": boundary}}
        actions = _of("iam", "CreateRole PutRolePermissionsBoundary PutRolePolicy")
        yield _allow("BoundRoles", actions, roles, bounded)
    attached = {"ArnEquals": {"iam:PolicyARN": policies}}
    yield _allow("AttachPolicies", ["iam:AttachRolePolicy"], roles, {**attached, **bounded})
    services = ["eks.amazonaws.com", "pods.eks.amazonaws.com", options.service("ec2")]
    services += ["lambda.amazonaws.com"] if options.backup_watch else []
    if not options.existing_vpc_id:
        services.append("vpc-flow-logs.amazonaws.com")
    if options.backup_replication:
        services.append("s3.amazonaws.com")
    yield _allow("PassRoles", ["iam:PassRole"], roles, {"StringEquals": {"iam:PassedToService": services}})
    if options.existing_csi_role_arn:
        to_pods = {"StringEquals": {"iam:PassedToService": "pods.eks.amazonaws.com"}}
        yield _allow("PassEbsDriverRole", ["iam:PassRole"], options.existing_csi_role_arn, to_pods)
    # Made once in an account, in the name of the first who needs them. EKS makes those of Auto Scaling and balancers.
    linked = ["eks.amazonaws.com", "eks-nodegroup.amazonaws.com"]
    if options.dns_firewall:
        linked.append("route53resolver.amazonaws.com")
    yield _allow(
        "MakeLinkedRoles",
        ["iam:CreateServiceLinkedRole"],
        options.iam_arn("role/aws-service-role/*"),
        {"StringEquals": {"iam:AWSServiceName": linked}},
    )


def _access(options: DeployerOptions) -> Statement:
    """Only the one access policy that the program gives."""
    return _allow(
        "Access",
        _of("eks", "AssociateAccessPolicy DisassociateAccessPolicy"),
        options.arn("eks", f"access-entry/{options.cluster_name}/*"),
        {"ArnEquals": {"eks:policyArn": cluster_admin_policy_arn(options.region)}},
    )


def _existing_key(options: DeployerOptions) -> Iterator[Statement]:
    """What `ChangeByTags` allows on a key of the program's own, whose policy says who may use it through what."""
    services = [f"{name}.{options.service(options.region)}" for name in ("s3", "secretsmanager")]
    # EKS takes its grant in the caller's name, and knows none of the keys that conditions could name.
    yield _allow("GrantKeyToCluster", ["kms:CreateGrant"], options.kms_key_arn)
    through = {"StringEquals": {"kms:ViaService": services}}
    yield _allow("UseKeyThroughServices", _of("kms", "Decrypt GenerateDataKey"), options.kms_key_arn, through)


def _records(options: DeployerOptions) -> Iterator[Statement]:
    if options.hosted_zone_ids and options.base_domain:
        names = sorted(name.lower() for name in host_names(options.base_domain))
        yield _allow(
            "ChangeRecords",
            ["route53:ChangeResourceRecordSets"],
            [options.global_arn("route53", f"hostedzone/{zone}") for zone in options.hosted_zone_ids],
            {"ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": names}},
        )


def _query_logs() -> Iterator[Statement]:
    # AWS knows no resource for these:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-and-resource-policy.html
    actions = "CreateLogDelivery DeleteLogDelivery GetLogDelivery PutResourcePolicy UpdateLogDelivery"
    # The firewall's configuration of a VPC bears no tags, and has an id that nobody knows beforehand.
    yield _allow("DeliverQueryLogs", [*_of("logs", actions), "route53resolver:UpdateFirewallConfig"], "*")


def _unsubscribe(options: DeployerOptions) -> Statement:
    # Subscriptions have no resource: https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html
    in_region = {"StringEquals": {"aws:RequestedRegion": options.region}}
    return _allow("EndSubscriptions", ["sns:Unsubscribe"], "*", in_region)
