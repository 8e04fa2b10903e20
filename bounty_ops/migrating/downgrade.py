"""Taking migrations back. For development: it destroys the data that they made room for."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.errors import UsageError
from bounty_ops.migrating.apply import locked
from bounty_ops.migrating.attempt import Attempt, recorded
from bounty_ops.migrating.errors import StalePlanError, UnknownRevisionError
from bounty_ops.migrating.facts import read_facts, require_unedited
from bounty_ops.migrating.lineage import BOUNTY
from bounty_ops.migrating.live import schema_fingerprint
from bounty_ops.migrating.lock import WAIT_SECONDS
from bounty_ops.migrating.permit import Permit
from bounty_ops.migrating.revisions import revisions_of
from bounty_ops.migrating.runner import render_downgrade_sql
from bounty_ops.migrating.running.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.environments import Environment
    from bounty_ops.journal.evidence import MigrationEvidence
    from bounty_ops.migrating.lineage import Lineage
    from bounty_ops.migrating.revisions import Revision, Revisions

#: Takes back everything.
BASE: Final = "base"
_NO_PERMIT: Final = Permit()
_NOBODY: Final = Observer()


@dataclass(frozen=True)
class UndoneRevision:
    """A migration that would be taken back."""

    revision: str
    message: str
    sql: str


@dataclass(frozen=True)
class DowngradePlan:
    """What would be taken back, newest first, and a digest that stands for all of it."""

    environment: str
    target: str
    """``host:port/database``"""
    current: str | None
    to: str | None
    """None: no revision is left."""
    undone: tuple[UndoneRevision, ...]
    digest: str


def plan_downgrade(environment: Environment, to: str, lineage: Lineage = BOUNTY) -> DowngradePlan:
    """Plan to go back to a revision, by ``-N`` steps, or to `BASE`; changes nothing.

    Raises UsageError for a protected environment and for a revision that is not behind the
    present one, and what `plan_migration` raises.
    """
    _refuse_protected(environment)
    url = environment.require_url()
    facts, revisions = read_facts(url, lineage), revisions_of(lineage)
    require_unedited(facts, revisions)
    applied = _applied(revisions, facts.revision)
    target = _target(to, applied)
    undone = tuple(
        UndoneRevision(
            each.id,
            each.message,
            render_downgrade_sql(revisions.directory, each.previous, each.id),
        )
        for each in reversed(applied)
        if target is None or _after(applied, target, each)
    )
    basis = {
        "direction": "downgrade",
        "environment": environment.name,
        "target": [facts.address, facts.oid],
        "current": facts.revision,
        "to": target,
        "files": [[each.id, each.sha256] for each in applied],
        "sql": [step.sql for step in undone],
        "schema": schema_fingerprint(url) if lineage is BOUNTY else None,
    }
    digest = hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
    return DowngradePlan(
        environment=environment.name,
        target=facts.address,
        current=facts.revision,
        to=target,
        undone=undone,
        digest=digest,
    )


def apply_downgrade(
    plan: DowngradePlan,
    environment: Environment,
    *,
    operator: str,
    permit: Permit = _NO_PERMIT,
    record: Callable[[MigrationEvidence], None] | None = None,
    observer: Observer = _NOBODY,
    wait_seconds: float = WAIT_SECONDS,
    lineage: Lineage = BOUNTY,
) -> MigrationEvidence:
    """Take back what ``plan`` says and return what happened; `record` as in `apply_migration`.

    Raises UsageError for a protected environment, StalePlanError, LockHeldError,
    LockNotAvailable, PostgresError and MigrationError.
    """
    _refuse_protected(environment)
    attempt = Attempt(
        environment,
        lineage,
        operator=operator,
        permit=permit,
        digest=plan.digest,
        target=plan.target,
        observer=observer,
        direction="downgrade",
    )
    with recorded(attempt, record), locked(environment.require_url(), wait_seconds) as lock:
        fresh = plan_downgrade(environment, plan.to or BASE, lineage)
        attempt.found = fresh.current
        if fresh.digest != plan.digest:
            raise StalePlanError(
                f"{plan.target} is no longer what the plan was made for (planned from "
                f"{plan.current or 'no revision'}, found {fresh.current or 'no revision'})",
                hint="Look at a new plan, then apply that one.",
            )
        if fresh.undone:
            attempt.look_at_schema()
        for step in fresh.undone:
            attempt.run(lock, step.revision)
    return attempt.evidence


def downgrade(environment: Environment, revision: str | None, lineage: Lineage = BOUNTY) -> None:
    """Take back what came after ``revision``, or everything, without a look at it first.

    Raises as `plan_downgrade` and `apply_downgrade` do.
    """
    plan = plan_downgrade(environment, revision or BASE, lineage)
    apply_downgrade(plan, environment, operator="", lineage=lineage)


def _refuse_protected(environment: Environment) -> None:
    if environment.policy.protected:
        raise UsageError(
            f"environment {environment.name} is protected: a downgrade would destroy its data",
            hint="Restore a backup, or write a migration that goes forward.",
        )


def _applied(revisions: Revisions, current: str | None) -> tuple[Revision, ...]:
    if current is None:
        return ()
    ids = [revision.id for revision in revisions.order]
    if current not in ids:
        raise UnknownRevisionError(
            f"there is no revision {current}; the newest one here is {revisions.head}",
            hint="A newer version of bounty-ops has migrated this database: install that version, "
            "or a later one.",
        )
    return revisions.order[: ids.index(current) + 1]


def _target(to: str, applied: tuple[Revision, ...]) -> str | None:
    """Return the revision that is left; None: none is."""
    if to == BASE:
        return None
    ids = [revision.id for revision in applied]
    if to.startswith("-") and to[1:].isdecimal():
        steps = int(to[1:])
        if not 0 < steps <= len(ids):
            raise UsageError(
                f"the database has had {len(ids)} revisions, so {to} is not possible",
                hint=f"At most -{len(ids)}." if ids else "There is nothing to take back.",
            )
        return ids[-steps - 1] if steps < len(ids) else None
    if to not in ids:
        raise UsageError(
            f"the database is not past the revision {to}",
            hint=f"It has had: {', '.join(ids) or 'none'}.",
        )
    return to


def _after(applied: tuple[Revision, ...], target: str, revision: Revision) -> bool:
    ids = [each.id for each in applied]
    return ids.index(revision.id) > ids.index(target)
