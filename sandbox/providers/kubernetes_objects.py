"""Kubernetes objects: the schemas that judge them before a server does, and what a server must offer."""

import json
from copy import deepcopy
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import yaml

from sandbox.kubernetes_api.reference import Reference
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values

# Built-in kinds that live outside namespaces.
CLUSTER_SCOPED = frozenset(
    """APIService CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle CompositePodGroup
    CSIDriver CSINode CustomResourceDefinition DeviceClass DeviceTaintRule FlowSchema IngressClass IPAddress
    MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node PersistentVolume
    PriorityClass PriorityLevelConfiguration ResourceSlice RuntimeClass ServiceCIDR StorageClass StorageVersion
    StorageVersionMigration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration
    VolumeAttachment VolumeAttributesClass""".split()  # noqa: SIM905 - a list of strings would be a page
)
SERVER_OWNED = ("creationTimestamp", "generation", "resourceVersion", "uid")


class ObjectStore(Protocol):
    """A Kubernetes API: creates or changes objects, and fills in what the server owns."""

    def create(self, reference: Reference, wanted: Values, *, dry_run: bool = False) -> Values: ...
    def apply(
        self, reference: Reference, wanted: Values, *, manager: str = ..., force: bool = False, dry_run: bool = False
    ) -> Values: ...
    def take_over(self, reference: Reference, manager: str) -> None: ...
    def get(self, reference: Reference) -> Values | None: ...
    def delete(self, reference: Reference, propagation: str = "Foreground") -> None: ...
    def namespaced(self, api_version: str, kind: str) -> bool: ...


def merged(wanted: Values, live: Values) -> Values:
    """The wanted object with what the server owns in the live one."""
    owned = {key: value for key, value in live["metadata"].items() if key in SERVER_OWNED}
    status = {"status": live["status"]} if "status" in live else {}
    return status | deepcopy(wanted) | {"metadata": deepcopy(wanted.get("metadata", {})) | owned}


class Schemas:
    """The schemas of one Kubernetes version: the wanted one, or the newest before it that there is."""

    def __init__(self, wanted: str | None = None) -> None:
        self._wanted = wanted

    @cached_property
    def folder(self) -> Path:
        spec = find_spec("kubernetes_validate")  # of that package, only its files: its import is slow
        places = spec.submodule_search_locations if spec else None
        assert places, "kubernetes-validate is not installed"
        folders = {_numbers(path.name): path for path in Path(places[0]).glob("kubernetes-json-schema/v*-local-strict")}
        return folders[max(found for found in folders if not self._wanted or found <= _numbers(self._wanted))]

    def built_in(self, api_version: str, kind: str) -> Path | None:
        group, _, number = api_version.rpartition("/")
        path = self.folder / f"{'-'.join(filter(None, (kind.lower(), group.split('.')[0], number)))}.json"
        return path if path.is_file() and ("." not in group or group.endswith(".k8s.io")) else None

    def may_be_custom(self, api_version: str) -> bool:
        group, _, number = api_version.rpartition("/")
        official = group.endswith(".k8s.io") and any(self.folder.glob(f"*-{group.split('.')[0]}-{number}.json"))
        return "." in group and not official

    def problems(self, path: Path, inputs: Values) -> list[tuple[str, str]]:
        """Pairs of property path and reason; what is not known yet cannot be wrong."""
        errors = [error for error in _validator(path).iter_errors(inputs) if error.instance is not UNKNOWN]
        return [(error.json_path.removeprefix("$").removeprefix("."), error.message) for error in errors]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.removeprefix("v").split("-")[0].split(".")[:2])


@cache
def _validator(path: Path) -> Any:
    from jsonschema import Draft202012Validator  # slow to import, and unchanged objects need no check
    from referencing import Registry, Resource

    schema, definitions = (json.loads(file.read_text()) for file in (path, path.parent / "_definitions.json"))
    registry: Any = Resource.from_contents(definitions) @ Registry()
    return Draft202012Validator(schema, registry=Resource.from_contents(schema) @ registry)


def active(config: Values) -> tuple[Values, Values, Values]:
    """Cluster, user and context that the kubeconfig of a provider's configuration chooses."""
    text: str = config.get("kubeconfig", "")
    try:
        content = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
        named = {
            part: {one["name"]: one[part[:-1]] for one in content[part]} for part in ("clusters", "contexts", "users")
        }
        context = named["contexts"][config.get("context") or content["current-context"]]
        return named["clusters"][context["cluster"]], named["users"][context["user"]], context
    except (AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError):
        raise ProviderError(  # without the text: a kubeconfig can hold credentials
            "configured Kubernetes cluster is unreachable: the embedded cloud reads the content of a kubeconfig in the "
            f"provider's `kubeconfig` and nothing else, and that is {'unreadable' if text else 'not set'}"
        ) from None


def cluster_name(config: Values) -> str:
    _, user, context = active(config)
    arguments: list[str] = user.get("exec", {}).get("args") or []
    return arguments[arguments.index("--cluster-name") + 1] if "--cluster-name" in arguments else context["cluster"]


def default_namespace(config: Values) -> str:
    in_context = active(config)[2].get("namespace") if config.get("kubeconfig") else None
    return config.get("namespace") or in_context or "default"
