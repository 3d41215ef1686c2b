"""Releases of Velero that belong together: server, plugin, chart and CLI, and what is peculiar to each. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

HUB = "docker.io/velero"
"""Where Velero's images are published."""
KUBECTL = "registry.k8s.io"
"""Where the image of kubectl is published that the chart renews the CRDs with."""
KUBECTL_TAG = "v1.35.0"
DEFAULT_PROFILE = "current"


@dataclass(frozen=True)
class VeleroProfile:
    """One set of versions that were released for each other."""

    version: str
    """Of the server, its node agent and the CLI."""
    plugin_version: str
    """Of velero-plugin-for-aws."""
    chart_version: str
    uploader: str
    """What the node agent copies files with."""
    identities: tuple[str, ...]
    """How the plugin can get its rights, the default first."""
    tested_on: tuple[str, ...]
    """Kubernetes versions on which Velero's maintainers tested it."""
    renews_crds: bool = True
    """Whether the chart's job that renews CRDs can run."""
    names_provider: bool = False
    """Whether the chart makes a server only where `configuration.provider` names a provider."""
    restore_helper: bool = False
    """Whether restores of files wait in an image of its own."""
    expands_namespaces: bool = True
    """Whether names of namespaces can be patterns such as dash-*."""

    def images(self, registry: str = "") -> list[str]:
        """All images that it runs, from a registry prefix or from where they are published."""
        hub = registry or HUB
        images = [f"{hub}/velero:{self.version}", f"{hub}/velero-plugin-for-aws:{self.plugin_version}"]
        if self.restore_helper:
            images.append(f"{hub}/velero-restore-helper:{self.version}")
        if self.renews_crds:
            images.append(f"{registry or KUBECTL}/kubectl:{KUBECTL_TAG}")
        return images


# Versions: the tables in the README files of vmware-tanzu/velero and vmware-tanzu/velero-plugin-for-aws.
PROFILES: Mapping[str, VeleroProfile] = {
    "current": VeleroProfile(
        version="v1.18.1",
        plugin_version="v1.14.0",
        chart_version="12.1.0",
        uploader="kopia",
        identities=("pod-identity", "irsa", "static"),
        tested_on=("1.33", "1.34", "1.35"),
    ),
    # As the vendor's guide has it. No chart was released with 1.10.3: this is the last one for 1.10, told the image.
    # Its plugin is of the AWS SDK before Pod Identity, and its job for CRDs pulls an image that is published no more.
    "documented": VeleroProfile(
        version="v1.10.3",
        plugin_version="v1.6.2",
        chart_version="3.2.0",
        uploader="restic",
        identities=("irsa", "static"),
        tested_on=("1.22", "1.23", "1.24", "1.25"),
        renews_crds=False,
        names_provider=True,
        restore_helper=True,
        expands_namespaces=False,
    ),
}


def version_warnings(name: str, kubernetes_version: str) -> Iterator[str]:
    """A sentence with the whole matrix, where the profile was not tested on this Kubernetes."""
    if kubernetes_version and kubernetes_version not in PROFILES[name].tested_on:
        matrix = "; ".join(
            f"{other}: Velero {profile.version} on {', '.join(profile.tested_on)}"
            for other, profile in PROFILES.items()
        )
        yield (
            f"profile {name}: Velero {PROFILES[name].version} is expected to work on Kubernetes {kubernetes_version}, "
            f"and was not tested on it by its maintainers. Tested were {matrix}. Try a restore before you rely on it."
        )
