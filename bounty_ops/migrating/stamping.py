"""Writing down that a database has a revision, when something else has made it so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import MigrationError
from bounty_ops.migrating.apply import locked
from bounty_ops.migrating.attempt import Attempt, recorded
from bounty_ops.migrating.errors import UnknownRevisionError
from bounty_ops.migrating.facts import read_facts
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.lock import WAIT_SECONDS
from bounty_ops.migrating.permit import Permit
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.runner import stamp_as
from bounty_ops.migrating.running.limits import Limits
from bounty_ops.migrating.running.observer import Observer
from bounty_ops.migrating.running.session import working_session
from bounty_ops.postgres.connect import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import Environment
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage

_NO_PERMIT: Final = Permit()


def stamp(
    environment: Environment,
    revision: str,
    *,
    operator: str,
    digest: str = "",
    permit: Permit = _NO_PERMIT,
    record: Callable[[MigrationEvidence], None] | None = None,
    check: Callable[[], None] = lambda: None,
    wait_seconds: float = WAIT_SECONDS,
    lineage: Lineage = BOUNTY,
) -> MigrationEvidence:
    """Record that the database is at ``revision``; nothing else in it is changed.

    Every revision up to that one counts as applied, with its file as it is here. The caller
    answers for the likeness: ``check`` is called under the lock and raises if it is not there.

    Raises UnknownRevisionError, LockHeldError, PostgresError, MigrationError, and what ``check``
    raises.
    """
    url = environment.require_url()
    known = [each.id for each in revisions_of(lineage).order]
    if revision not in known:
        raise UnknownRevisionError(
            f"there is no revision {revision}; the newest one here is {known[-1]}",
            hint="Name one of: " + ", ".join(known),
        )
    attempt = Attempt(
        environment,
        lineage,
        operator=operator,
        permit=permit,
        digest=digest,
        target=url.address(),
        observer=Observer(),
        direction="stamp",
    )
    with recorded(attempt, record), locked(url, wait_seconds) as lock:
        attempt.found = read_facts(url, lineage).revision
        attempt.look_at_schema()
        check()
        with (
            translated(url),
            working_session(url, Limits.of(environment.policy), lock=lock) as session,
        ):
            stamp_as(session, lineage.directory(), revision, cause=attempt.cause)
        found = read_facts(url, lineage).revision
        if found != revision:
            raise MigrationError(
                f"{url.address()} is at {found or 'no revision'} although it was to be recorded "
                f"as {revision}",
                hint="Look into bounty_ops.alembic_version of that database.",
            )
        attempt.stamped(tuple(known[: known.index(revision) + 1]))
    return attempt.evidence
