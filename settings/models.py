"""The settings of a stack: names, types, real defaults and what each of them means.

The sentence under a field is its documentation: the configuration table in the README is generated from it (by reading
this file; letting pydantic collect the sentences would cost every preview 50 ms).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, SecretStr

from . import values as v
from .files import InstallationFiles

SECRETS = ("admin_password", "velero_credentials")
"""Settings that are always secrets."""


def _resolved(default: Any, stands_for: str) -> Any:
    """A default that `load` replaces, and the words for it in the documentation."""
    return Field(default=default, json_schema_extra={"stands_for": stands_for})


class Block(BaseModel):
    """Unknown keys are refused, values are not converted, nothing changes after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NetworkSettings(Block):
    """The VPC of the environment, new or existing."""

    cidr: str = "10.0.0.0/16"
    """IPv4 range of the VPC, /16 to /28."""
    name_prefix: v.NamePrefix = _resolved("", "`cluster_name`")
    """What the `Name` of every network resource begins with."""
    public_subnet_cidrs: tuple[str, ...] = ()
    """Public subnets in the order of `availability_zones`; empty: planned from `cidr`."""
    private_subnet_cidrs: tuple[str, ...] = ()
    """Private subnets in the order of `availability_zones`; empty: planned from `cidr`."""
    nat_gateways: Literal["one-per-az", "single", "none"] = _resolved(
        "single", "`one-per-az` in production and for e6data, else `single`"
    )
    """How private subnets reach the internet."""
    s3_endpoint: bool = True
    """Gateway endpoint for S3, which is free of charge."""
    interface_endpoints: v.Endpoints = ()
    """Short names of AWS services reached inside the VPC, or the one word `private-cluster` for the set that nodes
    without internet need."""
    ipv6: bool = False
    """Amazon-provided IPv6 range; private subnets go out through an egress-only gateway. Can be turned on later, never
    off."""
    tenancy: Literal["default", "dedicated"] = "default"
    """`dedicated` runs every instance on hardware of this account only, at a surcharge."""
    dns_support: bool = True
    """DNS resolution in the VPC; EKS needs it."""
    dns_hostnames: bool = True
    """DNS host names for instances; EKS needs them."""
    flow_logs_retention_days: v.RetentionOrOff = 0
    """Days that VPC flow logs are kept; 0 turns them off."""
    existing_vpc_id: str = ""
    """Use this VPC instead of a new one; the subnets below are then required."""
    existing_private_subnets: dict[v.Zone, str] = {}
    """Private subnets of the existing VPC: zone name to subnet id."""
    existing_public_subnets: dict[v.Zone, str] = {}
    """Public subnets of the existing VPC: zone name to subnet id."""


class SessionLogsSettings(Block):
    """Transcripts of Session Manager sessions on nodes and bootstrap host."""

    retention_days: v.RetentionOrOff = 0
    """Days that transcripts are kept in the log group `/<cluster_name>/sessions`; 0: no transcripts
    (docs/session-logs.md)."""
    kms_key_arn: v.BackupKey = ""
    """KMS key that encrypts the transcripts; its policy must let CloudWatch Logs use it. Empty: a key made for them,
    for which AWS charges."""


class ClusterSettings(Block):
    """The EKS control plane, who may use it, and its add-ons."""

    version: str = "1.35"
    """Kubernetes version, in quotes."""
    admin_principal_arns: tuple[v.Principal, ...] = ()
    """IAM roles and users with full access to the cluster; at least one, the deploying role among them."""
    public_endpoint_cidrs: tuple[v.PublicCidr, ...] = ()
    """Networks that reach the API server over the internet; empty: private endpoint only."""
    private_endpoint_cidrs: tuple[v.PrivateCidr, ...] = ()
    """Networks that reach the private endpoint: the VPC's own `cidr` and those connected to it, each /8 or narrower;
    empty: only the cluster's nodes and pods do."""
    engine_runs_inside_vpc: bool = False
    """Says that Pulumi runs where it reaches the private endpoint, so that no public one is needed."""
    kms_key_arn: v.KmsKey = ""
    """KMS key that encrypts Kubernetes secrets and the installation's files; empty: a new key with yearly rotation. One
    of your own must let IAM principals use it through Secrets Manager and S3. A change is refused: EKS keeps
    its key."""
    log_types: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = (
        "api",
        "audit",
        "authenticator",
    )
    """Control-plane logs sent to CloudWatch."""
    log_retention_days: v.Retention = 90
    """Days that control-plane logs are kept."""
    deletion_protection: bool = _resolved(False, "`production`")
    """EKS, and `pulumi destroy` before it, refuse to delete the cluster while it is on."""
    service_cidr: str = "172.20.0.0/16"
    """Addresses of Kubernetes services; fixed when the cluster is made."""
    ip_family: Literal["ipv4", "ipv6"] = "ipv4"
    """Address family of pods and services; `ipv6` needs `network.ipv6`. Fixed when the cluster is made."""
    control_plane_zones: tuple[v.Zone, ...] = _resolved((), "the first two zones")
    """Zones of the control plane's network interfaces; EKS accepts no others later."""
    vpc_cni_prefix_delegation: bool = False
    """Gives nodes /28 prefixes instead of single addresses: more pods on small nodes."""
    addon_versions: dict[str, str] = {}
    """Add-on versions that replace the pinned ones: add-on name to version."""
    ebs_csi_role: str = "per-cluster"
    """IAM role of the EBS driver: `per-cluster`, `vendor-name` (exactly `AmazonEKS_EBS_CSI_DriverRole`) or an existing
    role's ARN."""
    default_storage_class: bool = True
    """Makes an encrypted gp3 class the cluster's default."""
    session_logs: SessionLogsSettings = SessionLogsSettings()
    """Transcripts of Session Manager sessions on nodes and bootstrap host."""


class TaintSettings(Block):
    """Keeps pods without a matching toleration off the nodes of a group."""

    key: v.TaintKey = ""
    """Key of the taint."""
    value: v.TaintValue = ""
    """Value of the taint."""
    effect: Literal["NO_SCHEDULE", "PREFER_NO_SCHEDULE", "NO_EXECUTE"] = "NO_SCHEDULE"
    """What happens to pods that do not tolerate the taint."""


class NodeGroupSettings(Block):
    """One managed group of nodes."""

    name: str = ""
    """Name, unique in the stack; required."""
    instance_types: tuple[str, ...] = ()
    """Instance types of one architecture, the preferred first; required. A single type changes in place; with several,
    a change makes a new group before the old one goes."""
    ami_type: Literal[
        "AL2023_x86_64_STANDARD",
        "AL2023_ARM_64_STANDARD",
        "BOTTLEROCKET_x86_64",
        "BOTTLEROCKET_ARM_64",
        "AL2023_x86_64_NVIDIA",
        "AL2023_ARM_64_NVIDIA",
        "AL2023_x86_64_NEURON",
        "BOTTLEROCKET_x86_64_NVIDIA",
        "BOTTLEROCKET_ARM_64_NVIDIA",
    ] = "AL2023_x86_64_STANDARD"
    """Operating system, architecture and drivers of the nodes; a change makes a new group before the old one goes."""
    capacity_type: Literal["ON_DEMAND", "SPOT"] = "ON_DEMAND"
    """What the instances are paid as; a change makes a new group before the old one goes."""
    min_size: int = Field(default=2, ge=0)
    """Fewest nodes."""
    desired_size: int = _resolved(2, "`min_size`")
    """Nodes at creation; later changes are left to the autoscaler."""
    max_size: int = Field(default=4, ge=1, le=450)
    """Most nodes."""
    disk_size_gib: int = Field(default=100, ge=20, le=16384)
    """Encrypted gp3 volume for images and pods in GiB; a change rolls the nodes."""
    labels: dict[v.LabelKey, v.LabelValue] = {}
    """Kubernetes labels of the nodes."""
    taints: tuple[TaintSettings, ...] = ()
    """Kubernetes taints of the nodes."""
    availability_zones: tuple[v.Zone, ...] = _resolved((), "`cluster.control_plane_zones`")
    """Zones of the nodes; a change makes a new group before the old one goes."""
    one_group_per_zone: bool = False
    """Makes one group per zone, each with these sizes, so that volumes always find a node in their zone."""
    max_unavailable_percentage: int = Field(default=33, ge=1, le=100)
    """Share of the nodes that an update may take down at a time."""


class SshSettings(Block):
    """SSH access to the bootstrap host as in the vendor's guide, only where asked for: it needs a public address."""

    public_key: str = ""
    """RSA public key in OpenSSH's form (`ssh-rsa AAAA...`); empty: Session Manager only, with no port open."""
    allowed_cidrs: tuple[str, ...] = ()
    """Networks that reach ports 22 and 8800 of the host; required with `public_key`, never 0.0.0.0/0."""
    key_name: str = "dash-enterprise-bootstrap_key"
    """Name of the EC2 key pair, unique in account and region."""


class ToolSettings(Block):
    """Another version, or the digest, of a tool that first boot installs."""

    name: str = ""
    """`aws-cli`, `kubectl`, `eksctl`, `istioctl`, `helm`, `kots` or `cert-manager`."""
    version: str = ""
    """Version; empty: the pinned one."""
    sha256: str = ""
    """SHA-256 of the download; empty: the pinned digest if that version has one, else the checksum that the vendor
    publishes beside the file. Production requires it where there is neither a pinned digest nor a signature, as for
    eksctl and kots."""


class BootstrapSettings(Block):
    """The EC2 host that runs the vendor's installer."""

    enabled: bool = True
    """`false` after the installation: removes the host, its key and its access to the cluster, and nothing else."""
    ubuntu_release: Literal["24.04", "22.04", "20.04"] = "24.04"
    """Ubuntu LTS release; the newest image of the day the host is made, never changed afterwards."""
    instance_type: str = "t3.micro"
    """EC2 instance type; a change restarts the host and keeps it."""
    disk_size_gib: int = 20
    """Encrypted gp3 volume in GiB; counts when the host is made."""
    ssh: SshSettings = SshSettings()
    """SSH access as in the vendor's guide; without it, Session Manager."""
    run_installer: bool = False
    """Runs `install_de_aws.sh` at first boot; else the host waits for you, with everything in place. Like the three
    settings below it counts when the host is made."""
    installer_timeout_minutes: int = 60
    """Minutes after which an installer that is not done has failed."""
    supporting_software: tuple[Literal["cert-manager", "istio"], ...] = ()
    """What first boot installs into the cluster besides; ask Plotly whether your installation plan expects it."""
    tools: tuple[ToolSettings, ...] = ()
    """Other versions, or digests, of the tools that first boot installs."""
    log_retention_days: v.Retention = 90
    """Days that the host's log is kept, as long as the host is there."""


class EgressSettings(Block):
    """Which names the VPC resolves."""

    mode: Literal["open", "dns-firewall"] = "open"
    """`open`: any; `dns-firewall`: Route 53 Resolver DNS Firewall watches over the list in the output
    `allowed_domains`."""
    action: Literal["ALERT", "BLOCK"] = "ALERT"
    """What it does with other names. Run with `ALERT` for a while first, and read the log."""
    additional_domains: tuple[str, ...] = ()
    """Names to allow besides: `example.com`, or `*.example.com` for what is below it."""


class DnsSettings(Block):
    """The seven records of the installation, once its load balancer exists."""

    hosted_zone_id: str = ""
    """Route 53 zone that holds the base domain; empty: the records are only an output, for another DNS service."""
    hosted_zone_name: str = ""
    """Name of that zone, such as `example.com`."""
    prefixed_hosted_zone_id: str = ""
    """Zone of the six hyphenated names, where the base domain is the apex of its own zone."""
    load_balancer_hostname: str = ""
    """Host name of the load balancer that the installer made: `python -m operations dns discover` writes it."""
    load_balancer_type: Literal["", "network", "classic"] = ""
    """Its type; empty: told by its host name."""
    ttl: int = 300
    """Seconds that resolvers keep the records; 60 while a restore is planned."""
    base_record: bool = True
    """`false` removes the base domain's own record, as a restore wants it."""


class InstanceLimitsSettings(Block):
    """What limits the nodes of an instance type that the built-in table does not hold."""

    instance_type: str = ""
    """The instance type; required."""
    architecture: Literal["x86_64", "arm64"] = "x86_64"
    """Architecture."""
    vcpus: int = Field(default=1, ge=1)
    """Virtual CPUs."""
    memory_mib: int = Field(default=1024, ge=1)
    """Memory in MiB."""
    network_interfaces: int = Field(default=2, ge=1)
    """Network interfaces of the default card: `NetworkInfo.MaximumNetworkInterfaces` of `aws ec2
    describe-instance-types`."""
    addresses_per_interface: int = Field(default=2, ge=2)
    """IPv4 addresses of each: `NetworkInfo.Ipv4AddressesPerInterface`."""
    volumes: int = Field(default=26, ge=1)
    """EBS volumes that can be attached, the root volume among them."""
    volumes_share_slots: bool = False
    """Whether each further network interface takes the place of a volume."""


class CapacitySettings(Block):
    """What is to run besides Dash Enterprise itself, for which the cluster must have room."""

    apps: int = Field(default=0, ge=0, le=100_000)
    """Dash apps, each counted as two pods, two services and a volume."""
    workspaces: int = Field(default=0, ge=0, le=100_000)
    """Workspaces, each counted as a pod, a service and a volume."""
    instance_limits: tuple[InstanceLimitsSettings, ...] = ()
    """Limits of instance types that the built-in table does not hold."""


class DashEnterpriseSettings(Block):
    """What Dash Enterprise is installed with. Paths are relative to the project."""

    base_domain: v.BaseDomain = ""
    """DNS name of the installation, such as `dash.example.com`; required."""
    confirm_base_domain_change: bool = False
    """Confirms that the vendor supports you in moving an installed Dash Enterprise to another base domain."""
    edition: Literal["standard", "premium"] = "standard"
    """Edition: Standard takes 79 pods, Premium 105."""
    license_file: str = ""
    """License file from Plotly; never in git."""
    license_app_slug: str = "dash-enterprise"
    """The product that the license must be for."""
    tls_certificate_file: str = ""
    """PEM file with the whole certificate chain, leaf first; never in git."""
    tls_private_key_file: str = ""
    """PEM file with the certificate's unencrypted private key; never in git."""
    tls_trust_store_file: str = ""
    """PEM file with the roots at which the chain may end, for tests with an internal authority, which Plotly does not
    support: refused in production. Empty: those that browsers trust."""
    tls_warning_days: int = Field(default=30, ge=0, le=365)
    """Warns when a certificate of the chain has fewer days left."""
    installation_plan: str = ""
    """Folder of the installation plan from Plotly, with `install_de_aws.sh` in it; never in git."""
    script_variables: dict[str, str] = {}
    """Values for the assignments at the top of `install_de_aws.sh`; `ADMIN_PASSWORD` comes from `admin_password`."""
    bootstrap: BootstrapSettings = BootstrapSettings()
    """The host that runs the vendor's installer."""
    egress: EgressSettings = EgressSettings()
    """Which names the VPC resolves."""
    dns: DnsSettings = DnsSettings()
    """The seven DNS records."""
    capacity: CapacitySettings = CapacitySettings()
    """What is to run besides Dash Enterprise itself."""
    drain_minutes: int = 15
    """Minutes that a destroy may wait for load balancers to go."""


_IDENTITY = "`irsa` in an existing cluster, else `pod-identity`"


class ExistingClusterSettings(Block):
    """The cluster `cluster_name`, where it is there already."""

    enabled: bool = False
    """Installs e6data into the existing cluster `cluster_name` in `network.existing_vpc_id`; `cluster` and
    `node_groups` are left out then."""
    oidc_provider_arn: str = ""
    """ARN of its IAM OIDC provider; empty: one is made."""
    karpenter_node_role_name: str = ""
    """IAM role of the nodes that Karpenter makes, where Karpenter is in the cluster already; empty: it is installed."""
    has_load_balancer_controller: bool = False
    """Whether the AWS Load Balancer Controller is in the cluster already; else it is installed."""


class WorkspaceSettings(Block):
    """One workspace of e6data."""

    name: str = ""
    """Name as the e6data console has it: 3 to 56 small letters and digits; required."""
    instance_families: tuple[str, ...] = Field(
        default=(), json_schema_extra={"instead_of": ["instance_types", "instance_type"]}
    )
    """Families of EC2 instances for its nodes; required. The more, the likelier AWS has some."""
    zones: tuple[v.Zone, ...] = _resolved((), "`availability_zones`")
    """Zones of its nodes."""
    volume_size_gib: int = 100
    """Encrypted gp3 volume of each node in GiB."""
    cpu_limit: int = 100_000
    """Most virtual CPUs that all its nodes may have together."""
    instance_store: Literal["mount", "raid0", "none"] = "mount"
    """How nodes use their instance store disks: `mount` mounts them at `mount_paths`, `raid0` puts container images and
    emptyDir volumes on them, `none` leaves them unused."""
    mount_paths: tuple[str, ...] = ("/app/tmp", "/tmp")
    """Where `mount` shows the disks, as one file system that every process may write to."""
    capacity_types: tuple[Literal["on-demand", "spot"], ...] = ("on-demand",)
    """How nodes are paid; of both, the cheapest that there is."""
    architectures: tuple[Literal["amd64", "arm64"], ...] = ("amd64",)
    """Processors of its nodes."""
    expire_after: str = "Never"
    """Age at which a node is replaced, such as `720h`, or `Never`."""
    ami_alias: str = "al2023@v20260724"
    """Image of its nodes, family and release. Another release is for new nodes; those at work stay until they are
    idle."""
    tags: dict[v.TagText, v.TagText] = {}
    """Tags of its nodes and their volumes, besides those of everything."""


class KarpenterSettings(Block):
    """How Karpenter is installed."""

    version: str = "1.14.1"
    """Version of Karpenter and of both its charts."""
    identity: Literal["pod-identity", "irsa"] = _resolved(
        "pod-identity", "`irsa` in an existing cluster, else `pod-identity`"
    )
    """How the controller gets its IAM role; `pod-identity` needs the add-on eks-pod-identity-agent."""
    allowed_names: tuple[str, ...] = ()
    """Exact names of the NodePools that it may serve, such as `e6data-analytics`; empty: all that begin with
    `e6data-`."""
    enable_zonal_shift: bool = False
    """Makes no nodes in a zone from which Amazon Application Recovery Controller shifts away."""
    replicas: int = Field(default=2, ge=1)
    """Controllers, each on a node of its own."""
    helm_values: dict[str, Any] = {}
    """Values of its chart, merged over the program's."""


class LoadBalancerControllerSettings(Block):
    """How the AWS Load Balancer Controller is installed."""

    version: str = "3.5.0"
    """Version of its chart."""
    identity: Literal["pod-identity", "irsa"] = _resolved(
        "pod-identity", "`irsa` in an existing cluster, else `pod-identity`"
    )
    """How the controller gets its IAM role; `pod-identity` needs the add-on eks-pod-identity-agent."""
    enable_service_mutator_webhook: bool = False
    """Makes the controller serve every new Service of type LoadBalancer, even without an annotation or class; the
    policy `set-load-balancer-controller-flags` then needs another `flags` parameter."""
    default_tags: dict[v.TagText, v.TagText] = {}
    """Tags of the load balancers, besides `app: e6data`."""
    helm_values: dict[str, Any] = {}
    """Values of its chart, merged over the program's."""


class E6dataSettings(Block):
    """The workspaces of e6data, and what they need in the cluster."""

    workspaces: tuple[WorkspaceSettings, ...] = ()
    """The workspaces, any number of them."""
    existing_cluster: ExistingClusterSettings = ExistingClusterSettings()
    """The cluster, where it is there already."""
    karpenter: KarpenterSettings = KarpenterSettings()
    """Karpenter, which makes the nodes of workspaces."""
    load_balancer_controller: LoadBalancerControllerSettings = LoadBalancerControllerSettings()
    """AWS Load Balancer Controller, which makes the way in for the e6data console and for BI tools."""
    drain_minutes: int = 15
    """Minutes that a destroy may wait for load balancers to go."""


class WaiverSettings(Block):
    """Keeps a rule from counting for one resource, for a reason and for a time."""

    rule: str = ""
    """Id of the rule; required."""
    resource: str = ""
    """Name of the resource as the output shows it, its URN, or `stack` for the stack as a whole; required."""
    reason: str = ""
    """Why, in words for a reviewer; required."""
    expires: str = ""
    """Last day on which it counts, such as "2027-01-31", in quotes; at most a year away, 90 days in production;
    required."""


class PoliciesSettings(Block):
    """How the policy pack judges the stack. The pack itself says what is wrong with the values."""

    levels: dict[str, str] = {}
    """`advisory`, `mandatory` or `disabled` by the id of a rule. Rules that are critical cannot be lowered, and none
    can in production."""
    parameters: dict[str, dict[str, Any]] = {}
    """Parameters of rules, by the id of the rule and the name of the parameter. Critical rules, and all rules in
    production, take only values that are stricter than their own."""
    waivers: tuple[WaiverSettings, ...] = ()
    """Rules that do not count for single resources."""


class VeleroObjectLockSettings(Block):
    """A retention that nobody, or hardly anybody, can shorten."""

    days: int = 0
    """Days for which nothing that was written can be deleted, at least the longest `ttl`; 0: none. Once on, S3 never
    turns Object Lock off."""
    mode: Literal["GOVERNANCE", "COMPLIANCE"] = "GOVERNANCE"
    """`GOVERNANCE` can be overruled by who has s3:BypassGovernanceRetention, `COMPLIANCE` by nobody."""


class VeleroReplicationSettings(Block):
    """A copy of the bucket in another region, of what is written from then on."""

    region: v.Region = ""
    """The other region; empty: no copy."""
    kms_key_arn: v.BackupKey = ""
    """KMS key there that encrypts the copies; required unless `encryption` is `s3`. It must let IAM principals use it
    through S3."""


class VeleroBucketSettings(Block):
    """Where backups are kept."""

    name: str = ""
    """Name of the bucket; empty: one that begins with `cluster_name`. Another name is another bucket."""
    existing_name: str = ""
    """A bucket that is there, in the cluster's region; nothing about it is changed, and only `kms_key_arn` counts
    besides."""
    encryption: Literal["kms", "s3"] = "kms"
    """`kms`: under a KMS key; `s3`: under keys of S3."""
    kms_key_arn: v.BackupKey = ""
    """The key, an existing bucket's too; empty: `cluster.kms_key_arn`, or the environment's own."""
    noncurrent_days: int = 30
    """Days that what was deleted or replaced can still be brought back."""
    object_lock: VeleroObjectLockSettings = VeleroObjectLockSettings()
    """Keeps everybody from deleting backups."""
    replication: VeleroReplicationSettings = VeleroReplicationSettings()
    """Copies to another region what is written from then on."""


class VeleroScheduleSettings(Block):
    """Backups at set times."""

    name: str = ""
    """Name, which begins the names of its backups; required."""
    cron: str = "0 0 * * *"
    """When, in five fields, in UTC: minute, hour, day of the month, month, day of the week (0 to 6)."""
    ttl: str = "720h"
    """How long a backup is kept, such as `720h` or `1440.5h`; at least the longest time between two runs and
    `watch.grace_hours`."""
    namespaces: tuple[str, ...] = ("dash-apps", "dash-services", "plotly-system")
    """Namespaces that are backed up; all with `["*"]`."""
    excluded_resources: tuple[str, ...] = (
        "validatingwebhookconfiguration",
        "mutatingwebhookconfiguration",
        "endpointslices",
    )
    """Kinds of objects that are left out, as the vendor's guide has it."""
    paused: bool = False
    """Makes no backups for the time being."""


class VeleroSubscriptionSettings(Block):
    """Somebody who is told when a backup is missing."""

    protocol: Literal["email", "https", "sqs", "lambda", "sms"] = "email"
    """How; `email` and `https` must confirm first what SNS sends them, and the policies of `sqs` and `lambda` must let
    SNS in."""
    endpoint: str = ""
    """Address, URL, ARN or telephone number; required."""


class VeleroWatchSettings(Block):
    """Alarms in AWS for backups that are missing, alive when the cluster is not."""

    enabled: bool = True
    """`false` removes function, topic and alarms."""
    grace_hours: int = 6
    """Hours after a run is due by which it must have completed: more than a backup takes, 168 at most."""
    check_interval_minutes: int = 15
    """Minutes between two looks into the bucket, 5 to 60."""
    subscriptions: tuple[VeleroSubscriptionSettings, ...] = ()
    """Who is told; production needs somebody."""
    existing_topic_arn: str = ""
    """SNS topic to tell instead, in the same region; its policy and its key's must let CloudWatch's alarms publish."""
    alarm_actions: tuple[str, ...] = ()
    """ARNs of what else an alarm sets off, 4 at most."""
    notify_on_recovery: bool = True
    """Tells the same when a backup has completed again."""
    alarm_key_arn: v.BackupKey = ""
    """KMS key that encrypts topic and log; empty: a key of their own, for which AWS charges."""
    log_retention_days: v.Retention = 90
    """Days that the log of what was found is kept."""


class VeleroSettings(Block):
    """Backups with Velero."""

    enabled: bool = True
    """`false` removes Velero and its schedules from the cluster, and never the bucket or a backup in it."""
    profile: Literal["current", "documented"] = "current"
    """Versions of server, plugin and chart: `current` is Velero 1.18 with kopia, `documented` 1.10 with restic, as in
    the vendor's guide."""
    identity: Literal["pod-identity", "irsa", "static"] = _resolved(
        "pod-identity", "`irsa` with the profile `documented`, else `pod-identity`"
    )
    """How Velero gets its rights; `static` takes the keys in `velero_credentials`."""
    image_registry: str = ""
    """Prefix of all images, such as `registry.example.com/velero`; empty: where they are published. The output
    `velero_images` names them."""
    bucket: VeleroBucketSettings = VeleroBucketSettings()
    """Where backups are kept."""
    prefix: str = ""
    """Folder in the bucket."""
    access_mode: Literal["ReadWrite", "ReadOnly"] = "ReadWrite"
    """Access mode that the storage location is made with; later changes are made in the cluster, and stay."""
    schedules: tuple[VeleroScheduleSettings, ...] = Field(
        default=(VeleroScheduleSettings(name="daily"),), json_schema_extra={"stands_for": "one, `daily`"}
    )
    """When backups are made."""
    watch: VeleroWatchSettings = VeleroWatchSettings()
    """Alarms in AWS for backups that are missing."""
    prometheus_rule: bool = False
    """Makes a PrometheusRule and a ServiceMonitor, where the Prometheus operator is in the cluster."""
    helm_values: dict[str, Any] = {}
    """Values of the chart, merged over the program's."""


class Settings(Block):
    """Everything that a stack's configuration says, validated, with the defaults filled in.

    The defaults here are the neutral ones that Pulumi.yaml declares; `load` puts the real ones in their place.
    """

    product: str = ""
    environment: v.Environment = ""
    production: bool = False
    region: v.Region = ""
    account_id: v.Account = ""
    availability_zones: tuple[v.Zone, ...] = ()
    cluster_name: v.ClusterName = ""
    confirm_replacement: bool = False
    tags: dict[v.TagText, v.TagText] = {}
    permissions_boundary_arn: v.PermissionsBoundary = ""
    network: NetworkSettings = NetworkSettings()
    cluster: ClusterSettings = ClusterSettings()
    node_groups: tuple[NodeGroupSettings, ...] = ()
    policies: PoliciesSettings = PoliciesSettings()
    dash_enterprise: DashEnterpriseSettings = DashEnterpriseSettings()
    admin_password: SecretStr = SecretStr("")
    e6data: E6dataSettings = E6dataSettings()
    airgapped: dict[str, Any] = {}
    velero: VeleroSettings = VeleroSettings()
    velero_credentials: SecretStr = SecretStr("")

    _warnings: tuple[str, ...] = PrivateAttr(default=())
    _files: InstallationFiles = PrivateAttr(default=InstallationFiles())

    @property
    def makes_cluster(self) -> bool:
        """Whether the stack makes its cluster."""
        return not (self.product == "e6data" and self.e6data.existing_cluster.enabled)

    @property
    def backs_up(self) -> bool:
        """Whether the stack has backups, be they disabled: an empty block, the neutral default, asks for none."""
        return bool(self.velero.model_fields_set)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and is probably not meant, in sentences."""
        return self._warnings

    @property
    def files(self) -> InstallationFiles:
        """What the named files hold."""
        return self._files

    def judged(self, warnings: Iterable[str], files: InstallationFiles) -> Settings:
        """These settings with what came of judging them; private, so that no key of a configuration can set it."""
        copy = self.model_copy()
        copy._warnings = tuple(warnings)
        copy._files = files
        return copy
