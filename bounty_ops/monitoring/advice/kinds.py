"""Every kind of finding, the gravest first: when it is made, and where its threshold comes from.

`docs/reference/findings.md` shows this table; a test compares them.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """What all findings of a kind have in common."""

    severities: str
    condition: str
    source: str


_OURS: Final = "ours"

KINDS: Final[dict[str, Kind]] = {
    "checksum_failure": Kind(
        "critical",
        "a block of the database did not match its checksum",
        "check_pgactivity: 1",
    ),
    "transaction_ids": Kind(
        "warning, critical",
        "the oldest row of any database has used 50 %, 75 % of the transaction ids (or multixacts) "
        "after which the server refuses to write",
        "pgMonitor: 50 % and 75 %",
    ),
    "connections_near_limit": Kind(
        "warning, critical",
        "the tightest limit is used to `connection_warning_ratio`, `connection_critical_ratio`",
        "pgMonitor: 75 % and 90 %",
    ),
    "sequence_near_limit": Kind(
        "warning, critical",
        "75 %, 90 % of what the sequence, or the column it feeds, can hold is used",
        "pgMonitor: 75 %; pgHero: 90 %",
    ),
    "archiving_failed": Kind(
        "critical",
        "the last attempt to archive WAL failed",
        "pgMonitor",
    ),
    "replication_slot": Kind(
        "warning, critical",
        "it keeps 10 GiB of WAL, or has been inactive for 15 minutes; critical when WAL that it "
        "needs is lost or about to be",
        "check_pgactivity (unreserved, lost); 10 GiB and 15 minutes: ours",
    ),
    "blocked_query": Kind(
        "warning, critical",
        "a session waits for a lock that somebody holds; critical from 5 minutes on",
        "pgEdge: 60 s; 5 minutes: ours",
    ),
    "idle_in_transaction": Kind(
        "info, warning, critical",
        "from `slow_query_seconds`, 5 minutes, 15 minutes on",
        "pgMonitor: 5 and 15 minutes",
    ),
    "long_running_query": Kind(
        "info, warning, critical",
        "from `slow_query_seconds`, 5 minutes, 15 minutes on",
        "CloudNativePG's sample rules: 5 minutes; 15: ours",
    ),
    "prepared_transaction": Kind(
        "warning",
        "a prepared transaction has been open for 15 minutes",
        "check_postgres: 30 s, which a slow second phase reaches; ours",
    ),
    "horizon_held": Kind(
        "warning",
        "somebody keeps VACUUM from removing rows for 30 minutes or 20 million transactions",
        "a tenth of autovacuum_freeze_max_age as PostgreSQL ships it",
    ),
    "replication_lag": Kind(
        "warning",
        "a follower is 5 minutes or 1 GiB behind",
        "CloudNativePG's sample rules: 300 s; 1 GiB: ours",
    ),
    "unsafe_setting": Kind(
        "warning",
        "fsync, full_page_writes, autovacuum or track_counts is off, or zero_damaged_pages is on",
        "PostgreSQL's documentation of these settings",
    ),
    "freeze_overdue": Kind(
        "warning, critical",
        "a table is 10 %, 25 % older than the age at which autovacuum has to come",
        "pgMonitor: 110 % and 125 % of autovacuum_freeze_max_age",
    ),
    "invalid_index": Kind(
        "info, warning, unknown",
        "not valid or not ready; info while it is seen to be built, unknown where that is hidden",
        "check_pgactivity: any",
    ),
    "dead_rows": Kind(
        "warning",
        "at least 10,000 dead rows, and twice as many as make autovacuum come; where that is not "
        "known, a tenth of the rows",
        "coroot: 2 x the table's own trigger; awesome-prometheus-alerts: 10,000 and 10 %",
    ),
    "autovacuum_off": Kind(
        "warning",
        "autovacuum is switched off for a table of 1 MiB or more",
        "PostgreSQL's documentation of autovacuum_enabled",
    ),
    "lookup_without_index": Kind(
        "info, warning",
        "statements look rows up by columns that no index begins with; or rows are changed without "
        "an index scan that could have found them; or a table has only its primary key, which "
        "nothing refers to or ever looked up. Info below 1 MiB, and where only the table's make "
        "speaks for it",
        _OURS,
    ),
    "foreign_key_without_index": Kind(
        "info, warning",
        "no complete index begins with its columns; info below 1 MiB",
        "pg-index-health, Supabase's splinter 0001; 1 MiB: ours",
    ),
    "never_purged": Kind(
        "info, warning",
        "rows have expired and none was ever deleted; or rows are only ever inserted, over 30 days "
        "that are counted. Info below 1 MiB",
        _OURS,
    ),
    "table_growth": Kind(
        "info",
        "it grows by a quarter of its size a week, and by 256 MiB or more",
        _OURS,
    ),
    "slow_statement": Kind(
        "warning",
        "takes `slow_query_seconds` on average",
        "of the policy",
    ),
    "costly_statement": Kind(
        "info",
        "takes a third of the time of all statements that are counted, and at least a minute",
        "ruby-pg-extras: 33 %",
    ),
    "settings_pending": Kind(
        "warning",
        "a setting waits for a restart",
        "pgMonitor: any",
    ),
    "settings_changed": Kind(
        "info",
        "a setting, or the server's version, is not what it was in one of the earlier collections",
        _OURS,
    ),
    "unknown": Kind(
        "unknown",
        "something could not be seen",
        "a blind spot is not health",
    ),
    "index_use_unknown": Kind(
        "unknown",
        "indexes have no scans, but for less than 30 days, or since nobody knows when, or on a "
        "server with replicas whose statistics are not known",
        "ours: monthly jobs exist",
    ),
    "unused_indexes": Kind(
        "info",
        "no scan for 30 days that are counted, or in collections over 30 days; none on a server "
        "with replicas",
        "ours: monthly jobs exist",
    ),
    "redundant_index": Kind(
        "info",
        "another index serves every query and rule that it serves",
        "pg-index-health: duplicated and intersected indexes",
    ),
    "bloated_index": Kind(
        "info",
        "a new one would be 100 MiB and 60 % smaller, by estimate",
        "Percona PMM: 60 % and 100 MB",
    ),
    "never_analyzed": Kind(
        "info",
        "the planner has never looked at a table of 10,000 rows or more",
        "awesome-prometheus-alerts: 10,000 rows",
    ),
    "deadlocks": Kind(
        "info",
        "a deadlock a day, over a day or more that is counted",
        "awesome-prometheus-alerts' 5 a minute page people; ours",
    ),
    "temporary_files": Kind(
        "info",
        "1 GiB a day, over a day or more that is counted",
        _OURS,
    ),
    "cache_hits": Kind(
        "info",
        "less than 98 % of a million or more blocks were found in PostgreSQL's cache",
        "postgres_mixin: 98 %; nothing to be woken for",
    ),
    "checkpoints_requested": Kind(
        "info",
        "less than half of 20 or more checkpoints were timed",
        "postgres_mixin: 50 %",
    ),
    "estimated_sizes": Kind(
        "info",
        "tables were locked, so their sizes are those of before",
        "",
    ),
}  # fmt: skip

_PLACE: Final = {kind: place for place, kind in enumerate(KINDS)}


def place(kind: str) -> int:
    """How early a kind comes among findings of the same severity."""
    return _PLACE[kind]
