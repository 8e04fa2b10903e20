"""Twenty-four healthy hours, idle or busy, raise nothing at all; and one fault in them is told."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import Rule, Situation, evaluate
from bounty_ops.alerting.course import State
from bounty_ops.alerting.facts import Automation, DagsterFacts, LatestRun
from bounty_ops.alerting.steps import Known, caused_by, steps
from bounty_ops.alerting.telling import Told, heard, next_message
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.errors import ServerUnavailable
from bounty_ops.monitoring import CollectionResult
from bounty_ops_tests.alerting import measures as m
from bounty_ops_tests.alerting.situations import NOW, backup, situation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bounty_ops.alerting.steps import Key

MINUTES = 24 * 60
MINUTE = timedelta(minutes=1)
MIDNIGHT = NOW.replace(hour=0)
Look = tuple[datetime, Situation]
SETTINGS = AlertSettings.of("production", Policy(protected=True))
AWAY = ServerUnavailable("db:5432/bounty: connection refused", hint="Start it.")


class Database:
    """A database that is used, with nothing wrong: its numbers at each minute."""

    def __init__(self, busy: bool, seed: int) -> None:
        self.busy = busy
        self.chance = random.Random(seed)  # noqa: S311 - what is needed is that it can be repeated
        self.counters = {"blocks_hit": 10**8, "blocks_read": 10**5, "deadlocks": 4, "commits": 0}
        self.xids = 150_000_000
        self.dead = 0.0
        self.size = 20 * m.GIB

    def sessions(self, minute: int) -> list[Any]:
        """What takes long without being wrong."""
        found = []
        if 120 <= minute < 170:  # the backup of the night, with its long transaction
            found.append(m.session(60.0 * (minute - 120) + 1, application="bounty-ops backup"))
            found.append(m.session(60.0 * (minute - 120) + 1, application="pg_dump", pid=4712))
        if self.busy:
            found.append(m.session(self.chance.uniform(1, 600), application="report", pid=5))
            found.append(m.session(self.chance.uniform(1, 200), state="idle in transaction", pid=6))
        return found

    def collect(self, minute: int) -> CollectionResult:
        """The collection of one minute."""
        chance = self.chance
        if self.busy:
            self.counters["blocks_hit"] += chance.randint(10**5, 10**6)
            self.counters["blocks_read"] += chance.randint(0, 5_000)
            self.counters["deadlocks"] += chance.random() < 0.02
            self.xids += 3_000
            self.dead += chance.uniform(0, 0.02)
            self.size += 200_000
        if self.xids > 200_000_000:
            self.xids = 50_000_000  # autovacuum froze
        if self.dead > 1.1:
            self.dead = 0.0  # autovacuum came
        waits = self.busy and chance.random() < 0.2
        families: list[Any] = [
            m.connections(chance.randint(20, 70) if self.busy else 3),
            m.activity(
                *self.sessions(minute),
                blocking=(m.blocked(chance.uniform(0, 14)),) if waits else (),
            ),
            m.database(oldest_xid_age=self.xids, **self.counters),
            m.sequences(m.sequence(0.4)),
            m.replication(
                slots=(m.slot(retained_bytes=chance.randint(0, m.GIB)),),
                standbys=(m.standby(chance.uniform(0, 5)),),
            ),
        ]
        if minute % 5 == 0:
            families.append(m.settings())
        if minute % 30 == 0:
            dead = int(self.dead * 100_000)
            families += [
                m.tables(
                    m.table(total_bytes=self.size, dead_rows=dead, dead_ratio_of_trigger=self.dead)
                ),
                m.indexes(m.index(), m.index(name="pkey", unique=True, scans=0, bytes=m.GIB)),
            ]
        return _collection(MIDNIGHT + minute * MINUTE, *families)


@cache
def day(*, busy: bool) -> tuple[Look, ...]:
    """The situations of a day, one a minute."""
    database = Database(busy, seed=1)
    history = [
        _collection(MIDNIGHT - timedelta(hours=24), m.tables(m.table(total_bytes=database.size))),
        _collection(MIDNIGHT - MINUTE, m.database(**database.counters)),
    ]
    looks = []
    for minute in range(MINUTES):
        now = MIDNIGHT + minute * MINUTE
        collected = database.collect(minute)
        history.append(collected)
        looks.append((now, _look(now, minute, collected, history)))
    return tuple(looks)


def _collection(at: datetime, *families: Any) -> CollectionResult:  # noqa: ANN401 - of any family
    return replace(m.only(*families, minutes=0), taken_at=at)


def _look(
    now: datetime, minute: int, collected: CollectionResult, history: list[CollectionResult]
) -> Situation:
    last_night = 0 if minute >= 175 else 1
    taken = MIDNIGHT + timedelta(hours=2) - last_night * timedelta(hours=24)
    nights = [
        backup(hours=1).model_copy(
            update={"id": f"night-{n}", "taken_at": taken - n * timedelta(hours=24)}
        )
        for n in range(5)
    ]
    hourly = [one for one in history if "tables" in one.families]
    return replace(
        situation(backups=nights),
        collection=collected,
        stored=(*history[-16:], *hourly[:1], *hourly[-1:], *hourly[-49:-47]),
        now=now,
        drift=None,
        dagster=DagsterFacts(
            runs=(LatestRun("nightly", "r", failed=False, ended_at=taken),),
            automations=(Automation("watch", "sensor", 60, now - 1.5 * MINUTE, MIDNIGHT),),
        ),
    )


def live_through(
    looks: Sequence[Look], settings: AlertSettings
) -> tuple[list[tuple[int, Key, str]], set[Rule]]:
    """The messages of a day, and the rules that came as far as pending."""
    known: dict[Key, Known] = {}
    messages: list[tuple[int, Key, str]] = []
    pending: set[Rule] = set()
    for minute, (now, looked) in enumerate(looks):
        evaluation = evaluate(replace(looked, alerts=settings))
        todo = list(steps(known, evaluation, settings, now, flips={}))
        causes = caused_by(todo)
        known = {}
        for step in todo:
            if step.course is None:
                continue
            pending.add(step.key[0])
            change = next_message(
                step.course,
                step.told,
                settings=settings,
                rule=settings.rule(step.key[0]),
                withheld=step.key in causes,
                acknowledged=False,
                now=now,
            )
            told: Told = step.told
            if change is not None:
                messages.append((minute, step.key, change.value))
                told = heard(told, change, step.course, now)
            if step.course.state is not State.RESOLVED:
                known[step.key] = Known(1, step.course, told, step.title, step.body)
    return messages, pending


@pytest.mark.parametrize("tier", ["production", "staging"])
@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_healthy_day_raises_nothing(busy: bool, tier: str) -> None:
    settings = AlertSettings.of("production", Policy(protected=True), {"tier": tier})
    messages, pending = live_through(day(busy=busy), settings)
    assert messages == []
    assert pending == set()


def spoilt(begin: int, end: int, spoil: Callable[[Situation], Situation]) -> list[Look]:
    """The hours around a fault."""
    return [
        (now, spoil(looked) if begin <= minute < end else looked)
        for minute, (now, looked) in enumerate(day(busy=True)[: end + 30])
    ][begin - 30 :]


def test_a_server_that_is_away_for_a_moment_is_not_told() -> None:
    looks = spoilt(700, 701, lambda looked: replace(looked, collection=AWAY))
    messages, pending = live_through(looks, SETTINGS)
    assert messages == []
    assert pending == {Rule.SERVER_UNREACHABLE}


def test_a_server_that_is_away_for_longer_is_told_once_and_hides_what_follows() -> None:
    looks = spoilt(700, 730, lambda looked: replace(looked, collection=AWAY))
    messages, _ = live_through(looks, SETTINGS)
    server = (Rule.SERVER_UNREACHABLE, "server")
    assert messages == [(31, server, "firing"), (60, server, "resolved")]


def test_a_flood_of_connections_is_told_within_its_time() -> None:
    def flood(looked: Situation) -> Situation:
        assert isinstance(looked.collection, CollectionResult)
        families = {**looked.collection.families, "connections": m.connections(95)}
        return replace(looked, collection=replace(looked.collection, families=families))

    messages, _ = live_through(spoilt(600, 660, flood), SETTINGS)
    full = (Rule.CONNECTIONS_NEAR_LIMIT, "connections")
    # Critical after 2 minutes; resolved once it is over for 2.
    assert messages == [(32, full, "firing"), (92, full, "resolved")]
