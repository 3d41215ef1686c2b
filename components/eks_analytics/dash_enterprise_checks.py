"""Whether a Dash Enterprise fits into the cluster that is asked for. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .capacity import CORE, Amounts, Layout, SystemLimits, capacity, planned, system_limits
from .capacity_checks import capacity_problems, capacity_warnings
from .cluster_checks import ClusterOptions
from .instance_types import InstanceType
from .layout import layout_of, quotas_of
from .network_options import NetworkOptions
from .problems import Problem
from .quotas import Quota

EGRESS_MODES = ("open", "dns-firewall")


@dataclass(frozen=True)
class Room:
    """What a Dash Enterprise is asked to hold, and the network and cluster that it is asked to hold it in."""

    network: NetworkOptions
    cluster: ClusterOptions
    edition: str = "standard"
    apps: int = 0
    workspaces: int = 0
    instance_limits: Sequence[InstanceType] = field(default=())
    backups: bool = False
    """Whether Velero runs in the cluster."""

    @cached_property
    def layout(self) -> Layout:
        """Only where network and cluster have no problems of their own."""
        return layout_of(self.network, self.cluster, self.instance_limits, backups=self.backups)

    @property
    def core(self) -> Amounts:
        """What Dash Enterprise itself takes."""
        return CORE[self.edition]

    @property
    def plan(self) -> Amounts:
        """What it takes with the planned apps and workspaces."""
        return planned(self.core, self.apps, self.workspaces)

    def problems(self) -> list[Problem]:
        """What is too small."""
        return list(capacity_problems(self.layout, self.core, self.plan))

    def warnings(self) -> list[str]:
        """What is tight."""
        return list(capacity_warnings(self.layout, self.core, self.plan))

    def system_limits(self) -> SystemLimits:
        """For the vendor's admin page."""
        return system_limits(self.layout)

    def quotas(self, hosts: int = 0) -> list[Quota]:
        """What the stack takes of the account's quotas; `hosts` have an elastic IP."""
        return quotas_of(self.network, self.layout, hosts)

    def figures(self) -> dict[str, int]:
        """What is needed and what there is, by name."""
        at_first, at_most = capacity(self.layout, "desired_size"), capacity(self.layout, "max_size")
        figures: dict[str, int] = {}
        for what in Amounts._fields:
            figures[f"{what}_of_dash_enterprise"] = getattr(self.core, what)
            figures[f"{what}_planned"] = getattr(self.plan, what)
            figures[f"{what}_at_desired_size"] = getattr(at_first, what)
            figures[f"{what}_at_max_size"] = getattr(at_most, what)
        if at_most.addresses:
            figures["vpc_addresses_for_nodes_and_pods"] = sum(at_most.addresses.values())
            figures["vpc_addresses_taken_at_max_size"] = sum(at_most.addresses_taken.values())
        figures["vpc_addresses_by_vendor_rule"] = self.plan.addresses_by_vendor_rule
        return figures


def agreement_problems(network: NetworkOptions, cluster: ClusterOptions) -> list[Problem]:
    """What network and cluster are both told, and must be told alike."""
    return [
        Problem(f"cluster.{name}", theirs, f"differs from network.{name}, which is {ours!r}", "write the same in both")
        for name, ours, theirs in (
            ("cluster_name", network.cluster_name, cluster.cluster_name),
            ("region", network.region, cluster.region or network.region),
            ("permissions_boundary_arn", network.permissions_boundary_arn, cluster.permissions_boundary_arn),
        )
        if ours != theirs
    ]


def public_subnet_problems(network: NetworkOptions) -> list[Problem]:
    """Why a host with a public address finds no subnet."""
    if not network.existing_vpc_id or network.existing_public_subnets:
        return []
    reason, remedy = "needs a public subnet, and none of the existing VPC is named", "name existing_public_subnets"
    return [
        Problem("bootstrap.ssh", "given", reason, f"{remedy}, or leave ssh out: Session Manager needs no open port")
    ]


def root_warning(caller_arn: str) -> str | None:
    """What to say to whom the credentials belong to."""
    if not caller_arn.endswith(":root"):
        return None
    return (
        "this runs as the account's root user, whom no policy limits: deploy with a role that has the deployer policy "
        "(make deployer-policy prints it)."
    )
