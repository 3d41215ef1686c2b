"""Drives the real Pulumi engine over one stack of this project, with the stand-ins in place of the cloud's plugins."""

import fcntl
import hashlib
import json
import os
import runpy
import secrets
import shutil
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from pulumi.automation import LocalWorkspace, OutputMap, Stack
from pulumi.automation._stack import StackInitMode, UpdateSummary

from operations import stack_configuration, stack_settings
from operations.console import OperationError
from operations.stack_configuration import StackConfiguration
from sandbox import cloud as embedded_cloud
from sandbox import demo_files, existing, private, stand_in_files
from sandbox.cloud import Cloud
from sandbox.command import EngineCommand
from sandbox.engine import Engine
from sandbox.knobs import Knobs
from sandbox.kubernetes_api.build import programs_folder
from sandbox.kubernetes_api.certificates import KUBECONFIG
from sandbox.kubernetes_api.clusters import Clusters
from sandbox.providers.aws import find_by_tags
from sandbox.providers.aws_rows import ROWS
from sandbox.providers.command import CommandProvider, Kubernetes
from sandbox.providers.default_tags import TaggingAwsProvider, sent
from sandbox.providers.eks import EksProvider
from sandbox.providers.kubernetes import KubernetesProvider
from sandbox.providers.protocol import Resource, contains_unknown, serve
from sandbox.providers.schema import python_name

Say = Callable[[str], None]
ANALYZER, ANALYZER_VERSION = "pulumi-analyzer-policy-python", "1.0.0"
REPOSITORY = Path(__file__).resolve().parent.parent
_PROGRAMS_MODULES = ("eks_analytics", "operations", "settings")
_NAMESPACE = "placeholders"
_print_any_exc = traceback.print_exc


class StackError(Exception):
    """Something that a person can mend; the message says what and how."""


@dataclass
class SandboxStack:
    """One stack on the embedded cloud. Everything it writes lies in `home`, which git ignores."""

    project: Path
    name: str
    home: Path
    engine: Engine
    say: Say
    knobs: Knobs = field(default_factory=Knobs)
    idle_seconds: int = 7200
    config_file: Path | None = None
    """The stack's configuration; default `Pulumi.<name>.yaml` in the project."""
    stand_in_files: Path | None = None
    """Folder for stand-ins of the files that the stack names and git does not have; None: they must be there."""
    environment_of: Path | None = None
    """The project in whose Python environment the program runs: its own, but for another checkout of that project."""
    _command: EngineCommand | None = field(default=None, init=False, repr=False)
    _cloud: Cloud | None = field(default=None, init=False, repr=False)
    _before_program: Callable[[], None] = field(default=lambda: None, init=False, repr=False)
    _starting: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    @property
    def source(self) -> Path:
        return self.config_file or self.project / f"Pulumi.{self.name}.yaml"

    @cached_property
    def project_settings(self) -> dict[str, Any]:
        with _mendable():
            return stack_configuration.project_settings(self.project)

    @cached_property
    def config(self) -> StackConfiguration:
        """What the stack's file means to Pulumi."""
        if not self.source.is_file():
            known = sorted(path.name.split(".")[1] for path in self.project.glob("Pulumi.*.yaml"))
            raise StackError(
                f"STACK={self.name}: there is no {self.source.name}; the stacks here are {', '.join(known)}. "
                f"For a new one, copy Pulumi.dev.yaml and change it."
            )
        with _mendable():
            return stack_configuration.load(self.source, self.project)

    def check(self) -> None:
        """Say at once what is wrong with the stack's file, and what of it is not read here."""
        if self.config.unread is None:
            return
        if self.project == REPOSITORY:
            with _mendable():
                stack_settings.check_complete(self.config, self.name)
        self.say(self.config.unread)

    def setting(self, *path: str) -> Any:
        return self.config.setting(*path)

    def _kubernetes_version(self) -> str | None:
        version = self.setting("cluster", "version")
        return version if isinstance(version, str) else None

    def _kubernetes(self) -> Kubernetes | None:
        """What `kubectl` of the stack's commands talks to."""
        running = embedded_cloud.running(self.home)
        address = running.ask("kubernetes_running").get(self.setting("cluster_name")) if running else None
        return Kubernetes(Path(address["folder"]) / KUBECONFIG, programs_folder()) if address else None

    @property
    def region(self) -> str:
        return str(self.config.values.get("aws:region") or self.setting("region") or "us-east-1")

    # The embedded account

    def cloud(self) -> Cloud:
        """The running embedded cloud of this stack, started where there is none."""
        with self._starting:
            if self._cloud is None:
                self._cloud = embedded_cloud.start(self.home, idle_seconds=self.idle_seconds, progress=self.say)
                unfinished = self.home / "account.new"
                private.write(unfinished, self._cloud.identity)
                unfinished.replace(self.home / "account")
            return self._cloud

    def make_existing(self) -> list[str]:
        """Make what the stack names as existing and the emulated account lacks; what was made, in sentences."""
        wanted, block = existing.named(self.setting), self.config.values.get(existing.BLOCK)
        return existing.ensure(self.cloud, self.region, wanted, block, self.say)

    def forget_lost_account(self) -> None:
        """The emulated account lives in memory: where it is gone, so is all that the engine's state speaks of.

        CloudError where that cannot be told.
        """
        account = self.home / "account"
        if not self._state_file.is_file() or not account.is_file():
            return
        running = embedded_cloud.running(self.home, or_error=True)
        if running is None or running.identity != account.read_text():
            if self.resources():
                self.say("The emulated account of this stack is gone (its process has ended): starting afresh.")
            shutil.rmtree(self.home / "state")
            account.unlink()

    # The engine's state

    @property
    def _state_file(self) -> Path:
        return self.home / "state" / ".pulumi" / "stacks" / self.project_settings["name"] / f"{self.name}.json"

    def _state(self) -> dict[str, Any]:
        if not self._state_file.is_file():
            return {}
        return json.loads(self._state_file.read_text())["checkpoint"].get("latest") or {}

    def resources(self) -> list[dict[str, Any]]:
        return self._state().get("resources", [])

    def pending_creates(self) -> list[dict[str, Any]]:
        return [op["resource"] for op in self._state().get("pending_operations", []) if op["type"] == "creating"]

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """One command at a time per stack: a second one waits and says for whom."""
        private.folder(self.home)  # the copy of a configuration holds what somebody wrote into it in clear, too
        with private.opened(self.home / "lock", "a+") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                self.say(f"Waiting: another command works on stack {self.name} (process {lock.read().strip() or '?'}).")
                fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._clear_dead_locks()
            self._mend_state()
            yield

    def _clear_dead_locks(self) -> None:
        """The engine's own lock outlives an engine that was killed; that of a living process is left alone."""
        for path in (self.home / "state" / ".pulumi" / "locks").rglob("*.json"):
            with suppress(OSError, ValueError, KeyError):
                lock = json.loads(path.read_text())
                if lock["hostname"] == socket.gethostname() and _ends(int(lock["pid"])):
                    self.say(f"Clearing the lock of an engine that was killed (process {lock['pid']}).")
                    path.unlink()

    def _mend_state(self) -> None:
        """The engine writes its state in one step, but not the attributes in a file beside it: a kill tears those."""
        stacks = self._state_file.parent
        for path in stacks.glob("*.attrs"):
            if not _is_json(path):
                path.unlink()

    # The workspace: a copy of project and stack settings, so that tracked files stay as they are

    def _write_workspace(self) -> Path:
        work = self.home / "work"
        private.folder(work)
        private.write(work / "Pulumi.yaml", (self.project / "Pulumi.yaml").read_text())
        return work

    def _write_configuration(self, workspace: LocalWorkspace) -> None:
        """The values of the stack's file, with placeholders in place of the secrets.

        Secrets are encrypted for the team's own backend: the sandbox cannot read them.
        """
        copy = self._copy(workspace)
        config = demo_files.completed(self._with_stand_ins())
        stand_ins = {path: stack_settings.placeholder(config, path) for path in config.secrets}
        for path in stand_ins:
            self.say(f"{stack_configuration.written(path)} is secret: a placeholder stands for it here.")
        salt = stack_configuration.mapping(copy) if copy.is_file() else {}
        salt, encrypted = self._encrypted(workspace, _only_salt(salt), set(stand_ins.values()))
        private.write(copy, config.document(lambda path: encrypted[stand_ins[path]], **salt))

    def _copy(self, workspace: LocalWorkspace) -> Path:
        return Path(workspace.work_dir) / f"Pulumi.{self.name}.yaml"

    def _encrypted(
        self, workspace: LocalWorkspace, salt: dict[str, str], texts: set[str]
    ) -> tuple[dict[str, str], dict[str, object]]:
        """The texts as the engine encrypts them, in one run and once: what it made is kept."""
        file, keys = self.home / "placeholders.yaml", {text: f"{_NAMESPACE}:{_digest(text)}" for text in sorted(texts)}
        known = stack_configuration.mapping(file) if file.is_file() else {}
        if _only_salt(known) != salt:
            known = {}
        if missing := [text for text, key in keys.items() if key not in known.get("config", {})]:
            private.write(file, json.dumps({**known, **salt}))
            arguments = [part for text in missing for part in ("--secret", f"{keys[text]}={text}")]
            workspace.pulumi_command.run(
                ["config", "set-all", *arguments, "--config-file", str(file), "--stack", self.name],
                workspace.work_dir,
                workspace.env_vars,
            )
            known = stack_configuration.mapping(file)
        return _only_salt(known) or salt, {text: known["config"][key] for text, key in keys.items()}

    def _with_stand_ins(self) -> StackConfiguration:
        block = self.setting("dash_enterprise")
        if self.stand_in_files is None or not isinstance(block, dict):
            return self.config
        own = {key: self.config.values[key] for key in self.config.own_keys}
        stand_ins = stand_in_files.with_stand_ins(self.project, block, self.stand_in_files)
        return self.config.with_own({**own, f"{self.config.project}:dash_enterprise": stand_ins})

    def _passphrase(self) -> str:
        file = self.home / "passphrase"
        if not file.is_file():
            private.write(file, secrets.token_hex(16))
        return file.read_text()

    def environment(self) -> dict[str, str]:
        private.folder(self.home / "state")
        return {
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "PULUMI_HOME": str(self.home / "engine"),
            "PULUMI_CONFIG_PASSPHRASE": self._passphrase(),
            "PULUMI_CONFIG_PASSPHRASE_FILE": "",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            "PULUMI_PYTHON_CMD": sys.executable,  # which runs the policies
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_STACK": "",
            "PULUMI_CONFIG_FILE": "",
            **self._of_the_program(),
        }

    @cached_property
    def _interpreter(self) -> Path | None:
        """Of a project that imports the components: it has an environment of its own. None for this repository's."""
        project = self.environment_of or self.project
        if project == REPOSITORY:
            return None
        runtime = self.project_settings.get("runtime")
        options = runtime.get("options", {}) if isinstance(runtime, dict) else {}
        folder = project / options.get("virtualenv", "venv")
        interpreter = folder / "bin" / "python"
        if not interpreter.is_file():
            raise StackError(
                f"{project} has no virtual environment: make it with `python3 -m venv {folder.name}`, and install "
                f"what the program imports with `{folder.name}/bin/pip install`"
            )
        return interpreter

    def _of_the_program(self) -> dict[str, str]:
        """How the engine comes to run a program that our own process does not run."""
        if self._interpreter is None:
            return {}
        return {
            "PATH": f"{REPOSITORY / 'sandbox' / 'languages'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "false",  # on PATH it finds our language host
            "SANDBOX_PYTHON": sys.executable,
            "PROGRAM_PYTHON": str(self._interpreter),
            "PROGRAM_FOLDER": str(self.project),
            "PYTHONDONTWRITEBYTECODE": "1",  # nothing is left in a repository that is not ours
        }

    def interrupted(self) -> bool:
        return self._command is not None and self._command.interrupts > 0

    @contextmanager
    def opened(self, runs_program: bool = False, applies: bool = False) -> Iterator[Stack]:
        """The stack, ready for the engine, with stand-ins served and interrupts handed to the engine."""
        shutil.rmtree(self.home / "engine" / "logs", ignore_errors=True)  # the engine keeps one for every command
        work, command = self._write_workspace(), EngineCommand(self.engine)
        self._command = command
        clusters = Clusters(self.cloud, lambda: embedded_cloud.running(self.home), self.say, applies)
        stand_ins = {
            "aws": TaggingAwsProvider(self.cloud, self.knobs, self.say),
            "command": CommandProvider(self.cloud, self.say, self._kubernetes, self.knobs),
            "eks": EksProvider(),
            "kubernetes": KubernetesProvider(self.cloud, self._kubernetes_version(), clusters, self.knobs),
        }
        with serve(stand_ins) as attached, command.interruptible(self.say):
            workspace = LocalWorkspace(
                work_dir=str(work),
                program=self._program if self._interpreter is None else None,
                env_vars={**self.environment(), "PULUMI_DEBUG_PROVIDERS": attached},
                pulumi_command=command,
            )
            # Imported once, by one thread: the SDK's modules load lazily, which several threads at once would break.
            imports = threading.Thread(target=import_sdk)
            imports.start()
            if not self._state_file.is_file():
                workspace.create_stack(self.name)
            self._write_configuration(workspace)
            stack = KnownStack(self.name, workspace)
            self._before_program = imports.join
            if not runs_program:  # else the engine may start meanwhile: only the program's resources need the SDK
                imports.join()
            yield stack

    def _program(self) -> None:
        traceback.print_exc = _print_exc
        self._before_program()
        os.chdir(self.project)
        if str(self.project) not in sys.path:
            sys.path.insert(0, str(self.project))
        with _without_modules_of_others(self.project):
            runpy.run_path(str(self.project / "__main__.py"), run_name="__main__")

    # Policies

    def policy_packs(self) -> list[str]:
        """What judges every preview and update. A project that imports the components may have none."""
        folder = self.project / "policies"
        if not (folder / "PulumiPolicy.yaml").is_file():
            self.say(f"No policies judge this: {folder} is no policy pack.")
            return []
        install_analyzer(self.home / "engine")
        return [str(folder)]

    # Recovery of an update that was killed

    def recover(self, stack: Stack) -> None:
        """Takes creates that were under way when the engine was killed into the state, where it can tell them."""
        pending = self.pending_creates()
        if not pending:
            return
        self.say(f"The last update was killed while it created {len(pending)} resource(s):")
        exported = stack.export_stack()
        state = dict(exported.deployment or {})
        known, recovered = {(one["type"], one.get("id")) for one in self.resources()}, list[str]()
        for resource in pending:
            label = f"  {resource['type']} {resource['urn'].rsplit('::', 1)[-1]}"
            found = [id for id in self._find(resource) if (resource["type"], id) not in known]
            if len(found) == 1:
                self.say(f"{label}: found as {found[0]}, taken into the state")
                state["resources"].append({**resource, "id": found[0], "outputs": resource.get("inputs", {})})
                recovered.append(resource["urn"])
            elif found:
                self.say(f"{label}: cannot tell which of {', '.join(found)} it is; delete the one that nothing uses")
            else:
                self.say(f"{label}: nothing found that is surely it; it is created again")
        state["pending_operations"] = [op for op in state["pending_operations"] if op["type"] != "creating"]
        exported.deployment = state
        stack.import_stack(exported)
        if recovered:  # what AWS says of them, in place of what was only asked for
            stack.refresh(target=recovered)

    def _find(self, resource: Mapping[str, Any]) -> list[str]:
        inputs = sent(resource.get("inputs", {}))
        if contains_unknown(inputs):
            return []
        if resource["type"].startswith("kubernetes:"):
            provider = resource["provider"].rpartition("::")[0]
            config = next(one["inputs"] for one in self.resources() if one["urn"] == provider)
            clusters = Clusters(self.cloud, lambda: embedded_cloud.running(self.home))
            return KubernetesProvider(self.cloud, clusters=clusters).find(Resource.of(resource["urn"], config), inputs)
        if not resource["type"].startswith("aws:"):
            return []
        return find_by_tags(self.cloud(), resource["type"], inputs, inputs.get("region") or self.region)


def install_analyzer(pulumi_home: Path) -> None:
    """What runs policy packs comes with a release of the engine, not with its Go modules: as a plugin it is found."""
    folder = pulumi_home / "plugins" / f"analyzer-policy-python-v{ANALYZER_VERSION}"
    private.folder(folder)
    shutil.copy(Path(__file__).parent / "plugins" / ANALYZER, folder / ANALYZER)
    (folder / ANALYZER).chmod(0o700)


class KnownStack(Stack):
    """A stack that is there, and whose events tell what an operation did: without being run to select the stack first
    and to be asked three times afterwards, the engine runs once for an operation."""

    def __init__(self, name: str, workspace: LocalWorkspace) -> None:
        self.name, self.workspace, self._mode = name, workspace, StackInitMode.SELECT

    def outputs(self) -> OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:
        return UpdateSummary("", datetime.now(UTC), "", {}, {}, "")


def _print_exc(*args: Any, **kwargs: Any) -> None:
    """`traceback.print_exc`, but for the calls of the SDK's server that an engine which gives up leaves unanswered:
    gRPC prints those itself, and nobody can mend anything by them."""
    if type(sys.exc_info()[1]).__name__ != "ExecuteBatchError":
        _print_any_exc(*args, **kwargs)


def import_sdk() -> None:
    """Load what the stand-ins need of the SDK in the thread that calls."""
    for package in sorted({python_name(token.split(":")[1].split("/")[0]) for token in ROWS}):
        # Asking for any attribute makes a lazy module load itself.
        hasattr(import_module(f"pulumi_aws.{package}"), "__all__")


def _ends(pid: int, within: float = 3.0) -> bool:
    """Whether the process is dead, or dies presently: an engine lives on for a moment after its driver was killed."""
    deadline = time.monotonic() + within
    while embedded_cloud.alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def _mendable() -> Iterator[None]:
    try:
        yield
    except OperationError as error:
        raise StackError(str(error)) from None


def _only_salt(file: Mapping[str, Any]) -> dict[str, str]:
    return {key: file[key] for key in ("encryptionsalt",) if key in file}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _without_modules_of_others(project: Path) -> Iterator[None]:
    """Lets a program import its own modules where this process has those of another checkout, as in a review: the
    merge base has components and settings of its own."""
    own = {name for name in sys.modules if name.partition(".")[0] in _PROGRAMS_MODULES}
    known = {name: sys.modules[name] for name in own}
    others = {name for name, module in known.items() if not _lies_in(project, module)}
    if not others:
        yield
        return
    for name in own:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] in _PROGRAMS_MODULES]:
            del sys.modules[name]
        sys.modules.update(known)


def _lies_in(project: Path, module: ModuleType) -> bool:
    return module.__file__ is not None and Path(module.__file__).is_relative_to(project)
