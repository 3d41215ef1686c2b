"""The deployer policy: what `pulumi preview`, `up`, `refresh` and `destroy` of a stack do on AWS, and no more. Pure."""

import json
import re

from .deployer_options import DeployerOptions
from .deployer_statements import creation_statements, statements
from .iam import PolicyDocument, Statement, document

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space does not count.
LARGEST_INLINE_POLICY = 10_240
"""Characters that all inline policies of a role may have together."""
LARGEST_MANAGED_POLICY = 6_144
"""Characters of a customer managed policy."""

NOTES = (
    "Attach it to the role that runs Pulumi: as one inline policy of the role, or in parts as customer managed ones.",
    "It covers AWS only. The state backend, and its key, need rights of their own; Kubernetes knows the deployer by "
    "its access entry (setting cluster.admin_principal_arns).",
    "It follows the settings of the stack. What a setting adds needs the new policy before the update; what a setting "
    "takes away needs the old policy until the update is done.",
    "Names of roles, buckets, secrets, parameters and log groups begin with the cluster's name: a cluster `a` would "
    "reach what a cluster `a-b` of the same account has, so let no cluster's name begin with another's.",
    "Where the account encrypts EBS volumes with a key of its own by default, the deployer needs that key's "
    "kms:CreateGrant, kms:Decrypt, kms:DescribeKey and kms:GenerateDataKeyWithoutPlaintext besides.",
    "AWS takes up to five minutes to let a new key's tags count. Where the first update ends with AccessDenied of KMS, "
    "run it again.",
    "The first update also needs the policy that --creation prints, and so does every update that makes a KMS key, an "
    "OIDC provider, a VPC or a DNS firewall. Detach that policy afterwards: it can put the stack's tags on resources "
    "that have none, and whatever carries them is within the deployer's reach.",
)
"""What whoever attaches the policy should know."""
WITHOUT_BOUNDARY = (
    "No permissions boundary is set: whoever has this policy can give a role of the stack any rights, those of an "
    "administrator included, and take that role. Set permissions_boundary_arn to prevent it."
)
WITH_BOUNDARY = (
    "Every role has the permissions boundary of permissions_boundary_arn, and nobody with this policy can remove it: "
    "whoever takes that setting out of a stack needs iam:DeleteRolePermissionsBoundary for one update. Let nobody who "
    "deploys write new versions of the boundary itself."
)
CREATION_NOTES = (
    "Attach it to the same role as the deployer policy, preferably as a separate managed policy, and detach it once "
    "the update is done.",
    "While it is attached, resources without a tag `project` can be tagged as this stack's: KMS keys without an alias, "
    "security groups, OIDC providers of EKS clusters, and rule groups, domain lists and log configurations of the "
    "Route 53 Resolver. AWS offers no condition that tells new ones apart.",
)
"""What whoever attaches the creation policy should know."""


def deployer_policy(options: DeployerOptions) -> PolicyDocument:
    """The whole policy, for a role's inline policy. ValueError where it is larger than a role takes."""
    whole = document(*statements(options))
    if (length := size(whole)) > LARGEST_INLINE_POLICY:
        raise ValueError(
            f"the deployer policy has {length} characters, a role takes {LARGEST_INLINE_POLICY} inline: "
            "use its parts as customer managed policies"
        )
    return whole


def creation_policy(options: DeployerOptions) -> PolicyDocument:
    """What the first update of a stack needs in addition to the deployer policy; other updates should not have it."""
    return document(*creation_statements(options))


def notes(options: DeployerOptions) -> list[str]:
    """What whoever attaches the policy of a stack should know."""
    return [*NOTES, WITH_BOUNDARY if options.permissions_boundary_arn else WITHOUT_BOUNDARY]


def deployer_policies(options: DeployerOptions) -> list[PolicyDocument]:
    """The same statements in as few customer managed policies as their order allows."""
    parts: list[list[Statement]] = [[]]
    for statement in statements(options):
        if parts[-1] and size(document(*parts[-1], statement)) > LARGEST_MANAGED_POLICY:
            parts.append([])
        parts[-1].append(statement)
    return [document(*part) for part in parts]


def size(policy: PolicyDocument) -> int:
    """Its characters as IAM counts them."""
    return len(re.sub(r"\s", "", json.dumps(policy)))
