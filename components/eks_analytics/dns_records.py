"""The seven names of a Dash Enterprise and where each of them points. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .host_names import HOST_PREFIXES, LONGEST_PREFIX
from .international_names import letters_fault
from .load_balancer_zones import BALANCER_ZONES
from .partitions import dns_suffix
from .problems import Problem

DEFAULT_TTL = 300
LONGEST_TTL = 86_400
"""Seconds. Route 53 takes more, but whoever asked before a restore would look for the old load balancer for days."""
UNKNOWN_LOAD_BALANCER = "<load-balancer-hostname>"
"""Stands in tables for the name that nobody knows before the installer has run."""
LOAD_BALANCER_TYPES = ("network", "classic")
SERVICE, NAMESPACE = "ingress-nginx-controller", "plotly-system"
"""The Service that the installer makes, and with it the load balancer."""
FIND_LOAD_BALANCER = (
    f"kubectl get service {SERVICE} -n {NAMESPACE} -o jsonpath='{{.status.loadBalancer.ingress[0].hostname}}'"
)
_ALIAS_TTL = 60  # that of the load balancer's own records: an alias has none
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})+")
_ADDRESS = re.compile(r"[\d.]+|[0-9a-f:]*:[0-9a-f:.]*")
_REGION = r"(?P<region>[a-z]{2,4}(-[a-z]+)+-\d+)"
# https://docs.aws.amazon.com/general/latest/gr/elb.html; classic balancers share their form with application ones.
_LOAD_BALANCERS = {
    "network": re.compile(rf"[^.]+\.elb\.{_REGION}\.(?P<suffix>.+)"),
    "classic": re.compile(rf"(dualstack\.)?[^.]+\.{_REGION}\.elb\.(?P<suffix>.+)"),
}
_ZONE_ID = re.compile(r"[A-Z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """What the host name that AWS gave a load balancer says about it."""

    type: str
    """"network" or "classic"."""
    region: str


@dataclass(frozen=True)
class DnsOptions:
    """`DashDnsRecordsArgs`, which documents the fields, with its defaults filled in."""

    base_domain: str
    hosted_zone_id: str = ""
    hosted_zone_name: str = ""
    load_balancer_hostname: str = ""
    load_balancer_type: str = ""
    prefixed_hosted_zone_id: str = ""
    ttl: int = DEFAULT_TTL
    enable_base_record: bool = True


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record, as it is made or as somebody has to make it."""

    key: str
    """"base", or the prefix: stable, whatever the base domain is."""
    name: str
    type: str
    """"CNAME", or "A" for an alias of the load balancer."""
    value: str
    """Absolute, so with a trailing dot."""
    ttl: int
    zone: str
    """Id of the hosted zone that takes it; empty where no given zone can."""


def parse_load_balancer(hostname: str) -> LoadBalancer | None:
    """Type and region of a load balancer by its host name; None for names that AWS gives no load balancer."""
    name = relative(hostname)
    for type, pattern in _LOAD_BALANCERS.items():
        found = pattern.fullmatch(name)
        if found and found["suffix"] == dns_suffix(found["region"]):
            return LoadBalancer(type, found["region"])
    return None


def relative(name: str) -> str:
    """A name as it is compared: lower case, without the dot at its end."""
    return name.lower().removesuffix(".")


def absolute(name: str) -> str:
    """A name with the dot at its end, so that no DNS server appends its zone to it."""
    return f"{relative(name)}."


def is_apex(options: DnsOptions) -> bool:
    """Whether the base domain is the zone's own name, where DNS allows no CNAME."""
    return bool(options.hosted_zone_id) and relative(options.base_domain) == relative(options.hosted_zone_name)


def records(options: DnsOptions) -> list[DnsRecord]:
    """All seven, known or not, switched on or not: what the vendor's guide lists."""
    base, apex = relative(options.base_domain), is_apex(options)
    # Of an apex example.com the six are api-example.com and so on: siblings of the zone, never in it.
    zone = options.prefixed_hosted_zone_id if apex else options.hosted_zone_id
    balancer = options.load_balancer_hostname
    target = absolute(balancer) if balancer else UNKNOWN_LOAD_BALANCER
    # IPv4 alone: AWS's cloud provider in Kubernetes, which makes this balancer, asks for no IPv6 address.
    main = ("A", target, _ALIAS_TTL) if apex else ("CNAME", target, options.ttl)
    return [
        DnsRecord("base", base, *main, options.hosted_zone_id),
        *(
            DnsRecord(prefix, f"{prefix}-{base}", "CNAME", absolute(base), options.ttl, zone)
            for prefix in HOST_PREFIXES
        ),
    ]


def records_to_make(options: DnsOptions) -> list[DnsRecord]:
    """Those that can be made now: none before the load balancer is known, lest resolvers remember that nothing is."""
    if not options.load_balancer_hostname:
        return []
    return [one for one in records(options) if one.zone and (one.key != "base" or options.enable_base_record)]


def table(options: DnsOptions) -> list[dict[str, str]]:
    """The seven records as rows to copy: name, type, value with its trailing dot, TTL in seconds, and where."""
    return [
        {
            "name": absolute(one.name),
            "type": "A (alias)" if one.type == "A" else one.type,
            "value": one.value,
            "ttl": str(one.ttl),
            "where": f"Route 53 hosted zone {one.zone}" if one.zone else "by hand",
        }
        for one in records(options)
    ]


def next_step(options: DnsOptions, stack: str) -> str:
    """What is left to do for the names to answer, in a sentence or two."""
    base = relative(options.base_domain)
    if not options.load_balancer_hostname:
        return (
            f"No record exists yet: the load balancer comes with the installer. When that has run, "
            f"`python -m operations dns discover --stack {stack}` writes its name into the stack's configuration "
            f"(where the cluster's API is out of reach, with --hostname and what `{FIND_LOAD_BALANCER}` prints on "
            "the bootstrap host); then update the stack once more."
        )
    steps: list[str] = []
    if not options.enable_base_record:
        steps.append(f"The record of {base} is switched off: nobody reaches Dash Enterprise before it is on again.")
    by_hand = [one.name for one in records(options) if not one.zone]
    if by_hand:
        steps.append(f"Make these records of the table by hand: {', '.join(by_hand)}.")
    return " ".join([*steps, f"The status at https://admin-{base} becomes Ready once all seven names resolve."])


def record_warnings(options: DnsOptions) -> Iterator[str]:
    """What works and may not be meant."""
    hostname = options.load_balancer_hostname
    if hostname and not parse_load_balancer(hostname):
        yield (
            f"load_balancer_hostname {hostname} is no name that AWS gives a load balancer: the records point at it "
            "all the same, which is right for a proxy in front of it."
        )
    if is_apex(options) and not options.prefixed_hosted_zone_id:
        base = relative(options.base_domain)
        names = ", ".join(f"{prefix}-{base}" for prefix in HOST_PREFIXES)
        yield (
            f"{base} is the hosted zone's own name, so {names} lie outside of it: make them in the zone of "
            f"{base.partition('.')[2]} by hand, or give that zone's id as prefixed_hosted_zone_id."
        )


def record_problems(options: DnsOptions) -> list[Problem]:
    """Everything that DNS or Route 53 would refuse."""
    names = [
        *_name_problems("base_domain", options.base_domain, "dash.example.com"),
        *_name_problems("hosted_zone_name", options.hosted_zone_name, "example.com", optional=True),
        *(hostname_problems(options.load_balancer_hostname) if options.load_balancer_hostname else []),
    ]
    problems = [*names, *_zone_problems(options), *_ttl_problems(options.ttl)]
    return problems if names else [*problems, *_fit_problems(options), *_load_balancer_problems(options)]


def hostname_problems(hostname: str) -> list[Problem]:
    """Why a record cannot point at that name."""
    return list(_name_problems("load_balancer_hostname", hostname, FIND_LOAD_BALANCER))


def _name_problems(input: str, value: str, example: str, *, optional: bool = False) -> Iterator[Problem]:
    remedy = f"write the name that `{example}` prints" if " " in example else f'write a name such as "{example}"'
    if optional and not value:
        return
    if "/" in value or (":" in value and not _ADDRESS.fullmatch(value)):
        yield Problem(input, value, "is a URL, of which DNS knows only the host name", remedy)
    elif _ADDRESS.fullmatch(value):
        yield Problem(input, value, "is an address, and CNAME and alias records point at names", remedy)
    elif fault := letters_fault(value):
        yield Problem(input, value, *fault)
    elif not _NAME.fullmatch(relative(value)):
        reason = "is not a DNS name: labels of letters, digits and inner hyphens, joined by dots"
        yield Problem(input, value, reason, remedy)


def _zone_problems(options: DnsOptions) -> Iterator[Problem]:
    for input in ("hosted_zone_id", "prefixed_hosted_zone_id"):
        value: str = getattr(options, input)
        if value and not _ZONE_ID.fullmatch(value):
            bare = value.rsplit("/", 1)[-1]
            remedy = f'write "{bare}"' if _ZONE_ID.fullmatch(bare) else 'write an id such as "Z0123456789ABCDEFGHIJ"'
            yield Problem(input, value, "is not the id of a Route 53 hosted zone", remedy)
    if options.hosted_zone_id and not options.hosted_zone_name:
        remedy = 'write the zone\'s name too, such as "example.com"'
        yield Problem("hosted_zone_name", "", "decides what kind of record the base domain can be", remedy)
    for input in ("hosted_zone_name", "prefixed_hosted_zone_id"):
        if getattr(options, input) and not options.hosted_zone_id:
            remedy = "write hosted_zone_id too, or leave both out and copy the table into your own DNS"
            yield Problem(
                input, getattr(options, input), "says nothing without the id of the base domain's zone", remedy
            )


def _ttl_problems(ttl: int) -> Iterator[Problem]:
    if not 1 <= ttl <= LONGEST_TTL:
        reason = (
            f"lies outside of 1 to {LONGEST_TTL} seconds: a moved load balancer would be looked for at its old name"
        )
        yield Problem("ttl", ttl, reason, f"write {DEFAULT_TTL}, or 60 while a restore is planned")


def _fit_problems(options: DnsOptions) -> Iterator[Problem]:
    base, zone = relative(options.base_domain), relative(options.hosted_zone_name)
    if not _NAME.fullmatch(f"{LONGEST_PREFIX}-{base}"):
        prefixed = f'with "{LONGEST_PREFIX}-" in front'
        reason = f"is too long: {prefixed} its first label has more than 63 characters, or all 253"
        yield Problem("base_domain", options.base_domain, reason, "choose a shorter one")
    if not options.hosted_zone_id or not zone:
        return
    if base != zone and not base.endswith(f".{zone}"):
        reason = f"lies outside of the hosted zone {zone}"
        yield Problem("base_domain", options.base_domain, reason, "name the zone that ends it, id and name")
    elif base != zone and options.prefixed_hosted_zone_id:
        reason = f"has no use: the six names with a prefix lie in {zone} as well"
        yield Problem("prefixed_hosted_zone_id", options.prefixed_hosted_zone_id, reason, "leave it out")
    elif base == zone and options.prefixed_hosted_zone_id == options.hosted_zone_id:
        reason = f"is the zone {zone} itself, in which api-{base} cannot lie"
        remedy = f"write the id of the zone {base.partition('.')[2]}, or leave it out"
        yield Problem("prefixed_hosted_zone_id", options.prefixed_hosted_zone_id, reason, remedy)


def _load_balancer_problems(options: DnsOptions) -> Iterator[Problem]:
    hostname, type = options.load_balancer_hostname, options.load_balancer_type
    found = parse_load_balancer(hostname) if hostname else None
    if relative(hostname) in [one.name for one in records(options)]:
        reason = "is one of the names that are to point at the load balancer: they would point at themselves"
        yield Problem("load_balancer_hostname", hostname, reason, f"write what `{FIND_LOAD_BALANCER}` prints")
    if type and type not in LOAD_BALANCER_TYPES:
        remedy = 'write "network" or "classic", or "" to take it from the host name'
        yield Problem("load_balancer_type", type, "is no type of load balancer that Kubernetes makes", remedy)
    elif type and found and type != found.type:
        reason = f"contradicts {hostname}, which is the name of a {found.type} load balancer"
        yield Problem("load_balancer_type", type, reason, f'write "{found.type}", or "" to take it from the host name')
    if is_apex(options) and hostname and not found:
        reason = (
            f"is no name that AWS gives a load balancer, and {options.hosted_zone_name} is the zone's own name, which "
            "takes an alias of a load balancer but no CNAME"
        )
        remedy = "write the load balancer's own name, or choose a base domain below the zone's name"
        yield Problem("load_balancer_hostname", hostname, reason, remedy)
    elif is_apex(options) and found and options.enable_base_record and found.region not in BALANCER_ZONES:
        reason = (
            f"is in {found.region}, and the hosted zone of that region's load balancers is not known here, which the "
            f"alias for the zone's own name {options.hosted_zone_name} needs"
        )
        remedy = "turn the base domain's own record off and make the alias by hand, or choose a base domain below it"
        yield Problem("load_balancer_hostname", hostname, reason, remedy)
