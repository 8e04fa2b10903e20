"""Run one query that reads: in a transaction that cannot write, for a while, for so many rows."""

from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pglast.parser import parse_sql
from psycopg.adapt import Loader

from bounty_ops.postgres.connect import connect
from bounty_ops.studio.database import APPLICATION, STATEMENT_MILLISECONDS
from bounty_ops.studio.origins import describe, hidden_columns
from bounty_ops.studio.secrets import HIDDEN
from bounty_ops.studio.statement import require_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from psycopg.abc import Buffer

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.studio.origins import ResultColumn
    from bounty_ops.studio.secrets import Secrets

PAGE_ROWS: Final = 500
CSV_ROWS: Final = 100_000
#: Characters of one value; it can have a gigabyte, and a driver takes in whole rows.
PAGE_LETTERS: Final = 2_000
CSV_LETTERS: Final = 1_000_000
#: What an answer may take of this machine's memory.
_MOST_BYTES: Final = 32 * 1024 * 1024
#: `character(n)`.
_PADDED: Final = 1042
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
#: A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV injection").
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")

Row = tuple[str | None, ...]


@dataclass(frozen=True)
class Answer:
    """What a query gave."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    """Values as the server writes them."""
    cut: bool
    """Whether there were more."""
    shortened: bool
    """Whether a value was longer than it is here; such values end with ``…``."""
    hidden: tuple[str, ...]
    """The columns whose values stayed with the server."""
    seconds: float
    plan: tuple[str, ...]
    """What EXPLAIN said; nothing for statements that have no plan."""


class _AsWritten(Loader):
    """A value in the server's own words: dates beyond Python's, every digit."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode(errors="replace")


@dataclass(frozen=True)
class _Rows:
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    cut: bool = False
    shortened: bool = False


_NOTHING: Final = _Rows((), ())


def ask(
    url: DatabaseUrl,
    sql: str,
    *,
    secrets: Secrets | None,
    most: int = PAGE_ROWS,
    letters: int = PAGE_LETTERS,
    run: bool = True,
    connected: Callable[[psycopg.Connection[Any]], None] | None = None,
) -> Answer:
    """Run `sql` and return its first rows.

    Args:
        url: the database.
        sql: one statement that reads.
        secrets: which columns are hidden; None: none.
        most: rows to return.
        letters: of one value.
        run: without it there is only the plan.
        connected: is given the connection, for whoever may have to cancel the query.

    Raises:
        UsageError: it is not one statement that reads.
        PostgresError: the server refused it, it took too long, or nobody answers.
    """
    is_query = require_reading(sql)
    with connect(
        url,
        application_name=f"{APPLICATION} (query)",
        read_only=True,
        statement_timeout_ms=STATEMENT_MILLISECONDS,
    ) as connection:
        if connected is not None:
            connected(connection)
        connection.execute("SET lock_timeout = '3s'")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        # Once a transaction has seen data, the server lets nothing make it READ WRITE any more.
        connection.execute("SELECT 1")
        columns = describe(connection, _bare(sql)) if is_query else ()
        hidden: frozenset[int] = frozenset()
        if secrets is not None and columns:
            hidden = hidden_columns(connection, sql, columns, secrets)
        plan = _plan(connection, sql) if is_query else ()
        began = time.monotonic()
        found = _NOTHING
        if run:
            statement = _shielded(sql, columns, hidden, letters) if columns else sql
            found = _rows(connection, statement, most, letters if columns else None)
        seconds = time.monotonic() - began
        if not found.cut:
            connection.execute("ROLLBACK")
    return Answer(
        columns=tuple(one.name for one in columns) or found.columns,
        rows=found.rows,
        cut=found.cut,
        shortened=found.shortened,
        hidden=tuple(columns[place].name for place in sorted(hidden)),
        seconds=seconds,
        plan=plan,
    )


def _bare(sql: str) -> str:
    """The statement without what ends it."""
    [statement] = parse_sql(sql)
    begin = statement.stmt_location or 0
    return sql[begin : begin + statement.stmt_len] if statement.stmt_len else sql[begin:]


def _shielded(
    sql: str, columns: tuple[ResultColumn, ...], hidden: frozenset[int], letters: int
) -> str:
    """A query around the query, so that neither hidden values nor all of a long one are sent.

    It takes all rows in their order, so the server plans what is inside as it stands.
    """
    names = [f"c{place}" for place in range(len(columns))]
    given = []
    for name, column in zip(names, columns, strict=True):
        if int(name[1:]) in hidden:
            given.append(f"CASE WHEN {name} IS DISTINCT FROM NULL THEN '{HIDDEN}' END")
        elif column.type == _PADDED:  # as text it would lose its blanks
            given.append(
                f"CASE WHEN {name} IS DISTINCT FROM NULL THEN {_left('%s', name, letters)} END"
            )
        elif column.width < 0:
            given.append(f"pg_catalog.left({name}::pg_catalog.text, {letters + 1})")
        else:
            given.append(name)
    # A line of its own: the query may end with a comment.
    inside = f"(\n{_bare(sql)}\n) AS asked ({', '.join(names)})"
    return f"SELECT {', '.join(given)} FROM {inside}"  # noqa: S608 - the query is the operator's


def _left(template: str, name: str, letters: int) -> str:
    return f"pg_catalog.left(pg_catalog.format('{template}', {name}), {letters + 1})"


def _plan(connection: psycopg.Connection[Any], sql: str) -> tuple[str, ...]:
    # The option keeps a query that begins with a bracket from being read as options.
    found = _rows(connection, f"EXPLAIN (COSTS) {sql}", PAGE_ROWS, None)
    return tuple(row[0] or "" for row in found.rows)


def _rows(connection: psycopg.Connection[Any], sql: str, most: int, letters: int | None) -> _Rows:
    """Rows one by one as they arrive: what is not wanted is never sent."""
    found: list[Row] = []
    size, cut, shortened = 0, False, False
    with connection.cursor() as cursor:
        for known in connection.adapters.types:
            for oid in filter(None, (known.oid, known.array_oid)):
                cursor.adapters.register_loader(oid, _AsWritten)
        # stream() speaks the extended protocol: a message with two statements is an error.
        arriving: Iterator[Row] = cursor.stream(sql.encode())
        for row in arriving:
            size += sum(len(value) for value in row if value is not None)
            if len(found) == most or size > _MOST_BYTES:
                cut = True
                break
            short = row if letters is None else tuple(_short(value, letters) for value in row)
            shortened = shortened or short != row
            found.append(short)
        arriving.close()  # type: ignore[attr-defined] # a generator; cancels the rest on the server
        columns = tuple(column.name for column in cursor.description or ())
    return _Rows(columns, tuple(found), cut, shortened)


def _short(value: str | None, letters: int) -> str | None:
    return value if value is None or len(value) <= letters else f"{value[:letters]}…"


def as_csv(answer: Answer) -> str:
    """The answer for a spreadsheet; no cell of it is a formula. NULL is an empty cell."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(name) for name in answer.columns])
    writer.writerows([harmless(value or "") for value in row] for row in answer.rows)
    return text.getvalue()


def harmless(value: str) -> str:
    """A cell that a spreadsheet shows and does not carry out; numbers stay numbers."""
    if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
