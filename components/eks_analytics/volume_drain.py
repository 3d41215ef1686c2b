"""The step of a teardown between node groups and cluster: the volumes that the EBS driver made for claims."""

import pulumi
import pulumi_command as command

from .drain_command import drain_command

_MINUTES = 5
"""Time for instances that end to let go of their volumes. What else has one attached will not go by itself."""


def volume_drain(
    label: str,
    *,
    cluster_name: pulumi.Input[str],
    cluster_arn: pulumi.Input[str],
    region: pulumi.Input[str],
    keep: bool,
    parent: pulumi.Resource,
) -> command.local.Command:
    """Deletes the cluster's volumes when it is destroyed, or names them (`keep`).

    Node groups must depend on it, so that they go first. It depends on the cluster, whose age tells its volumes from
    those of an earlier one.
    """
    return drain_command(
        f"{label}-volumes",
        "drain_volumes.py",
        {
            "DRAIN_CLUSTER": cluster_name,
            "DRAIN_REGION": region,
            "DRAIN_SECONDS": str(_MINUTES * 60),
            "DRAIN_KEEP": "true" if keep else "false",
        },
        pulumi.ResourceOptions(parent=parent),
        # Where the cluster is replaced, the volumes of the old one go with it.
        triggers=[cluster_arn],
    )
