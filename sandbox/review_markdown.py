"""The page for a code review: a plan as Markdown, the gravest first; two runs of the same plan give the same page."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from sandbox.differences import differences, text
from sandbox.disruption import REPLACED, Disruptions
from sandbox.exposure import Exposure, exposures
from sandbox.labels import Labels
from sandbox.merge_base import MergeBase
from sandbox.plan import Plan, Step
from sandbox.report import UNKNOWN
from sandbox.tokens import short_type
from sandbox.verdict import Findings, Verdict, is_link

_ORDER = ("replace", "delete", "create", "update", "import", "read", "refresh")
_DONE = {"replace": "replaced", "delete": "deleted", "create": "created", "update": "updated", "import": "imported"}
_GRAVE = ("replace", "delete")
_CAPACITY = ("capacity", "system_limits")
_CONTEXT = 6  # lines around a change of a document: enough to see which statement it is in

_HEADINGS = 60  # of what room is kept for


@dataclass
class Review:
    """What a page is made of."""

    stack: str
    base: MergeBase | None = None
    plan: Plan = field(default_factory=Plan)
    labels: Labels = field(default_factory=Labels)
    outputs_before: Mapping[str, Any] = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])
    """What a reader must know of how the plan was made."""
    base_error: str = ""
    """Why the merge base could not be applied."""
    is_empty: bool = False
    """Whether there was nothing to plan upon, so that all is created."""

    @property
    def fails(self) -> bool:
        return bool(self.plan.errors) or self.plan.verdict.refuses


def marker(stack: str) -> str:
    """By which a comment that is there already is found."""
    return f"<!-- eks-analytics review of {stack} -->"


def markdown(review: Review, limit: int = 0) -> str:
    """The page. Beyond `limit` characters (0: none) further entries are counted instead of shown."""
    plan = _labelled(review.plan, review.labels)
    page = _Page(review.stack, limit)
    page.write(f"{marker(review.stack)}\n## Plan of stack `{review.stack}`\n")
    page.write("\n>\n".join(f"> {paragraph}" for paragraph in _origin(review)) + "\n")
    page.write(f"{_summary(plan)}\n")
    if alarms := list(_alarms(plan)):
        page.write("> [!CAUTION]\n" + "\n".join(f"> **{alarm}**  " for alarm in alarms) + "\n")
    page.section("Errors", [_fenced(_plain(error), "") for error in sorted(map(review.labels.replace, plan.errors))])
    # Of a plan that failed, neither is known: no violation yet is no verdict, and the figures are the merge base's.
    policies = list(_policies(plan.verdict, review.labels.replace)) if plan.verdict.findings or not plan.errors else []
    capacity = list(_capacity(review.outputs_before, plan.outputs)) if not plan.errors else []
    page.keep(policies + capacity)
    page.section("Replaced and deleted", [_entry(step) for step in plan.steps if step.action in _GRAVE])
    page.section("Rolled and restarted", list(_disruptions(plan.disruptions, review.labels.replace)))
    page.section("IAM, ingress and public exposure", [_exposure(one) for one in exposures(plan.steps)])
    page.keep([])
    page.section("Policies", policies)
    page.section("Capacity", capacity)
    for action in [action for action in _ORDER if action not in _GRAVE]:
        entries = [_entry(step) for step in plan.steps if step.action == action]
        page.section(_DONE.get(action, action).capitalize(), entries, folded=True)
    warnings = sorted(map(review.labels.replace, plan.warnings))
    page.section("Warnings", [f"- {_code(_plain(warning))}" for warning in warnings], folded=True)
    return page.text()


class _Page:
    """Text that ends where the limit is, and says what it left out."""

    def __init__(self, stack: str, limit: int) -> None:
        self._stack, self._limit = stack, limit
        self._parts: list[str] = []
        self._length = self._left_out = self._kept = 0

    def write(self, part: str) -> None:
        self._parts.append(part)
        self._length += len(part) + 1

    def keep(self, entries: Sequence[str]) -> None:
        """Room for what comes later, up to half of the page: a hundred deletions do not push out the verdict."""
        self._kept = min(_length(entries) + _HEADINGS, self._limit // 2) if entries else 0

    def section(self, title: str, entries: Sequence[str], folded: bool = False) -> None:
        if not entries:
            return
        kept = list[str]()
        for entry in entries:
            if self._limit and self._length + _length([*kept, entry]) + self._kept > self._limit:
                self._left_out += 1
            else:
                kept.append(entry)
        if not kept:
            return
        body = "\n".join(kept)
        heading = f"{title} ({len(entries)})" if folded else title
        self.write(f"<details><summary>{heading}</summary>\n\n{body}\n\n</details>\n" if folded else f"### {heading}\n")
        if not folded:
            self.write(f"{body}\n")

    def text(self) -> str:
        if self._left_out:
            self.write(f"_{self._left_out} more are left out here: `make review STACK={self._stack}` shows them._\n")
        return "\n".join(self._parts)


def _length(entries: Sequence[str]) -> int:
    return sum(len(entry) + 1 for entry in entries)


def _labelled(plan: Plan, labels: Labels) -> Plan:
    """The plan in the order of the page, with names for ids."""
    for step in plan.steps:
        labels.complete(step.name, step.after)
    steps = [
        Step(
            step.action,
            step.type,
            step.name,
            labels.replace(step.before),
            labels.replace(step.after),
            step.changed,
            step.forcing,
        )
        for step in plan.steps
    ]
    order = {action: index for index, action in enumerate(_ORDER)}
    steps.sort(key=lambda step: (order.get(step.action, len(order)), step.type, step.name))
    return Plan(steps, plan.counts, plan.outputs, plan.errors, plan.warnings, plan.verdict, plan.disruptions)


def _origin(review: Review) -> Iterable[str]:
    if base := review.base:
        head = f"HEAD `{base.head[:10]}`"
        if base.uncommitted:
            head += f" with {_counted(base.uncommitted, 'uncommitted file')}"
        what = (
            f"This plan takes {head} to an **empty emulated account**"
            if review.is_empty
            else f"This plan takes the **merge base** `{base.commit[:10]}` of HEAD and `{base.branch}`, applied to an "
            f"emulated account made for it, to {head}"
        )
        yield f"{what}. It knows **nothing of the live account**: what is there, and what has drifted, may differ."
    if review.base_error:
        yield f"**The merge base cannot be applied**, so there are creates only: {_code(_plain(review.base_error))}"
    yield from review.notes


def _summary(plan: Plan) -> str:
    counts = {action: plan.counts[action] for action in (*_ORDER, "unchanged") if plan.counts[action]}
    parts = [f"{number} {_DONE.get(action, action)}" for action, number in counts.items()]
    changes = ", ".join(f"**{part}**" if not part.endswith("unchanged") else part for part in parts)
    policies = plan.verdict.summary()
    if plan.errors:
        return f"**Not complete.** Before the error: {changes or 'nothing'}; policies: {policies}."
    if set(counts) <= {"unchanged"}:
        return f"**No changes**{f', {changes}' if changes else ''}. Policies: {policies}."
    return f"{changes}. Policies: {policies}."


def _alarms(plan: Plan) -> Iterable[str]:
    if plan.errors:
        yield "The plan is not complete: the program or the engine failed."
    for action in _GRAVE:
        if number := plan.counts[action]:
            yield f"{_counted(number, 'resource')} {'is' if number == 1 else 'are'} {_DONE[action]}."
    if number := plan.verdict.number("mandatory"):
        yield f"Policies refuse this plan: {_counted(number, 'mandatory violation')}."
    if number := plan.verdict.looser:
        yield f"Policies are looser than their own: {_counted(number, 'setting')}."


def _entry(step: Step) -> str:
    """One resource, and what changes of it."""
    word = f" **{step.action.upper()}**" if step.action in _GRAVE else ""
    lines = [f"-{word} {_code(short_type(step.type))} {_code(step.name)}"]
    if step.action in ("update", "replace"):
        for key in step.changed or sorted({*step.before, *step.after}):
            forces = " **forces the replacement**" if key in step.forcing else ""
            found = differences(step.before.get(key), step.after.get(key), key)
            lines += [f"  - {_code(one.path)}: {_value(one.before)} → {_value(one.after)}{forces}" for one in found]
    return "\n".join(lines)


def _disruptions(disruptions: Disruptions, label: Callable[[str], str]) -> Iterable[str]:
    for effect, resources in disruptions.found.items():
        if effect == REPLACED:
            continue  # the page shows those in full
        yield "\n".join([f"- {effect}", *(f"  - {_code(label(resource))}" for resource in resources)])


def _exposure(exposure: Exposure) -> str:
    step = exposure.step
    done = _DONE.get(step.action, step.action)
    title = f"**{exposure.subject}**: {_code(short_type(step.type))} {_code(step.name)}, {done}"
    before, after = _document(exposure.before), _document(exposure.after)
    changed = list(difflib.unified_diff(before, after, "before", "after", n=_CONTEXT, lineterm=""))
    return f"{title}\n\n{_fenced(chr(10).join(changed), 'diff')}"


def _document(value: Any) -> list[str]:
    if value is None:
        return []
    return yaml.safe_dump(_readable(value), sort_keys=True, allow_unicode=True, width=110).splitlines()


def _readable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return "known after the update" if value == UNKNOWN else value


def _policies(verdict: Verdict, label: Callable[[str], str]) -> Iterable[str]:
    def listed(found: Findings) -> Iterable[str]:
        yield f"- **{found.level}** {_code(found.rule)}: {_plain(found.description)}"
        for line in (*sorted(found.problems), *found.advice):
            yield f"  - <{line}>" if is_link(line) else f"  - {_code(label(line))}"

    yield from ("\n".join(listed(found)) for found in verdict.findings)
    yield from (f"- setting {_code(label(setting))}" for setting in sorted(verdict.settings))
    yield from (f"- waiver {_code(label(waiver))}" for waiver in sorted(verdict.waivers))
    for rule, resources in verdict.waiting.items():
        yield f"- judged by the update: {_code(rule)} for {', '.join(map(_code, resources))}"
    yield f"- {verdict.summary()}"


def _capacity(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterable[str]:
    """The figures of the stack's outputs, those that change in bold."""
    figures = [dict(_figures(outputs)) for outputs in (before, after)]
    names = sorted({*figures[0], *figures[1]})
    if not names:
        return
    yield "| | merge base | HEAD |\n|---|---:|---:|"
    for name in names:
        old, new = (_cell(values.get(name)) for values in figures)
        yield f"| {name} | {old} | {new if old == new else f'**{new}**'} |"


def _figures(outputs: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key in _CAPACITY:
        values = outputs.get(key)
        for name, value in values.items() if isinstance(values, Mapping) else ():
            yield f"{name if key == 'capacity' else f'{key} {name}'}".replace("_", " "), value


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return (text(value) or "-").replace("|", "\\|")


def _value(value: str | None) -> str:
    return "(none)" if value is None else _code(value)


def _code(value: str) -> str:
    """In backticks, more than the text itself has in a row; nothing in it is Markdown then."""
    value = " ".join(value.split()) or " "
    ticks = "`" * (1 + _longest_run(value))
    space = " " if value.startswith("`") or value.endswith("`") else ""
    return f"{ticks}{space}{value}{space}{ticks}"


def _fenced(value: str, language: str) -> str:
    fence = "`" * max(3, 1 + _longest_run(value))
    return f"{fence}{language}\n{value}\n{fence}"


def _longest_run(value: str) -> int:
    return max(map(len, re.findall("`+", value)), default=0)


def _plain(value: str) -> str:
    """Without what colours a terminal."""
    return re.sub(r"\x1b\[[0-9;]*m", "", value)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
