"""Reading pg_stat_statements, whatever its version.

Nothing is ever reset: a reset takes other tools' history away, and makes prepared statements
come back with their literals in the text.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import psycopg
from psycopg import sql

from bounty_ops.monitoring.fingerprints import fingerprint_of
from bounty_ops.monitoring.going_on import Counted
from bounty_ops.monitoring.literals import MOST_READ, strip_literals
from bounty_ops.monitoring.looks import Key, Look
from bounty_ops.monitoring.probe import Probe
from bounty_ops.monitoring.statement_memory import StatementText

#: Field -> its column's names, newest first, and what stands for it where there is none. The
#: version of the *extension* decides, and that can be older than the server's after pg_upgrade;
#: so the columns are probed.
_COLUMNS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "calls": (("calls",), "NULL"),
    "plans": (("plans",), "0"),
    "rows": (("rows",), "NULL"),
    "total_ms": (("total_exec_time", "total_time"), "NULL"),
    "mean_ms": (("mean_exec_time", "mean_time"), "NULL"),
    "min_ms": (("min_exec_time", "min_time"), "NULL"),
    "max_ms": (("max_exec_time", "max_time"), "NULL"),
    "deviation_ms": (("stddev_exec_time", "stddev_time"), "NULL"),
    "shared_blocks_hit": (("shared_blks_hit",), "NULL"),
    "shared_blocks_read": (("shared_blks_read",), "NULL"),
    "temp_blocks_written": (("temp_blks_written",), "NULL"),
    "toplevel": (("toplevel",), "true"),
    "since": (("stats_since",), "NULL"),
}


@dataclass(frozen=True)
class Extension:
    """What the installed version of the extension offers."""

    function: sql.Identifier
    columns: dict[str, sql.Composable]
    information: sql.Identifier | None


@dataclass(frozen=True)
class Entries:
    """All entries of this database: as they are, and as a look to account with."""

    look: Look
    seen: dict[Key, dict[str, Any]]
    hidden: int
    """How many belong to roles that ours may not look at."""


def probe_extension(probe: Probe, schema: str) -> Extension:
    """Find out which columns there are.

    Raises:
        psycopg.Error: the extension is not loaded, or may not be read.
    """
    function = sql.Identifier(schema, "pg_stat_statements")
    there = probe.connection.execute(sql.SQL("SELECT * FROM {}(false) LIMIT 0").format(function))
    names = {column.name for column in there.description or ()}
    columns: dict[str, sql.Composable] = {}
    for field, (candidates, otherwise) in _COLUMNS.items():
        column = next((name for name in candidates if name in names), None)
        columns[field] = sql.SQL(otherwise) if column is None else sql.Identifier("f", column)
    information = sql.Identifier(schema, "pg_stat_statements_info")
    ((found,),) = probe.connection.execute(
        "SELECT pg_catalog.to_regclass(%s) IS NOT NULL", (information.as_string(),)
    ).fetchall()
    return Extension(function, columns, information if found else None)


def origin_of(probe: Probe) -> str:
    """Which server and database this is, for a memory that must not be taken for another's."""
    ((database,),) = probe.connection.execute(
        "SELECT oid::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()"
    ).fetchall()
    try:
        ((server,),) = probe.connection.execute(
            "SELECT system_identifier::text FROM pg_catalog.pg_control_system()"
        ).fetchall()
    except psycopg.errors.InsufficientPrivilege:
        server = "unknown"
    return f"{server} {database}"


def read_entries(probe: Probe, extension: Extension) -> Entries:
    """Every entry's numbers, without reading the server's file of texts."""
    # The clock comes first: an entry that is made after this moment may still be among them, but
    # none that was made before is missing.
    at, room = _clock(probe)
    evictions, reset_at = _information(probe, extension)
    rows = _rows(probe, extension)
    evictions_after, _ = _information(probe, extension)
    ((transactions, *transactions_since),) = probe.rows("transactions")
    seen = {
        Key(row["user_id"], row["query_id"], row["toplevel"]): row
        for row in rows
        if row["query_id"] is not None
    }
    hidden = [row["calls"] for row in rows if row["query_id"] is None]
    look = Look(
        at=at,
        entries={key: _counted(row) for key, row in seen.items()},
        reset_at=reset_at,
        evictions=evictions,
        evictions_after=evictions_after,
        room=room,
        all_entries=max((row["all_entries"] for row in rows), default=0),
        hidden_calls=sum(hidden),
        uses=tuple(sorted(row["calls"] + row["plans"] for row in rows)),
        transactions=transactions,
        transactions_since=tuple(transactions_since),
    )
    return Entries(look, seen, len(hidden))


def read_texts(
    probe: Probe, extension: Extension, query_ids: Collection[int]
) -> dict[int, StatementText]:
    """The statements without literals, by id; the server reads all texts even for one of them."""
    if not query_ids:
        return {}
    statement = sql.SQL(
        "SELECT s.queryid, pg_catalog.convert_to(pg_catalog.left(s.query, {}), "
        "CASE WHEN pg_catalog.getdatabaseencoding() = 'SQL_ASCII' THEN 'SQL_ASCII' "
        "ELSE 'UTF8' END) FROM {}(true) AS s WHERE s.queryid = ANY (%s) AND s.query IS NOT NULL "
        "AND s.dbid = (SELECT oid FROM pg_catalog.pg_database "
        "WHERE datname = pg_catalog.current_database())"
    ).format(sql.Literal(MOST_READ), extension.function)
    rows = probe.connection.execute(statement, (list(query_ids),)).fetchall()
    typed = {query_id: text.decode("utf-8", errors="replace") for query_id, text in rows}
    return {
        query_id: StatementText(strip_literals(text), fingerprint_of(text))
        for query_id, text in typed.items()
    }


def _clock(probe: Probe) -> tuple[datetime, int | None]:
    ((at, room),) = probe.connection.execute(
        "SELECT pg_catalog.clock_timestamp(), "
        "pg_catalog.current_setting('pg_stat_statements.max', true)::integer"
    ).fetchall()
    return at, room


def _rows(probe: Probe, extension: Extension) -> list[dict[str, Any]]:
    """Every entry of this database, with the number of entries of the whole server."""
    inner = [
        sql.SQL("{} AS {}").format(column, sql.Identifier(field))
        for field, column in extension.columns.items()
    ]
    statement = sql.SQL(
        "SELECT s.userid, pg_catalog.pg_get_userbyid(s.userid), s.queryid, s.all_entries, {} "
        "FROM (SELECT f.userid, f.queryid, f.dbid, {}, pg_catalog.count(*) OVER () AS all_entries "
        "FROM {}(false) AS f) AS s WHERE s.dbid = (SELECT oid FROM pg_catalog.pg_database "
        "WHERE datname = pg_catalog.current_database())"
    ).format(
        sql.SQL(", ").join(sql.Identifier("s", field) for field in extension.columns),
        sql.SQL(", ").join(inner),
        extension.function,
    )
    fields = ("user_id", "user", "query_id", "all_entries", *extension.columns)
    rows = probe.connection.execute(statement).fetchall()
    return [dict(zip(fields, row, strict=True)) for row in rows]


def _information(probe: Probe, extension: Extension) -> tuple[int | None, datetime | None]:
    """How often entries were evicted, and since when; unknown before version 1.9."""
    if extension.information is None:
        return None, None
    statement = sql.SQL("SELECT dealloc, stats_reset FROM {}").format(extension.information)
    ((evicted, since),) = probe.connection.execute(statement).fetchall()
    return evicted, since


def _counted(row: dict[str, Any]) -> Counted:
    return Counted(
        calls=row["calls"],
        seconds=row["total_ms"] / 1000,
        rows=row["rows"],
        shortest=row["min_ms"] / 1000,
        longest=row["max_ms"] / 1000,
        squares=_squares(row) if row["since"] is None else None,
        since=row["since"],
    )


def _squares(row: dict[str, Any]) -> float:
    """Of each call's seconds, summed up: the standard deviation is that of all calls."""
    mean, deviation = row["mean_ms"] / 1000, row["deviation_ms"] / 1000
    return float(row["calls"] * (mean * mean + deviation * deviation))
