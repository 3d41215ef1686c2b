"""A Kubernetes API in memory, for tests of what the stand-in does before and after it asks a server."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sandbox.kubernetes_api.reference import Reference, no_such_kind
from sandbox.providers.kubernetes_objects import CLUSTER_SCOPED, merged
from sandbox.providers.protocol import ProviderError, Values

INITIAL_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


@dataclass
class KeptObjects:
    objects: dict[Reference, Values] = field(default_factory=dict[Reference, Values])

    def create(self, reference: Reference, wanted: Values, *, dry_run: bool = False) -> Values:
        return self.apply(reference, wanted, dry_run=dry_run)

    def take_over(self, reference: Reference, manager: str) -> None: ...

    def apply(
        self, reference: Reference, wanted: Values, *, manager: str = "", force: bool = False, dry_run: bool = False
    ) -> Values:
        namespace, live = Reference("v1", "Namespace", "", reference.namespace), self.get(reference)
        if reference.namespace not in ("", *INITIAL_NAMESPACES) and self.get(namespace) is None:
            raise ProviderError(f'namespaces "{reference.namespace}" not found')
        born = {"creationTimestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "uid": str(uuid.uuid4())}
        place = {"name": reference.name} | ({"namespace": reference.namespace} if reference.namespace else {})
        applied = merged(wanted, live or {"metadata": born | {"generation": 1, "resourceVersion": "0"}})
        metadata: Values = applied["metadata"] | place
        applied["metadata"] = metadata
        if applied != live and not dry_run:
            metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)
            metadata["generation"] += live is not None and applied | {"metadata": 0} != live | {"metadata": 0}
            self.objects[reference] = applied
        return applied

    def get(self, reference: Reference) -> Values | None:
        return self.objects.get(reference)

    def delete(self, reference: Reference, propagation: str = "Foreground") -> None:
        del self.objects[reference]
        if (reference.api_version, reference.kind) == ("v1", "Namespace"):
            for inside in [one for one in self.objects if one.namespace == reference.name]:
                del self.objects[inside]

    def namespaced(self, api_version: str, kind: str) -> bool:
        group, _, number = api_version.rpartition("/")
        if "." not in group or group.endswith(".k8s.io"):
            return kind not in CLUSTER_SCOPED
        for reference, definition in self.objects.items():
            spec = definition["spec"] if reference.kind == "CustomResourceDefinition" else {}
            served = any(one["name"] == number and one["served"] for one in spec.get("versions", []))
            if served and (spec["group"], spec["names"]["kind"]) == (group, kind):
                return spec["scope"] == "Namespaced"
        raise ProviderError(no_such_kind(api_version, kind))


@dataclass
class KeptClusters:
    """What the stand-in takes for the APIs of all clusters; none of them counts as running."""

    kept: dict[str, KeptObjects] = field(default_factory=dict[str, KeptObjects])

    def expect(self) -> None: ...

    def api(self, name: str, cancelled: object = None) -> KeptObjects:
        return self.kept.setdefault(name, KeptObjects())

    def running_api(self, name: str) -> None: ...
