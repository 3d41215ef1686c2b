"""What a look-up found of an existing VPC. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FoundSubnet:
    """A subnet of an existing VPC."""

    id: str
    cidr: str
    free_addresses: int
    """Addresses that are not in use."""
    tags: Mapping[str, str]


@dataclass(frozen=True)
class FoundVpc:
    """An existing VPC that was found fit."""

    id: str
    cidr: str
    """The CIDR block that it was made with."""
    public: Mapping[str, FoundSubnet]
    """Its public subnets, by zone."""
    private: Mapping[str, FoundSubnet]
    """Its private subnets, by zone."""
    cluster_runs: bool
    """Whether the cluster exists already: then it uses addresses itself."""
