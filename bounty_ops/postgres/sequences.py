"""How far the sequences of a database have been used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from psycopg import sql

from bounty_ops.postgres.relations import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg
    from psycopg.rows import TupleRow

_IN_ONE_STATEMENT: Final = 200
_POSITION: Final = sql.SQL("SELECT {number}, last_value, is_called FROM {schema}.{name}")


@dataclass(frozen=True)
class SequenceState:
    """One sequence.

    `last_value` is the last value that it will not hand out again, None for one that begins at its
    start. `setval(..., 42, false)`, which many imports end with, means 41 if it counts by one: the
    sequence has handed out nothing, and a copy of it that begins at 1 would run into the rows.
    """

    schema: str
    name: str
    last_value: int | None
    increment: int
    cycles: bool


class _Listed(NamedTuple):
    schema: str
    name: str
    readable: bool
    start: int
    increment: int
    cycles: bool


def read_sequences(connection: psycopg.Connection[TupleRow]) -> tuple[SequenceState, ...]:
    """Every sequence that pg_dump dumps, sorted by name.

    Sequences are not part of a snapshot. Read them before pg_dump does: what it writes into the
    archive is then at least as far as what was recorded here.
    """
    listed = [_Listed(*row) for row in connection.execute(query("sequences.sql")).fetchall()]
    positions = _positions(connection, [one for one in listed if one.readable])
    return tuple(
        SequenceState(one.schema, one.name, positions.get(one), one.increment, one.cycles)
        for one in listed
    )


def _positions(
    connection: psycopg.Connection[TupleRow], listed: Sequence[_Listed]
) -> dict[_Listed, int | None]:
    positions: dict[_Listed, int | None] = {}
    for begin in range(0, len(listed), _IN_ONE_STATEMENT):
        some = listed[begin : begin + _IN_ONE_STATEMENT]
        statement = sql.SQL(" UNION ALL ").join(
            _POSITION.format(
                number=sql.Literal(number),
                schema=sql.Identifier(one.schema),
                name=sql.Identifier(one.name),
            )
            for number, one in enumerate(some)
        )
        for number, value, called in connection.execute(statement).fetchall():
            positions[some[number]] = _last(some[number], value, called=called)
    return positions


def _last(one: _Listed, value: int, *, called: bool) -> int | None:
    if called:
        return value
    return None if value == one.start else value - one.increment
