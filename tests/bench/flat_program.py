"""Writes the program that a person would write without components: the same resources, one call after another."""

import importlib
from pathlib import Path
from typing import Any

import yaml

from sandbox.providers.schema import python_name

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_KUBERNETES = {
    "kubernetes:storage.k8s.io/v1:StorageClass": ("pulumi_kubernetes.storage.v1", "StorageClass"),
    "kubernetes:core/v1:ConfigMap": ("pulumi_kubernetes.core.v1", "ConfigMap"),
    "kubernetes:core/v1:Namespace": ("pulumi_kubernetes.core.v1", "Namespace"),
    "kubernetes:helm.sh/v3:Release": ("pulumi_kubernetes.helm.v3", "Release"),
}
_CUSTOM_RESOURCE = ("pulumi_kubernetes.apiextensions", "CustomResource")  # of every kind that the SDK does not know


def write_flat_program(plan: dict[str, Any], project: Path, folder: Path) -> int:
    """From the JSON of a preview that only creates; returns how many. Unknown values become references."""
    names: dict[str, str] = {}
    imports: set[str] = set()
    lines: list[str] = []
    for step in plan["steps"]:
        state = step["newState"]
        if not state.get("custom") or state["type"].startswith("pulumi:providers:aws"):
            continue
        module, cls = _class_of(state["type"])
        imports.add(f"import {module}")
        variable = f"r{len(names)}"
        dependencies = state.get("propertyDependencies") or {}
        arguments = [repr(state["urn"].rsplit("::", 1)[-1])]
        for key, value in (state.get("inputs") or {}).items():
            if key.startswith("__") or (key == "version" and "providers" in state["type"]):
                continue
            known = [names[urn] for urn in dependencies.get(key) or [] if urn in names]
            arguments.append(f"{_python_name(module, cls, key)}={_literal(value, known)}")
        provider = state.get("provider", "").rsplit("::", 1)[0]
        waits = [names[urn] for urn in state.get("dependencies") or [] if urn in names]
        options = [f"depends_on=[{', '.join(waits)}]"] if waits else []
        options += [f"provider={names[provider]}"] if provider in names else []
        if options:
            arguments.append(f"opts=pulumi.ResourceOptions({', '.join(options)})")
        lines.append(f"{variable} = {module}.{cls}({', '.join(arguments)})")
        names[state["urn"]] = variable
    folder.mkdir()
    (folder / "__main__.py").write_text("\n".join(["import pulumi", *sorted(imports), *lines, ""]))
    settings = yaml.safe_load((project / "Pulumi.yaml").read_text())
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
    return len(names)


def _class_of(token: str) -> tuple[str, str]:
    if token.startswith("pulumi:providers:"):
        return f"pulumi_{token.rsplit(':', 1)[1]}", "Provider"
    if token in _KUBERNETES:
        return _KUBERNETES[token]
    package, module, cls = token.split(":")
    if package == "kubernetes":
        return _CUSTOM_RESOURCE
    return f"pulumi_{package}.{python_name(module.split('/')[0])}", cls


def _python_name(module: str, cls: str, key: str) -> str:
    from pulumi._types import input_type_py_to_pulumi_names  # the SDK's own table, public nowhere

    if (module, cls) == _CUSTOM_RESOURCE:
        return {"apiVersion": "api_version"}.get(key, key)
    loaded = importlib.import_module(module)
    arguments = getattr(loaded, f"{cls}InitArgs", None) or getattr(loaded, f"{cls}Args")  # where a nested type took it
    names = {pulumi: python for python, pulumi in input_type_py_to_pulumi_names(arguments).items()}
    return names[key]


def _literal(value: Any, known: list[str]) -> str:
    """A Python expression; each unknown leaf refers to the property's dependencies in turn."""
    if value == UNKNOWN:
        return f"{known[0]}.id" if known else "None"
    if isinstance(value, list):
        parts = [_literal(item, known[index % len(known) :] if known else []) for index, item in enumerate(value)]
        return f"[{', '.join(parts)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {_literal(item, known)}" for key, item in value.items()) + "}"
    return repr(value)
