"""Runs the vendor's install_de_aws.sh on the bootstrap host with nobody at the keyboard, and says how it ended.

The script never returns: it ends in a port-forward to the admin console, and that line is what success looks like.
Its prompts read from the terminal, so that it gets one of its own. Needs nothing but the Python of Ubuntu 20.04, 3.8.

    run_installer.py STATUS_PARAMETER LOG_GROUP TIMEOUT_MINUTES
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from collections import deque
from pathlib import Path

ROOT = os.environ.get("ROOT", "")
SCRIPT = Path(f"{ROOT}/home/ubuntu/dash-enterprise/install_de_aws.sh")
STATE = Path(f"{ROOT}/var/lib/dash-enterprise")
LOG = Path(f"{ROOT}/var/log/dash-enterprise/install.log")
PAUSE = float(os.environ.get("PAUSE", "2"))  # seconds between two deliveries of the log, and between two tries

SUCCESS = re.compile(r"Forwarding from \S+:8800 -> 3000")
ANSWERS = (
    # The second is how newer plug-in installers ask; they take the default after 15 seconds.
    (re.compile(r"Enter installation path \(leave blank|installation directory \[[^]]*\]:"), b"\n"),
    # The words are not published, only that it is about writing to this directory, and that the answer is y.
    (re.compile(r"(?i)^(?=.*\b(?:writ|permission|sudo))(?=.*/usr/local/bin).*(?:\?|\by(?:es)?/n|press y)"), b"y\n"),
)
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-Z]|[=>@-Z\\-_])")
LONGEST_LINE = 50_000
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
MOST_EVENTS, MOST_BYTES, BYTES_OF_AN_EVENT = 10_000, 1_000_000, 26
LONGEST_STATUS = 4_000  # bytes; a parameter takes 4 KB


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def aws(*arguments: str) -> bool:
    """Three tries; a log or a status that cannot be delivered never stops the installation."""
    for _ in range(3):
        try:
            subprocess.run(("aws", *arguments), stdout=subprocess.DEVNULL, timeout=60, check=True)
        except (OSError, subprocess.SubprocessError):
            time.sleep(PAUSE)
        else:
            return True
    return False


def report(parameter: str, status: str) -> None:
    # Parameter Store refuses what looks like a reference to another parameter.
    short = status.replace("{{", "{ {").encode()[:LONGEST_STATUS].decode(errors="ignore")
    (STATE / "status").write_text(short + "\n", encoding="utf-8")
    aws("ssm", "put-parameter", "--name", parameter, "--type", "String", "--overwrite", "--value", short)


def secrets_of(script: str) -> list[str]:
    """The admin password as it may be printed: plain, and as the script spells it, wherever it is assigned."""
    found: set[str] = set()
    for spelled in re.findall(r"(?m)\bADMIN_PASSWORD\+?=(.+)$", script):
        try:
            plain = "".join(shlex.split(spelled, comments=True)[:1])
        except ValueError:
            plain = spelled
        if plain and not plain.startswith("$"):  # another variable, or nothing, is no secret
            found |= {spelled.strip(), plain, shlex.quote(plain)}
    return sorted(found, key=len, reverse=True)


def mask(secrets: list[str]) -> re.Pattern[str]:
    """Finds the secrets, and whatever is printed as the value of ADMIN_PASSWORD.

    A shell prints an unquoted variable with one blank for any white space in it.
    """
    known = [r"\s+".join(re.escape(word) for word in secret.split()) for secret in secrets if secret.strip()]
    assigned = r"""(?<=\bADMIN_PASSWORD=)(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\;])+"""
    return re.compile("|".join([*known, assigned]))


class Log:
    """Every line without colours and without the password: in the file, in CloudWatch, and the last ones here."""

    def __init__(self, group: str, secrets: list[str]) -> None:
        self.last: deque[str] = deque(maxlen=15)
        self._mask = mask(secrets)
        self._stream = ("--log-group-name", group, "--log-stream-name", "install-" + now().replace(":", "."))
        self._events: deque[dict[str, object]] = deque()
        self._timestamp = 0
        self._closing = threading.Event()
        self._file = LOG.open("a", encoding="utf-8")
        self.delivery = threading.Thread(target=self._deliver, daemon=True)

    def write(self, line: str) -> None:
        if not line.strip():
            return
        line = self._mask.sub("********", line)
        self._file.write(f"{now()} {line}\n")
        self._file.flush()
        self.last.append(line)
        self._timestamp = max(self._timestamp, int(time.time() * 1000))  # a batch must be in order
        self._events.append({"timestamp": self._timestamp, "message": line})

    def close(self) -> None:
        self._closing.set()
        self.delivery.join(120)
        self._file.close()

    def _deliver(self) -> None:
        aws("logs", "create-log-stream", *self._stream)
        while not self._closing.wait(PAUSE) or self._events:
            batch: list[dict[str, object]] = []
            size = 0
            while self._events and len(batch) < MOST_EVENTS:
                size += len(str(self._events[0]["message"]).encode()) + BYTES_OF_AN_EVENT
                if size > MOST_BYTES:
                    break
                batch.append(self._events.popleft())
            if batch:
                with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
                    json.dump(batch, file)
                    file.flush()
                    aws("logs", "put-log-events", *self._stream, "--log-events", f"file://{file.name}")


def read(terminal: int) -> bytes | None:
    """What was printed since, within a second; None once nothing has the terminal open any more."""
    if not select.select([terminal], [], [], 1)[0]:
        return b""
    try:
        return os.read(terminal, 65_536)
    except OSError:  # that is how Linux says so
        return None


def ended(installer: int) -> bool:
    return os.waitid(os.P_PID, installer, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def watch(terminal: int, installer: int, minutes: float, log: Log) -> str:
    """Log and answer until the port is forwarded: then "", else why it is not."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    deadline = time.monotonic() + minutes * 60
    line = ""
    while time.monotonic() < deadline:
        printed = read(terminal)
        if printed is None or (not printed and ended(installer)):  # whatever it left in the background
            log.write(ESCAPES.sub("", line))
            return "the installer ended before the port-forward"
        *lines, line = re.split(r"[\r\n]+", line + decoder.decode(printed))
        if len(line) > LONGEST_LINE:
            lines, line = [*lines, line], ""
        for number, raw in enumerate([*lines, line]):
            finished, text = number < len(lines), ESCAPES.sub("", raw)
            if SUCCESS.search(text):
                log.write(text)
                return ""
            answer = next((answer for prompt, answer in ANSWERS if prompt.search(text)), b"")
            if answer:
                os.write(terminal, answer)
            if answer or finished:
                log.write(text)
            if answer and not finished:
                line = ""  # answered: the rest of the prompt is no second one
    log.write(ESCAPES.sub("", line))
    return f"no port-forward after {minutes:g} minutes"


def end(installer: int) -> int:
    """End the installer with all that it started; its exit code, negative for the signal that ended it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.killpg(installer, number)
        deadline = time.monotonic() + 5
        while not ended(installer) and time.monotonic() < deadline:
            time.sleep(0.1)
    status = os.waitpid(installer, 0)[1]
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def install(log: Log, minutes: float) -> str:
    """Run the installer: "", or why it failed."""
    environment = {
        **os.environ,
        "KUBECONFIG": f"{ROOT}/home/ubuntu/.kube/config",
        # The plug-in's own installer: where to, and that the directory takes sudo.
        "REPL_INSTALL_PATH": "/usr/local/bin",
        "REPL_USE_SUDO": "y",
    }
    installer, terminal = pty.fork()
    if installer == 0:
        os.chdir(SCRIPT.parent)
        os.execvpe("bash", ["bash", SCRIPT.name], environment)
    log.delivery.start()  # not before: a fork copies no threads
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 500, 0, 0))  # no line is wrapped
    try:
        why = watch(terminal, installer, minutes, log)
    finally:
        code = end(installer)
        os.close(terminal)
    return f"{why}, with exit code {code}" if "ended" in why else why


def interrupted(number: int, frame: object) -> None:
    raise SystemExit(f"interrupted by signal {number}")


def main(parameter: str, group: str, minutes: str) -> int:
    if (STATE / "installed").exists():
        return 0
    signal.signal(signal.SIGTERM, interrupted)
    report(parameter, f"installing since {now()}")
    try:
        log = Log(group, secrets_of(SCRIPT.read_text(encoding="utf-8", errors="replace")))
    except OSError as error:
        report(parameter, f"failed: {error}")
        return 1
    try:
        why = install(log, float(minutes))
    except SystemExit as error:
        why = str(error)
    log.close()
    if why:
        report(parameter, "\n".join([f"failed: {why}. The last lines of {LOG}:", *log.last]))
        return 1
    status = f"installed {now()}"
    (STATE / "installed").write_text(status + "\n", encoding="utf-8")
    report(parameter, status)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
