"""How nodes find their subnets and security groups: terms that Karpenter would refuse. Pure."""

import re
from collections.abc import Iterator, Sequence

from .node_pool_options import SelectorTermArgs
from .problems import Problem

_MOST_TAGS, _MOST_TERMS = 20, 30


def selector_problems(where: str, terms: Sequence[SelectorTermArgs] | None, kind: str) -> Iterator[Problem]:
    """What is wrong with the terms; the ids begin with `kind`."""
    if terms is None:
        return
    if not 1 <= len(terms) <= _MOST_TERMS:
        reason = f"has {len(terms)} terms, and 1 to {_MOST_TERMS} are taken"
        yield Problem(where, list(terms), reason, "name some, or leave it out for the cluster's own")
    for index, term in enumerate(terms):
        at, tags, id = f"{where}[{index}]", term.get("tags", {}), term.get("id")
        if bool(tags) == bool(id):
            reason = "has both tags and an id" if id else "has neither tags nor an id"
            yield Problem(at, dict(term), reason, "give one of the two; terms of their own find more")
        if id and not re.fullmatch(rf"{kind}-[0-9a-f]{{8,17}}", id):
            yield Problem(f"{at}.id", id, f"is no id that begins with {kind}-", f'write one such as "{kind}-0a1b2c3d"')
        if len(tags) > _MOST_TAGS:
            yield Problem(f"{at}.tags", len(tags), f"are more than {_MOST_TAGS} tags", "leave some out")
        if empty := [key for key, value in tags.items() if not key or not value]:
            yield Problem(f"{at}.tags", empty, "has an empty key or value", 'write "*" for any value')
