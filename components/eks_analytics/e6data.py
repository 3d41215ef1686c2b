"""e6data on EKS: everything that its workspaces need on AWS and in the cluster, in one component."""

from dataclasses import dataclass, replace
from typing import Any, NotRequired, TypedDict, cast

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from . import iam
from .arguments import argument_problems
from .cluster import Cluster, ClusterArgs, ClusterSpecArgs, cluster_options
from .drain import LoadBalancerDrain
from .drain_checks import DEFAULT_MINUTES
from .e6data_checks import E6dataOptions, ExistingClusterOptions, check_e6data, e6data_warnings
from .e6data_workspace import E6dataWorkspaceArgs, Workspace, make_workspace
from .e6data_workspace_options import APP_TAG, NAME_PREFIX, E6dataWorkspaceSpecArgs
from .existing_cluster import look_up
from .existing_cluster_checks import FoundCluster, check_found_cluster
from .karpenter import LONGEST_COMPONENT_NAME as KARPENTER_NAME
from .karpenter import Karpenter, KarpenterArgs
from .kubeconfig import kubeconfig
from .load_balancer_controller import LONGEST_COMPONENT_NAME as CONTROLLER_NAME
from .load_balancer_controller import AwsLoadBalancerController, AwsLoadBalancerControllerArgs
from .network import Network, NetworkArgs
from .network_options import NetworkOptions
from .physical_names import shortened
from .problems import reject
from .waiting import once
from .zone_look_up import reject_zones


class ExistingClusterArgs(TypedDict):
    """A cluster that is there, and what is in it already."""

    oidc_provider_arn: NotRequired[str]
    """ARN of the cluster's IAM OIDC provider; made by default."""
    karpenter_node_role_name: NotRequired[str]
    """Name of the IAM role of Karpenter's nodes, where Karpenter is in the cluster. Empty by default: it is
    installed."""
    has_load_balancer_controller: NotRequired[bool]
    """Whether the AWS Load Balancer Controller is in the cluster. False by default: it is installed."""


class E6dataKarpenterArgs(TypedDict):
    """How Karpenter is installed."""

    version: NotRequired[str]
    """Version of Karpenter and of both its charts; "1.14.1" by default."""
    identity: NotRequired[str]
    """How the controller gets its role: pod-identity (default for a new cluster), which needs the add-on
    eks-pod-identity-agent, or irsa (default for an existing one)."""
    allowed_names: NotRequired[list[str]]
    """Exact names of the NodePools that the controller may serve, e.g. ["e6data-analytics"], where "e6data-*" is too
    wide. Some 30 fit, and each new one changes IAM policies; take one out only after its workspace is gone. None by
    default."""
    enable_zonal_shift: NotRequired[bool]
    """Makes no nodes in a zone from which Amazon Application Recovery Controller shifts away. False by default."""
    replicas: NotRequired[int]
    """Controllers, each on a node of its own; 2 by default."""
    helm_values: NotRequired[dict[str, Any]]
    """Values of the karpenter chart, merged over those given here. None by default."""


class E6dataLoadBalancerControllerArgs(TypedDict):
    """How the AWS Load Balancer Controller is installed: without WAF and Shield, for what is tagged app=e6data."""

    version: NotRequired[str]
    """Version of the chart; "3.5.0" by default."""
    identity: NotRequired[str]
    """How the controller gets its role: pod-identity (default for a new cluster) or irsa (default for an existing
    one)."""
    enable_service_mutator_webhook: NotRequired[bool]
    """Makes the controller serve every new Service of type LoadBalancer, even without an annotation or class. While
    its pods are down, no such Service can be created. The policy set-load-balancer-controller-flags then needs another
    `flags` parameter. False by default."""
    default_tags: NotRequired[dict[str, str]]
    """Tags of all that the controller makes in AWS, beside app=e6data. None by default."""
    helm_values: NotRequired[dict[str, Any]]
    """Values of the chart, merged over those given here. None by default."""


class E6dataArgs(TypedDict):
    """Arguments of E6data. Network and cluster are told the same cluster name, region, tags and permissions boundary;
    the other parts get the network's."""

    network: NetworkArgs
    """The network, new or existing."""
    workspaces: list[E6dataWorkspaceSpecArgs]
    """The workspaces, any number of them."""
    cluster: NotRequired[ClusterSpecArgs]
    """The cluster, where one is made; its node groups run the controllers. None by default."""
    existing_cluster: NotRequired[ExistingClusterArgs]
    """Says, instead of `cluster`, that the cluster of that name is there, in the network's existing VPC. None by
    default."""
    karpenter: NotRequired[E6dataKarpenterArgs]
    """How Karpenter is installed. By default as that says itself."""
    load_balancer_controller: NotRequired[E6dataLoadBalancerControllerArgs]
    """How the load balancer controller is installed. By default as that says itself."""
    drain_minutes: NotRequired[int]
    """Minutes that a destroy may wait for load balancers of a new cluster to go; 15 by default."""
    production: NotRequired[bool]
    """Refuses images of nodes that change by themselves; that of `cluster` by default, for an existing one false."""
    account_id: NotRequired[str]
    """AWS account id; that of `cluster` by default, else that of the credentials, which is looked up."""


@dataclass(frozen=True)
class _Ground:
    """The cluster, new or existing, as what is installed into it sees it."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    """URL of the API server, once add-ons run."""
    security_group_id: pulumi.Output[str]
    oidc_issuer: pulumi.Output[str]
    oidc_provider_arn: pulumi.Output[str]
    provider: k8s.Provider
    system_node_groups: list[pulumi.Input[str]]
    ready: pulumi.Output[list[str]]
    """Known once pods can run."""
    session_log_group_arn: pulumi.Output[str]
    """ARN of the log group for transcripts of sessions; empty without one."""


class E6data(pulumi.ComponentResource):
    """e6data: a network and a cluster, Karpenter and the AWS Load Balancer Controller restricted to what is e6data's,
    and its workspaces. A VPC, a cluster and controllers that are there already can be used instead."""

    region: pulumi.Output[str]
    """AWS region, for the e6data console."""
    vpc_id: pulumi.Output[str]
    """Id of the VPC."""
    cluster_name: pulumi.Output[str]
    """Name of the EKS cluster, for the e6data console."""
    oidc_provider_arn: pulumi.Output[str]
    """ARN of the cluster's IAM OIDC provider."""
    oidc_issuer: pulumi.Output[str]
    """URL of the cluster's OIDC issuer."""
    karpenter_node_role_name: pulumi.Output[str]
    """Name of the IAM role of Karpenter's nodes."""
    karpenter_node_role_arn: pulumi.Output[str]
    """ARN of the IAM role of Karpenter's nodes; empty where Karpenter was there before."""
    node_pool_names: pulumi.Output[dict[str, str]]
    """Name of each workspace's NodePool, by workspace."""
    node_class_names: pulumi.Output[dict[str, str]]
    """Name of each workspace's EC2NodeClass, by workspace."""

    def __init__(self, name: str, args: E6dataArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"e6data {name!r}", argument_problems(args, E6dataArgs))
        options = e6data_options(args)
        reject(f"e6data {name!r}", check_e6data(options))

        super().__init__("eks-analytics:index:E6data", name, None, opts)
        self._label = name
        self._args = args
        self._options = options
        for warning in e6data_warnings(options):
            pulumi.log.warn(warning, self)

        if options.cluster:
            reject_zones(f"e6data {name!r}", options.cluster.control_plane_zones, self)
        found = self._look_up()
        network: NetworkArgs = {
            **args["network"],
            "tags": options.tags,
            "needs_way_out": True,
            "service_cidr": options.network.service_cidr,
        }
        self.network = Network(name, network, self._child())
        self.cluster = self._cluster() if options.cluster else None
        ground = self._on_existing(found) if found else self._on_new()
        provided = pulumi.ResourceOptions(parent=self, providers=[ground.provider])
        karpenter = self._karpenter(ground, provided) if options.installs_karpenter else None
        if options.installs_load_balancer_controller:
            controller = self._load_balancer_controller(ground, provided)
            if self.cluster:
                self._drain(self.cluster, ground, controller)
        node_role_name = karpenter.node_role_name if karpenter else pulumi.Output.from_input(self._existing_node_role)
        workspaces = {
            workspace["name"]: self._workspace(workspace, ground, node_role_name) for workspace in args["workspaces"]
        }

        self.region = pulumi.Output.from_input(options.network.region)
        self.vpc_id = self.network.vpc_id
        self.cluster_name = ground.name
        self.oidc_provider_arn = ground.oidc_provider_arn
        self.oidc_issuer = ground.oidc_issuer
        self.karpenter_node_role_name = node_role_name
        self.karpenter_node_role_arn = karpenter.node_role_arn if karpenter else pulumi.Output.from_input("")
        names = {workspace: made.name for workspace, made in workspaces.items()}
        self.node_pool_names = pulumi.Output.all(*(made.node_pool.urn for made in workspaces.values())).apply(
            lambda _: names
        )
        self.node_class_names = pulumi.Output.all(*(made.node_class.urn for made in workspaces.values())).apply(
            lambda _: names
        )
        self.register_outputs({output: getattr(self, output) for output in E6data.__annotations__})

    @property
    def _existing_node_role(self) -> str:
        existing = self._options.existing_cluster
        return existing.karpenter_node_role_name if existing else ""

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _look_up(self) -> FoundCluster | None:
        """What is there already, found fit before anything is made or tagged."""
        network, existing = self._options.network, self._options.existing_cluster
        found = look_up(network.cluster_name, network.region, self) if existing else None
        if found and existing:
            problems = check_found_cluster(found, network.existing_vpc_id, existing.oidc_provider_arn)
            reject(f"e6data {self._label!r}", problems)
        return found

    def _cluster(self) -> Cluster:
        network = self._options.network
        arguments: ClusterArgs = {
            **cast("ClusterSpecArgs", self._args.get("cluster")),
            "region": network.region,
            "tags": self._options.tags,
            "vpc_id": self.network.vpc_id,
            "subnet_ids_by_zone": {**self.network.private_subnets},
            "node_subnet_ids_by_zone": {**self.network.node_subnets},
        }
        return Cluster(self._label, arguments, self._child())

    def _on_new(self) -> _Ground:
        cluster = cast("Cluster", self.cluster)
        return _Ground(
            name=cluster.cluster_name,
            endpoint=once(cluster.endpoint, cluster.ready),
            security_group_id=cluster.cluster_security_group_id,
            oidc_issuer=cluster.oidc_issuer,
            oidc_provider_arn=cluster.oidc_provider_arn,
            provider=cluster.kubernetes_provider,
            system_node_groups=[group.node_group_name for group in cluster.system_node_groups],
            ready=pulumi.Output.all(*(resource.urn for resource in cluster.ready)),
            session_log_group_arn=cluster.session_log_group_arn,
        )

    def _on_existing(self, found: FoundCluster) -> _Ground:
        known, region = pulumi.Output.from_input, self._options.network.region
        for key, value in APP_TAG.items():
            aws.ec2.Tag(
                f"{self._label}-cluster-security-group-{key}",
                resource_id=found.cluster_security_group_id,
                key=key,
                value=value,
                # It may have been there before; others may live by it.
                opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
            )
        return _Ground(
            name=known(found.name),
            endpoint=known(found.endpoint),
            security_group_id=known(found.cluster_security_group_id),
            oidc_issuer=known(found.oidc_issuer),
            oidc_provider_arn=self._oidc_provider(found.oidc_issuer),
            provider=k8s.Provider(
                self._label,
                kubeconfig=kubeconfig(found.name, region, found.endpoint, found.certificate_authority),
                # A changed kubeconfig must never look like another cluster, or everything in this one is replaced.
                cluster_identifier=found.arn,
                opts=self._child(),
            ),
            system_node_groups=[],
            ready=known(list[str]()),
            session_log_group_arn=known(""),
        )

    def _oidc_provider(self, issuer: str) -> pulumi.Output[str]:
        existing = self._options.existing_cluster
        if existing and existing.oidc_provider_arn:
            return pulumi.Output.from_input(existing.oidc_provider_arn)
        network = self._options.network
        return aws.iam.OpenIdConnectProvider(
            self._label,
            url=issuer,
            client_id_lists=[iam.IRSA_AUDIENCE],
            tags={**self._options.tags, "Name": network.cluster_name},
            opts=self._child(),
        ).arn

    def _karpenter(self, ground: _Ground, opts: pulumi.ResourceOptions) -> Karpenter:
        asked, options = self._args.get("karpenter", {}), self._options
        arguments: KarpenterArgs = {
            **asked,
            "identity": asked.get("identity", options.identity),
            "cluster_name": options.network.cluster_name,
            "region": options.network.region,
            "account_id": options.account_id,
            "permissions_boundary_arn": options.network.permissions_boundary_arn,
            "cluster_endpoint": ground.endpoint,
            "system_node_groups": ground.system_node_groups,
            "session_log_group_arn": ground.session_log_group_arn,
            "tags": options.tags,
        }
        if not asked.get("allowed_names"):
            arguments["allowed_name_prefix"] = NAME_PREFIX
        if arguments.get("identity") == "irsa":
            arguments["oidc_provider_arn"] = ground.oidc_provider_arn
        return Karpenter(self._named("-karpenter", KARPENTER_NAME), arguments, opts)

    def _load_balancer_controller(self, ground: _Ground, opts: pulumi.ResourceOptions) -> AwsLoadBalancerController:
        asked, options = self._args.get("load_balancer_controller", {}), self._options
        arguments: AwsLoadBalancerControllerArgs = {
            **asked,
            "identity": asked.get("identity", options.identity),
            "restricted_tags": dict(APP_TAG),
            "cluster_name": options.network.cluster_name,
            "vpc_id": self.network.vpc_id,
            "region": options.network.region,
            "account_id": options.account_id,
            "permissions_boundary_arn": options.network.permissions_boundary_arn,
            "after": ground.ready,
            "tags": options.tags,
        }
        if arguments.get("identity") == "irsa":
            arguments["oidc_provider_arn"] = ground.oidc_provider_arn
        return AwsLoadBalancerController(self._named("-load-balancers", CONTROLLER_NAME), arguments, opts)

    def _named(self, suffix: str, longest: int) -> str:
        """Names of policies, queue and rules begin with the cluster's; that of an existing one may be too long."""
        return shortened(self._options.network.cluster_name, longest - len(suffix)) + suffix

    def _drain(self, cluster: Cluster, ground: _Ground, controller: AwsLoadBalancerController) -> None:
        """Not in an existing cluster: load balancers of others are none of our business, nor does the VPC go."""
        # Their URNs: the ids of a new zone's subnets would make a preview show a change of this step.
        ways_out = pulumi.Output.all(*(resource.urn for resource in self.network.ways_out))
        LoadBalancerDrain(
            self._label,
            {
                "cluster_name": self._options.network.cluster_name,
                "vpc_id": self.network.vpc_id,
                "kubeconfig": cluster.kubeconfig,
                "region": self._options.network.region,
                "after": pulumi.Output.all(controller.release_name, ground.ready, ways_out).apply(
                    lambda known: [str(known[0]), *known[1], *known[2]]
                ),
                "minutes": self._options.drain_minutes,
                "production": self._options.production,
            },
            self._child(),
        )

    def _workspace(
        self,
        workspace: E6dataWorkspaceSpecArgs,
        ground: _Ground,
        node_role_name: pulumi.Output[str],
    ) -> Workspace:
        network = self._options.network
        arguments: E6dataWorkspaceArgs = {
            **workspace,
            "tags": {**self._options.tags, **workspace.get("tags", {})},
            "cluster_name": network.cluster_name,
            "node_role_name": node_role_name,
            "cluster_security_group_id": ground.security_group_id,
            "availability_zones": list(network.availability_zones),
            "production": self._options.production,
        }
        return make_workspace(self._label, arguments, pulumi.ResourceOptions(parent=self, provider=ground.provider))


def e6data_options(args: E6dataArgs) -> E6dataOptions:
    """The plain arguments."""
    network = NetworkOptions(**args["network"])
    cluster, existing = args.get("cluster"), args.get("existing_cluster")
    zones = network.availability_zones
    karpenter: dict[str, Any] = {**args.get("karpenter", {})}
    if "replicas" in karpenter:
        karpenter["replicas"] = int(karpenter["replicas"])  # through the plugin it is a float
    made = cluster_options({"region": network.region, **cluster}, zones, zones) if cluster else None
    return E6dataOptions(
        network=replace(network, service_cidr=made.ipv4_services if made else ""),
        workspaces=args["workspaces"],
        cluster=made,
        existing_cluster=ExistingClusterOptions(**existing) if existing is not None else None,
        karpenter=karpenter,
        load_balancer_controller={**args.get("load_balancer_controller", {})},
        drain_minutes=int(args.get("drain_minutes", DEFAULT_MINUTES)),
        production=args.get("production", cluster.get("production", False) if cluster else False),
        account_id=args.get("account_id") or (cluster.get("account_id", "") if cluster else ""),
    )
