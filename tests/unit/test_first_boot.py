"""First boot as cloud-init runs it: the real user data in a scratch root, with stand-ins for what it calls."""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from eks_analytics import first_boot
from eks_analytics.first_boot import (
    KUBECONFIG_KEY,
    LARGEST_USER_DATA,
    NEXT_STEPS_KEY,
    RUN_INSTALLER_KEY,
    HostOptions,
    aws_cli_key,
    environment,
    user_data,
)
from eks_analytics.host_tools import SUPPORTING_SOFTWARE, Tool, ToolArgs, host_tools, installed

ARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:analytics/dash-enterprise"
PASSWORD = """it's "q" & $HOME `id` \\ #1!"""
SECRETS = {
    f"{ARN}/license-AbCdEf": "kind: License\nspec:\n  signature: c2VjcmV0LWxpY2Vuc2U=\n",
    f"{ARN}/tls-certificate-AbCdEf": "-----BEGIN CERTIFICATE-----\nbGVhZg==\n-----END CERTIFICATE-----\n",
    f"{ARN}/tls-private-key-AbCdEf": "-----BEGIN PRIVATE KEY-----\ndG9wLXNlY3JldA==\n-----END PRIVATE KEY-----\n",
    f"{ARN}/admin-password-AbCdEf": PASSWORD,
}
INSTALL_SCRIPT = """#!/bin/bash
# edit the following variable values
export ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__
NAMESPACE=plotly-system
printf '%s' "$ADMIN_PASSWORD"
"""
OBJECTS = {
    KUBECONFIG_KEY: "apiVersion: v1\nkind: Config\n",
    RUN_INSTALLER_KEY: "print('installer')\n",
    NEXT_STEPS_KEY: "1. Run the installer.\n2. Upload the license.\n",
    "dash-enterprise/install_de_aws.sh": INSTALL_SCRIPT,
}
# Versions without a pinned digest, so that stand-ins can bear checksums of their own.
PUBLISHED: list[ToolArgs] = [{"name": "istioctl", "version": "1.30.9"}, {"name": "helm", "version": "3.20.9"}]
OPTIONS = HostOptions(
    cluster_name="analytics",
    region="eu-central-1",
    base_domain="dash.example.com",
    bucket="analytics-files",
    install_script_key="dash-enterprise/install_de_aws.sh",
    license_secret_arn=f"{ARN}/license-AbCdEf",
    tls_certificate_secret_arn=f"{ARN}/tls-certificate-AbCdEf",
    tls_private_key_secret_arn=f"{ARN}/tls-private-key-AbCdEf",
    admin_password_secret_arn=f"{ARN}/admin-password-AbCdEf",
    status_parameter="/analytics/bootstrap/status",
    log_group="/analytics/bootstrap",
    tools=host_tools("1.33", PUBLISHED),
)
# What the script takes from a minimal Ubuntu; everything else on its PATH is a stand-in.
REAL = (
    *("awk", "basename", "bash", "cat", "chmod", "cmp", "cp", "cut", "date", "dirname", "gzip", "install", "mkdir"),
    *("mktemp", "mv", "rm", "sh", "sha256sum", "stat", "tail", "tar", "touch"),
)
STAND_INS = {
    "apt-get": 'echo "apt-get $*" >>"$STATE/calls"\n'
    'case "$*" in *install*) cp "$STATE/unzip" "$STATE/bin/unzip";; esac',
    "chown": 'echo "chown $*" >>"$STATE/calls"',
    # As cloud-init prints what the instance was started with.
    "cloud-init": '[ "$*" = "query public_ssh_keys" ] && cat "$STATE/public-keys"',
    "sleep": 'echo "sleep $*" >>"$STATE/calls"',
    "systemctl": 'echo "systemctl $*" >>"$STATE/calls"',
    # `curl ... --output FILE URL`: the file of that URL, or what curl says where there is none.
    "curl": """for argument; do [ "$before" = --output ] && output=$argument; before=$argument; done
        echo "curl $argument" >>"$STATE/calls"
        file=$STATE/web/$(printf %s "$argument" | sha256sum | cut -d ' ' -f 1)
        [ -e "$file" ] || { echo "curl: (22) The requested URL returned error: 404" >&2; exit 22; }
        cp "$file" "$output\"""",
    # Signatures of the stand-in are the file's digest.
    "gpgv": '[ "$1" = --keyring ] && [ -s "$2" ] && [ "$(cat "$3")" = "$(sha256sum <"$4" | cut -d " " -f 1)" ] ||\n'
    '{ echo "gpgv: BAD signature" >&2; exit 1; }',
}
UNZIP = f"""#!{sys.executable}
import sys, zipfile, os
with zipfile.ZipFile(sys.argv[2]) as archive:
    for entry in archive.infolist():
        os.chmod(archive.extract(entry, sys.argv[4]), entry.external_attr >> 16)
"""
AWS = """#!/bin/sh
echo "aws $*" >>"$STATE/calls"
case "$1 $2" in
  "secretsmanager get-secret-value")
    [ -e "$STATE/denied" ] && { echo "An error occurred (AccessDeniedException)" >&2; exit 254; }
    [ "$5 $6 $7 $8" = "--query SecretString --output text" ] && cat "$STATE/secrets/$(basename "$4")" && echo ;;
  "s3 cp") cp "$STATE/objects/$(basename "$4")" "$5" ;;
  "ssm put-parameter") printf '%s' "$9" >"$STATE/parameter"; printf '%s\n' "$9" >>"$STATE/reported" ;;
  *) exit 252 ;;
esac
"""
# It refuses as often as $STATE/refusals has lines; $STATE/kotsadm is what the cluster has of the product.
KUBECTL = """#!/bin/sh
echo "kubectl $*" >>"$STATE/calls"
if [ -s "$STATE/refusals" ]; then
  tail -n +2 "$STATE/refusals" >"$STATE/fewer" && mv "$STATE/fewer" "$STATE/refusals"
  echo "error: You must be logged in to the server" >&2
  exit 1
fi
case "$*" in *"--ignore-not-found --output name") cat "$STATE/kotsadm" ;; esac
"""
ASKS_FOR_THE_PRODUCT = "kubectl get service kotsadm -n plotly-system --ignore-not-found --output name"
FORWARDS = "systemctl enable --now --no-block dash-enterprise-port-forward.service"
INSTALLS = "systemctl start --no-block dash-enterprise-install.service"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
REST = "The rest is in /var/log/cloud-init-output.log on the host."
AWS_INSTALLER = """#!/bin/sh
[ "$1 $3 $5" = "--bin-dir --install-dir --update" ] && cp "$(dirname "$0")/dist" "$2/aws"
"""


def executable(path: Path, content: str) -> None:
    path.write_text(content)
    path.chmod(0o755)


class Host:
    """A machine of its own, in a directory."""

    log = ""

    def __init__(self, directory: Path) -> None:
        self.state = directory / "state"
        self.root = directory / "root"
        for name in ("bin", "web", "secrets", "objects", "tmp"):
            (self.state / name).mkdir(parents=True)
        for name in REAL:
            found = shutil.which(name)
            assert found, name
            (self.state / "bin" / name).symlink_to(found)
        for name, body in STAND_INS.items():
            executable(self.state / "bin" / name, f"#!/bin/bash\n{body}\n")
        executable(self.state / "unzip", UNZIP)
        for name, content in (("public-keys", "[]\n"), ("refusals", ""), ("kotsadm", "")):
            (self.state / name).write_text(content)
        for arn, content in SECRETS.items():
            self.secret(arn, content)
        for key, content in OBJECTS.items():
            self.object(key, content)

    def secret(self, arn: str, content: str) -> None:
        (self.state / "secrets" / arn.rsplit("/", 1)[1]).write_text(content)

    def object(self, key: str, content: str) -> None:
        (self.state / "objects" / key.rsplit("/", 1)[1]).write_text(content)

    def publish(self, url: str, content: bytes) -> None:
        (self.state / "web" / hashlib.sha256(url.encode()).hexdigest()).write_bytes(content)

    def publish_tools(self, options: HostOptions) -> None:
        for tool in options.tools:
            content = self._download(tool)
            digest = hashlib.sha256(content).hexdigest()
            name = tool.url.rsplit("/", 1)[1]
            self.publish(tool.url, content)
            if tool.proof.endswith((".sig", "/kubectl.sha256")):
                self.publish(tool.proof, f"{digest}\n".encode())
            elif tool.proof.endswith(".txt"):  # of every file of the release
                self.publish(tool.proof, f"{'0' * 64}  other_{name}\n{digest}  {name}\n{'1' * 64}  last\n".encode())
            elif tool.proof.startswith("https:"):
                self.publish(tool.proof, f"{digest}  {name}\n".encode())

    def boot(self, options: HostOptions = OPTIONS) -> subprocess.CompletedProcess[str]:
        """Do with the user data what cloud-init does."""
        document = yaml.safe_load(user_data(options))
        for file in document["write_files"]:
            content = file["content"].encode()
            if file.get("encoding") == "gz+b64":
                content = gzip.decompress(base64.b64decode(content))
            path = self.root / file["path"].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(int(file["permissions"], 8))
        ((shell, script),) = document["runcmd"]
        return self.run(shell, str(self.root / script.lstrip("/")))

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        variables = {
            "PATH": str(self.state / "bin"),
            "ROOT": str(self.root),
            "STATE": str(self.state),
            "TMPDIR": str(self.state / "tmp"),
        }
        return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=60)

    @property
    def calls_file(self) -> Path:
        return self.state / "calls"

    def calls(self, start: str = "") -> list[str]:
        return [line for line in self.calls_file.read_text().splitlines() if line.startswith(start)]

    @property
    def status(self) -> str:
        return (self.state / "parameter").read_text()

    @property
    def reported(self) -> list[str]:
        return (self.state / "reported").read_text().splitlines()

    def has_product(self) -> None:
        (self.state / "kotsadm").write_text("service/kotsadm\n")

    def file(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def mode(self, path: str) -> str:
        return oct(self.file(path).stat().st_mode & 0o777)

    def snapshot(self) -> dict[str, tuple[int, int, bytes]]:
        """Every file with inode, mode and content: a file that was written again has another inode."""
        return {
            str(path): (path.stat().st_ino, path.stat().st_mode, path.read_bytes())
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_relative_to(self.root / "etc")  # which cloud-init writes
        }

    @staticmethod
    def _download(tool: Tool) -> bytes:
        program = KUBECTL if tool.name == "kubectl" else f'#!/bin/sh\necho "{tool.name} $*" >>"$STATE/calls"\n'
        buffer = io.BytesIO()
        if tool.url.endswith(".zip"):
            with zipfile.ZipFile(buffer, "w") as archive:
                for name, content in (("aws/install", AWS_INSTALLER), ("aws/dist", AWS)):
                    entry = zipfile.ZipInfo(name)
                    entry.external_attr = 0o755 << 16
                    archive.writestr(entry, content)
            return buffer.getvalue()
        if tool.url.endswith(".tar.gz"):
            with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
                for name in ("LICENSE", tool.member):
                    entry = tarfile.TarInfo(name)
                    entry.size = len(program)
                    archive.addfile(entry, io.BytesIO(program.encode()))
            return buffer.getvalue()
        return f"{tool.version}\n".encode() if tool.url.endswith(".yaml") else program.encode()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    machine = Host(tmp_path)
    machine.publish_tools(OPTIONS)
    return machine


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """A host after its first boot, for tests that only look at it."""
    machine = Host(tmp_path_factory.mktemp("booted"))
    machine.publish_tools(OPTIONS)
    done = machine.boot()
    assert done.returncode == 0, done.stderr
    machine.log = done.stdout + done.stderr
    return machine


def tool(name: str, options: HostOptions = OPTIONS) -> Tool:
    return next(tool for tool in options.tools if tool.name == name)


def overridden(*overrides: ToolArgs, supporting_software: tuple[str, ...] = ()) -> HostOptions:
    given = {one["name"]: one for one in PUBLISHED}
    for one in overrides:
        given[one["name"]] = {**given[one["name"]], **one} if one["name"] in given else one
    tools = host_tools("1.33", list(given.values()))
    return replace(OPTIONS, tools=tools, supporting_software=supporting_software)


def with_supporting_software() -> HostOptions:
    """The stand-in manifest has a digest of its own."""
    version = tool("cert-manager").version
    digest = hashlib.sha256(f"{version}\n".encode()).hexdigest()
    return overridden({"name": "cert-manager", "sha256": digest}, supporting_software=SUPPORTING_SOFTWARE)


# The part of cloud-init's schema that the user data uses; the whole one is read too where cloud-init is installed.
# https://docs.cloud-init.io/en/latest/reference/modules.html
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "write_files": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["path"],
                "additionalProperties": False,
                "properties": {
                    "path": {"type": "string", "pattern": "^/"},
                    "content": {"type": "string"},
                    "permissions": {"type": "string", "pattern": "^0[0-7]{3}$"},
                    "encoding": {"enum": ["gz+b64"]},
                },
            },
        },
        "runcmd": {"type": "array", "minItems": 1, "items": {"type": "array", "items": {"type": "string"}}},
    },
}


def schemas() -> Iterator[dict[str, Any]]:
    yield SCHEMA
    for path in Path("/usr/lib/python3/dist-packages/cloudinit/config/schemas").glob("schema-cloud-config-*.json"):
        yield json.loads(path.read_text())


@pytest.mark.parametrize("options", [OPTIONS, with_supporting_software()], ids=["plain", "with supporting software"])
def test_the_user_data_is_a_cloud_config(options: HostOptions) -> None:
    text = user_data(options)
    assert text.startswith("#cloud-config\n")
    for schema in schemas():
        jsonschema.validate(yaml.safe_load(text), schema)


def test_the_user_data_leaves_room_below_what_ec2_takes() -> None:
    options = replace(with_supporting_software(), run_installer=True)
    assert len(user_data(options).encode()) < LARGEST_USER_DATA - 3_000


def test_user_data_that_ec2_refuses_is_an_error_here() -> None:
    with pytest.raises(ValueError, match="EC2 takes 16384"):
        user_data(replace(OPTIONS, base_domain="x" * LARGEST_USER_DATA))


def test_the_same_options_give_the_same_user_data() -> None:
    assert user_data(OPTIONS) == user_data(replace(OPTIONS))


def test_a_value_with_spaces_and_quotes_arrives_as_it_is(tmp_path: Path) -> None:
    odd = """a 'b' "c" $d `e` \\"""
    (tmp_path / "env").write_text(environment(replace(OPTIONS, base_domain=odd)))
    shown = subprocess.run(
        ["bash", "-c", '. ./env; printf %s "$BASE_DOMAIN"'], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert shown.stdout == odd


def test_the_key_of_the_aws_cli_is_the_one_that_aws_documents() -> None:
    key = aws_cli_key()
    assert key[0] == 0x99  # a public key packet with a length of two bytes
    body = key[3 : 3 + int.from_bytes(key[1:3], "big")]
    # https://www.rfc-editor.org/rfc/rfc4880#section-12.2
    fingerprint = hashlib.sha1(b"\x99" + len(body).to_bytes(2, "big") + body, usedforsecurity=False).hexdigest()
    # https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html
    assert fingerprint.upper() == "FB5DB77FD5C118B80511ADA8A6310ACC4672475C"


@pytest.mark.parametrize("script", ["first_boot.sh", "login.sh"])
def test_shellcheck_finds_nothing(script: str) -> None:
    path = Path(first_boot.__file__).with_name("host") / script
    checked = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), path], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_first_boot_installs_every_tool_in_order(booted: Host) -> None:
    downloads = [call.removeprefix("curl ") for call in booted.calls("curl")]
    assert downloads == [url for tool in installed(OPTIONS.tools, ()) for url in (tool.url, tool.proof)]
    for name in ("aws", "kubectl", "eksctl", "istioctl", "helm", "kubectl-kots"):
        assert booted.mode(f"/usr/local/bin/{name}") == "0o755", name
    first_secret = next(index for index, call in enumerate(booted.calls()) if call.startswith("aws secretsmanager"))
    assert first_secret > booted.calls().index(f"curl {tool('kots').proof}")


def test_missing_packages_are_installed_and_the_lock_is_waited_for(booted: Host) -> None:
    assert booted.calls("apt-get") == [
        "apt-get -o DPkg::Lock::Timeout=300 -qq update",
        "apt-get -o DPkg::Lock::Timeout=300 -qq install -y --no-install-recommends unzip",
    ]


def test_the_files_are_there_with_their_modes_and_belong_to_ubuntu(booted: Host) -> None:
    home = "/home/ubuntu/dash-enterprise"
    for name, secret in (
        ("license.yaml", "license"),
        ("fullchain.pem", "tls-certificate"),
        ("privkey.pem", "tls-private-key"),
    ):
        assert booted.file(f"{home}/{name}").read_text() == SECRETS[f"{ARN}/{secret}-AbCdEf"]
        assert booted.mode(f"{home}/{name}") == "0o600"
    assert booted.file("/home/ubuntu/.kube/config").read_text() == OBJECTS[KUBECONFIG_KEY]
    assert booted.mode("/home/ubuntu/.kube/config") == "0o600"
    assert booted.file("/opt/dash-enterprise/run_installer.py").read_text() == OBJECTS[RUN_INSTALLER_KEY]
    assert booted.mode(f"{home}/install_de_aws.sh") == "0o700"
    assert booted.mode(home) == booted.mode("/home/ubuntu/.kube") == "0o700"
    owners = {
        call.split()[2].split("/root/", 1)[1].rsplit(".", 1)[0]: call.split()[1] for call in booted.calls("chown")
    }
    assert {path for path, owner in owners.items() if owner == "ubuntu:ubuntu"} >= {
        "home/ubuntu/dash-enterprise",
        "home/ubuntu/dash-enterprise/license.yaml",
        "home/ubuntu/dash-enterprise/fullchain.pem",
        "home/ubuntu/dash-enterprise/privkey.pem",
        "home/ubuntu/dash-enterprise/install_de_aws.sh",
        "home/ubuntu/.kube/config",
    }
    assert owners["opt/dash-enterprise/run_installer.py"] == "root:root"


def test_the_script_gets_the_password_as_it_is_and_nothing_else_changes(booted: Host) -> None:
    script = booted.file("/home/ubuntu/dash-enterprise/install_de_aws.sh")
    ran = subprocess.run(["bash", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert ran.stdout == PASSWORD
    lines, before = script.read_text().splitlines(), INSTALL_SCRIPT.splitlines()
    assert lines[2].startswith("export ADMIN_PASSWORD='")
    assert lines[:2] + lines[3:] == before[:2] + before[3:]


def test_every_assignment_of_the_password_gets_it(host: Host) -> None:
    twice = INSTALL_SCRIPT + "ADMIN_PASSWORD=__FROM_SECRETS_MANAGER__\nprintf '%s' \"$ADMIN_PASSWORD\"\n"
    host.object("dash-enterprise/install_de_aws.sh", twice)
    assert host.boot().returncode == 0
    script = host.file("/home/ubuntu/dash-enterprise/install_de_aws.sh")
    ran = subprocess.run(["bash", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    assert ran.stdout == PASSWORD * 2


def test_no_secret_is_in_a_log_a_command_the_environment_or_the_user_data(booted: Host) -> None:
    places = [booted.log, *booted.calls(), booted.status, user_data(OPTIONS), environment(OPTIONS)]
    shown = "\n".join(places)
    for secret in ("c2VjcmV0LWxpY2Vuc2U=", "dG9wLXNlY3JldA==", PASSWORD, PASSWORD[:10], "`id`"):
        assert secret not in shown
        holders = {
            path.name for path in booted.root.rglob("*") if path.is_file() and secret in path.read_text("latin-1")
        }
        assert holders <= {"license.yaml", "privkey.pem", "install_de_aws.sh"}
    assert list((booted.state / "tmp").iterdir()) == []


def test_the_login_message_tells_what_to_do(booted: Host) -> None:
    shown = booted.file("/etc/dash-enterprise/next-steps.txt").read_text()
    assert "cluster analytics, for Dash Enterprise at dash.example.com." in shown
    assert "cd ~/dash-enterprise && bash install_de_aws.sh" in shown
    assert "/var/log/cloud-init-output.log" in shown
    assert "sudo systemctl restart dash-enterprise-port-forward" in shown
    assert shown.endswith("1. Run the installer.\n2. Upload the license.\n")
    assert booted.mode("/etc/update-motd.d/99-dash-enterprise") == "0o755"
    assert "/etc/update-motd.d/99-dash-enterprise" in booted.file("/etc/profile.d/dash-enterprise.sh").read_text()
    assert booted.status == "ready: log in for the next steps"


def test_before_the_installation_nothing_takes_the_port_from_the_vendors_script(booted: Host, host: Host) -> None:
    assert booted.calls("systemctl") == []
    assert host.boot(replace(OPTIONS, run_installer=True)).returncode == 0
    assert host.calls("systemctl") == [INSTALLS]


def test_the_port_forward_tries_until_it_can_and_holds_up_no_boot(booted: Host) -> None:
    lines = booted.file("/etc/systemd/system/dash-enterprise-port-forward.service").read_text().splitlines()
    (command,) = [line for line in lines if line.startswith("Exec")]
    assert command == (
        "ExecStart=/usr/local/bin/kubectl port-forward -n plotly-system svc/kotsadm "
        "--address ${PORT_FORWARD_ADDRESS} 8800:3000"
    )
    assert {"Restart=always", "User=ubuntu", "EnvironmentFile=/etc/dash-enterprise/port-forward.env"} <= set(lines)
    assert "WantedBy=multi-user.target" in lines


def test_the_port_forward_is_there_after_the_installer_and_after_every_reboot(booted: Host) -> None:
    unit = booted.file("/etc/systemd/system/dash-enterprise-install.service").read_text()
    assert f"ExecStartPost=+/bin/{FORWARDS}\n" in unit
    assert "ExecStartPre=+/bin/systemctl stop dash-enterprise-port-forward.service\n" in unit


@pytest.mark.parametrize(
    ("keys", "address"), [("[]\n", "127.0.0.1"), ('[\n "ssh-rsa AAAAB3Nza dash-enterprise"\n]\n', "0.0.0.0")]
)
def test_the_port_forward_listens_to_others_on_a_host_with_a_key_only(host: Host, keys: str, address: str) -> None:
    (host.state / "public-keys").write_text(keys)
    assert host.boot().returncode == 0
    assert host.file("/etc/dash-enterprise/port-forward.env").read_text() == f"PORT_FORWARD_ADDRESS={address}\n"


def test_without_an_answer_about_keys_the_port_forward_stays_on_this_machine(host: Host) -> None:
    (host.state / "public-keys").unlink()
    assert host.boot().returncode == 0
    assert "127.0.0.1" in host.file("/etc/dash-enterprise/port-forward.env").read_text()


def test_the_status_of_the_host_before_is_gone_as_soon_as_the_aws_cli_is_there(host: Host) -> None:
    host.publish(tool("kubectl").url, b"malware")
    assert host.boot().returncode == 1
    assert re.fullmatch(f"first boot since {TIME}", host.reported[0])
    assert host.status.startswith("failed: installing kubectl")


def test_only_the_first_run_says_first_boot(host: Host) -> None:
    host.boot()
    host.boot()
    assert [status[:10] for status in host.reported] == ["first boot", "ready: log"]


def test_the_installer_is_started_as_a_service_instead_of_next_steps(host: Host) -> None:
    assert host.boot(replace(OPTIONS, run_installer=True)).returncode == 0
    assert host.calls("systemctl")[-1] == INSTALLS
    assert not host.file("/etc/dash-enterprise/next-steps.txt").exists()
    assert len(host.reported) == 1  # the installer's status is its own to tell


@pytest.mark.parametrize("run_installer", [True, False])
def test_a_new_host_for_an_installed_product_only_forwards_the_port(host: Host, run_installer: bool) -> None:
    host.has_product()
    options = replace(OPTIONS, run_installer=run_installer)
    for _ in range(2):
        assert host.boot(options).returncode == 0
        assert host.calls("systemctl") == [FORWARDS]
    assert re.fullmatch(f"installed before {TIME}", host.status)
    assert len(host.reported) == 2  # with that of first boot


def test_an_installer_that_did_not_succeed_is_not_repeated_on_what_may_be_in_use(host: Host) -> None:
    options = replace(OPTIONS, run_installer=True)
    host.boot(options)
    host.has_product()
    host.file("/var/log/dash-enterprise/install.log").write_text("it ended\n")
    before = host.status
    done = host.boot(options)
    assert done.returncode == 0
    assert "sudo systemctl start dash-enterprise-install" in done.stdout
    assert host.calls("systemctl") == []
    assert host.status == before


def test_a_cluster_that_does_not_answer_is_not_taken_for_an_empty_one(host: Host) -> None:
    (host.state / "refusals").write_text("no\n" * 100)
    assert host.boot(replace(OPTIONS, run_installer=True)).returncode == 1
    assert host.calls("kubectl") == [ASKS_FOR_THE_PRODUCT] * 10
    assert host.calls("systemctl") == []
    assert host.status == f"failed: asking the cluster: no answer: error: You must be logged in to the server\n{REST}"


def test_access_to_the_cluster_is_waited_for(host: Host) -> None:
    (host.state / "refusals").write_text("no\n" * 9)
    assert host.boot().returncode == 0
    assert host.status == "ready: log in for the next steps"


def test_the_installer_needs_its_script(host: Host) -> None:
    done = host.boot(replace(OPTIONS, run_installer=True, install_script_key=""))
    assert done.returncode == 1
    assert host.status == f"failed: writing the files: there is no install_de_aws.sh to run\n{REST}"


def test_a_host_without_script_and_password_has_the_other_files(host: Host) -> None:
    assert host.boot(replace(OPTIONS, install_script_key="", admin_password_secret_arn="")).returncode == 0
    assert host.file("/home/ubuntu/dash-enterprise/license.yaml").exists()
    assert not host.file("/home/ubuntu/dash-enterprise/install_de_aws.sh").exists()


def test_a_script_that_waits_for_a_password_that_nobody_gave_is_an_error(host: Host) -> None:
    assert host.boot(replace(OPTIONS, admin_password_secret_arn="")).returncode == 1
    assert "asks for the admin password, and none was delivered" in host.status


def test_a_password_that_the_script_has_no_place_for_is_an_error(host: Host) -> None:
    host.object("dash-enterprise/install_de_aws.sh", "#!/bin/bash\nADMIN_PASSWORD=other\n")
    assert host.boot().returncode == 1
    assert "has no place for the admin password" in host.status


def test_a_second_run_changes_nothing(host: Host) -> None:
    host.publish_tools(with_supporting_software())
    assert host.boot(with_supporting_software()).returncode == 0
    before = host.snapshot()
    assert host.run("bash", str(host.file("/opt/dash-enterprise/first_boot.sh"))).returncode == 0
    assert host.snapshot() == before
    asked = ("aws secretsmanager get-secret-value", "aws s3 cp", "kubectl get", "chown")
    assert [call for call in host.calls() if not call.startswith(asked)] == []


def test_a_second_run_picks_up_a_changed_secret(host: Host) -> None:
    host.boot()
    host.secret(f"{ARN}/admin-password-AbCdEf", "another one")
    host.secret(f"{ARN}/license-AbCdEf", "kind: License\n")
    assert host.boot().returncode == 0
    assert host.file("/home/ubuntu/dash-enterprise/license.yaml").read_text() == "kind: License\n"
    assert "ADMIN_PASSWORD='another one'" in host.file("/home/ubuntu/dash-enterprise/install_de_aws.sh").read_text()


def test_a_second_run_installs_another_version(host: Host) -> None:
    host.boot()
    newer = overridden({"name": "helm", "version": "3.99.0"})
    host.publish_tools(newer)
    assert host.boot(newer).returncode == 0
    assert host.calls("curl") == [f"curl {tool('helm', newer).url}", f"curl {tool('helm', newer).proof}"]


def test_a_file_whose_mode_was_changed_gets_it_back(host: Host) -> None:
    host.boot()
    host.file("/home/ubuntu/dash-enterprise/privkey.pem").chmod(0o644)
    host.boot()
    assert host.mode("/home/ubuntu/dash-enterprise/privkey.pem") == "0o600"


def test_a_run_on_an_installed_host_says_so_and_starts_no_installation(host: Host) -> None:
    options = replace(OPTIONS, run_installer=True)
    host.boot(options)
    host.file("/var/lib/dash-enterprise/installed").write_text("installed 2026-11-21T12:00:00Z\n")
    assert host.boot(options).returncode == 0
    assert host.status == "installed 2026-11-21T12:00:00Z"
    assert host.calls("systemctl") == [FORWARDS]


def test_a_download_that_fails_stops_everything_with_tool_and_url(host: Host) -> None:
    host.boot()
    newer = overridden({"name": "helm", "version": "3.99.0"})
    done = host.boot(newer)
    assert done.returncode == 1
    url = "https://get.helm.sh/helm-v3.99.0-linux-amd64.tar.gz"
    why = f"installing helm 3.99.0: cannot download {url}: curl: (22) The requested URL returned error: 404"
    assert host.status == f"failed: {why}\n{REST}"
    assert f"first boot failed: {why}\n" in done.stderr
    assert host.calls("curl") == [f"curl {url}"] * 5
    assert host.calls("aws secretsmanager") == []


def test_a_download_of_the_first_tool_that_fails_is_in_the_log(host: Host) -> None:
    done = host.boot(overridden({"name": "aws-cli", "version": "2.99.0"}))
    assert done.returncode == 1
    assert "first boot failed: installing aws-cli 2.99.0: cannot download https://awscli" in done.stderr
    assert "/analytics/bootstrap/status does not say so" in done.stderr


@pytest.mark.parametrize("name", ["kubectl", "eksctl", "istioctl", "helm", "kots"])
def test_a_file_with_another_checksum_is_not_installed(host: Host, name: str) -> None:
    wrong = tool(name)
    host.publish(wrong.url, b"malware")
    done = host.boot()
    assert done.returncode == 1
    assert (
        f"failed: installing {name} {wrong.version}: {wrong.url} is not the right file: expected SHA-256 "
        in host.status
    )
    assert host.status.endswith(f", found {hashlib.sha256(b'malware').hexdigest()}\n{REST}")
    assert not host.file(wrong.target).exists()
    assert host.calls("aws secretsmanager") == []


def test_an_aws_cli_that_aws_did_not_sign_is_not_installed(host: Host) -> None:
    host.publish(tool("aws-cli").url, b"malware")
    done = host.boot()
    assert done.returncode == 1
    assert f"{tool('aws-cli').url} does not bear the signature {tool('aws-cli').proof} of AWS" in done.stderr
    assert not host.file("/usr/local/bin/aws").exists()


def test_a_checksum_file_without_the_file_is_no_proof(host: Host) -> None:
    host.publish(tool("eksctl").proof, b"0000  eksctl_Windows_amd64.zip\n")
    assert host.boot().returncode == 1
    assert f"expected SHA-256 (none in {tool('eksctl').proof})" in host.status


def test_a_given_digest_is_what_counts(host: Host) -> None:
    options = overridden({"name": "helm", "sha256": "ab" * 32})
    assert host.boot(options).returncode == 1
    assert f"expected SHA-256 {'ab' * 32}, found" in host.status
    assert f"curl {tool('helm').proof}" not in host.calls()


def test_a_secret_that_cannot_be_read_is_named_with_the_reason(host: Host) -> None:
    (host.state / "denied").touch()
    assert host.boot().returncode == 1
    why = "An error occurred (AccessDeniedException)"
    assert host.status == f"failed: writing the files: cannot read {ARN}/license-AbCdEf: {why}\n{REST}"
    assert len(host.calls("aws secretsmanager")) == 5
    assert not host.file("/home/ubuntu/dash-enterprise/license.yaml").exists()


def test_a_missing_object_is_named(host: Host) -> None:
    (host.state / "objects" / "kubeconfig").unlink()
    assert host.boot().returncode == 1
    assert host.status.startswith(f"failed: writing the files: cannot read s3://analytics-files/{KUBECONFIG_KEY}: ")


def test_a_run_after_a_failure_goes_on_and_says_that_it_is_ready(host: Host) -> None:
    (host.state / "denied").touch()
    host.boot()
    (host.state / "denied").unlink()
    assert host.boot().returncode == 0
    assert host.calls("curl") == []
    assert host.status == "ready: log in for the next steps"


def test_any_other_failure_names_step_line_and_command(host: Host) -> None:
    executable(host.state / "bin" / "systemctl", "#!/bin/sh\nexit 5\n")
    assert host.boot(replace(OPTIONS, run_installer=True)).returncode == 1
    assert host.status.startswith("failed: finishing: line ")
    assert host.status.endswith(f"{INSTALLS}: exit code 5\n{REST}")


def test_supporting_software_is_installed_into_the_cluster_when_asked_for(host: Host) -> None:
    options = with_supporting_software()
    host.publish_tools(options)
    assert host.boot(options).returncode == 0
    manifest = host.file("/opt/dash-enterprise/cert-manager.yaml")
    assert host.mode("/opt/dash-enterprise/cert-manager.yaml") == "0o644"
    assert host.calls("kubectl") == [ASKS_FOR_THE_PRODUCT, f"kubectl apply -f {manifest}"]
    assert host.calls("istioctl") == ["istioctl install --skip-confirmation"]


def test_without_being_asked_the_cluster_is_left_alone(booted: Host) -> None:
    assert booted.calls("kubectl") == [ASKS_FOR_THE_PRODUCT]
    assert booted.calls("istioctl") == []


def test_supporting_software_that_is_refused_at_first_is_applied_again(host: Host) -> None:
    options = with_supporting_software()
    host.publish_tools(options)
    broken = (
        '#!/bin/sh\necho "istioctl $*" >>"$STATE/calls"; [ -e "$STATE/ready" ] || { touch "$STATE/ready"; exit 1; }\n'
    )
    assert host.boot(options).returncode == 0
    executable(host.file("/usr/local/bin/istioctl"), broken)
    host.file("/var/lib/dash-enterprise/supporting-software/istio").unlink()
    assert host.boot(options).returncode == 0
    assert host.calls("istioctl") == ["istioctl install --skip-confirmation"] * 2
