"""Availability zones in which EKS runs no control plane, and names that are none. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from .problems import Problem

WITHOUT_CONTROL_PLANE = {"us-east-1": "use1-az3", "us-west-1": "usw1-az2", "ca-central-1": "cac1-az3"}
"""By region the id of the zone that EKS refuses with UnsupportedAvailabilityZoneException. Its name differs between
accounts. https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html#network-requirements-subnets"""


def zone_id_problems(zones: Sequence[str], ids: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with the zones of a control plane; `ids` maps names to ids in the account."""
    refused = {name for name, id in ids.items() if id in WITHOUT_CONTROL_PLANE.values()}
    others = [name for name in sorted(ids) if name not in refused]
    for index, zone in enumerate(zones):
        if zone in refused:
            reason = f"is {ids[zone]} in this account, where EKS runs no control plane"
            remedy = f"choose two of {', '.join(others)}; nodes can run in {zone}"
            yield Problem(f"control_plane_zones[{index}]", zone, reason, remedy)
        elif zone not in ids:
            remedy = f"choose two of {', '.join(others)}"
            yield Problem(f"control_plane_zones[{index}]", zone, "is no zone of this account in its region", remedy)
