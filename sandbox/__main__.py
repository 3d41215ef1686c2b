"""Command line of the embedded cloud: what `make up`, `make preview` and their siblings run."""

import gc
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pulumi.automation.errors import CommandError
from rich.markup import escape

from operations.console import Terminal
from sandbox import cloud as embedded_cloud
from sandbox import demo_files, inventory, private, zones
from sandbox import review as code_review
from sandbox.engine import EngineMissingError, find
from sandbox.knobs import Knobs
from sandbox.kubernetes_api.build import programs_folder
from sandbox.kubernetes_api.certificates import KUBECONFIG
from sandbox.providers.command import PROGRAMS, programs_environment
from sandbox.report import Report
from sandbox.review import engine_message
from sandbox.review_markdown import markdown
from sandbox.stack import REPOSITORY, SandboxStack, StackError

# Of a project that imports the components, or of this repository.
PROJECT = Path(os.environ.get("SANDBOX_PROGRAM") or REPOSITORY).resolve()
BANNER = (
    "Embedded cloud: an emulation of AWS and EKS on this machine; no AWS account is touched. "
    "What it does not check: docs/embedded-cloud.md"
)
INTERRUPTED = 130

# The SDK's classes are there to stay: looking through them again and again takes a tenth of the time of the imports.
gc.set_threshold(100_000, 20, 50)

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
console = Terminal()

StackOption = Annotated[str, typer.Option("--stack", help="Which stack: the middle of Pulumi.<stack>.yaml.")]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", envvar="SANDBOX_HOME", help="Where state and logs lie. Default .sandbox/<stack>."),
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config-file", help="Another stack configuration than Pulumi.<stack>.yaml.")
]
FailOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail",
        envvar="SANDBOX_FAIL",
        help="Make the n-th call fail, e.g. ec2:CreateSubnet:3 or helm:Install. Repeatable.",
    ),
]
LatencyOption = Annotated[
    float,
    typer.Option(
        "--latency", envvar="SANDBOX_LATENCY", min=0, help="Wait this share of AWS's usual provisioning times."
    ),
]
IdleOption = Annotated[
    float,
    typer.Option(
        "--idle-hours", envvar="SANDBOX_IDLE_HOURS", min=0.001, help="The embedded cloud ends itself after it."
    ),
]
PoliciesOption = Annotated[bool, typer.Option(help="Judge the plan, or the update, by the policy pack.")]
ProjectOption = Annotated[
    Path, typer.Option("--project", hidden=True, help="Another checkout of this project, whose program is run.")
]
StandInOption = Annotated[
    Path | None, typer.Option("--stand-in-files", hidden=True, help="Folder for stand-ins of files that git lacks.")
]


def say(message: str) -> None:
    console.print(escape(message))


@contextmanager
def _errors_in_a_sentence() -> Iterator[None]:
    """Every error that a person can mend ends in a sentence, not a traceback."""
    try:
        yield
    except (StackError, EngineMissingError, embedded_cloud.CloudError, ValueError) as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    except CommandError as error:
        console.print(f"[bold red]error:[/] {escape(engine_message(error))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _stack(
    name: str,
    home: Path | None,
    config_file: Path | None = None,
    fail: list[str] | None = None,
    latency: float = 0,
    idle_hours: float = 2,
    project: Path = PROJECT,
    stand_in_files: Path | None = None,
) -> Iterator[SandboxStack]:
    """The stack, held by this command alone."""
    with _errors_in_a_sentence():
        folder = _folder(name, home)
        knobs = Knobs.parse(fail or [], latency)
        console.print(BANNER, style="bold")
        engine = find(say)
        say(f"Engine: {engine.origin}. Stack: {name}.")
        stack = SandboxStack(
            project,
            name,
            folder,
            engine,
            say,
            knobs,
            int(idle_hours * 3600),
            config_file and config_file.resolve(),
            stand_in_files,
            environment_of=PROJECT,
        )
        stack.check()
        if not home:
            private.ignored(folder.parent)
        with stack.exclusive():
            yield stack


def _check_name(stack: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}", stack):
        raise StackError(f"STACK={stack!r} cannot be a stack's name: use letters, digits, '-', '_' and '.'")


def _folder(stack: str, home: Path | None) -> Path:
    """Where state and logs of the stack lie."""
    _check_name(stack)
    return (home or PROJECT / ".sandbox" / stack).resolve()


@contextmanager
def _reported(report: Report, verb: str) -> Iterator[None]:
    try:
        yield
    except CommandError as error:
        if report.interrupted():
            say(f"{report.summary('Interrupted')}. Nothing is lost: run the command again to go on.")
            raise typer.Exit(INTERRUPTED) from None
        if report.verdict.refuses:
            report.verdict.show(console)
        elif not report.errors:  # the engine itself refused: nothing came through its events
            console.print(f"[bold red]error:[/] {escape(engine_message(error))}")
        so_far = f" {escape(report.summary('So far'))}" if report.counts else ""
        why = ": policies refuse it" if report.verdict.refuses else ""
        console.print(f"[bold red]{verb} failed{why}.[/]{so_far}")
        raise typer.Exit(1) from None


@app.command()
def preview(
    stack: StackOption = "dev",
    home: HomeOption = None,
    config_file: ConfigOption = None,
    policies: PoliciesOption = True,
) -> None:
    """Show what an update would do; nothing is changed and no cloud is needed."""
    with _stack(stack, home, config_file) as chosen:
        demo_files.ensure(PROJECT, chosen.source, say)
        chosen.forget_lost_account()
        chosen.make_existing()
        with chosen.opened(runs_program=True) as opened:
            report = Report(console, plan=True, interrupted=chosen.interrupted)
            with _reported(report, "Preview"):
                opened.preview(on_event=report.on_event, policy_packs=_judging(report, chosen, policies))
        report.show_outputs()
        report.show_disruptions()
        report.verdict.show(console)
        console.print(report.summary("Plan"), style="bold green")


def _judging(report: Report, chosen: SandboxStack, policies: bool) -> list[str]:
    packs = chosen.policy_packs() if policies else []
    report.verdict.judges = bool(packs)
    return packs


@app.command()
def up(
    stack: StackOption = "dev",
    home: HomeOption = None,
    config_file: ConfigOption = None,
    fail: FailOption = None,
    latency: LatencyOption = 0,
    idle_hours: IdleOption = 2,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="For automation; nothing is asked anyway.")] = False,
    project: ProjectOption = PROJECT,
    stand_in_files: StandInOption = None,
    policies: PoliciesOption = True,
) -> None:
    """Apply the stack to the embedded cloud."""
    del yes
    with _stack(stack, home, config_file, fail, latency, idle_hours, project.resolve(), stand_in_files) as chosen:
        if stand_in_files is None:
            demo_files.ensure(chosen.project, chosen.source, say)
        chosen.forget_lost_account()
        chosen.cloud()
        chosen.make_existing()
        with chosen.opened(runs_program=not chosen.pending_creates(), applies=True) as opened:
            chosen.recover(opened)
            report = Report(console, plan=False, interrupted=chosen.interrupted)
            with _reported(report, "Update"):
                opened.up(on_event=report.on_event, policy_packs=_judging(report, chosen, policies))
        report.show_outputs()
        report.show_disruptions()
        report.verdict.show(console)
        console.print(report.summary("Done"), style="bold green")
        which = f"STACK={stack}" + (f" PROJECT={PROJECT}" if PROJECT != REPOSITORY else "")
        say(f"Next: make preview {which} · make inventory {which} · make down {which}")


@app.command()
def review(
    stack: StackOption = "dev",
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            help="Branch, tag or commit to go into. Default: the remote's default branch, or main.",
        ),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write the page there, not to stdout.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Longest page in characters; 0: no limit.")] = 0,
) -> None:
    """Write the plan for a code review as Markdown: from the merge base, applied to a throw-away cloud, to HEAD."""
    console.stderr = True  # standard output is for the page
    try:
        _check_name(stack)
        console.print(BANNER, style="bold")
        found = code_review.make(PROJECT, stack, find(say), say, base)
    except (StackError, EngineMissingError) as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    page = markdown(found, limit)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page)
        say(f"Written to {output}.")
    else:
        sys.stdout.write(page)
    if found.fails:
        for error in found.plan.errors or [f"policies refuse the plan: {found.plan.verdict.summary()}"]:
            why = error.splitlines()[0]  # the page has all of it
            console.print(f"[bold red]Review failed:[/] {escape(why)}", highlight=False, soft_wrap=True)
        raise typer.Exit(1)


@app.command()
def refresh(stack: StackOption = "dev", home: HomeOption = None, config_file: ConfigOption = None) -> None:
    """Read everything from the embedded cloud again and show what had drifted."""
    with _stack(stack, home, config_file) as chosen:
        chosen.forget_lost_account()
        with chosen.opened() as opened:
            chosen.recover(opened)
            report = Report(console, plan=False, interrupted=chosen.interrupted)
            with _reported(report, "Refresh"):
                opened.refresh(on_event=report.on_event)
        console.print(report.summary("Read"), style="bold green")


@app.command()
def down(
    stack: StackOption = "dev",
    home: HomeOption = None,
    config_file: ConfigOption = None,
    fail: FailOption = None,
    latency: LatencyOption = 0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Destroy everything the stack made, then end its embedded cloud."""
    with _stack(stack, home, config_file, fail, latency) as chosen:
        chosen.forget_lost_account()
        _refuse_protected(chosen)
        if not chosen.resources() and not chosen.pending_creates():
            stopped = embedded_cloud.stop(chosen.home)
            say(f"Nothing to destroy in stack {stack}{'; its embedded cloud is ended' if stopped else ''}.")
            return
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Destroy the {len(chosen.resources())} resources of stack {stack}?", abort=True)
        with chosen.opened() as opened:
            chosen.recover(opened)
            report = Report(console, plan=False, interrupted=chosen.interrupted)
            with _reported(report, "Destroy"):
                opened.destroy(on_event=report.on_event)
        console.print(report.summary("Destroyed"), style="bold green")
        left = inventory.inventory(chosen.cloud(), chosen.region)
        _show_inventory(left)
        embedded_cloud.stop(chosen.home)


def _refuse_protected(stack: SandboxStack) -> None:
    """Up front: the engine would destroy what is around a protected resource before it stops at it."""
    instead = f"`make stop STACK={stack.name}` ends the emulation without touching any account."
    if stack.setting("production") in (True, "true"):
        raise StackError(
            f"stack {stack.name} is marked production, and production is not destroyed by one command: its cluster "
            f"and keys are protected. {instead}"
        )
    protected = [resource["urn"].rsplit("::", 1)[-1] for resource in stack.resources() if resource.get("protect")]
    if protected:
        raise StackError(
            f"stack {stack.name} protects {', '.join(protected)}: set cluster.deletion_protection to false, "
            f"run make up STACK={stack.name}, then destroy. {instead}"
        )


@app.command()
@_errors_in_a_sentence()
def stop(stack: StackOption = "dev", home: HomeOption = None) -> None:
    """End the embedded cloud of the stack; what it held is gone."""
    folder = _folder(stack, home)
    say(f"The embedded cloud of stack {stack} is {'ended' if embedded_cloud.stop(folder) else 'not running'}.")


@app.command()
@_errors_in_a_sentence()
def outputs(stack: StackOption = "dev", home: HomeOption = None) -> None:
    """Print the stack's outputs as JSON, secrets masked."""
    folder = _folder(stack, home)
    chosen = SandboxStack(PROJECT, stack, folder, find(lambda message: print(message, file=sys.stderr)), say)  # noqa: T201
    found = [resource for resource in chosen.resources() if resource["type"] == "pulumi:pulumi:Stack"]
    if not found:
        print(f"error: stack {stack} has no outputs: run make up STACK={stack} first", file=sys.stderr)  # noqa: T201
        raise typer.Exit(1)
    typer.echo(json.dumps(_masked(found[0].get("outputs", {})), indent=2, sort_keys=True))


def _masked(value: object) -> object:
    if isinstance(value, dict):
        if "4dabf18193072939515e22adb298388d" in value:
            return "[secret]"
        return {key: _masked(item) for key, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else value


@app.command(name="inventory")
@_errors_in_a_sentence()
def list_inventory(stack: StackOption = "dev", home: HomeOption = None) -> None:
    """List what exists in the emulated account, beside what every account has."""
    folder = _folder(stack, home)
    running = embedded_cloud.running(folder)
    if running is None:
        say(f"The embedded cloud of stack {stack} is not running: nothing exists.")
        return
    chosen = SandboxStack(PROJECT, stack, folder, None, say)  # pyright: ignore[reportArgumentType]  # no engine is run
    _show_inventory(inventory.inventory(running, chosen.region))


def _show_inventory(found: dict[str, list[str]]) -> None:
    if not any(found.values()):
        say("Inventory: empty. Nothing is left in the emulated account.")
    for kind, ids in sorted(found.items()):
        if ids:
            say(f"  {kind:<36} {len(ids):>3}  {', '.join(sorted(ids)[:4])}{' …' if len(ids) > 4 else ''}")


@app.command()
@_errors_in_a_sentence()
def shell(
    stack: StackOption = "dev",
    home: HomeOption = None,
    command: Annotated[
        str | None,
        typer.Option("--command", "-c", help="Run this instead, e.g. kubectl get ns."),
    ] = None,
) -> None:
    """Open a shell whose kubectl is the administrator of the emulated cluster, and whose aws asks the emulated AWS."""
    folder = _folder(stack, home)
    running = embedded_cloud.running(folder)
    if running is None:
        raise StackError(f"the embedded cloud of stack {stack} is not running: make up STACK={stack} starts it")
    chosen = SandboxStack(PROJECT, stack, folder, None, say)  # pyright: ignore[reportArgumentType]  # no engine is run
    apis = running.ask("kubernetes_running")
    files = [str(Path(address["folder"]) / KUBECONFIG) for address in apis.values()]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    for name in ("COMMAND", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"):  # of this shell, not of those in it
        kept.pop(name, None)
    # An aws and a kubectl of your own go first.
    paths = [os.environ.get("PATH", os.defpath), str(programs_folder()), str(PROGRAMS)]
    variables = {
        **kept,
        **running.environment(chosen.region),
        **programs_environment(folder),
        "PATH": os.pathsep.join(paths),
        "KUBECONFIG": os.pathsep.join(files) or os.devnull,  # never a cluster of your own
        "KUBECACHEDIR": str(private.folder(folder / "kubernetes" / "kubectl-cache")),  # of kinds, by address
    }
    clusters = f"kubectl talks to {', '.join(sorted(apis))}" if apis else "there is no Kubernetes API yet"
    console.stderr = True  # standard output is for the command
    say(f"aws asks the emulated account in {chosen.region}; {clusters}. Nodes never start here, so pods stay Pending.")
    program = os.environ.get("SHELL", "/bin/sh")
    arguments = [program] if command is None else [program, "-c", command]
    if command is None:
        say("exit leaves this shell.")
    sys.stdout.flush()
    sys.stderr.flush()
    embedded_cloud.keep_from_idling(folder)
    os.execvpe(program, arguments, variables)


@app.command(name="zones")
def list_zones(
    region: Annotated[str, typer.Option("--region", help="For instance us-east-1.")] = "",
    account: Annotated[bool, typer.Option("--account", help="Ask AWS with your credentials.")] = False,
) -> None:
    """Print the availability zones of a region where EKS accepts a control plane."""
    try:
        if not region:
            raise zones.ZonesError("name the region whose zones you want: make zones REGION=us-east-1")
        eligible, refused = zones.eligible(region, account)
    except zones.ZonesError as error:
        console.print(f"[bold red]error:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
    for zone_name, zone_id in eligible:
        typer.echo(f"{zone_name}  {zone_id}")
    for zone_name, zone_id in refused:
        print(f"left out: {zone_name} ({zone_id}): EKS refuses a control plane there", file=sys.stderr)  # noqa: T201
    if not account:
        print(  # noqa: T201
            "Which name stands for which id differs from account to account; this is the embedded cloud's. "
            f"For yours: make zones REGION={region} ACCOUNT=1",
            file=sys.stderr,
        )


if __name__ == "__main__":
    # Whoever closes them (`>&-`) leaves nothing in their place, and Pulumi's SDK wants to flush them.
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115
    app()
