"""Which backups the second bucket lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.backup.retention import Standing, retain
from bounty_ops.backup.standing import held_of
from bounty_ops.journal import layout
from bounty_ops.journal.shelf import Shelf, shelves

if TYPE_CHECKING:
    from datetime import datetime

    from bounty_ops.environments import Environment
    from bounty_ops.journal import Journal


def missing_copies(
    environment: Environment, source: Journal, target: Journal, *, now: datetime
) -> list[str]:
    """Return the backups that are to be copied, newest first.

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
    return [
        one.id
        for one in held
        if one.id in here and _lacks(there.get(one.id), here[one.id], whole=one.id in wanted)
    ]


def _lacks(copy: Shelf | None, original: Shelf, *, whole: bool) -> bool:
    """Whether a copy lacks an object; one that is not wanted has to be complete as far as it is."""
    if copy is None or copy.manifest is None:
        return whole
    sizes = {entry.key: entry.size_bytes for entry in (*copy.stored, *copy.proofs)}
    return any(
        sizes.get(entry.key) != entry.size_bytes for entry in (*original.stored, *original.proofs)
    )
