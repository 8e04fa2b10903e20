"""A plan is made of facts, changes nothing, and its digest stands for everything in it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.environments import DatabaseUrl, Environment, Policy
from bounty_ops.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MigrationError,
    ServerUnavailable,
)
from bounty_ops.migrating import current_revision, migrate_ops, plan_migration
from bounty_ops.migrating.errors import (
    BrokenRevisionsError,
    UnknownRevisionError,
    UnmanagedDatabaseError,
)
from bounty_ops.migrating.facts import DatabaseFacts
from bounty_ops.migrating.lineage import BOUNTY, OPS
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.plan import hash_of_sql, make_plan, plan_for
from bounty_ops.migrating.revisions import read_revisions, revisions_of
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.migrating.lines import (
    environment,
    longer_line,
    migrate,
    write_revision,
)
from bounty_ops_tests.schema.catalogue import differences, read_catalogue
from bounty_ops_tests.schema.expected import expected_facts

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = DatabaseFacts(address="db:5432/bounty", oid=16384, revision=None, existing_tables=())


def test_the_plan_for_an_empty_database_is_everything(fresh_database: DatabaseUrl) -> None:
    plan = plan_migration(environment(fresh_database))
    assert (plan.current, plan.head) == (None, "bounty_0001")
    assert [step.revision for step in plan.pending] == ["bounty_0001"]
    assert plan.pending[0].message.startswith("Baseline")
    assert plan.pending[0].sql.count("CREATE TABLE") == 38
    assert plan.target == fresh_database.address()


def test_planning_leaves_no_trace(fresh_database: DatabaseUrl) -> None:
    plan_migration(environment(fresh_database))
    with psycopg.connect(**fresh_database.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        assert {kind for kind, _, _ in read_catalogue(connection)} == {"schema"}


def test_the_sql_of_the_plan_is_what_applying_it_does(fresh_database: DatabaseUrl) -> None:
    plan = plan_migration(environment(fresh_database))
    with psycopg.connect(**fresh_database.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute(plan.pending[0].sql.encode())
        assert differences(expected_facts(), read_catalogue(connection)) == []
    assert plan_migration(environment(fresh_database)).pending == ()


def test_the_same_facts_give_the_same_digest(fresh_database: DatabaseUrl) -> None:
    first = plan_migration(environment(fresh_database))
    assert plan_migration(environment(fresh_database)) == first
    assert len(first.digest) == 64


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (replace(EMPTY, address="other:5432/bounty"), "development"),
        (replace(EMPTY, oid=16385), "development"),
        (replace(EMPTY, revision="bounty_0001"), "development"),
        (EMPTY, "staging"),
    ],
)
def test_a_digest_holds_for_one_database_in_one_state(facts: DatabaseFacts, name: str) -> None:
    revisions = revisions_of(BOUNTY)
    digest = make_plan(BOUNTY, "development", EMPTY, revisions).digest
    assert make_plan(BOUNTY, name, facts, revisions).digest != digest


def test_a_digest_holds_for_the_files_as_they_are(tmp_path: Path) -> None:
    line = longer_line(tmp_path)
    before = make_plan(line, "development", EMPTY, revisions_of(line))
    ddl = line.directory() / "versions" / "bounty_0001_baseline.sql"
    ddl.write_text(ddl.read_text(encoding="utf-8") + "\n\n", encoding="utf-8")
    after = make_plan(line, "development", EMPTY, revisions_of(line))
    assert [step.sql for step in after.pending] == [step.sql for step in before.pending]
    assert after.sql_sha256 == before.sql_sha256
    assert after.files != before.files
    assert after.digest != before.digest


def test_a_digest_holds_for_the_schema_as_it_is(
    migrated_database: DatabaseUrl, tmp_path: Path
) -> None:
    line = longer_line(tmp_path, "CREATE TABLE a (id int)")
    before = plan_migration(environment(migrated_database), line)
    assert before.fingerprint == schema_fingerprint(migrated_database)
    run(migrated_database, "CREATE INDEX by_hand ON bounty (title)")
    after = plan_migration(environment(migrated_database), line)
    assert after.fingerprint != before.fingerprint
    assert after.digest != before.digest
    run(migrated_database, "DROP INDEX by_hand")
    assert plan_migration(environment(migrated_database), line) == before


def test_where_nothing_is_pending_no_schema_is_read(migrated_database: DatabaseUrl) -> None:
    assert plan_migration(environment(migrated_database)).fingerprint is None


def test_the_hash_of_sql_tells_where_one_revision_ends() -> None:
    assert hash_of_sql(["a", "bc"]) != hash_of_sql(["ab", "c"])
    assert hash_of_sql(["a", "b"]) != hash_of_sql(["b", "a"])


def test_only_what_is_missing_is_planned(migrated_database: DatabaseUrl, tmp_path: Path) -> None:
    line = longer_line(tmp_path, "CREATE TABLE a (id int)", "CREATE TABLE b (id int)")
    plan = plan_migration(environment(migrated_database), line)
    assert plan.current == "bounty_0001"
    assert [step.revision for step in plan.pending] == ["bounty_0002", "bounty_0003"]
    assert "CREATE TABLE b" in plan.pending[1].sql
    assert "CREATE TABLE a" not in plan.pending[1].sql
    assert "CREATE SCHEMA" not in plan.pending[0].sql


def test_where_a_database_stands(fresh_database: DatabaseUrl) -> None:
    before = current_revision(environment(fresh_database))
    assert (before.revision, before.head, before.pending) == (
        None,
        "bounty_0001",
        ("bounty_0001",),
    )
    migrate(fresh_database)
    after = current_revision(environment(fresh_database))
    assert (after.environment, after.revision, after.pending) == ("development", "bounty_0001", ())


def test_a_database_that_is_ahead_is_left_alone(
    fresh_database: DatabaseUrl, tmp_path: Path
) -> None:
    migrate(fresh_database, longer_line(tmp_path, "CREATE TABLE a (id int)"))
    with pytest.raises(UnknownRevisionError, match="bounty_0002") as caught:
        plan_migration(environment(fresh_database))
    assert "newer version" in caught.value.hint
    with pytest.raises(UnknownRevisionError):
        current_revision(environment(fresh_database))


def test_a_database_that_drizzle_made_is_refused(fresh_database: DatabaseUrl) -> None:
    with psycopg.connect(**fresh_database.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute('CREATE TABLE "user" (id text)')
        connection.execute("CREATE TABLE bounty (id text)")
    with pytest.raises(UnmanagedDatabaseError, match="bounty, user") as caught:
        plan_migration(environment(fresh_database))
    assert "Drizzle" in caught.value.hint
    assert current_revision(environment(fresh_database)).revision is None


def test_somebody_elses_tables_are_no_obstacle(fresh_database: DatabaseUrl) -> None:
    with psycopg.connect(**fresh_database.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute("CREATE TABLE something_else (id text)")
    assert migrate(fresh_database).outcome == "applied"


def test_the_operations_database_is_not_taken_for_bountys(fresh_database: DatabaseUrl) -> None:
    migrate_ops(fresh_database)
    with pytest.raises(UnknownRevisionError, match="is the ops database") as caught:
        plan_migration(environment(fresh_database))
    assert "two different databases" in caught.value.hint


def test_bountys_database_is_not_taken_for_the_operations_database(
    migrated_database: DatabaseUrl,
) -> None:
    with pytest.raises(UnknownRevisionError, match="is the bounty database"):
        migrate_ops(migrated_database)
    with pytest.raises(UnknownRevisionError):
        plan_for(OPS, "ops", migrated_database)


def test_a_database_that_claims_two_revisions_is_refused(migrated_database: DatabaseUrl) -> None:
    with psycopg.connect(**migrated_database.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute("INSERT INTO bounty_ops.alembic_version VALUES ('bounty_0000')")
    with pytest.raises(MigrationError, match="several revisions at once: bounty_0000, bounty_0001"):
        plan_migration(environment(migrated_database))


def test_two_heads_are_refused(tmp_path: Path) -> None:
    line = longer_line(tmp_path, "SELECT 1")
    write_revision(line.directory(), "bounty_0003", "bounty_0001", "SELECT 1")
    with pytest.raises(BrokenRevisionsError, match="several heads: bounty_0002, bounty_0003"):
        read_revisions(line.directory())


def test_a_missing_predecessor_is_refused(tmp_path: Path) -> None:
    line = longer_line(tmp_path)
    write_revision(line.directory(), "bounty_0003", "bounty_0002", "SELECT 1")
    with (
        pytest.warns(UserWarning, match="bounty_0002"),  # Alembic's own
        pytest.raises(BrokenRevisionsError, match="follows bounty_0002, which is not there"),
    ):
        read_revisions(line.directory())


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    line = longer_line(tmp_path, "SELECT 1")
    versions = line.directory() / "versions"
    (versions / "another.py").write_bytes((versions / "bounty_0002_step.py").read_bytes())
    with (
        pytest.warns(UserWarning, match="more than once"),  # Alembic's own
        pytest.raises(BrokenRevisionsError, match="same revision id"),
    ):
        read_revisions(line.directory())


def test_no_files_at_all_are_refused(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    with pytest.raises(BrokenRevisionsError, match="no migration files"):
        read_revisions(tmp_path)


@pytest.mark.parametrize("line", [BOUNTY, OPS], ids=lambda line: line.name)
def test_every_revision_belongs_to_its_line_by_name(line: object) -> None:
    """Otherwise a URL of the wrong database would be believed."""
    assert isinstance(line, type(BOUNTY))
    assert all(line.owns(revision.id) for revision in revisions_of(line).order)


def test_a_server_that_is_not_there(unused_port: int) -> None:
    url = DatabaseUrl("127.0.0.1", unused_port, "bounty", "somebody", "s3cret")
    with pytest.raises(ServerUnavailable) as caught:
        plan_migration(environment(url))
    assert caught.value.hint
    assert "s3cret" not in str(caught.value) + caught.value.hint


def test_a_password_that_is_wrong(pg_server: DatabaseUrl) -> None:
    with pytest.raises(AuthenticationFailed):
        plan_migration(environment(replace(pg_server, password="wrong")))


def test_an_environment_without_a_url() -> None:
    with pytest.raises(ConfigurationError):
        plan_migration(Environment("staging", None, Policy()))
