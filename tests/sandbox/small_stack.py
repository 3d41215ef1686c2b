"""A stack of a few resources on the real engine, with stand-ins chosen by the test."""

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi.automation import EngineEvent, LocalWorkspace, ProjectBackend, ProjectSettings, Stack
from pulumi.automation.errors import CommandError
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

from sandbox import engine
from sandbox.command import EngineCommand
from sandbox.providers.protocol import StandIn, serve
from sandbox.stack import KnownStack, install_analyzer

# Else channels to one address share what happened to any of them: an engine on the port of an earlier one would be out
# of reach until the channel to that one has tried again.
_GRPC_CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))
Program = Callable[[], object]


@dataclass
class SmallStack:
    folder: Path
    stand_ins: Mapping[str, StandIn]
    events: list[EngineEvent] = field(default_factory=list)
    config: Mapping[str, str] = field(default_factory=dict)
    policy_packs: list[str] = field(default_factory=list)
    policy_pack_configs: list[str] = field(default_factory=list)
    """Files, as many as there are packs."""

    def preview(self, program: Program) -> dict[str, int]:
        """How many resources each action meets, the stack itself and providers included."""
        with self._opened(program) as stack:
            configs = self.policy_pack_configs
            stack.preview(on_event=self.events.append, policy_packs=self.policy_packs, policy_pack_configs=configs)
        return self.changes

    def up(self, program: Program) -> dict[str, Any]:
        """The stack's outputs."""
        with self._opened(program) as stack:
            stack.up(on_event=self.events.append, policy_packs=self.policy_packs)
            asked = ["stack", "output", "--json", "--show-secrets", "--stack", stack.name]
            workspace = stack.workspace
            return json.loads(workspace.pulumi_command.run(asked, workspace.work_dir, workspace.env_vars).stdout)

    def refresh(self) -> dict[str, int]:
        with self._opened(lambda: None) as stack:
            stack.refresh(on_event=self.events.append)
        return self.changes

    def destroy(self) -> None:
        with self._opened(lambda: None) as stack:
            stack.destroy()

    @property
    def changes(self) -> dict[str, int]:
        """How many resources each action met in the last operation."""
        counted = next(event.summary_event for event in self.events if event.summary_event).resource_changes
        return {str(getattr(action, "value", action)): count for action, count in counted.items()}

    def actions(self) -> dict[str, str]:
        """What the last preview does to each resource, by name; what stays is left out."""
        steps = [event.resource_pre_event.metadata for event in self.events if event.resource_pre_event]
        return {step.urn.rsplit("::", 1)[-1]: str(step.op.value) for step in steps if step.op.value != "same"}

    @property
    def _state_file(self) -> Path:
        return self.folder / "state" / ".pulumi" / "stacks" / "small" / "test.json"

    def resources(self) -> list[dict[str, Any]]:
        return json.loads(self._state_file.read_text())["checkpoint"]["latest"].get("resources", [])

    def resource(self, name: str) -> dict[str, Any]:
        return next(one for one in self.resources() if one["urn"].rsplit("::", 1)[-1] == name)

    @contextmanager
    def _opened(self, program: Program) -> Iterator[Stack]:
        self.events.clear()
        state, work = self.folder / "state", self.folder / "work"
        for folder in (state, work):
            folder.mkdir(parents=True, exist_ok=True)
        settings = work / "Pulumi.test.yaml"
        known = yaml.safe_load(settings.read_text()) if settings.is_file() else {}
        settings.write_text(yaml.safe_dump({**known, "config": dict(self.config)}))
        inline: Any = program
        with serve(self.stand_ins) as attached:
            if self.policy_packs:
                install_analyzer(self.folder / "engine")
            workspace = LocalWorkspace(
                str(work),
                program=inline,
                project_settings=ProjectSettings("small", runtime="python", backend=ProjectBackend(f"file://{state}")),
                pulumi_command=EngineCommand(engine.find(lambda _: None)),
                env_vars={
                    "PULUMI_HOME": str(self.folder / "engine"),
                    "PULUMI_CONFIG_PASSPHRASE": "small",
                    "PULUMI_DEBUG_PROVIDERS": attached,
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                    "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
                    "PULUMI_PYTHON_CMD": sys.executable,
                },
            )
            try:
                if not self._state_file.is_file():
                    workspace.create_stack("test")
                yield KnownStack("test", workspace)
            except CommandError:
                # The SDK leaves the coroutine of a program that was cut short. Collected while Python parses a module,
                # its report makes CPython 3.11 fail with "AST constructor recursion depth mismatch": keep it instead.
                gc.freeze()
                raise
