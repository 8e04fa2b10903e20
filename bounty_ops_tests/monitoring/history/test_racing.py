"""Two deployments share an operations database: both store, roll up, maintain and read at once."""

from __future__ import annotations

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import create_engine

from bounty_ops.migrating import migrate_ops
from bounty_ops.monitoring.collectors import FAMILIES
from bounty_ops.monitoring.history import latest_collections, maintain, store_collection
from bounty_ops_tests.monitoring.history.conftest import (
    DAY,
    Relations,
    Vitals,
    relations,
    taken,
)
from bounty_ops_tests.monitoring.history.consistency import charts, kept, wrong
from bounty_ops_tests.monitoring.history.dying import KEEP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.synchronize import Barrier

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.monitoring import CollectionResult

BEGIN = datetime(2090, 1, 6, tzinfo=UTC)
ENVIRONMENTS = ("development", "staging")
MINUTE = timedelta(minutes=1)
#: By so much some samples come late, and so far are the clocks ahead of what is stored: days are
#: rolled up while there are samples to come, and again.
LATE = timedelta(hours=10)
#: Of waiting for each other.
_PATIENCE_SECONDS = 600


def measured(who: int, days: int, a_day: int) -> Iterator[list[CollectionResult]]:
    """What one deployment collects day by day, of both environments; no two at the same moment."""
    draw = random.Random(who)  # noqa: S311 - numbers, not secrets
    for day in range(days):
        moments = sorted(draw.sample(range(24 * 60), a_day))
        yield [_result(draw, who, BEGIN + day * DAY + minute * MINUTE, number)
               for number, minute in enumerate(moments)]  # fmt: skip


def _result(draw: random.Random, who: int, moment: datetime, number: int) -> CollectionResult:
    at = moment + timedelta(seconds=who, microseconds=number)
    if number and draw.random() < 0.2:
        at -= LATE
    sizes = (draw.randrange(100), 7, None if draw.random() < 0.3 else 8, who)
    return taken(
        at, relations(*sizes), Vitals(used=draw.randrange(4)),
        environment=ENVIRONMENTS[number % 2],
    )  # fmt: skip


def live(
    url: DatabaseUrl, midnight: Barrier, life: list[list[CollectionResult]], tell: Connection
) -> None:
    """What a deployment does: it stores, maintains after each, and looks at what there is.

    Whoever is a day behind would come too late for what another has dropped, so a day begins for
    all of them at once.
    """
    known = cast("dict[str, object]", FAMILIES)  # as the tests have it, in this process
    known.update({family.family: (family, None) for family in (Relations, Vitals)})
    operations = create_engine(url.sqlalchemy())
    unreadable: list[str] = []
    try:
        for day in life:
            midnight.wait(_PATIENCE_SECONDS)
            for result in day:
                store_collection(operations, result)
                maintain(operations, KEEP, now=result.taken_at + LATE)
                unreadable += [
                    each.reason
                    for environment in ENVIRONMENTS
                    for found in latest_collections(operations, environment, 4)
                    for each in found.unknown
                ]
        tell.send(unreadable)
    except BaseException:
        midnight.abort()
        raise
    finally:
        operations.dispose()


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("deployments", "days", "a_day"), [(2, 2, 2), pytest.param(4, 14, 6, marks=pytest.mark.soak)]
)
def test_deployments_that_do_everything_at_once_lose_and_refuse_nothing(
    make_database: Callable[..., DatabaseUrl], deployments: int, days: int, a_day: int
) -> None:
    url, untouched_url = make_database(), make_database()
    migrate_ops(url)
    migrate_ops(untouched_url)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    midnight, working = context.Barrier(deployments), []
    lives = [list(measured(who, days, a_day)) for who in range(deployments)]
    for life in lives:
        here, there = context.Pipe(duplex=False)
        arguments = (url, midnight, life, there)
        process = context.Process(target=live, args=arguments, daemon=True)
        process.start()
        there.close()
        working.append((process, here))
    told = [here.recv() for _, here in working]  # EOFError: one of them failed
    for process, _ in working:
        process.join()
    assert told == [[]] * deployments

    operations, untouched = (create_engine(each.sqlalchemy()) for each in (url, untouched_url))
    for result in chain.from_iterable(chain.from_iterable(lives)):
        store_collection(untouched, result)
    now = BEGIN + days * DAY + timedelta(hours=1)
    maintain(operations, KEEP, now=now, budget_seconds=600)
    assert maintain(operations, KEEP, now=now).left_in_default == {}
    assert wrong(operations) == {}
    for environment in ENVIRONMENTS:
        found = kept(operations, environment, now)
        first = min(each.taken_at.date() for each in found)
        assert first <= (now - KEEP.samples * DAY).date()
        stored = kept(untouched, environment, now)
        assert found == [each for each in stored if each.taken_at.date() >= first]
        ours = charts(operations, environment, BEGIN, now)
        assert ours == charts(untouched, environment, BEGIN, now)
        assert ours
    operations.dispose()
    untouched.dispose()
