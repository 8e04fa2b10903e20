"""`bounty-ops backup list`."""

from __future__ import annotations

import click

from bounty_ops.cli.backup import answer
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore


@click.command("list", cls=Command)
@click.option("--all", "everything", is_flag=True, help="Backups of all environments.")
@click.option("--copies", is_flag=True, help="Say of each what the second bucket holds of it.")
@click.option("--from-copy", is_flag=True, help="List the second bucket instead of the first.")
@pass_invocation
def listing(invocation: Invocation, *, everything: bool, copies: bool, from_copy: bool) -> None:
    """List the backups in the bucket, newest first."""
    if copies and from_copy:
        raise UsageError(
            "--copies and --from-copy exclude each other",
            hint="--copies compares the two buckets, --from-copy lists the second one alone.",
        )
    with servers(invocation, bucket=not from_copy) as settings:
        wanted = None if everything else settings.environment(invocation.environment).name
        there = None
        if copies or from_copy:
            second = Journal(ObjectStore(settings.require_copy_object_store()))
            there = second.summaries(wanted)
        if from_copy:
            summaries, there = there or [], None
        else:
            summaries = Journal(ObjectStore(settings.require_object_store())).summaries(wanted)
    found = None if there is None else {(one.environment, one.id): one for one in there}
    present(
        invocation,
        [answer.summary_document(summary, found) for summary in summaries],
        lambda console: answer.draw_summaries(console, summaries, found, copies=from_copy),
    )
