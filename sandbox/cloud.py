"""The embedded cloud as its users see it: find or start the background process of a stack, and talk to it.

The process itself is `sandbox.cloud_server`. It outlives the command that starts it, because the emulators keep their
state in memory; `cloud.json` in the stack's folder says where it listens.
"""

from __future__ import annotations

import fcntl
import functools
import http.client
import json
import os
import secrets
import signal
import string
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox import private

if TYPE_CHECKING:  # slow to import, and a preview makes no client
    import botocore.session

ACCOUNT_ID = "123456789012"
IDLE_SECONDS = 7200
# Buckets of the store.
RELEASES, LEFT_IN_DELETED_CLUSTERS = "helm-releases", "left-in-deleted-clusters"
EXISTING = "existing"
"""What was made because a stack names it as existing, by id."""
_SHELLS = "shells.lock"
_START_SECONDS = 90
_STOP_SECONDS = 10
_PING_SECONDS = 10
_client_lock = threading.Lock()  # botocore sessions make one client at a time


class CloudError(RuntimeError):
    """The embedded cloud cannot be started, refuses a request, or does not answer any more."""


@dataclass(frozen=True)
class Credentials:
    """Temporary ones, in AWS's form; random for each embedded cloud."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)

    @staticmethod
    def random() -> Credentials:
        key = "ASIA" + "".join(secrets.choice(string.ascii_uppercase + "234567") for _ in range(16))
        return Credentials(key, secrets.token_urlsafe(30), secrets.token_urlsafe(48))


@dataclass(frozen=True)
class Store:
    """A bucket of JSON objects that lives as long as the cloud."""

    cloud: Cloud
    bucket: str

    def get(self, key: str) -> dict[str, Any] | None:
        return self.cloud.ask("get", bucket=self.bucket, key=key)

    def put(self, key: str, value: dict[str, Any]) -> None:
        self.cloud.ask("put", bucket=self.bucket, key=key, value=value)

    def delete(self, key: str) -> bool:
        return self.cloud.ask("delete", bucket=self.bucket, key=key)

    def items(self) -> dict[str, dict[str, Any]]:
        return self.cloud.ask("items", bucket=self.bucket)


@dataclass(frozen=True)
class Cloud:
    """A running embedded cloud."""

    identity: str
    """Made at start: the same identity is the same emulated account. Also the secret in the control API's path."""
    aws_url: str
    eks_url: str
    home: Path
    credentials: Credentials
    account_id: str = ACCOUNT_ID
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def client(self, service: str, region: str) -> Any:  # botocore makes the operations at run time
        """A cached, thread-safe client of the emulated account; every call it makes is noted in `calls.jsonl`."""
        with _client_lock:
            if (service, region) not in self._clients:
                client = _session().create_client(
                    service,
                    region_name=region,
                    endpoint_url=self.eks_url if service == "eks" else self.aws_url,
                    aws_access_key_id=self.credentials.access_key_id,
                    aws_secret_access_key=self.credentials.secret_access_key,
                    aws_session_token=self.credentials.session_token,
                )
                client.meta.events.register("before-call", self._note_call)
                self._clients[service, region] = client
            return self._clients[service, region]

    def environment(self, region: str = "") -> dict[str, str]:
        """What makes the AWS CLI and every SDK speak to this cloud, and to no account of the user's."""
        return {
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "AWS_SESSION_TOKEN": self.credentials.session_token,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.aws_url,
            **({"AWS_REGION": region, "AWS_DEFAULT_REGION": region} if region else {}),
        }

    def store(self, bucket: str) -> Store:
        return Store(self, bucket)

    def system_tag(self, resource_id: str, tags: dict[str, str], region: str) -> None:
        """Set EC2 tags as AWS itself does; only so can a key begin with `aws:`."""
        self.ask("system_tag", resource_id=resource_id, tags=tags, region=region)

    def ask(self, operation: str, **arguments: Any) -> Any:
        """Call the control API."""
        timeout = _PING_SECONDS if operation == "ping" else 60
        connection = http.client.HTTPConnection(self.aws_url.removeprefix("http://"), timeout=timeout)  # by no proxy
        try:
            connection.request("POST", f"/_sandbox/{self.identity}/{operation}", json.dumps(arguments))
            response = connection.getresponse()
            content = response.read().decode()
            if response.status != 200:
                raise CloudError(f"the embedded cloud refused {operation}: {content or response.status}")
            return json.loads(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CloudError(f"the embedded cloud does not answer: {error}; see {self.home / 'cloud.log'}") from error
        finally:
            connection.close()

    def note(self, service: str, operation: str, recorded: bool = False) -> None:
        """Write a call into `calls.jsonl`; `recorded`: one that AWS gets and no emulator."""
        about = {"service": service, "operation": operation} | ({"recorded": True} if recorded else {})
        with private.opened(self.home / "calls.jsonl", "ab", buffering=0) as log:
            # One short write in append mode is not torn by other threads and processes.
            log.write((json.dumps(about) + "\n").encode())

    def _note_call(self, model: Any, **_: Any) -> None:
        self.note(model.service_model.service_name, model.name)


def record(home: Path) -> dict[str, Any]:
    """What the cloud of this folder wrote about itself when it started; empty where it ended or never ran."""
    try:
        return dict(json.loads((home / "cloud.json").read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def running(home: Path, or_error: bool = False) -> Cloud | None:
    """The running cloud of this folder, or None where it ended or never ran.

    `or_error`: CloudError, not None, where its process lives and gives no answer.
    """
    home, known = home.resolve(), record(home)
    try:
        url = f"http://127.0.0.1:{known['port']}"
        credentials = Credentials(**known["credentials"])
        cloud = Cloud(known["identity"], aws_url=url, eks_url=url, home=home, credentials=credentials)
        answer = cloud.ask("ping")
        # The port may be somebody else's by now, and a copied folder names the cloud of its original.
        return cloud if answer["pid"] == known["pid"] and Path(answer["home"]).samefile(home) else None
    except (OSError, LookupError, TypeError):
        return None
    except CloudError as error:
        if or_error and isinstance(error.__cause__, TimeoutError) and alive(known["pid"]):
            raise CloudError(
                f"the embedded cloud (process {known['pid']}) lives, but has not answered within {_PING_SECONDS} s: "
                f"the machine may be busy, so try again; to give up the emulated account, kill {known['pid']}"
            ) from None
        return None


def alive(pid: int) -> bool:
    """Whether a process runs: not one that is dead and that nobody has reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:  # where nobody reaps them, dead processes stay in the table as zombies
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return True


def start(home: Path, idle_seconds: int = IDLE_SECONDS, progress: Callable[[str], None] = lambda _: None) -> Cloud:
    """The running cloud of this folder; started first where there is none."""
    private.folder(home)
    with _locked(home):
        if cloud := running(home):
            return cloud
        progress("starting the embedded cloud")
        with private.opened(home / "cloud.log", "wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sandbox.cloud_server", str(home.resolve()), str(idle_seconds)],
                cwd=Path(__file__).resolve().parents[1],
                env=_environment(home),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                umask=private.UMASK,  # of all that it and its servers write, sockets too
                start_new_session=True,  # Ctrl-C in the starter's terminal must not end it
            )
        began = said = time.monotonic()
        try:
            while not (cloud := running(home)):
                if process.poll() is not None or time.monotonic() - began > _START_SECONDS:
                    why = "takes too long" if process.returncode is None else f"ended with {process.returncode}"
                    tail = (home / "cloud.log").read_text(errors="replace")[-1500:]
                    raise CloudError(f"the embedded cloud did not start: it {why}. {home / 'cloud.log'} ends:\n{tail}")
                if time.monotonic() - said > 5:
                    said = time.monotonic()
                    progress(f"the embedded cloud is still starting ({said - began:.0f} s)")
                time.sleep(0.03)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return cloud


def stop(home: Path) -> bool:
    """End the cloud of this folder; False where none ran."""
    if not home.is_dir():
        return False
    with _locked(home):
        if not (cloud := running(home)):
            return False
        pid, deadline = record(home)["pid"], time.monotonic() + _STOP_SECONDS
        with suppress(CloudError):
            cloud.ask("stop")
        while record(home):  # it removes that as its last act
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
                (home / "cloud.json").unlink(missing_ok=True)
            time.sleep(0.02)
        return True


def keep_from_idling(home: Path) -> None:
    """As long as this process lives, whatever program it becomes: what speaks to a Kubernetes API itself is no request
    that the cloud would see."""
    shells = os.open(home / _SHELLS, os.O_RDONLY | os.O_CREAT, 0o600)
    os.set_inheritable(shells, True)
    fcntl.flock(shells, fcntl.LOCK_SH)


def is_kept_from_idling(home: Path) -> bool:
    try:
        with (home / _SHELLS).open() as shells:
            fcntl.flock(shells, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with private.opened(home / "cloud.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _environment(home: Path) -> dict[str, str]:
    """What Python needs to start, and nothing that could steer an emulator: no AWS_*, MOTO_*, SERVICES, proxies."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PYTHON", "LC_", "LD_", "DYLD_"))}
    kept |= {k: os.environ[k] for k in ("PATH", "LANG", "TMPDIR", "TZ") if k in os.environ}
    return {**kept, "HOME": str(home.resolve())}  # botocore looks for ~/.aws in the emulators, too


@functools.cache
def _session() -> botocore.session.Session:
    """A botocore session that reads neither the environment nor ~/.aws."""
    import botocore.session
    from botocore.config import Config
    from botocore.loaders import Loader

    variables = {
        name: (None, None, *rest) for name, (_, _, *rest) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    nothing = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    session = botocore.session.Session(session_vars={**variables, **nothing})
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    session.register_component("data_loader", loader)
    session.set_default_client_config(
        Config(
            retries={"mode": "legacy", "max_attempts": 0},  # other modes add "(reached max retries: 0)" to errors
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=64,
            proxies={},  # not None: botocore would ask the environment
            s3={"addressing_style": "path"},
        )
    )
    return session
