"""The database remembers which files made it what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.errors import MigrationError, UsageError
from bounty_ops.migrating.downgrade import BASE, apply_downgrade, plan_downgrade
from bounty_ops.migrating.errors import EditedRevisionError, StalePlanError, UnknownRevisionError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.revisions import read_revisions
from bounty_ops.migrating.stamping import stamp
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.running.short_lines import (
    NOTHING,
    Body,
    connect,
    executes,
    move,
    short_line,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.records import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage

ADD = Body(executes("ALTER TABLE t ADD c int"), executes("ALTER TABLE t DROP c"))
FILL = Body(executes("UPDATE t SET c = a"), executes("UPDATE t SET c = NULL"))


def _applied(url: DatabaseUrl) -> list[Any]:
    with connect(url) as connection:
        return connection.execute(
            "SELECT revision, sha256, direction, digest, record_id "
            "FROM bounty_ops.applied_revision ORDER BY revision"
        ).fetchall()


def test_files_are_recorded_with_the_version(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD, FILL)
    evidence = move(table, line)
    files = read_revisions(line.directory()).order
    assert _applied(table) == [
        (file.id, file.sha256, "upgrade", evidence.digest, evidence.id) for file in files
    ]
    assert [(file.revision, file.sha256) for file in evidence.files] == [
        (file.id, file.sha256) for file in files
    ]
    assert evidence.fingerprint_before != evidence.fingerprint_after is not None


def test_neither_is_there_without_the_other(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD, executes("SELECT 1 / 0"))
    with pytest.raises(MigrationError):
        move(table, line)
    assert [row[0] for row in _applied(table)] == ["bounty_0001"]
    assert read_facts(table, line).revision == "bounty_0001"


def _edit(line: Lineage, revision: str) -> None:
    file = next((line.directory() / "versions").glob(f"{revision}*"))
    file.write_text(file.read_text("utf-8") + "\n", "utf-8")


def test_an_edited_file_is_refused(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD)
    move(table, line)
    _edit(line, "bounty_0001")
    with pytest.raises(EditedRevisionError, match="another bounty_0001 than the file") as caught:
        move(table, line)
    assert "new revision" in caught.value.hint


def test_a_file_may_be_edited_before_it_is_applied(table: DatabaseUrl, tmp_path: Path) -> None:
    move(table, short_line(tmp_path, ADD))
    line = short_line(tmp_path, ADD, FILL)
    _edit(line, "bounty_0002")
    move(table, line)


def test_a_database_without_such_records_is_taken_as_it_is(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    line = short_line(tmp_path, ADD)
    move(table, line)
    with connect(table) as connection:
        connection.execute("DROP TABLE bounty_ops.applied_revision, bounty_ops.revision_step")
    _edit(line, "bounty_0001")
    assert move(table, line).outcome == "nothing_to_do"
    assert move(table, short_line(tmp_path, ADD, FILL)).revisions == ("bounty_0002",)
    assert [row[0] for row in _applied(table)] == ["bounty_0002"]


def test_who_may_not_read_the_records_is_not_stopped(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD)
    move(table, line)
    with connect(table) as connection:
        connection.execute("CREATE ROLE looker")
        connection.execute("GRANT USAGE ON SCHEMA bounty_ops TO looker")
        connection.execute("GRANT SELECT ON bounty_ops.alembic_version TO looker")
        name = f"ALTER ROLE postgres IN DATABASE {table.database} SET role = looker"
        connection.execute(name.encode())
        try:
            facts = read_facts(table, line)
        finally:
            connection.execute(
                f"ALTER ROLE postgres IN DATABASE {table.database} RESET role".encode()
            )
            connection.execute("DROP OWNED BY looker")
            connection.execute("DROP ROLE looker")
    assert (facts.revision, facts.applied) == ("bounty_0001", ())


def test_taking_back_is_planned_and_recorded(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD, FILL)
    before = move(table, line)
    here = environment(table)
    plan = plan_downgrade(here, "-1", line)
    assert (plan.current, plan.to) == ("bounty_0002", "bounty_0001")
    assert [(each.revision, "SET c = NULL" in each.sql) for each in plan.undone] == [
        ("bounty_0002", True)
    ]
    recorded: list[MigrationEvidence] = []
    evidence = apply_downgrade(plan, here, operator="ada", lineage=line, record=recorded.append)
    assert recorded == [evidence]
    assert (evidence.direction, evidence.outcome) == ("downgrade", "applied")
    assert (evidence.from_revision, evidence.to_revision) == ("bounty_0002", "bounty_0001")
    assert evidence.revisions == ("bounty_0002",)
    assert [(each.number, each.rows) for each in evidence.statements] == [(1, 100)]
    assert evidence.fingerprint_after == before.fingerprint_after
    assert [row[0] for row in _applied(table)] == ["bounty_0001"]
    everything = plan_downgrade(here, BASE, line)
    done = apply_downgrade(everything, here, operator="ada", lineage=line)
    assert (done.to_revision, done.fingerprint_after) == (None, before.fingerprint_before)
    assert _applied(table) == []


def test_taking_back_something_else_than_planned_is_refused(
    table: DatabaseUrl, tmp_path: Path
) -> None:
    line = short_line(tmp_path, ADD, FILL)
    move(table, line)
    here = environment(table)
    plan = plan_downgrade(here, "bounty_0001", line)
    apply_downgrade(plan, here, operator="ada", lineage=line)
    with pytest.raises(UsageError, match="not past the revision bounty_0002"):
        plan_downgrade(here, "bounty_0002", line)
    with pytest.raises(StalePlanError):
        apply_downgrade(plan, here, operator="ada", lineage=line)


@pytest.mark.parametrize("to", ["-3", "-0", "-x", "bounty_0007", ""])
def test_there_is_no_way_back_to_nowhere(table: DatabaseUrl, tmp_path: Path, to: str) -> None:
    line = short_line(tmp_path, ADD, FILL)
    move(table, line)
    with pytest.raises(UsageError):
        plan_downgrade(environment(table), to, line)


def test_a_failed_downgrade_is_recorded(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, Body(ADD.up, executes("SELECT 1 / 0")))
    move(table, line)
    here = environment(table)
    recorded: list[MigrationEvidence] = []
    with pytest.raises(MigrationError, match="division by zero"):
        apply_downgrade(
            plan_downgrade(here, BASE, line),
            here,
            operator="ada",
            lineage=line,
            record=recorded.append,
        )
    (evidence,) = recorded
    assert (evidence.outcome, evidence.direction) == ("failed", "downgrade")
    assert (evidence.to_revision, evidence.detail["failed_revision"]) == (
        "bounty_0001",
        "bounty_0001",
    )
    assert evidence.detail["failed_sql"] == "SELECT ? / ?"


def test_stamping_writes_down_every_file_and_runs_none(table: DatabaseUrl, tmp_path: Path) -> None:
    line = short_line(tmp_path, ADD, FILL, NOTHING)
    recorded: list[MigrationEvidence] = []
    evidence = stamp(
        environment(table), "bounty_0002", operator="ada", lineage=line, record=recorded.append
    )
    assert recorded == [evidence]
    assert (evidence.direction, evidence.outcome) == ("stamp", "applied")
    assert evidence.revisions == ("bounty_0001", "bounty_0002")
    assert evidence.fingerprint_before == evidence.fingerprint_after is not None
    assert read_facts(table, line).revision == "bounty_0002"
    assert [row[:3] for row in _applied(table)] == [
        (file.id, file.sha256, "stamp") for file in read_revisions(line.directory()).order[:2]
    ]
    assert move(table, line).revisions == ("bounty_0003",)


def test_nothing_is_stamped_that_a_check_refuses(table: DatabaseUrl, tmp_path: Path) -> None:
    def check() -> None:
        raise MigrationError("they differ", hint="Look.")

    line = short_line(tmp_path, ADD)
    with pytest.raises(MigrationError, match="they differ"):
        stamp(environment(table), "bounty_0001", operator="ada", lineage=line, check=check)
    assert read_facts(table, line).revision is None
    with pytest.raises(UnknownRevisionError, match="no revision bounty_0009"):
        stamp(environment(table), "bounty_0009", operator="ada", lineage=line)
