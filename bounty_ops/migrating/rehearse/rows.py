"""What the rows of each table hold, column by column, so that a migration's work can be told.

A column's fingerprint is the sum of the hashes of its values, each seeded with the row's primary
key, where there is one: values that trade places between rows are seen. A table is known by its
number, so that a new name does not make it another one; a column by name and position, so that
one which was dropped and made anew is another one. Partitions add up to their partitioned table.

Sound to about 2^-62 by chance, as `bounty_ops.postgres.fingerprint`; no protection from forgery.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops.migrating.lineage import VERSION_SCHEMA
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.pinned import pin_settings

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

_MODULUS: Final = 1 << 64
_COLUMNS: Final = """
SELECT c.oid,
       coalesce((SELECT a.relid FROM pg_catalog.pg_partition_ancestors(c.oid) a
                   JOIN pg_catalog.pg_class r ON r.oid = a.relid AND NOT r.relispartition
                  WHERE c.relispartition), c.oid)::oid,
       n.nspname::text, c.relname::text,
       coalesce(columns.names, '{}'), coalesce(columns.numbers, '{}'),
       coalesce(columns.types, '{}'),
       coalesce((SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attname)
                   FROM pg_catalog.pg_index i
                   JOIN pg_catalog.pg_attribute a
                     ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                  WHERE i.indrelid = c.oid AND i.indisprimary), '{}')
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (
       SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) AS names,
              pg_catalog.array_agg(a.attnum::int ORDER BY a.attnum) AS numbers,
              pg_catalog.array_agg(CASE WHEN t.typnamespace <> 'pg_catalog'::regnamespace
                                        THEN coalesce(e.typname, t.typname)::text ELSE '' END
                                   ORDER BY a.attnum) AS types
         FROM pg_catalog.pg_attribute a
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
         LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem AND t.typlen = -1
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) columns ON true
 WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
   AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
   AND n.nspname NOT IN ('information_schema', %s)
 ORDER BY c.relispartition, c.oid
"""
_CELL: Final = sql.SQL(
    "coalesce(pg_catalog.sum("
    'pg_catalog.hashtextextended(ROW({column})::text COLLATE "C", {seed})), 0)'
)
_SEED: Final = sql.SQL('pg_catalog.hashtextextended(ROW({key})::text COLLATE "C", 0)')


@dataclass(frozen=True)
class ColumnId:
    """A column of a table, which keeps its place for as long as it exists."""

    name: str
    number: int


@dataclass
class TableRows:
    """What one table holds."""

    schema: str
    name: str
    rows: int
    key: tuple[str, ...]
    """Columns of the primary key."""
    sums: dict[ColumnId, int]
    types: dict[str, str]
    """Column to the name of its type, or of its elements' type; empty for PostgreSQL's own."""

    @property
    def label(self) -> str:
        """Schema and name, for people."""
        return f"{self.schema}.{self.name}"


def read_rows(url: DatabaseUrl, application_name: str) -> dict[int, TableRows]:
    """Fingerprint every table but the migrations' own, by its number.

    Raises PostgresError when the database cannot be read.
    """
    with connect(url, application_name=application_name) as connection:
        relations = connection.execute(_COLUMNS, [VERSION_SCHEMA]).fetchall()
        pin_settings(connection)
        found: dict[int, TableRows] = {}
        for _, unit, schema, name, names, numbers, types, key in relations:
            if unit not in found:  # partitioned tables come before their partitions
                found[unit] = TableRows(
                    schema=schema,
                    name=name,
                    rows=0,
                    key=tuple(key),
                    sums=dict.fromkeys(map(ColumnId, names, numbers), 0),
                    types=dict(zip(names, types, strict=True)),
                )
            _add(connection, found[unit], sql.Identifier(schema, name), names)
    return found


def _add(
    connection: psycopg.Connection[TupleRow],
    table: TableRows,
    name: sql.Identifier,
    there: list[str],
) -> None:
    """Add what one relation holds itself; a partitioned table holds nothing."""
    columns = [column for column in table.sums if column.name in there]
    key = sql.SQL(", ").join(map(sql.Identifier, table.key))
    seed = _SEED.format(key=key) if table.key else sql.SQL("0")
    cells = [_CELL.format(column=sql.Identifier(column.name), seed=seed) for column in columns]
    counted = [sql.SQL("pg_catalog.count(*)"), *cells]
    statement = sql.SQL("SELECT {} FROM ONLY {}").format(sql.SQL(", ").join(counted), name)
    row = connection.execute(statement).fetchone()
    if row is None:  # an aggregate without GROUP BY always has one row
        message = "the server answered an aggregate with no row"
        raise AssertionError(message)
    table.rows += row[0]
    for column, total in zip(columns, row[1:], strict=True):
        table.sums[column] = (table.sums[column] + int(total)) % _MODULUS
