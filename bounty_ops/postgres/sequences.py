"""How far the sequences of a database have been used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bounty_ops.postgres.relations import query

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow


@dataclass(frozen=True)
class SequenceState:
    """One sequence; `last_value` is None before its first use."""

    schema: str
    name: str
    last_value: int | None
    increment: int
    cycles: bool


def read_sequences(connection: psycopg.Connection[TupleRow]) -> tuple[SequenceState, ...]:
    """Every sequence that pg_dump dumps, sorted by name.

    Sequences are not part of a snapshot. Read them before pg_dump does: what it writes into the
    archive is then at least as far as what was recorded here.
    """
    rows = connection.execute(query("sequences.sql")).fetchall()
    return tuple(SequenceState(*row) for row in rows)
