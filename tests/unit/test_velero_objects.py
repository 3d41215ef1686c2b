"""The objects in Velero's namespace, against what the oldest profile's Velero knows."""

from typing import Any

import pytest

from eks_analytics.velero_objects import schedule, snapshot_location, storage_location
from eks_analytics.velero_options import Schedule, VeleroOptions
from eks_analytics.velero_profiles import PROFILES

# Fields of the CRDs of 1.10.3, without which the API server drops what is written, or refuses it:
# https://github.com/vmware-tanzu/velero/tree/v1.10.3/config/crd/v1/bases
KNOWN_TO_1_10: dict[str, set[str]] = {
    "Schedule": {"paused", "schedule", "template", "useOwnerReferencesInBackup"},
    "Schedule.template": {
        *("csiSnapshotTimeout", "defaultVolumesToFsBackup", "defaultVolumesToRestic", "excludedNamespaces"),
        *("excludedResources", "hooks", "includeClusterResources", "includedNamespaces", "includedResources"),
        *("labelSelector", "metadata", "orLabelSelectors", "orderedResources", "snapshotVolumes", "storageLocation"),
        *("ttl", "volumeSnapshotLocations"),
    },
    "BackupStorageLocation": {
        *("accessMode", "backupSyncPeriod", "config", "credential", "default", "objectStorage", "provider"),
        "validationFrequency",
    },
    "BackupStorageLocation.objectStorage": {"bucket", "caCert", "prefix"},
    "VolumeSnapshotLocation": {"config", "credential", "provider"},
}
OPTIONS = VeleroOptions(cluster_name="dash-dev", profile="documented", prefix="dash")
OBJECTS = [
    schedule(Schedule("daily", paused=True)),
    storage_location("velero-dev", "us-east-1", OPTIONS),
    snapshot_location("us-east-1"),
]


@pytest.mark.parametrize("wanted", OBJECTS, ids=[wanted["kind"] for wanted in OBJECTS])
def test_every_field_is_known_to_the_velero_that_the_guide_names(wanted: dict[str, Any]) -> None:
    assert PROFILES["documented"].version.removeprefix("v").startswith("1.10.")
    kind, spec = wanted["kind"], wanted["spec"]
    assert wanted["apiVersion"] == "velero.io/v1"
    assert set(spec) <= KNOWN_TO_1_10[kind]
    for field, known in KNOWN_TO_1_10.items():
        if field.startswith(f"{kind}."):
            assert set(spec[field.partition(".")[2]]) <= known
