"""What must be true of the settings of e6data: its workspaces, its controllers, and the cluster that they are in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from eks_analytics.e6data_checks import own_problems
from eks_analytics.problems import Problem

from .arguments import e6data_options
from .problems import key_path

if TYPE_CHECKING:
    from .rules import Judgement

_BLOCK = "e6data"
# The settings that the judgement of a setting takes into account besides it.
_RESTS_ON = {"karpenter.replicas": ("cluster", "node_groups"), "zones": ("availability_zones",)}
_CONTROLLERS = {
    "karpenter": "karpenter_node_role_name",
    "load_balancer_controller": "has_load_balancer_controller",
}


def rules(it: Judgement) -> Iterator[Problem]:
    """All rules of this product, those that others rest on first."""
    if it.settings.product != "e6data":
        return
    for rule in (_required, _existing_cluster, _parts):
        for problem in rule(it):
            it.broken.append(problem.input)
            yield problem


def _required(it: Judgement) -> Iterator[Problem]:
    for index, workspace in enumerate(it.settings.e6data.workspaces):
        at = f"{_BLOCK}.workspaces[{index}]"
        if it.sound(f"{at}.name") and not workspace.name:
            reason = "the e6data console knows every workspace by its name"
            yield Problem(f"{at}.name", None, reason, 'write the name given there, such as "analytics"')
        if it.sound(f"{at}.instance_families") and not workspace.instance_families:
            reason = "Karpenter would choose among all machines, too small ones included"
            yield Problem(f"{at}.instance_families", None, reason, "name some, such as [m5d, c5d, r5d]")


def _existing_cluster(it: Judgement) -> Iterator[Problem]:
    existing, at = it.settings.e6data.existing_cluster, f"{_BLOCK}.existing_cluster"
    if not it.sound(f"{at}.enabled"):
        return
    if not existing.enabled:
        for name in (*_CONTROLLERS.values(), "oidc_provider_arn"):
            if f"{at}.{name}" in it.given:
                reason = "tells of an existing cluster, and a new one is made"
                yield Problem(
                    f"{at}.{name}", getattr(existing, name), reason, f"set {at}.enabled: true, or leave it out"
                )
        return
    if it.sound("network.existing_vpc_id") and not it.settings.network.existing_vpc_id:
        reason = "lies in a VPC that is there already"
        remedy = "name it: network.existing_vpc_id and network.existing_private_subnets"
        yield Problem(f"{at}.enabled", True, reason, remedy)
    for name in ("cluster", "node_groups"):
        if name in it.given:
            value = it.settings.model_dump(exclude_unset=True)[name]
            reason = f"says how a cluster is made, and {at} says that it is there"
            yield Problem(name, value, reason, "leave one of the two out")
    for block, name in _CONTROLLERS.items():
        if f"{_BLOCK}.{block}" in it.given and (value := getattr(existing, name)):
            reason = f"says that it is there, and {_BLOCK}.{block} how it is installed"
            yield Problem(f"{at}.{name}", value, reason, "leave one of the two out")


def _parts(it: Judgement) -> Iterator[Problem]:
    """What the component itself would refuse, under the names of the settings."""
    for problem in own_problems(e6data_options(it.settings)):
        if problem.input == "tags":
            at = key_path(("tags", str(problem.value)))
            yield replace(problem, input=at, value=it.settings.tags.get(str(problem.value)))
            continue
        at = f"{_BLOCK}.{problem.input}"
        rests_on = (*_RESTS_ON.get(problem.input, ()), *_RESTS_ON.get(re.split(r"[.\[]", at)[-1], ()))
        if it.sound(at, *rests_on):
            absent = problem.value in ("", []) and at not in it.given
            yield replace(problem, input=at, value=None if absent else problem.value)
