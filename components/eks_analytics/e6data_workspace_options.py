"""What an e6data workspace is asked for, what in it cannot work, and the node pool that it comes to. Pure.

Names, labels and taint are those of e6data's guide: its engine's pods ask for nodes by them.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NotRequired, TypedDict

from .node_pool_checks import check_node_pools
from .node_pool_images import EXAMPLES
from .node_pool_machines import choice_problems, machine_warnings
from .node_pool_options import NodePoolArgs, NodePoolsOptions, ami_family
from .problems import Problem
from .unknown_fields import unknown_field_problems

NAME_PREFIX = "e6data-"
"""What the names of a workspace's NodePool and EC2NodeClass begin with."""
APP_TAG = {"app": "e6data"}
"""Label and tag of all that belongs to e6data."""
WORKSPACE_LABEL = "e6data-workspace-name"
DEFAULT_AMI_ALIAS = "al2023@v20260724"
DEFAULT_CPU_LIMIT = 100_000
DEFAULT_VOLUME_SIZE_GIB = 100
INSTANCE_STORES = ("mount", "raid0", "none")
DEFAULT_INSTANCE_STORE = "mount"
DEFAULT_MOUNT_PATHS = ("/app/tmp", "/tmp")
"""Where e6data caches: /app/tmp in its Terraform of December 2025 (e6data/terraform, aws/e6data_with_new_eks), /tmp in
its prerequisite guide."""
CAPACITY_TYPES = ("on-demand", "spot")

_LEAST_LETTERS = 3
_MOST_LETTERS = 63 - len(NAME_PREFIX)
_NAME = re.compile(r"[a-z0-9]+")
_PATH = re.compile(r"(/[A-Za-z0-9._-]+)+")
_NODE_NEEDS = re.compile(
    r"/(bin|boot|dev|etc|lib|lib64|mnt/instance-store|proc|root|run|sbin|sys|usr|var/lib|var/log)(/.*)?"
    r"|/(home|mnt|opt|srv|var)"
)
# A "d" after the generation stands for disks of the machine's own; these have some without saying so.
# https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
_WITH_DISKS = re.compile(r"(i|im|is)\d+[a-z]*|[a-z]+\d+[a-z]*d[a-z]*(-\w+)?")
_ALSO_WITH_DISKS = (
    *("d2", "d3", "d3en", "f1", "f2", "g5", "g6", "g6e", "gr6", "h1"),
    *("p5", "p5e", "p5en", "trn1", "trn1n", "trn2", "x1", "x1e"),
)
# What the pool is made of is named otherwise in a workspace.
_ARGUMENTS = {
    "disk_size_gib": "volume_size_gib",
    "limits": "cpu_limit",
    "user_data": "instance_store",
}


class E6dataWorkspaceSpecArgs(TypedDict):
    """What a workspace is like, whatever cluster it is in."""

    name: str
    """Name of the workspace as the e6data console has it: 3 to 56 small letters and digits."""
    instance_families: list[str]
    """Families of EC2 instances for its nodes, e.g. ["m5d", "c5d", "r5d"]: the more, the likelier AWS has some."""
    zones: NotRequired[list[str]]
    """Zones for its nodes; all with a private subnet by default."""
    volume_size_gib: NotRequired[int]
    """Size in GiB of the encrypted gp3 volume of each node; 100 by default."""
    cpu_limit: NotRequired[int]
    """Most virtual CPUs that all its nodes may have together; 100000 by default."""
    instance_store: NotRequired[str]
    """How nodes use their instance store disks: "mount" (default) mounts them at `mount_paths`, "raid0" puts container
    images and emptyDir volumes on them, "none" leaves them unused. Bottlerocket cannot mount them."""
    mount_paths: NotRequired[list[str]]
    """Where "mount" shows the disks on the node, as one file system that every process may write to; without disks, a
    folder of the root volume. ["/app/tmp", "/tmp"] by default."""
    capacity_types: NotRequired[list[str]]
    """Ways to pay, of on-demand and spot: the cheapest that is there is taken. ["on-demand"] by default."""
    architectures: NotRequired[list[str]]
    """Processors, of amd64 and arm64; ["amd64"] by default."""
    expire_after: NotRequired[str]
    """Age at which a node is replaced, e.g. "720h", or Never (default)."""
    ami_alias: NotRequired[str]
    """Image of the nodes, family and release; "al2023@v20260724" by default. Another release is for
    new nodes; those at work stay until they are idle."""
    tags: NotRequired[dict[str, str]]
    """Tags of what Karpenter makes in EC2 for this workspace. None by default."""


@dataclass(frozen=True)
class WorkspaceSurroundings:
    """What decides, besides a workspace itself, whether it can be."""

    cluster_name: str = "cluster"
    availability_zones: Sequence[str] = ()
    """Zones in which nodes have a subnet; not checked where there are none."""
    production: bool = False


def object_name(workspace: str) -> str:
    """Name of a workspace's NodePool and EC2NodeClass."""
    return f"{NAME_PREFIX}{workspace}"


def workspace_pool(workspace: E6dataWorkspaceSpecArgs) -> NodePoolArgs:
    """The node pool of a workspace."""
    name, store = workspace["name"], workspace.get("instance_store", DEFAULT_INSTANCE_STORE)
    pool: NodePoolArgs = {
        "name": object_name(name),
        "ami_alias": workspace.get("ami_alias", DEFAULT_AMI_ALIAS),
        "instance_families": list(workspace["instance_families"]),
        "zones": list(workspace.get("zones", [])),
        "capacity_types": list(workspace.get("capacity_types", ["on-demand"])),
        "architectures": list(workspace.get("architectures", ["amd64"])),
        "labels": {**APP_TAG, WORKSPACE_LABEL: name},
        "taints": [{"key": WORKSPACE_LABEL, "value": name, "effect": "NoSchedule"}],
        "limits": {"cpu": str(int(workspace.get("cpu_limit", DEFAULT_CPU_LIMIT)))},
        "disk_size_gib": int(workspace.get("volume_size_gib", DEFAULT_VOLUME_SIZE_GIB)),
        "consolidation_policy": "WhenEmpty",
        "consolidate_after": "30s",
        # A query would be lost with its node: idle nodes go at once, working ones stay.
        "disruption_budgets": [{"nodes": "100%", "reasons": ["Empty"]}, {"nodes": "0", "reasons": ["Drifted"]}],
        "expire_after": workspace.get("expire_after", "Never"),
        "tags": {**workspace.get("tags", {}), **APP_TAG},
    }
    if store == "raid0":
        pool["instance_store"] = "raid0"
    elif store == "mount":
        pool["user_data"] = mount_script(workspace.get("mount_paths", DEFAULT_MOUNT_PATHS))
    return pool


def mount_script(paths: Sequence[str]) -> str:
    """User data that mounts the instance store disks at the paths."""
    text = (Path(__file__).parent / "commands" / "mount_instance_store.sh").read_text()
    return text.replace("@MOUNT_PATHS@", shlex.join(paths))


def check_workspaces(
    workspaces: Sequence[E6dataWorkspaceSpecArgs], around: WorkspaceSurroundings, where: str = "workspaces"
) -> Iterator[Problem]:
    """Everything that is wrong with workspaces of one cluster, each input as `workspaces[0].zones`."""
    seen: dict[str, int] = {}
    for index, workspace in enumerate(workspaces):
        at, name = f"{where}[{index}]", workspace["name"]
        first = seen.setdefault(name, index)
        if first != index:
            reason = f"is the name of {where}[{first}] too, and the e6data console tells workspaces apart by it"
            yield Problem(f"{at}.name", name, reason, "give each workspace its own name")
        yield from unknown_field_problems(at, workspace, E6dataWorkspaceSpecArgs)
        for problem in check_workspace(workspace, around):
            yield replace(problem, input=f"{at}.{problem.input}")


def check_workspace(workspace: E6dataWorkspaceSpecArgs, around: WorkspaceSurroundings) -> Iterator[Problem]:
    """Everything that is wrong with one workspace."""
    yield from _name_problems(workspace["name"])
    yield from _own_problems(workspace)
    alias = workspace.get("ami_alias", DEFAULT_AMI_ALIAS)
    if around.production and alias.endswith("@latest"):
        reason = "gives new nodes whatever image AWS has released last, in production too"
        yield Problem("ami_alias", alias, reason, f'name a release, such as "{_release(alias)}"')
    pool = workspace_pool(workspace)
    options = NodePoolsOptions(
        cluster_name=around.cluster_name,
        # The name has been judged, by stricter rules.
        pools=[{**pool, "name": object_name("workspace"), "labels": {}, "taints": []}],
        has_node_role=True,
        availability_zones=around.availability_zones,
    )
    for problem in check_node_pools(options):
        field, _, rest = problem.input.removeprefix("pools[0].").partition(".")
        field, bracket, index = field.partition("[")
        if field not in ("limits", "user_data", "capacity_types"):  # those are made or judged here
            yield replace(problem, input=f"{_ARGUMENTS.get(field, field)}{bracket}{index}{rest and '.' + rest}")


def workspace_warnings(workspace: E6dataWorkspaceSpecArgs) -> list[str]:
    """What can be built, but may not be what was meant."""
    found: list[str] = []
    without = [family for family in workspace["instance_families"] if not has_disks(family)]
    if workspace.get("instance_store", DEFAULT_INSTANCE_STORE) == "mount" and without:
        paths = " and ".join(workspace.get("mount_paths", DEFAULT_MOUNT_PATHS))
        found.append(
            f"workspace {workspace['name']}: {', '.join(without)} have no instance store disks, so {paths} on these "
            "nodes use the root volume (volume_size_gib)."
        )
    found += machine_warnings(f"workspace {workspace['name']}", workspace["instance_families"], [])
    alias = workspace.get("ami_alias", DEFAULT_AMI_ALIAS)
    if alias.endswith("@latest"):
        found.append(
            f"workspace {workspace['name']}: with the ami_alias {alias} new nodes have whatever image AWS has released "
            f"last, beside older ones that are at work; name a release such as {_release(alias)}."
        )
    return found


def has_disks(family: str) -> bool:
    """Whether the machines of a family have disks of their own, as far as the family's name tells."""
    return family in _ALSO_WITH_DISKS or bool(_WITH_DISKS.fullmatch(family))


def _release(alias: str) -> str:
    return EXAMPLES.get(alias.partition("@")[0], DEFAULT_AMI_ALIAS)


def _name_problems(name: str) -> Iterator[Problem]:
    example = 'write a name such as "analytics"'
    if name.startswith(NAME_PREFIX) and _NAME.fullmatch(name.removeprefix(NAME_PREFIX)):
        reason = f"begins with {NAME_PREFIX}, which NodePool and EC2NodeClass get by themselves"
        yield Problem("name", name, reason, f'write "{name.removeprefix(NAME_PREFIX)}"')
    elif not _NAME.fullmatch(name):
        plain = re.sub(r"[^a-z0-9]", "", name.lower())
        reason = "has other characters than the small letters and digits that e6data takes"
        yield Problem("name", name, reason, f'write "{plain}"' if len(plain) >= _LEAST_LETTERS else example)
    elif not _LEAST_LETTERS <= len(name) <= _MOST_LETTERS:
        reason = f"has {len(name)} characters: e6data takes {_LEAST_LETTERS} or more, Kubernetes {_MOST_LETTERS} here"
        yield Problem("name", name, reason, example)


def _own_problems(workspace: E6dataWorkspaceSpecArgs) -> Iterator[Problem]:
    if not workspace["instance_families"]:
        reason = "leaves the choice to Karpenter, among them machines that are too small for the engine"
        yield Problem("instance_families", [], reason, 'name some, such as ["m5d", "c5d", "r5d"]')
    yield from choice_problems("capacity_types", workspace.get("capacity_types"), CAPACITY_TYPES)
    limit = workspace.get("cpu_limit", DEFAULT_CPU_LIMIT)
    if limit < 1 or limit != int(limit):
        reason = "is no number of virtual CPUs, so no node could be made"
        yield Problem("cpu_limit", limit, reason, f"write a whole number, {DEFAULT_CPU_LIMIT} by default")
    yield from _instance_store_problems(workspace)
    for key, value in APP_TAG.items():
        if workspace.get("tags", {}).get(key, value) != value:
            reason = f"would hide the nodes from e6data, which finds what is its own by {key}={value}"
            yield Problem("tags", key, reason, "leave it out")


def _instance_store_problems(workspace: E6dataWorkspaceSpecArgs) -> Iterator[Problem]:
    store, paths = workspace.get("instance_store", DEFAULT_INSTANCE_STORE), workspace.get("mount_paths")
    if store not in INSTANCE_STORES:
        yield Problem("instance_store", store, "is unknown", f"write one of {', '.join(INSTANCE_STORES)}")
    elif store != "mount" and paths is not None:
        reason = f'has no effect while instance_store is "{store}"'
        yield Problem("mount_paths", paths, reason, 'leave it out, or set instance_store to "mount"')
    elif store == "mount" and ami_family({"name": "", "ami_alias": workspace.get("ami_alias", "")}) == "bottlerocket":
        reason = "needs a shell script at first boot, and Bottlerocket has no shell"
        yield Problem("instance_store", store, reason, 'write "raid0", or use an al2023 ami_alias')
    elif paths is not None:
        yield from _mount_path_problems(paths)


def _mount_path_problems(paths: Sequence[str]) -> Iterator[Problem]:
    if not paths:
        remedy = 'name a path such as "/app/tmp", or set instance_store to "none"'
        yield Problem("mount_paths", paths, "leaves nowhere to mount the disks", remedy)
    for index, path in enumerate(paths):
        where = f"mount_paths[{index}]"
        if not _PATH.fullmatch(path) or ".." in path.split("/"):
            reason = "is not an absolute path of letters, digits, dots, hyphens and underscores"
            yield Problem(where, path, reason, 'write a path such as "/app/tmp"')
        elif _NODE_NEEDS.fullmatch(path):
            yield Problem(where, path, "holds files that the node needs", 'write a path such as "/app/tmp"')
        elif over := next((other for other in paths[:index] if _contains(other, path) or _contains(path, other)), None):
            reason = f"lies within {over} or around it" if over != path else "is there twice"
            yield Problem(where, path, reason, "name separate paths, each once")


def _contains(outer: str, inner: str) -> bool:
    return inner == outer or inner.startswith(f"{outer}/")
