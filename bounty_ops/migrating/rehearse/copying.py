"""A copy of a backup in a throw-away server, as much like the live database as a drill can be."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.errors import ProgramNotFound
from bounty_ops.postgres.connect import connect
from bounty_ops.postgres.programs import find_programs
from bounty_ops.postgres.server import server_facts
from bounty_ops.restore.borrowed import borrowed_server
from bounty_ops.restore.fetch import Fetched, fetch_backup
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.restoring import JOBS, restore_archive
from bounty_ops.restore.sandbox import DATABASE, Sandbox, make_sandbox
from bounty_ops.restore.workplace import private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal import Journal
    from bounty_ops.journal.records import Manifest
    from bounty_ops.postgres.programs import Programs

APPLICATION_NAME: Final = "bounty-ops rehearsal"
#: What a migration does depends on them, and a restore does not need them. Without them a
#: rewrite would leave no WAL, and no commit would wait for a disk.
_SERVER: Final = {"wal_level": "replica", "fsync": "on", "full_page_writes": "on"}
_INVALID_INDEXES: Final = "SELECT count(*) FROM pg_catalog.pg_index WHERE NOT indisvalid"


@dataclass(frozen=True)
class Copy:
    """A restored backup."""

    url: DatabaseUrl
    server_version: str


@dataclass(frozen=True)
class Source:
    """What to restore, and with what."""

    manifest: Manifest
    journal: Journal
    work_dir: Path
    identities: tuple[str, ...]
    server: DatabaseUrl | None
    """One that is given for drills; None: a throw-away cluster on this machine."""
    progress: Callable[[int], None]


@contextmanager
def restored_copy(source: Source, settings: Mapping[str, str]) -> Iterator[Copy]:
    """Restore a backup for the length of the block; afterwards nothing of it is left.

    The archives are deleted as soon as they are restored. The server listens on no network, and
    its keeper takes it away with its files when this process dies.

    Args:
        source: what to restore.
        settings: of every session in the copy, such as the live database's time zone.

    Raises:
        Inconclusive: this machine or this server is no place for it.
        Refuted: the backup is not what its manifest says.
        EmbeddedError: the throw-away server cannot be started.
        PostgresError: the server failed.
        ObjectStoreError: the bucket cannot be read.
        OSError: the disk has become full.
    """
    programs = _programs(source)
    with private_directory(source.work_dir) as home:
        fetched = fetch_backup(
            source.manifest,
            source.journal.store,
            home,
            identities=source.identities,
            progress=source.progress,
        )
        with _place(source, programs) as (cluster, database):
            url = _restored(source, programs, fetched, cluster, database)
            _forget(fetched)
            yield Copy(url, _settle(url, settings))


def _programs(source: Source) -> Programs:
    try:
        return find_programs(source.manifest.server_major, server=source.server is None)
    except ProgramNotFound as error:
        raise Inconclusive(f"{error} ({error.hint})") from None


@contextmanager
def _place(source: Source, programs: Programs) -> Iterator[tuple[DatabaseUrl, str]]:
    if source.server is not None:
        with borrowed_server(source.server, source.manifest) as database:
            yield source.server, database
        return
    _require_room(source)
    with throwaway_cluster(programs, work_dir=source.work_dir, settings=_SERVER) as cluster:
        yield cluster, DATABASE


def _require_room(source: Source) -> None:
    needed = source.manifest.database_bytes or 0
    free = shutil.disk_usage(source.work_dir).free
    if free < needed:
        raise Inconclusive(
            f"the database had {needed} bytes, and {source.work_dir} has room for {free}"
        )


def _restored(
    source: Source, programs: Programs, fetched: Fetched, cluster: DatabaseUrl, database: str
) -> DatabaseUrl:
    """Restore in parallel if that goes well, otherwise one entry after the other."""
    for jobs in JOBS[:-1]:
        sandbox = make_sandbox(cluster, source.manifest, database)
        try:
            restore_archive(programs, sandbox, fetched, jobs=jobs)
        except (Refuted, Inconclusive):
            continue
        if _is_whole(sandbox):
            return sandbox.url
    sandbox = make_sandbox(cluster, source.manifest, database)
    restore_archive(programs, sandbox, fetched, jobs=JOBS[-1])
    return sandbox.url


def _is_whole(sandbox: Sandbox) -> bool:
    """Parallel jobs may leave an index of a partitioned table invalid, without any error."""
    with connect(sandbox.url, application_name=APPLICATION_NAME) as connection:
        row = connection.execute(_INVALID_INDEXES).fetchone()
    return row == (0,)


def _forget(fetched: Fetched) -> None:
    for archive in (fetched.main, *fetched.shards):
        archive.unlink()


def _settle(url: DatabaseUrl, settings: Mapping[str, str]) -> str:
    """Make the copy like a database that has been in use, and return the server's version."""
    with connect(url, application_name=APPLICATION_NAME) as connection:
        for name, value in {**settings, "synchronous_commit": "on"}.items():
            connection.execute(
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(url.database), sql.Identifier(name), sql.Literal(value)
                )
            )
        # A fresh restore has no statistics, and whoever reads a page first has to write it.
        connection.execute("VACUUM (ANALYZE)")
        with suppress(psycopg.errors.InsufficientPrivilege):  # on a server that is only lent
            connection.execute("CHECKPOINT")
        return server_facts(connection).version
