"""Giving rows a value page by page, from a revision file.

Stable: revision files import this for as long as there are databases that have not had them.
Arguments may be added; none changes its meaning.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

import psycopg
from alembic import op
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bounty_ops.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

ROWS: Final = 1000
PAUSE_SECONDS: Final = 0.02
_ATTEMPTS: Final = 10
_LONGEST_PAUSE_SECONDS: Final = 5.0
#: lock_not_available and deadlock_detected: somebody else has a row of the page.
_WORTH_ANOTHER_ATTEMPT: Final = frozenset({"55P03", "40P01"})
_KEY_TYPES: Final = """
    SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod)
    FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = to_regclass(:table) AND NOT a.attisdropped
"""


def backfill(
    table: str,
    *,
    key: Sequence[str],
    assignments: str,
    where: str,
    rows: int = ROWS,
    pause_seconds: float = PAUSE_SECONDS,
) -> None:
    """Run ``UPDATE table SET assignments WHERE where``, page by page, each page committed.

    A page is ``rows`` rows that follow one another by the key, so no lock outlives a page and no
    page takes longer than another. ``where`` has to be false for a row that has had its value:
    then nothing is done twice, and after a crash the next run does what is left. It has to be the
    only thing in its revision. Rows that are written meanwhile need a default or a trigger.

    Args:
        table: qualified, and quoted where it must be.
        key: the columns of the primary key, as they are called (unquoted).
        assignments: what follows SET.
        where: which rows still need their value.
        rows: how many rows a page has.
        pause_seconds: how long to rest after each page.

    Raises:
        UsageError: there is no such table, or no such column in it.
        sqlalchemy.exc.DBAPIError: a page failed; those before it stay.
    """
    context = op.get_context()
    with context.autocommit_block():
        if context.as_sql:
            op.execute(text(_escaped(one_page(table, key, assignments, where, rows))))
            return
        pages = _Pages(op.get_bind(), table, tuple(key), f"SET {assignments} WHERE ({where})")
        while pages.turn(rows):
            time.sleep(pause_seconds)


def one_page(table: str, key: Sequence[str], assignments: str, where: str, rows: int) -> str:
    """A page as one statement, for people and for linters: the first one, repeated."""
    columns = _listed(key)
    page = f"SELECT {columns} FROM {table} WHERE {where}"  # noqa: S608 - the revision's own words
    return (
        f"-- Page after page of {rows} rows by {columns}, each committed, until no row is left:\n"
        f"UPDATE {table} SET {assignments}\n"
        f"WHERE ({columns}) IN (\n    {page}\n    ORDER BY {columns} LIMIT {rows})"
    )


class _Pages:
    """A way through a table along its key."""

    def __init__(
        self, connection: Connection, table: str, key: tuple[str, ...], change: str
    ) -> None:
        self._connection = connection
        self._table = table
        self._change = change
        self._columns = _listed(key)
        self._types = self._read_types(key)
        self._after: list[str] | None = None

    def _read_types(self, key: tuple[str, ...]) -> list[str]:
        rows = self._connection.execute(text(_KEY_TYPES), {"table": self._table})
        found = {str(row[0]): str(row[1]) for row in rows}
        missing = [name for name in key if name not in found]
        if missing or not key:
            raise UsageError(
                f"{self._table} cannot be gone through by its key: there is no column "
                f"{', '.join(missing) or 'given'} in it",
                hint="Name the columns of its primary key.",
            )
        return [found[name] for name in key]

    def turn(self, rows: int) -> bool:
        """Change one page; False after the last one."""
        end = self._end_of_page(rows)
        bounds, values = [], {}
        for limits, sign, name in ((self._after, ">", "after"), (end, "<=", "end")):
            if limits is not None:
                bounds.append(f"AND {self._compared(sign, name)}")
                values.update({f"{name}_{n}": value for n, value in enumerate(limits)})
        statement = f"UPDATE {self._table} {_escaped(self._change)} {' '.join(bounds)}".strip()
        self._patiently(statement, values)
        self._after = end
        return end is not None

    def _end_of_page(self, rows: int) -> list[str] | None:
        names = self._columns.split(", ")
        # Under names of their own: ORDER BY would take a column of the result for the table's.
        shown = ", ".join(f"CAST({name} AS text) AS shown_{n}" for n, name in enumerate(names))
        condition = "" if self._after is None else f"WHERE {self._compared('>', 'after')} "
        values = {f"after_{n}": value for n, value in enumerate(self._after or ())}
        question = (
            f"SELECT {shown} FROM {self._table} {condition}"  # noqa: S608 - as above
            f"ORDER BY {self._columns} OFFSET {rows - 1} LIMIT 1"
        )
        found = self._connection.execute(text(question), values).first()
        return None if found is None else [str(value) for value in found]

    def _compared(self, sign: str, name: str) -> str:
        values = ", ".join(
            f"CAST(:{name}_{number} AS {kind})" for number, kind in enumerate(self._types)
        )
        return f"({self._columns}) {sign} ({values})"

    def _patiently(self, statement: str, values: dict[str, str]) -> None:
        """Try a page again while somebody else has one of its rows."""
        for attempt in range(1, _ATTEMPTS):
            try:
                self._connection.execute(text(statement), values)
            except DBAPIError as error:
                cause = error.orig
                state = cause.sqlstate if isinstance(cause, psycopg.Error) else None
                if state not in _WORTH_ANOTHER_ATTEMPT:
                    raise
                time.sleep(min(0.1 * 2**attempt, _LONGEST_PAUSE_SECONDS))
            else:
                return
        self._connection.execute(text(statement), values)


def _listed(key: Sequence[str]) -> str:
    return ", ".join(
        name if re.fullmatch(r"[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'
        for name in key
    )


def _escaped(sql: str) -> str:
    """Keep SQLAlchemy from taking ``:word`` for a parameter."""
    return sql.replace(":", r"\:")
