"""All rules, one module a subject."""

from types import ModuleType

from pack.rule import Rule

from . import (
    access,
    backups,
    clusters,
    coverage,
    hosts,
    identity,
    karpenter,
    load_balancers,
    network,
    releases,
    resource_policies,
    settings,
    storage,
    stores,
    tenancy,
)

SUBJECTS: tuple[ModuleType, ...] = (
    network,
    load_balancers,
    hosts,
    settings,
    clusters,
    access,
    identity,
    resource_policies,
    storage,
    stores,
    karpenter,
    releases,
    backups,
    tenancy,
    coverage,
)
RULES: tuple[Rule, ...] = tuple(
    value for subject in SUBJECTS for value in vars(subject).values() if isinstance(value, Rule)
)

__all__ = ["RULES", "SUBJECTS"]
