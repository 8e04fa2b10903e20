"""What the snapshot holds, read while pg_dump writes it out.

A second pair of eyes over the locked snapshot's own connection: fingerprints of all tables and the
inventory of all objects. It runs in a thread next to the dump, since the server has more than one
processor, and the backup must not take twice as long.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import psycopg

from bounty_ops.journal.records import TableRecord
from bounty_ops.postgres.fingerprint import count_tables, fingerprint_tables, units
from bounty_ops.postgres.inventory import COMPARED, Inventory, read_inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from psycopg.rows import TupleRow

    from bounty_ops.journal.records import Compared
    from bounty_ops.postgres.relations import Relation
    from bounty_ops.postgres.snapshot import LockedSnapshot

_CANCEL_SECONDS: Final = 5.0
_CANCEL_PAUSE_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.2


def read_tables(
    connection: psycopg.Connection[TupleRow], relations: Sequence[Relation], *, compare: Compared
) -> tuple[TableRecord, ...]:
    """What is recorded of every table: as much as the policy asks for."""
    if compare == "nothing":
        return tuple(
            TableRecord(schema_name=schema, name=name, rows=None)
            for schema, name in sorted({(u.schema, u.name) for _, u in units(relations)})
        )
    read = fingerprint_tables if compare == "content" else count_tables
    return tuple(
        TableRecord(
            schema_name=one.schema, name=one.name, rows=one.rows, fingerprint=one.fingerprint
        )
        for one in read(connection, relations)
    )


class ContentReader:
    """Reads in the background for the length of a block; leaving the block ends it."""

    def __init__(
        self, snapshot: LockedSnapshot, *, compare: Compared, on_failure: Callable[[], None]
    ) -> None:
        self._snapshot = snapshot
        self._compare = compare
        self._on_failure = on_failure
        self._failure: BaseException | None = None
        self._tables: tuple[TableRecord, ...] = ()
        self._inventory: Inventory = {}
        self._given_up = threading.Event()
        self._ended = threading.Event()
        # A daemon: if the network swallows even the request to cancel, the process can still end.
        self._thread = threading.Thread(target=self._read, name="bounty-ops-content", daemon=True)

    def __enter__(self) -> Self:
        try:
            self._thread.start()
        except BaseException:  # Ctrl-C while the thread starts; it may well run by now
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        """End the reading; again and again, since a request between two statements is lost."""
        self._given_up.set()
        deadline = time.monotonic() + _CANCEL_SECONDS
        while not self._ended.wait(_CANCEL_PAUSE_SECONDS) and time.monotonic() < deadline:
            with suppress(psycopg.Error):  # the connection may be gone, which ends it as well
                self._snapshot.connection.cancel_safe(timeout=_CANCEL_SECONDS)

    def check(self) -> None:
        """Raise what went wrong so far, if anything did."""
        if self._failure is not None:
            raise self._failure

    def result(
        self, check: Callable[[], None] | None = None
    ) -> tuple[tuple[TableRecord, ...], Inventory]:
        """Wait for the end, and return tables and inventory; `check` may end the waiting."""
        while not self._ended.wait(_LOOK_SECONDS):
            if check is not None:
                check()
        self.check()
        return self._tables, self._inventory

    def changed_since(self) -> list[str]:
        """Definitions that somebody changed meanwhile; call it after `result`.

        PostgreSQL shows definitions as committed last, to pg_dump and to us, snapshot or not. If
        two readings agree, one before and one after the dump, so does what pg_dump read between.
        """
        again = read_inventory(self._snapshot.connection)
        return [
            line
            for name in COMPARED
            for line in sorted(set(self._inventory[name]) ^ set(again[name]))
        ]

    def _read(self) -> None:
        connection = self._snapshot.connection
        try:
            if not self._given_up.is_set():
                self._inventory = read_inventory(connection)
                self._tables = read_tables(
                    connection, self._snapshot.relations, compare=self._compare
                )
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            self._failure = error
            self._on_failure()
        finally:
            self._ended.set()
