"""What a statement's text says about how to send it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.statement import Kind, Name, is_online, read_statement

LIMITS = Limits(
    lock_timeout_seconds=1,
    attempts=2,
    statement_timeout_seconds=10,
    long_statement_timeout_seconds=100,
)


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("CREATE INDEX i ON t (a)", Kind.PLAIN),
        ("CREATE INDEX CONCURRENTLY i ON t (a)", Kind.CREATE_INDEX),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON s.t (lower(a))", Kind.CREATE_INDEX),
        ("DROP INDEX i", Kind.PLAIN),
        ("drop index concurrently if exists i", Kind.DROP_INDEX),
        ("REINDEX INDEX CONCURRENTLY i", Kind.REINDEX),
        ("REINDEX (CONCURRENTLY, VERBOSE) TABLE t", Kind.REINDEX),
        ("REINDEX (CONCURRENTLY false) TABLE t", Kind.PLAIN),
        ("REINDEX SCHEMA s", Kind.AGAIN),
        ("ALTER TABLE p DETACH PARTITION c", Kind.PLAIN),
        ("ALTER TABLE p DETACH PARTITION c CONCURRENTLY", Kind.DETACH),
        ("ALTER TYPE e ADD VALUE 'x'", Kind.PLAIN),
        ("VACUUM t", Kind.AGAIN),
        ("ANALYZE t", Kind.AGAIN),
        ("CALL p()", Kind.AGAIN),
        ("DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$", Kind.AGAIN),
        ("DO $$ BEGIN UPDATE t SET a = 1; END $$", Kind.PLAIN),
        ("SELECT 1", Kind.READ),
        ("SELECT a INTO b FROM t", Kind.PLAIN),
        ("WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone", Kind.PLAIN),
        ("SET lock_timeout = 0", Kind.READ),
        ("COMMIT", Kind.CONTROL),
        ("UPDATE t SET a = 1; COMMIT; UPDATE t SET a = 2", Kind.CONTROL),
        ("SAVEPOINT s", Kind.PLAIN),
        ("CREATE DATABASE d", Kind.ONCE),
        ("this is not SQL", Kind.PLAIN),
        ("UPDATE t SET a = %(a)s::INTEGER WHERE b LIKE 'x%%'", Kind.PLAIN),
    ],
)
def test_kinds(sql: str, kind: Kind) -> None:
    assert read_statement(sql).kind is kind


def test_what_a_statement_is_about() -> None:
    built = read_statement('CREATE INDEX CONCURRENTLY "My i" ON s."T" (a)')
    assert (built.relation, built.index) == (Name("T", "s"), "My i")
    assert built.relation is not None
    assert built.relation.quoted() == '"s"."T"'
    detached = read_statement("ALTER TABLE p DETACH PARTITION s.c CONCURRENTLY")
    assert (detached.relation, detached.partition) == (Name("p"), Name("c", "s"))
    assert read_statement("DROP INDEX CONCURRENTLY s.i").relation == Name("i", "s")
    assert read_statement("REINDEX INDEX CONCURRENTLY i").index == "i"


@pytest.mark.parametrize(
    ("sql", "autocommit", "holds", "online"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", True, False, True),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", False, False, True),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", False, True, False),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN d int", False, False, False),
        ("UPDATE t SET a = 1", True, False, True),
        ("UPDATE t SET a = 1", False, False, False),
        ("SELECT 1", False, True, False),
        ("VACUUM t", True, False, True),
        ("VACUUM FULL t", True, False, False),
        ("ALTER TABLE t ADD COLUMN a int", True, False, False),
        ("CREATE INDEX i ON t (a)", False, False, False),
    ],
)
def test_only_what_stops_nobody_may_run_for_long(
    sql: str, autocommit: bool, holds: bool, online: bool
) -> None:
    statement = read_statement(sql)
    assert is_online(statement, autocommit=autocommit, holds=holds) is online
    running = LIMITS.timeouts(statement, online=online)[1]
    assert running == (100 if online else 10)


def test_only_builders_of_indexes_wait_for_longer() -> None:
    for sql in ("ALTER TABLE t VALIDATE CONSTRAINT c", "UPDATE t SET a = 1", "VACUUM t"):
        assert LIMITS.timeouts(read_statement(sql), online=True)[0] == 1
    for sql in ("CREATE INDEX CONCURRENTLY i ON t (a)", "DROP INDEX CONCURRENTLY i"):
        assert LIMITS.timeouts(read_statement(sql), online=True)[0] == 100


@given(st.text())
def test_every_string_can_be_read(sql: str) -> None:
    read_statement(sql)
