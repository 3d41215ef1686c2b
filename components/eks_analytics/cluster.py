"""The Kubernetes cluster: control plane, access, encryption, logs, add-ons, node groups."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from datetime import date
from functools import partial
from hashlib import sha256
from ipaddress import ip_network
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_kubernetes as k8s

from . import iam
from .arguments import argument_problems
from .cluster_checks import (
    EBS_CSI_ROLE_PER_CLUSTER,
    EBS_CSI_ROLE_VENDOR_NAME,
    VENDOR_EBS_CSI_ROLE,
    ClusterOptions,
    check_cluster,
    cluster_warnings,
)
from .fixed_values import SESSION_LOGS_KEY, another_cluster
from .kubeconfig import kubeconfig
from .locks import behind, lock
from .node_group_options import NodeGroupArgs, plan_node_groups
from .node_groups import create_node_group
from .problems import reject
from .refusal import RefusedError
from .session_logs import make_session_logs
from .session_logs_options import SessionLogsArgs, kept_days
from .versions import ADDONS_AFTER_NODES, ADDONS_BEFORE_NODES, addon_versions
from .volume_drain import volume_drain
from .waiting import once
from .zone_look_up import reject_zones

SubnetIds = pulumi.Input[Mapping[str, pulumi.Input[str]]]


class ClusterSpecArgs(TypedDict):
    """What a Cluster is like, wherever it stands."""

    cluster_name: str
    """Name of the EKS cluster, fixed from creation on; subnets and access policies are tagged with it beforehand."""
    admin_principal_arns: list[str]
    """ARNs of the IAM roles and users that administer the cluster, at least one: EKS gives the creator no access here,
    so name the role that runs the deployment too. No session ARNs (arn:aws:sts::...)."""
    node_groups: list[NodeGroupArgs]
    """Managed node groups, at least one with nodes and without NoSchedule or NoExecute taints."""
    region: NotRequired[str]
    """AWS region; the provider's by default, which is looked up."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up."""
    kubernetes_version: NotRequired[str]
    """Kubernetes version, "1.35" by default. Outside EKS standard support there is a warning."""
    control_plane_zones: NotRequired[list[str]]
    """Zones of the control plane; the first two of `subnet_ids_by_zone` by default, where that is a map of ids. Fixed
    from creation on: EKS accepts no subnets in further zones later."""
    public_endpoint_cidrs: NotRequired[list[str]]
    """CIDRs that may reach the public API endpoint; without any there is no public endpoint. The private one is always
    on. IPv4 not wider than /8, IPv6 not wider than /32. None by default."""
    private_endpoint_cidrs: NotRequired[list[str]]
    """CIDRs that may reach the private API endpoint on port 443: the VPC's, and those of networks connected to it.
    Empty by default: EKS itself lets in nobody but the nodes and pods of the cluster. Not wider than /8."""
    engine_runs_inside_vpc: NotRequired[bool]
    """Confirms that `pulumi up` reaches the private endpoint, through a VPN, peering or from a host in the VPC, from an
    address in `private_endpoint_cidrs`. Needed where `public_endpoint_cidrs` is empty; false by default."""
    kms_key_arn: NotRequired[str]
    """ARN of an existing KMS key that encrypts the Kubernetes secrets; empty (default) makes one, rotated yearly. A
    change is refused: EKS keeps the key that a cluster was made with."""
    log_types: NotRequired[list[str]]
    """Control-plane logs in CloudWatch: api, audit, authenticator (default), controllerManager, scheduler."""
    log_retention_days: NotRequired[int]
    """Days to keep the control-plane logs; 90 by default."""
    production: NotRequired[bool]
    """Protects the control plane and its key against `pulumi destroy`, keeps a deleted key for 30 days instead of 7,
    and turns `deletion_protection` on by default. False by default."""
    deletion_protection: NotRequired[bool]
    """Makes EKS itself refuse to delete the cluster, and `pulumi destroy` with it; the value of `production` by
    default."""
    confirm_replacement: NotRequired[bool]
    """Confirms that a changed `cluster_name`, `ip_family` or `service_cidr` replaces the cluster and everything in it.
    False by default: such a change is refused. A change of `kms_key_arn` alone always is."""
    service_cidr: NotRequired[str]
    """IPv4 range of the Kubernetes services, "172.20.0.0/16" by default; not used with `ip_family` ipv6."""
    ip_family: NotRequired[str]
    """Addresses of pods and services: ipv4 (default) or ipv6, which needs subnets with IPv6. Fixed from creation on."""
    vpc_cni_prefix_delegation: NotRequired[bool]
    """Gives nodes /28 prefixes instead of single addresses, so that more pods fit on them; Nitro instances only. False
    by default."""
    addon_versions: NotRequired[dict[str, str]]
    """EKS add-on versions by add-on name, where they differ from the pinned ones. None by default."""
    ebs_csi_role: NotRequired[str]
    """Role of the EBS driver: per-cluster (default), vendor-name for a role named AmazonEKS_EBS_CSI_DriverRole, which
    the deployer policy in Dash Enterprise's guide can pass, or the ARN of an existing role."""
    enable_default_storage_class: NotRequired[bool]
    """Makes an encrypted gp3 StorageClass the default; true by default."""
    session_logs: NotRequired[SessionLogsArgs]
    """Transcripts of Session Manager sessions on nodes and the bootstrap host, in the log group
    /<cluster name>/sessions. None by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds every role of the cluster, the control plane's included; none by
    default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some, nodes, their network interfaces, the volumes of Kubernetes and the
    security group that EKS makes included. The nodes' come from their launch template, so that a changed tag makes EKS
    roll the nodes. None by default."""


class ClusterArgs(ClusterSpecArgs):
    """Arguments of Cluster: what it is like, and its network."""

    vpc_id: pulumi.Input[str]
    """Id of the VPC."""
    subnet_ids_by_zone: SubnetIds
    """Private subnet of every availability zone, by zone name: the control plane puts its network interfaces there.
    Best a map of ids, each known or not, than one output of all: with that, a preview that adds a zone knows none."""
    node_subnet_ids_by_zone: SubnetIds
    """The same for nodes: ids that are known once the subnet's way to the internet is ready, so that no node starts
    before."""


class Cluster(pulumi.ComponentResource):
    """An EKS cluster with private nodes: encrypted secrets, retained logs, explicit administrators through access
    entries, pinned add-ons with Pod Identity, managed node groups and an encrypted default storage class."""

    cluster_name: pulumi.Output[str]
    """Name of the cluster."""
    cluster_arn: pulumi.Output[str]
    """ARN of the cluster."""
    endpoint: pulumi.Output[str]
    """URL of the Kubernetes API server."""
    certificate_authority: pulumi.Output[str]
    """Certificate authority of the API server: PEM in base64."""
    kubeconfig: pulumi.Output[str]
    """Kubeconfig that asks the AWS CLI for a token at every use, and holds none. What uses it waits until the
    administrators have access."""
    oidc_issuer: pulumi.Output[str]
    """URL of the cluster's OIDC issuer."""
    oidc_provider_arn: pulumi.Output[str]
    """ARN of the IAM OIDC provider, for roles of service accounts that cannot use Pod Identity."""
    cluster_security_group_id: pulumi.Output[str]
    """Id of the security group that EKS made for the control plane and the nodes."""
    node_role_arn: pulumi.Output[str]
    """ARN of the nodes' IAM role."""
    node_role_name: pulumi.Output[str]
    """Name of the nodes' IAM role."""
    version: pulumi.Output[str]
    """Kubernetes version of the control plane."""
    kms_key_arn: pulumi.Output[str]
    """ARN of the key that encrypts the Kubernetes secrets."""
    session_document_name: pulumi.Output[str]
    """Name of the session document with which sessions leave a transcript; empty without `session_logs`."""
    session_log_group_arn: pulumi.Output[str]
    """ARN of the log group that holds the transcripts; empty without `session_logs`."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"cluster {name!r}", argument_problems(args, ClusterArgs))
        options = cluster_options(args, _zones(args["subnet_ids_by_zone"]), _zones(args["node_subnet_ids_by_zone"]))
        reject(f"cluster {options.cluster_name!r}", check_cluster(options))

        fixed = _lock(name, options, args, opts)
        super().__init__("eks-analytics:index:Cluster", name, {}, behind(fixed, opts))
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)
        self._addon_versions = addon_versions(options.kubernetes_version, options.addon_versions)
        for warning in cluster_warnings(options, date.today()):
            pulumi.log.warn(warning, self)
        reject_zones(f"cluster {options.cluster_name!r}", options.control_plane_zones, self)

        region = args.get("region") or aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        account_id = (
            args.get("account_id") or aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).account_id
        )
        self._region = pulumi.Output.from_input(region)
        self._scope = pulumi.Output.all(region, account_id).apply(lambda scope: (scope[0], scope[1]))

        self.kms_key_arn = once(self._encryption_key(), [fixed])
        control_plane = self._control_plane()
        # The leaf resource, not the component: who depends on a remote component is not deleted before its children.
        self.cluster_name = control_plane.apply(lambda cluster: cluster.name)
        self.cluster_arn = control_plane.apply(lambda cluster: cluster.arn)
        self.endpoint = control_plane.apply(lambda cluster: cluster.endpoint)
        self.certificate_authority = control_plane.apply(lambda cluster: cluster.certificate_authority).apply(
            lambda authority: authority.data or ""
        )
        self.version = control_plane.apply(lambda cluster: cluster.version)
        self.cluster_security_group_id = control_plane.apply(lambda cluster: cluster.vpc_config).apply(
            lambda vpc: vpc.cluster_security_group_id or ""
        )
        self._tag_cluster_security_group()
        self.oidc_issuer = control_plane.apply(lambda cluster: cluster.identities).apply(_issuer)
        self.oidc_provider_arn = self._oidc_provider().arn
        administrators = [self._administrator(arn) for arn in options.admin_principal_arns]
        entrances = [self._private_entrance(cidr) for cidr in options.private_endpoint_cidrs]
        self.kubeconfig = pulumi.Output.all(
            self.cluster_name,
            self._region,
            self.endpoint,
            self.certificate_authority,
            # Not used, but waited for: before them, the API server refuses everyone, or is out of reach.
            *[administrator.principal_arn for administrator in administrators],
            *[entrance.security_group_id for entrance in entrances],
        ).apply(lambda parts: kubeconfig(*parts[:4]))

        self.session_document_name, self.session_log_group_arn = self._session_logs()
        plans = plan_node_groups(options.node_groups, options.control_plane_zones)
        before_nodes = [self._addon(addon) for addon in ADDONS_BEFORE_NODES]
        volumes = volume_drain(
            name,
            cluster_name=self.cluster_name,
            cluster_arn=self.cluster_arn,
            region=self._region,
            keep=options.production,
            parent=self,
        )
        node_role, node_policies = self._node_role()
        self.node_role_arn = node_role.arn
        self.node_role_name = node_role.name
        self.node_groups = {
            plan.name: create_node_group(
                name,
                plan,
                cluster_name=self.cluster_name,
                kubernetes_version=options.kubernetes_version,
                node_role_arn=node_role.arn,
                subnet_ids=_subnets(args["node_subnet_ids_by_zone"], plan.zones),
                tags=self._tags,
                parent=self,
                depends_on=[*before_nodes, *node_policies, volumes],
            )
            for plan in plans
        }
        hosts = [self.node_groups[plan.name] for plan in plans if plan.hosts_cluster_services]
        after_nodes = [self._addon(addon, hosts) for addon in ADDONS_AFTER_NODES]
        self.addons = dict(zip((*ADDONS_BEFORE_NODES, *ADDONS_AFTER_NODES), before_nodes + after_nodes, strict=True))

        self.kubernetes_provider = k8s.Provider(
            name,
            kubeconfig=self.kubeconfig,
            # A changed kubeconfig must never look like another cluster, or everything in this one is replaced.
            cluster_identifier=self.cluster_arn,
            opts=pulumi.ResourceOptions(parent=self),
        )
        storage = [self._default_storage_class(hosts)] if options.enable_default_storage_class else []
        self.ready = [*after_nodes, *storage]
        """What there must be before something is installed into the cluster."""
        self.system_node_groups = hosts
        """The node groups that take pods without tolerations, and begin with nodes."""

        self.register_outputs({output: getattr(self, output) for output in Cluster.__annotations__})

    def _encryption_key(self) -> pulumi.Output[str]:
        production = self._options.production
        if self._options.kms_key_arn:
            return pulumi.Output.from_input(self._options.kms_key_arn)
        key = aws.kms.Key(
            f"{self._label}-secrets",
            description=f"Kubernetes secrets of the EKS cluster {self._options.cluster_name}",
            enable_key_rotation=True,
            deletion_window_in_days=30 if production else 7,
            policy=self._scope.apply(lambda scope: json.dumps(iam.cluster_key_policy(*scope))),
            tags={**self._tags, "Name": f"{self._options.cluster_name}-secrets"},
            opts=pulumi.ResourceOptions(parent=self, protect=production or None),
        )
        aws.kms.Alias(
            f"{self._label}-secrets",
            name=f"alias/eks/{self._options.cluster_name}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return key.arn

    def _control_plane(self) -> pulumi.Output[aws.eks.Cluster]:
        """The control plane and its role come from pulumi-eks; everything that it could make besides is ours."""
        args, options = self._args, self._options
        public_cidrs = list(options.public_endpoint_cidrs) or None
        deletion_protection = options.production if options.deletion_protection is None else options.deletion_protection
        # The engine refuses in the preview of a destroy; EKS alone would refuse half way through it.
        protect = options.production or deletion_protection
        cluster = eks.Cluster(
            self._label,
            name=options.cluster_name,
            version=options.kubernetes_version,
            vpc_id=args["vpc_id"],
            subnet_ids=_subnets(args["subnet_ids_by_zone"], options.control_plane_zones),
            authentication_mode=eks.AuthenticationMode.API,
            endpoint_private_access=True,
            endpoint_public_access=public_cidrs is not None,
            public_access_cidrs=public_cidrs,
            encryption_config_key_arn=self.kms_key_arn,
            enabled_cluster_log_types=self._log_types(),
            deletion_protection=deletion_protection,
            upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
            ip_family=options.ip_family,
            kubernetes_service_ip_address_range=options.service_cidr if options.ip_family == "ipv4" else None,
            bootstrap_self_managed_addons=False,
            use_default_vpc_cni=True,
            kube_proxy_addon_options=eks.KubeProxyAddonOptionsArgs(enabled=False),
            coredns_addon_options=eks.CoreDnsAddonOptionsArgs(enabled=False),
            skip_default_node_group=True,
            skip_default_security_groups=True,
            create_instance_role=False,
            create_oidc_provider=False,
            cluster_tags={"Name": options.cluster_name},
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, transforms=[_control_plane_transform(protect, options)]),
        )
        return cluster.eks_cluster

    def _session_logs(self) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
        options = self._options
        if options.session_logs is None or not kept_days(options.session_logs):
            return pulumi.Output.from_input(""), pulumi.Output.from_input("")
        log_group, document = make_session_logs(
            self._label,
            options.cluster_name,
            options.session_logs,
            self._scope,
            production=options.production,
            tags=self._tags,
            parent=self,
        )
        return document.name, log_group.arn

    def _log_types(self) -> pulumi.Output[list[str]] | None:
        log_types = list(self._options.log_types)
        if not log_types:
            return None
        log_group = aws.cloudwatch.LogGroup(
            f"{self._label}-control-plane",
            name=f"/aws/eks/{self._options.cluster_name}/cluster",
            retention_in_days=self._options.log_retention_days,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # EKS would make the group itself and keep the logs for ever, so it must find one. The dependency travels in an
        # argument because depends_on stops at a remote component.
        return log_group.name.apply(lambda _: log_types)

    def _oidc_provider(self) -> aws.iam.OpenIdConnectProvider:
        return aws.iam.OpenIdConnectProvider(
            self._label,
            url=self.oidc_issuer,
            client_id_lists=[iam.IRSA_AUDIENCE],
            tags={**self._tags, "Name": self._options.cluster_name},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _administrator(self, principal_arn: str) -> aws.eks.AccessPolicyAssociation:
        child = pulumi.ResourceOptions(parent=self)
        # 123456789012-role-Deployer: an entry of its own for every principal, whatever the order of the list.
        _, _, _, _, account_id, principal = principal_arn.split(":")
        kind, _, principal_name = principal.partition("/")
        name = f"{self._label}-admin-{account_id}-{kind}-{_readable(principal_name)}"
        entry = aws.eks.AccessEntry(
            name, cluster_name=self.cluster_name, principal_arn=principal_arn, tags=self._tags, opts=child
        )
        return aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=self.cluster_name,
            principal_arn=entry.principal_arn,
            policy_arn=self._region.apply(iam.cluster_admin_policy_arn),
            access_scope=aws.eks.AccessPolicyAssociationAccessScopeArgs(type="cluster"),
            opts=child,
        )

    def _tag_cluster_security_group(self) -> None:
        # EKS makes the group and hands none of the cluster's tags on to it.
        for key, value in self._tags.items():
            aws.ec2.Tag(
                f"{self._label}-cluster-security-group-{_readable(key)}",
                resource_id=self.cluster_security_group_id,
                key=key,
                value=value,
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _private_entrance(self, cidr: str) -> aws.vpc.SecurityGroupIngressRule:
        ipv6 = ip_network(cidr).version == 6
        return aws.vpc.SecurityGroupIngressRule(
            f"{self._label}-private-endpoint-{_readable(cidr.replace('/', '-'))}",
            security_group_id=self.cluster_security_group_id,
            description=f"Kubernetes API from {cidr}",
            ip_protocol="tcp",
            from_port=443,
            to_port=443,
            cidr_ipv4=None if ipv6 else cidr,
            cidr_ipv6=cidr if ipv6 else None,
            tags={**self._tags, "Name": f"{self._options.cluster_name}-private-endpoint"},
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _addon(self, addon: str, depends_on: Sequence[pulumi.Resource] = ()) -> aws.eks.Addon:
        identity, policies = self._addon_identity(addon)
        configuration = self._addon_configuration(addon)
        return aws.eks.Addon(
            f"{self._label}-{addon}",
            cluster_name=self.cluster_name,
            addon_name=addon,
            addon_version=self._addon_versions[addon],
            configuration_values=json.dumps(configuration, sort_keys=True) if configuration else None,
            pod_identity_associations=identity,
            resolve_conflicts_on_create="OVERWRITE",
            # What this program sets wins over changes by hand, but for the Corefile: others may own parts of it.
            resolve_conflicts_on_update="PRESERVE" if addon == "coredns" else "OVERWRITE",
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*depends_on, *policies]),
        )

    def _addon_configuration(self, addon: str) -> dict[str, object]:
        if addon == "vpc-cni":
            # Always written out: the provider takes a removed configuration for an unchanged one. IPv6 addresses come
            # in prefixes only.
            prefixes = self._options.vpc_cni_prefix_delegation or self._options.ip_family == "ipv6"
            return {
                "env": {
                    "ADDITIONAL_ENI_TAGS": json.dumps(self._tags, sort_keys=True),
                    "ENABLE_PREFIX_DELEGATION": "true" if prefixes else "false",
                    "WARM_PREFIX_TARGET": "1",
                }
            }
        if addon == "aws-ebs-csi-driver":
            return {
                # Besides, the driver tags volumes with the cluster's name, which EKS tells it: volume_drain.py.
                "controller": {"extraVolumeTags": self._tags},
                # Its sidecar waits for the snapshot kinds, so the two add-ons need not wait for each other.
                "sidecars": {"snapshotter": {"forceEnable": True}},
            }
        return {}

    def _addon_identity(
        self, addon: str
    ) -> tuple[list[aws.eks.AddonPodIdentityAssociationArgs] | None, Sequence[pulumi.Resource]]:
        """The Pod Identity association of an add-on that calls AWS, and what its role must have before it starts."""
        if addon == "vpc-cni":
            service_account = "aws-node"
            role = self._pod_role(addon, service_account)
            ipv6 = self._options.ip_family == "ipv6"
            policy = self._vpc_cni_ipv6_policy(role) if ipv6 else self._attach(addon, role, "AmazonEKS_CNI_Policy")
            role_arn, policies = role.arn, [policy]
        elif addon == "aws-ebs-csi-driver":
            service_account = "ebs-csi-controller-sa"
            choice = self._options.ebs_csi_role
            if choice in (EBS_CSI_ROLE_PER_CLUSTER, EBS_CSI_ROLE_VENDOR_NAME):
                name = VENDOR_EBS_CSI_ROLE if choice == EBS_CSI_ROLE_VENDOR_NAME else None
                role = self._pod_role(addon, service_account, name)
                role_arn, policies = role.arn, [self._attach(addon, role, "AmazonEBSCSIDriverPolicyV2")]
            else:
                role_arn, policies = choice, []
        else:
            return None, []
        association = aws.eks.AddonPodIdentityAssociationArgs(role_arn=role_arn, service_account=service_account)
        return [association], policies

    def _pod_role(self, purpose: str, service_account: str, role_name: str | None = None) -> aws.iam.Role:
        cluster_name = self._options.cluster_name
        return aws.iam.Role(
            f"{self._label}-{purpose}",
            name=role_name,
            description=f"{purpose} in the EKS cluster {cluster_name}",
            assume_role_policy=self._scope.apply(
                lambda scope: json.dumps(iam.pod_identity_trust(*scope, cluster_name, "kube-system", service_account))
            ),
            permissions_boundary=self._options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _attach(self, purpose: str, role: aws.iam.Role, policy: str) -> aws.iam.RolePolicyAttachment:
        return aws.iam.RolePolicyAttachment(
            f"{self._label}-{purpose}-{policy}",
            role=role.name,
            policy_arn=self._region.apply(lambda region: iam.managed_policy_arn(region, policy)),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _vpc_cni_ipv6_policy(self, role: aws.iam.Role) -> aws.iam.RolePolicy:
        return aws.iam.RolePolicy(
            f"{self._label}-vpc-cni-ipv6",
            role=role.name,
            policy=self._region.apply(lambda region: json.dumps(iam.vpc_cni_ipv6(region))),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _node_role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        role = aws.iam.Role(
            f"{self._label}-node",
            description=f"Nodes of the EKS cluster {self._options.cluster_name}",
            assume_role_policy=self._region.apply(lambda region: json.dumps(iam.node_trust(region))),
            permissions_boundary=self._options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # No AmazonEKS_CNI_Policy: vpc-cni has a role of its own, so pods cannot borrow its rights from the node.
        policies = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
        sessions = aws.iam.RolePolicy(
            f"{self._label}-node-session-manager",
            role=role.name,
            policy=pulumi.Output.all(self._scope, self.session_log_group_arn).apply(
                lambda known: json.dumps(iam.document(*iam.session_manager(known[0][0], known[0][1], known[1])))
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role, [*(self._attach("node", role, policy) for policy in policies), sessions]

    def _default_storage_class(self, hosts: Sequence[pulumi.Resource]) -> pulumi.CustomResource:
        # It needs no node, but an access entry takes a while to count everywhere; and no volume is made before nodes.
        # Not the typed class: for its type hints alone the SDK imports all of core/v1, a tenth of a preview's time.
        return pulumi.CustomResource(
            "kubernetes:storage.k8s.io/v1:StorageClass",
            f"{self._label}-gp3",
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": "gp3", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
                "provisioner": "ebs.csi.aws.com",
                "parameters": {"type": "gp3", "encrypted": "true"},
                # A volume lives in one zone: choose it only when the pod has a node.
                "volumeBindingMode": "WaitForFirstConsumer",
                "allowVolumeExpansion": True,
            },
            opts=pulumi.ResourceOptions(parent=self, provider=self.kubernetes_provider, depends_on=hosts),
        )


def _lock(
    name: str, options: ClusterOptions, args: ClusterSpecArgs, opts: pulumi.ResourceOptions | None
) -> pulumi.Stash:
    values = {
        "cluster_name": options.cluster_name,
        "ip_family": options.ip_family,
        "service_cidr": options.service_cidr if options.ip_family == "ipv4" else "",
        "kms_key_arn": options.kms_key_arn,
    }
    if kept_days(options.session_logs):
        values[SESSION_LOGS_KEY] = (options.session_logs or {}).get("kms_key_arn", "")
    confirmed = args.get("confirm_replacement", False)
    return lock(f"{name}-cluster", values, partial(another_cluster, confirmed=confirmed), opts)


def _zones(subnet_ids: SubnetIds) -> list[str] | None:
    """The zones of a map of subnets; None while it is an output."""
    return list(subnet_ids) if isinstance(subnet_ids, Mapping) else None


def _subnets(subnet_ids: SubnetIds, zones: Iterable[str]) -> list[pulumi.Input[str]]:
    if isinstance(subnet_ids, Mapping):
        return [subnet_ids[zone] for zone in zones]

    def subnet(ids: Mapping[str, pulumi.Input[str]], zone: str) -> pulumi.Input[str]:
        if zone not in ids:  # could not be checked earlier
            raise RefusedError(f"no subnet is given for the zone {zone}, only for {', '.join(ids)}: choose among these")
        return ids[zone]

    return [pulumi.Output.from_input(subnet_ids).apply(lambda ids, zone=zone: subnet(ids, zone)) for zone in zones]


def cluster_options(
    args: ClusterSpecArgs, zones: Sequence[str] | None, node_zones: Sequence[str] | None
) -> ClusterOptions:
    """The plain arguments. `zones` and `node_zones` have subnets; None where that is not known."""
    known = {field.name for field in fields(ClusterOptions)}
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in known}
    plain["control_plane_zones"] = args.get("control_plane_zones") or (zones or [])[:2]
    plain["zones_with_subnets"] = zones
    plain["zones_with_node_subnets"] = node_zones
    if "log_retention_days" in args:
        plain["log_retention_days"] = int(args["log_retention_days"])  # through the plugin it is a float
    return ClusterOptions(**plain)


def _readable(text: str) -> str:
    """A part of a logical name. Where characters are lost, a hash keeps a-b and a/b apart."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text)
    return plain if plain == text else f"{plain}-{sha256(text.encode()).hexdigest()[:6]}"


def _control_plane_transform(protect: bool, options: ClusterOptions) -> pulumi.ResourceTransform:
    """Edits the two children of pulumi-eks' component where its arguments fall short: role and control plane."""

    def edit(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ == "aws:iam/role:Role" and options.permissions_boundary_arn:
            bounded = {**args.props, "permissionsBoundary": options.permissions_boundary_arn}
            return pulumi.ResourceTransformResult(props=bounded, opts=args.opts)
        if args.type_ != "aws:eks/cluster:Cluster":
            return None
        # pulumi-eks always makes the creator an administrator, and ignores changes to it: the first value stays.
        access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
        own = pulumi.ResourceOptions(
            protect=protect or None,
            # The provider gives up after 30 minutes; control planes have been seen to take 38.
            custom_timeouts=pulumi.CustomTimeouts(create="60m"),
        )
        return pulumi.ResourceTransformResult(
            props={**args.props, "accessConfig": access}, opts=pulumi.ResourceOptions.merge(args.opts, own)
        )

    return edit


def _issuer(identities: Sequence[aws.eks.outputs.ClusterIdentity]) -> str:
    return next((oidc.issuer or "" for identity in identities for oidc in identity.oidcs or []), "")
