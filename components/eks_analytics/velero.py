"""Backups of a cluster with Velero: the bucket that they go to, the server that makes them, and when it does."""

import json
from dataclasses import fields, replace
from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from . import iam
from .arguments import argument_problems
from .backup_watch import BackupWatch, BackupWatchArgs, BackupWatchSpecArgs, backup_watch_options
from .partitions import partition
from .physical_names import LONGEST_ROLE_NAME, component_name_problems, room_for_name
from .problems import reject
from .velero_bucket import MadeBucket, Place, VeleroBucketArgs, bucket_options, known, make_bucket, replicate
from .velero_checks import check_velero, velero_warnings
from .velero_names import scope_problems
from .velero_options import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    Schedule,
    VeleroOptions,
    VeleroScheduleArgs,
    watch_name,
    watched_schedules,
)
from .velero_policies import velero_policy
from .velero_server import Server, make_server

LONGEST_COMPONENT_NAME = room_for_name(LONGEST_ROLE_NAME, "-replication", "-watch")
"""Characters: roles are named after it."""


class VeleroBackupSpecArgs(TypedDict):
    """What backups are like, whatever cluster they are of."""

    enabled: NotRequired[bool]
    """Whether Velero runs in the cluster. False removes it with its schedules, and never the bucket or a backup in it.
    True by default."""
    profile: NotRequired[str]
    """The versions of server, plugin and chart: "current" (default), Velero 1.18 with kopia, or "documented", 1.10 with
    restic as in Dash Enterprise's guide."""
    identity: NotRequired[str]
    """How Velero gets its rights: "pod-identity" (default of the profile current), which needs the add-on
    eks-pod-identity-agent, "irsa" (default of the profile documented), or "static", with `credentials`."""
    credentials: NotRequired[pulumi.Input[str]]
    """Content of a file `credentials-velero` with the keys of an IAM user, for the identity static. Becomes a Pulumi
    secret; another content rotates the keys. None by default."""
    image_registry: NotRequired[str]
    """Prefix of all images, e.g. "registry.example.com/velero"; where they are published by default. The output
    `images` names what must be there."""
    bucket: NotRequired[VeleroBucketArgs]
    """Where backups are kept; a new bucket by default."""
    prefix: NotRequired[str]
    """Folder in the bucket, without slashes at the ends. None by default."""
    access_mode: NotRequired[str]
    """Access mode that the storage location is made with: "ReadWrite" (default) or "ReadOnly". Later changes are made
    in the cluster, as restores do, and stay."""
    schedules: NotRequired[list[VeleroScheduleArgs]]
    """When backups are made; by default one schedule "daily"."""
    watch: NotRequired[BackupWatchSpecArgs]
    """Alarms in AWS for each schedule that is at work, alive when the cluster is not. They tell nobody by default."""
    enable_prometheus_rule: NotRequired[bool]
    """Makes a PrometheusRule, and the ServiceMonitor that it needs, where the Prometheus operator is in the cluster.
    False by default."""
    helm_values: NotRequired[dict[str, Any]]
    """Further values of the velero chart, merged over those made here. None by default."""


class VeleroBackupArgs(VeleroBackupSpecArgs):
    """Arguments of VeleroBackup: what backups are like, and the cluster that they are of."""

    cluster_name: str
    """Name of the EKS cluster; names of buckets begin with it."""
    region: NotRequired[str]
    """AWS region; the provider's by default, which is looked up."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts a new bucket which names none itself. It must let IAM principals of the account
    use it through S3. None by default."""
    oidc_provider_arn: NotRequired[pulumi.Input[str]]
    """ARN of the cluster's IAM OIDC provider, for the identity irsa. None by default."""
    kubernetes_version: NotRequired[str]
    """Version of the cluster, e.g. "1.35": warns where Velero was not tested on it. None by default."""
    after: NotRequired[pulumi.Input[list[str]]]
    """What is known once the cluster can run Velero's pods, e.g. the names of its node groups. Give it where the same
    program makes the cluster: everything in the cluster comes after it, and goes before it. Empty by default."""
    production: NotRequired[bool]
    """Protects the buckets, and keeps them from being deleted as long as something is in them. False by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the roles of Velero, its watch and the copies; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some. None by default."""


class VeleroBackup(pulumi.ComponentResource):
    """Backups of an EKS cluster with Velero: a private, encrypted and versioned bucket or one that is there, an
    identity with the least rights, the server with its node agent, both of its locations, and schedules."""

    bucket_name: pulumi.Output[str]
    """Name of the bucket, once it is fit to take backups."""
    bucket_arn: pulumi.Output[str]
    """ARN of the bucket."""
    kms_key_arn: pulumi.Output[str]
    """ARN of the key that encrypts the bucket; empty where S3's own keys do."""
    prefix: pulumi.Output[str]
    """Folder in the bucket; empty for none."""
    replica_bucket_name: pulumi.Output[str]
    """Name of the bucket in the other region; empty without one."""
    role_arn: pulumi.Output[str]
    """ARN of Velero's IAM role; empty without one."""
    policy: pulumi.Output[str]
    """What Velero may do, as an IAM policy, for a user of your own with the identity static."""
    schedules: pulumi.Output[list[dict[str, str]]]
    """Each schedule that is at work, as name, cron expression in UTC and ttl."""
    cli_version: pulumi.Output[str]
    """Version of Velero's command line that matches the server."""
    images: pulumi.Output[list[str]]
    """Images that the cluster pulls; a private registry must hold them under these names."""
    alarm_names: pulumi.Output[dict[str, str]]
    """Name of the alarm of each schedule that is at work, by schedule; empty without a watch."""
    alarm_topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that the alarms tell; empty without a watch."""
    alarm_log_command: pulumi.Output[str]
    """Command that prints what the watch saw in the last hour; empty without one."""

    def __init__(self, name: str, args: VeleroBackupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"backup {name!r}", argument_problems(args, VeleroBackupArgs))
        options = velero_options(args)
        problems = [
            *component_name_problems(name, LONGEST_COMPONENT_NAME),
            *scope_problems(options.region, args.get("account_id", "")),
            *check_velero(options),
        ]
        reject(f"backup {name!r}", problems)

        super().__init__("eks-analytics:index:VeleroBackup", name, None, opts)
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)
        for warning in velero_warnings(options):
            pulumi.log.warn(warning, self)

        lookup = pulumi.InvokeOptions(parent=self)
        self._region = pulumi.Output.from_input(args.get("region") or aws.get_region_output(opts=lookup).region)
        account = args.get("account_id") or aws.get_caller_identity_output(opts=lookup).account_id
        self._scope = pulumi.Output.all(self._region, account).apply(lambda scope: (scope[0], scope[1]))

        empty = pulumi.Output.from_input("")
        self.kms_key_arn = pulumi.Output.from_input(self._key() or "")
        self.prefix = pulumi.Output.from_input(options.prefix)
        made = None if options.bucket.existing_name else self._bucket()
        replica = self._replica(made) if made else None
        self.bucket_name = made.name if made else pulumi.Output.from_input(options.bucket.existing_name)
        self.bucket_arn = made.bucket.arn if made else self._region.apply(self._existing_arn)
        self.replica_bucket_name = replica.name if replica else empty
        self.policy = pulumi.Output.all(self._region, self.bucket_arn, self.kms_key_arn).apply(
            lambda known: json.dumps(velero_policy(known[0], known[1], options.prefix, known[2]))
        )
        role = self._role() if options.enabled and options.chosen_identity != "static" else None
        self.role_arn = role.arn if role else empty
        if options.enabled:
            server = Server(
                label=name,
                options=options,
                bucket_name=self.bucket_name,
                region=self._region,
                role=role,
                policy=self.policy,
                credentials=args.get("credentials"),
                after=args.get("after", []),
                tags=self._tags,
                parent=self,
            )
            make_server(server)
        at_work = [schedule for schedule in options.schedules if options.enabled and not schedule.paused]
        self.schedules = pulumi.Output.from_input(
            [{"name": schedule.name, "cron": schedule.cron, "ttl": schedule.ttl} for schedule in at_work]
        )
        self.cli_version = pulumi.Output.from_input(options.versions.version)
        self.images = pulumi.Output.from_input(options.versions.images(options.image_registry))
        watch = self._watch() if options.watch else None
        self.alarm_names = watch.alarm_names if watch else pulumi.Output.from_input(dict[str, str]())
        self.alarm_topic_arn = watch.topic_arn if watch else empty
        self.alarm_log_command = watch.log_command if watch else empty
        self.register_outputs({output: getattr(self, output) for output in VeleroBackup.__annotations__})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    # The bucket

    def _key(self) -> pulumi.Input[str] | None:
        bucket, options = self._args.get("bucket", {}), self._options.bucket
        if own := bucket.get("kms_key_arn"):
            return own
        makes_encrypted = not options.existing_name and options.encryption == "kms"
        return self._args.get("kms_key_arn") if makes_encrypted else None

    def _place(self) -> Place:
        options = self._options
        return Place(
            label=f"{self._label}-bucket",
            cluster_name=options.cluster_name,
            options=options.bucket,
            kms_key_arn=self._key(),
            production=options.production,
            permissions_boundary_arn=options.permissions_boundary_arn,
            tags=self._tags,
        )

    def _bucket(self) -> MadeBucket:
        return make_bucket(self._place(), self)

    def _replica(self, source: MadeBucket) -> MadeBucket | None:
        asked = self._args.get("bucket", {}).get("replication")
        if not asked:
            return None
        return replicate(f"{self._label}-replication", source, self._place(), asked, self._scope, self)

    def _existing_arn(self, region: str) -> str:
        return f"arn:{partition(region)}:s3:::{self._options.bucket.existing_name}"

    # The identity

    def _role(self) -> aws.iam.Role:
        options = self._options

        def trust(known: list[Any]) -> str:
            scope, provider = known
            if options.chosen_identity == "irsa":
                return json.dumps(iam.service_account_trust(provider, NAMESPACE, SERVICE_ACCOUNT))
            return json.dumps(
                iam.pod_identity_trust(scope[0], scope[1], options.cluster_name, NAMESPACE, SERVICE_ACCOUNT)
            )

        provider = self._args.get("oidc_provider_arn", "")
        return aws.iam.Role(
            self._label,
            description=f"Velero in the EKS cluster {options.cluster_name}",
            assume_role_policy=pulumi.Output.all(self._scope, provider).apply(trust),
            permissions_boundary=options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=self._child(),
        )

    # The watch

    def _watch(self) -> BackupWatch:
        arguments: BackupWatchArgs = {
            **_watch_arguments(self._args, self._options),
            "bucket": self.bucket_name,
            "kms_key_arn": self.kms_key_arn,
        }
        return BackupWatch(f"{self._label}-watch", arguments, self._child())


def velero_options(args: VeleroBackupArgs) -> VeleroOptions:
    """The plain arguments."""
    taken = {"has_oidc_provider", "has_credentials", "credentials", "bucket", "kms_key_arn", "schedules", "watch"}
    left = {field.name for field in fields(VeleroOptions)} - taken
    plain: dict[str, Any] = {name: value for name, value in args.items() if name in left}
    if "schedules" in args:
        plain["schedules"] = [Schedule(**schedule) for schedule in args["schedules"]]
    credentials = args.get("credentials")
    options = VeleroOptions(
        **plain,
        has_oidc_provider=bool(args.get("oidc_provider_arn")),
        has_credentials=credentials is not None,
        credentials=credentials if isinstance(credentials, str) else None,
        bucket=bucket_options(args.get("bucket", {}), bool(args.get("kms_key_arn"))),
        kms_key_arn=known(args.get("kms_key_arn")),
    )
    watch = _watch_arguments(args, options)
    is_watched = watch["schedules"] and watch.get("enabled", True)
    return replace(options, watch=backup_watch_options(watch)) if is_watched else options


def _watch_arguments(args: VeleroBackupArgs, options: VeleroOptions) -> BackupWatchArgs:
    """What the watch is told before the bucket is known."""
    return {
        **args.get("watch", {}),
        "name": watch_name(options.cluster_name),
        "bucket": "",
        "schedules": watched_schedules(options.enabled, options.schedules),
        "region": options.region,
        "account_id": args.get("account_id", ""),
        "prefix": options.prefix,
        "production": options.production,
        "permissions_boundary_arn": options.permissions_boundary_arn,
        "tags": dict(options.tags),
    }
