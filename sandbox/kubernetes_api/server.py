"""The Kubernetes APIs of the emulated clusters, as the cloud's background process runs them."""

from __future__ import annotations

import base64
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import uuid
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.kubernetes_api import certificates
from sandbox.kubernetes_api.client import KubernetesApi
from sandbox.kubernetes_api.reference import KubernetesError
from sandbox.launcher import LAUNCHER

_START_SECONDS = 50  # less than whoever asks waits
_END_SECONDS = 5
_DEATHS = 5
# Sockets, in a folder that is closed to others. Named from there, for no path of one is longer than 107 letters, and as
# host and port, which etcd demands.
_ETCD, _PEER = "etcd:0", "peer:0"
# The others would make what nothing here needs, and no node ever runs.
_CONTROLLERS = ("namespace-controller", "garbage-collector-controller", "serviceaccount-controller")


class Servers:
    """The API of each emulated EKS cluster, by the cluster's name."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "kubernetes"
        for left in self._folder.glob("*/*.pid"):  # of a cloud that was killed
            _end(left)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._lock = threading.Lock()
        self._servers: dict[str, Server] = {}
        self._deleted: set[str] = set()

    def authority(self, name: str) -> str:
        """The certificate of the cluster's authority as EKS gives it out; the API itself need not run yet."""
        self._deleted.discard(name)
        return base64.b64encode((self._server(name).folder / certificates.AUTHORITY).read_bytes()).decode()

    def start(self, name: str, programs: str) -> dict[str, str]:
        """Where the API is and how to be let in, once it answers."""
        if name in self._deleted:
            raise KubernetesError(f"configured Kubernetes cluster is unreachable: cluster {name} was deleted")
        server = self._server(name)
        server.start(Path(programs))
        return server.address

    def running(self) -> dict[str, dict[str, str]]:
        return {name: server.address for name, server in list(self._servers.items()) if server.ready}

    def renew_controllers(self, name: str) -> None:
        self._server(name).renew_controllers()

    def remove(self, name: str) -> list[tuple[str, str]]:
        """End the API of a cluster that was deleted; returns what it held then, kinds with ids."""
        with self._lock:
            server = self._servers.pop(name, None)
            self._deleted.add(name)
        if server is None:
            return []
        left: list[tuple[str, str]] = []
        if server.ready:
            with suppress(Exception):  # it may be dead: so is what it held
                left = KubernetesApi(server.url, server.folder).made_by_people()
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)
        return left

    def stop(self) -> None:
        for server in list(self._servers.values()):
            server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _server(self, name: str) -> Server:
        with self._lock:
            if name not in self._servers:
                self._servers[name] = Server(self._folder / quote(name, safe=""), name)
            return self._servers[name]


class Server:
    """etcd, API server and controllers of one cluster: started together, revived when one dies, killed together."""

    def __init__(self, folder: Path, cluster: str) -> None:
        self.folder, self._cluster, self._identity = folder, cluster, uuid.uuid4().hex
        folder.mkdir(parents=True, mode=0o700)
        certificates.make(folder)
        # Bound, not listening: the port stays ours, and the API server shares it.
        self._port = socket.socket()
        self._port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._port.bind(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self._port.getsockname()[1]}"
        self._lock = threading.Lock()
        self._keeper: threading.Thread | None = None
        self._ready, self._ended = threading.Event(), threading.Event()
        self._failure = ""
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._deaths: Counter[str] = Counter()

    @property
    def address(self) -> dict[str, str]:
        """What a client needs; `identity` tells it from another one of the same name, before or after."""
        return {"url": self.url, "folder": str(self.folder), "identity": self._identity}

    @property
    def ready(self) -> bool:
        return self._ready.is_set()

    def start(self, programs: Path) -> None:
        with self._lock:
            if self._keeper is None or not self._keeper.is_alive():
                self._failure = ""
                self._deaths.clear()
                self._ended.clear()
                # A thread of its own, because on Linux the programs end with the thread that started them.
                self._keeper = threading.Thread(target=self._keep, args=(programs,), daemon=True)
                self._keeper.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready.wait(0.05):
            if self._failure or time.monotonic() > deadline:
                raise KubernetesError(self._failure or f"the Kubernetes API takes too long to start; see {self.folder}")

    def stop(self) -> None:
        self._ended.set()
        if self._keeper:
            self._keeper.join()
        self._port.close()

    def renew_controllers(self) -> None:
        """The garbage collector looks for new kinds twice a minute only; a fresh one knows them at once."""
        if controllers := self._processes.get("kube-controller-manager"):
            self._deaths["kube-controller-manager"] -= 1
            controllers.kill()

    def _keep(self, programs: Path) -> None:
        try:
            commands = self._commands()
            while not self._failure and not self._ended.wait(0.05):
                self._revive("etcd", programs, commands["etcd"])
                if not (self.folder / _ETCD).exists():
                    continue
                self._revive("kube-apiserver", programs, commands["kube-apiserver"])
                if self._ready.is_set():
                    self._revive("kube-controller-manager", programs, commands["kube-controller-manager"])
                elif self._answers():
                    self._ready.set()
        except Exception as error:
            self._failure = f"the Kubernetes API of the embedded cloud cannot be started: {error}"
        finally:
            self._ready.clear()
            for process in self._processes.values():
                process.kill()
                process.wait()
            self._processes.clear()

    def _revive(self, name: str, programs: Path, arguments: list[str]) -> None:
        if process := self._processes.get(name):
            if process.poll() is None:
                return
            self._deaths[name] += 1
            if self._deaths[name] > _DEATHS:
                tail = (self.folder / f"{name}.log").read_text(errors="replace")[-1500:]
                self._failure = f"{name} of the embedded cloud ended with {process.returncode}; its log ends:\n{tail}"
                return
        with (self.folder / f"{name}.log").open("ab") as log:
            fcntl.flock(log, fcntl.LOCK_EX)  # the program inherits it and keeps it as long as it lives
            self._processes[name] = started = subprocess.Popen(
                [*LAUNCHER, str(programs / name), *arguments],
                cwd=self.folder,
                env={"HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
            (self.folder / f"{name}.pid").write_text(str(started.pid))

    def _answers(self) -> bool:
        try:
            api = KubernetesApi(self.url, self.folder, attempts=1)
            api.call("GET", "/readyz")
            return all(api.call("GET", f"/api/v1/namespaces/{name}") for name in ("default", "kube-system"))
        except Exception:
            return False

    def _commands(self) -> dict[str, list[str]]:
        certificates.write_kubeconfig(self.folder, self._cluster, self.url)
        etcd = {
            "data-dir": "data",
            "listen-client-urls": f"unix://{_ETCD}",
            "advertise-client-urls": f"unix://{_ETCD}",
            "listen-peer-urls": f"unix://{_PEER}",
            "initial-advertise-peer-urls": f"unix://{_PEER}",
            "initial-cluster": f"default=unix://{_PEER}",
            "unsafe-no-fsync": "true",  # nothing here outlives the process
            "log-level": "error",
        }
        server: dict[str, Any] = {
            "etcd-servers": f"unix://{_ETCD}",
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "endpoint-reconciler-type": "none",  # the others refuse a loopback address
            "secure-port": self.url.rpartition(":")[2],
            "permit-port-sharing": "true",
            "tls-cert-file": certificates.SERVER,
            "tls-private-key-file": certificates.SERVER_KEY,
            "client-ca-file": certificates.AUTHORITY,
            "anonymous-auth": "false",
            "authorization-mode": "RBAC",
            "allow-privileged": "true",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": certificates.ACCOUNTS_KEY,
            "service-account-signing-key-file": certificates.ACCOUNTS_KEY,
            "service-cluster-ip-range": "10.100.0.0/16",
            "enable-priority-and-fairness": "false",
            "profiling": "false",
        }
        controllers = {
            "kubeconfig": certificates.KUBECONFIG,
            "controllers": ",".join(_CONTROLLERS),
            "service-account-private-key-file": certificates.ACCOUNTS_KEY,
            "leader-elect": "false",
            "secure-port": "0",
        }
        settings = {"etcd": etcd, "kube-apiserver": server, "kube-controller-manager": controllers}
        return {name: [f"--{key}={value}" for key, value in chosen.items()] for name, chosen in settings.items()}


def _end(pid_file: Path) -> None:
    """Where nothing ends a program together with the cloud that started it, it is ended before the next one starts."""
    with pid_file.with_suffix(".log").open("ab") as log:
        deadline = time.monotonic() + _END_SECONDS
        while time.monotonic() < deadline:
            try:
                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:  # so it lives, and the number is still its own
                with suppress(ValueError, ProcessLookupError):
                    os.kill(int(pid_file.read_text()), signal.SIGKILL)
            time.sleep(0.02)
