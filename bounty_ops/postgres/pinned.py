"""Settings that decide how PostgreSQL writes values and definitions as text.

Fingerprints and inventories compare text, so the source and the copy have to write it alike,
whatever the server, the database or the role has set. Anything of these left to chance would call
a sound backup refuted: a server in another time zone writes every timestamptz differently.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from psycopg import sql

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

#: Every name is qualified in what is written then, but for pg_catalog's own.
_PINNED: Final = {
    "search_path": "pg_catalog",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "3",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "xmloption": "content",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "array_nulls": "on",
    "client_encoding": "UTF8",
    # Never fewer rows: a policy that would filter is an error instead.
    "row_security": "off",
    "default_transaction_read_only": "on",
}


def pin_settings(connection: psycopg.Connection[TupleRow]) -> None:
    """Make a session write values and definitions in the one form that is compared.

    Only SET statements: a SELECT would take the snapshot of a repeatable read transaction.
    """
    for name, value in _PINNED.items():
        connection.execute(
            sql.SQL("SET {} = {}").format(sql.Identifier(name), _list_or_text(name, value))
        )


def _list_or_text(name: str, value: str) -> sql.Composable:
    # search_path and DateStyle are lists: quoted as one they would name one odd element.
    if name == "DateStyle":
        return sql.SQL(", ").join(sql.Literal(part.strip()) for part in value.split(","))
    return sql.Literal(value)
