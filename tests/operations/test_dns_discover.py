"""`python -m operations dns discover`, against a small server that answers as the Kubernetes API does."""

import json
import os
import pty
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from operations import PROJECT, stack_configuration
from operations.__main__ import app
from operations.stack_file import setting, with_settings

NETWORK = "ad52abddab74e44c98bcf129f5d0a230-d7906cbe482b8075.elb.us-east-2.amazonaws.com"
CLASSIC = "ad52abddab74e44c98bcf129f5d0a230-1234567890.us-east-2.elb.amazonaws.com"
PATH = "/api/v1/namespaces/plotly-system/services/ingress-nginx-controller"
STACK = """\
# The environment of the data team.
config:
  aws:region: us-east-2 # Ohio
  eks-analytics:product: dash-enterprise

  eks-analytics:dash_enterprise:
    base_domain: "dash.example.com"
    # Never in git.
    license_file: demo/license.yaml
    dns:
      hosted_zone_id: ZEXAMPLE   # of the platform team
      hosted_zone_name: example.com

  # What they pay with.
  eks-analytics:tags: {owner: data}
"""


@dataclass
class KubernetesApi:
    """Answers one path; keeps what it was asked."""

    kubeconfig: Path
    status: int = 200
    body: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def answer(self, ingress: list[dict[str, str]] | None, *, type: str = "LoadBalancer", **annotations: str) -> None:
        """A Service of which the cloud has reported that much."""
        service: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "ingress-nginx-controller", "annotations": annotations},
            "spec": {"type": type},
            "status": {"loadBalancer": {"ingress": ingress} if ingress else {}},
        }
        self.status, self.body = 200, json.dumps(service)

    def refuse(self, status: int, reason: str) -> None:
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status}
        self.status, self.body = status, json.dumps(body)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[KubernetesApi]:
    served = KubernetesApi(tmp_path / "kubeconfig")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the base class dictates the name
            served.asked.append((self.path, self.headers.get("Authorization")))
            found = self.path == PATH
            content = (served.body if found else "{}").encode()
            self.send_response(served.status if found else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    served.kubeconfig.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{server.server_address[1]}")))
    served.answer([{"hostname": NETWORK}])
    yield served
    server.shutdown()
    server.server_close()


def kubeconfig(server: str, **user: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "eks",
        "clusters": [{"name": "eks", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": user or {"token": "t0ken"}}],
        "contexts": [{"name": "eks", "context": {"cluster": "eks", "user": "me"}}],
    }


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    file = tmp_path / "Pulumi.dev.yaml"
    file.write_text(STACK)
    return file


@dataclass
class Said:
    code: int
    out: str
    error: str


Discover = Callable[..., Said]


@pytest.fixture
def discover(api: KubernetesApi, stack: Path) -> Discover:
    def run(*options: str) -> Said:
        files = ["--config-file", str(stack), "--kubeconfig", str(api.kubeconfig)]
        done = CliRunner().invoke(app, ["dns", "discover", "--stack", "dev", *files, *options], catch_exceptions=False)
        return Said(done.exit_code, done.stdout, done.stderr)

    return run


def dns_of(stack: Path) -> dict[str, str]:
    return yaml.safe_load(stack.read_text())["config"]["eks-analytics:dash_enterprise"]["dns"]


# What is written


@pytest.mark.parametrize(
    ("hostname", "type"),
    [(NETWORK, "network"), (f"{NETWORK}.", "network"), (CLASSIC, "classic"), (CLASSIC.upper(), "classic")],
)
def test_the_name_and_type_of_the_load_balancer_reach_the_stacks_file(
    api: KubernetesApi, stack: Path, discover: Discover, hostname: str, type: str
) -> None:
    api.answer([{"hostname": hostname}])
    done = discover()
    assert done.code == 0, done.error
    assert dns_of(stack)["load_balancer_hostname"] == hostname.lower().removesuffix(".")
    assert dns_of(stack)["load_balancer_type"] == type
    assert api.asked == [(PATH, "Bearer t0ken")]
    assert "Next: update stack dev" in done.out


@pytest.mark.parametrize(("annotation", "type"), [("nlb", "network"), ("external", "network"), ("", "classic")])
def test_the_services_annotation_tells_the_type_where_the_name_does_not(
    api: KubernetesApi, stack: Path, discover: Discover, annotation: str, type: str
) -> None:
    key = "service.beta.kubernetes.io/aws-load-balancer-type"
    api.answer([{"hostname": "proxy.example.net"}], **({key: annotation} if annotation else {}))
    done = discover()
    assert "no name that AWS gives" in done.out
    assert dns_of(stack)["load_balancer_type"] == type


def test_everything_else_in_the_file_stays_as_it_was_written(stack: Path, discover: Discover) -> None:
    assert discover().code == 0
    added = f"      load_balancer_hostname: {NETWORK}\n      load_balancer_type: network\n"
    place = "      hosted_zone_name: example.com\n"
    assert stack.read_text() == STACK.replace(place, place + added)


def test_a_second_run_changes_nothing_and_says_so(stack: Path, discover: Discover) -> None:
    discover()
    before = stack.stat().st_mtime_ns
    done = discover()
    assert done.code == 0
    assert "Pulumi.dev.yaml is unchanged" in done.out
    assert stack.stat().st_mtime_ns == before


def test_a_new_name_replaces_the_old_one_where_it_stands(api: KubernetesApi, stack: Path, discover: Discover) -> None:
    discover()
    api.answer([{"hostname": CLASSIC}])
    discover()
    assert stack.read_text().count("load_balancer_hostname") == 1
    assert (dns_of(stack)["load_balancer_hostname"], dns_of(stack)["load_balancer_type"]) == (CLASSIC, "classic")


def test_a_dry_run_shows_the_change_and_writes_nothing(stack: Path, discover: Discover) -> None:
    done = discover("--dry-run")
    assert done.code == 0
    assert f"+      load_balancer_hostname: {NETWORK}" in done.out
    assert "Dry run" in done.out
    assert stack.read_text() == STACK


def test_a_given_name_is_taken_without_asking_any_cluster(api: KubernetesApi, stack: Path, discover: Discover) -> None:
    assert discover("--hostname", f"{CLASSIC}.\n").code == 0
    assert dns_of(stack)["load_balancer_hostname"] == CLASSIC
    assert dns_of(stack)["load_balancer_type"] == "classic"
    assert api.asked == []


# Refused, each in one sentence


def test_before_the_installer_has_run_that_is_what_it_says(api: KubernetesApi, stack: Path, discover: Discover) -> None:
    api.refuse(404, "NotFound")
    done = discover()
    assert done.code == 1
    assert "installer has not run yet" in done.error
    assert stack.read_text() == STACK


@pytest.mark.parametrize(
    ("ingress", "type", "said"),
    [
        (None, "LoadBalancer", "has no load balancer yet"),
        ([{"ip": "198.51.100.9"}], "LoadBalancer", "has the address 198.51.100.9"),
        (None, "NodePort", "is of type NodePort"),
        ([{"hostname": "not_a name"}], "LoadBalancer", "is not a DNS name"),
    ],
)
def test_a_service_without_a_usable_name_is_refused_with_what_to_do(
    api: KubernetesApi, stack: Path, discover: Discover, ingress: list[dict[str, str]] | None, type: str, said: str
) -> None:
    api.answer(ingress, type=type)
    done = discover()
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert said in done.error
    assert stack.read_text() == STACK


@pytest.mark.parametrize(
    ("status", "reason", "said"),
    [
        (401, "Unauthorized", "does not know you"),
        (403, "Forbidden", "forbids you to read Services in plotly-system"),
        (503, "Unavailable", "answered 503"),
    ],
)
def test_an_api_that_refuses_is_quoted_in_one_sentence(
    api: KubernetesApi, discover: Discover, status: int, reason: str, said: str
) -> None:
    api.refuse(status, reason)
    done = discover()
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert said in done.error
    assert "t0ken" not in done.error


def test_what_is_no_kubernetes_api_is_called_so(api: KubernetesApi, discover: Discover) -> None:
    api.body = "<html>Sign in to the network</html>"
    done = discover()
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert "does not answer as a Kubernetes API does" in done.error


def test_an_api_out_of_reach_leads_to_the_bootstrap_host(api: KubernetesApi, discover: Discover) -> None:
    api.kubeconfig.write_text(json.dumps(kubeconfig("http://127.0.0.1:9")))
    done = discover()
    assert (done.code, done.error.count("\n")) == (1, 1)
    assert "out of reach" in done.error
    assert "--hostname" in done.error


def test_an_api_that_hangs_up_is_asked_once(api: KubernetesApi, discover: Discover) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        api.kubeconfig.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{server.getsockname()[1]}")))
        calls: list[str] = []

        def hang_up() -> None:
            while True:
                try:
                    connection, caller = server.accept()
                except OSError:
                    return  # closed
                calls.append(str(caller))
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        done = discover()
        server.shutdown(socket.SHUT_RDWR)
    assert "out of reach" in done.error
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be used"),
        ("", "cannot be used"),
        ("{[", "cannot be used"),
        (json.dumps(kubeconfig("http://127.0.0.1:9") | {"current-context": "other"}), "cannot be used"),
        (
            json.dumps(
                kubeconfig(
                    "http://127.0.0.1:9",
                    exec={"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "no-such-aws", "args": []},
                )
            ),
            "gives no token",
        ),
    ],
)
def test_a_kubeconfig_that_does_not_work_is_named(
    api: KubernetesApi, discover: Discover, content: str | None, said: str
) -> None:
    if content is None:
        api.kubeconfig.unlink()
    else:
        api.kubeconfig.write_text(content)
    done = discover()
    assert done.code == 1
    assert said in done.error
    assert str(api.kubeconfig) in done.error


def test_an_unknown_context_is_named(discover: Discover) -> None:
    done = discover("--context", "elsewhere")
    assert done.code == 1
    assert "elsewhere" in done.error


@pytest.mark.parametrize("given", ["https://proxy.example.com", "203.0.113.7", ""])
def test_a_given_name_that_is_none_is_refused(discover: Discover, given: str) -> None:
    done = discover("--hostname", given)
    assert done.code == 1
    assert "kubectl get service ingress-nginx-controller" in done.error


def test_a_stack_without_a_file_is_told_with_those_that_have_one(stack: Path) -> None:
    missing = str(stack.with_name("Pulumi.production.yaml"))
    done = CliRunner().invoke(app, ["dns", "discover", "--stack", "x", "--config-file", missing, "--hostname", NETWORK])
    assert done.exit_code == 1
    assert "Stacks with a file there: dev." in done.stderr


@pytest.mark.parametrize("name", ["../dev", "", "a b"])
def test_a_name_that_no_stack_can_have_is_refused(name: str) -> None:
    done = CliRunner().invoke(app, ["dns", "discover", "--stack", name, "--hostname", NETWORK])
    assert done.exit_code == 1
    assert "cannot be a stack's name" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("config:\n  eks-analytics:product: e6data\n", "builds 'e6data'"),
        ("config: [\n", "is not YAML (line 2:"),
        ("config:\n  eks-analytics:dash_enterprise:\n    secure: v1:abc\n", "encrypted as a whole"),
        ("config:\n  eks-analytics:dash_enterprise: text\n", "holds no settings"),
        ("config:\n  a: &a {x: 1}\n  eks-analytics:dash_enterprise: *a\n", "YAML alias"),
        ("config:\n  eks-analytics:dash_enterprise: {dns: {load_balancer_hostname: [a]}}\n", "is no text"),
        ("- config\n", "holds no settings"),
        (
            "config: {a: 1}\nconfig: {b: 1}\n",
            'mapping key "config" already defined at line 1',
        ),
    ],
)
def test_a_file_that_cannot_be_changed_is_left_alone(stack: Path, discover: Discover, text: str, said: str) -> None:
    stack.write_text(text)
    done = discover()
    assert done.code == 1
    assert said in done.error
    assert stack.read_text() == text


# Any file that a person may have written


DASH = "  eks-analytics:dash_enterprise:"
DNS = "    dns:\n      load_balancer_hostname: b.c\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"config:\n{DASH}\n{DNS}"),
        ("# mine\n", f"# mine\nconfig:\n{DASH}\n{DNS}"),
        ("config:\n", f"config:\n{DASH}\n{DNS}"),
        ("config: {}\n", f"config:\n{DASH}\n{DNS}"),
        ("config:\n  a: 1 # one\n\n# end", f"config:\n  a: 1 # one\n{DASH}\n{DNS}\n# end"),
        (f"salt: v1\nconfig:\n{DASH} {{}} # later\n  z: 1\n", f"salt: v1\nconfig:\n{DASH} # later\n{DNS}  z: 1\n"),
        (f"config:\n{DASH}\n    a:\n    - b # last\n  z: 1", f"config:\n{DASH}\n    a:\n    - b # last\n{DNS}  z: 1"),
        (
            f"config:\n{DASH}\n    a: |\n      b\n\n  # z\n  z: 1",
            f"config:\n{DASH}\n    a: |\n      b\n{DNS}\n  # z\n  z: 1",
        ),
        (f"config:\n{DASH}\n{DNS.replace('b.c', '')}      ttl: 60\n", f"config:\n{DASH}\n{DNS}      ttl: 60\n"),
        (f"config:\n{DASH}\n{DNS.replace('b.c', chr(39) + 'a.b' + chr(39))}", f"config:\n{DASH}\n{DNS}"),
        (
            f"config:\n{DASH}\n{DNS.replace('b.c', 'a.b # soon')}",
            f"config:\n{DASH}\n{DNS.replace('b.c', 'b.c # soon')}",
        ),
        (f"config:\r\n{DASH}\r\n    a: 1\r\n", f"config:\n{DASH}\n    a: 1\n{DNS}".replace("\n", "\r\n")),
        (f"config:\n{DASH} {{'a': 1}}", f"config:\n{DASH} {{'a': 1, dns: {{load_balancer_hostname: b.c}}}}"),
        (f"config:\n{DASH} {{dns: {{}}}}", f"config:\n{DASH} {{dns: {{load_balancer_hostname: b.c}}}}"),
        (f"config:\n{DASH} {{dns: }}", f"config:\n{DASH} {{dns: {{load_balancer_hostname: b.c}}}}"),
        ("config: { a: 1, }", f"config: {{ a: 1,{DASH[1:]} {{dns: {{load_balancer_hostname: b.c}}}} }}"),
    ],
)
def test_missing_keys_are_made_where_they_belong(before: str, after: str) -> None:
    path = ("dash_enterprise", "dns", "load_balancer_hostname")
    changed = with_settings(before, {path: "b.c"})
    assert changed == after
    assert setting(changed, path) == "b.c"
    assert with_settings(changed, {path: "b.c"}) == changed


# As a person types it


def command(stack: Path, *options: str) -> list[str]:
    arguments = ["dns", "discover", "--stack", "dev", "--config-file", str(stack), "--hostname", NETWORK]
    return [sys.executable, "-m", "operations", *arguments, *options]


@pytest.mark.parametrize(
    ("typed", "options", "written"), [("y\n", [], True), ("n\n", [], False), ("", ["--yes"], True), ("\n", [], False)]
)
def test_on_a_terminal_it_asks_before_it_writes(stack: Path, typed: str, options: list[str], written: bool) -> None:
    controller, terminal = pty.openpty()
    try:
        os.write(controller, typed.encode())
        done = subprocess.run(
            command(stack, *options), cwd=PROJECT, stdin=terminal, capture_output=True, text=True, timeout=60
        )
    finally:
        os.close(controller)
        os.close(terminal)
    assert ("Write Pulumi.dev.yaml?" in done.stdout) == (not options)
    assert (stack.read_text() != STACK) == written, done.stdout + done.stderr
    assert done.returncode == (0 if written else 1)


def test_without_a_terminal_it_writes_without_asking(stack: Path) -> None:
    done = subprocess.run(
        command(stack), cwd=PROJECT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert NETWORK in stack.read_text()


def test_every_command_and_option_explains_itself() -> None:
    root = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"})
    assert "dns" in root.stdout
    shown = CliRunner().invoke(app, ["dns", "discover", "--help"], env={"COLUMNS": "200"})
    assert "kubectl get service ingress-nginx-controller -n plotly-system" in shown.stdout
    for option in ("--stack", "--kubeconfig", "--context", "--hostname", "--config-file", "--dry-run", "--yes"):
        assert option in shown.stdout


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffconfig:\n  eks-analytics:dash_enterprise:\n    base_domain: dash.example.com\n",
        "config:\n  dash_enterprise:\n    base_domain: dash.example.com\n",
        "config:\n  eks-analytics:config:dash_enterprise:\n    base_domain: dash.example.com\n",
        "config:\n  dash_enterprise:\tnull\t# to come\n",
        "config:\r\n  eks-analytics:account_id:\t012345678901\r\n  dash_enterprise: {base_domain: no, x: 19:30}\r\n",
    ],
)
def test_whatever_pulumi_reads_is_changed_where_it_stands(stack: Path, discover: Discover, text: str) -> None:
    stack.write_text(text, newline="")
    before = stack_configuration.load(stack, PROJECT)
    done = discover("--yes")
    assert done.code == 0, done.error
    after = stack_configuration.load(stack, PROJECT)
    assert after.setting("dash_enterprise", "dns", "load_balancer_hostname") == NETWORK
    assert after.own_keys == before.own_keys | {"eks-analytics:dash_enterprise"}
    assert after.setting("account_id") == before.setting("account_id")
