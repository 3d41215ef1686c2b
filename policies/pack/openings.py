"""Which ports a resource opens, and to whom: security groups, load balancers, network ACLs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from .kinds import CHARTS, NODE_GROUP
from .objects import Object, chart_values, kinds, objects
from .rule import Resource
from .values import apart, below, block, has, is_true, items, mappings

GROUP = "aws:ec2/securityGroup:SecurityGroup"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
_LIGHTSAIL = "aws:lightsail/instancePublicPorts:InstancePublicPorts"
_ACLS = ("aws:ec2/networkAcl:NetworkAcl", "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl")
_ACL_RULE = "aws:ec2/networkAclRule:NetworkAclRule"

REACHABLE = (GROUP, DEFAULT_GROUP, OLD_RULE, RULE, NODE_GROUP, _LIGHTSAIL, *kinds("Service", "Ingress"))
"""Types of what lets somebody in."""
LISTS = (*_ACLS, _ACL_RULE)
"""Types of what lets through that which something else must let in as well."""

ADMINISTRATION = {
    22: "SSH",
    3389: "RDP",
    6443: "the Kubernetes API",
    8800: "the Admin Console",
    23: "Telnet",
    2375: "Docker",
    2376: "Docker",
    2379: "etcd",
    5900: "VNC",
    5985: "WinRM",
    5986: "WinRM",
    10250: "the kubelet",
}
_NAMED = {"ssh": 22, "telnet": 23, "rdp": 3389, "vnc": 5900}
EVERYBODY = ["0.0.0.0/0"]
_BY_PORT = ("tcp", "udp", "6", "17")
_ICMP = {"icmp": "ICMP", "1": "ICMP", "icmpv6": "ICMPv6", "58": "ICMPv6"}
_HARMLESS = {"ICMP": (3, 8, 11), "ICMPv6": (1, 2, 3, 128)}
"""Types of messages: unreachable or too big, time exceeded, echo. RFC 4890 wants them let through."""
_NARROW = 1024
"""Ports of a range that a network ACL names for one service. Wider ones are for answers: ACLs know no connections."""

_ANNOTATION = "service.beta.kubernetes.io/"
_ALB = "alb.ingress.kubernetes.io/"
_INTERNAL_BY_DEFAULT = ("service.k8s.aws/nlb", "eks.amazonaws.com/nlb")
"""Load balancer classes of the load balancer controller and of EKS Auto Mode, internal unless the scheme is given."""
_PORT_VALUES = ("port", "ports", "servicePort", "externalPort", "targetPort", "targetPorts")


class Opening(NamedTuple):
    """Ports that are open to networks."""

    first: int
    last: int
    cidrs: Sequence[str]
    protocol: str = ""
    """One that knows no ports: `first` and `last` are type and code of ICMP."""
    target: int = 0
    """Port to which a load balancer forwards, where it is another one."""

    def includes(self, port: int) -> bool:
        return not self.protocol and (self.first <= port <= self.last or port == self.target)

    @property
    def administers(self) -> bool:
        return any(map(self.includes, ADMINISTRATION))

    @property
    def is_harmless(self) -> bool:
        return self.first in _HARMLESS.get(self.protocol, ())

    def __str__(self) -> str:
        if self.protocol:
            return self.protocol
        if (self.first, self.last) == (0, 65535):
            return "all ports"
        return f"port {self.first}" if self.first == self.last else f"ports {self.first} to {self.last}"


def openings(resource: Resource) -> Iterator[Opening]:
    """What a resource opens, to whomever."""
    props, kind = resource.props, resource.resource_type
    if kind in (GROUP, DEFAULT_GROUP):
        yield from apart(items(props, "ingress"), _of_block)
    elif kind == OLD_RULE:
        if props.get("type") == "ingress":
            yield from _of_block(props)
    elif kind == RULE:
        cidrs = [props.get(key) for key in ("cidrIpv4", "cidrIpv6")]
        yield _opening(props, str(props.get("ipProtocol")), [cidr for cidr in cidrs if cidr])
    elif kind == NODE_GROUP:
        access = block(props, "remoteAccess")
        if access.get("ec2SshKey") and not len(items(access, "sourceSecurityGroupIds")):
            yield Opening(22, 22, EVERYBODY)  # EKS makes the security group, and opens it to everybody
    elif kind == _LIGHTSAIL:
        yield from apart(items(props, "portInfos"), _of_lightsail)
    elif kind in _ACLS:
        yield from apart(items(props, "ingress"), lambda one: _of_list(one, one.get("action")))
    elif kind == _ACL_RULE:
        if not is_true(props.get("egress")):
            yield from _of_list(props, props.get("ruleAction"))
    else:
        yield from _of_objects(resource)


def _of_block(ingress: Mapping[str, Any]) -> Iterator[Opening]:
    cidrs = [*items(ingress, "cidrBlocks"), *items(ingress, "ipv6CidrBlocks")]
    yield _opening(ingress, str(ingress.get("protocol")), cidrs)


def _of_lightsail(info: Mapping[str, Any]) -> Iterator[Opening]:
    cidrs = [*items(info, "cidrs"), *items(info, "ipv6Cidrs")]
    if cidrs or not items(info, "cidrListAliases"):  # an alias: the browser's client of the service itself
        yield _opening(info, str(info.get("protocol")), cidrs or EVERYBODY)


def _of_list(entry: Mapping[str, Any], action: object) -> Iterator[Opening]:
    """What an entry of a network ACL lets through for a service."""
    if str(action).lower() != "allow":
        return
    cidrs = [entry.get(key) for key in ("cidrBlock", "ipv6CidrBlock")]
    opening = _opening(entry, str(entry.get("protocol")), [cidr for cidr in cidrs if cidr])
    if opening.last - opening.first < _NARROW:
        yield opening


def _opening(ports: Mapping[str, Any], protocol: str, cidrs: Sequence[str]) -> Opening:
    first, last = int(ports.get("fromPort") or 0), int(ports.get("toPort") or 0)
    protocol = protocol.lower()
    if protocol in _ICMP or (protocol.isdecimal() and protocol not in _BY_PORT):
        return Opening(first, last, cidrs, _ICMP.get(protocol, f"protocol {protocol}"))
    if protocol not in _BY_PORT or (first, last) == (-1, -1):
        return Opening(0, 65535, cidrs)
    return Opening(first, last, cidrs)


def _of_objects(resource: Resource) -> Iterator[Opening]:
    if resource.resource_type in CHARTS:
        for values in chart_values(resource):
            yield from _of_values(str(resource.props.get("chart") or ""), values)
    for one in objects(resource):
        if one.is_core("Service"):
            yield from _of_service(one)
        elif one.kind == "Ingress":
            yield from _of_ingress(one)


def _of_service(service: Object) -> Iterator[Opening]:
    spec, annotations = block(service.body, "spec"), block(service.body, "metadata", "annotations")
    kind = spec.get("type")
    is_added_to = service.is_patch and not kind  # of what type the Service is, the patch does not say
    if (kind != "LoadBalancer" and not is_added_to) or _is_internal(
        annotations, str(spec.get("loadBalancerClass") or "")
    ):
        return
    ports = items(spec, "ports")
    if not len(ports) and not is_added_to:
        yield Opening(0, 65535, _sources(spec, annotations))

    def of_port(port: Mapping[str, Any]) -> Iterator[Opening]:
        number = int(port.get("port") or 0)
        opening = Opening(number, number, _sources(spec, annotations), target=_number(port.get("targetPort")))
        if opening.administers or not is_added_to:
            yield opening

    yield from apart(ports, of_port)


def _is_internal(annotations: Mapping[str, Any], of_class: str) -> bool:
    """Whether AWS makes the load balancer an internal one, or another vendor makes it.

    https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/
    """
    if scheme := annotations.get(f"{_ANNOTATION}aws-load-balancer-scheme"):
        return scheme != "internet-facing"
    if str(annotations.get(f"{_ANNOTATION}aws-load-balancer-internal") or "false").lower() != "false":
        return True
    by_controller = annotations.get(f"{_ANNOTATION}aws-load-balancer-type") in ("external", "nlb-ip")
    return by_controller or bool(of_class)


def _sources(spec: Mapping[str, Any], annotations: Mapping[str, Any]) -> Sequence[str]:
    named = str(annotations.get(f"{_ANNOTATION}load-balancer-source-ranges") or "")
    given = list(items(spec, "loadBalancerSourceRanges")) or [one.strip() for one in named.split(",") if one.strip()]
    return given or EVERYBODY


def _number(port: object) -> int:
    """The number of a port, 0 where its name says nothing."""
    if isinstance(port, int | float):
        return int(port)
    text = str(port or "").lower()
    return int(text) if text.isdecimal() else _NAMED.get(text, 0)


def _of_ingress(ingress: Object) -> Iterator[Opening]:
    """Of an Application Load Balancer; what another controller serves is in the hands of its own Service."""
    annotations = block(ingress.body, "metadata", "annotations")
    if annotations.get(f"{_ALB}scheme") != "internet-facing":
        return
    cidrs = [one.strip() for one in str(annotations.get(f"{_ALB}inbound-cidrs") or "").split(",") if one.strip()]
    listening = json.loads(annotations.get(f"{_ALB}listen-ports") or "[]")
    for port in (int(port) for one in listening for port in one.values()):
        yield Opening(port, port, cidrs or EVERYBODY)
    for way, value in below(block(ingress.body, "spec")):
        if way[-3:] == ("service", "port", "number"):
            yield Opening(443, 443, cidrs or EVERYBODY, target=_number(value))


def _of_values(chart: str, values: Mapping[str, Any]) -> Iterator[Opening]:
    """Of what a chart's values say themselves about Services for everybody; its own defaults are not known here."""
    yield from apart(list(mappings(values)), _of_service_values)
    if chart.rpartition("/")[2] == "ingress-nginx":
        service = block(values, "controller", "service")
        if not _is_internal(block(service, "annotations"), str(service.get("loadBalancerClass") or "")):
            for port, target in block(values, "tcp").items():  # "22": namespace/service:port
                to = _number(str(target).rpartition(":")[2])
                yield Opening(_number(port), _number(port), _sources(service, block(service, "annotations")), target=to)


def _of_service_values(service: Mapping[str, Any]) -> Iterator[Opening]:
    annotations = block(service, "annotations")
    if service.get("type") != "LoadBalancer" or has(service, "kind"):
        return
    if _is_internal(annotations, str(service.get("loadBalancerClass") or "")):
        return
    for way, value in below(service):
        if way[0] not in _PORT_VALUES or isinstance(value, Mapping) or not (port := _number(value)):
            continue
        if way[0].startswith("targetPort") or way[-1] == "targetPort":
            yield Opening(443, 443, _sources(service, annotations), target=port)
        elif way[-1] != "nodePort":
            yield Opening(port, port, _sources(service, annotations))
