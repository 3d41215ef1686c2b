"""Dash Enterprise as one component: what it refuses, what it warns of, what its schema says."""

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from eks_analytics.cluster_checks import ClusterOptions
from eks_analytics.dash_enterprise import DashEnterprise
from eks_analytics.dash_enterprise_checks import Room, agreement_problems, public_subnet_warnings, root_warning
from eks_analytics.found_vpc import FoundSubnet, FoundVpc
from eks_analytics.network_options import NetworkOptions
from eks_analytics.schema import InheritingAnalyzer
from eks_child import answer_for_pulumi_eks
from recording import Recorder

ROLE = "arn:aws:iam::123456789012:role/deployer"
ZONES = ["us-east-1a", "us-east-1b"]


def arguments(**changes: Any) -> Any:
    return {
        "network": {"cluster_name": "analytics", "region": "us-east-1", "availability_zones": ZONES},
        "cluster": {
            "cluster_name": "analytics",
            "admin_principal_arns": [ROLE],
            "public_endpoint_cidrs": ["198.51.100.0/24"],
            "node_groups": [{"name": "core", "instance_types": ["m6i.2xlarge"], "min_size": 2, "max_size": 4}],
        },
        "installation": {
            "base_domain": "dash.example.com",
            "license": "license",
            "tls_certificate": "chain",
            "tls_private_key": "key",
        },
        **changes,
    }


def room(**changes: Any) -> Room:
    given = arguments()
    network = NetworkOptions(**given["network"])
    cluster = ClusterOptions(**given["cluster"], control_plane_zones=ZONES)
    return Room(network, cluster, **changes)


@pytest.fixture
def refused(recorder: Recorder) -> Callable[..., str]:
    def build(**changes: Any) -> str:
        with pytest.raises(ValueError, match="cannot be built as asked") as error:
            recorder.run(lambda: DashEnterprise("dash", arguments(**changes)))
        assert recorder.registrations == []
        return str(error.value)

    return build


def test_every_parts_problems_come_at_once_before_anything_is_registered(refused: Callable[..., str]) -> None:
    given = arguments()
    message = refused(
        network={**given["network"], "cidr": "10.0.0.0/8"},
        cluster={**given["cluster"], "admin_principal_arns": []},
        installation={**given["installation"], "script_variables": {"ADMIN_PASSWORD": "hunter2"}},
        bootstrap={"instance_type": "t4g.micro"},
        dns={"hosted_zone_id": "nonsense", "hosted_zone_name": "example.com"},
        drain_minutes=0.0,
        egress={"mode": "closed", "additional_domains": ["https://example.org"]},
        capacity={"edition": "gold"},
    )
    for name in (
        *("network.cidr", "cluster.admin_principal_arns", "installation.script_variables", "bootstrap.instance_type"),
        *("dns.hosted_zone_id", "egress.mode", "egress.additional_domains", "capacity.edition"),
        "drain_minutes",
    ):
        assert f"- {name} = " in message
    assert "hunter2" not in message


def test_a_host_that_is_not_asked_for_is_not_judged(refused: Callable[..., str]) -> None:
    message = refused(bootstrap={"instance_type": "t4g.micro"}, enable_bootstrap=False, capacity={"apps": 5000})
    assert "bootstrap" not in message


def test_too_small_a_cluster_is_refused_with_the_nearest_choice(refused: Callable[..., str]) -> None:
    given = arguments()
    small = {"name": "core", "instance_types": ["t3.large"], "min_size": 2, "max_size": 3}
    message = refused(cluster={**given["cluster"], "node_groups": [small]})
    assert "core: 2 x t3.large" in message
    assert "Dash Enterprise itself needs 79" in message
    assert "raise desired_size" in message


def test_limits_of_a_type_that_the_table_lacks_can_be_given(refused: Callable[..., str]) -> None:
    given = arguments()
    group = {"name": "core", "instance_types": ["m99.large"], "min_size": 2, "max_size": 4}
    assert "m99.large" in refused(cluster={**given["cluster"], "node_groups": [group]})
    limits = {"name": "m99.large", "architecture": "x86_64", "vcpus": 8.0, "memory_mib": 32768.0}
    limits |= {"network_interfaces": 2.0, "addresses_per_interface": 4.0, "volumes": 26.0}
    message = refused(
        cluster={**given["cluster"], "node_groups": [group]}, capacity={"instance_limits": [limits]}
    )  # floats, as a plugin hands numbers over
    assert "has room for" in message


def test_network_and_cluster_must_be_told_the_same_name_and_region() -> None:
    network = NetworkOptions("one", "us-east-1", ZONES)
    cluster = ClusterOptions("two", [ROLE], [], ZONES, region="us-west-2")
    assert [problem.input for problem in agreement_problems(network, cluster)] == [
        "cluster.cluster_name",
        "cluster.region",
    ]
    assert agreement_problems(network, ClusterOptions("one", [ROLE], [], ZONES)) == []


def test_the_premium_edition_takes_more_pods_than_the_standard_one() -> None:
    assert room().figures()["pods_of_dash_enterprise"] == 79
    figures = room(edition="premium", apps=3, workspaces=2).figures()
    assert figures["pods_of_dash_enterprise"] == 105
    assert figures["pods_planned"] == 105 + 3 * 2 + 2
    assert figures["vpc_addresses_by_vendor_rule"] == 105 + 3 * 2 + 2 + 35 + 3 * 2 + 2


def test_velero_takes_a_pod_and_one_on_every_node() -> None:
    nodes = {"pods_at_desired_size": 2, "pods_at_max_size": 4}
    for figure, count in nodes.items():
        assert room().figures()[figure] - room(backups=True).figures()[figure] == count + 1


def test_backups_are_judged_with_everything_else(refused: Callable[..., str]) -> None:
    given = arguments()
    message = refused(
        cluster={**given["cluster"], "admin_principal_arns": []},
        velero={"profile": "documented", "identity": "pod-identity", "schedules": [{"name": "daily", "cron": "daily"}]},
    )
    for name in ("cluster.admin_principal_arns", "velero.identity", "velero.schedules[0].cron"):
        assert f"- {name} = " in message


def test_quotas_count_the_network_that_is_made() -> None:
    used = {quota.name: quota.used for quota in room().quotas()}
    assert used["VPCs per Region"] == 1
    assert used["EC2-VPC Elastic IPs"] == 2


def test_the_root_user_is_warned_and_a_role_is_not() -> None:
    assert "root user" in (root_warning("arn:aws:iam::123456789012:root") or "")
    assert root_warning("arn:aws:sts::123456789012:assumed-role/platform-deployer/me") is None


@pytest.mark.parametrize("production", [True, False])
def test_load_balancers_are_drained_while_everything_in_the_cluster_is_there(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch, production: bool
) -> None:
    answer_for_pulumi_eks(recorder, monkeypatch)
    identity = {"accountId": "123456789012", "arn": "arn:aws:sts::123456789012:assumed-role/deployer/me"}
    recorder.answers["aws:index/getCallerIdentity:getCallerIdentity"] = lambda _: identity
    given = arguments(enable_bootstrap=False, drain_minutes=7.0)
    given["cluster"] |= {"production": production, "account_id": "123456789012"}
    recorder.run(lambda: DashEnterprise("dash", given))
    drain = recorder.of("Command")["dash"]
    assert drain.parent.split("$")[-1] == "eks-analytics:index:LoadBalancerDrain::dash"
    kinds = {key.split("::")[0].split(":")[-1] for key in recorder.needed(drain)}
    assert kinds >= {"NodeGroup", "Addon", "StorageClass", "AccessPolicyAssociation", "NatGateway", "Cluster"}
    given = drain.inputs["environment"]
    assert (given["DRAIN_CLUSTER"], given["DRAIN_REGION"], given["DRAIN_SECONDS"]) == ("analytics", "us-east-1", "420")
    assert drain.request.protect is production
    assert recorder.of("Command")["dash-volumes"].inputs["environment"]["DRAIN_KEEP"] == str(production).lower()


def test_the_schema_describes_every_input_and_output() -> None:
    analyzed = InheritingAnalyzer("eks-analytics").analyze([DashEnterprise])
    component = analyzed["component_definitions"]["DashEnterprise"]
    described = [component.inputs, component.outputs]
    described += [definition.properties for definition in analyzed["type_definitions"].values()]
    assert [name for properties in described for name, item in properties.items() if not item.description] == []
    assert [name for name, item in component.inputs.items() if not item.optional] == [
        "network",
        "cluster",
        "installation",
    ]


# An existing VPC


def found(cidr: str, free: int, *, cluster_runs: bool = False) -> FoundVpc:
    network = ip_network(cidr)
    blocks = dict(zip(ZONES, network.subnets(1), strict=True))
    subnets = {zone: FoundSubnet(f"subnet-{zone}", str(block), free, {}) for zone, block in blocks.items()}
    return FoundVpc("vpc-1", cidr, {}, subnets, cluster_runs)


def in_existing_vpc(**changes: Any) -> Room:
    network = NetworkOptions("analytics", "us-east-1", ZONES, existing_vpc_id="vpc-0a1b2c3d")
    return replace(room(**changes), network=network)


@pytest.mark.parametrize(("cidr", "free"), [("10.0.0.0/26", 27), ("10.0.0.0/25", 59)])
def test_addresses_of_existing_subnets_are_counted(cidr: str, free: int) -> None:
    _, problems = in_existing_vpc().in_vpc(found(cidr, free))
    assert {problem.input for problem in problems} == {"existing_private_subnets"}
    assert "Dash Enterprise itself needs 79" in problems[0].reason
    assert "give every zone a private subnet of /" in problems[0].remedy


def test_subnets_that_are_large_enough_are_taken_and_shown() -> None:
    fitting, problems = in_existing_vpc().in_vpc(found("10.0.0.0/20", 2043))
    assert problems == []
    assert fitting.figures()["vpc_addresses_for_nodes_and_pods"] == 2 * (2043 - 16)


def test_addresses_that_others_hold_count_until_the_cluster_runs() -> None:
    _, problems = in_existing_vpc().in_vpc(found("10.0.0.0/20", 30))
    assert [problem.input for problem in problems][:1] == ["existing_private_subnets"]
    running, problems = in_existing_vpc().in_vpc(found("10.0.0.0/20", 30, cluster_runs=True))
    assert problems == []
    before, _ = in_existing_vpc().in_vpc(found("10.0.0.0/20", 2043))
    assert running.figures() == before.figures()  # an output that changes with every pod would never be up to date


def test_a_vpc_without_public_subnets_is_warned_of() -> None:
    network = NetworkOptions("analytics", "us-east-1", ZONES, existing_vpc_id="vpc-0a1b2c3d")
    assert [warning.split()[0] for warning in public_subnet_warnings(network)] == ["network.existing_public_subnets"]
    assert not list(public_subnet_warnings(replace(network, existing_public_subnets={ZONES[0]: "subnet-1"})))
    assert not list(public_subnet_warnings(replace(network, existing_vpc_id="")))


def test_a_network_without_a_way_out_and_services_inside_of_it_are_refused(refused: Callable[..., str]) -> None:
    network = arguments()["network"]
    private = {"nat_gateways": "none", "interface_endpoints": ["private-cluster"]}
    message = refused(network={**network, **private, "cidr": "172.20.0.0/16"})
    assert "network.nat_gateways = 'none': leaves the cluster without a way to the internet" in message
    assert "cluster.service_cidr = '172.20.0.0/16': shares addresses with 172.20.0.0/16 of the VPC" in message
