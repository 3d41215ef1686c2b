"""Everything in node pools that Karpenter, Kubernetes or EC2 would refuse, often only when a node is needed. Pure."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .karpenter_checks import OBJECT_NAME
from .node_group_options import TaintArgs
from .node_pool_disks import disk_problems
from .node_pool_labels import key_problem, label_problem, requirement_key_problem, value_problem
from .node_pool_options import (
    DisruptionBudgetArgs,
    NodePoolArgs,
    NodePoolsOptions,
    RequirementArgs,
    SelectorTermArgs,
    ami_family,
)
from .problems import Problem, repeated
from .tags import check_tags

LARGEST_USER_DATA = 16384
"""Bytes that EC2 takes."""
CAPACITY_TYPES = ("on-demand", "spot", "reserved")
ARCHITECTURES = ("amd64", "arm64")
CONSOLIDATION_POLICIES = ("WhenEmptyOrUnderutilized", "WhenEmpty", "Balanced")
REASONS = ("Empty", "Underutilized", "Drifted")
TAINT_EFFECTS = ("NoSchedule", "NoExecute", "PreferNoSchedule")

_RELEASES = {"al2023": re.compile(r"v\d{8}"), "bottlerocket": re.compile(r"v\d+\.\d+\.\d+")}
_EXAMPLES = {"al2023": "al2023@v20260724", "bottlerocket": "bottlerocket@v1.50.0"}
_FAMILY = re.compile(r"[a-z][a-z0-9-]*")
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_ARM = re.compile(r"a1|[a-z]+\d+g[a-z]*")  # m7g, c6gn, t4g, im4gn: a "g" right after the generation
_ZONE = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d+(-[a-z]+-\d+)?[a-z]")
_DURATION = re.compile(r"(\d+[hms])+")
_WINDOW = re.compile(r"\d+h(\d+m)?|\d+m")
_SCHEDULE = re.compile(r"@(annually|yearly|monthly|weekly|daily|midnight|hourly)|[^\s@]+(\s[^\s@]+){4}")
_BUDGET = re.compile(r"(100|\d{1,2})%|\d+")
_QUANTITY = re.compile(r"(\d+(\.\d*)?|\.\d+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?\d+)?")
_OPERATORS = {"In": "one or more", "NotIn": "one or more", "Exists": "no", "DoesNotExist": "no"}
_NUMERIC = ("Gt", "Lt", "Gte", "Lte")
_FORBIDDEN_TAGS = ("eks:eks-cluster-name", "karpenter.k8s.aws/ec2nodeclass")
_MOST_SELECTOR_TAGS, _MOST_TERMS = 20, 30
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
        if pool["ami_alias"].endswith("@latest"):
            found.append(
                f"pools[{index}].ami_alias is {pool['ami_alias']}: whenever AWS releases an image, all nodes of "
                f"{pool['name']} are replaced; name a release such as {_EXAMPLES[ami_family(pool)]}."
            )
        if pool.get("metadata_options", {}).get("http_tokens") == "optional":
            found.append(
                f"pools[{index}].metadata_options.http_tokens is optional: a server on a node of {pool['name']} that "
                "can be made to send requests gives away the node's role."
            )
    return found


def _pool_problems(where: str, pool: NodePoolArgs, options: NodePoolsOptions) -> Iterator[Problem]:
    yield from _image_problems(where, pool, options.production)
    yield from _user_data_problems(where, pool)
    yield from _machine_problems(where, pool)
    yield from _zone_problems(where, pool.get("zones", []), options.availability_zones)
    for index, requirement in enumerate(pool.get("requirements", [])):
        yield from _requirement_problems(f"{where}.requirements[{index}]", requirement)
    if len(pool.get("requirements", [])) > _MOST_REQUIREMENTS:
        reason = f"are more than {_MOST_REQUIREMENTS}, and a NodePool takes 100 with those of other arguments"
        yield Problem(f"{where}.requirements", len(pool.get("requirements", [])), reason, "leave some out")
    yield from _label_problems(where, pool.get("labels", {}))
    yield from _taint_problems(f"{where}.taints", pool.get("taints", []))
    yield from _taint_problems(f"{where}.startup_taints", pool.get("startup_taints", []))
    yield from _limit_problems(where, pool)
    yield from _disruption_problems(where, pool)
    for index, budget in enumerate(pool.get("disruption_budgets", [])):
        yield from _budget_problems(f"{where}.disruption_budgets[{index}]", budget)
    yield from disk_problems(where, pool)
    yield from _selector_problems(f"{where}.subnet_selector", pool.get("subnet_selector"), "subnet")
    yield from _selector_problems(f"{where}.security_group_selector", pool.get("security_group_selector"), "sg")
    yield from _metadata_problems(where, pool)
    for problem in check_tags(pool.get("tags", {})):
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


def _image_problems(where: str, pool: NodePoolArgs, production: bool) -> Iterator[Problem]:
    key, alias = f"{where}.ami_alias", pool["ami_alias"]
    family, separator, release = alias.partition("@")
    if family == "al2":
        reason = "is Amazon Linux 2, which ended on 2026-06-30 and has no image for Kubernetes above 1.32"
        yield Problem(key, alias, reason, f'write an alias such as "{_EXAMPLES["al2023"]}"')
    elif family not in _RELEASES:
        reason = "is no family of images that is supported here: al2023 and bottlerocket are"
        yield Problem(key, alias, reason, f'write an alias such as "{_EXAMPLES["al2023"]}"')
    elif not separator or (release != "latest" and not _RELEASES[family].fullmatch(release)):
        reason = f"names no release of {family}, so Karpenter would find no image"
        yield Problem(key, alias, reason, f'write an alias such as "{_EXAMPLES[family]}"')
    elif release == "latest" and production:
        reason = "replaces all nodes whenever AWS releases an image, in production too"
        yield Problem(key, alias, reason, f'name a release, such as "{_EXAMPLES[family]}"')


def _user_data_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    key, text, store = f"{where}.user_data", pool.get("user_data", ""), pool.get("instance_store", "")
    shown = f"{text[:40]}..." if len(text) > 40 else text
    if store not in ("", "raid0"):
        yield Problem(f"{where}.instance_store", store, "is unknown", 'write "raid0", or leave it out')
    if not text:
        return
    if store:
        reason = "stands beside instance_store, and a script that formats the same disks would break the array"
        yield Problem(key, shown, reason, "give one of the two")
    if "$${" in text:
        reason = "has $${, which is how Terraform writes ${ : a shell would put its process id there"
        yield Problem(key, shown, reason, "write ${")
    if (size := len(text.encode())) > LARGEST_USER_DATA:
        reason = f"has {size} bytes, and EC2 takes {LARGEST_USER_DATA}"
        yield Problem(key, shown, reason, "fetch the longer part from S3, or make an image of it")
    if ami_family(pool) == "bottlerocket":
        yield from _toml_problems(key, text, shown)
    elif not re.match(r"#!/|MIME-Version:|Content-Type:|(---\n)?apiVersion: node\.eks\.aws/", text):
        reason = "is neither a script, a NodeConfig nor a MIME archive, so nodes would boot without it"
        yield Problem(key, shown, reason, 'begin a script with "#!/bin/bash"')


def _toml_problems(key: str, text: str, shown: str) -> Iterator[Problem]:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = f"is not TOML, which is all that Bottlerocket takes: {error}"
        yield Problem(key, shown, reason, 'write settings such as "[settings.kernel]"')


def _machine_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    for field, given, allowed in (
        ("capacity_types", pool.get("capacity_types"), CAPACITY_TYPES),
        ("architectures", pool.get("architectures"), ARCHITECTURES),
    ):
        yield from _choice_problems(f"{where}.{field}", given, allowed)
    families, types = pool.get("instance_families", []), pool.get("instance_types", [])
    for index, family in enumerate(families):
        if not _FAMILY.fullmatch(family):
            reason = "is not the name of a family of EC2 instance types"
            yield Problem(
                f"{where}.instance_families[{index}]", family, reason, 'write one such as "m6i", without size'
            )
    for index, name in enumerate(types):
        at = f"{where}.instance_types[{index}]"
        if not _TYPE.fullmatch(name):
            reason = "is not the name of an EC2 instance type"
            yield Problem(at, name, reason, 'write family and size, such as "m6i.2xlarge"')
        elif families and name.partition(".")[0] not in families:
            reason = f"is of none of the instance_families {', '.join(families)}, and both must hold"
            yield Problem(at, name, reason, "name its family too, or leave instance_families out")
    for field, listed in (("instance_families", families), ("instance_types", types)):
        if twice := repeated(listed):
            yield Problem(f"{where}.{field}", twice, "are there more than once", "name each once")
        yield from _architecture_problems(f"{where}.{field}", listed, pool.get("architectures", ["amd64"]))


def _choice_problems(where: str, given: Sequence[str] | None, allowed: Sequence[str]) -> Iterator[Problem]:
    if given is None:
        return
    if not given:
        yield Problem(where, [], "leaves nothing to choose", f"name some of {', '.join(allowed)}")
    for value in given:
        if value not in allowed:
            meant = {"x86_64": "amd64", "aarch64": "arm64"}.get(value, value.lower().replace("_", "-"))
            remedy = f'write "{meant}"' if meant in allowed else f"use {', '.join(allowed)}"
            yield Problem(where, value, "is unknown to Karpenter", remedy)
    if twice := repeated(given):
        yield Problem(where, twice, "are there more than once", "name each once")


def _architecture_problems(where: str, machines: Sequence[str], architectures: Sequence[str]) -> Iterator[Problem]:
    """Karpenter would pass silently over machines of another architecture."""
    of = {machine: "arm64" if _ARM.fullmatch(machine.partition(".")[0]) else "amd64" for machine in machines}
    for machine, architecture in of.items():
        if architecture not in architectures:
            reason = f"is of {architecture}, and architectures has only {', '.join(architectures)}: it is never chosen"
            yield Problem(where, machine, reason, f"add {architecture} to architectures, or leave {machine} out")
    for architecture in architectures:
        if machines and architecture in ARCHITECTURES and architecture not in of.values():
            reason = f"has no machine of {architecture}, which architectures asks for"
            yield Problem(where, list(machines), reason, f"name one, or leave {architecture} out")


def _zone_problems(where: str, zones: Sequence[str], with_subnets: Sequence[str]) -> Iterator[Problem]:
    for zone in zones:
        if not _ZONE.fullmatch(zone):
            reason = "is not the name of an availability zone"
            yield Problem(f"{where}.zones", zone, reason, 'write its name, such as "us-west-2a", not its id or region')
        elif with_subnets and zone not in with_subnets:
            yield Problem(f"{where}.zones", zone, "has no subnet for nodes", f"choose among {', '.join(with_subnets)}")
    if twice := repeated(zones):
        yield Problem(f"{where}.zones", twice, "are there more than once", "name each once")


def _requirement_problems(where: str, requirement: RequirementArgs) -> Iterator[Problem]:
    operator, values = requirement["operator"], requirement.get("values", [])
    only_lists = operator == "In" and "min_values" not in requirement
    if problem := requirement_key_problem(f"{where}.key", requirement["key"], only_lists=only_lists):
        yield problem
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


def _label_problems(where: str, labels: Mapping[str, str]) -> Iterator[Problem]:
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
    for key, value in pool.get("limits", {}).items():
        at = f'{where}.limits["{key}"]'
        if problem := key_problem(at, key):
            yield problem
        if not _QUANTITY.fullmatch(value):
            reason = "is no amount that Kubernetes understands"
            yield Problem(at, value, reason, 'write a number such as "100", or one with a unit such as "400Gi"')
    weight = pool.get("weight")
    if weight is not None and not 1 <= weight <= 100:
        yield Problem(f"{where}.weight", weight, "lies outside of 1 and 100", "write a number between, or leave it out")


def _disruption_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    policy = pool.get("consolidation_policy", CONSOLIDATION_POLICIES[0])
    if policy not in CONSOLIDATION_POLICIES:
        remedy = f"use {', '.join(CONSOLIDATION_POLICIES)}"
        yield Problem(f"{where}.consolidation_policy", policy, "is unknown to Karpenter", remedy)
    for field, value, never in (
        ("consolidate_after", pool.get("consolidate_after"), True),
        ("expire_after", pool.get("expire_after"), True),
        ("termination_grace_period", pool.get("termination_grace_period"), False),
    ):
        if value is None or _DURATION.fullmatch(value) or (never and value == "Never"):
            continue
        reason = "is no duration: numbers with h, m or s, and no days"
        remedy = 'write one such as "30s" or "1h30m"' + (", or Never" if never else ", or leave it out for no limit")
        yield Problem(f"{where}.{field}", value, reason, remedy)


def _budget_problems(where: str, budget: DisruptionBudgetArgs) -> Iterator[Problem]:
    nodes, schedule, duration = budget["nodes"], budget.get("schedule"), budget.get("duration")
    if not _BUDGET.fullmatch(nodes):
        reason = "is neither a share from 0% to 100% nor a number of nodes"
        yield Problem(f"{where}.nodes", nodes, reason, 'write one such as "10%" or "3"')
    reasons = budget.get("reasons", [])
    for reason in reasons:
        if reason not in REASONS:
            yield Problem(f"{where}.reasons", reason, "is unknown to Karpenter", f"use {', '.join(REASONS)}")
    if twice := repeated(reasons):
        yield Problem(f"{where}.reasons", twice, "are there more than once", "name each once")
    if (schedule is None) != (duration is None):
        given, missing = ("schedule", "duration") if duration is None else ("duration", "schedule")
        yield Problem(f"{where}.{given}", budget.get(given), f"needs a {missing} beside it", "give both, or neither")
    if schedule is not None and not _SCHEDULE.fullmatch(schedule):
        reason = "is no cron expression of five parts, nor @daily and the like"
        yield Problem(f"{where}.schedule", schedule, reason, 'write one such as "0 9 * * mon-fri"; it counts in UTC')
    if duration is not None and not _WINDOW.fullmatch(duration):
        reason = "is no duration in hours and minutes"
        yield Problem(f"{where}.duration", duration, reason, 'write one such as "8h", "30m" or "1h30m"')


def _selector_problems(where: str, terms: Sequence[SelectorTermArgs] | None, kind: str) -> Iterator[Problem]:
    if terms is None:
        return
    if not 1 <= len(terms) <= _MOST_TERMS:
        reason = f"has {len(terms)} terms, and 1 to {_MOST_TERMS} are taken"
        yield Problem(where, list(terms), reason, "name some, or leave it out for the cluster's own")
    for index, term in enumerate(terms):
        at, tags, id = f"{where}[{index}]", term.get("tags", {}), term.get("id")
        if bool(tags) == bool(id):
            reason = "has both tags and an id" if id else "has neither tags nor an id"
            yield Problem(at, dict(term), reason, "give one of the two; terms of their own find more")
        if id and not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", id):
            yield Problem(f"{at}.id", id, f"is no id that begins with {kind}-", f'write one such as "{kind}-0a1b2c3d"')
        if len(tags) > _MOST_SELECTOR_TAGS:
            yield Problem(f"{at}.tags", len(tags), f"are more than {_MOST_SELECTOR_TAGS} tags", "leave some out")
        if empty := [key for key, value in tags.items() if not key or not value]:
            yield Problem(f"{at}.tags", empty, "has an empty key or value", 'write "*" for any value')


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
