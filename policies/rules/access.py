"""Who may do what in the cluster: access entries, and bindings of roles in Kubernetes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pulumi_policy.proxy import UnknownValueError

from pack.arns import has_wildcard
from pack.objects import Object, kinds, objects
from pack.rule import Properties, Resource, Severity, Situation, StackResource, rule
from pack.values import apart, block, in_words, items

_RBAC = "rbac.authorization.k8s.io/"
_BINDINGS, _ROLES = ("ClusterRoleBinding", "RoleBinding"), ("ClusterRole", "Role")
_ENTRY, _ASSOCIATION = "aws:eks/accessEntry:AccessEntry", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"

_EVERYBODY = ("system:anonymous", "system:authenticated", "system:unauthenticated")
_FOR_EVERYBODY = (
    "system:basic-user",
    "system:discovery",
    "system:public-info-viewer",
    "system:service-account-issuer-discovery",
)
"""Roles of Kubernetes that are meant for everybody.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles"""
_HANDS_OUT_RIGHTS = ("bind", "escalate", "impersonate")
"""https://kubernetes.io/docs/concepts/security/rbac-good-practices/#privilege-escalation-risks"""
_POWERFUL = {
    "admin": "hand out rights",
    "cluster-admin": "do everything",
    "edit": "run pods as any service account",
}
"""https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles"""
_ADMINISTRATORS = "system:masters"
_ADMIN_POLICIES = ("AmazonEKSAdminPolicy", "AmazonEKSClusterAdminPolicy")


def _of_rbac(resource: Resource, names: Sequence[str]) -> list[Object]:
    return [one for one in objects(resource) if one.kind in names and one.api.startswith(_RBAC)]


def _subjects(binding: Object) -> Iterator[tuple[str, str]]:
    """Kind and name of each."""
    yield from apart(items(binding.body, "subjects"), lambda one: iter([(str(one.get("kind")), str(one.get("name")))]))


@rule(
    "refuse-bindings-for-everybody",
    "No role is bound to anonymous users, nor to all who can sign in.",
    severity=Severity.CRITICAL,
    types=kinds(*_BINDINGS),
    remediation="name the users, groups or service accounts",
    link="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
)
def refuse_bindings_for_everybody(resource: Resource, _: Situation) -> Iterator[str]:
    for binding in _of_rbac(resource, _BINDINGS):
        role = block(binding.body, "roleRef").get("name")
        if role not in _FOR_EVERYBODY:
            yield from (f"binds {role} to {name}" for _kind, name in _subjects(binding) if name in _EVERYBODY)


@rule(
    "limit-service-accounts",
    "No default service account, and no group of them all, administers the cluster.",
    severity=Severity.CRITICAL,
    remediation="make a service account for the workload, and bind it to a role with the verbs that it needs",
    link="https://kubernetes.io/docs/concepts/security/rbac-good-practices/",
)
def limit_service_accounts(
    resources: Sequence[StackResource], _: Situation
) -> Iterator[tuple[StackResource | None, str]]:
    roles = [(one, role) for one in resources if _may_be(one, _ROLES) for role in _of_rbac(one, _ROLES)]

    def judged(resource: StackResource) -> Iterator[tuple[StackResource | None, str]]:
        for binding in _of_rbac(resource, _BINDINGS):
            for kind, name in _subjects(binding):
                if _is_shared_account(kind, name) and (why := _why_powerful(binding, roles)):
                    yield resource, f"{name} may {why}"

    yield from apart([one for one in resources if _may_be(one, _BINDINGS)], judged)


def _may_be(resource: Resource, names: Sequence[str]) -> bool:
    return any(fnmatchcase(resource.resource_type, kind) for kind in kinds(*names))


def _is_shared_account(kind: str, name: str) -> bool:
    if kind == "ServiceAccount":
        return name == "default"
    return (
        name == "system:serviceaccounts"
        or name.startswith("system:serviceaccounts:")
        or (name.startswith("system:serviceaccount:") and name.endswith(":default"))
    )


def _why_powerful(binding: Object, roles: Sequence[tuple[Resource, Object]]) -> str:
    """What its role lets a subject do that nobody should in passing; empty where it is nothing such."""
    reference = block(binding.body, "roleRef")
    name = reference.get("name")
    if name in _POWERFUL:
        return f"{_POWERFUL[name]} ({name})"
    kind = str(reference.get("kind"))
    for resource, role in roles:
        if role.kind == kind and (block(role.body, "metadata").get("name") or resource.name) == name:
            return next((why for one in items(role.body, "rules") if (why := _power(one))), "")
    return ""


def _power(rule: Mapping[str, Any]) -> str:
    verbs, objects = list(items(rule, "verbs")), list(items(rule, "resources"))
    if "*" in verbs and "*" in objects:
        return "do everything"
    if handed_out := [verb for verb in _HANDS_OUT_RIGHTS if verb in verbs]:
        return f"hand out rights ({in_words(handed_out)})"
    reads = {"*", "get", "list", "watch"} & set(verbs)
    return "read every secret" if reads and {"*", "secrets"} & set(objects) and not items(rule, "resourceNames") else ""


@rule(
    "limit-cluster-administrators",
    "Named roles administer the cluster, by access policies: nobody through system:masters, which nothing can revoke.",
    severity=Severity.CRITICAL,
    types=(_ENTRY, _ASSOCIATION, *kinds("ConfigMap")),
    remediation="make an access entry for each role, with an access policy such as AmazonEKSViewPolicy",
    link="https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html",
)
def limit_cluster_administrators(resource: Resource, _: Situation) -> Iterator[str]:
    props = resource.props
    if resource.resource_type not in (_ENTRY, _ASSOCIATION):
        for one in objects(resource):
            if one.is_core("ConfigMap") and block(one.body, "metadata").get("name") == "aws-auth":
                for key in ("mapRoles", "mapUsers"):
                    if _ADMINISTRATORS in str(block(one.body, "data").get(key) or ""):
                        yield f"{key} makes members of {_ADMINISTRATORS}"
        return
    groups = list(items(props, "kubernetesGroups"))
    if _ADMINISTRATORS in groups:
        yield f"makes a member of {_ADMINISTRATORS}"
    is_admin = str(props.get("policyArn") or "").rpartition("/")[2] in _ADMIN_POLICIES
    if (is_admin or groups) and (has_wildcard(principal := _principal(props)) or principal.endswith(":root")):
        yield f"gives rights to {principal}, which is no single role"


def _principal(props: Properties) -> str:
    """The ARN of who gets in; empty while it is that of a role to come, which is a single one."""
    try:
        return str(props.get("principalArn") or "")
    except UnknownValueError:
        return ""
