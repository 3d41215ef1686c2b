"""The engine's provider protocol in plain Python: what the stand-in plugins have in common."""

import hashlib
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, Final, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import ListValue, Struct, Value
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

UNKNOWN_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET, _OUTPUT = "1b47061264138c4ac30d75fd1eb44270", "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.max_send_message_length", 400 * 1024 * 1024)]

Values = dict[str, Any]


class Unknown:
    """A value that the engine knows only after the update."""

    def __repr__(self) -> str:
        return "UNKNOWN"

    def __deepcopy__(self, _memo: object) -> "Unknown":
        return self


UNKNOWN: Final = Unknown()


class ProviderError(Exception):
    """A failure to show as it is. With `id`, the resource exists nevertheless and goes into the state as half made."""

    def __init__(self, message: str, id: str = "", state: Values | None = None, inputs: Values | None = None) -> None:
        super().__init__(message)
        self.id, self.state, self.inputs = id, state or {}, inputs or {}


class InvalidInputsError(ProviderError):
    """What Check (or Invoke) refuses: pairs of property path and reason."""

    def __init__(self, failures: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" if path else reason for path, reason in failures))
        self.failures = list(failures)


@dataclass(frozen=True)
class Resource:
    """The resource a call is about, and the configuration of the provider instance the call came through."""

    urn: str
    type: str
    name: str
    config: Values = field(default_factory=dict)
    timeout: float = 0.0
    """Seconds that the operation may take, by the resource's customTimeouts; 0 where it has none."""
    ignored: tuple[str, ...] = ()
    """Paths of ignoreChanges, of an update."""

    @staticmethod
    def of(urn: str, config: Values | None = None, timeout: float = 0.0) -> "Resource":
        _, _, qualified, name = urn.split("::", 3)
        return Resource(urn, qualified.rsplit("$", 1)[-1], name, config or {}, timeout)


@dataclass
class Changes:
    """The answer to Diff: each changed property path with "add", "update" or "delete"; a replacing path is in both."""

    changed: dict[str, str] = field(default_factory=dict)
    replacing: set[str] = field(default_factory=set)
    delete_before_replace: bool = False


def from_value(value: Value) -> Any:
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_WIRE else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [from_value(item) for item in value.list_value.values]
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields[SIGNATURE].string_value if SIGNATURE in fields else ""
            if signature in (_SECRET, _OUTPUT):
                return from_value(fields["value"]) if "value" in fields else UNKNOWN
            return from_struct(value.struct_value)
        case _:
            return None


def from_struct(struct: Struct) -> Values:
    """Plain values: secrets and output values unwrapped, whole numbers as int, nulls left out, unknowns as UNKNOWN."""
    return {key: plain for key, value in struct.fields.items() if (plain := from_value(value)) is not None}


def to_value(value: Any) -> Value:
    match value:
        case None:
            return Value(null_value=0)  # pyright: ignore[reportArgumentType]  # the enum's stub lacks its only number
        case Unknown():
            return Value(string_value=UNKNOWN_WIRE)
        case bool():
            return Value(bool_value=value)
        case int() | float():
            return Value(number_value=value)
        case str():
            return Value(string_value=value)
        case Mapping():
            return Value(struct_value=to_struct(value))
        case list() | tuple():
            return Value(list_value=ListValue(values=[to_value(item) for item in value]))
        case _:
            raise TypeError(f"{type(value).__name__} cannot be sent to the engine")


def to_struct(values: Mapping[str, Any]) -> Struct:
    return Struct(fields={key: to_value(value) for key, value in values.items() if value is not None})


def contains_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(contains_unknown(item) for item in value.values())
    return any(contains_unknown(item) for item in value) if isinstance(value, list) else value is UNKNOWN


def items_of(value: Any) -> list[Any]:
    """The items of a list; none where there is no list, or the engine does not know it yet."""
    return value if isinstance(value, list) else []


def top_level_changes(old: Values, new: Values, ignored: Sequence[str] = ()) -> dict[str, str]:
    """Which top-level properties differ; an unknown counts as different. `ignored` are paths of ignoreChanges."""
    skip = {path.split(".")[0].split("[")[0] for path in ignored}
    changes = {key: "delete" for key in old if key not in new}
    changes |= {key: "update" if key in old else "add" for key in new if key not in old or old[key] != new[key]}
    return {key: kind for key, kind in changes.items() if key not in skip}


def _answering(method: Callable[[Any, Any, grpc.ServicerContext], Any]) -> Callable[..., Any]:
    @wraps(method)
    def answer(self: "StandIn", request: Any, context: grpc.ServicerContext) -> Any:
        with self._errors(context):
            return method(self, request, context)

    return answer


class StandIn(provider_pb2_grpc.ResourceProviderServicer):
    """Base of the stand-ins: translates requests, leaves the rest to the typed methods below.

    Several provider instances of a program (`aws.Provider("other")`) attach to the same server; what tells them apart
    is the connection that each one opens, so the configuration is kept per connection.
    """

    version = "0.0.0"

    def __init__(self) -> None:
        self._configs: dict[str, Values] = {}
        self.cancelled = threading.Event()

    # What a stand-in implements.

    def check_config(self, config: Values) -> None:
        """Raises InvalidInputsError for a provider configuration that is not supported."""

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        """The inputs with defaults and generated names; raises InvalidInputsError. `seed`: for such names."""
        raise NotImplementedError

    def diff(self, resource: Resource, id: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Changes:
        changed = top_level_changes(old, new, ignored)
        return Changes(changed)

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        """Id (empty in preview) and state: inputs and outputs."""
        raise NotImplementedError

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        """Id, inputs and state as they are now; None where the resource is gone. Import: inputs and state are empty."""
        raise NotImplementedError

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        """The new state."""
        raise NotImplementedError

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        raise NotImplementedError

    def invoke(self, token: str, args: Values, preview: bool, config: Values) -> Values:
        raise ProviderError(f"function {token} is not supported by the embedded cloud")

    def sleep(self, seconds: float) -> None:
        """Waits, but not beyond the engine's cancellation."""
        if seconds > 0 and self.cancelled.wait(seconds):
            raise ProviderError("cancelled")

    # The protocol.

    def config_of(self, context: grpc.ServicerContext) -> Values:
        if (config := self._configs.get(context.peer())) is not None:
            return config
        known = list(self._configs.values())
        if any(config != known[0] for config in known):
            raise ProviderError("the connection of this provider instance was lost; run the command again")
        return known[0] if known else {}

    def _resource(self, request: Any, context: grpc.ServicerContext) -> Resource:
        return Resource.of(request.urn, self.config_of(context), getattr(request, "timeout", 0.0))

    @contextmanager
    def _errors(self, context: grpc.ServicerContext) -> Iterator[None]:
        """Errors of a stand-in become gRPC errors that the engine shows as a diagnostic of the resource."""
        try:
            yield
        except ProviderError as error:
            if error.id:
                _abort_half_made(context, error)
            context.abort(grpc.StatusCode.UNKNOWN, str(error))
        except Exception as error:
            context.abort(grpc.StatusCode.INTERNAL, f"stand-in failed: {error!r}\n{traceback.format_exc()}")

    def Handshake(self, request: Any, context: grpc.ServicerContext) -> Any:
        return provider_pb2.ProviderHandshakeResponse()

    def Attach(self, request: Any, context: grpc.ServicerContext) -> Empty:
        self.cancelled.clear()  # every engine cancels when it ends, and the next one may come to the same stand-in
        return Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> Empty:
        self.cancelled.set()
        return Empty()

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> Any:
        return plugin_pb2.PluginInfo(version=self.version)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        old = from_struct(request.old_inputs if request.old_inputs.fields else request.olds)
        changed = top_level_changes(old, from_struct(request.news), request.ignoreChanges)
        return _diff_response(Changes({key: kind for key, kind in changed.items() if key != "version"}))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._configs[context.peer()] = from_struct(request.args)
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    @_answering
    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        try:
            self.check_config(from_struct(request.news))
        except InvalidInputsError as error:
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(error))
        return provider_pb2.CheckResponse(inputs=request.news)

    @_answering
    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource, news = self._resource(request, context), from_struct(request.news)
        try:
            inputs = self.check(resource, from_struct(request.olds), news, request.randomSeed)
        except InvalidInputsError as error:
            return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(error))
        return provider_pb2.CheckResponse(inputs=to_struct(inputs))

    @_answering
    def Diff(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource, ignored = self._resource(request, context), list(request.ignoreChanges)
        old, state, new = (from_struct(values) for values in (request.old_inputs, request.olds, request.news))
        return _diff_response(self.diff(resource, request.id, old, state, new, ignored))

    @_answering
    def Create(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = self._resource(request, context)
        id, state = self.create(resource, from_struct(request.properties), request.preview)
        return provider_pb2.CreateResponse(id=id, properties=to_struct(state))

    @_answering
    def Read(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = self._resource(request, context)
        found = self.read(resource, request.id, from_struct(request.inputs), from_struct(request.properties))
        if found is None:
            return provider_pb2.ReadResponse()
        id, inputs, state = found
        return provider_pb2.ReadResponse(id=id, inputs=to_struct(inputs), properties=to_struct(state))

    @_answering
    def Update(self, request: Any, context: grpc.ServicerContext) -> Any:
        resource = replace(self._resource(request, context), ignored=tuple(request.ignoreChanges))
        old, state, new = (from_struct(values) for values in (request.old_inputs, request.olds, request.news))
        state = self.update(resource, request.id, old, state, new, request.preview)
        return provider_pb2.UpdateResponse(properties=to_struct(state))

    @_answering
    def Delete(self, request: Any, context: grpc.ServicerContext) -> Empty:
        resource = self._resource(request, context)
        self.delete(resource, request.id, from_struct(request.old_inputs), from_struct(request.properties))
        return Empty()

    @_answering
    def Invoke(self, request: Any, context: grpc.ServicerContext) -> Any:
        response = provider_pb2.InvokeResponse()
        try:
            result = self.invoke(request.tok, from_struct(request.args), request.preview, self.config_of(context))
            getattr(response, "return").CopyFrom(to_struct(result))
        except InvalidInputsError as error:
            response.failures.extend(_failures(error))
        return response


def _failures(error: InvalidInputsError) -> list[Any]:
    return [provider_pb2.CheckFailure(property=path, reason=reason) for path, reason in error.failures]


def _diff_response(changes: Changes) -> Any:
    kinds, detailed = provider_pb2.PropertyDiff.Kind, {}
    for path, kind in changes.changed.items():
        name = f"{kind.upper()}_REPLACE" if path in changes.replacing else kind.upper()
        detailed[path] = provider_pb2.PropertyDiff(kind=kinds.Value(name), inputDiff=True)
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changes.changed else provider_pb2.DiffResponse.DIFF_NONE,
        diffs=sorted({path.split(".")[0] for path in changes.changed}),
        replaces=sorted({path.split(".")[0] for path in changes.replacing}),
        detailedDiff=detailed,
        hasDetailedDiff=True,
        deleteBeforeReplace=changes.delete_before_replace,
    )


class _Abortion(grpc.Status):
    def __init__(self, details: str, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self.code, self.details, self.trailing_metadata = grpc.StatusCode.UNKNOWN, details, metadata


def _abort_half_made(context: grpc.ServicerContext, error: ProviderError) -> NoReturn:
    """The engine keeps the resource in its state and finishes it by an update next time."""
    half_made = provider_pb2.ErrorResourceInitFailed(
        id=error.id, properties=to_struct(error.state), inputs=to_struct(error.inputs), reasons=[str(error)]
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(error))
    status.details.add().Pack(half_made)
    context.abort_with_status(_Abortion(str(error), (("grpc-status-details-bin", status.SerializeToString()),)))
    raise AssertionError("unreachable")


@contextmanager
def serve(stand_ins: Mapping[str, StandIn]) -> Iterator[str]:
    """Serves the stand-ins on free loopback ports; yields the value for PULUMI_DEBUG_PROVIDERS."""
    servers: list[grpc.Server] = []
    try:
        ports: list[str] = []
        for package, stand_in in stand_ins.items():
            server = grpc.server(ThreadPoolExecutor(max_workers=64, thread_name_prefix=package), options=_OPTIONS)
            provider_pb2_grpc.add_ResourceProviderServicer_to_server(stand_in, server)
            ports.append(f"{package}:{server.add_insecure_port('127.0.0.1:0')}")
            server.start()
            servers.append(server)
        yield ",".join(ports)
    finally:
        for server in servers:
            server.stop(grace=0.2)


def generated_name(prefix: str, seed: bytes, digits: int = 7) -> str:
    """`prefix` and random hex digits as the engine's own auto-naming makes them: the same for the same seed."""
    return prefix + hashlib.sha256(seed + prefix.encode()).hexdigest()[:digits]
