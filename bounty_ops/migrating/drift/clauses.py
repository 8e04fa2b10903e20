"""A column as SQL takes it when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bounty_ops.migrating.catalog.sequence import Sequence
from bounty_ops.migrating.drift.names import public, quoted

if TYPE_CHECKING:
    from bounty_ops.migrating.catalog import Catalog, Item


def column_clause(item: Item, catalog: Catalog) -> str:
    """A column as CREATE TABLE and ADD COLUMN take it."""
    facts = item.facts
    parts = [quoted(item.key[2]), facts["type"]]
    if "collation" in facts:
        parts.append(f"COLLATE {facts['collation']}")
    if "generated" in facts:
        kind = "VIRTUAL" if facts["generated"].endswith(" virtual") else "STORED"
        parts.append(f"GENERATED ALWAYS AS ({item.texts['expression']}) {kind}")
    if "identity" in facts:
        parts.append(f"GENERATED {identity(item)}")
    default = catalog.get("default", *item.key[1:])
    if default is not None:
        parts.append(f"DEFAULT {default.facts['expression']}")
    if facts["not_null"] != "nullable":
        parts.append(
            "NOT NULL NO INHERIT" if " no inherit" in facts["not_null"] else "NOT NULL",
        )
    return " ".join(parts)


def identity(item: Item) -> str:
    """An identity column's `ALWAYS AS IDENTITY`, with what is unusual about its sequence."""
    options = Sequence.parsed(item.texts["sequence"]).unusual_options()
    when = item.texts["identity"].upper()
    return f"{when} AS IDENTITY" + (f" ({options})" if options else "")


def column_extras(item: Item) -> tuple[str, ...]:
    """What of a column no clause can say."""
    start = f"ALTER TABLE {public(item.key[1])} ALTER COLUMN {quoted(item.key[2])}"
    facts = item.facts
    said = []
    if "storage" in facts:
        said.append(f"{start} SET STORAGE {facts['storage'].upper()}")
    if "compression" in facts:
        said.append(f"{start} SET COMPRESSION {facts['compression']}")
    if "statistics_target" in facts:
        said.append(f"{start} SET STATISTICS {facts['statistics_target']}")
    if "column_options" in facts:
        said.append(f"{start} SET ({facts['column_options']})")
    return tuple(said)
