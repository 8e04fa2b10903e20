"""Rules about tables, indexes, sequences and what runs out. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from bounty_ops.alerting.seeing import before, level, newest
from bounty_ops.alerting.situation import Answer, Finding, Rule, Severity, Situation, Undecided
from bounty_ops.monitoring import Indexes, Tables
from bounty_ops.monitoring.collectors.database import Database
from bounty_ops.monitoring.collectors.sequences import SequenceFacts, Sequences
from bounty_ops.monitoring.findings import quoted, size

if TYPE_CHECKING:
    from bounty_ops.environments.alerts import RuleSettings

_DAY: Final = timedelta(days=1)
#: Growth is told per day, whatever lies between the two looks that there are.
_LEAST: Final = timedelta(hours=20)
_MOST: Final = timedelta(hours=28)
#: An index that was not used for a shorter time may be needed at the end of the month.
UNUSED_FOR: Final = timedelta(days=30)


def table_growth(situation: Situation, settings: RuleSettings) -> Answer:
    """A table became much larger within a day."""
    seen = newest(situation, Tables)
    if isinstance(seen, Undecided):
        return seen
    earlier = before(situation, Tables, seen, least=_LEAST, most=_MOST)
    if earlier is None:
        return Undecided("there is no collection of a day ago to compare the sizes with")
    days = (seen.at - earlier.at) / _DAY
    former = {table.subject: table for table in earlier.result.tables}
    findings = []
    for table in seen.result.tables:
        then = former.get(table.subject)
        if then is None or then.total_bytes <= 0:
            continue
        grown = (table.total_bytes - then.total_bytes) / days
        bad = level(grown / then.total_bytes, settings)
        if bad is None or grown < (settings.minimum or 0.0):
            continue
        findings.append(
            Finding(
                rule=Rule.TABLE_GROWTH,
                subject=table.subject,
                severity=bad.severity,
                title=f"[{situation.environment}] {table.subject} grew by {size(grown)} in a day",
                body=f"{table.subject} has {size(table.total_bytes)}, and had "
                f"{size(then.total_bytes)} at {earlier.at:%Y-%m-%d %H:%M} UTC: "
                f"{grown / then.total_bytes:.0%} more in a day.\nDo: bounty-ops monitor report "
                f"-e {situation.environment}; look for rows that nobody deletes, and for an "
                "import or backfill that runs.",
                evidence={"bytes": table.total_bytes, "bytes_before": then.total_bytes},
                held=bad.held,
            )
        )
    return findings


def vacuum_lag(situation: Situation, settings: RuleSettings) -> Answer:
    """Dead rows pile up although autovacuum should have come long ago."""
    seen = newest(situation, Tables)
    if isinstance(seen, Undecided):
        return seen
    findings, unseen = [], []
    for table in seen.result.tables:
        if table.kind == "partitioned table":
            continue
        ratio, dead = table.dead_ratio_of_trigger, table.dead_rows
        if ratio is None or dead is None:
            unseen.append(table.subject)
            continue
        bad = level(ratio, settings)
        if bad is None or dead < (settings.minimum or 0.0):
            continue
        name = quoted(table.schema_name, table.name)
        findings.append(
            Finding(
                rule=Rule.VACUUM_LAG,
                subject=table.subject,
                severity=bad.severity,
                title=f"[{situation.environment}] {table.subject} has {dead:,} dead rows",
                body=f"{dead:,} dead rows are {ratio:.1f} times what makes autovacuum start.\n"
                f"Do: VACUUM (VERBOSE) {name}; if that removes nothing, an old transaction, a slot "
                "or a standby holds them (bounty-ops monitor collect lists the horizons).",
                evidence={"dead_rows": dead, "times": ratio},
                held=bad.held,
            )
        )
    if unseen:
        reason = f"nothing is known of the dead rows of {', '.join(unseen[:3])}"
        return Undecided(reason, frozenset(unseen), tuple(findings))
    return findings


def transaction_ids(situation: Situation, settings: RuleSettings) -> Answer:
    """Once they are used up, the server refuses to write."""
    seen = newest(situation, Database)
    if isinstance(seen, Undecided):
        return seen
    found = seen.result
    findings = []
    for subject, age, limit, database in (
        ("transaction ids", found.oldest_xid_age, found.xid_limit, found.oldest_xid_database),
        ("multixact ids", found.oldest_mxid_age, found.mxid_limit, found.oldest_mxid_database),
    ):
        bad = level(age / limit, settings) if limit > 0 else None
        if bad is None:
            continue
        findings.append(
            Finding(
                rule=Rule.TRANSACTION_IDS,
                subject=subject,
                severity=bad.severity,
                title=f"[{situation.environment}] {age / limit:.0%} of the {subject} are used up",
                body=f"The oldest row of database {database} is {age:,} {subject} old; at "
                f"{limit:,} the server refuses every write.\nDo: find what holds VACUUM back (old "
                f"transactions, prepared ones, slots), then VACUUM (FREEZE) the oldest tables of "
                f"{database}.",
                evidence={"age": age, "limit": limit, "database": database},
                held=bad.held,
            )
        )
    return findings


def sequence_exhaustion(situation: Situation, settings: RuleSettings) -> Answer:
    """Soon no row can be inserted any more."""
    seen = newest(situation, Sequences)
    if isinstance(seen, Undecided):
        return seen
    findings, unseen = [], []
    for sequence in seen.result.sequences:
        if sequence.used_ratio is None:
            if not sequence.readable:
                unseen.append(sequence.subject)
            continue
        bad = None if sequence.cycles else level(sequence.used_ratio, settings)
        if bad is not None:
            findings.append(_exhausted(situation, sequence, sequence.used_ratio, bad.severity))
    if unseen:
        reason = f"{len(unseen)} sequences may not be read: {', '.join(unseen[:3])}"
        return Undecided(reason, frozenset(unseen), tuple(findings))
    return findings


def _exhausted(
    situation: Situation, sequence: SequenceFacts, ratio: float, severity: Severity
) -> Finding:
    fed = f", which feeds {sequence.column} ({sequence.column_type})" if sequence.column else ""
    return Finding(
        rule=Rule.SEQUENCE_EXHAUSTION,
        subject=sequence.subject,
        severity=severity,
        title=f"[{situation.environment}] {ratio:.0%} of sequence {sequence.subject} is used",
        body=f"{sequence.subject}{fed} is at {sequence.last_value:,}; its own limit is "
        f"{sequence.sequence_limit:,}"
        + (f", that of the column {sequence.column_limit:,}" if sequence.column_limit else "")
        + ". Beyond, every INSERT fails.\nDo: write a migration that makes the column bigint in "
        "steps (a new column, filled in batches, swapped), and the sequence AS bigint.",
        evidence={
            "used_ratio": ratio,
            "last_value": sequence.last_value,
            "column": sequence.column,
        },
    )


def index_invalid(situation: Situation, settings: RuleSettings) -> Answer:  # noqa: ARG001 - every rule has both
    """An index costs every write and serves no read: a concurrent build ended badly."""
    seen = newest(situation, Indexes)
    if isinstance(seen, Undecided):
        return seen
    invalid = [
        index
        for index in seen.result.indexes
        if not index.valid and not index.building and not index.partitioned
    ]
    if invalid and seen.result.hidden_builds:
        reason = "other roles are building indexes, and it may not be seen which"
        return Undecided(reason, frozenset(index.subject for index in invalid))
    return [
        Finding(
            rule=Rule.INDEX_INVALID,
            subject=index.subject,
            severity=Severity.WARNING,
            title=f"[{situation.environment}] index {index.subject} is invalid",
            body=f"{index.subject} on {index.table} is not used by any query, and every write "
            "still keeps it up: CREATE INDEX CONCURRENTLY or REINDEX CONCURRENTLY ended badly.\n"
            f"Do: DROP INDEX CONCURRENTLY {quoted(index.schema_name, index.name)}; and build it "
            "again; a name that ends in _ccnew is only to be dropped.",
            evidence={"bytes": index.bytes},
        )
        for index in invalid
    ]


def index_unused(situation: Situation, settings: RuleSettings) -> Answer:
    """An index costs every write and was not read for long.

    Collections say since when. The age of the server's statistics does not: since version 15 it is
    unknown until somebody empties them, and an index may be younger than they are.
    """
    seen = newest(situation, Indexes)
    if isinstance(seen, Undecided):
        return seen
    findings, young = [], []
    for index in seen.result.indexes:
        needed = index.unique or index.constraint or index.replica_identity or index.referenced
        bad = level(index.bytes, settings)
        if bad is None or index.scans is None or needed or index.partitioned or not index.valid:
            continue
        idle = timedelta(0) if index.unscanned_since is None else seen.at - index.unscanned_since
        if idle < UNUSED_FOR:
            if index.scans == 0:
                young.append(index.subject)
            continue
        findings.append(
            Finding(
                rule=Rule.INDEX_UNUSED,
                subject=index.subject,
                severity=bad.severity,
                title=f"[{situation.environment}] index {index.subject} was not used for "
                f"{idle / _DAY:.0f} days",
                body=f"{index.subject} on {index.table} has {size(index.bytes)} and was not used "
                "on this server. A standby counts for itself: look there, too.\nDo: DROP INDEX "
                f"CONCURRENTLY {quoted(index.schema_name, index.name)};",
                evidence={"bytes": index.bytes, "seconds": idle.total_seconds()},
                held=bad.held,
            )
        )
    if young:
        reason = f"not watched for 30 days yet, and not used so far: {', '.join(young[:3])}"
        return Undecided(reason, frozenset(young), tuple(findings))
    return findings
