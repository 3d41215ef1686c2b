"""Arguments of every public component, in Python and plain; together they give every argument that there is.

Several sets where arguments exclude each other. Which of the values can be Outputs, the schema knows.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ROLE = "arn:aws:iam::123456789012:role/deployer"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:analytics/dash-enterprise"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"
KUBECONFIG = '{"apiVersion": "v1", "kind": "Config"}'
A, B = "us-east-1a", "us-east-1b"
BOUNDARY = "arn:aws:iam::123456789012:policy/deployment-boundary"
TAGS = {"team": "data"}
SSH_KEY = (
    rsa.generate_private_key(65537, 2048).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
)
LOAD_BALANCER = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-1.amazonaws.com"
SCRIPT = '#!/bin/bash\nCLUSTER_NAME="changeme"\nADMIN_PASSWORD="changeme"\necho installing\n'

NETWORK: dict[str, Any] = {
    "cluster_name": "analytics",
    "region": "us-east-1",
    "availability_zones": [A, B],
    "permissions_boundary_arn": BOUNDARY,
}
NEW_NETWORK = {
    **NETWORK,
    "cidr": "10.1.0.0/16",
    "name_prefix": "shared",
    "public_subnet_cidrs": ["10.1.0.0/24", "10.1.1.0/24"],
    "private_subnet_cidrs": ["10.1.32.0/19", "10.1.64.0/19"],
    "nat_gateways": "single",
    "enable_s3_endpoint": True,
    "interface_endpoints": ["ecr.api"],
    "enable_ipv6": True,
    "tenancy": "dedicated",
    "confirm_replacement": True,
    "enable_dns_support": True,
    "enable_dns_hostnames": True,
    "flow_logs_retention_days": 30,
    "tags": TAGS,
}
EXISTING_NETWORK = {
    **NETWORK,
    "existing_vpc_id": "vpc-0a1b2c3d4e5f67890",
    "existing_private_subnets": {A: "subnet-0a1b2c3d4e5f67891", B: "subnet-0a1b2c3d4e5f67892"},
    "existing_public_subnets": {A: "subnet-0a1b2c3d4e5f67893", B: "subnet-0a1b2c3d4e5f67894"},
    "needs_way_out": True,
}
NODE_GROUPS: list[dict[str, Any]] = [
    {
        "name": "core",
        "instance_types": ["m6i.2xlarge"],
        "ami_type": "AL2023_x86_64_STANDARD",
        "capacity_type": "ON_DEMAND",
        "min_size": 2,
        "desired_size": 3,
        "max_size": 4,
        "disk_size_gib": 120,
        "labels": {"tier": "core"},
        "availability_zones": [A, B],
        "one_group_per_zone": True,
        "max_unavailable_percentage": 50,
    },
    {
        "name": "jobs",
        "instance_types": ["m6i.large", "m5.large"],
        "capacity_type": "SPOT",
        "min_size": 0,
        "max_size": 4,
        "taints": [{"key": "dedicated", "value": "jobs", "effect": "NoSchedule"}],
    },
]
CLUSTER: dict[str, Any] = {
    "cluster_name": "analytics",
    "region": "us-east-1",
    "account_id": "123456789012",
    "admin_principal_arns": [ROLE],
    "node_groups": NODE_GROUPS,
    "kubernetes_version": "1.35",
    "control_plane_zones": [A, B],
    "public_endpoint_cidrs": ["198.51.100.0/24"],
    "private_endpoint_cidrs": ["10.0.0.0/16"],
    "engine_runs_inside_vpc": True,
    "kms_key_arn": KEY,
    "log_types": ["audit"],
    "log_retention_days": 30,
    "production": True,
    "deletion_protection": False,
    "confirm_replacement": True,
    "service_cidr": "172.21.0.0/16",
    "ip_family": "ipv4",
    "vpc_cni_prefix_delegation": True,
    "addon_versions": {"coredns": "v1.13.2-eksbuild.1"},
    "ebs_csi_role": "vendor-name",
    "enable_default_storage_class": False,
    "session_logs": {"retention_days": 30, "kms_key_arn": KEY},
    "permissions_boundary_arn": BOUNDARY,
    "tags": TAGS,
}
IN_SUBNETS = {
    "vpc_id": "vpc-1",
    "subnet_ids_by_zone": {A: "subnet-a", B: "subnet-b"},
    "node_subnet_ids_by_zone": {A: "subnet-a", B: "subnet-b"},
}
INSTALLATION: dict[str, Any] = {
    "base_domain": "dash.example.com",
    "license": "a license",
    "tls_certificate": "a chain",
    "tls_private_key": "a key",
    "admin_password": "a password",
    "install_script": SCRIPT,
    "script_variables": {"CLUSTER_NAME": "analytics"},
    "confirm_base_domain_change": True,
}
BOOTSTRAP: dict[str, Any] = {
    "ubuntu_release": "22.04",
    "instance_type": "t3.small",
    "disk_size_gib": 30,
    "ssh": {"public_key": SSH_KEY, "allowed_cidrs": ["198.51.100.0/24"], "key_name": "other"},
    "run_installer": True,
    "installer_timeout_minutes": 90,
    "supporting_software": ["cert-manager"],
    "tools": [{"name": "helm", "version": "3.19.0", "sha256": "0" * 64}],
    "log_retention_days": 30,
}
DNS: dict[str, Any] = {
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "hosted_zone_name": "dash.example.com",
    "load_balancer_hostname": LOAD_BALANCER,
    "load_balancer_type": "network",
    "prefixed_hosted_zone_id": "Z9876543210ABCDEFGHIJ",
    "ttl": 60,
    "enable_base_record": True,
}
LIMITS = {
    "name": "m99.2xlarge",
    "architecture": "x86_64",
    "vcpus": 8,
    "memory_mib": 32768,
    "network_interfaces": 4,
    "addresses_per_interface": 15,
    "volumes": 26,
    "volumes_share_slots": True,
}
WORKSPACE: dict[str, Any] = {
    "name": "analytics",
    "instance_families": ["m5d", "c5d"],
    "zones": [A],
    "volume_size_gib": 200,
    "cpu_limit": 5000,
    "instance_store": "mount",
    "mount_paths": ["/app/tmp"],
    "capacity_types": ["spot", "on-demand"],
    "architectures": ["amd64"],
    "expire_after": "720h",
    "ami_alias": "al2023@v20260724",
    "tags": TAGS,
}
POOLS: list[dict[str, Any]] = [
    {
        "name": "general",
        "ami_alias": "al2023@v20260724",
        "instance_families": ["m6i"],
        "instance_types": ["m6i.2xlarge"],
        "zones": [A],
        "capacity_types": ["spot"],
        "architectures": ["amd64"],
        "requirements": [
            {"key": "karpenter.k8s.aws/instance-cpu", "operator": "In", "values": ["4", "8"], "min_values": 1}
        ],
        "labels": {"tier": "general"},
        "taints": [{"key": "dedicated", "value": "general", "effect": "NoSchedule"}],
        "startup_taints": [{"key": "node.cilium.io/agent-not-ready", "value": "true", "effect": "NoExecute"}],
        "limits": {"cpu": "100"},
        "weight": 10,
        "consolidation_policy": "WhenEmpty",
        "consolidate_after": "1m",
        "disruption_budgets": [{"nodes": "10%", "reasons": ["Empty"], "schedule": "0 9 * * mon-fri", "duration": "8h"}],
        "expire_after": "480h",
        "termination_grace_period": "1h",
        "block_devices": [
            {
                "device_name": "/dev/xvda",
                "size_gib": 200,
                "volume_type": "gp3",
                "iops": 4000,
                "throughput": 250,
                "kms_key_id": KEY,
                "delete_on_termination": True,
                "root_volume": True,
            },
            {"device_name": "/dev/xvdb", "snapshot_id": "snap-0a1b2c3d4e5f67890"},
        ],
        "user_data": "#!/bin/bash\necho hello\n",
        "subnet_selector": [{"tags": {"karpenter.sh/discovery": "analytics"}}, {"id": "subnet-0a1b2c3d4e5f67890"}],
        "security_group_selector": [{"tags": {"Name": "nodes"}}, {"id": "sg-0a1b2c3d4e5f67890"}],
        "associate_public_ip_address": False,
        "detailed_monitoring": True,
        "metadata_options": {
            "http_endpoint": "enabled",
            "http_tokens": "required",
            "http_put_response_hop_limit": 2,
            "http_protocol_ipv6": "disabled",
        },
        "tags": {"pool": "general"},
    },
    {"name": "fast", "ami_alias": "al2023@v20260724", "disk_size_gib": 50, "instance_store": "raid0"},
]
OF_POOLS: dict[str, Any] = {
    "cluster_name": "analytics",
    "cluster_security_group_id": "sg-cluster",
    "availability_zones": [A, B],
    "production": True,
}
CONTROLLER: dict[str, Any] = {
    "version": "3.5.0",
    "enable_waf": True,
    "enable_wafv2": True,
    "enable_shield": True,
    "enable_service_mutator_webhook": True,
    "default_tags": {"cost": "shared"},
    "restricted_tags": {"app": "e6data"},
    "helm_values": {"logLevel": "debug", "nested": {"list": [1, "two", True]}},
    "cluster_name": "analytics",
    "vpc_id": "vpc-1",
    "region": "us-east-1",
    "account_id": "123456789012",
    "after": ["core", "jobs"],
    "permissions_boundary_arn": BOUNDARY,
    "tags": TAGS,
}
KARPENTER: dict[str, Any] = {
    "version": "1.14.1",
    "isolated_vpc": True,
    "use_instance_profile": True,
    "enable_zonal_shift": True,
    "namespace": "karpenter",
    "replicas": 1,
    "helm_values": {"logLevel": "debug"},
    "cluster_name": "analytics",
    "region": "us-east-1",
    "account_id": "123456789012",
    "cluster_endpoint": "https://abc.eks.amazonaws.com",
    "system_node_groups": ["core", "jobs"],
    "session_log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:/analytics/sessions",
    "permissions_boundary_arn": BOUNDARY,
    "tags": TAGS,
}
WATCH: dict[str, Any] = {
    "enabled": True,
    "grace_hours": 8,
    "check_interval_minutes": 10,
    "subscriptions": [
        {"protocol": "email", "endpoint": "backups@example.com"},
        {"protocol": "https", "endpoint": "https://alerts.example.com/hook"},
    ],
    "alarm_actions": ["arn:aws:sns:us-east-1:123456789012:on-call"],
    "notify_on_recovery": False,
    "alarm_key_arn": KEY,
    "log_retention_days": 30,
}
BY_EXISTING_TOPIC = {"existing_topic_arn": "arn:aws:sns:us-east-1:123456789012:alerts"}
BACKUPS: dict[str, Any] = {
    "enabled": True,
    "profile": "current",
    "image_registry": "registry.example.com/velero",
    "prefix": "dash/dev",
    "access_mode": "ReadOnly",
    "schedules": [
        {
            "name": "hourly",
            "cron": "0 * * * *",
            "ttl": "240h",
            "namespaces": ["dash-apps"],
            "excluded_resources": ["endpointslices"],
        },
        {"name": "weekly", "cron": "0 3 * * sun", "paused": True},
    ],
    "watch": WATCH,
    "enable_prometheus_rule": True,
    "helm_values": {"podLabels": {"team": "data"}},
}
NEW_BUCKET: dict[str, Any] = {
    "name": "analytics-dash-backups",
    "encryption": "kms",
    "kms_key_arn": KEY,
    "noncurrent_days": 45,
    "object_lock": {"days": 30, "mode": "COMPLIANCE"},
    "replication": {"region": "us-west-2", "kms_key_arn": KEY.replace("us-east-1", "us-west-2")},
}
BACKED_UP: dict[str, Any] = {
    "cluster_name": "analytics",
    "region": "us-east-1",
    "account_id": "123456789012",
    "kms_key_arn": KEY,
    "kubernetes_version": "1.35",
    "after": ["core", "jobs"],
    "production": True,
    "permissions_boundary_arn": BOUNDARY,
    "tags": TAGS,
}
KEYS_OF_A_USER = f"[default]\naws_access_key_id = AKIA{'A' * 16}\naws_secret_access_key = {'a' * 40}\n"

ARGUMENTS: dict[str, list[dict[str, Any]]] = {
    "AwsLoadBalancerController": [
        {**CONTROLLER, "identity": "pod-identity"},
        {**CONTROLLER, "identity": "irsa", "oidc_provider_arn": PROVIDER},
    ],
    "BackupWatch": [
        {
            **WATCH,
            "name": "analytics",
            "bucket": "analytics-backups",
            "schedules": [{"name": "daily", "cron": "0 0 * * *"}, {"name": "weekly", "cron": "0 3 * * sun"}],
            "region": "us-east-1",
            "account_id": "123456789012",
            "prefix": "dash/dev",
            "kms_key_arn": KEY,
            "production": True,
            "permissions_boundary_arn": BOUNDARY,
            "tags": TAGS,
        },
        {
            **BY_EXISTING_TOPIC,
            "name": "analytics",
            "bucket": "analytics-backups",
            "schedules": [{"name": "daily", "cron": "0 0 * * *"}],
        },
    ],
    "BootstrapInstance": [
        {
            **BOOTSTRAP,
            "cluster": {
                "name": "analytics",
                "kubernetes_version": "1.35",
                "security_group_id": "sg-cluster",
                "session_document_name": "analytics-session",
                "session_log_group_arn": "arn:aws:logs:us-east-1:123456789012:log-group:/analytics/sessions",
                "kubeconfig": KUBECONFIG,
            },
            "region": "us-east-1",
            "account_id": "123456789012",
            "vpc_id": "vpc-1",
            "subnet_id": "subnet-1",
            "installation": {
                "bucket_name": "analytics-files",
                "install_script_key": "install_de_aws.sh",
                "license_secret_arn": f"{SECRET}/license-Ab12Cd",
                "tls_certificate_secret_arn": f"{SECRET}/tls-certificate-Ab12Cd",
                "tls_private_key_secret_arn": f"{SECRET}/tls-private-key-Ab12Cd",
                "admin_password_secret_arn": f"{SECRET}/admin-password-Ab12Cd",
                "kms_key_arn": KEY,
            },
            "base_domain": "dash.example.com",
            "next_steps": "Ask for a coffee.",
            "permissions_boundary_arn": BOUNDARY,
            "tags": TAGS,
        }
    ],
    "Cluster": [
        {**CLUSTER, **IN_SUBNETS},
        {
            **CLUSTER,
            **IN_SUBNETS,
            "kms_key_arn": "",
            "enable_default_storage_class": True,
            "ebs_csi_role": "per-cluster",
        },
    ],
    "DashDnsRecords": [{**DNS, "base_domain": "dash.example.com"}],
    "DashEnterprise": [
        {
            "network": NEW_NETWORK,
            "cluster": CLUSTER,
            "installation": INSTALLATION,
            "enable_bootstrap": True,
            "bootstrap": BOOTSTRAP,
            "dns": DNS,
            "egress": {"mode": "dns-firewall", "action": "BLOCK", "additional_domains": ["example.org"]},
            "capacity": {"edition": "premium", "apps": 2, "workspaces": 1, "instance_limits": [LIMITS]},
            "velero": {**BACKUPS, "identity": "static", "credentials": KEYS_OF_A_USER, "bucket": NEW_BUCKET},
            "drain_minutes": 20,
        },
        {
            "network": EXISTING_NETWORK,
            "cluster": CLUSTER,
            "installation": INSTALLATION,
            "enable_bootstrap": False,
            "velero": {"bucket": {"existing_name": "central-backups"}, "watch": BY_EXISTING_TOPIC},
        },
    ],
    "DashInstallation": [
        {
            **INSTALLATION,
            "cluster_name": "analytics",
            "kms_key_arn": KEY,
            "production": True,
            "tags": TAGS,
        },
        {**INSTALLATION, "confirm_base_domain_change": False, "cluster_name": "analytics", "kms_key_arn": KEY},
    ],
    "DnsFirewall": [
        {
            "cluster_name": "analytics",
            "vpc_id": "vpc-1",
            "base_domain": "dash.example.com",
            "region": "us-east-1",
            "action": "BLOCK",
            "additional_domains": ["example.org"],
            "log_retention_days": 30,
            "tags": TAGS,
        }
    ],
    "E6data": [
        {
            "network": {**NEW_NETWORK, "nat_gateways": "one-per-az"},
            "cluster": CLUSTER,
            "workspaces": [WORKSPACE],
            "karpenter": {
                "version": "1.14.1",
                "identity": "pod-identity",
                "allowed_names": ["e6data-analytics"],
                "enable_zonal_shift": True,
                "replicas": 1,
                "helm_values": {"logLevel": "debug"},
            },
            "load_balancer_controller": {
                "version": "3.5.0",
                "identity": "pod-identity",
                "enable_service_mutator_webhook": True,
                "default_tags": {"cost": "shared"},
                "helm_values": {"logLevel": "debug"},
            },
            "drain_minutes": 20,
        },
        {
            "network": EXISTING_NETWORK,
            "existing_cluster": {
                "oidc_provider_arn": PROVIDER,
                "karpenter_node_role_name": "KarpenterNodes",
                "has_load_balancer_controller": True,
            },
            "workspaces": [WORKSPACE],
            "production": True,
            "account_id": "123456789012",
        },
    ],
    "E6dataWorkspace": [
        {**OF_POOLS, **WORKSPACE, "node_role_name": "KarpenterNodes"},
        {**OF_POOLS, **WORKSPACE, "instance_profile_name": "KarpenterNodes"},
    ],
    "Karpenter": [
        {**KARPENTER, "identity": "pod-identity", "allowed_name_prefix": "general-"},
        {**KARPENTER, "identity": "irsa", "oidc_provider_arn": PROVIDER, "allowed_names": ["general", "fast"]},
    ],
    "LoadBalancerDrain": [
        {
            "cluster_name": "analytics",
            "vpc_id": "vpc-1",
            "kubeconfig": KUBECONFIG,
            "region": "us-east-1",
            "after": ["core", "jobs"],
            "minutes": 20,
            "production": True,
        }
    ],
    "Network": [NEW_NETWORK, EXISTING_NETWORK],
    "NodePools": [
        {**OF_POOLS, "pools": POOLS, "node_role_name": "KarpenterNodes", "tags": TAGS},
        {
            **OF_POOLS,
            "pools": [POOLS[0]],
            "instance_profile_name": "KarpenterNodes",
            "allowed_name_prefix": "gen",
        },
    ],
    "VeleroBackup": [
        {**BACKED_UP, **BACKUPS, "identity": "static", "credentials": KEYS_OF_A_USER, "bucket": NEW_BUCKET},
        {**BACKED_UP, **BACKUPS, "identity": "irsa", "oidc_provider_arn": PROVIDER},
        {
            "cluster_name": "analytics",
            "profile": "documented",
            "oidc_provider_arn": PROVIDER,
            "bucket": {"existing_name": "central-backups", "kms_key_arn": KEY},
            "watch": BY_EXISTING_TOPIC,
        },
        {**BACKED_UP, "enabled": False, "bucket": {"encryption": "s3"}},
    ],
}
