"""DnsFirewall on the real engine: what the resolver is told, and in which order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from eks_analytics.dns_firewall import DnsFirewall
from eks_analytics.domains import allowed_domains, names
from sandbox import cloud as clouds
from sandbox.cloud import Cloud
from sandbox.knobs import Knobs
from sandbox.providers.aws import AwsProvider
from small_stack import Program, SmallStack

pytestmark = pytest.mark.engine

REGION = "us-east-2"


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    yield clouds.start(tmp_path / "dev")
    clouds.stop(tmp_path / "dev")


@pytest.fixture
def stack(cloud: Cloud, tmp_path: Path) -> SmallStack:
    return SmallStack(tmp_path, {"aws": AwsProvider(lambda: cloud, Knobs(), lambda _: None)})


def program(**changes: Any) -> Program:
    def run() -> None:
        emulated = aws.Provider("emulated", region=REGION)
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16", opts=pulumi.ResourceOptions(provider=emulated))
        args: Any = {
            "cluster_name": "dash-dev",
            "vpc_id": vpc.id,
            "base_domain": "dash.example.com",
            "region": REGION,
            **changes,
        }
        firewall = DnsFirewall("main", args, pulumi.ResourceOptions(providers=[emulated]))
        for output in DnsFirewall.__annotations__:
            pulumi.export(output, getattr(firewall, output))

    return run


def state(stack: SmallStack, urn: str) -> dict[str, Any]:
    """What the engine keeps of the resource whose URN ends so."""
    return next(found["outputs"] for found in stack.resources() if found["urn"].endswith(urn))


def test_it_alerts_then_blocks_takes_more_names_and_goes_without_a_trace(stack: SmallStack, cloud: Cloud) -> None:
    outputs = stack.up(program())
    assert set(stack.preview(program())) == {"same"}
    assert set(stack.refresh()) == {"same"}
    logs = cloud.client("logs", REGION)
    (log_group,) = logs.describe_log_groups()["logGroups"]
    assert log_group["logGroupName"] == outputs["query_log_group_name"] == "/aws/vendedlogs/dns/dash-dev"
    assert log_group["retentionInDays"] == 90
    association = state(stack, "ResolverFirewallRuleGroupAssociation::main-rules")
    assert association["firewallRuleGroupId"] == outputs["rule_group_id"]
    assert association["vpcId"] == stack.resource("vpc")["id"]

    blocking = program(action="BLOCK")
    stack.preview(blocking)
    assert stack.actions() == {"main": "update", "main-everything-else": "update"}
    stack.up(blocking)
    assert set(stack.preview(blocking)) == {"same"}

    more = program(action="BLOCK", additional_domains=["*.example.org"])
    stack.preview(more)
    assert stack.actions() == {"main-allowed": "update"}
    stack.up(more)
    listed = state(stack, "ResolverFirewallDomainList::main-allowed")["domains"]
    allowed = names(allowed_domains("dash.example.com", REGION, extra=["*.example.org"]))
    assert sorted(listed) == sorted(f"{name}." for name in allowed)

    stack.destroy()
    assert stack.resources() == []
    assert logs.describe_log_groups()["logGroups"] == []
