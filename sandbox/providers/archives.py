"""The engine's archives of files as ZIP files. Assets and archives are objects with a signature of their kind."""

import io
import zipfile
from pathlib import Path
from typing import Any

from sandbox.providers.protocol import SIGNATURE, ProviderError, Values


def is_archive(value: Any) -> bool:
    """Whether a property's value is an archive."""
    return isinstance(value, dict) and "assets" in value and SIGNATURE in value


def zipped(archive: Values) -> bytes:
    """The archive's files, the same bytes for the same contents."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, asset in sorted(archive["assets"].items()):
            file.writestr(zipfile.ZipInfo(name), _content(name, asset))
    return target.getvalue()


def _content(name: str, asset: Values) -> bytes:
    if "text" in asset:
        return str(asset["text"]).encode()
    if "path" in asset:
        return Path(asset["path"]).read_bytes()
    raise ProviderError(f"the asset {name} is not supported by the embedded cloud: neither a text nor a file")
