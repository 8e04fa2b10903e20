"""A live database with a proved backup, made once."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_backups import Backups, run
from bounty_ops_tests.migrating.lines import migrate
from bounty_ops_tests.migrating.rehearse.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings

#: Enough for a rewrite to take longer than anything else that a statement does.
ROWS = 120_000


@pytest.fixture(scope="session")
def make_stage(
    pg_server: DatabaseUrl,
    s3_store: ObjectStoreSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[int], Stage]]:
    """Make a database with so many rows, and a proved backup of it."""
    made: list[DatabaseUrl] = []

    def make(rows: int) -> Stage:
        live = pg_server.with_database(f"stage_{secrets.token_hex(6)}")
        run(pg_server, f"CREATE DATABASE {live.database}")
        made.append(live)
        migrate(live)
        fill(live, rows)
        location = BucketLocation(s3_store.location.bucket, f"test-{secrets.token_hex(6)}")
        store = ObjectStore(dataclasses.replace(s3_store, location=location))
        directory = tmp_path_factory.mktemp("stage")
        backups = Backups(Journal(store), directory / "work")
        manifest = backups.take(live)
        assert backups.verify(manifest).verdict is Verdict.PROVED
        return Stage(live, backups, manifest, directory)

    yield make
    for live in made:
        run(pg_server, f"DROP DATABASE {live.database} WITH (FORCE)")


def fill(live: DatabaseUrl, rows: int) -> None:
    """Two tables of the application's, one of them large."""
    run(
        live,
        "CREATE TABLE shelf (id int PRIMARY KEY, name text NOT NULL)",
        "CREATE TABLE parcel (id int PRIMARY KEY, shelf_id int, amount int NOT NULL,"
        " note text, sent_at timestamp)",
        "INSERT INTO shelf SELECT g, 'shelf ' || g FROM generate_series(1, 100) g",
        "INSERT INTO parcel SELECT g, 1 + g % 100, g, repeat(md5(g::text), 4), now()"
        f" FROM generate_series(1, {rows}) g",
    )


@pytest.fixture(scope="session")
def _shared_stage(make_stage: Callable[[int], Stage]) -> Stage:
    return make_stage(ROWS)


@pytest.fixture
def stage(_shared_stage: Stage, tmp_path: Path) -> Stage:
    """A database and its backup, which no rehearsal changes; migration files of the test's own."""
    return dataclasses.replace(_shared_stage, directory=tmp_path)
