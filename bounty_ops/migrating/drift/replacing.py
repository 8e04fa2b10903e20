"""Putting another type, or another table, in the place of one that holds data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bounty_ops.migrating.drift.columns import converted
from bounty_ops.migrating.drift.forcing import columns_of
from bounty_ops.migrating.drift.names import addressed, public, quoted, word
from bounty_ops.migrating.drift.writing import create

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bounty_ops.migrating.catalog import Catalog, Item

_LONGEST_NAME: Final = 63
_SUFFIX: Final = "__replaced"


def replace_type(expected: Item, wanted: Catalog, there: Catalog) -> tuple[str, ...]:
    """A new type under the old name, with every column converted to it.

    A value that the new type does not have stops it, and the old one stays.
    """
    name = expected.key[1]
    old = _aside(name)
    return (
        f"ALTER {word(expected.kind)} {public(name)} RENAME TO {quoted(old)}",
        *create(expected, wanted),
        *_conversions(expected, wanted, there),
        f"DROP {word(expected.kind)} {public(old)}",
    )


def _aside(name: str) -> str:
    return name.encode()[: _LONGEST_NAME - len(_SUFFIX)].decode(errors="ignore") + _SUFFIX


def _conversions(expected: Item, wanted: Catalog, there: Catalog) -> Iterator[str]:
    for column in columns_of(expected.key, there):
        later = wanted.items.get(column.key)
        if later is None or later.texts["base_type"] != column.texts["base_type"]:
            continue  # it goes, or became something else before
        name, kind = quoted(column.key[2]), column.texts["base_type"]
        using = converted(name, f"{_SUFFIX}{'[]' * kind.endswith('[]')}", kind)
        yield (
            f"ALTER TABLE {public(column.key[1])} ALTER COLUMN {name} TYPE "
            f"{later.facts['type']} USING {using}"
        )


def put_aside(found: Item, there: Catalog) -> tuple[str, ...]:
    """A table that has to be made anew, out of the way with its rows."""
    name = found.key[1]
    kept = (
        f"ALTER SEQUENCE {public(item.key[1])} OWNED BY NONE"
        for item in there.of("sequence")
        if item.texts.get("owner_table") == name
    )
    return (*kept, f"ALTER TABLE {public(name)} RENAME TO {quoted(_aside(name))}")


def take_over(expected: Item, wanted: Catalog, there: Catalog) -> tuple[str, ...]:
    """The new table, with the rows of the old one."""
    name = expected.key[1]
    before = {column.key for column in there.parts("column", name)}
    shared = [
        quoted(column.key[2])
        for column in wanted.parts("column", name)
        if column.key in before and "generated" not in column.facts
    ]
    columns = ", ".join(shared)
    old = public(_aside(name))
    owned = (
        f"ALTER SEQUENCE {public(item.key[1])} OWNED BY "
        f"{public(name)}.{quoted(item.texts['owner_column'])}"
        for item in wanted.of("sequence")
        if item.texts.get("owner_table") == name and item.key in there.items
    )
    copy = f"INSERT INTO {public(name)} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
    return (
        *create(expected, wanted),
        *((f"{copy} FROM {old}",) if shared else ()),
        *owned,
        f"DROP TABLE {old}",
    )


def alter_attributes(expected: Item, found: Item) -> tuple[str, ...]:
    """A composite type that columns have, attribute by attribute."""
    wanted, there = _attributes(expected), _attributes(found)
    start = f"ALTER {addressed(expected.key)}"
    gone = [f"{start} DROP ATTRIBUTE {name} CASCADE" for name in there if name not in wanted]
    added = [
        f"{start} ADD ATTRIBUTE {name} {kind} CASCADE"
        for name, kind in wanted.items()
        if name not in there
    ]
    changed = [
        f"{start} ALTER ATTRIBUTE {name} TYPE {kind} CASCADE"
        for name, kind in wanted.items()
        if there.get(name, kind) != kind
    ]
    return (*gone, *added, *changed)


def _attributes(item: Item) -> dict[str, str]:
    attributes = item.facts.get("attributes", "")
    pairs = [part.partition(" ") for part in attributes.split(", ") if part]
    return {name: kind for name, _, kind in pairs}
