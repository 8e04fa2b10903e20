"""Laying two catalogs side by side: what is missing, what should not be there, what differs."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.drift.names import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bounty_ops.migrating.catalog import Catalog, Item, Key

#: Kinds whose differing facts are differences of their own.
BY_ASPECT: Final = frozenset({"table", "foreign_table", "column"})
_RENAMED: Final = ("constraint", "index")


@dataclass(frozen=True)
class Change:
    """One object that is not what it should be."""

    key: Key
    expected: Item | None
    found: Item | None
    aspects: tuple[str, ...] = ()
    """Which facts differ, where both have the object."""

    @property
    def item(self) -> Item:
        """The object, as it should be if it should be."""
        present = self.expected or self.found
        if present is None:
            raise AssertionError("a change of nothing")
        return present


def compare(expected: Catalog, found: Catalog) -> dict[Key, Change]:
    """Every object that only one of them has, or has otherwise."""
    wanted = {item.key: item for item in expected.compared()}
    there = {item.key: item for item in found.compared()}
    changes = {}
    for key in sorted(wanted.keys() | there.keys()):
        one, other = wanted.get(key), there.get(key)
        if one is None or other is None:
            changes[key] = Change(key, one, other)
        elif aspects := tuple(_differing(one.facts, other.facts)):
            changes[key] = Change(key, one, other, aspects)
    return changes


def _differing(one: Mapping[str, str], other: Mapping[str, str]) -> Iterator[str]:
    return (name for name in sorted({*one, *other}) if one.get(name) != other.get(name))


@dataclass(frozen=True)
class Renaming:
    """An object that is as it should be but for its name."""

    found: Item
    expected: Item


def renamings(expected: Catalog, found: Catalog) -> tuple[Renaming, ...]:
    """Constraints and indexes under another name: to rename one costs nothing, to build it does."""
    pairs = []
    taken: set[Key] = set()
    for kind in _RENAMED:
        extra = [item for item in found.of(kind) if item.key not in expected.items]
        for item in expected.of(kind):
            if item.key in found.items:
                continue
            for other in extra:
                if other.key not in taken and _nameless(other) == _nameless(item):
                    taken.add(other.key)
                    pairs.append(Renaming(other, item))
                    break
    return tuple(pairs)


def _nameless(item: Item) -> tuple[object, ...]:
    facts = dict(item.facts)
    if item.kind == "index":
        head = r"^(CREATE (?:UNIQUE )?INDEX) (?:\"(?:[^\"]|\"\")+\"|\S+) ON"
        facts["definition"] = re.sub(head, r"\1 ON", facts["definition"])
    return item.table, facts


def renamed(catalog: Catalog, pairs: tuple[Renaming, ...]) -> Catalog:
    """The catalog as it will be after the renamings."""
    keys = {pair.found.key: pair.expected.key for pair in pairs}
    facts = {pair.found.key: pair.expected.facts for pair in pairs}

    def new(key: Key) -> Key:
        if key[0] == "comment" and key[1:] in keys:
            return ("comment", *keys[key[1:]])
        return keys.get(key, key)

    items = [
        replace(
            item,
            key=new(item.key),
            facts=facts.get(item.key, item.facts),
            needs=frozenset(map(new, item.needs)),
        )
        for item in catalog.items.values()
    ]
    return replace(catalog, items={item.key: item for item in items})


def describe(item: Item, catalog: Catalog) -> str:
    """An object in one text, for the eyes."""
    facts = item.facts
    if item.kind in ("table", "foreign_table"):
        columns = ", ".join(quoted(part.key[2]) for part in catalog.parts("column", item.key[1]))
        return f"{item.kind.replace('_', ' ')} ({columns})"
    if item.kind == "column":
        default = catalog.get("default", *item.key[1:])
        words = [facts["type"]]
        if default is not None:
            words.append(f"default {default.facts['expression']}")
        words += [value for name, value in facts.items() if name not in ("type", "not_null")]
        if facts["not_null"] != "nullable":
            words.append(facts["not_null"])
        return " ".join(words)
    first = _FIRST.get(item.kind, "definition")
    usual = ("valid", "enabled", "logged", "yes", "nullable")
    words = [item.texts.get(first) or facts[first]] if first in facts else []
    words += [
        f"{name.replace('_', ' ')} {value}"
        for name, value in facts.items()
        if name != first and value not in usual
    ]
    return ", ".join(words) or "there"


_FIRST: Final = {
    "enum": "labels",
    "domain": "type",
    "default": "expression",
    "sequence": "parameters",
    "comment": "comment",
    "composite_type": "attributes",
    "range_type": "range",
    "extension": "schema",
}
