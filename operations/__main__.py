"""Operations on environments of this project: what is done by a person, once, and not declared in a stack."""

import sys

try:
    import typer
except ModuleNotFoundError:
    sys.exit("error: use the project's Python, .tools/venv/bin/python, which make or pulumi install makes")

from operations import deployer_policy, dns

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help=__doc__,
)
app.add_typer(dns.app, name="dns")
app.command("deployer-policy")(deployer_policy.print_policy)

if __name__ == "__main__":
    app(prog_name="python -m operations")
