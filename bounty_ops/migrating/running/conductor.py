"""Standing between Alembic and the server: every statement of a revision passes through here."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import event

from bounty_ops.journal.evidence import LONGEST_SQL, StatementRecord
from bounty_ops.migrating.errors import UnrepeatableError
from bounty_ops.migrating.running.bookkeeping import Steps
from bounty_ops.migrating.running.locks import LocksOfTransaction, as_records
from bounty_ops.migrating.running.observer import Underway
from bounty_ops.migrating.running.repeating import Repeating
from bounty_ops.migrating.running.session import raw_connection
from bounty_ops.migrating.running.statement import Kind, is_online, read_statement
from bounty_ops.monitoring.literals import strip_literals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import ExecutionContext

    from bounty_ops.migrating.running.bookkeeping import Cause
    from bounty_ops.migrating.running.limits import Limits
    from bounty_ops.migrating.running.observer import Observer
    from bounty_ops.migrating.running.statement import Statement
    from bounty_ops.migrating.running.tally import Tally
    from bounty_ops.migrating.running.watcher import Sight, Watcher

    _Parameters = Sequence[Any] | Mapping[str, Any]

_SET: Final = """
    SELECT pg_catalog.set_config('lock_timeout', %s, false),
           pg_catalog.set_config('statement_timeout', %s, false)
"""
_WROTE: Final = "SELECT pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL"


class GaveWayError(Exception):
    """The watcher has taken a statement back that had succeeded by then."""


class Conductor:
    """Sends the statements of one revision over one connection."""

    def __init__(
        self,
        where: str,
        revision: str,
        cause: Cause,
        *,
        limits: Limits,
        watcher: Watcher,
        observer: Observer,
        tally: Tally,
    ) -> None:
        self._where = where
        self._revision = revision
        self._cause = cause
        self._limits = limits
        self._watcher = watcher
        self._observer = observer
        self._tally = tally
        self._active = False
        self._number = 0
        self._locks = LocksOfTransaction(watcher.names)
        self._sent_in_transaction = 0
        self._raw: psycopg.Connection[Any] | None = None
        self._set: tuple[str, str] | None = None
        self._skipped = False

    def attach(self, engine: Engine) -> None:
        """Take over what the engine's connections send."""
        event.listen(engine, "do_execute", self._do_execute)
        event.listen(engine, "do_execute_no_params", self._do_execute_no_params)
        event.listen(engine, "do_executemany", self._do_executemany)
        event.listen(engine, "commit", self._on_commit)

    @contextmanager
    def conducting(self) -> Iterator[None]:
        """Hold for as long as the revision's own code runs."""
        self._active = True
        try:
            yield
        finally:
            self._active = False
        if self._raw is not None:  # what Alembic itself sends now may not wait for long
            self._limit(self._raw, None, online=False)

    # SQLAlchemy takes True for "it has been executed".

    def _do_execute(
        self,
        cursor: psycopg.Cursor[Any],
        sql: str,
        parameters: _Parameters | None,
        context: ExecutionContext,
    ) -> bool:
        def send() -> None:
            cursor.execute(sql.encode(), parameters)

        return self._conduct(cursor, sql, parameters, context, send)

    def _do_execute_no_params(
        self, cursor: psycopg.Cursor[Any], sql: str, context: ExecutionContext
    ) -> bool:
        def send() -> None:
            cursor.execute(sql.encode())

        return self._conduct(cursor, sql, None, context, send)

    def _do_executemany(
        self,
        cursor: psycopg.Cursor[Any],
        sql: str,
        parameters: Sequence[_Parameters],
        context: ExecutionContext,
    ) -> bool:
        def send() -> None:
            cursor.executemany(sql.encode(), parameters)

        return self._conduct(cursor, sql, parameters, context, send)

    def _conduct(
        self,
        cursor: psycopg.Cursor[Any],
        sql: str,
        parameters: object,
        context: ExecutionContext,
        send: Callable[[], None],
    ) -> bool:
        if not self._active:
            return False
        statement = read_statement(sql)
        self._refuse(statement)
        self._number += 1
        self._raw = connection = cursor.connection
        underway = self._underway(statement, connection)
        self._tally.tries[underway.number] = self._tally.tries.get(underway.number, 0) + 1
        self._limit(connection, statement, online=underway.online)
        self._observer.began(underway)
        began = self._tally.began = time.monotonic()
        try:
            rows, sight, locks = self._send(cursor, underway, statement, parameters, send)
        except BaseException:
            self._number -= 1  # a revision that tries it again itself sends the same statement
            raise
        seconds = time.monotonic() - began
        if cursor.rowcount < 0 and rows is not None:
            # Not sent this time; a loop over batches goes by the number all the same.
            vars(context)["_rowcount"] = rows
        record = StatementRecord(
            revision=self._revision,
            number=underway.number,
            sql=underway.sql,
            seconds=seconds,
            waited_seconds=self._tally.waited.get(underway.number, 0.0),
            attempts=self._tally.tries[underway.number],
            locks=as_records(locks),
            rows=rows,
        )
        record = self._tally.add(record, apart=underway.autocommit, skipped=self._skipped)
        self._observer.ended(underway, record)
        if sight.gave_way:
            raise GaveWayError
        return True

    def _send(
        self,
        cursor: psycopg.Cursor[Any],
        underway: Underway,
        statement: Statement,
        parameters: object,
        send: Callable[[], None],
    ) -> tuple[int | None, Sight, dict[str, str]]:
        connection, inside = cursor.connection, {}

        def sent() -> int | None:
            send()
            if connection.info.transaction_status is TransactionStatus.INTRANS:
                inside.update(self._locks.taken(connection))
            return cursor.rowcount if cursor.rowcount >= 0 else None

        with (
            ExitStack() as afterwards,
            self._watcher.watching(
                underway,
                patience_seconds=self._limits.lock_timeout_seconds,
                locks=underway.autocommit and statement.kind is not Kind.PLAIN,
            ) as sight,
        ):
            self._tally.last = (underway, sight)
            # Once the watcher has ended: the server may have done what it asked for, and ended the
            # statement, before the watcher has noted it.
            afterwards.callback(self._tally.note, underway.number, sight)
            if underway.autocommit:
                rows = self._apart(underway, statement, connection, parameters, sent)
            else:
                self._skipped = False
                rows = sent()
                self._sent_in_transaction += 1
        return rows, sight, {**sight.locks, **inside}

    def _apart(
        self,
        underway: Underway,
        statement: Statement,
        connection: psycopg.Connection[Any],
        parameters: object,
        sent: Callable[[], int | None],
    ) -> int | None:
        steps = Steps(connection, self._revision, self._cause)
        repeating = Repeating(connection, steps, self._where, self._revision)
        self._locks = LocksOfTransaction(self._watcher.names)
        self._skipped = True

        def really_sent() -> int | None:
            self._skipped = False
            return sent()

        try:
            return repeating.carry_out(underway.number, statement, parameters, really_sent)
        except psycopg.Error:
            if not connection.closed:
                self._limit(connection, None, online=False)
                repeating.tidy(statement)
            raise

    def _underway(self, statement: Statement, connection: psycopg.Connection[Any]) -> Underway:
        autocommit = connection.autocommit
        if connection.info.transaction_status is TransactionStatus.IDLE:
            self._locks = LocksOfTransaction(self._watcher.names)
        return Underway(
            revision=self._revision,
            number=self._number,
            sql=strip_literals(statement.sql)[:LONGEST_SQL],
            online=is_online(statement, autocommit=autocommit, holds=self._locks.stops_others),
            autocommit=autocommit,
            attempt=self._tally.attempt,
            pid=connection.info.backend_pid,
        )

    def _limit(
        self,
        connection: psycopg.Connection[Any],
        statement: Statement | None,
        *,
        online: bool,
    ) -> None:
        """Set both timeouts anew: what a revision has set itself does not outlive a statement."""
        lock = self._limits.lock_timeout_seconds
        running = self._limits.statement_timeout_seconds
        if statement is not None:
            lock, running = self._limits.timeouts(statement, online=online)
        limits = (f"{round(lock * 1000)}ms", f"{round(running * 1000)}ms")
        if limits != self._set:
            connection.execute(_SET, limits)
        self._set = limits if statement is not None and statement.definition else None

    def _refuse(self, statement: Statement) -> None:
        if statement.kind is Kind.CONTROL:
            raise self._refusal(
                "it begins or ends a transaction by itself",
                hint="The runner does that: put what cannot run in a transaction into `with "
                "op.get_context().autocommit_block()`, alone in its revision.",
            )
        if statement.sets_limits:
            raise self._refusal(
                "it sets a timeout in the same string as other statements",
                hint="Leave it away: the policy of the environment sets the timeouts.",
            )

    def _on_commit(self, connection: Connection) -> None:
        """Refuse to let half of a revision become permanent without its version."""
        raw = raw_connection(connection)
        if not self._active or raw.autocommit:
            return
        sent, self._sent_in_transaction = self._sent_in_transaction, 0
        if not sent or raw.info.transaction_status is not TransactionStatus.INTRANS:
            return
        row = raw.execute(_WROTE).fetchone()
        if row is not None and row[0]:
            raise self._refusal(
                "it changes something in its transaction before an autocommit block, which would "
                "commit that without the version",
                hint="Give each autocommit block a revision of its own, or let it come first.",
            )

    def _refusal(self, what: str, *, hint: str) -> UnrepeatableError:
        message = f"{self._where}: revision {self._revision} cannot be run: {what}"
        return UnrepeatableError(message, hint=hint)
