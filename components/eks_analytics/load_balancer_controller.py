"""The AWS Load Balancer Controller: makes the load balancers that Ingresses and Services in the cluster ask for."""

import json
from dataclasses import fields
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from . import iam
from .arguments import argument_problems
from .helm_release import helm_release
from .helm_values import merged
from .load_balancer_controller_checks import LoadBalancerControllerOptions, check_load_balancer_controller
from .load_balancer_controller_policy import load_balancer_controller_policies
from .physical_names import LONGEST_ROLE_NAME, component_name_problems, room_for_name
from .problems import reject
from .waiting import once

CHART = "aws-load-balancer-controller"
REPOSITORY = "https://aws.github.io/eks-charts"
NAMESPACE = "kube-system"
SERVICE_ACCOUNT = "aws-load-balancer-controller"
LONGEST_COMPONENT_NAME = room_for_name(LONGEST_ROLE_NAME)


class LoadBalancerControllerSpecArgs(TypedDict):
    """What an AwsLoadBalancerController is like, whatever cluster it serves."""

    version: NotRequired[str]
    """Version of the chart, "3.5.0" by default. The chart 1.N installs the controller 2.N, of which 2.5 is the oldest
    that will do; from 3.0.0 on chart and controller have the same version. Helm leaves CRDs as they are: before a
    newer minor version, apply those of its release notes."""
    identity: NotRequired[str]
    """How the controller's pods get their role: "pod-identity" (default), which needs the add-on
    eks-pod-identity-agent, or "irsa", through the cluster's OIDC provider."""
    enable_waf: NotRequired[bool]
    """Lets the controller put AWS WAF Classic (regional) before load balancers. False by default."""
    enable_wafv2: NotRequired[bool]
    """Lets the controller put AWS WAF before load balancers. False by default."""
    enable_shield: NotRequired[bool]
    """Lets the controller put load balancers under AWS Shield Advanced. False by default."""
    enable_service_mutator_webhook: NotRequired[bool]
    """Makes the controller serve every new Service of type LoadBalancer, those without an annotation or class too.
    While its pods are away, no such Service can be made then. False by default."""
    default_tags: NotRequired[dict[str, str]]
    """Tags of all that the controller makes in AWS. None by default."""
    restricted_tags: NotRequired[dict[str, str]]
    """Restricts the controller to what carries these tags, e.g. {"app": "e6data"}, and sets them on all it makes. The
    cluster's security group must carry them too. Not for a cluster with other load balancers. None by default."""
    helm_values: NotRequired[dict[str, Any]]
    """Further values of the chart, merged over those made here. None by default."""


class AwsLoadBalancerControllerArgs(LoadBalancerControllerSpecArgs):
    """Arguments of AwsLoadBalancerController: what it is like, and which cluster it serves."""

    cluster_name: str
    """Name of the EKS cluster."""
    vpc_id: pulumi.Input[str]
    """Id of the cluster's VPC."""
    region: NotRequired[str]
    """AWS region; the provider's by default, which is looked up."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up. Used by the identity pod-identity."""
    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """ARN of the cluster's IAM OIDC provider; for the identity irsa. None by default."""
    after: NotRequired[pulumi.Input[list[str]]]
    """What is known once the cluster can run the controller's pods, e.g. the names of its node groups. Give it where
    the same program makes the cluster: association and release come after it, and go before it. Empty by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the controller's role; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of role and association. None by default."""


class AwsLoadBalancerController(pulumi.ComponentResource):
    """The AWS Load Balancer Controller of an EKS cluster: its Helm release, two replicas, and a role that can touch
    nothing but what this cluster's controller made, in this VPC."""

    role_arn: pulumi.Output[str]
    """ARN of the controller's IAM role."""
    release_name: pulumi.Output[str]
    """Name of the Helm release, once the controller runs."""

    def __init__(
        self, name: str, args: AwsLoadBalancerControllerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        reject(f"load balancer controller {name!r}", argument_problems(args, AwsLoadBalancerControllerArgs))
        options = load_balancer_controller_options(args)
        reject(
            f"load balancer controller {name!r}",
            [*component_name_problems(name, LONGEST_COMPONENT_NAME), *check_load_balancer_controller(options)],
        )

        super().__init__("eks-analytics:index:AwsLoadBalancerController", name, {}, opts)
        self._label = name
        self._args = args
        self._options = options

        region = args.get("region") or aws.get_region_output(opts=pulumi.InvokeOptions(parent=self)).region
        self._region = pulumi.Output.from_input(region)
        # The name, once there is such a cluster, with nodes.
        self._cluster_name = pulumi.Output.all(options.cluster_name, args.get("after", [])).apply(
            lambda known: str(known[0])
        )
        role = self._role()
        identity: list[pulumi.Resource] = self._policies(role)
        if options.identity == "pod-identity":
            identity.append(self._association(role))
        self.role_arn = role.arn
        # The leaf resource, for those who must go before the controller does.
        self.release = self._release(role, identity)
        self.release_name = once(CHART, [self.release])
        self.register_outputs({output: getattr(self, output) for output in AwsLoadBalancerController.__annotations__})

    def _role(self) -> aws.iam.Role:
        cluster_name = self._options.cluster_name
        if self._options.identity == "irsa":
            trust = pulumi.Output.from_input(self._args.get("oidc_provider_arn", "")).apply(
                lambda provider: iam.service_account_trust(provider, NAMESPACE, SERVICE_ACCOUNT)
            )
        else:
            lookup = pulumi.InvokeOptions(parent=self)
            account = self._args.get("account_id") or aws.get_caller_identity_output(opts=lookup).account_id
            trust = pulumi.Output.all(self._region, account).apply(
                lambda known: iam.pod_identity_trust(known[0], known[1], cluster_name, NAMESPACE, SERVICE_ACCOUNT)
            )
        return aws.iam.Role(
            self._label,
            description=f"AWS Load Balancer Controller of the EKS cluster {cluster_name}",
            assume_role_policy=trust.apply(json.dumps),
            permissions_boundary=self._options.permissions_boundary_arn or None,
            tags=dict(self._options.tags),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _policies(self, role: aws.iam.Role) -> list[pulumi.Resource]:
        known = pulumi.Output.all(self._region, self._args["vpc_id"])
        documents = known.apply(lambda known: load_balancer_controller_policies(self._options.scope(*known)))
        return [
            aws.iam.RolePolicy(
                f"{self._label}-{purpose}",
                role=role.name,
                policy=documents.apply(lambda documents, purpose=purpose: json.dumps(documents[purpose])),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for purpose in ("network", "load-balancers")
        ]

    def _association(self, role: aws.iam.Role) -> aws.eks.PodIdentityAssociation:
        return aws.eks.PodIdentityAssociation(
            self._label,
            cluster_name=self._cluster_name,
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            tags=dict(self._options.tags),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _release(self, role: aws.iam.Role, identity: list[pulumi.Resource]) -> pulumi.CustomResource:
        options = self._options
        account: dict[str, Any] = {"create": True, "name": SERVICE_ACCOUNT}
        if options.identity == "irsa":
            account["annotations"] = {"eks.amazonaws.com/role-arn": role.arn}
        values: dict[str, Any] = {
            "clusterName": self._cluster_name,
            # Given, because pods cannot ask the instance that they run on.
            "region": self._region,
            "vpcId": self._args["vpc_id"],
            "serviceAccount": account,
            "replicaCount": 2,
            "podDisruptionBudget": {"maxUnavailable": 1},
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
            "enableShield": options.enable_shield,
            "enableWaf": options.enable_waf,
            "enableWafv2": options.enable_wafv2,
            "enableServiceMutatorWebhook": options.enable_service_mutator_webhook,
            "defaultTags": {**options.default_tags, **options.restricted_tags},
        }
        return helm_release(
            self._label,
            {
                "name": CHART,
                "chart": CHART,
                "version": options.version,
                "namespace": NAMESPACE,
                "repositoryOpts": {"repo": REPOSITORY},
                "values": merged(values, options.helm_values),
            },
            # Pods get their credentials when they are admitted: before that, the role must be theirs.
            pulumi.ResourceOptions(parent=self, depends_on=identity),
        )


def load_balancer_controller_options(args: AwsLoadBalancerControllerArgs) -> LoadBalancerControllerOptions:
    """The plain arguments, for `check_load_balancer_controller`."""
    known = {field.name for field in fields(LoadBalancerControllerOptions)} - {"vpc_id", "oidc_provider_arn"}
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in known}
    vpc_id, provider = args["vpc_id"], args.get("oidc_provider_arn")
    return LoadBalancerControllerOptions(
        **plain,
        vpc_id=vpc_id if isinstance(vpc_id, str) else None,
        has_oidc_provider=provider is not None,
        oidc_provider_arn=provider if isinstance(provider, str) else None,
    )
