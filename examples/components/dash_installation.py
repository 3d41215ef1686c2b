"""The files of an installation, for a cluster that is there."""

from pathlib import Path

import pulumi

from eks_analytics import DashInstallation

installation = DashInstallation(
    "analytics",
    {
        "base_domain": "dash.example.com",
        "cluster_name": "analytics",
        "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "license": Path("license.yaml").read_text(),
        "tls_certificate": Path("chain.pem").read_text(),
        "tls_private_key": Path("key.pem").read_text(),
        "admin_password": pulumi.Config().require_secret("admin_password"),
        "install_script": Path("install_de_aws.sh").read_text(),
    },
)
pulumi.export("bucket_name", installation.bucket_name)
