"""The pulumi-aws stand-in's buckets, secrets, parameters, hosts, records and firewall against the emulated account."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from aws_account import REGION, Account, Made
from sandbox.cloud import Cloud
from sandbox.inventory import inventory
from sandbox.knobs import Knobs
from sandbox.providers import aws_rows
from sandbox.providers.aws import AwsProvider, find_by_tags
from sandbox.providers.protocol import ProviderError, Values
from sandbox.providers.shapes import operation, violations
from small_stack import SmallStack

BUCKET, OBJECT, BUCKET_POLICY = "aws:s3/bucket:Bucket", "aws:s3/bucketObjectv2:BucketObjectv2", "aws:s3/bucketPolicy"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
SECRET, VERSION = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"
DOCUMENT = "aws:ssm/document:Document"
PARAMETER, INSTANCE, KEY_PAIR = "aws:ssm/parameter:Parameter", "aws:ec2/instance:Instance", "aws:ec2/keyPair:KeyPair"
VPC, SUBNET, GROUP = "aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/securityGroup:SecurityGroup"
PROFILE, TEMPLATE = "aws:iam/instanceProfile:InstanceProfile", "aws:ec2/launchTemplate:LaunchTemplate"
RECORD = "aws:route53/record:Record"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
RULES, RULE = (
    "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup",
    "aws:route53/resolverFirewallRule:ResolverFirewallRule",
)
RULES_ON_VPC = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
QUERY_LOG = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
LOGGED = "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
UBUNTU = "/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl somebody"
BALANCER = "a1b2.elb.us-east-1.amazonaws.com"


@pytest.fixture
def account(cloud: Cloud) -> Account:
    return Account(lambda: cloud)


def imported(account: Account, one: Made, id: str = "") -> set[str]:
    """What an import cannot know."""
    found = account.provider.read(one.resource, id or one.id, {}, {})
    assert found is not None
    return set(account.provider.diff(one.resource, one.id, found[1], found[2], one.inputs, []).changed)


def delete(*made: Made) -> None:
    for one in made:
        one.delete()
        assert one.read() is None


# Buckets.


def test_a_bucket_goes_with_all_its_configuration_and_its_versions(account: Account, cloud: Cloud) -> None:
    bucket = account.make(BUCKET, bucketPrefix="analytics-dev-", forceDestroy=True, tags={"a": "b"})
    assert bucket.id.startswith("analytics-dev-")
    assert bucket["bucketRegionalDomainName"] == f"{bucket.id}.s3.{REGION}.amazonaws.com"
    arns = [bucket["arn"], f"{bucket['arn']}/*"]
    tls_only = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns}
    tls_only["Condition"] = {"Bool": {"aws:SecureTransport": "false"}}
    encryption = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "alias/x"}}
    parts = {
        "bucketPublicAccessBlock:BucketPublicAccessBlock": {"blockPublicAcls": True, "restrictPublicBuckets": True},
        "bucketVersioning:BucketVersioning": {"versioningConfiguration": {"status": "Enabled"}},
        "bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
            "rules": [{**encryption, "bucketKeyEnabled": True}]
        },
        "bucketOwnershipControls:BucketOwnershipControls": {"rule": {"objectOwnership": "BucketOwnerEnforced"}},
        "bucketPolicy:BucketPolicy": {"policy": json.dumps({"Version": "2012-10-17", "Statement": [tls_only]})},
        "bucketLifecycleConfiguration:BucketLifecycleConfiguration": {
            "rules": [
                {
                    "id": "old",
                    "status": "Enabled",
                    "filter": {},
                    "noncurrentVersionExpiration": {"noncurrentDays": 30},
                    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                }
            ]
        },
    }
    made = [account.make(f"aws:s3/{name}", bucket=bucket.id, **inputs) for name, inputs in parts.items()]
    for one in (bucket, *made):
        assert one.refreshes_unchanged(), one.token
        assert imported(account, one) <= {"forceDestroy", "transitionDefaultMinimumObjectSize"}
    block, *_, lifecycle = made
    block.change(blockPublicPolicy=True)
    lifecycle.change(rules=[{**lifecycle.inputs["rules"][0], "filter": {"prefix": "x/"}}])
    bucket.change(tags={"c": "d"})
    bucket.change(tags={})
    for one in (bucket, block, lifecycle):
        assert one.refreshes_unchanged(), one.token
    s3 = cloud.client("s3", REGION)
    for _ in range(2):
        s3.put_object(Bucket=bucket.id, Key="k", Body=b"1")
    s3.delete_object(Bucket=bucket.id, Key="k")
    for one in made:
        one.delete()
    delete(bucket)


def test_a_bucket_in_another_region_than_the_first_says_so(account: Account, cloud: Cloud) -> None:
    bucket = account.make(BUCKET, bucket="elsewhere", region="eu-central-1")
    location = cloud.client("s3", REGION).get_bucket_location(Bucket="elsewhere")
    assert location["LocationConstraint"] == "eu-central-1"
    delete(bucket)


def test_a_bucket_with_objects_stays_unless_its_destruction_is_forced(account: Account, cloud: Cloud) -> None:
    bucket = account.make(BUCKET, bucket="kept-as-it-is-full")
    cloud.client("s3", REGION).put_object(Bucket=bucket.id, Key="k", Body=b"1")
    with pytest.raises(ProviderError, match="BucketNotEmpty"):
        bucket.delete()
    bucket.change(forceDestroy=True)
    delete(bucket)


@pytest.mark.parametrize("name", ["Upper", "under_score", "ab", "192.168.0.1", "a..b", "-begins", "x" * 64])
def test_a_bucket_name_that_s3_refuses_is_refused(account: Account, name: str) -> None:
    assert "is not a valid bucket name" in account.refusal(BUCKET, bucket=name)


def test_a_bucket_prefix_leaves_room_for_what_is_added(account: Account) -> None:
    account.check(BUCKET, {"bucketPrefix": "x" * 37})
    assert "is not a valid bucket name" in account.refusal(BUCKET, bucketPrefix="x" * 38)


def test_changed_content_is_a_new_version_of_the_object_and_deletion_takes_all(account: Account, cloud: Cloud) -> None:
    bucket = account.make(BUCKET, bucket="versions")
    account.make(VERSIONING, bucket=bucket.id, versioningConfiguration={"status": "Enabled"})
    one = account.make(OBJECT, bucket=bucket.id, key="a/script.sh", content="ä\n", contentType="x/y", tags={"a": "b"})
    assert one.id == "versions/a/script.sh"
    assert one.refreshes_unchanged()
    first = one["versionId"]
    one.change(content="new\n")
    assert one["versionId"] != first
    assert one.refreshes_unchanged()
    s3 = cloud.client("s3", REGION)
    answer = s3.get_object(Bucket=bucket.id, Key="a/script.sh")
    assert (answer["Body"].read(), answer["ContentType"]) == (b"new\n", "x/y")
    assert s3.get_object_tagging(Bucket=bucket.id, Key="a/script.sh")["TagSet"] == [{"Key": "a", "Value": "b"}]
    assert account.diff(OBJECT, one.inputs, {**one.inputs, "key": "other"}).replacing == {"key"}
    other = account.make(OBJECT, bucket=bucket.id, key="a/script.sh.bak", contentBase64="AAE=")
    assert s3.get_object(Bucket=bucket.id, Key="a/script.sh.bak")["Body"].read() == b"\0\1"
    delete(one)
    assert [version["Key"] for version in s3.list_object_versions(Bucket=bucket.id)["Versions"]] == ["a/script.sh.bak"]
    delete(other, bucket)


def test_an_object_of_a_bucket_without_versions_goes_too(account: Account) -> None:
    bucket = account.make(BUCKET, bucket="plain")
    one = account.make(OBJECT, bucket="plain", key="k", content="x")
    assert one.refreshes_unchanged()
    delete(one, bucket)


# Secrets and parameters.


def test_a_secret_without_recovery_window_is_gone_at_once_and_another_waits(account: Account, cloud: Cloud) -> None:
    gone = account.make(SECRET, name="dev/license", kmsKeyId="alias/x", recoveryWindowInDays=0, tags={"a": "b"})
    waits = account.make(SECRET, name="prod/license", recoveryWindowInDays=30)
    gone.change(description="d", tags={"c": "d"})
    for one in (gone, waits):
        assert one.refreshes_unchanged()
        assert imported(account, one) <= {"recoveryWindowInDays"}
        delete(one)
    client = cloud.client("secretsmanager", REGION)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_secret(SecretId=gone.id)
    assert client.describe_secret(SecretId=waits.id)["DeletedDate"]
    assert not inventory(cloud, REGION).get(SECRET)
    account.make(SECRET, name="dev/license", recoveryWindowInDays=0).delete()
    with pytest.raises(ProviderError, match="ResourceExists"):
        account.make(SECRET, name="prod/license")


def test_a_new_value_is_a_new_version_and_the_old_one_loses_its_label(account: Account, cloud: Cloud) -> None:
    secret = account.make(SECRET, name="rotated", recoveryWindowInDays=0)
    old = account.make(VERSION, secretId=secret.id, secretString="one")
    assert old.refreshes_unchanged()
    assert account.diff(VERSION, old.inputs, {**old.inputs, "secretString": "two"}).replacing == {"secretString"}
    new = account.make(VERSION, "new", secretId=secret.id, secretString="two")
    found = old.read()
    assert found is not None
    old.state = found[2]
    old.delete()
    client = cloud.client("secretsmanager", REGION)
    assert client.get_secret_value(SecretId=secret.id)["SecretString"] == "two"
    assert client.describe_secret(SecretId=secret.id)["VersionIdsToStages"].get(old["versionId"]) in (None, [])
    assert imported(account, new) == set()
    binary = account.make(VERSION, "binary", secretId=secret.id, secretBinary="AAE=")
    assert client.get_secret_value(SecretId=secret.id)["SecretBinary"] == b"\0\1"
    delete(secret)
    assert new.read() is None
    assert binary.read() is None


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (VERSION, {"secretId": "s", "secretString": "hidden" * 20000}),
        (VERSION, {"secretId": "s", "secretString": {"key": "hidden"}}),
        (VERSION, {"secretId": "s", "secretBinary": ["hidden"]}),
        (VERSION, {"secretId": "s", "secretString": ["hidden"]}),
        (PARAMETER, {"type": "String", "name": "n", "value": {"key": "hidden"}}),
        (KEY_PAIR, {"publicKey": ["hidden"]}),
        (OBJECT, {"bucket": "b", "key": "k", "content": ["hidden"]}),
        (KEY_PAIR, {"publicKey": "-----BEGIN OPENSSH PRIVATE KEY-----\nhidden"}),
    ],
)
def test_no_message_quotes_a_secret(account: Account, token: str, inputs: Values) -> None:
    refusal = account.refusal(token, **inputs)
    assert refusal
    assert "hidden" not in refusal


def test_a_service_model_says_which_values_are_not_shown() -> None:
    shape = operation("secretsmanager", "PutSecretValue").input_shape
    [problem] = violations({"SecretId": "s", "SecretString": "x" * 65537}, shape)
    assert "SecretString" in problem
    assert "xx" not in problem


def test_a_parameter_keeps_its_value_readable_and_changes_in_place(account: Account, cloud: Cloud) -> None:
    client = cloud.client("ssm", REGION)
    plain = account.make(PARAMETER, name="/c/base-domain", type="String", value="a.example", tags={"a": "b"})
    hidden = account.make(PARAMETER, name="/c/hidden", type="SecureString", value="a")
    shown = account.make(PARAMETER, name="shown", type="String", insecureValue="a")
    plain.change(value="b.example", description="d", tags={"c": "d"})
    shown.change(insecureValue="b")
    assert (plain["version"], shown["insecureValue"]) == (2, "b")
    assert plain["arn"] == f"arn:aws:ssm:{REGION}:123456789012:parameter/c/base-domain"
    assert client.get_parameter(Name="/c/base-domain")["Parameter"]["Value"] == "b.example"
    for one in (plain, hidden, shown):
        assert one.refreshes_unchanged()
        assert imported(account, one) <= {"insecureValue", "value"}
        delete(one)


def test_new_content_of_a_document_becomes_the_default_version(account: Account, cloud: Cloud) -> None:
    def content(minutes: int) -> str:
        inputs = {"idleSessionTimeout": str(minutes)}
        return json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs})

    made = account.make(
        DOCUMENT, name="c-session", documentType="Session", documentFormat="JSON", content=content(20), tags={"a": "b"}
    )
    assert made["arn"] == f"arn:aws:ssm:{REGION}:123456789012:document/c-session"
    made.change(content=content(30), tags={"a": "c"})
    assert made.refreshes_unchanged()
    assert json.loads(cloud.client("ssm", REGION).get_document(Name="c-session")["Content"]) == json.loads(content(30))
    delete(made)


@pytest.mark.parametrize("name", ["/aws/x", "ssm-x", "/SSM/x", "a b", "a/b", "/a//b", "/a/"])
def test_a_parameter_name_that_ssm_refuses_is_refused(account: Account, name: str) -> None:
    assert "name: " in account.refusal(PARAMETER, name=name, type="String", value="v")


# Hosts.


@pytest.fixture
def place(account: Account) -> Iterator[Values]:
    """Inputs of an instance, and what they need."""
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16")
    subnet = account.make(SUBNET, vpcId=vpc.id, cidrBlock="10.0.0.0/24", mapPublicIpOnLaunch=True)
    group = account.make(GROUP, vpcId=vpc.id, name="host")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = account.make(
        "aws:iam/role:Role", assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    profile = account.make(PROFILE, role=role.id)
    yield {"subnetId": subnet.id, "vpcSecurityGroupIds": [group.id], "iamInstanceProfile": profile.id}
    delete(group, subnet, vpc, profile, role)


def template(account: Account, name: str = "host", **inputs: Any) -> Made:
    return account.make(
        TEMPLATE,
        name,
        **{
            "imageId": f"resolve:ssm:{UBUNTU}",
            "userData": "IyEvYmluL3NoCg==",
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "monitoring": {"enabled": True},
            "blockDeviceMappings": [
                {"deviceName": "/dev/sda1", "ebs": {"volumeSize": 20, "volumeType": "gp3", "encrypted": "true"}}
            ],
            "tagSpecifications": [{"resourceType": "volume", "tags": {"of": "host"}}],
        }
        | inputs,
    )


def test_a_host_takes_everything_from_its_template(account: Account, cloud: Cloud, place: Values) -> None:
    made = template(account)
    host = account.make(
        INSTANCE,
        launchTemplate={"id": made.id, "version": "1"},
        instanceType="t3.micro",
        associatePublicIpAddress=False,
        tags={"Name": "host"},
        **place,
    )
    assert host.refreshes_unchanged()
    assert host["ami"].startswith("ami-")
    assert "publicIp" not in host.state
    ec2 = cloud.client("ec2", REGION)
    [seen] = ec2.describe_instances(InstanceIds=[host.id])["Reservations"][0]["Instances"]
    assert (seen["MetadataOptions"]["HttpTokens"], seen["Monitoring"]["State"]) == ("required", "enabled")
    [disk] = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [host.id]}])["Volumes"]
    assert (disk["Encrypted"], disk["Size"], disk["VolumeType"]) == (True, 20, "gp3")
    assert disk["Tags"] == [{"Key": "of", "Value": "host"}]
    attribute = ec2.describe_instance_attribute(InstanceId=host.id, Attribute="userData")
    assert attribute["UserData"]["Value"] == "IyEvYmluL3NoCg=="
    newer = {**host.inputs, "launchTemplate": {"id": made.id, "version": "2"}}
    assert account.diff(INSTANCE, host.inputs, newer).replacing == {"launchTemplate.version"}
    assert not account.diff(INSTANCE, host.inputs, newer, ("launchTemplate",)).changed
    delete(host, made)


def test_a_host_changes_type_groups_profile_and_tags_in_place(account: Account, cloud: Cloud, place: Values) -> None:
    made = template(account)
    inputs = {"launchTemplate": {"id": made.id, "version": "$Latest"}, "instanceType": "t3.micro"}
    host = account.make(INSTANCE, **inputs, **place)
    vpc = cloud.client("ec2", REGION).describe_instances(InstanceIds=[host.id])["Reservations"][0]["Instances"][0]
    group = account.make(GROUP, vpcId=vpc["VpcId"], name="other")
    profile = account.make(PROFILE, "other")
    host.change(instanceType="t3.small", vpcSecurityGroupIds=[group.id], iamInstanceProfile=profile.id, tags={"a": "b"})
    assert (host["instanceType"], host["instanceState"]) == ("t3.small", "running")
    assert host["iamInstanceProfile"] == profile.id
    assert host.refreshes_unchanged()
    host.change(iamInstanceProfile=place["iamInstanceProfile"], userData="#!/bin/sh\n")
    assert host.refreshes_unchanged()
    assert imported(account, host) <= {"launchTemplate", "userData"}
    with pytest.raises(ProviderError, match="DependencyViolation"):
        group.delete()
    calls = [json.loads(line)["operation"] for line in (cloud.home / "calls.jsonl").read_text().splitlines()]
    last = [call for call in calls if call in ("StopInstances", "ModifyInstanceAttribute", "StartInstances")][-3:]
    assert last == ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]
    delete(host, group, profile, made)
    assert not inventory(cloud, REGION).get(INSTANCE)


def test_what_an_interrupted_creation_made_is_found_by_its_tags(account: Account, cloud: Cloud, place: Values) -> None:
    made = template(account)
    inputs = {"launchTemplate": {"id": made.id, "version": "1"}, "instanceType": "t3.micro", **place}
    host = account.make(INSTANCE, **inputs, userData="#!/bin/sh\n", tags={"of": "one"})
    bucket = account.make(BUCKET, bucketPrefix="found-", tags={"of": "one"})
    for one in (host, bucket):
        assert find_by_tags(cloud, one.token, one.inputs, REGION) == [one.id]
        assert find_by_tags(cloud, one.token, {**one.inputs, "tags": {"of": "other"}}, REGION) == []
    delete(host, bucket, made)


def test_a_host_with_public_address_has_one(account: Account, place: Values) -> None:
    made = template(account)
    inputs = {"launchTemplate": {"id": made.id, "version": "1"}, "associatePublicIpAddress": True}
    host = account.make(INSTANCE, instanceType="t3.micro", **inputs, **place)
    assert host["publicIp"]
    assert host["publicDns"].startswith("ec2-")
    delete(host, made)


def test_what_ec2_refuses_of_a_host_is_refused(account: Account, place: Values) -> None:
    made = template(account)
    inputs = {"launchTemplate": {"id": made.id, "version": "1"}, "instanceType": "t3.micro", **place}
    elsewhere = account.make(VPC, cidrBlock="10.1.0.0/16")
    foreign = account.make(GROUP, vpcId=elsewhere.id, name="foreign")
    for wrong, reason in (
        ({"keyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"vpcSecurityGroupIds": [foreign.id]}, "does not exist in vpc-"),
        ({"iamInstanceProfile": "nobody"}, "nobody"),
    ):
        with pytest.raises(ProviderError, match=reason):
            account.make(INSTANCE, **{**inputs, **wrong})
    assert "no launchTemplate" in account.refusal(INSTANCE, subnetId="s")
    assert "neither an AMI id" in account.refusal(INSTANCE, ami="ubuntu", instanceType="t3.micro")
    wrong = template(account, "wrong", imageId="resolve:ssm:/aws/service/canonical/ubuntu/server/24.04/latest/ami")
    with pytest.raises(ProviderError, match="does not exist or holds no AMI id"):
        account.make(INSTANCE, **{**inputs, "launchTemplate": {"id": wrong.id, "version": "1"}})
    delete(foreign, elsewhere, made, wrong)


def test_a_key_pair_is_replaced_with_its_key(account: Account) -> None:
    pair = account.make(KEY_PAIR, keyName="bootstrap_key", publicKey=PUBLIC_KEY, tags={"a": "b"})
    assert pair["keyType"] == "ed25519"
    pair.change(tags={"c": "d"})
    assert pair.refreshes_unchanged()
    other = {**pair.inputs, "publicKey": f"{PUBLIC_KEY} else"}
    changes = account.diff(KEY_PAIR, pair.inputs, other)
    assert changes.replacing == {"publicKey"}
    assert changes.delete_before_replace
    delete(pair)


# DNS.


@pytest.fixture
def zone(cloud: Cloud) -> Iterator[str]:
    route53 = cloud.client("route53", REGION)
    made = route53.create_hosted_zone(Name="dash.example.com", CallerReference="once")["HostedZone"]["Id"]
    yield made.removeprefix("/hostedzone/")
    route53.delete_hosted_zone(Id=made)


def test_records_are_written_changed_and_taken_away(account: Account, cloud: Cloud, zone: str) -> None:
    target = {"name": BALANCER, "zoneId": "Z26RNL4JYFTOTI", "evaluateTargetHealth": False}
    short = account.make(RECORD, zoneId=zone, name="api", type="CNAME", ttl=300, records=["dash.example.com"])
    apex = account.make(RECORD, zoneId=zone, name="dash.example.com", type="A", aliases=[target])
    many = account.make(
        RECORD, zoneId=zone, name="m.dash.example.com", type="A", ttl=60, records=["1.1.1.1", "2.2.2.2"]
    )
    assert (short.id, short["fqdn"], short["name"]) == (f"{zone}_api_CNAME", "api.dash.example.com", "api")
    short.change(ttl=60, records=["dash.example.com."])
    apex.change(aliases=[{**target, "evaluateTargetHealth": True}])
    sets = cloud.client("route53", REGION).list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    seen = {(one["Name"], one["Type"]): one for one in sets}
    assert seen["api.dash.example.com.", "CNAME"]["TTL"] == 60
    assert seen["dash.example.com.", "A"]["AliasTarget"]["EvaluateTargetHealth"] is True
    for one in (short, apex, many):
        assert one.refreshes_unchanged()
    assert imported(account, apex) == imported(account, many) == set()
    assert len(inventory(cloud, REGION)[RECORD]) == 3
    assert account.diff(RECORD, short.inputs, {**short.inputs, "name": "www"}).replacing == {"name"}
    delete(short, apex, many)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("dash.example.com", "CNAME", "is not permitted at apex in zone dash.example.com"),
        # The provider adds a zone that is missing, but takes this for a name of the zone, as it ends in its letters.
        ("api-dash.example.com", "CNAME", "api-dash.example.com. is not permitted in zone dash.example.com"),
        ("taken", "CNAME", "conflicting RRSet"),
        ("alias.dash.example.com", "A", "conflicting RRSet"),
        ("taken", "A", "but it already exists"),
    ],
)
def test_a_record_that_route_53_refuses_is_refused(
    account: Account, zone: str, name: str, kind: str, reason: str
) -> None:
    taken = account.make(RECORD, zoneId=zone, name="taken", type="A", ttl=60, records=["1.1.1.1"])
    alias = account.make(RECORD, zoneId=zone, name="alias", type="CNAME", ttl=60, records=["taken.dash.example.com"])
    value = "dash.example.org" if kind == "CNAME" else "1.1.1.1"
    with pytest.raises(ProviderError, match=f"InvalidChangeBatch.*{reason}"):
        account.make(RECORD, zoneId=zone, name=name, type=kind, ttl=60, records=[value])
    delete(taken, alias)


def test_a_record_may_take_the_place_of_another_where_it_is_allowed_to(account: Account, zone: str) -> None:
    inputs: Values = {"zoneId": zone, "name": "www", "type": "A", "ttl": 60}
    account.make(RECORD, **inputs, records=["1.1.1.1"])
    second = account.make(RECORD, **inputs, records=["2.2.2.2"], allowOverwrite=True)
    assert second["records"] == ["2.2.2.2"]
    delete(second)


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"type": "A"}, "exactly one of records and aliases"),
        ({"type": "A", "records": ["1.1.1.1"]}, "ttl: is missing"),
        ({"type": "CNAME", "ttl": 1, "records": ["a.b", "c.d"]}, "a CNAME has exactly one"),
    ],
)
def test_a_record_needs_what_it_needs_in_preview_already(account: Account, inputs: Values, reason: str) -> None:
    assert reason in account.refusal(RECORD, zoneId="Z1", name="n", **inputs)


def test_the_caller_is_a_role_and_not_the_root_user(account: Account) -> None:
    caller = account.provider.invoke("aws:index/getCallerIdentity:getCallerIdentity", {}, False, {"region": REGION})
    assert caller["arn"] == "arn:aws:sts::123456789012:assumed-role/platform-deployer/embedded-cloud"


# The resolver's firewall and log, which the stand-in keeps.


def test_the_firewall_is_kept_noted_and_announced(account: Account, cloud: Cloud) -> None:
    vpc = account.make(VPC, cidrBlock="10.0.0.0/16")
    logs = account.make("aws:cloudwatch/logGroup:LogGroup", name="/queries")
    allowed = account.make(DOMAINS, name="allowed", domains=["quay.io.", "*.quay.io."], tags={"a": "b"})
    rest = account.make(DOMAINS, name="rest", domains=["*."])
    rules = account.make(RULES, name="rules", tags={"a": "b"})
    key = {"firewallRuleGroupId": rules.id}
    allow = account.make(RULE, name="allow", firewallDomainListId=allowed.id, priority=1, action="ALLOW", **key)
    watch = account.make(RULE, name="rest", firewallDomainListId=rest.id, priority=2, action="ALERT", **key)
    applied = account.make(RULES_ON_VPC, name="on", vpcId=vpc.id, priority=101, **key)
    log = account.make(QUERY_LOG, name="log", destinationArn=logs["arn"])
    logged = account.make(LOGGED, resolverQueryLogConfigId=log.id, resourceId=vpc.id)
    everything = (logged, log, applied, allow, watch, rules, allowed, rest)
    allowed.change(domains=["quay.io."], tags={"a": "c"})
    watch.change(action="BLOCK", blockResponse="NXDOMAIN")
    applied.change(priority=102)
    assert (allowed["domains"], allowed["tagsAll"]) == (["quay.io."], {"a": "c"})
    assert (watch["blockResponse"], applied["mutationProtection"]) == ("NXDOMAIN", "DISABLED")
    assert rules["arn"] == f"arn:aws:route53resolver:{REGION}:123456789012:firewall-rule-group/{rules.id}"
    assert allow.id == f"{rules.id}:{allowed.id}"
    for one in everything:
        assert one.refreshes_unchanged(), one.token
        assert imported(account, one) == set()
        assert one.id in inventory(cloud, REGION)[one.token]
    assert find_by_tags(cloud, RULES, rules.inputs, REGION) == [rules.id]
    assert account.diff(RULES, {"name": "a"}, {"name": "b"}).replacing == {"name"}
    for used, reason in ((allowed, allow.id), (rules, applied.id), (log, logged.id)):
        with pytest.raises(ProviderError, match=f"ConflictException.*{reason}"):
            used.delete()
    delete(*everything, logs, vpc)
    noted = [json.loads(line) for line in (cloud.home / "calls.jsonl").read_text().splitlines()]
    kept = {one["operation"] for one in noted if one.get("recorded")}
    assert {"CreateFirewallRule", "UpdateFirewallDomains", "DisassociateFirewallRuleGroup", "TagResource"} <= kept
    assert f"{RULE}: CreateFirewallRule is recorded, not emulated" in account.announced
    assert "CreateFirewallRule" in aws_rows.recorded()[RULE]
    assert not [token for token in inventory(cloud, REGION) if "resolver" in token]


def test_the_firewall_refuses_what_aws_refuses(account: Account) -> None:
    allowed, other = (account.make(DOMAINS, name=name, domains=["a.example"]) for name in ("first", "second"))
    rules = account.make(RULES, name="refusing")
    rule: Values = {"name": "r", "firewallRuleGroupId": rules.id, "priority": 1, "action": "ALLOW"}
    made = account.make(RULE, **rule, firewallDomainListId=allowed.id)
    for token, inputs, reason in (
        (RULE, {**rule, "firewallDomainListId": other.id}, "priority 1 is taken"),
        (RULE, {**rule, "firewallDomainListId": "rslvr-fdl-none"}, "rslvr-fdl-none does not exist"),
        (RULES_ON_VPC, {"name": "a", "firewallRuleGroupId": rules.id, "priority": 200, "vpcId": "vpc-1"}, "vpc-1"),
        (QUERY_LOG, {"name": "q", "destinationArn": f"arn:aws:logs:{REGION}:1:log-group:/no"}, "/no does not exist"),
    ):
        with pytest.raises(ProviderError, match=reason):
            account.make(token, "refused", **inputs)
    assert "neither a domain name" in account.refusal(DOMAINS, name="d", domains=["a.*.example"])
    assert "needed by action BLOCK" in account.refusal(RULE, **{**rule, "action": "BLOCK"}, firewallDomainListId="l")
    assert "between 100 and 9900" in account.refusal(
        RULES_ON_VPC, name="a", firewallRuleGroupId="g", vpcId="v", priority=100
    )
    assert "does not match" in account.refusal(RULES, name="a.b")
    delete(made, rules, allowed, other)


# On the engine.


@pytest.mark.engine
def test_secrets_lie_encrypted_in_the_state_and_nowhere_else_in_clear(cloud: Cloud, tmp_path: Path) -> None:
    values = [f"{kind}-that-nobody-may-read" for kind in ("license", "password", "script", "renewed")]

    def program() -> None:
        within = pulumi.ResourceOptions(provider=aws.Provider("emulated", region=REGION))
        secret = aws.secretsmanager.Secret("secret", name="in/state", recovery_window_in_days=0, opts=within)
        aws.secretsmanager.SecretVersion(
            "version", secret_id=secret.id, secret_string=pulumi.Output.secret(values[0]), opts=within
        )
        # Without a mark: the provider's own schema makes it a secret.
        aws.ssm.Parameter("parameter", type="SecureString", name="/in/state", value=values[1], opts=within)
        bucket = aws.s3.Bucket("bucket", bucket="in-state", force_destroy=True, opts=within)
        aws.s3.BucketObjectv2("script", bucket=bucket.id, key="k", content=pulumi.Output.secret(values[2]), opts=within)

    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    stack.up(program)
    assert set(stack.refresh()) == {"same"}
    first, values[0] = values[0], values[3]
    assert stack.preview(program)["replace"] == 1
    stack.up(program)
    client = cloud.client("secretsmanager", REGION)
    assert client.get_secret_value(SecretId="in/state")["SecretString"] == values[0]
    written = [path.read_bytes() for path in (*tmp_path.rglob("*"), *cloud.home.rglob("*")) if path.is_file()]
    written.append(json.dumps(cloud.store("recorded").items()).encode())
    for value in (first, *values[:3]):
        assert not [content for content in written if value.encode() in content], value
    assert stack.resource("version")["outputs"]["secretString"]["ciphertext"]
    stack.destroy()


@pytest.mark.engine
def test_a_value_that_others_write_stays_through_refresh_and_update(cloud: Cloud, tmp_path: Path) -> None:
    def program() -> None:
        within = pulumi.ResourceOptions(provider=aws.Provider("emulated", region=REGION), ignore_changes=["value"])
        aws.ssm.Parameter("status", type="String", name="/c/status", value="waiting", opts=within)

    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    stack.up(program)
    ssm = cloud.client("ssm", REGION)
    ssm.put_parameter(Name="/c/status", Value="installed", Overwrite=True)
    assert set(stack.refresh()) == {"same"}
    assert stack.resource("status")["outputs"]["version"] == 2
    assert set(stack.preview(program)) == {"same"}
    stack.up(program)
    assert ssm.get_parameter(Name="/c/status")["Parameter"]["Value"] == "installed"
    stack.destroy()


@pytest.mark.engine
def test_a_host_with_its_bucket_and_records_comes_refreshes_changes_and_goes(
    cloud: Cloud, tmp_path: Path, zone: str
) -> None:
    region, kind = "eu-west-3", "t3.micro"

    def program() -> None:
        within = pulumi.ResourceOptions(provider=aws.Provider("emulated", region=region))
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=within)
        subnet = aws.ec2.Subnet("subnet", vpc_id=vpc.id, cidr_block="10.0.0.0/24", opts=within)
        bucket = aws.s3.Bucket("files", bucket_prefix="files-", force_destroy=True, opts=within)
        aws.s3.BucketVersioning("files", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=within)
        aws.s3.BucketObjectv2("readme", bucket=bucket.id, key="readme", content=kind, opts=within)
        disk: Any = {"device_name": "/dev/sda1", "ebs": {"encrypted": "true", "volume_size": 20}}
        made = aws.ec2.LaunchTemplate(
            "host", image_id=f"resolve:ssm:{UBUNTU}", block_device_mappings=[disk], opts=within
        )
        aws.ec2.Instance(
            "host",
            launch_template={"id": made.id, "version": made.latest_version.apply(str)},
            instance_type=kind,
            subnet_id=subnet.id,
            tags={"Name": "host"},
            opts=within,
        )
        aws.route53.Record("a", zone_id=zone, name="a", type="A", ttl=60, records=["1.1.1.1"], opts=within)
        rules = aws.route53.ResolverFirewallRuleGroup("rules", opts=within)
        aws.route53.ResolverFirewallRuleGroupAssociation(
            "rules", firewall_rule_group_id=rules.id, vpc_id=vpc.id, priority=200, opts=within
        )

    stack = SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})
    stack.up(program)
    assert set(stack.preview(program)) == {"same"}
    assert set(stack.refresh()) == {"same"}
    kind = "t3.small"
    stack.up(program)
    assert list(stack.changes.values()).count(2) == 1
    assert set(stack.refresh()) == {"same"}
    stack.destroy()
    assert inventory(cloud, region) == {}
