"""What must be true of the settings of Dash Enterprise: its files, its password, and room for it in the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from eks_analytics.capacity import CORE, planned
from eks_analytics.capacity_checks import capacity_problems, capacity_warnings
from eks_analytics.layout import layout_of
from eks_analytics.network_options import NetworkOptions
from eks_analytics.problems import Problem

from .arguments import cluster_options, instance_limits, network_arguments
from .files import find
from .problems import HIDDEN

if TYPE_CHECKING:
    from .rules import Judgement

_SHORTEST_PASSWORD = 6
_SETTING = {
    "service_cidr": "cluster.service_cidr",
    "private_subnet_cidrs": "network.private_subnet_cidrs",
}


def rules(it: Judgement) -> Iterator[Problem]:
    """All rules of this product, those that others rest on first."""
    if it.settings.product != "dash-enterprise":
        return
    for rule in (_files, _password, _capacity):
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
            goes_on = "The preview goes on, `pulumi up` will refuse."
            it.advice.append(f"{problem.input}: {problem.reason}; {problem.remedy}. {goes_on}")
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
    yield from verdict.problems


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


def _capacity(it: Judgement) -> Iterator[Problem]:
    settings = it.settings.dash_enterprise
    decided_by = ("region", "availability_zones", "network", "cluster", "node_groups", "dash_enterprise.capacity")
    if not it.sound(*decided_by, "dash_enterprise.edition"):
        return
    network = NetworkOptions(**network_arguments(it.settings))
    layout = layout_of(network, cluster_options(it.settings), instance_limits(it.settings))
    core = CORE[settings.edition]
    plan = planned(core, settings.capacity.apps, settings.capacity.workspaces)
    for problem in capacity_problems(layout, core, plan):
        yield replace(problem, input=_SETTING.get(problem.input, problem.input))
    it.advice += [f"capacity: {warning}." for warning in capacity_warnings(layout, core, plan)]
