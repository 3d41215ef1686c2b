"""The controller in a cluster that is there, restricted to what carries a tag."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_analytics import AwsLoadBalancerController

provider = kubernetes.Provider("analytics", kubeconfig=pulumi.Config().require("kubeconfig"))
AwsLoadBalancerController(
    "analytics",
    {
        "cluster_name": "analytics",
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "restricted_tags": {"app": "e6data"},
    },
    pulumi.ResourceOptions(providers=[provider]),
)
