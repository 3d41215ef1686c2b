"""How the commands speak: what they say goes to standard output, errors in one sentence to standard error."""

import os
from collections.abc import Generator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape


class Terminal(Console):
    """Falls silent where nobody reads on, as in `make down | head -1`: what was begun is to be finished all the same.

    Rich itself ends the thread that happened to write.
    """

    def __init__(self, stderr: bool = False) -> None:
        super().__init__(soft_wrap=True, highlight=False, emoji=False, stderr=stderr)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())  # Python flushes what is left when it ends
        os.close(nowhere)


_out = Terminal()
_error = Terminal(stderr=True)


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
