"""Actions with which a holder gets rights, secrets or shells that the policy does not speak of.

Those on IAM are of the access level "Permissions management" and bind rights or credentials to somebody:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_identityandaccessmanagementiam.html
The others are known ways to the same end: https://github.com/RhinoSecurityLabs/AWS-IAM-Privilege-Escalation
Some take what then runs with a role that is attached already: `buildspecOverride` of StartBuild, `JobUpdate` of
UpdateJob, `TemplateBody` of UpdateStack, `definition` of UpdateStateMachine, `UserData` of ModifyInstanceAttribute in
the service models of AWS.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from .arns import matches, names_resource, parse
from .documents import Statement


@dataclass(frozen=True)
class Effect:
    """Actions that do the same."""

    what: str
    """What the holder can do, and to whom when nothing is named."""
    actions: tuple[str, ...]
    services: tuple[str, ...]
    """Whose resources the actions act on: `ssm:SendCommand` runs on an instance of EC2."""
    others: tuple[str, ...] = ()
    """Kinds of resources that the actions need as well, and that say nothing of the target: a document to run."""


def _of(service: str, names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names.split())


EFFECTS = (
    Effect(
        "changes the rights of every role, user, group or policy",
        _of(
            "iam",
            "AddClientIDToOpenIDConnectProvider AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy "
            "AttachRolePolicy AttachUserPolicy CreateOpenIDConnectProvider CreatePolicyVersion CreateSAMLProvider "
            "DeleteRolePermissionsBoundary DeleteRolePolicy DeleteUserPermissionsBoundary DeleteUserPolicy "
            "DetachRolePolicy DetachUserPolicy PutGroupPolicy PutRolePermissionsBoundary PutRolePolicy "
            "PutUserPermissionsBoundary PutUserPolicy SetDefaultPolicyVersion UpdateAssumeRolePolicy "
            "UpdateOpenIDConnectProviderThumbprint UpdateSAMLProvider",
        ),
        ("iam",),
    ),
    Effect(
        "makes credentials of every user",
        _of(
            "iam",
            "CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential DeactivateMFADevice "
            "ResetServiceSpecificCredential UpdateAccessKey UpdateLoginProfile UploadSSHPublicKey "
            "UploadSigningCertificate",
        ),
        ("iam",),
    ),
    Effect(
        "makes, changes or deletes every role, user, group or policy",
        _of(
            "iam",
            "CreateAccountAlias CreateGroup CreateInstanceProfile CreatePolicy CreateRole CreateUser DeleteAccessKey "
            "DeleteAccountAlias DeleteAccountPasswordPolicy DeleteGroup DeleteGroupPolicy DeleteInstanceProfile "
            "DeleteLoginProfile DeleteOpenIDConnectProvider DeletePolicy DeletePolicyVersion DeleteRole "
            "DeleteSAMLProvider DeleteSSHPublicKey DeleteServerCertificate DeleteServiceSpecificCredential "
            "DeleteSigningCertificate DeleteUser DetachGroupPolicy EnableMFADevice "
            "RemoveClientIDFromOpenIDConnectProvider RemoveRoleFromInstanceProfile RemoveUserFromGroup "
            "ResyncMFADevice SetSecurityTokenServicePreferences "
            "UpdateAccountPasswordPolicy UpdateGroup UpdateRole UpdateRoleDescription UpdateSSHPublicKey "
            "UpdateServerCertificate UpdateServiceSpecificCredential UpdateSigningCertificate UpdateUser "
            "UploadServerCertificate",
        ),
        ("iam",),
    ),
    Effect("takes every role", ("sts:AssumeRole",), ("iam",)),
    Effect(
        "gives rights in every cluster",
        _of("eks", "AssociateAccessPolicy CreateAccessEntry UpdateAccessEntry"),
        ("eks",),
    ),
    Effect(
        "gives every key away, or destroys it",
        _of("kms", "CreateGrant DisableKey PutKeyPolicy ScheduleKeyDeletion"),
        ("kms",),
    ),
    Effect(
        "reads every secret",
        (
            "secretsmanager:GetSecretValue",
            *_of("ssm", "GetParameter GetParameterHistory GetParameters GetParametersByPath"),
        ),
        ("secretsmanager", "ssm"),
    ),
    Effect(
        "signs in to every database",
        ("rds-db:connect", "redshift:GetClusterCredentials", "redshift-serverless:GetCredentials"),
        ("rds-db", "redshift", "redshift-serverless"),
    ),
    Effect("opens every secret to others", ("secretsmanager:PutResourcePolicy",), ("secretsmanager",)),
    Effect(
        "runs commands on every instance or task",
        (
            *_of("ssm", "CreateAssociation ResumeSession SendCommand StartSession UpdateAssociation"),
            *_of("ec2-instance-connect", "SendSSHPublicKey SendSerialConsoleSSHPublicKey"),
            "ecs:ExecuteCommand",
        ),
        ("ec2", "ecs", "ssm"),
        ("association", "automation-definition", "document", "session"),
    ),
    Effect(
        "changes or opens every function",
        _of("lambda", "AddPermission UpdateFunctionCode UpdateFunctionConfiguration"),
        ("lambda",),
    ),
    Effect(
        "runs code with the role of every build project, job, notebook, stack, state machine or instance",
        (
            *_of("codebuild", "StartBuild StartBuildBatch UpdateProject"),
            *_of("glue", "UpdateDevEndpoint UpdateJob"),
            *_of("sagemaker", "CreatePresignedDomainUrl CreatePresignedNotebookInstanceUrl"),
            *_of("cloudformation", "ExecuteChangeSet UpdateStack"),
            "states:UpdateStateMachine",
            *_of("ec2", "AssociateIamInstanceProfile ModifyInstanceAttribute ReplaceIamInstanceProfileAssociation"),
        ),
        ("codebuild", "glue", "sagemaker", "cloudformation", "states", "ec2"),
        ("security-group", "volume"),
    ),
)


def reached_everywhere(statement: Statement) -> Iterator[tuple[str, list[str]]]:
    """Effect and actions of what a statement allows on all that an account has, with no condition that says on which.
    The actions are as the statement has them, with their wildcards."""
    if not statement.allows or any(one.narrows_to_a_target for one in statement.conditions):
        return
    for effect in EFFECTS:
        is_for_all = statement.all_but_resources or any(_is_all(one, effect) for one in statement.resources)
        if is_for_all and (found := list(_given(statement, effect))):
            yield effect.what, found


def _given(statement: Statement, effect: Effect) -> Iterator[str]:
    if statement.all_but_actions:
        yield from islice(filter(statement.includes, effect.actions), 1)
    else:
        yield from (one for one in statement.actions if any(matches(one, action) for action in effect.actions))


def _is_all(resource: str, effect: Effect) -> bool:
    arn = parse(resource)
    is_meant = any(matches(arn.service, service) for service in effect.services) and arn.kind not in effect.others
    return is_meant and not names_resource(resource)
