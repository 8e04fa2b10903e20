"""`bounty-ops db current`."""

from __future__ import annotations

import click

from bounty_ops.cli.console import present, table
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.migrating import current_revision


@click.command("current", cls=Command)
@pass_invocation
def current(invocation: Invocation) -> None:
    """Show the revision of the database and what is pending."""
    with servers(invocation, database=True) as settings:
        found = current_revision(settings.environment(invocation.environment))
    document = {
        "environment": found.environment,
        "revision": found.revision,
        "head": found.head,
        "pending": list(found.pending),
    }
    lines = [
        ("environment", found.environment),
        ("revision", found.revision or "none: the database is not under migration yet"),
        ("head", found.head),
        ("pending", ", ".join(found.pending) or "nothing"),
    ]
    present(invocation, document, lambda console: console.print(table(("", ""), lines)))
