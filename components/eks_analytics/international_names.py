"""Domain names with letters outside ASCII, which DNS has in another form. Pure."""

import unicodedata


def ascii_form(name: str) -> str:
    """The name as DNS has it, such as `xn--bcher-kva.example` for bücher.example: RFC 5891, which unlike Python's own
    `idna` codec keeps ß and ς."""
    labels = unicodedata.normalize("NFC", name.lower()).replace("\u3002", ".").split(".")
    return ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)


def letters_fault(name: str) -> tuple[str, str] | None:
    """Why DNS takes no name with these letters, and the name to write instead."""
    if name.isascii():
        return None
    foreign = "".join(dict.fromkeys(letter for letter in name if not letter.isascii()))
    return (
        f"has letters outside ASCII ({foreign}), and DNS, certificates and the installer use another form of such a "
        "name",
        f'write "{ascii_form(name)}"',
    )
