"""Verifying a backup: restore it, compare the copy with the manifest, write down the verdict."""

from __future__ import annotations

import errno
import logging
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal

from bounty_ops.embedded import throwaway_cluster
from bounty_ops.errors import EmbeddedError, PostgresError, ProgramNotFound, RestoreError
from bounty_ops.journal.layout import manifest_key
from bounty_ops.journal.placed import manifest_sha256, placed_manifest
from bounty_ops.journal.records import Difference, Manifest, Proof, Verdict
from bounty_ops.postgres.programs import find_programs
from bounty_ops.restore.borrowed import borrowed_server
from bounty_ops.restore.fetch import Fetched, fetch_backup
from bounty_ops.restore.findings import Inconclusive, Refuted
from bounty_ops.restore.indexes import check_indexes
from bounty_ops.restore.judge import Judgement, judge
from bounty_ops.restore.observing import observe_as
from bounty_ops.restore.restoring import JOBS, restore_archive
from bounty_ops.restore.sandbox import DATABASE, Sandbox, make_sandbox
from bounty_ops.restore.workplace import full_disk_told, private_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.journal import Journal
    from bounty_ops.postgres.programs import Programs

logger = logging.getLogger(__name__)

NO_SERVER: Final = "none"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True)
class _Drill:
    """What one verification works with."""

    manifest: Manifest
    journal: Journal
    programs: Programs
    work_dir: Path
    identities: tuple[str, ...] = field(repr=False)
    progress: Callable[[int], None]
    times: _Times
    server: DatabaseUrl | None
    """Given for drills; None: a throw-away cluster on this machine."""


@dataclass(frozen=True)
class _Place:
    """Where to restore."""

    cluster: DatabaseUrl
    database: str


@dataclass
class _Times:
    """How long the steps took, in seconds; None for one that did not come to its end."""

    fetch: float | None = None
    restore: float | None = None
    compare: float | None = None
    indexes_checked: bool = False

    @contextmanager
    def step(self, name: Literal["fetch", "restore", "compare"]) -> Iterator[None]:
        """Measure a step; a later attempt at it replaces what an earlier one took."""
        setattr(self, name, None)
        started = time.monotonic()
        yield
        setattr(self, name, round(time.monotonic() - started, 3))


def verify_backup(
    manifest: Manifest,
    journal: Journal,
    *,
    work_dir: Path,
    identities: Sequence[str] = (),
    server: DatabaseUrl | None = None,
    progress: Callable[[int], None] | None = None,
) -> Proof:
    """Restore a backup into a throw-away server, compare, and write the proof next to the backup.

    The verdict is *proved* only if everything that the manifest records was compared and equal,
    *refuted* if the archive is not what the manifest says, does not restore or restores to
    something else, and *inconclusive* if the drill itself could not be carried out.

    Args:
        manifest: of the backup.
        journal: where it lies, and where the proof goes.
        work_dir: with room for the archives and the restored database.
        identities: private keys of age, for a backup that is encrypted.
        server: one that is given for drills, to use instead of a throw-away cluster.
        progress: called with the bytes of all objects fetched so far, from other threads.

    Raises:
        ObjectStoreError: the bucket cannot be read, or the proof not be written.
        JournalError: the stored manifest is not that of this backup.
        RestoreError: somebody removed the backup meanwhile.
    """
    started = time.monotonic()
    data = journal.manifest_bytes(manifest.environment, manifest.id)
    stored = placed_manifest(data, manifest.environment, manifest.id)
    times = _Times()
    keys, tell = tuple(identities), progress or _ignore

    def drill(programs: Programs) -> Judgement:
        return _drill(_Drill(stored, journal, programs, work_dir, keys, tell, times, server))

    server_version, judgement = _judged(stored, drill, work_dir, own=server is None)
    now = datetime.now(UTC)
    proof = Proof(
        id=journal.new_proof_id(stored.environment, stored.id, now),
        backup_id=stored.id,
        environment=stored.environment,
        verdict=judgement.verdict,
        verified_at=now,
        seconds=round(time.monotonic() - started, 3),
        differences=judgement.differences,
        tables_compared=judgement.tables_compared,
        rows_compared=judgement.rows_compared,
        manifest_sha256=manifest_sha256(data),
        server_version=server_version,
        reason=judgement.reason,
        compare=stored.compare,
        fetch_seconds=times.fetch,
        restore_seconds=times.restore,
        compare_seconds=times.compare,
        indexes_checked=times.indexes_checked,
    )
    _require_still_there(journal, stored)
    journal.write_proof(proof)
    return proof


def _require_still_there(journal: Journal, manifest: Manifest) -> None:
    """A backup that was pruned meanwhile has no verdict, and nobody would clear its proof away."""
    if journal.store.head(manifest_key(manifest.environment, manifest.id)) is None:
        raise RestoreError(
            f"the backup {manifest.id} was removed while it was verified",
            hint="Verify a newer one; `bounty-ops backup list` shows what there is.",
        )


def _judged(
    manifest: Manifest, drill: Callable[[Programs], Judgement], work_dir: Path, *, own: bool
) -> tuple[str, Judgement]:
    """The version of the server that was used, and the judgement, whatever happens on the way."""
    version = NO_SERVER
    try:
        programs = _fitting_programs(manifest, server=own)
        version = programs.version
        return version, drill(programs)
    except Refuted as finding:
        return version, Judgement(Verdict.REFUTED, (finding.difference,))
    except Inconclusive as finding:
        return version, Judgement(Verdict.INCONCLUSIVE, reason=str(finding))
    except (EmbeddedError, PostgresError) as error:
        # Only the throw-away server is spoken to here: its troubles are not the backup's.
        return version, Judgement(Verdict.INCONCLUSIVE, reason=f"{error} ({error.hint})")
    except OSError as error:
        if error.errno not in _FULL:
            raise
        reason = f"no room left on the disk of {work_dir}"
        return version, Judgement(Verdict.INCONCLUSIVE, reason=reason)


def _fitting_programs(manifest: Manifest, *, server: bool) -> Programs:
    """The programs of the source's major, a server among them where one has to be started.

    Raises:
        Inconclusive: they are not here, or the archive is a newer program's.
    """
    if re.match(rf"{manifest.server_major}(?!\d)", manifest.client_version) is None:
        raise Inconclusive(
            f"pg_dump {manifest.client_version} dumped a server of {manifest.server_version}: "
            "such an archive restores only into pg_dump's own major. Install the client programs "
            f"of PostgreSQL {manifest.server_major} and back up again"
        )
    try:
        return find_programs(manifest.server_major, server=server)
    except ProgramNotFound as error:
        raise Inconclusive(f"{error} ({error.hint})") from None


def _drill(drill: _Drill) -> Judgement:
    with private_directory(drill.work_dir) as home:
        with drill.times.step("fetch"):
            fetched = fetch_backup(
                drill.manifest,
                drill.journal.store,
                home,
                identities=drill.identities,
                progress=drill.progress,
            )
        with _place(drill) as place:
            for jobs in JOBS[:-1]:
                judgement = _without_differences(drill, place, fetched, jobs)
                if judgement is not None:
                    return judgement
            return _judgement(drill, place, fetched, JOBS[-1])


@contextmanager
def _place(drill: _Drill) -> Iterator[_Place]:
    if drill.server is None:
        with (
            throwaway_cluster(drill.programs, work_dir=drill.work_dir) as cluster,
            full_disk_told(drill.work_dir),
        ):
            yield _Place(cluster, DATABASE)
    else:
        with borrowed_server(drill.server, drill.manifest) as database:
            yield _Place(drill.server, database)


def _without_differences(
    drill: _Drill, place: _Place, fetched: Fetched, jobs: int
) -> Judgement | None:
    """The judgement of a copy restored in parallel, unless it would speak against the backup.

    Jobs of pg_restore get into each other's way: two that attach partitions' indexes at the same
    moment leave the index of the partitioned table invalid, and no error is reported.
    """
    try:
        judgement = _judgement(drill, place, fetched, jobs)
    except (Refuted, Inconclusive) as finding:
        logger.info("restoring in parallel failed (%s), now one after the other", finding)
        return None
    if judgement.differences:
        logger.info("restored in parallel the copy differs, now one entry after the other")
        return None
    return judgement


def _judgement(drill: _Drill, place: _Place, fetched: Fetched, jobs: int) -> Judgement:
    """What a copy restored by that many jobs says.

    Raises:
        Refuted: the backup does not restore.
        Inconclusive: something here is to blame.
    """
    sandbox = make_sandbox(place.cluster, drill.manifest, place.database)
    with drill.times.step("restore"):
        restore_archive(drill.programs, sandbox, fetched, jobs=jobs)
    with drill.times.step("compare"):
        observed = observe_as(drill.manifest, sandbox.url)
        judgement = _with_departures(judge(drill.manifest, observed), sandbox)
        if judgement.verdict is Verdict.PROVED:
            # After the copy was read: the check brings an extension along.
            check_indexes(drill.programs, sandbox.url)
            drill.times.indexes_checked = True
    return judgement


def _with_departures(judgement: Judgement, sandbox: Sandbox) -> Judgement:
    """Differences in a place unlike the source's may be the place's; equality is equality."""
    if not sandbox.departures or judgement.verdict is not Verdict.REFUTED:
        return judgement
    first: Difference = judgement.differences[0]
    told = f"{len(judgement.differences)} differences, such as {first.kind} {first.object}"
    return replace(
        judgement,
        verdict=Verdict.INCONCLUSIVE,
        reason=f"{told}; but {'; '.join(sandbox.departures)}",
    )


def _ignore(_done: int) -> None:
    """Nobody looks."""
