"""A rehearsal restores the last proved backup, and its certificate says what it is about."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyrage  # type: ignore[import-untyped] # it ships no types
import pytest

from bounty_ops.errors import UsageError
from bounty_ops.journal import Journal
from bounty_ops.journal.permits import read_rehearsals
from bounty_ops.journal.records import Verdict
from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.errors import StalePlanError
from bounty_ops.migrating.rehearse import rehearse
from bounty_ops.object_store import ObjectStore
from bounty_ops_tests.fix_backups import Backups, run, value
from bounty_ops_tests.fix_servers import oldest_and_newest_major, running_server
from bounty_ops_tests.migrating.rehearse.stage import Stage, Step, begin, environment, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl, ObjectStoreSettings
    from bounty_ops.postgres.programs import Programs

ADD = Step("ALTER TABLE parcel ADD COLUMN x int", "ALTER TABLE parcel DROP COLUMN x")


def left(work_dir: Path) -> list[str]:
    return sorted(path.name for path in work_dir.iterdir() if not path.name.endswith(".lock"))


def test_the_certificate_says_what_was_rehearsed(stage: Stage) -> None:
    plan, line = stage.plan(ADD)

    done = rehearse(
        environment(stage.live),
        stage.backups.journal,
        plan,
        operator="ada",
        work_dir=stage.backups.work_dir,
        lineage=line,
    )

    assert read_rehearsals(stage.backups.store, "development")[0] == done
    assert (done.outcome, done.reason, done.operator) == ("passed", None, "ada")
    assert (done.from_revision, done.to_revision) == ("bounty_0001", "bounty_0002")
    assert (done.files, done.sql_sha256) == (plan.files, plan.sql_sha256)
    assert (done.backup_id, done.environment) == (stage.manifest.id, "development")
    assert done.server_version == stage.manifest.server_version
    assert (done.round_trip, done.round_trip_detail) == (
        "equal",
        "left out of the comparison of rows: public.parcel.x",
    )
    assert done.fingerprint_before == plan.fingerprint != done.fingerprint_after
    [statement] = done.statements
    assert statement.sql == "ALTER TABLE parcel ADD COLUMN x int"
    assert statement.live_bytes == value(stage.live, "SELECT pg_table_size('parcel')")
    assert statement.predicted_seconds is not None
    assert done.predicted_seconds == pytest.approx(statement.predicted_seconds)
    # The live database was looked at, and nothing of the copy is left.
    assert plan_migration(environment(stage.live), line) == plan
    assert left(stage.backups.work_dir) == []


def test_another_file_is_not_what_was_rehearsed(stage: Stage, tmp_path: Path) -> None:
    plan, line = stage.plan(ADD)
    file = line.directory() / "versions" / "bounty_0002_step.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")

    with pytest.raises(StalePlanError, match="no longer those"):
        rehearse(
            environment(stage.live),
            stage.backups.journal,
            plan,
            operator="ada",
            work_dir=tmp_path,
            lineage=line,
        )


def test_a_plan_of_another_environment_or_of_nothing(stage: Stage) -> None:
    plan, line = stage.plan(ADD)
    journal, work_dir = stage.backups.journal, stage.backups.work_dir
    staging = dataclasses.replace(environment(stage.live), name="staging")
    with pytest.raises(UsageError, match="for development, not for staging"):
        rehearse(staging, journal, plan, operator="ada", work_dir=work_dir, lineage=line)
    nothing = dataclasses.replace(plan, pending=())
    with pytest.raises(UsageError, match="nothing to rehearse"):
        rehearse(
            environment(stage.live),
            journal,
            nothing,
            operator="ada",
            work_dir=work_dir,
            lineage=line,
        )


def test_without_a_proved_backup_nothing_is_found_out(
    stage: Stage, s3_prefix: ObjectStoreSettings, tmp_path: Path
) -> None:
    empty = Backups(Journal(ObjectStore(s3_prefix)), tmp_path / "work")
    bare = dataclasses.replace(stage, backups=empty)

    done = bare.rehearse(ADD)

    assert (done.outcome, done.backup_id, done.server_version) == ("inconclusive", None, "none")
    assert "there is no proved backup of development" in str(done.reason)
    assert (done.round_trip, done.longest_read_seconds) == ("not_tried", None)
    assert read_rehearsals(empty.store, "development") == [done]

    unproved = empty.take(stage.live)
    again = dataclasses.replace(bare, directory=tmp_path / "again")
    done = again.rehearse(ADD, backup_id=unproved.id)

    assert (done.outcome, done.backup_id) == ("inconclusive", None)
    assert f"{unproved.id} of development is not proved" in str(done.reason)
    with pytest.raises(UsageError, match="there is no backup 2020"):
        dataclasses.replace(bare, directory=tmp_path / "third").rehearse(ADD, backup_id="2020")


def test_a_tampered_backup_is_no_stage(stage: Stage) -> None:
    archive = stage.manifest.archive
    sound = stage.backups.store.get(archive.key)
    middle = len(sound) // 2
    stage.backups.replace_archive(
        stage.manifest, sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :]
    )
    try:
        done = stage.rehearse(ADD)
    finally:
        stage.backups.replace_archive(stage.manifest, sound)

    assert (done.outcome, done.backup_id) == ("inconclusive", stage.manifest.id)
    assert "the backup is not what its manifest says (archive" in str(done.reason)
    assert left(stage.backups.work_dir) == []


@pytest.mark.soak
def test_a_failing_revision_leaves_a_certificate_of_its_failure(stage: Stage) -> None:
    done = stage.rehearse(ADD, Step("ALTER TABLE parcel ADD CONSTRAINT c CHECK (amount > 5)"))

    assert done.outcome == "failed"
    assert "revision bounty_0003 failed: the copy: check constraint" in str(done.reason)
    assert [one.revision for one in done.statements] == ["bounty_0002"]
    assert (done.round_trip, done.predicted_seconds) == ("not_tried", None)
    assert left(stage.backups.work_dir) == []


@pytest.mark.soak
def test_a_live_database_that_outgrew_its_limits_or_its_server(
    make_stage: Callable[..., Stage], make_database: Callable[..., DatabaseUrl], tmp_path: Path
) -> None:
    stage = make_stage(2_000)
    run(
        stage.live,
        "INSERT INTO parcel SELECT g, 1, 1, repeat('x', 100) FROM generate_series(3000, 400000) g",
    )
    tight = {"statement_timeout_seconds": 1}
    narrow = dataclasses.replace(stage, directory=tmp_path / "1", policy=tight)
    rewrite = Step(
        "ALTER TABLE parcel ALTER id TYPE bigint", "ALTER TABLE parcel ALTER id TYPE int"
    )

    done = narrow.rehearse(rewrite)

    assert done.outcome == "failed"
    assert "statement 1 of bounty_0002 is predicted to take" in str(done.reason)
    assert "statement_timeout_seconds ends it after 1 s" in str(done.reason)
    assert (done.round_trip, done.predicted_seconds) == ("equal", None)

    newer = make_database(18)
    begin(newer, tmp_path / "newer", 10)
    done = dataclasses.replace(stage, live=newer, directory=tmp_path / "2").rehearse(ADD)

    assert done.outcome == "inconclusive"
    assert "is of PostgreSQL 17, and development is 18 by now: back up again" in str(done.reason)


@pytest.mark.soak
def test_the_copy_is_in_the_live_databases_time_zone(
    make_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    stage = make_stage(100)
    step = Step(
        "ALTER TABLE parcel ALTER sent_at TYPE timestamptz",
        "ALTER TABLE parcel ALTER sent_at TYPE timestamp",
    )
    in_utc = dataclasses.replace(stage, directory=tmp_path / "1").rehearse(step)
    run(stage.live, f"ALTER DATABASE {stage.live.database} SET timezone = 'Asia/Tokyo'")

    elsewhere = dataclasses.replace(stage, directory=tmp_path / "2").rehearse(step)

    assert (in_utc.outcome, elsewhere.outcome) == ("passed", "passed")
    assert [one.rewritten for one in in_utc.statements] == [()]
    assert [one.rewritten for one in elsewhere.statements] == [("public.parcel",)]


@pytest.mark.soak
def test_what_the_live_database_has_had_since_the_backup(
    make_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    stage = make_stage(100)
    second = Step("CREATE TABLE later (id int)", "DROP TABLE later")
    third = Step("ALTER TABLE later ADD x int", "ALTER TABLE later DROP x")
    line = line_of(tmp_path / "live", second)
    run(stage.live, "CREATE TABLE later (id int)")
    run(stage.live, "UPDATE bounty_ops.alembic_version SET version_num = 'bounty_0002'")
    assert line.owns("bounty_0002")

    done = dataclasses.replace(stage, directory=tmp_path).rehearse(second, third)

    assert (done.outcome, done.from_revision) == ("passed", "bounty_0002")
    assert [one.revision for one in done.statements] == ["bounty_0003"]


@pytest.mark.soak
def test_a_server_that_is_lent_for_drills(
    stage: Stage, pg_programs: Programs, tmp_path: Path
) -> None:
    names = "SELECT array_agg(datname ORDER BY 1)::text FROM pg_database"
    with running_server(pg_programs, tmp_path / "lent") as server:
        before = value(server, names)
        done = stage.rehearse(ADD, server=server)
        assert value(server, names) == before

    assert (done.outcome, done.reason) == ("passed", None)
    gone = dataclasses.replace(stage, directory=tmp_path / "gone").rehearse(ADD, server=server)
    assert (gone.outcome, gone.backup_id) == ("inconclusive", stage.manifest.id)


@pytest.mark.soak
def test_an_encrypted_backup_needs_its_key(
    make_stage: Callable[..., Stage], tmp_path: Path
) -> None:
    alice = pyrage.x25519.Identity.generate()
    stage = make_stage(100, encrypt_to=(str(alice.to_public()),))
    keys = (str(alice),)
    assert stage.backups.verify(stage.manifest, keys).verdict is Verdict.PROVED

    without = dataclasses.replace(stage, directory=tmp_path / "1").rehearse(ADD)
    done = dataclasses.replace(stage, directory=tmp_path / "2").rehearse(
        ADD, identities=lambda *, encrypted: keys if encrypted else ()
    )

    assert without.outcome == "inconclusive"
    assert "no private key here opens it" in str(without.reason)
    assert done.outcome == "passed"


@pytest.mark.soak
@pytest.mark.parametrize("major", oldest_and_newest_major())
def test_every_major(make_stage: Callable[..., Stage], tmp_path: Path, major: int) -> None:
    stage = dataclasses.replace(make_stage(100_000, major=major), directory=tmp_path)

    done = stage.rehearse(
        Step("CREATE INDEX i ON parcel (note, id)", "DROP INDEX i"),
        Step("ALTER TABLE parcel ALTER id TYPE bigint", "ALTER TABLE parcel ALTER id TYPE int"),
        Step("CREATE INDEX CONCURRENTLY j ON parcel (note)", "DROP INDEX j", autocommit=True),
        Step("ALTER TABLE parcel ADD x int DEFAULT 5", "ALTER TABLE parcel DROP x"),
    )

    assert (done.outcome, done.round_trip, done.reason) == ("passed", "equal", None)
    assert done.server_version.startswith(f"{major}.")
    built, rewrote, beside, constant = done.statements
    assert built.longest_read_seconds == 0
    assert built.longest_write_seconds > built.seconds / 2
    assert rewrote.longest_read_seconds > rewrote.seconds / 2
    assert rewrote.longest_write_seconds > rewrote.seconds / 2
    assert (beside.longest_read_seconds, beside.longest_write_seconds) == (0, 0)
    assert constant.longest_read_seconds < rewrote.longest_read_seconds / 2
    assert (built.rewritten, constant.rewritten) == ((), ())
    assert rewrote.rewritten == ("public.parcel",)
    assert all(one.wal_bytes > 1 << 20 for one in (built, rewrote, beside))
    assert left(stage.backups.work_dir) == []
