"""EC2 instances and what makes them: launch templates and Karpenter's node classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pack.kinds import (
    INSTANCE,
    LAUNCH_CONFIGURATION,
    LAUNCH_TEMPLATE,
    NODE_CLASS,
    NODE_GROUP,
    SPOT_FLEET,
    SPOT_REQUEST,
)
from pack.rule import Parameter, Resource, Severity, Situation, fewer, lower, rule
from pack.secrets import in_text
from pack.values import apart, block, has, is_true, items

_LIKE_INSTANCE = (INSTANCE, SPOT_REQUEST, SPOT_FLEET, LAUNCH_CONFIGURATION)
_MAKERS = (*_LIKE_INSTANCE, LAUNCH_TEMPLATE, NODE_CLASS)
_METADATA_DEFAULTS = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
_VOLUME = "aws:ebs/volume:Volume"
_STORAGE_CLASS = "kubernetes:*:StorageClass"
_PROVISIONERS = ("ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs")
_EIP, _EIP_ASSOCIATION = "aws:ec2/eip:Eip", "aws:ec2/eipAssociation:EipAssociation"


def _machines(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """What a resource says of each kind of machine that it makes."""
    if resource.resource_type == SPOT_FLEET:
        yield from apart(items(resource.props, "launchSpecifications"), lambda one: iter([one]))
    elif resource.resource_type in (*_LIKE_INSTANCE, LAUNCH_TEMPLATE):
        yield resource.props
    else:
        yield block(resource.props, "spec")


def _metadata(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The metadata options that a resource sets; none where others set them."""
    for machine in _machines(resource):
        options = machine.get("metadataOptions")
        # Without any, those of the launch template count; Karpenter's own default asks for tokens.
        if options or (not resource.resource_type.endswith(":EC2NodeClass") and not machine.get("launchTemplate")):
            yield options or {}


@rule(
    "require-imdsv2",
    "Instances answer metadata requests only with a session token (IMDSv2).",
    severity=Severity.HIGH,
    types=(*_MAKERS, _METADATA_DEFAULTS),
    remediation="set httpTokens of the metadata options to required; a spot fleet does so in a launch template",
    link="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html",
)
def require_imdsv2(resource: Resource, _: Situation) -> Iterator[str]:
    if resource.resource_type == _METADATA_DEFAULTS:
        if resource.props.get("httpTokens") == "optional":
            yield "makes session tokens optional in the whole region"
        return
    for options in _metadata(resource):
        if options.get("httpEndpoint") != "disabled" and options.get("httpTokens") != "required":
            yield "does not require session tokens"


@rule(
    "limit-metadata-hops",
    "Pods do not reach the metadata of their node, and so not its role.",
    severity=Severity.MEDIUM,
    types=_MAKERS,
    remediation="set httpPutResponseHopLimit to 1, and give pods a role of their own through Pod Identity",
    link="https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html",
    parameters={"hops": Parameter(1, "most network hops of a metadata answer", tighter=lower)},
)
def limit_metadata_hops(resource: Resource, situation: Situation) -> Iterator[str]:
    for options in _metadata(resource):
        hops = int(options.get("httpPutResponseHopLimit") or 1)
        if hops > situation["hops"]:
            yield f"metadata answers travel {hops} hops"


def _unencrypted(mapping: Any) -> Iterator[str]:
    ebs = mapping.get("ebs")
    if ebs is not None and not is_true(ebs.get("encrypted")):
        yield f"the volume {mapping.get('deviceName')} is not encrypted"


def _unencrypted_of(machine: Mapping[str, Any]) -> Iterator[str]:
    roots = [*items(machine, "rootBlockDevice"), *_each(items(machine, "rootBlockDevices"))]
    if (roots or not machine.get("launchTemplate")) and not (roots and is_true(roots[0].get("encrypted"))):
        yield "its root volume is not encrypted"
    devices = _each(items(machine, "ebsBlockDevices"))
    mappings = [{"deviceName": one.get("deviceName"), "ebs": None if one.get("noDevice") else one} for one in devices]
    yield from apart(mappings, _unencrypted)


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
    elif kind in _LIKE_INSTANCE:
        for machine in _machines(resource):
            yield from _unencrypted_of(machine)
    elif kind == NODE_GROUP:
        if not props.get("launchTemplate"):
            yield "without a launch template, the volumes of its nodes are not encrypted"
    elif kind == LAUNCH_TEMPLATE:
        if not items(props, "blockDeviceMappings"):
            yield "its image's volumes are as the image has them, not encrypted"
        yield from apart(items(props, "blockDeviceMappings"), _unencrypted)
    elif kind.endswith(":EC2NodeClass"):  # Karpenter encrypts the volumes that it chooses itself
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
    parameters={"declared": Parameter([], "names of resources that may give a public address", tighter=fewer)},
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
    for machine in _machines(resource):
        if resource.resource_type == LAUNCH_TEMPLATE:
            interfaces = items(machine, "networkInterfaces")
            given = any(is_true(one.get("associatePublicIpAddress")) for one in _each(interfaces))
        elif resource.resource_type in _LIKE_INSTANCE:
            given = is_true(machine.get("associatePublicIpAddress"))
        else:
            given = is_true(machine.get("associatePublicIPAddress"))
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
    for machine in _machines(resource):
        for key in ("userData", "userDataBase64"):
            yield from (f"{key} holds {what}" for what in in_text(str(machine.get(key) or "")))
