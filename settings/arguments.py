"""From settings to the arguments of the components: the one place where their names meet."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from eks_analytics.cluster_checks import ClusterOptions
from eks_analytics.instance_types import InstanceType
from eks_analytics.node_group_options import NodeGroupArgs

from .models import NodeGroupSettings, Settings

if TYPE_CHECKING:  # importing the components means importing the provider SDKs
    import pulumi

    from eks_analytics import ClusterArgs, NetworkArgs
    from eks_analytics.cluster import SubnetIds


def network_arguments(settings: Settings) -> "NetworkArgs":
    """Arguments of `Network`."""
    network = settings.network
    return {
        "cluster_name": settings.cluster_name,
        "region": settings.region,
        "availability_zones": list(settings.availability_zones),
        "cidr": network.cidr,
        "name_prefix": network.name_prefix,
        "public_subnet_cidrs": list(network.public_subnet_cidrs),
        "private_subnet_cidrs": list(network.private_subnet_cidrs),
        "nat_gateways": network.nat_gateways,
        "enable_s3_endpoint": network.s3_endpoint,
        "interface_endpoints": list(network.interface_endpoints),
        "enable_ipv6": network.ipv6,
        "tenancy": network.tenancy,
        "enable_dns_support": network.dns_support,
        "enable_dns_hostnames": network.dns_hostnames,
        "flow_logs_retention_days": network.flow_logs_retention_days,
        "existing_vpc_id": network.existing_vpc_id,
        "existing_private_subnets": network.existing_private_subnets,
        "existing_public_subnets": network.existing_public_subnets,
        "tags": settings.tags,
    }


def cluster_arguments(
    settings: Settings,
    *,
    vpc_id: "pulumi.Input[str]",
    subnet_ids_by_zone: "SubnetIds",
    node_subnet_ids_by_zone: "SubnetIds",
) -> "ClusterArgs":
    """Arguments of `Cluster` in a network."""
    cluster = settings.cluster
    return {
        "cluster_name": settings.cluster_name,
        "vpc_id": vpc_id,
        "subnet_ids_by_zone": subnet_ids_by_zone,
        "node_subnet_ids_by_zone": node_subnet_ids_by_zone,
        "region": settings.region,
        "account_id": settings.account_id,
        "kubernetes_version": cluster.version,
        "control_plane_zones": list(cluster.control_plane_zones),
        "admin_principal_arns": list(cluster.admin_principal_arns),
        "public_endpoint_cidrs": list(cluster.public_endpoint_cidrs),
        "private_endpoint_cidrs": list(cluster.private_endpoint_cidrs),
        "engine_runs_inside_vpc": cluster.engine_runs_inside_vpc,
        "kms_key_arn": cluster.kms_key_arn,
        "log_types": list(cluster.log_types),
        "log_retention_days": cluster.log_retention_days,
        "production": settings.production,
        "deletion_protection": cluster.deletion_protection,
        "service_cidr": cluster.service_cidr,
        "ip_family": cluster.ip_family,
        "vpc_cni_prefix_delegation": cluster.vpc_cni_prefix_delegation,
        "addon_versions": cluster.addon_versions,
        "ebs_csi_role": cluster.ebs_csi_role,
        "enable_default_storage_class": cluster.default_storage_class,
        "node_groups": [_node_group(group) for group in settings.node_groups],
        "tags": settings.tags,
    }


def cluster_options(settings: Settings) -> ClusterOptions:
    """What of `Cluster`'s arguments can be checked before there is a network."""
    arguments = cluster_arguments(settings, vpc_id="", subnet_ids_by_zone={}, node_subnet_ids_by_zone={})
    names = {field.name for field in fields(ClusterOptions)}
    plain: dict[str, Any] = {name: value for name, value in arguments.items() if name in names}
    zones = settings.availability_zones
    return ClusterOptions(**plain, zones_with_subnets=zones, zones_with_node_subnets=zones)


def instance_limits(settings: Settings) -> list[InstanceType]:
    """Limits of instance types that the stack itself gives."""
    return [
        InstanceType(
            name=given.instance_type,
            architecture=given.architecture,
            vcpus=given.vcpus,
            memory_mib=given.memory_mib,
            network_interfaces=given.network_interfaces,
            addresses_per_interface=given.addresses_per_interface,
            volumes=given.volumes,
            volumes_share_slots=given.volumes_share_slots,
        )
        for given in settings.dash_enterprise.capacity.instance_limits
    ]


def _node_group(group: NodeGroupSettings) -> NodeGroupArgs:
    return {
        "name": group.name,
        "instance_types": list(group.instance_types),
        "ami_type": group.ami_type,
        "capacity_type": group.capacity_type,
        "min_size": group.min_size,
        "desired_size": group.desired_size,
        "max_size": group.max_size,
        "disk_size_gib": group.disk_size_gib,
        "labels": group.labels,
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in group.taints],
        "availability_zones": list(group.availability_zones),
        "one_group_per_zone": group.one_group_per_zone,
        "max_unavailable_percentage": group.max_unavailable_percentage,
    }
