"""The user data of the bootstrap host: a cloud-config that writes its settings and runs host/first_boot.sh. Pure.

It holds names and ARNs, never a secret: whoever may read the instance's attributes can read its user data.
"""

import base64
import gzip
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from .host_tools import Tool, installed

LARGEST_USER_DATA = 16_384
"""Bytes that EC2 takes, before base64: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-add-user-data.html"""
KUBECONFIG_KEY = "bootstrap/kubeconfig"
"""Key of the object that the host makes its kubeconfig of."""
RUN_INSTALLER_KEY = "bootstrap/run_installer.py"
"""Key of the object that holds `run_installer_script()`."""
NEXT_STEPS_KEY = "bootstrap/next-steps.txt"
"""Key of the object whose text is shown at login."""

_HOME = "/opt/dash-enterprise"
_PROFILE = """# Session Manager logs in without the message of the day; `sudo -iu ubuntu` comes along here.
if [ -n "${PS1:-}" ] && [ -z "${SSH_CONNECTION:-}" ]; then /etc/update-motd.d/99-dash-enterprise; fi
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """What first boot has to know."""

    cluster_name: str
    region: str
    base_domain: str
    bucket: str
    install_script_key: str
    """Key of the vendor's install_de_aws.sh; "" when it is delivered otherwise."""
    license_secret_arn: str
    tls_certificate_secret_arn: str
    tls_private_key_secret_arn: str
    admin_password_secret_arn: str
    """Empty when install_de_aws.sh holds the password already, or needs none."""
    status_parameter: str
    log_group: str
    tools: Sequence[Tool]
    """Of `host_tools`."""
    supporting_software: Sequence[str] = field(default=())
    run_installer: bool = False
    installer_timeout_minutes: int = 60


def user_data(options: HostOptions) -> str:
    """The cloud-config, to be given to EC2 as it is."""
    units = "/etc/systemd/system/dash-enterprise"
    files = [
        {"path": "/etc/dash-enterprise/bootstrap.env", "permissions": "0644", "content": environment(options)},
        _packed(f"{_HOME}/first_boot.sh", "0755", first_boot_script().encode()),
        _packed(f"{_HOME}/aws-cli.gpg", "0644", aws_cli_key()),
        _packed(f"{units}-port-forward.service", "0644", _host_file("dash-enterprise-port-forward.service")),
        _packed(f"{units}-install.service", "0644", _host_file("dash-enterprise-install.service")),
        _packed("/etc/update-motd.d/99-dash-enterprise", "0755", _host_file("login.sh")),
        {"path": "/etc/profile.d/dash-enterprise.sh", "permissions": "0644", "content": _PROFILE},
    ]
    document = {"write_files": files, "runcmd": [["bash", f"{_HOME}/first_boot.sh"]]}
    text = "#cloud-config\n" + json.dumps(document, indent=1) + "\n"
    if len(text.encode()) > LARGEST_USER_DATA:
        raise ValueError(f"the user data has {len(text.encode())} bytes, EC2 takes {LARGEST_USER_DATA}")
    return text


def environment(options: HostOptions) -> str:
    """The settings as a file that a shell reads."""
    tools = installed(options.tools, options.supporting_software)
    values = {
        "CLUSTER_NAME": options.cluster_name,
        "AWS_DEFAULT_REGION": options.region,
        "BASE_DOMAIN": options.base_domain,
        "BUCKET": options.bucket,
        "KUBECONFIG_KEY": KUBECONFIG_KEY,
        "RUN_INSTALLER_KEY": RUN_INSTALLER_KEY,
        "NEXT_STEPS_KEY": NEXT_STEPS_KEY,
        "INSTALL_SCRIPT_KEY": options.install_script_key,
        "LICENSE_SECRET_ARN": options.license_secret_arn,
        "TLS_CERTIFICATE_SECRET_ARN": options.tls_certificate_secret_arn,
        "TLS_PRIVATE_KEY_SECRET_ARN": options.tls_private_key_secret_arn,
        "ADMIN_PASSWORD_SECRET_ARN": options.admin_password_secret_arn,
        "STATUS_PARAMETER": options.status_parameter,
        "LOG_GROUP": options.log_group,
        "SUPPORTING_SOFTWARE": " ".join(options.supporting_software),
        "RUN_INSTALLER": "yes" if options.run_installer else "",
        "INSTALLER_TIMEOUT_MINUTES": str(int(options.installer_timeout_minutes)),
        "TOOLS": "\n".join(" ".join((t.name, t.version, t.url, t.proof, t.member, t.target)) for t in tools),
    }
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items())


def first_boot_script() -> str:
    """host/first_boot.sh, which runs as root on the host."""
    return _host_file("first_boot.sh").decode()


def run_installer_script() -> str:
    """host/run_installer.py, which the host fetches from the bucket."""
    return _host_file("run_installer.py").decode()


def aws_cli_key() -> bytes:
    """The public key that AWS signs its CLI with, in the binary form that gpgv reads."""
    lines = _host_file("aws-cli.asc").decode().split("\n\n", 1)[1].splitlines()
    # The last two lines are a checksum and the end mark.
    return base64.b64decode("".join(line for line in lines if not line.startswith(("=", "-"))))


@cache
def _host_file(name: str) -> bytes:
    return Path(__file__).with_name("host").joinpath(name).read_bytes()


def _packed(path: str, permissions: str, content: bytes) -> dict[str, str]:
    # Without a time of modification: the same content gives the same user data.
    packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
    return {"path": path, "permissions": permissions, "encoding": "gz+b64", "content": packed}
