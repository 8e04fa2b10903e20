"""Findings about the server as a whole: ids that run out, connections, followers, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.findings import Finding, Severity, duration, quoted, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bounty_ops.environments import Policy
    from bounty_ops.monitoring.collectors.connections import Connections
    from bounty_ops.monitoring.collectors.replication import Replication, Slot
    from bounty_ops.monitoring.collectors.sequences import SequenceFacts, Sequences
    from bounty_ops.monitoring.collectors.settings import ServerSettings

GIB: Final = 1024**3
SEQUENCE_WARNING: Final = 0.75
SEQUENCE_CRITICAL: Final = 0.9
SLOT_BYTES: Final = 10 * GIB
SLOT_SECONDS: Final = 900
LAG_SECONDS: Final = 300
LAG_BYTES: Final = GIB
#: What each should be, and what it risks otherwise.
UNSAFE: Final = {
    ("fsync", "off"): "a crash of the machine can destroy the database",
    ("full_page_writes", "off"): "a crash of the machine can tear pages beyond repair",
    ("zero_damaged_pages", "on"): "damaged pages are emptied instead of reported",
    ("autovacuum", "off"): "nothing removes dead rows or freezes old ones until ids run out",
    ("track_counts", "off"): "autovacuum does not know where to go",
}


def connection_findings(connections: Connections, policy: Policy) -> Iterator[Finding]:
    """Whether the next connection may be refused soon."""
    limit = connections.usable
    if limit.ratio < policy.connection_warning_ratio:
        return
    critical = limit.ratio >= policy.connection_critical_ratio
    whose = limit.kind if limit.name is None else f"{limit.kind} {limit.name}"
    biggest = sorted(connections.by_application.items(), key=lambda pair: -pair[1])[:3]
    yield Finding(
        kind="connections_near_limit",
        severity=Severity.CRITICAL if critical else Severity.WARNING,
        subject=whose,
        title=f"{limit.used} of {limit.limit} usable connections of the {whose} are taken",
        evidence=", ".join(f"{name}: {count}" for name, count in biggest),
        remedy="Use smaller pools or a pooler, close idle clients, or raise the limit",
        weight=limit.ratio,
    )


def sequence_findings(sequences: Sequences) -> Iterator[Finding]:
    """Sequences and columns that will be full."""
    for sequence in sequences.sequences:
        if sequence.used_ratio is not None and sequence.used_ratio >= SEQUENCE_WARNING:
            yield _sequence(sequence, sequence.used_ratio)


def _sequence(sequence: SequenceFacts, ratio: float) -> Finding:
    fed = "" if sequence.column is None else f", which feeds {sequence.column}"
    limits = f"its last value is {sequence.last_value:,}" if sequence.last_value else ""
    if sequence.column_limit is not None:
        limits += f"; {sequence.column_type} of {sequence.column} ends at {sequence.column_limit:,}"
    return Finding(
        kind="sequence_near_limit",
        severity=Severity.CRITICAL if ratio >= SEQUENCE_CRITICAL else Severity.WARNING,
        subject=sequence.subject,
        title=f"{ratio:.1%} of sequence {sequence.subject}{fed} is used; at the end inserts fail",
        evidence=f"{limits}; the sequence ends at {sequence.sequence_limit:,}",
        remedy=_widening(sequence),
        weight=ratio,
    )


def _widening(sequence: SequenceFacts) -> str:
    name = quoted(sequence.schema_name, sequence.name)
    parts = (sequence.column or "").split(".")
    column_first = sequence.column_limit is not None and abs(sequence.column_limit) <= abs(
        sequence.sequence_limit
    )
    widen = f"ALTER SEQUENCE {name} AS bigint;"
    if not column_first:
        return widen
    if len(parts) != len(("schema", "table", "column")):  # one of the names holds a dot
        return f"Make the column {sequence.column} a bigint, then {widen}"
    schema, table, column = parts
    return (
        f"ALTER TABLE {quoted(schema, table)} ALTER COLUMN {quoted(column)} TYPE bigint; "
        f"{widen} The first rewrites the table under an exclusive lock: a column beside it, filled "
        "in batches, avoids that"
    )


def replication_findings(replication: Replication, at: datetime) -> Iterator[Finding]:
    """Slots that keep WAL for nobody, and followers that are behind."""
    for slot in replication.slots:
        idle = None if slot.inactive_since is None else (at - slot.inactive_since).total_seconds()
        lost = slot.wal_status in {"unreserved", "lost"} or slot.invalidation_reason is not None
        keeps = (slot.retained_bytes or 0) >= SLOT_BYTES
        if lost or keeps or (not slot.active and (idle is None or idle >= SLOT_SECONDS)):
            yield _slot(slot, idle, lost=lost)
    for standby in replication.standbys:
        seconds, behind = standby.lag_seconds or 0, standby.lag_bytes or 0
        if seconds >= LAG_SECONDS or behind >= LAG_BYTES:
            yield Finding(
                kind="replication_lag",
                severity=Severity.WARNING,
                subject=standby.subject,
                title=f"{standby.name or standby.subject} is {size(behind)} behind",
                evidence=f"{standby.state}, {duration(seconds)}",
                remedy="Look for a long query or a slow disk there, and at the network between",
                weight=behind,
            )


def _slot(slot: Slot, idle: float | None, *, lost: bool) -> Finding:
    state = "active" if slot.active else "inactive"
    since = "" if idle is None else f" for {duration(idle)}"
    literal = "'" + slot.name.replace("'", "''") + "'"
    return Finding(
        kind="replication_slot",
        severity=Severity.CRITICAL if lost else Severity.WARNING,
        subject=slot.subject,
        title=f"replication slot {slot.name} is {state}{since}"
        + (" and has lost WAL that it needs, or is about to" if lost else ""),
        evidence=f"keeps {size(slot.retained_bytes or 0)} of WAL; wal_status {slot.wal_status}",
        remedy="Start its consumer again; if there is none any more: "
        f"SELECT pg_drop_replication_slot({literal});",
        weight=slot.retained_bytes or 0,
    )


def settings_findings(settings: ServerSettings) -> Iterator[Finding]:
    """Settings that are dangerous, and those that are not what the file says."""
    for setting in settings.settings:
        risk = UNSAFE.get((setting.name, (setting.value or "").lower()))
        if risk is not None:
            right = "off" if setting.name == "zero_damaged_pages" else "on"
            yield Finding(
                kind="unsafe_setting",
                severity=Severity.WARNING,
                subject=setting.subject,
                title=f"{setting.name} is {setting.value}: {risk}",
                evidence=f"set in: {setting.source}",
                remedy=f"ALTER SYSTEM SET {setting.name} = {right}; SELECT pg_reload_conf();",
            )
    pending = [setting.name for setting in settings.settings if setting.pending_restart]
    if pending:
        yield Finding(
            kind="settings_pending",
            severity=Severity.WARNING,
            subject="settings",
            title=f"{len(pending)} settings wait for a restart of the server",
            evidence=", ".join(pending),
            remedy="Restart it at a quiet time, or set them back: after the next crash the new "
            "values apply unannounced",
        )
