"""The background process of the embedded cloud: `python -m sandbox.cloud_server HOME IDLE_SECONDS`.

One process and one listener, on loopback: requests signed for `eks` go to ministack's ASGI application, those under
`/_sandbox/<identity>/` to the control API, all else to moto. Of ministack only the application is used; its start-up
hook never runs: none of its own listeners, schedulers and container sweeps exist here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from sandbox.cloud import ACCOUNT_ID

# Read by the emulators when they are imported.
os.environ.update(
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    MOTO_IAM_LOAD_MANAGED_POLICIES="true",
    MOTO_DISABLE_GLOBAL_CORS="true",  # no web page may read the emulated account
    SERVICES="eks",
    MINISTACK_ACCOUNT_ID=ACCOUNT_ID,
    LOG_LEVEL="WARNING",
    DOCKER_HOST=f"unix://{os.devnull}/none",  # ministack would start k3s where it finds Docker
)

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from sandbox import moto_patches

_WARM_UP = ("ec2", "iam", "sts", "logs", "kms")
_CHECK_SECONDS = 1.0


class Gateway:
    """The WSGI application that hands each request to the part that it is for."""

    def __init__(self, home: Path) -> None:
        self.identity = uuid.uuid4().hex
        self.home = home
        self.ended = threading.Event()
        self.last_request = time.monotonic()
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._ministack = threading.Lock()
        self._buckets: dict[str, dict[str, Any]] = {}
        self._operations: dict[str, Callable[..., Any]] = {
            "ping": lambda: {"pid": os.getpid(), "home": str(home)},
            "get": lambda bucket, key: self._buckets.get(bucket, {}).get(key),
            "put": lambda bucket, key, value: self._buckets.setdefault(bucket, {}).update({key: value}),
            "delete": lambda bucket, key: self._buckets.get(bucket, {}).pop(key, None) is not None,
            "items": lambda bucket: dict(self._buckets.get(bucket, {})),
            "system_tag": moto_patches.system_tag,
            "stop": self.ended.set,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.last_request = time.monotonic()
        if environ["PATH_INFO"].startswith("/_sandbox/"):
            return self._control(Request(environ))(environ, start_response)
        if "/eks/aws4_request" in environ.get("HTTP_AUTHORIZATION", ""):
            return self._eks(Request(environ))(environ, start_response)
        return self._moto(environ, start_response)

    def warm_up(self) -> None:
        """Import what the first commands need while they are still busy with other things."""
        for service in _WARM_UP:
            self._moto.get_application({"HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=_/_/us-east-1/{service}/_"})
        with self._ministack:
            _ministack_application()

    def _control(self, request: Request) -> Response:
        _, _, identity, operation = (*request.path.split("/"), "", "")[:4]
        if identity != self.identity or operation not in self._operations or request.method != "POST":
            return Response(status=404)
        result = self._operations[operation](**json.loads(request.get_data() or b"{}"))
        return Response(json.dumps(result), content_type="application/json")

    def _eks(self, request: Request) -> Response:
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

        with self._ministack:  # written for a single event loop
            asyncio.run(_ministack_application()(scope, receive, send))
        head, *parts = sent
        headers = [(name.decode(), value.decode("latin-1")) for name, value in head["headers"]]
        return Response(b"".join(part.get("body", b"") for part in parts), head["status"], headers)


def _ministack_application() -> Callable[..., Any]:
    from ministack.app import app
    from ministack.core.responses import get_region
    from ministack.services import eks

    # As AWS names them; ministack's own would point at ports of this machine that are not the cluster's.
    eks._issuer_url = lambda oidc_id: f"https://oidc.eks.{get_region()}.amazonaws.com/id/{oidc_id}"
    eks._cluster_endpoint = lambda port: f"https://emulated-{port}.gr7.{get_region()}.eks.amazonaws.com"
    return app


def _publish(home: Path, record: dict[str, Any]) -> None:
    temporary = home / f"cloud.json.{os.getpid()}"
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(record, file)
    temporary.replace(home / "cloud.json")


def _published(home: Path) -> str | None:
    try:
        return json.loads((home / "cloud.json").read_text())["identity"]
    except (OSError, ValueError, LookupError):
        return None


def serve(home: Path, idle_seconds: float) -> None:
    gateway = Gateway(home)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: gateway.ended.set())
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no access log: the control API's paths carry the identity
    server = make_server("127.0.0.1", 0, gateway, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _publish(home, {"pid": os.getpid(), "port": server.server_port, "identity": gateway.identity})
    threading.Thread(target=gateway.warm_up, daemon=True).start()
    # A folder that is gone, or names another cloud, means that nobody can find this one any more.
    while not gateway.ended.wait(_CHECK_SECONDS) and _published(home) == gateway.identity:
        if time.monotonic() - gateway.last_request > idle_seconds:
            break
    server.shutdown()
    if _published(home) == gateway.identity:
        (home / "cloud.json").unlink()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), float(sys.argv[2]))
