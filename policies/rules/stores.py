"""Data stores: encrypted, out of reach of the internet, and shared with nobody unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pack.rule import Resource, Severity, Situation, rule
from pack.values import apart, below, block, has, in_words, is_given, is_true, items

_EBS_DEFAULT = "aws:ebs/encryptionByDefault:EncryptionByDefault"
_STREAM = "aws:kinesis/stream:Stream"
_IMAGE = "aws:ec2/ami:Ami"


class _Switch(NamedTuple):
    """A property that turns encryption on."""

    path: tuple[str, ...]
    default: bool = False
    """What the provider or AWS takes where nothing is given."""
    inherits: str = ""
    """Property that names what the store is a copy of, from which it has its encryption."""


_ENCRYPTED: Mapping[str, _Switch] = {
    "aws:dax/cluster:Cluster": _Switch(("serverSideEncryption", "enabled")),
    "aws:docdb/cluster:Cluster": _Switch(("storageEncrypted",), inherits="globalClusterIdentifier"),
    "aws:docdb/globalCluster:GlobalCluster": _Switch(("storageEncrypted",), inherits="sourceDbClusterIdentifier"),
    _EBS_DEFAULT: _Switch(("enabled",), default=True),
    "aws:ebs/snapshotCopy:SnapshotCopy": _Switch(("encrypted",)),
    "aws:ebs/snapshotImport:SnapshotImport": _Switch(("encrypted",)),
    "aws:ec2/amiCopy:AmiCopy": _Switch(("encrypted",)),
    "aws:efs/fileSystem:FileSystem": _Switch(("encrypted",)),
    "aws:elasticache/replicationGroup:ReplicationGroup": _Switch(
        ("atRestEncryptionEnabled",), inherits="globalReplicationGroupId"
    ),
    "aws:elasticsearch/domain:Domain": _Switch(("encryptAtRest", "enabled")),
    "aws:neptune/cluster:Cluster": _Switch(("storageEncrypted",), inherits="globalClusterIdentifier"),
    "aws:neptune/globalCluster:GlobalCluster": _Switch(("storageEncrypted",), inherits="sourceDbClusterIdentifier"),
    "aws:opensearch/domain:Domain": _Switch(("encryptAtRest", "enabled")),
    "aws:rds/cluster:Cluster": _Switch(("storageEncrypted",), inherits="globalClusterIdentifier"),
    "aws:rds/globalCluster:GlobalCluster": _Switch(("storageEncrypted",), inherits="sourceDbClusterIdentifier"),
    "aws:rds/instance:Instance": _Switch(("storageEncrypted",), inherits="replicateSourceDb"),
    "aws:redshift/cluster:Cluster": _Switch(("encrypted",), default=True),
    "aws:workspaces/workspace:Workspace": _Switch(("userVolumeEncryptionEnabled",)),
}


@rule(
    "encrypt-data-stores",
    "Databases, file systems, caches, streams and copies of snapshots are encrypted.",
    severity=Severity.HIGH,
    types=(*_ENCRYPTED, _STREAM, _IMAGE),
    remediation="set storageEncrypted, encrypted, or what the resource calls it, to true",
    link="https://docs.aws.amazon.com/prescriptive-guidance/latest/encryption-best-practices/welcome.html",
)
def encrypt_data_stores(resource: Resource, _: Situation) -> Iterator[str]:
    props, kind = resource.props, resource.resource_type
    if kind == _STREAM:
        if props.get("encryptionType") != "KMS":
            yield "is not encrypted"
    elif kind == _IMAGE:
        yield from apart(items(props, "ebsBlockDevices"), _of_image)
    elif not _is_on(props, _ENCRYPTED[kind]):
        yield "turns off the encryption of volumes in the region" if kind == _EBS_DEFAULT else "is not encrypted"


def _of_image(device: Mapping[str, Any]) -> Iterator[str]:
    if not device.get("snapshotId") and not is_true(device.get("encrypted")):  # a snapshot's volume is as that is
        yield f"the volume {device.get('deviceName')} is not encrypted"


def _is_on(props: Mapping[str, Any], switch: _Switch) -> bool:
    *way, last = switch.path
    value = block(props, *way).get(last)
    if value is not None:
        return is_true(value)
    by_engine = props.get("engine") == "valkey" or props.get("engineMode") == "serverless"
    return switch.default or by_engine or bool(switch.inherits and is_given(props, switch.inherits))


_DOMAINS = ("aws:opensearch/domain:Domain", "aws:elasticsearch/domain:Domain")
_COLLECTIONS = "aws:opensearch/serverlessSecurityPolicy:ServerlessSecurityPolicy"
_KAFKA, _AIRFLOW = "aws:msk/cluster:Cluster", "aws:mwaa/environment:Environment"


@rule(
    "keep-data-stores-private",
    "No database, broker or search domain has an address on the internet.",
    severity=Severity.CRITICAL,
    types=("aws:*",),
    remediation="set publiclyAccessible to false, or put the store into private subnets",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/rds-controls.html#rds-2",
)
def keep_data_stores_private(resource: Resource, _: Situation) -> Iterator[str]:
    props, kind = resource.props, resource.resource_type
    is_public = has(props, "publiclyAccessible") and is_true(props.get("publiclyAccessible"))
    if kind in _DOMAINS:
        is_public = not is_given(block(props, "vpcOptions"), "subnetIds")
    elif kind == _KAFKA:
        access = block(props, "brokerNodeGroupInfo", "connectivityInfo", "publicAccess")
        is_public = str(access.get("type") or "DISABLED") != "DISABLED"
    elif kind == _AIRFLOW:
        is_public = props.get("webserverAccessMode") == "PUBLIC_ONLY"
    elif kind == _COLLECTIONS and props.get("type") == "network":
        is_public = any(is_true(one.get("AllowFromPublic")) for one in json.loads(props["policy"]))
    if is_public:
        yield "is reached from the internet"


_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
_GROUPS = ("/global/AllUsers", "/global/AuthenticatedUsers")
"""Everybody, and everybody with an account of AWS.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups"""
_LAUNCH_PERMISSION = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
_DISTRIBUTION = "aws:imagebuilder/distributionConfiguration:DistributionConfiguration"
_DOCUMENT = "aws:ssm/document:Document"
_ACCESS_POINT = "aws:s3/accessPoint:AccessPoint"
_MULTI_REGION = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
_ACCOUNT_BLOCK = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
_EMR_BLOCK = "aws:emr/blockPublicAccessConfiguration:BlockPublicAccessConfiguration"
_BLOCKS_BY_STATE = (
    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
    "aws:ec2/imageBlockPublicAccess:ImageBlockPublicAccess",
)
_ENDPOINT_SERVICE = "aws:ec2/vpcEndpointService:VpcEndpointService"
_ENDPOINT_PRINCIPAL = "aws:ec2/vpcEndpointServiceAllowedPrinciple:VpcEndpointServiceAllowedPrinciple"
_S3_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@rule(
    "refuse-public-sharing",
    "Nothing is shared with everybody: no image, snapshot, document, object, access point or endpoint service.",
    severity=Severity.CRITICAL,
    types=(
        "aws:s3/*",
        "aws:rds/*",
        _LAUNCH_PERMISSION,
        _DISTRIBUTION,
        _DOCUMENT,
        _MULTI_REGION,
        _EMR_BLOCK,
        *_BLOCKS_BY_STATE,
        _ENDPOINT_SERVICE,
        _ENDPOINT_PRINCIPAL,
    ),
    remediation="share with accounts or the organization by name, and leave the blocks of public access on",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-1",
)
def refuse_public_sharing(resource: Resource, _: Situation) -> Iterator[str]:
    props, kind = resource.props, resource.resource_type
    if has(props, "sharedAccounts") and "all" in list(items(props, "sharedAccounts")):
        yield "is shared with every account"
    if kind == _LAUNCH_PERMISSION and props.get("group") == "all":
        yield "lets every account start the image"
    elif kind == _DISTRIBUTION:
        yield from _of_distribution(props)
    elif kind == _DOCUMENT and str(block(props, "permissions").get("account_ids")).lower() == "all":
        yield "is shared with every account"
    elif kind in _BLOCKS_BY_STATE and props.get("state") == "unblocked":
        yield "lets the account share in public"
    elif kind == _EMR_BLOCK and not is_true(props.get("blockPublicSecurityGroupRules")):
        yield "lets clusters start whose ports are open to the world"
    elif kind == _ACCOUNT_BLOCK:
        yield from _open_ways({name: props.get(name) or False for name in _S3_BLOCKS})
    elif kind == _ACCESS_POINT:
        yield from _open_ways(block(props, "publicAccessBlockConfiguration"))
    elif kind == _MULTI_REGION:
        yield from _open_ways(block(props, "details", "publicAccessBlock"))
    elif kind == _ENDPOINT_SERVICE and not is_true(props.get("acceptanceRequired")):
        if "*" in list(items(props, "allowedPrincipals")):
            yield "lets every account connect"
    elif kind == _ENDPOINT_PRINCIPAL and props.get("principalArn") == "*":
        yield "lets every account connect"
    elif kind.startswith("aws:s3/"):
        yield from _of_acl(props)


def _of_distribution(props: Mapping[str, Any]) -> Iterator[str]:
    def judged(one: Mapping[str, Any]) -> Iterator[str]:
        permission = block(one, "amiDistributionConfiguration", "launchPermission")
        if "all" in list(items(permission, "userGroups")):
            yield f"lets every account start the image in {one.get('region')}"

    yield from apart(items(props, "distributions"), judged)


def _open_ways(blocks: Mapping[str, Any]) -> Iterator[str]:
    """Those of the four blocks that are turned off; on is what they are where nothing is given."""
    if names := [name for name in _S3_BLOCKS if blocks.get(name) is not None and not is_true(blocks[name])]:
        yield f"{in_words(names)} is off"


def _of_acl(props: Mapping[str, Any]) -> Iterator[str]:
    if has(props, "acl") and props.get("acl") in _PUBLIC_ACLS:
        yield f"its ACL is {props['acl']}"
    for key in ("grants", "accessControlPolicy"):
        if has(props, key):
            for group in dict.fromkeys(_groups(props[key])):
                yield f"its ACL grants something to {group}"


def _groups(grants: Any) -> Sequence[str]:
    uris = (value for way, value in below(grants) if way[-1] == "uri")
    return [str(uri).rpartition("/")[2] for uri in uris if str(uri).endswith(_GROUPS)]
