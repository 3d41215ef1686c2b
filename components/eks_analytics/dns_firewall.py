"""DnsFirewall: names that nobody allowed are reported or refused by the resolver of a VPC."""

import re
from collections.abc import Iterator
from typing import NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from .arguments import argument_problems
from .cluster_checks import LOG_RETENTION_DAYS
from .domains import allowed_domains, domain_problems, names
from .problems import Problem, reject
from .tags import check_tags

ACTIONS = ("ALERT", "BLOCK")
DEFAULT_RETENTION_DAYS = 90
# Others may put rule groups of their own in front or behind; AWS Firewall Manager takes 99 and 9901.
_PRIORITY = 1000
_SUFFIX = "-everything-else"  # the longest: AWS takes 64 characters for the name of a domain list
_CLUSTER_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{64 - len(_SUFFIX) - 1}}}")


class DnsFirewallArgs(TypedDict):
    """Arguments of DnsFirewall."""

    cluster_name: str
    """Name of the EKS cluster, with which the names of all parts begin; at most 48 characters."""
    vpc_id: pulumi.Input[str]
    """Id of the VPC whose look-ups are watched; its resolver must be Amazon's."""
    base_domain: str
    """DNS name of the Dash Enterprise, e.g. "dash.example.com"."""
    region: str
    """AWS region, e.g. "us-east-1"; that of the AWS provider."""
    action: NotRequired[str]
    """What happens to a look-up of any other name: "ALERT" (default) answers it and logs an alert, "BLOCK" answers that
    there is no such name. Run with ALERT through an installation and some weeks of use before you choose BLOCK."""
    additional_domains: NotRequired[list[str]]
    """Names to allow besides, e.g. "example.org" or, for all names below one, "*.example.org". Default: none."""
    log_retention_days: NotRequired[int]
    """Days for which CloudWatch keeps the log of all look-ups, one of the numbers that it offers. Default 90."""
    tags: NotRequired[dict[str, str]]
    """Tags of every resource that takes some. Default: none."""


class DnsFirewall(pulumi.ComponentResource):
    """Route 53 Resolver DNS Firewall on a VPC: the names that Dash Enterprise, its host and its cluster need are
    allowed, with whatever DNS redirects them to; all others are reported or blocked. Every look-up is logged."""

    rule_group_id: pulumi.Output[str]
    """Id of the rule group."""
    query_log_group_name: pulumi.Output[str]
    """Name of the log group that holds the look-ups."""
    watch_command: pulumi.Output[str]
    """Command that prints the look-ups of the last day that were reported or blocked."""

    def __init__(self, name: str, args: DnsFirewallArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        reject(f"DNS firewall {name!r}", argument_problems(args, DnsFirewallArgs))
        cluster_name, region, additional = args["cluster_name"], args["region"], args.get("additional_domains", [])
        action, tags = args.get("action", "ALERT"), args.get("tags", {})
        retention = int(args.get("log_retention_days", DEFAULT_RETENTION_DAYS))
        allowed = names(allowed_domains(args["base_domain"], region, extra=additional))
        problems = [
            *_name_problems(cluster_name),
            *_choice_problems("action", action, ACTIONS),
            *_choice_problems("log_retention_days", retention, LOG_RETENTION_DAYS),
            *domain_problems(additional, len(allowed)),
            *check_tags(tags),
        ]
        reject(f"DNS firewall {name!r}", problems)
        super().__init__("eks-analytics:index:DnsFirewall", name, None, opts)
        self._label, self._cluster_name, self._tags = name, cluster_name, tags

        group = aws.route53.ResolverFirewallRuleGroup(
            f"{name}-rules", name=f"{cluster_name}-dns", tags=tags, opts=self._child()
        )
        allow = self._rule("allowed", group, allowed, 100, "ALLOW")
        # The last word: "*" is every name.
        rest = self._rule("everything-else", group, ["*"], 200, action, allow)
        # Not before both rules are there: one alone would block, or let through, what the other does not.
        aws.route53.ResolverFirewallRuleGroupAssociation(
            f"{name}-rules",
            name=f"{cluster_name}-dns",
            firewall_rule_group_id=group.id,
            vpc_id=args["vpc_id"],
            priority=_PRIORITY,
            tags=tags,
            opts=self._child(allow, rest),
        )
        aws.route53.ResolverFirewallConfig(
            name,
            resource_id=args["vpc_id"],
            # Where it is impaired itself, it would answer nothing: right for a barrier, wrong for an observer.
            firewall_fail_open="DISABLED" if action == "BLOCK" else "ENABLED",
            opts=self._child(),
        )
        log_group = self._log(args["vpc_id"], retention)
        self.rule_group_id = group.id
        self.query_log_group_name = log_group.name
        self.watch_command = log_group.name.apply(
            lambda log: (
                f"aws logs tail {log} --since 1d --region {region} "
                f"--filter-pattern '{{ $.firewall_rule_action = \"{action}\" }}'"
            )
        )
        self.register_outputs({output: getattr(self, output) for output in DnsFirewall.__annotations__})

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=depends_on)

    def _rule(
        self,
        role: str,
        group: aws.route53.ResolverFirewallRuleGroup,
        domains: list[str],
        priority: int,
        action: str,
        *depends_on: pulumi.Resource,
    ) -> aws.route53.ResolverFirewallRule:
        listed = aws.route53.ResolverFirewallDomainList(
            f"{self._label}-{role}",
            name=f"{self._cluster_name}-{role}",
            # Route 53 returns every name with a dot at its end; without one, each `pulumi up` would change the list.
            domains=[f"{domain}." for domain in domains],
            tags=self._tags,
            opts=self._child(),
        )
        return aws.route53.ResolverFirewallRule(
            f"{self._label}-{role}",
            name=f"{self._cluster_name}-{role}",
            firewall_rule_group_id=group.id,
            firewall_domain_list_id=listed.id,
            priority=priority,
            action=action,
            block_response="NXDOMAIN" if action == "BLOCK" else None,
            # Whoever may ask for quay.io may follow its CNAME to any content network; inspecting would mean to list
            # all of these. Only the name that was asked for counts, in both rules.
            firewall_domain_redirection_action="TRUST_REDIRECTION_DOMAIN",
            opts=self._child(*depends_on),
        )

    def _log(self, vpc_id: pulumi.Input[str], retention_days: int) -> aws.cloudwatch.LogGroup:
        """All look-ups: without the log nobody would see an alert."""
        log_group = aws.cloudwatch.LogGroup(
            f"{self._label}-queries",
            # The prefix keeps the policy by which AWS lets its services log from outgrowing its limit:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/AWS-logs-infrastructure-CWL.html
            name=f"/aws/vendedlogs/dns/{self._cluster_name}",
            retention_in_days=retention_days,
            tags=self._tags,
            opts=self._child(),
        )
        config = aws.route53.ResolverQueryLogConfig(
            f"{self._label}-queries",
            name=f"{self._cluster_name}-dns",
            destination_arn=log_group.arn,
            tags=self._tags,
            opts=self._child(),
        )
        aws.route53.ResolverQueryLogConfigAssociation(
            f"{self._label}-queries",
            resolver_query_log_config_id=config.id,
            resource_id=vpc_id,
            opts=self._child(),
        )
        return log_group


def _name_problems(cluster_name: str) -> Iterator[Problem]:
    if not _CLUSTER_NAME.fullmatch(cluster_name):
        remedy = "begin with a letter or digit, go on with these, hyphens and underscores, 48 at most"
        yield Problem("cluster_name", cluster_name, "makes no name that Route 53 takes", remedy)


def _choice_problems(input: str, value: object, choices: tuple[object, ...]) -> Iterator[Problem]:
    if value not in choices:
        yield Problem(input, value, "cannot be chosen", f"choose one of {', '.join(map(str, choices))}")
