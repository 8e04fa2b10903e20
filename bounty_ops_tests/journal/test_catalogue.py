"""The catalogue in a real operations database follows the bucket, and can be built from it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, select

from bounty_ops.journal.catalogue import (
    Rebuilt,
    index_backup,
    index_migration,
    index_verification,
    rebuild,
)
from bounty_ops.journal.layout import manifest_key
from bounty_ops.journal.records import Difference, Verdict
from bounty_ops.postgres.connect import engine
from bounty_ops.schema.ops import Backup, MigrationRecord, Verification
from bounty_ops_tests.journal.examples import (
    NIGHT,
    a_backup,
    a_manifest,
    a_migration,
    a_proof,
    put_archive,
    sha256_of,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal import Journal

TABLES = (Backup, Verification, MigrationRecord)


@pytest.fixture
def ops(fresh_operations: DatabaseUrl) -> Engine:
    return engine(fresh_operations, application_name="tests")


def content(ops: Engine) -> dict[str, list[dict[str, Any]]]:
    with ops.connect() as connection:
        return {
            table.__tablename__: [
                dict(row)
                for row in connection.execute(
                    select(*table.__table__.columns).order_by(table.id)
                ).mappings()
            ]
            for table in TABLES
        }


def test_a_backup_is_entered_with_what_queries_need(journal: Journal, ops: Engine) -> None:
    manifest = a_backup(journal)

    index_backup(ops, manifest, journal.store.location)

    [row] = content(ops)["backup"]
    assert row["id"] == manifest.id
    assert row["taken_at"] == NIGHT
    assert row["rows"] == 23
    assert row["size_bytes"] == manifest.archive.size_bytes
    assert row["key"] == journal.summaries()[0].key
    assert row["bucket"] == journal.store.location.bucket
    assert row["manifest"]["tables"][0]["schema"] == "public"


def test_a_proof_is_entered_even_before_its_backup(ops: Engine) -> None:
    difference = Difference(kind="table", object="public.user", expected="3", found=None)
    proof = a_proof(a_manifest(), "ab" * 32, verdict=Verdict.REFUTED, differences=(difference,))

    index_verification(ops, proof)

    [row] = content(ops)["verification"]
    assert row["verdict"] == "refuted"
    assert row["backup_id"] == proof.backup_id
    assert row["differences"] == [
        {"kind": "table", "object": "public.user", "expected": "3", "found": None}
    ]


def test_a_migration_is_entered_with_its_revisions(ops: Engine) -> None:
    index_migration(ops, a_migration())

    [row] = content(ops)["migration_record"]
    assert row["from_revision"] is None
    assert row["detail"] == {
        "seconds": 3.0,
        "statements": 210,
        "error": None,
        "revisions": ["0001"],
    }


def test_entering_a_record_again_changes_nothing(journal: Journal, ops: Engine) -> None:
    manifest = a_backup(journal)
    proof = a_proof(manifest, sha256_of(journal, manifest))
    migration = a_migration()

    def enter() -> None:
        index_backup(ops, manifest, journal.store.location)
        index_verification(ops, proof)
        index_migration(ops, migration)

    enter()
    before = content(ops)
    enter()

    assert content(ops) == before
    assert [len(rows) for rows in before.values()] == [1, 1, 1]


def test_a_lost_catalogue_comes_back_from_the_bucket_alone(journal: Journal, ops: Engine) -> None:
    for day in range(3):
        manifest = a_backup(journal, taken_at=NIGHT + timedelta(days=day))
        index_backup(ops, manifest, journal.store.location)
        for hour in range(2):
            moment = NIGHT + timedelta(days=day, hours=hour)
            proof = a_proof(manifest, sha256_of(journal, manifest), verified_at=moment)
            journal.write_proof(proof)
            index_verification(ops, proof)
    migration = a_migration()
    journal.write_migration(migration)
    index_migration(ops, migration)
    before = content(ops)
    with ops.begin() as connection:
        for table in TABLES:
            connection.execute(delete(table))

    rebuilt = rebuild(journal, ops)

    assert rebuilt == Rebuilt(backups=3, verifications=6, migrations=1, damaged=0)
    assert content(ops) == before


def test_a_rebuild_removes_what_the_bucket_does_not_have(journal: Journal, ops: Engine) -> None:
    kept, pruned, damaged = (a_backup(journal) for _ in range(3))
    for manifest in (kept, pruned, damaged):
        index_backup(ops, manifest, journal.store.location)
    journal.store.delete(manifest_key("production", pruned.id))
    journal.store.delete(damaged.archive.key)
    put_archive(journal, a_manifest())

    rebuilt = rebuild(journal, ops)

    assert rebuilt == Rebuilt(backups=1, verifications=0, migrations=0, damaged=1)
    assert [row["id"] for row in content(ops)["backup"]] == [kept.id]


def test_a_rebuild_repairs_rows_that_say_something_else(journal: Journal, ops: Engine) -> None:
    manifest = a_backup(journal)
    wrong = manifest.model_copy(update={"server_version": "9.6", "revision": "wrong"})
    index_backup(ops, wrong, journal.store.location)

    rebuild(journal, ops)

    [row] = content(ops)["backup"]
    assert (row["server_version"], row["revision"]) == ("17.10", "0001")


def test_what_is_entered_while_the_bucket_is_read_stays(
    journal: Journal, ops: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup that finishes at that moment must not vanish from the catalogue."""
    late = a_manifest()
    listed = journal.migrations

    def migrations(environment: str | None = None) -> list[Any]:
        index_backup(ops, late, journal.store.location)
        return list(listed(environment))

    monkeypatch.setattr(journal, "migrations", migrations)

    rebuild(journal, ops)

    assert [row["id"] for row in content(ops)["backup"]] == [late.id]
