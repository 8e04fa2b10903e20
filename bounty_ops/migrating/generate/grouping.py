"""Which steps share a revision: a transaction locks one table that others use, for a moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bounty_ops.migrating.generate.step import Kind, Rewritten, Step


@dataclass
class _Group:
    """A revision while it is put together."""

    kind: Kind
    table: str | None
    steps: list[Step] = field(default_factory=list)

    def takes(self, step: Step) -> bool:
        """Whether a step may run in this transaction."""
        if self.kind != step.kind or self.kind == "alone":
            return False
        # Two tables locked in one transaction are a deadlock with whoever reads them the other
        # way round. Validations lock against nothing but other changes of a table.
        return self.kind != "change" or None in (self.table, step.table) or self.table == step.table

    def add(self, step: Step) -> None:
        """Take a step in."""
        self.table = self.table or step.table
        self.steps.append(step)

    def holds_back(self, step: Step) -> bool:
        """Whether a step must not come before what is in here."""
        if self.kind == "enum":
            return True
        if self.kind == "validate" or step.kind == "validate":
            return False  # of its own change the stages keep the order
        return any(step.touches & mine.touches for mine in self.steps)


def grouped(changes: Sequence[Rewritten]) -> list[Step]:
    """Return all steps in the order of their revisions, each with the number of its own."""
    groups: list[_Group] = []
    last = [_place(_before_validation(change.steps), -1, groups) for change in changes]
    # Nobody waits for a validation that ends a change: all of them go together, at the end.
    for change, position in zip(changes, last, strict=True):
        _place(change.steps[len(_before_validation(change.steps)) :], position, groups)
    return [
        replace(step, group=number)
        for number, group in enumerate(groups, start=1)
        for step in group.steps
    ]


def _before_validation(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    end = len(steps)
    while end and steps[end - 1].kind == "validate":
        end -= 1
    return steps[:end]


def _place(steps: Sequence[Step], after: int, groups: list[_Group]) -> int:
    """Put steps into the earliest revisions that their order allows, and later than ``after``.

    Returns where the last one went.
    """
    last, stage = after, None
    for step in steps:
        earliest = last if stage == step.stage else last + 1
        held = [n for n, group in enumerate(groups) if group.holds_back(step)]
        first = max([earliest, *held])
        fitting = [n for n in range(first, len(groups)) if groups[n].takes(step)]
        if not fitting:
            groups.append(_Group(step.kind, None))
        last, stage = (fitting[0] if fitting else len(groups) - 1), step.stage
        groups[last].add(step)
    return last
