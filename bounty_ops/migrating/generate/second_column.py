"""A second column beside one that shall have another type: what is known and planned of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.generate.constraints import ACCESS_EXCLUSIVE
from bounty_ops.migrating.generate.statements import (
    Node,
    derived,
    parsed,
    quoted,
    with_columns,
    written,
)
from bounty_ops.migrating.generate.step import Kind, Risk, Step
from bounty_ops.migrating.generate.types import replace_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.migrating.generate.known import Known

_UNDERSTOOD: Final = frozenset({"default", "comment"})


@dataclass(frozen=True)
class Conversion:
    """What is wanted: the column ``table.column`` as ``type``."""

    table: str
    column: str
    type: str
    using: str
    """The new value, from the columns of the row."""
    before: str
    """The type that it had."""
    default: str | None
    """What the default shall be."""
    old_default: str | None
    not_null: bool
    renamed_type: tuple[str, str] | None = None
    """An enum type of `public` and the one that takes its place, in what is made anew."""
    back: str | None = None
    """The old value, from the new one under the column's name."""


def why_not_online(
    table: str, column: str, known: Known, gone: frozenset[str] = frozenset()
) -> str | None:
    """What stands against a second column; ``gone`` are objects that the change drops before."""
    if known.is_partitioned(table):
        return "the table is partitioned"
    if not known.primary_key(table):
        return "the table has no primary key to go through its rows by"
    if column in known.primary_key(table):
        return "the column is part of the primary key"
    for item in known.dependents(table, column):
        if item.kind in _UNDERSTOOD or item.key[-1] in gone:
            continue
        if item.kind == "index":
            continue
        own = item.kind == "constraint" and item.key[1] == table
        if not own or item.texts["form"] not in ("unique", "check", "foreign key"):
            return f"the {item.kind.replace('_', ' ')} {item.name} depends on the column"
        if item.texts["form"] == "foreign key" and _refers_to_itself(
            item.facts["definition"], table
        ):
            return f"the constraint {item.name} refers to its own table"
    return None


def _refers_to_itself(definition: str, table: str) -> bool:
    node = parsed(f"ALTER TABLE t ADD CONSTRAINT c {definition}").cmds[0].def_
    return bool(node.pktable.relname == table)


@dataclass
class Work:
    """The steps of one conversion while they are put together."""

    wish: Conversion
    known: Known
    gone: frozenset[str]
    remade: Mapping[str, Node]
    steps: list[Step] = field(default_factory=list)
    swap: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What happens when the names change, each with what takes it back."""

    def __post_init__(self) -> None:
        wish = self.wish
        self.target = f"public.{quoted(wish.table)}"
        self.new = derived(wish.column, "new")
        self.old = derived(wish.column, "old")
        self.sync = derived(f"zz_{wish.table}_{wish.column}", "sync")  # fires after others
        self.check = derived(f"{wish.table}_{self.new}", "set")

    def step(
        self,
        sql: str,
        why: str,
        stage: int,
        down: tuple[str, ...],
        *,
        lock: str | None = ACCESS_EXCLUSIVE,
        risk: Risk = "brief",
        kind: Kind = "change",
        accepts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Add a step."""
        touches = frozenset({self.wish.table})
        self.steps.append(
            Step(
                sql,
                why,
                lock,
                self.wish.table,
                risk,
                kind,
                down,
                accepts=accepts,
                touches=touches,
                stage=stage,
            )
        )

    def renamed(self, node: Node) -> Node:
        """A definition as it has to be for the new column."""
        if self.wish.renamed_type is not None:
            replace_type(node, *self.wish.renamed_type)
        return with_columns(node, {self.wish.column: self.new})


def uses(node: Node, column: str) -> bool:
    """Whether a definition mentions the column."""
    before = written(node)
    after = written(with_columns(node, {column: "x__probe"}))
    with_columns(node, {"x__probe": column})
    return before != after
