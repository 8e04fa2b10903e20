"""Migrations can be taken back where that is allowed, and come again the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.downgrade import downgrade
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY, OPS
from bounty_ops.migrating.ops import migrate_ops
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.running.bookkeeping import Cause
from bounty_ops.migrating.stepping import run_revision
from bounty_ops_tests.migrating.lines import environment, longer_line, migrate
from bounty_ops_tests.schema.catalogue import Facts, differences, read_catalogue
from bounty_ops_tests.schema.expected import expected_facts, version_table_facts

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl


def _connect(url: DatabaseUrl) -> psycopg.Connection[Any]:
    return psycopg.connect(**url.conninfo(), autocommit=True)  # type: ignore[arg-type] # libpq's words


def _facts(url: DatabaseUrl) -> Facts:
    with _connect(url) as connection:
        return read_catalogue(connection)


def test_down_leaves_the_version_table_and_nothing_else(migrated_database: DatabaseUrl) -> None:
    downgrade(environment(migrated_database), None)
    assert differences(version_table_facts(), _facts(migrated_database)) == []
    assert read_facts(migrated_database, BOUNTY).revision is None


def test_up_down_up_is_up(migrated_database: DatabaseUrl) -> None:
    downgrade(environment(migrated_database), None)
    assert migrate(migrated_database).outcome == "applied"
    assert differences(expected_facts(), _facts(migrated_database)) == []


def test_the_operations_database_goes_up_down_up(fresh_database: DatabaseUrl) -> None:
    migrate_ops(fresh_database)
    before = _facts(fresh_database)
    for revision in reversed(revisions_of(OPS).order):
        run_revision(fresh_database, OPS.directory(), revision.id, cause=Cause("downgrade"))
    assert differences(version_table_facts(), _facts(fresh_database)) == []
    migrate_ops(fresh_database)
    assert differences(before, _facts(fresh_database)) == []


def test_one_step_can_be_taken_back(fresh_database: DatabaseUrl, tmp_path: Path) -> None:
    line = longer_line(tmp_path, "SELECT 1", "SELECT 1")
    migrate(fresh_database, line)
    downgrade(environment(fresh_database), "bounty_0002", line)
    assert read_facts(fresh_database, line).revision == "bounty_0002"


def test_a_protected_environment_keeps_its_data(migrated_database: DatabaseUrl) -> None:
    with pytest.raises(UsageError, match="protected"):
        downgrade(environment(migrated_database, protected=True), None)
    assert read_facts(migrated_database, BOUNTY).revision == "bounty_0001"


def test_what_somebody_built_upon_a_table_stops_the_downgrade(
    migrated_database: DatabaseUrl,
) -> None:
    with _connect(migrated_database) as connection:
        connection.execute("CREATE VIEW open_bounties AS SELECT id FROM bounty")
    before = _facts(migrated_database)
    with pytest.raises(MigrationError, match="other objects depend on"):
        downgrade(environment(migrated_database), None)
    assert differences(before, _facts(migrated_database)) == []
