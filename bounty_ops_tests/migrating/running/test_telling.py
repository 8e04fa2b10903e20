"""A person hears whom a migration waits for, but not twenty times a second."""

from __future__ import annotations

from bounty_ops.migrating.running import Blocker, Underway
from bounty_ops.migrating.running.telling import Telling

BLOCKERS = (Blocker(7, "web", "bounty", "idle in transaction", "SELECT ?", 63.4, 61.0),)


def _statement(attempt: int) -> Underway:
    return Underway(
        revision="bounty_0002",
        number=3,
        sql="ALTER TABLE t ADD c int",
        online=False,
        autocommit=False,
        attempt=attempt,
        pid=1,
    )


def test_a_wait_is_told_once_for_each_attempt() -> None:
    said: list[str] = []
    telling = Telling(said.append)
    telling.waits(_statement(1), BLOCKERS, 0.4)
    for tenths in range(10, 40):
        telling.waits(_statement(1), BLOCKERS, tenths / 10)
    telling.waits(_statement(2), BLOCKERS, 5.0)
    telling.retries("bounty_0002", 3, 9.2, str(BLOCKERS[0]))
    assert said == [
        f"bounty_0002, statement 3 has waited for 1 s for {BLOCKERS[0]}",
        said[0].replace("for 1 s", "for 5 s"),
        f"bounty_0002 did not get its locks behind {BLOCKERS[0]}; attempt 3 follows in 9 s",
    ]
    assert str(BLOCKERS[0]) == (
        "pid 7, application 'web', role bounty, in a transaction for 63 s, idle in transaction, "
        "query (begun 61 s ago): SELECT ?"
    )
