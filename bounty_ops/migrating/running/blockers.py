"""Who stands in a statement's way, and who waits behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bounty_ops.monitoring.literals import strip_literals

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg.rows import TupleRow

BLOCKERS: Final = """
    SELECT p.pid, a.application_name, a.usename, a.state, a.query,
           extract(epoch FROM clock_timestamp() - a.xact_start)::float8,
           extract(epoch FROM clock_timestamp() - a.query_start)::float8
    FROM unnest(pg_catalog.pg_blocking_pids(%s)) AS p(pid)
    LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = p.pid
"""
_LONGEST_QUERY: Final = 200


@dataclass(frozen=True)
class Blocker:
    """A session that a statement of ours waits for."""

    pid: int
    """0: a prepared transaction, which no session owns."""
    application: str = ""
    role: str = ""
    state: str = ""
    query: str = ""
    """Its present or last one, without the values of literals."""
    transaction_seconds: float | None = None
    query_seconds: float | None = None

    @classmethod
    def of(cls, row: TupleRow) -> Blocker:
        """Make one of a row of `BLOCKERS`."""
        pid, application, role, state, query, transaction_seconds, query_seconds = row
        return cls(
            pid=pid,
            application=_printable(application),
            role=_printable(role),
            state=_printable(state),
            query=_printable(strip_literals(query or "")[:_LONGEST_QUERY]),
            transaction_seconds=transaction_seconds,
            query_seconds=query_seconds,
        )

    def __str__(self) -> str:
        if self.pid == 0:
            return "a prepared transaction (see pg_prepared_xacts)"
        said = f"pid {self.pid}, application {self.application or 'unnamed'!r}"
        if self.role:
            said += f", role {self.role}"
        if self.transaction_seconds is not None:
            said += f", in a transaction for {self.transaction_seconds:.0f} s"
        if self.state:
            said += f", {self.state}"
        if self.query:
            since = "" if self.query_seconds is None else f" (begun {self.query_seconds:.0f} s ago)"
            said += f", query{since}: {self.query}"
        return said


def listed(blockers: Iterable[Blocker]) -> str:
    """Return all of them for a message."""
    return "; ".join(str(blocker) for blocker in blockers)


def _printable(text: str | None) -> str:
    return "".join(char if char.isprintable() else " " for char in text or "").strip()
