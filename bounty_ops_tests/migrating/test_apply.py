"""A plan is carried out once, as planned, or not at all; whatever happens is on record."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.errors import (
    InsufficientPrivilege,
    JournalError,
    MigrationError,
    UsageError,
)
from bounty_ops.migrating import apply_migration, current_revision, plan_migration
from bounty_ops.migrating.errors import StalePlanError, UnmanagedDatabaseError
from bounty_ops.migrating.facts import read_facts
from bounty_ops_tests.migrating.lines import environment, longer_line, migrate
from bounty_ops_tests.schema.catalogue import differences, read_catalogue
from bounty_ops_tests.schema.expected import expected_facts

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import MigrationEvidence

Connection = psycopg.Connection[Any]


def _connect(url: DatabaseUrl, *, autocommit: bool = True) -> Connection:
    return psycopg.connect(**url.conninfo(), autocommit=autocommit)  # type: ignore[arg-type] # libpq's words


def _exists(url: DatabaseUrl, table: str) -> bool:
    with _connect(url) as connection:
        return connection.execute("SELECT to_regclass(%s)", (table,)).fetchone() != (None,)


def test_the_evidence_says_what_happened(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plan = plan_migration(here)
    recorded: list[MigrationEvidence] = []
    evidence = apply_migration(plan, here, operator="ada", record=recorded.append)
    assert recorded == [evidence]
    assert (evidence.outcome, evidence.revisions) == ("applied", ("bounty_0001",))
    assert (evidence.from_revision, evidence.to_revision) == (None, "bounty_0001")
    assert (evidence.environment, evidence.operator) == ("development", "ada")
    assert evidence.digest == plan.digest
    assert evidence.started_at <= evidence.finished_at
    assert evidence.detail["target"] == fresh_database.address()


def test_applying_again_does_nothing(fresh_database: DatabaseUrl) -> None:
    migrate(fresh_database)
    evidence = migrate(fresh_database)
    assert (evidence.outcome, evidence.revisions) == ("nothing_to_do", ())
    assert (evidence.from_revision, evidence.to_revision) == ("bounty_0001", "bounty_0001")


def test_a_plan_is_for_its_own_environment(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plan = plan_migration(here)
    with pytest.raises(UsageError, match="for development, not for staging"):
        apply_migration(plan, replace(here, name="staging"), operator="test")
    assert not _exists(fresh_database, "public.bounty")


def test_another_runners_work_is_found_done(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plan = plan_migration(here)
    migrate(fresh_database)
    assert apply_migration(plan, here, operator="late").outcome == "nothing_to_do"


def test_a_plan_that_reality_has_left_behind_is_refused(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path, "CREATE TABLE a (id int)")
    here = environment(fresh_database)
    plan = plan_migration(here, line)
    migrate(fresh_database)  # only as far as bounty_0001
    recorded: list[MigrationEvidence] = []
    with pytest.raises(StalePlanError, match="no longer what the plan was made for") as caught:
        apply_migration(plan, here, operator="test", lineage=line, record=recorded.append)
    assert "new plan" in caught.value.hint
    assert not _exists(fresh_database, "public.a")
    assert [(each.outcome, each.revisions) for each in recorded] == [("failed", ())]
    assert str(caught.value) == recorded[0].detail["error"]


def test_files_changed_since_the_plan_are_refused(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path, "CREATE TABLE a (id int)")
    here = environment(fresh_database)
    plan = plan_migration(here, line)
    file = next((line.directory() / "versions").glob("bounty_0002*"))
    file.write_text(file.read_text(encoding="utf-8").replace("TABLE a", "TABLE b"), "utf-8")
    with pytest.raises(StalePlanError):
        apply_migration(plan, here, operator="test", lineage=line)
    assert not _exists(fresh_database, "public.bounty")


def test_tables_that_appeared_since_the_plan_are_refused(fresh_database: DatabaseUrl) -> None:
    here = environment(fresh_database)
    plan = plan_migration(here)
    with _connect(fresh_database) as connection:
        connection.execute("CREATE TABLE bounty (id text)")
    with pytest.raises(UnmanagedDatabaseError):
        apply_migration(plan, here, operator="test")
    assert not _exists(fresh_database, "bounty_ops.alembic_version")


def test_what_was_applied_before_a_failure_stands(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(
        tmp_path, "CREATE TABLE a (id int)", "CREATE TABLE a (id text)", "CREATE TABLE c (id int)"
    )
    here = environment(fresh_database)
    recorded: list[MigrationEvidence] = []
    with pytest.raises(MigrationError, match="bounty_0003 failed") as caught:
        apply_migration(
            plan_migration(here, line),
            here,
            operator="test",
            lineage=line,
            record=recorded.append,
        )
    assert 'relation "a" already exists' in str(caught.value)
    assert read_facts(fresh_database, line).revision == "bounty_0002"
    assert recorded[0].revisions == ("bounty_0001", "bounty_0002")
    assert (recorded[0].outcome, recorded[0].to_revision) == ("failed", "bounty_0002")
    assert not _exists(fresh_database, "public.c")


def test_a_success_that_did_not_last_is_found_out(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    """Alembic believes what its own connection shows; the next one may show something else."""
    line = longer_line(tmp_path, "SELECT 1")
    with _connect(migrated_database) as connection:
        connection.execute(
            "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN NEW.version_num := OLD.version_num; RETURN NEW; END $$"
        )
        connection.execute(
            "CREATE TRIGGER keep BEFORE UPDATE ON bounty_ops.alembic_version "
            "FOR EACH ROW EXECUTE FUNCTION keep()"
        )
    with pytest.raises(MigrationError, match="at bounty_0001 although bounty_0002 was reported"):
        migrate(migrated_database, line)


def test_a_record_that_cannot_be_written_does_not_hide_the_failure(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    def broken(_: MigrationEvidence) -> None:
        raise JournalError("the bucket is gone", hint="Look for it.")

    line = longer_line(tmp_path, "SELECT 1 / 0")
    here = environment(fresh_database)
    with pytest.raises(MigrationError, match="division by zero") as caught:
        apply_migration(
            plan_migration(here, line), here, operator="test", lineage=line, record=broken
        )
    assert any("the bucket is gone" in note for note in caught.value.__notes__)


def test_a_role_that_may_not_create_is_told_so(
    fresh_database: DatabaseUrl, pg_server: DatabaseUrl
) -> None:
    visitor = replace(fresh_database, user=f"visitor_{fresh_database.database}", password="v")
    here = environment(visitor)
    with _connect(pg_server) as connection:
        connection.execute(f"CREATE ROLE {visitor.user} LOGIN PASSWORD 'v'".encode())
        try:
            with pytest.raises(InsufficientPrivilege) as caught:
                apply_migration(plan_migration(here), here, operator="test")
        finally:
            connection.execute(f"DROP ROLE {visitor.user}".encode())
    assert caught.value.hint
    with _connect(fresh_database) as connection:
        assert {kind for kind, _, _ in read_catalogue(connection)} == {"schema"}


def test_a_role_needs_no_more_than_the_right_to_create(
    fresh_database: DatabaseUrl,
) -> None:
    worker = replace(fresh_database, user=f"worker_{fresh_database.database}", password="w")
    with _connect(fresh_database) as connection:
        connection.execute(f"CREATE ROLE {worker.user} LOGIN PASSWORD 'w'".encode())
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {worker.user}".encode())
        connection.execute(f"GRANT CREATE ON DATABASE {worker.database} TO {worker.user}".encode())
        try:
            assert migrate(worker).outcome == "applied"
            connection.execute(
                f"REVOKE CREATE ON DATABASE {worker.database} FROM {worker.user}".encode()
            )
            assert migrate(worker).outcome == "nothing_to_do"
        finally:
            connection.execute(f"DROP OWNED BY {worker.user}".encode())
            connection.execute(f"DROP ROLE {worker.user}".encode())


def test_tables_land_in_public_whatever_the_search_path(fresh_database: DatabaseUrl) -> None:
    """A role with a schema of its own name would otherwise get all tables there."""
    with _connect(fresh_database) as connection:
        connection.execute(f"CREATE SCHEMA {fresh_database.user}".encode())
        migrate(fresh_database)
        connection.execute(f"DROP SCHEMA {fresh_database.user}".encode())
        assert differences(expected_facts(), read_catalogue(connection)) == []


def test_a_wiped_public_schema_does_not_take_the_revision_along(
    migrated_database: DatabaseUrl,
) -> None:
    """Drizzle's push drops what it does not know from public, a version table included."""
    with _connect(migrated_database) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    assert current_revision(environment(migrated_database)).revision == "bounty_0001"
