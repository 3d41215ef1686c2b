"""An engine that records: what a program or a plugin registers with it, as it came over the wire."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import (
    callback_pb2,
    callback_pb2_grpc,
    engine_pb2,
    engine_pb2_grpc,
    resource_pb2,
    resource_pb2_grpc,
)

from sandbox.providers.component import REFERENCE, SIGNATURE
from sandbox.providers.protocol import from_struct, to_struct

ACCOUNT = "123456789012"
REFERENCED = (
    *("bucket_name", "install_script_key", "license_secret_arn", "tls_certificate_secret_arn"),
    *("tls_private_key_secret_arn", "admin_password_secret_arn", "kms_key_arn"),
)
STACK = "urn:pulumi:test::importing::pulumi:pulumi:Stack::importing-test"
PROVIDER_ID = "00000000-0000-0000-0000-000000000000"
CONTROL_PLANE = "aws:eks/cluster:Cluster"
# Where the call came from, and what a process makes up for itself.
_OF_THE_PROCESS = ("sourcePosition", "stackTrace", "parentStackTraceHandle", "transforms", "packageRef", "requestId")


def described(token: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """What an account answers that has whatever it is asked for."""
    id, region = str(args.get("id", "")), str(args.get("region", "us-east-1"))
    match token.split(":")[-1]:
        case "getRegion":
            return {"id": region, "region": region}
        case "getCallerIdentity":
            return {"accountId": ACCOUNT, "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/me"}
        case "getAvailabilityZones":
            return {"names": ["us-east-1a", "us-east-1b"], "zoneIds": ["use1-az1", "use1-az2"]}
        case "getVpc":
            dns = {"enableDnsSupport": True, "enableDnsHostnames": True}
            return {"id": id, "cidrBlock": "10.0.0.0/16", "cidrBlockAssociations": [], **dns, "tags": {}}
        case "getSubnet":
            zone = "us-east-1a" if id.endswith(("1", "3")) else "us-east-1b"
            return {
                "id": id,
                "vpcId": "vpc-0a1b2c3d4e5f67890",
                "availabilityZone": zone,
                "cidrBlock": f"10.0.{16 * int(id[-1])}.0/20",
                "availableIpAddressCount": 4091,
                "tags": {},
            }
        case "getRouteTables":
            # Subnets whose ids end with 3 and 4 are public ones.
            public = any(subnet in str(args) for subnet in ("7893", "7894"))
            return {"ids": ["rtb-public" if public else "rtb-private"]}
        case "getSecurityGroup":
            return {"id": id, "tags": {"app": "e6data"}}
        case "getRouteTable":
            target = {"gatewayId": "igw-1"} if "rtb-public" in str(args) else {"natGatewayId": "nat-1"}
            return {"routes": [{"cidrBlock": "0.0.0.0/0", **target}]}
        case "getClusters":
            return {"names": []}
        case "getCluster":
            return {
                "name": args["name"],
                "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/{args['name']}",
                "status": "ACTIVE",
                **_CLUSTER,
                "accessConfigs": [{"authenticationMode": "API"}],
                "vpcConfig": {"vpcId": "vpc-0a1b2c3d4e5f67890", "clusterSecurityGroupId": "sg-1"},
                "certificateAuthorities": [{"data": "Y2E="}],
            }
        case _:
            raise KeyError(token)


_CLUSTER = {
    "endpoint": "https://abc.eks.amazonaws.com",
    "certificateAuthority": {"data": "Y2E="},
    "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/ABC"}]}],
}


@dataclass
class Monitor(resource_pb2_grpc.ResourceMonitorServicer, engine_pb2_grpc.EngineServicer):
    """Answers as an engine whose providers take everything; in a preview, new resources have no ids yet."""

    preview: bool
    registrations: dict[str, Any] = field(default_factory=dict[str, Any])
    """What was registered, by URN, in any order."""
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    """What components registered as their outputs, by URN."""
    hooks: set[str] = field(default_factory=set[str])
    logged: list[str] = field(default_factory=list[str])

    # The engine.

    def Log(self, request: Any, context: Any) -> Empty:  # noqa: N802  # gRPC dictates the names
        if request.severity >= engine_pb2.WARNING:
            self.logged.append(request.message)
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=STACK)

    def SetRootResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        return engine_pb2.SetRootResourceResponse()

    # The monitor.

    def GetDeploymentInfo(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.DeploymentInfo(supportedFeatures=resource_pb2.ResourceMonitorFeature.values())

    def SupportsFeature(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.SupportsFeatureResponse(hasSupport=True)

    def RegisterPackage(self, request: Any, context: Any) -> Any:  # noqa: N802
        return resource_pb2.RegisterPackageResponse(ref=request.name)

    def RegisterResourceHook(self, request: Any, context: Any) -> Empty:  # noqa: N802
        self.hooks.add(request.name)
        return Empty()

    def SignalAndWaitForShutdown(self, request: Any, context: Any) -> Empty:  # noqa: N802
        return Empty()

    def Invoke(self, request: Any, context: Any) -> Any:  # noqa: N802
        response = resource_pb2.ResourceInvokeResponse()
        args = from_struct(request.args)
        found = self._found(args["urn"]) if request.tok == "pulumi:pulumi:getResource" else described(request.tok, args)
        getattr(response, "return").CopyFrom(to_struct(found))
        return response

    def ReadResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Of a reference to another stack: it has every output of an installation."""
        name = from_struct(request.properties)["name"]
        outputs = dict.fromkeys(REFERENCED, "arn:aws:mock:us-east-1:123456789012:of-another-stack")
        properties = to_struct({"name": name, "outputs": outputs, "secretOutputNames": []})
        return resource_pb2.ReadResourceResponse(urn=_urn("", request.type, request.name), properties=properties)

    def RegisterResource(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.type == "pulumi:pulumi:Stack":
            return resource_pb2.RegisterResourceResponse(urn=STACK)
        urn = _urn(request.parent, request.type, request.name)
        if urn in self.registrations:
            context.abort(grpc.StatusCode.ALREADY_EXISTS, f"Duplicate resource URN {urn}")
        self.registrations[urn] = request
        response = resource_pb2.RegisterResourceResponse(urn=urn, object=request.object)
        if request.type == "eks:index:Cluster":
            child = self._child_of_eks(request, urn)
            reference = {SIGNATURE: REFERENCE, "urn": child, "id": "" if self.preview else "control-plane"}
            response.object["eksCluster"] = reference
        elif request.custom and not self.preview:
            response.id = f"{request.name}-id"
            for key, value in _made_up(request).items():
                if key not in response.object:
                    response.object[key] = value
        return response

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Empty:  # noqa: N802
        self.outputs[request.urn] = MessageToDict(request.outputs)
        return Empty()

    def _found(self, urn: str) -> dict[str, Any]:
        if "pulumi:providers:" in urn:
            return {"urn": urn, "id": PROVIDER_ID, "state": {}}
        return {"urn": urn, "id": "" if self.preview else "control-plane", "state": self._control_plane()}

    def _control_plane(self) -> dict[str, Any]:
        known = {"name": "analytics", "vpcConfig": {"clusterSecurityGroupId": "sg-1", "subnetIds": ["subnet-a"]}}
        return known if self.preview else {**known, "arn": f"arn:aws:eks:us-east-1:{ACCOUNT}:cluster/a", **_CLUSTER}

    def _child_of_eks(self, request: Any, parent: str) -> str:
        """Registers the control plane as pulumi-eks does, after the transforms that it was given."""
        props = {"accessConfig": {"bootstrapClusterCreatorAdminPermissions": True}}
        asked = resource_pb2.RegisterResourceRequest(
            type=CONTROL_PLANE, name=f"{request.name}-eksCluster", parent=parent, custom=True, object=to_struct(props)
        )
        for callback in request.transforms:
            transform = resource_pb2.TransformRequest(
                type=asked.type, name=asked.name, custom=True, parent=parent, properties=asked.object
            )
            with grpc.insecure_channel(callback.target) as channel:
                answer = callback_pb2_grpc.CallbacksStub(channel).Invoke(
                    callback_pb2.CallbackInvokeRequest(token=callback.token, request=transform.SerializeToString())
                )
            changed = resource_pb2.TransformResponse.FromString(answer.response)
            asked.object.CopyFrom(changed.properties)
            asked.protect = changed.options.protect
        urn = _urn(parent, asked.type, asked.name)
        self.registrations[urn] = asked
        return urn

    def recorded(self) -> dict[str, dict[str, Any]]:
        """All registrations by URN, without what depends on the process that they came from."""
        return {urn: _comparable(request) for urn, request in self.registrations.items()}


def _urn(parent: str, type: str, name: str) -> str:
    qualified = parent.split("::")[2] if parent and parent != STACK else ""
    return f"urn:pulumi:test::importing::{qualified}{'$' if qualified else ''}{type}::{name}"


def _made_up(request: Any) -> dict[str, Any]:
    """What a provider adds to the inputs, of any resource."""
    ip = "198.51.100.7"
    return {
        "arn": f"arn:aws:mock:us-east-1:{ACCOUNT}:{request.name}",
        "name": f"{request.name}-name",
        "keyId": "1234",
        "latestVersion": 1,
        "ownerId": ACCOUNT,
        "publicIp": ip,
        "ipv6CidrBlock": "2600:1f00:0:100::/56",
        "publicDns": "ec2.example.com",
        "url": "https://sqs/q",
        "bucket": f"{request.name}-1",
        "allocationId": "eipalloc-1",
        "status": {"name": request.name} if request.type.startswith("kubernetes:helm") else "ACTIVE",
    }


def _comparable(request: Any) -> dict[str, Any]:
    found: dict[str, Any] = MessageToDict(request)
    for key in ("dependencies", "aliases"):
        found[key] = sorted(found.get(key, []), key=str)
    for dependencies in found.get("propertyDependencies", {}).values():
        dependencies["urns"] = sorted(dependencies.get("urns", []))
    # An option that is off says the same as one that is not there.
    return {key: value for key, value in found.items() if key not in _OF_THE_PROCESS and value not in (False, [], {})}


@contextmanager
def serve(monitor: Monitor) -> Iterator[str]:
    """Serves the engine and its monitor; yields their address."""
    server = grpc.server(ThreadPoolExecutor(max_workers=32))
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(monitor, server)
    engine_pb2_grpc.add_EngineServicer_to_server(monitor, server)
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield address
    finally:
        server.stop(grace=0.2)
