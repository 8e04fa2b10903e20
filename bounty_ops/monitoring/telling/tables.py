"""Each family as tables of words: the same ones in the terminal and on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.collectors.activity import Activity
from bounty_ops.monitoring.collectors.connections import Connections
from bounty_ops.monitoring.collectors.indexes import Indexes
from bounty_ops.monitoring.collectors.queries import Queries
from bounty_ops.monitoring.collectors.tables import Tables
from bounty_ops.monitoring.findings import duration, size
from bounty_ops.monitoring.telling.view import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from bounty_ops.monitoring.collectors.blocking import Blocking, Waiter
    from bounty_ops.monitoring.collectors.indexes import IndexFacts
    from bounty_ops.monitoring.collectors.statement_facts import SlowStatement
    from bounty_ops.monitoring.result import CollectionResult

#: Of longer lists people read the beginning; --json holds all.
LISTED: Final = 20


def connection_tables(result: CollectionResult) -> tuple[Table, ...]:
    """What can refuse the next connection, and who is connected, by each of the ways to count."""
    found = result.family(Connections)
    if found is None:
        return ()
    ways: tuple[tuple[str, Mapping[str, int]], ...] = (
        ("State", found.by_state),
        ("Role", found.by_user),
        ("Application", found.by_application),
        ("Database", found.by_database),
    )
    limits = sorted(found.limits, key=lambda one: (-one.ratio, one.limit))
    return (
        Table(
            "Limits on connections, the fullest first",
            ("Limit", ">Used", ">Of", ">Share"),
            tuple(
                (one.kind if one.name is None else f"{one.kind} {one.name}", f"{one.used:,}",
                 f"{one.limit:,}", f"{one.ratio:.0%}")
                for one in limits[:LISTED]
            ),
        ),
        *(
            Table(
                f"Connections by {title.lower()}",
                (title, ">Connections"),
                tuple((name, f"{count:,}") for name, count in _most(counts)),
            )
            for title, counts in ways
        ),
    )  # fmt: skip


def lock_tables(result: CollectionResult) -> tuple[Table, ...]:
    """Who waits for whom, who takes long, and who holds VACUUM back."""
    found = result.family(Activity)
    if found is None:
        return ()
    rows: list[tuple[str, ...]] = []
    for tree in found.blocking:
        rows.append(_blocker(tree))
        rows.extend(_waiter(one) for one in tree.waiters)
    return (
        Table(
            "Who waits for whom",
            ("Session", "Role", "Application", ">Waits", "Lock", "Statement"),
            tuple(rows),
            "The one at the margin waits for nobody and holds up those below it.",
        ),
        Table(
            "Long queries and transactions",
            (">Pid", "Role", "Application", "State", ">For", ">Transaction", "Statement"),
            tuple(
                (str(one.pid), one.user, one.application, one.state, duration(one.seconds),
                 _seconds(one.transaction_seconds), one.statement)
                for one in found.sessions
            ),
        ),
        Table(
            "Who holds VACUUM back",
            ("What", "Name", "Role", ">Transactions ago", ">For"),
            tuple(
                (one.kind, one.name, one.user or "", f"{one.xid_age:,}", _seconds(one.seconds))
                for one in found.horizons
            ),
        ),
    )  # fmt: skip


def query_tables(result: CollectionResult) -> tuple[Table, ...]:
    """The statements that cost most, and what runs now."""
    found = result.family(Queries)
    if found is None:
        return ()
    sampled = found.source == "sampling"
    return (
        _sampled_statements(found) if sampled else _counted_statements(found),
        Table(
            "Running now",
            (">Pid", "Role", "Application", "State", ">For", "Waits for", "Statement"),
            tuple(
                (str(one.pid), one.user, one.application, one.state, duration(one.seconds),
                 ", ".join(map(str, one.blocked_by)), one.text)
                for one in found.running
            ),
        ),
    )  # fmt: skip


def _counted_statements(found: Queries) -> Table:
    """By the server's counters: of all time, and of the time since the look before."""
    costly = sorted(found.statements, key=lambda one: -one.total_seconds)
    interval, note = found.interval, ""
    lately: tuple[str, ...] = ()
    if interval is not None:
        lately = (">Lately", ">Calls")
        over = duration((interval.until - interval.since).total_seconds())
        known = interval.calls_known
        note = f"Lately: within {over}; {known} of the calls of that time are known."
    return Table(
        "Statements by the time they took altogether",
        (*lately, ">Time", ">Calls", ">Mean", ">Longest", ">Rows", "Role", "Statement"),
        tuple(
            (*_lately(one, told=bool(lately)), f"{one.total_seconds:,.1f} s", f"{one.calls:,}",
             _short(one.mean_seconds), _short(one.max_seconds), f"{one.rows:,}", one.user,
             one.text)
            for one in costly[:LISTED]
        ),
        note,
    )  # fmt: skip


def _lately(one: SlowStatement, *, told: bool) -> tuple[str, ...]:
    if not told:
        return ()
    seconds = one.interval_seconds
    return "unknown" if seconds is None else _short(seconds), _number(one.interval_calls)


def _sampled_statements(found: Queries) -> Table:
    """By looks at what ran, where nobody counts."""
    seconds = found.sampling.seconds if found.sampling else 0.0
    least = found.sampling.unseen_below_seconds if found.sampling else 0.0
    return Table(
        "Statements by the time for which looks found them running",
        (">About", "Between", ">Share", ">Runs found", "Role", "Statement"),
        tuple(
            (_short(one.seconds), f"{_short(one.low_seconds)} and {_short(one.high_seconds)}",
             f"{one.share:.0%}", f"{one.runs:,}", one.user, one.text)
            for one in found.sampled[:LISTED]
        ),
        f"Looked for {_short(seconds)}; what is not listed took less than {_short(least)}.",
    )  # fmt: skip


def table_tables(result: CollectionResult) -> tuple[Table, ...]:
    """The tables, largest first."""
    found = result.family(Tables)
    if found is None:
        return ()
    return (
        Table(
            "Tables by size",
            ("Table", ">Size", ">Indexes", ">TOAST", ">Rows", ">Dead", ">Of the trigger",
             "Vacuumed"),
            tuple(
                (one.subject, f"{size(one.total_bytes)}{'' if one.exact else ' ~'}",
                 size(one.index_bytes), size(one.toast_bytes), _number(one.live_rows),
                 _number(one.dead_rows), _share(one.dead_ratio_of_trigger),
                 _date(max(filter(None, (one.last_vacuum, one.last_autovacuum)), default=None)))
                for one in found.tables[:LISTED]
            ),
            _rest(found.count),
        ),
    )  # fmt: skip


def index_tables(result: CollectionResult) -> tuple[Table, ...]:
    """The indexes, largest first."""
    found = result.family(Indexes)
    if found is None:
        return ()
    return (
        Table(
            "Indexes by size",
            ("Index", "Table", ">Size", ">Scans", "Last", "Is"),
            tuple(
                (one.name, f"{one.schema_name}.{one.table}",
                 f"{size(one.bytes)}{'' if one.exact else ' ~'}", _number(one.scans),
                 _date(one.last_scan), _is(one))
                for one in found.indexes[:LISTED]
            ),
            _rest(found.count),
        ),
    )  # fmt: skip


#: By the name of the command that shows them, in the order of the page.
TABLES: Final[dict[str, Callable[[CollectionResult], tuple[Table, ...]]]] = {
    "locks": lock_tables,
    "connections": connection_tables,
    "queries": query_tables,
    "tables": table_tables,
    "indexes": index_tables,
}
#: What has to be measured for each.
FAMILY_OF: Final = {
    "locks": Activity.family,
    "connections": Connections.family,
    "queries": Queries.family,
    "tables": Tables.family,
    "indexes": Indexes.family,
}


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:LISTED]


def _blocker(tree: Blocking) -> tuple[str, ...]:
    name = f"pid {tree.blocker_pid}" if tree.prepared is None else f"prepared {tree.prepared}"
    open_for = _seconds(tree.transaction_seconds)
    state = f"{tree.state or 'unknown'}, transaction open for {open_for or 'unknown'}"
    return (
        name, tree.user or "", tree.application or "", "", state, tree.statement or "unknown",
    )  # fmt: skip


def _waiter(one: Waiter) -> tuple[str, ...]:
    return (
        f"{'└' * one.depth} pid {one.pid}", one.user or "", one.application or "",
        duration(one.seconds), one.lock, one.statement or "unknown",
    )  # fmt: skip


def _is(index: IndexFacts) -> str:
    words = (
        (index.primary, "primary key"),
        (index.unique and not index.primary, "unique"),
        (index.partial, "partial"),
        (not index.valid, "INVALID"),
    )
    return ", ".join(word for true, word in words if true)


def _rest(count: int) -> str:
    estimated = "~ marks what somebody had locked: its size is an estimate."
    return estimated if count <= LISTED else f"{count - LISTED:,} more: --json. {estimated}"


def _number(count: int | None) -> str:
    return "unknown" if count is None else f"{count:,}"


def _share(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0%}"


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else duration(seconds)


def _short(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.1f} s"


def _date(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
