"""What the asset pages of the four families of measurements show.

Headline numbers are plain numbers, so that Dagster plots them over time; the rest are tables.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from bounty_ops.defs.presentation import known, moment, size, table
from bounty_ops.monitoring import Connections, Indexes, Queries, Tables
from bounty_ops.monitoring.collectors.indexes import IndexFacts
from bounty_ops.monitoring.index_advice import unused_indexes


def connections_metadata(found: Connections) -> dict[str, dg.MetadataValue]:
    """Connections by state, role, application and database, against the tightest limit."""
    tightest = found.usable
    states = {
        f"state_{state.replace(' ', '_')}": dg.MetadataValue.int(count)
        for state, count in found.by_state.items()
    }
    return {
        "summary": dg.MetadataValue.md(
            f"**{tightest.used} of {tightest.limit}** usable connections "
            f"({tightest.ratio:.0%} of the limit of the {tightest.kind})"
        ),
        "connections": dg.MetadataValue.int(found.total),
        "used": dg.MetadataValue.int(tightest.used),
        "usable": dg.MetadataValue.int(tightest.limit),
        "used_ratio": dg.MetadataValue.float(tightest.ratio),
        "state_not_visible": dg.MetadataValue.int(found.hidden),
        **states,
        "limits": dg.MetadataValue.md(
            table(
                ["limit of", "name", "limit", "used", "ratio"],
                [
                    (each.kind, each.name or "", each.limit, each.used, each.ratio)
                    for each in found.limits
                ],
            )
        ),
        "by_role": _counts("role", found.by_user),
        "by_application": _counts("application", found.by_application),
        "by_database": _counts("database", found.by_database),
    }


def queries_metadata(found: Queries) -> dict[str, dg.MetadataValue]:
    """What ran too long at the moment of the collection, and what costs most over time."""
    statistics = found.statistics
    longest = max((each.seconds for each in found.running), default=0.0)
    costly = sorted(found.statements, key=lambda each: -each.total_seconds)
    return {
        "summary": dg.MetadataValue.md(
            f"**{len(found.running)}** sessions at {found.slow_query_seconds:g} s or longer, "
            "or in the way of one"
        ),
        "running": dg.MetadataValue.int(len(found.running)),
        "waiting_for_others": dg.MetadataValue.int(
            sum(bool(each.blocked_by) for each in found.running)
        ),
        "longest_seconds": dg.MetadataValue.float(longest),
        "running_now": dg.MetadataValue.md(
            table(
                ["pid", "role", "state", "seconds", "waits for", "statement"],
                [
                    (
                        str(each.pid),
                        each.user,
                        each.state,
                        each.seconds,
                        ", ".join(map(str, each.blocked_by)) or "nobody",
                        each.text,
                    )
                    for each in found.running
                ],
            )
        ),
        "statement_statistics": dg.MetadataValue.text(
            "available" if statistics.available else "unknown: pg_stat_statements is not usable"
        ),
        "statements_since": moment(statistics.since),
        "statements_evicted": dg.MetadataValue.text(str(known(statistics.evicted))),
        "calls_coverage": dg.MetadataValue.text(
            "unknown" if found.interval is None else found.interval.calls_known
        ),
        "sampled_statements": dg.MetadataValue.md(
            table(
                ["about s", "at least", "at most", "runs found", "role", "statement"],
                [
                    (
                        each.seconds,
                        each.low_seconds,
                        each.high_seconds,
                        each.runs,
                        each.user,
                        each.text,
                    )
                    for each in found.sampled
                ],
            )
        ),
        "costly_statements": dg.MetadataValue.md(
            table(
                ["total s", "mean s", "calls", "rows", "role", "statement"],
                [
                    (
                        each.total_seconds,
                        each.mean_seconds,
                        each.calls,
                        each.rows,
                        each.user,
                        each.text,
                    )
                    for each in costly
                ],
                empty="none" if statistics.available else "unknown",
            )
        ),
    }


def tables_metadata(found: Tables) -> dict[str, dg.MetadataValue]:
    """Every table with its sizes, biggest first."""
    return {
        "summary": dg.MetadataValue.md(f"**{size(found.total_bytes)}** in {found.count} tables"),
        "tables": dg.MetadataValue.int(found.count),
        "total_bytes": dg.MetadataValue.int(found.total_bytes),
        "index_bytes": dg.MetadataValue.int(sum(each.index_bytes for each in found.tables)),
        "toast_bytes": dg.MetadataValue.int(sum(each.toast_bytes for each in found.tables)),
        "dead_rows": dg.MetadataValue.int(sum(each.dead_rows or 0 for each in found.tables)),
        "estimated": dg.MetadataValue.int(found.estimated),
        "by_table": dg.MetadataValue.md(
            table(
                [
                    "table",
                    "total",
                    "table bytes",
                    "index bytes",
                    "rows (estimate)",
                    "dead rows",
                    "exact",
                ],
                [
                    (
                        each.subject,
                        size(each.total_bytes),
                        each.table_bytes,
                        each.index_bytes,
                        known(each.rows),
                        known(each.dead_rows),
                        each.exact,
                    )
                    for each in found.tables
                ],
            )
        ),
    }


def indexes_metadata(found: Indexes) -> dict[str, dg.MetadataValue]:
    """Every index with its size and use."""
    unused = unused_indexes(found.indexes)
    return {
        "summary": dg.MetadataValue.md(
            f"**{len(unused)}** of {found.count} indexes were never scanned and enforce "
            f"nothing ({size(sum(each.bytes for each in unused))})"
        ),
        "indexes": dg.MetadataValue.int(found.count),
        "total_bytes": dg.MetadataValue.int(found.total_bytes),
        "unused": dg.MetadataValue.int(len(unused)),
        "unused_bytes": dg.MetadataValue.int(sum(each.bytes for each in unused)),
        "invalid": dg.MetadataValue.int(sum(not each.valid for each in found.indexes)),
        "foreign_keys": dg.MetadataValue.int(len(found.foreign_keys)),
        "estimated": dg.MetadataValue.int(found.estimated),
        "counted_since": moment(found.statistics_since),
        "by_index": dg.MetadataValue.md(
            table(
                ["index", "table", "size", "bytes", "scans", "kind", "valid"],
                [
                    (
                        each.subject,
                        each.table,
                        size(each.bytes),
                        each.bytes,
                        known(each.scans),
                        _kind(each),
                        each.valid,
                    )
                    for each in found.indexes
                ],
            )
        ),
    }


def _kind(index: IndexFacts) -> str:
    if index.primary:
        return "primary key"
    if index.constraint is not None:
        return f"constraint {index.constraint}"
    return f"unique {index.method}" if index.unique else index.method


def _counts(what: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    rows: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: -item[1])
    return dg.MetadataValue.md(table([what, "connections"], rows))
