"""What has to be taken away and made again, because something that it needs changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.drift.altering import in_place
from bounty_ops.migrating.drift.columns import replaces
from bounty_ops.migrating.drift.names import public, type_key
from bounty_ops.migrating.drift.writing import is_foreign_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bounty_ops.migrating.catalog import Catalog, Item, Key
    from bounty_ops.migrating.drift.comparing import Change

#: What PostgreSQL rebuilds by itself when the type of a column changes, if it can at all.
_REBUILT: Final = frozenset({"constraint", "index", "statistics", "default", "comment"})
#: What stands for itself, whatever becomes of the things it refers to.
_STANDING: Final = frozenset(
    {"table", "foreign_table", "sequence", "enum", "domain", "composite_type", "range_type"}
)


@dataclass
class Fates:
    """What becomes of each object that something has to be done about."""

    created: set[Key] = field(default_factory=set)
    dropped: set[Key] = field(default_factory=set)
    """For good: they should not be there."""
    remade: set[Key] = field(default_factory=set)
    """Dropped and created."""
    altered: set[Key] = field(default_factory=set)
    replaced: set[Key] = field(default_factory=set)
    """Types under columns: a new one is made, the columns are converted, the old one goes."""


def decide(changes: Mapping[Key, Change], expected: Catalog, found: Catalog) -> Fates:
    """Say what has to be done about each object, also about those that are as they should be."""
    fates = Fates()
    dependents = _dependents(found)
    for key, change in changes.items():
        if change.expected is None:
            fates.dropped.add(key)
        elif change.found is None:
            fates.created.add(key)
        elif _altered(change.expected, change.found, change.aspects, found.major):
            fates.altered.add(key)
        elif type_key(key[0]) and key[0] != "base_type" and columns_of(key, found):
            fates.replaced.add(key)
        else:
            fates.remade.add(key)
    _Forcing(fates, changes, expected, found, dependents).run()
    return fates


def _altered(expected: Item, found: Item, aspects: tuple[str, ...], major: int) -> bool:
    if expected.kind == "column":
        return not ("generated" in aspects and replaces(expected, found, major))
    return in_place(expected, found, aspects)


def columns_of(key: Key, catalog: Catalog) -> list[Item]:
    """The columns of a type, or of arrays of it."""
    names = (public(key[1]), f"{public(key[1])}[]")
    return [item for item in catalog.of("column") if item.texts["base_type"] in names]


def _dependents(found: Catalog) -> dict[Key, list[Item]]:
    result: dict[Key, list[Item]] = {}
    for item in found.items.values():
        for key in item.needs:
            result.setdefault(key, []).append(item)
    return result


@dataclass
class _Forcing:
    fates: Fates
    changes: Mapping[Key, Change]
    expected: Catalog
    found: Catalog
    dependents: Mapping[Key, list[Item]]

    def run(self) -> None:
        for key in sorted(self.fates.dropped | self.fates.remade):
            self._gone(key)
        for key in sorted(self.fates.replaced):
            self._replaced(key)
        for key in sorted(self.fates.altered):
            change = self.changes[key]
            if key[0] == "column" and {"type", "collation"} & set(change.aspects):
                self._retyped(key, hard=_is_hard(change))

    def _gone(self, key: Key) -> None:
        for item in self.dependents.get(key, ()):
            if item.kind == "column":
                if key[0] in ("table", "foreign_table"):
                    self._gone(item.key)
                elif "generated" in item.facts:
                    # Of an ordinary column that loses its type the type changes too.
                    self._remake(item)
            elif item.kind not in _STANDING:
                self._remake(item)

    def _replaced(self, key: Key) -> None:
        for column in columns_of(key, self.found):
            self._retyped(column.key, hard=True)
        for item in self.dependents.get(key, ()):
            if item.kind != "column" and item.kind not in _STANDING:
                self._remake(item)

    def _retyped(self, key: Key, *, hard: bool) -> None:
        for item in self.dependents.get(key, ()):
            if item.kind == "column":
                if "generated" in item.facts:
                    self._remake(item)
            elif item.kind in _REBUILT:
                if hard and _speaks_of_values(item):
                    self._remake(item)
            elif item.kind not in _STANDING:
                self._remake(item)

    def _remake(self, item: Item) -> None:
        fates, key = self.fates, item.key
        if key in fates.dropped or key in fates.remade:
            return
        if key not in self.expected.items:
            return
        fates.altered.discard(key)
        fates.remade.add(key)
        self._gone(key)


def _is_hard(change: Change) -> bool:
    """Whether values become others, and not only more or fewer of the same."""
    if change.expected is None or change.found is None:
        return False
    return change.expected.texts["base_type"] != change.found.texts["base_type"]


def _speaks_of_values(item: Item) -> bool:
    """Whether a definition compares a column with something of its type."""
    if item.kind == "default":
        return True
    if item.kind == "constraint":
        return is_foreign_key(item) or item.texts["form"] in ("check", "exclude")
    return item.kind == "index" and bool({"predicate", "expressions"} & set(item.texts))
