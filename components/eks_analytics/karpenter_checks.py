"""What a Karpenter is asked for, and what in it would fail, often only when a node is needed. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cluster_checks import name_problems
from .controller_identity import identity_problems
from .helm_values import value_at, value_problems
from .iam import LARGEST_POLICY, policy_size
from .karpenter_policies import ControllerRights, controller_policies, most_names
from .partitions import partition
from .permissions_boundary import boundary_problems
from .problems import Problem, repeated
from .tags import check_tags

DEFAULT_VERSION = "1.14.1"
OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""Names of NodePools and EC2NodeClasses: nodes carry them as the value of a label too."""

_OLDEST_MINOR = 14
_VERSION = re.compile(r"1\.(\d+)\.\d+")
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,61}")
# The policies, the association and the queue's policy are made for these; with the argument for each.
_OURS = {
    "replicas": "replicas",
    "serviceAccount.create": "",
    "serviceAccount.name": "",
    "settings.clusterEndpoint": "cluster_endpoint",
    "settings.clusterName": "cluster_name",
    "settings.enableZonalShift": "enable_zonal_shift",
    "settings.interruptionQueue": "",
    "settings.isolatedVPC": "isolated_vpc",
}
_MAPS = (
    *("serviceAccount", "serviceAccount.annotations", "settings", "controller", "controller.resources"),
    *("controller.resources.requests", "controller.resources.limits", "affinity"),
)


@dataclass(frozen=True)
class KarpenterOptions:
    """What of `KarpenterArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    region: str = ""
    account_id: str = ""
    version: str = DEFAULT_VERSION
    identity: str = "pod-identity"
    has_oidc_provider: bool = False
    oidc_provider_arn: str | None = None
    """None where there is none, or where it is not known yet."""
    allowed_name_prefix: str = ""
    allowed_names: Sequence[str] = ()
    isolated_vpc: bool = False
    use_instance_profile: bool = False
    enable_zonal_shift: bool = False
    namespace: str = "kube-system"
    replicas: int = 2
    helm_values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def name_patterns(self) -> tuple[str, ...]:
        """What the names of NodePools and EC2NodeClasses must be like, as IAM's StringLike has it."""
        return tuple(self.allowed_names) or (f"{self.allowed_name_prefix}*",)


def check_karpenter(options: KarpenterOptions) -> list[Problem]:
    """Everything that is wrong with the options."""
    return [
        *name_problems(options.cluster_name),
        *_version_problems(options.version),
        *identity_problems(options.identity, options.has_oidc_provider, options.oidc_provider_arn),
        *_name_restriction_problems(options),
        *_place_problems(options),
        *value_problems(options.helm_values, _OURS, _MAPS),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
        *check_tags(options.tags),
    ]


def karpenter_warnings(options: KarpenterOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    found: list[str] = []
    if options.replicas == 1:
        found.append("replicas is 1: while the controller moves to another node, no node is made or taken away.")
    if options.isolated_vpc and not value_at(options.helm_values, "controller.image.repository"):
        found.append(
            "isolated_vpc: the controller's image is on public.ecr.aws, which such a VPC does not reach; name a copy "
            "in helm_values.controller.image (repository, tag, digest)."
        )
    return found


def _version_problems(version: str) -> Iterator[Problem]:
    found = _VERSION.fullmatch(version)
    if not found:
        reason = "is no version of Karpenter's chart 1.x: three numbers with dots, without a v"
        yield Problem("version", version, reason, f'write "{DEFAULT_VERSION}" or a newer one')
    elif int(found[1]) < _OLDEST_MINOR:
        reason = f"is older than the policies and NodePools made here, which are those of 1.{_OLDEST_MINOR}"
        yield Problem("version", version, reason, f'write "{DEFAULT_VERSION}" or a newer one')


def _name_restriction_problems(options: KarpenterOptions) -> Iterator[Problem]:
    prefix, names = options.allowed_name_prefix, options.allowed_names
    if prefix and not _PREFIX.fullmatch(prefix):
        reason = "begins no name of a NodePool: small letters, digits and hyphens, no hyphen first and no asterisk"
        yield Problem("allowed_name_prefix", prefix, reason, 'write a prefix such as "e6data-"')
    if prefix and names:
        reason = f"restricts names beside allowed_name_prefix {prefix!r}, and only one of them can count"
        yield Problem("allowed_names", list(names), reason, "give one of the two")
        return
    for name in names:
        if not OBJECT_NAME.fullmatch(name):
            reason = "is no name of a NodePool: at most 63 small letters, digits and hyphens, none of these at the ends"
            yield Problem("allowed_names", name, reason, "write exact names, or use allowed_name_prefix")
    if twice := repeated(names):
        yield Problem("allowed_names", twice, "are there more than once", "name each once")
    rights = longest_rights(options)
    fitting = most_names(rights)
    if fitting < len(names):
        largest = max(policy_size(document) for document in controller_policies(rights).values())
        reason = (
            f"make an IAM policy of {largest} characters, and IAM takes {LARGEST_POLICY}: "
            f"at most the first {fitting} of them fit"
        )
        yield Problem("allowed_names", f"{len(names)} names", reason, "use allowed_name_prefix, which never grows")


def longest_rights(options: KarpenterOptions) -> ControllerRights:
    """The rights with the longest region, role and queue that can come, where these are not known beforehand."""
    region = options.region or "us-isob-east-1"
    arn = f"arn:{partition(region)}"
    account = "0" * 12
    return ControllerRights(
        region=region,
        account_id=account,
        cluster_name=options.cluster_name,
        node_role_arn=f"{arn}:iam::{account}:role/{'x' * 64}",
        queue_arn=f"{arn}:sqs:{region}:{account}:{'x' * 80}",
        names=options.name_patterns,
    )


def _place_problems(options: KarpenterOptions) -> Iterator[Problem]:
    if not OBJECT_NAME.fullmatch(options.namespace):
        reason = "is no name of a namespace: at most 63 small letters, digits and hyphens"
        yield Problem("namespace", options.namespace, reason, 'write "kube-system"')
    if options.replicas < 1:
        yield Problem("replicas", options.replicas, "leaves no controller", "write 1 or more; 2 take over for another")
    if options.isolated_vpc and not options.use_instance_profile:
        reason = "means that IAM is out of reach, where Karpenter would make instance profiles for its nodes"
        yield Problem("isolated_vpc", True, reason, "set use_instance_profile, and give NodePools that profile's name")
