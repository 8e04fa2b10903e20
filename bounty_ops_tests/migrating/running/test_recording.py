"""What is written down of every statement, and that every one of them has its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import MigrationError
from bounty_ops.migrating import apply_migration, plan_migration
from bounty_ops.migrating.running import Observer
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.evidence import MigrationEvidence, StatementRecord
    from bounty_ops.migrating.running import Underway


class _Ear(Observer):
    def __init__(self) -> None:
        self.heard: list[str] = []

    def began(self, statement: Underway) -> None:
        self.heard.append(f"{statement.number} begins")

    def ended(self, statement: Underway, record: StatementRecord) -> None:
        assert (statement.number, statement.sql) == (record.number, record.sql)
        self.heard.append(f"{statement.number} ends")


def _locks(record: StatementRecord) -> dict[str, str]:
    return {lock.relation: lock.mode for lock in record.locks}


def test_each_statement_is_told_with_what_it_took(table: DatabaseUrl, tmp_path: Path) -> None:
    ear = _Ear()
    body = executes(
        "CREATE TABLE u (id int PRIMARY KEY, t int)",
        "INSERT INTO t VALUES (101, 5, 'a secret')",
        "ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (t) REFERENCES t (id) NOT VALID",
        "UPDATE t SET b = 'another secret' WHERE id > 50",
        "ALTER TABLE t RENAME TO renamed",
        "DROP TABLE renamed CASCADE",
    )
    evidence = move(table, short_line(tmp_path, body), ear)
    assert ear.heard == [f"{n} {what}" for n in range(1, 7) for what in ("begins", "ends")]
    assert [each.number for each in evidence.statements] == [1, 2, 3, 4, 5, 6]
    assert [each.rows for each in evidence.statements] == [None, 1, None, 51, None, None]
    assert "secret" not in "".join(each.sql for each in evidence.statements)
    assert [_locks(each) for each in evidence.statements] == [
        {},  # nobody else can see the new table
        {"public.t": "RowExclusiveLock"},
        {"public.t": "ShareRowExclusiveLock"},
        {"public.t_pkey": "RowExclusiveLock"},
        {"public.t": "AccessExclusiveLock"},
        {"public.t_pkey": "AccessExclusiveLock"},
    ]


def test_locks_of_a_step_apart_are_seen_while_it_holds_them(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    with connect(table) as connection:
        connection.execute(
            "INSERT INTO t SELECT n, n, repeat('b', 50) FROM generate_series(1000, 120000) n"
        )
    line = short_line(
        tmp_path,
        apart("CREATE INDEX CONCURRENTLY i ON t (b, a)"),
        apart("ALTER TABLE t ADD COLUMN c int"),
    )
    evidence = move(table, line)
    assert _locks(evidence.statements[0])["public.t"] == "ShareUpdateExclusiveLock"
    assert _locks(evidence.statements[1]) == {"public.t": "AccessExclusiveLock"}


def test_no_statement_is_without_limits(table: DatabaseUrl, tmp_path: Path) -> None:
    """Whatever the revision sets itself, and whatever came before."""
    note = (
        "INSERT INTO t SELECT max(id) + 1, 0, current_setting('lock_timeout') || ' ' || "
        "current_setting('statement_timeout') FROM t"
    )
    line = short_line(
        tmp_path,
        executes(note, "SET lock_timeout = 0", "SET LOCAL statement_timeout = 0", note),
        apart(
            note,
            "SET lock_timeout = 0",
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "ALTER TABLE t ADD c text DEFAULT current_setting('lock_timeout')",
        ),
    )
    move(table, line, lock_timeout_seconds=3, statement_timeout_seconds=7)
    with connect(table) as connection:
        noted = [row[0] for row in connection.execute("SELECT b FROM t WHERE id > 100 ORDER BY id")]
        altered = connection.execute("SELECT DISTINCT c FROM t").fetchall()
    assert noted == ["3s 7s", "3s 7s", "3s 4h"]
    assert altered == [("3s",)]


def test_a_statement_that_runs_for_too_long_is_ended(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, executes("ALTER TABLE t ADD c int", "SELECT pg_sleep(60)"))
    with pytest.raises(
        MigrationError, match=r"statement 2 .* longer than the 0\.5 s of statement_"
    ):
        move(table, line, statement_timeout_seconds=0.5)
    with connect(table) as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_attribute WHERE attname = 'c' AND attrelid = 't'::regclass"
        ).fetchone() == (0,)


def test_what_an_observer_raises_ends_the_revision(table: DatabaseUrl, tmp_path: Path) -> None:
    class Refuses(Observer):
        def began(self, statement: Underway) -> None:
            if statement.number == 2:
                raise KeyboardInterrupt

    line = short_line(tmp_path, executes("ALTER TABLE t ADD c int", "ALTER TABLE t ADD d int"))
    here = environment(table)
    recorded: list[MigrationEvidence] = []
    with pytest.raises(KeyboardInterrupt):
        apply_migration(
            plan_migration(here, line),
            here,
            operator="ada",
            lineage=line,
            observer=Refuses(),
            record=recorded.append,
        )
    (evidence,) = recorded
    assert (evidence.outcome, evidence.detail["error"]) == ("failed", "KeyboardInterrupt")
    assert (evidence.to_revision, evidence.fingerprint_after) == (None, evidence.fingerprint_before)
    assert move(table, line).outcome == "applied"
