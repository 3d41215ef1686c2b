"""Commands in the embedded cloud: what the real provider does with them, and the drain on an emulated account."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_command as command
import pytest
from pulumi.automation.errors import CommandError

from eks_analytics.drain import LoadBalancerDrain
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from sandbox.providers.command import PROGRAMS, CommandProvider, Kubernetes, programs_environment
from sandbox.providers.protocol import InvalidInputsError, ProviderError, Resource
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "eu-west-3"
COMMAND = Resource("urn:pulumi:t::p::command:local:Command::c", "command:local:Command", "c")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("commands") / "dev"
    yield clouds.start(home)
    clouds.stop(home)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path, said: list[str]) -> SmallStack:
    kubernetes = Kubernetes(tmp_path / "kubeconfig", tmp_path / "built")
    commands = CommandProvider(lambda: cloud, said.append, lambda: kubernetes)
    return SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None), "command": commands})


def running(**arguments: Any) -> Program:
    """A program with one command, whose output it exports."""

    def run() -> None:
        made = command.local.Command("step", **arguments)
        pulumi.export("stdout", made.stdout)
        pulumi.export("stderr", made.stderr)

    return run


def test_create_update_and_delete_run_at_their_time_with_their_environment(stack: SmallStack, tmp_path: Path) -> None:
    log = tmp_path / "log"
    steps = {
        verb: f'cat; echo {verb} "$WORD" "$PULUMI_COMMAND_STDOUT" >> {log}' for verb in ("create", "update", "delete")
    }
    first = {**steps, "environment": {"WORD": "one"}, "stdin": "given"}
    assert stack.up(running(**first)) == {"stdout": "given", "stderr": ""}
    stack.up(running(**first))
    assert log.read_text().split() == ["create", "one"]
    stack.up(running(**{**first, "environment": {"WORD": "two"}, "stdin": ""}))
    stack.destroy()
    assert [line.split() for line in log.read_text().splitlines()] == [
        ["create", "one"],
        ["update", "two", "given"],
        ["delete", "two"],
    ]


def test_a_preview_runs_nothing(stack: SmallStack, tmp_path: Path) -> None:
    assert stack.preview(running(create=f"touch {tmp_path / 'ran'}"))["create"] == 2
    assert not (tmp_path / "ran").exists()


def test_without_a_command_for_it_a_change_runs_nothing(stack: SmallStack) -> None:
    stack.up(running(delete="exit 3", environment={"WORD": "one"}))
    stack.up(running(delete="true", environment={"WORD": "two"}))
    assert stack.changes["update"] == 1
    stack.destroy()


def test_changed_triggers_replace_unless_there_is_a_command_for_updates(stack: SmallStack) -> None:
    for update, done in ((None, "replace"), ("true", "update")):
        stack.up(running(create="true", update=update, triggers=["one"]))
        stack.up(running(create="true", update=update, triggers=["two"]))
        assert stack.changes[done] == 1
        stack.destroy()


def test_a_failure_shows_the_command_and_all_that_it_printed(stack: SmallStack, said: list[str]) -> None:
    with pytest.raises(CommandError, match='exit status 7: running "echo out; echo err >&2; exit 7"') as failed:
        stack.up(running(create="echo out; echo err >&2; exit 7"))
    assert "err" in str(failed.value)
    assert sorted(said) == ["step: err", "step: out"]


def test_a_command_that_says_much_ends_although_nobody_listens(cloud: Cloud) -> None:
    def deaf(_message: str) -> None:
        raise SystemExit(1)

    provider = CommandProvider(lambda: cloud, deaf)
    many = "seq 100000; seq 100000 >&2"  # more than a pipe holds
    printed = provider.create(COMMAND, {"create": many}, False)[1]
    assert printed["stdout"].endswith("\n100000")
    assert printed["stderr"] == printed["stdout"]


def test_no_command_sees_the_callers_account_or_cluster(
    stack: SmallStack, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "KUBECONFIG", "PULUMI_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "mine")
    printed = stack.up(running(create="env; command -v aws; command -v kubectl"))["stdout"]
    assert "mine" not in printed
    assert f"AWS_ENDPOINT_URL={cloud.aws_url}" in printed
    assert printed.splitlines()[-2:] == [str(PROGRAMS / "aws"), str(PROGRAMS / "kubectl")]


def test_aws_asks_the_emulated_account_and_reports_errors_as_the_real_one(stack: SmallStack) -> None:
    ask = f"aws sts get-caller-identity --region {REGION}; aws eks describe-cluster --region {REGION} "
    ask += '--cli-input-json \'{"name": "none"}\' || echo ended with $?'
    result = stack.up(running(create=ask))
    assert '"Account": "123456789012"' in result["stdout"]
    assert "(ResourceNotFoundException) when calling the DescribeCluster operation" in result["stderr"]
    assert "ended with 254" in result["stdout"]


def test_aws_takes_the_options_of_its_operation_as_the_real_one_does(cloud: Cloud) -> None:
    def cli(*arguments: str) -> "subprocess.CompletedProcess[str]":
        variables = os.environ | cloud.environment(REGION) | programs_environment(cloud.home)
        return subprocess.run([PROGRAMS / "aws", *arguments], env=variables, capture_output=True, text=True)

    vpc = json.loads(cli("ec2", "create-vpc", "--cidr-block", "10.66.0.0/16").stdout)["Vpc"]["VpcId"]
    filters = json.dumps({"Name": "vpc-id", "Values": [vpc]})
    for options in (("--vpc-ids", vpc), ("--filters", filters), ("--filters", f"[{filters}]", "--max-results", "5")):
        assert [one["VpcId"] for one in json.loads(cli("ec2", "describe-vpcs", *options).stdout)["Vpcs"]] == [vpc]
    assert json.loads(cli("ec2", "describe-vpcs", "--region", "us-west-2", "--filters", filters).stdout)["Vpcs"] == []
    for arguments, said in (
        (("ec2", "describe-vpc"), "ec2 has no operation describe-vpc"),
        (("ec2", "describe-vpcs", "--name", "x"), "--name is no option of this operation; it has"),
        (("ec2", "describe-vpcs", "--filters", "Name=vpc-id,Values=x"), "is not JSON"),
    ):
        refused = cli(*arguments)
        assert (refused.returncode, said in refused.stderr) == (1, True), refused.stderr
    assert cli("ec2", "delete-vpc", "--vpc-id", vpc).returncode == 0


def test_kubectl_asks_the_api_server_of_the_sandbox_whatever_the_kubeconfig_says(
    stack: SmallStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, monkeypatch, "kubectl", 'echo "$@"')
    printed = stack.up(running(create="kubectl get pods -l 'a in (b, c)' --kubeconfig=real"))["stdout"]
    assert printed == f"get pods -l a in (b, c) --kubeconfig={tmp_path / 'kubeconfig'}"


def test_a_kubectl_that_was_built_here_is_for_machines_without_one(cloud: Cloud, tmp_path: Path) -> None:
    provider = CommandProvider(lambda: cloud, lambda _: None, lambda: Kubernetes(tmp_path / "kubeconfig", tmp_path))
    printed = provider.create(COMMAND, {"create": 'echo "$SANDBOX_PATH"'}, False)[1]["stdout"]
    assert printed.endswith(f"{os.pathsep}{tmp_path}")


def test_a_cluster_to_which_nothing_was_applied_is_empty(cloud: Cloud) -> None:
    provider = CommandProvider(lambda: cloud, lambda _: None)
    printed = provider.create(COMMAND, {"create": "kubectl get services --all-namespaces -o json"}, False)[1]["stdout"]
    assert json.loads(printed)["items"] == []
    with pytest.raises(ProviderError, match="nothing was ever applied"):
        provider.create(COMMAND, {"create": "kubectl delete service x"}, False)


def test_what_it_does_not_emulate_is_refused(cloud: Cloud) -> None:
    provider = CommandProvider(lambda: cloud, print)
    with pytest.raises(InvalidInputsError, match="assetPaths: is not supported"):
        provider.check(COMMAND, {}, {"assetPaths": ["*"]}, b"")
    with pytest.raises(InvalidInputsError, match="did you mean 'delete'"):
        provider.check(COMMAND, {}, {"delte": "true"}, b"")
    with pytest.raises(ProviderError, match="command:remote:Command is not supported"):
        provider.check(Resource("u", "command:remote:Command", "c"), {}, {}, b"")


def test_the_knob_fails_the_step_it_names_once(cloud: Cloud, tmp_path: Path) -> None:
    knobs = Knobs.parse(["command:Create", "command:Delete"])
    provider = CommandProvider(lambda: cloud, lambda _: None, knobs=knobs)
    steps = {"create": f"touch {tmp_path / 'made'}", "delete": f"rm {tmp_path / 'made'}"}
    with pytest.raises(ProviderError, match="command:Create: injected failure"):
        provider.create(COMMAND, steps, False)
    assert not (tmp_path / "made").exists()
    id, state = provider.create(COMMAND, steps, False)
    with pytest.raises(ProviderError, match="command:Delete: injected failure"):
        provider.delete(COMMAND, id, steps, state)
    provider.delete(COMMAND, id, steps, state)
    assert not (tmp_path / "made").exists()


def test_a_cancelled_update_ends_the_command_and_what_it_started(cloud: Cloud, tmp_path: Path) -> None:
    provider = CommandProvider(lambda: cloud, lambda _: provider.Cancel(None, None))  # pyright: ignore[reportArgumentType]  # neither is looked at
    began = time.monotonic()
    with pytest.raises(ProviderError, match="exit status -9"):
        provider.create(COMMAND, {"create": "echo begun; sleep 60 & wait"}, False)
    assert time.monotonic() - began < 30


# The drain

SERVICE = {
    "metadata": {"name": "nginx", "namespace": "plotly-system", "uid": "1"},
    "spec": {"type": "LoadBalancer"},
}


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    """Put a program before all others that the machine has."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / name).write_text(f"#!/bin/sh\n{script}\n")
    (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def cluster(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Makes the cluster, and in it a Service with its load balancer, which goes when the Service goes."""
    service, arn = tmp_path / "service.json", tmp_path / "arn"
    on_path(
        tmp_path,
        monkeypatch,
        "kubectl",
        f"""
case "$1 $2" in
"get services") if [ -f {service} ]; then cat {service}; else echo '{{"items": []}}'; fi ;;
"get "*) echo '{{"items": []}}' ;;
"delete services")
    rm {service}
    {PROGRAMS}/aws elbv2 delete-load-balancer --region {REGION} --cli-input-json "$(cat {arn})" ;;
*) exit 9 ;;
esac""",
    )
    eks, balancers = cloud.client("eks", REGION), cloud.client("elbv2", REGION)

    def make(subnet: str) -> None:
        # A cluster of nobody here, in a network of its own.
        where = {"subnetIds": ["subnet-0123456789abcdef0"]}
        eks.create_cluster(name="analytics", roleArn="arn:aws:iam::123456789012:role/eks", resourcesVpcConfig=where)
        tags = [{"Key": "elbv2.k8s.aws/cluster", "Value": "analytics"}]
        made = balancers.create_load_balancer(Name="k8s-nginx", Type="network", Subnets=[subnet], Tags=tags)
        arn.write_text(json.dumps({"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}))
        service.write_text(json.dumps({"items": [SERVICE]}))

    yield make
    for one in balancers.describe_load_balancers()["LoadBalancers"]:
        balancers.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])
    if eks.list_clusters()["clusters"]:
        eks.delete_cluster(name="analytics")


def network() -> None:
    """A VPC with a drain before it."""
    options = pulumi.ResourceOptions(provider=aws.Provider("emulated", region=REGION))
    vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", opts=options)
    subnet = aws.ec2.Subnet("main", vpc_id=vpc.id, cidr_block="10.0.1.0/24", opts=options)
    LoadBalancerDrain(
        "drain",
        {
            "cluster_name": "analytics",
            "vpc_id": vpc.id,
            "region": REGION,
            "kubeconfig": "{}",
            "after": pulumi.Output.all(subnet.id),
            "minutes": 1,
        },
    )
    pulumi.export("subnet", subnet.id)


def vpcs(cloud: Cloud) -> list[Any]:
    return cloud.client("ec2", REGION).describe_vpcs(Filters=[{"Name": "is-default", "Values": ["false"]}])["Vpcs"]


def test_a_destroy_drains_before_the_network_goes(
    stack: SmallStack, cloud: Cloud, cluster: Callable[[str], None], said: list[str]
) -> None:
    cluster(stack.up(network)["subnet"])
    stack.up(network)
    assert stack.changes == {"same": 6}
    assert said == []
    stack.destroy()
    assert said[0] == "drain: Deleting services/nginx in plotly-system."
    assert said[-1].startswith("drain: No load balancer of the cluster analytics is left in vpc-")
    assert cloud.client("elbv2", REGION).describe_load_balancers()["LoadBalancers"] == []
    assert vpcs(cloud) == []


def test_a_drain_that_fails_leaves_everything_else_and_is_taken_up_again(
    stack: SmallStack,
    cloud: Cloud,
    cluster: Callable[[str], None],
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRAIN_PAUSE", "1")
    cluster(stack.up(network)["subnet"])
    cloud.client("eks", REGION).delete_cluster(name="analytics")
    with pytest.raises(CommandError, match="Nobody is left to remove load balancer k8s-nginx"):
        stack.destroy()
    assert len(vpcs(cloud)) == 1
    balancers = cloud.client("elbv2", REGION)
    for one in balancers.describe_load_balancers()["LoadBalancers"]:
        balancers.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])
    stack.destroy()
    assert vpcs(cloud) == []
