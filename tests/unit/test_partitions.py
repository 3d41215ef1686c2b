"""Partitions of AWS, compared with the table of AWS's own SDK."""

from typing import Any

import pytest
from botocore.loaders import Loader

from eks_analytics.partitions import PARTITIONS, Partition, partition_of

SDK: list[dict[str, Any]] = Loader().load_data("partitions")["partitions"]
REGIONS = [(region, one) for one in SDK for region in one["regions"] if not region.startswith("aws")]


@pytest.mark.parametrize(("region", "partition"), REGIONS, ids=[region for region, _ in REGIONS])
def test_every_region_belongs_to_the_partition_that_the_sdk_names(region: str, partition: dict[str, Any]) -> None:
    outputs = partition["outputs"]
    assert partition_of(region) == Partition(partition["id"], outputs["dnsSuffix"], outputs["dualStackDnsSuffix"])


def test_a_region_that_is_too_new_for_the_sdk_belongs_to_the_partition_of_its_name() -> None:
    assert partition_of("eu-isoe-north-2").name == "aws-iso-e"
    assert partition_of("eusc-fr-west-1").name == "aws-eusc"
    assert partition_of("ap-southeast-9").name == "aws"


def test_there_are_no_other_partitions() -> None:
    assert sorted(one.name for one in PARTITIONS) == sorted(one["id"] for one in SDK)
