"""How near a prediction comes to a database that is four times as large as its backup was.

Figures of one machine go into docs/reference/rehearsal.md by hand; what is asserted here is only
that scaling is nearer to the truth than taking the copy's own time for it.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating import apply_migration
from bounty_ops.migrating.rehearse import compare_prediction
from bounty_ops_tests.fix_backups import run
from bounty_ops_tests.migrating.rehearse.stage import Step, environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops_tests.migrating.rehearse.stage import Stage

ROWS = 200_000
STEPS = (
    Step("CREATE INDEX i ON parcel (note)", "DROP INDEX i"),
    Step("ALTER TABLE parcel ALTER id TYPE bigint", "ALTER TABLE parcel ALTER id TYPE int"),
    Step(
        "ALTER TABLE parcel ADD COLUMN u uuid DEFAULT gen_random_uuid()",
        "ALTER TABLE parcel DROP COLUMN u",
    ),
    Step(
        "ALTER TABLE parcel ALTER shelf_id SET NOT NULL",
        "ALTER TABLE parcel ALTER shelf_id DROP NOT NULL",
    ),
    Step("UPDATE parcel SET amount = 1"),
    Step("CREATE INDEX CONCURRENTLY j ON parcel (amount, id)", "DROP INDEX j", autocommit=True),
    Step("ALTER TABLE parcel ADD COLUMN c int DEFAULT 5", "ALTER TABLE parcel DROP COLUMN c"),
)


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_scaling_comes_nearer_than_the_copys_own_time(
    make_stage: Callable[..., Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    patient = {"statement_timeout_seconds": 900}
    stage = dataclasses.replace(make_stage(ROWS), directory=tmp_path, policy=patient)
    run(
        stage.live,
        "INSERT INTO parcel SELECT g, 1 + g % 100, g, repeat(md5(g::text), 4), now()"
        f" FROM generate_series({ROWS + 1}, {4 * ROWS}) g",
        "VACUUM ANALYZE",
        "CHECKPOINT",
    )
    rehearsal = stage.rehearse(*STEPS)
    assert rehearsal.outcome == "passed", rehearsal.reason
    plan, line = dataclasses.replace(stage, directory=tmp_path / "real").plan(*STEPS)
    here = environment(stage.live, **patient)
    evidence = apply_migration(plan, here, operator="ada", lineage=line)

    rows = compare_prediction(rehearsal, evidence)

    with capsys.disabled():
        for row, rehearsed in zip(rows, rehearsal.statements, strict=True):
            assert row.error is not None
            print(  # noqa: T201 - figures for the reference page
                f"\n{row.sql[:60]:62} copy {rehearsed.seconds:7.3f}"
                f" predicted {row.predicted_seconds:7.3f} actual {row.actual_seconds:7.3f}"
                f" error {row.error:+.0%}",
                end="",
            )
    slow = [
        (one.seconds, row)
        for one, row in zip(rehearsal.statements, rows, strict=True)
        if one.seconds > 0.1
    ]
    assert len(slow) >= 4
    assert sum(_off(row.predicted_seconds, row.actual_seconds) for _, row in slow) < sum(
        _off(seconds, row.actual_seconds) for seconds, row in slow
    )


def _off(predicted: float | None, actual: float) -> float:
    assert predicted
    return abs(math.log(actual / predicted))
