"""What a test or a curious user can turn: injected failures and scaled waiting."""

import re
import threading
from collections import Counter
from dataclasses import dataclass, field

INJECTED = "injected failure, as the knob asks for"
# Of what is no service of AWS.
_OPERATIONS = {
    "command": "Create|Update|Delete",
    "helm": "Install|Upgrade|Uninstall",
    "kubernetes": "(Apply|Delete)[A-Z][A-Za-z0-9]+",
}


@dataclass
class Knobs:
    """`fail`: (service, operation, n): the n-th call of the operation fails once. `latency`: factor on real times.

    Beside AWS's services there are `kubernetes` (ApplyNodePool, DeleteNodePool and so on for each kind), `helm` and
    `command`.
    """

    fail: tuple[tuple[str, str, int], ...] = ()
    latency: float = 0.0
    _calls: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]], repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @staticmethod
    def parse(fail: list[str], latency: float = 0.0) -> "Knobs":
        """`fail` as "ec2:CreateSubnet" (the first call) or "ec2:CreateSubnet:3"."""
        return Knobs(tuple(_failure(text) for text in fail), latency)

    def fails(self, service: str, operation: str) -> bool:
        """Counts one call and says whether it is the one to fail."""
        if not self.fail:
            return False
        with self._lock:
            self._calls[service, operation] += 1
            return (service, operation, self._calls[service, operation]) in self.fail


def _failure(text: str) -> tuple[str, str, int]:
    parts = text.split(":")
    if len(parts) not in (2, 3) or not all(parts) or (len(parts) == 3 and (not parts[2].isdigit() or parts[2] == "0")):
        raise ValueError(f"{text!r} is not service:Operation or service:Operation:number, as in ec2:CreateSubnet:3")
    if (known := _OPERATIONS.get(parts[0])) and not re.fullmatch(known, parts[1]):
        raise ValueError(f"{text!r} would never fail: the operations of {parts[0]} are {known}")
    return parts[0], parts[1], int(parts[2]) if len(parts) == 3 else 1
