"""Which locks on relations a statement took, as the server itself lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.journal.evidence import LockTaken
from bounty_ops.migrating.lineage import VERSION_SCHEMA, VERSION_TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import psycopg
    from psycopg.rows import TupleRow

#: From weak to strong (PostgreSQL documentation, 13.3.1).
_MODES: Final = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
_RANK: Final = {mode: rank for rank, mode in enumerate(_MODES)}
_STOPS_WRITERS: Final = _RANK["ShareLock"]
NOT_TOLD: Final = ["pg_catalog", "pg_toast", "information_schema"]
#: What the runner itself writes in the database it migrates.
BOOKKEEPING: Final = (VERSION_TABLE, "applied_revision", "revision_step")

_LOCKS_OF: Final = """
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_class c ON c.oid = l.relation
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE l.locktype = 'relation' AND l.granted
      AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
      AND (n.nspname IS NULL OR n.nspname <> ALL(%s))
      AND NOT coalesce(n.nspname = %s AND c.relname = ANY(%s), false)
"""
_OWN: Final = f"""
    SELECT l.relation::int8, CASE WHEN n.nspname IS NOT NULL
        THEN pg_catalog.format('%%I.%%I', n.nspname, c.relname) END, l.mode
    {_LOCKS_OF} AND l.pid = pg_catalog.pg_backend_pid()
"""
OF_ANOTHER: Final = f"""
    SELECT pg_catalog.format('%%I.%%I', n.nspname, c.relname), l.mode
    {_LOCKS_OF} AND n.nspname IS NOT NULL AND l.pid = %s
"""
NAMES: Final = """
    SELECT c.oid::int8, pg_catalog.format('%%I.%%I', n.nspname, c.relname)
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = ANY(%s::int8[]::oid[]) AND n.nspname <> ALL(%s)
"""
#: Of `OF_ANOTHER` before the process id, and of the question after our own locks.
LEFT_OUT: Final = (NOT_TOLD, VERSION_SCHEMA, list(BOOKKEEPING))


def stronger(one: str | None, other: str) -> str:
    """Return the stronger of two modes; a mode that is not known counts as the weakest."""
    if one is None:
        return other
    return one if _RANK.get(one, -1) >= _RANK.get(other, -1) else other


def strongest(rows: Iterable[TupleRow]) -> dict[str, str]:
    """Return the strongest mode for each name of ``(name, mode)`` rows."""
    found: dict[str, str] = {}
    for name, mode in rows:
        found[name] = stronger(found.get(name), mode)
    return found


def as_records(modes: Mapping[str, str]) -> tuple[LockTaken, ...]:
    """Return them for a record, in the order of names."""
    return tuple(LockTaken(relation=name, mode=modes[name]) for name in sorted(modes))


class LocksOfTransaction:
    """What one transaction holds, statement by statement.

    What it has created itself nobody else can see, so a lock on that is not told. For the same
    reason names are asked for elsewhere: what the transaction has dropped or renamed still has
    its name there.
    """

    def __init__(self, names: Callable[[list[int]], dict[int, str] | None]) -> None:
        self._names = names
        self._held: dict[int, str] = {}
        self._known: dict[int, str] = {}
        self._created: set[int] = set()

    @property
    def stops_others(self) -> bool:
        """Whether a lock is held that stops readers or writers of a table."""
        return any(_RANK.get(mode, 0) >= _STOPS_WRITERS for mode in self._held.values())

    def taken(self, connection: psycopg.Connection[TupleRow]) -> dict[str, str]:
        """Ask for all locks, and return those that are new or stronger than before."""
        rows = connection.execute(_OWN, LEFT_OUT).fetchall()
        now: dict[int, str] = {}
        for oid, _, mode in rows:
            now[oid] = stronger(now.get(oid), mode)
        self._learn({oid: name for oid, name, _ in rows})
        before, self._held = self._held, {k: v for k, v in now.items() if k not in self._created}
        return {
            self._known[oid]: mode
            for oid, mode in self._held.items()
            if stronger(before.get(oid), mode) != before.get(oid)
        }

    def _learn(self, ours: Mapping[int, str | None]) -> None:
        unknown = [oid for oid in ours if oid not in self._known and oid not in self._created]
        if not unknown:
            return
        elsewhere = self._names(unknown)
        for oid in unknown:
            name = ours[oid] if elsewhere is None else elsewhere.get(oid)
            if name is None:
                self._created.add(oid)
            else:
                self._known[oid] = name
