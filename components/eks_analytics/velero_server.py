"""Velero in the cluster: what it must have before it starts, its chart, its locations and its schedules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from . import velero_objects
from .helm_release import helm_release
from .helm_values import merged
from .problems import reject
from .velero_credentials import SECRET_KEY, SECRET_NAME, credentials_problems
from .velero_options import NAMESPACE, SERVICE_ACCOUNT, VeleroOptions

CHART = "velero"
REPOSITORY = "https://vmware-tanzu.github.io/helm-charts"


@dataclass(frozen=True)
class Server:
    """A server to be made, and the bucket that it writes to."""

    label: str
    options: VeleroOptions
    bucket_name: pulumi.Output[str]
    region: pulumi.Output[str]
    role: aws.iam.Role | None
    """None where it has keys."""
    policy: pulumi.Output[str]
    credentials: pulumi.Input[str] | None
    after: pulumi.Input[list[str]]
    tags: dict[str, str]
    parent: pulumi.Resource


def make_server(server: Server) -> None:
    """Everything of Velero in the cluster, and its rights, once the cluster can run it."""
    options = server.options
    namespace = _object(
        server,
        "core/v1:Namespace",
        "namespace",
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": _once_ready(server, NAMESPACE)}},
    )
    needs: list[pulumi.Resource] = [namespace]
    if server.role:
        needs += _rights(server, server.role)
    if server.credentials is not None:
        needs.append(
            _object(server, "core/v1:Secret", SECRET_NAME, _secret(server.label, server.credentials), namespace)
        )
    if options.versions.restore_helper:
        helper = velero_objects.restore_helper(options)
        helper["metadata"]["namespace"] = NAMESPACE
        needs.append(_object(server, "core/v1:ConfigMap", velero_objects.RESTORE_HELPER, helper, namespace))
    release = _release(server, needs)
    # Made once: a restore switches the access mode by hand, and no update may switch it back meanwhile.
    location = _object(
        server,
        "velero.io/v1:BackupStorageLocation",
        "location",
        velero_objects.storage_location(server.bucket_name, server.region, options),
        release,
        ignore_changes=["spec.accessMode"],
    )
    snapshots = _object(
        server,
        "velero.io/v1:VolumeSnapshotLocation",
        "snapshots",
        velero_objects.snapshot_location(server.region),
        release,
    )
    for schedule in options.schedules:
        wanted = velero_objects.schedule(schedule)
        _object(server, "velero.io/v1:Schedule", schedule.name, wanted, location, snapshots)


def _once_ready(server: Server, value: str) -> pulumi.Output[str]:
    return pulumi.Output.all(value, server.after).apply(lambda known: str(known[0]))


def _rights(server: Server, role: aws.iam.Role) -> list[pulumi.Resource]:
    """What Velero must have before its pods start: they get their credentials when they are admitted."""
    opts = pulumi.ResourceOptions(parent=server.parent)
    rights: list[pulumi.Resource] = [aws.iam.RolePolicy(server.label, role=role.name, policy=server.policy, opts=opts)]
    if server.options.chosen_identity == "pod-identity":
        association = aws.eks.PodIdentityAssociation(
            server.label,
            cluster_name=_once_ready(server, server.options.cluster_name),
            namespace=NAMESPACE,
            service_account=SERVICE_ACCOUNT,
            role_arn=role.arn,
            tags=server.tags,
            opts=opts,
        )
        rights.append(association)
    return rights


def _secret(label: str, credentials: pulumi.Input[str]) -> dict[str, Any]:
    def checked(content: str) -> str:
        # Again for what was not known before.
        reject(f"backup {label!r}", credentials_problems(content))
        return content

    content = pulumi.Output.secret(credentials).apply(checked)
    metadata = {"name": SECRET_NAME, "namespace": NAMESPACE}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {SECRET_KEY: content}}


def _release(server: Server, needs: Sequence[pulumi.Resource]) -> pulumi.CustomResource:
    options, role = server.options, server.role
    values = velero_objects.chart_values(options, role.arn if role else "", SECRET_NAME)
    return helm_release(
        server.label,
        {
            "name": CHART,
            "namespace": NAMESPACE,
            "chart": CHART,
            "version": options.versions.chart_version,
            "repositoryOpts": {"repo": REPOSITORY},
            "values": merged(values, options.helm_values),
        },
        pulumi.ResourceOptions(parent=server.parent, depends_on=needs),
    )


def _object(
    server: Server,
    kind: str,
    suffix: str,
    wanted: dict[str, Any],
    *needs: pulumi.Resource,
    ignore_changes: Sequence[str] = (),
) -> pulumi.CustomResource:
    return pulumi.CustomResource(
        f"kubernetes:{kind}",
        f"{server.label}-{suffix}",
        wanted,
        opts=pulumi.ResourceOptions(parent=server.parent, depends_on=needs, ignore_changes=list(ignore_changes)),
    )
