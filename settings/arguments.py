"""From settings to the arguments of the components: the one place where their names meet."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, cast

from eks_analytics.backup_watch_options import BackupScheduleArgs, BackupWatchOptions, Subscription
from eks_analytics.bootstrap_checks import BootstrapOptions
from eks_analytics.cluster_checks import ClusterOptions
from eks_analytics.dns_records import DnsOptions
from eks_analytics.e6data_checks import E6dataOptions, ExistingClusterOptions
from eks_analytics.e6data_workspace_options import E6dataWorkspaceSpecArgs
from eks_analytics.host_tools import ToolArgs
from eks_analytics.instance_types import InstanceType
from eks_analytics.network_options import NetworkOptions
from eks_analytics.node_group_options import NodeGroupArgs
from eks_analytics.velero_options import (
    BackupBucketOptions,
    ObjectLock,
    Schedule,
    VeleroOptions,
    VeleroScheduleArgs,
    watch_name,
    watched_schedules,
)

from .models import (
    NodeGroupSettings,
    Settings,
    ToolSettings,
    VeleroBucketSettings,
    VeleroScheduleSettings,
    VeleroWatchSettings,
    WorkspaceSettings,
)

if TYPE_CHECKING:  # importing the components means importing the provider SDKs
    import pulumi

    from eks_analytics import DashEnterpriseArgs, E6dataArgs, NetworkArgs
    from eks_analytics.backup_watch import BackupWatchSpecArgs
    from eks_analytics.bootstrap import BootstrapSpecArgs
    from eks_analytics.cluster import ClusterSpecArgs
    from eks_analytics.dash_enterprise import InstanceLimitsArgs
    from eks_analytics.dns import DnsSpecArgs
    from eks_analytics.e6data import E6dataKarpenterArgs, E6dataLoadBalancerControllerArgs
    from eks_analytics.velero import VeleroBackupSpecArgs
    from eks_analytics.velero_bucket import VeleroBucketArgs


def network_arguments(settings: Settings) -> "NetworkArgs":
    """Arguments of `Network`."""
    network, ipv6_services = settings.network, settings.cluster.ip_family == "ipv6"
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
        "confirm_replacement": settings.confirm_replacement,
        "enable_dns_support": network.dns_support,
        "enable_dns_hostnames": network.dns_hostnames,
        "flow_logs_retention_days": network.flow_logs_retention_days,
        "existing_vpc_id": network.existing_vpc_id,
        "existing_private_subnets": network.existing_private_subnets,
        "existing_public_subnets": network.existing_public_subnets,
        "needs_way_out": True,
        "service_cidr": settings.cluster.service_cidr if settings.makes_cluster and not ipv6_services else "",
        "permissions_boundary_arn": settings.permissions_boundary_arn,
        "tags": settings.tags,
    }


def cluster_specification(settings: Settings) -> "ClusterSpecArgs":
    """What a `Cluster` is like, wherever it stands."""
    cluster = settings.cluster
    return {
        "cluster_name": settings.cluster_name,
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
        "confirm_replacement": settings.confirm_replacement,
        "ip_family": cluster.ip_family,
        "vpc_cni_prefix_delegation": cluster.vpc_cni_prefix_delegation,
        "addon_versions": cluster.addon_versions,
        "ebs_csi_role": cluster.ebs_csi_role,
        "enable_default_storage_class": cluster.default_storage_class,
        "node_groups": [_node_group(group) for group in settings.node_groups],
        "session_logs": {
            "retention_days": cluster.session_logs.retention_days,
            "kms_key_arn": cluster.session_logs.kms_key_arn,
        },
        "permissions_boundary_arn": settings.permissions_boundary_arn,
        "tags": settings.tags,
    }


def cluster_options(settings: Settings) -> ClusterOptions:
    """What of `Cluster`'s arguments can be checked before there is a network."""
    arguments = cluster_specification(settings)
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


def bootstrap_arguments(settings: Settings) -> "BootstrapSpecArgs":
    """What the bootstrap host of `DashEnterprise` is like."""
    bootstrap = settings.dash_enterprise.bootstrap
    arguments: BootstrapSpecArgs = {
        "ubuntu_release": bootstrap.ubuntu_release,
        "instance_type": bootstrap.instance_type,
        "disk_size_gib": bootstrap.disk_size_gib,
        "run_installer": bootstrap.run_installer,
        "installer_timeout_minutes": bootstrap.installer_timeout_minutes,
        "supporting_software": list(bootstrap.supporting_software),
        "tools": [_tool(tool) for tool in bootstrap.tools],
        "log_retention_days": bootstrap.log_retention_days,
    }
    if bootstrap.ssh.public_key:
        arguments["ssh"] = {
            "public_key": bootstrap.ssh.public_key,
            "allowed_cidrs": list(bootstrap.ssh.allowed_cidrs),
            "key_name": bootstrap.ssh.key_name,
        }
    return arguments


def bootstrap_options(settings: Settings) -> BootstrapOptions:
    """What of `BootstrapInstance`'s arguments can be checked before there is a cluster."""
    plain: dict[str, Any] = {**bootstrap_arguments(settings)}
    return BootstrapOptions(
        cluster_name=settings.cluster_name,
        kubernetes_version=settings.cluster.version,
        region=settings.region,
        account_id=settings.account_id,
        tags=settings.tags,
        **plain,
    )


def dns_arguments(settings: Settings) -> "DnsSpecArgs":
    """The records of `DashEnterprise`."""
    dns = settings.dash_enterprise.dns
    return {
        "hosted_zone_id": dns.hosted_zone_id,
        "hosted_zone_name": dns.hosted_zone_name,
        "prefixed_hosted_zone_id": dns.prefixed_hosted_zone_id,
        "load_balancer_hostname": dns.load_balancer_hostname,
        "load_balancer_type": dns.load_balancer_type,
        "ttl": dns.ttl,
        "enable_base_record": dns.base_record,
    }


def dns_options(settings: Settings) -> DnsOptions:
    """The same with the base domain, as its checks want it."""
    return DnsOptions(base_domain=settings.dash_enterprise.base_domain, **dns_arguments(settings))


def dash_enterprise_arguments(settings: Settings) -> "DashEnterpriseArgs":
    """Arguments of `DashEnterprise`. A file that is not there, as only a preview may have it, becomes unknown."""
    dash, files = settings.dash_enterprise, settings.files
    password = settings.admin_password.get_secret_value()
    arguments: DashEnterpriseArgs = {
        "network": network_arguments(settings),
        "cluster": cluster_specification(settings),
        "installation": {
            "base_domain": dash.base_domain,
            "license": _known(files.license),
            "tls_certificate": _known(files.tls_certificate),
            "tls_private_key": _known(files.tls_private_key),
            "admin_password": _known(password or None),
            "install_script": _known(files.install_script),
            "script_variables": dash.script_variables,
            "confirm_base_domain_change": dash.confirm_base_domain_change,
        },
        "enable_bootstrap": dash.bootstrap.enabled,
        "bootstrap": bootstrap_arguments(settings),
        "dns": dns_arguments(settings),
        "egress": {
            "mode": dash.egress.mode,
            "action": dash.egress.action,
            "additional_domains": list(dash.egress.additional_domains),
        },
        "capacity": {
            "edition": dash.edition,
            "apps": dash.capacity.apps,
            "workspaces": dash.capacity.workspaces,
            "instance_limits": [_limits(kind) for kind in instance_limits(settings)],
        },
        "drain_minutes": dash.drain_minutes,
    }
    if settings.backs_up:
        arguments["velero"] = velero_arguments(settings)
    return arguments


def velero_arguments(settings: Settings) -> "VeleroBackupSpecArgs":
    """The backups of `DashEnterprise`."""
    velero, credentials = settings.velero, settings.velero_credentials.get_secret_value()
    arguments: VeleroBackupSpecArgs = {
        "enabled": velero.enabled,
        "profile": velero.profile,
        "identity": velero.identity,
        "image_registry": velero.image_registry,
        "bucket": _backup_bucket(velero.bucket),
        "prefix": velero.prefix,
        "access_mode": velero.access_mode,
        "schedules": [_backup_schedule(schedule) for schedule in velero.schedules],
        "watch": _watch(velero.watch),
        "enable_prometheus_rule": velero.prometheus_rule,
        "helm_values": velero.helm_values,
    }
    if velero.identity == "static":
        arguments["credentials"] = _known(credentials or None)
    return arguments


def velero_options(settings: Settings) -> VeleroOptions:
    """The same, as its checks want it. The cluster has a key and an OIDC provider for it."""
    velero, bucket = settings.velero, settings.velero.bucket
    credentials = settings.velero_credentials.get_secret_value()
    lock, copy = bucket.object_lock, bucket.replication
    schedules = [Schedule(**_backup_schedule(schedule)) for schedule in velero.schedules]
    return VeleroOptions(
        cluster_name=settings.cluster_name,
        region=settings.region,
        enabled=velero.enabled,
        profile=velero.profile,
        identity=velero.identity,
        has_oidc_provider=True,
        has_credentials=bool(credentials),
        credentials=credentials or None,
        image_registry=velero.image_registry,
        bucket=BackupBucketOptions(
            name=bucket.name,
            existing_name=bucket.existing_name,
            encryption=bucket.encryption,
            has_kms_key=True,
            kms_key_arn=bucket.kms_key_arn,
            noncurrent_days=bucket.noncurrent_days,
            object_lock=ObjectLock(lock.days, lock.mode) if lock.days else None,
            replication_region=copy.region,
            has_replication_key=bool(copy.region and copy.kms_key_arn),
            replication_key_arn=copy.kms_key_arn if copy.region else "",
            given=frozenset(_backup_bucket(bucket)),
        ),
        prefix=velero.prefix,
        access_mode=velero.access_mode,
        schedules=schedules,
        watch=_watch_options(settings, watched_schedules(velero.enabled, schedules)),
        enable_prometheus_rule=velero.prometheus_rule,
        helm_values=velero.helm_values,
        kubernetes_version=settings.cluster.version,
        production=settings.production,
        tags=settings.tags,
    )


def e6data_arguments(settings: Settings) -> "E6dataArgs":
    """Arguments of `E6data`."""
    e6data = settings.e6data
    arguments: E6dataArgs = {
        "network": network_arguments(settings),
        "workspaces": [_workspace(workspace) for workspace in e6data.workspaces],
        "drain_minutes": e6data.drain_minutes,
        "production": settings.production,
        "account_id": settings.account_id,
    }
    existing = e6data.existing_cluster
    if existing.enabled:
        arguments["existing_cluster"] = {
            "oidc_provider_arn": existing.oidc_provider_arn,
            "karpenter_node_role_name": existing.karpenter_node_role_name,
            "has_load_balancer_controller": existing.has_load_balancer_controller,
        }
    else:
        arguments["cluster"] = cluster_specification(settings)
    if not existing.karpenter_node_role_name:
        arguments["karpenter"] = _karpenter(settings)
    if not existing.has_load_balancer_controller:
        arguments["load_balancer_controller"] = _load_balancer_controller(settings)
    return arguments


def e6data_options(settings: Settings) -> E6dataOptions:
    """The same, as its checks want it."""
    existing = settings.e6data.existing_cluster
    return E6dataOptions(
        network=NetworkOptions(**network_arguments(settings)),
        workspaces=[_workspace(workspace) for workspace in settings.e6data.workspaces],
        cluster=None if existing.enabled else cluster_options(settings),
        existing_cluster=ExistingClusterOptions(
            oidc_provider_arn=existing.oidc_provider_arn,
            karpenter_node_role_name=existing.karpenter_node_role_name,
            has_load_balancer_controller=existing.has_load_balancer_controller,
        )
        if existing.enabled
        else None,
        karpenter={**_karpenter(settings)} if not existing.karpenter_node_role_name else {},
        load_balancer_controller={**_load_balancer_controller(settings)}
        if not existing.has_load_balancer_controller
        else {},
        drain_minutes=settings.e6data.drain_minutes,
        production=settings.production,
        account_id=settings.account_id,
    )


def _backup_bucket(bucket: VeleroBucketSettings) -> "VeleroBucketArgs":
    """Only what is given: an existing bucket takes nothing else."""
    arguments: VeleroBucketArgs = {}
    if bucket.name:
        arguments["name"] = bucket.name
    if bucket.existing_name:
        arguments["existing_name"] = bucket.existing_name
    if "encryption" in bucket.model_fields_set:
        arguments["encryption"] = bucket.encryption
    if bucket.kms_key_arn:
        arguments["kms_key_arn"] = bucket.kms_key_arn
    if "noncurrent_days" in bucket.model_fields_set:
        arguments["noncurrent_days"] = bucket.noncurrent_days
    if bucket.object_lock.days:
        arguments["object_lock"] = {"days": bucket.object_lock.days, "mode": bucket.object_lock.mode}
    if bucket.replication.region:
        arguments["replication"] = {"region": bucket.replication.region}
        if bucket.replication.kms_key_arn:
            arguments["replication"]["kms_key_arn"] = bucket.replication.kms_key_arn
    return arguments


def _backup_schedule(schedule: VeleroScheduleSettings) -> VeleroScheduleArgs:
    return {
        "name": schedule.name,
        "cron": schedule.cron,
        "ttl": schedule.ttl,
        "namespaces": list(schedule.namespaces),
        "excluded_resources": list(schedule.excluded_resources),
        "paused": schedule.paused,
    }


def _workspace(workspace: WorkspaceSettings) -> E6dataWorkspaceSpecArgs:
    given: E6dataWorkspaceSpecArgs = {
        "name": workspace.name,
        "instance_families": list(workspace.instance_families),
        "zones": list(workspace.zones),
        "volume_size_gib": workspace.volume_size_gib,
        "cpu_limit": workspace.cpu_limit,
        "instance_store": workspace.instance_store,
        "capacity_types": list(workspace.capacity_types),
        "architectures": list(workspace.architectures),
        "expire_after": workspace.expire_after,
        "ami_alias": workspace.ami_alias,
        "tags": workspace.tags,
    }
    if "mount_paths" in workspace.model_fields_set:  # beside another instance_store it is refused, even as the default
        given["mount_paths"] = list(workspace.mount_paths)
    return given


def _karpenter(settings: Settings) -> "E6dataKarpenterArgs":
    karpenter = settings.e6data.karpenter
    return {
        "version": karpenter.version,
        "identity": karpenter.identity,
        "allowed_names": list(karpenter.allowed_names),
        "enable_zonal_shift": karpenter.enable_zonal_shift,
        "replicas": karpenter.replicas,
        "helm_values": karpenter.helm_values,
    }


def _load_balancer_controller(settings: Settings) -> "E6dataLoadBalancerControllerArgs":
    controller = settings.e6data.load_balancer_controller
    return {
        "version": controller.version,
        "identity": controller.identity,
        "enable_service_mutator_webhook": controller.enable_service_mutator_webhook,
        "default_tags": controller.default_tags,
        "helm_values": controller.helm_values,
    }


def _limits(kind: InstanceType) -> "InstanceLimitsArgs":
    return cast("InstanceLimitsArgs", asdict(kind))


def _tool(tool: ToolSettings) -> ToolArgs:
    given: ToolArgs = {"name": tool.name}
    if tool.version:
        given["version"] = tool.version
    if tool.sha256:
        given["sha256"] = tool.sha256
    return given


def _known(content: str | None) -> "pulumi.Input[str]":
    if content is not None:
        return content
    import pulumi

    return pulumi.Output.from_input(cast("str", pulumi.UNKNOWN))


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


def _watch(watch: VeleroWatchSettings) -> "BackupWatchSpecArgs":
    given: BackupWatchSpecArgs = {
        "enabled": watch.enabled,
        "grace_hours": watch.grace_hours,
        "check_interval_minutes": watch.check_interval_minutes,
        "subscriptions": [{"protocol": one.protocol, "endpoint": one.endpoint} for one in watch.subscriptions],
        "alarm_actions": list(watch.alarm_actions),
        "notify_on_recovery": watch.notify_on_recovery,
        "log_retention_days": watch.log_retention_days,
    }
    if watch.existing_topic_arn:
        given["existing_topic_arn"] = watch.existing_topic_arn
    if watch.alarm_key_arn:
        given["alarm_key_arn"] = watch.alarm_key_arn
    return given


def _watch_options(settings: Settings, schedules: Sequence[BackupScheduleArgs]) -> BackupWatchOptions | None:
    watch = settings.velero.watch
    if not watch.enabled or not schedules:
        return None
    return BackupWatchOptions(
        name=watch_name(settings.cluster_name),
        region=settings.region,
        account_id=settings.account_id,
        prefix=settings.velero.prefix,
        schedules=schedules,
        grace_hours=watch.grace_hours,
        check_interval_minutes=watch.check_interval_minutes,
        subscriptions=[Subscription(one.protocol, one.endpoint) for one in watch.subscriptions],
        has_existing_topic=bool(watch.existing_topic_arn),
        existing_topic_arn=watch.existing_topic_arn,
        alarm_actions=list(watch.alarm_actions),
        alarm_key_arn=watch.alarm_key_arn,
        log_retention_days=watch.log_retention_days,
        production=settings.production,
        tags=settings.tags,
    )
