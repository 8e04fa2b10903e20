"""`bounty-ops backup verify`: restore, compare, and write the proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from bounty_ops.alerting import ping_after
from bounty_ops.cli.backup import answer
from bounty_ops.cli.catalogue import note
from bounty_ops.cli.console import present, warn
from bounty_ops.cli.failure import FOUND
from bounty_ops.cli.invocation import Invocation, pass_invocation
from bounty_ops.cli.progress import byte_progress, waiting
from bounty_ops.cli.session import servers
from bounty_ops.cli.shared import Command
from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.catalogue import index_verification
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore import verify_backup

if TYPE_CHECKING:
    from bounty_ops.environments import Settings
    from bounty_ops.journal.records import Manifest, Proof


@click.command("verify", cls=Command)
@click.argument("backup_id", metavar="[ID]", required=False)
@pass_invocation
def verify(invocation: Invocation, backup_id: str | None) -> None:
    """Restore a backup into a throw-away server and compare.

    Without ID the newest complete backup of the environment; ID may be shortened to its beginning.
    Exit code 0 only when the verdict is `proved`; 1 when it is `refuted` or `inconclusive`.
    """
    with servers(invocation, bucket=True) as settings:
        journal = Journal(ObjectStore(settings.require_object_store()))
        if backup_id is None:
            environment = settings.environment(invocation.environment).name
            manifest = journal.find(newest_complete(journal, environment), environment)
        else:
            manifest = journal.find(backup_id, invocation.environment)
        proof = verify_and_note(invocation, settings, journal, manifest)
    present(
        invocation,
        answer.proof_document(proof),
        lambda console: answer.draw_proof(console, proof),
    )
    if proof.verdict is not Verdict.PROVED:
        click.get_current_context().exit(FOUND)


def newest_complete(journal: Journal, environment: str) -> str:
    """The id of the newest backup that can be restored at all; raises UsageError without one."""
    whole = [one for one in journal.summaries(environment) if one.state is BackupState.COMPLETE]
    if not whole:
        raise UsageError(
            f"there is no complete backup of {environment} to verify",
            hint=f"Take one, which is verified as well: bounty-ops backup run -e {environment}",
        )
    return whole[0].id


def verify_and_note(
    invocation: Invocation, settings: Settings, journal: Journal, manifest: Manifest
) -> Proof:
    """Verify a backup; its proof lies in the bucket, and is indexed where that can be."""
    what = f"Restoring and comparing {manifest.id}"
    with byte_progress(what, total=manifest.size_bytes) as advance:
        proof = verify_backup(
            manifest,
            journal,
            work_dir=settings.state_dir / "work",
            identities=settings.identities(encrypted=manifest.encryption is not None),
            server=settings.drill_server(),
            progress=advance,
        )
    note(invocation, settings, "the proof", lambda ops: index_verification(ops, proof))
    _ping(invocation, settings, manifest, proof)
    return proof


def _ping(invocation: Invocation, settings: Settings, manifest: Manifest, proof: Proof) -> None:
    """Feed the dead-man's switch of the backup's environment, if it is one of ours."""
    environment = settings.environments.get(manifest.environment)
    if environment is None or proof.verdict is not Verdict.PROVED:
        return
    with waiting("Calling the dead-man's switch"):
        pinged = ping_after(environment, manifest, proof, now=datetime.now(UTC))
    if pinged is not None and pinged.problem is not None:
        told = f"the dead-man's switch of {environment.name} was {pinged}"
        warn(invocation.redaction.apply(told))
