"""Dash Enterprise on EKS: everything that its multi-node installation needs on AWS, in one component."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .bootstrap import BootstrapInstance, BootstrapInstanceArgs, BootstrapSpecArgs, bootstrap_options
from .bootstrap_checks import check_bootstrap
from .capacity import CORE
from .cluster import Cluster, ClusterArgs, ClusterSpecArgs, cluster_options
from .cluster_checks import ClusterOptions, check_cluster
from .dash_enterprise_checks import (
    EGRESS_MODES,
    WAY_OUT,
    Room,
    agreement_problems,
    public_subnet_problems,
    public_subnet_warnings,
    root_warning,
)
from .dns import DashDnsRecords, DashDnsRecordsArgs, DnsSpecArgs, dns_options
from .dns_firewall import DnsFirewall
from .dns_records import next_step, record_problems, records_to_make
from .domains import Domain, allowed_domains, as_rows, domain_problems, names
from .drain import LoadBalancerDrain
from .drain_checks import DEFAULT_MINUTES, drain_minutes_problems
from .found_vpc import FoundVpc
from .host_names import host_names
from .installation import DashInstallation, DashInstallationArgs, InstallationSpecArgs, installation_options
from .installation_checks import check_installation
from .instance_types import InstanceType
from .network import Network, NetworkArgs
from .network_options import NetworkOptions, of_network, product_network_problems
from .next_steps import KEYCLOAK_PASSWORD_COMMAND, InstallationPlan, next_steps
from .problems import Problem, reject
from .quotas import Quota
from .velero import VeleroBackup, VeleroBackupArgs, VeleroBackupSpecArgs, velero_options
from .velero_checks import check_velero
from .velero_options import VeleroOptions
from .waiting import once
from .zone_look_up import reject_zones


class InstanceLimitsArgs(TypedDict):
    """What limits the nodes of an instance type that the built-in table does not hold."""

    name: str
    """The instance type, e.g. "m9i.2xlarge"."""
    architecture: str
    """x86_64 or arm64."""
    vcpus: int
    """Virtual CPUs."""
    memory_mib: int
    """Memory in MiB."""
    network_interfaces: int
    """Network interfaces of the default card."""
    addresses_per_interface: int
    """IPv4 addresses of each interface."""
    volumes: int
    """EBS volumes that can be attached, the root volume among them."""
    volumes_share_slots: NotRequired[bool]
    """Whether each further network interface takes the place of a volume. False by default."""


class DashCapacityArgs(TypedDict):
    """What is to run besides Dash Enterprise itself."""

    edition: NotRequired[str]
    """"standard" (default) or "premium": 79 or 105 pods."""
    apps: NotRequired[int]
    """Planned Dash apps. Default 0."""
    workspaces: NotRequired[int]
    """Planned workspaces. Default 0."""
    instance_limits: NotRequired[list[InstanceLimitsArgs]]
    """Limits of instance types that the built-in table does not hold. None by default."""


class DashEgressArgs(TypedDict):
    """Which names the VPC resolves."""

    mode: NotRequired[str]
    """"open" (default): any. "dns-firewall": Route 53 Resolver DNS Firewall watches over `allowed_domains`."""
    action: NotRequired[str]
    """What the firewall does with other names: "ALERT" (default) or "BLOCK"."""
    additional_domains: NotRequired[list[str]]
    """Names to allow besides, e.g. "example.com" or "*.example.com". None by default."""


class DashEnterpriseArgs(TypedDict):
    """Arguments of DashEnterprise. Network and cluster are told the same cluster name, region, tags and permissions
    boundary; the other parts get the network's."""

    network: NetworkArgs
    """The network, new or existing."""
    cluster: ClusterSpecArgs
    """The cluster."""
    installation: InstallationSpecArgs
    """Base domain, license, certificate and the vendor's installer."""
    enable_bootstrap: NotRequired[bool]
    """Whether the host that runs the vendor's installer exists; false after the installation. True by default."""
    bootstrap: NotRequired[BootstrapSpecArgs]
    """What that host is like. By default as that says itself."""
    dns: NotRequired[DnsSpecArgs]
    """The hosted zone of the seven DNS records, and the load balancer once it is known. By default the records come as
    a table."""
    egress: NotRequired[DashEgressArgs]
    """Which names the VPC resolves. Any by default."""
    capacity: NotRequired[DashCapacityArgs]
    """The edition, and what is to run besides, for which the cluster must have room. By default the standard edition
    alone."""
    velero: NotRequired[VeleroBackupSpecArgs]
    """Backups with Velero, under the cluster's KMS key by default. None by default. To end them, disable them: where
    this is left out again, the bucket goes too."""
    drain_minutes: NotRequired[int]
    """Minutes that a destroy may wait for the cluster's load balancers to go; 15 by default."""


class DashEnterprise(pulumi.ComponentResource):
    """Plotly Dash Enterprise, multi-node: a network and a cluster with room for it, its license, certificate and
    installer delivered safely, a host that is ready to install, and its DNS records."""

    base_url: pulumi.Output[str]
    """URL of Dash Enterprise."""
    admin_url: pulumi.Output[str]
    """URL of the Admin Console, once the DNS records exist."""
    auth_url: pulumi.Output[str]
    """URL of Keycloak."""
    keycloak_password_command: pulumi.Output[str]
    """Command that prints the password of Keycloak's user `admin`."""
    next_steps: pulumi.Output[list[str]]
    """What is left to do, in order."""
    bootstrap_instance_id: pulumi.Output[str]
    """Id of the host that runs the installer; empty without it."""
    bootstrap_status_command: pulumi.Output[str]
    """Command that prints how far the host is; empty without it."""
    connect_command: pulumi.Output[str]
    """Command that opens a shell on the host; empty without it."""
    port_forward_command: pulumi.Output[str]
    """Command that brings the Admin Console to http://localhost:8800; empty without the host."""
    restart_port_forward_command: pulumi.Output[str]
    """Command, on the host, that restarts its own port-forward; empty without the host."""
    ssh_command: pulumi.Output[str]
    """Command that opens a shell on the host through SSH; empty without SSH."""
    scp_command: pulumi.Output[str]
    """Command that copies files to the host through SSH; empty without SSH."""
    dns_records: pulumi.Output[list[dict[str, str]]]
    """The seven DNS records: name, type, value, TTL and where they are made."""
    allowed_domains: pulumi.Output[list[dict[str, str]]]
    """Names that host and cluster must reach, for a network team: with ports, purpose and source."""
    system_limits: pulumi.Output[dict[str, int]]
    """Recommended System Limits for the App Manager: pods and volumes (PVC)."""
    capacity: pulumi.Output[dict[str, int]]
    """What is needed and what there is: pods, services, volumes, VPC addresses."""
    quotas: pulumi.Output[list[dict[str, str]]]
    """AWS quotas that the stack uses, with what it takes of each."""
    backup_bucket_name: pulumi.Output[str]
    """Name of the bucket that backups go to; empty without backups."""
    backup_replica_bucket_name: pulumi.Output[str]
    """Name of the bucket in another region that backups are copied to; empty without one."""
    velero_policy: pulumi.Output[str]
    """What Velero may do, as an IAM policy, for a user of your own; empty without backups."""
    velero_cli_version: pulumi.Output[str]
    """Version of Velero's command line that matches the server; empty without backups."""
    velero_images: pulumi.Output[list[str]]
    """Images of Velero, for a private registry."""
    backup_alarm_names: pulumi.Output[dict[str, str]]
    """Name of the alarm over each schedule of backups, by schedule; empty without a watch."""
    backup_alarm_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that tells people when a backup is missing; empty without a watch."""
    backup_log_command: pulumi.Output[str]
    """Command that prints what the watch over backups saw in the last hour; empty without one."""

    def __init__(self, name: str, args: DashEnterpriseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"Dash Enterprise {name!r}", argument_problems(args, DashEnterpriseArgs))
        room = _room(args)
        network = room.network
        reject(f"Dash Enterprise {name!r}", _problems(args, room))

        super().__init__("eks-analytics:index:DashEnterprise", name, None, opts)
        self._label = name
        self._args = args
        self._tags = dict(room.cluster.tags)
        self._warn_of_root()
        reject_zones(f"Dash Enterprise {name!r}", room.cluster.control_plane_zones, self)

        # Before this component was there, these two stood alone in a stack.
        part = pulumi.ResourceOptions(parent=self, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])
        own: NetworkArgs = {**args["network"], "needs_way_out": True, "service_cidr": network.service_cidr}
        self.network = _RoomyNetwork(name, own, room, part)
        room = self.network.room
        for warning in (*(f"capacity: {found}." for found in room.warnings()), *public_subnet_warnings(network)):
            pulumi.log.warn(warning, self)
        cluster_args: ClusterArgs = {
            **args["cluster"],
            "region": network.region,
            "vpc_id": self.network.vpc_id,
            "subnet_ids_by_zone": {**self.network.private_subnets},
            "node_subnet_ids_by_zone": {**self.network.node_subnets},
        }
        self.cluster = Cluster(name, cluster_args, part)
        self._drain(network, room)
        installation: DashInstallationArgs = {
            **args["installation"],
            "cluster_name": network.cluster_name,
            "kms_key_arn": self.cluster.kms_key_arn,
            "production": room.cluster.production,
            "tags": self._tags,
        }
        self.installation = DashInstallation(name, installation, self._child())
        after_domain = pulumi.ResourceOptions(parent=self, transforms=[_after(self.installation.domain_lock)])
        self.dns = DashDnsRecords(name, _records(args), after_domain)
        self._watch_egress(network)
        self.bootstrap = self._bootstrap(network, room) if args.get("enable_bootstrap", True) else None
        self.backup = self._backup(args["velero"], network, room) if "velero" in args else None

        base_url, empty = f"https://{self._base_domain}", pulumi.Output.from_input("")
        known = pulumi.Output.from_input
        host = self.bootstrap
        self.base_url = known(base_url)
        self.admin_url = known(f"https://admin-{self._base_domain}")
        self.auth_url = known(f"https://auth-{self._base_domain}")
        self.keycloak_password_command = known(KEYCLOAK_PASSWORD_COMMAND)
        self.bootstrap_instance_id = host.instance_id if host else empty
        self.bootstrap_status_command = host.status_command if host else empty
        self.connect_command = host.connect_command if host else empty
        self.port_forward_command = host.port_forward_command if host else empty
        self.restart_port_forward_command = host.restart_port_forward_command if host else empty
        self.ssh_command = host.ssh_command if host else empty
        self.scp_command = host.scp_command if host else empty
        self.next_steps = pulumi.Output.all(
            self.ssh_command if host and self._has_ssh else self.connect_command,
            self.bootstrap_status_command,
            self.port_forward_command,
            host.public_dns if host else empty,
        ).apply(lambda known: next_steps(self._plan(room, *known)))
        self.dns_records = self.dns.records_table
        self.allowed_domains = known(as_rows(_allowed(args, network)))
        self.system_limits = known(dict(room.system_limits()._asdict()))
        self.capacity = known(room.figures())
        self.quotas = known([_as_row(quota) for quota in room.quotas(hosts=int(self._has_ssh))])
        backup = self.backup
        self.backup_bucket_name = backup.bucket_name if backup else empty
        self.backup_replica_bucket_name = backup.replica_bucket_name if backup else empty
        self.velero_policy = backup.policy if backup else empty
        self.velero_cli_version = backup.cli_version if backup else empty
        self.velero_images = backup.images if backup else known(list[str]())
        self.backup_alarm_names = backup.alarm_names if backup else known(dict[str, str]())
        self.backup_alarm_topic_arn = backup.alarm_topic_arn if backup else empty
        self.backup_log_command = backup.alarm_log_command if backup else empty
        self.register_outputs({output: getattr(self, output) for output in DashEnterprise.__annotations__})

    @property
    def _base_domain(self) -> str:
        return self._args["installation"]["base_domain"]

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _warn_of_root(self) -> None:
        def warn(arn: str) -> None:
            if warning := root_warning(arn):
                pulumi.log.warn(warning, self)

        aws.get_caller_identity_output(opts=pulumi.InvokeOptions(parent=self)).arn.apply(warn)

    def _bootstrap(self, network: NetworkOptions, room: Room) -> BootstrapInstance:
        bootstrap: BootstrapSpecArgs = self._args.get("bootstrap", {})
        installation, cluster = self.installation, self.cluster
        subnets = self.network.public_subnets if self._has_ssh else self.network.node_subnets
        arguments: BootstrapInstanceArgs = {
            **bootstrap,
            "cluster": {
                "name": network.cluster_name,
                "kubernetes_version": room.cluster.kubernetes_version,
                "security_group_id": cluster.cluster_security_group_id,
                "session_document_name": cluster.session_document_name,
                "session_log_group_arn": cluster.session_log_group_arn,
                # The installer wants nodes, DNS and volumes.
                "kubeconfig": once(cluster.kubeconfig, cluster.ready),
            },
            "region": network.region,
            "account_id": room.cluster.account_id,
            "vpc_id": self.network.vpc_id,
            "subnet_id": next(subnets[zone] for zone in network.availability_zones if zone in subnets),
            "installation": {
                "bucket_name": installation.bucket_name,
                "install_script_key": installation.install_script_key,
                "license_secret_arn": installation.license_secret_arn,
                "tls_certificate_secret_arn": installation.tls_certificate_secret_arn,
                "tls_private_key_secret_arn": installation.tls_private_key_secret_arn,
                "admin_password_secret_arn": installation.admin_password_secret_arn,
                "kms_key_arn": cluster.kms_key_arn,
            },
            "base_domain": self._base_domain,
            "permissions_boundary_arn": network.permissions_boundary_arn,
            # What the host shows at login cannot name the host itself.
            # It does not follow every change of the cluster's size either.
            "next_steps": "\n".join(next_steps(replace(self._plan(room), system_limits=None))),
            "tags": self._tags,
        }
        return BootstrapInstance(name=self._label, args=arguments, opts=self._child())

    def _drain(self, network: NetworkOptions, room: Room) -> None:
        """The installer's Service gets a load balancer from EKS, which keeps the VPC from going."""
        cluster = self.cluster
        kept = [*(resource.urn for resource in cluster.ready), *self.network.node_subnets.values()]
        LoadBalancerDrain(
            self._label,
            {
                "cluster_name": network.cluster_name,
                "vpc_id": self.network.vpc_id,
                "kubeconfig": cluster.kubeconfig,
                "region": network.region,
                "after": pulumi.Output.all(*kept),
                "minutes": _drain_minutes(self._args),
                "production": room.cluster.production,
            },
            self._child(),
        )

    def _backup(self, velero: VeleroBackupSpecArgs, network: NetworkOptions, room: Room) -> VeleroBackup:
        cluster = self.cluster
        arguments: VeleroBackupArgs = {
            **velero,
            "cluster_name": network.cluster_name,
            "region": network.region,
            "account_id": room.cluster.account_id,
            "kms_key_arn": cluster.kms_key_arn,
            "oidc_provider_arn": cluster.oidc_provider_arn,
            "kubernetes_version": room.cluster.kubernetes_version,
            "after": pulumi.Output.all(*(resource.urn for resource in cluster.ready)),
            "production": room.cluster.production,
            "permissions_boundary_arn": network.permissions_boundary_arn,
            "tags": self._tags,
        }
        provided = pulumi.ResourceOptions(parent=self, providers=[cluster.kubernetes_provider])
        return VeleroBackup(f"{self._label}-velero", arguments, provided)

    @property
    def _has_ssh(self) -> bool:
        return "ssh" in self._args.get("bootstrap", {})

    def _plan(
        self,
        room: Room,
        connect_command: str = "",
        status_command: str = "pulumi stack output bootstrap_status_command",
        port_forward_command: str = "eval $(pulumi stack output port_forward_command)",
        public_dns: str = "<this host>",
    ) -> InstallationPlan:
        """What the steps say, by default in the text that the host shows, which cannot name the host itself."""
        bootstrap, records = self._args.get("bootstrap", {}), dns_options(_records(self._args))
        made = len(records_to_make(records)) == len(host_names(self._base_domain))
        return InstallationPlan(
            base_domain=self._base_domain,
            stack=pulumi.get_stack(),
            cluster_name=room.cluster.cluster_name,
            connect_command=connect_command,
            status_command=status_command,
            port_forward_command="" if self._has_ssh else port_forward_command,
            admin_console_url=f"http://{public_dns}:8800" if self._has_ssh else "http://localhost:8800",
            run_installer=bootstrap.get("run_installer", False),
            supporting_software=bootstrap.get("supporting_software", []),
            system_limits=room.system_limits(),
            uses_route53=bool(records.hosted_zone_id),
            records_made=made,
            records_left=next_step(records, pulumi.get_stack()) if records.load_balancer_hostname and not made else "",
            has_host=self._args.get("enable_bootstrap", True),
        )

    def _watch_egress(self, network: NetworkOptions) -> None:
        egress = self._args.get("egress", {})
        if egress.get("mode", "open") == "dns-firewall":
            if network.existing_vpc_id:
                pulumi.log.warn("egress: the DNS firewall watches over everything in the existing VPC.", self)
            DnsFirewall(
                self._label,
                {
                    "vpc_id": self.network.vpc_id,
                    "base_domain": self._base_domain,
                    "region": network.region,
                    "action": egress.get("action", "ALERT"),
                    "additional_domains": egress.get("additional_domains", []),
                    "cluster_name": network.cluster_name,
                    "tags": self._tags,
                },
                self._child(),
            )


class _RoomyNetwork(Network):
    """A network whose existing subnets are judged by what a Dash Enterprise needs."""

    def __init__(self, name: str, args: NetworkArgs, room: Room, opts: pulumi.ResourceOptions) -> None:
        self.room = room
        super().__init__(name, args, opts)

    def _shortages(self, found: FoundVpc) -> list[Problem]:
        self.room, problems = self.room.in_vpc(found)
        return problems


def _room(args: DashEnterpriseArgs) -> Room:
    asked, network = args.get("capacity", {}), NetworkOptions(**args["network"])
    zones = network.availability_zones
    cluster = cluster_options({"region": network.region, **args["cluster"]}, zones, zones)
    return Room(
        replace(network, service_cidr=cluster.ipv4_services),
        cluster,
        edition=asked.get("edition", "standard"),
        apps=int(asked.get("apps", 0)),
        workspaces=int(asked.get("workspaces", 0)),
        instance_limits=[_instance_type(given) for given in asked.get("instance_limits", [])],
        backups="velero" in args and args["velero"].get("enabled", True),
    )


def _drain_minutes(args: DashEnterpriseArgs) -> int:
    return int(args.get("drain_minutes", DEFAULT_MINUTES))  # through the plugin it is a float


def _instance_type(given: InstanceLimitsArgs) -> InstanceType:
    # Numbers that came through the plugin are floats.
    plain: dict[str, Any] = {name: int(v) if isinstance(v, float) else v for name, v in given.items()}
    return InstanceType(**plain)


def _problems(args: DashEnterpriseArgs, room: Room) -> Iterator[Problem]:
    """Everything at once, before anything is registered, although the parts check themselves, too."""
    egress, cluster = args.get("egress", {}), room.cluster
    host = bootstrap_options(
        args.get("bootstrap", {}),
        cluster_name=cluster.cluster_name,
        kubernetes_version=cluster.kubernetes_version,
        region=room.network.region,
        account_id=cluster.account_id,
    )
    groundwork = [
        *of_network(product_network_problems(room.network, WAY_OUT)),
        *_of("cluster", check_cluster(cluster)),
        *agreement_problems(room.network, cluster),
    ]
    yield from groundwork
    yield from _of(
        "installation", check_installation(installation_options(args["installation"], cluster.cluster_name, {}))
    )
    yield from _of("dns", record_problems(dns_options(_records(args))))
    if args.get("enable_bootstrap", True):
        yield from _of("bootstrap", check_bootstrap(host))
        if host.ssh:
            yield from public_subnet_problems(room.network)
    if egress.get("mode", "open") not in EGRESS_MODES:
        remedy = f"write one of {', '.join(EGRESS_MODES)}"
        yield Problem("egress.mode", egress.get("mode"), "is none that is known", remedy)
    extra = egress.get("additional_domains", [])
    yield from _of("egress", domain_problems(extra, len(names(_allowed(args, room.network)))))
    if "velero" in args:
        yield from _of("velero", check_velero(_backup_options(args["velero"], room.cluster)))
    yield from drain_minutes_problems(_drain_minutes(args))
    if room.edition not in CORE:
        yield Problem("capacity.edition", room.edition, "is no edition", f"write one of {', '.join(CORE)}")
    elif not groundwork:
        yield from room.problems()


def _backup_options(velero: VeleroBackupSpecArgs, cluster: ClusterOptions) -> VeleroOptions:
    """As its checks want it; what the cluster will give it is not there yet."""
    told: VeleroBackupArgs = {
        **velero,
        "cluster_name": cluster.cluster_name,
        "region": cluster.region,
        "production": cluster.production,
    }
    options = velero_options(told)
    return replace(options, has_oidc_provider=True, bucket=replace(options.bucket, has_kms_key=True))


def _records(args: DashEnterpriseArgs) -> DashDnsRecordsArgs:
    return {**args.get("dns", {}), "base_domain": args["installation"]["base_domain"]}


def _allowed(args: DashEnterpriseArgs, network: NetworkOptions) -> list[Domain]:
    extra = args.get("egress", {}).get("additional_domains", [])
    return allowed_domains(args["installation"]["base_domain"], network.region, extra=extra)


def _of(part: str, problems: Iterable[Problem]) -> Iterator[Problem]:
    return (replace(problem, input=f"{part}.{problem.input}") for problem in problems)


def _after(resource: pulumi.Resource) -> pulumi.ResourceTransform:
    """Makes every child of a component wait for a resource, which `depends_on` of the component would not."""

    def wait(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        waits = pulumi.ResourceOptions(depends_on=[resource])
        return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, waits))

    return wait


def _as_row(quota: Quota) -> dict[str, str]:
    return {
        "name": quota.name,
        "service_code": quota.service_code,
        "quota_code": quota.quota_code,
        "default": str(quota.default),
        "used": str(quota.used),
        "used_while_updating": str(quota.used_while_updating),
        "ask_for_more": "yes" if quota.exceeds_default else "no",
    }
