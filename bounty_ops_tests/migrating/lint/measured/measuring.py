"""Runs a file against a server, statement by statement, and notes what each did.

The locks are those of the still open transaction, seen from another connection. A statement that
cannot run in a transaction is held up by locks of ours instead: `holding` says how.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import pglast
import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus

from bounty_ops_tests.migrating.lint.measured import holding, probes, snapshot
from bounty_ops_tests.migrating.lint.measured.cases import HERE
from bounty_ops_tests.migrating.lint.measured.measurement import Measurement, Step
from bounty_ops_tests.migrating.lint.measured.sessions import Session, session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.migrating.lint.measured.cases import Case

_TEMPLATE: Final = "measured_template"
_SHARED: Final = "measured_shared"
_ROLES: Final = ("app", "reporter")
_CONTROL: Final = re.compile(
    r"\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|PREPARE)\b(?!\s+TO\b)", re.IGNORECASE
)
_CHAINED: Final = re.compile(r"(?<!NO )\bCHAIN\s*$", re.IGNORECASE)
_SETTING: Final = re.compile(r"\s*(SET|RESET)\b", re.IGNORECASE)
#: "cannot run inside a transaction block", and what a COMMIT inside of a procedure says.
_NOT_IN_A_TRANSACTION: Final = frozenset({"25001", "2D000"})
_SKIPPED: Final = re.compile(r'relation "(.+)" already exists, skipping')


def statements_of(text: str) -> tuple[str, ...]:
    """The statements of a file without what is between them."""
    without_comments = (
        _without_leading_comments(part) for part in pglast.split(text, with_parser=False)
    )
    return tuple(part for part in without_comments if part)


def _without_leading_comments(statement: str) -> str:
    text = statement.strip()
    while text.startswith(("--", "/*")):
        end = _end_of_block(text) if text.startswith("/*") else text.find("\n") + 1
        text = text[end:].strip() if end else ""
    return text


def _end_of_block(text: str) -> int:
    """Where the comment that `text` begins with ends; such comments nest."""
    depth = 0
    for mark in re.finditer(r"/\*|\*/", text):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return 0


@dataclass
class Laboratory:
    """A server with the context in it."""

    server: DatabaseUrl
    _before: snapshot.State | None = None

    def measure(self, case: Case) -> Measurement:
        """What this server does with a file."""
        if not case.earlier and _one_transaction(statements_of(case.sql)):
            with _Run.on(self.context_url()) as run:
                if self._before is None:
                    self._before = snapshot.take(run.connection)
                return run.file(case.sql, self._before, keep=False)
        with self.copy(case) as url, _Run.on(url) as run:
            return run.file(case.sql, snapshot.take(run.connection), keep=True)

    def context_url(self) -> DatabaseUrl:
        """A database as every file without earlier ones meets it."""
        return self.server.with_database(_SHARED)

    @contextmanager
    def copy(self, case: Case) -> Iterator[DatabaseUrl]:
        """A database of its own, with the earlier files carried out."""
        name = "measured_copy"
        with session(self.server) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        url = self.server.with_database(name)
        with session(url) as connection:
            for text in case.earlier:
                for statement in statements_of(text):
                    connection.execute(statement.encode())
        yield url
        with session(self.server) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def laboratory(server: DatabaseUrl) -> Iterator[Laboratory]:
    """Make the context on a server, and leave nothing behind."""
    with ExitStack() as stack:
        connection = stack.enter_context(session(server))
        for role in _ROLES:
            connection.execute(f"CREATE ROLE {role}")
            stack.callback(connection.execute, f"DROP ROLE {role}")
        for name in (_TEMPLATE, _SHARED):
            stack.callback(connection.execute, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {_TEMPLATE}")
        build(server.with_database(_TEMPLATE))
        connection.execute(f"CREATE DATABASE {_SHARED} TEMPLATE {_TEMPLATE}")
        yield Laboratory(server)


def build(url: DatabaseUrl) -> None:
    """Run ``context.sql``."""
    with session(url) as connection:
        for statement in statements_of((HERE / "context.sql").read_text(encoding="utf-8")):
            connection.execute(statement.encode())


def _one_transaction(statements: tuple[str, ...]) -> bool:
    """Whether the file can be tried in a transaction that is rolled back."""
    control = [_CONTROL.match(statement) is not None for statement in statements]
    return len(control) > 2 and control[0] and control[-1] and not any(control[1:-1])


@dataclass
class _Run:
    connection: Session
    observer: Session
    url: DatabaseUrl
    steps: list[Step] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    transaction: int = 0
    _relations: dict[int, snapshot.Relation] = field(default_factory=dict)
    _held: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _counted: snapshot.Counters = field(default_factory=dict)

    @classmethod
    @contextmanager
    def on(cls, url: DatabaseUrl) -> Iterator[_Run]:
        with session(url) as connection, session(url) as observer:
            run = cls(connection, observer, url)
            connection.add_notice_handler(run._notice)
            yield run
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")

    def _notice(self, notice: psycopg.errors.Diagnostic) -> None:
        found = _SKIPPED.search(notice.message_primary or "")
        if found:
            self.skipped.append(found[1])

    def file(self, text: str, before: snapshot.State, *, keep: bool) -> Measurement:
        """Carry it out; without `keep` the last COMMIT becomes a ROLLBACK."""
        self._relations = snapshot.relations(self.connection)
        statements = statements_of(text)
        error = ""
        try:
            for statement in statements[: None if keep else -1]:
                self._statement(statement)
            if not keep:
                self.connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        except psycopg.Error as caught:
            error = caught.sqlstate or "?"
        result = Measurement(steps=tuple(self.steps), error=error)
        if keep and self.connection.info.transaction_status != TransactionStatus.IDLE:
            result = replace(result, left_open=not error)
            self.connection.execute("ROLLBACK")
        if error and not keep:
            return self._described(result)
        return self._described(self._compared(result, before))

    def _compared(self, result: Measurement, before: snapshot.State) -> Measurement:
        after = snapshot.take(self.connection, before.probes)
        invalid = [name for name in after.invalid if name not in before.invalid]
        invalid += [name for name in self.skipped if name in after.invalid]
        return replace(
            result,
            invalid=tuple(sorted(invalid)),
            lost=snapshot.lost(before, after),
            broken=probes.broken(before.outcomes, after.outcomes),
            opened=probes.opened(before.outcomes, after.outcomes),
            unpublished=snapshot.unpublished(before, after),
        )

    def _described(self, result: Measurement) -> Measurement:
        kinds = {relation.name: relation.kind for relation in self._relations.values()}
        named = {name for step in result.steps for name in step.locks}
        return replace(
            result, kinds={name: kinds[name] for name in sorted(named) if kinds[name] != "table"}
        )

    def _statement(self, statement: str) -> None:
        """One statement, in the transaction that is open, or in one of its own."""
        inside = self.connection.info.transaction_status == TransactionStatus.INTRANS
        if _CONTROL.match(statement) or (_SETTING.match(statement) and not inside):
            if not inside:
                self.transaction += 1
            self._begin_counting()
            self.connection.execute(statement.encode())
            self.steps.append(Step(transaction=self.transaction))
            if inside and _CHAINED.search(statement):
                self.transaction += 1
                self._begin_counting()
            return
        if inside:
            self._observed(statement)
            return
        self.transaction += 1
        self._alone(statement)

    def _alone(self, statement: str) -> None:
        self.connection.execute("BEGIN")
        self._begin_counting()
        try:
            self._observed(statement)
            self.connection.execute("COMMIT")
        except psycopg.Error as error:
            self.connection.execute("ROLLBACK")
            if error.sqlstate not in _NOT_IN_A_TRANSACTION:
                raise
            self._held_up(statement)

    def _begin_counting(self) -> None:
        self._held = {}
        self._counted = snapshot.counters(self.connection, self._relations)

    def _observed(self, statement: str) -> None:
        timeout = self._lock_timeout()
        files = snapshot.files(self.connection, self._relations)
        self.connection.execute(statement.encode())
        rewritten = snapshot.rewritten(files, snapshot.files(self.connection, self._relations))
        held = snapshot.locks(self.observer, self.connection.info.backend_pid, self._relations)
        counted = snapshot.counters(self.connection, self._relations)
        self._note(timeout, held, rewritten, counted)

    def _note(
        self,
        timeout: int,
        held: dict[str, tuple[str, ...]],
        rewritten: tuple[str, ...],
        counted: snapshot.Counters,
    ) -> None:
        fresh = {
            name: new
            for name, modes in held.items()
            if (new := tuple(mode for mode in modes if mode not in self._held.get(name, ())))
        }
        self.steps.append(
            Step(
                transaction=self.transaction,
                locks=fresh,
                worked=snapshot.worked(self._counted, counted),
                changed=snapshot.changed(self._counted, counted),
                rewritten=rewritten,
                lock_timeout=timeout,
            )
        )
        self._held, self._counted = held, counted

    def _held_up(self, statement: str) -> None:
        timeout = self._lock_timeout()
        files = snapshot.files(self.connection, self._relations)
        pid = self.connection.info.backend_pid
        self._held = {}
        try:
            held = holding.while_held_up(
                lambda: self.connection.execute(statement.encode()),
                lambda: snapshot.locks(self.observer, pid, self._relations),
                lambda: holding.blockers(self.observer, pid),
                self.url,
            )
        finally:
            after = snapshot.files(self.connection, self._relations)
        self._note(timeout, held, snapshot.rewritten(files, after), self._counted)

    def _lock_timeout(self) -> int:
        row = self.connection.execute(
            sql.SQL("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'")
        ).fetchone()
        assert row is not None
        return int(str(row[0]))
