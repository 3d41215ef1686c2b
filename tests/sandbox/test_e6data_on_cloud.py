"""e6data on the embedded cloud: what AWS and the Kubernetes API hold after `make up`, what changes of settings touch,
and what discovery finds."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from environments import Environment, MakeEnvironment
from sandbox.kubernetes_api.client import KubernetesApi
from sandbox.kubernetes_api.reference import Reference

CLUSTER = "e6data-dev"
CONSOLE = ("region", "vpc_id", "cluster_name", "oidc_provider_arn", "oidc_issuer", "karpenter_node_role_name")
POOL, CLASS = ("karpenter.sh/v1", "NodePool"), ("karpenter.k8s.aws/v1", "EC2NodeClass")


@pytest.fixture(scope="module")
def applied(environment: MakeEnvironment) -> Environment:
    stack = environment("e6data")
    stack.run("up", "--yes")
    return stack


def api(stack: Environment, cluster: str = CLUSTER) -> KubernetesApi:
    address = stack.cloud().ask("kubernetes_running")[cluster]
    return KubernetesApi(address["url"], Path(address["folder"]))


def read(stack: Environment, kind: tuple[str, str], name: str, cluster: str = CLUSTER) -> dict[str, Any]:
    found = api(stack, cluster).get(Reference(*kind, "", name))
    assert found, f"{name} is not in the API server"
    return found


def changed(stack: Environment, **workspaces: Any) -> dict[str, Any]:
    """Workspaces by name with changes; None leaves one out."""
    block = deepcopy(stack["e6data"])
    named = {one["name"]: one for one in block["workspaces"]}
    named |= {name: {**named.get(name, {"name": name}), **given} for name, given in workspaces.items() if given}
    block["workspaces"] = [one for name, one in named.items() if workspaces.get(name, {}) is not None]
    return block


def test_the_objects_really_are_in_the_api_server(applied: Environment) -> None:
    pool, node_class = read(applied, POOL, "e6data-analytics"), read(applied, CLASS, "e6data-analytics")
    labels = {"app": "e6data", "e6data-workspace-name": "analytics"}
    assert pool["metadata"]["labels"] == node_class["metadata"]["labels"] == labels
    assert pool["spec"]["template"]["spec"]["nodeClassRef"]["name"] == "e6data-analytics"
    assert pool["spec"]["limits"] == {"cpu": "100000"}
    assert "mount_paths=(/app/tmp /tmp)\n" in node_class["spec"]["userData"]
    assert "mount_paths=(/tmp)\n" in read(applied, CLASS, "e6data-reporting")["spec"]["userData"]
    assert node_class["spec"]["role"] == applied.outputs()["karpenter_node_role_name"]


def test_the_outputs_are_what_the_e6data_console_asks_for(applied: Environment) -> None:
    outputs = applied.outputs()
    assert all(outputs[name] for name in CONSOLE)
    assert outputs["node_pool_names"] == {"analytics": "e6data-analytics", "reporting": "e6data-reporting"}
    assert outputs["node_class_names"] == outputs["node_pool_names"]


def test_everything_that_takes_tags_is_e6datas(applied: Environment) -> None:
    tagged = [one for one in applied.state() if "tags" in one.get("inputs", {}) and one["type"].startswith("aws:")]
    assert len(tagged) > 40
    assert [one["urn"] for one in tagged if one["inputs"]["tags"].get("app") != "e6data"] == []


def test_every_zone_has_a_nat_gateway_and_s3_goes_past_it(applied: Environment) -> None:
    kinds = [one["type"] for one in applied.state()]
    assert kinds.count("aws:ec2/natGateway:NatGateway") == 2
    assert kinds.count("aws:ec2/vpcEndpoint:VpcEndpoint") == 1


def test_the_load_balancer_controller_is_installed_as_the_guide_wants_it(applied: Environment) -> None:
    (release,) = [
        one["inputs"]["values"]
        for one in applied.state()
        if one["type"] == "kubernetes:helm.sh/v3:Release" and one["inputs"]["chart"] == "aws-load-balancer-controller"
    ]
    assert {key: release[key] for key in ("enableShield", "enableWaf", "enableWafv2", "defaultTags")} == {
        "enableShield": False,
        "enableWaf": False,
        "enableWafv2": False,
        "defaultTags": {"app": "e6data"},
    }
    assert release["clusterName"] == CLUSTER


def test_a_second_update_changes_nothing(applied: Environment) -> None:
    assert set(applied.run("up", "--yes").counts()) == {"changes", "unchanged"}


def test_one_workspace_more_touches_nothing_but_its_own(applied: Environment) -> None:
    before, block = read(applied, POOL, "e6data-analytics"), applied["e6data"]
    applied["e6data"] = changed(applied, lab={"instance_families": ["c6id"], "instance_store": "none"})
    result = applied.run("up", "--yes")
    made = result.counts()
    assert {word: made.get(word, 0) for word in ("updated", "replaced", "deleted")} == dict.fromkeys(
        ("updated", "replaced", "deleted"), 0
    )
    lines = [line for line in result.lines("created") if "Done" not in line]
    assert [line for line in lines if "e6data-lab" not in line] == []
    assert read(applied, POOL, "e6data-lab")
    applied["e6data"] = block
    result = applied.run("up", "--yes")
    assert [line for line in result.lines("deleted") if "e6data-lab" not in line and "Done" not in line] == []
    assert api(applied).get(Reference(*POOL, "", "e6data-lab")) is None
    assert read(applied, POOL, "e6data-analytics")["metadata"]["uid"] == before["metadata"]["uid"]


OPTIONS: list[dict[str, Any]] = [
    {"instance_store": "raid0"},
    {"instance_store": "mount", "mount_paths": ["/app/tmp"]},
    {"instance_store": "none"},
    {"zones": ["us-west-2b"]},
    {"volume_size_gib": 1000, "cpu_limit": 64},
    {"capacity_types": ["spot"]},
    {"capacity_types": ["spot", "on-demand"], "expire_after": "720h"},
    {"architectures": ["arm64"], "instance_families": ["m6gd"]},
    {"architectures": ["amd64", "arm64"], "instance_families": ["m6gd", "m5d"]},
    {"ami_alias": "bottlerocket@v1.50.0", "instance_store": "raid0"},
    {"ami_alias": "al2023@latest"},
    {"tags": {"team": "bi"}},
]


def test_the_api_server_accepts_every_option_of_a_workspace(applied: Environment) -> None:
    block = applied["e6data"]
    more = {f"option{index}": {"instance_families": ["m5d"], **given} for index, given in enumerate(OPTIONS)}
    applied["e6data"] = changed(applied, **more)
    applied.run("up", "--yes")
    for name in more:
        assert read(applied, POOL, f"e6data-{name}")
        assert read(applied, CLASS, f"e6data-{name}")
    applied["e6data"] = block
    applied.run("up", "--yes")


def test_discovery_finds_the_private_subnets_and_the_clusters_group_and_nothing_else(applied: Environment) -> None:
    ec2, outputs = applied.client("ec2"), applied.outputs()
    stranger = ec2.create_vpc(CidrBlock="10.99.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "subnet", "Tags": [{"Key": "karpenter.sh/discovery", "Value": "other"}]}]
    subnet = ec2.create_subnet(VpcId=stranger, CidrBlock="10.99.0.0/24", TagSpecifications=tags)["Subnet"]["SubnetId"]
    spec = read(applied, CLASS, "e6data-analytics")["spec"]

    def filters(term: dict[str, Any]) -> list[dict[str, Any]]:
        named = [{"Name": "group-id", "Values": [term["id"]]}] if "id" in term else []
        return named + [{"Name": f"tag:{key}", "Values": [value]} for key, value in term.get("tags", {}).items()]

    (term,) = spec["subnetSelectorTerms"]
    found = ec2.describe_subnets(Filters=filters(term))["Subnets"]
    assert {one["SubnetId"] for one in found} == set(outputs["private_subnet_ids"])
    (term,) = spec["securityGroupSelectorTerms"]
    groups = ec2.describe_security_groups(Filters=filters(term))["SecurityGroups"]
    assert [one["GroupId"] for one in groups] == [outputs["cluster_security_group_id"]]
    # As the load balancer controller looks for them, for load balancers inside and outside of the VPC.
    for role, expected in (("internal-elb", "private_subnet_ids"), ("elb", "public_subnet_ids")):
        wanted = [
            {"Name": f"tag:kubernetes.io/role/{role}", "Values": ["1", ""]},
            {"Name": "vpc-id", "Values": [outputs["vpc_id"]]},
        ]
        found = ec2.describe_subnets(Filters=wanted)["Subnets"]
        assert {one["SubnetId"] for one in found} == set(outputs[expected])
    # The controller may only open the group of the nodes if it bears e6data's tag.
    (group,) = ec2.describe_security_groups(GroupIds=[outputs["cluster_security_group_id"]])["SecurityGroups"]
    assert {"Key": "app", "Value": "e6data"} in group["Tags"]
    ec2.delete_subnet(SubnetId=subnet)
    ec2.delete_vpc(VpcId=stranger)


def test_the_controllers_rights_end_at_what_is_e6datas(applied: Environment) -> None:
    texts = [str(one["inputs"].get("policy", "")) for one in applied.state() if one["type"].startswith("aws:iam/")]
    assert any('"aws:ResourceTag/karpenter.sh/nodepool": ["e6data-*", ""]' in text for text in texts)
    assert any('"aws:ResourceTag/karpenter.k8s.aws/ec2nodeclass": "e6data-*"' in text for text in texts)
    assert any('"aws:ResourceTag/app": "e6data"' in text for text in texts)


def test_everything_goes_again(applied: Environment) -> None:
    result = applied.run("down", "--yes")
    order = [line for line in result.output.splitlines() if " deleted " in line]

    def place(words: str) -> int:
        return next(index for index, line in enumerate(order) if words in line)

    assert place("NodePool ") < place("EC2NodeClass ") < place("karpenter-karpenter") < place("karpenter-crd")
    assert place("command:local:Command") < place("e6data-dev-load-balancers") < place("NatGateway")
    left = [line for line in result.output.splitlines() if line.startswith(("  aws:", "  kubernetes:"))]
    assert [line for line in left if "pending deletion" not in line] == []
