"""The schema that all of this is for: migrated, filled, backed up, proved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Environment, Policy
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.seeding import seed
from bounty_ops_tests.fix_backups import Backups, make_role, run

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

ROWS = 2_000


@pytest.fixture
def bounty(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """Bounty's database at its newest revision, with rows in every table."""
    environment = Environment("development", fresh_database, Policy())
    apply_migration(plan_migration(environment), environment, operator="a test")
    seed(environment, rows=ROWS)
    return fresh_database


def test_bountys_database_is_proved_with_every_table_and_row(
    bounty: DatabaseUrl, backups: Backups
) -> None:
    manifest = backups.take(bounty)

    proof = backups.verify(manifest)

    assert (proof.verdict, proof.differences) == (Verdict.PROVED, ())
    assert proof.tables_compared == len(manifest.tables) == 40  # and what the runner keeps
    assert proof.rows_compared >= ROWS
    # Of our own tables one has a row only while a revision is half-way.
    assert all(one.rows for one in manifest.tables if one.schema_name == "public")
    assert manifest.revision is not None
    assert "public.bounty: ordinary, owner postgres" in manifest.inventory["tables"]


def test_a_database_of_another_owner_with_readers_is_proved(
    bounty: DatabaseUrl, backups: Backups
) -> None:
    # As a provider sets it up: the application owns its tables, others read them.
    make_role(bounty, "app_owner")
    make_role(bounty, "app_reader")
    run(
        bounty,
        "DO $$ DECLARE t record; BEGIN FOR t IN SELECT tablename FROM pg_tables"
        " WHERE schemaname = 'public' LOOP"
        " EXECUTE format('ALTER TABLE public.%I OWNER TO app_owner', t.tablename);"
        " END LOOP; END $$",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO app_reader",
        "ALTER DEFAULT PRIVILEGES FOR ROLE app_owner GRANT SELECT ON TABLES TO app_reader",
    )

    proof = backups.verify(backups.take(bounty))

    assert (proof.verdict, proof.differences) == (Verdict.PROVED, ())
