"""Partitions: made ahead, filled from DEFAULT where that was not done, and dropped when expired."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from psycopg import sql
from sqlalchemy import func, select, text

from bounty_ops.monitoring.history.chains import begin_of
from bounty_ops.schema.ops import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, TextClause

#: An advisory lock that writers of samples share; who must be alone has it alone.
WRITING_LOCK: Final = 0x72_6F_6C_6C
#: Whoever has to wait behind us waits no longer; another time will do.
_LOCK_TIMEOUT: Final = "2s"
_MONDAY: Final = date(1970, 1, 5)


@dataclass(frozen=True)
class Tree:
    """A partitioned table."""

    table: str
    column: str
    days: int
    """Of a partition. Longer ones begin on Mondays."""

    def begin(self, day: date) -> date:
        """The first day of the partition that a day belongs to."""
        return day - timedelta(days=(day - _MONDAY).days % self.days)

    def name(self, begin: date) -> str:
        """The partition that begins on a day."""
        return f"{self.table}_{begin:%Y%m%d}"

    @property
    def default(self) -> str:
        """The partition for what no other was made for."""
        return f"{self.table}_default"


#: Everybody locks the parent before DEFAULT, as queries do; in the other order two who wait for
#: each other are a deadlock, and the server ends one of them.
_MAKING: Final = (
    "LOCK TABLE ONLY {parent} IN SHARE UPDATE EXCLUSIVE MODE",
    # Before anything is moved: what is written meanwhile would be refused by the new bounds.
    "LOCK TABLE {default} IN ACCESS EXCLUSIVE MODE",
    "CREATE TABLE {part} (LIKE {parent} INCLUDING ALL)",
    (
        "WITH moved AS (DELETE FROM {default} WHERE {column} >= {low} AND {column} < {high} "
        "RETURNING *) INSERT INTO {part} SELECT * FROM moved"
    ),
    "ALTER TABLE {parent} ATTACH PARTITION {part} FOR VALUES FROM ({low}) TO ({high})",
)
_HOLDING: Final = (
    "LOCK TABLE ONLY {parent} IN ACCESS SHARE MODE",
    "LOCK TABLE {default} IN ACCESS SHARE MODE",
)

COLLECTION: Final = Tree("collection", "taken_at", 1)
SAMPLE: Final = Tree("sample", "taken_at", 1)
FIVE_MINUTES: Final = Tree("sample_5min", "starts_at", 7)
HOURLY: Final = Tree("sample_hourly", "starts_at", 28)
TREES: Final = (COLLECTION, SAMPLE, FIVE_MINUTES, HOURLY)


def existing(connection: Connection, tree: Tree) -> list[date]:
    """When its partitions begin, oldest first."""
    rows = connection.scalars(
        text(
            "SELECT c.relname FROM pg_catalog.pg_inherits AS i "
            "JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid "
            "WHERE i.inhparent = pg_catalog.to_regclass(:parent)"
        ),
        {"parent": f"{SCHEMA}.{tree.table}"},
    )
    found = (re.fullmatch(rf"{tree.table}_(\d{{8}})", name) for name in rows)
    begins = (datetime.strptime(each[1], "%Y%m%d") for each in found if each)  # noqa: DTZ007 - a day
    return sorted(begin.date() for begin in begins)


def days_in_default(connection: Connection, tree: Tree) -> list[date]:
    """The days of what lies in the DEFAULT partition, oldest first."""
    rows = connection.execute(
        _sql(
            "SELECT DISTINCT ({column} AT TIME ZONE 'UTC')::date AS day FROM {default} ORDER BY 1",
            tree,
        )
    )
    return [row.day for row in rows]


def make(connection: Connection, tree: Tree, begin: date) -> str:
    """Make a partition, in a transaction of its own; its rows that lie in DEFAULT are moved."""
    names = {
        "part": sql.Identifier(SCHEMA, tree.name(begin)),
        "low": sql.Literal(begin_of(begin).isoformat()),
        "high": sql.Literal(begin_of(begin + timedelta(days=tree.days)).isoformat()),
    }
    with alone(connection):
        for statement in _MAKING:
            connection.execute(_sql(statement, tree, **names))
    return tree.name(begin)


def drop(connection: Connection, tree: Tree, begin: date) -> str:
    """Drop a partition, in the caller's transaction; he is `alone`.

    DETACH ... CONCURRENTLY is not possible beside a DEFAULT partition; the lock on the parent is
    held for as long as it takes to write the catalog.
    """
    part = sql.Identifier(SCHEMA, tree.name(begin))
    connection.execute(_sql("ALTER TABLE {parent} DETACH PARTITION {part}", tree, part=part))
    connection.execute(_sql("DROP TABLE {part}", tree, part=part))
    return tree.name(begin)


def delete_from_default(connection: Connection, tree: Tree, day: date) -> int:
    """Delete what came too late for a day that has been dropped, in the caller's transaction.

    Returns how many rows.
    """
    deleted = connection.execute(
        _sql(
            "DELETE FROM {default} WHERE {column} >= {low} AND {column} < {high}",
            tree,
            low=sql.Literal(begin_of(day).isoformat()),
            high=sql.Literal(begin_of(day + timedelta(days=1)).isoformat()),
        )
    )
    return deleted.rowcount


@contextmanager
def alone(connection: Connection) -> Iterator[None]:
    """A transaction in which nobody else writes samples.

    Otherwise a writer who waits for the DEFAULT partition, while his day gets one of its own, would
    be refused; and what he adds to a day that is just being dropped would be lost with it.

    Raises:
        OperationalError: somebody holds a lock for longer than others should wait behind us.
    """
    with connection.begin():
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'"))
        connection.execute(select(func.pg_advisory_xact_lock(WRITING_LOCK)))
        yield


def hold(connection: Connection) -> None:
    """Let nobody make or drop partitions of samples until this reader's transaction ends.

    To be called before its first query. Rows that are moved into a partition of their own are in
    neither place for a snapshot from before: the DEFAULT partition is no longer searched for them,
    and the new one was empty.
    """
    for tree in (COLLECTION, SAMPLE):
        # Making and dropping lock DEFAULT; the others, which may be many, need not be locked.
        for statement in _HOLDING:
            connection.execute(_sql(statement, tree))


def _sql(statement: str, tree: Tree, **parts: sql.Composable) -> TextClause:
    composed = sql.SQL(statement).format(
        parent=sql.Identifier(SCHEMA, tree.table),
        default=sql.Identifier(SCHEMA, tree.default),
        column=sql.Identifier(tree.column),
        **parts,
    )
    return text(composed.as_string().replace(":", r"\:"))
