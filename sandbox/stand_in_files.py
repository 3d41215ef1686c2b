"""Stand-ins for the files of an installation that git does not have, as a review needs them on both of its sides.

A commit says nothing about what lies in `installation/` or `demo/` on some machine; without stand-ins the merge base
could not be applied, and with this machine's files the page would differ from machine to machine.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from sandbox import demo_files

_PAIR = {"tls_certificate_file", "tls_private_key_file"}
_TLS = {*_PAIR, "tls_trust_store_file"}
_NAMES = {
    "license_file": "license.yaml",
    "tls_certificate_file": "fullchain.pem",
    "tls_private_key_file": "privkey.pem",
    "tls_trust_store_file": demo_files.AUTHORITY,
    "installation_plan": "installation-plan",
}


def outside_git(project: Path, settings: object) -> dict[str, str]:
    """The paths, by setting of the block `dash_enterprise`, that git does not have and that no `git add` would add."""
    if not isinstance(settings, Mapping):
        return {}
    named = {key: settings[key] for key in _NAMES if isinstance(settings.get(key), str) and settings[key]}
    return {key: path for key, path in named.items() if not _in_git(project, path)}


def with_stand_ins(project: Path, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The block with stand-ins in `folder` for what git does not have: one set for each base domain."""
    keys = outside_git(project, settings).keys()
    if keys & _TLS:  # a certificate, its key and who signed it belong together
        keys = keys | _TLS
    base_domain = demo_files.domain(settings)
    of_domain = folder / sha256(base_domain.encode()).hexdigest()[:16]  # whatever was written makes a file name
    paths = {key: of_domain / _NAMES[key] for key in keys}
    demo_files.make(paths, base_domain)
    return {**settings, **{key: str(path) for key, path in paths.items()}}


def _in_git(project: Path, path: str) -> bool:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", f":(literal){path}"],
        cwd=project,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    return listed.returncode == 0 and bool(listed.stdout)
