"""Which values are fixed once they are applied, why, and what to do instead of changing them."""

from collections.abc import Iterator, Mapping

from .problems import Problem

Values = Mapping[str, str]
ANOTHER_STACK = "or make a stack of its own for it (pulumi stack init) and move over"
CONFIRMATION = "confirm_replacement: true (the argument confirm_replacement) lets this update lose what is there"

# What the provider replaces a VPC or a cluster for: ForceNew and CustomizeDiff in internal/service/ec2/vpc_.go and
# internal/service/eks/cluster.go of hashicorp/terraform-provider-aws.
_REPLACES_CLUSTER = ("cluster_name", "ip_family", "service_cidr")


def another_environment(old: Values, new: Values) -> Iterator[Problem]:
    """Changes that leave nothing of an environment: each of its resources bears the value, or lies in the region."""
    for key in new:
        reason = (
            f"this stack was applied with {old[key]!r}; the update would delete all that it made, the cluster and the "
            "data in it among that, and make it anew"
        )
        yield Problem(key, new[key], reason, f"write {old[key]!r} again, {ANOTHER_STACK}; {CONFIRMATION}")


def another_vpc(old: Values, new: Values) -> Iterator[Problem]:
    """Changes that replace a VPC, and with it subnets, cluster and nodes."""
    for key in new:
        if key == "tenancy" and new[key] == "default":
            continue  # in place: ModifyVpcTenancy takes a dedicated VPC back to default, and nothing else
        was = f"{old[key]!r} was applied" if old[key] else "a VPC of its own was made"
        reason = f"{was}; another value makes another VPC, and the cluster cannot move into it"
        back = f"write {old[key]!r} again" if old[key] else "leave it out again"
        yield Problem(key, new[key], reason, f"{back}, {ANOTHER_STACK}; {CONFIRMATION}")


def another_cluster(old: Values, new: Values, confirmed: bool) -> Iterator[Problem]:
    """Changes that replace a cluster, and of the key that a cluster keeps for life."""
    replacing = [key for key in _REPLACES_CLUSTER if key in new]
    for key in [] if confirmed else replacing:
        reason = f"the cluster was made with {old[key]!r}; EKS cannot change it, so that the cluster and all in it go"
        yield Problem(key, new[key], reason, f"write {old[key]!r} again, {ANOTHER_STACK}; {CONFIRMATION}")
    if "kms_key_arn" in new and not (confirmed and replacing):
        # https://docs.aws.amazon.com/eks/latest/userguide/enable-kms.html: neither disabled nor given another key.
        was = old["kms_key_arn"] or "a key that was made for it"
        reason = (
            f"the cluster's secrets are encrypted under {was}, and EKS takes no other key for a cluster that is there: "
            "the update would change nothing, and the secrets are lost when that key goes"
        )
        back = f"write {old['kms_key_arn']!r} again" if old["kms_key_arn"] else "leave cluster.kms_key_arn out again"
        yield Problem("kms_key_arn", new["kms_key_arn"], reason, f"{back}, {ANOTHER_STACK}")


def another_alarm_key(old: Values, new: Values) -> Iterator[Problem]:
    """A key of the user's in place of one that was made: the log is encrypted under that."""
    if "alarm_key_arn" in new and not old["alarm_key_arn"]:
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        reason = (
            "the watch's log is encrypted under a key that was made for it, and CloudWatch Logs still needs that for "
            "what it has: the key would go, and the log with it"
        )
        remedy = (
            "leave alarm_key_arn out, or end the watch first (velero.watch.enabled: false, then `pulumi up`; its log "
            "goes), and begin it again with the key"
        )
        yield Problem("alarm_key_arn", new["alarm_key_arn"], reason, remedy)
