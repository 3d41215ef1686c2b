"""What in a watch over backups cannot work, or would tell nobody. Pure."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from .backup_watch_options import VARIABLE, BackupWatchOptions, Subscription, environment
from .cluster_checks import LOG_RETENTION_DAYS
from .permissions_boundary import boundary_problems
from .problems import Problem, repeated
from .tags import check_tags
from .velero_cron import cron_fault
from .velero_names import BUCKET, LONGEST_BUCKET_NAME, PREFIX, SCHEDULE, key_problems, scope_problems

PROTOCOLS = ("email", "https", "sqs", "lambda", "sms")
LONGEST_NAME = 64 - len("-backup-watch")
MOST_ACTIONS = 5
"""Actions that CloudWatch takes for one state of an alarm."""
LEAST_INTERVAL, LARGEST_INTERVAL = 5, 60
LEAST_GRACE, LARGEST_GRACE = 1, 168
LARGEST_ENVIRONMENT = 4096
"""Bytes that Lambda takes for all variables: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{LONGEST_NAME - 1}}}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_TELEPHONE = re.compile(r"\+[1-9]\d{6,14}")
_ARNS = {
    "sqs": re.compile(r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}"),
    "lambda": re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,64}(:[\w$-]+)?"),
}
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}(?P<fifo>\.fifo)?")
_ACTION = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(?P<region>[a-z0-9-]*):\d{12}:\S+")
_URL = re.compile(r'([A-Za-z][A-Za-z0-9+.-]*)://(?:[^"/?#]*@)?([A-Za-z0-9.-]*(?::\d+)?)[^"]*')
_ENDPOINTS = {
    "email": ("is no e-mail address", "write one such as backups@example.com"),
    "https": ("is no address that begins with https://", "write one such as https://alerts.example.com/hook"),
    "sqs": ("is not the ARN of a standard queue", "write one such as arn:aws:sqs:us-east-1:123456789012:alerts"),
    "lambda": (
        "is not the ARN of a function",
        "write one such as arn:aws:lambda:us-east-1:123456789012:function:alerts",
    ),
    "sms": ("is no telephone number with its country", "write one such as +4915112345678"),
}


def check_backup_watch(options: BackupWatchOptions) -> list[Problem]:
    """Everything that is wrong with a watch."""
    return [
        *_place(options),
        *_bucket(options),
        *_schedules(options),
        *room_problems(options),
        *key_problems("kms_key_arn", options.kms_key_arn, options.region),
        *specification_problems(options),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
        *check_tags(options.tags),
    ]


def room_problems(options: BackupWatchOptions) -> Iterator[Problem]:
    """Whether the function can be told of all schedules."""
    if any(cron_fault(schedule["cron"]) for schedule in options.schedules):
        return
    size = len(VARIABLE) + len(json.dumps(environment(options, options.bucket or "b" * LONGEST_BUCKET_NAME)))
    if size > LARGEST_ENVIRONMENT:
        reason = f"take {size} bytes in the environment of the watch's function, and Lambda has {LARGEST_ENVIRONMENT}"
        yield Problem("schedules", f"{len(options.schedules)} of them", reason, "make fewer")


def specification_problems(options: BackupWatchOptions) -> list[Problem]:
    """What is wrong with `BackupWatchSpecArgs`, which a component that makes a watch takes as one of its inputs."""
    return [
        *_times(options),
        *_told(options),
        *key_problems("alarm_key_arn", options.alarm_key_arn, options.region),
    ]


def backup_watch_warnings(options: BackupWatchOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    if _tells_somebody(options):
        return []
    return ["the watch over backups tells nobody: its alarms have no subscriptions (they show in CloudWatch only)."]


def _place(options: BackupWatchOptions) -> Iterator[Problem]:
    if not _NAME.fullmatch(options.name):
        reason = "cannot begin the names of function, topic and alarms"
        remedy = f"write at most {LONGEST_NAME} letters, digits, hyphens and underscores, such as dash-dev"
        yield Problem("name", options.name, reason, remedy)
    yield from scope_problems(options.region, options.account_id)


def _bucket(options: BackupWatchOptions) -> Iterator[Problem]:
    if options.bucket and not BUCKET.fullmatch(options.bucket):
        reason = "is no name of a bucket: 3 to 63 small letters, digits, hyphens and dots"
        yield Problem("bucket", options.bucket, reason, "write the name alone, without s3:// and ARN")
    if options.prefix and not PREFIX.fullmatch(options.prefix):
        reason = "is no prefix as Velero takes it: names with a slash between them, none at the ends"
        yield Problem("prefix", options.prefix, reason, 'write a prefix such as "dash/dev", or leave it out')


def _schedules(options: BackupWatchOptions) -> Iterator[Problem]:
    if not options.schedules:
        reason = "leaves nothing to watch"
        yield Problem("schedules", [], reason, 'name one, such as {name: daily, cron: "0 0 * * *"}, or turn it off')
    for name in repeated([schedule["name"] for schedule in options.schedules]):
        yield Problem("schedules", name, "is there more than once", "give each schedule its own name")
    for index, schedule in enumerate(options.schedules):
        at = f"schedules[{index}]"
        if not SCHEDULE.fullmatch(schedule["name"]):
            reason = "is no name of a Schedule whose backups can bear it in a label"
            remedy = "write at most 63 small letters, digits, hyphens and dots, such as daily"
            yield Problem(f"{at}.name", schedule["name"], reason, remedy)
        if fault := cron_fault(schedule["cron"]):
            yield Problem(f"{at}.cron", schedule["cron"], *fault)


def _times(options: BackupWatchOptions) -> Iterator[Problem]:
    grace, interval, retention = options.grace_hours, options.check_interval_minutes, options.log_retention_days
    if not LEAST_GRACE <= grace <= LARGEST_GRACE or grace != int(grace):
        reason = "is no number of hours in which a backup can be late and still be noticed"
        remedy = f"write a whole number from {LEAST_GRACE} to {LARGEST_GRACE}: longer than a backup takes"
        yield Problem("grace_hours", grace, reason, remedy)
    if not LEAST_INTERVAL <= interval <= LARGEST_INTERVAL or interval != int(interval):
        reason = "is no interval at which looking is worth while"
        remedy = f"write a whole number of minutes from {LEAST_INTERVAL} to {LARGEST_INTERVAL}"
        yield Problem("check_interval_minutes", interval, reason, remedy)
    if retention not in LOG_RETENTION_DAYS:
        nearest = min(LOG_RETENTION_DAYS, key=lambda days: abs(days - retention))
        yield Problem(
            "log_retention_days", retention, "CloudWatch keeps logs for certain periods only", f"try {nearest}"
        )


def _told(options: BackupWatchOptions) -> Iterator[Problem]:
    """Who hears of an alarm."""
    if options.has_existing_topic and options.subscriptions:
        reason = "are for a topic that is made, and there is one already"
        remedy = "subscribe to existing_topic_arn where it was made, or leave that out"
        yield Problem("subscriptions", f"{len(options.subscriptions)} of them", reason, remedy)
    if options.production and not _tells_somebody(options):
        reason = "leaves nobody to hear of a missing backup in production"
        remedy = "name one, such as {protocol: email, endpoint: backups@example.com}, or an existing_topic_arn"
        yield Problem("subscriptions", [], reason, remedy)
    yield from _topic(options)
    for index, action in enumerate(options.alarm_actions):
        arn = _ACTION.fullmatch(action)
        if arn is None:
            reason = "is no ARN of something that an alarm can do"
            yield Problem(f"alarm_actions[{index}]", action, reason, "write the ARN of a topic or a function")
        elif arn["region"] and options.region and arn["region"] != options.region:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
            reason = f"is in another region than the alarms ({options.region}), which act in their own only"
            yield Problem(f"alarm_actions[{index}]", action, reason, f"name one in {options.region}")
    for action in repeated(options.alarm_actions):
        yield Problem("alarm_actions", action, "is there more than once", "name each one once")
    if len(options.alarm_actions) >= MOST_ACTIONS:
        reason = f"makes more than {MOST_ACTIONS} actions with the topic, and CloudWatch takes no more for a state"
        yield Problem(
            "alarm_actions", f"{len(options.alarm_actions)} of them", reason, "subscribe to the topic instead"
        )
    for index, subscription in enumerate(options.subscriptions):
        yield from _subscription(f"subscriptions[{index}]", subscription)
    known = [f"{one.protocol} {one.endpoint}" for one in options.subscriptions if one.endpoint]
    if twice := repeated(known):
        reason = "is subscribed more than once, and SNS would take it for one"
        yield Problem("subscriptions", f"{len(twice)} of them", reason, "name each endpoint once")


def _topic(options: BackupWatchOptions) -> Iterator[Problem]:
    arn = options.existing_topic_arn
    topic = _TOPIC.fullmatch(arn)
    if arn and topic is None:
        reason = "is not the ARN of an SNS topic"
        yield Problem("existing_topic_arn", arn, reason, "write one such as arn:aws:sns:us-east-1:123456789012:alerts")
    elif topic and topic["fifo"]:
        reason = "is a FIFO topic, which brings no e-mails, calls and messages"
        yield Problem("existing_topic_arn", arn, reason, "name a standard topic")
    elif topic and options.region and topic["region"] != options.region:
        reason = f"is in another region than the alarms ({options.region}), and CloudWatch publishes in its own only"
        yield Problem("existing_topic_arn", arn, reason, f"name a topic in {options.region}")


def _subscription(at: str, subscription: Subscription) -> Iterator[Problem]:
    protocol, endpoint = subscription.protocol, subscription.endpoint
    if protocol not in PROTOCOLS:
        yield Problem(f"{at}.protocol", protocol, "is unknown", f"write one of {', '.join(PROTOCOLS)}")
    elif endpoint is not None and not _is_endpoint(protocol, endpoint):
        yield Problem(f"{at}.endpoint", _shown(endpoint), *_ENDPOINTS[protocol])


def _is_endpoint(protocol: str, endpoint: str) -> bool:
    if protocol == "https":
        return _is_url(endpoint)
    pattern = {"email": _EMAIL, "sms": _TELEPHONE, **_ARNS}[protocol]
    return bool(pattern.fullmatch(endpoint))


def _is_url(endpoint: str) -> bool:
    try:
        url = urlsplit(endpoint)
        return url.scheme == "https" and bool(url.hostname) and url.port != 0 and not re.search(r"\s", endpoint)
    except ValueError:  # a port that is none, brackets around something else than an IPv6 address
        return False


def without_keys(text: str) -> str:
    """A text, JSON perhaps, without what may be keys in its URLs: all but their hosts."""
    return _URL.sub(r"\1://\2/...", text)


def _shown(endpoint: str) -> str:
    """An endpoint without what may be a key in a URL, be it one without its scheme."""
    if "://" in endpoint:
        return without_keys(endpoint.replace('"', ""))
    host, *path = re.split("[/?#]", endpoint, maxsplit=1)
    return f"{host.rpartition('@')[2]}/..." if path else endpoint


def _tells_somebody(options: BackupWatchOptions) -> bool:
    return bool(options.subscriptions or options.has_existing_topic or options.alarm_actions)
