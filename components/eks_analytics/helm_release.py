"""Helm releases of this package's components."""

from collections.abc import Mapping
from typing import Any

import pulumi

SECONDS = 600
"""How long Helm waits for what a release brings."""


def helm_release(name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions) -> pulumi.CustomResource:
    """A release, with the inputs as the provider calls them. Not the SDK's own class, whose type hints import half of
    the SDK when it is first used: 140 modules, a quarter of a second and more, where this takes two milliseconds."""
    return pulumi.CustomResource("kubernetes:helm.sh/v3:Release", name, {"timeout": SECONDS, **inputs}, opts)
