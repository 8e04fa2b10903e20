"""Carrying a restore out: beside the target, compared, and only then in its place.

Nothing of the target is touched before the copy is whole and equal to the manifest. Whatever goes
wrong before that, Ctrl-C and SIGKILL included, leaves at most a copy under a name of ours, which
the next restore into the same target removes.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bounty_ops.errors import RestoreError
from bounty_ops.journal import new_id
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.restore import beside, loading, swap
from bounty_ops.restore.face import Face, put_face, read_face, recorded_face, why_not_owner
from bounty_ops.restore.fetching import Archives, fetched
from bounty_ops.restore.filling import analyze, filled, load_and_compare
from bounty_ops.restore.outcome import Watching
from bounty_ops.restore.plan import require_permission
from bounty_ops.restore.recording import Order, recorded
from bounty_ops.restore.roles import make_roles
from bounty_ops.restore.target import APPLICATION_NAME, maintenance_connection
from bounty_ops.restore.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest
    from bounty_ops.restore.comparing import Comparison
    from bounty_ops.restore.outcome import Restored, Treatment
    from bounty_ops.restore.plan import RestorePlan
    from bounty_ops.restore.target import Target

    Connection = psycopg.Connection[TupleRow]

logger = logging.getLogger(__name__)


def restore_backup(
    plan: RestorePlan,
    target: Target,
    manifest: Manifest,
    journal: Journal,
    *,
    operator: str,
    digest: str | None,
    work_dir: Path,
    identities: Sequence[str] = (),
    watching: Watching | None = None,
) -> Restored:
    """Carry out a plan, and leave a record of it in the bucket.

    Args:
        plan: made a moment ago, for this target and backup.
        target: where to.
        manifest: of the backup.
        journal: where it lies.
        operator: who does it, for the record.
        digest: what somebody gave who has read the plan; None: nobody.
        work_dir: with room for the archives.
        identities: private keys of age, for an encrypted backup.
        watching: who wants to know how far it is.

    Raises:
        UsageError: the plan asks for its digest, or for roles.
        RestoreError: it could not be done, or the copy differs; the target is as before.
        PostgresError: the server said no; the target is as before.
        ObjectStoreError: the bucket said no; nothing was changed.
    """
    require_permission(plan, digest)
    order = Order("restore", operator, digest_given=digest is not None)

    def restoring() -> Restored:
        return carry_out(
            plan,
            target,
            manifest,
            journal,
            digest=digest,
            work_dir=work_dir,
            identities=identities,
            watching=watching,
        )

    return recorded(plan, target, journal, order, restoring)


def carry_out(
    plan: RestorePlan,
    target: Target,
    manifest: Manifest,
    journal: Journal,
    *,
    digest: str | None,
    work_dir: Path,
    identities: Sequence[str] = (),
    watching: Watching | None = None,
    treatment: Treatment | None = None,
) -> Restored:
    """As `restore_backup`, without a record, and with what is done to the copy before it goes."""
    require_permission(plan, digest)
    now = datetime.now(UTC)
    work = Work(
        plan, target, manifest, journal, identities, work_dir, watching or Watching(), treatment,
        find_programs(plan.state.major), new_id(now), time.monotonic(), list(plan.notes),
    )  # fmt: skip
    if plan.way == "in place":
        return _in_place(work)
    with (
        maintenance_connection(target.url, plan.state.maintenance) as connection,
        swap.alone(connection, target.url.database),
    ):
        _require_unchanged(work, connection)
        if plan.unfinished is not None:
            return _finish(work, connection, plan.unfinished)
        return _beside(work, connection, end_sessions=digest is not None)


def _require_unchanged(work: Work, connection: Connection) -> None:
    """Alone now: whatever another restore did since the plan would be undone unseen."""
    row = connection.execute(
        "SELECT oid FROM pg_catalog.pg_database WHERE datname = %s", [work.plan.database]
    ).fetchone()
    if (row[0] if row else None) != work.plan.state.oid:
        raise RestoreError(
            f"{work.plan.address} was replaced since the plan; nothing was changed",
            hint="Read the plan again.",
        )


def _finish(work: Work, connection: Connection, copy: beside.Beside) -> Restored:
    finished = swap.finish(connection, copy)
    old = copy.old_name if finished and _exists(connection, copy.old_name) else None
    if finished:
        told = [f"a swap that was broken off is finished: it restored backup {copy.backup_id}"]
    else:
        told = ["a swap that was broken off before it began is undone: nothing was restored"]
    asked = finished and copy.backup_id == work.plan.backup_id and work.treatment is None
    if not asked:
        told.append("run the same command again for what it asks for")
    return work.outcome(None, old, told, done=asked)


def _exists(connection: Connection, database: str) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = %s)", [database]
    ).fetchone()
    return bool(row and row[0])


def _beside(work: Work, connection: Connection, *, end_sessions: bool) -> Restored:
    plan = work.plan
    copy = beside.Beside(
        name=beside.copy_name(plan.database, work.run_id),
        target=plan.database,
        stage="filling",
        backup_id=plan.backup_id,
        digest=plan.digest,
        old_name=beside.old_name(plan.database, work.run_id),
    )
    for left in beside.databases_beside(connection, plan.database):
        logger.warning("removing %s, which a restore that ended early left", left.name)
        beside.drop_copy(connection, left.name)
    if plan.wishes.create_roles:
        make_roles(connection, work.manifest, plan.missing_roles)
    with _archives(work) as archives, _removed_on_failure(connection, copy) as kept:
        comparison = filled(work, connection, copy, archives)
        if comparison.grave:
            beside.stamp(connection, replace(copy, stage="differs"))
            kept.append(copy.name)
            return _differing(work, copy, comparison)
        url = work.target.url.with_database(copy.name)
        if work.treatment is not None:
            work.notes += work.treatment.carry_out(url)
        work.watching.step("collecting statistics for the planner")
        analyze(url)
        face = _face(work, connection)
        work.notes += put_face(connection, copy.name, face)
        work.watching.step(f"swapping {copy.name} and {copy.target}")
        exists = plan.state.exists
        finished = replace(copy, comment=face.comment)
        swap.swap(connection, finished, exists=exists, end_sessions=end_sessions)
        kept.append(copy.name)
    return work.outcome(comparison, copy.old_name if exists else None)


@contextmanager
def _archives(work: Work) -> Iterator[Archives]:
    """The archives on this machine's disk, for the length of the block."""
    work.watching.step("fetching the archives")
    begun = time.monotonic()
    with fetched(
        work.manifest, work.journal.store, work.work_dir,
        identities=work.identities, progress=work.watching.fetched,
    ) as archives:  # fmt: skip
        work.fetch_seconds = time.monotonic() - begun
        yield archives


@contextmanager
def _removed_on_failure(connection: Connection, copy: beside.Beside) -> Iterator[list[str]]:
    """Remove the copy at the end of the block, unless its name was put on the list."""
    kept: list[str] = []
    try:
        yield kept
    except BaseException as error:
        if not kept:
            try:
                _drop_unless_swapping(connection, copy)
            except Exception as left:  # noqa: BLE001 - the first error is the one to tell
                error.add_note(f"{copy.name} was left; the next restore removes it: {left}")
        raise


def _drop_unless_swapping(connection: Connection, copy: beside.Beside) -> None:
    beside_it = beside.databases_beside(connection, copy.target)
    there = [one for one in beside_it if one.name == copy.name]
    if there and there[0].stage != "swapping":  # that is what the next run goes on with
        beside.drop_copy(connection, copy.name)


def _in_place(work: Work) -> Restored:
    plan, url = work.plan, work.target.url
    if plan.wishes.create_roles:
        with connect(url, application_name=APPLICATION_NAME) as connection:
            make_roles(connection, work.manifest, plan.missing_roles)
    with _archives(work) as archives:
        # All or nothing, where one archive makes that possible.
        manner = loading.Manner(single_transaction=not archives.shards)
        comparison = load_and_compare(work, url, archives, manner)
    if work.treatment is None and not comparison.grave:
        analyze(url)
    return work.outcome(comparison, None)


def _differing(work: Work, copy: beside.Beside, comparison: Comparison) -> Restored:
    work.notes.append(
        f"the restored copy differs, so {copy.target} was not touched; it stands as {copy.name} "
        "until the next restore, to be looked at or renamed by hand"
    )
    return work.outcome(comparison, None)


def _face(work: Work, connection: Connection) -> Face:
    """What the database is going to be like, apart from its content."""
    state, comment = work.plan.state, work.about.get("comment")
    if work.treatment is not None:  # it is no second production: nothing of the source's is its own
        made_anew = Face(state.user, None, -1, None, ())
        face = read_face(connection, work.plan.database) if state.exists else made_anew
        return replace(face, comment=work.treatment.comment)
    if state.exists:
        face = read_face(connection, work.plan.database)
        return replace(face, comment=face.comment or comment)
    face = recorded_face(work.about, state.user, no_owner=work.plan.wishes.no_owner)
    why_not = why_not_owner(connection, face.owner)
    if why_not is None:
        return face
    work.notes.append(f"the database belongs to {state.user} instead of {face.owner}: {why_not}")
    return replace(face, owner=state.user)
