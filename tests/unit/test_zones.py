"""`make zones`: where EKS accepts a control plane."""

import os
import socket
from typing import Any, NoReturn

import boto3
import pytest

from eks_analytics.control_plane_zones import WITHOUT_CONTROL_PLANE, zone_id_problems
from sandbox.zones import Zone, ZonesError, eligible


@pytest.fixture
def no_account(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A shell without any credentials, in which nothing is ever asked of the network."""
    for variable in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(variable)
    for variable in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(variable, "/nonexistent")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it would remember the credentials of another test

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    return monkeypatch


@pytest.mark.parametrize(
    ("region", "accepted", "refused"),
    [
        ("us-east-1", "abcdf", [("us-east-1e", "use1-az3")]),
        # The emulated account, like every new one, has no zone of these regions where EKS runs no control plane.
        ("us-west-1", "ab", []),
        ("ca-central-1", "abd", []),
    ],
)
def test_zones_are_told_apart_by_their_id(region: str, accepted: str, refused: list[Zone]) -> None:
    found, left_out = eligible(region, account=False)
    assert [name for name, _ in found] == [f"{region}{letter}" for letter in accepted]
    assert left_out == refused
    assert not {id for _, id in found} & {*WITHOUT_CONTROL_PLANE.values()}


def test_a_control_plane_is_refused_where_eks_runs_none_and_the_others_are_named() -> None:
    ids = {"us-east-1a": "use1-az2", "us-east-1b": "use1-az3", "us-east-1c": "use1-az6"}
    (found,) = zone_id_problems(["us-east-1a", "us-east-1b"], ids)
    assert str(found) == (
        "control_plane_zones[1] = 'us-east-1b': is use1-az3 in this account, where EKS runs no control plane; choose "
        "two of us-east-1a, us-east-1c; nodes can run in us-east-1b"
    )
    assert not list(zone_id_problems(["us-east-1a", "us-east-1c"], ids))
    (found,) = zone_id_problems(["us-east-1a", "us-east-1z"], ids)
    assert "us-east-1z': is no zone of this account in its region; choose two of us-east-1a, us-east-1c" in str(found)


def test_the_order_is_that_of_the_names_every_time() -> None:
    first = eligible("us-east-1", account=False)
    assert first == eligible("us-east-1", account=False)
    assert first[0] == sorted(first[0])


@pytest.mark.parametrize("region", ["us-east-9", "us-east-1a", ""])
def test_an_unknown_region_is_refused_by_its_name(region: str) -> None:
    with pytest.raises(ZonesError, match=f"region '{region}' is not known; regions look like us-east-1"):
        eligible(region, account=False)


@pytest.mark.parametrize(("region", "prefix", "closed"), [("us-west-1", "usw1", 2), ("ca-central-1", "cac1", 3)])
def test_the_account_is_asked_for_zones_that_are_neither_local_nor_closed(
    region: str, prefix: str, closed: int, no_account: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    class Ec2:
        def describe_availability_zones(self, **query: Any) -> dict[str, Any]:
            asked.append(query)
            zones = [
                {"ZoneName": f"{region}{'abc'[-number]}", "ZoneId": f"{prefix}-az{number}"} for number in (1, 2, 3)
            ]
            return {"AvailabilityZones": zones}

    no_account.setattr(boto3, "client", lambda service, region_name: Ec2())
    found, refused = eligible(region, account=True)
    assert [name for name, _ in found] == sorted(name for name, _ in found)
    assert [id for _, id in found] == [f"{prefix}-az{number}" for number in (3, 2, 1) if number != closed]
    assert [id for _, id in refused] == [f"{prefix}-az{closed}"]
    (query,) = asked
    assert {found["Name"]: found["Values"] for found in query["Filters"]} == {
        "zone-type": ["availability-zone"],
        "state": ["available"],
    }


@pytest.mark.parametrize(
    ("region", "environment"),
    [
        ("us-east-1", {}),
        ("us-east-1", {"AWS_PROFILE": "nobody"}),
        ("not a region", {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}),
        ("", {}),
    ],
    ids=["no credentials", "no such profile", "no such region", "no region"],
)
def test_an_account_that_cannot_be_asked_is_said_to_be_so(
    region: str, environment: dict[str, str], no_account: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        no_account.setenv(name, value)
    with pytest.raises(ZonesError, match=f"AWS cannot be asked for the zones of {region}: "):
        eligible(region, account=True)
