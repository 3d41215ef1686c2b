"""Secrets that are written down: in texts such as scripts and files, and in settings such as environment variables."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

from .encodings import contents

CREDENTIAL = "a password, token or key"
_MARKED = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|^PuTTY-User-Key-File-", re.MULTILINE),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a license": re.compile(r"^\s*kind: *License\b", re.MULTILINE),
    # As their issuers mark them: GitHub, GitLab, Slack, Stripe, Google, npm; JSON Web Tokens (RFC 7519); OpenAI and
    # Anthropic, SendGrid, Hugging Face, Docker Hub, HashiCorp Vault, Pulumi.
    CREDENTIAL: re.compile(
        r"\bgh[pousr]_\w{36}|\bgithub_pat_\w{22}|\bglpat-[\w-]{20}|\bxox[abeprs]-[\w-]{10}|\b[rs]k_live_\w{16}"
        r"|\bAIza[\w-]{35}|\bnpm_\w{36}|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{16,}"
        r"|\bhooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20}|\bsk-(?:ant|proj|svcacct)-[\w-]{20}|\bsk-[A-Za-z0-9]{48}\b"
        r"|\bSG\.[\w-]{22}\.[\w-]{43}|\bhf_[A-Za-z]{34}\b|\bdckr_pat_[\w-]{20}|\bhvs\.[\w-]{24}|\bpul-[0-9a-f]{40}\b"
    ),
}
_ARN = re.compile(r"arn:aws[\w:/.*+=@-]+")

_WORD = (
    r"(?:(?:password|passwd|pwd)(?:[_.-](?:admin|database|db|dev|prod|production|root|staging|test))?"
    r"|passphrase|(?<![A-Za-z])(?:pass|pw)|secret|token|credentials?"
    r"|(?:access|account|api|auth|encryption|license|master|private|secret|shared|signing)[_.-]?key(?:[_-]base)?)"
)
_NAME = rf"(?P<name>[\w./-]{{0,60}}{_WORD})"
_ENDING = rf"(?P<name>{_WORD})"
"""The end of a name; what is before it is looked up once it is found, because long texts would take minutes else."""
_QUOTE, _VALUE = r"\\*[\"']?", r"(?P<value>[^\s\"']+)"
# As short as this, or the time would grow with the square of a text's length.
_ARGUMENTS = r"\b[^\n|;&]{0,200}?\s"
_WORD_OF_ITS_OWN = r"[\"']?(?P<value>[^\s\"']+)"
_GIVEN = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # name: value, name=value, "name": "value", name := value; YAML's blocks
        rf"{_ENDING}{_QUOTE}[^\S\n]*(?::=|=>|[:=])[^\S\n]*(?:[|>][+-]?[^\S\n]*\n\s*)?{_QUOTE}{_VALUE}",
        rf"\bname{_QUOTE}\s*[:=]\s*{_QUOTE}{_NAME}{_QUOTE}[\s,]+{_QUOTE}value{_QUOTE}\s*[:=]\s*{_QUOTE}{_VALUE}",
        rf"--{_NAME}\s+{_QUOTE}{_VALUE}",
        rf"<{_NAME}>\s*(?P<value>[^\s<]+)\s*</",
        # Of a variable's default, and of what a command is given to print or to decode.
        rf"\$\{{{_NAME}:?[-=]{_QUOTE}(?P<value>[^\s\"'}}]+)",
        rf"{_ENDING}=[\"']?(?:\$\(|`)[^)`\n]*?(?:\b(?:echo|printf)\s+(?:-\w+\s+)*|<<<\s*)[\"']?(?P<value>[^\s\"')]+)",
        # Of whom they are is written before them: in a URL, for curl, for chpasswd, in a header.
        r"(?P<name>\b[a-z][\w+.-]*://)[^/\s:@\"']*:(?P<value>[^/\s@\"']+)@",
        r"(?P<name>\s(?:-u|--user)[ =])[\"']?[\w.@-]+:(?P<value>[^\s\"']+)",
        r"(?P<name>)\b[\w-]+:(?P<value>[^\s\"':]+)[\"']?\s*\|\s*(?:sudo\s+)?chpasswd\b",
        # chpasswd of cloud-init, which knows RANDOM (R) and hashes besides
        r"(?P<name>\bchpasswd:)(?:\n[^\S\n]+\S[^\n]*){1,20}?\n[^\S\n]+(?:-\s+)?[\w-]+:(?!R(?:ANDOM)?\s|\$)(?P<value>\S+)",
        # Commands that take it as an argument, or read it from a pipe. Not `mysql -p3306:3306`, ports of a container.
        rf"(?P<name>\bsshpass\s+-p\s*){_WORD_OF_ITS_OWN}",
        rf"(?P<name>\b(?:docker|podman|nerdctl|helm|oras|crane){_ARGUMENTS}login{_ARGUMENTS}(?-i:-p)[ =]?)"
        rf"{_WORD_OF_ITS_OWN}",
        rf"(?P<name>\b(?:mysql|mysqladmin|mysqldump|mariadb){_ARGUMENTS}(?-i:-p))(?![\d:.]+(?:\s|$)){_WORD_OF_ITS_OWN}",
        rf"(?P<name>\bredis-cli{_ARGUMENTS}-a\s+){_WORD_OF_ITS_OWN}",
        rf"(?P<name>\bnet\s+user\s+)[^\s/]+\s+(?!/){_WORD_OF_ITS_OWN}",
        rf"(?P<name>\bConvertTo-SecureString\s+(?:-String\s+)?)(?!-){_WORD_OF_ITS_OWN}",
        rf"(?P<name>\b(?:echo|printf)\s+(?:-\w+\s+)*){_WORD_OF_ITS_OWN}[\"']?\s*\|\s*(?:sudo\s+)?"
        rf"(?:passwd\b|[^|\n]{{0,200}}\s--(?:password-)?stdin\b)",
        # Lines of ~/.netrc and ~/.pgpass
        r"\bmachine\s+\S+\s+login\s+\S+\s+(?P<name>password)\s+(?P<value>\S+)",
        r"(?m:^)(?P<name>)[\w.*-]+:(?:\d{1,5}|\*):[\w*-]+:[\w*.-]+:(?P<value>[^\s:]+)(?m:$)",
        r"(?P<name>\bauthorization)[\"']?\s*:\s*[\"']?(?:basic|bearer|token)\s+(?P<value>[^\s\"']+)",
    )
)
_REGISTRY = re.compile(r"\bauth[\"']?\s*[:=]\s*[\"']?([A-Za-z0-9+/]{8,}={0,2})")

_STATE = re.compile(
    r"always|any|ask|auto|automatic|basic|bearer|changeit|compat|cookie|default|disabled?|empty|enabled?|env|external"
    r"|false|files?|forbidden|generated?|header|hidden|include|inherit(?:ed)?|internal|jwt|ldap|managed|manual|masked"
    r"|never|nil|no|none|not-required|null|oauth2|off|omit|on|optional|preferred|prompt|random|redacted|required"
    r"|rotated?|same-origin|sss|stdin|str|string|systemd|text|true|undefined|unset|vault|yes",
    re.IGNORECASE,
)
"""What a setting is said to be, or where it comes from, in place of a value."""
_NO_LITERAL = re.compile(
    r"[$<`{(\[_/%@*!&#|~]"  # variables, markers such as __FROM_SECRETS_MANAGER__, paths, commands, YAML's tags
    r"|[a-z][\w+.-]*://|(?:ssm|secretsmanager|vault|op|resolve|arn|file|env|projects):"  # where it is
    r"|[a-z_][\w.]*[(\[]"  # a call, an item
    r"|(?-i:[a-z][a-z0-9_.-]*(?:/[a-z0-9_.-]*[a-z][a-z0-9_.-]*)+)$",  # prod/db: a path of words
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(rf"[a-z][\w-]*[._-]{_WORD}|(?:var|self|config|local|data|module)\.[\w.]+")
_NUMBER = re.compile(r"[\d.:]+[a-z]{0,2}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_OBJECT_NAME = re.compile(r"[a-z][a-z.-]*(?:-?v?\d{1,3})?")
"""That of a Kubernetes Secret or of one in Secrets Manager, as people choose them: words, and a number at most."""
_OWN_SECRET = re.compile(
    r"(?:^|api|app|application|client|consumer|cookie|hmac|jwt|master|oauth|session|shared|signing|webhook)[_.-]?secret$",
    re.IGNORECASE,
)
"""Settings that are a secret; other names that end so are of an object that holds one: imagePullSecret, tlsSecret."""
_SHORTEST, _SHORTEST_CREDENTIAL = 6, 4


def in_text(text: str) -> Iterator[str]:
    """What kinds of secrets a text holds, each once."""
    found: dict[str, None] = {}
    for content in contents(text):
        without_arns = _ARN.sub("", content)  # that of a secret names it, and is none
        found |= {kind: None for kind, pattern in _MARKED.items() if pattern.search(without_arns)}
        if CREDENTIAL not in found and _gives_password(without_arns):
            found[CREDENTIAL] = None
    yield from found


def in_setting(name: str, value: str) -> Iterator[str]:
    """What kinds of secrets the value of a setting is or holds."""
    found = list(in_text(value))
    if CREDENTIAL not in found and re.search(rf"{_WORD}$", name, re.IGNORECASE) and _is_literal(name, value, True):
        found.append(CREDENTIAL)
    yield from found


def _gives_password(text: str) -> bool:
    return any(
        _is_literal(_name(text, match), match["value"].rstrip("\\,;)]}"), "=" in match[0])
        for pattern in _GIVEN
        for match in pattern.finditer(text)
    ) or any(re.fullmatch(rb"[\w.@+-]+:\S+", b64decode(f"{given}==")) for given in _REGISTRY.findall(text))


def _name(text: str, match: re.Match[str]) -> str:
    before = text[max(0, match.start("name") - 60) : match.start("name")]
    return re.split(r"[^\w./-]", before)[-1] + match["name"]


def _is_literal(name: str, value: str, is_assigned: bool) -> bool:
    """Whether a value is the secret itself: no state, number, place or name of it."""
    value = _ARN.sub("", value).strip()
    is_password = not re.search(r"(?:secret|token|credentials?|key(?:[_-]base)?)$", name, re.IGNORECASE)
    if len(value) < (_SHORTEST_CREDENTIAL if is_password else _SHORTEST) or _STATE.fullmatch(value):
        return False
    if set(value) <= set("*xX.-") or _IDENTIFIER.fullmatch(value):
        return False
    if _NO_LITERAL.match(value) and not _is_random(value):
        return False
    if is_password:
        return True
    if _NUMBER.fullmatch(value) and not name.lower().endswith("token"):
        return False
    if _OBJECT_NAME.fullmatch(value):
        if re.search(r"(?:secret|credentials?)$", name, re.IGNORECASE):
            return is_assigned and bool(_OWN_SECRET.search(name))
        return is_assigned
    return True


def _is_random(value: str) -> bool:
    """A key of AWS may begin like a path: letters of both cases and digits, forty in all."""
    return bool(re.fullmatch(r"[A-Za-z0-9/+]{40}", value)) and bool(re.search(r"[A-Z].*\d|\d.*[A-Z]", value))
