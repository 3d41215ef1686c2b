"""Deletes the volumes that the EBS driver made for claims in a cluster; those of a production stack it only names.

Run by `pulumi destroy` when the node groups are gone, and the cluster is not: nothing in it runs any more, and what is
still attached is about to be let go. Snapshots stay, those of Velero among them.

A volume is the cluster's if it has both tags that the driver sets where it is told the cluster's name, as EKS tells its
add-on: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/tagging.md. A volume older than the
cluster is left of an earlier one of that name, which may have been kept on purpose.

Environment: that of draining.py, DRAIN_KEEP ("true" names the volumes, and deletes none).
"""

import os
from datetime import datetime, timezone
from typing import Any

from draining import CLUSTER, REGION, CommandError, aws, by_hand, cluster, run_to_the_end, say, wait_until_gone

OWNER_TAGS = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "ebs.csi.aws.com/cluster": "true"}
CLAIM = ("kubernetes.io/created-for/pvc/namespace", "kubernetes.io/created-for/pvc/name")
ON_THEIR_WAY_OUT = ("deleting", "deleted")


def main() -> None:
    why_kept = "the stack is marked production" if os.environ["DRAIN_KEEP"] == "true" else ""
    found = cluster()
    if found is None:
        why_kept = f"the cluster {CLUSTER} is gone already, and its age with it"
    elif not why_kept and aws("eks", "list-nodegroups", clusterName=CLUSTER)["nodegroups"]:
        why_kept = f"the cluster {CLUSTER} still has node groups"
    since = moment(found["createdAt"]) if found else None
    if why_kept:
        name_kept(volumes(since), why_kept)
    else:
        delete(since)


def name_kept(kept: list[dict[str, Any]], why: str) -> None:
    if kept:
        commands = "\n".join(f"  {deletion(volume)} --region {REGION}" for volume in kept)
        say(f"Kept, because {why}: {', '.join(map(label, kept))}. These delete them:\n{commands}")
    else:
        say(f"No volume of the cluster {CLUSTER} is left.")


def delete(since: datetime | None) -> None:
    """Each as soon as nothing has it attached."""
    left: list[dict[str, Any]] = []  # at the last look
    asked: set[str] = set()
    refused: dict[str, str] = {}

    def look() -> list[str]:
        left[:] = volumes(since)
        refused.clear()
        for volume in left:
            if volume["State"] != "in-use":
                if volume["VolumeId"] not in asked:
                    say(f"Deleting {label(volume)}.")
                    asked.add(volume["VolumeId"])
                try:
                    aws("ec2", "delete-volume", VolumeId=volume["VolumeId"])
                except CommandError as error:  # the others can go nevertheless
                    refused[volume["VolumeId"]] = f" ({error})"
        return [f"{label(volume)}, {state(volume)}{refused.get(volume['VolumeId'], '')}" for volume in left]

    def give_up(_: list[str]) -> str:
        return by_hand([command for volume in left for command in (*detachments(volume), deletion(volume))])

    wait_until_gone(look, give_up)
    say(f"No volume of the cluster {CLUSTER} is left.")


def volumes(since: datetime | None) -> list[dict[str, Any]]:
    """Those of the cluster that are still there."""
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in OWNER_TAGS.items()]
    found = aws("ec2", "describe-volumes", Filters=filters)["Volumes"]
    return [
        volume
        for volume in found
        if volume["State"] not in ON_THEIR_WAY_OUT and (since is None or moment(volume["CreateTime"]) >= since)
    ]


def moment(value: str | float) -> datetime:
    """A time of the AWS CLI: ISO 8601, or seconds, as its first version tells times of EKS."""
    if isinstance(value, str):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return datetime.fromtimestamp(value, timezone.utc)  # noqa: UP017  # Python 3.9 has no datetime.UTC


def label(volume: dict[str, Any]) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in volume["Tags"]}
    claim = "/".join(tags[key] for key in CLAIM if key in tags)
    return f"volume {volume['VolumeId']} ({volume['Size']} GiB{f', claim {claim}' if claim else ''})"


def state(volume: dict[str, Any]) -> str:
    holders = [one["InstanceId"] for one in volume["Attachments"] if "InstanceId" in one]
    return f"attached to {', '.join(holders)}" if holders else volume["State"]


def detachments(volume: dict[str, Any]) -> list[str]:
    return [f"aws ec2 detach-volume --volume-id {volume['VolumeId']}"] if volume["State"] == "in-use" else []


def deletion(volume: dict[str, Any]) -> str:
    return f"aws ec2 delete-volume --volume-id {volume['VolumeId']}"


if __name__ == "__main__":
    run_to_the_end(main)
