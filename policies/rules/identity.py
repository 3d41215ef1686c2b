"""IAM: what roles may do, and who may take them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from pack.documents import Statement, allowed, changes_something, size
from pack.kinds import ROLE
from pack.rule import Level, Parameter, Resource, Severity, Situation, fewer, more, rule
from pack.values import apart, has, in_words, items

_MANAGED = "aws:iam/policy:Policy"
_INLINE = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy")
_POLICIES = (_MANAGED, *_INLINE, ROLE)
_ATTACHMENTS = (
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    "aws:iam/userPolicyAttachment:UserPolicyAttachment",
    "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/policyAttachment:PolicyAttachment",
    "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive",
)
_SHARED = (
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "aws:kms/key:Key",
    "aws:kms/keyPolicy:KeyPolicy",
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketPolicy:BucketPolicy",
    "aws:secretsmanager/secret:Secret",
    "aws:secretsmanager/secretPolicy:SecretPolicy",
    "aws:sns/topic:Topic",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sqs/queue:Queue",
    "aws:sqs/queuePolicy:QueuePolicy",
)
_PERMISSION = "aws:lambda/permission:Permission"
_PASSING = "iam:PassRole"
_BY_SAML, _BY_WEB_IDENTITY = "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"
_SIZES = {_MANAGED: 6144, _INLINE[1]: 2048, _INLINE[2]: 5120}


def _documents(resource: Resource) -> Iterator[str]:
    """The permission policies of a resource, as JSON text."""
    if resource.resource_type == ROLE:
        yield from apart(items(resource.props, "inlinePolicies"), lambda one: iter([_text(one.get("policy") or "{}")]))
    else:
        yield _text(resource.props["policy"])


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _statements(resource: Resource) -> Iterator[Statement]:
    return (statement for document in _documents(resource) for statement in allowed(document))


def _is_administrator(statement: Statement) -> bool:
    everything = statement.all_but_actions or "*" in statement.actions or "*:*" in statement.actions
    return everything and statement.about_everything


@rule(
    "refuse-administrator-policies",
    "No policy allows everything on everything.",
    severity=Severity.CRITICAL,
    types=_POLICIES,
    remediation="list the actions and resources that are needed",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
)
def refuse_administrator_policies(resource: Resource, _: Situation) -> Iterator[str]:
    for statement in _statements(resource):
        if _is_administrator(statement):
            yield f"{statement} allows *:*"


@rule(
    "limit-mutating-actions",
    "Actions that change something name their resources, or a condition limits them.",
    severity=Severity.HIGH,
    types=_POLICIES,
    remediation='name the resources, or add a condition on tags or the region, in place of "Resource": "*"',
    link="https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
    parameters={
        "exempt": Parameter(
            ["ec2messages:*", "ssmmessages:*", "xray:PutTelemetryRecords", "xray:PutTraceSegments"],
            "actions, with * and ?, for which AWS knows no resources",
            tighter=fewer,
        )
    },
)
def limit_mutating_actions(resource: Resource, situation: Situation) -> Iterator[str]:
    exempt = [action.lower() for action in (_PASSING, *situation["exempt"])]  # passing roles has a rule of its own
    for statement in _statements(resource):
        if not statement.about_all_of_a_service or any(statement.narrowing()) or _is_administrator(statement):
            continue
        actions = [
            action
            for action in (["all actions but some"] if statement.all_but_actions else statement.actions)
            if changes_something(action) and not any(fnmatchcase(action.lower(), pattern) for pattern in exempt)
        ]
        if actions:
            limit = "with conditions that limit nothing" if statement.conditions else "without a condition"
            yield f"{statement} allows {in_words(actions)} on all resources {limit}"


@rule(
    "limit-trust",
    "A role is trusted to services and named principals; federated ones by audience and subject.",
    severity=Severity.CRITICAL,
    types=(ROLE,),
    remediation="compare :aud and :sub of the identity provider, or name the principal",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html",
)
def limit_trust(resource: Resource, _: Situation) -> Iterator[str]:
    for statement in allowed(_text(resource.props["assumeRolePolicy"])):
        if statement.is_for_everybody:
            yield f"{statement} trusts everybody"
        if not statement.principals.get("Federated"):
            continue
        if not statement.compared(":aud"):
            yield f"{statement} compares no audience (:aud)"
        if statement.includes(_BY_SAML) and not statement.includes(_BY_WEB_IDENTITY):
            continue  # what SAML asserts has no subject that AWS compares
        subjects = statement.compared(":sub")
        if not subjects:
            yield f"{statement} compares no subject (:sub)"
        yield from (f"{statement} trusts {one}, so anybody" for one in subjects if not _names_somebody(one))


def _names_somebody(subject: str) -> bool:
    """Whether the owner of a repository, or the namespace of a service account, is written out."""
    for kind in ("system:", "serviceaccount:", "repo:", "project_path:"):
        subject = subject.removeprefix(kind)
    owner = re.split("[:/]", subject)[0]
    return bool(owner) and not {"*", "?"} & set(owner)


@rule(
    "refuse-public-resource-policies",
    "No policy of a bucket, key, queue, topic, secret, repository or function lets everybody in.",
    severity=Severity.CRITICAL,
    types=(*_SHARED, _PERMISSION),
    remediation="name the principal, or add a condition on aws:PrincipalOrgID, aws:SourceAccount or their like",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html#principal-anonymous",
)
def refuse_public_resource_policies(resource: Resource, _: Situation) -> Iterator[str]:
    if resource.resource_type == _PERMISSION:
        limits = ("sourceAccount", "sourceArn", "principalOrgId")
        if resource.props.get("principal") == "*" and not any(has(resource.props, key) for key in limits):
            yield "lets everybody call the function"
    elif given := resource.props.get("policy"):
        for statement in allowed(_text(given)):
            if statement.is_for_everybody:
                yield f"{statement} lets everybody in"


@rule(
    "limit-pass-role",
    "Who may pass a role may pass it to named services only.",
    severity=Severity.HIGH,
    types=_POLICIES,
    remediation="add the condition iam:PassedToService",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
)
def limit_pass_role(resource: Resource, _: Situation) -> Iterator[str]:
    for statement in _statements(resource):
        if not statement.includes(_PASSING) or _is_administrator(statement):
            continue
        if not statement.compared("iam:passedtoservice"):
            yield f"{statement} allows iam:PassRole to any service"


@rule(
    "refuse-full-access-policies",
    "No managed policy with full access is attached.",
    severity=Severity.HIGH,
    types=(*_ATTACHMENTS, ROLE),
    remediation="attach a policy with the actions that are needed",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
    parameters={
        "patterns": Parameter(
            ["*FullAccess*", "AdministratorAccess*", "PowerUserAccess"], "names that are refused", tighter=more
        )
    },
)
def refuse_full_access_policies(resource: Resource, situation: Situation) -> Iterator[str]:
    def named(arn: str) -> Iterator[str]:
        name = arn.rpartition("/")[2]
        if ":aws:policy/" in arn and any(fnmatchcase(name, pattern) for pattern in situation["patterns"]):
            yield f"attaches {name}"

    for key in ("policyArn", "policyArns", "managedPolicyArns"):
        yield from apart(items(resource.props, key), named)


@rule(
    "limit-policy-size",
    "Policies keep within IAM's sizes: 6,144 characters managed; inline 10,240 for roles, 5,120 for groups, 2,048 for "
    "users; 2,048 of trust.",
    severity=Severity.LOW,
    types=_POLICIES,
    remediation="split the policy, or use wildcards for names that belong together",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
)
def limit_policy_size(resource: Resource, _: Situation) -> Iterator[str]:
    most = _SIZES.get(resource.resource_type, 10240)
    total = sum(map(size, _documents(resource)))
    if total > most:
        yield f"its policy has {total} characters, {most} are possible"
    if resource.resource_type == ROLE and (trust := size(_text(resource.props["assumeRolePolicy"]))) > 2048:
        yield f"its trust policy has {trust} characters, 2048 are possible"


@rule(
    "refuse-static-keys",
    "Nobody gets an access key: what runs has a role.",
    severity=Severity.HIGH,
    level=Level.ADVISORY,
    types=("aws:iam/accessKey:AccessKey",),
    remediation="use Pod Identity or an instance profile; where neither reaches, waive this rule for the key",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-workloads-use-roles",
)
def refuse_static_keys(resource: Resource, _: Situation) -> Iterator[str]:
    user = re.sub(r"[^\w+=,.@-]", "", str(resource.props.get("user")))
    yield f"a key of user {user} that never ends"
