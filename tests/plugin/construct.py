"""Constructs components twice over: through the plugin as an engine does, and in a Python program."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pulumi
from pulumi.automation._server import LanguageServer
from pulumi.output import _OutputData
from pulumi.provider.experimental.analyzer import PropertyDefinition
from pulumi.resource import DependencyProviderResource, DependencyResource
from pulumi.runtime.proto import language_pb2, provider_pb2, provider_pb2_grpc

from eks_analytics.schema import NAME, InheritingAnalyzer, public_components
from recording_engine import PROVIDER_ID, STACK
from sandbox.providers.component import OUTPUT, SIGNATURE
from sandbox.providers.protocol import to_struct

PROJECT = Path(__file__).resolve().parents[2]
HOST = PROJECT / "components" / "__main__.py"
UPSTREAM = "urn:pulumi:test::importing::other:index:Upstream::upstream"
"""What every Output among the arguments depends on."""
PROVIDERS = {
    package: f"urn:pulumi:test::importing::pulumi:providers:{package}::mine::{PROVIDER_ID}"
    for package in ("aws", "kubernetes", "eks", "command")
}
COMPONENTS = {component.__name__: component for component in public_components()}
ANALYSIS = InheritingAnalyzer(NAME).analyze([*COMPONENTS.values()])
DEFINITIONS, TYPES = ANALYSIS["component_definitions"], ANALYSIS["type_definitions"]


@dataclass(frozen=True)
class Value:
    """An argument as an Output of another resource."""

    value: Any
    known: bool

    def on_the_wire(self) -> dict[str, Any]:
        value = {"value": self.value} if self.known else {}
        return {SIGNATURE: OUTPUT, "dependencies": [UPSTREAM], "secret": True, **value}

    def in_python(self) -> pulumi.Output[Any]:
        data: asyncio.Future[_OutputData[Any]] = asyncio.get_event_loop().create_future()
        data.set_result(
            _OutputData(
                resources={DependencyResource(UPSTREAM)},
                value=self.value if self.known else None,
                is_known=self.known,
                is_secret=True,
            )
        )
        return pulumi.Output._from_data(data)


Wrap = Callable[[Any], Any]


def with_outputs(component: str, arguments: Mapping[str, Any], wrap: Wrap) -> dict[str, Any]:
    """The arguments with an Output wherever the schema takes one."""
    definition = DEFINITIONS[component]
    return _fields(arguments, definition.inputs, definition.inputs_mapping, wrap)


def _fields(
    given: Mapping[str, Any], properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], wrap: Wrap
) -> dict[str, Any]:
    declared = {python: properties[wire] for wire, python in names.items()}
    return {key: _property(value, declared[key], wrap) for key, value in given.items()}


def _property(value: Any, declared: PropertyDefinition, wrap: Wrap) -> Any:
    if not declared.plain:
        return wrap(value)
    if declared.items:
        return [_property(item, declared.items, wrap) for item in value]
    if declared.additional_properties:
        return {key: _property(item, declared.additional_properties, wrap) for key, item in value.items()}
    if declared.ref and declared.ref.startswith("#/types/"):
        inner = TYPES[declared.ref.rsplit(":", 1)[-1]]
        return _fields(value, inner.properties, inner.properties_mapping, wrap)
    return value


def camel_cased(component: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by the names that other languages know them by."""
    definition = DEFINITIONS[component]
    return _renamed(arguments, definition.inputs, definition.inputs_mapping)


def _renamed(
    given: Mapping[str, Any], properties: Mapping[str, PropertyDefinition], names: Mapping[str, str]
) -> dict[str, Any]:
    wire = {python: name for name, python in names.items()}
    return {wire[key]: _on_the_wire(value, properties[wire[key]]) for key, value in given.items()}


def _on_the_wire(value: Any, declared: PropertyDefinition) -> Any:
    if isinstance(value, Value):
        return value.on_the_wire()
    if declared.items:
        return [_on_the_wire(item, declared.items) for item in value]
    if declared.additional_properties:
        return {key: _on_the_wire(item, declared.additional_properties) for key, item in value.items()}
    if declared.ref and declared.ref.startswith("#/types/"):
        inner = TYPES[declared.ref.rsplit(":", 1)[-1]]
        return _renamed(value, inner.properties, inner.properties_mapping)
    return value


def _in_python(value: Any) -> Any:
    if isinstance(value, Value):
        return value.in_python()
    if isinstance(value, dict):
        return {key: _in_python(item) for key, item in value.items()}
    return [_in_python(item) for item in value] if isinstance(value, list) else value


@contextmanager
def plugin(engine: str) -> Iterator[Any]:
    """The plugin in a process of its own, as an engine starts it; yields a client."""
    command = [sys.executable, str(HOST), engine]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                yield provider_pb2_grpc.ResourceProviderStub(channel)
        finally:
            process.kill()


def construct(client: Any, address: str, component: str, arguments: Mapping[str, Any], preview: bool) -> Any:
    """Ask the plugin for a component, as an engine does for a program in any language."""
    given = camel_cased(component, arguments)
    return client.Construct(
        provider_pb2.ConstructRequest(
            project="importing",
            stack="test",
            organization="organization",
            dryRun=preview,
            parallel=16,
            monitorEndpoint=address,
            type=f"{NAME}:index:{component}",
            name="mine",
            parent=STACK,
            inputs=to_struct(given),
            inputDependencies={
                key: provider_pb2.ConstructRequest.PropertyDependencies(urns=[UPSTREAM] if _has_outputs(value) else [])
                for key, value in given.items()
            },
            providers=PROVIDERS,
            accepts_output_values=True,
        )
    )


def _has_outputs(value: Any) -> bool:
    if isinstance(value, dict):
        return value.get(SIGNATURE) == OUTPUT or any(_has_outputs(item) for item in value.values())
    return isinstance(value, list) and any(_has_outputs(item) for item in value)


def construct_in_python(address: str, component: str, arguments: Mapping[str, Any], preview: bool) -> None:
    """Run a Python program that makes the component."""

    def program() -> None:
        providers = [DependencyProviderResource(reference) for reference in PROVIDERS.values()]
        make: Any = COMPONENTS[component]
        make("mine", _in_python(dict(arguments)), pulumi.ResourceOptions(providers=providers))

    run(address, program, preview)


def run(address: str, program: Callable[[], object], preview: bool, config: Mapping[str, str] | None = None) -> None:
    """Run a Python program as the engine's language host does."""
    request = language_pb2.RunRequest(
        project="importing",
        stack="test",
        organization="organization",
        dryRun=preview,
        parallel=16,
        monitor_address=address,
        args=[address],
        config=config,
    )
    error = LanguageServer(program).Run(request, None).error
    assert not error, error
