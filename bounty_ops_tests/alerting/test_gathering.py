"""From the history comes what rules compare, and no more than that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from bounty_ops.alerting import Rule, Severity, Situation, Undecided, evaluate, reconcile
from bounty_ops.alerting.gathering import JUST_NOW, slower_statements, stored_collections
from bounty_ops.environments import Policy
from bounty_ops.monitoring import store_collection
from bounty_ops.postgres.connect import connect
from bounty_ops.schema.ops import Evaluation
from bounty_ops_tests.alerting import measures as m
from bounty_ops_tests.alerting.situations import NOW, at_once, evaluation_of, finding

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from bounty_ops.environments import DatabaseUrl

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def history(operations: Engine, operations_url: DatabaseUrl) -> Engine:
    """An operations database without a collection."""
    with connect(operations_url, application_name="tests") as connection:
        connection.execute("TRUNCATE bounty_ops.collection, bounty_ops.sample")
    return operations


def store(engine: Engine, at: datetime, *families: Any) -> None:  # noqa: ANN401 - of any family
    store_collection(engine, replace(m.only(*families, minutes=0), taken_at=at))


def test_rules_see_the_newest_of_each_cadence_and_what_to_compare_it_with(history: Engine) -> None:
    store(history, NOW - DAY, m.tables(m.table(total_bytes=m.GIB)), m.indexes())
    for minutes in (30, 20, 10, 1):
        store(history, NOW - minutes * MINUTE, m.database(deadlocks=100 - minutes), m.activity())
    store(history, NOW - 5 * MINUTE, m.tables(m.table(total_bytes=9 * m.GIB)), m.indexes())
    found = Situation(
        environment="production",
        policy=Policy(protected=True),
        backups=(),
        collection=None,
        now=NOW,
        stored=stored_collections(history, "production", now=NOW),
        alerts=at_once(),
    )
    assert len(found.stored) <= 5
    evaluation = evaluate(found)
    said = {each.rule: each for each in evaluation.firing}
    assert "8.0 GiB in a day" in said[Rule.TABLE_GROWTH].title
    # 99 now; the look to compare it with is 10 minutes old, and counted 90.
    assert said[Rule.DEADLOCKS].evidence["deadlocks"] == 9
    assert Rule.BLOCKING not in evaluation.undecided


def test_of_an_empty_history_nothing_is_made_up(history: Engine) -> None:
    assert stored_collections(history, "production", now=NOW) == ()
    found = slower_statements(history, "production", now=NOW)
    assert isinstance(found, Undecided)
    assert not found.waits  # it is a blind spot, and is shown as one


def test_statements_are_compared_once_and_what_was_told_stays(operations: Engine) -> None:
    assert JUST_NOW > 2 * MINUTE  # two looks
    slow = finding(Rule.SLOW_QUERY_REGRESSION, severity=Severity.WARNING, subject="statement ab12")
    reconcile(operations, "production", evaluation_of(slow), at_once(), NOW)
    waits = Undecided("statements were compared when they came, 12:00 UTC", waits=True)
    later = replace(evaluation_of(), unknown={Rule.SLOW_QUERY_REGRESSION: waits})
    done = reconcile(operations, "production", later, at_once(), NOW + 5 * MINUTE)
    assert done.resolved == ()
    with operations.connect() as connection:
        ours = select(Evaluation.unknown).where(Evaluation.environment == "production")
        assert connection.scalars(ours).one() == []
