"""What a migration does to a copy is measured, and what it does wrong is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bounty_ops.errors import PostgresError
from bounty_ops.journal.evidence import LockTaken
from bounty_ops.migrating.rehearse.describing import described
from bounty_ops.migrating.rehearse.drill import Failed
from bounty_ops.migrating.rehearse.tables import Live
from bounty_ops.migrating.rehearse.waits import longest
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.migrating.rehearse.stage import Step, drill

if TYPE_CHECKING:
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl


_NOT_ON_PAPER = """if not op.get_context().as_sql:
        raise ValueError("row 17")"""


def test_an_index_build_stops_writers_and_no_readers(parcels: DatabaseUrl, tmp_path: Path) -> None:
    [done] = described(
        drill(parcels, tmp_path, Step("CREATE INDEX i ON parcel (note, id)", "DROP INDEX i")),
        Live({"public.parcel": 1}),
    )

    assert done.longest_write_seconds > done.seconds / 2
    assert done.longest_read_seconds == 0
    assert (done.revision, done.number, done.rewritten) == ("bounty_0002", 1, ())
    assert LockTaken(relation="public.parcel", mode="ShareLock") in done.locks
    assert done.disk_bytes > 1 << 20
    assert done.table_bytes is not None
    assert done.table_bytes > 8 << 20
    assert done.live_bytes == 1


@pytest.mark.soak
def test_a_rewrite_stops_both_and_is_told(parcels: DatabaseUrl, tmp_path: Path) -> None:
    steps = Step("ALTER TABLE parcel ALTER id TYPE bigint", "ALTER TABLE parcel ALTER id TYPE int")
    result = drill(parcels, tmp_path, steps)
    [done] = described(result, Live())

    assert done.longest_write_seconds > done.seconds / 2
    assert done.longest_read_seconds > done.seconds / 2
    assert done.rewritten == ("public.parcel",)
    assert done.disk_bytes > 8 << 20
    assert (done.live_bytes, done.predicted_seconds) == (None, None)
    assert (result.round_trip, result.round_trip_detail) == ("equal", None)


@pytest.mark.soak
def test_what_goes_on_beside_the_application_stops_nobody(
    parcels: DatabaseUrl, tmp_path: Path
) -> None:
    result = drill(
        parcels,
        tmp_path,
        Step("CREATE INDEX CONCURRENTLY i ON parcel (note)", "DROP INDEX i", autocommit=True),
        Step(
            "ALTER TABLE parcel ADD CONSTRAINT positive CHECK (amount > 0) NOT VALID",
            "ALTER TABLE parcel DROP CONSTRAINT positive",
        ),
        Step("ALTER TABLE parcel VALIDATE CONSTRAINT positive"),
    )
    built, added, checked = described(result, Live())

    assert (built.longest_read_seconds, built.longest_write_seconds) == (0, 0)
    assert (checked.longest_read_seconds, checked.longest_write_seconds) == (0, 0)
    assert added.rewritten == ()
    assert LockTaken(relation="public.parcel", mode="ShareUpdateExclusiveLock") in built.locks


def test_a_statement_is_charged_with_the_locks_of_its_transaction(
    parcels: DatabaseUrl, tmp_path: Path
) -> None:
    result = drill(
        parcels,
        tmp_path,
        Step(
            "ALTER TABLE parcel ADD COLUMN weight int;;UPDATE parcel SET weight = 0",
            "ALTER TABLE parcel DROP COLUMN weight",
        ),
    )
    added, filled = described(result, Live({"public.parcel": 7}))

    assert [one.constant for one in result.measured] == [True, False]
    assert added.predicted_seconds == added.seconds  # however large the live table is
    assert filled.longest_read_seconds > filled.seconds / 2
    assert filled.rows == 60_000
    # Locked already, and its table counts all the same.
    assert filled.live_bytes == 7
    assert "public.parcel" not in {lock.relation for lock in filled.locks}
    whole = longest(result.waits or (), "read")
    assert whole >= max(added.longest_read_seconds, filled.longest_read_seconds)
    assert result.round_trip_detail == "left out of the comparison of rows: public.parcel.weight"


@pytest.mark.parametrize(
    ("statement", "constant", "rewritten"),
    [
        ("ALTER TABLE parcel ADD CHECK (amount > 0) NOT VALID", True, ()),
        ("ALTER TABLE parcel RENAME note TO remark", True, ()),
        ("TRUNCATE parcel", True, ()),
        ("DROP TABLE parcel", True, ()),
        ("CREATE VIEW v AS SELECT * FROM parcel", True, ()),
        ("ALTER TABLE parcel ALTER shelf_id SET NOT NULL", False, ()),
        ("CREATE INDEX ON parcel (note)", False, ()),
        ("REINDEX INDEX parcel_pkey", False, ("public.parcel_pkey",)),
        ("CREATE TABLE copied AS SELECT * FROM parcel", False, ()),
        ("ALTER TABLE parcel ALTER amount TYPE bigint", False, ("public.parcel",)),
        ("CLUSTER parcel USING parcel_pkey", False, ("public.parcel",)),
    ],
)
@pytest.mark.soak
def test_what_looks_at_rows_is_told_from_what_does_not(
    few_parcels: DatabaseUrl,
    tmp_path: Path,
    statement: str,
    constant: bool,
    rewritten: tuple[str, ...],
) -> None:
    [done] = drill(few_parcels, tmp_path, Step(statement, down=None)).measured

    assert (done.constant, done.rewritten) == (constant, rewritten)


@pytest.mark.soak
def test_rows_that_an_unfinished_update_holds_stop_writers(
    parcels: DatabaseUrl, tmp_path: Path
) -> None:
    [done] = described(drill(parcels, tmp_path, Step("UPDATE parcel SET note = 'x' || id")), Live())

    assert done.longest_write_seconds > done.seconds / 2
    assert done.longest_read_seconds == 0
    assert {lock.mode for lock in done.locks if lock.relation == "public.parcel"} == {
        "RowExclusiveLock"
    }


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (
            Step("ALTER TABLE parcel ADD CONSTRAINT c CHECK (amount > 5)"),
            'bounty_0002 failed: the copy: rows do not keep to a constraint: check constraint "c"',
        ),
        pytest.param(
            Step(up_code=_NOT_ON_PAPER),
            "revision bounty_0002 failed: ValueError$",
            marks=pytest.mark.soak,
        ),
        pytest.param(
            Step("ALTER TABLE parcel ADD COLUMN x int", "DELETE FROM parcel WHERE id < 9"),
            "the downgrade leads to another schema: column parcel.x",
            marks=pytest.mark.soak,
        ),
        (
            Step(
                "ALTER TABLE parcel ADD COLUMN x int",
                "ALTER TABLE parcel DROP COLUMN x;;DELETE FROM parcel WHERE id < 9",
            ),
            r"other rows after downgrade and upgrade: public.parcel \(300 rows before, 292",
        ),
        pytest.param(
            Step(
                "ALTER TABLE parcel ALTER note TYPE varchar",
                "ALTER TABLE parcel ALTER note TYPE text USING left(note, 9)",
            ),
            "other rows after downgrade and upgrade: public.parcel.note$",
            marks=pytest.mark.soak,
        ),
        (
            Step("CREATE TYPE mood AS ENUM ('good')"),
            "the downgrade leads to another schema: enum mood",
        ),
        pytest.param(
            Step("UPDATE parcel SET note = ''", "SELECT 1 / 0"),
            "the downgrade of bounty_0002 failed: the copy: division by zero",
            marks=pytest.mark.soak,
        ),
    ],
)
def test_what_fails_in_the_copy(
    few_parcels: DatabaseUrl, tmp_path: Path, step: Step, why: str
) -> None:
    with pytest.raises(Failed, match=why):
        drill(few_parcels, tmp_path, step)


def test_rows_that_change_behind_the_back_of_a_migration(
    few_parcels: DatabaseUrl, tmp_path: Path
) -> None:
    run(
        few_parcels,
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN NEW.sent_at = now(); UPDATE shelf SET name = 'x' WHERE id = 1;"
        " RETURN NEW; END $$",
        "CREATE TRIGGER touch BEFORE UPDATE ON parcel FOR EACH ROW EXECUTE FUNCTION touch()",
    )
    step = Step("UPDATE parcel SET amount = 1 WHERE id = 2", down=None)

    with pytest.raises(Failed, match=r"names: public.parcel.sent_at, public.shelf.name$"):
        drill(few_parcels, tmp_path, step)


@pytest.mark.soak
def test_a_server_that_goes_away_does_not_speak_against_the_migration(
    few_parcels: DatabaseUrl, tmp_path: Path
) -> None:
    with pytest.raises(PostgresError, match="closed the connection"):
        drill(few_parcels, tmp_path, Step("SELECT pg_terminate_backend(pg_backend_pid())"))


@pytest.mark.parametrize(
    ("step", "detail"),
    [
        pytest.param(
            Step("ALTER TABLE parcel DROP COLUMN note", down=None),
            "bounty_0002 has no downgrade",
            marks=pytest.mark.soak,
        ),
        (
            Step(
                "ALTER TABLE parcel DROP COLUMN note",
                down_code='raise NotImplementedError("the notes are gone")',
            ),
            "bounty_0002 cannot be taken back: the notes are gone",
        ),
    ],
)
def test_a_migration_that_says_it_cannot_be_taken_back(
    few_parcels: DatabaseUrl, tmp_path: Path, step: Step, detail: str
) -> None:
    result = drill(few_parcels, tmp_path, step)

    assert (result.round_trip, result.round_trip_detail) == ("impossible", detail)
