"""What of a table changes all the time, as fields of its facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bounty_ops.monitoring.autovacuum import trigger

if TYPE_CHECKING:
    from bounty_ops.monitoring.collectors.relations import Relations, TableCounters

#: Half a percent of the age at which autovacuum comes. Exact ages would make each table of each
#: collection differ from the one before.
AGE_STEP: Final = 1_000_000
#: Of these a partitioned table has none.
_COUNTED: Final = (
    "rows", "live_rows", "dead_rows", "rows_changed_since_analyze", "sequential_scans",
    "sequential_rows_read", "rows_inserted", "rows_updated", "rows_deleted", "last_vacuum",
    "last_autovacuum", "last_analyze", "last_autoanalyze", "last_sequential_scan",
)  # fmt: skip


def nothing_counted() -> dict[str, None]:
    """Of a partitioned table."""
    return dict.fromkeys(_COUNTED)


def counted_of(seen: Relations, facts: dict[str, Any], counters: TableCounters) -> dict[str, Any]:
    """What the counters of a table say, beside what makes autovacuum come."""
    due = trigger(seen.autovacuum, facts["options"], counters.rows, counters.unfrozen)
    return {
        "rows": int(counters.rows) if counters.rows >= 0 else None,
        "live_rows": counters.live,
        "dead_rows": counters.dead,
        "rows_changed_since_analyze": counters.changed_since_analyze,
        "sequential_scans": counters.sequential_scans,
        "sequential_rows_read": counters.sequential_rows_read,
        "rows_inserted": counters.inserted,
        "rows_updated": counters.updated,
        "rows_deleted": counters.deleted,
        "last_vacuum": counters.last_vacuum,
        "last_autovacuum": counters.last_autovacuum,
        "last_analyze": counters.last_analyze,
        "last_autoanalyze": counters.last_autoanalyze,
        "last_sequential_scan": counters.last_sequential_scan,
        "vacuum_trigger_rows": due.dead_rows,
        "dead_ratio_of_trigger": counters.dead / max(due.dead_rows, 1),
        "rows_inserted_since_vacuum": counters.inserted_since_vacuum,
        "insert_trigger_rows": due.inserted_rows,
        "autovacuum": due.enabled,
        "xid_age": _stepped(counters.xid_age),
        "freeze_max_age": due.freeze_max_age,
        "multixact_age": _stepped(counters.multixact_age),
        "multixact_freeze_max_age": due.multixact_freeze_max_age,
    }


def _stepped(age: int) -> int:
    return age // AGE_STEP * AGE_STEP
