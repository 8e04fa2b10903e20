"""What is counted of one revision while it runs, over all attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bounty_ops.migrating.running.locks import as_records, stronger

if TYPE_CHECKING:
    from bounty_ops.journal.evidence import StatementRecord
    from bounty_ops.migrating.running.observer import Underway
    from bounty_ops.migrating.running.watcher import Sight


@dataclass
class Tally:
    """What has come of one revision so far, over all attempts."""

    attempt: int = 0
    records: list[StatementRecord] = field(default_factory=list)
    """Of the present attempt."""
    tries: dict[int, int] = field(default_factory=dict)
    waited: dict[int, float] = field(default_factory=dict)
    gave_way: int = 0
    queue_seconds: float = 0.0
    """The longest time that somebody was seen waiting behind one of the statements."""
    last: tuple[Underway, Sight] | None = None
    """The statement that was sent last."""
    began: float = 0.0
    """When it was, by the monotonic clock."""
    _done: dict[int, StatementRecord] = field(default_factory=dict)

    def begin_attempt(self) -> None:
        """Forget what the attempt before has done, which was rolled back."""
        self.attempt += 1
        self.records.clear()

    def note(self, number: int, sight: Sight) -> None:
        """Count what was seen of a statement; call it once its watcher has ended."""
        self.waited[number] = self.waited.get(number, 0.0) + sight.waited_seconds
        self.queue_seconds = max(self.queue_seconds, sight.queue_seconds)
        self.gave_way += sight.gave_way

    def add(self, record: StatementRecord, *, apart: bool, skipped: bool) -> StatementRecord:
        """Keep a record and return it; the pages of a backfill become one.

        What runs ``apart`` from the transaction is not rolled back: where it was ``skipped``
        because an attempt before had done it, the record of that time is the true one.
        """
        done = self._done.get(record.number)
        if skipped and done is not None:
            record = done
        if not apart:
            self.records.append(record)
            return record
        self._done[record.number] = record
        for place, earlier in enumerate(self.records):
            if earlier.sql == record.sql:
                self.records[place] = _together(earlier, record)
                break
        else:
            self.records.append(record)
        return record


def _together(one: StatementRecord, other: StatementRecord) -> StatementRecord:
    modes = {lock.relation: lock.mode for lock in one.locks}
    for lock in other.locks:
        modes[lock.relation] = stronger(modes.get(lock.relation), lock.mode)
    return one.model_copy(
        update={
            "seconds": one.seconds + other.seconds,
            "waited_seconds": one.waited_seconds + other.waited_seconds,
            "attempts": max(one.attempts, other.attempts),
            "times": one.times + other.times,
            "locks": as_records(modes),
            "rows": None if one.rows is None or other.rows is None else one.rows + other.rows,
        }
    )
