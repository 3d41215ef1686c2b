"""`aws:defaultTags` and `aws:ignoreTags` of the pulumi-aws stand-in, and what of the configuration does not count."""

import json
from pathlib import Path

import pulumi
import pulumi_aws as aws
import pytest

from aws_account import Account
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.default_tags import TaggingAwsProvider
from sandbox.providers.protocol import UNKNOWN, InvalidInputsError, Values
from small_stack import SmallStack

REGION = "us-east-1"
VPC, GROUP, ROLE, KEY = "aws:ec2/vpc:Vpc", "aws:ec2/securityGroup:SecurityGroup", "aws:iam/role:Role", "aws:kms/key:Key"
LOGS, BUCKET, ROUTE = "aws:cloudwatch/logGroup:LogGroup", "aws:s3/bucket:Bucket", "aws:ec2/route:Route"
TOPIC, ADDRESS = "aws:sns/topic:Topic", "aws:ec2/eip:Eip"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
INPUTS: dict[str, Values] = {
    VPC: {"cidrBlock": "10.0.0.0/16"},
    GROUP: {"vpcId": "", "description": "x"},
    ROLE: {"assumeRolePolicy": TRUST},
    KEY: {"description": "x"},
    LOGS: {"retentionInDays": 30},
    BUCKET: {},
    TOPIC: {},
    ADDRESS: {"domain": "vpc"},
}


def tags(**given: str) -> str:
    return json.dumps({"tags": given})


def no_cloud() -> Cloud:
    raise AssertionError("a preview must not need a running cloud")


@pytest.fixture
def account(cloud: Cloud) -> Account:
    return Account(lambda: cloud, defaultTags=tags(owner="platform", stage="dev"))


@pytest.mark.parametrize("token", INPUTS)
def test_default_tags_reach_the_account_and_stay_apart_from_the_resources_own(account: Account, token: str) -> None:
    inputs = dict(INPUTS[token])
    if token == GROUP:
        inputs["vpcId"] = account.make(VPC, **INPUTS[VPC]).id
    plain = Account(account.provider._cloud)
    made = account.make(token, **inputs, tags={"Name": "it", "stage": "own"})
    assert made["tags"] == {"Name": "it", "stage": "own"}
    assert made["tagsAll"] == {"owner": "platform", "Name": "it", "stage": "own"}
    seen = plain.provider.read(made.resource, made.id, {}, {})
    assert seen
    assert seen[2]["tags"] == made["tagsAll"]
    assert made.refreshes_unchanged()

    account.config["defaultTags"] = tags(owner="data")
    assert set(made.change().changed) == {"tags"}
    assert made["tagsAll"] == {"owner": "data", "Name": "it", "stage": "own"}
    account.config["defaultTags"] = ""
    made.change(tags=None)
    assert made["tagsAll"] == {}
    assert "tags" not in made.state
    assert made.refreshes_unchanged()
    made.delete()


def test_a_default_tag_that_somebody_took_away_is_drift(account: Account, cloud: Cloud) -> None:
    made = account.make(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "it"})
    cloud.client("ec2", REGION).delete_tags(Resources=[made.id], Tags=[{"Key": "owner"}])
    read = made.read()
    assert read
    _, inputs, state = read
    assert state["tagsAll"] == {"stage": "dev", "Name": "it"}
    new = account.check(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "it"}}, inputs)
    assert set(account.provider.diff(made.resource, made.id, inputs, state, new, []).changed) == {"tags"}


def test_a_preview_knows_the_tags_unless_one_is_unknown() -> None:
    account = Account(no_cloud, defaultTags=tags(owner="x"), ignoreTags='{"keys": ["skip"], "keyPrefixes": ["tmp:"]}')
    planned = account.plan(VPC, cidrBlock="10.0.0.0/16", tags={"Name": "it", "skip": "1", "tmp:a": "2"})
    assert planned["tagsAll"] == {"owner": "x", "Name": "it"}
    assert account.plan(VPC, cidrBlock="10.0.0.0/16", tags={"Name": UNKNOWN})["tagsAll"] is UNKNOWN


def test_without_default_tags_and_without_tags_nothing_is_added(cloud: Cloud) -> None:
    plain = Account(lambda: cloud)
    assert "tagsAll" not in plain.check(VPC, {"cidrBlock": "10.0.0.0/16", "tags": {"a": "b"}})
    route = {"routeTableId": "rtb-1", "destinationCidrBlock": "0.0.0.0/0", "gatewayId": "igw-1"}
    assert "tagsAll" not in Account(no_cloud, defaultTags=tags(a="b")).check(ROUTE, route)


def test_what_is_about_credentials_is_accepted_and_said_once_not_to_count() -> None:
    account = Account(no_cloud)
    config = {"region": REGION, "assumeRoles": '[{"roleArn": "arn:aws:iam::1:role/x"}]', "profile": "work"}
    for _ in range(2):
        account.provider.check_config({**config, "endpoints": "[]", "skipRequestingAccountId": "true"})
    assert [text.split(" does not count here")[0] for text in account.announced] == ["aws:assumeRoles", "aws:profile"]


@pytest.mark.parametrize("value", ["x", "[1]", '"a"'])
def test_default_tags_of_another_form_are_refused(value: str) -> None:
    with pytest.raises(InvalidInputsError, match="defaultTags: is no object such as"):
        Account(no_cloud).provider.check_config({"region": REGION, "defaultTags": value})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("defaultTags", '{"tags": ["owner"]}', r"defaultTags\.tags: \['owner'\] is a list, but .* of type map: write"),
        ("defaultTags", '{"tags": "owner"}', r"defaultTags\.tags: 'owner' is a str, but .* of type map"),
        ("defaultTags", '{"tag": {"a": "b"}}', r"defaultTags\.tag: no such property; did you mean 'tags'"),
        ("ignoreTags", '{"keys": "abc"}', r"ignoreTags\.keys: 'abc' is a str, but .* of type list"),
    ],
)
def test_tags_of_the_provider_in_another_form_are_refused(key: str, value: str, reason: str) -> None:
    with pytest.raises(InvalidInputsError, match=reason):
        Account(no_cloud).provider.check_config({"region": REGION, key: value})


def test_numbers_and_truth_values_are_texts_as_default_tags() -> None:
    account = Account(no_cloud, defaultTags='{"tags": {"cost": 7, "on": true}}')
    account.provider.check_config(dict(account.config))
    assert account.plan(VPC, cidrBlock="10.0.0.0/16")["tagsAll"] == {"cost": "7", "on": "true"}


def test_default_tags_that_only_the_update_knows_are_unknown_in_a_preview() -> None:
    account = Account(no_cloud)
    resource = account._resource(VPC)
    resource.config["defaultTags"] = UNKNOWN
    account.provider.check_config(resource.config)
    assert account.provider.check(resource, {}, {"cidrBlock": "10.0.0.0/16"}, b"")["tagsAll"] is UNKNOWN


@pytest.mark.engine
def test_default_tags_of_the_stack_reach_resources_on_the_engine(tmp_path: Path, cloud: Cloud) -> None:
    said: list[str] = []
    stack = SmallStack(tmp_path, {"aws": TaggingAwsProvider(lambda: cloud, Knobs(), said.append)})
    stack.config = {
        "aws:region": REGION,
        "aws:defaultTags": tags(owner="platform"),
        "aws:assumeRoles": '[{"roleArn": "arn:aws:iam::123456789012:role/x"}]',
    }

    def program() -> None:
        vpc = aws.ec2.Vpc("it", cidr_block="10.0.0.0/16", tags={"Name": "it"})
        pulumi.export("all", vpc.tags_all)
        pulumi.export("own", vpc.tags)

    assert stack.up(program) == {"all": {"Name": "it", "owner": "platform"}, "own": {"Name": "it"}}
    assert stack.preview(program)["same"] == 2
    assert any(text.startswith("aws:assumeRoles does not count here") for text in said)
