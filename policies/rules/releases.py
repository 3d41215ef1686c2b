"""Helm charts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pack.kinds import CHARTS
from pack.rule import Parameter, Resource, Severity, Situation, more, rule
from pack.values import block, has

_EXACT = re.compile(r"v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_LOCAL = ("./", "../", "/")


def _chart(resource: Resource) -> str:
    return str(resource.props.get("chart") or "")


@rule(
    "pin-chart-versions",
    "Every Helm chart has a fixed version.",
    severity=Severity.MEDIUM,
    types=CHARTS,
    remediation="name one version, such as 3.5.0",
    link="https://helm.sh/docs/chart_best_practices/dependencies/",
)
def pin_chart_versions(resource: Resource, _: Situation) -> Iterator[str]:
    version = str(resource.props.get("version") or "")
    if _chart(resource).startswith(_LOCAL):
        return
    if not _EXACT.fullmatch(version):
        yield f"its version {version} stands for several" if version else "names no version"


@rule(
    "set-load-balancer-controller-flags",
    "The load balancer controller knows where it is and takes on no Services and firewalls that it was not given.",
    severity=Severity.MEDIUM,
    types=CHARTS,
    remediation="set clusterName, region and vpcId, because pods reach no metadata, and the flags as below",
    link="https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/",
    parameters={
        "flags": Parameter(
            {
                "enableShield": False,
                "enableWaf": False,
                "enableWafv2": False,
                "enableServiceMutatorWebhook": False,
            },
            "values that the chart must have",
            tighter=more,
        )
    },
)
def set_load_balancer_controller_flags(resource: Resource, situation: Situation) -> Iterator[str]:
    if not _chart(resource).endswith("aws-load-balancer-controller"):
        return
    values = block(resource.props, "values")
    for key, wanted in situation["flags"].items():
        if values.get(key) is not wanted:
            yield f"{key} is not {str(wanted).lower()}"
    for key in ("clusterName", "region", "vpcId"):
        if not has(values, key):  # the id of a new VPC is not known yet, that it is given is
            yield f"{key} is not given"
