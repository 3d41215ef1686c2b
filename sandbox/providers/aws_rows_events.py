"""Rows of the table: queues, their policies, and the rules of EventBridge that fill them."""

from sandbox.providers import aws_checks_events as checks
from sandbox.providers.table import Call, Fetch, Row, Tagging, listing

_ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "delaySeconds": "DelaySeconds",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "policy": "Policy",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
}
_QUEUE_DEFAULTS = {  # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    "visibilityTimeoutSeconds": 30,
    "delaySeconds": 0,
    "maxMessageSize": 262144,
    "messageRetentionSeconds": 345600,
    "receiveWaitTimeSeconds": 0,
}
_SENT = {attribute: f"${key}" for key, attribute in _ATTRIBUTES.items()}
_TARGET = ("arn", "deadLetterConfig", "input", "inputPath", "retryPolicy", "roleArn", "sqsTarget")
_BUS = {"EventBusName": "$eventBusName"}
_PUT_TARGET = Call(
    "PutTargets",
    {
        **_BUS,
        "Rule": "$rule",
        "Targets": [
            {
                "Id": "$targetId",
                "Arn": "$arn",
                "DeadLetterConfig": "$deadLetterConfig",
                "Input": "$input",
                "InputPath": "$inputPath",
                "RetryPolicy": "$retryPolicy",
                "RoleArn": "$roleArn",
                "SqsParameters": "$sqsTarget",
            }
        ],
    },
    strict=True,
)


def _queue_policy(policy: str) -> Call:
    return Call("SetQueueAttributes", {"QueueUrl": "$queueUrl", "Attributes": {"Policy": policy}}, ("policy",))


EVENTS: dict[str, Row] = {
    "aws:sqs/queue:Queue": Row(
        "sqs",
        Call("CreateQueue", {"QueueName": "$name", "Attributes": _SENT}),
        (Fetch("GetQueueAttributes", {"QueueUrl": "$id", "AttributeNames": ["All"]}, "Attributes"),),
        (Call("DeleteQueue", {"QueueUrl": "$id"}),),
        id="QueueUrl",
        name="name",
        longest_name=80,
        updates=(Call("SetQueueAttributes", {"QueueUrl": "$id", "Attributes": _SENT}, tuple(_ATTRIBUTES)),),
        rename=_ATTRIBUTES,
        outputs={"arn": "QueueArn", "name": "after(QueueArn, ':')", "url": "id"},
        computed=tuple(set(_ATTRIBUTES) - set(_QUEUE_DEFAULTS) - {"kmsMasterKeyId"}),
        emptied=("kmsMasterKeyId",),
        defaults=_QUEUE_DEFAULTS,
        quiet=("policy",),
        local=("namePrefix",),
        tags=Tagging(
            tag=Call("TagQueue", {"QueueUrl": "$id", "Tags": "$tags"}),
            untag=Call("UntagQueue", {"QueueUrl": "$id", "TagKeys": "$tagKeys"}),
            member="tags",
            names=None,
            read=Fetch("ListQueueTags", {"QueueUrl": "$id"}, "Tags"),
        ),
        listing=listing("sqs", "ListQueues", "QueueUrls"),
        validate=checks.queue,
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Row(
        "sqs",
        _queue_policy("$policy"),
        (Fetch("GetQueueAttributes", {"QueueUrl": "$queueUrl", "AttributeNames": ["All"]}, "Attributes"),),
        (_queue_policy(""),),
        id="{queueUrl}",
        updates=(_queue_policy("$policy"),),
        outputs={"queueUrl": "queueUrl"},
        alive="Policy",
        validate=checks.queue_policy,
    ),
    "aws:cloudwatch/eventRule:EventRule": Row(
        "events",
        Call("PutRule", {"Name": "$name"}),
        (Fetch("DescribeRule", {"Name": "$id", **_BUS}, "@"),),
        (Call("DeleteRule", {"Name": "$id", **_BUS}),),
        id="{name}",
        name="name",
        longest_name=64,
        updates=(
            Call(
                "PutRule",
                {"Name": "$id", **_BUS},
                ("description", "eventPattern", "roleArn", "scheduleExpression", "state"),
            ),
        ),
        outputs={"name": "Name"},
        computed=("state",),
        local=("namePrefix",),
        defaults={"eventBusName": "default"},
        tags=Tagging(
            tag=Call("TagResource", {"ResourceARN": "$state.arn", "Tags": "$tags"}),
            untag=Call("UntagResource", {"ResourceARN": "$state.arn", "TagKeys": "$tagKeys"}),
            read=Fetch("ListTagsForResource", {"ResourceARN": "$found.Arn"}, "Tags"),
        ),
        listing=listing("events", "ListRules", "Rules[].Name"),
        validate=checks.rule,
    ),
    "aws:cloudwatch/eventTarget:EventTarget": Row(
        "events",
        _PUT_TARGET,
        (Fetch("ListTargetsByRule", {**_BUS, "Rule": "$rule"}, "Targets[?Id=='$targetId'] | [0]"),),
        (Call("RemoveTargets", {**_BUS, "Rule": "$rule", "Ids": ["$targetId"]}),),
        id="{rule}-{targetId}",
        import_id="{rule}/{targetId}",
        name="targetId",
        updates=(Call("PutTargets", _PUT_TARGET.params, _TARGET, strict=True),),
        rename={"sqsTarget": "SqsParameters", "targetId": "Id"},
        outputs={"rule": "rule", "eventBusName": "eventBusName"},
        defaults={"eventBusName": "default"},
        before_create=checks.target_fits,
    ),
}
