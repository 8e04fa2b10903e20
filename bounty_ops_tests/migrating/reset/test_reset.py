"""A developer's database is made anew, and until then it is as it was."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import sql

from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import MigrationError, PostgresError, UsageError
from bounty_ops.migrating import current_revision, migrate_ops
from bounty_ops.migrating.reset import plan_reset
from bounty_ops.migrating.resetting import Reset, reset
from bounty_ops.restore import beside
from bounty_ops_tests.migrating.lines import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import Environment

_ROWS = 400


def _connect(url: DatabaseUrl, **more: str) -> psycopg.Connection[Any]:
    return psycopg.connect(**{**url.conninfo(), **more}, autocommit=True)  # type: ignore[arg-type] # libpq's words


@pytest.fixture
def mine(make_database: Callable[[], DatabaseUrl]) -> Iterator[DatabaseUrl]:
    """A database that somebody has worked in."""
    url = make_database()
    with _connect(url) as connection:
        connection.execute("CREATE TABLE mine AS SELECT generate_series(1, 7) AS number")
    yield url
    with _connect(url.with_database("postgres")) as connection:
        for name in _left_beside(url):
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _left_beside(url: DatabaseUrl) -> list[str]:
    with _connect(url.with_database("postgres")) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    return sorted(name for (name,) in rows if name.startswith(f"{url.database}_"))


def _count(url: DatabaseUrl, table: str) -> int:
    with _connect(url) as connection:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        row = connection.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def _done(here: Environment, *, rows: int | None = _ROWS) -> Reset:
    plan = plan_reset(here, rows=rows)
    return reset(plan, here, operator="tester", digest=plan.digest)


def test_what_was_there_is_shown_and_then_gone(mine: DatabaseUrl) -> None:
    here = environment(mine)
    with _connect(mine) as connection:
        name = sql.Identifier(mine.database)
        connection.execute(sql.SQL("ALTER DATABASE {} SET work_mem = '7MB'").format(name))
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS 'my own'").format(name))
    plan = plan_reset(here, rows=_ROWS)
    assert [(each.label, each.rows) for each in plan.state.tables] == [("public.mine", 7)]
    assert plan.needs_digest
    assert plan_reset(here, rows=_ROWS).digest == plan.digest
    assert plan_reset(here, rows=None).digest != plan.digest
    done = reset(plan, here, operator="tester", digest=plan.digest)
    assert (done.finished, done.notes) == (False, ())
    assert done.seeded is not None
    assert done.seeded.total == _ROWS
    with _connect(mine) as connection:
        assert connection.execute("SELECT to_regclass('public.mine')").fetchone() == (None,)
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
        assert connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone() == ("my own",)
    assert _count(mine, "bounty") == done.seeded.rows["bounty"]
    assert current_revision(here).pending == ()
    assert _left_beside(mine) == []


@pytest.mark.soak
def test_two_resets_make_the_same(mine: DatabaseUrl) -> None:
    here, found = environment(mine), set()
    for _ in range(2):
        _done(here)
        with _connect(mine) as connection:
            row = connection.execute(
                "SELECT md5(string_agg(b::text, '' ORDER BY id)) FROM bounty b"
            ).fetchone()
        found.add(row)
    assert len(found) == 1


def test_nothing_to_lose_needs_nobodys_consent(
    make_database: Callable[[], DatabaseUrl],
) -> None:
    empty = make_database()
    missing = dataclasses.replace(empty, database=f"{empty.database}_new")
    for url in (missing, empty):
        here = environment(url)
        plan = plan_reset(here, rows=None)
        assert not plan.needs_digest
        assert reset(plan, here, operator="tester", digest=None).seeded is None
        assert _count(url, "bounty") == 0
    with _connect(empty) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(missing.database))
        )


def test_who_is_connected_is_named_and_leaves_only_by_consent(mine: DatabaseUrl) -> None:
    here = environment(mine)
    with _connect(mine, application_name="my shop") as shop:
        plan = plan_reset(here, rows=None)
        assert [(one.application, one.count) for one in plan.state.sessions] == [("my shop", 1)]
        with pytest.raises(UsageError, match="in use or not empty") as refused:
            reset(plan, here, operator="tester", digest=None)
        assert plan.digest in refused.value.hint
        assert shop.execute("SELECT count(*) FROM mine").fetchone() == (7,)
        reset(plan, here, operator="tester", digest=plan.digest)
        with pytest.raises(psycopg.OperationalError):
            shop.execute("SELECT 1")


def test_what_was_not_shown_is_not_deleted(mine: DatabaseUrl) -> None:
    here = environment(mine)
    plan = plan_reset(here, rows=None)
    with _connect(mine) as connection:
        connection.execute("INSERT INTO mine VALUES (8)")
    for digest in (plan.digest, "0" * 64):
        with pytest.raises(MigrationError, match="another digest; nothing was changed"):
            reset(plan, here, operator="tester", digest=digest)
    assert _count(mine, "mine") == 8
    assert _left_beside(mine) == []


@pytest.mark.parametrize(
    ("host", "policy", "words"),
    [
        ("127.0.0.1", {"protected": True, "require_tls": False}, "is protected"),
        ("db.example.org", {}, "not on this machine"),
        ("127.0.0.1,db.example.org", {}, "not on this machine"),
    ],
)
def test_somebody_elses_database_is_refused_before_it_is_asked(
    host: str, policy: dict[str, object], words: str
) -> None:
    url = DatabaseUrl(host, 1, "bounty", "somebody")
    with pytest.raises(UsageError, match=words):
        plan_reset(environment(url, **policy), rows=None)


def test_the_operations_database_is_refused(mine: DatabaseUrl) -> None:
    migrate_ops(mine)
    with pytest.raises(UsageError, match="the operations database"):
        plan_reset(environment(mine), rows=None)


def test_a_role_that_may_not_create_databases_is_told(mine: DatabaseUrl) -> None:
    role, password = f"plain_{secrets.token_hex(4)}", secrets.token_hex(8)
    name = sql.Identifier(role)
    with _connect(mine) as connection:
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, sql.Literal(password))
        )
        try:
            url = dataclasses.replace(mine, user=role, password=password)
            with pytest.raises(MigrationError, match="may not create databases") as refused:
                plan_reset(environment(url), rows=None)
            assert "CREATEDB" in refused.value.hint
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.mark.parametrize(
    "how", ["interrupted", pytest.param("server gone", marks=pytest.mark.soak)]
)
def test_half_way_the_old_database_is_as_it_was(mine: DatabaseUrl, how: str) -> None:
    here, seen = environment(mine), []

    def stop(_rows: int) -> None:
        seen.append(_left_beside(mine))
        if how == "interrupted":
            raise KeyboardInterrupt
        with _connect(mine.with_database("postgres")) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname LIKE %s",
                [f"{mine.database}\\_%"],
            )

    plan = plan_reset(here, rows=5000)
    with pytest.raises((KeyboardInterrupt, PostgresError)):
        reset(plan, here, operator="tester", digest=plan.digest, progress=stop)
    assert len(seen[0]) == 1, "it was being made beside the old one"
    assert _left_beside(mine) == []
    assert _count(mine, "mine") == 7
    assert plan_reset(here, rows=5000).digest == plan.digest


@pytest.mark.soak
def test_what_a_killed_reset_left_is_removed_by_the_next(mine: DatabaseUrl) -> None:
    name = beside.copy_name(mine.database, "20260101T000000Z-00000000")
    with _connect(mine) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    _done(environment(mine), rows=None)
    assert _left_beside(mine) == []


@pytest.mark.parametrize("renamed", [pytest.param(False, marks=pytest.mark.soak), True])
def test_a_reset_that_died_between_its_two_renames_is_brought_to_an_end(
    mine: DatabaseUrl, renamed: bool
) -> None:
    here, run = environment(mine), "20260101T000000Z-00000000"
    copy = beside.Beside(
        name=beside.copy_name(mine.database, run),
        target=mine.database,
        stage="swapping",
        backup_id="",
        digest="",
        old_name=beside.old_name(mine.database, run),
    )
    names = [sql.Identifier(each) for each in (mine.database, copy.name, copy.old_name)]
    with _connect(mine.with_database("postgres")) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(names[1]))
        beside.stamp(connection, copy)
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(names[0]))
        if renamed:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(names[0], names[2]))
    plan = plan_reset(here, rows=None)
    assert plan.needs_digest
    if renamed:
        assert reset(plan, here, operator="tester", digest=plan.digest).finished
        with _connect(mine) as connection:
            assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
    else:
        with pytest.raises(MigrationError, match="is as it was"):
            reset(plan, here, operator="tester", digest=plan.digest)
        assert _count(mine, "mine") == 7
        _done(here, rows=None)
    assert _left_beside(mine) == []


@pytest.mark.soak
def test_an_unfinished_restore_is_finished_first(mine: DatabaseUrl) -> None:
    run = "20260101T000000Z-00000000"
    copy = beside.Beside(
        name=beside.copy_name(mine.database, run),
        target=mine.database,
        stage="swapping",
        backup_id=run,
        digest="",
        old_name=beside.old_name(mine.database, run),
    )
    with _connect(mine.with_database("postgres")) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(copy.name)))
        beside.stamp(connection, copy)
    with pytest.raises(MigrationError, match="broken off") as refused:
        plan_reset(environment(mine), rows=None)
    assert "backup restore" in refused.value.hint
