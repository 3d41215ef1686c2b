"""How a controller in the cluster gets its IAM role, and what in that cannot work. Pure."""

import re
from collections.abc import Iterator

from .problems import Problem

IDENTITIES = ("pod-identity", "irsa")

_OIDC_PROVIDER_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:oidc-provider/.+")
_EXAMPLE = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/ABC"


def identity_problems(identity: str, has_oidc_provider: bool, oidc_provider_arn: str | None) -> Iterator[Problem]:
    """What is wrong with `identity` and `oidc_provider_arn`, which is None where it is not known yet."""
    if identity not in IDENTITIES:
        yield Problem("identity", identity, "is unknown", f"use {' or '.join(IDENTITIES)}")
    elif identity == "irsa" and not has_oidc_provider:
        reason = "lets the service account in through the cluster's OIDC provider, and none is named"
        yield Problem("identity", identity, reason, 'give oidc_provider_arn, or use identity "pod-identity"')
    elif identity == "pod-identity" and has_oidc_provider:
        reason = "is not used with the identity pod-identity"
        remedy = 'leave it out, or set identity to "irsa"'
        yield Problem("oidc_provider_arn", oidc_provider_arn or "(given)", reason, remedy)
    if oidc_provider_arn is not None:
        yield from oidc_provider_problems(oidc_provider_arn, "not the issuer's URL")


def oidc_provider_problems(arn: str, otherwise: str) -> Iterator[Problem]:
    """What is wrong with the ARN of an OIDC provider; `otherwise` ends the remedy."""
    if not _OIDC_PROVIDER_ARN.fullmatch(arn):
        remedy = f"write one such as {_EXAMPLE}, {otherwise}"
        yield Problem("oidc_provider_arn", arn, "is not the ARN of an IAM OIDC provider", remedy)
