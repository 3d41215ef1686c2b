"""Conditions of IAM statements: to whom or to what a condition narrows its statement, if to anybody or anything.

How operators treat a key that the request does not have (`IfExists`, negated operators and `ForAllValues` hold):
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
Which values name a caller follows Amazon S3's meaning of "public":
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .arns import has_wildcard, matches, names_account, names_resource
from .networks import too_wide
from .values import items, spelled

_ACCOUNT = re.compile(r"\d{12}")
_VARIABLE_OF_RESOURCE = re.compile(r"\$\{aws:resource(account|orgid)\}", re.IGNORECASE)
"""A caller who must equal the resource's own account or organization is named by it."""
_VARIABLE_OF_CALLER = re.compile(r"\$\{aws:principal(account|orgid)\}", re.IGNORECASE)


def _each(test: Callable[[str], bool]) -> Callable[[Sequence[str]], bool]:
    return lambda values: all(map(test, values))


def _is_account(value: str) -> bool:
    return bool(_ACCOUNT.fullmatch(value) or _VARIABLE_OF_RESOURCE.fullmatch(value))


def _is_organization(value: str) -> bool:
    """Id of an organization, or a path below one, whose units may be wildcards."""
    id = value.partition("/")[0]
    return bool(_VARIABLE_OF_RESOURCE.fullmatch(value)) or (
        id.startswith("o-") and len(id) > 2 and not has_wildcard(id)
    )


def _is_network_id(value: str) -> bool:
    return value.startswith("vpc") and not has_wildcard(value)


def _is_unique_id(value: str) -> bool:
    """Id of a user, or of a role and a colon; the name of the role's session may be a wildcard."""
    id = value.partition(":")[0]
    return len(id) >= 12 and not has_wildcard(id)


def _are_networks(values: Sequence[str]) -> bool:
    try:
        return not too_wide(values)
    except ValueError:
        return False


def _is_true(value: str) -> bool:
    return value.lower() == "true"


_SOURCES: Mapping[str, Callable[[Sequence[str]], bool]] = {
    "aws:sourceaccount": _each(_is_account),
    "aws:sourcearn": _each(names_account),
    "aws:sourceorgid": _each(_is_organization),
    "aws:sourceorgpaths": _each(_is_organization),
    "aws:sourceowner": _each(_is_account),
}
"""On whose behalf a service of AWS calls."""
_CALLERS: Mapping[str, Callable[[Sequence[str]], bool]] = {
    **_SOURCES,
    "aws:principalaccount": _each(_is_account),
    "aws:principalarn": _each(names_account),
    "aws:principalorgid": _each(_is_organization),
    "aws:principalorgpaths": _each(_is_organization),
    "aws:resourceaccount": _each(lambda value: bool(_VARIABLE_OF_CALLER.fullmatch(value))),
    "aws:resourceorgid": _each(lambda value: bool(_VARIABLE_OF_CALLER.fullmatch(value))),
    "aws:sourceip": _are_networks,
    "aws:sourcevpc": _each(_is_network_id),
    "aws:sourcevpcarn": _each(names_account),
    "aws:sourcevpce": _each(_is_network_id),
    "aws:userid": _each(_is_unique_id),
    "elasticfilesystem:accessedviamounttarget": _each(_is_true),
    "elasticfilesystem:accesspointarn": _each(names_account),
    "kms:calleraccount": _each(_is_account),
    "s3:dataaccesspointaccount": _each(_is_account),
    "s3:dataaccesspointarn": _each(names_account),
    "vpc-lattice-svcs:sourcevpc": _each(_is_network_id),
    "vpc-lattice-svcs:sourcevpcowneraccount": _each(_is_account),
}
"""Keys that name accounts, organizations or networks. Neither an external id, which is no secret, nor a tag, which
everybody may give to principals of their own, names anybody."""
_IDLE = re.compile(
    r"aws:(currenttime|epochtime|multifactorauth(age|present)|principal.*|referer|securetransport|sourceidentity"
    r"|tokenissuetime|user(agent|id|name)|viaawsservice)"
)
"""They say how or when, or who the holder of the policy is: not what the statement reaches."""
_TARGETS = re.compile(
    r"aws:requesttag/.+|[a-z0-9-]+:resourcetag/.+|kms:encryptioncontext:.+|eks:policyarn"
    r"|iam:(awsservicename|permissionsboundary|policyarn)|kms:(grantisforawsresource|resourcealiases|viaservice)"
    r"|secretsmanager:(name|secretid)"
)
"""They say what a statement reaches within an account, or which rights it may hand on."""
_ADMINISTRATION = (
    "AdministratorAccess",
    "IAMFullAccess",
    "PowerUserAccess",
    "job-function/DatabaseAdministrator",
    "job-function/NetworkAdministrator",
    "job-function/SystemAdministrator",
)
"""Managed policies of AWS that are no limit: as a boundary, or among those that may be attached."""
_OWNERS = ("aws:resourceaccount", "aws:resourceorgid", "aws:resourceorgpaths")


@dataclass(frozen=True)
class Condition:
    """One test of a statement; the statement counts when all of them hold."""

    operator: str
    """In lower case, without what says how it treats sets and keys that are not there."""
    key: str
    """In lower case."""
    values: tuple[str, ...]
    """The test holds when any one of them matches."""
    if_exists: bool = False
    for_all_values: bool = False
    for_any_value: bool = False

    @property
    def is_negated(self) -> bool:
        return "not" in self.operator

    @property
    def binds(self) -> bool:
        """Whether it fails for a request without the key, and for most that have it."""
        holds_without_key = self.if_exists or self.for_all_values or self.operator == "null"
        return bool(self.values) and not self.is_negated and not holds_without_key

    @property
    def names_callers(self) -> bool:
        """Whether it holds only for callers of named accounts, organizations or networks."""
        return self.binds and self._has_values_of(_CALLERS)

    @property
    def names_sources(self) -> bool:
        """Whether it holds only for services that act on behalf of named accounts or resources."""
        return self.binds and self._has_values_of(_SOURCES)

    @property
    def names_those_left_out(self) -> bool:
        """Whether it holds for all callers but named ones, as in a `Deny` of whatever comes from elsewhere."""
        return self.is_negated and not self.for_any_value and self._has_values_of(_CALLERS)

    @property
    def leaves_services_out(self) -> bool:
        """Whether it spares AWS's own services, which call from networks of their own, in a `Deny`."""
        is_about_services = self.key in ("aws:principalisawsservice", "aws:viaawsservice")
        return is_about_services and self.operator == "bool" and self.values == ("false",)

    @property
    def narrows(self) -> bool:
        """Whether the statement reaches less with it: fewer resources, one region, calls from one network."""
        if self.operator == "null":
            return "tag/" in self.key and self.values == ("false",)
        # A key of one service is in each request that the statement is meant for: IfExists spares its other resources.
        is_there = not self.key.startswith("aws:") or self.key == "aws:requestedregion"
        if not (self.binds or (self.if_exists and is_there and not self.is_negated and not self.for_all_values)):
            return False
        if _IDLE.fullmatch(self.key) or self.key in _OWNERS:
            return False  # all that an account has is what the statement speaks of anyway
        return self._has_values_of(_CALLERS) if self.key in _CALLERS else all(map(_is_literal, self.values))

    @property
    def names_owners(self) -> bool:
        """Whether it holds only for resources of named accounts or organizations."""
        return self.binds and self.key in _OWNERS and all(map(_is_literal, self.values))

    @property
    def narrows_to_a_target(self) -> bool:
        """Whether it says which of an account's resources are reached, or which rights may be handed on."""
        names = _is_true if self.operator == "bool" else _names_a_target
        return self.binds and bool(_TARGETS.fullmatch(self.key)) and all(map(names, self.values))

    def _has_values_of(self, tests: Mapping[str, Callable[[Sequence[str]], bool]]) -> bool:
        test = tests.get(self.key)
        if self.key == "aws:sourceip" and "ipaddress" not in self.operator:
            return False
        return bool(test and self.values and test(self.values))


def conditions(given: Mapping[str, Any]) -> tuple[Condition, ...]:
    """Those of a statement's `Condition`."""
    found = [
        _condition(operator, key, tuple(map(spelled, items(tests, key))))
        for operator, tests in given.items()
        for key in tests
    ]
    asked_for = {one.key for one in found if one.operator == "null" and one.values == ("false",)}
    # A key that must be there makes tests strict which would hold without it.
    return tuple(
        Condition(one.operator, one.key, one.values, for_any_value=one.for_any_value) if one.key in asked_for else one
        for one in found
    )


def _condition(operator: str, key: str, values: tuple[str, ...]) -> Condition:
    qualifier, _, name = operator.lower().rpartition(":")
    return Condition(
        name.removesuffix("ifexists"),
        key.lower(),
        values,
        if_exists=name.endswith("ifexists"),
        for_all_values=qualifier == "forallvalues",
        for_any_value=qualifier == "foranyvalue",
    )


def _is_literal(value: str) -> bool:
    return bool(value.strip("*?"))


def _names_a_target(value: str) -> bool:
    if value.startswith("arn:"):
        policy = value.partition(":policy/")[2]
        return names_resource(value) and not (policy and any(matches(policy, one) for one in _ADMINISTRATION))
    return _is_literal(value.partition(".")[0])
