"""Buckets, secrets and hosts: what AWS refuses and moto lets pass, and the writes of several calls."""

import base64
import binascii
import re
from collections.abc import Iterator

from sandbox.providers.aws_api import Api, AwsError, Thing, find
from sandbox.providers.aws_checks import Problems, described, policy
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values

_BUCKET = re.compile(r"(?!\d+\.\d+\.\d+\.\d+$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_IMAGE = re.compile(r"ami-[0-9a-f]{8,17}")


# What can be judged from the inputs alone, in a preview too.


def bucket_name(inputs: Values) -> Problems:
    for key, sample in (("bucket", ""), ("bucketPrefix", "x" * 26)):  # that many are added to a prefix
        name = inputs.get(key)
        if isinstance(name, str) and not _BUCKET.fullmatch(name + sample):
            yield key, f"{name!r} is not a valid bucket name: 3 to 63 lower-case letters, digits, dots and hyphens"


def bucket_policy(inputs: Values) -> Problems:
    yield from policy("policy", inputs["policy"], 20480, "Principal")


def secret(inputs: Values) -> Problems:
    days = inputs.get("recoveryWindowInDays")
    if isinstance(days, int) and days != 0 and not 7 <= days <= 30:
        yield "recoveryWindowInDays", f"{days} is neither 0 nor 7 to 30"
    if inputs.get("policy"):
        yield from policy("policy", inputs["policy"], 20480, "Principal")


def parameter_name(inputs: Values) -> Problems:
    name = inputs.get("name")
    if not isinstance(name, str):
        return
    if re.match(r"/?(aws|ssm)", name, re.IGNORECASE):
        yield "name", f"{name!r} begins with aws or ssm, which AWS keeps for itself"
    if not re.fullmatch(r"[\w.-]+|(/[\w.-]+)+", name, re.ASCII):
        yield "name", f"{name!r} is neither a name of letters, digits, '_', '.' and '-' nor a path of them from '/' on"


def public_key(inputs: Values) -> Problems:
    """EC2 imports RSA and ED25519 keys in OpenSSH's form. No message quotes the key: it may be a private one."""
    key = inputs["publicKey"]
    if key is UNKNOWN:
        return
    kind, _, rest = str(key).strip().partition(" ")
    try:
        blob = base64.b64decode(rest.split(" ")[0], validate=True)
    except (ValueError, binascii.Error):
        blob = b""
    if kind not in ("ssh-rsa", "ssh-ed25519") or not blob.startswith(len(kind).to_bytes(4, "big") + kind.encode()):
        yield "publicKey", "is not an RSA or ED25519 key in OpenSSH's public form (InvalidKey.Format)"


def instance(inputs: Values) -> Problems:
    if not inputs.get("launchTemplate"):
        for key in ("ami", "instanceType"):
            if not inputs.get(key):
                yield key, "is missing, and there is no launchTemplate that could hold it"
    image = inputs.get("ami")
    if isinstance(image, str) and not _IMAGE.fullmatch(image) and not image.startswith("resolve:ssm:"):
        yield "ami", f"{image!r} is neither an AMI id nor resolve:ssm: and a parameter's name"


# Against what the account holds.


def instance_prerequisites(api: Api, thing: Thing) -> None:
    inputs = thing.inputs
    if (name := inputs.get("keyName")) and not described(api, "DescribeKeyPairs", "KeyPairs", "key-name", name):
        raise ProviderError(f"InvalidKeyPair.NotFound: The key pair '{name}' does not exist")
    if subnet := inputs.get("subnetId"):
        home = api.look("Subnets[0].VpcId", "ec2", "DescribeSubnets", SubnetIds=[subnet])
        for id in inputs.get("vpcSecurityGroupIds") or []:
            group = described(api, "DescribeSecurityGroups", "SecurityGroups", "group-id", id)
            if not group or group[0]["VpcId"] != home:
                raise ProviderError(f"InvalidGroup.NotFound: security group {id} does not exist in {home}")


def replication_fits(api: Api, thing: Thing) -> None:
    """Both buckets must have versions, and a bucket of another region must be there."""
    for rule in thing.inputs["rules"]:
        target = rule["destination"]["bucket"].rpartition(":")[2]
        for bucket in (thing.inputs["bucket"], target):
            if api.look("Status", "s3", "GetBucketVersioning", Bucket=bucket) != "Enabled":
                raise ProviderError(f"InvalidRequest: Versioning must be 'Enabled' on the bucket {bucket} to replicate")


_GRAVITON = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")  # m7g, c6gn, im4gn: a "g" right after the generation


def other_architecture(before: Values, new: Values) -> bool:
    """An instance keeps its processor architecture: `CustomizeDiff` of internal/service/ec2/ec2_instance.go in
    terraform-provider-aws, which asks AWS for both types' architectures. Their names tell it here."""
    former, wanted = before.get("instanceType"), new.get("instanceType")
    if not isinstance(former, str) or not isinstance(wanted, str):  # it may not be known yet
        return False
    return bool(_GRAVITON.match(former)) is not bool(_GRAVITON.match(wanted))


# Writes that are more than a call.


def empty_bucket(api: Api, thing: Thing) -> None:
    if thing.inputs.get("forceDestroy"):
        for version in _versions(api, thing.id):
            api.call("s3", "DeleteObject", Bucket=thing.id, **version)


def delete_versions(api: Api, thing: Thing) -> None:
    """Deleting an object of a versioned bucket takes all its versions away, as the provider does it."""
    if thing.state.get("versionId"):
        bucket, key = thing.inputs["bucket"], thing.inputs["key"]
        for version in _versions(api, bucket, key):
            api.call("s3", "DeleteObject", Bucket=bucket, **version)


def retire_version(api: Api, thing: Thing) -> None:
    """A version of a secret cannot be deleted; it loses its labels, but for the one of the current version."""
    for stage in thing.state.get("versionStages") or []:
        if stage != "AWSCURRENT":
            api.call(
                "secretsmanager",
                "UpdateSecretVersionStage",
                SecretId=thing.state["secretId"],
                VersionStage=stage,
                RemoveFromVersionId=thing.state["versionId"],
            )


def move_stages(api: Api, thing: Thing) -> None:
    """Labels that are new come from whatever version has them; AWSCURRENT can only move on to another version."""
    if thing.old is None or "versionStages" not in thing.inputs:
        return
    secret, version = thing.state["secretId"], thing.state["versionId"]
    holders = api.look("VersionIdsToStages", "secretsmanager", "DescribeSecret", SecretId=secret) or {}
    wanted, has = set(thing.inputs["versionStages"]), set(holders.get(version, []))
    for stage in sorted(wanted ^ has):
        former = next((id for id, stages in holders.items() if stage in stages), None)
        moves = {"RemoveFromVersionId": former} if former else {}
        if stage in wanted:
            moves["MoveToVersionId"] = version
        if stage in wanted or stage != "AWSCURRENT":
            api.call("secretsmanager", "UpdateSecretVersionStage", SecretId=secret, VersionStage=stage, **moves)


def instance_profile(api: Api, thing: Thing) -> None:
    """An instance has one profile at most; it is exchanged by its association."""
    before, after = (values.get("iamInstanceProfile") for values in (thing.old or {}, thing.inputs))
    if thing.old is None or before == after:
        return
    associations = described(
        api, "DescribeIamInstanceProfileAssociations", "IamInstanceProfileAssociations", "instance-id", thing.id
    )
    current = associations[0]["AssociationId"] if associations else None
    if current and after:
        api.call(
            "ec2", "ReplaceIamInstanceProfileAssociation", AssociationId=current, IamInstanceProfile={"Name": after}
        )
    elif after:
        api.call("ec2", "AssociateIamInstanceProfile", InstanceId=thing.id, IamInstanceProfile={"Name": after})
    elif current:
        api.call("ec2", "DisassociateIamInstanceProfile", AssociationId=current)


def objects(api: Api) -> list[str]:
    """Bucket and key of every object."""
    buckets = api.look("Buckets[].Name", "s3", "ListBuckets") or []
    return [f"{bucket}/{key}" for bucket in buckets for key in {one["Key"] for one in _versions(api, bucket)}]


def _versions(api: Api, bucket: str, key: str = "") -> Iterator[dict[str, str]]:
    """Key and version of each object, delete markers among them; of one key where it is given."""
    answer = api.look("@", "s3", "ListObjectVersions", Bucket=bucket, Prefix=key) or {}
    for version in find("[Versions, DeleteMarkers][] | []", answer) or []:
        if not key or version["Key"] == key:
            yield {"Key": version["Key"], "VersionId": version["VersionId"]}


DOCUMENT_VERSION = ("content", "documentFormat", "targetType", "versionName")
"""What a new version of a document can change."""


def new_document_version(api: Api, thing: Thing) -> None:
    """A change becomes a new version, and that one the default: resourceDocumentUpdate in ssm/document.go."""
    old, new = thing.old, thing.inputs
    if old is None or all(old.get(key) == new.get(key) for key in DOCUMENT_VERSION):
        return
    optional = {"TargetType": new.get("targetType"), "VersionName": new.get("versionName")}
    try:
        written = api.call(
            "ssm",
            "UpdateDocument",
            Name=thing.id,
            Content=new["content"],
            DocumentVersion="$LATEST",
            DocumentFormat=new.get("documentFormat", "JSON"),
            **{key: value for key, value in optional.items() if value},
        )
    except AwsError as error:
        if error.code != "DuplicateDocumentContent":  # an earlier update wrote it, and failed after that
            raise
        written = {"DocumentDescription": api.call("ssm", "DescribeDocument", Name=thing.id)["Document"]}
        written["DocumentDescription"]["DocumentVersion"] = written["DocumentDescription"]["LatestVersion"]
    version = written["DocumentDescription"]["DocumentVersion"]
    api.call("ssm", "UpdateDocumentDefaultVersion", Name=thing.id, DocumentVersion=version)
