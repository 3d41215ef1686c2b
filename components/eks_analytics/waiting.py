"""Values that wait: what uses one is made after the resources that it needs besides."""

from collections.abc import Iterable

import pulumi


def once(value: pulumi.Input[str], resources: Iterable[pulumi.Resource]) -> pulumi.Output[str]:
    """The value, with the resources as dependencies of whatever uses it.

    URNs are known in previews too, where ids of resources yet to be made are not: waiting never hides a known value.
    """
    return pulumi.Output.all(value, *(resource.urn for resource in resources)).apply(lambda found: str(found[0]))
