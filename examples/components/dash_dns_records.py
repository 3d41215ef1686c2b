"""The seven records, once the installer has made the load balancer."""

import pulumi

from eks_analytics import DashDnsRecords

records = DashDnsRecords(
    "analytics",
    {
        "base_domain": "dash.example.com",
        "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
        "hosted_zone_name": "example.com",
        "load_balancer_hostname": "a1b2c3d4-0123456789abcdef.elb.us-east-1.amazonaws.com",
    },
)
pulumi.export("records_table", records.records_table)
