"""Lints the workflows of GitHub with actionlint, and the example for GitLab against GitLab's schema.

Usage: python tools/lint_workflows.py [FOLDER]
"""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from sandbox.go_modules import TOOLS, GoModule, build  # noqa: E402 - the path comes first

VERSION = "1.7.12"
"""Of actionlint; tools/actionlint/go.mod agrees."""
_ACTIONLINT = GoModule(
    folder="actionlint",
    title="actionlint",
    version=VERSION,
    packages=("github.com/rhysd/actionlint/cmd/actionlint",),
    package_count=100,
    duration="some seconds",
)


def problems(folder: Path) -> str:
    """What is wrong with the files of a checkout; empty where nothing is."""
    scripts = Path(sys.executable).parent  # shellcheck lies there, too
    variables = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    workflows = sorted((folder / ".github" / "workflows").glob("*.yml"))
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    said = ""
    for command in (
        [str(_actionlint()), "-no-color", *map(str, workflows)],
        [*schema, str(folder / "docs" / "ci" / "gitlab-ci.yml")],
    ):
        done = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
        if done.returncode != 0:
            said += done.stdout + done.stderr or f"{command[0]} ended with {done.returncode}\n"
    return said


def _actionlint() -> Path:
    """Built first where that was not done yet."""
    target = TOOLS / "actionlint" / VERSION / "bin"
    with (TOOLS / "actionlint.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        caches, refused = TOOLS / "go-actionlint", list[str]()
        if not target.is_dir() and not build(_ACTIONLINT, target, caches, print, refused):
            raise SystemExit("\n".join(["actionlint cannot be made here:", *refused]))
        shutil.rmtree(caches, ignore_errors=True)
    return target / "actionlint"


if __name__ == "__main__":
    found = problems(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
    print(found, end="", file=sys.stderr)
    sys.exit(bool(found))
