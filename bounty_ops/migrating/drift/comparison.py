"""The differences between two catalogs, each with the SQL that settles it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.drift.comparing import (
    BY_ASPECT,
    compare,
    describe,
    renamed,
    renamings,
)
from bounty_ops.migrating.drift.forcing import decide
from bounty_ops.migrating.drift.model import Difference
from bounty_ops.migrating.drift.planning import Planning
from bounty_ops.migrating.drift.rights import differing_rights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bounty_ops.migrating.catalog import Catalog, Item, Key
    from bounty_ops.migrating.drift.comparing import Change, Renaming
    from bounty_ops.migrating.drift.steps import Step

Owner = tuple["Key", str]

_KINDS: Final = {"type": "column_type", "domain_constraint": "constraint"}


def differences(
    expected: Catalog, found: Catalog, *, grants: bool = False
) -> tuple[Difference, ...]:
    """Everything in which one schema is not the other, in the order in which it can be settled.

    The statements of all differences, run one after the other, make `found` into `expected`. A
    statement that takes something out of the way (a view that a column's type cannot change
    under) stands with the difference that needs it, and so does the one that brings it back.

    Args:
        expected: what the schema should be.
        found: what it is.
        grants: whether owners and grants are compared as well.
    """
    if expected.fingerprint == found.fingerprint:
        return tuple(differing_rights(expected, found)) if grants else ()
    pairs = renamings(expected, found)
    as_named = renamed(found, pairs) if pairs else found
    changes = compare(expected, as_named)
    fates = decide(changes, expected, as_named)
    planning = Planning(changes, fates, expected, as_named)
    steps = planning.steps(pairs)
    told = _Telling(expected, found, as_named, changes, pairs)
    owners = [owner for change in changes.values() for owner in _owners(change, planning)]
    result = list(told.in_order(steps, owners))
    if grants:
        result += differing_rights(expected, found)
    return tuple(result)


def _owners(change: Change, planning: Planning) -> list[Owner]:
    """The differences that a change counts as; none if another one's says it all."""
    key = change.key
    if change.aspects:
        return [(key, a) for a in change.aspects] if key[0] in BY_ASPECT else [(key, "")]
    if planning.goes_unsaid(key):
        return []
    host = planning.comes_with(key) if change.found is None else planning.goes_with(key)
    return [(key, "")] if host == key else []


class _Telling:
    def __init__(
        self,
        expected: Catalog,
        found: Catalog,
        as_named: Catalog,
        changes: Mapping[Key, Change],
        pairs: tuple[Renaming, ...],
    ) -> None:
        self._expected = expected
        self._found = found
        self._as_named = as_named
        self._changes = changes
        self._pairs = {pair.expected.key: pair for pair in pairs}

    def in_order(self, steps: Sequence[Step], owners: Sequence[Owner]) -> Iterator[Difference]:
        """Cut the one sequence of statements into those of each difference."""
        last = {step.belongs_to: place for place, step in enumerate(steps) if step.belongs_to}
        told: list[tuple[Owner, list[str]]] = []
        waiting: list[str] = []
        for place, step in enumerate(steps):
            if step.belongs_to is None and step.id[0] == "create" and told and not waiting:
                told[-1][1].extend(step.statements)
                continue
            waiting += step.statements
            if step.belongs_to is not None and last[step.belongs_to] == place:
                told.append((step.belongs_to, waiting))
                waiting = []
        if waiting and told:
            told[-1][1].extend(waiting)
        for owner, statements in told:
            yield self._difference(owner, tuple(statements))
        for owner in owners:
            if owner not in last:
                yield self._difference(owner, ())

    def _difference(self, owner: Owner, statements: tuple[str, ...]) -> Difference:
        key, aspect = owner
        if aspect == "name":
            return self._renaming(self._pairs[key], statements)
        change = self._changes[key]
        item = change.item
        if aspect and change.expected is not None and change.found is not None:
            return Difference(
                _KINDS.get(aspect, aspect),
                item.name,
                change.expected.facts.get(aspect, "none"),
                change.found.facts.get(aspect, "none"),
                statements,
            )
        return Difference(
            _KINDS.get(item.kind, item.kind),
            item.name,
            self._text(change.expected, self._expected),
            self._text(change.found, self._as_named),
            statements,
        )

    def _renaming(self, pair: Renaming, statements: tuple[str, ...]) -> Difference:
        return Difference(
            pair.expected.kind,
            pair.expected.name,
            f"{pair.expected.name}: {describe(pair.expected, self._expected)}",
            f"{pair.found.name}: {describe(pair.found, self._found)}",
            statements,
        )

    @staticmethod
    def _text(item: Item | None, catalog: Catalog) -> str | None:
        return None if item is None else describe(item, catalog)
