"""`bounty-ops db grants`."""

from __future__ import annotations

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.monitoring.grants import ROLE_NAMES, Purpose, role_script


@click.command("grants", cls=Command)
@click.option(
    "--role",
    metavar="NAME",
    help="What the role is called (default: bounty_ops_monitor, bounty_ops_backup or "
    "bounty_ops_migrate).",
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(list(ROLE_NAMES)),
    default="monitoring",
    show_default=True,
    help="What the role is to do.",
)
@pass_invocation
def grants(invocation: Invocation, *, role: str | None, purpose: Purpose) -> None:
    """Print the SQL of a role that has just the privileges it needs.

    Each part says what it is for and what is unknown without it. Nothing is changed: read it, then
    run it with `bounty-ops db grants | psql "$(bounty-ops db url --show-password)"`.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        script = role_script(environment.require_url(), purpose, role)
    present(
        invocation,
        {"environment": environment.name, **script.to_json()},
        lambda _: click.echo(script.sql()),
    )
