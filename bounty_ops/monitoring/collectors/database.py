"""The database as a whole: its counters, its WAL and checkpoints, and how old its oldest row is."""

from typing import ClassVar

from bounty_ops.monitoring.collectors.database_size import database_size
from bounty_ops.monitoring.probe import Measured, Probe
from bounty_ops.monitoring.result import Cadence, FamilyResult, UtcTime


class Database(FamilyResult):
    """Cumulative counters as the server gives them, each with the time it counts from.

    A rate is the difference of two collections between which `stats_reset` (or the reset that
    belongs to the counter) and `started_at` stayed the same.
    """

    family: ClassVar[str] = "database"
    cadence: ClassVar[Cadence] = "vitals"

    started_at: UtcTime
    """When the server started."""
    in_recovery: bool
    """Whether it is a standby, or still recovering."""
    read_only: bool
    """Whether a new transaction here would be read only by default."""
    size_bytes: int | None
    """At most five minutes old; None where it could not be measured in time."""

    stats_reset: UtcTime | None
    """Since when this database's counters count; None: since it was created or the server's
    statistics were lost."""
    backends: int
    commits: int
    rollbacks: int
    blocks_hit: int
    blocks_read: int
    rows_returned: int
    rows_fetched: int
    rows_inserted: int
    rows_updated: int
    rows_deleted: int
    conflicts: int
    deadlocks: int
    temp_files: int
    temp_bytes: int
    checksum_failures: int | None
    """None where data checksums are off."""
    read_seconds: float
    """Time in reads and, below, writes; 0 unless track_io_timing is on."""
    write_seconds: float
    session_seconds: float
    active_seconds: float
    idle_in_transaction_seconds: float
    sessions: int
    sessions_abandoned: int
    sessions_fatal: int
    sessions_killed: int

    wal_position: int | None
    """Bytes of WAL since the cluster was made, written or, on a standby, replayed."""
    wal_bytes: int | None
    wal_records: int | None
    wal_full_page_images: int | None
    wal_buffers_full: int | None
    wal_stats_reset: UtcTime | None

    checkpoints_timed: int | None
    checkpoints_requested: int | None
    checkpoints_done: int | None
    """From PostgreSQL 18 on; timed ones of an idle server are counted but not carried out."""
    checkpoint_write_seconds: float | None
    checkpoint_sync_seconds: float | None
    checkpoint_buffers: int | None
    checkpoints_stats_reset: UtcTime | None

    archived: int | None
    """WAL files archived; None where archiving is off."""
    archive_failures: int | None
    last_archived_at: UtcTime | None
    last_archive_failure_at: UtcTime | None

    xid_age: int
    """Age of the oldest row of this database that is not frozen, in transactions."""
    xid_freeze_age: int
    """autovacuum_freeze_max_age: from here on VACUUM is forced."""
    xid_limit: int
    """At this age the server refuses to write."""
    oldest_xid_age: int
    """Of the database that is worst off; at `xid_limit` it stops all of them."""
    oldest_xid_database: str
    mxid_age: int
    mxid_freeze_age: int
    mxid_limit: int
    oldest_mxid_age: int
    oldest_mxid_database: str


def collect_database(probe: Probe) -> Measured:
    """Read the counters.

    Raises:
        psycopg.Error: the statement failed that all the others rest on.
    """
    family = Database.family
    whole = probe.record("database")
    # Managed servers lack one view or another; the rest is measured all the same.
    size, no_size, memory = database_size(probe, family, whole["started_at"])
    parts = [
        (size, no_size),
        probe.part("wal", family, "WAL"),
        probe.part(_checkpoints(probe), family, "checkpoints"),
        probe.part("archiver", family, "archiving of WAL"),
    ]
    found = dict.fromkeys(Database.model_fields)
    for values, _ in parts:
        found |= values
    return Measured(
        Database.model_validate(found | whole),
        tuple(unknown for _, reasons in parts for unknown in reasons),
        memory,
    )


def _checkpoints(probe: Probe) -> str:
    ((moved,),) = probe.rows("has_checkpointer")
    return "checkpoints" if moved else "checkpoints_before_17"
