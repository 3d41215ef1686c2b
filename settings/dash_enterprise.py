"""What must be true of the settings of Dash Enterprise: its files, its password, and room for it in the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from eks_analytics.bootstrap_checks import check_bootstrap
from eks_analytics.dash_enterprise_checks import Room, public_subnet_problems
from eks_analytics.dns_records import record_problems
from eks_analytics.domains import allowed_domains, domain_problems, names
from eks_analytics.drain_checks import drain_minutes_problems
from eks_analytics.host_tools import host_tools, installed, unproven
from eks_analytics.installation_checks import InstallationOptions, check_installation
from eks_analytics.network_options import NetworkOptions
from eks_analytics.problems import Problem

from .arguments import bootstrap_options, cluster_options, dns_options, instance_limits, network_arguments
from .files import find
from .problems import HIDDEN

if TYPE_CHECKING:
    from eks_analytics.files import GivenFile

    from .rules import Judgement

_SHORTEST_PASSWORD = 6
_JUDGED_ELSEWHERE = ("cluster", "region", "account_id", "tags")
_SETTING = {
    "service_cidr": "cluster.service_cidr",
    "private_subnet_cidrs": "network.private_subnet_cidrs",
}


def rules(it: Judgement) -> Iterator[Problem]:
    """All rules of this product, those that others rest on first."""
    if it.settings.product != "dash-enterprise":
        return
    for rule in (_files, _password, _installation, _bootstrap, _egress, _dns, _capacity, _drain):
        yield from rule(it)


def _files(it: Judgement) -> Iterator[Problem]:
    settings = it.settings.dash_enterprise
    it.found = find(settings, it.project_root)
    yield from _needed_to_apply(it, (problem for problem in it.found.problems if it.sound(problem.input)))
    yield from _tls(it)
    yield from _license(it)


def _needed_to_apply(it: Judgement, problems: Iterator[Problem]) -> Iterator[Problem]:
    """What is never in git: an update needs it, a preview goes on without."""
    for problem in problems:
        if it.dry_run:
            it.absent.append(problem)
        else:
            yield problem


def _tls(it: Judgement) -> Iterator[Problem]:
    settings, files = it.settings.dash_enterprise, it.found.files
    named = settings.tls_trust_store_file
    if not {"tls_certificate_file", "tls_private_key_file", *(["tls_trust_store_file"] if named else [])} <= {*files}:
        return
    if not settings.base_domain or not it.sound("dash_enterprise.base_domain"):
        return
    from eks_analytics.tls import check_tls  # with all of cryptography behind it

    verdict = check_tls(
        files["tls_certificate_file"],
        files["tls_private_key_file"],
        settings.base_domain,
        at=it.at,
        warning_days=settings.tls_warning_days,
        trust_store=files["tls_trust_store_file"] if named else None,
    )
    it.advice += [
        f"{warning.input}: {warning.value} {warning.reason}; {warning.remedy}." for warning in verdict.warnings
    ]
    yield from _told_of_demo(verdict.problems, files["tls_certificate_file"])
    if named and not _is_demo(files["tls_certificate_file"]):
        yield from _internal_authority(it, named)


def _internal_authority(it: Judgement, named: str) -> Iterator[Problem]:
    """Plotly's installation guide does not support internally signed certificates."""
    setting = "dash_enterprise.tls_trust_store_file"
    reason = "accepts a certificate of an internal authority, which Plotly does not support"
    if it.settings.production:
        yield Problem(setting, named, f"{reason}: not for production", "use a public authority's and leave it out")
    else:
        it.advice.append(f"{setting}: {named} {reason}; ask Plotly before you install with it.")


def _told_of_demo(problems: list[Problem], certificate: GivenFile) -> Iterator[Problem]:
    """Whatever is wrong with a demo certificate, no authority can renew it."""
    own = [problem for problem in problems if problem.input == certificate.input]
    if not own or not _is_demo(certificate):
        yield from problems
        return
    yield from (problem for problem in problems if problem not in own)
    reason = "is a demo certificate for the embedded cloud, which no browser trusts and which is for one domain only"
    remedy = "name the certificate of a public authority; on the embedded cloud, `make` renews it for another domain"
    yield certificate.problem(reason, remedy)


def _is_demo(certificate: GivenFile) -> bool:
    from cryptography import x509

    try:
        leaf = x509.load_pem_x509_certificates(certificate.content)[0]
    except ValueError:
        return False
    return leaf.issuer.rfc4514_string() == "CN=Demo intermediate"  # as sandbox/demo_files.py names it


def _license(it: Judgement) -> Iterator[Problem]:
    settings, file = it.settings.dash_enterprise, it.found.files.get("license_file")
    if file is None:
        return
    from eks_analytics.license import check_license  # with YAML behind it

    yield from check_license(file, settings.license_app_slug, at=it.at)


def _password(it: Judgement) -> Iterator[Problem]:
    key, password = "admin_password", it.settings.admin_password.get_secret_value()
    if not it.sound(key):
        return
    set_it = "set it: pulumi config set --secret admin_password"
    if not password:
        reason = "the installer sets it as the password of the Admin Console"
        yield from _needed_to_apply(it, iter([Problem(key, None, reason, set_it)]))
    elif key not in it.secret_keys:
        yield Problem(key, HIDDEN, "stands in clear text in the stack's configuration", set_it)
    elif len(password) < _SHORTEST_PASSWORD or not password.isprintable():
        reason = f"is shorter than {_SHORTEST_PASSWORD} characters or holds control characters"
        yield Problem(key, HIDDEN, reason, "the Admin Console refuses it: choose another one")


def _installation(it: Judgement) -> Iterator[Problem]:
    script = it.found.files.get("installation_plan")
    options = InstallationOptions(
        cluster_name=it.settings.cluster_name,
        base_domain=it.settings.dash_enterprise.base_domain,
        # What is no text is no script either, which the check says.
        install_script=script.content.decode(errors="replace") if script else None,
        delivers_script=True,
        delivers_password=True,
        script_variables=it.settings.dash_enterprise.script_variables,
    )
    for problem in check_installation(options):
        if problem.input == "install_script" and script:
            yield script.problem(problem.reason, problem.remedy)
        elif problem.input == "script_variables":
            yield from _sound(it, problem, "dash_enterprise.script_variables")
        elif problem.input == "cluster_name":
            yield from _sound(it, problem, "cluster_name")


def _bootstrap(it: Judgement) -> Iterator[Problem]:
    settings = it.settings.dash_enterprise.bootstrap
    if settings.ssh.allowed_cidrs and not settings.ssh.public_key:
        reason, remedy = "nobody comes in over SSH without a key pair", "write it, or leave ssh out: Session Manager"
        yield Problem("dash_enterprise.bootstrap.ssh.public_key", None, reason, f"{remedy} needs none")
    if settings.ssh.public_key and settings.enabled and it.sound("network"):
        for problem in public_subnet_problems(NetworkOptions(**network_arguments(it.settings))):
            yield replace(problem, input="dash_enterprise.bootstrap.ssh", value=settings.ssh.allowed_cidrs)
    names = [tool.name for tool in settings.tools]
    for problem in check_bootstrap(bootstrap_options(it.settings)):
        if problem.input == "log_retention_days" or problem.input.split(".")[0] in _JUDGED_ELSEWHERE:
            continue
        tool = re.fullmatch(r"tools\[(.*)\](.*)", problem.input)
        within = f"tools[{names.index(tool[1])}]{tool[2]}" if tool and tool[1] in names else problem.input
        yield from _sound(it, problem, f"dash_enterprise.bootstrap.{within}")
    yield from _downloads(it)


def _downloads(it: Judgement) -> Iterator[Problem]:
    """In production a vendor's word alone is not enough for what runs as root and administers the cluster."""
    settings, at = it.settings.dash_enterprise.bootstrap, "dash_enterprise.bootstrap.tools"
    if not (it.settings.production and settings.enabled and it.sound("dash_enterprise.bootstrap", "cluster.version")):
        return
    options = bootstrap_options(it.settings)
    tools = installed(host_tools(options.kubernetes_version, options.tools), options.supporting_software)
    missing = (
        Problem(
            at,
            f"{tool.name} {tool.version}",
            "has no sha256, and the checksum that the vendor publishes comes from the same place as the file",
            f'add {{name: {tool.name}, sha256: "..."}} with the digest of a file that you trust: '
            f"curl -fsSL {tool.url} | sha256sum",
        )
        for tool in unproven(tools)
    )
    yield from _needed_to_apply(it, missing)


def _egress(it: Judgement) -> Iterator[Problem]:
    settings, region = it.settings.dash_enterprise, it.settings.region
    extra = settings.egress.additional_domains
    count = len(names(allowed_domains(settings.base_domain, region, extra=extra)))
    for problem in domain_problems(extra, count):
        yield from _sound(it, problem, f"dash_enterprise.egress.{problem.input}")


def _dns(it: Judgement) -> Iterator[Problem]:
    if not it.settings.dash_enterprise.base_domain:
        return
    for problem in record_problems(dns_options(it.settings)):
        block = "dash_enterprise" if problem.input == "base_domain" else "dash_enterprise.dns"
        yield from _sound(it, problem, f"{block}.{problem.input}")


def _drain(it: Judgement) -> Iterator[Problem]:
    for problem in drain_minutes_problems(it.settings.dash_enterprise.drain_minutes):
        yield from _sound(it, problem, f"dash_enterprise.{problem.input}")


def _sound(it: Judgement, problem: Problem, key: str) -> Iterator[Problem]:
    """The problem under the setting's own name, unless there is one with it already."""
    if it.sound(key):
        yield replace(problem, input=key, value=None if problem.value in ("", []) else problem.value)


def _capacity(it: Judgement) -> Iterator[Problem]:
    settings = it.settings.dash_enterprise
    decided_by = ("region", "availability_zones", "network", "cluster", "node_groups", "dash_enterprise.capacity")
    if not it.sound(*decided_by, "dash_enterprise.edition"):
        return
    room = Room(
        NetworkOptions(**network_arguments(it.settings)),
        cluster_options(it.settings),
        edition=settings.edition,
        apps=settings.capacity.apps,
        workspaces=settings.capacity.workspaces,
        instance_limits=instance_limits(it.settings),
        backups=it.settings.backs_up and it.settings.velero.enabled,
    )
    for problem in room.problems():
        yield replace(problem, input=_SETTING.get(problem.input, problem.input))
