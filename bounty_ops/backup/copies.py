"""Which backups the second bucket lacks, and copying all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bounty_ops.backup.copying import Copied, copy_backup
from bounty_ops.backup.retention import Standing, retain
from bounty_ops.backup.standing import held_of
from bounty_ops.errors import BackupError, JournalError, UsageError
from bounty_ops.journal import layout
from bounty_ops.journal.shelf import Shelf, shelves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from bounty_ops.environments import Environment
    from bounty_ops.journal import Journal


@dataclass
class CopyRound:
    """What became of several copies, as far as it got."""

    copied: list[Copied] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    """Backups that cannot be copied as they are, with the reason."""


def copy_each(
    backup_ids: Iterable[str],
    environment: str,
    source: Journal,
    target: Journal,
    *,
    reread: bool = False,
    result: CopyRound | None = None,
    progress: Callable[[int], None] | None = None,
) -> CopyRound:
    """Copy several backups of one environment; one that is damaged does not stop the others.

    Args:
        backup_ids: in the order in which they are copied.
        environment: of all of them.
        source: of the bucket that holds them.
        target: of the second bucket.
        reread: as of `copy_backup`.
        result: filled on the way, so that a caller knows what was done before an error or Ctrl-C.
        progress: as of `copy_backup`, from the beginning for each backup.

    Raises ObjectStoreError when one of the buckets says no.
    """
    round_ = CopyRound() if result is None else result
    for backup_id in backup_ids:
        try:
            copied = copy_backup(
                source, target, environment, backup_id, reread=reread, progress=progress
            )
        except (BackupError, JournalError, UsageError) as error:
            round_.failed[backup_id] = f"{error}. {error.hint}"
        else:
            round_.copied.append(copied)
    return round_


def missing_copies(
    environment: Environment,
    source: Journal,
    target: Journal,
    *,
    now: datetime,
    present: bool = False,
) -> list[str]:
    """Return the backups that are to be copied, newest first; with ``present``, also the others.

    These are the proved ones that the rules keep (others would be pruned from the second bucket
    at once), and those of which the second bucket lacks a proof: also one that refutes.

    Raises ObjectStoreError when one of the buckets cannot be read.
    """
    prefix = layout.environment_prefix(environment.name)
    there = {shelf.backup_id: shelf for shelf in shelves(target.store.list(prefix))}
    here = {shelf.backup_id: shelf for shelf in shelves(source.store.list(prefix))}
    held = [held_of(source, one) for one in source.summaries(environment.name)]
    keep = retain(held, environment.policy, now=now).keep
    wanted = {one.backup.id for one in keep if one.backup.standing is Standing.PROVED}
    lacking = {
        one.id
        for one in held
        if one.id in here and _lacks(there.get(one.id), here[one.id], whole=one.id in wanted)
    }
    again = set(there) if present else set()
    return [one.id for one in held if one.id in lacking | again]


def _lacks(copy: Shelf | None, original: Shelf, *, whole: bool) -> bool:
    """Whether a copy lacks an object; one that is not wanted has to be complete as far as it is."""
    if copy is None or copy.manifest is None:
        return whole
    sizes = {entry.key: entry.size_bytes for entry in (*copy.stored, *copy.proofs)}
    return any(
        sizes.get(entry.key) != entry.size_bytes for entry in (*original.stored, *original.proofs)
    )
