"""What one server and its database are: the facts that plans and manifests record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

_FACTS = """
SELECT current_setting('server_version_num')::int,
       split_part(current_setting('server_version'), ' ', 1),
       current_database(),
       current_user,
       coalesce((SELECT ssl FROM pg_catalog.pg_stat_ssl
                  WHERE pid = pg_catalog.pg_backend_pid()), false),
       (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
       pg_catalog.pg_is_in_recovery(),
       pg_catalog.pg_database_size(pg_catalog.current_database())
"""


@dataclass(frozen=True)
class ServerFacts:
    """A server as one connection sees it; `size_bytes` is that of the connected database."""

    version_num: int
    version: str
    database: str
    user: str
    ssl: bool
    is_superuser: bool
    in_recovery: bool
    size_bytes: int

    @property
    def major(self) -> int:
        """The major version: 17 of 17.10."""
        return self.version_num // 10_000


def server_facts(connection: psycopg.Connection[TupleRow]) -> ServerFacts:
    """Ask a server what it is; one query.

    Raises:
        psycopg.Error: translated by the block of `connect` around it.
    """
    row = connection.execute(_FACTS).fetchone()
    if row is None:  # a SELECT without FROM always has one row
        message = "the server answered a one-row query with no row"
        raise AssertionError(message)
    return ServerFacts(*row)
