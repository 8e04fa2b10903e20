"""Backups and migrations work with exactly what `db grants` prints, and reach no further."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from bounty_ops.monitoring.grants import Purpose, role_script
from bounty_ops_tests.fix_servers import oldest_and_newest_major
from bounty_ops_tests.migrating.lines import longer_line, migrate
from bounty_ops_tests.monitoring.conftest import execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.fix_command_line import CommandLine

#: A revision that touches what was there: tables, a type, and something new that refers to both.
CHANGE = (
    "ALTER TABLE bounty ADD COLUMN note text;"
    "ALTER TYPE bounty_status ADD VALUE 'paused';"
    "CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY, bounty text REFERENCES bounty);"
    "CREATE INDEX later_bounty_idx ON later (bounty)"
)
BEYOND = (
    "CREATE ROLE another",
    "CREATE DATABASE another",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "SET ROLE postgres",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('postgresql.conf')",
)


@pytest.fixture
def role_for() -> Iterator[Callable[[DatabaseUrl, Purpose], DatabaseUrl]]:
    """Run the script of a purpose, and be that role."""
    made: list[tuple[DatabaseUrl, str]] = []

    def make(url: DatabaseUrl, purpose: Purpose) -> DatabaseUrl:
        name, password = f"role_{secrets.token_hex(4)}", secrets.token_hex(8)
        execute_script(url, role_script(url, purpose, name).sql())
        made.append((url, name))
        execute(url, f"ALTER ROLE {{}} PASSWORD '{password}'", name)
        return replace(url, user=name, password=password)

    yield make
    for url, name in reversed(made):
        execute(url, "REASSIGN OWNED BY {} TO CURRENT_USER", name)
        execute(url, "DROP OWNED BY {}", name)
        execute(url, "DROP ROLE {}", name)


def execute_script(url: DatabaseUrl, script: str) -> None:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute(script.encode())


def refused(url: DatabaseUrl) -> list[str]:
    """Which of the statements that lead out of the database are refused."""
    found = []
    with psycopg.connect(**url.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
        for statement in BEYOND:
            try:
                session.execute(statement.encode())
            except psycopg.errors.InsufficientPrivilege:
                found.append(statement)
    return found


@pytest.mark.parametrize("major", oldest_and_newest_major())
@pytest.mark.many(every=5)
def test_the_role_for_migrations_takes_an_empty_database_to_the_head(
    make_database: Callable[..., DatabaseUrl],
    role_for: Callable[[DatabaseUrl, Purpose], DatabaseUrl],
    tmp_path: Path,
    major: int,
) -> None:
    migrator = role_for(make_database(major=major), "migration")
    assert migrate(migrator).outcome == "applied"
    assert migrate(migrator, longer_line(tmp_path, CHANGE)).outcome == "applied"
    assert refused(migrator) == list(BEYOND)


@pytest.mark.parametrize("owner_is", ["superuser", "application"])
def test_the_role_for_migrations_changes_what_others_made(
    fresh_database: DatabaseUrl,
    role_for: Callable[[DatabaseUrl, Purpose], DatabaseUrl],
    tmp_path: Path,
    owner_is: str,
) -> None:
    owner = fresh_database
    if owner_is == "application":
        owner = role_for(fresh_database, "migration")
    migrate(owner)
    reader = f"reader_{secrets.token_hex(4)}"
    execute(fresh_database, "CREATE ROLE {}", reader)
    execute(fresh_database, "GRANT SELECT ON bounty TO {}", reader)

    migrator = role_for(fresh_database, "migration")

    assert migrate(migrator, longer_line(tmp_path, CHANGE)).outcome == "applied"
    assert refused(migrator) == list(BEYOND)
    with psycopg.connect(**fresh_database.conninfo()) as session:  # type: ignore[arg-type] # libpq's words
        row = session.execute(
            "SELECT has_table_privilege(%s, 'bounty', 'SELECT')", (reader,)
        ).fetchone()
    assert row == (True,)
    execute(fresh_database, "DROP OWNED BY {}", reader)
    execute(fresh_database, "DROP ROLE {}", reader)


@pytest.mark.soak
def test_the_role_for_backups_takes_one_that_is_proved(
    command_line: CommandLine, role_for: Callable[[DatabaseUrl, Purpose], DatabaseUrl]
) -> None:
    migrate(command_line.database)
    execute(command_line.database, "ALTER TABLE bounty ENABLE ROW LEVEL SECURITY")
    keeper = role_for(command_line.database, "backup")
    outcome = command_line.with_variables(DATABASE_URL=keeper.text()).run("backup", "run", "--json")
    assert outcome.document["verdict"] == "proved"
    assert refused(keeper) == list(BEYOND)
    with psycopg.connect(**keeper.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
        for statement in ("DELETE FROM bounty", "CREATE TABLE mine (id int)", "DROP TABLE bounty"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                session.execute(sql.SQL(statement))
