"""From what a statement took in the copy to what it will take in the live database.

A statement that reads or writes a whole table takes time in proportion to the table's bytes, so
its time in the copy is scaled by the live table's size over the copy's: a restored table has no
bloat, and the live one may have grown since the backup. A statement that looked at no row, by
PostgreSQL's own count, takes as long on any table, and so does the first hundredth of a second of
all others.

The sizes are those of the largest table that the statement works on, in any mode: an INSERT ...
SELECT takes its time from the table that it reads. What the machine, its disk and its load add is
not predicted; `compare_prediction` shows afterwards how well it went.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.journal.evidence import MigrationEvidence, Rehearsal

#: Of a statement's time, what is there however small its table is: parsing, planning, catalogues.
FLOOR_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Size:
    """The size of a table in the copy, and in the live database where it is known."""

    copy_bytes: int
    live_bytes: int | None


def predict(seconds: float, size: Size | None, *, constant: bool = False) -> float | None:
    """Predict the seconds of a statement in the live database.

    Args:
        seconds: in the copy.
        size: of the largest table that it works on; None for one that works on none.
        constant: whether it is certain that it looked at no row.

    Returns:
        None where the live size would have to be known and is not.
    """
    if size is None or constant:
        return seconds
    if size.live_bytes is None:
        return None
    if size.copy_bytes == 0:
        return seconds if size.live_bytes == 0 else None
    floor = min(seconds, FLOOR_SECONDS)
    return floor + (seconds - floor) * size.live_bytes / size.copy_bytes


def total(predictions: Iterable[float | None]) -> float | None:
    """The sum; None when one of them is missing."""
    found = list(predictions)
    known = [each for each in found if each is not None]
    return sum(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class Predicted:
    """One statement of a migration as it was predicted, and as it went."""

    revision: str
    number: int
    sql: str
    predicted_seconds: float | None
    """None: nothing could be said."""
    actual_seconds: float
    """Without the time that it waited for the locks of others."""

    @property
    def error(self) -> float | None:
        """By what share of the prediction it took longer (negative: shorter)."""
        if not self.predicted_seconds:
            return None
        return self.actual_seconds / self.predicted_seconds - 1


def compare_prediction(rehearsal: Rehearsal, evidence: MigrationEvidence) -> tuple[Predicted, ...]:
    """Lay what a rehearsal predicted beside what the migration took, statement by statement.

    Statements belong together by revision and number. One that was not rehearsed has no
    prediction; one that did not come to be carried out is left out.
    """
    predicted = {(one.revision, one.number): one.predicted_seconds for one in rehearsal.statements}
    return tuple(
        Predicted(
            revision=one.revision,
            number=one.number,
            sql=one.sql,
            predicted_seconds=predicted.get((one.revision, one.number)),
            actual_seconds=max(0.0, one.seconds - one.waited_seconds),
        )
        for one in evidence.statements
    )
