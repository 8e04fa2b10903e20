"""Carrying a reset out: make, migrate, fill, swap, drop."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import psycopg

from bounty_ops.errors import BountyOpsError, MigrationError, RestoreError
from bounty_ops.journal.ids import new_id
from bounty_ops.migrating.apply import apply_migration
from bounty_ops.migrating.plan import plan_migration
from bounty_ops.migrating.reset import NO_BACKUP, ResetPlan, plan_reset, require_permission
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.relations import query
from bounty_ops.restore import beside, swap
from bounty_ops.restore.face import Face, put_face, read_face
from bounty_ops.restore.target import maintenance_connection
from bounty_ops.seeding import seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl, Environment
    from bounty_ops.restore.beside import Beside
    from bounty_ops.seeding import SeedResult

    Connection = psycopg.Connection[TupleRow]

_APPLICATION: Final = "bounty-ops reset"


@dataclass(frozen=True)
class Reset:
    """What a reset has done."""

    revision: str
    seeded: SeedResult | None
    """None: the tables are empty, or an earlier reset's data was put in its place."""
    finished: bool
    """Whether an earlier reset was brought to its end instead."""
    seconds: float
    notes: tuple[str, ...]
    """What the new database lacks of the old one's, or what was left behind."""


def reset(
    plan: ResetPlan,
    environment: Environment,
    *,
    operator: str,
    digest: str | None,
    progress: Callable[[int], None] | None = None,
) -> Reset:
    """Delete what the plan shows, and make the database anew: at the newest revision, and filled.

    Args:
        plan: made for this environment.
        environment: whose database.
        operator: who does it, as the database's own bookkeeping has it.
        digest: of the plan, from somebody who has read it; None: nobody has. Sessions of the
            database are ended only with it.
        progress: is told how many rows were sent.

    Raises:
        UsageError: what is deleted was not agreed to, and what `plan_reset` raises.
        MigrationError: the database is no longer what was shown, or somebody remains connected;
            it is as before.
        SeedingError, PostgresError: it could not be made; the old one is as before.
    """
    require_permission(plan, digest)
    started, url = time.monotonic(), environment.require_url()
    with (
        maintenance_connection(url, plan.state.maintenance) as connection,
        swap.alone(connection, url.database),
    ):
        now = plan_reset(environment, rows=plan.rows, seed=plan.seed)
        require_permission(now, plan.digest if digest is None else digest)
        if now.unfinished is not None:
            notes = _finish(connection, now, now.unfinished)
            return Reset(now.head, None, True, time.monotonic() - started, notes)
        seeded, notes = _anew(
            connection, now, environment, operator=operator, digest=digest, progress=progress
        )
    return Reset(now.head, seeded, False, time.monotonic() - started, notes)


def _anew(
    connection: Connection,
    plan: ResetPlan,
    environment: Environment,
    *,
    operator: str,
    digest: str | None,
    progress: Callable[[int], None] | None,
) -> tuple[SeedResult | None, tuple[str, ...]]:
    url, run = environment.require_url(), new_id(datetime.now(UTC))
    copy = beside.Beside(
        name=beside.copy_name(plan.database, run),
        target=plan.database,
        stage="filling",
        backup_id=NO_BACKUP,
        digest=plan.digest,
        old_name=beside.old_name(plan.database, run),
    )
    for left in plan.state.beside:
        beside.drop_copy(connection, left.name)
    exists = plan.state.exists
    with _removed_on_failure(connection, copy):
        notes = beside.make_copy(connection, copy, _about(url) if exists else {})
        made = replace(environment, url=url.with_database(copy.name))
        apply_migration(plan_migration(made), made, operator=operator)
        seeded = None
        if plan.rows is not None:
            seeded = seed(made, rows=plan.rows, seed=plan.seed, progress=progress)
        face = Face(plan.state.user, None, -1, None, ())
        if exists:
            face = read_face(connection, plan.database)
        notes += put_face(connection, copy.name, face)
        copy = replace(copy, comment=face.comment)
        _swap(connection, copy, plan, end_sessions=digest is not None)
    return seeded, notes + (_drop_old(connection, copy) if exists else ())


def _about(url: DatabaseUrl) -> dict[str, Any]:
    """Encoding and locale of the database, among others: the new one is to sort alike."""
    with connect(url, application_name=_APPLICATION, read_only=True) as connection:
        row = connection.execute(query("inventory/about_database.sql")).fetchone()
    return dict(row[0]) if row else {}


def _swap(connection: Connection, copy: Beside, plan: ResetPlan, *, end_sessions: bool) -> None:
    try:
        swap.swap(connection, copy, exists=plan.state.exists, end_sessions=end_sessions)
    except RestoreError as error:
        raise MigrationError(
            f"{error}; {plan.target} is as it was",
            hint="Stop what connects to it again and again, then repeat the reset.",
        ) from error


def _finish(connection: Connection, plan: ResetPlan, copy: Beside) -> tuple[str, ...]:
    if swap.finish(connection, copy):
        return _drop_old(connection, copy)
    raise MigrationError(
        f"a reset that was broken off before its last step is undone; {plan.target} is as it was",
        hint=f"Look again: bounty-ops db reset -e {plan.environment}",
    )


def _drop_old(connection: Connection, copy: Beside) -> tuple[str, ...]:
    try:
        beside.drop_copy(connection, copy.old_name)
    except psycopg.Error as error:
        return (f"the old database is left as {copy.old_name}: {error.diag.message_primary}",)
    return ()


@contextmanager
def _removed_on_failure(connection: Connection, copy: Beside) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        try:
            there = beside.databases_beside(connection, copy.target)
            if any(one.name == copy.name and one.stage != "swapping" for one in there):
                beside.drop_copy(connection, copy.name)
        except (psycopg.Error, BountyOpsError):  # the first error is the one to tell
            error.add_note(f"{copy.name} was left; the next reset removes it")
        raise
