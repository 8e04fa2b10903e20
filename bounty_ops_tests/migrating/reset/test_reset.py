"""A developer's database is made anew, and only what was shown is lost."""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from bounty_ops.environments import DatabaseUrl
from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating import current_revision, migrate_ops
from bounty_ops.migrating.reset import plan_reset
from bounty_ops.migrating.resetting import reset
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.reset.conftest import (
    connection_to,
    count,
    left_beside,
    made_anew,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_ROWS = 400


def test_what_was_there_is_shown_and_then_gone(mine: DatabaseUrl) -> None:
    here = environment(mine)
    with connection_to(mine) as connection:
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
    with connection_to(mine) as connection:
        assert connection.execute("SELECT to_regclass('public.mine')").fetchone() == (None,)
        assert connection.execute("SHOW work_mem").fetchone() == ("7MB",)
        assert connection.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database "
            "WHERE datname = current_database()"
        ).fetchone() == ("my own",)
    assert count(mine, "bounty") == done.seeded.rows["bounty"]
    assert current_revision(here).pending == ()
    assert left_beside(mine) == []


@pytest.mark.soak
def test_two_resets_make_the_same(mine: DatabaseUrl) -> None:
    here, found = environment(mine), set()
    for _ in range(2):
        made_anew(here)
        with connection_to(mine) as connection:
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
        assert count(url, "bounty") == 0
    with connection_to(empty) as connection:
        connection.execute(
            sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(missing.database))
        )


def test_who_is_connected_is_named_and_leaves_only_by_consent(mine: DatabaseUrl) -> None:
    here = environment(mine)
    with connection_to(mine, application_name="my shop") as shop:
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
    with connection_to(mine) as connection:
        connection.execute("INSERT INTO mine VALUES (8)")
    for digest in (plan.digest, "0" * 64):
        with pytest.raises(MigrationError, match="another digest; nothing was changed"):
            reset(plan, here, operator="tester", digest=digest)
    assert count(mine, "mine") == 8
    assert left_beside(mine) == []


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
    with connection_to(mine) as connection:
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
