"""DashDnsRecords: the names of a Dash Enterprise, in Route 53 or as a table for another DNS."""

from dataclasses import replace
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .dns_records import (
    DnsOptions,
    DnsRecord,
    next_step,
    parse_load_balancer,
    record_problems,
    record_warnings,
    records_to_make,
    relative,
    table,
)
from .load_balancer_zones import BALANCER_ZONES
from .problems import reject


class DnsSpecArgs(TypedDict):
    """Where the seven records are made, and to what they point."""

    hosted_zone_id: NotRequired[str]
    """Id of the Route 53 hosted zone that holds the base domain. Default "": no record is made, the table tells
    them."""
    hosted_zone_name: NotRequired[str]
    """Name of that zone, e.g. "example.com"; needed with its id. Where it equals the base domain, that becomes an alias
    record, because DNS allows no CNAME there. None by default."""
    load_balancer_hostname: NotRequired[str]
    """Name that AWS gave the load balancer of the Service ingress-nginx-controller in plotly-system, with or without
    its trailing dot. Default "": not known yet, and no record is made."""
    load_balancer_type: NotRequired[str]
    """Type of that load balancer, "network" or "classic". Default "": taken from its host name."""
    prefixed_hosted_zone_id: NotRequired[str]
    """Where the base domain is its zone's own name: id of the zone above, which takes api-<base domain> and the other
    five. Default "": these are left to you."""
    ttl: NotRequired[int]
    """Seconds for which resolvers remember a record, 1 to 86400; 60 while a restore is planned. Default 300."""
    enable_base_record: NotRequired[bool]
    """Whether the base domain's own record exists; a restore begins with its removal. Default true."""


class DashDnsRecordsArgs(DnsSpecArgs):
    """Arguments of DashDnsRecords."""

    base_domain: str
    """DNS name of the Dash Enterprise, e.g. "dash.example.com"."""


class DashDnsRecords(pulumi.ComponentResource):
    """The base domain of a Dash Enterprise as a record that points at its load balancer, and the six names with a
    prefix that point at the base domain; absent until the load balancer is known."""

    record_names: pulumi.Output[list[str]]
    """Names of the records in Route 53; none before the load balancer is known."""
    records_table: pulumi.Output[list[dict[str, str]]]
    """All seven records: name, type, value (both with their trailing dot), ttl in seconds, and where they are made."""
    next_step: pulumi.Output[str]
    """What is left to do until the names answer."""

    def __init__(self, name: str, args: DashDnsRecordsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"DNS records {name!r}", argument_problems(args, DashDnsRecordsArgs))
        options = dns_options(args)
        reject(f"DNS records {name!r}", record_problems(options))
        super().__init__("eks-analytics:index:DashDnsRecords", name, None, opts)
        self._label = name
        self._options = options
        for warning in record_warnings(options):
            pulumi.log.warn(warning, self)
        made = [self._record(one) for one in records_to_make(options)]
        self.record_names = pulumi.Output.all(*(record.name for record in made))
        self.records_table = pulumi.Output.from_input(table(options))
        self.next_step = pulumi.Output.from_input(next_step(options, pulumi.get_stack()))
        self.register_outputs({output: getattr(self, output) for output in DashDnsRecords.__annotations__})

    def _record(self, record: DnsRecord) -> aws.route53.Record:
        alias = record.type == "A"
        return aws.route53.Record(
            f"{self._label}-{record.key}",
            zone_id=record.zone,
            name=record.name,
            type=record.type,
            ttl=None if alias else record.ttl,
            records=None if alias else [record.value],
            aliases=[self._alias()] if alias else None,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _alias(self) -> aws.route53.RecordAliasArgs:
        hostname = self._options.load_balancer_hostname
        balancer = parse_load_balancer(hostname)
        assert balancer is not None  # of any other name record_problems refuses an alias
        zones = BALANCER_ZONES[balancer.region]  # of any other region record_problems refuses an alias, too
        zone_id = zones.network if balancer.type == "network" else zones.classic
        # There is one load balancer: an answer that leads to a sick one beats none.
        return aws.route53.RecordAliasArgs(name=relative(hostname), zone_id=zone_id, evaluate_target_health=False)


def dns_options(args: DashDnsRecordsArgs) -> DnsOptions:
    """The arguments with their defaults."""
    options = DnsOptions(**args)
    return replace(options, ttl=int(options.ttl))  # plugins hand numbers over as floats
