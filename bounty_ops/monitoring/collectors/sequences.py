"""Sequences, and the columns they feed: whichever of the two is full first."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar, Final

from bounty_ops.monitoring.collectors.sequence_columns import Column
from bounty_ops.monitoring.collectors.sequence_limits import Span, narrowed, used_ratio
from bounty_ops.monitoring.collectors.sequence_memory import describe
from bounty_ops.monitoring.collectors.sequence_reading import (
    Blind,
    Listed,
    Position,
    read_positions,
)
from bounty_ops.monitoring.probe import Measured, Probe, identifier
from bounty_ops.monitoring.result import Entry, FamilyResult, SchemaName, Unknown


class SequenceFacts(Entry):
    """One sequence, with the column of those it feeds that is full first."""

    schema_name: SchemaName
    name: str
    last_value: int | None
    """None where it has handed out none yet, or may not be read (`readable`)."""
    readable: bool
    """Whether it could be read; where not, nothing is known about how much is used."""
    increment: int
    cycles: bool
    """Whether it starts over at its end instead of failing."""
    sequence_limit: int
    """Its last value: its MAXVALUE, or its MINVALUE where it counts down."""
    column: str | None
    """`schema.table.column`: it takes the sequence's values, or refers to a column that does;
    None where none is known."""
    column_type: str | None
    column_limit: int | None
    """The largest value of the column (the smallest, where the sequence counts down); None where
    its type has none."""
    columns: int
    """How many columns it is known to feed, partitions left out."""
    used_ratio: float | None
    """How much is used of what sequence and column can give, 1: the next value fails; 0 of one that
    starts over before its column is full; None where it is unknown."""

    @property
    def subject(self) -> str:
        """Its qualified name."""
        return f"{self.schema_name}.{self.name}"


class Sequences(FamilyResult):
    """All sequences of users."""

    family: ClassVar[str] = "sequences"
    lists: ClassVar[tuple[str, ...]] = ("sequences",)

    count: int
    unreadable: int
    """Of `count`: sequences that could not be read."""
    worst_ratio: float | None
    """The largest `used_ratio`; 0 where there is no sequence, None where one is unknown."""
    sequences: tuple[SequenceFacts, ...]


_GRANT: Final = (
    "GRANT USAGE ON SCHEMA {schema} TO {user}; "
    "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {user}"
)
#: Why sequences could not be read, and what to do.
_WHY: Final[Mapping[Blind, tuple[str, str]]] = {
    "denied": ("{user} may not read {names}", _GRANT),
    "set back": (
        "{user} has no SELECT on {names}: one never used looks like one that was set to its end",
        _GRANT,
    ),
    "locked": (
        "somebody holds, or waits for, an ACCESS EXCLUSIVE lock on {names}",
        "Nothing to do: the next collection tries again",
    ),
    "not by name": (
        "nothing has the name that is shown; it may be of bytes that are no UTF-8: {names}",
        "Give it another name (ALTER SEQUENCE ... RENAME TO), or wait for the next collection",
    ),
    "unlogged": (
        "they are unlogged, and this server is a standby: {names}",
        "Look at them on the primary server",
    ),
}
#: So many are called by name.
_CALLED: Final = 3


def collect_sequences(probe: Probe) -> Measured:
    """Read every sequence and find the columns it feeds.

    Raises:
        psycopg.Error: a statement failed.
    """
    described, memory = describe(probe, Sequences.family)
    listed, columns = described.listed, described.columns
    positions = read_positions(probe, listed)
    # One that is in neither was dropped between two statements.
    facts = tuple(
        _facts(one, positions[one.oid], columns.get(one.oid, ()))
        for one in listed
        if one.oid in positions
    )
    ratios = [each.used_ratio for each in facts if each.used_ratio is not None]
    unreadable = len(facts) - len(ratios)
    result = Sequences(
        count=len(facts),
        unreadable=unreadable,
        worst_ratio=None if unreadable else max(ratios, default=0.0),
        sequences=facts,
    )
    unknown = (*_unread(probe, listed, positions), *map(_unnamed, described.nameless))
    return Measured(result, unknown, memory)


def _facts(one: Listed, position: Position | Blind, columns: Iterable[Column]) -> SequenceFacts:
    columns = list(columns)
    column = _fullest(one, columns)
    held = column.span if column else None
    down = one.increment < 0
    return SequenceFacts(
        schema_name=one.schema,
        name=one.name,
        last_value=position.value if isinstance(position, Position) and position.called else None,
        readable=isinstance(position, Position),
        increment=one.increment,
        cycles=one.cycles,
        sequence_limit=one.low if down else one.high,
        column=column.qualified if column else None,
        column_type=column.type_name if column else None,
        column_limit=(held.low if down else held.high) if held else None,
        columns=sum(each.fed for each in columns),
        used_ratio=_ratio(one, position, held) if isinstance(position, Position) else None,
    )


def _fullest(one: Listed, columns: Iterable[Column]) -> Column | None:
    """The column with the least room; of equal ones the one that the sequence itself feeds."""

    def room(column: Column) -> tuple[int, bool]:
        span = narrowed(one.span, column.span)
        return (-span.low if one.increment < 0 else span.high, not column.fed)

    return min(columns, key=room, default=None)


def _ratio(one: Listed, position: Position, column: Span | None) -> float:
    span = narrowed(one.span, column)
    if one.cycles and span == one.span:
        return 0.0
    last = position.value if position.called else position.value - one.increment
    return used_ratio(span, one.increment, last)


def _unread(
    probe: Probe, listed: Iterable[Listed], positions: Mapping[int, Position | Blind]
) -> Iterable[Unknown]:
    """One entry for each schema and reason: who lacks a grant lacks it for hundreds at once."""
    groups: dict[tuple[str, Blind], list[str]] = defaultdict(list)
    for one in listed:
        position = positions.get(one.oid)
        if isinstance(position, str):
            groups[one.schema, position].append(one.name)
    for (schema, blind), names in groups.items():
        reason, remedy = _WHY[blind]
        words = {"user": identifier(probe.user), "schema": identifier(schema)}
        yield Unknown(
            Sequences.family,
            f"sequences of {schema}" if len(names) > 1 else f"{schema}.{names[0]}",
            reason.format(**words, names=_some(names)),
            remedy.format(**words),
        )


def _some(names: Sequence[str]) -> str:
    more = len(names) - _CALLED
    called = ", ".join(names[:_CALLED])
    return f"{called} and {more} more" if more > 0 else called


def _unnamed(column: Column) -> Unknown:
    return Unknown(
        Sequences.family,
        column.qualified,
        "its default finds its sequence by name when it runs, and which one that is cannot be told",
        f"ALTER TABLE {identifier(column.schema)}.{identifier(column.table)} "
        f"ALTER {identifier(column.name)} SET DEFAULT nextval('the_sequence'::regclass)",
    )
