"""Spot nodes for batch jobs, made by the Karpenter of a cluster that is there."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_analytics import NodePools

provider = kubernetes.Provider("analytics", kubeconfig=pulumi.Config().require("kubeconfig"))
NodePools(
    "batch",
    {
        "cluster_name": "analytics",
        "node_role_name": "KarpenterNodes",
        "pools": [
            {
                "name": "batch-spot",
                "ami_alias": "al2023@v20260724",
                "instance_families": ["m6i", "m7i"],
                "capacity_types": ["spot", "on-demand"],
                "taints": [{"key": "dedicated", "value": "batch", "effect": "NoSchedule"}],
            }
        ],
    },
    pulumi.ResourceOptions(providers=[provider]),
)
