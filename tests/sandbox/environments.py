"""A stack in a folder of its own, and the commands that a person types for it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox import cloud as embedded_cloud
from sandbox.cloud import Cloud

PROJECT = Path(__file__).resolve().parents[2]


@dataclass
class Result:
    code: int
    output: str
    seconds: float

    def counts(self) -> dict[str, int]:
        """The numbers of the last line that sums up: {"created": 74, "unchanged": 3}."""
        summary = re.findall(
            r"^(?:\w+ failed\. )?(?:Plan|Done|Destroyed|Read|So far|Interrupted): (.*) \(", self.output, re.MULTILINE
        )[-1]
        pairs = re.findall(r"(\d+) (?:to )?([a-z]+)", summary)
        return {word: int(number) for number, word in pairs}

    def lines(self, word: str) -> list[str]:
        return [line.strip() for line in self.output.splitlines() if re.search(rf"\b{word}\b", line)]


@dataclass
class Environment:
    """A stack in a folder of its own, whose configuration a test may change between commands."""

    folder: Path
    stack: str
    config: dict[str, Any]
    project: Path = PROJECT
    variables: dict[str, str] = field(default_factory=dict)
    policies: bool = False
    """Whether its plans and updates are judged, which takes a process more for each."""

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def __getitem__(self, key: str) -> Any:
        return self.config[f"eks-analytics:{key}"]

    def __setitem__(self, key: str, value: object) -> None:
        self.config[f"eks-analytics:{key}"] = value

    def command(self, verb: str, *options: str) -> list[str]:
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        file.write_text(yaml.safe_dump({"config": self.config}))
        arguments = [sys.executable, "-m", "sandbox", verb, "--stack", self.stack, "--home", str(self.home)]
        return [
            *arguments,
            *(["--config-file", str(file)] if verb in ("up", "preview", "down", "refresh") else []),
            *(["--no-policies"] if verb in ("preview", "up") and not self.policies else []),
            *options,
        ]

    def start(self, verb: str, *options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(verb, *options),
            cwd=self.project,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, verb: str, *options: str, code: int = 0) -> Result:
        began = time.monotonic()
        process = self.start(verb, *options)
        output, _ = process.communicate(timeout=600)
        result = Result(process.returncode, output, time.monotonic() - began)
        assert result.code == code, f"{verb} ended with {result.code}, not {code}:\n{output}"
        assert "Traceback" not in output, output
        return result

    def cloud(self) -> Cloud:
        running = embedded_cloud.running(self.home)
        assert running is not None, "the embedded cloud is not running"
        return running

    def client(self, service: str) -> Any:
        return self.cloud().client(service, self.config["aws:region"])

    def outputs(self) -> dict[str, Any]:
        output = self.run("outputs").output
        return json.loads(output[output.index("{") :])

    def state(self) -> list[dict[str, Any]]:
        file = self.home / "state" / ".pulumi" / "stacks" / "eks-analytics" / f"{self.stack}.json"
        return json.loads(file.read_text())["checkpoint"]["latest"]["resources"]

    def kill(self) -> None:
        embedded_cloud.stop(self.home)


MakeEnvironment = Callable[..., Environment]


def wait_for(process: "subprocess.Popen[str]", pattern: str) -> str:
    """Read the command's output until a line matches; returns what was read."""
    assert process.stdout is not None
    read: list[str] = []
    for line in process.stdout:
        read.append(line)
        if re.search(pattern, line):
            return "".join(read)
    raise AssertionError(f"{pattern!r} never came:\n{''.join(read)}")


def interrupt(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    """Signal the whole group, as a terminal does, and return the rest of the output."""
    os.killpg(process.pid, number)
    output, _ = process.communicate(timeout=120)
    return output
