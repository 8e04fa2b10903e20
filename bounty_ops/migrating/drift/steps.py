"""The single steps from one schema to another, and the order they have to be taken in."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bounty_ops.migrating.catalog import Key

Operation = Literal["rename", "drop", "alter", "create"]
#: What is done, to which object, and to which of its facts.
StepId = tuple[Operation, "Key", str]


@dataclass
class Step:
    """One step."""

    id: StepId
    rank: int
    statements: tuple[str, ...]
    belongs_to: tuple[Key, str] | None
    """The difference that it settles; None: something else's difference needs it."""


@dataclass
class Steps:
    """Steps with what has to come before what."""

    steps: dict[StepId, Step] = field(default_factory=dict)
    _after: dict[StepId, set[StepId]] = field(default_factory=dict)

    def add(self, step: Step) -> None:
        """Take a step in."""
        self.steps[step.id] = step

    def before(self, first: StepId | None, second: StepId | None) -> None:
        """The one has to be done before the other, if both have to be done at all."""
        if first is None or second is None or first == second:
            return
        if first in self.steps and second in self.steps:
            self._after.setdefault(first, set()).add(second)

    def alterations(self, key: Key) -> list[StepId]:
        """The alterations of one object."""
        return [id_ for id_ in self.steps if id_[0] == "alter" and id_[1] == key]

    def in_order(self) -> list[Step]:
        """All steps: by rank, unless one has to wait for another.

        Of steps that wait for one another in a circle the one with the lowest rank goes first.
        """
        waiting = dict.fromkeys(self.steps, 0)
        for followers in self._after.values():
            for follower in followers:
                waiting[follower] += 1
        ready = [self._place(id_) for id_, count in waiting.items() if count == 0]
        heapq.heapify(ready)
        result: list[Step] = []
        left = dict(waiting)
        while left:
            if not ready:
                heapq.heappush(ready, min(map(self._place, left)))
            id_ = heapq.heappop(ready)[1]
            if id_ not in left:
                continue
            del left[id_]
            result.append(self.steps[id_])
            for follower in self._released(id_, waiting):
                heapq.heappush(ready, self._place(follower))
        return result

    def _released(self, id_: StepId, waiting: dict[StepId, int]) -> Iterable[StepId]:
        for follower in sorted(self._after.get(id_, ())):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                yield follower

    def _place(self, id_: StepId) -> tuple[int, StepId]:
        return (self.steps[id_].rank, id_)


_DROPS: Final = (
    ("comment",),
    ("policy",),
    ("rule",),
    ("trigger",),
    ("materialized_view",),
    ("view",),
    ("foreign key",),
    ("default",),
    ("statistics",),
    ("index",),
    ("constraint",),
    ("domain_constraint",),
    ("column",),
    ("function", "procedure", "aggregate"),
    ("sequence",),
    ("table", "foreign_table"),
    ("enum", "domain", "composite_type", "range_type", "base_type"),
    (),  # whatever else
    ("extension",),
)
_MAKES: Final = (
    ("extension",),
    ("enum", "composite_type", "range_type", "base_type"),
    ("domain",),
    ("domain_constraint",),
    ("sequence",),
    ("table", "foreign_table"),
    ("column",),
    ("column identity gone",),
    ("column generated",),
    ("column type",),
    ("column collation",),
    ("default",),
    ("column not_null",),
    ("column identity",),
    ("column other",),
    ("constraint",),
    ("index",),
    ("foreign key",),
    ("statistics",),
    ("sequence owned_by",),
    ("function", "procedure", "aggregate"),
    ("view",),
    ("materialized_view",),
    ("rule",),
    ("trigger",),
    ("policy",),
    ("table row_security",),
    ("table replica_identity",),
    (),
    ("comment",),
)


def _rank(order: tuple[tuple[str, ...], ...], name: str) -> int:
    return next((place for place, names in enumerate(order) if name in names), order.index(()))


def rank_of_drop(name: str) -> int:
    """When to drop an object of a kind, if nothing else decides."""
    return 1 + _rank(_DROPS, name)


def rank_of_make(name: str, aspect: str = "") -> int:
    """When to create or alter an object of a kind, if nothing else decides."""
    known = {each for names in _MAKES for each in names}
    precise = f"{name} {aspect}"
    if precise not in known and name == "column" and aspect:
        precise = "column other"
    return 1 + len(_DROPS) + _rank(_MAKES, precise if precise in known else name)
