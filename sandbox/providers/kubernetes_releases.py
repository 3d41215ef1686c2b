"""Helm releases: what cannot be right about one is refused, the rest is recorded, and the chart's CRDs are installed.

No chart is fetched or rendered: what a chart would make beside its CRDs does not exist here.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.kubernetes_api import build
from sandbox.kubernetes_api.reference import Reference
from sandbox.providers.kubernetes_objects import ObjectStore
from sandbox.providers.protocol import UNKNOWN, Values
from sandbox.providers.schema import Schema, check_inputs, fields_of

TYPE = "kubernetes:helm.sh/v3:Release"
_KEEP = "helm.sh/resource-policy"
_PINNED = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True)
class Chart:
    """What a chart's own documentation says of it."""

    repository: str
    """Where it is published; an oci:// address is the chart itself."""
    flags: str = ""
    numbers: str = ""
    texts: str = ""
    lists: str = ""
    objects: str = ""
    required: tuple[str, ...] = ()
    crds: bool = False
    """Whether it installs CRDs that we have."""
    crds_go_with_it: str = ""
    """Whether those are deleted with the release: "always", or the flag among its values that says so."""
    removed: tuple[str, int] | None = None
    """A value without which older versions make nothing, and the major version that refuses it."""

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The kind of each documented value by its dotted path."""
        kinds = ("flags", "numbers", "texts", "lists", "objects")
        return {path: kind for kind in kinds for path in getattr(self, kind).split()}

    @property
    def is_oci(self) -> bool:
        return self.repository.startswith("oci://")


_POD = "affinity nodeSelector podAnnotations podLabels podSecurityContext"
# Values: charts/karpenter/values.yaml of aws/karpenter-provider-aws, helm/aws-load-balancer-controller/values.yaml of
# kubernetes-sigs/aws-load-balancer-controller, charts/velero/values.yaml of vmware-tanzu/helm-charts.
CHARTS = {
    "karpenter": Chart(
        "oci://public.ecr.aws/karpenter/karpenter",
        flags="""hostNetwork serviceAccount.create serviceMonitor.enabled settings.disableClusterStateObservability
        settings.disableDryRun settings.eksControlPlane settings.enableZonalShift settings.featureGates.capacityBuffer
        settings.featureGates.nodeOverlay settings.featureGates.nodeRepair settings.featureGates.reservedCapacity
        settings.featureGates.spotToSpotConsolidation settings.featureGates.staticCapacity settings.ignoreDRARequests
        settings.isolatedVPC""",
        numbers="""controller.healthProbe.port controller.metrics.port replicas revisionHistoryLimit
        settings.reservedENIs settings.vmMemoryOverheadPercent terminationGracePeriodSeconds""",
        texts="""controller.containerName controller.image.digest controller.image.repository controller.image.tag
        dnsPolicy fullnameOverride imagePullPolicy logLevel nameOverride podDisruptionBudget.name priorityClassName
        schedulerName serviceAccount.name settings.amiRefreshInterval settings.batchIdleDuration
        settings.batchMaxDuration settings.clusterCABundle settings.clusterEndpoint settings.clusterName
        settings.interruptionQueue settings.minValuesPolicy settings.preferencePolicy settings.subnetRefreshInterval""",
        lists="""additionalClusterRoleRules controller.env controller.envFrom controller.extraVolumeMounts
        controller.sidecarContainer controller.sidecarVolumeMounts extraVolumes imagePullSecrets logErrorOutputPaths
        logOutputPaths tolerations topologySpreadConstraints""",
        objects=f"""{_POD} additionalAnnotations additionalLabels controller controller.image controller.metrics
        controller.resources controller.securityContext dnsConfig podDisruptionBudget service serviceAccount
        serviceAccount.annotations serviceMonitor settings settings.featureGates strategy""",
        required=("settings.clusterName",),
        crds=True,
    ),
    "karpenter-crd": Chart(
        "oci://public.ecr.aws/karpenter/karpenter-crd",
        objects="additionalAnnotations",
        crds=True,
        crds_go_with_it="always",
    ),
    "aws-load-balancer-controller": Chart(
        "https://aws.github.io/eks-charts",
        flags="""autoscaling.enabled clusterSecretsPermissions.allowAllSecrets configureDefaultAffinity
        createIngressClassResource disableIngressClassAnnotation disableIngressGroupNameAnnotation
        disableRestrictedSecurityGroupRules enableBackendSecurityGroup enableCertManager enableEndpointSlices
        enableManageBackendSecurityGroupRules enablePodReadinessGateInject enableServiceMutatorWebhook enableShield
        enableWaf enableWafv2 hostNetwork ingressClassConfig.default ingressClassParams.create keepTLSSecret rbac.create
        serviceAccount.automountServiceAccountToken serviceAccount.create serviceMonitor.enabled
        tolerateNonExistentBackendAction tolerateNonExistentBackendService""",
        numbers="""autoscaling.maxReplicas autoscaling.minReplicas awsMaxRetries ingressMaxConcurrentReconciles
        maxTargetsPerTargetGroup replicaCount revisionHistoryLimit serviceMaxConcurrentReconciles
        targetgroupbindingMaxConcurrentReconciles terminationGracePeriodSeconds webhookBindPort""",
        texts="""backendSecurityGroup cluster.dnsDomain clusterName defaultLoadBalancerScheme defaultSSLPolicy
        defaultTargetType dnsPolicy fullnameOverride image.pullPolicy image.repository image.tag ingressClass
        ingressClassParams.name loadBalancerClass logLevel metricsBindAddr nameOverride priorityClassName region
        runtimeClassName serviceAccount.name serviceMutatorWebhookConfig.failurePolicy syncPeriod vpcId
        watchNamespace""",
        lists="""externalManagedTags extraVolumeMounts extraVolumes imagePullSecrets tolerations
        topologySpreadConstraints""",
        objects=f"""{_POD} additionalLabels autoscaling controllerConfig controllerConfig.featureGates defaultTags
        deploymentAnnotations image ingressClassParams podDisruptionBudget rbac resources securityContext
        serviceAccount serviceAccount.annotations serviceAnnotations serviceMutatorWebhookConfig updateStrategy vpcTags
        webhookConfig""",
        required=("clusterName",),
    ),
    "velero": Chart(
        "https://vmware-tanzu.github.io/helm-charts",
        flags="""backupsEnabled cleanUpCRDs configuration.defaultSnapshotMoveData configuration.defaultVolumesToFsBackup
        credentials.useSecret deployNodeAgent metrics.enabled metrics.prometheusRule.autodetect
        metrics.prometheusRule.enabled metrics.serviceMonitor.autodetect metrics.serviceMonitor.enabled
        nodeAgent.disableHostPath nodeAgent.useScratchEmptyDir
        podDisruptionBudget.enabled rbac.clusterAdministrator rbac.create serviceAccount.server.create snapshotsEnabled
        upgradeCRDs""",
        numbers="terminationGracePeriodSeconds configuration.clientBurst configuration.clientQPS",
        texts="""configuration.defaultBackupTTL configuration.features configuration.logFormat configuration.logLevel
        configuration.provider configuration.uploaderType credentials.existingSecret credentials.name dnsPolicy
        fullnameOverride image.pullPolicy image.repository image.tag kubectl.image.repository kubectl.image.tag
        nameOverride priorityClassName rbac.clusterAdministratorName
        runtimeClassName serviceAccount.server.name""",
        lists="""configuration.backupStorageLocation configuration.extraArgs configuration.extraEnvVars
        configuration.volumeSnapshotLocation extraObjects extraVolumeMounts extraVolumes hostAliases
        image.imagePullSecrets initContainers metrics.prometheusRule.spec tolerations""",
        objects=f"""{_POD} annotations configMaps configuration containerSecurityContext credentials
        credentials.secretContents image kubectl kubectl.image labels metrics metrics.prometheusRule
        metrics.serviceMonitor namespace nodeAgent podDisruptionBudget rbac resources
        schedules serviceAccount serviceAccount.server serviceAccount.server.annotations""",
        crds=True,
        crds_go_with_it="cleanUpCRDs",
        removed=("configuration.provider", 4),
    ),
}
_ACCEPTED: dict[str, tuple[tuple[type, ...], str]] = {
    "flags": ((bool,), "true or false"),  # templates take the text "false" for true
    "numbers": ((int, float), "a number"),
    "texts": ((str, int, float, bool), "a text"),
    "lists": ((list,), "a list"),
    "objects": ((dict,), "an object"),
}


def problems(inputs: Values) -> Iterator[tuple[str, str]]:
    """Pairs of property path and reason."""
    from pulumi_kubernetes.helm.v3 import ReleaseArgs  # slow to import, and only programs with a release need it

    yield from check_inputs(Schema(TYPE, fields_of(ReleaseArgs), {}, ReleaseArgs), inputs)
    if "version" not in inputs or not _is_pinned(inputs["version"]):
        yield "version", f"{inputs.get('version', 'nothing')!r} pins no version: write one such as 1.2.3"
    reference = inputs.get("chart", UNKNOWN)
    if not isinstance(reference, str):
        return
    name = chart_name(reference)
    chart = CHARTS.get(name)
    if chart is None:
        near = difflib.get_close_matches(name, CHARTS, 1, 0.6)
        known = f"did you mean {near[0]!r}?" if near else f"the embedded cloud knows {', '.join(sorted(CHARTS))}"
        yield "chart", f"{reference!r} is no known chart; {known}"
        return
    yield from _source_problems(reference, inputs.get("repositoryOpts", {}), chart, name)
    values = inputs.get("values", {})
    if isinstance(values, dict):
        yield from _value_problems(chart, values, "")
        for path in chart.required:
            if _at(values, path) in (None, ""):
                yield f"values.{path}", f"is required by the chart {name}"
        if chart.removed and _is_pinned(version := inputs.get("version")) and version is not UNKNOWN:
            yield from _removal_problems(*chart.removed, values, str(version))


def _removal_problems(path: str, major: int, values: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    given = _at(values, path) not in (None, "")
    if int(version.split(".")[0]) >= major:
        if given:
            yield f"values.{path}", f"the chart refuses it since {major}.0.0"
    elif not given:
        yield f"values.{path}", f"without it the chart {version}, older than {major}.0.0, makes no server"


def chart_name(reference: str) -> str:
    return reference.rstrip("/").rpartition("/")[2]


def _is_pinned(version: Any) -> bool:
    return version is UNKNOWN or (isinstance(version, str) and bool(_PINNED.fullmatch(version)))


def _source_problems(reference: str, options: Any, chart: Chart, name: str) -> Iterator[tuple[str, str]]:
    repository = options.get("repo") if isinstance(options, dict) else options
    if reference.startswith("oci://"):
        if repository is not None:
            yield "repositoryOpts.repo", f"leave it out: {reference!r} says already where the chart is"
    elif reference != name:
        yield "chart", f"{reference!r} is neither an oci:// address nor the name of a chart: write {name!r}"
    elif chart.is_oci:
        yield "chart", f"this chart is in no chart repository: write {chart.repository!r}, or your mirror's address"
    elif repository is None:
        yield "repositoryOpts.repo", f"is missing, so the chart cannot be found: write {chart.repository!r}"
    elif isinstance(repository, str) and not repository.startswith(("http://", "https://")):
        yield "repositoryOpts.repo", f"{repository!r} is no address of a chart repository: write {chart.repository!r}"


def _value_problems(chart: Chart, values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    siblings = {path[len(prefix) :].split(".")[0] for path in chart.kinds if path.startswith(prefix)}
    for key, value in values.items():
        path = f"{prefix}{key}"
        if value is None or value is UNKNOWN:
            continue
        kind = chart.kinds.get(path)
        if kind is not None:
            yield from _clash(path, kind, value)
        elif key in siblings and not isinstance(value, dict):
            yield f"values.{path}", f"{value!r} is not an object"
        # A chart ignores what it does not know, so that a slip of the pen goes unnoticed; other keys may be new ones.
        elif key not in siblings and (near := difflib.get_close_matches(key, siblings, 1, 0.85)):
            yield f"values.{path}", f"the chart has no such value; did you mean {near[0]!r}?"
        if isinstance(value, dict) and any(known.startswith(f"{path}.") for known in chart.kinds):
            yield from _value_problems(chart, value, f"{path}.")


def _clash(path: str, kind: str, value: Any) -> Iterator[tuple[str, str]]:
    types, words = _ACCEPTED[kind]
    is_number = isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value)
    right = isinstance(value, types) and not (kind == "numbers" and isinstance(value, bool))
    if not right and not (kind == "numbers" and is_number):
        yield f"values.{path}", f"{value!r} is not {words}"


def _at(values: Mapping[str, Any], path: str) -> Any:
    value: Any = values
    for key in path.split("."):
        if value is UNKNOWN:
            return UNKNOWN
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def record(inputs: Values, revision: int) -> Values:
    """The release as the provider's outputs show it."""
    status = {key: inputs[key] for key in ("name", "namespace", "version")}
    status |= {"chart": chart_name(inputs["chart"]), "revision": revision, "status": "deployed"}
    return inputs | {"status": status}


def install(inputs: Values, objects: ObjectStore) -> None:
    """Make the namespace where the release asks for it, and the chart's CRDs."""
    name = chart_name(inputs["chart"])
    chart, namespace = CHARTS[name], Reference("v1", "Namespace", "", inputs["namespace"])
    if objects.get(namespace) is None:
        if not inputs.get("createNamespace"):
            raise build.KubernetesError(f'create: failed to create: namespaces "{namespace.name}" not found')
        objects.apply(namespace, {"metadata": {"labels": {"name": namespace.name}}})
    if not chart.crds:
        return
    from_templates = chart.crds_go_with_it == "always"
    if inputs.get("skipCrds") and not from_templates:
        return
    values = inputs.get("values", {})
    annotations = {"meta.helm.sh/release-name": inputs["name"], "meta.helm.sh/release-namespace": inputs["namespace"]}
    annotations |= values.get("additionalAnnotations") or {} if from_templates else {}
    for definition in definitions(name):
        reference = _reference(definition)
        if from_templates or values.get("upgradeCRDs", name == "velero") or objects.get(reference) is None:
            metadata = definition["metadata"]
            own = {**metadata.get("annotations", {}), **annotations}
            objects.apply(reference, definition | {"metadata": metadata | {"annotations": own}}, force=True)


def to_delete(inputs: Values, objects: ObjectStore) -> list[Reference]:
    """The CRDs that go with the release, and with them every object of their kinds."""
    name = chart_name(inputs["chart"])
    chart = CHARTS[name]
    if not (chart.crds_go_with_it == "always" or (inputs.get("values") or {}).get(chart.crds_go_with_it) is True):
        return []
    references = [_reference(definition) for definition in definitions(name)]
    return [
        reference
        for reference in references
        if (live := objects.get(reference)) and live["metadata"].get("annotations", {}).get(_KEEP) != "keep"
    ]


def definitions(chart: str) -> list[Values]:
    """The CRDs that a chart installs."""
    found = build.crds()["karpenter-crd" if chart.startswith("karpenter") else chart]
    return [
        {key: value for key, value in one.items() if key != "status"}
        | {"metadata": {key: value for key, value in one["metadata"].items() if key != "creationTimestamp"}}
        for one in found
    ]


def _reference(definition: Values) -> Reference:
    return Reference(definition["apiVersion"], definition["kind"], "", definition["metadata"]["name"])
