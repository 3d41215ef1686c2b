"""Composition: a stack's settings → the components of its product → outputs."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
for folder in (ROOT, ROOT / "components"):  # the components are a distribution of their own, used here in place
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pulumi  # noqa: E402 - the paths come first

import settings  # noqa: E402
from eks_analytics import Cluster, Network  # noqa: E402
from settings.arguments import cluster_arguments, network_arguments  # noqa: E402

stack = settings.from_pulumi(ROOT)

network = Network(stack.cluster_name, network_arguments(stack))
cluster = Cluster(
    stack.cluster_name,
    cluster_arguments(
        stack,
        vpc_id=network.vpc_id,
        subnet_ids_by_zone={**network.private_subnets},
        node_subnet_ids_by_zone={**network.node_subnets},
    ),
)

for component in (network, cluster):
    for output in type(component).__annotations__:
        pulumi.export(output, getattr(component, output))
