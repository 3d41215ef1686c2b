"""Where moto 5.2 answers otherwise than AWS in a way that programs here meet. Imported for its effect."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.iam.access_control import IAMPolicyStatement, PermissionResult

from sandbox.cloud import ACCOUNT_ID

_judge = IAMPolicyStatement.is_action_permitted
_parameter = EC2BaseResponse._get_param


def system_tag(resource_id: str, tags: dict[str, str], region: str) -> None:
    """Tag as AWS itself does: only so can a key begin with `aws:`."""
    backend = ec2_backends[ACCOUNT_ID][region]
    backend.do_resources_exist([resource_id])
    backend.tags[resource_id].update(tags)


def _is_action_permitted(self: IAMPolicyStatement, *args: Any, **kwargs: Any) -> PermissionResult:
    """moto ignores conditions it does not know, so the usual "deny what is not TLS" would lock everybody out.

    A request to the emulator stands for one over TLS: a statement that holds without TLS only never holds.
    """
    for key, value in self._statement.get("Condition", {}).get("Bool", {}).items():
        if key.lower() == "aws:securetransport" and str(value).lower() == "false":
            return PermissionResult.NEUTRAL
    return _judge(self, *args, **kwargs)


def _get_param(self: EC2BaseResponse, param_name: str, if_none: Any = None) -> Any:
    """moto lets everybody set and delete the tags that AWS keeps for itself."""
    value = _parameter(self, param_name, if_none)
    if param_name in ("Tags", "TagSpecification", "TagSpecifications"):
        tags = value if param_name == "Tags" else [tag for spec in value or () for tag in spec.get("Tags", ())]
        if any(str(tag.get("Key")).startswith("aws:") for tag in tags or ()):
            raise EC2ClientError("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
    return value


IAMPolicyStatement.is_action_permitted = _is_action_permitted
EC2BaseResponse._get_param = _get_param
