"""Stand-in for pulumi-kubernetes: built-in and custom objects with the semantics of the real provider."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import grpc
from pulumi.runtime.proto import provider_pb2

from sandbox.cloud import Cloud
from sandbox.providers import kubernetes_objects as k8s
from sandbox.providers.protocol import (
    UNKNOWN,
    Changes,
    InvalidInputsError,
    ProviderError,
    Resource,
    StandIn,
    Values,
    from_struct,
    generated_name,
    top_level_changes,
)
from sandbox.providers.schema import Schema, check_inputs, fields_of

_AUTONAMED = "pulumi.com/autonamed"

# What pulumi-kubernetes replaces an object for, besides its name and namespace; see its provider/pkg/provider/diff.go.
_REPLACING: dict[str, tuple[str, ...]] = {
    "apps/v1 DaemonSet": ("spec.selector",),
    "apps/v1 Deployment": ("spec.selector",),
    "apps/v1 StatefulSet": (
        "spec.podManagementPolicy",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "batch/v1 Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": ("roleRef",),
    "rbac.authorization.k8s.io/v1 RoleBinding": ("roleRef",),
    "storage.k8s.io/v1 StorageClass": ("parameters", "provisioner"),
    "v1 ConfigMap": ("binaryData", "data"),
    "v1 PersistentVolume": ("spec.csi", "spec.hostPath", "spec.local", "spec.nfs"),
    "v1 PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "v1 Pod": ("spec",),
    "v1 ResourceQuota": ("spec.scopes",),
    "v1 Secret": ("data", "stringData", "type"),
    "v1 Service": ("spec.clusterIP",),
}
_MUTABLE_BY = {"v1 ConfigMap": "enableConfigMapMutable", "v1 Secret": "enableSecretMutable"}


class KubernetesProvider(StandIn):
    version = version("pulumi-kubernetes")

    def __init__(self, cloud: Callable[[], Cloud], kubernetes_version: str | None = None) -> None:
        super().__init__()
        self._cloud, self._schemas = cloud, k8s.Schemas(kubernetes_version)

    def check_config(self, config: Values) -> None:
        from pulumi_kubernetes import ProviderArgs  # slow to import, and programs with a provider have it already

        options = dict.fromkeys(config.keys() - {"version", "pluginDownloadURL", "__internal"}, UNKNOWN)
        failures = list(check_inputs(Schema("", fields_of(ProviderArgs), {}, ProviderArgs), options))
        unsupported = sorted({"cluster", "renderYamlToDirectory"} & options.keys())
        failures += [(key, "this option is not supported by the embedded cloud") for key in unsupported]
        if failures:
            raise InvalidInputsError(failures)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        """As the real provider: the cluster is told by its identifier, else by the settings of the active cluster."""
        with self._errors(context):
            old = from_struct(request.old_inputs if request.old_inputs.fields else request.olds)
            new = from_struct(request.news)
            changed = [key for key in top_level_changes(old, new, request.ignoreChanges) if key != "version"]
            selecting = [key for key in ("kubeconfig", "context") if key in changed]
            replaces: list[str] = []
            if "clusterIdentifier" in old and "clusterIdentifier" in new:
                replaces = [key for key in changed if key == "clusterIdentifier"]
            elif selecting and (new.get("kubeconfig") is UNKNOWN or k8s.active(old)[0] != k8s.active(new)[0]):
                replaces = selecting
            answers = provider_pb2.DiffResponse
            return answers(
                changes=answers.DIFF_SOME if changed else answers.DIFF_NONE, diffs=changed, replaces=replaces
            )

    def check(self, resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
        api_version, kind = _type_of(resource)
        built_in = self._schemas.built_in(api_version, kind)
        if built_in is None and (api_version == "helm.sh/v3" or not self._schemas.may_be_custom(api_version)):
            raise ProviderError(f"{resource.type} is not among the kinds of the embedded Kubernetes")
        inputs = {"apiVersion": api_version, "kind": kind} | new
        if isinstance(metadata := inputs.get("metadata", {}), dict):
            inputs["metadata"] = metadata = _named(resource, metadata, old.get("metadata", {}), seed)
            if built_in and kind not in k8s.CLUSTER_SCOPED:
                metadata.setdefault("namespace", k8s.default_namespace(resource.config))
        if built_in and inputs != old and (problems := self._schemas.problems(built_in, inputs)):
            raise InvalidInputsError(problems)
        return inputs

    def diff(self, resource: Resource, id: str, old: Values, state: Values, new: Values, ignored: list[str]) -> Changes:
        key = " ".join(_type_of(resource))
        mutable = new.get("immutable") is not True and resource.config.get(_MUTABLE_BY.get(key, "")) == "true"
        paths = ("type",) if mutable else _REPLACING.get(key, ())
        changed = {path: kind for path, kind in _changes(old, new).items() if not _within(path, ignored)}
        replacing = {path for path in changed if _within(path, ("metadata.name", "metadata.namespace", *paths))}
        # A name that was given and stays is free for the new object only when the old one is gone.
        moves = bool({"metadata.name", "metadata.namespace"} & replacing) or _is_autonamed(new.get("metadata", {}))
        return Changes(changed, replacing, bool(replacing) and not moves)

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        if preview:
            return "", inputs
        reference = self._reference(resource, inputs, objects := self._objects(resource))
        if objects.get(reference) and resource.config.get("upsertExistingObjects") != "true":
            raise ProviderError(f'{reference.kind} "{reference.id}" already exists')
        return reference.id, objects.apply(reference, inputs)

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        if (live := self._objects(resource).get(_reference_of(resource, id))) is None:
            return None
        own = {key: value for key, value in live["metadata"].items() if key not in k8s.SERVER_OWNED}
        given = {key: value for key, value in live.items() if key != "status"} | {"metadata": own}
        return id, _projected(given, inputs) if inputs else given, live

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        if preview:
            return k8s.merged(new, state)
        return self._objects(resource).apply(_reference_of(resource, id), new)

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        self._objects(resource).delete(_reference_of(resource, id))

    def _objects(self, resource: Resource) -> k8s.ObjectStore:
        return k8s.KeptObjects(self._cloud().store("kubernetes"), k8s.cluster_name(resource.config))

    def _reference(self, resource: Resource, inputs: Values, objects: k8s.ObjectStore) -> k8s.Reference:
        api_version, kind = _type_of(resource)
        namespaced = kind not in k8s.CLUSTER_SCOPED
        if self._schemas.built_in(api_version, kind) is None:
            namespaced = k8s.custom_scope(objects, api_version, kind) == "Namespaced"
        metadata = inputs["metadata"]
        namespace = metadata.get("namespace") or k8s.default_namespace(resource.config) if namespaced else ""
        return k8s.Reference(
            api_version, kind, namespace, metadata.get("name") or metadata["generateName"] + uuid4().hex[:5]
        )


def _type_of(resource: Resource) -> tuple[str, str]:
    _, api_version, kind = resource.type.split(":")
    return api_version.removeprefix("core/"), kind


def _reference_of(resource: Resource, id: str) -> k8s.Reference:
    namespace, _, name = id.rpartition("/")
    return k8s.Reference(*_type_of(resource), namespace, name)


def _named(resource: Resource, metadata: Values, old: Values, seed: bytes) -> Values:
    """With a generated name where there is none; one that was generated before stays."""
    if "name" in metadata or "generateName" in metadata:
        return dict(metadata)
    annotations = metadata.get("annotations", {})
    name = old.get("name") if _is_autonamed(old) else generated_name(f"{resource.name}-", seed, 8)
    named = metadata | {"name": name}
    return named if annotations is UNKNOWN else named | {"annotations": annotations | {_AUTONAMED: "true"}}


def _is_autonamed(metadata: Values) -> bool:
    return isinstance(annotations := metadata.get("annotations"), dict) and annotations.get(_AUTONAMED) == "true"


def _changes(old: Any, new: Any, path: str = "") -> dict[str, str]:
    """Changed paths, as deep as objects go; a list counts as one value."""
    before, after = ({} if side is None else side for side in (old, new))
    if not (isinstance(before, Mapping) and isinstance(after, Mapping) and (before or after)):
        return {} if old == new else {path: "add" if old is None else "delete" if new is None else "update"}
    changes: dict[str, str] = {}
    for key in {**before, **after}:
        here = f'{path}["{key}"]' if "." in key else f"{path}.{key}" if path else key
        changes |= _changes(before.get(key), after.get(key), here)
    return changes


def _within(path: str, parents: Any) -> bool:
    return any(path == parent or path.startswith((f"{parent}.", f"{parent}[")) for parent in parents)


def _projected(live: Any, shape: Any) -> Any:
    """The live values of what the inputs speak of."""
    if isinstance(live, Mapping) and isinstance(shape, Mapping):
        return {key: _projected(live[key], part) for key, part in shape.items() if key in live}
    return live
