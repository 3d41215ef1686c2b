"""What a preview says, as plain data: steps, outputs, messages and the verdict of the policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pulumi.automation import events

from sandbox.disruption import Disruptions
from sandbox.report import STACK, action_of, is_aftermath, is_half_of_replacement, note
from sandbox.verdict import Verdict

_REFUSED = ("preview failed", "update failed")  # what the engine says where policies refuse; the verdict says more
_HANDLED_TWICE = "an unhandled error occurred: "  # the Automation API reports a program's own error a second time


@dataclass(frozen=True)
class Step:
    """What happens to one resource."""

    action: str
    type: str
    name: str
    before: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Inputs that it was made of."""
    after: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Inputs that it is to be made of."""
    changed: Sequence[str] = ()
    """Top-level inputs that differ, as the provider judges."""
    forcing: Sequence[str] = ()
    """Those of them for which it is replaced."""


@dataclass
class Plan:
    """Takes the engine's events."""

    steps: list[Step] = field(default_factory=list[Step])
    counts: Counter[str] = field(default_factory=Counter[str])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    errors: list[str] = field(default_factory=list[str])
    warnings: list[str] = field(default_factory=list[str])
    verdict: Verdict = field(default_factory=Verdict)
    disruptions: Disruptions = field(default_factory=Disruptions)

    def on_event(self, event: events.EngineEvent) -> None:
        if event.resource_pre_event:
            self._add(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._end(event.res_outputs_event.metadata)
        elif event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.policy_event:
            self.verdict.add(event.policy_event)

    def _add(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type == STACK or is_half_of_replacement(metadata):
            return
        note(self.disruptions, metadata)
        action = action_of(metadata)
        self.counts["unchanged" if action == "same" else action] += 1
        if action == "same":
            return
        paths = [*(metadata.detailed_diff or metadata.diffs or [])]
        self.steps.append(
            Step(
                action,
                metadata.type,
                metadata.urn.rsplit("::", 1)[-1],
                (metadata.old.inputs if metadata.old else None) or {},
                (metadata.new.inputs if metadata.new else None) or {},
                _keys(paths),
                _keys(metadata.keys or []),
            )
        )

    def _end(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type == STACK:
            self.outputs = (metadata.new.outputs if metadata.new else None) or self.outputs

    def _diagnose(self, diagnostic: events.DiagnosticEvent) -> None:
        text = diagnostic.message.replace("<{%reset%}>", "").strip().removeprefix(_HANDLED_TWICE)
        said = {"error": self.errors, "warning": self.warnings}.get(diagnostic.severity)
        if said is None or not text or diagnostic.ephemeral or is_aftermath(text):
            return
        if text in _REFUSED and self.verdict.refuses:
            return
        urn = diagnostic.urn or ""
        line = text if not urn or STACK in urn else f"{urn.rsplit('::', 1)[-1]}: {text}"
        if line not in said:
            said.append(line)


def _keys(paths: Sequence[str]) -> list[str]:
    """The top-level names of property paths such as `vpcConfig.publicAccessCidrs[0]`."""
    return sorted({path.split(".")[0].split("[")[0] for path in paths})
