"""Writes the table of instance types that the components carry, from EC2's DescribeInstanceTypes.

Usage: python tools/instance_types.py [REGION]

Without a region the answer is the one recorded in moto (all types, no credentials); with one, EC2 itself is asked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import Any

import boto3
from moto import mock_aws

TABLE = Path(__file__).resolve().parent.parent / "components" / "eks_analytics" / "instance_types.txt"
FAMILY_TABLE = TABLE.with_name("instance_families.txt")
HEADER = """\
# Limits of EC2 instance types, written by tools/instance_types.py from DescribeInstanceTypes. A family a line:
# family architecture size:vCPUs:memory in MiB:network interfaces:IPv4 addresses of each:EBS volumes
# (s: each further network interface takes the place of a volume)
"""
# General purpose, compute and memory from the fifth generation on, burstable, local disks, large memory, GPU.
FAMILIES = re.compile(r"[cmr][5-9]|t(3|4g|8)|i(3en|[4-9])|is4gen|im4gn|x[28]|z1d|gr?[4-9]")
FAMILY_HEADER = """\
# Families of EC2 instance types, written by tools/instance_types.py from DescribeInstanceTypes: family, architecture,
# and what accelerates it, where anything does: nvidia, amd (GPUs), neuron, or other.
"""
# Families that the recorded answer lacks, because no region offers them publicly, or no longer does; each family's page
# below https://aws.amazon.com/ec2/instance-types/, and for p6e-gb200 (Grace processors)
# https://docs.aws.amazon.com/eks/latest/userguide/ml-eks-nvidia-ultraserver.html
UNRECORDED = {
    **dict.fromkeys(
        ("bmn-sf1", "cr1", "hs1", "u-9tb1", "u-12tb1", "u-18tb1", "u-24tb1", "u7ib-12tb", "u7inh-32tb"), "x86_64"
    ),
    "dl1": "x86_64 other",
    "f1": "x86_64 other",
    "g4ad": "x86_64 amd",
    **dict.fromkeys(("g2", "g3", "g3s", "p2", "p3"), "x86_64 nvidia"),
    "p6e-gb200": "arm64 nvidia",
    "trn2u": "x86_64 neuron",  # recorded without its accelerators
}
Description = dict[str, Any]


def describe(region: str | None) -> list[Description]:
    """Every instance type that EC2 offers in a region, or that moto knows."""
    recorded = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    with nullcontext() if region else mock_aws():
        client = boto3.client("ec2", region_name=region or "us-east-1", **({} if region else recorded))
        pages = client.get_paginator("describe_instance_types").paginate()
        return [kind for page in pages for kind in page["InstanceTypes"]]


def fits(kind: Description) -> bool:
    """Whether a node group is likely to use the type."""
    nodes = kind.get("Hypervisor") == "nitro" and not kind["BareMetal"]
    return nodes and bool(FAMILIES.match(kind["InstanceType"])) and "MaximumEbsAttachments" in kind["EbsInfo"]


def entry(kind: Description) -> str:
    """One type as the table holds it, without its family."""
    network, volumes = kind["NetworkInfo"], kind["EbsInfo"]
    default_card = next(
        card for card in network["NetworkCards"] if card["NetworkCardIndex"] == network["DefaultNetworkCardIndex"]
    )
    limits = (
        kind["InstanceType"].partition(".")[2],
        kind["VCpuInfo"]["DefaultVCpus"],
        kind["MemoryInfo"]["SizeInMiB"],
        default_card["MaximumNetworkInterfaces"],
        network["Ipv4AddressesPerInterface"],
        f"{volumes['MaximumEbsAttachments']}{'s' if volumes['AttachmentLimitType'] == 'shared' else ''}",
    )
    return ":".join(map(str, limits))


def table(kinds: Iterable[Description]) -> str:
    """The text of the table."""

    def family(kind: Description) -> tuple[str, str]:
        architectures = kind["ProcessorInfo"]["SupportedArchitectures"]
        return kind["InstanceType"].partition(".")[0], next(name for name in architectures if name != "i386")

    def order(kind: Description) -> tuple[tuple[str, str], int, int]:
        return family(kind), kind["VCpuInfo"]["DefaultVCpus"], kind["MemoryInfo"]["SizeInMiB"]

    chosen = sorted(filter(fits, kinds), key=order)
    lines = [" ".join((*name, *map(entry, sizes))) for name, sizes in groupby(chosen, key=family)]
    return HEADER + "\n".join(lines) + "\n"


def family_table(kinds: Iterable[Description]) -> str:
    """The text of the table of families."""
    families: dict[str, str] = {}
    for kind in kinds:
        architectures = kind["ProcessorInfo"]["SupportedArchitectures"]
        family = kind["InstanceType"].partition(".")[0]
        architecture = next(name.removesuffix("_mac") for name in architectures if name != "i386")
        families[family] = f"{architecture} {accelerator(kind)}".rstrip()
    families |= UNRECORDED
    return FAMILY_HEADER + "".join(f"{name} {families[name]}\n" for name in sorted(families))


def accelerator(kind: Description) -> str:
    """Whose drivers an image needs for what is in the machine besides processors."""
    if gpus := kind.get("GpuInfo", {}).get("Gpus"):
        return str(gpus[0]["Manufacturer"]).lower()
    if "NeuronInfo" in kind:
        return "neuron"
    others = ("InferenceAcceleratorInfo", "FpgaInfo", "MediaAcceleratorInfo")
    return "other" if any(other in kind for other in others) else ""


if __name__ == "__main__":
    answer = describe(sys.argv[1] if len(sys.argv) > 1 else None)
    TABLE.write_text(table(answer), encoding="ascii")
    FAMILY_TABLE.write_text(family_table(answer), encoding="ascii")
