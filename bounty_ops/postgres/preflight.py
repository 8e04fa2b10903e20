"""Reasons not to start a dump, found before it holds a single lock.

Each of these would otherwise fail late, or worse, succeed with less than everything: a role under
row-level security sees some of the rows, a transaction pooler hands the session's settings to
somebody else's queries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.errors import BackupError, InsufficientPrivilege
from bounty_ops.postgres.connect import transactions_are_pooled
from bounty_ops.postgres.relations import query

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl
    from bounty_ops.errors import BountyOpsError
    from bounty_ops.postgres.server import ServerFacts

#: Supabase's transaction pooler; PgBouncer's usual port.
_POOLER_PORTS: Final = frozenset({6543, 6432})
_SHOWN: Final = 10


def refuse_pooler_address(url: DatabaseUrl, error: type[BountyOpsError] = BackupError) -> None:
    """Refuse addresses that are known to be transaction poolers, without connecting.

    Raises:
        BackupError: or another `error`, with what the direct address probably is.
    """
    first_label = url.host.partition(".")[0]
    if first_label.endswith("-pooler"):
        direct = url.host.replace("-pooler", "", 1)
        hint = f"Use the direct host {direct} in DATABASE_URL for operations."
        raise _pooler(url, hint, error)
    if url.port in _POOLER_PORTS:
        raise _pooler(url, "Use the database's direct address (usually port 5432).", error)


def refuse_unfit(
    connection: psycopg.Connection[TupleRow], url: DatabaseUrl, facts: ServerFacts
) -> None:
    """Refuse what cannot be dumped completely over this connection.

    Raises:
        BackupError: a transaction pooler, or a hot standby.
        InsufficientPrivilege: tables or sequences that this role cannot read, or not wholly.
    """
    refuse_transaction_pooling(connection, url)
    if facts.in_recovery:
        raise BackupError(
            f"{url.address()} is a hot standby; it cannot lock tables against changes that it "
            "replays, and has no unlogged tables",
            hint="Back up the primary server.",
        )
    rows = sorted(connection.execute(query("unreadable.sql")).fetchall())
    unreadable = [label for label, why in rows if why != "policy"]
    if unreadable:
        raise InsufficientPrivilege(
            f"{facts.user} may not read {_listed(unreadable)}",
            hint=f"GRANT pg_read_all_data TO {facts.user}; or grant USAGE on the schemas and "
            "SELECT on all tables, sequences and large objects.",
        )
    hidden = [label for label, why in rows if why == "policy"]
    if hidden:
        raise InsufficientPrivilege(
            f"row-level security hides rows from {facts.user} in {_listed(hidden)}",
            hint=f"ALTER ROLE {facts.user} BYPASSRLS; or back up as the owner of the tables.",
        )


def refuse_transaction_pooling(
    connection: psycopg.Connection[TupleRow],
    url: DatabaseUrl,
    error: type[BountyOpsError] = BackupError,
) -> None:
    """Tell a transaction pooler from a server or a session pooler, which are both fine.

    Raises:
        BackupError: or another `error`: it is one.
    """
    if transactions_are_pooled(connection, url):
        hint = "Use the database's direct address in DATABASE_URL for operations."
        raise _pooler(url, hint, error)


def _pooler(url: DatabaseUrl, hint: str, error: type[BountyOpsError]) -> BountyOpsError:
    return error(
        f"{url.address()} is a transaction pooler: a snapshot and its locks do not survive there, "
        "and a session's settings would leak into other sessions",
        hint=hint,
    )


def _listed(labels: list[str]) -> str:
    rest = len(labels) - _SHOWN
    return ", ".join(labels[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
