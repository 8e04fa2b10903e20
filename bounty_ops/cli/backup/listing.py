"""`bounty-ops backup list`."""

from __future__ import annotations

import click

from bounty_ops.cli.backup import answer
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore


@click.command("list", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Backups of all environments.")
@pass_invocation
def listing(invocation: Invocation, *, everything: bool) -> None:
    """List the backups in the bucket, newest first."""
    with servers(invocation, bucket=True) as settings:
        environment = settings.environment(invocation.environment)
        journal = Journal(ObjectStore(settings.require_object_store()))
        summaries = journal.summaries(None if everything else environment.name)
    present(
        invocation,
        [answer.summary_document(summary) for summary in summaries],
        lambda console: answer.draw_summaries(console, summaries),
    )
