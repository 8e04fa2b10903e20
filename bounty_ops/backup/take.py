"""Carrying a backup out: lock, snapshot, dump into the bucket, and the manifest last of all.

Order is everything here. The archive is not visible before CompleteMultipartUpload, and that is
not asked for before pg_dump has ended well, every table is fingerprinted, and no definition has
changed meanwhile. A backup exists when its manifest does, and that is written after all else.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg

from bounty_ops.backup.compression import usable_compression
from bounty_ops.backup.content import ContentReader
from bounty_ops.backup.dump import dump_arguments, dump_programs
from bounty_ops.backup.objects import dump_objects, large_tables
from bounty_ops.backup.publishing import (
    lay_recover_beside,
    lock_objects,
    publish,
    sweep,
)
from bounty_ops.backup.sending import NothingCame, Sending, Stopped
from bounty_ops.backup.sentinel import Sentinel
from bounty_ops.errors import BackupError
from bounty_ops.journal.records import Encryption, Manifest, SequenceRecord
from bounty_ops.postgres.inventory import VERSION as INVENTORY_VERSION
from bounty_ops.postgres.sequences import SequenceState, read_sequences
from bounty_ops.postgres.snapshot import locked_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.backup.plan import BackupPlan
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import ObjectRecord, TableRecord
    from bounty_ops.postgres.inventory import Inventory
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.postgres.snapshot import LockedSnapshot

logger = logging.getLogger(__name__)

_REVISION_TABLE: Final = ("bounty_ops", "alembic_version")


class _Again(Exception):  # noqa: N818 - not an error: this attempt is worth another one
    """The database was in motion; a fresh snapshot will do."""


@dataclass(frozen=True)
class _Job:
    """What one call of `take_backup` is about."""

    plan: BackupPlan
    url: DatabaseUrl
    journal: Journal
    progress: Callable[[int], None]
    started: float


@dataclass(frozen=True)
class _Facts:
    """What is asked once the snapshot stands, before the dump begins."""

    sequences: tuple[SequenceState, ...]
    revision: str | None
    lsn: str | None


@dataclass(frozen=True)
class _Dumped:
    """What an attempt that went well has to show."""

    objects: tuple[ObjectRecord, ...]
    tables: tuple[TableRecord, ...]
    inventory: Inventory


def take_backup(
    plan: BackupPlan,
    url: DatabaseUrl,
    journal: Journal,
    *,
    progress: Callable[[int], None] | None = None,
) -> Manifest:
    """Carry out a plan and return the manifest that was written.

    Whatever goes wrong, Ctrl-C included, nothing of the backup is visible afterwards and no
    session stays on the server. Two backups of one database exclude each other.

    Args:
        plan: what to do.
        url: the database that the plan is about.
        journal: where the manifest goes; the archive goes into its store.
        progress: called with the bytes of all objects so far, from other threads.

    Raises:
        BackupError: it cannot be done this way, or the database did not hold still.
        PostgresError: the server or pg_dump said no.
        ObjectStoreError: the bucket said no.
        JournalError: the manifest could not be written.
    """
    if url.address() != plan.address:
        raise ValueError(f"the plan is about {plan.address}, not {url.address()}")
    journal.store.check()  # before anything is locked
    job = _Job(plan, url, journal, progress or _ignore, time.monotonic())
    reason = ""
    for _ in range(plan.lock_attempts):
        try:
            return _attempt(job)
        except _Again as motion:
            reason = str(motion)
            logger.warning("the backup %s begins again: %s", plan.id, reason)
    raise BackupError(
        f"{plan.address} did not hold still in {plan.lock_attempts} attempts: {reason}",
        hint="Back up when no migration runs, or raise lock_attempts in bounty_ops.toml.",
    )


def _attempt(job: _Job) -> Manifest:
    plan = job.plan
    with locked_snapshot(
        job.url, lock_timeout_seconds=plan.lock_timeout_seconds, lock_attempts=plan.lock_attempts
    ) as snapshot:
        programs = dump_programs(snapshot.facts.major)
        compression = usable_compression(programs, plan.compression)
        facts = _facts(snapshot)
        dumped = _dump(job, snapshot, programs, compression)
        manifest = Manifest(
            id=plan.id,
            environment=plan.environment,
            database=snapshot.facts.database,
            taken_at=snapshot.taken_at,
            finished_at=datetime.now(UTC),
            seconds=round(time.monotonic() - job.started, 3),
            taken_by=plan.taken_by,
            server_version=snapshot.facts.version,
            client_version=programs.version,
            server_major=snapshot.facts.major,
            revision=facts.revision,
            lsn=facts.lsn,
            database_bytes=snapshot.facts.size_bytes,
            compression=compression,
            retention_class=plan.retention_class,
            encryption=Encryption(recipients=plan.encrypt_to) if plan.encrypt_to else None,
            object_lock=plan.object_lock,
            compare=plan.compare,
            objects=dumped.objects,
            tables=dumped.tables,
            sequences=tuple(_sequence(one) for one in facts.sequences),
            inventory=dumped.inventory,
            inventory_version=INVENTORY_VERSION,
        )
        publish(job.journal, manifest, before=snapshot.release_tables)
        sweep(job.journal, plan.environment)
    lay_recover_beside(job.journal)
    lock_objects(job.journal, manifest)
    return manifest


def _facts(snapshot: LockedSnapshot) -> _Facts:
    """Sequences first: pg_dump reads them later, so the archive's values are at least these."""
    connection = snapshot.connection
    sequences = read_sequences(connection)
    revision = None
    if any((one.schema, one.name) == _REVISION_TABLE for one in snapshot.relations):
        rows = connection.execute(
            "SELECT version_num FROM bounty_ops.alembic_version ORDER BY 1"
        ).fetchall()
        revision = ",".join(str(row[0]) for row in rows) or None
    lsn = None
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege), connection.transaction():
        row = connection.execute("SELECT pg_catalog.pg_current_wal_lsn()::text").fetchone()
        lsn = str(row[0]) if row else None
    return _Facts(sequences, revision, lsn)


def _dump(job: _Job, snapshot: LockedSnapshot, programs: Programs, compression: str) -> _Dumped:
    plan = job.plan
    sending = Sending(
        job.journal.store,
        programs,
        job.url,
        arguments=dump_arguments(
            programs,
            snapshot=snapshot.id,
            compression=compression,
            lock_timeout_seconds=plan.lock_timeout_seconds,
        ),
        recipients=plan.encrypt_to,
        progress=job.progress,
        jobs=plan.shard_jobs,
    )
    large = large_tables(
        snapshot.connection, snapshot.relations, above_bytes=plan.shard_above_bytes
    )
    with (
        ContentReader(snapshot, compare=plan.compare, on_failure=sending.stop) as content,
        Sentinel(
            snapshot, after_seconds=plan.give_way_after_seconds, give_way=sending.stop
        ) as sentinel,
    ):

        def agreed() -> None:
            content.result(sending.check)
            changed = content.changed_since()
            if changed:
                raise _Again(f"definitions changed meanwhile, such as {changed[0]}")

        try:
            objects = sending.send_all(dump_objects(plan, large), before_complete=agreed)
        except (Stopped, NothingCame) as end:
            content.check()  # if that failed, it has stopped the rest
            raise _why(end, sentinel, snapshot) from end.__cause__
        tables, inventory = content.result()
    return _Dumped(objects, tables, inventory)


def _why(end: Stopped | NothingCame, sentinel: Sentinel, snapshot: LockedSnapshot) -> BaseException:
    """What to raise for an attempt that was given up, or never began."""
    if sentinel.gave_way:
        return _Again("it gave way to a session that waited for a lock behind it")
    if snapshot.somebody_waits():
        return _Again("a session that waits for a lock got in the way")
    return end.__cause__ or end


def _sequence(one: SequenceState) -> SequenceRecord:
    return SequenceRecord(schema_name=one.schema, name=one.name, last_value=one.last_value)


def _ignore(_done: int) -> None:
    """Nobody looks."""
