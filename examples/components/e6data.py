"""e6data with one workspace, from the VPC to the nodes."""

import pulumi

from eks_analytics import E6data

e6data = E6data(
    "analytics",
    {
        "network": {
            "cluster_name": "analytics",
            "region": "us-east-1",
            "availability_zones": ["us-east-1a", "us-east-1b"],
        },
        "cluster": {
            "cluster_name": "analytics",
            "admin_principal_arns": ["arn:aws:iam::123456789012:role/deployer"],
            "public_endpoint_cidrs": ["198.51.100.0/24"],
            "node_groups": [{"name": "system", "instance_types": ["m6i.large"], "min_size": 2, "max_size": 3}],
        },
        "workspaces": [{"name": "reports", "instance_families": ["m5d", "c5d", "r5d"]}],
    },
)
pulumi.export("node_pool_names", e6data.node_pool_names)
