"""Removes the load balancers that controllers in a cluster made, and waits until AWS has none of them left.

Run by `pulumi destroy` before anything of the cluster goes, with the `aws` and `kubectl` of whoever destroys. Load
balancers that nobody of this program made, and their security groups, would keep the VPC from being deleted.

It deletes Kubernetes objects only; the controllers, which still run, delete what they made in AWS. It can be run again
at any time: every run looks at what is still there.

Environment: that of draining.py, DRAIN_VPC, DRAIN_KUBECONFIG (its content).
"""

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from draining import (
    CLUSTER,
    TRIES,
    CommandError,
    DrainError,
    aws,
    by_hand,
    cluster,
    run,
    run_to_the_end,
    say,
    wait_until_gone,
)

VPC = os.environ["DRAIN_VPC"]
SERVICES = "services"
KINDS = (SERVICES, "ingresses.networking.k8s.io", "gateways.gateway.networking.k8s.io")
CONTROLLER = "aws-load-balancer-controller"
GITOPS = ("argocd", "flux")  # label app.kubernetes.io/part-of of what brings deleted objects back
# The load balancer controller's tag, and the two of the AWS cloud provider, which serves all other Services.
CONTROLLER_TAG = "elbv2.k8s.aws/cluster"
PROVIDER_TAG, SERVICE_TAG = f"kubernetes.io/cluster/{CLUSTER}", "kubernetes.io/service-name"
MOST_IN_ONE_CALL = 20  # load balancers whose tags AWS tells at once


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
    resources: list[tuple[str, str]] = []  # of the last look
    looks = 0
    if kubernetes is None:
        say(f"The cluster {CLUSTER} is gone already: looking for load balancers that it left behind.")

    def look() -> list[str]:
        nonlocal looks
        resources.clear()
        objects = kubernetes.remove() if kubernetes else []
        resources.extend(left_in_aws())
        looks += 1
        left = [*objects, *(label for label, _ in resources)]
        if left and kubernetes is None and looks == TRIES:  # what was on its way out has gone by then
            raise DrainError(f"{nobody(left)} {by_hand(deletions(resources))}")
        return left

    def give_up(left: list[str]) -> str:
        return f"{why() if kubernetes else nobody(left)} {by_hand(deletions(resources))}"

    wait_until_gone(look, give_up)
    say(f"No load balancer of the cluster {CLUSTER} is left in {VPC}.")


def in_namespace(metadata: dict[str, Any]) -> tuple[str, str]:
    return "--namespace", metadata["namespace"]


def makes_load_balancer(kind: str, item: dict[str, Any]) -> bool:
    return kind != SERVICES or item["spec"].get("type") == "LoadBalancer"


def cluster_is_there() -> bool:
    """Whether its API server can be asked."""
    found = cluster()
    return found is not None and found["status"] != "DELETING"


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


def deletions(resources: Iterable[tuple[str, str]]) -> list[str]:
    return [command for _, command in resources]


def nobody(left: list[str]) -> str:
    return f"Nobody is left to remove {', '.join(left)}."


def why() -> str:
    return (
        f"Do the controllers run that remove it (kubectl -n kube-system logs deployment/{CONTROLLER}; kubectl get "
        "events --all-namespaces), and does something in the cluster make it again? Then destroy again."
    )


if __name__ == "__main__":
    run_to_the_end(main)
