"""Which backup a migration is rehearsed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.restore.findings import Inconclusive

if TYPE_CHECKING:
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import BackupSummary, Manifest


def proved_backup(journal: Journal, environment: str, backup_id: str | None = None) -> Manifest:
    """Return the manifest of the environment's last proved backup, or of the one that is named.

    Args:
        journal: where the backups lie.
        environment: whose backup; another one's rows say nothing about this one's.
        backup_id: or its beginning; it has to be proved too.

    Raises:
        Inconclusive: there is none, or the named one is not proved.
        UsageError: nothing or more than one thing is called that.
        ObjectStoreError: the bucket cannot be read.
    """
    if backup_id is None:
        for summary in journal.summaries(environment):
            if _is_proved(summary):
                return journal.read_manifest(environment, summary.id)
        raise Inconclusive(
            f"there is no proved backup of {environment}: take one with "
            f"`bounty-ops backup run -e {environment}`"
        )
    _, found = journal.locate(backup_id, environment)
    for summary in journal.summaries(environment):
        if summary.id == found and _is_proved(summary):
            return journal.read_manifest(environment, found)
    raise Inconclusive(
        f"the backup {found} of {environment} is not proved: try `bounty-ops backup verify {found}`"
    )


def _is_proved(summary: BackupSummary) -> bool:
    return summary.state is BackupState.COMPLETE and summary.verdict is Verdict.PROVED
