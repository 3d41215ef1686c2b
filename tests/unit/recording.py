"""Pulumi without an engine: what a program registers is recorded, with its place in the tree and its dependencies."""

import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime.mocks import MockMonitor


@dataclass(frozen=True)
class Registration:
    """One resource as the engine would be asked for it. Property names are the engine's: camelCase."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    """URN of the parent, empty for the stack."""
    dependencies: frozenset[str]
    """Names of the resources that must exist first, as `type::name`."""
    property_dependencies: dict[str, frozenset[str]]
    request: Any = field(repr=False)
    """The request itself, for options seldom looked at."""

    @property
    def key(self) -> str:
        return f"{self.type}::{self.name}"


# An account in which EKS runs control planes in all zones but one.
_EVERYWHERE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": lambda _: {
        "names": [f"us-east-1{letter}" for letter in "abcdef"],
        "zoneIds": [f"use1-az{number}" for number in (1, 2, 4, 5, 3, 6)],
    },
    "aws:eks/getClusters:getClusters": lambda _: {"names": []},
    "aws:index/getCallerIdentity:getCallerIdentity": lambda _: {"accountId": "123456789012", "arn": "arn"},
}


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Answers as a provider would, and keeps the registrations."""

    registrations: list[Registration] = field(default_factory=list[Registration])
    outputs: dict[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """What the provider adds to the inputs, by resource type."""
    answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=lambda: {**_EVERYWHERE})
    """What functions answer, by token, e.g. `aws:ec2/getVpc:getVpc`."""
    warnings: list[str] = field(default_factory=list[str])
    existing: frozenset[str] | None = None
    """In a preview, the names of the resources that exist: only their ids are known. None outside of previews."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        id = f"{args.name}-id"
        if self.existing is not None and args.name not in self.existing:
            return "", args.inputs
        return id, {"arn": f"arn:aws:mock:us-east-1:123456789012:{id}", **args.inputs, **self.outputs.get(args.typ, {})}

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return self.answers[args.token](args.args), []

    @property
    def made(self) -> list[Registration]:
        """The registrations but for values that are only kept in the state, beside the component that they lock."""
        return [found for found in self.registrations if found.type != "pulumi:index:Stash"]

    def of(self, type: str) -> dict[str, Registration]:
        """The registrations of a type, by name. The type is its last part, e.g. `Subnet`."""
        return {found.name: found for found in self.registrations if found.type.split(":")[-1] == type}

    def needed(self, item: Registration) -> set[str]:
        """What must be there before it, however many steps lie between."""
        known = {one.key: one for one in self.registrations}
        found: set[str] = set()
        ahead = [item.key]
        while ahead:
            one = known.get(ahead.pop())
            for key in one.dependencies if one else ():
                if key not in found:
                    found.add(key)
                    ahead.append(key)
        return found

    def run(self, program: Callable[[], object]) -> dict[str, Any]:
        """Run a program to its end. Returns the known outputs of the component that it returns, plain."""
        known: dict[str, Any] = {}

        @pulumi.runtime.test
        def wrapped() -> pulumi.Output[list[Any]]:
            pulumi.runtime.set_mocks(self, monitor=_Monitor(self), preview=self.existing is not None)
            component = program()
            names = type(component).__annotations__ if component else {}
            return pulumi.Output.all(
                *(
                    getattr(component, name).apply(lambda value, name=name: known.update({name: value}))
                    for name in names
                    if not name.startswith("_")
                )
            )

        try:
            wrapped()
        except BaseException:
            # The SDK leaves coroutines of a program that was cut short. Collected while Python parses a module, their
            # report makes CPython 3.11 fail: keep them instead.
            gc.freeze()
            raise
        return known


class _Monitor(MockMonitor):
    """Keeps what the mocks alone are not told: parent, dependencies, options."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # gRPC dictates the name
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self._recorder.registrations.append(
                Registration(
                    type=request.type,
                    name=request.name,
                    inputs=pulumi.runtime.rpc.deserialize_properties(request.object),
                    parent=request.parent,
                    dependencies=_keys(request.dependencies),
                    property_dependencies={
                        name: _keys(found.urns) for name, found in request.propertyDependencies.items()
                    },
                    request=request,
                )
            )
        return response


def _keys(urns: Iterator[str]) -> frozenset[str]:
    return frozenset("::".join(urn.split("::")[2:]).split("$")[-1] for urn in urns)
