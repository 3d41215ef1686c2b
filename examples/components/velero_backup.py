"""Backups of a cluster that is there, installed through its kubeconfig, with alarms for somebody."""

import pulumi
import pulumi_kubernetes as kubernetes

from eks_analytics import VeleroBackup

provider = kubernetes.Provider("analytics", kubeconfig=pulumi.Config().require("kubeconfig"))
backup = VeleroBackup(
    "analytics",
    {
        "cluster_name": "analytics",
        "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "watch": {"subscriptions": [{"protocol": "email", "endpoint": "backups@example.com"}]},
    },
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("bucket_name", backup.bucket_name)
pulumi.export("cli_version", backup.cli_version)
