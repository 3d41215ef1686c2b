"""Files that a user hands in. Messages name them and never quote them: they hold keys and licenses."""

from dataclasses import dataclass, field

from .problems import Problem

LARGEST_FILE = 65_536
"""Bytes that AWS Secrets Manager takes for one secret; a chain, a key or a license has a tenth of that."""


@dataclass(frozen=True, slots=True)
class GivenFile:
    """A file as it was read. Whoever reads may stop after LARGEST_FILE + 1 bytes: more is refused unread."""

    input: str
    """Name of the input that names the file, e.g. `tls_certificate_file`."""
    path: str
    """As the user wrote it; what a problem shows as the value."""
    content: bytes = field(repr=False)

    def problem(self, reason: str, remedy: str) -> Problem:
        return Problem(self.input, self.path, reason, remedy)

    def text(self, what: str, binary_remedy: str) -> str | Problem:
        """The content as text, or why it is none. `what` says what belongs there, e.g. "the license"."""
        if len(self.content) > LARGEST_FILE:
            reason = f"is larger than {LARGEST_FILE} bytes, the most that AWS Secrets Manager keeps"
            return self.problem(reason, f"name the file that holds only {what}")
        if not self.content.strip():
            return self.problem("is empty", f"name the file that holds {what}")
        if self.content.startswith((b"\xff\xfe", b"\xfe\xff")):
            return self.problem("is UTF-16 text, as Windows PowerShell writes it", "save it as UTF-8 without a BOM")
        if b"\0" not in self.content:
            try:
                return self.content.decode()
            except UnicodeDecodeError:
                pass  # binary, just as with a NUL
        return self.problem("is binary", binary_remedy)
