"""Running one revision, again and again while somebody else holds a lock it needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import DBAPIError

from bounty_ops.migrating.runner import upgrade_to
from bounty_ops.postgres.connect import translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl

#: lock_not_available and deadlock_detected: the transaction is gone, and so is what blocked it
#: before long. A migration that leaves its transaction (autocommit_block) must be repeatable.
_WORTH_ANOTHER_ATTEMPT: Final = frozenset({"55P03", "40P01"})
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


def pause_before(attempt: int) -> float:
    """Return how long to wait before the second, third ... attempt, in seconds.

    The pauses let the queue behind the failed lock request drain: each attempt makes everybody
    wait who comes after it.
    """
    return float(min(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 2), _LONGEST_PAUSE_SECONDS))


def run_revision(
    url: DatabaseUrl,
    directory: Path,
    revision: str,
    *,
    lock_timeout_seconds: float,
    attempts: int,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Run one revision in its own transaction; return how many attempts it took.

    Raises LockNotAvailable after the last attempt, or another PostgresError at once.
    """
    with translated(url):
        for attempt in range(1, attempts):
            try:
                upgrade_to(url, directory, revision, lock_timeout_seconds=lock_timeout_seconds)
            except DBAPIError as error:
                if not _worth_another_attempt(error):
                    raise
                sleep(pause_before(attempt + 1))
            else:
                return attempt
        upgrade_to(url, directory, revision, lock_timeout_seconds=lock_timeout_seconds)
        return attempts


def _worth_another_attempt(error: DBAPIError) -> bool:
    cause = error.orig
    return isinstance(cause, psycopg.Error) and cause.sqlstate in _WORTH_ANOTHER_ATTEMPT
