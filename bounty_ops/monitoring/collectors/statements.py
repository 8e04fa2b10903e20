"""Which statements cost most, from pg_stat_statements where the server has it.

Nothing is ever reset: a reset takes other tools' history away, and makes prepared statements
come back with their literals in the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, Final

from psycopg import errors, sql

from bounty_ops.monitoring.literals import strip_literals
from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.result import Entry, Unknown, UtcTime

#: How many are listed by each of the orders in `_ORDERS`.
LISTED_PER_ORDER: Final = 25

_SUBJECT: Final = "slow statements"
_INSTEAD: Final = "running queries were sampled instead"
_LOAD: Final = (
    "put pg_stat_statements into shared_preload_libraries, restart the server, and run "
    "CREATE EXTENSION pg_stat_statements in this database"
)
#: Field -> its column's names, newest first, and what stands for it where there is none. The
#: version of the *extension* decides, and that can be older than the server's after pg_upgrade;
#: so the columns are probed.
_COLUMNS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "calls": (("calls",), "NULL"),
    "rows": (("rows",), "NULL"),
    "total_ms": (("total_exec_time", "total_time"), "NULL"),
    "mean_ms": (("mean_exec_time", "mean_time"), "NULL"),
    "max_ms": (("max_exec_time", "max_time"), "NULL"),
    "shared_blocks_hit": (("shared_blks_hit",), "NULL"),
    "shared_blocks_read": (("shared_blks_read",), "NULL"),
    "temp_blocks_written": (("temp_blks_written",), "NULL"),
    "toplevel": (("toplevel",), "true"),
    "since": (("stats_since",), "NULL"),
}
_ORDERS: Final = ("total_ms", "mean_ms", "calls")


class SlowStatement(Entry):
    """One entry of pg_stat_statements; counters run since `since` or the last reset."""

    query_id: str
    """Text, because not every JSON reader keeps 64 bits of a number."""
    user: str
    toplevel: bool
    calls: int
    rows: int
    total_seconds: float
    mean_seconds: float
    max_seconds: float
    shared_blocks_hit: int
    shared_blocks_read: int
    temp_blocks_written: int
    since: UtcTime | None
    """When the entry was made; None before version 1.11 of the extension."""
    text: str
    """The statement without literals."""

    @property
    def subject(self) -> str:
        """Query, role and nesting: what PostgreSQL keeps an entry for."""
        return f"statement {self.query_id} {'top' if self.toplevel else 'nested'} {self.user}"


class StatementStatistics(Entry):
    """How far the list of statements can be trusted."""

    available: bool
    entries: int | None = None
    """Entries of this database that the role may see."""
    evicted: int | None = None
    """How often the server threw entries away to make room, since `since`."""
    since: UtcTime | None = None


def collect_statements(
    probe: Probe, family: str
) -> tuple[tuple[SlowStatement, ...], StatementStatistics, list[Unknown]]:
    """The costliest statements by total time, mean time and number of calls.

    Raises:
        psycopg.Error: something failed that has nothing to do with the extension.
    """
    none = StatementStatistics(available=False)
    installed = probe.rows("statements_extension")
    if not installed:
        return (), none, [_unknown(family, "pg_stat_statements is not installed", _LOAD)]
    ((schema, version, usable),) = installed
    if not usable:
        grant = f"GRANT USAGE ON SCHEMA {schema} TO {probe.user}"
        return (), none, [_unknown(family, f"schema {schema} is closed to {probe.user}", grant)]
    try:
        statements, statistics, hidden = _read(probe, schema)
    except errors.ObjectNotInPrerequisiteState:
        return (), none, [_unknown(family, "pg_stat_statements is installed but not loaded", _LOAD)]
    except errors.InsufficientPrivilege:
        grant = f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA {schema} TO {probe.user}"
        reason = f"{probe.user} may not read pg_stat_statements {version}"
        return (), none, [_unknown(family, reason, grant)]
    unknown = []
    if hidden:
        reason = f"{hidden} statements of other roles are hidden from {probe.user}"
        unknown.append(Unknown(family, _SUBJECT, reason, probe.grant_stats()))
    return statements, statistics, unknown


@dataclass(frozen=True)
class _Extension:
    """What the installed version of the extension offers."""

    function: sql.Identifier
    columns: dict[str, sql.Composable]
    information: sql.Identifier | None


def _read(probe: Probe, schema: str) -> tuple[tuple[SlowStatement, ...], StatementStatistics, int]:
    """The chosen statements, what is known about all, and how many are hidden.

    Numbers first, without texts: the server keeps those in a file that may be megabytes, and
    reads it whole even for one of them.
    """
    extension = _probe_extension(probe, schema)
    entries = _numbers(probe, extension)
    seen = [entry for entry in entries if entry["query_id"] is not None]
    chosen = _choose(seen)
    texts = _texts(probe, extension, [entry["query_id"] for entry in chosen])
    statements = tuple(_statement(entry, texts.get(_key(entry), b"")) for entry in chosen)
    evicted, since = _information(probe, extension)
    statistics = StatementStatistics(
        available=True, entries=len(seen), evicted=evicted, since=since
    )
    return statements, statistics, len(entries) - len(seen)


def _probe_extension(probe: Probe, schema: str) -> _Extension:
    function = sql.Identifier(schema, "pg_stat_statements")
    there = probe.connection.execute(sql.SQL("SELECT * FROM {}(false) LIMIT 0").format(function))
    names = {column.name for column in there.description or ()}
    columns: dict[str, sql.Composable] = {}
    for field, (candidates, otherwise) in _COLUMNS.items():
        column = next((name for name in candidates if name in names), None)
        columns[field] = sql.SQL(otherwise) if column is None else sql.Identifier("s", column)
    information = sql.Identifier(schema, "pg_stat_statements_info")
    ((found,),) = probe.connection.execute(
        "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (information.as_string(),)
    ).fetchall()
    return _Extension(function, columns, information if found else None)


def _numbers(probe: Probe, extension: _Extension) -> list[dict[str, Any]]:
    """Every entry of this database."""
    statement = sql.SQL(
        "SELECT s.userid, pg_catalog.pg_get_userbyid(s.userid), s.queryid, {} "
        "FROM {}(false) AS s WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database "
        "WHERE datname = pg_catalog.current_database())"
    ).format(sql.SQL(", ").join(extension.columns.values()), extension.function)
    fields = ("user_id", "user", "query_id", *extension.columns)
    rows = probe.connection.execute(statement).fetchall()
    return [dict(zip(fields, row, strict=True)) for row in rows]


def _texts(
    probe: Probe, extension: _Extension, query_ids: Sequence[int]
) -> dict[tuple[Any, ...], bytes]:
    if not query_ids:
        return {}
    statement = sql.SQL(
        "SELECT s.userid, s.queryid, {}, pg_catalog.convert_to(s.query, "
        "CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII' THEN 'SQL_ASCII' "
        "ELSE 'UTF8' END) FROM {}(true) AS s WHERE s.queryid = ANY (%s) AND s.query IS NOT NULL"
    ).format(extension.columns["toplevel"], extension.function)
    rows = probe.connection.execute(statement, (list(query_ids),)).fetchall()
    return {(user_id, query_id, toplevel): text for user_id, query_id, toplevel, text in rows}


def _information(probe: Probe, extension: _Extension) -> tuple[int | None, datetime | None]:
    """How many entries were evicted, and since when; unknown before version 1.9."""
    if extension.information is None:
        return None, None
    statement = sql.SQL("SELECT dealloc, stats_reset FROM {}").format(extension.information)
    ((evicted, since),) = probe.connection.execute(statement).fetchall()
    return evicted, since


def _choose(entries: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first of each order; an entry that leads several is listed once."""
    chosen: dict[tuple[Any, ...], dict[str, Any]] = {}
    for order in _ORDERS:
        ranked = sorted(entries, key=itemgetter(order), reverse=True)
        chosen.update((_key(entry), entry) for entry in ranked[:LISTED_PER_ORDER])
    return sorted(chosen.values(), key=lambda entry: -entry["total_ms"])


def _key(entry: dict[str, Any]) -> tuple[Any, ...]:
    return entry["user_id"], entry["query_id"], entry["toplevel"]


def _statement(entry: dict[str, Any], text: bytes) -> SlowStatement:
    return SlowStatement(
        query_id=str(entry["query_id"]),
        user=entry["user"],
        toplevel=entry["toplevel"],
        calls=entry["calls"],
        rows=entry["rows"],
        total_seconds=entry["total_ms"] / 1000,
        mean_seconds=entry["mean_ms"] / 1000,
        max_seconds=entry["max_ms"] / 1000,
        shared_blocks_hit=entry["shared_blocks_hit"],
        shared_blocks_read=entry["shared_blocks_read"],
        temp_blocks_written=entry["temp_blocks_written"],
        since=entry["since"],
        text=strip_literals(text.decode("utf-8", errors="replace")),
    )


def _unknown(family: str, reason: str, remedy: str) -> Unknown:
    return Unknown(family, _SUBJECT, f"{reason}; {_INSTEAD}", remedy)
