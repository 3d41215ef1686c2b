"""The plan shows what the AWS provider will do: replacements, updates, defaults, and values as AWS returns them."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from aws_account import Account, Made
from provider_facts import DEFAULTS, DELETED_FIRST, FACTS
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import supported_inputs
from sandbox.providers.aws_api import Api, Thing
from sandbox.providers.aws_checks import cluster_update
from sandbox.providers.aws_rows import ROWS
from sandbox.providers.protocol import SIGNATURE, UNKNOWN, InvalidInputsError, ProviderError, Resource, Values
from sandbox.providers.schema import Type, required_of, schema_of

VPC, INSTANCE = "aws:ec2/vpc:Vpc", "aws:ec2/instance:Instance"
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
RECORD = "aws:route53/record:Record"
DOMAINS = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def no_cloud() -> Cloud:
    raise AssertionError("a plan must not need a running cloud")


@pytest.fixture
def live(cloud: Cloud) -> Account:
    return Account(lambda: cloud)


@pytest.fixture
def account() -> Account:
    return Account(no_cloud)


def leaves(kinds: Mapping[str, Type], prefix: str = "") -> Iterator[tuple[str, Type]]:
    for key, kind in kinds.items():
        if kind.kind == "object":
            yield from leaves(kind.fields, f"{prefix}{key}.")
        else:
            yield prefix + key, kind


def sample(kind: Type, number: int) -> Any:
    match kind.kind:
        case "list" if kind.item:
            return [sample(kind.item, number)]
        case "map":
            return {"key": f"value {number}"}
        case "object":
            return {key: sample(field, number) for key, field in kind.fields.items()}
        case "bool":
            return number == 2
        case "int" | "float":
            return number
        case _:
            return f"value {number}"


def at(path: str, value: Any) -> Values:
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


@pytest.mark.parametrize("token", ROWS)
def test_a_property_is_replaced_or_updated_as_the_provider_does_it(account: Account, token: str) -> None:
    facts, schema = FACTS[token], schema_of(token)
    assert schema
    judged, replaced = set[str](), set[str]()
    resource = Resource.of(f"urn:pulumi:test::small::{token}::it", {"region": account.region})
    taken = {key: kind for key, kind in schema.inputs.items() if key in supported_inputs(token)}
    for path, kind in ((path, kind) for path, kind in leaves(taken) if path not in ROWS[token].unsupported):
        old, new = at(path, sample(kind, 1)), at(path, sample(kind, 2))
        changes = account.provider.diff(resource, "id", old, old, new, [])
        assert set(changes.changed) == {path}
        judged.add(path)
        replaced |= changes.replacing
        if changes.replacing:
            assert changes.delete_before_replace is (token in DELETED_FIRST), path

    def within(names: frozenset[str]) -> set[str]:
        return {path for path in judged if any(path == name or path.startswith(f"{name}.") for name in names)}

    assert replaced - within(facts.depends) == within(facts.replaced - facts.depends), facts.source
    unknown = {name for name in facts.replaced | facts.depends if not within(frozenset({name}))}
    assert not unknown, "the table of facts names what the row does not take"


KEYS = [{"provider": {"keyArn": f"arn:{name}"}, "resources": ["secrets"]} for name in ("one", "two")]
TEXT = "aws:ssm/parameter:Parameter", {"name": "/a", "type": "String"}
RULE = INGRESS, {"securityGroupId": "sg-1", "ipProtocol": "tcp"}
HOST = INSTANCE, {"ami": "ami-12345678", "instanceType": "t3.micro"}
ENDPOINT, RESOURCES = (
    ("aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcId": "vpc-1", "vpcEndpointType": kind})
    for kind in ("Interface", "Resource")
)
CLUSTER = "aws:eks/cluster:Cluster", {"name": "c", "roleArn": "arn", "vpcConfig": {"subnetIds": ["a", "b"]}}
NET = "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1", "assignIpv6AddressOnCreation": True}
DUAL = "aws:ec2/subnet:Subnet", {"vpcId": "vpc-1"}


@pytest.mark.parametrize(
    ("of", "old", "new", "replaces"),
    [
        ((VPC, {}), {}, {"instanceTenancy": "dedicated"}, True),
        ((VPC, {}), {"instanceTenancy": "dedicated"}, {}, False),
        (NET, {"ipv6CidrBlock": "2600::/64"}, {"ipv6CidrBlock": "2600:1::/64"}, True),
        (NET, {}, {"ipv6CidrBlock": "2600:1::/64"}, True),
        (DUAL, {"ipv6CidrBlock": "2600::/64"}, {"ipv6CidrBlock": "2600:1::/64"}, False),
        (RULE, {"cidrIpv4": "10.0.0.0/8"}, {"cidrIpv4": "10.0.0.0/9"}, False),
        (RULE, {"cidrIpv4": "10.0.0.0/8"}, {"referencedSecurityGroupId": "sg-2"}, True),
        (RULE, {"prefixListId": "pl-1"}, {"cidrIpv6": "::/0"}, True),
        (CLUSTER, {"encryptionConfig": KEYS[0]}, {"encryptionConfig": KEYS[1]}, False),
        (CLUSTER, {"encryptionConfig": KEYS[0]}, {}, True),
        (CLUSTER, {}, {"encryptionConfig": KEYS[0]}, False),
        (CLUSTER, {}, {"computeConfig": {"enabled": True, "nodeRoleArn": "arn"}}, False),
        (CLUSTER, {"computeConfig": {"nodeRoleArn": "arn"}}, {"computeConfig": {"nodeRoleArn": "arm"}}, True),
        (TEXT, {"value": "a", "tier": "Advanced"}, {"value": "a", "tier": "Standard"}, True),
        (TEXT, {"value": "a", "tier": "Standard"}, {"value": "a", "tier": "Advanced"}, False),
        (HOST, {"userData": "a"}, {"userData": "b"}, False),
        (HOST, {}, {"instanceType": "t3a.micro"}, False),
        (HOST, {}, {"instanceType": "t4g.micro"}, True),
        (ENDPOINT, {"privateDnsEnabled": True}, {"privateDnsEnabled": False}, False),
        (RESOURCES, {"privateDnsEnabled": True}, {"privateDnsEnabled": False}, True),
        (HOST, {"userData": "a"}, {"userData": "b", "userDataReplaceOnChange": True}, True),
    ],
)
def test_some_changes_replace_and_others_of_the_same_property_do_not(
    account: Account, of: tuple[str, Values], old: Values, new: Values, replaces: bool
) -> None:
    token, base = of
    changes = account.diff(token, base | old, base | new)
    assert changes.changed
    assert bool(changes.replacing) is replaces


def test_another_order_counts_in_lists_and_not_in_sets(account: Account) -> None:
    group: Values = {
        "clusterName": "c",
        "nodeRoleArn": "arn",
        "subnetIds": ["a", "b"],
        "instanceTypes": ["m6i.large", "m5.large"],
        "scalingConfig": {"minSize": 1, "desiredSize": 1, "maxSize": 1},
    }
    nodes = "aws:eks/nodeGroup:NodeGroup"
    assert not account.diff(nodes, group, group | {"subnetIds": ["b", "a"]}).changed
    assert account.diff(nodes, group, group | {"instanceTypes": ["m5.large", "m6i.large"]}).replacing


def test_another_layout_counts_in_texts_and_not_in_documents(account: Account) -> None:
    token, base = TEXT
    assert account.diff(token, base | {"value": '{"a": 1}'}, base | {"value": '{"a":1}'}).changed
    statement = '{"Effect": "Deny", "Principal": "*", "Action": "sqs:*"}'
    old, new = ({"queueUrl": "q", "policy": f'{{"Statement":{gap}[{statement}]}}'} for gap in ("", " "))
    assert not account.diff("aws:sqs/queuePolicy:QueuePolicy", old, new).changed


def test_an_attachment_is_taken_away_before_its_replacement_is_made(account: Account) -> None:
    old, new = ({"role": "r", "policyArn": f"arn:aws:iam::aws:policy/{name}"} for name in ("A", "B"))
    assert account.diff(ATTACHMENT, old, new).delete_before_replace


def test_a_name_that_is_taken_out_is_made_anew_and_one_that_was_made_stays(account: Account) -> None:
    group = "aws:ec2/securityGroup:SecurityGroup"
    of_program = account.check(group, {"name": "web", "vpcId": "vpc-1"})
    made = account.check(group, {"vpcId": "vpc-1"}, of_program)
    assert made["name"].startswith("it-")
    assert account.check(group, {"vpcId": "vpc-1"}, made) == made


CODE = {SIGNATURE: "archive", "assets": {"it.py": {SIGNATURE: "asset", "text": ""}}, "hash": "1"}
FUNCTION = {"role": "arn:aws:iam::123456789012:role/r", "code": CODE}


@pytest.mark.parametrize(
    ("of", "path", "value"),
    [
        (("aws:sqs/queue:Queue", {}), "visibilityTimeoutSeconds", 60),
        (("aws:sqs/queue:Queue", {}), "messageRetentionSeconds", 300),
        (("aws:lambda/function:Function", FUNCTION), "timeout", 60),
        (("aws:lambda/function:Function", FUNCTION), "memorySize", 256),
        (CLUSTER, "vpcConfig.endpointPublicAccess", False),
        (DUAL, "mapPublicIpOnLaunch", True),
        (DUAL, "assignIpv6AddressOnCreation", True),
        (DUAL, "enableDns64", True),
        (DUAL, "enableResourceNameDnsARecordOnLaunch", True),
        (DUAL, "enableResourceNameDnsAaaaRecordOnLaunch", True),
    ],
)
def test_a_value_that_is_taken_away_goes_back_to_the_default(
    account: Account, of: tuple[str, Values], path: str, value: Any
) -> None:
    token, base = of
    outer, _, inner = path.partition(".")
    changes = account.diff(token, base | {outer: {**base[outer], inner: value} if inner else value}, base)
    assert changes.changed == {path: "update"}
    assert not changes.replacing


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (INGRESS, RULE[1], "exactly one of cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId must be given"),
        (INGRESS, RULE[1] | {"cidrIpv4": "10.0.0.0/8", "prefixListId": "pl-1"}, "not cidrIpv4 and prefixListId"),
        (INGRESS, RULE[1] | {"cidrIpv4": "10.0.0.1/8"}, "is not the address of a network: write 10.0.0.0/8"),
        (INGRESS, RULE[1] | {"cidrIpv4": "10.0.0.1"}, "'10.0.0.1' is not a CIDR block"),
        (INGRESS, RULE[1] | {"cidrIpv4": "10.0.0.0/255.0.0.0"}, "is not a CIDR block"),
        (INGRESS, RULE[1] | {"cidrIpv4": "2600::/64"}, "2600::/64 is not a block of IPv4"),
        (INGRESS, RULE[1] | {"cidrIpv6": "10.0.0.0/8"}, "10.0.0.0/8 is not a block of IPv6"),
        (VPC, {"cidrBlock": "10.0.0.0/8"}, "is not from /16 to /28 long"),
        ("aws:ec2/route:Route", {"routeTableId": "rtb-1", "gatewayId": "igw-1"}, "exactly one of destinationCidrBlock"),
        (TEXT[0], TEXT[1], "exactly one of value, insecureValue"),
        ("aws:eks/addon:Addon", {"clusterName": "c", "addonName": "a", "addonVersion": "1.2.3"}, "a semantic version"),
        (CLUSTER[0], CLUSTER[1] | {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.0.0.0/8"}}, "from /12 to /24"),
        (
            CLUSTER[0],
            CLUSTER[1] | {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "10.256.0.0/16"}},
            "not a CIDR block",
        ),
        (CLUSTER[0], CLUSTER[1] | {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.32.0.0/16"}}, "does not lie in"),
        (
            CLUSTER[0],
            CLUSTER[1] | {"kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.1/16"}},
            "write 172.20.0.0/16",
        ),
        ("aws:iam/role:Role", {"assumeRolePolicy": "{}", "name": "a", "namePrefix": "b"}, "cannot be set beside"),
    ],
)
def test_a_preview_refuses_what_the_provider_refuses_in_its_plan(
    account: Account, token: str, inputs: Values, reason: str
) -> None:
    assert reason in account.refusal(token, **inputs)


@pytest.mark.parametrize("token", ROWS)
def test_a_preview_takes_what_only_the_update_knows(account: Account, token: str) -> None:
    schema = schema_of(token)
    assert schema
    required = dict.fromkeys(required_of(schema.args), UNKNOWN)
    for key in supported_inputs(token) & schema.inputs.keys():
        for value in (UNKNOWN, [UNKNOWN]) if schema.inputs[key].kind == "list" else (UNKNOWN,):
            with suppress(InvalidInputsError):  # which names a property that is missing beside it
                account.plan(token, **required | {key: value})


def test_unknown_aliases_of_a_record_pass(account: Account) -> None:
    record: Values = {"zoneId": "Z", "name": "a", "type": "A", "aliases": [UNKNOWN]}
    assert account.plan(RECORD, **record)["aliases"] == [UNKNOWN]
    assert ROWS[RECORD].returned["aliases"]([UNKNOWN]) == [UNKNOWN]


@pytest.mark.parametrize("region", ["eusc-de-east-1", "us-iso-east-1", "us-isof-south-1"])
def test_a_bucket_may_lie_in_a_region_newer_than_the_service_model(region: str) -> None:
    assert Account(no_cloud, region=region).plan("aws:s3/bucket:Bucket")["region"] == region


def test_a_cluster_has_no_patch_version_to_go_to() -> None:
    thing = Thing(CLUSTER[0], "c", {"version": "1.34.2"}, {}, {"version": "1.34"})
    with pytest.raises(ProviderError, match=r"Unsupported Kubernetes minor version update 1.34 to 1.34.2"):
        cluster_update(Api(no_cloud, "us-east-1", Knobs()), thing)


# What AWS returns.


def plan(one: Made, **inputs: Any) -> dict[str, str]:
    new = one.account.check(one.token, one.inputs | inputs, one.inputs, one.name)
    return one.account.provider.diff(one.resource, one.id, one.inputs, one.state, new, []).changed


def test_a_value_that_aws_returns_in_another_form_differs_at_every_update(live: Account) -> None:
    given = {"name": "given", "domains": ["quay.io", "*"]}
    listed = live.make(DOMAINS, "given", **given)
    assert listed["domains"] == ["quay.io.", "*."]
    assert plan(listed) == {"domains": "update"}
    listed.change()
    assert plan(listed) == {"domains": "update"}
    found = listed.read()
    assert found is not None
    _, listed.inputs, listed.state = found
    assert listed.inputs["domains"] == ["quay.io.", "*."]
    assert plan(listed, **given) == {"domains": "update"}
    assert plan(listed, **given, tags={"a": "b"}).keys() == {"domains", "tags"}
    assert not plan(listed, domains=["*.", "quay.io."])


def test_the_provider_sees_no_change_between_two_forms_that_it_knows(live: Account) -> None:
    vpc = live.make(VPC, cidrBlock="10.0.0.0/16")
    group = live.make("aws:ec2/securityGroup:SecurityGroup", vpcId=vpc.id)
    key = live.make("aws:kms/key:Key")
    url = "https://oidc.eks.us-east-1.amazonaws.com/id/A"
    login = live.make("aws:iam/openIdConnectProvider:OpenIdConnectProvider", url=url, clientIdLists=["a"])
    alias = live.make("aws:kms/alias:Alias", name="alias/a", targetKeyId=key["arn"])
    rule = live.make(INGRESS, securityGroupId=group.id, ipProtocol="6", fromPort=1, toPort=1, cidrIpv6="2600::0/64")
    public = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
    pair = live.make("aws:ec2/keyPair:KeyPair", publicKey=f"{public}\n")
    assert (login["url"], alias["targetKeyId"]) == (url.removeprefix("https://"), key.id)
    assert rule["ipProtocol"] == "tcp"
    for one, other in (
        (login, {"url": login["url"]}),
        (alias, {"targetKeyId": key.id}),
        (pair, {"publicKey": public}),
        (rule, {"ipProtocol": "TCP", "cidrIpv6": "2600::/64"}),
    ):
        found = one.read()
        assert found is not None
        _, one.inputs, one.state = found
        assert not plan(one), one.token
        assert not plan(one, **other), one.token


def test_an_address_in_another_form_differs_since_ec2_returns_its_own(live: Account) -> None:
    vpc = live.make(VPC, cidrBlock="10.0.0.0/16")
    group = live.make("aws:ec2/securityGroup:SecurityGroup", "v6", vpcId=vpc.id)
    rule = live.make(INGRESS, "v6", securityGroupId=group.id, ipProtocol="-1", cidrIpv6="2600:0:0::/64")
    assert rule["cidrIpv6"] == "2600::/64"
    assert plan(rule) == {"cidrIpv6": "update"}


def test_what_the_provider_changes_in_place_is_changed_in_place(live: Account, cloud: Cloud) -> None:
    route53 = cloud.client("route53", live.region)
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="plan")["HostedZone"]["Id"].split("/")[-1]
    record = live.make(RECORD, zoneId=zone, name="A.example.com.", type="A", ttl=60, records=["192.0.2.1"])
    assert (record["name"], record["fqdn"]) == ("a.example.com", "a.example.com")
    record.change(type="AAAA", records=["2001:db8::1"])
    sets = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert {one["Type"] for one in sets if one["Name"].startswith("a.")} == {"AAAA"}
    topic = live.make("aws:sns/topic:Topic")
    events = live.make(
        "aws:sns/topicSubscription:TopicSubscription",
        topic=topic["arn"],
        protocol="email",
        endpoint="a@example.com",
        filterPolicy='{"kind": ["a"]}',
    )
    events.change(filterPolicy='{"kind": ["b"]}')
    assert "b" in events["filterPolicy"]
    events.change(filterPolicy=None)
    secret = live.make("aws:secretsmanager/secret:Secret", name="staged")
    version = "aws:secretsmanager/secretVersion:SecretVersion"
    first = live.make(version, "first", secretId=secret.id, secretString="a", versionStages=["AWSCURRENT", "one"])
    second = live.make(version, "second", secretId=secret.id, secretString="b", versionStages=["two"])
    second.change(versionStages=["two", "one"])
    assert sorted(second["versionStages"]) == ["one", "two"]
    found = first.read()
    assert found is not None
    assert found[2]["versionStages"] == ["AWSCURRENT"]
    for one in (record, topic, events, secret, second):
        assert one.refreshes_unchanged(), one.token


def test_a_description_that_is_taken_away_is_sent_empty(live: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Values] = []
    call = Api.call
    monkeypatch.setattr(
        Api, "call", lambda api, *names, **request: (sent.append(request), call(api, *names, **request))[1]
    )
    secret = live.make("aws:secretsmanager/secret:Secret", name="described", description="old")
    secret.change(description=None)
    assert {"SecretId": secret.id, "Description": ""} in sent
    text = live.make(TEXT[0], **TEXT[1], value="a", description="old")
    assert text.change(description=None).changed == {"description": "delete"}
    assert not text.state.get("description")
    assert text.refreshes_unchanged()


def test_a_subnet_has_its_defaults_and_goes_back_to_them(live: Account, cloud: Cloud) -> None:
    vpc = live.make(VPC, "public", cidrBlock="10.0.0.0/16")
    subnet = live.make(DUAL[0], "public", vpcId=vpc.id, cidrBlock="10.0.0.0/24", mapPublicIpOnLaunch=True)
    subnet.change(mapPublicIpOnLaunch=None)
    (seen,) = cloud.client("ec2", live.region).describe_subnets(SubnetIds=[subnet.id])["Subnets"]
    assert seen["MapPublicIpOnLaunch"] is False
    assert not subnet.change().changed
    assert subnet.refreshes_unchanged()


def test_a_stopped_instance_loses_the_address_that_ec2_gave_it_and_no_elastic_one(live: Account, cloud: Cloud) -> None:
    ec2 = cloud.client("ec2", live.region)
    vpc = live.make(VPC, cidrBlock="10.0.0.0/16")
    subnet = live.make(DUAL[0], vpcId=vpc.id, cidrBlock="10.0.0.0/24")
    host = live.make(INSTANCE, **HOST[1], subnetId=subnet.id, associatePublicIpAddress=True)
    fixed = live.make("aws:ec2/eip:Eip", domain="vpc", instance=host.id)
    assert fixed["publicDns"] == f"ec2-{fixed['publicIp'].replace('.', '-')}.compute-1.amazonaws.com"

    def stopped() -> dict[str, str]:
        ec2.stop_instances(InstanceIds=[host.id])
        found = host.read()
        assert found is not None
        changes = live.provider.diff(host.resource, host.id, found[1], found[2], host.inputs, [])
        ec2.start_instances(InstanceIds=[host.id])
        assert set(changes.changed) == changes.replacing
        return changes.changed

    assert not stopped()
    assert fixed.refreshes_unchanged()
    fixed.change(instance=None)
    fixed.change(instance=host.id)
    assert not stopped()
    fixed.delete()
    assert stopped() == {"associatePublicIpAddress": "update"}


def test_every_form_of_aws_is_a_form_of_itself() -> None:
    samples = (
        "",
        "Name.Example.",
        "*",
        "6",
        "ALL",
        "10.0.0.1/8",
        "2600:0::/32",
        "no block",
        "arn:aws:x:::key/a",
        "a:*",
    )
    for token, row in ROWS.items():
        schema = schema_of(token)
        assert schema
        for key, form in row.returned.items():
            values: Any = samples if schema.inputs[key].kind == "str" else [list(samples)]
            values = [[{"name": text} for text in samples]] if key == "aliases" else values
            assert all(form(form(value)) == form(value) for value in values), (token, key)


def test_every_type_has_its_facts() -> None:
    assert set(FACTS) == set(ROWS)


@pytest.mark.parametrize("token", ROWS)
def test_what_the_provider_fills_in_is_filled_in(token: str) -> None:
    assert {path: value for path, value in ROWS[token].defaults.items() if value} == DEFAULTS.get(token, {})
