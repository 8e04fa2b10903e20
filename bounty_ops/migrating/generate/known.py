"""What the catalog says about the tables before the change, in the words of a rewrite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pglast.enums import ConstrType

from bounty_ops.migrating.generate.statements import Node, parsed, quoted, strings

if TYPE_CHECKING:
    from bounty_ops.migrating.catalog import Catalog, Item


@dataclass(frozen=True)
class Constraint:
    """A constraint of a table."""

    name: str
    definition: str
    node: Node


class Known:
    """A catalog, asked for what decides how a change is made."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def has_table(self, table: str) -> bool:
        """Whether the table was there before."""
        return self._catalog.get("table", table) is not None

    def is_partitioned(self, table: str) -> bool:
        """Whether its rows are in partitions."""
        found = self._catalog.get("table", table)
        return found is not None and "partitioning" in found.facts

    def forces_rows(self, table: str) -> bool:
        """Whether row security holds for the table's owner too."""
        found = self._catalog.get("table", table)
        return found is not None and "forced" in found.facts["row_security"]

    def column_type(self, table: str, column: str) -> str | None:
        """As PostgreSQL writes it: ``character varying(20)``."""
        found = self._catalog.get("column", table, column)
        return None if found is None else found.facts["type"]

    def is_not_null(self, table: str, column: str) -> bool:
        """Whether the column has no NULL, by its definition."""
        found = self._catalog.get("column", table, column)
        return found is not None and found.facts["not_null"] == "not null"

    def default(self, table: str, column: str) -> str | None:
        """The expression of a default."""
        found = self._catalog.get("default", table, column)
        return None if found is None else found.facts["expression"]

    def enum_labels(self, name: str) -> tuple[str, ...] | None:
        """The labels of an enum type in their order; None: it is no enum type."""
        found = self._catalog.get("enum", name)
        return None if found is None else tuple(json.loads(found.facts["labels"]))

    def is_domain(self, name: str) -> bool:
        """Whether a type is a domain, whose conditions are checked on every row."""
        return self._catalog.get("domain", name) is not None

    def columns_of_type(self, name: str) -> list[tuple[str, str]]:
        """The columns of an enum type, as table and column; of arrays of it too."""
        own = {
            f"{prefix}{quoted(name)}{suffix}" for prefix in ("", "public.") for suffix in ("", "[]")
        }
        return [
            (item.key[1], item.key[2])
            for item in self._catalog.of("column")
            if item.facts["type"] in own and self.has_table(item.key[1])
        ]

    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key; none where there is none."""
        for constraint in self.constraints(table):
            if constraint.node.contype == ConstrType.CONSTR_PRIMARY:
                return strings(constraint.node.keys)
        return ()

    def constraints(self, table: str) -> list[Constraint]:
        """All constraints of a table."""
        return [
            Constraint(item.key[2], item.facts["definition"], _constraint(item))
            for item in self._catalog.parts("constraint", table)
        ]

    def indexes(self, table: str) -> dict[str, str]:
        """The indexes of a table that belong to no constraint: name and definition."""
        return {
            item.key[1]: item.facts["definition"] for item in self._catalog.parts("index", table)
        }

    def index_table(self, index: str) -> str | None:
        """The table of an index."""
        found = self._catalog.get("index", index)
        return None if found is None else found.table

    def dependents(self, table: str, column: str) -> list[Item]:
        """What would not be the same without this column."""
        key = ("column", table, column)
        return [item for item in self._catalog.items.values() if key in item.needs]

    def depends(self, table: str, column: str, name: str) -> bool:
        """Whether a constraint or an index of the table uses the column."""
        kinds = ("constraint", "index")
        return any(
            item.key[-1] == name and item.kind in kinds and item.table == table
            for item in self.dependents(table, column)
        )

    def proves_not_null(self, table: str, column: str) -> bool:
        """Whether a valid CHECK says that the column has no NULL."""
        wanted = f"CHECK (({quoted(column)} IS NOT NULL))"
        return any(
            item.facts["definition"] == wanted and item.facts["validity"] == "valid"
            for item in self._catalog.parts("constraint", table)
        )


def _constraint(item: Item) -> Node:
    statement = f"ALTER TABLE t ADD CONSTRAINT c {item.facts['definition']}"
    node: Node = parsed(statement)
    return node.cmds[0].def_
