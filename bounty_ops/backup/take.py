"""Carrying a backup out: lock, snapshot, dump into the bucket, and the manifest last of all.

Order is everything here. Nothing is visible before CompleteMultipartUpload, and that is not asked
for before pg_dump has ended well, every table is fingerprinted, and no definition has changed
meanwhile. A backup exists when its manifest does, and that is written after all else.
"""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, Final, cast

import psycopg

from bounty_ops.backup.compression import usable_compression
from bounty_ops.backup.content import ContentReader
from bounty_ops.backup.dump import CountedStream, dump_arguments, dump_programs, dump_url
from bounty_ops.errors import BackupError, BountyOpsError, ObjectStoreError, ProgramFailed
from bounty_ops.journal import layout
from bounty_ops.journal.records import Manifest, ObjectRecord, SequenceRecord, TableRecord
from bounty_ops.postgres.run import start_program
from bounty_ops.postgres.sequences import SequenceState, read_sequences
from bounty_ops.postgres.snapshot import locked_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from bounty_ops.backup.plan import BackupPlan
    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal import Journal
    from bounty_ops.object_store import StoredObject
    from bounty_ops.postgres.fingerprint import TableFingerprint
    from bounty_ops.postgres.inventory import Inventory
    from bounty_ops.postgres.programs import Programs
    from bounty_ops.postgres.snapshot import LockedSnapshot

logger = logging.getLogger(__name__)

#: Whatever its age, and whatever the store's clock says.
_NOTHING_SPARED: Final = timedelta(days=-2)
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

    archive: StoredObject
    fingerprints: tuple[TableFingerprint, ...]
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
        progress: called with the bytes of the archive so far, from another thread.

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
            objects=(_object(dumped.archive),),
            tables=tuple(_table(one) for one in dumped.fingerprints),
            sequences=tuple(_sequence(one) for one in facts.sequences),
            inventory=dumped.inventory,
        )
        _publish(job.journal, manifest, before=snapshot.release_tables)
        _sweep(job.journal, plan.environment)
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
    arguments = dump_arguments(
        programs,
        snapshot=snapshot.id,
        compression=compression,
        lock_timeout_seconds=job.plan.lock_timeout_seconds,
    )
    with (
        start_program(programs, "pg_dump", arguments, url=dump_url(job.url)) as program,
        ContentReader(snapshot, on_failure=program.kill) as content,
    ):
        stream = CountedStream(program.stdout, check=content.check, progress=job.progress)

        def everything_went_well() -> None:
            try:
                program.wait()
            except ProgramFailed as failure:
                content.check()  # if that failed, it has killed pg_dump
                if not stream.count and snapshot.somebody_waits():
                    raise _Again("a session that waits for a lock got in the way") from failure
                raise
            content.result()
            changed = content.changed_since()
            if changed:
                raise _Again(f"definitions changed meanwhile, such as {changed[0]}")

        archive = job.journal.store.upload_stream(
            job.plan.key, cast("BinaryIO", stream), before_complete=everything_went_well
        )
        fingerprints, inventory = content.result()
    return _Dumped(archive, fingerprints, inventory)


def _publish(journal: Journal, manifest: Manifest, *, before: Callable[[], None]) -> None:
    """Write the manifest; if that fails, take the archive away, which is no backup without it."""
    try:
        before()
        journal.write_manifest(manifest)
    except BaseException as error:
        key = layout.manifest_key(manifest.environment, manifest.id)
        try:
            # Its answer may have been lost. An archive that a manifest names must stay.
            if journal.store.head(key) is None:
                journal.store.delete(manifest.archive.key)
        except ObjectStoreError as left:
            error.add_note(f"{manifest.archive.key} may be left in the bucket: {left}")
        raise


def _sweep(journal: Journal, environment: str) -> None:
    """Remove what dead backups left. Under the advisory lock no other one of this database runs.

    Unfinished uploads go whatever their age. An archive without a manifest is spared for some
    hours: should two databases wrongly share one environment's name, the other's archive may be
    waiting for its manifest at this very moment.
    """
    now = datetime.now(UTC)
    try:
        found = journal.abandoned(environment, now=now, spared=_NOTHING_SPARED)
        for upload in found.uploads:
            logger.warning("removing the unfinished upload of %s", upload.key)
            journal.store.abort_upload(upload)
        journal.clear_abandoned(environment, now=now)
    except BountyOpsError as error:  # this backup is whole; the next one sweeps again
        logger.warning("what dead backups left could not be removed: %s", error)


def _object(archive: StoredObject) -> ObjectRecord:
    return ObjectRecord(key=archive.key, size_bytes=archive.size_bytes, sha256=archive.sha256)


def _table(one: TableFingerprint) -> TableRecord:
    return TableRecord(
        schema_name=one.schema, name=one.name, rows=one.rows, fingerprint=one.fingerprint
    )


def _sequence(one: SequenceState) -> SequenceRecord:
    return SequenceRecord(schema_name=one.schema, name=one.name, last_value=one.last_value)


def _ignore(_done: int) -> None:
    """Nobody looks."""
