"""A destroy that leaves no load balancer of the cluster behind."""

import pulumi

from eks_analytics import LoadBalancerDrain

LoadBalancerDrain(
    "analytics",
    {
        "cluster_name": "analytics",
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "kubeconfig": pulumi.Config().require("kubeconfig"),
        "minutes": 20,
    },
)
