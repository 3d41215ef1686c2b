"""The buckets of a VeleroBackup: the one that Velero writes into, and its copy in another region."""

import json
from dataclasses import dataclass, field, replace
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .iam import tls_only_bucket_policy
from .velero_options import DEFAULT_NONCURRENT_DAYS, BackupBucketOptions, ObjectLock, bucket_prefix
from .velero_policies import replication_policy, replication_trust
from .waiting import once

ABORT_UPLOADS_DAYS = 7


class VeleroObjectLockArgs(TypedDict):
    """A retention that nobody, or hardly anybody, can shorten."""

    days: int
    """Days for which nothing that was written can be deleted; at least the longest `ttl` of the schedules."""
    mode: NotRequired[str]
    """"GOVERNANCE" (default), which the right s3:BypassGovernanceRetention overrules, or "COMPLIANCE", which nobody
    does."""


class VeleroReplicationArgs(TypedDict):
    """A copy of the bucket in another region, of what is written from then on. What is there already, S3 Batch
    Replication copies."""

    region: str
    """The other region."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the key there that encrypts the copies; needed with the encryption "kms", and none by default. It must let
    IAM principals of the account use it through S3."""


class VeleroBucketArgs(TypedDict):
    """Where backups are kept."""

    name: NotRequired[str]
    """Name of the bucket; one that begins with the cluster's name by default. Another name is another bucket: outside
    of production, the old one is deleted with its backups."""
    existing_name: NotRequired[str]
    """Name of a bucket that is there, in the cluster's region: nothing about it is changed. None by default."""
    encryption: NotRequired[str]
    """"kms" (default): under `kms_key_arn`. "s3": under keys of S3."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket, an existing one's too. For a new bucket by default the one that the
    component is given."""
    noncurrent_days: NotRequired[int]
    """Days that what was deleted or replaced can still be brought back; 30 by default."""
    object_lock: NotRequired[VeleroObjectLockArgs]
    """Keeps everybody from deleting backups. Once on, S3 never turns it off. None by default."""
    replication: NotRequired[VeleroReplicationArgs]
    """Copies to another region what is written from then on. None by default."""


@dataclass(frozen=True)
class Place:
    """A bucket to be made, in its region and under its key."""

    label: str
    cluster_name: str
    options: BackupBucketOptions
    region: str | None = None
    """None for the provider's own."""
    kms_key_arn: pulumi.Input[str] | None = None
    production: bool = False
    permissions_boundary_arn: str = ""
    tags: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class MadeBucket:
    """A bucket, and what must be there before something is put into it."""

    bucket: aws.s3.Bucket
    versioning: aws.s3.BucketVersioning
    ready: list[pulumi.Resource]

    @property
    def name(self) -> pulumi.Output[str]:
        """Its name, once it is private, encrypted and versioned."""
        return once(self.bucket.bucket, self.ready)


def make_bucket(place: Place, parent: pulumi.Resource) -> MadeBucket:
    """A private, versioned and encrypted bucket that only TLS reaches."""
    label, region, options, production = place.label, place.region, place.options, place.production

    def child(*depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        # Its settings, too: a destroy without a preview would take them away before it comes to the bucket.
        return pulumi.ResourceOptions(parent=parent, depends_on=depends_on, protect=production or None)

    bucket = aws.s3.Bucket(
        label,
        bucket=options.name or None,
        bucket_prefix=None if options.name else bucket_prefix(place.cluster_name),
        force_destroy=_never(place.kms_key_arn) if options.object_lock else not production,
        region=region,
        tags=place.tags,
        opts=child(),
    )
    ownership = aws.s3.BucketOwnershipControls(
        label,
        bucket=bucket.bucket,
        rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
        region=region,
        opts=child(),
    )
    private = aws.s3.BucketPublicAccessBlock(
        label,
        bucket=bucket.bucket,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        region=region,
        opts=child(),
    )
    key = place.kms_key_arn if options.encryption == "kms" else None
    encryption = aws.s3.BucketServerSideEncryptionConfiguration(
        label,
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                apply_server_side_encryption_by_default=(
                    aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms" if key else "AES256", kms_master_key_id=key
                    )
                ),
                bucket_key_enabled=bool(key),
            )
        ],
        region=region,
        opts=child(),
    )
    versioning = aws.s3.BucketVersioning(
        label,
        bucket=bucket.bucket,
        versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
        region=region,
        opts=child(),
    )
    policy = aws.s3.BucketPolicy(
        label,
        bucket=bucket.bucket,
        policy=bucket.arn.apply(lambda arn: json.dumps(tls_only_bucket_policy(arn))),
        region=region,
        # S3 refuses a policy while it changes the access block of the same bucket.
        opts=child(private),
    )
    aws.s3.BucketLifecycleConfiguration(
        label,
        bucket=bucket.bucket,
        rules=[
            aws.s3.BucketLifecycleConfigurationRuleArgs(
                # Velero deletes backups, which in a versioned bucket only hides them.
                id="forget-deleted-backups-and-aborted-uploads",
                status="Enabled",
                filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
                noncurrent_version_expiration=(
                    aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=options.noncurrent_days
                    )
                ),
                abort_incomplete_multipart_upload=(
                    aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=ABORT_UPLOADS_DAYS
                    )
                ),
            )
        ],
        region=region,
        opts=child(versioning),
    )
    ready: list[pulumi.Resource] = [ownership, private, encryption, versioning, policy]
    if options.object_lock:
        ready.append(_lock(place, options.object_lock, bucket, child(versioning)))
    return MadeBucket(bucket, versioning, ready)


def _never(kms_key_arn: pulumi.Input[str] | None) -> pulumi.Output[bool]:
    """What is locked would have to be unlocked first, which is nobody's everyday right. A destroy that ends there
    leaves the key, too, because the bucket came after it: without it no backup can be read."""
    return pulumi.Output.from_input(kms_key_arn).apply(lambda _: False)


def _lock(
    place: Place, lock: ObjectLock, bucket: aws.s3.Bucket, opts: pulumi.ResourceOptions
) -> aws.s3.BucketObjectLockConfiguration:
    """Not an argument of the bucket, where turning it on would replace the bucket: S3 takes it at any time.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
    """
    return aws.s3.BucketObjectLockConfiguration(
        place.label,
        bucket=bucket.bucket,
        object_lock_enabled="Enabled",
        rule=aws.s3.BucketObjectLockConfigurationRuleArgs(
            default_retention=aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode=lock.mode, days=lock.days
            )
        ),
        region=place.region,
        opts=opts,
    )


def replicate(
    name: str,
    source: MadeBucket,
    place: Place,
    args: VeleroReplicationArgs,
    scope: pulumi.Output[tuple[str, str]],
    parent: pulumi.Resource,
) -> MadeBucket:
    """The copy in another region, and the role in which S3 fills it. `scope` is the source's region and account."""
    target_place = replace(
        place,
        label=f"{place.label}-replica",
        options=replace(place.options, name=""),
        region=args["region"],
        kms_key_arn=args.get("kms_key_arn"),
    )
    target = make_bucket(target_place, parent)
    opts = pulumi.ResourceOptions(parent=parent)
    role = aws.iam.Role(
        name,
        description=f"S3, for copies of {place.cluster_name}'s backups in {args['region']}",
        assume_role_policy=pulumi.Output.all(source.bucket.arn, scope).apply(
            lambda known: json.dumps(replication_trust(known[0], known[1][1]))
        ),
        permissions_boundary=place.permissions_boundary_arn or None,
        tags=place.tags,
        opts=opts,
    )
    encrypted = place.options.encryption == "kms"
    keys = [place.kms_key_arn or "", args.get("kms_key_arn", "")] if encrypted else ["", ""]

    def rights(known: list[str]) -> str:
        source_arn, target_arn, source_region, source_key, target_key = known
        return json.dumps(
            replication_policy(
                source_arn,
                target_arn,
                source_key=(source_key, source_region) if source_key else None,
                target_key=(target_key, args["region"]) if target_key else None,
                locked=place.options.object_lock is not None,
            )
        )

    region = scope.apply(lambda known: known[0])
    policy = aws.iam.RolePolicy(
        name,
        role=role.name,
        policy=pulumi.Output.all(source.bucket.arn, target.bucket.arn, region, *keys).apply(rights),
        opts=opts,
    )
    aws.s3.BucketReplicationConfig(
        name,
        bucket=source.bucket.bucket,
        role=role.arn,
        rules=[
            aws.s3.BucketReplicationConfigRuleArgs(
                id="all",
                status="Enabled",
                priority=1,
                filter=aws.s3.BucketReplicationConfigRuleFilterArgs(prefix=""),
                # What Velero deletes here goes there, too; both keep it for the days of the lifecycle.
                delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(
                    status="Enabled"
                ),
                source_selection_criteria=_also_encrypted() if encrypted else None,
                destination=aws.s3.BucketReplicationConfigRuleDestinationArgs(
                    bucket=target.bucket.arn,
                    encryption_configuration=(
                        aws.s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
                            replica_kms_key_id=keys[1]
                        )
                        if encrypted
                        else None
                    ),
                ),
            )
        ],
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*source.ready, *target.ready, policy]),
    )
    return target


def _also_encrypted() -> aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs:
    enabled = aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(status="Enabled")
    return aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(sse_kms_encrypted_objects=enabled)


def bucket_options(args: VeleroBucketArgs, has_kms_key: bool) -> BackupBucketOptions:
    """The plain arguments. `has_kms_key` says whether there is a key, should the bucket name none itself."""
    lock, copy = args.get("object_lock"), args.get("replication")
    return BackupBucketOptions(
        name=args.get("name", ""),
        existing_name=args.get("existing_name", ""),
        encryption=args.get("encryption", "kms"),
        has_kms_key=has_kms_key or bool(args.get("kms_key_arn")),
        kms_key_arn=known(args.get("kms_key_arn")),
        # Numbers that came through the plugin are floats.
        noncurrent_days=int(args.get("noncurrent_days", DEFAULT_NONCURRENT_DAYS)),
        object_lock=ObjectLock(int(lock["days"]), lock.get("mode", "GOVERNANCE")) if lock else None,
        replication_region=copy["region"] if copy else "",
        has_replication_key=bool(copy and copy.get("kms_key_arn")),
        replication_key_arn=known(copy.get("kms_key_arn")) if copy else "",
        given=frozenset(args),
    )


def known(value: pulumi.Input[str] | None) -> str:
    """A value as long as it is plain; empty where there is none, or where it is known later."""
    return value if isinstance(value, str) else ""
