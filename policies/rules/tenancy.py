"""What belongs to whom: products and tags."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pack.kinds import NODE_POOL
from pack.rule import Level, Parameter, Resource, Severity, Situation, StackResource, more, rule
from pack.values import block, in_words

_DASH = ("DashEnterprise", "AirgappedDashEnterprise", "DashInstallation")
_E6DATA = ("E6data", "E6dataWorkspace")
_COMPONENT = "eks-analytics:index:"
_RETENTION_DAYS = "retentionInDays"
_TAGGED = (
    "aws:ebs/volume:Volume",
    "aws:ec2/eip:Eip",
    "aws:ec2/instance:Instance",
    "aws:ec2/internetGateway:InternetGateway",
    "aws:ec2/launchTemplate:LaunchTemplate",
    "aws:ec2/natGateway:NatGateway",
    "aws:ec2/routeTable:RouteTable",
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/subnet:Subnet",
    "aws:ec2/vpc:Vpc",
    "aws:ec2/vpcEndpoint:VpcEndpoint",
    "aws:eks/addon:Addon",
    "aws:eks/cluster:Cluster",
    "aws:eks/nodeGroup:NodeGroup",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:cloudwatch/metricAlarm:MetricAlarm",
    "aws:iam/policy:Policy",
    "aws:iam/role:Role",
    "aws:kms/key:Key",
    "aws:lambda/function:Function",
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
    "aws:sns/topic:Topic",
    "aws:sqs/queue:Queue",
)


@rule(
    "keep-single-tenancy",
    "A stack holds one product: Dash Enterprise shares its cluster with nothing, e6data included.",
    severity=Severity.HIGH,
    remediation="give each product a stack, and so a cluster, of its own",
    link="https://dash.plotly.com/dash-enterprise",
)
def keep_single_tenancy(resources: Sequence[StackResource], _: Situation) -> Iterator[tuple[StackResource | None, str]]:
    dash = _named(resources, _DASH)
    products = {one.name: one for one in dash}
    if len(products) > 1:
        yield None, f"{len(products)} Dash Enterprises: {in_words(sorted(products))}"
    pools = [
        one
        for one in resources
        if one.resource_type.startswith(NODE_POOL.partition("*")[0])
        and str(block(one.props, "metadata").get("name")).startswith("e6data-")
    ]
    if dash and (guests := [*_named(resources, _E6DATA), *pools]):
        yield guests[0], f"e6data shares the stack with {dash[0].name}"


def _named(resources: Sequence[StackResource], kinds: Sequence[str]) -> list[StackResource]:
    return [one for one in resources if one.resource_type.removeprefix(_COMPONENT) in kinds]


@rule(
    "require-tags",
    "Resources that cost or hold something say whose they are.",
    severity=Severity.LOW,
    types=_TAGGED,
    remediation="set the tags (config key tags), or the provider's default tags",
    link="https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
    parameters={
        "tags": Parameter(
            ["project", "stack", "environment"],
            "tags that must not be empty",
            production=["project", "stack", "environment", "owner"],
            tighter=more,
        )
    },
)
def require_tags(resource: Resource, situation: Situation) -> Iterator[str]:
    own, default = block(resource.props, "tags"), _default_tags(resource)  # only those that are asked for are read
    if missing := [tag for tag in situation["tags"] if not (own if tag in own else default).get(tag)]:
        yield f"lacks the tags {in_words(missing)}"


def _default_tags(resource: Resource) -> Mapping[str, Any]:
    given = resource.provider.props.get("defaultTags") if resource.provider else None
    decoded: Any = json.loads(given) if isinstance(given, str) else given
    return block(decoded or {}, "tags")


@rule(
    "limit-log-retention",
    "Log groups forget at some time.",
    severity=Severity.LOW,
    level=Level.ADVISORY,
    types=("aws:cloudwatch/logGroup:LogGroup",),
    remediation="set retentionInDays",
    link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html",
)
def limit_log_retention(resource: Resource, _: Situation) -> Iterator[str]:
    if not resource.props.get(_RETENTION_DAYS):
        yield "keeps its logs for ever"
