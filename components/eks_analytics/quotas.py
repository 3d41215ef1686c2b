"""The AWS quotas that a stack takes from its account and region, beside what AWS gives a new account. No Pulumi."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .capacity import Layout, NodeGroup, known_type


@dataclass(frozen=True)
class Quota:
    """One quota; `aws service-quotas get-service-quota` shows an account's own value for the two codes."""

    name: str
    """As AWS calls it."""
    service_code: str
    quota_code: str
    """Empty where the family of an instance type is not one whose quota is listed here."""
    default: int
    """What AWS gives a new account; it can be raised."""
    used: int
    """What this stack takes of it with its node groups at `max_size`."""
    used_while_updating: int
    """The same while EKS updates all node groups: it first adds nodes."""

    @property
    def exceeds_default(self) -> bool:
        """Whether an account that has the default, and nothing else in the region, must ask for more."""
        return self.used_while_updating > self.default


class _Vcpus(NamedTuple):
    families: frozenset[str]
    default: int
    on_demand: tuple[str, str]
    spot: tuple[str, str]


# https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html
_STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
_VCPUS = (
    _Vcpus(
        frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}),
        5,
        (f"Running On-Demand {_STANDARD} instances", "L-1216C47A"),
        (f"All {_STANDARD} Spot Instance Requests", "L-34B43A08"),
    ),
    _Vcpus(
        frozenset({"g", "gr", "vt"}),
        0,
        ("Running On-Demand G and VT instances", "L-DB2E81BA"),
        ("All G and VT Spot Instance Requests", "L-3819A6DF"),
    ),
    _Vcpus(
        frozenset({"p"}),
        0,
        ("Running On-Demand P instances", "L-417A185B"),
        ("All P4, P3 and P2 Spot Instance Requests", "L-7212CCBC"),
    ),
    _Vcpus(
        frozenset({"x"}),
        0,
        ("Running On-Demand X instances", "L-7295265B"),
        ("All X Spot Instance Requests", "L-E3A00192"),
    ),
)


def quotas(layout: Layout, *, vpcs: int, nat_gateways: int, hosts: int = 0, load_balancers: int = 1) -> list[Quota]:
    """What a stack takes: `vpcs` is 0 where it uses an existing one; every NAT gateway has a zone and an elastic IP.

    `hosts` have an elastic IP each. The load balancer is the network load balancer that Dash Enterprise makes for
    itself.
    """
    # https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-limits.html
    others = (
        ("VPCs per Region", "vpc", "L-F678F1CE", 5, vpcs),
        ("EC2-VPC Elastic IPs", "ec2", "L-0263D0A3", 5, nat_gateways + hosts),
        ("NAT gateways per Availability Zone", "vpc", "L-FE5A380F", 5, min(nat_gateways, 1)),
        ("Network Load Balancers per Region", "elasticloadbalancing", "L-69A177A2", 50, load_balancers),
    )
    return [*_vcpu_quotas(layout), *(Quota(*quota, used_while_updating=quota[-1]) for quota in others)]


def _vcpu_quotas(layout: Layout) -> Iterator[Quota]:
    used, updating = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    for group in layout.node_groups:
        # The largest of its types in each quota: which of them a group starts is EC2's choice.
        largest: dict[tuple[str, str, int], int] = {}
        for kind in (known_type(name, layout) for name in group.instance_types):
            if kind:
                quota = _quota_of(kind.name, group)
                largest[quota] = max(largest.get(quota, 0), kind.vcpus)
        for quota, vcpus in largest.items():
            used[quota] += vcpus * group.max_size
            updating[quota] += vcpus * (group.max_size + _added_by_an_update(group))
    for (name, code, default), vcpus in used.items():
        yield Quota(name, "ec2", code, default, vcpus, updating[name, code, default])


def _quota_of(instance_type: str, group: NodeGroup) -> tuple[str, str, int]:
    letters = re.match("[a-z]*", instance_type)
    prefix = letters.group() if letters else ""
    for quota in _VCPUS:
        if prefix in quota.families:
            return (*(quota.spot if group.spot else quota.on_demand), quota.default)
    return f"{'Spot' if group.spot else 'On-Demand'} vCPUs of {prefix.upper()} instances", "", 0


def _added_by_an_update(group: NodeGroup) -> int:
    """https://docs.aws.amazon.com/eks/latest/userguide/managed-node-update-behavior.html"""
    unavailable = math.ceil(group.max_size * group.max_unavailable_percentage / 100)
    return max(2 * len(group.zones), unavailable) if group.max_size else 0
