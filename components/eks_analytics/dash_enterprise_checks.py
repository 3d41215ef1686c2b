"""Whether a Dash Enterprise fits into the cluster that is asked for. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from .capacity import CORE, Amounts, Layout, SystemLimits, capacity, planned, system_limits
from .capacity_checks import capacity_problems, capacity_warnings
from .cluster_checks import ClusterOptions
from .found_vpc import FoundVpc
from .instance_types import InstanceType
from .layout import layout_of, quotas_of
from .network_options import NetworkOptions
from .problems import Problem
from .quotas import Quota
from .subnets import usable_addresses

WAY_OUT = "leaves the cluster without a way to the internet, from which Dash Enterprise is installed"
"""Why the network needs one."""
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
    existing_subnets: Mapping[str, str] = field(default_factory=dict[str, str])
    """CIDRs of the private subnets of an existing VPC by zone, once they are known."""
    taken_addresses: Mapping[str, int] = field(default_factory=dict[str, int])
    """Addresses in these subnets, by zone, that other resources use."""

    @cached_property
    def layout(self) -> Layout:
        """Only where network and cluster have no problems of their own."""
        layout = layout_of(self.network, self.cluster, self.instance_limits, backups=self.backups)
        if self.network.existing_vpc_id:
            return replace(layout, subnets=self.existing_subnets, taken_addresses=self.taken_addresses)
        return layout

    def in_vpc(self, found: FoundVpc) -> tuple["Room", list[Problem]]:
        """The same in an existing VPC, and what is too small there. Addresses in use count only until the cluster is
        made: afterwards its own nodes use most of them."""
        cidrs = {zone: subnet.cidr for zone, subnet in found.private.items()}
        taken = {zone: usable_addresses(one.cidr) - one.free_addresses for zone, one in found.private.items()}
        room = replace(self, existing_subnets=cidrs)
        judged = room if found.cluster_runs else replace(room, taken_addresses=taken)
        named = {"private_subnet_cidrs": "existing_private_subnets"}
        return room, [replace(one, input=named.get(one.input, one.input)) for one in judged.problems()]

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


def public_subnet_warnings(network: NetworkOptions) -> Iterator[str]:
    """What may be intended, but is often an oversight: the installer asks for a load balancer that faces the internet.

    It finds subnets by their tag: https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html
    """
    if network.existing_vpc_id and not network.existing_public_subnets:
        yield (
            "network.existing_public_subnets is empty: the installer's load balancer faces the internet and stays "
            "pending unless two public subnets of the VPC are tagged kubernetes.io/role/elb. Name them, and they are "
            "tagged; leave it so where your installation plan asks for an internal load balancer."
        )


def root_warning(caller_arn: str) -> str | None:
    """What to say to whom the credentials belong to."""
    if not caller_arn.endswith(":root"):
        return None
    return (
        "this runs as the account's root user, whom no policy limits: deploy with a role that has the deployer policy "
        "(make deployer-policy prints it)."
    )
