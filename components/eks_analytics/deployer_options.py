"""What a deployer policy is made for, and the ARNs that follow from it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from .cluster_checks import EBS_CSI_ROLE_PER_CLUSTER, EBS_CSI_ROLE_VENDOR_NAME
from .partitions import dns_suffix, partition


@dataclass(frozen=True)
class DeployerOptions:
    """A stack, as far as it decides what its deployment may do."""

    region: str
    account_id: str
    cluster_name: str
    tags: Mapping[str, str]
    """Tags that every resource of the stack carries from its first moment, and no other stack's do: its marks. Best
    those that never change, because a resource with another value is out of the deployer's reach."""
    base_domain: str = ""
    """Only the names of this domain may be changed in the hosted zones; empty: no records at all."""
    hosted_zone_ids: tuple[str, ...] = ()
    existing_vpc_id: str = ""
    existing_subnet_ids: tuple[str, ...] = ()
    """Subnets of the existing VPC, which get tags."""
    interface_endpoints: bool = True
    """Whether a new VPC has interface endpoints."""
    ipv6: bool = False
    """Whether the VPC, or the pods, have IPv6 addresses."""
    kms_key_arn: str = ""
    """An existing key; empty: the program makes one."""
    ebs_csi_role: str = EBS_CSI_ROLE_PER_CLUSTER
    """The cluster's `ebs_csi_role`."""
    bootstrap: bool = True
    """Whether there is a bootstrap host, or was one."""
    ssh_key_name: str = ""
    """Name of the EC2 key pair of the bootstrap host; empty: it has none."""
    dns_firewall: bool = True
    """Whether Route 53 Resolver DNS Firewall watches over the VPC, or did."""
    installation: bool = True
    """Whether the stack delivers Dash Enterprise's files, secrets and settings."""
    karpenter: bool = False
    """Whether the stack installs Karpenter."""
    load_balancers: bool = False
    """Whether a destroy waits for load balancers that controllers in the cluster made."""
    backups: bool = False
    """Whether the stack has backups, or had some."""
    backup_bucket_name: str = ""
    """The name that the stack gives its bucket for backups; empty: one that begins with the cluster's."""
    backup_replication: bool = False
    """Whether backups are copied to another region."""
    makes_cluster: bool = True
    """Whether the stack makes its cluster, and not only what is in it."""
    backup_watch: bool = False
    """Whether the stack watches over backups, or may have done so: what is turned off is taken away."""
    watch_key: bool = True
    """Whether the watch makes a key of its own."""
    session_logs: bool = False
    """Whether Session Manager sessions leave transcripts."""
    session_logs_key: bool = True
    """Whether the transcripts have a key of their own."""
    makes_oidc_provider: bool = True
    """Whether the stack makes the IAM OIDC provider of its cluster."""
    permissions_boundary_arn: str = ""
    """ARN of the policy that bounds every role of the stack; empty: none does."""

    @property
    def makes_key(self) -> bool:
        return self.makes_cluster and not self.kms_key_arn

    @property
    def makes_keys(self) -> bool:
        """Whether the stack makes any key."""
        return self.makes_key or self.makes_log_key

    @property
    def makes_log_key(self) -> bool:
        """Whether the stack makes a key for logs: of the watch over backups, or of sessions."""
        return (self.backup_watch and self.watch_key) or (self.session_logs and self.session_logs_key)

    @property
    def partition(self) -> str:
        return partition(self.region)

    def arn(self, service: str, resource: str) -> str:
        """ARN of a resource in the stack's region and account."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account_id}:{resource}"

    def iam_arn(self, resource: str) -> str:
        return f"arn:{self.partition}:iam::{self.account_id}:{resource}"

    def public_arn(self, service: str, resource: str) -> str:
        """ARN of something that AWS, not an account, owns in the region."""
        return f"arn:{self.partition}:{service}:{self.region}::{resource}"

    def global_arn(self, service: str, resource: str) -> str:
        """ARN of a resource that is named without region and account."""
        return f"arn:{self.partition}:{service}:::{resource}"

    def service(self, name: str) -> str:
        """Principal of a service that has one for each partition, as EC2 does."""
        return f"{name}.{dns_suffix(self.region)}"

    @property
    def existing_csi_role_arn(self) -> str:
        """The EBS driver's role where it is not the program's own."""
        own = (EBS_CSI_ROLE_PER_CLUSTER, EBS_CSI_ROLE_VENDOR_NAME)
        return "" if self.ebs_csi_role in own else self.ebs_csi_role

    @property
    def on_new(self) -> dict[str, str]:
        """Condition on the tags of a request that makes something."""
        return {f"aws:RequestTag/{key}": value for key, value in self.tags.items()}

    @property
    def on_own(self) -> dict[str, str]:
        """Condition on the tags of something that exists."""
        return {f"aws:ResourceTag/{key}": value for key, value in self.tags.items()}
