"""Rows of the table: functions, topics with their subscriptions, and alarms."""

from typing import Any

from sandbox.providers import aws_checks_watch as checks
from sandbox.providers.table import ANY, Call, Fetch, Row, Tagging, listing

_FUNCTION = {"FunctionName": "$id"}
_CONFIGURATION = (
    *("description", "environment", "ephemeralStorage", "handler", "loggingConfig"),
    *("memorySize", "role", "runtime", "timeout", "deadLetterConfig", "fileSystemConfig", "imageConfig", "kmsKeyArn"),
    *("layers", "snapStart", "tracingConfig", "vpcConfig"),
)
_TOPIC_ATTRIBUTES = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "policy": "Policy"}
_SUBSCRIPTION_ATTRIBUTES = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}
_ALARM = (
    *("actionsEnabled", "alarmActions", "alarmDescription", "comparisonOperator", "datapointsToAlarm", "dimensions"),
    *("evaluationPeriods", "extendedStatistic", "insufficientDataActions", "metricName", "namespace", "okActions"),
    *("period", "statistic", "threshold", "treatMissingData", "unit", "evaluateLowSampleCountPercentiles"),
    *("evaluationCriteria", "evaluationInterval", "evaluationWindow", "thresholdMetricId", "warmUpConfiguration"),
)


def _tags(
    member: str, arn: str, list_operation: str, path: str, names: tuple[str, str] | None, outlive: bool = False
) -> Tagging:
    """`member`: how the request calls the ARN. `arn`: where it stands in AWS's answer."""
    return Tagging(
        tag=Call("TagResource", {member: "$state.arn", "Tags": "$tags"}),
        untag=Call("UntagResource", {member: "$state.arn", "TagKeys": "$tagKeys"}),
        names=names,
        read=Fetch(list_operation, {member: f"$found.{arn}"}, path),
        outlive=outlive,
    )


def _subscription_attribute(name: str, value: str, key: str, when: Any) -> Call:
    params = {"SubscriptionArn": "$id", "AttributeName": name, "AttributeValue": value}
    return Call("SetSubscriptionAttributes", params, (key,), when={} if when == "" else {key: when})


WATCH: dict[str, Row] = {
    "aws:lambda/function:Function": Row(
        "lambda",
        Call("CreateFunction", {"Code": {"ZipFile": "$code"}}),
        (Fetch("GetFunction", _FUNCTION, "Configuration"),),
        (Call("DeleteFunction", _FUNCTION),),
        id="{name}",
        name="name",
        longest_name=64,
        updates=(
            Call("UpdateFunctionCode", {**_FUNCTION, "ZipFile": "$code"}, ("code", "architectures", "publish")),
            Call("UpdateFunctionConfiguration", _FUNCTION, _CONFIGURATION),
        ),
        rename={"name": "FunctionName", "kmsKeyArn": "KMSKeyArn", "sourceCodeSize": "CodeSize"},
        outputs={
            "arn": "FunctionArn",
            "invokeArn": (
                "arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{FunctionArn}/invocations"
            ),
            "sourceCodeHash": "CodeSha256",
        },
        computed=(
            *("architectures", "codeSha256", "ephemeralStorage", "loggingConfig", "sourceCodeHash"),
            "tracingConfig",
        ),
        defaults={"memorySize": 128, "packageType": "Zip", "timeout": 3},
        unsupported=("capacityProviderConfig", "codeSigningConfigArn", "durableConfig", "publishTo"),
        volatile=("codeSha256", "lastModified", "sourceCodeHash", "sourceCodeSize"),
        recorded=("loggingConfig",),
        ordered=("layers",),
        unread=("code", "publish"),
        tags=_tags("Resource", "FunctionArn", "ListTags", "Tags", None),
        listing=listing("lambda", "ListFunctions", "Functions[].FunctionName"),
        before_create=checks.function_role,
        before_update=checks.function_role,
    ),
    "aws:lambda/permission:Permission": Row(
        "lambda",
        Call("AddPermission", {"FunctionName": "$function"}),
        (Fetch("GetPolicy", {"FunctionName": "$function"}, "parsed(Policy).Statement[?Sid=='$statementId'] | [0]"),),
        (Call("RemovePermission", {"FunctionName": "$function", "StatementId": "$statementId"}),),
        id="{statementId}",
        import_id="{function}/{statementId}",
        name="statementId",
        outputs={
            "function": "function",
            "principal": "Principal.Service || Principal.AWS || Principal",
            "sourceAccount": 'Condition.StringEquals."AWS:SourceAccount"',
            "sourceArn": 'Condition.ArnLike."AWS:SourceArn"',
            "statementId": "Sid",
        },
    ),
    "aws:sns/topic:Topic": Row(
        "sns",
        Call("CreateTopic", {"Attributes": {name: f"${key}" for key, name in _TOPIC_ATTRIBUTES.items()}}),
        (Fetch("GetTopicAttributes", {"TopicArn": "$id"}, "Attributes"),),
        (Call("DeleteTopic", {"TopicArn": "$id"}),),
        id="TopicArn",
        name="name",
        updates=tuple(
            Call(
                "SetTopicAttributes",
                {"TopicArn": "$id", "AttributeName": name, "AttributeValue": f"${key}"},
                (key,),
            )
            for key, name in _TOPIC_ATTRIBUTES.items()
        ),
        outputs={"arn": "TopicArn", "name": "after(TopicArn, ':')"},
        computed=("deliveryPolicy", "policy"),
        quiet=("deliveryPolicy",),
        tags=_tags("ResourceArn", "TopicArn", "ListTagsForResource", "Tags", ("Key", "Value")),
        listing=listing("sns", "ListTopics", "Topics[].TopicArn"),
        validate=checks.topic,
    ),
    "aws:sns/topicSubscription:TopicSubscription": Row(
        "sns",
        Call(
            "Subscribe",
            {
                "TopicArn": "$topic",
                "ReturnSubscriptionArn": True,
                "Attributes": {name: f"${key}" for key, name in _SUBSCRIPTION_ATTRIBUTES.items()},
            },
        ),
        (Fetch("GetSubscriptionAttributes", {"SubscriptionArn": "$id"}, "Attributes"),),
        (Call("Unsubscribe", {"SubscriptionArn": "$id"}),),
        id="SubscriptionArn",
        outputs={"arn": "SubscriptionArn", "ownerId": "Owner", "topic": "TopicArn"},
        updates=(
            *(
                _subscription_attribute(name, f"${key}", key, ANY if key == "filterPolicy" else "")
                for key, name in _SUBSCRIPTION_ATTRIBUTES.items()
            ),
            # https://docs.aws.amazon.com/sns/latest/dg/message-filtering-policy-remove.html
            _subscription_attribute("FilterPolicy", "{}", "filterPolicy", None),
        ),
        computed=("filterPolicyScope",),
        local=("confirmationTimeoutInMinutes", "endpointAutoConfirms"),
        defaults={"confirmationTimeoutInMinutes": 1},
        listing=listing("sns", "ListSubscriptions", "Subscriptions[].SubscriptionArn"),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Row(
        "cloudwatch",
        Call("PutMetricAlarm"),
        (Fetch("DescribeAlarms", {"AlarmNames": ["$id"]}, "MetricAlarms[0]"),),
        (Call("DeleteAlarms", {"AlarmNames": ["$id"]}),),
        id="{name}",
        name="name",
        updates=(Call("PutMetricAlarm", {"AlarmName": "$id"}, _ALARM),),
        rename={"name": "AlarmName", "okActions": "OKActions"},
        outputs={"arn": "AlarmArn"},
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        tags=_tags("ResourceARN", "AlarmArn", "ListTagsForResource", "Tags", ("Key", "Value"), outlive=True),
        listing=listing("cloudwatch", "DescribeAlarms", "MetricAlarms[].AlarmName"),
        validate=checks.alarm,
    ),
}
