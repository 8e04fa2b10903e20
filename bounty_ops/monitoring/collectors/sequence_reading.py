"""Reading where sequences are: exactly where SELECT is granted, less so where only USAGE is.

A function of the server says it cheaply of those that have handed out a value. Of the others only a
look into each tells one that was never used from one that was set back.

`pg_sequences` will not do: it shows nothing for a sequence that was never used, nothing for one
that the role may not read, and nothing for one that was set to a value it has yet to hand out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from psycopg import errors, sql

from bounty_ops.monitoring.collectors.sequence_limits import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from bounty_ops.monitoring.probe import Probe

#: Each takes a lock until its statement ends, and the server's lock table is everybody's.
_IN_ONE_STATEMENT: Final = 100
_POSITION: Final = sql.SQL("SELECT {oid}::bigint, last_value, is_called FROM {schema}.{name}")

Blind = Literal["denied", "set back", "locked", "unlogged", "not by name"]


class Listed(NamedTuple):
    """A sequence as the catalogues have it."""

    oid: int
    schema: str
    name: str
    increment: int
    low: int
    high: int
    cycles: bool
    access: Literal["relation", "function", "denied"]
    in_the_way: Literal["locked", "unlogged"] | None

    @property
    def span(self) -> Span:
        """Between its MINVALUE and its MAXVALUE."""
        return Span(self.low, self.high)


class Position(NamedTuple):
    """Where a sequence is."""

    value: int
    """The last value handed out or, where `called` is False, the next one."""
    called: bool


def list_sequences(probe: Probe) -> list[Listed]:
    """Every sequence of users, by name.

    Raises:
        psycopg.Error: the statement failed.
    """
    return [Listed(*row) for row in probe.rows("sequences")]


def read_positions(probe: Probe, listed: Iterable[Listed]) -> dict[int, Position | Blind]:
    """Where each is, or why that cannot be known.

    Raises:
        psycopg.Error: a statement failed for another reason than a lock or a dropped sequence.
    """
    found: dict[int, Position | Blind] = {}
    exactly: list[Listed] = []
    roughly: list[Listed] = []
    for one in listed:
        if one.in_the_way is not None:
            found[one.oid] = one.in_the_way
        elif one.access == "denied":
            found[one.oid] = "denied"
        else:
            (exactly if one.access == "relation" else roughly).append(one)
    for some in _chunks(exactly):
        found |= _read_used(probe, some)
    rest = [one for one in exactly if one.oid not in found]
    for some in _chunks(rest):
        found |= _halving(probe, some, _read_relations)
    for some in _chunks(roughly):
        found |= _halving(probe, some, _ask_function)
    return found


def _chunks(listed: Sequence[Listed]) -> Iterable[Sequence[Listed]]:
    for begin in range(0, len(listed), _IN_ONE_STATEMENT):
        yield listed[begin : begin + _IN_ONE_STATEMENT]


def _halving(
    probe: Probe,
    some: Sequence[Listed],
    read: Callable[[Probe, Sequence[Listed]], dict[int, Position | Blind]],
) -> dict[int, Position | Blind]:
    """Read them; where one was locked or dropped in this moment, all the others."""
    try:
        return read(probe, some)
    except errors.LockNotAvailable:
        if len(some) == 1:
            return {some[0].oid: "locked"}
    except errors.UndefinedTable:
        if len(some) == 1:
            return _not_found(probe, some[0])
    middle = len(some) // 2
    return _halving(probe, some[:middle], read) | _halving(probe, some[middle:], read)


def _not_found(probe: Probe, one: Listed) -> dict[int, Position | Blind]:
    """Whether it was dropped, or its name is not what it is shown as: bytes that are no UTF-8."""
    ((there,),) = probe.connection.execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class WHERE oid = %s)", (one.oid,)
    ).fetchall()
    return {one.oid: "not by name"} if there else {}


def _read_used(probe: Probe, some: Sequence[Listed]) -> dict[int, Position | Blind]:
    """Of those that have handed out a value; a fifth of what it costs to open each by name.

    It waits for more locks than reading does (ALTER SEQUENCE); then they are read after all.
    """
    try:
        asked = _ask_function(probe, some)
    except (errors.LockNotAvailable, errors.UndefinedTable, errors.InternalError_):
        return {}  # XX000, "could not open relation": one was dropped in this moment
    return {oid: position for oid, position in asked.items() if isinstance(position, Position)}


def _read_relations(probe: Probe, some: Sequence[Listed]) -> dict[int, Position | Blind]:
    statement = sql.SQL(" UNION ALL ").join(
        _POSITION.format(
            oid=sql.Literal(one.oid),
            schema=sql.Identifier(one.schema),
            name=sql.Identifier(one.name),
        )
        for one in some
    )
    rows = probe.connection.execute(statement).fetchall()
    return {oid: Position(value, called) for oid, value, called in rows}


def _ask_function(probe: Probe, some: Sequence[Listed]) -> dict[int, Position | Blind]:
    rows = probe.rows("sequence_values", {"oids": [one.oid for one in some]})
    return {
        oid: "set back" if value is None else Position(value, called=True) for oid, value in rows
    }
