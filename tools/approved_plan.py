"""What a plan does, one operation a line: `pulumi preview --json | python tools/approved_plan.py > plan.txt`.

A deployment compares the operations of its own preview with the approved ones and stops if they differ. Pulumi's update
plans (`preview --save-plan`, `up --plan`) are experimental, and with Pulumi 3.258 they refuse the first update of a
program with pulumi-eks: the outputs of its component are unknown when the plan is saved ("resource violates plan").

Digests of inputs count too: of the old ones, so that an approval ends with the deployment that it was given for; of the
new ones of an update; and of those for which a resource is replaced. Not of a create, and of no automatic name: that of
a new resource has a random suffix. Pulumi masks secrets, so a line reveals none. Standard library only.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

_NOTHING = ("same", "read", "refresh")
_REPLACEMENTS = ("replace", "create-replacement")
_PATH = re.compile(r'\["([^"]*)"\]|\[(\d+)\]|([^.\[]+)')


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
        old, new = ((step.get(state) or {}).get("inputs") for state in ("oldState", "newState"))
        if step["op"] == "update":
            shown += f" inputs={_digest(new)}"
        elif step["op"] in _REPLACEMENTS:
            paths = {*changed, *(step.get("replaceReasons") or [])}
            named = _without_automatic_names(new or {})
            shown += f" inputs={_digest({path: _at(named, path) for path in paths})}"
        if old is not None:
            shown += f" before={_digest(old)}"
        yield f"{step['op']} {step['urn']}{shown}"


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _without_automatic_names(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The Terraform bridge lists in `__defaults` what it filled in; pulumi-kubernetes says it in an annotation."""
    defaults = {"__defaults", *(inputs.get("__defaults") or [])}
    kept = {key: value for key, value in inputs.items() if key not in defaults}
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "pulumi.com/autonamed" in (metadata.get("annotations") or {}):
        kept["metadata"] = {key: value for key, value in metadata.items() if key != "name"}
    return kept


def _at(value: Any, path: str) -> Any:
    """What lies at a property path such as `spec.rules[0]["a.b"]`; None where nothing does."""
    for quoted, index, name in _PATH.findall(path):
        if isinstance(value, list):
            value = value[int(index)] if index and int(index) < len(value) else None
        else:
            value = value.get(quoted or name) if isinstance(value, dict) else None
    return value


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines(json.load(sys.stdin)))
