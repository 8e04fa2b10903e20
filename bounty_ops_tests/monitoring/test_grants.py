"""The role that `db grants` prints is enough: nothing is unknown to it, and no row can be read."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from bounty_ops.monitoring import CollectionResult, collect
from bounty_ops.monitoring.grants import Purpose, role_script
from bounty_ops.postgres.preflight import refuse_unfit
from bounty_ops.postgres.server import server_facts
from bounty_ops_tests.fix_servers import all_server_majors, oldest_and_newest_major
from bounty_ops_tests.monitoring.conftest import Session, environment_of, execute

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl

#: What no grant makes known.
NOT_A_PRIVILEGE = {"since when index use is counted", "slow statements"}


@pytest.fixture
def granted() -> Iterator[Callable[..., DatabaseUrl]]:
    """Make the role that the script describes: ``granted(url, "monitoring")`` -> its URL."""
    made: list[tuple[DatabaseUrl, str]] = []

    def make(url: DatabaseUrl, purpose: Purpose = "monitoring") -> DatabaseUrl:
        name, password = f"role {secrets.token_hex(4)}", secrets.token_hex(8)
        made.append((url, name))
        run(url, role_script(url, purpose, name).sql())
        with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(name), password)
            )
        return replace(url, user=name, password=password)

    yield make
    for url, name in made:
        execute(url, "DROP OWNED BY {}", name)
        execute(url, "DROP ROLE {}", name)


def run(url: DatabaseUrl, script: str) -> None:
    with psycopg.connect(**url.conninfo(), autocommit=True) as connection:  # type: ignore[arg-type] # libpq's words
        connection.execute(script.encode())


def unknown_to(url: DatabaseUrl) -> CollectionResult:
    return collect(environment_of(url, slow_query_seconds=0.000_001))


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_nothing_is_unknown_to_the_printed_role(
    make_database: Callable[..., DatabaseUrl],
    granted: Callable[..., DatabaseUrl],
    open_session: Callable[..., Session],
    major: int,
) -> None:
    url = make_database(major=major)
    execute(url, 'CREATE SCHEMA "Odd One"')
    execute(url, 'CREATE TABLE "Odd One".t (id serial PRIMARY KEY, at timestamptz, name text)')
    execute(url, "CREATE TABLE people (id bigint GENERATED ALWAYS AS IDENTITY, name text UNIQUE)")
    execute(url, "INSERT INTO people (name) SELECT 'somebody ' || g FROM generate_series(1, 99) g")
    execute(url, "ANALYZE")
    watcher = granted(url)
    execute(url, "CREATE TABLE made_later (id serial PRIMARY KEY, name text)")
    open_session(url, autocommit="no").execute("SELECT 'secret'")

    result = unknown_to(watcher)

    assert {each.subject for each in result.unknown} <= NOT_A_PRIVILEGE
    assert result.families["sequences"].model_dump()["count"] == 3
    assert result.families["activity"].model_dump()["sessions"]


def test_the_printed_role_sees_the_statistics_of_statements(
    statements_server: DatabaseUrl, granted: Callable[..., DatabaseUrl]
) -> None:
    url = statements_server.with_database(f"granted_{secrets.token_hex(4)}")
    execute(statements_server, "CREATE DATABASE {}", url.database)
    execute(url, "CREATE SCHEMA extensions")
    execute(url, "CREATE EXTENSION pg_stat_statements SCHEMA extensions")
    result = unknown_to(granted(url))
    assert [each for each in result.unknown if each.family == "queries"] == []


@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_the_printed_role_reads_no_row_and_sees_no_text_of_one(
    make_database: Callable[..., DatabaseUrl], granted: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(url, "CREATE TABLE people (name text, born date)")
    execute(url, "INSERT INTO people SELECT 'Alice', '2001-02-03' FROM generate_series(1, 99)")
    execute(url, "ANALYZE people")
    watcher = granted(url)
    with psycopg.connect(**watcher.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("SELECT * FROM people")
        assert session.execute("SELECT * FROM pg_stats WHERE tablename = 'people'").fetchall() == []
        shown = session.execute("SELECT * FROM bounty_ops.column_statistics()").fetchall()
    assert {row[2] for row in shown if row[1] == "people"} == {"name", "born"}
    assert "Alice" not in str(shown)
    with psycopg.connect(**url.conninfo()) as session:  # type: ignore[arg-type] # libpq's words
        row = session.execute(
            "SELECT count(*) FROM information_schema.routine_privileges "
            "WHERE routine_schema = 'bounty_ops' AND grantee = 'PUBLIC'"
        ).fetchone()
    assert row == (0,)


def test_a_script_can_be_run_again_and_brings_an_existing_role_up(
    fresh_database: DatabaseUrl, granted: Callable[..., DatabaseUrl]
) -> None:
    watcher = granted(fresh_database)
    execute(fresh_database, "CREATE SCHEMA later")
    execute(fresh_database, "CREATE SEQUENCE later.s")
    assert "sequences" in {each.family for each in unknown_to(watcher).unknown}
    script = role_script(fresh_database, "monitoring", watcher.user)
    assert f'ALTER ROLE "{watcher.user}" LOGIN;' in script.sql()
    run(fresh_database, script.sql())
    assert "sequences" not in {each.family for each in unknown_to(watcher).unknown}


def test_each_part_says_what_it_costs_to_leave_it_out(fresh_database: DatabaseUrl) -> None:
    execute(fresh_database, "CREATE TABLE t (id serial)")
    script = role_script(fresh_database, "monitoring")
    assert [grant.statements[0].split(" ", 2)[:2] for grant in script.grants] == [
        ["CREATE", "ROLE"],
        ["GRANT", "pg_monitor"],
        ["GRANT", "USAGE"],
        ["CREATE", "SCHEMA"],
    ]
    assert all(f"-- Without it: {grant.without}" in script.sql() for grant in script.grants)
    assert script.to_json()["sql"] == script.sql()


@pytest.mark.parametrize("major", all_server_majors()[-1:])
def test_the_role_for_backups_may_read_everything(
    make_database: Callable[..., DatabaseUrl], granted: Callable[..., DatabaseUrl], major: int
) -> None:
    url = make_database(major=major)
    execute(url, "CREATE SCHEMA inner_one")
    execute(url, "CREATE TABLE inner_one.t (id serial)")
    execute(url, "ALTER TABLE inner_one.t ENABLE ROW LEVEL SECURITY")
    keeper = granted(url, "backup")
    with psycopg.connect(**keeper.conninfo(), autocommit=True) as session:  # type: ignore[arg-type] # libpq's words
        refuse_unfit(session, keeper, server_facts(session))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("INSERT INTO inner_one.t DEFAULT VALUES")
