"""`bounty-ops db url`."""

from __future__ import annotations

import click

from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command


@click.command("url", cls=Command)
@click.option("--show-password", is_flag=True, help="Print the password as well.")
@pass_invocation
def url(invocation: Invocation, *, show_password: bool) -> None:
    """Print the URL of the database, with its password only on request.

    For psql: `psql "$(bounty-ops db url --show-password)"`. The embedded server answers as long as
    `bounty-ops up` runs.
    """
    with servers(invocation, database=True) as settings:
        environment = settings.environment(invocation.environment)
        address = environment.require_url()
    text = address.text() if show_password else address.redacted()
    present(
        invocation,
        {"environment": environment.name, "url": text},
        lambda _: click.echo(text),
    )
