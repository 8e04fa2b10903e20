"""Of many runners one carries the plan out, whichever of them dies meanwhile."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bounty_ops.migrating import plan_migration
from bounty_ops.migrating.facts import read_facts
from bounty_ops_tests.migrating.lines import environment
from bounty_ops_tests.migrating.running.runners import Runner
from bounty_ops_tests.migrating.running.short_lines import (
    apart,
    connect,
    executes,
    indexes,
    short_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

POLICY: dict[str, object] = {"lock_timeout_seconds": 2, "lock_attempts": 5}
BODIES = (
    executes("CREATE TABLE u (id int)", "INSERT INTO u SELECT a FROM t"),
    apart("CREATE INDEX CONCURRENTLY i ON t (b)"),
    executes("UPDATE t SET a = a + 1", "ALTER TABLE u ADD c int"),
)


def _trial(
    url: DatabaseUrl, directory: Path, *, many: int, kill: bool, chance: random.Random
) -> list[str]:
    """Let the runners loose; returns what each said, and ends one in the middle if ``kill``."""
    with connect(url) as connection:
        connection.execute("CREATE TABLE t (id int PRIMARY KEY, a int, b text)")
        connection.execute("INSERT INTO t SELECT n, 0, 'b' || n FROM generate_series(1, 3000) n")
    line = short_line(directory, *BODIES)
    plan = plan_migration(environment(url, **POLICY), line)
    with ExitStack() as stack:
        runners = [
            stack.enter_context(Runner(url, line.directory(), plan, POLICY)) for _ in range(many)
        ]
        if kill:
            _kill_whoever_begins(runners, chance)
        said = [runner.wait() for runner in runners]
    with connect(url) as connection:
        assert connection.execute("SELECT DISTINCT a FROM t").fetchall() == [(1,)]
        assert connection.execute("SELECT count(*) FROM u").fetchone() == (3000,)
    assert indexes(url)["i"] is True
    facts = read_facts(url, line)
    assert (facts.revision, facts.begun) == ("bounty_0003", ())
    return [outcome for outcome in said if outcome is not None]


def _kill_whoever_begins(runners: list[Runner], chance: random.Random) -> None:
    """End the holder of the lock at the n-th thing that it tells, or a little later."""
    left = chance.randrange(10)
    while True:
        for runner in runners:
            if runner.outcome is None and (told := runner.next(0.002)) and told[0] == "began":
                for _ in range(left):
                    runner.next(1)
                time.sleep(chance.random() * 0.02)
                runner.kill()
                return


@pytest.mark.parametrize(
    ("trials", "many", "kill"),
    [
        (1, 3, True),
        pytest.param(50, 10, False, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
        pytest.param(50, 10, True, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
def test_exactly_one_applies_and_no_other_fails(
    make_database: Callable[[], DatabaseUrl], tmp_path: Path, trials: int, many: int, kill: bool
) -> None:
    chance = random.Random(trials)  # noqa: S311 - a test's dice
    for trial in range(trials):
        said = _trial(make_database(), tmp_path / str(trial), many=many, kill=kill, chance=chance)
        # A holder that was killed after its last commit leaves nothing for the others to do.
        applied = said.count("applied")
        assert sorted(said) == ["applied"] * applied + ["nothing_to_do"] * (len(said) - applied)
        assert applied == 1 or (kill and applied == 0)
        assert len(said) >= many - kill
