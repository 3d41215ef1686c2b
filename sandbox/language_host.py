"""Runs Python programs, and policy packs, for an engine that was built without its language hosts: `__main__.py`, a
program's in its own environment.

The engine finds it as `sandbox/languages/pulumi-language-python` on PATH. PROGRAM_PYTHON names the interpreter with all
that the program needs, PROGRAM_FOLDER the folder that it lies in where that is not the engine's.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2

# In a process of the program's own environment: a request comes in, an answer goes out, what is printed goes to stderr.
# The engine interrupts all processes of its language host: the host ends the program, which must not speak of it.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.SIG_IGN)
import os, runpy, sys
from pulumi.automation._server import LanguageServer
from pulumi.runtime.proto import language_pb2

request = language_pb2.RunRequest.FromString(sys.stdin.buffer.read())
answers, sys.stdout = sys.stdout.buffer, sys.stderr
sys.path[0] = os.getcwd()
answer = LanguageServer(lambda: runpy.run_path("__main__.py", run_name="__main__")).Run(request, None)
answers.write(answer.SerializeToString())
"""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """What running a program takes of a language host. gRPC dictates the names."""

    def __init__(self, engine: str) -> None:
        self._engine = engine
        self._running: list[subprocess.Popen[bytes]] = []

    def end(self) -> None:
        """End what runs: it would wait for an engine that is no more, or answer nobody."""
        for process in self._running:
            process.kill()

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        return language_pb2.GetRequiredPackagesResponse()  # the engine asks for them once more when it needs them

    def Run(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        request.args.insert(0, self._engine)
        program = subprocess.Popen(
            [os.environ.get("PROGRAM_PYTHON", sys.executable), "-c", _PROGRAM],
            cwd=os.environ.get("PROGRAM_FOLDER", request.pwd),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._running.append(program)
        answer, _ = program.communicate(request.SerializeToString())
        if program.returncode != 0:
            return language_pb2.RunResponse(error=f"the program's process ended with {program.returncode}")
        return language_pb2.RunResponse.FromString(answer)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:  # noqa: N802
        plugin = subprocess.Popen(
            [sys.executable, "-u", Path(request.info.program_directory) / "__main__.py", *request.args],
            cwd=request.pwd,
            env=dict(pair.split("=", 1) for pair in request.env) or None,
            stdout=subprocess.PIPE,
        )
        self._running.append(plugin)
        assert plugin.stdout is not None
        context.add_callback(plugin.kill)
        for line in plugin.stdout:  # the port that it listens on
            yield language_pb2.RunPluginResponse(stdout=line)
        yield language_pb2.RunPluginResponse(exitcode=plugin.wait())


def main() -> None:
    """Serve until the engine ends."""
    server, host = grpc.server(futures.ThreadPoolExecutor(max_workers=4)), LanguageHost(sys.argv[-1])
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()

    def interrupted(*_: object) -> None:
        host.end()
        os._exit(0)

    signal.signal(signal.SIGINT, interrupted)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
