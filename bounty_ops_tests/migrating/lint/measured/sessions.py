"""Connections to a laboratory's databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import psycopg

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

    from bounty_ops.environments import DatabaseUrl

Session: TypeAlias = "psycopg.Connection[TupleRow]"

#: Parallel workers would count what they read elsewhere.
_COUNTED: Final = "-c max_parallel_maintenance_workers=0 -c max_parallel_workers_per_gather=0"


def session(url: DatabaseUrl) -> Session:
    """One in autocommit, that counts everything it reads itself."""
    return psycopg.connect(
        "",
        autocommit=True,
        prepare_threshold=None,
        **url.conninfo(),  # type: ignore[arg-type] # libpq takes any keyword as text
        options=_COUNTED,
        application_name="measured",
    )
