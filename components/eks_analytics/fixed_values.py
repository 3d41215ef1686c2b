"""Which values are fixed once they are applied, why, and what to do instead of changing them."""

from collections.abc import Iterator, Mapping

from .problems import Problem

Values = Mapping[str, str]
ANOTHER_STACK = "or create a separate stack for it (pulumi stack init) and migrate"
CONFIRMATION = "confirm_replacement: true (the argument confirm_replacement) lets this update lose what is there"
SESSION_LOGS_KEY = "session_logs.kms_key_arn"

# What the provider replaces a VPC or a cluster for: ForceNew and CustomizeDiff in internal/service/ec2/vpc_.go and
# internal/service/eks/cluster.go of hashicorp/terraform-provider-aws.
_REPLACES_CLUSTER = ("cluster_name", "ip_family", "service_cidr")


def another_environment(old: Values, new: Values) -> Iterator[Problem]:
    """Changes that leave nothing of an environment: each of its resources bears the value, or lies in the region."""
    for key in new:
        reason = (
            f"this stack was applied with {old[key]!r}; the update would delete everything that it created, including "
            "the cluster and its data, and create it anew"
        )
        yield Problem(key, new[key], reason, f"write {old[key]!r} again, {ANOTHER_STACK}; {CONFIRMATION}")


def another_vpc(old: Values, new: Values) -> Iterator[Problem]:
    """Changes that replace a VPC, and with it subnets, cluster and nodes."""
    for key in new:
        if key == "tenancy" and new[key] == "default":
            continue  # in place: ModifyVpcTenancy takes a dedicated VPC back to default, and nothing else
        was = f"{old[key]!r} was applied" if old[key] else "this stack created a VPC of its own"
        reason = f"{was}; the new value means another VPC, and a cluster cannot move to another VPC"
        back = f"write {old[key]!r} again" if old[key] else "leave it out again"
        yield Problem(key, new[key], reason, f"{back}, {ANOTHER_STACK}; {CONFIRMATION}")


def another_cluster(old: Values, new: Values, confirmed: bool) -> Iterator[Problem]:
    """Changes that replace a cluster, and changes of the keys that a cluster and its transcripts were made with."""
    replacing = [key for key in _REPLACES_CLUSTER if key in new]
    if confirmed and replacing:
        return
    for key in replacing:
        reason = f"the cluster was made with {old[key]!r}, which EKS cannot change; the cluster would be replaced"
        yield Problem(key, new[key], reason, f"write {old[key]!r} again, {ANOTHER_STACK}; {CONFIRMATION}")
    if "kms_key_arn" in new:
        # https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html: neither disabled nor given another key.
        was = old["kms_key_arn"] or "a key that was made for it"
        reason = (
            f"the cluster's secrets are encrypted under {was}, and EKS takes no other key for an existing cluster: "
            "the update would change nothing, and the secrets would be lost with that key"
        )
        back = f"write {old['kms_key_arn']!r} again" if old["kms_key_arn"] else "leave cluster.kms_key_arn out again"
        yield Problem("kms_key_arn", new["kms_key_arn"], reason, f"{back}, {ANOTHER_STACK}")
    end = "turn the transcripts off first (session_logs.retention_days: 0)"
    yield from _in_place_of_a_made_key(SESSION_LOGS_KEY, old, new, "the log of sessions", end)


def another_alarm_key(old: Values, new: Values) -> Iterator[Problem]:
    """A key of the user's in place of one that was made for the watch over backups."""
    end = "turn the watch off first (velero.watch.enabled: false)"
    return _in_place_of_a_made_key("alarm_key_arn", old, new, "the watch's log", end)


def _in_place_of_a_made_key(name: str, old: Values, new: Values, log: str, end: str) -> Iterator[Problem]:
    if name in new and not old[name]:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        reason = (
            f"{log} is encrypted under a key that was made for it, and CloudWatch Logs needs that key for what it has "
            "stored: the update would delete the key, and the log could no longer be read"
        )
        remedy = f"leave {name} out; or {end}, run `pulumi up`, which deletes the log, and turn it on with the key"
        yield Problem(name, new[name], reason, remedy)
