"""A create or an update that takes several calls, and one of them fails: what the state says, and what the next update
does about it. Each call of each such resource type fails once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pulumi_aws as aws
import pytest
from pulumi.automation.errors import CommandError

from aws_account import REGION, Account, Made
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import UNFINISHED, AwsProvider, takes_several_calls
from sandbox.providers.aws_rows import ROWS
from sandbox.providers.protocol import ProviderError, Values
from small_stack import SmallStack

VPC, GROUP, CLUSTER = "aws:ec2/vpc:Vpc", "aws:ec2/securityGroup:SecurityGroup", "aws:eks/cluster:Cluster"
DEFAULT_GROUP, GATEWAY = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:ec2/internetGateway:InternetGateway"
SUBNET, ROLE, KEY = "aws:ec2/subnet:Subnet", "aws:iam/role:Role", "aws:kms/key:Key"
INSTANCE, TEMPLATE = "aws:ec2/instance:Instance", "aws:ec2/launchTemplate:LaunchTemplate"
PROFILE, OIDC = "aws:iam/instanceProfile:InstanceProfile", "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
BUCKET, OBJECT, SECRET = (
    "aws:s3/bucket:Bucket",
    "aws:s3/bucketObjectv2:BucketObjectv2",
    "aws:secretsmanager/secret:Secret",
)
LOGS, DOMAINS = "aws:cloudwatch/logGroup:LogGroup", "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
ADDRESS, VERSION = "aws:ec2/eip:Eip", "aws:secretsmanager/secretVersion:SecretVersion"
DOCUMENT = "aws:ssm/document:Document"
SUBSCRIBERS = {"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "*", "Resource": "*"}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
READS = ("Describe", "Get", "List", "Head")
number = count(10)


@dataclass
class Interruption(Knobs):
    """Fails one call, of those that write or of all."""

    at: int = 0
    reads_too: bool = False
    calls: int = 0

    def fails(self, service: str, operation: str) -> bool:
        counts = self.reads_too or not operation.startswith(READS)
        self.calls += counts
        return counts and self.calls == self.at


@contextmanager
def failing(account: Account, at: int, reads_too: bool = False) -> Iterator[Interruption]:
    interruption = account.provider._knobs = Interruption(at=at, reads_too=reads_too)
    yield interruption
    account.provider._knobs = Knobs()


class Network(Account):
    """An account with a VPC, since it takes a while to make one."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(lambda: cloud)
        self.vpc = self.make(VPC, cidrBlock="10.0.0.0/16").id
        self.subnets = [
            self.make(SUBNET, vpcId=self.vpc, cidrBlock=f"10.0.{i}.0/24", availabilityZone=f"{REGION}{zone}").id
            for i, zone in enumerate("ab")
        ]
        self.role = self.make(ROLE, assumeRolePolicy=TRUST)


def another_vpc(account: Account) -> str:
    return account.make(VPC, cidrBlock="10.0.0.0/16").id


def instance(account: Network) -> str:
    image, subnet = "ami-0abcdef1234567890", account.subnets[0]
    return account.make(INSTANCE, ami=image, instanceType="m6i.large", subnetId=subnet).id


def session_document(minutes: int) -> str:
    content = {"schemaVersion": "1.0", "description": "shells", "sessionType": "Standard_Stream"}
    return json.dumps(content | {"inputs": {"idleSessionTimeout": str(minutes)}})


def bucket(account: Account) -> str:
    return account.make(BUCKET, bucket=f"half-{next(number)}").id


Inputs = Callable[[Network], Values]
CREATES: dict[str, Inputs] = {
    VPC: lambda _: {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsHostnames": True,
        "enableNetworkAddressUsageMetrics": True,
        "tags": {"a": "b"},
    },
    SUBNET: lambda account: {
        "vpcId": account.vpc,
        "cidrBlock": f"10.0.{next(number)}.0/24",
        "mapPublicIpOnLaunch": True,
        "enableResourceNameDnsARecordOnLaunch": True,
        "privateDnsHostnameTypeOnLaunch": "resource-name",
    },
    GATEWAY: lambda account: {"vpcId": another_vpc(account)},
    DEFAULT_GROUP: lambda account: {"vpcId": another_vpc(account), "ingress": [], "egress": [], "tags": {"a": "b"}},
    GROUP: lambda account: {
        "vpcId": account.vpc,
        "name": f"half-{next(number)}",
        "ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}],
    },
    TEMPLATE: lambda _: {"name": f"half-{next(number)}", "instanceType": "m6i.large", "updateDefaultVersion": True},
    OIDC: lambda _: {"url": f"https://issuer-{next(number)}.example.com", "clientIdLists": ["a"]},
    PROFILE: lambda account: {"name": f"half-{next(number)}", "role": account.role.id},
    KEY: lambda _: {"enableKeyRotation": True, "rotationPeriodInDays": 180, "deletionWindowInDays": 7},
    LOGS: lambda _: {"name": f"/half/{next(number)}", "retentionInDays": 30, "tags": {"a": "b"}},
    CLUSTER: lambda account: {
        "name": f"half-{next(number)}",
        "roleArn": account.role["arn"],
        "vpcConfig": {"subnetIds": account.subnets},
        "version": "1.35",
        "deletionProtection": False,
    },
    BUCKET: lambda _: {"bucket": f"half-{next(number)}", "tags": {"a": "b"}},
    OBJECT: lambda account: {"bucket": bucket(account), "key": "k", "content": "c", "tags": {"a": "b"}},
    SECRET: lambda _: {
        "name": f"half-{next(number)}",
        "policy": json.dumps({"Version": "2012-10-17", "Statement": [SUBSCRIBERS]}),
        "tags": {"a": "b"},
    },
    INSTANCE: lambda account: {
        "ami": "ami-0abcdef1234567890",
        "instanceType": "m6i.large",
        "subnetId": account.subnets[0],
        "tags": {"a": "b"},
    },
    DOMAINS: lambda _: {"name": f"half-{next(number)}", "domains": ["example.com."]},
    ADDRESS: lambda account: {"domain": "vpc", "instance": instance(account)},
    VERSION: lambda account: {
        "secretId": account.make(SECRET, name=f"half-{next(number)}").id,
        "secretString": "secret",
        "versionStages": ["AWSCURRENT", "a"],
    },
    DOCUMENT: lambda _: {
        "name": f"half-{next(number)}",
        "documentType": "Session",
        "content": session_document(20),
        "tags": {"a": "b"},
    },
}
WRITTEN_BY_ONE = {TEMPLATE, OIDC, INSTANCE, VERSION, DOCUMENT}  # further calls are for updates
UPDATES: dict[str, Values] = {
    VPC: {"enableDnsHostnames": False, "enableDnsSupport": False, "tags": {"c": "d"}},
    SUBNET: {"mapPublicIpOnLaunch": False, "privateDnsHostnameTypeOnLaunch": "ip-name", "tags": {"c": "d"}},
    GROUP: {"ingress": [], "tags": {"c": "d"}},
    TEMPLATE: {"instanceType": "m7i.large", "tags": {"c": "d"}},
    KEY: {"enableKeyRotation": False, "rotationPeriodInDays": None, "description": "new", "tags": {"c": "d"}},
    LOGS: {"retentionInDays": 60, "tags": {"c": "d"}},
    CLUSTER: {"deletionProtection": True, "enabledClusterLogTypes": ["api"], "tags": {"c": "d"}},
    BUCKET: {"tags": {"c": "d"}},
    SECRET: {"description": "new", "policy": None, "tags": {"c": "d"}},
    INSTANCE: {"instanceType": "m6i.xlarge", "tags": {"c": "d"}},
    VERSION: {"versionStages": ["AWSCURRENT", "b"]},
    DOCUMENT: {"content": session_document(30), "tags": {"c": "d"}},
    DOMAINS: {"domains": ["example.org."], "tags": {"c": "d"}},
}


@pytest.fixture(scope="module")
def account(cloud: Cloud) -> Network:
    return Network(cloud)


# The engine records a failed resource with all of its new inputs, whatever came of them.


def next_update(half: Made) -> None:
    """What the engine does then: an update, for what differs or for the failure alone."""
    changes = half.account.provider.diff(half.resource, half.id, half.inputs, half.state, half.inputs, [])
    assert not changes.replacing
    half.state = half.account.provider.update(half.resource, half.id, half.inputs, half.state, half.inputs, False)


def refresh_and_next_update(half: Made) -> None:
    """After a refresh the engine has forgotten the failure: only what differs makes an update."""
    provider, wanted = half.account.provider, half.inputs
    found = half.read()
    assert found is not None
    _, inputs, state = found
    changes = provider.diff(half.resource, half.id, inputs, state, wanted, [])
    assert not changes.replacing
    half.state = provider.update(half.resource, half.id, inputs, state, wanted, False) if changes.changed else state


def assert_is_finished(account: Account, made: Made, undisturbed: Made) -> None:
    assert UNFINISHED not in made.state
    assert {*made.state} == {*undisturbed.state}
    assert made.refreshes_unchanged()
    same = account.provider.diff(made.resource, made.id, made.inputs, made.state, made.inputs, [])
    assert not same.changed
    if made.token == GROUP:  # what rule resources own does not show in a state
        [group] = (
            account.provider._cloud()
            .client("ec2", REGION)
            .describe_security_groups(GroupIds=[made.id])["SecurityGroups"]
        )
        assert group["IpPermissionsEgress"] == []
    if made.token == CLUSTER:
        assert made["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")


def test_every_type_whose_creation_takes_several_calls_is_among_the_cases() -> None:
    assert {token for token in ROWS if takes_several_calls(token)} == {*CREATES}


def fail_each_call_of_a_creation(
    account: Network, token: str, go_on: Callable[[Made], None], reads_too: bool = False
) -> None:
    inputs = CREATES[token](account)
    with failing(account, 0, reads_too) as counted:
        undisturbed = account.make(token, **inputs)
    # Where the call itself fails that makes it, nothing is made; a VPC's own group is there already.
    first = 1 if token == DEFAULT_GROUP else 2
    for at in range(first, counted.calls + 1):
        wanted = account.check(token, CREATES[token](account))
        with failing(account, at, reads_too), pytest.raises(ProviderError, match="injected failure") as caught:
            account.make(token, **wanted)
        half = Made(account, token, "it", caught.value.id, wanted, caught.value.state)
        go_on(half)
        assert_is_finished(account, half, undisturbed)
    assert counted.calls >= first


@pytest.mark.parametrize("token", [token for token in CREATES if token not in WRITTEN_BY_ONE])
def test_a_creation_of_which_any_write_fails_is_finished_by_the_next_update(account: Network, token: str) -> None:
    fail_each_call_of_a_creation(account, token, next_update)


@pytest.mark.parametrize("token", [GROUP, PROFILE, KEY, CLUSTER])
def test_a_refresh_in_between_does_not_forget_what_is_left_of_a_creation(account: Network, token: str) -> None:
    fail_each_call_of_a_creation(account, token, refresh_and_next_update)


@pytest.mark.parametrize("go_on", [next_update, refresh_and_next_update])
def test_a_creation_whose_result_cannot_be_read_is_finished_by_the_next_update(
    account: Network, go_on: Callable[[Made], None]
) -> None:
    fail_each_call_of_a_creation(account, LOGS, go_on, reads_too=True)


@pytest.mark.parametrize("token", UPDATES)
def test_an_update_of_which_any_write_fails_is_finished_by_the_next(account: Network, token: str) -> None:
    def update(made: Made) -> None:
        new = {key: value for key, value in (made.inputs | UPDATES[token]).items() if value is not None}
        before, made.inputs = made.inputs, account.check(token, new, made.inputs)
        try:
            made.state = account.provider.update(made.resource, made.id, before, made.state, made.inputs, False)
        except ProviderError as error:
            made.state = error.state
            raise

    undisturbed = account.make(token, **CREATES[token](account))
    with failing(account, 0) as counted:
        update(undisturbed)
    for at in range(1, counted.calls + 1):
        half = account.make(token, **CREATES[token](account))
        with failing(account, at), pytest.raises(ProviderError, match="injected failure") as caught:
            update(half)
        assert caught.value.id == half.id
        # After every other failure with a refresh in between.
        (refresh_and_next_update if at % 2 else next_update)(half)
        assert_is_finished(account, half, undisturbed)
    assert counted.calls


def test_a_deletion_that_follows_a_failed_creation_leaves_nothing(account: Network, cloud: Cloud) -> None:
    wanted = account.check(CLUSTER, CREATES[CLUSTER](account))
    account.provider._knobs = Knobs.parse(["ec2:AuthorizeSecurityGroupIngress"])
    with pytest.raises(ProviderError) as caught:
        account.make(CLUSTER, **wanted)
    Made(account, CLUSTER, "it", caught.value.id, wanted, caught.value.state).delete()
    groups: list[Any] = cloud.client("ec2", REGION).describe_security_groups()["SecurityGroups"]
    assert not [group for group in groups if f"-{wanted['name']}-" in group["GroupName"]]


def test_the_engine_records_what_is_half_made_and_the_next_update_finishes_it(cloud: Cloud, tmp_path: Path) -> None:
    def program() -> None:
        aws.kms.Key("key", enable_key_rotation=True)
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.9.0.0/16")
        subnets = [
            aws.ec2.Subnet(zone, vpc_id=vpc.id, cidr_block=f"10.9.{index}.0/24", availability_zone=f"{REGION}{zone}")
            for index, zone in enumerate("ab")
        ]
        role = aws.iam.Role("role", assume_role_policy=TRUST)
        config = aws.eks.ClusterVpcConfigArgs(subnet_ids=[subnet.id for subnet in subnets])
        aws.eks.Cluster("cluster", role_arn=role.arn, vpc_config=config)

    def stack(*faults: str) -> SmallStack:
        provider = AwsProvider(lambda: cloud, Knobs.parse([*faults]), print)
        return SmallStack(tmp_path, {"aws": provider}, config={"aws:region": REGION})

    for fault in ("kms:EnableKeyRotation:1", "ec2:AuthorizeSecurityGroupIngress:1"):
        with pytest.raises(CommandError, match="injected failure"):
            stack(fault).up(program)
    assert stack().resource("cluster")["initErrors"]
    mended = stack()
    mended.up(program)
    assert mended.resource("key")["outputs"]["enableKeyRotation"] is True
    assert mended.resource("cluster")["outputs"]["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")
    assert not any(one.get("initErrors") for one in mended.resources())
    assert mended.preview(program).keys() == {"same"}
