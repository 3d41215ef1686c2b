"""Policies of resources: whom a queue, a bucket, a key, a function lets in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pack.arns import has_wildcard, matches, names_account
from pack.conditions import conditions
from pack.documents import Document, Statement, allowed, open_to_everybody
from pack.rule import Resource, Severity, Situation, rule
from pack.values import block, is_given

_POLICY = "policy"
_SHARED = {
    "aws:acmpca/policy:Policy": _POLICY,
    "aws:amp/resourcePolicy:ResourcePolicy": "policyDocument",
    "aws:backup/vaultPolicy:VaultPolicy": _POLICY,
    "aws:bedrock/agentcoreResourcePolicy:AgentcoreResourcePolicy": _POLICY,
    "aws:cloudsearch/domainServiceAccessPolicy:DomainServiceAccessPolicy": "accessPolicy",
    "aws:cloudwatch/eventBusPolicy:EventBusPolicy": _POLICY,
    "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy": "accessPolicy",
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": "policyDocument",
    "aws:codeartifact/domainPermissions:DomainPermissions": "policyDocument",
    "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy": "policyDocument",
    "aws:codebuild/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:dsql/clusterPolicy:ClusterPolicy": _POLICY,
    "aws:dynamodb/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:ecr/registryPolicy:RegistryPolicy": _POLICY,
    "aws:ecr/repositoryPolicy:RepositoryPolicy": _POLICY,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": _POLICY,
    "aws:elasticsearch/domain:Domain": "accessPolicies",
    "aws:elasticsearch/domainPolicy:DomainPolicy": "accessPolicies",
    "aws:glacier/vault:Vault": "accessPolicy",
    "aws:glacier/vaultLock:VaultLock": _POLICY,
    "aws:glue/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:kinesis/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:kms/externalKey:ExternalKey": _POLICY,
    "aws:kms/key:Key": _POLICY,
    "aws:kms/keyPolicy:KeyPolicy": _POLICY,
    "aws:kms/replicaExternalKey:ReplicaExternalKey": _POLICY,
    "aws:kms/replicaKey:ReplicaKey": _POLICY,
    "aws:lambda/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:mediastore/containerPolicy:ContainerPolicy": _POLICY,
    "aws:msk/clusterPolicy:ClusterPolicy": _POLICY,
    "aws:networkfirewall/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:oam/sinkPolicy:SinkPolicy": _POLICY,
    "aws:opensearch/domain:Domain": "accessPolicies",
    "aws:opensearch/domainPolicy:DomainPolicy": "accessPolicies",
    "aws:opensearchingest/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:organizations/resourcePolicy:ResourcePolicy": "content",
    "aws:redshift/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:redshiftserverless/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:s3/accessPoint:AccessPoint": _POLICY,
    "aws:s3/bucket:Bucket": _POLICY,
    "aws:s3/bucketPolicy:BucketPolicy": _POLICY,
    "aws:s3/bucketV2:BucketV2": _POLICY,
    "aws:s3/filesFileSystemPolicy:FilesFileSystemPolicy": _POLICY,
    "aws:s3/vectorsVectorBucketPolicy:VectorsVectorBucketPolicy": _POLICY,
    "aws:s3control/accessGrantsInstanceResourcePolicy:AccessGrantsInstanceResourcePolicy": _POLICY,
    "aws:s3control/accessPointPolicy:AccessPointPolicy": _POLICY,
    "aws:s3control/bucketPolicy:BucketPolicy": _POLICY,
    "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy": "details",
    "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy": _POLICY,
    "aws:s3tables/tableBucketPolicy:TableBucketPolicy": "resourcePolicy",
    "aws:s3tables/tablePolicy:TablePolicy": "resourcePolicy",
    "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy": "resourcePolicy",
    "aws:schemas/registryPolicy:RegistryPolicy": _POLICY,
    "aws:secretsmanager/secret:Secret": _POLICY,
    "aws:secretsmanager/secretPolicy:SecretPolicy": _POLICY,
    "aws:ses/identityPolicy:IdentityPolicy": _POLICY,
    "aws:sesv2/emailIdentityPolicy:EmailIdentityPolicy": _POLICY,
    "aws:sns/topic:Topic": _POLICY,
    "aws:sns/topicPolicy:TopicPolicy": _POLICY,
    "aws:sqs/queue:Queue": _POLICY,
    "aws:sqs/queuePolicy:QueuePolicy": _POLICY,
    "aws:vpclattice/authPolicy:AuthPolicy": _POLICY,
    "aws:vpclattice/resourcePolicy:ResourcePolicy": _POLICY,
    "aws:xray/resourcePolicy:ResourcePolicy": "policyDocument",
}
"""Types with a policy that says who may come in, by the property that holds it. APIs of API Gateway are left out: those
of the internet are for everybody, and authorizers say who may call."""
_ENDPOINTS = ("aws:ec2/vpcEndpoint:VpcEndpoint", "aws:ec2/vpcEndpointPolicy:VpcEndpointPolicy")
_PERMISSION = "aws:lambda/permission:Permission"
_LAYER_PERMISSION = "aws:lambda/layerVersionPermission:LayerVersionPermission"
_BUS_PERMISSION = "aws:cloudwatch/eventPermission:EventPermission"
_FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
_QUEUES_AND_TOPICS = (
    "aws:sns/topic:Topic",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
)
_BUCKET_POLICIES = ("aws:s3/bucket:Bucket", "aws:s3/bucketPolicy:BucketPolicy", "aws:s3/bucketV2:BucketV2")
_OF_OBJECTS = ("s3:DeleteObject", "s3:GetObject", "s3:PutObject")


def _document(resource: Resource) -> Document | None:
    given: Any = resource.props.get(_SHARED.get(resource.resource_type, _POLICY))
    return given.get(_POLICY) if resource.resource_type.endswith(":MultiRegionAccessPointPolicy") and given else given


def _is_given(resource: Resource, names: Sequence[str]) -> bool:
    """Whether one of the properties has a value, though it may not be known yet."""
    return any(is_given(resource.props, name) for name in names)


@rule(
    "refuse-public-resource-policies",
    "No policy of a bucket, key, queue, topic, secret, repository, file system, vault, event bus, endpoint or function "
    "lets everybody in.",
    severity=Severity.CRITICAL,
    types=(*_SHARED, *_ENDPOINTS, _PERMISSION, _LAYER_PERMISSION, _BUS_PERMISSION),
    remediation="name the principal, or add a condition on aws:PrincipalOrgID, aws:SourceAccount or their like",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous",
)
def refuse_public_resource_policies(resource: Resource, _: Situation) -> Iterator[str]:
    kind, props = resource.resource_type, resource.props
    if kind == _PERMISSION:
        is_for_everybody = has_wildcard(str(props.get("principal"))) and not _names_source(resource, "principalOrgId")
        if is_for_everybody and not _is_url_without_authorization(resource):  # that has a rule of its own
            yield "lets everybody call the function"
    elif kind == _LAYER_PERMISSION:
        if props.get("principal") == "*" and not _is_given(resource, ["organizationId"]):
            yield "lets everybody use the layer"
    elif kind == _BUS_PERMISSION:
        limit = block(props, "condition")
        limits = conditions({str(limit.get("type")): {str(limit.get("key")): limit.get("value")}}) if limit else ()
        if props.get("principal") == "*" and not any(one.names_callers for one in limits):
            yield "lets everybody send events"
    elif given := _document(resource):
        for statement in open_to_everybody(given):
            if kind not in _ENDPOINTS or _is_all_of_an_endpoint(statement):
                yield f"{statement} lets everybody in"


def _is_all_of_an_endpoint(statement: Statement) -> bool:
    """Whether an endpoint takes whatever its VPC asks of its service, for any account. Its policy speaks of everybody
    in the VPC where it names the actions or the resources."""
    every_action = statement.all_but_actions or any(not one.rpartition(":")[2].strip("*?") for one in statement.actions)
    is_narrowed = statement.is_narrowed or any(one.names_owners for one in statement.conditions)
    return every_action and statement.about_all_of_a_service and not is_narrowed


@rule(
    "authorize-function-urls",
    "Who calls a function by its URL is asked who he is.",
    severity=Severity.CRITICAL,
    types=(_FUNCTION_URL, _PERMISSION),
    remediation="set authorizationType to AWS_IAM, or put an API with an authorizer before the function",
    link="https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
)
def authorize_function_urls(resource: Resource, _: Situation) -> Iterator[str]:
    if resource.resource_type == _PERMISSION:
        if _is_url_without_authorization(resource):
            yield "lets everybody call the function's URL"
    elif resource.props.get("authorizationType") != "AWS_IAM":
        yield "answers everybody who knows it"


def _is_url_without_authorization(resource: Resource) -> bool:
    return resource.props.get("functionUrlAuthType") == "NONE"


@rule(
    "name-sources-of-services",
    "Queues, topics, functions and objects in buckets let services of AWS in on behalf of named accounts only.",
    severity=Severity.HIGH,
    types=(*_QUEUES_AND_TOPICS, *_BUCKET_POLICIES, _PERMISSION),
    remediation="compare aws:SourceArn or aws:SourceAccount (sourceArn, sourceAccount of a Lambda permission) with a "
    "resource or an account of yours",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html#cross-service-confused-deputy-prevention",
)
def name_sources_of_services(resource: Resource, _: Situation) -> Iterator[str]:
    if resource.resource_type == _PERMISSION:
        principal = str(resource.props.get("principal"))
        if ".amazon" in principal and not _names_source(resource, "principalOrgId", "eventSourceToken"):
            yield f"lets {principal} call the function for anybody who uses that service"
    elif given := _document(resource):
        for statement in allowed(given):
            is_of_bucket = resource.resource_type in _BUCKET_POLICIES
            if is_of_bucket and (not any(map(statement.includes, _OF_OBJECTS)) or _is_for_an_account(statement)):
                continue
            for service in statement.services_for_anybody:
                yield f"{statement} lets {service} in for anybody who uses that service"


def _is_for_an_account(statement: Statement) -> bool:
    """Whether it opens only the folder of an account, as load balancers and CloudTrail name it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    return bool(statement.resources) and all(
        matches("*/AWSLogs/????????????/*", one) and one.partition("/AWSLogs/")[2][:12].isdigit()
        for one in statement.resources
    )


def _names_source(resource: Resource, *others: str) -> bool:
    """Whether a Lambda permission is for an account or resource that is named, or for what one of `others` says."""
    props = resource.props
    if _is_given(resource, ["sourceAccount", *others]):
        return True
    return bool(props.get("sourceArn")) and names_account(props["sourceArn"])
