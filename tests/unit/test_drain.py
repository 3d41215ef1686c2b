"""The drain: its resource, and its script in a pretended world of `aws` and `kubectl`."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi
import pytest

from eks_analytics.drain import LoadBalancerDrain
from eks_analytics.drain_command import drain_script
from eks_analytics.schema import InheritingAnalyzer
from recording import Recorder

VPC = "vpc-1"
BY_CONTROLLER = {"elbv2.k8s.aws/cluster": "analytics"}
BY_PROVIDER = {"kubernetes.io/cluster/analytics": "owned", "kubernetes.io/service-name": "plotly-system/nginx"}
SERVICES, INGRESSES, WORKLOADS = "services", "ingresses.networking.k8s.io", "deployments.apps"


@dataclass
class Drained:
    """How a drain ended, and what the world is like then."""

    code: int
    output: str
    error: str
    world: dict[str, Any]

    def calls(self, *words: str) -> list[list[str]]:
        """The calls that have all these words."""
        return [call for call in self.world.get("calls", []) if set(words) <= set(call)]


Drain = Callable[..., Drained]


@pytest.fixture
def drain(tmp_path: Path) -> Drain:
    """Run the script as pulumi-command does, in a world with these contents."""
    programs = tmp_path / "programs"
    programs.mkdir()
    file = tmp_path / "world.json"
    for name in ("aws", "kubectl"):
        program = programs / name
        world = Path(__file__).with_name("drain_world.py")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "{world}" {name} "{file}" "$@"\n')
        program.chmod(0o755)

    def drain(seconds: float = 20, without: str = "", **world: Any) -> Drained:
        file.write_text(json.dumps({"cluster": "ACTIVE", "objects": [], "elb": [], "elbv2": [], "groups": [], **world}))
        if without:
            (programs / without).unlink()
        process = subprocess.run(
            [shutil.which("sh") or "/bin/sh", "-c", f'"{sys.executable}" -u -'],
            input=drain_script("drain_load_balancers.py"),
            capture_output=True,
            text=True,
            timeout=120,
            env={
                "PATH": str(programs),
                "TMPDIR": str(tmp_path),
                "DRAIN_CLUSTER": "analytics",
                "DRAIN_REGION": "us-east-1",
                "DRAIN_VPC": VPC,
                "DRAIN_KUBECONFIG": "the kubeconfig",
                "DRAIN_SECONDS": str(seconds),
                "DRAIN_PAUSE": "0.01",
            },
            check=False,
        )
        return Drained(process.returncode, process.stdout, process.stderr, json.loads(file.read_text()))

    return drain


def thing(kind: str, name: str, namespace: str = "plotly-system", **changes: Any) -> dict[str, Any]:
    """A Kubernetes object; `labels` go to its metadata, all else to its spec."""
    labels = changes.pop("labels", {})
    metadata = {"name": name, "namespace": namespace, "uid": f"{kind}/{namespace}/{name}", "labels": labels}
    described = {"kind": "Deployment", "metadata": metadata, "spec": changes}
    return {"kind": kind, "object": described}


def nginx() -> dict[str, Any]:
    return thing(SERVICES, "nginx", type="LoadBalancer")


def classic(made_for: str = "nginx", vpc: str = VPC, **tags: str) -> dict[str, Any]:
    return {"LoadBalancerName": "a1", "VPCId": vpc, "tags": tags or BY_PROVIDER, "made_for": made_for}


def balancer(made_for: str = "nginx", vpc: str = VPC, tags: dict[str, str] = BY_CONTROLLER) -> dict[str, Any]:
    arn = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/k8s-web/50dc"
    return {"LoadBalancerArn": arn, "VpcId": vpc, "tags": tags, "made_for": made_for}


def group(name: str = "k8s-elb-a1", made_for: str = "nginx", **changes: Any) -> dict[str, Any]:
    tags = {"kubernetes.io/cluster/analytics": "owned"}
    return {"GroupId": "sg-1", "GroupName": name, "VpcId": VPC, "tags": tags, "made_for": made_for, **changes}


# The script


def test_services_ingresses_and_gateways_go_and_their_load_balancers_are_waited_for(drain: Drain) -> None:
    objects = [nginx(), thing(INGRESSES, "web"), thing("gateways.gateway.networking.k8s.io", "door")]
    done = drain(
        objects=objects,
        has_gateways=True,
        elb=[classic()],
        elbv2=[balancer("web")],
        groups=[group(), group("x", "door")],
    )
    assert (done.code, done.error) == (0, "")
    assert done.world["objects"] == []
    assert "Deleting services/nginx in plotly-system." in done.output
    assert "Waiting for services/nginx in plotly-system" in done.output
    assert "load balancer a1" in done.output
    assert done.output.endswith("No load balancer of the cluster analytics is left in vpc-1.\n")


def test_other_services_and_what_runs_elsewhere_stay(drain: Drain) -> None:
    other = [thing(SERVICES, "api", type="ClusterIP"), thing(WORKLOADS, "web", "elsewhere", replicas=2)]
    done = drain(objects=[nginx(), *other])
    assert done.code == 0
    assert done.world["objects"] == other


def test_what_would_bring_them_back_is_stopped_before_they_are_deleted(drain: Drain) -> None:
    workloads = [
        thing(WORKLOADS, "kotsadm", replicas=1),
        thing(WORKLOADS, "argocd-server", "gitops", replicas=1, labels={"app.kubernetes.io/part-of": "argocd"}),
        thing(WORKLOADS, "idle", replicas=0),
    ]
    done = drain(objects=[nginx(), *workloads])
    changing = [call[1:3] for call in done.world["calls"] if call[1] in ("scale", "delete")]
    assert changing == [["scale", "deployment/kotsadm"], ["scale", "deployment/argocd-server"], ["delete", SERVICES]]
    assert "Stopping deployment/kotsadm in plotly-system" in done.output


def test_what_removes_load_balancers_is_never_stopped(drain: Drain) -> None:
    label = {"app.kubernetes.io/name": "aws-load-balancer-controller"}
    workloads = [
        thing(WORKLOADS, "coredns", "kube-system", replicas=2),
        thing(WORKLOADS, "lbc", replicas=2, labels=label),
    ]
    done = drain(objects=[nginx(), thing(INGRESSES, "web", "kube-system"), *workloads])
    assert done.code == 0
    assert done.calls("scale") == []


def test_nothing_is_stopped_where_nothing_is_to_be_deleted(drain: Drain) -> None:
    done = drain(objects=[thing(WORKLOADS, "kotsadm", replicas=1)])
    assert done.code == 0
    assert done.calls("scale") == []


def test_what_is_made_again_is_deleted_again(drain: Drain) -> None:
    done = drain(objects=[nginx()], made_again=2, elb=[classic()])
    assert done.code == 0
    assert done.output.count("Deleting services/nginx") == 3


def test_what_is_on_its_way_out_is_not_deleted_twice(drain: Drain) -> None:
    done = drain(seconds=2, objects=[nginx()], controllers_are_dead=True)
    assert len(done.calls("delete")) == 1


def test_it_ends_in_time_and_says_what_is_left_and_why_that_may_be(drain: Drain) -> None:
    done = drain(seconds=6, objects=[nginx()], controllers_are_dead=True, elbv2=[balancer()], groups=[group()])
    assert done.code == 1
    assert "After 6 seconds there is still: services/nginx in plotly-system" in done.error
    assert "its finalizers: service.k8s.aws/resources" in done.error
    assert "load balancer k8s-web, security group sg-1 (k8s-elb-a1)" in done.error
    assert "kubectl -n kube-system logs deployment/aws-load-balancer-controller" in done.error
    assert "aws ec2 delete-security-group --group-id sg-1 --region us-east-1" in done.error
    assert "Traceback" not in done.error


@pytest.mark.parametrize(
    "others",
    [
        {"elb": [classic(vpc="vpc-2")]},
        {"elb": [classic(**{"kubernetes.io/cluster/other": "owned", "kubernetes.io/service-name": "x/y"})]},
        {"elb": [classic(**{"kubernetes.io/cluster/analytics": "shared", "kubernetes.io/service-name": "x/y"})]},
        {"elb": [classic(**{"kubernetes.io/cluster/analytics": "owned"})]},
        {"elbv2": [balancer(tags={"elbv2.k8s.aws/cluster": "other"})]},
        {"elbv2": [balancer(vpc="vpc-2")]},
        {"groups": [group("eks-cluster-sg-analytics-1")]},
        {"groups": [group(tags={"kubernetes.io/cluster/other": "owned"})]},
        {"groups": [group(VpcId="vpc-2")]},
    ],
)
def test_load_balancers_and_groups_of_others_are_not_waited_for(drain: Drain, others: dict[str, Any]) -> None:
    done = drain(**others)
    assert done.code == 0


@pytest.mark.parametrize(
    ("found", "label"),
    [
        ({"elb": [classic()]}, "load balancer a1"),
        ({"elb": [classic(**BY_CONTROLLER)]}, "load balancer a1"),
        ({"elbv2": [balancer()]}, "load balancer k8s-web"),
        ({"elbv2": [balancer(tags=BY_PROVIDER)]}, "load balancer k8s-web"),
        ({"groups": [group()]}, "security group sg-1 (k8s-elb-a1)"),
        ({"groups": [group("k8s-traffic-analytics-1", tags=BY_CONTROLLER)]}, "(k8s-traffic-analytics-1)"),
    ],
)
def test_each_kind_of_leftover_is_waited_for_by_either_tag(drain: Drain, found: dict[str, Any], label: str) -> None:
    done = drain(seconds=0, **found)
    assert (done.code, label in done.error) == (1, True)


@pytest.mark.parametrize("status", [None, "DELETING"])
def test_where_the_cluster_is_gone_there_is_nothing_to_do(drain: Drain, status: str | None) -> None:
    done = drain(cluster=status, without="kubectl")
    assert (done.code, done.error) == (0, "")
    assert "is gone already" in done.output


def test_what_a_lost_cluster_left_behind_is_named_with_the_command_that_removes_it(drain: Drain) -> None:
    done = drain(cluster=None, elbv2=[balancer()])
    assert done.code == 1
    assert "Nobody is left to remove load balancer k8s-web" in done.error
    assert f"aws elbv2 delete-load-balancer --load-balancer-arn {balancer()['LoadBalancerArn']} --region" in done.error


def test_a_run_that_was_cut_short_is_finished_by_the_next(drain: Drain) -> None:
    assert drain(seconds=0, objects=[nginx()], controllers_are_dead=True, elb=[classic()]).code == 1
    under_way = nginx()
    under_way["object"]["metadata"]["deletionTimestamp"] = "before"
    done = drain(objects=[under_way], elb=[classic()])
    assert done.code == 0
    assert done.calls("delete") == []
    assert drain().code == 0


@pytest.mark.parametrize("program", ["aws", "kubectl"])
def test_a_short_silence_is_waited_out(drain: Drain, program: str) -> None:
    done = drain(objects=[nginx()], elb=[classic()], failing={program: 3})
    assert done.code == 0
    assert "Waiting for another try, since" in done.output


@pytest.mark.parametrize("program", ["aws", "kubectl"])
def test_a_long_silence_ends_it_with_a_way_out(drain: Drain, program: str) -> None:
    done = drain(objects=[nginx()], failing={program: 99})
    assert done.code == 1
    assert "i/o timeout" in done.error
    assert "pulumi state delete" in done.error


@pytest.mark.parametrize("program", ["aws", "kubectl"])
def test_a_missing_program_is_named(drain: Drain, program: str) -> None:
    done = drain(without=program)
    assert done.code == 1
    assert f"{program} is not on PATH" in done.error
    assert "Traceback" not in done.error


def test_missing_rights_are_no_missing_cluster(drain: Drain) -> None:
    done = drain(cluster="DENIED")
    assert done.code == 1
    assert "AccessDeniedException" in done.error


def test_tags_are_asked_for_twenty_load_balancers_at_a_time(drain: Drain) -> None:
    many = [{**classic(), "LoadBalancerName": f"a{i}", "tags": {"other": "x"}} for i in range(45)]
    assert len(drain(elb=many).calls("elb", "describe-tags")) == 3


def test_the_kubeconfig_is_gone_afterwards(drain: Drain) -> None:
    for done in (drain(), drain(seconds=0, elb=[classic()])):
        assert not Path(done.world["kubeconfig"]).parent.exists()


@pytest.mark.parametrize("name", ["drain_load_balancers.py", "drain_volumes.py"])
def test_the_scripts_run_on_the_python_of_amazon_linux(name: str) -> None:
    script = drain_script(name)
    ast.parse(script, feature_version=(3, 9))
    assert script.index("from __future__ import annotations") < script.index("import json")


# The component


def drain_args(**changes: Any) -> Any:
    given = {"cluster_name": "analytics", "vpc_id": VPC, "kubeconfig": "{}", "region": "us-east-1", **changes}
    return {name: value for name, value in given.items() if value is not None}


def test_nothing_runs_before_the_drain_is_destroyed(recorder: Recorder) -> None:
    recorder.run(lambda: LoadBalancerDrain("drain", drain_args()))
    (command,) = recorder.of("Command").values()
    assert command.type == "command:local:Command"
    assert {"create", "update", "triggers"} & command.inputs.keys() == set()
    assert command.inputs["delete"] == "python3 -u -"
    assert command.inputs["stdin"] == drain_script("drain_load_balancers.py")
    assert command.inputs["environment"] == {
        "DRAIN_CLUSTER": "analytics",
        "DRAIN_REGION": "us-east-1",
        "DRAIN_VPC": VPC,
        "DRAIN_KUBECONFIG": "{}",
        "DRAIN_SECONDS": "900",
    }


def test_no_path_of_this_machine_is_in_the_state(recorder: Recorder) -> None:
    recorder.run(lambda: LoadBalancerDrain("drain", drain_args()))
    (command,) = recorder.of("Command").values()
    assert not any(path in json.dumps(command.inputs) for path in (os.getcwd(), sys.prefix, str(Path.home())))


def test_the_drain_is_destroyed_before_all_that_it_comes_after(recorder: Recorder) -> None:
    def program() -> LoadBalancerDrain:
        release = pulumi.CustomResource("test:index:Release", "controller", {})
        return LoadBalancerDrain("drain", drain_args(after=pulumi.Output.all(release.id)))

    outputs = recorder.run(program)
    (command,) = recorder.of("Command").values()
    assert "test:index:Release::controller" in command.dependencies
    assert command.inputs["environment"]["DRAIN_CLUSTER"] == outputs["cluster_name"] == "analytics"


@pytest.mark.parametrize("production", [True, False])
def test_only_in_production_it_cannot_be_taken_out_of_the_program(recorder: Recorder, production: bool) -> None:
    recorder.run(lambda: LoadBalancerDrain("drain", drain_args(production=production)))
    (command,) = recorder.of("Command").values()
    assert command.request.protect is production
    assert command.parent.split("$")[-1] == "eks-analytics:index:LoadBalancerDrain::drain"


def test_minutes_may_come_as_a_float_through_the_plugin(recorder: Recorder) -> None:
    recorder.run(lambda: LoadBalancerDrain("drain", drain_args(minutes=30.0)))
    (command,) = recorder.of("Command").values()
    assert command.inputs["environment"]["DRAIN_SECONDS"] == "1800"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"minutes": 0}, "minutes = 0"),
        ({"minutes": 500}, "write 1 to 120"),
        ({"cluster_name": "-"}, "cluster_name = '-'"),
    ],
)
def test_a_wrong_argument_is_refused(recorder: Recorder, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match="drain 'drain' cannot be built as asked") as refused:
        recorder.run(lambda: LoadBalancerDrain("drain", drain_args(**changes)))
    assert words in str(refused.value)
    assert recorder.registrations == []


def test_the_component_has_a_schema_in_which_everything_is_described() -> None:
    definitions = InheritingAnalyzer("eks-analytics").analyze([LoadBalancerDrain])["component_definitions"]
    component = definitions["LoadBalancerDrain"]
    described = [*component.inputs.items(), *component.outputs.items()]
    assert [name for name, found in described if not found.description] == []
    required = {name for name, found in component.inputs.items() if not found.optional}
    assert required == {"clusterName", "vpcId", "kubeconfig"}
