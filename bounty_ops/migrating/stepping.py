"""Running one revision, again and again while somebody else holds a lock it needs."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from bounty_ops.errors import LockNotAvailable, PostgresError
from bounty_ops.migrating.runner import step_of
from bounty_ops.migrating.running.blockers import listed
from bounty_ops.migrating.running.bookkeeping import Cause
from bounty_ops.migrating.running.conductor import Conductor, GaveWayError
from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.observer import Observer
from bounty_ops.migrating.running.session import working_session
from bounty_ops.migrating.running.tally import Tally
from bounty_ops.migrating.running.watcher import Watcher
from bounty_ops.postgres.connect import translated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal.evidence import StatementRecord
    from bounty_ops.migrating.lock import MigrationLock

#: lock_not_available and deadlock_detected: the transaction is gone, and so is what blocked it
#: before long.
_WORTH_ANOTHER_ATTEMPT: Final = frozenset({"55P03", "40P01"})
_CANCELLED: Final = "57014"
_FIRST_PAUSE_SECONDS: Final = 1.0
_GROWTH: Final = 3.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_JITTER: Final = 0.5
_SHOWN_SQL: Final = 120

_EVERYBODY: Final = Observer()
_DEFAULT_LIMITS: Final = Limits()
_UPGRADE: Final = Cause()


@dataclass(frozen=True)
class RevisionRun:
    """How one revision went."""

    attempts: int
    statements: tuple[StatementRecord, ...]
    gave_way: int = 0
    """How often it was taken back because somebody waited behind it for too long."""
    queue_seconds: float = 0.0
    """The longest time that somebody was seen waiting behind one of its statements."""


def pause_before(attempt: int, jitter: float = 0.0) -> float:
    """Return how long to wait before the second, third ... attempt, in seconds.

    The pauses let the queue behind the failed lock request drain: each attempt makes everybody
    wait who comes after it. With five attempts of five seconds they outlast a transaction of a
    minute. ``jitter`` from 0 to 1 makes them longer, so that two runners do not meet again.
    """
    grown = _FIRST_PAUSE_SECONDS * _GROWTH ** min(attempt - 2, 10)
    return min(grown, _LONGEST_PAUSE_SECONDS) * (1 + _JITTER * jitter)


def run_revision(
    url: DatabaseUrl,
    directory: Path,
    revision: str,
    *,
    limits: Limits = _DEFAULT_LIMITS,
    cause: Cause = _UPGRADE,
    lock: MigrationLock | None = None,
    observer: Observer = _EVERYBODY,
    tally: Tally | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> RevisionRun:
    """Run one revision, forward or as ``cause`` says, and return how it went.

    ``tally`` is filled while it runs, for a caller that wants to know how far a failure came.

    Raises LockNotAvailable after the last attempt, MigrationError for a revision that could not
    be repeated, and another PostgresError at once.
    """
    tally = Tally() if tally is None else tally
    with translated(url), Watcher(url, observer) as watcher:
        while True:
            tally.begin_attempt()
            conductor = Conductor(
                url.address(),
                revision,
                cause,
                limits=limits,
                watcher=watcher,
                observer=observer,
                tally=tally,
            )
            try:
                with working_session(url, limits, lock=lock, attach=conductor.attach) as session:
                    step_of(session, directory, revision, cause=cause, conductor=conductor)
            except (DBAPIError, psycopg.Error, GaveWayError, PendingRollbackError) as raised:
                error = _cause(raised)
                _explain_timeout(error, url, revision, tally, limits)
                if not _worth_another_attempt(error, tally):
                    raise error from None
                if tally.attempt >= limits.attempts:
                    raise _in_vain(url, revision, tally) from None
                _pause(observer, revision, tally, sleep)
            else:
                return RevisionRun(
                    tally.attempt, tuple(tally.records), tally.gave_way, tally.queue_seconds
                )


def _pause(observer: Observer, revision: str, tally: Tally, sleep: Callable[[float], None]) -> None:
    seconds = pause_before(tally.attempt + 1, random.random())  # noqa: S311 - no secret
    why = "" if tally.last is None else listed(tally.last[1].blockers)
    observer.retries(revision, tally.attempt + 1, seconds, why)
    sleep(seconds)


def _cause(error: Exception) -> Exception:
    """Return the lost connection that leaving an autocommit block has only complained about."""
    found: BaseException | None = error
    while isinstance(found, PendingRollbackError):
        found = found.__context__
    return found if isinstance(found, Exception) else error


def _state(error: Exception) -> str | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    return cause.sqlstate if isinstance(cause, psycopg.Error) else None


def _worth_another_attempt(error: Exception, tally: Tally) -> bool:
    if isinstance(error, GaveWayError) or _state(error) in _WORTH_ANOTHER_ATTEMPT:
        return True
    return _state(error) == _CANCELLED and tally.last is not None and tally.last[1].gave_way


def _explain_timeout(
    error: Exception, url: DatabaseUrl, revision: str, tally: Tally, limits: Limits
) -> None:
    """Say which limit ended a statement that ran for too long."""
    if _state(error) != _CANCELLED or tally.last is None or tally.last[1].gave_way:
        return
    underway = tally.last[0]
    name = "long_statement_timeout_seconds" if underway.online else "statement_timeout_seconds"
    limit = getattr(limits, name)
    if time.monotonic() - tally.began < limit:
        return  # somebody cancelled it
    raise PostgresError(
        f"{url.address()}: statement {underway.number} of {revision} ran for longer than the "
        f"{limit:g} s of {name}: {underway.sql[:_SHOWN_SQL]}",
        hint=f"Let it stop nobody (see docs/reference/migrating.md), or raise {name}.",
    ) from None


def _in_vain(url: DatabaseUrl, revision: str, tally: Tally) -> LockNotAvailable:
    if tally.last is None:
        return LockNotAvailable(
            f"{url.address()}: {revision} did not get its locks in {tally.attempt} attempts",
            hint="Somebody else holds them: look for long transactions, then run it again.",
        )
    underway, sight = tally.last
    behind = listed(sight.blockers) or "somebody who was gone before it could be named"
    return LockNotAvailable(
        f"{url.address()}: statement {underway.number} of {revision} did not get its locks in "
        f"{tally.attempt} attempts; it waited for {behind}. The statement: "
        f"{underway.sql[:_SHOWN_SQL]}",
        hint="Let that finish, or end it with SELECT pg_terminate_backend(pid), then run this "
        "again.",
    )
