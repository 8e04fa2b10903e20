"""Run one query that reads: in a transaction that cannot write, for a while, for so many rows."""

from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.adapt import Loader

from bounty_ops.postgres.connect import connect
from bounty_ops.studio.database import APPLICATION, STATEMENT_MILLISECONDS
from bounty_ops.studio.statement import require_reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg.abc import Buffer

    from bounty_ops.environments import DatabaseUrl

PAGE_ROWS: Final = 500
CSV_ROWS: Final = 100_000
#: What an answer may take of this machine's memory; a cell can hold a gigabyte.
_MOST_BYTES: Final = 32 * 1024 * 1024
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
    seconds: float
    plan: tuple[str, ...]
    """What EXPLAIN said; nothing for statements that have no plan."""


class _AsWritten(Loader):
    """A value in the server's own words: dates beyond Python's, every digit."""

    def load(self, data: Buffer) -> str:
        return bytes(data).decode(errors="replace")


def ask(url: DatabaseUrl, sql: str, *, most: int = PAGE_ROWS, run: bool = True) -> Answer:
    """Run `sql` and return at most `most` rows; without `run` only its plan.

    Raises:
        UsageError: it is not one statement that reads.
        PostgresError: the server refused it, it took too long, or nobody answers.
    """
    has_plan = require_reading(sql)
    with connect(
        url,
        application_name=f"{APPLICATION} (query)",
        read_only=True,
        statement_timeout_ms=STATEMENT_MILLISECONDS,
    ) as connection:
        connection.execute("SET lock_timeout = '3s'")
        connection.execute("BEGIN TRANSACTION READ ONLY")
        # Once a transaction has seen data, the server lets nothing make it READ WRITE any more.
        connection.execute("SELECT 1")
        plan = _plan(connection, sql) if has_plan else ()
        began = time.monotonic()
        columns, rows, cut = _rows(connection, sql, most) if run else ((), (), False)
        seconds = time.monotonic() - began
        if not cut:
            connection.execute("ROLLBACK")
    return Answer(columns, rows, cut, seconds, plan)


def _plan(connection: psycopg.Connection[Any], sql: str) -> tuple[str, ...]:
    # The option keeps a query that begins with a bracket from being read as options.
    _, rows, _ = _rows(connection, f"EXPLAIN (COSTS) {sql}", PAGE_ROWS)
    return tuple(row[0] or "" for row in rows)


def _rows(
    connection: psycopg.Connection[Any], sql: str, most: int
) -> tuple[tuple[str, ...], tuple[Row, ...], bool]:
    """Rows one by one as they arrive: what is not wanted is never sent."""
    found: list[Row] = []
    size, cut = 0, False
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
            found.append(row)
        arriving.close()  # type: ignore[attr-defined] # a generator; cancels the rest on the server
        columns = tuple(column.name for column in cursor.description or ())
    return columns or _described(connection, sql), tuple(found), cut


def _described(connection: psycopg.Connection[Any], sql: str) -> tuple[str, ...]:
    """The columns of a query that ran and gave no row; it is not run again."""
    connection.pgconn.prepare(b"", sql.encode())
    found = connection.pgconn.describe_prepared(b"")
    names = (found.fname(number) for number in range(found.nfields))
    return tuple(name.decode(errors="replace") for name in names if name is not None)


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
