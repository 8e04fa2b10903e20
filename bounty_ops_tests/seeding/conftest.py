"""A database full of sample data that the session shares, and environments to seed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from bounty_ops.environments import Environment, Policy
from bounty_ops.postgres.connect import connect, engine
from bounty_ops.schema.bounty import Base
from bounty_ops.seeding import SeedResult, seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.environments import DatabaseUrl


def environment_of(url: DatabaseUrl | None, **policy: object) -> Environment:
    """An environment called `development` with that database."""
    return Environment("development", url, Policy.of("development", policy))


def create_schema(url: DatabaseUrl) -> None:
    """Create Bounty's tables, empty."""
    made = engine(url, application_name="tests")
    Base.metadata.create_all(made)
    made.dispose()


def counted(url: DatabaseUrl) -> dict[str, int]:
    """How many rows each of Bounty's tables holds."""
    with connect(url, application_name="tests") as connection:
        counts = {}
        for table in Base.metadata.tables:
            query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table))
            counts[table] = first(connection.execute(query))
        return counts


def first(cursor: psycopg.Cursor[tuple[object, ...]]) -> int:
    """The number that a query gives."""
    row = cursor.fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


@dataclass(frozen=True)
class Seeded:
    """A filled database: where it is, what was said about it, and a connection to ask."""

    url: DatabaseUrl
    result: SeedResult
    progress: tuple[int, ...]
    connection: psycopg.Connection[tuple[object, ...]]

    def count(self, query: str) -> int:
        """The number that a query gives."""
        return first(self.connection.execute(query.encode()))


@pytest.fixture(scope="session")
def seeded(pg_server: DatabaseUrl) -> Iterator[Seeded]:
    """A database with twenty thousand rows; read only, please."""
    url = pg_server.with_database(f"seeded_{secrets.token_hex(6)}")
    name = sql.Identifier(url.database)
    with connect(pg_server, application_name="tests") as administration:
        administration.execute(sql.SQL("CREATE DATABASE {}").format(name))
        create_schema(url)
        progress: list[int] = []
        result = seed(environment_of(url), rows=20_000, progress=progress.append)
        with connect(url, application_name="tests", read_only=True) as connection:
            yield Seeded(url, result, tuple(progress), connection)
        administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def empty_bounty(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A database with Bounty's tables and not a row in them."""
    create_schema(fresh_database)
    return fresh_database
