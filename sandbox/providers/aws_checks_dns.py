"""Route 53: what AWS refuses and moto lets pass, and what the stand-in keeps since moto lacks it."""

import re

from sandbox.providers.aws_api import Api, Thing
from sandbox.providers.aws_checks import Problems
from sandbox.providers.protocol import UNKNOWN, ProviderError, Values, items_of

DOMAIN_LIST = "aws:route53/resolverFirewallDomainList:ResolverFirewallDomainList"
RULE_GROUP = "aws:route53/resolverFirewallRuleGroup:ResolverFirewallRuleGroup"
RULE = "aws:route53/resolverFirewallRule:ResolverFirewallRule"
GROUP_ASSOCIATION = "aws:route53/resolverFirewallRuleGroupAssociation:ResolverFirewallRuleGroupAssociation"
QUERY_LOG = "aws:route53/resolverQueryLogConfig:ResolverQueryLogConfig"
QUERY_LOG_ASSOCIATION = "aws:route53/resolverQueryLogConfigAssociation:ResolverQueryLogConfigAssociation"
_DOMAIN = re.compile(r"(\*\.?|(\*\.)?[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?)")


# What can be judged from the inputs alone, in a preview too.


def record(inputs: Values) -> Problems:
    if bool(inputs.get("aliases")) == bool(inputs.get("records")):
        yield "records", "exactly one of records and aliases is needed"
    if inputs.get("records") and inputs.get("ttl") is None:
        yield "ttl", "is missing: records need one"
    if inputs.get("aliases") and inputs.get("ttl") is not None:
        yield "ttl", "does not go with aliases, which take the target's"
    if inputs["type"] == "CNAME" and isinstance(inputs.get("records"), list) and len(inputs["records"]) > 1:
        yield "records", "a CNAME has exactly one"


def domains(inputs: Values) -> Problems:
    for index, domain in enumerate(items_of(inputs.get("domains"))):
        if isinstance(domain, str) and not (_DOMAIN.fullmatch(domain) and len(domain) <= 255):
            yield f"domains[{index}]", f"{domain!r} is neither a domain name, nor '*.' and one, nor '*'"


def rule(inputs: Values) -> Problems:
    if not inputs.get("firewallDomainListId"):
        yield "firewallDomainListId", "is missing; other kinds of rules are not supported by the embedded cloud"
    action, response = inputs["action"], inputs.get("blockResponse")
    if action is not UNKNOWN and response is not UNKNOWN and (action == "BLOCK") != bool(response):
        yield "blockResponse", "is needed by action BLOCK and by no other"
    if response is not UNKNOWN and (response == "OVERRIDE") != bool(inputs.get("blockOverrideDomain")):
        yield "blockOverrideDomain", "is needed by blockResponse OVERRIDE and by no other"


def group_association(inputs: Values) -> Problems:
    priority = inputs["priority"]
    if isinstance(priority, int) and not 100 < priority < 9900:
        yield "priority", f"{priority} is not between 100 and 9900, both of which AWS keeps for itself"


# Against what the account holds.


def kept(api: Api, token: str) -> dict[str, Values]:
    """The resources of a type that only the stand-in has, by id."""
    prefix = f"{token}|{api.region}|"
    items = api.cloud.store("recorded").items()
    return {key.removeprefix(prefix): values for key, values in items.items() if key.startswith(prefix)}


def rule_fits(api: Api, thing: Thing) -> None:
    group = thing.inputs["firewallRuleGroupId"]
    _exists(api, RULE_GROUP, group)
    _exists(api, DOMAIN_LIST, thing.inputs["firewallDomainListId"])
    others = {id: one for id, one in kept(api, RULE).items() if one["firewallRuleGroupId"] == group and id != thing.id}
    _free_priority(thing, others)


def domain_list_unused(api: Api, thing: Thing) -> None:
    _refuse(thing.id, [id for id, one in kept(api, RULE).items() if one["firewallDomainListId"] == thing.id])


def rule_group_unused(api: Api, thing: Thing) -> None:
    users = kept(api, RULE) | kept(api, GROUP_ASSOCIATION)
    _refuse(thing.id, [id for id, one in users.items() if one["firewallRuleGroupId"] == thing.id])


def group_association_fits(api: Api, thing: Thing) -> None:
    vpc = thing.inputs["vpcId"]
    _exists(api, RULE_GROUP, thing.inputs["firewallRuleGroupId"])
    _network_exists(api, vpc)
    others = {id: one for id, one in kept(api, GROUP_ASSOCIATION).items() if one["vpcId"] == vpc and id != thing.id}
    _free_priority(thing, others)


def log_destination_exists(api: Api, thing: Thing) -> None:
    arn = thing.inputs["destinationArn"]
    name = arn.split(":log-group:")[-1].removesuffix(":*")
    groups = api.look("logGroups[].logGroupName", "logs", "DescribeLogGroups", logGroupNamePrefix=name)
    if ":log-group:" in arn and name not in (groups or []):
        raise ProviderError(f"InvalidParameterException: the log group {name} does not exist")


def query_log_association_fits(api: Api, thing: Thing) -> None:
    _exists(api, QUERY_LOG, thing.inputs["resolverQueryLogConfigId"])
    _network_exists(api, thing.inputs["resourceId"])
    if thing.inputs in kept(api, QUERY_LOG_ASSOCIATION).values():
        raise ProviderError("ResourceExistsException: the VPC is associated with this query log configuration already")


def query_log_unused(api: Api, thing: Thing) -> None:
    users = kept(api, QUERY_LOG_ASSOCIATION)
    _refuse(thing.id, [id for id, one in users.items() if one["resolverQueryLogConfigId"] == thing.id])


def record_fits(api: Api, thing: Thing) -> Values:
    """Route 53's rules of names and kinds; the full name, since the provider lets the zone be left out."""
    zone = _zone(api, thing.inputs["zoneId"])
    if zone is None:
        raise ProviderError(f"NoSuchHostedZone: No hosted zone found with ID: {thing.inputs['zoneId']}")
    name, kind = thing.inputs["name"].strip(".").lower(), thing.inputs["type"]
    # As the provider does it, which looks at letters, not at labels: `a-b.example` stays as it is in zone `b.example`.
    name = name if name.endswith(zone) else f"{name}.{zone}".strip(".")
    what = f"RRSet of type {kind} with DNS name {name}."
    if name != zone and not name.endswith(f".{zone}"):
        raise ProviderError(f"InvalidChangeBatch: {what} is not permitted in zone {zone}.")
    if kind == "CNAME" and name == zone:
        raise ProviderError(f"InvalidChangeBatch: {what} is not permitted at apex in zone {zone}.")
    others = {one["Type"] for one in _record_sets(api, thing.inputs["zoneId"]) if one["Name"].strip(".") == name}
    if (kind == "CNAME" and others - {kind}) or (kind != "CNAME" and "CNAME" in others):
        raise ProviderError(
            f"InvalidChangeBatch: {what} is not permitted because a conflicting RRSet with the same DNS name already"
            f" exists in zone {zone}."
        )
    if kind in others and not thing.inputs.get("allowOverwrite"):
        raise ProviderError(
            f"InvalidChangeBatch: Tried to create resource record set [name='{name}.', type='{kind}']"
            " but it already exists"
        )
    return {"name": name}


# Writes that are more than a call.


def delete_record(api: Api, thing: Thing) -> None:
    """Route 53 wants the record set as it is."""
    zone = thing.inputs["zoneId"]
    for one in _record_sets(api, zone):
        if one["Name"].strip(".") == thing.state["fqdn"] and one["Type"] == thing.inputs["type"]:
            changes = [{"Action": "DELETE", "ResourceRecordSet": one}]
            api.call("route53", "ChangeResourceRecordSets", HostedZoneId=zone, ChangeBatch={"Changes": changes})


def delete_former_type(api: Api, thing: Thing) -> None:
    """A record of another type is another record set; the provider exchanges them in one batch of changes."""
    former = thing.old or {}
    if former.get("type") != thing.inputs["type"]:
        delete_record(api, Thing(thing.type, thing.id, former, thing.state))


def records(api: Api) -> list[str]:
    """Zone, name and type of every record that did not come with its zone."""
    zones = api.look("HostedZones[].Id", "route53", "ListHostedZones") or []
    ids = [zone.removeprefix("/hostedzone/") for zone in zones]
    found = [(id, one) for id in ids for one in _record_sets(api, id) if one["Type"] not in ("NS", "SOA")]
    return [f"{id}_{one['Name'].strip('.')}_{one['Type']}" for id, one in found]


def _zone(api: Api, id: str) -> str | None:
    return api.look("trim(HostedZone.Name, '.')", "route53", "GetHostedZone", Id=id)


def _record_sets(api: Api, zone: str) -> list[Values]:
    return api.look("ResourceRecordSets", "route53", "ListResourceRecordSets", HostedZoneId=zone) or []


def _exists(api: Api, token: str, id: str) -> None:
    if id not in kept(api, token):
        raise ProviderError(f"ResourceNotFoundException: {token.split(':')[-1]} {id} does not exist")


def _network_exists(api: Api, vpc: str) -> None:
    if not api.look("Vpcs[0]", "ec2", "DescribeVpcs", VpcIds=[vpc]):
        raise ProviderError(f"InvalidParameterException: the VPC {vpc} does not exist")


def _free_priority(thing: Thing, others: dict[str, Values]) -> None:
    priority = thing.inputs["priority"]
    if users := [id for id, one in others.items() if one["priority"] == priority]:
        raise ProviderError(f"ConflictException: priority {priority} is taken by {', '.join(users)}")


def _refuse(id: str, users: list[str]) -> None:
    if users:
        raise ProviderError(f"ConflictException: {id} is in use by {', '.join(users)}")
