"""`bounty-ops backup show`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bounty_ops.cli.backup import answer
from bounty_ops.cli.backup.restore_answer import draw_records, record_document
from bounty_ops.cli.console import present
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.journal import Journal
from bounty_ops.journal.restores import read_restores
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console


@click.command("show", cls=Command)
@click.argument("backup_id", metavar="ID")
@pass_invocation
def show(invocation: Invocation, backup_id: str) -> None:
    """Show one backup with every table it holds, and where it was restored.

    Of one that is refuted or inconclusive, also what its last verification found. ID may be
    shortened to its beginning.
    """
    with servers(invocation, bucket=True) as settings:
        journal = Journal(ObjectStore(settings.require_object_store()))
        manifest = journal.find(backup_id, invocation.environment)
        [summary] = [s for s in journal.summaries(manifest.environment) if s.id == manifest.id]
        proofs = journal.proofs(manifest.environment, manifest.id)
        restores = read_restores(journal.store, manifest.environment, backup_id=manifest.id)
    told = answer.verdict_rests_on(summary, proofs)

    def draw(console: Console) -> None:
        answer.draw_backup(console, summary, manifest, told)
        draw_records(console, restores)

    shown = answer.show_document(summary, manifest, told)
    present(invocation, shown | {"restores": [record_document(one) for one in restores]}, draw)
