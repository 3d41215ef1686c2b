"""Waivers: a rule that does not count for one resource, for a reason and until a day."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Waiver:
    """One waiver of a stack's configuration."""

    rule: str
    resource: str
    """Name or URN of the resource; `stack` for what is wrong with the stack as a whole."""
    reason: str
    expires: date
    """The last day on which it counts."""

    def covers(self, rule: str, name: str, urn: str) -> bool:
        return self.rule == rule and self.resource in (name, urn)

    def __str__(self) -> str:
        return f"{self.rule} for {self.resource} until {self.expires.isoformat()}: {self.reason}"
