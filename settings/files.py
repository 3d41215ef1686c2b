"""The files that a Dash Enterprise installation brings along: read here, judged by the components' pure checks.

They are never in git, so a preview goes on without them; whoever applies has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from eks_analytics.files import LARGEST_FILE, GivenFile
from eks_analytics.problems import Problem

if TYPE_CHECKING:
    from .models import DashEnterpriseSettings

INSTALL_SCRIPT = "install_de_aws.sh"
_LARGEST_SCRIPT = 1 << 20
_WHAT = {
    "license_file": "the license that Plotly sent",
    "tls_certificate_file": "the certificate chain (leaf first)",
    "tls_private_key_file": "the certificate's private key",
    "installation_plan": f"the installation plan that Plotly sent, with {INSTALL_SCRIPT}",
    "tls_trust_store_file": "the trusted roots",
}


FILES = tuple(_WHAT)
"""The settings of `dash_enterprise` that name a file."""


@dataclass(frozen=True, repr=False)
class InstallationFiles:
    """What the files hold; None where one is not there, which only a preview accepts."""

    license: str | None = None
    tls_certificate: str | None = None
    tls_private_key: str | None = None
    install_script: str | None = None


@dataclass
class Found:
    """The files of a stack by setting, and why there are no others."""

    files: dict[str, GivenFile] = field(default_factory=dict[str, GivenFile])
    problems: list[Problem] = field(default_factory=list[Problem])

    def content(self, name: str) -> str | None:
        """The text of a file in which the checks found nothing wrong."""
        return self.files[name].content.decode() if name in self.files else None


def find(settings: DashEnterpriseSettings, project_root: Path) -> Found:
    """Read every file that the settings name."""
    found = Found()
    for name, path, problem in _named(settings):
        if problem:
            found.problems.append(problem)
            continue
        read = _read(f"dash_enterprise.{name}", path, project_root / Path(path).expanduser(), _WHAT[name])
        if isinstance(read, Problem):
            found.problems.append(read)
        else:
            found.files[name] = read
    return found


def _named(settings: DashEnterpriseSettings) -> Iterator[tuple[str, str, Problem | None]]:
    for name, what in _WHAT.items():
        path: str = getattr(settings, name)
        if path:
            yield name, path, None
        elif name != "tls_trust_store_file":
            reason, remedy = f"the installation needs {what}", "write its path, relative to the project"
            yield name, "", Problem(f"dash_enterprise.{name}", None, reason, remedy)


def _read(key: str, written: str, file: Path, what: str) -> GivenFile | Problem:
    most = LARGEST_FILE
    if key.endswith("installation_plan"):
        file, most = file / INSTALL_SCRIPT, _LARGEST_SCRIPT
    try:
        with file.open("rb") as opened:
            return GivenFile(key, written, opened.read(most + 1))
    except (FileNotFoundError, NotADirectoryError):
        return Problem(key, written, f"there is no file {file}", f"put {what} there, or correct the path")
    except IsADirectoryError:
        return Problem(key, written, f"{file} is a folder", f"write the path of the file with {what}")
    except (OSError, ValueError) as error:
        reason = f"{written!r} cannot be read ({getattr(error, 'strerror', None) or error})"
        return Problem(key, written, reason, "make it readable for the user who runs Pulumi, or correct the path")
