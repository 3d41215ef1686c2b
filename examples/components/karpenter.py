"""Karpenter in a cluster that is there, installed through its kubeconfig."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_analytics import Karpenter

provider = kubernetes.Provider("analytics", kubeconfig=pulumi.Config().require("kubeconfig"))
karpenter = Karpenter(
    "analytics",
    {"cluster_name": "analytics", "allowed_name_prefix": "batch-"},
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("node_role_name", karpenter.node_role_name)
