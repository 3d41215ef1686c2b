"""Rows of the table: buckets and their objects, secrets, parameters."""

from typing import Any

from sandbox.providers import aws_checks_installation as checks
from sandbox.providers import forms
from sandbox.providers.table import ANY, Call, Fetch, Row, Tagging, listing

_BUCKET = {"Bucket": "$bucket"}
_OBJECT = {"Bucket": "$bucket", "Key": "$key"}
_PUBLIC_ACCESS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
_CONTENT = (
    *("content", "contentBase64", "contentType", "contentEncoding", "contentDisposition", "contentLanguage"),
    *("cacheControl", "metadata", "serverSideEncryption", "kmsKeyId", "bucketKeyEnabled", "storageClass"),
    "checksumAlgorithm",
)
_OBJECT_TAGS = Call("PutObjectTagging", {**_OBJECT, "Tagging": {"TagSet": "$tags"}})


def _of_bucket(create: Call, read: Fetch, delete: Call, updated: tuple[str, ...], **columns: Any) -> Row:
    """A part of a bucket's configuration, which has the bucket's name for an id."""
    update = Call(create.operation, create.params, updated, into=create.into)
    outputs = {"bucket": "bucket"}
    return Row("s3", create, (read,), (delete,), id="{bucket}", updates=(update,), outputs=outputs, **columns)


STORAGE: dict[str, Row] = {
    "aws:s3/bucket:Bucket": Row(
        "s3",
        Call("CreateBucket", {**_BUCKET, "CreateBucketConfiguration": {"LocationConstraint": "$constraint"}}),
        (Fetch("GetBucketLocation", {"Bucket": "$id"}, "@"),),
        (Call("DeleteBucket", {"Bucket": "$id"}),),
        id="{bucket}",
        name="bucket",
        longest_name=63,
        outputs={
            "bucket": "id",
            "arn": "arn:{partition}:s3:::{id}",
            "bucketDomainName": "join('', [id, '.s3.amazonaws.com'])",
            "bucketRegion": "region",
            "bucketRegionalDomainName": "join('', [id, '.s3.', region, '.amazonaws.com'])",
        },
        local=("forceDestroy", "bucketPrefix"),
        unsupported=("acl",),
        tags=Tagging(
            tag=Call("PutBucketTagging", {"Bucket": "$id", "Tagging": {"TagSet": "$tags"}}),
            untag=Call("DeleteBucketTagging", {"Bucket": "$id"}),
            member="",
            read=Fetch("GetBucketTagging", {"Bucket": "$id"}, "TagSet"),
            whole=True,
        ),
        listing=listing("s3", "ListBuckets", "Buckets[].Name"),
        validate=checks.bucket_name,
        before_delete=checks.empty_bucket,
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _of_bucket(
        Call("PutPublicAccessBlock", _BUCKET, into="PublicAccessBlockConfiguration"),
        Fetch("GetPublicAccessBlock", _BUCKET, "PublicAccessBlockConfiguration"),
        Call("DeletePublicAccessBlock", _BUCKET),
        _PUBLIC_ACCESS,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _of_bucket(
        Call("PutBucketVersioning", _BUCKET),
        Fetch("GetBucketVersioning", _BUCKET, "Status && {VersioningConfiguration: @}"),
        # The most that can be done: a bucket that ever had versions keeps them.
        Call("PutBucketVersioning", {**_BUCKET, "VersioningConfiguration": {"Status": "Suspended"}}),
        ("versioningConfiguration", "mfa"),
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _of_bucket(
        Call("PutBucketEncryption", {**_BUCKET, "ServerSideEncryptionConfiguration": {"Rules": "$rules"}}),
        Fetch("GetBucketEncryption", _BUCKET, "ServerSideEncryptionConfiguration"),
        Call("DeleteBucketEncryption", _BUCKET),
        ("rules",),
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _of_bucket(
        Call("PutBucketOwnershipControls", {**_BUCKET, "OwnershipControls": {"Rules": ["$rule"]}}),
        Fetch("GetBucketOwnershipControls", _BUCKET, "OwnershipControls"),
        Call("DeleteBucketOwnershipControls", _BUCKET),
        ("rule",),
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _of_bucket(
        Call("PutBucketPolicy", _BUCKET),
        Fetch("GetBucketPolicy", _BUCKET, "@"),
        Call("DeleteBucketPolicy", _BUCKET),
        ("policy",),
        validate=checks.bucket_policy,
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _of_bucket(
        Call("PutBucketLifecycleConfiguration", {**_BUCKET, "LifecycleConfiguration": {"Rules": "$rules"}}),
        Fetch("GetBucketLifecycleConfiguration", _BUCKET, "@"),
        Call("DeleteBucketLifecycle", _BUCKET),
        ("rules", "transitionDefaultMinimumObjectSize"),
        ordered=("rules",),
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": _of_bucket(
        Call("PutObjectLockConfiguration", _BUCKET, into="ObjectLockConfiguration"),
        Fetch("GetObjectLockConfiguration", _BUCKET, "ObjectLockConfiguration"),
        # The most that can be done: a bucket that was ever locked stays one that can be.
        Call("PutObjectLockConfiguration", {**_BUCKET, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
        ("objectLockEnabled", "rule"),
        replace=("objectLockEnabled",),
        defaults={"objectLockEnabled": "Enabled"},
    ),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": _of_bucket(
        Call("PutBucketReplication", _BUCKET, into="ReplicationConfiguration"),
        Fetch("GetBucketReplication", _BUCKET, "ReplicationConfiguration"),
        Call("DeleteBucketReplication", _BUCKET),
        ("role", "rules"),
        before_create=checks.replication_fits,
    ),
    "aws:s3/bucketObjectv2:BucketObjectv2": Row(
        "s3",
        Call("PutObject"),
        (Fetch("HeadObject", _OBJECT, "@"),),
        (Call("DeleteObject", _OBJECT, when={"state.versionId": None}),),
        id="{bucket}/{key}",
        updates=(
            Call("PutObject", _OBJECT, _CONTENT),
            Call(_OBJECT_TAGS.operation, _OBJECT_TAGS.params, _CONTENT, when={"tags": ANY}),
        ),
        rename={"content": "Body", "contentBase64": "Body", "kmsKeyId": "SSEKMSKeyId"},
        outputs={
            "bucket": "bucket",
            "key": "key",
            "arn": "join('', ['arn:', partition, ':s3:::', bucket, '/', key])",
            "etag": "trim(ETag, '\"')",
        },
        computed=("bucketKeyEnabled", "contentType", "kmsKeyId", "serverSideEncryption", "storageClass"),
        volatile=("etag", "versionId"),
        unsupported=("acl", "objectLockLegalHoldStatus", "objectLockMode", "objectLockRetainUntilDate"),
        local=("forceDestroy",),
        unread=("content", "contentBase64"),
        secret=("content", "contentBase64"),
        tags=Tagging(
            tag=_OBJECT_TAGS,
            untag=Call("DeleteObjectTagging", _OBJECT),
            member="",
            read=Fetch("GetObjectTagging", _OBJECT, "TagSet"),
            whole=True,
        ),
        listing=checks.objects,
        before_delete=checks.delete_versions,
    ),
    "aws:secretsmanager/secret:Secret": Row(
        "secretsmanager",
        Call("CreateSecret"),
        (
            Fetch("DescribeSecret", {"SecretId": "$id"}, "@"),
            Fetch("GetResourcePolicy", {"SecretId": "$id"}, "ResourcePolicy", "ResourcePolicy"),
        ),
        (
            Call(
                "DeleteSecret",
                {"SecretId": "$id", "RecoveryWindowInDays": "$recoveryWindowInDays"},
                when={"recoveryWindowInDays": ANY},
            ),
            Call(
                "DeleteSecret",
                {"SecretId": "$id", "ForceDeleteWithoutRecovery": True},
                when={"recoveryWindowInDays": 0},
            ),
        ),
        id="ARN",
        name="name",
        updates=(
            Call("UpdateSecret", {"SecretId": "$id"}, ("description", "kmsKeyId")),
            Call("PutResourcePolicy", {"SecretId": "$id"}, ("policy",), when={"policy": ANY}),
            Call("DeleteResourcePolicy", {"SecretId": "$id"}, ("policy",), when={"policy": None}),
        ),
        rename={"policy": "ResourcePolicy"},
        emptied=("description",),
        computed=("policy",),
        unsupported=("type",),
        local=("recoveryWindowInDays", "forceOverwriteReplicaSecret", "namePrefix"),
        defaults={"forceOverwriteReplicaSecret": False, "recoveryWindowInDays": 30},
        alive="!DeletedDate",
        tags=Tagging(
            tag=Call("TagResource", {"SecretId": "$id", "Tags": "$tags"}),
            untag=Call("UntagResource", {"SecretId": "$id", "TagKeys": "$tagKeys"}),
        ),
        listing=listing("secretsmanager", "ListSecrets", "SecretList[].ARN"),
        validate=checks.secret,
    ),
    "aws:secretsmanager/secretVersion:SecretVersion": Row(
        "secretsmanager",
        Call("PutSecretValue"),
        (
            Fetch("DescribeSecret", {"SecretId": "$secretId"}, "[@][?!DeletedDate] | [0]", "secret"),
            Fetch("GetSecretValue", {"SecretId": "$secretId", "VersionId": "$versionId"}, "@"),
        ),
        (),
        id="join('|', [ARN, VersionId])",
        import_id="{secretId}|{versionId}",
        outputs={"secretId": "secretId", "secretArn": "ARN", "hasSecretStringWo": "`false`"},
        computed=("versionStages",),
        hooked=("versionStages",),
        secret=("secretString", "secretBinary"),
        alive="VersionId",
        after_write=checks.move_stages,
        before_delete=checks.retire_version,
    ),
    "aws:ssm/document:Document": Row(
        "ssm",
        Call("CreateDocument"),
        (
            Fetch("DescribeDocument", {"Name": "$id"}, "Document"),
            Fetch("GetDocument", {"Name": "$id", "DocumentFormat": "$documentFormat"}, "@"),
        ),
        (Call("DeleteDocument", {"Name": "$id"}),),
        id="{name}",
        name="name",
        longest_name=128,
        outputs={"arn": "arn:{partition}:ssm:{region}:{account}:document/{id}"},
        volatile=("defaultVersion", "documentVersion", "hash", "latestVersion"),
        hooked=(*checks.DOCUMENT_VERSION, "documentType"),
        inert=("documentType",),
        defaults={"documentFormat": "JSON"},
        tags=Tagging(
            tag=Call("AddTagsToResource", {"ResourceType": "Document", "ResourceId": "$id", "Tags": "$tags"}),
            untag=Call(
                "RemoveTagsFromResource", {"ResourceType": "Document", "ResourceId": "$id", "TagKeys": "$tagKeys"}
            ),
            read=Fetch("ListTagsForResource", {"ResourceType": "Document", "ResourceId": "$id"}, "TagList"),
        ),
        listing=listing("ssm", "ListDocuments", "DocumentIdentifiers[].Name"),
        after_write=checks.new_document_version,
    ),
    "aws:ssm/parameter:Parameter": Row(
        "ssm",
        Call("PutParameter", {"Overwrite": "$overwrite"}),
        (
            Fetch("GetParameter", {"Name": "$id", "WithDecryption": True}, "Parameter"),
            Fetch(
                "DescribeParameters",
                {"ParameterFilters": [{"Key": "Name", "Option": "Equals", "Values": ["$id"]}]},
                "Parameters[0]",
            ),
        ),
        (Call("DeleteParameter", {"Name": "$id"}),),
        id="{name}",
        name="name",
        updates=(
            Call(
                "PutParameter",
                {"Name": "$id", "Overwrite": True},
                ("value", "insecureValue", "type", "description", "allowedPattern", "dataType", "keyId", "tier"),
            ),
        ),
        rename={"insecureValue": "Value"},
        emptied=("description", "allowedPattern"),
        outputs={
            "value": "!insecureValue && Value || `null`",
            "insecureValue": "insecureValue && Value",
            "hasValueWo": "`false`",
        },
        computed=("arn", "dataType", "keyId", "tier"),
        replace=("dataType",),
        replace_when={"tier": lambda before, new: (before.get("tier"), new.get("tier")) == ("Advanced", "Standard")},
        one_of=(("value", "insecureValue"),),
        returned={"tier": forms.parameter_tier},
        suppressed=("tier",),
        volatile=("version",),
        local=("overwrite",),
        secret=("value",),
        tags=Tagging(
            tag=Call("AddTagsToResource", {"ResourceType": "Parameter", "ResourceId": "$id", "Tags": "$tags"}),
            untag=Call(
                "RemoveTagsFromResource", {"ResourceType": "Parameter", "ResourceId": "$id", "TagKeys": "$tagKeys"}
            ),
            read=Fetch("ListTagsForResource", {"ResourceType": "Parameter", "ResourceId": "$id"}, "TagList"),
        ),
        listing=listing("ssm", "DescribeParameters", "Parameters[].Name"),
        validate=checks.parameter_name,
    ),
}
