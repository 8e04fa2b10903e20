"""A throw-away server on which a change is tried out before it is written down."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from psycopg import sql as psql
from sqlalchemy import text

from bounty_ops.embedded.throwaway import throwaway_cluster
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.migrating.running.bookkeeping import Cause
from bounty_ops.migrating.stepping import run_revision
from bounty_ops.postgres.connect import connect, engine, translated
from bounty_ops.postgres.programs import find_programs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import MetaData

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.catalog import Catalog

APPLICATION: Final = "bounty-ops generate"
_TEMPLATE: Final = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@dataclass
class Laboratory:
    """A server whose databases nobody misses."""

    server: DatabaseUrl
    made: list[str] = field(default_factory=list)

    def database(self, template: DatabaseUrl | None = None) -> DatabaseUrl:
        """A new database, empty or a copy of another."""
        name = f"generate_{secrets.token_hex(6)}"
        source = "template1" if template is None else template.database
        statement = psql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with connect(self.server, application_name=APPLICATION) as connection:
            if template is not None:
                connection.execute(_TEMPLATE, (template.database,))
            connection.execute(statement.format(psql.Identifier(name), psql.Identifier(source)))
        self.made.append(name)
        return self.server.with_database(name)

    def migrated(self, directory: Path, template: DatabaseUrl | None = None) -> DatabaseUrl:
        """A database at the head of a line of migrations."""
        url = self.database(template)
        for revision in read_revisions(directory).order:
            run_revision(url, directory, revision.id)
        return url

    def modelled(self, metadata: MetaData) -> DatabaseUrl:
        """A database as the models say."""
        url = self.database()
        with translated(url), engine(url, application_name=APPLICATION).begin() as connection:
            connection.execute(text("SET search_path TO public"))
            metadata.create_all(connection)
        return url

    def close(self) -> None:
        """Drop what was made."""
        statement = psql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
        with connect(self.server, application_name=APPLICATION) as connection:
            for name in self.made:
                connection.execute(statement.format(psql.Identifier(name)))


@contextmanager
def laboratory(server: DatabaseUrl | None = None) -> Iterator[Laboratory]:
    """A laboratory on a server that is given, or on one of its own."""
    with ExitStack() as stack:
        if server is None:
            work = stack.enter_context(tempfile.TemporaryDirectory(prefix="bounty-ops-generate-"))
            programs = find_programs(server=True)
            server = stack.enter_context(throwaway_cluster(programs, work_dir=Path(work)))
        found = Laboratory(server)
        stack.callback(found.close)
        yield found


def catalog_of(url: DatabaseUrl) -> Catalog:
    """The schema of a database."""
    with connect(url, application_name=APPLICATION) as connection:
        return read_catalog(connection)


def execute(url: DatabaseUrl, statements: Sequence[str], *, autocommit: bool = False) -> None:
    """Run statements, in one transaction unless they cannot.

    Raises PostgresError.
    """
    with connect(url, application_name=APPLICATION, autocommit=autocommit) as connection:
        connection.execute("SET search_path TO public")
        for statement in statements:
            connection.execute(statement.encode())


def take_back(url: DatabaseUrl, directory: Path, revision: str) -> None:
    """Take one revision back."""
    run_revision(url, directory, revision, cause=Cause("downgrade"))
