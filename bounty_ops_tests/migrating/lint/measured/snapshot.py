"""What the server says at one moment: locks, counters, files, rows, probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from psycopg import sql

from bounty_ops_tests.migrating.lint.measured import probes as application
from bounty_ops_tests.migrating.lint.measured.measurement import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops_tests.migrating.lint.measured.sessions import Session

_SCHEMAS: Final = "n.nspname IN ('public', 'billing', 'legacy')"
_KINDS: Final = {
    "r": "table",
    "p": "table",
    "m": "materialized view",
    "v": "view",
    "i": "index",
    "I": "index",
    "S": "sequence",
    "c": "type",
}
#: Fewer rows than that are read in no time.
_WORK: Final = 1_000
_MASS: Final = 5_000
#: Locks of indexes and sequences below this one are taken by every query.
_WEAK: Final = frozenset(MODES[: MODES.index("SHARE UPDATE EXCLUSIVE")])

#: Rows read, and rows updated or deleted, by oid.
Counters = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Relation:
    """One that was there before the file."""

    name: str
    kind: str


@dataclass(frozen=True)
class State:
    """What a file can destroy."""

    rows: Mapping[int, tuple[str, int]]
    columns: Mapping[tuple[int, int], str]
    invalid: tuple[str, ...]
    published: frozenset[int]
    probes: tuple[application.Probe, ...]
    outcomes: dict[application.Probe, int | str]


def relations(connection: Session) -> dict[int, Relation]:
    """Everything in the schemas of the application, by oid; public is not named."""
    query = (
        "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_class c "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_SCHEMAS} AND c.relkind <> 't'"
    )
    return {
        int(str(oid)): Relation(
            str(name) if schema == "public" else f"{schema}.{name}", _KINDS[str(kind)]
        )
        for oid, schema, name, kind in connection.execute(query).fetchall()
    }


def locks(observer: Session, pid: int, known: dict[int, Relation]) -> dict[str, tuple[str, ...]]:
    """Modes that a backend has or waits for, by relation."""
    query = (
        "SELECT DISTINCT relation, mode FROM pg_locks WHERE pid = %s AND locktype = 'relation' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    found: dict[str, set[str]] = {}
    for oid, mode in observer.execute(query, [pid]).fetchall():
        relation = known.get(int(str(oid)))
        if relation is None:
            continue
        name = _mode(str(mode))
        if relation.kind in {"index", "sequence", "type"} and name in _WEAK:
            continue
        found.setdefault(relation.name, set()).add(name)
    return {name: tuple(sorted(modes, key=MODES.index)) for name, modes in sorted(found.items())}


def _mode(catalogue_name: str) -> str:
    """AccessExclusiveLock -> ACCESS EXCLUSIVE."""
    words = "".join(f" {letter}" if letter.isupper() else letter for letter in catalogue_name)
    return words.removesuffix(" Lock").strip().upper()


def counters(connection: Session, known: dict[int, Relation]) -> Counters:
    """Rows read and rows changed in this transaction, by relation.

    ALTER TABLE, CREATE INDEX and the check of a foreign key count what they read as a query does.
    """
    query = (
        "SELECT relid, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0), "
        "coalesce(n_tup_upd, 0) + coalesce(n_tup_del, 0) FROM pg_stat_xact_user_tables"
    )
    return {
        known[int(str(oid))].name: (int(str(read)), int(str(changes)))
        for oid, read, changes in connection.execute(query).fetchall()
        if int(str(oid)) in known
    }


def worked(before: Counters, after: Counters) -> tuple[str, ...]:
    """Relations of which many rows were read or changed in between."""
    return tuple(
        name
        for name, now in sorted(after.items())
        if sum(now) - sum(before.get(name, (0, 0))) >= _WORK
    )


def changed(before: Counters, after: Counters) -> tuple[str, ...]:
    """Relations of which very many rows were updated or deleted in between."""
    return tuple(
        name for name, now in sorted(after.items()) if now[1] - before.get(name, (0, 0))[1] >= _MASS
    )


def files(connection: Session, known: dict[int, Relation]) -> dict[str, tuple[int, int]]:
    """Where each relation is stored, and how large it is."""
    query = (
        "SELECT oid, relfilenode, pg_relation_size(oid) FROM pg_class "
        "WHERE oid = ANY (%s) AND relfilenode <> 0"
    )
    found = connection.execute(query, [list(known)]).fetchall()
    return {
        known[int(str(oid))].name: (int(str(file)), int(str(size))) for oid, file, size in found
    }


def rewritten(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]]
) -> tuple[str, ...]:
    """Relations of more than a few pages that are stored elsewhere now."""
    return tuple(
        name
        for name, (file, size) in sorted(before.items())
        if size > 8 * 8192 and name in after and after[name][0] != file
    )


def take(
    connection: Session,
    probes: tuple[application.Probe, ...] | None = None,
) -> State:
    """Everything that a file could destroy; leaves nothing changed."""
    with connection.transaction(force_rollback=True):
        tried = application.probes_of(connection) if probes is None else probes
        return State(
            rows=_rows(connection),
            columns=_columns(connection),
            invalid=_names(
                connection,
                "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                "WHERE NOT i.indisvalid AND c.relkind = 'i' ORDER BY 1",
            ),
            published=frozenset(
                int(name)
                for name in _names(connection, "SELECT prrelid::text FROM pg_publication_rel")
            ),
            probes=tried,
            outcomes=application.outcomes(connection, tried),
        )


def _names(connection: Session, query: str) -> tuple[str, ...]:
    return tuple(str(name) for (name,) in connection.execute(query.encode()).fetchall())


def _rows(connection: Session) -> dict[int, tuple[str, int]]:
    query = (
        "SELECT c.oid, n.nspname, c.relname FROM pg_class c "
        f"JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_SCHEMAS} AND relkind = 'r'"
    )
    result = {}
    for oid, schema, name in connection.execute(query).fetchall():
        count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(str(schema), str(name)))
        row = connection.execute(count).fetchone()
        assert row is not None
        result[int(str(oid))] = (str(name), int(str(row[0])))
    return result


def _columns(connection: Session) -> dict[tuple[int, int], str]:
    query = (
        "SELECT c.oid, a.attnum, c.relname || '.' || a.attname FROM pg_attribute a "
        "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        f"WHERE {_SCHEMAS} AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped"
    )
    return {
        (int(str(oid)), int(str(number))): str(name)
        for oid, number, name in connection.execute(query).fetchall()
    }


def lost(before: State, after: State) -> tuple[str, ...]:
    """Tables that are gone or empty and had rows, and columns that are gone."""
    tables = [
        f"all rows of {name}"
        for oid, (name, count) in before.rows.items()
        if count and not after.rows.get(oid, ("", 0))[1]
    ]
    columns = [
        f"column {name}"
        for (oid, number), name in before.columns.items()
        if oid in after.rows and (oid, number) not in after.columns and before.rows[oid][1]
    ]
    return tuple(sorted(tables + columns))


def unpublished(before: State, after: State) -> tuple[str, ...]:
    """Tables that are there and published no more."""
    return tuple(
        sorted(
            before.rows[oid][0]
            for oid in before.published - after.published
            if oid in after.rows and oid in before.rows
        )
    )
