"""Bounty's facts as the tests of sample data need them: rows checked without a database."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bounty_ops.schema.bounty import Base
from bounty_ops.seeding.plan import plan_rows, table_order
from bounty_ops.seeding.tables import SOURCES
from bounty_ops.seeding.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bounty_ops.seeding.world import Row

Tables = dict[str, list["Row"]]


@cache
def facts() -> dict[str, Any]:
    """The facts as they stand in the repository."""
    path = Path(__file__).parent.parent / "data" / "bounty_schema.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def generate(rows: int, seed: int) -> Tables:
    """All rows of a seeding, in the order in which they would be written."""
    world = World(seed, plan_rows(rows))
    return {
        table: list(SOURCES[table].rows(world, world.counts[table]))
        for table in table_order(Base.metadata)
    }


def values(tables: Tables, table: str, columns: Sequence[str]) -> list[tuple[object, ...]]:
    """The values of some columns, row by row."""
    places = [SOURCES[table].columns.index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in tables[table]]


def violations(tables: Tables) -> Iterator[str]:
    """Everything that PostgreSQL would refuse: nulls, enums, keys and foreign keys."""
    enums = {name: set(enum["values"]) for name, enum in facts()["enums"].items()}
    for table, fact in facts()["tables"].items():
        for column in fact["columns"]:
            found = {value for (value,) in values(tables, table, [column["name"]])}
            if not column["nullable"] and None in found:
                yield f"{table}.{column['name']} is null"
            if "enum" in column and not found - {None} <= enums[column["enum"]]:
                yield f"{table}.{column['name']} has no such label: {found}"
        for columns in _unique(fact):
            counted = Counter(values(tables, table, columns))
            twice = [value for value, count in counted.items() if count > 1 and None not in value]
            if twice:
                yield f"{table} {columns} twice: {twice[:3]}"
        for key in fact["foreign_keys"]:
            there = set(values(tables, key["ref_table"], key["ref_columns"]))
            here = {value for value in values(tables, table, key["columns"]) if None not in value}
            if not here <= there:
                yield f"{table} {key['columns']} points nowhere: {sorted(here - there)[:3]}"


def _unique(fact: dict[str, Any]) -> Iterator[list[str]]:
    yield fact["primary_key"]["columns"]
    for constraint in fact["unique_constraints"]:
        yield constraint["columns"]
    for index in fact["indexes"]:
        if index["unique"]:
            yield index["columns"]
