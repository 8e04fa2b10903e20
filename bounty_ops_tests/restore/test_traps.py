"""The page of traps names tests that are there, and the traps that had none have one here."""

from __future__ import annotations

import dataclasses
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import PostgresError
from bounty_ops.postgres.connect import connect
from bounty_ops.restore.outcome import Watching
from bounty_ops_tests.fix_backups import run, value
from bounty_ops_tests.restore.restores import databases, new_name

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops_tests.restore.restores import Restores

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reference" / "traps.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_is_there() -> None:
    rows = re.findall(r"^\| (\d+) \| .* \| `(.+)::(\w+)` \|$", PAGE, re.MULTILINE)

    assert [int(number) for number, _, _ in rows] == list(range(1, 37))
    for _, path, name in rows:
        assert f"\ndef {name}(" in (TESTS / path).read_text(encoding="utf-8"), name


@pytest.fixture
def fruit(fresh_database: DatabaseUrl) -> DatabaseUrl:
    """A small database."""
    run(fresh_database, "CREATE TABLE fruit AS SELECT generate_series(1, 100) AS number")
    return fresh_database


def test_the_planner_knows_the_rows_of_a_restored_database(
    fruit: DatabaseUrl, restores: Restores
) -> None:
    target = restores.target(fruit.with_database(new_name()))

    assert restores.restore(restores.backups.take(fruit), target).done

    assert value(target.url, "SELECT count(*) FROM pg_stats WHERE tablename = 'fruit'") == 1
    assert value(target.url, "SELECT reltuples FROM pg_class WHERE relname = 'fruit'") == 100


def test_nobody_gets_into_a_copy_before_it_is_whole(fruit: DatabaseUrl, restores: Restores) -> None:
    name = f"app_{secrets.token_hex(4)}"
    run(fruit, f"CREATE ROLE {name} LOGIN PASSWORD 'word'")
    manifest = restores.backups.take(fruit)
    target = restores.target(fruit.with_database(new_name()))
    refused: list[str] = []

    def try_to_get_in(what: str) -> None:
        if what.startswith("swapping"):
            return  # it is whole, and equal
        for copy in databases(fruit, f"{target.url.database}_restoring"):
            intruder = dataclasses.replace(fruit.with_database(copy), user=name, password="word")
            with (
                pytest.raises(PostgresError, match="may not connect"),
                connect(intruder, application_name="an application"),
            ):
                raise AssertionError(what)
            refused.append(what)

    plan = restores.plan(manifest, target)
    restores.carry_out(plan, manifest, target, watching=Watching(step=try_to_get_in))

    assert "comparing with the manifest" in refused
    assert "collecting statistics for the planner" in refused
