"""Columns that hold something else are found by name, whatever else happens to their table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating.rehearse.comparing import Mentions, after_round_trip, changed_unasked
from bounty_ops.migrating.rehearse.rows import read_rows
from bounty_ops_tests.fix_backups import run

if TYPE_CHECKING:
    from bounty_ops.environments import DatabaseUrl

NOTHING_SAID = Mentions([])


@pytest.fixture
def items(fresh_database: DatabaseUrl) -> DatabaseUrl:
    run(
        fresh_database,
        "CREATE TYPE mood AS ENUM ('good', 'bad')",
        "CREATE TABLE item (id int PRIMARY KEY, name text, mood mood, made timestamp)",
        "INSERT INTO item SELECT g, 'item ' || g, CASE WHEN g < 5 THEN 'bad'::mood ELSE 'good' END,"
        " '2026-01-01'::timestamp + g * interval '1 h' FROM generate_series(1, 50) g",
        "CREATE TABLE keyless (a int, b text)",
        "INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, '')",
        "CREATE TABLE event (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
        "CREATE TABLE event_old PARTITION OF event"
        " FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        "CREATE TABLE event_rest PARTITION OF event DEFAULT",
        "INSERT INTO event SELECT g, '2025-12-01'::date + g FROM generate_series(1, 60) g",
    )
    return fresh_database


def change(url: DatabaseUrl, *statements: str, said: Mentions = NOTHING_SAID) -> tuple[str, ...]:
    before = read_rows(url, "tests")
    run(url, *statements)
    return changed_unasked(before, read_rows(url, "tests"), said)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE item SET name = '' WHERE id = 7", ("public.item.name",)),
        ("UPDATE item SET name = NULL WHERE name = 'item 7'", ("public.item.name",)),
        # Values that trade places leave every plain sum as it was.
        (
            "UPDATE item SET name = CASE id WHEN 1 THEN 'item 2' ELSE 'item 1' END WHERE id < 3",
            ("public.item.name",),
        ),
        ("UPDATE item SET id = id + 100", ("public.item.id",)),
        ("DELETE FROM item WHERE id = 1", ("public.item (50 rows before, 49 after)",)),
        ("UPDATE keyless SET b = NULL WHERE b = ''", ("public.keyless.b",)),
        # The columns of a key stand for each other.
        (
            "UPDATE event SET id = id + 1 WHERE id = 60",
            ("public.event.at", "public.event.id"),
        ),
        ("ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'", ("public.item.mood",)),
        # The same rows under another name, of another type, elsewhere, in another order.
        ("ALTER TABLE item RENAME TO thing", ()),
        ("ALTER TABLE item ALTER id TYPE bigint", ()),
        ("ALTER TABLE item DROP COLUMN name", ()),
        ("ALTER TABLE item ADD COLUMN x int DEFAULT 3", ()),
        ("ALTER TABLE item RENAME name TO title", ()),
        ("CLUSTER item USING item_pkey", ()),
        (
            """ALTER TABLE event DETACH PARTITION event_rest;
            CREATE TABLE event_2026 (LIKE event);
            INSERT INTO event_2026 SELECT * FROM event_rest; DROP TABLE event_rest;
            ALTER TABLE event ATTACH PARTITION event_2026
            FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')""",
            (),
        ),
    ],
)
def test_what_changed_is_named(items: DatabaseUrl, statement: str, found: tuple[str, ...]) -> None:
    assert change(items, statement) == found


def test_in_another_time_zone_a_wider_type_moves_moments(items: DatabaseUrl) -> None:
    statement = "SET timezone = 'Asia/Tokyo'; ALTER TABLE item ALTER made TYPE timestamptz"

    assert change(items, statement) == ("public.item.made",)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("UPDATE item SET name = ''", "UPDATE item SET name = ''"),
        ('UPDATE "item" SET "name" = NULL', "UPDATE item SET name = NULL"),
        ("DELETE FROM item", "DELETE FROM item"),
        ("UPDATE event SET id = 5", "UPDATE event SET id = id + 1"),
        ("ALTER TYPE mood ...", "ALTER TYPE mood RENAME VALUE 'bad' TO 'worse'"),
    ],
)
def test_what_a_revision_names_may_change(items: DatabaseUrl, text: str, statement: str) -> None:
    assert change(items, statement, said=Mentions([text])) == ()


def test_table_and_column_have_to_stand_in_the_same_revision() -> None:
    mentions = Mentions(["UPDATE item SET x = 1", "ALTER TABLE other ADD name_2 text"])

    assert mentions.together("item", "x")
    assert mentions.together("ITEM")
    assert not mentions.together("item", "name_2")
    assert not mentions.together("name")


def test_a_round_trip_leaves_out_what_the_migration_made_and_finds_the_rest(
    items: DatabaseUrl,
) -> None:
    before = read_rows(items, "tests")
    run(items, "ALTER TABLE item ADD x float DEFAULT random()", "CREATE TABLE fresh (a int)")
    run(items, "ALTER TABLE keyless DROP COLUMN a", "DROP TABLE event")
    first = read_rows(items, "tests")
    run(items, "UPDATE item SET x = random()", "INSERT INTO fresh VALUES (1)")

    compared = after_round_trip(before, first, read_rows(items, "tests"))

    assert compared.differences == ()
    assert sorted(compared.left_out) == [
        "public.item.x",
        "public.keyless.a",
        "table public.event",
        "table public.fresh",
    ]

    run(items, "UPDATE item SET name = 'x'", "DROP TABLE keyless", "CREATE TABLE keyless (b text)")
    compared = after_round_trip(before, first, read_rows(items, "tests"))

    assert compared.differences == (
        "public.item.name",
        "public.keyless (3 rows before, 0 after)",
    )
