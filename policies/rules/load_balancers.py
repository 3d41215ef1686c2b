"""What load balancers outside of the cluster forward to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pack.networks import too_wide
from pack.openings import ADMINISTRATION, EVERYBODY, GROUP, OLD_RULE, RULE, openings
from pack.rule import Severity, Situation, StackResource, rule
from pack.values import apart, in_words, is_true, items

_MODULES = ("lb", "alb", "elasticloadbalancingv2", "applicationloadbalancing")
"""The names by which pulumi-aws has had the same resources."""
_BALANCERS = tuple(f"aws:{one}/loadBalancer:LoadBalancer" for one in _MODULES)
_LISTENERS = tuple(f"aws:{one}/listener:Listener" for one in _MODULES)
_LISTENER_RULES = tuple(f"aws:{one}/listenerRule:ListenerRule" for one in _MODULES)
_TARGETS = tuple(f"aws:{one}/targetGroup:TargetGroup" for one in _MODULES)
_ATTACHMENTS = tuple(f"aws:{one}/targetGroupAttachment:TargetGroupAttachment" for one in _MODULES)
_CLASSIC = ("aws:elb/loadBalancer:LoadBalancer", "aws:elasticloadbalancing/loadBalancer:LoadBalancer")
_ACCELERATOR = "aws:globalaccelerator/listener:Listener"

Found = Iterator[tuple[StackResource | None, str]]


@rule(
    "keep-administration-off-load-balancers",
    "No load balancer takes SSH, the Admin Console, the Kubernetes API and their like from the world, nor forwards to "
    "their ports.",
    severity=Severity.CRITICAL,
    remediation="make the load balancer internal, or let in named networks by its security group",
    link="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html",
)
def keep_administration_off_load_balancers(resources: Sequence[StackResource], _: Situation) -> Found:
    def judged(one: StackResource) -> Found:
        if one.resource_type in _LISTENERS:
            balancer = next(iter(_made(one, "loadBalancerArn", _BALANCERS)), None)
            ports = [int(one.props.get("port") or 0), *_target_ports(one, resources)]
            if _administers(ports) and (networks := _who_reaches(balancer, ports[0], resources)):
                yield one, f"{_named(ports)} open to {in_words(networks)}"
        elif one.resource_type in _CLASSIC:
            for listener in items(one.props, "listeners"):
                ports = [int(listener.get("lbPort") or 0), int(listener.get("instancePort") or 0)]
                if _administers(ports) and (networks := _who_reaches(one, ports[0], resources)):
                    yield one, f"{_named(ports)} open to {in_words(networks)}"
        elif one.resource_type == _ACCELERATOR:
            for ports in items(one.props, "portRanges"):
                named = range(int(ports.get("fromPort") or 0), int(ports.get("toPort") or 0) + 1)
                if _administers(named):
                    yield one, f"{_named(named)} open to {in_words(EVERYBODY)}"

    yield from apart(resources, judged)


def _administers(ports: Sequence[int]) -> bool:
    return any(port in ports for port in ADMINISTRATION)


def _named(ports: Sequence[int]) -> str:
    return in_words([f"{port} ({name})" for port, name in ADMINISTRATION.items() if port in ports])


def _made(resource: StackResource, key: str, kinds: Sequence[str]) -> list[StackResource]:
    """The resources of these types that a property comes from."""
    return [one for one in resource.property_dependencies.get(key, ()) if one.resource_type in kinds]


def _target_ports(listener: StackResource, resources: Sequence[StackResource]) -> Iterator[int]:
    """The ports to which a listener forwards, those of its rules and of single targets as well."""
    groups = _made(listener, "defaultActions", _TARGETS)
    for one in resources:
        if one.resource_type in _LISTENER_RULES and listener in _made(one, "listenerArn", _LISTENERS):
            groups += _made(one, "actions", _TARGETS)
    for group in groups:
        yield int(group.props.get("port") or 0)
        for one in resources:
            if one.resource_type in _ATTACHMENTS and group in _made(one, "targetGroupArn", _TARGETS):
                yield int(one.props.get("port") or 0)


def _who_reaches(balancer: StackResource | None, port: int, resources: Sequence[StackResource]) -> list[str]:
    """Networks as wide as the world that reach a port of a load balancer; none where it is for named ones."""
    if balancer is None:  # another stack made it, and this one says nothing of who reaches it
        return EVERYBODY
    if is_true(balancer.props.get("internal")):
        return []
    groups = _made(balancer, "securityGroups", (GROUP,))
    given: Mapping[str, Any] = balancer.props
    if not groups:
        # Without a group, a Network Load Balancer lets in everybody; others have the VPC's own, which lets in nobody.
        is_network = given.get("loadBalancerType") in ("network", "gateway")
        return EVERYBODY if is_network or "securityGroups" in list(given) else []
    rules = [
        one
        for one in resources
        if one in groups
        or (
            one.resource_type in (OLD_RULE, RULE)
            and any(group in groups for group in _made(one, "securityGroupId", (GROUP,)))
        )
    ]
    return too_wide(
        [cidr for one in rules for opening in openings(one) if opening.includes(port) for cidr in opening.cidrs]
    )
