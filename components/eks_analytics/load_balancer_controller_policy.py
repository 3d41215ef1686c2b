"""What the AWS Load Balancer Controller may do, as plain data: pure functions.

The two documents follow the controller's own policy for v3.5.0, action by action, and narrow it:
https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/v3.5.0/docs/install/iam_policy.json

- Where it asks that something carries the tag of a cluster, here it must be this cluster's.
- What it lets the controller do with any listener, rule or target group of the account needs that tag too. AWS binds
  its own such controller in the same way, in the managed policy AmazonEKSLoadBalancingPolicy.
- Rules of security groups change in one VPC only, which upstream advises:
  https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/installation/
- WAF and Shield are there only where they are wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .iam import PolicyDocument, Statement, document
from .partitions import partition

CLUSTER_TAG = "elbv2.k8s.aws/cluster"
"""Tag that the controller sets on all it makes, with the cluster's name."""
SHIELD_REGION = "us-east-1"
"""Shield Advanced is one service for all regions, whose API is there."""

_TAGGABLE = ("targetgroup/*/*", "loadbalancer/{}/*/*", "listener/{}/*/*/*", "listener-rule/{}/*/*/*")


@dataclass(frozen=True)
class ControllerScope:
    """What the controller's policy names."""

    region: str
    vpc_id: str
    cluster_name: str
    restricted_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags that everything must carry besides, the security groups of the nodes included."""
    enable_waf: bool = False
    enable_wafv2: bool = False
    enable_shield: bool = False


def load_balancer_controller_policies(scope: ControllerScope) -> dict[str, PolicyDocument]:
    """The controller's policies by purpose; in one document they would be longer than IAM takes."""
    service_linked_role = _allow(
        "MakeServiceLinkedRole",
        ["iam:CreateServiceLinkedRole"],
        "*",
        {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}},
    )
    return {
        "network": document(*_reading(scope), *_security_groups(scope), *_firewalls(scope)),
        "load-balancers": document(service_linked_role, *_load_balancers(scope)),
    }


def _reading(scope: ControllerScope) -> list[Statement]:
    describing = _of(
        "ec2",
        "DescribeAccountAttributes DescribeAddresses DescribeAvailabilityZones DescribeCoipPools DescribeInstances "
        "DescribeInternetGateways DescribeIpamPools DescribeNetworkInterfaces DescribeRouteTables "
        "DescribeSecurityGroups DescribeSubnets DescribeTags DescribeVpcPeeringConnections DescribeVpcs "
        "GetCoipPoolUsage GetSecurityGroupsForVpc",
    ) + _of(
        "elasticloadbalancing",
        "DescribeCapacityReservation DescribeListenerAttributes DescribeListenerCertificates DescribeListeners "
        "DescribeLoadBalancerAttributes DescribeLoadBalancers DescribeRules DescribeSSLPolicies DescribeTags "
        "DescribeTargetGroupAttributes DescribeTargetGroups DescribeTargetHealth DescribeTrustStores",
    )
    others = ["cognito-idp:DescribeUserPoolClient", *_of("acm", "DescribeCertificate ListCertificates")]
    others += _of("iam", "GetServerCertificate ListServerCertificates")
    for service in _firewall_services(scope):
        others += _of(service, "GetWebACL GetWebACLForResource")
    if scope.enable_shield:
        others += _of("shield", "DescribeProtection GetSubscriptionState")
    return [_allow("DescribeNetwork", describing, "*"), _allow("DescribeOthers", others, "*")]


def _security_groups(scope: ControllerScope) -> list[Statement]:
    vpc = _arn(scope, "ec2", f"vpc/{scope.vpc_id}")
    groups = _arn(scope, "ec2", "security-group/*")
    # The nodes' group is not the controller's, so that it does not carry the cluster's tag.
    in_vpc: dict[str, dict[str, Any]] = {"ArnEquals": {"ec2:Vpc": vpc}}
    if scope.restricted_tags:
        in_vpc["StringEquals"] = _tags("aws:ResourceTag", scope.restricted_tags)
    made = {"ec2:CreateAction": "CreateSecurityGroup", **_on_new(scope)}
    return [
        _allow("ChangeIngress", _of("ec2", "AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress"), "*", in_vpc),
        # A VPC is no new thing with tags in the request: it is a resource of this action all the same.
        _allow("MakeSecurityGroupsIn", ["ec2:CreateSecurityGroup"], vpc),
        _allow("MakeSecurityGroups", ["ec2:CreateSecurityGroup"], groups, {"StringEquals": _on_new(scope)}),
        _allow("TagNewSecurityGroups", ["ec2:CreateTags"], groups, {"StringEquals": made}),
        _allow("TagSecurityGroups", _of("ec2", "CreateTags DeleteTags"), groups, _on_own(scope, keep_tag=True)),
        _allow("DeleteSecurityGroups", ["ec2:DeleteSecurityGroup"], "*", _on_own(scope)),
    ]


def _load_balancers(scope: ControllerScope) -> list[Statement]:
    service = "elasticloadbalancing"
    makes = _of(service, "CreateListener CreateLoadBalancer CreateRule CreateTargetGroup")
    changes = _of(
        service,
        "AddListenerCertificates DeleteListener DeleteLoadBalancer DeleteRule DeleteTargetGroup "
        "ModifyCapacityReservation ModifyIpPools ModifyListener ModifyListenerAttributes "
        "ModifyLoadBalancerAttributes ModifyRule ModifyTargetGroup ModifyTargetGroupAttributes "
        "RemoveListenerCertificates SetIpAddressType SetRulePriorities SetSecurityGroups SetSubnets",
    )
    taggable = [_arn(scope, service, path.format(kind)) for path in _TAGGABLE for kind in _kinds(path)]
    made = {f"{service}:CreateAction": [action.partition(":")[2] for action in makes], **_on_new(scope)}
    targets = _arn(scope, service, "targetgroup/*/*")
    return [
        _allow("MakeLoadBalancers", makes, "*", {"StringEquals": _on_new(scope)}),
        _allow("TagNewLoadBalancers", _of(service, "AddTags"), taggable, {"StringEquals": made}),
        _allow("TagLoadBalancers", _of(service, "AddTags RemoveTags"), taggable, _on_own(scope, keep_tag=True)),
        _allow("ChangeLoadBalancers", changes, "*", _on_own(scope)),
        _allow("ChangeTargets", _of(service, "DeregisterTargets RegisterTargets"), targets, _on_own(scope)),
    ]


def _firewalls(scope: ControllerScope) -> list[Statement]:
    """WAF and Shield know no tags of load balancers. What they can be bound to: ARNs, and the region of the request."""
    statements: list[Statement] = []
    in_region = {"StringEquals": {"aws:RequestedRegion": scope.region}}
    if services := _firewall_services(scope):
        actions = [action for service in services for action in _of(service, "AssociateWebACL DisassociateWebACL")]
        acls = {"waf-regional": "webacl/*", "wafv2": "regional/webacl/*/*"}
        resources = [_arn(scope, service, acls[service]) for service in services]
        resources.append(_arn(scope, "elasticloadbalancing", "loadbalancer/app/*/*"))
        statements.append(_allow("AssociateWebAcls", actions, resources, in_region))
        # Knows no resource, so that it stands alone.
        statements.append(_allow("AcceptWebAcls", ["elasticloadbalancing:SetWebAcl"], "*", in_region))
    if scope.enable_shield:
        there = {"StringEquals": {"aws:RequestedRegion": SHIELD_REGION}}
        statements.append(_allow("ProtectByShield", _of("shield", "CreateProtection DeleteProtection"), "*", there))
    return statements


def _firewall_services(scope: ControllerScope) -> list[str]:
    return ["waf-regional"] * scope.enable_waf + ["wafv2"] * scope.enable_wafv2


def _kinds(path: str) -> Sequence[str]:
    return ("app", "net") if "{}" in path else ("",)


def _on_new(scope: ControllerScope) -> dict[str, Any]:
    return _tags("aws:RequestTag", {CLUSTER_TAG: scope.cluster_name, **scope.restricted_tags})


def _on_own(scope: ControllerScope, *, keep_tag: bool = False) -> dict[str, dict[str, Any]]:
    """Conditions on what carries the tags; `keep_tag`: and no request may set the cluster's anew."""
    own = {"StringEquals": _tags("aws:ResourceTag", {CLUSTER_TAG: scope.cluster_name, **scope.restricted_tags})}
    return {**own, "Null": {f"aws:RequestTag/{CLUSTER_TAG}": "true"}} if keep_tag else own


def _tags(key: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {f"{key}/{name}": value for name, value in tags.items()}


def _arn(scope: ControllerScope, service: str, resource: str) -> str:
    # Any account: in a shared VPC it is its owner's.
    return f"arn:{partition(scope.region)}:{service}:{scope.region}:*:{resource}"


def _of(service: str, actions: str) -> list[str]:
    """`_of("acm", "ListCertificates DescribeCertificate")` is acm:ListCertificates and acm:DescribeCertificate."""
    return [f"{service}:{action}" for action in actions.split()]


def _allow(
    sid: str, actions: list[str], resources: str | list[str], conditions: dict[str, dict[str, Any]] | None = None
) -> Statement:
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return {**statement, "Condition": conditions} if conditions else statement
