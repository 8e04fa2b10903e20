"""Masking a restored copy, so that nothing of what was masked is left in its files.

Every value becomes a pseudonym: a keyed hash of it in a form that fits. The same value has the same
pseudonym in every column, so what was unique or equal stays so. The key is made for one refresh and
forgotten, so nobody can find out by trying which pseudonym an address has.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import psycopg
from psycopg import sql

from bounty_ops.errors import RestoreError
from bounty_ops.postgres.connect import connect
from bounty_ops.restore.pseudonyms import FUNCTIONS, expression

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.restore.masking import MaskedColumn, MaskingPlan

    Connection = psycopg.Connection[TupleRow]

APPLICATION_NAME: Final = "bounty-ops masking"
_KEYS: Final = """
SELECT k.conname::text, n.nspname::text, c.relname::text, fn.nspname::text, f.relname::text,
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY u (num, pos)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num
              ORDER BY pos),
       ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY u (num, pos)
               JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num
              ORDER BY pos)
  FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_class f ON f.oid = k.confrelid
  JOIN pg_catalog.pg_namespace fn ON fn.oid = f.relnamespace
 WHERE k.contype = 'f' AND k.conparentid = 0
"""


def disguise(
    url: DatabaseUrl, plan: MaskingPlan, *, progress: Callable[[str], None]
) -> tuple[str, ...]:
    """Mask a copy that nobody else can reach yet.

    Args:
        url: of the copy.
        plan: what becomes of which column.
        progress: called with what begins.

    Returns:
        What has to be told about it.

    Raises:
        RestoreError: a masked value does not fit, or a foreign key would break.
        PostgresError: the server refused.
    """
    with connect(url, application_name=APPLICATION_NAME) as connection:
        connection.execute("SET statement_timeout = 0")
        connection.execute("SET search_path = pg_catalog")
        connection.execute("SET row_security = off")
        connection.execute(
            "SELECT pg_catalog.set_config('bounty_ops.mask_key', %s, false)",
            [secrets.token_hex(32)],
        )
        quiet = _without_triggers(connection)
        keys = _masked_keys(connection, plan, quiet=quiet)
        for function in FUNCTIONS:
            connection.execute(function.encode())
        columns_of = _columns(connection, plan)
        for (schema, table), columns in columns_of.items():
            progress(f"masking {schema}.{table}")
            _mask_table(connection, columns, quiet=quiet)
        for key in keys:
            _require_key(connection, key)
        _refresh_views(connection)
        progress("rewriting the masked tables")
        _rewrite(connection, plan)
    return (f"{len(plan.columns)} columns of {len(plan.tables)} tables were masked",)


def _columns(
    connection: Connection, plan: MaskingPlan
) -> dict[tuple[str, str], list[MaskedColumn]]:
    """The columns by table, with their types as the copy has them."""
    rows = connection.execute(
        "SELECT n.nspname::text, c.relname::text, a.attname::text,"
        " pg_catalog.format_type(a.atttypid, a.atttypmod)"
        " FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p')"
    ).fetchall()
    kinds = {(schema, table, column): str(kind) for schema, table, column, kind in rows}
    found: dict[tuple[str, str], list[MaskedColumn]] = {}
    for one in plan.columns:
        typed = replace(one, type=kinds[one.key])
        found.setdefault((one.schema, one.table), []).append(typed)
    return found


Key = tuple[str, tuple[str, str], tuple[str, str], list[str], list[str]]


def _without_triggers(connection: Connection) -> bool:
    """Keep the copy's own triggers from copying what is masked to somewhere else."""
    try:
        connection.execute("SET session_replication_role = replica")
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def _masked_keys(connection: Connection, plan: MaskingPlan, *, quiet: bool) -> list[Key]:
    """Foreign keys over masked columns: both ends have to be masked alike.

    Raises:
        RestoreError: they are not, or this role cannot change both ends one after the other.
    """
    rules = {one.key: one.rule for one in plan.columns}
    found: list[Key] = []
    for name, schema, table, other_schema, other, columns, others in connection.execute(
        _KEYS.encode()
    ).fetchall():
        here = [rules.get((schema, table, one)) for one in columns]
        there = [rules.get((other_schema, other, one)) for one in others]
        if not any(here) and not any(there):
            continue
        if here != there:
            raise RestoreError(
                f"the foreign key {name} of {schema}.{table} would break: its two ends are not "
                "masked alike",
                hint="Give the columns on both ends the same rule in [masking].",
            )
        if not quiet:
            raise RestoreError(
                f"the foreign key {name} of {schema}.{table} is masked, and the role may not set "
                "session_replication_role",
                hint="Use a role that may (GRANT SET ON PARAMETER), or give both columns `keep`.",
            )
        found.append((name, (schema, table), (other_schema, other), columns, others))
    return found


def _mask_table(connection: Connection, columns: list[MaskedColumn], *, quiet: bool) -> None:
    table = sql.Identifier(columns[0].schema, columns[0].table)
    changes = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(sql.Identifier(one.column), expression(one)) for one in columns
    )
    with connection.transaction():
        states = [] if quiet else _trigger_states(connection, columns[0])
        if states:
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(table))
        try:
            connection.execute(sql.SQL("UPDATE {} SET {}").format(table, changes))
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise _does_not_fit(columns[0], error) from None
        for name, state in states:
            connection.execute(
                sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
                    table, sql.SQL(_STATES[state]), sql.Identifier(name)
                )
            )


_STATES: Final = {
    "O": "ENABLE",
    "D": "DISABLE",
    "A": "ENABLE ALWAYS",
    "R": "ENABLE REPLICA",
}


def _trigger_states(connection: Connection, column: MaskedColumn) -> list[tuple[str, str]]:
    rows = connection.execute(
        "SELECT t.tgname::text, t.tgenabled::text FROM pg_catalog.pg_trigger t"
        " JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = %s AND c.relname = %s AND NOT t.tgisinternal",
        [column.schema, column.table],
    ).fetchall()
    return [(str(name), str(state)) for name, state in rows]


def _does_not_fit(column: MaskedColumn, error: psycopg.Error) -> RestoreError:
    what = error.diag.constraint_name or error.diag.column_name
    told = f": {what}" if what else ""
    # The primary message names no value; the detail would.
    return RestoreError(
        f"the masked values do not fit into {column.schema}.{column.table}{told}: "
        f"{error.diag.message_primary}",
        hint="Give the column another rule in [masking], such as `null` or `keep`.",
    )


def _require_key(connection: Connection, key: Key) -> None:
    name, table, other, columns, others = key
    pairs = sql.SQL(" AND ").join(
        sql.SQL("o.{} = t.{}").format(sql.Identifier(there), sql.Identifier(here))
        for here, there in zip(columns, others, strict=True)
    )
    known = sql.SQL(" AND ").join(
        sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(here)) for here in columns
    )
    statement = sql.SQL(
        "SELECT EXISTS (SELECT FROM {} t WHERE {} AND NOT EXISTS (SELECT FROM {} o WHERE {}))"
    ).format(sql.Identifier(*table), known, sql.Identifier(*other), pairs)
    row = connection.execute(statement).fetchone()
    if row and row[0]:
        raise RestoreError(
            f"the foreign key {name} of {'.'.join(table)} no longer holds after masking",
            hint="Give its columns `keep` in [masking].",
        )


def _refresh_views(connection: Connection) -> None:
    """Materialized views hold copies; those made later may be made from earlier ones."""
    rows = connection.execute(
        "SELECT n.nspname::text, c.relname::text FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'm' AND c.relispopulated ORDER BY c.oid"
    ).fetchall()
    for schema, name in rows:
        connection.execute(
            sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(schema, name))
        )


def _rewrite(connection: Connection, plan: MaskingPlan) -> None:
    """Dead rows, old index entries and samples in the statistics hold what was masked."""
    for table in plan.tables:
        connection.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(*table)))
    connection.execute("ANALYZE")
    for catalog in ("pg_statistic", "pg_statistic_ext_data"):
        connection.execute(
            sql.SQL("VACUUM (FULL) {}").format(sql.Identifier("pg_catalog", catalog))
        )
