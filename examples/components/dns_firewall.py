"""Watches over the names that a VPC looks up, and logs what is not on the list."""

from eks_analytics import DnsFirewall

DnsFirewall(
    "analytics",
    {
        "cluster_name": "analytics",
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "base_domain": "dash.example.com",
        "region": "us-east-1",
        "action": "ALERT",
    },
)
