"""A database with objects of every class, and what is expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from bounty_ops.migrating.catalog import Catalog, read_catalog
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.postgres.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

EVERY_CLASS = Path(__file__).with_name("every_class.sql")
_TEMPLATE = "of_every_class"


@dataclass(frozen=True)
class Sound:
    """A database as it should be."""

    url: DatabaseUrl
    expected: Catalog

    def copy(self, connection: psycopg.Connection[TupleRow], name: str) -> DatabaseUrl:
        """Another one like it."""
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(self.url.database)
            )
        )
        return self.url.with_database(name)


def baseline() -> bytes:
    """The DDL of Bounty's 37 tables."""
    return (BOUNTY.directory() / "versions" / "bounty_0001_baseline.sql").read_bytes()


@pytest.fixture(scope="session")
def sound_of(pg_server_of: Callable[[int], DatabaseUrl]) -> Iterator[Callable[[int], Sound]]:
    """``sound_of(major)``: made when first asked for, kept for the session."""
    made: dict[int, Sound] = {}

    def sound(major: int) -> Sound:
        if major not in made:
            server = pg_server_of(major)
            with connect(server, application_name="tests") as connection:
                connection.execute(f"CREATE DATABASE {_TEMPLATE}".encode())
            url = server.with_database(_TEMPLATE)
            with connect(url, application_name="tests") as connection:
                connection.execute(baseline())
                connection.execute(EVERY_CLASS.read_bytes())
                made[major] = Sound(url, read_catalog(connection))
        return made[major]

    yield sound
    for each in made.values():
        with connect(each.url.with_database("postgres"), application_name="tests") as connection:
            connection.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)".encode())
