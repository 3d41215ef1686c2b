"""The steps of a teardown: commands that do nothing until they are destroyed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
import pulumi_command as command

_COMMANDS = Path(__file__).parent / "commands"


def drain_command(
    name: str,
    script: str,
    environment: Mapping[str, pulumi.Input[str]],
    opts: pulumi.ResourceOptions,
    triggers: Sequence[pulumi.Input[str]] | None = None,
) -> command.local.Command:
    """Runs a script of the folder `commands` when it is destroyed, or replaced since one of the `triggers` changed."""
    return command.local.Command(
        name,
        # The script itself, not its path: the next destroy may run on another machine.
        stdin=drain_script(script),
        delete="python3 -u -",
        environment=environment,
        triggers=triggers,
        opts=opts,
    )


def drain_script(name: str) -> str:
    """The Python program of a drain: what all drains have in common, under the name that they import it by, and it."""
    common = (_COMMANDS / "draining.py").read_text()
    return f'{common}\n\nsys.modules["draining"] = sys.modules[__name__]\n\n{(_COMMANDS / name).read_text()}'
