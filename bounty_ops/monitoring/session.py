"""What the session of a collection is set to, whatever its role or database would have it be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

STATEMENT_TIMEOUT_MS: Final = 5_000
LOCK_TIMEOUT_MS: Final = 100

#: The path comes first: with one that names another schema before pg_catalog, even `=` may be
#: somebody else's. A serializable transaction is refused by a standby, and one that is deferrable
#: waits for others to end. Times are read in one format, and in zones that have a name. What is
#: right already is left alone, so that it stays what it is in pg_settings.
_SETTLED: Final = f"""
SET search_path = pg_catalog;
SET statement_timeout = {STATEMENT_TIMEOUT_MS};
SET lock_timeout = {LOCK_TIMEOUT_MS};
SET default_transaction_read_only = on;
SELECT set_config(wanted.name, wanted.value, false)
  FROM (VALUES ('default_transaction_isolation', 'read committed', '^read committed$'),
               ('DateStyle', 'ISO', '^ISO'),
               ('idle_session_timeout', '0', '^0$'),
               ('TimeZone', 'UTC', '^[A-Za-z][A-Za-z0-9_+/-]*$')) AS wanted (name, value, fit)
 WHERE current_setting(wanted.name) !~ wanted.fit
"""  # noqa: S608 - the numbers above


def settle(connection: psycopg.Connection[TupleRow]) -> None:
    """Make the session harmless, and what it reads independent of anybody's settings.

    Raises:
        psycopg.Error: the server refuses a setting.
    """
    connection.execute(_SETTLED.encode())
