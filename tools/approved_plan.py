"""What a plan does, one operation a line: `pulumi preview --json | python tools/approved_plan.py > plan.txt`.

A deployment compares the operations of its own preview with the approved ones and stops if they differ. Pulumi's update
plans (`preview --save-plan`, `up --plan`) are experimental, and with Pulumi 3.258 they refuse the first update of a
program with pulumi-eks: the outputs of its component are unknown when the plan is saved ("resource violates plan").

For an update the digest of the new inputs counts too. Not for a create: the name of a new resource has a random suffix.
Pulumi masks secrets, so a line reveals none. Standard library only.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

_NOTHING = ("same", "read", "refresh")


def lines(preview: Mapping[str, Any]) -> list[str]:
    """The operations of `pulumi preview --json` (PreviewDigest, pkg/display/json.go), sorted."""
    return sorted(_lines(preview))


def _lines(preview: Mapping[str, Any]) -> Iterator[str]:
    for step in preview.get("steps") or []:
        if step["op"] in _NOTHING:
            continue
        changed = {key: diff["kind"] for key, diff in (step.get("detailedDiff") or {}).items()}
        changed |= dict.fromkeys(set(step.get("diffReasons") or []) - changed.keys(), "update")
        shown = "".join(f" {key}={kind}" for key, kind in sorted(changed.items()))
        if step["op"] == "update":
            inputs = json.dumps((step.get("newState") or {}).get("inputs"), sort_keys=True)
            shown += f" inputs={hashlib.sha256(inputs.encode()).hexdigest()[:16]}"
        yield f"{step['op']} {step['urn']}{shown}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(json.load(sys.stdin)))
