"""What will run out is told in time, once, with when; and not at all when nobody can know."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bounty_ops.alerting import (
    Evaluation,
    Rule,
    Severity,
    Situation,
    Undecided,
    evaluate,
    reconcile,
)
from bounty_ops.alerting.gathering import limits_in_sight, stored_collections
from bounty_ops.environments import AlertSettings, Policy
from bounty_ops.monitoring import store_collection
from bounty_ops.monitoring.forecast import Forecast, foretold
from bounty_ops.monitoring.outlooks import Ceiling, Outlook, ceilings
from bounty_ops.postgres.connect import connect
from bounty_ops_tests.alerting import measures as m
from bounty_ops_tests.alerting.situations import NOW, situation

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

DAY = timedelta(days=1)
LIMIT = Policy(protected=True, storage_limit_gb=100)


def grew(points: list[float], *, now: datetime) -> Situation:
    """A database with one look a day, whose last is of now, and 100 GiB to fill."""
    dated = [(now - DAY * (len(points) - 1 - day), used * m.GIB) for day, used in enumerate(points)]
    whole = 100.0 * m.GIB
    ceiling = Ceiling("storage", "storage", "database", "s", "size", points[-1] * m.GIB, whole)
    told = foretold(dated, 0.8 * whole)
    return replace(situation(), now=now, outlooks=(Outlook(ceiling, told),))


def said(found: Situation) -> list[str]:
    return [each.title for each in evaluate(found).firing if each.rule is Rule.LIMIT_IN_SIGHT]


def test_it_fires_while_it_grows_and_resolves_when_it_does_no_more() -> None:
    growing = [40 + 0.5 * day + 0.4 * (day % 2) for day in range(55)]
    assert said(grew(growing[:30], now=NOW)) == []  # 51 days away
    (title,) = said(grew(growing, now=NOW + 25 * DAY))
    assert re.search(r"storage reaches 80% of its limit between 2027-01-\d\d and 2027-01-", title)
    emptied = [*growing[1:], 40.0]
    assert said(grew(emptied, now=NOW + 26 * DAY)) == []
    assert Rule.LIMIT_IN_SIGHT not in evaluate(grew([50.0] * 60, now=NOW)).undecided


def test_one_incident_opens_outlasts_what_nobody_knows_and_ends(operations: Engine) -> None:
    settings = AlertSettings.of("looking_ahead", LIMIT)

    def look(found: Situation) -> tuple[int, int]:
        evaluation = evaluate(found)
        ours = tuple(each for each in evaluation.findings if each.rule is Rule.LIMIT_IN_SIGHT)
        unknown = (
            {Rule.LIMIT_IN_SIGHT: evaluation.unknown[Rule.LIMIT_IN_SIGHT]}
            if (Rule.LIMIT_IN_SIGHT in evaluation.unknown)
            else {}
        )
        done = reconcile(
            operations, "looking_ahead", Evaluation(ours, unknown), settings, found.now
        )
        return len(done.opened), len(done.resolved)

    growing = [40 + 0.5 * day for day in range(60)]
    assert look(grew(growing[:30], now=NOW)) == (0, 0)
    assert look(grew(growing[:55], now=NOW + 25 * DAY)) == (1, 0)
    assert look(grew(growing[:56], now=NOW + 26 * DAY)) == (0, 0)
    assert look(grew(growing[54:57], now=NOW + 27 * DAY)) == (0, 0)
    assert look(grew([*growing[:57], 20.0], now=NOW + 28 * DAY)) == (0, 0)  # for an hour
    assert look(grew([*growing[:57], 20.0], now=NOW + 29 * DAY)) == (0, 1)


@pytest.mark.parametrize(
    "points",
    [
        [50.0, 51.0, 52.0],  # too short
        [50 + 0.02 * day * day for day in range(20)] + [51.0] * 10,  # misled about its own past
    ],
    ids=["short", "misleading"],
)
def test_it_is_silent_and_says_so_when_it_cannot_know(points: list[float]) -> None:
    evaluation = evaluate(grew(points, now=NOW))
    assert [each for each in evaluation.findings if each.rule is Rule.LIMIT_IN_SIGHT] == []
    unknown = evaluation.unknown[Rule.LIMIT_IN_SIGHT]
    assert unknown.subjects == frozenset({"storage"})
    assert "cannot be foretold" in unknown.reason


def test_development_never_hears_of_it() -> None:
    growing = [40 + 0.5 * day for day in range(70)]
    found = grew(growing, now=NOW)
    assert said(found)
    settings = AlertSettings.of("development", Policy())
    assert said(replace(found, environment="development", alerts=settings)) == []


def test_only_what_is_used_to_a_fifth_is_looked_at() -> None:
    taken = [m.measured(m.database(size_bytes=30 * m.GIB), m.sequences(m.sequence(0.5)))]
    kinds = {each.kind: each.subject for each in ceilings(taken, LIMIT)}
    assert kinds["storage"] == "storage"
    assert kinds["sequence"].startswith("public.")
    assert "connections" not in kinds
    assert "storage" not in {each.kind for each in ceilings(taken, Policy(protected=True))}


def test_what_was_stored_is_what_is_foretold(
    operations: Engine, operations_url: DatabaseUrl
) -> None:
    with connect(operations_url, application_name="tests") as connection:
        connection.execute("TRUNCATE bounty_ops.collection, bounty_ops.sample")
    for hours in range(24 * 6, -1, -6):
        used = 70 - hours / 24
        _store(operations, NOW - timedelta(hours=hours), round(used * m.GIB))
    stored = stored_collections(operations, "production", now=NOW)
    found = limits_in_sight(operations, "production", LIMIT, stored, now=NOW)
    assert not isinstance(found, Undecided)
    (storage,) = [each for each in found if each.ceiling.kind == "storage"]
    assert isinstance(storage.told, Forecast)
    assert timedelta(days=5) < storage.told.earliest - NOW < timedelta(days=11)
    (finding,) = [
        each
        for each in evaluate(replace(situation(), outlooks=found)).firing
        if each.rule is Rule.LIMIT_IN_SIGHT
    ]
    assert finding.severity is Severity.WARNING
    assert "grew by 1.0 GiB a day" in finding.body
    later = limits_in_sight(operations, "production", LIMIT, stored, now=NOW + DAY)
    assert isinstance(later, Undecided)
    assert later.waits


def _store(engine: Engine, at: datetime, size_bytes: int) -> None:
    families: tuple[Any, ...] = (m.database(size_bytes=size_bytes), m.tables())
    store_collection(engine, replace(m.only(*families, minutes=0), taken_at=at))
