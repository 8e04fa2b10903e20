"""Databases worth backing up, and backups of them in a bucket of the test's own.

============================ ========= =========================================================
``zoo``                      function  `DatabaseUrl` of a database with one of every kind of thing
``make_zoo``                 function  ``make_zoo(major)``: the same on another major
``backups``                  function  `Backups`: takes, verifies and tampers with backups
============================ ========= =========================================================
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.backup import BackupPlan, plan_backup, take_backup
from bounty_ops.environments import Environment, Policy
from bounty_ops.journal import Journal, layout
from bounty_ops.journal.records import Manifest, Proof, record_bytes
from bounty_ops.object_store import ObjectStore
from bounty_ops.postgres.connect import connect
from bounty_ops.restore import verify_backup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs

_DATA = Path(__file__).parent / "data"
_SINCE = (15, 18)
_ROLES = ("zoo_owner", "zoo_reader")


def run(url: DatabaseUrl, *statements: str) -> None:
    """Run statements one by one, each in its own transaction."""
    with connect(url, application_name="tests") as connection:
        for statement in statements:
            connection.execute(statement.encode())


def value(url: DatabaseUrl, query: str) -> Any:  # noqa: ANN401 - SQL is anything
    """The one value that a query has."""
    with connect(url, application_name="tests") as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def make_role(server: DatabaseUrl, name: str) -> None:
    """Make a role on a server that tests share; it stays for the others."""
    run(
        server,
        f"DO $$ BEGIN CREATE ROLE {name} LOGIN PASSWORD '{name}';"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
    )


def fill_zoo(url: DatabaseUrl, major: int) -> None:
    """Put one of every kind of object and value into an empty database."""
    for role in _ROLES:
        make_role(url, role)
    names = ["zoo.sql", *(f"zoo_{since}.sql" for since in _SINCE if major >= since)]
    for name in names:
        run(url, *sql_statements(_DATA / name))


def sql_statements(path: Path) -> list[str]:
    """The statements of a file in which each ends with a semicolon at the end of a line."""
    lines = path.read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("--"))
    return [one for one in f"{text}\n".split(";\n") if one.strip()]


@pytest.fixture(scope="session")
def _zoo_templates(
    pg_server_of: Callable[[int], DatabaseUrl],
) -> Callable[[int], DatabaseUrl]:
    """A filled database on the server of each major, to be copied."""
    made: dict[int, DatabaseUrl] = {}

    def template(major: int) -> DatabaseUrl:
        if major not in made:
            url = pg_server_of(major).with_database("zoo_template")
            run(pg_server_of(major), "CREATE DATABASE zoo_template TEMPLATE template0")
            fill_zoo(url, major)
            made[major] = url
        return made[major]

    return template


@pytest.fixture
def make_zoo(
    _zoo_templates: Callable[[int], DatabaseUrl], pg_programs: Programs
) -> Iterator[Callable[..., DatabaseUrl]]:
    """Make copies of the zoo; dropped afterwards."""
    made: list[DatabaseUrl] = []

    def make(major: int | None = None) -> DatabaseUrl:
        template = _zoo_templates(major or pg_programs.major)
        url = template.with_database(f"zoo_{secrets.token_hex(6)}")
        run(
            template.with_database("postgres"),
            f"CREATE DATABASE {url.database} TEMPLATE {template.database}",
        )
        made.append(url)
        return url

    yield make
    for url in made:
        run(url.with_database("postgres"), f"DROP DATABASE {url.database} WITH (FORCE)")


@pytest.fixture
def zoo(make_zoo: Callable[..., DatabaseUrl]) -> DatabaseUrl:
    """A database with one of every kind of object and value."""
    return make_zoo()


@dataclass(frozen=True)
class Backups:
    """Backups of one environment in one prefix of a bucket."""

    journal: Journal
    work_dir: Path
    environment: str = "development"

    @property
    def store(self) -> ObjectStore:
        return self.journal.store

    def plan(self, url: DatabaseUrl, **policy: Any) -> BackupPlan:  # noqa: ANN401 - of Policy
        environment = Environment(self.environment, url, Policy(**policy))
        now = datetime.now(UTC)
        return plan_backup(environment, self.store, now=now, taken_by="a test")

    def take(
        self,
        url: DatabaseUrl,
        progress: Callable[[int], None] | None = None,
        **policy: Any,  # noqa: ANN401 - of Policy
    ) -> Manifest:
        return take_backup(self.plan(url, **policy), url, self.journal, progress=progress)

    def verify(self, manifest: Manifest, identities: tuple[str, ...] = ()) -> Proof:
        return verify_backup(manifest, self.journal, work_dir=self.work_dir, identities=identities)

    def rewrite(self, manifest: Manifest, **changes: Any) -> Manifest:  # noqa: ANN401 - of Manifest
        """Replace a stored manifest, as only a forger or an accident would."""
        changed = manifest.model_copy(update=changes)
        key = layout.manifest_key(manifest.environment, manifest.id)
        self.store.delete(key)
        self.store.put_if_absent(key, record_bytes(changed))
        return changed

    def replace_archive(self, manifest: Manifest, data: bytes) -> None:
        """Store other bytes in place of an archive."""
        self.store.delete(manifest.archive.key)
        self.store.put_if_absent(manifest.archive.key, data)

    def keys(self) -> list[str]:
        """Every object of the environment."""
        return [entry.key for entry in self.store.list("backups/")]

    def left_over(self) -> list[str]:
        """Whatever is there besides whole backups: nothing should ever be."""
        whole = {each.id for each in self.journal.summaries() if each.state == "complete"}
        strays = [key for key in self.keys() if key.split("/")[2] not in whole]
        return strays + [upload.key for upload in self.store.unfinished_uploads("")]


@pytest.fixture
def backups(s3_prefix: ObjectStoreSettings, tmp_path: Path) -> Backups:
    """Backups in a prefix of this test's own."""
    return Backups(Journal(ObjectStore(s3_prefix)), tmp_path / "verify")


def sessions(url: DatabaseUrl) -> list[str]:
    """The application names of all sessions in a database but the asking one."""
    with connect(url.with_database("postgres"), application_name="tests") as connection:
        rows = connection.execute(
            "SELECT application_name FROM pg_stat_activity WHERE datname = %s", [url.database]
        ).fetchall()
    return [str(row[0]) for row in rows]


@contextmanager
def holding(url: DatabaseUrl, statement: str) -> Iterator[psycopg.Connection[Any]]:
    """A session that has done something and does not commit it before the end of the block."""
    with connect(url, application_name="in the way", autocommit=False) as connection:
        connection.execute(statement.encode())
        yield connection
