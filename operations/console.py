"""How the commands speak: what they say goes to standard output, errors in one sentence to standard error."""

from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape

_out = Console(soft_wrap=True, highlight=False, emoji=False)
_error = Console(soft_wrap=True, highlight=False, emoji=False, stderr=True)


class OperationError(Exception):
    """What a person can mend, said so that they can."""


def say(message: str, style: str = "") -> None:
    _out.print(escape(message), style=style or None)


@contextmanager
def errors_in_a_sentence() -> Generator[None]:
    """Ends the command with exit code 1 and a sentence where an operation fails."""
    try:
        yield
    except OperationError as error:
        _error.print(f"[bold red]error:[/] {escape(str(error))}")
        raise typer.Exit(1) from None
