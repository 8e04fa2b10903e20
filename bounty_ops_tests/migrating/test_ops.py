"""Whoever needs the operations database may migrate it, at any time and many at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psycopg
import pytest

from bounty_ops.migrating import migrate_ops
from bounty_ops.migrating.errors import LockHeldError, UnmanagedDatabaseError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import OPS
from bounty_ops.migrating.lock import migration_lock
from bounty_ops.migrating.revisions import revisions_of

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def test_it_is_brought_to_the_newest_revision(fresh_database: DatabaseUrl) -> None:
    migrate_ops(fresh_database)
    facts = read_facts(fresh_database, OPS)
    assert facts.revision == revisions_of(OPS).head
    assert set(facts.existing_tables) == OPS.table_names()


def test_again_is_no_change(fresh_database: DatabaseUrl) -> None:
    migrate_ops(fresh_database)
    before = read_facts(fresh_database, OPS)
    migrate_ops(fresh_database)
    assert read_facts(fresh_database, OPS) == before


def test_many_at_once_is_as_good_as_one(fresh_database: DatabaseUrl) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: migrate_ops(fresh_database), range(6)))
    assert read_facts(fresh_database, OPS).revision == revisions_of(OPS).head


def test_a_migrated_database_needs_no_lock(fresh_database: DatabaseUrl) -> None:
    """Every command may call it, so it must not queue behind a migration that is running."""
    migrate_ops(fresh_database)
    with migration_lock(fresh_database):
        migrate_ops(fresh_database)
        with pytest.raises(LockHeldError), migration_lock(fresh_database, wait_seconds=0):
            pass


def test_tables_of_unknown_origin_are_left_alone(fresh_database: DatabaseUrl) -> None:
    with psycopg.connect(**fresh_database.conninfo()) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute("CREATE SCHEMA bounty_ops")
        connection.execute("CREATE TABLE bounty_ops.incident (id int)")
    with pytest.raises(UnmanagedDatabaseError, match="incident"):
        migrate_ops(fresh_database)
