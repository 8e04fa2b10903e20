"""Findings about the database's own counters: what they count is known only since some moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bounty_ops.monitoring.collectors.database import Database

XID_WARNING: Final = 0.5
XID_CRITICAL: Final = 0.75
CACHE_HITS: Final = 0.98
CACHE_BLOCKS: Final = 1_000_000
TEMP_BYTES_A_DAY: Final = 1024**3
DEADLOCKS_A_DAY: Final = 1
CHECKPOINTS: Final = 20
TIMED_SHARE: Final = 0.5
_DAY: Final = 86_400


def database_findings(
    database: Database, at: datetime, before: tuple[datetime, Database] | None = None
) -> Iterator[Finding]:
    """What the counters tell, since `before` where that is given and counts on without a break."""
    yield from _damage(database)
    for what, age, limit, whose in (
        (
            "transaction ids",
            database.oldest_xid_age,
            database.xid_limit,
            database.oldest_xid_database,
        ),
        (
            "multixacts",
            database.oldest_mxid_age,
            database.mxid_limit,
            database.oldest_mxid_database,
        ),
    ):
        if age >= XID_WARNING * limit:
            yield _wraparound(what, age, limit, whose)
    yield from _advice(database, at, before)


def _damage(database: Database) -> Iterator[Finding]:
    if database.checksum_failures:
        yield Finding(
            kind="checksum_failure",
            severity=Severity.CRITICAL,
            subject="checksums",
            title=f"{database.checksum_failures} blocks did not match their checksums",
            evidence="the disk, its driver or memory changed what was written",
            remedy="Look into the server's log for the relation, restore it from a proved backup, "
            "and replace the disk",
        )
    failed, archived = database.last_archive_failure_at, database.last_archived_at
    if failed is not None and (archived is None or failed > archived):
        yield Finding(
            kind="archiving_failed",
            severity=Severity.CRITICAL,
            subject="archiving of WAL",
            title="WAL cannot be archived: it fills the disk, and recovery to a point in time ends",
            evidence=f"last failed {failed:%Y-%m-%d %H:%M} UTC, "
            + ("never succeeded" if archived is None else f"last done {archived:%Y-%m-%d %H:%M}"),
            remedy="SELECT last_failed_wal FROM pg_stat_archiver; then run archive_command by hand",
        )


def _wraparound(what: str, age: int, limit: int, whose: str) -> Finding:
    return Finding(
        kind="transaction_ids",
        severity=Severity.CRITICAL if age >= XID_CRITICAL * limit else Severity.WARNING,
        subject=what,
        title=f"{age / limit:.0%} of the {what} are used up; at the end the server refuses writes",
        evidence=f"the oldest row, in database {whose}, is {age:,} of {limit:,} old",
        remedy=f"End old transactions and unused slots, then VACUUM (FREEZE) in database {whose}",
        weight=age / limit,
    )


def _advice(
    database: Database, at: datetime, before: tuple[datetime, Database] | None
) -> Iterator[Finding]:
    since, base = database.stats_reset, None
    if before is not None and (before[1].stats_reset, before[1].started_at) == (
        database.stats_reset,
        database.started_at,
    ):
        since, base = before

    def grew(name: str) -> int:
        return (getattr(database, name) or 0) - (getattr(base, name) or 0 if base else 0)

    hit, read = grew("blocks_hit"), grew("blocks_read")
    window = "since an unknown moment" if since is None else _over(at, since)
    if hit + read >= CACHE_BLOCKS and hit < CACHE_HITS * (hit + read):
        yield Finding(
            kind="cache_hits",
            severity=Severity.INFO,
            subject="cache",
            title=f"{hit / (hit + read):.1%} of blocks were found in PostgreSQL's cache {window}",
            evidence=f"{read:,} blocks came from the system, whose own cache may have held them",
            remedy="Look for statements that read whole tables first; then at shared_buffers",
        )
    timed, requested = grew("checkpoints_timed"), grew("checkpoints_requested")
    if timed + requested >= CHECKPOINTS and timed < TIMED_SHARE * (timed + requested):
        yield Finding(
            kind="checkpoints_requested",
            severity=Severity.INFO,
            subject="checkpoints",
            title=f"{requested} of {timed + requested} checkpoints came before their time {window}",
            evidence="WAL reached max_wal_size, or somebody asked for them",
            remedy="ALTER SYSTEM SET max_wal_size to twice what it is; SELECT pg_reload_conf();",
        )
    if since is None or (at - since).total_seconds() < _DAY:
        return  # a rate needs a time
    days = (at - since).total_seconds() / _DAY
    if grew("deadlocks") >= DEADLOCKS_A_DAY * days:
        yield Finding(
            kind="deadlocks",
            severity=Severity.INFO,
            subject="deadlocks",
            title=f"{grew('deadlocks')} deadlocks {window}",
            evidence="one of the two transactions was rolled back each time",
            remedy="Look into the server's log for both statements; lock rows in one order",
        )
    if grew("temp_bytes") >= TEMP_BYTES_A_DAY * days:
        yield Finding(
            kind="temporary_files",
            severity=Severity.INFO,
            subject="temporary files",
            title=f"{size(grew('temp_bytes'))} were sorted or hashed on disk {window}",
            evidence=f"in {grew('temp_files'):,} files",
            remedy="SET log_temp_files to find the statements; give those more work_mem, not all",
        )


def _over(at: datetime, since: datetime) -> str:
    return f"within {duration((at - since).total_seconds())}"
