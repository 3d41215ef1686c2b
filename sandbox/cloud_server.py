"""The background process of the embedded cloud: `python -m sandbox.cloud_server HOME IDLE_SECONDS`.

One process and one listener, on loopback, behind `sandbox.admission`: requests signed for `eks` go to ministack's ASGI
application, those under `/_sandbox/<identity>/` to the control API, all else to moto. Of ministack only the application
is used; its start-up hook never runs: none of its own listeners, schedulers and container sweeps exist here.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import os
import re
import signal
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sandbox.admission import refusal, service_of, stranger
from sandbox.cloud import ACCOUNT_ID, LEFT_IN_DELETED_CLUSTERS, RELEASES, Credentials, is_kept_from_idling, record
from sandbox.kubernetes_api.server import Servers

# The emulators read these when they are imported.
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    MOTO_IAM_LOAD_MANAGED_POLICIES="true",
    MOTO_DISABLE_GLOBAL_CORS="true",  # no web page may read the emulated account
    SERVICES="eks",
    MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
    LOG_LEVEL="WARNING",
    DOCKER_HOST=f"unix://{os.devnull}/none",  # ministack would run k3s where it finds Docker
)

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

_CHECK_SECONDS = 1.0
_DEFINITION = ":CustomResourceDefinition"  # goes with its cluster, whatever a chart says of keeping it


class Gateway:
    """The WSGI application that hands each request to the part that it is for."""

    def __init__(self, home: Path) -> None:
        self.identity, self.credentials = uuid.uuid4().hex, Credentials.random()
        self.port = 0
        self.ended = threading.Event()
        self._home, self._last_request = home, time.monotonic()
        self._at_work: set[int] = set()  # threads
        self._moto = DomainDispatcherApplication(create_backend_app)
        # moto iterates over dictionaries that other threads change, and ministack is written for a single event loop.
        self._lock = threading.Lock()
        self._buckets = buckets = dict[str, dict[str, Any]]()
        self._clusters = Servers(home)
        self._deleted_clusters = deque[str]()
        self._operations: dict[str, Callable[..., Any]] = {
            "ping": lambda: {"pid": os.getpid(), "home": str(home)},
            "get": lambda bucket, key: buckets.get(bucket, {}).get(key),
            "put": lambda bucket, key, value: buckets.setdefault(bucket, {}).update({key: value}),
            "delete": lambda bucket, key: buckets.get(bucket, {}).pop(key, None) is not None,
            "items": lambda bucket: dict(buckets.get(bucket, {})),
            "system_tag": self._system_tag,
            "next_id": self._next_id,
            "kubernetes_start": self._clusters.start,
            "kubernetes_running": self._clusters.running,
            "kubernetes_renew_controllers": self._clusters.renew_controllers,
            "stop": self.ended.set,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        thread = threading.get_ident()
        self._at_work.add(thread)
        try:
            if refused := stranger(environ, self.port):
                return refused(environ, start_response)
            if environ["PATH_INFO"].startswith("/_sandbox/"):
                return Request.application(self._control)(environ, start_response)
            if refused := refusal(environ, self.credentials):
                return refused(environ, start_response)
            service = service_of(environ)
            with self._lock if service != "sqs" else nullcontext():  # SQS: one request waits for what another sends
                answer = self._emulator(service, environ)(environ, start_response)
            while self._deleted_clusters:
                self._bury(self._deleted_clusters.popleft())
            return answer
        finally:
            self._last_request = time.monotonic()
            self._at_work.discard(thread)

    def idle_seconds(self) -> float:
        if self._at_work or is_kept_from_idling(self._home):
            self._last_request = time.monotonic()
        return time.monotonic() - self._last_request

    def warm_up(self) -> None:
        """Load what the first command needs while that is still busy with other things."""
        for service in ("ec2", "iam", "sts", "logs", "kms", "eks"):
            scope = {"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=-/-/us-east-1/{service}/-"}
            with self._lock:
                self._emulator(service, scope)

    def _emulator(self, service: str, environ: dict[str, Any]) -> Callable[..., Iterable[bytes]]:
        if service == "eks":
            return Request.application(functools.partial(self._eks, _ministack(self._clusters)))
        from sandbox import moto_patches  # noqa: F401  # not at the top: it loads EC2, which takes a second

        return self._moto.get_application(environ)

    def _eks(self, application: Callable[..., Any], request: Request) -> Response:
        response = _from_asgi(application, request)
        deleted = re.fullmatch(r"/clusters/([^/]+)", request.path) if request.method == "DELETE" else None
        if deleted and response.status_code == 200:
            self._deleted_clusters.append(deleted[1])
        return response

    def _bury(self, cluster: str) -> None:
        """With a cluster goes its API; what a stack had left in it is noted, for that may have parts in the account."""
        left = [[kind, id] for kind, id in self._clusters.remove(cluster) if not kind.endswith(_DEFINITION)]
        releases = self._buckets.get(RELEASES, {})
        for key in [key for key in releases if key.startswith(f"{cluster}/")]:
            del releases[key]
            left.append(["kubernetes:helm.sh/v3:Release", key.partition("/")[2]])
        if left:
            self._buckets.setdefault(LEFT_IN_DELETED_CLUSTERS, {})[cluster] = {"objects": left}

    def end(self) -> None:
        self._clusters.stop()

    def _system_tag(self, resource_id: str, tags: dict[str, str], region: str) -> None:
        with self._lock:
            from sandbox import moto_patches

            moto_patches.system_tag(resource_id, tags, region)

    def _next_id(self, kind: str, id: str) -> None:
        with self._lock:
            from sandbox import moto_patches

            moto_patches.next_id(kind, id)

    def _control(self, request: Request) -> Response:
        operation = self._operations.get(request.path.removeprefix(f"/_sandbox/{self.identity}/"))
        if operation is None or request.method != "POST":
            return Response(status=404)
        try:
            return Response(json.dumps(operation(**request.get_json(force=True))), content_type="application/json")
        except Exception as error:
            return Response(str(error), status=400)


@functools.cache
def _ministack(clusters: Servers) -> Callable[..., Any]:
    from ministack.app import app
    from ministack.core.responses import get_region
    from ministack.services import eks

    # As AWS names them; ministack's own point at ports of this machine, where somebody else may listen.
    def issuer(oidc_id: str) -> str:
        from sandbox import moto_patches

        return moto_patches.chosen("oidc-issuer") or f"https://oidc.eks.{get_region()}.amazonaws.com/id/{oidc_id}"

    eks._issuer_url = issuer
    eks._cluster_endpoint = lambda port: f"https://emulated-{port}.gr7.{get_region()}.eks.amazonaws.com"
    shown = eks._sanitize

    def sanitize(about: dict[str, Any]) -> dict[str, Any]:
        if "certificateAuthority" not in about:
            return shown(about)
        return {**shown(about), "certificateAuthority": {"data": clusters.authority(about["name"])}}

    eks._sanitize = sanitize
    return app


def _from_asgi(application: Callable[..., Any], request: Request) -> Response:
    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query_string,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in request.headers],
    }
    body = request.get_data()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(application(scope, receive, send))
    head, *parts = sent
    headers = [(name.decode(), value.decode("latin-1")) for name, value in head["headers"]]
    return Response(b"".join(part.get("body", b"") for part in parts), head["status"], headers)


def serve(home: Path, idle_seconds: float) -> None:
    gateway = Gateway(home)
    signal.signal(signal.SIGTERM, lambda *_: gateway.ended.set())
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no access log: the control API's paths hold a secret
    server = make_server("127.0.0.1", 0, gateway, threaded=True, request_handler=MotoRequestHandler)
    gateway.port = server.server_port
    for task in (server.serve_forever, gateway.warm_up):
        threading.Thread(target=task, daemon=True).start()
    temporary = home / f"cloud.json.{os.getpid()}"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        about = {"pid": os.getpid(), "port": server.server_port, "identity": gateway.identity}
        json.dump({**about, "credentials": asdict(gateway.credentials)}, file)
    temporary.replace(home / "cloud.json")
    # Where the folder is gone or names another cloud, nobody can find this one any more.
    while not gateway.ended.wait(_CHECK_SECONDS) and record(home).get("identity") == gateway.identity:
        if gateway.idle_seconds() > idle_seconds:
            break
    server.server_close()
    gateway.end()
    if record(home).get("identity") == gateway.identity:
        (home / "cloud.json").unlink(missing_ok=True)
    os._exit(0)  # whatever threads an emulator has started


if __name__ == "__main__":
    serve(Path(sys.argv[1]), float(sys.argv[2]))
