"""Shows what the engine does: a line per resource, what changes, diagnostics, outputs, counts and the time."""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from pulumi.automation import events
from rich.console import Console
from rich.markup import escape

from sandbox.disruption import Disruptions
from sandbox.tokens import short_type
from sandbox.verdict import Verdict

_PLANNED = {
    "create": ("+", "green", "create"),
    "update": ("~", "yellow", "update"),
    "replace": ("±", "magenta", "replace"),
    "delete": ("-", "red", "delete"),
    "read": (">", "cyan", "read"),
    "import": ("=", "cyan", "import"),
    "refresh": ("o", "cyan", "refresh"),
}
_DONE = {
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "delete": "deleted",
    "read": "read",
    "import": "imported",
    "refresh": "read",
}
# The engine splits a replacement into steps; people think of it as one.
_FOLDED = {
    "create-replacement": "replace",
    "delete-replaced": "delete",
    "import-replacement": "import",
    "read-replacement": "read",
    "discard": "delete",
    "discard-replaced": "delete",
}
STACK = "pulumi:pulumi:Stack"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_WIDEST_VALUE = 160
_REFUSED = ("preview failed", "update failed")  # what the engine says where policies refuse; the verdict says more
# gRPC's words for a call that the engine itself gave up, because another resource had failed or somebody interrupted:
# https://github.com/grpc/grpc-go/blob/master/clientconn.go has the second one.
_GIVEN_UP = re.compile(r"(context cancell?ed|the client connection is closing|code = Canceled\b.*)$", re.DOTALL)


class Report:
    """Takes the engine's events; `plan` tells a preview from an update."""

    def __init__(self, console: Console, plan: bool, interrupted: Callable[[], bool] = lambda: False) -> None:
        self.console, self.plan, self.interrupted = console, plan, interrupted
        self.counts: Counter[str] = Counter()
        self.errors = 0
        self._said: set[str] = set()
        self.outputs: Mapping[str, Any] = {}
        self.verdict = Verdict()
        self.disruptions = Disruptions()
        self._started = time.monotonic()
        self._begun: dict[tuple[str, str], float] = {}

    def on_event(self, event: events.EngineEvent) -> None:
        if event.resource_pre_event:
            self._pre(event.resource_pre_event.metadata)
        elif event.res_outputs_event:
            self._post(event.res_outputs_event.metadata)
        elif event.res_op_failed_event:
            metadata = event.res_op_failed_event.metadata
            self._line(metadata, "[bold red]failed[/]", "red", "x")
        elif event.diagnostic_event:
            self._diagnose(event.diagnostic_event)
        elif event.policy_event:
            self.verdict.add(event.policy_event)

    def _pre(self, metadata: events.StepEventMetadata) -> None:
        self._begun[metadata.urn, str(metadata.op.value)] = time.monotonic()
        note(self.disruptions, metadata)
        if not self.plan:
            return
        self._count(metadata)
        action = action_of(metadata)
        if metadata.type == STACK or action not in _PLANNED or is_half_of_replacement(metadata):
            return
        sign, colour, word = _PLANNED[action]
        self._line(metadata, word, colour, sign)
        for change in _changes(metadata):
            self.console.print(f"        {change}", highlight=False, soft_wrap=True)

    def _post(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type == STACK:
            self.outputs = (metadata.new.outputs if metadata.new else None) or self.outputs
        if self.plan:
            return
        self._count(metadata)
        action = action_of(metadata)
        if metadata.type == STACK or action not in _DONE or (action == "refresh" and not metadata.detailed_diff):
            return
        sign, colour, _ = _PLANNED[action]
        took = time.monotonic() - self._begun.get((metadata.urn, str(metadata.op.value)), time.monotonic())
        self._line(metadata, f"{_DONE[action]} [dim]{took:.1f} s[/]", colour, sign)

    def _count(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type != STACK and not is_half_of_replacement(metadata):
            self.counts["unchanged" if metadata.op.value in ("same", "refresh") else action_of(metadata)] += 1

    def _line(self, metadata: events.StepEventMetadata, word: str, colour: str, sign: str) -> None:
        name = metadata.urn.rsplit("::", 1)[-1]
        kind = short_type(metadata.type)
        stamp = "" if self.plan else f"[dim]{time.monotonic() - self._started:6.1f} s[/] "
        self.console.print(
            f"  {stamp}[{colour}]{sign}[/] {kind:<42} {escape(name)}  [{colour}]{word}[/]",
            highlight=False,
            soft_wrap=True,
        )

    def _diagnose(self, diagnostic: events.DiagnosticEvent) -> None:
        if diagnostic.ephemeral or diagnostic.severity == "debug" or not diagnostic.message.strip():
            return
        # The Automation API reports a program's own error a second time, as one that nobody handled.
        said = diagnostic.message.strip().removeprefix("an unhandled error occurred: ")
        ours = said.startswith("using pulumi-language-python from $PATH")
        if said in self._said or ours or is_aftermath(said) or (said in _REFUSED and self.verdict.refuses):
            return
        self._said.add(said)
        colour = {"error": "bold red", "warning": "yellow", "info#err": "red"}.get(diagnostic.severity, "")
        self.errors += diagnostic.severity == "error"
        about = diagnostic.urn.rsplit("::", 1)[-1] if diagnostic.urn and STACK not in diagnostic.urn else ""
        text = escape(diagnostic.message.strip().replace("<{%reset%}>", ""))
        word = {"error": "error: ", "warning": "warning: "}.get(diagnostic.severity, "")
        prefix = f"[{colour}]{word}[/]" if word else ""
        place = f"{escape(about)}: " if about and about != "" else ""
        self.console.print(f"  {prefix}{place}{text}", highlight=False, soft_wrap=True)

    # The end

    def show_outputs(self) -> None:
        if not self.outputs:
            return
        self.console.print("Stack outputs", style="bold")
        widest = max(map(len, self.outputs))
        shown: list[str] = []
        # What takes several lines stands at the end.
        for key, lines in sorted(((key, _lines(value)) for key, value in self.outputs.items()), key=_lengthy):
            first, *others = lines if len(lines) == 1 else ["", *(f"    {line}" for line in lines)]
            shown += [f"  {key:<{widest}}  {first}".rstrip(), *others]
        # At once, because each print takes its time.
        self.console.print(escape("\n".join(shown)), highlight=False, soft_wrap=True)

    def show_disruptions(self) -> None:
        """What is replaced, rolls and restarts, or did."""
        for effect, resources in self.disruptions.found.items():
            self.console.print(f"[bold]{escape(effect)}[/]", highlight=False, soft_wrap=True)
            for resource in resources:
                self.console.print(f"  {escape(resource)}", highlight=False, soft_wrap=True)

    def summary(self, verb: str) -> str:
        """One line: "Planned: 74 to create (2.8 s)", or "unchanged" where nothing is to be done."""
        seconds = time.monotonic() - self._started
        changed = {action: number for action, number in self.counts.items() if action != "unchanged"}
        words = {action: f"to {action}" if self.plan else _DONE.get(action, action) for action in changed}
        parts = [f"{number} {words[action]}" for action, number in changed.items()] or ["unchanged: 0 changes"]
        if self.counts["unchanged"]:
            parts.append(f"{self.counts['unchanged']} unchanged")
        return f"{verb}: {', '.join(parts)} ({seconds:.1f} s)"


def note(disruptions: Disruptions, metadata: events.StepEventMetadata) -> None:
    """Take a step that begins among those that may disrupt something."""
    if not is_half_of_replacement(metadata):
        before, after = ((state.inputs if state else None) or {} for state in (metadata.old, metadata.new))
        name = metadata.urn.rsplit("::", 1)[-1]
        disruptions.add(action_of(metadata), metadata.type, name, before, after, metadata.keys or [])


def is_aftermath(message: str) -> bool:
    """Whether a message only says that the engine stopped: no resource is to blame for it."""
    return _GIVEN_UP.search(message.strip()) is not None


def action_of(metadata: events.StepEventMetadata) -> str:
    """What a person calls the step: the engine splits a replacement into several."""
    return _FOLDED.get(str(metadata.op.value), str(metadata.op.value))


def is_half_of_replacement(metadata: events.StepEventMetadata) -> bool:
    return metadata.op.value in ("create-replacement", "delete-replaced", "import-replacement", "read-replacement")


def _changes(metadata: events.StepEventMetadata) -> list[str]:
    if metadata.op.value not in ("update", "replace") or not metadata.old or not metadata.new:
        return []
    old, new = metadata.old.inputs or {}, metadata.new.inputs or {}
    keys = sorted({path.split(".")[0].split("[")[0] for path in (metadata.detailed_diff or metadata.diffs or [])})
    shown: list[str] = []
    for key in keys:
        before, after = old.get(key), new.get(key)
        if isinstance(before, dict) and isinstance(after, dict):
            inner = sorted(name for name in before | after if before.get(name) != after.get(name))
            shown += [f"{key}.{name}: {_text(before.get(name))} → {_text(after.get(name))}" for name in inner]
        elif isinstance(before, str) and isinstance(after, str) and _text(before) == _text(after):
            shown.append(
                f"{key}: a text of {len(before)} characters → {len(after)}, changed behind {_text(after)[:40]!r}"
            )
        else:
            shown.append(f"{key}: {_text(before)} → {_text(after)}")
    return [escape(line) for line in shown]


def _lengthy(output: tuple[str, list[str]]) -> tuple[bool, str]:
    return len(output[1]) > 1, output[0]


def _lines(value: Any) -> list[str]:
    """An output as a person reads it: a long list or object line by line, a table not at all."""
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [f"({len(value)} rows: make outputs prints them)"]
    if _text(value).endswith("…") and isinstance(value, dict | list):
        return [f"{key}: {_text(item)}" for key, item in value.items()] if isinstance(value, dict) else value
    return [_text(value)]


def _text(value: Any) -> str:
    if value is None:
        return "(none)"
    if value == UNKNOWN:
        return "(known after the update)"
    if isinstance(value, dict):
        text = ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    elif isinstance(value, list):
        text = ", ".join(_text(item) for item in value)
    else:
        text = str(value)
    return text if len(text) <= _WIDEST_VALUE else text[: _WIDEST_VALUE - 1] + "…"
