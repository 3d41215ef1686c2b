"""Stand-in for pulumi-eks: `eks.Cluster` registers the children that the real component registers.

Names, parents, inputs, options and dependencies follow `createCore` of the real component, its defaults included:
https://github.com/pulumi/pulumi-eks/blob/master/nodejs/eks/cluster.ts
Arguments with which it would register anything else are refused.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from sandbox.providers.component import (
    SIGNATURE,
    Child,
    ComponentStandIn,
    Construction,
    Output,
    apply,
    object_of,
    whole,
)
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values
from sandbox.providers.schema import Schema, check_inputs, fields_of

# With any other value the real component registers add-ons, node groups, roles or more, or looks things up.
_MUST_BE: dict[str, Any] = {
    "authenticationMode": "API",
    "corednsAddonOptions.configurationValues": None,
    "corednsAddonOptions.enabled": False,
    "createInstanceRole": False,
    "createOidcProvider": False,
    "kubeProxyAddonOptions.enabled": False,
    "skipDefaultNodeGroup": True,
    "skipDefaultSecurityGroups": True,
    "useDefaultVpcCni": True,
}
_ABSENT_WILL_DO = {"corednsAddonOptions.enabled", "createInstanceRole", "createOidcProvider"}
_PASSED_ON = ("name", "version", "enabledClusterLogTypes", "upgradePolicy", "deletionProtection")
_VPC_CONFIG = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
_SUBNETS = ("subnetIds", "publicSubnetIds", "privateSubnetIds")
_NETWORK = ("kubernetesServiceIpAddressRange", "ipFamily")
_OTHER = ("accessEntries", "bootstrapSelfManagedAddons", "clusterTags", "encryptionConfigKeyArn", "tags", "vpcId")
_SUPPORTED = {*(path.split(".")[0] for path in _MUST_BE), *_PASSED_ON, *_VPC_CONFIG, *_SUBNETS, *_NETWORK, *_OTHER}

_FARGATE = ("fargateProfileId", "fargateProfileStatus")
_EMPTY_OUTPUTS = (
    *_FARGATE,
    "autoModeNodeRoleName",
    "clusterIngressRuleId",
    "defaultNodeGroupAsgName",
    "oidcProviderArn",
)
_ASSOCIATION = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"


class EksProvider(ComponentStandIn):
    version = version("pulumi-eks")

    def construct(self, call: Construction) -> tuple[str, Mapping[str, Any]]:
        if call.type != "eks:index:Cluster":
            raise ProviderError(f"{call.type} is not supported by the embedded cloud")
        if problems := "; ".join(_problems(call.plain)):
            raise ProviderError(problems)
        component = call.register_component()
        partition = call.invoke("aws:index/getPartition:getPartition")["partition"]
        role, attachment = _service_role(call, component, partition)
        subnet_ids, encryption = _subnet_ids(call), _encryption_config(call)
        cluster = _cluster(call, component, role, attachment, subnet_ids, encryption)
        parts = [cluster[key] for key in ("name", "endpoint", "certificateAuthority", "arn")]
        kubeconfig, kubeconfig_json = apply(_kubeconfig, *parts), apply(lambda *got: _json(_kubeconfig(*got)), *parts)
        kubernetes = call.register(
            component, "pulumi:providers:kubernetes", f"{call.name}-eks-k8s", {"kubeconfig": kubeconfig_json}
        )
        _access_entries(call, component, cluster)
        issuer = cluster["identities"].apply(lambda found: found[0]["oidcs"][0]["issuer"] if found else "")
        security_group = cluster["vpcConfig"].apply(lambda config: config.get("clusterSecurityGroupId", UNKNOWN))
        core = {
            **{key: call[key] for key in ("vpcId", "publicSubnetIds", "privateSubnetIds", "tags")},
            "subnetIds": subnet_ids,
            "cluster": cluster.reference,
            "clusterIamRole": role.reference,
            "provider": kubernetes.reference,
            "endpoint": cluster["endpoint"],
            "kubeconfig": kubeconfig,
            "encryptionConfig": encryption,
            "nodeGroupOptions": object_of({"version": call["version"]}),
            "accessEntries": call.part("accessEntries", list((call["accessEntries"].value or {}).values())),
            "instanceRoles": [],
            "storageClasses": {},
        }
        return component, dict.fromkeys(_EMPTY_OUTPUTS, "") | {
            "clusterSecurityGroupId": security_group,
            "core": whole(object_of(core)),
            "eksCluster": cluster.reference,
            "instanceRoles": [],
            "kubeconfig": kubeconfig,
            "kubeconfigJson": kubeconfig_json,
            "nodeSecurityGroupId": security_group,
            "oidcIssuer": issuer.apply(lambda url: url.removeprefix("https://")),
            "oidcProviderUrl": issuer,
        }


def _problems(arguments: Values) -> Iterator[str]:
    from pulumi_eks import ClusterArgs  # slow to import, and only programs with a cluster need it

    schema = Schema("eks:index:Cluster", fields_of(ClusterArgs), {}, ClusterArgs)
    yield from (f"{path}: {reason}" for path, reason in check_inputs(schema, arguments))
    unsupported = sorted({*arguments} & {*schema.inputs} - _SUPPORTED)
    yield from (f"{key} is not supported by the embedded cloud" for key in unsupported)
    for path, wanted in _MUST_BE.items():
        key, _, option = path.partition(".")
        got = arguments.get(key)
        got = got.get(option) if option and isinstance(got, Mapping) else got
        if got != wanted and not (got is None and path in _ABSENT_WILL_DO):
            must = "be left out" if wanted is None else f"be {json.dumps(wanted)}"
            state = "not set" if got is None else _json(got)
            yield f"{path} must {must}, it is {state}: the embedded cloud emulates no more of pulumi-eks"
    if "vpcId" not in arguments:
        yield "vpcId is required: the embedded cloud has no default VPC"
    if "subnetIds" in arguments and ("publicSubnetIds" in arguments or "privateSubnetIds" in arguments):
        yield "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive"
    if "publicAccessCidrs" in arguments and arguments.get("endpointPublicAccess") is False:
        yield "`publicAccessCidrs` can only be set when `endpointPublicAccess` is true"


def _service_role(call: Construction, component: str, partition: str) -> tuple[Child, Child]:
    name, service, actions = f"{call.name}-eksRole", "eks.amazonaws.com", ["sts:AssumeRole", "sts:TagSession"]
    common = {"description": "Allows EKS to manage clusters on your behalf.", "tags": call["tags"]}
    policy_id, policy_arn = (f"arn:{part}:iam::aws:policy/AmazonEKSClusterPolicy" for part in ("aws", partition))
    policies = [{"id": policy_id, "arn": policy_arn}]
    inputs = {**common, "service": service, "managedPolicyArns": policies, "assumeRoleActions": actions}
    parent = call.register(component, "eks:index:ServiceRole", name, inputs).urn
    trust = {"Action": actions, "Effect": "Allow", "Principal": {"Service": [service]}}
    inputs = {**common, "assumeRolePolicy": _json({"Version": "2012-10-17", "Statement": [trust]})}
    role = call.register(parent, "aws:iam/role:Role", f"{name}-role", inputs)
    suffix = hashlib.sha1(policy_id.encode(), usedforsecurity=False).hexdigest()[:8]
    inputs = {"policyArn": policy_arn, "role": role["id"]}
    attachment = call.register(parent, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", f"{name}-{suffix}", inputs)
    call.register_outputs(parent, {"resolvedRole": role.reference, "directRole": role.reference})
    return role, attachment


def _subnet_ids(call: Construction) -> Output:
    public, private = call["publicSubnetIds"], call["privateSubnetIds"]
    if public.value is None and private.value is None:
        return call["subnetIds"]
    return apply(lambda *ids: [*(ids[0] or []), *(ids[1] or [])], public, private)


def _encryption_config(call: Construction) -> Output:
    key = call["encryptionConfigKeyArn"]
    return key.apply(lambda arn: arn and {"provider": {"keyArn": arn}, "resources": ["secrets"]})


def _cluster(
    call: Construction, component: str, role: Child, attachment: Child, subnet_ids: Output, encryption: Output
) -> Child:
    name = f"{call.name}-eksCluster"
    # The real component makes its deployer an administrator whatever the arguments say; only a transform undoes it.
    access = {"authenticationMode": call["authenticationMode"], "bootstrapClusterCreatorAdminPermissions": True}
    inputs = {
        **{key: call[key] for key in _PASSED_ON},
        "accessConfig": object_of(access),
        "bootstrapSelfManagedAddons": apply(lambda value: value is not False, call["bootstrapSelfManagedAddons"]),
        "encryptionConfig": encryption,
        "kubernetesNetworkConfig": apply(_network_config, *(call[key] for key in _NETWORK)),
        "roleArn": role["arn"],
        "tags": apply(lambda own, all: {"Name": name} | (own or {}) | (all or {}), call["clusterTags"], call["tags"]),
        "vpcConfig": object_of({"subnetIds": subnet_ids} | {key: call[key] for key in _VPC_CONFIG}),
    }
    made_before = [role.urn, attachment.urn]
    ignored = ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"]
    return call.register(component, "aws:eks/cluster:Cluster", name, inputs, made_before, ignoreChanges=ignored)


def _network_config(cidr: str | None, family: str | None) -> Values | None:
    if not cidr and not family:
        return None
    return {"ipFamily": family or "ipv4"} | ({"serviceIpv4Cidr": cidr} if cidr and family != "ipv6" else {})


def _access_entries(call: Construction, component: str, cluster: Child) -> None:
    def part(tree: Values, key: str) -> Output:
        if SIGNATURE in tree:
            return call.part("accessEntries", tree).apply(lambda plain: plain.get(key))
        return call.part("accessEntries", tree.get(key))

    for key, entry in (call["accessEntries"].value or {}).items():
        name, principal = f"{call.name}-{key}", part(entry, "principalArn")
        common = {"clusterName": cluster["name"], "principalArn": principal}
        own = {field: part(entry, field) for field in ("kubernetesGroups", "tags", "type")}
        inputs = {**common, **own, "userName": part(entry, "username")}
        parent = call.register(component, "aws:eks/accessEntry:AccessEntry", name, inputs, [cluster.urn]).urn
        for policy, association in (entry.get("accessPolicies") or {}).items():
            inputs = common | {field: part(association, field) for field in ("accessScope", "policyArn")}
            call.register(parent, _ASSOCIATION, f"{name}-{policy}", inputs, [parent])


def _kubeconfig(name: str, endpoint: str, authority: Values, arn: str) -> Values:
    api = "client.authentication.k8s.io/v1beta1"
    arguments = ["--region", arn.split(":")[3], "eks", "get-token", "--cluster-name", name, "--output", "json"]
    environment = [{"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{api}"}}'}]
    user = {"exec": {"apiVersion": api, "command": "aws", "args": arguments, "env": environment}}
    cluster = {"server": endpoint, "certificate-authority-data": authority["data"]}
    return {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": "kubernetes"}],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": user}],
    }


def _json(value: Any) -> str:
    """As JavaScript writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=repr)
