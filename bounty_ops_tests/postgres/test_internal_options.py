"""What a server notes for itself about columns is no difference between two databases.

Minor releases of November 2026 and later give every column an option `pg_attver`, which no dump
carries and every restore has anew (PostgreSQL's release notes of 2026-11-12, CVE-2026-6460; the
description of pg_attribute: internal options begin with `pg_`). It is written here by hand, so that
servers of before show the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.journal.records import Verdict
from bounty_ops.migrating.catalog import read_catalog
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.inventory import read_inventory

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_backups import Backups

_NOTE = """
UPDATE pg_catalog.pg_attribute
   SET attoptions = pg_catalog.array_append(
           ARRAY(SELECT o FROM pg_catalog.unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%'),
           'pg_attver=' || attnum)
 WHERE attrelid = 'fruit'::regclass AND attnum > 0
"""
#: By hand too: a server that does not know `pg_attver` alters no column that has it.
_OPTION = """
UPDATE pg_catalog.pg_attribute SET attoptions = attoptions || '{n_distinct_inherited=7}'
 WHERE attrelid = 'fruit'::regclass AND attname = 'name'
"""


def test_a_servers_own_notes_are_not_compared_and_peoples_options_are(
    fresh_database: DatabaseUrl,
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE fruit (name text, number integer)")
        connection.execute("ALTER TABLE fruit ALTER number SET (n_distinct = 5)")
        before = read_inventory(connection), read_catalog(connection)
        connection.execute("SET allow_system_table_mods = on")
        assert connection.execute(_NOTE.encode()).rowcount == 2
        assert (read_inventory(connection), read_catalog(connection)) == before
        connection.execute(_OPTION.encode())
        inventory, catalog = read_inventory(connection), read_catalog(connection)
        assert inventory != before[0]
        assert catalog != before[1]


def test_a_dump_by_programs_older_than_the_server_is_not_held_against_the_backup(
    fresh_database: DatabaseUrl, backups: Backups
) -> None:
    with connect(fresh_database, application_name="tests") as connection:
        connection.execute("CREATE TABLE fruit (name text, number integer)")
        connection.execute("SET allow_system_table_mods = on")
        connection.execute(_NOTE.encode())

    proof = backups.verify(backups.take(fresh_database))

    assert proof.verdict is Verdict.INCONCLUSIVE
    assert proof.reason is not None
    assert 'unrecognized parameter "pg_attver"' in proof.reason
    assert "update the PostgreSQL programs" in proof.reason
