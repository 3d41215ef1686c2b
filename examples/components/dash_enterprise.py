"""Dash Enterprise on a cluster of its own, up to the host that runs the vendor's installer."""

from pathlib import Path

import pulumi

from eks_analytics import DashEnterprise

dash = DashEnterprise(
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
            "node_groups": [{"name": "core", "instance_types": ["m6i.2xlarge"], "min_size": 3, "max_size": 4}],
        },
        "installation": {
            "base_domain": "dash.example.com",
            "license": Path("license.yaml").read_text(),
            "tls_certificate": Path("chain.pem").read_text(),
            "tls_private_key": Path("key.pem").read_text(),
            "admin_password": pulumi.Config().require_secret("admin_password"),
            "install_script": Path("install_de_aws.sh").read_text(),
        },
    },
)
pulumi.export("next_steps", dash.next_steps)
