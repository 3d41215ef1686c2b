"""The plan for a code review: the merge base is applied to a throw-away embedded cloud, and HEAD planned upon it.

Upon an empty account every plan would be creates only. The merge base runs in a process of its own, since its modules
bear the same names as HEAD's, but in HEAD's embedded cloud and Python environment: what differs is the program.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from pulumi.automation.errors import CommandError

from sandbox import cloud as embedded_cloud
from sandbox import demo_files, existing, merge_base, stand_in_files
from sandbox.engine import Engine
from sandbox.existing import ExistingError
from sandbox.labels import Labels
from sandbox.merge_base import MergeBase, MergeBaseError
from sandbox.plan import Plan
from sandbox.review_markdown import Review
from sandbox.stack import SandboxStack, Say, StackError

_IDLE_SECONDS = 3600  # should this process be killed: what it started then ends itself
_FRAME_OF_OTHERS = re.compile(r'^ *File "(?:/|<frozen |[^"\n]*site-packages/)[^\n]*\n(?: {4}[^\n]*\n)*', re.MULTILINE)
_ERROR = re.compile(r"^\s*error: (.*?)\s*(?=^\s*error: |^Update failed|\Z)", re.MULTILINE | re.DOTALL)


def make(project: Path, stack: str, engine: Engine, say: Say, branch: str | None = None) -> Review:
    """Everything of the review but its page. What it makes on the way is gone afterwards."""
    try:
        base = merge_base.find(project, branch)
    except MergeBaseError as error:
        return Review(stack, plan=Plan(errors=[f"Nothing was planned: {error}."]))
    with _throw_away_folder() as folder:
        files = folder / "files"
        chosen = SandboxStack(
            project, stack, folder / "home", engine, say, idle_seconds=_IDLE_SECONDS, stand_in_files=files
        )
        review = Review(stack, base)
        try:
            chosen.check()
            _name_stand_ins(chosen, review)
            wanted = existing.named(chosen.setting)
            if named := [*filter(None, (wanted.vpc, wanted.cluster)), *wanted.zones]:
                review.notes.append(f"Emulated by guess, because the stack names it as existing: {', '.join(named)}.")
            _apply_merge_base(chosen, base, folder / "base", review)
            _preview(chosen, review)
        except (StackError, ExistingError, embedded_cloud.CloudError) as error:
            review.plan.errors.append(str(error))
            if not chosen.source.is_file() and merge_base.has_file(project, base, chosen.source.name):
                review.notes.append(
                    f"{chosen.source.name} is removed here. That destroys nothing: destroy the stack before, or no "
                    "longer list it in the review."
                )
        finally:
            embedded_cloud.stop(chosen.home)
        review.plan.errors = [_relative(error, project, folder) for error in review.plan.errors]
        return review


@contextmanager
def _throw_away_folder() -> Iterator[Path]:
    """A folder that goes again, also where the process is asked to end."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    folder = Path(tempfile.mkdtemp(prefix="eks-analytics-review-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)


def _apply_merge_base(chosen: SandboxStack, base: MergeBase, folder: Path, review: Review) -> None:
    file = chosen.source.name
    if not merge_base.has_file(chosen.project, base, file):
        review.is_empty = True
        review.notes.append(f"**New stack**: the merge base has no {file}, so there are creates only.")
        return
    if base.commit == base.head and not base.uncommitted:
        review.notes.append("HEAD is the merge base itself: there is nothing to review.")
    try:
        with merge_base.checked_out(chosen.project, base, folder) as project:
            chosen.say(f"Applying the merge base {base.commit[:10]} to a throw-away embedded cloud ...")
            code, output = _up(project, chosen)
    except MergeBaseError as error:
        code, output = 1, f"error: {error}"
    if code != 0:
        why = "; ".join(dict.fromkeys(_ERROR.findall(output))) or f"exit code {code}"
        review.base_error = _relative(why, chosen.project, folder.parent)
        chosen.say(output)
        embedded_cloud.stop(chosen.home)
        shutil.rmtree(chosen.home, ignore_errors=True)  # it may have failed before it made that
        review.is_empty = True
        return
    state = chosen.resources()
    review.labels = Labels(state, known={embedded_cloud.ACCOUNT_ID, str(chosen.setting("account_id"))})
    review.outputs_before = next((one.get("outputs", {}) for one in state if one["type"] == "pulumi:pulumi:Stack"), {})


def _name_stand_ins(chosen: SandboxStack, review: Review) -> None:
    absent = stand_in_files.outside_git(chosen.project, chosen.setting("dash_enterprise"))
    if named := [path for path in absent.values() if not demo_files.is_demo(path)]:
        review.notes.append(f"Not in git, so a stand-in is planned for each: {', '.join(f'`{one}`' for one in named)}.")


def _up(project: Path, chosen: SandboxStack) -> tuple[int, str]:
    """Without policies: what they would refuse is there already."""
    arguments = ["--stack", chosen.name, "--home", str(chosen.home), "--project", str(project), "--no-policies"]
    arguments += ["--stand-in-files", str(chosen.stand_in_files)]
    with subprocess.Popen(
        [sys.executable, "-m", "sandbox", "up", *arguments, "--idle-hours", str(_IDLE_SECONDS / 3600)],
        cwd=Path(__file__).resolve().parents[1],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for the review: nothing of this is worth an orderly end
    ) as process:
        try:
            output, _ = process.communicate()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return process.returncode, output


def _preview(chosen: SandboxStack, review: Review) -> None:
    chosen.say("Planning HEAD ...")
    with chosen.exclusive():
        chosen.make_existing()
        _plan(chosen, review)


def _plan(chosen: SandboxStack, review: Review) -> None:
    with chosen.opened(runs_program=True) as opened:
        try:
            packs = chosen.policy_packs()
            review.plan.verdict.judges = bool(packs)
            opened.preview(on_event=review.plan.on_event, policy_packs=packs)
        except CommandError as error:
            if chosen.interrupted():
                raise KeyboardInterrupt from None
            if not review.fails:  # the engine itself refused: nothing came through its events
                review.plan.errors.append(engine_message(error))


def engine_message(error: CommandError) -> str:
    """What the engine says, without the frame that the Automation API puts around it."""
    lines = [re.sub(r"^(code: -?\d+|stdout:|stderr:)\s*", "", line.strip()) for line in str(error).splitlines()]
    return "\n".join(line.removeprefix("error: ") for line in lines if line) or str(error)


def _relative(text: str, project: Path, folder: Path) -> str:
    """Without the paths of this machine, and without what a traceback shows of Python and of packages."""
    for path in (folder / "base", folder / "home", folder / "files", project):
        text = text.replace(f"{path}/", "").replace(str(path), ".")
    return _FRAME_OF_OTHERS.sub("", text)
