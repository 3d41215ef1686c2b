"""What a text holds below the encodings in which machines are given files: cloud-init's, MIME's, a shell's."""

from __future__ import annotations

import bz2
import lzma
import quopri
import re
import zlib
from base64 import b64decode
from binascii import Error
from collections.abc import Callable, Iterator
from io import BytesIO
from zipfile import BadZipFile, ZipFile

_DEEPEST = 8
_LARGEST = 1 << 20
"""Bytes that are read of one content. User data has at most 16 KiB (64 as text), a ConfigMap 1 MiB."""
_MOST = 2000
"""Contents that are looked into."""
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}(?:\s*\n\s*[A-Za-z0-9+/_-]{4,})*={0,2}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){12,}")
_TEXT = 0.75
"""Share of printable characters from which on it is a text; of random bytes, 0.37 are printable."""


def contents(text: str) -> Iterator[str]:
    """The text itself, and all that it holds in base64, hexadecimal digits, quoted-printable, or compressed."""
    found = [(text, 0)]
    seen = {text}
    whole = _from_base64(text)
    if whole and _is_base64(text):  # user data, as the provider wants it: its content need not be text
        found += ((one, 1) for one in _texts(whole, _everything))
    while found and len(seen) < _MOST:
        current, depth = found.pop(0)
        yield current
        if depth < _DEEPEST:
            inner = [one for one in _encoded(current) if one not in seen]
            seen.update(inner)
            found += ((one, depth + 1) for one in inner)


def _encoded(text: str) -> Iterator[str]:
    for run in _BASE64.findall(text):
        yield from _texts(_from_base64(run), _is_text)
        for line in run.split() if "\n" in run else ():  # a word on the next line need not belong to it
            yield from _texts(_from_base64(line), _is_text)
    for digits in _HEX.findall(text):
        yield from _texts(bytes.fromhex(digits), _is_text)
    if "quoted-printable" in text.lower():
        yield quopri.decodestring(text.encode()).decode(errors="replace")


def _is_base64(text: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z0-9+/=\s]+", text))


def _from_base64(text: str) -> bytes:
    digits = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return b64decode(digits[: len(digits) - (len(digits) % 4 == 1)] + "==")
    except Error:
        return b""


def _texts(content: bytes, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    """The texts that bytes are, unpacked where they are compressed."""
    for unpacked in _unpacked(content):
        text = unpacked.replace(b"\0", b"").decode(errors="replace")  # UTF-16, PowerShell's, has a zero in each letter
        if text and (unpacked is not content or is_wanted(text)):
            yield text


def _unpacked(content: bytes) -> Iterator[bytes]:
    """As much of it as can be read: what ends too early is read up to there."""
    if content.startswith(b"PK\x03\x04"):
        try:
            with ZipFile(BytesIO(content)) as archive:
                for entry in archive.infolist():
                    with archive.open(entry) as file:
                        yield file.read(_LARGEST)
        except (BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error):
            return
    elif content.startswith(b"\x1f\x8b") or content[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        yield _read(lambda: zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(content, _LARGEST))
    elif content.startswith(b"BZh"):
        yield _read(lambda: bz2.BZ2Decompressor().decompress(content, _LARGEST))
    elif content.startswith(b"\xfd7zXZ"):
        yield _read(lambda: lzma.LZMADecompressor().decompress(content, _LARGEST))
    else:
        yield content


def _read(decompress: Callable[[], bytes]) -> bytes:
    try:
        return decompress()
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError):
        return b""


def _everything(_: str) -> bool:
    return True


def _is_text(text: str) -> bool:
    return sum(one.isascii() and (one.isprintable() or one in "\r\n\t") for one in text) >= _TEXT * len(text)
