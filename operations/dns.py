"""DNS of Dash Enterprise: from the load balancer that the installer makes to the records of the stack."""

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from eks_analytics.dns_records import hostname_problems, parse_load_balancer, relative
from operations.console import OperationError, errors_in_a_sentence, say
from operations.ingress import FoundLoadBalancer, find_load_balancer
from operations.stack_file import read, setting, stack_file, with_settings

app = typer.Typer(no_args_is_help=True, rich_markup_mode="markdown", help=__doc__)
HOSTNAME = ("dash_enterprise", "dns", "load_balancer_hostname")
TYPE = ("dash_enterprise", "dns", "load_balancer_type")


@app.command()
def discover(
    stack: Annotated[str, typer.Option("--stack", help="Which stack: the middle of Pulumi.STACK.yaml.")],
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            "--kubeconfig",
            help="How to reach the cluster. Default: $KUBECONFIG, else ~/.kube/config. "
            "`pulumi stack output kubeconfig > kubeconfig` writes the stack's.",
        ),
    ] = None,
    context: Annotated[
        str | None, typer.Option("--context", help="Context of the kubeconfig. Default: its current one.")
    ] = None,
    hostname: Annotated[
        str | None,
        typer.Option(
            "--hostname",
            help="Take this name and ask no cluster. With or without a dot at its end.",
        ),
    ] = None,
    config_file: Annotated[
        Path | None, typer.Option("--config-file", help="Another configuration file than Pulumi.STACK.yaml.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change and leave the file alone.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do not ask. Without a terminal nothing is asked anyway.")
    ] = False,
) -> None:
    """Write the load balancer's name and type into the stack's configuration.

    Run it once the vendor's installer has run: then Service ingress-nginx-controller in plotly-system has a load
    balancer, whose name becomes dash_enterprise.dns.load_balancer_hostname. The next update makes the DNS records.
    Nothing else in the file changes.

    Where the API server is out of reach from here, run this on the bootstrap host and give what it prints as
    --hostname:

    kubectl get service ingress-nginx-controller -n plotly-system
    -o jsonpath='{.status.loadBalancer.ingress[0].hostname}'
    """
    with errors_in_a_sentence():
        file = config_file or stack_file(stack)
        before = read(file)
        _check_product(before, file)
        found = _given(hostname) if hostname is not None else find_load_balancer(kubeconfig, context)
        name, type = _name_and_type(found)
        say(f"Load balancer: {name}{f' ({type})' if type else ''}")
        after = with_settings(before, {HOSTNAME: name, **({TYPE: type} if type else {})})
        if after == before:
            say(f"{file.name} is unchanged: it says so already.")
            return
        say("".join(_difference(before, after, file.name)))
        if dry_run:
            say("Dry run: nothing is written.")
            return
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Write {file.name}?", abort=True)
        _write(file, after)
        say(f"{file.name} is written. Next: update stack {stack}, which makes the DNS records.")


def _check_product(text: str, file: Path) -> None:
    product = setting(text, ["product"])
    if product not in (None, "dash-enterprise"):
        raise OperationError(
            f"{file.name} builds {product!r}, which has no such records: name a stack of Dash Enterprise."
        )


def _given(hostname: str) -> FoundLoadBalancer:
    return FoundLoadBalancer(hostname.strip(), "")


def _name_and_type(found: FoundLoadBalancer) -> tuple[str, str]:
    for problem in hostname_problems(found.hostname):
        raise OperationError(f"{found.hostname!r} {problem.reason}; {problem.remedy}.")
    balancer = parse_load_balancer(found.hostname)
    if balancer is None:
        say(f"{found.hostname} is no name that AWS gives a load balancer: is it a proxy in front of one?", "yellow")
    return relative(found.hostname), balancer.type if balancer else found.annotated_type


def _difference(before: str, after: str, name: str) -> list[str]:
    lines = (before.splitlines(), after.splitlines())
    return [f"{line}\n" for line in difflib.unified_diff(*lines, name, name, n=2, lineterm="")]


def _write(file: Path, text: str) -> None:
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise OperationError(f"{file} cannot be written: {error}.") from None
