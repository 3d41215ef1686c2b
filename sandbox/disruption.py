"""What a plan replaces, rolls and restarts: what a reader would have to know AWS and Helm for to see it in the diff."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.tokens import short_type

REPLACED = "Replaced"
_Inputs = Mapping[str, Any]


class Disruptions:
    """Collects the steps of a plan or an update."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(
        self, action: str, type_: str, name: str, before: _Inputs, after: _Inputs, forcing: Sequence[str] = ()
    ) -> None:
        """`forcing`: the inputs for which the engine replaces the resource."""
        if action == "replace":
            why = f" (for {', '.join(sorted(forcing))})" if forcing else ""
            self._tell(REPLACED, f"{short_type(type_)} {name}{why}")
        elif action == "update" and (judge := _judge(type_)):
            for effect, about in judge(before, after):
                self._tell(effect, f"{name}{about}")

    def _tell(self, effect: str, what: str) -> None:
        told = self._found.setdefault(effect, [])
        if what not in told:
            told.append(what)

    @property
    def found(self) -> dict[str, list[str]]:
        """Resources by what happens to them, the gravest effect first."""
        return {effect: sorted(self._found[effect]) for effect in _EFFECTS if effect in self._found}


_ROLLS = "Node groups that roll: EKS starts new nodes, drains and ends the old ones"
_DRIFTS = "Karpenter replaces the nodes made from these, as their disruption budgets allow"
_UPGRADES = "Control planes that are upgraded: the API stays reachable"
_STOPS = "Instances that are stopped and started again"
_ADDONS = "EKS add-ons whose pods restart"
_RELEASES = "Helm releases that are upgraded: pods whose template changes restart"
_PODS = "Workloads whose pods restart"
_EFFECTS = (REPLACED, _ROLLS, _DRIFTS, _UPGRADES, _STOPS, _ADDONS, _RELEASES, _PODS)

# UpdateNodegroupVersion, which rolls, takes these (https://docs.aws.amazon.com/eks/latest/APIReference/
# API_UpdateNodegroupVersion.html); UpdateNodegroupConfig takes sizes, labels and taints, and rolls nothing.
_NODE_GROUP = ("version", "releaseVersion", "launchTemplate")
# What EC2 changes on a stopped instance only: internal/service/ec2/ec2_instance.go in hashicorp/terraform-provider-aws.
_INSTANCE = ("instanceType", "userData", "userDataBase64")
# What UpdateAddon rolls out: https://docs.aws.amazon.com/eks/latest/userguide/updating-an-add-on.html
_ADDON = ("addonVersion", "configurationValues", "serviceAccountRoleArn")


def _judge(type_: str) -> Callable[[_Inputs, _Inputs], Iterator[tuple[str, str]]] | None:
    """By the type without the version of a Kubernetes kind."""
    group, _, kind = type_.rpartition(":")
    return _JUDGES.get(type_) or _JUDGES.get(f"{group.partition('/')[0]}:{kind}")


def _of(effect: str, *keys: str) -> Callable[[_Inputs, _Inputs], Iterator[tuple[str, str]]]:
    def judge(before: _Inputs, after: _Inputs) -> Iterator[tuple[str, str]]:
        changed = [key for key in keys if _at(before, key) != _at(after, key)]
        if changed:
            yield effect, f" (for {', '.join(changed)})"

    return judge


def _release(before: _Inputs, after: _Inputs) -> Iterator[tuple[str, str]]:
    versions = [values.get("version") for values in (before, after)]
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    about = f" (chart {versions[0]} → {versions[1]})" if "version" in changed else f" (for {', '.join(changed)})"
    if changed:
        yield _RELEASES, about


def _at(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


_JUDGES: dict[str, Callable[[_Inputs, _Inputs], Iterator[tuple[str, str]]]] = {
    "aws:eks/nodeGroup:NodeGroup": _of(_ROLLS, *_NODE_GROUP),
    "aws:eks/cluster:Cluster": _of(_UPGRADES, "version"),
    "aws:eks/addon:Addon": _of(_ADDONS, *_ADDON),
    "aws:ec2/instance:Instance": _of(_STOPS, *_INSTANCE),
    # https://karpenter.sh/docs/concepts/disruption/#drift: limits and budgets are none.
    "kubernetes:karpenter.sh:NodePool": _of(_DRIFTS, "spec.template"),
    "kubernetes:karpenter.k8s.aws:EC2NodeClass": _of(_DRIFTS, "spec"),
    "kubernetes:helm.sh:Release": _release,
    **{f"kubernetes:apps:{kind}": _of(_PODS, "spec.template") for kind in ("DaemonSet", "Deployment", "StatefulSet")},
}
