"""What AWS would refuse, or what would lock everyone out, in the arguments of a cluster. Pure functions, no Pulumi."""

import re
from collections.abc import Collection, Iterator, Sequence
from ipaddress import IPv4Network, ip_network

from .problems import Problem

LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
EBS_CSI_ROLE_PER_CLUSTER = "per-cluster"
EBS_CSI_ROLE_VENDOR_NAME = "vendor-name"

_CLUSTER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+")
_PRIVATE_RANGES = tuple(IPv4Network(cidr) for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
_MOST_PUBLIC_CIDRS = 40


def name_problems(cluster_name: str) -> Iterator[Problem]:
    """The cluster's name."""
    if not _CLUSTER_NAME.fullmatch(cluster_name):
        yield Problem(
            "cluster_name",
            cluster_name,
            "EKS refuses the name",
            "use at most 100 letters, digits, hyphens and underscores, beginning with a letter or digit",
        )


def access_problems(
    admin_principal_arns: Sequence[str], public_endpoint_cidrs: Sequence[str], engine_runs_inside_vpc: bool
) -> Iterator[Problem]:
    """Who may use the API server, and from where."""
    if not admin_principal_arns:
        yield Problem(
            "admin_principal_arns",
            [],
            "nobody could use the Kubernetes API: EKS gives the creator no access to this cluster",
            "name at least the role that runs this deployment, as arn:aws:iam::<account id>:role/<name> "
            "(aws sts get-caller-identity shows it)",
        )
    for arn in admin_principal_arns:
        if ":assumed-role/" in arn:
            yield Problem(
                "admin_principal_arns",
                arn,
                "this is a session, and EKS access entries take roles",
                "write the role's own ARN, with its path: arn:aws:iam::<account id>:role/<path>/<name>",
            )
        elif not _PRINCIPAL_ARN.fullmatch(arn):
            yield Problem(
                "admin_principal_arns",
                arn,
                "not the ARN of an IAM role or user",
                "write arn:aws:iam::<account id>:role/<name> or arn:aws:iam::<account id>:user/<name>",
            )
    for arn in _repeated(admin_principal_arns):
        yield Problem("admin_principal_arns", arn, "named twice", "name every principal once")
    if not public_endpoint_cidrs and not engine_runs_inside_vpc:
        yield Problem(
            "public_endpoint_cidrs",
            [],
            "without a public endpoint, `pulumi up` waits ten minutes for the API server and fails",
            "name the CIDRs it runs from, or set engine_runs_inside_vpc where it reaches the private endpoint",
        )
    for cidr in public_endpoint_cidrs:
        yield from _public_cidr_problems(cidr)
    if len(public_endpoint_cidrs) > _MOST_PUBLIC_CIDRS:
        yield Problem(
            "public_endpoint_cidrs",
            len(public_endpoint_cidrs),
            f"EKS takes at most {_MOST_PUBLIC_CIDRS}",
            "join neighbouring ranges, or use the private endpoint",
        )


def _public_cidr_problems(cidr: str) -> Iterator[Problem]:
    try:
        network = ip_network(cidr)
    except ValueError as error:
        yield Problem("public_endpoint_cidrs", cidr, str(error), "write a network such as 198.51.100.0/24")
        return
    if network.prefixlen == 0:
        yield Problem(
            "public_endpoint_cidrs",
            cidr,
            "opens the API server to the whole internet",
            "name the networks that need it",
        )
    elif isinstance(network, IPv4Network) and any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        yield Problem(
            "public_endpoint_cidrs",
            cidr,
            "a private range, which never reaches a public endpoint and which EKS refuses",
            "name the public addresses behind it, or set engine_runs_inside_vpc",
        )


def zone_problems(control_plane_zones: Sequence[str], zones_with_subnets: Collection[str] | None) -> Iterator[Problem]:
    """Where the control plane puts its network interfaces; `zones_with_subnets` is None where that is not known."""
    if len(set(control_plane_zones)) < 2:
        yield Problem(
            "control_plane_zones",
            list(control_plane_zones),
            "EKS refuses a control plane in fewer than two zones",
            "name two zones that have a private subnet",
        )
    for zone in _repeated(control_plane_zones):
        yield Problem("control_plane_zones", zone, "named twice", "name every zone once")
    for zone in control_plane_zones:
        if zones_with_subnets is not None and zone not in zones_with_subnets:
            yield Problem(
                "control_plane_zones",
                zone,
                "no private subnet lies there",
                f"choose among {', '.join(zones_with_subnets)}",
            )


def service_network_problems(service_cidr: str, ip_family: str) -> Iterator[Problem]:
    """The addresses of Kubernetes services."""
    if ip_family not in ("ipv4", "ipv6"):
        yield Problem("ip_family", ip_family, "unknown to EKS", "use ipv4 or ipv6")
    try:
        network = IPv4Network(service_cidr)
    except ValueError as error:
        yield Problem("service_cidr", service_cidr, str(error), "write an IPv4 network such as 172.20.0.0/16")
        return
    if not 12 <= network.prefixlen <= 24 or not any(network.subnet_of(private) for private in _PRIVATE_RANGES):
        yield Problem(
            "service_cidr",
            service_cidr,
            "EKS takes /12 to /24 within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16",
            "choose such a range outside of the VPC, for example 172.20.0.0/16",
        )


def log_problems(log_types: Sequence[str], log_retention_days: int) -> Iterator[Problem]:
    """The control plane's logs in CloudWatch."""
    for log_type in log_types:
        if log_type not in LOG_TYPES:
            yield Problem("log_types", log_type, "unknown to EKS", f"use any of {', '.join(LOG_TYPES)}")
    if log_retention_days not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - log_retention_days))
        yield Problem(
            "log_retention_days", log_retention_days, "CloudWatch keeps logs for certain periods only", f"try {nearest}"
        )


def identity_problems(kms_key_arn: str, ebs_csi_role: str) -> Iterator[Problem]:
    """A key and a role that exist already."""
    if kms_key_arn and not _KEY_ARN.fullmatch(kms_key_arn):
        yield Problem(
            "kms_key_arn",
            kms_key_arn,
            "not the ARN of a KMS key",
            "write arn:aws:kms:<region>:<account id>:key/<id>, no alias; or leave it empty for a new key",
        )
    if ebs_csi_role not in (EBS_CSI_ROLE_PER_CLUSTER, EBS_CSI_ROLE_VENDOR_NAME) and not _ROLE_ARN.fullmatch(
        ebs_csi_role
    ):
        yield Problem(
            "ebs_csi_role",
            ebs_csi_role,
            "neither a known choice nor the ARN of a role",
            f"use {EBS_CSI_ROLE_PER_CLUSTER}, {EBS_CSI_ROLE_VENDOR_NAME} or arn:aws:iam::<account id>:role/<name>",
        )


def _repeated(values: Sequence[str]) -> list[str]:
    return sorted({value for value in values if values.count(value) > 1})
