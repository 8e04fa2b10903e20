"""From two schemas to the steps between them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bounty_ops.migrating.drift import differences
from bounty_ops.migrating.generate.enums import rebuild
from bounty_ops.migrating.generate.grouping import grouped
from bounty_ops.migrating.generate.known import Known
from bounty_ops.migrating.generate.online import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bounty_ops.migrating.catalog import Catalog, Item, Key
    from bounty_ops.migrating.generate.step import Rewritten, Step


@dataclass(frozen=True)
class Way:
    """The steps from one schema to another, and what has to be said about them."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    needs_fill: tuple[str, ...]


def plan_way(
    expected: Catalog,
    found: Catalog,
    *,
    before: Sequence[Rewritten] = (),
    fills: Mapping[str, str],
) -> Way:
    """Plan how ``found`` becomes ``expected``; ``before`` has been done in ``found`` already."""
    rebuilt, notes = [], []
    there = found
    for name, labels in _rebuilt_enums(expected, found):
        known = Known(there)
        wanted = {place: _default(expected, place) for place in known.columns_of_type(name)}
        changes = rebuild(name, labels, known, wanted)
        if isinstance(changes, str):
            notes.append(f"enum {name} gets other labels under ACCESS EXCLUSIVE locks: {changes}")
            continue
        rebuilt += changes
        there = _after_rebuild(there, name, labels, wanted)
    statements = [sql for each in differences(expected, there) for sql in each.sql]
    changes = [*before, *rebuilt, *rewritten(statements, there, fills=fills)]
    return Way(
        steps=tuple(grouped(changes)),
        notes=(*notes, *(note for change in changes for note in change.notes)),
        needs_fill=tuple(change.needs_fill for change in changes if change.needs_fill),
    )


def _rebuilt_enums(expected: Catalog, found: Catalog) -> list[tuple[str, list[str]]]:
    """Enum types that need more than new labels."""
    wanted = []
    for item in expected.of("enum"):
        other = found.get(*item.key)
        if other is None or other.facts["labels"] == item.facts["labels"]:
            continue
        labels, there = (json.loads(each.facts["labels"]) for each in (item, other))
        if [label for label in labels if label in there] != there:
            wanted.append((item.key[1], labels))
    return wanted


def _default(expected: Catalog, place: tuple[str, str]) -> str | None:
    found = expected.get("default", *place)
    return None if found is None else found.facts["expression"]


def _after_rebuild(
    catalog: Catalog,
    name: str,
    labels: list[str],
    defaults: Mapping[tuple[str, str], str | None],
) -> Catalog:
    """The schema once the type has its new labels, and its columns their new defaults."""
    items: dict[Key, Item] = dict(catalog.items)
    enum = items["enum", name]
    items["enum", name] = replace(enum, facts={"labels": _as_jsonb(labels)})
    for place, default in defaults.items():
        key = ("default", *place)
        if key in items and default is None:
            del items[key]
        elif key in items and default is not None:
            items[key] = replace(items[key], facts={"expression": default})
    return replace(catalog, items=items)


def _as_jsonb(labels: list[str]) -> str:
    """As the server writes it."""
    return json.dumps(labels, ensure_ascii=False)
