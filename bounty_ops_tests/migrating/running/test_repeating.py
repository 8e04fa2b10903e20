"""What a dead runner left of a step outside of transactions is found, and finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import MigrationError, ServerUnavailable
from bounty_ops.migrating.errors import UnrepeatableError
from bounty_ops.migrating.facts import read_facts
from bounty_ops_tests.migrating.running.short_lines import (
    NOTHING,
    apart,
    connect,
    executes,
    indexes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

BUILD = "CREATE INDEX CONCURRENTLY i ON t (lower(b), a DESC) WHERE a > 1"
ONLINE = "if not op.get_context().as_sql"
STEPS = "SELECT count(*) FROM bounty_ops.revision_step"


def _run(url: DatabaseUrl, *statements: str) -> None:
    with connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _one(url: DatabaseUrl, question: str) -> object:
    with connect(url) as connection:
        row = connection.execute(question.encode()).fetchone()
        return None if row is None else row[0]


def _invalidate(url: DatabaseUrl, index: str) -> None:
    _run(url, f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass")


def test_an_invalid_index_is_built_anew(table: DatabaseUrl, tmp_path: Path) -> None:
    _run(table, "CREATE INDEX i ON t (b)")  # of another shape, too
    _invalidate(table, "i")
    evidence = move(table, short_line(tmp_path, apart(BUILD)))
    assert indexes(table) == {"t_pkey": True, "i": True}
    assert "lower" in str(_one(table, "SELECT pg_get_indexdef('i'::regclass)"))
    assert [(each.sql, each.times) for each in evidence.statements] == [
        ("CREATE INDEX CONCURRENTLY i ON t (lower(b), a DESC) WHERE a > ?", 1)
    ]


def test_if_not_exists_does_not_keep_an_invalid_index(table: DatabaseUrl, tmp_path: Path) -> None:
    _run(table, "CREATE INDEX i ON t (b)")
    _invalidate(table, "i")
    move(table, short_line(tmp_path, apart("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (b)")))
    assert indexes(table)["i"] is True


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param(BUILD, marks=pytest.mark.soak),
        """CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "I x" ON public.t (b COLLATE "C"
        text_pattern_ops) INCLUDE (a) WITH (fillfactor = 70) WHERE b <> 'it''s'""",
        pytest.param("CREATE INDEX CONCURRENTLY h ON t USING hash (b)", marks=pytest.mark.soak),
    ],
)
def test_an_index_that_is_there_already_counts_as_built(
    table: DatabaseUrl, tmp_path: Path, definition: str
) -> None:
    _run(table, definition)
    name = next(name for name in indexes(table) if name != "t_pkey")
    before = _one(table, f"SELECT '{name}'::regclass::oid")
    move(table, short_line(tmp_path, apart(definition)))
    assert _one(table, f"SELECT '{name}'::regclass::oid") == before


@pytest.mark.parametrize("guard", [pytest.param("", marks=pytest.mark.soak), "IF NOT EXISTS "])
def test_another_index_of_that_name_is_not_taken_for_it(
    table: DatabaseUrl, tmp_path: Path, guard: str
) -> None:
    _run(table, "CREATE INDEX i ON t (b)")
    with pytest.raises(UnrepeatableError, match="is something else than this revision builds"):
        move(table, short_line(tmp_path, apart(f"CREATE INDEX CONCURRENTLY {guard}i ON t (a)")))
    assert read_facts(table, short_line(tmp_path, NOTHING)).revision is None


def test_a_build_that_fails_leaves_no_invalid_index(table: DatabaseUrl, tmp_path: Path) -> None:
    _run(table, "UPDATE t SET a = 7 WHERE id < 3")
    line = short_line(tmp_path, apart("CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)"))
    with pytest.raises(MigrationError, match="bounty_0001 failed and what it did outside"):
        move(table, line)
    assert indexes(table) == {"t_pkey": True}
    _run(table, "UPDATE t SET a = id")
    move(table, line)
    assert indexes(table) == {"t_pkey": True, "i": True}


def test_an_index_without_a_name_is_refused(table: DatabaseUrl, tmp_path: Path) -> None:
    with pytest.raises(UnrepeatableError, match="without a name"):
        move(table, short_line(tmp_path, apart("CREATE INDEX CONCURRENTLY ON t (a)")))


def test_dropping_a_missing_index_is_a_mistake_unless_it_was_begun(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    line = short_line(tmp_path, apart("DROP INDEX CONCURRENTLY i"))
    with pytest.raises(MigrationError, match="does not exist"):
        move(table, line)
    # It was written down that it began, and now the index is not there.
    assert _one(table, STEPS) == 1
    assert move(table, line).revisions == ("bounty_0001",)
    assert _one(table, STEPS) == 0


def test_what_a_broken_reindex_left_is_removed(table: DatabaseUrl, tmp_path: Path) -> None:
    long = "i" * 63
    _run(
        table,
        f"CREATE INDEX {long} ON t (a)",
        f"CREATE INDEX {'i' * 57}_ccnew ON t (a)",
        "CREATE INDEX other_ccnew ON t (a)",
        "CREATE INDEX t_pkey_ccold1 ON t (id)",
    )
    for name in (f"{'i' * 57}_ccnew", "t_pkey_ccold1"):
        _invalidate(table, name)
    first = apart(f"REINDEX INDEX CONCURRENTLY {long}")
    move(table, short_line(tmp_path, first))
    assert indexes(table) == {
        "t_pkey": True,
        long: True,
        "other_ccnew": True,
        "t_pkey_ccold1": False,  # of another index
    }
    move(table, short_line(tmp_path, first, apart("REINDEX TABLE CONCURRENTLY t")))
    assert indexes(table) == {"t_pkey": True, long: True, "other_ccnew": True}


@pytest.mark.parametrize("half", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_a_partition_is_detached_to_the_end(table: DatabaseUrl, tmp_path: Path, half: bool) -> None:
    _run(
        table,
        "CREATE TABLE p (id int) PARTITION BY RANGE (id)",
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10)",
    )
    if half:  # as it stands in the catalog after the first of its two transactions
        _run(table, "UPDATE pg_inherits SET inhdetachpending = true")
    move(table, short_line(tmp_path, apart("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY")))
    assert _one(table, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'p'::regclass") == 0


def test_what_fits_into_a_transaction_is_done_exactly_once(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    body = apart(
        "UPDATE t SET a = a + 1",
        "CREATE TABLE u (id int)",
        "ALTER TABLE t ADD COLUMN c int",
        "INSERT INTO missing VALUES (1)",
    )
    line = short_line(tmp_path, body)
    for _ in range(2):
        with pytest.raises(MigrationError, match="missing"):
            move(table, line)
    assert _one(table, "SELECT sum(a - id) FROM t") == 100
    _run(table, "CREATE TABLE missing (id int)")
    evidence = move(table, line)
    assert _one(table, "SELECT sum(a - id) FROM t") == 100
    assert _one(table, "SELECT count(*) FROM missing") == 1
    assert [each.rows for each in evidence.statements] == [100, None, None, 1]


def test_a_backfill_goes_on_after_the_pages_that_are_done(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    body = (
        "with op.get_context().autocommit_block():\n"
        "    after = 100 if op.get_context().as_sql else 0\n"
        "    while after < 100:\n"
        "        done = op.get_bind().execute(\n"
        "            sa.text('UPDATE t SET a = a + 1000 / (CASE WHEN b = :broken THEN 0 ELSE 1 '\n"
        "                    'END) WHERE id > :after AND id <= :after + 10'),\n"
        "            {'after': after, 'broken': 'broken'})\n"
        "        assert done.rowcount == 10, done.rowcount\n"
        "        after += 10\n"
    )
    line = short_line(tmp_path, body)
    _run(table, "UPDATE t SET b = 'broken' WHERE id = 55")
    with pytest.raises(MigrationError, match="division by zero"):
        move(table, line)
    assert _one(table, "SELECT count(*) FROM t WHERE a = id + 1000") == 50
    _run(table, "UPDATE t SET b = 'whole' WHERE id = 55")
    evidence = move(table, line)
    assert _one(table, "SELECT count(*) FROM t WHERE a = id + 1000") == 100
    assert [(each.times, each.rows) for each in evidence.statements] == [(10, 100)]


def test_a_transaction_before_a_step_apart_is_refused(table: DatabaseUrl, tmp_path: Path) -> None:
    """It would be committed without the version, and the next run would do it again."""
    body = executes("CREATE TABLE u (id int)") + "\n" + apart(BUILD)
    with pytest.raises(UnrepeatableError, match="before an autocommit block"):
        move(table, short_line(tmp_path, body))
    assert _one(table, "SELECT to_regclass('u')") is None
    assert indexes(table) == {"t_pkey": True}


def test_a_look_before_a_step_apart_is_fine(table: DatabaseUrl, tmp_path: Path) -> None:
    body = executes("SELECT count(*) FROM t") + "\n" + apart(BUILD)
    move(table, short_line(tmp_path, body))
    assert indexes(table)["i"] is True


def test_a_transaction_after_a_step_apart_comes_with_the_version(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    body = apart(BUILD) + "\n" + executes("INSERT INTO t VALUES (101)", "SELECT 1 / 0")
    with pytest.raises(MigrationError, match="division by zero"):
        move(table, short_line(tmp_path, body))
    assert indexes(table)["i"] is True
    move(table, short_line(tmp_path, body.replace("1 / 0", "1 / 1")))
    assert _one(table, "SELECT count(*) FROM t") == 101


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (executes("CREATE TABLE u (id int)", "COMMIT"), "begins or ends a transaction"),
        (executes("CREATE TABLE u (id int); COMMIT; SELECT 1"), "begins or ends a transaction"),
        (
            executes("CREATE TABLE u (id int)") + f"\n{ONLINE}: op.get_bind().commit()",
            "before an autocommit",
        ),
        (executes("SET lock_timeout = 0; CREATE TABLE u (id int)"), "sets a timeout"),
        (apart("CREATE DATABASE u"), "nobody could tell how far it came"),
    ],
)
def test_what_could_not_be_repeated_is_refused(
    table: DatabaseUrl, tmp_path: Path, body: str, why: str
) -> None:
    with pytest.raises(UnrepeatableError, match=why):
        move(table, short_line(tmp_path, body))
    assert _one(table, "SELECT to_regclass('u')") is None


def test_a_connection_lost_in_a_step_apart_is_told_as_such(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    body = apart("DO $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); COMMIT; END $$")
    with pytest.raises(ServerUnavailable):
        move(table, short_line(tmp_path, body))
