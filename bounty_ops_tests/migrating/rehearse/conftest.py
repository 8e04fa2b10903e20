"""Live databases with proved backups, made once."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.environments import BucketLocation
from bounty_ops.journal import Journal
from bounty_ops.journal.records import Verdict
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_backups import Backups, run
from bounty_ops_tests.migrating.rehearse.stage import Stage, begin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings


@pytest.fixture(scope="session")
def make_stage(
    pg_server_of: Callable[[int], DatabaseUrl],
    s3_store: ObjectStoreSettings,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., Stage]]:
    """Make a database with so many rows (``major=15``), and a proved backup of it."""
    made: list[DatabaseUrl] = []

    def make(rows: int, major: int = 17, **policy: Any) -> Stage:  # noqa: ANN401 - of Policy
        server = pg_server_of(major)
        live = server.with_database(f"stage_{secrets.token_hex(6)}")
        run(server, f"CREATE DATABASE {live.database}")
        made.append(live)
        directory = tmp_path_factory.mktemp("stage")
        begin(live, directory, rows)
        location = BucketLocation(s3_store.location.bucket, f"test-{secrets.token_hex(6)}")
        store = ObjectStore(dataclasses.replace(s3_store, location=location))
        backups = Backups(Journal(store), directory / "work")
        manifest = backups.take(live, **policy)
        if "encrypt_to" not in policy:
            assert backups.verify(manifest).verdict is Verdict.PROVED
        return Stage(live, backups, manifest, directory)

    yield make
    for live in made:
        run(live.with_database("postgres"), f"DROP DATABASE {live.database} WITH (FORCE)")


@pytest.fixture(scope="session")
def _small_stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(3_000)


@pytest.fixture(scope="session")
def _large_stage(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(200_000)


@pytest.fixture
def stage(_small_stage: Stage, tmp_path: Path) -> Stage:
    """A small database and its backup, which no rehearsal changes; files of the test's own."""
    return dataclasses.replace(_small_stage, directory=tmp_path)


@pytest.fixture
def large_stage(_large_stage: Stage, tmp_path: Path) -> Stage:
    """The same with enough rows for a rewrite to take longer than anything else."""
    return dataclasses.replace(_large_stage, directory=tmp_path)


@pytest.fixture
def parcels(fresh_database: DatabaseUrl, tmp_path: Path) -> DatabaseUrl:
    """A database like a restored copy, with enough rows for its locks to be felt."""
    begin(fresh_database, tmp_path / "begin", 60_000)
    return fresh_database


@pytest.fixture
def few_parcels(fresh_database: DatabaseUrl, tmp_path: Path) -> DatabaseUrl:
    """The same with few rows."""
    begin(fresh_database, tmp_path / "begin", 300)
    return fresh_database
