"""Kubernetes objects, in whatever form a program declares them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml
from pulumi import FileAsset, StringAsset

from .kinds import CHARTS
from .rule import Resource
from .values import apart, block, items, mappings

_CORE = ("v1", "core/v1")


class Object(NamedTuple):
    """An object of the Kubernetes API, or a part of one that a patch gives."""

    api: str
    """Group and version, such as `apps/v1`; `v1` for the core group."""
    kind: str
    body: Mapping[str, Any]
    is_patch: bool = False

    def is_core(self, kind: str) -> bool:
        return self.kind == kind and self.api in _CORE


def kinds(*names: str) -> tuple[str, ...]:
    """The resource types by which a program may declare an object of such a kind: itself, a patch of it, a list, as a
    custom resource of any group, or in the values of a chart."""
    return (*(f"kubernetes:*:{name}{form}" for name in names for form in ("", "Patch", "List")), *CHARTS)


def objects(resource: Resource) -> Iterator[Object]:
    """The objects that a resource declares."""
    if resource.resource_type in CHARTS:
        for values in chart_values(resource):
            yield from _embedded(values)
        return
    _, api, kind = resource.resource_type.split(":", 2)
    if kind.endswith("List"):
        yield from apart(items(resource.props, "items"), lambda one: iter([Object(api, kind[:-4], one)]))
    else:
        yield Object(api, kind.removesuffix("Patch"), resource.props, kind.endswith("Patch"))


def chart_values(resource: Resource) -> Iterator[Mapping[str, Any]]:
    """The values that a program gives a chart: an object, and files of YAML that can be read here."""
    yield block(resource.props, "values")
    for asset in items(resource.props, "valueYamlFiles"):
        try:
            values = yaml.safe_load(_text(asset))
        except yaml.YAMLError as error:
            raise ValueError("no YAML") from error
        if isinstance(values, Mapping):
            yield cast("Mapping[str, Any]", values)


def _text(asset: Any) -> str:
    if isinstance(asset, StringAsset):
        return asset.text
    if isinstance(asset, FileAsset):
        with suppress(OSError):  # relative to the program's folder, which need not be this one
            return Path(asset.path).read_text()
    return ""


def _embedded(values: Mapping[str, Any]) -> Iterator[Object]:
    """Manifests in a chart's values, such as those that `extraObjects` of many charts takes."""

    def of(body: Mapping[str, Any]) -> Iterator[Object]:
        if all(isinstance(body.get(key), str) for key in ("kind", "apiVersion")):
            yield Object(str(body["apiVersion"]), str(body["kind"]), body)

    yield from apart(list(mappings(values)), of)
