"""Killed at any step, history loses nothing, counts nothing twice, and goes on where it was."""

from __future__ import annotations

import logging
import multiprocessing
import random
import secrets
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import TYPE_CHECKING

import pytest
from psycopg import sql
from sqlalchemy import create_engine, text

from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring import Unknown
from bounty_ops.monitoring.history import maintain, store_collection
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.monitoring.conftest import eventually
from bounty_ops_tests.monitoring.history.conftest import DAY, HOUR, Vitals, relations, taken
from bounty_ops_tests.monitoring.history.consistency import charts, kept, wrong
from bounty_ops_tests.monitoring.history.dying import APPLICATION, KEEP, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring import CollectionResult

logger = logging.getLogger(__name__)

#: A Friday. Later than any test runs: texts are kept until the day that the clock shows, at least.
BEGIN = datetime(2090, 1, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOGETHER = "development"


class House:
    """An operations database whose users are killed, and one whose only user never is.

    What was stored in the one is stored in the other. There nobody maintains anything, so its
    charts are made of the samples as they were taken.
    """

    def __init__(self, url: DatabaseUrl, untouched: DatabaseUrl) -> None:
        self.url = url
        self.operations = create_engine(url.sqlalchemy())
        self.untouched = create_engine(untouched.sqlalchemy())
        # Forked from one that has imported everything, so that hundreds do not take an hour.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([work.__module__])

    def close(self) -> None:
        self.operations.dispose()
        self.untouched.dispose()

    def do(
        self, deed: CollectionResult | datetime, *, dies_at: int | None = None, after: float = -1
    ) -> list[str] | None:
        """Let a process do it, and wait until its sessions are gone; its steps unless it died."""
        here, there = self._context.Pipe(duplex=False)
        arguments = (self.url, [deed], dies_at, there)
        process = self._context.Process(target=work, args=arguments, daemon=True)
        process.start()
        there.close()
        assert here.recv() == "begins"
        if after >= 0:
            sleep(after)
            process.kill()
        process.join()
        eventually(self._is_alone)
        assert wrong(self.operations) == {}
        try:
            steps: list[str] = here.recv()
        except EOFError:
            return None
        return steps

    def _is_alone(self) -> bool:
        statement = text(
            "SELECT count(*) = 0 FROM pg_stat_activity "
            "WHERE application_name = :name AND datname = current_database()"
        )
        with self.operations.connect() as connection:
            return bool(connection.scalar(statement, {"name": APPLICATION}))

    def stored(self, result: CollectionResult, now: datetime) -> None:
        """What a kill left is whole or absent; the next run stores it if it is absent."""
        found = [each for each in kept(self.operations, TOGETHER, now) if _same_time(each, result)]
        assert found in ([], [_bare(result)])
        if not found:
            store_collection(self.operations, result)
        store_collection(self.untouched, result)

    def agrees(self, now: datetime) -> None:
        """Everything that is kept is as it was taken, and every chart shows what was measured."""
        here = kept(self.operations, TOGETHER, now)
        there = kept(self.untouched, TOGETHER, now)
        first = min(each.taken_at.date() for each in here)
        assert first <= (now - KEEP.samples * DAY).date() or here == there
        assert here == [each for each in there if each.taken_at.date() >= first]
        ours = charts(self.operations, TOGETHER, BEGIN, now)
        assert ours == charts(self.untouched, TOGETHER, BEGIN, now)
        assert ours


def _bare(result: CollectionResult) -> CollectionResult:
    """As it comes back: what a family remembers is not part of it."""
    return replace(result, memory={})


def _same_time(one: CollectionResult, other: CollectionResult) -> bool:
    return one.taken_at == other.taken_at


@pytest.fixture
def copies(make_database: Callable[..., DatabaseUrl]) -> Iterator[Callable[..., DatabaseUrl]]:
    """Make copies of a database to which nobody is connected, of a new one if none is named."""
    empty = make_database()
    migrate_ops(empty)
    made: list[DatabaseUrl] = []

    def copy(source: DatabaseUrl = empty) -> DatabaseUrl:
        made.append(empty.with_database(f"{source.database}_{secrets.token_hex(4)}"))
        _administer(
            empty,
            "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy",
            made[-1].database,
            source.database,
        )
        return made[-1]

    yield copy
    for url in made:
        _administer(empty, "DROP DATABASE IF EXISTS {} WITH (FORCE)", url.database)


def _administer(server: DatabaseUrl, statement: str, *names: str) -> None:
    with connect(server.with_database("postgres"), application_name="tests") as connection:
        connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@pytest.fixture
def house(copies: Callable[..., DatabaseUrl]) -> Iterator[House]:
    made = House(copies(), copies())
    yield made
    made.close()


class Measured:
    """Tables that grow, that stay as they are, that vanish and come back, and new ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - numbers, not secrets
        self._sizes: list[int | None] = [5, 6, 7, 8]
        self._number = 0

    def at(self, moment: datetime) -> CollectionResult:
        """One more collection."""
        self._number += 1
        draw = self._random
        if draw.random() < 0.7:
            self._sizes[0] = draw.randrange(1000)
        if draw.random() < 0.2:
            self._sizes[2] = None if self._sizes[2] is not None else draw.randrange(9)
        if draw.random() < 0.1:
            self._sizes.append(draw.randrange(10**6))
        result = taken(moment, relations(*self._sizes, rows=self._sizes[0]))
        if draw.random() < 0.8:
            result.families["vitals"] = Vitals(used=draw.randrange(3))  # type: ignore[index] # a dict
        reason = f"no permission {self._number // 3}"
        return replace(
            result, unknown=(Unknown("vitals", "everything", reason, "grant it"),),
            memory={"relations": b"%d" % self._number},
        )  # fmt: skip


def _every(number: int) -> object:
    """Every step in a soak, else every so many."""
    return pytest.param(1, marks=pytest.mark.soak) if number == 1 else number


@pytest.mark.parametrize("every", [_every(18), _every(1)])
def test_killed_before_any_step_of_storing_it_is_whole_or_absent(house: House, every: int) -> None:
    measured = Measured(1)
    house.stored(measured.at(BEGIN), BEGIN)
    steps, at, died, now = 10_000, 0, Counter[str](), BEGIN
    while at < steps:
        now += 9 * MINUTE
        result = measured.at(now)
        names = house.do(result, dies_at=at)
        died["to the end" if names else "killed"] += 1
        house.stored(result, now)
        if names is not None:
            steps = 0  # it has fewer
        at += every
    assert died["killed"] * every >= 12
    assert died["to the end"] == 1
    house.agrees(now)


def test_killed_again_and_again_maintenance_goes_on_where_it_was(house: House) -> None:
    measured, chance = Measured(2), random.Random(secrets.randbits(32))  # noqa: S311 - any step
    for day in range(5):
        for hour in (1, 13):
            house.stored(measured.at(BEGIN + day * DAY + hour * HOUR), BEGIN + day * DAY)
    now, kills = BEGIN + 5 * DAY + HOUR, 0
    for _ in range(5):
        kills += house.do(now, dies_at=chance.randrange(3, 120)) is None
    assert kills
    maintain(house.operations, KEEP, now=now, budget_seconds=600)
    again = maintain(house.operations, KEEP, now=now)
    assert (again.made, again.rolled_up, again.dropped, again.left_in_default) == ([], [], [], {})
    house.agrees(now)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_before_any_step_of_maintenance_the_next_goes_on(
    copies: Callable[..., DatabaseUrl],
) -> None:
    """Making, moving, rolling up, dropping and forgetting; each step from the same beginning."""
    first, untouched, measured = copies(), copies(), Measured(3)
    house = House(first, untouched)
    now = _some_days(house, measured)
    house.close()
    at, done = 0, Counter[str]()
    while "to the end" not in done:
        house = House(copies(first), untouched)
        names = house.do(now, dies_at=at)
        done["killed" if names is None else "to the end"] += 1
        maintain(house.operations, KEEP, now=now, budget_seconds=600)
        again = maintain(house.operations, KEEP, now=now)
        assert (again.made, again.rolled_up, again.dropped, again.left_in_default) == (
            [], [], [], {},
        )  # fmt: skip
        house.agrees(now)
        house.close()
        _administer(first, "DROP DATABASE {}", house.url.database)
        at += 1
    logger.info("killed before each of %s steps", done["killed"])
    assert done["killed"] > 100


def _some_days(house: House, measured: Measured) -> datetime:
    """Some that were rolled up, of them one with a late sample; and some without maintenance."""
    for day in range(6):
        for hour in (1, 9, 17):
            at = BEGIN + day * DAY + hour * HOUR
            house.stored(measured.at(at), at)
        if day in {2, 3}:
            maintain(house.operations, KEEP, now=BEGIN + (day + 1) * DAY + HOUR)
    late = BEGIN + 3 * DAY + 11 * HOUR
    house.stored(measured.at(late), BEGIN + 6 * DAY)
    too_late = BEGIN + 12 * HOUR  # of a day that has been dropped
    store_collection(house.operations, taken(too_late, relations(777)))
    return BEGIN + 6 * DAY + HOUR


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_at_any_moment_for_weeks_nothing_is_missing(house: House) -> None:
    """By somebody else, who knows no steps: in the middle of a statement or of a commit."""
    seed = secrets.randbits(32)
    logger.info("seed %s", seed)
    measured, chance = Measured(seed), random.Random(seed)  # noqa: S311 - any moment
    died = Counter[bool]()

    def may_die(deed: CollectionResult | datetime) -> bool:
        survived = house.do(deed, after=chance.random() * 0.25) is not None
        died[not survived] += 1
        return survived

    for day in range(35):
        for _ in range(4):
            at = BEGIN + day * DAY + chance.randrange(24 * 60) * MINUTE
            result = measured.at(at + timedelta(microseconds=chance.randrange(10**6)))
            # The clock goes back within a day, and at times to the day before.
            if day and chance.random() < 0.1:
                result = replace(result, taken_at=result.taken_at - DAY)
            if chance.random() < 0.4:
                may_die(result)
            house.stored(result, BEGIN + (day + 1) * DAY)
        if chance.random() < 0.75:  # else nobody maintains that night
            now = BEGIN + (day + 1) * DAY + HOUR
            any(may_die(now) for _ in range(3))
            maintain(house.operations, KEEP, now=now, budget_seconds=600)
            house.agrees(now)
    now = BEGIN + 35 * DAY + 2 * HOUR
    maintain(house.operations, KEEP, now=now, budget_seconds=600)
    house.agrees(now)
    logger.info("%s were killed, %s were not", died[True], died[False])
    assert died[True] > 20
