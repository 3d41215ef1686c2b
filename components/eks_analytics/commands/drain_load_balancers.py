"""Removes the load balancers that controllers in a cluster made, and waits until AWS has none of them left.

Run by `pulumi destroy` before anything of the cluster goes, with the `aws` and `kubectl` of whoever destroys. Load
balancers that nobody of this program made, and their security groups, would keep the VPC from being deleted.

It deletes Kubernetes objects only; the controllers, which still run, delete what they made in AWS. It can be run again
at any time: every run looks at what is still there. Needs Python 3.9, and nothing besides the standard library.

Environment: DRAIN_CLUSTER, DRAIN_REGION, DRAIN_VPC, DRAIN_KUBECONFIG (its content), DRAIN_SECONDS (at most so long).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CLUSTER, REGION, VPC = (os.environ[f"DRAIN_{name}"] for name in ("CLUSTER", "REGION", "VPC"))
SECONDS = float(os.environ["DRAIN_SECONDS"])
PAUSE = float(os.environ.get("DRAIN_PAUSE", "10"))  # seconds between two looks
TRIES = 6  # looks that may fail, one after the other
REPEAT = 60  # seconds after which the same waiting is said again

SERVICES = "services"
KINDS = (SERVICES, "ingresses.networking.k8s.io", "gateways.gateway.networking.k8s.io")
CONTROLLER = "aws-load-balancer-controller"
GITOPS = ("argocd", "flux")  # label app.kubernetes.io/part-of of what brings deleted objects back
# The load balancer controller's tag, and the two of the AWS cloud provider, which serves all other Services.
CONTROLLER_TAG = "elbv2.k8s.aws/cluster"
PROVIDER_TAG, SERVICE_TAG = f"kubernetes.io/cluster/{CLUSTER}", "kubernetes.io/service-name"
MOST_IN_ONE_CALL = 20  # load balancers whose tags AWS tells at once


class CommandError(Exception):
    """A command failed; another try may help."""


class DrainError(Exception):
    """The drain cannot go on; the message says what to do."""


def main() -> None:
    kubeconfig = Path(tempfile.mkdtemp()) / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(os.environ["DRAIN_KUBECONFIG"])
    try:
        drain(Kubernetes(kubeconfig) if cluster_is_there() else None)
    finally:
        kubeconfig.unlink()
        kubeconfig.parent.rmdir()


def drain(kubernetes: Kubernetes | None) -> None:
    """Until nothing is left; DrainError where that takes too long, or cannot come."""
    deadline = time.monotonic() + SECONDS
    said, said_at, failures, looks = "", 0.0, 0, 0
    if kubernetes is None:
        say(f"The cluster {CLUSTER} is gone already: looking for load balancers that it left behind.")
    while True:
        try:
            objects = kubernetes.remove() if kubernetes else []
            resources = list(left_in_aws())
            failures, looks = 0, looks + 1
        except CommandError as error:
            failures += 1
            if failures == TRIES:
                raise DrainError(f"{error}\n{way_out()}") from None
            objects, resources = [f"another try, since {error}"], []
        left = [*objects, *(label for label, _ in resources)]
        if not left:
            say(f"No load balancer of the cluster {CLUSTER} is left in {VPC}.")
            return
        late = time.monotonic() > deadline
        if kubernetes is None and (late or looks == TRIES):  # what was on its way out has gone by then
            raise DrainError(f"Nobody is left to remove {', '.join(left)}. {by_hand(resources)}")
        if late:
            raise DrainError(f"After {SECONDS:.0f} seconds there is still: {', '.join(left)}. {why(resources)}")
        waiting = f"Waiting for {', '.join(left)}"
        if waiting != said or time.monotonic() - said_at > REPEAT:
            said, said_at = waiting, time.monotonic()
            say(f"{waiting} (for at most {deadline - time.monotonic():.0f} seconds more).")
        time.sleep(PAUSE)


class Kubernetes:
    """The cluster's API server, through kubectl."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        self.stopped: set[str] = set()  # namespaces
        self.deleted: set[str] = set()  # uids

    def remove(self) -> list[str]:
        """Deletes all that stands for a load balancer. Returns what is still there, and why where that is known."""
        found = [(kind, item) for kind in KINDS for item in self.items(kind) if makes_load_balancer(kind, item)]
        self.stop({item["metadata"]["namespace"] for _, item in found} - self.stopped)
        names: list[str] = []
        for kind, item in found:
            metadata = item["metadata"]
            name = f"{kind.partition('.')[0]}/{metadata['name']} in {metadata['namespace']}"
            if "deletionTimestamp" in metadata:
                name += f" (its finalizers: {', '.join(metadata.get('finalizers', [])) or 'none'})"
            elif metadata["uid"] not in self.deleted:
                say(f"Deleting {name}.")
                self.ask(
                    "delete", kind, metadata["name"], *in_namespace(metadata), "--wait=false", "--ignore-not-found"
                )
                self.deleted.add(metadata["uid"])
            names.append(name)
        return names

    def stop(self, namespaces: set[str]) -> None:
        """Scales down what would bring the objects back: what runs beside them, and GitOps controllers.

        The controllers that remove load balancers stay: that of AWS runs in the control plane, the other in kube-system
        or under its own label.
        """
        for item in self.items("deployments.apps,statefulsets.apps") if namespaces else []:
            metadata, labels = item["metadata"], item["metadata"].get("labels", {})
            beside = metadata["namespace"] in namespaces and metadata["namespace"] != "kube-system"
            keeps = labels.get("app.kubernetes.io/name") == CONTROLLER or item["spec"].get("replicas") == 0
            if (beside or labels.get("app.kubernetes.io/part-of") in GITOPS) and not keeps:
                workload = f"{item['kind'].lower()}/{metadata['name']}"
                say(f"Stopping {workload} in {metadata['namespace']}: it might make again what is deleted.")
                self.ask("scale", workload, *in_namespace(metadata), "--replicas=0")
        self.stopped |= namespaces

    def items(self, kinds: str) -> list[dict[str, Any]]:
        try:
            return json.loads(self.ask("get", kinds, "--all-namespaces", "--output=json"))["items"]
        except CommandError as error:
            if "doesn't have a resource type" in str(error):  # no CRD, no objects
                return []
            raise

    def ask(self, *arguments: str) -> str:
        return run("kubectl", *arguments, f"--kubeconfig={self.kubeconfig}", "--request-timeout=30s")


def in_namespace(metadata: dict[str, Any]) -> tuple[str, str]:
    return "--namespace", metadata["namespace"]


def makes_load_balancer(kind: str, item: dict[str, Any]) -> bool:
    return kind != SERVICES or item["spec"].get("type") == "LoadBalancer"


def cluster_is_there() -> bool:
    """Whether its API server can be asked."""
    try:
        return aws("eks", "describe-cluster", name=CLUSTER)["cluster"]["status"] != "DELETING"
    except CommandError as error:
        if "ResourceNotFoundException" in str(error):
            return False
        raise DrainError(f"{error}\n{way_out()}") from None


def left_in_aws() -> Iterator[tuple[str, str]]:
    """What of the cluster's load balancers is in the VPC: what it is, and the command that deletes it."""
    classic = aws("elb", "describe-load-balancers")["LoadBalancerDescriptions"]
    names = [one["LoadBalancerName"] for one in classic if one.get("VPCId") == VPC]
    for some in chunks(names):
        for one in aws("elb", "describe-tags", LoadBalancerNames=some)["TagDescriptions"]:
            if is_of_cluster(one["Tags"]):
                name = one["LoadBalancerName"]
                yield f"load balancer {name}", f"aws elb delete-load-balancer --load-balancer-name {name}"
    arns = [
        one["LoadBalancerArn"]
        for one in aws("elbv2", "describe-load-balancers")["LoadBalancers"]
        if one["VpcId"] == VPC
    ]
    for some in chunks(arns):
        for one in aws("elbv2", "describe-tags", ResourceArns=some)["TagDescriptions"]:
            if is_of_cluster(one["Tags"]):
                arn = one["ResourceArn"]
                yield f"load balancer {arn.split('/')[-2]}", f"aws elbv2 delete-load-balancer --load-balancer-arn {arn}"
    of_provider = {f"tag:{PROVIDER_TAG}": "owned", "group-name": "k8s-elb-*"}
    for filters in ({f"tag:{CONTROLLER_TAG}": CLUSTER}, of_provider):
        wanted = [{"Name": name, "Values": [value]} for name, value in {"vpc-id": VPC, **filters}.items()]
        for one in aws("ec2", "describe-security-groups", Filters=wanted)["SecurityGroups"]:
            label = f"security group {one['GroupId']} ({one['GroupName']})"
            yield label, f"aws ec2 delete-security-group --group-id {one['GroupId']}"


def is_of_cluster(tags: list[dict[str, str]]) -> bool:
    found = {tag["Key"]: tag.get("Value", "") for tag in tags}
    return found.get(CONTROLLER_TAG) == CLUSTER or (found.get(PROVIDER_TAG) == "owned" and SERVICE_TAG in found)


def chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), MOST_IN_ONE_CALL):
        yield values[start : start + MOST_IN_ONE_CALL]


def aws(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
    given = ("--cli-input-json", json.dumps(parameters)) if parameters else ()
    return json.loads(run("aws", service, operation, "--region", REGION, "--output", "json", *given))


def run(*command: str) -> str:
    """What the command prints. It answers in time, or has failed."""
    try:
        process = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "AWS_PAGER": ""},
            check=False,
        )
    except FileNotFoundError:
        raise DrainError(f"{command[0]} is not on PATH, and load balancers are found with it. {way_out()}") from None
    except subprocess.TimeoutExpired:
        raise CommandError(f"{' '.join(command[:3])} did not answer within two minutes") from None
    if process.returncode:
        lines = process.stderr.strip().splitlines() or [f"it ended with {process.returncode} and said nothing"]
        raise CommandError(f"{' '.join(command[:3])} failed: {lines[-1]}")
    return process.stdout


def why(resources: Iterable[tuple[str, str]]) -> str:
    return (
        f"Do the controllers run that remove it (kubectl -n kube-system logs deployment/{CONTROLLER}; kubectl get "
        "events --all-namespaces), and does something in the cluster make it again? Then destroy again. "
        f"{by_hand(resources)}"
    )


def by_hand(resources: Iterable[tuple[str, str]]) -> str:
    commands = "\n".join(f"  {command} --region {REGION}" for _, command in resources)
    return f"By hand, these remove what is left in AWS:\n{commands}\nThen destroy again." if commands else ""


def way_out() -> str:
    return (
        "Install or repair it, or see that this machine has access, and destroy again. Where the cluster cannot be "
        "reached any more, delete its load balancers and their security groups by hand, and take this step out of the "
        "state: pulumi state delete with its URN, which pulumi stack --show-urns shows."
    )


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        main()
    except DrainError as error:
        sys.exit(str(error))
