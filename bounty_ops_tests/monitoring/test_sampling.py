"""Without pg_stat_statements: what statements cost, as far as looks at what runs can tell."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bounty_ops.environments import Policy
from bounty_ops.monitoring import Queries, collect
from bounty_ops.monitoring.collectors.sampled import SLICE_SECONDS, collect_sampled
from bounty_ops.monitoring.probe import open_probe
from bounty_ops.monitoring.sampling import Run, Sighting, estimate
from bounty_ops_tests.monitoring.conftest import Session, environment_of, eventually, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import DatabaseUrl

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECRET = "alice.secret@example.com"


def _sighting(pid: int, began: float, name: str = "a", user: str = "app") -> Sighting:
    run = Run(pid, NOON + timedelta(seconds=began))
    return Sighting(run, name, user, f"select {name}", 1.5)


def test_each_sighting_is_a_slice_of_time_and_few_runs_are_uncertain() -> None:
    long, short = _sighting(1, 0), [_sighting(2, at, "b") for at in range(4)]
    found = estimate([[long, short[0]], [long], [long, short[1]], [long]] * 2, 0.5)
    assert [(each.fingerprint, each.seconds, each.runs) for each in found] == [
        ("a", 4.0, 1),
        ("b", 2.0, 2),
    ]
    one, many = found
    assert one.high - one.seconds == pytest.approx(1.5)  # three slices
    assert many.low == pytest.approx(2.0 - 1.96 * 0.5 * 2**0.5)
    assert one.longest == 1.5


def test_roles_are_told_apart_and_of_nothing_nothing_is_estimated() -> None:
    found = estimate([[_sighting(1, 0), _sighting(2, 0, user="other")]], 0.1)
    assert [(each.user, each.seconds) for each in found] == [("app", 0.1), ("other", 0.1)]
    assert estimate([[], []], 0.1) == []


@pytest.mark.parametrize(("length", "gap"), [(0.004, 0.03), (0.06, 0.2), (0.7, 0.5), (0.05, 0.0)])
def test_the_truth_lies_within_the_bounds_95_times_in_100(length: float, gap: float) -> None:
    """Simulated: runs of one length, with pauses of about another in between."""
    chance = random.Random(5)  # noqa: S311 - the same world each time
    span, slice_seconds, hits, worlds = 10.0, 0.05, 0, 300
    for _ in range(worlds):
        runs, at = [], -chance.random() * (length + gap)
        while at < span:
            runs.append((at, at + length))
            at += length + gap * 2 * chance.random() + 1e-9
        truth = sum(max(0.0, min(end, span) - max(begin, 0.0)) for begin, end in runs)
        moments = [
            (n + chance.random()) * slice_seconds for n in range(round(span / slice_seconds))
        ]
        looks = [
            [_sighting(1, begin) for begin, end in runs if begin <= moment < end]
            for moment in moments
        ]
        found = estimate(looks, slice_seconds)
        low, high = (found[0].low, found[0].high) if found else (0.0, 3 * slice_seconds)
        hits += low <= truth <= high
    assert hits / worlds >= 0.93


def test_looks_are_spread_over_the_time_one_in_each_slice(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    now, slept = [100.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    probe = open_probe(open_session(fresh_database), Policy(sampling_seconds=1))
    found = collect_sampled(probe, clock=lambda: now[0], sleep=sleep, chance=lambda: 0.5)
    assert found.sampling is not None
    assert found.sampling.looks == 20
    assert found.sampling.looks_per_second == pytest.approx(20)
    assert found.sampling.unseen_below_seconds == pytest.approx(0.15)
    assert slept == pytest.approx([SLICE_SECONDS / 2] + [SLICE_SECONDS] * 19)
    assert found.statements == ()


def test_a_server_without_the_extension_shows_what_takes_its_time(
    fresh_database: DatabaseUrl, open_session: Callable[..., Session]
) -> None:
    execute(fresh_database, "CREATE TABLE account (email text)")
    worker, watcher = open_session(fresh_database), open_session(fresh_database)
    statement = f"SELECT pg_sleep(60), '{SECRET}' AS found -- {SECRET}".encode()

    def work() -> None:
        with pytest.raises(Exception, match="canceling"):
            worker.execute(statement)

    thread = threading.Thread(target=work)
    thread.start()
    pid = worker.info.backend_pid
    running = "SELECT state = 'active' FROM pg_stat_activity WHERE pid = %s"
    try:
        eventually(lambda: watcher.execute(running, (pid,)).fetchone() == (True,))
        result = collect(environment_of(fresh_database, sampling_seconds=0.3), families=["queries"])
    finally:
        eventually(lambda: _cancelled(watcher, pid, thread))
    queries = result.family(Queries)
    assert queries is not None
    assert queries.source == "sampling"
    assert queries.sampling is not None
    assert queries.sampling.looks == 6
    (found,) = queries.sampled
    assert found.text == "SELECT pg_sleep(?), ? AS found"
    assert found.user == fresh_database.user
    assert found.runs == 1
    assert found.share == 1
    assert found.seconds == pytest.approx(queries.sampling.seconds)
    assert SECRET not in result.to_json_text()
    (unknown,) = [each for each in result.unknown if each.subject == "slow statements"]
    assert "running queries are sampled instead" in unknown.reason


def _cancelled(watcher: Session, pid: int, thread: threading.Thread) -> bool:
    watcher.execute("SELECT pg_cancel_backend(%s)", (pid,))
    time.sleep(0.01)
    return not thread.is_alive()
