"""Where moto 5.2 answers otherwise than AWS in a way that programs here meet. Imported for its effect."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2 import utils
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends, subnets, vpcs
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.utils import convert_tag_spec
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.s3.exceptions import ReplicationConfigurationNotFoundError
from moto.s3.models import FakeDeleteMarker, S3Backend
from moto.s3.responses import S3Response

from sandbox.cloud import ACCOUNT_ID

_lock = S3Backend.put_object_lock_configuration
_judge = IAMPolicyStatement.is_action_permitted
_parameter = EC2BaseResponse._get_param
_run = InstanceBackend.run_instances
_modify_interface = NetworkInterfaceBackend.modify_network_interface_attribute
_next_ids: dict[str, str] = {}
_random_zone_id: list[Callable[..., str]] = []

_CANONICAL = re.compile(
    r"/aws/service/canonical/ubuntu/(server|pro-server)/[\w.]+/stable/(current|\d+(\.\d+)?)"
    r"/(amd64|arm64)/hvm/(ebs-gp2|ebs-gp3|instance)/ami-id"
)


def system_tag(resource_id: str, tags: dict[str, str], region: str) -> None:
    """Tag as AWS itself does: only so can a key begin with `aws:`."""
    backend = ec2_backends[ACCOUNT_ID][region]
    backend.do_resources_exist([resource_id])
    backend.tags[resource_id].update(tags)


def next_id(kind: str, id: str) -> None:
    """The next thing of that kind that is made has this id, as one that was there before has its own."""
    _next_ids[kind] = id
    if kind == "hosted-zone":
        from moto.route53 import models

        if models.create_route53_zone_id is not _zone_id:
            _random_zone_id.append(models.create_route53_zone_id)
            models.create_route53_zone_id = _zone_id


def chosen(kind: str) -> str | None:
    """The id that was asked for, once."""
    return _next_ids.pop(kind, None)


def _zone_id(*args: Any, **kwargs: Any) -> str:
    return chosen("hosted-zone") or _random_zone_id[0](*args, **kwargs)


def _is_action_permitted(self: IAMPolicyStatement, *args: Any, **kwargs: Any) -> PermissionResult:
    """moto ignores conditions it does not know, so the usual "deny what is not TLS" would lock everybody out.

    A request to the emulator stands for one over TLS: a statement that holds without TLS only never holds.
    """
    for key, value in self._statement.get("Condition", {}).get("Bool", {}).items():
        if key.lower() == "aws:securetransport" and str(value).lower() == "false":
            return PermissionResult.NEUTRAL
    return _judge(self, *args, **kwargs)


def _get_param(self: EC2BaseResponse, param_name: str, if_none: Any = None) -> Any:
    """moto lets everybody set and delete the tags that AWS keeps for itself, and wants user data encoded twice."""
    value = _parameter(self, param_name, if_none)
    if param_name == "UserData.Value" and isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if param_name in ("Tags", "TagSpecification", "TagSpecifications"):
        tags = value if param_name == "Tags" else [tag for spec in value or () for tag in spec.get("Tags", ())]
        if any(str(tag.get("Key")).startswith("aws:") for tag in tags or ()):
            raise EC2ClientError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    return value


def _run_instances(
    self: Any, image_id: str | None, count: int, user_data: Any, security_group_names: list[str], **kwargs: Any
) -> Any:
    """moto takes user data, type, key and groups from a launch template; AWS takes everything.

    The groups of the first interface are the instance's, and an image may be the name of a parameter.
    """
    template = kwargs.get("launch_template")
    data = self._get_template_from_args(template).data if template else {}
    tags, given = convert_tag_spec(data.get("TagSpecifications", [])), kwargs.get("tags") or {}
    kwargs["tags"] = {kind: tags.get(kind, {}) | given.get(kind, {}) for kind in {*tags, *given}}
    kwargs["metadata_options"] = data.get("MetadataOptions", {}) | (kwargs.get("metadata_options") or {})
    if data.get("Monitoring", {}).get("Enabled"):
        kwargs["monitoring_state"] = "enabled"
    if data.get("BlockDeviceMappings"):
        kwargs.setdefault("block_device_mappings", data["BlockDeviceMappings"])
    for interface in (kwargs.get("nics") or [])[:1]:
        interface.setdefault("DeleteOnTermination", True)
        kwargs["security_group_ids"] = interface.pop("Groups", None) or kwargs.get("security_group_ids") or []
    image = _resolved(str(image_id or data.get("ImageId") or ""), self.region_name)
    return _run(self, image, count, user_data, security_group_names, **kwargs)


def _modify_interface_attribute(self: Any, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any) -> None:
    """The groups of an instance's first interface are the instance's."""
    _modify_interface(self, eni_id, group_ids, *args, **kwargs)
    interface = self.get_network_interface(eni_id)
    if group_ids and interface.instance and interface.device_index == 0:
        interface.instance.security_groups = [self.get_security_group_from_id(id) for id in group_ids]


def _resolved(image: str, region: str) -> str:
    """The AMI that a parameter names; for Ubuntu's public ones an id made from the name, since moto lacks them."""
    kind, _, name = image.partition("resolve:ssm:")
    if kind or not name:
        return image
    if _CANONICAL.fullmatch(name):
        return f"ami-{hashlib.sha256(f'{region} {name}'.encode()).hexdigest()[:17]}"
    from moto.ssm.models import ssm_backends

    parameter = ssm_backends[ACCOUNT_ID][region].get_parameter(name)
    if parameter is None or not str(parameter.value).startswith("ami-"):
        raise EC2ClientError("InvalidParameterValue", f"The parameter {name} does not exist or holds no AMI id")
    return str(parameter.value)


def _rule_description(self: SecurityGroupRule) -> str | None:
    """moto forgets what a rule for another group is called."""
    return self.ip_range.get("Description") or self.source_group.get("Description")


def _get_bucket_replication(self: Any) -> Any:
    """moto keeps all of a replication and shows little of it."""
    self.data["Action"] = "GetBucketReplication"
    kept = self.backend.get_bucket_replication(self.bucket_name)
    if not kept:
        raise ReplicationConfigurationNotFoundError(bucket_name=self.bucket_name)
    return self.serialized(ActionResult({"ReplicationConfiguration": {"Role": kept["Role"], "Rules": kept["Rule"]}}))


def _put_object_lock(self: Any, bucket_name: str, *args: Any, **kwargs: Any) -> None:
    """moto locks empty buckets only, as S3 did until 2023."""
    bucket = self.get_bucket(bucket_name)
    keys, bucket.keys = bucket.keys, type(bucket.keys)()
    try:
        _lock(self, bucket_name, *args, **kwargs)
    finally:
        bucket.keys = keys


# The names that these modules import, not those of utils, are what moto calls.
vpcs.random_vpc_id = lambda: chosen("vpc") or utils.random_vpc_id()  # pyright: ignore[reportPrivateImportUsage]
subnets.random_subnet_id = lambda: (  # pyright: ignore[reportPrivateImportUsage]
    chosen("subnet") or utils.random_subnet_id()
)
IAMPolicyStatement.is_action_permitted = _is_action_permitted
S3Response.get_bucket_replication = _get_bucket_replication
S3Backend.put_object_lock_configuration = _put_object_lock
SecurityGroupRule.description = property(_rule_description)  # pyright: ignore[reportAttributeAccessIssue]  # read-only
EC2BaseResponse._get_param = _get_param
InstanceBackend.run_instances = _run_instances
NetworkInterfaceBackend.modify_network_interface_attribute = _modify_interface_attribute
# moto calls it where versioning is suspended and a marker is left.
FakeDeleteMarker.dispose = lambda self: None  # pyright: ignore[reportAttributeAccessIssue]  # because it is not there
