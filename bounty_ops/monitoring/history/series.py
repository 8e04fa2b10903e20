"""One measure of one subject over time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from sqlalchemy import select

from bounty_ops.monitoring.history import rollups
from bounty_ops.monitoring.history.chains import Layouts, begin_of, day_of
from bounty_ops.monitoring.history.packs import entry_of
from bounty_ops.monitoring.history.partitions import hold
from bounty_ops.monitoring.history.points import (
    Point,
    broken,
    days,
    in_steps,
    point_of,
    stretches,
)
from bounty_ops.monitoring.history.rolling import TIERS, Tier, monday_of
from bounty_ops.monitoring.history.texts import read_texts
from bounty_ops.monitoring.history.timeline import Told, collections_by_family, states
from bounty_ops.monitoring.result import SUMMARY
from bounty_ops.schema.ops import Sample, SampleRolledDay, SampleSubject

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.history.rollups import Range, Rollup

Resolution = Literal["auto", "raw", "5min", "hourly"]

#: The longest time that "auto" shows in a resolution; a longer one is shown by the hour.
_RAW_UP_TO: Final = timedelta(days=2)
_FIVE_MINUTES_UP_TO: Final = timedelta(days=21)


@dataclass(frozen=True)
class Series:
    """A measure over time, in the order of time.

    A point without a value says that the subject was not there, that the measure was not known, or
    that nobody measured for a while: lines of a chart break there.
    """

    environment: str
    family: str
    subject: str
    measure: str
    resolution: Literal["raw", "5min", "hourly"]
    points: tuple[Point, ...]


class _Subject(NamedTuple):
    id: int
    page_id: int
    slot: int
    headline_id: int


def series(
    engine: Engine,
    environment: str,
    family: str,
    subject: str,
    measure: str,
    *,
    since: datetime,
    until: datetime | None = None,
    resolution: Resolution = "auto",
) -> Series:
    """One measure of one subject from `since` to before `until`.

    Args:
        engine: the operations database.
        environment: whose.
        family: such as "tables".
        subject: such as "public.bounty", or "summary" for the family's own numbers.
        measure: the name of a number; one inside of another value by a dot, as in "usable.ratio".
        since: the first moment.
        until: the moment after the last; now, if there is none.
        resolution: "raw" for samples as they were taken, or "5min", "hourly"; "auto" fits the time.
    """
    end = until or datetime.now(UTC)
    chosen = _resolution(end - since) if resolution == "auto" else resolution
    with engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        hold(connection)
        points: dict[datetime, Point] = {}
        for found in _subjects(connection, environment, family, subject):
            reader = _Reader(connection, environment, family, found, measure)
            for point in reader.points(since, end, chosen):
                if point.at not in points or points[point.at].value is None:
                    points[point.at] = point
    ordered = [points[at] for at in sorted(points)]
    return Series(environment, family, subject, measure, chosen, tuple(broken(ordered)))


class _Reader:
    """Reads one measure of one subject."""

    def __init__(
        self, connection: Connection, environment: str, family: str, subject: _Subject, measure: str
    ) -> None:
        self._connection = connection
        self._environment = environment
        self._family = family
        self._subject = subject
        self._measure = measure
        self._names: dict[int, dict[str, str]] = {}

    def points(self, since: datetime, end: datetime, resolution: str) -> Iterator[Point]:
        tier = next((tier for tier in TIERS if tier.name == resolution), None)
        if tier is None:
            yield from self._raw(since, end)
            return
        first, last = day_of(since), day_of(end)
        rolled = set(
            self._connection.scalars(
                select(SampleRolledDay.day).where(SampleRolledDay.day.between(first, last))
            )
        )
        every = self._rolled(tier, first, last, rolled)
        yield from (point for point in every if since - tier.step < point.at < end)
        for begin, stop in stretches(since, end, rolled):
            yield from in_steps(self._raw(begin, stop), tier)

    def _raw(self, since: datetime, end: datetime) -> Iterator[Point]:
        taken = collections_by_family(self._connection, self._environment, since, end)
        told = self._told(since, end)
        layouts = Layouts()
        layouts.load(self._connection, (each.entry for each in told if each.entry is not None))
        places: dict[int, int | None] = {}
        for each, state in states(told, taken.get(self._family, ()), layouts):
            value = None
            if state is not None:
                if state.layout not in places:
                    places[state.layout] = _place(layouts[state.layout].paths, self._measure)
                place = places[state.layout]
                value = None if place is None else state.numbers[place]
            yield Point(each.taken_at.astimezone(UTC), value, value, value)

    def _told(self, since: datetime, end: datetime) -> list[Told]:
        """The packs of the page of all days from `since` to `end`: chains begin with a day."""
        rows = self._connection.execute(
            select(Sample.collection_id, Sample.taken_at, Sample.is_key, Sample.body)
            .where(
                Sample.page_id == self._subject.page_id,
                Sample.taken_at >= begin_of(day_of(since)),
                Sample.taken_at < end,
            )
            .order_by(Sample.collection_id)
        )
        slot = self._subject.slot
        return [
            Told(number, taken_at, is_key, entry_of(body, slot))
            for number, taken_at, is_key, body in rows
        ]

    def _rolled(self, tier: Tier, first: date, last: date, rolled: set[date]) -> Iterator[Point]:
        own, headline = self._rollups(tier, first, last)
        before: Rollup | None = None
        for day in days(monday_of(first), last):
            if day == monday_of(day):
                before = None
            found = own.get(day)
            if found is not None:
                before = found
            if day < first or day not in rolled or day not in headline:
                continue
            if found is not None:
                known = dict(zip(found.present, self._measured(found), strict=True))
            elif before is not None and before.full:  # as it was: there is no row
                known = dict.fromkeys(headline[day].present, self._measured(before)[0])
            else:
                known = {}
            for step in headline[day].present:
                yield point_of(begin_of(day) + step * tier.step, known.get(step))

    def _rollups(
        self, tier: Tier, first: date, last: date
    ) -> tuple[dict[date, Rollup], dict[date, Rollup]]:
        """The days of the subject, and those of its family's headline."""
        model = tier.model
        rows = self._connection.execute(
            select(model.subject_id, model.starts_at, model.body).where(
                model.subject_id.in_({self._subject.id, self._subject.headline_id}),
                model.starts_at >= begin_of(monday_of(first)),
                model.starts_at <= begin_of(last),
            )
        ).all()
        texts = read_texts(self._connection, {rollups.names_of(body) for _, _, body in rows})
        self._names.update({number: json.loads(text) for number, text in texts.items()})
        lengths = {number: len(names) for number, names in self._names.items()}
        own: dict[date, Rollup] = {}
        headline: dict[date, Rollup] = {}
        for subject, starts_at, body in rows:
            rollup = rollups.read_rollup(body, tier.steps_a_day, lengths)
            if subject == self._subject.id:
                own[day_of(starts_at)] = rollup
            if subject == self._subject.headline_id:
                headline[day_of(starts_at)] = rollup
        return own, headline

    def _measured(self, rollup: Rollup) -> Sequence[Range | None]:
        names = self._names[rollup.names]
        if self._measure not in names:
            return [None] * len(rollup.present)
        position = list(names).index(self._measure)
        return rollup.measure(position, names[self._measure])


def _resolution(span: timedelta) -> Literal["raw", "5min", "hourly"]:
    if span <= _RAW_UP_TO:
        return "raw"
    return "5min" if span <= _FIVE_MINUTES_UP_TO else "hourly"


def _subjects(connection: Connection, environment: str, family: str, name: str) -> list[_Subject]:
    """The subjects of that name; a family may have it in more than one of its lists."""
    rows = connection.execute(
        select(
            SampleSubject.id,
            SampleSubject.page_id,
            SampleSubject.slot,
            SampleSubject.list,
            SampleSubject.name,
        ).where(
            SampleSubject.environment == environment,
            SampleSubject.family == family,
            SampleSubject.name.in_({name, SUMMARY}),
        )
    ).all()
    headline = next((row.id for row in rows if not row.list), None)
    return [
        _Subject(row.id, row.page_id, row.slot, headline)
        for row in rows
        if row.name == name and headline is not None
    ]


def _place(paths: Sequence[str], measure: str) -> int | None:
    return paths.index(measure) if measure in paths else None
