"""Every public component through the plugin: a program in another language gets what one in Python gets."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.provider.experimental.analyzer import PropertyDefinition

from construct import COMPONENTS, DEFINITIONS, TYPES, Value, construct, construct_in_python, plugin, with_outputs
from eks_analytics.schema import NAME
from every_argument import ARGUMENTS
from recording_engine import Monitor, serve

URN = "urn:pulumi:test::importing::"
CASES = [(component, number) for component in COMPONENTS for number in range(len(ARGUMENTS.get(component, [])))]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with serve(Monitor(preview=False)) as engine, plugin(engine) as client:
        yield client


def test_there_are_arguments_for_every_public_component() -> None:
    assert sorted(ARGUMENTS) == sorted(COMPONENTS), "tests/plugin/every_argument.py: give every argument of each"


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_argument_is_given(component: str) -> None:
    definition = DEFINITIONS[component]
    given: set[str] = set()
    for arguments in ARGUMENTS[component]:
        given |= set(_paths(arguments, definition.inputs, definition.inputs_mapping))
    assert sorted(set(_declared(definition.inputs, definition.inputs_mapping)) - given) == []


@pytest.mark.parametrize(("component", "number"), CASES)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_the_plugin_makes_what_python_makes(client: Any, component: str, number: int, known: bool) -> None:
    arguments = with_outputs(component, ARGUMENTS[component][number], lambda value: Value(value, known))
    in_python, through_plugin = Monitor(preview=not known), Monitor(preview=not known)
    with serve(in_python) as address:
        construct_in_python(address, component, arguments, not known)
    with serve(through_plugin) as address:
        response = construct(client, address, component, arguments, not known)
    expected = in_python.recorded()
    assert len(expected) > 1
    assert list(_differences(expected, through_plugin.recorded())) == []
    assert through_plugin.hooks == in_python.hooks
    urn = f"{URN}{NAME}:index:{component}::mine"
    assert response.urn == urn
    names = DEFINITIONS[component].outputs_mapping
    outputs = {names[key]: value for key, value in MessageToDict(response.state).items()}
    assert outputs == in_python.outputs[urn]


def test_components_that_one_plugin_makes_at_once_do_not_mix(client: Any) -> None:
    at_once = ["Network", "NodePools", "DashInstallation", "Karpenter"]
    arguments = {name: with_outputs(name, ARGUMENTS[name][0], lambda value: Value(value, True)) for name in at_once}
    alone, together = Monitor(preview=False), Monitor(preview=False)
    with serve(alone) as address:
        for name in at_once:
            construct(client, address, name, arguments[name], False)
    with serve(together) as address, ThreadPoolExecutor() as pool:
        made = [pool.submit(construct, client, address, name, arguments[name], False) for name in at_once]
        assert [future.result().urn.split("::")[2].split(":")[-1] for future in made] == at_once
    assert list(_differences(alone.recorded(), together.recorded())) == []


def _differences(expected: Any, found: Any, path: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted({*expected, *found}):
            yield from _differences(expected.get(key), found.get(key), f"{path}/{key.removeprefix(URN)}")
    elif expected != found:
        yield f"{path}: {found!r} instead of {expected!r}"


def _declared(properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], path: str = "") -> Iterator[str]:
    """Paths of all arguments, those inside of objects included."""
    for wire, python in names.items():
        yield f"{path}{python}"
        if inner := _object(properties[wire]):
            yield from _declared(inner.properties, inner.properties_mapping, f"{path}{python}.")


def _paths(
    given: Mapping[str, Any], properties: Mapping[str, PropertyDefinition], names: Mapping[str, str], path: str = ""
) -> Iterator[str]:
    for wire, python in names.items():
        if python in given:
            yield f"{path}{python}"
            if inner := _object(properties[wire]):
                value = given[python]
                for item in value if isinstance(value, list) else [value]:
                    yield from _paths(item, inner.properties, inner.properties_mapping, f"{path}{python}.")


def _object(declared: PropertyDefinition) -> Any:
    reference = (declared.items or declared).ref or ""
    return TYPES[reference.rsplit(":", 1)[-1]] if reference.startswith("#/types/") else None
