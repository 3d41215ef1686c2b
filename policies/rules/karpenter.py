"""Karpenter's node classes and node pools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pack.kinds import NODE_CLASS, NODE_POOL
from pack.rule import Level, Resource, Severity, Situation, rule
from pack.values import apart, block, in_words, items

_PINNED = re.compile(r"(al2|al2023|windows\d+)@v\d{8}|bottlerocket@v?\d+\.\d+\.\d+")
_WORKSPACE = "e6data-workspace-name"


@rule(
    "pin-node-images",
    "Karpenter's nodes start from a fixed release of an image.",
    severity=Severity.MEDIUM,
    level=Level.ADVISORY,
    types=(NODE_CLASS,),
    remediation="name a release, such as alias: al2023@v20260724, or the image's id",
    link="https://karpenter.sh/docs/tasks/managing-amis/",
)
def pin_node_images(resource: Resource, _: Situation) -> Iterator[str]:
    terms = items(block(resource.props, "spec"), "amiSelectorTerms")
    if not terms:
        yield "selects no image"

    def judged(term: dict[str, str]) -> Iterator[str]:
        if term.get("id") or _PINNED.fullmatch(term.get("alias") or ""):
            return
        alias = term.get("alias")
        yield f"the image {alias} is no fixed release" if alias else "selects images by name or tags"

    yield from apart(terms, judged)


@rule(
    "limit-node-pools",
    "Every NodePool has a limit.",
    severity=Severity.HIGH,
    types=(NODE_POOL,),
    remediation="set spec.limits.cpu, spec.limits.memory or both",
    link="https://karpenter.sh/docs/concepts/nodepools/#speclimits",
)
def limit_node_pools(resource: Resource, _: Situation) -> Iterator[str]:
    limits = block(resource.props, "spec", "limits")
    if not limits.get("cpu") and not limits.get("memory"):
        yield "may make nodes without end"


@rule(
    "mark-workspace-nodes",
    "Nodes of an e6data workspace carry its taint and labels, and those of no other.",
    severity=Severity.HIGH,
    types=(NODE_POOL,),
    remediation=f"set the labels app=e6data and {_WORKSPACE}, and the taint {_WORKSPACE} with the same value",
    link="https://docs.e6data.com/",
)
def mark_workspace_nodes(resource: Resource, _: Situation) -> Iterator[str]:
    props = resource.props
    name = str(block(props, "metadata").get("name") or "")
    labels = block(props, "spec", "template", "metadata", "labels")
    own = block(props, "metadata", "labels")
    if not name.startswith("e6data-") and "e6data" not in (own.get("app"), labels.get("app")):
        return
    if missing := [key for key in ("app", _WORKSPACE) if not labels.get(key)]:
        yield f"its nodes lack the label {in_words(missing)}"
    taints = items(block(props, "spec", "template", "spec"), "taints")
    values = [one.get("value") for one in taints if one.get("key") == _WORKSPACE and one.get("effect") == "NoSchedule"]
    if not values:
        yield f"its nodes lack the taint {_WORKSPACE}:NoSchedule"
    elif labels.get(_WORKSPACE) and values != [labels[_WORKSPACE]]:
        yield f"its taint is of {in_words(values)}, its label of {labels[_WORKSPACE]}"


@rule(
    "refuse-old-karpenter-apis",
    "Karpenter's objects are v1: it has served nothing else since 1.1.",
    severity=Severity.HIGH,
    types=("kubernetes:karpenter.*",),
    remediation="write the object as v1; expireAfter is at spec.template.spec there",
    link="https://karpenter.sh/docs/upgrading/v1-migration/",
)
def refuse_old_karpenter_apis(resource: Resource, _: Situation) -> Iterator[str]:
    version = resource.resource_type.split(":")[1].rpartition("/")[2]
    if version != "v1":
        yield f"its API is {version}"
