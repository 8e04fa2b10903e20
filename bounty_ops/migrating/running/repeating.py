"""Statements outside of a transaction, such that a second try leads to where the first one would.

Whatever can run in a transaction gets one of its own, together with a row that says so: it is
carried out exactly once. The few that cannot are looked at before they are sent: what a dead
runner left behind of them stands in the catalog.
"""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bounty_ops.migrating.errors import UnrepeatableError
from bounty_ops.migrating.running.indexes import (
    drop_concurrently,
    find_index,
    leftovers_of_reindex,
    same_definition,
)
from bounty_ops.migrating.running.statement import Kind, Name

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.migrating.running.bookkeeping import Steps
    from bounty_ops.migrating.running.statement import Statement

_THERE: Final = "SELECT pg_catalog.to_regclass(%s) IS NOT NULL"
_PENDING: Final = """
    SELECT i.inhdetachpending FROM pg_catalog.pg_inherits i
    WHERE i.inhparent = pg_catalog.to_regclass(%s) AND i.inhrelid = pg_catalog.to_regclass(%s)
"""

logger = logging.getLogger(__name__)


class Repeating:
    """Carries out the statements of one revision that run outside of its transaction."""

    def __init__(
        self, connection: psycopg.Connection[Any], steps: Steps, where: str, revision: str
    ) -> None:
        self._connection = connection
        self._steps = steps
        self._where = where
        self._revision = revision

    def carry_out(
        self,
        number: int,
        statement: Statement,
        parameters: object,
        send: Callable[[], int | None],
    ) -> int | None:
        """Send a statement unless it was carried out before; returns how many rows it changed.

        Raises UnrepeatableError for what cannot be tried again, and psycopg's errors.
        """
        if statement.kind is Kind.READ or statement.returning:
            return send()
        if statement.kind is Kind.ONCE:
            raise self._refusal(
                f"statement {number} runs outside of transactions, and after a crash nobody could "
                "tell how far it came",
                hint="Carry it out by hand; it has no place in a migration.",
            )
        sha256 = hashlib.sha256(f"{statement.sql}\n{parameters!r}".encode()).hexdigest()
        step = self._steps.find(number)
        known = step is not None and step.sha256 == sha256
        if statement.kind is Kind.PLAIN:
            if step is not None and known and step.state == "done":
                return step.rows
            with self._connection.transaction():
                rows = send()
                self._steps.done(number, sha256, rows)
            return rows
        if not known:
            self._steps.begun(number, sha256)
        return self._again(statement, send, begun=known)

    def tidy(self, statement: Statement) -> None:
        """After a failure: remove the INVALID index that was left, if the server still answers."""
        if statement.kind is not Kind.CREATE_INDEX or statement.relation is None:
            return
        try:
            found = find_index(self._connection, statement.relation, statement.index or "")
            if found is not None and found.on_table and not found.valid:
                drop_concurrently(self._connection, found.name)
        except psycopg.Error as error:
            logger.info("an INVALID index is left for the next try: %s", type(error).__name__)

    def _again(
        self, statement: Statement, send: Callable[[], int | None], *, begun: bool
    ) -> int | None:
        match statement.kind:
            case Kind.CREATE_INDEX:
                return self._create_index(statement, send)
            case Kind.DROP_INDEX if begun and not self._exists(statement.relation):
                return None
            case Kind.REINDEX:
                for name in leftovers_of_reindex(self._connection, statement):
                    drop_concurrently(self._connection, name)
                return send()
            case Kind.DETACH:
                return self._detach(statement, send, begun=begun)
            case _:
                return send()

    def _create_index(self, statement: Statement, send: Callable[[], int | None]) -> int | None:
        table, index = statement.relation, statement.index
        if index is None or table is None:
            raise self._refusal(
                "an index without a name cannot be built CONCURRENTLY: a second try would build "
                "another one beside it",
                hint="Give the index a name.",
            )
        found = find_index(self._connection, table, index)
        if found is None:
            return send()
        if found.on_table and not found.valid:
            logger.info("rebuilding the INVALID index %s", index)
            drop_concurrently(self._connection, found.name)
            return send()
        if found.on_table and same_definition(self._connection, found, statement):
            return None
        raise self._refusal(
            f"{found.name.quoted()} exists already and is something else than this revision builds",
            hint="Give the new index another name, or drop the old one in a revision before.",
        )

    def _detach(
        self, statement: Statement, send: Callable[[], int | None], *, begun: bool
    ) -> int | None:
        parent, partition = statement.relation, statement.partition
        if parent is None or partition is None:
            return send()
        row = self._connection.execute(_PENDING, (parent.quoted(), partition.quoted())).fetchone()
        if row is None:
            return None if begun else send()
        if row[0]:  # the first half was committed before something broke off
            finalize = f"ALTER TABLE {parent.quoted()} DETACH PARTITION {partition.quoted()}"
            self._connection.execute(f"{finalize} FINALIZE".encode())
            return None
        return send()

    def _exists(self, name: Name | None) -> bool:
        row = self._connection.execute(_THERE, (name.quoted() if name else "",)).fetchone()
        return row is not None and bool(row[0])

    def _refusal(self, what: str, *, hint: str) -> UnrepeatableError:
        return UnrepeatableError(f"{self._where}: revision {self._revision}: {what}", hint=hint)
