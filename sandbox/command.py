"""Runs the engine so that an interrupt ends it well: what is under way is finished and recorded."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import IO

from pulumi.automation import CommandResult, PulumiCommand
from pulumi.automation._cmd import OnOutput
from pulumi.automation.errors import create_command_error

from sandbox import private
from sandbox.engine import Engine
from sandbox.launcher import LAUNCHER


class EngineCommand(PulumiCommand):
    """The Automation API's command in a process group of its own: Ctrl-C reaches the engine once, through us.

    Otherwise a terminal's Ctrl-C would hit engine and driver together, the driver would end first and take the
    stand-ins away from an engine that is still finishing what it began.
    """

    def __init__(self, engine: Engine) -> None:  # its version is known, the base class would run it to ask
        self.command, self.version = str(engine.binary), engine.version
        self.interrupts = 0
        self._running: set[subprocess.Popen[str]] = set()

    @contextmanager
    def interruptible(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hands SIGINT, SIGTERM and SIGHUP to the engine: the first lets it finish, the second stops it at once."""

        def hand_on(_number: int, _frame: FrameType | None) -> None:
            self.interrupts += 1
            if not self._running:
                raise KeyboardInterrupt
            if self.interrupts == 1:
                say("Interrupted: finishing what is under way (once more to stop at once) ...")
            for process in self._running:
                process.send_signal(signal.SIGINT)

        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may set handlers; whoever drives from another one handles signals itself
            return
        before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: OnOutput | None = None,
        on_error: OnOutput | None = None,
    ) -> CommandResult:
        environment = {**os.environ, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with subprocess.Popen(
            # An engine whose driver was killed has lost its program and its stand-ins and could only guess: it dies
            # with the driver, so that what was under way stays recorded as such.
            [*LAUNCHER, self.command, "--non-interactive", *args],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
            encoding="utf-8",
            process_group=0,
            umask=private.UMASK,  # of the state
        ) as process:
            self._running.add(process)
            error: list[str] = []
            reader = threading.Thread(target=_read, args=(process.stderr, on_error, error))
            reader.start()
            output: list[str] = []
            _read(process.stdout, on_output, output)
            reader.join()
            process.wait()
            self._running.discard(process)
        result = CommandResult(stdout="\n".join(output), stderr="\n".join(error), code=process.returncode)
        if result.code != 0:
            raise create_command_error(result)
        return result


def _read(stream: IO[str] | None, callback: OnOutput | None, lines: list[str]) -> None:
    assert stream is not None
    for line in stream:
        lines.append(line.rstrip())
        if callback:
            callback(line.rstrip())
