"""Bringing an archive that somebody else made into the bucket.

Nobody fingerprinted its source, so nothing can ever prove that it equals that source: its manifest
says so (`compare` is `nothing`). What can be known is known: it restored here, once, into a
throw-away server, and the copy's tables, sequences and inventory are recorded, as the copy's. So a
later verification shows whether it still restores to the same. An archive that does not restore
is not taken in.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO, cast

from bounty_ops.backup.dump import CountedStream
from bounty_ops.backup.encryption import EncryptedStream, require_recipients
from bounty_ops.backup.plan import wanted_lock
from bounty_ops.backup.publishing import lock_objects, publish
from bounty_ops.errors import ProgramFailed, ProgramNotFound, RestoreError, UsageError
from bounty_ops.journal import layout, new_id
from bounty_ops.journal.importing import import_announced
from bounty_ops.journal.records import (
    Encryption,
    Imported,
    Manifest,
    ObjectRecord,
    SequenceRecord,
    TableRecord,
)
from bounty_ops.postgres.inventory import VERSION
from bounty_ops.postgres.programs import Programs, installed_programs
from bounty_ops.postgres.run import run_program
from bounty_ops.restore.archive_header import (
    ArchiveHeader,
    read_header,
    require_custom_format,
)
from bounty_ops.restore.foreign import restore_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bounty_ops.environments import Policy
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import ObjectLock


@dataclass(frozen=True)
class ArchiveImport:
    """What is going to be imported; nothing has been stored yet."""

    path: Path
    header: ArchiveHeader
    programs: Programs
    environment: str
    taken_at: datetime
    encrypt_to: tuple[str, ...]
    object_lock: ObjectLock | None


def plan_import(
    path: Path, environment: str, policy: Policy, *, now: datetime, taken_at: datetime | None
) -> ArchiveImport:
    """Look at an archive, and find the programs that can restore it.

    Args:
        path: of the file.
        environment: whose backups it joins.
        policy: says whether it is encrypted and locked, as a backup would be.
        now: the time; nothing was taken later.
        taken_at: when it was taken, if somebody knows better than the archive's own clock.

    Raises:
        UsageError: it is no archive in custom format.
        RestoreError: pg_restore cannot read it.
        ProgramNotFound: nothing here restores it.
        ConfigurationError: a public key in the policy is none.
    """
    require_recipients(policy.encrypt_to)
    require_custom_format(path)
    installed = installed_programs()
    if not installed:
        raise ProgramNotFound(
            "there are no PostgreSQL programs here", hint="Install PostgreSQL's server packages."
        )
    try:
        header = read_header(run_program(installed[0], "pg_restore", ["--list", str(path)]))
    except ValueError as error:
        raise UsageError(f"{path}: {error}", hint="Dump it again with a newer pg_dump.") from None
    except ProgramFailed as error:
        raise RestoreError(
            f"{path} cannot be read: {error}",
            hint=f"It is damaged, or a pg_dump newer than {installed[0].version} wrote it: then "
            "install that version's programs.",
        ) from None
    return ArchiveImport(
        path=path,
        header=header,
        programs=_programs(header),
        environment=environment,
        taken_at=min(taken_at or header.created_at, now),
        encrypt_to=policy.encrypt_to,
        object_lock=wanted_lock(policy, now),
    )


def _programs(header: ArchiveHeader) -> Programs:
    """Of pg_dump's own major, whatever the server's was, else the next newer there is."""
    able = [
        one for one in installed_programs() if one.has_server and one.major >= header.client_major
    ]
    if not able:
        raise ProgramNotFound(
            f"pg_dump {header.client_version} wrote the archive, and no server of PostgreSQL "
            f"{header.client_major} or newer is here to restore it into",
            hint=f"Install one (Debian: postgresql-{header.client_major}), or point "
            "BOUNTY_OPS_POSTGRESQL_DIR at one.",
        )
    return min(able, key=lambda one: one.major)


def import_archive(
    plan: ArchiveImport,
    journal: Journal,
    *,
    work_dir: Path,
    imported_by: str,
    progress: Callable[[int], None],
) -> Manifest:
    """Restore the archive once, store it, and write its manifest.

    Whatever goes wrong, nothing of it is visible in the bucket.

    Raises:
        RestoreError: it does not restore.
        PostgresError: the throw-away server failed.
        ObjectStoreError: the bucket said no.
        JournalError: the manifest could not be written.
        BackupError: it was imported, but the store does not lock it as the policy wants.
    """
    started = time.monotonic()
    journal.store.check()
    before = _state(plan.path)
    observed, revision = restore_once(
        plan.path, plan.header, plan.programs, environment=plan.environment, work_dir=work_dir
    )
    backup_id = new_id(plan.taken_at)
    with import_announced(journal.store, plan.environment, backup_id):
        record = _store(plan, journal, backup_id, progress, before)
    now = datetime.now(UTC)
    manifest = Manifest(
        id=backup_id,
        environment=plan.environment,
        database=plan.header.database,
        taken_at=plan.taken_at,
        finished_at=now,
        seconds=round(time.monotonic() - started, 3),
        taken_by=f"imported by {imported_by}",
        server_version=plan.header.server_version,
        client_version=plan.header.client_version,
        server_major=plan.programs.major,
        revision=revision,
        imported=Imported(file_name=plan.path.name, imported_at=now, imported_by=imported_by),
        compression=plan.header.compression,
        encryption=Encryption(recipients=plan.encrypt_to) if plan.encrypt_to else None,
        object_lock=plan.object_lock,
        compare="nothing",
        objects=(record,),
        tables=tuple(
            TableRecord(schema_name=one.schema, name=one.name, rows=one.rows)
            for one in observed.tables
        ),
        sequences=tuple(
            SequenceRecord(schema_name=one.schema, name=one.name, last_value=one.last_value)
            for one in observed.sequences
        ),
        inventory={name: list(lines) for name, lines in observed.inventory.items()},
        inventory_version=VERSION,
    )
    publish(journal, manifest, before=_ready)
    lock_objects(journal, manifest)
    return manifest


def _store(
    plan: ArchiveImport,
    journal: Journal,
    backup_id: str,
    progress: Callable[[int], None],
    before: tuple[int, int, int],
) -> ObjectRecord:
    def unchanged() -> None:
        if _state(plan.path) != before:
            raise RestoreError(
                f"{plan.path} changed while it was imported",
                hint="Something still writes to it; import it once that has ended.",
            )

    key = layout.archive_key(plan.environment, backup_id, encrypted=bool(plan.encrypt_to))
    with plan.path.open("rb") as file:
        counted = CountedStream(file, check=_ready, progress=progress)
        if plan.encrypt_to:
            with EncryptedStream(counted, plan.encrypt_to) as encrypted:
                source = cast("BinaryIO", encrypted)
                stored = journal.store.upload_stream(key, source, before_complete=unchanged)
        else:
            source = cast("BinaryIO", counted)
            stored = journal.store.upload_stream(key, source, before_complete=unchanged)
    return ObjectRecord(key=stored.key, size_bytes=stored.size_bytes, sha256=stored.sha256)


def _state(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes to a file."""
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _ready() -> None:
    """Nothing has to be waited for."""
