"""EC2 instances and what makes them: launch templates and Karpenter's node classes."""

from __future__ import annotations

import re
import zlib
from base64 import b64decode
from collections.abc import Iterator, Mapping
from gzip import decompress
from typing import Any

from pack.kinds import INSTANCE, LAUNCH_TEMPLATE, NODE_CLASS, NODE_GROUP
from pack.rule import Parameter, Resource, Severity, Situation, rule
from pack.values import apart, block, has, is_true, items

_MAKERS = (INSTANCE, LAUNCH_TEMPLATE, NODE_CLASS)
_VOLUME = "aws:ebs/volume:Volume"
_STORAGE_CLASS = "kubernetes:storage.k8s.io/*:StorageClass"
_PROVISIONERS = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")
_EIP, _EIP_ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"
_GZIP = b"\x1f\x8b"
_ARN = re.compile(r"arn:aws[\w:/.*+=@-]+")
_SECRETS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an AWS access key": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a license": re.compile(r"^\s*kind: *License\b", re.MULTILINE),
    # A value that is written down: no variable, command, path, or marker such as __FROM_SECRETS_MANAGER__.
    "a password, token or key": re.compile(
        r"(?:password|passwd|secret|token|(?:access|api|private|secret)[_-]?key)[\"']?\s*[:=]\s*[\"']?"
        r"(?![\"'$<`{(\[_/])[^\s\"']{6,}",
        re.IGNORECASE,
    ),
}


def _metadata(resource: Resource) -> Mapping[str, Any] | None:
    """The metadata options that a resource sets; None where others set them."""
    if resource.resource_type == INSTANCE:
        inherits = resource.props.get("launchTemplate") and not resource.props.get("metadataOptions")
        return None if inherits else block(resource.props, "metadataOptions")
    if resource.resource_type == LAUNCH_TEMPLATE:
        return block(resource.props, "metadataOptions")
    return block(resource.props, "spec").get("metadataOptions")  # Karpenter's own default asks for tokens


@rule(
    "require-imdsv2",
    "Instances answer metadata requests only with a session token (IMDSv2).",
    severity=Severity.HIGH,
    types=_MAKERS,
    remediation="set httpTokens of the metadata options to required",
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
)
def require_imdsv2(resource: Resource, _: Situation) -> Iterator[str]:
    options = _metadata(resource)
    if options is not None and options.get("httpEndpoint") != "disabled" and options.get("httpTokens") != "required":
        yield "does not require session tokens"


@rule(
    "limit-metadata-hops",
    "Pods do not reach the metadata of their node, and so not its role.",
    severity=Severity.MEDIUM,
    types=_MAKERS,
    remediation="set httpPutResponseHopLimit to 1, and give pods a role of their own through Pod Identity",
    link="https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
    parameters={"hops": Parameter(1, "most network hops of a metadata answer")},
)
def limit_metadata_hops(resource: Resource, situation: Situation) -> Iterator[str]:
    options = _metadata(resource)
    hops = int(options.get("httpPutResponseHopLimit") or 1) if options else 1
    if hops > situation["hops"]:
        yield f"metadata answers travel {hops} hops"


def _unencrypted(mapping: Any) -> Iterator[str]:
    ebs = mapping.get("ebs")
    if ebs is not None and not is_true(ebs.get("encrypted")):
        yield f"the volume {mapping.get('deviceName')} is not encrypted"


@rule(
    "encrypt-volumes",
    "Every EBS volume is encrypted.",
    severity=Severity.HIGH,
    types=(*_MAKERS, NODE_GROUP, _VOLUME, _STORAGE_CLASS),
    remediation="set encrypted of the volume to true",
    link="https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html",
)
def encrypt_volumes(resource: Resource, _: Situation) -> Iterator[str]:
    props, kind = resource.props, resource.resource_type
    if kind == _VOLUME:
        if not is_true(props.get("encrypted")):
            yield "is not encrypted"
    elif kind == INSTANCE:
        root = block(props, "rootBlockDevice")
        if (len(root) or not props.get("launchTemplate")) and not is_true(root.get("encrypted")):
            yield "its root volume is not encrypted"
        mappings = [{"deviceName": one.get("deviceName"), "ebs": one} for one in _each(items(props, "ebsBlockDevices"))]
        yield from apart(mappings, _unencrypted)
    elif kind == NODE_GROUP:
        if not props.get("launchTemplate"):
            yield "without a launch template, the volumes of its nodes are not encrypted"
    elif kind == LAUNCH_TEMPLATE:
        if not items(props, "blockDeviceMappings"):
            yield "its image's volumes are as the image has them, not encrypted"
        yield from apart(items(props, "blockDeviceMappings"), _unencrypted)
    elif resource.resource_type.endswith(":EC2NodeClass"):  # Karpenter encrypts the volumes that it chooses itself
        yield from apart(items(block(props, "spec"), "blockDeviceMappings"), _unencrypted)
    elif props.get("provisioner") in _PROVISIONERS and not is_true(block(props, "parameters").get("encrypted")):
        yield "makes volumes that are not encrypted"


def _each(values: Any) -> Iterator[Any]:
    return (values[index] for index in range(len(values)))


@rule(
    "refuse-public-addresses",
    "No instance has a public address, but where the stack declares it.",
    severity=Severity.HIGH,
    types=(*_MAKERS, _EIP, _EIP_ASSOCIATION),
    remediation="use Session Manager or a load balancer, or name the resource in the rule's parameter `declared`",
    link="https://docs.aws.amazon.com/securityhub/latest/userguide/ec2-controls.html#ec2-9",
    parameters={"declared": Parameter([], "names of resources that may give a public address")},
)
def refuse_public_addresses(resource: Resource, situation: Situation) -> Iterator[str]:
    if resource.name in situation["declared"]:
        return
    props = resource.props
    if resource.resource_type in (_EIP, _EIP_ASSOCIATION):
        # Which one may not be known yet, that there is one is.
        if any(has(props, key) for key in ("instance", "instanceId", "networkInterface", "networkInterfaceId")):
            yield "gives an instance a public address"
        return
    if resource.resource_type == LAUNCH_TEMPLATE:
        interfaces = items(props, "networkInterfaces")
        given = any(is_true(one.get("associatePublicIpAddress")) for one in _each(interfaces))
    elif resource.resource_type == INSTANCE:
        given = is_true(props.get("associatePublicIpAddress"))
    else:
        given = is_true(block(props, "spec").get("associatePublicIPAddress"))
    if given:
        yield "asks for a public address"


@rule(
    "keep-secrets-out-of-user-data",
    "User data, which everybody on the host and many in the account can read, holds no secret.",
    severity=Severity.CRITICAL,
    types=_MAKERS,
    remediation="read the secret from Secrets Manager on the host",
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
)
def keep_secrets_out_of_user_data(resource: Resource, _: Situation) -> Iterator[str]:
    props = resource.props if resource.resource_type in (INSTANCE, LAUNCH_TEMPLATE) else block(resource.props, "spec")
    for key in ("userData", "userDataBase64"):
        text = _ARN.sub("", _decoded(str(props.get(key) or "")))  # that of a secret names it, and is none
        for what, pattern in _SECRETS.items():
            if pattern.search(text):
                yield f"{key} holds {what}"


def _decoded(text: str) -> str:
    try:
        content = b64decode("".join(text.split()), validate=True)
        if content.startswith(_GZIP):
            content = decompress(content)
    except (ValueError, OSError, EOFError, zlib.error):  # no base64, or no whole gzip
        return text
    return content.decode(errors="replace")
