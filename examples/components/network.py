"""A VPC over two zones, ready for a cluster named "analytics"."""

import pulumi

from eks_analytics import Network

network = Network(
    "analytics",
    {
        "cluster_name": "analytics",
        "region": "us-east-1",
        "availability_zones": ["us-east-1a", "us-east-1b"],
        "nat_gateways": "single",
        "tags": {"team": "data"},
    },
)
pulumi.export("vpc_id", network.vpc_id)
