"""IAM: what roles may do, and who may take them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from typing import Any

from pack.arns import has_wildcard
from pack.documents import Document, Statement, allowed, changes_something, size
from pack.kinds import ROLE
from pack.published import published_in
from pack.rule import Level, Parameter, Resource, Severity, Situation, fewer, more, rule
from pack.sensitive import reached_everywhere
from pack.values import apart, in_words, items

_MANAGED = "aws:iam/policy:Policy"
_INLINE = ("aws:iam/rolePolicy:RolePolicy", "aws:iam/userPolicy:UserPolicy", "aws:iam/groupPolicy:GroupPolicy")
_PERMISSION_SET = "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy"
_SIZED = (_MANAGED, *_INLINE, ROLE)
_POLICIES = (*_SIZED, _PERMISSION_SET)
_ATTACHMENTS = (
    "aws:iam/*olicyAttachment*",  # of a role, user or group, and of all three; one, or all that there may be
    "aws:quicksight/iamPolicyAssignment:IamPolicyAssignment",
    "aws:ssoadmin/managedPolicyAttachment*",
)
_PASSING = "iam:PassRole"
_BY_SAML, _BY_WEB_IDENTITY = "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"
_BY_COGNITO = "cognito-identity.amazonaws.com"
_SIZES = {_MANAGED: 6144, _INLINE[1]: 2048, _INLINE[2]: 5120}


def _documents(resource: Resource) -> Iterator[Document]:
    """The permission policies of a resource."""
    props = resource.props
    if resource.resource_type == ROLE:
        yield from apart(items(props, "inlinePolicies"), _inline)
    else:
        yield props["inlinePolicy" if resource.resource_type == _PERMISSION_SET else "policy"]


def _inline(policy: Any) -> Iterator[Document]:
    if document := policy.get("policy"):
        yield document


def _each_statement(resource: Resource, judge: Callable[[Statement], Iterator[str]]) -> Iterator[str]:
    for document in _documents(resource):
        for statement in allowed(document):
            yield from judge(statement)


@rule(
    "refuse-administrator-policies",
    "No policy allows everything on everything.",
    severity=Severity.CRITICAL,
    types=_POLICIES,
    remediation="list the actions and resources that are needed",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
)
def refuse_administrator_policies(resource: Resource, _: Situation) -> Iterator[str]:
    def judged(statement: Statement) -> Iterator[str]:
        if statement.is_administrative:
            yield f"{statement} allows *:*"

    return _each_statement(resource, judged)


@rule(
    "limit-sensitive-actions",
    "Actions that hand out rights, secrets or shells name the roles, secrets or instances that they are for.",
    severity=Severity.CRITICAL,
    types=_POLICIES,
    remediation="name the resources, or compare a tag of theirs, iam:PermissionsBoundary or iam:PolicyARN; conditions "
    "on the caller, the time or the network do not limit what is reached",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
)
def limit_sensitive_actions(resource: Resource, _: Situation) -> Iterator[str]:
    def judged(statement: Statement) -> Iterator[str]:
        if not statement.is_administrative:
            yield from (f"{statement} {what} ({in_words(given)})" for what, given in reached_everywhere(statement))

    return _each_statement(resource, judged)


@rule(
    "limit-mutating-actions",
    "Actions that change something name their resources, or a condition limits them.",
    severity=Severity.HIGH,
    types=_POLICIES,
    remediation='name the resources, or add a condition on tags or the region, in place of "Resource": "*"',
    link="https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html",
    parameters={
        "exempt": Parameter(
            [
                "aps:RemoteWrite",
                "autoscaling:CompleteLifecycleAction",
                "cloudwatch:PutMetricData",
                "ec2messages:*",
                "ecr:BatchImportUpstreamImage",
                "eks-auth:AssumeRoleForPodIdentity",
                "iam:CreateServiceLinkedRole",
                "kms:GenerateRandom",
                "logs:*LogDelivery",
                "logs:CreateLogGroup",
                "logs:CreateLogStream",
                "logs:PutLogEvents",
                "logs:PutRetentionPolicy",
                "logs:StartLiveTail",
                "logs:StartQuery",
                "logs:StopLiveTail",
                "logs:StopQuery",
                "ssm:PutComplianceItems",
                "ssm:PutConfigurePackageResult",
                "ssm:PutInventory",
                "ssm:Update*AssociationStatus",
                "ssm:UpdateInstanceInformation",
                "ssmmessages:*",
                "support:AddAttachmentsToSet",
                "support:AddCommunicationToCase",
                "support:CreateCase",
                "support:ResolveCase",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            "actions, with * and ?, that write or query logs and metrics, speak for the caller or know no resources",
            tighter=fewer,
        )
    },
)
def limit_mutating_actions(resource: Resource, situation: Situation) -> Iterator[str]:
    exempt = [action.lower() for action in (_PASSING, *situation["exempt"])]  # passing roles has a rule of its own

    def unlimited(statement: Statement) -> list[str]:
        if not statement.about_all_of_a_service or statement.is_narrowed or statement.is_administrative:
            return []
        sensitive = {action for _, given in reached_everywhere(statement) for action in given}  # so have these
        return [
            action
            for action in (["all actions but some"] if statement.all_but_actions else statement.actions)
            if changes_something(action)
            and not any(fnmatchcase(action.lower(), pattern) for pattern in exempt)
            and action not in sensitive
        ]

    for document in _documents(resource):
        found = [(statement, unlimited(statement)) for statement in allowed(document)]
        published = published_in([action.lower() for _, actions in found for action in actions])
        for statement, all_actions in found:
            if actions := [action for action in all_actions if action.lower() not in published]:
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
    for statement in allowed(resource.props["assumeRolePolicy"]):
        if statement.is_for_everybody:
            yield f"{statement} trusts everybody"
        elif statement.principals.get("Federated"):
            yield from _trusted_by_federation(statement)


def _trusted_by_federation(statement: Statement) -> Iterator[str]:
    audiences, subjects = statement.compared(":aud"), statement.compared(":sub")
    of_gitlab = bool(subjects) and all(one.startswith("project_path:") for one in subjects)
    # https://docs.gitlab.com/ci/cloud_services/aws/ compares the subject only; IAM's provider lists its audiences.
    if not audiences and not of_gitlab:
        yield f"{statement} compares no audience (:aud)"
    yield from (f"{statement} accepts any audience like {one}" for one in audiences if has_wildcard(one))
    if statement.includes(_BY_SAML) and not statement.includes(_BY_WEB_IDENTITY):
        return  # what SAML asserts has no subject that AWS compares
    if set(statement.principals["Federated"]) == {_BY_COGNITO}:
        return  # the audience is the identity pool, and who may be in it is the pool's to say
    if not subjects:
        yield f"{statement} compares no subject (:sub)"
    yield from (f"{statement} trusts {one}, so anybody" for one in subjects if not _names_somebody(one))


def _names_somebody(subject: str) -> bool:
    """Whether the repository, or the namespace of a service account, is written out.

    Anybody may have a namespace, and everybody in an organization a repository, whose name matches a wildcard.
    https://docs.github.com/en/actions/reference/security/oidc
    https://docs.gitlab.com/ci/secrets/id_token_authentication/
    """
    kind, _, rest = subject.partition(":")
    if kind in ("repo", "project_path"):
        repository = rest.partition(":")[0]
        return "/" in repository and not has_wildcard(repository)
    if kind.startswith("repository_owner"):
        return False  # all that the owner has
    for kind in ("system:", "serviceaccount:", "organization:", "org/"):
        subject = subject.removeprefix(kind)
    owner = re.split("[:/]", subject)[0]
    return bool(owner) and not has_wildcard(owner)


@rule(
    "limit-pass-role",
    "Who may pass a role may pass it to named services only.",
    severity=Severity.HIGH,
    types=_POLICIES,
    remediation="add the condition iam:PassedToService",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html",
)
def limit_pass_role(resource: Resource, _: Situation) -> Iterator[str]:
    def judged(statement: Statement) -> Iterator[str]:
        if statement.includes(_PASSING) and statement.acts_on("iam") and not statement.is_administrative:
            services = statement.compared("iam:passedtoservice")
            if not services or any(has_wildcard(service.partition(".")[0]) for service in services):
                yield f"{statement} allows iam:PassRole to any service"

    return _each_statement(resource, judged)


@rule(
    "refuse-full-access-policies",
    "No attached managed policy grants full access or reads every secret.",
    severity=Severity.HIGH,
    types=(*_ATTACHMENTS, ROLE),
    remediation="attach a policy with the actions that are needed",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html",
    parameters={
        "patterns": Parameter(
            [
                "*FullAccess*",
                "AdministratorAccess*",
                "PowerUserAccess",
                "*Administrator",
                "AmazonEC2RoleforSSM",
                "SecretsManagerReadWrite",
            ],
            "names that are refused",
            tighter=more,
        )
    },
)
def refuse_full_access_policies(resource: Resource, situation: Situation) -> Iterator[str]:
    def named(arn: str) -> Iterator[str]:
        name = arn.rpartition("/")[2]
        if ":aws:policy/" in arn and any(fnmatchcase(name, pattern) for pattern in situation["patterns"]):
            yield f"attaches {name}"

    for key in ("policyArn", "policyArns", "managedPolicyArn", "managedPolicyArns"):
        yield from apart(items(resource.props, key), named)


@rule(
    "limit-administrators",
    "Nobody becomes a member of a group of administrators in passing.",
    severity=Severity.HIGH,
    types=("aws:iam/groupMembership:GroupMembership", "aws:iam/userGroupMembership:UserGroupMembership"),
    remediation="give people a role for the task through IAM Identity Center, or waive this rule for the membership",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#bp-users-federation-idp",
    parameters={
        "groups": Parameter(
            ["*admin*", "*poweruser*", "*root*"], "names of groups, in lower case, that are refused", tighter=more
        )
    },
)
def limit_administrators(resource: Resource, situation: Situation) -> Iterator[str]:
    def judged(group: str) -> Iterator[str]:
        if any(fnmatchcase(group.lower(), pattern) for pattern in situation["groups"]):
            yield f"adds to the group {group}"

    for key in ("group", "groups"):
        yield from apart(items(resource.props, key), judged)


@rule(
    "limit-policy-size",
    "Policies keep within IAM's sizes: 6,144 characters managed; inline 10,240 for roles, 5,120 for groups, 2,048 for "
    "users; 2,048 of trust.",
    severity=Severity.LOW,
    types=_SIZED,
    remediation="split the policy, or use wildcards for names that belong together",
    link="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html",
)
def limit_policy_size(resource: Resource, _: Situation) -> Iterator[str]:
    most = _SIZES.get(resource.resource_type, 10240)
    total = sum(map(size, _documents(resource)))
    if total > most:
        yield f"its policy has {total} characters, {most} are possible"
    if resource.resource_type == ROLE and (trust := size(resource.props["assumeRolePolicy"])) > 2048:
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
