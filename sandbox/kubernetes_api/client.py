"""A client of a Kubernetes API: server-side apply, and what the server itself says where it refuses."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from sandbox.kubernetes_api import certificates
from sandbox.kubernetes_api.reference import KubernetesError, Reference, no_such_kind

Values = dict[str, Any]

FIELD_MANAGER = "pulumi-kubernetes"
"""Creates objects, as an `Update` in the server's books: pulumi-kubernetes, provider/pkg/await/await.go, Creation."""
_TAKEN_OVER = {
    "Apply": ("kubectl",),
    "Update": ("kubectl", "before-first-apply", FIELD_MANAGER, "pulumi-resource-kubernetes"),
}
"""Whose fields the provider makes its own before it updates an object, by operation: fixCSAFieldManagers in the same
file. The names are prefixes (matchFieldManager in github.com/fluxcd/pkg/ssa, patch.go)."""
_ITS_OWN = {
    "api-priority-and-fairness-config-producer-v1",
    "kube-apiserver",
    "kube-controller-manager",
    "kubernetes-service-cidr-controller",
}
"""Who writes what every cluster has."""
_CRD = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
_KIND_SECONDS = 15


class RefusedError(KubernetesError):
    """The API server's own words, with its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class KubernetesApi:
    """The API of one cluster, for any number of threads."""

    def __init__(self, url: str, folder: Path, new_kinds: Callable[[], None] = lambda: None, attempts: int = 6) -> None:
        import urllib3  # slow to import, and a preview makes no client

        context = ssl.create_default_context(cafile=str(folder / certificates.AUTHORITY))
        context.load_cert_chain(folder / certificates.ADMIN, folder / certificates.ADMIN_KEY)
        self._pool = urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            int(url.rpartition(":")[2]),
            maxsize=32,
            ssl_context=context,
            timeout=urllib3.Timeout(connect=5, read=60),
            retries=urllib3.Retry(connect=attempts - 1, read=0, status=0, other=0, redirect=0, backoff_factor=0.2),
        )
        self._new_kinds = new_kinds
        self._lock = threading.Lock()
        self._kinds: dict[str, dict[str, dict[str, Any]]] = {}  # by apiVersion, then by kind

    # Objects

    def create(self, reference: Reference, wanted: Values, *, dry_run: bool = False) -> Values:
        """Create the object; in a dry run the server only says what it would do."""
        plural = self._kind(reference.api_version, reference.kind)["name"]
        path = self._collection(reference.api_version, plural, reference.namespace)
        return self._write("POST", path, reference, wanted, "application/json", dry_run)

    def apply(
        self,
        reference: Reference,
        wanted: Values,
        *,
        manager: str = FIELD_MANAGER,
        force: bool = False,
        dry_run: bool = False,
    ) -> Values:
        """Create or change the object by server-side apply."""
        path, forced = self._path(reference), {"force": json.dumps(force)}
        return self._write("PATCH", path, reference, wanted, "application/apply-patch+yaml", dry_run, manager, **forced)

    def take_over(self, reference: Reference, manager: str) -> None:
        """Make `manager` the owner of what the object's creator, or kubectl, has set."""
        entries = self.call("GET", self._path(reference))["metadata"].get("managedFields", [])
        taken = [entry for entry in entries if _is_taken_over(entry, manager)]
        if [(entry["manager"], entry["operation"]) for entry in taken] in ([], [(manager, "Apply")]):
            return
        fields: Values = {}
        for entry in taken:
            fields = _merged(fields, entry["fieldsV1"])
        own = taken[0] | {"manager": manager, "operation": "Apply", "fieldsV1": fields}
        left = [entry for entry in entries if entry not in taken]
        patch = [{"op": "replace", "path": "/metadata/managedFields", "value": [*left, own]}]
        self.call("PATCH", self._path(reference), patch, "application/json-patch+json")

    def _write(
        self,
        method: str,
        path: str,
        reference: Reference,
        wanted: Values,
        content_type: str,
        dry_run: bool,
        manager: str = FIELD_MANAGER,
        **options: str,
    ) -> Values:
        place = {"name": reference.name} | ({"namespace": reference.namespace} if reference.namespace else {})
        content = wanted | {
            "apiVersion": reference.api_version,
            "kind": reference.kind,
            "metadata": wanted.get("metadata", {}) | place,
        }
        options |= {"fieldManager": manager, "fieldValidation": "Strict"} | ({"dryRun": "All"} if dry_run else {})
        live = self.call(method, f"{path}?{urlencode(options)}", content, content_type)
        if (reference.api_version, reference.kind) == _CRD and not dry_run:
            self._wait_for_kind(live["spec"])
        return _shown(live)

    def get(self, reference: Reference) -> Values | None:
        try:
            return _shown(self.call("GET", self._path(reference)))
        except RefusedError as error:
            if error.status != 404:
                raise
            return None

    def delete(self, reference: Reference, propagation: str = "Foreground") -> None:
        """Ask for the deletion; the object may stay for a while."""
        try:
            self.call("DELETE", self._path(reference), {"propagationPolicy": propagation})
        except RefusedError as error:
            if error.status != 404:
                raise

    def list(self, api_version: str, kind: str) -> list[Values]:
        path = self._collection(api_version, self._kind(api_version, kind)["name"], "")
        return [_shown(one) for one in self.call("GET", path)["items"] or []]

    def namespaced(self, api_version: str, kind: str) -> bool:
        return bool(self._kind(api_version, kind)["namespaced"])

    def made_by_people(self) -> list[tuple[str, str]]:
        """Kind and id of everything that is not part of every cluster."""
        only_metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
        groups = self.call("GET", "/apis")["groups"]
        found: list[tuple[str, str]] = []
        for api_version in ("v1", *(group["preferredVersion"]["groupVersion"] for group in groups)):
            for kind in self._discovered(api_version).values():
                if not {"list", "delete"} <= {*kind["verbs"]}:  # not stored, only told
                    continue
                path = self._collection(api_version, kind["name"], "")
                for one in self.call("GET", path, accept=only_metadata)["items"] or []:
                    metadata = one["metadata"]
                    if not _is_its_own(kind["kind"], metadata):
                        reference = Reference(
                            api_version, kind["kind"], metadata.get("namespace", ""), metadata["name"]
                        )
                        found.append((f"kubernetes:{api_version}:{kind['kind']}", reference.id))
        return found

    # Requests

    def call(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | list[Values] | None = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Any:
        import urllib3

        body = None if content is None else json.dumps(content)
        try:
            response = self._pool.request(
                method, path, body=body, headers={"Content-Type": content_type, "Accept": accept}
            )
        except urllib3.exceptions.HTTPError as error:
            raise KubernetesError(f"the Kubernetes API of the embedded cloud does not answer: {error}") from None
        try:
            answer: Any = json.loads(response.data)
        except ValueError:
            answer = {"message": response.data.decode(errors="replace")}
        if response.status >= 400:
            raise RefusedError(response.status, answer.get("message", f"HTTP status {response.status}"))
        return answer

    def _path(self, reference: Reference) -> str:
        plural = self._kind(reference.api_version, reference.kind)["name"]
        return f"{self._collection(reference.api_version, plural, reference.namespace)}/{quote(reference.name)}"

    def _collection(self, api_version: str, plural: str, namespace: str) -> str:
        inside = f"/namespaces/{quote(namespace)}" if namespace else ""
        return f"/{'apis' if '/' in api_version else 'api'}/{api_version}{inside}/{plural}"

    # Kinds

    def _kind(self, api_version: str, kind: str) -> dict[str, Any]:
        with self._lock:
            known = self._kinds.get(api_version, {})
        if kind not in known:
            known = self._discovered(api_version)
            with self._lock:
                self._kinds[api_version] = known
        if kind not in known:
            raise RefusedError(404, no_such_kind(api_version, kind))
        return known[kind]

    def _discovered(self, api_version: str) -> dict[str, dict[str, Any]]:
        try:
            answer = self.call("GET", f"/{'apis' if '/' in api_version else 'api'}/{api_version}")
        except RefusedError as error:
            if error.status != 404:
                raise
            return {}
        return {one["kind"]: one for one in answer["resources"] if "/" not in one["name"]}

    def _wait_for_kind(self, spec: Values) -> None:
        """The server accepts objects of a new kind a moment after its definition."""
        deadline = time.monotonic() + _KIND_SECONDS
        versions = [f"{spec['group']}/{version['name']}" for version in spec["versions"] if version["served"]]
        while not all(spec["names"]["kind"] in self._discovered(version) for version in versions):
            if time.monotonic() > deadline:
                raise KubernetesError(f"the definition of {spec['names']['kind']} was not established in time")
            time.sleep(0.05)
        self._new_kinds()


def _is_its_own(kind: str, metadata: Values) -> bool:
    managers = {entry["manager"] for entry in metadata.get("managedFields", [])}
    # An object of which nobody has set any field has no manager.
    return (bool(managers) and managers <= _ITS_OWN) or (kind, metadata["name"]) == ("ServiceAccount", "default")


def _is_taken_over(entry: Values, manager: str) -> bool:
    operation = entry["operation"]
    if "subresource" in entry:
        return False
    return entry["manager"].startswith(_TAKEN_OVER[operation]) or (entry["manager"], operation) == (manager, "Apply")


def _merged(one: Values, other: Values) -> Values:
    """The union of two sets of fields, which the server writes as trees."""
    return one | {key: _merged(one.get(key, {}), part) for key, part in other.items()}


def _shown(live: Values) -> Values:
    """Without the server's book-keeping of who wrote which field."""
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    return live | {"metadata": metadata}
