"""`bounty-ops backup run`: back up, then prove."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.backup import plan_backup, take_backup
from bounty_ops.cli.backup import answer
from bounty_ops.cli.backup.verify import verify_and_note
from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.operator_name import operator_name
from bounty_ops.cli.progress import byte_progress
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import BountyOpsError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_backup
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore

if TYPE_CHECKING:
    from rich.console import Console

    from bounty_ops.environments import Settings
    from bounty_ops.journal.records import Manifest, Proof


@click.command("run", cls=Command)
@click.option("--no-verify", is_flag=True, help="Only back up; the verdict stays unverified.")
@pass_invocation
def run(invocation: Invocation, *, no_verify: bool) -> None:
    """Back up the database, then prove the backup by a restore.

    Exit code 1: the backup was taken, but its proof does not say `proved`.
    """
    with servers(invocation, database=True, bucket=True) as settings:
        store = ObjectStore(settings.require_object_store())
        manifest = take(invocation, settings, store)
        proof = None if no_verify else prove_new(invocation, settings, Journal(store), manifest)
    place = answer.place_document(manifest, store.location)

    def draw(console: Console) -> None:
        answer.draw_manifest(console, manifest)
        answer.draw_proof(console, proof)

    present(invocation, answer.run_document(manifest, place, proof), draw)
    if proof is not None and proof.verdict is not Verdict.PROVED:
        click.get_current_context().exit(FOUND)


def take(invocation: Invocation, settings: Settings, store: ObjectStore) -> Manifest:
    """Take a backup of the chosen environment, and index it where that can be."""
    environment = settings.environment(invocation.environment)
    url = environment.require_url()
    plan = plan_backup(environment, store, now=datetime.now(UTC), taken_by=operator_name())
    with byte_progress(f"Backing up {environment.name}") as advance:
        manifest = take_backup(plan, url, Journal(store), progress=advance)
    note(
        invocation, settings, "the backup", lambda ops: index_backup(ops, manifest, store.location)
    )
    return manifest


def prove_new(
    invocation: Invocation, settings: Settings, journal: Journal, manifest: Manifest
) -> Proof:
    """Prove a backup that was just taken."""
    try:
        return verify_and_note(invocation, settings, journal, manifest)
    except BountyOpsError:
        # Otherwise the one line that is left would let an operator think there is no backup.
        warn(f"the backup {manifest.id} was taken and stays, but it could not be verified")
        raise
