"""Keeping history within its bounds: partitions ahead, rollups, and an end for what is old."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError

from bounty_ops.monitoring.history import partitions
from bounty_ops.monitoring.history.chains import begin_of, day_of
from bounty_ops.monitoring.history.forgetting import forget
from bounty_ops.monitoring.history.partitions import (
    COLLECTION,
    FIVE_MINUTES,
    HOURLY,
    SAMPLE,
    TREES,
    Tree,
)
from bounty_ops.monitoring.history.rolling import TIERS, roll_up
from bounty_ops.schema.ops import Collection, SampleRolledDay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Engine

    from bounty_ops.environments import Policy

#: Partitions are made so far ahead: a program that does not run for a week loses nothing.
_AHEAD: Final = timedelta(days=7)
#: How long after midnight a day may still get samples without being rolled up twice.
_GRACE: Final = timedelta(minutes=10)
#: SQLSTATE of a lock that was not to be had in time, and of a deadlock.
_TRY_AGAIN: Final = frozenset({"55P03", "40P01"})
#: The key of the advisory lock that one `maintain` holds.
_LOCK: Final = 0x62_6F_68_6B_65_65_70


class Retention(NamedTuple):
    """For how many days each resolution is kept."""

    samples: int
    five_minutes: int
    hourly: int

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> Self:
        """The longest of several: environments share partitions, and none may lose its own."""
        every = list(policies)
        return cls(
            max(policy.keep_samples_days for policy in every),
            max(policy.keep_five_minutes_days for policy in every),
            max(policy.keep_hourly_days for policy in every),
        )


@dataclass
class Maintained:
    """What one `maintain` did."""

    elsewhere: bool = False
    """Another process was at it; nothing was done."""
    made: list[str] = field(default_factory=list)
    rolled_up: list[date] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    deleted: int = 0
    """Rows that came for a day that had been rolled up and dropped."""
    forgotten: int = 0
    """Texts and subjects that nothing refers to any more."""
    left_in_default: dict[str, list[date]] = field(default_factory=dict)
    """Days of which rows lie in a DEFAULT partition: far in the future, or not to be moved."""
    postponed: list[str] = field(default_factory=list)
    """What could not be done now, and why; it is tried again each time."""


def maintain(
    engine: Engine,
    retention: Retention,
    *,
    now: datetime | None = None,
    budget_seconds: float = 30,
) -> Maintained:
    """Make partitions, roll up the days that are over, and drop what is older than `retention`.

    What has been done is committed step by step; killed at any moment, the next one goes on from
    there. No samples are dropped that have not been rolled up. After so many seconds the rest is
    left to the next call.
    """
    moment = now or datetime.now(UTC)
    with engine.connect() as connection:
        with connection.begin():
            # Of the session, not of a transaction: there are many.
            ours = connection.scalar(select(func.pg_try_advisory_lock(_LOCK)))
        if not ours:
            return Maintained(elsewhere=True)
        try:
            return _Maintenance(engine, connection, retention, moment, budget_seconds).run()
        finally:
            connection.rollback()
            with connection.begin():
                connection.execute(select(func.pg_advisory_unlock(_LOCK)))


class _Maintenance:
    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        retention: Retention,
        now: datetime,
        budget_seconds: float,
    ) -> None:
        self._engine = engine
        self._connection = connection
        self._now = now
        self._today = day_of(now)
        self._keep = {
            SAMPLE: self._today - timedelta(days=retention.samples),
            COLLECTION: self._today - timedelta(days=retention.samples),
            FIVE_MINUTES: self._today - timedelta(days=retention.five_minutes),
            HOURLY: self._today - timedelta(days=retention.hourly),
        }
        self._until = monotonic() + budget_seconds
        self._done = Maintained()

    def run(self) -> Maintained:
        for tree in TREES:
            self._make(tree)
        self._roll_up()
        for tree in TREES:
            self._drop(tree)
        if self._done.dropped:
            self._attempt("forgetting what nothing refers to", self._forget)
        for tree in TREES:
            left = self._in_default(tree)
            if left:
                self._done.left_in_default[tree.default] = left
        return self._done

    def _make(self, tree: Tree) -> None:
        ahead = [self._today + timedelta(days=day) for day in range(_AHEAD.days + 1)]
        waiting = [day for day in self._in_default(tree) if day <= ahead[-1]]
        if tree in {SAMPLE, COLLECTION}:
            waiting = [day for day in waiting if not self._too_late(tree, day)]
        with self._connection.begin():
            there = partitions.existing(self._connection, tree)
        for begin in sorted({tree.begin(day) for day in (*waiting, *ahead)}.difference(there)):
            if not self._attempt(
                f"making {tree.name(begin)}", partial(self._make_one, tree, begin)
            ):
                break  # whoever holds the lock would let us wait for each

    def _make_one(self, tree: Tree, begin: date) -> None:
        self._done.made.append(partitions.make(self._connection, tree, begin))

    def _too_late(self, tree: Tree, day: date) -> bool:
        """Delete what came for a day that is only kept as a rollup: it cannot be added to that."""
        if day >= self._keep[tree]:
            return False
        begin = begin_of(day)
        with self._connection.begin():
            rolled = any(
                self._connection.scalar(
                    select(exists().where(tier.model.starts_at == begin).select_from(tier.model))
                )
                for tier in TIERS
            )
            newest = self._newest_days()
        if not rolled or day in newest:
            return False
        with self._connection.begin():
            deleted = partitions.delete_from_default(self._connection, tree, day)
            # Whoever stored it took the mark away; without it, and without a row in DEFAULT that
            # tells of the day, the rollup would never be shown again.
            mark = insert(SampleRolledDay).values(day=day, rolled_at=self._now)
            self._connection.execute(mark.on_conflict_do_nothing())
        self._done.deleted += deleted
        return True

    def _roll_up(self) -> None:
        last = day_of(self._now - _GRACE) - timedelta(days=1)
        tried = date.min
        # Looked for each time: a day may ask for later ones to be rolled up again.
        while waiting := [day for day in self._unrolled() if tried < day <= last]:
            tried = min(waiting)
            if monotonic() > self._until:
                self._done.postponed.append(f"rolling up {tried} and later: no time was left")
                break
            self._attempt(f"rolling up {tried}", partial(self._roll_up_day, tried))

    def _unrolled(self) -> set[date]:
        with self._connection.begin():
            days = {*partitions.existing(self._connection, COLLECTION)}
            return days.difference(self._connection.scalars(select(SampleRolledDay.day)))

    def _roll_up_day(self, day: date) -> None:
        for tree in (FIVE_MINUTES, HOURLY):
            begin = tree.begin(day)
            with self._connection.begin():
                there = begin in partitions.existing(self._connection, tree)
            if not there:  # an old day, after a time without maintenance
                self._make_one(tree, begin)
        if roll_up(self._engine, self._connection, day):
            self._done.rolled_up.append(day)

    def _drop(self, tree: Tree) -> None:
        with self._connection.begin():
            begins = partitions.existing(self._connection, tree)
            expired = [
                begin for begin in begins if begin + timedelta(days=tree.days) <= self._keep[tree]
            ]
            if expired and tree in {SAMPLE, COLLECTION}:
                newest = self._newest_days()
                expired = [each for each in expired if self._is_rolled(each) and each not in newest]
        for begin in expired:
            if not self._attempt(
                f"dropping {tree.name(begin)}", partial(self._drop_one, tree, begin)
            ):
                break

    def _drop_one(self, tree: Tree, begin: date) -> None:
        with partitions.alone(self._connection):
            if tree in {SAMPLE, COLLECTION} and not self._is_rolled(begin):
                return  # something has come for that day since
            dropped = partitions.drop(self._connection, tree, begin)
        self._done.dropped.append(dropped)

    def _is_rolled(self, day: date) -> bool:
        statement = select(exists().where(SampleRolledDay.day == day))
        return bool(self._connection.scalar(statement))

    def _newest_days(self) -> set[date]:
        """The day of the newest collection of each environment.

        It stays, however old it is: "nothing known" and "long ago" are not the same.
        """
        newest = self._connection.execute(
            select(func.max(Collection.taken_at).label("at")).group_by(Collection.environment)
        )
        return {day_of(row.at) for row in newest}

    def _forget(self) -> None:
        with partitions.alone(self._connection):
            self._done.forgotten += forget(self._connection)

    def _in_default(self, tree: Tree) -> list[date]:
        with self._connection.begin():
            return partitions.days_in_default(self._connection, tree)

    def _attempt(self, what: str, action: Callable[[], object]) -> bool:
        """Whether it could be done; if somebody held a lock, it is noted for the next time."""
        try:
            action()
        except OperationalError as error:
            self._connection.rollback()
            if getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                raise
            self._done.postponed.append(f"{what}: somebody else held a lock")
            return False
        return True
