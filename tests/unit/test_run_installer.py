"""The unattended installation, run for real against installers that do what the vendor's does, or fail to."""

import ast
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eks_analytics.first_boot import run_installer_script

PASSWORD = 'it\'s a "secret" & $HOME'
QUOTED = "'it'\\''s a \"secret\" & $HOME'"
PARAMETER, GROUP = "/analytics/bootstrap/status", "/analytics/bootstrap"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
FORWARDING = "echo 'Forwarding from 0.0.0.0:8800 -> 3000'\nsleep 1000\n"
AWS = """#!/bin/sh
[ -e "$STATE/no-aws" ] && exit 255
echo "aws $*" >>"$STATE/calls"
number=$(ls "$STATE/delivered" | wc -l)
case "$1 $2" in
  "ssm put-parameter") printf '%s' "$9" >"$STATE/delivered/$(printf %05d "$number").status" ;;
  "logs put-log-events") cp "${8#file://}" "$STATE/delivered/$(printf %05d "$number").events" ;;
  "logs create-log-stream") [ ! -e "$STATE/slow" ] || sleep 3 ;;
  *) exit 252 ;;
esac
"""


class Host:
    """A bootstrap host after its first boot, with an installer of the test's."""

    def __init__(self, directory: Path, python: str = sys.executable) -> None:
        self.root, self.state, self.python = directory / "root", directory / "state", python
        self.files = self.root / "home/ubuntu/dash-enterprise"
        self.log = self.root / "var/log/dash-enterprise/install.log"
        self.installed = self.root / "var/lib/dash-enterprise/installed"
        for path in (self.files, self.log.parent, self.installed.parent, self.state / "bin", self.state / "delivered"):
            path.mkdir(parents=True)
        (self.state / "bin" / "aws").write_text(AWS)
        (self.state / "bin" / "aws").chmod(0o755)
        (self.state / "run_installer.py").write_text(run_installer_script())

    def installer(self, script: str) -> None:
        head = f'#!/bin/bash\nexport ADMIN_PASSWORD={QUOTED}\necho $$ >>"$STATE/pids"\n'
        (self.files / "install_de_aws.sh").write_text(head + script)

    def start(self, minutes: float = 1) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [self.python, str(self.state / "run_installer.py"), PARAMETER, GROUP, str(minutes)],
            env={
                "PATH": f"{self.state / 'bin'}:{os.environ['PATH']}",
                "ROOT": str(self.root),
                "STATE": str(self.state),
                "PAUSE": "0.1",
                "HOME": str(self.files.parent),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: str | None = None, minutes: float = 1) -> int:
        if script is not None:
            self.installer(script)
        process = self.start(minutes)
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            process.kill()
        assert PASSWORD not in output
        assert "Traceback" not in output, output
        return process.returncode

    @property
    def statuses(self) -> list[str]:
        return [path.read_text() for path in sorted((self.state / "delivered").glob("*.status"))]

    @property
    def batches(self) -> list[list[dict[str, Any]]]:
        return [json.loads(path.read_text()) for path in sorted((self.state / "delivered").glob("*.events"))]

    @property
    def shipped(self) -> list[str]:
        return [event["message"] for batch in self.batches for event in batch]

    @property
    def logged(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.log.read_text().splitlines()]

    def alive(self) -> list[int]:
        return [int(pid) for pid in (self.state / "pids").read_text().split() if _runs(int(pid))]


def _runs(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    return False


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    machine = Host(tmp_path)
    yield machine
    if (machine.state / "pids").exists():
        for pid in machine.alive():
            os.kill(pid, signal.SIGKILL)


PROMPTS = {
    "on stdin": """
read -r -p "Enter installation path (leave blank for /usr/local/bin): " path; echo "path=[$path]"
read -r -p "Would you like to grant write permissions to /usr/local/bin? " answer; echo "answer=[$answer]"
""",
    "on the terminal, for a script that comes through a pipe": """
cat <<'END' | bash
read -r -p "Enter installation path (leave blank for /usr/local/bin): " path </dev/tty; echo "path=[$path]"
read -r -p "/usr/local/bin is not writable. Grant write permissions? (y/n) " -n 1 answer </dev/tty
echo; echo "answer=[$answer]"
END
""",
    "on lines of their own": """
echo "Enter installation path (leave blank for /usr/local/bin):"; read -r path; echo "path=[$path]"
echo "Allow sudo to write to /usr/local/bin [y/N]"; read -r answer; echo "answer=[$answer]"
""",
    "in colours, and in pieces": r"""
printf '\033[1mEnter instal'; sleep 0.2; printf 'lation\033[0m path (leave bl\033[32mank for /usr/local/bin): '
read -r path; echo "path=[$path]"
printf '\033[33mPermission to write to /usr/loc'; sleep 0.2; printf 'al/bin?\033[0m '
read -r -s -n 1 answer; echo; echo "answer=[$answer]"
""",
    "of a newer plug-in installer": """
read -r -p "installation directory [/usr/local/bin]: " path; echo "path=[$path]"; echo "answer=[y]"
""",
}


@pytest.mark.parametrize("prompts", PROMPTS)
def test_both_prompts_are_answered(host: Host, prompts: str) -> None:
    assert host.run(PROMPTS[prompts] + FORWARDING) == 0
    assert "path=[]" in host.logged
    assert "answer=[y]" in host.logged


FORWARDINGS = {
    "on all addresses": "echo 'Forwarding from 0.0.0.0:8800 -> 3000'",
    "on this machine": "echo 'Forwarding from 127.0.0.1:8800 -> 3000'; echo 'Forwarding from [::1]:8800 -> 3000'",
    "in colours": r"printf '\033[32mForwarding from \033[1m0.0.0.0:8800\033[0m -> 3000\033[0m\n'",
    "without the end of the line": "printf 'Forwarding from 0.0.0.0:8800 -> 3000'",
    "in pieces": "printf 'Forwarding fr'; sleep 0.3; printf 'om 0.0.0.0:8800 '; sleep 0.3; echo '-> 3000'",
    "over a progress bar": r"printf '10%%\r50%%\r100%%\rForwarding from 0.0.0.0:8800 -> 3000'",
    "behind bytes that are no text": r"printf '\377\376\033]0;title\007Forwarding from 0.0.0.0:8800 -> 3000\n'",
}


@pytest.mark.parametrize("forwarding", FORWARDINGS)
def test_the_port_forward_is_success_and_ends_the_installer(host: Host, forwarding: str) -> None:
    started = 'nohup sleep 1000 >/dev/null 2>&1 & echo $! >>"$STATE/pids"\n'
    assert host.run(f"{started}{FORWARDINGS[forwarding]}\nwait\n") == 0
    assert host.alive() == []
    assert re.fullmatch(f"installing since {TIME}", host.statuses[0])
    assert re.fullmatch(f"installed {TIME}", host.statuses[1])
    assert host.installed.read_text() == host.statuses[1] + "\n"
    assert any("Forwarding from" in line for line in host.logged)
    assert any("Forwarding from" in line for line in host.shipped)


def test_a_port_forward_of_something_else_is_no_success(host: Host) -> None:
    assert host.run("echo 'Forwarding from 127.0.0.1:9090 -> 9090'\n") == 1


def test_an_exit_before_the_port_forward_is_a_failure_with_code_and_last_lines(host: Host) -> None:
    script = "for number in $(seq 40); do echo step $number; done; echo 'Error: no storage class' >&2; exit 3\n"
    assert host.run(script) == 1
    status = host.statuses[-1]
    assert status.startswith(
        "failed: the installer ended before the port-forward, with exit code 3. The last lines of "
    )
    assert status.endswith("\nstep 39\nstep 40\nError: no storage class")
    assert "step 20\n" not in status
    assert not host.installed.exists()


def test_an_exit_with_success_before_the_port_forward_is_a_failure_too(host: Host) -> None:
    assert host.run("echo done\n") == 1
    assert "with exit code 0. " in host.statuses[-1]


def test_an_exit_counts_though_something_in_the_background_keeps_the_terminal(host: Host) -> None:
    assert host.run('sleep 1000 & echo $! >>"$STATE/pids"\nexit 4\n') == 1
    assert "with exit code 4. " in host.statuses[-1]
    assert host.alive() == []


def test_an_installer_that_hangs_is_ended_and_a_failure(host: Host) -> None:
    script = "echo waiting for the cluster\ntrap '' TERM\nprintf 'still waiting'\nwhile :; do sleep 0.2; done\n"
    assert host.run(script, minutes=0.05) == 1
    assert host.statuses[-1].startswith("failed: no port-forward after 0.05 minutes. The last lines of ")
    assert host.statuses[-1].endswith("\nwaiting for the cluster\nstill waiting")
    assert host.alive() == []


def test_a_missing_script_is_a_failure(host: Host) -> None:
    assert host.run() == 1
    assert "No such file or directory" in host.statuses[-1]
    assert "install_de_aws.sh" in host.statuses[-1]


def test_a_stop_of_the_service_ends_the_installer_and_is_a_failure(host: Host) -> None:
    host.installer("echo begun\nsleep 1000\n")
    process = host.start()
    deadline = time.monotonic() + 20
    while "begun" not in (host.log.read_text() if host.log.exists() else "") and time.monotonic() < deadline:
        time.sleep(0.05)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 1
    assert host.statuses[-1].startswith("failed: interrupted by signal 15")
    assert host.alive() == []


def test_the_password_is_nowhere_in_what_is_kept_or_sent(host: Host) -> None:
    script = f"""
echo "the password is $ADMIN_PASSWORD"; printf 'half of it'; printf ': %s' "$ADMIN_PASSWORD"; echo ' and on'
cat {host.files}/install_de_aws.sh
echo "last: $ADMIN_PASSWORD"; exit 1
"""
    assert host.run(script) == 1
    assert "the password is ********" in host.logged
    assert "half of it: ******** and on" in host.shipped
    assert "export ADMIN_PASSWORD=********" in host.logged
    assert host.statuses[-1].endswith("last: ********")
    kept = [path for path in [*host.root.rglob("*"), *host.state.rglob("*")] if path.is_file()]
    holders = {path.name for path in kept if PASSWORD in path.read_text() or QUOTED in path.read_text()}
    assert holders == {"install_de_aws.sh"}


@pytest.mark.parametrize("head", ["", "export  ", "export\t", "\texport ", "readonly\t ", "declare -x ", "true; "])
def test_the_password_is_masked_however_it_is_assigned_and_printed(host: Host, head: str) -> None:
    password = " two  blanks\tand a tab "
    (host.files / "install_de_aws.sh").write_text(
        f"#!/bin/bash\necho $$ >>$STATE/pids\n{head}ADMIN_PASSWORD='{password}'\n"
        'echo quoted: "$ADMIN_PASSWORD"\necho plain: $ADMIN_PASSWORD\n'
        'set -x; export ADMIN_PASSWORD; env A="$ADMIN_PASSWORD" true; set +x; echo "the end"; exit 1\n'
    )
    process = host.start()
    process.communicate(timeout=60)
    told = [*host.logged, *host.shipped, *host.statuses]
    assert not [line for line in told if re.search(r"two\s+blanks", line)]
    assert {"plain: ********", "the end"} <= set(host.logged)


def test_the_log_is_shipped_completely_and_in_order(host: Host) -> None:
    assert host.run("for number in $(seq 500); do echo line $number; done\n" + FORWARDING) == 0
    lines = [f"line {number}" for number in range(1, 501)]
    assert [line for line in host.shipped if line.startswith("line ")] == lines
    assert [line for line in host.logged if line.startswith("line ")] == lines
    times = [event["timestamp"] for batch in host.batches for event in batch]
    assert times == sorted(times)
    assert abs(times[-1] / 1000 - time.time()) < 120
    streams = {call.split()[6] for call in (host.state / "calls").read_text().splitlines() if " logs " in call}
    assert len(streams) == 1
    assert ":" not in streams.pop()


def test_a_batch_stays_below_what_cloudwatch_takes(host: Host) -> None:
    (host.state / "slow").touch()  # so that lines pile up
    long = "line=$(printf 'ü%.0s' $(seq 40000)); for number in $(seq 40); do echo \"$line\"; done\n"
    assert host.run(f"{long}seq 25000\n{FORWARDING}") == 0
    assert len(host.shipped) == 25_041
    for batch in host.batches:
        assert len(batch) <= 10_000
        assert sum(len(event["message"].encode()) + 26 for event in batch) <= 1_048_576


def test_a_line_that_begins_like_the_one_before_is_another_line(host: Host) -> None:
    assert host.run(f"printf '4\\n4'; sleep 0.3; echo\n{FORWARDING}") == 0
    assert host.logged.count("4") == host.shipped.count("4") == 2


def test_a_line_without_end_is_logged_in_pieces(host: Host) -> None:
    assert host.run(f"head -c 300000 /dev/zero | tr '\\0' .\necho\n{FORWARDING}") == 0
    pieces = [line for line in host.shipped if line.startswith(".")]
    assert sum(map(len, pieces)) == 300_000
    assert max(map(len, pieces)) < 120_000


def test_a_status_stays_below_what_parameter_store_takes(host: Host) -> None:
    assert host.run("for number in $(seq 20); do printf '{{ü%.0s' $(seq 300); echo; done; exit 1\n") == 1
    assert 3_900 < len(host.statuses[-1].encode()) <= 4_096
    assert "{{" not in host.statuses[-1]


def test_without_aws_the_installation_goes_on_and_is_logged_here(host: Host) -> None:
    (host.state / "no-aws").touch()
    assert host.run(FORWARDING) == 0
    assert host.installed.read_text().startswith("installed ")
    assert (host.installed.parent / "status").read_text() == host.installed.read_text()
    assert any("Forwarding from" in line for line in host.logged)


def test_a_second_run_after_success_does_nothing(host: Host) -> None:
    host.run(FORWARDING)
    delivered = len(list((host.state / "delivered").iterdir()))
    assert host.run("echo again; exit 1\n") == 0
    assert len(list((host.state / "delivered").iterdir())) == delivered
    assert "again" not in host.logged


def test_a_second_run_after_a_failure_tries_again(host: Host) -> None:
    assert host.run("echo first try; exit 1\n") == 1
    assert host.run(FORWARDING) == 0
    assert "first try" in host.logged
    assert host.statuses[-1].startswith("installed ")


def test_the_plug_in_installer_is_told_where_to_write_and_the_script_where_the_cluster_is(host: Host) -> None:
    host.run('echo "$REPL_INSTALL_PATH $REPL_USE_SUDO $KUBECONFIG"; pwd\n' + FORWARDING)
    assert f"/usr/local/bin y {host.files.parent}/.kube/config" in host.logged
    assert str(host.files) in host.logged


def test_it_is_written_for_the_oldest_python_of_the_images() -> None:
    ast.parse(run_installer_script(), feature_version=(3, 8))


def _oldest_python() -> str:
    found = shutil.which("python3.8")
    works = found and subprocess.run([found, "--version"], capture_output=True, check=False).returncode == 0
    return found if found and works else ""


@pytest.mark.skipif(not _oldest_python(), reason="Python 3.8, of Ubuntu 20.04, is not installed")
def test_it_runs_with_the_oldest_python_of_the_images(tmp_path: Path) -> None:
    oldest = Host(tmp_path, _oldest_python())
    assert oldest.run(PROMPTS["on stdin"] + FORWARDING) == 0
    assert "answer=[y]" in oldest.shipped
