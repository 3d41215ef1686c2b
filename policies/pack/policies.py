"""From rules to Pulumi's policies: what is waived, what cannot be judged yet, and what a broken rule does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pulumi_policy import (
    Policy,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from .configuration import Configuration
from .kinds import STACK
from .rule import Level, Properties, Resource, Rule
from .waivers import Waiver

CONFIGURATION, SETTINGS, WAIVERS = "check-policy-configuration", "list-settings", "list-waivers"


class NotYetKnownError(UnknownValueError):
    """Something that a rule reads is known only after the update; Pulumi reports it at the level `advisory`."""

    def __init__(self, name: str, unknown: UnknownValueError) -> None:
        super().__init__(unknown.unknown_type_sentinel, unknown.props)
        self.message = f"{name}: .{'.'.join(unknown.props)} is known only after the update, which judges it"


class Pack:
    """The policies of a stack: one for each rule, one that judges the pack's own settings, two that list settings and
    waivers."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._used: dict[Waiver, None] = {}
        self._not_judged: set[str] = set()
        self._inputs: dict[str, Properties] = {}
        self.outputs: Properties | None = None
        """The stack's outputs without those that are secret, where somebody knows which are."""
        self._of_rules = {rule.id: rule for rule in rules}
        judging = [self._of_resource(rule) if rule.of_resource else self._of_stack(rule) for rule in rules]
        listing = [self._of_changes(), self._of_waivers()]  # waivers: when all are done
        self.policies: list[Policy] = [self._of_settings(), *judging, *listing]
        self.configure(Configuration())

    def configure(self, configuration: Configuration) -> None:
        """Before anything is judged."""
        self._configuration = configuration
        self._situations = {id: configuration.situation(rule) for id, rule in self._of_rules.items()}
        for policy in self.policies:
            if rule := self._of_rules.get(policy.name):
                policy.enforcement_level = configuration.level(rule)

    def refuse(self, problem: str) -> None:
        """Reports something that was set besides the stack's configuration."""
        self._configuration.problems.append(problem)

    def _of_resource(self, rule: Rule) -> Policy:
        def validate(resource: ResourceValidationArgs, report: ReportViolation) -> None:
            if rule.judges(resource.resource_type):
                assert rule.of_resource
                judged: Resource = resource
                problems = rule.of_resource(judged, self._situations[rule.id])
                self._report(rule, ((judged, problem) for problem in problems), report, resource.name)

        return _policy(ResourceValidationPolicy, rule, validate)

    def _of_stack(self, rule: Rule) -> Policy:
        def validate(stack: StackValidationArgs, report: ReportViolation) -> None:
            assert rule.of_stack
            for resource in stack.resources:
                # In a preview the engine has no outputs of what belongs to a provider that is not known yet, such as
                # that of a cluster to come.
                if not len(resource.props):
                    resource.props = self._inputs.get(resource.urn, {})
                if resource.resource_type == STACK and self.outputs is not None:
                    resource.props = self.outputs
            problems = rule.of_stack(stack.resources, self._situations[rule.id])
            self._report(rule, problems, report, "stack")

        return _policy(StackValidationPolicy, rule, validate)

    def _report(
        self, rule: Rule, problems: Iterator[tuple[Resource | None, str]], report: ReportViolation, about: str
    ) -> None:
        try:
            for resource, problem in problems:
                name, urn = (resource.name, resource.urn) if resource else ("stack", "")
                if waiver := self._configuration.waiver(rule.id, name, urn):
                    self._used[waiver] = None
                else:
                    report(f"{name}: {problem}\nTo mend it: {rule.remediation}\n{rule.link}", urn or None)
        except UnknownValueError as unknown:
            self._not_judged.add(rule.id)
            raise NotYetKnownError(about, unknown) from None
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
            # Properties of a form that the provider would refuse: not compliant, and no reason to end the engine. The
            # error itself may quote a secret.
            report(f"{about}: its properties have a form that this rule cannot judge ({type(error).__name__})", None)

    def _of_settings(self) -> Policy:
        """Judged with the stack's root, the first resource of all: `up` stops there before anything is made. It sees
        every resource, at whatever levels the rules are."""

        def validate(resource: ResourceValidationArgs, report: ReportViolation) -> None:
            self._inputs[resource.urn] = resource.props
            if resource.resource_type == STACK:
                for problem in self._configuration.problems:
                    report(problem, None)

        return ResourceValidationPolicy(
            CONFIGURATION,
            "The stack's settings of this pack are well-formed, and none of its waivers has expired.",
            validate,
            enforcement_level=Level.MANDATORY,
            severity=Severity.HIGH,
        )

    def _of_changes(self) -> Policy:
        def validate(_: StackValidationArgs, report: ReportViolation) -> None:
            for change in self._configuration.changes(self._of_rules.values()):
                report(change, None)

        return StackValidationPolicy(
            SETTINGS,
            "Every level and parameter that is not a rule's own is known to the reviewer.",
            validate,
            enforcement_level=Level.ADVISORY,
            severity=Severity.LOW,
        )

    def _of_waivers(self) -> Policy:
        def validate(_: StackValidationArgs, report: ReportViolation) -> None:
            for waiver in self._configuration.waivers:
                if waiver in self._used:
                    report(f"used: {waiver}", None)
                elif waiver.rule in self._not_judged:
                    report(f"for the update to judge: {waiver}", None)
                else:
                    report(f"not needed, so remove it: {waiver}", None)

        return StackValidationPolicy(
            WAIVERS,
            "Every waiver that is used is known to the reviewer.",
            validate,
            enforcement_level=Level.ADVISORY,
            severity=Severity.LOW,
        )


def _policy(kind: Callable[..., Policy], rule: Rule, validate: Callable[..., None]) -> Policy:
    options: dict[str, Any] = {
        "severity": rule.severity,
        "remediation_steps": rule.remediation,
        "url": rule.link,
        "tags": [rule.subject],
    }
    return kind(rule.id, rule.description, validate, **options)
