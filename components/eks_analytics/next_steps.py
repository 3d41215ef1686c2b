"""What people do after `pulumi up`, in order: a stack output, and the login message of the bootstrap host. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .capacity import SystemLimits
from .dns_records import FIND_LOAD_BALANCER, NAMESPACE
from .host_names import host_names
from .script_variables import ADMIN_PASSWORD, SCRIPT

KEYCLOAK_PASSWORD_COMMAND = (
    f"kubectl get secret keycloak-secrets -n {NAMESPACE} -o jsonpath='{{.data.KEYCLOAK_PASSWORD}}' | base64 -d && echo"
)
"""Prints the password of Keycloak's user `admin`: for the eyes of who types it, never for a log."""
RESET_ADMIN_PASSWORD_COMMAND = f"kubectl kots reset-password {NAMESPACE}"


@dataclass(frozen=True)
class InstallationPlan:
    """What the steps depend on."""

    base_domain: str
    stack: str
    cluster_name: str
    connect_command: str = ""
    """Opens a shell on the host; empty in the text that the host itself shows."""
    status_command: str = "pulumi stack output bootstrap_status_command"
    """Shows what became of first boot and of the installer."""
    port_forward_command: str = ""
    """For the workstation; empty where the admin console is reached without one."""
    admin_console_url: str = "http://localhost:8800"
    run_installer: bool = False
    """Whether the host runs the installer by itself."""
    supporting_software: Sequence[str] = ()
    """What first boot applies to the cluster besides."""
    system_limits: SystemLimits | None = None
    uses_route53: bool = False
    """Whether this program makes the DNS records once it knows the load balancer."""
    records_made: bool = False
    records_left: str = ""
    """Where the load balancer is known and not all records are made: which, and why."""
    has_host: bool = True
    """False once the host is removed: then it is all about what comes after."""


def next_steps(plan: InstallationPlan) -> list[str]:
    """Plain lines: numbered steps, what belongs to a step indented below it, and a command alone on its line."""
    steps = (_installer, _login, _files, _preflight, _records, _ready, _user, _limits, _removal)
    if not plan.has_host:
        steps = (_host_again, *(() if plan.records_made else (_records,)), _ready, _limits)
    lines: list[str] = []
    for number, step in enumerate(steps, 1):
        first, *others = step(plan)
        lines += [f"{number}. {first}", *(f"   {line}" for line in others)]
    return lines


def _installer(plan: InstallationPlan) -> Iterator[str]:
    if plan.run_installer:
        yield f"Wait: the host runs {SCRIPT} at its first boot and answers its two prompts. The verdict:"
        yield f"  {plan.status_command}"
    else:
        yield f"Run the installer on the bootstrap host of {plan.cluster_name}:"
        if plan.connect_command:
            yield f"  {plan.connect_command}"
        yield f"  cd ~/dash-enterprise && bash {SCRIPT}"
        yield "The script there has this stack's variables and the password; a copy from the plan's folder has not."
        yield "It asks for an installation path (press Enter), then whether it may write there (answer y)."
    yield "It does not return. The line `Forwarding from ... -> 3000` says that it has succeeded."
    yield "What the host's first boot did is in its /var/log/cloud-init-output.log."
    if plan.supporting_software:
        yield f"First boot applied {' and '.join(plan.supporting_software)} to the cluster, as this stack asks."
    else:
        yield "cert-manager and Istio: Plotly's provisioning script is not run here, and it is not published which"
        yield "other script applies the two. Ask Plotly; where none does, name them before the host's first boot in"
        yield "dash_enterprise.bootstrap.supporting_software, or apply them from the host before the installer runs."


def _host_again(plan: InstallationPlan) -> Iterator[str]:
    yield f"The bootstrap host is removed. The admin console is at https://admin-{plan.base_domain}."
    yield "For another installation set dash_enterprise.bootstrap.enabled: true, and"
    yield f"  pulumi up --stack {plan.stack}"


def _login(plan: InstallationPlan) -> Iterator[str]:
    yield f"Open the admin console and log in with the value of {ADMIN_PASSWORD}:"
    if plan.port_forward_command:
        yield f"  {plan.port_forward_command}"
        yield f"keeps running on your workstation; meanwhile the console is at {plan.admin_console_url}."
    else:
        yield f"  {plan.admin_console_url}"
    yield "It cannot be read back from the cluster: keep it in your password manager. Lost, it is reset on the host by:"
    yield f"  {RESET_ADMIN_PASSWORD_COMMAND}"


def _files(plan: InstallationPlan) -> Iterator[str]:
    yield "Upload the license; then, on the page that follows, the TLS certificate chain and its private key."
    yield "They are the files that this stack names in license_file, tls_certificate_file and tls_private_key_file."


def _preflight(plan: InstallationPlan) -> Iterator[str]:
    yield "Let the preflight checks finish, and continue when all have passed; else ask Plotly."
    yield "After that the status Missing or Unavailable is normal, until the DNS records exist."


def _records(plan: InstallationPlan) -> Iterator[str]:
    if plan.records_made:
        yield f"The seven DNS records exist. Wait until {plan.base_domain} resolves."
    elif plan.records_left:
        yield plan.records_left
    elif plan.uses_route53:
        yield "Make the seven DNS records, with kubectl access to the cluster:"
        yield f"  make dns STACK={plan.stack}    (python -m operations dns discover --stack {plan.stack})"
        yield f"  pulumi up --stack {plan.stack}"
    else:
        first, *others = host_names(plan.base_domain)
        yield "Make seven DNS records where your domain is served, all of type CNAME:"
        yield f"  {first} -> the load balancer's host name, with a final dot. On the host:"
        yield f"    {FIND_LOAD_BALANCER} && echo"
        for name in others:
            yield f"  {name} -> {plan.base_domain}"


def _ready(plan: InstallationPlan) -> Iterator[str]:
    yield f"Go to https://admin-{plan.base_domain} and wait for the status Ready."


def _user(plan: InstallationPlan) -> Iterator[str]:
    yield f"Make your first user in Keycloak, at https://auth-{plan.base_domain} under Administration Console."
    yield "Its own user is admin; the password, which you keep in your password manager, is shown on the host by:"
    yield f"  {KEYCLOAK_PASSWORD_COMMAND}"
    yield "Do not change it in Keycloak's own interface: the cluster's secret would then hold the old one."
    yield "In the realm Dash, add a user, set a password, and give it the role admin of the client dash. Who deploys"
    yield "apps needs the role licensed_user besides, and takes a seat of the license with it."
    yield f"Log in as that user at https://{plan.base_domain}."


def _limits(plan: InstallationPlan) -> Iterator[str]:
    yield "Set System Limits under Apps > App Manager > Admin, so that nobody starts more than the cluster holds."
    if plan.system_limits:
        yield f"For this cluster: {plan.system_limits.pods} pods and {plan.system_limits.volumes} volumes (PVC)."
    else:
        yield "For this cluster: `pulumi stack output system_limits`."


def _removal(plan: InstallationPlan) -> Iterator[str]:
    yield "Remove the host, its key and its access to the cluster: set dash_enterprise.bootstrap.enabled: false, and"
    yield f"  pulumi up --stack {plan.stack}"
    yield "With an SSH key pair, delete its private key from your workstation too."
