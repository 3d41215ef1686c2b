"""What Velero is told by objects in its namespace, and by values of its chart. Pure."""

from typing import Any

from .velero_options import NAMESPACE, SERVICE_ACCOUNT, Schedule, VeleroOptions
from .velero_profiles import HUB

LOCATION = "default"
"""Name of both locations: the vendor's restore procedure, and Velero itself, look for this one."""
RESTORE_HELPER = "fs-restore-action-config"
PROVIDER = "aws"

Values = dict[str, Any]


def storage_location(bucket: Any, region: Any, options: VeleroOptions) -> Values:
    """Where backups are. The region is given, because Velero may not ask S3 for it."""
    storage: Values = {"bucket": bucket}
    if options.prefix:
        storage["prefix"] = options.prefix
    spec: Values = {
        "provider": PROVIDER,
        "default": True,
        "accessMode": options.access_mode,
        "objectStorage": storage,
        "config": {"region": region},
    }
    return _object("BackupStorageLocation", LOCATION, spec)


def snapshot_location(region: Any) -> Values:
    """Where volumes are, and their snapshots."""
    return _object("VolumeSnapshotLocation", LOCATION, {"provider": PROVIDER, "config": {"region": region}})


def schedule(wanted: Schedule) -> Values:
    """Backups at set times."""
    spec: Values = {
        "schedule": wanted.cron,
        # Backups outlive their schedule: one that is renamed or removed would take them along.
        "useOwnerReferencesInBackup": False,
        "template": {
            "includedNamespaces": list(wanted.namespaces),
            "excludedResources": list(wanted.excluded_resources),
            "storageLocation": LOCATION,
            "volumeSnapshotLocations": [LOCATION],
            "ttl": wanted.ttl,
        },
    }
    if wanted.paused:
        # Said only then: `velero schedule pause` owns the field afterwards, and an update would conflict with it.
        spec["paused"] = True
    return _object("Schedule", wanted.name, spec)


def restore_helper(options: VeleroOptions) -> Values:
    """Names the image in which pods wait for their files during a restore; Velero finds it by both labels."""
    image = f"{options.image_registry or HUB}/velero-restore-helper:{options.versions.version}"
    labels = {"velero.io/plugin-config": "", "velero.io/pod-volume-restore": "RestoreItemAction"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": RESTORE_HELPER, "labels": labels},
        "data": {"image": image},
    }


def chart_values(options: VeleroOptions, role_arn: Any, secret_name: str) -> Values:
    """Values of the chart. Locations and schedules are no part of it: they are objects of their own."""
    versions, registry = options.versions, options.image_registry
    account: Values = {"create": True, "name": SERVICE_ACCOUNT}
    if options.chosen_identity == "irsa":
        account["annotations"] = {"eks.amazonaws.com/role-arn": role_arn}
    static = options.chosen_identity == "static"
    values: Values = {
        "image": {"repository": f"{registry or HUB}/velero", "tag": versions.version},
        "initContainers": [
            {
                "name": "velero-plugin-for-aws",
                "image": f"{registry or HUB}/velero-plugin-for-aws:{versions.plugin_version}",
                "imagePullPolicy": "IfNotPresent",
                "volumeMounts": [{"mountPath": "/target", "name": "plugins"}],
            }
        ],
        "resources": {"requests": {"cpu": "500m", "memory": "128Mi"}},
        "serviceAccount": {"server": account},
        "credentials": {"useSecret": True, "existingSecret": secret_name} if static else {"useSecret": False},
        "configuration": {"uploaderType": versions.uploader},
        "deployNodeAgent": True,
        # Volumes are copied on the node of their pod, whatever taints keep others away from it.
        "nodeAgent": {"tolerations": [{"operator": "Exists"}]},
        "backupsEnabled": False,
        "snapshotsEnabled": False,
        "upgradeCRDs": versions.renews_crds,
        # With their CRD, Kubernetes would delete all that is known of the backups.
        "cleanUpCRDs": False,
    }
    if versions.names_provider:
        values["configuration"]["provider"] = PROVIDER
    if versions.renews_crds:
        repository, _, tag = versions.images(registry)[-1].rpartition(":")
        values["kubectl"] = {"image": {"repository": repository, "tag": tag}}
    if options.enable_prometheus_rule:
        # Without autodetect: a cluster that lacks Prometheus' kinds is an error, and not a rule that is not there.
        values["metrics"] = {
            "serviceMonitor": {"enabled": True, "autodetect": False},
            "prometheusRule": {"enabled": True, "autodetect": False, "spec": alerts()},
        }
    return values


def alerts() -> list[Values]:
    """For Prometheus in the cluster: what it can tell as long as it runs there itself."""
    return [
        _alert(
            "VeleroBackupNotCompleted",
            # The status is known since 1.11; the counters miss backups whose server was killed.
            'velero_backup_last_status{schedule!=""} == 0'
            ' or increase(velero_backup_failure_total{schedule!=""}[1h]) > 0'
            ' or increase(velero_backup_partial_failure_total{schedule!=""}[1h]) > 0',
            "The last backup of the schedule {{ $labels.schedule }} failed, or failed in part: `velero backup logs`",
            "15m",
        ),
        _alert(
            "VeleroStorageUnavailable",
            "velero_backup_location_status_gauge == 0",
            "The storage location {{ $labels.backup_location_name }} cannot be reached: `velero backup-location get`",
            "30m",
        ),
        _alert(
            "VeleroSnapshotFailed",
            "increase(velero_volume_snapshot_failure_total[1h]) > 0",
            "A volume was not snapshotted by the schedule {{ $labels.schedule }}: `velero backup describe --details`",
            "0m",
        ),
        _alert("VeleroSilent", "absent(velero_backup_total)", f"No server of Velero in {NAMESPACE} has metrics", "30m"),
    ]


def _alert(name: str, expression: str, summary: str, after: str) -> Values:
    return {
        "alert": name,
        "expr": expression,
        "for": after,
        "labels": {"severity": "critical"},
        "annotations": {"summary": summary},
    }


def _object(kind: str, name: str, spec: Values) -> Values:
    return {
        "apiVersion": "velero.io/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": spec,
    }
