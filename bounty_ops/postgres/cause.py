"""What a cause of a database error is, for the tables of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bounty_ops.errors import PostgresError

#: Which variable it is, an error does not know: it may be the operations database that is away.
URL: Final = "the URL (DATABASE_URL; of the operations database OPS_DATABASE_URL)"


@dataclass(frozen=True)
class Cause:
    """One thing that can be wrong between us and a database."""

    name: str
    """As in JSON, in Dagster's metadata and in the documentation."""
    kind: type[PostgresError]
    what: str
    """What happened, without the server's address."""
    remedy: str
    recognised_by: str
    """The code, or the step of the protocol."""
    states: tuple[str, ...] = ()
    """SQLSTATEs that say this (PostgreSQL documentation, appendix A)."""
