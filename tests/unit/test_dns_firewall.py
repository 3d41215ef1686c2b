from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from pulumi.provider.experimental.analyzer import Analyzer

from eks_analytics.dns_firewall import DnsFirewall
from eks_analytics.domains import allowed_domains, names
from recording import Recorder

LISTS, RULES = "ResolverFirewallDomainList", "ResolverFirewallRule"
UNTAGGABLE = {"ResolverFirewallConfig", "DnsFirewall", RULES, "ResolverQueryLogConfigAssociation"}
Build = Callable[..., dict[str, Any]]


def arguments(**changes: Any) -> Any:
    return {
        "cluster_name": "analytics",
        "vpc_id": "vpc-1",
        "base_domain": "dash.example.com",
        "region": "us-east-1",
        **changes,
    }


@pytest.fixture
def build(recorder: Recorder) -> Build:
    """Build a firewall named "main" of the arguments given. Returns its outputs."""

    def build(**changes: Any) -> dict[str, Any]:
        recorder.registrations.clear()
        return recorder.run(lambda: DnsFirewall("main", arguments(**changes)))

    return build


def inputs(recorder: Recorder, type: str) -> dict[str, dict[str, Any]]:
    return {name: found.inputs for name, found in recorder.of(type).items()}


def test_listed_names_are_allowed_first_and_every_other_raises_an_alert(build: Build, recorder: Recorder) -> None:
    build()
    lists, rules = inputs(recorder, LISTS), inputs(recorder, RULES)
    allowed = names(allowed_domains("dash.example.com", "us-east-1"))
    assert lists["main-allowed"]["domains"] == [f"{name}." for name in allowed]
    assert lists["main-everything-else"]["domains"] == ["*."]
    allowed, rest = rules["main-allowed"], rules["main-everything-else"]
    assert (allowed["action"], rest["action"]) == ("ALLOW", "ALERT")
    assert allowed["priority"] < rest["priority"]
    assert allowed["firewallDomainListId"] == "main-allowed-id"
    assert rest["firewallDomainListId"] == "main-everything-else-id"
    assert "blockResponse" not in rest


def test_blocking_answers_that_there_is_no_such_name(build: Build, recorder: Recorder) -> None:
    build(action="BLOCK")
    rest = inputs(recorder, RULES)["main-everything-else"]
    assert (rest["action"], rest["blockResponse"]) == ("BLOCK", "NXDOMAIN")
    assert "blockResponse" not in inputs(recorder, RULES)["main-allowed"]


def test_going_from_alert_to_block_changes_one_rule_and_what_happens_when_the_firewall_fails(
    build: Build, recorder: Recorder
) -> None:
    build()
    before = {found.key: found.inputs for found in recorder.registrations}
    build(action="BLOCK")
    after = {found.key: found.inputs for found in recorder.registrations}
    assert {key for key in after if after[key] != before.get(key)} == {
        "aws:route53/resolverFirewallRule:ResolverFirewallRule::main-everything-else",
        "aws:route53/resolverFirewallConfig:ResolverFirewallConfig::main",
    }
    config = "aws:route53/resolverFirewallConfig:ResolverFirewallConfig::main"
    assert [told[config]["firewallFailOpen"] for told in (before, after)] == ["ENABLED", "DISABLED"]


def test_whatever_an_allowed_name_leads_to_is_trusted(build: Build, recorder: Recorder) -> None:
    build()
    actions = {rule["firewallDomainRedirectionAction"] for rule in inputs(recorder, RULES).values()}
    assert actions == {"TRUST_REDIRECTION_DOMAIN"}


def test_the_vpc_is_watched_once_both_rules_are_there(build: Build, recorder: Recorder) -> None:
    build()
    association = recorder.of("ResolverFirewallRuleGroupAssociation")["main-rules"]
    assert association.inputs["vpcId"] == "vpc-1"
    assert 100 < association.inputs["priority"] < 9900  # what AWS takes
    rules = {f"aws:route53/resolverFirewallRule:{RULES}::main-{role}" for role in ("allowed", "everything-else")}
    assert association.dependencies >= rules
    rest = recorder.of(RULES)["main-everything-else"]
    assert f"aws:route53/resolverFirewallRule:{RULES}::main-allowed" in rest.dependencies


def test_every_look_up_of_the_vpc_is_logged(build: Build, recorder: Recorder) -> None:
    outputs = build(log_retention_days=30.0, action="BLOCK")  # plugins hand integers over as floats
    (log_group,) = inputs(recorder, "LogGroup").values()
    assert (log_group["name"], log_group["retentionInDays"]) == ("/aws/vendedlogs/dns/analytics", 30)
    (config,) = inputs(recorder, "ResolverQueryLogConfig").values()
    assert config["destinationArn"].endswith("main-queries-id")
    (association,) = inputs(recorder, "ResolverQueryLogConfigAssociation").values()
    assert association == {"resolverQueryLogConfigId": "main-queries-id", "resourceId": "vpc-1"}
    assert outputs["rule_group_id"] == "main-rules-id"
    assert outputs["query_log_group_name"] == "/aws/vendedlogs/dns/analytics"
    assert outputs["watch_command"] == (
        "aws logs tail /aws/vendedlogs/dns/analytics --since 1d --region us-east-1 "
        "--filter-pattern '{ $.firewall_rule_action = \"BLOCK\" }'"
    )


def test_additional_names_reach_the_list(build: Build, recorder: Recorder) -> None:
    build(additional_domains=["*.example.org"])
    assert "*.example.org." in inputs(recorder, LISTS)["main-allowed"]["domains"]


def test_every_resource_is_a_child_carries_the_tags_and_takes_no_option_of_the_component(recorder: Recorder) -> None:
    opts = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")], ignore_changes=["tags"])
    recorder.run(lambda: DnsFirewall("main", arguments(tags={"team": "data"}), opts))
    component, *children = recorder.registrations
    assert component.type == "eks-analytics:index:DnsFirewall"
    assert {child.parent.split("$")[-1] for child in children} == {"eks-analytics:index:DnsFirewall::main"}
    assert not any(child.request.aliases or child.request.ignoreChanges for child in children)
    untagged = {found.type.split(":")[-1] for found in recorder.registrations if "tags" not in found.inputs}
    assert untagged == UNTAGGABLE
    assert all(found.inputs["tags"] == {"team": "data"} for found in children if "tags" in found.inputs)


@pytest.mark.parametrize("length", [1, 48])
def test_names_are_ones_that_route_53_takes(build: Build, recorder: Recorder, length: int) -> None:
    build(cluster_name="a" * length)
    given = [found.inputs["name"] for found in recorder.registrations if "name" in found.inputs]
    assert all(len(name) <= 64 for name in given if not name.startswith("/"))
    assert len(given) == 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cluster_name": "a" * 49}, "cluster_name"),
        ({"cluster_name": "a.b"}, "cluster_name"),
        ({"action": "ALLOW"}, "choose one of ALERT, BLOCK"),
        ({"log_retention_days": 31}, "log_retention_days = 31"),
        ({"additional_domains": ["*"]}, "additional_domains = '*'"),
        ({"additional_domains": [f"{number}.example.org" for number in range(1000)]}, "use `*.`"),
        ({"tags": {"aws:x": "y"}}, "aws:"),
    ],
)
def test_what_aws_would_refuse_is_said_beforehand(
    build: Build, recorder: Recorder, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match="DNS firewall 'main' cannot be built") as caught:
        build(**changes)
    assert said in str(caught.value)
    assert recorder.registrations == []


def test_the_schema_documents_every_input_and_output() -> None:
    found = Analyzer("eks-analytics").analyze_component(DnsFirewall)
    fields = {**found.inputs, **found.outputs}
    assert [name for name, field in fields.items() if not field.description] == []
    required = [name for name, field in found.inputs.items() if not field.optional]
    assert required == ["clusterName", "vpcId", "baseDomain", "region"]
