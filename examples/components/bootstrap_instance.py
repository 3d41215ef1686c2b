"""The host that runs the vendor's installer, for an installation of another program."""

import pulumi

from eks_analytics import BootstrapInstance

files = pulumi.StackReference("acme/installation/production")
host = BootstrapInstance(
    "analytics",
    {
        "cluster": {
            "name": "analytics",
            "kubernetes_version": "1.35",
            "security_group_id": "sg-0a1b2c3d4e5f67890",
            "kubeconfig": pulumi.Config().require("kubeconfig"),
        },
        "region": "us-east-1",
        "vpc_id": "vpc-0a1b2c3d4e5f67890",
        "subnet_id": "subnet-0a1b2c3d4e5f67890",
        "installation": {
            "bucket_name": files.require_output("bucket_name"),
            "install_script_key": files.require_output("install_script_key"),
            "license_secret_arn": files.require_output("license_secret_arn"),
            "tls_certificate_secret_arn": files.require_output("tls_certificate_secret_arn"),
            "tls_private_key_secret_arn": files.require_output("tls_private_key_secret_arn"),
            "admin_password_secret_arn": files.require_output("admin_password_secret_arn"),
            "kms_key_arn": files.require_output("kms_key_arn"),
        },
    },
)
pulumi.export("connect_command", host.connect_command)
