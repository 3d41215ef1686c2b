"""What an e6data is asked for as a whole, and what in it cannot work, whichever part it belongs to. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from .cluster_checks import ClusterOptions, check_cluster
from .drain_checks import DEFAULT_MINUTES, drain_minutes_problems
from .e6data_workspace_options import (
    APP_TAG,
    NAME_PREFIX,
    E6dataWorkspaceSpecArgs,
    WorkspaceSurroundings,
    check_workspaces,
    object_name,
)
from .existing_cluster_checks import existing_cluster_problems
from .karpenter_checks import KarpenterOptions, check_karpenter
from .load_balancer_controller_checks import LoadBalancerControllerOptions, check_load_balancer_controller
from .network_options import NetworkOptions, of_network, product_network_problems
from .node_group_options import plan_node_groups
from .node_pool_checks import forbidden_tag_problems
from .problems import Problem

WAY_OUT = "keeps e6data's logs and metrics in the VPC, and its console waits for them"
"""Why the network needs one."""
# What the parts are told by the product itself, which judges it under its own name.
_TOLD = ("cluster_name", "region", "account_id", "tags", "vpc_id", "oidc_provider_arn", "restricted_tags")


@dataclass(frozen=True)
class ExistingClusterOptions:
    """`ExistingClusterArgs`, which documents the fields, with its defaults filled in."""

    oidc_provider_arn: str = ""
    karpenter_node_role_name: str = ""
    has_load_balancer_controller: bool = False


@dataclass(frozen=True)
class E6dataOptions:
    """What of `E6dataArgs`, which documents the fields, is plain, with its defaults filled in."""

    network: NetworkOptions
    workspaces: Sequence[E6dataWorkspaceSpecArgs] = ()
    cluster: ClusterOptions | None = None
    existing_cluster: ExistingClusterOptions | None = None
    karpenter: Mapping[str, Any] = field(default_factory=dict[str, Any])
    load_balancer_controller: Mapping[str, Any] = field(default_factory=dict[str, Any])
    drain_minutes: int = DEFAULT_MINUTES
    production: bool = False
    account_id: str = ""

    @property
    def tags(self) -> dict[str, str]:
        """Tags of everything, those of e6data among them."""
        return {**self.network.tags, **(self.cluster.tags if self.cluster else {}), **APP_TAG}

    @property
    def installs_karpenter(self) -> bool:
        return not (self.existing_cluster and self.existing_cluster.karpenter_node_role_name)

    @property
    def installs_load_balancer_controller(self) -> bool:
        return not (self.existing_cluster and self.existing_cluster.has_load_balancer_controller)

    @property
    def identity(self) -> str:
        """How controllers get their roles: the agent of Pod Identity is in a cluster of our own, and in few others."""
        return "irsa" if self.existing_cluster else "pod-identity"

    @property
    def karpenter_options(self) -> KarpenterOptions:
        prefix = "" if self.karpenter.get("allowed_names") else NAME_PREFIX
        return KarpenterOptions(**self._controller(self.karpenter), allowed_name_prefix=prefix)

    @property
    def load_balancer_controller_options(self) -> LoadBalancerControllerOptions:
        return LoadBalancerControllerOptions(**self._controller(self.load_balancer_controller), restricted_tags=APP_TAG)

    def _controller(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        identity = asked.get("identity", self.identity)
        return {
            "cluster_name": self.network.cluster_name,
            "region": self.network.region,
            **asked,
            "identity": identity,
            "has_oidc_provider": identity == "irsa",
        }


def check_e6data(options: E6dataOptions) -> list[Problem]:
    """Everything that is wrong with the options, in all parts."""
    return [
        *of_network(product_network_problems(options.network, WAY_OUT)),
        *_cluster_problems(options),
        *own_problems(options),
    ]


def own_problems(options: E6dataOptions) -> Iterator[Problem]:
    """What is wrong beside network and cluster."""
    yield from _tag_problems(options)
    around = WorkspaceSurroundings(options.network.cluster_name, options.network.availability_zones, options.production)
    workspaces = [{**one, "tags": {**options.tags, **one.get("tags", {})}} for one in options.workspaces]
    yield from check_workspaces(cast("list[E6dataWorkspaceSpecArgs]", workspaces), around)
    if options.installs_karpenter:
        yield from _of("karpenter", _karpenter_problems(options))
        yield from _allowed_name_problems(options)
        yield from _replica_problems(options)
    elif options.karpenter:
        yield _installed("karpenter", options.karpenter, "existing_cluster.karpenter_node_role_name")
    if options.installs_load_balancer_controller:
        checked = check_load_balancer_controller(options.load_balancer_controller_options)
        yield from _of("load_balancer_controller", checked)
    elif given := options.load_balancer_controller:
        yield _installed("load_balancer_controller", given, "existing_cluster.has_load_balancer_controller")
    if existing := options.existing_cluster:
        found = existing_cluster_problems(existing.oidc_provider_arn, existing.karpenter_node_role_name)
        yield from _of("existing_cluster", found)
    yield from drain_minutes_problems(options.drain_minutes)


def _karpenter_problems(options: E6dataOptions) -> Iterator[Problem]:
    for problem in check_karpenter(options.karpenter_options):
        if problem.input == "allowed_names" and "allowed_name_prefix" in problem.remedy:
            remedy = f"leave it out: then all that begin with {NAME_PREFIX} are served, however many"
            problem = replace(problem, remedy=remedy)
        yield problem


def e6data_warnings(options: E6dataOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    if options.network.enable_s3_endpoint or options.network.existing_vpc_id:
        return []
    return ["network.enable_s3_endpoint is false: all data that e6data reads from S3 goes, and is paid, through NAT."]


def _cluster_problems(options: E6dataOptions) -> Iterator[Problem]:
    if options.cluster and options.existing_cluster:
        yield Problem("existing_cluster", "given", "stands beside a new cluster", "give one of the two")
    if options.cluster:
        yield from _of("cluster", check_cluster(options.cluster))
        for name, theirs, ours in (
            ("cluster_name", options.cluster.cluster_name, options.network.cluster_name),
            ("region", options.cluster.region or options.network.region, options.network.region),
            (
                "permissions_boundary_arn",
                options.cluster.permissions_boundary_arn,
                options.network.permissions_boundary_arn,
            ),
        ):
            if theirs != ours:
                reason = f"differs from network.{name}, which is {ours!r}"
                yield Problem(f"cluster.{name}", theirs, reason, "write the same in both")
    elif not options.existing_cluster:
        yield Problem("cluster", None, "there is nothing to install e6data into", "describe it, or an existing_cluster")
    elif not options.network.existing_vpc_id:
        reason = "lies in a VPC that is there already"
        remedy = "name that VPC and its subnets: existing_vpc_id and existing_private_subnets"
        yield Problem("existing_cluster", options.network.cluster_name, reason, remedy)


def _tag_problems(options: E6dataOptions) -> Iterator[Problem]:
    given = {**options.network.tags, **(options.cluster.tags if options.cluster else {})}
    for key, value in APP_TAG.items():
        if given.get(key, value) != value:
            reason = f"is {given[key]!r}, and the load balancer controller may only touch what is {key}={value}"
            yield Problem("tags", key, reason, "leave it out")
    yield from forbidden_tag_problems("tags", given)


def _allowed_name_problems(options: E6dataOptions) -> Iterator[Problem]:
    allowed: Sequence[str] = options.karpenter.get("allowed_names", [])
    for index, workspace in enumerate(options.workspaces):
        if allowed and (name := object_name(workspace["name"])) not in allowed:
            reason = f"is made as {name}, which is not among karpenter.allowed_names: it would never have a node"
            yield Problem(f"workspaces[{index}].name", workspace["name"], reason, f'add "{name}" to that list')


def _replica_problems(options: E6dataOptions) -> Iterator[Problem]:
    if not options.cluster:
        return
    plans = plan_node_groups(options.cluster.node_groups, options.cluster.control_plane_zones)
    nodes = sum(plan.desired_size for plan in plans if plan.hosts_cluster_services)
    replicas = options.karpenter_options.replicas
    if 0 < nodes < replicas:
        reason = f"each want a node of their own, and the node groups begin with {nodes}: Helm would wait in vain"
        yield Problem("karpenter.replicas", replicas, reason, f"write {nodes}, or begin with {replicas} nodes")


def _installed(part: str, given: Mapping[str, Any], where: str) -> Problem:
    reason = f"says how it is installed, and {where} says that it is there"
    return Problem(part, dict(given), reason, "leave one of the two out")


def _of(part: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        if part in ("network", "cluster", "existing_cluster") or problem.input not in _TOLD:
            yield replace(problem, input=f"{part}.{problem.input}")
