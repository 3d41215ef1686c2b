"""Tags by which load balancers and Karpenter find their subnets, and the checks of a caller's own tags. Pure."""

from collections.abc import Mapping

from .problems import Problem

MOST_TAGS = 50 - 5
"""AWS allows 50 on a resource; the busiest of ours, a private subnet, carries five of our own."""
_OURS = ("kubernetes.io/", "karpenter.sh/")


def subnet_tags(cluster_name: str, *, public: bool) -> dict[str, str]:
    """Tags of a subnet of that cluster.

    Roles: https://docs.aws.amazon.com/eks/latest/userguide/network-load-balancing.html. Discovery marks private
    subnets only: Karpenter would otherwise start nodes in public ones.
    """
    cluster = {f"kubernetes.io/cluster/{cluster_name}": "shared"}
    if public:
        return {"kubernetes.io/role/elb": "1", **cluster}
    return {"kubernetes.io/role/internal-elb": "1", **cluster, "karpenter.sh/discovery": cluster_name}


def serves_as(found: str, key: str, value: str) -> bool:
    """Whether a tag with the value found does what ours would do.

    An empty role is read as ours. Of the cluster's tag only the key counts: the vendor's guide writes `Shared`, and
    cloud-provider-aws (`HasClusterID` in pkg/providers/v1/tags.go) takes any value.
    """
    if key.startswith("kubernetes.io/role/"):
        return found in (value, "")
    if key.startswith("kubernetes.io/cluster/"):
        return True
    return found == value


def check_tags(tags: Mapping[str, str]) -> list[Problem]:
    """What AWS, or the controllers in the cluster, would not stand in a caller's own tags."""
    problems: list[Problem] = []
    for key, value in tags.items():
        if key == "Name" or key.startswith(_OURS):
            reason = "is a tag that the components set themselves, each resource its own"
            problems.append(Problem("tags", key, reason, "leave it out"))
        if key.lower().startswith("aws:"):
            problems.append(Problem("tags", key, "begins with aws:, which AWS keeps for itself", "rename it"))
        if not 1 <= len(key) <= 128 or len(value) > 256:
            reason = f"has {len(key)} characters in its key and {len(value)} in its value"
            problems.append(Problem("tags", key, reason, "stay within 1 to 128 and 0 to 256"))
    if len(tags) > MOST_TAGS:
        problems.append(Problem("tags", f"{len(tags)} tags", f"are more than {MOST_TAGS}", "leave some out"))
    return problems
