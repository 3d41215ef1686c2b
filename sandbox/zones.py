"""Which availability zones can hold an EKS control plane."""

from eks_analytics.control_plane_zones import WITHOUT_CONTROL_PLANE

Zone = tuple[str, str]
"""Name and id."""


class ZonesError(Exception):
    """The region is unknown, or AWS cannot be asked."""


def eligible(region: str, account: bool) -> tuple[list[Zone], list[Zone]]:
    """Zones that EKS accepts and those that it refuses; asks AWS with the user's credentials if `account`."""
    zones = sorted(_of_account(region) if account else _emulated(region))
    refused = [zone for zone in zones if zone[1] in WITHOUT_CONTROL_PLANE.values()]
    return [zone for zone in zones if zone not in refused], refused


def _emulated(region: str) -> list[Zone]:
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend

    zones = RegionsAndZonesBackend.zones.get(region)
    if zones is None:
        raise ZonesError(f"region {region!r} is not known; regions look like us-east-1 or eu-central-1")
    return [(zone.name, zone.zone_id) for zone in zones]


def _of_account(region: str) -> list[Zone]:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer = boto3.client("ec2", region_name=region).describe_availability_zones(
            Filters=[
                {"Name": "zone-type", "Values": ["availability-zone"]},
                {"Name": "state", "Values": ["available"]},
            ]
        )
    except (BotoCoreError, ClientError, ValueError) as error:
        raise ZonesError(f"AWS cannot be asked for the zones of {region}: {error}") from None
    return [(zone["ZoneName"], zone["ZoneId"]) for zone in answer["AvailabilityZones"]]
