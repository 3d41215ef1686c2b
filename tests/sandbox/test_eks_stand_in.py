"""The pulumi-eks stand-in registers, through the real engine, what the real component registers."""

import json
import re
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pytest
from pulumi.automation.errors import CommandError
from pulumi.runtime.proto import provider_pb2

from eks_analytics.cluster import _control_plane_transform  # pyright: ignore[reportPrivateUsage]
from eks_analytics.cluster_checks import ClusterOptions
from sandbox.providers.component import Construction
from sandbox.providers.eks import EksProvider
from sandbox.providers.protocol import UNKNOWN, ProviderError, Resource, StandIn, Values, to_struct
from small_stack import SmallStack

pytestmark = pytest.mark.engine

SECRET = "1b47061264138c4ac30d75fd1eb44270"
CLUSTER = "eks:index:Cluster$aws:eks/cluster:Cluster"

# Type, name, parent and inputs of everything that pulumi-eks registers for the arguments below; `admin` is the entry.
CHILDREN = {
    "c-eksRole": (
        "eks:index:ServiceRole",
        "c",
        {"assumeRoleActions", "description", "managedPolicyArns", "service", "tags"},
    ),
    "c-eksRole-role": ("aws:iam/role:Role", "c-eksRole", {"assumeRolePolicy", "description", "tags"}),
    "c-eksRole-4b490823": (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        "c-eksRole",
        {"policyArn", "role"},
    ),
    "c-eksCluster": (
        "aws:eks/cluster:Cluster",
        "c",
        {
            *("accessConfig", "bootstrapSelfManagedAddons", "deletionProtection", "enabledClusterLogTypes"),
            *("encryptionConfig", "kubernetesNetworkConfig", "name", "roleArn", "tags", "upgradePolicy", "version"),
            "vpcConfig",
        },
    ),
    "c-eks-k8s": ("pulumi:providers:kubernetes", "c", {"__internal", "kubeconfig", "version"}),
    "c-admin": ("aws:eks/accessEntry:AccessEntry", "c", {"clusterName", "principalArn"}),
    "c-admin-admin": (
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        "c-admin",
        {"accessScope", "clusterName", "policyArn", "principalArn"},
    ),
}


class RecordedAws(StandIn):
    """Gives every resource the outputs that pulumi-eks reads; keeps what it was asked."""

    version = "7.0.0"

    def __init__(self) -> None:
        super().__init__()
        self.invoked: list[str] = []
        self.made: list[str] = []
        self.fails = ""

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        return new

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        if resource.name == self.fails:
            raise ProviderError("AccessDeniedException: not you")
        self.made.append(resource.name)
        name = inputs.get("name", resource.name)
        outputs = {
            "arn": f"arn:aws:service:eu-west-1:123456789012:{name}",
            "name": name,
            "endpoint": "https://endpoint",
            "certificateAuthority": {"data": "Q0E="},
            "identities": [{"oidcs": [{"issuer": "https://oidc/id/1"}]}],
            "vpcConfig": inputs.get("vpcConfig", {}) | {"clusterSecurityGroupId": "sg-1"},
        }
        if preview:
            return "", dict.fromkeys(outputs, UNKNOWN) | inputs | {"vpcConfig": UNKNOWN}
        return resource.name, inputs | outputs

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        return state | new

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        self.made.remove(resource.name)

    def invoke(self, token: str, args: Values, preview: bool, config: Values) -> Values:
        self.invoked.append(token)
        return {"partition": "aws-cn", "region": "eu-west-1"}


class RecordedKubernetes(StandIn):
    version = "4.0.0"


def arguments(**changes: Any) -> dict[str, Any]:
    entry = {"policy_arn": "arn:aws:eks::aws:cluster-access-policy/Admin", "access_scope": {"type": "cluster"}}
    usual: dict[str, Any] = {
        "access_entries": {"admin": {"principal_arn": "arn:admin", "access_policies": {"admin": entry}}},
        "authentication_mode": "API",
        "bootstrap_self_managed_addons": False,
        "coredns_addon_options": {"enabled": False},
        "create_oidc_provider": False,
        "deletion_protection": True,
        "enabled_cluster_log_types": ["api", "audit", "authenticator"],
        "encryption_config_key_arn": "arn:key",
        "endpoint_private_access": True,
        "endpoint_public_access": True,
        "kube_proxy_addon_options": {"enabled": False},
        "kubernetes_service_ip_address_range": "172.20.0.0/16",
        "name": "demo",
        "public_access_cidrs": ["192.0.2.1/32"],
        "skip_default_node_group": True,
        "skip_default_security_groups": True,
        "subnet_ids": ["subnet-a", "subnet-b"],
        "tags": {"team": "data"},
        "upgrade_policy": {"support_type": "STANDARD"},
        "use_default_vpc_cni": True,
        "version": "1.35",
        "vpc_id": "vpc-1",
    }
    return {key: value for key, value in (usual | changes).items() if value is not None}


def make(options: pulumi.ResourceOptions | None = None, **changes: Any) -> eks.Cluster:
    return eks.Cluster("c", **arguments(**changes), opts=options)


def edited(change: Any) -> pulumi.ResourceOptions:
    def transform(given: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        return change(given) if given.type_ == "aws:eks/cluster:Cluster" else None

    return pulumi.ResourceOptions(transforms=[transform])


@pytest.fixture
def cloud() -> RecordedAws:
    return RecordedAws()


@pytest.fixture
def stack(cloud: RecordedAws, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"aws": cloud, "eks": EksProvider(), "kubernetes": RecordedKubernetes()})


def inputs(stack: SmallStack, name: str = "c-eksCluster") -> dict[str, Any]:
    return stack.resource(name)["inputs"]


def names(urns: list[str]) -> set[str]:
    return {urn.rsplit("::", 1)[-1] for urn in urns}


def test_an_explicit_provider_makes_every_child_in_place_of_the_default_one(stack: SmallStack) -> None:
    def program() -> None:
        explicit = aws.Provider("explicit", region="eu-west-1")
        make(pulumi.ResourceOptions(providers=[explicit]))

    stack.up(program)
    on_aws = [one for one in stack.resources() if one["type"].startswith("aws:")]
    assert len(on_aws) == 5
    assert {one["provider"].split("::")[-2] for one in on_aws} == {"explicit"}


def test_the_same_children_with_the_same_inputs_as_the_real_component(stack: SmallStack, cloud: RecordedAws) -> None:
    assert stack.preview(make) == {"create": 9}
    assert cloud.invoked == ["aws:index/getPartition:getPartition"]
    cloud.made.clear()
    stack.up(make)
    registered = {one["urn"].rsplit("::", 1)[-1]: one for one in stack.resources()}
    for name, (token, parent, keys) in CHILDREN.items():
        child = registered[name]
        assert (child["type"], names([child["parent"]]), set(child["inputs"])) == (token, {parent}, keys)
    others = registered.keys() - CHILDREN.keys() - {"c", "small-test"}
    assert all(registered[name]["type"].startswith("pulumi:providers:") for name in others)

    cluster = registered["c-eksCluster"]["inputs"]
    assert cluster["accessConfig"] == {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}
    assert cluster["tags"] == {"Name": "c-eksCluster", "team": "data"}
    assert cluster["encryptionConfig"] == {"provider": {"keyArn": "arn:key"}, "resources": ["secrets"]}
    assert cluster["kubernetesNetworkConfig"] == {"ipFamily": "ipv4", "serviceIpv4Cidr": "172.20.0.0/16"}
    assert cluster["vpcConfig"] == {
        "endpointPrivateAccess": True,
        "endpointPublicAccess": True,
        "publicAccessCidrs": ["192.0.2.1/32"],
        "subnetIds": ["subnet-a", "subnet-b"],
    }
    assert names(registered["c-eksCluster"]["dependencies"]) == {"c-eksRole-role", "c-eksRole-4b490823"}
    assert names(registered["c-admin"]["dependencies"]) == {"c-eksCluster"}
    policy = registered["c-eksRole-4b490823"]["inputs"]["policyArn"]
    assert policy == "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy"
    kubeconfig = json.loads(registered["c-eks-k8s"]["inputs"]["kubeconfig"])
    command = kubeconfig["users"][0]["user"]["exec"]["args"]
    assert command == ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "demo", "--output", "json"]

    assert stack.preview(make) == {"same": 9}
    stack.preview(lambda: make(tags={"team": "data", "new": "tag"}))
    assert stack.actions() == dict.fromkeys(("c", "c-eksRole", "c-eksRole-role", "c-eksCluster"), "update")
    stack.destroy()
    assert cloud.made == []


def test_a_transform_takes_the_creators_rights_away_and_protects_the_cluster(stack: SmallStack) -> None:
    def change(given: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
        props: Any = given.props
        props["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] = False
        given.opts.protect = True
        return pulumi.ResourceTransformResult(props, given.opts)

    stack.up(lambda: make(edited(change)))
    assert inputs(stack)["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False
    assert {one["urn"].rsplit("::", 1)[-1] for one in stack.resources() if one.get("protect")} == {"c-eksCluster"}
    # As in the real component, changes of the property are ignored later on.
    assert stack.preview(make) == {"same": 9}


def test_the_control_planes_role_gets_the_permissions_boundary_through_the_components_transform(
    stack: SmallStack,
) -> None:
    boundary = "arn:aws:iam::123456789012:policy/deployment-boundary"
    options = ClusterOptions("demo", [], [], [], permissions_boundary_arn=boundary)
    transforms = [_control_plane_transform(False, options)]
    stack.up(lambda: make(pulumi.ResourceOptions(transforms=transforms)))
    assert inputs(stack, "c-eksRole-role")["permissionsBoundary"] == boundary
    assert inputs(stack)["accessConfig"]["bootstrapClusterCreatorAdminPermissions"] is False


def test_what_an_argument_depends_on_comes_before_the_child_that_uses_it(stack: SmallStack) -> None:
    def program() -> None:
        logs, admin = aws.cloudwatch.LogGroup("logs"), aws.iam.Role("admin", assume_role_policy="{}")
        subnet = aws.ec2.Subnet("subnet", vpc_id="vpc-1")
        entries = {"admin": {"principal_arn": admin.arn}, "other": {"principal_arn": "arn:other"}}
        name = logs.name.apply(lambda _: "demo")
        make(name=name, access_entries=entries, subnet_ids=[subnet.id, "subnet-b"])

    assert stack.preview(program)["create"] == 12
    stack.up(program)
    roles = {"c-eksRole-role", "c-eksRole-4b490823"}
    assert names(stack.resource("c-eksCluster")["dependencies"]) == {"logs", "subnet", *roles}
    by_property = stack.resource("c-eksCluster")["propertyDependencies"]
    assert names(by_property["vpcConfig"]) == {"subnet"}
    assert names(by_property["name"]) == {"logs"}
    assert names(stack.resource("c-admin")["dependencies"]) == {"admin", "c-eksCluster"}
    assert names(stack.resource("c-other")["dependencies"]) == {"c-eksCluster"}


def test_the_outputs_are_those_of_the_real_component(stack: SmallStack) -> None:
    def program() -> None:
        cluster = make()
        pulumi.export("endpoint", cluster.eks_cluster.endpoint)
        pulumi.export("kubeconfig", cluster.kubeconfig)
        pulumi.export("same", pulumi.Output.all(cluster.kubeconfig, cluster.kubeconfig_json).apply(_agree))
        pulumi.export("issuer", [cluster.oidc_issuer, cluster.oidc_provider_url])
        pulumi.export("groups", [cluster.cluster_security_group_id, cluster.node_security_group_id])
        pulumi.export("core", [cluster.core.vpc_id, cluster.core.subnet_ids, cluster.core.cluster_iam_role.name])
        pulumi.export("nothing", [cluster.fargate_profile_id, cluster.auto_mode_node_role_name])
        aws.cloudwatch.LogGroup("after", name=cluster.eks_cluster.name)

    def _agree(both: list[Any]) -> bool:
        return both[0] == json.loads(both[1])

    stack.preview(program)
    outputs = stack.up(program)
    assert outputs["endpoint"] == "https://endpoint"
    assert outputs["kubeconfig"]["clusters"][0]["cluster"]["certificate-authority-data"] == "Q0E="
    assert outputs["same"] is True
    assert outputs["issuer"] == ["oidc/id/1", "https://oidc/id/1"]
    assert outputs["groups"] == ["sg-1", "sg-1"]
    assert outputs["core"] == ["vpc-1", ["subnet-a", "subnet-b"], "c-eksRole-role"]
    assert outputs["nothing"] == ["", ""]
    assert "c-eksCluster" in names(stack.resource("after")["dependencies"])


def test_secrets_stay_secrets_and_options_reach_the_children(stack: SmallStack) -> None:
    def program() -> None:
        options = pulumi.ResourceOptions(
            protect=True, retain_on_delete=True, providers={"aws": aws.Provider("other", region="eu-west-1")}
        )
        make(options, tags={"team": pulumi.Output.secret("data")}, name=pulumi.Output.secret("demo"))

    stack.up(program)
    children = [stack.resource(name) for name in CHILDREN]
    assert all(child["protect"] and child["retainOnDelete"] for child in children)
    assert names([child["provider"].rsplit("::", 1)[0] for child in children if child["type"].startswith("aws:")]) == {
        "other"
    }
    cluster = inputs(stack)
    assert SECRET in cluster["name"].values()
    assert SECRET in cluster["tags"].values()
    assert SECRET in inputs(stack, "c-eks-k8s")["kubeconfig"].values()
    assert cluster["version"] == "1.35"


def test_an_alias_of_the_component_holds_for_its_children(stack: SmallStack) -> None:
    stack.up(make)
    renamed = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="c")])
    changes = stack.preview(lambda: eks.Cluster("d", **arguments(), opts=renamed))
    assert set(changes) <= {"same", "update"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"create_oidc_provider": True, "gpu": True}, ["createOidcProvider must be false, it is true", "gpu is not"]),
        ({"skip_default_node_group": None}, ["skipDefaultNodeGroup must be true, it is not set"]),
        ({"kube_proxy_addon_options": None}, ["kubeProxyAddonOptions.enabled must be false"]),
        ({"coredns_addon_options": {"enabled": True}}, ["corednsAddonOptions.enabled must be false, it is true"]),
        ({"authentication_mode": "API_AND_CONFIG_MAP"}, ["authenticationMode must be"]),
        ({"use_default_vpc_cni": False, "vpc_id": None}, ["useDefaultVpcCni must be true", "vpcId is required"]),
        ({"private_subnet_ids": ["subnet-c"]}, ["mutually exclusive"]),
        ({"endpoint_public_access": False}, ["`publicAccessCidrs` can only be set"]),
        ({"upgrade_policy": {"supportTyp": "STANDARD"}}, ["upgradePolicy.supportTyp", "did you mean 'supportType'"]),
        ({"subnet_ids": "subnet-a"}, ["subnetIds", "is a str"]),
    ],
)
def test_what_is_not_emulated_or_misspelt_is_refused_by_name(changes: Any, expected: list[str]) -> None:
    request = provider_pb2.ConstructRequest(
        type="eks:index:Cluster", name="c", inputs=to_struct(camel(arguments(**changes)))
    )
    monitor: Any = None  # refused before anything is registered
    with pytest.raises(ProviderError) as caught:
        EksProvider().construct(Construction(request, monitor))
    assert all(text in str(caught.value) for text in expected), str(caught.value)


def camel(value: Any) -> Any:
    if isinstance(value, dict):
        return {re.sub("_(.)", lambda match: match[1].upper(), key): camel(item) for key, item in value.items()}
    return value


def test_failures_are_shown_without_a_traceback_and_mended_by_the_next_update(
    stack: SmallStack, cloud: RecordedAws
) -> None:
    with pytest.raises(CommandError) as caught:
        stack.preview(lambda: make(gpu=True))
    assert "gpu is not supported by the embedded cloud" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    cloud.fails = "c-eksCluster"
    with pytest.raises(CommandError) as caught:
        stack.up(make)
    assert "AccessDeniedException: not you" in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert "c-eksRole-role" in cloud.made
    cloud.fails = ""
    stack.up(make)
    assert "c-eksCluster" in cloud.made
