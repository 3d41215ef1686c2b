"""Stand-in for pulumi-command: runs local commands as the real provider does, with the embedded cloud for AWS.

https://github.com/pulumi/pulumi-command/tree/master/provider/pkg/provider/local
What `aws` and `kubectl` mean there is decided here (sandbox/programs), so that no command reaches a real account.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sandbox.cloud import Cloud
from sandbox.knobs import INJECTED, Knobs
from sandbox.providers.protocol import (
    UNKNOWN,
    Changes,
    InvalidInputsError,
    ProviderError,
    Resource,
    StandIn,
    Values,
    generated_name,
    top_level_changes,
)
from sandbox.providers.schema import Schema, check_inputs, fields_of

PROGRAMS = Path(__file__).resolve().parents[1] / "programs"
_COMMAND = "command:local:Command"
_UNSUPPORTED = ("archivePaths", "assetPaths")
_OUTPUTS = ("stdout", "stderr")
# What could lead a command to a real account or cluster, or to another project's state.
_NOT_INHERITED = ("AWS_", "KUBECONFIG", "PULUMI_", "SANDBOX_")


@dataclass(frozen=True)
class Kubernetes:
    """An API server of the embedded cloud."""

    kubeconfig: Path
    programs: Path
    """Folder with a kubectl, for machines without one."""


def programs_environment(home: Path) -> dict[str, str]:
    """What the programs in `PROGRAMS` need to find the embedded cloud of this folder."""
    return {
        "SANDBOX_PYTHON": sys.executable,
        "SANDBOX_PROJECT": str(PROGRAMS.parents[1]),
        "SANDBOX_HOME": str(home),
    }


class CommandProvider(StandIn):
    version = version("pulumi-command")

    def __init__(
        self,
        cloud: Callable[[], Cloud],
        say: Callable[[str], None],
        kubernetes: Callable[[], Kubernetes | None] = lambda: None,
        knobs: Knobs | None = None,
    ) -> None:
        """`kubernetes`: the API server that stands in for the cluster's; None where none runs."""
        super().__init__()
        self._cloud, self._say, self._kubernetes, self._knobs = cloud, say, kubernetes, knobs or Knobs()

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        if resource.type != _COMMAND:
            raise ProviderError(f"{resource.type} is not supported by the embedded cloud")
        from pulumi_command.local import CommandArgs  # slow to import, and few programs run commands

        failures = list(check_inputs(Schema(_COMMAND, fields_of(CommandArgs), {}, CommandArgs), new))
        failures += [(key, "is not supported by the embedded cloud") for key in _UNSUPPORTED if key in new]
        if failures:
            raise InvalidInputsError(failures)
        return {"addPreviousOutputInEnv": True, **new}

    def diff(self, resource: Resource, id: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Changes:
        changed = top_level_changes(old, new, ignored)
        return Changes(changed, {"triggers"} & changed.keys() if "update" not in new else set())

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        command = inputs.get("create")
        if preview:
            return "", {**inputs, **dict.fromkeys(_OUTPUTS, UNKNOWN if command else "")}
        id = generated_name(resource.name, os.urandom(8), 8)
        return id, {**inputs, **self._run(resource, "Create", command, inputs, {})}

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        return id, inputs, state

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        command = new.get("update", new.get("create"))
        if preview:
            return {**new, **{key: UNKNOWN if command else state.get(key, "") for key in _OUTPUTS}}
        return {**new, **self._run(resource, "Update", command, new, state)}

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        self._run(resource, "Delete", state.get("delete"), state, state)

    def _run(self, resource: Resource, step: str, command: str | None, inputs: Values, state: Values) -> Values:
        """What the command printed; what the one before did where there is no command."""
        before = {key: str(state.get(key, "")) for key in _OUTPUTS}
        if command is None:
            return before
        if self._knobs.fails("command", step):
            raise ProviderError(f"command:{step}: {INJECTED}")
        previous = {f"PULUMI_COMMAND_{key.upper()}": value for key, value in before.items() if value}
        process = subprocess.Popen(
            [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), command],
            cwd=inputs.get("dir"),
            env={
                **self._environment(),
                **inputs.get("environment", {}),
                **(previous if inputs.get("addPreviousOutputInEnv", True) else {}),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        printed = {key: list[str]() for key in ("stdout", "stderr", "both")}
        readers = [
            threading.Thread(
                target=self._listen, args=(resource.name, getattr(process, key), printed[key], printed["both"])
            )
            for key in _OUTPUTS
        ]
        for thread in readers:
            thread.start()
        ended = threading.Event()
        threading.Thread(target=self._end_when_cancelled, args=(process, ended), daemon=True).start()
        assert process.stdin
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(inputs.get("stdin", ""))
        for thread in readers:
            thread.join()
        code = process.wait()
        ended.set()
        if code:
            raise ProviderError(f'exit status {code}: running "{command}":\n{"".join(printed["both"])}')
        return {key: "".join(printed[key]).removesuffix("\n") for key in _OUTPUTS}

    def _listen(self, name: str, stream: Iterable[str], own: list[str], both: list[str]) -> None:
        for line in stream:
            own.append(line)
            both.append(line)
            with suppress(BaseException):  # a command whose output nobody takes any more would stand still for ever
                self._say(f"{name}: {line.rstrip()}")

    def _end_when_cancelled(self, process: "subprocess.Popen[str]", ended: threading.Event) -> None:
        while not ended.wait(0.1):
            if self.cancelled.is_set():
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                return

    def _environment(self) -> Mapping[str, str]:
        cloud, kubernetes = self._cloud(), self._kubernetes()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(_NOT_INHERITED)}
        paths = [str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]
        path = os.pathsep.join([*paths, str(kubernetes.programs)] if kubernetes else paths)
        return {
            **kept,
            "PATH": os.pathsep.join([str(PROGRAMS), path]),
            "SANDBOX_PATH": path,
            **programs_environment(cloud.home),
            "SANDBOX_KUBECONFIG": str(kubernetes.kubeconfig) if kubernetes else "",
            **cloud.environment(),
        }
