"""Which statements cost most, from pg_stat_statements where the server has it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from psycopg import errors

from bounty_ops.monitoring.accounting import Interval, account
from bounty_ops.monitoring.collectors.statement_entries import (
    Entries,
    Extension,
    origin_of,
    probe_extension,
    read_entries,
    read_texts,
)
from bounty_ops.monitoring.collectors.statement_facts import (
    RestOfStatements,
    SlowStatement,
    StatementInterval,
    StatementStatistics,
)
from bounty_ops.monitoring.looks import Key
from bounty_ops.monitoring.probe import Probe, identifier
from bounty_ops.monitoring.result import Unknown
from bounty_ops.monitoring.statement_memory import (
    MOST_TEXTS,
    StatementMemory,
    StatementText,
    decode,
    encode,
)

_SUBJECT: Final = "slow statements"
_INSTEAD: Final = "running queries are sampled instead"
_LOAD: Final = (
    "put pg_stat_statements into shared_preload_libraries, restart the server, and run "
    "CREATE EXTENSION pg_stat_statements in this database"
)
#: After the costliest of the interval the list is filled up by these in turn.
_ORDERS: Final = ("total_ms", "mean_ms", "calls")
#: The server lost its file of texts, or threw the entry away in this very moment.
_GONE: Final = StatementText("", "")


class Statements(NamedTuple):
    """What was found out about statements."""

    statistics: StatementStatistics
    listed: tuple[SlowStatement, ...] = ()
    interval: StatementInterval | None = None
    rest: RestOfStatements | None = None
    unknown: tuple[Unknown, ...] = ()
    memory: bytes | None = None


def collect_statements(probe: Probe, family: str) -> Statements:
    """The costliest statements: of the time since the collection before, and of all time.

    Raises:
        psycopg.Error: something failed that has nothing to do with the extension.
    """
    installed = probe.rows("statements_extension")
    if not installed:
        return _none(probe, family, "pg_stat_statements is not installed", _LOAD)
    ((schema, version, usable),) = installed
    place, user = identifier(schema), identifier(probe.user)
    if not usable:
        grant = f"GRANT USAGE ON SCHEMA {place} TO {user}"
        return _none(probe, family, f"schema {schema} is closed to {probe.user}", grant)
    try:
        return _read(probe, family, probe_extension(probe, schema))
    except errors.ObjectNotInPrerequisiteState:
        return _none(probe, family, "pg_stat_statements is installed but not loaded", _LOAD)
    except errors.InsufficientPrivilege:
        grant = f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {place} TO {user}"
        return _none(
            probe, family, f"{probe.user} may not read pg_stat_statements {version}", grant
        )


def _none(probe: Probe, family: str, reason: str, remedy: str) -> Statements:
    told = f"{reason}; {_INSTEAD}" if probe.policy.sampling_seconds else reason
    unknown = Unknown(family, _SUBJECT, told, remedy)
    return Statements(StatementStatistics(available=False), unknown=(unknown,))


def _read(probe: Probe, family: str, extension: Extension) -> Statements:
    """Numbers of all entries, then texts of those that are listed for the first time."""
    origin = origin_of(probe)
    former = decode(probe.memory.get(family), origin)
    entries = read_entries(probe, extension)
    interval = None if former is None else account(former.look, entries.look)
    listed = _choose(entries.seen, interval, probe.policy.statements_listed)
    texts = _texts(probe, extension, listed, {} if former is None else former.texts)
    memory = StatementMemory(origin, entries.look.after(interval), texts)
    return Statements(
        statistics=StatementStatistics(
            available=True,
            entries=len(entries.seen),
            hidden=entries.hidden,
            room=entries.look.room,
            evicted=entries.look.evictions,
            since=entries.look.reset_at,
        ),
        listed=tuple(_statement(key, entries, interval, texts) for key in listed),
        interval=None if interval is None else _interval(interval),
        rest=_rest(entries, interval, set(listed)),
        unknown=_hidden(probe, family, entries),
        memory=encode(memory),
    )


def _hidden(probe: Probe, family: str, entries: Entries) -> tuple[Unknown, ...]:
    if not entries.hidden:
        return ()
    reason = f"{entries.hidden} statements of other roles are hidden from {probe.user}"
    return (Unknown(family, _SUBJECT, reason, probe.grant_stats()),)


def _choose(seen: Mapping[Key, dict[str, Any]], interval: Interval | None, most: int) -> list[Key]:
    """The costliest, by total time: half of the list by what they did since the last collection.

    The other half, and what that leaves free, goes by the counters of all time in turn.
    """
    chosen: dict[Key, None] = {}
    if interval is not None:
        active = [key for key, spent in interval.spent.items() if spent.calls]
        active.sort(key=lambda key: interval.spent[key].seconds, reverse=True)
        chosen.update(dict.fromkeys(active[: (most + 1) // 2]))
    ranked = [_ranked(seen, order) for order in _ORDERS]
    for candidates in zip(*ranked, strict=True):
        for key in candidates:
            if len(chosen) < most:
                chosen.setdefault(key)
    return sorted(chosen, key=lambda key: -seen[key]["total_ms"])


def _ranked(seen: Mapping[Key, dict[str, Any]], order: str) -> list[Key]:
    return sorted(seen, key=lambda key: -seen[key][order])


def _texts(
    probe: Probe, extension: Extension, listed: Iterable[Key], known: Mapping[int, StatementText]
) -> dict[int, StatementText]:
    """Of the listed statements, and of others that were listed before."""
    wanted = {key.query_id for key in listed}
    read = read_texts(probe, extension, wanted - known.keys())
    texts = {query_id: text for query_id, text in known.items() if query_id in wanted} | read
    others = [query_id for query_id in known if query_id not in wanted]
    spare = max(0, MOST_TEXTS - len(texts))
    return texts | {query_id: known[query_id] for query_id in others[:spare]}


def _statement(
    key: Key, entries: Entries, interval: Interval | None, texts: Mapping[int, StatementText]
) -> SlowStatement:
    entry, counted = entries.seen[key], entries.look.entries[key]
    spent = None if interval is None else interval.spent[key]
    text = texts.get(key.query_id, _GONE)
    return SlowStatement(
        query_id=str(key.query_id),
        fingerprint=text.fingerprint,
        user=entry["user"],
        toplevel=key.toplevel,
        calls=counted.calls,
        rows=counted.rows,
        total_seconds=counted.seconds,
        mean_seconds=entry["mean_ms"] / 1000,
        max_seconds=counted.longest,
        shared_blocks_hit=entry["shared_blocks_hit"],
        shared_blocks_read=entry["shared_blocks_read"],
        temp_blocks_written=entry["temp_blocks_written"],
        since=counted.since,
        interval_calls=None if spent is None else spent.calls,
        interval_seconds=None if spent is None else spent.seconds,
        interval_rows=None if spent is None else spent.rows,
        text=text.text,
    )


def _interval(interval: Interval) -> StatementInterval:
    top = [spent for key, spent in interval.spent.items() if key.toplevel]
    return StatementInterval(
        since=interval.since,
        until=interval.until,
        calls=sum(spent.calls for spent in top),
        statement_seconds=sum(spent.seconds for spent in top),
        rows=sum(spent.rows for spent in top),
        calls_coverage=interval.calls_coverage,
        calls_coverage_least=interval.calls_coverage_least,
        seconds_coverage=interval.seconds_coverage,
        lost_calls=interval.lost_calls,
        lost_seconds=interval.lost_seconds,
        hidden_calls=interval.hidden_calls,
        evictions=interval.evictions,
        made_anew=interval.made_anew,
        vanished=interval.vanished,
        unseen=interval.unseen,
        unproven_calls=interval.unproven_calls,
    )


def _rest(entries: Entries, interval: Interval | None, listed: set[Key]) -> RestOfStatements:
    others = [key for key in entries.seen if key.toplevel and key not in listed]
    counted = [entries.look.entries[key] for key in others]
    spent = None if interval is None else [interval.spent[key] for key in others]
    return RestOfStatements(
        entries=len(others),
        calls=sum(each.calls for each in counted),
        total_seconds=sum(each.seconds for each in counted),
        rows=sum(each.rows for each in counted),
        interval_calls=None if spent is None else sum(each.calls for each in spent),
        interval_seconds=None if spent is None else sum(each.seconds for each in spent),
        interval_rows=None if spent is None else sum(each.rows for each in spent),
    )
