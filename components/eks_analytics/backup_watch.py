"""BackupWatch: tells people when Velero has not completed a backup, whether its cluster is alive or not."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import distribution
from pathlib import Path
from typing import NotRequired, TypedDict

import cronsim
import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .backup_watch_checks import backup_watch_warnings, check_backup_watch
from .backup_watch_options import (
    DEFAULT_GRACE_HOURS,
    DEFAULT_INTERVAL_MINUTES,
    DEFAULT_RETENTION_DAYS,
    DIMENSION,
    METRIC,
    VARIABLE,
    BackupScheduleArgs,
    BackupWatchOptions,
    Subscription,
    environment,
)
from .backup_watch_policies import function_policy, function_trust, key_policy, topic_policy
from .fixed_values import another_alarm_key
from .iam import PolicyDocument
from .locks import behind, lock
from .physical_names import LONGEST_ROLE_NAME, component_name_problems, room_for_name
from .problems import reject

LONGEST_COMPONENT_NAME = room_for_name(LONGEST_ROLE_NAME)
"""Characters: the function's role is named after it."""

FUNCTION = "backup_freshness"
RUNTIME = "python3.14"
# The objects of 10,000 backups are listed in more than a hundred calls.
TIMEOUT_SECONDS = 300


class WatchSubscriptionArgs(TypedDict):
    """Somebody who is told when a backup is missing."""

    protocol: str
    """One of email, https, sqs, lambda and sms. SNS asks email and https to confirm; queue and function must let SNS
    in by their own policies."""
    endpoint: pulumi.Input[str]
    """Where to: an address, a URL, the ARN of a queue or a function, or a telephone number such as +4915112345678."""


class BackupWatchSpecArgs(TypedDict):
    """What a watch over backups is like, wherever they are."""

    enabled: NotRequired[bool]
    """Makes nothing where false. True by default."""
    grace_hours: NotRequired[int]
    """Hours after a run is due by which it must have completed; longer than a backup takes, 6 by default."""
    check_interval_minutes: NotRequired[int]
    """Minutes between two looks into the bucket, from 5 to 60; 15 by default. That nobody looks any more is noticed
    after some four times as long."""
    subscriptions: NotRequired[list[WatchSubscriptionArgs]]
    """Who is told, by a topic that is made. None by default; production needs somebody."""
    existing_topic_arn: NotRequired[pulumi.Input[str]]
    """ARN of the SNS topic that is told instead, in the same region. Its policy, and that of its key, must let
    cloudwatch.amazonaws.com publish. None by default."""
    alarm_actions: NotRequired[list[str]]
    """ARNs of what else the alarms set off, e.g. a function or an incident response plan; at most 4. None by
    default."""
    notify_on_recovery: NotRequired[bool]
    """Whether the same are told when a backup has completed again. True by default."""
    alarm_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts topic and log; its policy must let CloudWatch's alarms and logs use it. A key
    of its own by default."""
    log_retention_days: NotRequired[int]
    """Days that the log of what was found is kept, one of the numbers that CloudWatch offers; 90 by default."""


class BackupWatchArgs(BackupWatchSpecArgs):
    """Arguments of BackupWatch: what it is like, and which backups it watches."""

    name: str
    """Name of the environment, e.g. the cluster's: names of function, topic and alarms begin with it; at most 51
    characters."""
    bucket: pulumi.Input[str]
    """Name of the bucket that Velero writes to."""
    schedules: list[BackupScheduleArgs]
    """Velero's schedules, each with an alarm of its own."""
    region: NotRequired[str]
    """AWS region of the bucket and of all that is made; the provider's by default, which is looked up."""
    account_id: NotRequired[str]
    """AWS account id; that of the credentials by default, which is looked up."""
    prefix: NotRequired[str]
    """Prefix of Velero's backup storage location in the bucket, without slashes at its ends. None by default."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """ARN of the KMS key that encrypts the bucket; its policy must leave its use through S3 to IAM. None by default:
    the bucket is encrypted by S3's own keys."""
    production: NotRequired[bool]
    """Refuses a watch that tells nobody, and keeps its deleted key for 30 days instead of 7. False by default."""
    permissions_boundary_arn: NotRequired[str]
    """ARN of the managed IAM policy that bounds the function's role; none by default."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some. None by default."""


class BackupWatch(pulumi.ComponentResource):
    """The alarm that Velero lacks. A function in AWS Lambda looks into the bucket, outside of the cluster, and an alarm
    for each schedule tells people when no backup has completed in time, or when nobody can say."""

    topic_arn: pulumi.Output[str]
    """ARN of the SNS topic that is told; empty where nothing is made."""
    function_name: pulumi.Output[str]
    """Name of the function that looks into the bucket; empty where nothing is made."""
    log_group_name: pulumi.Output[str]
    """Name of the log group with what it found; empty where nothing is made."""
    log_command: pulumi.Output[str]
    """Shell command that shows what it found in the last hour; empty where nothing is made."""
    alarm_names: pulumi.Output[dict[str, str]]
    """Name of each schedule's alarm, by schedule."""

    def __init__(self, name: str, args: BackupWatchArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"backup watch {name!r}", argument_problems(args, BackupWatchArgs))
        options = backup_watch_options(args)
        enabled = args.get("enabled", True)
        if enabled:
            problems = [*component_name_problems(name, LONGEST_COMPONENT_NAME), *check_backup_watch(options)]
            reject(f"backup watch {name!r}", problems)

        if enabled:
            key = {"alarm_key_arn": args.get("alarm_key_arn", "")}
            opts = behind(lock(f"{name}-key", key, another_alarm_key, opts), opts)
        super().__init__("eks-analytics:index:BackupWatch", name, None, opts)
        self._label = name
        self._args = args
        self._options = options
        self._tags = dict(options.tags)

        topic_arn, log_group_name, function_name, log_command = (pulumi.Output.from_input(""),) * 4
        alarms: dict[str, aws.cloudwatch.MetricAlarm] = {}
        if enabled:
            for warning in backup_watch_warnings(options):
                pulumi.log.warn(warning, self)
            lookup = pulumi.InvokeOptions(parent=self)
            region = args.get("region") or aws.get_region_output(opts=lookup).region
            account = args.get("account_id") or aws.get_caller_identity_output(opts=lookup).account_id
            self._scope = pulumi.Output.all(region, account)
            key_arn = self._key()
            topic_arn = self._topic(key_arn)
            log_group_name = self._log_group(key_arn).name
            function = self._function(log_group_name)
            function_name = function.name
            self._rule(function)
            alarms = {one["name"]: self._alarm(one, topic_arn) for one in options.schedules}
            log_command = pulumi.Output.format("aws logs tail {0} --since 1h --region {1}", log_group_name, region)

        self.topic_arn = topic_arn
        self.function_name = function_name
        self.log_group_name = log_group_name
        self.log_command = log_command
        names = {schedule: alarm.name for schedule, alarm in alarms.items()}
        self.alarm_names = pulumi.Output.all(**names) if names else pulumi.Output.from_input(dict[str, str]())
        self.register_outputs({output: getattr(self, output) for output in BackupWatch.__annotations__})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    def _policy(self, document: Callable[[BackupWatchOptions], PolicyDocument]) -> pulumi.Output[str]:
        """A policy that names region and account."""
        return self._scope.apply(
            lambda scope: json.dumps(document(replace(self._options, region=scope[0], account_id=scope[1])))
        )

    def _key(self) -> pulumi.Output[str]:
        if existing := self._args.get("alarm_key_arn"):
            return pulumi.Output.from_input(existing)
        return aws.kms.Key(
            self._label,
            description=f"Alarms and log of the watch over the backups of {self._options.name}",
            enable_key_rotation=True,
            deletion_window_in_days=30 if self._options.production else 7,
            policy=self._policy(key_policy),
            tags=self._tags,
            opts=self._child(),
        ).arn

    def _topic(self, key_arn: pulumi.Output[str]) -> pulumi.Output[str]:
        if existing := self._args.get("existing_topic_arn"):
            return pulumi.Output.from_input(existing)
        topic = aws.sns.Topic(
            self._label,
            name=self._options.resource_name,
            kms_master_key_id=key_arn,
            policy=self._policy(topic_policy),
            tags=self._tags,
            opts=self._child(),
        )
        for index, subscription in enumerate(self._args.get("subscriptions", [])):
            protocol, endpoint = subscription["protocol"], subscription["endpoint"]
            # Whoever knows the URL of a webhook can write to it; often it is all the key there is.
            is_secret = protocol == "https"
            aws.sns.TopicSubscription(
                f"{self._label}-{protocol}-{_mark(endpoint, index)}",
                topic=topic.arn,
                protocol=protocol,
                endpoint=pulumi.Output.secret(endpoint) if is_secret else endpoint,
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["endpoint"] if is_secret else None),
            )
        return topic.arn

    def _log_group(self, key_arn: pulumi.Output[str]) -> aws.cloudwatch.LogGroup:
        return aws.cloudwatch.LogGroup(
            self._label,
            name=self._options.log_group_name,
            retention_in_days=int(self._options.log_retention_days),
            kms_key_id=key_arn,
            tags=self._tags,
            opts=self._child(),
        )

    def _function(self, log_group_name: pulumi.Output[str]) -> aws.lambda_.Function:
        options, bucket = self._options, self._args["bucket"]
        role = aws.iam.Role(
            self._label,
            description=f"Watch over the backups of {options.name}",
            assume_role_policy=json.dumps(function_trust()),
            permissions_boundary=options.permissions_boundary_arn or None,
            tags=self._tags,
            opts=self._child(),
        )
        policy = aws.iam.RolePolicy(
            self._label,
            role=role.name,
            policy=pulumi.Output.all(bucket, self._args.get("kms_key_arn", "")).apply(
                lambda known: self._policy(lambda settled: function_policy(settled, *known))
            ),
            opts=self._child(),
        )
        watch = pulumi.Output.json_dumps(environment(options, bucket))
        return aws.lambda_.Function(
            self._label,
            name=options.resource_name,
            description=f"Looks for backups of {options.name} that Velero has not completed",
            runtime=RUNTIME,
            handler=f"{FUNCTION}.handler",
            code=pulumi.AssetArchive({path: pulumi.StringAsset(text) for path, text in function_files().items()}),
            role=role.arn,
            memory_size=256,
            timeout=TIMEOUT_SECONDS,
            environment=aws.lambda_.FunctionEnvironmentArgs(variables={VARIABLE: watch}),
            logging_config=aws.lambda_.FunctionLoggingConfigArgs(log_format="Text", log_group=log_group_name),
            tags=self._tags,
            # Its first look should not fail.
            opts=self._child(policy),
        )

    def _rule(self, function: aws.lambda_.Function) -> None:
        rule = aws.cloudwatch.EventRule(
            self._label,
            name=self._options.resource_name,
            description=f"When to look at the backups of {self._options.name}",
            schedule_expression=f"rate({int(self._options.check_interval_minutes)} minutes)",
            tags=self._tags,
            opts=self._child(),
        )
        permission = aws.lambda_.Permission(
            self._label,
            statement_id="RuleInvokesFunction",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="events.amazonaws.com",
            source_arn=rule.arn,
            opts=self._child(),
        )
        aws.cloudwatch.EventTarget(
            self._label,
            rule=rule.name,
            target_id="function",
            arn=function.arn,
            opts=self._child(permission),
        )

    def _alarm(self, schedule: BackupScheduleArgs, topic_arn: pulumi.Output[str]) -> aws.cloudwatch.MetricAlarm:
        name, options = schedule["name"], self._options
        actions = [topic_arn, *options.alarm_actions]
        return aws.cloudwatch.MetricAlarm(
            f"{self._label}-{name}",
            name=options.alarm_name(name),
            alarm_description=(
                f"Velero has not completed a backup of the schedule {name} ({schedule['cron']}) of {options.name} "
                f"within {int(options.grace_hours)} h after it was due; or, where data points are missing, nobody "
                f"knows. See the log group {options.log_group_name}."
            ),
            namespace=options.namespace,
            metric_name=METRIC,
            dimensions={DIMENSION: name},
            statistic="Maximum",
            period=int(options.check_interval_minutes) * 60,
            evaluation_periods=1,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=1,
            # Whatever keeps the function from looking is as bad as a missing backup.
            treat_missing_data="breaching",
            alarm_actions=actions,
            ok_actions=actions if self._args.get("notify_on_recovery", True) else [],
            tags=self._tags,
            opts=self._child(),
        )


def function_files() -> dict[str, str]:
    """The source of the function, and that of the library which tells it when a schedule should have run."""
    library = Path(cronsim.__file__).parent
    (license_file,) = (file for file in distribution(library.name).files or [] if file.name == "LICENSE")
    sources = {
        f"{FUNCTION}.py": Path(__file__).parent / "functions" / f"{FUNCTION}.py",
        f"{library.name}/__init__.py": library / "__init__.py",
        f"{library.name}/cronsim.py": library / "cronsim.py",
        # BSD: its notice goes wherever the source goes.
        f"{library.name}/LICENSE": Path(str(license_file.locate())),
    }
    return {path: source.read_text("utf-8") for path, source in sources.items()}


def backup_watch_options(args: BackupWatchArgs) -> BackupWatchOptions:
    """The plain arguments, for `check_backup_watch`."""
    return BackupWatchOptions(
        name=args["name"],
        region=args.get("region", ""),
        account_id=args.get("account_id", ""),
        bucket=_known(args["bucket"]),
        prefix=args.get("prefix", ""),
        kms_key_arn=_known(args.get("kms_key_arn", "")),
        schedules=args["schedules"],
        grace_hours=args.get("grace_hours", DEFAULT_GRACE_HOURS),
        check_interval_minutes=args.get("check_interval_minutes", DEFAULT_INTERVAL_MINUTES),
        subscriptions=[
            Subscription(one["protocol"], endpoint if isinstance(endpoint := one["endpoint"], str) else None)
            for one in args.get("subscriptions", [])
        ],
        has_existing_topic=bool(args.get("existing_topic_arn")),
        existing_topic_arn=_known(args.get("existing_topic_arn", "")),
        alarm_actions=args.get("alarm_actions", []),
        alarm_key_arn=_known(args.get("alarm_key_arn", "")),
        log_retention_days=args.get("log_retention_days", DEFAULT_RETENTION_DAYS),
        production=args.get("production", False),
        permissions_boundary_arn=args.get("permissions_boundary_arn", ""),
        tags=args.get("tags", {}),
    )


def _known(value: pulumi.Input[str]) -> str:
    return value if isinstance(value, str) else ""


def _mark(endpoint: pulumi.Input[str], index: int) -> str:
    """Tells subscriptions apart, whatever their order; names of resources are no place for what a URL may hold."""
    known = _known(endpoint)
    return hashlib.sha256(known.encode()).hexdigest()[:8] if known else str(index)
