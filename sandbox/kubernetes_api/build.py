"""The programs of the Kubernetes API and the charts' CRDs: built once from pinned Go modules, kept in `.tools`."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.go_modules import TOOLS, GoModule, Say, build
from sandbox.kubernetes_api.reference import KubernetesError

VERSION = "1.35.0"
"""Of Kubernetes; tools/kubernetes/go.mod agrees."""
# What the API server and kubectl say of themselves.
_STAMPS = {"gitVersion": f"v{VERSION}", "gitMajor": "1", "gitMinor": "35"}
_KUBERNETES = GoModule(
    folder="kubernetes",
    title="the Kubernetes API server",
    version=VERSION,
    packages=(
        *(f"k8s.io/kubernetes/cmd/{name}" for name in ("kube-apiserver", "kube-controller-manager", "kubectl")),
        "./etcd",
    ),
    package_count=2200,
    stamp=" ".join(f"-X k8s.io/component-base/version.{key}={value}" for key, value in _STAMPS.items()),
)
KARPENTER, VELERO = "1.14.1", "1.18.1"
"""Whose CRDs; tools/crds/go.mod agrees."""
CRDS_SHA256 = "948ae6b95c9f86cf107f37d7e1aeedab670f36a9d0f46cd599eb23df4f60264a"
"""Of what tools/crds prints."""
_CRDS = GoModule(
    folder="crds",
    title="the program that prints the CRDs",
    version=f"of Karpenter {KARPENTER} and Velero {VELERO}",
    packages=(".",),
    package_count=250,
    duration="about a minute",
)


class KubernetesMissingError(KubernetesError):
    """No Kubernetes API server and no way to get one; the message says what to install."""


class Programs:
    """The programs, built when they are first asked for; `prepare` begins that in the background."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._lock, self._thread = threading.Lock(), threading.Thread(target=self._build, daemon=True)
        self._error: BaseException | None = None

    def prepare(self) -> None:
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()

    def folder(self, cancelled: Callable[[], bool] = lambda: False) -> Path:
        """Where the programs lie."""
        self.prepare()
        while self._thread.is_alive() and not cancelled():
            self._thread.join(0.1)
        if self._thread.is_alive():
            raise KubernetesMissingError("cancelled")
        if isinstance(self._error, KubernetesMissingError):
            raise self._error from None
        if self._error:
            raise KubernetesMissingError(
                f"the build broke off: {self._error!r}; run the command again"
            ) from self._error
        if not programs_folder().is_dir():
            raise KubernetesMissingError(f"the programs are not in {programs_folder()}; run the command again")
        return programs_folder()

    def _build(self) -> None:
        try:
            ensure(self._say)
        except BaseException as error:  # whatever ends this thread, who waits for the programs is to hear of it
            self._error = error


def ensure(say: Say) -> Path:
    """The folder of the programs, which are built first where that was not done yet."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "kubernetes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        caches, refused = TOOLS / "go-kubernetes", list[str]()
        if not (programs_folder().is_dir() or build(_KUBERNETES, programs_folder(), caches, say, refused)):
            raise KubernetesMissingError(_what_to_install(refused))
        if not _crds_file().is_file():
            if not build(_CRDS, _crds_file().parent / "bin", caches, say, refused):
                raise KubernetesMissingError(_what_to_install(refused))
            _print_crds()
        shutil.rmtree(caches, ignore_errors=True)  # three gigabytes that nothing needs again
    return programs_folder()


@cache
def crds() -> dict[str, list[dict[str, Any]]]:
    """CustomResourceDefinitions by the name of the chart that installs them; only after `ensure`."""
    text = _crds_file().read_bytes()
    if (found := hashlib.sha256(text).hexdigest()) != CRDS_SHA256:
        raise KubernetesMissingError(
            f"the CRDs in {_crds_file()} are not those that this project pins: their SHA-256 is {found}, not "
            f"{CRDS_SHA256}. Delete that folder, and the next command makes them again"
        )
    return json.loads(text)


def _print_crds() -> None:
    program = _crds_file().parent / "bin" / "crds"
    printed = subprocess.run([program], capture_output=True, check=True).stdout
    unfinished = _crds_file().with_suffix(".new")
    unfinished.write_bytes(printed)
    unfinished.replace(_crds_file())
    shutil.rmtree(program.parent)  # it has done all that it is for


def programs_folder() -> Path:
    return TOOLS / "kubernetes" / VERSION / "bin"


def _crds_file() -> Path:
    return TOOLS / "crds" / f"karpenter-{KARPENTER}-velero-{VELERO}" / "crds.json"


def _what_to_install(refused: list[str]) -> str:
    tried = "\n".join(f"  - {reason}" for reason in refused)
    return (
        f"The Kubernetes API server of the embedded cloud cannot be made here:\n{tried}\n"
        f"Install Go 1.21 or newer and run the command again: https://go.dev/doc/install"
    )
