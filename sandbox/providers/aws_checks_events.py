"""Queues and events: what AWS refuses and moto lets pass."""

import json
import re

from sandbox.providers.aws_api import Api, Thing
from sandbox.providers.aws_checks import Problems, policy
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values

_LIMITS = {
    "visibilityTimeoutSeconds": (0, 43200),
    "delaySeconds": (0, 900),
    "maxMessageSize": (1024, 1048576),
    "messageRetentionSeconds": (60, 1209600),
    "receiveWaitTimeSeconds": (0, 20),
}
_LARGEST_QUEUE_POLICY = 8192
_MOST_TARGETS = 5


def queue(inputs: Values) -> Problems:
    name = inputs.get("name")
    if isinstance(name, str) and not re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name):
        yield "name", f"{name!r} is not a valid queue name: 1 to 80 letters, digits, hyphens and underscores"
    for key, (least, most) in _LIMITS.items():
        value = inputs.get(key)
        if isinstance(value, int | float) and not least <= value <= most:
            yield key, f"{int(value)} lies outside of {least} to {most}"
    if inputs.get("kmsMasterKeyId") and inputs.get("sqsManagedSseEnabled"):
        yield "sqsManagedSseEnabled", "is one of two ways to encrypt, and kmsMasterKeyId is the other"


def queue_policy(inputs: Values) -> Problems:
    yield from policy("policy", inputs["policy"], _LARGEST_QUEUE_POLICY, "Principal")


def rule(inputs: Values) -> Problems:
    pattern, schedule = inputs.get("eventPattern"), inputs.get("scheduleExpression")
    if not pattern and not schedule:
        yield "eventPattern", "is missing, and so is scheduleExpression: a rule needs one of them"
    if not pattern or pattern is UNKNOWN:
        return
    try:
        fields = json.loads(pattern)
    except ValueError:
        fields = None
    if not isinstance(fields, dict) or not fields:
        yield "eventPattern", "is not an event pattern: a JSON object of fields"
        return
    for key, values in fields.items():
        if not isinstance(values, list | dict):
            yield "eventPattern", f"{key} must be a list of values or an object (InvalidEventPatternException)"


def target_fits(api: Api, thing: Thing) -> None:
    """A rule has five targets at most, and one of an id."""
    rule, bus = thing.inputs["rule"], thing.inputs["eventBusName"]
    targets = api.call("events", "ListTargetsByRule", Rule=rule, EventBusName=bus)["Targets"]
    others = [target["Id"] for target in targets if target["Id"] != thing.inputs["targetId"]]
    if len(others) >= _MOST_TARGETS:
        raise ProviderError(
            "events:PutTargets: LimitExceededException: "
            f"The requested resource exceeds the maximum number allowed, {_MOST_TARGETS} targets for the rule {rule}."
        )
