"""Domain names with letters outside ASCII, which DNS has in another form. Pure."""

import unicodedata


def ascii_form(name: str) -> str:
    """The name as DNS has it, such as `xn--bcher-kva.example` for bücher.example: RFC 5891, which unlike Python's own
    `idna` codec keeps ß and ς. Without what was pasted along: invisible characters, dashes and wide letters."""
    seen = "".join("-" if _is_dash(letter) else letter for letter in name if not _is_invisible(letter))
    labels = unicodedata.normalize("NFKC", seen.lower()).lower().replace("\u3002", ".").split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def letters_fault(name: str) -> tuple[str, str] | None:
    """Why DNS takes no name with these letters, and the name to write instead."""
    if name.isascii():
        return None
    meant = f'write "{ascii_form(name)}"'
    foreign = list(dict.fromkeys(letter for letter in name if not letter.isascii()))
    if invisible := [f"U+{ord(letter):04X}" for letter in foreign if _is_invisible(letter)]:
        several = len(invisible) > 1
        reason = f"has {'invisible characters' if several else 'an invisible character'} ({', '.join(invisible)})"
        return reason, f"remove the invisible character{'s' if several else ''}: {meant}"
    if dashes := "".join(filter(_is_dash, foreign)):
        return f"has a dash ({dashes}), and names in DNS have hyphens", f"{meant}, with a hyphen"
    return (
        f"has letters outside ASCII ({''.join(foreign)}), and DNS, certificates and the installer use another form of "
        "such a name",
        meant,
    )


def _is_invisible(letter: str) -> bool:
    return not letter.isascii() and unicodedata.category(letter) in ("Cc", "Cf", "Zs", "Zl", "Zp")


def _is_dash(letter: str) -> bool:
    return not letter.isascii() and (unicodedata.category(letter) == "Pd" or letter == "\u2212")
