"""The settings of e6data: read with their defaults, refused with key, value and remedy, handed to the component."""

from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from eks_analytics.e6data import e6data_options as component_options
from eks_analytics.e6data_checks import check_e6data
from eks_analytics.e6data_workspace_options import (
    DEFAULT_AMI_ALIAS,
    DEFAULT_CPU_LIMIT,
    DEFAULT_INSTANCE_STORE,
    DEFAULT_MOUNT_PATHS,
    DEFAULT_VOLUME_SIZE_GIB,
    INSTANCE_STORES,
)
from eks_analytics.karpenter_checks import DEFAULT_VERSION as KARPENTER_VERSION
from eks_analytics.load_balancer_controller_checks import DEFAULT_VERSION as CONTROLLER_VERSION
from settings import Settings, SettingsError, load
from settings.arguments import e6data_arguments, e6data_options
from settings.models import KarpenterSettings, LoadBalancerControllerSettings, WorkspaceSettings

ROLE = "arn:aws:iam::123456789012:role/deployer"
GOOD: dict[str, Any] = {
    "product": "e6data",
    "cluster_name": "e6data-dev",
    "availability_zones": ["us-west-2a", "us-west-2b"],
    "cluster": {"admin_principal_arns": [ROLE], "public_endpoint_cidrs": ["203.0.113.0/24"]},
    "node_groups": [{"name": "system", "instance_types": ["m6i.large"]}],
    "e6data": {"workspaces": [{"name": "analytics", "instance_families": ["m5d", "c5d"]}]},
}
VPC = {
    "existing_vpc_id": "vpc-0a1b2c3d4e5f67890",
    "existing_private_subnets": {
        "us-west-2a": "subnet-0a1b2c3d4e5f67890",
        "us-west-2b": "subnet-0a1b2c3d4e5f67891",
    },
}
IN_EXISTING: dict[str, Any] = {
    **{key: value for key, value in GOOD.items() if key not in ("cluster", "node_groups")},
    "network": VPC,
    "e6data": {**GOOD["e6data"], "existing_cluster": {"enabled": True}},
}


def read(config: dict[str, Any]) -> Settings:
    return load(
        deepcopy(config),
        Path("/"),
        dry_run=False,
        provider_region="us-west-2",
        today=date(2026, 11, 21),
        stack="e6data",
    )


def with_workspace(**changes: Any) -> dict[str, Any]:
    return {"e6data": {"workspaces": [{**GOOD["e6data"]["workspaces"][0], **changes}]}}


def with_e6data(**changes: Any) -> dict[str, Any]:
    return {"e6data": {**GOOD["e6data"], **changes}}


def test_the_good_configuration_is_read_with_its_defaults() -> None:
    settings = read(GOOD)
    assert settings.warnings == ()
    assert settings.network.nat_gateways == "one-per-az"
    (workspace,) = settings.e6data.workspaces
    assert workspace.zones == ("us-west-2a", "us-west-2b")
    assert settings.e6data.karpenter.identity == "pod-identity"
    assert check_e6data(e6data_options(settings)) == []


def test_an_existing_cluster_takes_the_place_of_the_blocks_that_make_one() -> None:
    settings = read(IN_EXISTING)
    arguments = e6data_arguments(settings)
    assert "cluster" not in arguments
    assert settings.e6data.karpenter.identity == settings.e6data.load_balancer_controller.identity == "irsa"
    assert check_e6data(e6data_options(settings)) == []


def test_an_existing_cluster_may_have_any_name_that_eks_takes_and_a_new_one_must_leave_room() -> None:
    assert read({**IN_EXISTING, "cluster_name": "x" * 100}).cluster_name == "x" * 100
    with pytest.raises(SettingsError, match="shorten it to 37"):
        read({**GOOD, "cluster_name": "x" * 38})


@pytest.mark.parametrize("config", [GOOD, IN_EXISTING])
def test_in_production_an_image_that_changes_by_itself_is_refused_wherever_the_cluster_comes_from(
    config: dict[str, Any],
) -> None:
    (workspace,) = config["e6data"]["workspaces"]
    latest = {**config["e6data"], "workspaces": [{**workspace, "ami_alias": "al2023@latest"}]}
    assert read({**config, "e6data": latest})
    with pytest.raises(SettingsError, match=r"workspaces\[0\].ami_alias"):
        read({**config, "e6data": latest, "production": True})


@pytest.mark.parametrize("config", [GOOD, IN_EXISTING])
def test_the_tags_of_stack_and_workspace_are_counted_together(config: dict[str, Any]) -> None:
    (workspace,) = config["e6data"]["workspaces"]
    many = {**config["e6data"], "workspaces": [{**workspace, "tags": {f"tag{n}": "x" for n in range(40)}}]}
    assert read({**config, "e6data": many})
    with pytest.raises(SettingsError, match=r"workspaces\[0\].tags"):
        read({**config, "e6data": many, "tags": {f"other{n}": "x" for n in range(9)}})


@pytest.mark.parametrize("config", [GOOD, IN_EXISTING])
def test_the_component_is_asked_for_what_was_judged(config: dict[str, Any]) -> None:
    settings = read(config)
    asked, judged = component_options(e6data_arguments(settings)), e6data_options(settings)
    assert asked.workspaces == judged.workspaces
    assert asked.karpenter_options == judged.karpenter_options
    assert asked.load_balancer_controller_options == judged.load_balancer_controller_options
    assert (asked.network, asked.existing_cluster, asked.drain_minutes) == (
        judged.network,
        judged.existing_cluster,
        judged.drain_minutes,
    )


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"network": {"nat_gateways": "none", "interface_endpoints": ["private-cluster"]}}, "network.nat_gateways", "logs"),
    ({"tags": {"app": "bi"}}, "tags.app", "leave it out"),
    ({"node_groups": []}, "node_groups", "write at least one"),
    ({"dash_enterprise": {"edition": "premium"}}, "dash_enterprise", "a stack of its own"),
    (with_workspace(name=""), "e6data.workspaces[0].name", 'such as "analytics"'),
    (with_workspace(name="Analytics"), "e6data.workspaces[0].name", 'write "analytics"'),
    (with_workspace(name=7), "e6data.workspaces[0].name", 'write it in quotes: "7"'),
    (
        with_workspace(instance_types=["m6i.xlarge"]),
        *("e6data.workspaces[0].instance_types", "did you mean e6data.workspaces[0].instance_families?"),
    ),
    (with_workspace(nam="x"), "e6data.workspaces[0].nam", "did you mean e6data.workspaces[0].name?"),
    (with_workspace(instance_families=[]), "e6data.workspaces[0].instance_families", "name some"),
    (with_workspace(instance_families="m5d"), "e6data.workspaces[0].instance_families", 'write a list: ["m5d"]'),
    (with_workspace(zones=["us-west-2d"]), "e6data.workspaces[0].zones", "choose among"),
    (with_workspace(zones=["usw2-az1"]), "e6data.workspaces[0].zones[0]", "make zones"),
    (with_workspace(volume_size_gib="100Gi"), "e6data.workspaces[0].volume_size_gib", "write 100"),
    (with_workspace(volume_size_gib=5), "e6data.workspaces[0].volume_size_gib", "20 GiB"),
    (with_workspace(cpu_limit=0), "e6data.workspaces[0].cpu_limit", "100000 by default"),
    (with_workspace(instance_store="RAID0"), "e6data.workspaces[0].instance_store", 'did you mean "raid0"?'),
    (with_workspace(capacity_types=["SPOT"]), "e6data.workspaces[0].capacity_types[0]", 'did you mean "spot"?'),
    (with_workspace(architectures=["x86_64"]), "e6data.workspaces[0].architectures[0]", "amd64"),
    (with_workspace(expire_after=720), "e6data.workspaces[0].expire_after = 720", '"720h"'),
    (with_workspace(capacity_types=[]), "e6data.workspaces[0].capacity_types = []", "name some of on-demand, spot"),
    (with_workspace(architectures=[]), "e6data.workspaces[0].architectures = []", "leaves nothing to choose"),
    (with_workspace(cpu_limit=1.5), "e6data.workspaces[0].cpu_limit = 1.5", "must be a whole number, not 1.5"),
    (
        with_e6data(karpenter={"allowed_names": ["e6data-analytics", *(f"e6data-{n:056}" for n in range(60))]}),
        *("e6data.karpenter.allowed_names", "leave it out: then all that begin with e6data- are served"),
    ),
    ({"network": {"nat_gateways": "none"}}, "network.nat_gateways", 'write "one-per-az"'),
    (with_workspace(expire_after="30d"), "e6data.workspaces[0].expire_after", "h"),
    (with_workspace(ami_alias="al2@latest"), "e6data.workspaces[0].ami_alias", "al2023@"),
    (with_workspace(tags={"app": "bi"}), "e6data.workspaces[0].tags", "leave it out"),
    (
        {"production": True, **with_workspace(ami_alias="al2023@latest")},
        "e6data.workspaces[0].ami_alias",
        "name a release",
    ),
    (
        {"e6data": {"workspaces": GOOD["e6data"]["workspaces"] * 2}},
        *("e6data.workspaces[1].name", "give each workspace its own name"),
    ),
    (with_e6data(karpenter={"version": "0.37.0"}), "e6data.karpenter.version", "1.14.1"),
    (with_e6data(karpenter={"replicas": 3}), "e6data.karpenter.replicas", "begin with 3 nodes"),
    (with_e6data(karpenter={"allowed_names": ["e6data-other"]}), "e6data.workspaces[0].name", "to that list"),
    (
        with_e6data(karpenter={"helm_values": {"settings": {"clusterName": "x"}}}),
        "e6data.karpenter.helm_values",
        "leave",
    ),
    (
        with_e6data(load_balancer_controller={"version": "2.5.0"}),
        *("e6data.load_balancer_controller.version", "1.5.0"),
    ),
    (
        with_e6data(load_balancer_controller={"default_tags": {"a,b": "c"}}),
        *("e6data.load_balancer_controller.default_tags", "use letters"),
    ),
    (with_e6data(drain_minutes=500), "e6data.drain_minutes", "write 1 to 120"),
    (
        with_e6data(existing_cluster={"oidc_provider_arn": "x"}),
        *("e6data.existing_cluster.oidc_provider_arn", "enabled: true"),
    ),
    (with_e6data(existing_cluster={"enabled": True}), "e6data.existing_cluster.enabled", "network.existing_vpc_id"),
    ({"network": VPC, **with_e6data(existing_cluster={"enabled": True})}, "node_groups", "leave one of the two out"),
    ({"network": VPC, **with_e6data(existing_cluster={"enabled": True})}, "cluster", "leave one of the two out"),
]


@pytest.mark.parametrize(("changes", "key", "words"), REFUSED)
def test_a_bad_configuration_is_refused_with_key_and_remedy(changes: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read({**GOOD, **changes})
    lines = str(refused.value).splitlines()[1:]
    assert [line for line in lines if f" {key}" in line and words in line], "\n".join(lines)
    assert len(lines) <= 3, "\n".join(lines)


def test_what_tells_how_a_controller_is_installed_contradicts_that_it_is_there() -> None:
    existing = {"enabled": True, "karpenter_node_role_name": "Nodes"}
    with pytest.raises(SettingsError) as refused:
        read({**IN_EXISTING, **with_e6data(existing_cluster=existing, karpenter={"replicas": 1})})
    assert "e6data.existing_cluster.karpenter_node_role_name" in str(refused.value)


def test_choices_and_defaults_are_those_of_the_components() -> None:
    schema = WorkspaceSettings.model_json_schema()["properties"]
    assert tuple(schema["instance_store"]["enum"]) == INSTANCE_STORES
    workspace = WorkspaceSettings()
    assert (workspace.instance_store, workspace.mount_paths) == (DEFAULT_INSTANCE_STORE, DEFAULT_MOUNT_PATHS)
    assert (workspace.volume_size_gib, workspace.cpu_limit, workspace.ami_alias) == (
        DEFAULT_VOLUME_SIZE_GIB,
        DEFAULT_CPU_LIMIT,
        DEFAULT_AMI_ALIAS,
    )
    assert KarpenterSettings().version == KARPENTER_VERSION
    assert LoadBalancerControllerSettings().version == CONTROLLER_VERSION


def test_a_word_for_networks_without_a_way_out_is_not_recommended_to_be_refused_next() -> None:
    with pytest.raises(SettingsError) as refused:
        read({**GOOD, "network": {"nat_gateways": "none"}})
    assert "private-cluster" not in str(refused.value)
    assert str(refused.value).count("nat_gateways") == 1
