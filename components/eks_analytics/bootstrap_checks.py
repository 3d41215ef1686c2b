"""What a BootstrapInstance is asked for, and everything in it that AWS would refuse or nobody should want. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import NotRequired, TypedDict

from .cluster_checks import log_problems, name_problems, private_cidr_fault
from .host_tools import ToolArgs, tool_problems
from .installation_checks import RESERVED_BY_SSM
from .instance_types import is_mac, traits, unknown_machines
from .node_group_options import INSTANCE_TYPE
from .permissions_boundary import boundary_problems
from .problems import Problem, repeated
from .tags import check_tags
from .versions import version_problems

DEFAULT_KEY_NAME = "dash-enterprise-bootstrap_key"
# What Canonical calls the volume of its images: https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
UBUNTU_VOLUMES = {"24.04": "ebs-gp3", "22.04": "ebs-gp2", "20.04": "ebs-gp2"}

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")
_ACCOUNT_ID = re.compile(r"\d{12}")
_KEY_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")
_DISK_SIZES_GIB = range(8, 16384 + 1)
_INSTALLER_TIMEOUTS = range(5, 720 + 1)
_KINDS_OF_KEYS = ("ssh-", "ecdsa-", "sk-")
_SMALLEST_KEY = 2048
# Two rules each, and AWS allows 60 in a security group.
_MOST_CIDRS = 30
_HIDDEN = "(not shown)"
_WAY_WITHOUT_SSH = "or leave ssh out: Session Manager needs no open port"


class BootstrapSshArgs(TypedDict):
    """SSH to the bootstrap host, as in Dash Enterprise's guide, and its Admin Console on port 8800."""

    public_key: str
    """RSA public key of 2048 bits or more in OpenSSH form, the line that `ssh-keygen -y -f <private key>` prints. A
    changed key makes a new host."""
    allowed_cidrs: list[str]
    """CIDRs that may reach ports 22 and 8800 of the host: the networks of those who install. Not wider than /8, IPv6
    not wider than /32."""
    key_name: NotRequired[str]
    """Name of the EC2 key pair and, with .pem, of the private key's file in ~/.ssh. One region has each name once.
    "dash-enterprise-bootstrap_key" by default."""


@dataclass(frozen=True)
class BootstrapOptions:
    """What of `BootstrapInstanceArgs`, which documents the fields, is plain, with its defaults filled in."""

    cluster_name: str
    kubernetes_version: str
    region: str
    account_id: str = ""
    ubuntu_release: str = "24.04"
    instance_type: str = "t3.micro"
    disk_size_gib: int = 20
    ssh: BootstrapSshArgs | None = None
    run_installer: bool = False
    installer_timeout_minutes: int = 60
    supporting_software: Sequence[str] = ()
    tools: Sequence[ToolArgs] = ()
    log_retention_days: int = 90
    permissions_boundary_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


def check_bootstrap(options: BootstrapOptions) -> list[Problem]:
    """Everything that is wrong with the options; empty when a host can be made of them.

    Inputs are named as the component calls them: `cluster.name`, `ssh.allowed_cidrs[0]`.
    """
    return [
        *_name_problems(options),
        *check_tags(options.tags),
        *_machine_problems(options),
        *_number_problems(options),
        *boundary_problems(options.permissions_boundary_arn, options.region, options.account_id),
        *tool_problems(options.tools, options.supporting_software),
        *(ssh_problems(options.ssh) if options.ssh else ()),
    ]


def bootstrap_warnings(options: BootstrapOptions) -> list[str]:
    """What can be built, but may not be what was meant."""
    found = list(unknown_machines("instance_type", [options.instance_type], "it does not start the host"))
    if options.ubuntu_release == "20.04":
        found.append(
            "ubuntu_release 20.04: its standard support ended on 2025-05-31, so it gets no security updates without "
            'Ubuntu Pro. Choose "24.04" unless Plotly asks for the old one.'
        )
    return found


def installer_problems(options: BootstrapOptions, install_script_key: str) -> Iterator[Problem]:
    """An installer that should run and is not there."""
    if options.run_installer and not install_script_key:
        reason = "there is no install_de_aws.sh that could run"
        yield Problem("run_installer", True, reason, "deliver the installation plan's, or leave run_installer out")


def ubuntu_parameter(release: str) -> str:
    """The public SSM parameter in which Canonical keeps the id of a release's newest image."""
    volume = UBUNTU_VOLUMES[release]
    return f"/aws/service/canonical/ubuntu/server/{release}/stable/current/amd64/hvm/{volume}/ami-id"


def ssh_problems(ssh: BootstrapSshArgs) -> Iterator[Problem]:
    """Who may come in, and with which key. No part of the key is ever quoted: it may be a private one."""
    key_name, cidrs = ssh.get("key_name", DEFAULT_KEY_NAME), ssh["allowed_cidrs"]
    if fault := public_key_fault(ssh["public_key"]):
        yield Problem("ssh.public_key", _HIDDEN, *fault)
    if not _KEY_NAME.fullmatch(key_name):
        reason = "cannot be the name of both a key pair and a file"
        yield Problem("ssh.key_name", key_name, reason, "use 1 to 255 letters, digits, hyphens, underscores and dots")
    if not cidrs:
        remedy = f'name the networks of those who install, such as ["203.0.113.0/24"]; {_WAY_WITHOUT_SSH}'
        yield Problem("ssh.allowed_cidrs", [], "lets nobody in", remedy)
    if len(cidrs) > _MOST_CIDRS:
        reason = f"are more than {_MOST_CIDRS}, and a security group has 60 rules, two for each"
        yield Problem("ssh.allowed_cidrs", f"{len(cidrs)} CIDRs", reason, "name fewer, wider networks")
    if twice := repeated(cidrs):
        yield Problem("ssh.allowed_cidrs", list(cidrs), f"names {', '.join(twice)} more than once", "name each once")
    for index, cidr in enumerate(cidrs):
        if fault := allowed_cidr_fault(cidr):
            yield Problem(f"ssh.allowed_cidrs[{index}]", cidr, *fault)


def allowed_cidr_fault(cidr: str) -> tuple[str, str] | None:
    """Why a network cannot be let to the host, and what to do instead."""
    if _is_too_wide(cidr):
        return (
            "opens the host to the whole internet or a great part of it: the KOTS Admin Console on port 8800 speaks "
            "plain HTTP and holds the product's keys, and port 22 is tried from everywhere",
            f"name your own networks, such as your office's or VPN's \"203.0.113.0/24\"; {_WAY_WITHOUT_SSH}",
        )
    return private_cidr_fault(cidr)


def public_key_fault(public_key: str) -> tuple[str, str] | None:
    """Why a public key is none that the host can take, and what to do instead; nothing of it is quoted."""
    ask = "give the one line that `ssh-keygen -y -f <private key>` prints"
    text = public_key.strip()
    if "PRIVATE KEY" in text or "PuTTY-User-Key-File" in text:
        return (
            "is a private key, which must stay with its owner",
            f"make a new pair if anybody could read this one here; {ask}",
        )
    if "-----BEGIN" in text or "---- BEGIN" in text:
        return "is a public key in another form than OpenSSH's", ask
    if "\n" in text or not text.startswith(_KINDS_OF_KEYS):
        return "is not one line of a public key in OpenSSH form: ssh-rsa AAAA... comment", ask
    # A tenth of a second, which programs without SSH need not spend.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    new = f"make one: ssh-keygen -t rsa -b 4096 -m PEM -f ~/.ssh/{DEFAULT_KEY_NAME}.pem"
    if not text.startswith("ssh-rsa "):
        return "is no RSA key, which Dash Enterprise's guide asks for", new
    try:
        key = load_ssh_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        return "cannot be read: it is cut off or damaged", ask
    if not isinstance(key, RSAPublicKey):
        return "is no RSA key, which Dash Enterprise's guide asks for", new
    if key.key_size < _SMALLEST_KEY:
        return f"is an RSA key of {key.key_size} bits, and fewer than {_SMALLEST_KEY} can be broken", new
    return None


def _name_problems(options: BootstrapOptions) -> Iterator[Problem]:
    name = options.cluster_name
    for problem in (*name_problems(name), *version_problems(options.kubernetes_version, {})):
        own_name = "cluster.name" if problem.input == "cluster_name" else f"cluster.{problem.input}"
        yield Problem(own_name, problem.value, problem.reason, problem.remedy)
    if name.lower().startswith(RESERVED_BY_SSM):
        reason = "SSM keeps parameters that begin with aws or ssm for itself, and the host's is named after the cluster"
        yield Problem("cluster.name", name, reason, "choose a name that begins otherwise")
    if not _REGION.fullmatch(options.region):
        yield Problem("region", options.region, "is no AWS region", 'write one such as "us-east-1"')
    if options.account_id and not _ACCOUNT_ID.fullmatch(options.account_id):
        remedy = "write its twelve digits in quotes, or leave it out"
        yield Problem("account_id", options.account_id, "is no AWS account id", remedy)


def _machine_problems(options: BootstrapOptions) -> Iterator[Problem]:
    release, instance_type = options.ubuntu_release, options.instance_type
    if release not in UBUNTU_VOLUMES:
        choices = ", ".join(f'"{known}"' for known in UBUNTU_VOLUMES)
        yield Problem("ubuntu_release", release, "is no release that first boot knows", f"choose one of {choices}")
    if not INSTANCE_TYPE.fullmatch(instance_type) or is_mac(instance_type):
        reason, remedy = "is no EC2 instance type for Linux", 'write one such as "t3.micro"'
        yield Problem("instance_type", instance_type, reason, remedy)
    elif (found := traits(instance_type)) and found.architecture == "arm64":
        reason = "is a Graviton (ARM) type, and the host's image and tools are amd64"
        yield Problem("instance_type", instance_type, reason, 'write an x86 type such as "t3.micro"')


def _number_problems(options: BootstrapOptions) -> Iterator[Problem]:
    yield from log_problems((), options.log_retention_days)
    for name, value, allowed, unit in (
        ("disk_size_gib", options.disk_size_gib, _DISK_SIZES_GIB, "GiB"),
        ("installer_timeout_minutes", options.installer_timeout_minutes, _INSTALLER_TIMEOUTS, "minutes"),
    ):
        if value not in allowed:
            reason = "is too little" if value < allowed[0] else "is too much"
            yield Problem(name, value, reason, f"write {allowed[0]} to {allowed[-1]} {unit}")


def _is_too_wide(cidr: str) -> bool:
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        return False
    return network.prefixlen < (8 if network.version == 4 else 32)
