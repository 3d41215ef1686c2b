"""A stack of a few resources on the real engine, with stand-ins chosen by the test."""

import gc
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.automation import (
    ConfigValue,
    EngineEvent,
    LocalWorkspaceOptions,
    ProjectBackend,
    ProjectSettings,
    Stack,
    create_or_select_stack,
)
from pulumi.automation.errors import CommandError
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS

from sandbox import engine
from sandbox.providers.protocol import StandIn, serve
from sandbox.stack import install_analyzer

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

    def preview(self, program: Program) -> dict[str, int]:
        """How many resources each action meets, the stack itself and providers included."""
        with self._opened(program) as stack:
            summary = stack.preview(on_event=self.events.append, policy_packs=self.policy_packs).change_summary
            return {str(getattr(action, "value", action)): count for action, count in summary.items()}

    def up(self, program: Program) -> dict[str, Any]:
        """The stack's outputs."""
        with self._opened(program) as stack:
            result = stack.up(on_event=self.events.append, policy_packs=self.policy_packs)
            self.changes = result.summary.resource_changes or {}
            return {key: output.value for key, output in result.outputs.items()}

    def refresh(self) -> dict[str, int]:
        with self._opened(lambda: None) as stack:
            changes = stack.refresh().summary.resource_changes or {}
            return {str(getattr(action, "value", action)): count for action, count in changes.items()}

    def destroy(self) -> None:
        with self._opened(lambda: None) as stack:
            stack.destroy()

    def actions(self) -> dict[str, str]:
        """What the last preview does to each resource, by name; what stays is left out."""
        steps = [event.resource_pre_event.metadata for event in self.events if event.resource_pre_event]
        return {step.urn.rsplit("::", 1)[-1]: str(step.op.value) for step in steps if step.op.value != "same"}

    def resources(self) -> list[dict[str, Any]]:
        file = self.folder / "state" / ".pulumi" / "stacks" / "small" / "test.json"
        return json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])

    def resource(self, name: str) -> dict[str, Any]:
        return next(one for one in self.resources() if one["urn"].rsplit("::", 1)[-1] == name)

    @contextmanager
    def _opened(self, program: Program) -> Iterator[Stack]:
        self.events.clear()
        state = self.folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        project = ProjectSettings("small", runtime="python", backend=ProjectBackend(f"file://{state}"))
        with serve(self.stand_ins) as attached:
            variables = {
                "PULUMI_HOME": str(self.folder / "engine"),
                "PULUMI_CONFIG_PASSPHRASE": "small",
                "PULUMI_DEBUG_PROVIDERS": attached,
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
                "PULUMI_PYTHON_CMD": sys.executable,
            }
            if self.policy_packs:
                install_analyzer(self.folder / "engine")
            options = LocalWorkspaceOptions(
                pulumi_command=engine.find(lambda _: None).command, project_settings=project, env_vars=variables
            )
            inline: Any = program
            try:
                stack = create_or_select_stack("test", "small", inline, opts=options)
                if self.config:
                    stack.set_all_config({key: ConfigValue(value) for key, value in self.config.items()})
                yield stack
            except CommandError:
                # The SDK leaves the coroutine of a program that was cut short. Collected while Python parses a module,
                # its report makes CPython 3.11 fail with "AST constructor recursion depth mismatch": keep it instead.
                gc.freeze()
                raise
