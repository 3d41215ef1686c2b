"""What a stand-in for a component package needs: outputs as Pulumi's SDKs have them, and the engine's monitor."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from sandbox.providers.protocol import (
    UNKNOWN,
    ProviderError,
    StandIn,
    Values,
    contains_unknown,
    from_struct,
    from_value,
    to_struct,
    to_value,
)

# How the engine marks what plain JSON cannot say; see sdk/go/common/resource/properties.go of Pulumi.
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET, OUTPUT = "1b47061264138c4ac30d75fd1eb44270", "d0e6a833031e9bbcd3f4e8bde6ca49a4"
REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e"

_GOAL = resource_pb2.RegisterResourceRequest


@dataclass(frozen=True)
class Output:
    """A value as the engine sent it, marks of secrets and unknowns included, and the resources it depends on."""

    value: Any = None
    urns: frozenset[str] = frozenset()

    def apply(self, function: Callable[[Any], Any]) -> "Output":
        return apply(function, self)


def apply(function: Callable[..., Any], *outputs: Output) -> Output:
    """As in Pulumi's SDKs: unknown where an argument has an unknown in it, secret where one has a secret in it."""
    plain = [from_value(to_value(output.value)) for output in outputs]
    value = UNKNOWN if contains_unknown(plain) else function(*plain)
    secret = any(_is_secret(output.value) for output in outputs)
    return Output({SIGNATURE: SECRET, "value": value} if secret else value, _union(outputs))


def whole(output: Output) -> Output:
    """As `pulumi.output(object)`: unknown altogether where anything inside is."""
    known = not contains_unknown(from_value(to_value(output.value)))
    return output if known else Output(UNKNOWN, output.urns)


def object_of(fields: Mapping[str, Any]) -> Output:
    outputs = _outputs(fields)
    return Output({key: output.value for key, output in outputs.items()}, _union(outputs.values()))


def _outputs(fields: Mapping[str, Any]) -> dict[str, Output]:
    """Outputs of the fields that are there."""
    outputs = {key: field if isinstance(field, Output) else Output(field) for key, field in fields.items()}
    return {key: output for key, output in outputs.items() if output.value is not None}


def _union(outputs: Iterable[Output]) -> frozenset[str]:
    return frozenset[str]().union(*(output.urns for output in outputs))


def _walk(tree: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, Mapping):
        yield tree
    for child in tree.values() if isinstance(tree, Mapping) else tree if isinstance(tree, list) else ():
        yield from _walk(child)


def _is_secret(tree: Any) -> bool:
    return any(node.get(SIGNATURE) == SECRET or (SIGNATURE in node and node.get("secret")) for node in _walk(tree))


def _dependencies(tree: Any) -> frozenset[str]:
    marked = (node for node in _walk(tree) if node.get(SIGNATURE) == OUTPUT)
    return frozenset(urn for node in marked for urn in node.get("dependencies", ()))


@dataclass(frozen=True)
class Child:
    urn: str
    id: Any
    outputs: Values

    def __getitem__(self, name: str) -> Output:
        return Output(self.id if name == "id" else self.outputs.get(name, UNKNOWN), frozenset([self.urn]))

    @property
    def reference(self) -> Output:
        return Output({SIGNATURE: REFERENCE, "urn": self.urn, "id": self.id}, frozenset([self.urn]))


class ComponentStandIn(StandIn):
    """A provider whose resources are components: `construct` registers them and returns URN and outputs."""

    def construct(self, call: "Construction") -> tuple[str, Mapping[str, Any]]:
        raise NotImplementedError

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    def Construct(self, request: Any, context: grpc.ServicerContext) -> Any:
        with self._errors(context), grpc.insecure_channel(request.monitorEndpoint) as channel:
            call = Construction(request, resource_pb2_grpc.ResourceMonitorStub(channel))
            urn, fields = self.construct(call)
            outputs, dependencies = _outputs(fields), provider_pb2.ConstructResponse.PropertyDependencies
            call.register_outputs(urn, outputs)
            return provider_pb2.ConstructResponse(
                urn=urn,
                state=to_struct({key: output.value for key, output in outputs.items()}),
                stateDependencies={key: dependencies(urns=sorted(output.urns)) for key, output in outputs.items()},
            )


class Construction:
    """One component on its way: its arguments, and what it registers and asks through the engine."""

    def __init__(self, request: Any, monitor: resource_pb2_grpc.ResourceMonitorStub) -> None:
        self.type, self.name, self._request, self._monitor = request.type, request.name, request, monitor
        self._inputs: Values = MessageToDict(request.inputs)
        self.plain = from_struct(request.inputs)

    def __getitem__(self, argument: str) -> Output:
        return self.part(argument, self._inputs.get(argument))

    def part(self, argument: str, value: Any) -> Output:
        """A piece of an argument. Outputs inside say what they depend on; without any, the whole argument does."""
        inside = _dependencies(self._inputs.get(argument))
        return Output(
            value, _dependencies(value) if inside else frozenset(self._request.inputDependencies[argument].urns)
        )

    def register_component(self) -> str:
        """The component itself, with the options that its consumer gave; children inherit from it in the engine."""
        request = self._request
        lists = {key: getattr(request, key) for key in ("aliases", "ignoreChanges", "replaceOnChanges", "replace_with")}
        flags = {key: getattr(request, key) for key in ("protect", "retainOnDelete") if request.HasField(key)}
        arguments = {key: self[key] for key in self._inputs}
        options = {**lists, **flags, "depends_on": request.dependencies, "deletedWith": request.deletedWith}
        return self.register(request.parent, self.type, self.name, arguments, **options).urn

    def register(
        self,
        parent: str,
        type: str,
        name: str,
        inputs: Mapping[str, Any],
        depends_on: Iterable[str] = (),
        **options: Any,
    ) -> Child:
        outputs, package = _outputs(inputs), type.split(":")[0]
        custom = package != self.type.split(":")[0]
        goal = _GOAL(
            type=type,
            name=name,
            parent=parent,
            custom=custom,
            object=to_struct({key: output.value for key, output in outputs.items()}),
            propertyDependencies={
                key: _GOAL.PropertyDependencies(urns=sorted(output.urns)) for key, output in outputs.items()
            },
            dependencies=sorted({*depends_on} | _union(outputs.values())),
            providers={} if custom else self._request.providers,  # from there, the engine gives them to the children
            version=_version_of(type) if custom else "",
            **dict.fromkeys(("acceptSecrets", "acceptResources", "supportsPartialValues"), True),
            **options,
        )
        response = _call(self._monitor.RegisterResource, goal)
        return Child(response.urn, response.id or UNKNOWN, MessageToDict(response.object))

    def register_outputs(self, urn: str, fields: Mapping[str, Any]) -> None:
        outputs = to_struct({key: output.value for key, output in _outputs(fields).items()})
        _call(
            self._monitor.RegisterResourceOutputs,
            resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=outputs),
        )

    def invoke(self, token: str) -> Values:
        provider = self._request.providers.get(token.split(":")[0], "")
        request = resource_pb2.ResourceInvokeRequest(tok=token, provider=provider, version=_version_of(token))
        response = _call(self._monitor.Invoke, request)
        if response.failures:
            raise ProviderError("; ".join(f"{token}: {failure.reason}" for failure in response.failures))
        return from_struct(getattr(response, "return"))


def _version_of(token: str) -> str:
    """The engine has a default provider per version: with the installed version, it is the one of the program."""
    return version(f"pulumi-{token.removeprefix('pulumi:providers:').split(':')[0]}")


def _call(method: Any, request: Any) -> Any:
    try:
        return method(request)
    except grpc.RpcError as error:
        details = error.details() if isinstance(error, grpc.Call) else ""
        raise ProviderError(details or "the engine went away") from None
