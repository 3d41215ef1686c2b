"""Which changes of a plan say who may do what, and who is let in: what a reviewer must read in full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.differences import read
from sandbox.plan import Step
from sandbox.report import UNKNOWN

IAM, INGRESS, PUBLIC = "IAM", "Ingress", "Public exposure"
_Inputs = Mapping[str, Any]


@dataclass(frozen=True)
class Exposure:
    """What a resource opened before, and what it is to open; None where it opened nothing."""

    subject: str
    step: Step
    before: Any
    after: Any


def exposures(steps: Iterable[Step]) -> list[Exposure]:
    """Those that change, by subject, type and name."""
    found = [
        Exposure(subject, step, before, after)
        for step in steps
        for subject, of in _judges(step.type)
        if (before := of(step.before)) != (after := of(step.after))
    ]
    subjects = (IAM, INGRESS, PUBLIC)
    return sorted(found, key=lambda one: (subjects.index(one.subject), one.step.type, one.step.name))


def _judges(type_: str) -> Iterator[tuple[str, Callable[[_Inputs], Any]]]:
    """What to look at in resources of a type."""
    if type_.startswith("aws:iam/"):
        yield IAM, _everything
    for subject, rows in ((IAM, _IAM), (INGRESS, _INGRESS), (PUBLIC, _PUBLIC)):
        if type_ in rows:
            yield subject, rows[type_]


def _everything(inputs: _Inputs) -> Any:
    return _tidy(inputs)


def _only(*keys: str) -> Callable[[_Inputs], Any]:
    return lambda inputs: _tidy({key: _at(inputs, key) for key in keys})


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _tidy(inputs: _Inputs) -> Any:
    """Without tags and what is not set: `false` and no value open the same, nothing."""
    kept = {
        key: read(value)
        for key, value in inputs.items()
        if key not in ("tags", "tagsAll", "region", "__defaults") and value not in (None, False, [], {}, "")
    }
    return kept or None


def _ingress_of_classic_rule(inputs: _Inputs) -> Any:
    return _tidy(inputs) if inputs.get("type") == "ingress" else None


def _ingress_of_acl_rule(inputs: _Inputs) -> Any:
    return None if inputs.get("egress") else _tidy(inputs)


def _reachable_service(inputs: _Inputs) -> Any:
    kind = _at(inputs, "spec.type")
    if kind not in ("LoadBalancer", "NodePort"):
        return None
    asked = ("type", "ports", "loadBalancerSourceRanges", "loadBalancerClass", "externalIPs")
    return _tidy({**{key: _at(inputs, f"spec.{key}") for key in asked}, "annotations": _annotations(inputs)})


def _annotations(inputs: _Inputs) -> Any:
    return _at(inputs, "metadata.annotations")


def _way_from_internet(inputs: _Inputs) -> Any:
    """A route to an internet gateway makes a subnet public."""
    return _tidy(inputs) if inputs.get("gatewayId") else None


def _public_routes(inputs: _Inputs) -> Any:
    """Those of a route table to an internet gateway."""
    routes = inputs.get("routes")
    if routes == UNKNOWN:
        return UNKNOWN
    return [one for one in routes or [] if one == UNKNOWN or _at(one, "gatewayId")] or None


def _endpoint(inputs: _Inputs) -> Any:
    """The API's: EKS opens it to the world where nothing is said."""
    is_public = _at(inputs, "vpcConfig.endpointPublicAccess")
    if not inputs or is_public is False:
        return None
    if inputs.get("vpcConfig") == UNKNOWN:
        return UNKNOWN
    cidrs = _at(inputs, "vpcConfig.publicAccessCidrs") or ["0.0.0.0/0"]
    return {"endpointPublicAccess": True if is_public is None else is_public, "publicAccessCidrs": cidrs}


def _load_balancer(inputs: _Inputs) -> Any:
    return _tidy(inputs) if inputs and not inputs.get("internal") else None


_IAM: dict[str, Callable[[_Inputs], Any]] = {
    "aws:eks/accessEntry:AccessEntry": _everything,
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": _everything,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _everything,
    "aws:eks/addon:Addon": _only("podIdentityAssociations", "serviceAccountRoleArn"),
    "aws:eks/cluster:Cluster": _only("accessConfig", "roleArn"),
    "aws:eks/nodeGroup:NodeGroup": _only("nodeRoleArn"),
    "aws:ec2/instance:Instance": _only("iamInstanceProfile"),
    "aws:ec2/launchTemplate:LaunchTemplate": _only("iamInstanceProfile"),
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _only("policy"),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _only("policy"),
    "aws:kms/grant:Grant": _everything,
    "aws:kms/key:Key": _only("policy"),
    "aws:kms/keyPolicy:KeyPolicy": _only("policy"),
    "aws:lambda/function:Function": _only("role"),
    "aws:lambda/permission:Permission": _everything,
    "aws:s3/bucket:Bucket": _only("policy"),
    "aws:s3/bucketPolicy:BucketPolicy": _only("policy"),
    "aws:secretsmanager/secret:Secret": _only("policy"),
    "aws:secretsmanager/secretPolicy:SecretPolicy": _only("policy"),
    "aws:sns/topic:Topic": _only("policy"),
    "aws:sns/topicPolicy:TopicPolicy": _only("policy"),
    "aws:sqs/queue:Queue": _only("policy"),
    "aws:sqs/queuePolicy:QueuePolicy": _only("policy"),
    **{
        f"kubernetes:rbac.authorization.k8s.io/v1:{kind}": _only("rules", "roleRef", "subjects")
        for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    },
    "kubernetes:core/v1:ServiceAccount": _annotations,
}
_INGRESS: dict[str, Callable[[_Inputs], Any]] = {
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _everything,
    "aws:ec2/securityGroup:SecurityGroup": _only("ingress"),
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": _only("ingress"),
    "aws:ec2/securityGroupRule:SecurityGroupRule": _ingress_of_classic_rule,
    "aws:ec2/managedPrefixList:ManagedPrefixList": _only("entries"),
    "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry": _everything,
    "aws:ec2/networkAcl:NetworkAcl": _only("ingress"),
    "aws:ec2/networkAclRule:NetworkAclRule": _ingress_of_acl_rule,
    "aws:ec2/instance:Instance": _only("vpcSecurityGroupIds"),
    "aws:ec2/launchTemplate:LaunchTemplate": _only("vpcSecurityGroupIds"),
    "aws:eks/nodeGroup:NodeGroup": _only("remoteAccess"),
    "kubernetes:networking.k8s.io/v1:NetworkPolicy": _only("spec"),
}
_PUBLIC: dict[str, Callable[[_Inputs], Any]] = {
    "aws:eks/cluster:Cluster": _endpoint,
    "aws:ec2/subnet:Subnet": _only("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation"),
    "aws:ec2/instance:Instance": _only("associatePublicIpAddress"),
    "aws:ec2/launchTemplate:LaunchTemplate": _only("networkInterfaces"),
    "aws:ec2/eip:Eip": _everything,
    "aws:ec2/eipAssociation:EipAssociation": _everything,
    "aws:ec2/internetGateway:InternetGateway": _everything,
    "aws:ec2/route:Route": _way_from_internet,
    "aws:ec2/routeTable:RouteTable": _public_routes,
    "aws:lambda/functionUrl:FunctionUrl": _everything,
    "aws:lb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:elb/loadBalancer:LoadBalancer": _load_balancer,
    "aws:rds/instance:Instance": _only("publiclyAccessible"),
    "aws:route53/record:Record": _everything,
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock": _everything,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _everything,
    "aws:s3/bucketAcl:BucketAcl": _everything,
    "kubernetes:core/v1:Service": _reachable_service,
    "kubernetes:networking.k8s.io/v1:Ingress": _everything,
}
