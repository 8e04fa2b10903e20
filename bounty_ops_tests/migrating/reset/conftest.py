"""A database that somebody has worked in, and ways to look at it and beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from bounty_ops.migrating.reset import plan_reset
from bounty_ops.migrating.resetting import Reset, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl, Environment

_ROWS = 400


def connection_to(url: DatabaseUrl, **more: str) -> psycopg.Connection[Any]:
    """Connect as the database's own role."""
    return psycopg.connect(**{**url.conninfo(), **more}, autocommit=True)  # type: ignore[arg-type] # libpq's words


@pytest.fixture
def mine(make_database: Callable[[], DatabaseUrl]) -> Iterator[DatabaseUrl]:
    """A database that somebody has worked in."""
    url = make_database()
    with connection_to(url) as connection:
        connection.execute("CREATE TABLE mine AS SELECT generate_series(1, 7) AS number")
    yield url
    with connection_to(url.with_database("postgres")) as connection:
        for name in left_beside(url):
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def left_beside(url: DatabaseUrl) -> list[str]:
    """The databases that a reset may have left."""
    with connection_to(url.with_database("postgres")) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    return sorted(name for (name,) in rows if name.startswith(f"{url.database}_"))


def count(url: DatabaseUrl, table: str) -> int:
    """How many rows a table has."""
    with connection_to(url) as connection:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def made_anew(here: Environment, *, rows: int | None = _ROWS) -> Reset:
    """Reset it, with consent."""
    plan = plan_reset(here, rows=rows)
    return reset(plan, here, operator="tester", digest=plan.digest)
