"""Karpenter: the controller that makes nodes when pods need some, with its roles, its queue and its releases."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from . import iam
from .arguments import argument_problems
from .helm_release import helm_release
from .helm_values import merged
from .karpenter_checks import KarpenterOptions, check_karpenter, karpenter_warnings
from .karpenter_policies import (
    CONTROLLER_POLICIES,
    INTERRUPTIONS,
    NODE_POLICIES,
    ControllerRights,
    controller_policies,
    queue_policy,
)
from .physical_names import LONGEST_RULE_NAME, component_name_problems, room_for_name
from .problems import reject

CHARTS = "oci://public.ecr.aws/karpenter"
SERVICE_ACCOUNT = "karpenter"
LONGEST_COMPONENT_NAME = room_for_name(LONGEST_RULE_NAME, *(f"-{kind}" for kind in INTERRUPTIONS))
QUEUE_RETENTION_SECONDS = 300  # an older warning is of a node that is gone


class KarpenterSpecArgs(TypedDict):
    """What a Karpenter is like, wherever it stands."""

    version: NotRequired[str]
    """Version of Karpenter and of both its charts, without a v; "1.14.1" by default, and not older than 1.14."""
    identity: NotRequired[str]
    """How the controller gets its role: pod-identity (default) or irsa, which needs `oidc_provider_arn`."""
    allowed_name_prefix: NotRequired[str]
    """What the names of the NodePools and EC2NodeClasses begin with that the controller may serve, e.g. "e6data-"; it
    can make and remove nodes of no others. Empty by default: it may serve all in this cluster."""
    allowed_names: NotRequired[list[str]]
    """Exact names instead of `allowed_name_prefix`. Every name takes room in IAM policies: some 30 fit, and each new
    one changes them. None by default."""
    isolated_vpc: NotRequired[bool]
    """The VPC has no way to the internet: Karpenter then takes prices from a built-in list. Needs
    `use_instance_profile`, and the endpoints that the word "private-cluster" stands for in Network. False by
    default."""
    use_instance_profile: NotRequired[bool]
    """Makes an instance profile for the nodes, for EC2NodeClasses that cannot name the role: IAM has no endpoint in an
    isolated VPC. False by default."""
    enable_zonal_shift: NotRequired[bool]
    """Makes no nodes in a zone from which Amazon Application Recovery Controller shifts away. False by default."""
    namespace: NotRequired[str]
    """Namespace of the controller, "kube-system" by default."""
    replicas: NotRequired[int]
    """Controllers, each on a node of its own; one works, the others wait. 2 by default."""
    helm_values: NotRequired[dict[str, Any]]
    """Values of the karpenter chart, merged over those given here, maps at every depth. None by default."""


class KarpenterArgs(KarpenterSpecArgs):
    """Arguments of Karpenter: what it is like, and its cluster."""

    cluster_name: str
    """Name of the EKS cluster."""
    region: NotRequired[str]
    """AWS region; the provider's by default, which is looked up."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up."""
    cluster_endpoint: NotRequired[pulumi.Input[str]]
    """URL of the Kubernetes API server. Give it where the same program makes the cluster: everything here waits for it,
    and goes before it. None by default: Karpenter asks EKS for it."""
    system_node_groups: NotRequired[list[pulumi.Input[str]]]
    """Names of the managed node groups that the controller runs on; it is installed after these, and removed before
    them. None by default: any node that Karpenter did not make itself."""
    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """ARN of the cluster's IAM OIDC provider, for the identity irsa. None by default."""
    session_log_group_arn: NotRequired[pulumi.Input[str]]
    """ARN of the log group to which nodes write transcripts of Session Manager sessions. None by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the roles of controller and nodes; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some. None by default."""


class Karpenter(pulumi.ComponentResource):
    """Karpenter in an EKS cluster: a controller with upstream's least privileges, scoped to the cluster, a role for its
    nodes, a queue that tells it of interruptions, and the releases of its CRDs and of itself."""

    node_role_arn: pulumi.Output[str]
    """ARN of the nodes' IAM role."""
    node_role_name: pulumi.Output[str]
    """Name of the nodes' IAM role, once the controller runs: what is made with it is removed before the controller."""
    instance_profile_name: pulumi.Output[str]
    """Name of the nodes' instance profile, once the controller runs; empty without `use_instance_profile`."""
    controller_role_arn: pulumi.Output[str]
    """ARN of the controller's IAM role."""
    queue_name: pulumi.Output[str]
    """Name of the queue of interruptions."""
    queue_arn: pulumi.Output[str]
    """ARN of the queue of interruptions."""

    def __init__(self, name: str, args: KarpenterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"Karpenter {name!r}", argument_problems(args, KarpenterArgs))
        options = karpenter_options(args)
        reject(
            f"Karpenter {name!r}", [*component_name_problems(name, LONGEST_COMPONENT_NAME), *check_karpenter(options)]
        )

        super().__init__("eks-analytics:index:Karpenter", name, {}, opts)
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)
        for warning in karpenter_warnings(options):
            pulumi.log.warn(warning, self)

        region = args.get("region") or aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        account_id = (
            args.get("account_id") or aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).account_id
        )
        self._region = pulumi.Output.from_input(region)
        self._scope = pulumi.Output.all(region, account_id).apply(lambda scope: (scope[0], scope[1]))
        # The name, once there is such a cluster.
        self._cluster_name = pulumi.Output.from_input(args.get("cluster_endpoint", "")).apply(
            lambda _: options.cluster_name
        )

        node_role, node_parts = self._node_role()
        queue, queue_parts = self._queue()
        controller_role, controller_parts = self._controller_role(node_role, queue)
        profile = self._instance_profile(node_role) if options.use_instance_profile else None
        parts = [*node_parts, *queue_parts, *controller_parts, *([profile] if profile else [])]
        self.crds = self._release("karpenter-crd", {"additionalAnnotations": {"helm.sh/resource-policy": "keep"}}, [])
        # Nodes need all of these to come, to join and to go: they stay until the controller is gone.
        self.ready = self._release("karpenter", self._values(queue, controller_role), [self.crds, *parts])

        self.node_role_arn = node_role.arn
        self.node_role_name = self._once_ready(node_role.name)
        self.instance_profile_name = self._once_ready(profile.name if profile else "")
        self.controller_role_arn = controller_role.arn
        self.queue_name = queue.name
        self.queue_arn = queue.arn
        self.register_outputs({output: getattr(self, output) for output in Karpenter.__annotations__})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    def _once_ready(self, value: pulumi.Input[str]) -> pulumi.Output[str]:
        return pulumi.Output.all(value, self.ready.urn).apply(lambda found: str(found[0]))

    def _node_role(self) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        """The nodes' role, and what lets nodes with it join the cluster."""
        role = aws.iam.Role(
            f"{self._label}-node",
            description=f"Nodes that Karpenter makes in the EKS cluster {self._options.cluster_name}",
            assume_role_policy=self._region.apply(lambda region: json.dumps(iam.node_trust(region))),
            permissions_boundary=self._options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=self._child(),
        )
        attachments = [
            aws.iam.RolePolicyAttachment(
                f"{self._label}-node-{policy}",
                role=role.name,
                policy_arn=self._region.apply(lambda region, policy=policy: iam.managed_policy_arn(region, policy)),
                opts=self._child(),
            )
            for policy in NODE_POLICIES
        ]
        sessions = aws.iam.RolePolicy(
            f"{self._label}-node-session-manager",
            role=role.name,
            policy=pulumi.Output.all(self._scope, self._args.get("session_log_group_arn", "")).apply(
                lambda known: json.dumps(iam.document(*iam.session_manager(known[0][0], known[0][1], known[1])))
            ),
            opts=self._child(),
        )
        entry = aws.eks.AccessEntry(
            f"{self._label}-node",
            cluster_name=self._cluster_name,
            principal_arn=role.arn,
            type="EC2_LINUX",
            tags=self._tags,
            opts=self._child(),
        )
        return role, [*attachments, sessions, entry]

    def _instance_profile(self, role: aws.iam.Role) -> aws.iam.InstanceProfile:
        return aws.iam.InstanceProfile(f"{self._label}-node", role=role.name, tags=self._tags, opts=self._child())

    def _queue(self) -> tuple[aws.sqs.Queue, list[pulumi.Resource]]:
        """The queue, and what brings warnings into it."""
        queue = aws.sqs.Queue(
            f"{self._label}-interruption",
            message_retention_seconds=QUEUE_RETENTION_SECONDS,
            sqs_managed_sse_enabled=True,
            tags=self._tags,
            opts=self._child(),
        )
        rules = {kind: self._rule(kind, source, event) for kind, (source, event) in INTERRUPTIONS.items()}
        policy = aws.sqs.QueuePolicy(
            f"{self._label}-interruption",
            queue_url=queue.url,
            policy=pulumi.Output.all(queue.arn, *(rule.arn for rule in rules.values())).apply(
                lambda arns: json.dumps(queue_policy(arns[0], arns[1:]))
            ),
            opts=self._child(),
        )
        targets = [
            aws.cloudwatch.EventTarget(
                f"{self._label}-{kind}",
                rule=rule.name,
                target_id="interruption-queue",
                arn=queue.arn,
                opts=self._child(policy),
            )
            for kind, rule in rules.items()
        ]
        return queue, [policy, *targets]

    def _rule(self, kind: str, source: str, event: str) -> aws.cloudwatch.EventRule:
        return aws.cloudwatch.EventRule(
            f"{self._label}-{kind}",
            description=f"{event}, for Karpenter in the EKS cluster {self._options.cluster_name}",
            event_pattern=json.dumps({"source": [source], "detail-type": [event]}),
            tags=self._tags,
            opts=self._child(),
        )

    def _controller_role(
        self, node_role: aws.iam.Role, queue: aws.sqs.Queue
    ) -> tuple[aws.iam.Role, list[pulumi.Resource]]:
        """The controller's role, and what the controller must have before its pods start."""
        options = self._options
        role = aws.iam.Role(
            self._label,
            description=f"Karpenter in the EKS cluster {options.cluster_name}",
            assume_role_policy=self._trust(),
            permissions_boundary=options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=self._child(),
        )
        policies = pulumi.Output.all(self._scope, node_role.arn, queue.arn).apply(
            lambda known: controller_policies(
                ControllerRights(
                    region=known[0][0],
                    account_id=known[0][1],
                    cluster_name=options.cluster_name,
                    node_role_arn=known[1],
                    queue_arn=known[2],
                    names=options.name_patterns,
                )
            )
        )
        parts: list[pulumi.Resource] = []
        for purpose in CONTROLLER_POLICIES:
            policy = aws.iam.Policy(
                f"{self._label}-{purpose}",
                description=f"Karpenter in the EKS cluster {options.cluster_name}: {purpose}",
                policy=policies.apply(lambda documents, purpose=purpose: json.dumps(documents[purpose])),
                tags=self._tags,
                opts=self._child(),
            )
            attachment = aws.iam.RolePolicyAttachment(
                f"{self._label}-{purpose}", role=role.name, policy_arn=policy.arn, opts=self._child()
            )
            parts.append(attachment)
        if options.identity == "pod-identity":
            association = aws.eks.PodIdentityAssociation(
                self._label,
                cluster_name=self._cluster_name,
                namespace=options.namespace,
                service_account=SERVICE_ACCOUNT,
                role_arn=role.arn,
                tags=self._tags,
                opts=self._child(),
            )
            # Pods get credentials when they are admitted: the association must be there before them.
            parts.append(association)
        return role, parts

    def _trust(self) -> pulumi.Output[str]:
        options = self._options
        if options.identity == "irsa":
            return pulumi.Output.from_input(self._args.get("oidc_provider_arn", "")).apply(
                lambda provider: json.dumps(iam.service_account_trust(provider, options.namespace, SERVICE_ACCOUNT))
            )
        return self._scope.apply(
            lambda scope: json.dumps(
                iam.pod_identity_trust(*scope, options.cluster_name, options.namespace, SERVICE_ACCOUNT)
            )
        )

    def _values(self, queue: aws.sqs.Queue, controller_role: aws.iam.Role) -> dict[str, Any]:
        options = self._options
        account: dict[str, Any] = {"name": SERVICE_ACCOUNT}
        if options.identity == "irsa":
            account["annotations"] = {"eks.amazonaws.com/role-arn": controller_role.arn}
        endpoint = self._args.get("cluster_endpoint")
        values: dict[str, Any] = {
            "serviceAccount": account,
            "replicas": options.replicas,
            "settings": {
                "clusterName": options.cluster_name,
                "interruptionQueue": queue.name,
                "isolatedVPC": options.isolated_vpc,
                "enableZonalShift": options.enable_zonal_shift,
                **({"clusterEndpoint": endpoint} if endpoint else {}),
            },
            "controller": {
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}}
            },
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [{"matchExpressions": self._hosts()}]
                    }
                },
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "kubernetes.io/hostname"}]
                },
            },
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
            ],
        }
        return merged(values, options.helm_values)

    def _hosts(self) -> list[dict[str, Any]]:
        # On a node of its own making the controller would depend on itself.
        hosts: list[dict[str, Any]] = [{"key": "karpenter.sh/nodepool", "operator": "DoesNotExist"}]
        if groups := self._args.get("system_node_groups"):
            hosts.append({"key": "eks.amazonaws.com/nodegroup", "operator": "In", "values": groups})
        return hosts

    def _release(
        self, chart: str, values: Mapping[str, Any], depends_on: Iterable[pulumi.Resource]
    ) -> pulumi.CustomResource:
        """Helm never updates CRDs that come inside of a chart, so they have a release of their own, which keeps them:
        Kubernetes would delete every NodePool, and its nodes, with their CRD."""
        options = self._options
        return helm_release(
            f"{self._label}-{chart.removeprefix('karpenter-')}",
            {
                "name": chart,
                "namespace": options.namespace,
                "createNamespace": options.namespace != "kube-system",
                "chart": f"{CHARTS}/{chart}",
                "version": options.version,
                "skipCrds": chart == "karpenter",
                "values": values,
            },
            self._child(*depends_on),
        )


def karpenter_options(args: KarpenterArgs) -> KarpenterOptions:
    """The plain arguments."""
    known = {field.name for field in fields(KarpenterOptions)} - {"oidc_provider_arn"}
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in known}
    if "replicas" in args:
        plain["replicas"] = int(args["replicas"])  # through the plugin it is a float
    provider = args.get("oidc_provider_arn")
    plain["has_oidc_provider"] = provider is not None
    plain["oidc_provider_arn"] = provider if isinstance(provider, str) else None
    return KarpenterOptions(**plain)
