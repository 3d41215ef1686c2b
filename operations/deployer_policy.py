"""IAM policies for whoever deploys, as JSON ready for the IAM console."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

import settings
from eks_analytics import vendor_policy
from eks_analytics.deployer import CREATION_NOTES, creation_policy, deployer_policies, deployer_policy, notes, size
from eks_analytics.deployer_options import DeployerOptions
from eks_analytics.iam import PolicyDocument
from eks_analytics.partitions import partition
from operations import PROJECT, stack_configuration, stack_settings
from operations.console import OperationError, errors_in_a_sentence
from operations.stack_file import NAMESPACE, check_exists, stack_file

# A resource with another value is out of the deployer's reach: the third of the program's own tags, `environment`, is
# a setting that may change.
_MARKS = ("project", "stack")


def print_policy(
    stack: Annotated[str, typer.Option("--stack", help="Which stack: the middle of Pulumi.STACK.yaml.")],
    account: Annotated[
        str, typer.Option("--account", help="AWS account id of twelve digits. Default: the setting account_id.")
    ] = "",
    vendor: Annotated[
        bool,
        typer.Option(
            "--vendor",
            help="Instead, the policy of Dash Enterprise's guide with its faults corrected. It serves only the "
            "vendor's own eksctl-based provisioning script and cannot deploy this program.",
        ),
    ] = False,
    creation: Annotated[
        bool,
        typer.Option(
            "--creation",
            help="Instead, what the first update of the stack also needs, and every later one that creates a KMS key, "
            "an OIDC provider, a VPC or a DNS firewall. Detach it afterwards.",
        ),
    ] = False,
    part: Annotated[
        int | None,
        typer.Option("--part", min=1, help="One part of the policy, small enough for a customer managed policy."),
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config-file", help="Another configuration file than Pulumi.STACK.yaml.")
    ] = None,
) -> None:
    """Print the IAM policy that deploying a stack needs.

    The JSON alone goes to standard output, for the IAM console or `aws iam put-role-policy`; notes go to standard
    error. The policy fits into a role as its inline policy; in parts (`--part 1`, `--part 2`, ...) it makes customer
    managed policies. Nothing is asked of AWS, and nothing is changed.
    """
    with errors_in_a_sentence():
        file = config_file or stack_file(stack)
        check_exists(file)
        config = stack_configuration.load(file, PROJECT)
        found = stack_settings.load(config, stack)
        if config.unread:
            typer.echo(f"note: {config.unread}", err=True)
        account_id = _account(account, found)
        document, told = _policy(found, account_id, vendor=vendor, creation=creation, part=part)
        for sentence in told:
            typer.echo(f"note: {sentence}", err=True)
        typer.echo(json.dumps(document, indent=2))


def options(found: settings.Settings, account_id: str) -> DeployerOptions:
    """What of a stack's settings decides what its deployment may do."""
    network, dash, existing = found.network, found.dash_enterprise, found.e6data.existing_cluster
    is_dash = found.product == "dash-enterprise"
    zones = [dash.dns.hosted_zone_id, dash.dns.prefixed_hosted_zone_id]
    subnets = [*network.existing_private_subnets.values(), *network.existing_public_subnets.values()]
    return DeployerOptions(
        region=found.region,
        account_id=account_id,
        cluster_name=found.cluster_name,
        tags={mark: found.tags[mark] for mark in _MARKS},
        base_domain=dash.base_domain,
        hosted_zone_ids=tuple(dict.fromkeys(zone for zone in zones if zone)),
        existing_vpc_id=network.existing_vpc_id,
        existing_subnet_ids=tuple(dict.fromkeys(subnets)) if network.existing_vpc_id else (),
        interface_endpoints=bool(network.interface_endpoints),
        ipv6=network.ipv6,
        kms_key_arn=found.cluster.kms_key_arn,
        ebs_csi_role=found.cluster.ebs_csi_role,
        bootstrap=is_dash and dash.bootstrap.enabled,
        ssh_key_name=dash.bootstrap.ssh.key_name if dash.bootstrap.ssh.public_key else "",
        dns_firewall=dash.egress.mode == "dns-firewall",
        installation=is_dash,
        karpenter=not is_dash and not existing.karpenter_node_role_name,
        load_balancers=is_dash or not existing.has_load_balancer_controller,
        backups=found.backs_up,
        backup_bucket_name=found.velero.bucket.name,
        backup_replication=bool(found.velero.bucket.replication.region),
        backup_watch=found.backs_up,
        watch_key=not found.velero.watch.alarm_key_arn,
        makes_cluster=found.makes_cluster,
        session_logs=bool(found.cluster.session_logs.retention_days),
        session_logs_key=not found.cluster.session_logs.kms_key_arn,
        makes_oidc_provider=not (existing.enabled and existing.oidc_provider_arn),
        permissions_boundary_arn=found.permissions_boundary_arn,
    )


def _account(given: str, found: settings.Settings) -> str:
    account_id = given or found.account_id
    if not account_id:
        raise OperationError(
            f"no AWS account is known: give its id as --account, or set {NAMESPACE}:account_id in the stack's "
            "configuration (`aws sts get-caller-identity --query Account` prints it)."
        )
    if not re.fullmatch(r"\d{12}", account_id):
        raise OperationError(f"--account {account_id}: an AWS account id has twelve digits.")
    return account_id


def _policy(
    found: settings.Settings, account_id: str, *, vendor: bool, creation: bool, part: int | None
) -> tuple[PolicyDocument, list[str]]:
    if vendor and creation:
        raise OperationError("--vendor and --creation print two different policies: give one of them.")
    if (vendor or creation) and part not in (None, 1):
        raise OperationError(f"--part {part}: the {'vendor' if vendor else 'creation'} policy has one part.")
    if vendor:
        document = vendor_policy.vendor_policy(partition(found.region), account_id, found.cluster_name)
        return document, [*vendor_policy.NOTES, _sized(document)]
    wanted = options(found, account_id)
    if creation:
        document = creation_policy(wanted)
        if not document["Statement"]:
            raise OperationError(f"{found.cluster_name}: the stack makes nothing that needs more than its policy.")
        return document, [*CREATION_NOTES, _sized(document)]
    parts = deployer_policies(wanted)
    told = [*notes(wanted), f"As customer managed policies: {len(parts)} parts, --part 1 to --part {len(parts)}."]
    if part is None:
        try:
            document = deployer_policy(wanted)
        except ValueError as error:
            raise OperationError(f"{error}: --part 1 to --part {len(parts)}.") from None
        return document, [*told, _sized(document)]
    if part > len(parts):
        raise OperationError(f"--part {part}: the policy has {len(parts)} parts.")
    return parts[part - 1], [*told, f"This is part {part} of {len(parts)}. {_sized(parts[part - 1])}"]


def _sized(document: PolicyDocument) -> str:
    return f"It has {size(document)} characters without white space."
