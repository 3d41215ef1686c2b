"""What is wrong with an input: gathered by pure checks, reported all at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One rejected input. The parts are separate, so that a caller can put its own name of the input in front."""

    input: str
    """Name of the rejected input, as the component calls it, e.g. `private_subnet_cidrs`."""
    value: object
    """The value that was given."""
    reason: str
    """Why it cannot work, as a clause: "lies outside of the VPC 10.0.0.0/16"."""
    remedy: str
    """What to do instead, as an instruction: "choose a range inside of it"."""

    def __str__(self) -> str:
        return f"{self.input} = {self.value!r}: {self.reason}; {self.remedy}"


def reject(subject: str, problems: Iterable[Problem]) -> None:
    """Raise one `RefusedError` that lists every problem of `subject`; do nothing when there is none."""
    lines = [f"  - {problem}" for problem in problems]
    if lines:
        from .refusal import RefusedError  # imports Pulumi, for which checks alone need not wait

        raise RefusedError("\n".join([f"{subject} cannot be built as asked:", *lines]))


def repeated(values: Sequence[str]) -> list[str]:
    """The values that are there more than once, sorted."""
    return sorted({value for value in values if values.count(value) > 1})
