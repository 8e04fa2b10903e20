"""Rolling a day up: from samples to steps of five minutes and of an hour."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.dialects.postgresql import distinct_on, insert

from bounty_ops.monitoring.history import rollups
from bounty_ops.monitoring.history.chains import ONE_DAY, Layouts, begin_of, on_day
from bounty_ops.monitoring.history.packs import unpack
from bounty_ops.monitoring.history.partitions import WRITING_LOCK
from bounty_ops.monitoring.history.rollups import Range, Steps
from bounty_ops.monitoring.history.subjects import Place, Subject, places
from bounty_ops.monitoring.history.texts import store_texts
from bounty_ops.monitoring.history.timeline import Taken, Told, collections_by_family, states
from bounty_ops.schema.ops import (
    Collection,
    Sample,
    SampleFiveMinutes,
    SampleHourly,
    SampleRolledDay,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    import psycopg
    from sqlalchemy import Connection, Engine

    from bounty_ops.monitoring.history.flatten import Number
    from bounty_ops.monitoring.history.packs import State

WEEK: Final = 7


@dataclass(frozen=True)
class Tier:
    """A resolution that samples are rolled up to."""

    name: str
    model: type[SampleFiveMinutes | SampleHourly]
    step: timedelta

    @property
    def steps_a_day(self) -> int:
        """How many steps a day has."""
        return ONE_DAY // self.step

    def step_of(self, moment: datetime) -> int:
        """The step of its day that a moment falls into."""
        return (moment.astimezone(UTC) - begin_of(moment.astimezone(UTC).date())) // self.step


TIERS: Final = (
    Tier("5min", SampleFiveMinutes, timedelta(minutes=5)),
    Tier("hourly", SampleHourly, timedelta(hours=1)),
)


def monday_of(day: date) -> date:
    """The first day of the week: what is left out refers to days of the same week."""
    return day - timedelta(days=day.weekday())


def roll_up(engine: Engine, connection: Connection, day: date) -> int:
    """Roll a day up, or roll it up again; returns how many rows were written.

    Nobody writes samples meanwhile, so none comes too late to be seen. Later days of the week that
    were rolled up before have to be rolled up again: what they left out, because it was as on the
    day before, referred to what this one said then, or to a day before it.
    """
    begin = begin_of(day)
    written = 0
    with connection.begin():
        connection.execute(text("SET LOCAL lock_timeout = '30s'"))
        connection.execute(select(func.pg_advisory_xact_lock(WRITING_LOCK)))
        environments = connection.scalars(
            select(Collection.environment)
            .where(Collection.taken_at >= begin, Collection.taken_at < begin + ONE_DAY)
            .distinct()
        ).all()
        for tier in TIERS:
            connection.execute(delete(tier.model).where(tier.model.starts_at == begin))
        for environment in environments:
            written += _roll_environment(engine, connection, environment, day)
        statement = insert(SampleRolledDay).values(day=day, rolled_at=datetime.now(UTC))
        connection.execute(statement.on_conflict_do_nothing())
        _unmark_later_days(connection, day)
    return written


def _unmark_later_days(connection: Connection, day: date) -> None:
    """Those of the week; one whose samples have been dropped has nothing to be made anew from."""
    of_week = SampleRolledDay.day.between(day + ONE_DAY, monday_of(day) + timedelta(WEEK - 1))
    for later in connection.scalars(select(SampleRolledDay.day).where(of_week)).all():
        if connection.scalar(select(exists().where(on_day(later)))):
            connection.execute(delete(SampleRolledDay).where(SampleRolledDay.day == later))


@dataclass(frozen=True)
class _Day:
    """What a subject was, in the order of time."""

    place: Place
    moments: Sequence[datetime]
    states: Sequence[State | None]
    is_headline: bool


class _Unpacked(NamedTuple):
    """A pack of one page, with its entries by slot."""

    collection_id: int
    taken_at: datetime
    is_key: bool
    entries: dict[int, bytes]


def _roll_environment(engine: Engine, connection: Connection, environment: str, day: date) -> int:
    begin = begin_of(day)
    taken = collections_by_family(connection, environment, begin, begin + ONE_DAY)
    known = places(connection, environment, taken, day)
    layouts = Layouts()
    days = list(_days(connection, known, taken, day, layouts))
    names = {id(each): _names(each, layouts) for each in days}
    numbers = store_texts(
        engine, {rollups.names_text(kinds) for kinds in names.values()}, day, lasting=True
    )
    written = 0
    for tier in TIERS:
        before = _this_week(connection, tier, [place.subject_id for place in known.values()], day)
        rows = []
        for each in days:
            kinds = names[id(each)]
            number = numbers[rollups.names_text(kinds)]
            body = _body(tier, each, kinds, number, layouts)
            if _says_something(tier, each, body, before.get(each.place.subject_id)):
                rows.append((each.place.subject_id, begin, body))
        _copy(connection, tier, rows)
        written += len(rows)
    return written


def _says_something(tier: Tier, day: _Day, body: bytes, before: bytes | None) -> bool:
    """Whether a row is needed; the headline's also tells when its family was measured."""
    if day.is_headline:
        return True
    if all(state is None for state in day.states):
        # The end of what would otherwise be taken to go on.
        return before is not None and rollups.is_constant(before)
    return before is None or not rollups.unchanged(body, before, tier.steps_a_day)


def _days(
    connection: Connection,
    known: Mapping[Subject, Place],
    taken: Mapping[str, list[Taken]],
    day: date,
    layouts: Layouts,
) -> Iterator[_Day]:
    by_page: dict[int, list[tuple[Subject, Place]]] = defaultdict(list)
    for subject, place in known.items():
        by_page[place.page_id].append((subject, place))
    for page, packs in _pages(connection, by_page, day):
        for pack in packs:
            layouts.load(connection, pack.entries.values())
        for subject, place in by_page.pop(page):
            told = [
                Told(each.collection_id, each.taken_at, each.is_key, each.entries.get(place.slot))
                for each in packs
            ]
            yield _day(subject, place, told, taken[subject.family], layouts)
    for page, subjects in by_page.items():
        for subject, place in subjects:  # nothing of them was there that day
            assert place.page_id == page  # noqa: S101 - how `by_page` was made
            yield _day(subject, place, (), taken[subject.family], layouts)


def _day(
    subject: Subject,
    place: Place,
    told: Iterable[Told],
    taken: Iterable[Taken],
    layouts: Layouts,
) -> _Day:
    found = sorted(states(told, taken, layouts), key=lambda each: (each[0].taken_at, each[0].id))
    return _Day(
        place, [each.taken_at for each, _ in found], [state for _, state in found], not subject.list
    )


def _pages(
    connection: Connection, pages: Iterable[int], day: date
) -> Iterator[tuple[int, list[_Unpacked]]]:
    rows = connection.execute(
        select(Sample.page_id, Sample.collection_id, Sample.taken_at, Sample.is_key, Sample.body)
        .where(Sample.page_id.in_(list(pages)), on_day(day))
        .order_by(Sample.page_id, Sample.collection_id)
    ).all()
    for page, some in groupby(rows, key=lambda row: row[0]):
        yield page, [_Unpacked(*row[1:4], unpack(row[4])) for row in some]


def _names(day: _Day, layouts: Layouts) -> dict[str, str]:
    """The kind of each measure that any state of the day has."""
    kinds: dict[str, str] = {}
    for number in dict.fromkeys(state.layout for state in day.states if state is not None):
        layout = layouts[number]
        for path, kind in zip(layout.paths, layout.kinds, strict=True):
            if kind in rollups.ROLLED_KINDS:
                kinds[path] = rollups.kind_of(kind, kinds.get(path))
    return kinds


def _body(tier: Tier, day: _Day, kinds: Mapping[str, str], names: int, layouts: Layouts) -> bytes:
    steps = [tier.step_of(moment) for moment in day.moments]
    present = list(
        dict.fromkeys(
            step for step, state in zip(steps, day.states, strict=True) if state is not None
        )
    )
    values = _values(day, layouts)
    measures = [
        (kind, _steps(present, steps, [each.get(path) for each in values]))
        for path, kind in kinds.items()
    ]
    return rollups.write_rollup(
        tier.steps_a_day,
        names,
        present,
        measures,
        complete=None not in day.states,
    )


def _values(day: _Day, layouts: Layouts) -> list[dict[str, Number]]:
    """The measures at each collection, by name; a state that goes on is read once."""
    values: list[dict[str, Number]] = []
    before: State | None = None
    for state in day.states:
        if state is None:
            values.append({})
        elif state is before:
            values.append(values[-1])
        else:
            paths = layouts[state.layout].paths
            values.append(dict(zip(paths, state.numbers, strict=True)))
        before = state
    return values


def _steps(present: Sequence[int], steps: Sequence[int], values: Sequence[Number | None]) -> Steps:
    found: dict[int, Range] = {}
    for step, value in zip(steps, values, strict=True):
        if value is not None:
            sofar = found.get(step)
            if sofar is None:
                found[step] = Range(value, value, value)
            else:
                found[step] = Range(value, min(sofar.low, value), max(sofar.high, value))
    return [found.get(step) for step in present]


def _this_week(
    connection: Connection, tier: Tier, subjects: Sequence[int], day: date
) -> dict[int, bytes]:
    """The newest rows of the week before the day."""
    model = tier.model
    rows = connection.execute(
        select(model.subject_id, model.body)
        .ext(distinct_on(model.subject_id))
        .where(
            model.subject_id.in_(subjects),
            model.starts_at >= begin_of(monday_of(day)),
            model.starts_at < begin_of(day),
        )
        .order_by(model.subject_id, model.starts_at.desc())
    )
    return {row.subject_id: row.body for row in rows}


def _copy(connection: Connection, tier: Tier, rows: Iterable[tuple[int, datetime, bytes]]) -> None:
    raw = cast("psycopg.Connection[Any]", connection.connection.dbapi_connection)
    statement = f"COPY {tier.model.__table__} (subject_id, starts_at, body) FROM STDIN"
    with raw.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        for row in rows:
            copy.write_row(row)
