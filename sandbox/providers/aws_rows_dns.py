"""Rows of the table: records of hosted zones, and the resolver's firewall and log."""

from typing import Any

from sandbox.providers import aws_checks_dns as checks
from sandbox.providers import forms
from sandbox.providers.table import Call, Fetch, Row, Tagging

_RECORD_SET = {
    "Name": "$name",
    "Type": "$type",
    "TTL": "$ttl",
    "ResourceRecords": "$records",
    "AliasTarget": "$aliases",
}
_RECORD_SETS = (
    "ResourceRecordSets[?Type=='$type' && (Name==join('.', [dns_name('$name'), ''])"
    " || Name==join('.', [dns_name('$name'), '$found.zone']))] | [0]"
)


def _upsert(name: str) -> dict[str, object]:
    changes = [{"Action": "UPSERT", "ResourceRecordSet": {**_RECORD_SET, "Name": name}}]
    return {"HostedZoneId": "$zoneId", "ChangeBatch": {"Changes": changes}}


_RULE = ("name", "priority", "action", "blockResponse", "blockOverrideDomain", "blockOverrideDnsType")
_RULE_KEY = {"FirewallRuleGroupId": "$firewallRuleGroupId", "FirewallDomainListId": "$firewallDomainListId"}
_TAGS = Tagging(
    tag=Call("TagResource", {"ResourceArn": "$state.arn", "Tags": "$tags"}),
    untag=Call("UntagResource", {"ResourceArn": "$state.arn", "TagKeys": "$tagKeys"}),
)


def _kept(token: str, prefix: str, create: Call, delete: Call, arn: str = "", **columns: Any) -> Row:
    """A type of Route 53 Resolver: moto lacks the firewall, and cannot delete the logging of queries."""
    outputs = {"arn": f"arn:{{partition}}:route53resolver:{{region}}:{{account}}:{arn}/{{id}}"} if arn else {}
    return Row(
        "route53resolver",
        create,
        (),
        (delete,),
        kept=prefix,
        tags=_TAGS if arn else None,
        outputs=outputs | columns.pop("outputs", {}),
        listing=lambda api: list(checks.kept(api, token)),
        id=columns.pop("id", ""),
        name=columns.pop("name", "name" if arn else ""),
        **columns,
    )


_SHARED = {"ownerId": "account", "shareStatus": "'NOT_SHARED'"}
_CONFIG = "aws:route53/resolverFirewallConfig:ResolverFirewallConfig"
_LIST, _GROUP, _ASSOCIATION, _LOG, _LOGGED = (
    checks.DOMAIN_LIST,
    checks.RULE_GROUP,
    checks.GROUP_ASSOCIATION,
    checks.QUERY_LOG,
    checks.QUERY_LOG_ASSOCIATION,
)

DNS: dict[str, Row] = {
    "aws:route53/record:Record": Row(
        "route53",
        Call("ChangeResourceRecordSets", _upsert("$name"), strict=True),
        (
            Fetch("GetHostedZone", {"Id": "$zoneId"}, "HostedZone.Name", "zone"),
            Fetch("ListResourceRecordSets", {"HostedZoneId": "$zoneId"}, _RECORD_SETS),
        ),
        (),
        id="{zoneId}_{name}_{type}",
        updates=(Call("ChangeResourceRecordSets", _upsert("$state.fqdn"), ("ttl", "records", "aliases", "type")),),
        rename={"aliases.name": "DNSName", "aliases.zoneId": "HostedZoneId"},
        outputs={
            "aliases": "AliasTarget && [{DNSName: trim(AliasTarget.DNSName, '.'),"
            " HostedZoneId: AliasTarget.HostedZoneId, EvaluateTargetHealth: AliasTarget.EvaluateTargetHealth}]",
            "fqdn": "trim(Name, '.')",
            "name": "starts_with(Name, join('', [name, '.'])) && name || trim(Name, '.')",  # the zone may be left out
            "records": "ResourceRecords[].Value",
            "zoneId": "zoneId",
        },
        local=("allowOverwrite",),
        returned={"name": forms.record_name, "aliases": forms.alias_targets},
        suppressed=("name", "aliases"),
        alive="Name",
        listing=checks.records,
        validate=checks.record,
        before_create=checks.record_fits,
        before_update=checks.delete_former_type,
        before_delete=checks.delete_record,
    ),
    _LIST: _kept(
        _LIST,
        "rslvr-fdl-",
        Call("CreateFirewallDomainList"),
        Call("DeleteFirewallDomainList", {"FirewallDomainListId": "$id"}),
        "firewall-domain-list",
        updates=(
            Call(
                "UpdateFirewallDomains",
                {"FirewallDomainListId": "$id", "Operation": "REPLACE", "Domains": "$domains"},
                ("domains",),
            ),
        ),
        returned={"domains": forms.fully_qualified},
        validate=checks.domains,
        before_delete=checks.domain_list_unused,
    ),
    _GROUP: _kept(
        _GROUP,
        "rslvr-frg-",
        Call("CreateFirewallRuleGroup"),
        Call("DeleteFirewallRuleGroup", {"FirewallRuleGroupId": "$id"}),
        "firewall-rule-group",
        outputs=_SHARED,
        before_delete=checks.rule_group_unused,
    ),
    checks.RULE: _kept(
        checks.RULE,
        "-",
        Call("CreateFirewallRule"),
        Call("DeleteFirewallRule", _RULE_KEY),
        id="{firewallRuleGroupId}:{firewallDomainListId}",
        name="name",
        updates=(
            Call(
                "UpdateFirewallRule",
                _RULE_KEY,
                (*_RULE, "blockOverrideTtl", "firewallDomainRedirectionAction", "qType"),
            ),
        ),
        unsupported=("confidenceThreshold", "dnsThreatProtection"),
        defaults={"firewallDomainRedirectionAction": "INSPECT_REDIRECTION_DOMAIN"},
        validate=checks.rule,
        before_create=checks.rule_fits,
        before_update=checks.rule_fits,
    ),
    _ASSOCIATION: _kept(
        _ASSOCIATION,
        "rslvr-frgassoc-",
        Call("AssociateFirewallRuleGroup"),
        Call("DisassociateFirewallRuleGroup", {"FirewallRuleGroupAssociationId": "$id"}),
        "firewall-rule-group-association",
        updates=(
            Call(
                "UpdateFirewallRuleGroupAssociation",
                {"FirewallRuleGroupAssociationId": "$id"},
                ("name", "priority", "mutationProtection"),
            ),
        ),
        outputs={"mutationProtection": "'DISABLED'"},
        computed=("mutationProtection",),
        validate=checks.group_association,
        before_create=checks.group_association_fits,
        before_update=checks.group_association_fits,
    ),
    _CONFIG: _kept(
        _CONFIG,
        "rslvr-fc-",
        Call("UpdateFirewallConfig"),
        Call("UpdateFirewallConfig", {"ResourceId": "$resourceId", "FirewallFailOpen": "DISABLED"}),
        updates=(Call("UpdateFirewallConfig", {"ResourceId": "$resourceId"}, ("firewallFailOpen",)),),
        outputs={"ownerId": "account"},
    ),
    _LOG: _kept(
        _LOG,
        "rqlc-",
        Call("CreateResolverQueryLogConfig"),
        Call("DeleteResolverQueryLogConfig", {"ResolverQueryLogConfigId": "$id"}),
        "resolver-query-log-config",
        outputs=_SHARED,
        before_create=checks.log_destination_exists,
        before_delete=checks.query_log_unused,
    ),
    _LOGGED: _kept(
        _LOGGED,
        "rqlca-",
        Call("AssociateResolverQueryLogConfig"),
        Call(
            "DisassociateResolverQueryLogConfig",
            {"ResolverQueryLogConfigId": "$resolverQueryLogConfigId", "ResourceId": "$resourceId"},
        ),
        before_create=checks.query_log_association_fits,
    ),
}
