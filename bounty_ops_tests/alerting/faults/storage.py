"""What tables, indexes and sequences come to."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.alerting import Rule
from bounty_ops_tests.alerting.faults.table import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Generator

    from bounty_ops_tests.alerting.faults.place import Place

FAULTS: Final[list[Fault]] = []


@fault(
    FAULTS,
    Rule.TABLE_GROWTH,
    "a table has three times the rows of yesterday",
    "public.t grew by",
    minimum=100_000,
)
def rows_upon_rows(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 10000)")
    yield
    place.passes(timedelta(days=1))
    place.execute("INSERT INTO t SELECT 1 FROM generate_series(1, 20000)")
    yield
    place.execute("TRUNCATE t")


@fault(
    FAULTS,
    Rule.VACUUM_LAG,
    "all rows of a table without autovacuum are deleted",
    "2,000 dead rows",
    "VACUUM (VERBOSE)",
    minimum=1_000,
)
def nobody_vacuums(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE t (id int) WITH (autovacuum_enabled = off)")
    place.execute("INSERT INTO t SELECT generate_series(1, 2000)")
    yield
    place.execute("DELETE FROM t")
    _dead_rows(place, "= 2000")
    yield
    place.execute("VACUUM t")
    _dead_rows(place, "= 0")


def _dead_rows(place: Place, condition: str) -> None:
    """What a session did is counted when it has reported it."""
    while not place.value(f"SELECT n_dead_tup {condition} FROM pg_stat_user_tables"):
        time.sleep(0.05)


@fault(
    FAULTS,
    Rule.SEQUENCE_EXHAUSTION,
    "a sequence with room for ever feeds a column of type int that is nearly full",
    "98% of sequence public.ids",
    "public.t.id",
    grave=True,
)
def a_column_that_is_full(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE SEQUENCE ids AS bigint; CREATE TABLE t (id int DEFAULT nextval('ids'))")
    yield
    place.execute("SELECT setval('ids', 2100000000)")
    yield
    place.execute("ALTER TABLE t ALTER COLUMN id TYPE bigint")


@fault(
    FAULTS,
    Rule.LIMIT_IN_SIGHT,
    "for 20 days a sequence is used up by 3 % of its range a day",
    "sequence public.ids reaches 80% of its limit",
    "bigint",
)
def a_sequence_that_runs_out(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE SEQUENCE ids AS integer")
    yield
    for day in range(1, 21):
        place.passes(timedelta(days=1))
        place.execute(f"SELECT setval('ids', {day * 3 * 2**31 // 100})")
        place.measure()
    yield
    place.execute("DROP SEQUENCE ids")


@fault(
    FAULTS,
    Rule.INDEX_INVALID,
    "CREATE UNIQUE INDEX CONCURRENTLY meets rows that are not unique",
    'DROP INDEX CONCURRENTLY "public"."t_id_idx"',
)
def an_index_that_failed(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 2)")
    yield
    with suppress(psycopg.errors.UniqueViolation):
        place.execute("CREATE UNIQUE INDEX CONCURRENTLY t_id_idx ON t (id)")
    yield
    place.execute("DROP INDEX t_id_idx")


@fault(
    FAULTS,
    Rule.INDEX_UNUSED,
    "30 days pass, and nobody uses an index; recorded, and told to nobody",
    "public.t_id_idx was not used for 31 days",
    'DROP INDEX CONCURRENTLY "public"."t_id_idx"',
    warning=8_192,
)
def an_index_for_nothing(place: Place) -> Generator[None, None, None]:
    place.execute("CREATE TABLE t AS SELECT 1 AS id FROM generate_series(1, 1000)")
    place.execute("CREATE INDEX t_id_idx ON t (id)")
    yield
    place.passes(timedelta(days=31))
    yield
    place.execute("DROP INDEX CONCURRENTLY t_id_idx")
