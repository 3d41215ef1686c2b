"""The pulumi-aws stand-in's queues and event rules against the emulated account."""

import json
import time
from collections.abc import Iterator

import pytest

from aws_account import REGION, Account, Made
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.providers.protocol import ProviderError

QUEUE, QUEUE_POLICY = "aws:sqs/queue:Queue", "aws:sqs/queuePolicy:QueuePolicy"
RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home = tmp_path_factory.mktemp("events") / "dev"
    yield clouds.start(home)
    clouds.stop(home)


@pytest.fixture
def account(cloud: Cloud) -> Account:
    return Account(lambda: cloud)


def delete(*made: Made) -> None:
    for one in made:
        one.delete()
        assert one.read() is None


def statement(**more: object) -> str:
    allowed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**allowed, "Resource": "*", **more}]})


def test_a_queue_keeps_its_settings_and_changes_in_place(account: Account, cloud: Cloud) -> None:
    queue = account.make(QUEUE, messageRetentionSeconds=300, sqsManagedSseEnabled=True, tags={"a": "b"})
    name = queue.id.rpartition("/")[2]
    assert (queue["name"], queue["url"]) == (name, queue.id)
    assert queue["arn"] == f"arn:aws:sqs:{REGION}:{cloud.account_id}:{name}"
    assert queue.refreshes_unchanged()
    assert queue["visibilityTimeoutSeconds"] == 30
    queue.change(messageRetentionSeconds=600, tags={"c": "d"})
    seen = cloud.client("sqs", REGION).get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
    assert seen["MessageRetentionPeriod"] == "600"
    assert cloud.client("sqs", REGION).list_queue_tags(QueueUrl=queue.id)["Tags"] == {"c": "d"}
    assert queue.refreshes_unchanged()
    assert QUEUE in inventory(cloud, REGION)
    delete(queue)


def test_an_imported_queue_is_as_it_was_made(account: Account) -> None:
    queue = account.make(QUEUE, name="imported", messageRetentionSeconds=300)
    found = account.provider.read(queue.resource, queue.id, {}, {})
    assert found is not None
    assert found[1]["name"] == "imported"
    assert found[1]["messageRetentionSeconds"] == 300
    delete(queue)


def test_the_policy_of_a_queue_is_a_resource_of_its_own(account: Account) -> None:
    queue = account.make(QUEUE, name="with-policy")
    policy = account.make(QUEUE_POLICY, queueUrl=queue.id, policy=statement())
    assert policy.refreshes_unchanged()
    assert queue.refreshes_unchanged()
    policy.change(policy=statement(Sid="AllowRulesToSend"))
    assert "AllowRulesToSend" in policy["policy"]
    delete(policy, queue)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"name": "with space"}, "is not a valid queue name"),
        ({"name": "x" * 81}, "is not a valid queue name"),
        ({"messageRetentionSeconds": 30}, "30 lies outside of 60 to 1209600"),
        ({"kmsMasterKeyId": "alias/x", "sqsManagedSseEnabled": True}, "one of two ways to encrypt"),
    ],
)
def test_a_queue_that_sqs_refuses_is_refused(account: Account, inputs: dict[str, object], reason: str) -> None:
    assert reason in account.refusal(QUEUE, **inputs)


def test_a_queue_policy_without_principal_is_refused(account: Account) -> None:
    policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]})
    assert "has no Principal" in account.refusal(QUEUE_POLICY, queueUrl="q", policy=policy)


def test_a_rule_brings_its_events_into_the_queue(account: Account, cloud: Cloud) -> None:
    queue = account.make(QUEUE, "queue", name="events")
    own = json.dumps({"source": ["test"]})
    rule = account.make(RULE, "rule", description="ours", eventPattern=own, tags={"a": "b"})
    policy = account.make(QUEUE_POLICY, "policy", queueUrl=queue.id, policy=statement())
    target = account.make(TARGET, "target", rule=rule["name"], targetId="queue", arn=queue["arn"])
    assert rule["arn"] == f"arn:aws:events:{REGION}:{cloud.account_id}:rule/{rule['name']}"
    for one in (rule, target):
        assert one.refreshes_unchanged(), one.token
    event = {"Source": "test", "DetailType": "x", "Detail": "{}"}
    cloud.client("events", REGION).put_events(Entries=[event])
    deadline, messages = time.monotonic() + 10, []
    while not messages and time.monotonic() < deadline:
        messages = cloud.client("sqs", REGION).receive_message(QueueUrl=queue.id).get("Messages", [])
    assert [json.loads(message["Body"])["source"] for message in messages] == ["test"]
    rule.change(eventPattern=PATTERN, description="changed", tags={"c": "d"})
    target.change(input='{"a": 1}')
    for one in (rule, target):
        assert one.refreshes_unchanged(), one.token
    with pytest.raises(ProviderError, match="has targets"):
        rule.delete()
    delete(target, rule, policy, queue)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [(None, "is missing"), ("source", "is not an event pattern"), ('{"source": "aws.ec2"}', "source must be a list")],
)
def test_a_rule_without_a_right_pattern_is_refused(account: Account, pattern: str | None, reason: str) -> None:
    assert reason in account.refusal(RULE, **({"eventPattern": pattern} if pattern else {}))


def test_a_rule_has_five_targets_at_most(account: Account) -> None:
    queue = account.make(QUEUE, "queue", name="five")
    rule = account.make(RULE, "rule", eventPattern=PATTERN)
    targets = [
        account.make(TARGET, f"target-{number}", rule=rule["name"], targetId=f"t{number}", arn=queue["arn"])
        for number in range(5)
    ]
    with pytest.raises(ProviderError, match="LimitExceededException"):
        account.make(TARGET, "sixth", rule=rule["name"], targetId="t6", arn=queue["arn"])
    delete(*targets, rule, queue)
    assert not {QUEUE, RULE} & inventory(account.provider._cloud(), REGION).keys()


def test_a_key_that_is_taken_away_from_a_queue_no_longer_encrypts_it(account: Account, cloud: Cloud) -> None:
    queue = account.make(QUEUE, "keyed", kmsMasterKeyId="alias/aws/sqs")
    assert queue.change(kmsMasterKeyId=None).changed == {"kmsMasterKeyId": "delete"}
    seen = cloud.client("sqs", REGION).get_queue_attributes(QueueUrl=queue.id, AttributeNames=["All"])["Attributes"]
    assert not seen.get("KmsMasterKeyId")
    assert not queue.change().changed
    assert queue.refreshes_unchanged()
    delete(queue)
