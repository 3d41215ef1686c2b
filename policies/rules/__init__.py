"""All rules, one module a subject."""

from types import ModuleType

from pack.rule import Rule

from . import (
    access,
    backups,
    clusters,
    hosts,
    identity,
    karpenter,
    network,
    releases,
    resource_policies,
    storage,
    tenancy,
)

SUBJECTS: tuple[ModuleType, ...] = (
    network,
    hosts,
    clusters,
    access,
    identity,
    resource_policies,
    storage,
    karpenter,
    releases,
    backups,
    tenancy,
)
RULES: tuple[Rule, ...] = tuple(
    value for subject in SUBJECTS for value in vars(subject).values() if isinstance(value, Rule)
)

__all__ = ["RULES", "SUBJECTS"]
