"""e6data as one component: what it refuses, what it warns of, what of an existing VPC and cluster would not do."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from eks_analytics.e6data import E6data, e6data_options
from eks_analytics.e6data_checks import check_e6data, e6data_warnings
from eks_analytics.existing_cluster_checks import FoundCluster, check_found_cluster
from eks_analytics.schema import InheritingAnalyzer
from eks_analytics.ways_out import DefaultRoute, check_way_out
from recording import Recorder

ROLE = "arn:aws:iam::123456789012:role/deployer"
PROVIDER = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-west-2.amazonaws.com/id/ABC"
ZONES = ["us-west-2a", "us-west-2b"]
NETWORK = {"cluster_name": "e6", "region": "us-west-2", "availability_zones": ZONES}
EXISTING_VPC = {
    **NETWORK,
    "existing_vpc_id": "vpc-0a1b2c3d4e5f67890",
    "existing_private_subnets": {
        "us-west-2a": "subnet-0a1b2c3d4e5f67890",
        "us-west-2b": "subnet-0a1b2c3d4e5f67891",
    },
}
CLUSTER = {
    "cluster_name": "e6",
    "admin_principal_arns": [ROLE],
    "public_endpoint_cidrs": ["198.51.100.0/24"],
    "node_groups": [{"name": "system", "instance_types": ["m6i.large"], "min_size": 2, "max_size": 3}],
}
ANALYTICS = {"name": "analytics", "instance_families": ["m5d"]}
FOUND = FoundCluster(
    name="e6",
    arn="arn:aws:eks:us-west-2:123456789012:cluster/e6",
    endpoint="https://abc",
    certificate_authority="Y2E=",
    oidc_issuer="https://oidc.eks.us-west-2.amazonaws.com/id/ABC",
    status="ACTIVE",
    authentication_mode="API_AND_CONFIG_MAP",
    vpc_id="vpc-0a1b2c3d4e5f67890",
    cluster_security_group_id="sg-1",
    cluster_security_group_tags={"team": "data"},
)


def arguments(**changes: Any) -> Any:
    """Good arguments with changes; None leaves one out."""
    given = {"network": NETWORK, "cluster": CLUSTER, "workspaces": [ANALYTICS], **changes}
    return {key: value for key, value in given.items() if value is not None}


def problems(**changes: Any) -> list[tuple[str, str]]:
    found = check_e6data(e6data_options(arguments(**changes)))
    return [(problem.input, f"{problem.reason}; {problem.remedy}") for problem in found]


@pytest.fixture
def refused(recorder: Recorder) -> Callable[..., str]:
    def build(**changes: Any) -> str:
        with pytest.raises(ValueError, match="cannot be built as asked") as error:
            recorder.run(lambda: E6data("e6", arguments(**changes)))
        assert recorder.registrations == []
        return str(error.value)

    return build


def test_every_parts_problems_come_at_once_before_anything_is_registered(refused: Callable[..., str]) -> None:
    message = refused(
        network={**NETWORK, "cidr": "10.0.0.0/8", "nat_gateways": "none"},
        cluster={**CLUSTER, "admin_principal_arns": []},
        workspaces=[{**ANALYTICS, "name": "Analytics"}, {**ANALYTICS, "cpu_limit": 0}],
        karpenter={"version": "0.37.0", "replicas": 3.0},
        load_balancer_controller={"version": "1.4.8"},
        drain_minutes=0.0,
    )
    for name in (
        *("network.cidr", "network.nat_gateways", "cluster.admin_principal_arns", "workspaces[0].name"),
        *("workspaces[1].cpu_limit", "karpenter.version", "karpenter.replicas", "load_balancer_controller.version"),
        "drain_minutes",
    ):
        assert f"- {name} = " in message


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"workspaces": []},
        {"workspaces": [ANALYTICS, {"name": "reporting", "instance_families": ["c5d"]}]},
        {"network": {**NETWORK, "nat_gateways": "single"}},
        {"network": {**NETWORK, "tags": {"app": "e6data"}}},
        {"network": EXISTING_VPC},
        {"network": EXISTING_VPC, "cluster": None, "existing_cluster": {}},
        {"network": EXISTING_VPC, "cluster": None, "existing_cluster": {"oidc_provider_arn": PROVIDER}},
        {
            "network": EXISTING_VPC,
            "cluster": None,
            "existing_cluster": {"karpenter_node_role_name": "Nodes", "has_load_balancer_controller": True},
        },
        {"karpenter": {"allowed_names": ["e6data-analytics"]}},
        {"karpenter": {"identity": "irsa", "replicas": 1}, "load_balancer_controller": {"identity": "irsa"}},
    ],
)
def test_what_can_work_is_taken(changes: Any) -> None:
    assert problems(**changes) == []


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"network": {**NETWORK, "nat_gateways": "none"}}, "network.nat_gateways", "logs and metrics"),
    (
        {"network": {**NETWORK, "nat_gateways": "none", "interface_endpoints": ["private-cluster"]}},
        *("network.nat_gateways", 'write "one-per-az"'),
    ),
    ({"network": {**NETWORK, "cidr": "172.20.0.0/16"}}, "cluster.service_cidr", 'such as "10.100.0.0/16"'),
    ({"cluster": None}, "cluster", "or an existing_cluster"),
    ({"existing_cluster": {}}, "existing_cluster", "give one of the two"),
    ({"cluster": None, "existing_cluster": {}}, "existing_cluster", "existing_vpc_id"),
    ({"cluster": {**CLUSTER, "cluster_name": "other"}}, "cluster.cluster_name", "write the same in both"),
    ({"cluster": {**CLUSTER, "region": "us-east-1"}}, "cluster.region", "write the same in both"),
    ({"network": {**NETWORK, "tags": {"app": "bi"}}}, "tags", "app=e6data"),
    ({"cluster": {**CLUSTER, "tags": {"app": "bi"}}}, "tags", "leave it out"),
    ({"network": {**NETWORK, "tags": {"eks:eks-cluster-name": "e6"}}}, "tags", "Karpenter sets itself"),
    ({"workspaces": [{**ANALYTICS, "zone": ["us-west-2a"]}]}, "workspaces[0].zone", "did you mean zones?"),
    ({"workspaces": [ANALYTICS, ANALYTICS]}, "workspaces[1].name", "its own name"),
    ({"workspaces": [{**ANALYTICS, "zones": ["us-west-2c"]}]}, "workspaces[0].zones", "us-west-2a"),
    ({"karpenter": {"allowed_names": ["e6data-other"]}}, "workspaces[0].name", 'add "e6data-analytics"'),
    ({"karpenter": {"allowed_names": ["e6data-*"]}}, "karpenter.allowed_names", "no name"),
    ({"karpenter": {"version": "v1.14.1"}}, "karpenter.version", "without a v"),
    ({"karpenter": {"identity": "node"}}, "karpenter.identity", "pod-identity"),
    ({"karpenter": {"replicas": 3}}, "karpenter.replicas", "begin with 3 nodes"),
    ({"karpenter": {"helm_values": {"settings": {"clusterName": "x"}}}}, "karpenter.helm_values", "leave it out"),
    ({"load_balancer_controller": {"version": "1.4.8"}}, "load_balancer_controller.version", "2.5"),
    (
        {"load_balancer_controller": {"default_tags": {"app": "bi"}}},
        *("load_balancer_controller.default_tags", "e6data only"),
    ),
    (
        {"load_balancer_controller": {"helm_values": {"vpcId": "x"}}},
        *("load_balancer_controller.helm_values", "leave it out"),
    ),
    ({"drain_minutes": 0}, "drain_minutes", "write 1 to 120"),
    (
        {"network": EXISTING_VPC, "cluster": None, "existing_cluster": {"oidc_provider_arn": "https://oidc"}},
        *("existing_cluster.oidc_provider_arn", "it is made"),
    ),
    (
        {
            "network": EXISTING_VPC,
            "cluster": None,
            "existing_cluster": {"karpenter_node_role_name": "arn:aws:iam::123456789012:role/Nodes"},
        },
        *("existing_cluster.karpenter_node_role_name", 'write "Nodes"'),
    ),
    (
        {
            "network": EXISTING_VPC,
            "cluster": None,
            "existing_cluster": {"karpenter_node_role_name": "Nodes", "has_load_balancer_controller": True},
            "karpenter": {"version": "1.14.1"},
            "load_balancer_controller": {"version": "3.5.0"},
        },
        *("load_balancer_controller", "leave one of the two out"),
    ),
]


@pytest.mark.parametrize(("changes", "where", "words"), REFUSED)
def test_what_cannot_work_is_refused_with_what_to_write_instead(changes: Any, where: str, words: str) -> None:
    found = problems(**changes)
    assert [input for input, text in found if input.startswith(where) and words in text], found


def test_controllers_of_an_existing_cluster_get_their_roles_through_its_oidc_provider() -> None:
    ours = e6data_options(arguments())
    theirs = e6data_options(arguments(network=EXISTING_VPC, cluster=None, existing_cluster={}))
    assert (ours.identity, theirs.identity) == ("pod-identity", "irsa")


def test_s3_through_nat_is_warned_of() -> None:
    (warning,) = e6data_warnings(e6data_options(arguments(network={**NETWORK, "enable_s3_endpoint": False})))
    assert "through NAT" in warning
    assert e6data_warnings(e6data_options(arguments())) == []


def test_a_cluster_that_is_there_is_taken() -> None:
    assert list(check_found_cluster(FOUND, FOUND.vpc_id, PROVIDER)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "FAILED"}, "until it is ACTIVE"),
        ({"vpc_id": "vpc-1"}, "give vpc-1"),
        ({"authentication_mode": "CONFIG_MAP"}, "authenticationMode=API_AND_CONFIG_MAP"),
        ({"oidc_issuer": "https://oidc.eks.us-west-2.amazonaws.com/id/DEF"}, "of another cluster"),
        ({"cluster_security_group_tags": {"app": "bi"}}, "app=bi"),
    ],
)
def test_a_cluster_that_would_not_do_is_refused(changes: Any, words: str) -> None:
    (found,) = check_found_cluster(replace(FOUND, **changes), "vpc-0a1b2c3d4e5f67890", PROVIDER)
    assert words in f"{found.reason}; {found.remedy}"


@pytest.mark.parametrize("target", ["nat-1", "tgw-1", "vgw-1", "eni-1", "vpce-1"])
def test_private_subnets_with_a_way_out_are_taken(target: str) -> None:
    assert list(check_way_out("us-west-2a", "subnet-1", DefaultRoute("rtb-1", target), needed=True)) == []


@pytest.mark.parametrize(
    ("target", "words"),
    [("", "no route to 0.0.0.0/0 in rtb-1"), ("igw-1", "nodes without public addresses")],
)
def test_private_subnets_without_a_way_out_are_refused(target: str, words: str) -> None:
    (found,) = check_way_out("us-west-2a", "subnet-1", DefaultRoute("rtb-1", target), needed=True)
    assert found.input == "existing_private_subnets.us-west-2a"
    assert words in found.reason


def test_the_schema_describes_every_argument() -> None:
    definition = InheritingAnalyzer("eks_analytics").analyze_component(E6data)
    assert {name for name, found in definition.inputs.items() if not found.optional} == {"network", "workspaces"}
    assert all(found.description for found in definition.inputs.values())
    assert all(found.description for found in definition.outputs.values())
