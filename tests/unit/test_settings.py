"""Every configuration that cannot work is refused with key, value and remedy; all that is wrong is said at once."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import UTC, date, datetime, time
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Any, NotRequired, get_args, get_origin, is_typeddict

import pulumi
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from eks_analytics import DashEnterpriseArgs
from eks_analytics.cluster_checks import LOG_RETENTION_DAYS, LOG_TYPES, ClusterOptions, check_cluster
from eks_analytics.network_options import NAT_GATEWAYS, TENANCIES, NetworkOptions, check_network
from eks_analytics.node_group_options import AMI_TYPES, CAPACITY_TYPES
from eks_analytics.problems import Problem
from eks_analytics.versions import DEFAULT_KUBERNETES_VERSION
from sandbox import demo_files
from settings import (
    ClusterSettings,
    NetworkSettings,
    NodeGroupSettings,
    Settings,
    SettingsError,
    dash_enterprise,
    from_pulumi,
    load,
)
from settings.arguments import cluster_options, dash_enterprise_arguments, network_arguments

PROJECT = Path(__file__).resolve().parents[2]
TODAY = date(2026, 11, 21)
ROLE = "arn:aws:iam::123456789012:role/deployer"
KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GOOD: dict[str, Any] = {
    "product": "dash-enterprise",
    "cluster_name": "dash-dev",
    "availability_zones": ["us-east-1a", "us-east-1b"],
    "cluster": {"admin_principal_arns": [ROLE], "public_endpoint_cidrs": ["203.0.113.0/24"]},
    "node_groups": [{"name": "core", "instance_types": ["m6i.2xlarge"]}],
    "dash_enterprise": {
        "base_domain": "dash.example.com",
        "license_file": "license.yaml",
        "tls_certificate_file": "chain.pem",
        "tls_private_key_file": "key.pem",
        "tls_trust_store_file": "ca.pem",
        "installation_plan": "plan",
    },
    "admin_password": "correct horse",
}
EXISTING_VPC = {
    "existing_vpc_id": "vpc-0a1b2c3d4e5f67890",
    "existing_private_subnets": {
        "us-east-1a": "subnet-0a1b2c3d4e5f67890",
        "us-east-1b": "subnet-0a1b2c3d4e5f67891",
    },
}
NULL = None  # as JSON and YAML write it, unlike a key that is not there
ABSENT = type("Absent", (), {"__repr__": lambda self: "absent"})()
_STEP = re.compile(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[]+)')


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the files that the good configuration names."""
    folder = tmp_path_factory.mktemp("project")
    files = {"license_file": "license.yaml", "tls_certificate_file": "chain.pem", "tls_private_key_file": "key.pem"}
    settings = {"base_domain": "dash.example.com", "installation_plan": "demo/plan"}
    settings |= {key: f"demo/{name}" for key, name in files.items()}
    (folder / "stack.yaml").write_text(yaml.safe_dump({"config": {"x:dash_enterprise": settings}}))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(demo_files, "_now", lambda: datetime.combine(TODAY, time(12), UTC))
        demo_files.ensure(folder, folder / "stack.yaml", lambda _: None)
    return (folder / "demo").rename(folder.parent / f"{folder.name}-files")


def changed(changes: Mapping[str, Any]) -> dict[str, Any]:
    """The good configuration with some keys changed, such as `network.cidr`, `node_groups[0].name`, `tags["a/b"]`."""
    config = deepcopy(GOOD)
    for path, value in changes.items():
        steps = [int(index) if index else quoted or name for quoted, index, name in _STEP.findall(path)]
        place: Any = config
        for step, following in pairwise(steps):
            if isinstance(place, dict):
                place.setdefault(step, [] if isinstance(following, int) else {})
            place = place[step]
        if value is ABSENT:
            place.pop(steps[-1], None)
        elif isinstance(place, list):
            place[steps[-1] :] = [value]
        else:
            place[steps[-1]] = deepcopy(value)
    return config


def _shown(value: Any) -> str:
    """What a message says of a value, as far as long values are shown."""
    return "is not set" if value is ABSENT or value == [] else json.dumps(value, ensure_ascii=False)[:60]


def as_pulumi_hands_it(config: Mapping[str, Any]) -> dict[str, str]:
    """Text as it is, everything else as JSON text."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def read(
    config: Mapping[str, Any], root: Path, *, dry_run: bool = False, region: str | None = "us-east-1", **more: Any
) -> Settings:
    handed = as_pulumi_hands_it(config)
    fixed: dict[str, Any] = {"today": TODAY, "secret_keys": {"admin_password"}, **more}
    return load(handed, root, dry_run=dry_run, provider_region=region, **fixed)


def refusal(config: Mapping[str, Any], root: Path, **more: Any) -> SettingsError:
    with pytest.raises(SettingsError) as refused:
        read(config, root, **more)
    return refused.value


DIGESTS = [{"name": name, "sha256": "ab" * 32} for name in ("eksctl", "kots")]
PRODUCTION: dict[str, Any] = {"production": True, "dash_enterprise.bootstrap.tools": DIGESTS}


# A key, the value that cannot work there (ABSENT: the key is left out), and a part of the remedy.
ALONE: list[tuple[str, Any, str]] = [
    ("product", ABSENT, "write one of dash-enterprise"),
    ("product", "dash-enterprize", 'did you mean "dash-enterprise"?'),
    ("product", "airgapped", "cannot be built by this version yet"),
    ("e6data", {"workspaces": []}, "a stack of its own"),
    ("airgapped", {"x": 1}, "single-tenant"),
    ("cluster_nam", "x", "did you mean cluster_name?"),
    ("cidr", "10.0.0.0/16", "did you mean network.cidr?"),
    ("zzz", 1, "remove it, or write one of product"),
    ("network.nat_gatway", "none", "network.nat_gateways?"),
    ("node_groups[0].min", 1, "did you mean node_groups[0].min_size?"),
    ("production", "yes", "write true or false"),
    ("network.ipv6", "true", "write true or false, without quotes"),
    ("node_groups[0].min_size", "3", "write digits without quotes, such as 3"),
    ("node_groups[0].min_size", 1.5, "write digits without quotes"),
    ("cluster.version", 1.35, 'write it in quotes: "1.35"'),
    ("cluster.admin_principal_arns", ROLE, f'write a list: ["{ROLE}"]'),
    ("environment", "a b", 'such as "dev"'),
    ("cluster_name", ABSENT, 'such as "dash-dev"'),
    ("cluster_name", "dash dev", 'such as "dash-dev"'),
    ("cluster_name", "x" * 38, "shorten it to 37"),
    ("cluster_name", "x" * 101, "dash-dev"),
    ("account_id", "12345678901", "in quotes with its leading zeros"),
    ("region", "us-east-1a", 'write "us-east-1"'),
    ("region", "useast1", 'such as "us-east-1"'),
    ("availability_zones[1]", "us-west-2b", 'such as "us-east-1a"'),
    ("availability_zones[0]", "use1-az1", "make zones"),
    ("availability_zones[1]", "us-east-1-bos-1a", "Local"),
    ("availability_zones", ABSENT, "make zones REGION=us-east-1"),
    ("availability_zones", ["us-east-1a"], "at least 2 zones"),
    ("availability_zones", [f"us-east-1{letter}" for letter in "abcdefg"], "more than 6"),
    ("availability_zones", ["us-east-1a", "us-east-1a"], "name each zone once"),
    ('tags["aws:x"]', "y", "rename it"),
    ("tags.Name", "y", "leave it out"),
    ("tags.stack", "y", "leave it out"),
    ("tags.cost", "5 €", "use letters, digits"),
    ('tags["a,b"]', "c", "use letters, digits"),
    ("tags.cost-center", 42, 'write it in quotes: "42"'),
    (f"tags.{'k' * 129}", "v", "1 to 128"),
    ("tags.k", "v" * 257, "0 to 256"),
    ("tags", {f"key-{number}": "value" for number in range(43)}, "leave some out"),
    ("network.cidr", "10.0.0.0.0/16", "10.0.0.0/16"),
    ("network.cidr", "10.0.0.1/16", "write 10.0.0.0/16"),
    ("network.cidr", "10.0.0.0/15", "/16 to /28"),
    ("network.cidr", "10.0.0.0/29", "/16 to /28"),
    ("network.cidr", "10.0.0.0/26", "choose a /23 or larger"),
    ("network.cidr", "127.0.0.0/16", "10.0.0.0/16"),
    ("network.private_subnet_cidrs", ["10.0.0.0/20"], "one for each zone"),
    ("network.nat_gateways", "singel", 'did you mean "single"?'),
    ("network.nat_gateways", "none", "from which Dash Enterprise is installed"),
    ("network.interface_endpoints", "ecr.api", 'write ["ecr.api"]'),
    ("network.interface_endpoints[0]", "com.amazonaws.eu-west-1.sts", "write its short name"),
    ("network.interface_endpoints", ["sts", "sts"], "name each one once"),
    ("network.tenancy", "host", "write one of default, dedicated"),
    ("network.dns_support", False, "write true"),
    ("network.dns_hostnames", False, "write true"),
    ("network.flow_logs_retention_days", 10, "write 14"),
    ("network.name_prefix", "a/b", "write a prefix"),
    ("network.existing_vpc_id", "my-vpc", "write it like vpc-"),
    ("network.existing_private_subnets", {"us-east-1a": "subnet-0a1b2c3d"}, "existing VPC"),
    ("cluster.ip_family", "ipv6", "set network.ipv6: true"),
    ("cluster.service_cidr", "10.0.0.0/20", '"172.20.0.0/16"'),
    ("dash_enterprise.base_domain", "dash.bücher.example", 'write "dash.xn--bcher-kva.example"'),
    ("cluster.service_cidr", "8.8.0.0/16", "172.20.0.0/16"),
    ("cluster.service_cidr", "172.20.0.0/25", "172.20.0.0/16"),
    ("cluster.version", "1.24", 'write "1.36" (standard support until 2027-08-02) or "1.35" (standard support until'),
    ("network", "10.0.0.0/16", "write an object with the keys that you need, of cidr, name_prefix"),
    ("node_groups[0]", "core", "write an object with the keys that you need, of name, instance_types"),
    ("node_groups[0].taints", {"key": "a"}, 'write a list: [{"key": "a"}]'),
    ("node_groups[0].taints", {"a": "b"}, 'write a list: [{"key": "a", "value": "b"}]'),
    ("node_groups[0].taints", {"a": {"effect": "NO_EXECUTE"}}, '[{"key": "a", "effect": "NO_EXECUTE"}]'),
    ("node_groups[0].taints", {"a": 1}, "write a list: [{key: ..., value: ..., effect: ...}]"),
    (
        "node_groups",
        {"core": {"instance_types": ["m6i.2xlarge"]}},
        '[{"name": "core", "instance_types": ["m6i.2xlarge"]}]',
    ),
    ("velero.schedules", {"daily": {}}, 'write a list: [{"name": "daily"}]'),
    ("availability_zones", "us-east-1a,us-east-1b", '["us-east-1a", "us-east-1b"]'),
    ("availability_zones", "[us-east-1a, us-east-1b]", '["us-east-1a", "us-east-1b"]'),
    ("network.interface_endpoints", "sts, logs", '["sts", "logs"]'),
    ("node_groups[0].disk_size_gib", "100Gi", "write 100, without quotes or unit"),
    ("node_groups[0].disk_size_gib", "1 TiB", "write 1024, without quotes or unit: the number is in GiB"),
    ("cluster.version", 1.3, 'write it in quotes: "1.3", or "1.30" where that is what the file says'),
    ("cluster.version", "1.3", "is what YAML makes of 1.30 without quotes"),
    ("cluster.addon_versions.core-dns", "v1.13.2-eksbuild.1", 'did you mean "coredns"?'),
    ("cluster.addon_versions.coredns", "1.13.2", "-eksbuild."),
    ("cluster.admin_principal_arns", [], "aws sts get-caller-identity"),
    ("cluster.admin_principal_arns[0]", "arn:aws:sts::123456789012:assumed-role/deployer/me", f'write "{ROLE}"'),
    ("cluster.admin_principal_arns[0]", "arn:aws:iam::123456789012:root", "write a role or user"),
    ("cluster.admin_principal_arns[0]", "arn:aws:iam::123456789012:group/x", "write a role or user"),
    (
        "cluster.admin_principal_arns[0]",
        "arn:aws:iam::123456789012:role/aws-service-role/x.amazonaws.com/Y",
        "write a role of your own",
    ),
    ("cluster.admin_principal_arns[0]", "deployer", "arn:aws:iam::"),
    ("cluster.admin_principal_arns", [ROLE, ROLE], "name each one once"),
    ("cluster.admin_principal_arns[0]", "arn:aws-cn:iam::123456789012:role/x", '"arn:aws:"'),
    ("cluster.public_endpoint_cidrs", [], "engine_runs_inside_vpc: true"),
    ("cluster.public_endpoint_cidrs[0]", "0.0.0.0/0", "name the networks"),
    ("cluster.public_endpoint_cidrs[0]", "::/0", "name the networks"),
    ("cluster.public_endpoint_cidrs[0]", "10.1.0.0/16", "public address"),
    ("cluster.public_endpoint_cidrs[0]", "203.0.113.7", '"203.0.113.7/32"'),
    ("cluster.public_endpoint_cidrs[0]", "203.0.113.7/24", 'write "203.0.113.0/24"'),
    ("cluster.public_endpoint_cidrs[0]", "2001:db8::/32", "write an IPv4 network"),
    ("cluster.public_endpoint_cidrs[0]", "2000::/31", "name the networks"),
    ("cluster.public_endpoint_cidrs[0]", "169.254.0.0/16", "remove it"),
    ("cluster.private_endpoint_cidrs[0]", "0.0.0.0/0", "name the VPC's CIDR"),
    ("cluster.private_endpoint_cidrs[0]", "::/0", "name the VPC's CIDR"),
    ("cluster.private_endpoint_cidrs[0]", "10.0.0.1/16", 'write "10.0.0.0/16"'),
    ("cluster.private_endpoint_cidrs[0]", "fd00::/48", "write an IPv4 network"),
    ("cluster.private_endpoint_cidrs", ["10.0.0.0/16", "10.0.0.0/16"], "name each one once"),
    ("cluster.kms_key_arn", KEY.replace("us-east-1", "eu-west-1"), "name a key of us-east-1"),
    ("cluster.kms_key_arn", "arn:aws:kms:us-east-1:123456789012:alias/x", "aws kms describe-key"),
    ("cluster.kms_key_arn", "1234abcd", "write an ARN"),
    ("cluster.log_retention_days", 100, "write 120"),
    ("cluster.ebs_csi_role", "mine", "per-cluster"),
    ("cluster.control_plane_zones", ["us-east-1a"], "name two"),
    ("node_groups", [], "instance_types"),
    ("node_groups[0].name", ABSENT, 'such as "core"'),
    ("node_groups[0].name", "Core_1", 'such as "core"'),
    ("node_groups[0].name", "x" * 37, "shorten it to 36"),
    ("node_groups[0].instance_types", [], "m6i.2xlarge"),
    ("node_groups[0].instance_types[0]", "M6i", "m6i.2xlarge"),
    ("node_groups[0].instance_types[0]", "mac2.metal", "Linux"),
    ("node_groups[0].instance_types[0]", "c7gn.xlarge", "ami_type: AL2023_ARM_64_STANDARD"),
    ("node_groups[0].ami_type", "AL2_x86_64", "AL2023_x86_64_STANDARD"),
    ("node_groups[0].capacity_type", "spot", 'did you mean "SPOT"?'),
    ("node_groups[0].desired_size", 9, "from 2 to 4"),
    ("node_groups[0].disk_size_gib", 8, "write 20 or more"),
    ('node_groups[0].labels["node-role.kubernetes.io/worker"]', "x", "node.kubernetes.io/worker"),
    ('node_groups[0].labels["eks.amazonaws.com/x"]', "y", "a prefix of your own"),
    ('node_groups[0].labels["a b"]', "c", "example.com/workload"),
    ("node_groups[0].labels.a", "b c", "such as"),
    ("node_groups[0].labels.a", "", 'such as "true"'),
    ("node_groups[0].max_unavailable_percentage", 101, "write 100 or less"),
    ("dash_enterprise.base_domain", ABSENT, '"dash.example.com"'),
    ("dash_enterprise.base_domain", "https://dash.example.com/", 'write "dash.example.com"'),
    ("dash_enterprise.base_domain", "https://dash.bücher.example/", 'write "dash.xn--bcher-kva.example"'),
    ("dash_enterprise.base_domain", "dash.bücher.example.", 'write "dash.xn--bcher-kva.example"'),
    ("dash_enterprise.base_domain", "*.bücher.example", 'write "xn--bcher-kva.example"'),
    ("dash_enterprise.base_domain", "*.example.com", 'write "example.com"'),
    ("dash_enterprise.base_domain", "dash.example.com/", 'write "dash.example.com"'),
    ("dash_enterprise.base_domain", "Dash.example.com", 'write "dash.example.com"'),
    ("dash_enterprise.base_domain", "10.0.0.1", "write a DNS name"),
    ("dash_enterprise.base_domain", "dash", "write a DNS name"),
    ("dash_enterprise.base_domain", "dash_1.example.com", "write a DNS name"),
    ("dash_enterprise.base_domain", f"{'d' * 55}.example.com", "shorten the first label to 54"),
    ("dash_enterprise.base_domain", ".".join(["d" * 50] * 5), "a shorter domain"),
    ("dash_enterprise.license_file", "no.yaml", "put the license"),
    ("dash_enterprise.tls_private_key_file", ".", "write the path of the file"),
    ("dash_enterprise.tls_certificate_file", ABSENT, "relative to the project"),
    ("dash_enterprise.license_file", "x" * 5000, "correct the path"),
    ("dash_enterprise.license_file", "chain.pem", "name the license file"),
    ("dash_enterprise.license_app_slug", 5, "write it in quotes"),
    ("dash_enterprise.tls_certificate_file", "license.yaml", "name the file that holds the certificate chain"),
    ("dash_enterprise.tls_private_key_file", "chain.pem", "exchange it"),
    ("dash_enterprise.tls_trust_store_file", "no.pem", "put the trusted roots there"),
    ("dash_enterprise.tls_warning_days", -1, "write 0 or more"),
    ("dash_enterprise.installation_plan", ABSENT, "relative to the project"),
    ("dash_enterprise.installation_plan", "plan/install_de_aws.sh", "correct the path"),
    ("dash_enterprise.edition", "Premium", 'did you mean "premium"?'),
    ("dash_enterprise.bootstrap.ubuntu_release", "18.04", "write one of 24.04"),
    ("dash_enterprise.bootstrap.ubuntu_release", 22.04, 'write it in quotes: "22.04"'),
    ("dash_enterprise.bootstrap.instance_type", "t4g.micro", 'an x86 type such as "t3.micro"'),
    ("dash_enterprise.bootstrap.disk_size_gib", 4, "write 8 to"),
    ("dash_enterprise.bootstrap.installer_timeout_minutes", 1, "write 5 to"),
    ("dash_enterprise.bootstrap.log_retention_days", 31, "write 60"),
    ("dash_enterprise.bootstrap.supporting_software[0]", "istioo", 'did you mean "istio"?'),
    ("dash_enterprise.bootstrap.enable", False, "did you mean dash_enterprise.bootstrap.enabled?"),
    ("dash_enterprise.egress.mode", "closed", "write one of open, dns-firewall"),
    ("dash_enterprise.egress.action", "DENY", "write one of ALERT, BLOCK"),
    ("dash_enterprise.drain_minutes", 500, "write 1 to 120"),
    ("dash_enterprise.dns.ttl", 0, "60 while a restore is planned"),
    ("dash_enterprise.dns.load_balancer_type", "alb", "write one of"),
    ("dash_enterprise.dns.load_balancer_hostname", "10.0.0.1", "write the name that"),
    ("dash_enterprise.capacity.apps", -1, "write 0 or more"),
    ("admin_password", ABSENT, "pulumi config set --secret admin_password"),
]

SSH = {"public_key": "", "allowed_cidrs": ["203.0.113.0/24"]}


RSA_KEY = (  # its private half was thrown away
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAABAQC8/nJePOIUoqc6Q49MY9AbJjjqm5b+Op7b+23wga7X5LNbYo0z7Ap9VonmLVdTEfKOz16e"
    "XMcRPferRyHpidXrIbiDy42lozsCoGpd0IvVZ/560Y8U0dQgC+bKSut1FRS4qPrx00wuJc64bn4yYK8Xrxy7J1kBRjZxU8NU7wTF"
    "7gq7kuI2H5IRW8zGAwidXpKm/obnewkSluQihY9Xs+Xl8PZbsaSeKSlv4hQG3LgyLR2z6HY/Rvugakux9ceHuLzLZce4bt4N45r8"
    "2JOj/hTimH2CHcUbZETSER8HVyNLXrzlw1Jw0EraqfEQIOH3LeOPCJntm33Y7GgcuNClo40b"
)

# Where several keys are changed, or another one is named: the changes, the key, what is shown of it, the remedy.
MORE: list[tuple[dict[str, Any], str, str, str]] = [
    ({"admin_password": "abc12"}, "admin_password", '"[secret]"', "choose another one"),
    ({"cluster_name": "aws-dash"}, "cluster_name", '"aws-dash"', "another word in front"),
    (
        {"dash_enterprise.base_domain": "other.example.com"},
        *("dash_enterprise.tls_certificate_file", '"chain.pem"', "`make` renews it for another domain"),
    ),
    (
        {"dash_enterprise.script_variables": {"ADMIN_PASSWORD": "hunter22"}},
        *("dash_enterprise.script_variables", '"ADMIN_PASSWORD"', "set admin_password"),
    ),
    (
        {"dash_enterprise.script_variables": {"NOPE": "x"}},
        *("dash_enterprise.script_variables", '"NOPE"', "use one that is: STORAGE_CLASS"),
    ),
    (
        {"dash_enterprise.bootstrap.ssh": SSH},
        *("dash_enterprise.bootstrap.ssh.public_key", "is not set", "leave ssh out"),
    ),
    (
        {"dash_enterprise.bootstrap.ssh": {**SSH, "public_key": RSA_KEY, "allowed_cidrs": ["0.0.0.0/0"]}},
        *("dash_enterprise.bootstrap.ssh.allowed_cidrs[0]", '"0.0.0.0/0"', "name your own networks"),
    ),
    (
        {"dash_enterprise.bootstrap.ssh": {"public_key": RSA_KEY}},
        *("dash_enterprise.bootstrap.ssh.allowed_cidrs", "is not set", "name the networks of those who install"),
    ),
    (
        {"dash_enterprise.bootstrap.ssh": {**SSH, "public_key": "-----BEGIN RSA PRIVATE KEY-----\nMIIE"}},
        *("dash_enterprise.bootstrap.ssh.public_key", '"(not shown)"', "make a new pair"),
    ),
    (
        {"network": EXISTING_VPC, "dash_enterprise.bootstrap.ssh": {**SSH, "public_key": RSA_KEY}},
        *("dash_enterprise.bootstrap.ssh", '["203.0.113.0/24"]', "name existing_public_subnets"),
    ),
    (
        {"dash_enterprise.bootstrap.tools": [{"name": "helm", "sha256": "abc"}]},
        *("dash_enterprise.bootstrap.tools[0].sha256", '"abc"', "64 digits"),
    ),
    (
        {"dash_enterprise.dns.hosted_zone_id": "Z0123456789ABCDEFGHIJ"},
        *("dash_enterprise.dns.hosted_zone_name", "is not set", "write the zone's name too"),
    ),
    (
        {"dash_enterprise.dns": {"hosted_zone_id": "/hostedzone/Z01", "hosted_zone_name": "example.com"}},
        *("dash_enterprise.dns.hosted_zone_id", '"/hostedzone/Z01"', 'write "Z01"'),
    ),
    (
        {"dash_enterprise.dns": {"hosted_zone_id": "Z01", "hosted_zone_name": "example.org"}},
        *("dash_enterprise.base_domain", '"dash.example.com"', "name the zone that ends it"),
    ),
    ({"node_groups[0].instance_types": ["t3.medium"]}, "node_groups", "t3.medium", "raise desired_size"),
    ({"node_groups[0].instance_types": ["m99.large"]}, "node_groups", '"m99.large"', "limits of this type"),
    ({"dash_enterprise.capacity.apps": 500}, "node_groups", "core: 4 x m6i.2xlarge", "max_size"),
    (
        {"cluster.service_cidr": "172.20.0.0/24", "node_groups[0].max_size": 20, "dash_enterprise.capacity.apps": 110},
        *("cluster.service_cidr", '"172.20.0.0/24"', "service_cidr"),
    ),
    ({"nodeGroups": []}, "nodeGroups", "[]", "did you mean node_groups?"),
    ({"warnings": []}, "warnings", "[]", "remove it, or write one of product"),
    ({"availability_zones": {}}, "availability_zones", "{}", "must be a list"),
    ({"node_groups": {"name": "x"}}, "node_groups", '{"name": "x"}', "must be a list"),
    ({"region": "eu-west-1"}, "region", '"eu-west-1"', "write the same in both"),
    ({"tags": {"Owner": "a", "owner": "b"}}, "tags.owner", '"b"', "leave one of them out"),
    (
        {"network.private_subnet_cidrs": ["10.0.0.0/20", "10.1.0.0/20"]},
        *("network.private_subnet_cidrs[1]", '"10.1.0.0/20"', "inside of it"),
    ),
    (
        {"network.private_subnet_cidrs": ["10.0.0.0/19", "10.0.16.0/20"]},
        *("network.private_subnet_cidrs[1]", '"10.0.16.0/20"', "share no address"),
    ),
    (
        {"network.public_subnet_cidrs": ["10.0.250.0/29", "10.0.251.0/24"]},
        *("network.public_subnet_cidrs[0]", '"10.0.250.0/29"', "between"),
    ),
    (
        {"network": {"nat_gateways": "none", "interface_endpoints": "private-cluster", "s3_endpoint": False}},
        *("network.nat_gateways", '"none"', 'write "one-per-az"'),
    ),
    ({"network.interface_endpoints": ["sts", "s3"]}, "network.interface_endpoints[1]", '"s3"', "leave it out"),
    ({"network.existing_vpc_id": "vpc-0a1b2c3d"}, "network.existing_private_subnets", "is not set", "one for each"),
    ({"network": {**EXISTING_VPC, "cidr": "10.1.0.0/16"}}, "network.cidr", '"10.1.0.0/16"', "one of the two out"),
    ({"network": {**EXISTING_VPC, "nat_gateways": "none"}}, "network.nat_gateways", '"none"', "one of the two out"),
    (
        {"network": EXISTING_VPC, "network.existing_private_subnets.us-east-1a": "10.0.0.0/24"},
        *("network.existing_private_subnets.us-east-1a", '"10.0.0.0/24"', "write it like subnet-"),
    ),
    (
        {"network.ipv6": True, "cluster.ip_family": "ipv6", "cluster.service_cidr": "172.20.0.0/16"},
        *("cluster.service_cidr", '"172.20.0.0/16"', "leave it out"),
    ),
    (
        {"cluster.public_endpoint_cidrs": ["0.0.0.0/1", "128.0.0.0/1"]},
        *("cluster.public_endpoint_cidrs[1]", '"128.0.0.0/1"', "name the networks"),
    ),
    (
        {"account_id": "123456789012", "cluster.ebs_csi_role": "arn:aws:iam::210987654321:role/ebs"},
        *("cluster.ebs_csi_role", "210987654321", "name a role of that account"),
    ),
    (
        {"cluster.vpc_cni_prefix_delegation": True, "node_groups[0].instance_types": ["m4.xlarge"]},
        *("node_groups[0].instance_types[0]", '"m4.xlarge"', "m6i.2xlarge"),
    ),
    ({"cluster.log_types": ["api", "audits"]}, "cluster.log_types[1]", '"audits"', 'did you mean "audit"?'),
    (
        {"cluster.control_plane_zones": ["us-east-1a", "us-east-1c"]},
        *("cluster.control_plane_zones[1]", '"us-east-1c"', "us-east-1a, us-east-1b"),
    ),
    (
        {"dash_enterprise.capacity.apps": "5h"},
        *("dash_enterprise.capacity.apps", '"5h"', "write digits without quotes"),
    ),
    ({"cluster.version": NULL}, "cluster.version", "is not set", "write a value, or remove the key"),
    (
        {"node_groups[0].name": "x" * 30, "node_groups[0].one_group_per_zone": True},
        *("node_groups[0].name", "xxx", "shorten it to 25"),
    ),
    (
        {"node_groups[0].availability_zones": ["us-east-1f"]},
        *("node_groups[0].availability_zones", '"us-east-1f"', "us-east-1a, us-east-1b"),
    ),
    ({"node_groups[1]": GOOD["node_groups"][0]}, "node_groups[1].name", '"core"', "its own name"),
    (
        {"node_groups[0].ami_type": "BOTTLEROCKET_ARM_64"},
        *("node_groups[0].instance_types[0]", '"m6i.2xlarge"', "ami_type: BOTTLEROCKET_x86_64"),
    ),
    ({"node_groups[0].min_size": 5}, "node_groups[0].max_size", "4", "write 5 or more"),
    ({"node_groups[0].min_size": 0, "node_groups[0].max_size": 0}, "node_groups[0].max_size", "0", "write 1 or more"),
    ({"node_groups[0].taints": [{"value": "x"}]}, "node_groups[0].taints[0].key", "is not set", "write a key"),
    (
        {"node_groups[0].taints": [{"key": "a", "efect": "NO_SCHEDULE"}]},
        *("node_groups[0].taints[0].efect", '"NO_SCHEDULE"', "did you mean node_groups[0].taints[0].effect?"),
    ),
    (
        {"node_groups[0].taints": [{"key": "a", "effect": "NoSchedule"}]},
        *("node_groups[0].taints[0].effect", '"NoSchedule"', 'did you mean "NO_SCHEDULE"?'),
    ),
    (
        {"node_groups[0].taints": [{"key": "a"}, {"key": "a"}]},
        *("node_groups[0].taints[1]", '"a"', "leave one of them out"),
    ),
    ({"node_groups[0].taints": [{"key": "a"}]}, "node_groups", '["core"]', "leave one group without"),
]

CASES = [*(({key: value}, key, _shown(value), remedy) for key, value, remedy in ALONE), *MORE]
NAMES = [", ".join(f"{key}={value}"[:60] for key, value in changes.items()) for changes, *_ in CASES]


@pytest.mark.parametrize(("changes", "key", "value", "remedy"), CASES, ids=NAMES)
def test_a_bad_configuration_is_refused_with_key_value_and_remedy(
    changes: dict[str, Any], key: str, value: str, remedy: str, root: Path
) -> None:
    problems = str(refusal(changed(changes), root)).splitlines()[1:]
    assert [line for line in problems if f" {key} " in line and value in line and remedy in line], "\n".join(problems)


def test_most_bad_configurations_bring_up_nothing_but_their_own_problem(root: Path) -> None:
    more = [changes for changes, *_ in CASES if len(refusal(changed(changes), root).problems) > 1]
    assert len(more) < 0.05 * len(CASES), more


def test_the_good_configuration_is_read(root: Path) -> None:
    settings = read(GOOD, root)
    assert settings.warnings == ()
    assert settings.region == "us-east-1"


def test_everything_wrong_is_said_at_once_in_the_order_of_the_settings(root: Path) -> None:
    error = refusal(
        changed(
            {
                "product": "dash",
                "tags": {"aws:x": "y", "fine": "yes", "n": 1},
                "network.cidr": "10.0.0.1/15",
                "network.nope": 1,
                "cluster.version": "9.9",
                "cluster.admin_principal_arns": [],
                "node_groups[0].min_size": 9,
                "node_groups[0].labels": {"a b": "c"},
                "dash_enterprise.base_domain": "x",
            }
        ),
        root,
        stack="dev",
    )
    assert [problem.input for problem in error.problems] == [
        *("product", "tags.n", 'tags["aws:x"]', "network.nope", "network.cidr", "network.cidr"),
        *("cluster.version", "cluster.admin_principal_arns", 'node_groups[0].labels["a b"]', "node_groups[0].max_size"),
        "dash_enterprise.base_domain",
    ]
    first, *lines = str(error).splitlines()
    assert first == "11 problems in the configuration of stack dev (Pulumi.dev.yaml):"
    assert lines[0].startswith('  1. product = "dash": ')
    assert len(lines) == 11


def test_rules_do_not_judge_what_was_refused_already(root: Path) -> None:
    error = refusal(changed({"availability_zones": ["x", "y"], "network.private_subnet_cidrs": ["10.0.0.0/20"]}), root)
    assert {problem.input for problem in error.problems} == {"availability_zones[0]", "availability_zones[1]"}


@pytest.mark.parametrize("secret", ["1000.0", 'line\n"quoted" é', "plain-text"])
def test_a_secret_is_never_shown_as_the_value_of_another_setting(root: Path, secret: str) -> None:
    number: object = float(secret) if secret[0].isdigit() else secret
    config = changed({"velero_credentials": secret, "production": number, "tags": [{"a": [number]}]})
    shown = str(refusal(config, root, secret_keys={"velero_credentials"}))
    assert 'production = "[secret]"' in shown
    assert 'tags = [{"a": ["[secret]"]}]' in shown
    assert secret not in shown


def test_a_secret_webhook_leaves_the_reasons_of_other_settings_of_its_block(root: Path) -> None:
    watch = {"subscriptions": [{"protocol": "https", "endpoint": "https://hooks.example.com/T0/key"}]}
    velero = {"schedules": [{"name": "daily", "cron": "0 3 * * 7"}], "watch": watch}
    refused = str(refusal(changed({"velero": velero}), root, secret_keys={"admin_password", "velero"}))
    assert 'velero.schedules[0].cron = "[secret]": has 7 as day of the week' in refused
    assert "0 3 * * 7" not in refused


@pytest.mark.parametrize(
    ("key", "value", "telling"),
    [
        ("tags", {"owner": "hunter!"}, "!"),
        ("network", {"cidr": "10.9.8.7/16"}, "10.9."),
        ("availability_zones", ["eu-west-7q", "us-east-1a"], "eu-west-7q"),
        ("dash_enterprise", {"base_domain": "geheim\u00fc.example"}, "geheim"),
        ("dash_enterprise", {"base_domain": "https://Geheim.example/"}, "geheim"),
        ("node_groups", [{"name": "core", "min_size": 7777.5}], "7777"),
        ("velero", {"watch": {"grace_hours": 77_777}}, "77777"),
    ],
)
def test_a_reason_that_tells_of_a_secret_is_not_shown(key: str, value: Any, telling: str, root: Path) -> None:
    refused = str(refusal(changed({key: value}), root, secret_keys={"admin_password", key}))
    assert "[secret]" in refused
    assert telling not in refused.replace(" = ", "").replace("!=", "")


def test_values_of_secret_keys_are_never_shown(root: Path) -> None:
    config = changed({"cluster_name": "pass word", "network.cidr": "10.9.8.7/16"})
    message = str(refusal(config, root, secret_keys={"cluster_name", "network"}))
    assert "cluster_name" in message
    assert "pass word" not in message
    assert "10.9." not in message


# Defaults


def test_neutral_defaults_of_pulumi_yaml_are_those_of_the_models() -> None:
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    neutral = json.loads(Settings().model_dump_json())
    blocks: dict[str, Any] = {
        name: {} for name in ("network", "cluster", "policies", "dash_enterprise", "e6data", "velero")
    }
    assert {key: value.get("default", "") for key, value in declared.items()} == {**neutral, **blocks}
    assert [key for key, value in declared.items() if "default" not in value] == ["product"]


def test_types_of_pulumi_yaml_are_those_of_the_models() -> None:
    declared = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())["config"]
    schema = Settings.model_json_schema()["properties"]
    types = {key: "object" if "$ref" in value else value["type"] for key, value in schema.items()}
    assert {key: value["type"] for key, value in declared.items()} == types
    assert all(value["description"] for value in declared.values())


def test_neutral_defaults_count_as_not_given(root: Path) -> None:
    blocks = {"network", "cluster", "dash_enterprise", "e6data", "velero"}
    neutral = json.loads(Settings().model_dump_json(exclude=blocks))
    assert read({**neutral, "network": {}, **GOOD}, root) == read(GOOD, root)


def test_choices_and_defaults_are_those_of_the_components() -> None:
    def choices(block: type, field: str) -> set[str]:
        schema = block.model_json_schema()["properties"][field]
        return set(schema.get("items", schema)["enum"])

    assert choices(NetworkSettings, "nat_gateways") == set(NAT_GATEWAYS)
    assert choices(NetworkSettings, "tenancy") == set(TENANCIES)
    assert choices(ClusterSettings, "log_types") == set(LOG_TYPES)
    assert choices(NodeGroupSettings, "ami_type") == set(AMI_TYPES)
    assert choices(NodeGroupSettings, "capacity_type") == set(CAPACITY_TYPES)
    assert ClusterSettings().version == DEFAULT_KUBERNETES_VERSION
    assert ClusterSettings().service_cidr == ClusterOptions.service_cidr
    assert ClusterSettings().log_types == ClusterOptions.log_types
    assert ClusterSettings().log_retention_days == ClusterOptions.log_retention_days
    assert ClusterSettings().ebs_csi_role == ClusterOptions.ebs_csi_role
    assert NetworkSettings().cidr == NetworkOptions.cidr


def test_defaults_that_depend_on_other_settings_are_filled_in(root: Path) -> None:
    config = changed({"availability_zones": ["us-east-1a", "us-east-1b", "us-east-1c"], "node_groups[0].min_size": 3})
    settings = read(config, root, stack="alpha")
    assert settings.environment == "alpha"
    assert settings.network.name_prefix == "dash-dev"
    assert settings.network.nat_gateways == "single"
    assert settings.cluster.deletion_protection is False
    assert settings.cluster.control_plane_zones == ("us-east-1a", "us-east-1b")
    assert settings.node_groups[0].availability_zones == ("us-east-1a", "us-east-1b")
    assert settings.node_groups[0].desired_size == 3


def test_production_chooses_redundancy_and_protection(root: Path) -> None:
    settings = read(changed(PRODUCTION), root)
    assert settings.network.nat_gateways == "one-per-az"
    assert settings.cluster.deletion_protection is True


def test_an_internal_authority_is_warned_of_and_refused_in_production(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read(GOOD, root).warnings == ()  # the demo certificate, of which another message tells
    monkeypatch.setattr(dash_enterprise, "_is_demo", lambda certificate: False)
    (warning,) = read(GOOD, root).warnings
    assert warning.startswith("dash_enterprise.tls_trust_store_file: ca.pem accepts a certificate of an internal")
    found = {problem.input: problem.remedy for problem in refusal(changed({"production": True}), root).problems}
    assert found["dash_enterprise.tls_trust_store_file"] == "use a public authority's and leave it out"


def test_what_is_given_wins_over_what_production_would_choose(root: Path) -> None:
    config = changed({**PRODUCTION, "network.nat_gateways": "single", "cluster.deletion_protection": False})
    settings = read(config, root)
    assert (settings.network.nat_gateways, settings.cluster.deletion_protection) == ("single", False)
    assert [warning.split(" ")[0] for warning in settings.warnings] == [
        "network.nat_gateways",
        "cluster.deletion_protection",
    ]


def test_tags_are_completed_with_project_stack_and_environment(root: Path) -> None:
    settings = read(changed({"tags": {"owner": "me"}}), root, project="p", stack="s")
    assert settings.tags == {"owner": "me", "project": "p", "stack": "s", "environment": "s"}


def test_private_cluster_is_one_word_alone_or_in_a_list(root: Path) -> None:
    for written in ("private-cluster", ["private-cluster"]):
        config = changed({"network.interface_endpoints": written})
        assert read(config, root).network.interface_endpoints == ("private-cluster",)


def test_an_existing_vpc_needs_its_id_and_subnets_only(root: Path) -> None:
    assert read(changed({"network": EXISTING_VPC}), root).network.existing_vpc_id == EXISTING_VPC["existing_vpc_id"]


def test_the_private_endpoint_needs_no_further_networks(root: Path) -> None:
    config = changed({"cluster.public_endpoint_cidrs": ABSENT, "cluster.engine_runs_inside_vpc": True})
    assert read(config, root).cluster.private_endpoint_cidrs == ()


def test_a_taint_may_have_a_key_of_kubernetes(root: Path) -> None:
    taints = [{"key": "node-role.kubernetes.io/infra", "effect": "NO_SCHEDULE"}]
    group = {"name": "infra", "instance_types": ["m6i.large"], "taints": taints}
    assert read(changed({"node_groups[1]": group}), root).node_groups[1].taints[0].key == taints[0]["key"]


def test_a_taint_may_have_no_value(root: Path) -> None:
    group = {"name": "batch", "instance_types": ["m6i.large"], "taints": [{"key": "batch", "value": ""}]}
    assert read(changed({"node_groups[1]": group}), root).node_groups[1].taints[0].value == ""


# Region


def test_region_is_that_of_the_provider(root: Path) -> None:
    assert read(GOOD, root).region == "us-east-1"
    assert read(changed({"region": "us-east-1"}), root).region == "us-east-1"


@pytest.mark.parametrize("changes", [{}, {"region": "us-east-1"}], ids=["no region", "a region of its own only"])
def test_the_provider_must_have_a_region(changes: dict[str, Any], root: Path) -> None:
    error = refusal(changed(changes), root, region=None)
    assert [problem.input for problem in error.problems] == ["aws:region"]
    assert "pulumi config set aws:region us-east-1" in str(error)


def test_a_misspelt_region_of_the_provider_is_named_as_such(root: Path) -> None:
    error = refusal(GOOD, root, region="us-east-1a")
    assert [(problem.input, problem.value) for problem in error.problems] == [("aws:region", "us-east-1a")]


# Warnings


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"network.cidr": "172.17.0.0/16"}, "overlaps 172.17.0.0/16"),
        ({"network.cidr": "8.8.0.0/16"}, "public internet"),
    ],
)
def test_what_works_and_is_probably_not_meant_is_a_warning(changes: dict[str, Any], says: str, root: Path) -> None:
    (warning,) = read(changed(changes), root).warnings
    assert says in warning
    assert warning.startswith(next(iter(changes)))


def test_a_version_without_any_support_is_refused(root: Path) -> None:
    assert "ended all support" in str(refusal(GOOD, root, today=date(2028, 3, 28)))


def test_a_refused_preview_names_the_absent_files_too(tmp_path: Path) -> None:
    refused = refusal(changed({"network.cidr": "10.0.0.0/8"}), tmp_path, dry_run=True)
    assert [problem.input for problem in refused.problems] == [
        *("network.cidr", "dash_enterprise.license_file", "dash_enterprise.tls_certificate_file"),
        *("dash_enterprise.tls_private_key_file", "dash_enterprise.installation_plan"),
        "dash_enterprise.tls_trust_store_file",
    ]


@pytest.mark.parametrize("key", ["dash_enterprise.admin_password", "cluster.password", "dash_enterprise.api_token"])
def test_a_misplaced_password_is_not_shown(key: str, root: Path) -> None:
    message = str(refusal(changed({key: "hunter2-hunter2"}), root))
    assert "hunter2" not in message
    assert f'{key} = "[secret]"' in message
    assert "pulumi config set --secret admin_password" in message


def test_a_path_may_begin_with_the_home_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(root))
    changes = {"dash_enterprise.license_file": "~/license.yaml"}
    assert read(changed(changes), root.parent / "elsewhere", dry_run=True).files.license


def test_absent_files_are_warnings_in_a_preview_and_refused_in_an_update(tmp_path: Path) -> None:
    config = changed({"admin_password": ABSENT})
    settings = read(config, tmp_path, dry_run=True)
    absent = [warning.split(":")[0] for warning in settings.warnings]
    assert absent == [
        *(
            "dash_enterprise.license_file",
            "dash_enterprise.tls_certificate_file",
            "dash_enterprise.tls_private_key_file",
            "dash_enterprise.installation_plan",
            "dash_enterprise.tls_trust_store_file",
            "admin_password",
        ),
    ]
    assert str(tmp_path / "license.yaml") in settings.warnings[0]
    assert str(tmp_path / "plan" / "install_de_aws.sh") in settings.warnings[3]
    assert settings.files.license is None
    assert [problem.input for problem in refusal(config, tmp_path).problems] == absent


# The running program


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[str]]]:
    """The running program's configuration, with the warnings that it logs."""
    warned: list[str] = []
    monkeypatch.setattr(pulumi, "get_project", lambda: "eks-analytics")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: True)
    monkeypatch.setattr(pulumi.log, "warn", warned.append)
    before = dict(pulumi.runtime.config.CONFIG.get())

    def configure(config: Mapping[str, Any], secret_keys: list[str] | None = None) -> list[str]:
        everything = {f"eks-analytics:{key}": value for key, value in as_pulumi_hands_it(config).items()}
        pulumi.runtime.set_all_config({**everything, "aws:region": "us-east-1", "other:key": "x"}, secret_keys or [])
        return warned

    yield configure
    pulumi.runtime.set_all_config(before, [])


def test_the_program_reads_its_own_keys_and_logs_the_warnings(program: Any, tmp_path: Path) -> None:
    warned = program(GOOD, ["eks-analytics:admin_password"])
    assert from_pulumi(tmp_path).tags["stack"] == "dev"
    assert len(warned) == 5


def test_the_official_host_hands_the_configuration_over_in_the_environment(
    program: Any, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {f"eks-analytics:{key}": value for key, value in as_pulumi_hands_it(GOOD).items()}
    program({})
    pulumi.runtime.set_all_config({}, [])
    monkeypatch.setenv("PULUMI_CONFIG_SECRET_KEYS", json.dumps(["eks-analytics:admin_password"]))
    monkeypatch.setenv("PULUMI_CONFIG", json.dumps({**config, "aws:region": "us-east-1"}))
    assert from_pulumi(root).cluster_name == "dash-dev"


def test_the_program_ends_without_a_traceback_and_without_its_secrets(program: Any, root: Path) -> None:
    program(changed({"cluster_name": "pass word", "nope": "1"}), ["eks-analytics:cluster_name"])
    with pytest.raises(pulumi.RunError) as ended:
        from_pulumi(root)
    assert ended.value.__cause__ is None
    assert ended.value.__suppress_context__
    assert "nope" in str(ended.value)
    assert "pass word" not in str(ended.value)


def test_settings_are_read_without_loading_a_provider() -> None:
    path = [str(PROJECT), str(PROJECT / "components")]
    code = f"import sys; sys.path[:0] = {path!r}; import settings; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert {"pulumi", "pulumi_aws", "pulumi_eks", "cryptography"}.isdisjoint(modules)


# Downloads of the bootstrap host


def test_production_wants_a_digest_of_what_only_its_vendor_vouches_for(root: Path) -> None:
    config = changed({"production": True})
    found = refusal(config, root).problems
    assert [(one.input, str(one.value).split()[0]) for one in found] == [
        ("dash_enterprise.bootstrap.tools", "eksctl"),
        ("dash_enterprise.bootstrap.tools", "kots"),
    ]
    assert all("curl -fsSL https://github.com/" in one.remedy for one in found)
    assert sum("has no sha256" in warning for warning in read(config, root, dry_run=True).warnings) == 2
    assert read(changed(PRODUCTION), root)
    assert read(changed({"production": True, "dash_enterprise.bootstrap": {"enabled": False}}), root)
    assert not [warning for warning in read(changed({}), root).warnings if "sha256" in warning]


def test_production_wants_a_digest_of_another_version_too(root: Path) -> None:
    tools = [*DIGESTS, {"name": "helm", "version": "3.20.1"}]
    (found,) = refusal(changed({**PRODUCTION, "dash_enterprise.bootstrap.tools": tools}), root).problems
    assert found.value == "helm 3.20.1"


# The example stacks


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_the_example_stacks_are_valid(stack: str, root: Path) -> None:
    config = yaml.safe_load((PROJECT / f"Pulumi.{stack}.yaml").read_text())["config"]
    own = {
        key.removeprefix("eks-analytics:"): value for key, value in config.items() if key.startswith("eks-analytics:")
    }
    settings = read(own, root, dry_run=True, region=config["aws:region"], stack=stack)
    assert settings.production is (stack == "prod")
    assert all(warning.startswith(("dash_enterprise.", "admin_password", "capacity")) for warning in settings.warnings)


# Properties


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_any_range_is_accepted_or_refused_with_a_range_that_would_be_right(address: Any, prefix: int) -> None:
    written = f"{address}/{prefix}"
    right = str(IPv4Network(written, strict=False))
    refused = _problems(changed({"network.cidr": written}))
    if not refused:
        assert written == right
        assert IPv4Network(written).prefixlen in range(16, 29)
    elif written != right:
        assert any(problem.remedy.endswith(right) for problem in refused if problem.input == "network.cidr")


def _problems(config: Mapping[str, Any]) -> Sequence[Problem]:
    try:
        read(config, PROJECT, dry_run=True)
    except SettingsError as error:
        return [problem for problem in error.problems if "there is no file" not in problem.reason]
    return ()


_PLAIN = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e6, 1e6) | st.text(max_size=12)
_FLAT = _PLAIN | st.lists(_PLAIN, max_size=2) | st.dictionaries(st.text(max_size=4), _PLAIN, max_size=2)
_JSON = _FLAT | st.lists(_FLAT, max_size=2) | st.dictionaries(st.text(max_size=4), _FLAT, max_size=2)
_KEYS = st.sampled_from(
    [
        *Settings.model_fields,
        *(f"network.{key}" for key in NetworkSettings.model_fields),
        *(f"cluster.{key}" for key in ClusterSettings.model_fields),
        *(f"node_groups[0].{key}" for key in NodeGroupSettings.model_fields),
    ]
)


@example({"velero_credentials": {"": None}, "airgapped": {"": None}})
@given(st.dictionaries(_KEYS, _JSON, max_size=3))
def test_nothing_that_a_person_can_write_ends_in_anything_but_settings_or_their_refusal(
    changes: dict[str, Any],
) -> None:
    for key in [key for key in changes if "." in key and key.replace("[0]", "").split(".")[0] in changes]:
        del changes[key]
    assert all(problem.reason and problem.remedy for problem in _problems(changed(changes)))


@given(st.dictionaries(st.text(max_size=12), _JSON, min_size=1, max_size=3))
def test_any_unknown_key_is_refused_by_its_name(extra: dict[str, Any]) -> None:
    unknown = {key for key in extra if key not in Settings.model_fields}
    assert len(_problems({**GOOD, **{key: extra[key] for key in unknown}})) == len(unknown)


@given(
    st.text("abc-", min_size=1, max_size=40),
    st.booleans(),
    st.integers(-1, 6),
    st.integers(-1, 6),
    st.integers(-1, 6),
    st.sampled_from(["m6i.large", "m7g.large", "t4g.nano", "g5.xlarge", "a1.large", "x", "im4gn.large"]),
    st.sampled_from(sorted(AMI_TYPES)),
)
def test_whatever_node_group_is_accepted_the_cluster_component_accepts_too(
    name: str, per_zone: bool, least: int, desired: int, most: int, instance_type: str, ami_type: str
) -> None:
    group = {"name": name, "one_group_per_zone": per_zone, "min_size": least, "desired_size": desired, "max_size": most}
    group |= {"instance_types": [instance_type], "ami_type": ami_type}
    try:
        settings = read(changed({"node_groups": [group]}), PROJECT, dry_run=True)
    except SettingsError:
        return
    assert check_cluster(cluster_options(settings)) == []
    assert check_network(NetworkOptions(**network_arguments(settings))) == []


def test_every_argument_of_the_components_has_its_setting(root: Path) -> None:
    ssh = {"public_key": RSA_KEY, "allowed_cidrs": ["203.0.113.0/24"]}
    tool = {"name": "helm", "version": "3.19.0", "sha256": "0" * 64}
    taint = {"key": "workload", "value": "apps", "effect": "NO_SCHEDULE"}
    group = {"name": "apps", "instance_types": ["m6i.2xlarge"], "taints": [taint]}
    changes = {"dash_enterprise.bootstrap": {"ssh": ssh, "tools": [tool]}, "node_groups[1]": group}
    limits = {"instance_type": "m99.large"}
    settings = read(changed({**changes, "dash_enterprise.capacity": {"instance_limits": [limits]}}), root)
    arguments = dash_enterprise_arguments(settings)
    wanted = {name: kind for name, kind in DashEnterpriseArgs.__annotations__.items() if name != "velero"}
    assert set(arguments) == set(wanted)  # of backups, no configuration can say everything
    for name, kind in wanted.items():
        _covers(arguments[name], kind)


def _covers(value: Any, annotation: Any) -> None:
    """Every key of a TypedDict is there, however deep."""
    inner = next(iter(get_args(annotation)), annotation) if get_origin(annotation) is NotRequired else annotation
    if isinstance(value, list) and get_args(inner) and is_typeddict(get_args(inner)[0]):
        _covers(value[-1], get_args(inner)[0])
    elif is_typeddict(inner):
        assert set(value) == set(inner.__annotations__), inner.__name__
        for name, kind in inner.__annotations__.items():
            _covers(value[name], kind)


def test_retention_takes_what_cloudwatch_takes(root: Path) -> None:
    for days in LOG_RETENTION_DAYS:
        assert read(changed({"cluster.log_retention_days": days}), root).cluster.log_retention_days == days


# What Pulumi makes of a stack's file


@pytest.mark.parametrize(
    ("handed", "meant"),
    [
        ("2027-01-31 00:00:00 +0000 UTC", "2027-01-31"),
        ("2027-01-31 10:30:00.5 +0200 CEST", "2027-01-31T10:30:00.5+02:00"),
        ("2027-01-31 10:30:00 -0330 -0330", "2027-01-31T10:30:00-03:30"),
    ],
)
@pytest.mark.parametrize("path", ["tags.review-by", "cluster_name", "velero.helm_values.image.tag", "network.cidr"])
def test_a_date_without_quotes_is_refused_wherever_it_stands(path: str, handed: str, meant: str, root: Path) -> None:
    refused = refusal(changed({path: handed}), root)
    assert f'{path} = "{handed}": must be text, not a date; write it in quotes: "{meant}"' in str(refused)


def test_a_date_as_a_key_is_refused(root: Path) -> None:
    refused = refusal(changed({"tags": {"2027-01-31 00:00:00 +0000 UTC": "x"}}), root)
    assert 'write it in quotes: "2027-01-31"' in str(refused)


def test_a_number_of_many_digits_may_have_lost_its_zeros(root: Path) -> None:
    assert 'write it in quotes: "89123" (with its leading zeros' in str(refusal(changed({"tags.cost": 89123}), root))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("node_groups[0].min_size", "2"),
        ("network.ipv6", "false"),
        ("cluster.public_endpoint_cidrs", '["203.0.113.7/32"]'),
        ("cluster", json.dumps(GOOD["cluster"])),
    ],
)
def test_a_secret_number_flag_or_list_arrives_as_text_and_is_taken(path: str, text: str, root: Path) -> None:
    top = re.split(r"[.\[]", path)[0]
    secret = {"admin_password", top}
    assert read(changed({path: text}), root, secret_keys=secret) == read(changed({path: json.loads(text)}), root)
    if path != "cluster":
        assert path in str(refusal(changed({path: text}), root))


def test_what_a_secret_says_is_not_in_messages_about_other_settings(root: Path) -> None:
    secret = {"region": "eu-west-7", "availability_zones[0]": "us-east-1a"}
    shown = str(refusal(changed(secret), root, secret_keys={"admin_password", "region"}, region="us-east-1"))
    assert "availability_zones" in shown
    assert "eu-west-7" not in shown


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("eks_analytics:network", "eks-analytics:network"),
        ("eks-analytic:tags", "eks-analytics:tags"),
        ("eksanalytics:cluster_nam", "eks-analytics:cluster_name"),
        ("analytics:dash_enterprise", "eks-analytics:dash_enterprise"),
        ("EKS-Analytics:production", "eks-analytics:production"),
        ("network:cidr", "eks-analytics:network.cidr"),
        ("cluster:versio", "eks-analytics:cluster.version"),
        ("node-groups:x", "eks-analytics:node_groups.x"),
        ("Velero:paused", "eks-analytics:velero.paused"),
        ("tags:owner", "eks-analytics:tags"),
        ("config:network", "eks-analytics:network"),
        ("AWS:region", "aws:region"),
    ],
)
def test_a_namespace_that_is_nearly_the_projects_is_refused_with_the_right_one(
    key: str, meant: str, root: Path
) -> None:
    refused = str(refusal(GOOD, root, others={key: "true"}))
    assert f"{key} = true: nothing reads the namespace" in refused
    assert f"did you mean {meant}?" in refused


def test_the_value_of_a_secret_in_a_misspelt_namespace_is_not_shown(root: Path) -> None:
    refused = str(refusal(GOOD, root, others={"eks_analytics:admin_password": "hunter2"}))
    assert "eks-analytics:admin_password?" in refused
    assert "hunter2" not in refused


def test_a_webhook_in_a_misspelt_namespace_is_not_shown(root: Path) -> None:
    watch = {"subscriptions": [{"protocol": "https", "endpoint": "https://hooks.example.com/T0/key"}]}
    refused = str(refusal(GOOD, root, others={"velero:watch": json.dumps(watch)}))
    assert "did you mean eks-analytics:velero.watch?" in refused
    assert "T0/key" not in refused


def test_the_old_name_of_a_renamed_project_is_refused(root: Path) -> None:
    refused = str(refusal(GOOD, root, project="acme-dash", others={"eks-analytics:production": "true"}))
    assert "did you mean acme-dash:production?" in refused


def test_namespaces_of_providers_and_of_others_are_left_alone(root: Path) -> None:
    teams = ("google-analytics:region", "kinesisanalytics:tags", "dash-analytics:network")
    others = dict.fromkeys(
        ("aws:region", "aws:defaultTags", "eks:x", "pulumi:tags", "datadog:apiKey", "gcp:project", *teams), "x"
    )
    assert read(GOOD, root, others=others) == read(GOOD, root)
