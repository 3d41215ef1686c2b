"""Stand-in for pulumi-kubernetes: built-in and custom objects with the semantics of the real provider."""

import hashlib
import re
import time
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import grpc
from pulumi.runtime.proto import provider_pb2

from sandbox.cloud import RELEASES, Cloud, CloudError, Store
from sandbox.durations import create_seconds
from sandbox.knobs import INJECTED, Knobs
from sandbox.kubernetes_api.client import FIELD_MANAGER, RefusedError
from sandbox.kubernetes_api.clusters import Clusters
from sandbox.kubernetes_api.reference import KubernetesError, Reference
from sandbox.providers import kubernetes_objects as k8s
from sandbox.providers import kubernetes_releases as helm
from sandbox.providers.protocol import (
    UNKNOWN,
    Changes,
    InvalidInputsError,
    ProviderError,
    Resource,
    StandIn,
    Values,
    contains_unknown,
    from_struct,
    generated_name,
    top_level_changes,
)
from sandbox.providers.schema import Schema, check_inputs, fields_of

_AUTONAMED = "pulumi.com/autonamed"
_FIELD_MANAGER = "__fieldManager"
"""The output in which the real provider keeps the name under which it applies an object."""
_DELETE_SECONDS = 600.0  # as the real provider, where neither customTimeouts nor an annotation says otherwise

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

    def __init__(
        self,
        cloud: Callable[[], Cloud],
        kubernetes_version: str | None = None,
        clusters: Clusters | None = None,
        knobs: Knobs | None = None,
    ) -> None:
        super().__init__()
        self._cloud, self._schemas = cloud, k8s.Schemas(kubernetes_version)
        self._clusters, self._knobs = clusters or Clusters(cloud), knobs or Knobs()

    @contextmanager
    def _errors(self, context: grpc.ServicerContext) -> Iterator[None]:
        with super()._errors(context):
            try:
                yield
            except (KubernetesError, CloudError) as error:
                raise ProviderError(str(error)) from None

    def Configure(self, request: Any, context: grpc.ServicerContext) -> Any:
        self._clusters.expect()
        return super().Configure(request, context)

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
        if resource.type == helm.TYPE:
            return _checked_release(resource, old, new, seed)
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
        changed = {path: kind for path, kind in _changes(old, new).items() if not _within(path, ignored)}
        if resource.type == helm.TYPE:
            return Changes(changed, {path for path in changed if path in ("name", "namespace")})
        key = " ".join(_type_of(resource))
        mutable = new.get("immutable") is not True and resource.config.get(_MUTABLE_BY.get(key, "")) == "true"
        paths = ("type",) if mutable else _REPLACING.get(key, ())
        replacing = {path for path in changed if _within(path, ("metadata.name", "metadata.namespace", *paths))}
        # A name that was given and stays is free for the new object only when the old one is gone.
        moves = bool({"metadata.name", "metadata.namespace"} & replacing) or _is_autonamed(new.get("metadata", {}))
        return Changes(changed, replacing, bool(replacing) and not moves)

    def create(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        if resource.type == helm.TYPE:
            return self._install(resource, inputs, preview)
        if preview:
            self._try(resource, "", inputs, {})
            return "", inputs
        reference = self._reference(resource, inputs, objects := self._objects(resource))
        if objects.get(reference) and resource.config.get("upsertExistingObjects") != "true":
            raise ProviderError(f'{reference.kind} "{reference.id}" already exists')
        self._may_fail("kubernetes", f"Apply{reference.kind}")
        manager = _field_manager(resource, inputs, {})
        if resource.config.get("upsertExistingObjects") == "true":
            live = objects.apply(reference, inputs, manager=manager, force=_is_forced(resource, inputs))
        else:
            live = objects.create(reference, inputs)
        return reference.id, live | {_FIELD_MANAGER: manager}

    def read(self, resource: Resource, id: str, inputs: Values, state: Values) -> tuple[str, Values, Values] | None:
        if resource.type == helm.TYPE:
            if (release := self._releases.get(_release_key(resource, id))) is None:
                return None
            return id, {key: value for key, value in release.items() if key != "status"}, release
        if (live := self._objects(resource).get(_reference_of(resource, id))) is None:
            return None
        own = {key: value for key, value in live["metadata"].items() if key not in k8s.SERVER_OWNED}
        given = {key: value for key, value in live.items() if key != "status"} | {"metadata": own}
        owner = {_FIELD_MANAGER: _field_manager(resource, inputs, state)}
        return id, _projected(given | _texts(live, inputs), inputs) if inputs else given, live | owner

    def update(self, resource: Resource, id: str, old: Values, state: Values, new: Values, preview: bool) -> Values:
        if resource.type == helm.TYPE:
            return self._upgrade(resource, id, state, new, preview)
        if preview:
            self._try(resource, id, new, state)
            return k8s.merged(new, state)
        objects, reference = self._objects(resource), _reference_of(resource, id)
        wanted = _ignored_as_live(new, objects.get(reference), resource.ignored)
        manager = _field_manager(resource, new, state)
        self._may_fail("kubernetes", f"Apply{_type_of(resource)[1]}")
        objects.take_over(reference, manager)
        live = objects.apply(reference, wanted, manager=manager, force=_is_forced(resource, new))
        return live | {_FIELD_MANAGER: manager}

    def delete(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        objects = self._objects(resource)
        if resource.type == helm.TYPE:
            self._may_fail("helm", "Uninstall")
            for definition in helm.to_delete(inputs or state, objects):
                self._delete(definition, objects, "Background", resource.timeout)
            self._releases.delete(_release_key(resource, id))
            return
        annotations = (inputs or state).get("metadata", {}).get("annotations") or {}
        # https://www.pulumi.com/registry/packages/kubernetes/api-docs/ names the annotations and the default.
        propagation = str(annotations.get("pulumi.com/deletionPropagationPolicy", "")).capitalize()
        if propagation not in ("Orphan", "Background"):
            propagation = "Foreground"
        said = str(annotations.get("pulumi.com/timeoutSeconds", ""))
        seconds = resource.timeout or (float(said) if said.isdigit() else 0)
        self._may_fail("kubernetes", f"Delete{_type_of(resource)[1]}")
        self._delete(_reference_of(resource, id), objects, propagation, seconds)

    def _delete(self, reference: Reference, objects: k8s.ObjectStore, propagation: str, seconds: float) -> None:
        """Ask for the deletion and wait until the object is gone, or another one has its name."""
        if (live := objects.get(reference)) is None:
            return
        objects.delete(reference, propagation)
        began, pause = time.monotonic(), 0.05
        seconds = seconds or _DELETE_SECONDS
        while (left := objects.get(reference)) and left["metadata"]["uid"] == live["metadata"]["uid"]:
            if time.monotonic() - began > seconds:
                raise ProviderError(f'{reference.kind} "{reference.id}" is not gone after {seconds:g} s: {_why(left)}')
            self.sleep(pause)
            pause = min(1.0, pause * 1.5)

    def _may_fail(self, service: str, operation: str) -> None:
        if self._knobs.fails(service, operation):
            raise ProviderError(f"{service}:{operation}: {INJECTED}")

    # Helm releases

    @property
    def _releases(self) -> Store:
        return self._cloud().store(RELEASES)

    def _install(self, resource: Resource, inputs: Values, preview: bool) -> tuple[str, Values]:
        if preview:
            return "", inputs
        id = f"{inputs['namespace']}/{inputs['name']}"
        key, objects = _release_key(resource, id), self._objects(resource)
        if self._releases.get(key):
            raise ProviderError("cannot re-use a name that is still in use")
        self.sleep(create_seconds(resource.type, inputs) * self._knobs.latency)
        self._may_fail("helm", "Install")
        helm.install(inputs, objects)
        self._releases.put(key, release := helm.record(inputs, 1))
        return id, release

    def _upgrade(self, resource: Resource, id: str, state: Values, new: Values, preview: bool) -> Values:
        if preview:
            return new
        key = _release_key(resource, id)
        if (before := self._releases.get(key)) is None:
            raise ProviderError(f'release "{id}" has no deployed releases')
        self._may_fail("helm", "Upgrade")
        helm.install(new, self._objects(resource))
        self._releases.put(key, release := helm.record(new, before["status"]["revision"] + 1))
        return release

    def find(self, resource: Resource, inputs: Values) -> list[str]:
        """The id of what an interrupted creation may have made: its inputs name it. Empty where there is none."""
        if resource.type == helm.TYPE:
            id = f"{inputs['namespace']}/{inputs['name']}"
            return [id] if self._releases.get(_release_key(resource, id)) else []
        objects = self._clusters.running_api(k8s.cluster_name(resource.config))
        if objects is None or "name" not in inputs["metadata"]:
            return []
        try:
            reference = self._reference(resource, inputs, objects)
        except RefusedError as error:  # the kind itself was not made
            if error.status != 404:
                raise
            return []
        return [reference.id] if objects.get(reference) else []

    # Where objects are

    def _objects(self, resource: Resource) -> k8s.ObjectStore:
        return self._clusters.api(k8s.cluster_name(resource.config), self.cancelled.is_set)

    def _try(self, resource: Resource, id: str, inputs: Values, state: Values) -> None:
        """What the server says of it, where one runs and everything is known; only an update can make what is missing.

        An object that exists and is to be made is on its way out, and says nothing about its successor.
        """
        if contains_unknown(inputs) or not resource.config.get("kubeconfig"):
            return
        objects = self._clusters.running_api(k8s.cluster_name(resource.config))
        if objects is None:
            return
        try:
            reference = _reference_of(resource, id) if id else self._reference(resource, inputs, objects)
            live = objects.get(reference)
            if id:
                wanted, manager = (
                    _ignored_as_live(inputs, live, resource.ignored),
                    _field_manager(resource, inputs, state),
                )
                # As the real provider: only the update itself makes the creator's fields its own, so this forces them.
                objects.apply(reference, wanted, manager=manager, force=True, dry_run=True)
            elif live is None:
                objects.create(reference, inputs, dry_run=True)
        except RefusedError as error:
            if error.status != 404:
                raise

    def _reference(self, resource: Resource, inputs: Values, objects: k8s.ObjectStore) -> Reference:
        api_version, kind = _type_of(resource)
        metadata, namespace = inputs["metadata"], ""
        if objects.namespaced(api_version, kind):
            namespace = metadata.get("namespace") or k8s.default_namespace(resource.config)
        return Reference(
            api_version, kind, namespace, metadata.get("name") or metadata["generateName"] + uuid4().hex[:5]
        )


def _checked_release(resource: Resource, old: Values, new: Values, seed: bytes) -> Values:
    name = old.get("name") or generated_name(f"{resource.name}-", seed, 8)
    namespace = k8s.default_namespace(resource.config)
    inputs = {"name": name, "namespace": namespace} | new
    if problems := list(helm.problems(inputs)):
        raise InvalidInputsError(problems)
    return inputs


def _release_key(resource: Resource, id: str) -> str:
    return f"{k8s.cluster_name(resource.config)}/{id}"


def _is_forced(resource: Resource, inputs: Values) -> bool:
    annotations = inputs.get("metadata", {}).get("annotations") or {}
    return "true" in (annotations.get("pulumi.com/patchForce"), resource.config.get("enablePatchForce"))


def _field_manager(resource: Resource, inputs: Values, state: Values) -> str:
    """Who owns the fields after an update; the real provider draws the eight digits at random and keeps them."""
    annotations = inputs.get("metadata", {}).get("annotations") or {}
    drawn = hashlib.sha256(resource.urn.encode()).hexdigest()[:8]
    return annotations.get("pulumi.com/patchFieldManager") or state.get(_FIELD_MANAGER) or f"{FIELD_MANAGER}-{drawn}"


def _ignored_as_live(wanted: Values, live: Values | None, ignored: Iterable[str]) -> Values:
    """With the live values of ignoreChanges' fields, whoever set them: handleSSAIgnoreFields of the real provider.

    It leaves out those that somebody else owns, which gives the same object.
    """
    kept = deepcopy(wanted)
    for path in ignored if live else ():
        *around, name = re.findall(r"[^.\[\]\"]+", path)
        ours: Any = kept
        theirs: Any = live
        for step in around:
            theirs = theirs.get(step) if isinstance(theirs, dict) else None
            ours = ours.setdefault(step, {}) if isinstance(ours, dict) and isinstance(theirs, dict) else None
        if isinstance(ours, dict) and isinstance(theirs, dict) and name in theirs:
            ours[name] = theirs[name]
    return kept


def _why(left: Values) -> str:
    """What a deletion waits for, in the words of the object."""
    finalizers = [*left["metadata"].get("finalizers", []), *left.get("spec", {}).get("finalizers", [])]
    conditions = left.get("status", {}).get("conditions", [])
    said = [one["message"] for one in conditions if one.get("status") == "True" and "Deletion" in one.get("type", "")]
    waits = f"it waits for {', '.join(map(str, finalizers))}" if finalizers else "the server says no reason"
    return "; ".join([waits, *said])


def _texts(live: Values, inputs: Values) -> Values:
    """A Secret's `stringData` is written and never shown: what of it is live, as text."""
    wanted, data = inputs.get("stringData"), live.get("data") or {}
    if live.get("kind") != "Secret" or not isinstance(wanted, Mapping):
        return {}
    return {"stringData": {key: b64decode(data[key]).decode(errors="replace") for key in wanted if key in data}}


def _type_of(resource: Resource) -> tuple[str, str]:
    _, api_version, kind = resource.type.split(":")
    return api_version.removeprefix("core/"), kind


def _reference_of(resource: Resource, id: str) -> Reference:
    namespace, _, name = id.rpartition("/")
    return Reference(*_type_of(resource), namespace, name)


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
    if isinstance(live, list) and isinstance(shape, list) and len(live) == len(shape):
        return [_projected(one, part) for one, part in zip(live, shape, strict=True)]
    return live
