"""Everything in node pools that Karpenter, Kubernetes or EC2 would refuse, often only when a node is needed. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .karpenter_checks import OBJECT_NAME
from .node_group_options import TaintArgs
from .node_pool_disks import disk_problems, key_warnings
from .node_pool_disruption import disruption_problems
from .node_pool_images import EXAMPLES, image_problems, user_data_problems
from .node_pool_labels import key_problem, label_problem, requirement_key_problem, value_problem
from .node_pool_machines import RESERVED, WITHOUT_RESERVATIONS, machine_problems, machine_warnings, zone_problems
from .node_pool_options import NodePoolArgs, NodePoolsOptions, RequirementArgs, ami_family, limits
from .node_pool_selectors import selector_problems
from .problems import Problem, repeated
from .tags import check_tags
from .unknown_fields import unknown_field_problems

TAINT_EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")

_QUANTITY = re.compile(r"(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_OPERATORS = {"In": "one or more", "NotIn": "one or more", "Exists": "no", "DoesNotExist": "no"}
_NUMERIC = ("Gt", "Lt", "Gte", "Lte")
_FORBIDDEN_TAGS = ("eks:eks-cluster-name", "karpenter.k8s.aws/ec2nodeclass")
_RESOURCES = ("cpu", "memory", "nodes", "pods", "ephemeral-storage")
_MOST_LABELS = 100
_MOST_REQUIREMENTS = 90  # of 100: some are made of other arguments


def check_node_pools(options: NodePoolsOptions) -> list[Problem]:
    """Everything that is wrong with the options, each input as `pools[0].zones`."""
    problems = [*_identity_problems(options), *_name_problems(options), *check_tags(options.tags)]
    problems += forbidden_tag_problems("tags", options.tags)
    for index, pool in enumerate(options.pools):
        problems += _pool_problems(f"pools[{index}]", pool, options)
    return problems


def node_pool_warnings(options: NodePoolsOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    found: list[str] = []
    for index, pool in enumerate(options.pools):
        families, types = pool.get("instance_families", []), pool.get("instance_types", [])
        found += machine_warnings(f"node pool {pool['name']}", families, types)
        found += _limit_warnings(f"pools[{index}]", pool)
        if pool["ami_alias"].endswith("@latest"):
            found.append(
                f"pools[{index}].ami_alias is {pool['ami_alias']}: whenever AWS releases an image, all nodes of "
                f"{pool['name']} are replaced; name a release such as {EXAMPLES[ami_family(pool)]}."
            )
        if pool.get("metadata_options", {}).get("http_tokens") == "optional":
            found.append(
                f"pools[{index}].metadata_options.http_tokens is optional: a server on a node of {pool['name']} that "
                "can be made to send requests gives away the node's role."
            )
    return [*found, *key_warnings(options.pools)]


def _pool_problems(where: str, pool: NodePoolArgs, options: NodePoolsOptions) -> Iterator[Problem]:
    yield from unknown_field_problems(where, pool, NodePoolArgs)
    yield from image_problems(where, pool, options.production)
    yield from user_data_problems(where, pool)
    yield from machine_problems(where, pool)
    yield from zone_problems(where, pool.get("zones", []), options.availability_zones)
    for index, requirement in enumerate(pool.get("requirements", [])):
        yield from _requirement_problems(f"{where}.requirements[{index}]", requirement)
    if len(pool.get("requirements", [])) > _MOST_REQUIREMENTS:
        reason = f"are more than {_MOST_REQUIREMENTS}, and a NodePool takes 100 with those of other arguments"
        yield Problem(f"{where}.requirements", len(pool.get("requirements", [])), reason, "leave some out")
    yield from _label_problems(where, pool.get("labels", {}))
    yield from _taint_problems(f"{where}.taints", pool.get("taints", []))
    yield from _taint_problems(f"{where}.startup_taints", pool.get("startup_taints", []))
    yield from _limit_problems(where, pool)
    yield from disruption_problems(where, pool)
    yield from disk_problems(where, pool)
    yield from selector_problems(f"{where}.subnet_selector", pool.get("subnet_selector"), "subnet")
    yield from selector_problems(f"{where}.security_group_selector", pool.get("security_group_selector"), "sg")
    yield from _metadata_problems(where, pool)
    for problem in check_tags(pool.get("tags", {})):
        if problem.value == "Name":
            problem = replace(problem, reason="is a tag that Karpenter sets, after each node's own name")
        yield replace(problem, input=f"{where}.{problem.input}")
    yield from forbidden_tag_problems(f"{where}.tags", pool.get("tags", {}))


def _identity_problems(options: NodePoolsOptions) -> Iterator[Problem]:
    if options.has_node_role == options.has_instance_profile:
        reason = "stand beside each other" if options.has_node_role else "are both missing, so nodes have no IAM role"
        remedy = "give node_role_name, or instance_profile_name in a VPC without a way to IAM"
        yield Problem("node_role_name", "and instance_profile_name", reason, remedy)


def _name_problems(options: NodePoolsOptions) -> Iterator[Problem]:
    names = [pool["name"] for pool in options.pools]
    if not names:
        yield Problem("pools", [], "makes no nodes", "name at least one pool, or leave NodePools out")
    for index, name in enumerate(names):
        where = f"pools[{index}].name"
        if not OBJECT_NAME.fullmatch(name):
            reason = "is no name of a NodePool: at most 63 small letters, digits and hyphens, no hyphen at the ends"
            yield Problem(where, name, reason, 'write a name such as "batch"')
        elif not name.startswith(options.allowed_name_prefix):
            reason = f"does not begin with {options.allowed_name_prefix!r}, and the controller may serve nothing else"
            yield Problem(where, name, reason, f'write "{options.allowed_name_prefix}{name}"')
    if twice := repeated(names):
        yield Problem("pools", twice, "name more than one pool", "give each pool its own name")


def _requirement_problems(where: str, requirement: RequirementArgs) -> Iterator[Problem]:
    operator, values = requirement["operator"], requirement.get("values", [])
    only_lists = operator == "In" and "min_values" not in requirement
    if problem := requirement_key_problem(f"{where}.key", requirement["key"], only_lists=only_lists):
        yield problem
    elif _asks_for_reservations(requirement):
        remedy = "leave it out: capacity_types takes on-demand and spot"
        yield Problem(where, requirement["key"], WITHOUT_RESERVATIONS, remedy)
    if operator in _NUMERIC:
        if len(values) != 1 or not re.fullmatch(r"\d+", values[0]):
            reason = f"{operator} compares with one whole number, 0 or more"
            yield Problem(f"{where}.values", list(values), reason, 'write one such as ["4"]')
    elif operator not in _OPERATORS:
        remedy = f"use {', '.join((*_OPERATORS, *_NUMERIC))}"
        yield Problem(f"{where}.operator", operator, "is unknown to Karpenter", remedy)
    elif bool(values) == (_OPERATORS[operator] == "no"):
        reason = f"{operator} takes {_OPERATORS[operator]} values"
        yield Problem(f"{where}.values", list(values), reason, "change the values, or the operator")
    for value in values if operator not in _NUMERIC else ():
        if problem := value_problem(f"{where}.values", value):
            yield problem
    least = requirement.get("min_values")
    if least is not None and not 1 <= least <= 50:
        yield Problem(f"{where}.min_values", least, "lies outside of 1 and 50", "write a number between them")
    elif least is not None and operator == "In" and least > len(values):
        reason = f"asks for more different values than the {len(values)} that are named"
        yield Problem(f"{where}.min_values", least, reason, f"write {len(values)} or less, or name more values")


def _asks_for_reservations(requirement: RequirementArgs) -> bool:
    if requirement["operator"] in ("NotIn", "DoesNotExist"):
        return False
    named = requirement["key"] == "karpenter.sh/capacity-type" and RESERVED in requirement.get("values", [])
    return named or requirement["key"].startswith("karpenter.k8s.aws/capacity-reservation-")


def _label_problems(where: str, labels: Mapping[str, str]) -> Iterator[Problem]:
    if len(labels) > _MOST_LABELS:
        reason = f"are more than the {_MOST_LABELS} that a NodePool takes"
        yield Problem(f"{where}.labels", len(labels), reason, "leave some out")
    for key, value in labels.items():
        at = f'{where}.labels["{key}"]'
        for problem in (label_problem(at, key), value_problem(at, value)):
            if problem:
                yield problem


def _taint_problems(where: str, taints: Sequence[TaintArgs]) -> Iterator[Problem]:
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        at, key, effect = f"{where}[{index}]", taint["key"], taint["effect"]
        for problem in (key_problem(f"{at}.key", key), value_problem(f"{at}.value", taint.get("value", ""))):
            if problem:
                yield problem
        if effect not in TAINT_EFFECTS:
            meant = next((known for known in TAINT_EFFECTS if known.lower() == effect.lower().replace("_", "")), "")
            remedy = f'write "{meant}"' if meant else f"use {', '.join(TAINT_EFFECTS)}"
            yield Problem(f"{at}.effect", effect, "is unknown to Kubernetes", remedy)
        if (key, effect) in seen:
            yield Problem(at, dict(taint), f"{key} with effect {effect} is there already", "leave one of them out")
        seen.add((key, effect))


def _limit_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    for key, value in limits(pool).items():
        at = f'{where}.limits["{key}"]'
        if problem := key_problem(at, key):
            yield problem
        if not _QUANTITY.fullmatch(value):
            reason = "is no amount that Kubernetes understands"
            yield Problem(at, value, reason, 'write a number such as "100", or one with a unit such as "400Gi"')
    weight = pool.get("weight")
    if weight is not None and not 1 <= weight <= 100:
        yield Problem(f"{where}.weight", weight, "lies outside of 1 and 100", "write a number between, or leave it out")


def _limit_warnings(where: str, pool: NodePoolArgs) -> Iterator[str]:
    for key, value in limits(pool).items():
        if re.fullmatch(r"[0.]+\D*", value):
            yield f'{where}.limits["{key}"] is {value}: the pool {pool["name"]} makes no node.'
        if "/" not in key and key not in _RESOURCES and not key.startswith("hugepages-"):
            yield f'{where}.limits["{key}"] limits nothing: no node has such a resource; use {", ".join(_RESOURCES)}.'


def _metadata_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    options = pool.get("metadata_options", {})
    for field, value, allowed in (
        ("http_endpoint", options.get("http_endpoint"), ("enabled", "disabled")),
        ("http_protocol_ipv6", options.get("http_protocol_ipv6"), ("enabled", "disabled")),
        ("http_tokens", options.get("http_tokens"), ("required", "optional")),
    ):
        if value is not None and value not in allowed:
            yield Problem(
                f"{where}.metadata_options.{field}", value, "is unknown to EC2", f"use {' or '.join(allowed)}"
            )
    hops = options.get("http_put_response_hop_limit", 1)
    if not 1 <= hops <= 64:
        reason = "lies outside of 1 and 64"
        yield Problem(f"{where}.metadata_options.http_put_response_hop_limit", hops, reason, "write 1, or 2 for pods")


def forbidden_tag_problems(where: str, tags: Mapping[str, str]) -> Iterator[Problem]:
    for key in tags:
        if key in _FORBIDDEN_TAGS:
            yield Problem(where, key, "is a tag that Karpenter sets itself, and its policies rely on", "leave it out")
