"""What the pack sees and cannot judge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase

from pack.rule import Level, Severity, Situation, StackResource, rule
from pack.values import in_words

_UNJUDGED = {
    "aws-native:*": "AWS Cloud Control",
    "awscc:*": "AWS Cloud Control",
    "aws:cloudcontrol/*": "AWS Cloud Control",
    "aws:cloudformation/*": "CloudFormation",
    "aws:serverlessrepository/*": "CloudFormation",
    "aws:servicecatalog/provisionedProduct:ProvisionedProduct": "CloudFormation",
    "command:*": "commands",
}
"""Packages and types that make what the rules speak of in other types, by what they are."""


@rule(
    "report-unjudged-types",
    "Whatever makes resources of AWS or Kubernetes is of a type that the rules know.",
    severity=Severity.MEDIUM,
    level=Level.ADVISORY,
    production_level=Level.ADVISORY,
    remediation="use the types of the packages aws and kubernetes, or review these by hand",
    link="https://www.pulumi.com/registry/packages/aws-native/",
)
def report_unjudged_types(
    resources: Sequence[StackResource], _: Situation
) -> Iterator[tuple[StackResource | None, str]]:
    found: dict[str, Counter[str]] = {}
    for one in resources:
        for pattern, what in _UNJUDGED.items():
            if fnmatchcase(one.resource_type, pattern) and not _is_ours(one):
                found.setdefault(what, Counter())[one.resource_type] += 1
    for what, types in found.items():
        number = sum(types.values())
        listed = in_words([f"{kind} ({times})" for kind, times in sorted(types.items())])
        yield None, f"no rule judges {number} resource{'' if number == 1 else 's'} of {what}: {listed}"


def _is_ours(resource: StackResource) -> bool:
    """Whether it is part of a component of this project, whose commands drain load balancers and make nothing."""
    return resource.urn.split("::")[2].startswith("eks-analytics:index:")
