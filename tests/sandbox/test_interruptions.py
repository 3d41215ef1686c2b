"""Updates that are interrupted, killed, refused or run twice at once end in exactly one of everything."""

import json
import os
import signal
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from environments import Environment, MakeEnvironment, interrupt, wait_for
from sandbox import cloud as embedded_cloud
from sandbox import inventory


def duplicates(environment: Environment) -> dict[str, int]:
    """Names of subnets, gateways, tables, roles and groups that exist more than once in the emulated account."""
    ec2, iam = environment.client("ec2"), environment.client("iam")
    named = Counter[str]()
    for kind, answer in (
        ("subnet", ec2.describe_subnets()["Subnets"]),
        ("vpc", ec2.describe_vpcs()["Vpcs"]),
        ("table", ec2.describe_route_tables()["RouteTables"]),
        ("nat", [one for one in ec2.describe_nat_gateways()["NatGateways"] if one["State"] == "available"]),
        ("address", ec2.describe_addresses()["Addresses"]),
        ("endpoint", ec2.describe_vpc_endpoints()["VpcEndpoints"]),
        ("template", ec2.describe_launch_templates()["LaunchTemplates"]),
    ):
        for one in answer:
            name = next((tag["Value"] for tag in one.get("Tags", []) if tag["Key"] == "Name"), None)
            if name:
                named[f"{kind} {name}"] += 1
    for role in iam.list_roles()["Roles"]:
        named["role " + role["RoleName"].rsplit("-", 1)[0]] += 1
    return {name: number for name, number in named.items() if number > 1}


def test_an_interrupted_update_records_what_it_made_and_the_next_one_makes_the_rest(
    environment: MakeEnvironment,
) -> None:
    dev = environment("dev", backups=False, SANDBOX_LATENCY="0.004")
    process = dev.start("up")
    seen = wait_for(process, r"NatGateway|aws\.ec2\.Route\b")
    rest = interrupt(process, signal.SIGINT)
    assert process.returncode == 130, seen + rest
    assert "Interrupted" in rest
    assert "Traceback" not in rest
    dev.variables.clear()
    dev.run("up")
    assert "unchanged: 0 changes" in dev.run("up").output
    assert duplicates(dev) == {}


def read_one_line_and_go(environment: Environment, verb: str, *options: str) -> tuple[int, str]:
    """Exit code and standard error of a command whose output is closed after its first line, as by `| head -1`."""
    process = subprocess.Popen(
        environment.command(verb, *options),
        cwd=environment.project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert "Embedded cloud" in process.stdout.readline()
    process.stdout.close()
    complaint = process.stderr.read()
    return process.wait(timeout=300), complaint


@pytest.mark.thorough
def test_an_operation_whose_output_nobody_reads_is_finished_and_ends_quietly(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    assert read_one_line_and_go(dev, "up", "--yes") == (0, "")
    assert "unchanged: 0 changes" in dev.run("up").output
    assert read_one_line_and_go(dev, "down", "--yes") == (0, "")
    assert "Nothing to destroy" in dev.run("down", "--yes").output
    assert embedded_cloud.running(dev.home) is None


def test_a_killed_update_is_recovered_and_says_what_it_found(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False, SANDBOX_LATENCY="0.01")
    process = dev.start("up")
    wait_for(process, r"aws\.ec2\.Subnet")
    interrupt(process, signal.SIGKILL)
    left = dev.home / "state" / ".pulumi" / "locks"
    assert list(left.rglob("*.json")), "the kill left no lock behind: it came too late to prove anything"
    dev.variables.clear()
    recovered = dev.run("up")
    assert "Clearing the lock of an engine that was killed" in recovered.output
    assert "The last update was killed while it created" in recovered.output
    assert "unchanged: 0 changes" in dev.run("up").output
    assert duplicates(dev) == {}
    assert dev.run("down", "--yes").code == 0


@pytest.mark.thorough
def test_the_lock_of_a_living_engine_is_left_alone(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    dev.run("preview")
    lock = dev.home / "state" / ".pulumi" / "locks" / "organization" / "eks-analytics" / "dev" / "living.json"
    lock.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "pid": os.getpid(),
        "username": "me",
        "hostname": socket.gethostname(),
        "timestamp": "2026-01-01T00:00:00Z",
    }
    lock.write_text(json.dumps(content))
    refused = dev.run("up", code=1)
    assert "the stack is currently locked" in refused.output
    assert lock.exists()
    lock.unlink()


@pytest.mark.thorough
def test_two_updates_at_once_of_one_stack_wait_for_each_other_and_both_succeed(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    processes = [dev.start("up"), dev.start("up")]
    outputs = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    assert sum("Waiting: another command works on stack dev" in output for output in outputs) == 1
    assert sum("unchanged: 0 changes" in output for output in outputs) == 1
    assert duplicates(dev) == {}


def test_a_failed_call_is_shown_fails_the_update_and_is_mended_by_the_next(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    failed = dev.run("up", "--fail", "ec2:CreateSubnet:3", code=1)
    assert "CreateSubnet" in failed.output
    assert "Update failed" in failed.output
    dev.run("up")
    assert duplicates(dev) == {}


@pytest.mark.thorough
def test_a_lost_account_is_said_and_the_update_starts_afresh(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    planned = dev.run("preview").counts()["create"]
    dev.run("up", "--fail", "ec2:CreateSubnet:3", code=1)
    os.kill(json.loads((dev.home / "cloud.json").read_text())["pid"], signal.SIGKILL)
    again = dev.run("up")
    assert "The emulated account of this stack is gone" in again.output
    assert again.counts() == {"created": planned}


@pytest.mark.thorough
def test_two_environments_side_by_side_do_not_meet(environment: MakeEnvironment) -> None:
    one, two = environment("dev", backups=False), environment("dev", backups=False)
    one.run("up")
    assert embedded_cloud.running(two.home) is None
    two.run("up")
    assert one.cloud().identity != two.cloud().identity
    one.run("down", "--yes")
    assert inventory.inventory(two.cloud(), "us-east-1")


def test_production_is_not_destroyed_by_one_command(environment: MakeEnvironment) -> None:
    refused = environment("prod").run("down", "--yes", code=1)
    assert "is marked production" in refused.output
    assert "make stop STACK=prod" in refused.output


def test_the_production_stack_plans(environment: MakeEnvironment) -> None:
    plan = environment("prod").run("preview")
    assert plan.counts()["create"] > 60
    assert not (Path(environment("prod").home) / "cloud.json").exists()


def test_an_unknown_stack_is_an_error_that_names_the_known_ones(environment: MakeEnvironment) -> None:
    dev = environment("dev", backups=False)
    process = dev.start("outputs")
    process.communicate()
    missing = Environment(dev.folder, "nosuch", {})
    process = missing.start("stop")
    assert process.wait() == 0
    command = [part for part in missing.command("preview") if part != "--config-file" and "Pulumi.nosuch" not in part]
    result = subprocess.run(command, capture_output=True, text=True, cwd=dev.project)
    assert result.returncode == 1
    assert "the stacks here are dev, e6data, prod" in result.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "missing configuration value 'product'"),
        ("- a", "is no stack configuration"),
        ("config: 5", "is no stack configuration"),
        ("config: {a", "cannot be read as YAML"),
        ("config: {eks-analytics:product: dash-enterprise, eks-analytics:cluster: hello}", "must be of type 'object'"),
    ],
)
def test_a_file_that_is_no_configuration_is_an_error_in_one_sentence(
    environment: MakeEnvironment, content: str, says: str
) -> None:
    dev = environment("dev", backups=False)
    command = dev.command("preview")
    (dev.folder / "Pulumi.dev.yaml").write_text(content)
    result = subprocess.run(command, capture_output=True, text=True, cwd=dev.project)
    assert result.returncode == 1
    assert says in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert "stderr:" not in result.stdout
