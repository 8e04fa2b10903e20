"""What a listed backup is worth to retention: asked of the bucket where the list does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.backup.retention import Held, Standing
from bounty_ops.errors import UsageError
from bounty_ops.journal import layout
from bounty_ops.journal.placed import manifest_sha256
from bounty_ops.journal.records import BackupState, Verdict
from bounty_ops.journal.shelf import shelves
from bounty_ops.journal.summary import summarize

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import BackupSummary


def held_of(journal: Journal, summary: BackupSummary) -> Held:
    """What retention needs to know of a listed backup.

    Raises ObjectStoreError when the bucket cannot be read.
    """
    standing, judged_at = _standing(journal, summary)
    return Held(
        id=summary.id,
        taken_at=summary.taken_at,
        standing=standing,
        judged_at=judged_at,
        scheduled=summary.retention_class == "scheduled",
        pinned=summary.pinned,
        locked_until=summary.locked_until,
        size_bytes=summary.size_bytes,
    )


def held_now(journal: Journal, environment: str, backup_id: str) -> Held | None:
    """A backup as it is at this moment, None when it is gone.

    Raises ObjectStoreError when the bucket cannot be read.
    """
    for shelf in shelves(journal.store.list(layout.backup_prefix(environment, backup_id))):
        summary = summarize(journal.store, shelf)
        if summary is not None:
            return held_of(journal, summary)
    return None


def _standing(journal: Journal, summary: BackupSummary) -> tuple[Standing, datetime | None]:
    if summary.state is BackupState.DAMAGED:
        # Two things look like damage and are none: a manifest of a newer version of this program,
        # and a store that lists wrongly for a while. So what was proved once is left alone too.
        readable = summary.sha256 is not None
        damaged = readable and not _has_a_proof(journal, summary)
        return (Standing.DAMAGED if damaged else Standing.UNCLEAR), None
    if summary.imported:
        return Standing.IMPORTED, summary.finished_at
    match summary.verdict:
        case Verdict.PROVED:
            return Standing.PROVED, summary.verified_at
        case Verdict.REFUTED:
            return Standing.REFUTED, summary.verified_at
        case Verdict.UNVERIFIED:
            return Standing.UNPROVED, None
    return _last_word(journal, summary)


def _has_a_proof(journal: Journal, summary: BackupSummary) -> bool:
    listing = journal.store.list(layout.backup_prefix(summary.environment, summary.id))
    return any(shelf.proofs for shelf in shelves(listing))


def _last_word(journal: Journal, summary: BackupSummary) -> tuple[Standing, datetime | None]:
    """Look behind a drill that failed: what an earlier one showed still holds.

    Else one full disk during a second look at a yearly backup would let it be deleted.
    """
    try:
        manifest = manifest_sha256(journal.manifest_bytes(summary.environment, summary.id))
    except UsageError:  # removed since it was listed
        return Standing.UNPROVED, summary.verified_at
    for proof in journal.proofs(summary.environment, summary.id):
        if proof.manifest_sha256 == manifest and proof.verdict is not Verdict.INCONCLUSIVE:
            proved = proof.verdict is Verdict.PROVED
            return (Standing.PROVED if proved else Standing.REFUTED), proof.verified_at
    return Standing.UNPROVED, summary.verified_at
