"""Writing a world into a database: preconditions, locks, COPY, statistics."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg import sql

from bounty_ops.errors import SeedingError
from bounty_ops.seeding.ahead import ahead
from bounty_ops.seeding.encoding import encode
from bounty_ops.seeding.tables import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from psycopg import Connection
    from psycopg.rows import TupleRow

    from bounty_ops.seeding.world import World

_SCHEMA: Final = "public"
_NAMED_AT_MOST: Final = 5
#: About 64 KB.
_ROWS_A_BLOCK: Final = 400
#: About 8 MB: what is made while the foreign keys of a table of 50,000 rows are checked.
_BLOCKS_AHEAD: Final = 128

_COLUMNS: Final = """
SELECT c.relname, array_agg(a.attname::text)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = %s
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p')
GROUP BY c.relname
"""


def require_schema(connection: Connection[TupleRow]) -> None:
    """Make sure that all of Bounty's tables are there with the columns that are written.

    Raises:
        SeedingError: a table or a column is missing; names them.
    """
    found: Mapping[str, list[str]] = dict(connection.execute(_COLUMNS, (_SCHEMA,)).fetchall())
    tables = sorted(set(SOURCES) - set(found))
    columns = [
        f"{table}.{column}"
        for table, source in sorted(SOURCES.items())
        for column in source.columns
        if table in found and column not in found[table]
    ]
    if len(tables) == len(SOURCES):
        missing = "any of its tables"
    elif tables:
        missing = _some(tables, "table")
    elif columns:
        missing = _some(columns, "column")
    else:
        return
    raise SeedingError(
        f"the database does not have Bounty's schema: it lacks {missing}",
        hint="Bring it up to date first: bounty-ops db migrate.",
    )


def lock_tables(connection: Connection[TupleRow], order: Sequence[str]) -> None:
    """Keep every other writer out until the transaction ends; readers go on.

    Two seedings at the same time would both find the tables empty and both fill them.
    """
    tables = sql.SQL(", ").join(sql.Identifier(_SCHEMA, table) for table in order)
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(tables))


def require_empty(connection: Connection[TupleRow], order: Sequence[str]) -> None:
    """Make sure that no table has a row.

    Raises:
        SeedingError: some have; names them.
    """
    asked = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(
            sql.Literal(table), sql.Identifier(_SCHEMA, table)
        )
        for table in order
    )
    filled = sorted(str(row[0]) for row in connection.execute(asked))
    if filled:
        raise SeedingError(
            f"the database already holds data: there are rows in {_some(filled, 'table')}",
            hint="Sample data is only written into empty tables. To lose what a development "
            "database holds and begin anew: bounty-ops db reset. Or name a new database.",
        )


def copy_tables(
    connection: Connection[TupleRow],
    world: World,
    order: Sequence[str],
    progress: Callable[[int], None],
) -> None:
    """COPY all rows, table by table; a thread makes those that come next.

    Foreign keys stay on: PostgreSQL checks a table's rows when its COPY ends.
    """
    written = 0
    with ahead(_blocks(world, order), most=_BLOCKS_AHEAD) as blocks:
        for table in order:
            columns = map(sql.Identifier, SOURCES[table].columns)
            command = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(_SCHEMA, table), sql.SQL(", ").join(columns)
            )
            with connection.cursor() as cursor, cursor.copy(command) as copy:
                for block in iter(blocks.__next__, _END_OF_TABLE):
                    copy.write(block.body)
                    written += block.rows
                    progress(written)


class _Block(NamedTuple):
    """Rows of one table, as COPY takes them."""

    rows: int
    body: bytes


#: The COPY of a table ends before the next table's first rows are made.
_END_OF_TABLE: Final = _Block(0, b"")


def _blocks(world: World, order: Sequence[str]) -> Iterator[_Block]:
    for table in order:
        rows = SOURCES[table].rows(world, world.counts[table])
        while some := list(islice(rows, _ROWS_A_BLOCK)):
            yield _Block(len(some), encode(some))
        yield _END_OF_TABLE


def analyze_tables(connection: Connection[TupleRow], order: Sequence[str]) -> None:
    """Give the planner statistics now, so that the first queries are not planned blindly."""
    tables = sql.SQL(", ").join(sql.Identifier(_SCHEMA, table) for table in order)
    connection.execute(sql.SQL("ANALYZE {}").format(tables))


def _some(names: Sequence[str], noun: str) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    more = len(names) - _NAMED_AT_MOST
    plural = noun if len(names) == 1 else f"{noun}s"
    return f"the {plural} {shown}" + (f" and {more} more" if more > 0 else "")
