"""The volumes of node pools: what EC2 would refuse when a node is needed. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .node_pool_options import BlockDeviceArgs, NodePoolArgs, ami_family
from .problems import Problem, repeated

LEAST_ROOT_GIB = 20
"""Images of AL2023 are that large."""
_AWS_MANAGED_KEY = "alias/aws/ebs"
"""The key of AWS for EBS, which every role of the account may use through EC2."""
_ROOT = "xvda"
_NEVER_ROOT = ("st1", "sc1")
_KEY = re.compile(
    r"(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:)?(alias/[A-Za-z0-9/_-]{1,250}|(key/)?(mrk-[0-9a-f]{32}|[0-9a-f-]{36}))"
)
_MOST_DEVICES = 50
_DEVICE = re.compile(r"(/dev/)?(sd|xvd|nvme)[a-z0-9]+")
_SNAPSHOT = re.compile(r"snap-([0-9a-f]{8}|[0-9a-f]{17})")


@dataclass(frozen=True)
class VolumeType:
    """What EBS takes."""

    sizes: range
    iops: range = range(0)
    throughput: range = range(0)
    iops_per_gib: int = 0
    needs_iops: bool = False


# https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html; Karpenter takes 59000 GiB at most.
VOLUME_TYPES = {
    "gp3": VolumeType(range(1, 59001), range(3000, 80001), range(125, 2001), iops_per_gib=500),
    "gp2": VolumeType(range(1, 16385)),
    "io1": VolumeType(range(4, 16385), range(100, 64001), iops_per_gib=50, needs_iops=True),
    "io2": VolumeType(range(4, 59001), range(100, 256001), iops_per_gib=1000, needs_iops=True),
    "st1": VolumeType(range(125, 16385)),
    "sc1": VolumeType(range(125, 16385)),
    "standard": VolumeType(range(1, 1025)),
}


def disk_problems(where: str, pool: NodePoolArgs) -> Iterator[Problem]:
    """What is wrong with `disk_size_gib` and `block_devices`."""
    size, devices = pool.get("disk_size_gib"), pool.get("block_devices")
    if size is not None and devices is not None:
        reason = "stands beside block_devices, which says all about the volumes"
        yield Problem(f"{where}.disk_size_gib", size, reason, "write the size there, as size_gib")
    elif size is not None and int(size) not in range(LEAST_ROOT_GIB, VOLUME_TYPES["gp3"].sizes.stop):
        reason = f"images need {LEAST_ROOT_GIB} GiB, and Karpenter takes {VOLUME_TYPES['gp3'].sizes[-1]}"
        yield Problem(f"{where}.disk_size_gib", size, reason, "write a number between the two")
    if devices is None:
        return
    if not 1 <= len(devices) <= _MOST_DEVICES:
        reason = f"has {len(devices)} volumes, and a node has 1 to {_MOST_DEVICES}"
        yield Problem(f"{where}.block_devices", len(devices), reason, "name them all, or leave it out")
    if twice := repeated([device["device_name"] for device in devices]):
        yield Problem(f"{where}.block_devices", twice, "are there more than once", "give each volume its own device")
    if (roots := sum(device.get("root_volume", False) for device in devices)) > 1:
        reason = f"marks {roots} volumes as root_volume, and the kubelet has one directory"
        yield Problem(f"{where}.block_devices", roots, reason, "mark one at most")
    for index, device in enumerate(devices):
        yield from _device_problems(f"{where}.block_devices[{index}]", device)
        if ami_family(pool) == "al2023":
            yield from _root_problems(f"{where}.block_devices[{index}]", device)


def key_warnings(pools: Sequence[NodePoolArgs]) -> Iterator[str]:
    """A word, once for all pools, of the rights that keys need: nothing here can read the policy of a key."""
    # https://karpenter.sh/docs/troubleshooting/#node-terminates-before-ready-on-failed-encrypted-ebs-volume
    keys = {device.get("kms_key_id", "") for pool in pools for device in pool.get("block_devices", [])}
    if own := sorted(key for key in keys if key and not key.endswith(_AWS_MANAGED_KEY)):
        spot = any("spot" in pool.get("capacity_types", []) for pool in pools)
        roles = "Karpenter's controller role (its output controller_role_arn)"
        roles += " and the role AWSServiceRoleForEC2Spot" if spot else ""
        yield (
            f"kms_key_id {', '.join(own)}: instances end right after launch unless the key's policy lets {roles} do "
            "kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext, kms:ReEncrypt* and kms:CreateGrant."
        )


def _device_problems(where: str, device: BlockDeviceArgs) -> Iterator[Problem]:
    name, kind, snapshot = device["device_name"], device.get("volume_type", "gp3"), device.get("snapshot_id")
    if not _DEVICE.fullmatch(name):
        yield Problem(f"{where}.device_name", name, "is not the name of a device", 'write one such as "/dev/xvda"')
    if snapshot and not _SNAPSHOT.fullmatch(snapshot):
        yield Problem(
            f"{where}.snapshot_id", snapshot, "is not the id of a snapshot", 'write one such as "snap-0a1b2c3d"'
        )
    if (key := device.get("kms_key_id")) is not None and not _KEY.fullmatch(key):
        reason = "is neither the id, the ARN nor the alias of a KMS key"
        yield Problem(f"{where}.kms_key_id", key, reason, 'write one such as "alias/disks"')
    if "size_gib" not in device and not snapshot:
        yield Problem(where, name, "has neither size_gib nor snapshot_id", "give one of the two")
    if kind not in VOLUME_TYPES:
        yield Problem(f"{where}.volume_type", kind, "is unknown to EC2", f"use {', '.join(VOLUME_TYPES)}")
        return
    if kind in _NEVER_ROOT and name.removeprefix("/dev/") == _ROOT:
        yield Problem(f"{where}.volume_type", kind, "cannot be the volume that a node boots from", "use gp3")
        return
    limits = VOLUME_TYPES[kind]
    for field, value, allowed in (
        ("size_gib", device.get("size_gib"), limits.sizes),
        ("iops", device.get("iops"), limits.iops),
        ("throughput", device.get("throughput"), limits.throughput),
    ):
        if value is None or int(value) in allowed:
            continue
        if not allowed:
            yield Problem(f"{where}.{field}", value, f"cannot be chosen for {kind}", "leave it out, or use gp3")
        else:
            reason = f"lies outside of {allowed[0]} and {allowed[-1]}, the limits of {kind}"
            yield Problem(f"{where}.{field}", value, reason, "write a number between them")
    if limits.needs_iops and "iops" not in device:
        remedy = f"give iops, {limits.iops[0]} to {limits.iops[-1]}, or use gp3"
        yield Problem(f"{where}.volume_type", kind, "has no iops of its own, and EC2 asks for them", remedy)
    yield from _ratio_problems(where, device, limits)


def _root_problems(where: str, device: BlockDeviceArgs) -> Iterator[Problem]:
    name, size = device["device_name"], device.get("size_gib")
    # A snapshot of one's own may be smaller.
    if name.removeprefix("/dev/") == _ROOT and "snapshot_id" not in device and size and size < LEAST_ROOT_GIB:
        reason = f"does not hold the image of AL2023, which is made for {name} and has {LEAST_ROOT_GIB} GiB"
        yield Problem(f"{where}.size_gib", size, reason, f"write {LEAST_ROOT_GIB} or more")


def _ratio_problems(where: str, device: BlockDeviceArgs, limits: VolumeType) -> Iterator[Problem]:
    """Operations go with the size, and throughput with operations: a MiB per second for every four of them."""
    if not limits.iops:
        return
    least = limits.iops[0]
    iops, throughput, size = int(device.get("iops", least)), device.get("throughput"), device.get("size_gib")
    if throughput is not None and limits.throughput and throughput > iops / 4:
        reason = f"needs {4 * int(throughput)} iops, and there are {iops}"
        yield Problem(f"{where}.throughput", throughput, reason, f"set iops to {4 * int(throughput)} or more")
    if size is not None and iops > (most := max(least, limits.iops_per_gib * int(size))):
        reason = f"are more than {limits.iops_per_gib} for each of the {int(size)} GiB"
        yield Problem(f"{where}.iops", iops, reason, f"write {most} or less, or a larger size_gib")
