"""Sequences, and the columns they feed: whichever of the two is full first."""

from typing import ClassVar

from bounty_ops.monitoring.result import Cadence, Entry, FamilyResult, SchemaName


class SequenceFacts(Entry):
    """One sequence, with the column of those it feeds that holds the least."""

    schema_name: SchemaName
    name: str
    last_value: int | None
    """None where it was never used, or may not be read (`readable`)."""
    readable: bool
    """Whether the role may read it; where not, nothing is known about how much is used."""
    increment: int
    cycles: bool
    """Whether it starts over at its end instead of failing."""
    sequence_limit: int
    """Its last value: its MAXVALUE, or its MINVALUE where it counts down."""
    column: str | None
    """`schema.table.column`; None where no column is known to be fed by it."""
    column_type: str | None
    column_limit: int | None
    """The largest value of the column (the smallest, where the sequence counts down); None where
    its type has none."""
    columns: int
    """How many columns it is known to feed."""
    used_ratio: float | None
    """How much is used of what sequence and column can give, 1 and more: the next value fails;
    None where it is unknown."""

    @property
    def subject(self) -> str:
        """Its qualified name."""
        return f"{self.schema_name}.{self.name}"


class Sequences(FamilyResult):
    """All sequences of users."""

    family: ClassVar[str] = "sequences"
    lists: ClassVar[tuple[str, ...]] = ("sequences",)
    cadence: ClassVar[Cadence] = "vitals"

    count: int
    unreadable: int
    """Of `count`: sequences that the role may not read."""
    worst_ratio: float | None
    """The largest `used_ratio`; None where there is none, or one is unknown."""
    sequences: tuple[SequenceFacts, ...]
