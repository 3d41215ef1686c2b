"""The ids of a control plane's zones, looked up."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from .control_plane_zones import WITHOUT_CONTROL_PLANE, zone_id_problems
from .look_ups import looking_up
from .problems import reject


def reject_zones(subject: str, zones: Sequence[str], parent: pulumi.Resource) -> None:
    """RunError where a zone of the control plane is one that EKS refuses, or none at all; only AWS knows how the zones
    of the account are named.

    Awaited on the spot, so that it fails before anything is made. AWS is asked in the three regions with such a zone.
    """
    if zones and zones[0][:-1] in WITHOUT_CONTROL_PLANE:
        with looking_up(f"the zones of {zones[0][:-1]}", "ec2:DescribeAvailabilityZones"):
            found = aws.get_availability_zones(opts=pulumi.InvokeOptions(parent=parent))
        ids = dict(zip(found.names, found.zone_ids, strict=True))
        reject(subject, zone_id_problems(zones, ids))
