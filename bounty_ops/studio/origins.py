"""Which columns of a query's result are hidden columns of tables, before it is run.

The server describes a statement without running it, and says of each column of the result which
column of which relation it is (the row description's table and attribute number), through joins,
subqueries and WITH. A view ends that trace; it is taken up again in the view's own definition.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from bounty_ops.studio.mentions import computes_from, relations_of
from bounty_ops.studio.secrets import COLUMNS

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

    from bounty_ops.studio.secrets import Secrets

_VIEWS: Final = frozenset({"v", "m"})
#: A view upon a view upon a view: deeper than anybody builds them.
_DEEPEST: Final = 16


@dataclass(frozen=True)
class ResultColumn:
    """One column of a result, as the server describes it."""

    name: str
    table: int
    """Its object id; 0: it is computed."""
    number: int
    """Of the column there; 0: the whole row."""
    type: int
    width: int
    """In bytes; below 0: it depends on the value."""


@dataclass
class _Relation:
    name: str
    is_view: bool
    columns: dict[int, str] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)


def describe(connection: psycopg.Connection[Any], sql: str) -> tuple[ResultColumn, ...]:
    """The columns that a statement would give; it is not run.

    Raises:
        psycopg.Error: the server cannot make sense of it.
    """
    _well(connection, connection.pgconn.prepare(b"", sql.encode()))
    found = _well(connection, connection.pgconn.describe_prepared(b""))
    return tuple(
        ResultColumn(
            (found.fname(number) or b"").decode(errors="replace"),
            found.ftable(number),
            found.ftablecol(number),
            found.ftype(number),
            found.fsize(number),
        )
        for number in range(found.nfields)
    )


def hidden_columns(
    connection: psycopg.Connection[Any],
    sql: str,
    columns: tuple[ResultColumn, ...],
    secrets: Secrets,
) -> frozenset[int]:
    """Which of the `columns` of a query, by place, hold hidden values or may hold them."""
    return _hidden(connection, sql, columns, secrets, 0)


def _hidden(
    connection: psycopg.Connection[Any],
    sql: str,
    columns: tuple[ResultColumn, ...],
    secrets: Secrets,
    depth: int,
) -> frozenset[int]:
    relations = _relations(connection, relations_of(sql), secrets, depth)
    by_name: dict[str, frozenset[str]] = {}
    for one in relations.values():
        names = frozenset(one.columns[number] for number in one.hidden)
        if names:
            by_name[one.name] = by_name.get(one.name, frozenset()) | names
    computed = bool(by_name) and computes_from(sql, by_name)
    return frozenset(
        place
        for place, column in enumerate(columns)
        if (_is_hidden(column, relations) if column.table else computed)
    )


def _is_hidden(column: ResultColumn, relations: dict[int, _Relation]) -> bool:
    origin = relations.get(column.table)
    if origin is None:
        return False
    return column.number in origin.hidden if column.number else bool(origin.hidden)


def _relations(
    connection: psycopg.Connection[Any], names: frozenset[str], secrets: Secrets, depth: int
) -> dict[int, _Relation]:
    """The relations with these names by object id, in all schemas, with what is hidden of them."""
    wanted = sorted(names)
    found: dict[int, _Relation] = {}
    for row in connection.execute(COLUMNS.encode(), [wanted, wanted]).fetchall():
        schema, table, column, _, own, oid, number, kind, holds_text = row
        one = found.setdefault(oid, _Relation(own, kind in _VIEWS))
        one.columns[number] = column
        if secrets.hides(schema, table, column, holds_text=holds_text):
            one.hidden.add(number)
    if depth < _DEEPEST:
        for oid, one in found.items():
            if one.is_view:
                one.hidden |= _hidden_of_view(connection, oid, one, secrets, depth)
    return found


def _hidden_of_view(
    connection: psycopg.Connection[Any],
    oid: int,
    view: _Relation,
    secrets: Secrets,
    depth: int,
) -> set[int]:
    """Columns of a view that are hidden columns of what it is made of, or made out of them."""
    try:
        with connection.transaction():
            row = connection.execute(
                "SELECT pg_catalog.pg_get_viewdef(%s::bigint::oid)", [oid]
            ).fetchone()
            definition = str(row[0]).strip().rstrip(";") if row else ""
            columns = describe(connection, definition)
            hidden = _hidden(connection, definition, columns, secrets, depth + 1)
    except psycopg.errors.InsufficientPrivilege:
        return set()  # then its columns' names are all there is to go by
    # A column's number survives the removal of others; a view's columns cannot be removed.
    numbers = sorted(view.columns)
    return {numbers[place] for place in hidden if place < len(numbers)}


def _well(connection: psycopg.Connection[Any], result: PGresult) -> PGresult:
    if result.status != ExecStatus.COMMAND_OK:
        raise error_from_result(result, encoding=connection.info.encoding)
    return result
