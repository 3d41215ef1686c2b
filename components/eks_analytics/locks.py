"""Values that are fixed once they are applied: a change is refused before anything that carries one is touched."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pulumi

from .problems import Problem

Judge = Callable[[Mapping[str, str], Mapping[str, str]], Iterable[Problem]]
"""Takes the changed values, as applied and as wanted; yields a problem for each that must not change."""


def lock(
    name: str,
    values: Mapping[str, pulumi.Input[str]],
    judge: Judge,
    opts: pulumi.ResourceOptions | None = None,
    confirmed: bool = False,
) -> pulumi.Stash:
    """Keeps `values` in the state, beside the component of `opts`. Where `judge` refuses a change, the update fails,
    and its preview, unless it is `confirmed`."""
    hooks = None if confirmed else refusal(name, lambda inputs: inputs["input"], judge)
    own = pulumi.ResourceOptions(hooks=hooks)
    if opts:
        # `protect` is set explicitly: in a plugin, the SDK knows only the parent's URN, so nothing is inherited.
        own.parent, own.depends_on, own.protect = opts.parent, opts.depends_on, opts.protect
    return pulumi.Stash(name, input={**values}, opts=own)


def behind(kept: pulumi.Stash, opts: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
    """`opts` with which a component, and everything in it, waits for the verdict."""
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[kept]))


def refusal(
    name: str, read: Callable[[Mapping[str, Any]], Mapping[str, Any]], judge: Judge
) -> pulumi.ResourceHookBinding:
    """Hooks that stop the update of a resource where `judge` refuses what `read` finds in its inputs."""
    hook = pulumi.ResourceHook(name, refuse(read, judge), pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.ResourceHookBinding(before_update=[hook])


def refuse(
    read: Callable[[Mapping[str, Any]], Mapping[str, Any]], judge: Judge
) -> Callable[[pulumi.ResourceHookArgs], None]:
    """What the hook runs: raises one error with all problems."""

    def hook(update: pulumi.ResourceHookArgs) -> None:
        old, new = (read(inputs or {}) for inputs in (update.old_inputs, update.new_inputs))
        # An earlier release may not have kept a value, and an output may be known only after the update.
        known = [key for key in old if isinstance(old[key], str) and isinstance(new.get(key), str)]
        changed = [key for key in known if old[key] != new[key]]
        problems = list(judge({key: old[key] for key in changed}, {key: new[key] for key in changed}))
        if problems:
            raise ValueError("\n".join(map(str, problems)))

    return hook
