"""Measuring relations exactly without ever waiting for a lock.

`pg_total_relation_size` opens what it measures. One `ALTER TABLE` that holds ACCESS EXCLUSIVE, or
only waits for it, would therefore stop a statement that measures a thousand tables. So locked
relations are left out from the start. Where a lock comes in between, the lock table is looked at
again; where that shows nothing, the batch is halved until the locked one stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import errors

from bounty_ops.monitoring.probe import Probe

#: Each refusal costs one lock_timeout; after so many the rest is left to the estimates.
MAX_REFUSALS: Final = 30
#: So many relations are measured by one statement, far below its timeout.
BATCH: Final = 2_000


@dataclass(frozen=True)
class Locked:
    """What cannot be opened now."""

    relations: frozenset[int]
    """Locked themselves."""
    tables: frozenset[int]
    """Locked themselves, or through an index or TOAST table of theirs."""


def locked_relations(probe: Probe) -> Locked:
    """Look at the lock table once.

    Raises:
        psycopg.Error: the statement failed.
    """
    rows = probe.rows("locked_relations")
    return Locked(
        relations=frozenset(oid for oid, own in rows if own),
        tables=frozenset(oid for oid, _ in rows),
    )


def measure(
    probe: Probe, statement: str, oids: Sequence[int], locked: frozenset[int] = frozenset()
) -> dict[int, tuple[int, ...]]:
    """Exact sizes by oid; those that are or stayed locked, or were dropped, are missing.

    Raises:
        psycopg.Error: the statement failed for another reason than a lock.
    """
    sizes: dict[int, tuple[int, ...]] = {}
    free = [oid for oid in oids if oid not in locked]
    batches = [free[at : at + BATCH] for at in range(0, len(free), BATCH)]
    refusals = 0
    while batches and refusals < MAX_REFUSALS:
        batch = batches.pop()
        try:
            rows = probe.rows(statement, {"oids": batch})
        except errors.LockNotAvailable:
            refusals += 1
            batches += _without_locked(probe, statement, batch)
            continue
        sizes |= {oid: tuple(measured) for oid, *measured in rows if None not in measured}
    return sizes


def _without_locked(probe: Probe, statement: str, batch: list[int]) -> list[list[int]]:
    """What to try after a refusal: the rest of the batch, or its halves if nothing is seen."""
    seen = locked_relations(probe)
    locked = seen.tables if statement == "table_sizes" else seen.relations
    rest = [oid for oid in batch if oid not in locked]
    if len(rest) < len(batch):
        return [rest] if rest else []
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]] if len(batch) > 1 else []
