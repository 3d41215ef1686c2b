"""Buckets, keys, queues and topics, and what must not be deleted by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pulumi_policy.proxy import UnknownValueError

from pack.arns import matches
from pack.documents import Document, Statement, statements
from pack.kinds import BUCKETS, CLUSTER, KEY
from pack.rule import Level, Parameter, Properties, Resource, Severity, Situation, StackResource, fewer, more, rule
from pack.values import apart, block, in_words, is_true, items

_S3 = "aws:s3/bucket"
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_OF_BUCKETS = ("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutBucketPolicy", "s3:PutObject")
_BACKUPS = Parameter(
    ["backup", "velero"], "parts of the names of buckets that hold backups, or of their components'", tighter=more
)
_KEPT = (
    "aws:dynamodb/table:Table",
    "aws:ebs/volume:Volume",
    "aws:efs/fileSystem:FileSystem",
    "aws:rds/cluster:Cluster",
    "aws:rds/instance:Instance",
)

Found = Iterator[tuple[StackResource | None, str]]


def _buckets(resources: Sequence[StackResource]) -> list[StackResource]:
    return [one for one in resources if one.resource_type in BUCKETS]


def _about(resources: Sequence[StackResource], part: str) -> dict[str, StackResource]:
    """Resources such as bucket policies by the URN of their bucket."""
    kinds = (f"{_S3}{part}:Bucket{part}", f"{_S3}{part}V2:Bucket{part}V2")
    named = {name: bucket.urn for bucket in _buckets(resources) if (name := _name(bucket))}
    found = ((_bucket_of(one) or named.get(_name(one), ""), one) for one in resources if one.resource_type in kinds)
    return {urn: one for urn, one in found if urn}


def _bucket_of(resource: StackResource) -> str:
    """URN of the bucket that a resource is given, itself or by way of another one that is about it."""
    for other in resource.property_dependencies.get("bucket", ()):
        if other.resource_type in BUCKETS:
            return other.urn
        if other.resource_type.startswith(_S3):
            return _bucket_of(other)
    return ""


def _name(resource: StackResource) -> str:
    """What a program calls the bucket; empty where AWS or Pulumi will name it."""
    try:
        return str(resource.props.get("bucket") or "")
    except UnknownValueError:
        return ""


def _props(found: Mapping[str, StackResource], bucket: StackResource) -> Properties:
    return found[bucket.urn].props if bucket.urn in found else {}


@rule(
    "block-public-buckets",
    "Every bucket blocks public access in all four ways.",
    severity=Severity.CRITICAL,
    remediation="make a BucketPublicAccessBlock for the bucket, with all four set to true",
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html",
)
def block_public_buckets(resources: Sequence[StackResource], _: Situation) -> Found:
    blocks = _about(resources, "PublicAccessBlock")

    def judged(bucket: StackResource) -> Found:
        if bucket.urn not in blocks:
            yield bucket, "nothing blocks public access to it"
        elif open_ways := [name for name in _BLOCKS if not is_true(blocks[bucket.urn].props.get(name))]:
            yield bucket, f"{in_words(open_ways)} is off"

    yield from apart(_buckets(resources), judged)


@rule(
    "require-tls-for-buckets",
    "Every bucket refuses requests without TLS.",
    severity=Severity.HIGH,
    remediation="add a bucket policy that denies s3:* to everybody where aws:SecureTransport is false",
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html",
)
def require_tls_for_buckets(resources: Sequence[StackResource], _: Situation) -> Found:
    found = _about(resources, "Policy")

    def judged(bucket: StackResource) -> Found:
        if bucket.urn not in found or not _asks_for_tls(found[bucket.urn].props["policy"], _name(bucket)):
            yield bucket, "takes requests without TLS"

    yield from apart(_buckets(resources), judged)


def _asks_for_tls(policy: Document, bucket: str) -> bool:
    protected = [
        re.sub(r"^arn:[\w-]+:s3:", "arn:aws:s3:", resource)
        for statement in statements(policy)
        if not statement.allows
        and "*" in statement.principals.get("AWS", ())
        and not statement.all_but_principals
        and not statement.all_but_resources
        and all(map(statement.includes, _OF_BUCKETS))
        and _is_about_tls_alone(statement)
        for resource in statement.resources
    ]
    # A bucket whose name is not known yet is the one that the policy names.
    names = [bucket] if bucket else [one.rpartition(":")[2].partition("/")[0] for one in protected]
    return any(_holds_all_of(name, protected) for name in names)


def _holds_all_of(bucket: str, resources: Sequence[str]) -> bool:
    """Whether the bucket and every object in it are meant, not another bucket or one folder."""
    probes = (f"arn:aws:s3:::{bucket}{part}" for part in ("", "/any", "/any/other"))
    return all(any(matches(resource, probe) for resource in resources) for probe in probes)


def _is_about_tls_alone(statement: Statement) -> bool:
    """What is denied without TLS is denied wherever it comes from; AWS's own services may be left out."""
    tests = [one for one in statement.conditions if not one.leaves_services_out]
    return [(one.operator, one.key, one.values, one.binds) for one in tests] == [
        ("bool", "aws:securetransport", ("false",), True)
    ]


@rule(
    "encrypt-buckets",
    "Every bucket says how it encrypts.",
    severity=Severity.MEDIUM,
    remediation="make a BucketServerSideEncryptionConfiguration for the bucket",
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption.html",
    parameters={
        "algorithms": Parameter(["aws:kms", "aws:kms:dsse", "AES256"], "algorithms that are enough", tighter=fewer)
    },
)
def encrypt_buckets(resources: Sequence[StackResource], situation: Situation) -> Found:
    found = _about(resources, "ServerSideEncryptionConfiguration")

    def judged(bucket: StackResource) -> Found:
        configured = items(_props(found, bucket), "rules")
        used = [block(one, "applyServerSideEncryptionByDefault").get("sseAlgorithm") for one in configured]
        if not used:
            yield bucket, "has no encryption configured"
        elif any(algorithm not in situation["algorithms"] for algorithm in used):
            yield bucket, f"encrypts with {in_words(used)}"

    yield from apart(_buckets(resources), judged)


@rule(
    "version-backup-buckets",
    "Buckets that hold backups keep old versions.",
    severity=Severity.HIGH,
    remediation="make a BucketVersioning for the bucket with the status Enabled",
    link="https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    parameters={"names": _BACKUPS},
)
def version_backup_buckets(resources: Sequence[StackResource], situation: Situation) -> Found:
    found = _about(resources, "Versioning")

    def judged(bucket: StackResource) -> Found:
        if block(_props(found, bucket), "versioningConfiguration").get("status") != "Enabled":
            yield bucket, "keeps no old versions"

    yield from apart([one for one in _buckets(resources) if _is_backup(one, situation["names"])], judged)


def _is_backup(bucket: Resource, names: Sequence[str]) -> bool:
    def is_named(text: str) -> bool:
        return any(name.lower() in text.lower() for name in names)

    # The URN names the components that it is part of, and ends with its own name.
    if any(is_named(part) for part in bucket.urn.split("::")[2:]):
        return True
    return is_named(bucket.props.get("bucketPrefix") or bucket.props.get("bucket") or "")


def _is_part_of(resource: Resource, components: Sequence[str]) -> bool:
    types = resource.urn.split("::")[2].split("$")
    return any(parent.rpartition(":")[2] in components for parent in types[:-1])


@rule(
    "rotate-keys",
    "Symmetric KMS keys rotate.",
    severity=Severity.MEDIUM,
    types=(KEY,),
    remediation="set enableKeyRotation to true",
    link="https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
)
def rotate_keys(resource: Resource, _: Situation) -> Iterator[str]:
    spec = resource.props.get("customerMasterKeySpec") or "SYMMETRIC_DEFAULT"
    if spec == "SYMMETRIC_DEFAULT" and not is_true(resource.props.get("enableKeyRotation")):
        yield "does not rotate"


@rule(
    "encrypt-queues",
    "Every SQS queue is encrypted.",
    severity=Severity.MEDIUM,
    types=("aws:sqs/queue:Queue",),
    remediation="set sqsManagedSseEnabled to true, or kmsMasterKeyId",
    link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
)
def encrypt_queues(resource: Resource, _: Situation) -> Iterator[str]:
    if not is_true(resource.props.get("sqsManagedSseEnabled")) and not resource.props.get("kmsMasterKeyId"):
        yield "is not encrypted"


@rule(
    "encrypt-topics",
    "Every SNS topic is encrypted.",
    severity=Severity.MEDIUM,
    types=("aws:sns/topic:Topic",),
    remediation="set kmsMasterKeyId; alarms need a key of your own that CloudWatch may use",
    link="https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",
)
def encrypt_topics(resource: Resource, _: Situation) -> Iterator[str]:
    if not resource.props.get("kmsMasterKeyId"):
        yield "is not encrypted"


@rule(
    "protect-stateful-resources",
    "In production Pulumi refuses to delete what cannot be made again: cluster, keys, backups, databases, volumes.",
    severity=Severity.HIGH,
    level=Level.DISABLED,
    types=(CLUSTER, KEY, *BUCKETS, *_KEPT),
    remediation="give the resource the option protect=True",
    link="https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
    parameters={
        "backups": _BACKUPS,
        "exempt": Parameter(
            ["BackupWatch"], "components whose keys encrypt nothing that would be missed", tighter=fewer
        ),
    },
)
def protect_stateful_resources(resource: Resource, situation: Situation) -> Iterator[str]:
    # Other buckets hold what the stack itself can write again.
    is_other_bucket = resource.resource_type in BUCKETS and not _is_backup(resource, situation["backups"])
    is_exempt = resource.resource_type == KEY and _is_part_of(resource, situation["exempt"])
    if not resource.opts.protect and not is_other_bucket and not is_exempt:
        yield "is not protected"
