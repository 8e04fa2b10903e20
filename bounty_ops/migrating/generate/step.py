"""What a rewritten change consists of: statements in the order in which they are safe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Risk = Literal["online", "brief", "blocking", "clients", "data"]
"""What a step does to those who use the database meanwhile, from the mildest to the gravest."""

RISKS: Final[dict[Risk, str]] = {
    "online": "nobody waits",
    "brief": "everybody waits for a moment, and behind it while it waits itself",
    "blocking": "others wait for as long as it takes, which grows with the table",
    "clients": "programs that use the old name fail from then on",
    "data": "what is stored there is lost",
}

Kind = Literal["change", "validate", "alone", "enum"]
"""``change``: instant, in one transaction with others on the same table; ``validate``: long, holds
nobody up, but must not begin in a transaction that does; ``alone``: outside of transactions;
``enum``: a new label may be used only after the transaction that adds it."""


@dataclass(frozen=True)
class Backfill:
    """Rows to be given a value in pages of their key, each page committed."""

    table: str
    key: tuple[str, ...]
    assignments: str
    where: str


@dataclass(frozen=True)
class Step:
    """One statement, with what it costs and how it is taken back."""

    sql: str
    why: str
    lock: str | None = None
    """The strongest mode on a table that others use, as PostgreSQL calls it."""
    table: str | None = None
    """The table that it locks; None for what is new or belongs to no table."""
    risk: Risk = "online"
    kind: Kind = "change"
    down: tuple[str, ...] | None = ()
    """What takes it back; None: not known from the statement alone."""
    backfill: Backfill | None = None
    accepts: tuple[tuple[str, str], ...] = ()
    """Rules of the linter that do not apply here, each with the reason."""
    touches: frozenset[str] = frozenset()
    """Names of tables and types: steps that share one keep their order."""
    stage: int = 0
    """Steps of one change with different stages never share a transaction."""
    group: int = 0
    """Which revision it belongs to."""

    @property
    def autocommit(self) -> bool:
        """Whether it runs outside of a transaction, alone in its revision."""
        return self.kind == "alone"


@dataclass(frozen=True)
class Rewritten:
    """One change of a schema as a sequence of steps, and what has to be said about it."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    needs_fill: str | None = None
    """A column (``table.column``) whose rows need a value that nobody has named."""
