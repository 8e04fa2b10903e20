"""A reset that does not come to its end leaves the old database or the new one, whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from psycopg import sql

import bounty_ops
from bounty_ops.errors import MigrationError, PostgresError, RestoreError
from bounty_ops.migrating.reset import ResetPlan, plan_reset
from bounty_ops.migrating.resetting import reset
from bounty_ops.restore import beside
from bounty_ops.restore.swap import alone
from bounty_ops.restore.target import maintenance_connection
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.reset.conftest import (
    connection_to,
    count,
    left_beside,
    made_anew,
)

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl, Environment

ROOT = Path(bounty_ops.__file__).parents[1]


@pytest.mark.parametrize(
    "how", ["interrupted", pytest.param("server gone", marks=pytest.mark.soak)]
)
def test_half_way_the_old_database_is_as_it_was(mine: DatabaseUrl, how: str) -> None:
    here, seen = environment(mine), []

    def stop(_rows: int) -> None:
        seen.append(left_beside(mine))
        if how == "interrupted":
            raise KeyboardInterrupt
        with connection_to(mine.with_database("postgres")) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname LIKE %s",
                [f"{mine.database}\\_%"],
            )

    plan = plan_reset(here, rows=5000)
    with pytest.raises((KeyboardInterrupt, PostgresError)):
        reset(plan, here, operator="tester", digest=plan.digest, progress=stop)
    assert len(seen[0]) == 1, "it was being made beside the old one"
    assert left_beside(mine) == []
    assert count(mine, "mine") == 7
    assert plan_reset(here, rows=5000).digest == plan.digest


@pytest.mark.soak
def test_what_a_killed_reset_left_is_removed_by_the_next(mine: DatabaseUrl) -> None:
    name = beside.copy_name(mine.database, "20260101T000000Z-00000000")
    with connection_to(mine) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    made_anew(environment(mine), rows=None)
    assert left_beside(mine) == []


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
    with connection_to(mine.with_database("postgres")) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(names[1]))
        beside.stamp(connection, copy)
        connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(names[0]))
        if renamed:
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(names[0], names[2]))
    plan = plan_reset(here, rows=None)
    assert plan.needs_digest
    if renamed:
        assert reset(plan, here, operator="tester", digest=plan.digest).finished
        with connection_to(mine) as connection:
            assert connection.execute("SELECT to_regclass('mine')").fetchone() == (None,)
    else:
        with pytest.raises(MigrationError, match="is as it was"):
            reset(plan, here, operator="tester", digest=plan.digest)
        assert count(mine, "mine") == 7
        made_anew(here, rows=None)
    assert left_beside(mine) == []


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
    with connection_to(mine.with_database("postgres")) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(copy.name)))
        beside.stamp(connection, copy)
    with pytest.raises(MigrationError, match="broken off") as refused:
        plan_reset(environment(mine), rows=None)
    assert "backup restore" in refused.value.hint


_KILLED = """
import sys
from bounty_ops.environments import load_settings
from bounty_ops.migrating.reset import plan_reset
from bounty_ops.migrating.resetting import reset

here = load_settings().environment("development")
plan = plan_reset(here, rows=3000)
print("begins", flush=True)
reset(plan, here, operator="tester", digest=plan.digest)
"""


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_killed_at_any_moment_the_database_is_the_old_one_or_the_new_one(
    mine: DatabaseUrl, tmp_path: Path
) -> None:
    here, old, new = environment(mine), 0, 0
    for delay in (0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 9.0):
        with subprocess.Popen(
            [sys.executable, "-c", _KILLED],
            env={**os.environ, "PYTHONPATH": str(ROOT), "DATABASE_URL": mine.text()},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "begins\n"
            time.sleep(delay)
            process.kill()
        plan = _free_again(here)
        if plan.unfinished is not None:
            reset(plan, here, operator="tester", digest=plan.digest)
            plan = plan_reset(here, rows=None)
        if [each.label for each in plan.state.tables] == ["public.mine"]:
            old += 1
            assert count(mine, "mine") == 7
        else:
            new += 1
            assert plan.state.rows >= 3000
    assert old + new == 9
    assert old > 0
    made_anew(here, rows=None)
    assert left_beside(mine) == []


def _free_again(here: Environment) -> ResetPlan:
    """The server notices by itself that its client is no more; it takes a moment."""
    deadline = time.monotonic() + 60
    while True:
        try:
            plan = plan_reset(here, rows=None)
            with (
                maintenance_connection(here.require_url()) as connection,
                alone(connection, here.require_url().database),
            ):
                return plan
        except RestoreError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
