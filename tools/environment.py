"""Makes the Python environment in .tools/venv from the hash-locked requirements. Standard library only.

Runs before every `make` target; a stamp makes the second run a matter of milliseconds, a lock makes two runs at once
share one installation.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
VENV = TOOLS / "venv"
LOCKED = ROOT / "requirements-dev.txt"
OLDEST = (3, 11)


def main() -> int:
    """Return 0 once the environment stands, 1 after saying what is missing."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return _fail(
            f"Python {found} is too old: install Python 3.11 or newer, or name one: make PYTHON=python3.12 ..."
        )
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = VENV / "installed", _fingerprint()
        if stamp.is_file() and stamp.read_text() == wanted:
            return 0
        print(
            "Installing the Python environment into .tools/venv (hash-locked, once; about a minute) ...",
            file=sys.stderr,
            flush=True,
        )
        try:
            _install()
        except subprocess.CalledProcessError as error:
            return _fail(f"{' '.join(map(str, error.cmd[:4]))} ... ended with exit code {error.returncode}")
        stamp.write_text(wanted)
    return 0


def _install() -> None:
    python = VENV / "bin" / "python"
    uv = shutil.which("uv")
    if not python.is_file():
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
        if made.returncode != 0:  # Debian ships Python without ensurepip unless python3-venv is installed
            if uv is None:
                print(made.stdout + made.stderr, file=sys.stderr)
                print("Install your system's python3-venv package, or uv, and run the command again.", file=sys.stderr)
                raise subprocess.CalledProcessError(made.returncode, made.args)
            subprocess.run([uv, "venv", "--quiet", "--seed", "--clear", "--python", sys.executable, VENV], check=True)
    installer = VENV / "bin" / "uv"
    if not installer.is_file():
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
            only_uv.write(_locked_block("uv"))
            only_uv.flush()
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([*pip, "--require-hashes", "-r", only_uv.name], check=True)
    # Bytecode is compiled now because some environments forbid writing it at run time: it halves every later start.
    command = [installer, "pip", "install", "--quiet", "--require-hashes", "--compile-bytecode"]
    subprocess.run([*command, "--python", python, "-r", LOCKED], check=True)


def _locked_block(package: str) -> str:
    match = re.search(rf"^{package}==.*?(?=^\S|\Z)", LOCKED.read_text(), re.MULTILINE | re.DOTALL)
    if match is None:
        raise SystemExit(f"{LOCKED.name} does not lock {package}")
    return match.group(0)


def _fingerprint() -> str:
    return hashlib.sha256(LOCKED.read_bytes() + sys.version.encode() + os.fsencode(ROOT)).hexdigest()


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
