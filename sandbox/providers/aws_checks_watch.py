"""Functions, topics and alarms: what AWS refuses and moto lets pass."""

from sandbox.providers.aws_api import Api, Thing
from sandbox.providers.aws_checks import Problems, policy, role_exists
from sandbox.providers.protocol import Values

_LARGEST_TOPIC_POLICY = 30720
_HOUR, _DAY = 3600, 86400


def function_role(api: Api, thing: Thing) -> None:
    role_exists(api, thing.inputs["role"])


def topic(inputs: Values) -> Problems:
    if inputs.get("policy"):
        yield from policy("policy", inputs["policy"], _LARGEST_TOPIC_POLICY, "Principal")


def alarm(inputs: Values) -> Problems:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
    period, periods = inputs.get("period"), inputs.get("evaluationPeriods")
    if not isinstance(period, int) or not isinstance(periods, int):
        return
    if period not in (10, 20, 30) and period % 60:
        yield "period", f"{period} is neither 10, 20 or 30 nor a multiple of 60"
    if period * periods > (7 * _DAY if period >= _HOUR else _DAY):
        yield "evaluationPeriods", f"{periods} of {period} s reach back more than a day, or than 7 with whole hours"
