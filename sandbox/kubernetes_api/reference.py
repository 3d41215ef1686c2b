"""Names of Kubernetes objects."""

from dataclasses import dataclass


class KubernetesError(RuntimeError):
    """What a Kubernetes API says where it refuses, or why there is none; to be shown as it is."""


@dataclass(frozen=True)
class Reference:
    """Where an object lives; `namespace` is empty outside namespaces."""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


def no_such_kind(api_version: str, kind: str) -> str:
    """As the real provider says it."""
    return (
        "the Kubernetes API server reported that the apiVersion for this resource does not exist. Verify that any "
        f'required CRDs have been created: no matches for kind "{kind}" in version "{api_version}"'
    )
