"""The stage of the corpus: made once, used by hundreds of cases."""

from __future__ import annotations

import dataclasses
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.environments import BucketLocation
from bounty_ops.journal import Journal
from bounty_ops.object_store import ObjectStore
from bounty_ops.restore.fetch import Fetched
from bounty_ops.restore.observing import observe
from bounty_ops.restore.restoring import restore_archive
from bounty_ops.restore.sandbox import make_sandbox
from bounty_ops_tests.corpus.stage import Stage
from bounty_ops_tests.fix_backups import Backups, run, sql_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs

_DATA = Path(__file__).parents[1] / "data" / "corpus.sql"


@pytest.fixture(scope="session")
def corpus_source(
    _zoo_templates: Callable[[int], DatabaseUrl], pg_programs: Programs
) -> Iterator[DatabaseUrl]:
    """The zoo, and some more that is easy to lose."""
    zoo = _zoo_templates(pg_programs.major)
    url = zoo.with_database(f"corpus_{secrets.token_hex(6)}")
    server = zoo.with_database("postgres")
    run(server, f"CREATE DATABASE {url.database} TEMPLATE {zoo.database}")
    run(url, *sql_statements(_DATA))
    yield url
    run(server, f"DROP DATABASE {url.database} WITH (FORCE)")


@pytest.fixture(scope="session")
def stage(
    corpus_source: DatabaseUrl,
    s3_store: ObjectStoreSettings,
    pg_programs: Programs,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    """Two backups of nearly the same database, and the later one's restored copy."""
    place = tmp_path_factory.mktemp("corpus")
    location = BucketLocation(s3_store.location.bucket, f"corpus-{secrets.token_hex(6)}")
    store = ObjectStore(dataclasses.replace(s3_store, location=location))
    backups = Backups(Journal(store), place / "verify")
    run(corpus_source, "UPDATE corpus.parted SET body = 'earlier' WHERE id = 40")
    other = backups.take(corpus_source)
    run(corpus_source, "UPDATE corpus.parted SET body = 'p40' WHERE id = 40")
    manifest = backups.take(corpus_source)
    archive = place / "archive.dump"
    archive.write_bytes(store.get(manifest.archive.key))
    with throwaway_cluster(pg_programs, work_dir=place / "verify") as cluster:
        sandbox = make_sandbox(cluster, manifest)
        restore_archive(pg_programs, sandbox, Fetched(archive), jobs=1)
        yield Stage(
            backups=backups,
            manifest=manifest,
            archive=archive.read_bytes(),
            other=other,
            other_archive=store.get(other.archive.key),
            cluster=cluster,
            copy=sandbox.url,
            observed=observe(sandbox.url),
        )
