"""What in an AWS Load Balancer Controller AWS, its chart or the controller itself would refuse. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .cluster_checks import name_problems
from .controller_identity import identity_problems
from .helm_values import value_at, value_problems
from .iam import LARGEST_POLICY, policy_size
from .load_balancer_controller_policy import ControllerScope, load_balancer_controller_policies
from .permissions_boundary import boundary_problems
from .problems import Problem
from .tags import check_tags

# renovate: helm aws-load-balancer-controller https://aws.github.io/eks-charts
DEFAULT_VERSION = "3.5.0"

_VERSION = re.compile(r"(\d+)\.(\d+)\.\d+")
_OLDEST_MINOR = 5
_VPC_ID = re.compile(r"vpc-[0-9a-f]+")
# https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#tags
_TAGS_OF_THE_CONTROLLER = ("elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws")
# Role, policy and what is made of the other arguments fit these.
_OURS = {
    "clusterName": "cluster_name",
    "defaultTags": "default_tags",
    "enableServiceMutatorWebhook": "enable_service_mutator_webhook",
    "enableShield": "enable_shield",
    "enableWaf": "enable_waf",
    "enableWafv2": "enable_wafv2",
    "region": "region",
    "serviceAccount.create": "",
    "serviceAccount.name": "",
    "vpcId": "vpc_id",
}
_MAPS = ("serviceAccount", "serviceAccount.annotations", "podDisruptionBudget", "resources", "resources.requests")
_LISTENER_TAGS = "controllerConfig.featureGates.ListenerRulesTagging"


@dataclass(frozen=True)
class LoadBalancerControllerOptions:
    """What of `AwsLoadBalancerControllerArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    region: str = ""
    vpc_id: str | None = None
    """None where it is not known yet."""
    version: str = DEFAULT_VERSION
    identity: str = "pod-identity"
    has_oidc_provider: bool = False
    oidc_provider_arn: str | None = None
    """None where there is none, or where it is not known yet."""
    enable_waf: bool = False
    enable_wafv2: bool = False
    enable_shield: bool = False
    enable_service_mutator_webhook: bool = False
    default_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    restricted_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    helm_values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    account_id: str = ""
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    def scope(self, region: str, vpc_id: str) -> ControllerScope:
        """What the policies name."""
        return ControllerScope(
            region=region,
            vpc_id=vpc_id,
            cluster_name=self.cluster_name,
            restricted_tags=self.restricted_tags,
            enable_waf=self.enable_waf,
            enable_wafv2=self.enable_wafv2,
            enable_shield=self.enable_shield,
        )


def check_load_balancer_controller(options: LoadBalancerControllerOptions) -> list[Problem]:
    """Everything that is wrong with the options."""
    return [
        *name_problems(options.cluster_name),
        *_vpc_problems(options.vpc_id),
        *version_problems(options.version),
        *identity_problems(options.identity, options.has_oidc_provider, options.oidc_provider_arn),
        *check_tags(options.tags),
        *_made_tag_problems("default_tags", options.default_tags),
        *_made_tag_problems("restricted_tags", options.restricted_tags),
        *_restriction_problems(options),
        *_value_problems(options.helm_values),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
    ]


def version_problems(version: str) -> Iterator[Problem]:
    """Chart 1.N.P installs controller 2.N.P; from 3.0.0 on both have the same number."""
    found = _VERSION.fullmatch(version)
    if not found:
        reason = "is no version of the chart: three numbers with dots, without a v"
        yield Problem("version", version, reason, f'write "{DEFAULT_VERSION}" or a newer one')
        return
    major, minor = int(found[1]), int(found[2])
    if major == 2:
        chart = f"1.{version.partition('.')[2]}"
        reason = f"is a version of the controller, which the chart {chart} installs"
        known = f'write "{chart}", or better "{DEFAULT_VERSION}"'
        yield Problem("version", version, reason, known if minor >= _OLDEST_MINOR else f'write "{DEFAULT_VERSION}"')
    elif major < 1 or (major == 1 and minor < _OLDEST_MINOR):
        controller = f"2.{version.partition('.')[2]}" if major == 1 else "version 1"
        reason = f"installs the controller {controller}, and needed is 2.{_OLDEST_MINOR} or a newer one"
        yield Problem("version", version, reason, f'write "{DEFAULT_VERSION}"')


def _vpc_problems(vpc_id: str | None) -> Iterator[Problem]:
    if vpc_id is not None and not _VPC_ID.fullmatch(vpc_id):
        reason = "is no id of a VPC, and the controller's pods cannot ask the instance they run on for it"
        yield Problem("vpc_id", vpc_id, reason, 'write the cluster\'s, such as "vpc-0123456789abcdef0"')


def _made_tag_problems(key: str, tags: Mapping[str, str]) -> Iterator[Problem]:
    """Tags that the controller sets, and that its chart hands it as one text: key=value,key=value."""
    for problem in check_tags(tags):
        yield Problem(key, problem.value, problem.reason, problem.remedy)
    for name, value in tags.items():
        if name.startswith(_TAGS_OF_THE_CONTROLLER):
            yield Problem(key, name, "is a tag by which the controller knows its own things", "leave it out")
        if "=" in name or set(name + value) & {",", '"'}:
            reason = (
                f"{value!r} cannot be handed to the controller, which reads all tags as one text: key=value,key=value"
            )
            yield Problem(key, name, reason, "leave commas and quotation marks out, and = out of keys")


def _restriction_problems(options: LoadBalancerControllerOptions) -> Iterator[Problem]:
    for name, value in options.restricted_tags.items():
        if (other := options.default_tags.get(name, value)) != value:
            reason = (
                f"{name}: {other} would mark what the controller makes, and restricted_tags let it have {value} only"
            )
            yield Problem("default_tags", name, reason, "leave it out: restricted_tags are set by default")
    # The longest that can come, where these are not known beforehand.
    scope = options.scope(options.region or "us-isob-east-1", f"vpc-{'0' * 17}")
    largest = max(policy_size(document) for document in load_balancer_controller_policies(scope).values())
    if largest > LARGEST_POLICY:
        reason = f"make an IAM policy of {largest} characters, and IAM takes {LARGEST_POLICY}"
        yield Problem("restricted_tags", f"{len(options.restricted_tags)} tags", reason, "restrict by one short tag")


def _value_problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    yield from value_problems(values, _OURS, _MAPS)
    if value_at(values, _LISTENER_TAGS) is False:
        reason = "leaves listeners and rules without tags, and the controller may touch only those with the cluster's"
        yield Problem(f"helm_values.{_LISTENER_TAGS}", False, reason, "leave it out")
