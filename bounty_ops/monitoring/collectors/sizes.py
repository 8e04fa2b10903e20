"""Measuring relations exactly without ever waiting for a lock.

`pg_total_relation_size` opens what it measures. One `ALTER TABLE` that holds ACCESS EXCLUSIVE, or
only waits for it, would therefore stop a statement that measures a thousand tables. So locked
relations are left out from the start, and where a lock comes in between, the batch is halved
until the locked one stands alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from psycopg import errors

from bounty_ops.monitoring.probe import Probe

#: Each refusal costs one lock_timeout; after so many the rest is left to the estimates.
MAX_REFUSALS: Final = 30


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


def measure(probe: Probe, statement: str, oids: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Exact sizes by oid; those that stayed locked, or were dropped, are missing.

    Raises:
        psycopg.Error: the statement failed for another reason than a lock.
    """
    sizes: dict[int, tuple[int, ...]] = {}
    batches = [list(oids)] if oids else []
    refusals = 0
    while batches and refusals < MAX_REFUSALS:
        batch = batches.pop()
        try:
            rows = probe.rows(statement, {"oids": batch})
        except errors.LockNotAvailable:
            refusals += 1
            if len(batch) > 1:
                middle = len(batch) // 2
                batches += [batch[:middle], batch[middle:]]
            continue
        sizes |= {oid: tuple(measured) for oid, *measured in rows if None not in measured}
    return sizes
