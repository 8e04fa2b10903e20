"""What healthy families of measurements look like, but for what a test is about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bounty_ops.monitoring import CollectionResult, Connections, Indexes, Tables
from bounty_ops.monitoring.collectors.activity import Activity, LongSession
from bounty_ops.monitoring.collectors.blocking import Blocking, Waiter
from bounty_ops.monitoring.collectors.connections import connection_limit
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.indexes import IndexFacts
from bounty_ops.monitoring.collectors.replication import Replication, Slot, Standby
from bounty_ops.monitoring.collectors.sequences import SequenceFacts, Sequences
from bounty_ops.monitoring.collectors.settings import ServerSettings
from bounty_ops.monitoring.collectors.tables import TableFacts

if TYPE_CHECKING:
    from bounty_ops.monitoring import FamilyResult, Unknown

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MIB = 1024**2
GIB = 1024**3
STARTED = NOW - timedelta(days=40)


def connections(used: int = 10) -> Connections:
    limit = connection_limit("server", None, 100, used)
    return Connections(
        total=used,
        hidden=0,
        usable=limit,
        limits=(limit,),
        by_state={"idle": used},
        by_user={"app": used},
        by_application={"web": used},
        by_database={"bounty": used},
    )


def session(
    seconds: float,
    *,
    state: str = "active",
    application: str = "web",
    transaction_seconds: float | None = None,
    pid: int = 4711,
) -> LongSession:
    return LongSession(
        pid=pid,
        user="app",
        application=application,
        state=state,
        seconds=seconds,
        transaction_seconds=seconds if transaction_seconds is None else transaction_seconds,
        wait_event=None,
        statement="UPDATE bounty SET title = $1",
    )


def blocked(seconds: float, *, application: str = "web", waiters: int = 2) -> Blocking:
    pids = tuple(range(100, 100 + waiters))
    return Blocking(
        blocker_pid=99,
        prepared=None,
        user="app",
        application=application,
        state="active",
        seconds=seconds,
        transaction_seconds=seconds,
        statement="ALTER TABLE bounty ADD COLUMN region text",
        blocked_pids=pids,
        depth=1,
        waiters=tuple(
            Waiter(
                pid=pid,
                user="app",
                application="web",
                seconds=seconds,
                lock="AccessShareLock on public.bounty",
                statement="SELECT $1",
                waits_for=(99,),
                depth=1,
            )
            for pid in pids
        ),
    )


def activity(
    *sessions: LongSession, blocking: tuple[Blocking, ...] = (), hidden: int = 0
) -> Activity:
    return Activity(
        hidden=hidden,
        longest_query_seconds=None if hidden else 0,
        longest_transaction_seconds=None if hidden else 0,
        longest_idle_in_transaction_seconds=None if hidden else 0,
        blocked=sum(len(tree.blocked_pids) for tree in blocking),
        longest_wait_seconds=max((tree.seconds for tree in blocking), default=0),
        prepared=0,
        oldest_prepared_seconds=0,
        oldest_xmin_age=0,
        sessions=sessions,
        blocking=blocking,
        horizons=(),
    )


def database(**changed: Any) -> Database:  # noqa: ANN401 - any field
    values: dict[str, Any] = dict.fromkeys(Database.model_fields, 0)
    values |= {
        "started_at": STARTED,
        "stats_reset": STARTED,
        "wal_stats_reset": STARTED,
        "checkpoints_stats_reset": STARTED,
        "in_recovery": False,
        "read_only": False,
        "size_bytes": GIB,
        "checksum_failures": None,
        "wal_position": 0,
        "checkpoints_done": None,
        "archived": None,
        "archive_failures": None,
        "last_archived_at": None,
        "last_archive_failure_at": None,
        "xid_limit": 2_100_000_000,
        "mxid_limit": 2_100_000_000,
        "oldest_xid_database": "bounty",
        "oldest_mxid_database": "bounty",
        "blocks_hit": 10_000_000,
        "blocks_read": 1_000,
        **changed,
    }
    return Database(**values)


def sequence(ratio: float | None, *, name: str = "bounty_id_seq", readable: bool = True) -> Any:  # noqa: ANN401 - an entry
    return SequenceFacts(
        schema_name="public",
        name=name,
        last_value=None if ratio is None else int(ratio * 2_147_483_647),
        readable=readable,
        increment=1,
        cycles=False,
        sequence_limit=2_147_483_647,
        column=f"public.bounty.{name}",
        column_type="integer",
        column_limit=2_147_483_647,
        columns=1,
        used_ratio=ratio,
    )


def sequences(*found: SequenceFacts) -> Sequences:
    return Sequences(
        count=len(found),
        unreadable=sum(not each.readable for each in found),
        worst_ratio=None,
        sequences=found,
    )


def slot(name: str = "reader", **changed: Any) -> Slot:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "name": name,
        "kind": "logical",
        "database": "bounty",
        "plugin": "pgoutput",
        "temporary": False,
        "active": True,
        "retained_bytes": 0,
        "wal_status": "reserved",
        "safe_wal_bytes": None,
        "inactive_since": None,
        "invalidation_reason": None,
        **changed,
    }
    return Slot(**values)


def standby(lag_seconds: float | None) -> Standby:
    return Standby(
        pid=55,
        name="replica",
        state="streaming",
        sync_state="async",
        slot=None,
        sent_lag_bytes=0,
        lag_bytes=MIB,
        lag_seconds=lag_seconds,
    )


def replication(
    *, slots: tuple[Slot, ...] = (), standbys: tuple[Standby, ...] = (), hidden: int = 0
) -> Replication:
    return Replication(
        in_recovery=False,
        hidden=hidden,
        slots_inactive=sum(not each.active for each in slots),
        retained_bytes=0,
        worst_lag_bytes=0,
        replay_lag_bytes=None,
        replay_lag_seconds=None,
        receiving=None,
        slots=slots,
        standbys=standbys,
    )


def settings() -> ServerSettings:
    return ServerSettings(
        server_version="17.10", digest="0" * 8, loaded_at=STARTED, pending_restart=0, settings=()
    )


def table(name: str = "bounty", **changed: Any) -> TableFacts:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        name: None for name, field in TableFacts.model_fields.items() if field.is_required()
    }
    values |= {
        "schema_name": "public",
        "name": name,
        "kind": "table",
        "exact": True,
        "total_bytes": 100 * MIB,
        "table_bytes": 80 * MIB,
        "index_bytes": 20 * MIB,
        "toast_bytes": 0,
        "dead_rows": 100,
        "dead_ratio_of_trigger": 0.1,
        **changed,
    }
    return TableFacts(**values)


def tables(*found: TableFacts) -> Tables:
    return Tables(
        count=len(found),
        total_bytes=sum(each.total_bytes for each in found),
        estimated=0,
        tables=found,
    )


def index(name: str = "bounty_title_idx", **changed: Any) -> IndexFacts:  # noqa: ANN401 - any field
    values: dict[str, Any] = {
        "schema_name": "public",
        "table": "bounty",
        "name": name,
        "method": "btree",
        "unique": False,
        "primary": False,
        "constraint": None,
        "valid": True,
        "replica_identity": False,
        "referenced": False,
        "partitioned": False,
        "partial": False,
        "columns": ("title",),
        "included": (),
        "keys": ("title",),
        "predicate": None,
        "nulls_not_distinct": False,
        "bytes": 10 * MIB,
        "exact": True,
        "scans": 1_000,
        "rows_read": 1_000,
        "last_scan": None,
        **changed,
    }
    return IndexFacts(**values)


def indexes(*found: IndexFacts, days: float = 40, hidden_builds: int = 0) -> Indexes:
    return Indexes(
        count=len(found),
        total_bytes=sum(each.bytes for each in found),
        estimated=0,
        statistics_since=None,  # as of a server whose statistics nobody has emptied
        statistics_seconds=None,
        hidden_builds=hidden_builds,
        indexes=tuple(
            each.model_copy(update={"unscanned_since": NOW - timedelta(days=days)})
            for each in found
        ),
        foreign_keys=(),
    )


def measured(
    *families: FamilyResult, minutes: float = 1, unknown: tuple[Unknown, ...] = ()
) -> CollectionResult:
    """A collection of all families, healthy but for those that are given."""
    healthy: tuple[FamilyResult, ...] = (
        connections(),
        activity(),
        database(),
        sequences(sequence(0.1)),
        replication(),
        settings(),
        tables(table()),
        indexes(index()),
    )
    found = {each.family: each for each in (*healthy, *families)}
    for each in unknown:
        if each.subject == "everything":
            found.pop(each.family, None)
    return CollectionResult("production", NOW - timedelta(minutes=minutes), 0.1, found, unknown)


def only(*families: FamilyResult, minutes: float) -> CollectionResult:
    """A collection of these families, some minutes ago."""
    found = {each.family: each for each in families}
    return CollectionResult("production", NOW - timedelta(minutes=minutes), 0.1, found)
