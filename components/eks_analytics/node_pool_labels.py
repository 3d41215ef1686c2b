"""Labels of nodes, as Karpenter and Kubernetes take them. Pure."""

import re

from .problems import Problem

# https://karpenter.sh/docs/concepts/scheduling/#well-known-labels
_AWS_LABELS = frozenset(
    f"karpenter.k8s.aws/{name}"
    for name in (
        *("capacity-reservation-id", "capacity-reservation-interruptible", "capacity-reservation-type"),
        *("ec2nodeclass", "instance-accelerator-count", "instance-accelerator-manufacturer"),
        *("instance-accelerator-name", "instance-capability-flex", "instance-category", "instance-cpu"),
        *("instance-cpu-manufacturer", "instance-cpu-sustained-clock-speed-mhz", "instance-ebs-bandwidth"),
        *("instance-encryption-in-transit-supported", "instance-family", "instance-generation"),
        *("instance-gpu-count", "instance-gpu-manufacturer", "instance-gpu-memory", "instance-gpu-name"),
        *("instance-hypervisor", "instance-local-nvme", "instance-memory", "instance-network-bandwidth"),
        *("instance-size", "instance-tenancy", "placement-group-id", "placement-group-partition"),
    )
)
_ARGUMENTS = {
    "karpenter.sh/capacity-type": "capacity_types",
    "karpenter.k8s.aws/instance-family": "instance_families",
    "kubernetes.io/arch": "architectures",
    "node.kubernetes.io/instance-type": "instance_types",
    "topology.kubernetes.io/zone": "zones",
}
"""Labels that have an argument of their own, for the values that they may have."""
_TAKEN = ("kubernetes.io/os", "kubernetes.io/hostname", "karpenter.sh/nodepool")
_DNS_NAME = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
_KEY = re.compile(rf"(?P<domain>{_DNS_NAME}/)?[A-Za-z0-9]([A-Za-z0-9._-]{{0,61}}[A-Za-z0-9])?")
_LONGEST_DOMAIN = 253
_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def key_problem(where: str, key: str) -> Problem | None:
    """What is wrong with the form of a label's or taint's key."""
    if (found := _KEY.fullmatch(key)) and len(found["domain"] or "/") <= _LONGEST_DOMAIN + 1:
        return None
    reason = (
        f"is not a Kubernetes key: an optional DNS name of at most {_LONGEST_DOMAIN} characters and a slash, then at "
        "most 63 letters, digits, - _ and . that begin and end with a letter or digit"
    )
    return Problem(where, key, reason, 'write a key such as "workload" or "example.com/workload"')


def value_problem(where: str, value: str) -> Problem | None:
    """What is wrong with the value of a label or taint."""
    if _VALUE.fullmatch(value):
        return None
    reason = "is not a label's value: at most 63 letters, digits, - _ and . that begin and end with a letter or digit"
    return Problem(where, value, reason, 'write a value such as "batch" or "v1.2"')


def label_problem(where: str, key: str) -> Problem | None:
    """Why nodes cannot be given a label with this key."""
    if problem := key_problem(where, key):
        return problem
    if argument := _ARGUMENTS.get(key):
        return Problem(where, key, "is what machines differ in, not what they are given", f"use {argument}")
    # The rules of a NodePool take a key without a slash for a domain, too.
    if key in _TAKEN or key.partition("/")[0].endswith(("karpenter.sh", "karpenter.k8s.aws")):
        return Problem(where, key, "is a label that Karpenter or the node itself sets", "use a domain of your own")
    return None


def requirement_key_problem(where: str, key: str, *, only_lists: bool) -> Problem | None:
    """Why nothing can be required of this label. `only_lists`: the requirement is a list of values, and no more."""
    if problem := key_problem(where, key):
        return problem
    if only_lists and (argument := _ARGUMENTS.get(key)):
        return Problem(where, key, "has an argument of its own", f"use {argument}")
    domain = key.partition("/")[0]
    if key in _TAKEN:
        return Problem(where, key, "is set by Karpenter or by the node itself", "leave it out")
    known = key in _AWS_LABELS or key in _ARGUMENTS
    if domain.endswith(("karpenter.sh", "karpenter.k8s.aws")) and not known:
        reason = "is not among Karpenter's labels, and its domain is kept for these"
        return Problem(
            where, key, reason, "use one of https://karpenter.sh/docs/concepts/scheduling/, or a domain of your own"
        )
    return None
