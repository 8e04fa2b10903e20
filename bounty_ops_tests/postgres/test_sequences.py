"""How far a sequence has been used, whichever way it was said."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.pinned import pin_settings
from bounty_ops.postgres.sequences import read_sequences
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl


def last_values(url: DatabaseUrl) -> dict[str, int | None]:
    with connect(url, application_name="tests") as connection:
        pin_settings(connection)
        return {one.name: one.last_value for one in read_sequences(connection)}


@pytest.mark.parametrize(
    ("definition", "use", "expected"),
    [
        ("", "SELECT 1", None),
        ("START 100", "SELECT 1", None),
        ("", "SELECT nextval('q')", 1),
        ("INCREMENT -5 MINVALUE -100 START -5", "SELECT nextval('q')", -5),
        ("", "SELECT setval('q', 42)", 42),
        ("", "SELECT setval('q', 42, false)", 41),
        ("INCREMENT -5 MINVALUE -100 START -5", "SELECT setval('q', -50, false)", -45),
        ("START 7", "SELECT setval('q', 7, false)", None),
        ("", "ALTER SEQUENCE q RESTART 500", 499),
    ],
)
def test_the_last_value_is_the_last_that_does_not_come_again(
    fresh_database: DatabaseUrl, definition: str, use: str, expected: int | None
) -> None:
    run(fresh_database, f"CREATE SEQUENCE q {definition}", use)

    assert last_values(fresh_database) == {"q": expected}


def test_many_sequences_are_each_read(fresh_database: DatabaseUrl) -> None:
    run(
        fresh_database,
        'CREATE SCHEMA "odd ""name"""',
        "DO $$ BEGIN FOR i IN 1..450 LOOP"
        " EXECUTE format('CREATE SEQUENCE %I.%I', 'odd \"name\"', 'q' || i);"
        " PERFORM setval(format('%I.%I', 'odd \"name\"', 'q' || i), i); END LOOP; END $$",
    )

    found = last_values(fresh_database)

    assert found == {f"q{number}": number for number in range(1, 451)}
