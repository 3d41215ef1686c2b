"""A cluster in a network of this program; nodes start once they can reach the internet."""

import pulumi

from eks_analytics import Cluster, Network

network = Network(
    "analytics",
    {"cluster_name": "analytics", "region": "us-east-1", "availability_zones": ["us-east-1a", "us-east-1b"]},
)
cluster = Cluster(
    "analytics",
    {
        "cluster_name": "analytics",
        "admin_principal_arns": ["arn:aws:iam::123456789012:role/deployer"],
        "public_endpoint_cidrs": ["198.51.100.0/24"],
        "node_groups": [{"name": "core", "instance_types": ["m6i.large"], "min_size": 2, "max_size": 4}],
        "vpc_id": network.vpc_id,
        "subnet_ids_by_zone": network.private_subnet_ids_by_zone,
        "node_subnet_ids_by_zone": network.node_subnet_ids_by_zone,
        "control_plane_zones": ["us-east-1a", "us-east-1b"],
    },
)
pulumi.export("kubeconfig", cluster.kubeconfig)
