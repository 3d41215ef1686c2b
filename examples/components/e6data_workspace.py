"""A workspace of e6data in a cluster with Karpenter."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_analytics import E6dataWorkspace

provider = kubernetes.Provider("analytics", kubeconfig=pulumi.Config().require("kubeconfig"))
workspace = E6dataWorkspace(
    "reports",
    {
        "name": "reports",
        "instance_families": ["m5d", "c5d", "r5d"],
        "cluster_name": "analytics",
        "node_role_name": "KarpenterNodes",
    },
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("node_pool_name", workspace.node_pool_name)
