"""The variables at the top of the vendor's installer, where its user is meant to write values. Pure.

Only plain assignments before the first command count: whatever follows may use them already.
"""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from shlex import quote

from .problems import Problem, reject

ADMIN_PASSWORD = "ADMIN_PASSWORD"  # noqa: S105  # the variable's name
PLACEHOLDER = "__FROM_SECRETS_MANAGER__"
"""Stands in the delivered script where the password belongs; the host replaces it."""
SCRIPT = "install_de_aws.sh"
"""Name of the installer in the vendor's plan, in the bucket and on the host."""

# A word of bash: quoted parts may span lines, substitutions are taken over as they are.
_WORD = r"""(?:
    [^\s'"\\`$;&|<>()]
    | '[^']*'
    | "(?:[^"\\]|\\.)*+"
    | \\.
    | `[^`]*`
    | \$(?:'(?:[^'\\]|\\.)*+' | \{[^{}]*\} | \([^()]*\))?+
)*+"""
_END = r"[ \t]*(?:[ \t]\#[^\n]*)?(?:\n|\Z)"
_ASSIGNMENT = re.compile(
    rf"(?P<head>[ \t]*(?:(?:export|readonly)[ \t]+)?)(?P<name>[A-Za-z_]\w*)=(?P<value>{_WORD})(?P<end>[ \t]*;?{_END})",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_PASSED_OVER = re.compile(
    rf"[ \t]*(?:\#[^\n]*|set[ \t][^\n]*|(?:export|readonly)(?:[ \t]+[A-Za-z_]\w*)+)?;?{_END}", re.X | re.A
)
# What could hold a second password: an assignment of any form (with export, after a semicolon, in a comment), or the
# default of an expansion. Quotes are removed beforehand. An empty value, or another expansion, holds no password.
_EXPANSION = r"(?:\$\w|\$\{\w+(?:\}|:?(?:\?|[-=+][}$]))|\$\(|`|[;)&|]|[ \t]*$)"
_MORE_PASSWORDS = re.compile(
    rf"(?<!\$)\b{ADMIN_PASSWORD}(?:\+?=(?!{_EXPANSION})|(?<=\$\{{{ADMIN_PASSWORD}):?[-=+](?![}}$]))", re.ASCII
)
_SHEBANG = re.compile(r"#!\s*/\S*?(?:/env\s+(?:-\S+\s+)*)?(?:ba|da|k|z)?sh\b")
_TEXT = re.compile(r"[^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]*")


def assignments(script: str) -> dict[str, int]:
    """The names that are assigned at the top of a script, with the lines where they are."""
    return {found["name"]: script.count("\n", 0, found.start("name")) + 1 for found in _assignments(script)}


def assign(script: str, values: Mapping[str, str]) -> str:
    """The script with these values in the assignments at its top; all else in it stays as it is."""
    reject(SCRIPT, script_problems(script, values))
    return _rewritten(
        script, lambda found: f"{found['head']}{found['name']}={quote(values[found['name']])}{found['end']}", values
    )


def delivered(script: str, values: Mapping[str, str]) -> str:
    """The script as it goes to the host: with the values, and never with a password, whoever wrote one into it."""
    return _rewritten(
        assign(script, values),
        # The comment goes too: people note there what they changed.
        lambda found: f"{found['head'].lstrip()}{ADMIN_PASSWORD}={PLACEHOLDER}\n",
        [ADMIN_PASSWORD],
    )


def variable_problems(variables: Mapping[str, str]) -> Iterator[Problem]:
    """What cannot be a variable's value in any script."""
    for name, value in variables.items():
        if name == ADMIN_PASSWORD:
            reason = "is a secret, and the script is none"
            remedy = "leave it out, and set admin_password (pulumi config set --secret eks-analytics:admin_password)"
            yield Problem("script_variables", name, reason, remedy)
        elif "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            reason = "has a value with a NUL or half a character in it, which no shell can hold"
            yield Problem("script_variables", name, reason, "write it as plain text")


def script_problems(script: str, names: Iterable[str], *, admin_password: bool = False) -> Iterator[Problem]:
    """Why the values of these variables, and the password where there is one, cannot be put into the script."""
    if (fault := _fault(script)) is not None:
        yield Problem("install_script", SCRIPT, *fault)
        return
    assigned = assignments(script)
    listed = ", ".join(name for name in assigned if name != ADMIN_PASSWORD) or "none"
    for name in names:
        if name not in assigned and name != ADMIN_PASSWORD:
            reason = f"is not assigned at the top of {SCRIPT}, where the values of its variables belong"
            yield Problem("script_variables", name, reason, f"use one that is: {listed}")
    if admin_password and ADMIN_PASSWORD not in assigned:
        reason = f"assigns no {ADMIN_PASSWORD} at its top, so that the password has no place in it"
        remedy = f"take {SCRIPT} from the installation plan again, or ask the vendor where the password goes now"
        yield Problem("install_script", SCRIPT, reason, f"{remedy} (assigned are: {listed})")
    if lines := list(_lines_with_more_passwords(script)):
        reason = (
            f"gives {ADMIN_PASSWORD} a value in line {', '.join(map(str, lines))} too, and only the first assignment "
            "at the top is replaced: the script in the bucket would hold a password in clear text"
        )
        remedy = "delete that value, or write a variable there, and set the password as admin_password"
        yield Problem("install_script", SCRIPT, reason, remedy)


def _lines_with_more_passwords(script: str) -> Iterator[int]:
    """Lines besides the first assignment that may hold a password, however they are quoted."""
    first = next((found for found in _assignments(script) if found["name"] == ADMIN_PASSWORD), None)
    if first:
        script = script[: first.start()] + "\n" * first[0].count("\n") + script[first.end() :]
    for number, line in enumerate(re.sub(r"['\"\\]", "", script).split("\n"), 1):
        if _MORE_PASSWORDS.search(line):
            yield number


def _fault(script: str) -> tuple[str, str] | None:
    """Reason and remedy where the text is no shell script."""
    again = f"take {SCRIPT} from the installation plan again"
    if not script.strip():
        return "is empty", again
    if not _TEXT.fullmatch(script):
        return "is binary", again
    if script.startswith("\ufeff"):
        return "has a byte order mark, which hides its first line from the shell", "save it as UTF-8 without a BOM"
    if "\r" in script:
        return (
            "has Windows line ends, which bash reads as part of every value",
            "convert it: dos2unix, or sed -i 's/\\r$//'",
        )
    if not _SHEBANG.match(script):
        return "does not begin with #! and a shell, as scripts do", again
    return None


def _assignments(script: str) -> Iterator["re.Match[str]"]:
    position = 0
    while position < len(script):
        found = _ASSIGNMENT.match(script, position)
        if found:
            yield found
        else:
            found = _PASSED_OVER.match(script, position)
        if not found:
            return
        position = found.end()


def _rewritten(script: str, line: Callable[["re.Match[str]"], str], names: Container[str]) -> str:
    """The script with what `line` makes of each assignment of these names."""
    parts: list[str] = []
    position = 0
    for found in _assignments(script):
        if found["name"] in names:
            parts += [script[position : found.start()], line(found)]
            position = found.end()
    return "".join([*parts, script[position:]])
