"""Names on AWS, to which Pulumi adds a hyphen and seven characters; AWS takes just so many. Pure."""

import hashlib
from collections.abc import Iterator

from .problems import Problem

LONGEST_ROLE_NAME = 64
LONGEST_RULE_NAME = 64
_ADDED = len("-1234567")


def room_for_name(longest: int, *suffixes: str) -> int:
    """Characters that a component's name may have, if all of these suffixes are to fit behind it."""
    return longest - max(map(len, suffixes), default=0) - _ADDED


def component_name_problems(name: str, longest: int) -> Iterator[Problem]:
    """A component's name of which names on AWS would become too long, halfway through an update."""
    if len(name) > longest:
        reason = (
            f"begins names on AWS, which would grow longer than the 64 characters that are taken: it has {len(name)}"
        )
        yield Problem("name", name, reason, f"shorten it to {longest}")


def shortened(name: str, longest: int) -> str:
    """The name, or as much of its beginning as fits, made unique by a hash of the whole."""
    if len(name) <= longest:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:7]
    return f"{name[: longest - len(digest) - 1].rstrip('-_')}-{digest}"
