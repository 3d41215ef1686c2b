"""What a stack names as existing comes to exist in the emulated account, as a usual landing zone has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import cloud as clouds
from sandbox import existing, inventory
from sandbox.cloud import Cloud
from sandbox.existing import ExistingError, Named, ensure, named

REGION = "us-east-1"
ZONES = ("us-east-1a", "us-east-1b")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    home: Path = tmp_path_factory.mktemp("existing") / "dev"
    yield clouds.start(home)
    clouds.stop(home)


def network(number: int, **more: Any) -> dict[str, Any]:
    """Settings that name a VPC with two private and two public subnets."""
    subnets = {
        role: {zone: f"subnet-{number:08x}{digit}{place}" for place, zone in enumerate(ZONES)}
        for digit, role in enumerate(("private", "public"))
    }
    return {
        "existing_vpc_id": f"vpc-{number:08x}",
        "existing_private_subnets": subnets["private"],
        "existing_public_subnets": subnets["public"],
        **more,
    }


def make(cloud: Cloud, block: object = None, **settings: Any) -> list[str]:
    said: list[str] = []
    assert ensure(lambda: cloud, REGION, named(settings.get), block, said.append) == said
    return said


def subnet(cloud: Cloud, id: str) -> Any:
    return cloud.client("ec2", REGION).describe_subnets(SubnetIds=[id])["Subnets"][0]


def default_route(cloud: Cloud, id: str) -> str:
    filters = [{"Name": "association.subnet-id", "Values": [id]}]
    (table,) = cloud.client("ec2", REGION).describe_route_tables(Filters=filters)["RouteTables"]
    routes = [one for one in table["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
    return next((one.get("NatGatewayId") or one["GatewayId"] for one in routes), "")


def test_a_vpc_has_private_subnets_behind_nat_and_public_ones_in_their_zones(cloud: Cloud) -> None:
    wanted = network(1)
    (said,) = make(cloud, network=wanted, cluster={"service_cidr": "10.0.0.0/8"})
    assert "vpc-00000001 is not in the emulated account, so one was made by guess: 172.16.0.0/16" in said
    assert "sandbox:existing" in said
    ec2 = cloud.client("ec2", REGION)
    for role, start in (("private", "nat-"), ("public", "igw-")):
        for zone, id in wanted[f"existing_{role}_subnets"].items():
            found = subnet(cloud, id)
            assert (found["VpcId"], found["AvailabilityZone"]) == ("vpc-00000001", zone)
            assert found["CidrBlock"].endswith("/20")
            nat = (role, zone) == ("public", ZONES[0])
            assert found["AvailableIpAddressCount"] == (4090 if nat else 4091)
            assert not found["MapPublicIpOnLaunch"]
            assert default_route(cloud, id).startswith(start)
            assert f"{role} {id} ({found['CidrBlock']}, {zone}" in said
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId="vpc-00000001", Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]]["Value"]
    assert make(cloud, network=wanted) == []
    assert inventory.inventory(cloud, REGION) == {}


def test_a_zone_that_comes_later_gets_its_subnets_in_the_same_vpc(cloud: Cloud) -> None:
    wanted = network(2)
    make(cloud, network=wanted)
    later = wanted["existing_private_subnets"] | {"us-east-1c": "subnet-00000002f"}
    (said,) = make(cloud, network=wanted | {"existing_private_subnets": later})
    assert "private subnet-00000002f (10.0.64.0/20, us-east-1c, behind a NAT gateway)" in said


def test_with_ipv6_every_subnet_has_a_range_of_its_own(cloud: Cloud) -> None:
    wanted = network(3)
    make(cloud, network=wanted, cluster={"ip_family": "ipv6"})
    ids = [*wanted["existing_private_subnets"].values(), *wanted["existing_public_subnets"].values()]
    ranges = {subnet(cloud, id)["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] for id in ids}
    assert len(ranges) == 4


def test_the_block_of_the_stacks_file_has_the_last_word(cloud: Cloud) -> None:
    wanted = network(4)
    private, public = (wanted[f"existing_{role}_subnets"]["us-east-1a"] for role in ("private", "public"))
    block = {
        "vpc_cidr": "10.99.0.0/20",
        "vpc_tags": {"Name": "landing zone"},
        "subnets": {
            private: {"cidr": "10.99.8.0/23", "default_route": "none", "tags": {"kubernetes.io/role/cni": "1"}},
            public: {"map_public_ip_on_launch": True},
        },
    }
    make(cloud, block, network=wanted)
    found = subnet(cloud, private)
    assert found["CidrBlock"] == "10.99.8.0/23"
    assert {"Key": "kubernetes.io/role/cni", "Value": "1"} in found["Tags"]
    assert default_route(cloud, private) == ""
    assert subnet(cloud, public)["MapPublicIpOnLaunch"]
    assert subnet(cloud, public)["CidrBlock"].endswith("/24")  # a sixteenth of the smaller VPC


def test_what_is_asked_for_later_or_wrongly_ends_in_no_traceback(cloud: Cloud) -> None:
    wanted = network(7)
    make(cloud, network=wanted)
    later = wanted["existing_private_subnets"] | {"us-east-1d": "subnet-00000007d", "moon-1a": "subnet-00000007e"}
    other, said = make(cloud, network=wanted | {"existing_private_subnets": later, "ipv6": True})
    assert "vpc-00000007 was made in the emulated account from other values (ipv6)" in other
    assert "run make down first" in other
    assert "subnet-00000007d" in said
    assert "subnet-00000007e" not in said


def test_what_the_block_says_otherwise_later_is_told(cloud: Cloud) -> None:
    wanted = network(20)
    id = wanted["existing_private_subnets"]["us-east-1a"]
    make(cloud, {"vpc_cidr": "10.1.0.0/16"}, network=wanted)
    later = {"vpc_cidr": "10.2.0.0/16", "vpc_tags": {"a": "b"}, "subnets": {id: {"default_route": "none"}}}
    (said,) = make(cloud, later, network=wanted)
    assert f"from other values (vpc_cidr, vpc_tags, subnets.{id})" in said


def block_of(wanted: dict[str, Any], *cidrs: str, **more: Any) -> dict[str, Any]:
    """The block that gives the private and then the public subnets these ranges."""
    ids = [id for role in ("private", "public") for id in wanted.get(f"existing_{role}_subnets", {}).values()]
    return {"subnets": {id: {"cidr": cidr} for id, cidr in zip(ids, cidrs, strict=False)}, **more}


def test_a_guessed_range_keeps_clear_of_those_that_are_given(cloud: Cloud) -> None:
    wanted = network(21)
    public = wanted["existing_public_subnets"]
    block = {"vpc_cidr": "10.3.0.0/16", "subnets": {public["us-east-1b"]: {"cidr": "10.3.0.0/20"}}}
    make(cloud, block, network=wanted)
    assert subnet(cloud, public["us-east-1b"])["CidrBlock"] == "10.3.0.0/20"
    assert subnet(cloud, wanted["existing_private_subnets"]["us-east-1a"])["CidrBlock"] == "10.3.16.0/20"


def test_subnets_may_fill_the_vpc(cloud: Cloud) -> None:
    wanted = network(22)
    quarters = [f"10.4.0.{start}/26" for start in (0, 64, 128, 192)]
    make(cloud, block_of(wanted, *quarters, vpc_cidr="10.4.0.0/24"), network=wanted)
    assert default_route(cloud, wanted["existing_private_subnets"]["us-east-1b"]).startswith("nat-")
    wanted = network(23) | {"existing_public_subnets": {}}
    make(cloud, block_of(wanted, "10.5.0.0/25", "10.5.0.128/25", vpc_cidr="10.5.0.0/24"), network=wanted)
    assert default_route(cloud, wanted["existing_private_subnets"]["us-east-1b"]).startswith("nat-")
    assert inventory.inventory(cloud, REGION) == {}


def test_subnets_outside_of_the_vpcs_first_range_bring_another(cloud: Cloud) -> None:
    wanted = network(24)
    (said,) = make(cloud, block_of(wanted, "100.64.0.0/17", "100.64.128.0/17", vpc_cidr="10.50.0.0/24"), network=wanted)
    assert "10.50.0.0/24, 100.64.0.0/16, private" in said
    assert subnet(cloud, wanted["existing_private_subnets"]["us-east-1b"])["CidrBlock"] == "100.64.128.0/17"
    assert subnet(cloud, wanted["existing_public_subnets"]["us-east-1b"])["CidrBlock"].startswith("10.50.0.")
    assert inventory.inventory(cloud, REGION) == {}


def test_a_service_range_that_leaves_nothing_is_for_the_program_to_refuse(cloud: Cloud) -> None:
    (said,) = make(cloud, network=network(25), cluster={"service_cidr": "0.0.0.0/0"})
    assert "10.0.0.0/16" in said


@pytest.mark.parametrize(
    ("cidrs", "vpc_cidr", "said"),
    [
        (("10.6.0.0/20", "10.6.8.0/24"), "10.6.0.0/16", "it overlaps subnets.subnet-0000001a00.cidr, 10.6.0.0/20"),
        (("10.6.0.0/20",), "10.6.0.0/24", "it is larger than the VPC, 10.6.0.0/24"),
        (("10.6.0.0/28", "10.6.0.16/28"), "10.6.0.0/27", "10.6.0.0/27 has no range left for another subnet"),
    ],
)
def test_ranges_that_cannot_be_are_refused_before_anything_is_made(
    cloud: Cloud, cidrs: tuple[str, ...], vpc_cidr: str, said: str
) -> None:
    wanted = network(26)
    with pytest.raises(ExistingError) as refused:
        make(cloud, block_of(wanted, *cidrs, vpc_cidr=vpc_cidr), network=wanted)
    assert said in str(refused.value)
    ids = {one["VpcId"] for one in cloud.client("ec2", REGION).describe_vpcs()["Vpcs"]}
    assert wanted["existing_vpc_id"] not in ids


def test_a_subnet_that_the_stack_does_not_name_is_refused_with_the_nearest(cloud: Cloud) -> None:
    with pytest.raises(ExistingError, match="is subnet-0000000900 meant"):
        make(cloud, {"subnets": {"subnet-0000009000": {}}}, network={**network(9), "existing_public_subnets": {}})
    with pytest.raises(ExistingError, match="name it there, or remove it here"):
        make(cloud, {"subnets": {"x": {}}}, network=network(9))


def test_a_block_without_an_existing_vpc_is_refused() -> None:
    with pytest.raises(ExistingError, match=r"network\.existing_vpc_id names none"):
        ensure(pytest.fail, REGION, Named(), {"vpc_cidr": "10.0.0.0/16"}, print)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("10.0.0.0/16", "sandbox:existing = '10.0.0.0/16': write keys below it, of vpc_cidr"),
        ({"cidr": "10.0.0.0/16"}, "sandbox:existing.cidr is not known: write one of vpc_cidr"),
        ({"vpc_cidr": "10.0.0.1/16"}, "sandbox:existing.vpc_cidr = '10.0.0.1/16'"),
        ({"vpc_cidr": 10}, "sandbox:existing.vpc_cidr = 10: it must be text"),
        ({"vpc_tags": "x"}, "sandbox:existing.vpc_tags = 'x': it must be a mapping"),
        ({"subnets": {"subnet-1": {"map_public_ip_on_launch": 1}}}, "launch = 1: it must be true or false"),
        ({"vpc_cidr": "10.0.0.0/8"}, "sandbox:existing.vpc_cidr = '10.0.0.0/8': AWS takes /16 to /28"),
        ({"vpc_tags": {"aws:a": "b"}}, "sandbox:existing.vpc_tags.aws:a: keys that begin with aws: are AWS's own"),
        ({"vpc_tags": {1: "b"}}, "sandbox:existing.vpc_tags: the key 1 must be text"),
        ({"subnets": {"subnet-1": {"tags": {"a": []}}}}, "sandbox:existing.subnets.subnet-1.tags.a = []"),
        ({"subnets": {"subnet-1": {"default_route": "igw"}}}, "write one of nat, internet-gateway, none"),
        ({"subnets": {"subnet-1": {"size": 20}}}, "sandbox:existing.subnets.subnet-1.size is not known"),
        ({"subnets": {"subnet-1": None}}, "sandbox:existing.subnets.subnet-1 = None"),
    ],
)
def test_a_wrong_block_is_refused_with_what_to_write(cloud: Cloud, block: object, said: str) -> None:
    with pytest.raises(ExistingError) as refused:
        make(cloud, block, network=network(9))
    assert said in str(refused.value)


def test_a_vpc_that_somebody_made_is_left_as_it_is(cloud: Cloud) -> None:
    ec2 = cloud.client("ec2", REGION)
    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    assert make(cloud, network=network(5) | {"existing_vpc_id": vpc}) == []
    assert ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"] == []
    assert inventory.inventory(cloud, REGION) == {"aws:ec2/vpc:Vpc": [vpc]}
    ec2.delete_vpc(VpcId=vpc)


def test_hosted_zones_are_there_under_their_ids(cloud: Cloud) -> None:
    dns = {"hosted_zone_id": "Z0123456789ABCDEFGHIJ", "hosted_zone_name": "dash.example.com"}
    dns["prefixed_hosted_zone_id"] = "Z0PARENT"
    settings = {"dash_enterprise": {"base_domain": "dash.example.com", "dns": dns}}
    assert len(make(cloud, **settings)) == 2
    route53 = cloud.client("route53", REGION)
    for id, name in (("Z0123456789ABCDEFGHIJ", "dash.example.com."), ("Z0PARENT", "example.com.")):
        assert route53.get_hosted_zone(Id=id)["HostedZone"]["Name"] == name
    assert make(cloud, **settings) == []
    other = route53.create_hosted_zone(Name="example.org", CallerReference="x")["HostedZone"]["Id"]
    assert other not in ("/hostedzone/Z0PARENT", "/hostedzone/Z0123456789ABCDEFGHIJ")
    route53.delete_hosted_zone(Id=other)
    assert inventory.inventory(cloud, REGION) == {}


def test_a_cluster_is_there_with_the_issuer_that_its_oidc_provider_names(cloud: Cloud) -> None:
    issuer = f"oidc.eks.{REGION}.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE"
    provider = f"arn:aws:iam::123456789012:oidc-provider/{issuer}"
    e6data = {"existing_cluster": {"enabled": True, "oidc_provider_arn": provider}}
    settings = {"network": network(6), "e6data": e6data, "cluster_name": "shared"}
    assert [one.partition(":")[0] for one in make(cloud, **settings)] == ["Existing VPC", "Existing cluster"]
    found = cloud.client("eks", REGION).describe_cluster(name="shared")["cluster"]
    assert found["identity"]["oidc"]["issuer"] == f"https://{issuer}"
    assert found["accessConfig"]["authenticationMode"] == "API_AND_CONFIG_MAP"
    assert cloud.client("iam", REGION).get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    assert make(cloud, **settings) == []
    assert inventory.inventory(cloud, REGION) == {}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"network": None},
        {"network": {"existing_vpc_id": 7, "existing_private_subnets": ["x"]}},
        {"network": {"existing_vpc_id": "my-vpc"}},
        {"dash_enterprise": {"dns": {"hosted_zone_id": "z1", "hosted_zone_name": "a.b"}}},
    ],
)
def test_no_cloud_is_started_where_nothing_is_named(settings: dict[str, Any]) -> None:
    assert ensure(pytest.fail, REGION, existing.named(settings.get), None, print) == []
