"""The Kubernetes APIs of an embedded cloud as its users see them: each is started when it is first asked for."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.cloud import Cloud
from sandbox.go_modules import Say
from sandbox.kubernetes_api.build import Programs
from sandbox.kubernetes_api.client import KubernetesApi


class Clusters:
    """`cloud` starts the embedded cloud where there is none, `running` never does."""

    def __init__(
        self,
        cloud: Callable[[], Cloud],
        running: Callable[[], Cloud | None] = lambda: None,
        say: Say = lambda _: None,
        applies: bool = False,
    ) -> None:
        self._cloud, self._running, self._programs = cloud, running, Programs(say)
        self._applies = applies
        self._lock = threading.Lock()
        self._apis: dict[str, KubernetesApi] = {}

    def expect(self) -> None:
        """Objects may be applied presently: what takes minutes begins now."""
        if self._applies:
            self._programs.prepare()

    def api(self, name: str, cancelled: Callable[[], bool] = lambda: False) -> KubernetesApi:
        """The API of the cluster, started first where it does not run."""
        cloud = self._cloud()
        address = cloud.ask("kubernetes_running").get(name)
        if address is None:
            programs = self._programs.folder(cancelled)
            address = cloud.ask("kubernetes_start", name=name, programs=str(programs))
        return self._connected(cloud, name, address)

    def running_api(self, name: str) -> KubernetesApi | None:
        """The API of the cluster where it runs already."""
        cloud = self._running()
        address = cloud.ask("kubernetes_running").get(name) if cloud else None
        return self._connected(cloud, name, address) if cloud and address else None

    def _connected(self, cloud: Cloud, name: str, address: dict[str, Any]) -> KubernetesApi:
        with self._lock:
            if address["identity"] not in self._apis:
                renew = partial(cloud.ask, "kubernetes_renew_controllers", name=name)
                self._apis[address["identity"]] = KubernetesApi(address["url"], Path(address["folder"]), renew)
            return self._apis[address["identity"]]
