"""One read and one write as an application would do them, and whose turn it is."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.migrating.rehearse.waits import Kind

    Connection = psycopg.Connection[TupleRow]

_FIRST_PLACE: Final = "(0,1)"
_READ: Final = sql.SQL("SELECT 1 FROM ONLY {} WHERE ctid = %s::tid")
_LOCK: Final = sql.SQL("LOCK TABLE ONLY {} IN ROW EXCLUSIVE MODE")
_ROW: Final = sql.SQL("SELECT 1 FROM ONLY {} WHERE ctid = %s::tid FOR NO KEY UPDATE")
_SOME_ROW: Final = sql.SQL("SELECT ctid::text FROM ONLY {} LIMIT 1")
_NAME: Final = """
SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %s
"""


@dataclass(eq=False)
class Probed:
    """A table under probes of one kind."""

    oid: int
    label: str
    name: sql.Identifier
    place: str = _FIRST_PLACE
    """Of the row that the next write locks."""
    busy: bool = False


@dataclass(eq=False)
class Attempt:
    """A probe that is under way."""

    seen_waiting: bool = False
    """Whether the server has shown it waiting for a lock."""


class Turns:
    """The tables of one kind of probe, the one that waited longest for its turn first."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self._order: list[Probed] = []
        self._lock = threading.Lock()

    def add(self, probed: Probed) -> None:
        """Probe one more, and first."""
        with self._lock:
            self._order.insert(0, probed)

    def take(self) -> Probed | None:
        """A table that nobody probes at this moment."""
        with self._lock:
            for position, probed in enumerate(self._order):
                if not probed.busy:
                    probed.busy = True
                    self._order.append(self._order.pop(position))
                    return probed
        return None

    def give_back(self, probed: Probed, *, again: bool) -> None:
        """Done with it; not `again` for a table that is gone."""
        with self._lock:
            probed.busy = False
            if not again:
                self._order.remove(probed)


def read_once(session: Connection, probed: Probed) -> float:
    """Read; return the moment at which that was done."""
    session.execute(_READ.format(probed.name), [probed.place])
    return time.monotonic()


def write_once(session: Connection, probed: Probed) -> float:
    """Lock table and row as an UPDATE would; return the moment at which both were had."""
    with session.transaction(force_rollback=True):
        session.execute(_LOCK.format(probed.name))
        row = session.execute(_ROW.format(probed.name), [probed.place]).fetchone()
        done = time.monotonic()
        if row is None:  # it was moved: look for another one, for the next time
            found = session.execute(_SOME_ROW.format(probed.name)).fetchone()
            probed.place = _FIRST_PLACE if found is None else str(found[0])
    return done


def renamed(session: Connection, probed: Probed) -> bool:
    """Learn what the table is called now; False when it is gone."""
    row = session.execute(_NAME, [probed.oid]).fetchone()
    if row is None:
        return False
    probed.name = sql.Identifier(*row)
    return True
