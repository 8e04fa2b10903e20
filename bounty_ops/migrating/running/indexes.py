"""Indexes as they are found before one is built, dropped or rebuilt CONCURRENTLY."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import psycopg
from pglast import ast, parse_sql
from pglast.stream import RawStream

from bounty_ops.migrating.running.statement import Name

if TYPE_CHECKING:
    from bounty_ops.migrating.running.statement import Statement

_FIND: Final = """
    SELECT n.nspname, i.relname, pg_catalog.pg_get_indexdef(i.oid),
           coalesce(x.indrelid = t.oid, false), coalesce(x.indisvalid AND x.indisready, false)
    FROM pg_catalog.pg_class t
    JOIN pg_catalog.pg_class i ON i.relnamespace = t.relnamespace AND i.relname = %s
    JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
    LEFT JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid
    WHERE t.oid = pg_catalog.to_regclass(%s)
"""
_LEFTOVERS: Final = """
    SELECT n.nspname, i.relname
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    JOIN pg_catalog.pg_namespace n ON n.oid = i.relnamespace
    JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
    LEFT JOIN pg_catalog.pg_class main ON main.reltoastrelid = t.oid
    LEFT JOIN pg_catalog.pg_index named ON named.indexrelid = pg_catalog.to_regclass(%(name)s)
    WHERE NOT x.indisvalid AND i.relname ~ '_cc(new|old)[0-9]*$'
      AND CASE
        WHEN %(name)s = '""' THEN %(schema)s::text IS NULL
            OR coalesce(main.relnamespace, t.relnamespace) = pg_catalog.to_regnamespace(%(schema)s)
        WHEN named.indexrelid IS NOT NULL THEN x.indrelid = named.indrelid
            AND starts_with(%(index)s, regexp_replace(i.relname, '_cc(new|old)[0-9]*$', ''))
        ELSE coalesce(main.oid, t.oid) = pg_catalog.to_regclass(%(name)s) END
    ORDER BY 1, 2
"""
_PROBE: Final = "bounty_ops_probe"


@dataclass(frozen=True)
class FoundIndex:
    """A relation that has the name of an index that is to be built."""

    name: Name
    definition: str | None
    on_table: bool
    """Whether it is an index of the table in question."""
    valid: bool


def find_index(connection: psycopg.Connection[Any], table: Name, index: str) -> FoundIndex | None:
    """Look for a relation of the index's name in the schema of its table."""
    row = connection.execute(_FIND, (index, table.quoted())).fetchone()
    if row is None:
        return None
    schema, name, definition, on_table, valid = row
    return FoundIndex(Name(name, schema), definition, on_table, valid)


def drop_concurrently(connection: psycopg.Connection[Any], index: Name) -> None:
    """Remove an index that nobody can use."""
    connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.quoted()}".encode())


def leftovers_of_reindex(connection: psycopg.Connection[Any], statement: Statement) -> list[Name]:
    """Return the INVALID indexes that a broken REINDEX CONCURRENTLY of the same has left."""
    named = statement.relation or Name("")
    found = connection.execute(
        _LEFTOVERS,
        {
            "name": named.quoted() if named.name else '""',
            "schema": Name(named.schema).quoted() if named.schema else None,
            "index": statement.index or "",
        },
    )
    return [Name(name, schema) for schema, name in found]


def same_definition(
    connection: psycopg.Connection[Any], found: FoundIndex, statement: Statement
) -> bool:
    """Whether an index is the one that a statement would build.

    PostgreSQL itself says: the same is built on an empty copy of the table, in a transaction that
    is rolled back. Comparing the texts would stumble over every default and cast.
    """
    if statement.relation is None or found.definition is None:
        return False
    node = _index_on(statement.sql, _PROBE, schema="pg_temp")
    node.idxname = _PROBE + "_index"
    node.concurrent = False
    node.if_not_exists = False
    try:
        with connection.transaction(force_rollback=True):
            copied = f"CREATE TEMP TABLE {_PROBE} (LIKE {statement.relation.quoted()})"
            connection.execute(copied.encode())
            connection.execute(RawStream()(node).encode())
            row = connection.execute(
                "SELECT pg_catalog.pg_get_indexdef(pg_catalog.to_regclass(%s))",
                (f"pg_temp.{_PROBE}_index",),
            ).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return False
    return row is not None and _essence(row[0]) == _essence(found.definition)


def _essence(definition: str) -> str:
    """Return a definition without the names of the index and of its table."""
    node = _index_on(definition, "t")
    node.idxname = "i"
    return str(RawStream()(node))


def _index_on(sql: str, table: str, *, schema: str | None = None) -> ast.IndexStmt:
    """Return a CREATE INDEX as if it were on another table."""
    node = parse_sql(sql)[0].stmt
    if not isinstance(node, ast.IndexStmt):
        raise TypeError(type(node))
    node.relation = ast.RangeVar(schemaname=schema, relname=table, inh=True, relpersistence="p")
    return node
